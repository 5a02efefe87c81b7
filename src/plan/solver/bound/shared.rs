//! Bounds that begin with a task which breaks several objects.

use super::{Certificate, Part, Rest, Rule, Summand};
use crate::plan::solver::problem::Task;
use crate::plan::solver::queue::queue;
use crate::plan::solver::{at, count};

impl Rest<'_> {
    pub(super) fn shared(&self, index: usize, task: &Task, counted: &[usize]) -> Certificate {
        let group = self.group(task);
        let amount = self.lead(index, &group) * self.weight(&group);
        let mut summands = vec![Summand { part: Part::Lead(index), amount }];
        let counted = [counted, &[index]].concat();
        self.queues(&group, self.by_operator(index).then_some(2), &counted, &mut summands);
        self.others(&group, &mut summands);
        Certificate::new(Rule::Shared(index), summands)
    }

    /// Whether an operator carries out a task and the fixes of its damage.
    fn by_operator(&self, index: usize) -> bool {
        let mut fixes = self.tasks().map(|(_, fix)| fix).filter(|fix| fix.mends.contains(&index));
        self.task(index).is_some_and(|task| task.needs_operator)
            && fixes.all(|fix| fix.needs_operator)
    }

    /// The least over all shared tasks that can be the last one; only for one operator.
    pub(super) fn last_shared(&self) -> Option<Certificate> {
        let shared: Vec<(usize, &Task)> =
            self.tasks().filter(|(_, task)| task.needs_operator && task.breaks.len() > 1).collect();
        if self.problem.operators != 1 || shared.len() < 2 {
            return None;
        }
        let is_waited_for = |index: usize| {
            shared.iter().any(|(other, _)| {
                self.facts.before.get(*other).is_some_and(|before| before.contains(&index))
            })
        };
        let last = shared.iter().filter(|(index, _)| !is_waited_for(*index));
        let last = last.map(|(index, task)| {
            let others = || shared.iter().filter(|(other, _)| other != index);
            let counted: Vec<usize> = shared.iter().map(|(other, _)| *other).collect();
            let mut bound = self.shared(*index, task, &counted);
            let group = self.group(task);
            for (other, about) in others() {
                let both: Vec<usize> =
                    group.iter().copied().filter(|object| about.breaks.contains(object)).collect();
                let amount = about.takes * self.weight(&both);
                bound.summands.push(Summand { part: Part::Other(*other), amount });
            }
            let bound = Certificate::new(Rule::LastShared(*index), bound.summands);
            let pairs = others().filter_map(|(other, _)| self.pair(*other, *index));
            pairs.chain([bound]).max_by_key(|bound| bound.total).unwrap_or_default()
        });
        last.min_by_key(|bound| bound.total)
    }

    /// The bound of two shared tasks of which the second one is the last.
    ///
    /// From the begin of the first one on, all that either breaks waits for slots, but what only the last one
    /// breaks is bad later by the gap. From the begin of the last one on, what it breaks waits for slots, and
    /// what both break was bad for the gap before, or has a check between. The first sum falls with the gap,
    /// the second one rises; a schedule is below neither, whatever its gap and its checks between.
    fn pair(&self, first: usize, last: usize) -> Option<Certificate> {
        if !self.by_operator(first) || !self.by_operator(last) {
            return None;
        }
        let (earlier, later) = (self.task(first)?, self.task(last)?);
        let (one, other) = (self.group(earlier), self.group(later));
        let only: Vec<usize> =
            other.iter().copied().filter(|object| !one.contains(object)).collect();
        let both: Vec<usize> =
            other.iter().copied().filter(|object| one.contains(object)).collect();
        let all = [one.as_slice(), &only].concat();
        let (lead, last_lead) = (self.lead(first, &one), self.lead(last, &other));
        let mut rising =
            vec![Summand { part: Part::Lead(last), amount: last_lead * self.weight(&other) }];
        self.queues(&other, None, &[], &mut rising);
        self.others(&all, &mut rising);
        let alone: Vec<usize> =
            one.iter().copied().filter(|object| !other.contains(object)).collect();
        // The least that checks between cost, for each number of them, and with them the checks of what only
        // one of the two breaks.
        let between = |lead: i64, with: &[usize], with_check: bool| -> Vec<i64> {
            let mut costs = Vec::new();
            let check = |object: &usize| self.object(*object).map_or(0, |object| object.check);
            let weight = |object: &usize| at(self.weights, *object);
            let lightest = both.iter().map(weight).min().unwrap_or(0);
            let mut checks: Vec<i64> = both.iter().map(check).collect();
            checks.sort_unstable();
            let fixed: i64 = with.iter().map(|object| weight(object) * self.alone(*object)).sum();
            let slots = self.problem.owners.iter().sum();
            for many in 0..=checks.len() {
                let (some, _) = checks.split_at(many);
                let leads = lightest * lead * count(many);
                if !with_check {
                    costs.push(leads);
                    continue;
                }
                let waiting: Vec<(i64, i64)> = with
                    .iter()
                    .map(|object| (weight(object), check(object)))
                    .chain(some.iter().map(|check| (lightest, *check)))
                    .collect();
                let queue = self.weight(with) * lead + queue(waiting, slots);
                let each = fixed + lightest * some.iter().sum::<i64>();
                costs.push(leads + queue.max(each));
            }
            costs
        };
        let mut weights: Vec<i64> = both.iter().map(|object| at(self.weights, *object)).collect();
        weights.sort_unstable();
        let waiting: Vec<i64> = sums(weights).into_iter().rev().collect();
        // An object whose own tasks have a check of their own may have no other one between.
        let bounds = [(None, true), (Some(2), false)].map(|(sides, with_check)| {
            let lead_of_all = lead.min(earlier.takes + last_lead);
            let amount = lead_of_all * self.weight(&all);
            let mut falling = vec![Summand { part: Part::Lead(first), amount }];
            self.queues(&all, sides, &[first, last], &mut falling);
            self.others(&all, &mut falling);
            let turn = Turn {
                falls: sum(&falling),
                rises: sum(&rising),
                loss: self.weight(&only),
                least: earlier.takes,
            };
            let mut kept: Option<(i64, i64, Vec<Summand>)> = None;
            let costs =
                between(last_lead, &[], with_check).into_iter().zip(between(lead, &alone, true));
            for ((late, early), gain) in costs.zip(&waiting) {
                let (gap, is_rising) = turn.gap(late, early, *gain);
                let (mut summands, cost, gap_counts) = if is_rising {
                    (rising.clone(), early, gain * gap)
                } else {
                    (falling.clone(), late, -turn.loss * gap)
                };
                summands.push(Summand { part: Part::Gap(first), amount: gap_counts });
                summands.push(Summand { part: Part::Between, amount: cost });
                summands.retain(|part| part.amount != 0);
                let total = sum(&summands);
                if kept.as_ref().is_none_or(|(known, ..)| total < *known) {
                    kept = Some((total, gap, summands));
                }
            }
            let (_, gap, summands) = kept.unwrap_or_default();
            Certificate::new(Rule::Pair { first, last, gap }, summands)
        });
        bounds.into_iter().max_by_key(|bound| bound.total)
    }
}

