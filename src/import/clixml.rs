//! PowerShell's `Export-Clixml` format: a tree of objects, read one top level object at a time.
//!
//! Knows nothing of what the objects mean. References are never expanded: they are followed one step
//! at a time, so that a cycle costs nothing.
//!
//! # Source
//!
//! MS-PSRP, section 2.2.5 (serialization of .NET objects).

mod problem;
mod read;
mod scan;
mod text;

use std::borrow::Cow;
use std::rc::Rc;

use crate::diagnostic::Place;

pub(super) use read::read;
pub(super) use text::{date_time, wmi_date};

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node<'t> {
    /// The whole element; of an object only its start tag.
    pub(super) place: Place,
    /// What it is.
    pub(super) value: Value<'t>,
}

/// What an element can hold.
#[derive(Debug)]
pub(super) enum Value<'t> {
    /// No value; an empty text is something else.
    Nil,
    /// `B`.
    Bool(bool),
    /// A whole number of any width, exact.
    Int(i128),
    /// What is written as text, escapes decoded.
    Text(Kind, Cow<'t, str>),
    /// Skipped unread: binary data, secrets, progress records, what is not known or malformed.
    Unread,
    /// An object.
    Object(Rc<Object<'t>>),
    /// A reference to an object, by its number among those that are referred to.
    Ref(usize),
}

/// What a text stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `S`.
    Text,
    /// `C`.
    Char,
    /// `D`, `Sg` or `Db`: a number that need not be whole, as written, so that no digit is lost.
    Number,
    /// `DT`, with or without an offset.
    DateTime,
    /// `TS`, in ISO 8601.
    TimeSpan,
    /// `G`.
    Guid,
    /// `URI`.
    Uri,
    /// `Version`.
    Version,
    /// `XD`.
    Xml,
    /// `SBK`.
    Script,
}

/// A named member of an object.
#[derive(Debug)]
pub(super) struct Member<'t> {
    /// Its name.
    pub(super) name: Cow<'t, str>,
    /// Its value.
    pub(super) node: Node<'t>,
}

/// An object.
#[derive(Debug, Default)]
pub(super) struct Object<'t> {
    /// Names of its type and base types, most derived first, as written.
    pub(super) types: Rc<[Cow<'t, str>]>,
    /// What its `ToString` gave; of an enumeration the name.
    pub(super) text: Option<Cow<'t, str>>,
    /// The primitive that it is at heart; of an enumeration the number.
    pub(super) primitive: Option<Box<Node<'t>>>,
    /// Members that PowerShell added (`MS`); they hide adapted ones of the same name.
    pub(super) extended: Vec<Member<'t>>,
    /// Members of the object itself (`Props`).
    pub(super) adapted: Vec<Member<'t>>,
    /// Items of a list, stack, queue or enumerable; none if it is no such thing.
    pub(super) items: Option<Vec<Node<'t>>>,
    /// Entries of a dictionary.
    pub(super) entries: Vec<(Node<'t>, Node<'t>)>,
}

impl<'t> Object<'t> {
    /// The member that PowerShell shows under a name; case does not count.
    pub(super) fn member(&self, name: &str) -> Option<&Node<'t>> {
        let members = self.extended.iter().chain(&self.adapted);
        members
            .into_iter()
            .find(|member| member.name.eq_ignore_ascii_case(name))
            .map(|member| &member.node)
    }

    /// Name of its type without what remoting and `Select-Object` put before it.
    pub(super) fn type_name(&self) -> &str {
        let mut name = self.types.first().map_or("", AsRef::as_ref);
        while let Some(rest) =
            name.strip_prefix("Deserialized.").or_else(|| name.strip_prefix("Selected."))
        {
            name = rest;
        }
        name
    }
}

/// The objects that are referred to, by the numbers in [`Value::Ref`].
#[derive(Debug, Default)]
pub(super) struct Kept<'t> {
    slots: Vec<Slot<'t>>,
}

/// Where the object of a reference is.
#[derive(Debug)]
enum Slot<'t> {
    /// Not seen yet; where it was first referred to.
    Ahead(Place),
    /// Being read.
    Open,
    /// Read.
    Done(Rc<Object<'t>>),
}

impl<'t> Kept<'t> {
    /// The object that a node is or refers to; none too while that object is still being read.
    pub(super) fn object<'a>(&'a self, node: &'a Node<'t>) -> Option<&'a Object<'t>> {
        match &node.value {
            Value::Object(object) => Some(object),
            Value::Ref(slot) => match self.slots.get(*slot) {
                Some(Slot::Done(object)) => Some(object),
                _ => None,
            },
            _ => None,
        }
    }

    /// The value that a node has, behind a reference and within an object that wraps a primitive.
    pub(super) fn plain<'a>(&'a self, node: &'a Node<'t>) -> &'a Value<'t> {
        let primitive = self.object(node).and_then(|object| object.primitive.as_deref());
        primitive.map_or(&node.value, |primitive| &primitive.value)
    }

    /// The text that a node shows: a text, or what an object's `ToString` gave.
    pub(super) fn text<'a>(&'a self, node: &'a Node<'t>) -> Option<&'a str> {
        if let Some(text) = self.object(node).and_then(|object| object.text.as_deref()) {
            return Some(text);
        }
        match self.plain(node) {
            Value::Text(_, text) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
