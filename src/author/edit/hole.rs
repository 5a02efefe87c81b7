//! A text with a hole at the cursor: what is being typed is replaced by a word that nobody writes, and the
//! line around it mended until it is YAML.

use std::ops::Range;

use crate::author::edit::Document;
use crate::author::edit::tree::{self, Part, Reading, Spot, closers};
use crate::source::{Node, Sources};

/// The word in the hole.
pub(super) const HOLE: &str = "h0le_at_cursor";

/// What kind of word the hole stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A name in an expression.
    Name,
    /// An id, which may have dashes in it.
    Id,
    /// A key.
    Key,
}

/// A reading in which the hole was found.
pub(super) struct Hole {
    /// The text around it.
    pub(super) reading: Reading,
    /// What was typed already, to be replaced.
    pub(super) typed: Range<usize>,
}

/// The word at an offset; ids have dashes in them, names in expressions have not.
pub(super) fn word(text: &str, offset: usize, with_dashes: bool) -> Range<usize> {
    let offset = text.floor_char_boundary(offset.min(text.len()));
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || (with_dashes && c == '-');
    let (before, after) = text.split_at(offset);
    let back: usize = before.chars().rev().take_while(|c| is_part(*c)).map(char::len_utf8).sum();
    let ahead: usize = after.chars().take_while(|c| is_part(*c)).map(char::len_utf8).sum();
    offset - back..offset + ahead
}

impl Hole {
    /// Reads a text with a hole at the offset, where the word is of that sort; none if nothing can be made of it.
    pub(super) fn dig(
        document: &Document<'_>,
        offset: usize,
        sort: Sort,
        sources: &Sources,
    ) -> Option<Self> {
        let (name, text) = (document.path, document.text);
        let typed = word(text, offset, sort != Sort::Name);
        let line = Line::around(text, &typed);
        let variants = line.variants(sort);
        for is_strict in [true, false] {
            for (new, is_key) in &variants {
                let mut whole = text.to_owned();
                whole.replace_range(line.range.clone(), new);
                let keep = line.range.start..line.range.start + new.len();
                let Some(reading) = tree::read(name, &whole, sources, Some(&keep)) else {
                    continue;
                };
                if is_strict && !reading.problems.is_empty() {
                    continue;
                }
                let found = find(&reading.root).map(|spot| matches!(spot.part, Part::Key(_)));
                if found.is_some_and(|found| found == *is_key) {
                    return Some(Self { reading, typed });
                }
            }
        }
        None
    }

    /// Where the hole is.
    pub(super) fn spot(&self) -> Option<Spot<'_>> {
        find(&self.reading.root)
    }
}

/// Where in a tree the hole is.
fn find(root: &Node) -> Option<Spot<'_>> {
    tree::search(root, &|part| match part {
        Part::Key(entry) => entry.key.contains(HOLE),
        Part::Value(node) => node.as_str().is_some_and(|text| text.contains(HOLE)),
    })
}

/// The line of the cursor.
struct Line<'a> {
    range: Range<usize>,
    before: &'a str,
    after: &'a str,
}

impl<'a> Line<'a> {
    fn around(text: &'a str, typed: &Range<usize>) -> Self {
        let start = text.get(..typed.start).and_then(|t| t.rfind('\n')).map_or(0, |at| at + 1);
        let end = text.get(typed.end..).and_then(|t| t.find('\n'));
        let end = end.map_or(text.len(), |at| typed.end + at);
        let get = |range| text.get(range).unwrap_or_default();
        Self { range: start..end, before: get(start..typed.start), after: get(typed.end..end) }
    }

