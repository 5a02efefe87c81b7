//! Completion: what could stand at the cursor.

use std::ops::Range;
use std::sync::Arc;

use crate::author::complete::{self, CandidateKind, Signature};
use crate::author::edit::hole::{HOLE, Hole, Sort, word};
use crate::author::edit::items::{Item, ItemKind, Items};
use crate::author::edit::slot::{self, Slot};
use crate::author::edit::tree::{self, Part, Spot};
use crate::author::edit::{Desk, Document, DocumentKind, describe, find, guide, of_case};
use crate::expr::check::{Scope, Sight};
use crate::facts::model::{Model, Type};
use crate::rule::clause::Met;
use crate::rule::pack::PackFiles;
use crate::source::Node;

/// What could stand at an offset, best first. Without `schemas` it leaves out what any editor can say from the
/// published schemas.
#[must_use]
pub fn complete(desk: &Desk, document: &Document<'_>, offset: usize, schemas: bool) -> Vec<Item> {
    if document.kind == DocumentKind::Script {
        return in_script(desk, document, offset);
    }
    let dig = |sort| Hole::dig(document, offset, sort, &desk.sources);
    let slot = |hole: &Hole| hole.spot().map_or(Slot::Plain, |under| slot_of(document, &under));
    let Some(mut hole) = dig(Sort::Name) else { return Vec::new() };
    if !matches!(slot(&hole), Slot::Expression | Slot::Message | Slot::Subject) {
        hole = dig(Sort::Id).unwrap_or(hole);
    }
    let mut found = offered(desk, document, &hole, offset, schemas);
    if found.is_empty()
        && let Some(hole) = dig(Sort::Key)
    {
        // Behind a dash a word may be the first key of a mapping.
        found = offered(desk, document, &hole, offset, schemas);
    }
    found.sort_by(|a, b| (a.rank, &a.label).cmp(&(b.rank, &b.label)));
    found
}

fn offered(
    desk: &Desk,
    document: &Document<'_>,
    hole: &Hole,
    offset: usize,
    schemas: bool,
) -> Vec<Item> {
    let pack = desk.pack_of(document.path);
    let mut items = Items { desk, pack, replaces: hole.typed.clone(), found: Vec::new() };
    let Some(under) = hole.spot() else { return Vec::new() };
    match slot_of(document, &under) {
        Slot::Expression | Slot::Message | Slot::Subject => {
            in_expression(document, hole, offset, &mut items);
        }
        Slot::Plain => {}
        Slot::Key => of_case::subjects(document, &hole.reading, &under, &mut items),
        Slot::Base => of_case::bases(document, &under, &mut items),
        slot => references(document, &hole.reading.root, slot, &under, &mut items),
    }
    if schemas {
        from_schema(document, &hole.reading.root, &under, &mut items);
    }
    items.found
}

fn slot_of(document: &Document<'_>, under: &Spot<'_>) -> Slot {
    let words = tree::words(&under.path);
    match under.part {
        Part::Key(_) => slot::key(document.kind, &words),
        Part::Value(_) => slot::value(document.kind, &words),
    }
}

/// An expression or message with the cursor in it.
struct Inside {
    slot: Slot,
    /// As it is written.
    text: String,
    /// Characters before the cursor.
    cursor: usize,
    /// What it can name.
    scope: Option<Scope>,
    met: Vec<Met>,
}

impl Inside {
    /// The document is read as ever, up to the place of the cursor; what is bound there can be named.
    fn look(desk: &Desk, document: &Document<'_>, hole: &Hole, offset: usize) -> Option<Self> {
        let Spot { part: Part::Value(node), path } = hole.spot()? else { return None };
        let slot = slot::value(document.kind, &tree::words(&path));
        let reading = &hole.reading;
        let (looked, _) = desk.watch(document, &reading.root, &reading.sources, Some(node.place));
        let text = node.as_str()?;
        let (before, _) = text.split_once(HOLE)?;
        let written = text.replacen(HOLE, document.text.get(hole.typed.clone())?, 1);
        let typed = document.text.get(hole.typed.start..offset).unwrap_or_default();
        let cursor = before.chars().count() + typed.chars().count();
        Some(Self { slot, text: written, cursor, scope: looked.scope, met: looked.met })
    }
}

/// The function in whose brackets the cursor stands.
#[must_use]
pub fn signature(desk: &Desk, document: &Document<'_>, offset: usize) -> Option<Signature> {
    let hole = Hole::dig(document, offset, Sort::Name, &desk.sources)?;
    let inside = Inside::look(desk, document, &hole, offset)?;
    let pack = desk.pack_of(document.path);
    desk.with_context(pack, inside.scope.as_ref()?, |context| {
        complete::signature(&inside.text, inside.cursor, context)
    })
}

