//! What findings ask for, each step once.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::facts::value::{ObjectId, Value, fold};
use crate::finding::{Argument, Evaluation, Finding, RepairStep, Role, Step, Subject, Verdict};
use crate::plan::remedy::{Aside, Fate, Given, Known, Why};
use crate::plan::simulate::check_of;
use crate::plan::world::{NoArgument, argument};
use crate::rule::action::Action;

/// A step that a plan can have.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) step: Step,
    /// Position of the action in the rule set.
    pub(super) action: usize,
    pub(super) args: Vec<Value>,
    /// Positions of the findings that ask for it.
    pub(super) purposes: Vec<usize>,
    /// Positions of the wishes that come before it, where they come at all.
    pub(super) after: Vec<usize>,
    pub(super) stage: Stage,
}

/// Where a step belongs, as far as nothing else decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Repair,
    Check,
    AfterCheck,
}

impl Stage {
    pub(super) const ALL: [Self; 3] = [Self::Repair, Self::Check, Self::AfterCheck];

    fn of(step: &Step) -> Self {
        match step.role {
            Role::Check => Self::Check,
            Role::Change | Role::Fix if step.after_check => Self::AfterCheck,
            Role::Change | Role::Fix => Self::Repair,
        }
    }
}

/// Why a finding is repaired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    /// Somebody asked for it.
    Asked,
    /// What somebody asked for is vain without.
    Needed,
    /// It comes up on the way.
    Later,
}

/// Where a step went.
#[derive(Clone, Copy, Debug)]
enum Seat {
    Wish(usize),
    Aside(usize),
}

/// The steps that findings ask for.
pub(super) struct Wishes<'a> {
    given: Given<'a>,
    pub(super) all: Vec<Wish>,
    pub(super) asides: Vec<Aside>,
    pub(super) findings: Vec<Known>,
    seats: HashMap<String, Seat>,
    known: HashMap<String, usize>,
    /// Names of steps that nobody wants.
    dropped: BTreeSet<String>,
}

impl<'a> Wishes<'a> {
    pub(super) fn new(given: Given<'a>, dropped: BTreeSet<String>) -> Self {
        Self {
            given,
            all: Vec::new(),
            asides: Vec::new(),
            findings: Vec::new(),
            seats: HashMap::new(),
            known: HashMap::new(),
            dropped,
        }
    }

    /// Whether a finding, by its fingerprint, is one of those that are repaired.
    pub(super) fn knows(&self, fingerprint: &str) -> bool {
        self.known.contains_key(fingerprint)
    }

    /// Takes the findings that are wanted, with their steps; whether there was a step not known before.
    pub(super) fn take(
        &mut self,
        evaluation: &Evaluation,
        since: Since,
        wanted: &dyn Fn(&Verdict, &Finding) -> bool,
    ) -> bool {
        let mut chosen: HashMap<usize, usize> = HashMap::new();
        for (position, verdict) in evaluation.verdicts.iter().enumerate() {
            let Some(finding) = &verdict.finding else { continue };
            if wanted(verdict, finding) {
                chosen.insert(position, self.finding(evaluation, verdict, finding, since));
            }
        }
        let before = self.all.len();
        for known in &evaluation.repair {
            let mut purposes: Vec<usize> =
                known.verdicts.iter().filter_map(|verdict| chosen.get(verdict).copied()).collect();
            purposes.sort_unstable();
            purposes.dedup();
            if !purposes.is_empty() {
                self.step(known, purposes);
            }
        }
        self.links(evaluation, &chosen);
        self.all.len() > before
    }

    /// The position of a finding, a new one if it was not known.
    fn finding(
        &mut self,
        evaluation: &Evaluation,
        verdict: &Verdict,
        finding: &Finding,
        since: Since,
    ) -> usize {
        if let Some(known) = self.known.get(&finding.fingerprint) {
            return *known;
        }
        let position = self.findings.len();
        let rule = evaluation.rule(verdict).map(|rule| rule.id.clone()).unwrap_or_default();
        self.findings.push(Known {
            manual: self.given.set.rule(&rule).and_then(|rule| rule.manual.clone()),
            rule,
            severity: evaluation.severity(verdict),
            subject: verdict.subject.clone(),
            message: finding.message.clone(),
            fingerprint: finding.fingerprint.clone(),
            is_old: since != Since::Later,
            is_needed: since == Since::Needed,
            fate: Fate::Stays,
        });
        self.known.insert(finding.fingerprint.clone(), position);
        position
    }

    fn step(&mut self, known: &RepairStep, purposes: Vec<usize>) {
        let step = &known.step;
        if self.dropped.contains(&step.name) {
            return;
        }
        let merged = match self.seats.get(&step.name) {
            Some(Seat::Wish(position)) => {
                self.all.get_mut(*position).map(|wish| &mut wish.purposes)
            }
            Some(Seat::Aside(position)) => {
                self.asides.get_mut(*position).map(|aside| &mut aside.purposes)
            }
            None => None,
        };
        if let Some(all) = merged {
            all.extend(purposes);
            all.sort_unstable();
            all.dedup();
            return;
        }
        let seat = match self.wish(step, &purposes) {
            Ok(wish) => {
                self.all.push(wish);
                Seat::Wish(self.all.len() - 1)
            }
            Err(why) => {
                self.asides.push(Aside { step: step.clone(), purposes, why });
                Seat::Aside(self.asides.len() - 1)
            }
        };
        self.seats.insert(step.name.clone(), seat);
    }

