//! What the checker looks up, told to whoever asked: an editor shows it.
//!
//! Told as it happens, so that what stands before a mistake is known although the expression as a whole
//! is refused.

use std::ops::Range;
use std::sync::Arc;

use crate::facts::model::Type;

/// A name, field, function or permitted text that was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Characters of the expression's text that name it.
    pub at: Range<usize>,
    /// What it was.
    pub sight: Sight,
}

/// What was looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// A bound name; without a type if its value did not check.
    Name {
        /// The name.
        name: Arc<str>,
        /// Its type here, where guards may have excluded null.
        ty: Option<Type>,
    },
    /// A name that every expression knows: `now`, a collection, a single record, a table.
    Global {
        /// The name.
        name: Arc<str>,
        /// Its type.
        ty: Type,
    },
    /// A field, whether or not there is one of that name.
    Field {
        /// Type of what stands before the dot.
        of: Type,
        /// The name.
        name: Arc<str>,
    },
    /// A method, whether or not there is one of that name.
    Method {
        /// Type of what stands before the dot.
        of: Type,
        /// The name.
        name: Arc<str>,
    },
    /// A function called by its name.
    Function {
        /// The name.
        name: Arc<str>,
    },
    /// A text where one of several is needed.
    Member {
        /// The permitted ones.
        members: Arc<[Arc<str>]>,
        /// The text.
        text: Arc<str>,
    },
    /// A tag of rules.
    Tag {
        /// The tag.
        name: Arc<str>,
    },
    /// A name is bound: by a clause of the document, or by a closure (then the place is the closure's first
    /// sign). Without a type its value did not check.
    Bound {
        /// The name.
        name: Arc<str>,
        /// Its type.
        ty: Option<Type>,
    },
}

/// What was seen so far, if somebody asked to be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch {
    seen: Option<Vec<Seen>>,
}

impl Watch {
    /// Begins to remember.
    pub(super) fn begin(&mut self) {
        self.seen = Some(Vec::new());
    }

    pub(super) fn see(&mut self, at: &Range<usize>, sight: impl FnOnce() -> Sight) {
        if let Some(seen) = &mut self.seen {
            seen.push(Seen { at: at.clone(), sight: sight() });
        }
    }

    pub(super) fn take(&mut self) -> Vec<Seen> {
        self.seen.as_mut().map(std::mem::take).unwrap_or_default()
    }

    pub(super) fn count(&self) -> usize {
        self.seen.as_ref().map_or(0, Vec::len)
    }

    /// Moves what was seen since by so many characters: its expression stands inside a longer text.
    pub(super) fn shift(&mut self, since: usize, by: usize) {
        for seen in self.seen.iter_mut().flatten().skip(since) {
            seen.at = seen.at.start + by..seen.at.end + by;
        }
    }
}
