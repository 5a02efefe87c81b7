//! The order of steps: each where it can begin, found by doing them one after the other.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::eval::standing::Cause;
use crate::facts::change::{Cell, Change};
use crate::facts::time::Instant;
use crate::facts::value::{ObjectId, Value};
use crate::plan::file::MAX_STEPS;
use crate::plan::remedy::wish::{Stage, Wish};
use crate::plan::remedy::{Given, Why};
use crate::plan::world::{Act, May, Phase, World, bound, said};

/// Most rounds in which consequences of consequences are looked for.
const MAX_ROUNDS: usize = 20;

/// Steps in an order.
#[derive(Debug)]
pub(super) struct Ordered {
    pub(super) placed: Vec<Placed>,
    /// Wishes that have no place, and why.
    pub(super) left: Vec<(usize, Why)>,
    /// Fingerprints of the findings that would make checks vain which have no place.
    pub(super) obstacles: BTreeSet<String>,
    /// Seconds that the steps take one after the other, at most.
    pub(super) lasts: i64,
}

/// A step that has its place.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) wish: usize,
    /// Positions of the steps that must be over before it begins, where the order alone does not tell.
    pub(super) after: Vec<usize>,
    /// Of those, the one that is there only because nobody can say that the step does not need it.
    pub(super) chain: Option<usize>,
    /// The facts that a repair changes.
    pub(super) touched: BTreeSet<Cell>,
    /// The facts that its conditions and effects hang on.
    pub(super) reads: BTreeSet<Cell>,
}

/// What came of trying a step.
enum Tried {
    Over,
    /// It waits for other steps.
    Waits,
    /// It cannot begin now.
    Refused(Why),
}

/// Orders wishes: repairs, then checks, then what needs a check; a step that cannot begin waits for those
/// behind it.
pub(super) fn order(given: Given<'_>, wishes: &[Wish]) -> Ordered {
    let now = Instant::from_seconds(given.start).unwrap_or_else(Instant::epoch);
    let mut line = Line {
        given,
        wishes,
        world: World::new(given.set, given.facts, &now),
        placed: Vec::new(),
        places: HashMap::new(),
        pending: (0..wishes.len()).collect(),
        checks: HashMap::new(),
        chain: None,
        obstacles: BTreeSet::new(),
        time: 0,
        in_checks: 0,
    };
    let mut queue: Vec<usize> = (0..wishes.len()).collect();
    queue.sort_by_key(|position| (line.stage(*position), *position));
    for stage in Stage::ALL {
        line.passes(&mut queue, stage, false);
    }
    // What waits for each other in a circle, or for what never comes, is tried all the same.
    let last = Stage::AfterCheck;
    while line.passes(&mut queue, last, true) {
        line.passes(&mut queue, last, false);
    }
    line.obstacles.clear();
    let left = queue.into_iter().map(|position| (position, line.why(position))).collect();
    let lasts = line.time.saturating_add(line.in_checks);
    Ordered { placed: line.placed, left, obstacles: line.obstacles, lasts }
}

struct Line<'a> {
    given: Given<'a>,
    wishes: &'a [Wish],
    world: World<'a>,
    placed: Vec<Placed>,
    /// The place of each wish that has one.
    places: HashMap<usize, usize>,
    /// Wishes that may still come.
    pending: HashSet<usize>,
    /// Places of the checks, by object.
    checks: HashMap<ObjectId, usize>,
    /// The last step that needs nobody all the time: what follows has to wait for it.
    chain: Option<usize>,
    /// Fingerprints of the findings that made checks vain.
    obstacles: BTreeSet<String>,
    time: i64,
    in_checks: i64,
}

impl<'a> Line<'a> {
    fn stage(&self, position: usize) -> Stage {
        self.wishes.get(position).map_or(Stage::AfterCheck, |wish| wish.stage)
    }

