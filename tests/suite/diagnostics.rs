//! Broken inputs: each slip gives a diagnostic at its place, with what to do.
//!
//! A slip is one replacement in a good file, so that the table below shows what was done wrong. The
//! diagnostics are snapshots in `tests/diagnostics/`, named after the slip.

use std::fs;

use dpmguard::diagnostic::Diagnostic;
use dpmguard::load;
use dpmguard::rule::pack::{PackFile, PackFiles, build};
use dpmguard::source::{self, Sources};

use crate::support::{root, run_with, said, snapshot_beside};

/// Name of the slip, what stands in the good rule, what is written instead.
const RULE_SLIPS: &[(&str, &str, &str)] = &[
    ("rule-field-misspelt", "db.edb_path, known.path)", "db.edb_paht, known.path)"),
    ("rule-field-of-another-kind", "source.replica.state ==", "source.state =="),
    ("rule-function-misspelt", "same_path(", "same_pth("),
    ("rule-method-misspelt", ".find(", ".fnd("),
    (
        "rule-method-of-rhai",
        "source.known_files.find(|f| f.role == \"edb\")",
        "source.known_files.some(|f| true)",
    ),
    ("rule-parameter-misspelt", "params.limit", "params.limti"),
    ("rule-member-misspelt", "state == \"inconsistent\"", "state == \"inconsistant\""),
    ("rule-key-misspelt", "severity: error", "serverity: error"),
    ("rule-key-misspelt-deep", "because: \"DPM", "becuase: \"DPM"),
    ("rule-kind-misspelt", "of: database", "of: databse"),
    ("rule-kind-plural", "of: database", "of: databases"),
    ("rule-name-misspelt", "known.path)\n", "knwon.path)\n"),
    ("rule-name-of-kind", "db.size_bytes > params.limit", "database.size_bytes > 1"),
    ("rule-tag-unknown", "db.size_bytes > params.limit", "any_violated(\"caus\", source)"),
    ("rule-see-unknown", "is not protected\" }", "is not protected\", see: not-there }"),
    ("rule-number-against-text", "> params.limit", "> \"100\""),
    ("rule-number-equals-text", "> params.limit", "== \"100\""),
    ("rule-texts-in-order", "db.size_bytes > params.limit", "db.name > source.name"),
    (
        "rule-object-against-name",
        "db.size_bytes > params.limit",
        "db.storage_group != () && db.storage_group == \"SG1\"",
    ),
    ("rule-null-impossible", "known != ()", "source != ()"),
    ("rule-list-has-no-field", "&& source.replica.state", "&& db.data_sources.replica.state"),
    ("rule-syntax-in-block", "&& source.replica", "&& && source.replica"),
    ("rule-syntax-in-quotes", "'\"inconsistent\"'", "'\"inconsistent'"),
    ("rule-assignment", "that: known != ()", "that: known = 1"),
    ("rule-let-inside", "that: known != ()", "that: let x = 1; x == 1"),
    (
        "rule-switch",
        "that: known != ()",
        "that: 'switch db.kind { \"mailbox\" => true, _ => false }'",
    ),
    ("rule-eval", "that: known != ()", "that: eval(\"true\")"),
    ("rule-condition-is-number", "that: known != ()", "that: db.size_bytes + 1"),
    ("rule-number-too-large", "> params.limit", "> 99999999999999999999"),
    ("rule-single-quotes", "db.kind == \"mailbox\"", "db.kind == 'mailbox'"),
    ("rule-closure-hides-name", "|f| f.role", "|db| db.role"),
    ("rule-arguments", "same_path(db.edb_path, known.path)", "same_path(db.edb_path)"),
    (
        "rule-argument-type",
        "same_path(db.edb_path, known.path)",
        "same_path(db.edb_path, db.size_bytes)",
    ),
    ("rule-severity-over-certainty", "certainty: documented", "certainty: inferred"),
    ("rule-id-not-stem", "id: base-rule", "id: other-rule"),
    (
        "rule-one-without-if-none",
        "    if_none: { outcome: not_applicable, because: \"${db.name} is not protected\" }\n",
        "",
    ),
    ("rule-each-without-list", "    of: database\n", ""),
    ("rule-default-of-wrong-type", "default: 100", "default: many"),
    ("rule-default-out-of-range", "default: 100", "default: 0"),
    ("rule-metadata-not-declared", "tags: [size]", "metadata: { ticket: 7 }"),
    ("rule-message-not-closed", "${known.path}\"\n  evidence", "${known.path\"\n  evidence"),
    ("rule-message-misspelt", "${size(db.size_bytes)}", "${size(db.size_byte)}"),
    ("rule-evidence-misspelt", "evidence: [db.size_bytes,", "evidence: [db.sise_bytes,"),
    ("rule-consequence-misspelt", "to: '\"inconsistent\"'", "to: '\"broken\"'"),
    ("rule-consequence-not-a-fact", "set: source.replica.state", "set: db.size_bytes + 1"),
    ("rule-name-reserved", "- known: source", "- protected: source"),
    ("rule-subject-unknown", "subject: source", "subject: sorce"),
    ("rule-subject-not-an-object", "subject: source", "subject: known"),
    ("rule-let-broken-once", "source.known_files.find(", "source.known_flies.find("),
    ("rule-yaml-duplicate-key", "tags: [size]", "tags: [size]\ntags: [other]"),
    ("rule-yaml-alias", "tags: [size]", "tags: &a [size]"),
    ("rule-yaml-tag", "tags: [size]", "tags: !!set [size]"),
    ("rule-yaml-syntax", "finding:\n", "finding\n"),
    ("rule-max-age-kind", "tags: [size]", "max_age: { databases: 2h }"),
    ("rule-max-age-text", "tags: [size]", "max_age: { database: soon }"),
];

