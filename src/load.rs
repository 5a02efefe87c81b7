//! Files, standard input and the shipped pack: the only module that touches the file system.

pub mod cases;
pub mod history;
mod open;
mod pages;
mod plans;
mod read;
mod write;

pub use open::{Folder, Open, nearest};
pub use pages::{Changes, Pages, update};
pub use plans::{plan, plan_report, plan_text};
pub use read::{read_file, shown};
pub use write::{create_below, none_exists, write_files};

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::diagnostic::{Diagnostic, FileId};
use crate::expr::syntax::is_name;
use crate::facts::merge::merge;
use crate::facts::model::{self, Model};
use crate::facts::store::Facts;
use crate::load::open::{Bytes, PACK_FILES, is_of_pack, is_ours, is_script};
use crate::load::read::{Walker, read_regular, read_stdin, unreadable};
use crate::rule::clause::Override;
pub use crate::rule::pack::Assembled;
use crate::rule::pack::{self, PackFile, PackFiles, RuleSet, Schemas};
use crate::schema::Schema;
use crate::source::{self, Node, Sources};

/// The published schemas, by name.
pub static SCHEMAS: [(&str, &str); 19] = [
    ("action-v1", include_str!("../schemas/action-v1.schema.json")),
    ("case-v1", include_str!("../schemas/case-v1.schema.json")),
    ("config-v1", include_str!("../schemas/config-v1.schema.json")),
    ("coverage-v1", include_str!("../schemas/coverage-v1.schema.json")),
    ("eval-v1", include_str!("../schemas/eval-v1.schema.json")),
    ("explain-v1", include_str!("../schemas/explain-v1.schema.json")),
    ("facts-v1", include_str!("../schemas/facts-v1.schema.json")),
    ("lint-v1", include_str!("../schemas/lint-v1.schema.json")),
    ("model-v1", include_str!("../schemas/model-v1.schema.json")),
    ("mutants-v1", include_str!("../schemas/mutants-v1.schema.json")),
    ("pack-v1", include_str!("../schemas/pack-v1.schema.json")),
    ("plan-explain-v1", include_str!("../schemas/plan-explain-v1.schema.json")),
    ("plan-report-v1", include_str!("../schemas/plan-report-v1.schema.json")),
    ("plan-v1", include_str!("../schemas/plan-v1.schema.json")),
    ("plan-verify-v1", include_str!("../schemas/plan-verify-v1.schema.json")),
    ("report-v1", include_str!("../schemas/report-v1.schema.json")),
    ("rule-v1", include_str!("../schemas/rule-v1.schema.json")),
    ("table-v1", include_str!("../schemas/table-v1.schema.json")),
    ("test-v1", include_str!("../schemas/test-v1.schema.json")),
];

/// The files of the shipped pack: path below `rules/`, and text.
const SHIPPED: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/pack.rs"));

/// A schema of ours, compiled.
///
/// # Errors
///
/// If the shipped schema is broken, which a test excludes.
pub fn schema(name: &str) -> Result<Arc<Schema>, Diagnostic> {
    static COMPILED: LazyLock<Vec<(&str, LazySchema)>> = LazyLock::new(|| {
        SCHEMAS
            .iter()
            .map(|(name, text)| (*name, LazySchema { text, cell: std::sync::OnceLock::new() }))
            .collect()
    });
    let found = COMPILED.iter().find(|(known, _)| *known == name);
    match found {
        Some((_, lazy)) => {
            lazy.cell.get_or_init(|| Schema::compile(lazy.text).map(Arc::new)).clone()
        }
        None => Err(Diagnostic::error("unknown-schema", format!("there is no schema `{name}`"))
            .suggest(name, SCHEMAS.iter().map(|(name, _)| *name))),
    }
}

