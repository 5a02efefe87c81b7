//! What somebody has to collect so that a plan can be judged, and what no collecting helps with because a step
//! makes it unknown.

use std::collections::BTreeMap;

use crate::facts::model::Type;
use crate::facts::value::{Fact, Value};
use crate::plan::hazard::Hazard;
use crate::plan::hazard::find::{Finder, objects::listed};
use crate::plan::trace::FactChange;

/// What is missing for a hazard.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// What fact files have to hold.
    facts: Vec<String>,
    /// What is known before the plan, by the step that leaves it unknown: the step in words, and the facts.
    lost: BTreeMap<usize, (String, Vec<String>)>,
    /// What belongs to something that is not there before a step makes it: the step in words, and the facts.
    made: BTreeMap<usize, (String, Vec<String>)>,
}

impl Finder<'_> {
    /// Sorts what is missing by whether somebody can collect it.
    pub(super) fn wanted(&self, missing: impl IntoIterator<Item = String>) -> Wanted {
        let mut wanted = Wanted::default();
        for fact in missing {
            match self.lost_by(&fact) {
                // How a check ends is told at the check.
                Some(step) if self.is_check(step) => {}
                Some(step) => {
                    let lost = wanted.lost.entry(step);
                    lost.or_insert_with(|| (self.named(step), Vec::new())).1.push(fact);
                }
                None => match self.made_by(&fact) {
                    Some(step) => {
                        let made = wanted.made.entry(step);
                        made.or_insert_with(|| (self.named(step), Vec::new())).1.push(fact);
                    }
                    None => wanted.facts.push(fact),
                },
            }
        }
        wanted
    }

    /// The step that makes the object of a fact: nobody can collect it before.
    pub(super) fn made_by(&self, fact: &str) -> Option<usize> {
        let (collection, rest) = fact.split_once('[')?;
        let mut events = self.trace.events.iter().filter(|event| event.step.is_some());
        events.find_map(|event| {
            let is_it = event.changes.iter().any(|change| {
                let FactChange::Added(object, _) = change else { return false };
                let kind = self.trace.facts.kind_of(*object);
                let is_kind = kind.is_some_and(|kind| *kind.collection == *collection);
                let key = self.key(*object);
                is_kind && rest.strip_prefix(&*key).is_some_and(|rest| rest.starts_with(']'))
            });
            event.step.filter(|_| is_it)
        })
    }

    fn is_check(&self, step: usize) -> bool {
        self.trace.steps.get(step).is_some_and(|step| step.needs.check.is_some())
    }

    /// The step behind which a fact is not known any more that was known before the plan.
    fn lost_by(&self, fact: &str) -> Option<usize> {
        let events = self.trace.events.iter().rev();
        let mut changes =
            events.flat_map(|event| event.changes.iter().map(|one| (event.step, one)));
        changes.find_map(|(step, change)| {
            let FactChange::Field(object, field, from, to) = change else { return None };
            let kind = self.trace.facts.kind_of(*object)?;
            let field = kind.record.fields.get(*field)?;
            let name = format!("{}[{}].{}", kind.collection, self.key(*object), field.name);
            let rest = fact.strip_prefix(&name)?;
            let rest = if rest.is_empty() { rest } else { rest.strip_prefix('.')? };
            (is_known(from, &field.ty, rest) && !is_known(to, &field.ty, rest)).then_some(step)?
        })
    }
}

/// Whether a fact is known, or what a path leads to in it.
fn is_known(fact: &Fact, ty: &Type, path: &str) -> bool {
    let Fact::Known { value, .. } = fact else { return false };
    if path.is_empty() {
        return true;
    }
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    let (Value::Record(fields), Type::Record(record)) = (value, ty.required()) else {
        return false;
    };
    let Some((position, field)) = record.field(name) else { return false };
    fields.get(position).is_some_and(|fact| is_known(fact, &field.ty, rest))
}

impl Hazard {
    /// Says what to collect.
    pub(super) fn ask(&mut self, wanted: Wanted) {
        let quoted = |facts: &[String]| -> String {
            let named: Vec<String> = facts.iter().map(|fact| format!("`{fact}`")).collect();
            listed(&named)
        };
        if !wanted.facts.is_empty() {
            self.help.push(format!("collect {}", quoted(&wanted.facts)));
        }
        for (named, facts) in wanted.lost.values() {
            self.help.push(format!(
                "{named} leaves {} unknown, which is known before it: see what it is not told under `with`",
                quoted(facts)
            ));
        }
        for (named, facts) in wanted.made.values() {
            self.help.push(format!(
                "{} belongs to what {named} makes, so nobody can collect it before: say it under `with` where the \
                 step takes it, or check it once it is there",
                quoted(facts)
            ));
        }
        self.missing = wanted.facts;
    }
}
