//! Verdicts and findings: what judging says, in plain words and places.
//!
//! No type of the facts, of rules or of expressions is in here, so that gate and reports depend on
//! nothing else.

use std::fmt;
use std::sync::Arc;

use crate::diagnostic::Place;

/// How bad a finding is; SARIF's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Likely to do harm.
    Warning,
    /// Does harm.
    Error,
}

impl Severity {
    /// As it is written in rules and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// The severity of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Note, Self::Warning, Self::Error].into_iter().find(|known| known.name() == name)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a rule says of a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Something is wrong.
    Violated,
    /// Facts are missing, so nobody can say.
    Undecided,
    /// Nothing is wrong.
    Satisfied,
    /// The rule says nothing about this subject.
    NotApplicable,
}

impl Outcome {
    /// As it is written in rules, cases and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Undecided => "undecided",
            Self::Satisfied => "satisfied",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// The outcome of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Violated, Self::Undecided, Self::Satisfied, Self::NotApplicable];
        all.into_iter().find(|known| known.name() == name)
    }
}

/// The object that a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// Its kind.
    pub kind: Arc<str>,
    /// Its key; empty where the verdict is about objects that were not collected.
    pub key: Arc<str>,
}

/// A fact that a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Path of the fact, or the expression.
    pub fact: String,
    /// Its value; none if it is not known.
    pub value: Option<String>,
    /// Where it was read.
    pub place: Option<Place>,
}

/// A fact that would be needed for a verdict.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// Path of the fact.
    pub fact: String,
    /// Why it is not known: a short sentence without a period.
    pub why: String,
    /// What kind of gap it is, kebab-case.
    pub gap: &'static str,
    /// Where the object stands that lacks it.
    pub place: Option<Place>,
    /// What fact files have to hold, where that is another thing: a collection, an object.
    pub instead: Option<String>,
}

impl Missing {
    /// What fact files have to hold.
    #[must_use]
    pub fn wanted(&self) -> &str {
        self.instead.as_deref().unwrap_or(&self.fact)
    }
}

/// What a step of a repair is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// A change that an administrator decides on.
    Change,
    /// Repairs something.
    Fix,
    /// Finds out whether all is well again, and makes it known.
    Check,
}

impl Role {
    /// As it is written in actions and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Fix => "fix",
            Self::Check => "check",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Change, Self::Fix, Self::Check].into_iter().find(|known| known.name() == name)
    }
}

/// A step of the repair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Id of the action.
    pub action: Arc<str>,
    /// What it is for.
    pub role: Role,
    /// Whether it succeeds only after the check.
    pub after_check: bool,
    /// Where it is done; none if that is not known.
    pub at: Option<Subject>,
    /// Action and arguments: two steps with one name are one.
    pub name: String,
    /// The action's arguments by name, in its order.
    pub with: Vec<(Arc<str>, Argument)>,
    /// What to do.
    pub text: String,
    /// What is not known and decides whether the step is needed, if something is.
    pub unsure: Option<String>,
    /// Command lines, each with the product and version that it is for.
    pub commands: Vec<(String, String)>,
    /// How long it takes, where the action says so; else the facts that would tell.
    pub takes: Option<Result<Takes, String>>,
}

/// An argument of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Argument {
    /// An object.
    Object(Subject),
    /// Another value, as it is written in YAML and JSON.
    Value(serde_json::Value),
    /// It is not known: the facts that would tell.
    Unknown(String),
}

/// How long a step takes, in seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takes {
    /// At best.
    pub best: i64,
    /// As a rule.
    pub expected: i64,
    /// At worst.
    pub worst: i64,
    /// What that rests on.
    pub because: String,
}

/// A step that must wait while a finding stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// Id of the action.
    pub action: Arc<str>,
    /// Where it must not be done.
    pub at: Subject,
    /// Why, and until when.
    pub because: String,
}

/// A step of the repair of the whole estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepairStep {
    /// The step.
    pub step: Step,
    /// Positions of the verdicts that ask for it.
    pub verdicts: Vec<usize>,
    /// The protected objects that need it.
    pub helps: Vec<Subject>,
    /// For a check: positions of the steps without which it is wasted; for what needs a check: the check.
    pub after: Vec<usize>,
    /// Why it must wait, if it must.
    pub withheld: Vec<String>,
    /// For a check: rules that are undecided, and would spoil it if they were violated.
    pub undecided: Vec<Arc<str>>,
}

