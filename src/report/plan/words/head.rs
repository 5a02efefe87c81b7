//! What stands at the head of a report: the verdict, how the objects end, and what it comes from.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::finding::Severity;
use crate::gate::Threshold;
use crate::plan::time::Clock;
use crate::report::plan::words::{level, plural};
use crate::report::plan::{HazardX, ObjectX, PlanReport};

/// Most objects that the head names.
const MOST_NAMED: usize = 2;

/// The verdict as a reader looks for it.
pub(in crate::report::plan) fn verdict(name: &str) -> &'static str {
    match name {
        "passed" => "PASS",
        "failed" => "FAIL",
        _ => "NO VERDICT",
    }
}

/// So many of the protected objects: `1 of 3 data sources`.
pub(super) fn of_all(count: usize, report: &PlanReport) -> String {
    let all = report.totals.objects;
    let one = report.protection.as_ref().filter(|_| all == 1);
    let noun = one.map_or_else(|| report.plan.protects.clone(), |one| one.kind.replace('_', " "));
    format!("{count} of {all} {noun}")
}

/// How the objects end, in numbers, and why the plan does not pass where that does not say it.
pub(in crate::report::plan) fn ends(report: &PlanReport, clock: &Clock) -> String {
    let totals = &report.totals;
    let end = clock.show(report.plan.checks_until_seconds);
    let mut text = match (totals.bad, totals.unknown) {
        (0, 0) => format!("{} protected at {end}", of_all(totals.good, report)),
        (0, unknown) => format!("{}: nobody can say at {end}", of_all(unknown, report)),
        // Where nothing is said against it they were bad before, or need not be good.
        (bad, _)
            if report
                .hazards
                .iter()
                .all(|one| one.id != "plan-end-unprotected" || one.usual_only) =>
        {
            format!(
                "{} protected at {end}; {bad} {} not, as before or as the goal allows",
                of_all(totals.good, report),
                if bad == 1 { "is" } else { "are" }
            )
        }
        (bad, _) => {
            let end_s = if bad == 1 { "ends" } else { "end" };
            format!("{} {end_s} UNPROTECTED at {end}", of_all(bad, report))
        }
    };
    let by_state = report.hazards.iter().filter(|one| one.id == "plan-cause-stands");
    let by_state: usize = by_state.map(|one| one.objects.len()).sum();
    if by_state > 0 && totals.bad + totals.unknown == 0 {
        let _ = write!(text, ", {by_state} of them by state alone");
    } else if by_state > 0 {
        let count = if by_state == 1 { "counts" } else { "count" };
        let _ = write!(text, "; of the others {by_state} {count} as protected by state alone");
    }
    text.push_str(&unknown(report));
    text.push_str(&because(report));
    text
}

/// The objects of the plan of which nobody can say how they end, unless they are many.
fn unknown(report: &PlanReport) -> String {
    if report.totals.unknown == 0 {
        return String::new();
    }
    let of_plan = touched(report);
    let open = report.objects.iter().filter(|one| one.ends == "unknown");
    let keys: Vec<&str> =
        open.map(|one| one.key.as_str()).filter(|key| of_plan.contains(key)).collect();
    match keys.len() {
        0 if report.totals.bad == 0 => String::new(),
        0 => format!("; nobody can say of {} more", report.totals.unknown),
        count if count > MOST_NAMED => format!("; nobody can say of {count} that the plan touches"),
        _ => format!("; nobody can say of {}", keys.join(" and ")),
    }
}

/// What keeps the plan from passing.
pub(super) fn failing(report: &PlanReport) -> Vec<&HazardX> {
    let threshold = Threshold::named(report.fail_on).unwrap_or(Threshold::From(Severity::Error));
    let decides = |one: &&HazardX| match report.verdict {
        "failed" => {
            let severity = Severity::named(one.severity);
            !one.no_verdict && severity.is_some_and(|severity| threshold.reached(severity))
        }
        "no_verdict" => one.no_verdict,
        _ => false,
    };
    let open = report.hazards.iter().filter(|one| one.accepted.is_none());
    open.filter(decides).collect()
}

