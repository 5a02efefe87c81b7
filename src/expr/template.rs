//! Messages: text with `${expression}` in it.

use std::ops::Range;

use crate::expr::check::{self, Problem, Scope, World};
use crate::expr::eval::{Env, Outcome};
use crate::expr::tree::Expr;

/// A checked message.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Value(Box<Expr>),
}

impl Template {
    /// Checks every expression in `text`.
    ///
    /// # Errors
    ///
    /// All problems, their places counted in characters of `text`.
    pub fn check(text: &str, scope: &mut Scope, world: World<'_>) -> Result<Self, Vec<Problem>> {
        let chars: Vec<char> = text.chars().collect();
        let mut parts = Vec::new();
        let mut problems = Vec::new();
        let mut plain = String::new();
        let mut position = 0;
        while let Some(c) = chars.get(position) {
            if *c != '$' || chars.get(position + 1) != Some(&'{') {
                plain.push(*c);
                position += 1;
                continue;
            }
            let start = position + 2;
            let Some(end) = closing(&chars, start) else {
                problems.push(Problem {
                    code: "expression-syntax",
                    message: "this `${` has no `}`".to_owned(),
                    at: position..position + 2,
                    help: Vec::new(),
                });
                break;
            };
            let inner: String = chars.get(start..end).unwrap_or_default().iter().collect();
            let seen = scope.seen_count();
            let checked = check::check(&inner, scope, world);
            scope.shift_seen(seen, start);
            match checked {
                Ok(expr) => {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(Part::Value(Box::new(expr)));
                }
                Err(found) => {
                    problems.extend(found.into_iter().map(|problem| shifted(problem, start)));
                }
            }
            position = end + 1;
        }
        parts.push(Part::Text(plain));
        if problems.is_empty() { Ok(Self { parts }) } else { Err(problems) }
    }

    /// The expressions in it, in order.
    pub fn exprs(&self) -> impl Iterator<Item = &Expr> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Value(expr) => Some(&**expr),
        })
    }

    /// The text with its values; where one is not known it says so.
    pub fn say<'a>(&'a self, env: &mut Env<'a>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Value(expr) => match env.eval(expr) {
                    Ok(value) => text.push_str(&env.view().facts.say(&value)),
                    Err(_) => text.push_str("(not known)"),
                },
            }
        }
        text
    }

    /// The text with its values.
    ///
    /// # Errors
    ///
    /// Why one of them is not known.
    pub fn fill<'a>(&'a self, env: &mut Env<'a>) -> Outcome<String> {
        for part in &self.parts {
            if let Part::Value(expr) = part {
                env.eval(expr)?;
            }
        }
        Ok(self.say(env))
    }
}

/// A piece of a message as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Plain text.
    Text(String),
    /// What stands between `${` and `}`.
    Value(String),
}

/// The pieces of a message, for those who show it and do not fill it in.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut position = 0;
    while let Some(c) = chars.get(position) {
        let is_value = *c == '$' && chars.get(position + 1) == Some(&'{');
        let Some(end) = is_value.then(|| closing(&chars, position + 2)).flatten() else {
            plain.push(*c);
            position += 1;
            continue;
        };
        pieces.push(Piece::Text(std::mem::take(&mut plain)));
        let inside = chars.get(position + 2..end).unwrap_or_default();
        pieces.push(Piece::Value(inside.iter().collect()));
        position = end + 1;
    }
    pieces.push(Piece::Text(plain));
    pieces.retain(|piece| *piece != Piece::Text(String::new()));
    pieces
}

fn shifted(problem: Problem, by: usize) -> Problem {
    let Range { start, end } = problem.at;
    Problem { at: start + by..end + by, ..problem }
}

/// The `}` that closes a `${` ending before `start`; braces nest, and those inside text do not count.
#[must_use]
pub fn closing(chars: &[char], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (position, c) in chars.iter().enumerate().skip(start) {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, c) {
            (Some(_), '\\') => escaped = true,
            (Some(open), c) if open == *c => quote = None,
            (None, '"' | '`') => quote = Some(*c),
            (None, '{') => depth += 1,
            (None, '}') if depth == 0 => return Some(position),
            (None, '}') => depth -= 1,
            _ => {}
        }
    }
    None
}
