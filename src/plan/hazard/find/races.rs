//! Steps of which nobody says which comes first, although it makes a difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::value::{Fact, ObjectId, Value};
use crate::plan::Plan;
use crate::plan::hazard::find::{Finder, objects::listed};
use crate::plan::trace::{FactChange, StepStatus};

/// Most steps of a plan that are compared with each other.
const MOST_STEPS: usize = 2_000;

/// The steps that set a fact, and its values.
type Set<'f> = (BTreeSet<usize>, Vec<&'f Fact>);

impl Finder<'_> {
    pub(super) fn races(&mut self) {
        for ((first, second), what) in self.race_pairs() {
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
        let count = self.written();
        let is_free = !self.given.plan.is_ordered
            || self.given.plan.written().iter().any(|step| step.group.is_some());
        if !is_free || count > MOST_STEPS {
            return BTreeMap::new();
        }
        let mut pairs: BTreeMap<(usize, usize), BTreeSet<String>> = BTreeMap::new();
        for (what, steps) in self.shared() {
            for (place, first) in steps.iter().enumerate() {
                for second in steps.iter().skip(place + 1) {
                    pairs.entry((*first, *second)).or_default().insert(what.clone());
                }
            }
        }
        let before = before(self.given.plan);
        let waits = |late: usize, early: usize| {
            before.get(late).is_some_and(|before| before.contains(&early))
        };
        pairs.retain(|(first, second), _| {
            let is_told = waits(*first, *second) || waits(*second, *first);
            !is_told && !self.is_ordered(*first, *second)
        });
        pairs
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