/// The first thing that keeps the plan from passing, unless that objects end unprotected says it.
fn because(report: &PlanReport) -> String {
    let all = failing(report);
    let Some(first) = all.first() else { return String::new() };
    // Of another course of events the numbers tell nothing.
    if report.totals.bad > 0 && all.iter().any(|one| one.id == "plan-end-unprotected") {
        return String::new();
    }
    let mut text = format!("; {} because of {}", verdict(report.verdict), first.id);
    if let Some(step) = &first.step {
        let _ = write!(text, " at {step}");
    }
    if all.len() > 1 {
        let _ = write!(text, " and {} more", all.len() - 1);
    }
    text
}

/// The hazards in numbers: those that nobody takes responsibility for, and those that somebody does.
pub(in crate::report::plan) fn counts(report: &PlanReport) -> String {
    let count = |wanted: &str, is_accepted: bool| {
        let all = report.hazards.iter().filter(|one| one.accepted.is_some() == is_accepted);
        all.filter(|one| level(one) == wanted).count()
    };
    let unknown = match count("no verdict", false) {
        0 => String::new(),
        unknown => format!("{unknown} without a verdict, "),
    };
    let [errors, warnings, notes] = ["error", "warning", "note"].map(|level| {
        let open = plural(count(level, false), level);
        match count(level, true) {
            0 => open,
            accepted => format!("{open}, {accepted} accepted"),
        }
    });
    format!("{errors}, {unknown}{warnings}, {notes}")
}

/// The hazards in the order in which a reader wants them: what counts, what somebody takes responsibility
/// for, and notes.
pub(in crate::report::plan) fn by_weight(report: &PlanReport) -> impl Iterator<Item = &HazardX> {
    let mut all: Vec<&HazardX> = report.hazards.iter().collect();
    all.sort_by_key(|one| match (&one.accepted, one.severity) {
        (None, "note") => 2,
        (None, _) => 0,
        (Some(_), _) => 1,
    });
    all.into_iter()
}

/// Keys of the objects that the plan touches: what it can hurt, and what it checks.
pub(in crate::report::plan) fn touched(report: &PlanReport) -> BTreeSet<&str> {
    let mut keys: BTreeSet<&str> = report.blast.objects.iter().map(String::as_str).collect();
    let checks = report.steps.iter().filter_map(|step| step.needs.checks.as_ref());
    keys.extend(checks.filter_map(|check| Some(check.object.split_once(' ')?.1)));
    let is_caused = |one: &&ObjectX| one.intervals.iter().any(|one| !one.caused_by.is_empty());
    keys.extend(report.objects.iter().filter(is_caused).map(|one| one.key.as_str()));
    keys
}

/// Of the objects that the plan touches the one that is longest without protection; where there is none, that
/// of all others.
pub(in crate::report::plan) fn worst(report: &PlanReport) -> Option<(&ObjectX, bool)> {
    let of_plan = touched(report);
    let hit = report.objects.iter().filter(|one| one.exposure_seconds > 0);
    let hit = hit.map(|one| (one, of_plan.contains(one.key.as_str())));
    hit.max_by_key(|(one, is_of_plan)| (*is_of_plan, one.exposure_seconds))
}

/// What an object is without protection because of: steps in their order, and what was before the plan.
pub(in crate::report::plan) fn because_of(object: &ObjectX) -> Vec<String> {
    let is_exposed = |phase: &str| matches!(phase, "bad" | "busy" | "stopped" | "unknown");
    let mut found: Vec<String> = Vec::new();
    let first = object.intervals.iter().find(|one| one.to > one.from);
    if first.is_some_and(|one| one.from == 0 && is_exposed(one.phase) && one.caused_by.is_empty()) {
        found.push("before the plan".to_owned());
    }
    for step in object.intervals.iter().flat_map(|one| &one.caused_by) {
        if !found.contains(step) {
            found.push(step.clone());
        }
    }
    found
}
