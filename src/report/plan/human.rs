//! The report on a plan for a person: the verdict first, then what is wrong, then the table, then what else
//! can be said.

mod more;

use std::fmt::Write as _;
use std::io;

use anstyle::{AnsiColor, Style};

use crate::diagnostic::{Diagnostic, Level};
use crate::facts::time::say_duration;
use crate::finding::Severity;
use crate::plan::hazard::{Hazard, Judged};
use crate::plan::time::Clock;
use crate::report::diagnostic::{clean, render};
use crate::report::plan::jobs;
use crate::report::plan::words::{self, plural};
use crate::report::plan::{IntervalX, ObjectX, PlanReport, StepX};
use crate::source::Sources;

/// Most objects that have a column of their own.
const MOST_COLUMNS: usize = 6;

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
    for hazard in judged.hazards.iter().filter(|hazard| hazard.accepted.is_none()) {
        text.push('\n');
        text.push_str(&render(&[diagnostic(hazard)], sources, colour));
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

struct Page<'a> {
    report: &'a PlanReport,
    clock: &'a Clock,
    colour: bool,
}

impl Page<'_> {
    fn paint(&self, text: &str, colour: AnsiColor) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let style = Style::new().fg_color(Some(colour.into())).bold();
        format!("{style}{text}{style:#}")
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
        if let Some(worst) = self.worst() {
            let _ = write!(
                text,
                " | worst: {} {}",
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
            "      {} | facts {} old when it opens | {} | window {} to {} {}",
            clean(&report.plan.title),
            say_duration(age),
            plural(report.steps.len(), "step"),
            self.clock.show_day(0),
            self.clock.show(report.plan.end_seconds),
            clean(&report.plan.zone),
        );
        let count = |severity: &str| {
            report
                .hazards
                .iter()
                .filter(|one| one.severity == severity && one.accepted.is_none())
                .count()
        };
        let _ = writeln!(
            text,
            "      {}, {}, {}; at most {} without protection at one time",
            plural(count("error"), "error"),
            plural(count("warning"), "warning"),
            plural(count("note"), "note"),
            totals.most_at_once
        );
        if let Some(said) = words::disagreement(report) {
            let _ = writeln!(text, "      counted with the longest durations; {said}");
        }
        text
    }

    fn end(&self) -> i64 {
        self.report.plan.checks_until_seconds
    }

    fn worst(&self) -> Option<&ObjectX> {
        let worst = self.report.objects.iter().max_by_key(|one| one.exposure_seconds)?;
        (worst.exposure_seconds > 0).then_some(worst)
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

    /// The steps against the objects.
    fn table(&self) -> String {
        let shown: Vec<&ObjectX> = self.columns();
        let mut rows: Vec<Vec<String>> = Vec::new();
        let mut head = vec!["step".to_owned(), "time".to_owned(), "action".to_owned()];
        head.extend(shown.iter().map(|object| clean(&object.key)));
        rows.push(head);
        for step in &self.report.steps {
            let mut row = vec![clean(&step.id), self.time(step), clean(&step.action)];
            row.extend(shown.iter().map(|object| self.cell(step, object)));
            rows.push(row);
        }
        let mut last = vec!["end".to_owned(), self.clock.show(self.end()), String::new()];
        last.extend(shown.iter().map(|object| {
            let state = object.intervals.last().map_or("", |one| sign(one.phase, one.is_blocked));
            match object.exposure_seconds {
                0 => state.to_owned(),
                seconds => format!("{state} {}", say_duration(seconds)),
            }
        }));
        rows.push(last);
        let mut text = String::from("\n");
        text.push_str(&table(&rows, " "));
        text.push_str(
            " .  protected   x  not protected, a check cures it   X  not protected, a cause stands   \
             ~  check running   ?  nobody can say\n",
        );
        let left = self.report.objects.len() - shown.len();
        if left > 0 {
            let _ = writeln!(
                text,
                " {} without a column: all are listed below or stay as they are",
                plural(left, "object")
            );
        }
        text
    }

    /// The objects to which something happens, the worst first.
    fn columns(&self) -> Vec<&ObjectX> {
        let mut touched: Vec<&ObjectX> = self
            .report
            .objects
            .iter()
            .filter(|one| one.ends != "outside" && (one.intervals.len() > 1 || one.ends != "good"))
            .collect();
        if touched.len() > MOST_COLUMNS {
            touched.sort_by_key(|one| std::cmp::Reverse(one.exposure_seconds));
            touched.truncate(MOST_COLUMNS);
        }
        touched
    }

    fn time(&self, step: &StepX) -> String {
        match (step.start_seconds, step.end_seconds) {
            (Some(start), Some(end)) if end > start => {
                format!("{}-{}", self.clock.show(start), self.clock.show(end))
            }
            (Some(start), _) => self.clock.show(start),
            _ => "never".to_owned(),
        }
    }

    /// The state of an object when a step has ended, with what the step did to it.
    fn cell(&self, step: &StepX, object: &ObjectX) -> String {
        let is_its_check =
            step.status == "refused" && step.with.iter().any(|(_, value)| *value == object.key);
        if is_its_check {
            return "refused".to_owned();
        }
        let state = match step.after.iter().find(|one| one.key == object.key) {
            Some(one) => sign(one.phase, one.is_blocked),
            None if object.ends == "outside" => "-",
            None => ".",
        };
        let mut opened: Vec<&str> = step
            .opened
            .iter()
            .filter(|_| step.harmed.contains(&object.key))
            .filter_map(|number| self.report.causes.get(*number))
            .map(|cause| cause.rule.as_str())
            .collect();
        opened.dedup();
        match opened.as_slice() {
            [] => state.to_owned(),
            [one] => format!("{state} {one}"),
            [one, more @ ..] => format!("{state} {one} +{}", more.len()),
        }
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
            let spans = object.intervals.iter().filter(|one| is_exposed(one));
            let from = spans.clone().map(|one| one.from).min().unwrap_or(0);
            let to = spans.clone().map(|one| one.to).max().unwrap_or(0);
            let mut steps: Vec<&str> =
                spans.flat_map(|one| one.caused_by.iter().map(String::as_str)).collect();
            steps.sort_unstable();
            steps.dedup();
            let _ = writeln!(
                text,
                "  {:<width$}  {}-{}  {}  {}{}",
                clean(&object.key),
                self.clock.show(from),
                self.clock.show(to),
                say_duration(object.exposure_seconds),
                clean(&steps.join(", ")),
                if object.ends == "good" { "" } else { "  until somebody notices" }
            );
        }
        text
    }
}

fn is_exposed(interval: &IntervalX) -> bool {
    matches!(interval.phase, "bad" | "busy" | "unknown")
}

fn sign(phase: &str, is_blocked: bool) -> &'static str {
    match phase {
        "good" => ".",
        "busy" => "~",
        "unknown" => "?",
        "bad" if is_blocked => "X",
        "bad" => "x",
        _ => "-",
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
