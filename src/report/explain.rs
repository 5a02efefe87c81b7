//! The frozen shape of an explanation, `schemas/explain-v1.schema.json`, and its JSON.
//!
//! The same types are laid out for people by `report::human::explain`. A field may be added here, none may
//! go or change its meaning under this name.

use std::io;

use serde::Serialize;

/// An explanation.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The kind of this document.
    pub schema: &'static str,
    /// What wrote it.
    pub tool: Tool,
    /// The instant of the run; none where the rule alone was explained.
    pub now: Option<String>,
    /// The rule.
    pub rule: RuleX,
    /// The rule in words, clause by clause.
    pub words: Vec<Words>,
    /// The fields that its conditions read.
    pub reads: Vec<Field>,
    /// Every verdict of the rule.
    pub verdicts: Vec<Row>,
    /// The verdicts that were asked about, explained.
    pub explained: Vec<VerdictX>,
    /// The object that was asked about, and where the rule left it out.
    pub left_out: Option<LeftOut>,
}

/// The tool and its version.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
}

impl Default for Tool {
    fn default() -> Self {
        Self { name: "dpmguard", version: env!("CARGO_PKG_VERSION") }
    }
}

/// The rule that is explained.
#[derive(Clone, Debug, Serialize)]
pub struct RuleX {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: &'static str,
    /// How sure its claim is.
    pub certainty: String,
    /// Where it stands.
    pub place: PlaceX,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlaceX {
    /// The file.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A clause in words.
#[derive(Clone, Debug, Serialize)]
pub struct Words {
    /// Which clause: `select 1`, `let known`, `require 2`, `violated`.
    pub clause: String,
    /// What it says.
    pub says: String,
    /// Where it stands.
    pub place: PlaceX,
}

/// A field that a rule reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Kind and field.
    pub field: String,
    /// What it is.
    pub description: String,
    /// Where a collector gets it.
    pub source: Option<String>,
}

/// A verdict in the table.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its number, from 1.
    pub number: usize,
    /// What it is about.
    pub subject: SubjectX,
    /// Its outcome.
    pub outcome: &'static str,
    /// The clause that decided, in short: `violated`, `require 2`, `if_none of select 2`.
    pub decided_by: String,
    /// What was bound.
    pub bound: Vec<String>,
}

/// What a verdict is about.
#[derive(Clone, Debug, Serialize)]
pub struct SubjectX {
    /// Its kind.
    pub kind: String,
    /// Its key; empty for objects that were not collected.
    pub key: String,
}

/// A verdict explained.
#[derive(Clone, Debug, Serialize)]
pub struct VerdictX {
    /// Its number among the verdicts of the rule, from 1.
    pub number: usize,
    /// What it is about.
    pub subject: SubjectX,
    /// Its outcome.
    pub outcome: &'static str,
    /// All in one sentence.
    pub sentence: String,
    /// The number of the verdict that says the same and was reached another way.
    pub same_as: Option<usize>,
    /// The clauses, in the order of judging.
    pub clauses: Vec<Clause>,
    /// Why, where the rule says so.
    pub because: Option<String>,
    /// The rule that covers this case instead.
    pub see: Option<String>,
    /// What is wrong, of a violated one.
    pub finding: Option<FindingX>,
    /// The facts that are missing, of an undecided one.
    pub missing: Vec<MissingX>,
    /// What would change the outcome, if that was asked for.
    pub counterfactuals: Option<Counterfactuals>,
}

/// A clause with what it saw.
#[derive(Clone, Debug, Serialize)]
pub struct Clause {
    /// What kind of clause: `each`, `one`, `where`, `let`, `require`, `violated`.
    pub kind: &'static str,
    /// Which of its kind: `select 1`, `let known`, `require 2`, `violated`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Where it stands.
    pub place: PlaceX,
    /// Whether judging came so far.
    pub reached: bool,
    /// `true`, `false` or `undecided`, of a condition that was asked.
    pub result: Option<&'static str>,
    /// The value, of a `let`, or of the object that a step took.
    pub value: Option<ValueX>,
    /// How a step chose.
    pub candidates: Option<Candidates>,
    /// The comparisons that decided it.
    pub decided_by: Vec<Decision>,
    /// The `else` or `if_none` that was taken.
    pub otherwise: Option<OtherwiseX>,
    /// Everything that was evaluated for it, if that was asked for.
    pub trace: Option<TraceX>,
}

/// A value with the facts that it comes from.
#[derive(Clone, Debug, Serialize)]
pub struct ValueX {
    /// The expression.
    pub text: String,
    /// The value; none if it is not known.
    pub value: Option<String>,
    /// Whether the expression is a value written in the rule.
    pub is_literal: bool,
    /// The facts that it comes from.
    pub facts: Vec<FactX>,
}

/// A fact that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactX {
    /// Its path.
    pub fact: String,
    /// Its value; none if it is not known.
    pub value: Option<String>,
    /// Where it stands; none if it follows from other facts or is not known.
    pub place: Option<PlaceX>,
}

