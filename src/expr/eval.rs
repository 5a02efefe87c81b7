//! Evaluation of typed trees over the facts, with three values.
//!
//! A fact that is not known makes what depends on it unknown, with the reason, unless the rest
//! decides: `unknown || true` is true whichever side stands first (Kleene's strong logic). A failure
//! at run time (a division by zero, a limit) is unknown too. Nothing here panics or stops the run.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::expr::script::Scripts;
use crate::expr::syntax::Operator;
use crate::expr::tree::{Closure, Expr, ExprKind, ListMethod};
use crate::facts::model::{KindId, Origin};
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, List, ObjectId, Reach, Value, fold};

/// Most nodes that one clause may visit: minutes of nested loops end here, not the night.
pub const MAX_STEPS: u64 = 5_000_000;

/// A value, or why there is none.
pub type Outcome<T = Value> = Result<T, Unknown>;

/// Why a value is not known; at least one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The reasons, in the order in which they were met.
    pub reasons: Vec<Reason>,
}

/// One thing that is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reason {
    /// Path of the fact (`databases[EX01/SG1/DB1].size_bytes`), or what failed.
    pub what: Arc<str>,
    /// Why.
    pub why: Absence,
    /// The object that should have it.
    pub place: Option<Place>,
}

impl Unknown {
    /// For one reason.
    #[must_use]
    pub fn new(what: impl Into<Arc<str>>, why: Absence, place: Option<Place>) -> Self {
        Self { reasons: vec![Reason { what: what.into(), why, place }] }
    }

    fn failed(message: impl Into<Arc<str>>) -> Self {
        let message: Arc<str> = message.into();
        Self::new(message.clone(), Absence::Failed(message), None)
    }

    /// Both sets of reasons, each reason once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        // Thousands of members of one list may lack the same field; a hundred reasons are enough.
        for reason in other.reasons {
            if self.reasons.len() < 100 && !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        self
    }
}

/// The facts as one rule may see them.
#[derive(Clone, Debug)]
pub struct View {
    /// The facts.
    pub facts: Arc<Facts>,
    /// The instant of the run.
    pub now: Instant,
    /// For each kind: why its facts count as not known, if they are too old for the rule.
    pub stale: Vec<Option<Arc<str>>>,
}

impl View {
    fn stale(&self, kind: KindId) -> Option<&Arc<str>> {
        self.stale.get(usize::from(kind.0)).and_then(Option::as_ref)
    }

    /// A fact of an object, or why it is not known.
    ///
    /// # Errors
    ///
    /// The reason, with the fact's path.
    pub fn fact(&self, id: ObjectId, field: usize) -> Outcome<(Value, Option<Place>)> {
        let stale = self.stale(id.kind).or_else(|| self.stale_source(id.kind, field));
        if let Some(reason) = stale {
            return Err(self.missing(id, field, Absence::Stale(reason.clone())));
        }
        match self.facts.fact(id, field) {
            Some(Fact::Known { value, place }) => Ok((value.clone(), *place)),
            Some(Fact::Absent(why)) => Err(self.missing(id, field, why.clone())),
            None => Err(self.missing(id, field, Absence::NotCollected)),
        }
    }

    /// Derived fields follow from facts of another kind, which may be stale too.
    fn stale_source(&self, kind: KindId, field: usize) -> Option<&Arc<str>> {
        if self.stale.iter().all(Option::is_none) {
            return None;
        }
        let field = self.facts.model().kind(kind)?.record.fields.get(field)?;
        match (&field.origin, field.ty.required()) {
            (Origin::Inverse { kind, .. }, _) => self.stale(*kind),
            (Origin::Within { .. }, crate::facts::model::Type::Object(kinds)) => {
                kinds.iter().find_map(|kind| self.stale(*kind))
            }
            _ => None,
        }
    }

    fn missing(&self, id: ObjectId, field: usize, why: Absence) -> Unknown {
        let place = self.facts.object(id).map(|object| object.place);
        let kind = self.facts.kind_of(id);
        let name = kind.and_then(|kind| kind.record.fields.get(field)).map(|field| &*field.name);
        let what = format!("{}.{}", self.path(id), name.unwrap_or("?"));
        Unknown::new(what, why, place)
    }

