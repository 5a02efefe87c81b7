//! `dpmguard test`: the runner itself must not report wrongly.

use std::fs;
use std::path::{Path, PathBuf};

use dpmguard::load;

use crate::support::{run, run_with};

const RULE: &str = "schema: dpmguard.rule/v1
id: database-too-large
title: A database is larger than a check can get through in a night
severity: warning
certainty: inferred
explanation: A consistency check reads the whole database.
params:
  most_gb: { type: integer, default: 200, minimum: 1, help: Largest size in gigabytes of 10^9 bytes. }
select:
  - each: db
    of: database
    where: db.kind == \"mailbox\"
require:
  - that: db.mounted ?? false
    else: { outcome: not_applicable, because: '${db.name} is not mounted' }
violated: db.size_bytes > params.most_gb * 1000000000
finding:
  subject: db
  message: '${db.name} has ${size(db.size_bytes)}'
  evidence: [db.size_bytes]
  fingerprint: [db]
references:
  - { title: House rule 7, says: No database may be larger than a check can get through in a night. }
";

const CASE: &str = "schema: dpmguard.case/v1
title: A database larger than the limit
facts:
  schema: dpmguard.facts/v1
  observed_at: 2009-05-04T18:00:00Z
  complete: all
  databases:
    - { server: EX01, storage_group: SG1, name: DB1, kind: mailbox, mounted: true, size_bytes: 300000000000 }
    - { server: EX01, storage_group: SG1, name: DB2, kind: mailbox, mounted: true, size_bytes: 100000000000 }
now: 2009-05-04T18:00:00Z
expect:
  - { subject: EX01/SG1/DB1, outcome: violated }
  - { subject: EX01/SG1/DB2, outcome: satisfied }
";

const ACTION: &str = "schema: dpmguard.action/v1
id: fill-database
title: Fill a database
role: change
at: database
params:
  database: { ref: database }
  gigabytes: { type: integer, help: How much comes in. }
  minutes_each: { type: integer, default: 2, minimum: 1, help: Minutes for a gigabyte. }
do: Fill ${database.name}.
duration:
  best: minutes(gigabytes * params.minutes_each)
  expected: minutes(gigabytes * params.minutes_each)
  worst: minutes(gigabytes * params.minutes_each) * 2
  because: a guess
requires:
  - { that: database.mounted ?? false, else: '${database.name} is not mounted' }
effects:
  - { set: database.size_bytes, to: 'database.size_bytes + gigabytes * 1000000000' }
done_when: gigabytes == 0
references:
  - { title: House rule 8, says: Whoever fills a database says so before. }
";

const FILLED: &str = "schema: dpmguard.case/v1
title: A database grows over the limit
facts:
  schema: dpmguard.facts/v1
  observed_at: 2009-05-04T18:00:00Z
  complete: all
  databases:
    - { server: EX01, storage_group: SG1, name: DB1, kind: mailbox, mounted: true, size_bytes: 150000000000 }
now: 2009-05-04T18:00:00Z
with: { database: EX01/SG1/DB1, gigabytes: 60 }
expect:
  status: done
  violated: { database-too-large: [EX01/SG1/DB1] }
  facts: { 'databases[EX01/SG1/DB1].size_bytes': 210000000000 }
";

struct Pack {
    folder: tempfile::TempDir,
}

