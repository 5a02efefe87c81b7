//! What becomes of findings and of protected objects.

use std::collections::{BTreeSet, HashMap};

use crate::facts::value::{ObjectId, fold};
use crate::finding::{Evaluation, Finding, Outcome, Subject, Verdict};
use crate::plan::Plan;
use crate::plan::remedy::{Attempt, Fate, Known};
use crate::plan::trace::{ObjectTrace, StepStatus, Trace};
use crate::plan::world::Phase;

/// What becomes of findings, by what the rules say of the facts at the end.
pub(super) fn fates(known: &[Known], before: &Evaluation, after: &Evaluation) -> Vec<Fate> {
    let standing: BTreeSet<&str> =
        findings(after).map(|(_, finding)| finding.fingerprint.as_str()).collect();
    let open = Outcome::Undecided;
    let (before, after) = (counts(before, open), counts(after, open));
    let fate = |finding: &Known| {
        let about = (finding.rule.to_string(), finding.subject.clone());
        let count = |all: &HashMap<_, usize>| all.get(&about).copied().unwrap_or(0);
        match () {
            () if standing.contains(finding.fingerprint.as_str()) => Fate::Stays,
            () if count(&after) > count(&before) => Fate::Unknown,
            () => Fate::Cleared,
        }
    };
    known.iter().map(fate).collect()
}

/// How often each rule has an outcome for each object.
fn counts(evaluation: &Evaluation, outcome: Outcome) -> HashMap<(String, Subject), usize> {
    let mut all = HashMap::new();
    let open = evaluation.verdicts.iter().filter(|one| one.outcome == outcome);
    for verdict in open {
        let rule = evaluation.rule(verdict).map(|rule| rule.id.to_string()).unwrap_or_default();
        *all.entry((rule, verdict.subject.clone())).or_insert(0) += 1;
    }
    all
}

pub(super) fn findings(evaluation: &Evaluation) -> impl Iterator<Item = (&Verdict, &Finding)> {
    evaluation.verdicts.iter().filter_map(|verdict| Some((verdict, verdict.finding.as_ref()?)))
}

/// How things are at the end of a plan, as far as one plan can be better than another.
pub(super) struct Outcomes {
    /// How often each rule is violated for each object. What only the plan brings about has other fingerprints at other
    /// times.
    standing: HashMap<(String, Subject), usize>,
    undecided: HashMap<(String, Subject), usize>,
    /// Objects that are not protected.
    exposed: BTreeSet<ObjectId>,
    /// How many steps cannot begin.
    refused: usize,
    /// Seconds without protection, all together.
    pub(super) exposure: i64,
}

impl Outcomes {
    pub(super) fn of(made: &Attempt) -> Self {
        let objects = made.trace.objects.iter().filter(|one| one.ends().is_exposed());
        let fails =
            |status: &StepStatus| matches!(status, StepStatus::Refused(_) | StepStatus::Never);
        let written = made.trace.steps.iter().take(made.ordered.placed.len());
        Self {
            standing: counts(&made.end, Outcome::Violated),
            undecided: counts(&made.end, Outcome::Undecided),
            exposed: objects.map(|one| one.object).collect(),
            refused: written.filter(|step| fails(&step.status)).count(),
            exposure: made.trace.weighted_exposure(),
        }
    }

    /// Whether nothing ends worse than with another plan, and nothing is without protection for longer.
    pub(super) fn is_as_good_as(&self, other: &Self) -> bool {
        type Counts = HashMap<(String, Subject), usize>;
        let has_more = |ours: &Counts, theirs: &Counts| {
            ours.iter().any(|(about, count)| *count > theirs.get(about).copied().unwrap_or(0))
        };
        !has_more(&self.standing, &other.standing)
            && self.exposed.is_subset(&other.exposed)
            && self.refused <= other.refused
            && self.exposure <= other.exposure
            && !has_more(&self.undecided, &other.undecided)
    }
}

/// Says which protected objects the plan has to do with: not those that are bad before, are so after it, and
/// were not asked about; but those that were asked about, even where no step can help them.
pub(super) fn set_goal(plan: &mut Plan, known: &[Known], before: &Evaluation, trace: &Trace) {
    let all: BTreeSet<&str> = known.iter().map(|one| one.fingerprint.as_str()).collect();
    let asked = known.iter().filter(|one| one.is_asked());
    let asked: BTreeSet<&str> = asked.map(|one| one.fingerprint.as_str()).collect();
    let asked = about(before, &|print| asked.contains(print));
    let others = about(before, &|print| !all.contains(print));
    let is_bad_all_along = |object: &&ObjectTrace| {
        object.intervals.iter().all(|one| one.phase.is_exposed()) && object.ends().is_exposed()
    };
    // Good by its state alone: a finding stands that a backup would run into.
    let is_by_state = |object: &&ObjectTrace| {
        let last = object.intervals.last();
        last.is_some_and(|last| last.phase == Phase::Good && !last.open.is_empty())
    };
    let bad = trace.objects.iter().filter(|one| is_bad_all_along(one) || is_by_state(one));
    let (ours, bad): (Vec<_>, Vec<_>) = bad.partition(|one| asked.contains(&fold(&one.key)));
    plan.goal.is_all = ours.iter().any(|object| !object.is_touched());
    let reason = "bad before, or perhaps so, for reasons that this plan is not about";
    let others = bad.into_iter().filter(|one| others.contains(&fold(&one.key)));
    plan.goal.except = others.map(|one| (one.key.to_string(), reason.to_owned())).collect();
    // Of some nobody can say whether a cause stands, and no step has to do with them.
    let is_open = |object: &&ObjectTrace| {
        let mut left = trace.left.iter();
        object.ends() == Phase::Good
            && !object.is_named
            && object.intervals.iter().all(|one| one.caused_by.is_empty())
            && left.any(|doubt| doubt.anywhere || doubt.objects.contains(&object.object))
    };
    let is_left_out = |plan: &Plan, key: &str| plan.goal.except.iter().any(|(one, _)| one == key);
    for object in trace.objects.iter().filter(is_open) {
        if !asked.contains(&fold(&object.key)) && !is_left_out(plan, &object.key) {
            plan.goal.except.push((object.key.to_string(), reason.to_owned()));
        }
    }
    plan.goal.except.sort();
}

/// Keys of the protected objects that findings are about, by their fingerprints.
fn about(evaluation: &Evaluation, wanted: &dyn Fn(&str) -> bool) -> BTreeSet<String> {
    findings(evaluation)
        .filter(|(_, finding)| wanted(&finding.fingerprint))
        .flat_map(|(verdict, finding)| std::iter::once(&verdict.subject).chain(&finding.affects))
        .filter(|subject| Some(&subject.kind) == evaluation.protected_kind.as_ref())
        .map(|subject| fold(&subject.key))
        .collect()
}
