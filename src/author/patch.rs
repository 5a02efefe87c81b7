//! Paths of facts in a document, and changes to the facts at such a path.
//!
//! `databases[EX01/SG1/DB1].copies[0].status`: a collection, an object by its key, fields, members of
//! lists by position (or, for lists of objects with a key in the model, by key).

use std::fmt;

use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::facts::model::{Kind, Model};
use crate::facts::value::fold;
use crate::source::{Entry, Node, Style, Value};

/// A change to a fact document.
#[derive(Clone, Debug)]
pub enum Patch {
    /// Sets a field.
    Set {
        /// Which.
        path: FactPath,
        /// Its new value.
        to: Node,
    },
    /// Takes a field, object, member or collection away.
    Remove {
        /// Which.
        path: FactPath,
    },
    /// Adds to a collection or list.
    Add {
        /// Which.
        path: FactPath,
        /// What.
        item: Node,
    },
}

/// A path and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct FactPath {
    steps: Vec<Step>,
    /// Where each step stands; the whole path, where the text has escapes.
    places: Vec<Place>,
    place: Place,
}

/// A part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// A collection or field.
    Field(&'a str),
    /// What stands in brackets: a key, or a position in a list.
    Member(&'a str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Field(String),
    Member(String),
}

impl fmt::Display for FactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps.iter().enumerate() {
            match step {
                Step::Field(name) if position == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Member(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}

impl FactPath {
    /// Reads a path.
    ///
    /// # Errors
    ///
    /// A text of another shape.
    pub fn parse(text: &str, place: Place) -> Result<Self, Diagnostic> {
        let wrong = || {
            Diagnostic::error("wrong-path", format!("`{text}` is not the path of a fact"))
                .at(place)
                .help("write it like `databases[EX01/SG1/DB1].edb_path`")
        };
        let mut steps = Vec::new();
        let mut places = Vec::new();
        let within = |part: &str| inside(text, part, place);
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (key, behind) = inside.split_once(']').ok_or_else(wrong)?;
                steps.push(Step::Member(key.to_owned()));
                places.push(within(key));
                rest = behind;
                continue;
            }
            let plain = rest.strip_prefix('.').unwrap_or(rest);
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            let (name, behind) = plain.split_at(end);
            if name.is_empty() {
                return Err(wrong());
            }
            steps.push(Step::Field(name.to_owned()));
            places.push(within(name));
            rest = behind;
        }
        match steps.first() {
            Some(Step::Field(_)) => Ok(Self { steps, places, place }),
            _ => Err(wrong()),
        }
    }

    /// The names and, in brackets, the members on the way, each with its place.
    pub fn parts(&self) -> impl Iterator<Item = (Part<'_>, Place)> {
        self.steps.iter().enumerate().map(|(depth, step)| {
            let part = match step {
                Step::Field(name) => Part::Field(name),
                Step::Member(key) => Part::Member(key),
            };
            (part, self.at(depth))
        })
    }

    fn at(&self, depth: usize) -> Place {
        self.places.get(depth).copied().unwrap_or(self.place)
    }

    fn last(&self) -> Place {
        self.at(self.steps.len().saturating_sub(1))
    }
}

/// Where a part of a text stands, whose own place is that of its value: without quotes, or with quotes and no
/// escape between them. Else the place of the whole.
fn inside(text: &str, part: &str, place: Place) -> Place {
    let written = (place.end - place.start) as usize;
    let quote = match written.checked_sub(text.len()) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return place,
    };
    let before = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize) + quote;
    let (Ok(before), Ok(length)) = (u32::try_from(before), u32::try_from(part.len())) else {
        return place;
    };
    let start = place.start + before;
    Place { start, end: start + length, ..place }
}

/// Applies a change to a document.
///
/// # Errors
///
/// A path that leads nowhere: a case that changes nothing must not pass.
pub fn apply(document: &mut Node, patch: &Patch, model: &Model) -> Result<(), Diagnostic> {
    match patch {
        Patch::Set { path, to } => {
            let (parent, last) = parent(document, path, model)?;
            let Step::Field(name) = last else {
                return replace(parent, last, to, path, model);
            };
            let Value::Map(entries) = &mut parent.value else {
                return Err(nowhere(path, "a field"));
            };
            match entries.iter_mut().find(|entry| *entry.key == **name) {
                Some(entry) => entry.node = to.clone(),
                None => entries.push(Entry {
                    key: name.as_str().into(),
                    key_place: path.last(),
                    node: to.clone(),
                }),
            }
            Ok(())
        }
        Patch::Remove { path } => {
            let (parent, last) = parent(document, path, model)?;
            let last_depth = path.steps.len().saturating_sub(1);
            match (&mut parent.value, last) {
                (Value::Map(entries), Step::Field(name)) => {
                    let before = entries.len();
                    let known: Vec<String> =
                        entries.iter().map(|entry| entry.key.to_string()).collect();
                    entries.retain(|entry| *entry.key != **name);
                    if entries.len() == before {
                        Err(unknown(path, last_depth, name, &known))
                    } else {
                        Ok(())
                    }
                }
                (Value::List(items), Step::Member(key)) => {
                    let position = member(items, key, path.steps.len() - 1, path, model)?;
                    items.remove(position);
                    Ok(())
                }
                _ => Err(nowhere(path, "that")),
            }
        }
        Patch::Add { path, item } => {
            let mut node = document;
            for (depth, step) in path.steps.iter().enumerate() {
                node = follow(node, step, depth, path, model)?;
            }
            match &mut node.value {
                Value::List(items) => {
                    items.push(item.clone());
                    Ok(())
                }
                _ => Err(nowhere(path, "a list")),
            }
        }
    }
}

