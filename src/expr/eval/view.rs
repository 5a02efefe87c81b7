//! The facts as an expression sees them, and why a value is not known.

use std::sync::{Arc, Mutex};

use crate::diagnostic::Place;
use crate::facts::change::Cell;
use crate::facts::model::{KindId, Origin};
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, ObjectId, Reach, Value};

/// A value, or why there is none.
pub type Outcome<T = Value> = Result<T, Unknown>;

/// Why a value is not known; at least one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The reasons, in the order in which they were met.
    pub reasons: Vec<Reason>,
}

/// One thing that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason {
    /// Path of the fact (`databases[EX01/SG1/DB1].size_bytes`), or what failed.
    pub what: Arc<str>,
    /// Why.
    pub why: Absence,
    /// The object that should have it.
    pub place: Option<Place>,
}

impl Unknown {
    /// For one reason.
    #[must_use]
    pub fn new(what: impl Into<Arc<str>>, why: Absence, place: Option<Place>) -> Self {
        Self { reasons: vec![Reason { what: what.into(), why, place }] }
    }

    pub(super) fn failed(message: impl Into<Arc<str>>) -> Self {
        let message: Arc<str> = message.into();
        Self::new(message.clone(), Absence::Failed(message), None)
    }

    /// What a fact is that should have had this value.
    #[must_use]
    pub fn into_fact(self) -> Fact {
        let first = self.reasons.into_iter().next();
        Fact::Absent(first.map_or(Absence::NotCollected, |reason| reason.why))
    }

    /// Both sets of reasons, each reason once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        // Thousands of members of one list may lack the same field; a hundred reasons are enough.
        for reason in other.reasons {
            if self.reasons.len() < 100 && !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        self
    }
}

/// The facts as one rule may see them.
#[derive(Clone, Debug)]
pub struct View {
    /// The facts.
    pub facts: Arc<Facts>,
    /// The instant of the run.
    pub now: Instant,
    /// For each kind: why its facts count as not known, if they are too old for the rule.
    pub stale: Vec<Option<Arc<str>>>,
    /// Remembers what is read through it, where somebody wants to know.
    pub reads: Option<Arc<Reads>>,
}

/// What was read: whoever read it need not be asked again before one of these changes.
#[derive(Debug, Default)]
pub struct Reads {
    known: Mutex<ReadSet>,
}

/// A set of facts, and whether the time was asked for.
#[derive(Clone, Debug, Default)]
pub struct ReadSet {
    /// The facts, each once.
    pub cells: Vec<Cell>,
    /// Whether it depends on the instant of the run.
    pub now: bool,
}

impl Reads {
    /// What was read since the last time, and nothing is remembered any more.
    #[must_use]
    pub fn take(&self) -> ReadSet {
        let mut read = self.with(std::mem::take).unwrap_or_default();
        read.cells.sort_unstable();
        read.cells.dedup();
        read
    }

    fn with<T>(&self, work: impl FnOnce(&mut ReadSet) -> T) -> Option<T> {
        self.known.lock().ok().map(|mut known| work(&mut known))
    }
}

impl View {
    /// All the facts, however old.
    #[must_use]
    pub fn new(facts: Arc<Facts>, now: Instant) -> Self {
        Self { facts, now, stale: Vec::new(), reads: None }
    }

    /// The instant of the run, asked for by an expression.
    #[must_use]
    pub fn asked_now(&self) -> Instant {
        if let Some(reads) = &self.reads {
            reads.with(|known| known.now = true);
        }
        self.now.clone()
    }

    fn note(&self, cell: Cell) {
        if let Some(reads) = &self.reads {
            reads.with(|known| {
                if known.cells.last() != Some(&cell) {
                    known.cells.push(cell);
                }
            });
        }
    }

    fn stale(&self, kind: KindId) -> Option<&Arc<str>> {
        self.stale.get(usize::from(kind.0)).and_then(Option::as_ref)
    }