/// Inside an expression: what can be written there.
fn in_expression(document: &Document<'_>, hole: &Hole, offset: usize, items: &mut Items<'_>) {
    let desk = items.desk;
    let Some(inside) = Inside::look(desk, document, hole, offset) else { return };
    let (text, cursor) = (&inside.text, inside.cursor);
    if let Some(scope) = &inside.scope {
        let found = desk.with_context(items.pack, scope, |context| match inside.slot {
            Slot::Message => complete::complete_template(text, cursor, context),
            _ => complete::complete(text, cursor, context),
        });
        for candidate in found {
            let replaces = stretch(document.text, offset, cursor, &candidate.replace);
            items.candidate(candidate, replaces);
        }
    }
    for met in inside.met {
        match met.sight {
            Sight::Name { name, .. } if name.contains(HOLE) => subjects(&hole.reading.root, items),
            Sight::Member { members, text } if items.found.is_empty() && text.contains(HOLE) => {
                widen(document, &text, items);
                for member in members.iter() {
                    items.add(member, ItemKind::Member, String::new(), String::new());
                }
            }
            _ => {}
        }
    }
}

/// Bytes of the document for characters of an expression around the cursor.
fn stretch(text: &str, offset: usize, cursor: usize, chars: &Range<usize>) -> Range<usize> {
    let (before, after) = text.split_at(text.floor_char_boundary(offset.min(text.len())));
    let back = cursor.saturating_sub(chars.start);
    let ahead = chars.end.saturating_sub(cursor);
    let back: usize = before.chars().rev().take(back).map(char::len_utf8).sum();
    let ahead: usize = after.chars().take(ahead).map(char::len_utf8).sum();
    before.len() - back..before.len() + ahead
}

/// A text literal is replaced as a whole, although its words may have other signs between them.
pub(super) fn widen(document: &Document<'_>, literal: &str, items: &mut Items<'_>) {
    let Some((before, after)) = literal.split_once(HOLE) else { return };
    let (start, end) = (items.replaces.start, items.replaces.end);
    let ahead = start.checked_sub(before.len());
    if let Some(wider) = ahead.filter(|at| document.text.get(*at..start) == Some(before)) {
        items.replaces.start = wider;
    }
    if document.text.get(end..end + after.len()) == Some(after) {
        items.replaces.end = end + after.len();
    }
}

/// Names bound by `select`, for the subject.
fn subjects(root: &Node, items: &mut Items<'_>) {
    for node in root.get("select").and_then(Node::as_list).unwrap_or_default() {
        let name = node.get("each").or_else(|| node.get("one")).and_then(Node::as_str);
        let of = node.get("of").and_then(Node::as_str).unwrap_or_default();
        if let Some(name) = name.filter(|name| !name.contains(HOLE)) {
            items.add(name, ItemKind::Variable, of.to_owned(), String::new());
        }
    }
}

fn tags(items: &mut Items<'_>) {
    let desk = items.desk;
    for rule in &desk.set.rules {
        for tag in &rule.tags {
            items.add(tag, ItemKind::Reference, "tag".to_owned(), String::new());
        }
    }
}

/// Names of what is declared elsewhere.
fn references(
    document: &Document<'_>,
    root: &Node,
    slot: Slot,
    under: &Spot<'_>,
    items: &mut Items<'_>,
) {
    let desk = items.desk;
    let model: &Model = &desk.packs.model;
    match slot {
        Slot::Kind => {
            for kind in model.kinds() {
                items.add(&kind.name, ItemKind::Kind, kind.title.clone(), kind.description.clone());
            }
        }
        Slot::Action => actions(items),
        Slot::Rule => rules(items),
        Slot::RuleOrTag => {
            rules(items);
            for rule in &desk.set.rules {
                for tag in &rule.tags {
                    let label = format!("tag:{tag}");
                    items.add(&label, ItemKind::Reference, "tag".to_owned(), String::new());
                }
            }
        }
        Slot::Configured => {
            rules(items);
            actions(items);
        }
        Slot::Tag => tags(items),
        Slot::Cause => {
            for cause in desk.set.packs.iter().flat_map(|pack| &pack.causes) {
                items.add(&cause.id, ItemKind::Reference, cause.title.clone(), String::new());
            }
        }
        Slot::Metadata => {
            for (key, title) in desk.set.vocabulary(items.pack).metadata {
                items.add(&key, ItemKind::Key, title, String::new());
            }
        }
        Slot::Argument => {
            let id = find::action_beside(root, &under.path);
            let action = desk.set.actions.iter().find(|action| Some(&*action.id) == id);
            for arg in action.map(|action| &*action.args).unwrap_or_default() {
                let help = describe::of_type(model, &arg.ty);
                items.add(&arg.name, ItemKind::Key, model.say(&arg.ty), help);
            }
        }
        Slot::Setting => settings(document, root, under, items),
        Slot::Table => {
            for table in &*desk.set.tables {
                items.add(&table.id, ItemKind::Reference, table.title.clone(), String::new());
            }
        }
        Slot::StateField | Slot::State => state(root, slot, under, items),
        Slot::Fact => fact(under, items),
        Slot::Column => declared(root, "columns", items),
        Slot::Source => declared(root, "sources", items),
        Slot::Place => declared(root, "params", items),
        Slot::Definition => definitions(root, items),
        _ => {}
    }
    if matches!(under.part, Part::Key(_)) {
        for item in &mut items.found {
            item.insert = format!("{}: ", item.label);
        }
    }
}

