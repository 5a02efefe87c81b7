//! The steps that a repaired plan can consist of, and their order.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::facts::value::{ObjectId, Value, fold};
use crate::finding;
use crate::plan::simulate::check_of;
use crate::plan::{Plan, Step};
use crate::rule::action::Action;
use crate::rule::pack::RuleSet;

/// A step that a repaired plan can have.
#[derive(Clone, Debug)]
pub struct Piece {
    /// Where it comes from.
    pub origin: Origin,
    /// The step; what it waits for is said in a [`Draft`].
    pub step: Step,
}

/// Where a step comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// It is the user's, by its position.
    Written(usize),
    /// It clears what the plan leaves: the step that the rules ask for.
    Fix(Box<finding::Step>),
    /// It checks an object.
    Check(ObjectId),
}

/// All pieces of a plan; drafts name them by position.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    /// The pieces: the user's steps in his order, then those that are put in.
    pub all: Vec<Piece>,
}

/// An order of pieces, each with what it waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// The pieces in their order; what is not among them is left out.
    pub entries: Vec<Entry>,
    /// Whether steps that can begin together still can.
    pub has_blocks: bool,
}

/// A piece in its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Which.
    pub piece: usize,
    /// Pieces that must be over when it begins, beside what the order says.
    pub after: Vec<usize>,
    /// Seconds before which it does not begin.
    pub not_before: Option<i64>,
}

/// Letters before the numbers of steps that are put in.
const FIX: &str = "f";
const CHECK: &str = "c";

impl Pieces {
    /// The steps of a plan as it is written.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let piece = |(position, step): (usize, &Step)| Piece {
            origin: Origin::Written(position),
            step: step.clone(),
        };
        Self { all: plan.written().iter().enumerate().map(piece).collect() }
    }

    /// The plan as it is written.
    #[must_use]
    pub fn as_written(&self, plan: &Plan) -> Draft {
        let entry = |(piece, step): (usize, &Step)| Entry {
            piece,
            after: step.after.clone(),
            not_before: step.not_before,
        };
        let entries = plan.written().iter().enumerate().map(entry).collect();
        Draft { entries, has_blocks: true }
    }

    /// The step of a piece.
    #[must_use]
    pub fn step(&self, piece: usize) -> Option<&Step> {
        self.all.get(piece).map(|piece| &piece.step)
    }

    /// What a piece does.
    #[must_use]
    pub fn action<'s>(&self, set: &'s RuleSet, piece: usize) -> Option<&'s Action> {
        set.actions.get(self.step(piece)?.action)
    }

    /// The object that a piece checks.
    #[must_use]
    pub fn checks(&self, set: &RuleSet, piece: usize) -> Option<ObjectId> {
        match self.step(piece)?.args.get(self.action(set, piece)?.course.checks?) {
            Some(Value::Object(object)) => Some(*object),
            _ => None,
        }
    }

    /// The user's position of a piece.
    #[must_use]
    pub fn written(&self, piece: usize) -> Option<usize> {
        match self.all.get(piece)?.origin {
            Origin::Written(position) => Some(position),
            _ => None,
        }
    }

    /// Puts in a repair that the rules ask for.
    pub fn add_fix(&mut self, action: usize, args: Vec<Value>, step: finding::Step) -> usize {
        self.add(FIX, Origin::Fix(Box::new(step)), action, args)
    }

    /// Puts in a check of an object; none if no action does just that.
    pub fn add_check(&mut self, set: &RuleSet, object: ObjectId) -> Option<usize> {
        let check = check_of(set)?;
        let action = set.actions.iter().position(|action| action.id == check.id)?;
        Some(self.add(CHECK, Origin::Check(object), action, vec![Value::Object(object)]))
    }

    fn add(&mut self, letter: &str, origin: Origin, action: usize, args: Vec<Value>) -> usize {
        let known: BTreeSet<String> = self.all.iter().map(|piece| fold(&piece.step.id)).collect();
        let mut names = (1..=self.all.len() + 1).map(|number| format!("{letter}{number}"));
        let id = names.find(|name| !known.contains(name)).unwrap_or_default();
        let step = Step::new(Arc::from(id), action, args);
        self.all.push(Piece { origin, step });
        self.all.len() - 1
    }

    /// Names what is put in by its place in a draft; what only other drafts have comes behind.
    pub(super) fn rename(&mut self, draft: &Draft) {
        let is_new = |piece: &usize| self.written(*piece).is_none();
        let placed = draft.entries.iter().map(|entry| entry.piece).filter(is_new);
        let mut order: Vec<usize> = placed.collect();
        let others = (0..self.all.len()).filter(is_new).filter(|piece| !order.contains(piece));
        let others: Vec<usize> = others.collect();
        order.extend(others);
        let known: BTreeSet<String> = self
            .all
            .iter()
            .filter(|piece| matches!(piece.origin, Origin::Written(_)))
            .map(|piece| fold(&piece.step.id))
            .collect();
        let mut next = [1_usize, 1];
        for piece in order {
            let Some(piece) = self.all.get_mut(piece) else { continue };
            let (letter, number) = match piece.origin {
                Origin::Check(_) => (CHECK, next.last_mut()),
                _ => (FIX, next.first_mut()),
            };
            let Some(number) = number else { continue };
            let mut name = format!("{letter}{number}");
            while known.contains(&name) {
                *number += 1;
                name = format!("{letter}{number}");
            }
            *number += 1;
            piece.step.id = Arc::from(name);
        }
    }

    /// The steps of a draft, which know each other by position.
    #[must_use]
    pub fn steps(&self, draft: &Draft) -> Vec<Step> {
        let place = |piece: &usize| draft.entries.iter().position(|entry| entry.piece == *piece);
        let step = |entry: &Entry| {
            let mut step = self.step(entry.piece)?.clone();
            step.after = entry.after.iter().filter_map(place).collect();
            step.not_before = entry.not_before;
            step.group = step.group.filter(|_| draft.has_blocks);
            Some(step)
        };
        draft.entries.iter().filter_map(step).collect()
    }
}

impl Entry {
    /// Whether it waits for what a step of the user's waits for, and for nothing else.
    #[must_use]
    pub fn waits_like(&self, step: &Step) -> bool {
        let mut before = step.after.clone();
        before.sort_unstable();
        before == self.after && step.not_before == self.not_before
    }
}

impl Draft {
    /// Pieces one after the other.
    #[must_use]
    pub fn in_order(pieces: impl IntoIterator<Item = usize>) -> Self {
        let entry = |piece| Entry { piece, ..Entry::default() };
        Self { entries: pieces.into_iter().map(entry).collect(), has_blocks: false }
    }

    /// The position of a piece.
    #[must_use]
    pub fn position(&self, piece: usize) -> Option<usize> {
        self.entries.iter().position(|entry| entry.piece == piece)
    }

    /// The piece at a position.
    #[must_use]
    pub fn piece(&self, position: usize) -> Option<usize> {
        self.entries.get(position).map(|entry| entry.piece)
    }
}
