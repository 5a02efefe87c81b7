//! What facts mean: absent, null and value; open and complete; united files; derived fields.

use std::sync::Arc;

use dpmguard::expr::check::{Scope, World, check};
use dpmguard::expr::eval::{Env, NoVerdicts, View};
use dpmguard::expr::script::Scripts;
use dpmguard::facts::merge::merge;
use dpmguard::facts::time::Instant;
use dpmguard::load;
use dpmguard::source::{self, Sources};

use crate::support::{run_with, said};

/// The value of an expression over fact documents, `unknown: reasons`, or `error: diagnostics`.
fn ask(documents: &[&str], text: &str) -> String {
    let mut sources = Sources::default();
    let model = load::packs(true, &[], &mut sources).unwrap().model;
    let mut files = Vec::new();
    for (number, document) in documents.iter().enumerate() {
        let whole =
            format!("schema: dpmguard.facts/v1\nobserved_at: 2009-09-14T18:00:00Z\n{document}");
        let file = sources.add(format!("{number}.yaml"), whole.as_bytes()).unwrap();
        let root = source::read(&sources, file)
            .unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
        let found = load::schema("facts-v1").unwrap().check(&root);
        assert!(found.is_empty(), "{}", said(&found, &sources));
        files.push((file, root));
    }
    let facts = match merge(&model, &files) {
        Ok((facts, _)) => facts,
        Err(found) => {
            return format!(
                "error: {}",
                found.iter().map(|one| one.message.clone()).collect::<Vec<_>>().join("; ")
            );
        }
    };
    let mut scope = Scope::default();
    let world = World { model: &model, scripts: &[], tables: &[] };
    let expr = check(text, &mut scope, world).unwrap_or_else(|found| panic!("{text}: {found:#?}"));
    let now = Instant::parse("2009-09-14T20:00:00Z").unwrap();
    let view = Arc::new(View::new(Arc::new(facts), now));
    let scripts = Scripts::default();
    let mut env = Env::new(&view, &scripts, &NoVerdicts, scope.slots);
    match env.eval(&expr) {
        Ok(value) => view.facts.say(&value),
        Err(unknown) => {
            let reasons: Vec<String> =
                unknown.reasons.iter().map(|reason| reason.what.to_string()).collect();
            format!("unknown: {}", reasons.join(", "))
        }
    }
}

fn check_all(documents: &[&str], table: &[(&str, &str)]) {
    for (text, wanted) in table {
        assert_eq!(ask(documents, text), *wanted, "{text}");
    }
}

const EXCHANGE: &str = "
complete: [storage_groups, databases]
storage_groups:
  - { server: EX01, name: SG1, circular_logging: false }
  - { server: EX01, name: SG2 }
databases:
  - { server: EX01, storage_group: SG1, name: DB1, edb_path: 'F:\\Mnt\\DB1\\DB1.edb', size_bytes: 100, mounted: true }
  - { server: ex01, storage_group: sg1, name: DB2, edb_path: 'F:\\DB2.edb', size_bytes: 50, mounted: null }
  - { server: EX01, storage_group: null, name: DB3 }
";

#[test]
fn logic_has_three_values_and_no_order() {
    // `storage_groups.all(...)` over SG2 is unknown: its circular_logging was not collected.
    let unknown = "storage_groups.all(|g| !g.circular_logging)";
    for (left, right, operator, wanted) in
        [("true", unknown, "||", "true"), ("false", unknown, "&&", "false")]
    {
        assert_eq!(ask(&[EXCHANGE], &format!("{left} {operator} {unknown}")), wanted);
        assert_eq!(ask(&[EXCHANGE], &format!("{unknown} {operator} {left}")), wanted);
        assert_eq!(right, unknown);
    }
    for text in
        [format!("false || {unknown}"), format!("{unknown} && true"), format!("!({unknown})")]
    {
        assert_eq!(ask(&[EXCHANGE], &text), "unknown: storage_groups[EX01/SG2].circular_logging");
    }
}

#[test]
fn a_failure_is_unknown_too() {
    check_all(
        &[EXCHANGE],
        &[
            ("1 / 0 == 1 || true", "true"),
            ("true || 1 / 0 == 1", "true"),
            ("9223372036854775807 + 1", "unknown: a number became too large"),
            ("1 / 0", "unknown: a division by zero"),
            ("percent(1, 0)", "unknown: percent: there is no per cent of 0"),
            ("[1, 2][2]", "unknown: there is no member 2 in a list of 2"),
        ],
    );
}

#[test]
fn absent_null_and_value_stay_apart() {
    check_all(
        &[EXCHANGE],
        &[
            ("databases.any(|d| d.name == \"db2\" && d.mounted == ())", "true"),
            ("databases.count(|d| d.name != \"DB3\" && d.mounted != () && d.mounted)", "1"),
            (
                "databases.any(|d| d.name == \"DB3\" && d.mounted == ())",
                "unknown: databases[EX01/DB3].mounted",
            ),
            ("databases.all(|d| known(d.mounted))", "false"),
            ("databases.sum(|d| d.get(\"size_bytes\", 7))", "157"),
            ("databases.known_only().sum(|d| d.size_bytes)", "150"),
            ("databases.sum(|d| d.size_bytes)", "unknown: databases[EX01/DB3].size_bytes"),
        ],
    );
}

