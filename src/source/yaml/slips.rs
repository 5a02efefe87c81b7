//! Slips of indentation and of blanks, found near the place where the parser noticed that something is wrong.
//!
//! A parser tells where it could not go on, which for these is a line too late, and what it tells is about
//! the colon that it met there.

use std::ops::Range;

use granit_parser::ErrorKind;

/// What was most likely done.
pub(super) struct Slip {
    /// Bytes of the text.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: String,
}

/// A line with something on it.
struct Line<'a> {
    /// Its first byte.
    start: usize,
    text: &'a str,
}

impl<'a> Line<'a> {
    /// Blanks before its content; the dashes of lists count as such.
    fn indent(&self) -> usize {
        let rest = self.text.trim_start_matches([' ', '-']);
        let dashed = self.text.trim_start_matches(' ').starts_with("- ");
        let plain = self.text.len() - self.text.trim_start_matches(' ').len();
        if dashed { self.text.len() - rest.len() } else { plain }
    }

    fn content(&self) -> &'a str {
        self.text.get(self.indent()..).unwrap_or_default()
    }

    /// Its key, and what stands behind the colon.
    fn key(&self) -> Option<(&'a str, &'a str)> {
        let (key, rest) = self.content().split_once(':')?;
        let is_key = is_word(key) && (rest.is_empty() || rest.starts_with(' '));
        is_key.then_some((key, rest.trim()))
    }

    /// The key, where no blank stands behind its colon.
    fn glued(&self) -> Option<(&'a str, &'a str)> {
        let (key, rest) = self.content().split_once(':')?;
        let is_glued =
            is_word(key) && !rest.is_empty() && !rest.starts_with([' ', '\t', '/', '\\', ':']);
        is_glued.then_some((key, rest))
    }

    fn span(&self, part: &str) -> Range<usize> {
        let start = self.start + self.indent();
        start..start + part.len()
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
}

/// The slip behind an error that was noticed at a byte; none where it is something else.
pub(super) fn find(text: &str, at: usize, kind: &ErrorKind) -> Option<Slip> {
    if text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let lines = lines(text);
    let here = lines.iter().rposition(|line| line.start <= at)?;
    let is_tab = matches!(
        kind,
        ErrorKind::TabInBlockIndentation
            | ErrorKind::TabInIndentation
            | ErrorKind::TabNotAllowed
            | ErrorKind::TabInPlainScalar
            | ErrorKind::TabAtBlockScalarStart
    );
    let near = [Some(here), here.checked_add(1), here.checked_sub(1)];
    let near = || near.iter().flatten().filter_map(|position| lines.get(*position));
    if let Some(slip) = near().find_map(|line| tab(line)).filter(|_| is_tab || is_structure(kind)) {
        return Some(slip);
    }
    if !is_structure(kind) {
        return None;
    }
    let above = here.checked_sub(1);
    let both = [above, Some(here)];
    let mut both = both.iter().flatten().filter_map(|position| lines.get(*position));
    if let Some((line, (key, rest))) = both.find_map(|line| Some((line, line.glued()?))) {
        let key_at = line.span(key);
        return Some(Slip {
            at: key_at.start..key_at.end + 1,
            message: format!("a blank is missing behind `{key}:`"),
            help: format!("write `{key}: {}`", rest.trim()),
        });
    }
    indentation(&lines, above?, here)
}

/// Whether the parser met a key, or something else, where none was due.
fn is_structure(kind: &ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::MappingValueNotAllowed
            | ErrorKind::SimpleKeyExpected
            | ErrorKind::InvalidSimpleKey
            | ErrorKind::ExpectedBlockMappingKey
            | ErrorKind::ExpectedBlockSequenceEntry
            | ErrorKind::InvalidIndentation
    )
}

/// The lines that have something on them, comments aside.
fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut found = Vec::new();
    for whole in text.split_inclusive('\n') {
        let line = whole.trim_end();
        if !line.is_empty() && !line.trim_start().starts_with('#') {
            found.push(Line { start, text: line });
        }
        start += whole.len();
    }
    found
}

/// A tab among the blanks that a line begins with.
fn tab(line: &Line<'_>) -> Option<Slip> {
    let content = line.text.trim_start();
    let blanks = line.text.len() - content.len();
    let at = line.text.get(..blanks)?.find('\t')?;
    let at = line.start + at;
    let message = "a tab may not indent".to_owned();
    Some(Slip { at: at..at + 1, message, help: "use spaces".to_owned() })
}

/// A key under one that has a value already: the indentation of one of the two is wrong.
fn indentation(lines: &[Line<'_>], above: usize, here: usize) -> Option<Slip> {
    let (upper, lower) = (lines.get(above)?, lines.get(here)?);
    let ((upper_key, value), (lower_key, _)) = (upper.key()?, lower.key()?);
    let (has, wants) = (upper.indent(), lower.indent());
    if value.is_empty() || value.starts_with(['|', '>', '&', '!', '#']) || wants <= has {
        return None;
    }
    // The keys before the upper one that stand as deep as it does are its siblings: then the lower is wrong.
    let before = lines.get(..above).unwrap_or_default().iter().rev();
    let before = before.map(Line::indent).find(|indent| *indent <= has || *indent == wants);
    // What stands at the very left is a key of the document.
    let is_upper_wrong = has > 0 && before.is_none_or(|indent| indent != has);
    let (line, key, beside, blanks) = if is_upper_wrong {
        (upper, upper_key, lower_key, wants)
    } else {
        (lower, lower_key, upper_key, has)
    };
    Some(Slip {
        at: line.span(key),
        message: format!(
            "the indentation of `{key}` is {}, that of `{beside}` beside it {blanks}",
            line.indent()
        ),
        help: format!("begin `{key}` in column {}, as `{beside}` does", blanks + 1),
    })
}
