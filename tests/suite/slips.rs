//! Slips of newcomers in rules, cases, settings and folders: where each is marked, and what helps.

use std::fs;
use std::path::Path;

use crate::support::{files, root, run, run_with};

/// A copy of the pack of tapes in a folder of its own.
fn tapes() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = root().join("tests/lsp/tapes");
    for ending in ["yaml", "rhai"] {
        for path in files(&from, ending) {
            let to = folder.path().join("tapes").join(path.strip_prefix(&from).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&path, &to).unwrap();
        }
    }
    folder
}

const RULE: &str = "drive-not-cleaned.yaml";
const CASE: &str = "cases/drive-not-cleaned/violated.yaml";

/// What `dpmguard test` says of the pack in which a stretch of a file is replaced.
fn said(file: &str, from: &str, to: &str) -> String {
    let folder = tapes();
    let pack = folder.path().join("tapes");
    let path = pack.join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from}");
    fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let ran = run(&["test", &pack.display().to_string()]);
    assert_eq!(ran.code, 2, "{to}: {}{}", ran.out, ran.err);
    ran.out + &ran.err
}

/// Asserts that the message, the marked place and the help are among what is said.
fn told(file: &str, from: &str, to: &str, parts: &[&str]) {
    let text = said(file, from, to);
    for part in parts {
        assert!(text.contains(part), "{to}: no `{part}` in\n{text}");
    }
}

#[test]
fn a_case_is_told_of_at_the_very_word() {
    let expect = "expect: violated";
    told(
        CASE,
        expect,
        "expect: vioalted",
        &["violated.yaml:11:9", "not one of the values", "did you mean `violated`?"],
    );
    let patch =
        "patch: [{ set: \"tape_drives[D1].hours_since_cleanin\", to: 3 }]\nexpect: violated";
    let hours = "did you mean `hours_since_cleaning`?";
    told(CASE, expect, patch, &["violated.yaml:11:33", "unknown key `hours_since_cleanin`", hours]);
    let patch = "patch: [{ remove: \"tape_drives[D1].hours_since_cleanin\" }]\nexpect: violated";
    told(CASE, expect, patch, &["violated.yaml:11:36", hours]);
    let params = "params: { limit: 20 }";
    told(CASE, "params: { limit_hours: 150 }", params, &["violated.yaml:10:11", "no parameter"]);
    told(CASE, expect, "expect:", &["`expect` has no value", "write one, or leave the key out"]);
}

#[test]
fn a_subject_may_be_the_end_of_a_key() {
    let folder = tapes();
    let case = fs::read_to_string(root().join("tests/lsp/tapes").join(CASE)).unwrap();
    let database =
        "  exchange_servers: [{ name: EX01 }]\n  databases: [{ server: EX01, name: DB1 }]\nparams";
    let case = case.replacen("params", database, 1);
    let case = case.replace("expect: violated", "expect: [{ subject: db1, outcome: violated }]");
    let pack = folder.path().join("tapes");
    fs::write(pack.join(CASE), case).unwrap();
    let ran = run(&["test", &pack.display().to_string()]);
    assert!(ran.out.contains("did you mean `EX01/DB1`?"), "{}{}", ran.out, ran.err);
}

#[test]
fn an_empty_key_is_told_without_talk_of_collecting() {
    let text = said(RULE, "violated: is_overdue(hours, params.limit_hours)", "violated:");
    assert!(text.contains("`violated` has no value"), "{text}");
    assert!(text.contains("write one, or leave the key out"), "{text}");
    assert!(!text.contains("collected"), "{text}");
    let facts = b"schema: dpmguard.facts/v1\nobserved_at:\n";
    let ran = run_with(&["check", "-"], facts);
    assert!(ran.err.contains("leave the key out if the value was not collected"), "{}", ran.err);
}

#[test]
fn what_expressions_have_not_is_told_with_what_to_write() {
    for (expression, at, help) in [
        ("hours > 1 and true", 13, "for \"and\" write `&&`"),
        ("hours > 1 or true", 13, "for \"or\" write `||`"),
        ("not true", 7, "for \"not\" write `!`"),
        ("true ? 1 : 2", 8, "write `if c { a } else { b }`"),
        ("1 & 2 == 0", 5, "for \"both\" write `&&`"),
        ("1 ** 2 == 0", 5, "write a function of the pack"),
        ("tape_drives.any(|d| d.name=\"D1\")", 29, "to compare, write `==`"),
        ("hours < 10 GB", 14, "compare `gb(x)` with a number"),
        ("hours < 10GB", 13, "compare `gb(x)` with a number"),
        ("hours < \"10 GB\"", 9, "compare `gb(x)` with a number"),
        ("hours < 5 min", 13, "spans of time are written"),
        ("hours_since_cleaning > 1", 3, "write `drive.hours_since_cleaning`"),
    ] {
        let violated = format!("violated: |\n  {expression}\n");
        let place = format!("{RULE}:25:{at}");
        let from = "violated: is_overdue(hours, params.limit_hours)\n";
        told(RULE, from, &violated, &[&place, help]);
    }
}

