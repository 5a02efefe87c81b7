//! The safety property: a fact that is taken away is never read as safe.
//!
//! Every field, object and collection of every case and example is taken away in turn. What was
//! violated or undecided must not become satisfied or not applicable by it, and a run that did not
//! pass must not pass. Only an object taken from a collection declared complete is excused: then the
//! facts say that it does not exist. So that objects are tried too, each document is also judged with
//! all its declarations of completeness taken away.
//!
//! A rule cannot see a field whose name stands neither in it nor in the functions of its pack, unless it
//! ties objects together; such fields are left where they are. Of what remains, each run takes a part,
//! the same in each run; `DPMGUARD_EACH=1` takes everything, `DPMGUARD_EACH=6` every sixth.

mod effects;
mod plans;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dpmguard::eval::evaluate;
use dpmguard::facts::model::Origin;
use dpmguard::facts::time::Instant;
use dpmguard::finding::{Evaluation, Outcome, Severity, Subject};
use dpmguard::gate::{self, Threshold, Verdict};
use dpmguard::rule::Rule;
use dpmguard::source::{Node, Value};

use crate::support::{Bench, cases, files, root, rule_of};

/// A place in a document: positions of entries and members from the root.
type Position = Vec<usize>;

/// Everything that can be taken away and may be seen, and whether it is a member of a list.
fn positions(
    node: &Node,
    is_seen: &dyn Fn(&str) -> bool,
    at: &mut Position,
    found: &mut Vec<(Position, bool)>,
) {
    let children: Vec<(Option<&str>, &Node)> = match &node.value {
        Value::Map(entries) => {
            entries.iter().map(|entry| (Some(&*entry.key), &entry.node)).collect()
        }
        Value::List(items) => items.iter().map(|item| (None, item)).collect(),
        _ => return,
    };
    let is_member = matches!(node.value, Value::List(_));
    let is_document = at.is_empty();
    for (position, (key, child)) in children.into_iter().enumerate() {
        if !is_document && key.is_some_and(|key| !is_seen(key)) {
            continue;
        }
        at.push(position);
        found.push((at.clone(), is_member));
        positions(child, is_seen, at, found);
        at.pop();
    }
}

/// Words of a rule and of all functions, and the names of fields that tie objects together.
struct Seen {
    words: BTreeSet<String>,
    /// The rule asks for the outcomes of others, so it sees what they see.
    everything: bool,
}

impl Seen {
    fn by(rule: &str, bench: &Bench) -> Self {
        let folder = root().join("rules");
        let mut words: BTreeSet<String> = BTreeSet::new();
        let rule = folder.join([rule, ".yaml"].concat());
        for file in files(&folder.join("lib"), "rhai").iter().chain([&rule]) {
            let text = fs::read_to_string(file).unwrap();
            let parts = text.split(|c: char| !c.is_alphanumeric() && c != '_');
            words.extend(parts.map(str::to_owned));
        }
        for kind in bench.model.kinds() {
            for (position, field) in kind.record.fields.iter().enumerate() {
                let is_key = kind.key.iter().any(|(part, _)| *part == position);
                let is_path = kind.record.fields.iter().any(|derived| match &derived.origin {
                    Origin::Within { path, scope, .. } => {
                        *path == position || scope.iter().any(|(here, _)| *here == position)
                    }
                    _ => false,
                });
                if is_key || is_path || matches!(field.origin, Origin::Reference { .. }) {
                    words.insert(field.name.to_string());
                }
            }
        }
        let everything = words.contains("any_violated");
        Self { words, everything }
    }

    fn sees(&self, name: &str) -> bool {
        self.everything || self.words.contains(name)
    }
}

/// Of how many removals one is tried, unless everything is asked for.
fn step(some: usize) -> usize {
    let asked = std::env::var("DPMGUARD_EACH").ok();
    asked.map_or(some, |number| number.parse().unwrap())
}

