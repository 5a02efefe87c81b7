//! From the steps of all findings to one list: each step once, causes first, checks behind them.

mod order;

use std::collections::HashMap;
use std::sync::Arc;

use crate::finding::{Evaluation, RepairStep, Role, Severity, Step, Subject};

use order::Plan;

/// The steps of all findings, in the order in which they are to be done.
///
/// `order` are the kinds of places, first ones first; `undecided` says which cause rules are undecided
/// for an object. Two findings that ask for the same step share it. The order of the repairs within
/// one finding is kept; beyond that they go by the kind of their place.
pub(super) fn repair(
    evaluation: &Evaluation,
    order: &[Arc<str>],
    undecided: &dyn Fn(&Subject) -> Vec<Arc<str>>,
) -> Vec<RepairStep> {
    let mut plan = Plan::default();
    for (position, verdict) in evaluation.verdicts.iter().enumerate() {
        if let Some(finding) = &verdict.finding {
            let severity = evaluation.severity(verdict);
            plan.add(position, severity, finding, &verdict.subject, evaluation, order);
        }
    }
    let mut steps = plan.sorted();
    let withheld = evaluation.verdicts.iter().filter_map(|verdict| verdict.finding.as_ref());
    for withheld in withheld.flat_map(|finding| &finding.withholds) {
        for known in &mut steps {
            if known.step.action == withheld.action
                && known.step.at.as_ref() == Some(&withheld.at)
                && !known.withheld.contains(&withheld.because)
            {
                known.withheld.push(withheld.because.clone());
            }
        }
    }
    // For each protected object the steps that must be done before its check.
    let mut needed: HashMap<Subject, Vec<usize>> = HashMap::new();
    for (position, known) in steps.iter().enumerate() {
        if is_repair(&known.step) && is_cause(known, evaluation) {
            for object in &known.helps {
                needed.entry(object.clone()).or_default().push(position);
            }
        }
    }
    let mut checks: HashMap<Subject, usize> = HashMap::new();
    for (position, known) in steps.iter_mut().enumerate() {
        let Some(at) = &known.step.at else { continue };
        if known.step.role == Role::Check {
            known.after = needed.get(at).cloned().unwrap_or_default();
            known.undecided = undecided(at);
            checks.insert(at.clone(), position);
        } else if known.step.after_check {
            known.after.extend(checks.get(at));
            known.after.sort_unstable();
            known.after.dedup();
        }
    }
    steps
}

/// Whether a check would be wasted without it: it repairs a cause, or an error that makes jobs fail.
fn is_cause(known: &RepairStep, evaluation: &Evaluation) -> bool {
    let mut rules = evaluation.rules_of(known).into_iter();
    rules.any(|rule| rule.severity == Severity::Error || rule.tags.iter().any(|tag| tag == "cause"))
}

