//! The cases of packs, made ready to be judged: facts put together, rules with the case's parameters.

mod names;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use crate::author::case::{self, Case};
use crate::author::patch;
use crate::author::snapshot;
use crate::author::suite::names::{unknown_after, unknown_rules, unknown_subjects};
use crate::diagnostic::{Diagnostic, Place};
use crate::facts::merge::merge;
use crate::facts::store::Facts;
use crate::load::{self, Packs, cases::CaseFile};
use crate::plan::{self, Plan};
use crate::rule::clause::Override;
use crate::rule::pack::RuleSet;
use crate::schema::Schema;
use crate::source::{Node, Sources};

/// Packs with their cases.
#[derive(Debug)]
pub struct Suite {
    /// All files.
    pub sources: Sources,
    /// The packs.
    pub packs: Packs,
    /// Their rules.
    pub set: RuleSet,
    /// The cases that can be judged, by name.
    pub cases: Vec<Ready>,
    /// The cases that cannot, with what is wrong with them, by name.
    pub broken: Vec<Broken>,
    /// Snapshots that belong to no case.
    pub unreferenced: Vec<PathBuf>,
    /// How many cases were not wanted.
    pub left_out: usize,
    /// Schema of rules, for those that are read again.
    pub rule_schema: Arc<Schema>,
}

/// A case ready to be judged.
#[derive(Debug)]
pub struct Ready {
    /// Its name: the path below the pack's `cases`, without ending.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Name of its file among the sources, and of the pack's folder.
    pub shown: String,
    /// What stands before the names of the pack's files.
    pub prefix: String,
    /// What it says.
    pub case: Case,
    /// Its facts.
    pub facts: Arc<Facts>,
    /// The rules with its parameters.
    pub set: RuleSet,
    /// What it lets happen, if it is about an action.
    pub plan: Option<Plan>,
    /// The content of the snapshot beside it, if there is one.
    pub snapshot: Option<String>,
}

/// A case that cannot be judged.
#[derive(Debug)]
pub struct Broken {
    /// Its name.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problems: Vec<Diagnostic>,
}

impl Ready {
    /// The file of its snapshot.
    #[must_use]
    pub fn snapshot_path(&self) -> PathBuf {
        self.path.with_extension("snap")
    }
}

/// A case with its document, on the way to be ready.
struct Draft {
    file: CaseFile,
    name: String,
    prefix: String,
    case: Case,
    document: Node,
}

/// Reads the cases of folders that are packs of `packs`; only those whose name `wanted` allows.
///
/// # Errors
///
/// Folders that cannot be looked at. What is wrong with a case stands with the case.
pub fn read(
    folders: &[PathBuf],
    packs: Packs,
    set: RuleSet,
    mut sources: Sources,
    wanted: &dyn Fn(&str) -> bool,
) -> Result<Suite, (Vec<Diagnostic>, Sources)> {
    let mut drafts = Vec::new();
    let mut broken = Vec::new();
    let mut unreferenced = Vec::new();
    let mut left_out = 0;
    let mut bases = Bases::default();
    for folder in folders {
        let files = match load::cases::cases(folder, &mut sources) {
            Ok(files) => files,
            Err(problems) => return Err((problems, sources)),
        };
        let owners: HashSet<PathBuf> =
            files.cases.iter().map(|case| case.path.with_extension("snap")).collect();
        unreferenced.extend(files.snapshots.into_iter().filter(|path| !owners.contains(path)));
        let prefix = format!("{}/", load::shown(folder).trim_end_matches('/'));
        for file in files.cases {
            let name = name_of(&file.below);
            if !wanted(&name) {
                left_out += 1;
                continue;
            }
            match draft(file, name, &prefix, &set, &packs, &mut bases, &mut sources) {
                Ok(Some(draft)) => drafts.push(draft),
                // Another document of ours.
                Ok(None) => {}
                Err(one) => broken.push(one),
            }
        }
    }
    one_snapshot_each(&mut drafts, &mut broken);
    let rule_schema = match load::schema("rule-v1") {
        Ok(schema) => schema,
        Err(problem) => return Err((vec![problem], sources)),
    };
    let ready: Vec<Result<Ready, Broken>> = drafts
        .into_par_iter()
        .map(|draft| ready(draft, &packs, &set, &rule_schema, &sources))
        .collect();
    let mut cases = Vec::new();
    for one in ready {
        match one {
            Ok(case) => cases.push(case),
            Err(one) => broken.push(one),
        }
    }
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    broken.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Suite { sources, packs, set, cases, broken, unreferenced, left_out, rule_schema })
}

