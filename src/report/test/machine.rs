//! The report on cases for machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use crate::report::coverage::{Coverage, Share};
use crate::report::diagnostic::clean;
use crate::report::json;
use crate::report::markup::xml;
use crate::report::mutation::MutationReport;
use crate::report::test::{Differing, Miss, Status, TestCase, TestReport};

#[derive(Serialize)]
struct ReportV1<'a> {
    schema: &'static str,
    tool: ToolV1,
    exit_code: u8,
    summary: BTreeMap<&'static str, usize>,
    cases: Vec<CaseV1<'a>>,
    unreferenced: &'a [String],
    without_cases: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    mutation: Option<&'a MutationReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<CoverageV1>,
}

#[derive(Serialize)]
struct CoverageV1 {
    outcomes: Share,
    points: Share,
    percent: usize,
    shortfalls: Vec<String>,
}

#[derive(Serialize)]
struct ToolV1 {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct CaseV1<'a> {
    name: &'a str,
    rule: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    action: &'a str,
    title: &'a str,
    file: &'a str,
    status: Status,
    differences: &'a [Differing],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    misses: &'a [Miss],
    snapshot_diff: Vec<String>,
    problems: &'a str,
}

pub(super) fn json(report: &TestReport, out: &mut dyn io::Write) -> io::Result<()> {
    let mut summary = BTreeMap::new();
    for (status, name) in [
        (Status::Passed, "passed"),
        (Status::Accepted, "accepted"),
        (Status::Failed, "failed"),
        (Status::Changed, "changed"),
        (Status::New, "new"),
        (Status::Error, "error"),
    ] {
        summary.insert(name, report.count(status));
    }
    let case = |case: &'_ TestCase| -> Vec<String> {
        case.changed.iter().map(|line| format!("{}{}", line.sign, line.text)).collect()
    };
    let cases = report.cases.iter().map(|known| CaseV1 {
        name: &known.name,
        rule: &known.rule,
        action: &known.action,
        title: &known.title,
        file: &known.file,
        status: known.status,
        differences: &known.differences,
        misses: &known.misses,
        snapshot_diff: case(known),
        problems: &known.problems,
    });
    let report = ReportV1 {
        schema: "dpmguard.test/v1",
        tool: ToolV1 { name: "dpmguard", version: env!("CARGO_PKG_VERSION") },
        exit_code: report.exit_code(),
        summary,
        cases: cases.collect(),
        unreferenced: &report.unreferenced,
        without_cases: &report.without_cases,
        mutation: report.mutation.as_ref(),
        coverage: report.coverage.as_ref().map(|coverage| CoverageV1 {
            outcomes: coverage.outcome_share(),
            points: coverage.share(),
            percent: coverage.share().percent(),
            shortfalls: coverage.shortfalls(),
        }),
    };
    crate::report::json::pretty(&report, out)
}

/// What is not well with a case, as plain text.
fn message(case: &TestCase) -> String {
    let whole = super::human::case(case, false);
    let lines = whole.lines().skip(1).map(|line| line.strip_prefix("  ").unwrap_or(line));
    let lines = lines.collect::<Vec<_>>().join("\n");
    format!("{}\n{}", case.title, lines.trim_end()).trim_start().to_owned()
}

fn kind(status: Status) -> &'static str {
    match status {
        Status::Passed => "passed",
        Status::Accepted => "accepted",
        Status::Failed => "the outcomes are not as expected",
        Status::Changed => "the report differs from the snapshot",
        Status::New => "there is no snapshot",
        Status::Error => "the case itself is wrong",
    }
}

pub(super) fn junit(report: &TestReport, out: &mut dyn io::Write) -> io::Result<()> {
    let mut suites: BTreeMap<&str, Vec<&TestCase>> = BTreeMap::new();
    for case in &report.cases {
        suites.entry(case.about()).or_default().push(case);
    }
    let failed = |cases: &[&TestCase]| {
        let errors = cases.iter().filter(|case| case.status == Status::Error).count();
        (cases.iter().filter(|case| !case.status.is_good()).count() - errors, errors)
    };
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (rule, cases) in suites {
        let (failures, errors) = failed(&cases);
        let name = if rule.is_empty() { "unknown" } else { rule };
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\">",
            xml(name),
            cases.len()
        );
        for case in cases {
            let _ = write!(
                text,
                "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\"",
                xml(&case.name),
                xml(name),
                xml(&case.file)
            );
            if case.status.is_good() {
                text.push_str("/>\n");
                continue;
            }
            let element = if case.status == Status::Error { "error" } else { "failure" };
            let _ = writeln!(
                text,
                ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>",
                kind(case.status),
                xml(&message(case))
            );
        }
        text.push_str("  </testsuite>\n");
    }
    if let Some(coverage) = &report.coverage {
        junit_coverage(coverage, &mut text);
    }
    text.push_str("</testsuites>\n");
    out.write_all(text.as_bytes())
}

/// What must be reached, as a test of its own: a build server knows no other way to fail.
fn junit_coverage(coverage: &Coverage, text: &mut String) {
    let short = coverage.shortfalls();
    let failures = usize::from(!short.is_empty());
    let _ = writeln!(
        text,
        "  <testsuite name=\"coverage\" tests=\"1\" failures=\"{failures}\" errors=\"0\">"
    );
    let Share { reached, total } = coverage.share();
    let name = format!("{reached} of {total} points are reached");
    let _ = write!(text, "    <testcase name=\"{}\" classname=\"coverage\"", xml(&name));
    if short.is_empty() {
        text.push_str("/>\n");
    } else {
        let said = xml(&short.join("\n"));
        let _ = writeln!(
            text,
            ">\n      <failure message=\"too little is reached\">{said}</failure>\n    </testcase>"
        );
    }
    text.push_str("  </testsuite>\n");
}

pub(super) fn tap(report: &TestReport, out: &mut dyn io::Write) -> io::Result<()> {
    let tests = report.cases.len() + usize::from(report.coverage.is_some());
    let mut text = format!("TAP version 13\n1..{tests}\n");
    for (number, case) in report.cases.iter().enumerate() {
        let not = if case.status.is_good() { "" } else { "not " };
        // A `#` would begin a directive, which could turn a failure into a `todo`.
        let name = format!("{}: {}", case.name, case.title).replace('#', "\\#");
        let _ = writeln!(text, "{not}ok {} - {}", number + 1, clean(&name));
        if !case.status.is_good() {
            let _ = writeln!(
                text,
                "  ---\n  message: {}\n  file: {}",
                kind(case.status),
                json::text(&case.file)
            );
            text.push_str("  details: |\n");
            for line in message(case).lines() {
                let _ = writeln!(text, "    {}", clean(line));
            }
            text.push_str("  ...\n");
        }
    }
    if let Some(coverage) = &report.coverage {
        let short = coverage.shortfalls();
        let not = if short.is_empty() { "" } else { "not " };
        let Share { reached, total } = coverage.share();
        let _ =
            writeln!(text, "{not}ok {tests} - coverage: {reached} of {total} points are reached");
        for line in short {
            let _ = writeln!(text, "# {}", line.replace(['\r', '\n'], " "));
        }
    }
    out.write_all(text.as_bytes())
}
