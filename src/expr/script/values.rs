//! Our values behind rhai's `Dynamic`, and back.

use std::sync::Arc;

use rhai::{Array, Dynamic, EvalAltResult, ImmutableString, Position};

use crate::expr::eval::{Outcome, Unknown, View};
use crate::expr::script::failed;
use crate::expr::script::sandbox::MAX_LEVELS;
use crate::facts::model::{Record, Type};
use crate::facts::path::WindowsPath;
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, List, ObjectId, Reach, Value};
use crate::facts::version::Version;

/// A name inside the interpreter.
#[derive(Clone, Debug)]
pub(super) struct Name(pub(super) Arc<str>);

/// An object inside the interpreter.
#[derive(Clone, Debug)]
pub(super) struct Handle {
    pub(super) view: Arc<View>,
    pub(super) id: ObjectId,
}

/// A nested record inside the interpreter.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) view: Arc<View>,
    pub(super) record: Arc<Record>,
    pub(super) facts: Arc<[Fact]>,
}

/// An unknown fact on its way out through rhai's errors.
#[derive(Clone, Debug)]
pub(super) struct Missing(Unknown);

pub(super) type Fallible<T> = Result<T, Box<EvalAltResult>>;

#[expect(clippy::unnecessary_box_returns, reason = "rhai hands its errors round in boxes")]
pub(super) fn missing(unknown: Unknown) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(Missing(unknown)), Position::NONE))
}

pub(super) fn unknown(name: &str, error: EvalAltResult) -> Unknown {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => unknown(name, *inner),
        EvalAltResult::ErrorRuntime(value, position) => match value.clone().try_cast::<Missing>() {
            Some(Missing(unknown)) => unknown,
            None => failed(name, &EvalAltResult::ErrorRuntime(value, position).to_string()),
        },
        EvalAltResult::ErrorStackOverflow(_) => {
            let why = format!("functions call each other more than {MAX_LEVELS} levels deep");
            failed(name, &why)
        }
        other => failed(name, &other.to_string()),
    }
}

pub(super) fn to_dynamic(value: &Value, ty: &Type, view: &Arc<View>) -> Outcome<Dynamic> {
    Ok(match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        #[expect(clippy::cast_precision_loss, reason = "a fraction was asked for")]
        Value::Int(value) if *ty.required() == Type::Float => (*value as f64).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => ImmutableString::from(&**text).into(),
        Value::Name(text) => Dynamic::from(Name(text.clone())),
        Value::Path(path) => Dynamic::from(path.clone()),
        Value::Version(version) => Dynamic::from(version.clone()),
        Value::Time(time) => Dynamic::from(time.clone()),
        Value::Object(id) => Dynamic::from(Handle { view: view.clone(), id: *id }),
        Value::Record(facts) => match ty.required() {
            Type::Record(record) => Dynamic::from(Part {
                view: view.clone(),
                record: record.clone(),
                facts: facts.clone(),
            }),
            _ => return Err(failed("value", "is not a record")),
        },
        Value::List(list) => {
            if let Reach::Open(name) = &list.reach {
                return Err(Unknown::new(name.clone(), Absence::Open(name.clone()), None));
            }
            let item = match ty.required() {
                Type::List(item) => (**item).clone(),
                _ => Type::Null,
            };
            let mut items = Array::new();
            for fact in list.items.iter() {
                match fact {
                    Fact::Known { value, .. } => items.push(to_dynamic(value, &item, view)?),
                    Fact::Absent(_) if list.reach == Reach::KnownOnly => {}
                    Fact::Absent(why) => {
                        return Err(Unknown::new("a member of a list", why.clone(), None));
                    }
                }
            }
            items.into()
        }
    })
}

pub(super) fn from_dynamic(value: &Dynamic, ty: &Type) -> Option<Value> {
    let any = any_value(value)?;
    let fits = match (ty.required(), &any) {
        (_, Value::Null) => matches!(ty, Type::Optional(_) | Type::Null),
        (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Text, Value::Text(_))
        | (Type::Name, Value::Name(_))
        | (Type::Path, Value::Path(_))
        | (Type::Version, Value::Version(_))
        | (Type::Time, Value::Time(_))
        | (Type::Record(_), Value::Record(_)) => true,
        // Neither infinite nor "not a number": they compare with nothing.
        (Type::Float, Value::Float(number)) => number.is_finite(),
        (Type::Name, Value::Text(text)) => return Some(Value::Name(text.clone())),
        (Type::Enum(members), Value::Text(text)) => members.contains(text),
        (Type::Object(kinds), Value::Object(id)) => kinds.contains(&id.kind),
        (Type::List(item), Value::List(_)) => {
            let array = value.read_lock::<Array>()?;
            let values: Option<Vec<Value>> = array.iter().map(|v| from_dynamic(v, item)).collect();
            return Some(Value::List(List::complete(values?)));
        }
        _ => false,
    };
    fits.then_some(any)
}

pub(super) fn any_value(value: &Dynamic) -> Option<Value> {
    let value = value.flatten_clone();
    if value.is_unit() {
        return Some(Value::Null);
    }
    if let Ok(found) = value.as_bool() {
        return Some(Value::Bool(found));
    }
    if let Ok(found) = value.as_int() {
        return Some(Value::Int(found));
    }
    if let Ok(found) = value.as_float() {
        return Some(Value::Float(found));
    }
    if let Ok(found) = value.as_immutable_string_ref() {
        return Some(Value::Text(found.as_str().into()));
    }
    if let Some(Name(found)) = value.clone().try_cast::<Name>() {
        return Some(Value::Name(found));
    }
    if let Some(found) = value.clone().try_cast::<WindowsPath>() {
        return Some(Value::Path(found));
    }
    if let Some(found) = value.clone().try_cast::<Version>() {
        return Some(Value::Version(found));
    }
    if let Some(found) = value.clone().try_cast::<Instant>() {
        return Some(Value::Time(found));
    }
    if let Some(found) = value.clone().try_cast::<Handle>() {
        return Some(Value::Object(found.id));
    }
    if let Some(found) = value.clone().try_cast::<Part>() {
        return Some(Value::Record(found.facts));
    }
    let array = value.read_lock::<Array>()?;
    let values: Option<Vec<Value>> = array.iter().map(any_value).collect();
    Some(Value::List(List::complete(values?)))
}

/// The type of a value in the interpreter, in the words of declared signatures.
pub(super) fn say_type(value: &Dynamic) -> &'static str {
    match any_value(value) {
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "a bool",
        Some(Value::Int(_)) => "an int",
        Some(Value::Float(_)) => "a float",
        Some(Value::Text(_)) => "a text",
        Some(Value::Name(_)) => "a name",
        Some(Value::Path(_)) => "a path",
        Some(Value::Version(_)) => "a version",
        Some(Value::Time(_)) => "a time",
        Some(Value::Object(_)) => "an object",
        Some(Value::Record(_)) => "a record",
        Some(Value::List(_)) => "a list",
        None => "something else",
    }
}
