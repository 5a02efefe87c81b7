//! What completion offers.

use std::ops::Range;

use crate::author::complete::{Candidate, CandidateKind};
use crate::author::edit::Desk;

/// Something to insert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// What is shown, and matched with what was typed.
    pub label: String,
    /// What it is.
    pub kind: ItemKind,
    /// Its type or signature, in one line.
    pub detail: String,
    /// What the manual says, as Markdown.
    pub help: String,
    /// What is inserted.
    pub insert: String,
    /// What is inserted where the editor knows snippets: `$0` is where the cursor goes.
    pub snippet: Option<String>,
    /// What it replaces.
    pub replaces: Range<usize>,
    /// Those with a smaller one come first.
    pub rank: u8,
}

/// What an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A field of an object or record.
    Field,
    /// A bound name.
    Variable,
    /// A collection, a single record or a table.
    Collection,
    /// A function.
    Function,
    /// A method.
    Method,
    /// A permitted value.
    Member,
    /// A kind of object.
    Kind,
    /// A rule, action, cause, tag or the like.
    Reference,
    /// A key.
    Key,
    /// A word of the language.
    Keyword,
}

/// Items that replace one stretch of the text; none is there twice.
pub(super) struct Items<'a> {
    pub(super) desk: &'a Desk,
    pub(super) pack: usize,
    pub(super) replaces: Range<usize>,
    pub(super) found: Vec<Item>,
}

impl Items<'_> {
    /// Adds an item, unless one of that label is there.
    pub(super) fn add(&mut self, label: &str, kind: ItemKind, detail: String, help: String) {
        if self.found.iter().any(|known| known.label == label) {
            return;
        }
        self.found.push(Item {
            label: label.to_owned(),
            kind,
            detail,
            help,
            insert: label.to_owned(),
            snippet: None,
            replaces: self.replaces.clone(),
            rank: rank(kind),
        });
    }

    /// Adds what can be written at a place of an expression; `replaces` are bytes of the document.
    pub(super) fn candidate(&mut self, candidate: Candidate, replaces: Range<usize>) {
        let kind = match candidate.kind {
            CandidateKind::Variable => ItemKind::Variable,
            CandidateKind::Collection | CandidateKind::Record => ItemKind::Collection,
            CandidateKind::Field => ItemKind::Field,
            CandidateKind::Method => ItemKind::Method,
            CandidateKind::Function | CandidateKind::PackFunction => ItemKind::Function,
            CandidateKind::Member => ItemKind::Member,
            CandidateKind::Keyword => ItemKind::Keyword,
            CandidateKind::Tag => ItemKind::Reference,
        };
        let Candidate { label, detail, help, insert, closing, .. } = candidate;
        // The editor's snippets give `$` and braces a meaning of their own.
        let is_plain = !insert.contains(['$', '}', '\\']);
        let snippet = (!closing.is_empty() && is_plain).then(|| format!("{insert}$0{closing}"));
        self.found.push(Item {
            label,
            kind,
            detail,
            help,
            insert,
            snippet,
            replaces,
            rank: rank(kind),
        });
    }
}

/// What the author bound comes first, words of the language last.
fn rank(kind: ItemKind) -> u8 {
    match kind {
        ItemKind::Variable => 0,
        ItemKind::Field | ItemKind::Member | ItemKind::Kind | ItemKind::Reference => 1,
        ItemKind::Collection | ItemKind::Key => 2,
        ItemKind::Method => 3,
        ItemKind::Function => 4,
        ItemKind::Keyword => 5,
    }
}
