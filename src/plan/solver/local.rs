//! Local search: one order after another, each a small change of the best one so far.
//!
//! The numbers that choose the changes begin with a fixed seed, and the work is counted, not timed: the same
//! problem has the same answer everywhere.

use super::aim::Aim;
use super::problem::{Object, Problem};
use super::run::{Episode, Facts, Item, Run, Track};
use super::value::{Schedule, Value, distance, union, value};
use super::{at, count, put, timing};

/// Where every search begins to choose.
const SEED: u64 = 0x5EED_0F0D_D5EE_D001;

/// An order, timed.
#[derive(Clone, Debug)]
pub struct Timed {
    /// The order.
    pub order: Vec<Item>,
    /// What it is worth; what it lacks counts as violated.
    pub value: Value,
}

/// Runs an order, adds the checks that it lacks, and times it: everything early but for the tasks, which
/// come as late as nothing else is later for it.
#[must_use]
pub fn timed<'a>(problem: &'a Problem, facts: &'a Facts, order: &[Item]) -> (Run<'a>, Vec<i64>) {
    let mut track = Track::new(problem, facts);
    let starts = track_on(problem, &mut track, order);
    (track.run, starts)
}

fn track_on(problem: &Problem, track: &mut Track, order: &[Item]) -> Vec<i64> {
    track.follow(order);
    let mut bad: Vec<usize> = track.run.open().map(|episode| episode.object).collect();
    bad.sort_by_key(|object| {
        (problem.objects.get(*object).map_or(0, |object| object.check), *object)
    });
    for object in bad {
        let item = Item::Check(object);
        if track.run.allows(item) {
            track.put(item);
        }
    }
    settle(&track.run)
}

fn settle(run: &Run) -> Vec<i64> {
    let mut starts = run.early();
    let mut latest: Vec<Option<i64>> = vec![None; starts.len()];
    for index in (0..starts.len()).rev() {
        let Some(line) = run.lines().get(index) else { continue };
        if let (Item::Task(_), Some(late)) = (line.item, at(&latest, index)) {
            put(&mut starts, index, late.min(line.late).max(line.early));
        }
        let start = at(&starts, index);
        for (other, gap) in run.waits(index) {
            let late = at(&latest, *other).map_or(start - gap, |late| late.min(start - gap));
            put(&mut latest, *other, Some(late));
        }
    }
    starts
}

/// What a run is worth with these times.
#[must_use]
pub fn worth(problem: &Problem, run: &Run, starts: &[i64]) -> Value {
    let missing = (0..problem.tasks.len()).filter(|task| run.line_of(*task).is_none()).count();
    let mut value =
        Value { violations: count(missing), checks: count(run.ended().len()), ..Value::default() };
    let begin = |line: Option<usize>| line.map_or(0, |line| at(starts, line));
    let open: Vec<Episode> = run.open().collect();
    for episode in run.ended().iter().chain(&open) {
        let Some(object) = problem.objects.get(episode.object) else { continue };
        let time = bad(problem, episode, object, &begin);
        if !run.is_stopped(episode.object) {
            value.exposure += object.weight * (time.1 - time.0);
        }
        if episode.to.is_none() {
            value.not_good += object.weight;
            value.violations += i64::from(object.must_end_good);
        }
    }
    for (index, object) in problem.objects.iter().enumerate() {
        if run.is_stopped(index) || object.most.is_some() {
            let exposed = exposed(problem, run, starts, index);
            value.exposure += if run.is_stopped(index) { object.weight * exposed } else { 0 };
            value.violations += i64::from(object.most.is_some_and(|most| exposed > most));
        }
    }
    let ends = run.lines().iter().zip(starts).map(|(line, start)| start + line.takes);
    value.end = ends.max().unwrap_or(0);
    if value.violations == 0 {
        value.distance = distance(problem, &run.schedule(starts));
    }
    value
}

/// When an object is bad.
fn bad(
    problem: &Problem,
    episode: &Episode,
    object: &Object,
    begin: &impl Fn(Option<usize>) -> i64,
) -> (i64, i64) {
    let to = if episode.to.is_some() { begin(episode.to) + object.check } else { problem.horizon };
    (begin(episode.from), to)
}

/// How long an object is bad or stopped.
fn exposed(problem: &Problem, run: &Run, starts: &[i64], index: usize) -> i64 {
    let Some(object) = problem.objects.get(index) else { return 0 };
    let begin = |line: Option<usize>| line.map_or(0, |line| at(starts, line));
    let open: Vec<Episode> = run.open().collect();
    let mine = run.ended().iter().chain(&open).filter(|episode| episode.object == index);
    let mut times: Vec<(i64, i64)> =
        mine.map(|episode| bad(problem, episode, object, &begin)).collect();
    times.extend(run.stopped(index, starts));
    union(&times)
}

