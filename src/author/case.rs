//! Cases: facts, and the outcome that a rule must have on them.

use crate::author::patch::{FactPath, Patch};
use crate::diagnostic::Diagnostic;
use crate::facts::time::Instant;
use crate::finding::{Evaluation, Outcome};
use crate::rule::clause::Override;
use crate::source::Node;

/// A case as it was written.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// The fact file it starts from, relative to the case's folder.
    pub base: Option<String>,
    /// Its own facts, where it starts from nothing.
    pub facts: Option<Node>,
    /// Changes to the facts.
    pub patches: Vec<Patch>,
    /// The instant of the run.
    pub now: Instant,
    /// Values of the rule's parameters.
    pub params: Vec<Override>,
    /// What must come out.
    pub expect: Expect,
}

/// The outcomes that a rule must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The same for every subject, and at least one subject.
    All(Outcome),
    /// These subjects with these outcomes, and no others.
    Exactly(Vec<(String, Outcome)>),
}

/// Reads a case that its schema allows.
///
/// # Errors
///
/// What the schema cannot say: neither or both of `base` and `facts`, malformed paths.
pub fn read(root: &Node, rule: &str) -> Result<Case, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let text = |key: &str| root.get(key).and_then(Node::as_str).map(str::to_owned);
    let (base, facts) = (text("base"), root.get("facts").cloned());
    if base.is_some() == facts.is_some() {
        let message = "a case needs either `base` or `facts`";
        problems.push(Diagnostic::error("wrong-case", message).at(root.place));
    }
    let mut patches = Vec::new();
    for node in root.get("patch").and_then(Node::as_list).unwrap_or_default() {
        match patch(node) {
            Ok(patch) => patches.push(patch),
            Err(problem) => problems.push(problem),
        }
    }
    let params = root.get("params").and_then(Node::as_map).unwrap_or_default();
    let params = params.iter().map(|entry| Override {
        of: rule.to_owned(),
        param: entry.key.to_string(),
        value: entry.node.clone(),
    });
    let params = params.collect();
    let now = root.get("now").and_then(Node::as_str).and_then(Instant::parse);
    let expect = root.get("expect").and_then(expect);
    match (now, expect) {
        (Some(now), Some(expect)) if problems.is_empty() => Ok(Case {
            title: text("title").unwrap_or_default(),
            base,
            facts,
            patches,
            now,
            params,
            expect,
        }),
        (now, expect) => {
            if now.is_none() || expect.is_none() {
                problems.push(
                    Diagnostic::error("wrong-case", "`now` or `expect` cannot be read")
                        .at(root.place),
                );
            }
            Err(problems)
        }
    }
}

fn patch(node: &Node) -> Result<Patch, Diagnostic> {
    let path = |key: &str| -> Option<Result<FactPath, Diagnostic>> {
        let path = node.get(key)?;
        Some(FactPath::parse(path.as_str()?, path.place))
    };
    match (path("set"), node.get("to"), path("remove"), path("add"), node.get("item")) {
        (Some(path), Some(to), None, None, None) => Ok(Patch::Set { path: path?, to: to.clone() }),
        (None, None, Some(path), None, None) => Ok(Patch::Remove { path: path? }),
        (None, None, None, Some(path), Some(item)) => {
            Ok(Patch::Add { path: path?, item: item.clone() })
        }
        _ => {
            let message = "a change is one of set/to, remove, add/item";
            Err(Diagnostic::error("wrong-case", message).at(node.place))
        }
    }
}

fn expect(node: &Node) -> Option<Expect> {
    if let Some(name) = node.as_str() {
        return Outcome::named(name).map(Expect::All);
    }
    let mut all = Vec::new();
    for item in node.as_list()? {
        let subject = item.get("subject")?.as_str()?.to_owned();
        all.push((subject, Outcome::named(item.get("outcome")?.as_str()?)?));
    }
    all.sort();
    all.dedup();
    Some(Expect::Exactly(all))
}

/// How the outcomes differ from what was expected; none if they do not.
#[must_use]
pub fn difference(expect: &Expect, evaluation: &Evaluation) -> Option<String> {
    let mut actual: Vec<(String, Outcome)> = evaluation
        .verdicts
        .iter()
        .map(|verdict| (verdict.subject.key.to_string(), verdict.outcome))
        .collect();
    actual.sort();
    // A subject may be judged several times with one outcome: for each of its databases, say.
    actual.dedup();
    let say = |list: &[(String, Outcome)]| {
        let lines: Vec<String> =
            list.iter().map(|(key, outcome)| format!("  {key}: {}", outcome.name())).collect();
        if lines.is_empty() { "  (no verdict at all)".to_owned() } else { lines.join("\n") }
    };
    let (fits, wanted) = match expect {
        Expect::All(outcome) => (
            !actual.is_empty() && actual.iter().all(|(_, given)| given == outcome),
            format!("  every subject: {}", outcome.name()),
        ),
        Expect::Exactly(list) => (*list == actual, say(list)),
    };
    (!fits).then(|| format!("expected\n{wanted}\nactual\n{}", say(&actual)))
}
