//! Which types go together.

use std::sync::Arc;

use crate::facts::model::{KindId, Type};

pub(super) fn list_of(kind: KindId) -> Type {
    Type::List(Arc::new(Type::Object(Arc::new([kind]))))
}

/// The type that holds both; none if there is none.
pub(super) fn unify(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (Type::Null, other) | (other, Type::Null) => match other {
            // The empty list's member type is null: it takes the other's place.
            Type::List(_) | Type::Optional(_) => Some(other.clone()),
            _ => Some(other.clone().optional()),
        },
        (Type::Optional(a), b) | (b, Type::Optional(a)) => Some(unify(a, b.required())?.optional()),
        (Type::Text | Type::Enum(_), Type::Text | Type::Enum(_)) => Some(Type::Text),
        (Type::Object(a), Type::Object(b)) => {
            let mut kinds: Vec<KindId> = a.iter().chain(b.iter()).copied().collect();
            kinds.sort_unstable();
            kinds.dedup();
            Some(Type::Object(kinds.into()))
        }
        (Type::List(a), Type::List(b)) => {
            let item = match (&**a, &**b) {
                (Type::Null, other) | (other, Type::Null) => other.clone(),
                (a, b) => unify(a, b)?,
            };
            Some(Type::List(Arc::new(item)))
        }
        _ => None,
    }
}

/// Whether a value of type `a` can stand where `wanted` is needed.
pub(super) fn fits(a: &Type, wanted: &Type) -> bool {
    match (a, wanted) {
        (a, b) if a == b => true,
        (Type::Null, Type::Optional(_))
        | (Type::Enum(_), Type::Text)
        | (Type::Int, Type::Float) => true,
        (Type::Optional(a), Type::Optional(b)) => fits(a, b),
        (a, Type::Optional(b)) => fits(a, b),
        (Type::Enum(a), Type::Enum(b)) => a.iter().all(|member| b.contains(member)),
        (Type::Object(a), Type::Object(b)) => a.iter().all(|kind| b.contains(kind)),
        (Type::List(a), Type::List(b)) => **a == Type::Null || fits(a, b),
        _ => false,
    }
}

pub(super) fn equal(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Bool, Type::Bool)
        | (Type::Int | Type::Float, Type::Int | Type::Float)
        | (Type::Text, Type::Text | Type::Enum(_) | Type::Name)
        | (Type::Enum(_) | Type::Name, Type::Text)
        | (Type::Name, Type::Name)
        | (Type::Path, Type::Path)
        | (Type::Version, Type::Version)
        | (Type::Time, Type::Time) => true,
        (Type::Enum(a), Type::Enum(b)) => a.iter().any(|member| b.contains(member)),
        (Type::Object(a), Type::Object(b)) => a.iter().any(|kind| b.contains(kind)),
        _ => false,
    }
}

pub(super) fn ordered(a: &Type, b: &Type) -> bool {
    matches!(
        (a, b),
        (Type::Int | Type::Float, Type::Int | Type::Float)
            | (Type::Version, Type::Version)
            | (Type::Time, Type::Time)
    )
}

/// How many lists lie in each other.
pub(super) fn depth(ty: &Type) -> usize {
    match ty {
        Type::List(item) => 1 + depth(item),
        Type::Optional(inner) => depth(inner),
        _ => 0,
    }
}
