//! What must not change the best value, and what can only better it.

use dpmguard::plan::solver::problem::{Problem, Task, Written};
use dpmguard::plan::solver::value::Value;

use super::generate::{self, Dice};
use super::{answer, cases, object, task};

/// Violations, what ends bad, exposure; worse than all if nothing fits.
fn harm(problem: &Problem) -> (i64, i64, i64) {
    let best = answer(problem).best.map(|(value, _)| value);
    best.map_or((1, 0, 0), |value| (0, value.not_good, value.exposure))
}

/// With the horizon held fixed: a longer window, another slot, a shorter check or one task less never harm.
#[test]
fn more_room_and_less_work_never_harm() {
    let mut bettered = 0;
    for seed in 0..cases() / 6 {
        let mut problem = generate::tiny(seed);
        problem.horizon += 2;
        let before = harm(&problem);
        let mut others = Vec::new();
        let mut longer = problem.clone();
        longer.window += 2;
        longer.checks_until += 2;
        longer.horizon = longer.horizon.max(longer.checks_until);
        if longer.horizon == problem.horizon {
            others.push(longer);
        }
        let mut wider = problem.clone();
        wider.owners[0] += 1;
        others.push(wider);
        let mut quicker = problem.clone();
        let check = &mut quicker.objects[0].check;
        *check = (*check - 1).max(1);
        others.push(quicker);
        let last = problem.tasks.len() - 1;
        let ends = problem.stops.iter().flat_map(|stop| [stop.from, Some(stop.to)]);
        if problem.tasks[last].frees.is_empty() && !ends.into_iter().any(|end| end == Some(last)) {
            // Tasks wait for earlier ones only, so nothing waits for the last one.
            let mut fewer = problem.clone();
            fewer.tasks.pop();
            others.push(fewer);
        }
        for other in others {
            let after = harm(&other);
            assert!(after <= before, "seed {seed}: {before:?} {after:?} {other:?}");
            bettered += u64::from(after < before);
        }
    }
    assert!(bettered > 0);
}

/// Objects and tasks by other numbers, and all times doubled.
#[test]
fn names_and_units_do_not_matter() {
    for seed in 0..cases() / 6 {
        let problem = generate::tiny(seed);
        let before = answer(&problem).best.map(|(value, _)| value);
        let after = answer(&shuffled(&problem, seed)).best.map(|(value, _)| value);
        assert_eq!(before, after, "seed {seed}");
        // "Later than" is a second later, whatever the unit.
        let is_strict = |task: &Task| !task.needs_good.is_empty() || !task.mends.is_empty();
        if problem.tasks.iter().any(is_strict) {
            continue;
        }
        let twice =
            before.map(|value| Value { exposure: 2 * value.exposure, end: 2 * value.end, ..value });
        let after = answer(&doubled(&problem)).best.map(|(value, _)| value);
        assert_eq!(twice, after, "seed {seed}");
    }
}

/// All times later, and nothing possible before: what is bad at the start is so for longer, and all else is
/// as it was.
#[test]
fn a_later_opening_shifts_everything() {
    for seed in 0..cases() / 6 {
        let mut problem = generate::tiny(seed);
        problem.stops.retain(|stop| stop.from.is_some());
        let before = answer(&problem).best.map(|(value, _)| value);
        let bad = problem.objects.iter().filter(|object| object.starts_bad);
        let longer: i64 = bad.map(|object| 3 * object.weight).sum();
        let shifted = before.map(|value| Value {
            exposure: value.exposure + longer,
            end: value.end + 3,
            ..value
        });
        assert_eq!(
            answer(&later(&problem, 3)).best.map(|(value, _)| value),
            shifted,
            "seed {seed}"
        );
    }
}

fn later(problem: &Problem, by: i64) -> Problem {
    let mut other = problem.clone();
    for time in [&mut other.window, &mut other.checks_until, &mut other.horizon] {
        *time += by;
    }
    let shift = |times: &mut Vec<(i64, i64)>| {
        for (from, to) in times.iter_mut() {
            (*from, *to) = (*from + by, *to + by);
        }
    };
    for object in &mut other.objects {
        shift(&mut object.closed);
        object.closed.push((0, by));
        if object.starts_bad {
            object.most = object.most.map(|most| most + by);
        }
    }
    for task in &mut other.tasks {
        shift(&mut task.closed);
        task.not_before += by;
        task.until = task.until.map(|until| until + by);
    }
    other
}

