//! Completion inside expressions: what is offered where, also where the text is not finished.

use std::sync::Arc;

use dpmguard::author::complete::{
    self, Candidate, CandidateKind, Context, complete, complete_template, look_up, signature,
    type_of,
};
use dpmguard::expr::check::{Constant, Scope, World};
use dpmguard::facts::model::Type;

use crate::support::Bench;

/// A bench with a database `db`, a data source `source` and the shipped pack's functions.
struct Desk {
    bench: Bench,
    scope: Scope,
    tables: Vec<Constant>,
    tags: Vec<Arc<str>>,
}

impl Desk {
    fn new() -> Self {
        let bench = Bench::new();
        let mut scope = Scope::default();
        for (name, kind) in [("db", "database"), ("source", "data_source")] {
            let kind = bench.model.kind_named(kind).unwrap().id;
            scope.bind(name, Type::Object(Arc::new([kind])));
        }
        let tables = bench.rules.tables.iter().map(|table| table.constant.clone()).collect();
        Self { bench, scope, tables, tags: vec!["cause".into(), "path-change".into()] }
    }

    fn context(&self) -> Context<'_> {
        let scripts = self.bench.rules.packs[0].scripts.signatures();
        let world = World { model: &self.bench.model, scripts, tables: &self.tables };
        Context { scope: &self.scope, world, tags: &self.tags, expected: None }
    }

    /// What is offered at the `^` of a text.
    fn offered(&self, marked: &str) -> Vec<Candidate> {
        let (text, cursor) = unmarked(marked);
        complete(&text, cursor, &self.context())
    }

    fn labels(&self, marked: &str) -> Vec<String> {
        self.offered(marked).into_iter().map(|candidate| candidate.label).collect()
    }

    fn first(&self, marked: &str) -> String {
        self.labels(marked).first().cloned().unwrap_or_default()
    }
}

fn unmarked(marked: &str) -> (String, usize) {
    let cursor = marked.chars().position(|c| c == '^').unwrap();
    (marked.replacen('^', "", 1), cursor)
}

#[test]
fn fields_follow_the_type_before_the_dot() {
    let desk = Desk::new();
    for (text, wanted) in [
        ("db.^", "edb_path"),
        ("db.edb^", "edb_path"),
        // No guard against null is needed to go on typing.
        ("db.storage_group.^", "circular_logging"),
        ("db.storage_group.databases.find(|x| x.mounted).^", "edb_path"),
        ("databases[0].^", "edb_path"),
        ("(db).^", "edb_path"),
        ("databases.filter(|d| d.^", "edb_path"),
        ("databases.filter(|d| d.mounted && d.storage_group.databases.any(|e| e.^", "edb_path"),
        ("databases.map(|d| d.storage_group).filter(|g| g.^", "circular_logging"),
        ("databases.filter(|d| d.mounted).map(|x| x.^).count()", "edb_path"),
        ("if db.mounted { db.^", "edb_path"),
        ("databases.any(|d| `on ${d.^", "edb_path"),
        ("`${db.name} on ${db.^", "edb_path"),
        ("source.replica.^", "state"),
        ("db.get(\"edb^", "edb_path"),
        ("calibration.^", "move_gb_per_hour"),
    ] {
        let labels = desk.labels(text);
        assert!(labels.iter().any(|label| label == wanted), "{text}: {labels:?}");
    }
}

#[test]
fn lists_offer_their_methods_and_texts_their_functions() {
    let desk = Desk::new();
    assert_eq!(desk.first("databases.fil^"), "filter");
    let filter = &desk.offered("databases.fil^")[0];
    assert_eq!(
        (&*filter.insert, filter.closing, filter.replace.clone()),
        ("filter(|d| ", ")", 10..13)
    );
    let inner = &desk.offered("databases.any(|d| d.storage_group.databases.fil^")[0];
    assert_eq!(inner.insert, "filter(|p| ", "`d` is taken");
    let called = &desk.offered("databases.filt^(|d| d.mounted)")[0];
    assert_eq!((&*called.insert, called.closing), ("filter", ""), "it has its brackets already");
    let labels = desk.labels("db.name.^");
    assert!(labels.iter().any(|label| label == "starts_with"), "{labels:?}");
    assert!(!labels.iter().any(|label| label == "hours"), "{labels:?}");
}

#[test]
fn members_of_enumerations_are_offered_in_quotes_and_without() {
    let desk = Desk::new();
    for text in [
        "source.replica.state == \"^",
        "source.replica.state == \"inc^",
        "source.replica.state != \"^\"",
        "source.replica.state in [\"consistent\", \"^",
        "data_sources.any(|s| s.replica.state == \"^",
    ] {
        let labels = desk.labels(text);
        assert!(labels.iter().any(|label| label == "inconsistent"), "{text}: {labels:?}");
    }
    let labels = desk.labels("source.replica.state == ^");
    assert_eq!(labels[0], "\"consistent\"", "{labels:?}");
    let inside = &desk.offered("source.replica.state == \"inc^onsis\" && db.mounted")[0];
    assert_eq!((&*inside.insert, inside.replace.clone()), ("inconsistent", 25..33));
    assert_eq!(desk.labels("any_violated(\"^"), ["cause", "path-change"]);
    assert_eq!(desk.labels("db.name == \"^"), [""; 0]);
}

