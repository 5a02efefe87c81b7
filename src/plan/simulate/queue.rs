//! Who may begin when: the order of the plan, operators, locks, slots for checks.

use std::collections::HashMap;

use crate::facts::value::{ObjectId, Value, fold};
use crate::plan::trace::Needs;
use crate::plan::world::{Act, World};
use crate::plan::{Plan, Step};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waiting,
    Running { end: i64, spoiled: bool },
    Over,
}

/// The steps that wait and those that run.
#[derive(Debug)]
pub(super) struct Queue {
    needs: Vec<Needs>,
    states: Vec<State>,
    running: Vec<usize>,
    /// Slots by the object that has them.
    slots: HashMap<Option<ObjectId>, usize>,
    /// The first step that is not over.
    first: usize,
    end: i64,
}

impl Queue {
    pub(super) fn new(world: &World<'_>, plan: &Plan) -> Self {
        let needs: Vec<Needs> = plan.steps.iter().map(|step| needs(world, step)).collect();
        let mut slots = HashMap::new();
        for (object, owner) in needs.iter().filter_map(|needs| needs.check) {
            slots.entry(owner).or_insert_with(|| capacity(world, plan, object, owner));
        }
        let states = vec![State::Waiting; needs.len()];
        Self { needs, states, running: Vec::new(), slots, first: 0, end: 0 }
    }

    /// What each step occupies.
    pub(super) fn needs(&self) -> &[Needs] {
        &self.needs
    }

    /// Checks that run side by side, by the object that has the slots.
    pub(super) fn slots(&self) -> Vec<(Option<ObjectId>, usize)> {
        let mut slots: Vec<_> = self.slots.iter().map(|(owner, count)| (*owner, *count)).collect();
        slots.sort_unstable();
        slots
    }

    /// The first step that can begin now.
    pub(super) fn next_to_begin(&mut self, plan: &Plan, time: i64) -> Option<usize> {
        while self.states.get(self.first) == Some(&State::Over) {
            self.first += 1;
        }
        // In a plan with an order nothing behind the first step of an operator can begin.
        let mut barrier: Option<&Step> = None;
        for position in self.first..self.states.len() {
            let step = plan.steps.get(position)?;
            if plan.is_ordered
                && let Some(before) = barrier
                && (before.group.is_none() || before.group != step.group)
            {
                return None;
            }
            let is_operators = self.needs.get(position).is_some_and(|needs| needs.is_operators);
            let state = self.states.get(position).copied().unwrap_or(State::Over);
            if state == State::Waiting && self.can_begin(plan, position, time) {
                return Some(position);
            }
            if is_operators && state != State::Over && barrier.is_none() {
                barrier = Some(step);
            }
        }
        None
    }

    fn can_begin(&self, plan: &Plan, position: usize, time: i64) -> bool {
        let (Some(step), Some(needs)) = (plan.steps.get(position), self.needs.get(position)) else {
            return false;
        };
        let is_over = |other: &usize| self.states.get(*other) == Some(&State::Over);
        let is_time = step.not_before.is_none_or(|earliest| earliest <= time);
        if !is_time || !step.after.iter().all(is_over) {
            return false;
        }
        let busy = || self.running.iter().filter_map(|other| self.needs.get(*other));
        if needs.is_operators && busy().filter(|held| held.is_operators).count() >= plan.operators {
            return false;
        }
        let collides = |held: &Needs| {
            meets(&needs.uses, &held.locks)
                || meets(&needs.locks, &held.locks)
                // Who takes a lock does not wait for checks: he breaks them off.
                || (held.check.is_none() && meets(&needs.locks, &held.uses))
        };
        if busy().any(collides) {
            return false;
        }
        let Some((object, owner)) = needs.check else { return true };
        let checks = || busy().filter_map(|held| held.check);
        let capacity = self.slots.get(&owner).copied().unwrap_or(1);
        checks().all(|(other, _)| other != object)
            && checks().filter(|(_, other)| *other == owner).count() < capacity
    }

