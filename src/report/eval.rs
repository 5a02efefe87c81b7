//! What came of an expression that was tried: the frozen shape of `schemas/eval-v1.schema.json`.
//!
//! `human::eval` lays the same out for a person; what it needs beside is not written.

use std::io;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::report::explain::{PlaceX, SubjectX, Tool};

/// An expression tried once, or once for each object of a kind.
#[derive(Debug, Serialize)]
pub struct Tried {
    /// The kind of this document.
    pub schema: &'static str,
    /// What wrote it.
    pub tool: Tool,
    /// The instant that the expression saw as `now`.
    pub now: String,
    /// The expression.
    pub expression: String,
    /// Its type, as the checker says it.
    #[serde(rename = "type")]
    pub ty: String,
    /// The rule in whose scope it was tried.
    pub rule: Option<InRule>,
    /// What came of it.
    pub results: Vec<Tried1>,
}

/// A rule, and which of its bindings.
#[derive(Clone, Debug, Serialize)]
pub struct InRule {
    /// The rule's id.
    pub id: String,
    /// The object that its verdict is about.
    pub subject: Option<SubjectX>,
    /// Which binding, from 1.
    pub binding: usize,
    /// Of how many.
    pub of: usize,
}

/// What came of an expression once.
#[derive(Debug, Serialize)]
pub struct Tried1 {
    /// The object that it was tried for.
    pub each: Option<SubjectX>,
    /// `known`, `undecided`, or `checked` where there were no facts to evaluate it on.
    pub status: &'static str,
    /// The value; null if it is not known.
    pub value: Option<Shown>,
    /// Why it is not known.
    pub missing: Vec<MissingX>,
    /// The facts that were read, in order.
    pub evidence: Vec<SeenX>,
    /// How many more there were.
    pub evidence_left_out: usize,
}

/// A fact that is missing.
#[derive(Debug, Serialize)]
pub struct MissingX {
    /// Its path, or what failed.
    pub fact: String,
    /// Why it is not known.
    pub why: String,
    /// The kind of gap, as in a report.
    pub gap: &'static str,
    /// The object that should have it.
    pub place: Option<PlaceX>,
}

/// A fact that was read.
#[derive(Debug, Serialize)]
pub struct SeenX {
    /// Its path.
    pub fact: String,
    /// Its value; for a whole collection how many objects there are.
    pub value: Shown,
    /// Where it stands; none if it is derived or not known.
    pub place: Option<PlaceX>,
}

/// A value.
#[derive(Clone, Debug)]
pub enum Shown {
    /// Null: collected, and there is none.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number, and what it is in a larger unit.
    Int(i64, Option<String>),
    /// A number with a fraction.
    Float(f64),
    /// Text, a name, a path, a version or a permitted value.
    Text(String),
    /// An instant, and how long before or after `now` that is.
    Time(String, String),
    /// An object of the facts.
    Object(Box<ObjectX>),
    /// A nested record.
    Record(Vec<(String, Shown)>),
    /// A list: what its members are, the members, and whether these are all.
    List(String, Vec<Shown>, bool),
    /// A collection that was read as a whole: how many objects, and whether these are all.
    Collection(usize, bool),
    /// Why there is no value.
    NotKnown(String),
}

/// An object of the facts.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectX {
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// Its path.
    pub path: String,
    /// Where it was read first.
    pub place: Option<PlaceX>,
    /// Its facts, for a person: what is not collected is left out.
    #[serde(skip)]
    pub facts: Vec<(String, Shown)>,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value, _) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) | Self::Time(text, _) => serializer.serialize_str(text),
            Self::Object(object) => entries(serializer, [("object", object)]),
            Self::Record(fields) => entries(serializer, [("record", Fields(fields))]),
            Self::List(_, members, complete) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("list", members)?;
                map.serialize_entry("complete", complete)?;
                map.end()
            }
            Self::Collection(count, complete) => {
                let mut map = serializer.serialize_map(Some(2))?;
                map.serialize_entry("objects", count)?;
                map.serialize_entry("complete", complete)?;
                map.end()
            }
            Self::NotKnown(why) => entries(serializer, [("not_known", why)]),
        }
    }
}

/// Fields as a mapping, in their order.
struct Fields<'a>(&'a [(String, Shown)]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        entries(serializer, self.0.iter().map(|(name, value)| (name, value)))
    }
}

fn entries<S: Serializer>(
    serializer: S,
    entries: impl IntoIterator<Item = (impl Serialize, impl Serialize)>,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (key, value) in entries {
        map.serialize_entry(&key, &value)?;
    }
    map.end()
}

/// Writes it as JSON.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(tried: &Tried, out: &mut dyn io::Write) -> io::Result<()> {
    crate::report::json::pretty(tried, out)
}
