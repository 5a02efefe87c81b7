//! The blast radius: whom a step can hurt, in three rings, and the plan as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::model::Origin;
use crate::facts::store::Facts;
use crate::facts::value::{Fact, ObjectId, Value};
use crate::plan::hazard::Given;
use crate::plan::trace::{StepStatus, Trace};
use crate::plan::world::World;

/// Whom a step can hurt.
#[derive(Clone, Debug, Default)]
pub struct Rings {
    /// The objects that it names.
    pub direct: Vec<ObjectId>,
    /// Protected objects behind what it names or locks; what it only uses does not count.
    pub shared: Vec<Shared>,
    /// Protected objects that are without protection because of it, too.
    pub harms: Vec<Harm>,
    /// Steps that fail because of it.
    pub suffers: Vec<Suffers>,
    /// Seconds without protection of which it is one of the causes, all objects together.
    pub exposure: i64,
}

/// A protected object behind another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shared {
    /// Which.
    pub object: ObjectId,
    /// The object that the step names or locks.
    pub through: ObjectId,
}

/// A protected object without protection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Harm {
    /// Which.
    pub object: ObjectId,
    /// When that began.
    pub from: i64,
    /// For how many seconds the step is one of the causes.
    pub seconds: i64,
}

/// A step that fails because of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suffers {
    /// Which.
    pub step: usize,
    /// How.
    pub what: What,
}

/// How a step fails because of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is broken off, or made worthless.
    BrokenOff,
    /// It cannot begin, or does nothing good, while a cause stands.
    Refused,
}

/// Whom a plan can hurt.
#[derive(Clone, Debug, Default)]
pub struct Blast {
    /// The protected objects in any ring of any step, by key.
    pub objects: Vec<ObjectId>,
    /// The step with most seconds without protection.
    pub most: Option<usize>,
    /// The largest group of objects that are without protection at one moment.
    pub largest: Option<Group>,
}

/// Objects that are without protection at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// When the last of them joins.
    pub from: i64,
    /// When the first of them leaves.
    pub to: i64,
    /// The objects, by key.
    pub objects: Vec<ObjectId>,
}

/// The rings of every step.
pub(super) fn rings(given: Given<'_>, world: &World<'_>, trace: &Trace) -> Vec<Rings> {
    let behind = Behind::new(&world.facts, &world.protected());
    let protected = world.protection().map(|protection| protection.kind);
    let steps = given.plan.steps.iter().enumerate().map(|(position, step)| {
        let direct: Vec<ObjectId> = step.args.iter().flat_map(objects_of).collect();
        let one = trace.steps.get(position);
        let locked = one.into_iter().flat_map(|one| one.needs.locks.iter().copied());
        // What it only uses it leaves as it is, for all that lies on it.
        let is_used = |object: &ObjectId| {
            Some(object.kind) != protected
                && one.is_some_and(|one| one.needs.uses.contains(object))
                && !changes(trace, position, *object)
        };
        let named = direct.iter().copied().filter(|object| !is_used(object));
        let through: BTreeSet<ObjectId> = named.chain(locked).collect();
        let harms = harms(trace, position);
        Rings {
            shared: behind.shared(&through),
            suffers: suffers(trace, position),
            exposure: harms.iter().map(|harm| harm.seconds).sum(),
            harms,
            direct,
        }
    });
    steps.collect()
}

/// Whether a step changes facts of an object.
fn changes(trace: &Trace, step: usize, object: ObjectId) -> bool {
    let events = trace.events.iter().filter(|event| event.step == Some(step));
    events.flat_map(|event| &event.changes).any(|change| change.object() == object)
}

fn objects_of(value: &Value) -> Vec<ObjectId> {
    match value {
        Value::Object(object) => vec![*object],
        Value::List(list) => {
            let known = list.items.iter().filter_map(|fact| match fact {
                Fact::Known { value, .. } => Some(value),
                Fact::Absent(_) => None,
            });
            known.flat_map(objects_of).collect()
        }
        _ => Vec::new(),
    }
}