impl Pack {
    fn new() -> Self {
        let pack = Self { folder: tempfile::tempdir().unwrap() };
        pack.write(
            "pack.yaml",
            "schema: dpmguard.pack/v1\nname: house\ntitle: House rules\nversion: 1.0.0\n",
        );
        pack.write("database-too-large.yaml", RULE);
        pack.write("cases/database-too-large/over.yaml", CASE);
        pack
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn test(&self, args: &[&str]) -> crate::support::Ran {
        let folder = self.folder.path().display().to_string();
        let mut all = vec!["test", &folder, "--no-shipped-rules"];
        all.extend(args);
        run(&all)
    }

    fn accepted(self) -> Self {
        let ran = self.test(&["--accept"]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        self
    }
}

#[test]
fn a_new_case_fails_until_its_snapshot_is_accepted() {
    let pack = Pack::new();
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("there is no snapshot yet"), "{}", ran.out);
    assert!(!pack.path("cases/database-too-large/over.snap").exists());
    let pack = pack.accepted();
    let ran = pack.test(&[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "PASSED  1 case of 1 rule: 1 passed\n"));
    let snapshot = fs::read_to_string(pack.path("cases/database-too-large/over.snap")).unwrap();
    assert!(snapshot.starts_with("---\nsource: dpmguard test\n---\n"), "{snapshot}");
    assert!(snapshot.contains("\"file\": \"cases/database-too-large/over.yaml\""), "{snapshot}");
    // The same pack at another place has the same snapshots.
    let other = Pack::new();
    fs::copy(
        pack.path("cases/database-too-large/over.snap"),
        other.path("cases/database-too-large/over.snap"),
    )
    .unwrap();
    assert_eq!(other.test(&[]).code, 0);
}

#[test]
fn a_failing_case_shows_what_was_expected_what_came_and_why() {
    let pack = Pack::new().accepted();
    pack.write("database-too-large.yaml", &RULE.replace("size_bytes >", "size_bytes <"));
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 1);
    for part in [
        "FAILED   database-too-large/over  A database larger than the limit",
        "database-too-large: EX01/SG1/DB1\n    - expected violated\n    + actual   satisfied",
        "decided by `violated`, which was false",
        "db.size_bytes < params.most_gb * 1000000000",
        "db.size_bytes               = 300000000000",
        "params.most_gb * 1000000000 = 200000000000",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
    // What is not as expected is never accepted.
    let before = fs::read_to_string(pack.path("cases/database-too-large/over.snap")).unwrap();
    assert_eq!(pack.test(&["--accept"]).code, 1);
    assert_eq!(
        fs::read_to_string(pack.path("cases/database-too-large/over.snap")).unwrap(),
        before
    );
}

#[test]
fn a_changed_report_is_shown_as_a_difference() {
    let pack = Pack::new().accepted();
    pack.write("database-too-large.yaml", &RULE.replace("'${db.name} has", "'${db.name} holds"));
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("CHANGED  database-too-large/over"), "{}", ran.out);
    assert!(ran.out.contains("\"message\": \"DB1 has 300.0 GB\""), "{}", ran.out);
    assert!(ran.out.contains("\"message\": \"DB1 holds 300.0 GB\""), "{}", ran.out);
}

/// A slip in a case is an error, whatever the rule says, and never a pass.
#[test]
fn a_wrong_case_is_an_error() {
    let slips = [
        ("over.yaml", CASE.replace("outcome: violated", "outcome: violatd"), "violatd"),
        (
            "over.yaml",
            CASE.replace("subject: EX01/SG1/DB1", "subject: EX01/SG1/DB9"),
            "did you mean",
        ),
        ("over.yaml", CASE.replace("size_bytes", "size_byte"), "unknown key `size_byte`"),
        (
            "over.yaml",
            CASE.replace("title:", "rule: database-to-large\ntitle:"),
            "database-too-large",
        ),
        ("over.yaml", format!("{CASE}params: {{ most_gbs: 3 }}\n"), "most_gb"),
        ("over.yaml", format!("{CASE}params: {{ most_gb: many }}\n"), "whole number"),
        ("over.yaml", format!("{CASE}base: no-such.yaml\n"), "either `base` or `facts`"),
        (
            "over.yaml",
            format!("{CASE}patch:\n  - {{ remove: 'databases[EX01/SG1/DB7].mounted' }}\n"),
            "leads nowhere",
        ),
        ("over.yaml", String::new(), "over.yaml"),
        ("over.yaml", "a: [".to_owned(), "over.yaml"),
    ];
    for (name, text, said) in slips {
        let pack = Pack::new().accepted();
        pack.write(&format!("cases/database-too-large/{name}"), &text);
        let ran = pack.test(&["--accept"]);
        assert_eq!(ran.code, 2, "{text}\n{}{}", ran.out, ran.err);
        assert!(ran.out.contains("1 in error"), "{text}\n{}", ran.out);
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
    let pack = Pack::new().accepted();
    let base = CASE.split("facts:").next().unwrap().to_owned()
        + "base: ../../fixtures/estat.yaml\nnow: 2009-05-04T18:00:00Z\nexpect: satisfied\n";
    pack.write("fixtures/estate.yaml", "");
    pack.write("cases/database-too-large/over.yaml", &base);
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("it does not exist"), "{}", ran.out);
    assert!(ran.out.contains("did you mean `estate.yaml`?"), "{}", ran.out);
    let pack = Pack::new();
    pack.write("cases/database-to-large/under.yaml", CASE);
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("there is no rule `database-to-large`"), "{}", ran.out);
}

