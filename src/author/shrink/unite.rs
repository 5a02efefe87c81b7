//! Several fact files as one document that says the same.

use std::collections::HashMap;
use std::sync::Arc;

use crate::author::patch::key_of;
use crate::diagnostic::Place;
use crate::facts::model::{Kind, Model};
use crate::facts::store::Facts;
use crate::facts::value::fold;
use crate::source::{Entry, Node, Style, Value};

/// One document of files that were united to `facts` before.
#[must_use]
pub fn unite(model: &Model, files: &[Node], facts: &Facts) -> Option<Node> {
    let newest = facts.files().iter().max_by_key(|file| file.observed_at.seconds())?;
    let first = files.first()?;
    let place = first.place;
    let mut entries = vec![
        entry("schema", first.get("schema")?.clone()),
        entry("observed_at", text(&newest.observed_at.to_string(), place)),
    ];
    let mut complete = Vec::new();
    let mut collected = Vec::new();
    let mut collections = Vec::new();
    for kind in model.kinds() {
        let found = files.iter().filter_map(|file| file.get(&kind.collection));
        let lists: Vec<&Node> = found.collect();
        let (Some(list), Some(table)) = (lists.first(), facts.table(kind.id)) else { continue };
        if table.is_complete() {
            complete.push(text(&kind.collection, list.place));
        }
        if let Some(at) =
            table.collected().filter(|at| at.seconds() != newest.observed_at.seconds())
        {
            let at = entry("at", text(&at.to_string(), list.place));
            collected.push(entry(&kind.collection, node(Value::Map(vec![at]), list.place)));
        }
        collections
            .push(entry(&kind.collection, node(Value::List(objects(kind, &lists)), list.place)));
    }
    if !complete.is_empty() {
        entries.push(entry("complete", node(Value::List(complete), place)));
    }
    if !collected.is_empty() {
        entries.push(entry("collected", node(Value::Map(collected), place)));
    }
    entries.extend(collections);
    for single in model.singles() {
        let found = files.iter().filter_map(|file| file.get(&single.name));
        if let Some(record) = found.cloned().reduce(|known, more| both(&known, &more)) {
            entries.push(entry(&single.name, record));
        }
    }
    Some(node(Value::Map(entries), place))
}

/// The objects of all lists, each once, with all its facts.
fn objects(kind: &Kind, lists: &[&Node]) -> Vec<Node> {
    let mut objects: Vec<Node> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for object in lists.iter().flat_map(|list| list.as_list().unwrap_or_default()) {
        let key = fold(&key_of(kind, object));
        if let Some(first) = known.get(&key).and_then(|position| objects.get_mut(*position)) {
            *first = both(first, object);
        } else {
            known.insert(key, objects.len());
            objects.push(object.clone());
        }
    }
    objects
}

/// Two records in one; what both have is equal, or the files could not have been united.
fn both(first: &Node, second: &Node) -> Node {
    let (Value::Map(known), Value::Map(more)) = (&first.value, &second.value) else {
        return first.clone();
    };
    let mut entries = known.clone();
    for new in more {
        match entries.iter_mut().find(|entry| entry.key == new.key) {
            Some(entry) => entry.node = both(&entry.node, &new.node),
            None => entries.push(new.clone()),
        }
    }
    node(Value::Map(entries), first.place)
}

fn node(value: Value, place: Place) -> Node {
    Node { value, place }
}

fn text(text: &str, place: Place) -> Node {
    node(Value::Text(Arc::from(text), Style::Plain), place)
}

fn entry(key: &str, node: Node) -> Entry {
    Entry { key: key.into(), key_place: node.place, node }
}
