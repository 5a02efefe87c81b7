//! What is offered, said, found, renamed and formatted, in a rule of the fixtures that is changed in one place.

use std::fs;

use serde_json::{Value as Json, json};

use super::{Client, RULE, Session, at_cursor, rule_with, text_of, uri};
use crate::support::{files, root};

const VIOLATED: &str = "violated: is_overdue(hours, params.limit_hours)";

/// What is offered where, whatever is broken around it: a stretch of the rule, what is typed in its place (`‸` is the
/// cursor), what must be among the offers, and what must not.
const OFFERS: &[(&str, &str, &[&str], &[&str])] = &[
    // Fields and methods by type.
    (VIOLATED, "violated: drive.‸", &["state", "name", "key", "slots"], &["hours", "any"]),
    (VIOLATED, "violated: drive.st‸", &["state"], &["name"]),
    (VIOLATED, "violated: drive.slots.‸", &["any", "is_empty", "contains"], &["state"]),
    (VIOLATED, "violated: tape_drives.any(|d| d.‸", &["state"], &["any"]),
    (VIOLATED, "violated: params.‸", &["limit_hours"], &["state"]),
    (VIOLATED, "violated: tape_codes.any(|row| row.‸)", &["code", "meaning"], &[]),
    // Inside of what is broken.
    (VIOLATED, "violated: '!(drive.‸", &["state"], &[]),
    (VIOLATED, "violated: !known(drive.‸", &["state"], &[]),
    (VIOLATED, "violated: drive.‸ && hours >", &["state"], &[]),
    (VIOLATED, "violated: >-\n  drive.‸ &&\n  hours >", &["state"], &[]),
    ("severity: warning\n", "severity: [\nviolated: drive.‸\n", &["state"], &[]),
    ("- hours: drive.hours_since_cleaning", "- hours: drive.‸", &["hours_since_cleaning"], &[]),
    // Names that are bound at the place, and not those bound later.
    (
        VIOLATED,
        "violated: ‸",
        &[
            "drive",
            "hours",
            "params",
            "now",
            "tape_drives",
            "tape_codes",
            "is_overdue",
            "hours_between",
            "known",
        ],
        &[],
    ),
    (
        "- hours: drive.hours_since_cleaning",
        "- spent: ‸",
        &["drive", "params"],
        &["spent", "state"],
    ),
    (VIOLATED, "violated: tape_drives.any(|other| o‸", &["other"], &[]),
    // Members of enumerations.
    (
        "drive.state != \"broken\"",
        "drive.state == \"‸\"",
        &["ready", "needs-cleaning", "broken"],
        &["drive"],
    ),
    (
        "drive.state != \"broken\"",
        "drive.state in [\"ready\", \"needs-‸",
        &["needs-cleaning"],
        &["drive"],
    ),
    // Messages.
    ("${hours} hours;", "${‸} hours;", &["hours", "drive", "params"], &[]),
    ("${hours} hours;", "${drive.‸ hours;", &["name", "state"], &[]),
    ("${hours} hours;", "ho‸ hours;", &[], &["hours"]),
    // Ids and keys.
    ("of: tape_drive\n", "of: ‸\n", &["tape_drive", "database"], &["tape_drives"]),
    ("of: tape_drive\n", "of: tape_‸\n", &["tape_drive"], &[]),
    ("action: clean-drive", "action: clean-‸", &["clean-drive"], &[]),
    ("see: drive-broken", "see: ‸", &["drive-broken", "drive-not-cleaned"], &["clean-drive"]),
    ("cause: worn-drive", "cause: w‸", &["worn-drive"], &[]),
    ("{ drive: drive, times: 1 }", "{ ‸ }", &["drive", "times"], &["state"]),
    ("{ drive: drive, times: 1 }", "{ drive: drive, ti‸", &["times"], &[]),
    ("{ drive: drive, times: 1 }", "{ drive: ‸ }", &["drive", "hours"], &[]),
    ("  ticket: storage", "  ‸", &["ticket"], &[]),
    ("  - that: hours != ()", "  - ‸\n  - that: hours != ()", &["that", "else"], &[]),
    ("subject: drive", "subject: ‸", &["drive"], &["hours"]),
    ("any_violated(\"drives\", drive)", "any_violated(\"‸\", drive)", &["drives"], &["drive"]),
    // What the schema says.
    ("severity: warning", "severity: ‸", &["note", "warning", "error"], &[]),
    (
        "severity: warning",
        "severity: warning\nta‸",
        &["tags", "withholds", "max_age"],
        &["severity", "title"],
    ),
    ("      see: drive-broken", "      see: drive-broken\n      ‸", &[], &["see", "outcome"]),
];

