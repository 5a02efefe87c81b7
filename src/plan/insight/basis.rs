//! On what a verdict rests: how old the facts will be, what is not known, what may happen.

use crate::diagnostic::FileId;
use crate::plan::hazard::{Given, Judged};
use crate::plan::trace::StepStatus;

/// On what a verdict rests.
#[derive(Clone, Debug, Default)]
pub struct Basis {
    /// The fact files.
    pub files: Vec<Seen>,
    /// The collections in them.
    pub collections: Vec<Collected>,
    /// Steps with something that is not known, and what.
    pub unknown: Vec<(usize, String)>,
    /// Steps that may do something which they need not.
    pub chance: Vec<usize>,
}

/// A fact file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub file: FileId,
    /// When it was observed.
    pub observed_at: String,
    /// Seconds from there to the opening of the window.
    pub age: i64,
}

/// A collection of the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// Its name.
    pub name: String,
    /// How many objects it has.
    pub count: usize,
    /// When the oldest part of it was collected.
    pub collected_at: String,
    /// Seconds from there to the opening of the window.
    pub age: i64,
    /// Whether there are no other objects than these.
    pub is_complete: bool,
}

pub(super) fn basis(given: Given<'_>, judged: &Judged) -> Basis {
    let start = given.plan.window.start;
    let files = given.facts.files().iter().map(|file| Seen {
        file: file.file,
        observed_at: file.observed_at.to_string(),
        age: start - file.observed_at.seconds(),
    });
    let kinds = given.facts.model().kinds().iter();
    let collections = kinds.filter_map(|kind| {
        let table = given.facts.table(kind.id)?;
        // One that no file mentions is not old but unknown.
        let collected = table.collected()?;
        Some(Collected {
            name: kind.collection.to_string(),
            count: table.count(),
            collected_at: collected.to_string(),
            age: start - collected.seconds(),
            is_complete: table.is_complete(),
        })
    });
    let mut unknown = Vec::new();
    let mut chance = Vec::new();
    for (position, (trace, step)) in judged.worst.steps.iter().zip(given.plan.written()).enumerate()
    {
        for missing in &trace.unknown {
            if !unknown.contains(&(position, missing.clone())) {
                unknown.push((position, missing.clone()));
            }
        }
        let rules = trace.undecided.iter().filter_map(|rule| given.set.rules.get(*rule));
        unknown.extend(rules.map(|rule| (position, format!("the outcome of {}", rule.id))));
        let action = given.set.actions.get(step.action);
        let may = action.is_some_and(|action| action.course.effects.iter().any(|one| one.may));
        if may && trace.status == StepStatus::Done {
            chance.push(position);
        }
    }
    Basis { files: files.collect(), collections: collections.collect(), unknown, chance }
}