    /// Goes through the queue up to a stage until nothing more finds a place; whether anything has.
    fn passes(&mut self, queue: &mut Vec<usize>, stage: Stage, is_forced: bool) -> bool {
        let mut has_any = false;
        loop {
            let before = queue.len();
            let mut is_done = false;
            queue.retain(|position| {
                if is_done || self.stage(*position) > stage {
                    return true;
                }
                let is_over = matches!(self.attempt(*position, is_forced), Tried::Over);
                // One forced step may be all that the others wait for.
                is_done = is_forced && is_over;
                !is_over
            });
            has_any |= queue.len() < before;
            if is_forced || queue.len() == before {
                return has_any;
            }
        }
    }

    fn attempt(&mut self, position: usize, is_forced: bool) -> Tried {
        let Some(wish) = self.wishes.get(position) else { return Tried::Over };
        let Some(action) = self.given.set.actions.get(wish.action) else { return Tried::Over };
        let facts = self.world.facts.clone();
        // Facts that somebody holds would be copied when they change.
        let args = match bound(&facts, action, &wish.args) {
            Ok(args) => {
                drop(facts);
                args
            }
            Err(name) => {
                let why = format!("`{name}`, which is not there");
                return Tried::Refused(Why::Unknown(why));
            }
        };
        let act = Act { action, args: &args };
        self.world.watch();
        if !is_forced && wish.after.iter().any(|before| self.pending.contains(before)) {
            return Tried::Waits;
        }
        let is_done = act.action.course.done_when.as_ref();
        if is_done.is_some_and(|done| self.world.condition(act, done) == Ok(true)) {
            self.pending.remove(&position);
            return Tried::Over;
        }
        // One check serves all: what has been checked and is well needs no second one.
        if act.checked().is_some_and(|object| {
            self.checks.contains_key(&object) && self.world.phase(object) == Phase::Good
        }) {
            self.pending.remove(&position);
            return Tried::Over;
        }
        if let Some(why) = self.refusal(act) {
            return Tried::Refused(why);
        }
        if self.placed.len() >= MAX_STEPS {
            return Tried::Refused(Why::TooMany);
        }
        self.place(position, wish, act);
        Tried::Over
    }

    /// Why a step cannot begin now.
    fn refusal(&mut self, act: Act<'_>) -> Option<Why> {
        let (mut refused, mut unknown) = (Vec::new(), BTreeSet::new());
        for (that, otherwise) in &act.action.course.requires {
            match self.world.condition(act, that) {
                Ok(true) => {}
                Ok(false) => refused.push(self.world.say(act, otherwise)),
                Err(missing) => _ = unknown.insert(said(&missing)),
            }
        }
        if !refused.is_empty() {
            return Some(Why::Refused(refused));
        }
        if !unknown.is_empty() {
            return Some(Why::Unknown(unknown.into_iter().collect::<Vec<_>>().join(", ")));
        }
        let standing = self.standing_after(act);
        (!standing.is_empty()).then_some(Why::Wasted(standing))
    }

    /// Of a check: the rules whose findings would stand after it; it is tried out and taken back.
    fn standing_after(&mut self, act: Act<'_>) -> Vec<Arc<str>> {
        let Some(object) = act.checked() else { return Vec::new() };
        if self.standing(object).is_empty() {
            return Vec::new();
        }
        let facts = self.world.facts.clone();
        let mut touched = self.world.apply(act, false, May::Happens).touched;
        touched.extend(self.world.set_phase(object, Phase::Good));
        self.world.causes.try_out(&self.world.facts, &self.world.now, &touched);
        let standing = self.standing(object);
        self.world.causes.take_back();
        self.world.facts = facts;
        let rules = standing.iter().filter_map(|cause| self.given.set.rules.get(cause.rule));
        let ids: BTreeSet<Arc<str>> = rules.map(|rule| rule.id.clone()).collect();
        self.obstacles.extend(standing.into_iter().map(|cause| cause.standing.fingerprint));
        ids.into_iter().collect()
    }

    /// The findings that make an object bad now.
    fn standing(&self, object: ObjectId) -> Vec<Cause> {
        let causes = self.world.causes.standing();
        causes.filter(|cause| cause.standing.objects.contains(&object)).cloned().collect()
    }

