//! From pieces to whole numbers: who breaks what and when, what mends it, what a check takes, what comes before what.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::value::{Fact, ObjectId, Value};
use crate::plan::hazard::{Given, blackouts_of};
use crate::plan::repair::complete::{Serial, serial};
use crate::plan::repair::learn::Learned;
use crate::plan::repair::options::Options;
use crate::plan::repair::pieces::Pieces;
use crate::plan::simulate::Takes;
use crate::plan::solver::problem::{Object, Problem, Stop, Task, Written};
use crate::plan::trace::{FactChange, Happening, Needs, ObjectTrace, StepStatus, StepTrace};
use crate::plan::world::Phase;

/// A problem, and what its numbers stand for.
#[derive(Clone, Debug, Default)]
pub struct Ground {
    /// The problem.
    pub problem: Problem,
    /// The piece of each task.
    pub tasks: Vec<usize>,
    /// What each object is.
    pub objects: Vec<ObjectId>,
    /// The piece that checks each object.
    pub checks: Vec<usize>,
    /// What each owner of slots is.
    pub owners: Vec<Option<ObjectId>>,
    /// Pieces that are no tasks, each with the piece behind which it stands: what has nothing to do, or cannot begin.
    pub riders: Vec<(Option<usize>, usize)>,
    /// What a weight of one in the problem counts.
    pub unit: i64,
    /// Objects that no check makes good, with the reason.
    pub lost: BTreeMap<ObjectId, String>,
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

/// Most objects that are tried as the first.
const MAX_LEADERS: usize = 3;

/// Most objects that come before a fix together.
const MAX_TOGETHER: usize = 6;

/// Objects that come first: what they need mended is mended for all that comes behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leader {
    fix: usize,
    objects: Vec<ObjectId>,
    /// The pieces that come before the fix.
    first: Vec<usize>,
    /// Those that come behind it, and need none.
    later: Vec<usize>,
}

