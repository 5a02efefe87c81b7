//! Packs: folders of rules, put together into one set.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, FileId, Place};
use crate::digest::sha256;
use crate::expr::check::{self, Scope, World};
use crate::expr::script::{ScriptProblem, Scripts};
use crate::expr::tree::Expr;
use crate::facts::model::{KindId, Model, Type};
use crate::rule::Rule;
use crate::rule::read::{self, Context, Override};
use crate::schema::Schema;
use crate::source::{Node, Sources};

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
    metadata: Vec<(String, String)>,
}

/// What being protected means in the pack's domain.
#[derive(Clone, Debug)]
pub struct Protection {
    /// The kind of object that is protected.
    pub kind: KindId,
    /// Its state, with the object in slot 0.
    pub state: Expr,
    /// States in which it is protected.
    pub good: Vec<String>,
    /// States in which it is not.
    pub bad: Vec<String>,
    /// States that end by themselves.
    pub busy: Vec<String>,
}

/// The rules of all packs.
#[derive(Debug)]
pub struct RuleSet {
    /// The packs, in the order given.
    pub packs: Vec<Pack>,
    /// The rules, by id.
    pub rules: Vec<Rule>,
    /// Positions of the rules, each behind those whose outcomes it asks for.
    pub order: Vec<usize>,
}

/// The schemas that pack files are checked against.
#[derive(Clone, Copy, Debug)]
pub struct Schemas<'a> {
    /// For `pack.yaml`.
    pub pack: &'a Schema,
    /// For rules.
    pub rule: &'a Schema,
}

/// Builds the rules of all packs; a rule replaces one of the same id in an earlier pack.
///
/// # Errors
///
/// The problems of all files of all packs.
pub fn build(
    sources: &Sources,
    model: &Model,
    schemas: Schemas<'_>,
    packs: &[PackFiles],
    overrides: &[Override],
) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut built = Vec::new();
    let mut rules: BTreeMap<Arc<str>, Rule> = BTreeMap::new();
    let mut places: BTreeMap<Arc<str>, Place> = BTreeMap::new();
    for (position, files) in packs.iter().enumerate() {
        let pack = pack(sources, model, schemas, files, &mut problems);
        for (stem, root) in files.rules() {
            // A rule that a later pack replaces is not looked at: it has other parameters, perhaps.
            let later = packs.iter().skip(position + 1);
            if later.flat_map(PackFiles::rules).any(|(other, _)| other == stem) {
                continue;
            }
            let found = schemas.rule.check(root);
            if !found.is_empty() {
                problems.extend(found);
                continue;
            }
            let world = World { model, scripts: pack.scripts.signatures() };
            let context =
                Context { sources, world, pack: position, metadata: &pack.metadata, overrides };
            match read::read(root, stem, context) {
                Ok(rule) => {
                    let id = rule.id.clone();
                    places.insert(id.clone(), root.get("id").map_or(root.place, |node| node.place));
                    let replaced = rules.insert(id.clone(), rule);
                    if replaced.is_some_and(|old| old.pack == position) {
                        let message = format!("the pack has two rules named `{id}`");
                        problems.push(Diagnostic::error("duplicate-rule", message).at(root.place));
                    }
                }
                Err(found) => problems.extend(found),
            }
        }
        built.push(pack);
    }
    let rules: Vec<Rule> = rules.into_values().collect();
    if problems.is_empty() {
        unknown_rules(&rules, overrides, &mut problems);
    }
    let order = order(&rules, &places, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(RuleSet { packs: built, rules, order })
}

impl PackFiles {
    /// Whether there is a rule in it.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        self.rules().next().is_some()
    }

    fn yaml(&self) -> impl Iterator<Item = (&PackFile, &Node)> {
        self.files.iter().filter_map(|file| Some((file, file.root.as_ref()?)))
    }

    /// Stem and tree of each rule file: every YAML file of the pack that does not say it is another
    /// kind of document of ours. One that says nothing is taken for a rule, so that a misspelt head
    /// is an error and not a rule switched off.
    fn rules(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.yaml().filter_map(|(file, root)| {
            let name = file.path.rsplit('/').next().unwrap_or(&file.path);
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            let kind = root.get("schema").and_then(Node::as_str).unwrap_or_default();
            let other = ["action", "case", "config", "facts", "plan"];
            let is_other = other.iter().any(|other| kind == format!("dpmguard.{other}/v1"));
            (file.path != "pack.yaml" && file.path != "pack.yml" && !is_other)
                .then_some((stem, root))
        })
    }
}

fn pack(
    sources: &Sources,
    model: &Model,
    schemas: Schemas<'_>,
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
        metadata: Vec::new(),
    };
    let Some((_, root)) =
        files.yaml().find(|(file, _)| file.path == "pack.yaml" || file.path == "pack.yml")
    else {
        return pack;
    };
    let found = schemas.pack.check(root);
    if !found.is_empty() {
        problems.extend(found);
        return pack;
    }
    let text = |key: &str| root.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
    (pack.name, pack.title, pack.version) = (text("name"), text("title"), text("version"));
    for entry in root.get("metadata").and_then(Node::as_map).unwrap_or_default() {
        let title = entry.node.get("title").and_then(Node::as_str).unwrap_or_default();
        pack.metadata.push((entry.key.to_string(), title.to_owned()));
    }
    if let Some(node) = root.get("protection") {
        pack.protection = protection(sources, model, node, problems);
    }
    pack
}

