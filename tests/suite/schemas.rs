//! The published schemas are good enough for an editor: every key has a description, free text with a form has
//! examples that are right, objects are closed or say why they are not.

use dpmguard::load::SCHEMAS;
use dpmguard::schema::Schema;
use dpmguard::source::{self, Sources};
use serde_json::{Value as Json, json};

/// What the tool writes; nobody types it.
const WRITTEN: &[&str] = &[
    "coverage-v1",
    "eval-v1",
    "explain-v1",
    "lint-v1",
    "plan-explain-v1",
    "plan-repair-v1",
    "plan-report-v1",
    "plan-verify-v1",
    "report-v1",
    "test-v1",
];

/// A schema within a schema: the way to it, itself, and whether it stands for a key's value.
struct Part<'a> {
    way: String,
    schema: &'a Json,
    is_value: bool,
}

fn parts(root: &Json) -> Vec<Part<'_>> {
    let mut all = vec![Part { way: "#".to_owned(), schema: root, is_value: false }];
    let mut next = 0;
    while next < all.len() {
        let (way, schema) = (all[next].way.clone(), all[next].schema);
        next += 1;
        for word in ["properties", "$defs"] {
            for (key, schema) in schema.get(word).and_then(Json::as_object).into_iter().flatten() {
                let way = format!("{way}/{word}/{key}");
                all.push(Part { way, schema, is_value: word == "properties" });
            }
        }
        for word in ["items", "additionalProperties"] {
            if let Some(schema) = schema.get(word).filter(|schema| schema.is_object()) {
                let is_value = word == "additionalProperties";
                all.push(Part { way: format!("{way}/{word}"), schema, is_value });
            }
        }
        for word in ["allOf", "anyOf", "oneOf"] {
            let branches = schema.get(word).and_then(Json::as_array).into_iter().flatten();
            for (position, schema) in branches.enumerate() {
                all.push(Part { way: format!("{way}/{word}/{position}"), schema, is_value: false });
            }
        }
    }
    all
}

/// What a schema says of itself, or the one that it refers to.
fn said<'a>(root: &'a Json, schema: &'a Json, word: &str) -> Option<&'a Json> {
    schema.get(word).or_else(|| {
        let target = schema.get("$ref")?.as_str()?.strip_prefix('#')?;
        root.pointer(target)?.get(word)
    })
}

fn is_a(schema: &Json, name: &str) -> bool {
    match schema.get("type") {
        Some(Json::Array(all)) => all.iter().any(|one| one == name),
        Some(one) => one == name,
        None => false,
    }
}

fn all_schemas() -> Vec<(&'static str, Json)> {
    SCHEMAS.iter().map(|(name, text)| (*name, serde_json::from_str(text).unwrap())).collect()
}

fn check(what: impl Fn(&str, &Json, &Part<'_>) -> Option<String>) {
    let mut wrong = Vec::new();
    for (name, root) in all_schemas() {
        for part in parts(&root) {
            wrong.extend(what(name, &root, &part).map(|why| format!("{name} {}: {why}", part.way)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_schema_says_what_it_is() {
    for (name, root) in all_schemas() {
        let text = |key: &str| root[key].as_str().unwrap_or_default().to_owned();
        assert!(!text("title").is_empty() && !text("description").is_empty(), "{name}");
        assert_eq!(text("$id"), format!("https://dpmguard.dev/schemas/{name}.schema.json"));
        let kind = format!("dpmguard.{}", name.replace("-v1", "/v1"));
        assert_eq!(root["properties"]["schema"]["const"], kind, "{name}");
    }
}

#[test]
fn every_key_has_a_description() {
    check(|_, root, part| {
        let text = said(root, part.schema, "description").and_then(Json::as_str);
        let is_there = text.is_some_and(|text| text.ends_with(['.', ')']) && text.len() > 5);
        let is_key = part.way.rsplit('/').nth(1) == Some("properties");
        (is_key && !is_there).then(|| "no description, or no sentence".to_owned())
    });
}

#[test]
fn every_object_is_closed_or_says_why_not() {
    check(|_, _, part| {
        let is_object = is_a(part.schema, "object") || part.schema.get("properties").is_some();
        let is_closed = part.schema.get("additionalProperties").is_some();
        let says_why =
            part.schema["$comment"].as_str().is_some_and(|why| why.starts_with("Open: "));
        (is_object && !is_closed && !says_why).then(|| "open, without a reason".to_owned())
    });
}

#[test]
fn text_with_a_form_has_examples() {
    check(|_, root, part| {
        let has_form = ["pattern", "format"].iter().any(|word| part.schema.get(word).is_some());
        let is_text = is_a(part.schema, "string");
        let has_examples = said(root, part.schema, "examples").is_some();
        (part.is_value && is_text && has_form && !has_examples).then(|| "no examples".to_owned())
    });
}

/// A switch that is left out is off or on; an editor shows which. What facts leave out is not known.
#[test]
fn switches_say_what_they_are_without_a_word() {
    check(|name, _, part| {
        let is_switch = part.is_value && part.schema["type"] == "boolean";
        let is_typed = name != "facts-v1" && !WRITTEN.contains(&name);
        let has_default = part.schema.get("default").is_some();
        (is_typed && is_switch && !has_default).then(|| "no default".to_owned())
    });
}

/// Examples and defaults are what the schema allows.
#[test]
fn examples_are_right() {
    check(|_, root, part| {
        let mut own = part.schema.clone();
        own.as_object_mut()?.insert("$defs".to_owned(), root["$defs"].clone());
        let given = part.schema.get("examples").and_then(Json::as_array).into_iter().flatten();
        let given: Vec<&Json> = given.chain(part.schema.get("default")).collect();
        if given.is_empty() || part.way == "#" {
            return None;
        }
        if root.get("$defs").is_none() {
            own.as_object_mut()?.remove("$defs");
        }
        let schema = match Schema::compile(&own.to_string()) {
            Ok(schema) => schema,
            Err(problem) => return Some(problem.message),
        };
        given.into_iter().find_map(|example| {
            let mut sources = Sources::default();
            let file = sources.add("example", example.to_string().as_bytes()).unwrap();
            let found = schema.check(&source::read(&sources, file).unwrap());
            found.first().map(|problem| format!("`{example}`: {}", problem.message))
        })
    });
}

/// The walk of this file finds what it looks for.
#[test]
fn the_walk_goes_everywhere() {
    let root = json!({
        "properties": { "a": { "items": { "properties": { "b": {} } } } },
        "$defs": { "c": { "oneOf": [{ "additionalProperties": { "type": "string" } }] } }
    });
    let ways: Vec<String> = parts(&root).into_iter().map(|part| part.way).collect();
    for way in ["#/properties/a/items/properties/b", "#/$defs/c/oneOf/0/additionalProperties"] {
        assert!(ways.iter().any(|known| known == way), "{way} of {ways:?}");
    }
}