    /// The list of all objects of a kind.
    ///
    /// # Errors
    ///
    /// The collection is not in the facts, or too old.
    pub fn all(&self, kind: KindId) -> Outcome {
        let name =
            self.facts.model().kind(kind).map(|kind| kind.collection.clone()).unwrap_or_default();
        if let Some(reason) = self.stale(kind) {
            return Err(Unknown::new(name, Absence::Stale(reason.clone()), None));
        }
        match self.facts.all(kind) {
            Fact::Known { value, .. } => Ok(value),
            Fact::Absent(why) => Err(Unknown::new(name, why, None)),
        }
    }

    /// `databases[EX01/SG1/DB1]`.
    #[must_use]
    pub fn path(&self, id: ObjectId) -> String {
        let collection = self.facts.kind_of(id).map(|kind| &*kind.collection).unwrap_or_default();
        format!("{collection}[{}]", self.facts.key(id))
    }
}

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

/// A bound name: its value, and the list and position it was taken from.
#[derive(Clone, Debug)]
struct Slot<'t> {
    value: Outcome,
    from: Option<(&'t Expr, usize)>,
}

/// What an expression is evaluated in.
pub struct Env<'a> {
    view: &'a Arc<View>,
    scripts: &'a Scripts,
    verdicts: &'a dyn Verdicts,
    slots: Vec<Slot<'a>>,
    steps: u64,
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
        let empty = Slot { value: Err(Unknown::failed("this name is not bound yet")), from: None };
        Self { view, scripts, verdicts, slots: vec![empty; slots], steps: 0 }
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

    /// Binds a name to a member of a list, so that reasons can say which.
    pub fn bind_member(&mut self, slot: usize, value: Outcome, list: &'a Expr, position: usize) {
        self.bind_from(slot, value, Some((list, position)));
    }

    fn bind_from(&mut self, slot: usize, value: Outcome, from: Option<(&'a Expr, usize)>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = Slot { value, from };
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

    /// The value of an expression.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn eval(&mut self, expr: &'a Expr) -> Outcome {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            let message = format!("the clause took more than {MAX_STEPS} steps and was stopped");
            return Err(Unknown::failed(message));
        }
        match &expr.kind {
            ExprKind::Constant(value) => Ok(value.clone()),
            ExprKind::Now => Ok(Value::Time(self.view.now.clone())),
            ExprKind::Variable(slot) => self.slot(*slot),
            ExprKind::All(kind) => self.view.all(*kind),
            ExprKind::Single(_) | ExprKind::Field { .. } => Ok(self.place(expr)?.0),
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
                Self::membership(&member, &list)
            }
            ExprKind::Template(parts) => {
                let parts = self.all(parts)?;
                let text: String = parts.iter().map(|part| self.view.facts.say(part)).collect();
                Ok(Value::Text(text.into()))
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
                self.scripts.call(name, &args, self.view)
            }
            ExprKind::Known(value) => Ok(Value::Bool(self.eval(value).is_ok())),
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

    /// The fact that a path names, and where it was read.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn place(&mut self, expr: &'a Expr) -> Outcome<(Value, Option<Place>)> {
        match &expr.kind {
            ExprKind::Single(position) => {
                let model = self.view.facts.model();
                let name =
                    model.singles().get(*position).map(|f| f.name.clone()).unwrap_or_default();
                match self.view.facts.single(*position) {
                    Some(Fact::Known { value, place }) => Ok((value.clone(), *place)),
                    Some(Fact::Absent(why)) => Err(Unknown::new(name, why.clone(), None)),
                    None => Err(Unknown::new(name, Absence::NotCollected, None)),
                }
            }
            ExprKind::Field { base, positions, name } => match self.eval(base)? {
                Value::Object(id) => {
                    let position = positions.iter().find(|(kind, _)| *kind == Some(id.kind));
                    match position {
                        Some((_, position)) => self.view.fact(id, *position),
                        None => Err(misfit(name)),
                    }
                }
                Value::Record(facts) => {
                    let fact = positions.first().and_then(|(_, position)| facts.get(*position));
                    match fact {
                        Some(Fact::Known { value, place }) => Ok((value.clone(), *place)),
                        other => {
                            let why = match other {
                                Some(Fact::Absent(why)) => why.clone(),
                                _ => Absence::NotCollected,
                            };
                            let place = self.place(base).ok().and_then(|(_, place)| place);
                            Err(Unknown::new(self.describe(expr), why, place))
                        }
                    }
                }
                _ => Err(misfit(name)),
            },
            _ => {
                let value = self.eval(expr)?;
                let place = match &value {
                    Value::Object(id) => self.view.facts.object(*id).map(|object| object.place),
                    _ => None,
                };
                Ok((value, place))
            }
        }
    }

    /// The path of a fact as reasons and evidence name it.
    ///
    /// Evaluates nothing but what stands before the last dot: a path is wanted where the whole failed.
    pub fn describe(&mut self, expr: &'a Expr) -> String {
        match &expr.kind {
            ExprKind::Field { base, name, .. } => match self.eval(base) {
                Ok(Value::Object(id)) => format!("{}.{name}", self.view.path(id)),
                _ => format!("{}.{name}", self.describe(base)),
            },
            ExprKind::Variable(slot) => {
                let slot = self.slots.get(*slot);
                if let Some(Slot { value: Ok(Value::Object(id)), .. }) = slot {
                    return self.view.path(*id);
                }
                match slot.and_then(|slot| slot.from) {
                    Some((list, position)) => format!("{}[{position}]", self.describe(list)),
                    None => "value".to_owned(),
                }
            }
            ExprKind::All(kind) => {
                let kind = self.view.facts.model().kind(*kind);
                kind.map(|kind| kind.collection.to_string()).unwrap_or_default()
            }
            ExprKind::Single(position) => {
                let fields = self.view.facts.model().singles();
                fields.get(*position).map(|field| field.name.to_string()).unwrap_or_default()
            }
            ExprKind::Index(list, _) | ExprKind::ListMethod { list, .. } => self.describe(list),
            ExprKind::Coalesce(left, _) => self.describe(left),
            _ => "value".to_owned(),
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
                let what = format!("{}[{index}]", self.describe(list));
                Err(Unknown::new(what, why.clone(), None))
            }
            None => {
                Err(Unknown::failed(format!("there is no member {index} in a list of {count}")))
            }
        }
    }

    fn list_method(
        &mut self,
        method: ListMethod,
        list: &'a Expr,
        closure: Option<&'a Closure>,
    ) -> Outcome {
        let Value::List(members) = self.eval(list)? else { return Err(misfit("this method")) };
        let walk = Walk { members, list, closure };
        match method {
            ListMethod::Any => self.quantify(&walk, true),
            ListMethod::All => self.quantify(&walk, false),
            ListMethod::Count => {
                let kept =
                    if closure.is_some() { self.kept(&walk)?.len() } else { Self::counted(&walk)? };
                Ok(Value::Int(i64::try_from(kept).unwrap_or(i64::MAX)))
            }
            ListMethod::IsEmpty => match walk.members.items.len() {
                0 => {
                    let mut gaps = Gaps::default();
                    gaps.close(&walk.members.reach);
                    gaps.or(Value::Bool(true))
                }
                _ => Ok(Value::Bool(false)),
            },
            ListMethod::Sum => self.sum(&walk),
            ListMethod::Min => {
                Ok(self.extreme(&walk, Ordering::Less)?.map_or(Value::Null, |(_, value)| value))
            }
            ListMethod::Max => {
                Ok(self.extreme(&walk, Ordering::Greater)?.map_or(Value::Null, |(_, value)| value))
            }
            ListMethod::MinBy => {
                Ok(self.extreme(&walk, Ordering::Less)?.map_or(Value::Null, |(member, _)| member))
            }
            ListMethod::MaxBy => Ok(self
                .extreme(&walk, Ordering::Greater)?
                .map_or(Value::Null, |(member, _)| member)),
            ListMethod::Find => self.find(&walk),
            ListMethod::Filter => {
                let reach = walk.members.reach.clone();
                let items = self.kept(&Walk { members: walk.members.closed(), ..walk })?;
                let items = items.into_iter().map(Fact::from).collect();
                Ok(Value::List(List { items, reach }))
            }
            ListMethod::Map => {
                let reach = walk.members.reach.clone();
                let pairs = self.each(&Walk { members: walk.members.closed(), ..walk })?;
                let items = pairs.into_iter().map(|(_, value)| Fact::from(value)).collect();
                Ok(Value::List(List { items, reach }))
            }
            ListMethod::KnownOnly => {
                Ok(Value::List(List { reach: Reach::KnownOnly, ..walk.members }))
            }
        }
    }

    /// What the closure gives for one member, and the member.
    fn apply(&mut self, walk: &Walk<'a>, position: usize, fact: &Fact) -> (Outcome, Outcome) {
        let member = match fact {
            Fact::Known { value, .. } => Ok(value.clone()),
            Fact::Absent(why) => {
                let what = format!("{}[{position}]", self.describe(walk.list));
                Err(Unknown::new(what, why.clone(), None))
            }
        };
        match walk.closure {
            Some(closure) => {
                self.bind_member(closure.slot, member.clone(), walk.list, position);
                (self.eval(&closure.body), member)
            }
            None => (member.clone(), member),
        }
    }

    fn quantify(&mut self, walk: &Walk<'a>, decides: bool) -> Outcome {
        let mut gaps = Gaps::of(&walk.members.reach);
        for (position, fact) in walk.members.items.iter().enumerate() {
            match self.apply(walk, position, fact).0 {
                Ok(Value::Bool(value)) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(unknown) => gaps.add(unknown),
            }
        }
        gaps.close(&walk.members.reach);
        gaps.or(Value::Bool(!decides))
    }

    /// Each known member with what the closure gives for it.
    fn each(&mut self, walk: &Walk<'a>) -> Outcome<Vec<(Value, Value)>> {
        let mut gaps = Gaps::of(&walk.members.reach);
        let mut pairs = Vec::with_capacity(walk.members.items.len());
        for (position, fact) in walk.members.items.iter().enumerate() {
            match self.apply(walk, position, fact) {
                (Ok(value), Ok(member)) => pairs.push((member, value)),
                // Decided without looking at the member, which is not known: it still stands there.
                (Ok(_), Err(unknown)) | (Err(unknown), _) => gaps.add(unknown),
            }
        }
        gaps.close(&walk.members.reach);
        gaps.or(pairs)
    }

    fn kept(&mut self, walk: &Walk<'a>) -> Outcome<Vec<Value>> {
        let pairs = self.each(walk)?;
        let kept = pairs.into_iter().filter(|(_, value)| matches!(value, Value::Bool(true)));
        Ok(kept.map(|(member, _)| member).collect())
    }

    fn counted(walk: &Walk<'a>) -> Outcome<usize> {
        let mut gaps = Gaps::default();
        gaps.close(&walk.members.reach);
        gaps.or(walk.members.items.len())
    }

    fn find(&mut self, walk: &Walk<'a>) -> Outcome {
        let mut kept = self.kept(walk)?;
        match kept.len() {
            0 => Ok(Value::Null),
            1 => Ok(kept.pop().unwrap_or(Value::Null)),
            count => {
                Err(Unknown::failed(format!("`find` met {count} members where one was expected")))
            }
        }
    }

    fn sum(&mut self, walk: &Walk<'a>) -> Outcome {
        let mut total: Option<Value> = None;
        for (_, value) in self.each(walk)? {
            total = Some(match total {
                None => value,
                Some(total) => arithmetic(Operator::Add, total, value)?,
            });
        }
        Ok(total.unwrap_or(Value::Int(0)))
    }

    fn extreme(&mut self, walk: &Walk<'a>, wanted: Ordering) -> Outcome<Option<(Value, Value)>> {
        let mut best: Option<(Value, Value)> = None;
        for (member, value) in self.each(walk)? {
            let better = match &best {
                None => true,
                Some((_, known)) => order(&value, known) == Some(wanted),
            };
            if better {
                best = Some((member, value));
            }
        }
        Ok(best)
    }
}

