//! A rule file with marks in the margin: which way each of its conditions went.

use std::fmt::Write as _;

use anstyle::AnsiColor;

use crate::report::coverage::human::{missed_of, paint};
use crate::report::coverage::{Point, RuleCoverage, State, What};
use crate::report::diagnostic::clean;

/// The file's lines. In the margin stand the points that begin on the line, from left to right.
#[must_use]
pub fn listing(rule: &RuleCoverage, colour: bool) -> String {
    let mut text = format!("{}\n", clean(&rule.file));
    let on = |number: usize| {
        let mut points: Vec<&Point> =
            rule.points.iter().filter(|point| point.line as usize == number).collect();
        points.sort_by_key(|point| point.column);
        points
    };
    let margins: Vec<Vec<&Point>> = (1..=rule.lines.len()).map(on).collect();
    let plain = |points: &[&Point]| -> usize {
        points.iter().map(|point| marks(point, false).chars().count() + 1).sum()
    };
    let width = margins.iter().map(|points| plain(points)).max().unwrap_or(0).max(4);
    let digits = rule.lines.len().to_string().len();
    for ((number, line), points) in rule.lines.iter().enumerate().zip(&margins) {
        let shown: Vec<String> = points.iter().map(|point| marks(point, colour)).collect();
        let pad = " ".repeat(width.saturating_sub(plain(points)));
        let gap = if shown.is_empty() { "" } else { " " };
        let row = format!("{}{gap}{pad}{:>digits$} | {}", shown.join(" "), number + 1, clean(line));
        let _ = writeln!(text, "{}", row.trim_end());
        for point in points {
            if let Some(missed) = missed_of(point) {
                let (before, marker) = under(point, line);
                let said = paint(&format!("{marker} {missed}"), colour, AnsiColor::Red);
                let _ = writeln!(text, "{}{:>digits$} | {before}{said}", " ".repeat(width), "");
            }
        }
    }
    text.push_str(LEGEND);
    text
}

const LEGEND: &str = "\
T true, F false, U undecided; K a value was known; 0, 1, + none, one, several fitted; X taken;
- never, . never and need not
";

/// Blanks up to the point and the marker under it, as far as it stands on its first line.
fn under(point: &Point, line: &str) -> (String, String) {
    let (start, whole) = (point.column as usize - 1, line.trim_end().chars().count());
    let end = if point.end_line == point.line { point.end_column as usize - 1 } else { whole };
    let length = end.min(whole).saturating_sub(start).max(1);
    (" ".repeat(start), "^".repeat(length))
}

/// A letter for each way that it can go.
fn marks(point: &Point, colour: bool) -> String {
    let mut said = String::new();
    for state in &point.states {
        let letter = match (point.what, state.name) {
            (_, "true") => 'T',
            (_, "false") => 'F',
            (_, "undecided") => 'U',
            (_, "known") => 'K',
            (_, "none") => '0',
            (_, "one") => '1',
            (_, "several") => '+',
            (What::Exit, _) => 'X',
            _ => '?',
        };
        said.push_str(&mark(letter, state, colour));
    }
    said
}

fn mark(letter: char, state: &State, colour: bool) -> String {
    match state {
        State { times: 1.., .. } => paint(&letter.to_string(), colour, AnsiColor::Green),
        state if state.is_missed() => paint("-", colour, AnsiColor::Red),
        State { .. } => ".".to_owned(),
    }
}
