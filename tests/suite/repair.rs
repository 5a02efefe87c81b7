//! The repair of a whole estate: nothing asked for is lost, and causes stand before checks.

use std::collections::BTreeSet;
use std::path::Path;

use dpmguard::eval::evaluate;
use dpmguard::facts::time::Instant;
use dpmguard::finding::{Evaluation, RepairStep, Role, Severity};

use crate::support::{Bench, cases, files, root};

/// What must hold of every repair.
fn check(evaluation: &Evaluation, what: &Path) {
    let what = what.display();
    let repair = &evaluation.repair;
    let names: BTreeSet<&str> = repair.iter().map(|known| &*known.step.name).collect();
    assert_eq!(names.len(), repair.len(), "{what}: a step stands twice");
    // What only notes ask for comes last, unless something waits for it that does not.
    let is_late = |known: &RepairStep| {
        let of = |position: &usize| evaluation.severity(&evaluation.verdicts[*position]);
        let rules = evaluation.rules_of(known);
        let is_cause = rules.iter().any(|rule| rule.tags.iter().any(|tag| tag == "cause"));
        known.verdicts.iter().map(of).max() == Some(Severity::Note) && !is_cause
    };
    let stage = |position: usize| {
        let known = &repair[position];
        let waits = |other: &RepairStep| other.after.contains(&position) && !is_late(other);
        match known.step.role {
            Role::Check => 1,
            _ if known.step.after_check => {
                if is_late(known) {
                    4
                } else {
                    2
                }
            }
            _ if is_late(known) && !repair.iter().any(waits) => 3,
            _ => 0,
        }
    };
    for position in 1..repair.len() {
        assert!(stage(position - 1) <= stage(position), "{what}: wrong order at {position}");
    }
    for (position, verdict) in evaluation.verdicts.iter().enumerate() {
        let Some(finding) = &verdict.finding else { continue };
        let rule = &evaluation.rule(verdict).unwrap().id;
        for step in &finding.steps {
            let known = repair.iter().find(|known| known.step.name == step.name);
            let known = known.unwrap_or_else(|| panic!("{what}: {rule}: a step was lost"));
            assert!(known.verdicts.contains(&position), "{what}: {rule}: a step forgot who asked");
            // What the rule says of it is told, whoever else asks for the step.
            assert!(known.step.text.contains(&step.text), "{what}: {rule}: words were lost");
            for command in &step.commands {
                assert!(
                    known.step.commands.contains(command),
                    "{what}: {rule}: a command was lost"
                );
            }
        }
        for withheld in &finding.withholds {
            for known in repair.iter().filter(|known| {
                known.step.action == withheld.action && known.step.at.as_ref() == Some(&withheld.at)
            }) {
                assert!(
                    known.withheld.contains(&withheld.because),
                    "{what}: {rule} does not withhold"
                );
            }
        }
    }
    for (position, known) in repair.iter().enumerate() {
        for before in &known.after {
            assert!(*before < position, "{what}: a step waits for a later one");
            let helps = &repair[*before].helps;
            let is_helped = helps.iter().any(|object| Some(object) == known.step.at.as_ref());
            // What comes after the check (alerts that are resolved) is done where people look.
            assert!(is_helped || known.step.after_check, "{what}");
        }
        if let Some(Ok(takes)) = &known.step.takes {
            assert!(takes.best <= takes.expected && takes.expected <= takes.worst, "{what}");
            assert!(!takes.because.is_empty(), "{what}: a time that rests on nothing");
        }
    }
}

#[test]
fn nothing_is_lost_between_findings_and_repair() {
    let mut bench = Bench::new();
    let mut steps = 0;
    // Every fourth: each is judged by the whole pack.
    for path in cases().into_iter().step_by(4) {
        let (case, document) = bench.case(&path);
        let Ok(facts) = bench.facts(&[document]) else { panic!("{}", path.display()) };
        let evaluation = evaluate(&facts, &bench.rules, &case.now, None, &|_| true);
        steps += evaluation.repair.len();
        check(&evaluation, &path);
    }
    assert!(steps > cases().len() / 4, "the cases ask for hardly anything");
}

#[test]
fn the_examples_are_repaired_in_order() {
    let mut bench = Bench::new();
    for example in ["contoso", "fabrikam"] {
        let folder = root().join("examples").join(example);
        let documents: Vec<_> =
            files(&folder, "yaml").iter().map(|path| bench.read(path)).collect();
        let facts = bench.facts(&documents).unwrap();
        let observed = facts.files().iter().map(|file| file.observed_at.to_string()).max();
        let now = Instant::parse(&observed.unwrap()).unwrap();
        let evaluation = evaluate(&facts, &bench.rules, &now, None, &|_| true);
        let checks = evaluation.repair.iter().filter(|known| known.step.role == Role::Check);
        assert!(checks.count() > 1, "{example}");
        check(&evaluation, &folder);
        // A replica that a check would help is asked for one check only.
        let places: Vec<_> = evaluation
            .repair
            .iter()
            // One that runs is waited for; meanwhile another is withheld.
            .filter(|known| known.step.role == Role::Check && known.withheld.is_empty())
            .map(|known| known.step.at.clone())
            .collect();
        let distinct: BTreeSet<_> = places.iter().collect();
        assert_eq!(distinct.len(), places.len(), "{example}: two checks of one replica");
    }
}