/// Name of the slip, what stands in the good facts, what is written instead.
const FACT_SLIPS: &[(&str, &str, &str)] = &[
    ("facts-collection-misspelt", "exchange_servers:", "exchange_server:"),
    ("facts-field-misspelt", "circular_logging", "circular_loging"),
    ("facts-number-for-text", "name: DB2", "name: 12"),
    ("facts-text-for-number", "size_bytes: 2000", "size_bytes: big"),
    ("facts-member-misspelt", "name: DB2, kind: mailbox", "name: DB2, kind: mailbx"),
    ("facts-time-without-offset", "18:00:00Z", "18:00:00"),
    ("facts-version-malformed", "\"8.1.240.6\"", "\"8.1 (Build 240.6)\""),
    ("facts-path-malformed", "F:\\SG1\\DB2.edb", "SG1\\DB2.edb"),
    ("facts-null-not-allowed", "size_bytes: 2000", "size_bytes: null"),
    (
        "facts-key-missing",
        "server: EX01, storage_group: SG1, name: DB2",
        "storage_group: SG1, name: DB2",
    ),
    ("facts-object-twice", "name: DB2, kind", "name: db1, kind"),
    (
        "facts-key-twice",
        "kind: mailbox, edb_path: 'F:\\SG1\\DB2.edb'",
        "kind: mailbox, kind: mailbox",
    ),
    ("facts-complete-without-collection", "complete: [databases,", "complete: [volumes,"),
    ("facts-complete-misspelt", "complete: [databases,", "complete: [database,"),
    ("facts-other-document", "dpmguard.facts/v1", "dpmguard.rule/v1"),
    ("facts-schema-misspelt", "dpmguard.facts/v1", "dpmguard.fact/v1"),
    ("facts-without-schema", "schema: dpmguard.facts/v1\n", ""),
    ("facts-word-of-yaml-1-1", "reboot_pending: false", "reboot_pending: no"),
    ("facts-number-of-yaml-1-1", "size_bytes: 2000", "size_bytes: 2_000"),
    ("facts-number-out-of-range", "size_bytes: 2000", "size_bytes: 99999999999999999999"),
    ("facts-number-negative", "size_bytes: 2000", "size_bytes: -1"),
    ("facts-truncated", "\n  - { name: EX01, version", "\n  - { name: EX01, \"version"),
    ("facts-tab", "  - { name: EX01", "\t- { name: EX01"),
    ("facts-alias", "exchange_servers:", "exchange_servers: &s"),
    ("facts-merge-key", "name: DB2,", "name: DB2, <<: {},"),
    ("facts-two-documents", "exchange_servers:", "---\nexchange_servers:"),
];

const STEP_SLIPS: &[(&str, &str, &str)] = &[
    ("rule-action-misspelt", "action: base-action\n", "action: base-acton\n"),
    ("rule-argument-misspelt", "reason:", "raison:"),
    (
        "rule-argument-of-wrong-kind",
        "with: { source: source,",
        "with: { source: source.protection_group,",
    ),
    ("rule-argument-missing", ", reason: '\"it is large\"'", ""),
    ("rule-withholds-elsewhere", "at: source, when", "at: source.dpm_server, when"),
    ("rule-column-misspelt", "row.code == 1", "row.cod == 1"),
    ("rule-table-misspelt", "base_table.any", "base_tabl.any"),
    ("rule-cause-unknown", "tags: [steps]", "tags: [steps]\ncause: moved"),
    ("rule-null-not-guarded", "unless: source.protection_group != () && ", "unless: "),
    (
        "rule-question-dot",
        "unless: source.protection_group != () && source.protection_group.auto_consistency_check",
        "unless: source.protection_group?.auto_consistency_check",
    ),
];