    /// Ways to write the line so that it is YAML, the likeliest first, and whether the hole is a key then.
    fn variants(&self, sort: Sort) -> Vec<(String, bool)> {
        let (before, after) = (self.before, self.after.trim_end_matches('\r'));
        let close = closers(before);
        let key = (format!("{before}{HOLE}: 0{close}"), true);
        if sort == Sort::Key {
            return vec![key];
        }
        let mut values = vec![format!("{before}{HOLE}{after}"), format!("{before}{HOLE}{close}")];
        let start = value_start(before);
        let (head, value) = before.split_at(start);
        let quoted = |value: String| format!("{head}'{}'", value.replace('\'', "''"));
        if !value.starts_with(['\'', '"', '{', '[', '|', '>']) {
            values.insert(1, quoted(format!("{value}{HOLE}{after}")));
            values.push(quoted(format!("{value}{HOLE}")));
        }
        if value.starts_with('"') {
            // An expression that begins with text: the quotes are its own.
            values.push(quoted(format!("{value}{HOLE}{after}")));
            values.push(quoted(format!("{value}{HOLE}")));
        }
        if let Some(inner) = value.strip_prefix(['\'', '"']) {
            values.push(quoted(format!("{inner}{HOLE}")));
        }
        let mut all = vec![(format!("{before}{HOLE}{after}"), true)];
        let is_alone = before.trim().is_empty() && after.trim().is_empty();
        // Alone on its line a word is a key, unless it is inside a text.
        if is_alone {
            all.push(key.clone());
        }
        all.extend(values.into_iter().map(|value| (value, false)));
        if !is_alone {
            all.insert(3, key);
        }
        all
    }
}

/// Where the value of a line begins: behind the dashes and the key.
fn value_start(before: &str) -> usize {
    let mut at = before.len() - before.trim_start().len();
    while let Some(rest) = before.get(at..)
        && let Some(behind) = rest.strip_prefix("- ")
    {
        at = before.len() - behind.trim_start().len();
    }
    let rest = before.get(at..).unwrap_or_default();
    let key = rest.find(|c: char| !(c.is_alphanumeric() || "_-$".contains(c)));
    match key.and_then(|end| Some((end, rest.get(end..)?))) {
        Some((end, tail)) if tail.starts_with(": ") => {
            at + end + 1 + (tail.len() - 1 - tail.get(1..).map_or(0, |t| t.trim_start().len()))
        }
        _ => at,
    }
}

#[cfg(test)]
mod tests {
    use super::{HOLE, Hole, Sort};
    use crate::author::edit::tree::{Part, words};
    use crate::author::edit::{Document, DocumentKind};
    use crate::source::Sources;

    /// Where a hole at `#` is found: the way to it, and the text around it.
    fn dug(text: &str) -> String {
        let offset = text.find('#').unwrap();
        let text = text.replace('#', "");
        let document = Document { path: "t", text: &text, kind: DocumentKind::Rule };
        let hole = Hole::dig(&document, offset, Sort::Name, &Sources::default());
        let Some(hole) = hole else { return "nothing".to_owned() };
        let spot = hole.spot().unwrap();
        let way = words(&spot.path).join("/").replace(HOLE, "#");
        match spot.part {
            Part::Key(_) => format!("key {way}"),
            Part::Value(node) => format!("{way}: {}", node.as_str().unwrap().replace(HOLE, "#")),
        }
    }

    #[test]
    fn holes_are_found_in_what_is_no_yaml_yet() {
        for (text, found) in [
            ("violated: db.#", "violated: db.#"),
            ("violated: db.na#me", "violated: db.#"),
            ("violated: !kno#", "violated: !#"),
            ("violated: \"a\" == db.#", "violated: \"a\" == db.#"),
            ("violated: 'db.#", "violated: db.#"),
            ("violated: x.state == \"#", "violated: x.state == \"#"),
            ("a: 1\nvi#\nb: 2", "key #"),
            ("m:\n  #\nb: 2", "key m/#"),
            ("m:\n  a: 1\n  #\nb: 2", "key m/#"),
            ("m: >-\n  #\nb: 2", "m: #"),
            ("severity: [\nviolated: db.#\na: 1", "violated: db.#"),
            ("let:\n  - a: #\nb: 2", "let/*/a: #"),
            ("r:\n  - { action: x, with: { so#", "key r/*/with/#"),
            ("r:\n  - { action: x, with: { source: so#", "r/*/with/source: #"),
            ("m: >-\n  a ${db.#\n  b\nc: 1", "m: a ${db.# b"),
            ("a: 1\n  : ]broken\nof: #", "of: #"),
            ("a: [1\nof: da#", "of: #"),
        ] {
            assert_eq!(dug(text), found, "{text}");
        }
    }
}
