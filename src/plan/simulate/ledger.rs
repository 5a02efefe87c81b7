//! What is written down while time passes.

mod events;
mod finish;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::eval::standing::{Cause, Delta};
use crate::facts::change::{Cell, Change};
use crate::facts::value::{ObjectId, Value};
use crate::plan::Plan;
use crate::plan::simulate::queue::Queue;
use crate::plan::trace::{
    CauseTrace, Doubt, Event, Happening, Interval, Needs, ObjectTrace, StepStatus, StepTrace,
};
use crate::plan::world::{Phase, World};
use crate::rule::pack::RuleSet;

/// The trace in the making.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) steps: Vec<StepTrace>,
    objects: Vec<ObjectTrace>,
    rows: HashMap<ObjectId, usize>,
    causes: Vec<CauseTrace>,
    /// Cause rules that could not be decided before the plan.
    doubts: Vec<Doubt>,
    /// Causes that stand, by fingerprint.
    standing: BTreeMap<String, usize>,
    /// Causes that stand, by the object that they make bad.
    open: HashMap<ObjectId, BTreeSet<usize>>,
    /// Objects whose state may be another one now.
    changed: BTreeSet<ObjectId>,
    /// Newest recovery points, as seconds from the start, each with the time from which it was the newest.
    points: Vec<Vec<(i64, Option<i64>)>>,
    /// When the window opens, in seconds since 1970.
    start: i64,
    /// How many steps somebody wrote.
    written: usize,
    horizon: i64,
    /// The last states when something begins at the horizon that goes on behind it: how the objects end.
    closing: Option<Vec<Option<Interval>>>,
    events: Vec<Event>,
}

/// Seconds from the start to an object's newest recovery point.
fn newest_point(world: &World<'_>, object: ObjectId, start: i64) -> Option<i64> {
    match world.on(object, world.protection()?.newest_point.as_ref()?) {
        Ok(Value::Time(time)) => Some(time.seconds() - start),
        _ => None,
    }
}

/// The cause rules that cannot be decided now.
fn doubts(world: &World<'_>) -> Vec<Doubt> {
    let all = world.causes.doubts().into_iter();
    all.map(|(rule, objects, anywhere)| Doubt { rule, objects, anywhere }).collect()
}

/// The causes that stand and make an object bad.
fn concerning<'w>(world: &'w World<'_>, object: ObjectId) -> impl Iterator<Item = &'w Cause> {
    let concerns = move |cause: &&Cause| cause.standing.objects.contains(&object);
    world.causes.standing().filter(concerns)
}

impl Ledger {
    pub(super) fn new(world: &World<'_>, plan: &Plan, queue: &Queue) -> Self {
        let horizon = plan.window.end.max(plan.window.checks_until);
        let steps = queue.needs().iter().map(|needs| blank(needs.clone())).collect();
        let ids = world.protected();
        let points = vec![Vec::new(); ids.len()];
        let objects = ids.iter().map(|object| ObjectTrace {
            object: *object,
            key: world.facts.key(*object),
            intervals: Vec::new(),
            exposure: 0,
            oldest_point: None,
            weight: world.weight(*object),
            is_named: false,
        });
        let mut ledger = Self {
            steps,
            objects: objects.collect(),
            rows: ids.iter().copied().zip(0..).collect(),
            causes: Vec::new(),
            doubts: doubts(world),
            standing: BTreeMap::new(),
            open: HashMap::new(),
            changed: ids.into_iter().collect(),
            points,
            start: plan.window.start,
            written: plan.written().len(),
            horizon,
            closing: None,
            events: Vec::new(),
        };
        let appeared = world.causes.standing().cloned().collect();
        ledger.note(&Delta { appeared, ..Delta::default() }, 0, None);
        ledger
    }

    pub(super) fn begin(&mut self, position: usize, needs: &Needs, time: i64) {
        if let Some(step) = self.steps.get_mut(position) {
            step.start = Some(time);
            // What a step needs is known only when what it is about is there.
            step.needs.clone_from(needs);
            step.unknown.extend(needs.missing.iter().cloned());
        }
        self.happen(time, Some(position), Happening::Begin);
    }

    /// A step of the plan is about these.
    pub(super) fn name(&mut self, args: &[Value]) {
        for arg in args {
            if let Value::Object(object) = arg
                && let Some(row) = self.rows.get(object)
                && let Some(trace) = self.objects.get_mut(*row)
            {
                trace.is_named = true;
            }
        }
    }

