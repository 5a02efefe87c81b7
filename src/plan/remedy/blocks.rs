//! The order that ends exposure soonest: for each protected object its causes, then its check at once.
//!
//! A plan that is right already is put into another order: first what frees most for an operator's time
//! (Smith's rule), last what no object waits for. What one step needs of another keeps its order. The new plan is
//! simulated, and taken only if nothing is worse with it.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::value::ObjectId;
use crate::plan::remedy::order::{Ordered, Placed};
use crate::plan::remedy::outcome::Outcomes;
use crate::plan::remedy::wish::{Stage, Wish, Wishes};
use crate::plan::remedy::{Attempt, Given, carry_out};
use crate::plan::trace::StepTrace;

/// Most orders that are tried with what one object waits for before all others.
const MOST_TRIED: usize = 60;

/// The same steps in an order in which less time passes without protection; none if there is none such.
pub(super) fn reordered(given: Given<'_>, wishes: &Wishes<'_>, made: &Attempt) -> Option<Attempt> {
    let before = Outcomes::of(made);
    Ties::ALL.into_iter().find_map(|ties| {
        let order = Blocks::new(wishes, made, ties).order();
        if order.iter().copied().eq(0..made.ordered.placed.len()) {
            return None;
        }
        let tried = carry_out(given, wishes, arranged(made, wishes, &order, ties));
        let after = Outcomes::of(&tried);
        (after.is_as_good_as(&before) && after.exposure < before.exposure).then_some(tried)
    })
}

/// The same steps, where it helps with what one object waits for before all others: the objects that are without
/// protection for longest first, each tried by simulation.
pub(super) fn sooner(given: Given<'_>, wishes: &Wishes<'_>, made: Attempt) -> Attempt {
    let mut made = made;
    let mut left = MOST_TRIED;
    while let Some(better) = one_sooner(given, wishes, &made, &mut left) {
        made = better;
    }
    made
}

/// The first order found that is better, while tries are left.
fn one_sooner(
    given: Given<'_>,
    wishes: &Wishes<'_>,
    made: &Attempt,
    left: &mut usize,
) -> Option<Attempt> {
    let outcomes = Outcomes::of(made);
    // A plan that is over sooner has fewer jobs in its time, which can do what it needs.
    let given = Given { end: Some(given.start.saturating_add(made.plan.window.end)), ..given };
    let mut known: BTreeSet<Vec<usize>> = BTreeSet::new();
    let count = made.ordered.placed.len();
    known.insert((0..count).collect());
    for ties in [Ties::Causes, Ties::Repairs, Ties::All] {
        let mut targets = Blocks::new(wishes, made, ties).targets;
        let exposure = |one: &Target| {
            let mut objects = made.trace.objects.iter();
            objects.find(|object| object.object == one.object).map_or(0, |object| object.exposure)
        };
        targets.sort_by_key(|one| (std::cmp::Reverse(exposure(one)), one.place));
        for target in targets {
            let mut first = target.before;
            first.insert(target.place);
            let others = (0..count).filter(|place| !first.contains(place));
            let order: Vec<usize> = first.iter().copied().chain(others).collect();
            if !known.insert(order.clone()) {
                continue;
            }
            *left = left.checked_sub(1)?;
            let tried = carry_out(given, wishes, arranged(made, wishes, &order, ties));
            let after = Outcomes::of(&tried);
            if after.is_as_good_as(&outcomes) && after.exposure < outcomes.exposure {
                return Some(tried);
            }
        }
    }
    None
}

/// How much of the order is taken to be needed; what is taken too easily shows when the plan is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ties {
    /// What findings say, and what makes a check vain; what would break a check off can wait for it as well.
    Causes,
    /// What findings say, what is done at one object, where one repair changes facts that another one reads,
    /// and what makes a check vain.
    Repairs,
    /// And all that checks read.
    All,
}

impl Ties {
    const ALL: [Self; 2] = [Self::Repairs, Self::All];
}

/// A check, and whom it frees.
struct Target {
    place: usize,
    object: ObjectId,
    weight: i64,
    lasts: i64,
    /// All that has to be over before it.
    before: BTreeSet<usize>,
}

struct Blocks<'a> {
    steps: &'a [StepTrace],
    stages: Vec<Stage>,
    /// Of each place, all that has to be over before it.
    before: Vec<BTreeSet<usize>>,
    targets: Vec<Target>,
    done: Vec<usize>,
    is_done: BTreeSet<usize>,
    bad: BTreeSet<ObjectId>,
}

fn wish_at<'w>(wishes: &'w Wishes<'_>, made: &Attempt, place: usize) -> Option<&'w Wish> {
    wishes.all.get(made.ordered.placed.get(place)?.wish)
}

