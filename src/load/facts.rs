//! Fact files, and exports that facts are made of.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, FileId};
use crate::facts::merge::merge;
use crate::facts::store::Facts;
use crate::load::SCHEMAS;
use crate::load::packs::Packs;
use crate::load::read::{Walker, read_file, read_stdin, shown};
use crate::schema::Schema;
use crate::source::{self, Node, Sources};

/// Facts and what they were read from.
#[derive(Debug)]
pub struct Loaded {
    /// The facts.
    pub facts: Arc<Facts>,
    /// What is odd about them, but does not stop a run.
    pub warnings: Vec<Diagnostic>,
    /// The files that they were united from, by name.
    pub documents: Vec<(FileId, Node)>,
}

/// Reads and unites fact files; `-` is standard input, a folder stands for all fact files below it.
///
/// # Errors
///
/// The problems of all files.
pub fn facts(
    paths: &[PathBuf],
    stdin: &mut dyn Read,
    sources: &mut Sources,
    packs: &Packs,
) -> Result<Loaded, Vec<Diagnostic>> {
    if packs.is_model_broken {
        return Err(Vec::new());
    }
    let mut problems = Vec::new();
    let mut files: Vec<(FileId, Node)> = Vec::new();
    for (path, is_listed) in expand(paths, &FACT_FILES, &mut problems) {
        let file = match add(&path, stdin, sources) {
            Ok(file) => file,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        match facts_file(sources, file, is_listed, &packs.schema) {
            Ok(Some(root)) => files.push((file, root)),
            // Another document of ours in a folder.
            Ok(None) => {}
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let (facts, warnings) = merge(&packs.model, &files)?;
    Ok(Loaded { facts: Arc::new(facts), warnings, documents: files })
}

/// The tree of a fact file; none for another document of ours that a folder holds.
fn facts_file(
    sources: &Sources,
    file: FileId,
    is_listed: bool,
    schema: &Schema,
) -> Result<Option<Node>, Vec<Diagnostic>> {
    let root = source::read(sources, file)?;
    let kind = root.get("schema").and_then(Node::as_str);
    if let Some(other) = kind.filter(|kind| kind.starts_with("dpmguard.") && *kind != FACTS) {
        let known =
            SCHEMAS.iter().any(|(name, _)| other == format!("dpmguard.{}", name.replace('-', "/")));
        if known && !is_listed {
            return Ok(None);
        }
        let message = format!("this is not a fact file: it says `schema: {other}`");
        let place = root.get("schema").map_or(root.place, |node| node.place);
        let problem = Diagnostic::error("not-facts", message).at(place).suggest(other, [FACTS]);
        return Err(vec![problem]);
    }
    if kind.is_none() && root.as_map().is_some() {
        let place =
            root.as_map().and_then(<[_]>::first).map_or(root.place, |entry| entry.key_place);
        let problem = Diagnostic::error("not-facts", "this file does not say what it is")
            .at(place)
            .help(format!("a fact file begins with `schema: {FACTS}`"));
        return Err(vec![problem]);
    }
    let mut found = schema.check(&root);
    collections_of_packs(&root, &mut found);
    if found.is_empty() { Ok(Some(root)) } else { Err(found) }
}

/// A collection that is not known may be one that a pack adds which was not given.
pub(super) fn collections_of_packs(root: &Node, found: &mut [Diagnostic]) {
    for entry in root.as_map().unwrap_or_default() {
        let is_unknown = |one: &&mut Diagnostic| {
            one.code == "unknown-key"
                && one.place == Some(entry.key_place)
                && !one.help.iter().any(|help| help.starts_with("did you mean"))
        };
        if let Some(problem) = found.iter_mut().find(is_unknown) {
            let help = "if a pack adds it to the facts, name the pack's folder with `--rules`";
            problem.help.push(help.to_owned());
        }
    }
}

pub(super) const FACTS: &str = "dpmguard.facts/v1";
/// How names of fact files end.
const FACT_FILES: [&str; 3] = ["yaml", "yml", "json"];

/// Reads exports of other tools; a folder stands for all files below it with one of the endings.
///
/// # Errors
///
/// The problems of all files.
pub fn exports(
    paths: &[PathBuf],
    endings: &[&str],
    stdin: &mut dyn Read,
    sources: &mut Sources,
) -> Result<Vec<FileId>, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut files = Vec::new();
    for (path, _) in expand(paths, endings, &mut problems) {
        match add(&path, stdin, sources) {
            Ok(file) => files.push(file),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

/// Reads a file, or standard input if it is called `-`.
pub(super) fn add(
    path: &Path,
    stdin: &mut dyn Read,
    sources: &mut Sources,
) -> Result<FileId, Diagnostic> {
    if path.as_os_str() == "-" {
        read_stdin(stdin).and_then(|bytes| sources.add("<stdin>", &bytes))
    } else {
        read_file(path).and_then(|bytes| sources.add(shown(path), &bytes))
    }
}

/// The files to read, by name, each once, and whether the user named it.
fn expand(
    paths: &[PathBuf],
    endings: &[&str],
    problems: &mut Vec<Diagnostic>,
) -> Vec<(PathBuf, bool)> {
    let mut files: Vec<(PathBuf, bool)> = Vec::new();
    let mut walker = Walker::new(endings);
    for path in paths {
        if path.as_os_str() != "-" && path.is_dir() {
            let mut below = Vec::new();
            walker.walk(path, &mut below, problems);
            files.extend(below.into_iter().map(|file| (file, false)));
        } else {
            files.push((path.clone(), true));
        }
    }
    files.sort_by_key(|a| (shown(&a.0), !a.1));
    let mut seen = std::collections::HashSet::new();
    files.retain(|(path, _)| seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.clone())));
    files
}
