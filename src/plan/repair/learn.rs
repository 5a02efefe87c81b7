//! What the simulation shows and the numbers did not say: each is a condition that every order has to keep, so that what is
//! best with it is still no worse than the best there is.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::change::Cell;
use crate::facts::value::ObjectId;
use crate::plan::repair::complete::Serial;
use crate::plan::repair::ground::Ground;
use crate::plan::repair::pieces::Draft;
use crate::plan::repair::same::{is_alike, is_plain};
use crate::plan::trace::{FactChange, Happening, ObjectTrace, StepStatus, StepTrace, Trace};
use crate::plan::world::Phase;

/// What simulations have shown. Pieces are named by position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Learned {
    /// The first comes before the second, which cannot begin otherwise, or does something else.
    pub before: BTreeSet<(usize, usize)>,
    /// A piece makes an object bad.
    pub breaks: BTreeSet<(usize, ObjectId)>,
    /// A fix without which a check of an object is vain.
    pub frees: BTreeSet<(usize, ObjectId)>,
    /// A fix, and the piece whose damage it mends.
    pub mends: BTreeSet<(usize, usize)>,
    /// A piece, and an object whose check does not run beside it.
    pub apart: BTreeSet<(usize, ObjectId)>,
}

impl Learned {
    /// The same without orders: what holds in every order.
    pub(super) fn without_orders(&self) -> Self {
        Self { before: BTreeSet::new(), ..self.clone() }
    }

    fn count(&self) -> usize {
        self.before.len()
            + self.breaks.len()
            + self.frees.len()
            + self.mends.len()
            + self.apart.len()
    }

    /// Takes from a simulated draft what the numbers did not say; whether there was anything.
    pub(super) fn take(
        &mut self,
        serial: &Serial,
        ground: &Ground,
        (draft, trace): (&Draft, &Trace),
    ) -> bool {
        let before = self.count();
        let lesson = Lesson { serial, ground, draft, trace };
        for (position, step) in trace.steps.iter().enumerate() {
            let Some(piece) = draft.piece(position) else { break };
            if let Some(object) = step.needs.check.map(|(object, _)| object) {
                lesson.vain(self, step);
                lesson.spoiled(self, step, object);
                continue;
            }
            match &step.status {
                StepStatus::Refused(_) | StepStatus::Nothing => {
                    lesson.order(self, piece, step);
                }
                _ => lesson.harm(self, piece, step),
            }
        }
        lesson.facts(self);
        self.count() > before
    }
}

struct Lesson<'a> {
    serial: &'a Serial,
    ground: &'a Ground,
    draft: &'a Draft,
    trace: &'a Trace,
}

