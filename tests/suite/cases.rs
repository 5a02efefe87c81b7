//! The cases of the shipped pack: each rule has its outcome on each of them, and its report is the
//! snapshot beside the case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dpmguard::author::case;
use dpmguard::eval::evaluate;
use dpmguard::finding::{Outcome, Severity};
use dpmguard::gate::{self, Threshold};
use dpmguard::load;
use dpmguard::report::{Run, Settings, v1};

use crate::support::{Bench, cases, root, rule_of, said, snapshot_beside};

#[test]
fn every_case_gives_its_outcome_and_report() {
    let mut wrong = Vec::new();
    let mut bench = Bench::new();
    for path in cases() {
        if let Err(difference) = run(&path, &mut bench) {
            wrong.push(format!("{}\n{difference}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn run(path: &Path, bench: &mut Bench) -> Result<(), String> {
    let (case, document) = bench.case(path);
    let facts = bench.facts(&[document]).map_err(|found| said(&found, &bench.sources))?;
    let rule = rule_of(path);
    let own;
    let rules = if case.params.is_empty() {
        &bench.rules
    } else {
        own = load::packs(true, &[], &mut bench.sources)
            .unwrap()
            .rules(&case.params, &bench.sources)
            .map_err(|found| said(&found, &bench.sources))?;
        &own
    };
    assert!(rules.rules.iter().any(|known| *known.id == *rule), "there is no rule `{rule}`");
    let evaluation = evaluate(&facts, rules, &case.now, None, &|known| *known.id == *rule);
    let answer = gate::answer(&evaluation, Threshold::From(Severity::Note), 1);
    let now = case.now.to_string();
    let report = v1::Report::new(&Run {
        sources: &bench.sources,
        evaluation: &evaluation,
        answer: &answer,
        now: &now,
        settings: &Settings::default(),
        facts: &[],
        packs: &[],
        warnings: &[],
    });
    // The rest of the report is the same for every case of a rule, or changes with the version.
    let whole = serde_json::to_value(&report).unwrap();
    let parts: BTreeMap<&str, &serde_json::Value> =
        ["findings", "undecided", "verdict"].into_iter().map(|key| (key, &whole[key])).collect();
    let difference = case::difference(&case.expect, &evaluation);
    if difference.is_none() {
        snapshot_beside(path, &serde_json::to_string_pretty(&parts).unwrap());
    }
    difference.map_or(Ok(()), Err)
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
fn every_rule_has_a_case_for_each_outcome() {
    let mut bench = Bench::new();
    let mut seen: BTreeSet<(String, Outcome)> = BTreeSet::new();
    for path in cases() {
        let (case, _) = bench.case(&path);
        let outcomes = match case.expect {
            case::Expect::All(outcome) => vec![outcome],
            case::Expect::Exactly(list) => list.into_iter().map(|(_, outcome)| outcome).collect(),
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
            if !seen.contains(&(rule.id.to_string(), outcome)) && !excused {
                missing.push(format!("{}: {}", rule.id, outcome.name()));
            }
        }
    }
    assert!(missing.is_empty(), "no case for\n{}", missing.join("\n"));
}

#[test]
fn no_snapshot_stands_without_its_case() {
    let folder = root().join("rules/cases");
    for snapshot in crate::support::files(&folder, "snap") {
        assert!(snapshot.with_extension("yaml").exists(), "{} has no case", snapshot.display());
    }
}
