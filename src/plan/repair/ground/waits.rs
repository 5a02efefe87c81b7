//! What comes before what: as the user says, over his checks as well, and where two pieces decide about one fact.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::value::{Fact, ObjectId};
use crate::plan::repair::ground::Base;
use crate::plan::repair::same::is_plain;
use crate::plan::trace::{FactChange, Happening};

impl Base<'_> {
    /// The tasks that a piece waits for: as the user says, over his checks as well, and where both decide about a fact.
    pub(super) fn waits(
        &self,
        piece: usize,
        at: usize,
        numbers: &BTreeMap<usize, usize>,
    ) -> Vec<usize> {
        let mut seen = BTreeSet::new();
        let mut open = vec![piece];
        while let Some(next) = open.pop() {
            let after = self.pieces.step(next).map(|step| step.after.as_slice());
            open.extend(after.unwrap_or_default().iter().filter(|before| seen.insert(**before)));
        }
        for object in self.checked_before(piece) {
            let Some(check) = self.last_check(piece, object) else { continue };
            let breakers = self.run.order.iter().zip(&self.run.trace.steps);
            let earlier = breakers.filter(|(other, step)| {
                let place = self.pieces.written(**other);
                step.harmed.contains(&object)
                    && place.is_some()
                    && place < self.pieces.written(check)
            });
            seen.extend(earlier.map(|(other, _)| *other));
        }
        // What a fix sets is its own affair.
        if self.pieces.written(piece).is_some() {
            seen.extend(self.same_fact(at));
        }
        seen.remove(&piece);
        seen.iter().filter_map(|other| numbers.get(other).copied()).collect()
    }

    /// Objects whose checks a piece waits for, as the user says.
    fn checked_before(&self, piece: usize) -> Vec<ObjectId> {
        let after = self.pieces.step(piece).map(|step| step.after.as_slice()).unwrap_or_default();
        let checks = after.iter().filter_map(|other| self.pieces.checks(self.given.set, *other));
        checks.filter(|object| self.objects.contains(object)).collect()
    }

    fn last_check(&self, piece: usize, object: ObjectId) -> Option<usize> {
        let after = self.pieces.step(piece)?.after.iter().rev().copied();
        after.into_iter().find(|other| self.pieces.checks(self.given.set, *other) == Some(object))
    }

    /// The objects that are good when a piece begins because it waits for their checks, unless another step of the user's
    /// makes them bad in between.
    pub(super) fn needs_good(&self, piece: usize) -> Vec<usize> {
        let is_good_still = |object: &ObjectId| {
            let check =
                self.last_check(piece, *object).and_then(|check| self.pieces.written(check));
            let here = self.pieces.written(piece);
            let steps = self.run.order.iter().zip(&self.run.trace.steps);
            let mut harmful = steps.filter(|(_, step)| step.harmed.contains(object));
            !harmful.any(|(other, _)| {
                let place = self.pieces.written(*other);
                place > check && place < here
            })
        };
        let objects = self.checked_before(piece).into_iter().filter(is_good_still);
        objects.filter_map(|object| self.number(object)).collect()
    }

    /// The last piece before that gives one of the same facts another value. What is counted up and down, and times, are
    /// the same in any order.
    fn same_fact(&self, at: usize) -> Vec<usize> {
        let protected = self.given.set.protection().map(|(known, _)| known.kind);
        let mut last: BTreeMap<(ObjectId, usize), (usize, &Fact)> = BTreeMap::new();
        let mut found = Vec::new();
        for event in &self.run.trace.events {
            let (Some(step), Happening::Effect) = (event.step, &event.what) else { continue };
            if step > at {
                break;
            }
            for change in &event.changes {
                let FactChange::Field(object, field, _, to) = change else { continue };
                if Some(object.kind) == protected || !is_plain(to) {
                    continue;
                }
                if step == at
                    && let Some((other, value)) = last.get(&(*object, *field))
                    && *other != at
                    && !is_same(value, to)
                {
                    found.push(*other);
                }
                last.insert((*object, *field), (step, to));
            }
        }
        found.iter().filter_map(|position| self.run.order.get(*position).copied()).collect()
    }
}

/// Whether two facts are the same to the second: a time within them says which came last.
fn is_same(one: &Fact, other: &Fact) -> bool {
    match (one, other) {
        (Fact::Known { value: one, .. }, Fact::Known { value: other, .. }) => one.same(other),
        (Fact::Absent(_), Fact::Absent(_)) => true,
        _ => false,
    }
}