/// Declares a collection of a document complete; none if it says so already.
#[must_use]
pub fn complete(document: &mut Node, collection: &str) -> Option<()> {
    let place = document.place;
    let name = || Node { value: Value::Text(collection.into(), Style::Double), place };
    let Value::Map(entries) = &mut document.value else { return None };
    let Some(entry) = entries.iter_mut().find(|entry| &*entry.key == "complete") else {
        let node = Node { value: Value::List(vec![name()]), place };
        entries.push(Entry { key: "complete".into(), key_place: place, node });
        return Some(());
    };
    match &mut entry.node.value {
        Value::List(items) if items.iter().all(|item| item.as_str() != Some(collection)) => {
            items.push(name());
            Some(())
        }
        _ => None,
    }
}

fn replace(
    parent: &mut Node,
    last: &Step,
    to: &Node,
    path: &FactPath,
    model: &Model,
) -> Result<(), Diagnostic> {
    let (Value::List(items), Step::Member(key)) = (&mut parent.value, last) else {
        return Err(nowhere(path, "a list"));
    };
    let position = member(items, key, path.steps.len() - 1, path, model)?;
    if let Some(slot) = items.get_mut(position) {
        *slot = to.clone();
    }
    Ok(())
}

/// The node above the last step, and the last step.
fn parent<'n, 'p>(
    document: &'n mut Node,
    path: &'p FactPath,
    model: &Model,
) -> Result<(&'n mut Node, &'p Step), Diagnostic> {
    let Some((last, before)) = path.steps.split_last() else { return Err(nowhere(path, "a fact")) };
    let mut node = document;
    for (depth, step) in before.iter().enumerate() {
        node = follow(node, step, depth, path, model)?;
    }
    Ok((node, last))
}

fn follow<'n>(
    node: &'n mut Node,
    step: &Step,
    depth: usize,
    path: &FactPath,
    model: &Model,
) -> Result<&'n mut Node, Diagnostic> {
    match (&mut node.value, step) {
        (Value::Map(entries), Step::Field(name)) => {
            let known: Vec<String> = entries.iter().map(|entry| entry.key.to_string()).collect();
            let found = entries.iter_mut().find(|entry| *entry.key == **name);
            found.map(|entry| &mut entry.node).ok_or_else(|| unknown(path, depth, name, &known))
        }
        (Value::List(items), Step::Member(key)) => {
            let position = member(items, key, depth, path, model)?;
            items.get_mut(position).ok_or_else(|| nowhere(path, "a member"))
        }
        _ => Err(nowhere(path, "that")),
    }
}

/// Position of a member: by key in a collection, by number elsewhere.
fn member(
    items: &[Node],
    key: &str,
    depth: usize,
    path: &FactPath,
    model: &Model,
) -> Result<usize, Diagnostic> {
    let kind = match path.steps.first() {
        Some(Step::Field(collection)) if depth == 1 => model.kind_in(collection),
        _ => None,
    };
    let Some(kind) = kind else { return index(items, key, path) };
    let keys: Vec<String> = items.iter().map(|item| key_of(kind, item)).collect();
    let wanted = fold(key);
    keys.iter()
        .position(|known| fold(known) == wanted)
        .ok_or_else(|| unknown(path, depth, key, &keys))
}

fn index(items: &[Node], key: &str, path: &FactPath) -> Result<usize, Diagnostic> {
    match key.parse::<usize>() {
        Ok(position) if position < items.len() => Ok(position),
        _ => Err(nowhere(path, &format!("a member `{key}` in a list of {}", items.len()))),
    }
}

/// The key of an object as it stands in a document.
#[must_use]
pub fn key_of(kind: &Kind, item: &Node) -> String {
    let part = |position: usize| {
        let field = kind.record.fields.get(position)?;
        match &item.get(&field.name)?.value {
            Value::Text(text, _) => Some(text.to_string()),
            Value::Int(number) => Some(number.to_string()),
            _ => None,
        }
    };
    let parts: Vec<String> = kind.key.iter().filter_map(|(position, _)| part(*position)).collect();
    parts.join("/")
}

fn unknown(path: &FactPath, depth: usize, name: &str, known: &[String]) -> Diagnostic {
    let problem = Diagnostic::error(
        "unknown-fact",
        format!("the path `{path}` leads nowhere: there is no `{name}`"),
    );
    let problem = problem.at(path.at(depth));
    match nearest(name, known.iter().map(String::as_str)) {
        Some(best) => problem.help(format!("did you mean `{best}`?")),
        None => problem,
    }
}

fn nowhere(path: &FactPath, what: &str) -> Diagnostic {
    let message = format!("the path `{path}` does not lead to {what}");
    Diagnostic::error("unknown-fact", message).at(path.place)
}
