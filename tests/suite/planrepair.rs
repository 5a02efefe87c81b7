//! `dpmguard plan repair`: the worked example with its numbers, plans as people write them, and what holds for every repair.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::plan::{FACTS, PLAN, fits};
use crate::planreport::steady;
use crate::support::{Ran, root, run, snapshot_beside};

/// The plans that people would write: their folders, the exit code of the repair, and how sure it is.
const WRITTEN: &[(&str, u8, &[&str])] = &[
    ("cancelled-job", 0, &["optimal"]),
    ("check-first", 0, &["optimal"]),
    ("disk-full", 3, &["not_found"]),
    ("dpm-service-pack", 1, &["infeasible_proven"]),
    ("eseutil-behind", 0, &["best_found", "optimal"]),
    ("failover", 0, &["best_found", "optimal"]),
    ("forty-groups", 0, &["best_found"]),
    ("move-paths", 0, &["best_found", "optimal"]),
    ("new-database-late", 0, &["optimal"]),
    ("new-group", 0, &["best_found", "optimal"]),
    ("power-work", 0, &["best_found", "optimal"]),
];

/// Those that are repaired twice over in every run of the tests; `DPMGUARD_EACH=1` takes all.
const QUICK: &[&str] = &["cancelled-job", "check-first", "eseutil-behind", "new-database-late"];

/// Those whose repair takes long; `DPMGUARD_EACH=1` takes them, too.
const LONG: &[&str] = &["disk-full", "forty-groups", "move-paths"];

fn repaired(plan: &Path, facts: &Path, options: &[&str]) -> Ran {
    let (plan, facts) = (plan.display().to_string(), facts.display().to_string());
    let mut args = vec!["plan", "repair", &plan, "--facts", &facts, "--now", "observed"];
    args.extend(options);
    run(&args)
}

fn json(plan: &Path, facts: &Path, options: &[&str]) -> Value {
    let options: Vec<&str> = options.iter().copied().chain(["--format", "json"]).collect();
    let ran = repaired(plan, facts, &options);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    assert_eq!(report["exit_code"], ran.code);
    fits("plan-repair-v1", &ran.out);
    report
}

fn folder(name: &str) -> (PathBuf, PathBuf) {
    let folder = root().join("examples/repair").join(name);
    (folder.join("plan.yaml"), folder.join("facts.yaml"))
}

/// The worked example: its window ends so many minutes after it opens.
fn worked(minutes: i64, slots: i64, options: &[&str]) -> Value {
    let text = fs::read_to_string(root().join(PLAN)).unwrap();
    let end = format!("2008-11-16T{:02}:{:02}[Europe/Berlin]", (minutes - 120) / 60, minutes % 60);
    let changed = text.replace("2008-11-16T04:30[Europe/Berlin]", &end).replace(
        "parallel_checks: { DPM01: 1 }",
        &format!("parallel_checks: {{ DPM01: {slots} }}"),
    );
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    fs::write(&plan, changed).unwrap();
    let all = ["--durations", "usual", "--tolerance", "0%"];
    let options: Vec<&str> = all.iter().chain(options).copied().collect();
    json(&plan, &root().join(FACTS), &options)
}

