//! Other courses of events: the longest durations, one after the other as the file has them, are not the worst of
//! all that can happen. A quick step can break off a slow check, and of two steps that nothing orders the other one
//! can come first. What is likely to differ is simulated.

mod turns;

use std::collections::BTreeSet;

use rayon::prelude::*;

use crate::facts::value::ObjectId;
use crate::finding::{Evaluation, Severity};
use crate::plan::hazard::find::{Given, found, race_pairs, races::before, raised::Raised};
use crate::plan::hazard::{Course as Is, Hazard, Link};
use crate::plan::simulate::{self, Scenario, Takes};
use crate::plan::trace::{StepStatus, StepTrace, Trace};
use crate::plan::world::May;

/// Most courses that are tried.
const MOST_COURSES: usize = 300;

/// Most steps that all of them may have together: a long plan is simulated a few times over, a short one often.
const MOST_STEPS: usize = 6_000;

/// Most steps of which an order is told.
const MOST_NAMED: usize = 20;

/// A course of events that differs from the one with the longest durations.
#[derive(Default)]
struct Course {
    /// What is so in it, in words.
    said: String,
    /// Steps that take no longer than at best.
    quick: BTreeSet<usize>,
    /// Steps, each with one that it has to wait for.
    swapped: Vec<(usize, usize)>,
    /// Which step comes first of those that could begin at one time, if not that of the file.
    turns: Option<Vec<usize>>,
}

impl Course {
    /// Whether its steps come in another order than in the file.
    fn is_order(&self) -> bool {
        self.turns.is_some() || !self.swapped.is_empty()
    }
}

/// What has been found in other courses.
pub(super) struct Tried {
    /// Errors that the longest durations do not show.
    pub(super) hazards: Vec<Hazard>,
    /// How many courses were left out.
    pub(super) left: usize,
    /// How many of these are of another order.
    pub(super) orders: usize,
}

/// Simulates the courses that are likely to end worse.
pub(super) fn try_out(
    given: Given<'_>,
    worst: &Trace,
    ends: (&Evaluation, &Evaluation),
    raised: &Raised,
) -> Tried {
    let mut courses = courses(given, worst);
    let most = (MOST_STEPS / given.plan.steps.len().max(1)).clamp(1, MOST_COURSES);
    let left = courses.len().saturating_sub(most);
    let orders = courses.iter().skip(most).filter(|course| course.is_order()).count();
    courses.truncate(most);
    let run = |course: &Course| run(given, worst, ends, raised, course);
    let found: Vec<Vec<Hazard>> = courses.par_iter().map(run).collect();
    Tried { hazards: found.into_iter().flatten().collect(), left, orders }
}

fn courses(given: Given<'_>, worst: &Trace) -> Vec<Course> {
    let name = |step: usize| {
        given.plan.steps.get(step).map(|step| step.id.to_string()).unwrap_or_default()
    };
    let named = |turns: &[usize]| {
        let shown: Vec<String> = turns.iter().take(MOST_NAMED).map(|step| name(*step)).collect();
        let more = if turns.len() > MOST_NAMED { ", and so on" } else { "" };
        format!("{}{more}", shown.join(", "))
    };
    let orders = turns::longest(given.plan, worst).into_iter();
    let mut courses: Vec<Course> = orders
        .map(|(key, turns)| Course {
            said: format!(
                "in this order, in which {key} is without protection for longest: {}",
                named(&turns)
            ),
            turns: Some(turns),
            ..Course::default()
        })
        .collect();
    let pairs = race_pairs(given, worst);
    if pairs.len() > 1 {
        courses.push(Course {
            said: "if the later ones of the steps that nothing orders come first".to_owned(),
            swapped: turns::turned(given.plan, &pairs),
            ..Course::default()
        });
    }
    for (first, second) in pairs {
        courses.push(Course {
            said: format!("if {} comes before {}", name(second), name(first)),
            swapped: vec![(first, second)],
            ..Course::default()
        });
    }
    let range: BTreeSet<usize> = (0..given.plan.written().len())
        .filter(|step| takes(worst, *step) > quickest(worst, *step))
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
            courses.push(Course { said, quick, ..Course::default() });
        }
    }
    let Some(limit) = given.plan.goal.max_exposure else { return courses };
    for object in worst.objects.iter().filter(|one| one.exposure <= limit && one.is_touched()) {
        let Some((slow, end)) = span(worst, object.object) else { continue };
        let quick = quick(i64::MIN, slow, None);
        let sooner: i64 =
            quick.iter().map(|step| takes(worst, *step) - quickest(worst, *step)).sum();
        if end - slow + sooner > limit {
            let said = format!("if what makes {} bad comes soon", object.key);
            courses.push(Course { said, quick, ..Course::default() });
        }
    }
    courses
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

fn quickest(trace: &Trace, step: usize) -> i64 {
    trace.steps.get(step).map(|step| step.quickest).unwrap_or_default()
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
    worst: &Trace,
    (before, after): (&Evaluation, &Evaluation),
    raised: &Raised,
    course: &Course,
) -> Vec<Hazard> {
    let mut plan = given.plan.clone();
    for position in &course.quick {
        let best = quickest(worst, *position);
        if let Some(step) = plan.steps.get_mut(*position) {
            step.estimate = Some((best, best));
        }
    }
    for (first, second) in &course.swapped {
        if let Some(step) = plan.steps.get_mut(*first) {
            step.after.push(*second);
        }
    }
    let scenario = Scenario { may: May::Happens, takes: Takes::Worst };
    let trace = match &course.turns {
        Some(turns) => {
            let course = (scenario, turns.as_slice());
            simulate::simulate_in_turn(given.set, given.facts, &plan, course, &|| {})
        }
        None => simulate::simulate(given.set, given.facts, &plan, scenario),
    };
    // Which rules are violated at the end does not hang on how long steps take; on their order it does.
    let swapped = course.is_order().then(|| {
        let now = simulate::instant(&plan, trace.end.max(plan.window.end));
        crate::eval::evaluate(&trace.facts, given.set, &now, None, &|_| true)
    });
    let other = Given { plan: &plan, ..given };
    let hazards = found(other, &trace, (before, swapped.as_ref().unwrap_or(after)), raised);
    let errors = hazards.into_iter().filter(|hazard| hazard.severity == Severity::Error);
    let only = if course.is_order() { Is::Order } else { Is::Mixed };
    let told = errors.map(|mut hazard| {
        hazard.only = Some(only);
        hazard.chain.insert(0, Link { said: course.said.clone(), step: None });
        hazard
    });
    told.collect()
}
