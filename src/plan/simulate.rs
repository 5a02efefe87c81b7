//! Time passes: steps begin and end, effects are made, rules are judged.
//!
//! Everything happens at whole seconds. What ends at a second ends before anything begins in it, and
//! steps are taken in the order of the plan: two runs give the same trace.

mod ask;
mod jobs;
mod ledger;
mod needs;
mod queue;
mod trial;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::eval::standing::Delta;
use crate::facts::change::Cell;
use crate::facts::model::Type;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::ObjectId;
use crate::finding::Role;
use crate::plan::simulate::ledger::Ledger;
use crate::plan::simulate::queue::Queue;
use crate::plan::simulate::trial::Trials;
use crate::plan::trace::{Happening, StepStatus, Trace};
use crate::plan::world::{Act, May, Passing, Phase, World, bound};
use crate::plan::{Plan, Step};
use crate::rule::action::{Action, Arg};
use crate::rule::pack::RuleSet;

pub(in crate::plan) use ask::NOT_KNOWN;
pub(in crate::plan) use needs::{capacity, owner};

/// What is taken for granted of what cannot be known before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// Whether what may happen does.
    pub may: May,
    /// Which duration counts.
    pub takes: Takes,
}

/// Which of an action's durations counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// The usual one.
    Expected,
    /// The longest.
    Worst,
}

/// Most rounds in which consequences of consequences are looked for.
const MAX_ROUNDS: usize = 20;

/// Lets a plan happen to a copy of the facts.
#[must_use]
pub fn simulate(set: &RuleSet, facts: &Arc<Facts>, plan: &Plan, scenario: Scenario) -> Trace {
    simulate_telling(set, facts, plan, scenario, &|| {})
}

/// Like [`simulate`]; it tells of each step that begins.
#[must_use]
pub fn simulate_telling(
    set: &RuleSet,
    facts: &Arc<Facts>,
    plan: &Plan,
    scenario: Scenario,
    tell: &dyn Fn(),
) -> Trace {
    let turns: Vec<usize> = (0..plan.written().len()).collect();
    simulate_in_turn(set, facts, plan, (scenario, &turns), tell)
}

/// Like [`simulate_telling`]; of steps that could begin at one time that begins first which is named first, each by its
/// position in the plan.
pub(in crate::plan) fn simulate_in_turn(
    set: &RuleSet,
    facts: &Arc<Facts>,
    plan: &Plan,
    (scenario, turns): (Scenario, &[usize]),
    tell: &dyn Fn(),
) -> Trace {
    let start = instant(plan, 0);
    let mut world = World::new(set, facts, &start);
    let queue = Queue::new(&mut world, plan, turns);
    let ledger = Ledger::new(&world, plan, &queue);
    let mut simulation = Simulation {
        plan,
        scenario,
        world,
        ledger,
        queue,
        trials: Trials::default(),
        passing: HashMap::new(),
        time: 0,
        tell,
    };
    simulation.run();
    simulation.ledger.finish(&simulation.world, &simulation.queue)
}

/// The instant at a second of a plan.
pub(in crate::plan) fn instant(plan: &Plan, time: i64) -> Instant {
    let seconds = plan.window.start.saturating_add(time);
    Instant::from_seconds(seconds).unwrap_or_else(Instant::epoch)
}

/// The action that checks a protected object and needs nothing else.
#[must_use]
pub fn check_of(set: &RuleSet) -> Option<&Action> {
    let (protection, _) = set.protection()?;
    set.actions.iter().find(|action| {
        let takes = |arg: &Arg| {
            matches!(arg.ty.required(), Type::Object(kinds) if kinds.contains(&protection.kind))
        };
        action.course.checks == Some(0) && matches!(action.args.as_slice(), [arg] if takes(arg))
    })
}

