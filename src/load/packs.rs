//! The shipped pack and packs of others.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, FileId};
use crate::expr::syntax::is_name;
use crate::facts::merge::merge;
use crate::facts::model::{self, Model};
use crate::load::facts::collections_of_packs;
use crate::load::open::{Bytes, Open, PACK_FILES, is_of_pack, is_ours, is_script};
use crate::load::read::{Walker, read_file, shown};
use crate::load::{SCHEMAS, schema, schemas};
use crate::rule::clause::Override;
use crate::rule::pack::{self, Assembled, PackFile, PackFiles, RuleSet};
use crate::schema::Schema;
use crate::source::{self, Node, Sources};

/// The files of the shipped pack: path below `rules/`, and text.
const SHIPPED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// The shipped facts schema, as a tree with places.
fn facts_schema(sources: &mut Sources) -> Result<Node, Vec<Diagnostic>> {
    let text = SCHEMAS.iter().find(|(name, _)| *name == "facts-v1").map_or("", |(_, text)| text);
    let file =
        sources.add("facts-v1.schema.json", text.as_bytes()).map_err(|problem| vec![problem])?;
    source::read(sources, file)
}

/// Packs as they were read: their files, and the fact model that they make together.
#[derive(Debug)]
pub struct Packs {
    /// The fact model, with what packs add to it.
    pub model: Arc<Model>,
    files: Vec<PackFiles>,
    pub(super) schema: Arc<Schema>,
    /// The schema of fact files as a document, where packs add to it.
    extended: Option<serde_json::Value>,
    /// What is wrong with files, or with what they add to the model.
    problems: Vec<Diagnostic>,
    /// Whether the model lacks something that a pack wanted to add.
    pub(super) is_model_broken: bool,
}

/// Reads packs: the shipped one, without its rules if `shipped` is false, and folders of others. A
/// folder with the shipped pack's name stands in its place.
///
/// # Errors
///
/// Only if the shipped schema is broken, which a test excludes. What is wrong with the packs is told by
/// [`Packs::rules`], so that the facts are looked at too.
pub fn packs(
    shipped: bool,
    folders: &[PathBuf],
    sources: &mut Sources,
) -> Result<Packs, Vec<Diagnostic>> {
    packs_open(shipped, folders, &Open::default(), sources)
}

/// Reads packs as [`packs`] does, with what is open in an editor in place of the files on disk.
///
/// # Errors
///
/// As [`packs`].
pub fn packs_open(
    shipped: bool,
    folders: &[PathBuf],
    open: &Open,
    sources: &mut Sources,
) -> Result<Packs, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut own: Vec<PackFiles> = Vec::new();
    for folder in folders {
        own.push(pack_folder(folder, open, sources, &mut problems));
    }
    let files = SHIPPED.iter().map(|(path, text)| {
        ((*path).to_owned(), format!("rules/{path}"), Ok(text.as_bytes().to_vec()))
    });
    let ours = PackFiles { with_rules: shipped, ..pack_files(files, sources, &mut problems) };
    let is_replaced = own.iter().any(|pack| pack.name().is_some() && pack.name() == ours.name());
    let files: Vec<PackFiles> =
        if is_replaced { own } else { std::iter::once(ours).chain(own).collect() };
    let mut root = facts_schema(sources)?;
    let mut is_model_broken = false;
    let mut is_extended = false;
    for overlay in files.iter().flat_map(PackFiles::models) {
        is_extended = true;
        let found = schema("model-v1").map_err(|problem| vec![problem])?.check(overlay);
        let found = if found.is_empty() {
            let mut found = reserved(overlay);
            found.extend(model::extend(&mut root, overlay).err().into_iter().flatten());
            Some(found).filter(|found| !found.is_empty())
        } else {
            Some(found)
        };
        is_model_broken |= found.is_some();
        problems.extend(found.into_iter().flatten());
    }
    let compiled = Model::compile(&root).and_then(|model| {
        let own = || Schema::of(&root).map(Arc::new);
        let schema = if is_extended { own() } else { schema("facts-v1") };
        Ok((model, schema.map_err(|problem| vec![problem])?))
    });
    let (model, schema) = match compiled {
        Ok(compiled) => compiled,
        Err(found) if is_extended => {
            is_model_broken = true;
            problems.extend(found);
            (Model::compile(&facts_schema(sources)?)?, schema("facts-v1").map_err(|one| vec![one])?)
        }
        Err(found) => return Err(found),
    };
    let extended = is_extended.then(|| root.to_json());
    Ok(Packs { model: Arc::new(model), files, schema, extended, problems, is_model_broken })
}

