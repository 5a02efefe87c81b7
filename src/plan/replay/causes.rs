//! Causes: when they appear and when they are gone.

use std::collections::BTreeSet;

use crate::plan::replay::Replay;
use crate::plan::replay::read::{Event, Kind, Phase};

/// When, and with which step.
type Mark<'r> = (i64, Option<&'r str>);

impl<'a> Replay<'a> {
    pub(super) fn causes(&mut self) {
        let report = self.report;
        for (number, cause) in report.causes.iter().enumerate() {
            let opened = self.marks_of(number, Kind::Opened);
            let closed = self.marks_of(number, Kind::Closed);
            let wanted = (cause.opened_at, cause.opened_by.as_deref());
            self.expect(opened == [wanted], || {
                format!("cause {number} appears {wanted:?}, by the events {opened:?}")
            });
            let wanted: Vec<Mark<'_>> =
                cause.closed_at.map(|at| (at, cause.closed_by.as_deref())).into_iter().collect();
            self.expect(closed == wanted, || {
                format!("cause {number} is gone {wanted:?}, by the events {closed:?}")
            });
            let is_ordered = cause.closed_at.is_none_or(|closed| cause.opened_at <= closed);
            self.expect(is_ordered, || format!("cause {number} is gone before it appears"));
        }
        for step in &report.steps {
            for (kind, told) in [(Kind::Opened, &step.opened), (Kind::Closed, &step.closed)] {
                let of_step =
                    |event: &&Event| event.kind == kind && event.step.as_ref() == Some(&step.id);
                let events = report.events.iter().filter(of_step);
                let seen: BTreeSet<usize> =
                    events.flat_map(|event| event.causes.iter().copied()).collect();
                let told: BTreeSet<usize> = told.iter().copied().collect();
                self.expect(seen == told, || {
                    format!("causes {told:?} are {kind:?} with {}, by the events {seen:?}", step.id)
                });
            }
        }
        self.consequences();
    }

    fn marks_of(&self, cause: usize, kind: Kind) -> Vec<Mark<'a>> {
        let of_cause = |event: &&Event| event.kind == kind && event.causes.contains(&cause);
        let events = self.report.events.iter().filter(of_cause);
        events.map(|event| (event.time, event.step.as_deref())).collect()
    }

    /// A cause that appears on the way has its consequence before anything else begins or ends.
    fn consequences(&mut self) {
        let (report, film) = (self.report, self.film);
        for (position, event) in report.events.iter().enumerate() {
            if event.kind != Kind::Opened || event.step.is_none() {
                continue;
            }
            let later = report.events.iter().enumerate().skip(position + 1);
            let mut next = later.filter(|(_, event)| is_of_step(event.kind)).map(|(next, _)| next);
            let until = next.next().unwrap_or(report.events.len());
            let causes = event.causes.iter().filter_map(|cause| report.causes.get(*cause));
            for cause in causes.filter(|cause| !cause.is_obstacle) {
                for key in &cause.objects {
                    let phase = film.state_after(key, until);
                    self.expect(phase != Phase::Good, || {
                        format!("a cause appears at {} and {key} is still good", event.time)
                    });
                }
            }
        }
    }
}

fn is_of_step(kind: Kind) -> bool {
    matches!(kind, Kind::Begin | Kind::End | Kind::NothingToDo | Kind::Refused | Kind::BrokenOff)
}