struct Simulation<'a> {
    tell: &'a dyn Fn(),
    plan: &'a Plan,
    scenario: Scenario,
    world: World<'a>,
    ledger: Ledger,
    queue: Queue,
    trials: Trials,
    /// What is so only while a step runs, by its position.
    passing: HashMap<usize, Vec<Passing>>,
    time: i64,
}

impl<'a> Simulation<'a> {
    fn run(&mut self) {
        self.settle(None, BTreeSet::new());
        loop {
            self.begin_all();
            let Some(time) = self.queue.next_time(self.time) else { break };
            self.time = time;
            self.world.now = instant(self.plan, time);
            while let Some(position) = self.queue.next_to_end(self.time) {
                self.end(position);
            }
        }
        for position in self.queue.not_needed() {
            self.ledger.skip(position);
        }
    }

    /// Begins what can begin now; what begins by itself does not wait for people.
    fn begin_all(&mut self) {
        loop {
            if let Some(position) = self.queue.next_automatic(&mut self.world, self.plan, self.time)
            {
                (self.tell)();
                self.begin_by_itself(position);
            } else if let Some(position) =
                self.queue.next_to_begin(&mut self.world, self.plan, self.time)
            {
                (self.tell)();
                self.begin(position);
            } else {
                return;
            }
        }
    }

