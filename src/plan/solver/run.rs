//! From an order to times: everything begins as soon as what it waits for is over.
//!
//! A run takes tasks and checks one by one and keeps, for each, what it waits for: tasks that must be over,
//! the last one on its operator or slot, what excludes it, and the checks and tasks of the objects that it
//! breaks or checks. All that a line waits for lies before it, so the earliest times are found at once, and
//! with them whether any times fit. The best times for the same order are another question, see `timing`.

mod facts;
mod spans;
mod track;
mod waits;

pub use facts::Facts;
pub(super) use facts::opening;
pub use spans::Span;
pub use track::{Track, run};

use super::problem::Problem;
use super::value::{Check, Schedule};
use super::{at, put};

/// What an order consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A task.
    Task(usize),
    /// A check of an object.
    Check(usize),
}

/// A task or check with what it waits for.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// What it is.
    pub item: Item,
    /// How long it takes.
    pub takes: i64,
    /// The earliest begin.
    pub early: i64,
    /// Before this it does not begin, whatever it waits for.
    pub release: i64,
    /// The latest begin that the window and its closed times leave it.
    pub late: i64,
    /// Where its waits begin in the list of all waits.
    pub waits: usize,
}

/// A time in which an object is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Episode {
    /// Which object.
    pub object: usize,
    /// The line that made it bad; none if it was so from the start.
    pub from: Option<usize>,
    /// The line of the check that ends it.
    pub to: Option<usize>,
}

/// What is known of an object in the course of a run.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    is_bad: bool,
    /// The line that made it so.
    from: Option<usize>,
    /// Its last check.
    check: Option<usize>,
}

/// An order in the making.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    problem: &'a Problem,
    facts: &'a Facts,
    /// Whether nothing begins before what stands before it, even where it could.
    is_strict: bool,
    lines: Vec<Line>,
    waits: Vec<(usize, i64)>,
    placed: Vec<Option<usize>>,
    states: Vec<State>,
    lanes: Vec<Option<usize>>,
    slots: Vec<Vec<Option<usize>>>,
    ended: Vec<Episode>,
    /// Lines that begin when the last span of an object is over.
    apart: Vec<(usize, usize)>,
}

/// What has to be put back to take a line out again.
#[derive(Clone, Debug)]
pub struct Undo {
    states: Vec<(usize, State)>,
    machine: Option<(usize, Option<usize>)>,
    ended: usize,
}