#[test]
fn no_case_is_no_verdict() {
    let pack = Pack::new();
    assert_eq!(pack.test(&["--filter", "nothing-like-that"]).code, 3);
    fs::remove_dir_all(pack.path("cases")).unwrap();
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("no case was found"), "{}", ran.out);
    assert!(ran.out.contains("without a case: database-too-large"), "{}", ran.out);
    let ran = run(&["test", &pack.path("nowhere").display().to_string()]);
    assert_eq!(ran.code, 2, "{}", ran.err);
}

#[test]
fn a_snapshot_without_its_case_is_told_and_removed_on_request() {
    let pack = Pack::new().accepted();
    let stale = pack.path("cases/database-too-large/gone.snap");
    fs::write(&stale, "---\nsource: dpmguard test\n---\nold\n").unwrap();
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("gone.snap belongs to no case"), "{}", ran.out);
    assert_eq!(pack.test(&["--unreferenced", "reject"]).code, 1);
    // A filter hides cases, so nobody can say which snapshots are stale.
    assert_eq!(pack.test(&["--unreferenced", "delete", "--filter", "over"]).code, 0);
    assert!(stale.exists());
    assert_eq!(pack.test(&["--unreferenced", "delete"]).code, 0);
    assert!(!stale.exists());
    assert!(pack.path("cases/database-too-large/over.snap").exists());
}

#[test]
fn review_asks_for_each_difference() {
    let pack = Pack::new();
    pack.write(
        "cases/database-too-large/under.yaml",
        &CASE.replace("300000000000", "200000000001"),
    );
    let folder = pack.folder.path().display().to_string();
    let args = ["test", &folder, "--no-shipped-rules", "--review"];
    let ran = run_with(&args, b"what?\na\ns\n");
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("[1 of 2]") && ran.out.contains("[2 of 2]"), "{}", ran.out);
    assert!(pack.path("cases/database-too-large/over.snap").exists());
    assert!(!pack.path("cases/database-too-large/under.snap").exists());
    assert_eq!(run_with(&args, b"q\n").code, 1);
    assert_eq!(run_with(&args, b"").code, 1);
    assert_eq!(run_with(&args, b"a\n").code, 0);
    assert_eq!(pack.test(&[]).code, 0);
}

#[test]
fn a_case_can_expect_outcomes_of_several_rules() {
    let pack = Pack::new();
    let other = RULE
        .replace("id: database-too-large", "id: database-too-small")
        .replace("size_bytes >", "size_bytes <");
    pack.write("database-too-small.yaml", &other);
    let case = CASE.replace(
        "  - { subject: EX01/SG1/DB1",
        "  - { rule: database-too-small, subject: EX01/SG1/DB1, outcome: satisfied }\n  \
         - { rule: database-too-small, subject: EX01/SG1/DB2, outcome: violated }\n  - { subject: EX01/SG1/DB1",
    );
    pack.write("cases/database-too-large/over.yaml", &case);
    let pack = pack.accepted();
    pack.write(
        "cases/database-too-large/over.yaml",
        &case.replace("DB2, outcome: violated", "DB2, outcome: undecided"),
    );
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.contains("database-too-small: EX01/SG1/DB2\n    - expected undecided"),
        "{}",
        ran.out
    );
}

#[test]
fn parameters_of_a_case_hold_for_it_alone() {
    let pack = Pack::new();
    let small = CASE
        .replace("outcome: satisfied", "outcome: violated")
        .replace("now:", "params: { most_gb: 50 }\nnow:");
    pack.write("cases/database-too-large/smaller.yaml", &small);
    let pack = pack.accepted();
    assert_eq!(pack.test(&[]).code, 0);
}

