//! What no schedule can be better than, as sums that anyone can add up.
//!
//! All bounds speak of what is left: tasks that have not begun, and objects that are bad already. So they
//! hold for a whole problem and for the rest of an order in the making.

mod shared;
mod waits;

use super::problem::{Object, Problem, Stop, Task};
use super::run::Facts;
use super::{at, count};

/// A bound, and what it is the sum of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// How it is found.
    pub rule: Rule,
    /// What it adds up.
    pub summands: Vec<Summand>,
    /// The sum.
    pub total: i64,
}

/// How a bound is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// Each object is bad at least while its own tasks run, one after the other, and for a check.
    #[default]
    Alone,
    /// What a task breaks waits for it, for the fixes of its damage and for a slot; the rest as alone.
    Shared(usize),
    /// What is bad at the start waits for fixes and for a slot; the rest as alone.
    AtStart,
    /// Each object that a task breaks which this fix mends is bad while that task, those behind it that the
    /// fix mends, and the fix run; least where the longest for the least weight comes first. Then it
    /// waits for a slot; the rest as alone.
    Mended(usize),
    /// Whichever of the tasks that a fix mends comes first, this one makes the least of it: what it breaks
    /// waits for it, for the fix and for a slot; the rest as alone.
    FirstMended(usize),
    /// Whichever of the shared tasks comes last, this one makes the least of it: what it breaks waits as
    /// for a shared task, and was bad before that while the other shared tasks that break it ran. They ran
    /// before, and one operator does not do two things at once, so these times add.
    LastShared(usize),
    /// Whichever of the shared tasks comes last, it makes the least of it with this other one before it, which
    /// begins so much earlier. If that is less, more objects wait for the slots together; if it is more, those
    /// that both break wait longer.
    Pair {
        /// The other one.
        first: usize,
        /// The last one.
        last: usize,
        /// Seconds between their begins.
        gap: i64,
    },
}

/// A part of a bound: a number of seconds, times a weight where it is one of exposure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summand {
    /// What it stands for.
    pub part: Part,
    /// How much it adds.
    pub amount: i64,
}

/// What a summand stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The object's own tasks and a check.
    Object(usize),
    /// The shared task and the fixes of its damage, for each object that it breaks.
    Lead(usize),
    /// Fixes of what is bad at the start.
    Fixes,
    /// A task that a fix mends, for each object that is broken by it or before it.
    Tail(usize),
    /// The fixes of what several tasks break, for each object.
    Mending(usize),
    /// Another shared task, for each object that both break.
    Other(usize),
    /// The checks that wait for the slots of an owner, shortest first; together with `Lane`, only the
    /// first of them do, and the others run.
    Queue(usize),
    /// The time from the begin of a shared task to that of the last one: for objects that both break, or less
    /// than nothing for those that only the last one does.
    Gap(usize),
    /// Checks between two shared tasks of objects that both break, and checks of what only the first one breaks,
    /// with what they wait for; or, from the first one on, what checks between leave to come.
    Between,
    /// Own tasks of objects that are bad at one time, each as often as it is waited for.
    Lane,
    /// The earliest begin of a task.
    Begin(usize),
    /// What has gone by already.
    Now,
    /// Tasks of which operators do one at a time.
    Work,
    /// The shortest check, or the longest if all of them are waited for.
    Check(usize),
    /// The object's own tasks, before its check.
    Before(usize),
    /// The wait until the closed times of an object's check are over.
    Closed(usize),
}

/// What is still to come.
#[derive(Clone, Copy, Debug)]
pub struct Rest<'a> {
    /// The whole problem.
    pub problem: &'a Problem,
    /// What holds for every order.
    pub facts: &'a Facts,
    /// The tasks that have not begun.
    pub left: &'a [bool],
    /// The objects that are bad.
    pub open: &'a [bool],
    /// The objects that are good at the end of every schedule that counts.
    pub sure: &'a [bool],
    /// How much a second counts in which each object is bad.
    pub weights: &'a [i64],
    /// Whether nothing has begun, so that what is stopped later is stopped from now on.
    pub is_whole: bool,
}

/// How much a second counts in which each object is bad.
#[must_use]
pub fn weights(problem: &Problem) -> Vec<i64> {
    problem.objects.iter().map(|object| object.weight).collect()
}

/// The objects that end good in every schedule that counts: those that must, or all of them if a schedule
/// is known that leaves none bad, since no better one leaves one bad.
#[must_use]
pub fn sure(problem: &Problem, all_good: bool) -> Vec<bool> {
    problem.objects.iter().map(|object| all_good || object.must_end_good).collect()
}