/// The candidates of a step.
#[derive(Clone, Debug, Serialize)]
pub struct Candidates {
    /// How many there were.
    pub count: usize,
    /// How many fitted; none if judging ended before that was known.
    pub fitting: Option<usize>,
    /// Why others did not fit.
    pub rejected: Vec<Rejected>,
}

/// A candidate that did not fit.
#[derive(Clone, Debug, Serialize)]
pub struct Rejected {
    /// The candidate.
    pub value: String,
    /// What decided that.
    pub decided_by: Vec<Decision>,
}

/// A comparison or condition that decided a clause.
#[derive(Clone, Debug, Serialize)]
pub struct Decision {
    /// The expression.
    pub text: String,
    /// `true`, `false` or `undecided`.
    pub result: &'static str,
    /// What it compared.
    pub operands: Vec<ValueX>,
    /// The rules whose outcomes it goes by.
    pub rules: Vec<String>,
}

/// What a rule says for a case where it goes no further.
#[derive(Clone, Debug, Serialize)]
pub struct OtherwiseX {
    /// Which.
    pub clause: &'static str,
    /// The outcome.
    pub outcome: &'static str,
    /// The reason.
    pub because: Option<String>,
    /// The rule that covers this case.
    pub see: Option<String>,
}

/// An expression that was evaluated.
#[derive(Clone, Debug, Serialize)]
pub struct TraceX {
    /// The expression.
    pub text: String,
    /// Its value; none if it is not known.
    pub value: Option<String>,
    /// The fact that it read.
    pub fact: Option<String>,
    /// Where that stands.
    pub place: Option<PlaceX>,
    /// What was evaluated for it.
    pub below: Vec<TraceX>,
    /// Whether some of that was left out, because it was too much.
    pub is_cut: bool,
}

/// What is wrong.
#[derive(Clone, Debug, Serialize)]
pub struct FindingX {
    /// In words.
    pub message: String,
    /// The facts it rests on.
    pub evidence: Vec<FactX>,
    /// What becomes of the facts: paths and values.
    pub consequence: Vec<ChangeOf>,
    /// What to do.
    pub steps: Vec<String>,
    /// The same for the same problem in every run.
    pub fingerprint: String,
}

/// A fact and what becomes of it.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeOf {
    /// Its path.
    pub fact: String,
    /// Its new value.
    pub to: String,
}

/// A fact that is missing.
#[derive(Clone, Debug, Serialize)]
pub struct MissingX {
    /// Its path.
    pub fact: String,
    /// Why it is not known.
    pub why: String,
    /// What kind of gap it is.
    pub gap: &'static str,
    /// Where the object stands that lacks it.
    pub place: Option<PlaceX>,
    /// Where a collector gets it.
    pub source: Option<String>,
}

/// An object for which the rule gave no verdict.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// The object.
    pub subject: SubjectX,
    /// Where it stands.
    pub place: Option<PlaceX>,
    /// Why, in a sentence.
    pub sentence: String,
    /// The steps up to the one that left it out.
    pub clauses: Vec<Clause>,
    /// What would make the rule judge it, if that was asked for.
    pub counterfactuals: Option<Counterfactuals>,
}

/// Changes of facts that would change an outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Counterfactuals {
    /// The outcomes looked for; empty for any verdict at all.
    pub wanted: Vec<&'static str>,
    /// Whether that is the outcome already; then nothing was tried.
    pub is_so: bool,
    /// How many changes of one fact were tried.
    pub tried: usize,
    /// How many pairs of them were tried.
    pub pairs_tried: usize,
    /// Whether the budget ended the search before everything was tried.
    pub is_cut: bool,
    /// How many were found, shown or not.
    pub found: usize,
    /// The nearest.
    pub nearest: Vec<Counterfactual>,
}

/// A change that would change the outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Counterfactual {
    /// What changes: one fact, or two where no single one is enough.
    pub changes: Vec<Change>,
    /// What the outcome would be.
    pub outcome: &'static str,
    /// Other verdicts that would change with it.
    pub side_effects: Vec<SideEffect>,
    /// How many of them are not listed.
    pub more_side_effects: usize,
}

/// A change of one fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `set`, `remove`, `complete` or `parameter`.
    pub kind: &'static str,
    /// Path of the fact or object, name of the collection, or `rule.parameter`.
    pub path: String,
    /// Its value now, in words; none if it is not collected.
    pub from: Option<String>,
    /// Its new value, in words; none if it is taken away.
    pub to: Option<String>,
    /// The new value as JSON, for `set` and `parameter`.
    pub json: Option<serde_json::Value>,
    /// Where it stands now, or the object that would have it.
    pub place: Option<PlaceX>,
    /// Other values that give the same outcome, in words.
    pub or: Vec<String>,
}

/// Another verdict that changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct SideEffect {
    /// The rule.
    pub rule: String,
    /// The subject's key.
    pub subject: String,
    /// Its outcome now; none if there is no verdict.
    pub from: Option<&'static str>,
    /// Its outcome then; none if there is no verdict.
    pub to: Option<&'static str>,
}

/// Writes an explanation as JSON, two spaces deep.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(explanation: &Explanation, out: &mut dyn io::Write) -> io::Result<()> {
    crate::report::json::pretty(explanation, out)
}
