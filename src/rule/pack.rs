//! Packs: folders of rules, put together into one set.

mod protection;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, FileId, Place};
use crate::digest::sha256;
use crate::expr::check::{Constant, Signature, World};
use crate::expr::script::{ScriptProblem, Scripts};
use crate::facts::model::{KindId, Model};
use crate::rule::Rule;
use crate::rule::action::{self, Action};
use crate::rule::automatic;
use crate::rule::clause::{Context, Looked, Override, kind_named, text};
use crate::rule::links::{order, unknown_names};
use crate::rule::read::{self, Vocabulary};
use crate::rule::table::{self, Table};
use crate::schema::Schema;
use crate::source::{Node, Sources};

use protection::protection;
pub use protection::{Checks, Protection, Weights};

/// A file of a pack, read but not checked.
#[derive(Clone, Debug)]
pub struct PackFile {
    /// Path below the pack's folder, with `/`.
    pub path: String,
    /// The file.
    pub file: FileId,
    /// Its tree; none for a script.
    pub root: Option<Node>,
}

/// A pack's files.
#[derive(Clone, Debug)]
pub struct PackFiles {
    /// The files, by path.
    pub files: Vec<PackFile>,
    /// Whether its rules take part; its actions, tables and causes do in any case.
    pub with_rules: bool,
    /// Names, without their endings, of the files that are no YAML: what they declare is not missed.
    pub unreadable: Vec<String>,
}

/// A loaded pack.
#[derive(Debug)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub title: String,
    /// Its version.
    pub version: String,
    /// SHA-256 over the paths and digests of its files.
    pub digest: String,
    /// Its functions.
    pub scripts: Scripts,
    /// What being protected means.
    pub protection: Option<Protection>,
    /// What can go wrong, each with what no fact can tell of it.
    pub causes: Vec<Cause>,
    /// Its `pack.yaml`.
    pub root: Option<Arc<Node>>,
    metadata: Vec<(String, String)>,
    /// For some keys of the metadata the table that their values are codes of.
    code_tables: Vec<(String, String)>,
}

impl Pack {
    /// The table that the values under a key of the metadata are codes of.
    #[must_use]
    pub fn table_of(&self, key: &str) -> Option<&str> {
        let found = self.code_tables.iter().find(|(known, _)| known == key);
        found.map(|(_, table)| table.as_str())
    }
}

/// A cause that rules belong to.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is known of it and cannot be seen in facts.
    pub unobservable: Vec<Unobservable>,
}

/// A known thing that no rule looks at.
#[derive(Clone, Debug)]
pub struct Unobservable {
    /// What is known.
    pub says: String,
    /// Why no rule looks at it.
    pub why: String,
    /// Where it is documented.
    pub source: String,
}

/// The rules of all packs. A copy is cheap: what it is made of is shared.
#[derive(Clone, Debug)]
pub struct RuleSet {
    /// The packs, in the order given.
    pub packs: Arc<[Pack]>,
    /// The rules, by id.
    pub rules: Vec<Arc<Rule>>,
    /// Positions of the rules, each behind those whose outcomes it asks for.
    pub order: Vec<usize>,
    /// The actions of all packs, by id.
    pub actions: Arc<[Action]>,
    /// The tables of all packs, by id.
    pub tables: Arc<[Table]>,
}

impl RuleSet {
    /// What being protected means, and the pack that says so.
    #[must_use]
    pub fn protection(&self) -> Option<(&Protection, &Pack)> {
        self.packs.iter().find_map(|pack| Some((pack.protection.as_ref()?, pack)))
    }

