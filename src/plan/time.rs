//! Wall-clock times with their zones, at the edges of a plan; inside, all times are seconds.

mod changed;

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::{AmbiguousOffset, AmbiguousZoned, Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use crate::diagnostic::Diagnostic;
use crate::source::Node;

/// Which of two instants a local time means, where the clocks are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prefer {
    /// The first.
    Earlier,
    /// The second.
    Later,
}

impl Prefer {
    /// By its name in plan files.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "earlier" => Some(Self::Earlier),
            "later" => Some(Self::Later),
            _ => None,
        }
    }
}

/// A time zone.
#[derive(Clone, Debug)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// The zone of that IANA name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().filter(|zone| !zone.is_unknown()).map(Self)
    }

    /// The zone whose clocks are always this many minutes ahead of UTC.
    #[must_use]
    pub fn fixed(minutes: i64) -> Option<Self> {
        let seconds = i32::try_from(minutes.checked_mul(60)?).ok()?;
        Some(Self(TimeZone::fixed(Offset::from_seconds(seconds).ok()?)))
    }

    /// The instants within a stretch of seconds since 1970, its end not among them, at which clocks show
    /// one of `times` on one of `days`, by their English names in small letters; every day if there are none
    /// given. A time that clocks skip counts as the one that they show instead.
    ///
    /// # Errors
    ///
    /// The first text that is no time of day.
    pub fn daily(
        &self,
        times: &[String],
        days: Option<&[String]>,
        from: i64,
        to: i64,
    ) -> Result<Vec<i64>, String> {
        let clocks = times.iter().map(|text| text.parse::<Time>().map_err(|_| text.clone()));
        let clocks = clocks.collect::<Result<Vec<Time>, String>>()?;
        let mut found = Vec::new();
        let Ok(first) = Timestamp::from_second(from) else { return Ok(found) };
        let mut day = first.to_zoned(self.0.clone()).date().yesterday().ok();
        while let Some(date) = day {
            let name = weekday(date.weekday());
            let is_due = days.is_none_or(|days| days.iter().any(|day| day == name));
            let mut is_past = false;
            for clock in &clocks {
                let Ok(at) = date.to_datetime(*clock).to_zoned(self.0.clone()) else { continue };
                let at = at.timestamp().as_second();
                is_past |= at >= to;
                if is_due && at >= from && at < to {
                    found.push(at);
                }
            }
            if is_past || clocks.is_empty() {
                break;
            }
            day = date.tomorrow().ok();
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Whether its clocks are so many minutes ahead of UTC at a second since 1970.
    #[must_use]
    pub fn is_ahead(&self, minutes: i64, at: i64) -> bool {
        let offset = Timestamp::from_second(at).ok().map(|at| self.0.to_offset(at));
        offset.is_some_and(|offset| i64::from(offset.seconds()) == minutes.saturating_mul(60))
    }

    /// Its IANA name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The instant after which a day, written `2008-12-01`, is over; none if there is no such day.
    #[must_use]
    pub fn end_of_day(&self, text: &str) -> Option<i64> {
        let day: Date = text.parse().ok()?;
        let next = day.tomorrow().ok()?.to_zoned(self.0.clone()).ok()?;
        Some(next.timestamp().as_second())
    }
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "monday",
        Weekday::Tuesday => "tuesday",
        Weekday::Wednesday => "wednesday",
        Weekday::Thursday => "thursday",
        Weekday::Friday => "friday",
        Weekday::Saturday => "saturday",
        Weekday::Sunday => "sunday",
    }
}