impl<'a> Run<'a> {
    /// Nothing as yet.
    #[must_use]
    pub fn new(problem: &'a Problem, facts: &'a Facts, is_strict: bool) -> Self {
        let state = |bad| State { is_bad: bad, ..State::default() };
        Self {
            problem,
            facts,
            is_strict,
            lines: Vec::new(),
            waits: Vec::new(),
            placed: vec![None; problem.tasks.len()],
            states: problem.objects.iter().map(|object| state(object.starts_bad)).collect(),
            lanes: vec![None; problem.operators],
            slots: problem.owners.iter().map(|slots| vec![None; *slots]).collect(),
            ended: Vec::new(),
            apart: Vec::new(),
        }
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What a line waits for: earlier lines, and how long after their begin it may begin.
    #[must_use]
    pub fn waits(&self, line: usize) -> &[(usize, i64)] {
        let from = self.lines.get(line).map_or(0, |line| line.waits);
        let to = self.lines.get(line + 1).map_or(self.waits.len(), |line| line.waits);
        self.waits.get(from..to).unwrap_or_default()
    }

    /// The line of a task, if it has one.
    #[must_use]
    pub fn line_of(&self, task: usize) -> Option<usize> {
        at(&self.placed, task)
    }

    /// Whether an object is bad after the last line.
    #[must_use]
    pub fn is_bad(&self, object: usize) -> bool {
        self.states.get(object).is_some_and(|state| state.is_bad)
    }

    /// Whether a line of the object's own checks is there.
    #[must_use]
    pub fn is_checked(&self, object: usize) -> bool {
        self.states.get(object).is_some_and(|state| state.check.is_some())
    }

    /// The episodes that are over.
    #[must_use]
    pub fn ended(&self) -> &[Episode] {
        &self.ended
    }

    /// The episodes that are not over.
    pub fn open(&self) -> impl Iterator<Item = Episode> {
        let bad = self.states.iter().enumerate().filter(|(_, state)| state.is_bad);
        bad.map(|(object, state)| Episode { object, from: state.from, to: None })
    }

    /// The last lines of all operators, or of the slots that an object's check can have.
    #[must_use]
    pub fn machines(&self, item: Item) -> &[Option<usize>] {
        match item {
            Item::Task(_) => &self.lanes,
            Item::Check(object) => {
                let owner = self.problem.objects.get(object).map_or(0, |object| object.owner);
                self.slots.get(owner).map_or(&[], Vec::as_slice)
            }
        }
    }

    /// The machines that are worth trying: of two that are surely free one after the other, the earlier one.
    ///
    /// A machine whose last line begins no later (it stands before, in a strict run) and takes no longer than
    /// that of another is free no later. Whoever takes the other one waits for both, and could as well have
    /// taken this one and left the other to what comes after, which waits no longer for it either.
    #[must_use]
    pub fn choices(&self, item: Item) -> Vec<Option<usize>> {
        if let Item::Task(task) = item
            && !self.problem.tasks.get(task).is_some_and(|task| task.needs_operator)
        {
            return vec![None];
        }
        let machines = self.machines(item);
        if let Some(empty) = machines.iter().position(Option::is_none) {
            return vec![Some(empty)];
        }
        let line = |machine: &Option<usize>| machine.and_then(|line| self.lines.get(line));
        let worth = machines.iter().enumerate().filter(|(_, machine)| {
            !machines.iter().any(|other| {
                other < machine
                    && line(other).map(|line| line.takes) <= line(machine).map(|line| line.takes)
            })
        });
        worth.map(|(index, _)| Some(index)).collect()
    }

    /// The machine that is free first, by the earliest times.
    #[must_use]
    pub fn first_free(&self, item: Item) -> Option<Option<usize>> {
        let end = |machine: Option<usize>| {
            let last = machine.and_then(|index| at(self.machines(item), index));
            last.and_then(|line| self.lines.get(line)).map_or(0, |line| line.early + line.takes)
        };
        if self.is_strict {
            return self.choices(item).into_iter().min_by_key(|machine| (end(*machine), *machine));
        }
        match item {
            Item::Task(task) if !self.problem.tasks.get(task)?.needs_operator => Some(None),
            _ => {
                let all = (0..self.machines(item).len()).map(Some);
                all.min_by_key(|machine| (end(*machine), *machine))
            }
        }
    }

    /// Whether the order may go on with this.
    #[must_use]
    pub fn allows(&self, item: Item) -> bool {
        match item {
            Item::Task(index) => {
                let Some(task) = self.problem.tasks.get(index) else { return false };
                self.line_of(index).is_none()
                    && self.facts.before.get(index).is_some_and(|before| {
                        before.iter().all(|task| self.line_of(*task).is_some())
                    })
                    && (task.any_of().is_empty() || self.stands(index))
                    && !task.needs_good.iter().any(|object| self.is_bad(*object))
            }
            Item::Check(object) => {
                self.is_bad(object)
                    && self.facts.fixes.get(object).is_some_and(|fixes| {
                        fixes.iter().all(|fix| self.line_of(*fix).is_some() || !self.stands(*fix))
                    })
            }
        }
    }

    /// Whether what a fix mends has begun.
    #[must_use]
    pub fn stands(&self, fix: usize) -> bool {
        self.problem.tasks.get(fix).is_some_and(|fix| {
            fix.mends.is_empty() || fix.mends.iter().any(|cause| self.line_of(*cause).is_some())
        })
    }

    /// The first and last begins that closed times and limits leave to something.
    #[must_use]
    pub fn spells(&self, item: Item) -> &'a [(i64, i64)] {
        let spells = match item {
            Item::Task(task) => self.facts.task_spells.get(task),
            Item::Check(object) => self.facts.check_spells.get(object),
        };
        spells.map_or(&[], Vec::as_slice)
    }

    /// Puts something next, on a machine, in the first spell that it reaches. It stays out if it does not fit
    /// into its time any more.
    pub fn push(&mut self, item: Item, machine: Option<usize>) -> Option<Undo> {
        self.push_within(item, machine, self.spells(item), &[])
    }

