//! Checks and backups that something would probably let fail, though no source says that it does.

use std::collections::BTreeSet;

use crate::facts::value::{ObjectId, Value};
use crate::finding::{Evaluation, Finding, Role, Subject};
use crate::plan::hazard::Link;
use crate::plan::hazard::find::Finder;
use crate::plan::hazard::find::objects::listed;
use crate::plan::hazard::find::remedies::said;
use crate::plan::trace::{CauseTrace, StepStatus};

impl Finder<'_> {
    pub(super) fn likely(&mut self, before: &Evaluation) {
        let (trace, after) = (self.trace, self.after);
        for cause in trace.causes.iter().filter(|cause| !cause.likely.is_empty()) {
            let Some(rule) = self.given.set.rules.get(cause.rule) else { continue };
            let met: Vec<(usize, ObjectId)> = (0..trace.steps.len())
                .filter_map(|step| Some((step, self.meets(step, cause)?)))
                .collect();
            let is_ours = |object: ObjectId| cause.opened_by.is_some() || self.is_named(object);
            if !met.iter().any(|(_, object)| is_ours(*object)) {
                continue;
            }
            let keys: BTreeSet<String> = met.iter().map(|(_, object)| self.key(*object)).collect();
            let keys: Vec<String> = keys.into_iter().collect();
            let written: Vec<usize> =
                met.iter().map(|(step, _)| *step).filter(|step| *step < self.written()).collect();
            let message = match written.as_slice() {
                [] => format!("jobs of {} would probably fail: {}", listed(&keys), rule.id),
                [one] => format!("{} would probably fail: {}", self.named(*one), rule.id),
                [one, others @ ..] => format!(
                    "{} and {} more would probably fail: {}",
                    self.named(*one),
                    others.len(),
                    rule.id
                ),
            };
            let since = match cause.opened_by {
                Some(step) => self.named(step),
                None => "before the plan".to_owned(),
            };
            let link = Link {
                said: format!("{since} -> {}: {}", rule.id, cause.message),
                step: cause.opened_by,
            };
            let found = finding(before, &rule.id, &cause.subject);
            let found = found.or_else(|| finding(after, &rule.id, &cause.subject));
            let steps = found.map(|found| found.steps.as_slice()).unwrap_or_default();
            let repairs = steps.iter().filter(|step| step.role == Role::Fix && !step.after_check);
            let repairs: Vec<String> = repairs.map(said).collect();
            let at = written.first().or(cause.opened_by.as_ref()).copied();
            if let Some(hazard) = self.add("plan-check-in-doubt", at, message) {
                hazard.objects = keys;
                hazard.rule = Some(rule.id.to_string());
                hazard.chain = vec![link];
                if !repairs.is_empty() {
                    hazard.help.push(format!("clear it before: {}", repairs.join(", ")));
                }
            }
        }
    }

    /// Whether a step of the plan is about an object.
    fn is_named(&self, object: ObjectId) -> bool {
        self.trace.objects.iter().any(|one| one.object == object && one.is_named)
    }

    /// Whether a step is a check or a backup of an object, and is carried out.
    pub(super) fn is_job_of(&self, position: usize, object: ObjectId) -> bool {
        let is_done =
            self.trace.steps.get(position).is_some_and(|one| one.status == StepStatus::Done);
        let step = self.given.plan.steps.get(position).filter(|_| is_done);
        let action = step.and_then(|step| self.given.set.actions.get(step.action));
        let is_job = action.is_some_and(|action| {
            let protection = self.given.set.protection();
            action.course.checks.is_some()
                || protection.is_some_and(|(known, _)| known.makes_point(action))
        });
        let is_about = |arg: &Value| matches!(arg, Value::Object(about) if *about == object);
        is_job && step.is_some_and(|step| step.args.iter().any(is_about))
    }

    /// The object of a check or backup that runs while such a cause stands for it.
    fn meets(&self, position: usize, cause: &CauseTrace) -> Option<ObjectId> {
        let trace = self.trace.steps.get(position)?;
        let start = trace.start.filter(|_| trace.status == StepStatus::Done)?;
        if start < cause.opened_at || cause.closed_at.is_some_and(|closed| start >= closed) {
            return None;
        }
        cause.likely.iter().copied().find(|object| self.is_job_of(position, *object))
    }
}

/// What a rule says of a subject.
fn finding<'e>(evaluation: &'e Evaluation, rule: &str, subject: &Subject) -> Option<&'e Finding> {
    let is_it = |id: &str, about: &Subject| id == rule && about == subject;
    evaluation.verdicts.iter().find_map(|verdict| {
        let id = &evaluation.rule(verdict)?.id;
        verdict.finding.as_ref().filter(|_| is_it(id, &verdict.subject))
    })
}
