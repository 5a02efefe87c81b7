//! What an order in the making can come to at best.

use super::Search;
use crate::plan::solver::aim::Level;
use crate::plan::solver::bound::{Rest, sure};
use crate::plan::solver::ends::ends;
use crate::plan::solver::run::{Episode, Item};
use crate::plan::solver::value::{Value, moved};
use crate::plan::solver::{at, count, put};

impl Search<'_> {
    /// What the order can come to at best; none if it cannot be brought to an end.
    pub(super) fn bound(&self) -> Option<Value> {
        let all_good = self.best.as_ref().is_some_and(|(best, _)| best.not_good == 0)
            && self.aim.before(Level::NotGood) == 1;
        let sure = sure(self.problem, all_good);
        let mut open = vec![false; self.problem.objects.len()];
        for episode in self.run.open() {
            put(&mut open, episode.object, true);
        }
        let rest = Rest {
            problem: self.problem,
            facts: self.facts,
            left: &self.left,
            open: &open,
            sure: &sure,
            weights: &self.weights,
            is_whole: self.run.lines().is_empty(),
        };
        for (object, most) in &self.limited {
            if self.exposed(&rest, *object) > *most {
                return None;
            }
        }
        let mut exposure = self.exposure(&rest);
        if !self.stopped.is_empty() {
            let plain = Rest { weights: &self.plain, ..rest };
            exposure = exposure.max(self.exposure(&plain) + self.stopped(&rest));
        }
        let enough = self.aim.enough;
        let is_worse = |best: &Value| exposure.max(enough) > best.exposure.max(enough);
        let is_next = self.aim.before(Level::Exposure) == 2;
        if all_good && is_next && self.best.as_ref().is_some_and(|(best, _)| is_worse(best)) {
            return None;
        }
        let end = self.end(&rest)?;
        Some(Value {
            violations: 0,
            not_good: 0,
            exposure,
            checks: count(self.run.ended().len()) + rest.checks(),
            distance: self.distance(&rest),
            end,
        })
    }

    /// How long after a line (or the opening of the window) another one begins at least.
    fn length(&self, from: Option<usize>, to: usize) -> i64 {
        match from {
            Some(from) => self.rows.get(to).map_or(0, |row| at(row, from)),
            None => self.run.lines().get(to).map_or(0, |line| line.early),
        }
    }

    fn exposure(&self, rest: &Rest) -> i64 {
        let Some(last) = self.run.lines().len().checked_sub(1) else {
            return rest.exposure().total;
        };
        let weight = |episode: &Episode| at(rest.weights, episode.object);
        let ended = self.run.ended().iter().filter_map(|episode| {
            let to = episode.to?;
            let takes = self.run.lines().get(to)?.takes;
            Some(weight(episode) * (self.length(episode.from, to) + takes))
        });
        let ended: i64 = ended.sum();
        let (mut until_last, mut until_free) = (0, 0);
        for episode in self.run.open() {
            let length = self.length(episode.from, last);
            until_last += weight(&episode) * length;
            let slots = self.run.machines(Item::Check(episode.object)).iter();
            let free = slots.map(|slot| {
                slot.map_or(0, |line| {
                    let takes = self.run.lines().get(line).map_or(0, |line| line.takes);
                    // What began before the object became bad says nothing.
                    if episode.from.is_some_and(|from| line < from) {
                        0
                    } else {
                        self.length(episode.from, line) + takes
                    }
                })
            });
            let free = if at(rest.sure, episode.object) { free.min().unwrap_or(0) } else { 0 };
            until_free += weight(&episode) * length.max(free);
        }
        ended + (until_last + rest.exposure().total).max(until_free + rest.at_start(false).total)
    }

    /// The least exposure of the objects that are stopped at times.
    fn stopped(&self, rest: &Rest) -> i64 {
        let of = |object: &usize| at(&self.weights, *object) * self.exposed(rest, *object);
        self.stopped.iter().map(of).sum()
    }

    /// The least time for which an object is exposed: it is bad, or in its longest stop.
    fn exposed(&self, rest: &Rest, object: usize) -> i64 {
        let last = self.run.lines().len().checked_sub(1);
        let takes = |line: usize| self.run.lines().get(line).map_or(0, |line| line.takes);
        let since = |from: Option<usize>| last.map_or(0, |last| self.length(from, last));
        let ended = self.run.ended().iter().filter(|episode| episode.object == object);
        let ended = ended.filter_map(|episode| {
            let to = episode.to?;
            Some(self.length(episode.from, to) + takes(to))
        });
        let open = self.run.open().filter(|episode| episode.object == object);
        let open: i64 = open.map(|episode| since(episode.from)).sum();
        let bad = ended.sum::<i64>() + open + rest.alone(object);
        let stops = self.facts.stops.get(object).into_iter().flatten();
        let stops = stops.map(|stop| {
            let from = stop.from.map(|task| self.run.line_of(task));
            match (from, self.run.line_of(stop.to)) {
                (Some(None), _) => rest.stop(stop),
                (from, Some(to)) => self.length(from.flatten(), to) + takes(to),
                (from, None) => since(from.flatten()) + rest.stop(stop),
            }
        });
        bad.max(stops.max().unwrap_or(0))
    }

    fn distance(&self, rest: &Rest) -> i64 {
        let mut places = Vec::new();
        for line in self.run.lines() {
            if let Item::Task(task) = line.item {
                places.extend(self.problem.tasks.get(task).and_then(|task| task.place));
            }
        }
        let inserted = self.problem.tasks.iter().filter(|task| task.place.is_none()).count();
        let checks = (0..self.problem.objects.len()).map(|object| {
            let made = self.run.ended().iter().filter(|episode| episode.object == object).count();
            let made = made + usize::from(rest.needs_check(object));
            let written = self.problem.checks.iter().filter(|check| check.object == object).count();
            made.saturating_sub(written)
        });
        count(inserted + checks.sum::<usize>()) + moved(&places)
    }

    /// When everything is over at the earliest; none if that is too late.
    fn end(&self, rest: &Rest) -> Option<i64> {
        let lines = self.run.lines();
        let now = lines.last().map_or(0, |line| line.early);
        let ends = ends(rest, now);
        let mut tasks = if self.left.contains(&true) { ends.tasks.total } else { 0 };
        let work: i64 =
            rest.tasks().filter(|(_, task)| task.needs_operator).map(|(_, task)| task.takes).sum();
        if work > 0 {
            tasks = tasks.max(self.full(Item::Task(0), work, now));
        }
        let mut checks = if rest.checks() > 0 { ends.checks.total } else { 0 };
        for owner in 0..self.problem.owners.len() {
            let objects = self.problem.objects.iter().enumerate();
            let mine =
                objects.filter(|(index, object)| object.owner == owner && rest.needs_check(*index));
            let mine: Vec<(usize, i64)> =
                mine.map(|(index, object)| (index, object.check)).collect();
            if let Some((first, _)) = mine.first() {
                let work = mine.iter().map(|(_, check)| check).sum();
                checks = checks.max(self.full(Item::Check(*first), work, now));
            }
        }
        let over = lines.iter().map(|line| line.early + line.takes).max().unwrap_or(0);
        let fits = tasks <= self.problem.window && checks <= self.problem.checks_until;
        fits.then_some(over.max(tasks).max(checks))
    }

    /// When as much work is done, if all machines for such an item share it, from now on.
    fn full(&self, item: Item, work: i64, now: i64) -> i64 {
        let machines = self.run.machines(item);
        let busy: i64 = machines
            .iter()
            .map(|machine| {
                let line = machine.and_then(|line| self.run.lines().get(line));
                line.map_or(0, |line| line.early + line.takes).max(now)
            })
            .sum();
        let slots = count(machines.len().max(1));
        (busy + work + slots - 1) / slots
    }
}