/// What is still to come before anything has begun.
pub(super) struct Whole {
    left: Vec<bool>,
    open: Vec<bool>,
    sure: Vec<bool>,
    weights: Vec<i64>,
}

impl Whole {
    /// All of a problem; with `all_good` only for schedules that leave nothing bad.
    pub(super) fn new(problem: &Problem, all_good: bool) -> Self {
        Self {
            left: vec![true; problem.tasks.len()],
            open: problem.objects.iter().map(|object| object.starts_bad).collect(),
            sure: sure(problem, all_good),
            weights: weights(problem),
        }
    }

    pub(super) fn rest<'a>(&'a self, problem: &'a Problem, facts: &'a Facts) -> Rest<'a> {
        let Self { left, open, sure, weights } = self;
        Rest { problem, facts, left, open, sure, weights, is_whole: true }
    }
}

impl Rest<'_> {
    pub(super) fn task(&self, task: usize) -> Option<&Task> {
        self.problem.tasks.get(task).filter(|_| at(self.left, task))
    }

    pub(super) fn object(&self, object: usize) -> Option<&Object> {
        self.problem.objects.get(object)
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = (usize, &Task)> {
        self.problem.tasks.iter().enumerate().filter(|(task, _)| at(self.left, *task))
    }

    /// The fixes of an object that have not begun.
    fn fixes(&self, object: usize) -> impl Iterator<Item = &Task> {
        let fixes = self.facts.fixes.get(object).into_iter().flatten();
        fixes.filter_map(|fix| self.task(*fix))
    }

    /// The least time in which tasks can all be carried out.
    pub(super) fn load<'t>(&self, tasks: impl Iterator<Item = &'t Task>) -> i64 {
        let (mut longest, mut work) = (0, 0);
        for task in tasks {
            longest = longest.max(task.takes);
            work += if task.needs_operator { task.takes } else { 0 };
        }
        let operators = count(self.problem.operators.max(1));
        longest.max((work + operators - 1) / operators)
    }

    /// Whether a fix that is left lies within a time in which the object is bad: then no check ends that
    /// time before the fix is over.
    fn is_within(&self, fix: &Task, object: usize) -> bool {
        let open = at(self.open, object);
        if !fix.any_of().is_empty() {
            let stands = fix.mends.iter().any(|cause| !at(self.left, *cause));
            return if stands {
                open
            } else {
                self.firsts(fix).all(|(_, first)| first.breaks.contains(&object))
            };
        }
        (open && fix.mends.is_empty())
            || fix.mends.iter().any(|cause| {
                let breaks = self
                    .problem
                    .tasks
                    .get(*cause)
                    .is_some_and(|task| task.breaks.contains(&object));
                breaks && (open || at(self.left, *cause))
            })
    }

    /// The least time for which an object is bad from now on: its tasks and fixes run while it is bad and
    /// not during its checks, of which there is one at least.
    #[must_use]
    pub fn alone(&self, object: usize) -> i64 {
        let Some(about) = self.object(object) else { return 0 };
        let breakers = self.facts.breakers.get(object).into_iter().flatten();
        let fixes = self.facts.fixes.get(object).into_iter().flatten();
        let breaking: Vec<&Task> = breakers.filter_map(|task| self.task(*task)).collect();
        if breaking.is_empty() && !at(self.open, object) {
            return 0;
        }
        let fixing =
            fixes.filter_map(|fix| self.task(*fix)).filter(|fix| self.is_within(fix, object));
        let check = if at(self.sure, object) { about.check } else { 0 };
        self.load(breaking.iter().copied().chain(fixing)) + check
    }

    /// The least time for which an object that nothing has stopped as yet will be: the longest of its stops,
    /// or all tasks that stop or break it while they run.
    #[must_use]
    pub fn stopped(&self, object: usize) -> i64 {
        let stops = || self.facts.stops.get(object).into_iter().flatten();
        let alone = |task: usize| stops().any(|stop| stop.to == task && stop.from == Some(task));
        let tasks =
            self.tasks().filter(|(index, task)| task.breaks.contains(&object) || alone(*index));
        let longest = stops().map(|stop| self.stop(stop)).max();
        longest.map_or(0, |longest| longest.max(self.load(tasks.map(|(_, task)| task))))
    }

    /// The least time from now, or from the begin of a stop that has not begun, to its end: what must come
    /// between runs in it.
    pub(super) fn stop(&self, stop: &Stop) -> i64 {
        let begins = stop.from.filter(|from| at(self.left, *from));
        let between = self.tasks().filter(|(index, _)| {
            let comes_before = |first: usize, then: usize| {
                self.facts.ahead.get(then).is_some_and(|ahead| ahead.contains(&first))
            };
            begins == Some(*index)
                || *index == stop.to
                || (comes_before(*index, stop.to)
                    && begins.is_none_or(|from| comes_before(from, *index)))
        });
        self.load(between.map(|(_, task)| task))
    }

    /// The checks that come at least.
    #[must_use]
    pub fn checks(&self) -> i64 {
        count((0..self.problem.objects.len()).filter(|object| self.needs_check(*object)).count())
    }

    /// Whether the object is checked at least once from now on.
    #[must_use]
    pub fn needs_check(&self, object: usize) -> bool {
        let breakers = self.facts.breakers.get(object).into_iter().flatten();
        at(self.sure, object)
            && (at(self.open, object) || breakers.copied().any(|task| at(self.left, task)))
    }

    /// The objects that a task breaks and that are good in the end.
    fn group(&self, task: &Task) -> Vec<usize> {
        task.breaks.iter().copied().filter(|object| at(self.sure, *object)).collect()
    }

    /// How long a check waits for a task and the fixes of its damage, whichever object it is of.
    pub(super) fn lead(&self, index: usize, group: &[usize]) -> i64 {
        let fixes =
            |object: usize| self.load(self.fixes(object).filter(|fix| self.is_behind(fix, index)));
        let takes = self.task(index).map_or(0, |task| task.takes);
        takes + group.iter().map(|object| fixes(*object)).min().unwrap_or(0)
    }

    fn weight(&self, group: &[usize]) -> i64 {
        group.iter().map(|object| at(self.weights, *object)).sum()
    }

    pub(super) fn others(&self, group: &[usize], summands: &mut Vec<Summand>) {
        for object in (0..self.problem.objects.len()).filter(|object| !group.contains(object)) {
            let stopped = if self.is_whole { self.stopped(object) } else { 0 };
            let amount = at(self.weights, object) * self.alone(object).max(stopped);
            if amount > 0 {
                summands.push(Summand { part: Part::Object(object), amount });
            }
        }
    }

    /// The bound in which all wait for the checks of what is bad now and, if these begin no earlier, for the
    /// fixes that they need.
    #[must_use]
    pub fn at_start(&self, with_fixes: bool) -> Certificate {
        let objects = 0..self.problem.objects.len();
        let group: Vec<usize> =
            objects.filter(|object| at(self.open, *object) && at(self.sure, *object)).collect();
        let fixing = |object: usize| {
            self.fixes(object).filter(|fix| {
                let stands = |cause: &usize| !at(self.left, *cause);
                fix.mends.is_empty() || fix.mends.iter().any(stands)
            })
        };
        let lead = group.iter().map(|object| self.load(fixing(*object))).min().unwrap_or(0);
        let mut summands = Vec::new();
        if with_fixes && lead > 0 {
            summands.push(Summand { part: Part::Fixes, amount: lead * self.weight(&group) });
        }
        let by_operator =
            group.iter().flat_map(|object| fixing(*object)).all(|fix| fix.needs_operator);
        let sides = (with_fixes && by_operator).then_some(1);
        self.queues(&group, sides, &[], &mut summands);
        self.others(&group, &mut summands);
        Certificate::new(Rule::AtStart, summands)
    }

    /// The greatest bound on the weighted time in which objects are bad from now on.
    #[must_use]
    pub fn exposure(&self) -> Certificate {
        let mut alone = Vec::new();
        self.others(&[], &mut alone);
        let mut bounds = vec![Certificate::new(Rule::Alone, alone), self.at_start(true)];
        let shared = self.tasks().filter(|(_, task)| task.breaks.len() > 1);
        bounds.extend(shared.map(|(index, task)| self.shared(index, task, &[])));
        bounds.extend(self.last_shared());
        bounds.extend(self.mended());
        bounds.reverse();
        bounds.into_iter().max_by_key(|bound| bound.total).unwrap_or_default()
    }
}

impl Certificate {
    pub(super) fn new(rule: Rule, summands: Vec<Summand>) -> Self {
        let total = summands.iter().map(|summand| summand.amount).sum();
        Self { rule, summands, total }
    }
}
