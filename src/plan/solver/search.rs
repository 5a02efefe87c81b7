//! Branch and bound over all orders.
//!
//! A node is an order in which nothing begins before what stands before it; its children put one more task
//! or check behind it, on each operator or slot that is worth trying. Every schedule in which no check is
//! needless or in vain lies below one leaf: sort it by begin, and its conditions are those of that order. A
//! schedule with such a check is no better than the same one without it. The best times of a leaf are found
//! exactly, and each leaf can check an object as often as it is bad, so that the walk is complete for every
//! problem: for several operators, locks, waits for good objects and gaps that are worth two checks too.
//!
//! Closed times leave several spells to begin in. A child names one of them, so that the conditions of its
//! order remain such that one thing begins some time after another.
//!
//! A node is left when its bounds, level by level, are no better than the best value known. Bounds of
//! different levels may come from different schedules: if one below the node were better, first on some
//! level, then the bounds before that level would be equal, and on it less.
//!
//! Of objects that are alike in everything, the one with the lower number comes first; swapping their names
//! changes nothing but the distance. Where that could be told apart, distance and end are not proven.

mod limits;

use std::cmp::Ordering;

use super::aim::Aim;
use super::bound::weights;
use super::problem::Problem;
use super::run::{Episode, Facts, Item, Run};
use super::timing;
use super::value::{Schedule, Value, too_long, value};
use super::{alike, at, put};

/// A walk through the orders of a problem.
pub struct Search<'a> {
    problem: &'a Problem,
    facts: &'a Facts,
    run: Run<'a>,
    /// The longest waits from each line to each later one.
    rows: Vec<Vec<i64>>,
    left: Vec<bool>,
    weights: Vec<i64>,
    /// The weights of the objects that are never stopped, zero for the others.
    plain: Vec<i64>,
    /// The objects that are stopped at times.
    stopped: Vec<usize>,
    /// The objects that may be exposed for so long at most.
    limited: Vec<(usize, i64)>,
    /// Whether some steps or times were left out.
    is_cut: bool,
    /// The lower numbers among the objects that are like each object.
    twins: Vec<Vec<usize>>,
    aim: Aim,
    budget: u64,
    /// Whether the first order that fits is enough.
    is_first_enough: bool,
    /// Whether distance and end are left open, because objects that are alike are taken by number.
    pub leaves_distance: bool,
    /// Nodes looked at.
    pub nodes: u64,
    /// The best that is known.
    pub best: Option<(Value, Schedule)>,
}

/// What can come next, with what it is worth at best.
struct Child {
    bound: Value,
    early: i64,
    step: Step,
}

/// What comes next: on which machine, and between which first and last begin.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Step {
    item: Item,
    machine: Option<usize>,
    spell: (i64, i64),
    /// The objects whose last span is over by then.
    apart: Vec<usize>,
}

/// Of so many objects at most, all ways are tried in which their spans can be apart or not.
const UNSURE: usize = 6;

impl<'a> Search<'a> {
    /// A walk that looks for something better than what is known.
    #[must_use]
    pub fn new(
        problem: &'a Problem,
        facts: &'a Facts,
        best: Option<(Value, Schedule)>,
        aim: Aim,
    ) -> Self {
        let (twins, leaves_distance) = alike::order(problem, aim);
        let mut plain = weights(problem);
        let stopped: Vec<usize> = problem.stops.iter().map(|stop| stop.object).collect();
        for object in &stopped {
            put(&mut plain, *object, 0);
        }
        let objects = 0..problem.objects.len();
        let stopped = objects.filter(|object| stopped.contains(object)).collect();
        Self {
            problem,
            facts,
            run: Run::new(problem, facts, true),
            rows: Vec::new(),
            left: vec![true; problem.tasks.len()],
            weights: weights(problem),
            plain,
            stopped,
            limited: problem
                .objects
                .iter()
                .enumerate()
                .filter_map(|(index, object)| Some((index, object.most?)))
                .collect(),
            is_cut: false,
            twins,
            is_first_enough: false,
            leaves_distance,
            aim,
            budget: 0,
            nodes: 0,
            best,
        }
    }

