//! A copy of the facts, and what an action does to it.

mod arguments;
mod effects;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use crate::eval::standing::{Causes, Delta};
use crate::expr::eval::{Env, NoVerdicts, Outcome, ReadSet, Reads, Unknown, View};
use crate::expr::script::Scripts;
use crate::expr::template::Template;
use crate::expr::tree::Expr;
use crate::facts::change::{Before, Cell, Change};
use crate::facts::model::Type;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, ObjectId, Value, fold};
use crate::finding::Outcome as Verdict;
use crate::rule::Rule;
use crate::rule::action::Action;
use crate::rule::clause::params_value;
use crate::rule::effect::Moment;
use crate::rule::pack::{Protection, RuleSet};

pub(in crate::plan) use arguments::{NoArgument, argument};

/// Whether what may happen does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum May {
    /// It does: for the gate.
    Happens,
    /// It does not.
    DoesNot,
}

/// The state of a protected object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It is protected.
    Good,
    /// It is not, and does not become so by itself.
    Bad,
    /// Something is under way.
    Busy,
    /// Its state is good, but something that came with the plan stops its backups.
    Stopped,
    /// Nobody knows.
    Unknown,
    /// It is in a state that the pack does not count, or gone.
    Outside,
}

/// A step's action with its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Act<'a> {
    /// What is done.
    pub action: &'a Action,
    /// With what.
    pub args: &'a [Value],
}

impl Act<'_> {
    /// The object that it checks.
    #[must_use]
    pub fn checked(&self) -> Option<ObjectId> {
        match self.args.get(self.action.course.checks?) {
            Some(Value::Object(object)) => Some(*object),
            _ => None,
        }
    }
}

impl Phase {
    /// Whether no recovery point can be made in it, for all that is known.
    #[must_use]
    pub fn is_exposed(self) -> bool {
        matches!(self, Self::Bad | Self::Busy | Self::Stopped | Self::Unknown)
    }
}

/// The facts as they are at one moment of a plan.
#[derive(Debug)]
pub struct World<'a> {
    /// The rules and actions.
    pub set: &'a RuleSet,
    /// The facts now.
    pub facts: Arc<Facts>,
    /// The causes that stand now.
    pub causes: Causes<'a>,
    /// The instant.
    pub now: Instant,
    /// What was before changes that nobody has asked for yet.
    before: Vec<Before>,
    /// Remembers what is read, where somebody wants to know.
    reads: Option<Arc<Reads>>,
}

/// What came of changing facts.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// The facts that are different.
    pub touched: BTreeSet<Cell>,
    /// What would have to be known of effects that could not be made.
    pub missing: Vec<String>,
    /// What was known before of what changed.
    pub before: Vec<Before>,
    /// What is so only while the step runs.
    pub passing: Vec<Passing>,
}

/// A fact that is another one while a step runs.
#[derive(Clone, Debug)]
pub struct Passing {
    object: ObjectId,
    field: usize,
    was: Fact,
    now: Fact,
}

impl<'a> World<'a> {
    /// The facts as they are before a plan.
    #[must_use]
    pub fn new(set: &'a RuleSet, facts: &Arc<Facts>, now: &Instant) -> Self {
        let causes = Causes::new(set, facts, now);
        let (facts, now) = (facts.clone(), now.clone());
        Self { set, facts, causes, now, before: Vec::new(), reads: None }
    }

    /// Remembers what conditions and effects read, until [`Self::take_reads`].
    pub fn watch(&mut self) {
        self.reads = Some(Arc::default());
    }

    /// What was read since somebody began to watch.
    pub fn take_reads(&mut self) -> ReadSet {
        self.reads.take().map(|reads| reads.take()).unwrap_or_default()
    }

