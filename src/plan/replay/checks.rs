//! Checks: what they check is without protection meanwhile, and good afterwards only if nothing stands.

use crate::plan::replay::Replay;
use crate::plan::replay::film::key_in;
use crate::plan::replay::read::{Kind, Phase, Step};
use crate::plan::replay::steps::Life;

impl Replay<'_> {
    pub(super) fn checks(&mut self) {
        let report = self.report;
        let lives = self.lives();
        for (position, step) in report.steps.iter().enumerate() {
            let Some(check) = &step.needs.checks else { continue };
            let Some(life) = lives.get(&position).filter(|life| life.ran()) else { continue };
            let Some(protection) = &report.protection else { continue };
            match key_in(&protection.kind, &check.object) {
                Some(key) => self.check(step, *life, key),
                None => self
                    .wrong
                    .push(format!("{} checks {}, which is not protected", step.id, check.object)),
            }
        }
    }

    fn check(&mut self, step: &Step, life: Life, key: &str) {
        let film = self.film;
        let id = &step.id;
        let shots = film.objects().find(|(known, _)| *known == key).map(|(_, shots)| shots);
        let meanwhile = shots
            .unwrap_or_default()
            .iter()
            .filter(|shot| (life.from..life.to).contains(&shot.time));
        let times =
            meanwhile.map(|shot| shot.time).chain([life.from]).filter(|_| life.from < life.to);
        for second in times {
            let is_good = film.during(key, second).is_some_and(|shot| shot.state == Phase::Good);
            self.expect(!is_good, || format!("{key} is good at {second}, while {id} runs"));
        }
        let ends = film.state_after(key, life.over);
        let standing = self.standing(key, life.over);
        let spoiled = self.spoiled(step, life, key);
        if life.kind == Kind::BrokenOff {
            return self
                .expect(ends != Phase::Good, || format!("{id} is broken off, and {key} is good"));
        }
        self.expect(ends != Phase::Good || standing.is_empty(), || {
            format!("{id} ends well at {} while causes {standing:?} stand", life.to)
        });
        self.expect(ends != Phase::Good || spoiled.is_none(), || {
            let event = spoiled.unwrap_or_default();
            format!("{id} ends well at {}, and event {event} made it worthless", life.to)
        });
        let has_reason = !standing.is_empty() || spoiled.is_some();
        let is_free = matches!(ends, Phase::Good | Phase::Unknown | Phase::Outside);
        self.expect(is_free || has_reason, || {
            format!("{id} ends in vain at {}, without a cause", life.to)
        });
    }

    /// Whether a step is the last that does something at a second: what is told of it is how it leaves things.
    fn is_last(&self, step: &Step, second: i64) -> bool {
        let mut events = self.report.events.iter().rev().filter(|event| event.time == second);
        events.next().is_some_and(|event| event.step.as_ref() == Some(&step.id))
    }

    /// Where a check of the plan is refused, because causes stand or for what it needs, no check helps: all
    /// checks of an object need the same. More of that the report does not hold, as the rules would say it.
    pub(super) fn refused(&mut self) {
        let report = self.report;
        let Some(protection) = &report.protection else { return };
        let written = report.steps.iter().take(report.written);
        for step in written.filter(|step| step.status == "refused") {
            let key = step.needs.checks.as_ref().map(|check| &*check.object);
            let key = key.and_then(|object| key_in(&protection.kind, object));
            let (Some(key), Some(at)) = (key, step.start_seconds) else { continue };
            if at >= self.horizon() {
                continue;
            }
            let object = report.objects.iter().find(|object| object.key == key);
            let mut now = object.into_iter().flat_map(|object| &object.intervals);
            let is_helpless = now
                .find(|one| one.from <= at && at < one.to)
                .is_none_or(|one| one.is_blocked || one.phase != Phase::Bad);
            self.expect(is_helpless || !self.is_last(step, at), || {
                format!("{} is refused at {at}, and a check would help {key}", step.id)
            });
        }
    }

    /// The causes that stand for an object when so many events have happened.
    pub(super) fn standing(&self, key: &str, events: usize) -> Vec<usize> {
        let mut standing: Vec<usize> = Vec::new();
        for event in self.report.events.iter().take(events) {
            for cause in &event.causes {
                let concerns = self.report.causes.get(*cause);
                let concerns =
                    concerns.is_some_and(|cause| cause.objects.iter().any(|one| one == key));
                match event.kind {
                    Kind::Opened if concerns => standing.push(*cause),
                    Kind::Closed => standing.retain(|known| known != cause),
                    _ => {}
                }
            }
        }
        standing.sort_unstable();
        standing
    }

    /// The event that made a running check worthless: a cause appeared, or another step broke the object.
    fn spoiled(&self, step: &Step, life: Life, key: &str) -> Option<usize> {
        let meanwhile = (life.begin + 1)..life.over;
        let events = (1..).zip(&self.report.events);
        let mut events = events.filter(|(number, _)| meanwhile.contains(number));
        let spoils = events.find(|(number, event)| {
            let its_own = event.step.as_ref() == Some(&step.id);
            match event.kind {
                Kind::Opened => event
                    .causes
                    .iter()
                    .filter_map(|cause| self.report.causes.get(*cause))
                    .any(|cause| cause.objects.iter().any(|one| one == key)),
                Kind::Effect | Kind::Consequence | Kind::Phase if !its_own => {
                    let (before, after) = (
                        self.film.after_event(key, number - 1),
                        self.film.after_event(key, *number),
                    );
                    before != after && after == Phase::Bad
                }
                _ => false,
            }
        });
        spoils.map(|(number, _)| number)
    }
}
