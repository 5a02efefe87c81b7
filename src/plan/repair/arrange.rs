//! From times to a plan: steps in an order that gives these times, and explicit waits only where the order does not say it.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::Plan;
use crate::plan::repair::ground::Ground;
use crate::plan::repair::pieces::{Draft, Entry, Pieces};
use crate::plan::solver::Schedule;
use crate::plan::solver::problem::Task;
use crate::plan::solver::value::value;
use crate::rule::pack::RuleSet;

/// A task or check with its times.
#[derive(Clone, Copy, Debug)]
struct Item {
    piece: usize,
    start: i64,
    end: i64,
    /// The task, or the object that is checked.
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Task(usize),
    Check(usize),
}

/// A draft that gives the times of a schedule. Where an order alone would let steps overtake each other, `is_strict` ties each
/// to the one that it takes its operator from.
pub(super) fn arrange(
    plan: &Plan,
    set: &RuleSet,
    pieces: &mut Pieces,
    ground: &Ground,
    schedule: &Schedule,
    is_strict: bool,
) -> Draft {
    let schedule = sooner(ground, schedule);
    let items = items(set, pieces, ground, &schedule);
    let arranged = Arranged { plan, pieces, ground, items: &items };
    let order = if plan.is_ordered { arranged.in_order() } else { arranged.by_begin() };
    let mut entries: Vec<Entry> = Vec::new();
    for (place, item) in order.iter().enumerate() {
        let before = order.get(..place).unwrap_or_default();
        entries.push(arranged.entry(item, before, is_strict));
    }
    for (behind, piece) in &ground.riders {
        let at = rider_place(pieces, &entries, *piece).or_else(|| match behind {
            Some(behind) => {
                entries.iter().position(|entry| entry.piece == *behind).map(|at| at + 1)
            }
            None => Some(0),
        });
        let mut at = at.unwrap_or(entries.len());
        // Those behind one piece keep their order.
        let is_rider = |entry: &Entry| ground.riders.iter().any(|(_, rider)| *rider == entry.piece);
        while entries.get(at).is_some_and(is_rider) {
            at += 1;
        }
        let known: BTreeSet<usize> = entries.iter().map(|entry| entry.piece).collect();
        let after = pieces.step(*piece).map(|step| step.after.clone()).unwrap_or_default();
        let after = after.into_iter().filter(|other| known.contains(other)).collect();
        let not_before = pieces.step(*piece).and_then(|step| step.not_before);
        entries.insert(at, Entry { piece: *piece, after, not_before });
    }
    Draft { entries, has_blocks: false }
}

/// Where a piece stands that is no task: behind the last of what stood before it in the user's plan, checks among it, and
/// behind what it waits for.
fn rider_place(pieces: &Pieces, entries: &[Entry], piece: usize) -> Option<usize> {
    let place = pieces.written(piece)?;
    let before = |entry: &Entry| pieces.written(entry.piece).filter(|other| *other < place);
    let nearest = entries.iter().filter_map(before).max();
    let after = pieces.step(piece).map(|step| step.after.as_slice()).unwrap_or_default();
    let is_before = |entry: &Entry| {
        after.contains(&entry.piece)
            || (nearest.is_some() && pieces.written(entry.piece) == nearest)
    };
    entries.iter().rposition(is_before).map(|at| at + 1)
}

/// The same schedule with all that need not wait as early as its operator is free: a wait that brings nothing confuses.
fn sooner(ground: &Ground, schedule: &Schedule) -> Schedule {
    let problem = &ground.problem;
    let mut best = schedule.clone();
    let worth = value(problem, &best);
    let mut order: Vec<usize> = (0..problem.tasks.len()).collect();
    order.sort_by_key(|task| schedule.starts.get(*task).copied());
    if problem.operators != 1 {
        return best;
    }
    let mut free = 0;
    for task in order {
        let Some(about) = problem.tasks.get(task).filter(|task| task.needs_operator) else {
            continue;
        };
        let Some(start) = best.starts.get(task).copied() else { continue };
        let early = free.max(about.not_before);
        if early < start {
            let mut tried = best.clone();
            if let Some(place) = tried.starts.get_mut(task) {
                *place = early;
            }
            let now = value(problem, &tried);
            if now.violations <= worth.violations
                && now.exposure <= worth.exposure
                && now.not_good <= worth.not_good
                && now.distance <= worth.distance
            {
                best = tried;
            }
        }
        free = best.starts.get(task).copied().unwrap_or(start) + about.takes;
    }
    best
}

