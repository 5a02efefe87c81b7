//! Functions that a pack writes in rhai: what they may do, and what they cannot.

use std::fs;

use crate::support::{Ran, root, run_with};

const FACTS: &str = "schema: dpmguard.facts/v1
observed_at: 2009-09-14T18:00:00Z
complete: all
data_sources:
  - { dpm_server: DPM01, server: EX01, name: DB1, database: DB1, replica: { state: inconsistent } }
databases:
  - { server: EX01, storage_group: null, name: DB1, kind: mailbox, size_bytes: 1000, copies: [{ node: EX01 }] }
";

/// Judges by one rule whose condition is `violated`, in a pack with that script.
fn judge(script: &str, violated: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let rule = fs::read_to_string(root().join("tests/diagnostics/base-rule.yaml")).unwrap();
    let start = rule.find("let:").unwrap();
    let (violated_at, finding) = (rule.find("violated:").unwrap(), rule.find("finding:").unwrap());
    let condition = format!("violated: '{}'\n", violated.replace('\'', "''"));
    let rule = [&rule[..start], &condition, &rule[finding..]]
        .concat()
        .replace("${known.path}", "")
        .replace(", known.path]", "]");
    assert!(violated_at > start);
    fs::write(folder.path().join("base-rule.yaml"), rule).unwrap();
    fs::create_dir(folder.path().join("lib")).unwrap();
    fs::write(folder.path().join("lib/own.rhai"), script).unwrap();
    let rules = folder.path().display().to_string();
    let args = ["check", "-", "--rules", &rules, "--no-shipped-rules", "--now", "observed"];
    run_with(&args, FACTS.as_bytes())
}

#[test]
fn a_function_judges() {
    let large = "/// fn is_large(db: database, limit: int) -> bool\nfn is_large(db, limit) { db.size_bytes > limit }\n";
    assert_eq!(judge(large, "is_large(db, 999)").code, 1);
    assert_eq!(judge(large, "db.is_large(1000)").code, 0);
    // Statements, loops and closures may be used inside.
    let many = "/// fn copies(db: database) -> int\nfn copies(db) { let n = 0; for copy in db.copies { n += 1; } n }\n";
    assert_eq!(judge(many, "copies(db) == 1").code, 1);
    let any = "/// fn any_large(list: list<database>) -> bool\nfn any_large(list) { list.any(|d| d.size_bytes > 999) }\n";
    assert_eq!(judge(any, "any_large(databases)").code, 1);
    let half = "/// fn half(number: float) -> float\nfn half(number) { number / 2.0 }\n";
    assert_eq!(judge(half, "half(5) == 2.5").code, 1);
}

#[test]
fn a_fact_that_is_not_known_leaves_the_verdict_open() {
    let touches = "/// fn is_mounted(db: database) -> bool\nfn is_mounted(db) { db.mounted }\n";
    let ran = judge(touches, "is_mounted(db)");
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(
        ran.out.contains("databases[EX01/DB1].mounted: not\n")
            || ran.out.contains("databases[EX01/DB1].mounted: not collected"),
        "{}",
        ran.out
    );
    let given = "/// fn same(a: bool) -> bool\nfn same(a) { true }\n";
    assert_eq!(judge(given, "same(db.mounted ?? false)").code, 3);
    // It cannot be caught and read as an answer.
    let caught =
        "/// fn f(db: database) -> bool\nfn f(db) { try { db.mounted } catch { false } }\n";
    let ran = judge(caught, "f(db)");
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("own.rhai:2:"), "{}", ran.err);
}

#[test]
fn a_failure_inside_leaves_the_verdict_open_and_says_so() {
    for (body, says) in [
        ("loop { }", "operations"),
        ("let s = \"x\"; loop { s += s; }", "Length of string"),
        ("let a = []; loop { a.push(a); }", "array"),
        ("f(db)", "more than 8 levels deep"),
        ("db.size_bytes == \"1000\"", "cannot compare an int with a text"),
        ("db.no_such_field == 1", "no field `no_such_field`"),
        ("12", "gave an int, which is not of the declared type"),
        ("1 / 0 == 1", "Division by zero"),
    ] {
        let script = format!("/// fn f(db: database) -> bool\nfn f(db) {{ {body} }}\n");
        let ran = judge(&script, "f(db)");
        assert_eq!(ran.code, 3, "{body}: {}{}", ran.out, ran.err);
        assert!(ran.out.to_lowercase().contains(&says.to_lowercase()), "{body}: {}", ran.out);
    }
}

#[test]
fn a_slip_in_a_script_is_told_at_its_place() {
    for (script, says) in [
        ("fn f(db) { true }\n", "does not say its types"),
        ("/// fn f(db: databse) -> bool\nfn f(db) { true }\n", "cannot be read"),
        ("/// fn g(db: database) -> bool\nfn f(db) { true }\n", "not those of"),
        (
            "/// fn f(db: database) -> bool\nfn f(db) { trunk(db) }\n",
            "there is no function `trunk`",
        ),
        ("/// fn f(db: database) -> bool\nfn f(db) { dbx }\n", "dbx"),
        ("/// fn f(db: database) -> bool\nfn f(db) { true\n", "own.rhai:"),
        (
            "/// fn size(db: database) -> bool\nfn size(db) { true }\n",
            "is a function of dpmguard already",
        ),
        ("let x = 1;\n", "only functions"),
        ("/// fn f(db: database) -> bool\nfn f(db) { eval(\"true\") }\n", "eval"),
        ("/// fn f(db: database) -> bool\nfn f(db) { print(1); true }\n", "print"),
        ("/// fn f(db: database) -> bool\nfn f(db) { sleep(1); true }\n", "sleep"),
        (
            "/// fn f(db: database) -> bool\nfn f(db) { timestamp() == 1 }\n",
            "there is no function `timestamp`",
        ),
        ("import \"x\" as x;\n", "import"),
    ] {
        let ran = judge(script, "db.size_bytes > 0");
        assert_eq!(ran.code, 2, "{script}: {}", ran.out);
        assert!(ran.err.contains("lib/own.rhai:"), "{script}: {}", ran.err);
        assert!(ran.err.contains(says), "{script}: {}", ran.err);
    }
}
