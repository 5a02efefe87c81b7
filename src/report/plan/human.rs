//! The report on a plan for a person: the verdict first, then what is wrong, then the table, then what else
//! can be said.

mod more;
mod table;

use std::fmt::Write as _;
use std::io;

use anstyle::{AnsiColor, Style};

use crate::diagnostic::{Diagnostic, Level};
use crate::facts::time::say_duration;
use crate::finding::Severity;
use crate::plan::hazard::{Hazard, Judged};
use crate::plan::time::Clock;
use crate::report::diagnostic::{clean, render_as};
use crate::report::plan::jobs;
use crate::report::plan::words::{self, plural};
use crate::report::plan::{ObjectX, PlanReport};
use crate::source::Sources;

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &PlanReport,
    judged: &Judged,
    sources: &Sources,
    clock: &Clock,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let page = Page { report, clock, colour };
    let mut text = page.head();
    for (hazard, told) in judged.hazards.iter().zip(&report.hazards) {
        if hazard.accepted.is_none() {
            text.push('\n');
            text.push_str(&render_as(words::level(told), &diagnostic(hazard), sources, colour));
        }
    }
    text.push_str(&page.accepted());
    text.push_str(&page.table());
    text.push_str(&jobs::text(report, clock));
    text.push_str(&page.objects());
    text.push_str(&page.stops());
    text.push_str(&page.blast());
    text.push_str(&page.basis());
    out.write_all(text.as_bytes())
}

/// A hazard is drawn as a problem of an input is, at its place in the plan.
fn diagnostic(hazard: &Hazard) -> Diagnostic {
    let mut drawn = Diagnostic::error(hazard.kind.id, hazard.message.clone()).at(hazard.place);
    drawn.level = match hazard.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warning,
        Severity::Note => Level::Note,
    };
    if hazard.objects.iter().any(|key| !hazard.message.contains(key.as_str())) {
        drawn = drawn.note(format!("it is about {}", hazard.objects.join(", ")));
    }
    for link in &hazard.chain {
        drawn = drawn.note(link.said.clone());
    }
    if hazard.may && hazard.kind.id != "plan-depends-on-chance" {
        drawn = drawn.note("it depends on something that may happen, and counts as happening");
    }
    for help in &hazard.help {
        drawn = drawn.help(help.clone());
    }
    drawn
}

/// A text in bold and colour, where there are colours.
pub(in crate::report) fn paint(text: &str, is_coloured: bool, colour: AnsiColor) -> String {
    let style = Style::new().fg_color(Some(colour.into())).bold();
    if is_coloured { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

struct Page<'a> {
    report: &'a PlanReport,
    clock: &'a Clock,
    colour: bool,
}

impl Page<'_> {
    fn paint(&self, text: &str, colour: AnsiColor) -> String {
        paint(text, self.colour, colour)
    }

    /// The verdict in three lines.
    fn head(&self) -> String {
        let report = self.report;
        let word = words::verdict(report.verdict);
        let colour = match report.verdict {
            "passed" => AnsiColor::Green,
            "failed" => AnsiColor::Red,
            _ => AnsiColor::Yellow,
        };
        let totals = &report.totals;
        let mut text = format!("{}  {}  ", self.paint(word, colour), clean(&report.plan.id));
        text.push_str(&clean(&words::ends(report, self.clock)));
        if totals.exposure_seconds > 0 {
            let _ = write!(
                text,
                " | {} without protection, all together",
                say_duration(totals.exposure_seconds)
            );
        }
        if let Some((worst, is_of_plan)) = words::worst(report) {
            let _ = write!(
                text,
                " | {}: {} {}",
                if is_of_plan { "worst" } else { "none of the plan's; worst of the others" },
                clean(&worst.key),
                say_duration(worst.exposure_seconds)
            );
            if let Some(age) = worst.oldest_point_seconds {
                let _ = write!(text, ", newest recovery point then {} old", say_duration(age));
            }
        }
        text.push('\n');
        let age = report.inputs.facts_age_seconds.unwrap_or(0);
        let _ = writeln!(
            text,
            "      {} | facts {} | {} | window {}",
            clean(&report.plan.title),
            words::age(age),
            plural(report.steps.len(), "step"),
            clean(&words::window(report, self.clock)),
        );
        let _ = writeln!(
            text,
            "      {}; at most {} without protection at one time",
            words::counts(report),
            totals.most_at_once
        );
        if let Some(said) = words::disagreement(report) {
            let _ = writeln!(text, "      counted with the longest durations; {said}");
        }
        text
    }

    fn accepted(&self) -> String {
        let mut text = String::new();
        for hazard in &self.report.hazards {
            if let Some(accepted) = &hazard.accepted {
                let head = if text.is_empty() { "\nAccepted in the plan\n" } else { "" };
                let _ = writeln!(text, "{head}  {}  {}", hazard.id, clean(&hazard.message));
                let _ = writeln!(text, "      {}", clean(accepted));
            }
        }
        text
    }

    /// Each object with its time without protection.
    fn objects(&self) -> String {
        let exposed: Vec<&ObjectX> =
            self.report.objects.iter().filter(|one| one.exposure_seconds > 0).collect();
        if exposed.is_empty() {
            return String::new();
        }
        let width = exposed.iter().map(|one| clean(&one.key).chars().count()).max().unwrap_or(0);
        let mut text = String::from("\nWithout protection\n");
        for object in exposed {
            let spans = words::episodes(object);
            let spans = spans
                .map(|(from, to)| format!("{}-{}", self.clock.show(from), self.clock.show(to)));
            let _ = writeln!(
                text,
                "  {:<width$}  {}  {}  {}{}",
                clean(&object.key),
                spans.collect::<Vec<_>>().join(", "),
                say_duration(object.exposure_seconds),
                clean(&words::because_of(object).join(", ")),
                if object.ends == "good" { "" } else { "  until somebody notices" }
            );
        }
        text
    }
}

/// Columns as wide as their widest cell.
fn table(rows: &[Vec<String>], indent: &str) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(text, "{indent}{}", cells.join("  ").trim_end());
    }
    text
}
