//! What the reader says of a document, without places.

use granit_parser::ErrorKind;

use super::MAX_DEPTH;
use crate::diagnostic::Diagnostic;
use crate::source::Value;
use crate::source::encoding;
use crate::source::scalar::{self, Ambiguity, Plain};

pub(super) fn syntax(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error("yaml-syntax", message)
}

pub(super) fn too_deep() -> Diagnostic {
    Diagnostic::error("too-deep", format!("nested more than {MAX_DEPTH} deep"))
}

pub(super) fn unexpected(character: char) -> Diagnostic {
    let shown = if character.is_control() || encoding::is_masked(character) {
        format!("U+{:04X}", u32::from(character))
    } else {
        character.to_string()
    };
    syntax(format!("`{shown}` may not stand here"))
}

pub(super) fn key_not_text(what: &str) -> Diagnostic {
    let message = match what {
        "null" => "a key that is null or missing".to_owned(),
        _ => format!("a key that is a {what}"),
    };
    Diagnostic::error("key-not-text", message).help("a key is text: quote it")
}

pub(super) fn plain_key_problem(text: &str) -> Option<Diagnostic> {
    match scalar::resolve(text) {
        Plain::Text => None,
        Plain::Value(Value::Null) => Some(key_not_text("null")),
        Plain::Value(Value::Bool(_)) => Some(key_not_text("boolean")),
        Plain::Value(_) | Plain::OutOfRange => Some(key_not_text("number")),
        Plain::Ambiguous(Ambiguity::Boolean(value)) => Some(
            Diagnostic::error("ambiguous-scalar", both_ways(text, &format!("`{value}`"), "text"))
                .help(format!("quote it: `\"{text}\"`")),
        ),
        Plain::Ambiguous(ambiguity) => Some(ambiguous(text, ambiguity, None)),
    }
}

fn both_ways(text: &str, old: &str, new: &str) -> String {
    format!("`{text}` is {old} in YAML 1.1 and {new} in YAML 1.2")
}

/// Keys whose values are text in every document of ours: a name, or words for people.
const OF_TEXT: [&str; 8] = ["id", "title", "action", "after", "name", "reason", "by", "why"];

/// What to do with a value that two versions of YAML read in two ways, by the key that it belongs to.
pub(super) fn ambiguous(text: &str, ambiguity: Ambiguity, key: Option<&str>) -> Diagnostic {
    let is_text = key.is_some_and(|key| OF_TEXT.contains(&key));
    let (message, help) = match ambiguity {
        Ambiguity::Boolean(value) if is_text => {
            (both_ways(text, &format!("`{value}`"), "text"), format!("quote it: `\"{text}\"`"))
        }
        Ambiguity::Boolean(value) => (
            both_ways(text, &format!("`{value}`"), "text"),
            format!("write `{value}`, or quote it: `\"{text}\"`"),
        ),
        Ambiguity::LeadingZero => (
            both_ways(text, "octal", "decimal"),
            format!("quote it: `\"{text}\"`, or write the number without leading zero"),
        ),
        Ambiguity::Number => (
            both_ways(text, "a number", "text"),
            format!(
                "quote it: `\"{text}\"`, or write the number without `_` and in decimal digits"
            ),
        ),
        Ambiguity::Sexagesimal => {
            (both_ways(text, "a number to base 60", "text"), format!("quote it: `\"{text}\"`"))
        }
    };
    Diagnostic::error("ambiguous-scalar", message).help(help)
}

pub(super) fn out_of_range(text: &str) -> Diagnostic {
    let special = text.trim_start_matches(['+', '-']).starts_with(".i")
        || text.to_lowercase().ends_with("nan");
    let message = if special || text.to_lowercase().ends_with("inf") {
        format!("`{text}` is not a finite number")
    } else {
        format!("`{}` does not fit", shorten(text))
    };
    Diagnostic::error("number-out-of-range", message).help(format!(
        "whole numbers are between {} and {}; quote it if it is text",
        i64::MIN,
        i64::MAX
    ))
}

/// At most 40 characters of a number that may be very long.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The parser's words for the commonest slips, made plain; the rest as they are.
pub(super) fn explain(kind: &ErrorKind) -> Diagnostic {
    let (message, help) = match kind {
        ErrorKind::MappingValueNotAllowed => {
            ("a `:` may not stand here", "quote the text if the colon belongs to it")
        }
        ErrorKind::InvalidColonPlacement => {
            ("a `:` may not stand here", "is a `[` or `{` above never closed?")
        }
        ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabNotAllowed
        | ErrorKind::TabInPlainScalar
        | ErrorKind::TabAtBlockScalarStart => ("a tab may not indent", "use spaces"),
        ErrorKind::UnclosedQuotedScalar => ("a quote that is never closed", ""),
        ErrorKind::UnclosedFlowCollection { open } => {
            return syntax(format!("`{open}` is never closed"));
        }
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return syntax(format!("`{open}` is closed by `{close}`"));
        }
        ErrorKind::UnexpectedEofFlowSequence => ("the file ends within `[ ]`", ""),
        ErrorKind::UnexpectedEofFlowMapping | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            ("the file ends within `{ }`", "")
        }
        ErrorKind::ExpectedDocumentStart => {
            ("the document has ended before this", "is the indentation that of the lines above?")
        }
        ErrorKind::ExpectedBlockMappingKey => {
            ("expected a key", "is the indentation that of the keys above?")
        }
        ErrorKind::ExpectedBlockSequenceEntry => {
            ("expected `-`", "is the indentation that of the `-` above?")
        }
        ErrorKind::ExpectedFlowMappingSeparator => ("expected `,` or `}`", ""),
        ErrorKind::ExpectedFlowSequenceSeparator => ("expected `,` or `]`", ""),
        ErrorKind::InvalidIndentation | ErrorKind::InvalidBlockScalarIndent => {
            ("the indentation fits no line above", "")
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => {
            ("expected a `:` after the key", "")
        }
        ErrorKind::MisplacedFlowCollectionEnd => ("a closing bracket without an opening one", ""),
        other => return syntax(tidy(&other.to_string())),
    };
    let problem = syntax(message);
    if help.is_empty() { problem } else { problem.help(help) }
}

/// Takes the parser's preamble away.
fn tidy(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let tail = message.strip_prefix("while ").and_then(|rest| rest.split_once(", "));
    let message = tail.map_or(message, |(_, tail)| tail);
    message.replace("did not find expected", "expected")
}
