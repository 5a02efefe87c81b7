//! `dpmguard plan check`: what a plan does, step by step.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use dpmguard::load;
use dpmguard::source::{self, Sources};
use serde_json::Value;

use crate::support::{Ran, root, run, said, snapshot_beside};

pub(crate) const PLAN: &str = "examples/change/plan.yaml";
pub(crate) const FACTS: &str = "examples/change/facts.yaml";

/// On the facts beside the plan, or on those of the example.
pub(crate) fn check(plan: &str, options: &[&str]) -> Ran {
    let beside = Path::new(plan).with_file_name("facts.yaml");
    let facts = if beside.exists() { beside } else { root().join(FACTS) }.display().to_string();
    let mut args = vec!["plan", "check", plan, "--facts", &facts, "--now", "observed"];
    args.extend(options);
    run(&args)
}

/// The plan of the example with other steps.
pub(crate) fn with_steps(steps: &str) -> tempfile::TempDir {
    let text = fs::read_to_string(root().join(PLAN)).unwrap();
    let (head, _) = text.split_once("steps:\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plan.yaml"), format!("{head}steps:{steps}")).unwrap();
    folder
}

pub(crate) fn json(plan: &str) -> Value {
    let ran = check(plan, &["--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    assert_eq!(report["exit_code"], ran.code);
    fits("plan-report-v1", &ran.out);
    report
}

/// A document is as its schema says.
pub(crate) fn fits(schema: &str, text: &str) {
    let schema = load::schema(schema).unwrap();
    let mut sources = Sources::default();
    let file = sources.add("report.json", text.as_bytes()).unwrap();
    let found = schema.check(&source::read(&sources, file).unwrap());
    assert!(found.is_empty(), "{}", said(&found, &sources));
}

pub(crate) fn judged(steps: &str) -> Value {
    let folder = with_steps(steps);
    json(&folder.path().join("plan.yaml").display().to_string())
}

pub(crate) fn hazards(report: &Value) -> Vec<&str> {
    report["hazards"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect()
}

#[test]
fn the_example_has_the_numbers_that_were_worked_out_by_hand() {
    let ran = check(&root().join(PLAN).display().to_string(), &[]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let place = format!("{}/", root().display());
    snapshot_beside(&root().join("examples/change/report.txt"), &ran.out.replace(&place, ""));
    let report = json(&root().join(PLAN).display().to_string());
    assert_eq!(report["totals"]["bad"], 3);
    assert_eq!(report["totals"]["exposure_seconds"], 66_000, "18 h 20 min");
    let exposures: Vec<i64> = report["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["exposure_seconds"].as_i64().unwrap() / 60)
        .collect();
    assert_eq!(exposures, [390, 380, 330], "6 h 30 min, 6 h 20 min, 5 h 30 min");
    assert_eq!(report["totals"]["end_seconds"], 5_700, "23:35");
}

/// The example changes, with the exit codes of the plan as somebody would write it and of the mended one.
const EXAMPLES: &[(&str, u8, Option<u8>)] = &[
    ("dpm-sp1", 0, None),
    ("move-ccr", 1, Some(0)),
    ("move-database", 1, Some(0)),
    ("move-logs", 1, Some(0)),
    ("new-database", 1, Some(0)),
    ("patch-exchange", 1, Some(0)),
    ("well-planned", 0, None),
];

/// Each says how it is run; its reports are snapshots beside it.
#[test]
fn the_examples_of_changes_are_judged_as_they_say() {
    for (name, written, mended) in EXAMPLES {
        let folder = root().join("examples").join(name);
        assert_eq!(folder.join("plan-fixed.yaml").exists(), mended.is_some(), "{name}");
        let plans = [("plan.yaml", "report.txt", Some(written))];
        let plans =
            plans.into_iter().chain([("plan-fixed.yaml", "report-fixed.txt", mended.as_ref())]);
        for (file, report, code) in plans {
            let Some(code) = code else { continue };
            let (plan, facts) = (folder.join(file), folder.join("facts.yaml"));
            let text = fs::read_to_string(&plan).unwrap().replace("\n# ", " ");
            let command = format!(
                "dpmguard plan check examples/{name}/{file} --facts examples/{name}/facts.yaml --now observed"
            );
            assert!(text.contains(&command), "{}: `{command}` at its head", plan.display());
            let (plan, facts) = (plan.display().to_string(), facts.display().to_string());
            let ran = run(&["plan", "check", &plan, "--facts", &facts, "--now", "observed"]);
            let said = ran.out.replace(&format!("{}/", root().display()), "");
            assert_eq!(ran.code, *code, "{plan}: {said}{}", ran.err);
            snapshot_beside(&folder.join(report), &said);
        }
    }
}

/// Whoever adds an example adds it to the list.
#[test]
fn every_example_of_a_change_is_judged() {
    let mut found: Vec<String> = fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.join("plan.yaml").exists())
        .map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    let mut known: Vec<&str> =
        EXAMPLES.iter().map(|(name, _, _)| *name).chain(["change"]).collect();
    known.sort_unstable();
    assert_eq!(found, known);
}

#[test]
fn a_plan_without_steps_adds_nothing() {
    let report = judged(" []\n");
    assert_eq!(report["verdict"], "passed");
    assert_eq!(report["hazards"], serde_json::json!([]));
    assert_eq!(report["totals"]["exposure_seconds"], 0);
}

#[test]
fn a_move_and_its_check_pass() {
    let report = judged(
        "
  - { id: move, action: move-log-folder, with: { object: EX01/SG2, to: 'K:\\SG2' }, estimate: 10m }
  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 }, estimate: 36m }
",
    );
    assert_eq!(report["verdict"], "passed", "{:#}", report["hazards"]);
    assert_eq!(report["totals"]["good"], 3);
    assert_eq!(report["totals"]["exposure_seconds"], 46 * 60);
    let group = &report["objects"][1];
    assert_eq!(group["key"], "DPM01/EX01/SG2");
    let phases: Vec<(&str, i64)> = group["intervals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["phase"].as_str().unwrap(), one["from"].as_i64().unwrap() / 60))
        .collect();
    assert_eq!(phases.last(), Some(&("good", 46)), "{phases:?}");
    assert!(phases.contains(&("busy", 10)), "{phases:?}");
    // The newest recovery point is of 20:00; 22:46 is the end of the time without protection.
    assert_eq!(group["oldest_point_seconds"], (2 * 60 + 46) * 60);
}

#[test]
fn a_step_that_is_done_already_changes_nothing() {
    let report = judged(
        "
  - { id: again, action: move-log-folder, with: { object: EX01/SG2, to: 'l:\\sg2' } }
",
    );
    assert_eq!(hazards(&report), ["plan-no-op"]);
    assert_eq!(report["verdict"], "passed");
    assert_eq!(report["steps"][0]["status"], "nothing_to_do");
    assert_eq!(report["totals"]["exposure_seconds"], 0);
}

#[test]
fn a_check_of_what_is_well_is_needless_and_costs_protection() {
    let report = judged(
        "
  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 }, estimate: 36m }
",
    );
    assert_eq!(hazards(&report), ["plan-check-needless"]);
    assert_eq!(report["totals"]["exposure_seconds"], 36 * 60);
}

#[test]
fn a_move_during_a_check_makes_it_worthless() {
    let report = judged(
        "
  - { id: first, action: move-log-folder, with: { object: EX01/SG1, to: 'K:\\SG1' }, estimate: 10m }
  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG1 }, estimate: 108m }
  - { id: second, action: move-database-file, with: { database: EX01/SG1/DB1, to: 'M:\\SG1\\DB1.edb' }, estimate: 40m }
",
    );
    assert!(hazards(&report).contains(&"plan-check-interrupted"), "{:#}", report["hazards"]);
    assert_eq!(report["verdict"], "failed");
    let states = report["objects"][0]["intervals"].as_array().unwrap();
    let at = (10 + 108) * 60;
    let mut then = states.iter().filter(|one| one["from"].as_i64() <= Some(at));
    assert_eq!(then.next_back().unwrap()["phase"], "bad", "{states:#?}");
    // At 02:00 the daily check takes it up; counted with its longest time it does not end.
    assert_eq!(report["objects"][0]["ends"], "busy");
}

