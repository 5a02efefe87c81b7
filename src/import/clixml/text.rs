//! Texts of the format: escapes, primitives, instants.

use std::borrow::Cow;

use super::{Kind, Value};
use crate::facts::time::Instant;

/// Decodes `_xHHHH_`: one UTF-16 unit each, so that a pair of them can be one character.
///
/// # Shape
///
/// Half a pair becomes U+FFFD. What only looks like an escape (`_x12_`) stays as it is.
pub(super) fn unescape(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains("_x") {
        return text;
    }
    let mut decoded = String::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = &*text;
    while let Some(next) = rest.chars().next() {
        if let Some((unit, after)) = escape(rest) {
            units.push(unit);
            rest = after;
            continue;
        }
        flush(&mut units, &mut decoded);
        decoded.push(next);
        rest = rest.get(next.len_utf8()..).unwrap_or_default();
    }
    flush(&mut units, &mut decoded);
    Cow::Owned(decoded)
}

/// The unit of the escape that `text` begins with, and what follows.
fn escape(text: &str) -> Option<(u16, &str)> {
    let digits = text.strip_prefix("_x")?.get(..4)?;
    let after = text.get(6..)?.strip_prefix('_')?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u16::from_str_radix(digits, 16).ok()).flatten().map(|unit| (unit, after))
}

fn flush(units: &mut Vec<u16>, decoded: &mut String) {
    let drained = units.drain(..);
    decoded.extend(char::decode_utf16(drained).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)));
}

/// What an element of that name with that text holds.
///
/// # Shape
///
/// None if no primitive has that name; [`Value::Unread`] if the text is not of the kind.
pub(super) fn primitive<'t>(name: &str, text: Cow<'t, str>) -> Option<Value<'t>> {
    let kind = match name {
        "S" => Kind::Text,
        "D" | "Sg" | "Db" => Kind::Number,
        "DT" => Kind::DateTime,
        "TS" => Kind::TimeSpan,
        "G" => Kind::Guid,
        "URI" => Kind::Uri,
        "Version" => Kind::Version,
        "XD" => Kind::Xml,
        "SBK" => Kind::Script,
        "C" => return Some(character(&text)),
        "B" => return Some(boolean(&text)),
        _ => return Some(integer(range(name)?, &text)),
    };
    let text =
        if matches!(kind, Kind::Text | Kind::Xml | Kind::Script) { text } else { trim(text) };
    let text = unescape(text);
    Some(if is_of_kind(kind, &text) { Value::Text(kind, text) } else { Value::Unread })
}

fn is_of_kind(kind: Kind, text: &str) -> bool {
    let of =
        |all: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || all.contains(c));
    match kind {
        Kind::Number => {
            matches!(text, "INF" | "-INF" | "NaN") || (of("+-.eE") && text.parse::<f64>().is_ok())
        }
        Kind::DateTime => of("-:.TZ+"),
        Kind::TimeSpan => of("-PYMDTHS."),
        Kind::Guid => text.len() == 36 && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-'),
        Kind::Version => of("."),
        Kind::Text | Kind::Char | Kind::Uri | Kind::Xml | Kind::Script => true,
    }
}

fn trim(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim()),
        Cow::Owned(text) => Cow::Owned(text.trim().to_owned()),
    }
}

/// Least and greatest number that an element of that name can hold.
fn range(name: &str) -> Option<(i128, i128)> {
    Some(match name {
        "By" => (0, u8::MAX.into()),
        "SB" => (i8::MIN.into(), i8::MAX.into()),
        "U16" => (0, u16::MAX.into()),
        "I16" => (i16::MIN.into(), i16::MAX.into()),
        "U32" => (0, u32::MAX.into()),
        "I32" => (i32::MIN.into(), i32::MAX.into()),
        "U64" => (0, u64::MAX.into()),
        "I64" => (i64::MIN.into(), i64::MAX.into()),
        _ => return None,
    })
}

fn integer((least, greatest): (i128, i128), text: &str) -> Value<'static> {
    let number = text.trim().parse::<i128>().ok();
    let number = number.filter(|number| (least..=greatest).contains(number));
    number.map_or(Value::Unread, Value::Int)
}

fn boolean(text: &str) -> Value<'static> {
    match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Value::Bool(true),
        text if text.eq_ignore_ascii_case("false") => Value::Bool(false),
        _ => Value::Unread,
    }
}

/// A character is written as the number of its UTF-16 unit.
fn character(text: &str) -> Value<'static> {
    let Ok(unit) = text.trim().parse::<u16>() else { return Value::Unread };
    let c = char::from_u32(unit.into()).unwrap_or(char::REPLACEMENT_CHARACTER);
    Value::Text(Kind::Char, Cow::Owned(c.into()))
}

/// An instant as RFC 3339 from a date of WMI: `20210929115907.020592-420`, the offset in minutes.
///
/// # Shape
///
/// To the second. None for intervals, for dates with parts left open (`*`), for impossible dates.
///
/// # Source
///
/// Microsoft Learn, "`CIM_DATETIME`" (WMI).
pub(in crate::import) fn wmi_date(text: &str) -> Option<String> {
    let (stamp, rest) = text.split_once('.')?;
    let fraction = rest.get(..6)?;
    let sign = rest.get(6..7).filter(|sign| matches!(*sign, "+" | "-"))?;
    let offset = rest.get(7..)?;
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(stamp, 14) || !digits(fraction, 6) || !digits(offset, 3) {
        return None;
    }
    let part = |from: usize, to: usize| stamp.get(from..to).unwrap_or_default();
    let minutes: u32 = offset.parse().ok()?;
    instant(format!(
        "{}-{}-{}T{}:{}:{}{sign}{:02}:{:02}",
        part(0, 4),
        part(4, 6),
        part(6, 8),
        part(8, 10),
        part(10, 12),
        part(12, 14),
        minutes / 60,
        minutes % 60
    ))
}

/// An instant as RFC 3339 from a `DT`, to the second; none without an offset: it could be any.
pub(in crate::import) fn date_time(text: &str) -> Option<String> {
    let (stamp, rest) = text.split_at_checked(19)?;
    let offset = rest.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit());
    instant(format!("{stamp}{offset}"))
}

/// The text, if it is an instant, and not the one that .NET means by "never".
fn instant(text: String) -> Option<String> {
    (!text.starts_with("0001-") && Instant::parse(&text).is_some()).then_some(text)
}