/// Objects, and all that they refer to, directly or over others.
pub(in crate::plan) fn reach(facts: &Facts, objects: &BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
    let mut seen = objects.clone();
    let mut open: Vec<ObjectId> = objects.iter().copied().collect();
    while let Some(next) = open.pop() {
        open.extend(refers_to(facts, next).into_iter().filter(|other| seen.insert(*other)));
    }
    seen
}

/// Protected objects by the objects that they refer to, directly or over others.
pub(in crate::plan) struct Behind<'f> {
    facts: &'f Facts,
    by: BTreeMap<ObjectId, BTreeSet<ObjectId>>,
}

impl<'f> Behind<'f> {
    pub(in crate::plan) fn new(facts: &'f Facts, protected: &[ObjectId]) -> Self {
        let mut by: BTreeMap<ObjectId, BTreeSet<ObjectId>> = BTreeMap::new();
        for object in protected {
            for other in reach(facts, &BTreeSet::from([*object])) {
                by.entry(other).or_default().insert(*object);
            }
        }
        Self { facts, by }
    }

    /// The protected objects behind another: those that refer to it, or to something that does.
    pub(in crate::plan) fn protected(&self, object: ObjectId) -> BTreeSet<ObjectId> {
        self.by.get(&object).cloned().unwrap_or_else(|| self.by_parts(object))
    }

    /// Whether a protected object is another one, or behind it.
    pub(in crate::plan) fn is_behind(&self, protected: ObjectId, other: ObjectId) -> bool {
        protected == other || self.protected(other).contains(&protected)
    }

    /// The protected objects behind others. An object that none refers to, such as the program of one
    /// server on another, stands for those that refer to all parts of its key.
    fn shared(&self, through: &BTreeSet<ObjectId>) -> Vec<Shared> {
        let mut found: BTreeMap<ObjectId, ObjectId> = BTreeMap::new();
        for by in through {
            let behind = match self.by.get(by) {
                Some(behind) => behind.clone(),
                None => self.by_parts(*by),
            };
            for object in behind {
                found.entry(object).or_insert(*by);
            }
        }
        found.into_iter().map(|(object, through)| Shared { object, through }).collect()
    }

    fn by_parts(&self, object: ObjectId) -> BTreeSet<ObjectId> {
        let Some(kind) = self.facts.kind_of(object) else { return BTreeSet::new() };
        let parts = kind.key.iter().filter_map(|(field, _)| self.facts.fact(object, *field));
        let parts: Vec<ObjectId> = parts
            .filter_map(|fact| match fact {
                Fact::Known { value: Value::Object(part), .. } => Some(*part),
                _ => None,
            })
            .collect();
        let mut behind = parts.iter().map(|part| self.by.get(part).cloned().unwrap_or_default());
        let first = behind.next().unwrap_or_default();
        behind.fold(first, |all, part| all.intersection(&part).copied().collect())
    }
}

/// The objects that an object's facts name, and those that a path of it lies on.
fn refers_to(facts: &Facts, object: ObjectId) -> Vec<ObjectId> {
    let Some(kind) = facts.kind_of(object) else { return Vec::new() };
    let fields = kind.record.fields.iter().enumerate();
    let refers = fields
        .filter(|(_, field)| !matches!(field.origin, Origin::Inverse { .. }))
        .filter_map(|(position, _)| match facts.fact(object, position) {
            Some(Fact::Known { value, .. }) => Some(objects_of(value)),
            _ => None,
        });
    refers.flatten().collect()
}

