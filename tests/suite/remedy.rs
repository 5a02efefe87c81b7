//! From findings to a plan.

use std::path::PathBuf;

use dpmguard::source::{self, Sources};

use crate::support::{files, root, run, snapshot_beside};

/// The facts of an example.
fn example(name: &str) -> String {
    root().join("examples").join(name).display().to_string()
}

#[test]
fn plans_of_the_examples_are_as_announced() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["contoso", "fabrikam", "change/facts.yaml"] {
        let facts = example(name);
        let args = ["remediate", "--facts", &facts, "--now", "observed"];
        let ran = run(&args);
        let short = name.split('/').next().unwrap();
        let text = format!("exit code {}\n{}\n{}", ran.code, ran.err, ran.out);
        snapshot_beside(&root().join(format!("tests/remedy/{short}.txt")), &text);
        let out = folder.path().join(format!("{short}.yaml")).display().to_string();
        let written = run(&[&args[..], &["--out", &out]].concat());
        assert_eq!((written.code, &written.err), (ran.code, &ran.err), "{name}");
        assert!(written.out.is_empty(), "{}", written.out);
        if ran.out.is_empty() {
            assert!(!PathBuf::from(&out).exists());
            continue;
        }
        assert_eq!(std::fs::read_to_string(&out).unwrap(), ran.out);
        let checked = run(&["plan", "check", &out, "--facts", &facts, "--now", "observed"]);
        let verdict = ["PASS", "FAIL", "", "NO VERDICT"][usize::from(checked.code)];
        let said = format!("`plan check`: {verdict}\n");
        assert!(ran.err.contains(&said), "{name}: {}{}", ran.err, checked.out);
        let is_whole = !ran.err.contains(" cleared: ") && !ran.err.contains("facts are missing");
        assert_eq!(ran.code == 0, checked.code == 0 && is_whole, "{name}: {}", ran.err);
    }
}

/// The same facts in other files, in another order, give the same plan.
#[test]
fn the_order_of_facts_is_no_matter() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["contoso", "fabrikam"] {
        let mut turned = Vec::new();
        for path in files(&root().join("examples").join(name), "yaml") {
            let mut sources = Sources::default();
            let file = sources.add("facts.yaml", &std::fs::read(&path).unwrap()).unwrap();
            let mut document = source::read(&sources, file).unwrap().to_json();
            for (_, value) in document.as_object_mut().unwrap() {
                if let Some(list) = value.as_array_mut() {
                    list.reverse();
                }
            }
            let copy = folder.path().join(path.file_name().unwrap()).with_extension("json");
            std::fs::write(&copy, document.to_string()).unwrap();
            turned.insert(0, copy.display().to_string());
        }
        let facts = example(name);
        let args = ["remediate", "--now", "observed", "--facts"];
        let one = run(&[&args[..], &[&facts]].concat());
        let turned: Vec<&str> = turned.iter().map(String::as_str).collect();
        let other = run(&[&args[..], &turned].concat());
        assert_eq!((one.code, one.err, one.out), (other.code, other.err, other.out), "{name}");
        for path in &turned {
            std::fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_plan_can_be_of_some_findings_only_and_at_another_time() {
    let facts = example("contoso");
    let with = |more: &[&str]| {
        run(&[&["remediate", "--facts", &facts, "--now", "observed"], more].concat())
    };
    let one = with(&["--only", "dpm-database-not-backed-up"]);
    assert_eq!(one.code, 0, "{}", one.err);
    assert_eq!(one.out.matches("- id:").count(), 1, "{}", one.out);
    assert!(one.out.contains("title: Repair of 1 finding\n"), "{}", one.out);
    let report = run(&["check", &facts, "--now", "observed", "--format", "json"]).out;
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let finding = report["findings"].as_array().unwrap().iter();
    let finding = finding.filter(|one| one["rule"] == "dpm-database-not-backed-up");
    let print = finding.map(|one| one["fingerprint"].as_str().unwrap()).next().unwrap();
    assert_eq!(with(&["--only", print]).out, one.out);
    let later = with(&[
        "--only",
        "dpm-database-not-backed-up",
        "--start",
        "2009-09-19T22:00[Europe/Berlin]",
        "--window",
        "90m",
    ]);
    assert!(later.out.contains("start: \"2009-09-19T22:00[Europe/Berlin]\""), "{}", later.out);
    assert!(later.out.contains("end: \"2009-09-19T23:30[Europe/Berlin]\""), "{}", later.out);
}

#[test]
fn wrong_options_of_remediate_write_nothing() {
    let facts = example("contoso");
    for (more, says) in [
        (vec!["--only", "log-folder-moves"], "did you mean `log-folder-moved`"),
        (vec!["--start", "22:00"], "`--start`: `22:00` is not a date and time"),
        (vec!["--end", "2009-10-25T02:30[Europe/Berlin]"], "comes twice"),
        (vec!["--end", "2009-01-01T00:00[UTC]"], "ends before it begins"),
        (vec!["--end", "2009-01-01T00:00[UTC]", "--window", "8h"], "cannot be used with"),
    ] {
        let args = [&["remediate", "--facts", &facts, "--now", "observed"], &more[..]].concat();
        let ran = run(&args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{more:?}: {}", ran.err);
        assert!(ran.err.contains(says), "{more:?}: {}", ran.err);
    }
}

#[test]
fn nothing_to_repair_is_told_and_facts_that_are_missing_are_too() {
    let healthy = example("healthy/facts.yaml");
    let ran = run(&["remediate", "--facts", &healthy, "--now", "observed"]);
    let said = "no plan: nothing is to be repaired\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", said));
    let half = example("contoso/dpm01.yaml");
    let only = ["--only", "database-file-moved"];
    let ran = run(&[&["remediate", "--facts", &half, "--now", "observed"], &only[..]].concat());
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{}", ran.err);
    assert!(ran.err.contains("facts are missing"), "{}", ran.err);
}
