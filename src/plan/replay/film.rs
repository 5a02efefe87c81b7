//! The facts, event by event: what the events of a report do to them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::facts::time::Instant;
use crate::plan::replay::Estate;
use crate::plan::replay::read::{Change, Event, Kind, Phase, Protection, Report};

/// A protected object from one event to the next one that changes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shot {
    /// The number of the event after which it is so, from 1; 0 is before all events.
    pub(super) event: usize,
    /// When that is.
    pub(super) time: i64,
    pub(super) phase: Phase,
    /// What its facts alone say.
    pub(super) state: Phase,
    /// Seconds from the opening of the window to its newest recovery point.
    pub(super) point: Option<i64>,
}

/// What becomes of the facts.
#[derive(Debug)]
pub(super) struct Film<'a> {
    report: &'a Report,
    facts: Estate,
    /// Causes that came with the plan and stop backups now, by number.
    stopping: BTreeSet<usize>,
    /// The protected objects by key.
    shots: BTreeMap<String, Vec<Shot>>,
}

impl<'a> Film<'a> {
    pub(super) fn new(report: &'a Report, before: &Estate, wrong: &mut Vec<String>) -> Self {
        let mut film = Self {
            report,
            facts: before.clone(),
            stopping: BTreeSet::new(),
            shots: BTreeMap::new(),
        };
        film.shoot(0, 0);
        let mut now = 0;
        for (number, event) in (1..).zip(&report.events) {
            if event.time < now {
                wrong.push(format!("event {number} is at {}, the one before at {now}", event.time));
            }
            now = now.max(event.time);
            let may_change = matches!(event.kind, Kind::Effect | Kind::Phase | Kind::Consequence);
            if may_change == event.changes.is_empty() {
                wrong.push(format!(
                    "event {number}, {:?}, changes {}",
                    event.kind,
                    event.changes.len()
                ));
            }
            for change in &event.changes {
                if let Err(problem) = film.change(change) {
                    wrong.push(format!("event {number} at {}: {problem}", event.time));
                }
            }
            if !event.changes.is_empty() || film.stop(event) {
                film.shoot(number, event.time);
            }
        }
        film
    }

    /// Causes that appear and are gone; the answer is whether one of them can matter to backups.
    fn stop(&mut self, event: &Event) -> bool {
        let causes = event.causes.iter().filter(|number| {
            let cause = self.report.causes.get(**number);
            cause.is_some_and(|cause| cause.stops_backups && cause.opened_by.is_some())
        });
        let causes: Vec<usize> = causes.copied().collect();
        for cause in &causes {
            match event.kind {
                Kind::Opened => self.stopping.insert(*cause),
                Kind::Closed => self.stopping.remove(cause),
                _ => false,
            };
        }
        !causes.is_empty()
    }

    /// The state of an object with what stops its backups.
    fn with_causes(&self, key: &str, state: Phase) -> Phase {
        let causes = self.stopping.iter().filter_map(|number| self.report.causes.get(*number));
        let mut about = causes.filter(|cause| cause.objects.iter().any(|one| one == key));
        if state == Phase::Good && about.next().is_some() { Phase::Stopped } else { state }
    }

    /// Looks at all protected objects.
    fn shoot(&mut self, event: usize, time: i64) {
        let Some(protection) = &self.report.protection else { return };
        let mut seen: BTreeMap<String, (Phase, Option<i64>)> = BTreeMap::new();
        for (name, facts) in &self.facts {
            if let Some(key) = key_in(&protection.kind, name) {
                seen.insert(
                    key.to_owned(),
                    (phase(protection, facts), self.point(protection, facts)),
                );
            }
        }
        for key in self.shots.keys() {
            seen.entry(key.clone()).or_insert((Phase::Outside, None));
        }
        for (key, (state, point)) in seen {
            let phase = self.with_causes(&key, state);
            let shots = self.shots.entry(key).or_default();
            let is_same =
                |last: &Shot| (last.phase, last.state, last.point) == (phase, state, point);
            if !shots.last().is_some_and(is_same) {
                shots.push(Shot { event, time, phase, state, point });
            }
        }
    }

    fn point(&self, protection: &Protection, facts: &Json) -> Option<i64> {
        let text = at(facts, protection.newest_point.as_ref()?)?.as_str()?;
        Some(Instant::parse(text)?.seconds() - self.report.plan.start_unix)
    }