fn sum(summands: &[Summand]) -> i64 {
    summands.iter().map(|part| part.amount).sum()
}

/// The sums of the least none, one, two and so on.
fn sums(mut each: Vec<i64>) -> Vec<i64> {
    each.sort_unstable();
    let mut sums = vec![0];
    for amount in each {
        sums.push(sums.last().copied().unwrap_or(0) + amount);
    }
    sums
}

/// A sum that falls with the gap, and one that rises.
struct Turn {
    falls: i64,
    rises: i64,
    loss: i64,
    least: i64,
}

impl Turn {
    /// The gap at which the greater of the two is least, and whether that is the rising one; with what either
    /// costs more, and what the rising one gains with each second.
    fn gap(&self, late: i64, early: i64, gain: i64) -> (i64, bool) {
        let apart = self.falls + late - self.rises - early;
        let slope = (self.loss + gain).max(1);
        let crossing = (apart + slope - 1).div_euclid(slope).max(self.least);
        let falling = |gap: i64| self.falls + late - self.loss * gap;
        let rising = |gap: i64| self.rises + early + gain * gap;
        let gaps = [crossing, crossing - 1].into_iter().filter(|gap| *gap >= self.least);
        let best = gaps.min_by_key(|gap| falling(*gap).max(rising(*gap))).unwrap_or(self.least);
        (best, rising(best) >= falling(best))
    }
}
