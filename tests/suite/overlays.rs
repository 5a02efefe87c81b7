//! Kinds that a pack adds to the facts: the shipped example with every command, and overlays that are wrong.

use std::fs;

use crate::support::{Ran, root, run};

fn example(name: &str) -> String {
    root().join("examples/tape-libraries").join(name).display().to_string()
}

fn with_pack(args: &[&str]) -> Ran {
    let pack = example("pack");
    let mut all = args.to_vec();
    all.extend(["--rules", &pack]);
    run(&all)
}

#[test]
fn the_tape_pack_judges_its_facts() {
    let facts = example("pack/fixtures/estate.yaml");
    let ran = with_pack(&[
        "check",
        &facts,
        "--no-shipped-rules",
        "--now",
        "observed",
        "--format",
        "json",
    ]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let found: Vec<(&str, &str)> = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let key = finding["subject"]["key"].as_str().unwrap();
            (finding["rule"].as_str().unwrap(), key)
        })
        .collect();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            ("library-short-of-tapes", "DPM01/LIB1"),
            ("long-term-group-without-library", "DPM01/Archive"),
            ("tape-drive-needs-cleaning", "DPM01/LIB1/Drive 1"),
        ]
    );
    assert!(ran.out.contains("Clean the drive Drive 1 of the library LIB1"), "{}", ran.out);
    // The facts of the pack are not facts without it.
    let alone = run(&["check", &facts, "--now", "observed"]);
    assert_eq!(alone.code, 2);
    assert!(alone.err.contains("unknown key `tape_libraries`"), "{}", alone.err);
}

/// A shipped rule judges the same facts beside the pack's own.
#[test]
fn the_tape_pack_stands_beside_the_shipped_one() {
    let ran = with_pack(&["check", &example("pack/fixtures/estate.yaml"), "--now", "observed"]);
    assert!(matches!(ran.code, 1 | 3), "{}", ran.err);
    assert!(ran.out.contains("tape-drive-needs-cleaning"), "{}", ran.out);
}

#[test]
fn every_command_knows_the_kinds_of_a_pack() {
    let list = with_pack(&["rules", "list"]);
    assert!(list.out.contains("tape-drive-needs-cleaning"), "{}", list.out);
    let show = with_pack(&["rules", "show", "tape-drive-needs-cleaning"]);
    assert!(show.out.contains("Clean a tape drive"), "{}", show.out);
    let action = with_pack(&["rules", "actions", "clean-tape-drive"]);
    assert!(action.out.contains("drive: tape_drive"), "{}", action.out);
    let table = with_pack(&["rules", "tables", "drive-codes"]);
    assert!(table.out.contains("The drive asks to be cleaned."), "{}", table.out);
    let causes = with_pack(&["rules", "causes"]);
    assert!(causes.out.contains("Drives and libraries"), "{}", causes.out);
    let code = with_pack(&["explain-code", "211"]);
    assert!(code.out.contains("The drive asks to be cleaned."), "{}{}", code.out, code.err);
    let facts = example("pack/fixtures/estate.yaml");
    let value = with_pack(&["eval", "tape_libraries[0].drives.map(|d| d.name)", "--facts", &facts]);
    assert!(value.out.starts_with("2 names\n  Drive 1\n  Drive 2\n"), "{}{}", value.out, value.err);
    let field = "protection_groups.filter(|g| g.tape_library == ()).map(|g| g.name)";
    let value = with_pack(&["eval", field, "--facts", &facts]);
    assert!(value.out.contains("  Archive\n  Files\n"), "{}{}", value.out, value.err);
}

