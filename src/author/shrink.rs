//! The smallest part of a fact document on which a rule still says the same (delta debugging).

mod rename;
mod unite;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::eval::evaluate;
use crate::facts::merge::merge;
use crate::facts::model::Model;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::fold;
use crate::finding::{Outcome, Verdict};
use crate::rule::pack::RuleSet;
use crate::schema::Schema;
use crate::source::{Entry, Node, Value};

pub use rename::rename;
pub use unite::unite;

/// What judges a document.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'a> {
    /// The fact model.
    pub model: &'a Arc<Model>,
    /// The schema of fact files.
    pub schema: &'a Schema,
    /// The rules.
    pub set: &'a RuleSet,
    /// The rule that is asked.
    pub rule: &'a str,
    /// The instant of the run.
    pub now: &'a Instant,
}

/// What the rule must go on saying.
#[derive(Clone, Debug)]
pub struct Aim {
    /// Key of the subject, folded.
    subject: String,
    said: Said,
    /// The outcomes that this subject may have besides.
    outcomes: BTreeSet<Outcome>,
    /// Whether there may be a verdict about what was not collected.
    may_miss: bool,
}

/// All of a verdict that a smaller document must not change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Said {
    outcome: Outcome,
    because: Option<String>,
    see: Option<Arc<str>>,
    missing: Vec<(String, &'static str)>,
    finding: Option<Told>,
}

/// Fingerprint and message of a finding, and the facts that it rests on with their values.
type Told = (String, String, Vec<(String, Option<String>)>);

impl Said {
    fn of(verdict: &Verdict) -> Self {
        let finding = verdict.finding.as_ref().map(|finding| {
            let evidence = finding.evidence.iter();
            let evidence = evidence.map(|one| (one.fact.clone(), one.value.clone())).collect();
            (finding.fingerprint.clone(), finding.message.clone(), evidence)
        });
        Self {
            outcome: verdict.outcome,
            because: verdict.because.clone(),
            see: verdict.see.clone(),
            missing: verdict.missing.iter().map(|one| (one.fact.clone(), one.gap)).collect(),
            finding,
        }
    }
}

impl Judge<'_> {
    /// What the rule says about the facts.
    #[must_use]
    pub fn judge(&self, facts: &Arc<Facts>) -> Vec<Verdict> {
        let wanted = |rule: &crate::rule::Rule| &*rule.id == self.rule;
        evaluate(facts, self.set, self.now, None, &wanted).verdicts
    }

    /// What the rule says about a document; none if it is no fact document.
    #[must_use]
    pub fn verdicts(&self, document: &Node) -> Option<Vec<Verdict>> {
        let (facts, _) = merge(self.model, &[(document.place.file, document.clone())]).ok()?;
        Some(self.judge(&Arc::new(facts)))
    }

    /// Whether the rule says of the document what it must.
    #[must_use]
    pub fn holds(&self, document: &Node, aim: &Aim) -> bool {
        let is_right = self.verdicts(document).is_some_and(|verdicts| aim.is_met(&verdicts));
        is_right && self.schema.check(document).is_empty()
    }

    /// The smallest part of the document on which the rule says the same.
    ///
    /// Nothing of the answer can be taken away alone: no collection, object, field, member of a list or
    /// declaration. `told` hears how many parts have gone.
    #[must_use]
    pub fn shrink(&self, document: &Node, aim: &Aim, told: &dyn Fn(usize)) -> Node {
        let all = count(document);
        let holds = |smaller: &Node| self.holds(smaller, aim);
        shrink(document, &holds, &|smaller| told(all.saturating_sub(count(smaller))))
    }

    /// The first part that could still be taken away, if there is one: a path of positions.
    #[must_use]
    pub fn removable(&self, document: &Node, aim: &Aim) -> Option<Vec<usize>> {
        let mut paths: Vec<Vec<usize>> =
            (1..=depth(document)).flat_map(|d| parts(document, d)).collect();
        paths.retain(|path| {
            let gone = BTreeSet::from([path.clone()]);
            self.holds(&without(document, &gone), aim)
        });
        paths.into_iter().next()
    }
}

impl Aim {
    /// To keep a verdict, one of several.
    #[must_use]
    pub fn new(verdict: &Verdict, all: &[Verdict]) -> Self {
        let subject = fold(&verdict.subject.key);
        let of_it = all.iter().filter(|one| fold(&one.subject.key) == subject);
        Self {
            outcomes: of_it.map(|one| one.outcome).collect(),
            subject,
            said: Said::of(verdict),
            may_miss: all.iter().any(|one| one.subject.key.is_empty()),
        }
    }

    fn is_met(&self, verdicts: &[Verdict]) -> bool {
        let mut of_it = verdicts.iter().filter(|one| fold(&one.subject.key) == self.subject);
        let is_allowed = |one: &Verdict| {
            if one.subject.key.is_empty() {
                self.may_miss
            } else {
                fold(&one.subject.key) != self.subject || self.outcomes.contains(&one.outcome)
            }
        };
        of_it.any(|one| Said::of(one) == self.said) && verdicts.iter().all(is_allowed)
    }
}

/// Takes parts away level by level, in halves down to single ones, until a whole round changes nothing.
fn shrink(document: &Node, holds: &dyn Fn(&Node) -> bool, told: &dyn Fn(&Node)) -> Node {
    let mut document = document.clone();
    loop {
        let before = count(&document);
        let mut level = 1;
        while level <= depth(&document) {
            document = shrink_level(&document, level, holds);
            told(&document);
            level += 1;
        }
        // The round that changes nothing has tried each part alone: the answer is minimal.
        if count(&document) == before {
            return document;
        }
    }
}