    fn wish(&self, step: &Step, purposes: &[usize]) -> Result<Wish, Why> {
        let known = self.given.set.actions.iter().enumerate();
        let (action, named) = known
            .into_iter()
            .find(|(_, action)| action.id == step.action)
            .ok_or_else(|| Why::Unknown(format!("the action `{}`", step.action)))?;
        // Waiting changes nothing either, but it has its place in a plan.
        if let Some(reason) = &named.course.manual
            && named.course.occupies_operator
        {
            return Err(Why::ByHand(reason.clone()));
        }
        if let Some(facts) = &step.unsure {
            return Err(Why::Unknown(facts.clone()));
        }
        let args = self.arguments(named, step)?;
        let (step, purposes) = (step.clone(), purposes.to_vec());
        let stage = Stage::of(&step);
        Ok(Wish { step, action, args, purposes, after: Vec::new(), stage })
    }

    fn arguments(&self, action: &Action, step: &Step) -> Result<Vec<Value>, Why> {
        let pairs = action.args.iter().zip(&step.with);
        let mut values = Vec::new();
        for (arg, (name, given)) in pairs {
            let value = argument(self.given.facts, arg, given).map_err(|none| match none {
                NoArgument::Unknown(facts) => Why::Unknown(facts),
                NoArgument::Open => Why::ByHand(format!("somebody has to choose `{name}`.")),
            });
            values.push(value?);
        }
        Ok(values)
    }

    /// What comes before what: causes before checks, checks before what needs them, and what must wait
    /// while a finding stands behind the repair of that finding.
    fn links(&mut self, evaluation: &Evaluation, chosen: &HashMap<usize, usize>) {
        let wish =
            |seats: &HashMap<String, Seat>, known: &RepairStep| match seats.get(&known.step.name) {
                Some(Seat::Wish(position)) => Some(*position),
                _ => None,
            };
        let seats: Vec<Option<usize>> =
            evaluation.repair.iter().map(|known| wish(&self.seats, known)).collect();
        // Of each finding: the steps that end what others wait for, repairs and running checks.
        let mut repairs: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut by_place: HashMap<(&str, &Subject), usize> = HashMap::new();
        for (known, seat) in evaluation.repair.iter().zip(&seats) {
            let Some(seat) = *seat else { continue };
            let after =
                known.after.iter().filter_map(|before| seats.get(*before).copied().flatten());
            let after: Vec<usize> = after.collect();
            if let Some(wish) = self.all.get_mut(seat) {
                wish.after.extend(after);
                if wish.stage != Stage::AfterCheck {
                    for verdict in &known.verdicts {
                        repairs.entry(*verdict).or_default().push(seat);
                    }
                }
            }
            if let Some(at) = &known.step.at {
                by_place.insert((&known.step.action, at), seat);
            }
        }
        for (position, verdict) in evaluation.verdicts.iter().enumerate() {
            let withholds = verdict.finding.iter().flat_map(|finding| &finding.withholds);
            for withheld in withholds.filter(|_| chosen.contains_key(&position)) {
                let waits = by_place.get(&(&*withheld.action, &withheld.at)).copied();
                let before = repairs.get(&position).into_iter().flatten().copied();
                if let Some(wish) = waits.and_then(|waits| self.all.get_mut(waits)) {
                    wish.after.extend(before.filter(|before| Some(*before) != waits));
                }
            }
        }
        for wish in &mut self.all {
            wish.after.sort_unstable();
            wish.after.dedup();
        }
    }

    /// Asks for a check of an object behind what makes it bad; whether that is new.
    pub(super) fn check(&mut self, object: ObjectId, causes: &[usize]) -> bool {
        let is_check = |wish: &Wish| {
            wish.stage == Stage::Check
                && wish.args.first().is_some_and(|arg| is_object(arg, object))
        };
        if let Some(position) = self.all.iter().position(is_check) {
            let Some(wish) = self.all.get_mut(position) else { return false };
            let before = wish.after.len();
            wish.after.extend(causes.iter().filter(|cause| **cause != position));
            wish.after.sort_unstable();
            wish.after.dedup();
            return wish.after.len() > before;
        }
        let step = self.step_of_check(object);
        let step = step.filter(|step| !self.dropped.contains(&step.name));
        let Some(step) = step else { return false };
        match self.wish(&step, &[]) {
            Ok(mut wish) => {
                wish.after = causes.to_vec();
                self.seats.insert(step.name.clone(), Seat::Wish(self.all.len()));
                self.all.push(wish);
                true
            }
            Err(_) => false,
        }
    }

    fn step_of_check(&self, object: ObjectId) -> Option<Step> {
        let action = check_of(self.given.set)?;
        let facts = self.given.facts;
        let (key, kind) = (facts.key(object), facts.kind_of(object)?.name.clone());
        let at = Subject { kind, key: key.clone() };
        let arg: Arc<str> = action.args.first()?.name.clone();
        Some(Step {
            action: action.id.clone(),
            role: action.role,
            after_check: action.after_check,
            at: Some(at.clone()),
            name: format!("{} {}", action.id, fold(&key)),
            with: vec![(arg, Argument::Object(at))],
            text: action.title.clone(),
            unsure: None,
            commands: Vec::new(),
            takes: None,
        })
    }
}

fn is_object(value: &Value, object: ObjectId) -> bool {
    matches!(value, Value::Object(known) if *known == object)
}
