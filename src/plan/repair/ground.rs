//! From pieces to whole numbers: who breaks what and when, what mends it, what a check takes, what comes before what.
//!
//! `lasting` looks for fixes that serve what comes behind them, `waits` says what comes before what.

mod lasting;
mod waits;

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::value::ObjectId;
use crate::plan::hazard::{Given, blackouts_of};
use crate::plan::repair::complete::{Serial, serial};
use crate::plan::repair::learn::Learned;
use crate::plan::repair::options::Options;
use crate::plan::repair::pieces::Pieces;
use crate::plan::simulate::Takes;
use crate::plan::solver::problem::{Object, Problem, Stop, Task, Written};
use crate::plan::trace::{Needs, ObjectTrace, StepStatus, Trace};
use crate::plan::world::Phase;

pub(super) use lasting::{Lasting, Leader};

/// A problem, and what its numbers stand for.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// The problem.
    pub problem: Problem,
    /// The piece of each task.
    pub tasks: Vec<usize>,
    /// What each object is.
    pub objects: Vec<ObjectId>,
    /// What each owner of slots is.
    pub owners: Vec<Option<ObjectId>>,
    /// Pieces that are no tasks, each with the piece behind which it stands: what has nothing to do, or cannot begin.
    pub riders: Vec<(Option<usize>, usize)>,
    /// What a weight of one in the problem counts.
    pub unit: i64,
    /// Objects that no check makes good.
    pub lost: BTreeSet<ObjectId>,
}

impl Ground {
    /// The time without protection in a simulation, as the problem counts it.
    pub(super) fn exposure(&self, trace: &Trace) -> i64 {
        let of_them = trace.objects.iter().filter(|one| self.objects.contains(&one.object));
        let weighted: i64 = of_them.map(|one| one.exposure.saturating_mul(one.weight)).sum();
        weighted / self.unit.max(1)
    }
}

/// What a serial run says of each of its pieces.
pub(super) struct Base<'a> {
    given: Given<'a>,
    pieces: &'a Pieces,
    /// Without checks.
    run: &'a Serial,
    /// With a check of each object behind it.
    checked: Serial,
    objects: Vec<ObjectId>,
    /// The piece that checks each object.
    checks: Vec<usize>,
    /// Objects whose fix serves others, too, that come later.
    leaders: Vec<Leader>,
}

impl<'a> Base<'a> {
    /// Looks at a run, and at the checks of all that it leaves bad.
    pub(super) fn new(
        given: Given<'a>,
        takes: Takes,
        pieces: &'a mut Pieces,
        run: &'a Serial,
        wanted: &dyn Fn(&ObjectTrace) -> bool,
    ) -> Self {
        let harmed: BTreeSet<ObjectId> =
            run.trace.steps.iter().flat_map(|step| step.harmed.iter().copied()).collect();
        let counts = |one: &&ObjectTrace| {
            let is_exposed = one.intervals.iter().any(|interval| interval.phase.is_exposed());
            harmed.contains(&one.object) || (is_exposed && wanted(one))
        };
        let objects: Vec<ObjectId> =
            run.trace.objects.iter().filter(counts).map(|one| one.object).collect();
        let mut checks = Vec::new();
        let mut known = Vec::new();
        for object in objects {
            let mut all = (0..pieces.all.len()).rev();
            let own = all.find(|piece| pieces.checks(given.set, *piece) == Some(object));
            if let Some(piece) = own.or_else(|| pieces.add_check(given.set, object)) {
                checks.push(piece);
                known.push(object);
            }
        }
        let pieces: &'a Pieces = pieces;
        let order: Vec<usize> = run.order.iter().chain(&checks).copied().collect();
        let checked = serial(given, takes, pieces, &order);
        let leaders = Vec::new();
        let mut base = Self { given, pieces, run, checked, objects: known, checks, leaders };
        base.leaders = base.leaders(takes);
        base
    }

    /// The objects that can come first, with the fix that serves all behind it.
    pub(super) fn leading(&self) -> &[Leader] {
        &self.leaders
    }

    /// The pieces, with the checks that it needed.
    pub(super) fn pieces(&self) -> &Pieces {
        self.pieces
    }

