//! The smallest fact document in which there is an object of a kind.

use serde_json::{Map, Value as Json, json};

use crate::diagnostic::Diagnostic;
use crate::facts::model::{Field, Kind, KindId, Model, Origin, Type};
use crate::source::{self, Node, Sources};

/// When the facts of scaffolds were observed, and the instant of their cases.
pub const OBSERVED: &str = "2026-01-15T12:00:00Z";

/// A fact document in the making.
#[derive(Debug)]
pub struct Sketch<'a> {
    model: &'a Model,
    schema: &'a Json,
    collections: Map<String, Json>,
    /// Kinds whose objects are being made: a reference back to one makes no second.
    open: Vec<KindId>,
}

impl<'a> Sketch<'a> {
    /// An empty one, for a model and the schema of its fact files.
    #[must_use]
    pub fn new(model: &'a Model, schema: &'a Json) -> Self {
        Self { model, schema, collections: Map::new(), open: Vec::new() }
    }

    /// Adds one object of a kind, with what its key refers to; the answer is its key.
    ///
    /// # Errors
    ///
    /// A field that it needs and for which no value can be made up.
    pub fn add(&mut self, kind: &Kind) -> Result<String, Diagnostic> {
        let parts = self.parts(kind)?;
        Ok(parts.join("/"))
    }

    /// The document, in which every collection is complete.
    #[must_use]
    pub fn document(&self) -> Json {
        let mut document = Map::new();
        document.insert("schema".to_owned(), json!("dpmguard.facts/v1"));
        document.insert("observed_at".to_owned(), json!(OBSERVED));
        if !self.collections.is_empty() {
            document.insert("complete".to_owned(), json!("all"));
        }
        // In the order of the model, whatever was made first.
        for kind in self.model.kinds() {
            if let Some(objects) = self.collections.get(&*kind.collection) {
                document.insert(kind.collection.to_string(), objects.clone());
            }
        }
        Json::Object(document)
    }

    /// Adds the object unless there is one, and gives the parts of its key.
    fn parts(&mut self, kind: &Kind) -> Result<Vec<String>, Diagnostic> {
        if !self.collections.contains_key(&*kind.collection) {
            self.open.push(kind.id);
            let object = self.object(kind)?;
            self.open.pop();
            self.collections.insert(kind.collection.to_string(), json!([object]));
        }
        let object = self.collections.get(&*kind.collection).and_then(|objects| objects.get(0));
        let fields = kind.key.iter().filter_map(|(position, _)| kind.record.fields.get(*position));
        let part = |field: &Field| match object.and_then(|object| object.get(&*field.name)) {
            Some(Json::String(text)) => Some(text.clone()),
            Some(Json::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        Ok(fields.filter_map(part).collect())
    }

    fn object(&mut self, kind: &Kind) -> Result<Json, Diagnostic> {
        let def = definition(self.schema, kind);
        let required = texts(def.get("required"));
        let mut object = Map::new();
        for (position, field) in kind.record.fields.iter().enumerate() {
            let part = kind.key.iter().find(|(known, _)| *known == position);
            let is_needed = required.contains(&&*field.name);
            if matches!(part, Some((_, true))) && !is_needed {
                // That it has none is known.
                if matches!(field.ty, Type::Optional(_)) {
                    object.insert(field.name.to_string(), Json::Null);
                }
            } else if part.is_some() || is_needed {
                let value = self.value(kind, field)?;
                object.insert(field.name.to_string(), value);
            }
        }
        Ok(Json::Object(object))
    }

    /// A value for a field that must be there.
    fn value(&mut self, kind: &Kind, field: &Field) -> Result<Json, Diagnostic> {
        if let (Type::Object(kinds), Origin::Reference { scope }) = (&field.ty, &field.origin) {
            let target = kinds.first().and_then(|id| self.model.kind(*id));
            let is_open = kinds.first().is_none_or(|id| self.open.contains(id));
            if let Some(target) = target.filter(|_| !is_open) {
                let parts = self.parts(&target.clone())?;
                let rest: Vec<String> = parts.into_iter().skip(scope.len()).collect();
                return Ok(json!(rest.join("/")));
            }
        }
        let property = property(self.schema, kind, std::slice::from_ref(&field.name.to_string()));
        property
            .and_then(|property| sample(self.schema, property, &field.ty, &kind.name))
            .ok_or_else(|| {
                let message =
                    format!("no value for `{}` of kind `{}` can be made up", field.name, kind.name);
                Diagnostic::error("no-example", message)
                    .help("give it `examples` in the schema of the facts")
            })
    }
}

/// The document as it would be read from a file.
#[must_use]
pub fn tree(document: &Json) -> Option<Node> {
    let mut sources = Sources::default();
    let text = source::to_compact_yaml(document);
    let file = sources.add("facts", text.as_bytes()).ok()?;
    source::read(&sources, file).ok()
}

fn texts(list: Option<&Json>) -> Vec<&str> {
    list.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect()
}

/// The schema of a kind's objects.
fn definition<'s>(schema: &'s Json, kind: &Kind) -> &'s Json {
    let items = schema
        .get("properties")
        .and_then(|all| all.get(&*kind.collection))
        .and_then(|collection| collection.get("items"));
    items.map_or(&Json::Null, |items| resolve(schema, items))
}

