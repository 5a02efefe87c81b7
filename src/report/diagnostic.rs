//! Diagnostics as rustc draws them; the home of `annotate_snippets`.
//!
//! That crate panics on ranges it does not like and scans all it is given, so it gets few lines of
//! source at a time, long ones cut to a window, and ranges that have been checked. It counts columns
//! from where the window begins; therefore each snippet is drawn under a mark in place of its file's
//! name, and the mark is replaced by the true location.

use std::fmt::Write as _;
use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Element, Level, Renderer, Snippet, normalize_untrusted_str,
};

use crate::diagnostic::{self, Diagnostic, Place};
use crate::source::{Source, Sources};

/// Longest line handed on whole, in bytes.
const LONG_LINE: usize = 2_000;
/// Bytes kept on either side of the place in a longer line; the drawing is narrower.
const MARGIN: usize = 400;
/// Most bytes between the first and the last line of a snippet.
const MAX_SNIPPET: usize = 8_000;
/// What a snippet is drawn under, with its number between; `clean` lets neither through.
const MARK: [char; 2] = ['\u{F0000}', '\u{F0001}'];
/// Related places drawn; a thousand would bury the message.
const MAX_RELATED: usize = 8;

/// Draws `diagnostics` by file and place, with the lines they are about.
///
/// # Shape
///
/// One after another with an empty line between; those without a place come first. Of a place of
/// several lines the first is marked. No summary. With `colour`, ANSI escapes.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut sorted: Vec<&Diagnostic> = diagnostics.iter().collect();
    sorted.sort_by_key(|diagnostic| diagnostic.place.map(|place| (place.file, place.start)));
    let drawn: Vec<String> = sorted.iter().map(|one| draw(one, None, sources, &renderer)).collect();
    if drawn.is_empty() { String::new() } else { drawn.join("\n\n") + "\n" }
}

/// Draws one diagnostic as [`render`] does, with another word for its level.
#[must_use]
pub fn render_as(word: &str, diagnostic: &Diagnostic, sources: &Sources, colour: bool) -> String {
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    draw(diagnostic, Some(word), sources, &renderer) + "\n"
}

/// The diagnostic on one line: `file:line:column: error[code]: message`.
#[must_use]
pub fn plain(diagnostic: &Diagnostic, sources: &Sources) -> String {
    let mut line = String::new();
    if let Some(place) = diagnostic.place {
        // Writing to a string cannot fail.
        let _ = write!(line, "{}: ", clean(&sources.location(place).to_string()));
    }
    let level = match diagnostic.level {
        diagnostic::Level::Error => "error",
        diagnostic::Level::Warning => "warning",
        diagnostic::Level::Note => "note",
    };
    let _ = write!(line, "{level}[{}]: {}", diagnostic.code, clean(&diagnostic.message));
    line
}

fn draw(
    diagnostic: &Diagnostic,
    word: Option<&str>,
    sources: &Sources,
    renderer: &Renderer,
) -> String {
    let level = match diagnostic.level {
        diagnostic::Level::Error => Level::ERROR,
        diagnostic::Level::Warning => Level::WARNING,
        diagnostic::Level::Note => Level::NOTE,
    };
    let level = match word {
        Some(word) => level.with_name(word),
        None => level,
    };
    let title = level.primary_title(clean(&diagnostic.message)).id(diagnostic.code);
    let extracts = extracts(diagnostic, sources);
    let snippets = extracts.iter().enumerate().map(|(number, extract)| extract.snippet(number));
    let notes = diagnostic.notes.iter().map(|note| Level::NOTE.message(clean(note)));
    let helps = diagnostic.help.iter().map(|help| Level::HELP.message(clean(help)));
    let group = title.elements(snippets).elements(notes.chain(helps).map(Element::from));
    let drawn = renderer.render(&[group]);
    let drawn = extracts.iter().enumerate().fold(drawn, |drawn, (number, extract)| {
        locate(&drawn, number, &clean(&sources.location(extract.place).to_string()))
    });
    // Lines of nothing but margin end in blanks.
    let lines: Vec<&str> = drawn.lines().map(str::trim_end).collect();
    lines.join("\n")
}

fn mark(number: usize) -> String {
    let [open, close] = MARK;
    format!("{open}{number}{close}")
}

/// Puts `location` in place of the mark of that number and the line and column after it.
fn locate(drawn: &str, number: usize, location: &str) -> String {
    match drawn.split_once(&mark(number)) {
        Some((before, after)) => {
            let after = after.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
            format!("{before}{location}{after}")
        }
        None => drawn.to_owned(),
    }
}

