//! Host functions: what expressions can call beside the methods of lists.
//!
//! One table; checker, evaluator, interpreter and manual all read it. Each function is total over
//! known values or says why not; none sees facts, clock or files.

use std::sync::Arc;

use crate::facts::model::Type;
use crate::facts::path::WindowsPath;
use crate::facts::time;
use crate::facts::value::{Fact, List, Value, fold};
use crate::facts::version::Version;

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// A whole number.
    Int,
    /// A whole number or one with a fraction.
    Number,
    /// Text, a name, a path, a version or a member of an enumeration, read as text.
    Text,
    /// A path.
    Path,
    /// A version.
    Version,
    /// An instant.
    Time,
    /// A list of lists of text.
    Pairs,
}

impl Takes {
    /// As it is written in the manual.
    #[must_use]
    pub fn say(self) -> &'static str {
        match self {
            Self::Int => "whole number",
            Self::Number => "number",
            Self::Text => "text",
            Self::Path => "path",
            Self::Version => "version",
            Self::Time => "time",
            Self::Pairs => "list of pairs of text",
        }
    }

    /// As it is said in a message, with its article.
    #[must_use]
    pub fn say_one(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            other => format!("a {}", other.say()),
        }
    }
}

/// A host function.
#[derive(Debug)]
pub struct Function {
    /// Its name; several functions may share one and differ in their parameters.
    pub name: &'static str,
    /// Names and types of its parameters.
    pub params: &'static [(&'static str, Takes)],
    /// The type of its value.
    pub returns: Type,
    /// What the manual says.
    pub help: &'static str,
    call: fn(&[Value]) -> Result<Value, String>,
}

impl Function {
    /// Calls it with known values, one a parameter, of the types in `params`.
    ///
    /// # Errors
    ///
    /// Why it has no value (a division by zero), as a message.
    pub fn call(&self, args: &[Value]) -> Result<Value, String> {
        (self.call)(args)
    }

    /// As in the manual: `hex(number: whole number) -> text`.
    #[must_use]
    pub fn signature(&self) -> String {
        let params: Vec<String> =
            self.params.iter().map(|(name, takes)| format!("{name}: {}", takes.say())).collect();
        let returns = crate::facts::model::Model::default().say(&self.returns);
        format!("{}({}) -> {returns}", self.name, params.join(", "))
    }
}

