//! Coverage for a person: a line for each rule, then what was never reached.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::report::coverage::{Coverage, Point, RuleCoverage, Share, listing};
use crate::report::diagnostic::clean;

/// Longest text of a point that is shown whole.
const MOST_LETTERS: usize = 100;

/// The table, what was never reached, the listings that were asked for, and the sum.
#[must_use]
pub fn text(coverage: &Coverage, colour: bool) -> String {
    let mut text = String::new();
    if !coverage.is_brief {
        table(coverage, colour, &mut text);
        for rule in coverage.rules.iter().filter(|rule| has_gap(rule)) {
            gaps(rule, colour, &mut text);
        }
    }
    for id in &coverage.annotate {
        if let Some(rule) = coverage.rules.iter().find(|rule| rule.id == *id) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&listing(rule, colour));
        }
    }
    sum(coverage, colour, &mut text);
    text
}

pub(super) fn paint(text: &str, colour: bool, style: AnsiColor) -> String {
    let style = Style::new().fg_color(Some(style.into()));
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

fn has_gap(rule: &RuleCoverage) -> bool {
    rule.outcome_share().percent() < 100 || rule.share().percent() < 100
}

fn grade(share: Share) -> AnsiColor {
    match share.percent() {
        100 => AnsiColor::Green,
        75.. => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    }
}

fn table(coverage: &Coverage, colour: bool, text: &mut String) {
    let width = coverage.rules.iter().map(|rule| rule.id.chars().count()).max().unwrap_or(0).max(4);
    let _ = writeln!(text, "{:<width$}  cases  outcomes      points", "rule");
    for rule in &coverage.rules {
        let outcomes = rule.outcome_share();
        let said = format!("{:>5} of {}", outcomes.reached, outcomes.total);
        let share = rule.share();
        let points = format!("{:>4} of {:<4} {:>4} %", share.reached, share.total, share.percent());
        let _ = writeln!(
            text,
            "{:<width$}  {:>5} {} {}",
            clean(&rule.id),
            rule.cases,
            paint(&said, colour, grade(outcomes)),
            paint(&points, colour, grade(share))
        );
    }
}

/// What was never reached, with its place.
fn gaps(rule: &RuleCoverage, colour: bool, text: &mut String) {
    let _ = writeln!(text, "\n{}", clean(&rule.id));
    let missed: Vec<&str> =
        rule.outcomes.iter().filter(|state| state.is_missed()).map(|state| state.name).collect();
    if !missed.is_empty() {
        let said = format!("never {}", missed.join(", never "));
        let _ = writeln!(text, "  {}", paint(&said, colour, AnsiColor::Red));
    }
    for point in &rule.points {
        if let Some(missed) = missed_of(point) {
            let place = format!("{}:{}:{}", clean(&rule.file), point.line, point.column);
            let _ = writeln!(
                text,
                "  {place}  {}  {}\n    {}",
                clean(&point.clause),
                paint(&missed, colour, AnsiColor::Red),
                short(&point.text)
            );
        }
    }
}

/// `never true, never false`; none if it went every way.
pub(super) fn missed_of(point: &Point) -> Option<String> {
    let missed: Vec<String> = point
        .states
        .iter()
        .filter(|state| state.is_missed())
        .map(|state| format!("never {}", state.name))
        .collect();
    (!missed.is_empty()).then(|| missed.join(", "))
}

fn short(text: &str) -> String {
    let line = clean(&text.split_whitespace().collect::<Vec<_>>().join(" "));
    if line.chars().count() <= MOST_LETTERS {
        return line;
    }
    let cut: String = line.chars().take(MOST_LETTERS - 3).collect();
    format!("{}...", cut.trim_end())
}

fn sum(coverage: &Coverage, colour: bool, text: &mut String) {
    let (points, outcomes) = (coverage.share(), coverage.outcome_share());
    let said = format!(
        "{} of {} outcomes, {} of {} points of {} rule{} are reached ({} %)",
        outcomes.reached,
        outcomes.total,
        points.reached,
        points.total,
        coverage.rules.len(),
        if coverage.rules.len() == 1 { "" } else { "s" },
        points.percent()
    );
    let _ = writeln!(text, "\n{} {said}", paint("COVERAGE", colour, grade(points)));
    for line in coverage.shortfalls() {
        let _ = writeln!(text, "  {}", paint(&clean(&line), colour, AnsiColor::Red));
    }
}
