//! What to write instead of what other languages have and expressions have not.

/// For what has no counterpart.
pub(super) const NOTHING: &str =
    "nothing takes its place; if it is needed, write a function of the pack";
const BITS: &str =
    "there are no operations on bits; if one is needed, write a function of the pack";
const SIZES: &str = "sizes are plain bytes: compare `gb(x)` with a number, or write the bytes out";
const TIMES: &str = "spans of time are written `days(2)`, `hours(2)`, `minutes(2)`";

/// For an operator of rhai that rules may not use.
pub(super) fn of_operator(sign: &str) -> &'static str {
    match sign {
        "&" => "for \"both\" write `&&`; there are no operations on bits",
        "|" => "for \"one of both\" write `||`; there are no operations on bits",
        "^" | "<<" | ">>" => BITS,
        _ => NOTHING,
    }
}

/// For what rhai's parser stumbles over, from the text before that and the text from there on.
pub(super) fn of(before: &str, rest: &str) -> Option<&'static str> {
    let last = last_word(before);
    let next = first_word(rest);
    for word in [next, last] {
        match word.to_ascii_lowercase().as_str() {
            "and" => return Some("for \"and\" write `&&`"),
            "or" => return Some("for \"or\" write `||`"),
            "not" => return Some("for \"not\" write `!`"),
            _ => {}
        }
    }
    // A unit stands behind its number: `10 GB`, `10GB`.
    let unit = next.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_counted = unit.len() < next.len() || before.trim_end().ends_with(is_digit);
    if is_counted && is_unit(unit) {
        return Some(SIZES);
    }
    if is_counted && is_span(unit) {
        return Some(TIMES);
    }
    if rest.starts_with('?') && !rest.starts_with("??") {
        return Some("write `if c { a } else { b }`");
    }
    if rest.starts_with("..") || rest.starts_with("**") || is_statement(next) {
        return Some(NOTHING);
    }
    None
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
}

fn is_statement(word: &str) -> bool {
    matches!(word, "for" | "while" | "loop" | "do" | "until" | "return" | "break" | "fn")
}

/// Whether a word is a unit of size.
pub(in crate::expr) fn is_unit(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    matches!(
        word.as_str(),
        "kb" | "mb" | "gb" | "tb" | "pb" | "kib" | "mib" | "gib" | "tib" | "pib"
    )
}

fn is_span(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    matches!(
        word.as_str(),
        "s" | "sec"
            | "m"
            | "min"
            | "h"
            | "d"
            | "day"
            | "days"
            | "hour"
            | "hours"
            | "minute"
            | "minutes"
    )
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn first_word(text: &str) -> &str {
    text.find(|c| !is_part(c)).map_or(text, |end| text.get(..end).unwrap_or_default())
}

fn last_word(text: &str) -> &str {
    let text = text.trim_end();
    let start = text.char_indices().rev().take_while(|(_, c)| is_part(*c)).last();
    start.and_then(|(start, _)| text.get(start..)).unwrap_or_default()
}
