//! Steps: when each begins and ends, and what they occupy at the same time.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::replay::Replay;
use crate::plan::replay::film::key_in;
use crate::plan::replay::read::{Kind, Phase, Step};

/// When a step began and was over, by events from 1 and by seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Life {
    pub(super) begin: usize,
    pub(super) over: usize,
    pub(super) from: i64,
    pub(super) to: i64,
    /// How it was over.
    pub(super) kind: Kind,
}

impl Life {
    /// Whether it was carried out, to its end or until it was broken off.
    pub(super) fn ran(&self) -> bool {
        matches!(self.kind, Kind::End | Kind::BrokenOff)
    }
}

/// The begins and the ends of each step in the events.
type Marks<'r> = (Vec<(usize, i64)>, Vec<(usize, i64, Kind)>);

impl<'a> Replay<'a> {
    /// The lives of the steps that began, by their positions.
    pub(super) fn lives(&self) -> BTreeMap<usize, Life> {
        let marks = self.marks();
        let steps = self.report.steps.iter().enumerate();
        let lives = steps.filter_map(|(position, step)| {
            let (begins, overs) = marks.get(&*step.id)?;
            let ((begin, from), (over, to, kind)) = (*begins.first()?, *overs.first()?);
            Some((position, Life { begin, over, from, to, kind }))
        });
        lives.collect()
    }

    fn marks(&self) -> BTreeMap<&'a str, Marks<'a>> {
        let mut marks: BTreeMap<&str, Marks<'_>> = BTreeMap::new();
        for (number, event) in (1..).zip(&self.report.events) {
            let Some(step) = event.step.as_deref() else { continue };
            let (begins, overs) = marks.entry(step).or_default();
            match event.kind {
                Kind::Begin => begins.push((number, event.time)),
                Kind::End | Kind::NothingToDo | Kind::Refused | Kind::BrokenOff => {
                    overs.push((number, event.time, event.kind));
                }
                _ => {}
            }
        }
        marks
    }

    pub(super) fn steps(&mut self) {
        let report = self.report;
        let marks = self.marks();
        for step in &report.steps {
            let empty = (Vec::new(), Vec::new());
            let (begins, overs) = marks.get(&*step.id).unwrap_or(&empty);
            self.life(step, begins, overs);
        }
        let known: BTreeSet<&str> = report.steps.iter().map(|step| &*step.id).collect();
        for stranger in marks.keys().filter(|id| !known.contains(*id)) {
            self.wrong.push(format!("the events name a step {stranger}, which is not in the plan"));
        }
        self.brackets();
        for (position, life) in self.lives() {
            let Some(step) = report.steps.get(position) else { continue };
            // Nobody stops a plan behind a job that begins by itself.
            if position < report.written {
                self.left_behind(step, life);
            }
            self.moments(step, life);
        }
    }

    fn life(&mut self, step: &Step, begins: &[(usize, i64)], overs: &[(usize, i64, Kind)]) {
        let id = &step.id;
        let wanted: &[Kind] = match &*step.status {
            "done" => &[Kind::End, Kind::BrokenOff],
            "nothing_to_do" => &[Kind::NothingToDo],
            "refused" => &[Kind::Refused],
            _ => &[],
        };
        let (Some((begin, from)), Some((over, to, kind))) = (begins.first(), overs.first()) else {
            let is_never = begins.is_empty() && overs.is_empty() && step.status == "never";
            let has_times = step.start_seconds.is_some() || step.end_seconds.is_some();
            return self.expect(is_never && !has_times, || {
                format!("{id} is {}, and its begin or end is not among the events", step.status)
            });
        };
        self.expect(begins.len() == 1 && overs.len() == 1 && begin < over, || {
            format!("{id} begins {} times and ends {} times", begins.len(), overs.len())
        });
        self.expect(wanted.contains(kind), || {
            format!("{id} is {}, the events say {kind:?}", step.status)
        });
        self.expect(step.start_seconds == Some(*from), || {
            format!("{id} begins at {:?}, by the events at {from}", step.start_seconds)
        });
        self.expect(step.end_seconds == Some(*to), || {
            format!("{id} ends at {:?}, by the events at {to}", step.end_seconds)
        });
        let lasts = to - from;
        let fits = match kind {
            Kind::End => step.takes_seconds == Some(lasts),
            Kind::BrokenOff => step.takes_seconds.is_some_and(|takes| lasts <= takes),
            _ => lasts == 0 && step.takes_seconds.is_none(),
        };
        self.expect(fits, || {
            format!("{id} lasts {lasts} s and takes {:?} s ({kind:?})", step.takes_seconds)
        });
    }

    /// All that a step does lies between its begin and its end; what does not begin does nothing.
    fn brackets(&mut self) {
        let report = self.report;
        let mut running: BTreeSet<&str> = BTreeSet::new();
        let mut last: BTreeMap<&str, Kind> = BTreeMap::new();
        for (number, event) in (1..).zip(&report.events) {
            let Some(step) = event.step.as_deref() else {
                let is_step =
                    !matches!(event.kind, Kind::Opened | Kind::Closed | Kind::Consequence);
                self.expect(!is_step || matches!(event.kind, Kind::Effect | Kind::Phase), || {
                    format!("event {number}, {:?}, belongs to no step", event.kind)
                });
                continue;
            };
            match event.kind {
                Kind::Begin => _ = running.insert(step),
                // What cannot begin can do harm by having been tried.
                Kind::Refused => {
                    self.expect(running.remove(step), || {
                        format!("event {number}: {step} is refused before it begins")
                    });
                }
                Kind::NothingToDo => {
                    let is_pure = last.get(step) == Some(&Kind::Begin);
                    self.expect(is_pure, || {
                        format!("event {number}: {step} does something and is {:?}", event.kind)
                    });
                    running.remove(step);
                }
                Kind::End | Kind::BrokenOff => {
                    self.expect(running.remove(step), || {
                        format!("event {number}: {step} does not run")
                    });
                }
                _ => {
                    self.expect(running.contains(step), || {
                        format!("event {number}, {:?}: {step} does not run", event.kind)
                    });
                }
            }
            last.insert(step, event.kind);
        }
    }

