//! The ladder: what the plan lacks, the numbers, the solver's answer, its simulation, and what that teaches.

use std::collections::BTreeSet;

use crate::facts::time::Instant;
use crate::facts::value::ObjectId;
use crate::plan::hazard::Given;
use crate::plan::repair::arrange::arrange;
use crate::plan::repair::complete::{Left, Serial, complete, refused};
use crate::plan::repair::ground::{Base, Ground, Lasting};
use crate::plan::repair::help::{WhatIf, what_if};
use crate::plan::repair::learn::Learned;
use crate::plan::repair::options::Options;
use crate::plan::repair::pieces::{Draft, Pieces};
use crate::plan::repair::same::differences;
use crate::plan::repair::worth::{Tried, carry_out, exposure_of};
use crate::plan::simulate::Takes;
use crate::plan::solver::relax::Relaxation;
use crate::plan::solver::run::Facts;
use crate::plan::solver::solve::bound;
use crate::plan::solver::{Answer, Effort, Status as Solved, Value, solve};
use crate::plan::trace::{ObjectTrace, StepStatus, StepTrace};

/// Most rounds in which something is learned.
const MAX_ROUNDS: usize = 20;

/// A plan taken apart, and the ways of putting it together again.
#[derive(Debug)]
pub struct Repair {
    /// All steps that can be in it.
    pub pieces: Pieces,
    /// The plan as it is written.
    pub written: Tried,
    /// The ways that were found: the one to take first.
    pub choices: Vec<Choice>,
    /// What is asked of the solver.
    pub ground: Ground,
    /// What it said, with the options of the user.
    pub answer: Option<Answer>,
    /// Conditions that the simulation taught.
    pub learned: Learned,
    /// How sure the first choice is.
    pub status: Status,
    /// Which durations it is made for.
    pub takes: Takes,
    /// Hundredths and seconds of exposure that do not count.
    pub tolerance: (i64, i64),
    /// Whether the user's own order, with what it lacks, fits.
    pub own_order: OwnOrder,
    /// What would help.
    pub what_if: Vec<WhatIf>,
    /// Fixes that the rules ask for and that nobody can put in.
    pub left: Vec<Left>,
    /// Fixes that the rules advise, and without which the plan ends as well.
    pub spared: Vec<usize>,
    /// The user's steps that cannot begin in any order that was tried, with the reasons.
    pub stuck: Vec<(usize, Vec<String>)>,
}

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
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.inserted.len() + self.deleted.len() + self.moved.len()
    }
}

/// Repairs a plan.
#[must_use]
pub fn repair(given: Given<'_>, now: &Instant, options: &Options) -> Repair {
    let mut pieces = Pieces::of(given.plan);
    let draft = pieces.as_written(given.plan);
    let written = carry_out(given, now, options.takes, &pieces, draft, &|one| {
        one.is_wanted(&given.plan.goal)
    });
    let mut wanted: BTreeSet<ObjectId> = of(&written, |one| one.is_wanted(&given.plan.goal));
    let is_wanted = |one: &ObjectTrace| wanted.contains(&one.object) || is_meant(given, one);
    let complete = complete(given, &mut pieces, &is_wanted, options);
    let serial = complete.serial;
    wanted.extend(
        serial.trace.objects.iter().filter(|one| is_meant(given, one)).map(|one| one.object),
    );
    let is_wanted = |one: &ObjectTrace| wanted.contains(&one.object);
    let stuck: Vec<(usize, Vec<String>)> = refused(&serial)
        .into_iter()
        .map(|piece| {
            let at = serial.order.iter().position(|other| *other == piece);
            let step = at.and_then(|at| serial.trace.steps.get(at));
            let reasons = step.map(|step| match &step.status {
                StepStatus::Refused(reasons) => reasons.clone(),
                _ => Vec::new(),
            });
            (piece, reasons.unwrap_or_default())
        })
        .collect();
    let mut before = pieces.clone();
    let base = Base::new(given, options.takes, &mut before, &serial, &is_wanted);
    let mut search = Search {
        given,
        now,
        pieces: base.pieces().clone(),
        base: &base,
        serial: &serial,
        learned: Learned::default(),
        is_wanted: &is_wanted,
        written: &written,
    };
    let mut found = search.choices(options);
    let Search { mut pieces, learned, .. } = search;
    found.choices.sort_by_key(|choice| choice.kind != options.choose);
    if let Some(first) = found.choices.first() {
        pieces.rename(&first.tried.draft);
    }
    for choice in &mut found.choices {
        for (step, entry) in choice.tried.plan.steps.iter_mut().zip(&choice.tried.draft.entries) {
            if let Some(piece) = pieces.step(entry.piece) {
                step.id = piece.id.clone();
            }
        }
    }
    // What could not begin without checks may do so behind them.
    let is_stuck = |(piece, _): &(usize, Vec<String>)| {
        found.choices.first().is_none_or(|first| {
            let at = first.tried.draft.position(*piece);
            let step = at.and_then(|at| first.tried.trace.steps.get(at));
            step.is_none_or(is_left_out)
        })
    };
    let stuck: Vec<(usize, Vec<String>)> = stuck.into_iter().filter(is_stuck).collect();
    let left = still_needed(given, complete.left, &found);
    let written_value = carried(&written, &is_wanted);
    let written = Tried { value: written_value, ..written };
    let status = found.status(&written, options);
    Repair {
        pieces,
        written,
        choices: std::mem::take(&mut found.choices),
        ground: found.ground,
        answer: found.answer,
        learned,
        status,
        takes: options.takes,
        tolerance: (options.percent, options.seconds),
        own_order: found.own_order,
        what_if: found.what_if,
        left,
        spared: complete.spared,
        stuck,
    }
}

