//! What a change manager gets to read of a plan: stop points, blast radius, what a verdict rests on, and
//! the formats of the report.

use std::collections::BTreeMap;
use std::fs;

use quick_xml::events::Event;
use serde_json::Value;

use crate::plan::{FACTS, PLAN, check, hazards, json, judged, with_steps};
use crate::support::{root, run, sarif_place, sarif_results, snapshot_beside};

/// Three moves that each leave something behind which a check cures.
const MOVES: &[&str] = &[
    "{ id: s1, action: move-log-folder, with: { object: EX01/SG1, to: 'K:\\SG1' }, estimate: 10m }",
    "{ id: s2, action: move-log-folder, with: { object: EX01/SG2, to: 'K:\\SG2' }, estimate: 10m }",
    "{ id: s3, action: move-database-file, with: { database: EX01/SG3/DB1, to: 'M:\\SG3\\DB1.edb' }, estimate: 40m }",
];

fn steps(lines: &[String]) -> String {
    format!("\n  - {}\n", lines.join("\n  - "))
}

fn keys(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect()
}

fn example(options: &[&str]) -> String {
    let ran = check(&root().join(PLAN).display().to_string(), options);
    assert_eq!(ran.code, 1, "{}", ran.err);
    steady(&ran.out)
}

/// A report without what differs between places and versions: folders, digests, our version.
pub(crate) fn steady(text: &str) -> String {
    let place = format!("{}/", root().display());
    let text = text.replace(&format!("file://{place}"), "").replace(&place, "");
    let text = text.replace(env!("CARGO_PKG_VERSION"), "@@VERSION@@");
    let mut said = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let (digits, end) = word.split_at(word.len().min(64));
        let is_digest = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        said.push_str(if is_digest { "@@DIGEST@@" } else { digits });
        said.push_str(end);
    }
    said
}

/// What is said of a plan that ends after a step comes true if it is carried out so, with the checks behind.
#[test]
fn a_stop_point_is_what_the_cut_plan_gives() {
    for slots in ["1", "2", "3"] {
        let plan = |lines: &[String]| {
            let folder = with_steps(&steps(lines));
            let path = folder.path().join("plan.yaml");
            let text = fs::read_to_string(&path).unwrap();
            let slots = format!("parallel_checks: {{ DPM01: {slots} }}");
            let until = "checks_until: \"2008-11-16T12:00[Europe/Berlin]\"\nresources:";
            let text = text.replace("parallel_checks: { DPM01: 1 }", &slots);
            // Nobody but the plan checks.
            let facts = fs::read_to_string(root().join(FACTS)).unwrap();
            let facts = facts.replace("{ enabled: true, start", "{ enabled: false, start");
            fs::write(folder.path().join("facts.yaml"), facts).unwrap();
            fs::write(&path, text.replace("resources:", &format!("  {until}"))).unwrap();
            json(&path.display().to_string())
        };
        let moves: Vec<String> = MOVES.iter().map(|line| (*line).to_owned()).collect();
        let whole = plan(&moves);
        for (position, step) in whole["steps"].as_array().unwrap().iter().enumerate() {
            let stop = &step["stop"];
            assert_eq!(stop["all_good"], "at", "{stop}");
            assert_eq!(stop["fixes"], serde_json::json!([]));
            let mut checks = keys(&stop["checks"]);
            assert_eq!(checks.len(), position + 1, "{stop}");
            assert_eq!(keys(&stop["bad"]), checks);
            // The longest first: 300, 180 and 60 GB.
            let sizes = BTreeMap::from([("SG3", 0), ("SG1", 1), ("SG2", 2)]);
            checks.sort_by_key(|key| sizes[key.rsplit('/').next().unwrap()]);
            let mut cut: Vec<String> = moves[..=position].to_vec();
            cut.extend(checks.iter().enumerate().map(|(number, key)| {
                format!(
                    "{{ id: c{number}, action: run-consistency-check, with: {{ source: {key} }} }}"
                )
            }));
            let cut = plan(&cut);
            assert_eq!(cut["totals"]["bad"], 0, "{}", cut["hazards"]);
            assert_eq!(cut["totals"]["end_seconds"], stop["by_seconds"], "{slots} slots, {stop}");
        }
    }
}