fn rules(items: &mut Items<'_>) {
    let desk = items.desk;
    for rule in &desk.set.rules {
        items.add(&rule.id, ItemKind::Reference, rule.title.clone(), rule.explanation.clone());
    }
    for (stem, _) in desk.packs.files().iter().flat_map(PackFiles::rules) {
        items.add(stem, ItemKind::Reference, String::new(), String::new());
    }
}

fn actions(items: &mut Items<'_>) {
    let desk = items.desk;
    for action in &*desk.set.actions {
        items.add(&action.id, ItemKind::Reference, action.title.clone(), action.words.clone());
    }
}

/// Parameters of the rule that a case or a part of a configuration is about.
fn settings(document: &Document<'_>, root: &Node, under: &Spot<'_>, items: &mut Items<'_>) {
    let desk = items.desk;
    let of = find::owner(document, root, &under.path);
    let of_rule = desk.set.rule(of).map(|rule| &*rule.params);
    let action = desk.set.actions.iter().find(|action| *action.id == *of);
    let of_action = action.map(|action| &*action.params);
    for param in of_rule.or(of_action).unwrap_or_default() {
        let detail = format!("{} = {}", desk.packs.model.say(&param.ty), param.written);
        items.add(&param.name, ItemKind::Key, detail, param.help.clone());
    }
}

/// The field that says whether an object is protected, or a value of it.
fn state(root: &Node, slot: Slot, under: &Spot<'_>, items: &mut Items<'_>) {
    let model: &Model = &items.desk.packs.model;
    let get = |key: &str| root.get("protection")?.get(key)?.as_str();
    let Some(kind) = get("kind").and_then(|kind| model.kind_named(kind)) else { return };
    let path = match (slot, under.part) {
        (Slot::StateField, Part::Value(node)) => node.as_str().unwrap_or_default(),
        _ => get("state").unwrap_or_default(),
    };
    let steps: Vec<&str> = path.split('.').collect();
    let steps = match slot {
        Slot::StateField => steps.split_last().map(|(_, rest)| rest.to_vec()).unwrap_or_default(),
        _ => steps,
    };
    let Some(ty) = walk(model, Type::Object(Arc::new([kind.id])), &steps) else { return };
    match ty.required() {
        Type::Enum(members) if slot == Slot::State => {
            for member in members.iter() {
                items.add(member, ItemKind::Member, String::new(), String::new());
            }
        }
        ty if slot == Slot::StateField => plain_fields(ty, items),
        _ => {}
    }
}

/// The type at the end of a path of fields.
fn walk(model: &Model, from: Type, steps: &[&str]) -> Option<Type> {
    steps.iter().try_fold(from, |ty, step| {
        describe::field_of(model, &ty, step).map(|(_, field)| field.ty.clone())
    })
}

fn plain_fields(of: &Type, items: &mut Items<'_>) {
    let model: &Model = &items.desk.packs.model;
    for field in describe::fields(model, of) {
        let (detail, help) = (model.say(&field.ty), describe::field(model, field));
        items.add(&field.name, ItemKind::Field, detail, help);
    }
}

