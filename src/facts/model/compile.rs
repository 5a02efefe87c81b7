//! From a schema's tree to the model.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::facts::model::{Field, Kind, KindId, Model, Origin, Record, Type};
use crate::source::Node;

pub(super) struct Compiler<'a> {
    pub(super) root: &'a Node,
    pub(super) problems: Vec<Diagnostic>,
    /// Kind names in the order of their collections; the index is the `KindId`.
    pub(super) names: Vec<Arc<str>>,
    /// How many types deep the one being read lies.
    pub(super) depth: usize,
    /// How many fields were read, those of a type again wherever the type is named.
    pub(super) fields: usize,
}

/// Most fields that are read. The shipped schema has a few hundred; types that name each other twice double
/// with every step.
const MAX_FIELDS: usize = 20_000;

impl<'a> Compiler<'a> {
    pub(super) fn new(root: &'a Node) -> Self {
        Self { root, problems: Vec::new(), names: Vec::new(), depth: 0, fields: 0 }
    }

    fn problem(&mut self, place: Place, message: impl Into<String>) {
        let problem = Diagnostic::error("schema-not-understood", message).at(place);
        // What is wrong with a type is met wherever the type is named, and told once.
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    pub(super) fn compile(&mut self) -> Model {
        let mut collections: Vec<(&'a str, &'a Node)> = Vec::new();
        let mut singles = Vec::new();
        let properties = self.root.get("properties").and_then(Node::as_map).unwrap_or_default();
        for entry in properties {
            let items = entry.node.get("items").map(|items| self.resolve(items));
            if let Some(def) = items.filter(|def| def.get("x-kind").is_some()) {
                collections.push((&entry.key, def));
            } else if &*entry.key != "collected" && entry.node.get("$ref").is_some() {
                singles.push(self.field(&entry.key, &entry.node));
            }
        }
        for (_, def) in &collections {
            let name = def.get("x-kind").and_then(Node::as_str).unwrap_or_default();
            if self.names.iter().any(|known| &**known == name) {
                let place = def.get("x-kind").map_or(def.place, |node| node.place);
                self.problem(place, format!("there are two kinds named `{name}`"));
            }
            self.names.push(name.into());
        }
        let mut kinds = Vec::new();
        for (position, (collection, def)) in collections.iter().enumerate() {
            kinds.push(self.kind(position, collection, def));
        }
        self.derive(&mut kinds, &collections);
        Model { kinds, singles }
    }

    fn kind(&mut self, position: usize, collection: &str, def: &'a Node) -> Kind {
        let name = self.names.get(position).cloned().unwrap_or_else(|| "".into());
        let record = self.record(&name, def);
        if let Some(entry) = def.get("properties").and_then(|fields| fields.entry("key")) {
            self.problem(entry.key_place, "`key` cannot be a field: it is every object's key");
        }
        let key = self.key(&name, &record, def);
        Kind {
            id: kind_id(position),
            name,
            collection: collection.into(),
            title: text(def, "title"),
            description: text(def, "description"),
            key,
            record,
        }
    }

    /// Positions of the fields that make the key, and whether each may be missing.
    fn key(&mut self, name: &str, record: &Record, def: &'a Node) -> Vec<(usize, bool)> {
        let mut key = Vec::new();
        let Some(parts) = def.get("x-key").and_then(Node::as_list) else {
            self.problem(def.place, format!("kind `{name}` has no `x-key`"));
            return key;
        };
        let required = def.get("required").and_then(Node::as_list).unwrap_or_default();
        let required: Vec<&str> = required.iter().filter_map(Node::as_str).collect();
        for part in parts {
            let written = part.as_str().unwrap_or_default();
            let plain = written.strip_suffix('?').unwrap_or(written);
            match record.field(plain) {
                Some((field, _)) if key.iter().any(|(known, _)| *known == field) => {
                    let message = format!("`{plain}` stands in the key of `{name}` twice");
                    self.problem(part.place, message);
                }
                Some((field, _)) => {
                    let is_optional = plain.len() != written.len();
                    // An object without its key would be lost without a word.
                    if !is_optional && !required.contains(&plain) {
                        let message = format!(
                            "`{plain}` is a part of the key of `{name}`, so it must be `required`"
                        );
                        self.problem(part.place, message);
                    }
                    key.push((field, is_optional));
                }
                None => self.problem(part.place, format!("`{plain}` is not a field of `{name}`")),
            }
        }
        key
    }

    fn record(&mut self, name: &str, def: &'a Node) -> Record {
        let mut fields = Vec::new();
        for entry in def.get("properties").and_then(Node::as_map).unwrap_or_default() {
            if self.fields > MAX_FIELDS {
                break;
            }
            fields.push(self.field(&entry.key, &entry.node));
        }
        Record::new(name, fields)
    }

    fn field(&mut self, name: &str, node: &'a Node) -> Field {
        let ty = self.ty(node, name);
        let scope = node.get("x-ref-scope").and_then(Node::as_list).unwrap_or_default();
        let scope = scope.iter().filter_map(Node::as_str).map(Arc::from).collect();
        let origin = match node.get("x-ref") {
            Some(_) => Origin::Reference { scope },
            None => Origin::Read,
        };
        let text_of = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
        Field {
            name: name.into(),
            ty,
            description: text(node, "description"),
            unit: text_of("x-unit"),
            source: text_of("x-source"),
            may_leave: node.get("x-ref-outside").and_then(Node::as_bool) == Some(true),
            origin,
        }
    }

    pub(super) fn ty(&mut self, node: &'a Node, name: &str) -> Type {
        // Told once, where it became too much: what is left would only be more of the same.
        if self.fields > MAX_FIELDS {
            return Type::Text;
        }
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            let message = format!(
                "`{name}`: with this type the facts have more than {MAX_FIELDS} fields, each counted wherever its type is named"
            );
            let problem = Diagnostic::error("schema-not-understood", message).at(node.place);
            self.problems.push(problem.help("let the types name each other fewer times"));
            return Type::Text;
        }
        if self.depth >= 32 {
            return self.refuse(node, name, "a type that holds itself");
        }
        self.depth += 1;
        let ty = self.ty_below(node, name);
        self.depth -= 1;
        ty
    }

