//! Why there is no schedule, and what would help.
//!
//! A core is a set of conditions that contradict each other, none of which can be left out. Each condition
//! that, if it were less strict, would let a schedule exist, says by how much at least. Nothing here takes a
//! spent budget for a proof: what cannot be decided is told as such.

use super::aim::Aim;
use super::bound::{Certificate, Whole};
use super::ends::{ends, too_late};
use super::problem::{Problem, Stop};
use super::run::{Facts, Item};
use super::search::Search;
use super::{construct, local};

/// Longer than any plan.
const FOREVER: i64 = 1 << 40;

/// What contradicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Core {
    /// Why there is no schedule.
    pub proof: Proof,
    /// The conditions that contradict each other.
    pub members: Vec<Condition>,
    /// Whether none of them can be left out.
    pub is_minimal: bool,
    /// What would each help, alone.
    pub relaxations: Vec<Relaxation>,
}

/// Why there is no schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A sum is greater than what there is.
    Bound(Excess),
    /// All orders were looked at: so many nodes.
    Search(u64),
}

/// A sum that is greater than what there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excess {
    /// When tasks or checks are over at the earliest.
    pub earliest: Certificate,
    /// When they must be.
    pub limit: i64,
}

/// A condition that can be asked to give way, in the order in which one would ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// That tasks and checks are over in time.
    Window,
    /// How many checks of an owner run side by side.
    Slots(usize),
    /// That a task, or a check of an object, does not run in its closed times.
    Closed(Item),
    /// That a task is over before the window is.
    Until(usize),
    /// That an object is good at the end.
    EndGood(usize),
    /// That an object is bad or stopped for so long at most.
    Most(usize),
    /// That a task is carried out at all.
    Task(usize),
}

/// The least that lets a schedule exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relaxation {
    /// Seconds by which window and checks have to end later.
    Window {
        /// The least that is known to suffice.
        later: i64,
        /// Whether a second less is proven not to.
        is_least: bool,
    },
    /// As many slots instead.
    Slots {
        /// Whose.
        owner: usize,
        /// How many.
        slots: usize,
        /// Whether one less is proven not to suffice.
        is_least: bool,
    },
    /// This task, or a check of this object, may run in its closed times.
    Closed(Item),
    /// This task has time until the end of the window.
    Until(usize),
    /// This object may end bad.
    EndGood(usize),
    /// This object may be bad or stopped for longer.
    Most {
        /// Which.
        object: usize,
        /// The least maximum that is known to suffice.
        most: i64,
        /// Whether a second less is proven not to.
        is_least: bool,
    },
    /// This task, and the fixes of nothing but its damage, is left out.
    Task(usize),
}

/// Most conditions that are asked for one by one.
const MANY: usize = 40;

/// How finely orders are tried to find one that fits.
const PARTS: usize = 1;

/// Whether a problem has a schedule.
enum Verdict {
    Yes,
    No,
    Unknown,
}

/// The sum that shows that nothing fits, if there is one.
#[must_use]
pub fn excess(problem: &Problem, facts: &Facts) -> Option<Excess> {
    let whole = Whole::new(problem, false);
    let rest = whole.rest(problem, facts);
    if let Some((earliest, limit)) = too_late(&rest) {
        return Some(Excess { earliest, limit });
    }
    let ends = ends(&rest, 0);
    let tasks = Excess { earliest: ends.tasks, limit: problem.window };
    let checks = Excess { earliest: ends.checks, limit: problem.checks_until };
    [tasks, checks].into_iter().find(|excess| excess.earliest.total > excess.limit)
}

/// Whether anything fits.
fn verdict(problem: &Problem, budget: u64) -> Verdict {
    let facts = Facts::new(problem);
    if excess(problem, &facts).is_some() {
        return Verdict::No;
    }
    let orders = construct::orders(problem, &facts, PARTS);
    if orders.iter().any(|order| local::finish_early(problem, &facts, order)) {
        return Verdict::Yes;
    }
    let is_limited = problem.objects.iter().any(|object| object.most.is_some());
    let fits = |order: &Vec<Item>| local::finish(problem, &facts, order, Aim::default()).is_some();
    if is_limited && orders.iter().any(fits) {
        return Verdict::Yes;
    }
    let mut search = Search::new(problem, &facts, None, Aim::default());
    let is_whole = search.walk_to_first(budget);
    match (search.best, is_whole) {
        (Some(_), _) => Verdict::Yes,
        (None, true) => Verdict::No,
        (None, false) => Verdict::Unknown,
    }
}

