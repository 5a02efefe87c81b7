//! What is said of things when one points at them, as Markdown.

use std::fmt::Write as _;
use std::ops::Range;

use crate::author::complete;
use crate::author::edit::slot::{self, Slot};
use crate::author::edit::tree::{self, Part, Spot, Step};
use crate::author::edit::{Desk, Document, DocumentKind, bytes, find, guide, holds};
use crate::expr::check::{Scope, Sight, Signature};
use crate::expr::functions;
use crate::expr::tree::ListMethod;
use crate::facts::model::{Field, Kind, Model, Origin, Type};
use crate::rule::Rule;
use crate::rule::action::Action;
use crate::rule::clause::Met;
use crate::rule::table::Table;
use crate::source::{Node, Sources};

/// What is said of `now`.
pub(super) const NOW: &str = "The instant of the run.";
/// What is said of an object's key.
pub(super) const KEY: &str = "The object's identity, as reports show it.";
/// What is said of `get`.
pub(super) const GET: &str = "The field of that name, or the default if it was not collected.";
/// What is said of a list's `contains`.
pub(super) const CONTAINS: &str = "Whether a value is a member; the same as `value in list`.";
/// Functions that are part of the language: name, signature, help.
pub(super) const BUILT_IN: [(&str, &str, &str); 2] = [
    (
        "known",
        "known(value) -> true or false",
        "Whether the value is known; true for null and for an open list. With it a missing fact can become a good verdict.",
    ),
    (
        "any_violated",
        "any_violated(\"tag\", object) -> true or false",
        "Whether some rule with that tag is violated with the object as its subject or among its `affects`.",
    ),
];

/// What is said of the thing under a cursor, and the stretch that it is said of.
#[must_use]
pub fn hover(
    desk: &Desk,
    document: &Document<'_>,
    offset: usize,
) -> Option<(String, Range<usize>)> {
    if document.kind == DocumentKind::Script {
        return in_script(desk, document, offset);
    }
    let reading = tree::read(document.path, document.text, &desk.sources, None)?;
    let under = tree::at(&reading.root, offset)?;
    let words = tree::words(&under.path);
    let slot = match under.part {
        Part::Key(_) => slot::key(document.kind, &words),
        Part::Value(_) => slot::value(document.kind, &words),
    };
    if matches!(slot, Slot::Expression | Slot::Message | Slot::Subject | Slot::Declared) {
        let wanted = match under.part {
            Part::Value(node) => Some(node),
            Part::Key(_) => None,
        };
        let place = wanted.map(|node| node.place);
        let (looked, _) = desk.watch(document, &reading.root, &reading.sources, place);
        if let Some(met) = at(&looked.met, offset) {
            let text = sight(desk, document, &reading.root, &met.sight)?;
            return Some((text, bytes(met.place)));
        }
        if let (Some(node), Some(scope)) = (wanted, &looked.scope) {
            let found = unfinished(desk, document, slot, (node, scope), (&reading.sources, offset));
            if found.is_some() {
                return found;
            }
        }
    }
    let (name, place) = match under.part {
        Part::Key(entry) => (entry.key.to_string(), entry.key_place),
        Part::Value(node) => (node.as_str()?.to_owned(), node.place),
    };
    let text = reference(desk, document, &reading.root, &under, slot, &name)
        .or_else(|| from_schema(desk, document, &under))?;
    Some((text, bytes(place)))
}

/// What a word means in an expression that cannot be checked: it is not finished.
fn unfinished(
    desk: &Desk,
    document: &Document<'_>,
    slot: Slot,
    (node, scope): (&Node, &Scope),
    (sources, offset): (&Sources, usize),
) -> Option<(String, Range<usize>)> {
    let text = node.as_str()?;
    let count = text.chars().count();
    let cursor = (0..count).find(|at| {
        let place = sources.inside(node, *at..*at + 1);
        place != node.place && bytes(place).contains(&offset)
    })?;
    let found = desk.with_context(desk.pack_of(document.path), scope, |context| match slot {
        Slot::Message => complete::look_up_template(text, cursor, context),
        _ => complete::look_up(text, cursor, context),
    })?;
    let range = bytes(sources.inside(node, found.replace.clone()));
    Some((format!("**{}**: {}\n\n{}", found.label, found.detail, found.help), range))
}

