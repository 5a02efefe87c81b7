//! Everything in `examples/` and in the documentation runs, and the second YAML reader agrees with ours.

use std::fs;

use dpmguard::source::{self, Sources};

use crate::support::{files, root, run};

#[test]
fn the_custom_rule_of_a_user() {
    let folder = root().join("examples/custom-rule");
    let (facts, rules) = (folder.join("facts.yaml"), folder.join("my-rules"));
    let (facts, rules) = (facts.display().to_string(), rules.display().to_string());
    let ran = run(&[
        "check",
        &facts,
        "--rules",
        &rules,
        "--no-shipped-rules",
        "--now",
        "observed",
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["rules"].as_array().unwrap().len(), 1);
    assert!(!json["findings"].as_array().unwrap().is_empty());
    // Beside the shipped rules it is one more.
    let ran = run(&["rules", "list", "--rules", &rules]);
    let shipped = run(&["rules", "list"]).out.lines().count();
    assert_eq!(ran.out.lines().count(), shipped + 1, "{}", ran.out);
}

/// Tests from real files, and checks that join files.
#[test]
fn a_rule_joins_facts_of_several_files() {
    let folder = root().join("examples/contoso");
    let (dpm, exchange) = (folder.join("dpm01.yaml"), folder.join("exchange.yaml"));
    let (dpm, exchange) = (dpm.display().to_string(), exchange.display().to_string());
    let both = ["dpm01.yaml", "dpm02.yaml", "exchange.yaml", "servers.yaml"]
        .map(|name| folder.join(name).display().to_string());
    let mut args = vec!["check", "--now", "observed", "--only", "database-file-moved"];
    args.extend(both.iter().map(String::as_str));
    let both = run(&args);
    assert_eq!(both.code, 1, "{}", both.out);
    assert!(
        both.out.contains("exchange.yaml:") && both.out.contains("dpm01.yaml:"),
        "{}",
        both.out
    );
    // A part of the facts is no verdict, and never a green one.
    for half in [&dpm, &exchange] {
        let ran = run(&["check", half, "--now", "observed", "--only", "database-file-moved"]);
        assert_eq!(ran.code, 3, "{}", ran.out);
    }
}

/// Every YAML file of the project, read by our reader and by `serde_yaml`, has the same values.
#[test]
fn the_second_yaml_reader_agrees() {
    let mut read = 0;
    for folder in ["rules", "examples", "tests", "docs"] {
        let folder = root().join(folder);
        if !folder.exists() {
            continue;
        }
        for path in files(&folder, "yaml") {
            let bytes = fs::read(&path).unwrap();
            let mut sources = Sources::default();
            let file = sources.add("x", &bytes).unwrap();
            let ours = source::read(&sources, file)
                .unwrap_or_else(|found| panic!("{}: {found:?}", path.display()));
            let theirs: serde_json::Value = serde_yaml::from_slice(&bytes).unwrap();
            assert_eq!(ours.to_json(), theirs, "{}", path.display());
            read += 1;
        }
    }
    assert!(read > 100, "only {read} files were compared");
}

/// Every document says what it is, so that an editor can help and a slip is noticed.
#[test]
fn every_rule_names_its_schema_for_editors() {
    for path in files(&root().join("rules"), "yaml") {
        if path.parent() == Some(&root().join("rules")) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with("# yaml-language-server: $schema="), "{}", path.display());
        }
    }
}
