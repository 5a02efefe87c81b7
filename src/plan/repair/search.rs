//! The ladder: what the plan lacks, the numbers, the solver's answer, its simulation, and what that teaches.

use std::collections::BTreeSet;

use crate::facts::time::Instant;
use crate::facts::value::ObjectId;
use crate::plan::hazard::Given;
use crate::plan::repair::arrange::arrange;
use crate::plan::repair::choice::{Choice, Edits, Kind, OwnOrder, Status};
use crate::plan::repair::complete::{Left, Serial, complete};
use crate::plan::repair::ground::{Base, Ground, Lasting};
use crate::plan::repair::help::{WhatIf, what_if};
use crate::plan::repair::learn::Learned;
use crate::plan::repair::options::Options;
use crate::plan::repair::pieces::{Draft, Pieces};
use crate::plan::repair::same::differences;
use crate::plan::repair::worth::{Tried, carry_out, worth};
use crate::plan::simulate::Takes;
use crate::plan::solver::relax::Relaxation;
use crate::plan::solver::run::Facts;
use crate::plan::solver::solve::bound;
use crate::plan::solver::{Answer, Effort, Schedule, Status as Solved, Value, solve};
use crate::plan::trace::{ObjectTrace, StepStatus, StepTrace, Trace};

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

/// Repairs a plan.
#[must_use]
pub fn repair(given: Given<'_>, now: &Instant, options: &Options) -> Repair {
    let mut pieces = Pieces::of(given.plan);
    let draft = pieces.as_written(given.plan);
    let is_meant = |one: &ObjectTrace| one.is_wanted(&given.plan.goal);
    let mut written = carry_out(given, now, options.takes, &pieces, draft, &is_meant);
    let mut wanted = objects(&written.trace, &is_meant);
    let is_wanted = |one: &ObjectTrace| wanted.contains(&one.object) || is_meant(one);
    let complete = complete(given, &mut pieces, &is_wanted, options);
    let serial = complete.serial;
    wanted.extend(objects(&serial.trace, &is_meant));
    let is_wanted = |one: &ObjectTrace| wanted.contains(&one.object);
    written.value = worth(&written.plan, &written.trace, &is_wanted);
    let base = Base::new(given, options.takes, &mut pieces, &serial, &is_wanted);
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
    let mut pieces = search.pieces;
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
    let stuck = stuck(&serial, &found);
    let left = still_needed(given, complete.left, &found);
    let status = found.status(&written, options);
    Repair {
        pieces,
        written,
        choices: found.choices,
        ground: found.ground,
        answer: found.answer,
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
        found.ground.lost.iter().map(|object| given.facts.key(*object).to_string()).collect();
    if let Some(first) = found.choices.first() {
        let objects = first.tried.trace.objects.iter();
        bad.extend(objects.filter(|one| one.ends().is_exposed()).map(|one| one.key.to_string()));
    }
    left.into_iter().filter(|left| !left.objects.is_disjoint(&bad)).collect()
}

/// The steps that cannot begin, with the reasons. What could not without checks may do so behind them.
fn stuck(serial: &Serial, found: &Found) -> Vec<(usize, Vec<String>)> {
    let is_stuck = |piece: usize| {
        found.choices.first().is_none_or(|first| {
            let at = first.tried.draft.position(piece);
            let step = at.and_then(|at| first.tried.trace.steps.get(at));
            step.is_none_or(is_left_out)
        })
    };
    let steps = serial.order.iter().zip(&serial.trace.steps);
    let refused = steps.filter_map(|(piece, step)| match &step.status {
        StepStatus::Refused(reasons) => Some((*piece, reasons.clone())),
        _ => None,
    });
    refused.filter(|(piece, _)| is_stuck(*piece)).collect()
}

/// The objects of a trace for which something holds.
fn objects(trace: &Trace, which: &dyn Fn(&ObjectTrace) -> bool) -> BTreeSet<ObjectId> {
    trace.objects.iter().filter(|one| which(one)).map(|one| one.object).collect()
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
    fn status(&self, written: &Tried, options: &Options) -> Status {
        if let Some(best) = self.choices.first() {
            let exposure = best.tried.value.exposure;
            let slack = options.effort().slack(exposure);
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
            _ => Status::NotFound { why: self.is_stuck.clone().unwrap_or_default() },
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
        let (Some((outcome, ground, Some(mut answer))), Some(leader)) = (best, leaders.first())
        else {
            return (Tries::None("no order was found".to_owned()), Ground::default(), None);
        };
        // What no order is below must hold wherever the fix comes, and whatever was learned of its places.
        let free = self.learned.without_orders();
        let anywhere = self.base.ground(&options, &free, self.is_wanted, Lasting::Anywhere(leader));
        let is_good = matches!(&outcome, Tries::Order(tried, _) if tried.value.not_good == 0);
        answer.bound = bound(&anywhere.problem, &Facts::new(&anywhere.problem), is_good);
        let outcome = match outcome {
            Tries::Order(tried, _) => {
                let gap = (ground.exposure(&tried.trace) - answer.bound.value.exposure).max(0);
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
        let effort = options.effort();
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
                "no order was found that keeps all conditions".clone_into(&mut why);
                last = (ground, Some(answer));
                break;
            };
            let tried = self.carried_out(options, &ground, schedule);
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
                    status = Self::status_within(options, &ground, &free, &tried);
                    if let Some(answer) = &mut answer {
                        answer.bound = free.bound;
                    }
                }
                (Tries::Order(Box::new(tried), status), ground, answer)
            }
            None => (Tries::None(why), ground, proven_without(answer, free)),
        }
    }

    /// A schedule as a draft, carried out; where an order alone lets steps overtake each other, with ties if that is better.
    fn carried_out(&mut self, options: &Options, ground: &Ground, schedule: &Schedule) -> Tried {
        let mut try_out = |is_strict| {
            let Given { plan, set, .. } = self.given;
            let draft = arrange(plan, set, &mut self.pieces, ground, schedule, is_strict);
            let takes = options.takes;
            carry_out(self.given, self.now, takes, &self.pieces, draft, self.is_wanted)
        };
        let free = try_out(false);
        if self.given.plan.is_ordered {
            return free;
        }
        let strict = try_out(true);
        if strict.value.compare(&free.value, 0).is_lt() { strict } else { free }
    }

    /// The answer without the orders that simulations taught: these keep what would fail from being tried, and not all
    /// of them have to be kept in every order. None if there are none.
    fn free(&self, options: &Options, lasting: Lasting<'_>) -> Option<Answer> {
        if self.learned.before.is_empty() {
            return None;
        }
        let free = self.learned.without_orders();
        let ground = self.base.ground(options, &free, self.is_wanted, lasting);
        let effort =
            Effort { budget: options.budget / 2, percent: 0, seconds: 0, ..options.effort() };
        solve(&ground.problem, &effort).ok()
    }

    /// How sure an order is that was found under more conditions than have to be kept.
    fn status_within(options: &Options, ground: &Ground, free: &Answer, tried: &Tried) -> Status {
        let exposure = ground.exposure(&tried.trace);
        let is_proven =
            matches!(free.status, Solved::ProvenByBound | Solved::ProvenBySearch { .. });
        let least = match &free.best {
            Some((value, _)) if is_proven => value.exposure,
            _ => free.bound.value.exposure,
        };
        let gap = (exposure - least).max(0);
        match &free.status {
            _ if gap > options.effort().slack(least) || tried.value.violations > 0 => {
                Status::BestFound { gap }
            }
            Solved::ProvenBySearch { nodes } => Status::ProvenBySearch { nodes: *nodes },
            _ => Status::ProvenByBound,
        }
    }

    fn edits(&self, tried: &Tried) -> Edits {
        Edits::of(&self.pieces, self.given.plan.written().len(), &tried.draft)
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
        (!differ.is_empty())
            .then(|| format!("the facts would end otherwise: {}", differ.join(", ")))
    }

    /// How sure an order is: what the solver says of its numbers, if the simulation agrees with them.
    fn status(ground: &Ground, answer: &Answer, tried: &Tried) -> Status {
        let Some((value, _)) = &answer.best else {
            return Status::BestFound { gap: 0 };
        };
        let exposure = ground.exposure(&tried.trace);
        let gap = (exposure - answer.bound.value.exposure).max(0);
        let agrees = exposure <= value.exposure && tried.value.violations == 0;
        match &answer.status {
            Solved::ProvenByBound if agrees => Status::ProvenByBound,
            Solved::ProvenBySearch { nodes } if agrees => Status::ProvenBySearch { nodes: *nodes },
            _ => Status::BestFound { gap },
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