#[test]
fn slips_of_yaml_are_marked_where_they_are() {
    for (from, to, parts) in [
        (
            "\n  subject: drive",
            "\n subject: drive",
            ["26:2\n", "the indentation of `subject` is 1", "begin `subject` in column 3"],
        ),
        (
            "\n  evidence:",
            "\n   evidence:",
            ["28:4\n", "the indentation of `evidence` is 3", "begin `evidence` in column 3"],
        ),
        (
            "- each: drive",
            "- each:drive",
            ["12:5\n", "a blank is missing behind `each:`", "write `each: drive`"],
        ),
        (
            "severity: warning",
            "severity:warning",
            ["4:1\n", "a blank is missing behind `severity:`", "write `severity: warning`"],
        ),
        ("\n    of: tape", "\n\tof: tape", ["13:1\n", "a tab may not indent", "use spaces"]),
        ("\n    of: tape", "\n  \tof: tape", ["13:3\n", "a tab may not indent", "use spaces"]),
    ] {
        told(RULE, from, to, &parts);
    }
    // What is no slip of these is told as ever.
    let text = "explanation: a\ntitle: this: that\n";
    let ran = run_with(&["check", "-"], text.as_bytes());
    assert!(ran.err.contains("quote the text if the colon belongs to it"), "{}", ran.err);
}

#[test]
fn a_type_that_nobody_needs_is_no_addition() {
    let to = "$defs:\n  tape_drve: { properties: { colour: { type: string } } }\n";
    told("model.yaml", "$defs:\n", to, &["`tape_drve` is no type of the facts", "nothing refers"]);
    let to = "$defs:\n  protection_grup: { properties: { colour: { type: string } } }\n";
    told("model.yaml", "$defs:\n", to, &["did you mean `protection_group`?"]);
}

#[test]
fn a_folder_of_packs_is_no_pack() {
    let folder = tapes();
    let name = folder.path().display().to_string();
    let ran = run(&["rules", "list", "--rules", &name]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains(&format!("there is one in `{name}/tapes`")), "{}", ran.err);
    assert_eq!(ran.err.matches("error[").count(), 1, "{}", ran.err);
    let other = folder.path().join("more/other");
    fs::create_dir_all(&other).unwrap();
    fs::copy(folder.path().join("tapes/pack.yaml"), other.join("pack.yaml")).unwrap();
    let ran = run(&["rules", "list", "--rules", &name]);
    assert!(ran.err.contains("there are 2 in it"), "{}", ran.err);
    assert!(ran.err.contains(&format!("`{name}/more/other`, `{name}/tapes`")), "{}", ran.err);
}

fn config(folder: &Path, text: &str) -> String {
    let path = folder.join("dpmguard.yaml");
    fs::write(&path, text).unwrap();
    let ran = run(&["rules", "list", "--config", &path.display().to_string()]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    ran.err
}

#[test]
fn settings_are_told_of_at_the_key_and_at_the_folder() {
    let folder = tapes();
    let text = config(folder.path(), "schema: dpmguard.config/v1\nrules: [tpes]\n");
    assert!(text.contains("dpmguard.yaml:2:9"), "{text}");
    assert!(text.contains("did you mean `tapes`?"), "{text}");
    let text =
        "schema: dpmguard.config/v1\nrules: [tapes]\nparams: { drive-not-cleaned: { leest: 3 } }\n";
    let text = config(folder.path(), text);
    assert!(text.contains("dpmguard.yaml:3:32"), "{text}");
}

#[test]
fn a_collection_of_a_pack_is_known_with_the_pack_only() {
    let facts = b"schema: dpmguard.facts/v1\nobserved_at: 2009-09-14T18:00:00Z\ntape_drives: []\n";
    let ran = run_with(&["check", "-"], facts);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("name the pack's folder with `--rules`"), "{}", ran.err);
}
