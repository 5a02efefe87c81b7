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

impl Timing {
    /// The keys with their values.
    fn wanted(&self) -> [(&'static str, Option<Json>); 2] {
        let after = (!self.after.is_empty()).then(|| Json::from(self.after.clone()));
        [("after", after), ("not_before", self.not_before.clone().map(Json::from))]
    }

    /// Whether a step says this already.
    pub(super) fn is_of(&self, node: &Node) -> bool {
        self.wanted().iter().all(|(key, wanted)| is_same(node.get(key), wanted.as_ref()))
    }

    /// A step with these waits.
    pub(super) fn put(&self, step: &mut Map<String, Json>) {
        for (key, wanted) in self.wanted() {
            let Some(wanted) = wanted else {
                step.shift_remove(key);
                continue;
            };
            if let Some(value) = step.get_mut(key) {
                *value = wanted;
            } else {
                let place = behind(key, step.keys().map(String::as_str));
                let at = place.map_or(step.len(), |place| place + 1);
                step.shift_insert(at, key.to_owned(), wanted);
            }
        }
    }
}

/// Whether a key has this value; steps that are waited for have no order.
fn is_same(node: Option<&Node>, wanted: Option<&Json>) -> bool {
    let sorted = |value: Json| match value {
        Json::Array(mut items) => {
            items.sort_by_key(Json::to_string);
            Json::Array(items)
        }
        other => other,
    };
    let has =
        node.map(|node| sorted(node.to_json())).filter(|value| *value != Json::Array(Vec::new()));
    has == wanted.cloned().map(sorted)
}

/// Which of the keys a new one is put behind.
fn behind<'k>(key: &str, keys: impl Iterator<Item = &'k str>) -> Option<usize> {
    let earlier = ORDER.split(|known| *known == key).next().unwrap_or_default();
    keys.enumerate().filter(|(_, known)| earlier.contains(known)).map(|(at, _)| at).last()
}

/// The edits that give a step these waits.
pub(super) fn retimed(text: &str, node: &Node, timing: &Timing, style: Style) -> Vec<Edit> {
    let entries = node.as_map().unwrap_or_default();
    let is_flow = part(text, node.place.start as usize..text.len()).starts_with('{');
    let wanted = timing.wanted();
    let gone = |key: &str| wanted.iter().any(|(known, value)| *known == key && value.is_none());
    let stays: Vec<&Entry> = entries.iter().filter(|entry| !gone(&entry.key)).collect();
    let mut edits = Vec::new();
    for (key, value) in &wanted {
        let position = entries.iter().position(|entry| &*entry.key == *key);
        let entry = position.and_then(|position| entries.get(position));
        if is_same(entry.map(|entry| &entry.node), value.as_ref()) {
            continue;
        }
        match (entry, value) {
            (Some(entry), Some(value)) => edits.push(replaced(text, &entry.node, value, style)),
            (Some(_), None) => edits.extend(removed(text, entries, position, is_flow)),
            (None, Some(value)) => {
                let at = behind(key, stays.iter().map(|entry| &*entry.key));
                let anchor = at.and_then(|at| stays.get(at));
                let said = style.entry(key, value);
                edits.extend(anchor.map(|anchor| added(text, anchor, &said, is_flow, style)));
            }
            (None, None) => {}
        }
    }
    edits
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

fn removed(text: &str, entries: &[Entry], position: Option<usize>, is_flow: bool) -> Option<Edit> {
    let position = position?;
    let entry = entries.get(position)?;
    let start = entry.key_place.start as usize;
    let next = entries.get(position + 1).map(|next| next.key_place.start as usize);
    let before = position.checked_sub(1).and_then(|before| entries.get(before));
    let stop = end(text, entry);
    if is_flow {
        let Some(before) = before else { return Some(Edit::remove(start..next?)) };
        let range = end(text, before)..stop;
        let between = part(text, range.start..start);
        // A comment there is about what stays.
        let kept = if between.contains('#') { between.replacen(',', "", 1) } else { String::new() };
        return Some(Edit { range, text: kept });
    }
    let line = line_start(text, start);
    if is_blank(part(text, line..start)) {
        return Some(Edit::remove(line..line_end(text, stop)));
    }
    Some(Edit::remove(start..next?))
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
