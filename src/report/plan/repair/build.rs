//! From what was found to the frozen shape.

use crate::facts::time::say_duration;
use crate::facts::value::Value;
use crate::gate::Verdict;
use crate::plan::repair::{Change, Kind, Origin, OwnOrder, Status, Tried};
use crate::plan::simulate::Takes;
use crate::plan::solver::{Answer, Certificate, Status as Solved};
use crate::plan::trace::{StepStatus, StepTrace, Trace};
use crate::plan::world::Phase;
use crate::report::explain::Tool;
use crate::report::plan::repair::changes::edits;
use crate::report::plan::repair::proof::Names;
use crate::report::plan::repair::{
    AlternativeX, EditX, NotInsertedX, ProofX, RepairInput, RepairReport, RepairedX, RowX, StuckX,
    SufferX, WhatIfX, WorthX,
};
use crate::report::plan::{PlanReport, build as build_plan, words::plural};

/// Makes the report.
#[must_use]
pub fn build(input: RepairInput<'_>) -> RepairReport {
    let repair = input.repair;
    let names = Names { input: input.written, repair };
    let written = build_plan(input.written);
    let repaired = input.repaired.map(|repaired| {
        let report = build_plan(repaired.input);
        let edits = repair.choices.first().map_or_else(Vec::new, |choice| edits(names, choice));
        let first = repair.choices.first().map_or(&repair.written, |choice| &choice.tried);
        RepairedX {
            worth: worth(first, report.verdict),
            steps: names.rows(first, &edits),
            objects: Names::suffer(first),
            edits,
            text: repaired.text.to_owned(),
            diff: repaired.diff.to_owned(),
            report,
        }
    });
    let core = match repair.answer.as_ref().map(|answer| &answer.status) {
        Some(Solved::InfeasibleProven { core }) if repair.status == Status::Infeasible => {
            Some(names.core(core))
        }
        _ => None,
    };
    let verdict = match (&repair.status, &repaired) {
        (Status::Unchanged, _) => written.exit_code,
        (Status::Infeasible, _) => Verdict::Failed.exit_code(),
        (_, Some(repaired)) if input.disagreements.is_empty() => repaired.report.exit_code,
        _ => Verdict::NoVerdict.exit_code(),
    };
    RepairReport {
        schema: "dpmguard.plan-repair/v1",
        tool: Tool::default(),
        status: name(&repair.status),
        exit_code: verdict,
        durations: match repair.takes {
            Takes::Worst => "longest",
            Takes::Expected => "usual",
        },
        proof: proof(names),
        written: worth(&repair.written, written.verdict),
        plan: written.plan,
        repaired,
        alternatives: alternatives(names),
        sensitivity: what_if(names),
        core,
        why_not: match &repair.status {
            Status::NotFound { why } => Some(why.clone()),
            _ => None,
        },
        not_inserted: repair
            .left
            .iter()
            .map(|left| NotInsertedX {
                said: left.said.clone(),
                why: left.why.clone(),
                objects: left.objects.iter().cloned().collect(),
            })
            .collect(),
        advised: names.advised(),
        stuck: repair
            .stuck
            .iter()
            .map(|(piece, reasons)| StuckX { step: names.piece(*piece), reasons: reasons.clone() })
            .collect(),
        disagreements: input.disagreements.to_vec(),
    }
}

fn name(status: &Status) -> &'static str {
    match status {
        Status::Unchanged => "unchanged",
        Status::ProvenByBound | Status::ProvenBySearch { .. } => "optimal",
        Status::BestFound { .. } => "best_found",
        Status::Infeasible => "infeasible_proven",
        Status::NotFound { .. } => "not_found",
    }
}

/// What a plan is worth with the durations that the repair is made for.
fn worth(tried: &Tried, verdict: &'static str) -> WorthX {
    let trace = &tried.trace;
    let ends =
        |phases: &[Phase]| trace.objects.iter().filter(|one| phases.contains(&one.ends())).count();
    let written = trace.steps.iter().take(tried.plan.written().len());
    let done = |step: &&StepTrace| step.needs.check.is_some() && step.status == StepStatus::Done;
    WorthX {
        verdict,
        good: ends(&[Phase::Good]),
        bad: ends(&[Phase::Bad, Phase::Busy, Phase::Stopped, Phase::Unknown]),
        exposure_seconds: trace.exposure(),
        weighted_exposure_seconds: trace.weighted_exposure(),
        checks: written.filter(done).count(),
        end_seconds: over(trace),
    }
}

/// When the last step is over and what ends good is so.
fn over(trace: &Trace) -> i64 {
    let good = trace.objects.iter().filter(|one| one.ends() == Phase::Good);
    let exposed = good.flat_map(|one| &one.intervals).filter(|one| one.phase.is_exposed());
    exposed.map(|one| one.to).max().unwrap_or(0).max(trace.end)
}