/// A list being walked through.
struct Walk<'a> {
    members: List,
    list: &'a Expr,
    closure: Option<&'a Closure>,
}

impl List {
    /// The members that are there, as if there were no others: what is made of them stays open itself.
    fn closed(&self) -> Self {
        let reach = match &self.reach {
            Reach::Open(_) => Reach::Complete,
            other => other.clone(),
        };
        Self { items: self.items.clone(), reach }
    }
}

impl Reason {
    /// Whether something failed, as against a fact that is missing.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self.why, Absence::Failed(_))
    }
}

/// Reasons met on the way to a value that may yet be decided without them.
#[derive(Default)]
struct Gaps {
    unknown: Option<Unknown>,
    pass_over: bool,
}

impl Gaps {
    fn of(reach: &Reach) -> Self {
        Self { unknown: None, pass_over: *reach == Reach::KnownOnly }
    }

    fn add(&mut self, unknown: Unknown) {
        if self.pass_over {
            return;
        }
        self.unknown = Some(match self.unknown.take() {
            Some(known) => known.and(unknown),
            None => unknown,
        });
    }

    /// The end of a list: there may be more behind it.
    fn close(&mut self, reach: &Reach) {
        if let Reach::Open(name) = reach {
            self.add(Unknown::new(name.clone(), Absence::Open(name.clone()), None));
        }
    }

