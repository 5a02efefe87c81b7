//! Sources, evidence, steps and texts of a rule.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::author::lint::Linter;
use crate::author::lint::names::id_place;
use crate::author::lint::reads::{Facts, Part, exprs, facts, has};
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{KindId, Type};
use crate::finding::Role;
use crate::rule::Rule;
use crate::source::{Entry, Node, Style, Value};

impl Linter<'_> {
    pub(super) fn form(&mut self, rule: &Arc<Rule>) {
        self.references(rule);
        self.steps(rule);
        self.evidence(rule);
        self.ages(rule);
        self.left_to_do(rule, &rule.root);
        let mut texts = Vec::new();
        plain_texts(&rule.root, &mut texts);
        for node in texts {
            self.cut(rule, node);
        }
    }

    /// Texts of the scaffold that nobody has written yet.
    fn left_to_do(&mut self, rule: &Arc<Rule>, node: &Node) {
        for Entry { key, node, .. } in node.as_map().unwrap_or_default() {
            let is_open = node.as_str().is_some_and(|text| {
                text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "TODO")
            });
            if is_open {
                let message = format!("`{key}` is still to be written");
                self.add(rule, "left-to-do", node.place, message);
            }
            self.left_to_do(rule, node);
        }
        for item in node.as_list().unwrap_or_default() {
            self.left_to_do(rule, item);
        }
    }

    fn references(&mut self, rule: &Arc<Rule>) {
        let nodes = rule.root.get("references").and_then(Node::as_list).unwrap_or_default();
        for node in nodes {
            if let Some(url) = node.get("url").filter(|_| node.get("retrieved").is_none()) {
                let message = "it is not said when this page was read";
                self.push(rule, "reference-without-date", url.place, message.to_owned(), |one| {
                    one.help("add `retrieved: \"YYYY-MM-DD\"`")
                });
            }
        }
        let has_url = nodes.iter().any(|node| node.get("url").is_some());
        if rule.certainty == "documented" && !has_url {
            let place = rule.root.get("references").map_or(id_place(rule), |node| node.place);
            let place = nodes.first().map_or(place, |node| node.place);
            let message = "the rule is `documented`, and none of its references has a `url`";
            self.add(rule, "documented-without-url", place, message);
        }
    }

    fn steps(&mut self, rule: &Arc<Rule>) {
        let nodes = rule.root.get("remediation").and_then(Node::as_list).unwrap_or_default();
        let set = self.set;
        let steps: Vec<_> = rule
            .remediation
            .iter()
            .zip(nodes)
            .filter_map(|(step, node)| Some((set.actions.get(step.action)?, node)))
            .collect();
        for (position, (check, node)) in steps.iter().enumerate() {
            let mut later = steps.iter().skip(position + 1);
            let repair =
                later.find(|(action, _)| action.role != Role::Check && !action.after_check);
            if let Some((repair, other)) = repair.filter(|_| check.role == Role::Check) {
                let message = format!("`{}` checks before `{}` has repaired", check.id, repair.id);
                let place = node.get("action").map_or(node.place, |node| node.place);
                let there = other.get("action").map_or(other.place, |node| node.place);
                self.push(rule, "check-before-fix", place, message, |one| {
                    one.related(there, "this comes after it")
                });
            }
        }
        let protections = || set.packs.iter().filter_map(|pack| pack.protection.as_ref());
        let list = rule.root.get("consequence").and_then(Node::as_list).unwrap_or_default();
        for (consequence, node) in rule.consequence.iter().zip(list) {
            let spoils = protections().any(|known| {
                path(&known.state).1 == path(&consequence.set).1
                    && path(&consequence.set).0 == Some(known.kind)
            });
            let checks = steps.iter().any(|(action, _)| action.role == Role::Check);
            if let Some(set) = node.get("set").filter(|_| spoils && !checks) {
                let message = "no step of the remediation checks what this spoils";
                self.add(rule, "consequence-without-check", set.place, message);
            }
        }
    }

    fn evidence(&mut self, rule: &Arc<Rule>) {
        let (mut read, mut shown): (Facts, Facts) = (Facts::new(), Facts::new());
        for (part, expr) in exprs(rule) {
            match part {
                Part::Evidence => facts(expr, rule, self.model, &mut shown),
                Part::Select(_) | Part::Require | Part::Violated => {
                    // What a function of the pack reads, or another rule, is not seen here.
                    if has(expr, &is_opaque) || through_let(expr, rule) {
                        return;
                    }
                    facts(expr, rule, self.model, &mut read);
                }
                _ => {}
            }
        }
        let list = rule.root.get("finding").and_then(|finding| finding.get("evidence"));
        if let Some(node) = list.filter(|_| !read.is_empty() && read.is_disjoint(&shown)) {
            let message = "no fact that the conditions read is among the evidence";
            let place = node.as_list().and_then(<[_]>::first).map_or(node.place, |node| node.place);
            self.add(rule, "evidence-beside-the-point", place, message);
        }
    }

    fn ages(&mut self, rule: &Arc<Rule>) {
        let all = exprs(rule);
        let mut kinds = BTreeSet::new();
        for (_, expr) in &all {
            if has(expr, &is_opaque) {
                return;
            }
            read_kinds(expr, &mut kinds);
        }
        let entries = rule.root.get("max_age").and_then(Node::as_map).unwrap_or_default();
        for Entry { key, key_place, .. } in entries {
            let kind = self.model.kind_named(key);
            if kind.is_some_and(|kind| !kinds.contains(&kind.id)) {
                let message = format!("the rule reads no fact of a `{key}`");
                self.add(rule, "max-age-unread", *key_place, message);
            }
        }
    }

    /// A text without quotes that a comment follows with a single blank between.
    fn cut(&mut self, rule: &Arc<Rule>, node: &Node) {
        let Some(source) = self.sources.get(node.place.file) else { return };
        let behind = source.text().get(node.place.end as usize..).unwrap_or_default();
        let line = behind.lines().next().unwrap_or_default();
        if line.starts_with(" #") {
            let length = u32::try_from(line.trim_end().len()).unwrap_or(u32::MAX);
            let (start, end) = (node.place.end + 1, node.place.end.saturating_add(length));
            let place = crate::diagnostic::Place { start, end, ..node.place };
            let message = "this is a comment, and no part of the text before it";
            self.push(rule, "comment-cuts-text", place, message.to_owned(), |one| {
                one.help("quote the text, or put two blanks before a comment")
            });
        }
    }
}