/// What contradicts, and what would help. All questions together cost about the budget. Where there are too
/// many conditions to ask for each, only the window, the slots and the shared tasks are asked for, and the
/// core is not said to be minimal.
#[must_use]
pub fn core(problem: &Problem, proof: Proof, budget: u64) -> Core {
    let mut members = conditions(problem);
    let mut is_minimal = members.len() <= MANY;
    let is_limited = is_limited(problem);
    members.retain(|condition| match condition {
        Condition::Window | Condition::Slots(_) | Condition::Closed(_) | Condition::Until(_) => {
            true
        }
        Condition::EndGood(_) | Condition::Most(_) => is_minimal,
        Condition::Task(task) => {
            is_minimal || problem.tasks.get(*task).is_some_and(|task| task.breaks.len() > 1)
        }
    });
    let all = members.clone();
    let size = problem.tasks.len() + problem.objects.len();
    // Each condition is asked for twice, and the window some dozen times.
    // A walk through more than that many conditions proves nothing, so none is begun.
    let each = u64::try_from(size * (2 * all.len() + 12)).unwrap_or(u64::MAX).max(1);
    let nodes = if is_minimal { budget / each } else { 0 };
    // Who is asked last is let go first, so that what remains names those who are asked first.
    for condition in all.iter().rev() {
        let dropped: Vec<Condition> = all
            .iter()
            .copied()
            .filter(|other| other == condition || !members.contains(other))
            .collect();
        match verdict(&without(problem, &dropped), nodes) {
            Verdict::No => members.retain(|member| member != condition),
            Verdict::Yes => {}
            Verdict::Unknown => is_minimal = false,
        }
    }
    let relaxations =
        all.iter().filter_map(|condition| relaxation(problem, *condition, nodes)).collect();
    Core { proof, members, is_minimal: is_minimal && !is_limited, relaxations }
}

/// Whether an object may end bad and may not be so for long. A later horizon can shut a schedule out then, so
/// that a longer window is no wider one.
fn is_limited(problem: &Problem) -> bool {
    problem.objects.iter().any(|object| object.most.is_some() && !object.must_end_good)
}

fn conditions(problem: &Problem) -> Vec<Condition> {
    let objects = problem.objects.iter().enumerate();
    let must = objects.filter(|(_, object)| object.must_end_good);
    let tasks = problem.tasks.iter().enumerate().filter(|(_, task)| task.place.is_some());
    let mut conditions = vec![Condition::Window];
    conditions.extend((0..problem.owners.len()).map(Condition::Slots));
    let closed = |times: &[(i64, i64)]| times.iter().any(|(from, to)| from < to);
    let tasks_at = || problem.tasks.iter().enumerate();
    let shut = tasks_at().filter(|(_, task)| closed(&task.closed));
    conditions.extend(shut.map(|(task, _)| Condition::Closed(Item::Task(task))));
    let shut = problem.objects.iter().enumerate().filter(|(_, object)| closed(&object.closed));
    conditions.extend(shut.map(|(object, _)| Condition::Closed(Item::Check(object))));
    let hurried = tasks_at().filter(|(_, task)| problem.limit(task) < problem.window);
    conditions.extend(hurried.map(|(task, _)| Condition::Until(task)));
    conditions.extend(must.map(|(object, _)| Condition::EndGood(object)));
    let limited = problem.objects.iter().enumerate().filter(|(_, object)| object.most.is_some());
    conditions.extend(limited.map(|(object, _)| Condition::Most(object)));
    conditions.extend(tasks.map(|(task, _)| Condition::Task(task)));
    conditions
}

fn relaxation(problem: &Problem, condition: Condition, nodes: u64) -> Option<Relaxation> {
    let alone = |relaxation| {
        let verdict = verdict(&without(problem, &[condition]), nodes);
        matches!(verdict, Verdict::Yes).then_some(relaxation)
    };
    match condition {
        Condition::Window => later(problem, nodes),
        Condition::Slots(owner) => slots(problem, owner, nodes),
        Condition::Closed(item) => alone(Relaxation::Closed(item)),
        Condition::Until(task) => alone(Relaxation::Until(task)),
        Condition::EndGood(object) => alone(Relaxation::EndGood(object)),
        Condition::Most(object) => longer(problem, object, nodes),
        Condition::Task(task) => alone(Relaxation::Task(task)),
    }
}

