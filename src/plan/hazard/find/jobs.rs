//! Hazards of jobs that begin by themselves: which of them fail, and because of which step.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::value::{ObjectId, Value};
use crate::finding::Severity;
use crate::plan::hazard::find::{Finder, objects::listed};
use crate::plan::insight::reach;
use crate::plan::simulate::{self, NOT_KNOWN};
use crate::plan::trace::{CauseTrace, StepStatus, StepTrace};
use crate::plan::world::{Phase, phase};

/// Jobs that fail, by the step that they fail through and by what they are called: objects and times.
type Failed = BTreeMap<(usize, String), Vec<(String, i64)>>;

/// When such jobs begin, the first of them, and would have ended, the last.
type Times = BTreeMap<(usize, String), (i64, i64)>;

/// Jobs that have run as long as they may, by the step because of which their objects are bad.
type Cut = BTreeMap<(Option<usize>, String), Vec<(String, i64)>>;

impl Finder<'_> {
    pub(super) fn jobs(&mut self) {
        let (mut in_the_way, mut in_vain) = (Failed::new(), Failed::new());
        let mut cut = Cut::new();
        let mut times = Times::new();
        // By what they are called and why they fail: what is so without the plan, too.
        let mut anyway: BTreeMap<(String, String), Vec<(String, i64)>> = BTreeMap::new();
        let jobs = (0..).zip(&self.given.plan.steps).zip(&self.trace.steps).skip(self.written());
        for ((position, step), trace) in jobs {
            let Some((title, key)) = self.job(step) else { continue };
            let Some(time) = trace.start else { continue };
            if trace.broken_by == Some(position) {
                let culprit = self.culprit_at(&key, time);
                cut.entry((culprit, title)).or_default().push((key, time));
                continue;
            }
            let other = trace.broken_by.filter(|other| *other < self.written());
            let missed = other.map(|other| self.would_do(trace, &key, other));
            if let Some(Err(culprit)) = missed {
                if let Some(culprit) = culprit {
                    in_vain.entry((culprit, title)).or_default().push((key, time));
                }
            } else if let Some(other) = other {
                let about = (other, title);
                let end = trace.takes.map_or(time, |takes| time.saturating_add(takes));
                let (from, to) = times.entry(about.clone()).or_insert((time, end));
                (*from, *to) = (time.min(*from), end.max(*to));
                in_the_way.entry(about).or_default().push((key, time));
            } else if let StepStatus::Refused(reasons) = &trace.status {
                match self.culprit_at(&key, time) {
                    Some(culprit) => {
                        in_vain.entry((culprit, title)).or_default().push((key, time));
                    }
                    // A check that has nothing to check says so in the list of jobs.
                    None if trace.needs.check.is_none() && !reasons.is_empty() => {
                        let about = (title, reasons.join("; "));
                        anyway.entry(about).or_default().push((key, time));
                    }
                    None => {}
                }
            }
        }
        for ((step, title), failed) in cut {
            let message = format!(
                "the {title} of {} is broken off: it takes longer than it may",
                self.said(&failed)
            );
            self.tell("plan-job-fails", step, message, &failed);
        }
        for ((step, title), failed) in in_the_way {
            let message = format!(
                "{} is in the way of the {title} of {}",
                self.named(step),
                self.said(&failed)
            );
            let times = times.get(&(step, title)).copied();
            let help = times.map(|times| self.out_of_the_way(step, times)).unwrap_or_default();
            self.tell("plan-collides", Some(step), message, &failed);
            if let Some(hazard) = self.hazards.last_mut() {
                hazard.help = help;
            }
        }
        for ((title, why), failed) in anyway {
            let why = why.trim_end_matches('.');
            let said = self.said(&failed);
            let message = match why.strip_prefix(NOT_KNOWN) {
                Some(facts) => format!(
                    "whether there is the {title} of {said} is not known, as before the plan: {facts}"
                ),
                None => format!("there is no {title} of {said}, as before the plan: {why}"),
            };
            self.tell("plan-job-fails", None, message, &failed);
        }
        for ((step, title), failed) in in_vain {
            let message = format!(
                "because of {} there is no {title} of {}",
                self.named(step),
                self.said(&failed)
            );
            self.tell("plan-job-fails", Some(step), message, &failed);
        }
    }

    /// Whether a job would do something were it not for a step that is in its way: a backup of what is well, a check
    /// of what a check helps. Else, for a backup, the step because of which it would fail, if that is one of the plan.
    fn would_do(&self, job: &StepTrace, key: &str, other: usize) -> Result<(), Option<usize>> {
        let objects = self.trace.objects.iter();
        let object = objects.clone().find(|object| *object.key == *key);
        let step = self.trace.steps.get(other);
        let (Some(object), Some(step)) = (object, step) else { return Ok(()) };
        if !matches!(job.status, StepStatus::Refused(_)) {
            return Ok(());
        }
        let checks = step.needs.check.is_some_and(|(checked, _)| checked == object.object);
        let is_check = job.needs.check.is_some();
        if is_check && checks {
            // It does what the job would have done.
            return Err(None);
        }
        let is_its = checks || step.harmed.contains(&object.object);
        let until = if is_its { step.start } else { job.start.map(|start| start + 1) };
        let before = object.intervals.iter().rev();
        let before = before.clone().find(|one| until.is_some_and(|until| one.from < until));
        let phase = before.map_or_else(|| self.phase_before(object.object), |one| one.phase);
        let is_blocked = before.is_some_and(|one| one.is_blocked);
        let is_useful = match phase {
            Phase::Bad => is_check && !is_blocked,
            Phase::Good => !is_check,
            Phase::Stopped | Phase::Outside => false,
            Phase::Busy | Phase::Unknown => true,
        };
        if is_useful {
            return Ok(());
        }
        let culprit = before.filter(|_| !is_check).and_then(|one| self.culprit(one));
        Err(culprit.filter(|step| *step < self.written()))
    }

    /// The state of an object before the plan.
    fn phase_before(&self, object: ObjectId) -> Phase {
        let stops = |cause: &CauseTrace| {
            let rule = self.given.set.rules.get(cause.rule);
            cause.opened_by.is_none()
                && cause.opened_at <= 0
                && cause.objects.contains(&object)
                && rule.is_some_and(|rule| rule.stops_backups())
        };
        let opens = simulate::instant(self.given.plan, 0);
        match phase(self.given.set, self.given.facts, &opens, object) {
            Phase::Good if self.trace.causes.iter().any(stops) => Phase::Stopped,
            known => known,
        }
    }

    /// When a step would not be in the way of jobs: before them, or when they have ended.
    fn out_of_the_way(&self, step: usize, (from, to): (i64, i64)) -> Vec<String> {
        let id = self.id(step);
        let trace = self.trace.steps.get(step);
        let lasts = trace.and_then(|step| step.takes).unwrap_or_default();
        let mut help = Vec::new();
        if to.saturating_add(lasts) <= self.given.plan.window.end {
            let time = self.given.clock.written(to);
            help.push(format!("let {id} wait until it has ended: `not_before: \"{time}\"`"));
        }
        // What comes before it needs its time, too.
        let steps = self.trace.steps.iter().take(self.written());
        let ends = steps.filter(|other| trace.is_some_and(|step| other.end <= step.start));
        let free = ends.filter_map(|other| other.end).max().unwrap_or_default();
        if from - lasts >= free && from > 0 {
            let latest = self.time(from - lasts);
            let or = if help.is_empty() { "" } else { "or " };
            help.push(format!("{or}let {id} end before it: begin it at {latest} at the latest"));
        }
        if help.is_empty() {
            help.push(format!("take {id} into another window, or move the job for that night"));
        }
        help
    }

    /// What the job is called that has checked the object of a step up to its begin.
    pub(super) fn done_by(&self, position: usize) -> Option<String> {
        let step = self.trace.steps.get(position)?;
        let (object, _) = step.needs.check?;
        let mut jobs = self.given.plan.steps.iter().zip(&self.trace.steps).skip(self.written());
        let (job, _) = jobs.find(|(_, job)| {
            job.needs.check.is_some_and(|(checked, _)| checked == object)
                && job.status == StepStatus::Done
                && job.broken_by.is_none()
                && job.end == step.start
        })?;
        self.job(job).map(|(title, _)| title)
    }

    /// Jobs of which nobody knows when they begin.
    pub(super) fn unscheduled(&mut self) {
        let mut all: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for job in &self.given.plan.unscheduled {
            all.entry((&job.title, &job.missing)).or_default().push(job.key.clone());
        }
        for ((title, missing), keys) in all {
            let message = format!(
                "whether the {title} of {} falls into the time of the plan depends on: {missing}",
                listed(&keys)
            );
            // A job is in the way of checks beside it, too: of their object, and of their slots.
            let is_near = keys.iter().any(|key| self.is_near(key));
            if let Some(hazard) = self.add("plan-unknown", None, message) {
                if !is_near {
                    hazard.severity = Severity::Warning;
                }
                hazard.objects = keys;
            }
        }
    }

    /// Whether a step has to do with a protected object, or checks another one on the same slots.
    fn is_near(&self, key: &str) -> bool {
        let mut objects = self.trace.objects.iter();
        let Some(object) = objects.find(|object| *object.key == *key) else { return false };
        if object.intervals.iter().any(|one| !one.caused_by.is_empty()) {
            return true;
        }
        let on = reach(self.given.facts, &BTreeSet::from([object.object]));
        let mut written = self.trace.steps.iter().take(self.written());
        written.any(|step| {
            step.needs.check.is_some_and(|(checked, owner)| {
                checked == object.object || owner.is_none_or(|owner| on.contains(&owner))
            })
        })
    }

    /// What a job is called, and the key of its object.
    pub(super) fn job(&self, step: &crate::plan::Step) -> Option<(String, String)> {
        let action = self.given.set.actions.get(step.action)?;
        let automatic = action.course.automatic.get(step.automatic?)?;
        let Value::Object(object) = step.args.first()? else { return None };
        Some((automatic.title.clone(), self.key(*object)))
    }

    /// The step because of which an object is not good at a second; none if it was not good before.
    fn culprit_at(&self, key: &str, time: i64) -> Option<usize> {
        let object = self.trace.objects.iter().find(|object| *object.key == *key)?;
        let then = object.intervals.iter().rev().find(|one| one.from <= time)?;
        self.culprit(then).filter(|step| *step < self.written())
    }

    fn said(&self, failed: &[(String, i64)]) -> String {
        let all: Vec<String> =
            failed.iter().map(|(key, time)| format!("{key} at {}", self.time(*time))).collect();
        listed(&all)
    }

    fn tell(&mut self, kind: &str, step: Option<usize>, message: String, failed: &[(String, i64)]) {
        let mut keys: Vec<String> = failed.iter().map(|(key, _)| key.clone()).collect();
        keys.sort();
        keys.dedup();
        if let Some(hazard) = self.add(kind, step, message) {
            hazard.objects = keys;
        }
    }
}
