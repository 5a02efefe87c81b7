//! A second opinion on a simulated plan: the report is replayed, the naive way.
//!
//! Nothing of the simulator is used here, nor of the rules: what the report says of time, people, locks, slots
//! and facts is followed event by event, and everything that it concludes is counted again, second by second.
//! Whether the *rules* are right is not asked. Slow where that is clearer.

mod causes;
mod checks;
mod claims;
mod film;
mod objects;
mod read;
mod steps;
mod waiting;

use serde_json::{Map, Value as Json};

use crate::plan::replay::film::Film;
use crate::plan::replay::read::{Event, Kind, Report};

/// Facts by the names of their objects, as `Facts::to_json` gives them.
pub type Estate = Map<String, Json>;

/// What a report on a plan claims and its own events do not bear out, in words; nothing if it is right.
///
/// `before` are the facts that the plan was judged with, `after` those that the simulation ended with.
#[must_use]
pub fn disagreements(report: &Json, before: &Estate, after: &Estate) -> Vec<String> {
    let report = match Report::read(report) {
        Ok(report) => report,
        Err(problem) => return vec![format!("the report cannot be read: {problem}")],
    };
    let mut wrong = Vec::new();
    let film = Film::new(&report, before, &mut wrong);
    film.ends_with(after, &mut wrong);
    let mut replay = Replay { report: &report, film: &film, wrong };
    replay.steps();
    replay.resources();
    replay.waiting();
    replay.checks();
    replay.refused();
    replay.causes();
    replay.objects();
    replay.totals();
    replay.hazards();
    replay.wrong
}

/// A report with what its events say, and what is wrong with it.
struct Replay<'a> {
    report: &'a Report,
    film: &'a Film<'a>,
    wrong: Vec<String>,
}

impl Replay<'_> {
    fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(otherwise());
        }
    }

    /// The first second that the report says nothing of.
    fn horizon(&self) -> i64 {
        self.report.plan.end_seconds.max(self.report.plan.checks_until_seconds)
    }

    /// How many events have happened when the window closes: those before the horizon, and those in its second until
    /// something begins that goes on behind it.
    fn closing(&self) -> usize {
        let horizon = self.horizon();
        let lasts = |event: &Event| {
            let step = self.report.steps.iter().find(|step| event.step.as_ref() == Some(&step.id));
            step.and_then(|step| step.takes_seconds).is_some_and(|takes| takes > 0)
        };
        let is_behind = |event: &Event| {
            let begins = event.kind == Kind::Begin && lasts(event);
            event.time > horizon || (event.time == horizon && begins)
        };
        self.report.events.iter().take_while(|event| !is_behind(event)).count()
    }

    /// All seconds before the horizon at which anything is said to happen; between them nothing does.
    fn seconds(&self) -> Vec<i64> {
        let events = self.report.events.iter().map(|event| event.time);
        let intervals = self.report.objects.iter().flat_map(|object| &object.intervals);
        let intervals = intervals.flat_map(|interval| [interval.from, interval.to]);
        let mut all: Vec<i64> = events.chain(intervals).chain([0]).collect();
        all.retain(|time| (0..self.horizon()).contains(time));
        all.sort_unstable();
        all.dedup();
        all
    }
}
