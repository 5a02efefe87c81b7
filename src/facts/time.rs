//! Instants and durations as whole seconds; the home of `jiff`.

use std::fmt;
use std::sync::Arc;

use jiff::{SpanRelativeTo, Timestamp, Unit};

/// An instant.
///
/// # Shape
///
/// Whole seconds since 1970-01-01T00:00:00Z; fractions in the text are cut off.
#[derive(Clone, Debug)]
pub struct Instant {
    seconds: i64,
    text: Arc<str>,
}

impl Instant {
    /// Reads RFC 3339 with an offset; none if `text` is something else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let stamp: Timestamp = text.parse().ok()?;
        Some(Self { seconds: stamp.as_second(), text: text.into() })
    }

    /// The instant that many seconds after 1970-01-01T00:00:00Z; none outside the years -9999 to 9999.
    #[must_use]
    pub fn from_seconds(seconds: i64) -> Option<Self> {
        let stamp = Timestamp::from_second(seconds).ok()?;
        Some(Self { seconds, text: stamp.to_string().into() })
    }

    /// 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn epoch() -> Self {
        Self { seconds: 0, text: "1970-01-01T00:00:00Z".into() }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.seconds
    }

    /// The text it was read from, or RFC 3339 in UTC.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }
}

impl PartialEq for Instant {
    fn eq(&self, other: &Self) -> bool {
        self.seconds == other.seconds
    }
}

impl Eq for Instant {}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Seconds of a duration written `90m`, `1h30m`, `2d` or `PT1H30M`; a day has 24 hours.
#[must_use]
pub fn parse_duration(text: &str) -> Option<i64> {
    let span: jiff::Span = text.parse().ok()?;
    let relative = SpanRelativeTo::days_are_24_hours();
    let seconds = span.total((Unit::Second, relative)).ok()?;
    #[expect(clippy::cast_possible_truncation, reason = "a span is far below 2^53 seconds")]
    (seconds >= 0.0).then_some(seconds as i64)
}

/// A duration as a person says it: `45 s`, `90 min`, `2 h 5 min`, `3 d 4 h`, `17 years`.
#[must_use]
pub fn say_duration(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let total = seconds.unsigned_abs();
    let (days, hours, minutes) = (total / 86_400, total / 3_600 % 24, total / 60 % 60);
    let two = |big: u64, unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{sign}{big} {unit}"),
        _ => format!("{sign}{big} {unit} {small} {small_unit}"),
    };
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{total} s"),
        (0, 0, _) => format!("{sign}{minutes} min"),
        (0, _, _) => two(hours, "h", minutes, "min"),
        (730.., ..) => format!("{sign}{} years", days / 365),
        _ => two(days, "d", hours, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Instant, parse_duration, say_duration};

    #[test]
    fn durations_in_all_their_spellings() {
        for text in ["90m", "1h30m", "1h 30m", "PT1H30M", "5400s"] {
            assert_eq!(parse_duration(text), Some(5400), "{text}");
        }
        assert_eq!(parse_duration("2d"), Some(172_800));
        assert_eq!(parse_duration("soon"), None);
        assert_eq!(parse_duration("-5m"), None);
    }

    #[test]
    fn durations_are_said_briefly() {
        let said: Vec<String> =
            [5, 60, 3_600, 7_500, 90_000, -90, 63_072_000].map(say_duration).into();
        assert_eq!(said, ["5 s", "1 min", "1 h", "2 h 5 min", "1 d 1 h", "-1 min", "2 years"]);
    }

    #[test]
    fn instants_need_an_offset() {
        assert_eq!(
            Instant::parse("2009-05-04T18:00:00Z"),
            Instant::parse("2009-05-04T20:00:00.5+02:00")
        );
        assert!(Instant::parse("2009-05-04T18:00:00").is_none());
        assert!(Instant::parse("yesterday").is_none());
        assert!(Instant::from_seconds(i64::MAX).is_none());
    }
}
