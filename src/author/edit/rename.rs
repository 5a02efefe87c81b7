//! Renaming what a rule or action binds: a `let`, a name of `select`, a parameter.
//!
//! Only what can be proven: the file must be without errors before, and as good after.

use std::ops::Range;

use crate::author::edit::tree::{self, Part, Reading};
use crate::author::edit::{Desk, Document, DocumentKind, Edit, bytes, describe, find, holds};
use crate::diagnostic::Place;
use crate::expr::check::Sight;
use crate::expr::syntax::is_name;
use crate::facts::model::Type;
use crate::rule::clause::Met;

/// Why something cannot be renamed, in one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refusal(pub String);

fn refuse<T>(message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(message.into()))
}

/// What a name is.
enum Target {
    /// Bound at that place.
    Bound(Place),
    /// A parameter, declared at that place.
    Param(Place),
}

/// The name under a cursor, if it can be renamed.
///
/// # Errors
///
/// Why it cannot.
pub fn prepare_rename(
    desk: &Desk,
    document: &Document<'_>,
    offset: usize,
) -> Result<(Range<usize>, String), Refusal> {
    let (reading, met) = read(desk, document)?;
    let (_, name, place) = target(document, &reading, &met, offset)?;
    Ok((bytes(place), name))
}

/// The edits that rename what stands under a cursor.
///
/// # Errors
///
/// Why it cannot be renamed so: the new name is taken or none, or the file is not in order.
pub fn rename(
    desk: &Desk,
    document: &Document<'_>,
    offset: usize,
    new: &str,
) -> Result<Vec<Edit>, Refusal> {
    let (reading, met) = read(desk, document)?;
    let (target, old, _) = target(document, &reading, &met, offset)?;
    if new == old {
        return Ok(Vec::new());
    }
    check_name(desk, &reading, &met, &target, new)?;
    let mut places: Vec<Range<usize>> = Vec::new();
    match target {
        Target::Bound(bound) => {
            places.push(bytes(bound));
            for use_of in &met {
                let is_use = matches!(&use_of.sight, Sight::Name { name, .. } if **name == old);
                if is_use && find::binding(&met, use_of, &old) == Some(bound) {
                    places.push(bytes(use_of.place));
                }
            }
        }
        Target::Param(declared) => {
            places.push(bytes(declared));
            let uses = met.iter().filter(|met| is_param(&met.sight, &old));
            places.extend(uses.map(|met| bytes(met.place)));
        }
    }
    places.sort_by_key(|place| (place.start, place.end));
    places.dedup();
    let mut edits = Vec::new();
    for place in places {
        let written = document.text.get(place.clone()).unwrap_or_default();
        // A name in quotes is one handed to `get`.
        let is_quoted = written.len() == old.len() + 2 && written.get(1..=old.len()) == Some(&old);
        let range = if is_quoted { place.start + 1..place.end - 1 } else { place };
        if document.text.get(range.clone()) != Some(&*old) {
            return refuse(format!("`{old}` is used where its place in the file is not certain"));
        }
        edits.push(Edit { range, text: new.to_owned() });
    }
    prove(desk, document, &edits)?;
    Ok(edits)
}

fn read(desk: &Desk, document: &Document<'_>) -> Result<(Reading, Vec<Met>), Refusal> {
    if !matches!(document.kind, DocumentKind::Rule | DocumentKind::Action) {
        return refuse("only what a rule or an action binds can be renamed");
    }
    let Some(reading) = tree::read(document.path, document.text, &desk.sources, None) else {
        return refuse("this file is no YAML yet");
    };
    let (looked, found) = desk.watch(document, &reading.root, &reading.sources, None);
    if let Some(first) = reading.problems.iter().chain(&found).next() {
        let message = &first.message;
        return refuse(format!("a use may be missed while the file has errors: {message}"));
    }
    Ok((reading, looked.met))
}

fn is_param(sight: &Sight, old: &str) -> bool {
    matches!(sight, Sight::Field { of: Type::Record(record), name }
        if &*record.name == "params" && **name == *old)
}

fn target(
    document: &Document<'_>,
    reading: &Reading,
    met: &[Met],
    offset: usize,
) -> Result<(Target, String, Place), Refusal> {
    let param = |name: &str| Some(reading.root.get("params")?.entry(name)?.key_place);
    if let Some(here) = describe::at(met, offset) {
        match &here.sight {
            Sight::Bound { name, .. } if is_clause(document, here.place, name) => {
                return Ok((Target::Bound(here.place), name.to_string(), here.place));
            }
            Sight::Bound { .. } => return refuse("the name of a closure is changed by hand"),
            Sight::Name { name, .. } if &**name != "params" => {
                return match find::binding(met, here, name) {
                    Some(bound) if is_clause(document, bound, name) => {
                        Ok((Target::Bound(bound), name.to_string(), here.place))
                    }
                    _ => refuse("the name of a closure is changed by hand"),
                };
            }
            sight @ Sight::Field { name, .. } if is_param(sight, name) => {
                if let Some(declared) = param(name) {
                    return Ok((Target::Param(declared), name.to_string(), here.place));
                }
            }
            _ => {}
        }
    }
    let spot = tree::at(&reading.root, offset);
    if let Some(Part::Key(entry)) = spot.as_ref().map(|spot| spot.part)
        && let Some(declared) = param(&entry.key)
        && holds(declared, offset)
    {
        let is_setting = document.kind == DocumentKind::Rule || entry.node.get("default").is_some();
        if is_setting {
            return Ok((Target::Param(declared), entry.key.to_string(), declared));
        }
        return refuse("an argument is named in the rules that hand it in; change it by hand");
    }
    refuse("only names bound by `select` or `let`, and parameters, can be renamed")
}

/// Whether a clause binds the name there: a closure's place is its first sign.
fn is_clause(document: &Document<'_>, place: Place, name: &str) -> bool {
    document.text.get(bytes(place)) == Some(name)
}

fn check_name(
    desk: &Desk,
    reading: &Reading,
    met: &[Met],
    target: &Target,
    new: &str,
) -> Result<(), Refusal> {
    let mut chars = new.chars();
    let is_lower = chars.next().is_some_and(|c| c.is_ascii_lowercase())
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !is_lower {
        return refuse(format!(
            "`{new}` is no name: small letters, digits and `_`, a letter first"
        ));
    }
    if let Target::Param(_) = target {
        let params = reading.root.get("params");
        return match params.and_then(|params| params.entry(new)) {
            Some(_) => refuse(format!("there is a parameter `{new}` already")),
            None => Ok(()),
        };
    }
    if !is_name(new) {
        return refuse(format!("`{new}` is a reserved word"));
    }
    let model = &desk.packs.model;
    let is_bound =
        met.iter().any(|met| matches!(&met.sight, Sight::Bound { name, .. } if **name == *new));
    let is_global = ["now", "params"].contains(&new)
        || model.kind_in(new).is_some()
        || model.singles().iter().any(|field| &*field.name == new)
        || desk.set.tables.iter().any(|table| &*table.constant.name == new);
    if is_bound || is_global {
        return refuse(format!("`{new}` means something already; choose another name"));
    }
    Ok(())
}

/// The file must be as good after the edits as before.
fn prove(desk: &Desk, document: &Document<'_>, edits: &[Edit]) -> Result<(), Refusal> {
    let mut text = document.text.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(edit.range.clone(), &edit.text);
    }
    match read(desk, &Document { text: &text, ..*document }) {
        Ok(_) => Ok(()),
        Err(_) => refuse("the file would not be right with that name"),
    }
}