    fn ty_below(&mut self, node: &'a Node, name: &str) -> Type {
        if let Some(branches) = node.get("anyOf").and_then(Node::as_list) {
            let is_null = |branch: &Node| branch.get("type").and_then(Node::as_str) == Some("null");
            return match branches {
                [branch, null] | [null, branch] if is_null(null) => {
                    self.ty(branch, name).optional()
                }
                _ => self.refuse(node, name, "`anyOf` other than of a value and null"),
            };
        }
        let def = self.resolve(node);
        let (base, nullable) = match def.get("type") {
            Some(kind) => match (kind.as_str(), kind.as_list()) {
                (Some(base), _) => (base, false),
                (None, Some([base, null])) if null.as_str() == Some("null") => {
                    (base.as_str().unwrap_or_default(), true)
                }
                _ => return self.refuse(def, name, "a `type` other than T or [T, \"null\"]"),
            },
            None => return self.refuse(def, name, "a schema without `type`"),
        };
        let ty = match base {
            "string" => self.text_type(node),
            "integer" => Type::Int,
            "number" => Type::Float,
            "boolean" => Type::Bool,
            "array" => match def.get("items") {
                Some(items) => {
                    if let Some(inner) = items.get("x-ref") {
                        self.problem(inner.place, "`x-ref` stands beside `items`, not inside them");
                    }
                    let reference = node.get("x-ref").map(|target| self.kinds_of(target));
                    let item = match reference {
                        Some(kinds) => Type::Object(kinds),
                        None => self.ty(items, name),
                    };
                    Type::List(Arc::new(item))
                }
                None => self.refuse(def, name, "an array without `items`"),
            },
            "object" => Type::Record(Arc::new(self.record(name, def))),
            other => {
                let what = format!("the type `{other}`");
                self.refuse(def, name, &what)
            }
        };
        if nullable { ty.optional() } else { ty }
    }

    fn text_type(&mut self, node: &'a Node) -> Type {
        if let Some(target) = node.get("x-ref") {
            return Type::Object(self.kinds_of(target));
        }
        if let Some(members) = node.get("enum").and_then(Node::as_list) {
            return Type::Enum(members.iter().filter_map(Node::as_str).map(Arc::from).collect());
        }
        match node.get("format").and_then(Node::as_str) {
            Some("name") => Type::Name,
            Some("windows-path") => Type::Path,
            Some("version") => Type::Version,
            Some("date-time") => Type::Time,
            _ => Type::Text,
        }
    }

    fn kinds_of(&mut self, target: &'a Node) -> Arc<[KindId]> {
        let wanted = target.as_list().unwrap_or(std::slice::from_ref(target));
        let mut kinds = Vec::new();
        for one in wanted {
            let name = one.as_str().unwrap_or_default();
            if let Some(position) = self.names.iter().position(|known| &**known == name) {
                kinds.push(kind_id(position));
            } else {
                let names: Vec<Arc<str>> = self.names.clone();
                let problem = Diagnostic::error(
                    "schema-not-understood",
                    format!("`{name}` is not a kind of this schema"),
                );
                let problem = problem.at(one.place).suggest(name, names.iter().map(|n| &**n));
                self.problems.push(problem);
            }
        }
        kinds.sort_unstable();
        kinds.into()
    }

    fn refuse(&mut self, node: &Node, name: &str, what: &str) -> Type {
        self.problem(node.place, format!("`{name}`: {what} is not understood here"));
        Type::Text
    }

