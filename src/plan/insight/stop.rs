//! Stop points: how things are if the plan ends after a step, and when all would be well again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::facts::value::{ObjectId, Value};
use crate::finding::{Role, Step};
use crate::plan::hazard::{Fixes, Given, Help, Judged};
use crate::plan::simulate::{self, capacity, owner};
use crate::plan::trace::{Interval, ObjectTrace, StepStatus, StepTrace, Trace};
use crate::plan::world::{Act, Phase, World};

/// How things are if a plan ends after a step.
#[derive(Clone, Debug)]
pub struct Stop {
    /// When it has ended, and what runs beside it; checks aside.
    pub at: i64,
    /// Steps that run beside it and are let end.
    pub running: Vec<usize>,
    /// Protected objects that are not good then and have to be.
    pub bad: Vec<ObjectId>,
    /// Those that need a check which does not run yet.
    pub checks: Vec<ObjectId>,
    /// What has to be repaired before.
    pub fixes: Vec<Fix>,
    /// When all are good again.
    pub by: By,
}

/// When all are good again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// At this second, if the checks begin at once, the longest first.
    At(i64),
    /// Never, while a cause stands at these objects and nobody repairs it.
    Never(Vec<ObjectId>),
    /// Nobody can say, because this is not known.
    Unknown(String),
}

/// Something that has to be repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The action.
    pub action: String,
    /// Key of the object at which it is done, where that is known.
    pub at: Option<String>,
    /// The step of the plan that would do it.
    pub step: Option<usize>,
    /// What would have to be known to say whether it is needed.
    pub unsure: Option<String>,
}

/// The stop points of all steps.
pub(super) fn stops(given: Given<'_>, world: &mut World<'_>, judged: &Judged) -> Vec<Option<Stop>> {
    let trace = &judged.worst;
    let lasts = lasts(given, world, trace);
    let objects = trace.objects.iter().map(|one| one.object);
    let slots = objects.map(|object| {
        let owner = owner(world, object);
        (object, (owner, capacity(world, given.plan, object, owner)))
    });
    let slots = slots.collect();
    let goal = &given.plan.goal;
    let wanted = trace.objects.iter().filter(|one| one.is_wanted(goal)).map(|one| one.object);
    let wanted = wanted.collect();
    let repairs = Fixes::new(given, trace, &judged.after);
    let finder = Finder { given, trace, lasts, slots, wanted, repairs };
    (0..given.plan.written().len()).map(|step| finder.stop(step)).collect()
}

/// Seconds that a check of each object takes at worst, on the facts before and after the plan.
fn lasts(
    given: Given<'_>,
    world: &mut World<'_>,
    trace: &Trace,
) -> BTreeMap<ObjectId, Result<i64, String>> {
    let Some(action) = simulate::check_of(given.set) else { return BTreeMap::new() };
    let mut lasts: BTreeMap<ObjectId, Result<i64, String>> = BTreeMap::new();
    for facts in [given.facts, &trace.facts] {
        world.facts = facts.clone();
        for object in trace.objects.iter().map(|one| one.object) {
            if !facts.holds(object) {
                continue;
            }
            let args = [Value::Object(object)];
            let takes = match world.takes(Act { action, args: &args }) {
                Some(Ok(takes)) => Ok(takes.worst),
                Some(Err(missing)) => Err(missing),
                None => Err(format!("how long {} takes", action.id)),
            };
            let known = lasts.remove(&object).unwrap_or_else(|| takes.clone());
            lasts.insert(object, known.and_then(|known| takes.map(|takes| takes.max(known))));
        }
    }
    world.facts = given.facts.clone();
    lasts
}

/// The slots that an object's checks use: whose they are, and how many.
type Slots = (Option<ObjectId>, usize);

struct Finder<'a> {
    given: Given<'a>,
    trace: &'a Trace,
    lasts: BTreeMap<ObjectId, Result<i64, String>>,
    slots: BTreeMap<ObjectId, Slots>,
    /// The objects that have to be good.
    wanted: BTreeSet<ObjectId>,
    /// What the rules ask for at the end.
    repairs: Fixes<'a>,
}

/// A check that runs when the plan stops, with its end if nothing breaks it off.
struct Running {
    object: ObjectId,
    end: i64,
}

