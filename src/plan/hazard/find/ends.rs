//! Hazards of how protected objects end: well only by their state, thanks to a job, or with nobody asking.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Severity;
use crate::plan::hazard::Link;
use crate::plan::hazard::find::{Finder, doubts::missing, known::undecided, objects::listed};
use crate::plan::simulate::check_of;
use crate::plan::trace::{ObjectTrace, StepStatus};
use crate::plan::world::Phase;

/// Most causes that are told of one after the other.
const MOST_LINKS: usize = 5;

impl Finder<'_> {
    pub(super) fn ends(&mut self) {
        self.only_by_state();
        self.perhaps_only_by_state();
        self.cured_by_jobs();
        self.left_out();
    }

    /// Objects whose state is good only because nothing has brought out yet what a cause from before the plan
    /// does to them.
    fn only_by_state(&mut self) {
        let goal = &self.given.plan.goal;
        let mut all: BTreeMap<Severity, Vec<&ObjectTrace>> = BTreeMap::new();
        for object in self.trace.objects.iter().filter(|one| one.is_covered(goal)) {
            let Some(last) = object.intervals.last() else { continue };
            if last.phase == Phase::Good && self.stopping(&last.open).next().is_some() {
                let is_asked = goal.is_all || object.is_named(goal);
                let severity = if is_asked { Severity::Error } else { Severity::Warning };
                all.entry(severity).or_default().push(object);
            }
        }
        for (severity, objects) in all {
            let keys: Vec<String> = objects.iter().map(|object| object.key.to_string()).collect();
            let mut open: Vec<usize> = objects
                .iter()
                .filter_map(|object| object.intervals.last())
                .flat_map(|last| self.stopping(&last.open))
                .collect();
            open.sort_unstable();
            open.dedup();
            let verb = if keys.len() == 1 { "counts" } else { "count" };
            let message = format!(
                "{} {verb} as protected by state alone: {}",
                listed(&keys),
                self.standing(&open)
            );
            let mut chain = self.opened(&open);
            let more = chain.len().saturating_sub(MOST_LINKS);
            if more > 0 {
                chain.truncate(MOST_LINKS);
                chain.push(Link { said: format!("and {more} more"), step: None });
            }
            let mut help = Vec::new();
            let fixes = self.fixes(&objects);
            if !fixes.is_empty() {
                help.push(format!("repair the causes: {}", fixes.join(", ")));
            }
            if let Some(check) = check_of(self.given.set) {
                let then = if fixes.is_empty() { "" } else { "then " };
                help.push(format!("{then}{} for {}", check.id, listed(&keys)));
            }
            help.push(
                "or leave them out under `goal.end_consistent.except`, with a reason".to_owned(),
            );
            if let Some(hazard) = self.add("plan-cause-stands", None, message) {
                hazard.severity = severity;
                hazard.objects = keys;
                hazard.chain = chain;
                hazard.help = help;
            }
        }
    }

    /// The same where nobody can say whether a cause stands.
    fn perhaps_only_by_state(&mut self) {
        let goal = &self.given.plan.goal;
        let mut all: BTreeMap<Severity, (Vec<String>, BTreeSet<usize>)> = BTreeMap::new();
        for object in self.trace.objects.iter().filter(|one| one.is_covered(goal)) {
            if object.ends() != Phase::Good {
                continue;
            }
            let left = self.trace.left.iter();
            let rules =
                left.filter(|doubt| doubt.anywhere || doubt.objects.contains(&object.object));
            let rules = rules.map(|doubt| doubt.rule).filter(|rule| {
                self.given.set.rules.get(*rule).is_some_and(|rule| rule.stops_backups())
            });
            let rules: Vec<usize> = rules.collect();
            if !rules.is_empty() {
                let is_asked = goal.is_all || object.is_named(goal);
                let severity = if is_asked { Severity::Error } else { Severity::Warning };
                let known = all.entry(severity).or_default();
                known.0.push(object.key.to_string());
                known.1.extend(rules);
            }
        }
        for (severity, (keys, rules)) in all {
            let rules = rules.into_iter().filter_map(|rule| self.given.set.rules.get(rule));
            let ids: Vec<String> = rules.map(|rule| rule.id.to_string()).collect();
            let verb = if keys.len() == 1 { "counts" } else { "count" };
            let message = format!(
                "whether {} {verb} as protected by state alone depends on {}",
                listed(&keys),
                undecided(&ids)
            );
            let wanted = self.wanted(missing(self.after, &ids));
            if let Some(hazard) = self.add("plan-unknown", None, message) {
                hazard.severity = severity;
                hazard.objects = keys;
                hazard.ask(wanted);
            }
        }
    }

    /// The causes among these under which no backup succeeds.
    fn stopping<'c>(&'c self, open: &'c [usize]) -> impl Iterator<Item = usize> + 'c {
        let rule = |number: &usize| self.given.set.rules.get(self.trace.causes.get(*number)?.rule);
        open.iter()
            .copied()
            .filter(move |number| rule(number).is_some_and(|rule| rule.stops_backups()))
    }

    /// Objects that a step made bad, and that no check of the plan cures but one that begins by itself.
    fn cured_by_jobs(&mut self) {
        let mut all: BTreeMap<(Severity, String), Vec<(String, i64)>> = BTreeMap::new();
        for object in &self.trace.objects {
            let [.., before, last] = object.intervals.as_slice() else { continue };
            let is_cured = last.phase == Phase::Good && before.phase.is_exposed();
            if !is_cured || before.caused_by.is_empty() {
                continue;
            }
            let checks = self.trace.steps.iter().enumerate().filter(|(_, step)| {
                step.needs.check.is_some_and(|(checked, _)| checked == object.object)
            });
            let checks: Vec<_> = checks.collect();
            let mut cures = checks
                .iter()
                .filter(|(_, step)| step.end == Some(last.from) && step.status == StepStatus::Done);
            let job = cures.next().map(|(job, _)| *job).filter(|job| *job >= self.written());
            let job = job.and_then(|job| self.given.plan.steps.get(job));
            let Some((title, key)) = job.and_then(|job| self.job(job)) else { continue };
            // A plan that checks in vain, or too early, was not meant to be cured so.
            let is_meant = !checks.iter().any(|(check, _)| *check < self.written());
            let severity = if is_meant { Severity::Note } else { Severity::Warning };
            all.entry((severity, title)).or_default().push((key, last.from));
        }
        for ((severity, title), cured) in all {
            let said: Vec<String> =
                cured.iter().map(|(key, time)| format!("{key} at {}", self.time(*time))).collect();
            let message =
                format!("only the {title} cures {}; no check of the plan does", listed(&said));
            if let Some(hazard) = self.add("plan-cured-by-job", None, message) {
                hazard.severity = severity;
                hazard.objects = cured.into_iter().map(|(key, _)| key).collect();
            }
        }
    }

    /// Objects that a step leaves bad, and that the goal's list does not name.
    fn left_out(&mut self) {
        let goal = &self.given.plan.goal;
        if goal.end_good.is_none() {
            return;
        }
        let mut all: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for object in self.trace.objects.iter().filter(|one| !one.is_covered(goal)) {
            let Some(last) = object.intervals.last() else { continue };
            if last.phase.is_exposed()
                && let Some(step) = self.culprit(last).filter(|step| *step < self.written())
            {
                all.entry(step).or_default().push(object.key.to_string());
            }
        }
        for (step, keys) in all {
            let verb = if keys.len() == 1 { "is" } else { "are" };
            let message = format!(
                "{} {verb} not protected at the end because of {}, and the goal's list does not name {}",
                listed(&keys),
                self.named(step),
                if keys.len() == 1 { "it" } else { "them" }
            );
            if let Some(hazard) = self.add("plan-goal-leaves-out", Some(step), message) {
                hazard.objects = keys;
                hazard.help.push(
                    "check what the step breaks, or write `except` with a reason instead of a list"
                        .to_owned(),
                );
            }
        }
    }
}
