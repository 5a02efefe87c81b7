//! Which facts are other ones in a newer observation.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::facts::store::Facts;
use crate::facts::value::fold;

/// A fact that is another one, or an object that is new or gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Kind and key of the object; the name of a fact that belongs to none.
    pub object: String,
    /// The field, a dot leads into a record; none for an object.
    pub field: Option<String>,
    /// What it was; none if that was not known.
    pub from: Option<Json>,
    /// What it is; none if that is not known.
    pub to: Option<Json>,
}

/// All facts that differ, by the names of their objects.
#[must_use]
pub fn moved(old: &Facts, new: &Facts) -> Vec<Moved> {
    let mut both: BTreeMap<String, (Option<Named>, Option<Named>)> = BTreeMap::new();
    for (name, json) in named(old) {
        let known = both.entry(fold(&name)).or_default();
        known.0 = Some((name, json));
    }
    for (name, json) in named(new) {
        let known = both.entry(fold(&name)).or_default();
        known.1 = Some((name, json));
    }
    let mut all = tables(old, new);
    for pair in both.into_values() {
        match pair {
            (Some((_, before)), Some((name, now))) => {
                differ(&name, None, Some(&before), Some(&now), &mut all);
            }
            (Some((object, from)), None) => {
                all.push(Moved { object, field: None, from: Some(from), to: None });
            }
            (None, Some((object, to))) => {
                all.push(Moved { object, field: None, from: None, to: Some(to) });
            }
            (None, None) => {}
        }
    }
    all
}

/// Collections that are in one of two observations only, or declared complete in one only.
fn tables(old: &Facts, new: &Facts) -> Vec<Moved> {
    let mut all = Vec::new();
    for kind in old.model().kinds() {
        let said = |facts: &Facts| {
            let table = facts.table(kind.id).filter(|table| table.collected().is_some())?;
            let said = if table.is_complete() { "collected, complete" } else { "collected" };
            Some(Json::from(said))
        };
        let (from, to) = (said(old), said(new));
        if from != to {
            all.push(Moved { object: kind.collection.to_string(), field: None, from, to });
        }
    }
    all
}

/// An object, or a fact that belongs to none.
type Named = (String, Json);

fn named(facts: &Facts) -> Vec<Named> {
    let singles = facts.model().singles().iter().enumerate().filter_map(|(position, field)| {
        let json = facts.fact_to_json(facts.single(position)?, &field.ty)?;
        Some((field.name.to_string(), json))
    });
    facts.to_json().into_iter().chain(singles).collect()
}

/// The fields in a record that differ; anything else as a whole.
fn differ(
    object: &str,
    field: Option<&str>,
    from: Option<&Json>,
    to: Option<&Json>,
    all: &mut Vec<Moved>,
) {
    if from == to {
        return;
    }
    let (Some(Json::Object(before)), Some(Json::Object(now))) = (from, to) else {
        return all.push(Moved {
            object: object.to_owned(),
            field: field.map(str::to_owned),
            from: from.cloned(),
            to: to.cloned(),
        });
    };
    for key in keys(before, now) {
        let inner = field.map_or_else(|| key.to_owned(), |field| format!("{field}.{key}"));
        differ(object, Some(&inner), before.get(key), now.get(key), all);
    }
}

/// The keys of two records, each once.
fn keys<'m>(a: &'m Map<String, Json>, b: &'m Map<String, Json>) -> Vec<&'m str> {
    let only = b.keys().filter(|key| !a.contains_key(*key));
    a.keys().chain(only).map(String::as_str).collect()
}