impl<'a> Blocks<'a> {
    fn new(wishes: &Wishes<'_>, made: &'a Attempt, ties: Ties) -> Self {
        let places = 0..made.ordered.placed.len();
        let stage =
            |place| wish_at(wishes, made, place).map_or(Stage::AfterCheck, |wish| wish.stage);
        let stages: Vec<Stage> = places.map(stage).collect();
        let before = before(wishes, made, &stages, ties);
        let objects: BTreeMap<ObjectId, _> =
            made.trace.objects.iter().map(|one| (one.object, one)).collect();
        let mut targets = Vec::new();
        for (place, step) in made.trace.steps.iter().enumerate().take(stages.len()) {
            let (Some((object, _)), Some(before)) = (step.needs.check, before.get(place)) else {
                continue;
            };
            let weight = objects.get(&object).map_or(1, |one| one.weight);
            let lasts = step.takes.unwrap_or_default();
            targets.push(Target { place, object, weight, lasts, before: before.clone() });
        }
        let is_bad = |one: &&crate::plan::trace::ObjectTrace| {
            one.intervals.first().is_some_and(|first| first.phase.is_exposed())
        };
        let bad = made.trace.objects.iter().filter(is_bad).map(|one| one.object).collect();
        let steps = &made.trace.steps;
        let (done, is_done) = (Vec::new(), BTreeSet::new());
        Self { steps, stages, before, targets, done, is_done, bad }
    }

    /// The places in the new order.
    fn order(mut self) -> Vec<usize> {
        self.checks();
        while let Some(rest) = self.next_block() {
            for place in rest {
                self.put(place);
                self.checks();
            }
        }
        for stage in Stage::ALL {
            for place in 0..self.stages.len() {
                if self.stages.get(place).is_some_and(|known| *known <= stage) {
                    let mut all = self.before.get(place).cloned().unwrap_or_default();
                    all.insert(place);
                    for one in all {
                        self.put(one);
                    }
                    self.checks();
                }
            }
        }
        self.done
    }

    fn put(&mut self, place: usize) {
        if self.is_done.insert(place) {
            self.done.push(place);
            let harmed = self.steps.get(place).map(|step| step.harmed.as_slice());
            self.bad.extend(harmed.unwrap_or_default());
        }
    }

    /// Checks that nothing keeps from beginning any more, the shortest first.
    fn checks(&mut self) {
        loop {
            let ready = self.targets.iter().filter(|one| {
                !self.is_done.contains(&one.place) && one.before.is_subset(&self.is_done)
            });
            let Some(next) = ready.min_by_key(|one| (one.lasts, one.place)) else { return };
            let place = next.place;
            self.put(place);
            self.targets.retain(|one| one.place != place);
        }
    }

    /// What is left to do for the object that costs least, counted by all that it frees; those that are not
    /// bad yet come last.
    fn next_block(&self) -> Option<Vec<usize>> {
        let open: Vec<(&Target, BTreeSet<usize>)> = self
            .targets
            .iter()
            .map(|one| (one, one.before.difference(&self.is_done).copied().collect()))
            .collect();
        let mut waiting: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, (_, rest)) in open.iter().enumerate() {
            for place in rest {
                waiting.entry(*place).or_default().push(number);
            }
        }
        let best = open.iter().min_by(|(one, rest), (other, others)| {
            let (cost, gain) = (self.cost(rest), self.gain(rest, &open, &waiting));
            let (costs, gains) = (self.cost(others), self.gain(others, &open, &waiting));
            let late = (gain == 0).cmp(&(gains == 0));
            let ratio = cost.saturating_mul(gains).cmp(&costs.saturating_mul(gain));
            late.then(ratio).then(one.place.cmp(&other.place))
        });
        best.map(|(_, rest)| rest.iter().copied().collect())
    }

    /// An operator's seconds.
    fn cost(&self, places: &BTreeSet<usize>) -> i64 {
        let steps = places.iter().filter_map(|place| self.steps.get(*place));
        steps.filter(|step| step.needs.is_operators).filter_map(|step| step.takes).sum()
    }

    /// The weight of the objects for which nothing else is left to do.
    fn gain(
        &self,
        places: &BTreeSet<usize>,
        open: &[(&Target, BTreeSet<usize>)],
        waiting: &BTreeMap<usize, Vec<usize>>,
    ) -> i64 {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for number in places.iter().filter_map(|place| waiting.get(place)).flatten() {
            *counts.entry(*number).or_default() += 1;
        }
        let freed = counts.into_iter().filter_map(|(number, count)| {
            let (target, rest) = open.get(number)?;
            (rest.len() == count && self.bad.contains(&target.object)).then_some(target.weight)
        });
        freed.sum()
    }
}

