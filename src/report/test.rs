//! What came of a pack's cases: for people, and as JSON, `JUnit` and TAP.

mod human;
mod machine;
mod markdown;

use std::collections::BTreeSet;
use std::io;

use serde::Serialize;

use crate::report::coverage::{self, Coverage};
use crate::report::diff::Line;
use crate::report::explain::FactX;
use crate::report::mutation::MutationReport;

pub use human::{case as show_case, lines as show_lines};

/// What came of all cases.
#[derive(Clone, Debug, Default)]
pub struct TestReport {
    /// The cases, by name.
    pub cases: Vec<TestCase>,
    /// How many cases a filter left out.
    pub left_out: usize,
    /// Snapshots that belong to no case.
    pub unreferenced: Vec<String>,
    /// Whether these were taken away.
    pub is_removed: bool,
    /// Rules of the tested packs that have no case.
    pub without_cases: Vec<String>,
    /// What became of the rules' mutants, where that was asked for.
    pub mutation: Option<MutationReport>,
    /// How much of the rules the cases reach, where that was asked for.
    pub coverage: Option<Coverage>,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// Its name: `a-rule/a-case`.
    pub name: String,
    /// The rule it is about; empty where that is not known, or if it is about an action.
    pub rule: String,
    /// The action it is about; empty if it is about a rule.
    pub action: String,
    /// What it shows.
    pub title: String,
    /// Its file.
    pub file: String,
    /// What came of it.
    pub status: Status,
    /// Outcomes that differ.
    pub differences: Vec<Differing>,
    /// What is other than expected after an action.
    pub misses: Vec<Miss>,
    /// How its report differs from the snapshot; empty where there is no snapshot, or no difference.
    pub changed: Vec<Line>,
    /// What is wrong with the case, as it is drawn on a terminal.
    pub problems: String,
    /// What its snapshot would hold now.
    pub text: String,
}

/// What came of a case, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Outcomes and report are as they should be.
    Passed,
    /// They are, and the snapshot was written in this run.
    Accepted,
    /// The outcomes are not as expected.
    Failed,
    /// The outcomes are as expected, the report differs from the snapshot.
    Changed,
    /// The outcomes are as expected, there is no snapshot yet.
    New,
    /// The case itself is wrong.
    Error,
}

impl Status {
    /// Whether all is well.
    #[must_use]
    pub fn is_good(self) -> bool {
        matches!(self, Self::Passed | Self::Accepted)
    }
}

/// An outcome that differs from what is expected.
#[derive(Clone, Debug, Serialize)]
pub struct Differing {
    /// The rule.
    pub rule: String,
    /// Key of the subject; empty where no subject was judged.
    pub subject: String,
    /// Outcomes that were expected.
    pub expected: Vec<&'static str>,
    /// Outcomes that came.
    pub actual: Vec<&'static str>,
    /// The clause that decided the first that was not expected.
    pub decided: Option<Decided>,
}

/// Something that is other than expected after an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// What: a step, an object, a rule and its subject, a fact.
    pub what: String,
    /// What was expected.
    pub expected: String,
    /// What came.
    pub actual: String,
}

/// The clause behind an outcome.
#[derive(Clone, Debug, Serialize)]
pub struct Decided {
    /// Where it stands in the rule.
    pub clause: String,
    /// Its file, line and column.
    pub place: String,
    /// Its text.
    pub text: String,
    /// What it was.
    pub value: String,
    /// What it looked at.
    pub operands: Vec<Operand>,
}

/// A value that a clause looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Operand {
    /// Its text in the rule.
    pub text: String,
    /// Its value.
    pub value: String,
    /// The facts that it comes from.
    pub facts: Vec<FactX>,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For a person; all cases, or only those that are not well.
    Human {
        /// Whether every case is listed.
        all: bool,
    },
    /// `schemas/test-v1.schema.json`.
    Json,
    /// For build servers.
    Junit,
    /// Test Anything Protocol, version 13.
    Tap,
    /// A page.
    Markdown,
    /// `schemas/coverage-v1.schema.json`.
    CoverageJson,
    /// Coverage as a tracefile of LCOV.
    Lcov,
}

impl TestCase {
    /// The rule or action it is about; empty where that is not known.
    #[must_use]
    pub fn about(&self) -> &str {
        if self.action.is_empty() { &self.rule } else { &self.action }
    }
}

impl TestReport {
    /// How many rules and how many actions have cases, in words.
    #[must_use]
    pub fn judged(&self) -> String {
        let count = |noun: &str, id: fn(&TestCase) -> &str| {
            let ids: BTreeSet<&str> = self.cases.iter().map(id).collect();
            let count = ids.iter().filter(|id| !id.is_empty()).count();
            format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
        };
        let rules = count("rule", |case| &case.rule);
        if self.cases.iter().all(|case| case.action.is_empty()) {
            return rules;
        }
        let actions = count("action", |case| &case.action);
        if self.cases.iter().all(|case| case.rule.is_empty()) {
            return actions;
        }
        format!("{rules} and {actions}")
    }

    /// How many cases have a status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.cases.iter().filter(|case| case.status == status).count()
    }

    /// The exit code: 2 where a case is wrong, 1 where one fails or too little is reached, 3 where there is
    /// none.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.count(Status::Error) > 0 {
            2
        } else if self.cases.is_empty() {
            3
        } else {
            let is_short = self.coverage.as_ref().is_some_and(|one| !one.shortfalls().is_empty());
            u8::from(is_short || self.cases.iter().any(|case| !case.status.is_good()))
        }
    }
}

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &TestReport,
    format: Format,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let unmeasured = Coverage::default();
    let coverage = report.coverage.as_ref().unwrap_or(&unmeasured);
    match format {
        Format::CoverageJson => coverage::json(coverage, out),
        Format::Lcov => coverage::lcov(coverage, out),
        Format::Human { all } => human::write(report, all, colour, out),
        Format::Json => machine::json(report, out),
        Format::Junit => machine::junit(report, out),
        Format::Tap => machine::tap(report, out),
        Format::Markdown => markdown::write(report, out),
    }
}
