//! What a schedule is worth: it is looked at from outside, by nothing but its times.

use super::problem::Problem;
use super::{at, count};

/// When everything begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// The begin of each task, in the order of the problem.
    pub starts: Vec<i64>,
    /// The checks, by begin.
    pub checks: Vec<Check>,
}

/// A check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Check {
    /// When it begins.
    pub start: i64,
    /// When it is over.
    pub end: i64,
    /// Of which object.
    pub object: usize,
}

/// The worth of a schedule, level by level; on each, less is better. An earlier one decides, unless an aim
/// says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    /// Conditions that do not hold, among them that an object must end good.
    pub violations: i64,
    /// Weight of the objects that are bad at the end.
    pub not_good: i64,
    /// Weighted seconds in which objects are bad, up to the horizon.
    pub exposure: i64,
    /// Checks.
    pub checks: i64,
    /// Entries of the user's order that are inserted, deleted or moved.
    pub distance: i64,
    /// When the last task or check is over.
    pub end: i64,
}

/// What a schedule is worth.
#[must_use]
pub fn value(problem: &Problem, schedule: &Schedule) -> Value {
    let view = View { problem, schedule };
    let mut value = Value {
        violations: view.wrong_times()
            + view.wrong_overlaps()
            + count(too_long(problem, schedule).len()),
        checks: count(schedule.checks.len()),
        distance: distance(problem, schedule),
        end: view.end(),
        ..Value::default()
    };
    for (index, object) in problem.objects.iter().enumerate() {
        let life = view.life(index);
        value.exposure += object.weight * union(&[view.stopped(index), life.bad].concat());
        if life.is_bad_at_end {
            value.not_good += object.weight;
            value.violations += i64::from(object.must_end_good);
        }
    }
    for (index, task) in problem.tasks.iter().enumerate() {
        let start = at(&schedule.starts, index);
        for object in &task.needs_good {
            let bad = view.life(*object).bad;
            let starts_bad = problem.objects.get(*object).is_some_and(|about| about.starts_bad);
            // What it breaks itself at this instant was good until then, unless it always was bad.
            let now = start.max(i64::from(starts_bad));
            let others = problem.tasks.iter().zip(&schedule.starts).enumerate();
            value.violations += count(
                others
                    .filter(|(other, (about, begin))| {
                        *other != index && **begin == start && about.breaks.contains(object)
                    })
                    .count(),
            );
            value.violations += i64::from(bad.iter().any(|(from, to)| *from < now && start < *to));
        }
    }
    value
}

/// The objects that are bad or stopped for longer than they may.
#[must_use]
pub fn too_long(problem: &Problem, schedule: &Schedule) -> Vec<usize> {
    let view = View { problem, schedule };
    let objects = problem.objects.iter().enumerate();
    let mut too_long = Vec::new();
    for (index, most) in objects.filter_map(|(index, object)| Some((index, object.most?))) {
        if union(&[view.stopped(index), view.life(index).bad].concat()) > most {
            too_long.push(index);
        }
    }
    too_long
}

/// The times in which each object is bad.
#[must_use]
pub fn episodes(problem: &Problem, schedule: &Schedule) -> Vec<Vec<(i64, i64)>> {
    let view = View { problem, schedule };
    (0..problem.objects.len()).map(|object| view.life(object).bad).collect()
}

/// The times in which each object is bad or no backup of it can be made; they may overlap.
#[must_use]
pub fn exposed(problem: &Problem, schedule: &Schedule) -> Vec<Vec<(i64, i64)>> {
    let view = View { problem, schedule };
    (0..problem.objects.len())
        .map(|object| [view.life(object).bad, view.stopped(object)].concat())
        .collect()
}

/// How long any of some times lasts.
#[must_use]
pub fn union(times: &[(i64, i64)]) -> i64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    let (mut length, mut over) = (0, i64::MIN);
    for (from, to) in times {
        length += (to - from.max(over)).max(0);
        over = over.max(to);
    }
    length
}

struct View<'a> {
    problem: &'a Problem,
    schedule: &'a Schedule,
}

#[derive(Default)]
struct Life {
    bad: Vec<(i64, i64)>,
    is_bad_at_end: bool,
}

