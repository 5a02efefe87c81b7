//! Rules of which nobody can say at the end what they say, because of what the plan does.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::store::Facts;
use crate::facts::value::{ObjectId, fold};
use crate::finding::{Evaluation, Outcome, Severity, Subject, Verdict};
use crate::plan::hazard::Hazard;
use crate::plan::hazard::find::Finder;
use crate::plan::hazard::find::doubts::{Looks, looks};
use crate::plan::hazard::find::objects::listed;
use crate::plan::insight::{may_reach, reach};
use crate::plan::trace::{Event, Happening};

/// What cannot be said behind a step.
#[derive(Default)]
struct Open {
    severity: Option<Severity>,
    rules: BTreeSet<String>,
    subjects: BTreeSet<String>,
    missing: BTreeSet<String>,
}

impl Finder<'_> {
    /// Rules that cannot be decided for a subject and could before, or that hang on what a step changes.
    /// Causes that could not be decided before are told by [`Self::doubts`].
    pub(super) fn open(&mut self, before: &Evaluation) {
        let known: BTreeSet<(&str, &str, &str)> =
            undecided(before).map(|verdict| about(before, verdict)).collect();
        let mut all: BTreeMap<Option<usize>, Open> = BTreeMap::new();
        for verdict in undecided(self.after) {
            let about = about(self.after, verdict);
            let Some(rule) = self.given.set.rule(about.0) else { continue };
            let is_known = known.contains(&about);
            // Objects that nobody has seen are not what steps are about.
            let is_elsewhere = is_known && verdict.subject.key.is_empty();
            // What is no error and could not be decided before is the estate's, not the plan's.
            let least = if is_known { Severity::Error } else { Severity::Warning };
            if rule.severity < least || is_elsewhere || self.is_told(&verdict.subject) {
                continue;
            }
            // What is known of an object that the plan makes is what its action says: nobody can collect more.
            let mut missing = verdict.missing.iter().map(crate::finding::Missing::wanted);
            let is_made = self.is_made(&verdict.subject)
                || (!verdict.missing.is_empty()
                    && missing.all(|fact| self.made_by(fact).is_some()));
            if (rule.is_decisive() && is_known) || is_made {
                continue;
            }
            let looks = looks(rule, self.given.facts.model());
            let step = self.toucher(&looks, &verdict.subject);
            let is_named = |hazard: &Hazard| {
                hazard.kind.is_unknown && hazard.step == step && hazard.message.contains(&*rule.id)
            };
            if (is_known && step.is_none()) || self.hazards.iter().any(is_named) {
                continue;
            }
            let open = all.entry(step).or_default();
            open.severity = open.severity.max(Some(rule.severity));
            open.rules.insert(rule.id.to_string());
            let subject = &verdict.subject;
            let named = if subject.key.is_empty() { &subject.kind } else { &subject.key };
            open.subjects.insert(named.to_string());
            open.missing.extend(verdict.missing.iter().map(|one| one.wanted().to_owned()));
        }
        for (step, open) in all {
            let rules: Vec<String> = open.rules.into_iter().collect();
            let subjects: Vec<String> = open.subjects.into_iter().collect();
            let behind = match step {
                Some(step) => format!("behind {}", self.named(step)),
                None => "at the end".to_owned(),
            };
            let message = format!(
                "{behind} nobody can say what {} says of {}",
                listed(&rules),
                listed(&subjects)
            );
            let wanted = self.wanted(open.missing);
            if let Some(hazard) = self.add("plan-unknown", step, message) {
                hazard.severity = open.severity.unwrap_or(Severity::Error);
                hazard.objects = subjects;
                hazard.ask(wanted);
            }
        }
    }

    /// Whether it is told of a protected object that it is not good at the end, or that nobody knows it.
    fn is_told(&self, subject: &Subject) -> bool {
        let is_it = |key: &str| *key == *subject.key;
        self.trace.objects.iter().any(|one| is_it(&one.key) && one.ends().is_exposed())
    }

    /// Whether a subject is not there before the plan.
    fn is_made(&self, subject: &Subject) -> bool {
        object(&self.trace.facts, subject).is_some() && object(self.given.facts, subject).is_none()
    }

    /// The last step that changes what a rule looks at for a subject.
    fn toucher(&self, looks: &Looks, subject: &Subject) -> Option<usize> {
        let facts = &self.trace.facts;
        let of = object(facts, subject);
        let near: Option<BTreeSet<ObjectId>> = of.map(|of| reach(facts, &BTreeSet::from([of])));
        let meets = |object: ObjectId| match (&near, of) {
            (Some(near), Some(of)) => {
                near.contains(&object)
                    || reach(facts, &BTreeSet::from([object])).contains(&of)
                    // Where it is not known what it belongs to, it may be that.
                    || may_reach(facts, &BTreeSet::from([of]), &BTreeSet::from([object.kind]))
                        .is_some()
            }
            _ => true,
        };
        // That a check takes an object out and gives it back changes nothing for the end.
        let lasts = |event: &&Event| event.what != Happening::Phase;
        let events = self.trace.events.iter().rev().filter(lasts);
        let mut steps = events.filter_map(|event| {
            let step = event.step.filter(|step| *step < self.written())?;
            let mut changes = event.changes.iter().filter_map(|change| looks.meets(change));
            changes.any(meets).then_some(step)
        });
        steps.next()
    }
}

fn undecided(evaluation: &Evaluation) -> impl Iterator<Item = &Verdict> {
    evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Undecided)
}

/// Rule, kind and key of a verdict.
fn about<'e>(evaluation: &'e Evaluation, verdict: &'e Verdict) -> (&'e str, &'e str, &'e str) {
    let rule = evaluation.rule(verdict).map_or("", |rule| &*rule.id);
    (rule, &verdict.subject.kind, &verdict.subject.key)
}

/// The object that a verdict is about.
fn object(facts: &Facts, subject: &Subject) -> Option<ObjectId> {
    let kind = facts.model().kinds().iter().find(|kind| *kind.name == *subject.kind)?;
    facts.find(kind.id, &fold(&subject.key))
}
