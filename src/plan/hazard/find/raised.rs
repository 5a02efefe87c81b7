//! The steps that raise findings: behind which of them a rule is violated for the first time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::eval;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::finding::{Evaluation, Subject};
use crate::plan::hazard::Given;
use crate::plan::hazard::find::known::findings;
use crate::plan::insight;
use crate::plan::trace::{Event, FactChange, Trace};

/// What a plan raises with the longest durations.
#[derive(Debug, Default)]
pub(in crate::plan::hazard) struct Raised {
    /// Steps by the fingerprints of the findings that they raise; those that no step raises are not here.
    pub(super) steps: BTreeMap<String, usize>,
    /// Protected objects that are not good at the end: what is found of them belongs to that state.
    pub(super) exposed: BTreeSet<Arc<str>>,
}

/// The step behind each finding that is there at the end and was not before. The facts are made anew up to
/// a step in the middle, and the rules asked, until one step is left.
pub(super) fn raised(
    given: Given<'_>,
    trace: &Trace,
    (before, after): (&Evaluation, &Evaluation),
    now: &Instant,
) -> Raised {
    let known: BTreeSet<&str> = findings(before).map(|(_, one)| one.fingerprint.as_str()).collect();
    let new = findings(after).filter(|(_, one)| !known.contains(one.fingerprint.as_str()));
    let new = new.filter_map(|(verdict, one)| {
        let rule = given.set.rule(&after.rule(verdict)?.id).filter(|rule| !rule.is_cause())?;
        Some((one.fingerprint.clone(), rule.id.to_string(), &verdict.subject))
    });
    let new: Vec<(String, String, &Subject)> = new.collect();
    let exposed = trace.objects.iter().filter(|one| one.ends().is_exposed());
    let exposed = exposed.map(|one| one.key.clone()).collect();
    if new.is_empty() {
        return Raised { steps: BTreeMap::new(), exposed };
    }
    let rules: BTreeSet<String> = new.iter().map(|(_, rule, _)| rule.clone()).collect();
    let mut search = Search { given, trace, now, rules, runs: runs(trace), seen: BTreeMap::new() };
    let step = |(one, _, subject): (String, String, &Subject)| {
        let (step, events) = search.step(&one)?;
        Some((one, blamed(given, trace, step, events, subject)?))
    };
    Raised { steps: new.into_iter().filter_map(step).collect(), exposed }
}

/// The step that is blamed for a finding that came up with `step`. A check or a job makes visible what was
/// done before it: then it is the last step before that changed what the finding is about, if there is one.
fn blamed(
    given: Given<'_>,
    trace: &Trace,
    step: Option<usize>,
    events: &[Event],
    subject: &Subject,
) -> Option<usize> {
    let changes = |step: &usize| {
        let of = trace.steps.get(*step);
        *step < given.plan.written().len() && of.is_some_and(|step| step.needs.check.is_none())
    };
    if step.as_ref().is_some_and(changes) {
        return step;
    }
    let is_subject = |change: &FactChange| {
        let (FactChange::Field(object, ..)
        | FactChange::Added(object, _)
        | FactChange::Removed(object, _)) = change;
        let kind = trace.facts.kind_of(*object);
        kind.is_some_and(|kind| kind.name == subject.kind)
            && trace.facts.key(*object) == subject.key
    };
    let touch = events.iter().rev().filter(|event| event.changes.iter().any(is_subject));
    touch.filter_map(|event| event.step).find(changes)
}

/// Events with changes, those of one step that follow each other together: the step, and how many events
/// there are up to their end.
fn runs(trace: &Trace) -> Vec<(Option<usize>, usize)> {
    let mut runs: Vec<(Option<usize>, usize)> = Vec::new();
    for (position, event) in trace.events.iter().enumerate() {
        if event.changes.is_empty() {
            continue;
        }
        match runs.last_mut().filter(|(step, _)| *step == event.step) {
            Some((_, end)) => *end = position + 1,
            None => runs.push((event.step, position + 1)),
        }
    }
    runs
}

struct Search<'a> {
    given: Given<'a>,
    trace: &'a Trace,
    now: &'a Instant,
    /// The rules that are asked.
    rules: BTreeSet<String>,
    runs: Vec<(Option<usize>, usize)>,
    /// The findings behind so many runs.
    seen: BTreeMap<usize, BTreeSet<String>>,
}

impl<'a> Search<'a> {
    /// The step behind which a finding is there for the first time, and all that happened up to there.
    fn step(&mut self, fingerprint: &str) -> Option<(Option<usize>, &'a [Event])> {
        // Behind `low` runs it is not there, behind `high` it is.
        let (mut low, mut high) = (0, self.runs.len());
        while high > low + 1 {
            let middle = low.midpoint(high);
            if self.findings(middle).contains(fingerprint) {
                high = middle;
            } else {
                low = middle;
            }
        }
        let (step, end) = self.runs.get(low)?;
        Some((*step, self.trace.events.get(..*end).unwrap_or_default()))
    }

    fn findings(&mut self, runs: usize) -> &BTreeSet<String> {
        if !self.seen.contains_key(&runs) {
            let end = runs.checked_sub(1).and_then(|last| self.runs.get(last)).map(|(_, end)| *end);
            let events = self.trace.events.get(..end.unwrap_or(0)).unwrap_or_default();
            let facts = self.facts(events);
            let wanted = |rule: &crate::rule::Rule| self.rules.contains(&*rule.id);
            let found = eval::evaluate(&facts, self.given.set, self.now, None, &wanted);
            let found = findings(&found).map(|(_, one)| one.fingerprint.clone()).collect();
            self.seen.insert(runs, found);
        }
        self.seen.entry(runs).or_default()
    }

    fn facts(&self, events: &[Event]) -> Arc<Facts> {
        let mut facts = self.given.facts.clone();
        for change in events.iter().flat_map(|event| &event.changes) {
            insight::make(&mut facts, self.trace, change);
        }
        facts
    }
}