    fn or<T>(self, value: T) -> Outcome<T> {
        self.unknown.map_or(Ok(value), Err)
    }
}

fn overflow() -> Unknown {
    Unknown::failed("a number became too large")
}

/// The checker lets no such operands through; said rather than assumed.
fn misfit(what: &str) -> Unknown {
    Unknown::failed(format!("`{what}` met a value of another type"))
}

#[expect(clippy::cast_precision_loss, reason = "rhai compares mixed numbers as floats")]
fn floats(left: &Value, right: &Value) -> Option<(f64, f64)> {
    match (left, right) {
        (Value::Float(a), Value::Float(b)) => Some((*a, *b)),
        (Value::Int(a), Value::Float(b)) => Some((*a as f64, *b)),
        (Value::Float(a), Value::Int(b)) => Some((*a, *b as f64)),
        _ => None,
    }
}

/// Order of two values; numbers with a fraction are equal within rhai's tolerance.
pub(in crate::expr) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let Some((a, b)) = floats(left, right) {
        // As rhai's `func/builtin.rs`: relative to the larger one, absolute beside zero.
        let scale = if a * b == 0.0 { 1.0 } else { a.abs().max(b.abs()) };
        let difference = (a - b) / scale;
        return Some(match difference {
            d if d.abs() <= f64::EPSILON => Ordering::Equal,
            d if d > 0.0 => Ordering::Greater,
            _ => Ordering::Less,
        });
    }
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Version(a), Value::Version(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.seconds().cmp(&b.seconds())),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Bool(a), Value::Bool(b)) => Some(a == b),
        (Value::Text(a), Value::Text(b)) => Some(a == b),
        (Value::Name(a), Value::Name(b) | Value::Text(b)) | (Value::Text(a), Value::Name(b)) => {
            Some(fold(a) == fold(b))
        }
        (Value::Path(a), Value::Path(b)) => Some(a == b),
        (Value::Object(a), Value::Object(b)) => Some(a == b),
        _ => order(left, right).map(Ordering::is_eq),
    }
}

