//! Times, days and offsets that are written out in an action: what no clock shows is an error when it is read.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, nearest};
use crate::expr::syntax::Operator;
use crate::expr::tree::{Expr, ExprKind, ListMethod};
use crate::facts::value::{Fact, Value};
use crate::rule::clause::Reader;
use crate::schema::is_clock_time;
use crate::source::Node;

/// English names of the days of the week.
const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// How far clocks can be ahead of UTC or behind it, in minutes, with some room: 14 hours.
pub const FARTHEST: i64 = 840;

impl Reader<'_> {
    pub(super) fn times_are_times(&mut self, expr: &Expr, node: &Node) {
        for (text, at) in texts(expr) {
            if is_clock_time(&text) {
                continue;
            }
            let message = format!("`{text}` is not a time of day");
            let place = self.context.sources.inside(node, at);
            let problem = Diagnostic::error("wrong-format", message).at(place);
            let problem = match meant(&text) {
                Some(time) => problem.help(format!("did you mean `{time}`?")),
                None => problem,
            };
            self.problems.push(problem.help("write it like `20:00`: from 00:00 to 23:59"));
        }
    }

    pub(super) fn days_are_days(&mut self, expr: &Expr, node: &Node) {
        for (text, at) in texts(expr) {
            if DAYS.contains(&&*text) {
                continue;
            }
            let message = format!("`{text}` is not a day of the week");
            let place = self.context.sources.inside(node, at);
            let problem = Diagnostic::error("not-one-of", message).at(place);
            let lower = text.to_lowercase();
            let begun = DAYS.iter().find(|day| lower.len() > 1 && day.starts_with(&lower));
            let problem = match begun.copied().or_else(|| nearest(&text, DAYS)) {
                Some(day) => problem.help(format!("did you mean `{day}`?")),
                None => problem,
            };
            let listed: Vec<String> = DAYS.iter().map(|day| format!("`{day}`")).collect();
            self.problems.push(problem.help(format!("allowed values: {}", listed.join(", "))));
        }
    }

    pub(super) fn offset_is_on_earth(&mut self, expr: &Expr, node: &Node) {
        let mut found = Vec::new();
        numbers(expr, &mut found);
        for (minutes, at) in found {
            if (-FARTHEST..=FARTHEST).contains(&minutes) {
                continue;
            }
            let message = format!(
                "{minutes} minutes are more than a clock can differ from UTC: at most {FARTHEST}, 14 hours"
            );
            let place = self.context.sources.inside(node, at);
            self.problems.push(Diagnostic::error("out-of-range", message).at(place));
        }
    }
}

/// The texts that are written out among the values that a list can have.
fn texts(expr: &Expr) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    members(expr, &mut found);
    found
}

fn members(expr: &Expr, found: &mut Vec<(String, Range<usize>)>) {
    match &expr.kind {
        ExprKind::Constant(value) => constant(value, &expr.at, found),
        ExprKind::List(items) => items.iter().for_each(|item| members(item, found)),
        ExprKind::If(_, yes, no) | ExprKind::Coalesce(yes, no) => {
            members(yes, found);
            members(no, found);
        }
        ExprKind::ListMethod { method: ListMethod::Map, closure: Some(closure), .. } => {
            members(&closure.body, found);
        }
        ExprKind::ListMethod {
            method: ListMethod::Filter | ListMethod::KnownOnly, list, ..
        } => {
            members(list, found);
        }
        _ => {}
    }
}

fn constant(value: &Value, at: &Range<usize>, found: &mut Vec<(String, Range<usize>)>) {
    match value {
        Value::Text(text) | Value::Name(text) => found.push((text.to_string(), at.clone())),
        Value::List(list) => {
            for item in list.items.iter() {
                if let Fact::Known { value, .. } = item {
                    constant(value, at, found);
                }
            }
        }
        _ => {}
    }
}

/// The numbers that are written out among the values that an expression can have.
fn numbers(expr: &Expr, found: &mut Vec<(i64, Range<usize>)>) {
    match &expr.kind {
        ExprKind::If(_, yes, no) | ExprKind::Coalesce(yes, no) => {
            numbers(yes, found);
            numbers(no, found);
        }
        _ => found.extend(number(expr).map(|number| (number, expr.at.clone()))),
    }
}

fn number(expr: &Expr) -> Option<i64> {
    match &expr.kind {
        ExprKind::Constant(Value::Int(number)) => Some(*number),
        ExprKind::Negate(inner) => number(inner)?.checked_neg(),
        ExprKind::Arithmetic(operator, left, right) => {
            let (left, right) = (number(left)?, number(right)?);
            match operator {
                Operator::Add => left.checked_add(right),
                Operator::Subtract => left.checked_sub(right),
                Operator::Multiply => left.checked_mul(right),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The time of day that is written in another form: `8:00`, `20`, `20:00:00`, `20.00`.
fn meant(text: &str) -> Option<String> {
    let mut parts = text.split([':', '.', 'h']).map(str::trim);
    let hour: u8 = parts.next()?.parse().ok()?;
    let minute: u8 = match parts.next() {
        Some(minute) if !minute.is_empty() => minute.parse().ok()?,
        _ => 0,
    };
    let time = format!("{hour:02}:{minute:02}");
    is_clock_time(&time).then_some(time)
}
