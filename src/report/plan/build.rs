//! From traces and hazards to the frozen shape.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{ObjectId, Value};
use crate::gate::Threshold;
use crate::plan::hazard::{Course, Hazard, Judged};
use crate::plan::insight::Insight;
use crate::plan::time::Clock;
use crate::plan::trace::{ObjectTrace, StepStatus, StepTrace, Trace};
use crate::plan::world::Phase;
use crate::plan::{Plan, Step};
use crate::report::diagnostic;
use crate::report::explain::{PlaceX, Tool};
use crate::report::plan::course;
use crate::report::plan::{
    AfterX, CauseX, FileX, HazardX, InputsX, IntervalX, ObjectX, PlanReport, PlanX, SettingX,
    StepX, TotalsX, UndoX,
};
use crate::rule::pack::RuleSet;
use crate::source::Sources;

/// What a report is made of.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The files.
    pub sources: &'a Sources,
    /// The rules and actions.
    pub set: &'a RuleSet,
    /// The facts before the plan.
    pub facts: &'a Arc<Facts>,
    /// The plan.
    pub plan: &'a Plan,
    /// What came of it.
    pub judged: &'a Judged,
    /// What else can be said of it.
    pub insight: &'a Insight,
    /// Seconds that facts may be old when the window opens, where somebody said so.
    pub max_age: Option<i64>,
    /// Shows its times.
    pub clock: &'a Clock,
    /// From which severity on a hazard fails it.
    pub threshold: Threshold,
    /// The instant of the run.
    pub now: &'a Instant,
    /// What is odd about the plan file and the facts.
    pub warnings: &'a [Diagnostic],
}

/// Makes the report.
#[must_use]
pub fn build(input: Input<'_>) -> PlanReport {
    let Input { plan, judged, clock, .. } = input;
    let verdict = judged.verdict(input.threshold);
    let trace = &judged.worst;
    let written = plan.written().len();
    PlanReport {
        schema: "dpmguard.plan-report/v1",
        tool: Tool::default(),
        plan: PlanX {
            id: plan.id.clone(),
            title: plan.title.clone(),
            file: input.sources.location(plan.place).file,
            start: clock.date_time(0),
            end: clock.date_time(plan.window.end),
            end_seconds: plan.window.end,
            checks_until: clock.date_time(plan.window.checks_until.max(plan.window.end)),
            zone: plan.window.zone.clone(),
            protects: protects(input),
            start_unix: plan.window.start,
            checks_until_seconds: plan.window.checks_until.max(plan.window.end),
            order: if plan.is_ordered { "as_written" } else { "partial" },
            blackouts: course::blackouts(plan),
            max_exposure_seconds: plan.goal.max_exposure,
        },
        inputs: inputs(input),
        verdict: verdict.name(),
        exit_code: verdict.exit_code(),
        fail_on: input.threshold.name(),
        totals: totals(input),
        expected: input.outlook(
            &judged.expected,
            &judged.expected_hazards,
            judged.expected_verdict(input.threshold),
        ),
        without_chance: input.outlook(
            &judged.lucky,
            &judged.lucky_hazards,
            judged.lucky_verdict(input.threshold),
        ),
        blast: input.blast(),
        basis: input.basis(),
        warnings: input.warnings.iter().map(|one| diagnostic::plain(one, input.sources)).collect(),
        hazards: judged.hazards.iter().map(|hazard| input.hazard(hazard)).collect(),
        steps: (0..written).filter_map(|position| input.step(position)).collect(),
        jobs: (written..plan.steps.len()).filter_map(|position| input.step(position)).collect(),
        objects: trace.objects.iter().map(|object| input.object(object)).collect(),
        causes: input.causes(trace),
        protection: input.protection(),
        resources: input.resources(),
        events: trace.events.iter().filter_map(|event| input.event(event)).collect(),
    }
}

fn protects(input: Input<'_>) -> String {
    let kind = input.set.protection().and_then(|(known, _)| input.facts.model().kind(known.kind));
    kind.map(|kind| kind.collection.replace('_', " ")).unwrap_or_default()
}

