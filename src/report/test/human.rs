//! The report on cases for a person: what is not well, with what is needed to see why.

use std::fmt::Write as _;
use std::io;

use anstyle::{AnsiColor, Style};

use crate::report::coverage;
use crate::report::diagnostic::clean;
use crate::report::diff::Line;
use crate::report::mutation;
use crate::report::test::{Decided, Status, TestCase, TestReport};

/// Most lines of a difference that are shown.
const MOST_LINES: usize = 60;

pub(super) fn write(
    report: &TestReport,
    all: bool,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut text = String::new();
    for shown in report.cases.iter().filter(|shown| all || !shown.status.is_good()) {
        text.push_str(&case(shown, colour));
    }
    for path in &report.unreferenced {
        let verb = if report.is_removed { "removed" } else { "unreferenced" };
        let _ = writeln!(text, "{verb}  {} belongs to no case", clean(path));
    }
    if !report.unreferenced.is_empty() && !report.is_removed {
        text.push_str("  `--unreferenced=delete` removes such snapshots\n");
    }
    if let Some(coverage) = &report.coverage {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&coverage::show(coverage, colour));
    }
    text.push_str(&summary(report, colour));
    out.write_all(text.as_bytes())?;
    match &report.mutation {
        Some(mutation) => {
            out.write_all(b"\n")?;
            mutation::write(mutation, all, colour, out)
        }
        None => Ok(()),
    }
}

fn paint(text: &str, colour: bool, style: Style) -> String {
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

fn coloured(colour: AnsiColor) -> Style {
    Style::new().fg_color(Some(colour.into()))
}

/// A case with all that is not well with it.
#[must_use]
pub fn case(case: &TestCase, colour: bool) -> String {
    let (word, style) = match case.status {
        Status::Passed => ("passed", AnsiColor::Green),
        Status::Accepted => ("accepted", AnsiColor::Green),
        Status::Failed => ("FAILED", AnsiColor::Red),
        Status::Changed => ("CHANGED", AnsiColor::Red),
        Status::New => ("NEW", AnsiColor::Yellow),
        Status::Error => ("ERROR", AnsiColor::Red),
    };
    let word = paint(&format!("{word:<8}"), colour, coloured(style).bold());
    let mut text = format!("{word} {}", clean(&case.name));
    if case.status.is_good() {
        text.push('\n');
        return text;
    }
    let _ = write!(text, "  {}\n         {}\n", clean(&case.title), clean(&case.file));
    for differing in &case.differences {
        let subject = match differing.subject.as_str() {
            "" => "no subject was judged".to_owned(),
            key => clean(key),
        };
        let _ = writeln!(text, "  {}: {subject}", clean(&differing.rule));
        let list = |names: &[&str]| match names {
            [] => "nothing".to_owned(),
            names => names.join(" and "),
        };
        let minus = format!("    - expected {}", list(&differing.expected));
        let plus = format!("    + actual   {}", list(&differing.actual));
        let _ = writeln!(text, "{}", paint(&minus, colour, coloured(AnsiColor::Red)));
        let _ = writeln!(text, "{}", paint(&plus, colour, coloured(AnsiColor::Green)));
        if let Some(decided) = &differing.decided {
            show_decided(decided, &mut text);
        }
    }
    for miss in &case.misses {
        let _ = writeln!(text, "  {}", one(&miss.what));
        let minus = format!("    - expected {}", one(&miss.expected));
        let plus = format!("    + actual   {}", one(&miss.actual));
        let _ = writeln!(text, "{}", paint(&minus, colour, coloured(AnsiColor::Red)));
        let _ = writeln!(text, "{}", paint(&plus, colour, coloured(AnsiColor::Green)));
    }
    match case.status {
        Status::Changed => {
            text.push_str("  the report differs from the snapshot:\n");
            text.push_str(&lines(&case.changed, colour));
        }
        Status::New => text.push_str("  there is no snapshot yet; `--accept` writes it\n"),
        _ => {}
    }
    if !case.problems.is_empty() {
        for line in case.problems.lines() {
            let _ = writeln!(text, "  {line}");
        }
    }
    text.push('\n');
    text
}

fn show_decided(decided: &Decided, text: &mut String) {
    let _ =
        writeln!(text, "    decided by `{}`, which was {}", decided.clause, one(&decided.value));
    let _ = writeln!(text, "      {}", clean(&decided.place));
    for line in decided.text.trim_end().lines() {
        let _ = writeln!(text, "      {}", clean(line));
    }
    let width = decided.operands.iter().map(|one| one.text.chars().count()).max().unwrap_or(0);
    let width = width.min(40);
    for operand in &decided.operands {
        let (name, value) = (one(&operand.text), one(&operand.value));
        let _ = writeln!(text, "        {name:<width$} = {value}");
        for place in operand.facts.iter().filter_map(|fact| fact.place.as_ref()) {
            let place = format!("{}:{}:{}", place.file, place.line, place.column);
            let _ = writeln!(text, "        {:<width$}   {}", "", clean(&place));
        }
    }
}

fn one(text: &str) -> String {
    clean(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The lines of a difference.
#[must_use]
pub fn lines(lines: &[Line], colour: bool) -> String {
    let mut text = String::new();
    for line in lines.iter().take(MOST_LINES) {
        let said = format!("    {} {}", line.sign, clean(&line.text));
        let said = match line.sign {
            '-' => paint(&said, colour, coloured(AnsiColor::Red)),
            '+' => paint(&said, colour, coloured(AnsiColor::Green)),
            '@' => paint(&said, colour, coloured(AnsiColor::Cyan)),
            _ => said,
        };
        let _ = writeln!(text, "{}", said.trim_end());
    }
    if lines.len() > MOST_LINES {
        let _ = writeln!(text, "    ... {} more lines", lines.len() - MOST_LINES);
    }
    text
}

fn summary(report: &TestReport, colour: bool) -> String {
    let (word, style) = match report.exit_code() {
        0 => ("PASSED", AnsiColor::Green),
        3 => ("NO CASE", AnsiColor::Yellow),
        1 if report.cases.iter().all(|case| case.status.is_good()) => ("TOO FEW", AnsiColor::Red),
        _ => ("FAILED", AnsiColor::Red),
    };
    let plural =
        |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let mut parts = Vec::new();
    for (status, name) in [
        (Status::Passed, "passed"),
        (Status::Accepted, "accepted"),
        (Status::Failed, "failed"),
        (Status::Changed, "changed"),
        (Status::New, "new"),
        (Status::Error, "in error"),
    ] {
        let count = report.count(status);
        if count > 0 {
            parts.push(format!("{count} {name}"));
        }
    }
    let word = paint(word, colour, coloured(style).bold());
    let (cases, rules) = (plural(report.cases.len(), "case"), report.judged());
    let mut text = match parts.as_slice() {
        [] if report.left_out > 0 => {
            let all = plural(report.left_out, "case");
            format!("{word}  the filter leaves none of {all}\n")
        }
        [] => format!("{word}  no case was found\n"),
        parts => format!("{word}  {cases} of {rules}: {}\n", parts.join(", ")),
    };
    if !report.without_cases.is_empty() {
        let names: Vec<String> = report.without_cases.iter().map(|id| clean(id)).collect();
        let _ = writeln!(text, "  without a case: {}", names.join(", "));
    }
    text
}
