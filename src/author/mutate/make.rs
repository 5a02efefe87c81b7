//! The mutants of a rule.

use std::sync::Arc;

use crate::author::clauses::{Clause, Role, clauses, exits};
use crate::author::mutate::Mutant;
use crate::author::mutate::lexer::{Kind, Token, tokens};
use crate::diagnostic::Place;
use crate::rule::Rule;
use crate::source::{Entry, Node, Sources, Style, Value};

/// A step into the tree of a rule.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// All mutants, in the order of the rule's clauses.
pub(super) fn mutants(rule: &Rule, sources: &Sources) -> Vec<Mutant> {
    let mut maker = Maker { root: &rule.root, sources, mutants: Vec::new() };
    for clause in clauses(rule) {
        maker.clause(&clause);
    }
    for exit in exits(rule) {
        maker.outcome(&exit.path, exit.node);
    }
    maker.params();
    maker.consequences();
    maker.steps("remediation");
    maker.steps("withholds");
    maker.mutants
}

struct Maker<'a> {
    root: &'a Node,
    sources: &'a Sources,
    mutants: Vec<Mutant>,
}

impl Maker<'_> {
    fn push(&mut self, id: String, place: Place, change: [String; 2], wanted: String, root: Node) {
        let [before, after] = change.map(|text| one_line(&text));
        let root = Arc::new(root);
        self.mutants.push(Mutant { id, place, before, after, wanted, root });
    }

    fn clause(&mut self, clause: &Clause<'_>) {
        match clause.role {
            Role::Filter => self.drop_clause(clause, "where"),
            Role::Require => self.drop_clause(clause, "require"),
            Role::Violated => self.negate(clause),
            Role::Candidates | Role::Let => {}
        }
        self.tokens(&clause.path, clause.node, &clause.text());
    }

    /// Without the condition at all.
    fn drop_clause(&mut self, clause: &Clause<'_>, what: &str) {
        let text = clause.text();
        let path = steps_of(&clause.path);
        let (target, wanted) = match what {
            "where" => (
                path.clone(),
                "a candidate for which `where` is false, and that would change a verdict if it were taken",
            ),
            _ => (
                path.get(..2).unwrap_or_default().to_vec(),
                "facts for which this `require` is not true, and whose verdict hangs on nothing else",
            ),
        };
        if let Some(root) = without(self.root, &target) {
            let id = format!("{}/drop", clause.path);
            let before = format!("{what}: {text}");
            self.push(
                id,
                clause.node.place,
                [before, "(nothing)".to_owned()],
                wanted.to_owned(),
                root,
            );
        }
    }

    fn negate(&mut self, clause: &Clause<'_>) {
        let text = clause.text();
        let after = format!("!({text})");
        if let Some(root) = with_text(self.root, &steps_of(&clause.path), &after) {
            let wanted = "facts for which the condition is true or false".to_owned();
            let change = [text, after];
            self.push(format!("{}/negate", clause.path), clause.node.place, change, wanted, root);
        }
    }

    /// Slips of one token: signs, numbers, `any` and `all`.
    fn tokens(&mut self, path: &str, node: &Node, text: &str) {
        let all = tokens(text);
        let mut seen: Vec<&str> = Vec::new();
        for (position, token) in all.iter().enumerate() {
            let before = position.checked_sub(1).and_then(|before| all.get(before));
            let beside = [before, all.get(position + 1)];
            for (name, new) in changes(token, beside, text) {
                seen.push(name);
                let count = seen.iter().filter(|known| **known == name).count();
                let number = if count > 1 { format!("#{count}") } else { String::new() };
                let changed = replaced(text, token, &new);
                let Some(root) = with_text(self.root, &steps_of(path), &changed) else { continue };
                let place = self.sources.inside(node, token.at.clone());
                let change = [around(text, token, &token.text), around(text, token, &new)];
                let wanted = wanted(name, &token.text);
                self.push(format!("{path}/{name}{number}"), place, change, wanted, root);
            }
        }
    }

    /// Another outcome where the rule goes no further.
    fn outcome(&mut self, path: &str, node: &Node) {
        let Some(outcome) = node.get("outcome") else { return };
        let other = match outcome.as_str() {
            Some("violated" | "not_applicable") => "satisfied",
            Some("satisfied" | "undecided") => "not_applicable",
            _ => return,
        };
        let mut steps = steps_of(path);
        steps.push(Step::Key("outcome"));
        if let Some(root) = with_text(self.root, &steps, other) {
            let before = format!("outcome: {}", outcome.as_str().unwrap_or_default());
            let change = [before, format!("outcome: {other}")];
            let wanted = "facts that come to this exit".to_owned();
            self.push(format!("{path}/outcome"), outcome.place, change, wanted, root);
        }
    }

    /// Other defaults of parameters that are numbers.
    fn params(&mut self) {
        let params = self.root.get("params").and_then(Node::as_map).unwrap_or_default();
        for Entry { key, node, .. } in params {
            let Some(default) = node.get("default") else { continue };
            for (name, by) in [("up", 1), ("down", -1)] {
                let value = match default.value {
                    Value::Int(number) => number.checked_add(by).map(Value::Int),
                    #[expect(clippy::cast_precision_loss, reason = "it is one or minus one")]
                    Value::Float(number) => Some(Value::Float(number + by as f64)),
                    _ => None,
                };
                let steps = [Step::Key("params"), Step::Key(key), Step::Key("default")];
                let Some(value) = value else { continue };
                let Some(root) = with_value(self.root, &steps, value) else { continue };
                let say = |root: &Node| {
                    let node = at(root, &steps);
                    let value = node.map(|node| node.to_json().to_string()).unwrap_or_default();
                    format!("{key}: {value}")
                };
                let change = [say(self.root), say(&root)];
                let wanted = "facts just at the limit that the default sets".to_owned();
                self.push(format!("params.{key}/{name}"), default.place, change, wanted, root);
            }
        }
    }

    fn consequences(&mut self) {
        let list = self.root.get("consequence").and_then(Node::as_list).unwrap_or_default();
        for (position, node) in list.iter().enumerate() {
            let steps = [Step::Key("consequence"), Step::Item(position)];
            if let Some(root) = without(self.root, &steps) {
                let set = node.get("set").and_then(Node::as_str).unwrap_or_default();
                let change = [format!("set: {set}"), "(nothing)".to_owned()];
                let wanted = "facts for which the rule is violated".to_owned();
                let id = format!("consequence[{position}]/drop");
                self.push(id, node.place, change, wanted, root);
            }
        }
    }

    /// Steps left out, in another order, or without their conditions.
    fn steps(&mut self, list: &'static str) {
        let steps = self.root.get(list).and_then(Node::as_list).unwrap_or_default();
        for (position, node) in steps.iter().enumerate() {
            let here = [Step::Key(list), Step::Item(position)];
            let action = node.get("action").and_then(Node::as_str).unwrap_or_default();
            let path = format!("{list}[{position}]");
            if let Some(root) = without(self.root, &here) {
                let change = [format!("action: {action}"), "(nothing)".to_owned()];
                let wanted = "a finding that asks for this step".to_owned();
                self.push(format!("{path}/drop"), node.place, change, wanted, root);
            }
            if list == "remediation"
                && let Some(next) = steps.get(position + 1)
                && let Some(root) = swapped(self.root, list, position)
            {
                let other = next.get("action").and_then(Node::as_str).unwrap_or_default();
                let change = [format!("{action}, {other}"), format!("{other}, {action}")];
                let wanted = "a finding that asks for both steps".to_owned();
                self.push(format!("{path}/swap-steps"), node.place, change, wanted, root);
            }
            for key in ["when", "unless"] {
                let Some(condition) = node.get(key) else { continue };
                let text = condition
                    .as_str()
                    .map_or_else(|| condition.to_json().to_string(), str::to_owned);
                let target = [Step::Key(list), Step::Item(position), Step::Key(key)];
                if let Some(root) = without(self.root, &target) {
                    let change = [format!("{key}: {text}"), "(nothing)".to_owned()];
                    let wanted = format!("a finding for which this `{key}` leaves the step out");
                    self.push(format!("{path}.{key}/drop"), condition.place, change, wanted, root);
                }
                self.tokens(&format!("{path}.{key}"), condition, &text);
            }
        }
    }
}

