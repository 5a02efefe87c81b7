//! Cases about actions: what is done to the facts, and what must be so afterwards.

use crate::author::case::{Expect, Expected};
use crate::author::patch::FactPath;
use crate::diagnostic::{Diagnostic, Place};
use crate::finding::Outcome;
use crate::source::{Entry, Node, Style, Value};

/// What a case lets happen to its facts.
#[derive(Clone, Debug)]
pub struct Acting {
    /// The action that it is about.
    pub action: String,
    /// Where that is named; none where the folder does it.
    pub place: Option<Place>,
    /// The steps under `steps`, as in a plan.
    pub steps: Node,
}

/// What must be so after the steps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct After {
    /// How the steps went, by their names; one without a name is about all of them.
    pub status: Vec<(Option<String>, String, Place)>,
    /// The states of protected objects, by key.
    pub objects: Vec<(String, String, Place)>,
    /// What is violated after the steps and was not before.
    pub violated: Vec<Expected>,
    /// What is violated only while the step runs.
    pub meanwhile: Vec<Expected>,
    /// What was violated before the steps and is no more.
    pub cleared: Vec<Expected>,
    /// What is undecided after the steps and was not before.
    pub undecided: Vec<Expected>,
    /// Facts and their values.
    pub facts: Vec<(FactPath, serde_json::Value)>,
}

/// Whether a case is about an action: it says what is done, or what must be so afterwards.
#[must_use]
pub fn is_acting(root: &Node) -> bool {
    let does = ["action", "with", "plan"].iter().any(|key| root.get(key).is_some());
    does || root.get("expect").is_some_and(|node| node.as_map().is_some())
}

/// Reads what a case does; `folder` is the action that its folder is named after.
///
/// # Errors
///
/// What the schema cannot say of it.
pub(super) fn read(root: &Node, folder: &str) -> Result<(Acting, Expect), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let wrong = |message: &str, place| Diagnostic::error("wrong-case", message).at(place);
    if let Some(rule) = root.entry("rule") {
        let message = "a case is about a rule or about an action, not about both";
        problems.push(wrong(message, rule.key_place));
    }
    let plan = root.entry("plan");
    if let Some((plan, with)) = plan.zip(root.entry("with")) {
        let problem = wrong("a case does one action `with` something, or a `plan`", plan.key_place);
        problems.push(problem.related(with.key_place, "the other is here"));
    }
    let named = root.get("action");
    let action = named.and_then(Node::as_str).unwrap_or(folder).to_owned();
    if action.is_empty() {
        let help = "write `action: <id>`, or put it into `cases/<id>/`";
        let message = "this case does not say which action it is about";
        problems.push(wrong(message, root.place).help(help));
    }
    let expect = root.entry("expect");
    if let Some(expect) = expect.filter(|entry| entry.node.as_map().is_none()) {
        let help = "write `expect: { status: done }`, with `objects`, `violated` and the like";
        let message = "a case about an action expects something of what is so afterwards";
        problems.push(wrong(message, expect.key_place).help(help));
    }
    let after = after(expect.map_or(root, |entry| &entry.node), &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let steps = plan.map_or_else(|| only_step(root, &action), |entry| entry.node.clone());
    let key_place = steps.place;
    let steps = Entry { key: "steps".into(), key_place, node: steps };
    let steps = Node { value: Value::Map(vec![steps]), place: key_place };
    let place = named.map(|node| node.place);
    Ok((Acting { action, place, steps }, Expect::After(Box::new(after))))
}

/// The case's own action as a step that is called like it.
fn only_step(root: &Node, action: &str) -> Node {
    let place = match root.get("action") {
        Some(node) => node.place,
        None => root.as_map().and_then(<[_]>::first).map_or(root.place, |entry| entry.key_place),
    };
    let text = || Node { value: Value::Text(action.into(), Style::Plain), place };
    let entry = |key: &str, node: Node| Entry { key: key.into(), key_place: place, node };
    let mut entries = vec![entry("id", text()), entry("action", text())];
    entries.extend(root.entry("with").cloned());
    Node { value: Value::List(vec![Node { value: Value::Map(entries), place }]), place }
}

fn after(node: &Node, problems: &mut Vec<Diagnostic>) -> After {
    let mut after = After::default();
    let word = |node: &Node| node.as_str().unwrap_or_default().to_owned();
    let entries = |key: &str| node.get(key).and_then(Node::as_map).unwrap_or_default();
    if let Some(status) = node.get("status") {
        match status.as_map() {
            Some(steps) => {
                let steps = steps
                    .iter()
                    .map(|entry| (Some(entry.key.to_string()), word(&entry.node), entry.key_place));
                after.status = steps.collect();
            }
            None => after.status.push((None, word(status), status.place)),
        }
    }
    for entry in entries("objects") {
        after.objects.push((entry.key.to_string(), word(&entry.node), entry.key_place));
    }
    after.violated = findings(entries("violated"), Outcome::Violated);
    after.meanwhile = findings(entries("meanwhile"), Outcome::Violated);
    after.cleared = findings(entries("cleared"), Outcome::Satisfied);
    after.undecided = findings(entries("undecided"), Outcome::Undecided);
    for entry in entries("facts") {
        match FactPath::parse(&entry.key, entry.key_place) {
            Ok(path) => after.facts.push((path, entry.node.to_json())),
            Err(problem) => problems.push(problem),
        }
    }
    after
}

/// `rule: [subjects]`.
fn findings(rules: &[Entry], outcome: Outcome) -> Vec<Expected> {
    let mut all = Vec::new();
    for rule in rules {
        for subject in rule.node.as_list().unwrap_or_default() {
            all.push(Expected {
                rule: rule.key.to_string(),
                subject: subject.as_str().unwrap_or_default().to_owned(),
                outcome,
                place: rule.key_place,
            });
        }
    }
    all
}
