//! In short, what decided a verdict: one clause, and what it compared.

use crate::author::explain::clauses::Teller;
use crate::author::explain::record::{Judged, Keep, Stop};
use crate::author::explain::{Run, Subject, listen};
use crate::report::explain::{Clause, ValueX};
use crate::report::test::{Decided, Operand};

/// What decided the first verdict of the rule about an object with an outcome.
#[must_use]
pub fn decided(subject: Subject<'_>, run: Run<'_>, key: &str, outcome: &str) -> Option<Decided> {
    let heard = listen(subject, run, Keep::All);
    let is_it = |one: &&Judged<'_>| {
        *one.verdict.subject.key == *key && one.verdict.outcome.name() == outcome
    };
    let one = heard.judged.iter().find(is_it)?;
    let said = Teller::new(subject, run, &heard.evaluation, false).verdict(one, 1);
    let (name, path) = at(one.stop);
    let find = |name: &str| said.clauses.iter().find(|clause| clause.name == name);
    let filter = find(&format!("where of {name}")).filter(|filter| match one.stop {
        Stop::Select(_) => filter.result == Some("undecided"),
        _ => false,
    });
    let clause = filter.or_else(|| find(&name))?;
    let path = if filter.is_some() { format!("{path}.where") } else { path };
    let place = &clause.place;
    Some(Decided {
        clause: path,
        place: format!("{}:{}:{}", place.file, place.line, place.column),
        text: clause.text.clone(),
        value: value(clause, &said.missing),
        operands: operands(clause),
    })
}

/// The clause at which judging ended: its name among those explained, and its path in the rule.
fn at(end: Stop) -> (String, String) {
    match end {
        Stop::Select(step) => (super::select_name(step), format!("select[{step}]")),
        Stop::IfNone(step) => (super::select_name(step), format!("select[{step}].if_none")),
        Stop::Else(number) | Stop::Require(number) => {
            (format!("require {}", number + 1), format!("require[{number}].that"))
        }
        Stop::Violated => ("violated".to_owned(), "violated".to_owned()),
    }
}

/// What the clause was; where it is not known, for want of which facts.
fn value(clause: &Clause, missing: &[crate::report::explain::MissingX]) -> String {
    match (clause.result, &clause.candidates) {
        (Some("undecided"), _) => {
            let facts: Vec<&str> = missing.iter().map(|one| one.fact.as_str()).collect();
            format!("undecided ({})", facts.join(", "))
        }
        (Some(result), _) => result.to_owned(),
        (None, Some(candidates)) if candidates.fitting == Some(0) => match candidates.count {
            0 => "empty".to_owned(),
            1 => "one candidate that does not fit".to_owned(),
            count => format!("{count} candidates of which none fits"),
        },
        (None, _) => "not known".to_owned(),
    }
}

/// What it compared, each text and value once; of a step, what spoke against its candidates.
fn operands(clause: &Clause) -> Vec<Operand> {
    let rejected = clause.candidates.iter().flat_map(|all| &all.rejected);
    let decisions = clause.decided_by.iter().chain(rejected.flat_map(|one| &one.decided_by));
    let mut all: Vec<Operand> = Vec::new();
    for value in decisions.flat_map(|decision| &decision.operands) {
        let one = operand(value);
        if !value.is_literal && !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

fn operand(value: &ValueX) -> Operand {
    Operand {
        text: value.text.clone(),
        value: value.value.clone().unwrap_or_else(|| "not known".to_owned()),
        facts: value.facts.clone(),
    }
}
