//! The report as JSON, two spaces deep; the home of `serde_json` for writing.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;

use crate::report::Run;
use crate::report::v1::Report;

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    pretty(&Report::new(run), out)
}

/// Writes a document, two spaces deep, with a line end behind it.
///
/// # Errors
///
/// Only those of `out`.
pub(in crate::report) fn pretty<T: Serialize>(
    document: &T,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let text = serde_json::to_string_pretty(document).map_err(io::Error::from)?;
    out.write_all(masked(&text).as_bytes())?;
    out.write_all(b"\n")
}

/// A text in quotes, as JSON (and YAML) has it.
pub(in crate::report) fn text(text: &str) -> String {
    masked(&serde_json::Value::from(text).to_string())
}

/// Whether a character could move a cursor or turn the reading order where a document is shown raw.
pub(in crate::report) fn is_unsafe(c: char) -> bool {
    let is_control = c < ' ' && !matches!(c, '\n' | '\t');
    let turns =
        matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    is_control || turns || ('\u{7F}'..='\u{9F}').contains(&c)
}

/// JSON with such characters written by their numbers; they stand in texts only.
fn masked(json: &str) -> String {
    if !json.contains(is_unsafe) {
        return json.to_owned();
    }
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) {
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    safe
}