impl View<'_> {
    fn span(&self, task: usize) -> (i64, i64) {
        let start = at(&self.schedule.starts, task);
        (start, start + self.problem.tasks.get(task).map_or(0, |task| task.takes))
    }

    fn tasks(&self) -> impl Iterator<Item = (usize, (i64, i64))> {
        (0..self.problem.tasks.len()).map(|task| (task, self.span(task)))
    }

    fn end(&self) -> i64 {
        let tasks = self.tasks().map(|(_, (_, end))| end);
        tasks.chain(self.schedule.checks.iter().map(|check| check.end)).max().unwrap_or(0)
    }

    /// Whether a check of the object would be in vain if it began now.
    fn is_vain(&self, object: usize, now: i64) -> bool {
        let breaks = |task: usize| {
            self.problem.tasks.get(task).is_some_and(|task| task.breaks.contains(&object))
        };
        let runs =
            self.tasks().any(|(task, (start, end))| breaks(task) && start <= now && now < end);
        let stands = self.problem.tasks.iter().enumerate().any(|(fix, task)| {
            task.frees.contains(&object)
                && self.span(fix).1 > now
                && (task.mends.is_empty()
                    || task.mends.iter().any(|cause| self.span(*cause).0 <= now))
        });
        runs || stands
    }

    /// The times in which no backup of an object can be made, whether it is bad or not.
    fn stopped(&self, object: usize) -> Vec<(i64, i64)> {
        let stops = self.problem.stops.iter().filter(|stop| stop.object == object);
        let times = stops.map(|stop| {
            let from = stop.from.map_or(0, |task| self.span(task).0);
            (from, self.span(stop.to).1.min(self.problem.horizon))
        });
        times.collect()
    }

    fn life(&self, object: usize) -> Life {
        let Some(about) = self.problem.objects.get(object) else { return Life::default() };
        let mut breaks: Vec<i64> = self
            .problem
            .tasks
            .iter()
            .zip(&self.schedule.starts)
            .filter(|(task, _)| task.breaks.contains(&object))
            .map(|(_, start)| *start)
            .collect();
        breaks.sort_unstable();
        let mut checks: Vec<&Check> =
            self.schedule.checks.iter().filter(|check| check.object == object).collect();
        checks.sort_unstable();
        let mut life = Life::default();
        let mut since = about.starts_bad.then_some(0);
        let mut seen = i64::MIN;
        for check in checks {
            let first =
                breaks.iter().copied().find(|start| *start >= seen && *start <= check.start);
            let from = since.or(first).unwrap_or(check.start);
            let is_lost = breaks.iter().any(|start| check.start <= *start && *start < check.end);
            if is_lost || self.is_vain(object, check.start) {
                since = Some(from);
                continue;
            }
            life.bad.push((from, check.end.min(self.problem.horizon)));
            (since, seen) = (None, check.end);
        }
        let last = since.or_else(|| breaks.iter().copied().find(|start| *start >= seen));
        if let Some(from) = last {
            life.bad.push((from, self.problem.horizon));
            life.is_bad_at_end = true;
        }
        life
    }

    fn wrong_times(&self) -> i64 {
        let mut wrong = 0;
        for (index, (start, end)) in self.tasks() {
            if let Some(task) = self.problem.tasks.get(index) {
                wrong += i64::from(start < task.not_before);
                wrong += i64::from(end > self.problem.limit(task));
                wrong += closed(&task.closed, (start, end));
            }
            let any = self.problem.tasks.get(index).map_or(&[][..], |task| task.any_of());
            wrong +=
                i64::from(!any.is_empty() && any.iter().all(|cause| self.span(*cause).1 > start));
            let meets = |cause: &&usize| overlap(self.span(**cause), (start, end));
            wrong += count(any.iter().filter(meets).count());
            let before = self.problem.before(index);
            wrong += count(before.iter().filter(|task| self.span(**task).1 > start).count());
        }
        for check in &self.schedule.checks {
            let object = self.problem.objects.get(check.object);
            let takes = object.map_or(0, |object| object.check);
            wrong += i64::from(check.start < 0 || check.end != check.start + takes);
            wrong += i64::from(check.end > self.problem.checks_until);
            wrong += object.map_or(0, |object| closed(&object.closed, (check.start, check.end)));
        }
        wrong
    }

    /// Each begin that finds all operators or slots taken, and each pair that must not overlap and does.
    fn wrong_overlaps(&self) -> i64 {
        let mut wrong = 0;
        for (index, task) in self.problem.tasks.iter().enumerate() {
            let here = self.span(index);
            let others =
                || self.problem.tasks.iter().enumerate().filter(|(other, _)| *other != index);
            let busy = others().filter(|(other, about)| {
                let (start, end) = self.span(*other);
                about.needs_operator && (start, *other) <= (here.0, index) && here.0 < end
            });
            wrong += i64::from(task.needs_operator && busy.count() >= self.problem.operators);
            wrong += count(
                others()
                    .filter(|(other, about)| {
                        let excludes = task.locks.iter().any(|lock| {
                            about.uses.contains(lock)
                                || (about.locks.contains(lock) && *other > index)
                        });
                        excludes && overlap(here, self.span(*other))
                    })
                    .count(),
            );
            wrong += count(
                self.schedule
                    .checks
                    .iter()
                    .filter(|check| {
                        let uses = self
                            .problem
                            .objects
                            .get(check.object)
                            .map(|object| object.uses.as_slice());
                        let excludes = uses
                            .is_some_and(|uses| task.locks.iter().any(|lock| uses.contains(lock)));
                        excludes && overlap(here, (check.start, check.end))
                    })
                    .count(),
            );
        }
        for (index, check) in self.schedule.checks.iter().enumerate() {
            let owner =
                |check: &Check| self.problem.objects.get(check.object).map(|object| object.owner);
            let running = self.schedule.checks.iter().enumerate().filter(|(other, about)| {
                *other != index
                    && (about.start, *other) <= (check.start, index)
                    && check.start < about.end
            });
            let same = running.filter(|(_, other)| owner(other) == owner(check));
            let slots = owner(check).map_or(0, |owner| at(&self.problem.owners, owner));
            let (mine, all) = same.fold((0, 0), |(mine, all), (_, other)| {
                (mine + i64::from(other.object == check.object), all + 1)
            });
            wrong += mine + i64::from(all >= slots);
        }
        wrong
    }
}

