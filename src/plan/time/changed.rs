//! Clocks that are changed while a plan runs, and times of other zones in texts.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use crate::plan::time::Clock;

impl Clock {
    /// The changes of the clocks between the opening of the window and a later second: when, and what is
    /// changed, in words.
    #[must_use]
    pub fn changes(&self, to: i64) -> Vec<(i64, String)> {
        let (Ok(start), Ok(end)) = (
            Timestamp::from_second(self.start),
            Timestamp::from_second(self.start.saturating_add(to)),
        ) else {
            return Vec::new();
        };
        let mut before = self.zone.to_offset(start);
        let mut changes = Vec::new();
        for change in self.zone.following(start).take_while(|change| change.timestamp() <= end) {
            let (at, after) = (change.timestamp(), change.offset());
            // Zones change their names without changing the clocks, too.
            if after != before {
                let way = if after < before { "back" } else { "forward" };
                let (from, to) = (clock(at, before), clock(at, after));
                let said = format!("the clocks are put {way} from {from} to {to}");
                changes.push((at.as_second().saturating_sub(self.start), said));
            }
            before = after;
        }
        changes
    }

    /// A text in which each RFC 3339 time is one of the plan's zone: `2008-11-15 23:00+01:00`.
    #[must_use]
    pub fn local(&self, text: &str) -> String {
        let mut said = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, from) = rest.split_at(at);
            let is_part =
                |c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | '+' | 'T' | 'Z');
            let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
            let (word, behind) = from.split_at(end);
            // A full stop ends the sentence, not the time.
            let time = word.trim_end_matches(|c: char| c != 'Z' && !c.is_ascii_digit());
            said.push_str(before);
            match time.parse::<Timestamp>().ok().filter(|_| time.contains('T')) {
                Some(stamp) => {
                    let there = stamp.to_zoned(self.zone.clone());
                    let form = match there.second() {
                        0 => "%Y-%m-%d %H:%M%:z",
                        _ => "%Y-%m-%d %H:%M:%S%:z",
                    };
                    said.push_str(&there.strftime(form).to_string());
                    said.push_str(word.get(time.len()..).unwrap_or_default());
                }
                None => said.push_str(word),
            }
            rest = behind;
        }
        said.push_str(rest);
        said
    }
}

fn clock(at: Timestamp, offset: Offset) -> String {
    at.to_zoned(TimeZone::fixed(offset)).strftime("%H:%M%:z").to_string()
}

#[cfg(test)]
mod tests {
    use crate::plan::time::Clock;

    /// 2009-10-24 22:00 in Berlin, before the clocks are put back.
    const OCTOBER: i64 = 1_256_414_400;

    #[test]
    fn changes_of_the_clocks_are_told() {
        let clock = Clock::new("Europe/Berlin", OCTOBER);
        let back = "the clocks are put back from 03:00+02:00 to 02:00+01:00";
        assert_eq!(clock.changes(9 * 3_600), [(5 * 3_600, back.to_owned())]);
        assert!(clock.changes(5 * 3_600 - 1).is_empty());
        // Half an hour on Lord Howe Island.
        let clock = Clock::new("Australia/Lord_Howe", 1_254_578_400);
        let said: Vec<String> = clock.changes(86_400).into_iter().map(|(_, said)| said).collect();
        assert_eq!(said, ["the clocks are put forward from 02:00+10:30 to 02:30+11:00"]);
        assert!(Clock::new("UTC", OCTOBER).changes(i64::MAX).is_empty());
    }

    #[test]
    fn times_in_texts_become_those_of_the_zone() {
        let clock = Clock::new("Europe/Berlin", OCTOBER);
        for (text, said) in [
            ("upgraded at 2009-10-24T22:00:00Z.", "upgraded at 2009-10-25 00:00+02:00."),
            ("2009-10-25T03:00:05Z, 8.1.278.2", "2009-10-25 04:00:05+01:00, 8.1.278.2"),
            ("2009-10-24T22:00:00-05:00", "2009-10-25 04:00+01:00"),
            ("EX01/SG1 2009-10-24 22:00 (4350)", "EX01/SG1 2009-10-24 22:00 (4350)"),
            ("\u{e4} 2009-99-24T22:00:00Z", "\u{e4} 2009-99-24T22:00:00Z"),
        ] {
            assert_eq!(clock.local(text), said);
        }
    }
}