/// Cases whose files differ in their endings only would write one snapshot in turn.
fn one_snapshot_each(drafts: &mut Vec<Draft>, broken: &mut Vec<Broken>) {
    let mut owners: HashMap<PathBuf, PathBuf> = HashMap::new();
    drafts.retain(|draft| {
        let path = &draft.file.path;
        let other = owners.entry(path.with_extension("snap")).or_insert_with(|| path.clone());
        if other == path {
            return true;
        }
        let message = format!("it shares its snapshot with `{}`", load::shown(other));
        let place = draft.file.root.as_ref().ok().map(|root| root.place);
        let mut problem =
            Diagnostic::error("duplicate-case", message).help("give one of the two another name");
        problem.place = place;
        broken.push(Broken {
            name: draft.name.clone(),
            path: path.clone(),
            problems: vec![problem],
        });
        false
    });
}

/// `cases/a-rule/a-case.yaml` is `a-rule/a-case`.
fn name_of(below: &str) -> String {
    let plain = below.strip_prefix("cases/").unwrap_or(below);
    plain.rsplit_once('.').map_or(plain, |(name, _)| name).to_owned()
}

/// Makes a case ready that may not be on disk yet; none for another document of ours.
///
/// # Errors
///
/// What is wrong with it.
pub fn prepare(
    file: CaseFile,
    folder: &Path,
    packs: &Packs,
    set: &RuleSet,
    bases: &mut Bases,
    sources: &mut Sources,
) -> Result<Option<Ready>, Vec<Diagnostic>> {
    let rule_schema = load::schema("rule-v1").map_err(|problem| vec![problem])?;
    let prefix = format!("{}/", load::shown(folder).trim_end_matches('/'));
    let name = name_of(&file.below);
    let draft = draft(file, name, &prefix, set, packs, bases, sources);
    match draft.map_err(|broken| broken.problems)? {
        Some(draft) => ready(draft, packs, set, &rule_schema, sources)
            .map(Some)
            .map_err(|broken| broken.problems),
        None => Ok(None),
    }
}

/// Fact files that cases start from, each read once.
#[derive(Debug, Default)]
pub struct Bases {
    known: HashMap<PathBuf, Result<Node, Vec<Diagnostic>>>,
}

impl Bases {
    /// Adds a fact file that is not on disk.
    pub fn add(&mut self, path: &Path, root: Node) {
        self.known.insert(load::cases::plain(path), Ok(root));
    }

    fn get(
        &mut self,
        path: &Path,
        named: Place,
        sources: &mut Sources,
    ) -> Result<Node, Vec<Diagnostic>> {
        let read = self.known.entry(path.to_path_buf());
        let read = read.or_insert_with(|| load::cases::tree(path, sources).map(|(_, root)| root));
        read.clone().map_err(|mut found| {
            for problem in &mut found {
                // A file that is not there has no place of its own.
                match problem.place {
                    None => problem.place = Some(named),
                    Some(_) => problem.related.push((named, "this case starts from it".to_owned())),
                }
            }
            found
        })
    }
}

