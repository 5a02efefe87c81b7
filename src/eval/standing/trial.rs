//! A change that is tried out and taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::eval::judge::RuleResult;
use crate::eval::standing::{Cause, Causes, Part};
use crate::facts::change::Cell;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::ObjectId;

/// What was replaced while something was tried out, to be put back.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// Parts by place in the list of rules, the oldest first; none: there was no such part.
    pub(super) parts: Vec<(usize, ObjectId, Option<Part>)>,
    /// All parts of a rule, and whether there may be more.
    pub(super) rules: Vec<(usize, BTreeMap<ObjectId, Part>, bool)>,
    pub(super) results: Vec<(usize, Option<RuleResult>)>,
    pub(super) standing: Vec<(String, Option<Cause>)>,
    at: Option<Instant>,
    /// What was read.
    pub(super) reads: BTreeSet<Cell>,
}

impl Causes<'_> {
    /// Like [`Self::update`], until [`Self::take_back`].
    pub fn try_out(&mut self, facts: &Arc<Facts>, now: &Instant, touched: &BTreeSet<Cell>) {
        self.replaced = Some(Replaced { at: self.at.clone(), ..Replaced::default() });
        let stale = self.stale(touched);
        self.judge_stale(facts, now, stale);
    }

    /// All is as it was before it was tried out; the answer are the facts that its outcome hangs on.
    pub fn take_back(&mut self) -> BTreeSet<Cell> {
        let Some(replaced) = self.replaced.take() else { return BTreeSet::new() };
        self.at = replaced.at;
        for (place, member, part) in replaced.parts.into_iter().rev() {
            let Some(judged) = self.rules.get_mut(place) else { continue };
            match part {
                Some(part) => _ = judged.parts.insert(member, part),
                None => _ = judged.parts.remove(&member),
            }
        }
        for (place, parts, is_open) in replaced.rules.into_iter().rev() {
            if let Some(judged) = self.rules.get_mut(place) {
                (judged.parts, judged.is_open) = (parts, is_open);
            }
        }
        for (position, result) in replaced.results.into_iter().rev() {
            match result {
                Some(result) => _ = self.results.insert(position, result),
                None => _ = self.results.remove(&position),
            }
        }
        for (fingerprint, cause) in replaced.standing.into_iter().rev() {
            match cause {
                Some(cause) => _ = self.standing.insert(fingerprint, cause),
                None => _ = self.standing.remove(&fingerprint),
            }
        }
        replaced.reads
    }

    pub(super) fn replace(&mut self, fingerprint: &str, cause: Option<Cause>) {
        if let Some(replaced) = &mut self.replaced {
            replaced.standing.push((fingerprint.to_owned(), cause));
        }
    }
}
