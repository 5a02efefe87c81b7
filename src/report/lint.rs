//! What is doubtful about rules: for people and as JSON. SARIF has a module of its own.

mod human;
mod machine;

use std::io;

use crate::diagnostic::Diagnostic;
use crate::finding::Severity;
use crate::gate::Threshold;
use crate::report::diff::Line;
use crate::report::sarif;
use crate::source::Sources;

pub use human::{explain, list};
pub(in crate::report) use machine::PlaceV1;

/// A check of `dpmguard lint`.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Its permanent name.
    pub id: &'static str,
    /// How bad what it finds is.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// Why that matters, and what to do.
    pub explanation: &'static str,
    /// What it looks at.
    pub looks_at: LooksAt,
    /// Whether `--fix` can mend it.
    pub is_fixable: bool,
}

/// What a check looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LooksAt {
    /// The rule alone.
    Rule,
    /// What the rule does in its cases.
    Cases,
    /// Other rules, and what both do in the cases of both.
    Rules,
}

/// Something doubtful.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Name of the check.
    pub check: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The rule, where it is about one.
    pub rule: Option<String>,
    /// What is wrong, and where.
    pub diagnostic: Diagnostic,
    /// Whether `--fix` can mend it.
    pub is_fixable: bool,
    /// Why it is allowed, where it is.
    pub allowed: Option<String>,
}

/// A file that was mended, or would be.
#[derive(Clone, Debug)]
pub struct Mended {
    /// Its name.
    pub file: String,
    /// What was done.
    pub done: Vec<String>,
    /// How it changed.
    pub lines: Vec<Line>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct LintReport {
    /// All checks, by name.
    pub checks: &'static [Check],
    /// What they found, by file and place.
    pub problems: Vec<Problem>,
    /// How many rules were looked at.
    pub rules: usize,
    /// How many cases were judged; none where no check asked for it.
    pub cases: usize,
    /// How many cases cannot be judged.
    pub broken_cases: usize,
    /// Files that were mended.
    pub mended: Vec<Mended>,
    /// Whether they only would be.
    pub is_dry: bool,
    /// From which severity on a problem fails the run.
    pub threshold: Threshold,
    /// Whether a file could not be read.
    pub is_unread: bool,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a person.
    Human {
        /// Whether what is allowed is listed.
        all: bool,
    },
    /// `schemas/lint-v1.schema.json`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
}

impl LintReport {
    /// The problems that nobody allowed.
    pub fn open(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter().filter(|problem| problem.allowed.is_none())
    }

    /// How many open problems have a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.open().filter(|problem| problem.severity == severity).count()
    }

    /// The exit code: 2 where a file cannot be read, 1 for a problem at or over the threshold, 3 where no
    /// rule was looked at.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.is_unread {
            2
        } else if self.open().any(|problem| self.threshold.reached(problem.severity)) {
            1
        } else if self.rules == 0 {
            3
        } else {
            0
        }
    }
}

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &LintReport,
    sources: &Sources,
    format: Format,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    match format {
        Format::Human { all } => human::write(report, sources, all, colour, out),
        Format::Json => machine::json(report, sources, out),
        Format::Sarif => sarif::write(report, sources, out),
    }
}