    /// The rule of that id.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Arc<Rule>> {
        let position = self.rules.binary_search_by(|rule| (*rule.id).cmp(id)).ok()?;
        self.rules.get(position)
    }

    /// The same rules, with one of them read again from another tree or with other parameters.
    ///
    /// # Errors
    ///
    /// What is wrong with the rule as it now stands.
    pub fn with_rule(
        &self,
        rule: &Rule,
        root: &Arc<Node>,
        sources: &Sources,
        model: &Model,
        schema: &Schema,
        overrides: &[Override],
    ) -> Result<Self, Vec<Diagnostic>> {
        valid(schema, root)?;
        let constants = self.constants();
        let world = World { model, scripts: self.scripts(rule.pack), tables: &constants };
        let actions = &self.actions;
        let context = Context { sources, world, actions, broken: &[], pack: rule.pack, overrides };
        let read = read::read(root, &rule.id, &self.vocabulary(rule.pack), context)?;
        let mut set = self.clone();
        for known in &mut set.rules {
            if known.id == rule.id {
                *known = Arc::new(read.clone());
            }
        }
        let mut problems = Vec::new();
        unknown_names([&read], &set.rules, actions, &[], &mut problems);
        let places: Vec<Place> = set.rules.iter().map(|rule| rule.root.place).collect();
        if problems.is_empty() && read.asks.iter().ne(&rule.asks) || read.tags != rule.tags {
            set.order = order(&set.rules, &places, &mut problems);
        }
        if problems.is_empty() { Ok(set) } else { Err(problems) }
    }

    /// The tables as expressions see them.
    #[must_use]
    pub fn constants(&self) -> Vec<Constant> {
        self.tables.iter().map(|table| table.constant.clone()).collect()
    }

    /// The functions of the pack at that position.
    #[must_use]
    pub fn scripts(&self, pack: usize) -> &[Signature] {
        self.packs.get(pack).map(|pack| pack.scripts.signatures()).unwrap_or_default()
    }

    /// What rules of the pack at that position may name.
    #[must_use]
    pub fn vocabulary(&self, pack: usize) -> Vocabulary {
        let metadata = self.packs.get(pack).map(|pack| pack.metadata.clone());
        Vocabulary { metadata: metadata.unwrap_or_default(), causes: causes(&self.packs) }
    }

    /// What the expressions of a rule (or of an action) look up, and what is wrong with them; whatever is
    /// wrong, the rest is looked at. `broken` are names of what is there but wrong.
    #[must_use]
    pub fn watch(
        &self,
        document: &Watched<'_>,
        sources: &Sources,
        model: &Model,
        broken: &[Arc<str>],
    ) -> (Looked, Vec<Diagnostic>) {
        let constants = self.constants();
        let pack = document.pack;
        let world = World { model, scripts: self.scripts(pack), tables: &constants };
        let actions = &self.actions;
        let context = Context { sources, world, actions, broken, pack, overrides: &[] };
        if document.is_action {
            action::watch(
                document.root,
                document.stem,
                Context { actions: &[], ..context },
                document.wanted,
            )
        } else {
            read::watch(
                document.root,
                document.stem,
                &self.vocabulary(pack),
                context,
                document.wanted,
            )
        }
    }
}

/// A document whose expressions are looked at.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'a> {
    /// Its tree.
    pub root: &'a Node,
    /// Name of its file, without ending.
    pub stem: &'a str,
    /// Position of its pack.
    pub pack: usize,
    /// Whether it is an action, not a rule.
    pub is_action: bool,
    /// Place of the expression or message whose scope is wanted.
    pub wanted: Option<Place>,
}

/// Ids and titles of the causes of all packs.
fn causes(packs: &[Pack]) -> Vec<(String, String)> {
    let all = packs.iter().flat_map(|pack| &pack.causes);
    all.map(|cause| (cause.id.clone(), cause.title.clone())).collect()
}

/// The schemas that pack files are checked against.
#[derive(Clone, Debug)]
pub struct Schemas {
    /// For `pack.yaml`.
    pub pack: Arc<Schema>,
    /// For rules.
    pub rule: Arc<Schema>,
    /// For actions.
    pub action: Arc<Schema>,
    /// For tables.
    pub table: Arc<Schema>,
}

/// Builds the rules of all packs; a rule, action or table replaces one of the same id in an earlier
/// pack.
///
/// # Errors
///
/// The problems of all files of all packs.
pub fn build(
    sources: &Sources,
    model: &Model,
    schemas: &Schemas,
    files: &[PackFiles],
    overrides: &[Override],
) -> Result<RuleSet, Vec<Diagnostic>> {
    let assembled = assemble(sources, model, schemas, files, overrides);
    if assembled.problems.is_empty() { Ok(assembled.set) } else { Err(assembled.problems) }
}