    /// A step begins; the answer are the checks that it breaks off, with what they checked.
    pub(super) fn begin(&mut self, position: usize, end: i64) -> Vec<(usize, ObjectId)> {
        let locks = self.needs.get(position).map(|needs| needs.locks.clone()).unwrap_or_default();
        let broken: Vec<(usize, ObjectId)> = self
            .running
            .iter()
            .filter_map(|other| {
                let held = self.needs.get(*other)?;
                let (object, _) = held.check?;
                (meets(&locks, &held.uses) || meets(&locks, &held.locks))
                    .then_some((*other, object))
            })
            .collect();
        for (other, _) in &broken {
            self.over(*other);
        }
        if let Some(state) = self.states.get_mut(position) {
            *state = State::Running { end, spoiled: false };
        }
        self.running.push(position);
        self.end = self.end.max(end);
        broken
    }

    /// The step that ends at this second and stands first in the plan.
    pub(super) fn next_to_end(&self, time: i64) -> Option<usize> {
        let ends = |position: &&usize| matches!(self.states.get(**position), Some(State::Running { end, .. }) if *end <= time);
        self.running.iter().filter(ends).min().copied()
    }

    /// A step has ended; the answer is whether what it looked at changed meanwhile.
    pub(super) fn end_of(&mut self, position: usize) -> bool {
        let state = self.states.get(position).copied();
        self.over(position);
        matches!(state, Some(State::Running { spoiled: true, .. }))
    }

    /// A step is over, or never takes place.
    pub(super) fn over(&mut self, position: usize) {
        self.running.retain(|other| *other != position);
        if let Some(state) = self.states.get_mut(position) {
            *state = State::Over;
        }
    }

    /// What the running check of an object has seen is no longer so; the answer is that check, the first
    /// time.
    pub(super) fn spoil(&mut self, object: ObjectId) -> Option<usize> {
        let checks = |position: &&usize| {
            let check = self.needs.get(**position).and_then(|needs| needs.check);
            check.is_some_and(|(checked, _)| checked == object)
        };
        let position = self.running.iter().find(checks).copied()?;
        match self.states.get_mut(position) {
            Some(State::Running { spoiled, .. }) if !*spoiled => {
                *spoiled = true;
                Some(position)
            }
            _ => None,
        }
    }

    /// The next second at which something happens.
    pub(super) fn next_time(&self, plan: &Plan, time: i64) -> Option<i64> {
        let ends = self.states.iter().filter_map(|state| match state {
            State::Running { end, .. } => Some(*end),
            _ => None,
        });
        let begins = plan.steps.iter().zip(&self.states).filter_map(|(step, state)| {
            step.not_before.filter(|earliest| *state == State::Waiting && *earliest > time)
        });
        ends.chain(begins).min()
    }

    /// When the last step ends.
    pub(super) fn last_end(&self) -> i64 {
        self.end
    }
}

fn meets(a: &[ObjectId], b: &[ObjectId]) -> bool {
    a.iter().any(|object| b.contains(object))
}

fn needs<'a>(world: &World<'a>, step: &'a Step) -> Needs {
    let Some(action) = world.set.actions.get(step.action) else { return Needs::default() };
    let act = Act { action, args: &step.args };
    let course = &action.course;
    let objects = |list: &'a [crate::expr::tree::Expr]| {
        let objects = list.iter().filter_map(|expr| match world.value(act, expr) {
            Ok(Value::Object(object)) => Some(object),
            _ => None,
        });
        objects.collect::<Vec<_>>()
    };
    Needs {
        is_operators: course.occupies_operator,
        locks: objects(&course.locks),
        uses: objects(&course.uses),
        check: act.checked().map(|object| (object, owner(world, object))),
    }
}

/// The object that has the slots for the checks of another.
pub(in crate::plan) fn owner(world: &World<'_>, object: ObjectId) -> Option<ObjectId> {
    match world.on(object, world.protection()?.checks.owner.as_ref()?) {
        Ok(Value::Object(owner)) => Some(owner),
        _ => None,
    }
}

/// How many checks can run side by side: as the plan says, as the facts say, as the pack assumes.
pub(in crate::plan) fn capacity(
    world: &World<'_>,
    plan: &Plan,
    object: ObjectId,
    owner: Option<ObjectId>,
) -> usize {
    if let Some(owner) = owner {
        let key = fold(&world.facts.key(owner));
        if let Some((_, slots)) = plan.slots.iter().find(|(known, _)| *known == key) {
            return *slots;
        }
    }
    let Some(protection) = world.protection() else { return 1 };
    match protection.checks.slots.as_ref().map(|slots| world.on(object, slots)) {
        Some(Ok(Value::Int(slots))) => usize::try_from(slots).unwrap_or(1).max(1),
        _ => protection.checks.default_slots,
    }
}