#[test]
fn names_and_keys_are_compared_without_case() {
    check_all(
        &[EXCHANGE],
        &[
            ("storage_groups.find(|g| g.name == \"sg1\") != ()", "true"),
            ("storage_groups.map(|g| g.databases.count())", "2, 0"),
            ("databases.map(|d| d.key)", "EX01/DB3, EX01/SG1/DB1, ex01/sg1/DB2"),
        ],
    );
}

#[test]
fn an_open_collection_is_never_an_empty_one() {
    let open = "databases:\n  - { server: EX01, storage_group: null, name: DB1, size_bytes: 1 }\n";
    check_all(
        &[open],
        &[
            ("databases.any(|d| d.name == \"DB1\")", "true"),
            ("databases.any(|d| d.name == \"DB9\")", "unknown: databases"),
            ("databases.all(|d| d.name == \"DB9\")", "false"),
            ("databases.all(|d| d.name == \"DB1\")", "unknown: databases"),
            ("databases.count()", "unknown: databases"),
            ("databases.is_empty()", "false"),
            ("databases.find(|d| d.name == \"DB1\") != ()", "unknown: databases"),
            ("databases.filter(|d| d.size_bytes > 0).any(|d| d.name == \"DB1\")", "true"),
            ("databases.filter(|d| d.size_bytes > 9).is_empty()", "unknown: databases"),
            ("databases.map(|d| d.size_bytes).max()", "unknown: databases"),
            ("1 in databases.map(|d| d.size_bytes)", "true"),
            ("2 in databases.map(|d| d.size_bytes)", "unknown: databases"),
            ("databases.known_only().count()", "1"),
            ("volumes.any(|v| true)", "unknown: volumes"),
        ],
    );
    check_all(
        &["complete: all\ndatabases: []\n"],
        &[("databases.is_empty()", "true"), ("databases.max(|d| d.size_bytes) == ()", "true")],
    );
}

#[test]
fn files_are_united_by_key() {
    let more = "databases:\n  - { server: EX01, storage_group: SG1, name: db1, kind: mailbox }\n";
    check_all(
        &[EXCHANGE, more],
        &[
            (
                "databases.any(|d| d.name == \"DB1\" && d.kind == \"mailbox\" && d.size_bytes == 100)",
                "true",
            ),
            // The second file adds to the collection and does not say that it holds all.
            ("databases.count()", "unknown: databases"),
            ("storage_groups.count()", "2"),
        ],
    );
    let complete = format!("complete: all{more}").replace("alldatabases", "all\ndatabases");
    assert_eq!(ask(&[EXCHANGE, &complete], "databases.count()"), "3");
}

#[test]
fn two_values_for_one_fact_are_a_contradiction() {
    let fact = |fact: &str| {
        format!("databases:\n  - {{ server: EX01, storage_group: SG1, name: DB1, {fact} }}\n")
    };
    for (other, says) in [
        ("size_bytes: 101", "`databases[EX01/SG1/DB1].size_bytes` has two values: `100` and `101`"),
        ("mounted: null", "`databases[EX01/SG1/DB1].mounted` has two values: `true` and `null`"),
        ("edb_path: 'F:\\DB1.edb'", "databases[EX01/SG1/DB1].edb_path"),
    ] {
        let answer = ask(&[EXCHANGE, &fact(other)], "true");
        assert!(answer.starts_with("error: ") && answer.contains(says), "{answer}");
    }
    // One path in two spellings is one value.
    assert_eq!(ask(&[EXCHANGE, &fact("edb_path: 'f:\\mnt\\db1\\DB1.EDB'")], "true"), "true");
}

#[test]
fn a_path_lies_in_the_nearest_root_once_all_roots_are_known() {
    let volumes = "volumes:\n  - { server: EX01, mount: 'F:\\' }\n  - { server: EX01, mount: 'F:\\Mnt\\DB1\\' }\n  - { server: EX02, mount: 'G:\\' }\n";
    let of = |name: &str| {
        format!(
            "databases.map(|d| d.get(\"edb_path\", \"X:\\\\none\")).count() > 0 && databases.filter(|d| d.name == \"{name}\").all(|d| d.edb_volume != () && d.edb_volume.mount == \"{}\")",
            if name == "DB1" { "F:\\\\Mnt\\\\DB1" } else { "f:" }
        )
    };
    let complete = format!("complete: all\n{volumes}");
    assert_eq!(ask(&[EXCHANGE, &complete], &of("DB1")), "true");
    assert_eq!(ask(&[EXCHANGE, &complete], &of("DB2")), "true");
    // Another mount point, not collected, could lie nearer.
    assert_eq!(
        ask(&[EXCHANGE, volumes], &of("DB1")),
        "unknown: databases[EX01/SG1/DB1].edb_volume"
    );
}