    /// The action of a step.
    fn action(&self, step: &Step) -> Option<&'a Action> {
        self.world.set.actions.get(step.action)
    }

    fn begin(&mut self, position: usize) {
        let Some(step) = self.plan.steps.get(position) else { return };
        let Some(action) = self.action(step) else { return };
        self.open(position);
        let args = match bound(&self.world.facts, action, &step.args) {
            Ok(args) => args,
            Err(name) => {
                let reason = format!("There is no `{name}` then.");
                return self.over(position, StepStatus::Refused(vec![reason]));
            }
        };
        let act = Act { action, args: &args };
        if let Some(done) = &act.action.course.done_when
            && self.world.condition(act, done) == Ok(true)
        {
            self.look_at(position, act, done);
            return self.over(position, StepStatus::Nothing);
        }
        let checked = act.checked();
        if checked.is_some_and(|object| self.was_just_checked(object)) {
            return self.over(position, StepStatus::Nothing);
        }
        let mut refusals = self.refusals(position, act);
        let met = self.no_point(act, &mut refusals);
        if !refusals.is_empty() {
            self.refused(position, act, met);
            return self.over(position, StepStatus::Refused(refusals));
        }
        if let Some(object) = checked {
            let is_well = self.world.phase(object) == Phase::Good;
            let was_good = is_well && self.ledger.open(object).is_empty();
            self.ledger.check(position, was_good);
            let (vain, _) = self.vain(act, object);
            if !vain.is_empty() {
                self.ledger.vain(position, vain);
                self.met(position, object);
                return self.over(position, StepStatus::Refused(Vec::new()));
            }
        }
        self.start(position, step, act);
    }

    fn open(&mut self, position: usize) {
        self.ledger.begin(position, &self.queue.needs_of(position), self.time);
    }

    /// What comes of trying what cannot begin, where something stops the jobs of an object for that too.
    fn refused(&mut self, position: usize, act: Act<'_>, met: Option<ObjectId>) {
        let outcomes = self.world.apply_refused(act, self.scenario.may);
        self.made(Some(position), Happening::Effect);
        self.ledger.unknown(position, outcomes.missing);
        if !outcomes.touched.is_empty() {
            self.spoil(position, &outcomes.touched);
            self.settle(Some(position), outcomes.touched);
        }
        if let Some(object) = met {
            self.met(position, object);
        }
    }

    /// A job has met what stops it: that has its consequences for the object now.
    fn met(&mut self, position: usize, object: ObjectId) {
        if self.world.phase(object) != Phase::Good {
            return;
        }
        let open = self.ledger.open(object);
        let (mut causes, mut changes) = (Vec::new(), Vec::new());
        for cause in self.world.causes.standing() {
            let number = self.ledger.number_of(&cause.standing.fingerprint);
            let Some(number) = number.filter(|number| open.contains(number)) else { continue };
            let of_object = cause
                .standing
                .later
                .iter()
                .filter(|change| change.target().is_some_and(|(target, _)| target == object));
            let count = changes.len();
            changes.extend(of_object.cloned());
            if changes.len() > count {
                causes.push(number);
            }
        }
        if !changes.is_empty() {
            let touched = self.world.set(changes);
            self.made(Some(position), Happening::Consequence(causes));
            self.settle(Some(position), touched);
        }
    }

    /// A step begins that nothing keeps from beginning.
    fn start(&mut self, position: usize, step: &Step, act: Act<'_>) {
        let checked = act.checked();
        if step.automatic.is_none() {
            self.ledger.name(act.args);
        }
        let (mut takes, quickest) = self.takes(position, step, act);
        self.ledger.takes(position, takes, quickest);
        if let Some(most) = self.at_most(position, step, act).filter(|most| *most < takes) {
            self.queue.limit(position);
            takes = most;
        }
        let locked = self.queue.begin(position, self.time.saturating_add(takes));
        for (broken, object) in locked {
            self.ledger.broken(broken, position);
            if let Some(object) = object {
                let touched = self.set_phase(Some(position), object, Phase::Bad);
                self.settle(Some(position), touched);
            }
            self.ledger.break_off(broken, self.time);
        }
        let mut touched = BTreeSet::new();
        if let Some(object) = checked {
            touched.extend(self.set_phase(Some(position), object, Phase::Busy));
        }
        let outcomes = self.world.apply(act, true, self.scenario.may);
        if !outcomes.passing.is_empty() {
            self.passing.insert(position, outcomes.passing);
        }
        self.made(Some(position), Happening::Effect);
        self.spoil(position, &outcomes.touched);
        self.ledger.unknown(position, outcomes.missing);
        touched.extend(outcomes.touched);
        self.settle(Some(position), touched);
        if takes == 0 {
            self.end(position);
        }
    }

    fn set_phase(&mut self, step: Option<usize>, object: ObjectId, phase: Phase) -> BTreeSet<Cell> {
        let touched = self.world.set_phase(object, phase);
        self.made(step, Happening::Phase);
        touched
    }

    /// A step that breaks an object itself makes the check of it worthless that runs meanwhile.
    fn spoil(&mut self, position: usize, touched: &BTreeSet<Cell>) {
        let objects: BTreeSet<ObjectId> = touched
            .iter()
            .filter_map(|cell| match cell {
                Cell::Field(object, _) => Some(*object),
                Cell::All(_) => None,
            })
            .collect();
        for object in objects {
            let is_others = self.queue.check_on(object).is_some_and(|check| check != position);
            if is_others
                && matches!(self.world.phase(object), Phase::Bad | Phase::Outside)
                && let Some(check) = self.queue.spoil(object)
            {
                self.ledger.broken(check, position);
            }
        }
    }

    /// Writes down the facts that were changed just now.
    fn made(&mut self, step: Option<usize>, what: Happening) {
        let before = self.world.take_before();
        self.ledger.changes(&self.world, self.time, step, what, before);
    }

    /// Ends a step that takes no time and changes nothing.
    fn over(&mut self, position: usize, status: StepStatus) {
        self.queue.over(position);
        self.ledger.end(position, self.time, status);
        self.queue.follow(position, self.time);
    }

    fn end(&mut self, position: usize) {
        let Some(step) = self.plan.steps.get(position) else { return };
        let Some(action) = self.action(step) else { return };
        let Ok(args) = bound(&self.world.facts, action, &step.args) else {
            // What it was about is gone: nothing is left that it could do.
            return self.over(position, StepStatus::Done);
        };
        let act = Act { action, args: &args };
        let checked = act.checked();
        if self.queue.is_limited(position) {
            return self.cut(position, checked);
        }
        let is_spoiled = self.queue.end_of(position);
        let is_broken = |object: &ObjectId| {
            is_spoiled && matches!(self.world.phase(*object), Phase::Bad | Phase::Outside)
        };
        let state = checked.filter(is_broken).and_then(|object| self.world.state(object));
        let passing = self.passing.remove(&position).unwrap_or_default();
        let mut touched = self.world.take_back(passing);
        let outcomes = self.world.apply(act, false, self.scenario.may);
        self.made(Some(position), Happening::Effect);
        self.spoil(position, &outcomes.touched);
        self.ledger.unknown(position, outcomes.missing);
        touched.extend(outcomes.touched);
        if let Some(object) = checked {
            // What the check would find is only known once it has looked.
            touched.extend(self.set_phase(Some(position), object, Phase::Good));
            let delta = self.judge(&touched);
            self.ledger.note(&delta, self.time, Some(position));
            let vain = self.ledger.standing_for(&self.world, object, self.time, position);
            let undecided = self.world.causes.undecided(object);
            let phase = match () {
                () if is_spoiled || !vain.is_empty() => Phase::Bad,
                () if !undecided.is_empty() => Phase::Unknown,
                () => Phase::Good,
            };
            self.ledger.vain(position, vain);
            if !undecided.is_empty() {
                let missing = self.world.missing(&undecided, object);
                self.ledger.undecided(position, undecided, missing);
            }
            touched = BTreeSet::new();
            if phase != Phase::Good {
                touched = self.set_phase(Some(position), object, phase);
            }
            // Who broke the object meanwhile has said how it is broken.
            if let Some(state) = state {
                touched.extend(self.world.set_state(object, state));
                self.made(Some(position), Happening::Phase);
            }
            self.ledger.touch(object);
        }
        // Whether a check would help is asked again where the step may have made the difference.
        let is_fix = act.action.role == Role::Fix && step.automatic.is_none();
        self.ledger.touch_harmed(position, is_fix);
        self.settle(Some(position), touched);
        self.ledger.end(position, self.time, StepStatus::Done);
        self.queue.follow(position, self.time);
    }

    fn judge(&mut self, touched: &BTreeSet<Cell>) -> Delta {
        let delta = self.world.judge(touched);
        for object in self.trials.forget(touched) {
            self.ledger.touch(object);
        }
        if delta.is_answer_new {
            self.trials.forget_all();
        }
        delta
    }

    /// Judges what was touched, and lets what is violated now have its consequences.
    fn settle(&mut self, step: Option<usize>, touched: BTreeSet<Cell>) {
        let mut touched = touched;
        for round in 0.. {
            self.ledger.touched(&touched, &self.world);
            self.queue.touched(&touched, self.time);
            let delta = self.judge(&touched);
            let mut changes: Vec<_> =
                delta.appeared.iter().flat_map(|cause| cause.standing.changes.clone()).collect();
            // What is bad already may be so in a worse way, such as gone, of which this is no cure.
            changes.retain(|change| !self.world.is_bad_state(change));
            let causes = self.ledger.note(&delta, self.time, step);
            // A check that runs meanwhile has looked too early, or broken off.
            for object in delta.appeared.iter().flat_map(|cause| &cause.standing.objects) {
                if let Some(check) = self.queue.spoil(*object) {
                    self.ledger.broken(check, step.unwrap_or(check));
                }
            }
            if changes.is_empty() {
                break;
            }
            if round == MAX_ROUNDS {
                let endless = "consequences of rules that have no end".to_owned();
                self.ledger.unknown(step.unwrap_or_default(), vec![endless]);
                break;
            }
            touched = self.world.set(changes);
            self.made(step, Happening::Consequence(causes));
        }
        self.trigger(step);
        let blocked = self.blocked();
        self.ledger.write(&self.world, self.time, step, &blocked);
    }
}