/// What could be made of packs, whatever is wrong with some of their files.
#[derive(Debug)]
pub struct Assembled {
    /// What can be judged although other things cannot.
    pub set: RuleSet,
    /// Names of tables and actions that are there but wrong.
    pub broken: Vec<Arc<str>>,
    /// The problems of all files of all packs.
    pub problems: Vec<Diagnostic>,
}

/// Builds what can be built of all packs.
#[must_use]
pub fn assemble(
    sources: &Sources,
    model: &Model,
    schemas: &Schemas,
    files: &[PackFiles],
    overrides: &[Override],
) -> Assembled {
    let mut problems = Vec::new();
    let unreadable = || files.iter().flat_map(|files| &files.unreadable);
    let (tables, wrong) = documents(files, PackFiles::tables, &mut problems, |_, root, stem| {
        whole(valid(&schemas.table, root).and_then(|()| table::read(root, stem, model)))
    });
    let broken_tables: Vec<Arc<str>> = wrong
        .into_iter()
        .chain(unreadable().map(String::as_str))
        .map(|stem| stem.replace('-', "_").into())
        .collect();
    let constants: Vec<Constant> = tables.iter().map(|(_, table)| table.constant.clone()).collect();
    let packs: Vec<Pack> =
        files.iter().map(|files| pack(sources, model, schemas, files, &mut problems)).collect();
    let context = |position: usize, actions, broken| {
        let scripts = packs.get(position).map(|pack| pack.scripts.signatures());
        let world = World { model, scripts: scripts.unwrap_or_default(), tables: &constants };
        Context { sources, world, actions, broken, pack: position, overrides }
    };
    let (actions, wrong) =
        documents(files, PackFiles::actions, &mut problems, |position, root, stem| {
            let context = context(position, &[], &broken_tables);
            whole(valid(&schemas.action, root).and_then(|()| action::read(root, stem, context)))
        });
    let broken_actions = wrong.into_iter().chain(unreadable().map(String::as_str)).map(Arc::from);
    let broken: Vec<Arc<str>> = broken_tables.iter().cloned().chain(broken_actions).collect();
    let actions: Vec<Action> = actions.into_iter().map(|(_, action)| action).collect();
    if problems.is_empty() && unreadable().next().is_none() {
        let known = packs.iter().find_map(|pack| pack.protection.as_ref());
        problems.extend(automatic::misfits(&actions, known.map(|known| known.kind)));
    }
    let causes = causes(&packs);
    let (rules, _) = documents(files, PackFiles::rules, &mut problems, |position, root, stem| {
        if let Err(found) = valid(&schemas.rule, root) {
            return (None, found);
        }
        let metadata = packs.get(position).map(|pack| pack.metadata.clone()).unwrap_or_default();
        let vocabulary = Vocabulary { metadata, causes: causes.clone() };
        read::read_all(root, stem, &vocabulary, context(position, &actions, &broken))
    });
    // Of a rule whose file has another name the id counts.
    let mut rules = rules;
    rules.sort_by(|(_, a), (_, b)| a.id.cmp(&b.id));
    let (places, rules): (Vec<Place>, Vec<Arc<Rule>>) =
        rules.into_iter().map(|(place, rule)| (place, Arc::new(rule))).unzip();
    for (rule, place) in rules.iter().zip(&places) {
        // Their parameters are set under one name.
        if actions.iter().any(|action| action.id == rule.id) {
            let message = format!("`{}` is the id of an action already", rule.id);
            problems.push(Diagnostic::error("duplicate-id", message).at(*place));
        }
    }
    let is_whole = unreadable().next().is_none();
    if problems.is_empty() && is_whole {
        let all = rules.iter().map(AsRef::as_ref);
        unknown_names(all, &rules, &actions, overrides, &mut problems);
    }
    // A rule or action that is wrong would be complained of again wherever it is missed.
    let mut of_order = Vec::new();
    let order = order(&rules, &places, &mut of_order);
    if problems.is_empty() && is_whole {
        problems = of_order;
    }
    let tables = tables.into_iter().map(|(_, table)| table).collect();
    let set = RuleSet { packs: packs.into(), rules, order, actions: actions.into(), tables };
    Assembled { set, broken, problems }
}

