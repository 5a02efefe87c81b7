//! What is written: one module a format.
//!
//! Formats share [`Run`], what there is to tell, and nothing else. Colours and widths are handed in;
//! nothing here looks at a terminal.

pub mod coverage;
pub mod diagnostic;
pub mod diff;
pub mod eval;
pub mod explain;
pub mod human;
pub mod json;
pub mod lint;
pub mod markup;
pub mod mutation;
pub mod plan;
pub mod sarif;
pub mod test;
pub mod v1;

use crate::diagnostic::Diagnostic;
use crate::finding::Evaluation;
use crate::gate::Answer;
use crate::source::Sources;

/// A fact file of a run.
#[derive(Clone, Debug)]
pub struct FactsFile {
    /// Its name.
    pub file: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// When its facts were observed.
    pub observed_at: String,
    /// Seconds between then and the run.
    pub age_seconds: i64,
}

/// A pack of a run.
#[derive(Clone, Debug)]
pub struct PackInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// SHA-256 over its files.
    pub sha256: String,
}

/// What the user set for this run: a verdict is worth as much as what was left out of it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The configuration file that was read.
    pub config: Option<String>,
    /// The age from which facts count as not known, in words.
    pub max_age: Option<String>,
    /// Rules or tags that were selected; empty for all.
    pub only: Vec<String>,
    /// Rules or tags that were left out.
    pub skip: Vec<String>,
    /// Parameters that differ from the rule file: rule, name, value as JSON.
    pub params: Vec<(String, String, String)>,
}

/// Everything a report tells.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The files that places point into.
    pub sources: &'a Sources,
    /// The verdicts.
    pub evaluation: &'a Evaluation,
    /// The gate's answer.
    pub answer: &'a Answer,
    /// The instant of the run.
    pub now: &'a str,
    /// What the user set.
    pub settings: &'a Settings,
    /// The fact files.
    pub facts: &'a [FactsFile],
    /// The packs.
    pub packs: &'a [PackInfo],
    /// What is odd about the facts.
    pub warnings: &'a [Diagnostic],
}
