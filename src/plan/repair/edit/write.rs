//! Steps and values as text, in the style of what stands around them.

use serde_json::Value as Json;

use super::list::{Layout, Shape};
use super::text::{column, part};
use crate::source::{Node, flow_text, to_compact_yaml};

/// Longest line that a step is put on.
const WIDTH: usize = 118;

/// What kind of text the file is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    /// How lines end.
    pub(super) line_break: &'static str,
    /// How it is set, if it is JSON, which has quotes everywhere and no comments.
    pub(super) json: Option<Set>,
}

/// How JSON is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set {
    /// Blanks inside braces.
    is_wide: bool,
    /// No blanks at all.
    is_tight: bool,
}

impl Style {
    pub(super) fn of(text: &str, line_break: &'static str, items: &[Node]) -> Self {
        if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
            return Self { line_break, json: None };
        }
        let first = items.first();
        let own =
            first.map_or("", |node| part(text, node.place.start as usize..node.place.end as usize));
        let colon = first.and_then(Node::as_map).and_then(<[_]>::first).map_or(": ", |entry| {
            part(text, entry.key_place.end as usize..entry.node.place.start as usize)
        });
        let set = Set { is_wide: own.starts_with("{ "), is_tight: colon == ":" };
        Self { line_break, json: Some(set) }
    }

    /// A value on one line.
    pub(super) fn value(&self, value: &Json) -> String {
        self.json.map_or_else(|| flow_text(value), |set| set.line(value))
    }

    /// `key: value` on one line.
    pub(super) fn entry(&self, key: &str, value: &Json) -> String {
        let value = self.value(value);
        match self.json {
            None => format!("{key}: {value}"),
            Some(set) => format!("\"{key}\"{}{value}", set.colon()),
        }
    }

    /// What stands between two entries of a line.
    pub(super) fn comma(&self) -> &'static str {
        self.json.map_or(", ", Set::comma)
    }

    /// Comment lines at a column; none in JSON.
    pub(super) fn comment(&self, said: &str, column: usize) -> String {
        if self.json.is_some() {
            return String::new();
        }
        let indent = " ".repeat(column);
        let lines = said.lines().map(|line| {
            let plain: String =
                line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            format!("{indent}# {}{}", plain.trim(), self.line_break)
        });
        lines.collect()
    }

    /// A step as an item of a list, like a neighbour; without a line break at its end.
    pub(super) fn step(&self, step: &Json, list: &Layout, next: Option<(&str, &Node)>) -> String {
        let indent = " ".repeat(list.column);
        match (list.shape, self.json) {
            (Shape::Inline, _) => self.value(step),
            (Shape::Rows, Some(set)) => match next.and_then(|(text, node)| inner(text, node)) {
                Some(depth) => format!("{indent}{}", self.pretty(step, list.column, depth, set)),
                None => format!("{indent}{}", self.value(step)),
            },
            (Shape::Rows, None) => format!("{indent}{}", self.value(step)),
            (Shape::Block, _) => {
                let line = format!("{indent}- {}", self.value(step));
                let is_flow = next.is_none_or(|(text, node)| is_flow(text, node));
                if is_flow && line.chars().count() <= WIDTH {
                    return line;
                }
                let lines = to_compact_yaml(step);
                let lines = lines.lines().enumerate().map(|(number, line)| {
                    let lead = if number == 0 { "- " } else { "  " };
                    format!("{indent}{lead}{line}")
                });
                lines.collect::<Vec<_>>().join(self.line_break)
            }
        }
    }

    /// JSON with a line for each entry.
    fn pretty(&self, value: &Json, column: usize, depth: usize, set: Set) -> String {
        let (open, close, members): (_, _, Vec<String>) = match value {
            Json::Object(entries) if !entries.is_empty() => {
                let entries = entries.iter().map(|(key, value)| {
                    let value = self.pretty(value, column + depth, depth, set);
                    format!("{}{}{value}", Json::from(key.as_str()), set.colon())
                });
                ('{', '}', entries.collect())
            }
            Json::Array(items) if !items.is_empty() => {
                let items = items.iter().map(|item| self.pretty(item, column + depth, depth, set));
                ('[', ']', items.collect())
            }
            other => return other.to_string(),
        };
        let (end, inner) = (self.line_break, " ".repeat(column + depth));
        let members = members.join(&format!(",{end}{inner}"));
        format!("{open}{end}{inner}{members}{end}{}{close}", " ".repeat(column))
    }
}

impl Set {
    fn colon(self) -> &'static str {
        if self.is_tight { ":" } else { ": " }
    }

    fn comma(self) -> &'static str {
        if self.is_tight { "," } else { ", " }
    }

    fn line(self, value: &Json) -> String {
        match value {
            Json::Object(entries) if !entries.is_empty() => {
                let entries = entries.iter().map(|(key, value)| {
                    format!("{}{}{}", Json::from(key.as_str()), self.colon(), self.line(value))
                });
                let entries = entries.collect::<Vec<_>>().join(self.comma());
                if self.is_wide { format!("{{ {entries} }}") } else { format!("{{{entries}}}") }
            }
            Json::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| self.line(item)).collect();
                format!("[{}]", items.join(self.comma()))
            }
            other => other.to_string(),
        }
    }
}

/// Whether a mapping is written in braces; of a block of steps, whether the first one is.
pub(super) fn is_flow(text: &str, node: &Node) -> bool {
    let members = node.get("parallel").and_then(Node::as_list);
    let node = members.and_then(<[_]>::first).unwrap_or(node);
    part(text, node.place.start as usize..text.len()).starts_with('{')
}

/// How much deeper the keys of an item stand that has them on lines of their own.
fn inner(text: &str, node: &Node) -> Option<usize> {
    let first = node.as_map()?.first()?;
    let (start, key) = (node.place.start as usize, first.key_place.start as usize);
    let is_below = part(text, start..key).contains('\n');
    is_below.then(|| column(text, key).saturating_sub(column(text, start)))
}
