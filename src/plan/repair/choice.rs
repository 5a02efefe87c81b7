//! Ways to carry out a plan: what each changes, and how sure it is.

use std::collections::BTreeSet;

use crate::plan::repair::pieces::{Draft, Pieces};
use crate::plan::repair::worth::Tried;
use crate::plan::solver::relax::Relaxation;

/// A way to carry out the plan.
#[derive(Clone, Debug)]
pub struct Choice {
    /// What it is.
    pub kind: Kind,
    /// The order, carried out.
    pub tried: Tried,
    /// Entries inserted, deleted and moved.
    pub edits: Edits,
    /// How sure it is that no other does less harm, under the conditions of its kind.
    pub status: Status,
}

/// What a choice is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The user's order, with what it lacks.
    LeastEdits,
    /// Least harm, and of what is nearly as good the nearest to the user's order.
    Recommended,
    /// Least time without protection, whatever has to be moved for it.
    LeastExposure,
}

/// Whether the user's own order, with what it lacks, fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnOrder {
    /// It does, or it was not asked.
    #[default]
    Fits,
    /// It does not, and nothing is known that would let it.
    DoesNotFit,
    /// It does with this.
    Needs(Relaxation),
}

/// How sure a choice is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The plan is right as it is written.
    Unchanged,
    /// No order does less harm, because a sum says so.
    ProvenByBound,
    /// No order does less harm: all were looked at.
    ProvenBySearch {
        /// So many nodes.
        nodes: u64,
    },
    /// Others may do less harm.
    BestFound {
        /// Weighted seconds above what no order is below.
        gap: i64,
    },
    /// No order keeps all conditions.
    Infeasible,
    /// None was found, and none is excluded.
    NotFound {
        /// Why.
        why: String,
    },
}

/// What has to be done to the user's plan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Pieces that are put in.
    pub inserted: Vec<usize>,
    /// The user's steps that are taken out.
    pub deleted: Vec<usize>,
    /// The user's steps that change places.
    pub moved: Vec<usize>,
}

impl Edits {
    /// What a draft changes in a plan of so many steps.
    pub(super) fn of(pieces: &Pieces, count: usize, draft: &Draft) -> Self {
        let entries = &draft.entries;
        let places: Vec<(usize, usize)> = entries
            .iter()
            .filter_map(|entry| Some((pieces.written(entry.piece)?, entry.piece)))
            .collect();
        let kept = longest(&places.iter().map(|(place, _)| *place).collect::<Vec<_>>());
        let is_kept = |place: &usize| kept.contains(place);
        Self {
            inserted: entries
                .iter()
                .map(|entry| entry.piece)
                .filter(|piece| pieces.written(*piece).is_none())
                .collect(),
            deleted: (0..count)
                .filter(|position| !places.iter().any(|(place, _)| place == position))
                .collect(),
            moved: places.iter().map(|(place, _)| *place).filter(|place| !is_kept(place)).collect(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inserted.len() + self.deleted.len() + self.moved.len()
    }
}

/// A longest increasing subsequence.
fn longest(places: &[usize]) -> BTreeSet<usize> {
    // For each entry the length of the longest that ends with it, and the entry before.
    let mut best: Vec<(usize, Option<usize>)> = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let before =
            (0..at).filter(|earlier| places.get(*earlier) < Some(place)).max_by_key(|earlier| {
                (best.get(*earlier).map(|one| one.0), std::cmp::Reverse(*earlier))
            });
        let length = before.and_then(|before| best.get(before)).map_or(0, |one| one.0);
        best.push((length + 1, before));
    }
    let mut last = (0..places.len()).max_by_key(|at| best.get(*at).map(|one| one.0));
    let mut kept = BTreeSet::new();
    while let Some(at) = last {
        kept.extend(places.get(at).copied());
        last = best.get(at).and_then(|one| one.1);
    }
    kept
}
