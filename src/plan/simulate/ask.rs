//! What a simulation asks the facts: whether a step can begin, and how long it takes.

use std::collections::BTreeSet;

use crate::expr::tree::Expr;
use crate::facts::value::{ObjectId, Value};
use crate::plan::simulate::{Simulation, Takes};
use crate::plan::world::{Act, Phase};
use crate::plan::{Step, world};

/// Begin of a reason why a step cannot begin: nobody knows whether it can.
pub(in crate::plan) const NOT_KNOWN: &str = "It is not known: ";

impl Simulation<'_> {
    /// The conditions of an action that do not hold, or of which nobody knows it.
    pub(super) fn obstructions(&self, act: Act<'_>) -> Vec<String> {
        let requires = act.action.course.requires.iter();
        let failing =
            requires.filter_map(|(that, otherwise)| match self.world.condition(act, that) {
                Ok(true) => None,
                Ok(false) => Some(self.world.say(act, otherwise)),
                Err(missing) => Some(format!("{NOT_KNOWN}{}.", world::said(&missing))),
            });
        failing.collect()
    }

    /// The conditions of an action that do not hold, in words; those that are not known are noted.
    pub(super) fn refusals(&mut self, position: usize, act: Act<'_>) -> Vec<String> {
        let (mut refusals, mut unknown) = (Vec::new(), Vec::new());
        for (that, otherwise) in &act.action.course.requires {
            match self.world.condition(act, that) {
                Ok(true) => {}
                Ok(false) => {
                    self.look_at(position, act, that);
                    refusals.push(self.world.say(act, otherwise));
                }
                Err(missing) => unknown.push(world::said(&missing)),
            }
        }
        // What does not begin for a known reason hangs on nothing else.
        if refusals.is_empty() {
            self.ledger.unknown(position, unknown);
        }
        refusals
    }

    /// Writes down what a condition hangs on that keeps a step from taking place.
    pub(super) fn look_at(&mut self, position: usize, act: Act<'_>, that: &Expr) {
        self.world.watch();
        let _known = self.world.condition(act, that);
        let reads = self.world.take_reads();
        self.ledger.look_at(position, reads.cells);
    }

    /// Of an action that makes a recovery point and that nothing else keeps from beginning: adds why none can be made,
    /// where causes stand that nothing has brought out yet; the answer is the object that it meets them at.
    pub(super) fn no_point(&self, act: Act<'_>, refusals: &mut Vec<String>) -> Option<ObjectId> {
        let protection = self.world.protection()?;
        if !refusals.is_empty()
            || act.action.course.checks.is_some()
            || !protection.makes_point(act.action)
        {
            return None;
        }
        let object = act.args.iter().find_map(|arg| match arg {
            Value::Object(object) if object.kind == protection.kind => Some(*object),
            _ => None,
        })?;
        // What is not good by its state is refused for that, or is being copied for the first time.
        if self.world.phase(object) != Phase::Good {
            return None;
        }
        let open = self.ledger.open(object);
        let rules: BTreeSet<&str> = open
            .iter()
            .filter_map(|cause| self.ledger.stopped_by(*cause, self.world.set))
            .collect();
        let rules: Vec<&str> = rules.into_iter().collect();
        let (stand, they) =
            if rules.len() == 1 { ("stands", "it does") } else { ("stand", "they do") };
        let key = self.world.facts.key(object);
        let rules = (!rules.is_empty()).then(|| rules.join(", "))?;
        refusals.push(format!("{rules} {stand} for {key}: no backup succeeds while {they}."));
        Some(object)
    }

    /// Seconds that a step takes, and those that it takes at best.
    pub(super) fn takes(&mut self, position: usize, step: &Step, act: Act<'_>) -> (i64, i64) {
        if let Some((expected, worst)) = step.estimate {
            self.ledger.because(position, "stated in the plan".to_owned());
            return match self.scenario.takes {
                Takes::Worst => (worst, expected),
                Takes::Expected => (expected, expected),
            };
        }
        match self.world.takes(act) {
            Some(Ok(takes)) => {
                self.ledger.because(position, takes.because);
                match self.scenario.takes {
                    Takes::Expected => (takes.expected, takes.best),
                    Takes::Worst => (takes.worst, takes.best),
                }
            }
            Some(Err(missing)) => {
                self.ledger.unknown(position, [missing]);
                (0, 0)
            }
            None => (0, 0),
        }
    }
}
