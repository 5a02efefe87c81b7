//! Who may begin when: the order of the plan, operators, locks, slots for checks.

use std::collections::{BTreeSet, HashMap};

use crate::facts::change::Cell;
use crate::facts::value::ObjectId;
use crate::plan::automatic;
use crate::plan::simulate::needs::{Watch, capacity};
use crate::plan::trace::Needs;
use crate::plan::world::World;
use crate::plan::{Plan, Step};
use crate::rule::automatic::Begins;

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
    watch: Watch,
    states: Vec<State>,
    running: Vec<usize>,
    /// Slots by the object that has them.
    slots: HashMap<Option<ObjectId>, usize>,
    /// The steps that somebody wrote, those first that begin first if several can.
    turns: Vec<usize>,
    /// How many of the first of these are over.
    first: usize,
    /// How many steps somebody wrote; behind them are jobs that begin by themselves.
    written: usize,
    /// Seconds before which steps do not begin, in order.
    earliest: Vec<i64>,
    /// Jobs with the time at which they begin.
    due: BTreeSet<(i64, usize)>,
    /// Jobs that begin as soon as there is a slot.
    pending: Vec<usize>,
    /// Jobs that begin a while after a step: positions and seconds.
    followers: HashMap<usize, Vec<(usize, i64)>>,
    /// Jobs that begin a while after an object became bad, the last one first: positions and seconds.
    broken: HashMap<ObjectId, Vec<(usize, i64)>>,
    /// Jobs that wait for whatever is in their way.
    patient: BTreeSet<usize>,
    /// Jobs that are broken off at their end.
    limited: BTreeSet<usize>,
    /// The second at which nobody looks any more.
    horizon: i64,
}

impl Queue {
    pub(super) fn new(world: &mut World<'_>, plan: &Plan, turns: &[usize]) -> Self {
        let (watch, needs) = Watch::all(world, plan);
        let states = vec![State::Waiting; needs.len()];
        let written = plan.written().len();
        let (steps, jobs) = plan.steps.split_at_checked(written).unwrap_or((&plan.steps, &[]));
        let mut earliest: Vec<i64> = steps.iter().filter_map(|step| step.not_before).collect();
        earliest.sort_unstable();
        let mut queue = Self {
            needs,
            watch,
            states,
            running: Vec::new(),
            slots: HashMap::new(),
            turns: turns.to_vec(),
            first: 0,
            written,
            earliest,
            due: BTreeSet::new(),
            pending: Vec::new(),
            followers: HashMap::new(),
            broken: HashMap::new(),
            patient: BTreeSet::new(),
            limited: BTreeSet::new(),
            horizon: plan.window.end.max(plan.window.checks_until),
        };
        for (position, job) in (written..).zip(jobs) {
            queue.due.extend(job.not_before.map(|time| (time, position)));
            for followed in &job.after {
                queue.followers.entry(*followed).or_default().push((position, job.delay));
            }
        }
        for (position, job) in plan.steps.iter().enumerate().skip(written).rev() {
            let begins = automatic::begins(world.set, job);
            let object = queue.needs.get(position).and_then(|needs| needs.check);
            if let (Some(Begins::Broken { delay }), Some((object, _))) = (begins, object) {
                queue.broken.entry(object).or_default().push((position, *delay));
                queue.patient.insert(position);
            }
        }
        queue.count_slots(world, plan);
        queue
    }

    /// The job that begins by itself now.
    pub(super) fn next_automatic(
        &mut self,
        world: &mut World<'_>,
        plan: &Plan,
        time: i64,
    ) -> Option<usize> {
        if let Some((_, position)) = self.due.first().copied().filter(|(due, _)| *due <= time) {
            self.due.pop_first();
            self.renew(world, plan, position);
            return Some(position);
        }
        for position in self.pending.clone() {
            self.renew(world, plan, position);
        }
        let is_free = |position: &usize| {
            let waits = self.patient.contains(position) && self.obstacle(*position).is_some();
            !waits && self.has_slot(*position)
        };
        let free = self.pending.iter().position(is_free)?;
        Some(self.pending.remove(free))
    }