/// What was met at an offset: the smallest place that holds it.
pub(super) fn at(met: &[Met], offset: usize) -> Option<&Met> {
    let here = met.iter().filter(|met| holds(met.place, offset));
    here.min_by_key(|met| met.place.end - met.place.start)
}

/// What a schema says of a key or of the value under it.
fn from_schema(desk: &Desk, document: &Document<'_>, under: &Spot<'_>) -> Option<String> {
    let schema = desk.schema(document.kind)?;
    let here = guide::at(&schema, &under.path);
    let text = guide::describe(&schema, &here);
    let key = match under.path.last() {
        Some(Step::Key(key)) => format!("**{key}**: "),
        _ => String::new(),
    };
    (!text.is_empty()).then(|| format!("{key}{text}"))
}

/// What is said of a name that stands for something else.
fn reference(
    desk: &Desk,
    document: &Document<'_>,
    root: &Node,
    under: &Spot<'_>,
    slot: Slot,
    name: &str,
) -> Option<String> {
    let model = &desk.packs.model;
    match slot {
        Slot::Kind => model.kind_named(name).map(|found| kind(model, found)),
        Slot::Action => {
            desk.set.actions.iter().find(|found| *found.id == *name).map(|a| action(desk, a))
        }
        Slot::Rule | Slot::RuleOrTag => desk.set.rule(name).map(|found| rule(found)),
        Slot::Configured => desk.set.rule(name).map(|found| rule(found)).or_else(|| {
            desk.set.actions.iter().find(|found| *found.id == *name).map(|a| action(desk, a))
        }),
        Slot::Cause => {
            let mut causes = desk.set.packs.iter().flat_map(|pack| &pack.causes);
            let cause = causes.find(|cause| cause.id == name)?;
            Some(format!("**{}**: {}", cause.id, cause.title))
        }
        Slot::Metadata => {
            let pack = desk.pack_of(document.path);
            let known = desk.set.vocabulary(pack).metadata;
            let (key, title) = known.into_iter().find(|(key, _)| key == name)?;
            Some(format!("**{key}**: {title}"))
        }
        Slot::Argument => {
            let of = find::action_beside(root, &under.path)?;
            let action = desk.set.actions.iter().find(|action| *action.id == *of)?;
            let arg = action.args.iter().find(|arg| *arg.name == *name)?;
            Some(format!(
                "**{name}**: {}\n\nAn argument of the action {}.",
                model.say(&arg.ty),
                action.id
            ))
        }
        Slot::Table => desk.set.tables.iter().find(|found| found.id == name).map(table),
        _ => None,
    }
}

/// What is said of something that an expression looks up.
fn sight(desk: &Desk, document: &Document<'_>, root: &Node, sight: &Sight) -> Option<String> {
    let model = &desk.packs.model;
    Some(match sight {
        Sight::Name { name, ty } | Sight::Bound { name, ty } => {
            let said = ty.as_ref().map_or_else(|| "not checked".to_owned(), |ty| model.say(ty));
            let mut text = format!("**{name}**: {said}");
            if let Some(origin) = origin(root, name) {
                let _ = write!(text, "\n\n{origin}");
            }
            let more = ty.as_ref().map(|ty| of_type(model, ty)).unwrap_or_default();
            if !more.is_empty() {
                let _ = write!(text, "\n\n{more}");
            }
            text
        }
        Sight::Global { name, ty } => {
            let said = format!("**{name}**: {}", model.say(ty));
            let table_of = desk.set.tables.iter().find(|table| table.constant.name == *name);
            let more = match (&**name, model.kind_in(name), table_of) {
                ("now", ..) => NOW.to_owned(),
                (_, Some(found), _) => kind(model, found),
                (_, _, Some(found)) => table(found),
                _ => {
                    let single = model.singles().iter().find(|field| field.name == *name)?;
                    single.description.clone()
                }
            };
            format!("{said}\n\n{more}")
        }
        Sight::Field { of, name } => match field_of(model, of, name) {
            Some((_, found)) => {
                let of = model.say(of.required());
                format!("**{name}** of {of}: {}\n\n{}", model.say(&found.ty), field(model, found))
            }
            None if &**name == "key" => format!("**key**: name\n\n{KEY}"),
            None => return None,
        },
        Sight::Method { of, name } => method(desk, document, of, name)?,
        Sight::Function { name } => function(desk, document, name)?,
        Sight::Member { members, .. } => {
            let members: Vec<String> = members.iter().map(|member| format!("`{member}`")).collect();
            format!("One of {}.", members.join(", "))
        }
        Sight::Tag { name } => {
            let rules = desk.set.rules.iter().filter(|rule| rule.tags.contains(name));
            let ids: Vec<&str> = rules.map(|rule| &*rule.id).collect();
            match ids.len() {
                0 => format!("No rule has the tag `{name}`."),
                1..=12 => format!("The tag of {}.", ids.join(", ")),
                count => format!("The tag of {count} rules."),
            }
        }
    })
}

