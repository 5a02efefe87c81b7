//! Whether conditions can all be true: reasoning about enumerations, null, numbers and comparisons.
//!
//! Everything else is a statement that may be true or false, the same wherever the same is written. What
//! is found to be impossible is so under three values too: where a condition is true, it is true however
//! the facts that are not known turn out. What is not found may still be impossible.

use std::collections::{BTreeSet, HashMap};

use crate::author::lint::reads::{constant, key, number};
use crate::expr::syntax::Operator;
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{Model, Type};
use crate::facts::value::{Fact, Value, fold};
use crate::rule::Rule;
use crate::source::Node;

/// Most branches that are tried; beyond, all is taken for possible.
const MOST: usize = 20_000;

/// A condition made of statements, without negation.
#[derive(Clone, Debug)]
enum Formula {
    Fixed(bool),
    Says(Statement),
    And(Vec<Formula>),
    Or(Vec<Formula>),
}

/// Something that is said of a value.
#[derive(Clone, Debug)]
enum Statement {
    /// It is null, or it is not.
    Null(String, bool),
    /// It is one of these, or it is none of them; not null in any case.
    Among(String, BTreeSet<String>, bool),
    /// It is a number between these, both included.
    Between(String, f64, f64),
    /// It is a number other than this.
    Not(String, f64),
    /// The first stands to the second in one of these ways.
    Order(String, Ways),
    /// Something else is true, or it is not.
    Other(String, bool),
}

/// Less, equal, greater.
type Ways = [bool; 3];

/// What is known of a value in a branch.
#[derive(Clone, Debug)]
struct Known {
    is_null: Option<bool>,
    members: Option<BTreeSet<String>>,
    not: BTreeSet<String>,
    low: f64,
    high: f64,
    other_than: Vec<f64>,
    ways: Ways,
    truth: Option<bool>,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            is_null: None,
            members: None,
            not: BTreeSet::new(),
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            other_than: Vec::new(),
            ways: [true; 3],
            truth: None,
        }
    }
}

/// Conditions of a rule, to ask whether all of them can be true.
pub(super) struct Logic<'r> {
    rule: &'r Rule,
    /// What values can be from the start: members of enumerations, bounds of parameters.
    given: HashMap<String, Known>,
    /// Values that are whole numbers.
    whole: BTreeSet<String>,
}

/// A condition and whether it is to be true.
pub(super) type Wanted<'r> = (&'r Expr, bool);

impl<'r> Logic<'r> {
    pub(super) fn new(rule: &'r Rule) -> Self {
        Self { rule, given: HashMap::new(), whole: BTreeSet::new() }
    }

