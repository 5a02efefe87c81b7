//! The order of steps: by stage, by place, and as each finding has them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::eval::repair::is_repair;
use crate::finding::{Evaluation, Finding, RepairStep, Role, Severity, Step, Subject};

/// Where a step belongs, whatever the findings say of its order: repairs by the place where they are
/// done, then checks, then what succeeds only on a checked object; then what only notes ask for, in the
/// same order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    stage: u8,
    kind: usize,
    at: Option<Subject>,
    /// Worst first.
    severity: std::cmp::Reverse<Severity>,
    seen: usize,
}

#[derive(Default)]
pub(super) struct Plan {
    steps: Vec<(Rank, RepairStep)>,
    by_name: HashMap<String, usize>,
    /// For a step: those that come behind it in one of its findings.
    behind: BTreeMap<usize, BTreeSet<usize>>,
}

impl Plan {
    pub(super) fn add(
        &mut self,
        verdict: usize,
        severity: Severity,
        finding: &Finding,
        subject: &Subject,
        evaluation: &Evaluation,
        order: &[Arc<str>],
    ) {
        let is_protected =
            |object: &&Subject| Some(&object.kind) == evaluation.protected_kind.as_ref();
        let harmed: Vec<&Subject> =
            std::iter::once(subject).chain(&finding.affects).filter(is_protected).collect();
        // A cause that somebody calls a note still makes checks vain.
        let is_late = severity == Severity::Note && !is_cause_rule(verdict, evaluation);
        let mut last: Option<usize> = None;
        for step in &finding.steps {
            // What is done at one protected object helps that one only.
            let helps = match step.at.as_ref().filter(is_protected) {
                Some(at) => vec![at.clone()],
                None => harmed.iter().map(|object| (*object).clone()).collect(),
            };
            let position = self.step(step, (severity, is_late), order);
            if let Some((rank, known)) = self.steps.get_mut(position) {
                rank.severity = rank.severity.min(std::cmp::Reverse(severity));
                rank.stage = rank.stage.min(stage(step, is_late));
                known.verdicts.push(verdict);
                known.helps.extend(helps);
                join(&mut known.step, step);
            }
            if let Some(before) = last.filter(|before| *before != position)
                && step.role != Role::Check
            {
                self.behind.entry(before).or_default().insert(position);
            }
            if is_repair(step) {
                last = Some(position);
            }
        }
    }

    fn step(
        &mut self,
        step: &Step,
        (severity, is_late): (Severity, bool),
        order: &[Arc<str>],
    ) -> usize {
        let next = self.steps.len();
        let position = *self.by_name.entry(step.name.clone()).or_insert(next);
        if position == next {
            let kind = step.at.as_ref().and_then(|at| order.iter().position(|k| *k == at.kind));
            let rank = Rank {
                stage: stage(step, is_late),
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

    /// The steps of one stage: always the first by rank of those that have none before them; where
    /// findings contradict each other about an order, the rank decides.
    fn stage_sorted(&self, stage: u8) -> Vec<usize> {
        let is_here = |position: &usize| {
            self.steps.get(*position).is_some_and(|(rank, _)| rank.stage == stage)
        };
        let rank = |position: usize| self.steps.get(position).map(|(rank, _)| rank.clone());
        let mut waits: BTreeMap<usize, usize> =
            (0..self.steps.len()).filter(is_here).map(|position| (position, 0)).collect();
        let before = self.behind.iter().filter(|(before, _)| is_here(before));
        for position in before.flat_map(|(_, behind)| behind) {
            if let Some(count) = waits.get_mut(position) {
                *count += 1;
            }
        }
        let (mut ready, mut waiting) = (BTreeSet::new(), BTreeSet::new());
        for (position, count) in &waits {
            let set = if *count == 0 { &mut ready } else { &mut waiting };
            set.insert((rank(*position), *position));
        }
        let mut order = Vec::new();
        while let Some((_, position)) = ready.pop_first().or_else(|| waiting.pop_first()) {
            order.push(position);
            for behind in self.behind.get(&position).into_iter().flatten() {
                let Some(count) = waits.get_mut(behind) else { continue };
                *count = count.saturating_sub(1);
                let key = (rank(*behind), *behind);
                if *count == 0 && waiting.remove(&key) {
                    ready.insert(key);
                }
            }
        }
        order
    }

    /// What only notes ask for comes last, unless a step waits for it that does not.
    fn hasten(&mut self) {
        let stage_of = |steps: &[(Rank, RepairStep)], position: &usize| {
            steps.get(*position).map_or(STAGES, |(rank, _)| rank.stage)
        };
        for (before, behind) in &self.behind {
            let is_awaited =
                behind.iter().any(|position| stage_of(&self.steps, position) == AFTER_CHECK);
            if is_awaited
                && let Some((rank, _)) = self.steps.get_mut(*before)
                && rank.stage == LATE
            {
                rank.stage = 0;
            }
        }
    }

    /// All steps in their order.
    pub(super) fn sorted(mut self) -> Vec<RepairStep> {
        self.hasten();
        let mut order = Vec::with_capacity(self.steps.len());
        for stage in 0..STAGES {
            order.extend(self.stage_sorted(stage));
        }
        // For what needs a check: the steps that come before it in its findings.
        let places: HashMap<usize, usize> =
            order.iter().enumerate().map(|(place, position)| (*position, place)).collect();
        for (before, behind) in &self.behind {
            for position in behind {
                if let (Some((_, known)), Some(place)) =
                    (self.steps.get_mut(*position), places.get(before))
                    && known.step.after_check
                {
                    known.after.push(*place);
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

/// The stage of what succeeds only on a checked object.
const AFTER_CHECK: u8 = 2;

/// The stage of repairs that only notes ask for.
const LATE: u8 = 3;

/// How many stages there are.
const STAGES: u8 = 5;

fn stage(step: &Step, is_late: bool) -> u8 {
    match (step.role, step.after_check) {
        (Role::Check, _) => 1,
        (Role::Change | Role::Fix, true) if is_late => LATE + 1,
        (Role::Change | Role::Fix, true) => AFTER_CHECK,
        (Role::Change | Role::Fix, false) if is_late => LATE,
        (Role::Change | Role::Fix, false) => 0,
    }
}

/// Whether the rule of a verdict is about what makes checks vain.
fn is_cause_rule(verdict: usize, evaluation: &Evaluation) -> bool {
    let rule = evaluation.verdicts.get(verdict).and_then(|verdict| evaluation.rule(verdict));
    rule.is_some_and(|rule| rule.tags.iter().any(|tag| tag == "cause"))
}

/// Takes in what another finding says of the same step.
fn join(known: &mut Step, other: &Step) {
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