/// Reads `2008-11-15T22:00[Europe/Berlin]`: seconds since 1970, and the zone.
///
/// # Errors
///
/// Another text, an unknown zone, a day that no calendar has, a time that comes twice or not at all.
pub fn read(node: &Node, prefer: Option<Prefer>) -> Result<(i64, Zone), Diagnostic> {
    let text = node.as_str().unwrap_or_default();
    let parts =
        text.split_once('[').and_then(|(local, zone)| Some((local, zone.strip_suffix(']')?)));
    let Some((local, name)) = parts.filter(|(local, _)| is_local(local)) else {
        let message = format!("`{text}` is not a date and time with the name of its zone");
        return Err(Diagnostic::error("wrong-format", message)
            .at(node.place)
            .help("write it like `\"2008-11-15T22:00[Europe/Berlin]\"`"));
    };
    let Some(zone) = Zone::named(name) else {
        let names: Vec<String> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let message = format!("there is no time zone `{name}`");
        return Err(Diagnostic::error("unknown-zone", message)
            .at(node.place)
            .suggest(name, names.iter().map(String::as_str))
            .help("zones have the names of the IANA database: `Europe/Berlin`, `UTC`"));
    };
    let Ok(time) = local.parse::<DateTime>() else {
        let message = format!("there is no day or time `{local}`");
        return Err(Diagnostic::error("wrong-format", message).at(node.place));
    };
    let zoned = zone.0.to_ambiguous_zoned(time);
    let problem = changed_clocks(time, &zone, &zoned).filter(|_| prefer.is_none());
    if let Some(problem) = problem {
        return Err(problem.at(node.place));
    }
    let zoned = match prefer {
        Some(Prefer::Later) => zoned.later(),
        Some(Prefer::Earlier) | None => zoned.earlier(),
    };
    let Ok(zoned) = zoned else {
        let message = format!("`{local}` is too far from now");
        return Err(Diagnostic::error("out-of-range", message).at(node.place));
    };
    Ok((zoned.timestamp().as_second(), zone))
}

/// Names of zones that say themselves that no clock is ever changed.
const UNIVERSAL: [&str; 6] = ["UTC", "UCT", "GMT", "Etc/UTC", "Etc/UCT", "Etc/GMT"];

/// That the name of a time's zone is an abbreviation, or an offset, which hides whether clocks are changed.
pub(in crate::plan) fn nameless(node: &Node, time: i64, zone: &Zone) -> Option<Diagnostic> {
    let (_, name) = node.as_str()?.split_once('[')?;
    let name = name.strip_suffix(']')?;
    let is_short = name.len() > 2
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        && !["PRC", "ROC", "ROK"].contains(&name);
    if (!is_short && !name.starts_with("Etc/")) || UNIVERSAL.contains(&name) {
        return None;
    }
    let ahead = Clock { zone: zone.0.clone(), start: time }.offset(0);
    let message = format!("`{name}` hides whether clocks are changed: this time counts as {ahead}");
    let problem = Diagnostic::warning("zone-without-place", message).at(node.place);
    Some(problem.help("name the zone after a place, such as `Europe/Berlin`"))
}

/// Whether it is a date and time without an offset.
fn is_local(text: &str) -> bool {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    matches!(text.len(), 16 | 19)
        && text.char_indices().all(|(at, c)| match at {
            4 | 7 => c == '-',
            10 => c == 'T',
            13 | 16 => c == ':',
            _ => is_digit(at),
        })
}

/// What is wrong with a time in the night in which the clocks are changed.
fn changed_clocks(time: DateTime, zone: &Zone, zoned: &AmbiguousZoned) -> Option<Diagnostic> {
    let (clock, day, name) = (time.strftime("%H:%M"), time.date(), zone.name());
    let (code, message) = match zoned.offset() {
        AmbiguousOffset::Unambiguous { .. } => return None,
        AmbiguousOffset::Fold { before, after } => (
            "time-comes-twice",
            format!(
                "{clock} comes twice on {day} in `{name}`: first at {}, then at {}",
                full(before),
                full(after)
            ),
        ),
        AmbiguousOffset::Gap { .. } => (
            "time-left-out",
            format!("there is no {clock} on {day} in `{name}`: the clocks are put forward"),
        ),
    };
    let help = "say which is meant: `prefer: earlier` or `prefer: later` under `window`";
    Some(Diagnostic::error(code, message).help(help))
}

/// An offset with its minutes: `+01:00`.
fn full(offset: Offset) -> String {
    let text = offset.to_string();
    if text.contains(':') { text } else { format!("{text}:00") }
}

