//! From findings to a plan: what the shipped rules ask for clears what they find.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use dpmguard::author::suite::{self, Ready, Suite};
use dpmguard::eval;
use dpmguard::load;
use dpmguard::plan::remedy::{self, Fate, Given, Remedy, Why};
use dpmguard::source::{self, Sources};

use crate::support::{Bench, files, root, run, snapshot_beside};

/// The cases of the shipped pack, ready to be judged.
fn shipped() -> Suite {
    let mut sources = Sources::default();
    let folder = root().join("rules");
    let packs = load::packs(true, std::slice::from_ref(&folder), &mut sources).unwrap();
    let set = packs.rules(&[], &sources).unwrap();
    let all: [PathBuf; 1] = [folder];
    suite::read(&all, packs, set, sources, &|_| true)
        .unwrap_or_else(|(found, _)| panic!("{found:?}"))
}

/// The repair of what a case's own rule finds, or of all that is wrong there.
fn repaired(case: &Ready, is_whole: bool) -> Option<Remedy> {
    let now = &case.case.now;
    let evaluation = eval::evaluate(&case.facts, &case.set, now, None, &|_| true);
    let given = Given {
        set: &case.set,
        facts: &case.facts,
        now,
        start: now.seconds(),
        end: None,
        zone: "UTC",
        wanted: &|evaluation, verdict| {
            let rule = evaluation.rule(verdict);
            is_whole || rule.is_some_and(|rule| *rule.id == *case.case.rule)
        },
    };
    remedy::remedy(given, &evaluation)
}

/// Whether something about a remedy hangs on facts that are missing.
fn hangs_on_facts(remedy: &Remedy) -> bool {
    remedy.findings.iter().any(|finding| finding.fate == Fate::Unknown)
        || remedy.asides.iter().any(|aside| matches!(aside.why, Why::Unknown(_)))
        || remedy.trace.steps.iter().any(|step| !step.unknown.is_empty())
}

/// What a case leaves of its findings, in words; none if nothing.
fn leaves(case: &Ready, remedy: &Remedy) -> Option<String> {
    let own = |finding: &&remedy::Known| finding.is_old && *finding.rule == *case.case.rule;
    let old = remedy.findings.iter().filter(own);
    let open: Vec<_> = old.filter(|finding| finding.fate != Fate::Cleared).collect();
    if open.is_empty() {
        return None;
    }
    let mut text = format!("{}:\n", case.name);
    for finding in open {
        let (fate, key) = (finding.fate, &finding.subject.key);
        writeln!(text, "  {fate:?} {key}: {}", finding.message.replace('\n', " ")).unwrap();
    }
    for (step, trace) in remedy.steps.iter().zip(&remedy.trace.steps) {
        let vain: Vec<_> = trace
            .vain
            .iter()
            .map(|cause| &case.set.rules[remedy.trace.causes[*cause].rule].id)
            .collect();
        let open: Vec<_> = trace.undecided.iter().map(|rule| &case.set.rules[*rule].id).collect();
        writeln!(
            text,
            "    step {} {:?} vain {vain:?} undecided {open:?} unknown {:?}",
            step.step.name.replace('\n', " | "),
            trace.status,
            trace.unknown
        )
        .unwrap();
    }
    for aside in &remedy.asides {
        writeln!(text, "    aside {} {:?}", aside.step.name.replace('\n', " | "), aside.why)
            .unwrap();
    }
    Some(text)
}

/// Does something with each of many, on all processors.
fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(one);
                }
            });
        }
    });
}

/// Rules whose findings no plan can show to go away; each says why.
const MANUAL: [&str; 10] = [
    "damaged-database-pages",
    "data-source-without-object",
    "filter-driver-errors",
    "log-sequence-end-reported",
    "network-saturated",
    "poor-network-link",
    "protected-volume-gone",
    "too-many-data-sources-on-volume",
    "two-backup-products",
    "volume-unusable",
];

