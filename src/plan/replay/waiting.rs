//! Waiting: no step begins before it may, and none later than it could.

use std::collections::BTreeMap;

use crate::plan::replay::Replay;
use crate::plan::replay::read::Step;
use crate::plan::replay::steps::{Life, collide};

/// The plan when so many events have happened.
struct Moment<'m> {
    time: i64,
    events: usize,
    lives: &'m BTreeMap<usize, Life>,
    /// Positions of the steps that run.
    running: Vec<usize>,
    /// Positions of the steps of operators that are not over.
    open: Vec<usize>,
}

impl Moment<'_> {
    fn is_over(&self, position: usize) -> bool {
        self.lives.get(&position).is_some_and(|life| life.over <= self.events)
    }

    fn has_begun(&self, position: usize) -> bool {
        self.lives.get(&position).is_some_and(|life| life.begin <= self.events)
    }
}

impl Replay<'_> {
    pub(super) fn waiting(&mut self) {
        let lives = self.lives();
        let report = self.report;
        for (position, life) in &lives {
            let Some(step) = report.steps.get(*position) else { continue };
            if *position >= report.written {
                let is_early = step.needs.not_before.is_some_and(|due| life.from < due);
                self.expect(!is_early, || {
                    format!("{} begins at {}, too early", step.id, life.from)
                });
                continue;
            }
            let before = self.moment(life.from, life.begin - 1, &lives);
            if let Some(reason) = self.must_wait(*position, &before) {
                self.wrong.push(format!(
                    "{} begins at {}, but {reason}",
                    self.id(*position),
                    life.from
                ));
            }
        }
        // What could begin at a second has begun before time goes on.
        let mut seconds: BTreeMap<i64, usize> = BTreeMap::from([(0, 0)]);
        for (number, event) in (1..).zip(&self.report.events) {
            seconds.insert(event.time, number);
        }
        for earliest in self.report.steps.iter().filter_map(|step| step.needs.not_before) {
            let happened = seconds.range(..=earliest).next_back().map(|(_, number)| *number);
            seconds.entry(earliest).or_insert(happened.unwrap_or(0));
        }
        for (time, events) in seconds.into_iter().filter(|(time, _)| *time >= 0) {
            let moment = self.moment(time, events, &lives);
            for position in 0..report.written {
                if !moment.has_begun(position) && self.must_wait(position, &moment).is_none() {
                    let id = self.id(position);
                    self.wrong.push(format!("{id} could begin at {time} and does not"));
                }
            }
        }
    }

    fn moment<'m>(&self, time: i64, events: usize, lives: &'m BTreeMap<usize, Life>) -> Moment<'m> {
        let mut moment = Moment { time, events, lives, running: Vec::new(), open: Vec::new() };
        for (position, step) in self.report.steps.iter().enumerate() {
            if moment.is_over(position) {
                continue;
            }
            if moment.has_begun(position) {
                moment.running.push(position);
            }
            if step.needs.operator && position < self.report.written {
                moment.open.push(position);
            }
        }
        moment
    }

    /// Why a step cannot begin; none if it can.
    fn must_wait(&self, position: usize, moment: &Moment<'_>) -> Option<String> {
        let step = self.report.steps.get(position)?;
        if let Some(earliest) = step.needs.not_before.filter(|earliest| *earliest > moment.time) {
            return Some(format!("it must not before {earliest}"));
        }
        if step.needs.since > moment.time {
            return Some("what it needs is another thing then".to_owned());
        }
        for id in &step.needs.waits_for {
            let other = self.report.steps.iter().position(|other| other.id == *id);
            if other.is_none_or(|other| !moment.is_over(other)) {
                return Some(format!("{id} is not over"));
            }
        }
        let together = |other: &usize| {
            let other = self.report.steps.get(*other);
            step.needs.group.is_some()
                && other.is_some_and(|one| one.needs.group == step.needs.group)
        };
        let mut earlier = moment.open.iter().take_while(|other| **other < position);
        if self.report.plan.order == "as_written"
            && let Some(other) = earlier.find(|other| !together(other))
        {
            return Some(format!("{}, which comes first, is not over", self.id(*other)));
        }
        self.is_taken(step, moment)
    }

    /// What a step needs and another one has; checks and jobs give way to who locks what they use.
    fn is_taken(&self, step: &Step, moment: &Moment<'_>) -> Option<String> {
        let (mut operators, mut checks) = (0, 0);
        for position in &moment.running {
            let Some(other) = self.report.steps.get(*position) else { continue };
            operators += usize::from(other.needs.operator);
            let its_locks = other.needs.locks.iter();
            let is_clear = !its_locks.clone().any(|lock| step.needs.locks.contains(lock))
                && !its_locks.clone().any(|lock| step.needs.uses.contains(lock));
            let is_job = *position >= self.report.written;
            let gives_way = is_job || (other.needs.checks.is_some() && is_clear);
            if collide(step, other) && !gives_way {
                return Some(format!("{} locks what it uses, or uses what it locks", other.id));
            }
            if let (Some(mine), Some(its)) = (&step.needs.checks, &other.needs.checks) {
                if mine.object == its.object {
                    return Some(format!("{} checks the same", other.id));
                }
                checks += usize::from(mine.owner == its.owner);
            }
        }
        if step.needs.operator && operators >= self.report.resources.operators {
            return Some("every operator has a step".to_owned());
        }
        let owner = &step.needs.checks.as_ref()?.owner;
        let slots = self.report.resources.slots.iter().find(|slots| slots.owner == *owner);
        let is_full = slots.is_none_or(|slots| checks >= slots.capacity);
        is_full.then(|| "every slot has a check".to_owned())
    }

    fn id(&self, position: usize) -> &str {
        self.report.steps.get(position).map_or("", |step| &step.id)
    }
}