#[test]
fn behind_a_step_that_leaves_a_cause_all_is_never_well() {
    let report = json(&root().join(PLAN).display().to_string());
    let stop = |step: usize| &report["steps"][step]["stop"];
    assert_eq!(stop(2)["all_good"], "at");
    assert_eq!(stop(3)["all_good"], "never");
    assert_eq!(keys(&stop(3)["blocked"]).len(), 3);
    let fixes: Vec<String> = stop(3)["fixes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fix| format!("{} at {}", fix["action"], fix["at"]).replace('"', ""))
        .collect();
    assert!(fixes.contains(&"register-dll at DPM01".to_owned()), "{fixes:?}");
    assert!(fixes.contains(&"update-agent at DPM01/EX01".to_owned()), "{fixes:?}");
}

#[test]
fn a_stop_point_names_the_later_step_that_repairs() {
    let report = judged(
        "
  - { id: up, action: upgrade-dpm, with: { dpm_server: DPM01, to_version: 2.0.8793.0 }, estimate: 30m }
  - { id: dll, action: register-dll, with: { server: DPM01 }, estimate: 5m }
  - { id: agent, action: update-agent, with: { agent: DPM01/EX01 }, estimate: 10m }
",
    );
    let stop = &report["steps"][0]["stop"];
    assert_eq!(stop["all_good"], "never", "{:#}", report["hazards"]);
    let steps: Vec<&Value> =
        stop["fixes"].as_array().unwrap().iter().map(|fix| &fix["step"]).collect();
    assert!(steps.contains(&&Value::from("dll")), "{stop}");
}

#[test]
fn the_blast_radius_has_three_rings_and_a_sum() {
    let report = json(&root().join(PLAN).display().to_string());
    let rings = |step: usize| &report["steps"][step]["blast"];
    assert_eq!(rings(0)["direct"][0]["key"], "EX01/SG1");
    assert_eq!(rings(0)["shared"][0]["key"], "DPM01/EX01/SG1");
    assert_eq!(rings(0)["shared"][0]["through"]["kind"], "storage_group");
    assert_eq!(rings(3)["shared"].as_array().unwrap().len(), 3);
    assert_eq!(rings(3)["knock_on"]["objects"].as_array().unwrap().len(), 3);
    assert_eq!(rings(3)["knock_on"]["steps"][0]["step"], "s6");
    // From 23:00 to 04:30 for each of the three.
    assert_eq!(rings(3)["exposure_seconds"], 3 * 330 * 60);
    let blast = &report["blast"];
    assert_eq!(blast["most"]["step"], "s4");
    assert_eq!(blast["object_hours"], 18.33);
    assert_eq!(blast["objects"].as_array().unwrap().len(), 3);
    assert_eq!(blast["largest"]["objects"].as_array().unwrap().len(), 3);
    assert_eq!(blast["largest"]["from_seconds"], 3_600);
    assert_eq!(blast["largest"]["to_seconds"], 390 * 60);
}

#[test]
fn the_usual_durations_can_give_another_answer() {
    let folder = with_steps(
        "
  - { id: move, action: move-log-folder, with: { object: EX01/SG2, to: 'K:\\SG2' }, estimate: { expected: 10m, worst: 7h } }
  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 }, estimate: 36m }
",
    );
    let path = folder.path().join("plan.yaml").display().to_string();
    let report = json(&path);
    assert_eq!(report["verdict"], "failed");
    assert_eq!(report["expected"]["verdict"], "passed", "{:#}", report["expected"]);
    let said = check(&path, &[]).out;
    assert!(said.contains("with the usual ones it would be PASS"), "{said}");
    let said = check(&path, &["--format", "markdown"]).out;
    assert!(said.contains("with the usual ones it would be PASS"), "{said}");
}

