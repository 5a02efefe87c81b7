//! The formats that our schemas have beyond the standard's.

/// A name: not empty, no control characters.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

/// An absolute Windows path: `D:`, `D:\...`, `\\server\share...`, `\\?\...`.
///
/// # Source
///
/// Microsoft Learn, "Naming Files, Paths, and Namespaces": reserved characters, namespaces.
pub(super) fn is_windows_path(text: &str) -> bool {
    let bare = |rest: &str| {
        !rest.contains(|c: char| c.is_control() || matches!(c, '<' | '>' | '"' | '|' | '?' | '*'))
    };
    if let Some(rest) = text.strip_prefix(r"\\?\") {
        return !rest.is_empty() && bare(rest);
    }
    if let Some(rest) = text.strip_prefix(r"\\") {
        let mut parts = rest.split('\\');
        let named = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
        return named(parts.next()) && named(parts.next()) && bare(rest);
    }
    let mut chars = text.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
    let rest = chars.as_str();
    drive && (rest.is_empty() || rest.starts_with('\\')) && bare(rest)
}

/// One to four numbers below 2^31 between dots.
pub(super) fn is_version(text: &str) -> bool {
    let number = |part: &str| {
        part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u32>().is_ok_and(|number| i32::try_from(number).is_ok())
    };
    text.split('.').count() <= 4 && text.split('.').all(number)
}

/// A length of time: `90m`, `1h30m`, `2d`, or ISO 8601 without years and months (`PT1H30M`, `P1DT2H`).
pub(super) fn is_duration(text: &str) -> bool {
    let Some(iso) = text.strip_prefix('P') else { return is_run(text, "wdhms") };
    match iso.split_once('T') {
        Some((days, time)) => (days.is_empty() || is_run(days, "WD")) && is_run(time, "HMS"),
        None => is_run(iso, "WD"),
    }
}

/// A local date and time with the name of its zone: `2008-11-15T22:00[Europe/Berlin]`, seconds allowed.
///
/// Whether there is such a zone, and such a time in it, is not asked here.
pub(super) fn is_zoned_time(text: &str) -> bool {
    let Some((local, zone)) = text.split_once('[') else { return false };
    let zone = zone.strip_suffix(']').unwrap_or_default();
    let shape: String = local.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    matches!(&*shape, "0000-00-00T00:00" | "0000-00-00T00:00:00")
        && !zone.is_empty()
        && zone.chars().all(named)
}

/// A time of day as clocks show it: `20:00`.
pub(crate) fn is_clock_time(text: &str) -> bool {
    let below = |part: &str, limit: u8| {
        part.len() == 2
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && part.parse::<u8>().is_ok_and(|number| number < limit)
    };
    text.split_once(':').is_some_and(|(hour, minute)| below(hour, 24) && below(minute, 60))
}

/// Numbers with units, each unit at most once and in the order of `units`.
fn is_run(text: &str, units: &str) -> bool {
    let mut rest = text;
    let mut left = units;
    while !rest.is_empty() {
        let number = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = rest.len() - number.len();
        let mut chars = number.chars();
        let Some((_, after)) = chars.next().and_then(|unit| left.split_once(unit)) else {
            return false;
        };
        // Nine digits of weeks still fit 64 bits of seconds.
        if !(1..=9).contains(&digits) {
            return false;
        }
        (rest, left) = (chars.as_str(), after);
    }
    !text.is_empty()
}

/// What a text of format `name` is, and how it is written.
pub(super) fn describe(name: &str) -> (String, Option<&'static str>) {
    let (what, like) = match name {
        "name" => ("a name", "a name is not empty and has no control characters"),
        "windows-path" => (
            "an absolute Windows path",
            r"write it like `D:\Data\DB1.edb` or `\\server\share\DB1.edb`",
        ),
        "version" => ("a version", "write it like `8.1.240.6`: one to four numbers"),
        "duration-text" => ("a duration", "write it like `90m`, `1h30m`, `2d` or `PT1H30M`"),
        "zoned-time" => (
            "a date and time with the name of its zone",
            "write it like `\"2008-11-15T22:00[Europe/Berlin]\"`: a clock time alone says neither day nor zone",
        ),
        "date-time" => {
            ("a date and time with offset", "write it like `2009-05-04T18:00:00Z` or `...+02:00`")
        }
        "date" => ("a date", "write it like `2009-05-04`"),
        "clock-time" => {
            ("a time of day", "write it like `\"20:00\"`: from 00:00 to 23:59, in quotes")
        }
        "time" => ("a time with offset", "write it like `18:00:00Z`"),
        _ => return (format!("of the format `{name}`"), None),
    };
    (what.to_owned(), Some(like))
}
