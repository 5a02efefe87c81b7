//! From the steps of all findings to one list: each step once, causes first, checks behind them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::finding::{Evaluation, Finding, RepairStep, Role, Severity, Step, Subject};

/// Where a step belongs, whatever the findings say of its order: repairs by the place where they are
/// done, then checks, then what succeeds only on a checked object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    stage: u8,
    kind: usize,
    at: Option<Subject>,
    /// Worst first.
    severity: std::cmp::Reverse<Severity>,
    seen: usize,
}

/// The steps of all findings, in the order in which they are to be done.
///
/// `order` are the kinds of places, first ones first; `undecided` says which cause rules are undecided
/// for an object. Two findings that ask for the same step share it. The order of the repairs within
/// one finding is kept; beyond that they go by the kind of their place.
pub(super) fn repair(
    evaluation: &Evaluation,
    order: &[Arc<str>],
    undecided: &dyn Fn(&Subject) -> Vec<Arc<str>>,
) -> Vec<RepairStep> {
    let mut plan = Plan::default();
    for (position, verdict) in evaluation.verdicts.iter().enumerate() {
        if let Some(finding) = &verdict.finding {
            let severity = evaluation.severity(verdict);
            plan.add(position, severity, finding, &verdict.subject, evaluation, order);
        }
    }
    let mut steps = plan.sorted();
    let withheld = evaluation.verdicts.iter().filter_map(|verdict| verdict.finding.as_ref());
    for withheld in withheld.flat_map(|finding| &finding.withholds) {
        for known in &mut steps {
            if known.step.action == withheld.action
                && known.step.at.as_ref() == Some(&withheld.at)
                && !known.withheld.contains(&withheld.because)
            {
                known.withheld.push(withheld.because.clone());
            }
        }
    }
    let needed: Vec<(usize, BTreeSet<Subject>)> = steps
        .iter()
        .enumerate()
        .filter(|(_, known)| known.step.role != Role::Check && !known.step.after_check)
        .filter(|(_, known)| is_cause(known, evaluation))
        .map(|(position, known)| (position, known.helps.iter().cloned().collect()))
        .collect();
    for known in steps.iter_mut().filter(|known| known.step.role == Role::Check) {
        let Some(at) = &known.step.at else { continue };
        let before = needed.iter().filter(|(_, helps)| helps.contains(at));
        known.after = before.map(|(position, _)| *position).collect();
        known.undecided = undecided(at);
    }
    steps
}

/// A note asks for nothing without which a check would be wasted.
fn is_cause(known: &RepairStep, evaluation: &Evaluation) -> bool {
    let verdicts = known.verdicts.iter().filter_map(|position| evaluation.verdicts.get(*position));
    verdicts.map(|verdict| evaluation.severity(verdict)).any(|severity| severity > Severity::Note)
}

#[derive(Default)]
struct Plan {
    steps: Vec<(Rank, RepairStep)>,
    by_name: HashMap<String, usize>,
    /// For a step: those that come behind it in one of its findings.
    behind: BTreeMap<usize, BTreeSet<usize>>,
}

impl Plan {
    fn add(
        &mut self,
        verdict: usize,
        severity: Severity,
        finding: &Finding,
        subject: &Subject,
        evaluation: &Evaluation,
        order: &[Arc<str>],
    ) {
        let is_protected = |object: &&Subject| Some(&object.kind) == evaluation.protected_kind.as_ref();
        let harmed: Vec<&Subject> =
            std::iter::once(subject).chain(&finding.affects).filter(is_protected).collect();
        let mut last: Option<usize> = None;
        for step in &finding.steps {
            // What is done at one protected object helps that one only.
            let helps = match step.at.as_ref().filter(is_protected) {
                Some(at) => vec![at.clone()],
                None => harmed.iter().map(|object| (*object).clone()).collect(),
            };
            let position = self.step(step, severity, order);
            if let Some((rank, known)) = self.steps.get_mut(position) {
                rank.severity = rank.severity.min(std::cmp::Reverse(severity));
                known.verdicts.push(verdict);
                known.helps.extend(helps);
                join(&mut known.step, step);
            }
            if stage(step) == 0 {
                if let Some(before) = last.filter(|before| *before != position) {
                    self.behind.entry(before).or_default().insert(position);
                }
                last = Some(position);
            }
        }
    }

    fn step(&mut self, step: &Step, severity: Severity, order: &[Arc<str>]) -> usize {
        let next = self.steps.len();
        let position = *self.by_name.entry(step.name.clone()).or_insert(next);
        if position == next {
            let kind = step.at.as_ref().and_then(|at| order.iter().position(|k| *k == at.kind));
            let rank = Rank {
                stage: stage(step),
                kind: kind.unwrap_or(order.len()),
                at: step.at.clone(),
                severity: std::cmp::Reverse(severity),
                seen: next,
            };
            let known = RepairStep {
                step: step.clone(),
                verdicts: Vec::new(),
                helps: Vec::new(),
                after: Vec::new(),
                withheld: Vec::new(),
                undecided: Vec::new(),
            };
            self.steps.push((rank, known));
        }
        position
    }

    /// Always the first by rank of those that have none before them; where findings contradict each
    /// other about an order, the rank decides.
    fn sorted(mut self) -> Vec<RepairStep> {
        let mut waits = vec![0_usize; self.steps.len()];
        for position in self.behind.values().flatten() {
            if let Some(count) = waits.get_mut(*position) {
                *count += 1;
            }
        }
        let rank = |position: usize| self.steps.get(position).map(|(rank, _)| rank.clone());
        let (mut ready, mut waiting) = (BTreeSet::new(), BTreeSet::new());
        for (position, count) in waits.iter().enumerate() {
            let set = if *count == 0 { &mut ready } else { &mut waiting };
            set.insert((rank(position), position));
        }
        let mut order = Vec::with_capacity(self.steps.len());
        while let Some((_, position)) = ready.pop_first().or_else(|| waiting.pop_first()) {
            order.push(position);
            for behind in self.behind.remove(&position).unwrap_or_default() {
                let Some(count) = waits.get_mut(behind) else { continue };
                *count = count.saturating_sub(1);
                let key = (rank(behind), behind);
                if *count == 0 && waiting.remove(&key) {
                    ready.insert(key);
                }
            }
        }
        let mut steps: Vec<Option<RepairStep>> =
            self.steps.into_iter().map(|(_, known)| Some(known)).collect();
        let mut sorted: Vec<RepairStep> = order
            .into_iter()
            .filter_map(|position| steps.get_mut(position).and_then(Option::take))
            .collect();
        for known in &mut sorted {
            known.helps.sort();
            known.helps.dedup();
            known.verdicts.dedup();
        }
        sorted
    }
}

fn stage(step: &Step) -> u8 {
    match step.role {
        Role::Check => 1,
        Role::Change | Role::Fix if step.after_check => 2,
        Role::Change | Role::Fix => 0,
    }
}

/// Takes in what another finding says of the same step.
fn join(known: &mut Step, other: &Step) {
    if known.name != other.name {
        return;
    }
    if !known.text.contains(&other.text) {
        known.text = format!("{}\n{}", known.text, other.text);
    }
    known.unsure = known.unsure.take().filter(|_| other.unsure.is_some());
    for command in &other.commands {
        if !known.commands.contains(command) {
            known.commands.push(command.clone());
        }
    }
}
