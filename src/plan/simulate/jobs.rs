//! Jobs that nobody wrote: how they begin, and how long they may run.

use crate::facts::value::{ObjectId, Value};
use crate::plan::Step;
use crate::plan::simulate::Simulation;
use crate::plan::trace::StepStatus;
use crate::plan::world::{self, Act, Phase, bound};
use crate::rule::automatic::Begins;

impl Simulation<'_> {
    /// Whether a job that nobody wrote has checked an object well up to this second, so that whoever has
    /// waited for it has nothing left to check.
    pub(super) fn was_just_checked(&self, object: ObjectId) -> bool {
        self.world.phase(object) == Phase::Good && self.ledger.job_ended(object, self.time)
    }

    /// A check goes on that was running before the plan; it has its slot.
    pub(super) fn run_on(&mut self, position: usize, step: &Step, act: Act<'_>) {
        self.open(position);
        let refusals = self.refusals(position, act);
        if refusals.is_empty() {
            self.start(position, step, act);
        } else {
            self.over(position, StepStatus::Refused(refusals));
        }
    }

    /// A job begins that nobody wrote. What keeps it from beginning makes it fail; only for a slot it waits.
    pub(super) fn begin_by_itself(&mut self, position: usize) {
        let Some(step) = self.plan.steps.get(position) else { return };
        let Some(action) = self.action(step) else { return };
        let Ok(args) = bound(&self.world.facts, action, &step.args) else {
            return self.skip(position);
        };
        let act = Act { action, args: &args };
        let automatic = step.automatic.and_then(|number| action.course.automatic.get(number));
        let when = automatic.and_then(|automatic| automatic.when.as_ref());
        match when.map(|when| self.world.condition(act, when)) {
            None | Some(Ok(true)) => {}
            Some(Ok(false)) => return self.skip(position),
            Some(Err(missing)) => {
                self.ledger.unknown(position, [world::said(&missing)]);
                return self.skip(position);
            }
        }
        if automatic.is_some_and(|automatic| matches!(automatic.begins, Begins::Running)) {
            return self.run_on(position, step, act);
        }
        let obstacle = self.queue.obstacle(position);
        if obstacle.is_some() && self.queue.is_patient(position) {
            return self.queue.wait(position);
        }
        let (mut refusals, mut met) = (Vec::new(), None);
        if obstacle.is_none() {
            refusals = self.obstructions(act);
            met = self.no_point(act, &mut refusals);
        }
        if obstacle.is_some() || !refusals.is_empty() {
            // Who is checked is busy: the check is in the way, whatever else is.
            let about = args.first().and_then(|value| match value {
                Value::Object(object) => self.queue.check_on(*object),
                _ => None,
            });
            self.open(position);
            if let Some(other) = obstacle.or(about) {
                self.ledger.broken(position, other);
            }
            self.refused(position, act, met);
            return self.over(position, StepStatus::Refused(refusals));
        }
        if !self.queue.has_slot(position) {
            return self.queue.wait(position);
        }
        self.open(position);
        if let Some(object) = act.checked() {
            let (vain, _) = self.vain(act, object);
            if !vain.is_empty() {
                self.ledger.vain(position, vain);
                self.met(position, object);
                return self.over(position, StepStatus::Refused(Vec::new()));
            }
        }
        self.start(position, step, act);
    }

    /// A job whose time has come has nothing to do.
    pub(super) fn skip(&mut self, position: usize) {
        self.queue.over(position);
        self.ledger.skip(position);
        self.queue.follow(position, self.time);
    }

    /// Seconds after which a job is broken off.
    pub(super) fn at_most(&mut self, position: usize, step: &Step, act: Act<'_>) -> Option<i64> {
        let automatic = act.action.course.automatic.get(step.automatic?)?;
        match self.world.seconds(act, automatic.at_most.as_ref()?) {
            Ok(seconds) => Some(seconds),
            Err(missing) => {
                self.ledger.unknown(position, [world::said(&missing)]);
                None
            }
        }
    }

    /// A job has run as long as it may, and is not done.
    pub(super) fn cut(&mut self, position: usize, checked: Option<ObjectId>) {
        self.queue.over(position);
        self.ledger.broken(position, position);
        let is_busy = |object: &ObjectId| self.world.phase(*object) == Phase::Busy;
        if let Some(object) = checked.filter(is_busy) {
            let touched = self.set_phase(Some(position), object, Phase::Bad);
            self.settle(Some(position), touched);
        }
        self.ledger.break_off(position, self.time);
        self.queue.follow(position, self.time);
    }

    /// Jobs begin when their objects become bad, but not because they have failed themselves.
    pub(super) fn trigger(&mut self, step: Option<usize>) {
        for object in self.ledger.changed() {
            let its_own = step.is_some_and(|step| {
                self.queue.needs_of(step).check.is_some_and(|(checked, _)| checked == object)
            });
            let was = self.ledger.phase_of(object);
            let was_better = matches!(was, Some(Phase::Good | Phase::Stopped))
                || (was == Some(Phase::Busy) && !its_own);
            if was_better && self.world.phase(object) == Phase::Bad {
                self.queue.became_bad(object, self.time);
            }
        }
    }
}
