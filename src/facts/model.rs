//! What kinds of object the facts have, their fields, keys and references.
//!
//! Compiled from the facts schema (JSON Schema 2020-12): structure and types from its keywords,
//! kinds, keys, references and units from its `x-` annotations. The shapes understood are listed in
//! `docs/schema-annotations.md`; anything else is a diagnostic, never a guess.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::source::Node;

/// Which kind of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KindId(pub u16);

/// The type of a fact, a parameter or an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Only `()`.
    Null,
    /// `true` or `false`.
    Bool,
    /// Whole number.
    Int,
    /// Number with a fraction.
    Float,
    /// Text, compared letter by letter.
    Text,
    /// A name, compared without case.
    Name,
    /// A Windows path.
    Path,
    /// A version number.
    Version,
    /// An instant.
    Time,
    /// One of these texts.
    Enum(Arc<[Arc<str>]>),
    /// A reference to an object of one of these kinds (sorted, at least one).
    Object(Arc<[KindId]>),
    /// A nested record.
    Record(Arc<Record>),
    /// A list.
    List(Arc<Type>),
    /// A value or null.
    Optional(Arc<Type>),
}

impl Type {
    /// The type with null allowed.
    #[must_use]
    pub fn optional(self) -> Self {
        match self {
            Self::Optional(_) | Self::Null => self,
            other => Self::Optional(Arc::new(other)),
        }
    }

    /// The type without null.
    #[must_use]
    pub fn required(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner,
            other => other,
        }
    }
}

/// A field of a kind or record.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its key in the facts and its name in expressions.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// What an administrator should know of it.
    pub description: String,
    /// Unit of a number, as the schema says it.
    pub unit: Option<String>,
    /// The cmdlet property or tool that it comes from.
    pub source: Option<String>,
    /// Whether a reference may name an object that the model does not hold (`x-ref-outside`).
    pub may_leave: bool,
    /// Whether it is read from the facts or follows from other facts.
    pub origin: Origin,
}

/// Where a field's value comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// From the fact files.
    Read,
    /// From the fact files: text that is the key of an object, behind the texts of the `scope` fields.
    Reference {
        /// Sibling fields that come first in the key.
        scope: Vec<Arc<str>>,
    },
    /// All objects of `kind` whose `field` refers to this one.
    Inverse {
        /// Kind of the referring objects.
        kind: KindId,
        /// Their field.
        field: usize,
    },
    /// The object whose path field `matching` is the longest prefix of `path`.
    Within {
        /// Field of this kind that holds the path.
        path: usize,
        /// Fields that must be equal here and there.
        scope: Vec<(usize, usize)>,
        /// Field of the other kind that is the prefix.
        matching: usize,
    },
}

/// A set of fields.
#[derive(Clone, Debug)]
pub struct Record {
    /// Name in messages.
    pub name: Arc<str>,
    /// The fields, in the order of the schema, derived ones last.
    pub fields: Vec<Field>,
    index: HashMap<Arc<str>, usize>,
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Record {}

impl Record {
    /// A record of these fields.
    #[must_use]
    pub fn new(name: &str, fields: Vec<Field>) -> Self {
        let mut record = Self { name: name.into(), fields, index: HashMap::new() };
        record.reindex();
        record
    }

    fn reindex(&mut self) {
        self.index = self.fields.iter().enumerate().map(|(i, f)| (f.name.clone(), i)).collect();
    }

    /// Position and field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(usize, &Field)> {
        let position = *self.index.get(name)?;
        Some((position, self.fields.get(position)?))
    }

    /// Names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| &*field.name)
    }
}

/// A kind of object.
#[derive(Clone, Debug)]
pub struct Kind {
    /// Its number.
    pub id: KindId,
    /// Its name, singular.
    pub name: Arc<str>,
    /// Its collection in the facts, plural; the name of the list of all in expressions.
    pub collection: Arc<str>,
    /// Title for people.
    pub title: String,
    /// What it is.
    pub description: String,
    /// The fields that make its key: position, and whether the part may be missing.
    pub key: Vec<(usize, bool)>,
    /// Its fields.
    pub record: Record,
}

/// The compiled facts schema.
#[derive(Clone, Debug, Default)]
pub struct Model {
    kinds: Vec<Kind>,
    singles: Vec<Field>,
}

impl Model {
    /// Compiles the schema in `root`.
    ///
    /// # Errors
    ///
    /// Everything in the schema that is not one of the understood shapes, each at its place.
    pub fn compile(root: &Node) -> Result<Self, Vec<Diagnostic>> {
        let mut compiler = Compiler { root, problems: Vec::new(), names: Vec::new() };
        let model = compiler.compile();
        if compiler.problems.is_empty() { Ok(model) } else { Err(compiler.problems) }
    }