#[test]
fn completion_knows_types_and_works_while_the_rest_is_broken() {
    let mut session = Session::new();
    let mut wrong = Vec::new();
    for (old, new, offered, others) in OFFERS {
        let labels = session.labels(&rule_with(old, new));
        let has = |label: &&str| labels.iter().any(|known| known == label);
        let missing: Vec<&&str> = offered.iter().filter(|label| !has(label)).collect();
        let odd: Vec<&&str> = others.iter().filter(|label| has(label)).collect();
        if !missing.is_empty() || !odd.is_empty() {
            wrong.push(format!("{new:?}: without {missing:?}, with {odd:?}, of {labels:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(session.client.leave(), 0);
}

/// Other documents than rules: the file, a stretch of it, what is typed in its place, what must be offered.
#[test]
fn completion_knows_the_other_documents() {
    let mut wrong = Vec::new();
    for (path, old, new, label) in [
        ("tapes/actions/clean-drive.yaml", "${drive.name}", "${drive.‸", "state"),
        ("tapes/actions/clean-drive.yaml", "ref: tape_drive", "ref: ta‸", "tape_drive"),
        ("tapes/actions/clean-drive.yaml", "at: drive", "at: ‸", "drive"),
        ("tapes/tables/tape-codes.yaml", "source: manual", "source: ‸", "manual"),
        ("tapes/tables/tape-codes.yaml", "{ code: 12,", "{ code: 12, me‸", "meaning"),
        (
            "tapes/cases/drive-not-cleaned/violated.yaml",
            "{ limit_hours: 150 }",
            "{ li‸",
            "limit_hours",
        ),
        (
            "tapes/cases/drive-not-cleaned/violated.yaml",
            "expect: violated",
            "patch:\n  - set: ‸\nexpect: violated",
            "tape_drives",
        ),
        (
            "tapes/cases/drive-not-cleaned/violated.yaml",
            "expect: violated",
            "patch:\n  - set: tape_drives[D1].st‸\nexpect: violated",
            "state",
        ),
        (
            "tapes/pack.yaml",
            "version: 0.1.0",
            "version: 0.1.0\nprotection:\n  kind: ‸",
            "tape_drive",
        ),
        (
            "tapes/pack.yaml",
            "version: 0.1.0",
            "version: 0.1.0\nprotection:\n  kind: tape_drive\n  state: ‸",
            "state",
        ),
        (
            "tapes/pack.yaml",
            "version: 0.1.0",
            "version: 0.1.0\nprotection:\n  kind: tape_drive\n  state: state\n  good: [ne‸]",
            "needs-cleaning",
        ),
        ("tapes/model.yaml", "$ref: \"#/$defs/tape_drive\"", "$ref: \"‸\"", "#/$defs/tape_drive"),
        ("tapes/lib/tapes.rhai", "hours > limit", "ho‸", "hours_between"),
        ("dpmguard.yaml", "shipped_rules: false", "skip: [dr‸]", "drive-broken"),
        (
            "dpmguard.yaml",
            "shipped_rules: false",
            "params:\n  drive-not-cleaned:\n    ‸",
            "limit_hours",
        ),
    ] {
        let mut session = Session { client: Client::ready(), uri: uri(path) };
        let text = text_of(path);
        assert!(text.contains(old), "{path}: {old}");
        let labels = session.labels(&text.replacen(old, new, 1));
        if !labels.iter().any(|known| known == label) {
            wrong.push(format!("{path} {new:?}: {label} is not among {labels:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A plan: what is typed in it, and what must be offered.
#[test]
fn completion_knows_plans() {
    let plan = |step: &str| {
        format!(
            "schema: dpmguard.plan/v1\nid: P\ntitle: P\nsteps:\n  - parallel:\n      - {step}\n"
        )
    };
    let mut session = Session { client: Client::ready(), uri: uri("change.yaml") };
    for (step, label) in [
        ("{ id: a, action: cl‸ }", "clean-drive"),
        ("{ id: a, action: clean-drive, with: { dr‸ } }", "drive"),
        ("{ id: a, action: clean-drive, es‸ }", "estimate"),
    ] {
        let labels = session.labels(&plan(step));
        assert!(labels.iter().any(|known| known == label), "{step}: {labels:?}");
    }
    assert_eq!(session.client.leave(), 0);
}

#[test]
fn what_is_taken_replaces_what_was_typed() {
    let mut session = Session::new();
    for (old, new, label, text) in [
        ("drive.state != ", "drive.st‸ate != ", "state", "drive.state != "),
        (
            "drive.state != \"broken\"",
            "drive.state != \"needs-‸\"",
            "needs-cleaning",
            "drive.state != \"needs-cleaning\"",
        ),
        ("action: clean-drive", "action: clean-‸", "clean-drive", "action: clean-drive"),
        ("${hours} hours;", "é\u{1F600} ${ho‸} hours;", "hours", "é\u{1F600} ${hours} hours;"),
        ("{ drive: drive, times: 1 }", "{ drive: drive, ti‸", "times", "{ drive: drive, times: "),
    ] {
        let marked = rule_with(old, new);
        let items = session.completion(&marked);
        let item = items.iter().find(|item| item["label"] == label);
        let item = item.unwrap_or_else(|| panic!("{label} is offered in {new}: {items:?}"));
        let (plain, _) = at_cursor(&marked);
        let got = apply(&plain, std::slice::from_ref(&item["textEdit"]));
        assert!(got.contains(text), "{got}");
    }
}

#[test]
fn an_editor_can_leave_schemas_to_another_server() {
    let options = json!({ "capabilities": {}, "initializationOptions": { "schemas": false } });
    let mut session = Session { client: Client::with(&options), uri: uri(RULE) };
    let keys = session.labels(&rule_with("severity: warning", "severity: warning\nta‸"));
    assert_eq!(keys, [""; 0]);
    let kinds = session.labels(&rule_with("of: tape_drive\n", "of: ‸\n"));
    assert!(kinds.contains(&"tape_drive".to_owned()));
}

/// The text after edits of the server.
fn apply(text: &str, edits: &[Json]) -> String {
    let offset = |at: &Json| {
        let number = |key: &str| usize::try_from(at[key].as_u64().unwrap()).unwrap();
        let start: usize = text.split_inclusive('\n').take(number("line")).map(str::len).sum();
        let mut left = number("character");
        for (at, c) in text[start..].char_indices() {
            if left == 0 {
                return start + at;
            }
            left -= c.len_utf16();
        }
        text.len()
    };
    let mut new = text.to_owned();
    let mut ranges: Vec<(usize, usize, &str)> = Vec::new();
    for edit in edits {
        let range = &edit["range"];
        let (start, end) = (offset(&range["start"]), offset(&range["end"]));
        ranges.push((start, end, edit["newText"].as_str().unwrap()));
    }
    ranges.sort_unstable();
    for (start, end, text) in ranges.into_iter().rev() {
        new.replace_range(start..end, text);
    }
    new
}

/// A stretch of the rule, the same with the cursor in it, and what must be said there.
const SAID: &[(&str, &str, &[&str])] = &[
    (
        "drive.hours_since_cleaning\nrequire",
        "drive.hours_since_‸cleaning\nrequire",
        &["whole number or null", "last cleaned", "Unit: hours"],
    ),
    (
        "drive.state !=",
        "drive.st‸ate !=",
        &["What the library shows", "own page of drives", "`needs-cleaning`"],
    ),
    (
        "(hours, params",
        "(ho‸urs, params",
        &["**hours**: whole number", "Bound by `let`", "drive.hours_since_cleaning"],
    ),
    (
        "is_overdue(hours",
        "is_over‸due(hours",
        &["hours: whole number, limit: whole number", "overdue, as the vendor counts"],
    ),
    ("params.limit_hours)", "params.limit_‸hours)", &["whole number", "Hours of work"]),
    ("of: tape_drive\n", "of: tape_‸drive\n", &["A drive of a tape library", "Key: name"]),
    ("action: clean-drive", "action: clean‸-drive", &["Clean a tape drive", "`drive`: tape_drive"]),
    ("see: drive-broken", "see: drive‸-broken", &["A tape drive is broken", "writes nothing"]),
    ("times: 1 }", "tim‸es: 1 }", &["**times**: whole number", "clean-drive"]),
    ("cause: worn-drive", "cause: wor‸n-drive", &["worn or dirty"]),
    ("fingerprint: [hours]", "finger‸print: [hours]", &["tell this finding from another"]),
    ("${hours} hours;", "${ho‸urs} hours;", &["whole number"]),
    ("(hours, params", "(drive.st‸ate ==, params", &["What the library shows"]),
    ("subject: drive", "subject: dr‸ive", &["tape_drive", "Bound by `select`"]),
    ("\"broken\"\n", "\"bro‸ken\"\n", &["`ready`, `needs-cleaning`, `broken`"]),
    ("\"drives\", drive", "\"dri‸ves\", drive", &["The tag of drive-broken."]),
];

#[test]
fn hover_says_type_description_unit_and_source() {
    let mut session = Session::new();
    for (old, new, said) in SAID {
        let found = session.hover(&rule_with(old, new));
        for part in *said {
            assert!(found.contains(part), "{new}: {part} in {found}");
        }
    }
}

/// A stretch of the rule, the same with the cursor in it, and where the thing is declared.
const DECLARED: &[(&str, &str, &str)] = &[
    ("(hours, params", "(ho‸urs, params", "tapes/drive-not-cleaned.yaml:15 hours"),
    ("drive.state !=", "dri‸ve.state !=", "tapes/drive-not-cleaned.yaml:12 drive"),
    ("params.limit_hours)", "params.limit_‸hours)", "tapes/drive-not-cleaned.yaml:10 limit_hours"),
    ("of: tape_drive\n", "of: tape_‸drive\n", "tapes/model.yaml:10 tape_drive"),
    ("drive.state !=", "drive.sta‸te !=", "tapes/model.yaml:19 state"),
    ("is_overdue(hours", "is_over‸due(hours", "tapes/lib/tapes.rhai:3 is_overdue"),
    ("action: clean-drive", "action: clean‸-drive", "tapes/actions/clean-drive.yaml:2 clean-drive"),
    ("see: drive-broken", "see: drive‸-broken", "tapes/drive-broken.yaml:2 drive-broken"),
    ("times: 1 }", "tim‸es: 1 }", "tapes/actions/clean-drive.yaml:8 times"),
    ("cause: worn-drive", "cause: wor‸n-drive", "tapes/pack.yaml:6 worn-drive"),
    ("  ticket: storage", "  tic‸ket: storage", "tapes/pack.yaml:9 ticket"),
    (VIOLATED, "violated: tape_codes‸.is_empty()", "tapes/tables/tape-codes.yaml:2 tape-codes"),
    (VIOLATED, "violated: tape_dri‸ves.is_empty()", "tapes/model.yaml:10 tape_drive"),
    (
        VIOLATED,
        "violated: tape_drives.any(|other| ot‸her.name == drive.name)",
        "tapes/drive-not-cleaned.yaml:24 other",
    ),
    ("${hours} hours;", "${ho‸urs} hours;", "tapes/drive-not-cleaned.yaml:15 hours"),
    // What the program brings has no file.
    (VIOLATED, "violated: databases‸.is_empty()", "nothing"),
    (VIOLATED, "violated: known‸(hours)", "nothing"),
];

#[test]
fn definitions_are_found() {
    let mut session = Session::new();
    for (old, new, place) in DECLARED {
        assert_eq!(session.definition(&rule_with(old, new)), *place, "{new}");
    }
}

/// The rule after a name of it was given another, or why it was not.
fn renamed(session: &mut Session, marked: &str, new: &str) -> Result<String, Json> {
    let found = session.at("textDocument/rename", marked, &json!({ "newName": new }))?;
    let edits = found["changes"][session.uri.as_str()].as_array().unwrap().clone();
    Ok(apply(&at_cursor(marked).0, &edits))
}

#[test]
fn what_a_rule_binds_is_renamed_everywhere() {
    let mut session = Session::new();
    let text = text_of(RULE);
    let worked = text
        .replace("- hours:", "- worked:")
        .replace("that: hours", "that: worked")
        .replace("(hours,", "(worked,")
        .replace("${hours}", "${worked}")
        .replace("[hours]", "[worked]");
    let unit = text
        .replace("each: drive", "each: unit")
        .replace("drive.", "unit.")
        .replace("subject: drive", "subject: unit")
        .replace("drive: drive", "drive: unit")
        .replace("\", drive)", "\", unit)");
    let limit = text.replace("limit_hours", "limit");
    for (old, new, name, expected) in [
        ("(hours, params", "(ho‸urs, params", "worked", &worked),
        ("- hours:", "- ‸hours:", "worked", &worked),
        ("each: drive", "each: dri‸ve", "unit", &unit),
        ("subject: drive", "subject: dri‸ve", "unit", &unit),
        ("  limit_hours:", "  limit‸_hours:", "limit", &limit),
        ("params.limit_hours)", "params.limit‸_hours)", "limit", &limit),
    ] {
        assert_eq!(renamed(&mut session, &rule_with(old, new), name).unwrap(), *expected, "{new}");
    }
    let marked = rule_with("(hours, params", "(ho‸urs, params");
    let found = session.at("textDocument/prepareRename", &marked, &json!({})).unwrap();
    assert_eq!(found["placeholder"], "hours");
}

#[test]
fn a_name_that_is_none_or_taken_is_refused() {
    let mut session = Session::new();
    let (hours, at_hours) = ("(hours, params", "(ho‸urs, params");
    let taken = |name: &str| format!("`{name}` means something already; choose another name");
    for (old, new, name, refusal) in [
        (hours, at_hours, "drive", taken("drive")),
        (hours, at_hours, "databases", taken("databases")),
        (hours, at_hours, "now", taken("now")),
        (hours, at_hours, "let", "`let` is a reserved word".to_owned()),
        (
            hours,
            at_hours,
            "Hours",
            "`Hours` is no name: small letters, digits and `_`, a letter first".to_owned(),
        ),
        (
            hours,
            "(ho‸urs, parms",
            "worked",
            "a use may be missed while the file has errors: nothing is named `parms` here"
                .to_owned(),
        ),
        (
            "is_overdue(hours",
            "is_over‸due(hours",
            "late",
            "only names bound by `select` or `let`, and parameters, can be renamed".to_owned(),
        ),
    ] {
        let found = renamed(&mut session, &rule_with(old, new), name).unwrap_err();
        assert_eq!(found["message"], refusal);
        assert_eq!(found["code"], -32803);
    }
}

#[test]
fn formatting_keeps_comments_and_is_careful() {
    let mut client = Client::ready();
    let mut formatted = |text: &str| {
        let uri = uri(RULE);
        client.edit(&uri, text);
        let options = json!({ "tabSize": 2, "insertSpaces": true });
        let params = json!({ "textDocument": { "uri": uri }, "options": options });
        let edits = client.ask("textDocument/formatting", &params).unwrap();
        apply(text, edits.as_array().unwrap())
    };
    let ragged = "# head
schema: dpmguard.rule/v1   
select:
    # which
    -   each: drive
        of: tape_drive # all

        where: >-
            a
              b
let:
- x: |
       text  
        # no comment


";
    let neat = "# head
schema: dpmguard.rule/v1
select:
  # which
  - each: drive
    of: tape_drive # all

    where: >-
        a
          b
let:
- x: |
       text  
        # no comment
";
    assert_eq!(formatted(ragged), neat);
    assert_eq!(formatted(neat), neat);
    for text in [&text_of(RULE), "a: [\n", "a: 'b\n\n   c'\n"] {
        assert_eq!(formatted(text), *text);
    }
    assert_eq!(formatted("schema: dpmguard.rule/v1"), "schema: dpmguard.rule/v1\n");
    for path in files(&root().join("rules"), "yaml").into_iter().step_by(40) {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(formatted(&text), text, "{}", path.display());
    }
}

#[test]
fn the_outline_has_what_is_bound_and_done() {
    let mut client = Client::ready();
    client.edit(&uri(RULE), &text_of(RULE));
    let params = json!({ "textDocument": { "uri": uri(RULE) } });
    let found = client.ask("textDocument/documentSymbol", &params).unwrap();
    let all = found.as_array().unwrap();
    let below = |name: &str| -> Vec<&str> {
        let symbol = all.iter().find(|symbol| symbol["name"] == name).unwrap();
        let children = symbol["children"].as_array().unwrap();
        children.iter().map(|child| child["name"].as_str().unwrap()).collect()
    };
    assert_eq!(below("select"), ["drive"]);
    assert_eq!(below("let"), ["hours"]);
    assert_eq!(below("require"), ["drive.state != \"broken\"", "hours != ()"]);
    assert_eq!(below("remediation"), ["clean-drive"]);
    assert_eq!(below("params"), ["limit_hours"]);
}