fn is_opaque(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Script(..) | ExprKind::AnyViolated(..))
}

/// Whether a name in it stands for something opaque.
fn through_let(expr: &Expr, rule: &Rule) -> bool {
    has(expr, &|part| {
        let ExprKind::Variable(slot) = &part.kind else { return false };
        let value = rule.lets.iter().find(|(known, _)| known == slot);
        value.is_some_and(|(_, value)| has(value, &is_opaque) || through_let(value, rule))
    })
}

/// The kind of the object that a path starts from, and the names behind it.
fn path(expr: &Expr) -> (Option<KindId>, Vec<&str>) {
    let ExprKind::Field { base, name, .. } = &expr.kind else { return (None, Vec::new()) };
    if let Type::Object(kinds) = base.ty.required() {
        return (kinds.first().copied(), vec![name]);
    }
    let (kind, mut names) = path(base);
    names.push(name);
    (kind, names)
}

/// Kinds of all objects that an expression comes by.
fn read_kinds(expr: &Expr, found: &mut BTreeSet<KindId>) {
    let mut ty = &expr.ty;
    while let Type::List(inner) | Type::Optional(inner) = ty {
        ty = inner;
    }
    if let Type::Object(kinds) = ty {
        found.extend(kinds.iter().copied());
    }
    expr.each_child(&mut |child| read_kinds(child, found));
}

/// Words, in which a comment is none the worse for standing near.
const WORDS: [&str; 13] = [
    "schema",
    "id",
    "severity",
    "certainty",
    "cause",
    "type",
    "action",
    "see",
    "outcome",
    "url",
    "retrieved",
    "each",
    "one",
];

fn plain_texts<'n>(node: &'n Node, found: &mut Vec<&'n Node>) {
    for Entry { key, node, .. } in node.as_map().unwrap_or_default() {
        let is_word = WORDS.contains(&&**key);
        if !is_word && matches!(node.value, Value::Text(_, Style::Plain)) {
            found.push(node);
        }
        if !["params", "metadata", "lint"].contains(&&**key) {
            plain_texts(node, found);
        }
    }
    for item in node.as_list().unwrap_or_default() {
        plain_texts(item, found);
    }
}