#[test]
fn what_is_accepted_for_nothing_or_no_longer_is_told() {
    let accept = |hazard: &str, until: &str| {
        format!(
            "
  - id: up
    action: upgrade-dpm
    with: {{ dpm_server: DPM01, to_version: 2.0.8793.0 }}
    estimate: 30m
    accept: [{{ hazard: {hazard}, reason: It has to go in, by: change board, until: {until} }}]
"
        )
    };
    let report = judged(&accept("plan-hits-all", "2009-01-01"));
    assert!(!hazards(&report).iter().any(|id| id.starts_with("plan-accept")), "{report:#}");
    let all = report["hazards"].as_array().unwrap();
    let accepted = all.iter().find(|one| one["id"] == "plan-hits-all").unwrap();
    assert_eq!(accepted["accepted"], "It has to go in (change board, until 2009-01-01)");
    let report = judged(&accept("plan-hits-all", "2008-11-01"));
    assert!(hazards(&report).contains(&"plan-accept-expired"), "{:#}", report["hazards"]);
    let all = report["hazards"].as_array().unwrap();
    let expired = all.iter().find(|one| one["id"] == "plan-hits-all").unwrap();
    assert_eq!(expired["accepted"], Value::Null);
    let report = judged(&accept("plan-window", "2009-01-01"));
    let all = report["hazards"].as_array().unwrap();
    let unused = all.iter().find(|one| one["id"] == "plan-accept-unused").unwrap();
    assert_eq!(unused["place"]["line"], 17, "{unused}");
    // Nobody accepts that somebody accepts.
    let folder = with_steps(&accept("plan-accept-unused", "2009-01-01"));
    let ran = check(&folder.path().join("plan.yaml").display().to_string(), &[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("there is no hazard `plan-accept-unused`"), "{}", ran.err);
}

#[test]
fn facts_that_will_be_too_old_are_named() {
    let folder = with_steps(" []\n");
    let path = folder.path().join("plan.yaml").display().to_string();
    let ran = check(&path, &["--max-age", "10m", "--format", "json"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["basis"]["files"][0]["is_too_old"], true);
    assert_eq!(report["basis"]["collections"][0]["is_too_old"], true);
    assert_eq!(report["basis"]["max_age_seconds"], 600);
}

#[test]
fn sarif_has_each_hazard_at_its_place_with_its_chain() {
    let document: Value = serde_json::from_str(&example(&["--format", "sarif"])).unwrap();
    let results = sarif_results(&document, "dpmguardHazard/v1");
    snapshot_beside(
        &root().join("tests/output/plan-sarif.txt"),
        &format!("{:#}", Value::Array(results.clone())),
    );
    let report = json(&root().join(PLAN).display().to_string());
    assert_eq!(results.len(), report["hazards"].as_array().unwrap().len());
    for (result, hazard) in results.iter().zip(report["hazards"].as_array().unwrap()) {
        assert_eq!(result["ruleId"], hazard["id"]);
        assert_eq!(result["level"], hazard["severity"]);
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(region["startLine"], hazard["place"]["line"]);
        let chain = hazard["chain"].as_array().unwrap();
        let flows = result["codeFlows"].as_array();
        assert_eq!(flows.is_none(), chain.is_empty());
        for flow in flows.into_iter().flatten() {
            let locations = flow["threadFlows"][0]["locations"].as_array().unwrap();
            assert_eq!(locations.len(), chain.len() + 1);
            for (location, link) in locations.iter().zip(chain) {
                assert_eq!(location["location"]["message"]["text"], *link);
                sarif_place(&location["location"]["physicalLocation"]);
            }
        }
    }
}

/// How often each element of an XML document occurs; panics if it is none.
pub(crate) fn elements(text: &str) -> BTreeMap<String, usize> {
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let (mut found, mut depth) = (BTreeMap::new(), 0_usize);
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error}: {text}"));
        let start = match &event {
            Event::Start(start) => {
                depth += 1;
                Some(start)
            }
            Event::Empty(start) => Some(start),
            Event::End(_) => {
                depth -= 1;
                None
            }
            Event::Eof => break,
            _ => None,
        };
        if let Some(start) = start {
            for attribute in start.attributes() {
                assert!(!attribute.unwrap().value.contains(['<', '"']), "{text}");
            }
            let name = start.name().as_ref().to_owned();
            *found.entry(name).or_insert(0) += 1;
        }
    }
    assert_eq!(depth, 0, "{text}");
    found
}

#[test]
fn junit_has_a_case_for_each_object_and_each_step() {
    let text = example(&["--format", "junit"]);
    snapshot_beside(&root().join("tests/output/plan-junit.txt"), &text);
    let found = elements(&text);
    // Three objects, six steps, the plan as a whole.
    assert_eq!((found["testsuite"], found["testcase"]), (3, 10));
    assert!(text.contains("tests=\"10\" failures=\"4\" errors=\"0\" skipped=\"0\">"), "{text}");
    assert_eq!(found["failure"], 4);
}

