//! The fixes that a plan lacks: it is carried out without checks, and what the rules ask for at the end is put in.

use std::collections::{BTreeMap, BTreeSet};

use crate::eval;
use crate::facts::value::{ObjectId, Value};
use crate::finding::Step as Wanted;
use crate::plan::hazard::{Fixes, Given};
use crate::plan::repair::options::Options;
use crate::plan::repair::pieces::{Draft, Pieces};
use crate::plan::simulate::{self, Scenario, Takes};
use crate::plan::trace::{ObjectTrace, StepStatus, Trace};
use crate::plan::world::{May, NoArgument, argument};
use crate::plan::{Plan, Window};

/// Most rounds in which fixes of fixes are looked for.
const MAX_ROUNDS: usize = 6;

/// Most fixes of which it is tried whether the plan can do without them.
const MAX_SPARED: usize = 60;

/// Longer than any plan, in seconds: until then nothing is cut off.
const LONG: i64 = 400 * 86_400;

/// Pieces carried out one after the other, with nothing else going on.
pub(super) struct Serial {
    /// The pieces.
    pub(super) order: Vec<usize>,
    /// What came of it; its steps are in that order.
    pub(super) trace: Trace,
    pub(super) plan: Plan,
}

/// Why a fix that the rules ask for is not put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// What is to be done.
    pub said: String,
    /// Why nobody can put it in.
    pub why: String,
    /// Keys of the objects that need it.
    pub objects: BTreeSet<String>,
}

/// The steps that are no checks, with the fixes that they lack, and what could not be put in.
pub(super) struct Complete {
    pub(super) serial: Serial,
    pub(super) left: Vec<Left>,
    /// Fixes that the rules advise, and without which the plan ends as well.
    pub(super) spared: Vec<usize>,
}

/// Carries pieces out one after the other.
pub(super) fn serial(given: Given<'_>, takes: Takes, pieces: &Pieces, order: &[usize]) -> Serial {
    let mut draft = Draft::in_order(order.iter().copied());
    if let Some(first) = draft.entries.first_mut() {
        // So that it shows how things are before it.
        first.not_before = Some(1);
    }
    let window = Window { end: LONG, checks_until: LONG, ..given.plan.window.clone() };
    let mut plan = Plan {
        window,
        operators: 1,
        is_ordered: true,
        steps: pieces.steps(&draft),
        unscheduled: Vec::new(),
        ..given.plan.clone()
    };
    let scenario = Scenario { may: May::Happens, takes };
    let trace = simulate::simulate(given.set, given.facts, &plan, scenario);
    // What the rules say at the end they say of the second in which the last step is over.
    (plan.window.end, plan.window.checks_until) = (trace.end, trace.end);
    Serial { order: order.to_vec(), trace, plan }
}

/// The tasks of a plan in an order in which they can begin, and with the fixes that they lack.
pub(super) fn complete(
    given: Given<'_>,
    pieces: &mut Pieces,
    wanted: &dyn Fn(&ObjectTrace) -> bool,
    options: &Options,
) -> Complete {
    let takes = options.takes;
    let mut order = by_waits(pieces);
    order.retain(|piece| pieces.checks(given.set, *piece).is_none());
    let mut run = serial(given, takes, pieces, &order);
    (order, run) = later(given, takes, pieces, order, run);
    let mut left = Vec::new();
    for _ in 0..MAX_ROUNDS {
        let end = simulate::instant(&run.plan, run.trace.end);
        let after = eval::evaluate(&run.trace.facts, given.set, &end, None, &|_| true);
        let judged = Given { plan: &run.plan, ..given };
        let fixes = Fixes::new(judged, &run.trace, &after);
        let mut asked: BTreeMap<String, (&Wanted, BTreeSet<String>)> = BTreeMap::new();
        let mut names = Vec::new();
        let open = run.trace.objects.iter().filter(|one| one.ends().is_exposed() && wanted(one));
        for object in open {
            let causes = object.intervals.last().map(|last| last.open.clone()).unwrap_or_default();
            for step in fixes.of(&[object], &causes) {
                if !asked.contains_key(&step.name) {
                    names.push(step.name.clone());
                }
                let known = asked.entry(step.name.clone()).or_insert((step, BTreeSet::new()));
                known.1.insert(object.key.to_string());
            }
        }
        left.clear();
        let mut is_more = false;
        for (step, objects) in names.iter().filter_map(|name| asked.get(name)) {
            let mut leave = |why: &str| {
                left.push(Left {
                    said: step.text.clone(),
                    why: why.to_owned(),
                    objects: objects.clone(),
                });
            };
            let (action, args) = match resolved(given, step) {
                Ok(resolved) => resolved,
                Err(why) => {
                    leave(&why);
                    continue;
                }
            };
            match of_the_user(pieces, &order, action, &args) {
                // It is there, but too early to do anything.
                Some(piece) if !has_done(&run, piece) => {
                    order.retain(|other| *other != piece);
                    order.push(piece);
                    is_more = true;
                }
                Some(_) => leave("the plan has it, and it is not enough"),
                None if options.insert => {
                    order.push(pieces.add_fix(action, args, (*step).clone()));
                    is_more = true;
                }
                None => leave("`insert` is not allowed"),
            }
        }
        if !is_more {
            break;
        }
        run = serial(given, takes, pieces, &order);
    }
    let spared = spare(given, takes, pieces, wanted, &mut order);
    if !spared.is_empty() {
        run = serial(given, takes, pieces, &order);
    }
    Complete { serial: run, left, spared }
}

