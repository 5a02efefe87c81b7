//! The facts that a rule needs, as its documentation lists them, against those that verdicts really missed.

use std::fs;

use dpmguard::author::needs::{Of, Walker};
use dpmguard::facts::model::Model;
use dpmguard::rule::Rule;

use crate::support::{Bench, files, root, rule_of};

/// Kind or single record, and field, of a path like `databases[EX01/SG1/DB2].known_files[0].path`.
fn parts(path: &str, model: &Model) -> Option<(Of, String)> {
    let mut plain = String::new();
    let mut depth = 0;
    for c in path.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            c if depth == 0 => plain.push(c),
            _ => {}
        }
    }
    let (first, field) = plain.split_once('.').unwrap_or((&plain, ""));
    let of = match model.kind_in(first) {
        Some(kind) => Of::Kind(kind.id),
        None => Of::Single(model.singles().iter().position(|single| &*single.name == first)?),
    };
    Some((of, field.to_owned()))
}

/// Every fact that left a rule undecided in one of its cases is among those that it is said to need.
#[test]
fn what_verdicts_missed_is_listed_as_needed() {
    let bench = Bench::new();
    let walker = Walker::new(&bench.model, &bench.rules);
    let (mut checked, mut wrong) = (0, Vec::new());
    for snapshot in files(&root().join("rules/cases"), "snap") {
        let Some(rule) = bench.rules.rule(&rule_of(&snapshot)) else { continue };
        let rule: &Rule = rule;
        let needs = walker.rule(rule);
        // What functions of the pack and other rules read is not listed, and the page says so.
        if !needs.opaque.is_empty() || !rule.asks.is_empty() {
            continue;
        }
        let text = fs::read_to_string(&snapshot).unwrap();
        let json = text.splitn(3, "---\n").nth(2).unwrap();
        let report: serde_json::Value = serde_json::from_str(json).unwrap();
        for undecided in report["undecided"].as_array().into_iter().flatten() {
            if undecided["rule"] != *rule.id {
                continue;
            }
            for missing in undecided["missing"].as_array().into_iter().flatten() {
                let fact = missing["fact"].as_str().unwrap();
                let Some((of, field)) = parts(fact, &bench.model) else { continue };
                let found = needs.facts.get(&of).is_some_and(|facts| {
                    let is_it = |name: &str| {
                        // A record that is missing as a whole is missing with its fields.
                        name == field || name.starts_with(&format!("{field}."))
                    };
                    field.is_empty() && facts.whole
                        || facts.fields.iter().any(|(name, using)| using.decides && is_it(name))
                });
                checked += 1;
                if !found {
                    wrong.push(format!("{} does not list {fact}", rule.id));
                }
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 300, "only {checked} missing facts were looked at");
}