/// Cases whose point is that facts are missing, so that nobody can say what clears them.
const MISSING: [&str; 40] = [
    "alert-names-a-cause/another-rule-is-undecided",
    "backup-broken-by-failover/kind-of-job-not-collected",
    "check-running/jobs-not-collected-verifying",
    "check-running/state-not-collected-job-in-progress",
    "clock-skew/dpm-clock-not-collected-own-off",
    "clustered-server-offline/operational-nodes-not-collected",
    "daily-check-too-short/one-unknown-another-too-long",
    "database-file-moved/volume-not-in-the-facts-and-open",
    "database-file-moved/volume-protection-not-collected",
    "database-not-protected/new-database",
    "database-not-protected/storage-groups",
    "database-not-protected/volume-of-the-same-name",
    "database-not-protected/while-a-first-copy-is-made",
    "database-removed-from-group/removed-and-state-not-collected",
    "dpm-service-stopped/sql-agent-not-collected-but-msdpm-down",
    "eseutil-check-failed/jobs-open-but-alert",
    "eseutil-check-timed-out/jobs-open-but-alert",
    "eseutil-log-missing/alerts-not-collected",
    "group-locked-by-initial-copy/one-state-not-collected-but-a-copy-runs",
    "inconsistent-without-cause/a-cause-is-undecided",
    "inconsistent-without-cause/alerts-not-collected",
    "journal-too-small/next-usn-not-collected-but-small",
    "journal-wrapped/first-usn-not-collected-but-invalid",
    "log-folder-moved/volume-protection-not-collected",
    "new-database-awaits-full-backup/new-and-dismounted",
    "new-database-in-group/added-and-state-not-collected",
    "new-database-under-dpm-2010/added-and-state-not-collected",
    "passive-copy-unavailable/copy-failed-and-node-not-known",
    "recovery-point-volume-full/threshold-not-collected-but-full",
    "standby-agent-not-ready/disabled-and-reach-not-collected",
    "storage-group-not-protected/listed-but-not-protected",
    "storage-group-not-protected/new-group",
    "synchronisation-cut-short/alerts-not-collected-job-known",
    "system-folder-moved/volume-protection-not-collected",
    "tracking-lost/alert-without-time-of-loss",
    "tracking-lost/alerts-not-collected-loss-known",
    "unreadable-file/jobs-not-collected-but-alert",
    "vss-writer-failed/product-not-collected",
    "vss-writer-missing/switched-off-and-writers-not-collected",
    "vss-writer-stuck-in-backup/who-holds-the-writer-not-collected",
];

/// A check is a check, however it begins: one that runs already, and one that comes with a change of the group.
#[test]
fn every_check_does_what_a_check_does() {
    let bench = Bench::new();
    let parts = |id: &str| {
        let found = bench.rules.actions.iter().find(|action| *action.id == *id).unwrap();
        let part = |key: &str| found.root.get(key).unwrap().to_json().as_array().unwrap().clone();
        [part("let"), part("requires"), part("uses"), part("effects")]
    };
    let [lets, requires, uses, effects] = parts("run-consistency-check");
    let waiting = parts("wait-for-check");
    assert_eq!([&lets, &requires, &uses], [&waiting[0], &waiting[1], &waiting[2]]);
    // It ends the job that runs.
    let (ends, others) = waiting[3].split_at(2);
    assert!(ends.iter().all(|effect| effect["each"] == "j"));
    assert_eq!(others, effects);

    let confirmed = parts("confirm-immediate-check");
    // How long it takes is told in other words.
    let read = lets.iter().position(|one| one.get("agents_read").is_some()).unwrap();
    assert!(lets[read..].iter().all(|one| confirmed[0].contains(one)));
    assert!(requires.iter().all(|one| confirmed[1].contains(one)));
    assert_eq!(confirmed[2], uses);
    // It changes the group first.
    assert!(confirmed[3][0]["set"] == "group.last_modified_at");
    assert_eq!(confirmed[3][1..], effects);
}