    /// The problem, with all that has been learned.
    pub(super) fn ground(
        &self,
        options: &Options,
        learned: &Learned,
        wanted: &dyn Fn(&ObjectTrace) -> bool,
        lasting: Lasting<'_>,
    ) -> Ground {
        let plan = self.given.plan;
        let mut ground = Ground { objects: self.objects.clone(), ..Ground::default() };
        self.sort_out(&mut ground);
        let mut names = Resources::default();
        let window = &plan.window;
        let until = window.end.max(window.checks_until);
        let mut problem = Problem {
            operators: if plan.is_ordered { 1 } else { plan.operators },
            window: window.end,
            checks_until: until,
            horizon: until,
            ..Problem::default()
        };
        for position in 0..self.objects.len() {
            let object = self.object(position, &mut ground, &mut names, learned, wanted);
            problem.objects.push(object);
        }
        problem.owners = ground.owners.iter().map(|owner| self.slots(*owner)).collect();
        let numbers: BTreeMap<usize, usize> =
            ground.tasks.iter().enumerate().map(|(task, piece)| (*piece, task)).collect();
        for piece in &ground.tasks {
            let task = self.task(*piece, (&numbers, lasting), &mut names, learned, options);
            problem.tasks.push(task);
        }
        for (first, second) in &learned.before {
            if let (Some(first), Some(second)) = (numbers.get(first), numbers.get(second))
                && let Some(task) = problem.tasks.get_mut(*second)
            {
                task.after.push(*first);
            }
        }
        problem.stops = self.stops(&numbers);
        if let Lasting::First(leader) | Lasting::Anywhere(leader) = lasting
            && let Some(fix) = numbers.get(&leader.fix)
        {
            problem.stops.retain(|stop| stop.to != *fix);
        }
        let unit = unit(&problem);
        for object in &mut problem.objects {
            object.weight /= unit;
        }
        ground.unit = unit;
        for task in &mut problem.tasks {
            for list in [&mut task.after, &mut task.mends, &mut task.frees, &mut task.breaks] {
                list.sort_unstable();
                list.dedup();
            }
        }
        for piece in 0..self.pieces.all.len() {
            let place = self.pieces.written(piece);
            let object = self.pieces.checks(self.given.set, piece);
            if let (Some(place), Some(object)) = (place, object)
                && let Some(object) = self.number(object)
            {
                problem.checks.push(Written { object, place });
            }
        }
        ground.problem = problem;
        ground
    }

    /// Tells tasks from what only stands among them.
    fn sort_out(&self, ground: &mut Ground) {
        let mut last = None;
        for (piece, step) in self.run.order.iter().zip(&self.run.trace.steps) {
            if step.status == StepStatus::Done {
                ground.tasks.push(*piece);
                last = Some(*piece);
            } else {
                ground.riders.push((last, *piece));
            }
        }
    }

    fn number(&self, object: ObjectId) -> Option<usize> {
        self.objects.iter().position(|known| *known == object)
    }

    fn slots(&self, owner: Option<ObjectId>) -> usize {
        let all = self.checked.trace.slots.iter();
        all.filter(|(known, _)| *known == owner).map(|(_, slots)| *slots).max().unwrap_or(1)
    }

    fn object(
        &self,
        position: usize,
        ground: &mut Ground,
        names: &mut Resources,
        learned: &Learned,
        wanted: &dyn Fn(&ObjectTrace) -> bool,
    ) -> Object {
        let Some(id) = self.objects.get(position).copied() else { return Object::default() };
        let until = self.given.plan.window.end.max(self.given.plan.window.checks_until);
        let about = self.run.trace.objects.iter().find(|one| one.object == id);
        let check = self.checked.trace.steps.get(self.run.order.len() + position);
        let (takes, needs) = check.map_or((None, Needs::default()), |check| {
            let ended_well = check.status == StepStatus::Done && check.vain.is_empty();
            (check.takes.filter(|_| ended_well), check.needs.clone())
        });
        if takes.is_none() {
            ground.lost.insert(id);
        }
        let slots_of = needs.check.and_then(|(_, owner)| owner);
        let owner = ground.owners.iter().position(|known| *known == slots_of);
        let owner = owner.unwrap_or_else(|| {
            ground.owners.push(slots_of);
            ground.owners.len() - 1
        });
        let mut uses = names.all(&needs.uses);
        uses.extend(names.all(&needs.locks));
        for (piece, _) in learned.apart.iter().filter(|(_, object)| *object == id) {
            uses.push(names.apart(*piece, id));
        }
        let starts = about.and_then(|one| one.intervals.first()).map(|first| first.phase);
        Object {
            owner,
            // What no check makes good is never checked: there is no time for it.
            check: takes.unwrap_or(until.saturating_add(1)).max(1),
            weight: about.map_or(1, |one| one.weight),
            starts_bad: matches!(starts, Some(Phase::Bad | Phase::Unknown)),
            must_end_good: takes.is_some() && about.is_some_and(wanted),
            most: self.given.plan.goal.max_exposure.filter(|_| about.is_some_and(wanted)),
            uses,
            closed: self.closed(self.run.order.len() + position),
        }
    }

