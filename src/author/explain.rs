//! Why a rule said what it said: clause by clause, with the values it saw and where they stand.
//!
//! The rule is judged again with somebody listening (`record`); what was told is turned into words
//! (`words`, `blame`, `clauses`). What would change an outcome is found by trying (`counter`).

mod blame;
mod clauses;
pub mod counter;
mod decided;
mod left_out;
pub mod record;
mod targets;
mod tries;
mod words;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::author::explain::record::{Fallen, Judged, Keep, Recorder, Stop, parts};
use crate::author::patch;
use crate::diagnostic::{FileId, Place};
use crate::eval;
use crate::expr::check::Constant;
use crate::expr::print::Printer;
use crate::expr::tree::Expr;
use crate::facts::merge::first_line;
use crate::facts::model::{Kind, Model, Type};
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{Fact, List, Value};
use crate::finding::{Evaluation, Outcome, Verdict};
use crate::report::explain::{Explanation, PlaceX, Row, RuleX, SubjectX, Tool};
use crate::rule::Rule;
use crate::rule::pack::RuleSet;
use crate::source::{Node, Sources};

pub use decided::decided;
pub use left_out::left_out;
pub use words::{reads, words};

/// Most members of a list that are written out.
const MAX_MEMBERS: usize = 8;
/// Longest value that is written out, in characters.
const MAX_VALUE: usize = 400;

/// A rule that is to be explained, with what it is read and judged with.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The files.
    pub sources: &'a Sources,
    /// The rules.
    pub set: &'a RuleSet,
    /// The rule.
    pub rule: &'a Rule,
    /// The model.
    pub model: &'a Model,
}

/// The facts that a rule is explained on.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The facts.
    pub facts: &'a Arc<Facts>,
    /// The instant of the run.
    pub now: &'a Instant,
    /// Seconds after which facts count as not known.
    pub max_age: Option<i64>,
    /// Paths of the facts in their files, by place.
    pub paths: &'a HashMap<Place, String>,
}

/// The paths of all facts in documents, by the places that facts remember.
#[must_use]
pub fn paths(documents: &[(FileId, Node)], model: &Model) -> HashMap<Place, String> {
    let mut paths = HashMap::new();
    // The outer of two that begin at one place comes last, and wins.
    walk(documents, model, &mut |_, path, node| {
        paths.insert(first_line(node), path);
    });
    paths
}

/// Visits every value of the documents with its path, what a value holds before itself.
fn walk<'n>(
    documents: &'n [(FileId, Node)],
    model: &Model,
    visit: &mut dyn FnMut(usize, String, &'n Node),
) {
    for (position, (_, root)) in documents.iter().enumerate() {
        let mut visit = |path: String, node: &'n Node| visit(position, path, node);
        for entry in root.as_map().unwrap_or_default() {
            let kind = model.kind_in(&entry.key);
            walk_node(&entry.node, entry.key.to_string(), kind, &mut visit);
        }
    }
}

/// The members of a collection have keys, others positions.
fn walk_node<'n>(
    node: &'n Node,
    path: String,
    kind: Option<&Kind>,
    visit: &mut dyn FnMut(String, &'n Node),
) {
    for (position, member) in node.as_list().unwrap_or_default().iter().enumerate() {
        let name = kind.map_or_else(|| position.to_string(), |kind| patch::key_of(kind, member));
        walk_node(member, format!("{path}[{name}]"), None, visit);
    }
    for entry in node.as_map().unwrap_or_default() {
        walk_node(&entry.node, format!("{path}.{}", entry.key), None, visit);
    }
    visit(path, node);
}

/// What was told while a rule was judged.
#[derive(Debug)]
pub struct Heard<'a> {
    /// The verdicts, in the order of the report.
    pub judged: Vec<Judged<'a>>,
    /// The objects that got none.
    pub fallen: Vec<Fallen<'a>>,
    /// The verdicts of the rules whose outcomes it asks for, and its own.
    pub evaluation: Evaluation,
}

/// Judges a rule with somebody listening.
#[must_use]
pub fn listen<'a>(subject: Subject<'a>, run: Run<'a>, keep: Keep) -> Heard<'a> {
    let Subject { set, rule, .. } = subject;
    let asked = |other: &Rule| rule.asks.iter().any(|(tag, _)| other.tags.contains(tag));
    let wanted = |other: &Rule| other.id == rule.id || asked(other);
    let recorder = Recorder::new(rule, run.facts, keep);
    let evaluation =
        eval::evaluate_observed(run.facts, set, run.now, run.max_age, &wanted, Some(&recorder));
    let (mut judged, fallen) = recorder.finish();
    judged.sort_by(|a, b| {
        eval::order(&a.verdict, &b.verdict).then_with(|| a.signature.cmp(&b.signature))
    });
    Heard { judged, fallen, evaluation }
}

/// What can be said of a rule without facts.
#[must_use]
pub fn of_rule(subject: Subject<'_>) -> Explanation {
    let rule = subject.rule;
    Explanation {
        schema: "dpmguard.explain/v1",
        tool: Tool::default(),
        now: None,
        rule: RuleX {
            id: rule.id.to_string(),
            title: rule.title.clone(),
            severity: rule.severity.name(),
            certainty: rule.certainty.clone(),
            place: subject.place(&rule.root),
        },
        words: words(subject),
        reads: reads(subject),
        verdicts: Vec::new(),
        explained: Vec::new(),
        left_out: None,
    }
}

