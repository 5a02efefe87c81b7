//! Inputs made to break the tool, or to make it say yes: what was found once does not come back.

use std::fs;
use std::path::Path;

use crate::support::{Ran, root, run, run_with};

const FACTS: &str = "schema: dpmguard.facts/v1
observed_at: 2009-09-14T18:00:00Z
complete: all
exchange_servers: [{ name: EX01 }]
storage_groups: [{ server: EX01, name: SG1 }]
databases:
  - { server: EX01, storage_group: SG1, name: DB1, mounted: true }
  - { server: EX01, storage_group: SG1, name: DB2, mounted: false }
dpm_servers: [{ name: DPM01, clock_offset_seconds: 1.0e+307 }]
";

/// A pack with one rule: `each: x, of: <kind>`, further clauses, and the condition.
fn rule(folder: &Path, kind: &str, clauses: &str, violated: &str) {
    let text = format!(
        "schema: dpmguard.rule/v1
id: hostile
title: T
severity: warning
certainty: documented
explanation: x
{clauses}
select:
  - {{ each: x, of: {kind} }}
violated: '{violated}'
finding: {{ subject: x, message: \"${{x.key}}\", evidence: [x.key], fingerprint: [x] }}
references: [{{ title: t, says: s }}]
"
    );
    fs::write(folder.join("hostile.yaml"), text).unwrap();
}

fn judge(facts: &str, kind: &str, clauses: &str, violated: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    rule(folder.path(), kind, clauses, violated);
    let rules = folder.path().display().to_string();
    run_with(
        &["check", "-", "--rules", &rules, "--no-shipped-rules", "--now", "observed"],
        facts.as_bytes(),
    )
}

#[test]
fn a_reference_with_a_slip_does_not_hide_a_finding() {
    let unmounted = "x.databases.any(|d| !(d.mounted ?? false))";
    assert_eq!(judge(FACTS, "storage_group", "", unmounted).code, 1);
    for slip in ["storage_group: SG01, name: DB2", "storage_group: sg1x, name: DB2"] {
        let facts = FACTS.replace("storage_group: SG1, name: DB2", slip);
        let ran = judge(&facts, "storage_group", "", unmounted);
        assert_eq!(ran.code, 3, "{}", ran.out);
        assert!(ran.out.contains("DB2].storage_group"), "{}", ran.out);
    }
    let facts = FACTS.replace(
        "server: EX01, storage_group: SG1, name: DB2",
        "server: EX01.fabrikam.com, storage_group: SG1, name: DB2",
    );
    assert_eq!(judge(&facts, "storage_group", "", unmounted).code, 3);
}

#[test]
fn numbers_beyond_all_bounds_are_no_answer() {
    for condition in
        ["percent(x.clock_offset_seconds, 1) > 50.0", "x.clock_offset_seconds * 100.0 > 50.0"]
    {
        let ran = judge(FACTS, "dpm_server", "", condition);
        assert_eq!(ran.code, 3, "{condition}: {}", ran.out);
    }
}

#[test]
fn a_time_that_cannot_be_read_is_not_passed_over() {
    for at in ["2001-01-01T00:00:00.0000000000Z", "9999-12-31T23:59:59Z"] {
        let facts = format!("{FACTS}collected: {{ databases: {{ at: \"{at}\", by: x }} }}\n");
        let ran = judge(&facts, "database", "max_age: { database: 24h }", "!(x.mounted ?? false)");
        assert_eq!(ran.code, 2, "{at}: {}", ran.out);
        assert!(ran.err.contains("wrong-format"), "{}", ran.err);
    }
}

#[test]
fn growth_ends_undecided() {
    let mut doubling = String::from("let:\n  - s0: '\"xxxxxxxxxxxxxxxx\"'\n");
    for step in 1..40 {
        doubling.push_str(
            &[
                "  - s",
                &step.to_string(),
                ": s",
                &(step - 1).to_string(),
                " + s",
                &(step - 1).to_string(),
                "\n",
            ]
            .concat(),
        );
    }
    let ran = judge(FACTS, "database", &doubling, "len(s39) > 3");
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("a text became too long"), "{}", ran.out);
    let nested = "let:\n  - a: '[x.key]'\n  - b: '[a, a]'\n  - c: '[b, b]'\n  - d: '[c, c]'\n";
    let ran = judge(FACTS, "database", nested, "d.is_empty()");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("nested too deeply"), "{}", ran.err);
}