    /// What being protected means here.
    #[must_use]
    pub fn protection(&self) -> Option<&'a Protection> {
        self.set.protection().map(|(protection, _)| protection)
    }

    /// The value of a path of the pack on a protected object.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn on(&self, object: ObjectId, path: &Expr) -> Outcome {
        let view = self.view();
        env_on(self.set, object, &view).eval(path)
    }

    /// The protected objects.
    #[must_use]
    pub fn protected(&self) -> Vec<ObjectId> {
        self.protection().map(|known| self.facts.ids(known.kind).collect()).unwrap_or_default()
    }

    /// The state of a protected object.
    #[must_use]
    pub fn phase(&self, object: ObjectId) -> Phase {
        phase(self.set, &self.facts, &self.now, object)
    }

    /// How much the time counts that a protected object is without protection.
    #[must_use]
    pub fn weight(&self, object: ObjectId) -> i64 {
        let weights = self.protection().and_then(|protection| protection.weights.as_ref());
        weights.map_or(1, |weights| match self.on(object, &weights.tier) {
            Ok(Value::Int(tier)) => weights.of(Some(tier)),
            _ => weights.of(None),
        })
    }

    /// The facts as expressions see them.
    #[must_use]
    pub fn view(&self) -> Arc<View> {
        view_of(&self.facts, &self.now, self.reads.as_ref())
    }

    /// A condition of an action.
    ///
    /// # Errors
    ///
    /// What would have to be known.
    pub fn condition(&self, act: Act<'_>, expr: &Expr) -> Outcome<bool> {
        let view = self.view();
        env_of(self.set, act, &view).condition(expr)
    }

    /// A message of an action.
    #[must_use]
    pub fn say(&self, act: Act<'_>, text: &Template) -> String {
        let view = self.view();
        text.say(&mut env_of(self.set, act, &view))
    }

    /// The value of an expression of an action.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn value(&self, act: Act<'_>, expr: &Expr) -> Outcome {
        let view = self.view();
        env_of(self.set, act, &view).eval(expr)
    }

    /// A number of seconds, whole ones.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn seconds(&self, act: Act<'_>, expr: &Expr) -> Outcome<i64> {
        let view = self.view();
        crate::eval::seconds(expr, &mut env_of(self.set, act, &view))
    }

    /// The facts that would decide rules, by position, for an object; where none of them is about the object
    /// itself, for whatever they are about.
    #[must_use]
    pub fn missing(&self, rules: &[usize], object: ObjectId) -> Vec<String> {
        let rules: Vec<&str> =
            rules.iter().filter_map(|rule| Some(&*self.set.rules.get(*rule)?.id)).collect();
        let wanted = |rule: &Rule| rules.contains(&&*rule.id);
        let judged = crate::eval::evaluate(&self.facts, self.set, &self.now, None, &wanted);
        let key = self.facts.key(object);
        let open = judged.verdicts.iter().filter(|one| one.outcome == Verdict::Undecided);
        let (about, others): (Vec<_>, Vec<_>) = open.partition(|one| one.subject.key == key);
        let chosen = if about.is_empty() { others } else { about };
        let facts = chosen.iter().flat_map(|one| &one.missing).map(|one| one.wanted().to_owned());
        facts.collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// Seconds that an action takes: best, expected, worst; none where it does not say.
    ///
    /// # Errors
    ///
    /// What would have to be known.
    pub fn takes(&self, act: Act<'_>) -> Option<Result<crate::finding::Takes, String>> {
        let duration = act.action.duration.as_ref()?;
        let view = self.view();
        Some(crate::eval::takes(duration, &mut env_of(self.set, act, &view)))
    }

    /// Makes the effects of an action that belong to its start or to its end.
    pub fn apply(&mut self, act: Act<'_>, at_start: bool, may: May) -> Outcomes {
        self.apply_at(act, if at_start { Moment::Start } else { Moment::End }, may)
    }

    /// Makes the effects of an action that is tried and cannot begin.
    pub fn apply_refused(&mut self, act: Act<'_>, may: May) -> Outcomes {
        self.apply_at(act, Moment::Refused, may)
    }

    fn apply_at(&mut self, act: Act<'_>, at: Moment, may: May) -> Outcomes {
        let with = (self.set, self.reads.as_ref());
        let mut outcomes = effects::made(with, &mut self.facts, &self.now, act, (at, may));
        self.before.append(&mut outcomes.before);
        outcomes
    }

    /// Takes back what was so only while a step ran.
    pub fn take_back(&mut self, passing: Vec<Passing>) -> BTreeSet<Cell> {
        let back = passing.into_iter().filter_map(|one| one.back(&self.facts)).collect();
        self.set(back)
    }

    /// Changes facts.
    pub fn set(&mut self, changes: Vec<Change>) -> BTreeSet<Cell> {
        let made = Arc::make_mut(&mut self.facts).change(changes);
        self.before.extend(made.before);
        made.touched
    }

    /// What was before the changes made since the last time.
    pub fn take_before(&mut self) -> Vec<Before> {
        std::mem::take(&mut self.before)
    }

    /// Sets the state of a protected object: good, busy or bad as the pack names it first, or not known.
    pub fn set_phase(&mut self, object: ObjectId, phase: Phase) -> BTreeSet<Cell> {
        let Some(protection) = self.protection() else { return BTreeSet::new() };
        let word = match phase {
            Phase::Good => protection.good.first(),
            Phase::Busy => protection.busy.first(),
            Phase::Bad => protection.bad.first(),
            Phase::Stopped | Phase::Unknown | Phase::Outside => None,
        };
        let to = match word {
            Some(word) => Value::Text(word.as_str().into()).into(),
            None => Fact::Absent(Absence::NotCollected),
        };
        self.put_state(object, to, phase == Phase::Good)
    }

    /// Whether a change would set the state of a protected object that is bad already.
    #[must_use]
    pub fn is_bad_state(&self, change: &Change) -> bool {
        let (Some(protection), Change::Set { object, path, .. }) = (self.protection(), change)
        else {
            return false;
        };
        if object.kind != protection.kind || self.phase(*object) != Phase::Bad {
            return false;
        }
        let view = self.view();
        let target = env_on(self.set, *object, &view).target(&protection.state);
        target.is_ok_and(|(target, state)| target == *object && state == *path)
    }

    /// The fact that tells the state of a protected object, if that is known.
    #[must_use]
    pub fn state(&self, object: ObjectId) -> Option<Value> {
        self.on(object, &self.protection()?.state).ok()
    }

    /// Sets the state of a protected object to one that it had.
    pub fn set_state(&mut self, object: ObjectId, state: Value) -> BTreeSet<Cell> {
        self.put_state(object, state.into(), false)
    }

    fn put_state(&mut self, object: ObjectId, to: Fact, creates: bool) -> BTreeSet<Cell> {
        let Some(protection) = self.protection() else { return BTreeSet::new() };
        let view = self.view();
        let target = env_on(self.set, object, &view).target(&protection.state);
        drop(view);
        let Ok((object, path)) = target else { return BTreeSet::new() };
        self.set(vec![Change::Set { object, path, to, creates }])
    }

    /// Judges again what depends on facts that were touched.
    pub fn judge(&mut self, touched: &BTreeSet<Cell>) -> Delta {
        self.causes.update(&self.facts, &self.now, touched)
    }
}

