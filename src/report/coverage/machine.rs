//! Coverage for machines: JSON of ours, and LCOV, which editors and build servers read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use crate::report::coverage::{Coverage, Least, Point, Share, State, What};

#[derive(Serialize)]
struct CoverageV1<'a> {
    schema: &'static str,
    tool: ToolV1,
    summary: SummaryV1,
    least: Least,
    shortfalls: Vec<String>,
    rules: Vec<RuleV1<'a>>,
}

#[derive(Serialize)]
struct ToolV1 {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct SummaryV1 {
    rules: usize,
    outcomes: Share,
    points: Share,
    percent: usize,
}

#[derive(Serialize)]
struct RuleV1<'a> {
    rule: &'a str,
    file: &'a str,
    cases: usize,
    reached: SharesV1,
    percent: usize,
    outcomes: &'a [State],
    points: &'a [Point],
}

#[derive(Serialize)]
struct SharesV1 {
    outcomes: Share,
    points: Share,
}

/// `schemas/coverage-v1.schema.json`.
///
/// # Errors
///
/// Only those of `out`.
pub fn json(coverage: &Coverage, out: &mut dyn io::Write) -> io::Result<()> {
    let rules = coverage.rules.iter().map(|rule| RuleV1 {
        rule: &rule.id,
        file: &rule.file,
        cases: rule.cases,
        reached: SharesV1 { outcomes: rule.outcome_share(), points: rule.share() },
        percent: rule.share().percent(),
        outcomes: &rule.outcomes,
        points: &rule.points,
    });
    let report = CoverageV1 {
        schema: "dpmguard.coverage/v1",
        tool: ToolV1 { name: "dpmguard", version: env!("CARGO_PKG_VERSION") },
        summary: SummaryV1 {
            rules: coverage.rules.len(),
            outcomes: coverage.outcome_share(),
            points: coverage.share(),
            percent: coverage.share().percent(),
        },
        least: coverage.least,
        shortfalls: coverage.shortfalls(),
        rules: rules.collect(),
    };
    crate::report::json::pretty(&report, out)
}

/// The tracefile of LCOV: a branch for each way that a point can go, a line for each line on which
/// points begin.
///
/// # Errors
///
/// Only those of `out`.
pub fn lcov(coverage: &Coverage, out: &mut dyn io::Write) -> io::Result<()> {
    let mut text = String::from("TN:\n");
    for rule in &coverage.rules {
        let _ = writeln!(text, "SF:{}", rule.file.replace(['\r', '\n'], " "));
        let mut lines: BTreeMap<u32, u64> = BTreeMap::new();
        let (mut found, mut hit) = (0, 0);
        for (block, point) in rule.points.iter().enumerate() {
            let asked: u64 = point.states.iter().map(|state| state.times).sum();
            let line = lines.entry(point.line).or_default();
            *line = (*line).max(asked);
            for (branch, state) in point.states.iter().filter(|one| one.is_wanted()).enumerate() {
                found += 1;
                hit += usize::from(state.times > 0);
                // A dash says that the point was not asked at all. An `else` is asked with its condition.
                let times = match (asked, point.what) {
                    (0, What::Condition | What::Value | What::Candidates) => "-".to_owned(),
                    _ => state.times.to_string(),
                };
                let _ = writeln!(text, "BRDA:{},{block},{branch},{times}", point.line);
            }
        }
        let _ = writeln!(text, "BRF:{found}\nBRH:{hit}");
        for (line, times) in &lines {
            let _ = writeln!(text, "DA:{line},{times}");
        }
        let reached = lines.values().filter(|times| **times > 0).count();
        let _ = writeln!(text, "LF:{}\nLH:{reached}\nend_of_record", lines.len());
    }
    out.write_all(text.as_bytes())
}