    /// Whether nothing makes all of them come out as wanted.
    pub(super) fn is_impossible(&mut self, wanted: &[Wanted<'_>]) -> bool {
        let formulas: Vec<Formula> =
            wanted.iter().map(|(expr, truth)| self.formula(expr, *truth)).collect();
        let mut left = MOST;
        !possible(formulas.iter().collect(), self.given.clone(), &self.whole, &mut left)
    }

    fn formula(&mut self, expr: &Expr, truth: bool) -> Formula {
        let all = |logic: &mut Self, parts: &[Expr]| -> Vec<Formula> {
            parts.iter().map(|part| logic.formula(part, truth)).collect()
        };
        match &expr.kind {
            ExprKind::Constant(Value::Bool(value)) => Formula::Fixed(*value == truth),
            ExprKind::Not(inner) => self.formula(inner, !truth),
            ExprKind::And(parts) if truth => Formula::And(all(self, parts)),
            ExprKind::And(parts) => Formula::Or(all(self, parts)),
            ExprKind::Or(parts) if truth => Formula::Or(all(self, parts)),
            ExprKind::Or(parts) => Formula::And(all(self, parts)),
            ExprKind::If(condition, yes, no) => Formula::Or(vec![
                Formula::And(vec![self.formula(condition, true), self.formula(yes, truth)]),
                Formula::And(vec![self.formula(condition, false), self.formula(no, truth)]),
            ]),
            ExprKind::Variable(slot) => {
                let rule = self.rule;
                match rule.lets.iter().find(|(known, _)| known == slot) {
                    Some((_, value)) if value.ty == Type::Bool => self.formula(value, truth),
                    _ => self.plain(expr, truth),
                }
            }
            ExprKind::Coalesce(value, default) => {
                let null = |is| Formula::Says(Statement::Null(key(value, self.rule), is));
                let (is_null, is_not) = (null(true), null(false));
                Formula::Or(vec![
                    Formula::And(vec![is_not, self.plain(value, truth)]),
                    Formula::And(vec![is_null, self.formula(default, truth)]),
                ])
            }
            ExprKind::IsNull { value, negated } => {
                Formula::Says(Statement::Null(key(value, self.rule), truth != *negated))
            }
            ExprKind::Compare(operator, a, b) => self.compare(*operator, a, b, truth),
            ExprKind::In(member, list) => {
                self.member(member, list, truth).unwrap_or_else(|| self.plain(expr, truth))
            }
            _ => self.plain(expr, truth),
        }
    }

    /// A statement about which nothing more is known than that it is the same everywhere.
    fn plain(&self, expr: &Expr, truth: bool) -> Formula {
        Formula::Says(Statement::Other(key(expr, self.rule), truth))
    }

    fn member(&mut self, member: &Expr, list: &Expr, truth: bool) -> Option<Formula> {
        let texts: Option<BTreeSet<String>> = match &list.kind {
            ExprKind::List(parts) => {
                parts.iter().map(|part| text(&constant(part, self.rule)?)).collect()
            }
            ExprKind::Constant(Value::List(list)) => list
                .items
                .iter()
                .map(|fact| match fact {
                    Fact::Known { value, .. } => text(value),
                    Fact::Absent(_) => None,
                })
                .collect(),
            _ => None,
        };
        let name = self.named(member);
        // What is null is in no list of texts.
        let among = Formula::Says(Statement::Among(name.clone(), texts?, truth));
        let is_null = Formula::Says(Statement::Null(name, true));
        Some(if truth { among } else { Formula::Or(vec![among, is_null]) })
    }

    /// The key of a value, with what its type says of it remembered.
    fn named(&mut self, expr: &Expr) -> String {
        let name = key(expr, self.rule);
        if self.given.contains_key(&name) {
            return name;
        }
        let mut known = Known::default();
        match expr.ty.required() {
            Type::Enum(members) => {
                known.members = Some(members.iter().map(ToString::to_string).collect());
            }
            Type::Bool => known.members = Some(["true", "false"].map(str::to_owned).into()),
            Type::Int => {
                self.whole.insert(name.clone());
            }
            _ => {}
        }
        if let Some((low, high)) = self.bounds(expr) {
            (known.low, known.high) = (low, high);
        }
        self.given.insert(name.clone(), known);
        name
    }

    /// Bounds of a parameter.
    fn bounds(&self, expr: &Expr) -> Option<(f64, f64)> {
        let node = param_node(expr, self.rule)?;
        let bound = |key: &str| node.get(key).and_then(Node::as_float);
        Some((
            bound("minimum").unwrap_or(f64::NEG_INFINITY),
            bound("maximum").unwrap_or(f64::INFINITY),
        ))
    }

    fn compare(&mut self, operator: Operator, a: &Expr, b: &Expr, truth: bool) -> Formula {
        let Some(ways) = ways(operator).map(|ways| ways.map(|way| way == truth)) else {
            return Formula::Fixed(true);
        };
        let (left, right) = (constant(a, self.rule), constant(b, self.rule));
        let (term, value, ways) = match (left, right) {
            (None, Some(value)) => (a, value, ways),
            (Some(value), None) => (b, value, turned(ways)),
            _ => return self.order(a, b, ways),
        };
        if let Some(number) = number(&value) {
            let name = self.named(term);
            return between(&name, number, ways, self.whole.contains(&name));
        }
        match (text(&value), ways) {
            (Some(text), [false, true, false]) => {
                Formula::Says(Statement::Among(self.named(term), [text].into(), true))
            }
            (Some(text), [true, false, true]) => {
                Formula::Says(Statement::Among(self.named(term), [text].into(), false))
            }
            _ => self.order(a, b, ways),
        }
    }

    fn order(&self, a: &Expr, b: &Expr, ways: Ways) -> Formula {
        let (left, right) = (key(a, self.rule), key(b, self.rule));
        if left == right {
            return Formula::Fixed(matches!(ways, [_, true, _]));
        }
        let (pair, ways) = if left < right {
            (format!("{left} ? {right}"), ways)
        } else {
            (format!("{right} ? {left}"), turned(ways))
        };
        Formula::Says(Statement::Order(pair, ways))
    }
}

/// The declaration of the parameter that an expression is.
pub(super) fn param_node<'r>(expr: &Expr, rule: &'r Rule) -> Option<&'r Node> {
    let ExprKind::Field { base, name, .. } = &expr.kind else { return None };
    matches!(base.kind, ExprKind::Variable(0)).then_some(())?;
    rule.root.get("params")?.get(name)
}

fn ways(operator: Operator) -> Option<Ways> {
    Some(match operator {
        Operator::Equal => [false, true, false],
        Operator::NotEqual => [true, false, true],
        Operator::Less => [true, false, false],
        Operator::LessEqual => [true, true, false],
        Operator::Greater => [false, false, true],
        Operator::GreaterEqual => [false, true, true],
        _ => return None,
    })
}

/// The same, said of the two the other way round.
fn turned([less, equal, greater]: Ways) -> Ways {
    [greater, equal, less]
}

/// A value that can be told from others by a text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.to_string()),
        Value::Name(name) => Some(fold(name)),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn between(name: &str, number: f64, ways: Ways, is_whole: bool) -> Formula {
    let said = |low: f64, high: f64| Formula::Says(Statement::Between(name.to_owned(), low, high));
    // A whole number that is greater than 5.5 is 6 at least. Of others the next one is near enough.
    let below = if is_whole { number.ceil() - 1.0 } else { number.next_down() };
    let above = if is_whole { number.floor() + 1.0 } else { number.next_up() };
    match ways {
        [true, true, true] => said(f64::NEG_INFINITY, f64::INFINITY),
        [true, true, false] => said(f64::NEG_INFINITY, number),
        [true, false, false] => said(f64::NEG_INFINITY, below),
        [false, true, true] => said(number, f64::INFINITY),
        [false, false, true] => said(above, f64::INFINITY),
        [false, true, false] => said(number, number),
        [true, false, true] => Formula::Says(Statement::Not(name.to_owned(), number)),
        [false, false, false] => Formula::Fixed(false),
    }
}