#[test]
fn reports_for_machines_say_the_same() {
    let pack = Pack::new().accepted();
    pack.write(
        "cases/database-too-large/new.yaml",
        &CASE.replace("title: A database larger than the limit", "title: 'Number # <A> & \"B\"'"),
    );
    pack.write("cases/database-too-large/broken.yaml", "");
    let json = pack.path("report.json").display().to_string();
    let ran = pack.test(&["--format", "junit", "-o", &format!("json={json}")]);
    assert_eq!(ran.code, 2);
    let text = fs::read(&json).unwrap();
    let mut sources = dpmguard::source::Sources::default();
    let file = sources.add("report.json", &text).unwrap();
    let root = dpmguard::source::read(&sources, file).unwrap();
    assert_eq!(load::schema("test-v1").unwrap().check(&root), []);
    let report: serde_json::Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(report["summary"]["passed"], 1);
    assert_eq!(report["summary"]["new"], 1);
    assert_eq!(report["summary"]["error"], 1);
    assert!(ran.out.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{}", ran.out);
    assert!(ran.out.contains("<failure message=\"there is no snapshot\">"), "{}", ran.out);
    assert!(ran.out.contains("&lt;A&gt; &amp; &quot;B&quot;"), "{}", ran.out);
    let tap = pack.test(&["--format", "tap"]).out;
    assert!(tap.starts_with("TAP version 13\n1..3\n"), "{tap}");
    assert!(tap.contains("ok 3 - database-too-large/over"), "{tap}");
    // A `#` in a title is no directive.
    assert!(tap.contains("not ok 2 - database-too-large/new: Number \\# <A>"), "{tap}");
    assert!(Path::new(&json).exists());
}

#[test]
fn mutants_that_no_case_notices_are_told_with_what_is_missing() {
    let pack = Pack::new().accepted();
    let ran = pack.test(&["--mutate"]);
    assert_eq!(ran.code, 0);
    for part in [
        // No public folder database, none that is not mounted, none exactly at the limit.
        "survived   select[0].where/drop",
        "survived   require[0].that/drop",
        "- require: db.mounted ?? false\n    + (nothing)",
        "survived   violated/compare",
        "- db.size_bytes > params.most_gb * 1000000000\n    + db.size_bytes >= params.most_gb * 1000000000",
        "missing case: facts for which both sides are exactly equal",
        "survived   require[0].else/outcome",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}", ran.out);
    }
    // In an empty run of luck all would be killed: these are.
    for part in ["violated/negate", "select[0].where/compare"] {
        assert!(!ran.out.contains(part), "{part}\n{}", ran.out);
    }
    assert_eq!(pack.test(&["--mutate"]).out, ran.out, "the same in every run");
    assert_eq!(pack.test(&["--mutate", "--mutate-min", "99"]).code, 1);
    assert_eq!(pack.test(&["--mutate", "--mutate-min", "10"]).code, 0);
    assert_eq!(pack.test(&["--mutate", "--mutate-min", "many"]).code, 2);
    // A mutant can be accepted with a reason, as long as it is what it was.
    let accept = |change: &str| {
        format!(
            "schema: dpmguard.mutants/v1\nrule: database-too-large\naccept:\n  - mutant: violated/compare\n    \
             change: '{change}'\n    reason: No size is ever exactly at the limit, to the byte.\n"
        )
    };
    let change = "db.size_bytes > params.most_gb * 1000000000 -> db.size_bytes >= params.most_gb * 1000000000";
    pack.write("cases/database-too-large/mutants.yaml", &accept(change));
    let ran = pack.test(&["--mutate", "--verbose"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("accepted   violated/compare"), "{}", ran.out);
    let page = pack.test(&["--mutate", "--format", "markdown"]).out;
    assert!(page.contains("| `database-too-large` | 1 | 2 | 6 | 1 | 0 | 0 | 25.0 % |"), "{page}");
    assert!(page.contains("accepted: No size is ever exactly at the limit"), "{page}");
    pack.write("cases/database-too-large/mutants.yaml", &accept("a -> b"));
    let ran = pack.test(&["--mutate"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("the mutant of that name makes another change"), "{}", ran.err);
}

#[test]
fn a_mutant_that_is_the_same_rule_is_proven_so() {
    let pack = Pack::new();
    let twice = "db.size_bytes > params.most_gb * 1000000000 || db.size_bytes > params.most_gb * 1000000000";
    let rule = RULE.replace(
        "violated: db.size_bytes > params.most_gb * 1000000000",
        &format!("violated: {twice}"),
    );
    pack.write("database-too-large.yaml", &rule);
    let ran = pack.accepted().test(&["--mutate", "--verbose"]);
    assert!(ran.out.contains("equivalent violated/swap-or"), "{}", ran.out);
    assert!(ran.out.contains("the same for every truth of its parts"), "{}", ran.out);
}

/// What was not judged must never look like a pass, and what is not ours must never be lost.
#[test]
fn a_case_beside_a_rule_counts_in_any_encoding_and_spelling() {
    let wrong = CASE.replace("outcome: violated", "outcome: undecided");
    let wrong = format!("{wrong}rule: database-too-large\n");
    for (name, bytes) in [
        ("wide.yaml", wide(&wrong)),
        (
            "escaped.yaml",
            wrong
                .replace("schema: dpmguard.case/v1", "schema: \"dpmguard.case\\/v1\"")
                .into_bytes(),
        ),
        (
            "document.json",
            serde_json::json!({
                "schema": "dpmguard.case/v1", "title": "t", "rule": "database-too-large",
                "now": "2026-01-15T12:00:00Z", "expect": "satisfied",
                "facts": {
                    "schema": "dpmguard.facts/v1", "observed_at": "2026-01-15T12:00:00Z", "complete": "all",
                    "databases": [],
                },
            })
            .to_string()
            .into_bytes(),
        ),
    ] {
        let pack = Pack::new().accepted();
        fs::write(pack.path(name), bytes).unwrap();
        let ran = pack.test(&[]);
        let stem = name.split_once('.').unwrap().0;
        assert_eq!(ran.code, 1, "{name}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains(&format!("FAILED   {stem}")), "{name}: {}", ran.out);
    }
}

/// UTF-16 with its mark.
fn wide(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn only_snapshots_of_the_pack_are_removed() {
    let pack = Pack::new().accepted();
    let own = fs::read_to_string(pack.path("cases/database-too-large/over.snap")).unwrap();
    pack.write("cases/database-too-large/gone.snap", &own);
    pack.write("node_modules/x/App.snap", "// Jest Snapshot v1\n");
    pack.write("tests/snapshots/foo.snap", "---\nsource: tests/foo.rs\n---\n1\n");
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("victim.snap"), &own).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(outside.path(), pack.path("link")).unwrap();
    // While a case cannot be read, nothing is removed.
    pack.write("cases/database-too-large/broken.yaml", "x: [");
    assert_eq!(pack.test(&["--unreferenced=delete"]).code, 2);
    assert!(pack.path("cases/database-too-large/gone.snap").exists());
    fs::remove_file(pack.path("cases/database-too-large/broken.yaml")).unwrap();
    let ran = pack.test(&["--unreferenced=delete"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(!pack.path("cases/database-too-large/gone.snap").exists());
    for kept in ["node_modules/x/App.snap", "tests/snapshots/foo.snap"] {
        assert!(pack.path(kept).exists(), "{kept}");
    }
    assert!(outside.path().join("victim.snap").exists());
}

#[test]
fn a_case_that_calls_itself_something_else_is_an_error() {
    let pack = Pack::new().accepted();
    pack.write("cases/database-too-large/over.yaml", "schema: dpmguard.mutants/v1\naccepted: []\n");
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.out.contains("ERROR") && ran.out.contains("dpmguard.case/v1"), "{}", ran.out);
}

#[cfg(unix)]
#[test]
fn no_snapshot_is_written_through_a_link() {
    let pack = Pack::new();
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim.txt");
    fs::write(&victim, "precious").unwrap();
    let link = pack.path("cases/database-too-large/over.snap");
    std::os::unix::fs::symlink(&victim, link).unwrap();
    let ran = pack.test(&["--accept"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("it is a link"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

#[test]
fn a_pack_named_twice_is_tested_once() {
    let pack = Pack::new().accepted();
    let folder = pack.folder.path().display().to_string();
    let other = format!("{folder}/./");
    let ran = run(&["test", &folder, &other, "--no-shipped-rules", "--accept"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "PASSED  1 case of 1 rule: 1 passed\n"));
}

#[test]
fn two_cases_cannot_share_a_snapshot() {
    let pack = Pack::new().accepted();
    pack.write("cases/database-too-large/over.yml", CASE);
    let ran = pack.test(&["--accept"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.out.contains("duplicate-case"), "{}", ran.out);
}

#[test]
fn a_report_does_not_take_the_place_of_a_snapshot() {
    let pack = Pack::new().accepted();
    let path = pack.path("cases/database-too-large/over.snap");
    let before = fs::read_to_string(&path).unwrap();
    let ran = pack.test(&["-o", &format!("json={}", path.display())]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert_eq!(fs::read_to_string(&path).unwrap(), before);
}

#[test]
fn no_format_shows_a_control_of_the_terminal_as_it_is() {
    let pack = Pack::new();
    let title = "title: \"a\\x9B31m\\e[31m\\u202Eb\"";
    let case = CASE.replace("title: A database larger than the limit", title);
    assert_ne!(case, CASE);
    pack.write("cases/database-too-large/over.yaml", &case);
    for format in ["human", "json", "junit", "tap", "markdown"] {
        let ran = pack.test(&["--format", format]);
        let raw = |c: char| {
            (c < ' ' && c != '\n' && c != '\t')
                || ('\u{7F}'..='\u{9F}').contains(&c)
                || c == '\u{202E}'
        };
        assert!(!ran.out.contains(raw), "{format}: {:?}", ran.out);
    }
}

#[test]
fn a_filter_that_leaves_nothing_says_so() {
    let ran = Pack::new().accepted().test(&["--filter", "nosuch"]);
    assert_eq!(ran.code, 3);
    assert_eq!(ran.out, "NO CASE  the filter leaves none of 1 case\n");
}

#[test]
fn a_page_has_the_coverage() {
    let ran = Pack::new().accepted().test(&["--coverage", "--format", "markdown"]);
    assert!(
        ran.out.starts_with("# Cases and coverage\n\n1 case of 1 rule: 1 pass, 0 do not."),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("| `database-too-large` | 1 | 2 of 4 | "), "{}", ran.out);
}

/// The pack with an action and a case about it.
fn acting(case: &str) -> Pack {
    let pack = Pack::new();
    pack.write("actions/fill-database.yaml", ACTION);
    pack.write("cases/fill-database/filled.yaml", case);
    pack
}

#[test]
fn a_case_can_be_about_what_an_action_does() {
    let pack = acting(FILLED).accepted();
    let ran = pack.test(&[]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("2 cases of 1 rule and 1 action: 2 passed"), "{}", ran.out);
    let text = fs::read_to_string(pack.path("cases/fill-database/filled.snap")).unwrap();
    let told: serde_json::Value =
        serde_json::from_str(text.splitn(3, "---\n").nth(2).unwrap()).unwrap();
    assert_eq!(told["steps"][0]["seconds"]["expected"], 7200);
    assert_eq!(told["steps"][0]["seconds"]["worst"], 14400);
    assert_eq!(told["steps"][0]["because"], "a guess");
    assert_eq!(told["opened"][0]["rule"], "database-too-large");
    assert_eq!(told["opened"][0]["certainty"], "inferred");
    assert_eq!(told["opened"][0]["how"], "will");
    assert_eq!(
        told["facts"]["databases[EX01/SG1/DB1].size_bytes"],
        serde_json::json!({ "before": 150_000_000_000_u64, "after": 210_000_000_000_u64 })
    );
}

#[test]
fn what_is_other_than_expected_after_an_action_is_told_in_every_format() {
    let case =
        FILLED.replace("gigabytes: 60", "gigabytes: 40").replace("status: done", "status: refused");
    let pack = acting(&case);
    let ran = pack.test(&["--filter", "filled"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    for line in [
        "step `fill-database`",
        "- expected refused",
        "+ actual   done",
        "`database-too-large` of EX01/SG1/DB1",
        "- expected violated",
        "+ actual   not violated",
        "- expected 210000000000",
        "+ actual   190000000000",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    // No snapshot is written of what is not as expected.
    let ran = pack.test(&["--filter", "filled", "--accept"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(!pack.path("cases/fill-database/filled.snap").exists());
    let json = pack.test(&["--filter", "filled", "--format", "json"]);
    let schema = load::schema("test-v1").unwrap();
    let mut sources = dpmguard::source::Sources::default();
    let file = sources.add("report.json", json.out.as_bytes()).unwrap();
    let found = schema.check(&dpmguard::source::read(&sources, file).unwrap());
    assert!(found.is_empty(), "{found:?}");
    let report: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(report["cases"][0]["action"], "fill-database");
    assert_eq!(report["cases"][0]["misses"].as_array().unwrap().len(), 3);
    let junit = pack.test(&["--filter", "filled", "--format", "junit"]).out;
    assert!(
        junit.contains("<testsuite name=\"fill-database\" tests=\"1\" failures=\"1\""),
        "{junit}"
    );
    let tap = pack.test(&["--filter", "filled", "--format", "tap"]).out;
    assert!(tap.contains("not ok 1 - fill-database/filled"), "{tap}");
    let page = pack.test(&["--filter", "filled", "--format", "markdown"]).out;
    assert!(page.contains("1 case of 1 action: 0 pass, 1 do not."), "{page}");
}

/// A state or finding that the case says nothing of fails it, too.
#[test]
fn what_an_action_does_beside_what_is_expected_fails_its_case() {
    let case = FILLED.replace("  violated: { database-too-large: [EX01/SG1/DB1] }\n", "");
    let ran = acting(&case).test(&["--filter", "filled"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("- expected nothing said of it"), "{}", ran.out);
}

#[test]
fn an_action_that_is_refused_or_done_already_says_so() {
    let refused = FILLED.replace("mounted: true", "mounted: false");
    let refused = refused.split_once("expect:").unwrap().0.to_owned();
    let pack = acting(&format!("{refused}expect: {{ status: refused }}\n"));
    let done = FILLED.replace("gigabytes: 60", "gigabytes: 0");
    let done = done.split_once("expect:").unwrap().0.to_owned();
    pack.write(
        "cases/fill-database/full.yaml",
        &format!("{done}expect: {{ status: nothing_to_do }}\n"),
    );
    let pack = pack.accepted();
    let text = fs::read_to_string(pack.path("cases/fill-database/filled.snap")).unwrap();
    assert!(text.contains("DB1 is not mounted"), "{text}");
    let text = fs::read_to_string(pack.path("cases/fill-database/full.snap")).unwrap();
    assert!(text.contains("\"nothing_to_do\""), "{text}");
}

/// Parameters of the action are its own; those of a rule are named with it.
#[test]
fn a_case_about_an_action_sets_parameters() {
    let case = FILLED
        .replace("with:", "params: { minutes_each: 3, database-too-large.most_gb: 250 }\nwith:");
    let case = case.replace("  violated: { database-too-large: [EX01/SG1/DB1] }\n", "");
    let pack = acting(&case).accepted();
    let text = fs::read_to_string(pack.path("cases/fill-database/filled.snap")).unwrap();
    assert!(text.contains("\"expected\": 10800"), "{text}");
}

#[test]
fn several_steps_follow_each_other() {
    let (head, _) = FILLED.split_once("with:").unwrap();
    let case = format!(
        "{head}action: fill-database
plan:
  - {{ id: one, action: fill-database, with: {{ database: EX01/SG1/DB1, gigabytes: 30 }} }}
  - {{ id: two, action: fill-database, with: {{ database: EX01/SG1/DB1, gigabytes: 30 }} }}
expect:
  status: {{ one: done, two: done }}
  violated: {{ database-too-large: [EX01/SG1/DB1] }}
"
    );
    acting(&case).accepted();
}

#[test]
fn slips_in_cases_about_actions_are_told_with_what_may_be_meant() {
    let slips = [
        ("gigabytes: 60", "gigabites: 60", "did you mean `gigabytes`?"),
        ("EX01/SG1/DB1, gigabytes", "EX01/SG1/DB2, gigabytes", "did you mean `EX01/SG1/DB1`?"),
        ("status: done", "staus: done", "did you mean `status`?"),
        ("status: done", "status: { fil-database: done }", "did you mean `fill-database`?"),
        ("{ database-too-large: [", "{ database-to-large: [", "did you mean `database-too-large`?"),
        (".size_bytes'", ".size_byte'", "did you mean `size_bytes`?"),
        ("'databases[EX01", "'database[EX01", "did you mean `databases`?"),
        ("with:", "action: fil-database\nwith:", "did you mean `fill-database`?"),
        ("with:", "rule: database-too-large\nwith:", "a rule or about an action, not about both"),
        ("with:", "plan: [{ id: a, action: fill-database }]\nwith:", "or a `plan`"),
    ];
    for (right, wrong, hint) in slips {
        let ran = acting(&FILLED.replacen(right, wrong, 1)).test(&["--filter", "filled"]);
        assert_eq!(ran.code, 2, "{wrong}: {}", ran.out);
        assert!(ran.out.contains(hint), "{wrong}: {}", ran.out);
        assert!(ran.out.contains("filled.yaml:"), "{wrong}: {}", ran.out);
    }
}