    /// The times in which a step of the checked run must not run.
    fn closed(&self, position: usize) -> Vec<(i64, i64)> {
        let given = Given { plan: &self.checked.plan, ..self.given };
        let mut all: Vec<(i64, i64)> = blackouts_of(given, &self.checked.trace, position)
            .into_iter()
            .map(|(from, to)| (from.max(0), to))
            .filter(|(from, to)| from < to)
            .collect();
        all.sort_unstable();
        all
    }

    /// The times in which no backups of good objects can be made: from the piece that brings the cause to the one that clears
    /// it.
    fn stops(&self, numbers: &BTreeMap<usize, usize>) -> Vec<Stop> {
        let mut stops = Vec::new();
        let task = |position: usize| {
            self.run.order.get(position).and_then(|piece| numbers.get(piece)).copied()
        };
        for cause in &self.run.trace.causes {
            let rule = self.given.set.rules.get(cause.rule);
            let (Some(from), Some(to), true) =
                (cause.opened_by, cause.closed_by, rule.is_some_and(|rule| rule.stops_backups()))
            else {
                continue;
            };
            let harms = self.run.trace.steps.get(from).map(|step| step.harmed.as_slice());
            let frees = self.mended(to).0;
            let (Some(begin), Some(end)) = (task(from), task(to)) else { continue };
            for id in &cause.objects {
                // What is bad all that time is not stopped as well.
                let is_bad =
                    harms.unwrap_or_default().contains(id) && (from == to || frees.contains(id));
                if let (Some(object), false) = (self.number(*id), is_bad) {
                    stops.push(Stop { object, from: Some(begin), to: end });
                }
            }
        }
        stops.sort_unstable_by_key(|stop: &Stop| (stop.object, stop.from, stop.to));
        stops.dedup();
        stops
    }