/// The protected objects that a step leaves without protection.
fn harms(trace: &Trace, step: usize) -> Vec<Harm> {
    let harm = |one: &crate::plan::trace::ObjectTrace| {
        let spans = one
            .intervals
            .iter()
            .filter(|interval| interval.phase.is_exposed() && interval.caused_by.contains(&step));
        let seconds = spans.clone().map(|interval| interval.to - interval.from).sum();
        let from = spans.map(|interval| interval.from).min()?;
        (seconds > 0).then_some(Harm { object: one.object, from, seconds })
    };
    trace.objects.iter().filter_map(harm).collect()
}

/// The steps that fail because of a step.
fn suffers(trace: &Trace, step: usize) -> Vec<Suffers> {
    let opened = |number: &usize| {
        trace.causes.get(*number).is_some_and(|cause| cause.opened_by == Some(step))
    };
    let mut found = Vec::new();
    for (other, one) in trace.steps.iter().enumerate() {
        if one.broken_by == Some(step) {
            found.push(Suffers { step: other, what: What::BrokenOff });
            continue;
        }
        let is_vain = one.vain.iter().any(opened);
        let stands = || {
            let (object, _) = one.needs.check?;
            let at = one.start?;
            let mut objects = trace.objects.iter();
            let trace = objects.find(|trace| trace.object == object)?;
            let interval = trace.intervals.iter().rev().find(|interval| interval.from <= at)?;
            Some(interval.open.iter().any(opened))
        };
        let is_refused = matches!(one.status, StepStatus::Refused(_));
        if is_vain || (is_refused && other > step && stands() == Some(true)) {
            found.push(Suffers { step: other, what: What::Refused });
        }
    }
    found
}

/// The plan as a whole.
pub(super) fn blast(given: Given<'_>, trace: &Trace, rings: &[Rings]) -> Blast {
    let kind = given.set.protection().map(|(known, _)| known.kind);
    let mut objects: BTreeMap<Arc<str>, ObjectId> = BTreeMap::new();
    // Jobs that begin by themselves begin without the plan, too.
    let rings = rings.get(..given.plan.written().len()).unwrap_or(rings);
    for ring in rings {
        let direct = ring.direct.iter().copied().filter(|object| Some(object.kind) == kind);
        let shared = ring.shared.iter().map(|one| one.object);
        let harms = ring.harms.iter().map(|one| one.object);
        for object in direct.chain(shared).chain(harms) {
            objects.insert(trace.facts.key(object), object);
        }
    }
    let mut most: Option<(i64, usize)> = None;
    for (position, ring) in rings.iter().enumerate() {
        if ring.exposure > most.map_or(0, |(exposure, _)| exposure) {
            most = Some((ring.exposure, position));
        }
    }
    let largest = largest(trace);
    Blast { objects: objects.into_values().collect(), most: most.map(|(_, step)| step), largest }
}

/// The first moment at which most objects are without protection, and how long that group stays so.
fn largest(trace: &Trace) -> Option<Group> {
    let mut edges: BTreeMap<i64, (Vec<ObjectId>, Vec<ObjectId>)> = BTreeMap::new();
    for object in &trace.objects {
        for interval in object.intervals.iter().filter(|one| one.phase.is_exposed()) {
            if interval.to > interval.from {
                edges.entry(interval.from).or_default().0.push(object.object);
                edges.entry(interval.to).or_default().1.push(object.object);
            }
        }
    }
    let mut now: BTreeSet<ObjectId> = BTreeSet::new();
    let mut best: Option<Group> = None;
    for (time, (begin, end)) in edges {
        let before = now.clone();
        now.retain(|object| !end.contains(object));
        now.extend(begin);
        // What ends and begins again at one second goes on.
        if now == before {
            continue;
        }
        if let Some(group) = best.as_mut().filter(|group| group.to == i64::MAX) {
            group.to = time;
        }
        if now.len() > best.as_ref().map_or(0, |group| group.objects.len()) {
            let objects = now.iter().copied().collect();
            best = Some(Group { from: time, to: i64::MAX, objects });
        }
    }
    best.map(|mut group| {
        group.objects.sort_by_key(|object| trace.facts.key(*object));
        group
    })
}