/// What a comparison gives; none for values that cannot be compared.
pub(in crate::expr) fn compare(operator: Operator, left: &Value, right: &Value) -> Option<bool> {
    match operator {
        Operator::Equal => equal(left, right),
        Operator::NotEqual => equal(left, right).map(|equal| !equal),
        Operator::Less => order(left, right).map(Ordering::is_lt),
        Operator::LessEqual => order(left, right).map(Ordering::is_le),
        Operator::Greater => order(left, right).map(Ordering::is_gt),
        Operator::GreaterEqual => order(left, right).map(Ordering::is_ge),
        _ => None,
    }
}

/// What a step of arithmetic gives.
pub(in crate::expr) fn arithmetic(operator: Operator, left: Value, right: Value) -> Outcome {
    if let Some((a, b)) = floats(&left, &right) {
        let result = match operator {
            Operator::Add => a + b,
            Operator::Subtract => a - b,
            Operator::Multiply => a * b,
            Operator::Divide => a / b,
            Operator::Remainder => a % b,
            _ => return Err(misfit(operator.sign())),
        };
        return if result.is_finite() {
            Ok(Value::Float(result))
        } else {
            Err(Unknown::failed("a division by zero, or a number too large"))
        };
    }
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => whole(operator, a, b).map(Value::Int),
        (Value::Time(a), Value::Time(b)) if operator == Operator::Subtract => {
            a.seconds().checked_sub(b.seconds()).map(Value::Int).ok_or_else(overflow)
        }
        (Value::Time(a), Value::Int(b)) => {
            let sum = match operator {
                Operator::Add => a.seconds().checked_add(b),
                Operator::Subtract => a.seconds().checked_sub(b),
                _ => return Err(misfit(operator.sign())),
            };
            sum.and_then(Instant::from_seconds).map(Value::Time).ok_or_else(overflow)
        }
        (Value::Text(a) | Value::Name(a), Value::Text(b) | Value::Name(b))
            if operator == Operator::Add =>
        {
            Ok(Value::Text(format!("{a}{b}").into()))
        }
        _ => Err(misfit(operator.sign())),
    }
}

fn whole(operator: Operator, a: i64, b: i64) -> Outcome<i64> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide | Operator::Remainder if b == 0 => {
            return Err(Unknown::failed("a division by zero"));
        }
        Operator::Divide => a.checked_div(b),
        Operator::Remainder => a.checked_rem(b),
        _ => return Err(misfit(operator.sign())),
    };
    result.ok_or_else(overflow)
}
