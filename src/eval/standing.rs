//! The causes that stand, kept up to date while facts change.
//!
//! Each rule is judged apart for each member of its first list, and what was read on the way is
//! remembered. After a change of facts only those members are judged again for which something that
//! they read is different. `evaluate` says the same, slower; a test compares the two.

mod part;
mod trial;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

pub use crate::eval::judge::Standing;
use crate::eval::judge::{Depth, RuleResult, judge};
use crate::eval::standing::part::{differs, is_like, members, together};
use crate::eval::standing::trial::Replaced;
use crate::eval::{Ledger, needed};
use crate::expr::eval::{ReadSet, Reads, View};
use crate::facts::change::Cell;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::ObjectId;
use crate::rule::pack::RuleSet;
use crate::rule::{Binding, Rule};

/// A cause that stands.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Position of its rule in the set.
    pub rule: usize,
    /// The finding.
    pub standing: Standing,
}

/// What changed since the last time.
#[derive(Debug, Default)]
pub struct Delta {
    /// Causes that did not stand before, by rule and subject.
    pub appeared: Vec<Cause>,
    /// Fingerprints of those that stand no more.
    pub vanished: BTreeSet<String>,
    /// Whether a rule that others ask says something else than before.
    pub is_answer_new: bool,
}

/// The rules with a consequence, and those under which checks fail, judged on facts that change.
#[derive(Debug)]
pub struct Causes<'a> {
    set: &'a RuleSet,
    rules: Vec<Judged>,
    /// Results by position in the set, put together from the parts.
    results: HashMap<usize, RuleResult>,
    /// Who has read a fact; more may stand here than still do.
    readers: HashMap<Cell, BTreeSet<(usize, Option<ObjectId>)>>,
    /// What stands, by fingerprint.
    standing: BTreeMap<String, Cause>,
    /// What was replaced since a trial began.
    replaced: Option<Replaced>,
    /// The instant at which what hangs on it was judged last.
    at: Option<Instant>,
}

#[derive(Debug)]
struct Judged {
    position: usize,
    parts: BTreeMap<ObjectId, Part>,
    /// Members whose parts hang on the instant; more may stand here than still do.
    timed: BTreeSet<ObjectId>,
    /// Undecided which members there are.
    is_open: bool,
}

/// What is so of one member.
type Part = Arc<RuleResult>;

/// What is to be judged again of a rule.
#[derive(Debug, Default)]
struct Again {
    /// Which members there are.
    list: bool,
    /// All of them.
    all: bool,
    members: BTreeSet<ObjectId>,
}

impl<'a> Causes<'a> {
    /// Judges everything once: these are the causes that stand at the start.
    #[must_use]
    pub fn new(set: &'a RuleSet, facts: &Arc<Facts>, now: &Instant) -> Self {
        let needed = needed(set, &Rule::is_watched);
        let rules = set.order.iter().filter(|position| needed.contains(position));
        let rules = rules.map(|position| Judged {
            position: *position,
            parts: BTreeMap::new(),
            timed: BTreeSet::new(),
            is_open: false,
        });
        let mut causes = Self {
            set,
            rules: rules.collect(),
            results: HashMap::new(),
            readers: HashMap::new(),
            standing: BTreeMap::new(),
            replaced: None,
            at: None,
        };
        let everything = |_: &Judged, _| Again { list: true, all: true, members: BTreeSet::new() };
        causes.judge_again(facts, now, everything);
        causes
    }

    /// The causes that stand, by fingerprint.
    pub fn standing(&self) -> impl Iterator<Item = &Cause> {
        self.standing.values()
    }

    /// The cause rules by position, with their results; other rules are judged where these ask them.
    fn causes(&self) -> impl Iterator<Item = (usize, &RuleResult)> {
        let is_cause =
            |position: &usize| self.set.rules.get(*position).is_some_and(|rule| rule.is_decisive());
        let positions = self.rules.iter().map(|judged| judged.position).filter(is_cause);
        positions.filter_map(|position| Some((position, self.results.get(&position)?)))
    }

    /// Cause rules, by position, that cannot be decided: for which objects, and whether for any.
    #[must_use]
    pub fn doubts(&self) -> Vec<(usize, Vec<ObjectId>, bool)> {
        let open = self
            .causes()
            .filter(|(_, result)| result.undecided_anywhere || !result.undecided.is_empty());
        let open = open.map(|(position, result)| {
            let mut objects: Vec<ObjectId> = result.undecided.iter().copied().collect();
            objects.sort_unstable();
            (position, objects, result.undecided_anywhere)
        });
        open.collect()
    }

    /// Rules, by position, that cannot be decided for an object.
    #[must_use]
    pub fn undecided(&self, object: ObjectId) -> Vec<usize> {
        let is_open =
            |result: &RuleResult| result.undecided_anywhere || result.undecided.contains(&object);
        let open = self.causes().filter(|(_, result)| is_open(result));
        open.map(|(position, _)| position).collect()
    }

    /// Judges again what read one of these facts, or the time.
    pub fn update(&mut self, facts: &Arc<Facts>, now: &Instant, touched: &BTreeSet<Cell>) -> Delta {
        let stale = self.stale(touched);
        self.judge_stale(facts, now, stale)
    }

    /// What has read one of these facts.
    fn stale(&self, touched: &BTreeSet<Cell>) -> HashMap<usize, Again> {
        let mut stale: HashMap<usize, Again> = HashMap::new();
        for (position, member) in touched.iter().filter_map(|cell| self.readers.get(cell)).flatten()
        {
            let again = stale.entry(*position).or_default();
            match member {
                Some(member) => _ = again.members.insert(*member),
                None => again.list = true,
            }
        }
        stale
    }