/// Where a name comes from, in words.
fn origin(root: &Node, name: &str) -> Option<String> {
    let list = |key: &str| root.get(key).and_then(Node::as_list).unwrap_or_default();
    for node in list("select") {
        for word in ["each", "one"] {
            if node.get(word).and_then(Node::as_str) == Some(name) {
                let from = ["of", "in", "from"].iter().find_map(|key| node.entry(key))?;
                let text = from.node.as_str().unwrap_or_default().trim().to_owned();
                return Some(format!(
                    "Bound by `select`: `{word}: {name}`, `{}: {text}`.",
                    from.key
                ));
            }
        }
    }
    let bound = list("let").iter().find_map(|node| node.entry(name))?;
    let text = bound.node.as_str().unwrap_or_default().trim();
    Some(format!("Bound by `let`:\n\n```rhai\n{text}\n```"))
}

/// The fields that a value has: those that all its kinds have.
pub(super) fn fields<'a>(model: &'a Model, of: &'a Type) -> Vec<&'a Field> {
    match of.required() {
        Type::Record(record) => record.fields.iter().collect(),
        Type::Object(kinds) => {
            let mut records =
                kinds.iter().filter_map(|id| model.kind(*id)).map(|kind| &kind.record);
            let Some(first) = records.next() else { return Vec::new() };
            let others: Vec<_> = records.collect();
            let in_all =
                |field: &&Field| others.iter().all(|record| record.field(&field.name).is_some());
            first.fields.iter().filter(in_all).collect()
        }
        _ => Vec::new(),
    }
}

/// A field of a value, with the kind that has it if it is an object.
pub(super) fn field_of<'a>(
    model: &'a Model,
    of: &'a Type,
    name: &str,
) -> Option<(Option<&'a Kind>, &'a Field)> {
    match of.required() {
        Type::Record(record) => record.field(name).map(|(_, field)| (None, field)),
        Type::Object(kinds) => kinds.iter().find_map(|id| {
            let kind = model.kind(*id)?;
            kind.record.field(name).map(|(_, field)| (Some(kind), field))
        }),
        _ => None,
    }
}

/// What is said of a field.
pub(super) fn field(model: &Model, field: &Field) -> String {
    let mut text = field.description.clone();
    if let Some(unit) = &field.unit {
        let _ = write!(text, "\n\nUnit: {unit}.");
    }
    if let Some(source) = &field.source {
        let _ = write!(text, "\n\nFrom: {source}");
    }
    if matches!(field.ty, Type::Optional(_)) {
        text.push_str("\n\nMay be null; guard it before it is used.");
    }
    if let Origin::Inverse { kind, .. } = field.origin
        && let Some(kind) = model.kind(kind)
    {
        let _ = write!(text, "\n\nFollows from the references of each {}.", kind.name);
    }
    text
}

/// What is said of a kind.
pub(super) fn kind(model: &Model, kind: &Kind) -> String {
    let parts = kind.key.iter().filter_map(|(position, is_optional)| {
        let field = kind.record.fields.get(*position)?;
        Some(format!("{}{}", field.name, if *is_optional { "?" } else { "" }))
    });
    let key: Vec<String> = parts.collect();
    let mut text = format!("**{}** (all of them: `{}`)", kind.name, kind.collection);
    for line in [&kind.title, &kind.description] {
        if !line.is_empty() {
            let _ = write!(text, "\n\n{line}");
        }
    }
    let _ = write!(text, "\n\nKey: {}.", key.join(", "));
    let fields: Vec<String> = kind
        .record
        .fields
        .iter()
        .map(|f| format!("- `{}`: {}", f.name, model.say(&f.ty)))
        .collect();
    let _ = write!(text, "\n\n{}", fields.join("\n"));
    text
}

