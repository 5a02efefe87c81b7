//! Steps of which nobody says which comes first, although it makes a difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::value::{Fact, ObjectId, Value};
use crate::plan::Plan;
use crate::plan::hazard::find::{Finder, objects::listed};
use crate::plan::insight::reach;
use crate::plan::trace::{FactChange, StepStatus};

/// Most steps of a plan that are compared with each other.
const MOST_STEPS: usize = 2_000;

/// Most pairs of steps that are told.
const MOST_PAIRS: usize = 200;

/// Most pairs that are looked for: a plan of which all steps decide about one thing has millions.
const MOST_KEPT: usize = 10_000;

/// The objects that a step changes, and those that it may look at.
#[derive(Default)]
struct Print {
    changes: BTreeSet<ObjectId>,
    sees: BTreeSet<ObjectId>,
}

/// The steps that set a fact, and its values.
type Set<'f> = (BTreeSet<usize>, Vec<&'f Fact>);

impl Finder<'_> {
    pub(super) fn races(&mut self) {
        if is_free(self.given.plan) && self.written() > MOST_STEPS {
            let message = format!(
                "nothing says in which order steps come, and there are too many to compare: {}",
                self.written()
            );
            self.add("plan-race", None, message);
        }
        let pairs = self.race_pairs();
        let more = pairs.len().saturating_sub(MOST_PAIRS);
        if more > 0 {
            let message = format!(
                "nothing says which of two steps comes first for at least {more} more pairs that decide about one thing"
            );
            self.add("plan-race", None, message);
        }
        for ((first, second), what) in pairs.into_iter().take(MOST_PAIRS) {
            let what: Vec<String> = what.into_iter().collect();
            let message = format!(
                "nothing says whether {} or {} comes first, and both decide about {}",
                self.named(first),
                self.named(second),
                listed(&what)
            );
            if let Some(hazard) = self.add("plan-race", Some(second), message) {
                hazard.help.push("say it with `after`".to_owned());
            }
        }
    }

    /// Steps that nothing orders, with what both decide about.
    pub(super) fn race_pairs(&self) -> BTreeMap<(usize, usize), BTreeSet<String>> {
        if !is_free(self.given.plan) || self.written() > MOST_STEPS {
            return BTreeMap::new();
        }
        let before = before(self.given.plan);
        let mut pairs: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        for (what, steps) in self.shared() {
            for (place, first) in steps.iter().enumerate() {
                for second in steps.iter().skip(place + 1) {
                    if pairs.len() >= MOST_KEPT {
                        return pairs;
                    }
                    if self.is_open(&before, *first, *second) {
                        pairs.entry((*first, *second)).or_default().insert(what.clone());
                    }
                }
            }
        }
        pairs
    }

    /// Steps that nothing orders of which one changes what the other may look at, or what hangs on it. Whether the order
    /// makes a difference shows only when it is tried.
    pub(super) fn near_pairs(&self) -> Vec<(usize, usize)> {
        if !is_free(self.given.plan) || self.written() > MOST_STEPS {
            return Vec::new();
        }
        let before = before(self.given.plan);
        let prints: Vec<Print> = (0..self.written()).map(|step| self.print(step)).collect();
        let mut pairs = Vec::new();
        for (first, one) in prints.iter().enumerate() {
            for (second, other) in prints.iter().enumerate().skip(first + 1) {
                let is_near =
                    !one.changes.is_disjoint(&other.sees) || !other.changes.is_disjoint(&one.sees);
                if is_near && self.is_open(&before, first, second) {
                    pairs.push((first, second));
                }
                if pairs.len() >= MOST_KEPT {
                    return pairs;
                }
            }
        }
        pairs
    }

    /// What a step changes and what it may look at.
    fn print(&self, position: usize) -> Print {
        let mut print = Print::default();
        let Some(step) = self.trace.steps.get(position) else { return print };
        print.changes.extend(&step.harmed);
        let causes = step.opened.iter().chain(&step.closed);
        let causes = causes.filter_map(|number| self.trace.causes.get(*number));
        print.changes.extend(causes.flat_map(|cause| &cause.objects));
        let events = self.trace.events.iter().filter(|event| event.step == Some(position));
        print.changes.extend(events.flat_map(|event| &event.changes).map(FactChange::object));
        let planned = self.given.plan.steps.get(position);
        let args = planned.into_iter().flat_map(|step| &step.args);
        let mut sees: BTreeSet<ObjectId> = args
            .filter_map(|arg| match arg {
                Value::Object(object) => Some(*object),
                _ => None,
            })
            .collect();
        sees.extend(step.needs.locks.iter().chain(&step.needs.uses));
        print.sees = reach(self.given.facts, &sees);
        print.sees.extend(&print.changes);
        print
    }

    /// Whether nothing orders two steps.
    fn is_open(&self, before: &[BTreeSet<usize>], first: usize, second: usize) -> bool {
        let waits = |late: usize, early: usize| {
            before.get(late).is_some_and(|before| before.contains(&early))
        };
        !waits(first, second) && !waits(second, first) && !self.is_ordered(first, second)
    }

    /// What several steps decide about: a protected object that one checks and another makes bad, and facts
    /// that they set to other values than each other. What is counted up and down is the same in any order.
    fn shared(&self) -> Vec<(String, Vec<usize>)> {
        let mut objects: BTreeMap<ObjectId, (BTreeSet<usize>, bool)> = BTreeMap::new();
        let steps = self.trace.steps.iter().enumerate().take(self.written());
        for (position, step) in steps.filter(|(_, step)| step.status == StepStatus::Done) {
            for object in &step.harmed {
                objects.entry(*object).or_default().0.insert(position);
            }
            if let Some((object, _)) = step.needs.check {
                let known = objects.entry(object).or_default();
                known.0.insert(position);
                known.1 = true;
            }
        }
        let mut facts: BTreeMap<(ObjectId, usize), Set<'_>> = BTreeMap::new();
        for event in &self.trace.events {
            let Some(step) = event.step.filter(|step| *step < self.written()) else { continue };
            for change in &event.changes {
                let FactChange::Field(object, field, _, to) = change else { continue };
                let known = facts.entry((*object, *field)).or_default();
                known.0.insert(step);
                known.1.push(to);
            }
        }
        let checked = objects.into_iter().filter(|(_, (steps, is_checked))| {
            let is_check = |step: &usize| {
                self.trace.steps.get(*step).is_some_and(|step| step.needs.check.is_some())
            };
            *is_checked && !steps.iter().all(is_check)
        });
        let checked = checked.map(|(object, (steps, _))| (self.key(object), steps));
        let protected = self.given.set.protection().map(|(known, _)| known.kind);
        let set = facts.into_iter().filter(|((object, _), (steps, values))| {
            Some(object.kind) != protected && steps.len() > 1 && differ(values)
        });
        let set = set.map(|((object, field), (steps, _))| {
            let kind = self.trace.facts.kind_of(object);
            let name =
                kind.and_then(|kind| kind.record.fields.get(field)).map(|field| &*field.name);
            (format!("{} of {}", name.unwrap_or_default(), self.key(object)), steps)
        });
        checked.chain(set).map(|(what, steps)| (what, steps.into_iter().collect())).collect()
    }

    /// Whether the plan's own order tells two steps apart.
    fn is_ordered(&self, first: usize, second: usize) -> bool {
        let group = |step: usize| self.given.plan.steps.get(step).and_then(|step| step.group);
        self.given.plan.is_ordered && (group(first).is_none() || group(first) != group(second))
    }
}

