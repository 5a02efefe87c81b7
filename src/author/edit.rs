//! What an editor shows of the files of a pack: problems, completion, descriptions, definitions.
//!
//! Works on texts and on packs that were read; knows no protocol and no file system. Files are mostly broken
//! while somebody types, so everything here goes on with what can be understood: a line that is no YAML is
//! passed over, an expression is cut down to what stands before the cursor, and the names that are bound
//! there are found by the ordinary reader of rules. Offsets are bytes of the text.

mod complete;
mod describe;
mod find;
mod format;
mod guide;
mod hole;
mod items;
mod of_case;
mod outline;
mod problems;
mod rename;
mod slot;
mod tree;

use std::ops::Range;
use std::sync::Arc;

use crate::author::complete::Context;
use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check::{Scope, World};
use crate::load::{self, Packs};
use crate::rule::clause::{Looked, Override};
use crate::rule::pack::{RuleSet, Watched};
use crate::source::{Node, Source, Sources};

pub use complete::{complete, signature};
pub use describe::hover;
pub use find::definition;
pub use format::format;
pub use items::{Item, ItemKind};
pub use outline::{Symbol, SymbolKind, symbols};
pub use problems::problems;
pub use rename::{Refusal, prepare_rename, rename};

/// A replacement in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub range: Range<usize>,
    /// By what.
    pub text: String,
}

/// What kind of document a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// A rule.
    Rule,
    /// An action.
    Action,
    /// A table.
    Table,
    /// A case of a rule.
    Case,
    /// `pack.yaml`.
    Pack,
    /// `dpmguard.yaml`.
    Config,
    /// Facts.
    Facts,
    /// What a pack adds to the fact model.
    Model,
    /// What a pack says of its mutants.
    Mutants,
    /// A change plan.
    Plan,
    /// Functions.
    Script,
    /// None of ours.
    Other,
}

impl DocumentKind {
    /// The kind of the document of that path and text; what stands in a pack's folder and does not say what it
    /// is, is taken for a rule.
    #[must_use]
    pub fn of(path: &str, text: &str, is_in_pack: bool) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        if name.to_lowercase().ends_with(".rhai") {
            return Self::Script;
        }
        if name == "pack.yaml" || name == "pack.yml" {
            return Self::Pack;
        }
        let said = text.lines().find_map(|line| {
            let rest = line.strip_prefix("schema:")?.trim();
            rest.trim_matches(['"', '\'']).strip_prefix("dpmguard.")?.strip_suffix("/v1")
        });
        match said {
            Some("rule") => Self::Rule,
            Some("action") => Self::Action,
            Some("table") => Self::Table,
            Some("case") => Self::Case,
            Some("pack") => Self::Pack,
            Some("config") => Self::Config,
            Some("facts") => Self::Facts,
            Some("model") => Self::Model,
            Some("mutants") => Self::Mutants,
            Some("plan") => Self::Plan,
            None if name == "dpmguard.yaml" => Self::Config,
            None if is_in_pack => Self::Rule,
            _ => Self::Other,
        }
    }

    /// Name of the schema that such documents have.
    #[must_use]
    pub fn schema(self) -> Option<&'static str> {
        match self {
            Self::Rule => Some("rule-v1"),
            Self::Action => Some("action-v1"),
            Self::Table => Some("table-v1"),
            Self::Case => Some("case-v1"),
            Self::Pack => Some("pack-v1"),
            Self::Config => Some("config-v1"),
            Self::Facts => Some("facts-v1"),
            Self::Model => Some("model-v1"),
            Self::Mutants => Some("mutants-v1"),
            Self::Plan => Some("plan-v1"),
            Self::Script | Self::Other => None,
        }
    }
}

/// A text that is being edited.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    /// Its path, with `/`, as its name in the sources is.
    pub path: &'a str,
    /// The text.
    pub text: &'a str,
    /// What it is.
    pub kind: DocumentKind,
}

