//! What helps objects that are not protected at the end.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::facts::value::Value;
use crate::finding::{Argument, Role, Step, Subject};
use crate::plan::hazard::find::Finder;
use crate::plan::hazard::find::objects::listed;
use crate::plan::hazard::{needed, repairs};
use crate::plan::trace::{Interval, ObjectTrace, StepStatus};
use crate::plan::world::{Act, Phase, value_of};
use crate::plan::{automatic, simulate};

impl Finder<'_> {
    /// The repairs of objects that a check alone does not help, the check of those that it does, and the end
    /// of a check that runs: a second one beside it fails.
    pub(super) fn remedies(&self, objects: &[&ObjectTrace]) -> Vec<String> {
        let ends = |wanted: &dyn Fn(&Interval) -> bool| -> Vec<&ObjectTrace> {
            let is_so = |one: &&ObjectTrace| one.intervals.last().is_some_and(wanted);
            objects.iter().copied().filter(is_so).collect()
        };
        let busy = ends(&|last| last.phase == Phase::Busy);
        let blocked = ends(&|last| last.phase != Phase::Busy && last.is_blocked);
        let stopped = ends(&|last| last.phase == Phase::Stopped);
        let curable =
            ends(&|last| !matches!(last.phase, Phase::Busy | Phase::Stopped) && !last.is_blocked);
        let mut help = Vec::new();
        if !busy.is_empty() {
            help.push(format!(
                "let the check end that runs on {}: a second one beside it fails",
                named(&busy)
            ));
        }
        let fixes = self.fixes(&stopped);
        if !fixes.is_empty() {
            let fixes = fixes.join(", ");
            help.push(format!("clear what stops the backups of {}: {fixes}", named(&stopped)));
        }
        let fixes = self.fixes(&blocked);
        if !fixes.is_empty() {
            let whom = if blocked.len() == objects.len() {
                String::new()
            } else {
                format!(" {}", named(&blocked))
            };
            help.push(format!(
                "repair the causes first: {}; a check alone does not help{whom}",
                fixes.join(", ")
            ));
        }
        help.extend(self.too_early(&fixes, &blocked));
        let mut others: Vec<&ObjectTrace> = blocked.iter().chain(&curable).copied().collect();
        others.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(check) = simulate::check_of(self.given.set).filter(|_| !others.is_empty()) {
            let whom = match others.as_slice() {
                [one] => one.key.to_string(),
                all if all.len() == objects.len() => "each of them".to_owned(),
                all => named(all),
            };
            let then = if fixes.is_empty() { "" } else { "then " };
            help.push(format!("{then}{} for {whom}", check.id));
        }
        help.extend(curable.into_iter().filter_map(|object| self.cured_by_itself(object)));
        let refused: Vec<&ObjectTrace> =
            blocked.into_iter().filter(|object| self.is_refused(object)).collect();
        if fixes.is_empty() && !refused.is_empty() {
            help.push(format!(
                "where {} is to stay so, leave it out under `goal.end_consistent.except`, with a reason",
                named(&refused)
            ));
        }
        help
    }

    /// A step of the plan that is such a repair, and comes before what has to be repaired.
    fn too_early(&self, fixes: &[String], objects: &[&ObjectTrace]) -> Option<String> {
        let last = objects.iter().filter_map(|object| object.intervals.last());
        let culprit = last.filter_map(|last| self.culprit(last)).max()?;
        let begins = self.trace.steps.get(culprit)?.start;
        let steps = self.given.plan.written().iter().zip(&self.trace.steps).enumerate();
        let mut early = steps.filter(|(position, (step, trace))| {
            let action = self.given.set.actions.get(step.action);
            let is_fix = action.is_some_and(|action| {
                step.args.iter().any(|arg| match arg {
                    Value::Object(at) => {
                        fixes.contains(&format!("{} at {}", action.id, self.key(*at)))
                    }
                    _ => false,
                })
            });
            let is_done = trace.status == StepStatus::Done;
            is_fix && is_done && *position != culprit && trace.start <= begins
        });
        let (step, _) = early.next()?;
        Some(format!(
            "{} comes too early for that: put it behind {}",
            self.id(step),
            self.id(culprit)
        ))
    }

    /// What the rules ask for because of the causes that stand; where a check could not even begin, because of
    /// all that is wrong.
    pub(super) fn fixes(&self, objects: &[&ObjectTrace]) -> Vec<String> {
        let open: BTreeSet<(&str, &Subject)> = objects
            .iter()
            .filter_map(|object| object.intervals.last())
            .flat_map(|last| &last.open)
            .filter_map(|number| {
                let cause = self.trace.causes.get(*number)?;
                Some((&*self.given.set.rules.get(cause.rule)?.id, &cause.subject))
            })
            .collect();
        let is_open = |position: &usize| {
            let verdict = self.after.verdicts.get(*position);
            let about = verdict.and_then(|one| Some((&*self.after.rule(one)?.id, &one.subject)));
            about.is_some_and(|about| open.contains(&about))
        };
        let keys: BTreeSet<&str> = objects.iter().map(|object| &*object.key).collect();
        let repairs = repairs(self.given.set, self.after);
        let all = needed(&repairs, &keys);
        let mut steps: Vec<_> = all
            .iter()
            .map(|one| one.step)
            .filter(|step| step.verdicts.iter().any(is_open))
            .collect();
        if steps.is_empty() || objects.iter().any(|object| self.is_refused(object)) {
            steps = all.iter().map(|one| one.step).collect();
        }
        let mut fixes: Vec<String> = Vec::new();
        for step in steps.into_iter().filter(|step| step.step.role != Role::Check) {
            let said = said(&step.step);
            if !fixes.contains(&said) {
                fixes.push(said);
            }
        }
        fixes
    }

    /// Whether a check could not begin at the end.
    fn is_refused(&self, object: &ObjectTrace) -> bool {
        let Some(action) = simulate::check_of(self.given.set) else { return false };
        let plan = self.given.plan;
        let now = simulate::instant(plan, plan.window.end.max(plan.window.checks_until));
        let args = [Value::Object(object.object)];
        let act = Act { action, args: &args };
        action.course.requires.iter().any(|(that, _)| {
            let value = value_of(self.given.set, &self.trace.facts, &now, act, that);
            matches!(value, Ok(Value::Bool(false)))
        })
    }

    /// The check within a day that begins by itself.
    fn cured_by_itself(&self, object: &ObjectTrace) -> Option<String> {
        let plan = self.given.plan;
        let end = plan.window.end.max(plan.window.checks_until);
        let mut later = plan.clone();
        (later.window.end, later.window.checks_until) = (end + DAY, end + DAY);
        let now = simulate::instant(plan, end);
        automatic::add(&mut later, self.given.set, &self.trace.facts, &now);
        let job = later.steps.iter().skip(later.written().len()).find(|job| {
            let action = self.given.set.actions.get(job.action);
            let is_about =
                matches!(job.args.as_slice(), [Value::Object(one)] if *one == object.object);
            is_about
                && action.is_some_and(|action| action.course.checks.is_some())
                && job.not_before.is_some_and(|time| time >= end)
        })?;
        let action = self.given.set.actions.get(job.action)?;
        let title = &action.course.automatic.get(job.automatic?)?.title;
        let clock = self.given.clock;
        let at = format!("{} {}", clock.date(job.not_before?), self.time(job.not_before?));
        Some(format!(
            "if nobody does, the {title} of {} begins at {at}, behind the plan",
            object.key
        ))
    }
}

/// A repair: its action, where it is done, and with what texts.
pub(super) fn said(step: &Step) -> String {
    let mut said = match &step.at {
        Some(at) if !at.key.is_empty() => format!("{} at {}", step.action, at.key),
        _ => step.action.to_string(),
    };
    // What service, which file: without it nobody can write the step.
    for (name, value) in &step.with {
        if let Argument::Value(Json::String(value)) = value {
            let _ = write!(said, " ({name}: {value})");
        }
    }
    said
}

/// Seconds of a day.
const DAY: i64 = 86_400;

fn named(objects: &[&ObjectTrace]) -> String {
    let keys: Vec<String> = objects.iter().map(|object| object.key.to_string()).collect();
    listed(&keys)
}
