//! What would make a repaired plan less harmful: more time, one more slot, fewer of the user's own conditions.

use crate::plan::repair::ground::Ground;
use crate::plan::repair::options::Options;
use crate::plan::solver::{Effort, Problem, Status, Value, solve};

/// What could be otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Tasks and checks have as many seconds more.
    Window(i64),
    /// An owner, by number, runs as many checks side by side.
    Slots(usize, usize),
    /// No step waits for a check because the user says so.
    Waits,
}

/// What would come of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIf {
    /// What is otherwise.
    pub change: Change,
    /// What the best plan is worth then.
    pub value: Value,
    /// Whether no plan does less harm then.
    pub is_proven: bool,
}

/// Longer than any plan.
const LONG: i64 = 1 << 32;

/// Most windows that are tried.
const MOST_WINDOWS: usize = 16;

/// Windows are told in whole minutes.
const MINUTE: i64 = 60;

/// The changes that would help, with what they bring: less exposure than `now`, by more than a hundredth.
#[must_use]
pub(super) fn what_if(ground: &Ground, options: &Options, now: &Value) -> Vec<WhatIf> {
    let problem = &ground.problem;
    let effort = Effort { budget: options.budget / 20, ..Effort::default() };
    let mut found = Vec::new();
    // What a tolerance has left out would come back with it, not with more time.
    let least = solved(problem, &effort).map_or(*now, |(value, _)| value);
    let now = if least.exposure < now.exposure { &least } else { now };
    let helps = |value: &Value| {
        value.not_good <= now.not_good && value.exposure < now.exposure - now.exposure / 100
    };
    if let Some(best) = solved(&longer(problem, LONG), &effort).filter(|best| helps(&best.0)) {
        let (mut low, mut high, mut answer) = (0, lasts(problem), best);
        for _ in 0..MOST_WINDOWS {
            if high - low <= 1 {
                break;
            }
            let middle = low + (high - low) / 2;
            match solved(&longer(problem, middle * MINUTE), &effort) {
                Some(better) if better.0.exposure <= answer.0.exposure => {
                    (high, answer) = (middle, better);
                }
                _ => low = middle,
            }
        }
        let change = Change::Window(high * MINUTE);
        found.push(WhatIf { change, value: answer.0, is_proven: answer.1 });
    }
    for (owner, slots) in problem.owners.iter().enumerate() {
        let mut more = problem.clone();
        if let Some(place) = more.owners.get_mut(owner) {
            *place = slots + 1;
        }
        let has_use = problem.objects.iter().filter(|one| one.owner == owner).count() > *slots;
        if let Some((value, is_proven)) =
            has_use.then(|| solved(&more, &effort)).flatten().filter(|best| helps(&best.0))
        {
            found.push(WhatIf { change: Change::Slots(owner, slots + 1), value, is_proven });
        }
    }
    if problem.tasks.iter().any(|task| !task.needs_good.is_empty()) {
        let mut free = problem.clone();
        for task in &mut free.tasks {
            task.needs_good.clear();
        }
        if let Some((value, is_proven)) = solved(&free, &effort).filter(|best| helps(&best.0)) {
            found.push(WhatIf { change: Change::Waits, value, is_proven });
        }
    }
    found
}

/// What the best plan is worth, and whether that is proven.
fn solved(problem: &Problem, effort: &Effort) -> Option<(Value, bool)> {
    let answer = solve(problem, effort).ok()?;
    let is_proven = matches!(answer.status, Status::ProvenByBound | Status::ProvenBySearch { .. });
    answer.best.map(|(value, _)| (value, is_proven))
}

/// The same with more time; what counts until when stays as it is as long as all are good at the end.
fn longer(problem: &Problem, seconds: i64) -> Problem {
    let mut longer = problem.clone();
    longer.window += seconds;
    longer.checks_until += seconds;
    longer.horizon = longer.horizon.max(longer.window).max(longer.checks_until);
    longer
}

/// Minutes in which all can be done one after the other.
fn lasts(problem: &Problem) -> i64 {
    let tasks: i64 = problem.tasks.iter().map(|task| task.takes).sum();
    let checks: i64 = problem.objects.iter().map(|object| object.check.min(LONG)).sum();
    (tasks + checks) / MINUTE + 1
}
