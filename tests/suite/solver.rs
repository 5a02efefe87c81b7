//! The solver against an oracle that tries out everything, and problems whose answers are known.

mod figures;
mod fixes;
mod generate;
mod goals;
mod oracle;
mod same;

use dpmguard::plan::solver::problem::{Object, Problem, Task, Written};
use dpmguard::plan::solver::relax::{Condition, Relaxation};
use dpmguard::plan::solver::run::{Facts, Item, run};
use dpmguard::plan::solver::value::{Value, moved, value};
use dpmguard::plan::solver::{Answer, Effort, Status, solve, timing};

/// How many problems are solved; `DPMGUARD_SOLVER_CASES` names another number.
fn cases() -> u64 {
    std::env::var("DPMGUARD_SOLVER_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(600)
}

fn answer(problem: &Problem) -> Answer {
    solve(problem, &Effort::default()).unwrap()
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

/// The answer is the oracle's on every level that it says is proven, it is proven on all of them, no bound
/// is above it, and what is proven not to be possible is so for the oracle too.
#[test]
fn small_problems_are_solved_as_the_oracle_solves_them() {
    let (mut solved, mut by_search, mut infeasible, mut stopped, mut any) = (0, 0, 0, 0, 0);
    let (mut limited, mut unsure) = (0, 0);
    for seed in 0..cases() {
        let problem = generate::tiny(seed);
        let answer = answer(&problem);
        let least = oracle::least(&problem);
        if matches!(answer.status, Status::BestFound { .. } | Status::NotFound)
            && problem.objects.iter().any(|object| object.most.is_some())
        {
            // An order in which an object is bad several times has more times than are tried.
            let found = answer.best.map(|(value, _)| value);
            assert!(found.is_none_or(|found| least.unwrap() <= found), "seed {seed}");
            unsure += 1;
            continue;
        }
        let Some((found, schedule)) = &answer.best else {
            assert!(
                matches!(answer.status, Status::InfeasibleProven { .. }),
                "seed {seed}: {answer:?}"
            );
            assert_eq!(least, None, "seed {seed}");
            infeasible += 1;
            continue;
        };
        assert_eq!(answer.proven, 6, "seed {seed}: {answer:?}");
        assert_eq!(least, Some(*found), "seed {seed}");
        assert_eq!(value(&problem, schedule), *found, "seed {seed}");
        let bound = answer.bound.value;
        let pairs = [
            (bound.exposure, found.exposure),
            (bound.checks, found.checks),
            (bound.distance, found.distance),
            (bound.end, found.end),
        ];
        assert!(
            pairs.iter().all(|(bound, found)| bound <= found),
            "seed {seed}: {bound:?} {found:?}"
        );
        let parts = answer.bound.exposure.summands.iter().map(|summand| summand.amount);
        assert_eq!(parts.sum::<i64>(), bound.exposure, "seed {seed}");
        match answer.status {
            Status::ProvenByBound => {
                assert_eq!((bound.exposure, bound.checks), (found.exposure, found.checks));
            }
            Status::ProvenBySearch { .. } => by_search += 1,
            status => panic!("seed {seed}: {status:?}"),
        }
        solved += 1;
        stopped += u64::from(!problem.stops.is_empty());
        limited += u64::from(problem.objects.iter().any(|object| object.most.is_some()));
        any += u64::from(problem.tasks.iter().any(|task| !task.any_of().is_empty()));
    }
    let all = cases();
    assert!(
        solved > all / 2 && by_search > all / 20 && infeasible > all / 10 && stopped > all / 20,
        "{solved} {by_search} {infeasible} {stopped}"
    );
    assert!(any > all / 60 && limited > all / 60 && unsure < all / 60, "{any} {limited} {unsure}");
}

/// What is said to help does, and a second less of the window does not.
#[test]
fn what_would_help_is_the_least_that_does() {
    let mut kinds = [0; 7];
    for seed in 0..cases() / 5 {
        let problem = generate::tiny(seed);
        let Status::InfeasibleProven { core } = answer(&problem).status else { continue };
        let is_limited = problem.objects.iter().any(|object| object.most.is_some());
        assert!(core.is_minimal || is_limited, "seed {seed}");
        for relaxation in &core.relaxations {
            match *relaxation {
                Relaxation::Window { later, is_least } => {
                    let with = |more: i64| {
                        let mut wide = problem.clone();
                        wide.window += more;
                        wide.checks_until += more;
                        wide.horizon += more;
                        oracle::least(&wide)
                    };
                    if later > 5 || (is_limited && !is_least) {
                        continue;
                    }
                    assert!(
                        is_least && with(later).is_some() && with(later - 1).is_none(),
                        "seed {seed}"
                    );
                    kinds[0] += 1;
                }
                Relaxation::Slots { owner, slots, is_least } => {
                    let with = |slots: usize| {
                        let mut wide = problem.clone();
                        wide.owners[owner] = slots;
                        oracle::least(&wide)
                    };
                    assert!(
                        is_least && with(slots).is_some() && with(slots - 1).is_none(),
                        "seed {seed}"
                    );
                    kinds[1] += 1;
                }
                Relaxation::EndGood(object) => {
                    let mut wide = problem.clone();
                    wide.objects[object].must_end_good = false;
                    assert!(oracle::least(&wide).is_some(), "seed {seed}");
                    kinds[2] += 1;
                }
                Relaxation::Most { object, most, is_least } => {
                    let with = |most: i64| {
                        let mut wide = problem.clone();
                        wide.objects[object].most = Some(most);
                        oracle::least(&wide)
                    };
                    assert!(with(most).is_some(), "seed {seed}");
                    assert!(!is_least || with(most - 1).is_none(), "seed {seed}");
                    kinds[6] += i32::from(is_least);
                }
                Relaxation::Closed(item) => {
                    let mut wide = problem.clone();
                    match item {
                        Item::Task(task) => wide.tasks[task].closed.clear(),
                        Item::Check(object) => wide.objects[object].closed.clear(),
                    }
                    assert!(oracle::least(&wide).is_some(), "seed {seed}");
                    kinds[4] += 1;
                }
                Relaxation::Until(task) => {
                    let mut wide = problem.clone();
                    wide.tasks[task].until = None;
                    assert!(oracle::least(&wide).is_some(), "seed {seed}");
                    kinds[5] += 1;
                }
                Relaxation::Task(_) => kinds[3] += 1,
            }
        }
    }
    assert!(kinds.iter().all(|count| *count > 0), "{kinds:?}");
}

/// The worked example of the plans, in minutes: three objects, a shared step with two fixes, one slot.
fn worked(window: i64, slots: usize) -> Problem {
    let at = |task: Task, place: usize| Task { place: Some(place), ..task };
    let fix = |takes| Task { frees: vec![0, 1, 2], mends: vec![3], ..task(takes, &[]) };
    Problem {
        operators: 1,
        owners: vec![slots],
        objects: vec![object(108), object(36), object(180)],
        tasks: vec![
            at(task(10, &[0]), 0),
            at(task(10, &[1]), 1),
            at(task(40, &[0]), 2),
            Task { is_kept: true, ..at(task(30, &[0, 1, 2]), 3) },
            Task { after: vec![1], ..at(task(5, &[1]), 4) },
            fix(10),
            fix(5),
        ],
        checks: vec![Written { object: 0, place: 5 }],
        window,
        checks_until: window,
        horizon: window,
        stops: Vec::new(),
    }
}

#[test]
fn the_worked_example_has_its_numbers() {
    let exposure = |window, slots| {
        let answer = answer(&worked(window, slots));
        (answer.best.map(|(value, _)| (value.exposure, value.end)), answer.status)
    };
    let found = answer(&worked(390, 1));
    // Two fixes and two checks inserted, three of six steps moved.
    let value = Value { exposure: 726, checks: 3, distance: 7, end: 384, ..Value::default() };
    assert_eq!(found.best.as_ref().map(|(value, _)| *value), Some(value));
    assert!(matches!(found.status, Status::ProvenBySearch { nodes: 1.. }), "{:?}", found.status);
    assert_eq!((found.proven, found.bound.value.exposure), (6, 639));
    assert_eq!(exposure(369, 1).0.unwrap().1, 369);
    assert!(matches!(exposure(368, 1).1, Status::InfeasibleProven { .. }));
    // The least exposure needs until 398.
    assert_ne!(exposure(397, 1).0.unwrap().0, 682);
    for window in [398, 405, 1_000] {
        assert_eq!(exposure(window, 1).0.unwrap(), (682, 398));
    }
    assert_eq!(exposure(390, 2).0.unwrap(), (524, 240));

    let Status::InfeasibleProven { core } = answer(&worked(360, 1)).status else { panic!() };
    let good = [0, 1, 2].map(Condition::EndGood);
    let members =
        [&[Condition::Window, Condition::Slots(0)], &good[..], &[Condition::Task(3)]].concat();
    assert_eq!((core.members, core.is_minimal), (members, true));
    let help = [
        Relaxation::Window { later: 9, is_least: true },
        Relaxation::Slots { owner: 0, slots: 2, is_least: true },
        Relaxation::EndGood(0),
        Relaxation::EndGood(1),
        Relaxation::EndGood(2),
        Relaxation::Task(3),
    ];
    assert_eq!(core.relaxations, help);
}

/// A tolerance gives away no more than it says, for a value that is no worse in what comes behind.
#[test]
fn a_tolerance_buys_fewer_checks_or_a_familiar_order() {
    let mut gains = 0;
    for seed in 0..cases() / 4 {
        let problem = generate::tiny(seed);
        let exact = answer(&problem);
        let loose = solve(&problem, &Effort { seconds: 3, ..Effort::default() }).unwrap();
        let (Some((exact, _)), Some((loose, _))) = (exact.best, loose.best) else { continue };
        assert_eq!((exact.violations, exact.not_good), (loose.violations, loose.not_good));
        assert!(
            exact.exposure <= loose.exposure && loose.exposure <= exact.exposure + 3,
            "seed {seed}"
        );
        let rest = |value: &Value| (value.checks, value.distance);
        assert!(rest(&loose) <= rest(&exact), "seed {seed}: {loose:?} {exact:?}");
        gains += u64::from(rest(&loose) < rest(&exact));
    }
    assert!(gains > 0);
}

/// A spent budget proves nothing.
#[test]
fn a_spent_budget_is_never_a_proof() {
    for seed in 0..cases() / 4 {
        let problem = generate::tiny(seed);
        let short = solve(&problem, &Effort { budget: 20, ..Effort::default() }).unwrap();
        let whole = answer(&problem);
        match short.status {
            Status::InfeasibleProven { .. } => assert!(whole.best.is_none(), "seed {seed}"),
            Status::BestFound { gap } => {
                let exposure = whole.best.unwrap().0.exposure;
                let found = short.best.unwrap().0;
                assert!(found.not_good > 0 || found.exposure - gap <= exposure, "seed {seed}");
            }
            Status::NotFound => assert_eq!(short.best, None),
            Status::ProvenByBound | Status::ProvenBySearch { .. } => {
                let level = |answer: &Answer| {
                    answer.best.as_ref().map(|(value, _)| (value.exposure, value.checks))
                };
                assert_eq!(level(&short), level(&whole), "seed {seed}");
            }
        }
    }
}
