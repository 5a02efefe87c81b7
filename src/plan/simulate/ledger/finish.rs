//! The trace as it is handed out: up to the horizon, without states that last no time.
//!
//! Times are half open. What ends at the horizon has ended: the last state of an object is the one behind that
//! second, even if nothing is left of it. What begins then and goes on lies behind the horizon.

use crate::plan::simulate::ledger::{Ledger, doubts};
use crate::plan::simulate::queue::Queue;
use crate::plan::trace::{Interval, StepStatus, Trace};
use crate::plan::world::World;

impl Ledger {
    pub(in crate::plan::simulate) fn finish(mut self, world: &World<'_>, queue: &Queue) -> Trace {
        let horizon = self.horizon;
        let closing = self.closing.take();
        for (row, (object, points)) in self.objects.iter_mut().zip(&self.points).enumerate() {
            let is_in_time = |from: i64| from < horizon || (from == horizon && closing.is_none());
            object.intervals.retain(|interval| is_in_time(interval.from) || interval.from == 0);
            if let Some(Some(last)) = closing.as_ref().and_then(|closing| closing.get(row)) {
                object.intervals.retain(|interval| interval.from < last.from);
                object.intervals.push(last.clone());
            }
            if let Some(last) = object.intervals.last_mut() {
                last.to = horizon;
            }
            merge(&mut object.intervals);
            let exposed = || object.intervals.iter().filter(|one| one.phase.is_exposed());
            object.exposure = exposed().map(|one| one.to - one.from).sum();
            object.oldest_point = oldest(exposed(), points);
        }
        self.objects.sort_by(|a, b| a.key.cmp(&b.key));
        // Jobs that begin by themselves go on behind the plan.
        let written = self.steps.iter().take(self.written);
        let ran = written.filter(|step| step.status == StepStatus::Done);
        let end = ran.filter_map(|step| step.end).max().unwrap_or(0);
        let left = doubts(world);
        Trace {
            steps: self.steps,
            objects: self.objects,
            causes: self.causes,
            doubts: self.doubts.into_iter().chain(left.clone()).collect(),
            left,
            end,
            facts: world.facts.clone(),
            events: self.events,
            slots: queue.slots(),
        }
    }
}

/// The greatest age of the newest recovery point in these times; none if it is not known in one of them.
fn oldest<'t>(
    times: impl Iterator<Item = &'t Interval>,
    points: &[(i64, Option<i64>)],
) -> Option<i64> {
    let mut oldest = None;
    for time in times {
        let known = points.iter().rev().find(|(since, _)| *since <= time.from);
        let later = points.iter().filter(|(since, _)| *since > time.from && *since < time.to);
        let newest: Vec<(i64, Option<i64>)> = known.into_iter().chain(later).copied().collect();
        for (position, (since, point)) in newest.iter().enumerate() {
            let until = newest.get(position + 1).map_or(time.to, |(next, _)| *next);
            if until > *since {
                oldest = oldest.max(Some(until - (*point)?));
            }
        }
    }
    oldest
}

/// States that last no time, and neighbours that are alike, are none of their own.
fn merge(intervals: &mut Vec<Interval>) {
    let all = std::mem::take(intervals);
    let count = all.len();
    for (position, next) in all.into_iter().enumerate() {
        if next.from == next.to && position + 1 < count {
            continue;
        }
        match intervals.last_mut() {
            Some(last) if last.is_like(&next) => {
                last.to = next.to;
                last.caused_by = next.caused_by;
            }
            _ => intervals.push(next),
        }
    }
}