/// The least time by which all has to end later, by halving: a longer window never shuts a schedule out.
fn later(problem: &Problem, nodes: u64) -> Option<Relaxation> {
    let with = |more: i64| {
        let mut wide = problem.clone();
        wide.window += more;
        wide.checks_until += more;
        wide.horizon += more;
        wide
    };
    let (mut low, mut is_least) = (0, !is_limited(problem));
    // In this time everything can be done one after the other, unless no time is enough.
    let tasks: i64 = problem.tasks.iter().map(|task| task.takes + task.not_before).sum();
    let checks: i64 = problem.objects.iter().map(|object| object.check).sum();
    let closed = problem.tasks.iter().flat_map(|task| &task.closed);
    let closed = closed.chain(problem.objects.iter().flat_map(|object| &object.closed));
    let opens = closed.map(|(_, to)| *to).max().unwrap_or(0).max(0);
    let mut high = opens + (tasks + checks) * 2 + 1;
    if !matches!(verdict(&with(high), nodes), Verdict::Yes) {
        return None;
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match verdict(&with(middle), nodes) {
            Verdict::Yes => high = middle,
            Verdict::No => low = middle,
            Verdict::Unknown => (low, is_least) = (middle, false),
        }
    }
    Some(Relaxation::Window { later: high, is_least })
}

/// The least time for which an object has to be allowed to be exposed, by halving.
fn longer(problem: &Problem, object: usize, nodes: u64) -> Option<Relaxation> {
    let with = |most: i64| {
        let mut wide = problem.clone();
        if let Some(object) = wide.objects.get_mut(object) {
            object.most = Some(most);
        }
        verdict(&wide, nodes)
    };
    let (mut low, mut high) = (problem.objects.get(object)?.most?, problem.horizon);
    if low >= high || !matches!(with(high), Verdict::Yes) {
        return None;
    }
    let mut is_least = true;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        match with(middle) {
            Verdict::Yes => high = middle,
            Verdict::No => low = middle,
            Verdict::Unknown => (low, is_least) = (middle, false),
        }
    }
    Some(Relaxation::Most { object, most: high, is_least })
}

fn slots(problem: &Problem, owner: usize, nodes: u64) -> Option<Relaxation> {
    let now = super::at(&problem.owners, owner);
    let most = problem.objects.iter().filter(|object| object.owner == owner).count();
    let mut is_least = true;
    for slots in now + 1..=most {
        let mut wide = problem.clone();
        super::put(&mut wide.owners, owner, slots);
        match verdict(&wide, nodes) {
            Verdict::Yes => return Some(Relaxation::Slots { owner, slots, is_least }),
            Verdict::No => {}
            Verdict::Unknown => is_least = false,
        }
    }
    None
}

/// The problem without some conditions. Tasks go with the fixes of nothing but their damage.
fn without(problem: &Problem, dropped: &[Condition]) -> Problem {
    let mut wide = problem.clone();
    let mut gone = vec![false; problem.tasks.len()];
    for condition in dropped {
        match condition {
            Condition::Window => {
                wide.window += FOREVER;
                wide.checks_until += FOREVER;
                wide.horizon += FOREVER;
            }
            Condition::Slots(owner) => super::put(&mut wide.owners, *owner, problem.objects.len()),
            Condition::EndGood(object) => {
                if let Some(object) = wide.objects.get_mut(*object) {
                    object.must_end_good = false;
                }
            }
            Condition::Most(object) => {
                if let Some(object) = wide.objects.get_mut(*object) {
                    object.most = None;
                }
            }
            Condition::Closed(Item::Task(task)) => {
                if let Some(task) = wide.tasks.get_mut(*task) {
                    task.closed.clear();
                }
            }
            Condition::Closed(Item::Check(object)) => {
                if let Some(object) = wide.objects.get_mut(*object) {
                    object.closed.clear();
                }
            }
            Condition::Until(task) => {
                if let Some(task) = wide.tasks.get_mut(*task) {
                    task.until = None;
                }
            }
            Condition::Task(task) => super::put(&mut gone, *task, true),
        }
    }
    for (index, task) in problem.tasks.iter().enumerate() {
        if !task.mends.is_empty() && task.mends.iter().all(|cause| super::at(&gone, *cause)) {
            super::put(&mut gone, index, true);
        }
    }
    let mut numbers = Vec::new();
    let mut next = 0;
    for gone in &gone {
        numbers.push((!gone).then_some(next));
        next += usize::from(!gone);
    }
    let renumber =
        |tasks: &[usize]| tasks.iter().filter_map(|task| super::at(&numbers, *task)).collect();
    // A stop whose end is gone has none; nor does one begin without its begin.
    wide.stops = problem
        .stops
        .iter()
        .filter_map(|stop| {
            let from = match stop.from {
                Some(from) => Some(super::at(&numbers, from)?),
                None => None,
            };
            Some(Stop { from, to: super::at(&numbers, stop.to)?, ..*stop })
        })
        .collect();
    let kept = wide.tasks.iter().zip(&gone).filter(|(_, gone)| !**gone);
    wide.tasks = kept
        .map(|(task, _)| {
            let mut task = task.clone();
            (task.after, task.mends) = (renumber(&task.after), renumber(&task.mends));
            task
        })
        .collect();
    wide
}
