//! What a simulation asks the facts: whether a step can begin, whether a check would help, how long it takes.

use std::collections::BTreeMap;

use crate::facts::value::{ObjectId, Value};
use crate::plan::simulate::{Simulation, Takes, check_of};
use crate::plan::world::{Act, Phase};
use crate::plan::{Step, world};

impl Simulation<'_> {
    /// The conditions of an action that do not hold, or of which nobody knows it.
    pub(super) fn obstructions(&self, act: Act<'_>) -> Vec<String> {
        let requires = act.action.course.requires.iter();
        let failing =
            requires.filter_map(|(that, otherwise)| match self.world.condition(act, that) {
                Ok(true) => None,
                Ok(false) => Some(self.world.say(act, otherwise)),
                Err(missing) => Some(format!("It is not known: {}.", world::said(&missing))),
            });
        failing.collect()
    }

    /// The conditions of an action that do not hold, in words; those that are not known are noted.
    pub(super) fn refusals(&mut self, position: usize, act: Act<'_>) -> Vec<String> {
        let (mut refusals, mut unknown) = (Vec::new(), Vec::new());
        for (that, otherwise) in &act.action.course.requires {
            match self.world.condition(act, that) {
                Ok(true) => {}
                Ok(false) => refusals.push(self.world.say(act, otherwise)),
                Err(missing) => unknown.push(world::said(&missing)),
            }
        }
        // What does not begin for a known reason hangs on nothing else.
        if refusals.is_empty() {
            self.ledger.unknown(position, unknown);
        }
        refusals
    }

    /// The causes that would still stand after a check: it is tried out and taken back.
    pub(super) fn vain(&mut self, act: Act<'_>, object: ObjectId) -> Vec<usize> {
        if self.ledger.open(object).is_empty() {
            return Vec::new();
        }
        let facts = self.world.facts.clone();
        let mut touched = self.world.apply(act, false, self.scenario.may).touched;
        touched.extend(self.world.set_phase(object, Phase::Good));
        self.world.causes.try_out(&self.world.facts, &self.world.now, &touched);
        let vain = self.ledger.known_for(&self.world, object);
        self.world.causes.take_back();
        self.world.facts = facts;
        self.world.take_before();
        vain
    }

    /// Of the objects that changed and are bad: whether a check alone would not help.
    pub(super) fn blocked(&mut self) -> BTreeMap<ObjectId, bool> {
        let Some(action) = check_of(self.world.set) else { return BTreeMap::new() };
        let mut blocked = BTreeMap::new();
        for object in self.ledger.changed() {
            if self.world.phase(object) != Phase::Bad {
                continue;
            }
            let args = [Value::Object(object)];
            let act = Act { action, args: &args };
            let requires = action.course.requires.iter();
            let is_refused = requires
                .map(|(that, _)| self.world.condition(act, that))
                .any(|that| that == Ok(false));
            let is_blocked = is_refused || !self.vain(act, object).is_empty();
            blocked.insert(object, is_blocked);
        }
        blocked
    }

    /// Seconds that a step takes.
    pub(super) fn takes(&mut self, position: usize, step: &Step, act: Act<'_>) -> i64 {
        if let Some((expected, worst)) = step.estimate {
            self.ledger.because(position, "stated in the plan".to_owned());
            return match self.scenario.takes {
                Takes::Worst => worst,
                Takes::Expected => expected,
            };
        }
        match self.world.takes(act) {
            Some(Ok(takes)) => {
                self.ledger.because(position, takes.because);
                match self.scenario.takes {
                    Takes::Expected => takes.expected,
                    Takes::Worst => takes.worst,
                }
            }
            Some(Err(missing)) => {
                self.ledger.unknown(position, [missing]);
                0
            }
            None => 0,
        }
    }
}
