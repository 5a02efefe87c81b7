//! A careful formatter: two blanks a level, none at the ends of lines, one line break at the end.
//!
//! It keeps every comment and every line. What it would make is read again, and unless the tree and the comments
//! are the same, nothing is changed.

use crate::author::edit::{Document, DocumentKind, Edit, bytes};
use crate::source::{self, Node, Sources, Style, Value};

/// The edits that format a document; none if it is in order, or if it cannot be shown that it would stay what it
/// is.
#[must_use]
pub fn format(document: &Document<'_>) -> Vec<Edit> {
    if matches!(document.kind, DocumentKind::Script | DocumentKind::Other) {
        return Vec::new();
    }
    let text = document.text;
    let Some(before) = read(text) else { return Vec::new() };
    let shape = Shape::of(text, &before);
    let candidates = [indented(text, &shape), trimmed(text, &shape)];
    let fits = |candidate: &String| {
        read(candidate).is_some_and(|after| is_same(&before, &after))
            && comments(text) == comments(candidate)
    };
    candidates
        .iter()
        .find(|candidate| fits(candidate))
        .map(|new| edits(text, new))
        .unwrap_or_default()
}

fn read(text: &str) -> Option<Node> {
    let mut sources = Sources::default();
    let file = sources.add("document", text.as_bytes()).ok()?;
    source::read(&sources, file).ok()
}

/// Whether two trees hold the same, styles included.
fn is_same(a: &Node, b: &Node) -> bool {
    match (&a.value, &b.value) {
        (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Text(a, a_style), Value::Text(b, b_style)) => a == b && a_style == b_style,
        (Value::List(a), Value::List(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Map(a), Value::Map(b)) => {
            a.len() == b.len()
                && a.iter().zip(b).all(|(a, b)| a.key == b.key && is_same(&a.node, &b.node))
        }
        _ => false,
    }
}

/// Lines that may be comments: those whose first sign is `#`, and what follows ` #` elsewhere. The same way of
/// looking, right or wrong, is used before and after.
fn comments(text: &str) -> Vec<String> {
    let comment = |line: &str| {
        let line = line.trim_end();
        let at = if line.trim_start().starts_with('#') { line.find('#') } else { line.find(" #") };
        at.and_then(|at| line.get(at..)).map(|comment| comment.trim_start().to_owned())
    };
    text.lines().filter_map(comment).collect()
}

/// What the lines of a document are.
#[derive(Default)]
struct Shape {
    /// Offsets of the keys of block mappings, sorted.
    keys: Vec<usize>,
    /// Texts of several lines.
    texts: Vec<Body>,
}

/// A text of several lines.
struct Body {
    range: std::ops::Range<usize>,
    is_literal: bool,
}

impl Shape {
    fn of(text: &str, root: &Node) -> Self {
        let mut shape = Self::default();
        shape.collect(text, root);
        shape.keys.sort_unstable();
        shape
    }

    fn collect(&mut self, text: &str, node: &Node) {
        let range = bytes(node.place);
        let written = text.get(range.clone()).unwrap_or_default();
        match &node.value {
            Value::Map(entries) if !written.starts_with('{') => {
                for entry in entries {
                    self.keys.push(entry.key_place.start as usize);
                    self.collect(text, &entry.node);
                }
            }
            Value::List(nodes) if !written.starts_with('[') => {
                for node in nodes {
                    self.collect(text, node);
                }
            }
            Value::Text(_, style) => {
                let is_literal = matches!(style, Style::Literal | Style::Folded);
                if is_literal || written.contains('\n') {
                    self.texts.push(Body { range, is_literal });
                }
            }
            _ => {}
        }
    }

    /// The text of several lines that the sign at `offset` is part of, but not its first line where that has the
    /// key on it.
    fn body(&self, line: usize, offset: usize) -> Option<&Body> {
        self.texts.iter().find(|body| {
            let from = if body.is_literal { offset } else { line };
            let begins =
                if body.is_literal { body.range.start <= from } else { body.range.start < from };
            begins && offset < body.range.end
        })
    }
}

/// A level of nesting: its column before and after.
struct Level {
    old: usize,
    new: usize,
}

/// The text with two blanks a level.
fn indented(text: &str, shape: &Shape) -> String {
    let mut levels: Vec<Level> = vec![Level { old: 0, new: 0 }];
    let (mut offset, mut shift) = (0, 0_isize);
    let mut waiting: Vec<String> = Vec::new();
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let whole = line.trim_end_matches(['\n', '\r']);
        let body = whole.trim();
        let column = whole.len() - whole.trim_start().len();
        let inside = shape.body(offset, offset + column);
        let at = offset + column;
        offset += line.len();
        if body.is_empty() || (body.starts_with('#') && inside.is_none()) {
            // A comment goes with the line below it.
            waiting.push(body.to_owned());
            continue;
        }
        let shifted = (signed(column) + shift).max(0).unsigned_abs();
        if let Some(inside) = inside {
            flush(&mut waiting, shifted, &mut out);
            // Blanks at the end of a line of a block are part of the text.
            push(&mut out, shifted, if inside.is_literal { whole.trim_start() } else { body });
            continue;
        }
        let begins = body == "-" || body.starts_with("- ") || shape.keys.binary_search(&at).is_ok();
        if !begins {
            flush(&mut waiting, shifted, &mut out);
            push(&mut out, shifted, body);
            continue;
        }
        while levels.len() > 1 && levels.last().is_some_and(|level| level.old > column) {
            levels.pop();
        }
        let top = levels.last().map_or((0, 0), |level| (level.old, level.new));
        let new = if column > top.0 { top.1 + 2 } else { top.1 };
        if column > top.0 {
            levels.push(Level { old: column, new });
        }
        shift = signed(new) - signed(column);
        flush(&mut waiting, new, &mut out);
        push(&mut out, new, &dashes(body, column, new, &mut levels));
    }
    while waiting.last().is_some_and(String::is_empty) {
        waiting.pop();
    }
    flush(&mut waiting, 0, &mut out);
    out
}