const ACTION_SLIPS: &[(&str, &str, &str)] = &[
    ("action-role-misspelt", "role: check", "role: chek"),
    ("action-kind-misspelt", "ref: data_source", "ref: data_sorce"),
    ("action-at-unknown", "at: source", "at: sorce"),
    ("action-at-is-no-object", "at: source", "at: reason"),
    ("action-field-misspelt", "run: \"check ${source.name}\"", "run: \"check ${source.nam}\""),
    ("action-duration-of-text", "expected: hours(hours_needed)", "expected: source.name"),
    (
        "action-asks-for-rules",
        "when: major(source.dpm_server.version) == 2",
        "when: 'any_violated(\"cause\", source)'",
    ),
    ("action-setting-without-help", ", help: Gigabytes an hour.", ""),
    ("action-name-is-a-table", "  - hours_needed:", "  - base_table: 1\n  - hours_needed:"),
    ("action-id-is-not-the-name", "id: base-action", "id: another-action"),
];

const TABLE_SLIPS: &[(&str, &str, &str)] = &[
    ("table-cell-of-wrong-type", "code: 1,", "code: one,"),
    ("table-cell-missing", "meaning: One, ", ""),
    ("table-column-misspelt", "meaning: One", "meanin: One"),
    ("table-two-rows-of-one-key", "code: 2,", "code: 1,"),
    (
        "table-source-unknown",
        "certainty: documented, source: book",
        "certainty: documented, source: bok",
    ),
    ("table-codes-unknown", "codes: code", "codes: cod"),
    ("table-name-is-taken", "id: base-table", "id: databases"),
    ("table-row-without-source", ", certainty: guess, source: book", ""),
];

fn slip(text: &str, name: &str, from: &str, to: &str) -> String {
    assert_eq!(text.matches(from).count(), 1, "{name}: `{from}` must stand once in the good file");
    text.replacen(from, to, 1)
}

/// The files of the pack that the slips are made in.
const PACK: [&str; 4] =
    ["base-rule.yaml", "base-steps.yaml", "base-action.yaml", "base-table.yaml"];

fn good(name: &str) -> String {
    fs::read_to_string(root().join("tests/diagnostics").join(name)).unwrap()
}

/// What is wrong with the pack in which one file has this text.
fn pack_problems(changed: &str, text: &str) -> (Vec<Diagnostic>, Sources) {
    let mut sources = Sources::default();
    let model = load::packs(true, &[], &mut sources).unwrap().model;
    let mut files = Vec::new();
    for name in PACK {
        let text = if name == changed { text.to_owned() } else { good(name) };
        let file = sources.add(name, text.as_bytes()).unwrap();
        match source::read(&sources, file) {
            Ok(root) => files.push(PackFile { path: name.to_owned(), file, root: Some(root) }),
            Err(found) => return (found, sources),
        }
    }
    let files = PackFiles { files, with_rules: true, unreadable: Vec::new() };
    let schemas = load::schemas().unwrap();
    let found = build(&sources, &model, &schemas, &[files], &[]).err().unwrap_or_default();
    (found, sources)
}

/// Parameters of rules and actions are set under their ids, so no two may be the same.
#[test]
fn a_rule_and_an_action_cannot_share_an_id() {
    let text = good("base-action.yaml").replace("id: base-action", "id: base-rule");
    let mut sources = Sources::default();
    let model = load::packs(true, &[], &mut sources).unwrap().model;
    let mut files = Vec::new();
    for (path, text) in [("base-rule.yaml", good("base-rule.yaml")), ("a/base-rule.yaml", text)] {
        let file = sources.add(path, text.as_bytes()).unwrap();
        let root = Some(source::read(&sources, file).unwrap());
        files.push(PackFile { path: path.to_owned(), file, root });
    }
    let files = PackFiles { files, with_rules: true, unreadable: Vec::new() };
    let found = build(&sources, &model, &load::schemas().unwrap(), &[files], &[]).unwrap_err();
    assert_eq!(found.len(), 1, "{}", said(&found, &sources));
    assert_eq!(found[0].code, "duplicate-id");
}

fn snapshot(name: &str, text: &str) {
    snapshot_beside(&root().join("tests/diagnostics").join(name), text);
}

#[test]
fn the_good_files_are_good() {
    let (found, sources) = pack_problems("", "");
    assert!(found.is_empty(), "{}", said(&found, &sources));
    let facts = fs::read(root().join("tests/diagnostics/base-facts.yaml")).unwrap();
    let ran = run_with(&["check", "-"], &facts);
    assert_eq!((ran.code, ran.err.as_str()), (3, ""), "{}", ran.out);
}