fn protection(
    sources: &Sources,
    model: &Model,
    node: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Option<Protection> {
    let name = node.get("kind")?;
    let Some(kind) = model.kind_named(name.as_str()?) else {
        let message = format!("there is no kind of object named `{}`", name.as_str()?);
        let names = model.kinds().iter().map(|kind| &*kind.name);
        let problem = Diagnostic::error("unknown-kind", message).at(name.place);
        problems.push(problem.suggest(name.as_str()?, names));
        return None;
    };
    let path = node.get("state")?;
    let mut scope = Scope::default();
    scope.bind("object", Type::Object(Arc::new([kind.id])));
    // The path is an expression on the object; 7 characters stand before it.
    let text = format!("object.{}", path.as_str()?);
    let state = match check::check(&text, &mut scope, World { model, scripts: &[] }) {
        Ok(state) => state,
        Err(found) => {
            for problem in found {
                let at = problem.at.start.saturating_sub(7)..problem.at.end.saturating_sub(7);
                let mut diagnostic =
                    Diagnostic::error(problem.code, problem.message).at(sources.inside(path, at));
                diagnostic.help = problem.help;
                problems.push(diagnostic);
            }
            return None;
        }
    };
    let mut states = |key: &str| {
        let list = node.get(key).and_then(Node::as_list).unwrap_or_default();
        list.iter()
            .filter_map(|item| {
                let name = item.as_str()?;
                if let Type::Enum(members) = state.ty.required()
                    && !members.iter().any(|member| &**member == name)
                {
                    let message = format!("`{name}` is not one of the values it can have");
                    let problem = Diagnostic::error("not-a-member", message).at(item.place);
                    problems.push(problem.suggest(name, members.iter().map(|member| &**member)));
                }
                Some(name.to_owned())
            })
            .collect::<Vec<String>>()
    };
    let (good, bad, busy) = (states("good"), states("bad"), states("busy"));
    Some(Protection { kind: kind.id, state, good, bad, busy })
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

/// Rules that are named and do not exist: by `see`, by a parameter of the user.
fn unknown_rules(rules: &[Rule], overrides: &[Override], problems: &mut Vec<Diagnostic>) {
    let names = || rules.iter().map(|rule| &*rule.id);
    for set in overrides {
        if !names().any(|id| id == set.rule) {
            let message = format!("there is no rule `{}`", set.rule);
            let problem = Diagnostic::error("unknown-rule", message).at(set.value.place);
            problems.push(problem.suggest(&set.rule, names()));
        }
    }
    for rule in rules {
        let bindings = rule.select.iter().filter_map(|binding| match binding {
            crate::rule::Binding::One { if_none, .. } => Some(if_none),
            crate::rule::Binding::Each { .. } => None,
        });
        let otherwise = bindings.chain(rule.require.iter().map(|(_, otherwise)| otherwise));
        for (see, place) in otherwise.filter_map(|otherwise| otherwise.see.as_ref()) {
            if !names().any(|id| id == &**see) {
                let problem =
                    Diagnostic::error("unknown-rule", format!("there is no rule `{see}`"));
                problems.push(problem.at(*place).suggest(see, names()));
            }
        }
    }
}

/// Rules in an order in which each stands behind those that it asks about.
fn order(
    rules: &[Rule],
    places: &BTreeMap<Arc<str>, Place>,
    problems: &mut Vec<Diagnostic>,
) -> Vec<usize> {
    let mut below: Vec<Vec<usize>> = Vec::with_capacity(rules.len());
    for rule in rules {
        let mut needs = Vec::new();
        for (tag, place) in &rule.asks {
            let carriers = rules.iter().enumerate().filter(|(_, other)| other.tags.contains(tag));
            let before = needs.len();
            needs.extend(carriers.map(|(position, _)| position));
            if needs.len() == before {
                let message = format!("no rule has the tag `{tag}`");
                let tags: Vec<&str> =
                    rules.iter().flat_map(|r| &r.tags).map(|tag| &**tag).collect();
                let problem =
                    Diagnostic::error("unknown-tag", message).at(*place).suggest(tag, tags);
                problems.push(problem);
            }
        }
        below.push(needs);
    }
    let mut order = Vec::with_capacity(rules.len());
    let mut done_with = vec![false; rules.len()];
    loop {
        let ready: Vec<usize> = (0..rules.len())
            .filter(|position| {
                let done = |other: &usize| done_with.get(*other).copied().unwrap_or(false);
                !done(position) && below.get(*position).is_none_or(|needs| needs.iter().all(done))
            })
            .collect();
        if ready.is_empty() {
            break;
        }
        for position in ready {
            order.push(position);
            if let Some(slot) = done_with.get_mut(position) {
                *slot = true;
            }
        }
    }
    if order.len() < rules.len() {
        let stuck: Vec<&Rule> = rules
            .iter()
            .zip(&done_with)
            .filter(|(_, done_with)| !**done_with)
            .map(|(rule, _)| rule)
            .collect();
        let names: Vec<String> = stuck.iter().map(|rule| format!("`{}`", rule.id)).collect();
        let message =
            format!("these rules ask for each other's outcomes in a circle: {}", names.join(", "));
        let mut problem = Diagnostic::error("rule-cycle", message);
        problem.place = stuck.first().and_then(|rule| places.get(&rule.id).copied());
        problems.push(problem);
    }
    order
}