/// In a path to a fact (`databases[EX01/SG1/DB1].edb_path`): a collection, or a field behind the bracket.
fn fact(under: &Spot<'_>, items: &mut Items<'_>) {
    let Part::Value(node) = under.part else { return };
    let model: &Model = &items.desk.packs.model;
    let text = node.as_str().unwrap_or_default();
    let before = text.split(HOLE).next().unwrap_or_default();
    if !before.contains('[') && !before.contains('.') {
        for kind in model.kinds() {
            let detail = format!("list of {}", kind.name);
            items.add(&kind.collection, ItemKind::Collection, detail, kind.description.clone());
        }
        for single in model.singles() {
            items.add(
                &single.name,
                ItemKind::Collection,
                model.say(&single.ty),
                single.description.clone(),
            );
        }
        return;
    }
    let (head, steps) = match before.rsplit_once("].") {
        Some((head, steps)) => (head.split('[').next().unwrap_or_default(), steps),
        None => before.split_once('.').unwrap_or_default(),
    };
    let of_kind = model.kind_in(head).map(|kind| Type::Object(Arc::new([kind.id])));
    let single = model.singles().iter().find(|field| &*field.name == head);
    let Some(from) = of_kind.or_else(|| single.map(|field| field.ty.clone())) else { return };
    let steps: Vec<&str> = steps.split('.').collect();
    let steps = steps.split_last().map(|(_, rest)| rest).unwrap_or_default();
    if let Some(ty) = walk(model, from, steps) {
        plain_fields(&ty, items);
    }
}

/// Names that the document itself declares under a key.
fn declared(root: &Node, key: &str, items: &mut Items<'_>) {
    for entry in root.get(key).and_then(Node::as_map).unwrap_or_default() {
        let text = |key: &str| entry.node.get(key).and_then(Node::as_str).unwrap_or_default();
        let help = [text("help"), text("title")].concat();
        items.add(&entry.key, ItemKind::Reference, text("type").to_owned(), help);
    }
}

fn definitions(root: &Node, items: &mut Items<'_>) {
    for entry in root.get("$defs").and_then(Node::as_map).unwrap_or_default() {
        let label = format!("#/$defs/{}", entry.key);
        items.add(&label, ItemKind::Reference, String::new(), String::new());
    }
}

/// Keys and values that the schema of the document permits.
fn from_schema(document: &Document<'_>, root: &Node, under: &Spot<'_>, items: &mut Items<'_>) {
    let Some(schema) = items.desk.schema(document.kind) else { return };
    match under.part {
        Part::Key(_) => {
            let Some((_, around)) = under.path.split_last() else { return };
            let present = tree::follow(root, around).and_then(Node::as_map).unwrap_or_default();
            let here = guide::at(&schema, around);
            for key in guide::keys(&schema, &here) {
                if present.iter().any(|entry| &*entry.key == key.name) {
                    continue;
                }
                let before = items.found.len();
                items.add(key.name, ItemKind::Key, String::new(), key.description);
                if let Some(item) = items.found.get_mut(before) {
                    item.insert = format!("{}: ", item.label);
                }
            }
        }
        Part::Value(node) if node.as_str() == Some(HOLE) => {
            let here = guide::at(&schema, &under.path);
            for value in guide::values(&schema, &here) {
                items.add(&value, ItemKind::Member, String::new(), String::new());
            }
        }
        Part::Value(_) => {}
    }
}

/// In a file of functions types are not known: what is offered are functions and kinds.
fn in_script(desk: &Desk, document: &Document<'_>, offset: usize) -> Vec<Item> {
    let typed = word(document.text, offset, false);
    let pack = desk.pack_of(document.path);
    let mut items = Items { desk, pack, replaces: typed.clone(), found: Vec::new() };
    let line = document.text.get(..typed.start).and_then(|text| text.rsplit('\n').next());
    let line = line.unwrap_or_default().trim_start();
    if line.starts_with("/// fn") {
        for kind in desk.packs.model.kinds() {
            items.add(&kind.name, ItemKind::Kind, kind.title.clone(), kind.description.clone());
        }
        for (name, help) in SCRIPT_TYPES {
            items.add(name, ItemKind::Keyword, String::new(), (*help).to_owned());
        }
    } else if !line.starts_with("//") && !line.ends_with('.') {
        let scope = Scope::default();
        let found = desk.with_context(pack, &scope, |context| complete::complete("", 0, context));
        for candidate in found {
            if matches!(candidate.kind, CandidateKind::Function | CandidateKind::PackFunction) {
                items.candidate(candidate, typed.clone());
            }
        }
    }
    items.found
}

/// Types that a function's declaration can name, beside the kinds.
const SCRIPT_TYPES: &[(&str, &str)] = &[
    ("bool", "True or false."),
    ("int", "A whole number."),
    ("float", "A number."),
    ("text", "Text, compared letter by letter."),
    ("name", "A name, compared without case."),
    ("path", "A Windows path."),
    ("version", "A version number."),
    ("time", "An instant."),
    ("list", "A list: `list<database>`."),
];
