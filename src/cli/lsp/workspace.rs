//! What is open, and the packs that it belongs to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types as lsp;

use crate::author::edit::{self, Desk, Document, DocumentKind};
use crate::cli::lsp::convert::{self, Encoding};
use crate::diagnostic::Diagnostic;
use crate::load::{self, Folder, Open, shown};
use crate::rule::clause::Override;
use crate::source::Sources;

/// A document that the editor has open.
#[derive(Clone, Debug)]
pub(super) struct OpenDocument {
    /// As the editor names it.
    pub(super) uri: lsp::Uri,
    /// Its version.
    pub(super) version: i32,
    /// Its text.
    pub(super) text: Arc<str>,
}

/// Which packs a document is looked at with.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Layout {
    shipped: bool,
    folders: Vec<PathBuf>,
    /// Whether the folder is no pack, so that only what says it is ours counts.
    ours_only: bool,
    /// Whether only what is open counts: the folder is none of the workspace's, and may hold anything.
    open_only: bool,
    /// The configuration that has the values of parameters.
    config: Option<PathBuf>,
}

/// Folders, open documents, and the packs as they were last read.
#[derive(Default)]
pub(super) struct Workspace {
    pub(super) folders: Vec<PathBuf>,
    documents: BTreeMap<PathBuf, OpenDocument>,
    desks: BTreeMap<Layout, Desk>,
    /// Folders as they were last looked at, with whether only what is ours counts there.
    seen: BTreeMap<(PathBuf, bool), Arc<Folder>>,
    /// Files that the editor shows problems of.
    told: BTreeSet<PathBuf>,
}

impl Workspace {
    pub(super) fn open(&mut self, path: PathBuf, document: OpenDocument) {
        self.desks.clear();
        self.documents.insert(path, document);
    }

    pub(super) fn close(&mut self, path: &Path) {
        self.forget();
        self.documents.remove(path);
    }

    /// Files on disk changed, or may have.
    pub(super) fn forget(&mut self) {
        self.desks.clear();
        self.seen.clear();
    }

    pub(super) fn get(&self, path: &Path) -> Option<&OpenDocument> {
        self.documents.get(path)
    }

