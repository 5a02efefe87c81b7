//! What fixes of the damage of several tasks cost at least.
//!
//! From the begin of the first of these tasks until the fix is over, no check of what the fix frees is of use.

use super::bound::{Certificate, Part, Rest, Rule, Summand};
use super::problem::{Problem, Task};
use super::run::Item;
use super::{at, put};

/// Orders to begin with, for fixes that wait for several tasks: the longest of these first, since what it breaks
/// waits for all of them anyway, then the fix; other tasks before or behind them; the shortest checks first.
pub(super) fn orders(problem: &Problem) -> Vec<Vec<Item>> {
    let takes = |task: usize| problem.tasks.get(task).map_or(0, |task| task.takes);
    let check = |object: usize| problem.objects.get(object).map_or(0, |object| object.check);
    let mut objects: Vec<usize> = (0..problem.objects.len()).collect();
    objects.sort_by_key(|object| (check(*object), *object));
    let checks: Vec<Item> = objects.into_iter().map(Item::Check).collect();
    let mut orders = Vec::new();
    for (index, fix) in problem.tasks.iter().enumerate() {
        if fix.mends.len() < 2 || !fix.any_of().is_empty() {
            continue;
        }
        let mut causes = fix.mends.clone();
        causes.sort_by_key(|cause| (-takes(*cause), *cause));
        causes.push(index);
        let others = (0..problem.tasks.len()).filter(|task| !causes.contains(task));
        let others: Vec<Item> = others.map(Item::Task).collect();
        let causes: Vec<Item> = causes.into_iter().map(Item::Task).collect();
        orders.push([causes.as_slice(), &others, &checks].concat());
        orders.push([others.as_slice(), &causes, &checks].concat());
    }
    orders
}

impl Rest<'_> {
    /// Whether a fix that is left surely comes behind the task, which is left too, and mends it.
    pub(super) fn is_behind(&self, fix: &Task, cause: usize) -> bool {
        let is_only_first = || self.firsts(fix).all(|(first, _)| first == cause);
        fix.mends.contains(&cause)
            && (fix.any_of().is_empty() || (!self.stands(fix) && is_only_first()))
    }

    /// Whether something that a fix mends has begun.
    fn stands(&self, fix: &Task) -> bool {
        fix.mends.iter().any(|cause| !at(self.left, *cause))
    }

    /// What can be the first of the tasks that a fix mends, none of which has begun.
    pub(super) fn firsts(&self, fix: &Task) -> impl Iterator<Item = (usize, &Task)> {
        let can_be = |cause: &usize| {
            let before = self.facts.before.get(*cause);
            !fix.mends.iter().any(|other| before.is_some_and(|before| before.contains(other)))
        };
        let firsts: Vec<usize> = fix.mends.iter().copied().filter(can_be).collect();
        firsts.into_iter().filter_map(|cause| Some((cause, self.problem.tasks.get(cause)?)))
    }

    /// The bounds of all fixes of the damage of several tasks.
    pub(super) fn mended(&self) -> Vec<Certificate> {
        let several = self.tasks().filter(|(_, fix)| fix.mends.len() > 1);
        let bounds = several.filter_map(|(index, fix)| {
            if fix.any_of().is_empty() {
                self.behind_all(index, fix)
            } else {
                self.first(index, fix)
            }
        });
        bounds.collect()
    }

    /// The bound in which objects wait for all that the fix mends and that comes behind what broke them.
    fn behind_all(&self, index: usize, fix: &Task) -> Option<Certificate> {
        let causes: Vec<(usize, &Task)> =
            self.tasks().filter(|(cause, _)| fix.mends.contains(cause)).collect();
        let mut all = causes.iter().map(|(_, cause)| *cause).chain([fix]);
        let is_serial = self.problem.operators == 1 && all.all(|task| task.needs_operator);
        if causes.is_empty() || !is_serial {
            return None;
        }
        let mut weights = vec![0; causes.len()];
        let (mut group, mut waiting) = (Vec::new(), 0);
        let objects = 0..self.problem.objects.len();
        for object in objects.filter(|object| at(self.sure, *object) && fix.frees.contains(object))
        {
            let weight = at(self.weights, object);
            // Of several causes any will do: the object is bad from the first of them on.
            let broken =
                causes.iter().enumerate().filter(|(_, (_, cause))| cause.breaks.contains(&object));
            let longest = broken.max_by_key(|(_, (_, cause))| cause.takes);
            if at(self.open, object) && self.stands(fix) {
                waiting += weight;
            } else if let Some((position, _)) = longest {
                let more = at(&weights, position) + weight;
                put(&mut weights, position, more);
            } else {
                continue;
            }
            group.push(object);
        }
        let mut order: Vec<(i64, (usize, &Task))> = weights.into_iter().zip(causes).collect();
        order.sort_by(|(one, (_, first)), (other, (_, second))| {
            (second.takes * one).cmp(&(first.takes * other))
        });
        let mut summands = Vec::new();
        for (weight, (cause, about)) in order {
            waiting += weight;
            summands.push(Summand { part: Part::Tail(cause), amount: about.takes * waiting });
        }
        let amount = self.mending(fix, &group) * waiting;
        summands.push(Summand { part: Part::Mending(index), amount });
        Some(self.with_rest(Rule::Mended(index), &group, summands))
    }

    /// The bound in which what the first of the causes breaks waits for the fix.
    fn first(&self, number: usize, fix: &Task) -> Option<Certificate> {
        if self.stands(fix) {
            return None;
        }
        let bounds = self.firsts(fix).map(|(index, first)| {
            let is_freed = |object: &usize| at(self.sure, *object) && fix.frees.contains(object);
            let group: Vec<usize> = first.breaks.iter().copied().filter(is_freed).collect();
            let weight: i64 = group.iter().map(|object| at(self.weights, *object)).sum();
            let lead = Summand { part: Part::Tail(index), amount: first.takes * weight };
            let mending = Summand { part: Part::Mending(number), amount: fix.takes * weight };
            self.with_rest(Rule::FirstMended(index), &group, vec![lead, mending])
        });
        bounds.min_by_key(|bound| bound.total)
    }

    /// The least time of all fixes of the same damage, whichever object of a group they free.
    fn mending(&self, fix: &Task, group: &[usize]) -> i64 {
        let of = |object: &usize| {
            let fixes = self.tasks().map(|(_, other)| other).filter(|other| {
                other.mends == fix.mends
                    && other.any_of().is_empty()
                    && other.frees.contains(object)
            });
            self.load(fixes)
        };
        group.iter().map(of).min().unwrap_or(0)
    }

    fn with_rest(&self, rule: Rule, group: &[usize], mut summands: Vec<Summand>) -> Certificate {
        self.queues(group, None, &[], &mut summands);
        self.others(group, &mut summands);
        Certificate::new(rule, summands)
    }
}
