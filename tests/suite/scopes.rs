//! Version scopes: the same estate under DPM 2007 with Exchange 2007, and under DPM 2016 with Exchange
//! 2016, differs exactly where the sources say that the products do.

use std::collections::{BTreeMap, BTreeSet};

use dpmguard::author::{case, patch};
use dpmguard::eval::evaluate;

use crate::support::{Bench, root, said};

/// What is wrong in the estate: a new database, one moved to a volume that DPM tracks, logs and
/// checkpoints likewise, circular logging, `EnableVssWriter` set, a server that restarted unplanned.
const FAULTS: &str = include_str!("../scopes/faults.yaml");

/// For a rule: what it says under the older products and under the newer ones. Why it differs:
/// - moved files: DPM 2012 and later go on where the new volume is tracked (Back up Exchange with DPM, 2016);
/// - a new database: DPM 2007 calls the replica inconsistent (30137), later versions take it in and need
///   a full backup;
/// - the Visual C++ runtime: Eseutil of Exchange 2013 and later; the rule on builds then leaves the
///   files to that one;
/// - the replica writer of LCR: Exchange 2007 only; from 2013 on the Exchange writer lives in the
///   replication service, so the registry value switches it off;
/// - KB940349: DPM 2007 only.
const DIFFERS: &[(&str, &str, &str)] = &[
    (
        "database-file-moved",
        "1 not_applicable, 3 satisfied, 1 violated",
        "2 not_applicable, 3 satisfied",
    ),
    (
        "database-file-moved-tracked",
        "5 not_applicable",
        "1 not_applicable, 3 satisfied, 1 violated",
    ),
    ("eseutil-runtime-missing", "1 not_applicable", "1 violated"),
    ("exchange-newer-than-eseutil", "1 satisfied", "1 not_applicable"),
    ("lcr-replica-writer-enabled", "5 not_applicable, 1 violated", "6 not_applicable"),
    ("log-folder-moved", "2 satisfied, 1 violated", "1 not_applicable, 2 satisfied"),
    ("log-folder-moved-tracked", "3 not_applicable", "2 satisfied, 1 violated"),
    ("new-database-awaits-full-backup", "5 not_applicable", "4 satisfied, 1 violated"),
    ("new-database-in-group", "4 satisfied, 1 violated", "5 not_applicable"),
    ("system-folder-moved", "2 satisfied, 1 violated", "1 not_applicable, 2 satisfied"),
    ("vss-hotfix-missing", "5 satisfied, 1 violated", "6 not_applicable"),
    ("vss-hotfix-missing-on-dpm-server", "1 violated", "1 not_applicable"),
    ("vss-writer-missing", "2 not_applicable, 3 satisfied", "3 not_applicable, 2 satisfied"),
];

fn judged(dpm: &str, product: &str) -> BTreeMap<String, String> {
    let mut bench = Bench::new();
    let mut document = bench.read(&root().join("rules/fixtures/exchange-2007.yaml"));
    let faults = FAULTS.replace("@DPM@", dpm).replace("@PRODUCT@", product);
    let file = bench.sources.add("faults.yaml", faults.as_bytes()).unwrap();
    let node = dpmguard::source::read(&bench.sources, file)
        .unwrap_or_else(|found| panic!("{}", said(&found, &bench.sources)));
    let case =
        case::read(&node, "-").unwrap_or_else(|found| panic!("{}", said(&found, &bench.sources)));
    for one in &case.patches {
        patch::apply(&mut document, one, &bench.model)
            .unwrap_or_else(|found| panic!("{}", said(&[found], &bench.sources)));
    }
    let facts =
        bench.facts(&[document]).unwrap_or_else(|found| panic!("{}", said(&found, &bench.sources)));
    let evaluation = evaluate(&facts, &bench.rules, &case.now, None, &|_| true);
    let mut all: BTreeMap<String, BTreeMap<&str, usize>> = BTreeMap::new();
    for verdict in &evaluation.verdicts {
        let rule = evaluation.rule(verdict).unwrap().id.to_string();
        *all.entry(rule).or_default().entry(verdict.outcome.name()).or_default() += 1;
    }
    let said = |outcomes: BTreeMap<&str, usize>| -> String {
        let parts: Vec<String> =
            outcomes.into_iter().map(|(name, count)| format!("{count} {name}")).collect();
        parts.join(", ")
    };
    all.into_iter().map(|(rule, outcomes)| (rule, said(outcomes))).collect()
}

#[test]
fn versions_differ_exactly_where_the_sources_say() {
    let older = judged("2.0.8793.0", "exchange_2007");
    let newer = judged("5.0.158.0", "exchange_2016");
    let rules: BTreeSet<&String> = older.keys().chain(newer.keys()).collect();
    let none = String::from("nothing");
    let of = |all: &BTreeMap<String, String>, rule: &String| all.get(rule).unwrap_or(&none).clone();
    let differs: Vec<(String, String, String)> = rules
        .into_iter()
        .map(|rule| (rule.clone(), of(&older, rule), of(&newer, rule)))
        .filter(|(_, older, newer)| older != newer)
        .collect();
    let said: Vec<String> = differs
        .iter()
        .map(|(rule, older, newer)| format!("(\"{rule}\", \"{older}\", \"{newer}\"),"))
        .collect();
    let expected: Vec<String> = DIFFERS
        .iter()
        .map(|(rule, older, newer)| format!("(\"{rule}\", \"{older}\", \"{newer}\"),"))
        .collect();
    assert_eq!(said, expected, "{}", said.join("\n"));
}