fn without(node: &mut Node, at: &[usize]) {
    let [first, rest @ ..] = at else { return };
    match (&mut node.value, rest.is_empty()) {
        (Value::Map(entries), true) => drop(entries.remove(*first)),
        (Value::List(items), true) => drop(items.remove(*first)),
        (Value::Map(entries), false) => without(&mut entries[*first].node, rest),
        (Value::List(items), false) => without(&mut items[*first], rest),
        _ => unreachable!("positions were found in this document"),
    }
}

fn opened(document: &Node) -> Node {
    let mut open = document.clone();
    if let Value::Map(entries) = &mut open.value {
        entries.retain(|entry| &*entry.key != "complete");
    }
    open
}

/// For each rule and subject: how many verdicts were bad, and how many good.
fn counts(evaluation: &Evaluation) -> BTreeMap<(String, Subject), (usize, usize)> {
    let mut counts: BTreeMap<(String, Subject), (usize, usize)> = BTreeMap::new();
    for verdict in &evaluation.verdicts {
        let rule = evaluation.rules[verdict.rule].id.to_string();
        let count = counts.entry((rule, verdict.subject.clone())).or_default();
        match verdict.outcome {
            Outcome::Violated | Outcome::Undecided => count.0 += 1,
            Outcome::Satisfied | Outcome::NotApplicable => count.1 += 1,
        }
    }
    counts
}

struct Trial<'a> {
    name: String,
    bench: &'a Bench,
    documents: Vec<Node>,
    now: Instant,
    rule: Option<(String, Arc<Seen>)>,
    /// Of how many removals one is tried, and which is the first.
    step: usize,
    first: usize,
}

impl Trial<'_> {
    fn judge(&self, documents: &[Node]) -> Option<Evaluation> {
        let facts = self.bench.facts(documents).ok()?;
        let wanted = |rule: &Rule| self.rule.as_ref().is_none_or(|(id, _)| *rule.id == **id);
        Some(evaluate(&facts, &self.bench.rules, &self.now, None, &wanted))
    }

    /// Takes everything away in turn; the answer is how many removals were judged.
    fn run(&self, wrong: &mut Vec<String>) -> usize {
        let Some(before) = self.judge(&self.documents) else { return 0 };
        let bad = counts(&before);
        let is_seen = |name: &str| self.rule.as_ref().is_none_or(|(_, seen)| seen.sees(name));
        let (mut judged, mut count) = (0, self.first);
        for number in 0..self.documents.len() {
            let document = &self.documents[number];
            let is_complete = document.get("complete").is_some();
            let mut found = Vec::new();
            positions(document, &is_seen, &mut Vec::new(), &mut found);
            for (at, is_member) in found {
                if is_member && is_complete {
                    continue;
                }
                count += 1;
                if count % self.step != 0 {
                    continue;
                }
                let mut documents = self.documents.clone();
                without(&mut documents[number], &at);
                let Some(after) = self.judge(&documents) else { continue };
                judged += 1;
                self.compare(&before, &bad, &after, &describe(document, &at), wrong);
            }
        }
        judged
    }

    fn compare(
        &self,
        before: &Evaluation,
        bad: &BTreeMap<(String, Subject), (usize, usize)>,
        after: &Evaluation,
        taken: &str,
        wrong: &mut Vec<String>,
    ) {
        for (key, (_, good)) in counts(after) {
            let Some((was_bad, was_good)) = bad.get(&key) else { continue };
            if *was_bad > 0 && good > *was_good {
                wrong.push(format!(
                    "{}: without {taken}: {} became good for {}",
                    self.name, key.0, key.1.key
                ));
            }
        }
        // Where nothing was judged, a finding below the threshold is more than there was.
        if before.tally().violated == 0 && after.tally().violated > 0 {
            return;
        }
        for threshold in [Severity::Note, Severity::Warning, Severity::Error].map(Threshold::From) {
            let passed =
                |evaluation| gate::answer(evaluation, threshold, 1).verdict == Verdict::Passed;
            if !passed(before) && passed(after) {
                let name = threshold.name();
                wrong.push(format!("{}: without {taken}: the run passes at `{name}`", self.name));
            }
        }
    }
}

