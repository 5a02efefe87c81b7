//! Fixes that last: behind what a few objects need, they serve those whose causes come later, too.

use std::collections::BTreeSet;

use crate::facts::value::ObjectId;
use crate::plan::repair::complete::{Serial, refused, serial};
use crate::plan::repair::ground::Base;
use crate::plan::simulate::Takes;

/// Most objects that are tried as the first.
const MAX_LEADERS: usize = 3;

/// Most objects that come before a fix together.
const MAX_TOGETHER: usize = 6;

/// Objects that come first: what they need mended is mended for all that comes behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::plan::repair) struct Leader {
    pub(super) fix: usize,
    /// The objects.
    pub(super) objects: Vec<ObjectId>,
    /// The pieces that come before the fix.
    pub(super) first: Vec<usize>,
    /// Those that come behind it, and need none.
    pub(super) later: Vec<usize>,
}

/// How a problem takes a fix that lasts.
#[derive(Clone, Copy)]
pub(in crate::plan::repair) enum Lasting<'l> {
    /// It comes behind all that it mends.
    Last,
    /// It comes behind what these objects need.
    First(&'l Leader),
    /// Nobody says where it comes: what no order is below holds for all of them.
    Anywhere(&'l Leader),
}

impl Base<'_> {
    /// What lasts: behind what a few objects need, a fix also serves those whose causes come later.
    pub(super) fn leaders(&self, takes: Takes) -> Vec<Leader> {
        for at in 0..self.run.order.len() {
            let (mut frees, mut mends, is_since_ever) = self.mended(at);
            mends.sort_unstable();
            mends.dedup();
            let Some(fix) = self.run.order.get(at).copied() else { continue };
            if mends.len() < 2 || is_since_ever {
                continue;
            }
            // Who is over soonest lets the others wait for the shortest time.
            let lasts = |object: &ObjectId| -> i64 {
                let positions = self.harm(*object);
                let steps = positions.iter().filter_map(|at| self.run.trace.steps.get(*at));
                steps.filter_map(|step| step.takes).sum()
            };
            frees.sort_by_key(|object| (lasts(object), *object));
            frees.dedup();
            let firsts = frees.iter().take(MAX_LEADERS);
            let mut found: Vec<Leader> = Vec::new();
            for leader in firsts.filter_map(|first| self.leader(takes, (fix, &frees), *first)) {
                if !found.contains(&leader) {
                    found.push(leader);
                }
            }
            if !found.is_empty() {
                return found;
            }
        }
        Vec::new()
    }

    /// The positions of what makes an object bad.
    fn harm(&self, object: ObjectId) -> Vec<usize> {
        let steps = self.run.trace.steps.iter().enumerate();
        steps.filter(|(_, step)| step.harmed.contains(&object)).map(|(at, _)| at).collect()
    }

    /// An object that comes before a fix, with as many others as it takes for the fix to serve all; none if that is all.
    fn leader(
        &self,
        takes: Takes,
        (fix, frees): (usize, &[ObjectId]),
        first: ObjectId,
    ) -> Option<Leader> {
        let piece = |at: &usize| self.run.order.get(*at).copied();
        let left = self.left_bad(&self.checked);
        let mut objects = vec![first];
        for _ in 0..MAX_TOGETHER {
            let mut before: Vec<usize> =
                objects.iter().flat_map(|object| self.harm(*object)).collect();
            before.sort_unstable();
            before.dedup();
            let all: BTreeSet<usize> = frees.iter().flat_map(|object| self.harm(*object)).collect();
            if before.len() >= all.len() {
                return None;
            }
            let later: Vec<usize> = all.into_iter().filter(|at| !before.contains(at)).collect();
            let place = before.iter().chain(&later).min().copied().unwrap_or_default();
            let mut moved: Vec<usize> = before.iter().filter_map(piece).collect();
            moved.push(fix);
            let mut order: Vec<usize> =
                self.run.order.iter().copied().filter(|piece| !moved.contains(piece)).collect();
            order.splice(place.min(order.len())..place.min(order.len()), moved);
            order.extend(&self.checks);
            let tried = serial(self.given, takes, self.pieces, &order);
            let bad = self.left_bad(&tried);
            if bad.is_subset(&left) && refused(&tried).len() <= refused(&self.checked).len() {
                return Some(Leader {
                    fix,
                    objects,
                    first: before.iter().filter_map(piece).collect(),
                    later: later.iter().filter_map(piece).collect(),
                });
            }
            let next = frees.iter().find(|one| bad.contains(one) && !objects.contains(one))?;
            objects.push(*next);
        }
        None
    }

    /// The objects of the problem that are not good at the end of a run.
    fn left_bad(&self, run: &Serial) -> BTreeSet<ObjectId> {
        let open = run.trace.objects.iter().filter(|one| one.ends().is_exposed());
        open.map(|one| one.object).filter(|object| self.objects.contains(object)).collect()
    }
}