/// Whether all formulas can be true at once: what is certain first, then one choice after the other.
fn possible(
    mut open: Vec<&Formula>,
    mut known: HashMap<String, Known>,
    whole: &BTreeSet<String>,
    left: &mut usize,
) -> bool {
    let mut choices: Vec<&Vec<Formula>> = Vec::new();
    while let Some(formula) = open.pop() {
        match formula {
            Formula::Fixed(true) => {}
            Formula::Fixed(false) => return false,
            Formula::And(parts) => open.extend(parts),
            Formula::Or(parts) => choices.push(parts),
            Formula::Says(statement) => {
                if !known.entry(statement.name().to_owned()).or_default().take(statement, whole) {
                    return false;
                }
            }
        }
    }
    let Some(choice) = choices.pop() else { return true };
    for part in choice {
        if *left == 0 {
            return true;
        }
        *left -= 1;
        // The other choices stay open; each is asked again in this branch.
        let rest: Vec<Formula> =
            choices.iter().map(|parts| Formula::Or((*parts).clone())).collect();
        let next = rest.iter().chain([part]).collect();
        if possible(next, known.clone(), whole, left) {
            return true;
        }
    }
    false
}

impl Statement {
    fn name(&self) -> &str {
        match self {
            Self::Null(name, _)
            | Self::Among(name, ..)
            | Self::Between(name, ..)
            | Self::Not(name, _)
            | Self::Order(name, _)
            | Self::Other(name, _) => name,
        }
    }
}

impl Known {
    /// Takes a statement for true; the answer is whether that can be.
    fn take(&mut self, statement: &Statement, whole: &BTreeSet<String>) -> bool {
        match statement {
            Statement::Null(_, is) => return self.set_null(*is),
            Statement::Among(_, texts, true) => {
                let members = match &self.members {
                    Some(known) => known.intersection(texts).cloned().collect(),
                    None => texts.clone(),
                };
                self.members = Some(members);
            }
            Statement::Among(_, texts, false) => self.not.extend(texts.iter().cloned()),
            Statement::Between(_, low, high) => {
                self.low = self.low.max(*low);
                self.high = self.high.min(*high);
            }
            Statement::Not(_, number) => self.other_than.push(*number),
            Statement::Order(_, ways) => {
                let ways = std::array::from_fn(|at| {
                    let way = |ways: &Ways| ways.get(at).copied().unwrap_or(false);
                    way(&self.ways) && way(ways)
                });
                self.ways = ways;
                return ways.contains(&true);
            }
            Statement::Other(_, truth) => {
                let text = BTreeSet::from([truth.to_string()]);
                let fits = self.members.as_ref().is_none_or(|known| !known.is_disjoint(&text));
                self.members = Some(text);
                let is_same = self.truth.is_none_or(|known| known == *truth);
                self.truth = Some(*truth);
                return fits && is_same;
            }
        }
        self.set_null(false) && self.has_value(whole.contains(statement.name()))
    }

    fn set_null(&mut self, is: bool) -> bool {
        let fits = self.is_null.is_none_or(|known| known == is);
        self.is_null = Some(is);
        fits
    }

    /// Whether a value is left.
    fn has_value(&self, is_whole: bool) -> bool {
        if let Some(members) = &self.members
            && members.is_subset(&self.not)
        {
            return false;
        }
        if self.low > self.high {
            return false;
        }
        // Few whole numbers may all be excluded, a single one too.
        let excluded = |number: f64| self.other_than.iter().any(|other| same(*other, number));
        if same(self.low, self.high) {
            return !excluded(self.low);
        }
        if is_whole && self.high - self.low < 100.0 {
            let mut number = self.low.ceil();
            while number <= self.high {
                if !excluded(number) {
                    return true;
                }
                number += 1.0;
            }
            return false;
        }
        true
    }
}

/// Whether two numbers are written the same.
fn same(a: f64, b: f64) -> bool {
    a.total_cmp(&b).is_eq()
}

/// Kinds are named in keys by number; a model is needed only where they are shown.
pub(super) fn record_unit(expr: &Expr, model: &Model) -> Option<String> {
    let ExprKind::Field { base, positions, .. } = &expr.kind else { return None };
    let mut units = positions.iter().map(|(kind, position)| {
        let record = match (kind.and_then(|kind| model.kind(kind)), base.ty.required()) {
            (Some(kind), _) => &kind.record,
            (None, Type::Record(record)) => record,
            _ => return None,
        };
        record.fields.get(*position)?.unit.clone()
    });
    let first = units.next()??;
    units.all(|unit| unit.as_deref() == Some(first.as_str())).then_some(first)
}
