//! Numbers with units that do not fit together, and thresholds without bounds.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::author::clauses::{Clause, clauses};
use crate::author::lint::Linter;
use crate::author::lint::logic::{param_node, record_unit};
use crate::author::lint::reads::{constant, number};
use crate::expr::tree::{Expr, ExprKind, ListMethod};
use crate::facts::model::Type;
use crate::rule::Rule;

/// What is known of a number's unit.
#[derive(Clone, Debug, PartialEq)]
enum Unit {
    Named(String),
    /// Seconds from one instant to another.
    Elapsed,
    /// A number as it is written.
    Bare(f64),
}

impl Linter<'_> {
    pub(super) fn units(&mut self, rule: &Arc<Rule>) {
        let mut open = BTreeSet::new();
        for clause in clauses(rule) {
            self.compared(rule, &clause, clause.expr, &mut open);
        }
        for name in open {
            let entry = rule.root.get("params").and_then(|params| params.entry(&name));
            if let Some(entry) = entry {
                let message = format!("`{name}` can be set to any number");
                self.push(rule, "params-without-bounds", entry.key_place, message, |one| {
                    one.help("give it a `minimum`, a `maximum`, or both")
                });
            }
        }
    }

    fn compared(
        &mut self,
        rule: &Arc<Rule>,
        clause: &Clause<'_>,
        expr: &Expr,
        open: &mut BTreeSet<String>,
    ) {
        let operands = match &expr.kind {
            ExprKind::Compare(operator, a, b) => {
                if !matches!(operator.sign(), "==" | "!=") {
                    unbounded(a, rule, open);
                    unbounded(b, rule, open);
                }
                Some((a, b))
            }
            ExprKind::Arithmetic(operator, a, b) if matches!(operator.sign(), "+" | "-") => {
                Some((a, b))
            }
            _ => None,
        };
        if let Some((a, b)) = operands
            && let (Some(left), Some(right)) = (self.unit(a, rule), self.unit(b, rule))
            && let Some(message) = misfit(&left, &right).or_else(|| misfit(&right, &left))
        {
            let place = clause.place_of(expr, self.sources);
            self.push(rule, "suspicious-unit", place, message, |one| one.help(help(&left, &right)));
        }
        expr.each_child(&mut |child| self.compared(rule, clause, child, open));
    }

    fn unit(&self, expr: &Expr, rule: &Rule) -> Option<Unit> {
        if !matches!(expr.ty.required(), Type::Int | Type::Float) {
            return None;
        }
        let both = |a: &Expr, b: &Expr| {
            let (a, b) = (self.unit(a, rule)?, self.unit(b, rule)?);
            (a == b).then_some(a)
        };
        match &expr.kind {
            ExprKind::Constant(value) => Some(Unit::Bare(number(value)?)),
            ExprKind::Field { .. } => record_unit(expr, self.model).map(Unit::Named),
            ExprKind::Variable(slot) => {
                let (_, value) = rule.lets.iter().find(|(known, _)| known == slot)?;
                self.unit(value, rule)
            }
            ExprKind::Host(function, _) => {
                let unit = match function.name {
                    "hours" | "minutes" | "days" => "seconds",
                    "gb" => "bytes",
                    "hours_between" => "hours",
                    "percent" => "percent",
                    _ => return None,
                };
                Some(Unit::Named(unit.to_owned()))
            }
            ExprKind::Arithmetic(operator, a, b) => match operator.sign() {
                "-" if *a.ty.required() == Type::Time => Some(Unit::Elapsed),
                "+" | "-" => both(a, b),
                _ => None,
            },
            ExprKind::Negate(inner) => self.unit(inner, rule),
            ExprKind::Coalesce(a, _) | ExprKind::Get(a, _) => self.unit(a, rule),
            ExprKind::If(_, a, b) => both(a, b),
            ExprKind::ListMethod {
                method: ListMethod::Sum | ListMethod::Min | ListMethod::Max,
                closure,
                ..
            } => self.unit(&closure.as_ref()?.body, rule),
            _ => None,
        }
    }
}

fn seconds() -> Unit {
    Unit::Named("seconds".to_owned())
}

fn help(left: &Unit, right: &Unit) -> &'static str {
    let is = |name: &str| [left, right].iter().any(|unit| **unit == Unit::Named(name.to_owned()));
    if is("percent") {
        "per cent go from 0 to 100"
    } else if is("bytes") {
        "a number of bytes is written out, or compared with `gb(...)`"
    } else {
        "`hours()`, `days()` and `minutes()` give a number its unit"
    }
}

/// What is odd about the two being compared or added.
fn misfit(left: &Unit, right: &Unit) -> Option<String> {
    match (left, right) {
        // Nobody counts from one event to another in a few seconds, but in days and hours.
        (Unit::Elapsed, Unit::Bare(number)) if (1.0..60.0).contains(number) => {
            Some(format!("{number} is an unlikely number of seconds from one instant to another"))
        }
        (Unit::Elapsed, Unit::Bare(_)) => misfit(&seconds(), right),
        (Unit::Elapsed, Unit::Named(unit)) if unit != "seconds" => misfit(&seconds(), right),
        (Unit::Named(left), Unit::Named(right)) if left != right => {
            Some(format!("{left} on one side, {right} on the other"))
        }
        (Unit::Named(unit), Unit::Bare(number)) => {
            let is_odd = match unit.as_str() {
                "percent" => *number > 100.0 || (*number > 0.0 && *number < 1.0),
                "bytes" => *number > 0.0 && *number < 100_000.0,
                "seconds" => *number > 1_000_000.0,
                _ => false,
            };
            is_odd.then(|| format!("{number} is an unlikely number of {unit}", unit = plain(unit)))
        }
        _ => None,
    }
}

fn plain(unit: &str) -> &str {
    if unit == "percent" { "per cent" } else { unit }
}

/// Parameters in a side of a comparison that may have any value.
fn unbounded(expr: &Expr, rule: &Rule, open: &mut BTreeSet<String>) {
    if let (ExprKind::Field { name, .. }, Some(node)) = (&expr.kind, param_node(expr, rule)) {
        let bounds = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum"];
        let is_number = matches!(expr.ty, Type::Int | Type::Float);
        if is_number && bounds.iter().all(|key| node.get(key).is_none()) {
            open.insert(name.to_string());
        }
    }
    match &expr.kind {
        ExprKind::Host(_, args) => args.iter().for_each(|arg| unbounded(arg, rule, open)),
        ExprKind::Arithmetic(_, a, b) => {
            unbounded(a, rule, open);
            unbounded(b, rule, open);
        }
        ExprKind::Variable(slot) => {
            let value = rule.lets.iter().find(|(known, _)| known == slot);
            if let Some((_, value)) = value.filter(|(_, value)| constant(value, rule).is_none()) {
                unbounded(value, rule, open);
            }
        }
        _ => {}
    }
}