/// Compiled when it is first asked for: not every run needs all of them.
struct LazySchema {
    text: &'static str,
    cell: std::sync::OnceLock<Result<Arc<Schema>, Diagnostic>>,
}

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
    schema: Arc<Schema>,
    /// The schema of fact files as a document, where packs add to it.
    extended: Option<serde_json::Value>,
    /// What is wrong with files, or with what they add to the model.
    problems: Vec<Diagnostic>,
    /// Whether the model lacks something that a pack wanted to add.
    is_model_broken: bool,
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
fn collections_of_packs(root: &Node, found: &mut [Diagnostic]) {
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

const FACTS: &str = "dpmguard.facts/v1";
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
fn add(path: &Path, stdin: &mut dyn Read, sources: &mut Sources) -> Result<FileId, Diagnostic> {
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

/// The schemas of pack files.
///
/// # Errors
///
/// If a shipped schema is broken, which a test excludes.
pub fn schemas() -> Result<Schemas, Diagnostic> {
    Ok(Schemas {
        pack: schema("pack-v1")?,
        rule: schema("rule-v1")?,
        action: schema("action-v1")?,
        table: schema("table-v1")?,
    })
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

/// Settings of a project, from `dpmguard.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Name of the file; none if there is none.
    pub file: Option<String>,
    /// Folders of rules, made relative to where the tool runs.
    pub rules: Vec<PathBuf>,
    /// Whether the shipped pack takes part.
    pub shipped_rules: Option<bool>,
    /// Name of the threshold.
    pub fail_on: Option<String>,
    /// Rules to judge.
    pub only: Vec<String>,
    /// Rules not to judge.
    pub skip: Vec<String>,
    /// Values of parameters.
    pub params: Vec<Override>,
}

/// Reads a configuration; without a path `dpmguard.yaml` of the current folder, if there is one.
///
/// # Errors
///
/// The problems of the file.
pub fn config(path: Option<&Path>, sources: &mut Sources) -> Result<Config, Vec<Diagnostic>> {
    let default = Path::new("dpmguard.yaml");
    let path = match path {
        Some(path) => path,
        None if fs::symlink_metadata(default).is_ok() => default,
        None => return Ok(Config::default()),
    };
    let bytes = read_file(path).map_err(|problem| vec![problem])?;
    let file = sources.add(shown(path), &bytes).map_err(|problem| vec![problem])?;
    let root = source::read(sources, file)?;
    let found = schema("config-v1").map_err(|problem| vec![problem])?.check(&root);
    if !found.is_empty() {
        return Err(found);
    }
    let texts = |key: &str| -> Vec<String> {
        let items = root.get(key).and_then(Node::as_list).unwrap_or_default();
        items.iter().filter_map(Node::as_str).map(str::to_owned).collect()
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let missing = missing_folders(&root, folder);
    if !missing.is_empty() {
        return Err(missing);
    }
    let mut params = Vec::new();
    for rule in root.get("params").and_then(Node::as_map).unwrap_or_default() {
        for param in rule.node.as_map().unwrap_or_default() {
            params.push(Override {
                of: rule.key.to_string(),
                param: param.key.to_string(),
                key_place: param.key_place,
                value: param.node.clone(),
            });
        }
    }
    Ok(Config {
        file: Some(shown(path)),
        rules: texts("rules").into_iter().map(|rules| folder.join(rules)).collect(),
        shipped_rules: root.get("shipped_rules").and_then(Node::as_bool),
        fail_on: root.get("fail_on").and_then(Node::as_str).map(str::to_owned),
        only: texts("only"),
        skip: texts("skip"),
        params,
    })
}

/// The folders of rules that a configuration in `folder` names and that do not exist.
#[must_use]
pub fn missing_folders(root: &Node, folder: &Path) -> Vec<Diagnostic> {
    let named = root.get("rules").and_then(Node::as_list).unwrap_or_default();
    let missing = named.iter().filter_map(|node| {
        let path = folder.join(node.as_str()?);
        let error = fs::metadata(&path).err()?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let around = path
            .parent()
            .map(|around| if around.as_os_str().is_empty() { Path::new(".") } else { around });
        let beside = around.and_then(|around| fs::read_dir(around).ok()).into_iter().flatten();
        let beside = beside.flatten().filter(|entry| entry.path().is_dir());
        let beside: Vec<String> =
            beside.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let problem = unreadable(&path, &error).at(node.place);
        Some(problem.suggest(&name.unwrap_or_default(), beside.iter().map(String::as_str)))
    });
    missing.collect()
}

/// Reads `rule.param=value` from the command line.
///
/// # Errors
///
/// A text of another shape, or a value that is no YAML.
pub fn param(text: &str, sources: &mut Sources) -> Result<Override, Vec<Diagnostic>> {
    let shape = || {
        let message = format!("`--param {text}` is not of the form `rule.param=value`");
        vec![Diagnostic::error("wrong-option", message)]
    };
    let (name, value) = text.split_once('=').ok_or_else(shape)?;
    let (rule, param) = name.split_once('.').ok_or_else(shape)?;
    let file = sources
        .add(format!("--param {name}"), value.as_bytes())
        .map_err(|problem| vec![problem])?;
    let value = source::read(sources, file)?;
    let (of, param) = (rule.trim().to_owned(), param.trim().to_owned());
    Ok(Override { of, param, key_place: value.place, value })
}

/// The instant at which the tool runs; read once, handed down, printed in the report.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one door to the clock")]
pub fn clock() -> Option<crate::facts::time::Instant> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    crate::facts::time::Instant::from_seconds(i64::try_from(since.as_secs()).ok()?)
}
