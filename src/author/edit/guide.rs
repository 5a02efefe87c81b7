//! What a schema says of the places of a document.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::author::edit::tree::Step;

/// How deep schemas that include one another are followed.
const MAX_DEPTH: usize = 16;

/// A key that a schema allows.
pub(super) struct Key<'a> {
    /// The key.
    pub(super) name: &'a str,
    /// What it means.
    pub(super) description: String,
}

/// All schemas that may apply to the value at the end of a path.
pub(super) fn at<'a>(root: &'a Json, path: &[Step]) -> Vec<&'a Json> {
    let mut here = vec![root];
    for step in path {
        let mut next = Vec::new();
        for schema in all(root, &here) {
            let found = match step {
                Step::Key(key) => schema
                    .get("properties")
                    .and_then(|properties| properties.get(&**key))
                    .or_else(|| schema.get("additionalProperties")),
                Step::Item(_) => schema.get("items"),
            };
            next.extend(found.filter(|found| found.is_object()));
        }
        here = next;
    }
    here
}

/// The schemas with all that they include.
fn all<'a>(root: &'a Json, schemas: &[&'a Json]) -> Vec<&'a Json> {
    let mut found = Vec::new();
    for schema in schemas {
        include(root, schema, 0, &mut found);
    }
    found
}

fn include<'a>(root: &'a Json, schema: &'a Json, depth: usize, found: &mut Vec<&'a Json>) {
    if depth > MAX_DEPTH {
        return;
    }
    found.push(schema);
    let target = schema.get("$ref").and_then(Json::as_str).and_then(|text| text.strip_prefix('#'));
    if let Some(target) = target.and_then(|pointer| root.pointer(pointer)) {
        include(root, target, depth + 1, found);
    }
    for word in ["allOf", "anyOf", "oneOf"] {
        for part in schema.get(word).and_then(Json::as_array).into_iter().flatten() {
            include(root, part, depth + 1, found);
        }
    }
}

/// The keys that the schemas at a place allow.
pub(super) fn keys<'a>(root: &'a Json, here: &[&'a Json]) -> Vec<Key<'a>> {
    let mut keys: Vec<Key<'a>> = Vec::new();
    for schema in all(root, here) {
        for (name, inner) in
            schema.get("properties").and_then(Json::as_object).into_iter().flatten()
        {
            if !keys.iter().any(|known| known.name == name) {
                keys.push(Key { name, description: describe(root, &[inner]) });
            }
        }
    }
    keys
}

/// What the schemas say of the value: its description, and which values it can have.
pub(super) fn describe(root: &Json, here: &[&Json]) -> String {
    let everything = all(root, here);
    let said = |word: &str| everything.iter().find_map(|schema| schema.get(word)?.as_str());
    // Writing to a string cannot fail.
    let mut text = said("description").or_else(|| said("title")).unwrap_or_default().to_owned();
    let values: Vec<String> = values(root, here).iter().map(|value| format!("`{value}`")).collect();
    if !values.is_empty() {
        let _ = write!(text, "\n\nOne of {}.", values.join(", "));
    }
    for (word, before) in [("default", "Default"), ("examples", "For example")] {
        let found = everything.iter().find_map(|schema| schema.get(word));
        let shown = found.map(|value| match value {
            Json::Array(items) if word == "examples" => {
                items.iter().map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ")
            }
            value => format!("`{value}`"),
        });
        if let Some(shown) = shown {
            let _ = write!(text, "\n\n{before}: {shown}.");
        }
    }
    text
}

/// The values that the schemas at a place permit, where they are few.
pub(super) fn values(root: &Json, here: &[&Json]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for schema in all(root, here) {
        let listed = schema.get("enum").and_then(Json::as_array).into_iter().flatten();
        for value in listed.chain(schema.get("const")) {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !found.contains(&text) {
                found.push(text);
            }
        }
        if schema.get("type").and_then(Json::as_str) == Some("boolean") {
            found.extend(["true".to_owned(), "false".to_owned()]);
        }
    }
    found
}
