//! The page about a plan and its timeline, one step or object explained, and whether a verdict still holds.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use dpmguard::facts::time::say_duration;
use serde_json::Value;

use crate::plan::{PLAN, check, fits, json, with_steps};
use crate::planreport::{elements, steady};
use crate::support::{Ran, root, run, snapshot_beside};

fn example() -> String {
    root().join(PLAN).display().to_string()
}

fn facts() -> String {
    root().join("examples/change/facts.yaml").display().to_string()
}

/// A command about a plan with the facts of the example.
fn plan(command: &[&str], facts: &str) -> Ran {
    let mut args = vec!["plan"];
    args.extend(command);
    args.extend(["--facts", facts, "--now", "observed"]);
    run(&args)
}

/// Facts like those of the example, with more groups than three.
fn many(groups: usize) -> String {
    let text = fs::read_to_string(root().join("examples/change/facts.yaml")).unwrap();
    let mut all = String::new();
    for part in text.split_inclusive("\n\n") {
        let entries: Vec<&str> = part.split("\n  - ").collect();
        all.push_str(part.trim_end());
        // What is told of the third group is told of each further one.
        if let Some(last) = entries.last().filter(|last| last.contains("SG3")) {
            for number in 4..=groups {
                let more = last.trim_end().replace("SG3", &format!("SG{number}"));
                all.extend(["\n  - ", &more]);
            }
        }
        all.push_str("\n\n");
    }
    all
}

/// Nothing in a page or drawing can run, or load anything.
fn harmless(text: &str) {
    let lower = text.to_lowercase();
    for word in
        ["<script", "<iframe", "<object", "<embed", "<link", "<img", "@import", "javascript:"]
    {
        assert!(!lower.contains(word), "{word}");
    }
    for (at, _) in lower.match_indices("http") {
        let rest = &lower[at..];
        let is_name =
            rest.starts_with("http://www.w3.org/2000/svg\"") || rest.starts_with("http-equiv=");
        assert!(is_name, "{}", &rest[..rest.len().min(60)]);
    }
    for (at, _) in lower.match_indices("url(") {
        assert!(lower[at..].starts_with("url(#"), "{}", &lower[at..at + 20]);
    }
    for (at, _) in lower.match_indices("href=\"") {
        assert!(lower[at..].starts_with("href=\"#"), "{}", &lower[at..at + 20]);
    }
    // The only attributes of that kind stand in text, where they do nothing.
    let tags: Vec<&str> = lower.split('<').filter_map(|part| part.split('>').next()).collect();
    for tag in tags {
        assert!(!tag.contains(" on") || !tag.contains('=') || !has_handler(tag), "{tag}");
        assert!(!tag.contains(" src="), "{tag}");
        assert!(!tag.contains(" style="), "{tag}");
    }
}

fn has_handler(tag: &str) -> bool {
    tag.split_whitespace().any(|word| word.starts_with("on") && word.contains('='))
}

