//! `dpmguard lint`: each check finds what its example in the documentation shows, and nothing is found in
//! a rule without fault.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use dpmguard::author::lint::table::CHECKS;
use dpmguard::load;
use dpmguard::source::{self, Sources};
use serde_json::Value;

use crate::support::{Ran, files, root, run, said, sarif_results, snapshot_beside};

/// A pack with one rule of which nothing is doubtful.
const PACK: &str = "tests/packs/lint";

fn lint(pack: &Path, options: &[&str]) -> Ran {
    // The shipped rules take time; only their tags are needed, by one example.
    let rule = fs::read_to_string(pack.join(RULE)).unwrap_or_default();
    let alone: &[&str] =
        if rule.contains("tags: [reboots]") { &[] } else { &["--no-shipped-rules"] };
    let pack = pack.display().to_string();
    run(&[&["lint", &pack], alone, options].concat())
}

fn json(pack: &Path, options: &[&str]) -> Value {
    let ran = lint(pack, &[&["--format", "json"], options].concat());
    let mut sources = Sources::default();
    let file = sources.add("report.json", ran.out.as_bytes()).unwrap();
    let report = source::read(&sources, file).unwrap();
    let found = load::schema("lint-v1").unwrap().check(&report);
    assert!(found.is_empty(), "{}", said(&found, &sources));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["exit_code"], ran.code, "{}", ran.out);
    report
}

/// A copy of the pack, to be changed.
fn copy() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = root().join(PACK);
    for path in files(&from, "yaml") {
        let to = folder.path().join(path.strip_prefix(&from).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&path, to).unwrap();
    }
    folder
}

const RULE: &str = "server-waits.yaml";

/// Text of a rule, key by key.
fn parts(text: &str) -> Vec<(String, String)> {
    let mut parts: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match line.split_once(':') {
            Some((key, _)) if !line.starts_with([' ', '#']) => {
                parts.push((key.to_owned(), format!("{line}\n")));
            }
            _ => {
                if let Some((_, part)) = parts.last_mut() {
                    part.push_str(line);
                    part.push('\n');
                }
            }
        }
    }
    parts
}

/// A rule with other parts in place of its own.
fn with_parts(rule: &str, other: &str) -> String {
    let mut own = parts(rule);
    for (key, part) in parts(other) {
        match own.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = part,
            None => own.push((key, part)),
        }
    }
    own.into_iter().map(|(_, part)| part).collect()
}

/// The example of each check in the documentation, with the file that it is for.
fn examples() -> Vec<(String, String, String)> {
    let page = fs::read_to_string(root().join("docs/linting.md")).unwrap();
    page.split("\n### ")
        .skip(1)
        .map(|section| {
            let check = section.lines().next().unwrap().to_owned();
            let code = section.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
            let file = code.lines().next().and_then(|line| line.strip_prefix("# "));
            let file = file.unwrap_or(RULE).to_owned();
            (check, file, code.to_owned())
        })
        .collect()
}

fn with_example(file: &str, code: &str) -> tempfile::TempDir {
    let folder = copy();
    let rule = fs::read_to_string(folder.path().join(RULE)).unwrap();
    fs::write(folder.path().join(file), with_parts(&rule, code)).unwrap();
    folder
}

