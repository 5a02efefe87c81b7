//! The outline of a document.

use std::ops::Range;

use crate::author::edit::{Desk, Document, DocumentKind, bytes, tree};
use crate::source::{Entry, Node, Value};

/// A part of a document that has a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// The name.
    pub name: String,
    /// A few words more.
    pub detail: String,
    /// What it is.
    pub kind: SymbolKind,
    /// All of it.
    pub range: Range<usize>,
    /// Its name, within.
    pub selection: Range<usize>,
    /// Its parts.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SymbolKind {
    /// A key.
    Key,
    /// A bound name.
    Variable,
    /// A condition.
    Condition,
    /// A step of a repair.
    Step,
    /// A member of a list.
    Item,
    /// A function.
    Function,
}

/// How many members of a list are shown.
const MAX_ITEMS: usize = 500;

/// The outline: the keys of the document, with what is bound, required and done below them.
#[must_use]
pub fn symbols(desk: &Desk, document: &Document<'_>) -> Vec<Symbol> {
    if document.kind == DocumentKind::Script {
        return functions(document.text);
    }
    let Some(reading) = tree::read(document.path, document.text, &desk.sources, None) else {
        return Vec::new();
    };
    let entries = reading.root.as_map().unwrap_or_default();
    entries.iter().map(|entry| of_entry(entry, &below(entry))).collect()
}

fn of_entry(entry: &Entry, children: &[Symbol]) -> Symbol {
    let selection = bytes(entry.key_place);
    let end = bytes(entry.node.place).end;
    let end = children.iter().map(|child| child.range.end).fold(end.max(selection.end), usize::max);
    Symbol {
        name: entry.key.to_string(),
        detail: short(&entry.node),
        kind: SymbolKind::Key,
        range: selection.start..end,
        selection,
        children: children.to_vec(),
    }
}

fn below(entry: &Entry) -> Vec<Symbol> {
    match &entry.node.value {
        Value::Map(entries) => entries.iter().map(|entry| of_entry(entry, &[])).collect(),
        Value::List(nodes) => {
            nodes.iter().take(MAX_ITEMS).filter_map(|node| of_item(&entry.key, node)).collect()
        }
        _ => Vec::new(),
    }
}

/// A member of a list, named after what tells it from the others.
fn of_item(list: &str, node: &Node) -> Option<Symbol> {
    let first = node.as_map()?.first()?;
    let kind = match list {
        "select" | "let" => SymbolKind::Variable,
        "require" => SymbolKind::Condition,
        "remediation" | "withholds" => SymbolKind::Step,
        _ => SymbolKind::Item,
    };
    let (name, detail) = if list == "let" {
        (first.key.to_string(), short(&first.node))
    } else {
        let second = node.as_map()?.get(1).map(|entry| short(&entry.node)).unwrap_or_default();
        (short(&first.node), second)
    };
    let name = if name.is_empty() { first.key.to_string() } else { name };
    let selection = bytes(first.key_place);
    let end_of = node.as_map()?.last()?;
    let end = bytes(end_of.node.place).end.max(bytes(node.place).end).max(selection.end);
    Some(Symbol {
        name,
        detail,
        kind,
        range: selection.start..end,
        selection,
        children: Vec::new(),
    })
}

/// The first line of a text, cut.
fn short(node: &Node) -> String {
    let text = match node.as_str() {
        Some(text) => text.trim().lines().next().unwrap_or_default().to_owned(),
        None if node.as_map().is_some() || node.as_list().is_some() => String::new(),
        None => node.to_json().to_string(),
    };
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn functions(text: &str) -> Vec<Symbol> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("fn ")
            && let Some((name, params)) = rest.split_once('(')
        {
            let at = start + 3;
            found.push(Symbol {
                name: name.trim().to_owned(),
                detail: format!("({}", params.trim_end().trim_end_matches('{').trim_end()),
                kind: SymbolKind::Function,
                range: start..start + line.trim_end().len(),
                selection: at..at + name.trim_end().len(),
                children: Vec::new(),
            });
        }
        start += line.len();
    }
    found
}