/// The writer is there again when the check ends, and nothing has become inconsistent; yet the check has met its absence.
#[test]
fn a_check_that_meets_what_passes_is_worthless_too() {
    let report = judged(
        r#"
  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG1 }, estimate: 60m }
  - { id: without, action: set-registry-value, with: { server: EX01, key: 'HKLM\Disable Exchange Writer', value: "1" }, estimate: 5m }
  - { id: again, action: set-registry-value, with: { server: EX01, key: 'HKLM\Disable Exchange Writer', value: "0" }, estimate: 5m }
"#,
    );
    assert!(hazards(&report).contains(&"plan-check-interrupted"), "{:#}", report["hazards"]);
    let states = report["objects"][0]["intervals"].as_array().unwrap();
    let after = states.iter().find(|one| one["from"] == 3_600).unwrap();
    assert_eq!((after["phase"].as_str(), &after["open"]), (Some("bad"), &serde_json::json!([])));
    // The others were without backups for as long, and no longer.
    assert_eq!(report["objects"][1]["exposure_seconds"], 300);
}

#[test]
fn too_long_a_step_leaves_the_window() {
    let report = judged(
        "
  - { id: move, action: move-log-folder, with: { object: EX01/SG2, to: 'K:\\SG2' }, estimate: 6h }
  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 }, estimate: 36m }