/// What can become of a token.
fn changes(token: &Token, beside: [Option<&Token>; 2], text: &str) -> Vec<(&'static str, String)> {
    let one = |name: &'static str, new: &str| vec![(name, new.to_owned())];
    match (token.kind, token.text.as_str()) {
        (Kind::Sign, "&&") => one("swap-and", "||"),
        (Kind::Sign, "||") if !is_closure(token, text) => one("swap-or", "&&"),
        (Kind::Sign, "==") => one("compare", "!="),
        (Kind::Sign, "!=") => one("compare", "=="),
        (Kind::Sign, "<") => one("compare", "<="),
        (Kind::Sign, "<=") => one("compare", "<"),
        (Kind::Sign, ">") => one("compare", ">="),
        (Kind::Sign, ">=") => one("compare", ">"),
        (Kind::Sign, "!") => one("drop-not", ""),
        (Kind::Word, "any") => one("any-all", "all"),
        (Kind::Word, "all") => one("any-all", "any"),
        (Kind::Word, "min" | "min_by") => one("min-max", &token.text.replace("min", "max")),
        (Kind::Word, "max" | "max_by") => one("min-max", &token.text.replace("max", "min")),
        (Kind::Number, number) => {
            let mut all = numbers(number);
            // An id is right or wrong; only a limit can be missed on either side.
            if !is_limit(beside) {
                all.truncate(1);
            }
            all
        }
        _ => Vec::new(),
    }
}

/// Whether the number between two tokens is a limit: compared by order, or a duration or size.
fn is_limit(beside: [Option<&Token>; 2]) -> bool {
    let is = |token: &Token| match token.kind {
        Kind::Sign => ["<", "<=", ">", ">="].contains(&token.text.as_str()),
        Kind::Word => ["days", "hours", "minutes"].contains(&token.text.as_str()),
        Kind::Number => false,
    };
    beside.into_iter().flatten().any(is)
}

