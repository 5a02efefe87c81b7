//! What stands from before the plan and makes it worse that something is without protection.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::time::say_duration;
use crate::facts::value::{ObjectId, fold};
use crate::finding::{Evaluation, Outcome, Severity, Verdict};
use crate::plan::hazard::Link;
use crate::plan::hazard::find::{Finder, doubts::missing, objects::listed};
use crate::plan::insight::Behind;
use crate::plan::trace::ObjectTrace;

/// The tag of rules whose findings are looked at before a change.
const TAG: &str = "before-change";

impl Finder<'_> {
    /// Findings with the tag, for what a step leaves without protection.
    pub(super) fn risks(&mut self, before: &Evaluation) {
        let ids: Vec<ObjectId> = self.trace.objects.iter().map(|one| one.object).collect();
        let behind = Behind::new(self.given.facts, &ids);
        self.perhaps(before, &behind);
        let violated = before.verdicts.iter().filter(|one| one.outcome == Outcome::Violated);
        for verdict in violated {
            let rule = before.rule(verdict).and_then(|rule| self.given.set.rule(&rule.id));
            let Some(rule) = rule.filter(|rule| rule.tags.iter().any(|tag| **tag == *TAG)) else {
                continue;
            };
            let Some(finding) = &verdict.finding else { continue };
            let about = self.about(verdict, &behind);
            let objects = self.trace.objects.iter().filter(|one| about.contains(&one.object));
            let hit: Vec<(&ObjectTrace, usize)> =
                objects.filter_map(|one| Some((one, first_step(one)?))).collect();
            let Some(step) = hit.iter().map(|(_, step)| *step).min() else { continue };
            let longest = hit.iter().map(|(one, _)| one.exposure).max().unwrap_or_default();
            let keys: Vec<String> = hit.iter().map(|(one, _)| one.key.to_string()).collect();
            let message = format!(
                "{} {} without protection, for {} at most, while {} stands",
                listed(&keys),
                if keys.len() == 1 { "is" } else { "are" },
                say_duration(longest),
                rule.id
            );
            let said = format!("before the plan -> {}: {}", rule.id, finding.message);
            if let Some(hazard) = self.add("plan-risk-stands", Some(step), message) {
                hazard.objects = keys;
                hazard.rule = Some(rule.id.to_string());
                hazard.chain = vec![Link { said, step: None }];
            }
        }
    }

    /// The same, and what would probably let jobs fail, where nobody can say.
    fn perhaps(&mut self, before: &Evaluation, behind: &Behind<'_>) {
        let mut all: BTreeMap<usize, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
        for evaluation in [before, self.after] {
            let open = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Undecided);
            for verdict in open {
                let rule = evaluation.rule(verdict).and_then(|rule| self.given.set.rule(&rule.id));
                let Some(rule) = rule else { continue };
                let is_risk = rule.tags.iter().any(|tag| **tag == *TAG);
                if !is_risk && !rule.stops_perhaps() {
                    continue;
                }
                let about = self.about(verdict, behind);
                for object in self.trace.objects.iter().filter(|one| about.contains(&one.object)) {
                    let step =
                        if is_risk { first_step(object) } else { self.job_of(object.object) };
                    if let Some(step) = step {
                        let known = all.entry(step).or_default();
                        known.0.insert(rule.id.to_string());
                        known.1.insert(object.key.to_string());
                    }
                }
            }
        }
        for (step, (rules, keys)) in all {
            let rules: Vec<String> = rules.into_iter().collect();
            let keys: Vec<String> = keys.into_iter().collect();
            let message = format!(
                "from {} on nobody can say what {} says of {}",
                self.named(step),
                listed(&rules),
                listed(&keys)
            );
            let mut facts = missing(before, &rules);
            facts.extend(missing(self.after, &rules));
            facts.sort();
            facts.dedup();
            let wanted = self.wanted(facts);
            if let Some(hazard) = self.add("plan-unknown", Some(step), message) {
                hazard.severity = Severity::Warning;
                hazard.objects = keys;
                hazard.ask(wanted);
            }
        }
    }

    /// The first check or backup of an object that a step is.
    fn job_of(&self, object: ObjectId) -> Option<usize> {
        (0..self.written()).find(|step| self.is_job_of(*step, object))
    }

    /// The protected objects that a finding is about: named by it, or lying on what it names.
    fn about(&self, verdict: &Verdict, behind: &Behind<'_>) -> BTreeSet<ObjectId> {
        let facts = self.given.facts;
        let affects = verdict.finding.iter().flat_map(|finding| &finding.affects);
        let mut all = BTreeSet::new();
        for subject in affects.chain([&verdict.subject]) {
            let kind = facts.model().kinds().iter().find(|kind| *kind.name == *subject.kind);
            if let Some(id) = kind.and_then(|kind| facts.find(kind.id, &fold(&subject.key))) {
                all.insert(id);
                all.extend(behind.protected(id));
            }
        }
        all
    }
}

/// The first step through which an object is without protection.
fn first_step(object: &ObjectTrace) -> Option<usize> {
    let exposed = object.intervals.iter().filter(|one| one.phase.is_exposed() && one.to > one.from);
    exposed.flat_map(|one| &one.caused_by).copied().min()
}