#[test]
fn the_worked_example_has_the_numbers_that_were_worked_out_before() {
    let minutes = |report: &Value| report["repaired"]["exposure_seconds"].as_i64().unwrap() / 60;
    let found = worked(390, 1, &[]);
    assert_eq!((&found["status"], &found["proof"]["kind"]), (&"optimal".into(), &"search".into()));
    assert_eq!(minutes(&found), 726, "12 h 6 min");
    assert_eq!(found["repaired"]["good"], 3);
    assert_eq!(found["repaired"]["end_seconds"], 384 * 60, "04:24");
    assert_eq!(found["written"]["exposure_seconds"], 66_000, "18 h 20 min");
    let order: Vec<&str> = found["repaired"]["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["step"].as_str().unwrap())
        .collect();
    assert_eq!(order, ["s2", "s5", "s4", "f1", "f2", "c1", "s1", "s3", "c2", "s6"]);
    let ops = |op: &str| {
        let edits = found["repaired"]["edits"].as_array().unwrap();
        edits.iter().filter(|edit| edit["op"] == op).count()
    };
    assert_eq!((ops("insert"), ops("move"), ops("delete")), (4, 3, 0));
    assert_eq!(found["proof"]["exposure"]["total_seconds"], 639 * 60, "10 h 39 min");
    let sum = found["proof"]["exposure"]["summands"].as_array().unwrap();
    assert_eq!(sum.iter().map(|one| one["seconds"].as_i64().unwrap()).sum::<i64>(), 639 * 60);
    let what_if = |change: &str| {
        let all = found["sensitivity"].as_array().unwrap();
        let one = all.iter().find(|one| one["change"] == change).unwrap();
        (one["exposure_seconds"].as_i64().unwrap() / 60, one["end_seconds"].as_i64().unwrap() / 60)
    };
    assert_eq!(what_if("window").0, 682, "11 h 22 min");
    assert_eq!(what_if("slots"), (524, 240), "8 h 44 min, done at 02:00");
    let own = found["alternatives"][0]["said"].as_str().unwrap();
    assert!(own.contains("05:09 (39 min more)"), "{own}");
    assert_eq!(minutes(&worked(405, 1, &[])), 682);
    assert_eq!(minutes(&worked(390, 2, &[])), 524);
    // A minute decides.
    let fits = worked(369, 1, &[]);
    assert_eq!((&fits["status"], &fits["repaired"]["good"]), (&"optimal".into(), &3.into()));
    let none = worked(368, 1, &[]);
    assert_eq!((&none["status"], &none["exit_code"]), (&"infeasible_proven".into(), &1.into()));
    let relaxations = none["core"]["relaxations"].as_array().unwrap();
    let relaxations: Vec<&str> = relaxations.iter().map(|one| one.as_str().unwrap()).collect();
    assert!(relaxations.iter().any(|one| one.contains("04:09 (1 min more)")), "{relaxations:?}");
    assert!(relaxations.contains(&"2 checks at a time on DPM01"), "{relaxations:?}");
    assert!(relaxations.contains(&"s4 (upgrade-dpm) in another window"), "{relaxations:?}");
}

/// Each plan is as it stands in its folder, with the report that it gets.
#[test]
fn plans_that_people_write_are_repaired() {
    let all = fs::read_dir(root().join("examples/repair")).unwrap();
    let mut names: Vec<String> =
        all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let known: Vec<&str> = WRITTEN.iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, known);
    let all = std::env::var_os("DPMGUARD_EACH").is_some();
    for (name, code, status) in WRITTEN.iter().filter(|(name, ..)| all || !LONG.contains(name)) {
        let (plan, facts) = folder(name);
        let options = ["--budget", if *name == "forty-groups" { "20000" } else { "200000" }];
        let options = options.as_slice();
        let ran = repaired(&plan, &facts, options);
        assert_eq!(ran.code, *code, "{name}: {}{}", ran.out, ran.err);
        snapshot_beside(&plan.with_file_name("repair.txt"), &steady(&ran.out));
        if *name == "forty-groups" {
            continue;
        }
        let found = json(&plan, &facts, options);
        let is = found["status"].as_str().unwrap();
        assert!(status.contains(&is), "{name}: {is}");
        assert_eq!(found["disagreements"].as_array().unwrap().len(), 0, "{name}: {found}");
        let text = fs::read_to_string(&plan).unwrap().replace("\n# ", " ");
        let command = format!("dpmguard plan repair examples/repair/{name}/plan.yaml --facts");
        assert!(text.contains(&command), "{name}: `{command}` at its head");
    }
}

/// What a repair promises: `plan check` says the same of the file, and there is nothing left to repair in it.
#[test]
fn a_repaired_plan_passes_and_stays_as_it_is() {
    let all = std::env::var_os("DPMGUARD_EACH").is_some();
    let is_tried = |(name, code, _): &&(&str, u8, &[&str])| {
        *code == 0 && *name != "forty-groups" && (all || QUICK.contains(name))
    };
    for (name, code, _) in WRITTEN.iter().filter(is_tried) {
        let (plan, facts) = folder(name);
        let target = tempfile::tempdir().unwrap();
        let out = target.path().join("repaired.yaml");
        let path = out.display().to_string();
        let found = json(&plan, &facts, &["--out", &path, "--budget", "200000"]);
        let facts_path = facts.display().to_string();
        let ran = run(&[
            "plan",
            "check",
            &path,
            "--facts",
            &facts_path,
            "--now",
            "observed",
            "--format",
            "json",
        ]);
        assert_eq!(ran.code, *code, "{name}: {}", ran.err);
        let checked: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(
            checked["totals"]["exposure_seconds"], found["repaired"]["exposure_seconds"],
            "{name}"
        );
        assert_eq!(found["repaired"]["text"], fs::read_to_string(&out).unwrap());
        let again = json(&out, &facts, &["--budget", "200000"]);
        assert_eq!(again["status"], "unchanged", "{name}: {}", again["repaired"]["diff"]);
    }
}

#[test]
fn what_must_not_be_changed_is_not() {
    let (plan, facts) = (root().join(PLAN), root().join(FACTS));
    let usual = ["--durations", "usual"];
    let with = |more: &[&str]| {
        let options: Vec<&str> = usual.iter().chain(more).copied().collect();
        json(&plan, &facts, &options)
    };
    // The user's own order needs a longer window, and without fixes no check succeeds.
    assert_eq!(with(&["--allow", "insert,delete-checks"])["status"], "infeasible_proven");
    let none = with(&["--allow", "reorder"]);
    assert!(none["repaired"].is_null(), "{}", none["status"]);
    // Kept steps stay in their order.
    let kept = with(&["--keep", "s1,s4"]);
    let rows = kept["repaired"]["steps"].as_array().unwrap();
    let place = |id: &str| rows.iter().position(|row| row["step"] == id).unwrap();
    assert!(place("s1") < place("s4"));
}