impl Finder<'_> {
    fn stop(&self, position: usize) -> Option<Stop> {
        let step = self.trace.steps.get(position)?;
        let end = step.end.filter(|_| step.status != StepStatus::Never)?;
        let running = self.running(position, end);
        let ends = running.iter().filter_map(|other| self.trace.steps.get(*other)?.end);
        let at = ends.max().unwrap_or(end).max(end);
        let after: Vec<&(ObjectId, Phase, bool)> =
            step.after.iter().filter(|(object, ..)| self.wanted.contains(object)).collect();
        let (mut never, mut open, mut checks) = (Vec::new(), Vec::new(), Vec::new());
        let mut stopped = Vec::new();
        for (object, phase, is_blocked) in after.iter().copied() {
            match phase {
                // A check of which the plan cannot say how it ends says nothing more if the plan stops.
                Phase::Busy | Phase::Bad if self.is_undecided(*object) => open.push(*object),
                Phase::Busy => never.extend(self.vain_later(*object, end)),
                Phase::Bad if *is_blocked && !self.is_free(*object, (end, at)) => {
                    never.push(*object);
                }
                Phase::Bad => checks.push(*object),
                Phase::Stopped if self.is_going(*object, (end, at)) => {}
                Phase::Stopped => stopped.push(*object),
                _ => open.push(*object),
            }
        }
        let to_check = never.clone();
        never.extend(stopped);
        let by = match (never.as_slice(), open.as_slice()) {
            ([], []) => self.all_good(at, end, &checks),
            ([], [first, ..]) => By::Unknown(format!("the state of {}", self.key(*first))),
            _ => By::Never(never.clone()),
        };
        checks.extend(to_check);
        checks.sort_unstable();
        let bad = after.iter().map(|(object, ..)| *object).collect();
        Some(Stop { at, running, bad, fixes: self.fixes(&never, end), checks, by })
    }

    /// Whether what keeps an object from being checked is over once the steps have ended that run beside.
    fn is_free(&self, object: ObjectId, (from, to): (i64, i64)) -> bool {
        self.later(object, (from, to)).any(|one| !one.is_blocked)
    }

    /// Whether a cause is not that of a step that begins only then.
    fn is_from_before(&self, number: usize, time: i64) -> bool {
        let cause = self.trace.causes.get(number);
        let step = cause.and_then(|cause| self.trace.steps.get(cause.opened_by?));
        step.and_then(|step| step.start).is_none_or(|start| start < time)
    }

    /// Whether what stops the backups of an object is over once the steps have ended that run beside.
    fn is_going(&self, object: ObjectId, (from, to): (i64, i64)) -> bool {
        self.later(object, (from, to)).any(|one| one.phase == Phase::Good)
    }

    /// The states of an object that begin behind a second, up to another.
    fn later(&self, object: ObjectId, (from, to): (i64, i64)) -> impl Iterator<Item = &Interval> {
        let objects = self.trace.objects.iter().filter(move |one| one.object == object);
        let states = objects.flat_map(|one| &one.intervals);
        states.filter(move |one| one.from > from && one.from <= to)
    }

    fn key(&self, object: ObjectId) -> Arc<str> {
        self.trace.facts.key(object)
    }

    /// Whether a check of an object leaves open whether it is good.
    fn is_undecided(&self, object: ObjectId) -> bool {
        let of = |step: &&StepTrace| step.needs.check.is_some_and(|(checked, _)| checked == object);
        self.trace.steps.iter().filter(of).any(|step| !step.undecided.is_empty())
    }

    /// The object that a step checks.
    fn checked(&self, position: usize) -> Option<ObjectId> {
        self.trace.steps.get(position)?.needs.check.map(|(object, _)| object)
    }

    /// Steps other than checks that run when a step has ended.
    fn running(&self, position: usize, time: i64) -> Vec<usize> {
        let others = (0..self.trace.steps.len()).filter(|other| *other != position);
        let runs = |other: &usize| self.trace.steps.get(*other).is_some_and(|one| runs(one, time));
        others.filter(|other| self.checked(*other).is_none()).filter(runs).collect()
    }

    /// Checks that run at a second, with their ends if nothing breaks them off.
    fn checks_at(&self, time: i64) -> Vec<Running> {
        let mut found = Vec::new();
        for (position, step) in self.trace.steps.iter().enumerate() {
            let Some(object) = self.checked(position).filter(|_| runs(step, time)) else {
                continue;
            };
            let (Some(start), Some(end)) = (step.start, step.end) else { continue };
            // One that is broken off later would not have been.
            let whole = start.saturating_add(step.takes.unwrap_or(0));
            let end = if step.broken_by.is_some() { end.max(whole) } else { end };
            found.push(Running { object, end });
        }
        found
    }

    /// An object whose running check will find a cause that stands already.
    fn vain_later(&self, object: ObjectId, time: i64) -> Option<ObjectId> {
        let checks = (0..self.trace.steps.len()).filter(|step| self.checked(*step) == Some(object));
        let running = checks.filter_map(|step| self.trace.steps.get(step));
        let running = running.filter(|step| runs(step, time)).find(|step| !step.vain.is_empty())?;
        let stands = |number: &usize| {
            let is_open =
                self.trace.causes.get(*number).is_some_and(|cause| cause.opened_at <= time);
            // What a step does that begins only then is not there if the plan stops.
            is_open && self.is_from_before(*number, time)
        };
        running.vain.iter().any(stands).then_some(object)
    }

    /// When the last check ends: those that run keep their slots, the others take what is free from the
    /// moment on at which the plan stops, the longest first.
    fn all_good(&self, at: i64, end: i64, needed: &[ObjectId]) -> By {
        let mut free: BTreeMap<Option<ObjectId>, Vec<i64>> = BTreeMap::new();
        for (owner, slots) in self.slots.values() {
            free.entry(*owner).or_insert_with(|| vec![at; *slots]);
        }
        let mut last = at;
        for check in self.checks_at(end) {
            last = last.max(check.end);
            let slots = self.slots.get(&check.object).and_then(|(owner, _)| free.get_mut(owner));
            if let Some(slot) = slots.and_then(|slots| slots.iter_mut().find(|slot| **slot == at)) {
                *slot = check.end.max(at);
            }
        }
        let mut waiting: Vec<(i64, ObjectId)> = Vec::new();
        for object in needed {
            match self.lasts.get(object) {
                Some(Ok(takes)) => waiting.push((*takes, *object)),
                Some(Err(missing)) => return By::Unknown(missing.clone()),
                None => return By::Unknown(format!("how {} is checked", self.key(*object))),
            }
        }
        waiting.sort_by_key(|(takes, object)| (std::cmp::Reverse(*takes), *object));
        for (takes, object) in waiting {
            let slots = self.slots.get(&object).and_then(|(owner, _)| free.get_mut(owner));
            if let Some(slot) = slots.and_then(|slots| slots.iter_mut().min()) {
                *slot = slot.saturating_add(takes);
                last = last.max(*slot);
            }
        }
        By::At(last)
    }

    /// What repairs the causes that stand at objects at a second: a later step of the plan, or what the
    /// rules ask for at the end.
    fn fixes(&self, objects: &[ObjectId], time: i64) -> Vec<Fix> {
        let mut fixes: Vec<Fix> = Vec::new();
        let mut add = |fix: Fix| {
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        };
        let blocked: Vec<&ObjectTrace> =
            self.trace.objects.iter().filter(|one| objects.contains(&one.object)).collect();
        let open: BTreeSet<usize> = blocked
            .iter()
            .filter_map(|one| one.intervals.iter().rev().find(|interval| interval.from <= time))
            .flat_map(|interval| interval.open.iter().copied())
            .filter(|number| self.is_from_before(*number, time))
            .collect();
        let steps = open.iter().filter_map(|number| self.trace.causes.get(*number)?.closed_by);
        // A check closes causes that are over; it repairs none.
        for step in steps.filter(|step| self.checked(*step).is_none()).collect::<BTreeSet<_>>() {
            let planned = self.given.plan.steps.get(step);
            let action = planned.and_then(|step| self.given.set.actions.get(step.action));
            let action = action.map(|action| action.id.to_string()).unwrap_or_default();
            add(Fix { action, at: None, step: Some(step), unsure: None });
        }
        // A step can make way for a check although the cause stands until that has looked.
        for object in blocked.iter().filter(|one| is_blocked_at(one, time)) {
            let mut later = object.intervals.iter().filter(|interval| interval.from > time);
            let Some(free) = later.find(|interval| !interval.is_blocked) else { continue };
            for (position, step) in self.given.plan.steps.iter().enumerate() {
                let trace = self.trace.steps.get(position);
                let ends_then = trace.is_some_and(|trace| {
                    trace.end == Some(free.from) && trace.status == StepStatus::Done
                });
                let action = self.given.set.actions.get(step.action).filter(|_| ends_then);
                if let Some(action) = action.filter(|action| action.role == Role::Fix) {
                    let action = action.id.to_string();
                    add(Fix { action, at: None, step: Some(position), unsure: None });
                }
            }
        }
        for fix in self.asked(&blocked, &open) {
            add(Fix {
                action: fix.action.to_string(),
                at: fix.at.as_ref().map(|at| at.key.to_string()),
                step: None,
                unsure: fix.unsure.clone(),
            });
        }
        fixes
    }

    /// What the rules ask for at the end because of causes that stand at objects which stay bad. What takes an
    /// object out of protection, or only takes back a step, does not make all well again.
    fn asked(&self, objects: &[&ObjectTrace], causes: &BTreeSet<usize>) -> Vec<&Step> {
        let stays = |one: &&&ObjectTrace| {
            one.intervals.last().is_some_and(|last| last.is_blocked || last.phase == Phase::Stopped)
        };
        let is_helped = |one: &&&ObjectTrace| {
            let open = one.intervals.last().map(|last| last.open.as_slice()).unwrap_or_default();
            matches!(self.repairs.help(one, open), Help::Repair)
        };
        let stay: Vec<&ObjectTrace> =
            objects.iter().filter(stays).filter(is_helped).copied().collect();
        let last = stay.iter().filter_map(|one| one.intervals.last());
        let open: BTreeSet<usize> = last.flat_map(|last| last.open.iter().copied()).collect();
        // What comes up only later is not asked for if the plan stops before.
        let now: Vec<usize> = causes.intersection(&open).copied().collect();
        if now.is_empty() && !stay.iter().any(|one| self.repairs.is_refused(one.object)) {
            return Vec::new();
        }
        self.repairs.of(&stay, &now)
    }
}

/// Whether a check alone would not help an object at a second.
fn is_blocked_at(object: &ObjectTrace, time: i64) -> bool {
    let mut until = object.intervals.iter().rev();
    until.find(|interval| interval.from <= time).is_some_and(|interval| interval.is_blocked)
}

/// Whether a step has begun before a second and goes on behind it.
fn runs(step: &StepTrace, time: i64) -> bool {
    step.start.is_some_and(|start| start < time) && step.end.is_some_and(|end| end > time)
}