#[test]
fn explanations_and_pages_know_the_kinds_of_a_pack() {
    let facts = example("pack/fixtures/estate.yaml");
    let rule = "tape-drive-needs-cleaning";
    let drive = "DPM01/LIB1/Drive 1";
    let ran = with_pack(&["explain", rule, drive, "--facts", &facts, "--now", "observed"]);
    assert!(ran.out.contains("each drive of tape_drive"), "{}{}", ran.out, ran.err);
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let ran = with_pack(&["rules", "docs", "--out", &out]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let page = fs::read_to_string(folder.path().join("model/tape_drive.md")).unwrap();
    assert!(page.contains("hours_since_cleaning"), "{page}");
    let ran = run(&["lint", &example("pack")]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

/// The pack is an example for its cases, too: they reach everything and notice every slip.
#[test]
fn the_cases_of_the_tape_pack_pass_and_reach_everything() {
    let pack = example("pack");
    let ran = run(&["test", &pack, "--coverage"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("are reached (100 %)"), "{}", ran.out);
    let ran = run(&["test", &pack, "--mutate"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains(" 0 survived"), "{}", ran.out);
}

#[test]
fn the_schema_of_facts_holds_what_packs_add() {
    let ran = with_pack(&["schema", "facts-v1"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["properties"]["tape_drives"]["items"]["$ref"], "#/$defs/tape_drive");
    assert_eq!(
        json["$defs"]["protection_group"]["properties"]["tape_library"]["x-ref"],
        "tape_library"
    );
    assert!(json["properties"]["collected"]["properties"]["tape_drives"].is_object());
    let complete = json["properties"]["complete"]["items"]["enum"].as_array().unwrap();
    assert!(complete.iter().any(|name| name == "tape_drives"));
    // Without packs it is the shipped text, letter by letter.
    let shipped = fs::read_to_string(root().join("schemas/facts-v1.schema.json")).unwrap();
    assert_eq!(run(&["schema", "facts-v1"]).out, shipped);
    let other = with_pack(&["schema", "rule-v1"]);
    assert_eq!((other.code, other.out.as_str()), (2, ""));
    assert!(other.err.contains("packs add nothing to the schema `rule-v1`"), "{}", other.err);
}

const HEAD: &str = "schema: dpmguard.model/v1\ntitle: Things\n";
const THING: &str = "properties:\n  things: { type: array, items: { $ref: '#/$defs/thing' } }\n\
    $defs:\n  thing:\n    x-kind: thing\n    x-key: [name]\n    type: object\n    required: [name]\n    \
    properties:\n      name: { type: string, format: name }\n";

/// What the tool says of a pack with that overlay.
fn said(overlay: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.yaml"), overlay).unwrap();
    run(&["schema", "facts-v1", "--rules", &folder.path().display().to_string()])
}

#[test]
fn overlays_that_are_wrong_are_refused_at_their_place() {
    let good = said(&[HEAD, THING].concat());
    assert_eq!(good.code, 0, "{}", good.err);
    for (name, change, with, wanted) in [
        (
            "taken collection",
            "things:",
            "databases:",
            "`databases` is a collection or record of the facts already",
        ),
        ("taken kind", "x-kind: thing", "x-kind: database", "there are two kinds named `database`"),
        ("reserved name", "things:", "params:", "`params` is a reserved word"),
        ("word of the language", "things:", "loop:", "`loop` is a reserved word"),
        ("no key", "    x-key: [name]\n", "", "kind `thing` has no `x-key`"),
        (
            "key that is no field",
            "x-key: [name]",
            "x-key: [nam]",
            "`nam` is not a field of `thing`",
        ),
        ("key not required", "    required: [name]\n", "", "it must be `required`"),
        (
            "no kind",
            "    x-kind: thing\n",
            "",
            "`thing` has no `x-kind`, so `things` would hold no objects",
        ),
        ("broken type", "'#/$defs/thing'", "'#/$defs/thin'", "this reference leads nowhere"),
        (
            "broken reference",
            "format: name }",
            "format: name, x-ref: databse }",
            "did you mean `database`?",
        ),
        (
            "broken scope",
            "format: name }",
            "format: name, x-ref: database, x-ref-scope: [sever] }",
            "`sever` is not a field here",
        ),
        (
            "misspelt annotation",
            "format: name }",
            "format: name, x-untis: bytes }",
            "did you mean `x-unit`?",
        ),
        (
            "field named key",
            "name: { type",
            "key: { type: string }\n      name: { type",
            "`key` cannot be a field",
        ),
        (
            "no type",
            "{ type: string, format: name }",
            "{ description: nothing }",
            "a schema without `type`",
        ),
        ("unknown head", "title: Things", "titel: Things", "title"),
        (
            "taken inverse",
            "format: name }",
            "format: name, x-ref: dpm_server, x-inverse: name }",
            "`dpm_server` has a field `name` already",
        ),
        (
            "inverse named key",
            "format: name }",
            "format: name, x-ref: dpm_server, x-inverse: key }",
            "`key` cannot be a field",
        ),
        (
            "inverse that is no name",
            "format: name }",
            "format: name, x-ref: dpm_server, x-inverse: 'a b' }",
            "`a b` is not a name for a field",
        ),
        ("key named twice", "[name]", "[name, name]", "`name` stands in the key of `thing` twice"),
        ("two question marks", "[name]", "['name??']", "`name?` is not a field of `thing`"),
        (
            "bad pattern",
            "format: name }",
            "pattern: '(' }",
            "not a valid schema at `/$defs/thing/properties/name/pattern`",
        ),
    ] {
        let overlay = [HEAD, THING].concat();
        assert!(overlay.contains(change), "{name}");
        let ran = said(&overlay.replacen(change, with, 1));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{name}: {}", ran.err);
        assert!(ran.err.contains(wanted), "{name}: {}", ran.err);
        assert!(ran.err.contains("model.yaml:"), "{name} has a place: {}", ran.err);
    }
}

#[test]
fn a_type_of_the_facts_takes_fields_and_nothing_else() {
    let on = |body: &str| said(&format!("{HEAD}$defs:\n  database:\n{body}"));
    let ran = on("    properties:\n      owner: { type: string }\n");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = on("    properties:\n      edb_path: { type: string }\n");
    assert!(ran.err.contains("`edb_path` is a field of `database` already"), "{}", ran.err);
    let ran = on("    required: [owner]\n    properties:\n      owner: { type: string }\n");
    assert!(ran.err.contains("only `properties` can be added to it"), "{}", ran.err);
}

#[test]
fn two_packs_cannot_add_the_same_kind() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for folder in [&one, &other] {
        fs::write(folder.path().join("model.yaml"), [HEAD, THING].concat()).unwrap();
    }
    let paths = [&one, &other].map(|folder| folder.path().display().to_string());
    let ran = run(&["rules", "list", "--rules", &paths[0], "--rules", &paths[1]]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("`things` is a collection or record of the facts already"),
        "{}",
        ran.err
    );
    // Under another collection it is the same kind still.
    let text = [HEAD, THING]
        .concat()
        .replace("things:", "stuff:")
        .replace("thing'", "item'")
        .replace("  thing:", "  item:");
    fs::write(other.path().join("model.yaml"), text).unwrap();
    let ran = run(&["rules", "list", "--rules", &paths[0], "--rules", &paths[1]]);
    assert!(ran.err.contains("there are two kinds named `thing`"), "{}", ran.err);
}

/// A misspelt field of a kind of one's own is refused, though the overlay did not forbid it.
#[test]
fn objects_of_an_overlay_are_closed() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.yaml"), [HEAD, THING].concat()).unwrap();
    let facts = folder.path().join("facts.json");
    fs::write(
        &facts,
        r#"{"schema": "dpmguard.facts/v1", "observed_at": "2020-01-01T00:00:00Z", "things": [{"name": "a", "nmae": 1}]}"#,
    )
    .unwrap();
    let ran = run(&[
        "eval",
        "things.count()",
        "--facts",
        &facts.display().to_string(),
        "--rules",
        &folder.path().display().to_string(),
    ]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(ran.err.contains("unknown key `nmae`"), "{}", ran.err);
}
