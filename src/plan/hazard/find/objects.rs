//! Hazards of the protected objects: how they end, and for how long they are without protection.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::time::say_duration;
use crate::facts::value::{ObjectId, Value};
use crate::plan::hazard::find::{Finder, is_counted};
use crate::plan::simulate;
use crate::plan::trace::{Interval, ObjectTrace};
use crate::plan::world::{Phase, phase, unknown_state};

impl Finder<'_> {
    pub(super) fn objects(&mut self) {
        let mut ends: BTreeMap<Option<usize>, Vec<&ObjectTrace>> = BTreeMap::new();
        let opens = simulate::instant(self.given.plan, 0);
        for object in &self.trace.objects {
            self.exposure(object);
            let Some(last) = object.intervals.last() else { continue };
            let is_open = matches!(last.phase, Phase::Bad | Phase::Busy | Phase::Stopped);
            // An object cannot be made good by taking it away.
            let before = self.given.facts;
            let was_good = before.holds(object.object)
                && phase(self.given.set, before, &opens, object.object) == Phase::Good;
            let goal = &self.given.plan.goal;
            let is_asked = object.is_named(goal) || (was_good && object.is_wanted(goal));
            let is_gone = last.phase == Phase::Outside && is_asked;
            if is_gone || (is_open && object.is_wanted(goal)) {
                ends.entry(self.culprit(last)).or_default().push(object);
            }
        }
        for (step, objects) in ends {
            self.end_unprotected(step, &objects);
        }
        for object in &self.trace.objects {
            self.end_unknown(object);
        }
        self.nothing_protected();
        self.touched_twice();
        self.checked_twice();
    }

    /// An object that must be protected at the end, of which nobody knows whether it is.
    fn end_unknown(&mut self, object: &ObjectTrace) {
        let Some(last) = object.intervals.last().filter(|last| last.phase == Phase::Unknown) else {
            return;
        };
        // A check whose outcome cannot be decided says so itself.
        let is_told = self.trace.steps.iter().any(|step| {
            let checked = step.needs.check.map(|(checked, _)| checked);
            checked == Some(object.object) && !step.undecided.is_empty()
        });
        if is_told || !object.is_covered(&self.given.plan.goal) {
            return;
        }
        let step = self.culprit(last);
        let message =
            format!("whether {} is protected when the window closes is not known", object.key);
        let key = object.key.to_string();
        let now = simulate::instant(self.given.plan, 0);
        let missing = unknown_state(self.given.set, self.given.facts, &now, object.object);
        let wanted = self.wanted(missing);
        if let Some(hazard) = self.add("plan-unknown", step, message) {
            hazard.objects = vec![key];
            hazard.ask(wanted);
        }
    }

    /// Facts in which nothing is protected, before the plan or behind it: nothing has been judged.
    fn nothing_protected(&mut self) {
        let Some((protection, _)) = self.given.set.protection() else { return };
        let is_seen = |one: &ObjectTrace| one.intervals.iter().any(is_counted);
        if self.trace.objects.iter().any(is_seen) {
            return;
        }
        let kind = self.given.facts.model().kind(protection.kind);
        let collection = kind.map(|kind| kind.collection.to_string()).unwrap_or_default();
        let message = "nothing is protected in these facts, so nothing has been judged".to_owned();
        let wanted = self.wanted([collection]);
        if let Some(hazard) = self.add("plan-unknown", None, message) {
            hazard.ask(wanted);
        }
    }

    /// The step that is to blame for a state: the last one that opened a cause that stands, else the last
    /// that did harm.
    pub(super) fn culprit(&self, interval: &Interval) -> Option<usize> {
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
        let help = self.remedies(objects);
        if let Some(hazard) = self.add("plan-end-unprotected", step, message) {
            hazard.objects = keys;
            hazard.chain = chain;
            hazard.help = help;
        }
    }

    fn exposure(&mut self, object: &ObjectTrace) {
        let Some(limit) = self.given.plan.goal.max_exposure else { return };
        // What was so before the plan and stays so is none of its doing.
        if object.exposure <= limit || !object.is_touched() {
            return;
        }
        let open = object.intervals.iter().filter(|one| one.phase == Phase::Unknown);
        let open: i64 = open.map(|one| one.to - one.from).sum();
        // What nobody knows is no ground to say no; nor to say yes.
        let is_known = object.exposure - open > limit;
        let message = format!(
            "{} is without protection for {}; the limit is {}",
            object.key,
            say_duration(object.exposure),
            say_duration(limit)
        );
        let last =
            object.intervals.iter().rev().find(|one| is_counted(one) && one.phase != Phase::Good);
        let step = last.and_then(|last| self.culprit(last));
        let key = object.key.to_string();
        let (kind, message) = if is_known {
            ("plan-exposure", message)
        } else {
            let open = say_duration(open);
            ("plan-unknown", format!("{message}; of {open} of it nobody can say"))
        };
        let help = self.lasts_longest(object.object);
        if let Some(hazard) = self.add(kind, step, message) {
            hazard.objects = vec![key];
            hazard.help.extend(help);
        }
    }

    /// Objects that a step breaks although a later, shared one breaks them anyway.
    fn touched_twice(&mut self) {
        let shared: Vec<usize> = (0..self.written())
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
                        *other != step
                            && self.harms_between(*other, object.object, since, start)
                            && !self.are_about_one(*other, step)
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

    /// Whether two steps do something to one object, so that they have an order of their own.
    fn are_about_one(&self, one: usize, other: usize) -> bool {
        let args = |step: usize| self.given.plan.steps.get(step).map(|step| step.args.as_slice());
        let (Some(ours), Some(theirs)) = (args(one), args(other)) else { return false };
        ours.iter().any(|arg| {
            matches!(arg, Value::Object(_)) && theirs.iter().any(|other| other.same(arg))
        })
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
pub(super) fn listed(keys: &[String]) -> String {
    match keys {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() <= 5 => many.join(", "),
        many => {
            format!("{} and {} more", many.get(..4).unwrap_or_default().join(", "), many.len() - 4)
        }
    }
}