/// Inserted, deleted and moved. What begins together is taken in the user's order; of several checks of
/// one object the last one is the user's last.
#[must_use]
pub fn distance(problem: &Problem, schedule: &Schedule) -> i64 {
    let mut order: Vec<(i64, usize)> = Vec::new();
    let mut inserted = 0;
    for (task, start) in problem.tasks.iter().zip(schedule.starts.iter().copied()) {
        match task.place {
            Some(place) => order.push((start, place)),
            None => inserted += 1,
        }
    }
    let mut deleted = 0;
    let mut checks: Vec<(Vec<usize>, Vec<i64>)> =
        vec![(Vec::new(), Vec::new()); problem.objects.len()];
    for check in &problem.checks {
        if let Some((places, _)) = checks.get_mut(check.object) {
            places.push(check.place);
        }
    }
    for check in &schedule.checks {
        if let Some((_, starts)) = checks.get_mut(check.object) {
            starts.push(check.start);
        }
    }
    for (mut places, mut starts) in checks {
        places.sort_unstable();
        starts.sort_unstable();
        inserted += count(starts.len().saturating_sub(places.len()));
        deleted += count(places.len().saturating_sub(starts.len()));
        order.extend(starts.into_iter().rev().zip(places.into_iter().rev()));
    }
    order.sort_unstable();
    let places: Vec<usize> = order.into_iter().map(|(_, place)| place).collect();
    inserted + deleted + moved(&places)
}

/// The closed times that something runs in.
fn closed(times: &[(i64, i64)], span: (i64, i64)) -> i64 {
    count(times.iter().filter(|closed| closed.0 < closed.1 && overlap(**closed, span)).count())
}

fn overlap(one: (i64, i64), other: (i64, i64)) -> bool {
    one.0 < other.1 && other.0 < one.1
}

/// The fewest entries that have to be taken out and put elsewhere to sort a list: all but its longest
/// increasing subsequence.
#[must_use]
pub fn moved(places: &[usize]) -> i64 {
    // The least last entry of an increasing subsequence of each length.
    let mut last: Vec<usize> = Vec::new();
    for place in places {
        let length = last.partition_point(|entry| entry < place);
        match last.get_mut(length) {
            Some(entry) => *entry = *place,
            None => last.push(*place),
        }
    }
    count(places.len() - last.len())
}
