//! Repairs that the rules ask for, and what would come of making them: one that takes an object out of
//! protection, or that only takes back what a step of the plan does, does not make a plan end well.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::eval;
use crate::facts::store::Facts;
use crate::facts::value::{ObjectId, Value};
use crate::finding::{Evaluation, Outcome, RepairStep, Role, Step, Subject};
use crate::plan::hazard::Given;
use crate::plan::simulate;
use crate::plan::trace::{ObjectTrace, StepStatus, Trace};
use crate::plan::world::{Act, May, Phase, argument, bound, carry_out, value_of};
use crate::rule::action::Action;

/// A repair that the rules ask for before protected objects can be checked.
#[derive(Debug)]
struct Repair<'e> {
    /// What to do.
    step: &'e RepairStep,
    /// Whether it only looks for what is wrong.
    is_manual: bool,
    /// Keys of the protected objects that need it.
    keys: BTreeSet<&'e str>,
}

/// The repairs that the rules ask for at the end of a plan, in their order.
pub(in crate::plan) struct Fixes<'a> {
    given: Given<'a>,
    trace: &'a Trace,
    after: &'a Evaluation,
    all: Vec<Repair<'a>>,
}

/// What is to be done for objects that end badly.
pub(in crate::plan) enum Help<'a> {
    /// The repairs that the rules ask for.
    Repair,
    /// Nothing but letting them go: a check cannot begin, and no rule says what would change that.
    Except,
    /// This repair ends their protection, which is what makes them go for good.
    Ends(&'a Step),
    /// This repair only takes back what a step of the plan does.
    TakesBack(&'a Step, usize),
}

impl<'a> Fixes<'a> {
    pub(in crate::plan) fn new(given: Given<'a>, trace: &'a Trace, after: &'a Evaluation) -> Self {
        let kind = after.protected_kind.as_deref();
        let is_fix = |step: &&RepairStep| step.step.role != Role::Check && !step.step.after_check;
        let repair = |step: &'a RepairStep| {
            let mut actions = given.set.actions.iter();
            let action = actions.find(|action| action.id == step.step.action);
            let helps = step.helps.iter().filter(|one| Some(&*one.kind) == kind);
            Repair {
                step,
                is_manual: action.is_some_and(|action| action.course.manual.is_some()),
                keys: helps.map(|one| &*one.key).collect(),
            }
        };
        let all = after.repair.iter().filter(is_fix).map(repair).collect();
        Self { given, trace, after, all }
    }

    /// What the rules ask for because of causes that stand at objects; where no rule asks for anything because of
    /// these, or a check could not even begin, all that objects need. Looking for what is wrong is no repair where
    /// there is something to do.
    pub(in crate::plan) fn of(&self, objects: &[&ObjectTrace], causes: &[usize]) -> Vec<&'a Step> {
        let open: BTreeSet<(&str, &Subject)> = causes
            .iter()
            .filter_map(|number| {
                let cause = self.trace.causes.get(*number)?;
                Some((&*self.given.set.rules.get(cause.rule)?.id, &cause.subject))
            })
            .collect();
        let is_open = |position: &usize| {
            let verdict = self.after.verdicts.get(*position);
            let about = verdict.and_then(|one| Some((&*self.after.rule(one)?.id, &one.subject)));
            about.is_some_and(|about| open.contains(&about))
        };
        let helps =
            |one: &&Repair<'_>| objects.iter().any(|object| one.keys.contains(&*object.key));
        let mut needed: Vec<&Repair<'a>> = self.all.iter().filter(helps).collect();
        if needed.iter().any(|one| !one.is_manual) {
            needed.retain(|one| !one.is_manual);
        }
        let asked = |one: &&Repair<'a>| one.step.verdicts.iter().any(is_open);
        if needed.iter().any(asked) && !objects.iter().any(|object| self.is_refused(object.object))
        {
            needed.retain(asked);
        }
        needed.into_iter().map(|one| &one.step.step).collect()
    }

    /// What helps an object of which causes stand at the end.
    pub(in crate::plan) fn help(&self, object: &ObjectTrace, causes: &[usize]) -> Help<'a> {
        let fixes = self.of(&[object], causes);
        let is_refused = self.is_refused(object.object);
        if fixes.is_empty() && is_refused {
            return Help::Except;
        }
        if is_refused && let Some(end) = fixes.iter().find(|fix| self.ends(fix, object.object)) {
            return Help::Ends(end);
        }
        let back = fixes.iter().find_map(|fix| Some((*fix, self.takes_back(fix, causes)?)));
        match back {
            Some((fix, step)) => Help::TakesBack(fix, step),
            None => Help::Repair,
        }
    }

    /// Whether a check of an object could not begin at the end.
    pub(in crate::plan) fn is_refused(&self, object: ObjectId) -> bool {
        !self.refusals(&self.trace.facts, object).is_empty()
    }

    /// The conditions of a check that do not hold.
    fn refusals(&self, facts: &Arc<Facts>, object: ObjectId) -> BTreeSet<usize> {
        let Some(action) = simulate::check_of(self.given.set) else { return BTreeSet::new() };
        let args = [Value::Object(object)];
        let act = Act { action, args: &args };
        let requires = action.course.requires.iter().enumerate();
        let fails = requires.filter(|(_, (that, _))| {
            let value = value_of(self.given.set, facts, &self.end(), act, that);
            matches!(value, Ok(Value::Bool(false)))
        });
        fails.map(|(position, _)| position).collect()
    }

    fn end(&self) -> crate::facts::time::Instant {
        let window = &self.given.plan.window;
        simulate::instant(self.given.plan, window.end.max(window.checks_until))
    }

    /// Whether a condition of the check that holds does not behind a repair: it takes the object out of protection.
    fn ends(&self, fix: &Step, object: ObjectId) -> bool {
        let Some(facts) = self.made(fix) else { return false };
        !self.refusals(&facts, object).is_subset(&self.refusals(&self.trace.facts, object))
    }

    /// The step of the plan that opened one of these causes and does to another object what a repair does to this
    /// one, where the repair stops the backups of what is well.
    fn takes_back(&self, fix: &Step, causes: &[usize]) -> Option<usize> {
        let action = self.action(fix)?;
        let mut opened = causes.iter().filter_map(|one| self.trace.causes.get(*one)?.opened_by);
        let step = opened.find(|step| {
            let planned = self.given.plan.written().get(*step);
            let action_of = planned.and_then(|step| self.given.set.actions.get(step.action));
            let is_done = |step: &usize| {
                self.trace.steps.get(*step).is_some_and(|one| one.status == StepStatus::Done)
            };
            action_of.is_some_and(|other| other.id == action.id) && is_done(step)
        })?;
        let facts = self.made(fix)?;
        let stops = |rule: &crate::rule::Rule| rule.stops_backups();
        let then = eval::evaluate(&facts, self.given.set, &self.end(), None, &stops);
        let is_well = |key: &str| {
            let mut objects = self.trace.objects.iter();
            objects.any(|one| *one.key == *key && one.ends() == Phase::Good)
        };
        let was = |rule: &str, subject: &Subject| {
            self.after.verdicts.iter().any(|one| {
                let id = self.after.rule(one).map(|rule| &*rule.id);
                one.outcome == Outcome::Violated && id == Some(rule) && one.subject == *subject
            })
        };
        let mut violated = then.verdicts.iter().filter(|one| one.outcome == Outcome::Violated);
        let does_harm = violated.any(|one| {
            let affects = one.finding.iter().flat_map(|finding| &finding.affects);
            let mut about = affects.chain([&one.subject]);
            let id = then.rule(one).map(|rule| &*rule.id).unwrap_or_default();
            about.any(|about| is_well(&about.key)) && !was(id, &one.subject)
        });
        does_harm.then_some(step)
    }

    fn action(&self, fix: &Step) -> Option<&'a Action> {
        self.given.set.actions.iter().find(|action| action.id == fix.action)
    }

    /// The facts at the end with a repair made; none where it cannot be tried out.
    fn made(&self, fix: &Step) -> Option<Arc<Facts>> {
        let action = self.action(fix)?;
        let mut facts = self.trace.facts.clone();
        let args = action
            .args
            .iter()
            .map(|arg| {
                let (_, given) = fix.with.iter().find(|(name, _)| *name == arg.name)?;
                argument(&facts, arg, given).ok()
            })
            .collect::<Option<Vec<Value>>>()?;
        let args = bound(&self.trace.facts, action, &args).ok()?;
        for at_start in [true, false] {
            let act = Act { action, args: &args };
            carry_out(self.given.set, &mut facts, &self.end(), act, (at_start, May::Happens));
        }
        Some(facts)
    }
}
