//! The interpreter: what it offers, and its limits.

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMathPackage,
    BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{Array, Dynamic, Engine, FnPtr, ImmutableString, NativeCallContext};

use crate::expr::eval::{self, Unknown};
use crate::expr::functions::FUNCTIONS;
use crate::expr::script::failed;
use crate::expr::script::values::{
    Fallible, Handle, Name, Part, any_value, missing, say_type, to_dynamic,
};
use crate::expr::syntax::{Operator, raw_engine};
use crate::facts::path::WindowsPath;
use crate::facts::time::Instant;
use crate::facts::value::{Fact, Value};
use crate::facts::version::Version;

/// Most operations of one call.
const MAX_OPERATIONS: u64 = 100_000;

/// Most calls of functions within each other; the stack of the program is the same for them all.
pub(super) const MAX_LEVELS: usize = 8;

/// The sandbox: no modules, clock, files or printing; limits on everything.
///
/// `reference` leaves rhai's own operators in place for values that it knows; scripts get ours for all,
/// so that values of different types do not compare there either.
pub(super) fn engine(reference: bool) -> Engine {
    let mut engine = raw_engine();
    for module in [
        ArithmeticPackage::new().as_shared_module(),
        LogicPackage::new().as_shared_module(),
        BasicMathPackage::new().as_shared_module(),
        BasicStringPackage::new().as_shared_module(),
        MoreStringPackage::new().as_shared_module(),
        BasicArrayPackage::new().as_shared_module(),
        BasicIteratorPackage::new().as_shared_module(),
        BasicFnPackage::new().as_shared_module(),
    ] {
        engine.register_global_module(module);
    }
    // It compares by a hash of the value, not as `==` does: a name would never match.
    engine.disable_symbol("switch");
    engine.set_strict_variables(true);
    engine.set_max_operations(MAX_OPERATIONS);
    engine.set_max_call_levels(MAX_LEVELS);
    engine.set_max_array_size(10_000);
    engine.set_max_map_size(1_000);
    engine.set_max_variables(200);
    engine.set_fast_operators(reference);
    register_types(&mut engine);
    register_operators(&mut engine);
    register_functions(&mut engine);
    register_lists(&mut engine);
    engine
}

fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<Name>("name");
    engine.register_type_with_name::<WindowsPath>("path");
    engine.register_type_with_name::<Version>("version");
    engine.register_type_with_name::<Instant>("time");
    engine.register_type_with_name::<Handle>("object");
    engine.register_type_with_name::<Part>("record");
    engine.register_indexer_get(
        |handle: &mut Handle, field: ImmutableString| -> Fallible<Dynamic> {
            if field == "key" {
                return Ok(Dynamic::from(Name(handle.view.facts.key(handle.id))));
            }
            let kind = handle.view.facts.kind_of(handle.id);
            let Some((position, known)) = kind.and_then(|kind| kind.record.field(&field)) else {
                return Err(missing(failed(
                    "script",
                    &format!("an object has no field `{field}`"),
                )));
            };
            let (value, _) = handle.view.fact(handle.id, position).map_err(missing)?;
            to_dynamic(&value, &known.ty, &handle.view).map_err(missing)
        },
    );
    engine.register_indexer_get(|part: &mut Part, field: ImmutableString| -> Fallible<Dynamic> {
        let Some((position, known)) = part.record.field(&field) else {
            let message = format!("`{}` has no field `{field}`", part.record.name);
            return Err(missing(failed("script", &message)));
        };
        match part.facts.get(position) {
            Some(Fact::Known { value, .. }) => {
                to_dynamic(value, &known.ty, &part.view).map_err(missing)
            }
            Some(Fact::Absent(why)) => {
                let what = format!("{}.{field}", part.record.name);
                Err(missing(Unknown::new(what, why.clone(), None)))
            }
            None => Err(missing(failed("script", "a record is shorter than its type"))),
        }
    });
}

