//! Names that nobody uses, and messages that name the wrong thing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::author::lint::Linter;
use crate::author::lint::fix::Fix;
use crate::author::lint::reads::{Part, exprs, has, names, roots};
use crate::diagnostic::Place;
use crate::expr::template;
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::Type;
use crate::rule::{Binding, Rule};
use crate::source::{Entry, Node};

impl Linter<'_> {
    pub(super) fn names(&mut self, rule: &Arc<Rule>) {
        let exprs = exprs(rule);
        self.unused_lets(rule, &exprs);
        self.unused_params(rule, &exprs);
        self.unread_select(rule, &exprs);
        self.message(rule, &exprs);
        self.dollars(rule);
    }

    fn unused_lets(&mut self, rule: &Arc<Rule>, exprs: &[(Part, &Expr)]) {
        let mut used = BTreeSet::new();
        for (_, expr) in exprs.iter().filter(|(part, _)| !matches!(part, Part::Let(_))) {
            names(expr, &mut used);
        }
        // A value that only unused ones need is unused; later ones use earlier ones.
        for (slot, expr) in rule.lets.iter().rev() {
            if used.contains(slot) {
                names(expr, &mut used);
            }
        }
        let nodes = rule.root.get("let").and_then(Node::as_list).unwrap_or_default();
        for (position, ((slot, _), node)) in rule.lets.iter().zip(nodes).enumerate() {
            let entry = node.as_map().and_then(<[_]>::first);
            if let Some(entry) = entry.filter(|_| !used.contains(slot)) {
                let message = format!("nothing uses `{}`", entry.key);
                self.add(rule, "unused-let", entry.key_place, message);
                self.with_fix("unused-let", Fix::Let(position));
            }
        }
    }

    fn unused_params(&mut self, rule: &Arc<Rule>, exprs: &[(Part, &Expr)]) {
        let entries = rule.root.get("params").and_then(Node::as_map).unwrap_or_default();
        for entry in entries {
            let reads = |expr: &Expr| {
                matches!(&expr.kind, ExprKind::Field { base, name, .. }
                    if *name == entry.key && matches!(base.kind, ExprKind::Variable(0)))
            };
            if !exprs.iter().any(|(_, expr)| has(expr, &reads)) {
                let message = format!("nothing reads `params.{}`", entry.key);
                self.add(rule, "unused-param", entry.key_place, message);
                self.with_fix("unused-param", Fix::Param(entry.key.to_string()));
            }
        }
    }

    fn unread_select(&mut self, rule: &Arc<Rule>, exprs: &[(Part, &Expr)]) {
        let mut used = BTreeSet::from([rule.finding.subject]);
        for (_, expr) in exprs {
            names(expr, &mut used);
        }
        let nodes = rule.root.get("select").and_then(Node::as_list).unwrap_or_default();
        for (binding, node) in rule.select.iter().zip(nodes) {
            let (Binding::Each { slot, .. } | Binding::One { slot, .. }) = binding;
            let name = node.get("each").or_else(|| node.get("one"));
            if let Some(name) = name.filter(|_| !used.contains(slot)) {
                let said = name.as_str().unwrap_or_default();
                self.add(rule, "unread-select", name.place, format!("nothing looks at `{said}`"));
            }
        }
    }

    fn message(&mut self, rule: &Arc<Rule>, exprs: &[(Part, &Expr)]) {
        let roots = roots(rule);
        let behind = |parts: &[Part]| -> BTreeSet<usize> {
            let mut direct = BTreeSet::new();
            let wanted = exprs.iter().filter(|(part, _)| parts.contains(part));
            for (_, expr) in wanted {
                names(expr, &mut direct);
            }
            direct.iter().filter_map(|name| roots.get(name)).flatten().copied().collect()
        };
        let subject = rule.finding.subject;
        let of_subject = roots.get(&subject).cloned().unwrap_or_default();
        let named = behind(&[Part::Message]);
        // A number alone does not tell of which object it is.
        let mut told = BTreeSet::new();
        for (_, expr) in exprs.iter().filter(|(part, _)| *part == Part::Message) {
            if tells(&expr.ty) {
                names(expr, &mut told);
            }
        }
        let told: BTreeSet<usize> =
            told.iter().filter_map(|name| roots.get(name)).flatten().copied().collect();
        let Some(node) = rule.root.get("finding").and_then(|finding| finding.get("message")) else {
            return;
        };
        let name = rule.name_of(subject).map(ToString::to_string).unwrap_or_default();
        if told.is_disjoint(&of_subject) {
            let message =
                format!("the message names neither `{name}` nor anything that leads to it");
            self.push(rule, "message-without-subject", node.place, message, |one| {
                one.help(format!("name it: `${{{name}.name}}`, or `${{{name}}}` for its key"))
            });
        }
        let mut known = behind(&[
            Part::Violated,
            Part::Require,
            Part::Evidence,
            Part::Fingerprint,
            Part::Affects,
        ]);
        known.extend(&of_subject);
        for binding in &rule.select {
            let (Binding::Each { slot, .. } | Binding::One { slot, .. }) = binding;
            let leads = roots.get(slot).is_some_and(|behind| !behind.is_disjoint(&of_subject));
            if named.contains(slot) && !known.contains(slot) && !leads {
                let stranger = rule.name_of(*slot).map(ToString::to_string).unwrap_or_default();
                let message = format!(
                    "the message names `{stranger}`, which nothing else of the finding does"
                );
                self.add(rule, "message-names-stranger", node.place, message);
            }
        }
    }

    /// `{name}` without `$`.
    fn dollars(&mut self, rule: &Arc<Rule>) {
        let mut texts = Vec::new();
        messages(&rule.root, &mut texts);
        for node in texts {
            let chars: Vec<char> = node.as_str().unwrap_or_default().chars().collect();
            let mut position = 0;
            while let Some(c) = chars.get(position) {
                let is_value = *c == '$' && chars.get(position + 1) == Some(&'{');
                if is_value {
                    position = template::closing(&chars, position + 2).unwrap_or(chars.len()) + 1;
                    continue;
                }
                position += 1;
                if *c != '{' {
                    continue;
                }
                let rest = chars.get(position..).unwrap_or_default();
                let is_path = |c: &&char| c.is_ascii_alphanumeric() || **c == '_' || **c == '.';
                let path: String = rest.iter().take_while(is_path).collect();
                let length = path.chars().count();
                let first = path.split('.').next().unwrap_or_default();
                let is_bound = rule.names.iter().any(|(name, _)| &**name == first);
                if is_bound && rest.get(length) == Some(&'}') {
                    let place = self.sources.inside(node, position - 1..position + length + 1);
                    let message = format!("`{{{path}}}` is printed as it stands");
                    self.push(rule, "missing-dollar", place, message, |one| {
                        one.help(format!("write `${{{path}}}` for its value"))
                    });
                }
            }
        }
    }

    /// Tags that look like a slip of another.
    pub(super) fn tags(&mut self, rules: &[Arc<Rule>]) {
        let mut carriers: BTreeMap<&str, usize> = BTreeMap::new();
        let set = self.set;
        for tag in set.rules.iter().flat_map(|rule| &rule.tags) {
            *carriers.entry(tag).or_default() += 1;
        }
        for rule in rules {
            let tags = rule.root.get("tags").and_then(Node::as_list).unwrap_or_default();
            for node in tags {
                let tag = node.as_str().unwrap_or_default();
                let common =
                    || carriers.iter().filter(|(_, count)| **count > 1).map(|(tag, _)| *tag);
                if carriers.get(tag) == Some(&1)
                    && let Some(near) = crate::diagnostic::nearest(tag, common())
                {
                    let message = format!("only this rule has the tag `{tag}`");
                    self.push(rule, "lone-tag", node.place, message, |one| {
                        one.help(format!("did you mean `{near}`?"))
                    });
                }
            }
        }
    }
}

/// The texts with `${...}` in them.
fn messages<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
    for Entry { key, node, .. } in node.as_map().unwrap_or_default() {
        if ["message", "because", "do"].contains(&&**key) && node.as_str().is_some() {
            found.push(node);
        }
        messages(node, found);
    }
    for item in node.as_list().unwrap_or_default() {
        messages(item, found);
    }
}

/// Where a rule is named.
pub(super) fn id_place(rule: &Rule) -> Place {
    rule.root.get("id").map_or(rule.root.place, |node| node.place)
}

/// Whether a value of that type can tell which object is meant.
fn tells(ty: &Type) -> bool {
    match ty.required() {
        Type::Object(_) | Type::Name | Type::Text | Type::Path => true,
        Type::List(item) => tells(item),
        _ => false,
    }
}