/// What was read, or what is wrong with it.
fn whole<T>(read: Result<T, Vec<Diagnostic>>) -> (Option<T>, Vec<Diagnostic>) {
    match read {
        Ok(document) => (Some(document), Vec::new()),
        Err(problems) => (None, problems),
    }
}

fn valid(schema: &Schema, root: &Node) -> Result<(), Vec<Diagnostic>> {
    let found = schema.check(root);
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// Documents of one sort of all packs, by stem, with their places, and the stems of those that are
/// wrong. One that a later pack replaces is not looked at: what it names may be gone.
fn documents<'a, T, I: Iterator<Item = (&'a str, &'a Node)>>(
    packs: &'a [PackFiles],
    list: impl Fn(&'a PackFiles) -> I,
    problems: &mut Vec<Diagnostic>,
    mut read: impl FnMut(usize, &'a Node, &'a str) -> (Option<T>, Vec<Diagnostic>),
) -> (Vec<(Place, T)>, Vec<&'a str>) {
    let mut latest: BTreeMap<&str, (usize, &Node)> = BTreeMap::new();
    for (position, pack) in packs.iter().enumerate() {
        for (stem, root) in list(pack) {
            if latest.insert(stem, (position, root)).is_some_and(|(other, _)| other == position) {
                let message = format!("the pack has two files named `{stem}`");
                problems.push(Diagnostic::error("duplicate-file", message).at(root.place));
            }
        }
    }
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    for (stem, (position, root)) in latest {
        let (document, found) = read(position, root, stem);
        problems.extend(found);
        match document {
            Some(document) => {
                all.push((root.get("id").map_or(root.place, |node| node.place), document));
            }
            None => wrong.push(stem),
        }
    }
    (all, wrong)
}

impl PackFiles {
    /// Whether there is a rule, an action or a table in it.
    #[must_use]
    pub fn holds_something(&self) -> bool {
        let mut all = self.rules().chain(self.actions()).chain(self.tables());
        all.next().is_some() || self.models().next().is_some()
    }

    /// Whether a rule, action or table has that id.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        self.rules().chain(self.actions()).chain(self.tables()).any(|(stem, _)| stem == id)
    }

    fn yaml(&self) -> impl Iterator<Item = (&PackFile, &Node)> {
        self.files.iter().filter_map(|file| Some((file, file.root.as_ref()?)))
    }

    /// Stem and tree of each rule file: every YAML file of the pack that does not say it is another
    /// kind of document of ours. One that says nothing is taken for a rule, so that a misspelt head
    /// is an error and not a rule switched off.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &Node)> {
        let others = ["action", "case", "config", "facts", "model", "mutants", "plan", "table"];
        self.documents(move |kind| !others.iter().any(|other| is(kind, other)))
            .filter(|_| self.with_rules)
    }

    /// Stem and tree of each action file.
    pub fn actions(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.documents(|kind| is(kind, "action"))
    }

    /// What they add to the fact model.
    pub fn models(&self) -> impl Iterator<Item = &Node> {
        self.documents(|kind| is(kind, "model")).map(|(_, root)| root)
    }

    /// Name of the pack, as its `pack.yaml` says it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.yaml().find(|(file, _)| is_pack(&file.path))?.1.get("name")?.as_str()
    }

    /// Stem and tree of each table file.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.documents(|kind| is(kind, "table"))
    }

    /// Stem and tree of the documents whose `schema` fits, `pack.yaml` aside.
    fn documents(&self, fits: impl Fn(&str) -> bool) -> impl Iterator<Item = (&str, &Node)> {
        self.yaml().filter_map(move |(file, root)| {
            let name = file.path.rsplit('/').next().unwrap_or(&file.path);
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            let kind = root.get("schema").and_then(Node::as_str).unwrap_or_default();
            (!is_pack(&file.path) && fits(kind)).then_some((stem, root))
        })
    }
}

fn is_pack(path: &str) -> bool {
    path == "pack.yaml" || path == "pack.yml"
}

fn is(kind: &str, word: &str) -> bool {
    kind.strip_prefix("dpmguard.").and_then(|rest| rest.strip_suffix("/v1")) == Some(word)
}