#[test]
fn a_repair_is_written_only_where_it_is_asked_for() {
    let target = tempfile::tempdir().unwrap();
    let plan = target.path().join("plan.yaml");
    let (original, facts) = folder("cancelled-job");
    let text = fs::read_to_string(&original).unwrap();
    fs::write(&plan, &text).unwrap();
    let shown = repaired(&plan, &facts, &["--diff"]);
    assert_eq!(fs::read_to_string(&plan).unwrap(), text);
    assert!(shown.out.contains("\n+  - ") && shown.out.starts_with("--- "), "{}", shown.out);
    let yaml = repaired(&plan, &facts, &["--format", "yaml"]);
    let ran = repaired(&plan, &facts, &["--in-place"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(fs::read_to_string(&plan).unwrap(), yaml.out);
    // Nothing but the new and the moved steps differs.
    let kept = text.lines().filter(|line| yaml.out.lines().any(|new| new == *line)).count();
    assert_eq!(kept, text.lines().count());
    // There is nothing to write for a plan that is right, and nothing is lost.
    let again = repaired(&plan, &facts, &["--in-place"]);
    assert_eq!((again.code, fs::read_to_string(&plan).unwrap() == yaml.out), (0, true));
}

/// Each plan of the examples is written and read again, whatever comes of it; what begins behind a check stays behind it.
#[test]
fn the_plans_of_the_other_examples_are_repaired_too() {
    for (name, status) in [
        ("well-planned", "best_found"),
        ("move-logs", "optimal"),
        ("patch-exchange", "optimal"),
        ("dpm-sp1", "optimal"),
    ] {
        let folder = root().join("examples").join(name);
        let (plan, facts) = (folder.join("plan.yaml"), folder.join("facts.yaml"));
        let found = json(&plan, &facts, &["--budget", "200000"]);
        assert_eq!((&found["status"], &found["exit_code"]), (&status.into(), &0.into()), "{name}");
        assert!(found["stuck"].as_array().unwrap().is_empty(), "{name}: {}", found["stuck"]);
        assert!(found["disagreements"].as_array().unwrap().is_empty(), "{name}");
    }
}

#[test]
fn wrong_options_are_told() {
    let (plan, facts) = folder("cancelled-job");
    let ran = repaired(&plan, &facts, &["--keep", "egb-1"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("there is no step `egb-1`") && ran.err.contains("did you mean `edb-1`"),
        "{}",
        ran.err
    );
    let ran = run(&["plan", "repair", "-", "--facts", &facts.display().to_string(), "--in-place"]);
    assert_eq!((ran.code, ran.err.contains("`--in-place` needs a file")), (2, true), "{}", ran.err);
    for wrong in [["--tolerance", "5x"], ["--tolerance", "-1%"], ["--allow", "inserts"]] {
        assert_eq!(repaired(&plan, &facts, &wrong).code, 2, "{wrong:?}");
    }
}

#[test]
fn every_format_says_the_same() {
    let (plan, facts) = folder("new-database-late");
    let found = json(&plan, &facts, &[]);
    let steps = found["repaired"]["steps"].as_array().unwrap();
    for format in ["human", "markdown", "html"] {
        let ran = repaired(&plan, &facts, &["--format", format]);
        assert_eq!(ran.code, 0);
        for row in steps {
            assert!(ran.out.contains(row["step"].as_str().unwrap()), "{format}: {row}");
        }
        assert!(ran.out.contains("3 h 41 min"), "{format}: {}", ran.out);
        assert!(ran.out.contains("REPAIRED"), "{format}");
    }
    let html = repaired(&plan, &facts, &["--format", "html"]).out;
    assert_eq!(html.matches("<svg").count(), 2, "before and after");
    assert_eq!(html.matches("id=\"hatch\"").count(), 1);
    let cut = repaired(&plan, &facts, &["--format", "markdown", "--max-chars", "3000"]).out;
    assert!(cut.starts_with("**REPAIRED**"), "{cut}");
}

/// The page shows what the command above it prints.
#[test]
fn the_page_shows_the_worked_example() {
    const BEGIN: &str = "<!-- worked: begin -->\n";
    const END: &str = "<!-- worked: end -->";
    let ran = repaired(&root().join(PLAN), &root().join(FACTS), &["--durations", "usual"]);
    let shown = format!("```text\n{}```\n", steady(&ran.out));
    let path = root().join("docs/repair.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = [before, BEGIN, &shown, END, after].concat();
    if std::env::var_os("DPMGUARD_UPDATE").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), wanted, "DPMGUARD_UPDATE=1 writes it");
}
