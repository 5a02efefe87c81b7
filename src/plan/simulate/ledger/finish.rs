//! The trace as it is handed out: up to the horizon, without states that last no time.

use crate::plan::simulate::ledger::Ledger;
use crate::plan::simulate::queue::Queue;
use crate::plan::trace::{Interval, Trace};
use crate::plan::world::World;

impl Ledger {
    pub(in crate::plan::simulate) fn finish(mut self, world: &World<'_>, queue: &Queue) -> Trace {
        let horizon = self.horizon;
        for (object, point) in self.objects.iter_mut().zip(&self.points) {
            object.intervals.retain(|interval| interval.from < horizon || interval.from == 0);
            if let Some(last) = object.intervals.last_mut() {
                last.to = horizon;
            }
            merge(&mut object.intervals);
            let exposed = object.intervals.iter().filter(|one| one.phase.is_exposed());
            object.exposure = exposed.map(|one| one.to - one.from).sum();
            if object.ends().is_exposed() {
                let age = point.map(|point| horizon - point);
                object.oldest_point = object.oldest_point.max(age);
            }
        }
        self.objects.sort_by(|a, b| a.key.cmp(&b.key));
        Trace {
            steps: self.steps,
            objects: self.objects,
            causes: self.causes,
            end: queue.last_end(),
            facts: world.facts.clone(),
            events: self.events,
            slots: queue.slots(),
        }
    }
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
