//! Checks that do not come to their end, and those that another one would have made needless: what to do instead.

use crate::facts::time::say_duration;
use crate::facts::value::ObjectId;
use crate::finding::Severity;
use crate::plan::hazard::find::Finder;
use crate::plan::trace::{StepStatus, StepTrace};

impl Finder<'_> {
    /// A check that is broken off, or made worthless while it runs.
    pub(super) fn interrupted(&mut self, position: usize) {
        let Some(step) = self.trace.steps.get(position) else { return };
        let Some(by) = step.broken_by else { return };
        let lasted = step.start.zip(step.end).map(|(start, end)| end - start);
        let name = self.named(position);
        let message = if by == position {
            let lasted = say_duration(lasted.unwrap_or_default());
            format!("{name} is broken off after {lasted}: it takes longer than it may")
        } else {
            let how = if lasted < step.takes { "broken off" } else { "made worthless" };
            format!("{name} is {how} by {}", self.named(by))
        };
        let is_others = by < self.written() && by != position;
        let help = is_others.then(|| self.instead(position, by));
        if let Some(hazard) = self.add("plan-check-interrupted", Some(position), message) {
            hazard.help.extend(help);
        }
    }

    /// What to do with a check and the step that it does not survive: where that breaks the object itself, a check
    /// before it is for nothing.
    fn instead(&self, check: usize, by: usize) -> String {
        let (id, breaker) = (self.id(check), self.id(by));
        let object = self.checked(check);
        let breaks = self.trace.steps.get(by).zip(object);
        let Some((_, object)) = breaks.filter(|(step, object)| step.harmed.contains(object)) else {
            return format!("let {breaker} wait: `after: [{id}]`");
        };
        let key = self.key(object);
        match self.checks_well(object, by).next() {
            Some(later) => {
                format!("leave {id} out: {} checks {key} behind {breaker}", self.id(later))
            }
            None if self.given.plan.is_ordered => {
                format!("{breaker} breaks {key} anyway: put {id} behind {breaker}")
            }
            None => format!("{breaker} breaks {key} anyway: let {id} wait: `after: [{breaker}]`"),
        }
    }

    fn checked(&self, step: usize) -> Option<ObjectId> {
        self.trace.steps.get(step)?.needs.check.map(|(object, _)| object)
    }

    /// Checks of the plan that begin behind a step and come to their end.
    fn checks_well(&self, object: ObjectId, step: usize) -> impl Iterator<Item = usize> {
        let since = self.trace.steps.get(step).and_then(|step| step.end);
        let steps = self.trace.steps.iter().enumerate().take(self.written());
        steps.filter_map(move |(position, check)| {
            let is_its = check.needs.check.is_some_and(|(checked, _)| checked == object);
            let is_well = check.status == StepStatus::Done
                && check.broken_by.is_none()
                && check.vain.is_empty();
            let is_behind = check.start.zip(since).is_some_and(|(start, since)| start >= since);
            (is_its && is_well && is_behind).then_some(position)
        })
    }

    /// An object that one step breaks, a check cures, and another step breaks again as soon as that has ended: one
    /// check behind both would do.
    pub(super) fn checked_twice(&mut self) {
        let mut found = Vec::new();
        for (check, trace) in self.trace.steps.iter().enumerate().take(self.written()) {
            let Some(object) = self.checked(check).filter(|_| trace.broken_by.is_none()) else {
                continue;
            };
            let breaks = |other: &(usize, &StepTrace)| other.1.harmed.contains(&object);
            let others = || self.trace.steps.iter().enumerate().take(self.written()).filter(breaks);
            let before = others().rfind(|(_, one)| one.end <= trace.start);
            let behind = others().find(|(_, one)| one.start.is_some() && one.start == trace.end);
            let (Some((first, _)), Some((second, _))) = (before, behind) else { continue };
            if trace.status == StepStatus::Done
                && let Some(last) = self.checks_well(object, second).next()
            {
                found.push((check, object, (first, second, last)));
            }
        }
        for (check, object, (first, second, last)) in found {
            let key = self.key(object);
            let message = format!(
                "{key} is broken by {}, checked, and broken again by {} at once",
                self.named(first),
                self.named(second)
            );
            let help = format!(
                "leave {} out, and let {} follow {}: {} checks {key} behind both",
                self.id(check),
                self.id(second),
                self.id(first),
                self.id(last)
            );
            if let Some(hazard) = self.add("plan-touched-twice", Some(check), message) {
                hazard.severity = Severity::Note;
                hazard.objects = vec![key];
                hazard.help.push(help);
            }
        }
    }

    /// What makes up most of an object's time without protection, in words.
    pub(super) fn lasts_longest(&self, object: ObjectId) -> Option<String> {
        let trace = self.trace.objects.iter().find(|one| one.object == object)?;
        let exposed = || trace.intervals.iter().filter(|one| one.phase.is_exposed());
        let is_at_it = |position: usize, step: &StepTrace| {
            self.checked(position) == Some(object)
                || exposed().any(|one| one.caused_by.contains(&position))
                || step.closed.iter().any(|cause| {
                    let cause = self.trace.causes.get(*cause);
                    cause.is_some_and(|cause| cause.objects.contains(&object))
                })
        };
        let share = |step: &StepTrace| -> Option<i64> {
            let (start, end) = (step.start?, step.end?);
            Some(exposed().map(|one| (one.to.min(end) - one.from.max(start)).max(0)).sum())
        };
        let steps = self.trace.steps.iter().enumerate().take(self.written());
        let shares = steps
            .filter(|(position, step)| is_at_it(*position, step))
            .filter_map(|(position, step)| Some((share(step)?, position)));
        let shares: Vec<(i64, usize)> = shares.filter(|(share, _)| *share > 0).collect();
        let all: i64 = shares.iter().map(|(share, _)| share).sum();
        let (most, step) =
            shares.into_iter().max_by_key(|(share, step)| (*share, usize::MAX - step))?;
        let idle = trace.exposure - all;
        Some(if idle > most {
            format!(
                "for {} of it no step is at work on {}: let its steps and its check follow each other",
                say_duration(idle),
                trace.key
            )
        } else {
            format!("{} takes {} of it", self.named(step), say_duration(most))
        })
    }
}
