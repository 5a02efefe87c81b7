//! Violations and the words for them.

use std::fmt::Write as _;

use super::*;
use crate::report::diagnostic::plain;
use crate::source::{Sources, read};

const SCHEMA: &str = r##"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object", "additionalProperties": false, "required": ["schema"],
  "properties": {
    "schema": {"const": "dpmguard.facts/v1"},
    "databases": {"type": "array", "items": {"$ref": "#/$defs/database"}},
    "version": {"type": ["string", "null"], "format": "version", "description": "Version of the server."},
    "observed_at": {"type": "string", "format": "date-time"},
    "age": {"type": "string", "format": "duration-text"},
    "owner": {"anyOf": [{"$ref": "#/$defs/owner"}, {"type": "null"}]},
    "key": {"propertyNames": {"pattern": "^[a-z]+$"}, "minProperties": 1},
    "when": {"oneOf": [{"type": "string", "minLength": 2}, {"type": "integer", "minimum": 0, "maximum": 9}]},
    "kind": {"oneOf": [{"const": "full"}, {"const": "express"}]},
    "either": {"anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    "step": {"oneOf": [
      {"type": "object", "required": ["to"], "properties": {"do": {"const": "move"}, "to": {"type": "string"}}},
      {"type": "object", "required": ["at"], "properties": {"do": {"const": "wait"}, "at": {"type": "string"}}}]},
    "tags": {"type": "array", "uniqueItems": true, "minItems": 1, "maxItems": 3},
    "gone": false, "num": {"type": "number", "multipleOf": 5}, "flag": {"type": "boolean"},
    "merged": {"allOf": [{"$ref": "#/$defs/owner"}], "unevaluatedProperties": false}
  },
  "$defs": {
    "owner": {"type": "object", "properties": {"name": {"type": "string", "minLength": 1}, "age_years": {"type": "integer"}}, "required": ["name"]},
    "database": {"type": "object", "additionalProperties": false, "required": ["name"], "properties": {
      "name": {"type": "string", "format": "name", "description": "Name as the server shows it."},
      "edb_path": {"type": "string", "format": "windows-path"},
      "state": {"enum": ["consistent", "inconsistent", "verifying"]}
    }}
  }
}"##;

fn check(text: &str) -> String {
    let mut sources = Sources::default();
    let file = sources.add("f", text.as_bytes()).unwrap();
    let node = read(&sources, file).unwrap_or_else(|problems| panic!("{problems:?}"));
    let found = Schema::compile(SCHEMA).unwrap().check(&node);
    let mut out = String::new();
    for problem in &found {
        let at = problem.place.map(|place| &text[place.start as usize..place.end as usize]);
        write!(out, "{} @ {:?}", plain(problem, &sources), at.unwrap_or_default()).unwrap();
        for (place, label) in &problem.related {
            write!(out, "; {} {label}", sources.location(*place)).unwrap();
        }
        for help in &problem.help {
            write!(out, "; help: {help}").unwrap();
        }
        out.push('\n');
    }
    out
}

#[test]
fn what_conforms_is_silent() {
    let text = r"
schema: dpmguard.facts/v1
databases:
  - {name: DB1, edb_path: 'D:\Data\DB1.edb', state: verifying}
version: 8.1.240.6
observed_at: 2009-05-04T18:00:00Z
age: 1h30m
owner: null
tags: [a, b]
when: 3
";
    assert_eq!(check(text), "");
}