/// Shows seconds of a plan as times of its zone.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
    /// When the window opens, in seconds since 1970.
    start: i64,
}

impl Clock {
    /// For a window that opens at `start`, in seconds since 1970; without such a zone times are in UTC.
    #[must_use]
    pub fn new(zone: &str, start: i64) -> Self {
        let zone = Zone::named(zone).map_or(TimeZone::UTC, |zone| zone.0);
        Self { zone, start }
    }

    /// `22:05`, and `02:30+01:00` where 02:30 comes twice because the clocks are set back, or where the
    /// clocks have been changed since the window opened.
    #[must_use]
    pub fn show(&self, seconds: i64) -> String {
        let at = self.at(seconds);
        let is_other = at.offset() != self.at(0).offset();
        let form = if is_other || self.comes_twice(&at) { "%H:%M%:z" } else { "%H:%M" };
        at.strftime(form).to_string()
    }

    /// As [`Clock::show`], with the date where it is another day than the one on which the window opens.
    #[must_use]
    pub fn show_day(&self, seconds: i64) -> String {
        let at = self.at(seconds);
        let clock = self.show(seconds);
        if at.date() == self.at(0).date() { clock } else { format!("{} {clock}", at.date()) }
    }

    /// `2008-11-15T22:05[Europe/Berlin]`, as plan files have it.
    #[must_use]
    pub fn written(&self, seconds: i64) -> String {
        let at = self.at(seconds);
        let form = if at.second() == 0 { "%Y-%m-%dT%H:%M" } else { "%Y-%m-%dT%H:%M:%S" };
        format!("{}[{}]", at.strftime(form), self.zone.iana_name().unwrap_or("UTC"))
    }

    /// `2008-11-15`.
    #[must_use]
    pub fn date(&self, seconds: i64) -> String {
        self.at(seconds).date().to_string()
    }