fn draft(
    file: CaseFile,
    name: String,
    prefix: &str,
    set: &RuleSet,
    packs: &Packs,
    bases: &mut Bases,
    sources: &mut Sources,
) -> Result<Option<Draft>, Broken> {
    let CaseFile { path, below, root } = file;
    let broken =
        |problems: Vec<Diagnostic>| Broken { name: name.clone(), path: path.clone(), problems };
    let root = root.map_err(&broken)?;
    let stem = path.file_stem().and_then(std::ffi::OsStr::to_str);
    let says = root.get("schema").and_then(Node::as_str);
    // Under any other name it would be a case that nobody judges.
    if says == Some("dpmguard.mutants/v1") && stem == Some("mutants") {
        return Ok(None);
    }
    let schema = load::schema("case-v1").map_err(|problem| broken(vec![problem]))?;
    let found = schema.check(&root);
    if !found.is_empty() {
        return Err(broken(found));
    }
    let folder = path.parent().and_then(Path::file_name).map(|name| name.to_string_lossy());
    let by_folder = folder.filter(|_| below.starts_with("cases/")).unwrap_or_default();
    let case = case::read(&root, &by_folder).map_err(&broken)?;
    let unknown = unknown_rules(&case, &root, &by_folder, set);
    if !unknown.is_empty() {
        return Err(broken(unknown));
    }
    let mut document = match (&case.base, &case.facts) {
        (Some((base, place)), _) => {
            let folder = path.parent().unwrap_or(Path::new(""));
            let from = load::cases::plain(&folder.join(base));
            bases.get(&from, *place, sources).map_err(&broken)?
        }
        (None, Some(facts)) => facts.clone(),
        (None, None) => return Err(broken(Vec::new())),
    };
    for change in &case.patches {
        patch::apply(&mut document, change, &packs.model)
            .map_err(|problem| broken(vec![problem]))?;
    }
    let file = CaseFile { path, below, root: Ok(root) };
    Ok(Some(Draft { file, name, prefix: prefix.to_owned(), case, document }))
}

fn ready(
    draft: Draft,
    packs: &Packs,
    set: &RuleSet,
    rule_schema: &Schema,
    sources: &Sources,
) -> Result<Ready, Broken> {
    let Draft { file, name, prefix, case, document } = draft;
    let path = file.path;
    let broken =
        |problems: Vec<Diagnostic>| Broken { name: name.clone(), path: path.clone(), problems };
    let found = packs.facts_schema().check(&document);
    if !found.is_empty() {
        return Err(broken(found));
    }
    let merged = merge(&packs.model, &[(document.place.file, document)]);
    let facts = merged.map(|(facts, _)| Arc::new(facts)).map_err(&broken)?;
    let unknown = unknown_subjects(&case, &facts);
    if !unknown.is_empty() {
        return Err(broken(unknown));
    }
    let set = with_params(&case.params, set, packs, rule_schema, sources).map_err(&broken)?;
    let context =
        plan::file::Context { sources, rules: &set, facts: &facts, now: &case.now, hazards: &[] };
    let plan = case.act.as_ref().map(|act| plan::file::steps(&act.steps, context));
    let plan = plan.transpose().map_err(&broken)?;
    let unknown = unknown_after(&case, plan.as_ref(), facts.model());
    if !unknown.is_empty() {
        return Err(broken(unknown));
    }
    let text = load::cases::optional_text(&path.with_extension("snap"));
    let text = text.map_err(|problem| broken(vec![problem]))?;
    let snapshot = text.map(|text| snapshot::content(&text));
    let shown = load::shown(&path);
    Ok(Ready { name, path, shown, prefix, case, facts, set, plan, snapshot })
}

/// The rules with a case's parameters.
fn with_params(
    params: &[Override],
    set: &RuleSet,
    packs: &Packs,
    rule_schema: &Schema,
    sources: &Sources,
) -> Result<RuleSet, Vec<Diagnostic>> {
    let mut changed: BTreeMap<&str, Vec<Override>> = BTreeMap::new();
    for param in params {
        changed.entry(&param.of).or_default().push(param.clone());
    }
    if changed.keys().any(|id| set.rule(id).is_none()) {
        // A setting of an action, or a slip: all is read again, which tells.
        return packs.rules(params, sources);
    }
    let mut set = set.clone();
    for (id, params) in changed {
        if let Some(rule) = set.rule(id).cloned() {
            set = set.with_rule(&rule, &rule.root, sources, &packs.model, rule_schema, &params)?;
        }
    }
    Ok(set)
}
