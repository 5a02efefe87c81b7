//! The clauses of a rule: what it asks, in the order in which it asks, each with its place in the file.

use crate::diagnostic::Place;
use crate::expr::tree::Expr;
use crate::rule::{Binding, Otherwise, Rule};
use crate::source::{Node, Sources};

/// A clause of a rule.
#[derive(Clone, Debug)]
pub struct Clause<'r> {
    /// Where it stands in the rule, as a path: `select[1].where`.
    pub path: String,
    /// What it is for.
    pub role: Role,
    /// Its text.
    pub node: &'r Node,
    /// The expression.
    pub expr: &'r Expr,
}

/// What a clause is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A list of candidates: `in`, `from`.
    Candidates,
    /// A condition on a candidate: `where`.
    Filter,
    /// A value with a name.
    Let,
    /// A condition for the rule to apply.
    Require,
    /// The condition that something is wrong.
    Violated,
}

/// What a rule says where it goes no further: `if_none`, `else`.
#[derive(Clone, Debug)]
pub struct Exit<'r> {
    /// Where it stands in the rule: `require[0].else`.
    pub path: String,
    /// Its mapping in the file.
    pub node: &'r Node,
    /// What it says.
    pub otherwise: &'r Otherwise,
}

impl Clause<'_> {
    /// The text of the clause.
    #[must_use]
    pub fn text(&self) -> String {
        self.node.as_str().map_or_else(|| self.node.to_json().to_string(), str::to_owned)
    }

    /// The text of a part of it.
    #[must_use]
    pub fn text_of(&self, part: &Expr) -> String {
        crate::expr::span::text_of(part, &self.text())
    }

    /// Where a part of it stands in the file.
    #[must_use]
    pub fn place_of(&self, part: &Expr, sources: &Sources) -> Place {
        sources.inside(self.node, crate::expr::span::whole(part, &self.text()))
    }
}

/// The clauses of a rule, in the order in which they are asked.
#[must_use]
pub fn clauses(rule: &Rule) -> Vec<Clause<'_>> {
    let mut all = Vec::new();
    let list = |key: &str| rule.root.get(key).and_then(Node::as_list).unwrap_or_default();
    for (position, (binding, node)) in rule.select.iter().zip(list("select")).enumerate() {
        let (key, candidates, filter) = match binding {
            Binding::Each { list, filter, .. } => ("in", list, filter),
            Binding::One { from, filter, .. } => ("from", from, filter),
        };
        let mut push = |key: &str, role, expr| {
            if let Some(node) = node.get(key) {
                all.push(Clause { path: format!("select[{position}].{key}"), role, node, expr });
            }
        };
        push(key, Role::Candidates, candidates);
        if let Some(filter) = filter {
            push("where", Role::Filter, filter);
        }
    }
    for (position, ((_, expr), node)) in rule.lets.iter().zip(list("let")).enumerate() {
        if let Some(entry) = node.as_map().and_then(<[_]>::first) {
            let path = format!("let[{position}].{}", entry.key);
            all.push(Clause { path, role: Role::Let, node: &entry.node, expr });
        }
    }
    for (position, ((expr, _), node)) in rule.require.iter().zip(list("require")).enumerate() {
        if let Some(node) = node.get("that") {
            let path = format!("require[{position}].that");
            all.push(Clause { path, role: Role::Require, node, expr });
        }
    }
    if let Some(node) = rule.root.get("violated") {
        let (path, expr) = ("violated".to_owned(), &rule.violated);
        all.push(Clause { path, role: Role::Violated, node, expr });
    }
    all
}

/// What the rule says where it goes no further, in the order in which it comes to it.
#[must_use]
pub fn exits(rule: &Rule) -> Vec<Exit<'_>> {
    let mut all = Vec::new();
    let list = |key: &str| rule.root.get(key).and_then(Node::as_list).unwrap_or_default();
    for (position, (binding, node)) in rule.select.iter().zip(list("select")).enumerate() {
        if let (Binding::One { if_none, .. }, Some(node)) = (binding, node.get("if_none")) {
            all.push(Exit {
                path: format!("select[{position}].if_none"),
                node,
                otherwise: if_none,
            });
        }
    }
    for (position, ((_, otherwise), node)) in rule.require.iter().zip(list("require")).enumerate() {
        if let Some(node) = node.get("else") {
            all.push(Exit { path: format!("require[{position}].else"), node, otherwise });
        }
    }
    all
}