/// Of each place, all that has to be over before it.
fn before(
    wishes: &Wishes<'_>,
    made: &Attempt,
    stages: &[Stage],
    ties: Ties,
) -> Vec<BTreeSet<usize>> {
    let mut all: Vec<BTreeSet<usize>> = Vec::new();
    for (place, stage) in stages.iter().enumerate() {
        let mut own: BTreeSet<usize> = BTreeSet::new();
        for earlier in 0..place {
            let is_between = stages.get(earlier) != Some(&Stage::Check);
            if is_between && needs(wishes, made, (earlier, place), (*stage, ties)) {
                own.insert(earlier);
            }
        }
        if let Some(placed) = made.ordered.placed.get(place) {
            own.extend(
                placed.after.iter().filter(|one| ties == Ties::All || Some(**one) != placed.chain),
            );
        }
        let further: Vec<usize> =
            own.iter().filter_map(|one| all.get(*one)).flatten().copied().collect();
        own.extend(further);
        all.push(own);
    }
    all
}

/// Whether one place has to come before another that is behind it now.
fn needs(
    wishes: &Wishes<'_>,
    made: &Attempt,
    (earlier, later): (usize, usize),
    (stage, ties): (Stage, Ties),
) -> bool {
    let placed = |place: usize| made.ordered.placed.get(place);
    let (Some(first), Some(second)) = (placed(earlier), placed(later)) else { return true };
    let wish = |placed: &Placed| wishes.all.get(placed.wish);
    let (Some(one), Some(other)) = (wish(first), wish(second)) else { return true };
    if other.after.contains(&first.wish) {
        return true;
    }
    let steps = &made.trace.steps;
    let (Some(step), Some(next)) = (steps.get(earlier), steps.get(later)) else { return true };
    if stage == Stage::Repair || ties == Ties::All {
        let is_of_one = one.purposes.iter().any(|purpose| other.purposes.contains(purpose));
        let is_at_one = one.step.at.is_some() && one.step.at == other.step.at;
        let changes = first.touched.intersection(&second.reads).next().is_some()
            || second.touched.intersection(&first.reads).next().is_some();
        return is_of_one || (ties != Ties::Causes && (is_at_one || changes));
    }
    // What repairs or breaks an object comes before its check, and so does what breaks that off.
    let Some((object, _)) = next.needs.check else { return false };
    let closes = step.closed.iter().filter_map(|cause| made.trace.causes.get(*cause));
    let ends = step.needs.locks.iter().any(|lock| next.needs.uses.contains(lock));
    (ends && ties != Ties::Causes)
        || step.harmed.contains(&object)
        || closes.into_iter().any(|cause| cause.objects.contains(&object))
}

/// The new places of checks before a step that it would break off.
fn broken_off(made: &Attempt, new: &BTreeMap<usize, usize>, place: usize) -> Vec<usize> {
    let steps = &made.trace.steps;
    let (Some(step), Some(here)) = (steps.get(place), new.get(&place)) else { return Vec::new() };
    let breaks = |(other, there): (&usize, &usize)| {
        let needs = &steps.get(*other)?.needs;
        let ends = needs.check.is_some() && step.needs.takes_from(needs);
        (ends && there < here).then_some(*there)
    };
    if step.needs.check.is_some() { Vec::new() } else { new.iter().filter_map(breaks).collect() }
}

/// The steps in another order. Who is behind an operator's step comes after it anyway.
fn arranged(made: &Attempt, wishes: &Wishes<'_>, order: &[usize], ties: Ties) -> Ordered {
    let stages: Vec<Stage> = (0..made.ordered.placed.len())
        .map(|place| wish_at(wishes, made, place).map_or(Stage::AfterCheck, |wish| wish.stage))
        .collect();
    let before = before(wishes, made, &stages, ties);
    let new: BTreeMap<usize, usize> =
        order.iter().enumerate().map(|(new, place)| (*place, new)).collect();
    let is_beside =
        |place: &&usize| made.trace.steps.get(**place).is_some_and(|step| !step.needs.is_operators);
    let placed = order.iter().filter_map(|place| {
        let old = made.ordered.placed.get(*place)?;
        let waits = before.get(*place).into_iter().flatten().filter(is_beside);
        let mut after: BTreeSet<usize> = waits.filter_map(|one| new.get(one).copied()).collect();
        if ties == Ties::Causes {
            after.extend(broken_off(made, &new, *place));
        }
        let after = after.into_iter().collect();
        let chain = old.chain.and_then(|chain| new.get(&chain).copied());
        Some(Placed { after, chain, ..old.clone() })
    });
    let (left, obstacles) = (made.ordered.left.clone(), made.ordered.obstacles.clone());
    Ordered { placed: placed.collect(), left, obstacles, lasts: made.ordered.lasts }
}
