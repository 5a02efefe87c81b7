//! What is known of one step or object, for programs: the frozen shape of
//! `schemas/plan-explain-v1.schema.json`. Seconds count from the opening of the window.

use std::io;

use serde::Serialize;

use crate::plan::insight::Begin;
use crate::plan::time::Clock;
use crate::report::explain::Tool;
use crate::report::plan::explain::{about, changes_of, reaching};
use crate::report::plan::words;
use crate::report::plan::{CauseX, ChangeX, HazardX, ObjectX, PlanReport, StepX, UndoX};

#[derive(Serialize)]
struct PlanExplained<'a> {
    schema: &'static str,
    tool: Tool,
    plan: &'a str,
    start: &'a str,
    zone: &'a str,
    verdict: &'static str,
    step: Option<StepExplained<'a>>,
    object: Option<ObjectExplained<'a>>,
}

#[derive(Serialize)]
struct StepExplained<'a> {
    id: &'a str,
    action: &'a str,
    with: &'a [(String, String)],
    at: Option<&'a str>,
    who: String,
    status: &'static str,
    outcome: String,
    start: Option<&'a str>,
    end: Option<&'a str>,
    latest_start: Option<&'a str>,
    begins: String,
    because: &'a str,
    undo: Option<&'a UndoX>,
    does: Option<&'a str>,
    commands: Vec<CommandX<'a>>,
    conditions: Vec<ConditionX<'a>>,
    values: &'a [(String, String)],
    changes: Vec<ChangedX<'a>>,
    opens: Vec<&'a CauseX>,
    closes: Vec<&'a CauseX>,
    hazards: Vec<&'a HazardX>,
    stop: String,
}

#[derive(Serialize)]
struct CommandX<'a> {
    product: &'a str,
    run: &'a str,
}

#[derive(Serialize)]
struct ConditionX<'a> {
    that: &'a str,
    holds: Option<bool>,
    otherwise: &'a str,
    missing: Option<&'a str>,
}

#[derive(Serialize)]
struct ChangedX<'a> {
    time: i64,
    change: &'a ChangeX,
    because: Vec<&'a str>,
}

#[derive(Serialize)]
struct ObjectExplained<'a> {
    key: &'a str,
    ends: &'static str,
    exposure_seconds: i64,
    oldest_point_seconds: Option<i64>,
    states: Vec<StateX<'a>>,
    checks: Vec<CheckedX<'a>>,
    steps: Vec<&'a str>,
    hazards: Vec<&'a HazardX>,
}

#[derive(Serialize)]
struct CheckedX<'a> {
    step: &'a str,
    start: Option<&'a str>,
    end: Option<&'a str>,
    outcome: String,
}

#[derive(Serialize)]
struct StateX<'a> {
    from: i64,
    to: i64,
    phase: &'static str,
    is_blocked: bool,
    caused_by: &'a [String],
    causes: Vec<&'a CauseX>,
}

/// Writes all that is known of a step.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_step(
    report: &PlanReport,
    step: &StepX,
    begin: Option<&Begin>,
    clock: &Clock,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let commands = begin.iter().flat_map(|begin| &begin.commands);
    let conditions = begin.iter().flat_map(|begin| &begin.conditions);
    let causes = |numbers: &[usize]| {
        numbers.iter().filter_map(|number| report.causes.get(*number)).collect()
    };
    let explained = StepExplained {
        id: &step.id,
        action: &step.action,
        with: &step.with,
        at: step.at.as_deref(),
        who: words::who(step),
        status: step.status,
        outcome: words::outcome(step, report, clock),
        start: step.start.as_deref(),
        end: step.end.as_deref(),
        latest_start: step.latest_start.as_deref(),
        begins: words::waits_for(step, clock),
        because: &step.because,
        undo: step.undo.as_ref(),
        does: begin.map(|begin| begin.does.as_str()),
        commands: commands.map(|(product, run)| CommandX { product, run }).collect(),
        conditions: conditions
            .map(|one| ConditionX {
                that: &one.that,
                holds: one.holds.as_ref().ok().copied(),
                otherwise: &one.otherwise,
                missing: one.holds.as_ref().err().map(String::as_str),
            })
            .collect(),
        values: begin.map(|begin| begin.values.as_slice()).unwrap_or_default(),
        changes: changes_of(report, step)
            .map(|(time, change, because)| ChangedX { time, change, because })
            .collect(),
        opens: causes(&step.opened),
        closes: causes(&step.closed),
        hazards: report.hazards.iter().filter(|one| one.step.as_ref() == Some(&step.id)).collect(),
        stop: words::stop(step, report.totals.objects, clock),
    };
    write(report, Some(explained), None, out)
}

/// Writes all that is known of a protected object.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_object(
    report: &PlanReport,
    object: &ObjectX,
    clock: &Clock,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let states = object.intervals.iter().filter(|one| one.to > one.from).map(|one| StateX {
        from: one.from,
        to: one.to,
        phase: one.phase,
        is_blocked: one.is_blocked,
        caused_by: &one.caused_by,
        causes: one.open.iter().filter_map(|number| report.causes.get(*number)).collect(),
    });
    let explained = ObjectExplained {
        key: &object.key,
        ends: object.ends,
        exposure_seconds: object.exposure_seconds,
        oldest_point_seconds: object.oldest_point_seconds,
        states: states.collect(),
        checks: words::checks_of(report, object)
            .map(|step| CheckedX {
                step: &step.id,
                start: step.start.as_deref(),
                end: step.end.as_deref(),
                outcome: words::outcome(step, report, clock),
            })
            .collect(),
        steps: reaching(report, object).map(|step| step.id.as_str()).collect(),
        hazards: about(report, object),
    };
    write(report, None, Some(explained), out)
}

fn write(
    report: &PlanReport,
    step: Option<StepExplained<'_>>,
    object: Option<ObjectExplained<'_>>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let explained = PlanExplained {
        schema: "dpmguard.plan-explain/v1",
        tool: Tool::default(),
        plan: &report.plan.id,
        start: &report.plan.start,
        zone: &report.plan.zone,
        verdict: report.verdict,
        step,
        object,
    };
    crate::report::json::pretty(&explained, out)
}