    /// All kinds.
    #[must_use]
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The records that stand once in the facts, beside the collections.
    #[must_use]
    pub fn singles(&self) -> &[Field] {
        &self.singles
    }

    /// The kind of that number, if it is one of this model's.
    #[must_use]
    pub fn kind(&self, id: KindId) -> Option<&Kind> {
        self.kinds.get(usize::from(id.0))
    }

    /// The kind of that name.
    #[must_use]
    pub fn kind_named(&self, name: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| &*kind.name == name)
    }

    /// The kind kept in that collection.
    #[must_use]
    pub fn kind_in(&self, collection: &str) -> Option<&Kind> {
        self.kinds.iter().find(|kind| &*kind.collection == collection)
    }

    /// The type as it is written in messages: `database`, `list of event`, `path or null`.
    #[must_use]
    pub fn say(&self, ty: &Type) -> String {
        match ty {
            Type::Null => "null".to_owned(),
            Type::Bool => "true or false".to_owned(),
            Type::Int => "whole number".to_owned(),
            Type::Float => "number".to_owned(),
            Type::Text => "text".to_owned(),
            Type::Name => "name".to_owned(),
            Type::Path => "path".to_owned(),
            Type::Version => "version".to_owned(),
            Type::Time => "time".to_owned(),
            Type::Enum(members) => {
                let quoted: Vec<String> = members.iter().map(|m| format!("`{m}`")).collect();
                format!("one of {}", quoted.join(", "))
            }
            Type::Object(kinds) => {
                let names: Vec<&str> =
                    kinds.iter().filter_map(|id| self.kind(*id)).map(|kind| &*kind.name).collect();
                names.join(" or ")
            }
            Type::Record(record) => format!("record `{}`", record.name),
            Type::List(item) => format!("list of {}", self.say(item)),
            Type::Optional(inner) => format!("{} or null", self.say(inner)),
        }
    }
}

/// Compiles the type of one schema node that stands alone (a rule's parameter).
///
/// # Errors
///
/// The first thing not understood.
pub fn compile_type(root: &Node) -> Result<Type, Vec<Diagnostic>> {
    let mut compiler = Compiler { root, problems: Vec::new(), names: Vec::new() };
    let ty = compiler.ty(root, "parameter");
    if compiler.problems.is_empty() { Ok(ty) } else { Err(compiler.problems) }
}

struct Compiler<'a> {
    root: &'a Node,
    problems: Vec<Diagnostic>,
    /// Kind names in the order of their collections; the index is the `KindId`.
    names: Vec<Arc<str>>,
}

impl<'a> Compiler<'a> {
    fn problem(&mut self, place: Place, message: impl Into<String>) {
        self.problems.push(Diagnostic::error("schema-not-understood", message).at(place));
    }

    fn compile(&mut self) -> Model {
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
        let mut key = Vec::new();
        let Some(parts) = def.get("x-key").and_then(Node::as_list) else {
            self.problem(def.place, format!("kind `{name}` has no `x-key`"));
            return Kind {
                id: kind_id(position),
                name,
                collection: collection.into(),
                title: text(def, "title"),
                description: text(def, "description"),
                key,
                record,
            };
        };
        for part in parts {
            let written = part.as_str().unwrap_or_default();
            let plain = written.trim_end_matches('?');
            match record.field(plain) {
                Some((field, _)) => key.push((field, plain.len() != written.len())),
                None => self.problem(part.place, format!("`{plain}` is not a field of `{name}`")),
            }
        }
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

    fn record(&mut self, name: &str, def: &'a Node) -> Record {
        let mut fields = Vec::new();
        for entry in def.get("properties").and_then(Node::as_map).unwrap_or_default() {
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

    fn ty(&mut self, node: &'a Node, name: &str) -> Type {
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
                if let Some(inverse) = entry.node.get("x-inverse") {
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
        if kind.record.fields.iter().any(|known| known.name == field.name) {
            let message = format!("`{}` has a field `{}` already", kind.name, field.name);
            return self.problem(place, message);
        }
        kind.record.fields.push(field);
    }
}

fn kind_id(position: usize) -> KindId {
    KindId(u16::try_from(position).unwrap_or(u16::MAX))
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned()
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for kind in &self.kinds {
            writeln!(f, "{} ({})", kind.name, kind.collection)?;
            for field in &kind.record.fields {
                writeln!(f, "  {}: {}", field.name, self.say(&field.ty))?;
            }
        }
        Ok(())
    }
}
