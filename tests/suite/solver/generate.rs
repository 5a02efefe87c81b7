//! Problems with a fixed seed.

use dpmguard::plan::solver::problem::{Object, Problem, Stop, Task, Written};

/// Numbers that look random, the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ word >> 31
    }

    /// A number from the first to the last, both among them.
    pub(crate) fn from(&mut self, first: i64, last: i64) -> i64 {
        first + i64::try_from(self.next() % (last - first + 1).unsigned_abs()).unwrap()
    }

    pub(crate) fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }
}

/// A problem that the oracle can look at in all its states.
pub(crate) fn tiny(seed: u64) -> Problem {
    let dice = &mut Dice::new(seed);
    let owners: Vec<usize> =
        (0..if dice.chance(15) { 2 } else { 1 }).map(|_| 1 + dice.pick(2)).collect();
    let window = dice.from(5, 12);
    let checks_until = window + if dice.chance(40) { dice.from(1, 4) } else { 0 };
    let is_weighted = dice.chance(30);
    let must = dice.chance(70);
    let objects: Vec<Object> = (0..=dice.pick(3))
        .map(|_| Object {
            owner: dice.pick(owners.len()),
            check: dice.from(1, 4),
            weight: if is_weighted { dice.from(1, 3) } else { 1 },
            starts_bad: dice.chance(12),
            must_end_good: must || dice.chance(50),
            uses: if dice.chance(20) { vec![0] } else { Vec::new() },
            ..Object::default()
        })
        .collect();
    let tasks: Vec<Task> =
        (0..=dice.pick(4)).map(|index| task(dice, index, objects.len())).collect();
    let mut problem = Problem {
        operators: if dice.chance(20) { 2 } else { 1 },
        owners,
        objects,
        tasks,
        checks: Vec::new(),
        window,
        checks_until,
        horizon: checks_until + dice.from(0, 3),
        stops: Vec::new(),
    };
    places(dice, &mut problem);
    hours(dice, &mut problem);
    stops(dice, &mut problem);
    let more = &mut Dice::new(!seed);
    mending(more, &mut problem);
    halts(more, &mut problem);
    if more.chance(15) {
        for object in &mut problem.objects {
            object.most = more.chance(50).then(|| object.check + more.from(0, 6));
        }
    }
    if problem.validate().is_err() {
        // What is kept contradicts what comes after what.
        problem.tasks.iter_mut().for_each(|task| task.is_kept = false);
    }
    problem
}

fn task(dice: &mut Dice, index: usize, objects: usize) -> Task {
    let is_fix = index > 0 && dice.chance(20);
    let earlier = |dice: &mut Dice, percent: u64| -> Vec<usize> {
        if index > 0 && dice.chance(percent) { vec![dice.pick(index)] } else { Vec::new() }
    };
    let mut task = Task {
        takes: dice.from(1, 3),
        needs_operator: dice.chance(92),
        after: earlier(dice, 20),
        not_before: if dice.chance(12) { dice.from(1, 4) } else { 0 },
        locks: if dice.chance(10) { vec![0] } else { Vec::new() },
        uses: if dice.chance(10) { vec![0] } else { Vec::new() },
        is_kept: dice.chance(15),
        ..Task::default()
    };
    let some: Vec<usize> = match dice.pick(10) {
        0 => Vec::new(),
        1..=4 => vec![dice.pick(objects)],
        _ => (0..objects).filter(|_| dice.chance(80)).collect(),
    };
    if is_fix {
        task.frees = some;
        task.mends = earlier(dice, 85);
    } else {
        task.breaks = some;
        task.needs_good = if dice.chance(8) { vec![dice.pick(objects)] } else { Vec::new() };
    }
    task
}

/// Closed times and limits, in some problems.
fn hours(dice: &mut Dice, problem: &mut Problem) {
    let mut closed = |percent| -> Vec<(i64, i64)> {
        let times = if dice.chance(percent) { 1 + dice.pick(2) } else { 0 };
        let spans = (0..times).map(|_| (dice.from(-1, 8), dice.from(1, 4)));
        spans.map(|(from, length)| (from, from + length)).collect()
    };
    if problem.window % 2 == 0 {
        problem.tasks.iter_mut().for_each(|task| task.closed = closed(20));
        problem.objects.iter_mut().for_each(|object| object.closed = closed(20));
    }
    for task in &mut problem.tasks {
        if dice.chance(15) {
            task.until = Some(task.takes + dice.from(0, problem.window));
        }
    }
}

/// Times in which no backup of an object can be made, in some problems.
fn stops(dice: &mut Dice, problem: &mut Problem) {
    if !dice.chance(20) {
        return;
    }
    for object in 0..problem.objects.len() {
        if !dice.chance(60) {
            continue;
        }
        let to = dice.pick(problem.tasks.len());
        let from = if to > 0 && dice.chance(80) { Some(dice.pick(to)) } else { None };
        problem.stops.push(Stop { object, from, to });
    }
}

/// Tasks that stop an object while they run, in some problems.
fn halts(dice: &mut Dice, problem: &mut Problem) {
    if !dice.chance(15) {
        return;
    }
    for task in 0..problem.tasks.len() {
        if dice.chance(50) {
            let object = dice.pick(problem.objects.len());
            problem.stops.push(Stop { object, from: Some(task), to: task });
        }
    }
}

/// A fix of the damage of several tasks as the last one, in some problems.
fn mending(dice: &mut Dice, problem: &mut Problem) {
    let Some((last, earlier)) = problem.tasks.split_last_mut() else { return };
    if earlier.len() < 2 || !dice.chance(30) {
        return;
    }
    last.mends = (0..earlier.len()).filter(|_| dice.chance(80)).collect();
    last.mends_any = dice.chance(60);
    let is_broken =
        |object: &usize| last.mends.iter().any(|cause| earlier[*cause].breaks.contains(object));
    let broken = (0..problem.objects.len()).filter(is_broken);
    last.frees = broken.filter(|_| dice.chance(85)).collect();
    (last.breaks, last.needs_good) = (Vec::new(), Vec::new());
}

/// The user's own order: most tasks, some checks.
fn places(dice: &mut Dice, problem: &mut Problem) {
    let mut places: Vec<usize> = (0..problem.tasks.len() + problem.objects.len()).collect();
    if dice.chance(60) {
        for index in (1..places.len()).rev() {
            places.swap(index, dice.pick(index + 1));
        }
    }
    let mut places = places.into_iter();
    for task in &mut problem.tasks {
        task.place = places.next().filter(|_| !task.frees.is_empty() || dice.chance(90));
    }
    for (object, place) in places.enumerate() {
        if dice.chance(25) {
            problem.checks.push(Written { object, place });
        }
    }
}
