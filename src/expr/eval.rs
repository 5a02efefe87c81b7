//! Evaluation of typed trees over the facts, with three values.
//!
//! A fact that is not known makes what depends on it unknown, with the reason, unless the rest
//! decides: `unknown || true` is true whichever side stands first (Kleene's strong logic). A failure
//! at run time (a division by zero, a limit) is unknown too. Nothing here panics or stops the run.

mod lists;
mod places;
mod values;
mod view;

pub(in crate::expr) use values::{arithmetic, compare};
pub use view::{Outcome, ReadSet, Reads, Reason, Unknown, View};

use std::sync::Arc;

use crate::diagnostic::Place;
use crate::expr::eval::values::{misfit, overflow, sized};
use crate::expr::eval::view::Gaps;
use crate::expr::script::Scripts;
use crate::expr::syntax::Operator;
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::value::{Absence, Fact, List, ObjectId, Reach, Value};

/// Most nodes that one clause may visit: minutes of nested loops end here, not the night.
pub const MAX_STEPS: u64 = 5_000_000;

/// Most of them that one rule may take on all its subjects together.
pub const MAX_RULE_STEPS: u64 = 500_000_000;

/// Outcomes of the rules judged before this one.
pub trait Verdicts {
    /// Whether a rule that carries `tag` is violated for the object.
    ///
    /// # Errors
    ///
    /// The rules that are undecided, if none is violated.
    fn any_violated(&self, tag: &str, object: ObjectId) -> Outcome<bool>;
}

/// For expressions that stand outside a run of rules.
#[derive(Debug)]
pub struct NoVerdicts;

impl Verdicts for NoVerdicts {
    fn any_violated(&self, tag: &str, _: ObjectId) -> Outcome<bool> {
        Err(Unknown::failed(format!("no rules were judged that carry the tag `{tag}`")))
    }
}

/// Who is told what expressions were when they were evaluated: coverage, explanations.
pub trait Watch {
    /// An expression is about to be evaluated: what is told until its value belongs to it.
    fn enter(&self, _: &Expr) {}
    /// An expression was evaluated.
    fn value(&self, expr: &Expr, value: &Outcome);
    /// Whether it wants to be told which facts were read: their paths cost something.
    fn wants_facts(&self) -> bool {
        false
    }
    /// A field was read, of an object or of a record.
    fn fact(&self, _: &Expr, _: Read) {}
}

/// A fact that an expression has read, or has looked for in vain.
#[derive(Clone, Debug)]
pub struct Read {
    /// The object and the position of its field; none for a field of a record.
    pub field: Option<(ObjectId, usize)>,
    /// Its path, as evidence names it; none for what is no fact (a parameter).
    pub path: Option<String>,
    /// Where it was read; none if it was derived or is not known.
    pub place: Option<Place>,
}

/// A bound name: its value, and what it was taken from: a member of a list, or a whole value.
#[derive(Clone, Debug)]
struct Slot<'t> {
    value: Outcome,
    /// What is to be evaluated once somebody wants the value.
    later: Option<&'t Expr>,
    from: Option<(&'t Expr, Option<usize>)>,
}

/// What an expression is evaluated in.
pub struct Env<'a> {
    view: &'a Arc<View>,
    scripts: &'a Scripts,
    verdicts: &'a dyn Verdicts,
    watch: Option<&'a dyn Watch>,
    slots: Vec<Slot<'a>>,
    steps: u64,
    /// Steps of the clauses before.
    total: u64,
}

impl std::fmt::Debug for Env<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Env").field("slots", &self.slots.len()).finish_non_exhaustive()
    }
}

impl<'a> Env<'a> {
    /// With `slots` names, none bound yet.
    #[must_use]
    pub fn new(
        view: &'a Arc<View>,
        scripts: &'a Scripts,
        verdicts: &'a dyn Verdicts,
        slots: usize,
    ) -> Self {
        let empty = Slot {
            value: Err(Unknown::failed("this name is not bound yet")),
            later: None,
            from: None,
        };
        let slots = vec![empty; slots];
        Self { view, scripts, verdicts, watch: None, slots, steps: 0, total: 0 }
    }

    /// The same, with somebody who is told every value.
    #[must_use]
    pub fn watched(mut self, watch: Option<&'a dyn Watch>) -> Self {
        self.watch = watch;
        self
    }

