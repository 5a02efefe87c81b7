//! Kinds and fields that a pack adds to the facts schema.

use crate::diagnostic::{Diagnostic, Place};
use crate::source::{Entry, Node, Style, Value};

/// Adds to the facts schema what an overlay declares: collections and single records under
/// `properties`, their types under `$defs`, and further fields of types that exist.
///
/// New collections can be declared complete and can have their own time, like the others.
///
/// # Errors
///
/// What stands in the schema already: an overlay adds, it changes nothing.
pub fn extend(base: &mut Node, overlay: &Node) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut collections: Vec<(String, Place)> = Vec::new();
    for entry in entries(overlay, "properties") {
        let known = entries(base, "properties").iter().any(|known| known.key == entry.key);
        if known {
            problems.push(taken(entry, "a collection or record of the facts"));
            continue;
        }
        if entry.node.get("items").is_some() {
            collections.push((entry.key.to_string(), entry.key_place));
        }
        add(base, &["properties"], entry.clone());
    }
    for entry in entries(overlay, "$defs") {
        if !entries(base, "$defs").iter().any(|known| known.key == entry.key) {
            add(base, &["$defs"], entry.clone());
            continue;
        }
        let path = ["$defs", &*entry.key, "properties"];
        for part in entry.node.as_map().unwrap_or_default() {
            if &*part.key != "properties" {
                let message = format!(
                    "`{}` is a type of the facts already; only `properties` can be added to it",
                    entry.key
                );
                problems.push(Diagnostic::error("cannot-extend", message).at(part.key_place));
            }
        }
        for field in entries(&entry.node, "properties") {
            let there = base.get("$defs").and_then(|defs| defs.get(&entry.key));
            let known = there.is_some_and(|def| {
                entries(def, "properties").iter().any(|known| known.key == field.key)
            });
            if known {
                problems.push(taken(field, &format!("a field of `{}`", entry.key)));
            } else {
                add(base, &path, field.clone());
            }
        }
    }
    for (name, place) in collections {
        announce(base, &name, place);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

fn entries<'a>(node: &'a Node, key: &str) -> &'a [Entry] {
    node.get(key).and_then(Node::as_map).unwrap_or_default()
}

fn taken(entry: &Entry, what: &str) -> Diagnostic {
    let message = format!("`{}` is {what} already", entry.key);
    Diagnostic::error("cannot-extend", message).at(entry.key_place).help("choose another name")
}

fn below<'a>(node: &'a mut Node, path: &[&str]) -> Option<&'a mut Node> {
    path.iter().try_fold(node, |node, step| match &mut node.value {
        Value::Map(entries) => {
            entries.iter_mut().find(|entry| *entry.key == **step).map(|entry| &mut entry.node)
        }
        _ => None,
    })
}

fn add(base: &mut Node, path: &[&str], entry: Entry) {
    if let Some(Node { value: Value::Map(entries), .. }) = below(base, path) {
        entries.push(entry);
    }
}

/// Lets `complete` and `collected` name a new collection.
fn announce(base: &mut Node, name: &str, place: Place) {
    let text = |text: &str| Node { value: Value::Text(text.into(), Style::Plain), place };
    if let Some(Node { value: Value::List(names), .. }) =
        below(base, &["properties", "complete", "items", "enum"])
    {
        names.push(text(name));
    }
    let reference = Entry { key: "$ref".into(), key_place: place, node: text("#/$defs/collected") };
    let node = Node { value: Value::Map(vec![reference]), place };
    add(
        base,
        &["properties", "collected", "properties"],
        Entry { key: name.into(), key_place: place, node },
    );
}
