//! What a step waits for, changed within its own text.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::Timing;
use super::list::dash;
use super::text::{Edit, column, is_blank, line_end, line_start, line_stop, part, trimmed};
use super::write::Style;
use crate::source::{Entry, Node, Style as Quotes, Value};

/// Keys of a step in the order in which they are written.
const ORDER: [&str; 6] = ["id", "action", "with", "estimate", "after", "not_before"];

/// A key with the value that it gets; none: it goes.
type Wish = (&'static str, Option<Json>);

impl Timing {
    /// The keys that must change, given what a step says of each.
    fn wishes(&self, says: impl Fn(&str) -> Option<Json>) -> Vec<Wish> {
        let after = (!self.after.is_empty()).then(|| Json::from(self.after.clone()));
        let not_before = self.not_before.clone().map(Json::from);
        let wishes = [("after", after), ("not_before", not_before)].into_iter();
        wishes.filter(|(key, value)| !is_same(says(key), value.clone())).collect()
    }

    fn wishes_of(&self, says: &Node) -> Vec<Wish> {
        self.wishes(|key| says.get(key).map(Node::to_json))
    }

    /// Whether a step says this already.
    pub(super) fn is_of(&self, says: &Node) -> bool {
        self.wishes_of(says).is_empty()
    }

    /// A step with these waits.
    pub(super) fn put(&self, step: &mut Map<String, Json>) {
        for (key, value) in self.wishes(|key| step.get(key).cloned()) {
            let Some(value) = value else {
                step.shift_remove(key);
                continue;
            };
            if let Some(known) = step.get_mut(key) {
                *known = value;
            } else {
                let place = behind(key, step.keys().map(String::as_str));
                let at = place.map_or(step.len(), |place| place + 1);
                step.shift_insert(at, key.to_owned(), value);
            }
        }
    }
}

/// Whether two values of a key are one: steps that are waited for have no order, and none is no key.
fn is_same(one: Option<Json>, other: Option<Json>) -> bool {
    let sorted = |value: Json| match value {
        Json::Array(items) if items.is_empty() => None,
        Json::Array(mut items) => {
            items.sort_by_key(Json::to_string);
            Some(Json::Array(items))
        }
        other => Some(other),
    };
    one.and_then(sorted) == other.and_then(sorted)
}

/// Which of the keys a new one is put behind.
fn behind<'k>(key: &str, keys: impl Iterator<Item = &'k str>) -> Option<usize> {
    let earlier = ORDER.split(|known| *known == key).next().unwrap_or_default();
    keys.enumerate().filter(|(_, known)| earlier.contains(known)).map(|(at, _)| at).last()
}

/// The edits that make an item the step that `says` is, with these waits; none if its texts cannot be
/// changed where they stand.
///
/// # Shape
///
/// `says` is the item itself, or what one of its steps would be if it were written out.
pub(super) fn edits(
    text: &str,
    item: &Node,
    says: &Node,
    timing: Option<&Timing>,
    style: Style,
) -> Option<Vec<Edit>> {
    let entries = item.as_map()?;
    let is_flow = part(text, item.place.start as usize..text.len()).starts_with('{');
    let wishes = timing.map(|timing| timing.wishes_of(says)).unwrap_or_default();
    let is_wished = |key: &str| wishes.iter().any(|(known, _)| *known == key);
    let is_gone = |entry: &Entry| {
        ["for_each", "in"].contains(&&*entry.key)
            || wishes.iter().any(|(key, value)| *key == &*entry.key && value.is_none())
    };
    let rest: Vec<&Entry> = entries.iter().filter(|entry| !is_gone(entry)).collect();
    let mut edits = Vec::new();
    for entry in rest.iter().filter(|entry| !is_wished(&entry.key)) {
        filled(&entry.node, says.get(&entry.key)?, style, &mut edits)?;
    }
    for (key, value) in &wishes {
        let (Some(value), entry) = (value, item.get(key)) else { continue };
        if let Some(node) = entry {
            edits.push(replaced(text, node, value, style));
            continue;
        }
        let anchor = behind(key, rest.iter().map(|entry| &*entry.key));
        let anchor = anchor.and_then(|at| rest.get(at))?;
        edits.push(added(text, anchor, &style.entry(key, value), is_flow, style));
    }
    let leading = entries.iter().take_while(|entry| is_gone(entry)).count();
    if let (Some(first), Some(next)) = (entries.first().filter(|_| leading > 0), rest.first()) {
        let range = first.key_place.start as usize..next.key_place.start as usize;
        edits.push(Edit::remove(range));
    }
    for pair in entries.windows(2).skip(leading.saturating_sub(1)) {
        if let [before, entry] = pair
            && is_gone(entry)
        {
            edits.push(removed(text, before, entry, is_flow));
        }
    }
    Some(edits)
}

