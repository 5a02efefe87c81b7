//! The text of a case.

use std::fmt::Write;

use serde_json::Value as Json;

use crate::author::new::{NewFile, modeline};
use crate::finding::Outcome;
use crate::source::{scalar_text, to_compact_yaml};

/// A case that is to be written.
#[derive(Debug)]
pub struct Draft<'a> {
    /// Id of the rule, which is the name of the case's folder.
    pub rule: &'a str,
    /// Its own name.
    pub name: &'a str,
    /// What it shows.
    pub title: &'a str,
    /// What there is to say of it before the facts, a line each.
    pub comments: Vec<String>,
    /// Its facts.
    pub facts: &'a Json,
    /// The instant of the run.
    pub now: &'a str,
    /// Parameters: name and value.
    pub params: Vec<(String, Json)>,
    /// What must come out.
    pub expect: Expect,
}

/// What a case expects.
#[derive(Clone, Debug)]
pub enum Expect {
    /// One outcome for every subject.
    All(Outcome),
    /// The outcome of each subject.
    Each(Vec<(String, Outcome)>),
}

impl Expect {
    /// What came of a rule, in the shortest form that says it.
    #[must_use]
    pub fn of(verdicts: impl IntoIterator<Item = (String, Outcome)>) -> Option<Self> {
        let mut all: Vec<(String, Outcome)> = verdicts.into_iter().collect();
        all.sort();
        all.dedup();
        match all.as_slice() {
            [] => None,
            // A verdict about what was not collected has no subject to name.
            [(subject, outcome)] if subject.is_empty() => Some(Self::All(*outcome)),
            _ => Some(Self::Each(all)),
        }
    }
}

/// The file of a case.
#[must_use]
pub fn file(draft: &Draft<'_>, schemas: Option<&str>) -> NewFile {
    let below = format!("cases/{}/{}.yaml", draft.rule, draft.name);
    let mut text = modeline(schemas, &below, "case-v1");
    text.push_str("schema: dpmguard.case/v1\n");
    let _ = writeln!(text, "title: {}", scalar_text(draft.title));
    for line in &draft.comments {
        let plain: String = line.chars().filter(|c| !c.is_control()).collect();
        let _ = writeln!(text, "# {plain}");
    }
    text.push_str("facts:\n");
    for line in to_compact_yaml(draft.facts).lines() {
        let _ = writeln!(text, "  {line}");
    }
    let _ = writeln!(text, "now: {}", scalar_text(draft.now));
    if !draft.params.is_empty() {
        let params = draft.params.iter().cloned().collect();
        text.push_str("params:\n");
        for line in to_compact_yaml(&Json::Object(params)).lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    match &draft.expect {
        Expect::All(outcome) => {
            let _ = writeln!(text, "expect: {}", outcome.name());
        }
        Expect::Each(list) if list.is_empty() => text.push_str("expect: []\n"),
        Expect::Each(list) => {
            text.push_str("expect:\n");
            for (subject, outcome) in list {
                let (subject, outcome) = (scalar_text(subject), outcome.name());
                let _ = writeln!(text, "  - {{ subject: {subject}, outcome: {outcome} }}");
            }
        }
    }
    NewFile { below, text }
}