/// How a problem takes a fix that lasts.
#[derive(Clone, Copy)]
pub(super) enum Lasting<'l> {
    /// It comes behind all that it mends.
    Last,
    /// It comes behind what these objects need.
    First(&'l Leader),
    /// Nobody says where it comes: what no order is below holds for all of them.
    Anywhere(&'l Leader),
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

    /// What lasts: behind what a few objects need, a fix also serves those whose causes come later.
    fn leaders(&self, takes: Takes) -> Vec<Leader> {
        for at in 0..self.run.order.len() {
            let (mut frees, mut mends, is_since_ever) = self.mended(at);
            mends.sort_unstable();
            mends.dedup();
            let Some(fix) = self.run.order.get(at).copied() else { continue };
            if mends.len() < 2 || is_since_ever {
                continue;
            }
            // Who is over soonest lets the others wait for the shortest time.
            let lasts = |object: &ObjectId| -> i64 {
                let positions = self.harm(*object);
                let steps = positions.iter().filter_map(|at| self.run.trace.steps.get(*at));
                steps.filter_map(|step| step.takes).sum()
            };
            frees.sort_by_key(|object| (lasts(object), *object));
            frees.dedup();
            let firsts = frees.iter().take(MAX_LEADERS);
            let mut found: Vec<Leader> = Vec::new();
            for leader in firsts.filter_map(|first| self.leader(takes, (fix, &frees), *first)) {
                if !found.contains(&leader) {
                    found.push(leader);
                }
            }
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// The positions of what makes an object bad.
    fn harm(&self, object: ObjectId) -> Vec<usize> {
        let steps = self.run.trace.steps.iter().enumerate();
        steps.filter(|(_, step)| step.harmed.contains(&object)).map(|(at, _)| at).collect()
    }

    /// An object that comes before a fix, with as many others as it takes for the fix to serve all; none if that is all.
    fn leader(
        &self,
        takes: Takes,
        (fix, frees): (usize, &[ObjectId]),
        first: ObjectId,
    ) -> Option<Leader> {
        let piece = |at: &usize| self.run.order.get(*at).copied();
        let left = self.left_bad(&self.checked);
        let mut objects = vec![first];
        for _ in 0..MAX_TOGETHER {
            let mut before: Vec<usize> =
                objects.iter().flat_map(|object| self.harm(*object)).collect();
            before.sort_unstable();
            before.dedup();
            let all: BTreeSet<usize> = frees.iter().flat_map(|object| self.harm(*object)).collect();
            if before.len() >= all.len() {
                return None;
            }
            let later: Vec<usize> = all.into_iter().filter(|at| !before.contains(at)).collect();
            let place = before.iter().chain(&later).min().copied().unwrap_or_default();
            let mut moved: Vec<usize> = before.iter().filter_map(piece).collect();
            moved.push(fix);
            let mut order: Vec<usize> =
                self.run.order.iter().copied().filter(|piece| !moved.contains(piece)).collect();
            order.splice(place.min(order.len())..place.min(order.len()), moved);
            order.extend(&self.checks);
            let tried = serial(self.given, takes, self.pieces, &order);
            let bad = self.left_bad(&tried);
            if bad.is_subset(&left) && refusals(&tried) <= refusals(&self.checked) {
                return Some(Leader {
                    fix,
                    objects,
                    first: before.iter().filter_map(piece).collect(),
                    later: later.iter().filter_map(piece).collect(),
                });
            }
            let next = frees.iter().find(|one| bad.contains(one) && !objects.contains(one))?;
            objects.push(*next);
        }
        None
    }

    /// The objects of the problem that are not good at the end of a run.
    fn left_bad(&self, run: &Serial) -> BTreeSet<ObjectId> {
        let open = run.trace.objects.iter().filter(|one| one.ends().is_exposed());
        open.map(|one| one.object).filter(|object| self.objects.contains(object)).collect()
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
        let mut ground = Ground {
            objects: self.objects.clone(),
            checks: self.checks.clone(),
            ..Ground::default()
        };
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
            let why = check.map_or_else(String::new, |check| match &check.status {
                StepStatus::Refused(reasons) if !reasons.is_empty() => reasons.join(" "),
                _ => self.standing(&check.vain),
            });
            ground.lost.insert(id, why);
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

    /// The rules of causes, by number.
    fn standing(&self, causes: &[usize]) -> String {
        let causes = causes.iter().filter_map(|cause| self.checked.trace.causes.get(*cause));
        let rules: BTreeSet<String> = causes
            .filter_map(|cause| Some(self.given.set.rules.get(cause.rule)?.id.to_string()))
            .collect();
        rules.into_iter().collect::<Vec<_>>().join(", ")
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

    /// The tasks that a piece waits for: as the user says, over his checks as well, and where both decide about a fact.
    fn waits(&self, piece: usize, at: usize, numbers: &BTreeMap<usize, usize>) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let mut open = vec![piece];
        while let Some(next) = open.pop() {
            let after = self.pieces.step(next).map(|step| step.after.as_slice());
            open.extend(after.unwrap_or_default().iter().filter(|before| seen.insert(**before)));
        }
        for object in self.checked_before(piece) {
            let Some(check) = self.last_check(piece, object) else { continue };
            let breakers = self.run.order.iter().zip(&self.run.trace.steps);
            let earlier = breakers.filter(|(other, step)| {
                let place = self.pieces.written(**other);
                step.harmed.contains(&object)
                    && place.is_some()
                    && place < self.pieces.written(check)
            });
            seen.extend(earlier.map(|(other, _)| *other));
        }
        // What a fix sets is its own affair.
        if self.pieces.written(piece).is_some() {
            seen.extend(self.same_fact(at));
        }
        seen.remove(&piece);
        seen.iter().filter_map(|other| numbers.get(other).copied()).collect()
    }

    /// Objects whose checks a piece waits for, as the user says.
    fn checked_before(&self, piece: usize) -> Vec<ObjectId> {
        let after = self.pieces.step(piece).map(|step| step.after.as_slice()).unwrap_or_default();
        let checks = after.iter().filter_map(|other| self.pieces.checks(self.given.set, *other));
        checks.filter(|object| self.objects.contains(object)).collect()
    }

    fn last_check(&self, piece: usize, object: ObjectId) -> Option<usize> {
        let after = self.pieces.step(piece)?.after.iter().rev().copied();
        after.into_iter().find(|other| self.pieces.checks(self.given.set, *other) == Some(object))
    }

    /// The objects that are good when a piece begins because it waits for their checks, unless another step of the user's
    /// makes them bad in between.
    fn needs_good(&self, piece: usize) -> Vec<usize> {
        let is_good_still = |object: &ObjectId| {
            let check =
                self.last_check(piece, *object).and_then(|check| self.pieces.written(check));
            let here = self.pieces.written(piece);
            let steps = self.run.order.iter().zip(&self.run.trace.steps);
            let mut harmful = steps.filter(|(_, step)| step.harmed.contains(object));
            !harmful.any(|(other, _)| {
                let place = self.pieces.written(*other);
                place > check && place < here
            })
        };
        let objects = self.checked_before(piece).into_iter().filter(is_good_still);
        objects.filter_map(|object| self.number(object)).collect()
    }

    /// The last piece before that gives one of the same facts another value. What is counted up and down, and times, are
    /// the same in any order.
    fn same_fact(&self, at: usize) -> Vec<usize> {
        let protected = self.given.set.protection().map(|(known, _)| known.kind);
        let mut last: BTreeMap<(ObjectId, usize), (usize, &Fact)> = BTreeMap::new();
        let mut found = Vec::new();
        for event in &self.run.trace.events {
            let (Some(step), Happening::Effect) = (event.step, &event.what) else { continue };
            if step > at {
                break;
            }
            for change in &event.changes {
                let FactChange::Field(object, field, _, to) = change else { continue };
                if Some(object.kind) == protected || !is_plain(to) {
                    continue;
                }
                if step == at
                    && let Some((other, value)) = last.get(&(*object, *field))
                    && *other != at
                    && !is_same(value, to)
                {
                    found.push(*other);
                }
                last.insert((*object, *field), (step, to));
            }
        }
        found.iter().filter_map(|position| self.run.order.get(*position).copied()).collect()
    }
}

/// How many pieces of a run cannot begin.
fn refusals(run: &Serial) -> usize {
    let is_refused =
        |step: &&StepTrace| matches!(&step.status, StepStatus::Refused(_) | StepStatus::Never);
    run.trace.steps.iter().filter(is_refused).count()
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

fn is_plain(fact: &Fact) -> bool {
    !matches!(fact, Fact::Known { value: Value::Int(_) | Value::Float(_) | Value::Time(_), .. })
}

fn is_same(one: &Fact, other: &Fact) -> bool {
    match (one, other) {
        (Fact::Known { value: one, .. }, Fact::Known { value: other, .. }) => one.same(other),
        (Fact::Absent(_), Fact::Absent(_)) => true,
        _ => false,
    }
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
