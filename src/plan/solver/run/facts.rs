//! What holds for every order of a problem, found once.

use std::collections::BTreeSet;

use crate::plan::solver::problem::{Problem, Stop, Task};
use crate::plan::solver::put;

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
        let any = |locks: &[usize], used: &[usize]| locks.iter().any(|lock| used.contains(lock));
        let objects = problem.objects.len();
        let mut facts = Self {
            breakers: vec![Vec::new(); objects],
            fixes: vec![Vec::new(); objects],
            shut: vec![Vec::new(); objects],
            stops: vec![Vec::new(); objects],
            looked_at: vec![false; objects],
            opens: vec![Vec::new(); problem.tasks.len()],
            ..Self::default()
        };
        let note = |lists: &mut Vec<Vec<usize>>, at: &usize, task: usize| {
            if let Some(list) = lists.get_mut(*at).filter(|list| list.last() != Some(&task)) {
                list.push(task);
            }
        };
        // Most tasks lock and use nothing, and mend nothing of which one is enough.
        let binds = |task: &Task| {
            !task.locks.is_empty() || !task.uses.is_empty() || !task.any_of().is_empty()
        };
        let binding: Vec<(usize, &Task)> =
            problem.tasks.iter().enumerate().filter(|(_, task)| binds(task)).collect();
        for (index, task) in problem.tasks.iter().enumerate() {
            facts.before.push(problem.before(index));
            let mut excluded = task.any_of().to_vec();
            for (other, about) in binding.iter().filter(|(other, _)| *other != index) {
                if any(&task.locks, &about.locks)
                    || any(&task.locks, &about.uses)
                    || any(&about.locks, &task.uses)
                    || about.any_of().contains(&index)
                {
                    excluded.push(*other);
                }
            }
            excluded.sort_unstable();
            excluded.dedup();
            facts.excluded.push(excluded);
            let limit = problem.limit(task);
            facts.task_spells.push(spells(task.takes, task.not_before, limit, &task.closed));
            let mut shuts = false;
            if !task.locks.is_empty() {
                for (object, about) in problem.objects.iter().enumerate() {
                    if any(&task.locks, &about.uses) {
                        note(&mut facts.shut, &object, index);
                        shuts = true;
                    }
                }
            }
            facts.shuts.push(shuts);
            task.breaks.iter().for_each(|object| note(&mut facts.breakers, object, index));
            task.frees.iter().for_each(|object| note(&mut facts.fixes, object, index));
            for object in &task.needs_good {
                put(&mut facts.looked_at, *object, true);
            }
            for cause in &task.mends {
                let Some(broken) = problem.tasks.get(*cause).map(|cause| &cause.breaks) else {
                    continue;
                };
                let broken: BTreeSet<usize> = broken.iter().copied().collect();
                let opened = task.frees.iter().filter(|object| !broken.contains(object));
                if let Some(opens) = facts.opens.get_mut(*cause) {
                    opens.extend(opened.map(|object| (index, *object)));
                }
            }
        }
        for stop in &problem.stops {
            if let Some(list) = facts.stops.get_mut(stop.object) {
                list.push(*stop);
            }
        }
        let until = problem.checks_until;
        let checks = problem.objects.iter();
        facts.check_spells =
            checks.map(|object| spells(object.check, 0, until, &object.closed)).collect();
        if !problem.stops.is_empty() {
            facts.ahead = (0..problem.tasks.len()).map(|task| facts.ahead(task)).collect();
        }
        for one in 0..problem.tasks.len() {
            // Tasks that are alike break the same, or nothing.
            let alike = |other: &usize| *other != one && facts.are_alike(problem, one, *other);
            let first = problem.tasks.get(one).and_then(|task| task.breaks.first());
            let swaps = match first.and_then(|object| facts.breakers.get(*object)) {
                Some(breakers) => breakers.iter().copied().filter(alike).collect(),
                None => (0..problem.tasks.len()).filter(alike).collect(),
            };
            facts.swaps.push(swaps);
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
