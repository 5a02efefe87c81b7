//! The documentation: what can be made from the code is, and what it shows runs.
//!
//! `DPMGUARD_UPDATE=1` writes the generated parts anew.

use std::fs;

use dpmguard::expr::functions::FUNCTIONS;
use dpmguard::expr::tree::ListMethod;

use crate::support::{files, root, run};

const BEGIN: &str = "<!-- functions: begin -->\n";
const END: &str = "<!-- functions: end -->";

fn manual() -> String {
    let mut text = String::from("\n### Methods of lists\n\n");
    for (_, name, help) in ListMethod::TABLE {
        text.push_str(&["- `", name, "`: ", help, "\n"].concat());
    }
    text.push_str("- `contains`: Whether a value is a member; the same as `value in list`.\n");
    text.push_str(
        "\n### Functions\n\nEach can be written as a method too: `len(text)` is `text.len()`.\n\n",
    );
    for function in FUNCTIONS {
        text.push_str(&["- `", &function.signature(), "`: ", function.help, "\n"].concat());
    }
    text.push('\n');
    text
}

#[test]
fn the_manual_of_functions_is_up_to_date() {
    let path = root().join("docs/expressions.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (inside, after) = rest.split_once(END).unwrap();
    if inside == manual() {
        return;
    }
    if std::env::var_os("DPMGUARD_UPDATE").is_some() {
        fs::write(&path, [before, BEGIN, &manual(), END, after].concat()).unwrap();
        return;
    }
    panic!("docs/expressions.md is stale: run the tests with DPMGUARD_UPDATE=1");
}

#[test]
fn the_page_of_causes_is_up_to_date() {
    let path = root().join("docs/causes.md");
    let page = run(&["rules", "causes"]).out;
    if fs::read_to_string(&path).is_ok_and(|written| written == page) {
        return;
    }
    if std::env::var_os("DPMGUARD_UPDATE").is_some() {
        fs::write(&path, page).unwrap();
        return;
    }
    panic!("docs/causes.md is stale: run the tests with DPMGUARD_UPDATE=1");
}

/// Each rule belongs to a cause, and each cause has a rule or says why it has none.
#[test]
fn every_rule_stands_on_the_page_of_causes() {
    let bench = crate::support::Bench::new();
    for rule in &bench.rules.rules {
        assert!(rule.cause.is_some(), "{} names no cause", rule.id);
    }
    for cause in bench.rules.packs.iter().flat_map(|pack| &pack.causes) {
        let has_rule = bench
            .rules
            .rules
            .iter()
            .any(|rule| rule.cause.as_ref().is_some_and(|(id, _)| *id == cause.id));
        assert!(has_rule || !cause.unobservable.is_empty(), "nothing is said of {}", cause.id);
    }
}

#[test]
fn the_example_of_the_documentation_gives_its_finding() {
    let example = root().join("docs/example");
    let (facts, rules) = (example.join("facts.yaml"), example.join("rules"));
    let (facts, rules) = (facts.display().to_string(), rules.display().to_string());
    let ran = run(&["check", &facts, "--rules", &rules, "--no-shipped-rules", "--now", "observed"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert_eq!(ran.err, "");
    // The page shows the rule as it is.
    let page = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    for rule in files(&example.join("rules"), "yaml") {
        let text = fs::read_to_string(&rule).unwrap();
        for line in text.lines().filter(|line| line.starts_with("violated:")) {
            assert!(page.contains(line), "docs/rules.md does not show `{line}`");
        }
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut pages = files(&root().join("docs"), "md");
    pages.extend(["README.md", "CONTRIBUTING.md"].map(|name| root().join(name)));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") || link.starts_with('#') {
                continue;
            }
            let file = link.split('#').next().unwrap();
            assert!(page.parent().unwrap().join(file).exists(), "{}: {link}", page.display());
        }
    }
}

/// The report that the README shows is a part of the real one.
#[test]
fn the_readme_shows_the_real_report() {
    let facts = root().join("examples/contoso").display().to_string();
    let report = run(&["check", &facts, "--now", "observed"]).out;
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let shown = readme.split("```text\n").nth(1).unwrap().split("```").next().unwrap();
    let mut compared = 0;
    for line in shown.lines().filter(|line| !line.trim().is_empty() && !line.ends_with("...")) {
        // The report names files as they were given: here with a whole path.
        if !line.contains("examples/") {
            assert!(report.contains(line), "README.md shows `{line}`");
            compared += 1;
        }
    }
    assert!(compared > 5);
}

/// Every command of ours that a page shows has a subcommand and options that exist.
#[test]
fn commands_in_the_documentation_are_commands() {
    let mut pages = files(&root().join("docs"), "md");
    pages.push(root().join("README.md"));
    let mut tried = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for line in text.lines() {
            for part in line.split("dpmguard ").skip(1) {
                let words: Vec<&str> = part
                    .split(['`', '|', '>', '#', '<'])
                    .next()
                    .unwrap()
                    .split_whitespace()
                    .collect();
                let Some(first) = words.first() else { continue };
                if ![
                    "check",
                    "eval",
                    "explain",
                    "rules",
                    "facts",
                    "schema",
                    "completions",
                    "man",
                    "new",
                    "test",
                    "lint",
                ]
                .contains(first)
                    || !line.contains('`') && !line.starts_with("dpmguard")
                {
                    continue;
                }
                let mut args: Vec<&str> = words
                    .iter()
                    .take_while(|word| {
                        !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase())
                    })
                    .copied()
                    .collect();
                if args.len() > 1 && !["rules", "facts", "new"].contains(first) {
                    args.truncate(1);
                }
                args.truncate(3);
                args.push("--help");
                let help = run(&args);
                let options = words.iter().filter(|word| word.starts_with("--"));
                for option in options {
                    let name =
                        option.split('=').next().unwrap().trim_end_matches([',', '.', ')', ':']);
                    assert!(
                        help.out.contains(name),
                        "{}: `{name}` in `{line}`\n{}",
                        page.display(),
                        help.err
                    );
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 3, "only {tried} options were found");
}
