//! What an action is given by a step of a repair.

use crate::diagnostic::Place;
use crate::facts::merge::read_value;
use crate::facts::model::Type;
use crate::facts::store::Facts;
use crate::facts::value::{Value, fold};
use crate::finding::Argument;
use crate::rule::action::Arg;
use crate::source::Node;

/// Why an action is given nothing.
pub(in crate::plan) enum NoArgument {
    /// These facts are missing.
    Unknown(String),
    /// Somebody has to choose it.
    Open,
}

/// The value of an argument; an object that is not there, as another step makes it, is a name as yet.
pub(in crate::plan) fn argument(
    facts: &Facts,
    arg: &Arg,
    given: &Argument,
) -> Result<Value, NoArgument> {
    match given {
        Argument::Unknown(missing) => Err(NoArgument::Unknown(missing.clone())),
        Argument::Object(subject) => {
            let kind = facts.model().kind_named(&subject.kind);
            let object = kind.and_then(|kind| facts.find(kind.id, &fold(&subject.key)));
            Ok(object.map_or_else(|| Value::Name(subject.key.clone()), Value::Object))
        }
        Argument::Value(serde_json::Value::Null) => match &arg.ty {
            Type::Optional(_) => Ok(Value::Null),
            _ => Err(NoArgument::Open),
        },
        Argument::Value(value) => {
            let node = Node::from_json(value, Place::NOWHERE);
            read_value(&arg.ty, &node).map_err(|_| NoArgument::Open)
        }
    }
}
