//! One case judged: what came of it, and the text that its snapshot holds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;
use serde_json::{Map, Value as Json, json};

use crate::author::act;
use crate::author::case::{self, Difference};
use crate::author::explain;
use crate::author::suite::{Ready, Suite};
use crate::eval::{Observer, evaluate_observed};
use crate::finding::{Evaluation, Outcome, Severity};
use crate::gate::{self, Threshold};
use crate::load;
use crate::report::diff::diff;
use crate::report::test::{Differing, Miss, Status, TestCase};
use crate::report::{Run, Settings, diagnostic, v1};
use crate::rule::pack::RuleSet;

/// What judging a case gave.
#[derive(Debug)]
pub struct Trial {
    /// The verdicts of the rules that the case is about.
    pub evaluation: Evaluation,
    /// How the outcomes differ from what is expected.
    pub differences: Vec<Difference>,
    /// What is other than expected after an action.
    pub misses: Vec<Miss>,
    /// What a snapshot of it holds.
    pub text: String,
}

impl Trial {
    /// Whether what came is what is expected, whatever the snapshot holds.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.differences.is_empty() && self.misses.is_empty()
    }

    /// Whether the case says that all is as it should be.
    #[must_use]
    pub fn passes(&self, ready: &Ready) -> bool {
        self.is_as_expected() && ready.snapshot.as_deref() == Some(self.text.as_str())
    }
}

/// Judges a case by the rules it is about, as they stand in `set`.
#[must_use]
pub fn judge(
    suite: &Suite,
    ready: &Ready,
    set: &RuleSet,
    observer: Option<&dyn Observer>,
) -> Trial {
    if let Some(acted) = act::run(ready) {
        let (evaluation, differences) = (Evaluation::default(), Vec::new());
        return Trial { evaluation, differences, misses: acted.misses, text: acted.text };
    }
    let rules = ready.case.rules();
    let wanted = |rule: &crate::rule::Rule| rules.contains(&&*rule.id);
    let now = &ready.case.now;
    let evaluation = evaluate_observed(&ready.facts, set, now, None, &wanted, observer);
    let differences = case::differences(&ready.case, &evaluation);
    let text = text(suite, ready, &evaluation);
    Trial { evaluation, differences, misses: Vec::new(), text }
}

/// The part of the report that is about the rules of the case: the rest is the same for every case, or
/// changes with the version.
fn text(suite: &Suite, ready: &Ready, evaluation: &Evaluation) -> String {
    let answer = gate::answer(evaluation, Threshold::From(Severity::Note), 1);
    let now = ready.case.now.to_string();
    let report = v1::Report::new(&Run {
        sources: &suite.sources,
        evaluation,
        answer: &answer,
        now: &now,
        settings: &Settings::default(),
        facts: &[],
        packs: &[],
        warnings: &[],
    });
    let mut whole = serde_json::to_value(&report).unwrap_or(Json::Null);
    let mut parts = Map::new();
    for key in ["findings", "undecided", "verdict"] {
        let mut part = whole.get_mut(key).map_or(Json::Null, Json::take);
        relative(&mut part, &ready.prefix);
        parts.insert(key.to_owned(), part);
    }
    parts.insert("passed".to_owned(), passed(evaluation, ready.case.rules().len() > 1));
    format!("{:#}", Json::Object(parts))
}

/// Verdicts that no report shows: satisfied and not applicable ones, with their reasons.
fn passed(evaluation: &Evaluation, is_several: bool) -> Json {
    let good = evaluation
        .verdicts
        .iter()
        .filter(|verdict| matches!(verdict.outcome, Outcome::Satisfied | Outcome::NotApplicable));
    let one = |verdict: &crate::finding::Verdict| {
        let mut said = Map::new();
        if is_several && let Some(rule) = evaluation.rule(verdict) {
            said.insert("rule".to_owned(), json!(&*rule.id));
        }
        said.insert("subject".to_owned(), json!(&*verdict.subject.key));
        said.insert("outcome".to_owned(), json!(verdict.outcome.name()));
        if let Some(because) = &verdict.because {
            said.insert("because".to_owned(), json!(because));
        }
        if let Some(see) = &verdict.see {
            said.insert("see".to_owned(), json!(&**see));
        }
        Json::Object(said)
    };
    good.map(one).collect()
}