",
    );
    assert!(hazards(&report).contains(&"plan-window"), "{:#}", report["hazards"]);
    assert_eq!(report["verdict"], "failed");
}

#[test]
fn what_cannot_begin_is_refused_and_does_nothing() {
    let report = judged(
        "
  - { id: move, action: move-log-folder, with: { object: EX01/SG2, to: 'Q:\\SG2' } }
",
    );
    assert_eq!(hazards(&report), ["plan-precondition"]);
    assert_eq!(report["totals"]["exposure_seconds"], 0);
}

#[test]
fn every_hazard_is_explained() {
    let listed = run(&["plan", "hazards"]);
    assert_eq!(listed.code, 0);
    for kind in dpmguard::plan::hazard::KINDS {
        assert!(listed.out.contains(kind.id), "{}", kind.id);
        let page = run(&["plan", "hazards", kind.id]).out;
        let said = page.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in [kind.title, kind.explanation, kind.found] {
            assert!(said.contains(part), "{page}");
        }
        assert_eq!(page.contains("accept:"), kind.is_acceptable(), "{page}");
    }
    let ran = run(&["plan", "hazards", "plan-windw"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `plan-window`?"), "{}", ran.err);
}

#[test]
fn the_page_lists_every_hazard() {
    let mut table = String::from("| Hazard | Severity | What is wrong |\n|---|---|---|\n");
    for kind in dpmguard::plan::hazard::KINDS {
        let unknown = if kind.is_unknown { "no verdict" } else { kind.severity.name() };
        let _ = writeln!(table, "| `{}` | {unknown} | {} |", kind.id, kind.title);
    }
    let page = root().join("docs/plans.md");
    let text = fs::read_to_string(&page).unwrap();
    let (head, rest) = text.split_once("<!-- hazards: begin -->\n").unwrap();
    let (_, tail) = rest.split_once("<!-- hazards: end -->").unwrap();
    let wanted = format!("{head}<!-- hazards: begin -->\n{table}<!-- hazards: end -->{tail}");
    if std::env::var_os("DPMGUARD_UPDATE").is_some() {
        fs::write(&page, &wanted).unwrap();
    }
    assert_eq!(fs::read_to_string(&page).unwrap(), wanted, "DPMGUARD_UPDATE=1 writes it");
}

#[test]
fn nobody_takes_responsibility_for_what_nobody_knows() {
    let folder = with_steps(
        "
  - id: move
    action: move-log-folder
    with: { object: EX01/SG2, to: 'K:\\SG2' }
    accept: [{ hazard: plan-unknown, reason: It will be fine, by: somebody, until: 2009-01-01 }]
",
    );
    let ran = check(&folder.path().join("plan.yaml").display().to_string(), &[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("plan-unknown"), "{}", ran.err);
}

/// What a step makes, the steps behind it can name; the ones before it cannot.
#[test]
fn a_step_can_be_about_what_an_earlier_one_makes() {
    let group = r"  - { id: group, action: create-storage-group, with: { server: EX01, name: SG9, log_path: 'L:\SG9', system_path: 'L:\SG9' } }";
    let database = r"  - { id: database, action: create-database, with: { server: EX01, storage_group: EX01/SG9, name: DB9, edb_path: 'F:\SG9\DB9.edb', log_path: 'L:\SG9' } }";
    let mount = "  - { id: mount, action: mount-database, with: { database: EX01/SG9/DB9 } }";
    let report = judged(&format!("\n{group}\n{database}\n{mount}\n"));
    let status = |report: &Value| -> Vec<String> {
        let steps = report["steps"].as_array().unwrap();
        steps.iter().map(|step| step["status"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(status(&report), ["done", "done", "nothing_to_do"], "{report:#}");
    let folder = with_steps(&format!("\n{database}\n{group}\n"));
    let plan = folder.path().join("plan.yaml").display().to_string();
    let ran = check(&plan, &[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("error[unknown-object]: there is no storage_group `EX01/SG9`"));
    let folder = with_steps(&format!("\n{group}\n{}\n", database.replace("/SG9,", "/SG8,")));
    let plan = folder.path().join("plan.yaml").display().to_string();
    let ran = check(&plan, &[]);
    assert!(ran.err.contains("did you mean"), "{}", ran.err);
    // In whatever order they run: what is not there yet is refused, not guessed.
    let text = fs::read_to_string(folder.path().join("plan.yaml")).unwrap();
    let text = text.replace("steps:", "order: partial\nsteps:").replace("EX01/SG8", "EX01/SG9");
    fs::write(&plan, text.replace("operators: 1", "operators: 2")).unwrap();
    let report = json(&plan);
    assert_eq!(status(&report), ["done", "refused"], "{report:#}");
    assert!(
        report["steps"][1]["reasons"][0].as_str().unwrap().contains("There is no `EX01/SG9` then")
    );
}

/// In a plan without an order, or side by side, what decides about one thing has to be put in order.
#[test]
fn steps_that_race_are_told() {
    let steps = r"
  - parallel:
      - { id: move, action: move-log-folder, with: { object: EX01/SG2, to: 'K:\SG2' }, estimate: 10m }
      - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 }, estimate: 36m }
  - parallel:
      - { id: one, action: move-system-folder, with: { storage_group: EX01/SG1, to: 'K:\SG1' }, estimate: 5m }
      - { id: other, action: move-system-folder, with: { storage_group: EX01/SG1, to: 'M:\SG1' }, estimate: 5m }
      - { id: third, action: move-system-folder, with: { storage_group: EX01/SG3, to: 'M:\SG3' }, estimate: 5m }
";
    let races = |steps: &str| -> Vec<String> {
        let report = judged(steps);
        let all = report["hazards"].as_array().unwrap().iter();
        let races = all.filter(|one| one["id"] == "plan-race");
        races.map(|one| one["message"].as_str().unwrap().to_owned()).collect()
    };
    let told = races(steps);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("whether move (move-log-folder) or check (run-consistency-check)"));
    assert!(told[0].ends_with("comes first, and both decide about DPM01/EX01/SG2"));
    assert!(told[1].contains("system_path of EX01/SG1"), "{}", told[1]);
    let ordered = steps.replace("estimate: 36m", "estimate: 36m, after: [move]");
    assert_eq!(races(&ordered).len(), 1);
    // One after the other they do not race.
    let (pairs, _) = steps.split_once("  - parallel:\n      - { id: one").unwrap();
    let lone = pairs.replace("  - parallel:\n", "").replace("      - ", "  - ");
    assert_eq!(races(&lone), Vec::<String>::new());
}

/// A cause that nobody can decide may come up with a step: what is not known is never read as safe.
#[test]
fn a_rule_that_cannot_be_decided_lets_no_plan_pass() {
    let step = "
  - { id: move, action: move-log-folder, with: { object: EX01/SG1, to: 'K:\\SG1' }, estimate: 10m }
";
    let facts = fs::read_to_string(root().join(FACTS)).unwrap();
    let facts = facts.replace("{ enabled: true, start", "{ enabled: false, start");
    let code = |without: &str| {
        let folder = with_steps(step);
        let (before, behind) = facts.split_once(without).unwrap_or_else(|| panic!("no {without}"));
        fs::write(folder.path().join("facts.yaml"), format!("{before}{behind}")).unwrap();
        let ran = check(&folder.path().join("plan.yaml").display().to_string(), &[]);
        (ran.code, ran.out)
    };
    assert_eq!(code("").0, 1, "the move is not cured");
    let first = |key: &str| {
        let source = facts.split_once("data_sources:").unwrap().1;
        let line = source.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
        format!("{line}\n")
    };
    for key in ["protection:", "kind:", "replica:"] {
        let (code, out) = code(&first(key));
        assert_eq!(code, 3, "without {key}\n{out}");
        assert!(out.contains("no verdict[plan-unknown]: "), "{out}");
    }
}