fn checks_of(report: &Value) -> BTreeSet<String> {
    let problems = report["problems"].as_array().unwrap();
    problems.iter().map(|problem| problem["check"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn nothing_is_found_in_a_rule_without_fault() {
    let ran = lint(&root().join(PACK), &["--fail-on", "note"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(ran.out, "CLEAN 1 rule and 1 case: nothing found\n");
}

#[test]
fn every_check_finds_its_example() {
    let examples = examples();
    let documented: Vec<&str> = examples.iter().map(|(check, ..)| check.as_str()).collect();
    let checks: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    assert_eq!(documented, checks);
    let mut wrong = Vec::new();
    for (check, file, code) in &examples {
        let folder = with_example(file, code);
        let report = json(folder.path(), &["--fail-on", "note"]);
        if !checks_of(&report).contains(check) {
            wrong.push(format!("{check}: {:#}", report["problems"]));
        }
        // Cases of a rule with another id are about a rule that is not there.
        let code = if matches!(check.as_str(), "load" | "id-not-stem") { 2 } else { 1 };
        if report["exit_code"] != code {
            wrong.push(format!("{check}: exit {}", report["exit_code"]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn checks_are_listed_and_explained_as_they_are_documented() {
    let page = fs::read_to_string(root().join("docs/linting.md")).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = words(&page);
    let list = run(&["lint", "--list"]).out;
    for check in CHECKS {
        assert!(list.contains(check.id), "{}", check.id);
        let ran = run(&["lint", "--explain", check.id]);
        assert!(words(&ran.out).contains(&words(check.explanation)), "{}", check.id);
        let head = format!("### {} {} ({}).", check.id, check.title, check.severity.name());
        assert!(page.contains(&head), "{head}");
        assert!(page.contains(&words(check.explanation)), "{}", check.id);
    }
    let ran = run(&["lint", "--explain", "unused-lets"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `unused-let`?"), "{}", ran.err);
    assert_eq!(run(&["lint", "--only", "no-such-check"]).code, 2);
}

#[test]
fn the_shipped_pack_is_clean() {
    let rules = root().join("rules").display().to_string();
    // What no case turns away is told of `--mutate`, too, and rule by rule.
    let ran = run(&["lint", &rules, "--fail-on", "note", "--skip", "always-true"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!ran.out.contains("cannot be judged"), "{}", ran.out);
}

/// A pack with problems of each severity, one of them allowed.
fn mixed() -> tempfile::TempDir {
    let code = "title: A DPM server waits for a restart, see ticket #12\n\
                params:\n  hours_allowed: { type: integer, default: 2, help: Hours. }\n  \
                old: { type: integer, minimum: 1, default: 2, help: Left over. }\n\
                violated: dpm.reboot_pending && now - upgraded > limit && dpm.check_slots > 8 && dpm.check_slots < 4\n\
                lint:\n  allow:\n    - { check: unused-param, reason: It is read by a script elsewhere. }\n";
    with_example(RULE, code)
}

#[test]
fn reports_show_places_and_exceptions() {
    let folder = mixed();
    let here = folder.path().display().to_string();
    let steady =
        |text: &str| text.replace(&here, "my-rules").replace("file://my-rules", "file:///my-rules");
    let ran = lint(folder.path(), &["-v", "--no-cases"]);
    assert_eq!(ran.code, 1);
    snapshot_beside(&root().join("tests/output/lint.txt"), &steady(&ran.out));
    let sarif = lint(folder.path(), &["--format", "sarif", "--no-cases"]);
    assert_eq!(sarif.code, 1);
    let document: Value = serde_json::from_str(&sarif.out).unwrap();
    let run = &document["runs"][0];
    let results = Value::Array(run["results"].as_array().unwrap().clone());
    let shown = format!("{:#}\n{:#}", run["invocations"], results);
    snapshot_beside(&root().join("tests/output/lint-sarif.txt"), &steady(&shown));
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), CHECKS.len());
    let results = sarif_results(&document, "dpmguardProblem/v1");
    let levels: BTreeSet<&str> = results.iter().map(|one| one["level"].as_str().unwrap()).collect();
    assert_eq!(levels.len(), 3, "{levels:?}");
    assert_eq!(results.iter().filter(|one| one.get("suppressions").is_some()).count(), 1);
}

#[test]
fn a_relative_pack_has_relative_references() {
    std::env::set_current_dir(root()).unwrap();
    let ran = run(&["lint", "tests/packs/coverage", "--format", "sarif"]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    assert!(!results.is_empty());
    for result in results {
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(place, "tests/packs/coverage/server-behind.yaml");
    }
}

#[test]
fn a_fingerprint_outlives_lines_that_move() {
    let prints = |code: &str| {
        let folder = with_example(RULE, code);
        let ran = lint(folder.path(), &["--format", "sarif", "--no-cases"]);
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        document["runs"][0]["results"][0]["partialFingerprints"].to_string()
    };
    let code = "let:\n  - upgraded: dpm.last_upgrade_at\n  - limit: hours(params.hours_allowed)\n  - other: 1\n";
    let moved = code.replace("let:", "let:\n  # a comment\n\n");
    assert_eq!(prints(code), prints(&moved));
    assert_ne!(prints(code), prints(&code.replace("other", "another")));
}

#[test]
fn the_threshold_decides_in_every_format() {
    let note = with_example(RULE, "tags: [reboots]\n");
    let warning = with_example(RULE, "max_age:\n  volume: 24h\n");
    for format in ["human", "json", "sarif"] {
        let code = |folder: &tempfile::TempDir, least: &str| {
            lint(folder.path(), &["--no-cases", "--format", format, "--fail-on", least]).code
        };
        let all = ["note", "warning", "error", "never"];
        assert_eq!(all.map(|least| code(&note, least)), [1, 0, 0, 0], "{format}");
        assert_eq!(all.map(|least| code(&warning, least)), [1, 1, 0, 0], "{format}");
        assert_eq!(lint(note.path(), &["--format", format, "--no-cases"]).code, 0);
        let ran = lint(warning.path(), &["--format", format, "--skip", "max-age-unread"]);
        assert_eq!(ran.code, 0, "{}", ran.out);
        let ran = lint(warning.path(), &["--format", format, "--only", "lone-tag"]);
        assert_eq!(ran.code, 0, "{}", ran.out);
    }
}

#[test]
fn a_file_that_cannot_be_read_hides_no_other() {
    let folder = with_example("other.yaml", "id: other\nmax_age:\n  volume: 24h\n");
    fs::write(folder.path().join("broken.yaml"), "id: [").unwrap();
    let rule = fs::read_to_string(folder.path().join(RULE)).unwrap();
    fs::write(folder.path().join("named.yaml"), rule.replace("id: server-waits", "id: nmed"))
        .unwrap();
    let report = json(folder.path(), &["--no-cases"]);
    assert_eq!(report["exit_code"], 2);
    let found = checks_of(&report);
    for check in ["load", "max-age-unread", "id-not-stem"] {
        assert!(found.contains(check), "{check}: {found:?}");
    }
    let ran = lint(&folder.path().join("none"), &[]);
    assert_eq!(ran.code, 2, "{}{}", ran.out, ran.err);
    let empty = tempfile::tempdir().unwrap();
    fs::write(
        empty.path().join("pack.yaml"),
        "schema: dpmguard.pack/v1\nname: none\ntitle: None\nversion: 1.0.0\n",
    )
    .unwrap();
    let table = "schema: dpmguard.table/v1\nid: some-table\n";
    fs::write(empty.path().join("some-table.yaml"), table).unwrap();
    let ran = lint(empty.path(), &["--no-cases"]);
    assert!([2, 3].contains(&ran.code), "{}{}", ran.out, ran.err);
}

#[test]
fn exceptions_of_rule_and_pack() {
    let allow = |check: &str| {
        format!("lint:\n  allow:\n    - {{ check: {check}, reason: It is so here. }}\n")
    };
    let folder = with_example(RULE, &format!("tags: [reboots]\n{}", allow("lone-tag")));
    let ran = lint(folder.path(), &["--fail-on", "note"]);
    assert_eq!(ran.out, "CLEAN 1 rule and 1 case: nothing found; 1 allowed\n");
    assert!(lint(folder.path(), &["-v"]).out.contains("allowed: It is so here."));
    // In vain only where the check was run.
    let ran = lint(folder.path(), &["--skip", "lone-tag", "--fail-on", "note"]);
    assert_eq!(ran.code, 0, "{}", ran.out);

    let folder = with_example(RULE, "tags: [reboots]\n");
    let pack = folder.path().join("pack.yaml");
    let text = fs::read_to_string(&pack).unwrap();
    fs::write(&pack, format!("{text}{}", allow("lone-tag"))).unwrap();
    assert_eq!(lint(folder.path(), &["--fail-on", "note"]).code, 0);
    fs::write(&pack, format!("{text}{}", allow("lone-tags"))).unwrap();
    let ran = lint(folder.path(), &[]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("did you mean `lone-tag`?"), "{}", ran.out);
}

const UNUSED: &str = "\
params:
  # How long it may take.
  hours_allowed: { type: integer, minimum: 1, default: 2, help: Hours. }
  days_allowed:
    type: integer
    default: 2
    help: Left over.
let:
  # When it was upgraded.
  - upgraded: dpm.last_upgrade_at
  - limit: hours(params.hours_allowed)   # in seconds
  - restarted: >-
      dpm.last_boot_at

  # The end.
";

#[test]
fn what_is_unused_is_taken_out_and_nothing_else() {
    let folder = with_example(RULE, UNUSED);
    let path = folder.path().join(RULE);
    let before = fs::read_to_string(&path).unwrap();
    let ran = lint(folder.path(), &["--fix", "--dry-run"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("would be mended"), "{}", ran.out);
    assert!(ran.out.contains("-   - restarted: >-"), "{}", ran.out);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
    let ran = lint(folder.path(), &["--fix", "--fail-on", "note"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let after = fs::read_to_string(&path).unwrap();
    let gone = [
        "  days_allowed:",
        "    type: integer",
        "    default: 2",
        "    help: Left over.",
        "  - restarted: >-",
        "      dpm.last_boot_at",
    ];
    let kept: Vec<&str> = before.lines().filter(|line| !gone.contains(line)).collect();
    assert_eq!(after.lines().collect::<Vec<_>>(), kept);
    assert_eq!(run(&["test", &folder.path().display().to_string(), "--accept"]).code, 0);
}

/// A case that sets the parameter could not be judged any more.
#[test]
fn a_fix_that_breaks_the_pack_is_taken_back() {
    let folder = with_example(RULE, UNUSED);
    let path = folder.path().join(RULE);
    let before = fs::read_to_string(&path).unwrap();
    let case = folder.path().join("cases/server-waits/all.yaml");
    let text = fs::read_to_string(&case).unwrap();
    fs::write(&case, format!("{text}params: {{ days_allowed: 3 }}\n")).unwrap();
    let ran = lint(folder.path(), &["--fix"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("fix-failed"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

/// What the checks must not be misled by.
#[test]
fn what_is_right_is_not_doubtful() {
    let right = [
        // Both can be: the values are of different objects.
        "violated: dpm.check_slots > 8 && dpm.agents.any(|a| a.dpm_server.check_slots < 4)\n",
        // Whole numbers between.
        "violated: dpm.check_slots > 4 && dpm.check_slots < 6 && dpm.reboot_pending\n",
        "violated: dpm.check_slots != 4 && dpm.check_slots != 5 && dpm.reboot_pending\n",
        "violated: dpm.services.msdpm != \"running\" && dpm.services.msdpm != \"stopped\"\n",
        // A part that the clause before it leaves open.
        "violated: (dpm.reboot_pending || dpm.check_slots > 4) && dpm.check_slots < 6\n",
        // A comment of its own.
        "title: A DPM server waits for a restart  # see the manual\n",
        "violated: dpm.reboot_pending && dpm.storage_pool.free_bytes < gb(5)\n",
    ];
    let folder = many(&right);
    let report = json(folder.path(), &["--no-cases", "--skip", "unused-let,unused-param"]);
    assert_eq!(report["problems"], Value::Array(Vec::new()));
    assert_eq!(report["summary"]["rules"], right.len() + 1);
}

/// The rule as it is, and once more with each of these parts in place of its own.
fn many(codes: &[&str]) -> tempfile::TempDir {
    let folder = copy();
    let rule = fs::read_to_string(folder.path().join(RULE)).unwrap();
    for (number, code) in codes.iter().enumerate() {
        let text = with_parts(&rule, &format!("id: rule-{number}\n{code}"));
        fs::write(folder.path().join(format!("rule-{number}.yaml")), text).unwrap();
    }
    folder
}

/// What cannot be, in the ways in which it can be said.
#[test]
fn contradictions_are_found() {
    let impossible = [
        "dpm.check_slots > 4 && dpm.check_slots < 5",
        "dpm.check_slots == 4 && dpm.check_slots == 5",
        "dpm.check_slots > 4 && !(dpm.check_slots > 3)",
        "dpm.edition == \"x64\" && dpm.edition == \"x86\"",
        "dpm.name == \"A\" && dpm.name == \"b\"",
        "dpm.name == \"old\"",
        "dpm.reboot_pending && !dpm.reboot_pending",
        "upgraded < now && upgraded > now",
        "upgraded < now && now == upgraded",
        "limit < 0 && params.hours_allowed < 1",
        "if dpm.reboot_pending { !dpm.reboot_pending } else { false }",
        "(dpm.check_slots < 2 || dpm.check_slots > 8) && dpm.check_slots >= 2 && dpm.check_slots <= 8",
        "dpm.agents.any(|a| a.reboot_pending) && !dpm.agents.any(|b| b.reboot_pending)",
        "upgraded == ()",
    ];
    let codes: Vec<String> =
        impossible.iter().map(|condition| format!("violated: '{condition}'\n")).collect();
    let codes: Vec<&str> = codes.iter().map(String::as_str).collect();
    let folder = many(&codes);
    let report = json(folder.path(), &["--no-cases", "--only", "never-violated"]);
    let problems = report["problems"].as_array().unwrap();
    let found: BTreeSet<&str> = problems.iter().map(|one| one["rule"].as_str().unwrap()).collect();
    for (number, condition) in impossible.iter().enumerate() {
        assert!(found.contains(format!("rule-{number}").as_str()), "{condition}: {report:#}");
    }
    assert_eq!(found.len(), impossible.len());
}

/// Only its author knows whether a comment goes with what it stands at.
#[test]
fn what_has_a_comment_is_left_to_its_author() {
    for (from, to) in [
        ("  - restarted: >-", "  # An old idea.\n  - restarted: >-"),
        ("      dpm.last_boot_at\n", "      dpm.last_boot_at\n    # so far\n"),
    ] {
        let example = UNUSED.replace(from, to);
        assert_ne!(example, UNUSED);
        let folder = with_example(RULE, &example);
        let path = folder.path().join(RULE);
        let before = fs::read_to_string(&path).unwrap();
        let ran = lint(folder.path(), &["--fix"]);
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        let after = fs::read_to_string(&path).unwrap();
        // The parameter goes, the value with the comment stays.
        assert!(!after.contains("days_allowed:") && before.contains("days_allowed:"), "{after}");
        assert!(after.contains("- restarted:") && after.contains('#'), "{after}");
    }
}

#[test]
fn a_case_that_cannot_be_read_is_no_clean_pack() {
    let folder = copy();
    fs::write(folder.path().join("cases/server-waits/broken.yaml"), "x: [").unwrap();
    let ran = lint(folder.path(), &["--fail-on", "error"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.out.contains("broken.yaml:1"), "{}", ran.out);
}

/// A message that shows a number only, and hours that were taken for seconds.
#[test]
fn a_number_tells_no_object_and_has_its_unit() {
    for (check, code) in [
        (
            "message-without-subject",
            "finding:\n  subject: dpm\n  message: 'It waits for ${now - dpm.last_boot_at} seconds.'\n  evidence: [dpm.reboot_pending]\n  fingerprint: [dpm]\n",
        ),
        ("suspicious-unit", "violated: dpm.reboot_pending && now - dpm.last_boot_at < 24\n"),
    ] {
        let folder = with_example(RULE, code);
        let report = json(folder.path(), &["--fail-on", "note"]);
        assert!(checks_of(&report).contains(check), "{check}: {:#}", report["problems"]);
    }
    let fine = "violated: dpm.reboot_pending && now - dpm.last_boot_at < hours(24)\n";
    let report = json(with_example(RULE, fine).path(), &["--fail-on", "note"]);
    assert!(!checks_of(&report).contains("suspicious-unit"), "{:#}", report["problems"]);
}

/// Every copy is told once, with the first rule of all that are alike.
#[test]
fn many_rules_that_say_the_same_are_told_once_each() {
    let folder = copy();
    let stem = RULE.trim_end_matches(".yaml");
    let rule = fs::read_to_string(folder.path().join(RULE)).unwrap();
    for number in 1..=8 {
        let id = format!("{stem}-{number}");
        let text = rule.replacen(&format!("id: {stem}"), &format!("id: {id}"), 1);
        fs::write(folder.path().join(format!("{id}.yaml")), text).unwrap();
        let (from, to) =
            (folder.path().join("cases").join(stem), folder.path().join("cases").join(id));
        fs::create_dir_all(&to).unwrap();
        for case in files(&from, "yaml") {
            fs::copy(&case, to.join(case.file_name().unwrap())).unwrap();
        }
    }
    let report = json(folder.path(), &["--only", "rules-overlap"]);
    let found = report["problems"].as_array().unwrap();
    assert_eq!(found.len(), 8, "{report}");
    assert!(found.iter().all(|one| one["rule"] == stem), "{report}");
}
