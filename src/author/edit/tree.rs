//! Trees of texts that may be broken, and where in them a cursor stands.

use std::ops::Range;
use std::sync::Arc;

use crate::author::edit::holds;
use crate::diagnostic::Diagnostic;
use crate::source::{self, Entry, Node, Sources, Value};

/// How many lines that are no YAML are passed over.
const MAX_BLANKED: usize = 16;

/// A text that was read as far as it can be.
pub(super) struct Reading {
    /// All files, this one among them.
    pub(super) sources: Sources,
    /// Its tree; offsets are those of the text, although some lines may have been passed over.
    pub(super) root: Node,
    /// Why lines were passed over.
    pub(super) problems: Vec<Diagnostic>,
}

/// Reads a text; lines that are no YAML are passed over, but not that in `keep`.
pub(super) fn read(
    name: &str,
    text: &str,
    sources: &Sources,
    keep: Option<&Range<usize>>,
) -> Option<Reading> {
    let mut text = text.to_owned();
    let mut problems = Vec::new();
    for _ in 0..=MAX_BLANKED {
        let mut all = sources.clone();
        let file = all.add(name, text.as_bytes()).ok()?;
        match source::read(&all, file) {
            Ok(root) => return Some(Reading { sources: all, root, problems }),
            Err(found) => {
                let offset = found.first()?.place?.start as usize;
                if problems.is_empty() {
                    problems = found;
                }
                let line = line_to_blank(&text, offset, keep)?;
                let length = line.len();
                text.replace_range(line, &" ".repeat(length));
            }
        }
    }
    None
}

/// The nearest line that leaves a bracket or quote open, at the offset or above it; else the nearest that has
/// something on it.
fn line_to_blank(text: &str, offset: usize, keep: Option<&Range<usize>>) -> Option<Range<usize>> {
    let mut end = text.floor_char_boundary(offset.min(text.len()));
    end += text.get(end..)?.find('\n').unwrap_or(text.len() - end);
    let mut nearest = None;
    loop {
        let start = text.get(..end)?.rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(start..end)?.trim_end_matches('\r');
        let range = start..start + line.len();
        let is_kept = keep.is_some_and(|keep| keep.start < range.end && range.start < keep.end);
        if !is_kept && !line.trim().is_empty() {
            if !closers(line).is_empty() {
                return Some(range);
            }
            nearest = nearest.or(Some(range));
        }
        match start.checked_sub(1) {
            Some(before) => end = before,
            None => return nearest,
        }
    }
}

/// What closes the quotes and brackets that YAML has open at the end of a line's beginning.
pub(super) fn closers(before: &str) -> String {
    let mut open: Vec<char> = Vec::new();
    let mut quote = None;
    let mut previous = ' ';
    for c in before.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') if " [{,:".contains(previous) => quote = Some(c),
            (None, '{' | '[') if " [{,:".contains(previous) => {
                open.push(if c == '{' { '}' } else { ']' });
            }
            (None, '}' | ']') if open.last() == Some(&c) => {
                open.pop();
            }
            _ => {}
        }
        previous = c;
    }
    quote.into_iter().chain(open.into_iter().rev()).collect()
}

/// A step from a value to one in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Under a key.
    Key(Arc<str>),
    /// In a list.
    Item(usize),
}

/// Steps as words, `*` for a member of a list: to be matched.
pub(super) fn words(path: &[Step]) -> Vec<&str> {
    let mut words = Vec::with_capacity(path.len());
    for step in path {
        words.push(match step {
            Step::Key(key) => &**key,
            Step::Item(_) => "*",
        });
    }
    words
}

/// What stands under a cursor.
#[derive(Clone, Debug)]
pub(super) struct Spot<'a> {
    /// The way to it; the last step is the key, if it is one.
    pub(super) path: Vec<Step>,
    /// What it is.
    pub(super) part: Part<'a>,
}

/// A key or a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part<'a> {
    /// A key.
    Key(&'a Entry),
    /// A value that is no list and no mapping.
    Value(&'a Node),
}

/// The key or value at an offset.
pub(super) fn at(root: &Node, offset: usize) -> Option<Spot<'_>> {
    search(root, &|part| match part {
        Part::Key(entry) => holds(entry.key_place, offset),
        Part::Value(node) => holds(node.place, offset),
    })
}

/// The first key or value that fits.
pub(super) fn search<'a>(root: &'a Node, fits: &dyn Fn(Part<'a>) -> bool) -> Option<Spot<'a>> {
    let mut path = Vec::new();
    let part = below(root, fits, &mut path)?;
    Some(Spot { path, part })
}

fn below<'a>(
    node: &'a Node,
    fits: &dyn Fn(Part<'a>) -> bool,
    path: &mut Vec<Step>,
) -> Option<Part<'a>> {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                path.push(Step::Key(entry.key.clone()));
                if fits(Part::Key(entry)) {
                    return Some(Part::Key(entry));
                }
                if let Some(found) = below(&entry.node, fits, path) {
                    return Some(found);
                }
                path.pop();
            }
            None
        }
        Value::List(nodes) => {
            for (position, node) in nodes.iter().enumerate() {
                path.push(Step::Item(position));
                if let Some(found) = below(node, fits, path) {
                    return Some(found);
                }
                path.pop();
            }
            None
        }
        _ => fits(Part::Value(node)).then_some(Part::Value(node)),
    }
}

/// The value at the end of a path.
pub(super) fn follow<'a>(root: &'a Node, path: &[Step]) -> Option<&'a Node> {
    path.iter().try_fold(root, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Item(position) => node.as_list()?.get(*position),
    })
}
