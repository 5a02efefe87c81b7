//! Why a rule gave no verdict about an object.

use std::collections::BTreeSet;

use crate::author::explain::clauses::Teller;
use crate::author::explain::record::bound_name;
use crate::author::explain::{Heard, Run, Subject, kinds, select_name};
use crate::facts::value::{ObjectId, fold};
use crate::report::explain::{Clause, LeftOut, SubjectX};

/// The step of `select` that an object did not pass; `heard` was listened to with the object kept.
#[must_use]
pub fn left_out(
    subject: Subject<'_>,
    run: Run<'_>,
    heard: &Heard<'_>,
    id: ObjectId,
    trace: bool,
) -> LeftOut {
    let facts = run.facts;
    let kind = facts.kind_of(id).map(|kind| kind.name.to_string()).unwrap_or_default();
    let key = facts.key(id).to_string();
    let place = facts.object(id).map(|object| subject.place_of(object.place));
    let teller = Teller::new(subject, run, &heard.evaluation, trace);
    // The way that led furthest says most.
    let furthest = heard.fallen.iter().max_by_key(|fallen| fallen.levels.len());
    let mut clauses: Vec<Clause> = Vec::new();
    for (step, level) in furthest.iter().flat_map(|fallen| fallen.levels.iter().enumerate()) {
        clauses.extend(teller.step(step, Some(level), None));
    }
    let start = format!("{} gave no verdict for {key}, because", subject.rule.id);
    let sentence = match furthest {
        Some(fallen) => {
            let step = fallen.levels.len().saturating_sub(1);
            let last = clauses.iter().rev().find(|clause| clause.kind == "where");
            match last.filter(|clause| clause.result == Some("false")) {
                Some(clause) => {
                    let said: Vec<String> = clause
                        .decided_by
                        .iter()
                        .map(|one| format!("`{}` is {}", one.text, one.result))
                        .collect();
                    let whole = format!("`{}` is false", clause.text);
                    let said = if said.is_empty() { whole } else { said.join(", and ") };
                    format!("{start} it did not fit in {}: {said}.", select_name(step))
                }
                None => format!(
                    "{start} {} found no `{}` that fits.",
                    select_name(step),
                    bound_name(subject.rule, step)
                ),
            }
        }
        None if kinds(subject).contains(&id.kind) => {
            format!("{start} no step of select came to it.")
        }
        None => {
            let known = kinds(subject).into_iter().filter_map(|kind| subject.model.kind(kind));
            let known: Vec<&str> = known.map(|kind| &*kind.name).collect();
            format!(
                "{start} the rule takes objects of the kind {}, not {kind}.",
                known.join(" and ")
            )
        }
    };
    let sentence = format!("{sentence}{}", nearby(heard, &key));
    let subject = SubjectX { kind, key };
    LeftOut { subject, place, sentence, clauses, counterfactuals: None }
}

/// What was judged instead, where the key asked about is the end of its key.
fn nearby(heard: &Heard<'_>, key: &str) -> String {
    let end = format!("/{}", fold(key));
    let keys = heard.judged.iter().map(|one| &one.verdict.subject.key);
    let keys: BTreeSet<String> = keys
        .filter(|known| fold(known).ends_with(&end))
        .map(|known| format!("`{known}`"))
        .collect();
    match keys.len() {
        0 => String::new(),
        _ => format!(" Did you mean {}?", keys.into_iter().collect::<Vec<_>>().join(" or ")),
    }
}
