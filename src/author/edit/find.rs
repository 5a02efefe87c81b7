//! Where things are declared.

use crate::author::edit::slot::{self, Slot};
use crate::author::edit::tree::{self, Part, Spot, Step};
use crate::author::edit::{Desk, Document, DocumentKind, bytes, describe, hole};
use crate::diagnostic::Place;
use crate::expr::check::Sight;
use crate::facts::model::{Origin, Type};
use crate::rule::clause::Met;
use crate::rule::pack::PackFiles;
use crate::source::{Node, Sources};

/// Where the thing under a cursor is declared: the file's name and a stretch of it.
#[must_use]
pub fn definition(
    desk: &Desk,
    document: &Document<'_>,
    offset: usize,
) -> Option<(String, std::ops::Range<usize>)> {
    if document.kind == DocumentKind::Script {
        let word = hole::word(document.text, offset, false);
        let name = document.text.get(word)?;
        return named(&desk.sources, function(desk, desk.pack_of(document.path), name)?);
    }
    let reading = tree::read(document.path, document.text, &desk.sources, None)?;
    let under = tree::at(&reading.root, offset)?;
    let words = tree::words(&under.path);
    let (slot, name) = match under.part {
        Part::Key(entry) => (slot::key(document.kind, &words), entry.key.to_string()),
        Part::Value(node) => {
            (slot::value(document.kind, &words), node.as_str().unwrap_or_default().to_owned())
        }
    };
    let place = match slot {
        Slot::Expression | Slot::Message | Slot::Subject => {
            let (looked, _) = desk.watch(document, &reading.root, &reading.sources, None);
            let here = describe::at(&looked.met, offset)?;
            looked_up(desk, document, &reading, &looked.met, here)
        }
        _ => declared(desk, document, &reading.root, &under, slot, &name),
    };
    named(&reading.sources, place?)
}

fn named(sources: &Sources, place: Place) -> Option<(String, std::ops::Range<usize>)> {
    Some((sources.get(place.file)?.name().to_owned(), bytes(place)))
}

/// Where what an expression looks up is declared.
fn looked_up(
    desk: &Desk,
    document: &Document<'_>,
    reading: &tree::Reading,
    met: &[Met],
    here: &Met,
) -> Option<Place> {
    let model = &desk.packs.model;
    let pack = desk.pack_of(document.path);
    match &here.sight {
        Sight::Name { name, .. } if &**name == "params" => {
            Some(reading.root.entry("params")?.key_place)
        }
        Sight::Name { name, .. } => binding(met, here, name)
            .map(|place| closure_name(&reading.sources, place, name).unwrap_or(place)),
        Sight::Bound { name, .. } => {
            Some(closure_name(&reading.sources, here.place, name).unwrap_or(here.place))
        }
        Sight::Global { name, .. } => {
            let of_kind = model.kind_in(name).and_then(|found| kind(desk, &found.name));
            of_kind.or_else(|| table(desk, |found| found.replace('-', "_") == **name)).or_else(
                || overlay(desk, |root| Some(root.get("properties")?.entry(name)?.key_place)),
            )
        }
        Sight::Field { of: Type::Record(record), name } if &*record.name == "params" => {
            Some(reading.root.get("params")?.entry(name)?.key_place)
        }
        Sight::Field { of, name } => field(desk, of, name),
        Sight::Method { name, .. } | Sight::Function { name } => function(desk, pack, name),
        Sight::Member { .. } | Sight::Tag { .. } => None,
    }
}

/// Where a name was bound that is used at `here`: the last binding that was read before.
pub(super) fn binding(met: &[Met], here: &Met, name: &str) -> Option<Place> {
    let mut bound = None;
    for other in met {
        if std::ptr::eq(other, here) {
            return bound;
        }
        if let Sight::Bound { name: known, .. } = &other.sight
            && **known == *name
        {
            bound = Some(other.place);
        }
    }
    bound
}

/// The name that a closure binds; its place is told as the closure's first sign.
fn closure_name(sources: &Sources, place: Place, name: &str) -> Option<Place> {
    let text = sources.get(place.file)?.text();
    let rest = text.get(place.start as usize..)?.strip_prefix('|')?;
    let skipped = rest.len() - rest.trim_start().len();
    rest.trim_start().starts_with(name).then_some(())?;
    let start = place.start + 1 + u32::try_from(skipped).ok()?;
    Some(Place { start, end: start + u32::try_from(name.len()).ok()?, ..place })
}

/// Where a name that stands for something else is declared.
fn declared(
    desk: &Desk,
    document: &Document<'_>,
    root: &Node,
    under: &Spot<'_>,
    slot: Slot,
    name: &str,
) -> Option<Place> {
    let here = |key: &str| Some(root.get(key)?.entry(name)?.key_place);
    match slot {
        Slot::Kind => kind(desk, name),
        Slot::Action => action(desk, name).map(place_of),
        Slot::Rule => rule(desk, name),
        Slot::RuleOrTag | Slot::Configured => {
            rule(desk, name).or_else(|| action(desk, name).map(place_of))
        }
        Slot::Table => table(desk, |found| found == name),
        Slot::Cause => pack_roots(desk).find_map(|root| {
            let mut causes = root.get("causes")?.as_list()?.iter();
            let id =
                causes.find_map(|cause| cause.get("id").filter(|id| id.as_str() == Some(name)))?;
            Some(id.place)
        }),
        Slot::Metadata => {
            pack_roots(desk).find_map(|root| Some(root.get("metadata")?.entry(name)?.key_place))
        }
        Slot::Argument => {
            let action = action(desk, action_beside(root, &under.path)?)?;
            Some(action.get("params")?.entry(name)?.key_place)
        }
        Slot::Setting => {
            let of = owner(document, root, &under.path);
            let files = desk.packs.files().iter().rev();
            let mut roots = files.flat_map(|pack| pack.rules().chain(pack.actions()));
            let (_, root) = roots.find(|(stem, _)| *stem == of)?;
            Some(root.get("params")?.entry(name)?.key_place)
        }
        Slot::Column => here("columns"),
        Slot::Source => here("sources"),
        Slot::Place => here("params"),
        Slot::Definition => {
            let name = name.strip_prefix("#/$defs/")?;
            Some(root.get("$defs")?.entry(name)?.key_place)
        }
        _ => None,
    }
}