/// The state of a protected object, as it follows from facts.
#[must_use]
pub fn phase(set: &RuleSet, facts: &Arc<Facts>, now: &Instant, object: ObjectId) -> Phase {
    let protection = set.protection().map(|(protection, _)| protection);
    let Some(protection) = protection.filter(|_| facts.holds(object)) else {
        return Phase::Outside;
    };
    let view = Arc::new(View::new(facts.clone(), now.clone()));
    let state = env_on(set, object, &view).eval(&protection.state);
    let Ok(value) = state else { return Phase::Unknown };
    let said = facts.say(&value);
    let is_in = |list: &[String]| list.contains(&said);
    match () {
        () if is_in(&protection.good) => Phase::Good,
        () if is_in(&protection.bad) => Phase::Bad,
        () if is_in(&protection.busy) => Phase::Busy,
        () => Phase::Outside,
    }
}

/// The fact that would tell the state of a protected object, if nobody knows it.
#[must_use]
pub fn unknown_state(
    set: &RuleSet,
    facts: &Arc<Facts>,
    now: &Instant,
    object: ObjectId,
) -> Option<String> {
    let (protection, _) = set.protection()?;
    let view = Arc::new(View::new(facts.clone(), now.clone()));
    env_on(set, object, &view).eval(&protection.state).err().map(|unknown| said(&unknown))
}

