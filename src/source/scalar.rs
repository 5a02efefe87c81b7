//! Scalars: what a plain one means, and where each character of a decoded one stands in the file.
//!
//! The parser decodes too, but tells no positions; here the raw text is decoded again with them, and
//! the result counts only where both agree.

use super::{Style, Value, count};
use crate::diagnostic::Place;

/// What a plain scalar is.
#[derive(Debug)]
pub(super) enum Plain {
    /// A value of YAML 1.2's core schema.
    Value(Value),
    /// Text.
    Text,
    /// A number that no `i64` or finite `f64` holds.
    OutOfRange,
    /// YAML 1.1 and 1.2 read it differently.
    Ambiguous(Ambiguity),
}

/// How YAML 1.1 reads what 1.2 reads as something else.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ambiguity {
    /// `yes`, `off`, `n`.
    Boolean(bool),
    /// `0755`.
    LeadingZero,
    /// `1_000`, `0b11`, `-0x1F`.
    Number,
    /// `22:22`.
    Sexagesimal,
}

/// Resolves a plain scalar by the core schema.
///
/// # Source
///
/// YAML 1.2.2, section 10.3.2; the types of YAML 1.1 (bool, int, float, 2005) for what is ambiguous.
pub(super) fn resolve(text: &str) -> Plain {
    match text {
        "null" | "Null" | "NULL" | "~" => return Plain::Value(Value::Null),
        "true" | "True" | "TRUE" => return Plain::Value(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Plain::Value(Value::Bool(false)),
        "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => {
            return Plain::Ambiguous(Ambiguity::Boolean(true));
        }
        "n" | "N" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => {
            return Plain::Ambiguous(Ambiguity::Boolean(false));
        }
        _ => {}
    }
    match text.bytes().next() {
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
        _ => Plain::Text,
    }
}

fn number(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Plain::OutOfRange;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        let digits = text.strip_prefix(prefix).filter(|digits| all(digits, |c| c.is_digit(radix)));
        if let Some(digits) = digits {
            return whole(i64::from_str_radix(digits, radix).ok());
        }
    }
    if let Some(ambiguity) = ambiguity(text, unsigned) {
        return Plain::Ambiguous(ambiguity);
    }
    if all(unsigned, |c| c.is_ascii_digit()) {
        return whole(text.parse().ok());
    }
    if !is_float(unsigned) {
        return Plain::Text;
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Plain::Value(Value::Float(value)),
        _ => Plain::OutOfRange,
    }
}

fn whole(value: Option<i64>) -> Plain {
    value.map_or(Plain::OutOfRange, |value| Plain::Value(Value::Int(value)))
}

fn ambiguity(text: &str, unsigned: &str) -> Option<Ambiguity> {
    let digit = |c: char| c.is_ascii_digit();
    let digit_or_gap = |c: char| c.is_ascii_digit() || c == '_';
    if !unsigned.starts_with(digit) && !unsigned.starts_with('.') {
        return None;
    }
    if unsigned.len() > 1 && unsigned.starts_with('0') && all(unsigned, digit) {
        return Some(Ambiguity::LeadingZero);
    }
    let (clock, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    if let Some((first, rest)) = clock.split_once(':')
        && all(first, digit_or_gap)
        && rest.split(':').all(|part| part.len() <= 2 && all(part, digit))
        && fraction.chars().all(digit_or_gap)
    {
        return Some(Ambiguity::Sexagesimal);
    }
    let based = |prefix: &str, radix: u32| {
        let digits = unsigned.strip_prefix(prefix).unwrap_or_default();
        all(digits, |c| c == '_' || c.is_digit(radix)) && digits.contains(|c| c != '_')
    };
    // `0x1F` and so on have been taken; what is left has a sign or a gap.
    let gap = text.contains('_') && is_float(&unsigned.replace('_', ""));
    (gap || based("0b", 2) || based("0x", 16)).then_some(Ambiguity::Number)
}

/// Whether there is a character and all are `what`.
fn all(text: &str, what: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(what)
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let digit = |c: char| c.is_ascii_digit();
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    (!before.is_empty() || !after.is_empty())
        && before.chars().all(digit)
        && after.chars().all(digit)
        && exponent.is_none_or(|exponent| {
            all(exponent.strip_prefix(['+', '-']).unwrap_or(exponent), digit)
        })
}

/// A character of the value and the bytes that stand for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) character: char,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// The bytes of characters `chars`.
pub(super) fn range(pieces: &[Piece], chars: std::ops::Range<usize>) -> Option<(u32, u32)> {
    let last = pieces.last()?.end;
    let start = pieces.get(chars.start).map_or(last, |piece| piece.start);
    let end = match chars.end.checked_sub(1) {
        Some(end) if end >= chars.start => pieces.get(end).map_or(last, |piece| piece.end),
        _ => start,
    };
    Some((count(start), count(end)))
}

/// Decodes the scalar at `place` with positions; none unless that gives `value`.
pub(super) fn decode(text: &str, place: Place, style: Style, value: &str) -> Option<Vec<Piece>> {
    let pieces = raw(text, place, style, value)?;
    pieces.iter().map(|piece| piece.character).eq(value.chars()).then_some(pieces)
}

/// The value of a quoted scalar by our own reading.
pub(super) fn quoted(text: &str, place: Place, style: Style) -> Option<String> {
    let pieces = raw(text, place, style, "")?;
    Some(pieces.iter().map(|piece| piece.character).collect())
}

fn raw(text: &str, place: Place, style: Style, value: &str) -> Option<Vec<Piece>> {
    let (start, end) = (place.start as usize, place.end as usize);
    match style {
        Style::Plain => flow(text, start, end, style),
        Style::Single | Style::Double => {
            let quote = if style == Style::Single { '\'' } else { '"' };
            let slice = text.get(start..end)?;
            slice.strip_prefix(quote)?.strip_suffix(quote)?;
            (slice.len() >= 2).then(|| flow(text, start + 1, end - 1, style)).flatten()
        }
        Style::Literal | Style::Folded => block(text, start, end, style, value),
    }
}

/// Walks over text, a character at a time.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Takes a line break; CR LF is one.
    fn take_break(&mut self) -> Option<Piece> {
        let rest = self.rest();
        let length = if rest.starts_with("\r\n") {
            2
        } else if rest.starts_with(['\r', '\n']) {
            1
        } else {
            return None;
        };
        let start = self.at;
        self.at += length;
        Some(Piece { character: '\n', start, end: self.at })
    }

    fn take(&mut self) -> Option<Piece> {
        let character = self.rest().chars().next()?;
        let start = self.at;
        self.at += character.len_utf8();
        Some(Piece { character, start, end: self.at })
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }
}