    pub(super) fn end(&mut self, position: usize, time: i64, status: StepStatus) {
        let what = match &status {
            StepStatus::Done | StepStatus::Never => Happening::End,
            StepStatus::Nothing => Happening::Nothing,
            StepStatus::Refused(_) => Happening::Refused,
        };
        self.over(position, time, status, what);
    }

    /// The time has come for a job that has nothing to do.
    pub(super) fn skip(&mut self, position: usize) {
        if let Some(step) = self.steps.get_mut(position) {
            step.status = StepStatus::Nothing;
        }
    }

    /// A check is broken off.
    pub(super) fn break_off(&mut self, position: usize, time: i64) {
        self.over(position, time, StepStatus::Done, Happening::BrokenOff);
    }

    fn over(&mut self, position: usize, time: i64, status: StepStatus, what: Happening) {
        let after = self.objects.iter().filter_map(|object| {
            let last = object.intervals.last()?;
            last.phase.is_exposed().then_some((object.object, last.phase, last.is_blocked))
        });
        let after = if position < self.written { after.collect() } else { Vec::new() };
        if let Some(step) = self.steps.get_mut(position) {
            step.end = Some(time);
            step.status = status;
            step.after = after;
        }
        self.happen(time, Some(position), what);
    }

    pub(super) fn takes(&mut self, position: usize, takes: i64, quickest: i64) {
        if let Some(step) = self.steps.get_mut(position) {
            step.takes = Some(takes);
            step.quickest = quickest;
            let is_behind = takes > 0 && step.start == Some(self.horizon);
            if is_behind && self.closing.is_none() {
                let last = self.objects.iter().map(|one| one.intervals.last().cloned());
                self.closing = Some(last.collect());
            }
        }
    }

    pub(super) fn check(&mut self, position: usize, was_good: bool) {
        if let Some(step) = self.steps.get_mut(position) {
            step.is_needless = was_good;
        }
    }

    pub(super) fn look_at(&mut self, position: usize, cells: impl IntoIterator<Item = Cell>) {
        if let Some(step) = self.steps.get_mut(position) {
            step.looked_at.extend(cells);
        }
    }

    pub(super) fn vain(&mut self, position: usize, causes: Vec<usize>) {
        if let Some(step) = self.steps.get_mut(position) {
            step.vain = causes;
        }
    }

    pub(super) fn undecided(&mut self, position: usize, rules: Vec<usize>, missing: Vec<String>) {
        if let Some(step) = self.steps.get_mut(position) {
            (step.undecided, step.missing) = (rules, missing);
        }
    }

    pub(super) fn broken(&mut self, check: usize, by: usize) {
        if let Some(step) = self.steps.get_mut(check) {
            step.broken_by.get_or_insert(by);
        }
    }

    pub(super) fn unknown(&mut self, position: usize, missing: impl IntoIterator<Item = String>) {
        if let Some(step) = self.steps.get_mut(position) {
            step.unknown.extend(missing);
        }
    }

    pub(super) fn because(&mut self, position: usize, because: String) {
        if let Some(step) = self.steps.get_mut(position) {
            step.because = because;
        }
    }

    /// The causes that stand for an object, by number.
    pub(super) fn open(&self, object: ObjectId) -> Vec<usize> {
        self.open.get(&object).map(|open| open.iter().copied().collect()).unwrap_or_default()
    }

    /// The number of a cause that stands.
    pub(super) fn number_of(&self, fingerprint: &str) -> Option<usize> {
        self.standing.get(fingerprint).copied()
    }