/// The value of an expression of an action.
pub(in crate::plan) fn value_of(
    set: &RuleSet,
    facts: &Arc<Facts>,
    now: &Instant,
    act: Act<'_>,
    expr: &Expr,
) -> Outcome {
    let view = Arc::new(View::new(facts.clone(), now.clone()));
    env_of(set, act, &view).eval(expr)
}

/// The facts as expressions see them.
fn view_of(facts: &Arc<Facts>, now: &Instant, reads: Option<&Arc<Reads>>) -> Arc<View> {
    let view = View::new(facts.clone(), now.clone());
    Arc::new(View { reads: reads.cloned(), ..view })
}

/// Makes the effects of an action that belong to its start or to its end.
pub(in crate::plan) fn carry_out(
    set: &RuleSet,
    facts: &mut Arc<Facts>,
    now: &Instant,
    act: Act<'_>,
    (at_start, may): (bool, May),
) -> Outcomes {
    let at = if at_start { Moment::Start } else { Moment::End };
    effects::made((set, None), facts, now, act, (at, may))
}

/// The arguments of a step with the objects that are there now for their names; else the first name of
/// which there is none.
///
/// # Errors
///
/// The name.
pub fn bound<'v>(
    facts: &Facts,
    action: &Action,
    args: &'v [Value],
) -> Result<Cow<'v, [Value]>, Arc<str>> {
    let mut bound = Cow::Borrowed(args);
    for (position, (arg, value)) in action.args.iter().zip(args).enumerate() {
        let (Type::Object(kinds), Value::Name(name)) = (arg.ty.required(), value) else { continue };
        let key = fold(name);
        let found = kinds.iter().find_map(|kind| facts.find(*kind, &key));
        let object = found.ok_or_else(|| name.clone())?;
        if let Some(slot) = bound.to_mut().get_mut(position) {
            *slot = Value::Object(object);
        }
    }
    Ok(bound)
}

/// For packs without functions.
static NO_SCRIPTS: LazyLock<Scripts> = LazyLock::new(Scripts::default);

/// What the paths of the pack are evaluated in, on a protected object.
fn env_on<'e>(set: &'e RuleSet, object: ObjectId, view: &'e Arc<View>) -> Env<'e> {
    let scripts = set.protection().map_or(&*NO_SCRIPTS, |(_, pack)| &pack.scripts);
    let mut env = Env::new(view, scripts, &NoVerdicts, 1);
    env.bind(0, Ok(Value::Object(object)));
    env
}

/// What the expressions of an action are evaluated in.
fn env_of<'e>(set: &'e RuleSet, act: Act<'e>, view: &'e Arc<View>) -> Env<'e> {
    let scripts = set.packs.get(act.action.pack).map_or(&*NO_SCRIPTS, |pack| &pack.scripts);
    let mut env = Env::new(view, scripts, &NoVerdicts, act.action.slots);
    env.bind(0, Ok(params_value(&act.action.params)));
    for (arg, value) in act.action.args.iter().zip(act.args) {
        env.bind(arg.slot, Ok(value.clone()));
    }
    for (slot, expr) in &act.action.lets {
        env.new_clause();
        env.bind_later(*slot, expr);
    }
    env.new_clause();
    env
}

/// The facts that would tell.
#[must_use]
pub fn said(unknown: &Unknown) -> String {
    let missing = crate::eval::missing(unknown);
    missing.iter().map(crate::finding::Missing::wanted).collect::<Vec<_>>().join(", ")
}