/// The table of all verdicts.
#[must_use]
pub fn table(judged: &[Judged<'_>]) -> Vec<Row> {
    let row = |(position, one): (usize, &Judged<'_>)| Row {
        number: position + 1,
        subject: subject_of(&one.verdict),
        outcome: one.verdict.outcome.name(),
        decided_by: decided_by(one.stop),
        bound: one.signature.iter().filter(|bound| !bound.is_empty()).cloned().collect(),
    };
    judged.iter().enumerate().map(row).collect()
}

/// A verdict explained; `judged` was listened to with everything kept of it.
#[must_use]
pub fn verdict(
    subject: Subject<'_>,
    run: Run<'_>,
    heard: &Heard<'_>,
    position: usize,
    trace: bool,
) -> Option<crate::report::explain::VerdictX> {
    let one = heard.judged.get(position)?;
    let teller = clauses::Teller::new(subject, run, &heard.evaluation, trace);
    let mut said = teller.verdict(one, position + 1);
    // A finding reached on two ways is one in a report.
    let before = heard.judged.get(..position).unwrap_or_default();
    let is_gap = matches!(one.verdict.outcome, Outcome::Violated | Outcome::Undecided);
    let same = before.iter().position(|other| other.verdict == one.verdict);
    said.same_as = same.filter(|_| is_gap).map(|position| position + 1);
    Some(said)
}

fn subject_of(verdict: &Verdict) -> SubjectX {
    SubjectX { kind: verdict.subject.kind.to_string(), key: verdict.subject.key.to_string() }
}

/// The clause that decided, in short.
fn decided_by(end: Stop) -> String {
    match end {
        Stop::Select(step) => select_name(step),
        Stop::IfNone(step) => format!("if_none of {}", select_name(step)),
        Stop::Else(require) => format!("else of require {}", require + 1),
        Stop::Require(require) => format!("require {}", require + 1),
        Stop::Violated => "violated".to_owned(),
    }
}

fn select_name(step: usize) -> String {
    format!("select {}", step + 1)
}

impl<'a> Subject<'a> {
    fn place(self, node: &Node) -> PlaceX {
        self.place_of(node.place)
    }

    fn place_of(self, place: Place) -> PlaceX {
        let location = self.sources.location(place);
        PlaceX { file: location.file, line: location.line, column: location.column }
    }

    /// An expression as text, on one line.
    fn print(self, expr: &Expr) -> String {
        let mut names = self.rule.names.clone();
        for (_, part) in parts(self.rule) {
            part.closures(&mut names);
        }
        let tables: Vec<&Constant> = self.set.tables.iter().map(|table| &table.constant).collect();
        Printer { names: &names, model: self.model, tables: &tables }.print(expr)
    }

    /// The node of a step of `select`.
    fn select(self, step: usize) -> Option<&'a Node> {
        self.rule.root.get("select")?.as_list()?.get(step)
    }

    fn lets(self, number: usize) -> Option<&'a Node> {
        let entry = self.rule.root.get("let")?.as_list()?.get(number)?.as_map()?.first()?;
        Some(&entry.node)
    }

    fn require(self, number: usize) -> Option<&'a Node> {
        self.rule.root.get("require")?.as_list()?.get(number)
    }
}

/// The text of an expression as the author wrote it, on one line.
fn written(node: &Node) -> String {
    let text = node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A value in words: records by their fields, long lists cut.
fn say(facts: &Facts, value: &Value, ty: &Type) -> String {
    let text = say_whole(facts, value, ty);
    if text.chars().count() <= MAX_VALUE {
        return text;
    }
    let cut: String = text.chars().take(MAX_VALUE).collect();
    format!("{cut} ...")
}

fn say_whole(facts: &Facts, value: &Value, ty: &Type) -> String {
    match (value, ty.required()) {
        (Value::Record(fields), Type::Record(record)) => {
            let said = record.fields.iter().zip(fields.iter()).filter_map(|(field, fact)| {
                let Fact::Known { value, .. } = fact else { return None };
                Some(format!("{}: {}", field.name, say_whole(facts, value, &field.ty)))
            });
            format!("{{ {} }}", said.collect::<Vec<_>>().join(", "))
        }
        (Value::List(list), Type::List(item)) if !list.items.is_empty() => {
            members(facts, list, item)
        }
        _ => facts.say(value),
    }
}

fn members(facts: &Facts, list: &List, item: &Type) -> String {
    let say = |fact: &Fact| match fact {
        Fact::Known { value, .. } => say_whole(facts, value, item),
        Fact::Absent(crate::facts::value::Absence::Dangling(key)) => key.to_string(),
        Fact::Absent(_) => "(not known)".to_owned(),
    };
    let said: Vec<String> = list.items.iter().take(MAX_MEMBERS).map(say).collect();
    let more = list.items.len().saturating_sub(MAX_MEMBERS);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", said.join(", "))
}

/// Keys of everything that can be asked about: what the rule judged, and objects of its kinds.
#[must_use]
pub fn known_keys(subject: Subject<'_>, run: Run<'_>, judged: &[Judged<'_>]) -> BTreeSet<String> {
    let mut keys: BTreeSet<String> =
        judged.iter().map(|one| one.verdict.subject.key.to_string()).collect();
    for kind in kinds(subject) {
        keys.extend(run.facts.ids(kind).map(|id| run.facts.key(id).to_string()));
    }
    keys.remove("");
    keys
}

/// The kinds of object that the steps of `select` bind.
#[must_use]
pub fn kinds(subject: Subject<'_>) -> Vec<crate::facts::model::KindId> {
    let mut kinds = Vec::new();
    let lists = parts(subject.rule).into_iter().filter_map(|(part, expr)| match part {
        record::Part::List(_) => Some(&expr.ty),
        _ => None,
    });
    for ty in lists {
        let item = match ty.required() {
            Type::List(item) => item.required(),
            other => other,
        };
        if let Type::Object(known) = item {
            kinds.extend(
                known.iter().copied().filter(|kind| !kinds.contains(kind)).collect::<Vec<_>>(),
            );
        }
    }
    kinds
}
