//! A choice as a change of the user's own text.

use serde_json::Value as Json;

use crate::facts::value::{Fact, Value};
use crate::finding::Argument;
use crate::plan::hazard::Given;
use crate::plan::repair::choice::Choice;
use crate::plan::repair::edit::{Entry, Timing};
use crate::plan::repair::pieces::{Entry as Placed, Origin, Pieces};
use crate::plan::trace::Trace;

/// The steps of a choice as its file has them.
#[must_use]
pub fn entries(given: Given<'_>, pieces: &Pieces, choice: &Choice) -> Vec<Entry> {
    let tried = &choice.tried;
    let entry = |(position, placed): (usize, &Placed)| {
        let piece = pieces.all.get(placed.piece)?;
        let timing = timing(given, pieces, placed);
        Some(match &piece.origin {
            Origin::Written(step) => {
                let written = given.plan.written().get(*step);
                let is_as_before = written.is_some_and(|written| placed.waits_like(written));
                Entry::Kept { step: *step, timing: (!is_as_before).then_some(timing) }
            }
            Origin::Fix(_) | Origin::Check(_) => Entry::New {
                id: piece.step.id.to_string(),
                action: pieces.action(given.set, placed.piece)?.id.to_string(),
                with: with(given, pieces, placed.piece),
                timing,
                note: match piece.origin {
                    Origin::Fix(_) => clears(given, &tried.trace, position),
                    _ => None,
                },
            },
        })
    };
    tried.draft.entries.iter().enumerate().filter_map(entry).collect()
}

fn timing(given: Given<'_>, pieces: &Pieces, placed: &Placed) -> Timing {
    let id = |piece: &usize| pieces.step(*piece).map(|step| step.id.to_string());
    Timing {
        after: placed.after.iter().filter_map(id).collect(),
        not_before: placed.not_before.map(|seconds| given.clock.written(seconds)),
    }
}

/// The arguments of a step that is put in.
fn with(given: Given<'_>, pieces: &Pieces, piece: usize) -> Vec<(String, Json)> {
    let (Some(action), Some(about)) = (pieces.action(given.set, piece), pieces.all.get(piece))
    else {
        return Vec::new();
    };
    let args = action.args.iter().zip(&about.step.args);
    args.map(|(arg, value)| {
        let given_by = match &about.origin {
            Origin::Fix(step) => step.with.iter().find(|(name, _)| *name == arg.name),
            _ => None,
        };
        let json = match given_by.map(|(_, value)| value) {
            Some(Argument::Object(subject)) => Json::from(&*subject.key),
            Some(Argument::Value(value)) => value.clone(),
            Some(Argument::Unknown(_)) | None => json(given, value),
        };
        (arg.name.to_string(), json)
    })
    .collect()
}

fn json(given: Given<'_>, value: &Value) -> Json {
    match value {
        Value::Object(object) => Json::from(&*given.facts.key(*object)),
        Value::Bool(value) => Json::from(*value),
        Value::Int(value) => Json::from(*value),
        Value::Float(value) => Json::from(*value),
        Value::Null => Json::Null,
        Value::List(list) => list
            .items
            .iter()
            .filter_map(|item| match item {
                Fact::Known { value, .. } => Some(json(given, value)),
                Fact::Absent(_) => None,
            })
            .collect(),
        other => Json::from(other.to_string()),
    }
}

/// What a step clears, in words; none if it is nothing that the rules know.
fn clears(given: Given<'_>, trace: &Trace, position: usize) -> Option<String> {
    let closed = trace.steps.get(position)?.closed.iter();
    let mut rules: Vec<&str> = Vec::new();
    for cause in closed.filter_map(|number| trace.causes.get(*number)) {
        let id = &*given.set.rules.get(cause.rule)?.id;
        if !rules.contains(&id) {
            rules.push(id);
        }
    }
    (!rules.is_empty()).then(|| format!("clears {}", rules.join(", ")))
}
