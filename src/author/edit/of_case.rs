//! Cases: the facts that one starts from, and what can be said of its places only with them.

use std::path::{Path, PathBuf};

use crate::author::case::Case;
use crate::author::edit::complete::widen;
use crate::author::edit::items::{ItemKind, Items};
use crate::author::edit::tree::{Part, Reading, Spot};
use crate::author::edit::{Desk, Document};
use crate::author::patch::key_of;
use crate::author::suite::{Bases, prepare};
use crate::diagnostic::Diagnostic;
use crate::facts::model::{KindId, Type};
use crate::load::cases::{self, CaseFile};
use crate::rule::Rule;
use crate::source::{Node, Sources};

/// What is wrong with a case beside its facts: changes that lead nowhere, subjects that are no objects.
pub(super) fn problems(
    desk: &Desk,
    document: &Document<'_>,
    root: &Node,
    case: &Case,
    sources: &mut Sources,
) -> Vec<Diagnostic> {
    // A rule that is broken has been told of; to read a setting of an action needs all that is in the packs.
    let is_whole = case.rules().iter().all(|id| desk.set.rule(id).is_some());
    if !is_whole || !(desk.problems.is_empty() || case.params.is_empty()) {
        return Vec::new();
    }
    let path = PathBuf::from(document.path);
    let folder = pack_folder(document).to_owned();
    let below = format!("cases/{}/{}.yaml", document.folder(), document.stem());
    let file = CaseFile { path, below, root: Ok(root.clone()) };
    let bases = &mut Bases::default();
    let made = prepare(file, Path::new(&folder), &desk.packs, &desk.set, bases, sources);
    made.err().unwrap_or_default()
}

/// The folder of the pack that a case stands in.
fn pack_folder<'a>(document: &Document<'a>) -> &'a str {
    document.path.rsplit_once("/cases/").map_or("", |(folder, _)| folder)
}

/// Keys of the objects that the rule can be about.
pub(super) fn subjects(
    document: &Document<'_>,
    reading: &Reading,
    under: &Spot<'_>,
    items: &mut Items<'_>,
) {
    let Part::Value(node) = under.part else { return };
    let desk = items.desk;
    let root = &reading.root;
    let own = root.get("rule").and_then(Node::as_str).unwrap_or(document.folder());
    let kinds = desk.set.rule(own).map(|rule| subject_kinds(rule)).unwrap_or_default();
    let base = root.get("base").and_then(Node::as_str).and_then(|base| {
        let folder = Path::new(document.path).parent()?;
        let path = cases::plain(&folder.join(base));
        Some(cases::tree(&path, &mut Sources::default()).ok()?.1)
    });
    let Some(facts) = base.as_ref().or_else(|| root.get("facts")) else { return };
    widen(document, node.as_str().unwrap_or_default(), items);
    for kind in desk.packs.model.kinds() {
        if !kinds.is_empty() && !kinds.contains(&kind.id) {
            continue;
        }
        let added = root.get("patch").and_then(Node::as_list).unwrap_or_default().iter();
        let added = added
            .filter(|change| change.get("add").and_then(Node::as_str) == Some(&*kind.collection))
            .filter_map(|change| change.get("item"));
        let there = facts.get(&kind.collection).and_then(Node::as_list).unwrap_or_default();
        for object in there.iter().chain(added) {
            let key = key_of(kind, object);
            if !key.is_empty() {
                items.add(&key, ItemKind::Reference, kind.name.to_string(), String::new());
            }
        }
    }
}

/// The kinds of the objects that a rule is about; empty if that cannot be told.
fn subject_kinds(rule: &Rule) -> Vec<KindId> {
    let name = rule.root.get("finding").and_then(|finding| finding.get("subject"));
    let first = rule.select.first().and_then(|_| {
        let select = rule.root.get("select")?.as_list()?.first()?;
        select.get("each").or_else(|| select.get("one"))
    });
    let name = name.or(first).and_then(Node::as_str).unwrap_or_default();
    match rule.scope.find(name).map(|(_, ty)| ty.required()) {
        Some(Type::Object(kinds)) => kinds.to_vec(),
        _ => Vec::new(),
    }
}

/// The fact files of the pack's fixtures, as they are named from the case's folder.
pub(super) fn bases(document: &Document<'_>, under: &Spot<'_>, items: &mut Items<'_>) {
    let Part::Value(node) = under.part else { return };
    let Some((folder, below)) = document.path.rsplit_once("/cases/") else { return };
    widen(document, node.as_str().unwrap_or_default(), items);
    let up = "../".repeat(below.matches('/').count() + 1);
    for name in cases::fixtures(Path::new(folder)) {
        items.add(&format!("{up}{name}"), ItemKind::Reference, String::new(), String::new());
    }
}