fn inputs(input: Input<'_>) -> InputsX {
    let digest = |file| input.sources.get(file).map(|source| source.digest().to_owned());
    let files = input.facts.files().iter();
    let oldest = input.facts.files().iter().map(|file| file.observed_at.seconds()).min();
    InputsX {
        plan: digest(input.plan.place.file).unwrap_or_default(),
        facts: files
            .filter_map(|file| {
                let name = input.sources.get(file.file)?.name().to_owned();
                Some(FileX { name, digest: digest(file.file)? })
            })
            .collect(),
        packs: input
            .set
            .packs
            .iter()
            .map(|pack| FileX { name: pack.name.clone(), digest: pack.digest.clone() })
            .collect(),
        settings: settings(input.set),
        now: input.now.to_string(),
        facts_age_seconds: oldest.map(|oldest| input.plan.window.start - oldest),
    }
}

/// The settings that somebody has set.
fn settings(set: &RuleSet) -> Vec<SettingX> {
    let of_rules = set.rules.iter().map(|rule| (&rule.id, &rule.params));
    let of_actions = set.actions.iter().map(|action| (&action.id, &action.params));
    let all = of_rules.chain(of_actions).flat_map(|(id, params)| {
        params.iter().filter(|param| param.is_set).map(move |param| SettingX {
            name: format!("{id}.{}", param.name),
            value: param.written.clone(),
        })
    });
    all.collect()
}

fn totals(input: Input<'_>) -> TotalsX {
    let trace = &input.judged.worst;
    let ends = trace.ends();
    let count = |phase| ends.get(&phase).copied().unwrap_or(0);
    let checks = trace.steps.iter().zip(&input.plan.steps).filter(|(trace, step)| {
        let action = input.set.actions.get(step.action);
        action.is_some_and(|action| action.course.checks.is_some())
            && trace.status == StepStatus::Done
            && trace.vain.is_empty()
            && trace.undecided.is_empty()
            && trace.broken_by.is_none()
    });
    TotalsX {
        objects: trace.objects.len() - count(Phase::Outside),
        good: count(Phase::Good),
        bad: count(Phase::Bad) + count(Phase::Busy) + count(Phase::Stopped),
        unknown: count(Phase::Unknown),
        exposure_seconds: trace.exposure(),
        expected_exposure_seconds: input.judged.expected.exposure(),
        checks: checks.count(),
        end: input.clock.date_time(trace.end),
        end_seconds: trace.end,
        most_at_once: most_at_once(trace),
    }
}

/// Most objects that are without protection at one time.
fn most_at_once(trace: &Trace) -> usize {
    let mut edges: Vec<(i64, i64)> = Vec::new();
    for interval in trace.objects.iter().flat_map(|object| &object.intervals) {
        if interval.phase.is_exposed() && interval.to > interval.from {
            edges.push((interval.from, 1));
            edges.push((interval.to, -1));
        }
    }
    edges.sort_unstable();
    let (mut now, mut most) = (0_i64, 0_i64);
    for (_, step) in edges {
        now += step;
        most = most.max(now);
    }
    usize::try_from(most).unwrap_or(0)
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Good => "good",
        Phase::Bad => "bad",
        Phase::Busy => "busy",
        Phase::Stopped => "stopped",
        Phase::Unknown => "unknown",
        Phase::Outside => "outside",
    }
}

