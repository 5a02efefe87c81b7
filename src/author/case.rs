//! Cases: facts, and the outcome that a rule must have on them, or what an action must make of them.

mod acting;

use std::collections::{BTreeMap, BTreeSet};

use crate::author::patch::{FactPath, Patch};
use crate::diagnostic::{Diagnostic, Place};
use crate::facts::time::Instant;
use crate::finding::{Evaluation, Outcome};
use crate::rule::clause::Override;
use crate::source::Node;

pub use acting::{Acting, After, is_acting};

/// A case as it was written.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// Where that is said.
    pub title_place: Place,
    /// The rule that it is about; empty if it is about an action.
    pub rule: String,
    /// What it lets happen, if it is about an action.
    pub act: Option<Acting>,
    /// The fact file it starts from, relative to the case's folder, and where it is named.
    pub base: Option<(String, Place)>,
    /// Its own facts, where it starts from nothing.
    pub facts: Option<Node>,
    /// Changes to the facts.
    pub patches: Vec<Patch>,
    /// The instant of the run.
    pub now: Instant,
    /// Values of parameters: of the rule, or of others as `other-rule.param`.
    pub params: Vec<Override>,
    /// What must come out.
    pub expect: Expect,
}

/// What must come out.
#[derive(Clone, Debug, PartialEq)]
pub enum Expect {
    /// The same for every subject, and at least one subject.
    All(Outcome),
    /// These subjects with these outcomes, and no others.
    Exactly(Vec<Expected>),
    /// This must be so after an action.
    After(Box<After>),
}

/// An outcome that is expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Expected {
    /// The rule.
    pub rule: String,
    /// Key of the subject.
    pub subject: String,
    /// The outcome.
    pub outcome: Outcome,
    /// Where it is written.
    pub place: Place,
}

impl Case {
    /// What it is about: the id of a rule or of an action.
    #[must_use]
    pub fn about(&self) -> &str {
        self.act.as_ref().map_or(&self.rule, |act| &act.action)
    }

    /// The rules that the case is about, its own first; none if it is about an action.
    #[must_use]
    pub fn rules(&self) -> Vec<&str> {
        if self.act.is_some() {
            return Vec::new();
        }
        let mut rules = vec![self.rule.as_str()];
        if let Expect::Exactly(list) = &self.expect {
            for expected in list {
                if !rules.contains(&expected.rule.as_str()) {
                    rules.push(&expected.rule);
                }
            }
        }
        rules
    }
}

/// Reads a case that its schema allows; it is about the rule or action that its `folder` is named after,
/// unless it names another.
///
/// # Errors
///
/// What the schema cannot say: neither or both of `base` and `facts`, malformed paths.
pub fn read(root: &Node, folder: &str) -> Result<Case, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let text = |key: &str| root.get(key).and_then(Node::as_str).map(str::to_owned);
    let base = root.get("base").and_then(|node| Some((node.as_str()?.to_owned(), node.place)));
    let facts = root.get("facts").cloned();
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
    let (rule, act, expect) = if is_acting(root) {
        match acting::read(root, folder) {
            Ok((act, expect)) => (String::new(), Some(act), Some(expect)),
            Err(found) => {
                problems.extend(found);
                return Err(problems);
            }
        }
    } else {
        let rule = text("rule").unwrap_or_else(|| folder.to_owned());
        let expect = root.get("expect").and_then(|node| expect(node, &rule));
        (rule, None, expect)
    };
    let now = root.get("now").and_then(Node::as_str).and_then(Instant::parse);
    match (now, expect) {
        (Some(now), Some(expect)) if problems.is_empty() => {
            let about = act.as_ref().map_or(&rule, |act| &act.action);
            let params = params(root, about);
            Ok(Case {
                title: text("title").unwrap_or_default(),
                title_place: root.get("title").map_or(root.place, |node| node.place),
                rule,
                act,
                base,
                facts,
                patches,
                now,
                params,
                expect,
            })
        }
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

/// Values of parameters; those without a name before them are of `about`.
fn params(root: &Node, about: &str) -> Vec<Override> {
    let params = root.get("params").and_then(Node::as_map).unwrap_or_default();
    let params = params.iter().map(|entry| {
        let (of, param) = entry.key.split_once('.').unwrap_or((about, &entry.key));
        let (of, param) = (of.to_owned(), param.to_owned());
        Override { of, param, key_place: entry.key_place, value: entry.node.clone() }
    });
    params.collect()
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

fn expect(node: &Node, rule: &str) -> Option<Expect> {
    if let Some(name) = node.as_str() {
        return Outcome::named(name).map(Expect::All);
    }
    let mut all: Vec<Expected> = Vec::new();
    for item in node.as_list()? {
        let text = |key: &str| item.get(key).and_then(Node::as_str);
        all.push(Expected {
            rule: text("rule").unwrap_or(rule).to_owned(),
            subject: text("subject")?.to_owned(),
            outcome: Outcome::named(text("outcome")?)?,
            place: item.place,
        });
    }
    all.sort();
    // A subject that is judged several times with one outcome may be listed as often.
    all.dedup_by(|a, b| (&a.rule, &a.subject, a.outcome) == (&b.rule, &b.subject, b.outcome));
    Some(Expect::Exactly(all))
}

/// An outcome of one subject that was not expected, or that did not come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The rule.
    pub rule: String,
    /// Key of the subject.
    pub subject: String,
    /// What was expected of it, by name; empty where nothing was.
    pub expected: Vec<&'static str>,
    /// What came, by name; empty where nothing did.
    pub actual: Vec<&'static str>,
}

/// How the outcomes differ from what was expected, by rule and subject.
///
/// A subject may be judged several times: for each of its databases, say. Each outcome counts once.
#[must_use]
pub fn differences(case: &Case, evaluation: &Evaluation) -> Vec<Difference> {
    let mut all: BTreeMap<(String, String), (BTreeSet<Outcome>, BTreeSet<Outcome>)> =
        BTreeMap::new();
    for verdict in &evaluation.verdicts {
        let rule = evaluation.rule(verdict).map(|rule| rule.id.to_string()).unwrap_or_default();
        all.entry((rule, verdict.subject.key.to_string())).or_default().1.insert(verdict.outcome);
    }
    match &case.expect {
        Expect::All(outcome) => {
            if all.is_empty() {
                let nobody = (case.rule.clone(), String::new());
                all.entry(nobody).or_default();
            }
            for (expected, _) in all.values_mut() {
                expected.insert(*outcome);
            }
        }
        Expect::Exactly(list) => {
            for expected in list {
                let key = (expected.rule.clone(), expected.subject.clone());
                all.entry(key).or_default().0.insert(expected.outcome);
            }
        }
        // What becomes of the facts is not what a rule says of them.
        Expect::After(_) => {}
    }
    let names = |all: &BTreeSet<Outcome>| all.iter().map(|one| one.name()).collect();
    let different = all.into_iter().filter(|(_, (expected, actual))| expected != actual);
    different
        .map(|((rule, subject), (expected, actual))| Difference {
            rule,
            subject,
            expected: names(&expected),
            actual: names(&actual),
        })
        .collect()
}
