//! The solver against an oracle that tries out everything, and problems whose answers are known.

mod generate;
mod oracle;

use dpmguard::plan::repair::problem::{Object, Problem, Task};
use dpmguard::plan::repair::run::{Facts, Item, run};
use dpmguard::plan::repair::timing;
use dpmguard::plan::repair::value::{Value, moved, value};

/// How many problems are solved; `DPMGUARD_SOLVER_CASES` names another number.
fn cases() -> u64 {
    std::env::var("DPMGUARD_SOLVER_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(600)
}

/// An object in a list of equals: one owner, weight one, must end good.
fn object(check: i64) -> Object {
    Object { check, weight: 1, must_end_good: true, ..Object::default() }
}

fn task(takes: i64, breaks: &[usize]) -> Task {
    Task { takes, needs_operator: true, breaks: breaks.to_vec(), ..Task::default() }
}

/// Starting everything early is wrong, and so are checks early and tasks late (plans, T5).
#[test]
fn the_best_times_of_an_order_are_found() {
    let mut problem = Problem {
        operators: 1,
        owners: vec![2],
        objects: vec![object(200), object(10), object(100)],
        tasks: vec![task(1, &[0, 1])],
        window: 1_000,
        checks_until: 1_000,
        horizon: 1_000,
        ..Problem::default()
    };
    // The third one takes a slot until 100.
    (problem.objects[2].starts_bad, problem.objects[2].weight) = (true, 0);
    let facts = Facts::new(&problem);
    let order = [Item::Check(2), Item::Task(0), Item::Check(0), Item::Check(1)];
    let run = run(&problem, &facts, &order);
    let early = value(&problem, &run.schedule(&run.early()));
    assert_eq!(early.exposure, 201 + 110);
    let best = timing::best(&run, &[1, 1, 0], problem.horizon).unwrap();
    let best = value(&problem, &run.schedule(&best));
    assert_eq!(
        best,
        Value { exposure: 201 + 11, checks: 3, distance: 4, end: 300, ..Value::default() }
    );
}

#[test]
fn what_is_moved_is_all_but_the_longest_increasing_subsequence() {
    assert_eq!(moved(&[]), 0);
    assert_eq!(moved(&[1, 2, 3]), 0);
    assert_eq!(moved(&[2, 5, 4, 1, 3, 6]), 3);
    assert_eq!(moved(&[3, 2, 1]), 2);
}

/// No order, run and timed, is worth more than the oracle's least; what fits breaks no condition.
#[test]
fn what_is_run_and_timed_is_never_better_than_the_oracle_says() {
    let mut whole = 0;
    for seed in 0..cases() {
        let problem = generate::tiny(seed);
        problem.validate().unwrap();
        let facts = Facts::new(&problem);
        let tasks = (0..problem.tasks.len()).map(Item::Task);
        let order: Vec<Item> = tasks.chain((0..problem.objects.len()).map(Item::Check)).collect();
        let run = run(&problem, &facts, &order);
        let is_whole = run.open().all(|open| !problem.objects[open.object].must_end_good)
            && (0..problem.tasks.len()).all(|task| run.line_of(task).is_some());
        if !is_whole {
            continue;
        }
        whole += 1;
        let weights: Vec<i64> = problem.objects.iter().map(|object| object.weight).collect();
        let early = value(&problem, &run.schedule(&run.early()));
        let best = timing::best(&run, &weights, problem.horizon).unwrap();
        let best = value(&problem, &run.schedule(&best));
        assert_eq!((early.violations, best.violations), (0, 0), "seed {seed}");
        assert!(best.exposure <= early.exposure, "seed {seed}");
        let least = oracle::least(&problem, true).unwrap();
        assert!(least <= best, "seed {seed}: {least:?} {best:?}");
    }
    assert!(whole > cases() / 4, "{whole}");
}
