//! `dpmguard eval`: expressions tried on facts, from the command line and line by line.

use std::io::Write;
use std::process::{Command, Stdio};

use dpmguard::author::complete::is_finished;
use dpmguard::load;
use dpmguard::source::{self, Sources};

use crate::support::{Ran, root, run, run_with, said};

fn contoso() -> String {
    root().join("examples/contoso").display().to_string()
}

fn on_facts(args: &[&str]) -> Ran {
    let facts = contoso();
    let mut all = vec!["eval", "--facts", &facts, "--now", "observed"];
    all.extend(args);
    run(&all)
}

/// Answers of the lines given on standard input.
fn lines(text: &str) -> Ran {
    let facts = contoso();
    run_with(&["eval", "--facts", &facts, "--now", "observed"], text.as_bytes())
}

fn json(args: &[&str]) -> serde_json::Value {
    let ran = on_facts(&[args, &["--format", "json"]].concat());
    let schema = load::schema("eval-v1").unwrap();
    let mut sources = Sources::default();
    let file = sources.add("eval.json", ran.out.as_bytes()).unwrap();
    let root = source::read(&sources, file).unwrap_or_else(|_| panic!("{}", ran.err));
    let found = schema.check(&root);
    assert!(found.is_empty(), "{}", said(&found, &sources));
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_value_comes_with_its_type_and_the_facts_it_rests_on() {
    let ran =
        on_facts(&["databases.filter(|d| d.name == \"DB2\").map(|d| d.edb_path)", "--limit", "0"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("type   list of path\n"), "{}", ran.out);
    assert!(ran.out.contains("G:\\SG1\\DB2.edb\n"), "{}", ran.out);
    let evidence = "databases[EX01/SG1/DB2].edb_path = G:\\SG1\\DB2.edb";
    let line = ran.out.lines().find(|line| line.contains(evidence));
    let line = line.unwrap_or_else(|| panic!("{}", ran.out));
    let place = line.rsplit("exchange.yaml:").next().unwrap();
    let (row, column) = place.split_once(':').unwrap();
    let text = std::fs::read_to_string(root().join("examples/contoso/exchange.yaml")).unwrap();
    let row: usize = row.parse().unwrap();
    let column: usize = column.parse().unwrap();
    let there = text.lines().nth(row - 1).unwrap().chars().skip(column - 1).collect::<String>();
    assert!(there.contains("G:\\SG1\\DB2.edb"), "{line} leads to {there}");
}

#[test]
fn facts_are_limited_and_what_is_left_out_is_counted() {
    let all = json(&["databases.map(|d| d.name)"]);
    let count = all["results"][0]["evidence"].as_array().unwrap().len();
    let few = json(&["databases.map(|d| d.name)", "--limit", "3"]);
    let few = &few["results"][0];
    assert_eq!(few["evidence"].as_array().unwrap().len(), 3);
    assert_eq!(few["evidence_left_out"].as_u64().unwrap(), u64::try_from(count - 3).unwrap());
    let ran = on_facts(&["databases.map(|d| d.name)", "--limit", "3"]);
    assert!(ran.out.contains(&format!("and {} more", count - 3)), "{}", ran.out);
    // The same fact read twice is one.
    let twice = json(&["databases.any(|d| d.name == \"x\") || databases.any(|d| d.name == \"y\")"]);
    assert_eq!(twice["results"][0]["evidence"].as_array().unwrap().len(), count);
}

#[test]
fn values_are_laid_out_for_a_reader() {
    let object = on_facts(&["databases[0]"]);
    assert!(object.out.starts_with("database CMS1/"), "{}", object.out);
    assert!(object.out.contains("  databases[CMS1/"), "{}", object.out);
    assert!(object.out.contains("size_bytes: 34000000000 (34.0 GB)"), "{}", object.out);
    assert!(object.out.contains("edb_path: "), "{}", object.out);
    let size = on_facts(&["data_sources.map(|s| s.size_bytes).max()", "--limit", "1"]);
    assert!(size.code == 0 || size.code == 3, "{}", size.err);
    let time = on_facts(&["now - hours(3)"]);
    assert!(time.out.contains("(3 h before now)"), "{}", time.out);
    assert!(
        on_facts(&["databases.filter(|d| d.name == \"none\")"])
            .out
            .starts_with("[]  (no database)")
    );
    assert!(on_facts(&["\"\""]).out.starts_with("\"\"\n"));
    assert!(on_facts(&["10 / 4.0"]).out.starts_with("2.5\n"));
    let record = on_facts(&["calibration"]);
    assert!(record.code == 3 || record.out.contains(": "), "{}", record.out);
}

#[test]
fn json_follows_its_schema_whatever_the_value() {
    for text in [
        "databases",
        "databases[0]",
        "databases.map(|d| d.storage_group)",
        "data_sources[0].replica",
        "data_sources.map(|s| s.known_files)",
        "now",
        "1.5",
        "()",
        "calibration",
        "databases[99]",
        "events.known_only().map(|e| e.at)",
    ] {
        json(&[text]);
    }
    let value = json(&["databases.count()"]);
    assert_eq!(value["type"], "whole number");
    assert_eq!(value["results"][0]["status"], "known");
    assert!(value["results"][0]["value"].is_u64());
    assert_eq!(value["results"][0]["evidence"][0]["fact"], "databases");
}

#[test]
fn what_is_missing_is_named_and_the_exit_code_is_3() {
    let ran = on_facts(&["databases[99]"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.starts_with("not known\n"), "{}", ran.out);
    let facts = b"schema: dpmguard.facts/v1\nobserved_at: 2009-09-14T18:00:00Z\ncomplete: all\n\
        databases:\n  - { server: EX01, name: DB1 }\n";
    let ran = run_with(&["eval", "databases.any(|d| d.size_bytes > 5)", "--facts", "-"], facts);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("databases[EX01/DB1].size_bytes: not collected"), "{}", ran.out);
    let open = b"schema: dpmguard.facts/v1\nobserved_at: 2009-09-14T18:00:00Z\ndatabases: []\n";
    let ran = run_with(&["eval", "databases.count()", "--facts", "-"], open);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("there may be more `databases`"), "{}", ran.out);
}

#[test]
fn a_wrong_expression_is_marked_where_it_is_wrong() {
    let ran = on_facts(&["databases.filter(|d| !d.mountd)"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("expression:1:25"), "{}", ran.err);
    assert!(ran.err.contains("^^^^^^"), "{}", ran.err);
    assert!(ran.err.contains("did you mean `mounted`?"), "{}", ran.err);
    // Characters, not bytes.
    let ran = on_facts(&["\"ä\" + nothing"]);
    assert!(ran.err.contains("expression:1:7"), "{}", ran.err);
    assert_eq!(on_facts(&["1 +"]).code, 2);
    assert_eq!(on_facts(&[""]).code, 2);
    let bind = on_facts(&["x", "--bind", "x=databses"]);
    assert!(bind.err.contains("did you mean `databases`?"), "{}", bind.err);
    for (option, wanted) in [
        ("x", "is not of the form `name=expression`"),
        ("now=1", "`now` means something already"),
        ("databases=1", "`databases` means something already"),
        ("a b=1", "cannot be a name"),
        ("loop=1", "cannot be a name"),
    ] {
        let ran = on_facts(&["1", "--bind", option]);
        assert_eq!(ran.code, 2, "{option}");
        assert!(ran.err.contains(wanted), "{option}: {}", ran.err);
    }
}

#[test]
fn without_facts_an_expression_is_checked() {
    let ran = run(&["eval", "databases.filter(|d| d.mounted ?? true).map(|d| d.edb_path)"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("type   list of path\n"), "{}", ran.out);
    assert!(ran.out.contains("none were given"), "{}", ran.out);
    assert!(run(&["eval", "hours(2) + 1"]).out.starts_with("7201\n"));
    assert_eq!(run(&["eval", "1 / 0"]).code, 3);
    assert_eq!(run(&["eval", "databases.count() > 3", "--exit-code"]).code, 0);
}

#[test]
fn names_can_be_bound_first() {
    let ran = on_facts(&[
        "other.name",
        "--bind",
        "db = databases.find(|d| d.key == \"EX01/SG1/DB2\")",
        "--bind",
        "other=db",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.starts_with("DB2\n"), "{}", ran.out);
    assert!(ran.out.contains("databases[EX01/SG1/DB2].name = DB2"), "{}", ran.out);
    // What is null stays nullable.
    let ran = on_facts(&["none.name", "--bind", "none=databases.find(|d| d.name == \"none\")"]);
    assert!(ran.err.contains("may-be-null"), "{}", ran.err);
}

#[test]
fn a_false_value_can_be_an_exit_code() {
    assert_eq!(on_facts(&["1 == 2"]).code, 0);
    assert_eq!(on_facts(&["1 == 2", "--exit-code"]).code, 1);
    assert_eq!(on_facts(&["1 == 1", "--exit-code"]).code, 0);
    assert_eq!(on_facts(&["databases[99].name == \"x\"", "--exit-code"]).code, 3);
}

#[test]
fn the_names_of_a_rule_can_be_used() {
    let scope = ["--in", "database-file-moved", "--subject", "dpm01/ex01/sg1"];
    let ran = on_facts(&[&["db.name"], &scope[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("in     database-file-moved for DPM01/EX01/SG1"), "{}", ran.out);
    let all = json(&[&["db.name"], &scope[..]].concat());
    let of = all["rule"]["of"].as_u64().unwrap();
    let mut names: Vec<String> = Vec::new();
    for nth in 1..=of {
        let nth = nth.to_string();
        let one = json(&[&["db.name", "--nth", &nth], &scope[..]].concat());
        names.push(one["results"][0]["value"].as_str().unwrap().to_owned());
    }
    assert!(names.contains(&"DB2".to_owned()), "{names:?}");
    let beyond = (of + 1).to_string();
    let ran = on_facts(&[&["db.name", "--nth", &beyond], &scope[..]].concat());
    assert_eq!(ran.code, 2);
    let ran = on_facts(&["1", "--in", "database-file-moved", "--subject", "DPM01/EX01/SG"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean"), "{}", ran.err);
    let ran = on_facts(&["1", "--in", "database-file-movd"]);
    assert!(ran.err.contains("did you mean `database-file-moved`?"), "{}", ran.err);
    // Without facts the names have their types.
    let ran = run(&["eval", "db.edb_path", "--in", "database-file-moved"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("type   path\n"), "{}", ran.out);
}

/// The condition of each rule, tried in its own scope, gives the verdict that `check` gives.
#[test]
fn conditions_of_rules_give_their_verdicts() {
    let report = run(&["check", &contoso(), "--now", "observed", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&report.out).unwrap();
    let mut tried = 0;
    for finding in report["findings"].as_array().unwrap() {
        let rule = finding["rule"].as_str().unwrap();
        let path = root().join(format!("rules/{rule}.yaml"));
        let mut sources = Sources::default();
        let text = std::fs::read_to_string(path).unwrap();
        // What an `else` calls violated never comes to the condition.
        if text.contains("outcome: violated") {
            continue;
        }
        let file = sources.add("rule", text.as_bytes()).unwrap();
        let tree = source::read(&sources, file).unwrap();
        let Some(condition) = tree.get("violated").and_then(|node| node.as_str()) else { continue };
        let subject = finding["subject"]["key"].as_str().unwrap();
        let first = json(&[condition, "--in", rule, "--subject", subject]);
        let of = first["rule"]["of"].as_u64().unwrap();
        let any = (1..=of).any(|nth| {
            let nth = nth.to_string();
            let one = json(&[condition, "--in", rule, "--subject", subject, "--nth", &nth]);
            one["results"][0]["value"] == true
        });
        assert!(any, "{rule} for {subject}: {condition}");
        tried += 1;
        if tried == 6 {
            return;
        }
    }
    panic!("only {tried} conditions were tried");
}

#[test]
fn each_object_of_a_kind_gets_a_line() {
    let ran = on_facts(&["database.name", "--each", "database"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let line = ran.out.lines().find(|line| line.starts_with("EX01/SG1/DB2")).unwrap();
    assert!(line.ends_with("  DB2"), "{line}");
    let all = json(&["database.name", "--each", "database"]);
    let count = json(&["databases.count()"])["results"][0]["value"].as_u64().unwrap();
    assert_eq!(all["results"].as_array().unwrap().len() as u64, count);
    assert_eq!(
        on_facts(&["database.name == \"DB2\"", "--each", "database", "--exit-code"]).code,
        1
    );
    assert_eq!(on_facts(&["database.nam", "--each", "database"]).code, 2);
    let ran = on_facts(&["1", "--each", "databases"]);
    assert!(
        ran.err.contains("the kind of the objects in `databases` is `database`"),
        "{}",
        ran.err
    );
    let ran = run(&["eval", "database.nam", "--each", "database"]);
    assert_eq!(ran.code, 2, "checked without facts, too");
}

#[test]
fn an_expression_can_come_from_standard_input() {
    let facts = contoso();
    let ran = run_with(&["eval", "-", "--facts", &facts], b"databases\n  .count() > 0\n");
    assert!(ran.out.starts_with("true\n"), "{}{}", ran.out, ran.err);
    assert_eq!(run_with(&["eval", "-"], b"\xff").code, 2);
    for args in [&["eval", "-", "--facts", "-"][..], &["eval", "--facts", "-"]] {
        let ran = run_with(args, b"1");
        assert!(ran.err.contains("cannot hold both"), "{}", ran.err);
    }
}

#[test]
fn lines_are_answered_one_by_one() {
    let ran = lines(
        "databases.filter(\n  |d| d.name == \"DB2\"\n).count()\n:let db = databases[0]\ndb.server.name\n:names\n:type db\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("CMS1\n: name\n"), "{}", ran.out);
    assert!(ran.out.contains("db: database\n"), "{}", ran.out);
    assert!(ran.out.contains(": whole number\n"), "{}", ran.out);
}

#[test]
fn the_exit_code_is_that_of_the_worst_line() {
    assert_eq!(lines("1\n\n// nothing\n").code, 0);
    assert_eq!(lines("1\ndatabases[99]\n1\n").code, 3);
    let ran = lines("nothing\ndatabases[99]\n:nothing\n1 + 1\n");
    assert_eq!(ran.code, 2);
    assert!(ran.out.contains("2\n: whole number"), "what follows is answered: {}", ran.out);
    assert!(ran.err.contains("nothing is named `nothing` here"), "{}", ran.err);
    assert_eq!(lines("1\n:quit\nnothing\n").code, 0);
    assert_eq!(lines("databases.filter(|d| ").code, 2, "unfinished at the end");
}

#[test]
fn commands_of_the_prompt() {
    for (line, wanted) in [
        (":help", ":trace"),
        (":kinds", "database"),
        (":fields database", "edb_path"),
        (":fields databases", "edb_path"),
        (":functions", "percent(part: number, whole: number) -> number"),
        (":functions hours", "Seconds in that many hours"),
        (":functions filter", "list.filter"),
        (":functions same_path", "roots"),
        (":facts", "exchange.yaml  observed"),
        (":names", "no name is bound"),
        (":rule database-file-moved DPM01/EX01/SG1", "db: database"),
        (":rule", "no rule was entered"),
        ("databases.map(|d| d.name)\n:why", "databases[EX01/SG1/DB2].name = DB2"),
        ("databases.any(|d| d.name == \"DB2\")\n:trace", "d.name == \"DB2\" = "),
        (":type databases", "list of database"),
    ] {
        let ran = lines(line);
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        assert!(ran.out.contains(wanted), "{line}: {}", ran.out);
    }
    for (line, wanted) in [
        (":why", "no expression was evaluated yet"),
        (":trace", "no expression was evaluated yet"),
        (":fields databse", "did you mean `database`?"),
        (":functions hurs", "did you mean `hours`?"),
        (":hlep", "did you mean `help`?"),
        (":rule nothing", "there is no rule `nothing`"),
        (":let x", "is not of the form"),
        (":let now = 1", "means something already"),
        (":type", "ends too early"),
    ] {
        let ran = lines(line);
        assert_eq!(ran.code, 2, "{line}: {}", ran.out);
        assert!(ran.err.contains(wanted), "{line}: {}", ran.err);
    }
    // A name can be bound again, and what was bound with it stays.
    let ran = lines(":let a = 1\n:let b = a + 1\n:let a = 10\nb\na\n");
    assert!(ran.out.contains("2\n: whole number\n10\n: whole number\n"), "{}", ran.out);
}

/// Whatever is typed gets an answer.
#[test]
fn nothing_typed_ends_the_prompt() {
    let mut text = Vec::new();
    for line in [
        "))))",
        "\"",
        "`${",
        "|d|",
        "databases.",
        ":let",
        ":let =",
        ":rule  ",
        ":type (",
        ":",
        "::",
        ":fields",
        "\u{1b}[31m",
        "\u{0}",
        "ä",
        "1e999",
        "99999999999999999999",
        "eval(\"1\")",
        "any_violated(\"cause\", data_sources[0])",
        "any_violated(\"nothing\", data_sources[0])",
        "databases.map(|d| databases.map(|e| [d, e]))",
        "-9223372036854775808",
        "[[[[1]]]]",
    ] {
        text.extend_from_slice(line.as_bytes());
        // An empty line and a closing bracket bring an open text to its end.
        text.extend_from_slice(b"\n`)]}\"\n");
    }
    text.extend_from_slice(b"\xff\xfe\n1 + 1\n");
    let facts = contoso();
    let ran = run_with(&["eval", "--facts", &facts, "--now", "observed"], &text);
    assert_eq!(ran.code, 2);
    assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'));
}

#[test]
fn an_expression_goes_on_while_a_bracket_is_open() {
    for text in ["1", "a.b(c)", "\"(\"", "`(`", "x // (", ")", ""] {
        assert!(is_finished(text), "{text}");
    }
    for text in ["(", "a.filter(|d| ", "[1, ", "`text", "`${d", "if a { b", "f(\")\""] {
        assert!(!is_finished(text), "{text}");
    }
}

/// The program itself, with standard input that is no terminal: no prompt and no escape in the answer.
#[test]
fn the_program_reads_lines_from_a_pipe() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_dpmguard"))
        .args(["eval", "--facts", &contoso(), "--now", "observed"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"databases.count() > 0\n1 +\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "true\n: true or false\n");
}
