//! Which comparisons decided a condition, and on which facts they rest.

use std::collections::HashMap;

use crate::author::explain::record::Trace;
use crate::author::explain::{Subject, say};
use crate::diagnostic::Place;
use crate::expr::tree::{ExprKind, ListMethod};
use crate::facts::model::Type;
use crate::facts::store::Facts;
use crate::facts::value::{ObjectId, Value};
use crate::finding::{Evaluation, Outcome};
use crate::report::explain::{Decision, FactX, ValueX};
use crate::rule::Rule;

/// Most comparisons that one clause is blamed on, and most facts of one operand.
const MOST: usize = 12;

/// Finds what decided.
#[derive(Clone, Copy)]
pub(super) struct Blame<'a, 'r> {
    pub(super) subject: Subject<'a>,
    pub(super) facts: &'a Facts,
    pub(super) evaluation: &'a Evaluation,
    /// Paths of the facts in their files, by place.
    pub(super) paths: &'a HashMap<Place, String>,
    /// The values of `let`: a name leads on to what it stands for.
    pub(super) lets: &'a [Trace<'r>],
}

/// `true`, `false` or `undecided`.
pub(super) fn result(trace: &Trace<'_>) -> &'static str {
    match &trace.value {
        Ok(Value::Bool(true)) => "true",
        Ok(Value::Bool(false)) => "false",
        _ => "undecided",
    }
}

impl<'a, 'r> Blame<'a, 'r> {
    /// The comparisons that decided, each once.
    pub(super) fn decisions(&self, trace: &Trace<'r>) -> Vec<Decision> {
        let mut leaves = Vec::new();
        self.leaves(trace, &mut leaves, 0);
        let mut all: Vec<Decision> = Vec::new();
        for leaf in leaves {
            let decision = self.decision(leaf);
            let is_known = all
                .iter()
                .any(|known| known.text == decision.text && facts_of(known) == facts_of(&decision));
            if !is_known && all.len() < MOST {
                all.push(decision);
            }
        }
        all
    }

    fn leaves<'t>(&self, trace: &'t Trace<'r>, found: &mut Vec<&'t Trace<'r>>, depth: usize)
    where
        'a: 't,
    {
        let same = |part: &&&'t Trace<'r>| result(part) == result(trace);
        let all: Vec<&Trace<'r>> = trace.below.iter().collect();
        let next: Vec<&Trace<'r>> = match &trace.expr.kind {
            // A part that is like the whole made it so: the last one asked, or all of them.
            ExprKind::And(_) | ExprKind::Or(_) => all.iter().filter(same).copied().collect(),
            ExprKind::Not(_) | ExprKind::If(..) => all,
            ExprKind::ListMethod { method: ListMethod::Any | ListMethod::All, .. }
                if all.len() > 1 =>
            {
                all.get(1..).unwrap_or_default().iter().filter(same).copied().collect()
            }
            ExprKind::Variable(slot) if depth < MOST && trace.expr.ty == Type::Bool => {
                self.let_of(*slot).into_iter().collect()
            }
            _ => Vec::new(),
        };
        if next.is_empty() {
            found.push(trace);
        }
        for part in next {
            self.leaves(part, found, depth + 1);
        }
    }

    pub(super) fn let_of(&self, slot: usize) -> Option<&'a Trace<'r>> {
        let lets = &self.subject.rule.lets;
        let position = lets.iter().position(|(known, _)| *known == slot)?;
        self.lets.get(position)
    }

    fn decision(&self, trace: &Trace<'r>) -> Decision {
        let parts = || trace.below.iter().map(|part| self.value(part)).collect();
        let operands = match &trace.expr.kind {
            ExprKind::Compare(..)
            | ExprKind::In(..)
            | ExprKind::IsNull { .. }
            | ExprKind::Host(..)
            | ExprKind::Script(..)
            | ExprKind::Known(_)
            | ExprKind::AnyViolated(..) => parts(),
            ExprKind::ListMethod { .. } => {
                trace.below.first().map(|list| self.value(list)).into_iter().collect()
            }
            _ => vec![self.value(trace)],
        };
        Decision {
            text: self.subject.print(trace.expr),
            result: result(trace),
            operands,
            rules: self.rules(trace),
        }
    }

    /// The rules that `any_violated` goes by.
    fn rules(&self, trace: &Trace<'r>) -> Vec<String> {
        let ExprKind::AnyViolated(tag, _) = &trace.expr.kind else { return Vec::new() };
        let object = trace.below.first().and_then(|object| object.value.as_ref().ok());
        let (Some(Value::Object(id)), "true" | "undecided") = (object, result(trace)) else {
            return Vec::new();
        };
        let wanted = match result(trace) {
            "true" => Outcome::Violated,
            _ => Outcome::Undecided,
        };
        let carries = |rule: &Rule| rule.tags.contains(tag);
        let mut rules: Vec<String> = Vec::new();
        for verdict in self.evaluation.verdicts.iter().filter(|one| one.outcome == wanted) {
            let id_of = self.evaluation.rule(verdict).map(|rule| rule.id.clone());
            let rule = id_of.and_then(|id| self.subject.set.rule(&id).cloned());
            let rule = rule.filter(|rule| carries(rule));
            let concerns = self.is(*id, &verdict.subject)
                || verdict.finding.iter().flat_map(|one| &one.affects).any(|one| self.is(*id, one));
            if let Some(rule) = rule.filter(|_| concerns) {
                rules.push(rule.id.to_string());
            }
        }
        rules.dedup();
        rules
    }

    fn is(&self, id: ObjectId, subject: &crate::finding::Subject) -> bool {
        let kind = self.facts.kind_of(id).map(|kind| &kind.name);
        kind == Some(&subject.kind) && self.facts.key(id) == subject.key
    }

    /// A value with the facts that it comes from.
    pub(super) fn value(&self, trace: &Trace<'r>) -> ValueX {
        let mut facts = Vec::new();
        self.sources(trace, &mut facts, 0);
        ValueX {
            text: self.subject.print(trace.expr),
            value: self.said(trace),
            is_literal: is_literal(trace),
            facts,
        }
    }

    pub(super) fn said(&self, trace: &Trace<'r>) -> Option<String> {
        trace.value.as_ref().ok().map(|value| say(self.facts, value, &trace.expr.ty))
    }

    /// The facts that a value comes from: the one that it is, or those that it is made of.
    fn sources(&self, trace: &Trace<'r>, found: &mut Vec<FactX>, depth: usize) {
        if found.len() >= MOST {
            return;
        }
        if let Some(fact) = self.fact(trace) {
            if !found.contains(&fact) {
                found.push(fact);
            }
            return;
        }
        if let ExprKind::Variable(slot) = &trace.expr.kind
            && let Some(value) = self.let_of(*slot).filter(|_| depth < MOST)
        {
            return self.sources(value, found, depth + 1);
        }
        let is_value = |part: &&Trace<'r>| !matches!(part.value, Ok(Value::Object(_)));
        for part in self.makers(trace).into_iter().filter(is_value) {
            self.sources(part, found, depth + 1);
        }
    }

    /// The parts that a value is made of: of a list that was gone through, what decided.
    fn makers<'t>(&self, trace: &'t Trace<'r>) -> Vec<&'t Trace<'r>>
    where
        'a: 't,
    {
        let all = || trace.below.iter().collect::<Vec<_>>();
        let ExprKind::ListMethod { method, closure: Some(_), .. } = &trace.expr.kind else {
            return all();
        };
        let members = trace.below.get(1..).unwrap_or_default();
        if members.is_empty() {
            return all();
        }
        let mut leaves = Vec::new();
        match method {
            ListMethod::Any | ListMethod::All => self.leaves(trace, &mut leaves, 0),
            ListMethod::Find if matches!(trace.value, Ok(Value::Null)) => {
                leaves.extend(trace.below.first());
            }
            ListMethod::Find | ListMethod::Filter => {
                leaves.extend(members.iter().filter(|part| result(part) == "true"));
            }
            _ => leaves.extend(members),
        }
        leaves
    }

    pub(super) fn fact(&self, trace: &Trace<'r>) -> Option<FactX> {
        if let Some(read) = &trace.fact {
            let place = read.place.map(|place| self.subject.place_of(place));
            // What stands in a file is named by its path there, whatever way led to it.
            let path = read.place.and_then(|place| self.paths.get(&place).cloned());
            return Some(FactX {
                fact: path.or(read.path.clone())?,
                value: self.said(trace),
                place,
            });
        }
        match (&trace.expr.kind, &trace.value) {
            (ExprKind::Variable(_) | ExprKind::Key(_), Ok(Value::Object(id))) => {
                let object = self.facts.object(*id)?;
                let kind = self.facts.kind_of(*id)?;
                Some(FactX {
                    fact: format!("{}[{}]", kind.collection, object.key),
                    value: None,
                    place: Some(self.subject.place_of(object.place)),
                })
            }
            _ => None,
        }
    }
}

fn facts_of(decision: &Decision) -> Vec<&FactX> {
    decision.operands.iter().flat_map(|operand| &operand.facts).collect()
}

/// Whether a value stands in the rule itself.
pub(super) fn is_literal(trace: &Trace<'_>) -> bool {
    match &trace.expr.kind {
        ExprKind::Constant(value) => !matches!(value, Value::List(_)),
        ExprKind::List(_) => trace.below.iter().all(is_literal),
        ExprKind::Host(..) => !trace.below.is_empty() && trace.below.iter().all(is_literal),
        _ => false,
    }
}