/// The texts of a value, with what another one has for them.
fn filled(node: &Node, says: &Node, style: Style, edits: &mut Vec<Edit>) -> Option<()> {
    match (&node.value, &says.value) {
        (Value::List(nodes), Value::List(said)) if nodes.len() == said.len() => {
            nodes.iter().zip(said).try_for_each(|(node, says)| filled(node, says, style, edits))
        }
        (Value::Map(entries), Value::Map(said)) if entries.len() == said.len() => entries
            .iter()
            .zip(said)
            .try_for_each(|(entry, says)| filled(&entry.node, &says.node, style, edits)),
        (Value::Text(text, _), Value::Text(said, _)) if text == said => Some(()),
        (Value::Text(_, Quotes::Literal | Quotes::Folded), _) => None,
        (Value::Text(..), _) => {
            edits.push(Edit { range: bytes(node), text: style.value(&says.to_json()) });
            Some(())
        }
        _ => Some(()),
    }
}

fn bytes(node: &Node) -> Range<usize> {
    node.place.start as usize..node.place.end as usize
}

/// Where the text of an entry ends.
fn end(text: &str, entry: &Entry) -> usize {
    let range = trimmed(text, bytes(&entry.node));
    range.end.max(entry.key_place.end as usize)
}

fn replaced(text: &str, node: &Node, value: &Json, style: Style) -> Edit {
    let mut range = trimmed(text, bytes(node));
    let first = node.as_list().and_then(<[_]>::first);
    let new = match (first.and_then(|first| dash(text, first)), value) {
        (Some(dash), Json::Array(items)) => {
            range.start = dash;
            let indent = " ".repeat(column(text, dash));
            let items: Vec<String> =
                items.iter().map(|item| format!("- {}", style.value(item))).collect();
            items.join(&format!("{}{indent}", style.line_break))
        }
        _ => match (&node.value, value) {
            (Value::Text(_, Quotes::Single), Json::String(text)) => {
                format!("'{}'", text.replace('\'', "''"))
            }
            _ => style.value(value),
        },
    };
    Edit { range, text: new }
}

fn removed(text: &str, before: &Entry, entry: &Entry, is_flow: bool) -> Edit {
    let (start, stop) = (entry.key_place.start as usize, end(text, entry));
    if !is_flow {
        return Edit::remove(line_start(text, start)..line_end(text, stop));
    }
    let range = end(text, before)..stop;
    let between = part(text, range.start..start);
    // A comment there is about what is kept.
    let kept = if between.contains('#') { between.replacen(',', "", 1) } else { String::new() };
    Edit { range, text: kept }
}

fn added(text: &str, anchor: &Entry, said: &str, is_flow: bool, style: Style) -> Edit {
    let (start, stop) = (anchor.key_place.start as usize, end(text, anchor));
    let is_first_of_line = is_blank(part(text, line_start(text, start)..start));
    let below = format!("{}{}", style.line_break, " ".repeat(column(text, start)));
    match (is_flow, is_first_of_line) {
        (true, true) => Edit::insert(stop, format!(",{below}{said}")),
        (true, false) => Edit::insert(stop, format!("{}{said}", style.comma())),
        (false, _) => Edit::insert(line_stop(text, stop), format!("{below}{said}")),
    }
}