/// A build server says no where and only where the exit code does.
#[test]
fn junit_fails_where_the_plan_does() {
    let plans = [
        (" []\n", 0),
        (
            "\n  - { id: upgrade, action: upgrade-dpm, with: { dpm_server: DPM01, to_version: 2.0.8793.0 } }\n",
            1,
        ),
        (
            "\n  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 } }\n",
            0,
        ),
    ];
    for (steps, code) in plans {
        for options in
            [&[][..], &["--fail-on", "never"], &["--fail-on", "note"], &["--max-age", "1m"]]
        {
            let folder = with_steps(steps);
            let options: Vec<&str> = options.iter().copied().chain(["--format", "junit"]).collect();
            let ran = check(&folder.path().join("plan.yaml").display().to_string(), &options);
            let found = elements(&ran.out);
            assert_eq!(ran.code == 1, found.contains_key("failure"), "{options:?} {}", ran.out);
            assert_eq!(ran.code == 3, found.contains_key("error") && ran.code != 1, "{}", ran.out);
            if options.len() == 2 {
                assert_eq!(ran.code, code, "{}", ran.out);
            }
        }
    }
}

#[test]
fn markdown_is_for_the_ticket() {
    let text = example(&["--format", "markdown"]);
    snapshot_beside(&root().join("tests/output/plan-markdown.txt"), &text);
    assert!(text.starts_with("# FAIL CHG0042817: 3 of 3 data sources end UNPROTECTED at 04:30\n"));
    assert!(!text.contains("<details") && !text.contains("<table"), "{text}");
    for line in text.lines().filter(|line| line.starts_with("|---")) {
        assert!(line.matches("---").count() <= 6, "{line}");
    }
}

#[test]
fn markdown_is_cut_from_the_bottom_and_says_so() {
    let whole = example(&["--format", "markdown"]);
    let verdict = whole.split("\n## ").next().unwrap();
    for most in [0, 200, 600, 900, 1_500, 3_000, 5_000, 100_000] {
        let text = example(&["--format", "markdown", "--max-chars", &most.to_string()]);
        assert!(text.starts_with(verdict), "{most}: {text}");
        if most >= whole.chars().count() {
            assert_eq!(text, whole);
            continue;
        }
        let note = text.find("\n**Cut to ").unwrap();
        let kept = text[..note].trim_end();
        assert!(whole.starts_with(kept), "{most}: {text}");
        assert!(text.contains("all of Evidence."), "{most}: {text}");
        if most >= 900 {
            assert!(text.chars().count() <= most, "{most}: {}", text.chars().count());
        }
    }
}

#[test]
fn what_takes_a_step_back_leads_to_where_it_was_before_it() {
    let report = judged(
        "
  - { id: one, action: move-log-folder, with: { object: EX01/SG1, to: 'K:\\SG1' }, estimate: 10m }
  - { id: two, action: move-log-folder, with: { object: EX01/SG1, to: 'M:\\SG1' }, estimate: 10m }
  - { id: up, action: upgrade-dpm, with: { dpm_server: DPM01, to_version: 2.0.8793.0 }, estimate: 30m }
",
    );
    let undo = |step: usize| &report["steps"][step]["undo"];
    assert_eq!(undo(0)["action"], "move-log-folder");
    assert_eq!(undo(0)["with"], serde_json::json!([["object", "EX01/SG1"], ["to", "L:\\SG1"]]));
    assert_eq!(undo(1)["with"], serde_json::json!([["object", "EX01/SG1"], ["to", "K:\\SG1"]]));
    assert_eq!(*undo(2), Value::Null);
}

#[test]
fn a_collection_that_is_older_than_its_file_is_named() {
    let folder = with_steps(" []\n");
    let text = fs::read_to_string(root().join("examples/change/facts.yaml")).unwrap();
    let older = "complete: all\ncollected: { volumes: { at: \"2008-11-14T20:30:00Z\" } }\n";
    let facts = folder.path().join("facts.yaml");
    fs::write(&facts, text.replace("complete: all\n", older)).unwrap();
    let (plan, facts) = (folder.path().join("plan.yaml"), facts.display().to_string());
    let plan = plan.display().to_string();
    let ran = run(&["plan", "check", &plan, "--facts", &facts, "--now", "observed"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let said = "the volumes of the facts will be 1 d old when the window opens; the limit is 4 h";
    assert!(ran.out.contains(said), "{}", ran.out);
    assert!(
        ran.out.contains("volumes collected 1 d before the window opens, TOO OLD"),
        "{}",
        ran.out
    );
}

#[test]
fn json_is_as_it_was() {
    snapshot_beside(&root().join("tests/output/plan-json.txt"), &example(&["--format", "json"]));
}