    fn judge_stale(
        &mut self,
        facts: &Arc<Facts>,
        now: &Instant,
        mut stale: HashMap<usize, Again>,
    ) -> Delta {
        let is_later = self.at.as_ref() != Some(now);
        self.judge_again(facts, now, |judged, set_changed| {
            let mut again = stale.remove(&judged.position).unwrap_or_default();
            again.all |= set_changed;
            if is_later {
                again.members.extend(&judged.timed);
            }
            again
        })
    }

    fn judge_again(
        &mut self,
        facts: &Arc<Facts>,
        now: &Instant,
        mut what: impl FnMut(&Judged, bool) -> Again,
    ) -> Delta {
        let reads = Arc::new(Reads::default());
        let view = View { reads: Some(reads.clone()), ..View::new(facts.clone(), now.clone()) };
        let view = Arc::new(view);
        let mut ledger = Ledger {
            set: self.set,
            fresh: view.clone(),
            results: std::mem::take(&mut self.results),
        };
        let mut changed: HashSet<usize> = HashSet::new();
        let mut delta = Delta::default();
        let mut rules = std::mem::take(&mut self.rules);
        for (place, judged) in rules.iter_mut().enumerate() {
            let Some(rule) = self.set.rules.get(judged.position) else { continue };
            let asks = |other: &usize| {
                let other = self.set.rules.get(*other);
                other.is_some_and(|other| rule.asks.iter().any(|(tag, _)| other.tags.contains(tag)))
            };
            let is_answer_new = changed.iter().any(asks);
            delta.is_answer_new |= is_answer_new;
            let again = what(judged, is_answer_new);
            if !again.list && !again.all && again.members.is_empty() {
                continue;
            }
            let is_remade = again.list || again.all;
            let mut is_new = is_remade;
            let stale = if is_remade {
                let (members, is_open) = members(rule, self.set, &view);
                let read = reads.take();
                self.note(&read, judged.position, None);
                let known = std::mem::take(&mut judged.parts);
                // Who joins or leaves says nothing of those that stay: what they read of others is known.
                let (stale, stay): (Vec<ObjectId>, Vec<ObjectId>) =
                    members.into_iter().partition(|member| {
                        again.all || again.members.contains(member) || !known.contains_key(member)
                    });
                let part = |member| Some((member, known.get(&member)?.clone()));
                judged.parts = stay.into_iter().filter_map(part).collect();
                if let Some(replaced) = &mut self.replaced {
                    replaced.rules.push((place, known, judged.is_open));
                }
                judged.is_open = is_open;
                stale
            } else {
                again
                    .members
                    .into_iter()
                    .filter(|member| judged.parts.contains_key(member))
                    .collect()
            };
            for member in stale {
                let depth = match rule.select.first() {
                    Some(Binding::Each { .. }) => Depth::Member(member),
                    _ => Depth::Brief,
                };
                let (_, result) = judge(rule, self.set, &view, &ledger, depth, None);
                let read = reads.take();
                self.note(&read, judged.position, Some(member));
                if read.now {
                    judged.timed.insert(member);
                }
                let part = Arc::new(result);
                is_new |= judged.parts.get(&member).is_none_or(|known| !is_like(known, &part));
                let known = judged.parts.insert(member, part);
                if let Some(replaced) = self.replaced.as_mut().filter(|_| !is_remade) {
                    replaced.parts.push((place, member, known));
                }
            }
            // Most are judged again to the same result.
            if !is_new {
                continue;
            }
            let parts = judged.parts.values().map(AsRef::as_ref);
            let result = together(parts, judged.is_open);
            let before = ledger.results.get(&judged.position);
            if before.is_none_or(|before| differs(before, &result)) {
                changed.insert(judged.position);
            }
            if rule.is_watched() {
                self.stands(judged.position, before, &result, &mut delta);
            }
            let before = ledger.results.insert(judged.position, result);
            if let Some(replaced) = &mut self.replaced {
                replaced.results.push((judged.position, before));
            }
        }
        self.rules = rules;
        self.results = ledger.results;
        self.at = Some(now.clone());
        delta.appeared.sort_by(|a, b| {
            (a.rule, &a.standing.subject, &a.standing.fingerprint).cmp(&(
                b.rule,
                &b.standing.subject,
                &b.standing.fingerprint,
            ))
        });
        delta
    }

    /// What stands of a rule now, and what stood before.
    fn stands(
        &mut self,
        rule: usize,
        before: Option<&RuleResult>,
        now: &RuleResult,
        delta: &mut Delta,
    ) {
        let before = before.map(|before| before.standing.as_slice()).unwrap_or_default();
        let known: HashSet<&str> = before.iter().map(|one| one.fingerprint.as_str()).collect();
        let stays: HashSet<&str> =
            now.standing.iter().map(|one| one.fingerprint.as_str()).collect();
        for one in before.iter().filter(|one| !stays.contains(one.fingerprint.as_str())) {
            let gone = self.standing.remove(&one.fingerprint);
            if gone.is_some() {
                delta.vanished.insert(one.fingerprint.clone());
            }
            self.replace(&one.fingerprint, gone);
        }
        for one in &now.standing {
            let cause = Cause { rule, standing: one.clone() };
            let gone = self.standing.insert(one.fingerprint.clone(), cause.clone());
            if gone.is_none() && !known.contains(one.fingerprint.as_str()) {
                delta.appeared.push(cause);
            }
            self.replace(&one.fingerprint, gone);
        }
    }

    fn note(&mut self, read: &ReadSet, position: usize, member: Option<ObjectId>) {
        for cell in &read.cells {
            self.readers.entry(*cell).or_default().insert((position, member));
        }
        if let Some(replaced) = &mut self.replaced {
            replaced.reads.extend(&read.cells);
        }
    }
}