    fn resolve(&mut self, node: &'a Node) -> &'a Node {
        let Some(target) = node.get("$ref") else { return node };
        let pointer = target.as_str().and_then(|text| text.strip_prefix('#'));
        if let Some(found) = pointer.and_then(|pointer| self.root.pointer(pointer)) {
            found
        } else {
            self.problem(target.place, "this reference leads nowhere");
            node
        }
    }

    /// Adds the fields that follow from references (`x-inverse`) and from paths (`x-within`).
    fn derive(&mut self, kinds: &mut [Kind], collections: &[(&str, &'a Node)]) {
        for (position, (_, def)) in collections.iter().enumerate() {
            let properties = def.get("properties").and_then(Node::as_map).unwrap_or_default();
            for (field, entry) in properties.iter().enumerate() {
                self.scope_exists(kinds.get(position), &entry.node);
                if let Some(inverse) = entry.node.get("x-inverse") {
                    if entry.node.get("x-ref").is_none() {
                        self.problem(inverse.place, "`x-inverse` goes with `x-ref`");
                    }
                    self.inverse(kinds, kind_id(position), field, inverse);
                }
                if let Some(within) = entry.node.get("x-within") {
                    self.within(kinds, position, field, within);
                }
            }
        }
        for kind in kinds {
            kind.record.reindex();
        }
    }

    /// The fields that a reference's key begins with must be there.
    fn scope_exists(&mut self, kind: Option<&Kind>, field: &'a Node) {
        for name in field.get("x-ref-scope").and_then(Node::as_list).unwrap_or_default() {
            let text = name.as_str().unwrap_or_default();
            if kind.is_some_and(|kind| kind.record.field(text).is_none()) {
                self.problem(name.place, format!("`{text}` is not a field here"));
            }
        }
    }

    fn inverse(&mut self, kinds: &mut [Kind], from: KindId, field: usize, name: &Node) {
        let source = kinds.get(usize::from(from.0));
        let Some(ty) = source.and_then(|k| k.record.fields.get(field)).map(|f| f.ty.clone()) else {
            return;
        };
        let targets = match ty.required() {
            Type::Object(targets) => targets.clone(),
            Type::List(item) => match &**item {
                Type::Object(targets) => targets.clone(),
                _ => Arc::new([]),
            },
            _ => Arc::new([]),
        };
        let list = Type::List(Arc::new(Type::Object(Arc::new([from]))));
        let from_name = self.names.get(usize::from(from.0)).cloned().unwrap_or_default();
        for target in targets.iter() {
            let Some(kind) = kinds.get_mut(usize::from(target.0)) else { continue };
            let added = Field {
                name: name.as_str().unwrap_or_default().into(),
                ty: list.clone(),
                description: format!("Every {from_name} that refers to this {}.", kind.name),
                unit: None,
                source: None,
                may_leave: false,
                origin: Origin::Inverse { kind: from, field },
            };
            self.add(kind, added, name.place);
        }
    }

    fn within(&mut self, kinds: &mut [Kind], position: usize, path: usize, within: &'a Node) {
        let get = |key: &str| within.get(key).and_then(Node::as_str).unwrap_or_default();
        let Some(target_node) = within.get("kind") else {
            return self.problem(within.place, "`x-within` needs `kind`");
        };
        let targets = self.kinds_of(target_node);
        let scope: Vec<&str> = within
            .get("scope")
            .and_then(Node::as_list)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::as_str)
            .collect();
        let found =
            targets.first().and_then(|id| kinds.get(usize::from(id.0))).and_then(|target| {
                let here = &kinds.get(position)?.record;
                let pairs: Option<Vec<(usize, usize)>> = scope
                    .iter()
                    .map(|name| Some((here.field(name)?.0, target.record.field(name)?.0)))
                    .collect();
                Some((target.record.field(get("match"))?.0, pairs?))
            });
        let Some((matching, scope)) = found else {
            return self.problem(within.place, "`x-within` names a field that does not exist");
        };
        let Some(kind) = kinds.get_mut(position) else { return };
        let path_name = kind.record.fields.get(path).map(|f| f.name.clone()).unwrap_or_default();
        let added = Field {
            name: get("as").into(),
            ty: Type::Object(targets).optional(),
            description: format!(
                "Where `{path_name}` lies: the nearest root that is a prefix of it."
            ),
            unit: None,
            source: None,
            may_leave: false,
            origin: Origin::Within { path, scope, matching },
        };
        self.add(kind, added, within.place);
    }

    fn add(&mut self, kind: &mut Kind, field: Field, place: Place) {
        if &*field.name == "key" {
            return self.problem(place, "`key` cannot be a field: it is every object's key");
        }
        if !is_field_name(&field.name) {
            let message = format!("`{}` is not a name for a field", field.name);
            let problem = Diagnostic::error("schema-not-understood", message).at(place);
            self.problems.push(problem.help("use a-z, 0-9 and `_`, and begin with a letter"));
            return;
        }
        if kind.record.fields.iter().any(|known| known.name == field.name) {
            let message = format!("`{}` has a field `{}` already", kind.name, field.name);
            return self.problem(place, message);
        }
        kind.record.fields.push(field);
    }
}

/// As the schema of overlays asks it of fields that are written out.
fn is_field_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn kind_id(position: usize) -> KindId {
    KindId(u16::try_from(position).unwrap_or(u16::MAX))
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned()
}
