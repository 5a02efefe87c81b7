//! From the pointers of a violation to the value in the file and to the schema that it violates.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::diagnostic::Place;
use crate::source::{self, Entry, Node, Value};

/// From this many entries on, a mapping is indexed; else a thousand violations in it would be slow.
const INDEX_FROM: usize = 32;
/// How deep schemas that include one another are followed.
const MAX_DEPTH: usize = 8;

/// A value and, if it has one, its entry in the mapping around it.
#[derive(Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) node: &'a Node,
    pub(super) entry: Option<&'a Entry>,
}

impl Found<'_> {
    /// The key, else the beginning of the value: small enough to underline.
    pub(super) fn head(&self) -> Place {
        if let Some(entry) = self.entry {
            return entry.key_place;
        }
        let place = self.node.place;
        match &self.node.value {
            Value::Map(entries) => {
                entries.first().map_or(first_byte(place), |entry| entry.key_place)
            }
            Value::List(_) => first_byte(place),
            _ => place,
        }
    }
}

/// A collection without key or entry begins with a bracket or a dash, which is one byte.
fn first_byte(place: Place) -> Place {
    Place { end: place.end.min(place.start + 1), ..place }
}

/// Finds values by JSON pointer.
pub(super) struct Finder<'a> {
    root: &'a Node,
    indexes: HashMap<*const Node, HashMap<&'a str, &'a Entry>>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(root: &'a Node) -> Self {
        Self { root, indexes: HashMap::new() }
    }

    /// The value at `pointer`, or the nearest around it.
    pub(super) fn find(&mut self, pointer: &str) -> Found<'a> {
        let mut found = Found { node: self.root, entry: None };
        for token in source::tokens(pointer).unwrap_or_default() {
            let next = match &found.node.value {
                Value::List(nodes) => source::list_index(&token)
                    .and_then(|index| nodes.get(index))
                    .map(|node| Found { node, entry: None }),
                _ => self
                    .entry(found.node, &token)
                    .map(|entry| Found { node: &entry.node, entry: Some(entry) }),
            };
            let Some(next) = next else { break };
            found = next;
        }
        found
    }

    pub(super) fn entry(&mut self, node: &'a Node, key: &str) -> Option<&'a Entry> {
        let entries = node.as_map()?;
        if entries.len() < INDEX_FROM {
            return entries.iter().find(|entry| &*entry.key == key);
        }
        let index = self
            .indexes
            .entry(std::ptr::from_ref(node))
            .or_insert_with(|| entries.iter().map(|entry| (&*entry.key, entry)).collect());
        index.get(key).copied()
    }

    /// The pointer as a person writes it: `databases[3].edb_path`; empty for the document.
    pub(super) fn path(&mut self, pointer: &str) -> String {
        let mut path = String::new();
        let mut node = Some(self.root);
        for token in source::tokens(pointer).unwrap_or_default() {
            let list = node.is_some_and(|node| node.as_list().is_some());
            node = node.and_then(|node| match &node.value {
                Value::List(nodes) => nodes.get(source::list_index(&token)?),
                _ => self.entry(node, &token).map(|entry| &entry.node),
            });
            if list {
                path.push('[');
                path.push_str(&token);
                path.push(']');
            } else {
                push_key(&mut path, &token);
            }
        }
        path
    }
}

/// Adds `.key`, or `["key"]` where it is no plain word.
fn push_key(path: &mut String, key: &str) {
    let word =
        !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if !word {
        // Writing to a string cannot fail.
        let _ = write!(path, "[{key:?}]");
        return;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}

/// The schemas that apply to the value whose violation has the evaluation path `path`, from the one
/// that names the value to the one that was violated.
pub(super) fn chain<'s>(root: &'s Json, path: &str) -> Vec<&'s Json> {
    let tokens = source::tokens(path).unwrap_or_default();
    let mut tokens = tokens.iter().map(String::as_str);
    let mut chain = vec![root];
    let mut current = root;
    while let Some(token) = tokens.next() {
        let (next, descends) = match token {
            "$ref" => (target(root, current), false),
            "properties" | "patternProperties" | "prefixItems" => {
                (current.get(token).and_then(|inner| member(inner, tokens.next()?)), true)
            }
            "allOf" | "anyOf" | "oneOf" | "dependentSchemas" => {
                (current.get(token).and_then(|inner| member(inner, tokens.next()?)), false)
            }
            "items"
            | "additionalProperties"
            | "unevaluatedProperties"
            | "unevaluatedItems"
            | "contains"
            | "propertyNames" => (current.get(token), true),
            "if" | "then" | "else" | "not" => (current.get(token), false),
            _ => break,
        };
        // A keyword that is no schema is the violated one itself.
        let Some(next) = next.filter(|next| next.is_object()) else { break };
        if descends {
            chain.clear();
        }
        chain.push(next);
        current = next;
    }
    chain
}

fn member<'s>(json: &'s Json, token: &str) -> Option<&'s Json> {
    match json {
        Json::Array(members) => members.get(source::list_index(token)?),
        _ => json.get(token),
    }
}

/// What the schema's `$ref` refers to, if that is in the same document.
fn target<'s>(root: &'s Json, schema: &Json) -> Option<&'s Json> {
    root.pointer(schema.get("$ref")?.as_str()?.strip_prefix('#')?)
}

/// The properties that `schema` and what it includes name, in the order of the schema.
pub(super) fn properties<'s>(root: &'s Json, schema: &'s Json) -> Vec<(&'s str, &'s Json)> {
    let mut found = Vec::new();
    collect(root, schema, MAX_DEPTH, &mut found);
    found
}

fn collect<'s>(
    root: &'s Json,
    schema: &'s Json,
    depth: usize,
    found: &mut Vec<(&'s str, &'s Json)>,
) {
    if depth == 0 {
        return;
    }
    if let Some(Json::Object(own)) = schema.get("properties") {
        for (key, value) in own {
            // `key: false` forbids it.
            if value != &Json::Bool(false) && !found.iter().any(|(known, _)| known == key) {
                found.push((key, value));
            }
        }
    }
    let lists =
        ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema.get(key)?.as_array());
    let single = ["then", "else"].into_iter().filter_map(|key| schema.get(key));
    let included = target(root, schema).into_iter().chain(single).chain(lists.flatten());
    for inner in included {
        collect(root, inner, depth - 1, found);
    }
}

/// A short description of what a schema, or the one it refers to, is about.
pub(super) fn description(root: &Json, schema: &Json) -> Option<String> {
    let own = schema.get("description").or_else(|| target(root, schema)?.get("description"));
    let text = own?.as_str()?.trim().trim_end_matches('.');
    (!text.is_empty() && text.chars().count() < 100 && !text.contains('\n'))
        .then(|| text.to_owned())
}