fn items(set: &RuleSet, pieces: &mut Pieces, ground: &Ground, schedule: &Schedule) -> Vec<Item> {
    let tasks = ground.tasks.iter().zip(&schedule.starts).enumerate();
    let mut items: Vec<Item> = tasks
        .map(|(task, (piece, start))| {
            let takes = ground.problem.tasks.get(task).map_or(0, |task| task.takes);
            Item { piece: *piece, start: *start, end: start + takes, what: What::Task(task) }
        })
        .collect();
    for (object, id) in ground.objects.iter().enumerate() {
        let mut made: Vec<_> =
            schedule.checks.iter().filter(|check| check.object == object).collect();
        made.sort_by_key(|check| std::cmp::Reverse(check.start));
        // The user's last check is the last one here, too.
        let is_its = |piece: &usize| pieces.checks(set, *piece) == Some(*id);
        let mut own: Vec<usize> = (0..pieces.all.len()).filter(is_its).collect();
        own.sort_by_key(|piece| (pieces.written(*piece).is_none(), *piece));
        let written = own.iter().filter(|piece| pieces.written(**piece).is_some()).count();
        let (users, more) = own.split_at(written);
        let mut all: Vec<usize> = users.iter().rev().chain(more).copied().collect();
        while all.len() < made.len() {
            let Some(piece) = pieces.add_check(set, *id) else { break };
            all.push(piece);
        }
        for (check, piece) in made.into_iter().zip(all) {
            let what = What::Check(object);
            items.push(Item { piece, start: check.start, end: check.end, what });
        }
    }
    items.sort_by_key(|item| {
        (item.start, pieces.written(item.piece).unwrap_or(usize::MAX), item.piece)
    });
    items
}

struct Arranged<'a> {
    plan: &'a Plan,
    pieces: &'a Pieces,
    ground: &'a Ground,
    items: &'a [Item],
}

