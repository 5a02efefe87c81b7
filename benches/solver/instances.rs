//! Problems with fixed seeds, and a table of what came of them; the bench and a test share both.

use dpmguard::plan::solver::problem::{Object, Problem, Task};
use dpmguard::plan::solver::run::Facts;
use dpmguard::plan::solver::solve::bound;
use dpmguard::plan::solver::{Answer, Status};

/// Gigabytes in sixteen equal parts of a lognormal distribution around 100.
const SIZES: [i64; 16] = [27, 39, 49, 58, 66, 75, 84, 94, 105, 118, 132, 149, 172, 202, 251, 366];

/// Windows, in hundredths of the earliest end.
const WINDOWS: [i64; 6] = [90, 100, 102, 105, 120, 200];

/// What the problems of one row have in common.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) groups: usize,
    pub(crate) shared: usize,
    pub(crate) slots: usize,
}

const fn setup(groups: usize, shared: usize, slots: usize) -> Setup {
    Setup { groups, shared, slots }
}

/// All rows.
pub(crate) const SETUPS: &[Setup] = &[
    setup(3, 0, 1),
    setup(3, 1, 1),
    setup(3, 1, 2),
    setup(3, 2, 2),
    setup(5, 0, 1),
    setup(5, 0, 4),
    setup(5, 1, 1),
    setup(5, 1, 2),
    setup(5, 3, 2),
    setup(20, 0, 2),
    setup(20, 1, 1),
    setup(20, 1, 4),
    setup(20, 1, 8),
    setup(20, 2, 2),
    setup(50, 0, 4),
    setup(50, 1, 2),
    setup(200, 0, 1),
    setup(200, 0, 6),
    setup(200, 1, 4),
    setup(200, 1, 8),
];

/// The first line of the table.
pub(crate) const HEAD: &str =
    "groups  shared  slots  bound  search  best  none  open     nodes  gap mean %  gap worst %";

/// What came of one row.
#[derive(Default)]
pub(crate) struct Row {
    by_bound: usize,
    by_search: usize,
    best: usize,
    infeasible: usize,
    open: usize,
    nodes: u64,
    /// Hundredths of a percent.
    gaps: Vec<i64>,
}

impl Row {
    /// Takes one more answer into account.
    pub(crate) fn add(&mut self, answer: &Answer) {
        match answer.status {
            Status::ProvenByBound => self.by_bound += 1,
            Status::ProvenBySearch { nodes } => {
                self.by_search += 1;
                self.nodes += nodes;
            }
            Status::BestFound { gap } => {
                self.best += 1;
                self.gaps.push(gap * 10_000 / answer.bound.value.exposure.max(1));
            }
            Status::InfeasibleProven { .. } => self.infeasible += 1,
            Status::NotFound => self.open += 1,
        }
    }

    /// A line of the table.
    pub(crate) fn line(&self, setup: &Setup) -> String {
        let Setup { groups, shared, slots } = setup;
        let gaps = i64::try_from(self.gaps.len().max(1)).unwrap_or(1);
        let percent = |hundredths: i64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
        format!(
            "{groups:>6}  {shared:>6}  {slots:>5}  {:>5}  {:>6}  {:>4}  {:>4}  {:>4}  {:>8}  {:>10}  {:>11}",
            self.by_bound,
            self.by_search,
            self.best,
            self.infeasible,
            self.open,
            self.nodes,
            percent(self.gaps.iter().sum::<i64>() / gaps),
            percent(self.gaps.iter().max().copied().unwrap_or(0)),
        )
    }
}

/// The problems of a row, one for each window.
pub(crate) fn problems(setup: &Setup) -> Vec<Problem> {
    let Setup { groups, shared, slots } = *setup;
    let number = |number: usize| groups * 1_000 + shared * 100 + slots * 10 + number;
    let seed = |window: usize| u64::try_from(number(window)).unwrap_or(0);
    let windows = WINDOWS.iter().enumerate();
    windows.map(|(index, window)| problem(&mut Dice(seed(index)), setup, *window)).collect()
}

/// Groups with one to four steps of their own, shared steps with a fix each, and a window that is as many
/// hundredths of the earliest end.
fn problem(dice: &mut Dice, setup: &Setup, window: i64) -> Problem {
    let mut problem = Problem { operators: 1, owners: vec![setup.slots], ..Problem::default() };
    for group in 0..setup.groups {
        // 100 GB an hour.
        let size = SIZES.get(dice.below(SIZES.len())).copied().unwrap_or(100);
        let starts_bad = dice.below(100) < 5;
        let check = size * 36;
        problem.objects.push(Object {
            check,
            weight: 1,
            starts_bad,
            must_end_good: true,
            ..Object::default()
        });
        let mut last = None;
        for _ in 0..=dice.below(4) {
            let takes = 60 * i64::try_from(5 + dice.below(20)).unwrap_or(5);
            let after = last.filter(|_| dice.below(10) < 3).into_iter().collect();
            last = Some(problem.tasks.len());
            problem.tasks.push(step(takes, vec![group], after));
        }
    }
    for _ in 0..setup.shared {
        let index = problem.tasks.len();
        let broken: Vec<usize> =
            (0..setup.groups).filter(|_| setup.shared == 1 || dice.below(10) < 7).collect();
        problem.tasks.push(step(1_800, broken.clone(), Vec::new()));
        problem.tasks.push(Task {
            takes: 600,
            needs_operator: true,
            frees: broken,
            mends: vec![index],
            ..Task::default()
        });
    }
    let places = 0..problem.tasks.len();
    for (task, place) in problem.tasks.iter_mut().zip(places) {
        task.place = task.frees.is_empty().then_some(place);
    }
    problem.horizon = i64::MAX / 1_000_000_000;
    let ends = bound(&problem, &Facts::new(&problem), true).value.end;
    problem.window = ends * window / 100;
    (problem.checks_until, problem.horizon) = (problem.window, problem.window);
    problem
}

fn step(takes: i64, breaks: Vec<usize>, after: Vec<usize>) -> Task {
    Task { takes, needs_operator: true, breaks, after, ..Task::default() }
}

/// Numbers that look random, the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ word >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^= word >> 31;
        let count = u64::try_from(count.max(1)).unwrap_or(1);
        usize::try_from(word % count).unwrap_or(0)
    }
}