impl Input<'_> {
    fn place(self, place: Place) -> PlaceX {
        let location = self.sources.location(place);
        PlaceX { file: location.file, line: location.line, column: location.column }
    }

    pub(super) fn key(self, object: ObjectId) -> String {
        self.judged.worst.facts.key(object).to_string()
    }

    pub(super) fn id(self, step: usize) -> Option<String> {
        self.plan.steps.get(step).map(|step| step.id.to_string())
    }

    fn hazard(self, hazard: &Hazard) -> HazardX {
        HazardX {
            id: hazard.kind.id,
            severity: hazard.severity.name(),
            no_verdict: hazard.kind.leaves_open(hazard.severity, self.threshold),
            message: hazard.message.clone(),
            step: hazard.step.and_then(|step| self.id(step)),
            objects: hazard.objects.clone(),
            place: self.place(hazard.place),
            chain: hazard.chain.iter().map(|link| link.said.clone()).collect(),
            help: hazard.help.clone(),
            rule: hazard.rule.clone(),
            certainty: if hazard.may { "may" } else { "will" },
            accepted: self.accepted(hazard),
            usual_only: hazard.only.is_some(),
            course: hazard.only.map(Course::name),
        }
    }

    fn step(self, position: usize) -> Option<StepX> {
        let step: &Step = self.plan.steps.get(position)?;
        let trace: &StepTrace = self.judged.worst.steps.get(position)?;
        let action = self.set.actions.get(step.action)?;
        let automatic = step.automatic.and_then(|number| action.course.automatic.get(number));
        if automatic.is_some() && trace.status == StepStatus::Nothing {
            return None;
        }
        let date = |time: Option<i64>| time.map(|time| self.clock.date_time(time));
        let (status, reasons) = match &trace.status {
            StepStatus::Done => ("done", Vec::new()),
            StepStatus::Nothing => ("nothing_to_do", Vec::new()),
            StepStatus::Refused(reasons) => {
                ("refused", reasons.iter().map(|one| self.clock.local(one)).collect())
            }
            StepStatus::Never => ("never", Vec::new()),
        };
        let with = action.args.iter().zip(&step.args);
        let latest_start = self.latest_start(trace);
        let expected = self.judged.expected.steps.get(position).and_then(|step| step.end);
        Some(StepX {
            id: step.id.to_string(),
            action: action.id.to_string(),
            automatic: automatic.map(|automatic| automatic.title.clone()),
            with: with.map(|(arg, value)| (arg.name.to_string(), self.facts.say(value))).collect(),
            at: match step.args.get(action.at) {
                Some(Value::Object(object)) => Some(self.key(*object)),
                _ => None,
            },
            place: self.place(step.place),
            start: date(trace.start),
            end: date(trace.end),
            start_seconds: trace.start,
            end_seconds: trace.end,
            expected_end: date(expected),
            status,
            is_broken_off: trace.status == StepStatus::Done && trace.broken_by.is_some(),
            broken_off_by: trace.broken_by.and_then(|other| self.id(other)),
            reasons,
            opened: trace.opened.clone(),
            closed: trace.closed.clone(),
            harmed: trace.harmed.iter().map(|id| self.key(*id)).collect(),
            because: trace.because.clone(),
            after: trace
                .after
                .iter()
                .map(|(id, state, is_blocked)| self.after(*id, *state, *is_blocked))
                .collect(),
            needs: self.needs(position, trace),
            takes_seconds: trace.takes,
            begins_after: self.begins_after(position),
            can_be_undone: action.can_be_undone(),
            undo: self
                .insight
                .undone
                .get(position)?
                .as_ref()
                .map(|undo| UndoX { action: undo.action.clone(), with: undo.with.clone() }),
            latest_start: date(latest_start),
            latest_start_seconds: latest_start,
            stop: self
                .insight
                .stops
                .get(position)
                .and_then(Option::as_ref)
                .map(|stop| self.stop(stop)),
            blast: self.rings(self.insight.rings.get(position)?),
        })
    }

    /// The steps that must have ended before a step: those that it names, and in a plan with an order the
    /// operator's step before it.
    fn begins_after(self, position: usize) -> Vec<String> {
        let Some(step) = self.plan.steps.get(position) else { return Vec::new() };
        let mut before = step.after.clone();
        if self.plan.is_ordered && step.automatic.is_none() {
            let is_operators = |other: &usize| {
                let action = self
                    .plan
                    .steps
                    .get(*other)
                    .and_then(|other| self.set.actions.get(other.action));
                action.is_some_and(|action| action.course.occupies_operator)
            };
            let group = |other: &usize| self.plan.steps.get(*other).and_then(|other| other.group);
            let is_beside = |other: &usize| step.group.is_some() && group(other) == step.group;
            let mut earlier =
                (0..position).rev().filter(is_operators).filter(|other| !is_beside(other));
            if let Some(last) = earlier.next() {
                before.push(last);
                before
                    .extend(earlier.take_while(|other| {
                        group(other).is_some() && group(other) == group(&last)
                    }));
            }
        }
        before.sort_unstable();
        before.dedup();
        before.into_iter().filter_map(|other| self.id(other)).collect()
    }

    fn after(self, id: ObjectId, state: Phase, is_blocked: bool) -> AfterX {
        AfterX { key: self.key(id), phase: phase(state), is_blocked }
    }

    /// With everything from this step on begun later by the same time.
    fn latest_start(self, step: &StepTrace) -> Option<i64> {
        let trace = &self.judged.worst;
        let window = &self.plan.window;
        let checks_until = window.checks_until.max(window.end);
        let room = self.plan.written().iter().zip(&trace.steps).filter_map(|(planned, step)| {
            let action = self.set.actions.get(planned.action)?;
            let limit = if action.course.checks.is_none() { window.end } else { checks_until };
            Some(limit - step.end?)
        });
        let wanted = trace.objects.iter().filter(|object| object.is_wanted(&self.plan.goal));
        let goods = wanted.filter_map(|object| {
            let last = object.intervals.last()?;
            match last.phase {
                Phase::Good if object.intervals.len() > 1 => Some(last.from),
                Phase::Good | Phase::Outside => None,
                // It never becomes good: nothing is in time.
                _ => Some(i64::MAX),
            }
        });
        let start = step.start?;
        let slack = room
            .min()
            .unwrap_or(window.end)
            .min(checks_until.saturating_sub(goods.max().unwrap_or(0)))
            .min(self.patience(start));
        (slack >= 0).then(|| start.saturating_add(slack))
    }

    /// How much longer objects can be without protection that are so when a step begins.
    fn patience(self, start: i64) -> i64 {
        let Some(limit) = self.plan.goal.max_exposure else { return i64::MAX };
        let waits = self.judged.worst.objects.iter().filter(|object| {
            let open = object.intervals.iter().rev().find(|one| one.from < start);
            object.is_touched() && open.is_some_and(|one| one.phase.is_exposed() && one.to >= start)
        });
        waits.map(|object| limit - object.exposure).min().unwrap_or(i64::MAX)
    }

    fn object(self, object: &ObjectTrace) -> ObjectX {
        let interval = |one: &crate::plan::trace::Interval| IntervalX {
            from: one.from,
            to: one.to,
            phase: phase(one.phase),
            open: one.open.clone(),
            is_blocked: one.is_blocked,
            caused_by: one.caused_by.iter().filter_map(|step| self.id(*step)).collect(),
        };
        ObjectX {
            key: object.key.to_string(),
            intervals: object.intervals.iter().map(interval).collect(),
            exposure_seconds: object.exposure,
            oldest_point_seconds: object.oldest_point,
            weight: object.weight,
            ends: phase(object.ends()),
        }
    }

    fn causes(self, trace: &Trace) -> Vec<CauseX> {
        let rule = |position: usize| self.set.rules.get(position).map(|rule| rule.id.to_string());
        let cause = |one: &crate::plan::trace::CauseTrace| CauseX {
            rule: rule(one.rule).unwrap_or_default(),
            subject: one.subject.key.to_string(),
            message: self.clock.local(&one.message),
            opened_by: one.opened_by.and_then(|step| self.id(step)),
            closed_by: one.closed_by.and_then(|step| self.id(step)),
            objects: one.objects.iter().map(|id| trace.facts.key(*id).to_string()).collect(),
            stops_backups: self.set.rules.get(one.rule).is_some_and(|rule| rule.stops_backups()),
            is_obstacle: self.set.rules.get(one.rule).is_some_and(|rule| !rule.is_cause()),
            opened_at: one.opened_at,
            closed_at: one.closed_at,
        };
        trace.causes.iter().map(cause).collect()
    }
}