#[test]
fn back_references_are_open_where_a_reference_is_not_known() {
    let facts = "
complete: all
storage_groups:
  - { server: EX01, name: SG1 }
data_sources:
  - { dpm_server: DPM01, server: EX01, name: SG1, storage_group: SG1 }
  - { dpm_server: DPM01, server: EX01, name: SG2 }
";
    check_all(
        &[facts],
        &[
            ("storage_groups.any(|g| g.data_sources.any(|s| s.name == \"SG1\"))", "true"),
            (
                "storage_groups.any(|g| g.data_sources.any(|s| s.name == \"SG9\"))",
                "unknown: data_sources[DPM01/EX01/SG2].storage_group",
            ),
        ],
    );
    // A reference to what is not there may be a slip for what is.
    let slip = facts.replace("name: SG2 }", "name: SG2, storage_group: SG01 }");
    assert_eq!(
        ask(&[&slip], "storage_groups.any(|g| g.data_sources.any(|s| s.name == \"SG9\"))"),
        "unknown: data_sources[DPM01/EX01/SG2].storage_group"
    );
    let all = facts.replace("name: SG2 }", "name: SG2, storage_group: null }");
    assert_eq!(
        ask(&[&all], "storage_groups.any(|g| g.data_sources.any(|s| s.name == \"SG9\"))"),
        "false"
    );
}

#[test]
fn stale_facts_count_as_not_known_and_say_so() {
    let folder = tempfile::tempdir().unwrap();
    let rule =
        std::fs::read_to_string(crate::support::root().join("tests/diagnostics/base-rule.yaml"))
            .unwrap();
    let fresh = rule.replace("tags: [size]", "max_age: { database: 24h }");
    std::fs::write(folder.path().join("base-rule.yaml"), fresh).unwrap();
    let facts = "schema: dpmguard.facts/v1
observed_at: 2009-09-14T18:00:00Z
complete: all
collected:
  databases: { at: 2009-09-10T00:00:00Z, by: test }
data_sources: []
databases:
  - { server: EX01, storage_group: null, name: DB1, kind: mailbox }
";
    let judge = |now: &str| {
        let rules = folder.path().display().to_string();
        let args = [
            "check",
            "-",
            "--rules",
            &rules,
            "--no-shipped-rules",
            "--now",
            now,
            "--format",
            "json",
        ];
        let ran = run_with(&args, facts.as_bytes());
        let json: serde_json::Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        json
    };
    let stale = judge("2009-09-14T18:00:00Z");
    assert_eq!(stale["undecided"][0]["missing"][0]["gap"], "stale", "{stale}");
    let why = stale["undecided"][0]["missing"][0]["why"].as_str().unwrap();
    assert!(why.contains("2009-09-10T00:00:00Z") && why.contains("1 d"), "{why}");
    assert_eq!(judge("2009-09-10T12:00:00Z")["undecided"], serde_json::json!([]));
}

/// Slips in the schema itself, which an author of a further kind can make: none is passed over.
#[test]
fn a_schema_with_a_slip_is_not_compiled() {
    use dpmguard::facts::model::Model;
    const GOOD: &str = include_str!("../expressions/model.json");
    for (from, to, says) in [
        ("\"required\": [\"name\"],", "", "must be `required`"),
        ("\"x-key\": [\"name\"]", "\"x-key\": [\"nmae\"]", "`nmae` is not a field"),
        ("\"x-ref\": \"thing\"", "\"x-ref\": \"thnig\"", "`thnig` is not a kind"),
        ("\"x-ref\": \"thing\", ", "", "`x-inverse` goes with `x-ref`"),
        (
            "\"x-ref\": \"thing\", ",
            "\"x-ref\": \"thing\", \"x-ref-scope\": [\"nmae\"], ",
            "`nmae` is not a field here",
        ),
        ("\"x-inverse\": \"friends_of\"", "\"x-inverse\": \"tags\"", "has a field `tags` already"),
        (
            "\"tags\": { \"type\": \"array\", \"items\": { \"type\": \"string\" } }",
            "\"tags\": { \"type\": \"array\", \"items\": { \"type\": \"string\", \"x-ref\": \"thing\" } }",
            "beside `items`",
        ),
        (
            "\"properties\": { \"weight\"",
            "\"properties\": { \"inner\": { \"$ref\": \"#/$defs/part\" }, \"weight\"",
            "a type that holds itself",
        ),
        ("#/$defs/box", "#/$defs/bxo", "leads nowhere"),
        (
            "\"flag\": { \"type\": \"boolean\" }",
            "\"flag\": { \"oneOf\": [] }",
            "a schema without `type`",
        ),
    ] {
        assert_eq!(GOOD.matches(from).count(), 1, "{from}");
        let mut sources = Sources::default();
        let file = sources.add("model.json", GOOD.replacen(from, to, 1).as_bytes()).unwrap();
        let root = source::read(&sources, file).unwrap();
        let found = Model::compile(&root).err().unwrap_or_default();
        assert!(
            found.iter().any(|one| one.message.contains(says) && one.place.is_some()),
            "{says}: {found:?}"
        );
    }
}
