//! What became of the mutants of rules: for people, and for the JSON report on cases.

use std::fmt::Write as _;
use std::io;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::report::diagnostic::clean;

/// What became of all mutants.
#[derive(Clone, Debug, Serialize)]
pub struct MutationReport {
    /// Hundredths of the mutants that should die which do; none if there is none.
    pub score: Option<f64>,
    /// How many a case killed.
    pub killed: usize,
    /// How many no case noticed.
    pub survived: usize,
    /// How many no case noticed, with a reason.
    pub accepted: usize,
    /// How many are the same rule by proof.
    pub equivalent: usize,
    /// How many the checker did not load.
    pub refused: usize,
    /// Rule by rule.
    pub rules: Vec<MutatedRule>,
}

/// What became of a rule's mutants.
#[derive(Clone, Debug, Serialize)]
pub struct MutatedRule {
    /// The rule.
    pub rule: String,
    /// How many cases are about it.
    pub cases: usize,
    /// How many of its mutants a case killed.
    pub killed: usize,
    /// How many the checker did not load.
    pub refused: usize,
    /// Those that lived on: survivors, accepted and equivalent ones.
    pub alive: Vec<Alive>,
}

/// A mutant that lived on.
#[derive(Clone, Debug, Serialize)]
pub struct Alive {
    /// Its id.
    pub mutant: String,
    /// `survived`, `accepted` or `equivalent`.
    pub fate: &'static str,
    /// File, line and column.
    pub place: String,
    /// What stood there.
    pub before: String,
    /// What stands there now.
    pub after: String,
    /// For a survivor: what a case would need that notices it. Else the reason.
    pub why: String,
}

/// Writes the report for a person: survivors, then the score; all that lived on if asked.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &MutationReport,
    all: bool,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let paint = |text: &str, ansi: AnsiColor| {
        let style = Style::new().fg_color(Some(ansi.into()));
        if colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    };
    let mut text = String::new();
    for rule in &report.rules {
        let shown: Vec<&Alive> =
            rule.alive.iter().filter(|alive| all || alive.fate == "survived").collect();
        if shown.is_empty() {
            continue;
        }
        let _ = writeln!(
            text,
            "{}  {} killed, {} alive; {} {}",
            clean(&rule.rule),
            rule.killed,
            rule.alive.len(),
            rule.cases,
            if rule.cases == 1 { "case" } else { "cases" }
        );
        for alive in shown {
            let _ = writeln!(text, "  {:<10} {}", alive.fate, clean(&alive.mutant));
            let _ = writeln!(text, "    {}", clean(&alive.place));
            let minus = format!("    - {}", clean(&alive.before));
            let plus = format!("    + {}", clean(&alive.after));
            let _ = writeln!(text, "{}", paint(&minus, AnsiColor::Red));
            let _ = writeln!(text, "{}", paint(&plus, AnsiColor::Green));
            let label = if alive.fate == "survived" { "missing case" } else { "because" };
            let _ = writeln!(text, "    {label}: {}", clean(&alive.why));
        }
        text.push('\n');
    }
    let score = match report.score {
        Some(score) => format!("{score:.1} %"),
        None => "none".to_owned(),
    };
    let _ = writeln!(
        text,
        "mutants  score {score}: {} killed, {} survived; {} accepted with a reason, {} equivalent by proof, \
         {} refused by the checker",
        report.killed, report.survived, report.accepted, report.equivalent, report.refused
    );
    out.write_all(text.as_bytes())
}