    /// Looks at as many nodes; true if that were all, so that nothing is better than the best.
    pub fn walk(&mut self, budget: u64) -> bool {
        self.budget = budget;
        self.visit() && !self.is_cut
    }

    /// Looks for any order that fits; true if there is none below as many nodes and nothing is left out.
    pub fn walk_to_first(&mut self, budget: u64) -> bool {
        self.is_first_enough = true;
        self.walk(budget)
    }

    fn visit(&mut self) -> bool {
        if self.is_leaf() {
            self.offer();
            if self.is_first_enough && self.best.is_some() {
                return false;
            }
        }
        let mut children = Vec::new();
        for step in self.steps() {
            if self.nodes >= self.budget {
                return false;
            }
            self.nodes += 1;
            if let Some(child) = self.child(step) {
                children.push(child);
            }
        }
        let aim = self.aim;
        children.sort_by(|one, other| {
            let bounds = one.bound.compare(&other.bound, aim);
            bounds.then_with(|| (one.early, one.step.item).cmp(&(other.early, other.step.item)))
        });
        for child in children {
            if self.is_hopeless(&child.bound) {
                break;
            }
            let Some(undo) = self.enter(&child.step) else { continue };
            let is_whole = self.visit();
            self.rows.pop();
            self.leave(child.step.item);
            self.run.pop(undo);
            if !is_whole {
                return false;
            }
        }
        true
    }

    fn enter(&mut self, step: &Step) -> Option<super::run::Undo> {
        let undo = self.run.push_within(step.item, step.machine, &[step.spell], &step.apart)?;
        let line = self.run.lines().len() - 1;
        let mut row = vec![0; line + 1];
        for (other, gap) in self.run.waits(line) {
            for (from, length) in self.rows.get(*other).into_iter().flatten().enumerate() {
                if let Some(longest) = row.get_mut(from) {
                    *longest = (length + gap).max(*longest);
                }
            }
        }
        self.rows.push(row);
        if let Item::Task(task) = step.item {
            put(&mut self.left, task, false);
        }
        Some(undo)
    }

    fn leave(&mut self, item: Item) {
        if let Item::Task(task) = item {
            put(&mut self.left, task, true);
        }
    }

    fn child(&mut self, step: Step) -> Option<Child> {
        let undo = self.enter(&step)?;
        let early = self.run.lines().last().map_or(0, |line| line.early);
        let bound = self.bound();
        self.rows.pop();
        self.leave(step.item);
        self.run.pop(undo);
        let bound = bound.filter(|bound| !self.is_hopeless(bound))?;
        Some(Child { bound, early, step })
    }

    fn is_hopeless(&self, bound: &Value) -> bool {
        let best = self.best.as_ref();
        best.is_some_and(|(best, _)| bound.compare(best, self.aim) != Ordering::Less)
    }

    /// What may come next, on each machine and in each spell that is worth trying.
    fn steps(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for item in self.items() {
            let ways = self.ways(item);
            for machine in self.run.choices(item) {
                for spell in self.run.spells(item).iter().copied() {
                    let steps_of = ways.iter().cloned();
                    steps.extend(steps_of.map(|apart| Step { item, machine, spell, apart }));
                }
            }
        }
        steps
    }

    /// Each choice of the objects whose last span is over when something begins that may or may not wait
    /// for it.
    fn ways(&mut self, item: Item) -> Vec<Vec<usize>> {
        if self.stopped.is_empty() {
            return vec![Vec::new()];
        }
        let (_, mut unsure) = self.run.apart(item);
        self.is_cut |= unsure.len() > UNSURE;
        unsure.truncate(UNSURE);
        let mut ways: Vec<Vec<usize>> = vec![Vec::new()];
        for object in unsure {
            let mut with = ways.clone();
            for way in &mut with {
                way.push(object);
            }
            ways.extend(with);
        }
        ways
    }