/// What the goal needs has ended when the window closes: a check that runs before the plan begins takes longer than
/// its one repair.
#[test]
fn the_window_holds_the_checks_that_run_already() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml").display().to_string();
    let facts = root().join("examples/contoso").display().to_string();
    let ran = run(&[
        "remediate",
        "--facts",
        &facts,
        "--now",
        "observed",
        "--only",
        "unplanned-failover",
        "--out",
        &plan,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let checked = run(&["plan", "check", &plan, "--facts", &facts, "--now", "observed"]);
    assert!(checked.code == 0 && checked.out.starts_with("PASS"), "{}", checked.out);
    assert!(checked.out.contains("2 steps | window 2009-09-14 18:00 to 20:00"), "{}", checked.out);
}

#[test]
fn rules_that_need_a_person_say_so_and_are_few() {
    let suite = shipped();
    let manual = suite.set.rules.iter().filter(|rule| rule.manual.is_some());
    let manual: Vec<&str> = manual.map(|rule| &*rule.id).collect();
    assert_eq!(manual, MANUAL);
    assert!(MANUAL.len() * 10 <= suite.set.rules.len());
}

/// Every rule's remediation, simulated on each of its violated cases, clears what the rule found. Where a
/// cause that another rule found stands in the way, that one is repaired, too.
#[test]
fn what_the_rules_ask_for_clears_what_they_find() {
    let suite = shipped();
    let wanted = std::env::var("REMEDY").unwrap_or_default();
    let cases: Vec<_> = suite.cases.iter().filter(|case| case.name.contains(&wanted)).collect();
    let open: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());
    let count = AtomicUsize::new(0);
    each(&cases, |case| {
        let Some(remedy) = repaired(case, false) else { return };
        count.fetch_add(1, Ordering::Relaxed);
        if leaves(case, &remedy).is_none() {
            return;
        }
        let remedy = repaired(case, true).unwrap();
        if let Some(mut text) = leaves(case, &remedy) {
            if hangs_on_facts(&remedy) {
                text.push_str("    hangs on facts\n");
            }
            open.lock().unwrap().insert(case.name.clone(), text);
        }
    });
    let mut open = open.into_inner().unwrap();
    let count = count.into_inner();
    for rule in MANUAL {
        let of = |name: &String| name.split('/').next() == Some(rule);
        assert!(!wanted.is_empty() || open.keys().any(of), "{rule} needs no person");
        open.retain(|name, _| !of(name));
    }
    for name in MISSING {
        let text = open.remove(name);
        assert!(
            !wanted.is_empty() || text.is_some_and(|text| text.contains("hangs on facts")),
            "{name}"
        );
    }
    let left: Vec<&str> = open.values().map(String::as_str).collect();
    assert!(open.is_empty(), "{} of {count} cases:\n{}", open.len(), left.join("\n"));
}

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
        if name == "contoso" {
            the_page_shows(&ran.out);
        }
        let checked = run(&["plan", "check", &out, "--facts", &facts, "--now", "observed"]);
        let verdict = ["PASS", "FAIL", "", "NO VERDICT"][usize::from(checked.code)];
        let said = format!("`plan check`: {verdict}\n");
        assert!(ran.err.contains(&said), "{name}: {}{}", ran.err, checked.out);
        let is_whole = !ran.err.contains(" cleared: ") && !ran.err.contains("facts are missing");
        assert_eq!(ran.code == 0, checked.code == 0 && is_whole, "{name}: {}", ran.err);
    }
}

/// The step that the page shows is one of the plan.
fn the_page_shows(plan: &str) {
    let begin = plan.find("  # database-file-moved (DPM01/EX01/SG1)").unwrap();
    let step = &plan[begin..];
    let with = step.find("    with:").unwrap();
    let step = &step[..=with + step[with..].find('\n').unwrap()];
    let page = root().join("docs/remediate.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (head, rest) = text.split_once("```yaml\n").unwrap();
    let (_, tail) = rest.split_once("```\n").unwrap();
    let wanted = format!("{head}```yaml\n{step}```\n{tail}");
    if std::env::var_os("DPMGUARD_UPDATE").is_some() {
        std::fs::write(&page, &wanted).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&page).unwrap(), wanted, "DPMGUARD_UPDATE=1 writes it");
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
    // What makes its check vain is repaired with it, and told.
    let vain = with(&["--only", "volume-resized"]);
    assert!(vain.err.contains(", 1 of 1 finding cleared;"), "{}", vain.err);
    let said = "repaired, too, because a check would be wasted otherwise: new-database-in-group";
    assert!(vain.err.contains(said), "{}", vain.err);
    assert!(vain.out.contains("title: Repair of 1 finding\n"), "{}", vain.out);
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

/// What lets a check begin comes along, whether or not anybody asked for it.
#[test]
fn what_was_asked_for_is_made_possible() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts.yaml");
    let mut text = std::fs::read_to_string(example("move-database/facts.yaml")).unwrap();
    let moved = (r"    log_path: 'L:\SG2'", r"    log_path: 'F:\SG2'");
    let disabled = ("    enabled: true\n", "    enabled: false\n");
    for (from, to) in [moved, disabled] {
        assert_eq!(text.matches(from).count(), 1, "{from}");
        text = text.replace(from, to);
    }
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    let only = ["--only", "log-folder-moved"];
    let ran = run(&[&["remediate", "--now", "observed", "--facts", &path], &only[..]].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.err, ran.out);
    assert!(ran.out.contains("action: enable-agent"), "{}", ran.out);
    assert!(ran.out.contains("action: run-consistency-check"), "{}", ran.out);
    assert!(!ran.out.contains("except:"), "{}", ran.out);
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