fn numbers(text: &str) -> Vec<(&'static str, String)> {
    let plain = text.replace('_', "");
    if let Ok(number) = plain.parse::<i64>() {
        let up = number.checked_add(1).map(|number| ("number-up", number.to_string()));
        // A negative literal would need brackets, and a limit below nought is no slip anybody makes.
        let down = (number > 0).then(|| ("number-down", (number - 1).to_string()));
        return up.into_iter().chain(down).collect();
    }
    match plain.parse::<f64>() {
        Ok(number) if number.is_finite() => vec![
            ("number-up", format!("{:?}", number + 1.0)),
            ("number-down", format!("{:?}", (number - 1.0).max(0.0))),
        ],
        _ => Vec::new(),
    }
}

/// `||` in front of a closure without parameters; ours always have some.
fn is_closure(token: &Token, text: &str) -> bool {
    let before = text.chars().take(token.at.start).filter(|c| !c.is_whitespace()).last();
    matches!(before, None | Some('(' | ','))
}

fn wanted(name: &str, token: &str) -> String {
    match name {
        "swap-and" | "swap-or" => {
            "facts for which one side is true and the other is not".to_owned()
        }
        "compare" if ["==", "!="].contains(&token) => {
            "facts that come to this comparison, and whose verdict hangs on it".to_owned()
        }
        "compare" => "facts for which both sides are exactly equal".to_owned(),
        "number-up" => "facts exactly at the limit, or between it and one more".to_owned(),
        "number-down" => "facts between the limit and one less".to_owned(),
        "drop-not" => "facts for which what stands behind the `!` decides".to_owned(),
        "any-all" => "a list in which some members fulfil it and others do not".to_owned(),
        _ => "a list whose members differ".to_owned(),
    }
}

/// The steps of a path such as `require[0].that`.
fn steps_of(path: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in path.split('.') {
        let (key, index) = part.split_once('[').unwrap_or((part, ""));
        steps.push(Step::Key(key));
        if let Ok(index) = index.trim_end_matches(']').parse() {
            steps.push(Step::Item(index));
        }
    }
    steps
}

fn at<'n>(root: &'n Node, steps: &[Step<'_>]) -> Option<&'n Node> {
    steps.iter().try_fold(root, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Item(index) => node.as_list()?.get(*index),
    })
}

fn at_mut<'n>(root: &'n mut Node, steps: &[Step<'_>]) -> Option<&'n mut Node> {
    steps.iter().try_fold(root, |node, step| match (step, &mut node.value) {
        (Step::Key(key), Value::Map(entries)) => {
            let found = entries.iter_mut().find(|entry| &*entry.key == *key);
            found.map(|entry| &mut entry.node)
        }
        (Step::Item(index), Value::List(items)) => items.get_mut(*index),
        _ => None,
    })
}

fn with_value(root: &Node, steps: &[Step<'_>], value: Value) -> Option<Node> {
    let mut root = root.clone();
    at_mut(&mut root, steps)?.value = value;
    Some(root)
}

fn with_text(root: &Node, steps: &[Step<'_>], text: &str) -> Option<Node> {
    with_value(root, steps, Value::Text(text.into(), Style::Plain))
}

/// Without an entry or item; a list that is then empty goes too.
fn without(root: &Node, steps: &[Step<'_>]) -> Option<Node> {
    let mut root = root.clone();
    let (last, before) = steps.split_last()?;
    let parent = at_mut(&mut root, before)?;
    let is_empty = match (last, &mut parent.value) {
        (Step::Key(key), Value::Map(entries)) => {
            entries.retain(|entry| &*entry.key != *key);
            false
        }
        (Step::Item(index), Value::List(items)) if *index < items.len() => {
            items.remove(*index);
            items.is_empty()
        }
        _ => return None,
    };
    if is_empty { without(&root, before) } else { Some(root) }
}

fn swapped(root: &Node, list: &str, position: usize) -> Option<Node> {
    let mut root = root.clone();
    let Value::List(items) = &mut at_mut(&mut root, &[Step::Key(list)])?.value else { return None };
    if position + 1 < items.len() {
        items.swap(position, position + 1);
        return Some(root);
    }
    None
}

fn replaced(text: &str, token: &Token, new: &str) -> String {
    let before: String = text.chars().take(token.at.start).collect();
    let after: String = text.chars().skip(token.at.end).collect();
    format!("{before}{new}{after}")
}

/// The token with a few words around it, so that it can be found.
fn around(text: &str, token: &Token, new: &str) -> String {
    const MARGIN: usize = 30;
    let start = token.at.start.saturating_sub(MARGIN);
    let before: String = text.chars().skip(start).take(token.at.start - start).collect();
    let after: String = text.chars().skip(token.at.end).take(MARGIN).collect();
    let open = if start > 0 { "..." } else { "" };
    let close = if token.at.end + MARGIN < text.chars().count() { "..." } else { "" };
    format!("{open}{before}{new}{after}{close}")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