    /// The rule of a cause under which no backup succeeds.
    pub(super) fn stopped_by<'s>(&self, cause: usize, set: &'s RuleSet) -> Option<&'s str> {
        let rule = set.rules.get(self.causes.get(cause)?.rule)?;
        rule.stops_backups().then_some(&*rule.id)
    }

    /// The causes that the rules say stand for an object just now, whatever has been written down.
    pub(super) fn standing_for(
        &mut self,
        world: &World<'_>,
        object: ObjectId,
        time: i64,
        step: usize,
    ) -> Vec<usize> {
        concerning(world, object).map(|cause| self.number(cause, time, Some(step))).collect()
    }

    /// Those of them that have been written down: a trial must not leave anything behind.
    pub(super) fn known_for(&self, world: &World<'_>, object: ObjectId) -> Vec<usize> {
        concerning(world, object)
            .filter_map(|cause| self.standing.get(&cause.standing.fingerprint).copied())
            .collect()
    }

    /// The number of a cause, a new one if it was not known.
    fn number(&mut self, cause: &Cause, time: i64, step: Option<usize>) -> usize {
        let fingerprint = &cause.standing.fingerprint;
        if let Some(number) = self.standing.get(fingerprint) {
            return *number;
        }
        let number = self.causes.len();
        let objects = cause.standing.objects.clone();
        self.causes.push(CauseTrace {
            rule: cause.rule,
            subject: cause.standing.subject.clone(),
            message: cause.standing.message.clone(),
            objects: objects.clone(),
            likely: cause.standing.likely.clone(),
            opened_by: step,
            opened_at: time,
            closed_by: None,
            closed_at: None,
        });
        self.happen(time, step, Happening::Opened(number));
        self.standing.insert(fingerprint.clone(), number);
        for object in objects {
            self.open.entry(object).or_default().insert(number);
            self.changed.insert(object);
        }
        if let Some(step) = step.and_then(|step| self.steps.get_mut(step)) {
            step.opened.push(number);
        }
        number
    }

    /// Causes that appeared or are gone; the answer are the numbers of those that appeared.
    pub(super) fn note(&mut self, delta: &Delta, time: i64, step: Option<usize>) -> Vec<usize> {
        for fingerprint in &delta.vanished {
            let Some(number) = self.standing.remove(fingerprint) else { continue };
            let Some(cause) = self.causes.get_mut(number) else { continue };
            cause.closed_by = step;
            cause.closed_at = Some(time);
            for object in &cause.objects {
                if let Some(open) = self.open.get_mut(object) {
                    open.remove(&number);
                }
                self.changed.insert(*object);
            }
            if let Some(step) = step.and_then(|step| self.steps.get_mut(step)) {
                step.closed.push(number);
            }
            self.happen(time, step, Happening::Closed(number));
        }
        let mut numbers = Vec::new();
        for cause in &delta.appeared {
            let number = self.number(cause, time, step);
            numbers.push(number);
            // What only stops checks makes nothing bad.
            let objects = cause.standing.changes.iter().filter_map(Change::target);
            let objects = objects.map(|(object, _)| object);
            if let Some(step) = step.and_then(|step| self.steps.get_mut(step)) {
                for object in objects {
                    if !step.harmed.contains(&object) {
                        step.harmed.push(object);
                    }
                }
            }
        }
        numbers
    }

    /// Objects whose facts were touched.
    pub(super) fn touched(&mut self, touched: &BTreeSet<Cell>, world: &World<'_>) {
        let Some(protection) = world.protection() else { return };
        for cell in touched {
            match cell {
                Cell::Field(object, _) if object.kind == protection.kind => {
                    self.changed.insert(*object);
                }
                Cell::All(kind) if *kind == protection.kind => {
                    self.changed.extend(self.rows.keys());
                }
                _ => {}
            }
        }
    }

    /// The state of an object as it was written last.
    pub(super) fn phase_of(&self, object: ObjectId) -> Option<Phase> {
        let row = self.rows.get(&object)?;
        Some(self.objects.get(*row)?.intervals.last()?.phase)
    }

    /// Whether a job that nobody wrote has come to its end of checking an object at a second.
    pub(super) fn job_ended(&self, object: ObjectId, time: i64) -> bool {
        self.steps.iter().skip(self.written).any(|job| {
            job.end == Some(time)
                && job.status == StepStatus::Done
                && job.broken_by.is_none()
                && job.needs.check.is_some_and(|(checked, _)| checked == object)
        })
    }

    /// Objects of which something changed since the last writing.
    pub(super) fn changed(&self) -> Vec<ObjectId> {
        self.changed.iter().copied().collect()
    }

    /// Objects that a step harmed, or all that are not well.
    pub(super) fn touch_harmed(&mut self, step: usize, all: bool) {
        if all {
            let bad = self.objects.iter().filter(|one| one.ends().is_exposed());
            self.changed.extend(bad.map(|one| one.object));
        } else if let Some(step) = self.steps.get(step) {
            self.changed.extend(&step.harmed);
        }
    }

    pub(super) fn touch(&mut self, object: ObjectId) {
        self.changed.insert(object);
    }

    /// The state of an object. What is good only because nothing has brought out yet what came with the plan cannot be
    /// backed up; what was so before the plan is told of elsewhere.
    fn phase_with(&self, world: &World<'_>, object: ObjectId, open: &[usize]) -> Phase {
        let is_new = |cause: &usize| {
            self.causes.get(*cause).is_some_and(|cause| cause.opened_by.is_some())
                && self.stopped_by(*cause, world.set).is_some()
        };
        match world.phase(object) {
            Phase::Good if open.iter().any(is_new) => Phase::Stopped,
            phase => phase,
        }
    }

    /// Writes the states of objects that changed.
    pub(super) fn write(
        &mut self,
        world: &World<'_>,
        time: i64,
        step: Option<usize>,
        blocked: &BTreeMap<ObjectId, bool>,
    ) {
        for object in std::mem::take(&mut self.changed) {
            let is_blocked = blocked.get(&object).copied().unwrap_or(false);
            let open = self.open(object);
            let phase = self.phase_with(world, object, &open);
            let row = match self.rows.get(&object) {
                Some(row) => *row,
                None if phase == Phase::Outside => continue,
                None => self.join(world, object, time),
            };
            let point = newest_point(world, object, self.start);
            if let Some(points) = self.points.get_mut(row)
                && points.last().is_none_or(|(_, known)| *known != point)
            {
                points.push((time, point));
            }
            let Some(trace) = self.objects.get_mut(row) else { continue };
            let mut caused_by: Vec<usize> = match trace.intervals.last() {
                Some(last) if last.phase != Phase::Good && phase != Phase::Good => {
                    last.caused_by.clone()
                }
                _ => Vec::new(),
            };
            // What only stops jobs has no part in a state that is bad anyway.
            let has_part = |cause: &&CauseTrace| {
                phase == Phase::Stopped
                    || world.set.rules.get(cause.rule).is_some_and(|rule| rule.is_cause())
            };
            let causes = open.iter().filter_map(|number| self.causes.get(*number));
            caused_by.extend(causes.filter(has_part).filter_map(|cause| cause.opened_by));
            // What was so before is no doing of the step at which somebody looked again.
            let was_so = trace
                .intervals
                .last()
                .is_some_and(|last| last.phase == phase || last.phase == Phase::Bad);
            // Jobs begin without the plan, too: what they leave behind is none of its doing.
            if phase.is_exposed() && caused_by.is_empty() && !was_so {
                caused_by.extend(step.filter(|step| *step < self.written));
            }
            caused_by.sort_unstable();
            caused_by.dedup();
            if phase == Phase::Good {
                caused_by.clear();
            }
            let next = Interval { from: time, to: time, phase, open, is_blocked, caused_by };
            match trace.intervals.last_mut() {
                Some(last) if last.is_like(&next) => last.caused_by = next.caused_by,
                Some(last) if last.from == time => *last = next,
                Some(last) => {
                    last.to = time;
                    trace.intervals.push(next);
                }
                None => trace.intervals.push(next),
            }
        }
    }

    /// A protected object that was not there at the start.
    fn join(&mut self, world: &World<'_>, object: ObjectId, time: i64) -> usize {
        let row = self.objects.len();
        let key = world.facts.key(object);
        let mut intervals = Vec::new();
        if time > 0 {
            let (open, caused_by) = (Vec::new(), Vec::new());
            let (from, phase, is_blocked) = (0, Phase::Outside, false);
            intervals.push(Interval { from, to: time, phase, open, is_blocked, caused_by });
        }
        self.objects.push(ObjectTrace {
            object,
            key,
            intervals,
            exposure: 0,
            oldest_point: None,
            weight: world.weight(object),
            is_named: false,
        });
        self.points.push(Vec::new());
        self.rows.insert(object, row);
        row
    }
}

fn blank(needs: Needs) -> StepTrace {
    StepTrace {
        start: None,
        end: None,
        status: StepStatus::Never,
        opened: Vec::new(),
        closed: Vec::new(),
        harmed: Vec::new(),
        vain: Vec::new(),
        undecided: Vec::new(),
        missing: Vec::new(),
        is_needless: false,
        broken_by: None,
        unknown: Vec::new(),
        because: String::new(),
        takes: None,
        quickest: 0,
        needs,
        after: Vec::new(),
        looked_at: BTreeSet::new(),
    }
}
