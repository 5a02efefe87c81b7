//! What came of simulating a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::change::Cell;
use crate::facts::store::Facts;
use crate::facts::value::{Fact, ObjectId, fold};
use crate::plan::Goal;
use crate::plan::world::Phase;

/// What came of simulating a plan once. Times are seconds since its window opens.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The steps, in the order of the plan.
    pub steps: Vec<StepTrace>,
    /// The protected objects, by key.
    pub objects: Vec<ObjectTrace>,
    /// The causes that stood at some time, by number; intervals name them so.
    pub causes: Vec<CauseTrace>,
    /// Cause rules that could not be decided before the plan or after it.
    pub doubts: Vec<Doubt>,
    /// Those of them that cannot be decided after it.
    pub left: Vec<Doubt>,
    /// When the last step ended.
    pub end: i64,
    /// The facts at the end.
    pub facts: Arc<Facts>,
    /// All that happened, one thing after the other.
    pub events: Vec<Event>,
    /// Checks that run side by side, by the object that has the slots.
    pub slots: Vec<(Option<ObjectId>, usize)>,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub time: i64,
    /// The step behind it; none where something happens by itself.
    pub step: Option<usize>,
    /// What.
    pub what: Happening,
    /// The facts that it changed.
    pub changes: Vec<FactChange>,
}

/// What can happen. All that a step does lies between its begin and its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A step begins.
    Begin,
    /// It has ended.
    End,
    /// It has nothing to do.
    Nothing,
    /// It cannot begin.
    Refused,
    /// It is broken off, by another one.
    BrokenOff,
    /// Facts change as an action declares it.
    Effect,
    /// The state of a protected object changes because a check begins, ends or is broken off.
    Phase,
    /// Facts change because of causes, by number.
    Consequence(Vec<usize>),
    /// A cause appears, by number.
    Opened(usize),
    /// A cause is gone, by number.
    Closed(usize),
}

/// A fact that was changed, or an object.
#[derive(Clone, Debug)]
pub enum FactChange {
    /// A field of an object: before and after.
    Field(ObjectId, usize, Fact, Fact),
    /// A new object, with its facts.
    Added(ObjectId, serde_json::Value),
    /// An object that is gone, with its facts.
    Removed(ObjectId, serde_json::Value),
}

impl FactChange {
    /// The object whose facts change.
    #[must_use]
    pub fn object(&self) -> ObjectId {
        match self {
            Self::Field(object, ..) | Self::Added(object, _) | Self::Removed(object, _) => *object,
        }
    }
}

/// What a step occupies while it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whether it takes an operator.
    pub is_operators: bool,
    /// Objects that nobody else may use meanwhile.
    pub locks: Vec<ObjectId>,
    /// Objects whose locks it respects.
    pub uses: Vec<ObjectId>,
    /// The object that is checked, and the one that has the slots.
    pub check: Option<(ObjectId, Option<ObjectId>)>,
    /// Whether an object that it names is not there yet.
    pub is_early: bool,
    /// What would have to be known to say what it occupies, as far as that matters to other steps.
    pub missing: Vec<String>,
    /// The second since when it is so.
    pub since: i64,
}

impl Needs {
    /// Whether it takes for itself what another step uses or has.
    #[must_use]
    pub fn takes_from(&self, other: &Self) -> bool {
        meet(&self.locks, &other.uses) || meet(&self.locks, &other.locks)
    }

    /// Whether it cannot begin beside a step that runs. Who takes a lock does not wait for checks and jobs of checks: he
    /// breaks them off.
    #[must_use]
    pub fn collides_with(&self, held: &Self) -> bool {
        meet(&self.uses, &held.locks)
            || meet(&self.locks, &held.locks)
            || (held.check.is_none() && meet(&self.locks, &held.uses))
    }
}

fn meet(a: &[ObjectId], b: &[ObjectId]) -> bool {
    a.iter().any(|object| b.contains(object))
}

/// A cause rule that cannot be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Position of the rule in the set.
    pub rule: usize,
    /// The objects for which it cannot.
    pub objects: Vec<ObjectId>,
    /// Whether it could be about any object.
    pub anywhere: bool,
}

/// A cause that stood at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CauseTrace {
    /// Position of its rule in the set.
    pub rule: usize,
    /// What it is about: kind and key.
    pub subject: crate::finding::Subject,
    /// What is wrong.
    pub message: String,
    /// The protected objects that it makes bad, or of which it stops checks.
    pub objects: Vec<ObjectId>,
    /// The protected objects of which it perhaps stops jobs.
    pub likely: Vec<ObjectId>,
    /// The step at which it appeared; none if it stood at the start.
    pub opened_by: Option<usize>,
    /// When.
    pub opened_at: i64,
    /// The step at which it was gone; none if it stands at the end.
    pub closed_by: Option<usize>,
    /// When.
    pub closed_at: Option<i64>,
}