fn register_operators(engine: &mut Engine) {
    for operator in [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessEqual,
        Operator::Greater,
        Operator::GreaterEqual,
    ] {
        engine.register_fn(operator.sign(), move |a: Dynamic, b: Dynamic| -> Fallible<bool> {
            compared(operator, &a, &b)
        });
    }
    for operator in [Operator::Add, Operator::Subtract] {
        engine.register_fn(operator.sign(), move |a: Instant, b: i64| -> Fallible<Instant> {
            match eval::arithmetic(operator, Value::Time(a), Value::Int(b)) {
                Ok(Value::Time(time)) => Ok(time),
                Ok(_) => Err(missing(failed("time", "is of another type"))),
                Err(unknown) => Err(missing(unknown)),
            }
        });
    }
    engine.register_fn("-", |a: Instant, b: Instant| a.seconds() - b.seconds());
    engine.register_fn("+", |a: Name, b: Name| format!("{}{}", a.0, b.0));
    engine.register_fn("+", |a: Name, b: ImmutableString| format!("{}{b}", a.0));
    engine.register_fn("+", |a: ImmutableString, b: Name| format!("{a}{}", b.0));
}

/// Values of different types do not compare: a typing slip must not read as "different".
fn compared(operator: Operator, a: &Dynamic, b: &Dynamic) -> Fallible<bool> {
    let mismatch = || {
        let message =
            format!("`{}` cannot compare {} with {}", operator.sign(), say_type(a), say_type(b));
        missing(failed("script", &message))
    };
    let (Some(left), Some(right)) = (any_value(a), any_value(b)) else { return Err(mismatch()) };
    if let (Value::Null, other) | (other, Value::Null) = (&left, &right) {
        return match operator {
            Operator::Equal => Ok(matches!(other, Value::Null)),
            Operator::NotEqual => Ok(!matches!(other, Value::Null)),
            _ => Err(mismatch()),
        };
    }
    let read = |text: &Value, like: &Value| match (text, like) {
        (Value::Text(text), Value::Path(_)) => Some(Value::Path(WindowsPath::new(text))),
        (Value::Text(text), Value::Version(_)) => Version::parse(text).map(Value::Version),
        (Value::Text(text), Value::Time(_)) => Instant::parse(text).map(Value::Time),
        (other, _) => Some(other.clone()),
    };
    match (read(&left, &right), read(&right, &left)) {
        (Some(left), Some(right)) => eval::compare(operator, &left, &right).ok_or_else(mismatch),
        _ => Err(mismatch()),
    }
}

fn register_functions(engine: &mut Engine) {
    for function in FUNCTIONS {
        let call = move |args: &[Dynamic]| -> Fallible<Dynamic> {
            let mut values = Vec::with_capacity(args.len());
            for (arg, (_, takes)) in args.iter().zip(function.params) {
                let value = any_value(arg).ok_or_else(|| {
                    missing(failed(function.name, "was called with a value it does not take"))
                })?;
                values.push(match (takes, value) {
                    (crate::expr::functions::Takes::Path, Value::Text(text)) => {
                        Value::Path(WindowsPath::new(&text))
                    }
                    (crate::expr::functions::Takes::Version, Value::Text(text)) => {
                        Version::parse(&text).map_or(Value::Text(text), Value::Version)
                    }
                    (_, value) => value,
                });
            }
            let result = function
                .call(&values)
                .map_err(|message| missing(failed(function.name, &message)))?;
            plain(&result).ok_or_else(|| missing(failed(function.name, "gave no plain value")))
        };
        match function.params.len() {
            1 => engine.register_fn(function.name, move |a: Dynamic| call(&[a])),
            2 => engine.register_fn(function.name, move |a: Dynamic, b: Dynamic| call(&[a, b])),
            _ => engine.register_fn(function.name, move |a: Dynamic, b: Dynamic, c: Dynamic| {
                call(&[a, b, c])
            }),
        };
    }
}

/// What host functions give needs no view to be shown to rhai.
fn plain(value: &Value) -> Option<Dynamic> {
    Some(match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => ImmutableString::from(&**text).into(),
        _ => return None,
    })
}

