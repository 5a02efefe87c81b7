//! Hazards of the protected objects: how they end, and for how long they are without protection.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::time::say_duration;
use crate::facts::value::{ObjectId, fold};
use crate::plan::hazard::find::{Finder, is_counted};
use crate::plan::trace::{Interval, ObjectTrace};
use crate::plan::world::Phase;

impl Finder<'_> {
    pub(super) fn objects(&mut self) {
        let mut ends: BTreeMap<Option<usize>, Vec<&ObjectTrace>> = BTreeMap::new();
        for object in &self.trace.objects {
            self.exposure(object);
            let Some(last) = object.intervals.last() else { continue };
            let is_open = matches!(last.phase, Phase::Bad | Phase::Busy);
            if is_open && self.is_wanted(object) {
                ends.entry(self.culprit(last)).or_default().push(object);
            }
        }
        for (step, objects) in ends {
            self.end_unprotected(step, &objects);
        }
        self.touched_twice();
    }

    /// Whether an object must be good at the end: one that was bad before and that no step touches need not.
    fn is_wanted(&self, object: &ObjectTrace) -> bool {
        let goal = &self.given.plan.goal;
        let key = fold(&object.key);
        if goal.except.iter().any(|(known, _)| *known == key) {
            return false;
        }
        if let Some(wanted) = &goal.end_good {
            return wanted.contains(&key);
        }
        let first = object.intervals.first();
        let was_good = first
            .is_some_and(|first| first.phase == Phase::Good && first.to > first.from)
            || object.intervals.iter().any(|one| one.phase == Phase::Good);
        let is_touched = object.intervals.iter().any(|one| !one.caused_by.is_empty());
        was_good || is_touched
    }

    /// The step that is to blame for a state: the last one that opened a cause that stands, else the last
    /// that did harm.
    fn culprit(&self, interval: &Interval) -> Option<usize> {
        let open =
            interval.open.iter().filter_map(|number| self.trace.causes.get(*number)?.opened_by);
        open.max().or_else(|| interval.caused_by.iter().copied().max())
    }

    fn end_unprotected(&mut self, step: Option<usize>, objects: &[&ObjectTrace]) {
        let mut keys: Vec<String> = objects.iter().map(|object| object.key.to_string()).collect();
        keys.sort();
        let end = self.time(self.given.plan.window.end.max(self.given.plan.window.checks_until));
        let verb = if keys.len() == 1 { "is" } else { "are" };
        let message =
            format!("{} {verb} not protected when the window closes at {end}", listed(&keys));
        let open: BTreeSet<usize> = objects
            .iter()
            .filter_map(|object| object.intervals.last())
            .flat_map(|last| last.open.iter().copied())
            .collect();
        let open: Vec<usize> = open.into_iter().collect();
        let chain = self.opened(&open);
        let help = self.remedies(&open);
        if let Some(hazard) = self.add("plan-end-unprotected", step, message) {
            hazard.objects = keys;
            hazard.chain = chain;
            hazard.help = help;
        }
    }

    /// The actions that repair causes, then the check.
    fn remedies(&self, causes: &[usize]) -> Vec<String> {
        let (mut fixes, mut checks) = (BTreeSet::new(), BTreeSet::new());
        for number in causes {
            let rule =
                self.trace.causes.get(*number).and_then(|one| self.given.set.rules.get(one.rule));
            for step in rule.iter().flat_map(|rule| &rule.remediation) {
                let Some(action) = self.given.set.actions.get(step.action) else { continue };
                if action.course.checks.is_some() {
                    checks.insert(action.id.to_string());
                } else if action.course.manual.is_none() && !action.after_check {
                    fixes.insert(action.id.to_string());
                }
            }
        }
        let mut help = Vec::new();
        if !fixes.is_empty() {
            let fixes: Vec<String> = fixes.into_iter().collect();
            help.push(format!(
                "repair the causes first: {}; a check alone does not help",
                fixes.join(", ")
            ));
        }
        if !checks.is_empty() {
            let checks: Vec<String> = checks.into_iter().collect();
            help.push(format!("then {} for each of them", checks.join(", ")));
        }
        help
    }

    fn exposure(&mut self, object: &ObjectTrace) {
        let Some(limit) = self.given.plan.goal.max_exposure else { return };
        if object.exposure <= limit {
            return;
        }
        let message = format!(
            "{} is without protection for {}, at most {} are allowed",
            object.key,
            say_duration(object.exposure),
            say_duration(limit)
        );
        let last =
            object.intervals.iter().rev().find(|one| is_counted(one) && one.phase != Phase::Good);
        let step = last.and_then(|last| self.culprit(last));
        let key = object.key.to_string();
        if let Some(hazard) = self.add("plan-exposure", step, message) {
            hazard.objects = vec![key];
        }
    }

    /// Objects that a step breaks although a later, shared one breaks them anyway.
    fn touched_twice(&mut self) {
        let shared: Vec<usize> = (0..self.trace.steps.len())
            .filter(|step| self.trace.steps.get(*step).is_some_and(|step| step.harmed.len() > 1))
            .collect();
        for step in shared {
            let Some(trace) = self.trace.steps.get(step) else { continue };
            let Some(start) = trace.start else { continue };
            for object in &trace.harmed {
                let Some(object) = self.trace.objects.iter().find(|one| one.object == *object)
                else {
                    continue;
                };
                let Some(since) = episode(object, start) else { continue };
                let early: Vec<usize> = (0..self.trace.steps.len())
                    .filter(|other| {
                        *other != step && self.harms_between(*other, object.object, since, start)
                    })
                    .collect();
                if since >= start || early.is_empty() {
                    continue;
                }
                let names: Vec<String> = early.iter().map(|other| self.id(*other)).collect();
                let message = format!(
                    "{} is broken by {} before {} breaks it anyway: {} without protection that could be avoided",
                    object.key,
                    names.join(", "),
                    self.named(step),
                    say_duration(start - since)
                );
                let key = object.key.to_string();
                let first = early.first().copied();
                if let Some(hazard) = self.add("plan-touched-twice", first, message) {
                    hazard.objects = vec![key];
                }
            }
        }
    }

    fn harms_between(&self, step: usize, object: ObjectId, from: i64, to: i64) -> bool {
        let Some(step) = self.trace.steps.get(step) else { return false };
        step.harmed.contains(&object)
            && step.start.is_some_and(|start| start < to)
            && step.end.is_some_and(|end| end >= from)
    }
}

/// When the time without protection began that an object is in at a second.
fn episode(object: &ObjectTrace, time: i64) -> Option<i64> {
    let mut since = None;
    for interval in object.intervals.iter().take_while(|interval| interval.from <= time) {
        since = match (interval.phase.is_exposed(), since) {
            (true, None) => Some(interval.from),
            (true, known) => known,
            (false, _) => None,
        };
    }
    since
}

/// At most five names.
fn listed(keys: &[String]) -> String {
    match keys {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() <= 5 => many.join(", "),
        many => {
            format!("{} and {} more", many.get(..4).unwrap_or_default().join(", "), many.len() - 4)
        }
    }
}
