//! Which clause decided a verdict, and the values that it saw.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::author::clauses::{Clause, clauses};
use crate::diagnostic::Place;
use crate::eval::Observer;
use crate::expr::eval::{Outcome as Value3, Watch};
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::store::Facts;
use crate::finding::Verdict;
use crate::rule::Rule;

/// The clause behind a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Where the clause stands in its rule: `require[0].that`.
    pub clause: String,
    /// Where it stands in the file.
    pub place: Place,
    /// Its text.
    pub text: String,
    /// What it was: `true`, `false`, `undecided`, or another value.
    pub value: String,
    /// What it looked at: texts and values.
    pub operands: Vec<(String, String)>,
}

/// Most values kept of one clause: a loop over thousands of members is told by its last ones.
const MOST: usize = 10_000;

type Address = *const Expr;

/// A clause with the values that were seen in it.
type Asked = (Address, Vec<(Address, Value3)>);

/// Watches rules being judged; for each verdict it keeps the last clause that was asked before it.
#[derive(Default)]
pub struct Deciders<'r> {
    rules: HashMap<String, Vec<Clause<'r>>>,
    /// Clauses by the address of their expression.
    roots: HashMap<Address, (String, usize)>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    rule: String,
    log: Vec<(Address, Value3)>,
    is_closed: bool,
    last: Option<Asked>,
    /// Rule, subject, outcome, and the clause asked last.
    decided: Vec<(String, String, &'static str, Option<Asked>)>,
}

impl<'r> Deciders<'r> {
    /// For these rules.
    pub fn new(rules: impl IntoIterator<Item = &'r Rule>) -> Self {
        let mut all = Self::default();
        for rule in rules {
            let clauses = clauses(rule);
            for (position, clause) in clauses.iter().enumerate() {
                all.roots.insert(clause.expr, (rule.id.to_string(), position));
            }
            all.rules.insert(rule.id.to_string(), clauses);
        }
        all
    }

    /// What decided the first verdict of a rule about a subject with an outcome.
    #[must_use]
    pub fn decision(
        &self,
        rule: &str,
        subject: &str,
        outcome: &str,
        facts: &Facts,
    ) -> Option<Decision> {
        let state = self.state.borrow();
        let found = state
            .decided
            .iter()
            .find(|(known, key, name, _)| known == rule && key == subject && *name == outcome);
        let (root, log) = found?.3.as_ref()?;
        let (rule, position) = self.roots.get(root)?;
        let clause = self.rules.get(rule)?.get(*position)?;
        let value_of = |expr: &Expr| {
            let address: Address = expr;
            log.iter().rev().find(|(known, _)| *known == address).map(|(_, value)| value)
        };
        let mut parts = Vec::new();
        operands(clause.expr, &mut parts);
        let mut said: Vec<(String, String)> = Vec::new();
        for part in parts {
            if let Some(value) = value_of(part) {
                let one = (clause.text_of(part), say(value, facts));
                if !said.contains(&one) {
                    said.push(one);
                }
            }
        }
        let value = value_of(clause.expr).map(|value| say(value, facts)).unwrap_or_default();
        let place = clause.node.place;
        Some(Decision {
            clause: clause.path.clone(),
            place,
            text: clause.text(),
            value,
            operands: said,
        })
    }
}

/// A value in words; what is not known is `undecided`, with the fact.
pub(super) fn say(value: &Value3, facts: &Facts) -> String {
    match value {
        Ok(value) => facts.say(value),
        Err(unknown) => {
            let facts: Vec<&str> = unknown.reasons.iter().map(|reason| &*reason.what).collect();
            format!("undecided ({})", facts.join(", "))
        }
    }
}

/// What the atoms of a condition look at.
fn operands<'e>(expr: &'e Expr, found: &mut Vec<&'e Expr>) {
    let mut add = |part: &'e Expr| {
        if !matches!(part.kind, ExprKind::Constant(_)) {
            found.push(part);
        }
    };
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            for part in parts {
                operands(part, found);
            }
        }
        ExprKind::Not(inner) => operands(inner, found),
        ExprKind::If(a, b, c) => {
            for part in [a, b, c] {
                operands(part, found);
            }
        }
        ExprKind::Compare(_, a, b) | ExprKind::In(a, b) => {
            add(a);
            add(b);
        }
        ExprKind::IsNull { value, .. } | ExprKind::Known(value) => add(value),
        ExprKind::Host(_, args) | ExprKind::Script(_, args) => args.iter().for_each(add),
        ExprKind::ListMethod { list, .. } => {
            add(list);
            add(expr);
        }
        _ => add(expr),
    }
}

impl Watch for Deciders<'_> {
    fn value(&self, expr: &Expr, value: &Value3) {
        let mut state = self.state.borrow_mut();
        if state.is_closed {
            state.log.clear();
            state.is_closed = false;
        }
        if state.log.len() < MOST {
            state.log.push((expr, value.clone()));
        }
        let address: Address = expr;
        if self.roots.contains_key(&address) {
            let log = std::mem::take(&mut state.log);
            state.last = Some((address, log));
            state.is_closed = true;
        }
    }
}

impl Observer for Deciders<'_> {
    fn rule(&self, rule: &Rule) {
        let mut state = self.state.borrow_mut();
        state.rule = rule.id.to_string();
        state.last = None;
        state.log.clear();
    }

    fn verdict(&self, verdict: &Verdict) {
        let mut state = self.state.borrow_mut();
        let (rule, last) = (state.rule.clone(), state.last.clone());
        let subject = verdict.subject.key.to_string();
        state.decided.push((rule, subject, verdict.outcome.name(), last));
    }
}