    /// Calls with an open document and what is known of its packs.
    pub(super) fn with<T>(
        &mut self,
        path: &Path,
        ask: impl FnOnce(&Desk, &Document<'_>) -> T,
    ) -> Option<T> {
        let open = self.documents.get(path)?.clone();
        let layout = self.layout(path, &open.text);
        let name = shown(path);
        let document = document(&name, &open.text, &layout);
        let desk = self.desk(&layout)?;
        Some(ask(desk, &document))
    }

    /// A folder as it was when files were last opened, saved or said to have changed: not every letter typed
    /// is a reason to go through it.
    fn look(&mut self, folder: &Path, layout: &Layout) -> Arc<Folder> {
        if layout.open_only {
            return Arc::default();
        }
        let key = (folder.to_path_buf(), layout.ours_only);
        let look = || Arc::new(Folder::look(folder, layout.ours_only));
        self.seen.entry(key).or_insert_with(look).clone()
    }

    fn desk(&mut self, layout: &Layout) -> Option<&Desk> {
        if !self.desks.contains_key(layout) {
            let texts = self.documents.iter();
            let texts = texts.map(|(path, open)| (path.clone(), open.text.clone())).collect();
            let look = |folder: &PathBuf| (folder.clone(), self.look(folder, layout));
            let known = layout.folders.iter().map(look).collect();
            let open = Open { texts, ours_only: layout.ours_only, known };
            let mut sources = Sources::default();
            let params = params(layout, &mut sources);
            let packs =
                load::packs_open(layout.shipped, &layout.folders, &open, &mut sources).ok()?;
            let desk = Desk::new(packs, &params, sources).ok()?;
            self.desks.insert(layout.clone(), desk);
        }
        self.desks.get(layout)
    }

    /// The pack of a document is the nearest folder around it with a `pack.yaml`, together with those that the
    /// nearest `dpmguard.yaml` names. A rule outside of a pack is looked at with all that the workspace's folder
    /// has; outside of the workspace, with what else is open there.
    fn layout(&self, path: &Path, text: &str) -> Layout {
        let texts = self.documents.iter();
        let texts = texts.map(|(path, open)| (path.clone(), open.text.clone())).collect();
        let open = Open { texts, ..Open::default() };
        let root = load::nearest(path, &["pack.yaml", "pack.yml"], &open);
        let config = load::nearest(path, &["dpmguard.yaml"], &open);
        let config = config.map(|folder| folder.join("dpmguard.yaml"));
        let settings = config
            .as_ref()
            .and_then(|path| load::config(Some(path), &mut Sources::default()).ok())
            .unwrap_or_default();
        let named: Vec<PathBuf> = settings.rules.iter().map(|folder| plain(folder)).collect();
        let shipped = settings.shipped_rules.unwrap_or(true);
        match root {
            Some(root) if named.contains(&root) => {
                Layout { shipped, folders: named, config, ..Layout::default() }
            }
            Some(root) => Layout { shipped: true, folders: vec![root], ..Layout::default() },
            None if is_of_pack(DocumentKind::of(&shown(path), text, false)) => {
                let folder = self.folders.iter().find(|folder| path.starts_with(folder));
                let open_only = folder.is_none();
                let folder = folder.map(PathBuf::as_path).or_else(|| path.parent());
                let folders = folder.map(Path::to_path_buf).into_iter().collect();
                Layout { shipped: true, folders, ours_only: true, open_only, config: None }
            }
            None => Layout { shipped, folders: named, config, ..Layout::default() },
        }
    }

    /// What is wrong, by file: for every open document, and for every other file in which something is or was.
    pub(super) fn problems(&mut self, encoding: Encoding) -> Vec<lsp::PublishDiagnosticsParams> {
        let mut found: BTreeMap<PathBuf, Vec<lsp::Diagnostic>> = BTreeMap::new();
        let mut add = |problems: &[Diagnostic], sources: &Sources| {
            for problem in problems {
                if let Some((path, told)) = convert::diagnostic(problem, sources, encoding) {
                    let of_file = found.entry(path).or_default();
                    if !of_file.contains(&told) {
                        of_file.push(told);
                    }
                }
            }
        };
        let open: Vec<(PathBuf, OpenDocument)> =
            self.documents.iter().map(|(path, open)| (path.clone(), open.clone())).collect();
        for (path, open) in &open {
            let layout = self.layout(path, &open.text);
            let name = shown(path);
            let document = document(&name, &open.text, &layout);
            let Some(desk) = self.desk(&layout) else { continue };
            add(&desk.problems, &desk.sources);
            let is_told = in_pack(&name, document.kind, &layout);
            let (problems, sources) = edit::problems(desk, &document, is_told);
            add(&problems, &sources);
        }
        let mut all: BTreeSet<PathBuf> = std::mem::take(&mut self.told);
        self.told = found.keys().cloned().collect();
        all.extend(self.told.iter().cloned());
        all.extend(self.documents.keys().cloned());
        let tell = |path: PathBuf| {
            let open = self.documents.get(&path);
            let uri = open.map_or_else(|| convert::uri_of(&path).into(), |open| open.uri.clone());
            let version = open.map(|open| open.version);
            let mut diagnostics = found.remove(&path).unwrap_or_default();
            diagnostics.sort_by_key(|told| (told.range.start, told.range.end));
            lsp::PublishDiagnosticsParams { uri, version, diagnostics }
        };
        all.into_iter().map(tell).collect()
    }
}

fn document<'a>(name: &'a str, text: &'a str, layout: &Layout) -> Document<'a> {
    let kind = DocumentKind::of(name, text, below(name, layout) && !layout.ours_only);
    Document { path: name, text, kind }
}

/// Whether a file stands where a pack has its rules.
fn below(name: &str, layout: &Layout) -> bool {
    layout.folders.iter().any(|folder| {
        let rest = name.strip_prefix(&shown(folder)).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| {
            !rest.starts_with("cases/") && !rest.starts_with("fixtures/") && !rest.contains("/.")
        })
    })
}

/// Whether the problems of a document are told with its pack.
fn in_pack(name: &str, kind: DocumentKind, layout: &Layout) -> bool {
    is_of_pack(kind) && below(name, layout)
}

fn is_of_pack(kind: DocumentKind) -> bool {
    use DocumentKind as Kind;
    matches!(
        kind,
        Kind::Rule | Kind::Action | Kind::Table | Kind::Pack | Kind::Model | Kind::Script
    )
}

fn params(layout: &Layout, sources: &mut Sources) -> Vec<Override> {
    let Some(path) = &layout.config else { return Vec::new() };
    load::config(Some(path), sources).map(|config| config.params).unwrap_or_default()
}

/// A path without `.` and `..`, as editors name files.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}