fn proof(names: Names<'_>) -> ProofX {
    let repair = names.repair;
    let mut proof = ProofX {
        tolerance_percent: repair.tolerance.0,
        tolerance_seconds: repair.tolerance.1,
        is_weighted: repair.ground.problem.objects.iter().any(|object| object.weight != 1),
        ..ProofX::default()
    };
    // What is right as it is written is as good as what the solver found.
    let status = repair.choices.first().map_or(&repair.status, |choice| &choice.status);
    match status {
        Status::ProvenByBound => proof.kind = Some("bound"),
        Status::ProvenBySearch { nodes } => {
            (proof.kind, proof.nodes) = (Some("search"), Some(*nodes));
        }
        Status::BestFound { gap } => proof.gap_seconds = Some(*gap),
        Status::Unchanged | Status::Infeasible | Status::NotFound { .. } => {}
    }
    if let Some(answer) = &repair.answer {
        proof.exposure = names.certificate(&answer.bound.exposure);
        proof.end = names.certificate(later(answer));
        proof.conditions = names.conditions();
    }
    proof
}

/// The later one of the earliest ends.
fn later(answer: &Answer) -> &Certificate {
    let ends = &answer.bound.ends;
    if ends.checks.total >= ends.tasks.total { &ends.checks } else { &ends.tasks }
}

impl Names<'_> {
    /// A piece with what is done in it, and at what.
    pub(super) fn done(&self, piece: usize) -> String {
        let action = self.repair.pieces.action(self.input.set, piece);
        let id = action.map(|action| action.id.to_string()).unwrap_or_default();
        let args = self.repair.pieces.step(piece).map(|step| step.args.as_slice());
        let at = args.unwrap_or_default().iter().find_map(|arg| match arg {
            Value::Object(object) => Some(self.key(*object)),
            Value::Name(name) => Some(name.to_string()),
            _ => None,
        });
        at.map_or_else(|| id.clone(), |at| format!("{id} {at}"))
    }
}

impl Names<'_> {
    /// The steps by their begin, those of one second in the order of the plan.
    fn rows(&self, tried: &Tried, edits: &[EditX]) -> Vec<RowX> {
        let steps = tried.draft.entries.iter().zip(&tried.trace.steps);
        let mut rows: Vec<RowX> = steps
            .map(|(entry, step)| {
                let id = self.piece(entry.piece);
                let edit = edits.iter().find(|edit| edit.step == id);
                let mut said: Vec<String> = Vec::new();
                said.extend(edit.map(|edit| match edit.op {
                    "move" => format!("moved {}", edit.said),
                    _ => edit.said.clone(),
                }));
                said.extend(self.outcome(tried, step));
                RowX {
                    action: self.done(entry.piece),
                    start_seconds: step.start,
                    end_seconds: step.end,
                    op: edit.map(|edit| edit.op),
                    said: said.join("; "),
                    step: id,
                }
            })
            .collect();
        rows.sort_by_key(|row| row.start_seconds.unwrap_or(i64::MAX));
        rows
    }

    /// What rules advise, and without which the plan ends as well.
    fn advised(&self) -> Vec<String> {
        let mut all = Vec::new();
        for piece in &self.repair.spared {
            let origin = self.repair.pieces.all.get(*piece).map(|piece| &piece.origin);
            if let Some(Origin::Fix(step)) = origin
                && !all.contains(&step.text)
            {
                all.push(step.text.clone());
            }
        }
        all
    }

    /// The objects that are without protection at some time.
    fn suffer(tried: &Tried) -> Vec<SufferX> {
        let id = |step: &usize| tried.plan.steps.get(*step).map(|step| step.id.to_string());
        let exposed = tried.trace.objects.iter().filter(|one| one.exposure > 0);
        let mut all: Vec<SufferX> = exposed
            .map(|one| {
                let bad = one.intervals.iter().filter(|at| at.phase.is_exposed());
                let mut spans: Vec<(i64, i64)> = Vec::new();
                let mut caused_by: Vec<String> = Vec::new();
                for interval in bad {
                    match spans.last_mut() {
                        Some(last) if last.1 == interval.from => last.1 = interval.to,
                        _ => spans.push((interval.from, interval.to)),
                    }
                    for step in interval.caused_by.iter().filter_map(id) {
                        if !caused_by.contains(&step) {
                            caused_by.push(step);
                        }
                    }
                }
                SufferX {
                    object: one.key.to_string(),
                    spans,
                    exposure_seconds: one.exposure,
                    caused_by,
                    oldest_point_seconds: one.oldest_point,
                    ends_good: one.ends() == Phase::Good,
                }
            })
            .collect();
        all.sort_by_key(|one| std::cmp::Reverse(one.exposure_seconds));
        all
    }

    /// What came of a step that did not just take place.
    fn outcome(&self, tried: &Tried, step: &StepTrace) -> Option<String> {
        let window = &tried.plan.window;
        let limit = match step.needs.check {
            Some(_) => window.end.max(window.checks_until),
            None => window.end,
        };
        match &step.status {
            StepStatus::Done if step.end.is_some_and(|end| end > limit) => {
                Some(format!("has not ended by {}", self.input.clock.show_day(limit)))
            }
            StepStatus::Done => None,
            StepStatus::Nothing => {
                let written = tried.plan.written().len();
                let mut jobs = tried.trace.steps.iter().skip(written);
                let by_job = step.needs.check.is_some_and(|(object, _)| {
                    jobs.any(|job| {
                        job.end == step.start
                            && job.status == StepStatus::Done
                            && job.needs.check.is_some_and(|(known, _)| known == object)
                    })
                });
                let said = if by_job {
                    "a job that begins by itself has done it by then"
                } else {
                    "nothing to do"
                };
                Some(said.to_owned())
            }
            StepStatus::Refused(reasons) if reasons.is_empty() => Some("wasted".to_owned()),
            StepStatus::Refused(reasons) => Some(format!("cannot begin: {}", reasons.join(" "))),
            StepStatus::Never => Some("never begins".to_owned()),
        }
    }
}

