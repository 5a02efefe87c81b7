//! How often the solver proves its answer, and how far from the bound it stays where it does not.
//!
//! `cargo bench --bench solver` prints a table; with `-- --write` it also puts all of it but the seconds into
//! `benches/solver.txt`. Problems have fixed seeds and work is counted, so the file only changes with the solver.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and writes its own file"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant as Stopwatch;

use dpmguard::plan::solver::problem::{Object, Problem, Task};
use dpmguard::plan::solver::run::Facts;
use dpmguard::plan::solver::solve::bound;
use dpmguard::plan::solver::{Effort, Status, solve};

type Answer<T> = Result<T, Box<dyn Error>>;

/// Gigabytes in sixteen equal parts of a lognormal distribution around 100.
const SIZES: [i64; 16] = [27, 39, 49, 58, 66, 75, 84, 94, 105, 118, 132, 149, 172, 202, 251, 366];

/// Windows, in hundredths of the earliest end.
const WINDOWS: [i64; 5] = [90, 102, 105, 120, 200];

/// Groups, shared steps and slots.
const ROWS: &[(usize, usize, usize)] = &[
    (5, 0, 1),
    (5, 0, 4),
    (5, 1, 1),
    (5, 1, 2),
    (5, 3, 2),
    (20, 0, 2),
    (20, 1, 1),
    (20, 1, 4),
    (20, 2, 2),
    (50, 0, 4),
    (50, 1, 2),
    (200, 0, 6),
    (200, 1, 4),
];

/// What came of one row.
#[derive(Default)]
struct Row {
    by_bound: usize,
    by_search: usize,
    best: usize,
    infeasible: usize,
    open: usize,
    nodes: u64,
    /// Hundredths of a percent.
    gaps: Vec<i64>,
    slowest: f64,
}

fn main() -> Answer<()> {
    let mut out = std::io::stdout();
    let head =
        "groups  shared  slots  bound  search  best  none  open     nodes  gap mean %  gap worst %";
    writeln!(out, "{head}  slowest ms")?;
    let mut file = format!("{head}\n");
    for (groups, shared, slots) in ROWS {
        let mut row = Row::default();
        for (number, window) in WINDOWS.iter().enumerate() {
            let seed = u64::try_from(groups * 1_000 + shared * 100 + slots * 10 + number)?;
            row.add(&problem(&mut Dice(seed), *groups, *shared, *slots, *window)?)?;
        }
        let mean = row.gaps.iter().sum::<i64>() / i64::try_from(row.gaps.len().max(1))?;
        let worst = row.gaps.iter().max().copied().unwrap_or(0);
        let mut line = String::new();
        write!(
            line,
            "{groups:>6}  {shared:>6}  {slots:>5}  {:>5}  {:>6}  {:>4}  {:>4}  {:>4}  {:>8}  {:>10}  {:>11}",
            row.by_bound,
            row.by_search,
            row.best,
            row.infeasible,
            row.open,
            row.nodes,
            percent(mean),
            percent(worst),
        )?;
        writeln!(out, "{line}  {:>10.0}", row.slowest)?;
        writeln!(file, "{line}")?;
    }
    if std::env::args().any(|arg| arg == "--write") {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/solver.txt"), file)?;
    }
    Ok(())
}

fn percent(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

impl Row {
    fn add(&mut self, problem: &Problem) -> Answer<()> {
        let watch = Stopwatch::now();
        let answer = solve(problem, &Effort::default())?;
        self.slowest = self.slowest.max(watch.elapsed().as_secs_f64() * 1_000.0);
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
        Ok(())
    }
}

/// Groups with one to four steps of their own, shared steps with a fix each, and a window that is as many
/// hundredths of the earliest end.
fn problem(
    dice: &mut Dice,
    groups: usize,
    shared: usize,
    slots: usize,
    window: i64,
) -> Answer<Problem> {
    let mut problem = Problem { operators: 1, owners: vec![slots], ..Problem::default() };
    for group in 0..groups {
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
            let takes = 60 * i64::try_from(5 + dice.below(20))?;
            let after = last.filter(|_| dice.below(10) < 3).into_iter().collect();
            last = Some(problem.tasks.len());
            problem.tasks.push(step(takes, vec![group], after));
        }
    }
    for _ in 0..shared {
        let index = problem.tasks.len();
        let broken: Vec<usize> =
            (0..groups).filter(|_| shared == 1 || dice.below(10) < 7).collect();
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
    Ok(problem)
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