#[test]
fn keys_are_told_with_what_was_meant() {
    insta::assert_snapshot!(check("databases:\n  - nam: DB1\n  - name: DB2\n    edb-path: 'D:'\n  - {}\nextra: 1\nowner: {nme: x}\nmerged: {name: 1, zzzzzz: 2}\ngone: 1\nkey: {A: 1}\n"), @r#"
    f:1:1: error[missing-key]: missing key `schema` @ "databases"
    f:2:5: error[missing-key]: missing key `name` in `databases[0]` @ "nam"; help: `name`: Name as the server shows it
    f:2:5: error[unknown-key]: unknown key `nam` in `databases[0]` @ "nam"; help: did you mean `name`?
    f:4:5: error[unknown-key]: unknown key `edb-path` in `databases[1]` @ "edb-path"; help: did you mean `edb_path`?
    f:5:5: error[missing-key]: missing key `name` in `databases[2]` @ "{"; help: `name`: Name as the server shows it
    f:6:1: error[unknown-key]: unknown key `extra` @ "extra"; help: allowed keys: `schema`, `version`, `observed_at`, `age`, `when`, `kind`, `either`, `step`, `tags`, `num`, `flag`
    f:7:1: error[missing-key]: missing key `name` in `owner` @ "owner"
    f:8:16: error[wrong-type]: `merged.name`: expected text, found a whole number @ "1"; help: quote it
    f:8:19: error[unknown-key]: unknown key `zzzzzz` in `merged` @ "zzzzzz"; help: allowed keys: `age_years`
    f:9:1: error[unknown-key]: `gone` is not allowed here @ "gone"
    f:10:7: error[pattern]: the key `A` in `key`: `A` does not match `^[a-z]+$` @ "A"
    "#);
    insta::assert_snapshot!(check("schema: dpmguard.facts/v1\neither:\n  c: 1\nkey: {}\nstep: {do: wait, to: x}\n"), @r#"
    f:2:1: error[missing-key]: missing key in `either`: `a` or `b` @ "either"
    f:4:1: error[too-few]: `key`: at least 1 key needed @ "key"
    f:5:1: error[missing-key]: missing key `at` in `step` @ "step"
    "#);
}

#[test]
fn values_are_told_by_type_and_form() {
    insta::assert_snapshot!(check(r#"
schema: dpmguard.fact/v1
databases:
  - name: 5
    edb_path: null
    state: inconsistant
  - 7
  - name: ""
    edb_path: D:/x
    state: other
version: 2009
observed_at: 2009-05-04T18:00:00
age: 90 minutes
owner: 3
when: [1]
kind: none
tags: [{a: 1, b: 2}, x, {b: 2, a: 1}]
num: "5"
flag: "true"
"#), @r#"
    f:2:9: error[not-one-of]: `schema`: expected `dpmguard.facts/v1`, found `dpmguard.fact/v1` @ "dpmguard.fact/v1"; help: did you mean `dpmguard.facts/v1`?
    f:4:11: error[wrong-type]: `databases[0].name`: expected text, found a whole number @ "5"; help: quote it; help: Name as the server shows it
    f:5:15: error[wrong-type]: `databases[0].edb_path` may not be null @ "null"; help: leave the key out if the value was not collected
    f:6:12: error[not-one-of]: `databases[0].state`: `inconsistant` is not one of the values it may have @ "inconsistant"; help: did you mean `inconsistent`?; help: allowed values: `consistent`, `inconsistent`, `verifying`
    f:7:5: error[wrong-type]: `databases[1]`: expected a mapping, found a whole number @ "7"
    f:8:11: error[wrong-format]: `databases[2].name`: empty text is not a name @ "\"\""; help: a name is not empty and has no control characters; help: Name as the server shows it
    f:9:15: error[wrong-format]: `databases[2].edb_path`: `D:/x` is not an absolute Windows path @ "D:/x"; help: write it like `D:\Data\DB1.edb` or `\\server\share\DB1.edb`
    f:10:12: error[not-one-of]: `databases[2].state`: `other` is not one of the values it may have @ "other"; help: allowed values: `consistent`, `inconsistent`, `verifying`
    f:11:10: error[wrong-type]: `version`: expected text or null, found a whole number @ "2009"; help: quote it; help: Version of the server
    f:12:14: error[wrong-format]: `observed_at`: `2009-05-04T18:00:00` is not a date and time with offset @ "2009-05-04T18:00:00"; help: write it like `2009-05-04T18:00:00Z` or `...+02:00`
    f:13:6: error[wrong-format]: `age`: `90 minutes` is not a duration @ "90 minutes"; help: write it like `90m`, `1h30m`, `2d` or `PT1H30M`
    f:14:8: error[wrong-type]: `owner`: expected a mapping or null, found a whole number @ "3"
    f:15:7: error[wrong-type]: `when`: expected a whole number or text, found a list @ "[1]"
    f:16:7: error[not-one-of]: `kind`: `none` is not one of the values it may have @ "none"; help: allowed values: `full`, `express`
    f:17:26: error[not-unique]: `tags`: an item is given twice @ "b"; f:17:9 the first one
    f:18:6: error[wrong-type]: `num`: expected a number, found text @ "\"5\""; help: take the quotes away
    f:19:7: error[wrong-type]: `flag`: expected true or false, found text @ "\"true\""; help: take the quotes away
    "#);
    insta::assert_snapshot!(check("schema: dpmguard.facts/v1\nwhen: 12\ntags: [a, b, c, d]\nnum: 7\nversion: 1.x\nkind: null\nowner:\n  name: ''\n"), @r#"
    f:2:7: error[out-of-range]: `when`: `12` is more than 9 @ "12"
    f:3:17: error[too-many]: `tags`: at most 3 items allowed @ "d"
    f:4:6: error[out-of-range]: `num`: `7` is not a multiple of 5 @ "7"
    f:5:10: error[wrong-format]: `version`: `1.x` is not a version @ "1.x"; help: write it like `8.1.240.6`: one to four numbers; help: Version of the server
    f:6:7: error[wrong-type]: `kind` may not be null @ "null"; help: leave the key out if the value was not collected
    f:8:9: error[too-few]: `owner.name`: may not be empty @ "''"
    "#);
    insta::assert_snapshot!(check("schema: dpmguard.facts/v1\nwhen: a\ntags: []\ndatabases: [null]\nnum: {a: 1}\n"), @r#"
    f:2:7: error[too-few]: `when`: at least 2 characters needed @ "a"
    f:3:1: error[too-few]: `tags`: at least 1 item needed @ "tags"
    f:4:13: error[wrong-type]: `databases[0]` may not be null @ "null"
    f:5:6: error[wrong-type]: `num`: expected a number, found a mapping @ "{a: 1}"
    "#);
    insta::assert_snapshot!(check("- 1\n"), @r#"f:1:1: error[wrong-type]: the document: expected a mapping, found a list @ "- 1""#);
}

#[test]
fn only_so_many_are_told() {
    let mut text = String::from("schema: dpmguard.facts/v1\ndatabases:\n");
    for i in 0..3_000 {
        writeln!(text, "  - {{name: {i}}}").unwrap();
    }
    let told = check(&text);
    assert_eq!(told.lines().count(), 1_001);
    insta::assert_snapshot!(told.lines().last().unwrap(), @r#"f:1003:12: error[too-many-errors]: 2000 more violations of the schema from here on @ "1000""#);
    let mut wide = String::new();
    for i in 0..20_000 {
        writeln!(wide, "k{i}: 1").unwrap();
    }
    assert_eq!(check(&wide).lines().count(), 1_001);
}

#[test]
fn formats_know_their_own() {
    let yes = |is: fn(&str) -> bool, texts: &[&str]| texts.iter().all(|text| is(text));
    let no = |is: fn(&str) -> bool, texts: &[&str]| !texts.iter().any(|text| is(text));
    assert!(
        yes(format::is_name, &["a", "ä b", " "]) && no(format::is_name, &["", "a\nb", "\u{7f}"])
    );
    assert!(yes(
        format::is_windows_path,
        &[
            r"D:\",
            "d:",
            r"D:\a b\c.edb",
            r"\\srv\share",
            r"\\srv\c$\x",
            r"\\?\Volume{1-2}\",
            r"\\?\D:\x",
            r"\\?\UNC\srv\s"
        ]
    ));
    assert!(no(
        format::is_windows_path,
        &[
            "",
            "D",
            "D:x",
            "D:/x",
            r"\x",
            r"\\srv",
            r"\\srv\",
            r"\\\s",
            r"\\?\",
            r"D:\a?",
            r"D:\a<b",
            "D:\\a\tb",
            r"1:\x",
            r"\\?\D:\x*",
            "ä:\\"
        ]
    ));
    assert!(yes(format::is_version, &["1", "8.1.240.6", "0.0", "2147483647"]));
    assert!(no(
        format::is_version,
        &["", "1.", ".1", "1.2.3.4.5", "1.x", "2147483648", "-1", "+1", "1 .2"]
    ));
    assert!(yes(
        format::is_duration,
        &["90m", "1h30m", "2d", "45s", "1w2d3h4m5s", "PT1H30M", "P1D", "P2W", "P1DT2H", "PT0S"]
    ));
    assert!(no(
        format::is_duration,
        &[
            "",
            "90",
            "m",
            "30m1h",
            "1h1h",
            "1 h",
            "1.5h",
            "P",
            "PT",
            "P1DT",
            "P1Y",
            "PT1D",
            "1H",
            "-1h",
            "1234567890s",
            "1h ",
            "P1M"
        ]
    ));
}

#[test]
fn bad_schemas_are_told() {
    let why = |text: &str| {
        let problem = Schema::compile(text).unwrap_err();
        assert_eq!(problem.code, "invalid-schema");
        problem.message
    };
    insta::assert_snapshot!(why("{"), @"the schema is not JSON: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(why(r#"{"properties": {"a": {"type": "strin"}}}"#), @r#"not a valid schema at `/properties/a/type`: "strin" is not valid under any of the schemas listed in the 'anyOf' keyword"#);
    insta::assert_snapshot!(why(r#"{"format": "nonesuch"}"#), @"not a valid schema at `/format`: Unknown format: 'nonesuch'. Adjust configuration to ignore unrecognized formats");
    insta::assert_snapshot!(why(r#"{"$ref": "https://example.org/x.json"}"#), @"not a valid schema: Resource 'https://example.org/x.json' is not present in a registry and retrieving it failed: Retrieval is disabled, cannot fetch https://example.org/x.json");
    insta::assert_snapshot!(why(r#"{"pattern": "(?=a)"}"#), @r#"not a valid schema at `/pattern`: "(?=a)" is not a "regex""#);
    assert_eq!(Schema::compile("true").unwrap().json(), &Json::Bool(true));
}