    /// Evaluates something that is not told to who watches: a text, not a verdict.
    pub fn unwatched<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let watch = self.watch.take();
        let result = work(self);
        self.watch = watch;
        result
    }

    /// The facts it looks at.
    #[must_use]
    pub fn view(&self) -> &'a Arc<View> {
        self.view
    }

    /// Binds a name.
    pub fn bind(&mut self, slot: usize, value: Outcome) {
        self.bind_from(slot, value, None);
    }

    /// Evaluates what a name stands for and binds it, so that reasons can say what it is.
    pub fn bind_let(&mut self, slot: usize, expr: &'a Expr) {
        let value = self.eval(expr);
        self.bind_from(slot, value, Some((expr, None)));
    }

    /// The same, but it is evaluated when somebody wants the value; a clause for itself, as ever.
    ///
    /// What it names must stay bound to the same until then: names never share a slot.
    pub fn bind_later(&mut self, slot: usize, expr: &'a Expr) {
        if self.watch.is_some() {
            return self.bind_let(slot, expr);
        }
        if let Some(place) = self.slots.get_mut(slot) {
            let value = Err(Unknown::failed("this name has no value yet"));
            *place = Slot { value, later: Some(expr), from: Some((expr, None)) };
        }
    }

    /// Evaluates what waits for somebody who wants it.
    fn settle(&mut self, slot: usize) {
        let Some(expr) = self.slots.get_mut(slot).and_then(|slot| slot.later.take()) else {
            return;
        };
        let steps = std::mem::take(&mut self.steps);
        self.bind_let(slot, expr);
        self.total += self.steps;
        self.steps = steps;
    }

    /// Binds a name to a member of a list, so that reasons can say which.
    pub fn bind_member(&mut self, slot: usize, value: Outcome, list: &'a Expr, position: usize) {
        self.bind_from(slot, value, Some((list, Some(position))));
    }

    fn bind_from(&mut self, slot: usize, value: Outcome, from: Option<(&'a Expr, Option<usize>)>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Slot { value, later: None, from };
        }
    }

    /// The value of a bound name.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn slot(&self, slot: usize) -> Outcome {
        match self.slots.get(slot) {
            Some(slot) => slot.value.clone(),
            None => Err(Unknown::failed("this name is not bound")),
        }
    }

    /// Starts a new clause: its steps are counted from 0.
    pub fn new_clause(&mut self) {
        self.total += self.steps;
        self.steps = 0;
    }

    /// The value of a condition.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn condition(&mut self, expr: &'a Expr) -> Outcome<bool> {
        match self.eval(expr)? {
            Value::Bool(value) => Ok(value),
            _ => Err(Unknown::failed("a condition was neither true nor false")),
        }
    }

    /// Counts work: nodes visited, members walked over.
    fn charge(&mut self, work: usize) -> Outcome<()> {
        self.steps += u64::try_from(work).unwrap_or(u64::MAX / 2);
        if self.steps > MAX_STEPS {
            let message = format!("the clause took more than {MAX_STEPS} steps and was stopped");
            return Err(Unknown::failed(message));
        }
        if self.total.saturating_add(self.steps) > MAX_RULE_STEPS {
            let message = format!("the rule took more than {MAX_RULE_STEPS} steps and was stopped");
            return Err(Unknown::failed(message));
        }
        Ok(())
    }

    /// The value of an expression.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn eval(&mut self, expr: &'a Expr) -> Outcome {
        let Some(watch) = self.watch else { return self.eval_node(expr) };
        watch.enter(expr);
        let value = self.eval_node(expr);
        watch.value(expr, &value);
        value
    }

    fn eval_node(&mut self, expr: &'a Expr) -> Outcome {
        self.charge(1)?;
        match &expr.kind {
            ExprKind::Constant(value) => Ok(value.clone()),
            ExprKind::Now => Ok(Value::Time(self.view.asked_now())),
            ExprKind::Variable(slot) => {
                self.settle(*slot);
                self.slot(*slot)
            }
            ExprKind::All(kind) => self.view.all(*kind),
            ExprKind::Single(_) | ExprKind::Field { .. } => self.read(expr),
            ExprKind::Key(base) => match self.eval(base)? {
                Value::Object(id) => Ok(Value::Name(self.view.facts.key(id))),
                _ => Err(Unknown::failed("only objects have a key")),
            },
            ExprKind::Not(inner) => Ok(Value::Bool(!self.condition(inner)?)),
            ExprKind::Negate(inner) => match self.eval(inner)? {
                Value::Int(number) => number.checked_neg().map(Value::Int).ok_or_else(overflow),
                Value::Float(number) => Ok(Value::Float(-number)),
                _ => Err(misfit("-")),
            },
            ExprKind::And(parts) => self.kleene(parts, false),
            ExprKind::Or(parts) => self.kleene(parts, true),
            ExprKind::Compare(operator, left, right) => {
                let (left, right) = self.both(left, right)?;
                compare(*operator, &left, &right)
                    .map(Value::Bool)
                    .ok_or_else(|| misfit(operator.sign()))
            }
            ExprKind::IsNull { value, negated } => {
                let null = matches!(self.eval(value)?, Value::Null);
                Ok(Value::Bool(null != *negated))
            }
            ExprKind::Arithmetic(operator, left, right) => {
                let (left, right) = self.both(left, right)?;
                arithmetic(*operator, left, right)
            }
            ExprKind::Coalesce(left, right) => match self.eval(left)? {
                Value::Null => self.eval(right),
                value => Ok(value),
            },
            ExprKind::If(condition, yes, no) => self.choice(condition, yes, no),
            ExprKind::List(parts) => Ok(Value::List(List::complete(self.all(parts)?))),
            ExprKind::In(member, list) => {
                let (member, list) = self.both(member, list)?;
                if let Value::List(members) = &list {
                    self.charge(members.items.len())?;
                }
                Self::membership(&member, &list)
            }
            ExprKind::Template(parts) => {
                let parts = self.all(parts)?;
                sized(parts.iter().map(|part| self.view.facts.say(part)).collect())
            }
            ExprKind::Index(list, index) => self.index(list, index),
            ExprKind::ListMethod { method, list, closure } => {
                self.list_method(*method, list, closure.as_ref())
            }
            ExprKind::Host(function, args) => {
                let args = self.all(args)?;
                function
                    .call(&args)
                    .map_err(|message| Unknown::failed(format!("{}: {message}", function.name)))
            }
            ExprKind::Script(name, args) => {
                let args = self.all(args)?;
                // A call can take as long as a thousand nodes of a tree, and far longer.
                self.charge(1_000)?;
                self.scripts.call(name, &args, self.view)
            }
            ExprKind::Known(value) => match self.eval(value) {
                Ok(_) => Ok(Value::Bool(true)),
                // A failure is not a missing fact: asking for it must not hide it.
                Err(unknown) if unknown.reasons.iter().any(Reason::is_failure) => Err(unknown),
                Err(_) => Ok(Value::Bool(false)),
            },
            ExprKind::Get(value, default) => match self.eval(value) {
                Err(unknown) if !unknown.reasons.iter().any(Reason::is_failure) => {
                    self.eval(default)
                }
                other => other,
            },
            ExprKind::AnyViolated(tag, object) => match self.eval(object)? {
                Value::Object(id) => self.verdicts.any_violated(tag, id).map(Value::Bool),
                _ => Err(Unknown::failed("only objects have verdicts")),
            },
        }
    }

    fn both(&mut self, left: &'a Expr, right: &'a Expr) -> Outcome<(Value, Value)> {
        match (self.eval(left), self.eval(right)) {
            (Ok(left), Ok(right)) => Ok((left, right)),
            (Err(left), Err(right)) => Err(left.and(right)),
            (Err(unknown), Ok(_)) | (Ok(_), Err(unknown)) => Err(unknown),
        }
    }

    fn all(&mut self, parts: &'a [Expr]) -> Outcome<Vec<Value>> {
        let mut values = Vec::with_capacity(parts.len());
        let mut gaps = Gaps::default();
        for part in parts {
            match self.eval(part) {
                Ok(value) => values.push(value),
                Err(unknown) => gaps.add(unknown),
            }
        }
        gaps.or(values)
    }

    /// `&&` (`decides` false) and `||` (`decides` true): one deciding part is enough.
    fn kleene(&mut self, parts: &'a [Expr], decides: bool) -> Outcome {
        let mut gaps = Gaps::default();
        for part in parts {
            match self.condition(part) {
                Ok(value) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(unknown) => gaps.add(unknown),
            }
        }
        gaps.or(Value::Bool(!decides))
    }

    fn choice(&mut self, condition: &'a Expr, yes: &'a Expr, no: &'a Expr) -> Outcome {
        match self.condition(condition) {
            Ok(true) => self.eval(yes),
            Ok(false) => self.eval(no),
            Err(unknown) => match (self.eval(yes), self.eval(no)) {
                (Ok(yes), Ok(no)) if yes.same(&no) => Ok(yes),
                _ => Err(unknown),
            },
        }
    }

    fn membership(member: &Value, list: &Value) -> Outcome {
        let Value::List(list) = list else { return Err(misfit("in")) };
        let mut gaps = Gaps::of(&list.reach);
        for fact in list.items.iter() {
            match fact {
                Fact::Known { value, .. } => {
                    if compare(Operator::Equal, member, value) == Some(true) {
                        return Ok(Value::Bool(true));
                    }
                }
                // An object that is not in the facts is none of those that are.
                Fact::Absent(Absence::Dangling(_)) if matches!(member, Value::Object(_)) => {}
                Fact::Absent(why) => {
                    gaps.add(Unknown::new("a member of the list", why.clone(), None));
                }
            }
        }
        gaps.close(&list.reach);
        gaps.or(Value::Bool(false))
    }

    fn index(&mut self, list: &'a Expr, index: &'a Expr) -> Outcome {
        let (value, index) = self.both(list, index)?;
        let (Value::List(members), Value::Int(index)) = (value, index) else {
            return Err(misfit("[]"));
        };
        if let Reach::Open(name) = &members.reach {
            return Err(Unknown::new(name.clone(), Absence::Open(name.clone()), None));
        }
        let count = members.items.len();
        let from_end = || count.checked_sub(usize::try_from(index.unsigned_abs()).ok()?);
        let position = if index < 0 { from_end() } else { usize::try_from(index).ok() };
        match position.and_then(|position| members.items.get(position)) {
            Some(Fact::Known { value, .. }) => Ok(value.clone()),
            Some(Fact::Absent(why)) => {
                let list = self.describe(list).unwrap_or_else(|| "the list".to_owned());
                let what = format!("{list}[{index}]");
                Err(Unknown::new(what, why.clone(), None))
            }
            None => {
                Err(Unknown::failed(format!("there is no member {index} in a list of {count}")))
            }
        }
    }
}
