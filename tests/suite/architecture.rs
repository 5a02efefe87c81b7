//! The house's floors: a module imports lower ones only, a foreign crate has one home, and the
//! engine has no word of the domain.

use std::fs;
use std::path::Path;

use crate::support::{files, root};

/// Modules from the bottom up; a module may import only those of an earlier row.
const FLOORS: &[&[&str]] = &[
    &["digest", "diagnostic"],
    &["source", "finding"],
    &["schema"],
    &["facts"],
    &["expr"],
    &["rule"],
    &["eval"],
    &["gate"],
    &["plan"],
    &["load", "import"],
    &["report"],
    &["author"],
    &["cli"],
];

/// Foreign crates and the modules that may name them.
const HOMES: &[(&str, &[&str])] = &[
    ("annotate_snippets", &["report/diagnostic"]),
    (
        "anstyle",
        &[
            "cli/eval/terminal",
            "report/coverage",
            "report/human",
            "report/lint",
            "report/mutation",
            "report/plan",
            "report/test",
        ],
    ),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("gen_lsp_types", &["cli/lsp"]),
    ("granit_parser", &["source"]),
    ("jiff", &["facts/time", "plan/time"]),
    ("jsonschema", &["schema"]),
    ("quick_xml", &["import/clixml"]),
    (
        "rayon",
        &[
            "author/coverage",
            "author/lint",
            "author/mutate",
            "author/suite",
            "author/trial",
            "plan/hazard",
        ],
    ),
    ("rhai", &["expr/syntax", "expr/script"]),
    ("rustyline", &["cli/eval/terminal"]),
    ("serde_yaml", &["source/write"]),
    ("sha2", &["digest"]),
    ("similar", &["report/diff"]),
    ("strsim", &["diagnostic"]),
    ("tempfile", &["load"]),
    ("textwrap", &["report/human", "report/lint", "cli/rules"]),
];

/// Words of the domain, which belong in `schemas/` and `rules/`.
const DOMAIN: &[&str] =
    &["exchange", "dpm", "eseutil", "storage group", "storage_group", "mailbox", "replica"];

/// Source files with their module path (`report/human`) and text without tests and comments.
fn modules() -> Vec<(String, String)> {
    let source = root().join("src");
    files(&source, "rs")
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "tests.rs"))
        .map(|path| {
            let name = path.strip_prefix(&source).unwrap().with_extension("");
            let name = name.to_string_lossy().replace('\\', "/");
            (name, code(&fs::read_to_string(&path).unwrap()))
        })
        .collect()
}

fn code(text: &str) -> String {
    let production = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = production.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn floor(module: &str) -> Option<usize> {
    let top = module.split('/').next().unwrap_or(module);
    FLOORS.iter().position(|floor| floor.contains(&top))
}

/// Top modules named as `crate::module` in a text.
fn imports(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in text.split("crate::").skip(1) {
        let names = match part.strip_prefix('{') {
            Some(inside) => {
                inside.split('}').next().unwrap_or_default().split(',').map(str::trim).collect()
            }
            None => vec![part],
        };
        for name in names {
            let end = name.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(name.len());
            found.push(name[..end].to_owned());
        }
    }
    found.sort();
    found.dedup();
    found
}

#[test]
fn modules_import_only_lower_floors() {
    let mut wrong = Vec::new();
    for (module, text) in modules() {
        if module == "lib" || module == "main" {
            continue;
        }
        let Some(here) = floor(&module) else {
            wrong.push(format!("src/{module}.rs stands on no floor"));
            continue;
        };
        let top = module.split('/').next().unwrap().to_owned();
        for import in imports(&text) {
            match floor(&import) {
                _ if import == top => {}
                Some(there) if there < here => {}
                Some(_) => wrong.push(format!("src/{module}.rs imports crate::{import}")),
                None => wrong.push(format!(
                    "src/{module}.rs imports crate::{import}, which stands on no floor"
                )),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_floor_is_there() {
    for module in FLOORS.iter().copied().flatten() {
        assert!(root().join(format!("src/{module}.rs")).exists(), "src/{module}.rs");
    }
}

#[test]
fn each_foreign_crate_has_one_home() {
    let mut wrong = Vec::new();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let dependencies = manifest
        .split("[dependencies]")
        .nth(1)
        .unwrap()
        .split("[dev-dependencies]")
        .next()
        .unwrap();
    // These two have none: derive macros and the tree of JSON are everywhere plain data is.
    let free = ["serde", "serde_json", "thiserror", "anstream"];
    for line in dependencies.lines().filter(|line| line.contains('=') && !line.starts_with('#')) {
        let name = line.split('=').next().unwrap().trim().replace('-', "_");
        let known = HOMES.iter().any(|(home, _)| *home == name) || free.contains(&&*name);
        assert!(known, "the dependency `{name}` has no home in this test");
    }
    for (module, text) in modules() {
        for (krate, homes) in HOMES {
            let names = [format!("{krate}::"), format!("use {krate};")];
            let used = names.iter().any(|name| {
                text.match_indices(name.as_str()).any(|(at, _)| {
                    !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':')
                })
            });
            let at_home =
                homes.iter().any(|home| module == *home || module.starts_with(&format!("{home}/")));
            if used && !at_home {
                wrong.push(format!("src/{module}.rs names {krate}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Help texts and one title may show the shipped pack at work; the code knows nothing of it.
#[test]
fn the_engine_knows_no_domain() {
    let mut wrong = Vec::new();
    for (module, text) in modules() {
        if module.starts_with("import") || module.starts_with("cli") {
            continue;
        }
        let plain = text.to_lowercase().replace("dpmguard", "");
        for word in DOMAIN {
            if plain.contains(word) {
                let line = plain
                    .lines()
                    .find(|line| line.contains(word))
                    .unwrap_or_default()
                    .trim()
                    .to_owned();
                wrong.push(format!("src/{module}.rs says `{word}`: {line}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_read_in_load_only() {
    for (module, text) in modules() {
        if module == "load" || module.starts_with("load/") {
            continue;
        }
        for word in ["std::fs", "fs::read", "File::open", "SystemTime", "Instant::now"] {
            assert!(!text.contains(word), "src/{module}.rs uses {word}");
        }
        if !module.starts_with("cli") {
            assert!(!text.contains("std::env"), "src/{module}.rs reads the environment");
        }
    }
    assert!(Path::new(&root()).join("src/load.rs").exists());
}
