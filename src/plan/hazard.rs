//! What is wrong with a plan, read off its traces.

mod courses;
mod find;
mod fixes;
mod kinds;
mod past;

use crate::diagnostic::Place;
use crate::finding::{Evaluation, Severity};
use crate::gate::{self, Threshold, Verdict};
use crate::plan::trace::Trace;

pub(in crate::plan) use find::blackouts_of;
pub use find::{Given, find, find_telling, steps_in_all};
pub(in crate::plan) use fixes::{Fixes, Help};
pub use kinds::KINDS;

/// A kind of hazard.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its permanent name.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a period.
    pub title: &'static str,
    /// How it is found.
    pub found: &'static str,
    /// Why it matters and what helps.
    pub explanation: &'static str,
    /// Whether it means that nobody can say.
    pub is_unknown: bool,
}

/// A link of the chain of events that leads to a hazard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What happened.
    pub said: String,
    /// The step at which it did; none if it was so before.
    pub step: Option<usize>,
}

/// Something wrong with a plan.
#[derive(Clone, Debug)]
pub struct Hazard {
    /// What kind.
    pub kind: &'static Kind,
    /// How bad it is: as its kind, unless a rule says otherwise.
    pub severity: Severity,
    /// What is wrong here.
    pub message: String,
    /// The step that it belongs to.
    pub step: Option<usize>,
    /// Keys of the objects that it is about.
    pub objects: Vec<String>,
    /// Where in the plan it is shown.
    pub place: Place,
    /// How it came about, one link after the other.
    pub chain: Vec<Link>,
    /// What helps.
    pub help: Vec<String>,
    /// What fact files have to hold for somebody to say.
    pub missing: Vec<String>,
    /// The rule behind it.
    pub rule: Option<String>,
    /// Whether it depends on something that may happen and need not.
    pub may: bool,
    /// Who takes responsibility for it, and why.
    pub accepted: Option<String>,
    /// The other course of events in which alone it comes true, where it does not with the longest durations.
    pub only: Option<Course>,
}

/// A course of events other than the one with the longest durations and the order of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Course {
    /// All durations are the usual ones.
    Usual,
    /// Of two steps that nothing orders the other one comes first.
    Order,
    /// Some steps take the usual time, others the longest.
    Mixed,
}

impl Course {
    /// As JSON has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usual => "usual_durations",
            Self::Order => "other_order",
            Self::Mixed => "mixed_durations",
        }
    }
}

impl Hazard {
    /// One of that kind, about nothing in particular yet.
    fn new(kind: &'static Kind, step: Option<usize>, message: String, place: Place) -> Self {
        Self {
            kind,
            severity: kind.severity,
            message,
            step,
            objects: Vec::new(),
            place,
            chain: Vec::new(),
            help: Vec::new(),
            missing: Vec::new(),
            rule: None,
            may: false,
            accepted: None,
            only: None,
        }
    }

    /// Whether others say the same: at the same step, of all its objects.
    fn is_among(&self, others: &[Self]) -> bool {
        others.iter().any(|other| {
            other.kind.id == self.kind.id
                && other.step == self.step
                && other.rule == self.rule
                && self.objects.iter().all(|key| other.objects.contains(key))
        })
    }
}

/// The kind of that name.
#[must_use]
pub fn kind(id: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.id == id)
}

/// Ids of the hazards that a step can accept.
#[must_use]
pub fn acceptable() -> Vec<&'static str> {
    KINDS.iter().filter(|kind| kind.is_acceptable()).map(|kind| kind.id).collect()
}

impl Kind {
    /// Whether a step can accept it: nobody takes responsibility for what nobody knows, for what is wrong with
    /// taking it, or for a step that does not take place: what it would do has not been looked at.
    #[must_use]
    pub fn is_acceptable(&self) -> bool {
        !self.is_unknown && !self.id.starts_with(OF_ACCEPTING) && !NOT_DONE.contains(&self.id)
    }

    /// Whether one of that severity leaves a gate without a verdict. What could only be a warning hides
    /// nothing from a gate that lets warnings through.
    #[must_use]
    pub fn leaves_open(&self, severity: Severity, threshold: Threshold) -> bool {
        self.is_unknown && (severity == Severity::Error || threshold.reached(severity))
    }
}

/// Hazards of steps that do not take place.
const NOT_DONE: [&str; 2] = ["plan-precondition", "plan-step-never"];

/// Begin of the ids of hazards about accepting others.
const OF_ACCEPTING: &str = "plan-accept-";

/// The worst first, then by step.
fn sort(hazards: &mut [Hazard]) {
    hazards.sort_by(|one, other| {
        let key =
            |hazard: &Hazard| (std::cmp::Reverse(hazard.severity), hazard.step, hazard.kind.id);
        key(one).cmp(&key(other)).then_with(|| one.objects.cmp(&other.objects))
    });
}

/// A plan with what came of simulating it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// With all that may happen, and the longest durations: for the gate.
    pub worst: Trace,
    /// With all that may happen, and the usual durations: for the table.
    pub expected: Trace,
    /// Without what may happen, and the longest durations.
    pub lucky: Trace,
    /// What is wrong, the worst first.
    pub hazards: Vec<Hazard>,
    /// What is wrong with the usual durations.
    pub expected_hazards: Vec<Hazard>,
    /// What is wrong without what may happen.
    pub lucky_hazards: Vec<Hazard>,
    /// What the rules say of the facts at the end, with all that may happen and the longest durations.
    pub after: Evaluation,
    /// How many courses of events that may end worse were not tried.
    pub untried: usize,
}

impl Judged {
    /// The gate's answer.
    #[must_use]
    pub fn verdict(&self, threshold: Threshold) -> Verdict {
        verdict(&self.hazards, threshold)
    }

    /// What it would be with the usual durations.
    #[must_use]
    pub fn expected_verdict(&self, threshold: Threshold) -> Verdict {
        verdict(&self.expected_hazards, threshold)
    }

    /// What it would be if nothing happened that need not.
    #[must_use]
    pub fn lucky_verdict(&self, threshold: Threshold) -> Verdict {
        verdict(&self.lucky_hazards, threshold)
    }
}

fn verdict(hazards: &[Hazard], threshold: Threshold) -> Verdict {
    let open = || hazards.iter().filter(|hazard| hazard.accepted.is_none());
    let known = open().filter(|hazard| !hazard.kind.is_unknown);
    let is_unknown = open().any(|hazard| hazard.kind.leaves_open(hazard.severity, threshold));
    gate::decide(known.map(|hazard| hazard.severity), is_unknown, threshold)
}