/// All host functions, by name.
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "contains",
        params: &[("text", Takes::Text), ("part", Takes::Text)],
        returns: Type::Bool,
        help: "Whether `part` stands in `text`, letter by letter: `event.text.contains(\"0x80004002\")`.",
        call: |args| texts(args, |text, part| text.contains(part)),
    },
    Function {
        name: "days",
        params: &[("count", Takes::Number)],
        returns: Type::Int,
        help: "Seconds in that many days of 24 hours.",
        call: |args| seconds(args, 86_400.0),
    },
    Function {
        name: "duration",
        params: &[("seconds", Takes::Int)],
        returns: Type::Text,
        help: "Seconds as a person says them: `2 h 5 min`.",
        call: |args| match args {
            [Value::Int(seconds)] => Ok(Value::Text(time::say_duration(*seconds).into())),
            _ => misfit(),
        },
    },
    Function {
        name: "ends_with",
        params: &[("text", Takes::Text), ("end", Takes::Text)],
        returns: Type::Bool,
        help: "Whether `text` ends with `end`, letter by letter.",
        call: |args| texts(args, |text, end| text.ends_with(end)),
    },
    Function {
        name: "file_name",
        params: &[("path", Takes::Path)],
        returns: Type::Text,
        help: "The last part of a path: `DB1.edb`.",
        call: |args| match args {
            [Value::Path(path)] => {
                let text = path.text().trim_end_matches(['\\', '/']);
                let name = text.rsplit(['\\', '/']).next().unwrap_or_default();
                Ok(Value::Text(name.into()))
            }
            _ => misfit(),
        },
    },
    Function {
        name: "gb",
        params: &[("bytes", Takes::Int)],
        returns: Type::Float,
        help: "Bytes as gigabytes of 10^9 bytes, the unit of the rates in `calibration`.",
        #[expect(clippy::cast_precision_loss, reason = "sizes are shown, not counted")]
        call: |args| match args {
            [Value::Int(bytes)] => Ok(Value::Float(*bytes as f64 / 1.0e9)),
            _ => misfit(),
        },
    },
    Function {
        name: "hex",
        params: &[("number", Takes::Int)],
        returns: Type::Text,
        help: "A result code as Windows writes it: `hex(-2147467262)` is `0x80004002`.",
        call: |args| match args {
            [Value::Int(number)] => {
                let low = number.rem_euclid(1 << 32);
                Ok(Value::Text(format!("0x{low:08X}").into()))
            }
            _ => misfit(),
        },
    },
    Function {
        name: "hours",
        params: &[("count", Takes::Number)],
        returns: Type::Int,
        help: "Seconds in that many hours: `now - event.at < hours(2)`.",
        call: |args| seconds(args, 3_600.0),
    },
    Function {
        name: "hours_between",
        params: &[("from", Takes::Time), ("to", Takes::Time)],
        returns: Type::Float,
        help: "Hours from one instant to another; negative if `to` is the earlier one.",
        #[expect(clippy::cast_precision_loss, reason = "hours are shown, not counted")]
        call: |args| match args {
            [Value::Time(from), Value::Time(to)] => {
                match to.seconds().checked_sub(from.seconds()) {
                    Some(seconds) => Ok(Value::Float(seconds as f64 / 3_600.0)),
                    None => Err("the instants are too far apart".to_owned()),
                }
            }
            _ => misfit(),
        },
    },
    Function {
        name: "is_within",
        params: &[("path", Takes::Path), ("folder", Takes::Path)],
        returns: Type::Bool,
        help: "Whether `path` is `folder` or lies below it.",
        call: |args| match args {
            [Value::Path(path), Value::Path(folder)] => Ok(Value::Bool(path.is_within(folder))),
            _ => misfit(),
        },
    },
    Function {
        name: "len",
        params: &[("text", Takes::Text)],
        returns: Type::Int,
        help: "How many characters a text has.",
        call: |args| {
            let length = text_of(args.first())?.chars().count();
            Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX)))
        },
    },
    Function {
        name: "lower",
        params: &[("text", Takes::Text)],
        returns: Type::Text,
        help: "The text in lower case.",
        call: |args| Ok(Value::Text(fold(&text_of(args.first())?).into())),
    },
    Function {
        name: "major",
        params: &[("version", Takes::Version)],
        returns: Type::Int,
        help: "The first part of a version: `major(server.version) == 2`.",
        call: |args| match args {
            [Value::Version(version)] => {
                let first = version.text().split('.').next().and_then(|part| part.parse().ok());
                first.map(Value::Int).ok_or_else(|| "this version has no first part".to_owned())
            }
            _ => misfit(),
        },
    },
    Function {
        name: "minutes",
        params: &[("count", Takes::Number)],
        returns: Type::Int,
        help: "Seconds in that many minutes.",
        call: |args| seconds(args, 60.0),
    },
    Function {
        name: "percent",
        params: &[("part", Takes::Number), ("whole", Takes::Number)],
        returns: Type::Float,
        help: "How many per cent of `whole` `part` is; fails if `whole` is 0.",
        call: |args| match args {
            [part, whole] => {
                let (part, whole) = (number(part)?, number(whole)?);
                if whole == 0.0 {
                    return Err("there is no per cent of 0".to_owned());
                }
                match part * 100.0 / whole {
                    share if share.is_finite() => Ok(Value::Float(share)),
                    _ => Err("the number is too large".to_owned()),
                }
            }
            _ => misfit(),
        },
    },
    Function {
        name: "round",
        params: &[("number", Takes::Number)],
        returns: Type::Int,
        help: "The nearest whole number; halves go away from zero.",
        call: |args| args.first().map_or_else(misfit, |value| whole(number(value)?.round())),
    },
    Function {
        name: "same_name",
        params: &[("a", Takes::Text), ("b", Takes::Text)],
        returns: Type::Bool,
        help: "Whether two texts are one name to Windows: compared without case.",
        call: |args| match args {
            [a, b] => Ok(Value::Bool(fold(&text_of(Some(a))?) == fold(&text_of(Some(b))?))),
            _ => misfit(),
        },
    },
    Function {
        name: "same_path",
        params: &[("a", Takes::Path), ("b", Takes::Path)],
        returns: Type::Bool,
        help: "Whether two paths are one to Windows: without case, whatever prefix and slashes. The same as `a == b`.",
        call: |args| match args {
            [Value::Path(a), Value::Path(b)] => Ok(Value::Bool(a == b)),
            _ => misfit(),
        },
    },
    Function {
        name: "same_path",
        params: &[("a", Takes::Path), ("b", Takes::Path), ("roots", Takes::Pairs)],
        returns: Type::Bool,
        help: "As `same_path(a, b)`, where each pair in `roots` names one place twice: a drive letter and a mount point, say.",
        call: |args| match args {
            [Value::Path(a), Value::Path(b), Value::List(roots)] => same_path(a, b, roots),
            _ => misfit(),
        },
    },
    Function {
        name: "size",
        params: &[("bytes", Takes::Int)],
        returns: Type::Text,
        help: "Bytes as a person says them, in units of 1,000: `13.3 GB`.",
        call: |args| match args {
            [Value::Int(bytes)] => Ok(Value::Text(say_size(*bytes).into())),
            _ => misfit(),
        },
    },
    Function {
        name: "starts_with",
        params: &[("text", Takes::Text), ("start", Takes::Text)],
        returns: Type::Bool,
        help: "Whether `text` starts with `start`, letter by letter.",
        call: |args| texts(args, |text, start| text.starts_with(start)),
    },
    Function {
        name: "version_compare",
        params: &[("a", Takes::Version), ("b", Takes::Version)],
        returns: Type::Int,
        help: "-1, 0 or 1: whether version `a` is older than, the same as or newer than `b`. `a < b` says the same.",
        call: |args| match args {
            [Value::Version(a), Value::Version(b)] => Ok(Value::Int(a.cmp(b) as i64)),
            _ => misfit(),
        },
    },
];