    fn place(&mut self, position: usize, wish: &'a Wish, act: Act<'_>) {
        let place = self.placed.len();
        let is_check = wish.stage == Stage::Check;
        let named = if is_check { BTreeSet::new() } else { self.checks_before(wish) };
        let chain = self.chain.filter(|chain| !named.contains(chain));
        let mut after: BTreeSet<usize> = self.chain.into_iter().collect();
        after.extend(named);
        let is_operators = act.action.course.occupies_operator;
        if !is_check {
            // Nobody begins anything while he is at work; of what needs nobody the plan has to say it.
            let chains = !is_operators && wish.stage == Stage::Repair;
            self.chain = if chains { Some(place) } else { self.chain.filter(|_| !is_operators) };
        }
        if let Some(object) = act.checked() {
            self.checks.insert(object, place);
        }
        self.places.insert(position, place);
        self.pending.remove(&position);
        let touched = self.happen(act, is_check);
        let touched = if wish.stage == Stage::Repair { touched } else { BTreeSet::new() };
        let reads = self.world.take_reads().cells.into_iter().collect();
        let after = after.into_iter().collect();
        self.placed.push(Placed { wish: position, after, chain, touched, reads });
    }

    /// Places of the checks that a step waits for: those that it names, and those of the objects that it
    /// is done with.
    fn checks_before(&self, wish: &Wish) -> BTreeSet<usize> {
        // Behind a step that keeps somebody busy the next one comes by itself.
        let is_beside = |before: &&usize| {
            let wish = self.wishes.get(**before);
            let action = wish.and_then(|wish| self.given.set.actions.get(wish.action));
            action.is_some_and(|action| !action.course.occupies_operator)
        };
        let named = wish.after.iter().filter(is_beside);
        let named = named.filter_map(|before| self.places.get(before).copied());
        let own = wish.args.iter().filter_map(|arg| match arg {
            Value::Object(object) => self.checks.get(object).copied(),
            _ => None,
        });
        let mut all: BTreeSet<usize> = named.chain(own).collect();
        // What could not begin before any check waits for the last of them at least.
        if all.is_empty() && wish.stage == Stage::Repair {
            all.extend(self.checks.values().max());
        }
        all
    }

    /// Lets a step happen; the answer are the facts that it changes itself.
    fn happen(&mut self, act: Act<'_>, is_check: bool) -> BTreeSet<Cell> {
        let checked = act.checked();
        let takes = match self.world.takes(act) {
            Some(Ok(takes)) => takes.worst,
            _ => 0,
        };
        // What does nothing when it begins leaves nothing to judge before it ends.
        let begun = self.world.apply(act, true, May::Happens);
        let (touched, passing) = (begun.touched, begun.passing);
        let mut own = touched.clone();
        if !touched.is_empty() {
            self.settle(touched);
        }
        if is_check {
            self.in_checks = self.in_checks.saturating_add(takes);
        } else {
            self.time = self.time.saturating_add(takes);
        }
        let now = self.given.start.saturating_add(self.time);
        self.world.now = Instant::from_seconds(now).unwrap_or_else(Instant::epoch);
        let mut touched = self.world.take_back(passing);
        touched.extend(self.world.apply(act, false, May::Happens).touched);
        own.extend(touched.iter().copied());
        touched.extend(checked.into_iter().flat_map(|one| self.world.set_phase(one, Phase::Good)));
        self.settle(touched);
        if let Some(object) = checked
            && !self.world.causes.undecided(object).is_empty()
        {
            let touched = self.world.set_phase(object, Phase::Unknown);
            self.settle(touched);
        }
        own
    }

    /// Judges what was touched, and lets what is violated now have its consequences.
    fn settle(&mut self, mut touched: BTreeSet<Cell>) {
        for _ in 0..MAX_ROUNDS {
            let delta = self.world.judge(&touched);
            let changes: Vec<Change> =
                delta.appeared.into_iter().flat_map(|cause| cause.standing.changes).collect();
            if changes.is_empty() {
                break;
            }
            touched = self.world.set(changes);
        }
    }

    /// Why a wish has found no place.
    fn why(&mut self, position: usize) -> Why {
        match self.attempt(position, true) {
            Tried::Refused(why) => why,
            Tried::Over | Tried::Waits => Why::TooMany,
        }
    }
}