    /// An object became bad: the next job that begins then has a time now.
    pub(super) fn became_bad(&mut self, object: ObjectId, time: i64) {
        let Some((job, delay)) = self.broken.get_mut(&object).and_then(Vec::pop) else { return };
        let due = time.saturating_add(delay);
        if due < self.horizon {
            self.due.insert((due, job));
        }
    }

    /// The jobs for which no object became bad.
    pub(super) fn not_needed(&self) -> Vec<usize> {
        let mut all: Vec<usize> = self.patient.iter().copied().collect();
        all.retain(|job| {
            let object = self.needs.get(*job).and_then(|needs| needs.check);
            let left = object.and_then(|(object, _)| self.broken.get(&object));
            left.is_some_and(|left| left.iter().any(|(other, _)| other == job))
        });
        all
    }

    /// Whether a job waits for whatever is in its way.
    pub(super) fn is_patient(&self, position: usize) -> bool {
        self.patient.contains(&position)
    }

    /// A step is broken off at its end.
    pub(super) fn limit(&mut self, position: usize) {
        self.limited.insert(position);
    }

    /// Whether a step is broken off at its end.
    pub(super) fn is_limited(&self, position: usize) -> bool {
        self.limited.contains(&position)
    }

    /// A job begins as soon as there is a slot.
    pub(super) fn wait(&mut self, position: usize) {
        self.pending.push(position);
    }

    /// The running step that keeps a job from beginning: it checks the same object, or has one for itself.
    pub(super) fn obstacle(&self, position: usize) -> Option<usize> {
        let needs = self.needs.get(position)?;
        let object = |needs: &Needs| needs.check.map(|(object, _)| object);
        let is_in_the_way = |other: &&usize| {
            self.needs.get(**other).is_some_and(|held| {
                needs.collides_with(held)
                    || (needs.check.is_some() && object(held) == object(needs))
            })
        };
        self.running.iter().filter(is_in_the_way).min().copied()
    }

    /// The running check of an object.
    pub(super) fn check_on(&self, object: ObjectId) -> Option<usize> {
        let checks = |position: &&usize| {
            let check = self.needs.get(**position).and_then(|needs| needs.check);
            check.is_some_and(|(checked, _)| checked == object)
        };
        self.running.iter().find(checks).copied()
    }

    /// Whether a check can begin beside those that run.
    pub(super) fn has_slot(&self, position: usize) -> bool {
        let Some((_, owner)) = self.needs.get(position).and_then(|needs| needs.check) else {
            return true;
        };
        let owners = self.running.iter().filter_map(|other| self.needs.get(*other)?.check);
        owners.filter(|(_, other)| *other == owner).count()
            < self.slots.get(&owner).copied().unwrap_or(1)
    }

    fn count_slots(&mut self, world: &World<'_>, plan: &Plan) {
        for (object, owner) in self.needs.iter().filter_map(|needs| needs.check) {
            self.slots.entry(owner).or_insert_with(|| capacity(world, plan, object, owner));
        }
    }

    /// Facts are others now: what steps occupy that have not begun may be something else.
    pub(super) fn touched(&mut self, touched: &BTreeSet<Cell>, time: i64) {
        self.watch.touched(touched, time);
    }

    /// What a step occupies that has not begun is looked up again, where that may be something else.
    fn renew(&mut self, world: &mut World<'_>, plan: &Plan, position: usize) {
        let Some(known) = self.needs.get_mut(position) else { return };
        let Some(needs) = self.watch.renewed(world, plan, position, known) else { return };
        let check = needs.check;
        *known = needs;
        if let Some((object, owner)) = check {
            self.slots.entry(owner).or_insert_with(|| capacity(world, plan, object, owner));
        }
    }

