//! Mutants that are the same rule, by proof.
//!
//! Two conditions are the same if they are so for every truth of their parts, with *not known* as a
//! third one; the parts are taken for independent of each other.

use std::collections::HashMap;

use crate::author::clauses::{Clause, clauses};
use crate::expr::syntax::Operator;
use crate::expr::tree::{Expr, ExprKind};
use crate::rule::Rule;

/// Most parts of a condition: 3^8 truths are tried.
const MOST: usize = 8;

/// Why the two rules are one, if that can be shown. They differ in one clause at most.
pub(super) fn proof(rule: &Rule, mutant: &Rule) -> Option<String> {
    let (ours, theirs) = (clauses(rule), clauses(mutant));
    if ours.len() != theirs.len() || rule.root.to_json() == mutant.root.to_json() {
        return None;
    }
    let mut changed =
        ours.iter().zip(&theirs).filter(|(ours, theirs)| ours.text() != theirs.text());
    let (ours, theirs) = changed.next()?;
    (changed.next().is_none() && is_same(ours, theirs))
        .then(|| "the condition is the same for every truth of its parts".to_owned())
}

fn is_same(ours: &Clause<'_>, theirs: &Clause<'_>) -> bool {
    let mut atoms = Atoms::default();
    let (Some(a), Some(b)) = (atoms.read(ours, ours.expr), atoms.read(theirs, theirs.expr)) else {
        return false;
    };
    // A single part says nothing about its inside.
    if atoms.names.len() > MOST || matches!((&a, &b), (Logic::Atom(_), Logic::Atom(_))) {
        return false;
    }
    let count = u32::try_from(atoms.names.len()).unwrap_or(u32::MAX);
    (0..3_usize.pow(count)).all(|number| a.value(number) == b.value(number))
}

/// True, false, or not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    False,
    Unknown,
    True,
}

#[derive(Debug)]
enum Logic {
    Constant(bool),
    Atom(usize),
    Not(Box<Logic>),
    And(Vec<Logic>),
    Or(Vec<Logic>),
}

impl Logic {
    /// The value where the truths of the atoms are the digits of a number to the base of three.
    fn value(&self, number: usize) -> Truth {
        match self {
            Self::Constant(true) => Truth::True,
            Self::Constant(false) => Truth::False,
            Self::Atom(atom) => {
                let power = 3_usize.pow(u32::try_from(*atom).unwrap_or(0));
                [Truth::False, Truth::Unknown, Truth::True]
                    .into_iter()
                    .nth(number / power % 3)
                    .unwrap_or(Truth::Unknown)
            }
            Self::Not(inner) => match inner.value(number) {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            },
            Self::And(parts) => Self::extreme(parts, number, Truth::False),
            Self::Or(parts) => Self::extreme(parts, number, Truth::True),
        }
    }

    fn extreme(parts: &[Self], number: usize, decides: Truth) -> Truth {
        let neutral = if decides == Truth::True { Truth::False } else { Truth::True };
        parts.iter().fold(neutral, |known, part| match (known, part.value(number)) {
            (truth, _) | (_, truth) if truth == decides => truth,
            (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
            _ => neutral,
        })
    }
}

/// Parts by their text.
#[derive(Default)]
struct Atoms {
    names: HashMap<String, usize>,
}

impl Atoms {
    fn atom(&mut self, text: String) -> Logic {
        let next = self.names.len();
        Logic::Atom(*self.names.entry(text).or_insert(next))
    }

    fn read(&mut self, clause: &Clause<'_>, expr: &Expr) -> Option<Logic> {
        let all = |atoms: &mut Self, parts: &[Expr]| -> Option<Vec<Logic>> {
            parts.iter().map(|part| atoms.read(clause, part)).collect()
        };
        let text =
            |part: &Expr| clause.text_of(part).split_whitespace().collect::<Vec<_>>().join(" ");
        Some(match &expr.kind {
            ExprKind::Constant(crate::facts::value::Value::Bool(value)) => Logic::Constant(*value),
            ExprKind::And(parts) => Logic::And(all(self, parts)?),
            ExprKind::Or(parts) => Logic::Or(all(self, parts)?),
            ExprKind::Not(inner) => Logic::Not(Box::new(self.read(clause, inner)?)),
            ExprKind::IsNull { value, negated } => {
                let atom = self.atom(format!("{} is null", text(value)));
                if *negated { Logic::Not(Box::new(atom)) } else { atom }
            }
            ExprKind::Compare(operator, a, b) => {
                // A comparison and its opposite are one part.
                let (sign, is_opposite) = match operator {
                    Operator::NotEqual => ("==", true),
                    Operator::GreaterEqual => ("<", true),
                    Operator::LessEqual => (">", true),
                    other => (other.sign(), false),
                };
                let atom = self.atom(format!("{} {sign} {}", text(a), text(b)));
                if is_opposite { Logic::Not(Box::new(atom)) } else { atom }
            }
            _ => self.atom(text(expr)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Logic, Truth};

    #[test]
    fn a_truth_table_has_three_values() {
        let or = Logic::Or(vec![Logic::Atom(0), Logic::Not(Box::new(Logic::Atom(0)))]);
        let truths: Vec<Truth> = (0..3).map(|number| or.value(number)).collect();
        assert_eq!(truths, [Truth::True, Truth::Unknown, Truth::True]);
        let and = Logic::And(vec![Logic::Atom(0), Logic::Constant(false)]);
        assert!((0..3).all(|number| and.value(number) == Truth::False));
    }
}