/// Names of an overlay that no expression could name.
fn reserved(overlay: &Node) -> Vec<Diagnostic> {
    let added = overlay.get("properties").and_then(Node::as_map).unwrap_or_default();
    let is_taken = |name: &str| matches!(name, "now" | "params") || !is_name(name);
    let wrong = added.iter().filter(|entry| is_taken(&entry.key));
    let say = |entry: &source::Entry| {
        let message = format!("`{}` is a reserved word; choose another name", entry.key);
        Diagnostic::error("reserved-word", message).at(entry.key_place)
    };
    wrong.map(say).collect()
}

/// The files of a pack's folder.
fn pack_folder(
    folder: &Path,
    open: &Open,
    sources: &mut Sources,
    problems: &mut Vec<Diagnostic>,
) -> PackFiles {
    let mut added: Vec<PathBuf> = open.below(folder, &PACK_FILES).cloned().collect();
    let mut read: Vec<(PathBuf, Option<Bytes>)> = Vec::new();
    if let Some(known) = open.known.get(folder) {
        problems.extend(known.problems.iter().cloned());
        read.extend(known.files.iter().map(|(path, bytes)| (path.clone(), Some(bytes.clone()))));
    // A folder that is only to come has nothing on disk.
    } else if added.is_empty() || folder.exists() {
        let mut paths = Vec::new();
        Walker::new(&PACK_FILES).walk(folder, &mut paths, problems);
        read.extend(paths.into_iter().map(|path| (path, None)));
    }
    added.retain(|path| read.iter().all(|(known, _)| known != path));
    read.extend(added.into_iter().map(|path| (path, None)));
    let below = |path: &Path| shown(path.strip_prefix(folder).unwrap_or(path));
    let paths: Vec<PathBuf> = read.iter().map(|(path, _)| path.clone()).collect();
    if let Some(problem) = packs_within(folder, &paths).filter(|_| !open.ours_only) {
        problems.push(problem);
        return PackFiles { files: Vec::new(), with_rules: true, unreadable: Vec::new() };
    }
    let files = read
        .into_iter()
        .filter(|(path, _)| is_of_pack(folder, path))
        .map(|(path, bytes)| {
            let bytes = open.text(&path).or(bytes).unwrap_or_else(|| read_file(&path));
            (below(&path), shown(&path), bytes)
        })
        .filter(|(name, _, bytes)| {
            !open.ours_only
                || is_script(Path::new(name))
                || bytes.as_ref().is_ok_and(|bytes| is_ours(bytes))
        });
    let pack = pack_files(files, sources, problems);
    if problems.is_empty() && !pack.holds_something() {
        let message = format!("no rule was found in `{}`, nor an action or table", shown(folder));
        let help = "a rule is a YAML file that begins with `schema: dpmguard.rule/v1`";
        problems.push(Diagnostic::error("no-rules", message).help(help));
    }
    pack
}

/// That a folder is no pack, but has packs in it: read as one pack they would make no sense.
fn packs_within(folder: &Path, paths: &[PathBuf]) -> Option<Diagnostic> {
    let is_pack = |path: &&PathBuf| path.ends_with("pack.yaml") || path.ends_with("pack.yml");
    let packs = paths.iter().filter(is_pack).filter_map(|path| path.parent());
    let packs: Vec<&Path> = packs.filter(|pack| is_of_pack(folder, pack)).collect();
    let first = packs.first()?;
    if packs.contains(&folder) {
        return None;
    }
    let name = shown(folder);
    let message = match packs.as_slice() {
        [only] => format!("`{name}` is no pack; there is one in `{}`", shown(only)),
        _ => format!("`{name}` is no pack; there are {} in it", packs.len()),
    };
    let help = if packs.len() == 1 {
        format!("name that folder: `{}`", shown(first))
    } else {
        let names: Vec<String> = packs.iter().map(|pack| format!("`{}`", shown(pack))).collect();
        format!("name each of those that are wanted: {}", names.join(", "))
    };
    Some(Diagnostic::error("no-rules", message).help(help))
}

