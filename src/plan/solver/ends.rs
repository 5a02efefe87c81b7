//! When everything is over at the earliest.

use super::at;
use super::bound::{Certificate, Part, Rest, Rule, Summand};
use super::count;
use super::run::opening;

/// The earliest ends: of the tasks, and of the checks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// When the last task is over.
    pub tasks: Certificate,
    /// When the last check is over.
    pub checks: Certificate,
}

/// When the tasks and the checks that are left are over at the earliest, none of them before now, each as
/// a sum.
#[must_use]
pub fn ends(rest: &Rest, now: i64) -> Ends {
    let begins = begins(rest, now);
    let work_left =
        Summand { part: Part::Work, amount: rest.load(rest.tasks().map(|(_, task)| task)) };
    let passed = Summand { part: Part::Now, amount: now };
    let mut tasks = vec![vec![passed, work_left]];
    let mut checks = Vec::new();
    for (index, task) in rest.tasks() {
        let begin = Summand { part: Part::Begin(index), amount: at(&begins, index) };
        tasks.push(vec![begin, Summand { part: Part::Lead(index), amount: task.takes }]);
        let group: Vec<usize> =
            task.breaks.iter().copied().filter(|object| at(rest.sure, *object)).collect();
        if group.is_empty() {
            continue;
        }
        let lead = Summand { part: Part::Lead(index), amount: rest.lead(index, &group) };
        checks.push([vec![begin, lead], vec![work(rest, &group)]].concat());
    }
    for object in (0..rest.problem.objects.len()).filter(|object| rest.needs_check(*object)) {
        checks
            .push(vec![passed, Summand { part: Part::Object(object), amount: rest.alone(object) }]);
        checks.extend(shut_out(rest, object, now));
    }
    let open: Vec<usize> =
        (0..rest.problem.objects.len()).filter(|object| rest.needs_check(*object)).collect();
    if !open.is_empty() {
        checks.push(vec![passed, work(rest, &open)]);
        let breaking = rest
            .tasks()
            .map(|(_, task)| task)
            .filter(|task| task.breaks.iter().any(|object| at(rest.sure, *object)));
        let shortest =
            open.iter().filter_map(|object| Some((rest.object(*object)?.check, *object))).min();
        let amount = rest.load(breaking);
        if let (true, Some((check, object))) = (amount > 0, shortest) {
            let check = Summand { part: Part::Check(object), amount: check };
            checks.push(vec![passed, Summand { part: Part::Work, amount }, check]);
        }
    }
    Ends { tasks: greatest(tasks), checks: greatest(checks) }
}

/// When the check of an object that has closed times is over: what comes before it, and the wait until it
/// can begin.
fn shut_out(rest: &Rest, object: usize, now: i64) -> Option<Vec<Summand>> {
    let about = rest.object(object).filter(|about| !about.closed.is_empty())?;
    let before = rest.alone(object) - about.check;
    let wait = opening(about.check, now + before, &about.closed) - now - before;
    Some(vec![
        Summand { part: Part::Now, amount: now },
        Summand { part: Part::Before(object), amount: before },
        Summand { part: Part::Closed(object), amount: wait },
        Summand { part: Part::Check(object), amount: about.check },
    ])
}

/// The task that, from its earliest begin on, is over after its own limit; with what it adds up to.
#[must_use]
pub(super) fn too_late(rest: &Rest) -> Option<(Certificate, i64)> {
    let begins = begins(rest, 0);
    let mut late = rest.tasks().filter_map(|(index, task)| {
        let begin = Summand { part: Part::Begin(index), amount: at(&begins, index) };
        let takes = Summand { part: Part::Lead(index), amount: task.takes };
        let limit = rest.problem.limit(task);
        (begin.amount + takes.amount > limit).then_some((greatest(vec![vec![begin, takes]]), limit))
    });
    late.next()
}

fn greatest(sums: Vec<Vec<Summand>>) -> Certificate {
    let sums = sums.into_iter().map(|mut summands| {
        summands.retain(|summand| summand.amount != 0);
        Certificate::new(Rule::Alone, summands)
    });
    sums.max_by_key(|sum| sum.total).unwrap_or_default()
}

/// The time in which the checks of a group can run, from the first begin to the last end: the longest of
/// them, or all of an owner's on its slots.
fn work(rest: &Rest, group: &[usize]) -> Summand {
    let objects = || group.iter().filter_map(|object| Some((*object, rest.object(*object)?)));
    let longest =
        objects().map(|(index, object)| Summand { part: Part::Check(index), amount: object.check });
    let owners = rest.problem.owners.iter().enumerate().map(|(owner, slots)| {
        let members = objects().filter(|(_, object)| object.owner == owner);
        let sum: i64 = members.map(|(_, object)| object.check).sum();
        let slots = count((*slots).max(1));
        Summand { part: Part::Queue(owner), amount: (sum + slots - 1) / slots }
    });
    let all = longest.chain(owners).max_by_key(|summand| summand.amount);
    all.unwrap_or(Summand { part: Part::Work, amount: 0 })
}

/// The earliest begin of each task: its own, and the longest chain of what it waits for, none of it in
/// closed times.
fn begins(rest: &Rest, now: i64) -> Vec<i64> {
    let tasks = &rest.problem.tasks;
    let first = |index: usize, from: i64| {
        let task = tasks.get(index);
        task.map_or(from, |task| opening(task.takes, from.max(task.not_before), &task.closed))
    };
    let mut begins: Vec<i64> = (0..tasks.len()).map(|task| first(task, now)).collect();
    for _ in 0..tasks.len() {
        let before = begins.clone();
        for (index, begin) in begins.iter_mut().enumerate() {
            for other in rest.facts.before.get(index).into_iter().flatten() {
                let takes = rest.task(*other).map_or(0, |task| task.takes);
                *begin = (*begin).max(if takes > 0 { at(&before, *other) + takes } else { now });
            }
            let any = tasks.get(index).map_or(&[][..], |task| task.any_of());
            let over = any.iter().map(|other| {
                rest.task(*other).map_or(now, |task| at(&before, *other) + task.takes)
            });
            *begin = first(index, over.min().unwrap_or(now).max(*begin));
        }
        if begins == before {
            break;
        }
    }
    begins
}