#[test]
fn the_page_is_whole_and_harmless() {
    let ran = check(&example(), &["--format", "html"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let text = steady(&ran.out);
    snapshot_beside(&root().join("tests/output/plan-html.txt"), &text);
    harmless(&text);
    assert!(text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">\n"), "{text}");
    let found = elements(text.strip_prefix("<!DOCTYPE html>\n").unwrap());
    for (element, count) in [("h1", 1), ("main", 1), ("header", 1), ("nav", 1), ("footer", 1)] {
        assert_eq!(found[element], count, "{element}");
    }
    // Each table says what it is, and each head of a column or row what it heads.
    assert_eq!(found["table"], found["caption"]);
    assert_eq!(text.matches("<th ").count(), text.matches("<th scope=\"").count());
    assert_eq!(text.matches("<th>").count(), 0);
    // Each section can be reached from the top.
    assert_eq!(found["section"], text.matches("<li><a href=\"#").count());
    for part in text.split("href=\"#").skip(1) {
        let id = part.split('"').next().unwrap();
        assert!(text.contains(&format!("<h2 id=\"{id}\">")), "{id}");
    }
    for part in ["@media print", "prefers-color-scheme: dark", "default-src 'none'"] {
        assert!(text.contains(part), "{part}");
    }
}

/// What is drawn is what the JSON report says.
#[test]
fn the_drawing_says_what_the_report_says() {
    let ran = plan(&["timeline", &example(), "--format", "svg"], &facts());
    assert_eq!(ran.code, 1, "{}", ran.err);
    harmless(&ran.out);
    elements(&ran.out);
    let titles: Vec<&str> = ran
        .out
        .split("<title>")
        .skip(1)
        .map(|part| part.split("</title>").next().unwrap())
        .collect();
    let report = json(&example());
    // The night has no change of clocks.
    let clock = |seconds: &Value| {
        let minutes = 22 * 60 + seconds.as_i64().unwrap() / 60;
        let day = if minutes >= 24 * 60 { "2008-11-16 " } else { "" };
        format!("{day}{:02}:{:02}", minutes / 60 % 24, minutes % 60)
    };
    let mut wanted = Vec::new();
    for object in report["objects"].as_array().unwrap() {
        for interval in object["intervals"].as_array().unwrap() {
            let words = match (interval["phase"].as_str().unwrap(), &interval["is_blocked"]) {
                ("good", _) => "protected",
                ("busy", _) => "check running",
                ("bad", Value::Bool(true)) => "not protected, a check alone does not help",
                ("bad", _) => "not protected, a check cures it",
                other => panic!("{other:?}"),
            };
            let (from, to) = (&interval["from"], &interval["to"]);
            let lasts = say_duration(to.as_i64().unwrap() - from.as_i64().unwrap());
            let steps: Vec<&str> = interval["caused_by"]
                .as_array()
                .unwrap()
                .iter()
                .map(|step| step.as_str().unwrap())
                .collect();
            let because = if steps.is_empty() {
                String::new()
            } else {
                format!("; because of {}", steps.join(", "))
            };
            wanted.push(format!(
                "{}: {words}, {} to {} ({lasts}){because}",
                object["key"].as_str().unwrap(),
                clock(from),
                clock(to)
            ));
        }
    }
    let mut drawn: Vec<String> = titles
        .iter()
        .filter(|title| title.starts_with("DPM01/"))
        .map(|title| (*title).to_owned())
        .collect();
    wanted.sort();
    drawn.sort();
    assert_eq!(drawn, wanted);
    for step in report["steps"].as_array().unwrap() {
        let begin = format!(
            "{} {} {}: {}",
            step["id"].as_str().unwrap(),
            step["action"].as_str().unwrap(),
            step["at"].as_str().unwrap(),
            clock(&step["start_seconds"])
        );
        assert!(titles.iter().any(|title| title.starts_with(&begin)), "{begin} {titles:?}");
    }
}

#[test]
fn the_timeline_of_a_terminal_keeps_its_width() {
    let ran = plan(&["timeline", &example()], &facts());
    assert_eq!(ran.code, 1, "{}", ran.err);
    snapshot_beside(&root().join("tests/output/plan-timeline.txt"), &ran.out);
    for width in ["30", "36", "45", "80"] {
        let ran = plan(&["timeline", &example(), "--width", width], &facts());
        let rows = ran.out.lines().skip(2).take_while(|line| !line.is_empty());
        for line in rows {
            assert!(line.chars().count() <= width.parse().unwrap(), "{width}: {line}");
        }
    }
}

/// As the columns of text say, so say the drawing's rows, however many objects there are.
#[test]
fn many_objects_share_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.yaml");
    fs::write(&path, many(60)).unwrap();
    let facts = path.display().to_string();
    let ran = plan(&["timeline", &example(), "--format", "svg"], &facts);
    assert_eq!(ran.code, 1, "{}", ran.err);
    elements(&ran.out);
    assert!(ran.out.contains("DPM01/EX01/: 20 more"), "{}", ran.out);
    let ran = plan(&["timeline", &example()], &facts);
    assert_eq!(ran.out.lines().filter(|line| line.starts_with("  DPM01/EX01/")).count(), 41);
    // No object is left out of the tables.
    let page = plan(&["check", &example(), "--format", "html"], &facts).out;
    let human = plan(&["check", &example()], &facts).out;
    let ticket = plan(&["check", &example(), "--format", "markdown"], &facts).out;
    for number in 1..=60 {
        let key = format!("DPM01/EX01/SG{number}");
        assert!(
            page.contains(&format!("<th scope=\"row\" class=\"wide\"><bdi>{key}</bdi></th>")),
            "{key}"
        );
        assert!(ticket.contains(&format!("| {key} | ")), "{key}");
        let blast = human.split("\nBlast radius\n").nth(1).unwrap();
        assert!(blast.contains(&key), "{key}");
    }
}

