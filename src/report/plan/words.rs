//! What several formats of the report say with the same words.

mod head;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::facts::time::say_duration;
use crate::plan::time::Clock;
use crate::report::plan::{
    BasisX, FixX, HazardX, NamedX, ObjectX, OutlookX, PlanReport, RingsX, SharedX, StepX, StopX,
    SuffersX, TakesX, UndoX,
};

pub(super) use head::{because_of, by_weight, counts, ends, touched, verdict, worst};
pub(super) use steps::{action, checks_of, outcome, span, told, waits_for, when, who};

/// The steps in the order in which they begin, those that never do behind them.
pub(super) fn in_time(report: &PlanReport) -> Vec<&StepX> {
    let mut steps: Vec<&StepX> = report.steps.iter().collect();
    steps.sort_by_key(|step| step.start_seconds.unwrap_or(i64::MAX));
    steps
}

/// How bad a hazard is, as a reader looks for it.
pub(super) fn level(hazard: &HazardX) -> &'static str {
    if hazard.no_verdict { "no verdict" } else { hazard.severity }
}

/// When the window opens and closes, in which zone, and that clocks are changed meanwhile.
pub(super) fn window(report: &PlanReport, clock: &Clock) -> String {
    let mut text = format!(
        "{} {} to {}, {} ({})",
        clock.date(0),
        clock.show(0),
        clock.show_day(report.plan.end_seconds),
        report.plan.zone,
        clock.offset(0)
    );
    for (_, said) in clock.changes(end(report)) {
        let _ = write!(text, "; {said}");
    }
    text
}

/// The last second that a report tells of.
pub(super) fn end(report: &PlanReport) -> i64 {
    report.plan.checks_until_seconds.max(report.totals.end_seconds)
}

/// The plan under other assumptions.
pub(super) fn outlook(outlook: &OutlookX, report: &PlanReport) -> String {
    format!(
        "{}, {} {} unprotected, {} without protection",
        verdict(outlook.verdict),
        head::of_all(outlook.bad, report),
        if outlook.bad == 1 { "ends" } else { "end" },
        say_duration(outlook.exposure_seconds)
    )
}

/// How things are if the plan ends after a step.
pub(super) fn stop(step: &StepX, objects: usize, clock: &Clock) -> String {
    let Some(point) = &step.stop else { return "it never begins".to_owned() };
    let others = step.after.len().saturating_sub(point.bad.len());
    let bad = match (point.bad.len(), others) {
        (0, 0) => {
            let late = if point.is_in_time { "" } else { ", but behind the window" };
            return format!("all are protected{late}");
        }
        (0, others) => {
            return format!("{others} of {objects} unprotected, none that the goal asks for");
        }
        (bad, 0) => format!("{bad} of {objects} unprotected"),
        (bad, others) => {
            format!("{bad} of {objects} unprotected, and {others} that the goal does not ask for")
        }
    };
    match point.all_good {
        "at" => {
            let late = if point.is_in_time { "" } else { ", behind the window" };
            let by = point.by_seconds.map(|by| clock.show_day(by)).unwrap_or_default();
            format!("{bad}; all protected by {by}{late}")
        }
        "never" if point.fixes.is_empty() => {
            format!("{bad}; never all protected, and no rule names a repair")
        }
        "never" => format!("{bad}; never all protected without {}", fixes(point)),
        _ => {
            let missing = point.missing.as_deref().unwrap_or_default();
            format!("{bad}; nobody can say until when: {missing}")
        }
    }
}

/// What has to be repaired, with commas.
pub(super) fn fixes(stop: &StopX) -> String {
    let fixes: Vec<String> = stop.fixes.iter().map(fix).collect();
    fixes.join(", ")
}

/// A repair: the step of the plan that does it, or where it is done.
pub(super) fn fix(fix: &FixX) -> String {
    match (&fix.step, &fix.at) {
        (Some(step), _) => format!("{step} ({})", fix.action),
        (None, Some(at)) if !at.is_empty() => format!("{} at {at}", fix.action),
        _ => fix.action.clone(),
    }
}

/// Whom the plan can hurt, in one line.
pub(super) fn blast(report: &PlanReport) -> String {
    let blast = &report.blast;
    let mut text = format!(
        "{} within reach; {} without protection, all together",
        head::of_all(blast.objects.len(), report),
        say_duration(report.totals.exposure_seconds)
    );
    // Where all weigh the same the number says nothing new.
    let weights: BTreeSet<i64> = report.objects.iter().map(|object| object.weight).collect();
    if weights.len() > 1 {
        let _ = write!(text, "; weighted by their tiers {:.2}", blast.weighted_object_hours);
    }
    if let Some(most) = &blast.most {
        let _ = write!(
            text,
            "; the largest part through {} ({})",
            most.step,
            say_duration(most.exposure_seconds)
        );
    }
    text
}

/// An object with its kind.
pub(super) fn named(named: &NamedX) -> String {
    format!("{} {}", named.kind.replace('_', " "), named.key)
}

/// Protected objects, those behind one object together.
fn shared(shared: &[SharedX]) -> Vec<String> {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for one in shared {
        groups.entry(&one.through.key).or_default().push(one.key.clone());
    }
    for (through, keys) in &mut groups {
        if let Some(first) = keys.first_mut().filter(|first| first != through) {
            *first = format!("through {through}: {first}");
        }
    }
    groups.into_values().flatten().collect()
}

