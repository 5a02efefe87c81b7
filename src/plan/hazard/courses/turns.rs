//! Other orders of the steps that nothing orders.

use std::collections::BTreeSet;

use crate::plan::Plan;
use crate::plan::hazard::find::races::{before, is_free};
use crate::plan::trace::{ObjectTrace, Trace};

/// For each object that is without protection the order in which that is longest: what begins it comes as early, and
/// what ends it as late as the plan allows, whatever else takes people or slots lies between the two. Those first that
/// are without protection for longest.
pub(super) fn longest(plan: &Plan, trace: &Trace) -> Vec<(String, Vec<usize>)> {
    if !is_free(plan) {
        return Vec::new();
    }
    let before = before(plan);
    let blocks = blocks(plan);
    let mut objects: Vec<&ObjectTrace> =
        trace.objects.iter().filter(|one| one.exposure > 0 && one.is_touched()).collect();
    objects.sort_by_key(|one| std::cmp::Reverse(one.exposure));
    let mut known: BTreeSet<Vec<usize>> = BTreeSet::new();
    known.insert((0..blocks.len()).collect());
    let mut found = Vec::new();
    for object in objects {
        let order = spread(object, trace, &before, &blocks);
        if known.insert(order.clone()) {
            found.push((object.key.to_string(), order));
        }
    }
    found
}

/// The order in which the begin and the end of the time in which an object is without protection lie apart.
fn spread(
    object: &ObjectTrace,
    trace: &Trace,
    before: &[BTreeSet<usize>],
    blocks: &[usize],
) -> Vec<usize> {
    let with_those_before = |steps: BTreeSet<usize>| -> BTreeSet<usize> {
        let earlier = steps.iter().filter_map(|step| before.get(*step)).flatten();
        earlier.chain(&steps).copied().collect()
    };
    let exposed = object.intervals.iter().filter(|one| one.phase.is_exposed());
    let begun = exposed.clone().find(|one| !one.caused_by.is_empty());
    let begun = begun.into_iter().flat_map(|one| &one.caused_by).copied();
    let begun = with_those_before(begun.filter(|step| *step < blocks.len()).collect());
    let ends_it = |step: &usize| {
        trace.steps.get(*step).is_some_and(|step| {
            step.needs.check.is_some_and(|(checked, _)| checked == object.object)
                || exposed.clone().any(|one| step.start.is_some() && step.end == Some(one.to))
        })
    };
    let ended: BTreeSet<usize> = (0..blocks.len()).filter(ends_it).collect();
    let waits = |step: &usize| before.get(*step).is_some_and(|all| !all.is_disjoint(&ended));
    let after: Vec<usize> = (0..blocks.len()).filter(waits).collect();
    let late: BTreeSet<usize> = with_those_before(ended).into_iter().chain(after).collect();
    let turn = |step: &usize| {
        let part = if begun.contains(step) { 0 } else { 1 + usize::from(late.contains(step)) };
        (blocks.get(*step).copied(), part, *step)
    };
    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(turn);
    order
}

/// For each step where those begin that may come in its place: the plan itself orders the others.
fn blocks(plan: &Plan) -> Vec<usize> {
    let steps = plan.written();
    let first = |group: usize| steps.iter().position(|step| step.group == Some(group));
    let block = |(position, step): (usize, &crate::plan::Step)| {
        if plan.is_ordered { step.group.and_then(first).unwrap_or(position) } else { 0 }
    };
    steps.iter().enumerate().map(block).collect()
}

/// For each of these pairs which step waits for the other one, so that as many as possible come the other way round.
pub(super) fn turned(plan: &Plan, pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let steps = plan.written();
    let mut order: Vec<usize> = Vec::new();
    let mut rank = vec![None; steps.len()];
    while order.len() < steps.len() {
        let is_next = |step: &usize| {
            let is_done = |other: &usize| rank.get(*other).is_none_or(Option::is_some);
            rank.get(*step).is_some_and(Option::is_none)
                && steps.get(*step).is_some_and(|step| step.after.iter().all(is_done))
        };
        // No step waits for itself, so there is always one.
        let Some(next) = (0..steps.len()).rev().find(is_next) else { break };
        if let Some(slot) = rank.get_mut(next) {
            *slot = Some(order.len());
        }
        order.push(next);
    }
    let rank_of = |step: usize| rank.get(step).copied().flatten();
    let waits = |(first, second): &(usize, usize)| {
        if rank_of(*first) > rank_of(*second) { (*first, *second) } else { (*second, *first) }
    };
    pairs.iter().map(waits).collect()
}