#[test]
fn hostile_names_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat(300);
    let names = [
        "<script>alert(1)</script>",
        "\u{202e}gs\u{5d0}\u{5d1}",
        "a\"b'c&d|*_[e](f)`g`",
        long.as_str(),
    ];
    for (number, name) in names.iter().enumerate() {
        let text = fs::read_to_string(root().join("examples/change/facts.yaml")).unwrap();
        let quoted = Value::from(*name).to_string();
        let text = text
            .replace("name: SG1\n", &format!("name: {quoted}\n"))
            .replace("storage_group: SG1\n", &format!("storage_group: {quoted}\n"));
        let path = folder.path().join(format!("facts-{number}.yaml"));
        fs::write(&path, text).unwrap();
        let facts = path.display().to_string();
        let steps = fs::read_to_string(root().join(PLAN)).unwrap();
        let key = |before: &str| Value::from(format!("{before}/{name}")).to_string();
        let steps = steps
            .replace("object: EX01/SG1,", &format!("object: {},", key("EX01")))
            .replace("source: DPM01/EX01/SG1 ", &format!("source: {} ", key("DPM01/EX01")))
            .replace("title: Move", "title: '<b onclick=\"x()\">Move</b>'\n#");
        // A database's key has an end behind the name.
        let steps: Vec<&str> = steps.lines().filter(|line| !line.contains("id: s3")).collect();
        let steps = steps.join("\n");
        let plan_file = folder.path().join(format!("plan-{number}.yaml"));
        fs::write(&plan_file, steps).unwrap();
        let file = plan_file.display().to_string();
        let formats = ["html", "junit", "markdown", "human", "json", "sarif"];
        let said: BTreeMap<&str, String> = formats
            .into_iter()
            .map(|format| {
                let ran = plan(&["check", &file, "--format", format], &facts);
                assert_eq!(ran.code, 1, "{name}: {}", ran.err);
                (format, ran.out)
            })
            .collect();
        harmless(&said["html"]);
        elements(said["html"].strip_prefix("<!DOCTYPE html>\n").unwrap());
        elements(&said["junit"]);
        // Between back-ticks it stays text.
        let outside: String = said["markdown"].split('`').step_by(2).collect();
        assert!(!outside.contains("<script"), "{}", said["markdown"]);
        for (format, text) in &said {
            assert!(!text.contains('\u{202e}'), "{name} in {format}");
        }
        for format in ["svg", "text"] {
            let ran = plan(&["timeline", &file, "--format", format], &facts);
            assert!(!ran.out.contains('\u{202e}'), "{name}");
            if format == "svg" {
                harmless(&ran.out);
                elements(&ran.out);
            }
        }
    }
}