/// Lines to draw, with what is marked in them.
struct Extract<'a> {
    place: Place,
    source: &'a Source,
    /// Index of the first line.
    index: usize,
    /// What is drawn, in bytes of the file.
    window: Range<usize>,
    marked: Vec<(AnnotationKind, Range<usize>, String)>,
}

/// The lines of the place and of the related ones, in the order in which they are worth reading.
fn extracts<'a>(diagnostic: &Diagnostic, sources: &'a Sources) -> Vec<Extract<'a>> {
    let label = diagnostic.label.as_deref().unwrap_or_default();
    let primary = diagnostic.place.map(|place| (AnnotationKind::Primary, place, label));
    let related = diagnostic.related.iter().take(MAX_RELATED);
    let related = related.map(|(place, label)| (AnnotationKind::Context, *place, label.as_str()));
    let mut extracts: Vec<Extract<'a>> = Vec::new();
    for (kind, place, label) in primary.into_iter().chain(related) {
        let Some(source) = sources.get(place.file) else { continue };
        let extract = Extract::new(source, sources.location(place).line, place, kind, clean(label));
        match extracts.iter_mut().find(|other| other.can_take(&extract)) {
            Some(other) => other.take(extract),
            None => extracts.push(extract),
        }
    }
    extracts
}

impl<'a> Extract<'a> {
    fn new(
        source: &'a Source,
        line: u32,
        place: Place,
        kind: AnnotationKind,
        label: String,
    ) -> Self {
        let index = (line as usize).saturating_sub(1);
        let (line, text) = (source.line(index), source.text());
        let start = text.floor_char_boundary(place.start as usize).clamp(line.start, line.end);
        let end = text.ceil_char_boundary(place.end as usize).clamp(start, line.end);
        let window = window(text, &line, start..end);
        let marked = vec![(kind, start..end.min(window.end), label)];
        Self { place, source, index, window, marked }
    }

    /// Whether both are of one file, whole, and near.
    fn can_take(&self, other: &Self) -> bool {
        let start = self.window.start.min(other.window.start);
        let end = self.window.end.max(other.window.end);
        self.place.file == other.place.file
            && end - start <= MAX_SNIPPET
            && self.is_whole()
            && other.is_whole()
    }

    /// Whether the window begins and ends with a line.
    fn is_whole(&self) -> bool {
        let text = self.source.text();
        let before = text.get(..self.window.start).unwrap_or_default();
        let after = text.get(self.window.end..).unwrap_or_default();
        (before.is_empty() || before.ends_with('\n'))
            && (after.is_empty() || after.starts_with(['\r', '\n']))
    }

    fn take(&mut self, other: Self) {
        self.index = self.index.min(other.index);
        self.window.start = self.window.start.min(other.window.start);
        self.window.end = self.window.end.max(other.window.end);
        self.marked.extend(other.marked);
    }

    fn snippet(&self, number: usize) -> Snippet<'a, Annotation<'a>> {
        let text = self.source.text().get(self.window.clone()).unwrap_or_default();
        let annotations = self.marked.iter().map(|(kind, range, label)| {
            let start = text.floor_char_boundary(range.start.saturating_sub(self.window.start));
            let end = text.ceil_char_boundary(range.end.saturating_sub(self.window.start));
            let label = (!label.is_empty()).then(|| label.clone());
            kind.span(start..end.max(start)).label(label)
        });
        Snippet::source(text).path(mark(number)).line_start(self.index + 1).annotations(annotations)
    }
}

/// What of a line is drawn: all, or the surroundings of what is marked.
fn window(text: &str, line: &Range<usize>, marked: Range<usize>) -> Range<usize> {
    if line.len() <= LONG_LINE {
        return line.clone();
    }
    let start = text.floor_char_boundary(marked.start.saturating_sub(MARGIN)).max(line.start);
    let end = marked.end.min(marked.start + MARGIN) + MARGIN;
    start..text.floor_char_boundary(end).clamp(marked.start, line.end)
}

/// Text from a file without what could move the cursor or turn the reading order.
pub fn clean(text: &str) -> String {
    let line = text.replace(['\r', '\n'], " ").replace(MARK, "\u{FFFD}");
    // Some terminals take the controls behind ASCII for the beginning of a sequence, too.
    // What nobody sees could make two names look alike, or turn the reading order.
    let is_hidden = |c: char| {
        ('\u{80}'..'\u{A0}').contains(&c)
            || ('\u{200B}'..='\u{200F}').contains(&c)
            || ('\u{2028}'..='\u{2029}').contains(&c)
            || ('\u{2060}'..='\u{2064}').contains(&c)
            || c == '\u{FEFF}'
    };
    let line = line.replace(is_hidden, "\u{FFFD}");
    normalize_untrusted_str(&line)
}

#[cfg(test)]
mod tests;
