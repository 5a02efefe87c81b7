//! What kinds of object the facts have, their fields, keys and references.
//!
//! Compiled from the facts schema (JSON Schema 2020-12): structure and types from its keywords,
//! kinds, keys, references and units from its `x-` annotations. The shapes understood are listed in
//! `docs/schema-annotations.md`; anything else is a diagnostic, never a guess.

mod compile;
mod extend;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::facts::model::compile::Compiler;
use crate::source::Node;

pub use extend::extend;

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

impl Field {
    /// A field of a record that stands in no fact file.
    #[must_use]
    pub fn plain(name: Arc<str>, ty: Type, description: String) -> Self {
        let (unit, source) = (None, None);
        Self { name, ty, description, unit, source, may_leave: false, origin: Origin::Read }
    }
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
        let mut compiler = Compiler::new(root);
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
    let mut compiler = Compiler::new(root);
    let ty = compiler.ty(root, "parameter");
    if compiler.problems.is_empty() { Ok(ty) } else { Err(compiler.problems) }
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