/// Of what could not be put in, what objects need that no check makes good, or that are not good in the end.
fn still_needed(given: Given<'_>, left: Vec<Left>, found: &Found) -> Vec<Left> {
    let mut bad: BTreeSet<String> =
        found.ground.lost.keys().map(|object| given.facts.key(*object).to_string()).collect();
    if let Some(first) = found.choices.first() {
        let objects = first.tried.trace.objects.iter();
        bad.extend(objects.filter(|one| one.ends().is_exposed()).map(|one| one.key.to_string()));
    }
    left.into_iter().filter(|left| !left.objects.is_disjoint(&bad)).collect()
}

/// Whether the goal is about an object that a step breaks.
fn is_meant(given: Given<'_>, one: &ObjectTrace) -> bool {
    one.is_wanted(&given.plan.goal)
}

fn of(tried: &Tried, which: impl Fn(&ObjectTrace) -> bool) -> BTreeSet<ObjectId> {
    tried.trace.objects.iter().filter(|one| which(one)).map(|one| one.object).collect()
}

/// A plan's worth with all objects that are wanted in the end.
fn carried(tried: &Tried, wanted: &dyn Fn(&ObjectTrace) -> bool) -> Value {
    crate::plan::repair::worth::worth(&tried.plan, &tried.trace, wanted)
}

/// What was found.
#[derive(Default)]
struct Found {
    choices: Vec<Choice>,
    ground: Ground,
    answer: Option<Answer>,
    is_stuck: Option<String>,
    own_order: OwnOrder,
    what_if: Vec<WhatIf>,
}

impl Found {
    /// How sure the first choice is; the user's own plan may be it.
    fn status(&mut self, written: &Tried, options: &Options) -> Status {
        if let Some(best) = self.choices.first() {
            let exposure = best.tried.value.exposure;
            let slack = (exposure / 100 * options.percent + exposure % 100 * options.percent / 100)
                .max(options.seconds);
            let mine = Value { distance: 0, end: 0, ..written.value };
            let edits = i64::try_from(best.edits.count()).unwrap_or(i64::MAX);
            let its = Value { distance: edits, end: 0, ..best.tried.value };
            if mine.compare(&its, exposure + slack).is_le() {
                return Status::Unchanged;
            }
            return best.status.clone();
        }
        if written.value.violations == 0 && written.value.not_good == 0 {
            return Status::Unchanged;
        }
        match &self.answer {
            Some(Answer { status: Solved::InfeasibleProven { .. }, .. }) => Status::Infeasible,
            _ => Status::NotFound { why: self.is_stuck.take().unwrap_or_default() },
        }
    }
}

struct Search<'a> {
    given: Given<'a>,
    now: &'a Instant,
    pieces: Pieces,
    base: &'a Base<'a>,
    serial: &'a Serial,
    learned: Learned,
    is_wanted: &'a dyn Fn(&ObjectTrace) -> bool,
    written: &'a Tried,
}