    /// `2008-11-15T22:05:00+01:00`, as JSON has it.
    #[must_use]
    pub fn date_time(&self, seconds: i64) -> String {
        self.at(seconds).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// How far local time is ahead of UTC then: `+01:00`.
    #[must_use]
    pub fn offset(&self, seconds: i64) -> String {
        self.at(seconds).strftime("%:z").to_string()
    }

    fn at(&self, seconds: i64) -> Zoned {
        let since_1970 = self.start.saturating_add(seconds);
        let edge = if since_1970 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        let stamp = Timestamp::from_second(since_1970).unwrap_or(edge);
        stamp.to_zoned(self.zone.clone())
    }

    fn comes_twice(&self, at: &Zoned) -> bool {
        let zoned = self.zone.to_ambiguous_zoned(at.datetime());
        matches!(zoned.offset(), AmbiguousOffset::Fold { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, Prefer, Zone, nameless, read};
    use crate::source::{Sources, read as tree};

    fn seconds(text: &str, prefer: Option<Prefer>) -> Result<i64, String> {
        let mut sources = Sources::default();
        let file = sources.add("t", format!("\"{text}\"").as_bytes()).unwrap();
        let node = tree(&sources, file).unwrap();
        let read = read(&node, prefer).map(|(seconds, _)| seconds);
        read.map_err(|problem| format!("{}: {}", problem.code, problem.message))
    }

    #[test]
    fn the_night_in_which_clocks_are_set_back_has_an_hour_more() {
        let from = seconds("2009-10-24T22:00[Europe/Berlin]", None).unwrap();
        let to = seconds("2009-10-25T06:00[Europe/Berlin]", None).unwrap();
        assert_eq!(to - from, 9 * 3600);
        let from = seconds("2009-03-28T22:00[Europe/Berlin]", None).unwrap();
        let to = seconds("2009-03-29T06:00:00[europe/berlin]", None).unwrap();
        assert_eq!(to - from, 7 * 3600);
    }

    #[test]
    fn a_time_that_comes_twice_needs_a_word() {
        let twice = "2009-10-25T02:30[Europe/Berlin]";
        let refused = seconds(twice, None).unwrap_err();
        assert_eq!(
            refused,
            "time-comes-twice: 02:30 comes twice on 2009-10-25 in `Europe/Berlin`: first at +02:00, then at +01:00"
        );
        let first = seconds(twice, Some(Prefer::Earlier)).unwrap();
        let second = seconds(twice, Some(Prefer::Later)).unwrap();
        assert_eq!(second - first, 3600);
        let gap = "2009-03-29T02:30[Europe/Berlin]";
        assert!(seconds(gap, None).unwrap_err().starts_with("time-left-out: there is no 02:30 on"));
        let earlier = seconds(gap, Some(Prefer::Earlier)).unwrap();
        let later = seconds(gap, Some(Prefer::Later)).unwrap();
        assert_eq!(later - earlier, 3600);
    }

    #[test]
    fn other_texts_are_refused() {
        for (text, code) in [
            ("22:00", "wrong-format"),
            ("2008-11-15T22:00", "wrong-format"),
            ("2008-11-15T22:00+01:00[Europe/Berlin]", "wrong-format"),
            ("2008-11-15T22:00[Europe/Berlin", "wrong-format"),
            ("2008-11-31T22:00[Europe/Berlin]", "wrong-format"),
            ("2008-11-15T24:00[Europe/Berlin]", "wrong-format"),
            ("ä008-11-15T22:00[Europe/Berlin]", "wrong-format"),
            ("2008-11-15T22:00[Europe/Belrin]", "unknown-zone"),
            ("2008-11-15T22:00[]", "unknown-zone"),
            ("2008-11-15T22:00[Etc/Unknown]", "unknown-zone"),
        ] {
            let refused = seconds(text, None).unwrap_err();
            assert!(refused.starts_with(&format!("{code}: ")), "{text}: {refused}");
        }
    }

    #[test]
    fn a_zone_without_a_place_is_told() {
        let told = |name: &str| {
            let mut sources = Sources::default();
            let text = format!("\"2009-07-01T22:00[{name}]\"");
            let file = sources.add("t", text.as_bytes()).unwrap();
            let node = tree(&sources, file).unwrap();
            let (time, zone) = read(&node, None).unwrap();
            nameless(&node, time, &zone).map(|problem| problem.message)
        };
        let hides = "hides whether clocks are changed: this time counts as";
        assert_eq!(told("CET"), Some(format!("`CET` {hides} +02:00")));
        assert_eq!(told("Etc/GMT+5"), Some(format!("`Etc/GMT+5` {hides} -05:00")));
        for name in ["UTC", "Europe/Berlin", "Japan", "GB"] {
            assert_eq!(told(name), None, "{name}");
        }
    }

    #[test]
    fn times_are_shown_in_the_zone() {
        let start = seconds("2008-11-15T22:00[Europe/Berlin]", None).unwrap();
        let clock = Clock::new("Europe/Berlin", start);
        assert_eq!(clock.show(299), "22:04");
        assert_eq!(clock.show(300), "22:05");
        assert_eq!(clock.date_time(300), "2008-11-15T22:05:00+01:00");
        assert_eq!(clock.show_day(300), "22:05");
        assert_eq!(clock.show_day(7_200), "2008-11-16 00:00");
        assert_eq!((clock.date(0), clock.offset(0)), ("2008-11-15".into(), "+01:00".into()));
        assert!(!clock.date_time(i64::MAX).is_empty() && !clock.date_time(i64::MIN).is_empty());
        let start = seconds("2009-10-24T22:00[Europe/Berlin]", None).unwrap();
        let clock = Clock::new("Europe/Berlin", start);
        let night: Vec<String> = (3..8).map(|hour| clock.show(hour * 3_600)).collect();
        let shown = ["01:00", "02:00+02:00", "02:00+01:00", "03:00+01:00", "04:00+01:00"];
        assert_eq!(night, shown);
    }

    #[test]
    fn a_day_ends_when_the_next_begins() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        assert_eq!(
            zone.end_of_day("2008-12-01"),
            seconds("2008-12-02T00:00[Europe/Berlin]", None).ok()
        );
        assert_eq!(zone.end_of_day("2008-02-30"), None);
    }
}