#[test]
fn the_expected_type_tells_what_a_whole_text_can_be() {
    let desk = Desk::new();
    let ty = type_of("source.replica.state", &desk.context()).unwrap();
    let context = Context { expected: Some(&ty), ..desk.context() };
    let labels: Vec<String> =
        complete("\"in", 3, &context).into_iter().map(|candidate| candidate.label).collect();
    assert!(labels.contains(&"inconsistent".to_owned()), "{labels:?}");
}

#[test]
fn names_come_first_and_only_where_a_value_can_stand() {
    let desk = Desk::new();
    assert_eq!(desk.labels("^")[..2], ["db", "source"]);
    assert_eq!(desk.labels("databases.filter(|d| ^")[0], "d");
    assert_eq!(desk.first("datab^"), "databases");
    assert_eq!(desk.first("databases.count() > hou^"), "hours");
    assert_eq!(desk.labels("databases.filter(|^"), [""; 0], "a new name is the author's");
    assert_eq!(desk.labels("db.name i^"), ["in"]);
    assert_eq!(desk.labels("12^"), [""; 0]);
    assert_eq!(desk.labels("db // comm^"), [""; 0]);
    assert_eq!(desk.labels("`plain d^"), [""; 0]);
    assert_eq!(desk.labels("\"text\".nothing.^"), [""; 0]);
}

#[test]
fn messages_are_completed_inside_their_holes_only() {
    let desk = Desk::new();
    let (text, cursor) = unmarked("Ä ${db.name} is at ${db.edb^} now");
    let found = complete_template(&text, cursor, &desk.context());
    assert_eq!((&*found[0].label, found[0].replace.clone()), ("edb_path", 24..27));
    let (text, cursor) = unmarked("${db.name} is^ at");
    assert_eq!(complete_template(&text, cursor, &desk.context()), []);
    let (text, cursor) = unmarked("is at ${db.^");
    assert_ne!(complete_template(&text, cursor, &desk.context()), []);
}

#[test]
fn a_word_can_be_looked_up() {
    let desk = Desk::new();
    let found = |marked: &str| {
        let (text, cursor) = unmarked(marked);
        look_up(&text, cursor, &desk.context())
    };
    let field = found("databases.filter(|d| d.ed^b_path == d.edb_path)").unwrap();
    assert_eq!((&*field.detail, field.of.as_deref()), ("path", Some("database")));
    assert_eq!(field.replace, 23..31);
    assert!(!field.help.is_empty());
    let parameter = found("databases.filter(|^d| d.mounted)").unwrap();
    assert_eq!((parameter.kind, &*parameter.detail), (CandidateKind::Variable, "database"));
    assert_eq!(found("databases.filter(|d| ^d.mounted)").unwrap().detail, "database");
    assert_eq!(found("data^bases").unwrap().of.as_deref(), Some("database"));
    assert_eq!(found("ho^urs(2)").unwrap().detail, "hours(count: number) -> whole number");
    let member = found("source.replica.state == \"incons^istent\"").unwrap();
    assert_eq!(member.kind, CandidateKind::Member);
    assert_eq!(found("nothing^"), None);
    assert_eq!(found("1 ^+ 2"), None);
}

#[test]
fn the_function_around_the_cursor_is_known() {
    let desk = Desk::new();
    let at = |marked: &str| {
        let (text, cursor) = unmarked(marked);
        signature(&text, cursor, &desk.context()).map(|found| (found.label, found.active))
    };
    let percent = "percent(part: number, whole: number) -> number".to_owned();
    assert_eq!(at("percent(^"), Some((percent.clone(), Some(0))));
    assert_eq!(at("percent(len(\"a\"), ^"), Some((percent.clone(), Some(1))));
    assert_eq!(at("1.percent(^"), Some((percent.clone(), Some(1))));
    assert_eq!(at("percent(1, 2, ^"), Some((percent, None)));
    assert_eq!(at("databases.any(^"), Some(("list.any(|x| ...)".to_owned(), Some(0))));
    assert_eq!(at("(1 + ^"), None);
    assert_eq!(at("same_path(db.edb_path, db.edb_path, ^").unwrap().1, Some(2));
}

/// Cut anywhere, with brackets and signs put anywhere: no text makes it panic.
#[test]
fn nothing_typed_panics() {
    let desk = Desk::new();
    let texts = [
        "databases.filter(|d| !d.mounted && d.name in [\"a\", \"b\"]).map(|d| `x ${d.key} y`)",
        "if db.storage_group != () { db.storage_group.name } else { \"none\" }",
        "any_violated(\"cause\", source) || source.get(\"x\", 1.5) ?? -3 // end",
        "`ä ${`b ${db.name}`} \\` ${db",
        "}])|.?.\"\\",
    ];
    for text in texts {
        let chars: Vec<char> = text.chars().collect();
        for cursor in 0..=chars.len() {
            for cut in [text.to_owned(), chars[..cursor].iter().collect()] {
                for put in ["", "(", ")", "|", ".", "\"", "`", "[", "}", "${"] {
                    let mut changed: Vec<char> = cut.chars().collect();
                    changed.splice(cursor..cursor, put.chars());
                    let changed: String = changed.into_iter().collect();
                    for cursor in [cursor, cursor + put.len(), 1000] {
                        let context = desk.context();
                        let _ = complete(&changed, cursor, &context);
                        let _ = complete_template(&changed, cursor, &context);
                        let _ = look_up(&changed, cursor, &context);
                        let _ = complete::look_up_template(&changed, cursor, &context);
                        let _ = signature(&changed, cursor, &context);
                    }
                }
            }
        }
    }
}