/// An order that the simulation bears out, or why there is none.
enum Tries {
    Order(Box<Tried>, Status),
    None(String),
}

impl Search<'_> {
    fn choices(&mut self, options: &Options) -> Found {
        let mut found = Found::default();
        let (outcome, ground, answer) = self.solved(options);
        (found.ground, found.answer) = (ground, answer);
        match outcome {
            Tries::Order(tried, status) => {
                let choice = self.choice(Kind::Recommended, *tried, status);
                found.choices.push(choice);
            }
            Tries::None(why) => found.is_stuck = Some(why),
        }
        if options.reorder {
            let kept = Options { reorder: false, ..options.clone() };
            match self.solved(&kept) {
                (Tries::Order(tried, status), ..) => {
                    let choice = self.choice(Kind::LeastEdits, *tried, status);
                    Self::add(&mut found, choice);
                }
                (.., Some(Answer { status: Solved::InfeasibleProven { core }, .. })) => {
                    let is_window = |one: &&Relaxation| matches!(one, Relaxation::Window { .. });
                    let window = core.relaxations.iter().find(is_window).copied();
                    found.own_order = window.map_or(OwnOrder::DoesNotFit, OwnOrder::Needs);
                }
                _ => {}
            }
        }
        if options.percent > 0 || options.seconds > 0 {
            let exact = Options { percent: 0, seconds: 0, ..options.clone() };
            if let (Tries::Order(tried, status), ..) = self.solved(&exact) {
                let choice = self.choice(Kind::LeastExposure, *tried, status);
                Self::add(&mut found, choice);
            }
        }
        if let Some((value, _)) = found.answer.as_ref().and_then(|answer| answer.best.as_ref()) {
            found.what_if = what_if(&found.ground, options, value);
        }
        found
    }

    /// Adds a choice that is another one than those before.
    fn add(found: &mut Found, choice: Choice) {
        if !found.choices.iter().any(|other| other.tried.draft == choice.tried.draft) {
            found.choices.push(choice);
        }
    }

    fn choice(&self, kind: Kind, tried: Tried, status: Status) -> Choice {
        let edits = self.edits(&tried);
        Choice { kind, tried, edits, status }
    }

    /// The best order, with a fix that lasts behind all that it mends, or behind the first object that needs it.
    fn solved(&mut self, options: &Options) -> (Tries, Ground, Option<Answer>) {
        let leaders = self.base.leading();
        if leaders.is_empty() {
            return self.attempt(options, Lasting::Last);
        }
        let ways = leaders.iter().map(Lasting::First).chain([Lasting::Last]);
        let share = u64::try_from(leaders.len() + 1).unwrap_or(1);
        let options = Options { budget: options.budget / share, ..options.clone() };
        let mut best: Option<(Tries, Ground, Option<Answer>)> = None;
        for way in ways {
            let next = self.attempt(&options, way);
            let is_better = match (&best, &next.0) {
                (None, _) => true,
                (Some((Tries::None(_), ..)), outcome) => matches!(outcome, Tries::Order(..)),
                (Some((Tries::Order(known, _), ..)), Tries::Order(tried, _)) => {
                    tried.value.compare(&known.value, 0).is_lt()
                }
                (Some(_), Tries::None(_)) => false,
            };
            if is_better {
                best = Some(next);
            }
        }
        let Some((outcome, ground, answer)) = best else {
            return self.attempt(&options, Lasting::Last);
        };
        // What no order is below must hold wherever the fix comes.
        let anywhere = leaders.first().map(|leader| {
            let anywhere = Lasting::Anywhere(leader);
            self.base.ground(&options, &self.learned, self.is_wanted, anywhere).problem
        });
        let bound = anywhere.map(|problem| {
            let is_good = matches!(&outcome, Tries::Order(tried, _) if tried.value.not_good == 0);
            bound(&problem, &Facts::new(&problem), is_good)
        });
        let Some((bound, mut answer)) = bound.zip(answer) else {
            return (outcome, ground, None);
        };
        answer.bound = bound;
        let outcome = match outcome {
            Tries::Order(tried, _) => {
                let exposure = exposure_of(&tried.trace, &ground.objects) / ground.unit.max(1);
                let gap = (exposure - answer.bound.value.exposure).max(0);
                let status = if gap == 0 && tried.value.violations == 0 {
                    Status::ProvenByBound
                } else {
                    Status::BestFound { gap }
                };
                Tries::Order(tried, status)
            }
            Tries::None(why) => {
                // Other places of the fix were not looked at.
                answer.status = Solved::NotFound;
                Tries::None(why)
            }
        };
        (outcome, ground, Some(answer))
    }

    /// Asks the solver until the simulation agrees with its numbers.
    fn attempt(
        &mut self,
        options: &Options,
        lasting: Lasting<'_>,
    ) -> (Tries, Ground, Option<Answer>) {
        let before = self.learned.clone();
        let result = self.rounds(options, lasting);
        if !matches!(lasting, Lasting::Last) {
            // What was learned with a fix in that place need not hold with it in another.
            self.learned = before;
        }
        result
    }

    fn rounds(
        &mut self,
        options: &Options,
        lasting: Lasting<'_>,
    ) -> (Tries, Ground, Option<Answer>) {
        let effort = Effort {
            budget: options.budget,
            percent: options.percent,
            seconds: options.seconds,
            objective: options.objective,
        };
        let mut best: Option<(Tried, Answer)> = None;
        let mut last = (Ground::default(), None);
        let mut why = "no order was found".to_owned();
        for _ in 0..MAX_ROUNDS {
            let ground = self.base.ground(options, &self.learned, self.is_wanted, lasting);
            let answer = match solve(&ground.problem, &effort) {
                Ok(answer) => answer,
                Err(fault) => return (Tries::None(fault.to_string()), ground, None),
            };
            let Some((_, schedule)) = &answer.best else {
                if best.is_some() {
                    break;
                }
                let why = "no order was found that keeps all conditions".to_owned();
                let free = self.free(options, lasting);
                return (Tries::None(why), ground, proven_without(Some(answer), free));
            };
            let mut tried: Option<Tried> = None;
            for is_strict in [false, true] {
                let draft = arrange(
                    self.given.plan,
                    self.given.set,
                    &mut self.pieces,
                    &ground,
                    schedule,
                    is_strict,
                );
                let next = carry_out(
                    self.given,
                    self.now,
                    options.takes,
                    &self.pieces,
                    draft,
                    self.is_wanted,
                );
                let is_better =
                    tried.as_ref().is_none_or(|known| next.value.compare(&known.value, 0).is_lt());
                if is_better {
                    tried = Some(next);
                }
                if self.given.plan.is_ordered {
                    break;
                }
            }
            let Some(tried) = tried else { break };
            let is_new = self.learned.take(self.serial, &ground, (&tried.draft, &tried.trace));
            let is_better =
                best.as_ref().is_none_or(|(known, _)| tried.value.compare(&known.value, 0).is_lt());
            match self.unfit(options, &tried) {
                Some(reason) => why = reason,
                None if is_better => best = Some((tried, answer.clone())),
                None => {}
            }
            last = (ground, Some(answer));
            if !is_new {
                break;
            }
        }
        let (ground, mut answer) = last;
        let free = self.free(options, lasting);
        match best {
            Some((tried, its)) => {
                let mut status = Self::status(&ground, answer.as_ref().unwrap_or(&its), &tried);
                if let Some(free) = free {
                    status = Self::status_within(&ground, &free, &tried);
                    if let Some(answer) = &mut answer {
                        answer.bound = free.bound;
                    }
                }
                (Tries::Order(Box::new(tried), status), ground, answer)
            }
            None => (Tries::None(why), ground, proven_without(answer, free)),
        }
    }

    /// The answer without the orders that simulations taught: these keep what would fail from being tried, and not all
    /// of them have to be kept in every order. None if there are none.
    fn free(&self, options: &Options, lasting: Lasting<'_>) -> Option<Answer> {
        if self.learned.before.is_empty() {
            return None;
        }
        let free = Learned { before: BTreeSet::new(), ..self.learned.clone() };
        let ground = self.base.ground(options, &free, self.is_wanted, lasting);
        let effort = Effort {
            budget: options.budget / 2,
            objective: options.objective,
            ..Effort::default()
        };
        solve(&ground.problem, &effort).ok()
    }

    /// How sure an order is that was found under more conditions than have to be kept.
    fn status_within(ground: &Ground, free: &Answer, tried: &Tried) -> Status {
        let exposure = exposure_of(&tried.trace, &ground.objects) / ground.unit.max(1);
        let is_proven =
            matches!(free.status, Solved::ProvenByBound | Solved::ProvenBySearch { .. });
        let least = match &free.best {
            Some((value, _)) if is_proven => value.exposure,
            _ => free.bound.value.exposure,
        };
        let gap = (exposure - least).max(0);
        match &free.status {
            _ if gap > 0 || tried.value.violations > 0 => Status::BestFound { gap },
            Solved::ProvenBySearch { nodes } => Status::ProvenBySearch { nodes: *nodes },
            _ => Status::ProvenByBound,
        }
    }

    /// Why an order is no repair.
    fn unfit(&self, options: &Options, tried: &Tried) -> Option<String> {
        let edits = self.edits(tried);
        if !options.delete_checks && !edits.deleted.is_empty() {
            return Some("checks of no use would have to be taken out".to_owned());
        }
        if !options.insert && !edits.inserted.is_empty() {
            return Some("steps would have to be put in".to_owned());
        }
        let steps = tried.plan.written().iter().zip(&tried.trace.steps);
        let wrong = steps.filter(|(_, step)| is_left_out(step));
        let refused: Vec<String> = wrong.map(|(step, _)| step.id.to_string()).collect();
        if tried.value.violations > 0 && tried.value.violations >= self.written.value.violations {
            return Some(format!(
                "the simulation does not bear out what the numbers say: {}",
                refused.join(", ")
            ));
        }
        let protected = self.given.set.protection().map(|(known, _)| known.kind);
        let count = self.written.plan.written().len();
        let differ = if self.written.trace.steps.iter().take(count).any(is_left_out) {
            let draft = Draft::in_order(self.serial.order.clone());
            let serial = (&draft, &self.serial.trace);
            differences(&self.pieces, serial, (&tried.draft, &tried.trace), protected)
        } else {
            let written = (&self.written.draft, &self.written.trace);
            differences(&self.pieces, written, (&tried.draft, &tried.trace), protected)
        };
        if !differ.is_empty() {
            return Some(format!("the facts would end otherwise: {}", differ.join(", ")));
        }
        None
    }

    /// How sure an order is: what the solver says of its numbers, if the simulation agrees with them.
    fn status(ground: &Ground, answer: &Answer, tried: &Tried) -> Status {
        let Some((value, _)) = &answer.best else {
            return Status::BestFound { gap: 0 };
        };
        let exposure = exposure_of(&tried.trace, &ground.objects) / ground.unit.max(1);
        let gap = (exposure - answer.bound.value.exposure).max(0);
        let agrees = exposure <= value.exposure && tried.value.violations == 0;
        match &answer.status {
            Solved::ProvenByBound if agrees => Status::ProvenByBound,
            Solved::ProvenBySearch { nodes } if agrees => Status::ProvenBySearch { nodes: *nodes },
            _ => Status::BestFound { gap },
        }
    }

    fn edits(&self, tried: &Tried) -> Edits {
        let entries = &tried.draft.entries;
        let count = self.given.plan.written().len();
        let places: Vec<(usize, usize)> = entries
            .iter()
            .filter_map(|entry| Some((self.pieces.written(entry.piece)?, entry.piece)))
            .collect();
        let kept = longest(&places.iter().map(|(place, _)| *place).collect::<Vec<_>>());
        let is_kept = |place: &usize| kept.contains(place);
        Edits {
            inserted: entries
                .iter()
                .map(|entry| entry.piece)
                .filter(|piece| self.pieces.written(*piece).is_none())
                .collect(),
            deleted: (0..count)
                .filter(|position| !places.iter().any(|(place, _)| place == position))
                .collect(),
            moved: places.iter().map(|(place, _)| *place).filter(|place| !is_kept(place)).collect(),
        }
    }
}

/// That there is no order is proven only if there is none without the orders that simulations taught.
fn proven_without(answer: Option<Answer>, free: Option<Answer>) -> Option<Answer> {
    match (answer, free) {
        (_, Some(free)) if matches!(free.status, Solved::InfeasibleProven { .. }) => Some(free),
        (Some(answer), Some(_)) => Some(Answer { status: Solved::NotFound, ..answer }),
        (answer, _) => answer,
    }
}

/// Whether a step does not take place although it has something to do.
fn is_left_out(step: &StepTrace) -> bool {
    matches!(step.status, StepStatus::Refused(_) | StepStatus::Never)
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