/// Times an order and says what it is worth.
#[must_use]
pub fn rate(problem: &Problem, facts: &Facts, order: &[Item]) -> Timed {
    rate_on(problem, &mut Track::new(problem, facts), order)
}

fn rate_on(problem: &Problem, track: &mut Track, order: &[Item]) -> Timed {
    let starts = track_on(problem, track, order);
    let run = &track.run;
    let value = worth(problem, run, &starts);
    // What did not fit stays in the order, behind what did.
    let mut kept: Vec<Item> = run.lines().iter().map(|line| line.item).collect();
    if value.violations > 0 {
        kept.extend(order.iter().filter(|item| match item {
            Item::Task(task) => run.line_of(*task).is_none(),
            Item::Check(object) => run.is_bad(*object),
        }));
    }
    Timed { order: kept, value }
}

/// The best times of an order, if all of it fits.
#[must_use]
pub fn finish(
    problem: &Problem,
    facts: &Facts,
    order: &[Item],
    aim: Aim,
) -> Option<(Value, Schedule)> {
    let (run, starts) = timed(problem, facts, order);
    let weights: Vec<i64> = problem.objects.iter().map(|object| object.weight).collect();
    let best = timing::best(&run, &weights, problem.horizon);
    let all = [Some(starts), best, Some(run.early())].into_iter().flatten().map(|starts| {
        let schedule = run.schedule(&starts);
        (value(problem, &schedule), schedule)
    });
    let is_whole = (0..problem.tasks.len()).all(|task| run.line_of(task).is_some());
    let fit = all.filter(|(value, _)| is_whole && value.violations == 0);
    fit.min_by(|one, other| one.0.compare(&other.0, aim))
}

/// Whether all of an order fits, with the earliest times.
#[must_use]
pub fn finish_early(problem: &Problem, facts: &Facts, order: &[Item]) -> bool {
    let (run, _) = timed(problem, facts, order);
    worth(problem, &run, &run.early()).violations == 0
}

/// Changes an order until the work is used up; what it comes to is no worse.
#[must_use]
pub fn improve(problem: &Problem, facts: &Facts, from: Timed, aim: Aim, work: u64) -> Timed {
    let mut best = from;
    let mut dice = Dice(SEED);
    let mut track = Track::new(problem, facts);
    // Times are made for all of an order, however much of it was run before.
    let each = u64::try_from(best.order.len() / 4 + 1).unwrap_or(u64::MAX);
    let mut tries = 0;
    while track.work + tries * each < work {
        tries += 1;
        let Some(order) = change(problem, facts, &best.order, &mut dice) else { break };
        let next = rate_on(problem, &mut track, &order);
        if next.value.compare(&best.value, aim).is_le() {
            best = next;
        }
    }
    best
}

/// Puts one entry, an object with all that is its own, or a run of entries elsewhere.
fn change(problem: &Problem, facts: &Facts, order: &[Item], dice: &mut Dice) -> Option<Vec<Item>> {
    if order.len() < 2 {
        return None;
    }
    let mut next = order.to_vec();
    let taken: Vec<Item> = match dice.below(5) {
        0 => vec![next.remove(dice.below(next.len()))],
        1 => {
            let from = dice.below(next.len());
            let to = (from + 2 + dice.below(4)).min(next.len());
            next.drain(from..to).collect()
        }
        2 => {
            // An object's own tasks with a check more, so that it is good again before what is shared.
            let object = dice.below(problem.objects.len().max(1));
            let own = |item: &Item| matches!(item, Item::Task(task) if is_own(problem, facts, *task, object));
            let mut taken: Vec<Item> = next.iter().copied().filter(|item| own(item)).collect();
            next.retain(|item| !own(item));
            taken.push(Item::Check(object));
            taken
        }
        kind => {
            let object = dice.below(problem.objects.len().max(1));
            let own = |item: &Item| match item {
                Item::Check(other) => *other == object,
                Item::Task(task) => kind == 3 && is_own(problem, facts, *task, object),
            };
            let taken = next.iter().copied().filter(|item| own(item)).collect();
            next.retain(|item| !own(item));
            taken
        }
    };
    // Mostly not far away, sometimes anywhere.
    let place = dice.below(next.len() + 1);
    let tail = next.split_off(place.min(next.len()));
    next.extend(taken);
    next.extend(tail);
    Some(next)
}

fn is_own(problem: &Problem, facts: &Facts, task: usize, object: usize) -> bool {
    facts.breakers.get(object).is_some_and(|breakers| breakers.contains(&task))
        && problem.tasks.get(task).is_some_and(|task| task.breaks.len() == 1)
}

/// Numbers that look random and are not.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let count = u64::try_from(count.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.0 % count).unwrap_or(0)
    }
}