#[test]
fn a_step_and_an_object_are_explained() {
    let ran = plan(&["explain", &example(), "s4"], &facts());
    assert_eq!(ran.code, 0, "{}", ran.err);
    snapshot_beside(&root().join("tests/output/plan-explain-step.txt"), &ran.out);
    let ran = plan(&["explain", &example(), "dpm01/ex01/sg1"], &facts());
    assert_eq!(ran.code, 0, "{}", ran.err);
    snapshot_beside(&root().join("tests/output/plan-explain-object.txt"), &ran.out);
    // Its conditions are those of the moment at which it would begin.
    let ran = plan(&["explain", &example(), "s6"], &facts());
    assert!(ran.out.contains("DOES NOT"), "{}", ran.out);
    assert!(ran.out.contains("DPM01 refuses the agent"), "{}", ran.out);
    for (name, meant) in [("s44", "s4"), ("DPM01/EX01/SG11", "DPM01/EX01/SG1")] {
        let ran = plan(&["explain", &example(), name], &facts());
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(&format!("did you mean `{meant}`?")), "{}", ran.err);
    }
}

/// A plan that passes, in a folder with its facts and its report.
fn passing() -> tempfile::TempDir {
    let folder = with_steps(
        "
  - { id: move, action: move-log-folder, with: { object: EX01/SG2, to: 'K:\\SG2' }, estimate: 10m }
  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 }, estimate: 36m }
",
    );
    fs::copy(root().join("examples/change/facts.yaml"), folder.path().join("facts.yaml")).unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let output = format!("json={}", at("report.json"));
    let ran = plan(&["check", &at("plan.yaml"), "-o", &output], &at("facts.yaml"));
    assert_eq!(ran.code, 0, "{}", ran.out);
    folder
}

fn verify(folder: &Path, facts: &str, options: &[&str]) -> Ran {
    let report = folder.join("report.json").display().to_string();
    let mut command = vec!["verify", &report];
    command.extend(options);
    plan(&command, &folder.join(facts).display().to_string())
}

/// The facts of the folder, changed.
fn newer(folder: &Path, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(folder.join("facts.yaml")).unwrap();
    fs::write(folder.join("newer.yaml"), change(text)).unwrap();
}

#[test]
fn a_verdict_holds_on_the_same_facts() {
    let folder = passing();
    let ran = verify(folder.path(), "facts.yaml", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("HOLDS  CHG0042817: PASS then, PASS now\n"), "{}", ran.out);
    // Facts that moved without harm.
    newer(folder.path(), |text| text.replace("log_bytes: 2000000000", "log_bytes: 2100000000"));
    let ran = verify(folder.path(), "newer.yaml", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("3 facts moved\n"), "{}", ran.out);
    let moved = "storage_group EX01/SG1 log_bytes: 2000000000 -> 2100000000";
    assert!(ran.out.contains(moved), "{}", ran.out);
}

