//! The cases of the shipped pack, judged by the program's own runner: each rule has its outcome on each
//! of them, and its report is the snapshot beside the case.

use std::collections::BTreeSet;

use dpmguard::author::case;
use dpmguard::finding::Outcome;

use crate::support::{Bench, action_cases, cases, root, rule_of, run};

#[test]
fn every_case_gives_its_outcome_and_report() {
    let rules = root().join("rules").display().to_string();
    let ran = run(&["test", &rules, "--unreferenced", "reject"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let all = cases().len() + action_cases().len();
    assert!(ran.out.contains(&format!("{all} cases")), "{}", ran.out);
    assert!(!ran.out.contains("without a case"), "{}", ran.out);
}

/// Rules that cannot have an outcome, with the reason.
const CANNOT: [(&str, &str, &str); 4] = [
    ("agent-reboot-pending", "not_applicable", "every agent can be asked"),
    ("agent-version-refused", "not_applicable", "every agent can be asked"),
    ("dpm-reboot-pending", "not_applicable", "every DPM server can be asked"),
    (
        "eseutil-check-timed-out",
        "not_applicable",
        "it looks at protected Exchange data only, and at what DPM reported of it",
    ),
];

#[test]
fn every_rule_reaches_each_outcome_in_its_cases() {
    let rules = root().join("rules").display().to_string();
    let ran = run(&["test", &rules, "--format", "coverage-json", "--outcomes-min", "4"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let mut wrong = Vec::new();
    for rule in report["rules"].as_array().unwrap() {
        let id = rule["rule"].as_str().unwrap();
        for outcome in rule["outcomes"].as_array().unwrap() {
            let name = outcome["name"].as_str().unwrap();
            let excused = CANNOT.iter().any(|(known, which, _)| *known == id && *which == name);
            let is_possible = outcome.get("impossible").is_none();
            if excused == is_possible || is_possible && outcome["times"] == 0 {
                wrong.push(format!("{id}: {outcome}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let rules = report["rules"].as_array().unwrap().len();
    assert_eq!(rules, Bench::new().rules.rules.len());
}

/// The outcomes that cases say they expect, not only those that come about beside them.
#[test]
fn every_rule_has_a_case_for_each_outcome() {
    let mut bench = Bench::new();
    let mut seen: BTreeSet<(String, Outcome)> = BTreeSet::new();
    for path in cases() {
        let (case, _) = bench.case(&path);
        let outcomes = match case.expect {
            case::Expect::All(outcome) => vec![outcome],
            case::Expect::Exactly(list) => list.into_iter().map(|one| one.outcome).collect(),
            case::Expect::After(_) => panic!("{}: is about an action", path.display()),
        };
        seen.extend(outcomes.into_iter().map(|outcome| (rule_of(&path), outcome)));
    }
    let mut missing = Vec::new();
    for rule in &bench.rules.rules {
        for outcome in
            [Outcome::Violated, Outcome::Satisfied, Outcome::Undecided, Outcome::NotApplicable]
        {
            let excused =
                CANNOT.iter().any(|(id, name, _)| *id == &*rule.id && *name == outcome.name());
            let has = seen.contains(&(rule.id.to_string(), outcome));
            if has == excused {
                let why = if has { "has a case now" } else { "no case" };
                missing.push(format!("{}: {}: {why}", rule.id, outcome.name()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
