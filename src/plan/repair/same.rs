//! Whether a repaired plan does what the user's plan does: the facts at the end are the same, but for what repairs and
//! checks bring about, the states of protected objects, and times.

use std::collections::BTreeMap;

use crate::facts::model::KindId;
use crate::facts::value::{Fact, ObjectId, Value};
use crate::plan::repair::pieces::{Draft, Origin, Pieces};
use crate::plan::trace::{FactChange, Happening, Trace};

/// Facts that end otherwise, in words: the object's key and the field.
pub(super) fn differences(
    pieces: &Pieces,
    written: (&Draft, &Trace),
    repaired: (&Draft, &Trace),
    protected: Option<KindId>,
) -> Vec<String> {
    let (old, new) = (set_by(pieces, written), set_by(pieces, repaired));
    let mut found = Vec::new();
    for cell in old.keys().chain(new.keys()) {
        let (object, field) = *cell;
        if Some(object.kind) == protected {
            continue;
        }
        // What a fix or a check sets last is what it is for.
        let is_users = |set: &BTreeMap<(ObjectId, usize), bool>| set.get(cell) != Some(&false);
        if !is_users(&old) || !is_users(&new) {
            continue;
        }
        let (before, after) =
            (written.1.facts.fact(object, field), repaired.1.facts.fact(object, field));
        if !is_alike(before, after) {
            let kind = repaired.1.facts.kind_of(object).or_else(|| written.1.facts.kind_of(object));
            let name = kind.and_then(|kind| kind.record.fields.get(field)).map(|one| &*one.name);
            let name = name.unwrap_or("?").to_owned();
            found.push(format!("{name} of {}", repaired.1.facts.key(object)));
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The facts that steps set, and whether a change of the user's was the last to.
fn set_by(pieces: &Pieces, (draft, trace): (&Draft, &Trace)) -> BTreeMap<(ObjectId, usize), bool> {
    let mut all = BTreeMap::new();
    for event in &trace.events {
        let piece = event.step.and_then(|step| draft.piece(step));
        let is_users = piece.is_some_and(|piece| {
            matches!(pieces.all.get(piece).map(|one| &one.origin), Some(Origin::Written(_)))
                && event.what == Happening::Effect
        });
        for change in &event.changes {
            if let FactChange::Field(object, field, ..) = change {
                all.insert((*object, *field), is_users);
            }
        }
    }
    all
}

/// Whether a fact is neither counted up and down nor a time: such ones are the same in any order.
pub(super) fn is_plain(fact: &Fact) -> bool {
    !matches!(fact, Fact::Known { value: Value::Int(_) | Value::Float(_) | Value::Time(_), .. })
}

/// Whether two facts say the same, times aside.
pub(super) fn is_alike(one: Option<&Fact>, other: Option<&Fact>) -> bool {
    match (one, other) {
        (Some(Fact::Known { value: one, .. }), Some(Fact::Known { value: other, .. })) => {
            match (one, other) {
                (Value::Time(_), Value::Time(_)) => true,
                (Value::Record(one), Value::Record(other)) => are_alike(one, other),
                (Value::List(one), Value::List(other)) => are_alike(&one.items, &other.items),
                _ => one.same(other),
            }
        }
        (Some(Fact::Absent(_)), Some(Fact::Absent(_))) | (None, None) => true,
        _ => false,
    }
}

fn are_alike(one: &[Fact], other: &[Fact]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(one, other)| is_alike(Some(one), Some(other)))
}