fn pack(
    sources: &Sources,
    model: &Model,
    schemas: &Schemas,
    files: &PackFiles,
    problems: &mut Vec<Diagnostic>,
) -> Pack {
    let scripts = scripts(sources, model, files, problems);
    let mut pack = Pack {
        name: "rules".to_owned(),
        title: String::new(),
        version: "0.0.0".to_owned(),
        digest: digest(sources, files),
        scripts,
        protection: None,
        causes: Vec::new(),
        root: None,
        metadata: Vec::new(),
        code_tables: Vec::new(),
    };
    let Some((_, root)) = files.yaml().find(|(file, _)| is_pack(&file.path)) else {
        return pack;
    };
    pack.root = Some(Arc::new(root.clone()));
    let found = schemas.pack.check(root);
    if !found.is_empty() {
        problems.extend(found);
        return pack;
    }
    (pack.name, pack.title, pack.version) =
        (text(root, "name"), text(root, "title"), text(root, "version"));
    for entry in root.get("metadata").and_then(Node::as_map).unwrap_or_default() {
        let title = entry.node.get("title").and_then(Node::as_str).unwrap_or_default();
        pack.metadata.push((entry.key.to_string(), title.to_owned()));
        if let Some(table) = entry.node.get("table").and_then(Node::as_str) {
            pack.code_tables.push((entry.key.to_string(), table.to_owned()));
        }
    }
    let causes = root.get("causes").and_then(Node::as_list).unwrap_or_default();
    pack.causes = causes.iter().map(cause).collect();
    if let Some(node) = root.get("protection") {
        pack.protection = protection(sources, model, node, problems);
    }
    pack
}

fn cause(node: &Node) -> Cause {
    let listed = node.get("unobservable").and_then(Node::as_list).unwrap_or_default();
    let unobservable = listed.iter().map(|node| Unobservable {
        says: text(node, "says"),
        why: text(node, "why"),
        source: text(node, "source"),
    });
    Cause { id: text(node, "id"), title: text(node, "title"), unobservable: unobservable.collect() }
}

fn kind(model: &Model, name: &Node, problems: &mut Vec<Diagnostic>) -> Option<KindId> {
    kind_named(model, name.as_str()?, name.place).map_err(|problem| problems.push(problem)).ok()
}

fn scripts(
    sources: &Sources,
    model: &Model,
    files: &PackFiles,
    problems: &mut Vec<Diagnostic>,
) -> Scripts {
    let mut scripts = Scripts::default();
    let texts = || {
        let scripts = files.files.iter().filter(|file| file.root.is_none());
        scripts.filter_map(|file| Some((file.file, sources.get(file.file)?.text())))
    };
    for (file, text) in texts() {
        if let Err(found) = scripts.add(text, model) {
            problems.extend(found.into_iter().map(|problem| in_script(file, text, problem)));
        }
    }
    for (file, text) in texts() {
        let found = scripts.unknown_calls(text);
        problems.extend(found.into_iter().map(|problem| in_script(file, text, problem)));
    }
    scripts
}

fn in_script(file: FileId, text: &str, problem: ScriptProblem) -> Diagnostic {
    let mut start = 0;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        if number + 1 == problem.line {
            start += line
                .chars()
                .take(problem.column.saturating_sub(1))
                .map(char::len_utf8)
                .sum::<usize>();
            break;
        }
        start += line.len();
    }
    let word = |c: &char| c.is_alphanumeric() || *c == '_';
    let rest = text.get(start..).unwrap_or_default();
    let length: usize = rest.chars().take_while(word).map(char::len_utf8).sum();
    let byte = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let place = Place { file, start: byte(start), end: byte(start + length.max(1)) };
    let mut diagnostic = Diagnostic::error(problem.code, problem.message).at(place);
    diagnostic.help.extend(problem.help);
    diagnostic
}

fn digest(sources: &Sources, files: &PackFiles) -> String {
    let mut lines = String::new();
    for file in &files.files {
        if let Some(source) = sources.get(file.file) {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{} {}", source.digest(), file.path);
        }
    }
    sha256(lines.as_bytes())
}
