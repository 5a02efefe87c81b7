//! What a plan is worth, as its simulation says.

use crate::facts::time::Instant;
use crate::plan::Plan;
use crate::plan::repair::pieces::{Draft, Pieces};
use crate::plan::simulate::{self, Scenario, Takes};
use crate::plan::solver::Value;
use crate::plan::trace::{ObjectTrace, StepStatus, StepTrace, Trace};
use crate::plan::world::{May, Phase};
use crate::plan::{automatic, hazard::Given};

/// A draft, carried out.
#[derive(Clone, Debug)]
pub struct Tried {
    /// The order.
    pub draft: Draft,
    /// As a plan.
    pub plan: Plan,
    /// What came of it, with the longest durations and all that may happen.
    pub trace: Trace,
    /// What it is worth; nothing is said of its distance from the user's order.
    pub value: Value,
}

/// Carries a draft out.
pub(super) fn carry_out(
    given: Given<'_>,
    now: &Instant,
    takes: Takes,
    pieces: &Pieces,
    draft: Draft,
    wanted: &dyn Fn(&ObjectTrace) -> bool,
) -> Tried {
    let mut plan =
        Plan { steps: pieces.steps(&draft), unscheduled: Vec::new(), ..given.plan.clone() };
    automatic::add(&mut plan, given.set, given.facts, now);
    let scenario = Scenario { may: May::Happens, takes };
    let trace = simulate::simulate(given.set, given.facts, &plan, scenario);
    let value = worth(&plan, &trace, wanted);
    Tried { draft, plan, trace, value }
}

/// What a simulated plan is worth. Violations are steps that cannot begin or end in time, checks that are wasted, and
/// objects that are exposed for longer than the goal allows.
pub(super) fn worth(plan: &Plan, trace: &Trace, wanted: &dyn Fn(&ObjectTrace) -> bool) -> Value {
    let written = trace.steps.iter().take(plan.written().len());
    let wrong = written.clone().filter(|step| is_wrong(plan, step)).count();
    let limit = plan.goal.max_exposure.unwrap_or(i64::MAX);
    let long = trace.objects.iter().filter(|one| wanted(one) && one.exposure > limit).count();
    let bad = |one: &&ObjectTrace| wanted(one) && one.ends() != Phase::Good;
    let weights = trace.objects.iter().filter(bad).map(|one| one.weight.max(1));
    let runs = |step: &&StepTrace| step.needs.check.is_some() && step.status == StepStatus::Done;
    Value {
        violations: count(wrong + long),
        not_good: weights.sum(),
        exposure: trace.weighted_exposure(),
        checks: count(written.filter(runs).count()),
        distance: 0,
        end: trace.end,
    }
}

fn is_wrong(plan: &Plan, step: &StepTrace) -> bool {
    let limit = match step.needs.check {
        Some(_) => plan.window.end.max(plan.window.checks_until),
        None => plan.window.end,
    };
    let is_late = step.end.is_some_and(|end| end > limit);
    is_late || matches!(step.status, StepStatus::Refused(_) | StepStatus::Never)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
