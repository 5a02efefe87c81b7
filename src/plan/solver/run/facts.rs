//! What holds for every order of a problem, found once.

use crate::plan::solver::problem::{Problem, Stop, Task};

/// What holds for every order of a problem, found once.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What must be over before each task begins.
    pub before: Vec<Vec<usize>>,
    /// The tasks that break each object.
    pub breakers: Vec<Vec<usize>>,
    /// The fixes that free each object.
    pub fixes: Vec<Vec<usize>>,
    /// The tasks that each task cannot overlap because of what they lock, or because one mends the other.
    pub excluded: Vec<Vec<usize>>,
    /// The tasks that a check of each object cannot overlap because of what they lock.
    pub shut: Vec<Vec<usize>>,
    /// Objects that a task does not break, but for which it opens what a fix has to mend, behind that fix.
    pub opens: Vec<Vec<(usize, usize)>>,
    /// Whether some task must find the object good.
    pub looked_at: Vec<bool>,
    /// The tasks that may as well be swapped with each task if they run one right after the other.
    pub swaps: Vec<Vec<usize>>,
    /// Whether a task locks what some check uses.
    pub shuts: Vec<bool>,
    /// The first and last begins of each task that its closed times, its limit and the window leave.
    pub task_spells: Vec<Vec<(i64, i64)>>,
    /// The same for a check of each object.
    pub check_spells: Vec<Vec<(i64, i64)>>,
    /// What is over before each task begins, whatever lies between; only where there are stops.
    pub ahead: Vec<Vec<usize>>,
    /// The stops of each object.
    pub stops: Vec<Vec<Stop>>,
}

/// The first and last begins of what takes some time, begins and is over within some, and keeps off others.
fn spells(takes: i64, from: i64, limit: i64, closed: &[(i64, i64)]) -> Vec<(i64, i64)> {
    let mut closed: Vec<(i64, i64)> =
        closed.iter().copied().filter(|(from, to)| from < to).collect();
    closed.sort_unstable();
    let (mut spells, mut open) = (Vec::new(), from);
    for (shut, opens) in closed {
        if shut - takes >= open {
            spells.push((open, (shut - takes).min(limit - takes)));
        }
        open = open.max(opens);
    }
    spells.push((open, limit - takes));
    spells.retain(|(first, last)| first <= last);
    spells
}

/// The first begin that closed times leave to what takes some time, from an instant on.
#[must_use]
pub(in crate::plan::solver) fn opening(takes: i64, from: i64, closed: &[(i64, i64)]) -> i64 {
    let mut first = from;
    loop {
        let shut = closed
            .iter()
            .filter(|(shut, opens)| shut < opens && first < *opens && *shut < first + takes);
        match shut.map(|(_, opens)| *opens).max() {
            Some(opens) => first = opens,
            None => return first,
        }
    }
}

