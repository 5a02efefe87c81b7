//! What is doubtful about rules, for a person.

use std::fmt::Write as _;
use std::io;

use anstyle::{AnsiColor, Style};

use crate::diagnostic::Diagnostic;
use crate::finding::Severity;
use crate::report::diagnostic::{clean, render};
use crate::report::lint::{Check, LintReport, LooksAt};
use crate::report::test::show_lines;
use crate::source::Sources;

pub(super) fn write(
    report: &LintReport,
    sources: &Sources,
    all: bool,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut text = String::new();
    let shown: Vec<Diagnostic> = report
        .problems
        .iter()
        .filter(|problem| all || problem.allowed.is_none())
        .map(|problem| match &problem.allowed {
            Some(reason) => problem.diagnostic.clone().help(format!("allowed: {reason}")),
            None => problem.diagnostic.clone(),
        })
        .collect();
    if !shown.is_empty() {
        let _ = writeln!(text, "{}", render(&shown, sources, colour));
    }
    for mended in &report.mended {
        let verb = if report.is_dry { "would be mended" } else { "mended" };
        let _ =
            writeln!(text, "{} {verb}: {}", clean(&mended.file), clean(&mended.done.join(", ")));
        let _ = writeln!(text, "{}", show_lines(&mended.lines, colour));
    }
    summary(report, colour, &mut text);
    out.write_all(text.as_bytes())
}

fn paint(text: &str, colour: bool, style: AnsiColor) -> String {
    let style = Style::new().fg_color(Some(style.into())).bold();
    if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn summary(report: &LintReport, colour: bool, text: &mut String) {
    let (word, style) = match report.exit_code() {
        0 => ("CLEAN", AnsiColor::Green),
        1 => ("DOUBTFUL", AnsiColor::Red),
        2 => ("UNREAD", AnsiColor::Red),
        _ => ("NO RULE", AnsiColor::Yellow),
    };
    let mut looked = plural(report.rules, "rule");
    if report.cases > 0 {
        looked = format!("{looked} and {}", plural(report.cases, "case"));
    }
    let counts: Vec<String> = [Severity::Error, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (report.count(severity), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| plural(count, severity.name()))
        .collect();
    let counts = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
    let _ = write!(text, "{} {looked}: {counts}", paint(word, colour, style));
    let allowed = report.problems.len() - report.open().count();
    if allowed > 0 {
        let _ = write!(text, "; {allowed} allowed");
    }
    text.push('\n');
    let fixable = report.open().filter(|problem| problem.is_fixable).count();
    if fixable > 0 && report.mended.is_empty() {
        let _ = writeln!(text, "  `--fix` mends {fixable} of them");
    }
    if report.broken_cases > 0 {
        let cases = plural(report.broken_cases, "case");
        let _ = writeln!(text, "  {cases} cannot be judged; `dpmguard test` says why");
    }
}

/// The checks, a line each.
#[must_use]
pub fn list(checks: &[Check]) -> String {
    let width = checks.iter().map(|check| check.id.len()).max().unwrap_or(0);
    let mut text = String::new();
    for check in checks {
        let mended = if check.is_fixable { " (--fix)" } else { "" };
        let severity = check.severity.name();
        let _ = writeln!(text, "{:<width$}  {severity:<7}  {}{mended}", check.id, check.title);
    }
    text
}

/// A check with its reasons.
#[must_use]
pub fn explain(check: &Check) -> String {
    let looks_at = match check.looks_at {
        LooksAt::Rule => "the rule file",
        LooksAt::Cases => "what the rule does in its cases",
        LooksAt::Rules => "what two rules do in the cases of both",
    };
    let mended = if check.is_fixable { "\n`--fix` mends it." } else { "" };
    let explanation: Vec<String> =
        textwrap::wrap(check.explanation, 100).into_iter().map(Into::into).collect();
    format!(
        "{}: {}\n\n{}\n\nSeverity: {}. It looks at {looks_at}.{mended}\n\
         To allow what it finds, with the reason, in the rule or in pack.yaml:\n\n  \
         lint:\n    allow:\n      - {{ check: {}, reason: ... }}\n",
        check.id,
        check.title,
        explanation.join("\n"),
        check.severity.name(),
        check.id
    )
}