fn is_repair(step: &Step) -> bool {
    step.role != Role::Check && !step.after_check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Finding, JudgedRule, Outcome, Tally, Verdict, Withheld};

    fn subject(kind: &str, key: &str) -> Subject {
        Subject { kind: kind.into(), key: key.into() }
    }

    fn step(action: &str, role: Role, kind: &str, key: &str) -> Step {
        Step {
            action: action.into(),
            role,
            after_check: action == "back-up",
            at: Some(subject(kind, key)),
            name: format!("{action} {key}"),
            with: Vec::new(),
            text: format!("{action} at {key}"),
            unsure: None,
            commands: Vec::new(),
            takes: None,
        }
    }

    fn fix(action: &str, kind: &str, key: &str) -> Step {
        step(action, Role::Fix, kind, key)
    }

    fn check(key: &str) -> Step {
        step("check", Role::Check, "replica", key)
    }

    fn rule(id: &str, severity: Severity) -> JudgedRule {
        JudgedRule {
            id: id.into(),
            title: String::new(),
            severity,
            certainty: "documented".to_owned(),
            explanation: String::new(),
            tags: Vec::new(),
            cause: None,
            metadata: Vec::new(),
            references: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Findings by severity, subject, further harmed replicas and steps.
    fn evaluation(findings: Vec<(Severity, Subject, Vec<&str>, Vec<Step>)>) -> Evaluation {
        let mut evaluation =
            Evaluation { protected_kind: Some("replica".into()), ..Evaluation::default() };
        for (number, (severity, subject_of, affects, steps)) in findings.into_iter().enumerate() {
            evaluation.rules.push(rule(&format!("rule-{number}"), severity));
            let affects = affects.into_iter().map(|key| subject("replica", key)).collect();
            evaluation.verdicts.push(Verdict {
                rule: number,
                subject: subject_of,
                outcome: Outcome::Violated,
                because: None,
                see: None,
                missing: Vec::new(),
                finding: Some(Finding {
                    message: String::new(),
                    evidence: Vec::new(),
                    affects,
                    consequence: Vec::new(),
                    steps,
                    withholds: Vec::new(),
                    fingerprint: String::new(),
                }),
            });
        }
        evaluation
    }

    fn order() -> [Arc<str>; 4] {
        ["server", "host", "group", "replica"].map(Into::into)
    }

    fn repaired(evaluation: &Evaluation) -> Vec<RepairStep> {
        repair(evaluation, &order(), &|_| Vec::new())
    }

    fn names(steps: &[RepairStep]) -> Vec<String> {
        steps.iter().map(|known| known.step.name.clone()).collect()
    }

    #[test]
    fn causes_come_first_by_their_place_and_one_check_last() {
        let a = || subject("replica", "A");
        let steps = repaired(&evaluation(vec![
            (Severity::Error, a(), vec![], vec![fix("modify", "group", "G"), check("A")]),
            (Severity::Warning, a(), vec![], vec![fix("mount", "host", "H"), check("A")]),
            (
                Severity::Error,
                subject("server", "S"),
                vec!["A", "B"],
                vec![fix("copy", "server", "S"), check("A"), check("B")],
            ),
            (Severity::Error, a(), vec![], vec![fix("back-up", "replica", "A"), check("A")]),
        ]));
        assert_eq!(
            names(&steps),
            ["copy S", "mount H", "modify G", "check A", "check B", "back-up A"]
        );
        assert_eq!(steps[3].after, [0, 2], "the check of A waits for all its causes");
        assert_eq!(steps[5].after, [3], "a backup of A waits for its check");
        assert_eq!(steps[4].after, [0], "the check of B for its own only");
        assert_eq!(steps[3].verdicts, [0, 1, 2, 3]);
        assert_eq!(steps[0].helps, [subject("replica", "A"), subject("replica", "B")]);
        assert_eq!(steps[4].helps, [subject("replica", "B")]);
    }

    #[test]
    fn a_findings_own_order_is_kept_against_the_order_of_places() {
        let steps = repaired(&evaluation(vec![(
            Severity::Error,
            subject("replica", "A"),
            vec![],
            vec![
                fix("stop", "group", "G"),
                fix("rename", "host", "H"),
                fix("protect", "group", "G"),
                check("A"),
            ],
        )]));
        assert_eq!(names(&steps), ["stop G", "rename H", "protect G", "check A"]);
    }

    #[test]
    fn findings_that_contradict_each_other_lose_no_step() {
        let host = || fix("mount", "host", "H");
        let group = || fix("modify", "group", "G");
        let a = || subject("replica", "A");
        let steps = repaired(&evaluation(vec![
            (Severity::Error, a(), vec![], vec![group(), host(), check("A")]),
            (Severity::Error, a(), vec![], vec![host(), group(), check("A")]),
        ]));
        assert_eq!(names(&steps), ["mount H", "modify G", "check A"]);
    }

    #[test]
    fn what_is_no_cause_does_not_hold_up_a_check() {
        let a = || subject("replica", "A");
        let steps = repaired(&evaluation(vec![
            (Severity::Warning, a(), vec![], vec![fix("look", "host", "H")]),
            (Severity::Error, a(), vec![], vec![fix("modify", "group", "G"), check("A")]),
        ]));
        assert_eq!(names(&steps), ["look H", "modify G", "check A"]);
        assert_eq!(steps[2].after, [1]);
    }

    #[test]
    fn a_step_is_sure_if_one_finding_is_sure_of_it() {
        let unsure = |why: Option<&str>| Step {
            unsure: why.map(str::to_owned),
            ..fix("modify", "group", "G")
        };
        let a = || subject("replica", "A");
        let of = |first, second| {
            let steps = repaired(&evaluation(vec![
                (Severity::Error, a(), vec![], vec![unsure(first)]),
                (Severity::Error, a(), vec![], vec![unsure(second)]),
            ]));
            assert_eq!(steps.len(), 1);
            steps[0].step.unsure.clone()
        };
        assert_eq!(of(Some("x"), None), None);
        assert_eq!(of(None, Some("x")), None);
        assert_eq!(of(Some("x"), Some("y")), Some("x".to_owned()));
    }

    #[test]
    fn what_a_finding_withholds_waits_where_it_says() {
        let mut evaluation = evaluation(vec![
            (Severity::Error, subject("replica", "A"), vec![], vec![check("A")]),
            (Severity::Error, subject("replica", "B"), vec![], vec![check("B")]),
            (Severity::Note, subject("replica", "A"), vec![], vec![]),
        ]);
        if let Some(finding) = &mut evaluation.verdicts[2].finding {
            finding.withholds = vec![Withheld {
                action: "check".into(),
                at: subject("replica", "A"),
                because: "one runs".to_owned(),
            }];
        }
        let steps = repaired(&evaluation);
        assert_eq!(steps[0].withheld, ["one runs"]);
        assert_eq!(steps[1].withheld, Vec::<String>::new());
    }

    #[test]
    fn a_check_names_the_causes_that_nobody_could_judge() {
        let evaluation = evaluation(vec![(
            Severity::Error,
            subject("replica", "A"),
            vec![],
            vec![fix("modify", "group", "G"), check("A")],
        )]);
        let steps = repair(&evaluation, &order(), &|at| vec![format!("open-{}", at.key).into()]);
        assert_eq!(steps[0].undecided, Vec::<Arc<str>>::new());
        assert_eq!(steps[1].undecided, [Arc::from("open-A")]);
    }

    /// What waits for a step stands behind it, however little the step matters by itself.
    #[test]
    fn nothing_stands_before_what_it_waits_for() {
        let a = || subject("replica", "A");
        let tidy = || vec![fix("tidy", "host", "H"), fix("back-up", "replica", "A")];
        let notes = repaired(&evaluation(vec![(Severity::Note, a(), vec![], tidy())]));
        assert_eq!(names(&notes), ["tidy H", "back-up A"]);
        assert_eq!(notes[1].after, [0]);
        let error =
            || vec![fix("modify", "group", "G"), check("A"), fix("back-up", "replica", "A")];
        let both = repaired(&evaluation(vec![
            (Severity::Note, a(), vec![], tidy()),
            (Severity::Error, a(), vec![], error()),
        ]));
        assert_eq!(names(&both), ["tidy H", "modify G", "check A", "back-up A"]);
        assert_eq!(both[3].after, [0, 1, 2]);
        let mut quiet = evaluation(vec![(Severity::Note, a(), vec![], error())]);
        quiet.rules[0].tags = vec!["cause".to_owned()];
        let quiet = repaired(&quiet);
        assert_eq!(names(&quiet), ["modify G", "check A", "back-up A"]);
        assert_eq!(quiet[1].after, [0], "a cause makes a check vain, whatever it is called");
    }
}
