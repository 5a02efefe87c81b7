//! Other courses of events: the longest durations, one after the other as the file has them, are not the worst of
//! all that can happen. A quick step can break off a slow check, and of two steps that nothing orders the other one
//! can come first. What is likely to differ is simulated.

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::facts::value::ObjectId;
use crate::finding::{Evaluation, Severity};
use crate::plan::Plan;
use crate::plan::hazard::find::{Given, found, race_pairs, races::before, raised::Raised};
use crate::plan::hazard::{Course as Is, Hazard, Link};
use crate::plan::simulate::{self, Scenario, Takes};
use crate::plan::trace::{StepStatus, StepTrace, Trace};
use crate::plan::world::May;

/// Most courses that are tried.
const MOST_COURSES: usize = 40;

/// Most steps that all of them may have together: a long plan is not simulated forty times over.
const MOST_STEPS: usize = 6_000;

/// A course of events that differs from the one with the longest durations.
struct Course {
    /// What is so in it, in words.
    said: String,
    /// Steps that take the usual time.
    quick: BTreeSet<usize>,
    /// Steps, each with one that it has to wait for.
    swapped: Vec<(usize, usize)>,
}

/// What has been found in other courses.
pub(super) struct Tried {
    /// Errors that the longest durations do not show.
    pub(super) hazards: Vec<Hazard>,
    /// How many courses were left out.
    pub(super) left: usize,
}

/// Simulates the courses that are likely to end worse.
pub(super) fn try_out(
    given: Given<'_>,
    (worst, expected): (&Trace, &Trace),
    ends: (&Evaluation, &Evaluation),
    raised: &Raised,
) -> Tried {
    let mut courses = courses(given, worst, expected);
    let most = (MOST_STEPS / given.plan.steps.len().max(1)).clamp(1, MOST_COURSES);
    let left = courses.len().saturating_sub(most);
    courses.truncate(most);
    let run = |course: &Course| run(given, expected, ends, raised, course);
    let found: Vec<Vec<Hazard>> = courses.par_iter().map(run).collect();
    Tried { hazards: found.into_iter().flatten().collect(), left }
}

fn courses(given: Given<'_>, worst: &Trace, expected: &Trace) -> Vec<Course> {
    let name = |step: usize| {
        given.plan.steps.get(step).map(|step| step.id.to_string()).unwrap_or_default()
    };
    let mut courses = Vec::new();
    let pairs = race_pairs(given, worst);
    if pairs.len() > 1 {
        courses.push(Course {
            said: "if the later ones of the steps that nothing orders come first".to_owned(),
            quick: BTreeSet::new(),
            swapped: turned(given.plan, &pairs),
        });
    }
    for (first, second) in pairs {
        courses.push(Course {
            said: format!("if {} comes before {}", name(second), name(first)),
            quick: BTreeSet::new(),
            swapped: vec![(first, second)],
        });
    }
    let range: BTreeSet<usize> = (0..given.plan.written().len())
        .filter(|step| takes(worst, *step) > takes(expected, *step))
        .collect();
    if range.is_empty() {
        return courses;
    }
    // What ends before `until` and has not ended before `since` can bring the one nearer to the other.
    let quick = |since: i64, until: i64, but: Option<usize>| -> BTreeSet<usize> {
        let is_between = |step: &usize| {
            worst.steps.get(*step).is_some_and(|trace| {
                trace.end.is_some_and(|end| end > since && end <= until) && Some(*step) != but
            })
        };
        range.iter().copied().filter(is_between).collect()
    };
    let gap = |(check, step): &(usize, usize)| {
        let end = worst.steps.get(*check).and_then(|step| step.end);
        start(worst, *step).zip(end).map(|(start, end)| (start - end).abs())
    };
    let mut meetings = meetings(given, worst);
    // Those that lie near each other are the likeliest to meet.
    meetings.sort_by_key(gap);
    for (check, step) in meetings {
        let (Some(since), Some(until)) = (start(worst, check), start(worst, step)) else {
            continue;
        };
        let quick = quick(since, until, Some(check));
        if !quick.is_empty() || range.contains(&check) {
            let said =
                format!("if what comes before {} is quick and {} is not", name(step), name(check));
            courses.push(Course { said, quick, swapped: Vec::new() });
        }
    }
    let Some(limit) = given.plan.goal.max_exposure else { return courses };
    for object in worst.objects.iter().filter(|one| one.exposure <= limit && one.is_touched()) {
        let of = |trace: &Trace| span(trace, object.object);
        let (Some((slow, end)), Some((soon, _))) = (of(worst), of(expected)) else { continue };
        if end - soon > limit {
            let said = format!("if what makes {} bad comes soon", object.key);
            courses.push(Course { said, quick: quick(i64::MIN, slow, None), swapped: Vec::new() });
        }
    }
    courses
}

