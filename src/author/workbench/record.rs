//! What is told while an expression is evaluated, kept.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use crate::diagnostic::Place;
use crate::eval::Observer;
use crate::expr::eval::{Env, Outcome, Read, Watch};
use crate::expr::print::Printer;
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::Type;
use crate::facts::store::Facts;
use crate::facts::value::{Reach, Value};
use crate::finding::Subject;
use crate::rule::Rule;

use super::{Bound, show};

/// Most facts that are kept; nobody reads more, and each costs its path.
const MAX_SEEN: usize = 20_000;
/// Most values that are kept of a part that is evaluated again and again.
const MAX_VALUES: usize = 3;

/// A fact that was read.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its path.
    pub path: String,
    /// What it was.
    pub value: SeenValue,
    /// Where it stands; none if it is derived or not known.
    pub place: Option<Place>,
    /// Its type.
    pub ty: Type,
    /// The unit of a number, as the schema says it.
    pub unit: Option<String>,
}

/// What a fact was.
#[derive(Clone, Debug)]
pub enum SeenValue {
    /// A value, or why it is not known.
    One(Outcome),
    /// A whole collection: how many objects, and whether these are all.
    Collection(usize, bool),
}

/// What a part of an expression was.
#[derive(Clone, Debug)]
pub struct Step {
    /// The part, as text.
    pub text: String,
    /// How deep it stands in the whole.
    pub depth: usize,
    /// How often it was evaluated.
    pub count: usize,
    /// What it was, the first few times.
    pub values: Vec<Outcome>,
    /// Its type.
    pub ty: Type,
    /// The unit of a number, as the schema says it.
    pub unit: Option<String>,
}

/// Who is told of every value and every fact.
#[derive(Debug)]
pub struct Recorder<'a> {
    facts: &'a Facts,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Facts whose values have not been told yet, by the address of the expression.
    pending: Vec<(usize, Read)>,
    seen: Vec<Seen>,
    known: HashSet<(String, Option<Place>)>,
    values: HashMap<usize, (usize, Vec<Outcome>)>,
}

/// An expression is told from others by where it lies in memory.
fn address(expr: &Expr) -> usize {
    std::ptr::from_ref(expr).addr()
}

impl Watch for Recorder<'_> {
    fn wants_facts(&self) -> bool {
        self.state.borrow().seen.len() < MAX_SEEN
    }

    fn fact(&self, expr: &Expr, read: Read) {
        self.state.borrow_mut().pending.push((address(expr), read));
    }

    fn value(&self, expr: &Expr, value: &Outcome) {
        let mut state = self.state.borrow_mut();
        let (count, values) = state.values.entry(address(expr)).or_default();
        *count += 1;
        if values.len() < MAX_VALUES {
            values.push(value.clone());
        }
        match &expr.kind {
            ExprKind::Field { .. } | ExprKind::Single(_) => {
                let Some((_, read)) = state.pending.pop_if(|(of, _)| *of == address(expr)) else {
                    return;
                };
                let Some(path) = read.path else { return };
                let value = SeenValue::One(value.clone());
                let unit = show::unit(expr, self.facts.model());
                state.add(Seen { path, value, place: read.place, ty: expr.ty.clone(), unit });
            }
            ExprKind::All(kind) => {
                let kind = self.facts.model().kind(*kind);
                let path = kind.map(|kind| kind.collection.to_string()).unwrap_or_default();
                let value = match value {
                    Ok(Value::List(list)) => {
                        SeenValue::Collection(list.items.len(), list.reach == Reach::Complete)
                    }
                    other => SeenValue::One(other.clone()),
                };
                state.add(Seen { path, value, place: None, ty: expr.ty.clone(), unit: None });
            }
            _ => {}
        }
    }
}

impl State {
    fn add(&mut self, seen: Seen) {
        if self.seen.len() < MAX_SEEN && self.known.insert((seen.path.clone(), seen.place)) {
            self.seen.push(seen);
        }
    }
}

impl<'a> Recorder<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        Self { facts, state: RefCell::default() }
    }

    pub(super) fn seen(self) -> Vec<Seen> {
        self.state.into_inner().seen
    }

    /// The parts of an expression in the order in which they are written, constants left out.
    pub(super) fn steps(&self, expr: &Expr, printer: &Printer<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        self.step(expr, 0, printer, &mut steps);
        steps
    }

    fn step(&self, expr: &Expr, depth: usize, printer: &Printer<'_>, steps: &mut Vec<Step>) {
        if matches!(expr.kind, ExprKind::Constant(_)) && depth > 0 {
            return;
        }
        let text = printer.print(expr);
        let known = self.state.borrow().values.get(&address(expr)).cloned();
        let (count, values) = known.unwrap_or_default();
        let unit = show::unit(expr, self.facts.model());
        steps.push(Step { text, depth, count, values, ty: expr.ty.clone(), unit });
        expr.each_child(&mut |child| self.step(child, depth + 1, printer, steps));
    }
}

/// Who is told how a rule binds its names.
pub(super) struct Bindings<'a> {
    rule: &'a Rule,
    facts: &'a Facts,
    bound: RefCell<Vec<Bound>>,
}

impl<'a> Bindings<'a> {
    pub(super) fn new(rule: &'a Rule, facts: &'a Facts) -> Self {
        Self { rule, facts, bound: RefCell::default() }
    }

    pub(super) fn bound(self) -> Vec<Bound> {
        let mut bound = self.bound.into_inner();
        bound.sort_by(|a, b| a.subject.cmp(&b.subject));
        bound
    }
}

impl Watch for Bindings<'_> {
    fn value(&self, _: &Expr, _: &Outcome) {}
}

impl Observer for Bindings<'_> {
    fn decides(&self, env: &Env<'_>) {
        let subject = match env.slot(self.rule.finding.subject) {
            Ok(Value::Object(id)) => {
                let kind = self.facts.kind_of(id).map(|kind| kind.name.clone());
                Subject { kind: kind.unwrap_or_default(), key: self.facts.key(id) }
            }
            _ => Subject { kind: "".into(), key: "".into() },
        };
        let values = self.rule.names.iter().map(|(_, slot)| (*slot, env.slot(*slot)));
        self.bound.borrow_mut().push(Bound { subject, values: values.collect() });
    }
}
