//! On what a verdict rests: how old the facts will be, what is not known, what may happen.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::FileId;
use crate::facts::value::{Value, fold};
use crate::plan::hazard::{Given, Judged};
use crate::plan::trace::StepStatus;
use crate::plan::world::World;

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
    /// What is taken for granted where nobody says it, in words.
    pub assumed: Vec<String>,
    /// All that fact files have to hold for somebody to say what nobody can.
    pub collect: BTreeSet<String>,
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

pub(super) fn basis(given: Given<'_>, world: &World<'_>, judged: &Judged) -> Basis {
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
        let rules: Vec<&str> = rules.map(|rule| &*rule.id).collect();
        if !rules.is_empty() {
            unknown.push((position, format!("the outcome of {}", rules.join(", "))));
        }
        let action = given.set.actions.get(step.action);
        let may = action.is_some_and(|action| action.course.effects.iter().any(|one| one.may));
        if may && trace.status == StepStatus::Done {
            chance.push(position);
        }
    }
    let mut assumed = slots(given, world, judged);
    if judged.untried > 0 {
        assumed.push(format!(
            "{} more courses of events, with other durations or another order, are taken to end no worse: they were not tried",
            judged.untried
        ));
    }
    let collect = judged.hazards.iter().flat_map(|hazard| hazard.missing.iter().cloned()).collect();
    let (files, collections) = (files.collect(), collections.collect());
    Basis { files, collections, unknown, chance, assumed, collect }
}

/// How many checks run side by side, where neither the plan nor the facts say it.
fn slots(given: Given<'_>, world: &World<'_>, judged: &Judged) -> Vec<String> {
    let Some(protection) = world.protection() else { return Vec::new() };
    let mut owners: BTreeSet<Arc<str>> = BTreeSet::new();
    for (object, owner) in judged.worst.steps.iter().filter_map(|step| step.needs.check) {
        let Some(owner) = owner else { continue };
        let key = world.facts.key(owner);
        let is_planned = given.plan.slots.iter().any(|(known, _)| *known == fold(&key));
        let said = protection.checks.slots.as_ref().map(|slots| world.on(object, slots));
        if !is_planned && !matches!(said, Some(Ok(Value::Int(_)))) {
            owners.insert(key);
        }
    }
    let count = protection.checks.default_slots;
    let assumed = owners.into_iter().map(|owner| {
        format!("{owner} runs up to {count} checks side by side: neither the plan nor the facts say how many")
    });
    assumed.collect()
}