/// For each of these pairs which step waits for the other one, so that as many as possible come the other way round.
fn turned(plan: &Plan, pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let steps = plan.written();
    let mut order: Vec<usize> = Vec::new();
    let mut rank = vec![None; steps.len()];
    while order.len() < steps.len() {
        let is_next = |step: &usize| {
            let is_done = |other: &usize| rank.get(*other).is_none_or(Option::is_some);
            rank.get(*step).is_some_and(Option::is_none)
                && steps.get(*step).is_some_and(|step| step.after.iter().all(is_done))
        };
        // No step waits for itself, so there is always one.
        let Some(next) = (0..steps.len()).rev().find(is_next) else { break };
        if let Some(slot) = rank.get_mut(next) {
            *slot = Some(order.len());
        }
        order.push(next);
    }
    let rank_of = |step: usize| rank.get(step).copied().flatten();
    let waits = |(first, second): &(usize, usize)| {
        if rank_of(*first) > rank_of(*second) { (*first, *second) } else { (*second, *first) }
    };
    pairs.iter().map(waits).collect()
}

/// From the first second without protection to the end of the last one.
fn span(trace: &Trace, object: ObjectId) -> Option<(i64, i64)> {
    let object = trace.objects.iter().find(|one| one.object == object)?;
    let mut exposed = object.intervals.iter().filter(|one| one.phase.is_exposed());
    let first = exposed.next()?;
    Some((first.from, exposed.next_back().unwrap_or(first).to))
}

/// Checks, each with a later step that would break it off or make it vain and does not wait for it.
fn meetings(given: Given<'_>, trace: &Trace) -> Vec<(usize, usize)> {
    let steps: Vec<(usize, &StepTrace)> = trace
        .steps
        .iter()
        .enumerate()
        .take(given.plan.written().len())
        .filter(|(_, step)| step.status == StepStatus::Done && step.broken_by.is_none())
        .collect();
    let before = before(given.plan);
    let waits = |step: &usize, check| before.get(*step).is_some_and(|all| all.contains(check));
    let mut found = Vec::new();
    for (check, checks) in &steps {
        let Some((object, _)) = checks.needs.check else { continue };
        for (step, trace) in &steps {
            let is_later = trace.start >= checks.start && step != check;
            let spoils = trace.harmed.contains(&object) || trace.needs.takes_from(&checks.needs);
            if is_later && trace.needs.check.is_none() && spoils && !waits(step, check) {
                found.push((*check, *step));
            }
        }
    }
    found
}

fn takes(trace: &Trace, step: usize) -> i64 {
    trace.steps.get(step).and_then(|step| step.takes).unwrap_or_default()
}

fn start(trace: &Trace, step: usize) -> Option<i64> {
    trace.steps.get(step)?.start
}

/// What a course leads to that the longest durations do not.
fn run(
    given: Given<'_>,
    expected: &Trace,
    (before, after): (&Evaluation, &Evaluation),
    raised: &Raised,
    course: &Course,
) -> Vec<Hazard> {
    let mut plan = given.plan.clone();
    for position in &course.quick {
        let usual = takes(expected, *position);
        if let Some(step) = plan.steps.get_mut(*position) {
            step.estimate = Some((usual, usual));
        }
    }
    for (first, second) in &course.swapped {
        if let Some(step) = plan.steps.get_mut(*first) {
            step.after.push(*second);
        }
    }
    let scenario = Scenario { may: May::Happens, takes: Takes::Worst };
    let trace = simulate::simulate(given.set, given.facts, &plan, scenario);
    // Which rules are violated at the end does not hang on how long steps take; on their order it does.
    let swapped = (!course.swapped.is_empty()).then(|| {
        let now = simulate::instant(&plan, trace.end.max(plan.window.end));
        crate::eval::evaluate(&trace.facts, given.set, &now, None, &|_| true)
    });
    let other = Given { plan: &plan, ..given };
    let hazards = found(other, &trace, (before, swapped.as_ref().unwrap_or(after)), raised);
    let errors = hazards.into_iter().filter(|hazard| hazard.severity == Severity::Error);
    let only = if course.swapped.is_empty() { Is::Mixed } else { Is::Order };
    let told = errors.map(|mut hazard| {
        hazard.only = Some(only);
        hazard.chain.insert(0, Link { said: course.said.clone(), step: None });
        hazard
    });
    told.collect()
}