impl<'a> Document<'a> {
    /// Name of the file, without ending.
    #[must_use]
    pub fn stem(&self) -> &'a str {
        let name = self.path.rsplit('/').next().unwrap_or(self.path);
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    /// Name of the folder that it stands in.
    #[must_use]
    pub fn folder(&self) -> &'a str {
        self.path.rsplit('/').nth(1).unwrap_or_default()
    }
}

/// Packs as they were read, whatever is wrong with them.
#[derive(Debug)]
pub struct Desk {
    /// All files.
    pub sources: Sources,
    /// The packs.
    pub packs: Packs,
    /// What is right in them.
    pub set: RuleSet,
    /// Names of tables and actions that are there but wrong.
    pub broken: Vec<Arc<str>>,
    /// All that is wrong with them.
    pub problems: Vec<Diagnostic>,
}

impl Desk {
    /// Puts together what can be put together.
    ///
    /// # Errors
    ///
    /// Only if a shipped schema is broken, which a test excludes.
    pub fn new(packs: Packs, overrides: &[Override], sources: Sources) -> Result<Self, Diagnostic> {
        let assembled = packs.assemble(overrides, &sources)?;
        let load::Assembled { set, broken, problems } = assembled;
        Ok(Self { sources, packs, set, broken, problems })
    }

    /// The schema of documents of a kind; that of facts has what packs add to it.
    fn schema(&self, kind: DocumentKind) -> Option<serde_json::Value> {
        match kind {
            DocumentKind::Facts => Some(self.packs.facts_schema().json().clone()),
            other => Some(load::schema(other.schema()?).ok()?.json().clone()),
        }
    }

    /// Position of the pack that a file belongs to; of the last one, if it is in none.
    fn pack_of(&self, path: &str) -> usize {
        let files = self.packs.files();
        let holds = |position: &usize| {
            files.get(*position).and_then(|pack| pack.files.first()).is_some_and(|file| {
                let name = self.sources.get(file.file).map(Source::name);
                let folder = name.and_then(|name| name.strip_suffix(file.path.as_str()));
                folder.is_some_and(|folder| path.starts_with(folder))
            })
        };
        let last = files.len().saturating_sub(1);
        (0..files.len()).rev().find(holds).unwrap_or(last)
    }

    /// Calls with what an expression of that pack can name.
    fn with_context<T>(
        &self,
        pack: usize,
        scope: &Scope,
        ask: impl FnOnce(&Context<'_>) -> T,
    ) -> T {
        let constants = self.set.constants();
        let scripts = self.set.scripts(pack);
        let world = World { model: &self.packs.model, scripts, tables: &constants };
        let mut tags: Vec<Arc<str>> =
            self.set.rules.iter().flat_map(|rule| rule.tags.iter().cloned()).collect();
        tags.sort_unstable();
        tags.dedup();
        ask(&Context { scope, world, tags: &tags, expected: None })
    }

    /// What the expressions of a document look up, and what can be named at the wanted place.
    fn watch(
        &self,
        document: &Document<'_>,
        root: &Node,
        sources: &Sources,
        wanted: Option<Place>,
    ) -> (Looked, Vec<Diagnostic>) {
        let is_action = match document.kind {
            DocumentKind::Rule => false,
            DocumentKind::Action => true,
            _ => return Default::default(),
        };
        let pack = self.pack_of(document.path);
        let watched = Watched { root, stem: document.stem(), pack, is_action, wanted };
        self.set.watch(&watched, sources, &self.packs.model, &self.broken)
    }
}

/// Whether a place holds an offset; its end counts, as a cursor stands behind what was typed.
fn holds(place: Place, offset: usize) -> bool {
    (place.start as usize) <= offset && offset <= (place.end as usize)
}

/// The bytes of a place.
fn bytes(place: Place) -> Range<usize> {
    place.start as usize..place.end as usize
}