/// The schema of a field, as it stands where the field is declared.
pub(in crate::author) fn property<'s>(
    schema: &'s Json,
    kind: &Kind,
    path: &[String],
) -> Option<&'s Json> {
    let mut at = definition(schema, kind);
    let mut declared = None;
    for name in path {
        let found = at.get("properties")?.get(name)?;
        declared = Some(found);
        at = resolve(schema, found);
    }
    declared
}

fn resolve<'s>(schema: &'s Json, node: &'s Json) -> &'s Json {
    let branches = node.get("anyOf").and_then(Json::as_array);
    let node = branches.and_then(|branches| branches.first()).unwrap_or(node);
    let target = node.get("$ref").and_then(Json::as_str).and_then(|text| text.strip_prefix('#'));
    target.and_then(|pointer| schema.pointer(pointer)).unwrap_or(node)
}

/// A value that the schema of a field allows, if one can be made up.
fn sample(schema: &Json, property: &Json, ty: &Type, kind: &str) -> Option<Json> {
    if matches!(ty, Type::Record(_)) {
        return Some(json!({}));
    }
    let values = candidates(schema, property, ty);
    if values.is_empty() && matches!(ty, Type::Object(_)) {
        return Some(json!(name(kind)));
    }
    match ty {
        // The example of the schema, else one that tells what it names.
        Type::Name | Type::Text if examples(schema, property).is_empty() => Some(json!(name(kind))),
        _ => values.into_iter().next(),
    }
}

fn name(kind: &str) -> String {
    format!("{}-1", kind.to_uppercase().replace('_', "-"))
}

fn examples(schema: &Json, property: &Json) -> Vec<Json> {
    let list = |node: &Json| node.get("examples").and_then(Json::as_array).cloned();
    list(property).or_else(|| list(resolve(schema, property))).unwrap_or_default()
}

/// Values that a field may be given, the examples of its schema first; not all are allowed.
pub(super) fn candidates(schema: &Json, property: &Json, ty: &Type) -> Vec<Json> {
    let mut values = examples(schema, property);
    let made: Vec<Json> = match ty.required() {
        Type::Bool => vec![json!(true), json!(false)],
        Type::Int | Type::Float => {
            let made = [10, 20, 1, 2, 0, 5, 50, 100, 1_000, 10_000, 1_000_000].map(Json::from);
            let numbers: Vec<Json> = values.iter().cloned().chain(made).collect();
            let next = numbers.iter().filter_map(|number| Some(json!(number.as_i64()? + 1)));
            numbers.iter().cloned().chain(next).collect()
        }
        Type::Text | Type::Name | Type::Object(_) => vec![json!("one"), json!("other")],
        Type::Path => vec![json!("D:\\One"), json!("E:\\Other")],
        Type::Version => vec![json!("1.0"), json!("2.0")],
        Type::Time => vec![json!("2026-01-14T12:00:00Z"), json!("2025-10-15T12:00:00Z")],
        Type::Enum(members) => members.iter().map(|member| json!(&**member)).collect(),
        Type::List(_) => vec![json!([])],
        Type::Null | Type::Record(_) | Type::Optional(_) => Vec::new(),
    };
    values.extend(made);
    let mut seen: Vec<Json> = Vec::new();
    values.retain(|value| {
        let is_new = !seen.contains(value);
        seen.push(value.clone());
        is_new
    });
    values
}
