//! Changes to be tried, and the values in them.

use serde_json::Value as Json;

use crate::diagnostic::Place;
use crate::facts::time::Instant;
use crate::facts::value::Value;
use crate::report::explain::Change;
use crate::source::Node;

/// Longest value that is written out, in characters.
const MAX_WORDS: usize = 80;

/// What is changed.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// A fact; the positions of the documents that hold it, or its object.
    Fact {
        /// Its path.
        path: String,
        /// The documents.
        files: Vec<usize>,
    },
    /// An object, or a member of a list.
    Object {
        /// Its path.
        path: String,
        /// The documents.
        files: Vec<usize>,
    },
    /// That a collection is complete.
    Complete(String),
    /// A parameter of the rule.
    Param(String),
}

/// A change to be tried.
#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) target: Target,
    /// The new value; none takes it away.
    pub(super) to: Option<Node>,
    pub(super) change: Change,
    /// The lower, the nearer to what is.
    pub(super) rank: u8,
    /// For numbers and instants: the value now and then.
    pub(super) numbers: Option<(i64, i64)>,
    pub(super) is_time: bool,
    pub(super) place: Place,
}

impl Try {
    /// For numbers and instants: the value now and then.
    pub(super) fn number(&self) -> Option<(i64, i64)> {
        self.numbers
    }

    /// How far a number goes.
    pub(super) fn distance(&self) -> u64 {
        self.numbers.map_or(0, |(here, there)| here.abs_diff(there))
    }

    /// The same with another number.
    pub(super) fn with(&self, number: i64) -> Option<Self> {
        let (here, _) = self.numbers?;
        let json = if self.is_time {
            Json::from(&**Instant::from_seconds(number)?.text())
        } else {
            Json::from(number)
        };
        let mut other = self.clone();
        other.numbers = Some((here, number));
        other.change.to = Some(words(&json));
        other.to = Some(Node::from_json(&json, self.place));
        other.change.json = Some(json);
        Some(other)
    }
}

/// Wide steps away from a number.
pub(super) fn probes(first: &Try) -> Vec<Try> {
    let Some((here, _)) = first.numbers else { return Vec::new() };
    let numbers: Vec<i64> = if first.is_time {
        let day = 86_400;
        let steps = [3_600, day, 7 * day, 30 * day, 365 * day, 3_650 * day];
        steps
            .iter()
            .flat_map(|step| [here.saturating_add(*step), here.saturating_sub(*step)])
            .collect()
    } else {
        let steps = [here / 2, here.saturating_mul(2), here / 10, here.saturating_mul(10)];
        let ends = [0, here.saturating_mul(1_000), 1_000_000_000_000];
        steps.into_iter().chain(ends).filter(|number| *number != here).collect()
    };
    numbers.into_iter().filter_map(|number| first.with(number)).collect()
}

/// A value of a fact file in words, cut where it is long.
pub(super) fn words(json: &Json) -> String {
    let text = words_of(json);
    match text.char_indices().nth(MAX_WORDS) {
        Some((end, _)) => format!("{} ...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

fn words_of(json: &Json) -> String {
    match json {
        Json::String(text) => text.clone(),
        Json::Array(items) if items.is_empty() => "none".to_owned(),
        Json::Array(items) => items.iter().map(words_of).collect::<Vec<_>>().join(", "),
        Json::Object(entries) => {
            let said = entries.iter().filter(|(_, value)| !value.is_null());
            let said: Vec<String> =
                said.map(|(key, value)| format!("{key}: {}", words_of(value))).collect();
            format!("{{ {} }}", said.join(", "))
        }
        // 15.0 is 15 to a person.
        Json::Number(number) => number.to_string().trim_end_matches(".0").to_owned(),
        other => other.to_string(),
    }
}

/// A value as it stands in a fact file; none for what stands in none.
pub(super) fn json(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::Text(text) | Value::Name(text) => Json::from(&**text),
        Value::Path(path) => Json::from(&**path.text()),
        Value::Version(version) => Json::from(&**version.text()),
        Value::Time(time) => Json::from(&**time.text()),
        Value::Object(_) | Value::Record(_) | Value::List(_) => return None,
    })
}

pub(super) fn numbers(from: Option<&Json>, to: &Json, is_time: bool) -> Option<(i64, i64)> {
    if is_time {
        let seconds = |json: &Json| Some(Instant::parse(json.as_str()?)?.seconds());
        return Some((seconds(from?)?, seconds(to)?));
    }
    Some((from?.as_i64()?, to.as_i64()?))
}

/// A whole number, or the seconds of an instant.
pub(super) fn number(value: &crate::expr::eval::Outcome) -> Option<i64> {
    match value {
        Ok(Value::Int(number)) => Some(*number),
        Ok(Value::Time(time)) => Some(time.seconds()),
        _ => None,
    }
}

/// A number or instant moved by so much.
pub(super) fn moved(value: &Value, by: i64) -> Option<Json> {
    match value {
        Value::Int(number) => number.checked_add(by).map(Json::from),
        Value::Time(time) => {
            let moved = Instant::from_seconds(time.seconds().checked_add(by)?)?;
            Some(Json::from(&**moved.text()))
        }
        _ => None,
    }
}
