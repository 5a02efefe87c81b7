//! Windows that are over: a plan for yesterday is judged as one for tomorrow is, and it must be said.

use crate::facts::time::say_duration;
use crate::finding::Severity;
use crate::plan::hazard::{Given, Hazard, Judged, kind, sort};

impl Judged {
    /// Says so if the window opened before the facts were observed, or is over at `now`, in seconds since
    /// 1970.
    pub fn tell_past(&mut self, given: Given<'_>, now: i64) {
        let window = &given.plan.window;
        let observed = given.facts.files().iter().map(|file| file.observed_at.seconds()).max();
        let late = observed.map(|observed| observed - window.start).filter(|late| *late > 0);
        let closed = window.start.saturating_add(window.checks_until.max(window.end));
        // Facts from within the window may be meant: part of the plan is done by then.
        let is_over = closed < now || observed.is_some_and(|observed| observed >= closed);
        let (message, help) = if let Some(late) = late {
            let opened = format!("{} {}", given.clock.date(0), given.clock.show(0));
            (
                format!(
                    "the window opened at {opened}, {} before the facts were observed",
                    say_duration(late)
                ),
                "the facts may show what the plan was to change: give those from before it, or mend the date",
            )
        } else if closed < now {
            let end = given.clock.date_time(closed - window.start);
            (
                format!(
                    "the window closed at {}, {} before this check",
                    given.clock.local(&end),
                    say_duration(now - closed)
                ),
                "mend the date, and check the plan with facts of today",
            )
        } else {
            return;
        };
        let Some(kind) = kind("plan-window-past") else { return };
        for hazards in [&mut self.hazards, &mut self.expected_hazards, &mut self.lucky_hazards] {
            let mut hazard = Hazard::new(kind, None, message.clone(), given.plan.place);
            if is_over {
                hazard.severity = Severity::Error;
            }
            hazard.help.push(help.to_owned());
            hazards.push(hazard);
            sort(hazards);
        }
    }
}