#[test]
fn endless_joins_end_undecided() {
    let mut facts = String::from(
        "schema: dpmguard.facts/v1\nobserved_at: 2009-09-14T18:00:00Z\ncomplete: all\ndatabases:\n",
    );
    for number in 0..400 {
        facts.push_str(
            &["  - { server: EX01, storage_group: null, name: DB", &number.to_string(), " }\n"]
                .concat(),
        );
    }
    let deep = "databases.any(|a| databases.any(|b| databases.any(|c| a.name == \"x\" && b.name == \"y\" && c.name == \"z\")))";
    facts.push_str("exchange_servers: [{ name: EX01 }]\n");
    let ran = judge(&facts, "exchange_server", "", deep);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("steps and was stopped"), "{}", ran.out);
}

#[test]
fn a_parameter_type_that_holds_itself_is_refused() {
    let params = "params: { p: { type: array, items: { $ref: \"#\" }, default: [], help: x } }";
    let ran = judge(FACTS, "database", params, "true");
    assert_eq!(ran.code, 2, "{}", ran.out);
}

#[test]
fn no_escape_sequence_reaches_the_terminal() {
    let facts = FACTS
        .replace("name: DB2", "name: \"DB2\\u202e\"")
        .replace("complete: all", "complete: all\nsite: x");
    let ran = judge(&facts, "database", "", "true");
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(!ran.out.contains('\u{202e}') && !ran.out.contains('\u{1b}'), "{}", ran.out);
}