    fn change(&mut self, change: &Change) -> Result<(), String> {
        let Change { object, field, from, to } = change;
        if from == to {
            return Err(format!("{object} {field:?} changes to what it was"));
        }
        let Some(field) = field else {
            let known = self.facts.remove(object);
            if known != *from {
                return Err(format!(
                    "{object} was {}, not {}",
                    shown(known.as_ref()),
                    shown(from.as_ref())
                ));
            }
            if let Some(to) = to {
                self.facts.insert(object.clone(), to.clone());
            }
            return Ok(());
        };
        let mut node = self.facts.get_mut(object).ok_or(format!("there is no {object}"))?;
        let (path, last) = field.rsplit_once('.').map_or((None, &**field), |(a, b)| (Some(a), b));
        for part in path.into_iter().flat_map(|path| path.split('.')) {
            node = node.get_mut(part).ok_or(format!("{object} has no {field}"))?;
        }
        let map = node.as_object_mut().ok_or(format!("{object} has no {field}"))?;
        let known = map.remove(last);
        if known != *from {
            let (known, from) = (shown(known.as_ref()), shown(from.as_ref()));
            return Err(format!("{field} of {object} was {known}, not {from}"));
        }
        if let Some(to) = to {
            map.insert(last.to_owned(), to.clone());
        }
        Ok(())
    }

    /// The facts at the end must be these.
    pub(super) fn ends_with(&self, after: &Estate, wrong: &mut Vec<String>) {
        for name in after.keys().filter(|name| !self.facts.contains_key(*name)) {
            wrong.push(format!("at the end there is {name}, and no event brought it"));
        }
        for (name, facts) in &self.facts {
            let there = after.get(name);
            if there != Some(facts) {
                let (there, here) = (shown(there), shown(Some(facts)));
                wrong.push(format!("at the end {name} is {there}; by the events it is {here}"));
            }
        }
    }

    /// The protected objects by key, each with its shots.
    pub(super) fn objects(&self) -> impl Iterator<Item = (&str, &[Shot])> {
        self.shots.iter().map(|(key, shots)| (key.as_str(), shots.as_slice()))
    }

    /// An object when so many events have happened.
    pub(super) fn after_event(&self, key: &str, event: usize) -> Phase {
        let shots = self.shots.get(key).map(Vec::as_slice).unwrap_or_default();
        let last = shots.iter().rev().find(|shot| shot.event <= event);
        last.map_or(Phase::Outside, |shot| shot.phase)
    }

    /// What the facts of an object say when so many events have happened.
    pub(super) fn state_after(&self, key: &str, event: usize) -> Phase {
        let shots = self.shots.get(key).map(Vec::as_slice).unwrap_or_default();
        let last = shots.iter().rev().find(|shot| shot.event <= event);
        last.map_or(Phase::Outside, |shot| shot.state)
    }

    /// An object during a second, when all that happens at its begin has happened.
    pub(super) fn during(&self, key: &str, second: i64) -> Option<Shot> {
        let shots = self.shots.get(key)?;
        shots.iter().rev().find(|shot| shot.time <= second).copied()
    }
}

/// The key in a name, if it is the name of an object of that kind.
pub(super) fn key_in<'n>(kind: &str, name: &'n str) -> Option<&'n str> {
    name.strip_prefix(kind)?.strip_prefix(' ')
}

fn phase(protection: &Protection, facts: &Json) -> Phase {
    let Some(state) = at(facts, &protection.state) else { return Phase::Unknown };
    let state = state.as_str().unwrap_or_default();
    let is_in = |list: &[String]| list.iter().any(|known| known == state);
    match () {
        () if is_in(&protection.good) => Phase::Good,
        () if is_in(&protection.bad) => Phase::Bad,
        () if is_in(&protection.busy) => Phase::Busy,
        () => Phase::Outside,
    }
}

/// What stands at a path with dots.
fn at<'f>(facts: &'f Json, path: &str) -> Option<&'f Json> {
    path.split('.').try_fold(facts, |node, part| node.get(part))
}

fn shown(json: Option<&Json>) -> String {
    json.map_or("not known".to_owned(), Json::to_string)
}
