//! Bytes to text: which encoding a file is in, and where it breaks it.

use std::borrow::Cow;

use super::count;
use crate::diagnostic::{Diagnostic, FileId, Place};

/// Most bytes of one file: places are `u32`, and damaged text may grow to three times its bytes.
pub(super) const LIMIT: usize = 1 << 30;

/// A file's text, whole or damaged.
pub(super) struct Decoded {
    /// Without byte order mark; U+FFFD stands for what could not be decoded.
    pub(super) text: String,
    /// The first thing that is wrong with it.
    pub(super) problem: Option<Problem>,
}

/// What keeps a file from being read, and where in the decoded text.
pub(super) struct Problem {
    code: &'static str,
    message: String,
    help: &'static str,
    start: usize,
    end: usize,
}

impl Problem {
    /// The problem at its place in `file`.
    pub(super) fn into_diagnostic(self, file: FileId) -> Diagnostic {
        let place = Place { file, start: count(self.start), end: count(self.end) };
        Diagnostic::error(self.code, self.message).at(place).help(self.help)
    }
}

/// An encoding that text may come in.
#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// Known only to be refused by name.
    Utf32,
}

/// The diagnostic of a file of `size` bytes that is not even decoded.
pub(super) fn too_large(name: &str, size: usize) -> Diagnostic {
    Diagnostic::error("file-too-large", format!("`{name}` has {size} bytes, {LIMIT} are the most"))
        .help("split it into several files")
}

/// The text of `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let (encoding, mark) = detect(bytes);
    let content = bytes.get(mark..).unwrap_or_default();
    let mut decoded = match encoding {
        Encoding::Utf8 => utf8(content, mark),
        Encoding::Utf16Le => utf16(content, mark, u16::from_le_bytes, "UTF-16LE"),
        Encoding::Utf16Be => utf16(content, mark, u16::from_be_bytes, "UTF-16BE"),
        Encoding::Utf32 => utf32(),
    };
    if decoded.problem.is_none() {
        decoded.problem = nul(&decoded.text);
    }
    decoded
}

/// The encoding by the first bytes, and the length of the byte order mark.
///
/// # Source
///
/// YAML 1.2.2, section 5.2, the table of first bytes.
fn detect(bytes: &[u8]) -> (Encoding, usize) {
    match bytes {
        [0x00, 0x00, 0xFE, 0xFF, ..]
        | [0xFF, 0xFE, 0x00, 0x00, ..]
        | [0x00, 0x00, 0x00, 0x01..=0xFF, ..]
        | [0x01..=0xFF, 0x00, 0x00, 0x00, ..] => (Encoding::Utf32, 0),
        [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
        [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
        [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
        [0x01..=0x7F, 0x00, ..] => (Encoding::Utf16Le, 0),
        [0x00, 0x01..=0x7F, ..] => (Encoding::Utf16Be, 0),
        _ => (Encoding::Utf8, 0),
    }
}

fn utf8(bytes: &[u8], mark: usize) -> Decoded {
    let problem = std::str::from_utf8(bytes).err().map(|error| {
        let at = error.valid_up_to();
        let byte = bytes.get(at).copied().unwrap_or_default();
        Problem {
            code: "invalid-encoding",
            message: format!("not valid UTF-8: byte 0x{byte:02X} at offset {}", at + mark),
            help: "save the file as UTF-8",
            start: at,
            // The replacement character has three bytes.
            end: at + 3,
        }
    });
    Decoded { text: String::from_utf8_lossy(bytes).into_owned(), problem }
}

fn utf16(bytes: &[u8], mark: usize, unit: fn([u8; 2]) -> u16, name: &str) -> Decoded {
    let broken = |text: &str, offset: usize, what: &str| Problem {
        code: "invalid-encoding",
        message: format!("not valid {name}: {what} at byte offset {offset}"),
        help: "save the file as UTF-8",
        start: text.len(),
        end: text.len() + char::REPLACEMENT_CHARACTER.len_utf8(),
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len() / 2 + 8);
    let mut problem = None;
    let mut offset = mark;
    for item in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        if item.is_err() && problem.is_none() {
            problem = Some(broken(&text, offset, "a lone surrogate"));
        }
        let character = item.unwrap_or(char::REPLACEMENT_CHARACTER);
        offset += character.len_utf16() * 2;
        text.push(character);
    }
    if !rest.is_empty() {
        problem = problem.or_else(|| Some(broken(&text, offset, "half a character")));
        text.push(char::REPLACEMENT_CHARACTER);
    }
    Decoded { text, problem }
}

/// Nothing writes rules or facts in UTF-32, so it is named and not read.
fn utf32() -> Decoded {
    let problem = Problem {
        code: "invalid-encoding",
        message: "the file is in UTF-32, which is not read".to_owned(),
        help: "save the file as UTF-8",
        start: 0,
        end: 0,
    };
    Decoded { text: String::new(), problem: Some(problem) }
}

fn nul(text: &str) -> Option<Problem> {
    let at = text.find('\0')?;
    Some(Problem {
        code: "nul-character",
        message: "a NUL character: this is not a text file, or a damaged one".to_owned(),
        help: "save the file as UTF-8 text",
        start: at,
        end: at + 1,
    })
}

/// Characters that JSON and YAML 1.2 allow in quotes but the parser does not: DEL, the C1 controls
/// but NEL, U+FFFE and U+FFFF.
///
/// # Source
///
/// YAML 1.2.2, section 5.1, `nb-json`; RFC 8259, section 7, `unescaped`.
pub(super) fn is_masked(character: char) -> bool {
    matches!(character, '\u{7F}'..='\u{84}' | '\u{86}'..='\u{9F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// `text` with a letter of the same length in place of each character that only quotes may hold.
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    if !text.contains(is_masked) {
        return Cow::Borrowed(text);
    }
    let letter = |character: char| match (is_masked(character), character.len_utf8()) {
        (false, _) => character,
        (true, 1) => 'x',
        (true, 2) => '\u{D7}',
        (true, _) => '\u{2715}',
    };
    Cow::Owned(text.chars().map(letter).collect())
}