#[test]
fn a_verdict_falls_with_facts_that_moved() {
    let folder = passing();
    // Somebody has filled the disk meanwhile.
    newer(folder.path(), |text| {
        let (head, tail) = text.split_once("mount: 'K:\\'").unwrap();
        let tail = tail.replacen("free_bytes: 60000000000", "free_bytes: 1000000", 1);
        format!("{head}mount: 'K:\\'{tail}")
    });
    let ran = verify(folder.path(), "newer.yaml", &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.starts_with("NO LONGER HOLDS  CHG0042817: PASS then, FAIL now\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("1 fact moved\n"), "{}", ran.out);
    assert!(ran.out.contains("Hazards that appeared\n  error[plan-precondition]"), "{}", ran.out);
    let ran = verify(folder.path(), "newer.yaml", &["--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    fits("plan-verify-v1", &ran.out);
    assert_eq!(answer["holds"], false);
    assert_eq!(answer["exit_code"], 1);
    assert_eq!(answer["moved"][0]["field"], "free_bytes");
    assert_eq!(answer["appeared"][0]["id"], "plan-precondition");
    // The older facts are gone: which facts moved cannot be told, the verdict can.
    fs::remove_file(folder.path().join("facts.yaml")).unwrap();
    let ran = verify(folder.path(), "newer.yaml", &[]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("the files of the report are not there any more"), "{}", ran.out);
    // A plan that fails goes on failing.
    let ran = verify(folder.path(), "newer.yaml", &["--max-age", "1m"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
}

#[test]
fn other_settings_are_told() {
    let folder = passing();
    let ran = verify(folder.path(), "facts.yaml", &["--param", "run-consistency-check.most=3"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let said = "  param  run-consistency-check.most: as the pack has it then, 3";
    assert!(ran.out.contains(said), "{}", ran.out);
}

#[test]
fn facts_that_are_too_old_give_no_verdict() {
    let folder = passing();
    let ran = verify(folder.path(), "facts.yaml", &["--max-age", "1m"]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.starts_with("NO LONGER HOLDS  CHG0042817: PASS then, NO VERDICT now\n"),
        "{}",
        ran.out
    );
}

#[test]
fn a_report_says_nothing_of_another_plan() {
    let folder = passing();
    let path = folder.path().join("plan.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("estimate: 10m", "estimate: 11m")).unwrap();
    let ran = verify(folder.path(), "facts.yaml", &[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("plan-changed"), "{}", ran.err);
    let moved = folder.path().join("elsewhere.yaml");
    fs::write(&moved, &text).unwrap();
    fs::remove_file(&path).unwrap();
    let ran = verify(folder.path(), "facts.yaml", &[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(
        ran.err.contains("another place of the plan can be given with `--plan`"),
        "{}",
        ran.err
    );
    let ran = verify(folder.path(), "facts.yaml", &["--plan", &moved.display().to_string()]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    // The report can raise the bar, it cannot lower it.
    let report = folder.path().join("report.json");
    let honest = fs::read_to_string(&report).unwrap();
    fs::rename(&moved, &path).unwrap();
    let edited = honest.replace("\"fail_on\": \"error\"", "\"fail_on\": \"never\"");
    assert_ne!(edited, honest);
    fs::write(&report, edited).unwrap();
    let ran = verify(folder.path(), "facts.yaml", &[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("error[report-threshold]: this report lets errors"), "{}", ran.err);
    let ran = verify(folder.path(), "facts.yaml", &["--fail-on", "never"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    // Nor does one hold that contradicts itself.
    let failed = honest.replacen("\"exit_code\": 0", "\"exit_code\": 1", 1);
    let fails = failed.replacen("\"verdict\": \"passed\"", "\"verdict\": \"failed\"", 1);
    let bad = honest.replacen("\"bad\": 0", "\"bad\": 1", 1);
    for (text, said) in [
        (failed, "`exit_code: 1` contradicts `verdict: passed`"),
        (fails, "`verdict: failed` contradicts the hazards, of which none reaches `error`"),
        (bad, "`totals.bad: 1` contradicts `objects`"),
    ] {
        fs::write(&report, text).unwrap();
        let ran = verify(folder.path(), "facts.yaml", &[]);
        assert_eq!(ran.code, 2, "{}", ran.out);
        let is_told = ran.err.contains("report-contradicts-itself") && ran.err.contains(said);
        assert!(is_told, "{}", ran.err);
    }
    // What is no report.
    for (text, said) in [
        ("{\"schema\": \"dpmguard.report/v1\"}", "it says `schema: dpmguard.report/v1`"),
        ("[1]", "it does not say what it is"),
    ] {
        fs::write(folder.path().join("report.json"), text).unwrap();
        let ran = verify(folder.path(), "facts.yaml", &[]);
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains("not-a-plan-report") && ran.err.contains(said), "{}", ran.err);
    }
    // What was changed by hand.
    fs::write(folder.path().join("report.json"), "{\"schema\": \"dpmguard.plan-report/v1\"}")
        .unwrap();
    let ran = verify(folder.path(), "facts.yaml", &[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("error[missing-key]: missing key `verdict`"), "{}", ran.err);
}

#[test]
fn hours_without_protection_weigh_by_tier() {
    let facts = fs::read_to_string(root().join("examples/change/facts.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.yaml");
    // All are of tier 2 but SG1.
    fs::write(&path, facts.replacen("tier: 2", "tier: 1", 1)).unwrap();
    let (path, file) = (path.display().to_string(), root().join(PLAN).display().to_string());
    let ran = plan(&["check", &file, "--format", "json"], &path);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    fits("plan-report-v1", &ran.out);
    // SG1 weighs three times, the others twice: 6 h 30 min of the 18 h 20 min are its.
    assert_eq!(report["blast"]["object_hours"], 18.33);
    assert_eq!(report["blast"]["weighted_object_hours"], 43.17);
    let ran = plan(&["check", &file, "--format", "markdown"], &path);
    assert!(ran.out.contains("; weighted by their tiers 43.17"), "{}", ran.out);
    fs::write(folder.path().join("facts.yaml"), facts.replacen("tier: 2", "tier: 10", 1)).unwrap();
    let ran = plan(&["check", &file], &path);
    assert_eq!(ran.code, 2, "{}", ran.out);
}

/// The move of one database while something has to be left alone, and whether that is told.
fn is_dark(applies_to: &str) -> bool {
    let text = fs::read_to_string(root().join(PLAN)).unwrap();
    let (head, _) = text.split_once("steps:\n").unwrap();
    let blackout = format!(
        "  blackouts: [{{ from: '2008-11-15T22:10[Europe/Berlin]', \
        to: '2008-11-15T22:30[Europe/Berlin]', why: tape, applies_to: [{applies_to}] }}]\n"
    );
    let end = head.find("  end:").unwrap();
    let (before, after) = head.split_at(end);
    let step = "steps:\n  - { id: move, action: move-database-file, estimate: 40m, \
        with: { database: EX01/SG1/DB1, to: 'M:\\SG1\\DB1.edb' } }\n";
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.yaml");
    fs::write(&file, format!("{before}{blackout}{after}{step}")).unwrap();
    let report = json(&file.display().to_string());
    let hazards = report["hazards"].as_array().unwrap();
    hazards.iter().any(|one| one["id"] == "plan-blackout" && one["step"] == "move")
}

#[test]
fn what_lies_on_something_is_left_alone_with_it() {
    for on in ["EX01/SG1/DB1", "EX01/SG1", "EX01", "'EX01/M:\\'", "DPM01/EX01/SG1"] {
        assert!(is_dark(on), "{on}");
    }
    for beside in ["EX01/SG2", "EX01/SG3/DB1"] {
        assert!(!is_dark(beside), "{beside}");
    }
}

#[test]
fn what_would_fail_a_plan_if_it_were_known_lets_it_not_pass() {
    // A volume that a database moves to, of which a fact is bad, good, or not collected.
    let facts = fs::read_to_string(root().join("examples/move-database/facts.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let plan_file = root().join("examples/move-database/plan-fixed.yaml").display().to_string();
    let (head, tail) = facts.rsplit_once("    filesystem: ntfs\n").unwrap();
    let judged = |filesystem: &str| {
        fs::write(at("facts.yaml"), format!("{head}{filesystem}{tail}")).unwrap();
        plan(&["check", &plan_file], &at("facts.yaml"))
    };
    assert_eq!(judged("    filesystem: ntfs\n").code, 0);
    let ran = judged("    filesystem: fat32\n");
    assert_eq!(ran.code, 1, "{}", ran.out);
    let ran = judged("");
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("cannot be decided: volume-unusable"), "{}", ran.out);
}

#[test]
fn what_is_taken_for_granted_is_told() {
    let facts = fs::read_to_string(root().join("examples/move-database/facts.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("facts.yaml").display().to_string();
    let kept = |line: &&str| !line.contains("check_slots:");
    let lines: Vec<&str> = facts.lines().filter(kept).collect();
    assert_eq!(lines.len() + 1, facts.lines().count());
    fs::write(&file, lines.join("\n")).unwrap();
    let plan_file = root().join("examples/move-database/plan-fixed.yaml").display().to_string();
    for format in ["human", "markdown", "html", "json"] {
        let ran = plan(&["check", &plan_file, "--format", format], &file);
        let said = "DPM01 runs up to 6 checks side by side";
        assert!(ran.out.contains(said), "{format}: {said}\n{}", ran.out);
    }
}
