//! Fixes of the damage of several tasks.

use dpmguard::plan::solver::bound::{Part, Rule};
use dpmguard::plan::solver::problem::{Problem, Stop, Task};
use dpmguard::plan::solver::relax::{Condition, Relaxation};
use dpmguard::plan::solver::{Answer, Status};

use super::{answer, object, task};

/// Two objects, each with a task of its own, and a fix without which no check is of use.
fn two(mends_any: bool) -> Problem {
    let fix = Task { frees: vec![0, 1], mends: vec![0, 1], mends_any, ..task(5, &[]) };
    Problem {
        operators: 1,
        owners: vec![1],
        objects: vec![object(20), object(20)],
        tasks: vec![task(10, &[0]), task(10, &[1]), fix],
        window: 100,
        checks_until: 100,
        horizon: 100,
        ..Problem::default()
    }
}

fn starts(answer: &Answer) -> Vec<i64> {
    answer.best.as_ref().unwrap().1.starts.clone()
}

/// The second task waits for the fix and then for the slot.
#[test]
fn what_comes_behind_a_fix_of_any_is_not_mended_again() {
    let answer = answer(&two(true));
    assert_eq!(answer.status, Status::ProvenByBound);
    assert_eq!(answer.best.as_ref().unwrap().0.exposure, 35 + 30);
    assert!(matches!(answer.bound.exposure.rule, Rule::FirstMended(0 | 1)));
    let starts = starts(&answer);
    let first = starts[0].min(starts[1]);
    assert_eq!((starts[2], starts[0].max(starts[1])), (first + 10, first + 25));
}

/// Both tasks are waited for: 10 for the first object, 20 for both, and so on.
#[test]
fn a_fix_of_all_waits_and_the_bound_adds_that_up() {
    let answer = answer(&two(false));
    assert_eq!(answer.status, Status::ProvenByBound);
    assert_eq!(answer.best.as_ref().unwrap().0.exposure, 100);
    let bound = &answer.bound.exposure;
    assert_eq!(bound.rule, Rule::Mended(2));
    let parts: Vec<(Part, i64)> =
        bound.summands.iter().map(|summand| (summand.part, summand.amount)).collect();
    let expected = [
        (Part::Tail(0), 10),
        (Part::Tail(1), 10 * 2),
        (Part::Mending(2), 5 * 2),
        (Part::Queue(0), 20 + 40),
    ];
    assert_eq!(parts, expected);
}

/// A fix that has nothing to begin with waits for itself.
#[test]
fn a_fix_before_all_that_it_mends_is_a_circle() {
    let mut problem = two(true);
    problem.tasks[0].after = vec![2];
    assert_eq!(problem.validate(), Ok(()));
    assert_eq!(starts(&answer(&problem)).iter().min(), Some(&starts(&answer(&problem))[1]));
    problem.tasks[1].after = vec![2];
    assert!(problem.validate().is_err());
}

/// What no task breaks is without backups while each of two tasks runs, however they lie.
#[test]
fn a_task_can_stop_an_object_while_it_runs() {
    let mut problem = two(false);
    problem.objects.push(object(5));
    problem.stops = [0, 1].map(|task| Stop { object: 2, from: Some(task), to: task }).to_vec();
    let answer = answer(&problem);
    assert_eq!(answer.status, Status::ProvenByBound);
    assert_eq!(answer.best.as_ref().unwrap().0.exposure, 100 + 20);
}

/// What comes first waits for the fix as well; neither may for so long.
#[test]
fn an_object_that_would_be_bad_for_too_long_is_named() {
    let mut problem = two(true);
    problem.objects[0].most = Some(34);
    let second = answer(&problem);
    assert_eq!(second.best.as_ref().unwrap().0.exposure, 35 + 30);
    assert!(starts(&second)[1] < starts(&second)[0]);
    problem.objects[1].most = Some(34);
    let Status::InfeasibleProven { core } = answer(&problem).status else { panic!() };
    assert!(core.is_minimal);
    for object in [0, 1] {
        assert!(core.members.contains(&Condition::Most(object)), "{core:?}");
        let least = Relaxation::Most { object, most: 35, is_least: true };
        assert!(core.relaxations.contains(&least), "{core:?}");
    }
}

/// The gap between two times in which an object is bad does not count, their sum does.
#[test]
fn times_in_which_an_object_is_bad_are_added() {
    let mut problem = two(true);
    problem.tasks.truncate(1);
    problem.tasks.push(Task { not_before: 60, ..task(10, &[0]) });
    let harm = |problem: &Problem, most| {
        let mut problem = problem.clone();
        problem.objects[0].most = Some(most);
        answer(&problem).best.map(|(value, _)| value.exposure)
    };
    assert_eq!((harm(&problem, 40), harm(&problem, 39)), (Some(40), None));
    problem.tasks[0].until = Some(10);
    assert_eq!((harm(&problem, 60), harm(&problem, 59)), (Some(60), None));
}
