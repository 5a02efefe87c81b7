//! Rules and parts of rules that cannot be true, or cannot be false.

use std::sync::Arc;

use crate::author::clauses::{Clause, Role, clauses, exits};
use crate::author::lint::Linter;
use crate::author::lint::logic::{Logic, Wanted};
use crate::author::lint::reads::{constant, key};
use crate::expr::tree::{Expr, ExprKind};
use crate::finding::Outcome;
use crate::rule::{Binding, Rule};

impl Linter<'_> {
    pub(super) fn truth(&mut self, rule: &Arc<Rule>) {
        let clauses = clauses(rule);
        for clause in &clauses {
            self.same_sides(rule, clause, clause.expr);
        }
        let conditions: Vec<&Clause<'_>> = clauses
            .iter()
            .filter(|one| matches!(one.role, Role::Filter | Role::Require | Role::Violated))
            .collect();
        let mut logic = Logic::new(rule);
        let all: Vec<Wanted<'_>> = conditions.iter().map(|one| (one.expr, true)).collect();
        if logic.is_impossible(&all) {
            if !is_violated_elsewhere(rule, &conditions, &mut logic) {
                self.never_violated(rule, &conditions, &mut logic);
            }
            return;
        }
        self.always_violated(rule, &conditions, &mut logic);
        for (position, clause) in conditions.iter().enumerate() {
            let before = all.get(..position).unwrap_or_default();
            let is_guard = clause.role != Role::Violated;
            if is_guard && logic.is_impossible(&[before, &[(clause.expr, false)]].concat()) {
                let message = format!("`{}` cannot be false when it is asked", clause.path);
                self.add(rule, "redundant-clause", clause.node.place, message);
            }
            self.dead_parts(rule, clause, clause.expr, before, &mut logic);
        }
    }

    /// Says which clauses contradict each other: no more than are needed for it.
    fn never_violated(&mut self, rule: &Arc<Rule>, all: &[&Clause<'_>], logic: &mut Logic<'_>) {
        let mut needed: Vec<&Clause<'_>> = all.to_vec();
        let mut position = 0;
        while position < needed.len() {
            let mut fewer = needed.clone();
            fewer.remove(position);
            let wanted: Vec<Wanted<'_>> = fewer.iter().map(|one| (one.expr, true)).collect();
            if logic.is_impossible(&wanted) {
                needed = fewer;
            } else {
                position += 1;
            }
        }
        let Some((last, others)) = needed.split_last() else { return };
        let message = if others.is_empty() {
            format!("`{}` can never be true, and so the rule is never violated", last.path)
        } else {
            "these clauses cannot all be true, and so the rule is never violated".to_owned()
        };
        let place = last.node.place;
        self.push(rule, "never-violated", place, message, |mut one| {
            for other in others {
                one = one.related(other.node.place, "while this is");
            }
            one
        });
    }

    fn always_violated(&mut self, rule: &Arc<Rule>, all: &[&Clause<'_>], logic: &mut Logic<'_>) {
        let can_miss = rule.select.iter().any(|binding| matches!(binding, Binding::One { .. }));
        let mut before: Vec<Wanted<'_>> = Vec::new();
        for clause in all {
            let mut wanted = before.clone();
            wanted.push((clause.expr, false));
            if can_miss || clause.role == Role::Filter || !logic.is_impossible(&wanted) {
                return;
            }
            before.push((clause.expr, true));
        }
        if let Some(last) = all.last() {
            let message = "the rule is violated by whatever it looks at";
            self.add(rule, "always-violated", last.node.place, message);
        }
    }

    /// Sides of an `||` that nothing makes true; `before` holds, and what stands beside it in an `&&`.
    fn dead_parts<'r>(
        &mut self,
        rule: &Arc<Rule>,
        clause: &Clause<'r>,
        expr: &'r Expr,
        before: &[Wanted<'r>],
        logic: &mut Logic<'_>,
    ) {
        match &expr.kind {
            ExprKind::And(parts) => {
                for (position, part) in parts.iter().enumerate() {
                    let others = parts.iter().enumerate().filter(|(other, _)| *other != position);
                    let mut around = before.to_vec();
                    around.extend(others.map(|(_, other)| (other, true)));
                    if matches!(part.kind, ExprKind::Or(_)) {
                        self.dead_parts(rule, clause, part, &around, logic);
                    }
                }
            }
            ExprKind::Or(parts) => {
                for part in parts {
                    let mut wanted = before.to_vec();
                    wanted.push((part, true));
                    if logic.is_impossible(&wanted) {
                        let text = clause.text_of(part);
                        let place = clause.place_of(part, self.sources);
                        let message = format!("`{}` can never be true here", one_line(&text));
                        self.add(rule, "dead-part", place, message);
                    }
                }
            }
            _ => {}
        }
    }

    fn same_sides(&mut self, rule: &Arc<Rule>, clause: &Clause<'_>, expr: &Expr) {
        match &expr.kind {
            ExprKind::Compare(operator, a, b)
                if constant(a, rule).is_none() && key(a, rule) == key(b, rule) =>
            {
                let message = format!("both sides of `{}` are the same", operator.sign());
                let place = clause.place_of(expr, self.sources);
                self.add(rule, "same-sides", place, message);
            }
            ExprKind::And(parts) | ExprKind::Or(parts) => {
                for (position, part) in parts.iter().enumerate() {
                    let own = key(part, rule);
                    let before = parts.iter().take(position);
                    if before.clone().any(|other| key(other, rule) == own) {
                        let place = clause.place_of(part, self.sources);
                        let message =
                            format!("`{}` stands here twice", one_line(&clause.text_of(part)));
                        self.add(rule, "same-sides", place, message);
                    }
                }
            }
            _ => {}
        }
        expr.each_child(&mut |child| self.same_sides(rule, clause, child));
    }
}

/// Whether an `else` or `if_none` says `violated`, and can be come to.
fn is_violated_elsewhere(rule: &Rule, all: &[&Clause<'_>], logic: &mut Logic<'_>) -> bool {
    let says = |path: &str| {
        let exits = exits(rule);
        exits.iter().any(|exit| exit.path == path && exit.otherwise.outcome == Outcome::Violated)
    };
    if rule.select.iter().any(
        |binding| matches!(binding, Binding::One { if_none, .. } if if_none.outcome == Outcome::Violated),
    ) {
        return true;
    }
    let mut before: Vec<Wanted<'_>> = Vec::new();
    for clause in all {
        let path = clause.path.replace(".that", ".else");
        let mut wanted = before.clone();
        wanted.push((clause.expr, false));
        if clause.role == Role::Require && says(&path) && !logic.is_impossible(&wanted) {
            return true;
        }
        before.push((clause.expr, true));
    }
    false
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
