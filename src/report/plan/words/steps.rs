//! What several formats say of one step.

use crate::facts::time::say_duration;
use crate::plan::time::Clock;
use crate::report::plan::words::in_time;
use crate::report::plan::{HazardX, ObjectX, PlanReport, StepX};

/// What came of a step that did not just take place; empty for one that did.
pub(in crate::report::plan) fn outcome(step: &StepX, report: &PlanReport, clock: &Clock) -> String {
    let until = report.plan.checks_until_seconds;
    match (step.status, &step.broken_off_by) {
        ("done", Some(by)) if *by == step.id => {
            let lasted = step.start_seconds.zip(step.end_seconds).map(|(from, to)| to - from);
            format!("broken off after {}", say_duration(lasted.unwrap_or_default()))
        }
        ("done", Some(by)) if is_cut(step) => format!("broken off by {by}"),
        ("done", Some(by)) => format!("made worthless by {by}"),
        ("done", None) if step.needs.checks.is_some() && step.end_seconds > Some(until) => {
            format!("has not ended by {}", clock.show_day(until))
        }
        ("done", None) if is_vain(step, report) => "in vain: a cause stands".to_owned(),
        ("done", None) => String::new(),
        ("nothing_to_do", _) => "done already".to_owned(),
        ("refused", _) => "cannot begin".to_owned(),
        _ => "never begins".to_owned(),
    }
}

/// A step or job in words: when, and what came of it.
pub(in crate::report::plan) fn told(step: &StepX, report: &PlanReport, clock: &Clock) -> String {
    let time = match (step.start_seconds, step.end_seconds) {
        (Some(from), Some(to)) if to > from => span(from, to, clock),
        (Some(from), _) => clock.show_day(from),
        _ => String::new(),
    };
    let outcome = outcome(step, report, clock);
    let comma = if outcome.is_empty() || time.is_empty() { "" } else { ", " };
    let name = match &step.automatic {
        Some(title) => title.clone(),
        None => format!("{} {}", step.id, action(step)),
    };
    format!("{name}: {time}{comma}{outcome}")
}

/// A stretch of time in words.
pub(in crate::report::plan) fn span(from: i64, to: i64, clock: &Clock) -> String {
    let (begin, end) = (clock.show_day(from), clock.show_day(to));
    format!("{begin} to {end} ({})", say_duration(to - from))
}

/// When a step begins and ends; one time for one that takes none.
pub(in crate::report::plan) fn when(step: &StepX, clock: &Clock) -> String {
    match (step.start_seconds, step.end_seconds) {
        (Some(from), Some(to)) if to > from => {
            format!("{} to {}", clock.show_day(from), clock.show_day(to))
        }
        (Some(from), _) => clock.show_day(from),
        _ => "never".to_owned(),
    }
}

/// The steps and jobs that check an object.
pub(in crate::report::plan) fn checks_of<'r>(
    report: &'r PlanReport,
    object: &ObjectX,
) -> impl Iterator<Item = &'r StepX> {
    let kind = report.protection.as_ref().map_or("", |protection| &protection.kind);
    let name = format!("{kind} {}", object.key);
    let all = in_time(report).into_iter().chain(&report.jobs);
    all.filter(move |step| step.needs.checks.as_ref().is_some_and(|one| one.object == name))
}

/// Whether a step ended before its time.
fn is_cut(step: &StepX) -> bool {
    let lasted = step.start_seconds.zip(step.end_seconds).map(|(start, end)| end - start);
    lasted < step.takes_seconds
}

fn is_vain(step: &StepX, report: &PlanReport) -> bool {
    let is_its = |one: &&HazardX| one.step.as_ref() == Some(&step.id);
    report.hazards.iter().filter(is_its).any(|one| one.id == "plan-check-wasted")
}

/// Who does a step: somebody, or what runs checks by itself.
pub(in crate::report::plan) fn who(step: &StepX) -> String {
    let owner = step.needs.checks.as_ref().and_then(|check| check.owner.as_deref());
    match owner.map(|owner| owner.split_once(' ').map_or(owner, |(_, key)| key)) {
        _ if step.needs.operator => "operator".to_owned(),
        Some(owner) => owner.to_owned(),
        None => "-".to_owned(),
    }
}

/// An action with the object at which it is done.
pub(in crate::report::plan) fn action(step: &StepX) -> String {
    match &step.at {
        Some(at) => format!("{} {at}", step.action),
        None => step.action.clone(),
    }
}

/// When a step begins.
pub(in crate::report::plan) fn waits_for(step: &StepX, clock: &Clock) -> String {
    let mut parts = Vec::new();
    if !step.begins_after.is_empty() {
        parts.push(format!("after {}", step.begins_after.join(", ")));
    }
    if let Some(seconds) = step.needs.not_before {
        parts.push(format!("not before {}", clock.show_day(seconds)));
    }
    if parts.is_empty() { "at once".to_owned() } else { parts.join(", ") }
}
