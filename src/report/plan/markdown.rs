//! The report on a plan as Markdown for the ticket of the change: no folds, no HTML, tables of at most six
//! columns, and a limit of length that cuts from the bottom.

mod sections;

use std::fmt::Write as _;
use std::io;

use crate::plan::time::Clock;
use crate::report::plan::PlanReport;
use crate::report::plan::markdown::sections::sections;

/// A part of the page: what must not be cut off from its first line, and lines that can go.
pub(super) struct Section {
    /// Its title; none for the verdict.
    title: &'static str,
    /// Lines that stand above all others, such as the head of a table.
    head: String,
    /// Its lines.
    lines: Vec<String>,
}

/// Writes the report; with a limit, no longer than so many characters, the verdict aside.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &PlanReport,
    clock: &Clock,
    max_chars: Option<usize>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let sections = sections(report, clock);
    let whole: String = sections.iter().map(|section| section.text(section.lines.len())).collect();
    let fits = max_chars.is_none_or(|most| whole.chars().count() <= most);
    let text = match max_chars {
        Some(most) if !fits => cut(&sections, most),
        _ => whole,
    };
    out.write_all(text.as_bytes())
}

impl Section {
    /// The section with its first lines.
    fn text(&self, lines: usize) -> String {
        let mut text = String::new();
        if !self.title.is_empty() {
            let _ = write!(text, "\n## {}\n\n", self.title);
        }
        text.push_str(&self.head);
        for line in self.lines.iter().take(lines) {
            text.push_str(line);
            text.push('\n');
        }
        text
    }
}

/// As much as fits, from the top, with a line that says what is missing.
fn cut(sections: &[Section], most: usize) -> String {
    let Some((verdict, rest)) = sections.split_first() else { return String::new() };
    let mut text = verdict.text(verdict.lines.len());
    // What the line at the end takes, were everything to be named.
    let room = most.saturating_sub(missing(rest, 0, 0, most).chars().count());
    let mut used = text.chars().count();
    for (position, section) in rest.iter().enumerate() {
        let whole = section.text(section.lines.len());
        let length = whole.chars().count();
        if used + length <= room {
            used += length;
            text.push_str(&whole);
            continue;
        }
        let mut lines = section.lines.len();
        while lines > 0 && used + section.text(lines).chars().count() > room {
            lines -= 1;
        }
        if lines > 0 {
            text.push_str(&section.text(lines));
        }
        text.push_str(&missing(rest, position, lines, most));
        break;
    }
    text
}

/// What is left out, from the lines of a section on.
fn missing(sections: &[Section], from: usize, lines: usize, most: usize) -> String {
    let mut left: Vec<String> = Vec::new();
    for (position, section) in sections.iter().enumerate().skip(from) {
        let kept = if position == from { lines } else { 0 };
        left.push(match kept {
            0 => format!("all of {}", section.title),
            kept => format!(
                "{} of {} lines of {}",
                section.lines.len() - kept,
                section.lines.len(),
                section.title
            ),
        });
    }
    format!("\n**Cut to {most} characters.** Left out: {}.\n", left.join(", "))
}
