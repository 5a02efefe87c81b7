//! Values of facts and of expressions.

use std::fmt;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::facts::model::KindId;
use crate::facts::path::WindowsPath;
use crate::facts::time::Instant;
use crate::facts::version::Version;

/// Which object of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// Its kind.
    pub kind: KindId,
    /// Its row in the kind's table; tables are sorted by key.
    pub row: u32,
}

/// A known value; `Null` is known too ("collected, there is none").
#[derive(Clone, Debug)]
pub enum Value {
    /// Collected, has no value.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// Text, also a member of an enumeration.
    Text(Arc<str>),
    /// A name, compared without case.
    Name(Arc<str>),
    /// A path.
    Path(WindowsPath),
    /// A version.
    Version(Version),
    /// An instant.
    Time(Instant),
    /// An object of the facts.
    Object(ObjectId),
    /// A nested record: one fact a field, in the order of the model.
    Record(Arc<[Fact]>),
    /// A list.
    List(List),
}

/// A list of facts.
#[derive(Clone, Debug)]
pub struct List {
    /// The members; one can be absent, for instance a reference to an object that was not collected.
    pub items: Arc<[Fact]>,
    /// Whether there may be more members than these, and what to do about members not known.
    pub reach: Reach,
}

/// What a list says of members that it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// These are all.
    Complete,
    /// There may be more; the text names the collection that was not declared complete, or the path
    /// of a reference that is not known and could mean one more.
    Open(Arc<str>),
    /// The author asked for the known ones only: absent members are passed over.
    KnownOnly,
}

impl List {
    /// A complete list of known values.
    #[must_use]
    pub fn complete(values: impl IntoIterator<Item = Value>) -> Self {
        Self { items: values.into_iter().map(Fact::from).collect(), reach: Reach::Complete }
    }
}

/// One observed property, or why it is not known.
#[derive(Clone, Debug)]
pub enum Fact {
    /// Not known, and why.
    Absent(Absence),
    /// Known.
    Known {
        /// The value.
        value: Value,
        /// Where it was read; none if it was derived.
        place: Option<Place>,
    },
}

impl From<Value> for Fact {
    fn from(value: Value) -> Self {
        Self::Known { value, place: None }
    }
}

/// Why a fact is not known.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Absence {
    /// It was not collected.
    NotCollected,
    /// It refers to an object that was not collected; the text is its key.
    Dangling(Arc<str>),
    /// It follows from a collection that is not in the facts; the text names it.
    NoCollection(Arc<str>),
    /// More objects may exist than were collected, and one of them could decide it; the text names
    /// the collection.
    Open(Arc<str>),
    /// It was collected too long ago; the text says of what and when.
    Stale(Arc<str>),
    /// The expression failed; the text says how.
    Failed(Arc<str>),
    /// A rule that this one builds on is undecided; the text names it.
    Undecided(Arc<str>),
}

/// Text folded for comparison, as names are.
#[must_use]
pub fn fold(text: &str) -> String {
    text.to_lowercase()
}

impl Value {
    /// Whether two values of facts are the same observation.
    ///
    /// Used to unite fact files and to compare members of lists, not for `==` of expressions.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Name(a), Self::Name(b)) => fold(a) == fold(b),
            (Self::Path(a), Self::Path(b)) => a == b,
            (Self::Version(a), Self::Version(b)) => a == b,
            (Self::Time(a), Self::Time(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            (Self::Record(a), Self::Record(b)) => same_facts(a, b),
            (Self::List(a), Self::List(b)) => same_facts(&a.items, &b.items),
            _ => false,
        }
    }
}

fn same_facts(a: &[Fact], b: &[Fact]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|pair| match pair {
            (Fact::Absent(_), Fact::Absent(_)) => true,
            (Fact::Known { value: a, .. }, Fact::Known { value: b, .. }) => a.same(b),
            _ => false,
        })
}

/// As in a message: text without quotes, instants as they were written.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
            Self::Text(text) | Self::Name(text) => f.write_str(text),
            Self::Path(path) => write!(f, "{path}"),
            Self::Version(version) => write!(f, "{version}"),
            Self::Time(time) => write!(f, "{time}"),
            // Only the store knows an object's key; `Facts::say` prints it.
            Self::Object(_) => f.write_str("(object)"),
            Self::Record(_) => f.write_str("(record)"),
            Self::List(list) => {
                for (position, fact) in list.items.iter().enumerate() {
                    let joint = if position == 0 { "" } else { ", " };
                    match fact {
                        Fact::Known { value, .. } => write!(f, "{joint}{value}")?,
                        Fact::Absent(_) => write!(f, "{joint}(not known)")?,
                    }
                }
                Ok(())
            }
        }
    }
}
