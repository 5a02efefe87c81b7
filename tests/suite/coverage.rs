//! `dpmguard test --coverage`: what of the rules no case reaches.

use std::fs;

use dpmguard::load;
use dpmguard::source::{self, Sources};
use serde_json::Value;

use crate::support::{Ran, root, run, said, snapshot_beside};

/// A rule with two cases that leave gaps.
const PACK: &str = "tests/packs/coverage";

fn covered(options: &[&str]) -> Ran {
    std::env::set_current_dir(root()).unwrap();
    run(&[&["test", PACK], options].concat())
}

fn json(options: &[&str]) -> Value {
    let ran = covered(&[&["--format", "coverage-json"], options].concat());
    assert!(ran.err.is_empty(), "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

fn follows_its_schema(name: &str, text: &str) {
    let mut sources = Sources::default();
    let file = sources.add("report.json", text.as_bytes()).unwrap();
    let report = source::read(&sources, file).unwrap();
    let found = load::schema(name).unwrap().check(&report);
    assert!(found.is_empty(), "{}", said(&found, &sources));
}

#[test]
fn the_report_for_people() {
    let ran = covered(&["--coverage", "--annotate", "server-behind"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    snapshot_beside(&root().join("tests/output/coverage.txt"), &ran.out);
}

#[test]
fn colours_change_no_letter() {
    let options = ["--coverage", "--annotate", "server-behind"];
    let plain = covered(&options).out;
    let coloured = covered(&[&options[..], &["--color", "always"]].concat()).out;
    assert!(coloured.contains('\u{1b}'));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
}

#[test]
fn the_reports_for_machines() {
    let ran = covered(&["--format", "coverage-json"]);
    follows_its_schema("coverage-v1", &ran.out);
    let lcov = covered(&["--format", "lcov"]);
    snapshot_beside(&root().join("tests/output/coverage-lcov.txt"), &lcov.out);
    let ran = covered(&["--format", "json", "--coverage-min", "100"]);
    follows_its_schema("test-v1", &ran.out);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["exit_code"], 1);
    assert_eq!(report["coverage"]["shortfalls"].as_array().unwrap().len(), 1);
    assert_eq!(report["coverage"]["outcomes"]["total"], 4);
}

/// Two readings of a rule, with and without the parameter of a case, are one rule.
#[test]
fn cases_with_other_parameters_count() {
    let times = |report: &Value, text: &str| -> Vec<u64> {
        let points = report["rules"][0]["points"].as_array().unwrap();
        let point = points.iter().find(|point| point["text"] == text).unwrap();
        point["states"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["times"].as_u64().unwrap())
            .collect()
    };
    let all = json(&[]);
    assert_eq!(times(&all, "upgraded == ()"), [1, 1, 0]);
    // Nothing asks for the setting where the server was upgraded.
    assert_eq!(times(&all, "!params.is_strict"), [0, 1, 0]);
    assert_eq!(all["rules"][0]["cases"], 2);
    let one = json(&["--filter", "waits"]);
    assert_eq!(one["rules"][0]["cases"], 1);
    assert_eq!(times(&one, "!params.is_strict"), [0, 0, 0]);
}

#[test]
fn what_cannot_be_reached_does_not_count() {
    let report = json(&[]);
    let points = report["rules"][0]["points"].as_array().unwrap();
    let reasons: Vec<String> = points
        .iter()
        .flat_map(|point| {
            let states = point["states"].as_array().unwrap().iter();
            states.filter_map(|state| {
                let why = state["impossible"].as_str()?;
                Some(format!("{}: {}: {why}", point["text"].as_str()?, state["name"].as_str()?))
            })
        })
        .collect();
    let expected = [
        "true: false: it is always true",
        "false: true: the `if` never comes to it",
        "false: false: the `if` never comes to it",
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn thresholds_decide_the_exit_code_in_every_format() {
    for format in ["human", "json", "junit", "tap", "coverage-json", "lcov"] {
        let code = |options: &[&str]| covered(&[&["--format", format], options].concat()).code;
        assert_eq!(code(&["--coverage"]), 0, "{format}");
        assert_eq!(code(&["--coverage-min", "0", "--outcomes-min", "3"]), 0, "{format}");
        assert_eq!(code(&["--coverage-min", "99"]), 1, "{format}");
        assert_eq!(code(&["--coverage-min-each", "99"]), 1, "{format}");
        assert_eq!(code(&["--outcomes-min", "4"]), 1, "{format}");
        assert_eq!(code(&["--filter", "no such case", "--coverage-min", "99"]), 3, "{format}");
    }
    let ran = covered(&["--outcomes-min", "4"]);
    assert!(
        ran.out.contains(
            "server-behind: 3 of its outcomes are reached, 4 are asked for; never satisfied"
        ),
        "{}",
        ran.out
    );
    let ran = covered(&["--coverage-min", "99", "--format", "tap"]);
    assert!(ran.out.contains("1..3") && ran.out.contains("not ok 3 - coverage:"), "{}", ran.out);
    let ran = covered(&["--coverage-min", "99", "--format", "junit"]);
    assert!(
        ran.out.contains("<testsuite name=\"coverage\" tests=\"1\" failures=\"1\""),
        "{}",
        ran.out
    );
}

#[test]
fn a_rule_that_is_not_there_cannot_be_listed() {
    let ran = covered(&["--annotate", "server-behnd"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `server-behind`?"), "{}", ran.err);
    assert_eq!(covered(&["--coverage-min", "101"]).code, 2);
}

#[test]
fn texts_of_a_pack_cannot_move_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let copy = |from: &str| {
        let text = fs::read_to_string(root().join(PACK).join(from)).unwrap();
        let to = folder.path().join(from);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(to, text.replace("\"OLD\"", "\"\u{202e}OLD\"")).unwrap();
    };
    for file in ["pack.yaml", "server-behind.yaml", "cases/server-behind/waits.yaml"] {
        copy(file);
    }
    let pack = folder.path().display().to_string();
    let ran = run(&["test", &pack, "--coverage", "--annotate", "server-behind"]);
    assert!(ran.out.contains("OLD"), "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains('\u{202e}'), "{}", ran.out);
}