/// The functions of that name.
pub fn named(name: &str) -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().filter(move |function| function.name == name)
}

/// The checker lets only fitting values through; this is what a caller that went round it reads.
fn misfit() -> Result<Value, String> {
    Err("the arguments are not of the right types".to_owned())
}

fn number(value: &Value) -> Result<f64, String> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "a fraction was asked for")]
        Value::Int(number) => Ok(*number as f64),
        Value::Float(number) => Ok(*number),
        _ => Err("the arguments are not of the right types".to_owned()),
    }
}

fn whole(number: f64) -> Result<Value, String> {
    if number.abs() < 9.0e15 {
        #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
        return Ok(Value::Int(number as i64));
    }
    Err("the number is too large".to_owned())
}

fn seconds(args: &[Value], unit: f64) -> Result<Value, String> {
    args.first().map_or_else(misfit, |count| whole((number(count)? * unit).round()))
}

fn text_of(value: Option<&Value>) -> Result<Arc<str>, String> {
    match value {
        Some(Value::Text(text) | Value::Name(text)) => Ok(text.clone()),
        Some(Value::Path(path)) => Ok(path.text().clone()),
        Some(Value::Version(version)) => Ok(version.text().clone()),
        _ => Err("the arguments are not of the right types".to_owned()),
    }
}

fn texts(args: &[Value], holds: fn(&str, &str) -> bool) -> Result<Value, String> {
    match args {
        [a, b] => Ok(Value::Bool(holds(&text_of(Some(a))?, &text_of(Some(b))?))),
        _ => misfit(),
    }
}

fn same_path(a: &WindowsPath, b: &WindowsPath, roots: &List) -> Result<Value, String> {
    if a == b {
        return Ok(Value::Bool(true));
    }
    for pair in roots.items.iter() {
        let Fact::Known { value: Value::List(pair), .. } = pair else { return misfit() };
        let texts: Vec<Arc<str>> = pair
            .items
            .iter()
            .filter_map(|fact| match fact {
                Fact::Known { value, .. } => text_of(Some(value)).ok(),
                Fact::Absent(_) => None,
            })
            .collect();
        let [first, second] = texts.as_slice() else {
            return Err("each of the roots must be a pair of texts".to_owned());
        };
        let (first, second) = (WindowsPath::new(first), WindowsPath::new(second));
        if a.rebased(&first, &second) == b.rebased(&first, &second) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// Bytes as a person says them, in units of 1,000, as `gb` counts.
#[must_use]
pub fn say_size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["KB", "MB", "GB", "TB", "PB"];
    if bytes.unsigned_abs() < 1000 {
        return format!("{bytes} bytes");
    }
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let mut size = bytes as f64 / 1000.0;
    let mut unit = UNITS.iter();
    let mut name = unit.next().unwrap_or(&"KB");
    while size.abs() >= 1000.0 {
        let Some(next) = unit.next() else { break };
        name = next;
        size /= 1000.0;
    }
    format!("{size:.1} {name}")
}

/// Reads a text as a version, for literals compared with versions.
#[must_use]
pub fn version(text: &str) -> Option<Value> {
    Version::parse(text).map(Value::Version)
}

#[cfg(test)]
mod tests {
    use super::{FUNCTIONS, say_size};
    use crate::facts::value::Value;

    #[test]
    fn the_table_is_sorted_and_documented() {
        assert!(FUNCTIONS.is_sorted_by_key(|function| function.name));
        assert!(FUNCTIONS.iter().all(|function| function.help.ends_with('.')));
    }

    #[test]
    fn sizes_are_said_in_units_of_1000() {
        let said: Vec<String> = [0, 999, 1536, 13_314_398_618, i64::MAX].map(say_size).into();
        assert_eq!(said, ["0 bytes", "999 bytes", "1.5 KB", "13.3 GB", "9223.4 PB"]);
    }

    #[test]
    fn wrong_arguments_are_an_error_not_a_panic() {
        for function in FUNCTIONS {
            assert!(function.call(&[]).is_err(), "{}", function.name);
            assert!(
                function.call(&[Value::Null, Value::Null, Value::Null]).is_err(),
                "{}",
                function.name
            );
        }
    }
}
