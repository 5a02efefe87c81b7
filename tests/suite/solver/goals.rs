//! Other levels first.

use dpmguard::plan::solver::aim::{Aim, Level};
use dpmguard::plan::solver::{Effort, Status, Value, solve};

use super::{cases, generate, oracle};

use Level::{Checks, Distance, End, Exposure, NotGood};

const OBJECTIVES: [[Level; 5]; 8] = [
    [NotGood, Checks, Exposure, Distance, End],
    [NotGood, Exposure, Distance, Checks, End],
    [NotGood, Distance, Exposure, Checks, End],
    [Distance, Checks, Exposure, End, NotGood],
    [Exposure, NotGood, End, Checks, Distance],
    [Checks, Exposure, End, Distance, NotGood],
    [NotGood, End, Exposure, Checks, Distance],
    [End, Distance, Checks, NotGood, Exposure],
];

/// The answer is the oracle's for each objective on the levels that it says are proven, and no better than
/// that on any.
#[test]
fn other_levels_can_decide_first() {
    let (mut proven, mut differ, mut open) = ([0; 8], 0, 0);
    for seed in 0..cases() / 2 {
        let problem = generate::tiny(seed);
        let usual = solve(&problem, &Effort::default()).unwrap().best.map(|(value, _)| value);
        for kind in [seed % 4, 4 + seed / 4 % 4] {
            let kind = usize::try_from(kind).unwrap();
            let aim = Aim { objective: OBJECTIVES[kind], enough: 0 };
            let effort = Effort { objective: aim.objective, ..Effort::default() };
            let answer = solve(&problem, &effort).unwrap();
            let least = oracle::least_for(&problem, aim);
            let Some((found, _)) = answer.best else {
                let is_proven = matches!(answer.status, Status::InfeasibleProven { .. });
                assert!(!is_proven || least.is_none(), "seed {seed}");
                continue;
            };
            let least = least.unwrap();
            let levels = |value: &Value| value.levels(&aim);
            assert!(least.compare(&found, aim).is_le(), "seed {seed}");
            let (ours, theirs) = (levels(&found), levels(&least));
            let same = ours.iter().zip(&theirs).take_while(|(one, other)| one == other).count();
            assert!(answer.proven <= same, "seed {seed}: {kind} {found:?} {least:?}");
            if !aim.is_walked(&problem) {
                assert!(matches!(answer.status, Status::BestFound { gap: 0.. }), "seed {seed}");
                open += 1;
                continue;
            }
            proven[kind] += u64::from(answer.proven == 6);
            differ += u64::from(usual != Some(found));
        }
    }
    let is_shown = proven[..6].iter().all(|count| *count > cases() / 100);
    assert!(is_shown && differ > cases() / 50 && open > 0, "{proven:?} {differ} {open}");
}
