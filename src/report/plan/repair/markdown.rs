//! The report on a repair as Markdown, for the ticket of the change: the repair first, then the report of the repaired plan.

use std::fmt::Write as _;
use std::io;

use crate::facts::time::say_duration;
use crate::plan::time::Clock;
use crate::report::markup::plain as markdown;
use crate::report::plan::repair::RepairReport;
use crate::report::plan::repair::human::{
    edited, ends, proven, sign, title, weighted, when, with_the_longest,
};
use crate::report::plan::write_markdown;

/// Writes the report; with a limit, no longer than so many characters, the head aside.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &RepairReport,
    clock: &Clock,
    max_chars: Option<usize>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut text = head(report, clock);
    let most = max_chars.map(|most| most.saturating_sub(text.chars().count()));
    if let Some(repaired) = &report.repaired {
        let mut rest = Vec::new();
        write_markdown(&repaired.report, clock, most, &mut rest)?;
        let rest = String::from_utf8_lossy(&rest);
        text.push_str("\n---\n\n# The repaired plan\n\n");
        text.push_str(&rest);
    }
    out.write_all(text.as_bytes())
}

fn head(report: &RepairReport, clock: &Clock) -> String {
    let (word, _) = title(report);
    let mut text =
        format!("**{word}** {}: {}\n", markdown(&report.plan.id), markdown(&ends(report, clock)));
    let sure = proven(report);
    if !sure.is_empty() && report.status != "unchanged" {
        let _ = write!(text, "\n{}.\n", markdown(&capital(&sure)));
    }
    if let Some(said) = with_the_longest(report, clock) {
        let _ = write!(text, "\n{}.\n", markdown(&capital(&said)));
    }
    if let Some(why) = &report.why_not {
        let _ = write!(text, "\n{}\n", markdown(why));
    }
    for wrong in &report.disagreements {
        let _ = write!(text, "\n**A second checker disagrees:** {}\n", markdown(wrong));
    }
    if let Some(repaired) = &report.repaired {
        let _ = write!(text, "\n## What is changed\n\n{}.\n\n", capital(&edited(repaired)));
        text.push_str("| | Time | Step | What | Why |\n|---|---|---|---|---|\n");
        for row in &repaired.steps {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                sign(row.op),
                when(row, clock),
                markdown(&row.step),
                markdown(&row.action),
                markdown(&row.said)
            );
        }
        for edit in repaired.edits.iter().filter(|edit| edit.op == "delete") {
            let _ = writeln!(
                text,
                "| - | | {} | {} | taken out: {} |",
                markdown(&edit.step),
                markdown(&edit.action),
                markdown(&edit.said)
            );
        }
    }
    if let Some(core) = &report.core {
        text.push_str("\n## Why there is no plan\n\n");
        for (number, reason) in core.reasons.iter().enumerate() {
            let _ = writeln!(text, "{}. {}", number + 1, markdown(reason));
        }
        text.push_str("\nThese conditions contradict each other:\n\n");
        list(&mut text, &core.members);
        if !core.relaxations.is_empty() {
            text.push_str("\nAny one of these lets a plan exist:\n\n");
            list(&mut text, &core.relaxations);
        }
    }
    if !report.alternatives.is_empty() {
        text.push_str("\n## Other ways\n\n");
        let all: Vec<String> = report.alternatives.iter().map(|one| one.said.clone()).collect();
        list(&mut text, &all);
    }
    if !report.sensitivity.is_empty() {
        text.push_str("\n## What would help\n\n");
        for one in &report.sensitivity {
            let _ = writeln!(
                text,
                "- {}: {} without protection{}, done at {}{}",
                markdown(&one.said),
                say_duration(one.exposure_seconds),
                weighted(report),
                clock.show_day(one.end_seconds),
                if one.is_proven { "" } else { ", or less" }
            );
        }
    }
    if !report.not_inserted.is_empty() {
        text.push_str("\n## What the rules ask for and nobody could put in\n\n");
        let all: Vec<String> = report
            .not_inserted
            .iter()
            .map(|one| {
                format!("for {}: {} Not put in: {}", one.objects.join(", "), one.said, one.why)
            })
            .collect();
        list(&mut text, &all);
    }
    if let Some(repaired) = &report.repaired
        && !repaired.diff.is_empty()
    {
        let fence = if repaired.diff.contains("```") { "~~~~" } else { "```" };
        let _ =
            write!(text, "\n## The change of the file\n\n{fence}diff\n{}{fence}\n", repaired.diff);
    }
    text
}

fn list(text: &mut String, all: &[String]) {
    for one in all {
        let _ = writeln!(text, "- {}", markdown(one));
    }
}

/// A sentence of its own.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