/// A step that fails because of another.
pub(super) fn suffers(one: &SuffersX) -> String {
    let how = if one.how == "broken_off" { "is broken off" } else { "cannot succeed" };
    format!("{} {how}", one.step)
}

/// A number with its noun.
pub(super) fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// That another course of events gives another answer, where it does.
pub(super) fn disagreement(report: &PlanReport) -> Option<String> {
    let failing = head::failing(report);
    let courses: BTreeSet<Option<&str>> = failing.iter().map(|one| one.course).collect();
    let fails = match courses.into_iter().collect::<Vec<_>>().as_slice() {
        [] | [None, ..] if report.verdict != report.expected.verdict => {
            let expected = verdict(report.expected.verdict);
            return Some(format!("with the usual ones it would be {expected}"));
        }
        [] | [None, ..] => return None,
        [Some("usual_durations")] => "with the usual ones",
        [Some("other_order")] => "if steps come in another order, which nothing rules out",
        [Some("mixed_durations")] => "if some steps are quick and others are not",
        _ => "in other courses of events",
    };
    Some(format!("it fails only {fails}"))
}

/// The three rings of a step, each with all its members.
pub(super) fn rings(rings: &RingsX) -> [Vec<String>; 3] {
    let harms = rings.knock_on.objects.iter();
    let harms = harms.map(|one| format!("{} {}", one.key, say_duration(one.seconds)));
    let suffers = rings.knock_on.steps.iter().map(suffers);
    [
        rings.direct.iter().map(named).collect(),
        shared(&rings.shared),
        harms.chain(suffers).collect(),
    ]
}

/// The age of facts when the window opens; those from a later time have none.
pub(super) fn age(seconds: i64) -> String {
    if seconds < 0 {
        format!("observed {} after the window opens", say_duration(-seconds))
    } else {
        format!("{} old when the window opens", say_duration(seconds))
    }
}

/// How old the facts will be.
pub(super) fn ages(basis: &BasisX) -> Vec<String> {
    let limit = |is_too_old: bool| match (basis.max_age_seconds, is_too_old) {
        (None, _) => "; nobody said how old they may be".to_owned(),
        (Some(limit), true) => format!(", TOO OLD: at most {}", say_duration(limit)),
        (Some(limit), false) => format!(", at most {}", say_duration(limit)),
    };
    let mut said: Vec<String> = basis
        .files
        .iter()
        .map(|file| format!("{}: {}{}", file.name, age(file.age_seconds), limit(file.is_too_old)))
        .collect();
    let oldest = basis.files.iter().map(|file| file.age_seconds).max().unwrap_or(0);
    // Those that are as old as their file are told with it.
    for one in basis.collections.iter().filter(|one| one.age_seconds > oldest) {
        let age = say_duration(one.age_seconds);
        let limit = limit(one.is_too_old);
        said.push(format!("{} collected {age} before the window opens{limit}", one.name));
    }
    let open = basis.collections.iter().filter(|one| !one.is_complete);
    let open: Vec<&str> = open.map(|one| one.name.as_str()).collect();
    if !open.is_empty() {
        said.push(format!("there may be more of: {}", open.join(", ")));
    }
    said
}

/// How long a step takes.
pub(super) fn takes(takes: &TakesX) -> String {
    let expected = say_duration(takes.expected_seconds);
    if takes.worst_seconds == takes.expected_seconds {
        expected
    } else {
        format!("{expected}, at worst {}", say_duration(takes.worst_seconds))
    }
}

/// The times without protection of an object: begin and end.
pub(super) fn episodes(object: &ObjectX) -> impl Iterator<Item = (i64, i64)> + use<> {
    let mut found: Vec<(i64, i64)> = Vec::new();
    let exposed = |phase: &str| matches!(phase, "bad" | "busy" | "stopped" | "unknown");
    for one in object.intervals.iter().filter(|one| exposed(one.phase) && one.to > one.from) {
        match found.last_mut() {
            Some((_, to)) if *to == one.from => *to = one.to,
            _ => found.push((one.from, one.to)),
        }
    }
    found.into_iter()
}

/// The objects of a hazard, where its message has no room for all.
pub(super) fn unnamed(hazard: &HazardX) -> Option<String> {
    let is_short = hazard.objects.iter().all(|key| hazard.message.contains(key.as_str()));
    (!is_short).then(|| format!("it is about {}", hazard.objects.join(", ")))
}

/// What takes a step back, with its arguments.
pub(super) fn undo(undo: &UndoX) -> String {
    let with: Vec<String> =
        undo.with.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{} {}", undo.action, with.join(", "))
}

/// What to collect, the facts of one object together: `volumes[EX01/L:]: filter.bitmap, free_bytes`.
pub(super) fn to_collect(basis: &BasisX) -> Vec<String> {
    let mut all: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for fact in &basis.collect {
        let (of, fact) =
            fact.rsplit_once("].").map_or((fact.as_str(), ""), |(of, fact)| (of, fact));
        let facts = all.entry(of).or_default();
        if !fact.is_empty() {
            facts.push(fact);
        }
    }
    let said = |(of, facts): (&str, Vec<&str>)| {
        if facts.is_empty() { of.to_owned() } else { format!("{of}]: {}", facts.join(", ")) }
    };
    all.into_iter().map(said).collect()
}