fn signed(number: usize) -> isize {
    isize::try_from(number).unwrap_or(isize::MAX)
}

fn push(out: &mut String, column: usize, body: &str) {
    out.extend(std::iter::repeat_n(' ', column));
    out.push_str(body);
    out.push('\n');
}

fn flush(waiting: &mut Vec<String>, column: usize, out: &mut String) {
    for line in waiting.drain(..) {
        push(out, if line.is_empty() { 0 } else { column }, &line);
    }
}

/// `-   key` becomes `- key`, and the mapping behind the dash is a level of its own.
fn dashes(body: &str, column: usize, new: usize, levels: &mut Vec<Level>) -> String {
    let (mut rest, mut old, mut at, mut text) = (body, column, new, String::new());
    while let Some(behind) = rest.strip_prefix('-').filter(|behind| behind.starts_with(' ')) {
        let inner = behind.trim_start();
        old += rest.len() - inner.len();
        at += 2;
        text.push_str("- ");
        rest = inner;
        levels.push(Level { old, new: at });
    }
    text.push_str(rest);
    text
}

/// The text without blanks at the ends of lines, and with one line break at the end.
fn trimmed(text: &str, shape: &Shape) -> String {
    let mut out = String::with_capacity(text.len());
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let whole = line.trim_end_matches(['\n', '\r']);
        let column = whole.len() - whole.trim_start().len();
        let is_text = shape.body(offset, offset + column).is_some_and(|body| body.is_literal);
        out.push_str(if is_text { whole } else { whole.trim_end() });
        out.push('\n');
        offset += line.len();
    }
    let end = out.trim_end_matches('\n').len();
    out.truncate(end);
    out.push('\n');
    out
}

/// The lines that differ, each as one edit.
fn edits(old: &str, new: &str) -> Vec<Edit> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut lines = new.lines();
    for line in old.split_inclusive('\n') {
        let content = line.strip_suffix('\n').unwrap_or(line);
        let content = content.strip_suffix('\r').unwrap_or(content);
        match lines.next() {
            Some(replaced) if replaced != content => {
                found.push(Edit { range: at..at + content.len(), text: replaced.to_owned() });
            }
            Some(_) => {}
            // Empty lines at the end.
            None => {
                found.push(Edit { range: at..old.len(), text: String::new() });
                return found;
            }
        }
        at += line.len();
    }
    if !old.is_empty() && !old.ends_with('\n') {
        found.push(Edit { range: old.len()..old.len(), text: "\n".to_owned() });
    }
    found
}