/// What is said of the values of a type.
pub(super) fn of_type(model: &Model, ty: &Type) -> String {
    let item = match ty.required() {
        Type::List(item) => item.required(),
        other => other,
    };
    match item {
        Type::Object(kinds) => {
            let kinds = kinds.iter().filter_map(|id| model.kind(*id));
            let said = kinds.map(|kind| format!("**{}**: {}", kind.name, kind.description));
            said.collect::<Vec<_>>().join("\n\n")
        }
        Type::Record(record) => {
            let fields = record.fields.iter();
            let said =
                fields.map(|f| format!("- `{}`: {}. {}", f.name, model.say(&f.ty), f.description));
            said.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// As a pack's function is declared.
pub(super) fn signature(model: &Model, script: &Signature) -> String {
    let params = script.params.iter().map(|(name, ty)| format!("{name}: {}", model.say(ty)));
    let params: Vec<String> = params.collect();
    format!("{}({}) -> {}", script.name, params.join(", "), model.say(&script.returns))
}

fn method(desk: &Desk, document: &Document<'_>, of: &Type, name: &str) -> Option<String> {
    if matches!(of.required(), Type::List(_)) {
        let known = ListMethod::TABLE.iter().find(|(_, known, _)| *known == name);
        if let Some((_, name, help)) = known {
            return Some(format!("`{name}` of {}\n\n{help}", desk.packs.model.say(of)));
        }
        return (name == "contains").then(|| CONTAINS.to_owned());
    }
    match (name, of.required()) {
        ("get", Type::Object(_) | Type::Record(_)) => {
            Some(format!("`get(\"field\", default)`\n\n{GET}"))
        }
        _ => function(desk, document, name),
    }
}

/// What is said of a function.
fn function(desk: &Desk, document: &Document<'_>, name: &str) -> Option<String> {
    let model = &desk.packs.model;
    let scripts = desk.set.scripts(desk.pack_of(document.path));
    if let Some(script) = scripts.iter().find(|script| &*script.name == name) {
        let signature = signature(model, script);
        return Some(format!(
            "```rhai\n{signature}\n```\n\n{}\n\nA function of the pack.",
            script.help
        ));
    }
    if let Some((_, signature, help)) = BUILT_IN.iter().find(|(known, ..)| *known == name) {
        return Some(format!("```rhai\n{signature}\n```\n\n{help}"));
    }
    let all: Vec<String> = functions::named(name)
        .map(|function| format!("```rhai\n{}\n```\n\n{}", function.signature(), function.help))
        .collect();
    (!all.is_empty()).then(|| all.join("\n\n"))
}

/// In a file of functions: what is called, and what it is called on is not known.
fn in_script(
    desk: &Desk,
    document: &Document<'_>,
    offset: usize,
) -> Option<(String, Range<usize>)> {
    let word = super::hole::word(document.text, offset, false);
    let name = document.text.get(word.clone())?;
    let text = function(desk, document, name).or_else(|| {
        let found = desk.packs.model.kind_named(name)?;
        Some(kind(&desk.packs.model, found))
    })?;
    Some((text, word))
}

/// What is said of a rule.
fn rule(rule: &Rule) -> String {
    let explanation = rule.explanation.split("\n\n").next().unwrap_or_default();
    format!(
        "**{}** ({}, {}): {}\n\n{explanation}",
        rule.id, rule.severity, rule.certainty, rule.title
    )
}

/// What is said of an action.
fn action(desk: &Desk, action: &Action) -> String {
    let model = &desk.packs.model;
    let mut text = format!("**{}**: {}\n\n{}\n", action.id, action.title, action.words);
    for arg in &action.args {
        let _ = write!(text, "\n- `{}`: {}", arg.name, model.say(&arg.ty));
    }
    text
}

fn table(table: &Table) -> String {
    let columns: Vec<String> = table.columns.iter().map(|column| format!("`{column}`")).collect();
    format!(
        "**{}**: {}, {} rows\n\nColumns: {}.",
        table.id,
        table.title,
        table.rows.len(),
        columns.join(", ")
    )
}