/// Plain and quoted scalars between `start` and `end` (YAML 1.2.2, section 7.3).
fn flow(text: &str, start: usize, end: usize, style: Style) -> Option<Vec<Piece>> {
    let mut cursor = Cursor { text: text.get(..end)?, at: start };
    let mut pieces = Vec::with_capacity(end.checked_sub(start)?);
    // Blanks before a line break are dropped, but not those that were written as escapes.
    let mut solid = 0;
    while cursor.at < end {
        if let Some(first) = cursor.take_break() {
            pieces.truncate(solid);
            fold(&mut cursor, first, false, &mut pieces);
            solid = pieces.len();
        } else if style == Style::Double && cursor.rest().starts_with('\\') {
            escape(&mut cursor, &mut pieces)?;
            solid = pieces.len();
        } else {
            let mut piece = cursor.take()?;
            if style == Style::Single && piece.character == '\'' {
                // A quote within single quotes is written twice.
                piece.end = cursor.take().filter(|second| second.character == '\'')?.end;
            }
            pieces.push(piece);
            if !matches!(piece.character, ' ' | '\t') {
                solid = pieces.len();
            }
        }
    }
    Some(pieces)
}

/// Folds the line break `first` and the empty lines after it: one is a space (or, escaped, nothing),
/// more are one line feed less.
fn fold(cursor: &mut Cursor<'_>, first: Piece, escaped: bool, pieces: &mut Vec<Piece>) {
    let before = pieces.len();
    cursor.skip_blanks();
    while let Some(next) = cursor.take_break() {
        pieces.push(next);
        cursor.skip_blanks();
    }
    if pieces.len() == before && !escaped {
        pieces.push(Piece { character: ' ', ..first });
    }
}

/// Takes an escape of a double-quoted scalar (YAML 1.2.2, section 5.7).
fn escape(cursor: &mut Cursor<'_>, pieces: &mut Vec<Piece>) -> Option<()> {
    let start = cursor.take()?.start;
    if let Some(first) = cursor.take_break() {
        fold(cursor, first, true, pieces);
        return Some(());
    }
    let character = match cursor.take()?.character {
        '0' => '\0',
        'a' => '\u{7}',
        'b' => '\u{8}',
        't' | '\t' => '\t',
        'n' => '\n',
        'v' => '\u{B}',
        'f' => '\u{C}',
        'r' => '\r',
        'e' => '\u{1B}',
        'N' => '\u{85}',
        '_' => '\u{A0}',
        'L' => '\u{2028}',
        'P' => '\u{2029}',
        same @ (' ' | '"' | '/' | '\\') => same,
        'x' => char::from_u32(hex(cursor, 2)?)?,
        'U' => char::from_u32(hex(cursor, 8)?)?,
        'u' => utf16_escape(cursor)?,
        _ => return None,
    };
    pieces.push(Piece { character, start, end: cursor.at });
    Some(())
}