/// What became of a step.
#[derive(Clone, Debug)]
pub struct StepTrace {
    /// When it began; none if it never did.
    pub start: Option<i64>,
    /// When it ended.
    pub end: Option<i64>,
    /// How it went.
    pub status: StepStatus,
    /// Causes that appeared with it, by number.
    pub opened: Vec<usize>,
    /// Causes that were gone with it, by number.
    pub closed: Vec<usize>,
    /// Protected objects that it made bad, or kept so.
    pub harmed: Vec<ObjectId>,
    /// Of a check: the causes that made it vain, by number.
    pub vain: Vec<usize>,
    /// Of a check: rules, by position, that cannot be decided for its object.
    pub undecided: Vec<usize>,
    /// Of a check: the facts that would decide them.
    pub missing: Vec<String>,
    /// Of a check: whether its object was good before.
    pub is_needless: bool,
    /// Of a check: the step that broke it off; itself, where it has run as long as it may.
    pub broken_by: Option<usize>,
    /// What would have to be known of its conditions, its duration and its effects.
    pub unknown: Vec<String>,
    /// What its duration rests on.
    pub because: String,
    /// Seconds that it takes if nothing breaks it off; none if it was never to begin.
    pub takes: Option<i64>,
    /// Seconds that it takes at best.
    pub quickest: i64,
    /// What it occupies.
    pub needs: Needs,
    /// The protected objects that are not good when it has ended, and whether a check alone would not help.
    pub after: Vec<(ObjectId, Phase, bool)>,
    /// Of a step that does not take place: the facts that its conditions hang on.
    pub looked_at: BTreeSet<Cell>,
}

/// How a step went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepStatus {
    /// It was carried out.
    Done,
    /// There was nothing left to do.
    Nothing,
    /// It could not begin: the conditions that do not hold, in words.
    Refused(Vec<String>),
    /// What it waits for never comes.
    Never,
}

/// A protected object over time.
#[derive(Clone, Debug)]
pub struct ObjectTrace {
    /// Which.
    pub object: ObjectId,
    /// Its key.
    pub key: Arc<str>,
    /// Its states, one after the other, without gaps.
    pub intervals: Vec<Interval>,
    /// Seconds in which no recovery point could be made, up to the horizon.
    pub exposure: i64,
    /// Age of the newest recovery point when that was at its worst; none if it never was exposed, or if
    /// the age is not known.
    pub oldest_point: Option<i64>,
    /// How much its time without protection counts, see [`crate::rule::pack::Weights`].
    pub weight: i64,
    /// Whether a step of the plan is about it.
    pub is_named: bool,
}

/// A time in which nothing changes for an object; it ends where the next begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Its begin.
    pub from: i64,
    /// Its end, at the latest the horizon.
    pub to: i64,
    /// The state.
    pub phase: Phase,
    /// The causes that stand, by number.
    pub open: Vec<usize>,
    /// Whether a check alone would not help now: a cause stands, or the check could not begin.
    pub is_blocked: bool,
    /// Steps that the state comes from.
    pub caused_by: Vec<usize>,
}

impl Interval {
    /// Whether nothing tells the two apart but time.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.phase == other.phase && self.open == other.open && self.is_blocked == other.is_blocked
    }
}

impl ObjectTrace {
    /// Whether the goal is about it at all.
    #[must_use]
    pub fn is_covered(&self, goal: &Goal) -> bool {
        let key = fold(&self.key);
        let is_left_out = goal.except.iter().any(|(known, _)| *known == key);
        !is_left_out && goal.end_good.as_ref().is_none_or(|wanted| wanted.contains(&key))
    }

    /// Whether the goal names it.
    #[must_use]
    pub fn is_named(&self, goal: &Goal) -> bool {
        goal.end_good.as_ref().is_some_and(|wanted| wanted.contains(&fold(&self.key)))
    }

    /// Whether it must be good at the end: one that was bad before and that no step touches need not.
    #[must_use]
    pub fn is_wanted(&self, goal: &Goal) -> bool {
        let key = fold(&self.key);
        if goal.except.iter().any(|(known, _)| *known == key) {
            return false;
        }
        if let Some(wanted) = &goal.end_good {
            return wanted.contains(&key);
        }
        goal.is_all || self.is_touched()
    }

    /// Whether it was good before it no longer was, or a step is about it or has to do with its not being so. What was
    /// bad before the plan and becomes good beside it is none of its doing.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        let mut since_good = self.intervals.iter().skip_while(|one| one.phase != Phase::Good);
        let was_good = since_good.any(|one| one.phase.is_exposed());
        was_good || self.is_named || self.intervals.iter().any(|one| !one.caused_by.is_empty())
    }

    /// The state at the horizon.
    #[must_use]
    pub fn ends(&self) -> Phase {
        self.intervals.last().map_or(Phase::Outside, |last| last.phase)
    }
}

impl Trace {
    /// Sum of the exposures of all objects.
    #[must_use]
    pub fn exposure(&self) -> i64 {
        self.objects.iter().map(|object| object.exposure).sum()
    }

    /// The same, each object's as often as it weighs.
    #[must_use]
    pub fn weighted_exposure(&self) -> i64 {
        let weighted = |object: &ObjectTrace| object.exposure.saturating_mul(object.weight);
        self.objects.iter().map(weighted).fold(0, i64::saturating_add)
    }

    /// How many objects end in each state.
    #[must_use]
    pub fn ends(&self) -> BTreeMap<Phase, usize> {
        let mut all = BTreeMap::new();
        for object in &self.objects {
            *all.entry(object.ends()).or_insert(0) += 1;
        }
        all
    }
}