    fn task(
        &self,
        piece: usize,
        (numbers, lasting): (&BTreeMap<usize, usize>, Lasting<'_>),
        names: &mut Resources,
        learned: &Learned,
        options: &Options,
    ) -> Task {
        let Some(at) = self.run.order.iter().position(|other| *other == piece) else {
            return Task::default();
        };
        let (Some(trace), Some(step)) = (self.run.trace.steps.get(at), self.pieces.step(piece))
        else {
            return Task::default();
        };
        let task_of = |position: &usize| {
            self.run.order.get(*position).and_then(|piece| numbers.get(piece)).copied()
        };
        let mut breaks: Vec<usize> =
            trace.harmed.iter().filter_map(|object| self.number(*object)).collect();
        let more = learned.breaks.iter().filter(|(known, _)| *known == piece);
        breaks.extend(more.filter_map(|(_, object)| self.number(*object)));
        let (mut frees, mut mends, is_since_ever) = self.mended(at);
        for (_, object) in learned.frees.iter().filter(|(fix, _)| *fix == piece) {
            frees.push(*object);
        }
        for (_, cause) in learned.mends.iter().filter(|(fix, _)| *fix == piece) {
            mends.extend(self.run.order.iter().position(|other| other == cause));
        }
        let mut mends: Vec<usize> = mends.iter().filter_map(task_of).collect();
        let mut after = self.waits(piece, at, numbers);
        if is_since_ever {
            after.append(&mut mends);
        }
        match lasting {
            Lasting::First(leader) if leader.fix == piece => {
                let tasks = |pieces: &[usize]| -> Vec<usize> {
                    pieces.iter().filter_map(|piece| numbers.get(piece).copied()).collect()
                };
                let later = tasks(&leader.later);
                mends = tasks(&leader.first);
                after.retain(|task| !later.contains(task));
                frees.retain(|object| leader.objects.contains(object));
            }
            Lasting::First(leader) if leader.later.contains(&piece) => {
                after.extend(numbers.get(&leader.fix));
            }
            Lasting::Anywhere(leader) if leader.fix == piece => {
                mends.clear();
                after.clear();
                frees.clear();
            }
            Lasting::Last | Lasting::First(_) | Lasting::Anywhere(_) => {}
        }
        let mut locks = names.all(&trace.needs.locks);
        for (_, object) in learned.apart.iter().filter(|(known, _)| *known == piece) {
            locks.push(names.apart(piece, *object));
        }
        let place = self.pieces.written(piece);
        Task {
            takes: trace.takes.unwrap_or_default().max(1),
            needs_operator: trace.needs.is_operators,
            breaks,
            frees: frees.into_iter().filter_map(|object| self.number(object)).collect(),
            mends,
            after,
            needs_good: self.needs_good(piece),
            not_before: step.not_before.unwrap_or_default().max(0),
            locks,
            uses: names.all(&trace.needs.uses),
            closed: self.closed(at),
            place,
            is_kept: place.is_some_and(|place| options.keeps(place)),
            ..Task::default()
        }
    }

    /// The objects that a piece frees, the positions of what it mends, and whether something of it stood from the start.
    fn mended(&self, at: usize) -> (Vec<ObjectId>, Vec<usize>, bool) {
        let (mut frees, mut mends, mut is_since_ever) = (Vec::new(), Vec::new(), false);
        let trace = &self.run.trace;
        let Some(step) = trace.steps.get(at) else { return (frees, mends, false) };
        for number in &step.closed {
            let Some(cause) = trace.causes.get(*number) else { continue };
            if cause.opened_by == Some(at) {
                continue;
            }
            let blocked = cause.objects.iter().filter(|object| self.is_blocked(at, **object));
            let blocked: Vec<ObjectId> = blocked.copied().collect();
            if !blocked.is_empty() {
                mends.extend(cause.opened_by);
                is_since_ever |= cause.opened_by.is_none();
                frees.extend(blocked);
            }
        }
        // A check that could not even begin, and can now.
        for object in self.objects.iter().filter(|object| self.is_blocked(at, **object)) {
            if frees.contains(object) || self.is_blocked(at + 1, *object) {
                continue;
            }
            let opener = (0..at).rev().find(|before| !self.is_blocked(*before, *object));
            mends.extend(opener);
            is_since_ever |= opener.is_none();
            frees.push(*object);
        }
        (frees, mends, is_since_ever)
    }

    /// Whether a check of an object is vain before a piece begins, as the pieces before it have left things.
    fn is_blocked(&self, at: usize, object: ObjectId) -> bool {
        let trace = &self.run.trace;
        let Some(before) = at.checked_sub(1) else {
            let about = trace.objects.iter().find(|one| one.object == object);
            return about.and_then(|one| one.intervals.first()).is_some_and(|one| one.is_blocked);
        };
        let after = trace.steps.get(before).map(|step| step.after.as_slice()).unwrap_or_default();
        after.iter().any(|(known, _, is_blocked)| *known == object && *is_blocked)
    }
}

/// The greatest number that all weights are multiples of.
fn unit(problem: &Problem) -> i64 {
    let mut unit = 0;
    for object in &problem.objects {
        let (mut one, mut other) = (unit, object.weight);
        while other != 0 {
            (one, other) = (other, one % other);
        }
        unit = one;
    }
    unit.max(1)
}

/// Numbers of what can be locked.
#[derive(Default)]
struct Resources {
    objects: BTreeMap<ObjectId, usize>,
    apart: BTreeMap<(usize, ObjectId), usize>,
}

impl Resources {
    fn all(&mut self, objects: &[ObjectId]) -> Vec<usize> {
        objects.iter().map(|object| self.of(*object)).collect()
    }

    fn of(&mut self, object: ObjectId) -> usize {
        let next = self.objects.len() + self.apart.len();
        *self.objects.entry(object).or_insert(next)
    }

    fn apart(&mut self, piece: usize, object: ObjectId) -> usize {
        let next = self.objects.len() + self.apart.len();
        *self.apart.entry((piece, object)).or_insert(next)
    }
}
