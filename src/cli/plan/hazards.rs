//! `dpmguard plan hazards`: the kinds of hazard, and a page about each.

use std::fmt::Write as _;

use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::plan::hazard::{self, KINDS, Kind};
use crate::source::Sources;

/// Columns of a page.
const WIDTH: usize = 80;

pub(super) fn run(id: Option<&str>, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let Some(id) = id else {
        let width = KINDS.iter().map(|kind| kind.id.len()).max().unwrap_or(0);
        for kind in KINDS {
            let severity = severity(kind);
            writeln!(streams.out, "{severity:<10}  {:<width$}  {}", kind.id, kind.title)?;
        }
        return Ok(0);
    };
    let Some(kind) = hazard::kind(id) else {
        let problem = Diagnostic::error("unknown-hazard", format!("there is no hazard `{id}`"))
            .suggest(id, KINDS.iter().map(|kind| kind.id))
            .help("`dpmguard plan hazards` lists them");
        return Err(CliError::one(problem, &Sources::default()));
    };
    streams.out.write_all(page(kind).as_bytes())?;
    Ok(0)
}

fn severity(kind: &Kind) -> &'static str {
    if kind.is_unknown { "no verdict" } else { kind.severity.name() }
}

fn page(kind: &Kind) -> String {
    let mut text = format!("{}\n  {}\n\n  severity  {}\n", kind.id, kind.title, severity(kind));
    let accept = if kind.is_acceptable() {
        "a step can take responsibility for it"
    } else if kind.is_unknown {
        "no: nobody takes responsibility for what nobody knows"
    } else {
        "no"
    };
    let _ = write!(text, "  accept    {accept}\n\n");
    paragraph(kind.explanation, &mut text);
    text.push_str("\nHow it is found\n");
    paragraph(kind.found, &mut text);
    if kind.id == "plan-new-finding" {
        text.push_str("\nIts severity is that of the rule.\n");
    }
    if kind.is_acceptable() {
        let _ = write!(
            text,
            "\nAccepting it, in the step\n  accept:\n    - hazard: {}\n      reason: why that is right here\n      \
             by: change board\n      until: 2009-09-30\n",
            kind.id
        );
    }
    text
}

fn paragraph(said: &str, text: &mut String) {
    let mut line = String::from(" ");
    for word in said.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = String::from(" ");
        }
        line.push(' ');
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
}