fn shrink_level(base: &Node, level: usize, holds: &dyn Fn(&Node) -> bool) -> Node {
    let mut kept = parts(base, level);
    let mut gone: BTreeSet<Vec<usize>> = BTreeSet::new();
    let mut size = kept.len().max(1);
    loop {
        let mut still = Vec::new();
        for chunk in kept.chunks(size) {
            let more: BTreeSet<Vec<usize>> = gone.iter().chain(chunk).cloned().collect();
            if holds(&without(base, &more)) {
                gone = more;
            } else {
                still.extend(chunk.iter().cloned());
            }
        }
        kept = still;
        if size == 1 {
            return without(base, &gone);
        }
        size = size.div_ceil(2).min(kept.len().max(1));
    }
}

/// The parts at a depth, as paths of positions: entries of mappings and members of lists.
fn parts(node: &Node, level: usize) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    collect(node, level, &mut Vec::new(), &mut found);
    found
}

fn collect(node: &Node, level: usize, path: &mut Vec<usize>, found: &mut Vec<Vec<usize>>) {
    if level == 0 {
        found.push(path.clone());
        return;
    }
    for (position, child) in children(node).enumerate() {
        path.push(position);
        collect(child, level - 1, path, found);
        path.pop();
    }
}

fn children(node: &Node) -> Box<dyn Iterator<Item = &Node> + '_> {
    match &node.value {
        Value::Map(entries) => Box::new(entries.iter().map(|entry| &entry.node)),
        Value::List(items) => Box::new(items.iter()),
        _ => Box::new(std::iter::empty()),
    }
}

/// How many parts a document has: entries of mappings and members of lists.
#[must_use]
pub fn count(node: &Node) -> usize {
    children(node).map(|child| 1 + count(child)).sum()
}

fn depth(node: &Node) -> usize {
    children(node).map(|child| 1 + depth(child)).max().unwrap_or(0)
}

/// The document without some parts; what is declared complete and has gone is not declared.
fn without(document: &Node, gone: &BTreeSet<Vec<usize>>) -> Node {
    let mut smaller = prune(document, gone, &mut Vec::new());
    let Value::Map(entries) = &mut smaller.value else { return smaller };
    let names: BTreeSet<Arc<str>> = entries.iter().map(|entry| entry.key.clone()).collect();
    for entry in entries.iter_mut().filter(|entry| &*entry.key == "complete") {
        if let Value::List(items) = &mut entry.node.value {
            items.retain(|item| item.as_str().is_some_and(|name| names.contains(name)));
        }
    }
    smaller
}

fn prune(node: &Node, gone: &BTreeSet<Vec<usize>>, path: &mut Vec<usize>) -> Node {
    let mut keep = |position: usize, child: &Node| {
        path.push(position);
        let kept = (!gone.contains(path)).then(|| prune(child, gone, path));
        path.pop();
        kept
    };
    let value = match &node.value {
        Value::Map(entries) => {
            let entries = entries.iter().enumerate().filter_map(|(position, entry)| {
                let node = keep(position, &entry.node)?;
                Some(Entry { key: entry.key.clone(), key_place: entry.key_place, node })
            });
            Value::Map(entries.collect())
        }
        Value::List(items) => {
            let items = items.iter().enumerate();
            Value::List(items.filter_map(|(position, item)| keep(position, item)).collect())
        }
        other => other.clone(),
    };
    Node { value, place: node.place }
}

#[cfg(test)]
mod tests {
    use super::{count, shrink};
    use crate::source::{Node, Sources, read};

    fn tree(text: &str) -> Node {
        let mut sources = Sources::default();
        let file = sources.add("t", text.as_bytes()).unwrap();
        read(&sources, file).unwrap()
    }

    /// What depends on two parts far from each other is found, in every order of levels.
    #[test]
    fn only_what_is_needed_stays() {
        let document =
            tree("a: [{ x: 1, l: [1, 2, 3] }, { x: 2 }]\nb: { c: { d: 1, e: 2 }, f: [] }\ng: 1\n");
        let needs = |node: &Node| {
            let has = |pointer: &str| node.pointer(pointer).is_some();
            let y = node.get("a").and_then(Node::as_list).unwrap_or_default();
            y.iter().any(|item| {
                item.pointer("/l")
                    .and_then(Node::as_list)
                    .is_some_and(|y| y.iter().any(|n| n.as_int() == Some(2)))
            }) && has("/b/c/e")
        };
        let small = shrink(&document, &needs, &|_| {});
        assert_eq!(
            small.to_json(),
            serde_json::json!({ "a": [{ "l": [2] }], "b": { "c": { "e": 2 } } })
        );
        let again = shrink(&small, &needs, &|_| {});
        assert_eq!(count(&again), count(&small));
    }

    /// Two parts of which one is needed: the first goes, and the answer is always the same.
    #[test]
    fn one_of_two_is_kept() {
        let document = tree("a: 1\nb: 2\nc: 3\n");
        let needs = |node: &Node| node.get("a").is_some() || node.get("c").is_some();
        assert_eq!(shrink(&document, &needs, &|_| {}).to_json(), serde_json::json!({ "c": 3 }));
    }
}
