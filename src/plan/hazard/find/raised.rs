//! The steps that raise findings: behind which of them a rule is violated for the first time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::eval;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::finding::Evaluation;
use crate::plan::hazard::Given;
use crate::plan::hazard::find::known::findings;
use crate::plan::insight;
use crate::plan::trace::{Event, Trace};

/// Steps by the fingerprints of the findings that they raise.
pub(super) type Raised = BTreeMap<String, usize>;

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
        Some((one.fingerprint.clone(), rule.id.to_string()))
    });
    let new: Vec<(String, String)> = new.collect();
    if new.is_empty() {
        return Raised::new();
    }
    let rules: BTreeSet<String> = new.iter().map(|(_, rule)| rule.clone()).collect();
    let mut search = Search { given, trace, now, rules, runs: runs(trace), seen: BTreeMap::new() };
    new.into_iter().filter_map(|(one, _)| Some((one.clone(), search.step(&one)?))).collect()
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

impl Search<'_> {
    fn step(&mut self, fingerprint: &str) -> Option<usize> {
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
        self.runs.get(low)?.0
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
