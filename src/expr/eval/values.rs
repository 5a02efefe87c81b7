//! Comparison and arithmetic of known values, as rhai does them.

use std::cmp::Ordering;

use crate::expr::eval::{Outcome, Unknown};
use crate::expr::syntax::Operator;
use crate::facts::time::Instant;
use crate::facts::value::{Value, fold};

pub(super) fn overflow() -> Unknown {
    Unknown::failed("a number became too large")
}

/// Longest text that an expression makes, in bytes.
const MAX_TEXT: usize = 64 * 1024;

/// The checker lets no such operands through; said rather than assumed.
pub(super) fn misfit(what: &str) -> Unknown {
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
            sized(format!("{a}{b}"))
        }
        _ => Err(misfit(operator.sign())),
    }
}

/// A text, unless it has grown beyond what any rule needs.
pub(super) fn sized(text: String) -> Outcome {
    if text.len() > MAX_TEXT {
        return Err(Unknown::failed("a text became too long"));
    }
    Ok(Value::Text(text.into()))
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