/// Whether there are steps that the plan does not order at all.
pub(in crate::plan::hazard) fn is_free(plan: &Plan) -> bool {
    !plan.is_ordered || plan.written().iter().any(|step| step.group.is_some())
}

/// For each step the steps that it waits for, and those that these wait for.
pub(in crate::plan::hazard) fn before(plan: &Plan) -> Vec<BTreeSet<usize>> {
    let steps = plan.written();
    let mut all: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); steps.len()];
    // No step waits for itself, so this comes to an end after as many rounds as there are links.
    loop {
        let mut is_more = false;
        for (position, step) in steps.iter().enumerate() {
            let mut known = all.get(position).cloned().unwrap_or_default();
            let count = known.len();
            for before in &step.after {
                known.insert(*before);
                known.extend(all.get(*before).into_iter().flatten());
            }
            is_more |= known.len() > count;
            if let Some(slot) = all.get_mut(position) {
                *slot = known;
            }
        }
        if !is_more {
            return all;
        }
    }
}

/// Whether a fact is set to several values, none of them a number or a time.
fn differ(values: &[&Fact]) -> bool {
    let plain = |fact: &&Fact| {
        matches!(
            fact,
            Fact::Known {
                value: Value::Text(_)
                    | Value::Name(_)
                    | Value::Path(_)
                    | Value::Version(_)
                    | Value::Bool(_)
                    | Value::Object(_),
                ..
            }
        )
    };
    let mut values = values.iter().copied().filter(plain);
    let Some(Fact::Known { value: first, .. }) = values.next() else { return false };
    values.any(|fact| matches!(fact, Fact::Known { value, .. } if !value.same(first)))
}