    /// Puts something next, on a machine, in the first of some spells that it reaches, and when the last spans
    /// of some objects are over.
    pub fn push_within(
        &mut self,
        item: Item,
        machine: Option<usize>,
        spells: &[(i64, i64)],
        apart: &[usize],
    ) -> Option<Undo> {
        let takes = match item {
            Item::Task(index) => self.problem.tasks.get(index)?.takes,
            Item::Check(object) => self.problem.objects.get(object)?.check,
        };
        let first = self.waits.len();
        match item {
            Item::Task(index) => self.task_waits(index),
            Item::Check(object) => self.check_waits(object),
        }
        let last = machine.and_then(|machine| at(self.machines(item), machine));
        self.wait_for(last);
        self.wait_apart(apart);
        if let (true, Some(previous)) = (self.is_strict, self.lines.len().checked_sub(1)) {
            self.waits.push((previous, 0));
        }
        let mut early = 0;
        for (line, gap) in self.waits.get(first..).unwrap_or_default() {
            early = early.max(self.lines.get(*line).map_or(0, |line| line.early) + gap);
        }
        let Some((release, late)) = spells.iter().copied().find(|(_, late)| early <= *late) else {
            self.waits.truncate(first);
            return None;
        };
        let line = self.lines.len();
        if !self.problem.stops.is_empty() {
            let (sure, _) = self.apart(item);
            self.apart.extend(sure.iter().chain(apart).map(|object| (line, *object)));
        }
        let early = early.max(release);
        self.lines.push(Line { item, takes, early, release, late, waits: first });
        Some(self.enter(item, line, machine))
    }

    /// What changes with a new line.
    fn enter(&mut self, item: Item, line: usize, machine: Option<usize>) -> Undo {
        let mut undo = Undo { states: Vec::new(), machine: None, ended: self.ended.len() };
        match item {
            Item::Task(index) => {
                put(&mut self.placed, index, Some(line));
                for object in self.problem.tasks.get(index).map_or(&[][..], |task| &task.breaks) {
                    if let Some(state) = self.states.get_mut(*object).filter(|state| !state.is_bad)
                    {
                        undo.states.push((*object, *state));
                        (state.is_bad, state.from) = (true, Some(line));
                    }
                }
            }
            Item::Check(object) => {
                if let Some(state) = self.states.get_mut(object) {
                    undo.states.push((object, *state));
                    self.ended.push(Episode { object, from: state.from, to: Some(line) });
                    *state = State { is_bad: false, from: None, check: Some(line) };
                }
            }
        }
        if let Some(machine) = machine {
            undo.machine = Some((machine, at(self.machines(item), machine)));
            self.set_machine(item, machine, Some(line));
        }
        undo
    }

    /// Takes the last line out.
    pub fn pop(&mut self, undo: Undo) {
        let Some(line) = self.lines.pop() else { return };
        self.waits.truncate(line.waits);
        while self.apart.last().is_some_and(|(line, _)| *line >= self.lines.len()) {
            self.apart.pop();
        }
        if let Some((machine, last)) = undo.machine {
            self.set_machine(line.item, machine, last);
        }
        if let Item::Task(index) = line.item {
            put(&mut self.placed, index, None);
        }
        for (object, state) in undo.states {
            put(&mut self.states, object, state);
        }
        self.ended.truncate(undo.ended);
    }

    fn set_machine(&mut self, item: Item, machine: usize, line: Option<usize>) {
        match item {
            Item::Task(_) => put(&mut self.lanes, machine, line),
            Item::Check(object) => {
                let owner = self.problem.objects.get(object).map_or(0, |object| object.owner);
                if let Some(slots) = self.slots.get_mut(owner) {
                    put(slots, machine, line);
                }
            }
        }
    }

    /// The schedule in which each line begins at its time.
    #[must_use]
    pub fn schedule(&self, starts: &[i64]) -> Schedule {
        let mut schedule =
            Schedule { starts: vec![0; self.problem.tasks.len()], checks: Vec::new() };
        for (index, line) in self.lines.iter().enumerate() {
            let start = at(starts, index);
            match line.item {
                Item::Task(task) => put(&mut schedule.starts, task, start),
                Item::Check(object) => {
                    schedule.checks.push(Check { start, end: start + line.takes, object });
                }
            }
        }
        schedule.checks.sort_unstable();
        schedule
    }

    /// The earliest times.
    #[must_use]
    pub fn early(&self) -> Vec<i64> {
        self.lines.iter().map(|line| line.early).collect()
    }
}