fn alternatives(names: Names<'_>) -> Vec<AlternativeX> {
    let repair = names.repair;
    let clock = names.input.clock;
    let mut all = Vec::new();
    for choice in repair.choices.iter().skip(1) {
        let trace = &choice.tried.trace;
        let kind = match choice.kind {
            Kind::LeastEdits => "least_edits",
            Kind::Recommended => "recommended",
            Kind::LeastExposure => "least_exposure",
        };
        let title = match choice.kind {
            Kind::LeastEdits => "your own order, with what it lacks",
            Kind::Recommended => "least harm",
            Kind::LeastExposure => "the least time without protection, whatever has to be moved",
        };
        let edits = &choice.edits;
        all.push(AlternativeX {
            kind,
            status: name(&choice.status),
            inserted: edits.inserted.len(),
            deleted: edits.deleted.len(),
            moved: edits.moved.len(),
            exposure_seconds: Some(trace.exposure()),
            end_seconds: Some(over(trace)),
            steps: choice.tried.plan.written().iter().map(|step| step.id.to_string()).collect(),
            said: format!(
                "{title}: {} without protection, done at {}; {}",
                say_duration(trace.exposure()),
                clock.show_day(over(trace)),
                edits_said(edits.inserted.len(), edits.deleted.len(), edits.moved.len())
            ),
        });
    }
    let own = match &repair.own_order {
        OwnOrder::Fits => None,
        OwnOrder::DoesNotFit => Some("your own order does not fit".to_owned()),
        OwnOrder::Needs(needed) => {
            let needed = names.relaxation(needed);
            Some(format!("your own order does not fit; it needs {needed}"))
        }
    };
    if let Some(said) = own {
        all.push(AlternativeX {
            kind: "least_edits",
            status: "infeasible_proven",
            inserted: 0,
            deleted: 0,
            moved: 0,
            exposure_seconds: None,
            end_seconds: None,
            steps: Vec::new(),
            said,
        });
    }
    all
}

/// `2 put in, 1 taken out, 3 moved`.
pub(super) fn edits_said(inserted: usize, deleted: usize, moved: usize) -> String {
    let parts = [(inserted, "put in"), (deleted, "taken out"), (moved, "moved")];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    if parts.is_empty() { "nothing changed".to_owned() } else { parts.join(", ") }
}

fn what_if(names: Names<'_>) -> Vec<WhatIfX> {
    let repair = names.repair;
    let clock = names.input.clock;
    let until = repair.ground.problem.checks_until;
    let all = repair.what_if.iter().map(|one| {
        let (change, said) = match one.change {
            Change::Window(more) => (
                "window",
                format!("window and checks until {}", clock.show_day(until.saturating_add(more))),
            ),
            Change::Slots(owner, slots) => {
                ("slots", format!("{} at a time on {}", plural(slots, "check"), names.owner(owner)))
            }
            Change::Waits => {
                ("waits", "no step waits for a check because the plan says so".to_owned())
            }
        };
        WhatIfX {
            change,
            said,
            exposure_seconds: one.value.exposure,
            end_seconds: one.value.end,
            is_proven: one.is_proven,
        }
    });
    all.collect()
}

/// Whether a hazard fails the plan.
#[must_use]
pub(super) fn fails(report: &PlanReport) -> usize {
    let errors = report.hazards.iter().filter(|one| one.severity == "error");
    errors.filter(|one| one.accepted.is_none()).count()
}