    /// What each step occupies.
    pub(super) fn needs(&self) -> &[Needs] {
        &self.needs
    }

    /// What a step occupies.
    pub(super) fn needs_of(&self, position: usize) -> Needs {
        self.needs.get(position).cloned().unwrap_or_default()
    }

    /// Checks that run side by side, by the object that has the slots.
    pub(super) fn slots(&self) -> Vec<(Option<ObjectId>, usize)> {
        let mut slots: Vec<_> = self.slots.iter().map(|(owner, count)| (*owner, *count)).collect();
        slots.sort_unstable();
        slots
    }

    /// The first step that can begin now.
    pub(super) fn next_to_begin(
        &mut self,
        world: &mut World<'_>,
        plan: &Plan,
        time: i64,
    ) -> Option<usize> {
        let is_over = |position: &usize| self.states.get(*position) == Some(&State::Over);
        while self.turns.get(self.first).is_some_and(is_over) {
            self.first += 1;
        }
        // In a plan with an order nothing behind the first step of an operator can begin.
        let mut barrier: Option<&Step> = None;
        for turn in self.first..self.turns.len() {
            let position = *self.turns.get(turn)?;
            let step = plan.steps.get(position)?;
            if plan.is_ordered
                && let Some(before) = barrier
                && (before.group.is_none() || before.group != step.group)
            {
                return None;
            }
            let is_operators = self.needs.get(position).is_some_and(|needs| needs.is_operators);
            let state = self.states.get(position).copied().unwrap_or(State::Over);
            if state == State::Waiting {
                self.renew(world, plan, position);
                if self.can_begin(plan, position, time) {
                    return Some(position);
                }
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
        let written = self.running.iter().filter(|other| **other < self.written);
        if written.filter_map(|other| self.needs.get(*other)).any(|held| needs.collides_with(held))
        {
            return false;
        }
        let Some((object, _)) = needs.check else { return true };
        self.check_on(object).is_none() && self.has_slot(position)
    }

    /// A step begins; the answer are the checks and jobs that it breaks off, with what was checked.
    pub(super) fn begin(&mut self, position: usize, end: i64) -> Vec<(usize, Option<ObjectId>)> {
        let needs = self.needs_of(position);
        let broken: Vec<(usize, Option<ObjectId>)> = self
            .running
            .iter()
            .filter_map(|other| {
                let held = self.needs.get(*other)?;
                let can_break = held.check.is_some() || *other >= self.written;
                (can_break && needs.takes_from(held))
                    .then_some((*other, held.check.map(|(object, _)| object)))
            })
            .collect();
        for (other, _) in &broken {
            self.over(*other);
        }
        if let Some(state) = self.states.get_mut(position) {
            *state = State::Running { end, spoiled: false };
        }
        self.running.push(position);
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

    /// A step has ended, however: what follows it by itself has a time now.
    pub(super) fn follow(&mut self, position: usize, time: i64) {
        for (job, delay) in self.followers.remove(&position).unwrap_or_default() {
            let due = time.saturating_add(delay);
            if due < self.horizon {
                self.due.insert((due, job));
            }
        }
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
        let position = self.check_on(object)?;
        match self.states.get_mut(position) {
            Some(State::Running { spoiled, .. }) if !*spoiled => {
                *spoiled = true;
                Some(position)
            }
            _ => None,
        }
    }

    /// The next second at which something happens.
    pub(super) fn next_time(&self, time: i64) -> Option<i64> {
        let ends = self.running.iter().filter_map(|position| match self.states.get(*position) {
            Some(State::Running { end, .. }) => Some(*end),
            _ => None,
        });
        let past = self.earliest.partition_point(|earliest| *earliest <= time);
        let begins = self.earliest.get(past).copied();
        let due = self.due.first().map(|(due, _)| *due);
        ends.chain(begins).chain(due).min()
    }
}
