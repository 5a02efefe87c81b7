//! Protected objects: their intervals, and what follows from them, second by second.

use std::collections::BTreeMap;

use crate::plan::replay::Replay;
use crate::plan::replay::read::{Interval, Object, Phase};

impl Replay<'_> {
    pub(super) fn objects(&mut self) {
        let (report, film) = (self.report, self.film);
        for (key, shots) in film.objects() {
            let is_told = report.objects.iter().filter(|object| object.key == key).count();
            let is_counted =
                shots.iter().any(|shot| shot.event == 0 || shot.phase != Phase::Outside);
            self.expect(is_told == usize::from(is_counted) || (is_told == 1), || {
                format!("{key} stands {is_told} times in the report")
            });
        }
        let seconds = self.seconds();
        for object in &report.objects {
            self.shape(object);
            self.second_by_second(object, &seconds);
        }
    }

    /// Intervals follow each other without gap, from the begin to the horizon, and tell something new each.
    fn shape(&mut self, object: &Object) {
        let key = &object.key;
        let horizon = self.horizon();
        let (first, last) = (object.intervals.first(), object.intervals.last());
        let (from, to) = (first.map(|one| one.from), last.map(|one| one.to));
        self.expect((from, to) == (Some(0), Some(horizon)), || {
            format!("{key} is told from {from:?} to {to:?}, not from 0 to {horizon}")
        });
        for one in &object.intervals {
            // What becomes of it in the second in which the window closes lasts no time.
            let is_last = one.from == horizon && one.to == horizon;
            self.expect(one.from < one.to || is_last, || {
                format!("{key} has a state from {} to {}", one.from, one.to)
            });
        }
        for (one, next) in object.intervals.iter().zip(object.intervals.iter().skip(1)) {
            self.expect(one.to == next.from, || {
                format!("{key} has a state to {}, and the next one is from {}", one.to, next.from)
            });
            let is_like = one.phase == next.phase
                && one.open == next.open
                && one.is_blocked == next.is_blocked;
            self.expect(!is_like, || format!("{key} is the same before and after {}", one.to));
        }
        for one in &object.intervals {
            self.expect(!one.is_blocked || one.phase == Phase::Bad, || {
                format!("{key} is {:?} at {}, and no check helps", one.phase, one.from)
            });
            for id in &one.caused_by {
                let step = self.report.steps.iter().find(|step| step.id == *id);
                let began = step.and_then(|step| step.start_seconds);
                self.expect(began.is_some_and(|began| began < one.to || began == one.from), || {
                    format!(
                        "{key} is {:?} at {} because of {id}, which begins later",
                        one.phase, one.from
                    )
                });
            }
        }
    }

    fn second_by_second(&mut self, object: &Object, seconds: &[i64]) {
        let film = self.film;
        let key = &object.key;
        let (mut exposure, mut oldest, mut is_known) = (0, None, true);
        let stands = self.standing_at(key, seconds);
        for (position, second) in seconds.iter().enumerate() {
            let next = seconds.get(position + 1).copied().unwrap_or(self.horizon());
            let is_now = |one: &&Interval| one.from <= *second && *second < one.to;
            let told: Vec<&Interval> = object.intervals.iter().filter(is_now).collect();
            let [told] = told.as_slice() else {
                self.wrong.push(format!("{key} has {} states at {second}", told.len()));
                continue;
            };
            let seen = film.during(key, *second);
            let phase = seen.map_or(Phase::Outside, |shot| shot.phase);
            self.expect(told.phase == phase, || {
                format!("{key} is {:?} at {second}, by the events {phase:?}", told.phase)
            });
            let open = stands.get(second).cloned().unwrap_or_default();
            self.expect(told.open == open, || {
                format!(
                    "causes {:?} stand for {key} at {second}, by the events {open:?}",
                    told.open
                )
            });
            if phase.is_exposed() {
                exposure += next - second;
                // A point may be newer, but in these seconds nothing changes.
                match seen.and_then(|shot| shot.point) {
                    Some(point) => oldest = oldest.max(Some(next - point)),
                    None => is_known = false,
                }
            }
        }
        self.expect(object.exposure_seconds == exposure, || {
            format!(
                "{key} is without protection for {} s, counted {exposure} s",
                object.exposure_seconds
            )
        });
        let oldest = oldest.filter(|_| is_known);
        self.expect(object.oldest_point_seconds == oldest, || {
            format!(
                "the newest recovery point of {key} is {:?} s old at worst, counted {oldest:?} s",
                object.oldest_point_seconds
            )
        });
        self.end(object);
    }

    /// How an object ends: behind what ends in the second in which the window closes.
    fn end(&mut self, object: &Object) {
        let key = &object.key;
        let closing = self.closing();
        let ends = self.film.after_event(key, closing);
        self.expect(object.ends == ends, || {
            format!("{key} ends {:?}, by the events {ends:?}", object.ends)
        });
        let Some(last) = object.intervals.last() else { return };
        let open = self.standing(key, closing);
        self.expect((last.phase, &last.open) == (ends, &open), || {
            format!(
                "{key} is {:?} with causes {:?} at the end, by the events {ends:?} with {open:?}",
                last.phase, last.open
            )
        });
    }

    /// The causes that stand for an object at each of these seconds.
    fn standing_at(&self, key: &str, seconds: &[i64]) -> BTreeMap<i64, Vec<usize>> {
        let standing = seconds.iter().map(|second| {
            let causes = self.report.causes.iter().enumerate();
            let stands = causes.filter(|(_, cause)| {
                cause.opened_at <= *second
                    && cause.closed_at.is_none_or(|closed| *second < closed)
                    && cause.objects.iter().any(|one| one == key)
            });
            (*second, stands.map(|(number, _)| number).collect())
        });
        standing.collect()
    }
}