    /// What a step does it does when it begins or when it is over, and it harms what its causes make bad.
    fn moments(&mut self, step: &Step, life: Life) {
        let report = self.report;
        for event in report.events.iter().filter(|event| event.step.as_ref() == Some(&step.id)) {
            self.expect(event.time == life.from || event.time == life.to, || {
                format!(
                    "{} does something at {}, between its begin and its end",
                    step.id, event.time
                )
            });
        }
        let causes = step.opened.iter().filter_map(|cause| report.causes.get(*cause));
        let causes = causes.filter(|cause| !cause.is_obstacle);
        let harmed: BTreeSet<&str> =
            causes.flat_map(|cause| cause.objects.iter().map(|key| &**key)).collect();
        let told: BTreeSet<&str> = step.harmed.iter().map(|key| &**key).collect();
        self.expect(told == harmed, || {
            format!("{} harms {told:?}, by its causes {harmed:?}", step.id)
        });
    }

    /// What a step leaves behind: the objects that are not good then.
    fn left_behind(&mut self, step: &Step, life: Life) {
        let mut claimed: Vec<(&str, Phase)> =
            step.after.iter().map(|after| (&*after.key, after.phase)).collect();
        claimed.sort_unstable();
        let film = self.film;
        let mut seen: Vec<(&str, Phase)> = film
            .objects()
            .map(|(key, _)| (key, film.after_event(key, life.over)))
            .filter(|(_, phase)| phase.is_exposed())
            .collect();
        seen.sort_unstable();
        self.expect(claimed == seen, || {
            format!("when {} is over {claimed:?} are not good; by the events {seen:?}", step.id)
        });
    }

    /// Operators, slots, locks: at each second at which a step begins, nothing is taken twice.
    pub(super) fn resources(&mut self) {
        let report = self.report;
        let lives = self.lives();
        let ran = lives.iter().filter(|(_, life)| life.ran() && life.from < life.to);
        let ran: Vec<(&Step, Life)> = ran
            .filter_map(|(position, life)| Some((report.steps.get(*position)?, *life)))
            .collect();
        let seconds: BTreeSet<i64> = ran.iter().map(|(_, life)| life.from).collect();
        for second in seconds {
            let runs = |life: &Life| life.from <= second && second < life.to;
            let running: Vec<&Step> =
                ran.iter().filter(|(_, life)| runs(life)).map(|(step, _)| *step).collect();
            self.at_once(second, &running);
        }
    }

    fn at_once(&mut self, second: i64, running: &[&Step]) {
        let report = self.report;
        let operators = running.iter().filter(|step| step.needs.operator).count();
        self.expect(operators <= report.resources.operators, || {
            format!("at {second} {operators} steps take an operator")
        });
        let mut checks: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        let mut objects: BTreeSet<&str> = BTreeSet::new();
        for check in running.iter().filter_map(|step| step.needs.checks.as_ref()) {
            *checks.entry(check.owner.as_deref()).or_default() += 1;
            let is_first = objects.insert(&check.object);
            self.expect(is_first, || format!("at {second} two checks of {} run", check.object));
        }
        for (owner, count) in checks {
            // What runs before the plan has its slot, whatever the plan counts on.
            let old = running.iter().filter(|step| self.ran_before(step, owner)).count();
            let slots = report.resources.slots.iter().find(|slots| slots.owner.as_deref() == owner);
            let capacity = slots.map(|slots| slots.capacity);
            self.expect(capacity.is_some_and(|capacity| count <= capacity.max(old)), || {
                format!("at {second} {count} checks of {owner:?} run on {capacity:?} slots")
            });
        }
        for (position, one) in running.iter().enumerate() {
            for other in running.iter().skip(position + 1) {
                self.expect(!collide(one, other), || {
                    format!(
                        "at {second} {} and {} run, and one locks what the other uses",
                        one.id, other.id
                    )
                });
            }
        }
    }
}

impl Replay<'_> {
    /// Whether a step is a check on a slot of somebody that was running before the plan.
    fn ran_before(&self, step: &Step, owner: Option<&str>) -> bool {
        let Some(check) = &step.needs.checks else { return false };
        let kind = self.report.protection.as_ref().map(|protection| &protection.kind);
        let key = kind.and_then(|kind| key_in(kind, &check.object));
        check.owner.as_deref() == owner
            && step.start_seconds == Some(0)
            && key.is_some_and(|key| self.film.after_event(key, 0) == Phase::Busy)
    }
}

/// Whether one of two steps locks what the other locks or uses.
pub(super) fn collide(one: &Step, other: &Step) -> bool {
    let held = |locks: &[String], by: &Step| {
        locks.iter().any(|object| by.needs.locks.contains(object) || by.needs.uses.contains(object))
    };
    held(&one.needs.locks, other) || held(&other.needs.locks, one)
}