#[test]
fn a_report_never_replaces_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let facts = folder.path().join("facts.yaml");
    fs::write(&facts, FACTS).unwrap();
    let name = facts.display().to_string();
    let ran = run(&["check", &name, "--now", "observed", "-o", &format!("json={name}")]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    assert!(ran.err.contains("it is read in this run"), "{}", ran.err);
    assert_eq!(fs::read_to_string(&facts).unwrap(), FACTS);
    // All or nothing: the first file is not written if the second cannot be.
    let one = folder.path().join("one.json");
    let (first, second) =
        (format!("json={}", one.display()), format!("json={}/no/x", folder.path().display()));
    let ran = run(&["check", &name, "--now", "observed", "-o", &first, "-o", &second]);
    assert_eq!(ran.code, 2);
    assert!(!one.exists());
    let ran = run(&["check", &name, "--now", "observed", "-o", &first, "-o", &first]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("it is named twice") && !one.exists(), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn links_and_devices_are_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("facts.yaml"), FACTS).unwrap();
    // Folders linked into each other are walked once.
    for name in ["a", "b"] {
        std::os::unix::fs::symlink(folder.path(), at(name)).unwrap();
    }
    let estate = folder.path().display().to_string();
    let ran = run(&["check", &estate, "--now", "observed"]);
    assert_ne!(ran.code, 2, "{}", ran.err);
    // A link that leads nowhere may hide facts.
    std::os::unix::fs::symlink("/nonexistent", at("sub")).unwrap();
    let ran = run(&["check", &estate, "--now", "observed"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("cannot read"), "{}", ran.err);
    // Of a link the file it leads to is written; the link stays.
    fs::write(at("old.json"), "old").unwrap();
    std::os::unix::fs::symlink("old.json", at("link.json")).unwrap();
    let facts = root().join("examples/healthy").display().to_string();
    let ran = run(&[
        "check",
        &facts,
        "--now",
        "observed",
        "-o",
        &format!("json={}", at("link.json").display()),
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(fs::symlink_metadata(at("link.json")).unwrap().is_symlink());
    assert!(fs::read_to_string(at("old.json")).unwrap().contains("dpmguard.report/v1"));
}

#[test]
fn a_folder_without_rules_is_no_pack() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rule.json"), "{}").unwrap();
    let ran = run(&["rules", "list", "--rules", &folder.path().display().to_string()]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("no rule was found"), "{}", ran.err);
}

/// Types that name the next one twice double with every step.
#[test]
fn types_that_double_are_refused() {
    let mut overlay = String::from(
        "schema: dpmguard.model/v1
title: Doubling
properties:
  things: { type: array, items: { $ref: '#/$defs/thing' } }
$defs:
  thing:
    x-kind: thing
    x-key: [name]
    type: object
    required: [name]
    properties: { name: { type: string }, l: { $ref: '#/$defs/l0' } }
",
    );
    for step in 0..25 {
        let next = format!("$ref: '#/$defs/l{}'", step + 1);
        let fields = format!("{{ a: {{ {next} }}, b: {{ {next} }} }}");
        overlay.extend([format!("  l{step}: {{ type: object, properties: {fields} }}\n")]);
    }
    for (last, wanted) in [
        ("type: string", "the facts have more than 20000 fields"),
        ("type: object, properties: { a: { $ref: '#/$defs/l0' } }", "a type that holds itself"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("{overlay}  l25: {{ {last} }}\n");
        fs::write(folder.path().join("model.yaml"), text).unwrap();
        let rules = folder.path().display().to_string();
        let ran = run(&["schema", "facts-v1", "--rules", &rules]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
        assert!(ran.err.contains(wanted) && ran.err.contains("model.yaml:"), "{}", ran.err);
        assert!(ran.err.len() < 20_000, "{} bytes", ran.err.len());
        assert_eq!(run(&["rules", "list", "--rules", &rules]).code, 2);
    }
}

/// A new pack in a temporary folder, and where it is.
fn new_pack(name: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join(name).display().to_string();
    let ran = run(&["new", "pack", &pack]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    (folder, pack)
}

#[test]
fn names_that_yaml_reads_as_something_else_are_quoted() {
    let (_folder, pack) = new_pack("y");
    for id in ["true", "null"] {
        let ran = run(&["new", "rule", id, "--kind", "volume", "--pack", &pack]);
        assert_eq!(ran.code, 0, "{id}: {}", ran.err);
    }
    let ran = run(&["test", &pack]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn names_of_files_that_are_something_else_are_refused() {
    let (_folder, pack) = new_pack("mine");
    let ran = run(&["new", "rule", "pack", "--kind", "volume", "--pack", &pack]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("a rule cannot be named `pack`"), "{}", ran.err);
    fs::write(Path::new(&pack).join("model.yaml"), "schema: dpmguard.model/v1\ntitle: T\n")
        .unwrap();
    let ran = run(&["new", "rule", "model", "--kind", "volume", "--pack", &pack]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("model.yaml` exists already"), "{}", ran.err);
    let ran = run(&["new", "case", "example-short-retention", "mutants", "--pack", &pack]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("a case cannot be named `mutants`"), "{}", ran.err);
}

/// It appears whole under its name; what it was made in is gone, and it is open to others as any folder.
#[test]
fn a_new_pack_leaves_nothing_beside_it() {
    let (folder, pack) = new_pack("mine");
    let there: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|one| one.unwrap().path()).collect();
    assert_eq!(there, [Path::new(&pack)]);
    let plain = folder.path().join("plain");
    fs::create_dir(&plain).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions();
    assert_eq!(mode(Path::new(&pack)), mode(&plain));
}

#[cfg(unix)]
#[test]
fn a_device_is_no_base() {
    let (_folder, pack) = new_pack("mine");
    let case = Path::new(&pack).join("cases/example-short-retention/long-enough.yaml");
    let text = fs::read_to_string(&case).unwrap();
    fs::write(&case, text.replace("../../fixtures/estate.yaml", "../../zero")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", Path::new(&pack).join("zero")).unwrap();
    let ran = run(&["test", &pack]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    let said = [ran.out, ran.err].concat();
    assert!(said.contains("it is no regular file"), "{said}");
}

#[test]
fn a_folder_is_no_list_of_mutants() {
    let (_folder, pack) = new_pack("mine");
    fs::create_dir(Path::new(&pack).join("cases/example-short-retention/mutants.yaml")).unwrap();
    let ran = run(&["test", &pack, "--mutate"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("mutants.yaml`: it is a folder"), "{}", ran.err);
}

#[test]
fn the_prompt_leaves_out_a_line_that_is_no_text() {
    let ran = run_with(&["eval"], b"1 + 1\n\"\xff\"\n20 + 2\n");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("this line is not UTF-8"), "{}", ran.err);
    assert!(ran.out.contains("22") && !ran.out.contains('\u{fffd}'), "{}", ran.out);
}

#[test]
fn a_function_that_calls_itself_too_often_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let function = "/// Counts down.\n/// fn rec(n: int) -> int\nfn rec(n) { if n <= 1 { 0 } else { rec(n - 1) } }\n";
    fs::create_dir(folder.path().join("lib")).unwrap();
    fs::write(folder.path().join("lib/rec.rhai"), function).unwrap();
    rule(folder.path(), "database", "", "rec(8) > 0");
    let rules = folder.path().display().to_string();
    let ask = |text: &str| run(&["eval", text, "--rules", &rules]);
    assert_eq!(ask("rec(8)").code, 0, "{}", ask("rec(8)").out);
    let ran = ask("rec(10)");
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("call each other more than 8 levels deep"), "{}", ran.out);
}

#[test]
fn a_closure_takes_no_name_that_means_something() {
    for name in ["now", "databases"] {
        let ran = run(&["eval", &format!("[1].any(|{name}| {name} == 1)")]);
        assert_eq!(ran.code, 2, "{name}: {}", ran.out);
        assert!(ran.err.contains(&format!("`{name}` means something already")), "{}", ran.err);
    }
}
