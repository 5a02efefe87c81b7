//! Kinds and fields that a pack adds to the facts schema.

use crate::diagnostic::{Diagnostic, Place};
use crate::source::{Entry, Node, Style, Value};

/// Adds to the facts schema what an overlay declares: collections and single records under
/// `properties`, their types under `$defs`, and further fields of types that exist.
///
/// New collections can be declared complete and can have their own time, like the others. Objects that
/// do not say `additionalProperties` allow none.
///
/// # Errors
///
/// What stands in the schema already: an overlay adds, it changes nothing.
pub fn extend(base: &mut Node, overlay: &Node) -> Result<(), Vec<Diagnostic>> {
    let mut problems = Vec::new();
    annotations(overlay, &mut problems);
    let mut collections: Vec<(String, Place)> = Vec::new();
    for entry in entries(overlay, "properties") {
        let known = entries(base, "properties").iter().any(|known| known.key == entry.key);
        if known {
            problems.push(taken(entry, "a collection or record of the facts"));
            continue;
        }
        if let Some(items) = entry.node.get("items") {
            problems.extend(no_kind(base, overlay, items, &entry.key));
            collections.push((entry.key.to_string(), entry.key_place));
        }
        add(base, &["properties"], entry.clone());
    }
    for entry in entries(overlay, "$defs") {
        if !entries(base, "$defs").iter().any(|known| known.key == entry.key) {
            problems.extend(no_use(base, overlay, entry));
            let mut entry = entry.clone();
            close(&mut entry.node);
            add(base, &["$defs"], entry);
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
                let mut field = field.clone();
                close(&mut field.node);
                add(base, &path, field);
            }
        }
    }
    for (name, place) in collections {
        announce(base, &name, place);
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The annotations that the model understands.
const ANNOTATIONS: [&str; 9] = [
    "x-kind",
    "x-key",
    "x-ref",
    "x-ref-scope",
    "x-ref-outside",
    "x-inverse",
    "x-within",
    "x-unit",
    "x-source",
];

/// Misspelt annotations: JSON Schema would pass over them, and the model would lack what they say.
fn annotations(node: &Node, problems: &mut Vec<Diagnostic>) {
    match &node.value {
        Value::Map(entries) => {
            for entry in entries {
                if entry.key.starts_with("x-") && !ANNOTATIONS.contains(&&*entry.key) {
                    let message = format!("`{}` is no annotation", entry.key);
                    let problem = Diagnostic::error("schema-not-understood", message);
                    problems.push(problem.at(entry.key_place).suggest(&entry.key, ANNOTATIONS));
                }
                annotations(&entry.node, problems);
            }
        }
        Value::List(items) => items.iter().for_each(|item| annotations(item, problems)),
        _ => {}
    }
}

/// That the objects of a collection have no kind: no rule could ask for them.
fn no_kind(base: &Node, overlay: &Node, items: &Node, collection: &str) -> Option<Diagnostic> {
    let target = items.get("$ref")?;
    let name = target.as_str()?.strip_prefix("#/$defs/")?;
    let def = overlay.get("$defs").and_then(|defs| defs.get(name));
    let def = def.or_else(|| base.get("$defs")?.get(name))?;
    if def.get("x-kind").is_some() {
        return None;
    }
    let message = format!("`{name}` has no `x-kind`, so `{collection}` would hold no objects");
    Some(Diagnostic::error("schema-not-understood", message).at(target.place))
}

/// That nothing refers to a new type, which is no kind either: most likely the name of a type that exists
/// is misspelt, and the fields meant for it would be missing.
fn no_use(base: &Node, overlay: &Node, entry: &Entry) -> Option<Diagnostic> {
    if entry.node.get("x-kind").is_some() || refers(overlay, &format!("#/$defs/{}", entry.key)) {
        return None;
    }
    let message = format!("`{}` is no type of the facts, and nothing refers to it", entry.key);
    let problem = Diagnostic::error("schema-not-understood", message).at(entry.key_place);
    let known = entries(base, "$defs").iter().map(|known| &*known.key);
    let problem = problem.suggest(&entry.key, known);
    Some(if problem.help.is_empty() {
        problem.help("a new kind of object needs `x-kind`, and a collection under `properties`")
    } else {
        problem
    })
}

fn refers(node: &Node, target: &str) -> bool {
    match &node.value {
        Value::Map(entries) => entries.iter().any(|entry| {
            (&*entry.key == "$ref" && entry.node.as_str() == Some(target))
                || refers(&entry.node, target)
        }),
        Value::List(items) => items.iter().any(|item| refers(item, target)),
        _ => false,
    }
}

/// Closes every object: a misspelt field of a fact file is never passed over.
fn close(node: &mut Node) {
    let place = node.place;
    match &mut node.value {
        Value::Map(entries) => {
            for entry in entries.iter_mut() {
                close(&mut entry.node);
            }
            let has = |key: &str| entries.iter().any(|entry| *entry.key == *key);
            let is_object = entries
                .iter()
                .any(|entry| &*entry.key == "type" && entry.node.as_str() == Some("object"));
            if is_object && has("properties") && !has("additionalProperties") {
                let node = Node { value: Value::Bool(false), place };
                entries.push(Entry { key: "additionalProperties".into(), key_place: place, node });
            }
        }
        Value::List(items) => items.iter_mut().for_each(close),
        _ => {}
    }
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
