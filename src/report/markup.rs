//! Text made harmless for the markup that it is put into.

use crate::report::diagnostic::clean;
use crate::report::json::is_unsafe;

/// Text for an element or attribute; what XML 1.0 cannot hold becomes a replacement character.
pub(in crate::report) fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' | '\t' => safe.push(c),
            c if is_unsafe(c) || matches!(c, '\u{FFFE}' | '\u{FFFF}') => safe.push('\u{FFFD}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Text between back-ticks of Markdown.
pub(in crate::report) fn code(text: &str) -> String {
    let line = clean(text);
    line.replace('`', "'").replace('|', "\\|")
}

/// Text that must not become Markdown.
pub(in crate::report) fn plain(text: &str) -> String {
    let line = clean(text);
    let mut safe = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            // Nobody is called by a title: behind the sign stands something that is not seen.
            '@' => safe.push_str("@\u{200b}"),
            '*' | '_' | '[' | ']' | '`' | '|' => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    safe
}

/// Text for an element or attribute of HTML, on one line.
pub(in crate::report) fn html(text: &str) -> String {
    let line = clean(text);
    let mut safe = String::with_capacity(line.len());
    for c in line.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