impl Facts {
    /// What holds for every order.
    #[must_use]
    pub fn new(problem: &Problem) -> Self {
        let tasks = || problem.tasks.iter().enumerate();
        let which = |of: &dyn Fn(usize) -> bool| {
            tasks().map(|(task, _)| task).filter(|task| of(*task)).collect()
        };
        let about = |task: usize| problem.tasks.get(task);
        let any = |locks: &[usize], used: &[usize]| locks.iter().any(|lock| used.contains(lock));
        let mut facts = Self::default();
        for (index, task) in tasks() {
            facts.before.push(problem.before(index));
            facts.excluded.push(which(&|number| {
                let pair = about(number).filter(|_| number != index);
                pair.is_some_and(|other| {
                    any(&task.locks, &other.locks)
                        || any(&task.locks, &other.uses)
                        || any(&other.locks, &task.uses)
                        || task.any_of().contains(&number)
                        || other.any_of().contains(&index)
                })
            }));
            let mended = tasks().filter(|(_, fix)| fix.mends.contains(&index));
            let mut opens: Vec<(usize, usize)> = mended
                .flat_map(|(fix, about)| about.frees.iter().map(move |object| (fix, *object)))
                .collect();
            opens.retain(|(_, object)| !task.breaks.contains(object));
            facts.opens.push(opens);
            let limit = problem.limit(task);
            facts.task_spells.push(spells(task.takes, task.not_before, limit, &task.closed));
            facts.shuts.push(problem.objects.iter().any(|object| any(&task.locks, &object.uses)));
        }
        for (index, object) in problem.objects.iter().enumerate() {
            let until = problem.checks_until;
            facts.check_spells.push(spells(object.check, 0, until, &object.closed));
            facts
                .stops
                .push(problem.stops.iter().copied().filter(|stop| stop.object == index).collect());
            facts.looked_at.push(problem.tasks.iter().any(|task| task.needs_good.contains(&index)));
            facts
                .breakers
                .push(which(&|task| about(task).is_some_and(|task| task.breaks.contains(&index))));
            facts
                .fixes
                .push(which(&|task| about(task).is_some_and(|task| task.frees.contains(&index))));
            facts.shut.push(which(&|task| {
                about(task).is_some_and(|task| any(&task.locks, &object.uses))
            }));
        }
        if !problem.stops.is_empty() {
            facts.ahead = (0..problem.tasks.len()).map(|task| facts.ahead(task)).collect();
        }
        for one in 0..problem.tasks.len() {
            facts.swaps.push(which(&|other| other != one && facts.are_alike(problem, one, other)));
        }
        facts
    }

    fn ahead(&self, task: usize) -> Vec<usize> {
        let mut ahead: Vec<usize> = Vec::new();
        let mut next = vec![task];
        while let Some(task) = next.pop() {
            for other in self.before.get(task).into_iter().flatten() {
                if !ahead.contains(other) {
                    ahead.push(*other);
                    next.push(*other);
                }
            }
        }
        ahead
    }

    /// Whether two tasks that one operator carries out one right after the other could be swapped: they
    /// break and free the same, wait for the operator's earlier tasks only, and only the operator's later
    /// tasks and what needs both wait for either, so that nothing can begin or end between them.
    fn are_alike(&self, problem: &Problem, one: usize, other: usize) -> bool {
        let (Some(first), Some(second)) = (problem.tasks.get(one), problem.tasks.get(other)) else {
            return false;
        };
        let is_plain = |task: &Task| {
            task.needs_operator
                && !task.is_kept
                && task.any_of().is_empty()
                && task.needs_good.is_empty()
                && task.not_before == 0
                && task.until.is_none()
                && task.closed.is_empty()
        };
        let stopping = |task: usize| {
            problem.stops.iter().any(|stop| stop.from == Some(task) || stop.to == task)
        };
        let is_alike = (&first.breaks, &first.frees, &first.mends)
            == (&second.breaks, &second.frees, &second.mends)
            && (&first.locks, &first.uses) == (&second.locks, &second.uses);
        if stopping(one) || stopping(other) {
            return false;
        }
        if problem.operators != 1 || !is_alike || !is_plain(first) || !is_plain(second) {
            return false;
        }
        let waits = |task: usize| self.before.get(task).map_or(&[][..], Vec::as_slice);
        let by_operator = |before: &[usize]| {
            before
                .iter()
                .all(|task| problem.tasks.get(*task).is_some_and(|task| task.needs_operator))
        };
        let is_waited_for = |(index, task): (usize, &Task)| {
            let lists = [waits(index), task.any_of()];
            let is_named = lists.iter().any(|list| list.contains(&one) || list.contains(&other));
            (!task.needs_operator && is_named)
                || task.mends.contains(&one) != task.mends.contains(&other)
        };
        !waits(one).contains(&other)
            && !waits(other).contains(&one)
            && by_operator(waits(one))
            && by_operator(waits(other))
            && !problem.tasks.iter().enumerate().any(is_waited_for)
    }
}