    /// What may come next.
    fn items(&self) -> Vec<Item> {
        let tasks = (0..self.problem.tasks.len()).map(Item::Task);
        let checks = (0..self.problem.objects.len()).map(Item::Check);
        let items = tasks.chain(checks).filter(|item| self.run.allows(*item));
        items.filter(|item| self.is_first(*item) && self.is_sorted(*item)).collect()
    }

    /// Whether the task and the one right before it are in the user's order, if they can be swapped. What
    /// is sorted is no worse: the time of both together is the same, and no less is left where it was.
    fn is_sorted(&self, item: Item) -> bool {
        let last = self.run.lines().last().map(|line| line.item);
        let (Item::Task(task), Some(Item::Task(last))) = (item, last) else { return true };
        let place = |task: usize| {
            let place = self.problem.tasks.get(task).and_then(|task| task.place);
            (place.unwrap_or(usize::MAX), task)
        };
        let can_be_swapped = self.facts.swaps.get(task).is_some_and(|swaps| swaps.contains(&last));
        !can_be_swapped || place(last) < place(task)
    }

    /// Whether no object that is like this one, and has a lower number, is as untouched as this one.
    fn is_first(&self, item: Item) -> bool {
        let object = match item {
            Item::Check(object) => Some(object),
            Item::Task(task) => {
                self.problem.tasks.get(task).and_then(|task| match task.breaks.as_slice() {
                    [only] => Some(*only),
                    _ => None,
                })
            }
        };
        let Some(object) = object else { return true };
        let twins = self.twins.get(object).map_or(&[][..], Vec::as_slice);
        twins.is_empty()
            || !self.is_untouched(object)
            || !twins.iter().any(|twin| self.is_untouched(*twin))
    }

    fn is_untouched(&self, object: usize) -> bool {
        let breakers = self.facts.breakers.get(object).into_iter().flatten();
        let mut own = breakers.filter(|task| {
            self.problem.tasks.get(**task).is_some_and(|task| task.breaks.len() == 1)
        });
        !self.run.is_checked(object) && own.all(|task| at(&self.left, *task))
    }

    fn is_leaf(&self) -> bool {
        let must = |open: Episode| {
            self.problem.objects.get(open.object).is_some_and(|object| object.must_end_good)
        };
        !self.left.contains(&true) && !self.run.open().any(must)
    }

    /// Other times for the objects that the last ones leave exposed for too long; false if no times help.
    ///
    /// That an object is bad once is a condition that timing keeps. If it is so several times, only their sum
    /// can be too long; then other times may keep it, of which only those that are best for it are tried.
    fn retime(&mut self, times: &mut Vec<Vec<i64>>) -> bool {
        let problem = self.problem;
        let over = |run: &Run, starts: &[i64]| too_long(problem, &run.schedule(starts));
        let objects = times.last().map(|starts| over(&self.run, starts)).unwrap_or_default();
        for object in objects {
            let mut alone = vec![0; self.weights.len()];
            put(&mut alone, object, 1);
            let starts = timing::best(&self.run, &alone, self.problem.horizon);
            let Some(starts) = starts.filter(|starts| !over(&self.run, starts).contains(&object))
            else {
                return false;
            };
            self.is_cut = true;
            times.push(starts);
        }
        true
    }

    /// Times the order, and keeps it if it is better.
    fn offer(&mut self) {
        let Some(starts) = timing::best(&self.run, &self.weights, self.problem.horizon) else {
            return;
        };
        let mut times = vec![self.run.early(), starts];
        if !self.limited.is_empty() && !self.retime(&mut times) {
            return;
        }
        for starts in times.into_iter().rev() {
            let schedule = self.run.schedule(&starts);
            let value = value(self.problem, &schedule);
            if value.violations == 0 && !self.is_hopeless(&value) {
                self.best = Some((value, schedule));
            }
        }
    }
}
