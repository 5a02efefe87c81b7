//! Checks and backups that something would probably let fail, though no source says that it does.

use std::collections::BTreeSet;

use crate::facts::value::Value;
use crate::finding::{Evaluation, Outcome, Role, Severity, Subject, Verdict};
use crate::plan::hazard::Link;
use crate::plan::hazard::find::Finder;
use crate::plan::hazard::find::doubts::looks;
use crate::plan::hazard::find::open::about;
use crate::plan::hazard::find::remedies::said;
use crate::plan::trace::StepStatus;
use crate::rule::Rule;
use crate::rule::pack::{Protection, RuleSet};

impl Finder<'_> {
    /// Steps that a rule would stop, if what is only inferred is so. It is violated while a step begins if it is at
    /// the end, or was before the plan and what clears it comes later.
    pub(super) fn likely(&mut self, before: &Evaluation) {
        let (after, set) = (self.after, self.given.set);
        for (rule, verdict) in doubtful(after, set) {
            let since = self.toucher(&looks(rule, self.given.facts.model()), &verdict.subject);
            let was =
                doubtful(before, set).any(|(_, one)| about(before, one) == about(after, verdict));
            let from = if was { None } else { since.and_then(|step| self.start_of(step)) };
            self.doubtful(rule, verdict, &|start| from.is_none_or(|from| start >= from));
        }
        for (rule, verdict) in doubtful(before, set) {
            let is_same = |one: &Verdict| about(after, one) == about(before, verdict);
            if doubtful(after, set).any(|(_, one)| is_same(one)) {
                continue;
            }
            let cleared = self.toucher(&looks(rule, self.given.facts.model()), &verdict.subject);
            let end = cleared.and_then(|step| self.trace.steps.get(step)?.end);
            self.doubtful(rule, verdict, &|start| end.is_some_and(|end| start < end));
        }
    }

    /// Tells of the steps under a violated rule that begin at such a time.
    fn doubtful(&mut self, rule: &Rule, verdict: &Verdict, is_then: &dyn Fn(i64) -> bool) {
        let Some(finding) = &verdict.finding else { return };
        let all: BTreeSet<&Subject> = finding.affects.iter().chain([&verdict.subject]).collect();
        let is_hit =
            |key: &str, kind: &str| all.iter().any(|one| *one.key == *key && *one.kind == *kind);
        let (mut first, mut steps, mut keys) = (None, Vec::new(), BTreeSet::new());
        for (position, trace) in self.trace.steps.iter().enumerate().take(self.written()) {
            let is_done = trace.status == StepStatus::Done;
            if !is_done || !trace.start.is_some_and(is_then) {
                continue;
            }
            let Some(step) = self.given.plan.steps.get(position) else { continue };
            let Some(action) = self.given.set.actions.get(step.action) else { continue };
            let makes_point = |known: &Protection| known.makes_point(action);
            let is_backup =
                self.given.set.protection().is_some_and(|(known, _)| makes_point(known));
            if action.course.checks.is_none() && !is_backup {
                continue;
            }
            let objects = step.args.iter().filter_map(|arg| match arg {
                Value::Object(id) => Some(*id),
                _ => None,
            });
            let hit: Vec<String> = objects
                .filter(|id| {
                    let kind = self.given.facts.model().kind(id.kind);
                    kind.is_some_and(|kind| is_hit(&self.key(*id), &kind.name))
                })
                .map(|id| self.key(id))
                .collect();
            if !hit.is_empty() {
                first = first.or(Some(position));
                steps.push(self.named(position));
                keys.extend(hit);
            }
        }
        let Some(first) = first else { return };
        let others = steps.len() - 1;
        let and = match others {
            0 => String::new(),
            1 => " and 1 step behind it".to_owned(),
            _ => format!(" and {others} steps behind it"),
        };
        let message = format!("{}{and} would probably fail: {}", self.named(first), rule.id);
        let repairs = finding.steps.iter().filter(|step| step.role == Role::Fix);
        let repairs: Vec<String> = repairs.map(said).collect();
        let link = Link { said: format!("{}: {}", rule.id, finding.message), step: None };
        if let Some(hazard) = self.add("plan-check-in-doubt", Some(first), message) {
            hazard.severity = Severity::Warning;
            hazard.objects = keys.into_iter().collect();
            hazard.chain = vec![link];
            if !repairs.is_empty() {
                hazard.help.push(format!("clear it before: {}", repairs.join(", ")));
            }
        }
    }

    fn start_of(&self, step: usize) -> Option<i64> {
        self.trace.steps.get(step)?.start
    }
}

/// Violated rules that would probably stop jobs.
fn doubtful<'e>(
    evaluation: &'e Evaluation,
    set: &'e RuleSet,
) -> impl Iterator<Item = (&'e Rule, &'e Verdict)> {
    let violated = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Violated);
    violated.filter_map(|verdict| {
        let rule = set.rule(&evaluation.rule(verdict)?.id)?;
        rule.stops_perhaps().then_some((&**rule, verdict))
    })
}