/// A rule violated by a subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub message: String,
    /// The facts it rests on.
    pub evidence: Vec<Evidence>,
    /// Further objects that it harms.
    pub affects: Vec<Subject>,
    /// What becomes of the facts because of it: paths and values.
    pub consequence: Vec<(String, String)>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What must wait meanwhile.
    pub withholds: Vec<Withheld>,
    /// 16 hexadecimal digits, the same for the same problem in every run.
    pub fingerprint: String,
}

/// What one rule says of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Position of the rule in [`Evaluation::rules`].
    pub rule: usize,
    /// The subject.
    pub subject: Subject,
    /// The outcome.
    pub outcome: Outcome,
    /// Why, where the rule says so.
    pub because: Option<String>,
    /// The rule that covers this case instead.
    pub see: Option<Arc<str>>,
    /// The facts that are missing, for an undecided one.
    pub missing: Vec<Missing>,
    /// The finding, for a violated one.
    pub finding: Option<Finding>,
}

/// How often each outcome was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Violated.
    pub violated: usize,
    /// Undecided.
    pub undecided: usize,
    /// Satisfied.
    pub satisfied: usize,
    /// Not applicable.
    pub not_applicable: usize,
}

impl Tally {
    /// Counts one.
    pub fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Violated => self.violated += 1,
            Outcome::Undecided => self.undecided += 1,
            Outcome::Satisfied => self.satisfied += 1,
            Outcome::NotApplicable => self.not_applicable += 1,
        }
    }

    /// All together.
    #[must_use]
    pub fn total(&self) -> usize {
        self.violated + self.undecided + self.satisfied + self.not_applicable
    }
}

/// A reference of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Title of the document.
    pub title: String,
    /// What it says.
    pub says: String,
    /// Where it stands.
    pub url: Option<String>,
    /// When it was read.
    pub retrieved: Option<String>,
}

/// A rule as reports show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedRule {
    /// Its id.
    pub id: Arc<str>,
    /// Its title.
    pub title: String,
    /// Its severity.
    pub severity: Severity,
    /// How sure its claim is.
    pub certainty: String,
    /// Why it matters.
    pub explanation: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The cause that it belongs to: id and title.
    pub cause: Option<(String, String)>,
    /// More for the report: key, title and values.
    pub metadata: Vec<(String, String, Vec<String>)>,
    /// Its sources.
    pub references: Vec<Reference>,
    /// Outcomes of this run.
    pub tally: Tally,
}

/// A protected object and its state at the time of the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The object.
    pub subject: Subject,
    /// Its state; none if it is not known.
    pub state: Option<String>,
}

/// Everything that judging the facts gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evaluation {
    /// The rules that were judged, by id.
    pub rules: Vec<JudgedRule>,
    /// One verdict a rule and subject, by rule, subject and outcome.
    pub verdicts: Vec<Verdict>,
    /// The kind of object that is protected, where a pack says so.
    pub protected_kind: Option<Arc<str>>,
    /// The protected objects, by key.
    pub protected: Vec<Protected>,
    /// What to do about all findings, in order.
    pub repair: Vec<RepairStep>,
}

impl Evaluation {
    /// Outcomes of all rules together.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        self.verdicts.iter().for_each(|verdict| tally.add(verdict.outcome));
        tally
    }

    /// The rule of a verdict.
    #[must_use]
    pub fn rule(&self, verdict: &Verdict) -> Option<&JudgedRule> {
        self.rules.get(verdict.rule)
    }

    /// The rules whose findings ask for a step, by id.
    #[must_use]
    pub fn rules_of(&self, step: &RepairStep) -> Vec<&JudgedRule> {
        let verdicts = step.verdicts.iter().filter_map(|position| self.verdicts.get(*position));
        let mut rules: Vec<&JudgedRule> =
            verdicts.filter_map(|verdict| self.rule(verdict)).collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        rules.dedup_by(|a, b| a.id == b.id);
        rules
    }

    /// Severity of a verdict's rule.
    #[must_use]
    pub fn severity(&self, verdict: &Verdict) -> Severity {
        self.rule(verdict).map_or(Severity::Error, |rule| rule.severity)
    }
}
