//! What a plan needs besides what was asked for.

use std::collections::BTreeSet;

use crate::expr::tree::Expr;
use crate::facts::value::{ObjectId, Value};
use crate::finding::Evaluation;
use crate::plan::remedy::wish::{Since, Stage, Wish, Wishes};
use crate::plan::remedy::{Attempt, Given, Why};
use crate::plan::simulate;
use crate::plan::trace::{Interval, ObjectTrace};
use crate::plan::world::{Act, May, Phase, bound, carry_out, value_of};

/// Most pairs of a repair and a condition that are tried.
const MAX_TRIED: usize = 5_000;

/// Asks for checks of what the plan breaks, or leaves bad, and a check would cure; whether there was any that
/// is new. That something else would cure it later is no reason to let it wait.
pub(super) fn check_what_breaks(given: Given<'_>, wishes: &mut Wishes<'_>, made: &Attempt) -> bool {
    let repaired = made.trace.causes.iter().filter(|cause| cause.closed_by.is_some());
    let repaired: BTreeSet<ObjectId> =
        repaired.flat_map(|cause| cause.objects.iter().copied()).collect();
    let mut has_more = false;
    for object in made.trace.objects.iter().filter(|one| given.facts.holds(one.object)) {
        // What was bad before and is not touched is none of the plan's business.
        let is_ours = object.intervals.iter().any(|one| !one.phase.is_exposed())
            || repaired.contains(&object.object);
        let last = object.intervals.last().filter(|last| is_ours && is_curable(last));
        let Some(bad) = last.or_else(|| broken(object, made)) else { continue };
        let placed = bad.caused_by.iter().filter_map(|step| made.ordered.placed.get(*step));
        let causes: Vec<usize> = placed.map(|placed| placed.wish).collect();
        has_more |= wishes.check(object.object, &causes);
    }
    has_more
}

fn is_curable(interval: &Interval) -> bool {
    interval.phase == Phase::Bad && !interval.is_blocked && interval.open.is_empty()
}

/// A time in which an object is bad because of a step, and no check of the plan follows.
fn broken<'m>(object: &'m ObjectTrace, made: &'m Attempt) -> Option<&'m Interval> {
    let written = made.ordered.placed.len();
    let checks = made
        .trace
        .steps
        .iter()
        .take(written)
        .filter(|step| step.needs.check.is_some_and(|(checked, _)| checked == object.object));
    let last = checks.filter_map(|step| step.start).max();
    object.intervals.iter().find(|one| {
        is_curable(one)
            && one.caused_by.iter().any(|step| *step < written)
            && last.is_none_or(|begun| begun < one.from)
    })
}

/// Fingerprints of findings that nobody asked for, and whose repair would let begin what cannot.
pub(super) fn in_the_way(
    given: Given<'_>,
    evaluation: &Evaluation,
    wishes: &Wishes<'_>,
    made: &Attempt,
) -> BTreeSet<String> {
    let refused = made.ordered.left.iter().filter(|(_, why)| matches!(why, Why::Refused(_)));
    let refused: Vec<&Wish> = refused.filter_map(|(wish, _)| wishes.all.get(*wish)).collect();
    let mut others = Wishes::new(given, BTreeSet::new());
    if !refused.is_empty() {
        others.take(evaluation, Since::Needed, &|_, finding| !wishes.knows(&finding.fingerprint));
    }
    let mut found = BTreeSet::new();
    let mut tries = MAX_TRIED;
    for wish in &refused {
        let failing = failing(given, made, wish);
        for other in others.all.iter().filter(|other| other.stage == Stage::Repair) {
            let Some(left) = tries.checked_sub(failing.len()) else { return found };
            tries = left;
            if helps(given, made, other, wish, &failing) {
                let purposes = other.purposes.iter().filter_map(|one| others.findings.get(*one));
                found.extend(purposes.map(|finding| finding.fingerprint.clone()));
            }
        }
    }
    found
}

/// The conditions of a step that do not hold at the end.
fn failing<'a>(given: Given<'a>, made: &Attempt, wish: &Wish) -> Vec<&'a Expr> {
    let Some(action) = given.set.actions.get(wish.action) else { return Vec::new() };
    let facts = &made.trace.facts;
    let now = simulate::instant(&made.plan, made.trace.end);
    let Ok(args) = bound(facts, action, &wish.args) else { return Vec::new() };
    let act = Act { action, args: &args };
    let fails = |that: &&Expr| {
        matches!(value_of(given.set, facts, &now, act, that), Ok(Value::Bool(false)))
    };
    action.course.requires.iter().map(|(that, _)| that).filter(fails).collect()
}

/// Whether one step makes a condition of another hold.
fn helps(given: Given<'_>, made: &Attempt, other: &Wish, wish: &Wish, failing: &[&Expr]) -> bool {
    let set = given.set;
    let (Some(helper), Some(action)) =
        (set.actions.get(other.action), set.actions.get(wish.action))
    else {
        return false;
    };
    let mut facts = made.trace.facts.clone();
    let now = simulate::instant(&made.plan, made.trace.end);
    let Ok(args) = bound(&made.trace.facts, helper, &other.args) else { return false };
    for at_start in [true, false] {
        let act = Act { action: helper, args: &args };
        carry_out(set, &mut facts, &now, act, (at_start, May::Happens));
    }
    let Ok(args) = bound(&facts, action, &wish.args) else { return false };
    let act = Act { action, args: &args };
    failing
        .iter()
        .any(|that| matches!(value_of(set, &facts, &now, act, that), Ok(Value::Bool(true))))
}