fn describe(document: &Node, at: &[usize]) -> String {
    let mut text = String::new();
    let mut node = document;
    for position in at {
        node = match &node.value {
            Value::Map(entries) => {
                text.push('.');
                text.push_str(&entries[*position].key);
                &entries[*position].node
            }
            Value::List(items) => {
                text.push_str(&["[", &position.to_string(), "]"].concat());
                &items[*position]
            }
            _ => unreachable!("positions were found in this document"),
        };
    }
    text
}

/// Does all trials on all cores; the answer is how many removals were judged and what is wrong with them.
fn run_all<T: Sync>(
    trials: &[T],
    run: impl Fn(&T, &mut Vec<String>) -> usize + Sync,
) -> (usize, Vec<String>) {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let results: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let work = || {
            let (mut judged, mut wrong) = (0, Vec::new());
            while let Some(trial) = trials.get(next.fetch_add(1, Ordering::Relaxed)) {
                judged += run(trial, &mut wrong);
            }
            (judged, wrong)
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).collect()
    });
    let judged = results.iter().map(|(judged, _)| judged).sum();
    let mut wrong: Vec<String> = results.into_iter().flat_map(|(_, wrong)| wrong).collect();
    wrong.sort();
    (judged, wrong)
}

/// That nothing was read as safe.
fn assert_none(wrong: &[String]) {
    let shown = &wrong[..wrong.len().min(60)];
    assert!(wrong.is_empty(), "{} violations\n{}", wrong.len(), shown.join("\n"));
}

#[test]
fn a_fact_taken_from_a_case_is_never_read_as_safe() {
    let mut bench = Bench::new();
    let read: Vec<_> = cases().into_iter().map(|path| (bench.case(&path), path)).collect();
    let mut trials = Vec::new();
    let mut seen: BTreeMap<String, Arc<Seen>> = BTreeMap::new();
    for (number, ((case, document), path)) in read.iter().enumerate() {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        let rule = rule_of(path);
        let seen = seen.entry(rule.clone()).or_insert_with(|| Seen::by(&rule, &bench).into());
        for (variant, document) in [("", document.clone()), (" (open)", opened(document))] {
            trials.push(Trial {
                name: format!("{name}{variant}"),
                bench: &bench,
                documents: vec![document],
                now: case.now.clone(),
                rule: Some((rule.clone(), seen.clone())),
                step: step(24),
                first: number,
            });
        }
    }
    let (judged, wrong) = run_all(&trials, Trial::run);
    println!("{judged} removals judged in {} documents", trials.len());
    assert!(judged > 20_000, "only {judged} removals were judged");
    assert_none(&wrong);
}

#[test]
fn a_fact_taken_from_an_example_is_never_read_as_safe() {
    let mut bench = Bench::new();
    let mut trials = Vec::new();
    let mut read = Vec::new();
    for example in ["contoso", "fabrikam", "healthy"] {
        let paths = files(&root().join("examples").join(example), "yaml");
        let documents: Vec<Node> = paths.iter().map(|path| bench.read(path)).collect();
        read.push((example, documents));
    }
    for (example, documents) in &read {
        let facts = bench.facts(documents).unwrap();
        let now = facts
            .files()
            .iter()
            .map(|file| file.observed_at.clone())
            .max_by_key(Instant::seconds)
            .unwrap();
        for (variant, documents) in
            [("", documents.clone()), (" (open)", documents.iter().map(opened).collect())]
        {
            let name = format!("{example}{variant}");
            trials.push(Trial {
                name,
                bench: &bench,
                documents,
                now: now.clone(),
                rule: None,
                step: step(15),
                first: 0,
            });
        }
    }
    let (judged, wrong) = run_all(&trials, Trial::run);
    println!("{judged} removals judged in {} estates", trials.len());
    assert!(judged > 500, "only {judged} removals were judged");
    assert_none(&wrong);
}
