//! Which steps a plan can do without: each that harms something, each that takes for itself what another takes, too, and
//! each check of what is well.

use crate::plan::remedy::order::Placed;
use crate::plan::remedy::outcome::Outcomes;
use crate::plan::remedy::wish::{Stage, Wishes};
use crate::plan::remedy::{Attempt, Given, Ordered};
use crate::plan::trace::{StepStatus, StepTrace};

/// Most plans that are simulated to see what can be left out.
const MAX_TRIALS: usize = 24;

/// Names of the steps without which all ends as well as with them.
pub(super) fn spared(given: Given<'_>, wishes: &Wishes<'_>, made: &Attempt) -> Vec<String> {
    let steps = || made.trace.steps.iter().zip(&made.ordered.placed).enumerate();
    // What two steps take for themselves one of them may do for both, such as a restart.
    let is_shared = |place: usize, step: &StepTrace| {
        steps().any(|(other, (another, _))| {
            place != other && step.needs.locks.iter().any(|lock| another.needs.locks.contains(lock))
        })
    };
    let doubtful = steps().filter(|(place, (step, placed))| {
        let stage = wishes.all.get(placed.wish).map(|wish| wish.stage);
        match stage {
            Some(Stage::Check) => step.is_needless || step.status == StepStatus::Nothing,
            _ => !step.harmed.is_empty() || is_shared(*place, step),
        }
    });
    let doubtful: Vec<usize> = doubtful.map(|(place, _)| place).collect();
    let with = Outcomes::of(made);
    let mut trials = MAX_TRIALS;
    let mut spared: Vec<usize> = Vec::new();
    // All at once, then halves: most often either all or none of them can go.
    let mut groups = vec![doubtful];
    while let Some(group) = groups.pop() {
        if group.is_empty() || trials == 0 {
            continue;
        }
        trials -= 1;
        let fewer: Vec<usize> = spared.iter().chain(&group).copied().collect();
        let tried = super::carry_out(given, wishes, without(&made.ordered, &fewer));
        if Outcomes::of(&tried).is_as_good_as(&with) {
            spared = fewer;
        } else if group.len() > 1 {
            let (first, second) = group.split_at(group.len() / 2);
            groups.push(first.to_vec());
            groups.push(second.to_vec());
        }
    }
    let placed = spared.iter().filter_map(|place| made.ordered.placed.get(*place));
    let gone = placed.filter_map(|placed| wishes.all.get(placed.wish));
    gone.map(|wish| wish.step.name.clone()).collect()
}

/// An order without some of its places; who waited for one of them waits for what that waited for.
fn without(ordered: &Ordered, gone: &[usize]) -> Ordered {
    let mut at: Vec<Result<usize, Vec<usize>>> = Vec::new();
    let mut placed = Vec::new();
    for (place, one) in ordered.placed.iter().enumerate() {
        let mut after: Vec<usize> = Vec::new();
        for before in &one.after {
            match at.get(*before) {
                Some(Ok(new)) => after.push(*new),
                Some(Err(news)) => after.extend(news),
                None => {}
            }
        }
        after.sort_unstable();
        after.dedup();
        if gone.contains(&place) {
            at.push(Err(after));
        } else {
            let chain = one.chain.and_then(|chain| at.get(chain)?.as_ref().ok().copied());
            placed.push(Placed { after, chain, ..one.clone() });
            at.push(Ok(placed.len() - 1));
        }
    }
    let (left, obstacles) = (ordered.left.clone(), ordered.obstacles.clone());
    Ordered { placed, left, obstacles, lasts: ordered.lasts }
}
