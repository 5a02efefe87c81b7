//! Rules and packs: from YAML trees to checked rules.
//!
//! `read` turns one rule file into a [`Rule`], `action` and `table` do the same for the other files of a
//! pack; what they share is in `clause`, what rules say of each other in `links`. `pack` puts files together
//! and shows the problems of all files at once. Files are handed in by `load`.

pub mod action;
pub mod automatic;
pub mod clause;
pub mod effect;
mod links;
pub mod pack;
pub mod read;
pub mod table;

use std::sync::Arc;

use crate::diagnostic::Place;
use crate::expr::check::Scope;
use crate::expr::template::Template;
use crate::expr::tree::Expr;
use crate::facts::model::{KindId, Type};
use crate::facts::value::Value;
use crate::finding::{Outcome, Reference, Severity};
use crate::source::Node;

/// A checked rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its permanent name.
    pub id: Arc<str>,
    /// What is wrong when it is violated.
    pub title: String,
    /// How bad that is.
    pub severity: Severity,
    /// `documented`, `inferred` or `guess`.
    pub certainty: String,
    /// Why it matters.
    pub explanation: String,
    /// Tags, `cause` included where it has a consequence; sorted.
    pub tags: Vec<Arc<str>>,
    /// The cause that it belongs to: id and title.
    pub cause: Option<(String, String)>,
    /// Position of its pack.
    pub pack: usize,
    /// Its parameters with the values of this run.
    pub params: Vec<Param>,
    /// For some kinds: seconds after which their facts count as not known.
    pub max_age: Vec<(KindId, i64)>,
    /// How objects are bound.
    pub select: Vec<Binding>,
    /// Slots of the names bound by `let`, with their values.
    pub lets: Vec<(usize, Expr)>,
    /// What must hold for the rule to apply.
    pub require: Vec<(Expr, Otherwise)>,
    /// The condition.
    pub violated: Expr,
    /// What is said then.
    pub finding: FindingText,
    /// What becomes of the facts then; of one that stops jobs once one of them has been tried.
    pub consequence: Vec<Consequence>,
    /// What fails then, of the protected objects that it affects.
    pub stops: Option<Stops>,
    /// What to do then.
    pub remediation: Vec<StepText>,
    /// Why none of it is known to clear the finding, where that is so.
    pub manual: Option<String>,
    /// What must not be done meanwhile, whoever asks for it.
    pub withholds: Vec<WithheldText>,
    /// More for the report: key, title and values.
    pub metadata: Vec<(String, String, Vec<String>)>,
    /// Its sources.
    pub references: Vec<Reference>,
    /// Tags of the rules whose outcomes it asks for, and where it does.
    pub asks: Vec<(Arc<str>, Place)>,
    /// How many names it binds; slot 0 holds the parameters.
    pub slots: usize,
    /// The names bound by `params`, `select` and `let`, with their slots.
    pub names: Vec<(Arc<str>, usize)>,
    /// What an expression can name once `select` and `let` have bound all names.
    pub scope: Scope,
    /// The file that it was read from.
    pub root: Arc<Node>,
}

impl Rule {
    /// Whether it is a cause: once it is violated, facts change, at once and not only when a job has met it.
    #[must_use]
    pub fn is_cause(&self) -> bool {
        !self.consequence.is_empty() && self.stops.is_none()
    }

    /// Whether plans watch it: a cause, or one under which jobs fail, for certain or perhaps.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.is_cause() || self.stops.is_some()
    }

    /// Whether it decides how checks end.
    #[must_use]
    pub fn is_decisive(&self) -> bool {
        self.is_watched() && !self.stops_perhaps()
    }

    /// Whether no recovery point can be made of what it affects while it is violated.
    #[must_use]
    pub fn stops_backups(&self) -> bool {
        self.is_cause() || (self.stops == Some(Stops::Jobs) && !self.stops_perhaps())
    }

    /// Whether jobs are expected to fail while it is violated, but no source says that they do.
    #[must_use]
    pub fn stops_perhaps(&self) -> bool {
        self.stops.is_some() && self.certainty != "documented"
    }

    /// The name bound to a slot by `select` or `let`.
    #[must_use]
    pub fn name_of(&self, slot: usize) -> Option<&Arc<str>> {
        self.names.iter().find(|(_, known)| *known == slot).map(|(name, _)| name)
    }
}

/// What fails while a rule is violated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stops {
    /// Backups and checks.
    Jobs,
    /// Checks; backups go on.
    Checks,
}

/// A parameter of a rule.
#[derive(Clone, Debug)]
pub struct Param {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// What it means.
    pub help: String,
    /// Its value in this run.
    pub value: Value,
    /// Its value as the rule file or the user wrote it, as JSON.
    pub written: String,
    /// Whether the user set it.
    pub is_set: bool,
}

/// How objects are bound to a name.
#[derive(Clone, Debug)]
pub enum Binding {
    /// Each of several objects in turn.
    Each {
        /// The name's slot.
        slot: usize,
        /// The list of them.
        list: Expr,
        /// Only those for which it is true.
        filter: Option<Expr>,
    },
    /// One object.
    One {
        /// The name's slot.
        slot: usize,
        /// A list, or an object or null.
        from: Expr,
        /// Only those for which it is true.
        filter: Option<Expr>,
        /// What it means that there is none.
        if_none: Otherwise,
    },
}

/// An outcome with its reason.
#[derive(Clone, Debug)]
pub struct Otherwise {
    /// The outcome.
    pub outcome: Outcome,
    /// The reason.
    pub because: Template,
    /// The rule that covers this case, and where it is named.
    pub see: Option<(Arc<str>, Place)>,
}

/// What is said where a rule is violated.
#[derive(Clone, Debug)]
pub struct FindingText {
    /// Slot of the subject.
    pub subject: usize,
    /// What is wrong.
    pub message: Template,
    /// The facts it rests on, each with its text.
    pub evidence: Vec<(String, Expr)>,
    /// Values that tell this finding from others.
    pub fingerprint: Vec<Expr>,
    /// A list of further objects that it harms.
    pub affects: Option<Expr>,
}

/// A fact that changes once a rule is violated.
#[derive(Clone, Debug)]
pub struct Consequence {
    /// Slot and list of the objects that change, where there are several.
    pub each: Option<(usize, Expr)>,
    /// The fact.
    pub set: Expr,
    /// Its new value.
    pub to: Expr,
}

/// A step of the repair.
#[derive(Clone, Debug)]
pub struct StepText {
    /// Position of the action in the rule set.
    pub action: usize,
    /// Slot and list of the members for each of which it is taken, where there are several.
    pub each: Option<(usize, Expr)>,
    /// What to do, in place of the action's words.
    pub text: Option<Template>,
    /// Arguments of the action, in its order.
    pub with: Vec<Expr>,
    /// Only if it is true.
    pub when: Option<Expr>,
    /// Not if it is true.
    pub unless: Option<Expr>,
    /// Command lines, in place of the action's.
    pub commands: Option<Vec<Command>>,
}

/// A command line.
#[derive(Clone, Debug)]
pub struct Command {
    /// The product and version that it is for.
    pub product: String,
    /// Only if it is true.
    pub when: Option<Expr>,
    /// The line.
    pub run: Template,
    /// The line as it is written in the file.
    pub written: String,
}

/// An action that must wait while a rule is violated.
#[derive(Clone, Debug)]
pub struct WithheldText {
    /// Position of the action in the rule set.
    pub action: usize,
    /// The object at which it must wait.
    pub at: Expr,
    /// Only while it is true.
    pub when: Option<Expr>,
    /// Why, and until when.
    pub because: Template,
}