/// Whose plan is the best one already keeps it: nothing is inserted, deleted or moved.
#[test]
fn the_best_order_is_kept_if_it_is_the_user_s() {
    let mut kept = 0;
    for seed in 0..cases() / 3 {
        let mut problem = generate::tiny(seed);
        let Some((found, schedule)) = answer(&problem).best else { continue };
        let tasks = schedule.starts.iter().enumerate().map(|(task, start)| (*start, Ok(task)));
        let checks = schedule.checks.iter().map(|check| (check.start, Err(check.object)));
        let mut order: Vec<(i64, Result<usize, usize>)> = tasks.chain(checks).collect();
        order.sort_by_key(|(start, _)| *start);
        problem.checks.clear();
        for (place, (_, item)) in order.into_iter().enumerate() {
            match item {
                Ok(task) => {
                    let task = &mut problem.tasks[task];
                    // What had no place was not kept.
                    task.is_kept &= task.place.is_some();
                    task.place = Some(place);
                }
                Err(object) => problem.checks.push(Written { object, place }),
            }
        }
        let again = answer(&problem).best.map(|(value, _)| value);
        assert_eq!(
            again,
            Some(Value { distance: 0, end: again.unwrap().end, ..found }),
            "seed {seed}"
        );
        kept += u64::from(found.distance > 0);
    }
    assert!(kept > 0);
}

fn shuffled(problem: &Problem, seed: u64) -> Problem {
    let dice = &mut Dice::new(seed);
    let mut order = |count: usize| {
        let mut numbers: Vec<usize> = (0..count).collect();
        for index in (1..count).rev() {
            numbers.swap(index, dice.pick(index + 1));
        }
        numbers
    };
    let (objects, tasks) = (order(problem.objects.len()), order(problem.tasks.len()));
    let mut other = problem.clone();
    let named = |names: &[usize], list: &mut Vec<usize>| {
        for name in list {
            *name = names[*name];
        }
    };
    for (index, about) in problem.objects.iter().enumerate() {
        other.objects[objects[index]] = about.clone();
    }
    for (index, about) in problem.tasks.iter().enumerate() {
        let mut about = about.clone();
        for list in [&mut about.breaks, &mut about.frees, &mut about.needs_good] {
            named(&objects, list);
        }
        for list in [&mut about.after, &mut about.mends] {
            named(&tasks, list);
        }
        other.tasks[tasks[index]] = about;
    }
    other.checks.iter_mut().for_each(|check| check.object = objects[check.object]);
    for stop in &mut other.stops {
        stop.object = objects[stop.object];
        stop.from = stop.from.map(|task| tasks[task]);
        stop.to = tasks[stop.to];
    }
    other
}

fn doubled(problem: &Problem) -> Problem {
    let mut other = problem.clone();
    for time in [&mut other.window, &mut other.checks_until, &mut other.horizon] {
        *time *= 2;
    }
    for object in &mut other.objects {
        object.check *= 2;
        object.most = object.most.map(|most| 2 * most);
        object.closed.iter_mut().for_each(|(from, to)| (*from, *to) = (*from * 2, *to * 2));
    }
    for task in &mut other.tasks {
        task.takes *= 2;
        task.not_before *= 2;
        task.until = task.until.map(|until| until * 2);
        task.closed.iter_mut().for_each(|(from, to)| (*from, *to) = (*from * 2, *to * 2));
    }
    other
}

/// An object that nothing touches changes nothing; two estates side by side are worth what they are alone.
#[test]
fn what_has_nothing_to_do_with_each_other_adds_up() {
    for seed in 0..cases() / 12 {
        let dice = &mut Dice::new(seed);
        let (one, other) = (estate(dice), estate(dice));
        let value = |problem: &Problem| answer(problem).best.map(|(value, _)| value);
        let mut more = one.clone();
        more.objects.push(object(3));
        assert_eq!(value(&one), value(&more), "seed {seed}");
        let both = value(&side_by_side(&one, &other));
        let sum = value(&one).zip(value(&other)).map(|(one, other)| Value {
            exposure: one.exposure + other.exposure,
            checks: one.checks + other.checks,
            distance: one.distance + other.distance,
            end: one.end.max(other.end),
            ..Value::default()
        });
        assert_eq!(both, sum, "seed {seed}");
    }
}

/// Two objects, a shared task and one of its own, carried out by people of its own: they are a lock.
fn estate(dice: &mut Dice) -> Problem {
    let own = |task: Task| Task { needs_operator: false, locks: vec![0], ..task };
    Problem {
        operators: 1,
        owners: vec![1],
        objects: vec![object(dice.from(1, 4)), object(dice.from(1, 4))],
        tasks: vec![own(task(dice.from(1, 3), &[0, 1])), own(task(dice.from(1, 3), &[0]))],
        window: 14,
        checks_until: 14,
        horizon: 14,
        ..Problem::default()
    }
}

fn side_by_side(one: &Problem, other: &Problem) -> Problem {
    let mut both = one.clone();
    let objects = one.objects.len();
    both.owners.extend(&other.owners);
    both.objects.extend(other.objects.iter().cloned().map(|mut object| {
        object.owner += 1;
        object
    }));
    both.tasks.extend(other.tasks.iter().cloned().map(|mut task| {
        task.breaks.iter_mut().for_each(|broken| *broken += objects);
        task.locks = vec![1];
        task
    }));
    both
}
