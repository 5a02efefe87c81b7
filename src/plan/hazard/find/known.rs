//! Hazards of what is known: facts that are missing or too old, and what the rules say at the end.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::time::say_duration;
use crate::facts::value::{ObjectId, Value};
use crate::finding::{Evaluation, Finding, Outcome, Role, Severity, Step, Verdict};
use crate::plan::hazard::Link;
use crate::plan::hazard::find::Finder;
use crate::plan::hazard::find::objects::listed;
use crate::plan::hazard::find::raised::Raised;
use crate::plan::hazard::find::remedies::said;
use crate::plan::trace::StepStatus;
use crate::rule::effect::Moment;

impl Finder<'_> {
    pub(super) fn unknown(&mut self) {
        let written = self.written();
        for (position, step) in self.trace.steps.iter().enumerate() {
            // What a job would do that does not begin matters where that it does not begin does harm.
            let is_over = matches!(step.status, StepStatus::Done | StepStatus::Nothing);
            if position >= written && !is_over && !self.is_costly(position) {
                continue;
            }
            let name = self.named(position);
            let checked: Vec<String> =
                step.needs.check.iter().map(|(object, _)| self.key(*object)).collect();
            for missing in step.unknown.iter().collect::<BTreeSet<_>>() {
                let message = format!("what {name} needs or does depends on: {missing}");
                // Some of it is said in words.
                let facts = missing.split(", ").filter(|fact| !fact.contains(' '));
                let facts = facts.map(str::to_owned).collect();
                if let Some(hazard) = self.add("plan-unknown", Some(position), message) {
                    hazard.missing = facts;
                    hazard.objects.clone_from(&checked);
                }
            }
            if !step.undecided.is_empty() {
                let ids: Vec<String> = step
                    .undecided
                    .iter()
                    .filter_map(|rule| self.given.set.rules.get(*rule))
                    .map(|rule| rule.id.to_string())
                    .collect();
                let message = format!("whether {name} succeeds depends on {}", undecided(&ids));
                let wanted = self.wanted(step.missing.iter().cloned());
                if let Some(hazard) = self.add("plan-unknown", Some(position), message) {
                    hazard.ask(wanted);
                    hazard.objects = checked;
                }
            }
        }
        let start = self.given.plan.window.start;
        let Some(limit) = self.given.max_age else { return };
        let files = self.given.facts.files().iter().map(|file| start - file.observed_at.seconds());
        let oldest = files.clone().max();
        // What is equally old is told at once.
        let mut ages: BTreeMap<i64, usize> = BTreeMap::new();
        for age in files.filter(|age| *age > limit) {
            *ages.entry(age).or_default() += 1;
        }
        let mut collections: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for kind in self.given.facts.model().kinds() {
            let table = self.given.facts.table(kind.id);
            let Some(collected) = table.and_then(|table| table.collected()) else { continue };
            let age = start - collected.seconds();
            // As old as a file is told with it.
            if age > limit && Some(age) > oldest {
                collections.entry(age).or_default().push(kind.collection.to_string());
            }
        }
        for (age, files) in ages {
            let of_many = if files > 1 { format!(" of {files} files") } else { String::new() };
            self.stale(&format!("the facts{of_many}"), age, limit);
        }
        for (age, names) in collections {
            self.stale(&format!("the {} of the facts", names.join(", ")), age, limit);
        }
    }

    /// Whether a job costs its object something if it cannot begin, and the goal is about that object.
    fn is_costly(&self, position: usize) -> bool {
        let Some(step) = self.given.plan.steps.get(position) else { return false };
        let action = self.given.set.actions.get(step.action);
        let is_costly = action.is_some_and(|action| {
            action.course.effects.iter().any(|effect| effect.at == Moment::Refused)
        });
        let mut objects = self.trace.objects.iter();
        let is_about = |object: ObjectId| {
            step.args.iter().any(|arg| matches!(arg, Value::Object(about) if *about == object))
        };
        is_costly && objects.any(|one| is_about(one.object) && one.is_wanted(&self.given.plan.goal))
    }

    fn stale(&mut self, what: &str, age: i64, limit: i64) {
        let message = format!(
            "{what} will be {} old when the window opens; the limit is {}",
            say_duration(age),
            say_duration(limit)
        );
        self.add("plan-stale", None, message);
    }

    /// What clears a finding that a step raises.
    fn cleared_by(
        &self,
        step: Option<usize>,
        severity: Severity,
        finding: &Finding,
    ) -> Option<String> {
        let repairs = together(&finding.steps).join(", ");
        if repairs.is_empty() {
            return None;
        }
        let action = step
            .and_then(|step| self.given.set.actions.get(self.given.plan.steps.get(step)?.action));
        // What repairs something else is not to be left out.
        let is_spare = action.is_some_and(|action| action.role == Role::Change);
        Some(match step {
            Some(_) if is_spare && severity == Severity::Error => {
                format!("do without the step, or clear it behind it: {repairs}")
            }
            Some(_) => format!("clear it behind the step: {repairs}"),
            None => format!("clear it: {repairs}"),
        })
    }

    /// Findings at the end that were not there at the start.
    pub(super) fn findings(&mut self, before: &Evaluation, raised: &Raised) {
        let (set, after) = (self.given.set, self.after);
        let known: BTreeSet<&str> =
            findings(before).map(|(_, one)| one.fingerprint.as_str()).collect();
        let new: Vec<(&Verdict, &Finding)> =
            findings(after).filter(|(_, one)| !known.contains(one.fingerprint.as_str())).collect();
        for (verdict, finding) in new {
            let Some(rule) = after.rule(verdict) else { continue };
            // Causes are told by what they do to the objects.
            let is_cause = set.rule(&rule.id).is_some_and(|rule| rule.is_cause());
            // That an object is not protected at the end is told, too.
            let is_decisive = set.rule(&rule.id).is_some_and(|rule| rule.is_decisive());
            let is_about = |key: &str| {
                let affects = finding.affects.iter().filter(|_| is_decisive);
                affects.chain([&verdict.subject]).any(|one| *one.key == *key)
            };
            let mut objects = self.trace.objects.iter();
            let is_told = objects.any(|one| {
                is_about(&one.key)
                    && (one.ends().is_exposed() || raised.exposed.contains(&*one.key))
            });
            // So is that jobs would probably fail.
            let is_in_doubt = self.hazards.iter().any(|hazard| {
                hazard.kind.id == "plan-check-in-doubt"
                    && hazard.rule.as_deref() == Some(&*rule.id)
                    && hazard.chain.iter().any(|link| link.said.ends_with(&finding.message))
            });
            if is_cause || is_told || is_in_doubt {
                continue;
            }
            let message = format!("{}: {}", rule.id, finding.message);
            let (severity, id) = (rule.severity, rule.id.to_string());
            let key = verdict.subject.key.to_string();
            // Jobs that begin by themselves stand nowhere in the plan.
            let step = raised.steps.get(&finding.fingerprint).copied();
            let help = self.cleared_by(step, severity, finding);
            if let Some(hazard) = self.add("plan-new-finding", step, message) {
                hazard.severity = severity;
                if step.is_none() {
                    // What comes up without the plan, too, does not speak against it.
                    hazard.severity = Severity::Note;
                    let said = "no step brings it up: it shows as time goes by, or once a job or a check has run";
                    hazard.chain = vec![Link { said: said.to_owned(), step: None }];
                }
                hazard.help.extend(help);
                hazard.rule = Some(id);
                hazard.objects = vec![key];
            }
        }
    }
}

/// Repairs in words, those of one kind together.
fn together(steps: &[Step]) -> Vec<String> {
    let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut others = Vec::new();
    for step in steps.iter().filter(|one| one.role != Role::Check) {
        match &step.at {
            Some(at) if !at.key.is_empty() && said(step).ends_with(&*at.key) => {
                all.entry(&step.action).or_default().push(at.key.to_string());
            }
            _ => others.push(said(step)),
        }
    }
    let all = all.iter().map(|(action, keys)| format!("{action} at {}", listed(keys)));
    all.chain(others).collect()
}

/// Rules that cannot be decided, in words.
pub(super) fn undecided(ids: &[String]) -> String {
    let rules = if ids.len() == 1 { "a rule" } else { "rules" };
    format!("{rules} that cannot be decided: {}", ids.join(", "))
}

/// The findings of an evaluation.
pub(super) fn findings(evaluation: &Evaluation) -> impl Iterator<Item = (&Verdict, &Finding)> {
    let violated = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Violated);
    violated.filter_map(|verdict| Some((verdict, verdict.finding.as_ref()?)))
}
