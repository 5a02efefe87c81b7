//! Lines of a text, and replacements in it.

use std::ops::Range;

/// A replacement.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    /// Bytes of the text that go.
    pub(super) range: Range<usize>,
    /// What comes for them.
    pub(super) text: String,
}

impl Edit {
    pub(super) fn insert(at: usize, text: String) -> Self {
        Self { range: at..at, text }
    }

    pub(super) fn remove(range: Range<usize>) -> Self {
        Self { range, text: String::new() }
    }
}

/// A part of a text; empty where there is none.
pub(super) fn part(text: &str, range: Range<usize>) -> &str {
    text.get(range).unwrap_or_default()
}

/// Where the line begins that holds byte `at`.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    part(text, 0..at).rfind('\n').map_or(0, |position| position + 1)
}

/// Where the line ends, its line break included.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    part(text, at..text.len()).find('\n').map_or(text.len(), |length| at + length + 1)
}

/// Where the line ends, without its line break.
pub(super) fn line_stop(text: &str, at: usize) -> usize {
    let rest = part(text, at..line_end(text, at));
    at + rest.trim_end_matches('\n').trim_end_matches('\r').len()
}

/// The range without white space at its end.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    range.start..range.start + part(text, range.clone()).trim_end().len()
}

/// Characters of the line before byte `at`.
pub(super) fn column(text: &str, at: usize) -> usize {
    part(text, line_start(text, at)..at).chars().count()
}

pub(super) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

pub(super) fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// Whether white space and comments are all there is.
pub(super) fn is_silent(text: &str) -> bool {
    text.lines().all(|line| is_blank(line) || is_comment(line))
}

/// The line break that a text has.
pub(super) fn line_break(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if part(text, 0..at).ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// A part of a text with the replacements that lie in it; none if two of them overlap.
pub(super) fn applied(text: &str, range: Range<usize>, edits: &[Edit]) -> Option<String> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.range.start, edit.range.end));
    let mut out = String::new();
    let mut at = range.start;
    for edit in edits {
        out.push_str(text.get(at..edit.range.start)?);
        out.push_str(&edit.text);
        at = edit.range.end;
    }
    out.push_str(text.get(at..range.end)?);
    Some(out)
}

/// Lines moved from one column to another.
pub(super) fn shifted(lines: &str, from: usize, to: usize) -> String {
    let mut out = String::with_capacity(lines.len());
    for line in lines.split_inclusive('\n') {
        let blanks = line.len() - line.trim_start_matches(' ').len();
        if from > to {
            out.push_str(part(line, (from - to).min(blanks)..line.len()));
        } else {
            if !is_blank(line) {
                out.push_str(&" ".repeat(to - from));
            }
            out.push_str(line);
        }
    }
    out
}

/// The same, of all lines but the first.
pub(super) fn shifted_behind(text: &str, from: usize, to: usize) -> String {
    match text.split_once('\n') {
        Some((first, rest)) => format!("{first}\n{}", shifted(rest, from, to)),
        None => text.to_owned(),
    }
}

/// Blanks before the line that has the fewest, of all but the first.
pub(super) fn least(text: &str) -> usize {
    let lines = text.lines().skip(1).filter(|line| !is_blank(line));
    lines.map(|line| line.len() - line.trim_start_matches(' ').len()).min().unwrap_or_default()
}