/// Takes out the fixes without which checks make just as much good: what rules advise beside what clears a cause.
fn spare(
    given: Given<'_>,
    takes: Takes,
    pieces: &mut Pieces,
    wanted: &dyn Fn(&ObjectTrace) -> bool,
    order: &mut Vec<usize>,
) -> Vec<usize> {
    let mut spared = Vec::new();
    let mut fixes: Vec<usize> =
        order.iter().copied().filter(|piece| pieces.written(*piece).is_none()).collect();
    fixes.truncate(MAX_SPARED);
    let before = bad_when_checked(given, takes, pieces, wanted, order);
    for fix in fixes.into_iter().rev() {
        let without: Vec<usize> = order.iter().copied().filter(|piece| *piece != fix).collect();
        if bad_when_checked(given, takes, pieces, wanted, &without).is_subset(&before) {
            *order = without;
            spared.push(fix);
        }
    }
    spared.reverse();
    spared
}

/// The objects that are bad behind pieces and a check of each.
fn bad_when_checked(
    given: Given<'_>,
    takes: Takes,
    pieces: &Pieces,
    wanted: &dyn Fn(&ObjectTrace) -> bool,
    order: &[usize],
) -> BTreeSet<ObjectId> {
    let run = serial(given, takes, pieces, order);
    let open = |one: &&ObjectTrace| one.ends().is_exposed() && wanted(one);
    let mut checked = pieces.clone();
    let mut all = order.to_vec();
    let objects = run.trace.objects.iter().filter(open);
    all.extend(objects.filter_map(|one| checked.add_check(given.set, one.object)));
    let run = serial(given, takes, &checked, &all);
    run.trace.objects.iter().filter(open).map(|one| one.object).collect()
}

/// The action of a repair and what it is given.
fn resolved(given: Given<'_>, step: &Wanted) -> Result<(usize, Vec<Value>), String> {
    let position = given.set.actions.iter().position(|action| action.id == step.action);
    let action = position.and_then(|position| given.set.actions.get(position));
    let (Some(position), Some(action)) = (position, action) else {
        return Err(format!("there is no action `{}`", step.action));
    };
    if let Some(reason) = &action.course.manual {
        return Err(reason.clone());
    }
    if let Some(facts) = &step.unsure {
        return Err(format!("facts are missing: {facts}"));
    }
    let mut args = Vec::new();
    for arg in &action.args {
        let found = step.with.iter().find(|(name, _)| *name == arg.name);
        let value = found.map(|(_, value)| argument(given.facts, arg, value));
        args.push(match value {
            Some(Ok(value)) => value,
            Some(Err(NoArgument::Unknown(facts))) => {
                return Err(format!("facts are missing: {facts}"));
            }
            Some(Err(NoArgument::Open)) | None => {
                return Err(format!("somebody has to choose `{}`", arg.name));
            }
        });
    }
    Ok((position, args))
}

/// The piece that does the same.
fn of_the_user(pieces: &Pieces, order: &[usize], action: usize, args: &[Value]) -> Option<usize> {
    let same = |piece: &usize| {
        pieces.step(*piece).is_some_and(|step| {
            step.action == action
                && step.args.len() == args.len()
                && step.args.iter().zip(args).all(|(one, other)| one.same(other))
        })
    };
    // The last one: what comes behind it has not been taken care of.
    order.iter().rev().copied().find(|piece| same(piece))
}

fn has_done(run: &Serial, piece: usize) -> bool {
    let position = run.order.iter().rposition(|other| *other == piece);
    let step = position.and_then(|position| run.trace.steps.get(position));
    step.is_some_and(|step| step.status == StepStatus::Done && !step.closed.is_empty())
}

/// All pieces in their order, each behind those that it waits for.
fn by_waits(pieces: &Pieces) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::new();
    let mut left: Vec<usize> = (0..pieces.all.len()).collect();
    loop {
        let is_free = |piece: &usize| {
            let after = pieces.step(*piece).map(|step| step.after.as_slice()).unwrap_or_default();
            after.iter().all(|before| !left.contains(before))
        };
        let Some(next) = left.iter().position(is_free) else { break };
        order.push(left.remove(next));
    }
    order.extend(left);
    order
}

/// What cannot begin where it stands is tried at the end.
fn later(
    given: Given<'_>,
    takes: Takes,
    pieces: &Pieces,
    order: Vec<usize>,
    run: Serial,
) -> (Vec<usize>, Serial) {
    let (mut order, mut run) = (order, run);
    loop {
        let refused = refused(&run);
        let mut next: Vec<usize> = order.clone();
        next.retain(|piece| !refused.contains(piece));
        next.extend(&refused);
        if refused.is_empty() || next == order {
            return (order, run);
        }
        let tried = serial(given, takes, pieces, &next);
        if self::refused(&tried).len() >= refused.len() {
            return (order, run);
        }
        (order, run) = (next, tried);
    }
}

/// The pieces that could not begin.
pub(super) fn refused(run: &Serial) -> Vec<usize> {
    let steps = run.order.iter().zip(&run.trace.steps);
    let refused = steps.filter(|(_, step)| matches!(step.status, StepStatus::Refused(_)));
    refused.map(|(piece, _)| *piece).collect()
}