/// The rule or action that a parameter belongs to which is set in a configuration or a case.
pub(super) fn owner<'a>(document: &Document<'a>, root: &'a Node, path: &'a [Step]) -> &'a str {
    match (document.kind, path) {
        (DocumentKind::Config, [_, Step::Key(of), ..]) => of,
        _ => root.get("rule").and_then(Node::as_str).unwrap_or_else(|| document.folder()),
    }
}

/// The action that a `with:` is for.
pub(super) fn action_beside<'a>(root: &'a Node, path: &[Step]) -> Option<&'a str> {
    let step = path.get(..path.len().checked_sub(2)?)?;
    tree::follow(root, step)?.get("action")?.as_str()
}

fn place_of(root: &Node) -> Place {
    root.get("id").map_or(root.place, |id| id.place)
}

fn action<'a>(desk: &'a Desk, id: &str) -> Option<&'a Node> {
    let mut all = desk.packs.files().iter().rev().flat_map(PackFiles::actions);
    all.find(|(stem, _)| *stem == id).map(|(_, root)| root)
}

fn rule(desk: &Desk, id: &str) -> Option<Place> {
    let mut all = desk.packs.files().iter().rev().flat_map(PackFiles::rules);
    all.find(|(stem, _)| *stem == id).map(|(_, root)| place_of(root))
}

fn table(desk: &Desk, fits: impl Fn(&str) -> bool) -> Option<Place> {
    let mut all = desk.packs.files().iter().rev().flat_map(PackFiles::tables);
    all.find(|(stem, _)| fits(stem)).map(|(_, root)| place_of(root))
}

/// The trees of the `pack.yaml` of all packs, the last pack's first.
fn pack_roots(desk: &Desk) -> impl Iterator<Item = &Node> {
    let files = desk.packs.files().iter().rev().flat_map(|pack| &pack.files);
    files
        .filter(|file| file.path == "pack.yaml" || file.path == "pack.yml")
        .filter_map(|file| file.root.as_ref())
}

fn overlay(desk: &Desk, find: impl Fn(&Node) -> Option<Place>) -> Option<Place> {
    desk.packs.files().iter().rev().flat_map(PackFiles::models).find_map(find)
}

/// Where an overlay declares a kind; the facts schema itself is no file of the user's.
fn kind(desk: &Desk, name: &str) -> Option<Place> {
    overlay(desk, |root| {
        let mut types = root.get("$defs")?.as_map()?.iter();
        types.find_map(|entry| {
            entry
                .node
                .get("x-kind")
                .filter(|kind| kind.as_str() == Some(name))
                .map(|kind| kind.place)
        })
    })
}

/// Where an overlay declares a field: under the type of that kind, or as the inverse of a reference.
fn field(desk: &Desk, of: &Type, name: &str) -> Option<Place> {
    let model = &desk.packs.model;
    let (of_kind, found) = describe::field_of(model, of, name)?;
    if let Origin::Inverse { kind, field } = found.origin {
        let kind = model.kind(kind)?;
        let reference = kind.record.fields.get(field)?;
        return field_in(desk, &kind.name, &reference.name);
    }
    let owner = match (of_kind, of.required()) {
        (Some(kind), _) => kind.name.to_string(),
        (None, Type::Record(record)) => record.name.to_string(),
        _ => return None,
    };
    field_in(desk, &owner, name)
}

fn field_in(desk: &Desk, owner: &str, name: &str) -> Option<Place> {
    overlay(desk, |root| {
        let mut types = root.get("$defs")?.as_map()?.iter();
        types.find_map(|entry| {
            let kind = entry.node.get("x-kind").and_then(Node::as_str);
            let is_owner = kind == Some(owner) || *entry.key == *owner;
            let field = entry.node.get("properties")?.entry(name)?;
            is_owner.then_some(field.key_place)
        })
    })
}

/// Where a pack declares a function.
fn function(desk: &Desk, pack: usize, name: &str) -> Option<Place> {
    let scripts = desk.packs.files().get(pack)?.files.iter().filter(|file| file.root.is_none());
    for file in scripts {
        let text = desk.sources.get(file.file)?.text();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let declared = line.strip_prefix("fn ").map(str::trim_start);
            let rest = declared.and_then(|line| line.strip_prefix(name));
            if rest.is_some_and(|rest| rest.trim_start().starts_with('(')) {
                let at = start + line.find(name)?;
                let (start, end) = (u32::try_from(at).ok()?, u32::try_from(at + name.len()).ok()?);
                return Some(Place { file: file.file, start, end });
            }
            start += line.len();
        }
    }
    None
}
