//! What expressions can name, and what is wrong with them.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::nearest;
use crate::expr::check::sight::{Seen, Sight, Watch};
use crate::expr::tree::Expr;
use crate::facts::model::{Model, Type};
use crate::facts::value::Value;

/// What is wrong with an expression, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Kind of problem, kebab-case.
    pub code: &'static str,
    /// One line.
    pub message: String,
    /// Characters of the expression's text.
    pub at: Range<usize>,
    /// What to do.
    pub help: Vec<String>,
}

impl Problem {
    pub(super) fn new(code: &'static str, at: &Range<usize>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), at: at.clone(), help: Vec::new() }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    pub(super) fn suggest<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match nearest(word, candidates) {
            Some(best) => {
                let help = format!("did you mean `{best}`?");
                self.help(help)
            }
            None => self,
        }
    }
}

/// The declared signature of a pack's own function.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Its name.
    pub name: Arc<str>,
    /// Names and types of its parameters.
    pub params: Vec<(Arc<str>, Type)>,
    /// The type of its value.
    pub returns: Type,
    /// What the manual says.
    pub help: String,
}

/// What every expression of a pack can name.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The fact model.
    pub model: &'a Model,
    /// The pack's own functions.
    pub scripts: &'a [Signature],
    /// The reference tables.
    pub tables: &'a [Constant],
}

/// A value that every expression can name.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// The value.
    pub value: Value,
}

/// The names bound so far, each in its slot.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    names: Vec<(Arc<str>, Type, usize)>,
    /// Names whose values did not check: what uses them is not complained of again.
    pub(super) broken: Vec<Arc<str>>,
    /// Whether a guard did not check: what it would have excluded is not complained of.
    pub(super) is_unguarded: bool,
    /// Paths (`source.protection_group`) known not to be null here.
    pub(super) not_null: Vec<String>,
    /// How many slots are needed, closures included. No slot is used twice: the path of a fact is found
    /// by evaluating again what stands before it, and must not disturb a name bound since.
    pub slots: usize,
    watch: Watch,
}

impl Scope {
    /// Without names, but knowing some whose values did not check.
    #[must_use]
    pub fn with_broken(names: &[Arc<str>]) -> Self {
        Self { broken: names.to_vec(), ..Self::default() }
    }

    /// Binds a name; the answer is its slot.
    pub fn bind(&mut self, name: &str, ty: Type) -> usize {
        let slot = self.slots;
        self.names.push((name.into(), ty, slot));
        self.slots += 1;
        slot
    }

    /// Binds a name whose value did not check.
    pub fn bind_broken(&mut self, name: &str) -> usize {
        self.broken.push(name.into());
        self.bind(name, Type::Null)
    }

    /// Whether a name's value did not check.
    #[must_use]
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.iter().any(|broken| &**broken == name)
    }

    /// Forgets a name and what is assumed of it; its slot stays taken.
    pub fn unbind(&mut self, name: &str) {
        self.names.retain(|(known, ..)| &**known != name);
        let is_of = |path: &str| path == name || path.starts_with(&format!("{name}."));
        self.not_null.retain(|path| !is_of(path));
    }

    /// Slot and type of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &Type)> {
        let found = self.names.iter().find(|(known, ..)| &**known == name)?;
        Some((found.2, &found.1))
    }

    /// All bound names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, ..)| &**name)
    }

    /// All bound names with their slots.
    pub fn bound(&self) -> impl Iterator<Item = (&Arc<str>, usize)> {
        self.names.iter().map(|(name, _, slot)| (name, *slot))
    }

    /// Remembers what a condition says that is true from here on.
    pub fn assume(&mut self, condition: &Condition) {
        self.not_null.extend(condition.not_null.iter().cloned());
    }

    /// Remembers that a guard did not check.
    pub fn assume_broken(&mut self) {
        self.is_unguarded = true;
    }

    /// From here on, remembers what expressions look up.
    pub fn watch(&mut self) {
        self.watch.begin();
    }

    /// What was looked up since this was last asked, if it is watched.
    #[must_use]
    pub fn take_seen(&mut self) -> Vec<Seen> {
        self.watch.take()
    }

    pub(in crate::expr) fn seen_count(&self) -> usize {
        self.watch.count()
    }

    pub(in crate::expr) fn shift_seen(&mut self, since: usize, by: usize) {
        self.watch.shift(since, by);
    }

    pub(super) fn see(&mut self, at: &Range<usize>, sight: impl FnOnce() -> Sight) {
        self.watch.see(at, sight);
    }

    /// What is bound and assumed now, to come back to.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark { names: self.names.len(), not_null: self.not_null.len() }
    }

    /// Forgets what was bound and assumed since.
    pub fn rewind(&mut self, mark: Mark) {
        self.names.truncate(mark.names);
        self.not_null.truncate(mark.not_null);
    }
}

/// A state of a [`Scope`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    names: usize,
    not_null: usize,
}

/// A checked condition and what it says about null where it is true.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The condition.
    pub expr: Expr,
    pub(super) not_null: Vec<String>,
}