#[test]
fn every_slip_in_a_pack_is_told_at_its_place() {
    let of = |file: &'static str, slips: &'static [(&str, &str, &str)]| {
        slips.iter().map(move |(name, from, to)| (file, *name, *from, *to))
    };
    let all = of("base-rule.yaml", RULE_SLIPS)
        .chain(of("base-steps.yaml", STEP_SLIPS))
        .chain(of("base-action.yaml", ACTION_SLIPS))
        .chain(of("base-table.yaml", TABLE_SLIPS));
    for (file, name, from, to) in all {
        let (found, sources) = pack_problems(file, &slip(&good(file), name, from, to));
        assert!(found.iter().any(Diagnostic::is_error), "{name} was not noticed");
        assert!(
            found.iter().all(|problem| problem.place.is_some()),
            "{name} has no place: {found:?}"
        );
        snapshot(name, &said(&found, &sources));
    }
}

#[test]
fn every_slip_in_facts_is_told_at_its_place() {
    let text = fs::read_to_string(root().join("tests/diagnostics/base-facts.yaml")).unwrap();
    for (name, from, to) in FACT_SLIPS {
        let ran = run_with(&["check", "-"], slip(&text, name, from, to).as_bytes());
        assert_eq!(ran.code, 2, "{name}: {}", ran.out);
        assert_eq!(ran.out, "", "{name} printed a report");
        assert!(ran.err.contains("--> <stdin>:"), "{name} has no place: {}", ran.err);
        snapshot(name, &ran.err);
    }
}

#[test]
fn a_reference_that_leads_nowhere_is_a_warning() {
    let text = fs::read_to_string(root().join("tests/diagnostics/base-facts.yaml")).unwrap();
    let text = slip(&text, "", "storage_group: SG1, name: DB2", "storage_group: SG1x, name: DB2");
    let ran = run_with(&["check", "-", "--now", "observed"], text.as_bytes());
    assert_eq!(ran.code, 3, "{}", ran.err);
    snapshot("facts-reference-leads-nowhere", &ran.err);
}

/// Names of hostile inputs and their bytes.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    let mut bomb = String::from("a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (last, next) in ('a'..'i').zip('b'..'j') {
        let six = vec![format!("*{last}"); 6].join(", ");
        bomb.push_str(&[&format!("{next}: &{next} "), "[", &six, "]\n"].concat());
    }
    let good = fs::read(root().join("tests/diagnostics/base-facts.yaml")).unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let utf16 = |text: &str| -> Vec<u8> {
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    };
    let mut cut = utf16(&text);
    cut.pop();
    let mut invalid = good.clone();
    invalid.insert(200, 0xff);
    let mut nul = good.clone();
    nul.insert(200, 0);
    vec![
        ("hostile-alias-bomb", bomb.into_bytes()),
        ("hostile-deep-flow", "[".repeat(10_000).into_bytes()),
        ("hostile-deep-block", (0..10_000).map(|_| "- ").collect::<String>().into_bytes()),
        ("hostile-empty", Vec::new()),
        ("hostile-only-comments", b"# nothing\n".to_vec()),
        ("hostile-nul", nul),
        ("hostile-invalid-utf-8", invalid),
        ("hostile-utf-16-cut", cut),
        ("hostile-binary", (0..=255).cycle().take(4096).collect()),
        ("hostile-list-at-the-top", b"[1, 2]\n".to_vec()),
        ("hostile-text-at-the-top", b"hello\n".to_vec()),
    ]
}

#[test]
fn hostile_input_gets_a_diagnostic_and_exit_code_2() {
    for (name, bytes) in hostile() {
        let ran = run_with(&["check", "-"], &bytes);
        assert_eq!(ran.code, 2, "{name}: {}", ran.out);
        assert_eq!(ran.out, "", "{name} printed a report");
        snapshot(name, &ran.err);
    }
}

#[test]
fn every_encoding_of_windows_is_read() {
    let text = fs::read_to_string(root().join("tests/diagnostics/base-facts.yaml")).unwrap();
    let crlf = text.replace('\n', "\r\n");
    let wide = |text: &str, big: bool| -> Vec<u8> {
        let bytes = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        text.encode_utf16().flat_map(bytes).collect()
    };
    let with_mark = |text: &str| format!("\u{feff}{text}");
    let plain = run_with(&["check", "-", "--now", "observed"], text.as_bytes()).out;
    let judged = |out: &str| out.lines().take(2).map(str::to_owned).collect::<Vec<_>>();
    for (name, bytes) in [
        ("UTF-8 with a mark", with_mark(&text).into_bytes()),
        ("CRLF", crlf.clone().into_bytes()),
        ("UTF-16LE with a mark", wide(&with_mark(&crlf), false)),
        ("UTF-16BE with a mark", wide(&with_mark(&text), true)),
        ("UTF-16LE without a mark", wide(&text, false)),
    ] {
        let ran = run_with(&["check", "-", "--now", "observed"], &bytes);
        assert_eq!((ran.code, ran.err.as_str()), (3, ""), "{name}");
        assert_eq!(judged(&ran.out), judged(&plain), "{name}");
    }
}