impl Arranged<'_> {
    fn task(&self, item: &Item) -> Option<&Task> {
        match item.what {
            What::Task(task) => self.ground.problem.tasks.get(task),
            What::Check(_) => None,
        }
    }

    fn takes_operator(&self, item: &Item) -> bool {
        self.task(item).is_some_and(|task| task.needs_operator)
    }

    /// Whether a check comes behind a task because of what that does.
    fn is_needed(&self, task: &Item, check: usize) -> bool {
        let Some(about) = self.task(task) else { return false };
        let uses = self.ground.problem.objects.get(check).map(|object| object.uses.as_slice());
        about.breaks.contains(&check)
            || about.frees.contains(&check)
            || about.locks.iter().any(|lock| uses.unwrap_or_default().contains(lock))
    }

    /// By begin; in a plan in which nothing begins behind an operator's step that is not over, checks stand behind the last
    /// step that they need and no later.
    fn in_order(&self) -> Vec<Item> {
        let mut order: Vec<Item> =
            self.items.iter().copied().filter(|item| self.takes_operator(item)).collect();
        let mut last = 0;
        for item in self.items.iter().filter(|item| !self.takes_operator(item)) {
            let needed = order.iter().rposition(|other| match item.what {
                What::Check(object) => other.end <= item.start && self.is_needed(other, object),
                What::Task(_) => other.end <= item.start,
            });
            let mut at = needed.map_or(0, |at| at + 1).max(last);
            // Behind what begins before it and is over by then, so that the order of the file is that of time.
            while order
                .get(at)
                .is_some_and(|other| other.end <= item.start && other.start < item.start)
            {
                at += 1;
            }
            order.insert(at.min(order.len()), *item);
            last = at + 1;
        }
        order
    }

    fn by_begin(&self) -> Vec<Item> {
        self.items.to_vec()
    }

    fn entry(&self, item: &Item, before: &[Item], is_strict: bool) -> Entry {
        let here: BTreeSet<usize> = before.iter().map(|other| other.piece).collect();
        let all: BTreeMap<usize, &Item> =
            self.items.iter().map(|other| (other.piece, other)).collect();
        let step = self.pieces.step(item.piece);
        // What the user says holds, as far as it can.
        let own = step.map(|step| step.after.as_slice()).unwrap_or_default().iter().copied();
        let mut after: Vec<usize> = own
            .filter(|piece| {
                all.get(piece).is_some_and(|other| other.end <= item.start)
                    || (here.contains(piece) && !all.contains_key(piece))
            })
            .collect();
        let mut not_before =
            step.and_then(|step| step.not_before).filter(|time| *time <= item.start);
        let mut needed: Vec<&Item> = match item.what {
            What::Check(object) => before
                .iter()
                .filter(|other| other.end <= item.start && self.is_needed(other, object))
                .filter(|other| !self.plan.is_ordered || !self.takes_operator(other))
                .collect(),
            What::Task(task) => self.checks_before(item, task, before),
        };
        if let What::Task(task) = item.what
            && !self.plan.is_ordered
        {
            needed.extend(self.tasks_before(item, task, before));
            if is_strict && self.takes_operator(item) {
                needed.extend(
                    before
                        .iter()
                        .rev()
                        .find(|other| self.takes_operator(other) && other.end <= item.start),
                );
            }
        }
        for other in needed {
            if !after.contains(&other.piece) && !self.is_implied(other.piece, &after) {
                after.push(other.piece);
            }
        }
        if let What::Task(_) = item.what {
            let lane = before.iter().filter(|other| self.takes_operator(other));
            let lane = lane.map(|other| other.end).max().filter(|_| self.plan.is_ordered);
            let waits =
                after.iter().filter_map(|piece| all.get(piece)).map(|other| other.end).max();
            let natural = lane.max(waits).max(not_before).unwrap_or(0).max(0);
            if self.takes_operator(item) && self.plan.is_ordered && item.start > natural {
                // An event is better than a clock time, which knows nothing of what is quicker than thought.
                let event = before.iter().find(|other| other.end == item.start);
                match event {
                    Some(event) => after.push(event.piece),
                    None => not_before = Some(item.start),
                }
            }
        }
        after.sort_unstable();
        Entry { piece: item.piece, after, not_before }
    }

    /// Whether a piece is over anyway when others are.
    fn is_implied(&self, piece: usize, after: &[usize]) -> bool {
        after
            .iter()
            .any(|other| self.pieces.step(*other).is_some_and(|step| step.after.contains(&piece)))
    }

    /// The checks that a task would spoil, break off or come too early for.
    fn checks_before<'i>(&self, item: &Item, task: usize, before: &'i [Item]) -> Vec<&'i Item> {
        let Some(about) = self.ground.problem.tasks.get(task) else { return Vec::new() };
        let mut last: BTreeMap<usize, &Item> = BTreeMap::new();
        for other in before {
            if let What::Check(object) = other.what
                && other.end <= item.start
                && (self.is_needed(item, object) || about.needs_good.contains(&object))
            {
                last.insert(object, other);
            }
        }
        last.into_values().collect()
    }

    /// The tasks that must be over before another in every order.
    fn tasks_before<'i>(&self, item: &Item, task: usize, before: &'i [Item]) -> Vec<&'i Item> {
        let all = self.ground.problem.before(task);
        let is_one = |other: &&Item| match other.what {
            What::Task(other_task) => other.end <= item.start && all.contains(&other_task),
            What::Check(_) => false,
        };
        before.iter().filter(is_one).collect()
    }
}