impl Packs {
    /// The files of all packs.
    #[must_use]
    pub fn files(&self) -> &[PackFiles] {
        &self.files
    }

    /// What can be made of the packs, and all that is wrong with them.
    ///
    /// # Errors
    ///
    /// Only if a shipped schema is broken, which a test excludes.
    pub fn assemble(
        &self,
        overrides: &[Override],
        sources: &Sources,
    ) -> Result<Assembled, Diagnostic> {
        let schemas = schemas()?;
        let found = pack::assemble(sources, &self.model, &schemas, &self.files, overrides);
        let mut problems = self.problems.clone();
        if !self.is_model_broken {
            problems.extend(found.problems);
        }
        Ok(Assembled { problems, ..found })
    }

    /// The rules of all packs, with the values that the user set.
    ///
    /// # Errors
    ///
    /// The problems of all files of all packs.
    pub fn rules(
        &self,
        overrides: &[Override],
        sources: &Sources,
    ) -> Result<RuleSet, Vec<Diagnostic>> {
        // Whatever names what is missing in a broken model would be complained of again.
        let found = self.assemble(overrides, sources).map_err(|problem| vec![problem])?;
        if found.problems.is_empty() { Ok(found.set) } else { Err(found.problems) }
    }

    /// As [`Packs::rules`], with the rules that can be judged although others cannot; none where the fact
    /// model is not whole, because most rules would be complained of.
    #[must_use]
    pub fn rules_and_problems(
        &self,
        overrides: &[Override],
        sources: &Sources,
    ) -> (Option<RuleSet>, Vec<Diagnostic>) {
        match self.assemble(overrides, sources) {
            Ok(found) => ((!self.is_model_broken).then_some(found.set), found.problems),
            Err(problem) => (None, vec![problem]),
        }
    }

    /// Whether there is a rule, action or table of that id in them.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.files.iter().any(|pack| pack.has(id))
    }

    /// The schema of fact files as text, with what packs add to it.
    ///
    /// # Errors
    ///
    /// What is wrong with what they add, or with a file that may want to.
    pub fn facts_schema_text(&self) -> Result<String, Vec<Diagnostic>> {
        if !self.problems.is_empty() {
            return Err(self.problems.clone());
        }
        let shipped = SCHEMAS.iter().find(|(name, _)| *name == "facts-v1");
        let shipped = shipped.map_or("", |(_, text)| text).to_owned();
        Ok(self.extended.as_ref().map_or(shipped, |schema| format!("{schema:#}\n")))
    }

    /// The schema of fact files, with what packs add to it.
    #[must_use]
    pub fn facts_schema(&self) -> &Schema {
        &self.schema
    }

    /// Checks one fact document by itself: the problems that make it useless, and what is odd about it.
    #[must_use]
    pub fn check_facts(&self, file: FileId, root: &Node) -> Vec<Diagnostic> {
        let mut found = self.schema.check(root);
        collections_of_packs(root, &mut found);
        if !found.is_empty() || self.is_model_broken {
            return found;
        }
        match merge(&self.model, &[(file, root.clone())]) {
            Ok((_, warnings)) => warnings,
            Err(problems) => problems,
        }
    }
}

fn pack_files(
    files: impl Iterator<Item = (String, String, Bytes)>,
    sources: &mut Sources,
    problems: &mut Vec<Diagnostic>,
) -> PackFiles {
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    for (path, name, bytes) in files {
        let file = match bytes.and_then(|bytes| sources.add(name, &bytes)) {
            Ok(file) => file,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if Path::new(&path).extension().is_some_and(|ending| ending == "rhai") {
            read.push(PackFile { path, file, root: None });
            continue;
        }
        match source::read(sources, file) {
            Ok(root) => read.push(PackFile { path, file, root: Some(root) }),
            Err(found) => {
                let stem = Path::new(&path).file_stem().map(|stem| stem.to_string_lossy());
                unreadable.extend(stem.map(std::borrow::Cow::into_owned));
                problems.extend(found);
            }
        }
    }
    PackFiles { files: read, with_rules: true, unreadable }
}