impl Lesson<'_> {
    /// What could begin, or had something to do, in the user's order and not in this one: what came before it there and
    /// changes what its conditions hang on comes before it, and what came behind it and does so comes behind it.
    fn order(&self, learned: &mut Learned, piece: usize, step: &StepTrace) {
        let Some(at) = self.serial.order.iter().position(|other| *other == piece) else { return };
        if !self.ground.tasks.contains(&piece) {
            return;
        }
        let busy = self.busy(step);
        if !busy.is_empty() {
            learned.apart.extend(busy.into_iter().map(|object| (piece, object)));
            return;
        }
        let others = || self.serial.order.iter().enumerate();
        let earlier = others().take(at).filter(|(_, other)| self.is_behind(**other, piece));
        let later = others().skip(at + 1).filter(|(_, other)| self.is_behind(piece, **other));
        let decides = |other: &usize| self.changes(*other, &step.looked_at);
        let earlier: Vec<usize> = earlier.map(|(other, _)| other).collect();
        let before = earlier.iter().copied().find(decides);
        let after = later.map(|(other, _)| other).find(decides);
        // One at a time, for the next may not be needed then. Where nobody sees what it hangs on, it stays behind what it was
        // behind last.
        let pair = match (before, after) {
            (Some(before), _) => self.pair(before, at),
            (None, Some(after)) => self.pair(at, after),
            (None, None) => earlier.last().and_then(|other| self.pair(*other, at)),
        };
        learned.before.extend(pair);
    }

    /// The objects that are being checked when a step could not begin, where its conditions hang on them.
    fn busy(&self, step: &StepTrace) -> Vec<ObjectId> {
        let Some(start) = step.start else { return Vec::new() };
        let looks_at = |object: ObjectId| {
            step.looked_at.iter().any(|cell| match cell {
                Cell::Field(known, _) => *known == object,
                Cell::All(kind) => *kind == object.kind,
            })
        };
        let is_busy = |one: &&ObjectTrace| {
            let mut at = one.intervals.iter().filter(|at| at.from <= start && start < at.to);
            at.any(|at| at.phase == Phase::Busy)
        };
        let objects = self.trace.objects.iter().filter(is_busy).map(|one| one.object);
        objects.filter(|object| looks_at(*object)).collect()
    }

    fn pair(&self, first: usize, second: usize) -> Option<(usize, usize)> {
        let (first, second) = (self.serial.order.get(first)?, self.serial.order.get(second)?);
        let are_tasks = self.ground.tasks.contains(first) && self.ground.tasks.contains(second);
        are_tasks.then_some((*first, *second))
    }

    /// Whether the draft has the first piece behind the second.
    fn is_behind(&self, first: usize, second: usize) -> bool {
        let begin = |piece: usize| {
            let step = self.draft.position(piece).and_then(|at| self.trace.steps.get(at));
            step.and_then(|step| step.start).unwrap_or(i64::MAX)
        };
        (begin(first), self.draft.position(first)) > (begin(second), self.draft.position(second))
    }

    /// Whether a piece of the serial run changes one of these facts.
    fn changes(&self, at: usize, cells: &BTreeSet<Cell>) -> bool {
        let events = self.serial.trace.events.iter().filter(|event| event.step == Some(at));
        events.flat_map(|event| &event.changes).any(|change| match change {
            FactChange::Field(object, field, ..) => {
                cells.contains(&Cell::Field(*object, *field))
                    || cells.contains(&Cell::All(object.kind))
            }
            FactChange::Added(object, _) | FactChange::Removed(object, _) => {
                cells.contains(&Cell::All(object.kind))
                    || cells
                        .iter()
                        .any(|cell| matches!(cell, Cell::Field(known, _) if known == object))
            }
        })
    }

    fn harm(&self, learned: &mut Learned, piece: usize, step: &StepTrace) {
        let Some(task) = self.ground.tasks.iter().position(|known| *known == piece) else { return };
        let known = self.ground.problem.tasks.get(task).map(|task| task.breaks.as_slice());
        for object in &step.harmed {
            let number = self.ground.objects.iter().position(|known| known == object);
            if let Some(number) = number
                && !known.unwrap_or_default().contains(&number)
            {
                learned.breaks.insert((piece, *object));
            }
        }
    }

    /// A check that was wasted waits for what cleared its causes in the end.
    fn vain(&self, learned: &mut Learned, step: &StepTrace) {
        for number in &step.vain {
            let Some(cause) = self.trace.causes.get(*number) else { continue };
            let mends = cause.closed_by.and_then(|fix| self.draft.piece(fix));
            // It may never be cleared here, and was in the serial run.
            let same = self.serial.trace.causes.iter().find(|other| {
                other.rule == cause.rule
                    && other.subject == cause.subject
                    && other.closed_by.is_some()
            });
            let in_serial = same.and_then(|same| self.serial.order.get(same.closed_by?)).copied();
            let Some(fix) = mends.or(in_serial) else { continue };
            if !self.ground.tasks.contains(&fix) {
                continue;
            }
            learned.frees.extend(cause.objects.iter().map(|object| (fix, *object)));
            if let Some(opener) = cause.opened_by.and_then(|opener| self.draft.piece(opener))
                && opener != fix
            {
                learned.mends.insert((fix, opener));
            }
        }
    }

    fn spoiled(&self, learned: &mut Learned, step: &StepTrace, object: ObjectId) {
        let by = step.broken_by.and_then(|by| self.draft.piece(by));
        if let Some(by) = by.filter(|by| self.ground.tasks.contains(by)) {
            learned.apart.insert((by, object));
        }
    }

    /// A fact that ends with another value than in the serial run was set in another order.
    fn facts(&self, learned: &mut Learned) {
        let wanted = writers(&self.serial.trace, &|at| self.serial.order.get(at).copied());
        let here = writers(self.trace, &|at| self.draft.piece(at));
        for (cell, pieces) in &wanted {
            let Some(now) = here.get(cell) else { continue };
            let (Some(last), Some(other)) = (pieces.last(), now.last()) else { continue };
            if last != other
                && pieces.contains(other)
                && self.ground.tasks.contains(last)
                && self.ground.tasks.contains(other)
                && !is_alike(
                    self.trace.facts.fact(cell.0, cell.1),
                    self.serial.trace.facts.fact(cell.0, cell.1),
                )
            {
                learned.before.insert((*other, *last));
            }
        }
    }
}

/// The pieces that set each fact by what they do, in the order in which they did.
fn writers(
    trace: &Trace,
    piece: &dyn Fn(usize) -> Option<usize>,
) -> BTreeMap<(ObjectId, usize), Vec<usize>> {
    let mut all: BTreeMap<(ObjectId, usize), Vec<usize>> = BTreeMap::new();
    for event in trace.events.iter().filter(|event| event.what == Happening::Effect) {
        let Some(piece) = event.step.and_then(piece) else { continue };
        for change in &event.changes {
            if let FactChange::Field(object, field, _, to) = change
                && is_plain(to)
            {
                all.entry((*object, *field)).or_default().push(piece);
            }
        }
    }
    all
}