#[expect(clippy::too_many_lines, reason = "a table: one registration a method")]
fn register_lists(engine: &mut Engine) {
    type Context<'a> = NativeCallContext<'a>;
    fn holds(context: &Context<'_>, closure: &FnPtr, member: &Dynamic) -> Fallible<bool> {
        closure.call_within_context(context, (member.clone(),))
    }
    fn given(
        context: &Context<'_>,
        list: Array,
        closure: &FnPtr,
    ) -> Fallible<Vec<(Dynamic, Dynamic)>> {
        list.into_iter()
            .map(|member| {
                let value: Dynamic = closure.call_within_context(context, (member.clone(),))?;
                Ok((member, value))
            })
            .collect()
    }
    fn kept(context: &Context<'_>, list: Array, closure: &FnPtr) -> Fallible<Array> {
        let mut result = Array::new();
        for member in list {
            if holds(context, closure, &member)? {
                result.push(member);
            }
        }
        Ok(result)
    }
    fn best(
        pairs: Vec<(Dynamic, Dynamic)>,
        operator: Operator,
    ) -> Fallible<Option<(Dynamic, Dynamic)>> {
        let mut best: Option<(Dynamic, Dynamic)> = None;
        for (member, value) in pairs {
            let better = match &best {
                None => true,
                Some((_, known)) => compared(operator, &value, known)?,
            };
            if better {
                best = Some((member, value));
            }
        }
        Ok(best)
    }
    fn sum(values: Vec<Dynamic>) -> Fallible<Dynamic> {
        let mut total: Option<Value> = None;
        for value in values {
            let value = any_value(&value).ok_or_else(|| missing(failed("sum", "met no number")))?;
            total = Some(match total {
                None => value,
                Some(total) => eval::arithmetic(Operator::Add, total, value).map_err(missing)?,
            });
        }
        let total = total.unwrap_or(Value::Int(0));
        plain(&total).ok_or_else(|| missing(failed("sum", "met no number")))
    }
    engine.register_fn("any", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<bool> {
        for member in &list {
            if holds(&c, &f, member)? {
                return Ok(true);
            }
        }
        Ok(false)
    });
    engine.register_fn("all", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<bool> {
        for member in &list {
            if !holds(&c, &f, member)? {
                return Ok(false);
            }
        }
        Ok(true)
    });
    engine.register_fn("count", |list: Array| i64::try_from(list.len()).unwrap_or(i64::MAX));
    engine.register_fn("count", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<i64> {
        Ok(i64::try_from(kept(&c, list, &f)?.len()).unwrap_or(i64::MAX))
    });
    engine.register_fn("is_empty", |list: Array| list.is_empty());
    engine.register_fn("known_only", |list: Array| list);
    engine.register_fn("sum", |list: Array| sum(list));
    engine.register_fn("sum", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Dynamic> {
        sum(given(&c, list, &f)?.into_iter().map(|(_, value)| value).collect())
    });
    engine.register_fn("filter", |c: Context<'_>, list: Array, f: FnPtr| kept(&c, list, &f));
    engine.register_fn("map", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Array> {
        Ok(given(&c, list, &f)?.into_iter().map(|(_, value)| value).collect())
    });
    engine.register_fn("find", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Dynamic> {
        let mut kept = kept(&c, list, &f)?;
        match kept.len() {
            0 | 1 => Ok(kept.pop().unwrap_or(Dynamic::UNIT)),
            _ => Err(missing(failed("find", "met several members where one was expected"))),
        }
    });
    for (plain_name, by_name, operator) in
        [("min", "min_by", Operator::Less), ("max", "max_by", Operator::Greater)]
    {
        engine.register_fn(plain_name, move |list: Array| -> Fallible<Dynamic> {
            let pairs = list.into_iter().map(|member| (member.clone(), member)).collect();
            Ok(best(pairs, operator)?.map_or(Dynamic::UNIT, |(_, value)| value))
        });
        engine.register_fn(
            plain_name,
            move |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Dynamic> {
                Ok(best(given(&c, list, &f)?, operator)?.map_or(Dynamic::UNIT, |(_, value)| value))
            },
        );
        engine.register_fn(
            by_name,
            move |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Dynamic> {
                Ok(best(given(&c, list, &f)?, operator)?
                    .map_or(Dynamic::UNIT, |(member, _)| member))
            },
        );
    }
    engine.register_fn("contains", |list: Array, member: Dynamic| -> Fallible<bool> {
        for item in &list {
            if compared(Operator::Equal, &member, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    });
}