/// Names files as they are called within the pack: a snapshot is the same wherever the pack lies.
fn relative(part: &mut Json, prefix: &str) {
    match part {
        Json::Array(items) => items.iter_mut().for_each(|item| relative(item, prefix)),
        Json::Object(entries) => {
            for (key, value) in entries.iter_mut() {
                match value {
                    Json::String(text) if key == "file" => {
                        if let Some(below) = text.strip_prefix(prefix) {
                            *text = below.to_owned();
                        }
                    }
                    other => relative(other, prefix),
                }
            }
        }
        _ => {}
    }
}

/// Judges all cases, each with what it needs to be shown; `done` is told how many are.
#[must_use]
pub fn judge_all(suite: &Suite, done: &(dyn Fn(usize) + Sync)) -> Vec<TestCase> {
    let count = AtomicUsize::new(0);
    let one = |ready: &Ready| {
        let case = shown(suite, ready);
        done(count.fetch_add(1, Ordering::Relaxed) + 1);
        case
    };
    let mut cases: Vec<TestCase> = suite.cases.par_iter().map(one).collect();
    cases.extend(suite.broken.iter().map(|broken| TestCase {
        name: broken.name.clone(),
        rule: String::new(),
        action: String::new(),
        title: String::new(),
        file: load::shown(&broken.path),
        status: Status::Error,
        differences: Vec::new(),
        misses: Vec::new(),
        changed: Vec::new(),
        problems: diagnostic::render(&broken.problems, &suite.sources, false),
        text: String::new(),
    }));
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    cases
}

/// Judges a case and says what came of it.
fn shown(suite: &Suite, ready: &Ready) -> TestCase {
    let trial = judge(suite, ready, &ready.set, None);
    let status = match &ready.snapshot {
        _ if !trial.is_as_expected() => Status::Failed,
        None => Status::New,
        Some(known) if *known == trial.text => Status::Passed,
        Some(_) => Status::Changed,
    };
    let changed = match (&ready.snapshot, status) {
        (Some(known), Status::Failed | Status::Changed) => diff(known, &trial.text),
        _ => Vec::new(),
    };
    let differences = if trial.differences.is_empty() {
        Vec::new()
    } else {
        differing(suite, ready, trial.differences)
    };
    TestCase {
        name: ready.name.clone(),
        rule: ready.case.rule.clone(),
        action: ready.case.act.as_ref().map(|act| act.action.clone()).unwrap_or_default(),
        title: ready.case.title.clone(),
        file: ready.shown.clone(),
        status,
        differences,
        misses: trial.misses,
        changed,
        problems: String::new(),
        text: trial.text,
    }
}

/// The differences with what decided them: each rule is judged once more, with somebody listening.
fn differing(suite: &Suite, ready: &Ready, differences: Vec<Difference>) -> Vec<Differing> {
    let run = explain::Run {
        facts: &ready.facts,
        now: &ready.case.now,
        max_age: None,
        paths: &HashMap::new(),
    };
    let one = |difference: Difference| {
        let Difference { rule, subject, expected, actual } = difference;
        let unexpected = actual.iter().find(|name| !expected.contains(name));
        let decided = unexpected.zip(ready.set.rule(&rule)).and_then(|(name, rule)| {
            let about = explain::Subject {
                sources: &suite.sources,
                set: &ready.set,
                rule,
                model: &suite.packs.model,
            };
            explain::decided(about, run, &subject, name)
        });
        Differing { rule, subject, expected, actual, decided }
    };
    differences.into_iter().map(one).collect()
}
