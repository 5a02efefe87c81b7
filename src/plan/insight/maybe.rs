//! What an object may lie on, or belong to, for all that is known: references that nobody has collected.

use std::collections::BTreeSet;

use crate::facts::model::{Field, KindId, Model, Origin, Type};
use crate::facts::store::Facts;
use crate::facts::value::{Fact, ObjectId};
use crate::plan::insight::reach;

/// The fact that is missing to say whether these objects, or what they refer to, refer to an object of one of these
/// kinds, directly or over others; none where no such reference is missing.
pub(in crate::plan) fn may_reach(
    facts: &Facts,
    objects: &BTreeSet<ObjectId>,
    kinds: &BTreeSet<KindId>,
) -> Option<String> {
    let model = facts.model();
    let leads = |field: &Field| !leads_to(model, &kinds_of(&field.ty)).is_disjoint(kinds);
    reach(facts, objects).into_iter().find_map(|object| {
        let kind = facts.kind_of(object)?;
        let mut fields = kind.record.fields.iter().enumerate();
        let (_, field) = fields.find(|(position, field)| {
            let is_own = !matches!(field.origin, Origin::Inverse { .. });
            is_own && matches!(facts.fact(object, *position), Some(Fact::Absent(_))) && leads(field)
        })?;
        let name = match &field.origin {
            Origin::Within { path, .. } => &kind.record.fields.get(*path)?.name,
            _ => &field.name,
        };
        Some(format!("{}[{}].{name}", kind.collection, facts.key(object)))
    })
}

/// Kinds, and those that objects of them can refer to, directly or over others.
fn leads_to(model: &Model, kinds: &[KindId]) -> BTreeSet<KindId> {
    let mut seen: BTreeSet<KindId> = kinds.iter().copied().collect();
    let mut open = kinds.to_vec();
    while let Some(next) = open.pop() {
        let fields = model.kind(next).map(|kind| kind.record.fields.as_slice()).unwrap_or_default();
        let own = fields.iter().filter(|field| !matches!(field.origin, Origin::Inverse { .. }));
        for kind in own.flat_map(|field| kinds_of(&field.ty)) {
            if seen.insert(kind) {
                open.push(kind);
            }
        }
    }
    seen
}

/// The kinds of objects that a value of a type can name.
pub(in crate::plan) fn kinds_of(ty: &Type) -> Vec<KindId> {
    match ty.required() {
        Type::Object(kinds) => kinds.to_vec(),
        Type::List(item) => kinds_of(item),
        _ => Vec::new(),
    }
}