    /// A fact of an object, or why it is not known.
    ///
    /// # Errors
    ///
    /// The reason, with the fact's path.
    pub fn fact(&self, id: ObjectId, field: usize) -> Outcome<(Value, Option<Place>)> {
        self.note(Cell::Field(id, field));
        let stale = self.stale(id.kind).or_else(|| self.stale_source(id.kind, field));
        if let Some(reason) = stale {
            return Err(self.missing(id, field, Absence::Stale(reason.clone())));
        }
        match self.facts.fact(id, field) {
            Some(Fact::Known { value, place }) => Ok((value.clone(), *place)),
            Some(Fact::Absent(why)) => Err(self.missing(id, field, why.clone())),
            None => Err(self.missing(id, field, Absence::NotCollected)),
        }
    }

    /// Derived fields follow from facts of another kind, which may be stale too.
    fn stale_source(&self, kind: KindId, field: usize) -> Option<&Arc<str>> {
        if self.stale.iter().all(Option::is_none) {
            return None;
        }
        let field = self.facts.model().kind(kind)?.record.fields.get(field)?;
        match (&field.origin, field.ty.required()) {
            (Origin::Inverse { kind, .. }, _) => self.stale(*kind),
            (Origin::Within { .. }, crate::facts::model::Type::Object(kinds)) => {
                kinds.iter().find_map(|kind| self.stale(*kind))
            }
            _ => None,
        }
    }

    fn missing(&self, id: ObjectId, field: usize, why: Absence) -> Unknown {
        let place = self.facts.object(id).map(|object| object.place);
        let kind = self.facts.kind_of(id);
        let name = kind.and_then(|kind| kind.record.fields.get(field)).map(|field| &*field.name);
        let what = format!("{}.{}", self.path(id), name.unwrap_or("?"));
        Unknown::new(what, why, place)
    }

    /// The list of all objects of a kind.
    ///
    /// # Errors
    ///
    /// The collection is not in the facts, or too old.
    pub fn all(&self, kind: KindId) -> Outcome {
        self.note(Cell::All(kind));
        let name =
            self.facts.model().kind(kind).map(|kind| kind.collection.clone()).unwrap_or_default();
        if let Some(reason) = self.stale(kind) {
            return Err(Unknown::new(name, Absence::Stale(reason.clone()), None));
        }
        match self.facts.all(kind) {
            Fact::Known { value, .. } => Ok(value),
            Fact::Absent(why) => Err(Unknown::new(name, why, None)),
        }
    }

    /// `databases[EX01/SG1/DB1]`.
    #[must_use]
    pub fn path(&self, id: ObjectId) -> String {
        let collection = self.facts.kind_of(id).map(|kind| &*kind.collection).unwrap_or_default();
        format!("{collection}[{}]", self.facts.key(id))
    }
}

impl Reason {
    /// Whether something failed, as against a fact that is missing.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.why, Absence::Failed(_))
    }
}

/// Reasons met on the way to a value that may yet be decided without them.
#[derive(Default)]
pub(super) struct Gaps {
    unknown: Option<Unknown>,
    pass_over: bool,
}

impl Gaps {
    pub(super) fn of(reach: &Reach) -> Self {
        Self { unknown: None, pass_over: *reach == Reach::KnownOnly }
    }

    pub(super) fn add(&mut self, unknown: Unknown) {
        if self.pass_over {
            return;
        }
        self.unknown = Some(match self.unknown.take() {
            Some(known) => known.and(unknown),
            None => unknown,
        });
    }

    /// The end of a list: there may be more behind it.
    pub(super) fn close(&mut self, reach: &Reach) {
        if let Reach::Open(name) = reach {
            self.add(Unknown::new(name.clone(), Absence::Open(name.clone()), None));
        }
    }

    pub(super) fn or<T>(self, value: T) -> Outcome<T> {
        self.unknown.map_or(Ok(value), Err)
    }
}
