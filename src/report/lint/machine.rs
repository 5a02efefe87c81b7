//! What is doubtful about rules, as JSON.

use std::io;

use serde::Serialize;

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::report::lint::{LintReport, Problem};
use crate::source::Sources;

#[derive(Serialize)]
struct LintV1<'a> {
    schema: &'static str,
    tool: ToolV1,
    exit_code: u8,
    fail_on: &'static str,
    summary: SummaryV1,
    problems: Vec<ProblemV1<'a>>,
    mended: Vec<MendedV1<'a>>,
}

#[derive(Serialize)]
struct ToolV1 {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct SummaryV1 {
    rules: usize,
    cases: usize,
    broken_cases: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    allowed: usize,
}

#[derive(Serialize)]
struct ProblemV1<'a> {
    check: &'a str,
    code: &'a str,
    severity: &'static str,
    rule: Option<&'a str>,
    message: &'a str,
    place: Option<PlaceV1>,
    related: Vec<RelatedV1<'a>>,
    help: &'a [String],
    is_fixable: bool,
    allowed: Option<&'a str>,
}

/// A stretch of a file.
#[derive(Serialize)]
pub(in crate::report) struct PlaceV1 {
    pub(in crate::report) file: String,
    pub(in crate::report) line: u32,
    pub(in crate::report) column: u32,
    pub(in crate::report) end_line: u32,
    pub(in crate::report) end_column: u32,
}

#[derive(Serialize)]
struct RelatedV1<'a> {
    message: &'a str,
    place: PlaceV1,
}

#[derive(Serialize)]
struct MendedV1<'a> {
    file: &'a str,
    done: &'a [String],
    is_written: bool,
}

impl PlaceV1 {
    pub(in crate::report) fn new(place: Place, sources: &Sources) -> Self {
        let from = sources.location(place);
        let to = sources.location(Place { start: place.end.max(place.start), ..place });
        Self {
            file: from.file,
            line: from.line,
            column: from.column,
            end_line: to.line,
            end_column: to.column,
        }
    }
}

pub(super) fn json(
    report: &LintReport,
    sources: &Sources,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let document = LintV1 {
        schema: "dpmguard.lint/v1",
        tool: ToolV1 { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        exit_code: report.exit_code(),
        fail_on: report.threshold.name(),
        summary: SummaryV1 {
            rules: report.rules,
            cases: report.cases,
            broken_cases: report.broken_cases,
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            notes: report.count(Severity::Note),
            allowed: report.problems.len() - report.open().count(),
        },
        problems: report.problems.iter().map(|problem| problem_v1(problem, sources)).collect(),
        mended: report
            .mended
            .iter()
            .map(|mended| MendedV1 {
                file: &mended.file,
                done: &mended.done,
                is_written: !report.is_dry,
            })
            .collect(),
    };
    crate::report::json::pretty(&document, out)
}

fn problem_v1<'a>(problem: &'a Problem, sources: &Sources) -> ProblemV1<'a> {
    let Problem { check, severity, rule, diagnostic, is_fixable, allowed } = problem;
    let related = diagnostic
        .related
        .iter()
        .map(|(place, message)| RelatedV1 { message, place: PlaceV1::new(*place, sources) });
    ProblemV1 {
        check,
        code: diagnostic.code,
        severity: severity.name(),
        rule: rule.as_deref(),
        message: &diagnostic.message,
        place: diagnostic.place.map(|place| PlaceV1::new(place, sources)),
        related: related.collect(),
        help: &diagnostic.help,
        is_fixable: *is_fixable,
        allowed: allowed.as_deref(),
    }
}