/// The digits of `\u`; JSON writes characters beyond U+FFFF as two of them.
fn utf16_escape(cursor: &mut Cursor<'_>) -> Option<char> {
    let high = hex(cursor, 4)?;
    if !(0xD800..0xDC00).contains(&high) {
        return char::from_u32(high);
    }
    if !cursor.rest().starts_with("\\u") {
        return None;
    }
    cursor.at += 2;
    let low = hex(cursor, 4)?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
    char::from_u32(0x10000 + ((high - 0xD800) << 10) + low)
}

fn hex(cursor: &mut Cursor<'_>, digits: usize) -> Option<u32> {
    let text = cursor.rest().get(..digits).filter(|text| all(text, |c| c.is_ascii_hexdigit()))?;
    cursor.at += digits;
    u32::from_str_radix(text, 16).ok()
}

/// The first escape of the double-quoted scalar at `start` that means nothing.
pub(super) fn bad_escape(text: &str, start: usize) -> Option<(usize, usize)> {
    let mut cursor = Cursor { text, at: start + 1 };
    let mut pieces = Vec::new();
    loop {
        let at = cursor.at;
        if cursor.rest().starts_with('\\') {
            if escape(&mut cursor, &mut pieces).is_none() {
                let end = cursor.at.max(at + 1).min(text.len());
                return Some((at, end));
            }
            pieces.clear();
        } else if cursor.take()?.character == '"' {
            return None;
        }
    }
}

/// Block scalars whose first character of content stands at `start` (YAML 1.2.2, section 8.1).
fn block(text: &str, start: usize, end: usize, style: Style, value: &str) -> Option<Vec<Piece>> {
    let mut pieces = leading_breaks(text, start)?;
    let indent = start - line_start(text, start)?;
    let mut cursor = Cursor { text: text.get(..end)?, at: start };
    let mut breaks: Vec<Piece> = Vec::new();
    let mut previous_indented = false;
    while cursor.at < end {
        let indented = cursor.rest().starts_with([' ', '\t']);
        if style == Style::Folded && !previous_indented && !indented {
            fold_breaks(&mut breaks);
        }
        pieces.append(&mut breaks);
        previous_indented = indented;
        while !cursor.rest().is_empty() && !cursor.rest().starts_with(['\r', '\n']) {
            pieces.push(cursor.take()?);
        }
        breaks.extend(cursor.take_break());
        skip_empty_lines(&mut cursor, indent, &mut breaks);
    }
    pieces.append(&mut breaks);
    chomp(&mut pieces, end, value);
    Some(pieces)
}

/// Between two lines at the indentation, one break is a space and more are one less.
fn fold_breaks(breaks: &mut Vec<Piece>) {
    match breaks.as_mut_slice() {
        [] => {}
        [only] => only.character = ' ',
        _ => drop(breaks.remove(0)),
    }
}

/// Skips the indentation of the next line with content and takes the breaks of lines without.
fn skip_empty_lines(cursor: &mut Cursor<'_>, indent: usize, breaks: &mut Vec<Piece>) {
    loop {
        let rest = cursor.rest();
        let spaces = rest.len() - rest.trim_start_matches(' ').len();
        cursor.at += spaces.min(indent);
        match cursor.take_break() {
            Some(piece) => breaks.push(piece),
            None => return,
        }
    }
}

/// How trailing line breaks count is written in the header; the value shows it as well.
fn chomp(pieces: &mut Vec<Piece>, end: usize, value: &str) {
    let wanted = value.chars().count();
    if wanted <= pieces.len() {
        pieces.truncate(wanted);
    } else if value.ends_with('\n') {
        // The last line of the file is read as if it ended with a break.
        pieces.push(Piece { character: '\n', start: end, end });
    }
}

/// The breaks of empty lines between the header of a block scalar and its content.
fn leading_breaks(text: &str, start: usize) -> Option<Vec<Piece>> {
    let mut breaks = Vec::new();
    let mut line = line_start(text, start)?;
    loop {
        let before = text.get(..line)?;
        let length = match before.as_bytes() {
            [.., b'\r', b'\n'] => 2,
            [.., b'\r' | b'\n'] => 1,
            _ => return None,
        };
        let above = line_start(text, line - length)?;
        let content = text.get(above..line - length)?;
        if content.chars().any(|c| c != ' ') {
            break;
        }
        breaks.push(Piece { character: '\n', start: line - length, end: line });
        line = above;
    }
    breaks.reverse();
    Some(breaks)
}

/// Where the line with byte `at` begins, by YAML's line breaks.
fn line_start(text: &str, at: usize) -> Option<usize> {
    Some(text.get(..at)?.rfind(['\r', '\n']).map_or(0, |found| found + 1))
}
