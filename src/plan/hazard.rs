//! What is wrong with a plan, read off its traces.

mod find;

use std::collections::BTreeSet;

use crate::diagnostic::Place;
use crate::finding::{Evaluation, RepairStep, Role, Severity};
use crate::gate::{self, Threshold, Verdict};
use crate::plan::trace::Trace;
use crate::rule::pack::RuleSet;

pub use find::{Given, find};

/// A kind of hazard.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Its permanent name.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a period.
    pub title: &'static str,
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
    /// The rule behind it.
    pub rule: Option<String>,
    /// Whether it depends on something that may happen and need not.
    pub may: bool,
    /// Who takes responsibility for it, and why.
    pub accepted: Option<String>,
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
            rule: None,
            may: false,
            accepted: None,
        }
    }
}

/// All kinds of hazard, by id.
pub const KINDS: &[Kind] = &[
    Kind {
        id: "plan-accept-expired",
        severity: Severity::Warning,
        title: "Somebody took responsibility for a hazard, but no longer does when the window opens",
        explanation: "The hazard counts again. Ask whoever answers for it, and write a later `until`, or mend the plan.",
        is_unknown: false,
    },
    Kind {
        id: "plan-accept-unused",
        severity: Severity::Note,
        title: "A hazard is accepted that the step does not have",
        explanation: "Left standing, it would silently cover what a later edit of the plan brings in. Take it out of `accept`.",
        is_unknown: false,
    },
    Kind {
        id: "plan-blackout",
        severity: Severity::Error,
        title: "A step runs in a time in which its objects must be left alone",
        explanation: "The plan itself names the time under `blackouts`. Move the step, or the blackout.",
        is_unknown: false,
    },
    Kind {
        id: "plan-check-interrupted",
        severity: Severity::Warning,
        title: "A check is broken off or made worthless while it runs",
        explanation: "A step that takes a server away, or changes what the check looks at, makes the check vain: it has to \
                      run again from the start. Let the step wait for the check (`after`), or check later.",
        is_unknown: false,
    },
    Kind {
        id: "plan-check-needless",
        severity: Severity::Warning,
        title: "A check of an object that is well",
        explanation: "While a check runs no recovery point can be made, so checking what is well only costs protection.",
        is_unknown: false,
    },
    Kind {
        id: "plan-check-wasted",
        severity: Severity::Error,
        title: "A check while a cause is not repaired",
        explanation: "A check cures only what is over. While a cause stands it fails, or finds the object broken again: repair \
                      the cause first. Such a check is shown as refused at once.",
        is_unknown: false,
    },
    Kind {
        id: "plan-collides",
        severity: Severity::Warning,
        title: "A step is in the way of a job that begins by itself",
        explanation: "The schedule does not wait for the plan: a job that finds its object locked, or in a check, fails or is \
                      broken off. Move the step, or let the check end before the time of the job.",
        is_unknown: false,
    },
    Kind {
        id: "plan-depends-on-chance",
        severity: Severity::Note,
        title: "The verdict depends on something that may happen",
        explanation: "What may happen counts as happening. If it does not, the plan ends better than this report says.",
        is_unknown: false,
    },
    Kind {
        id: "plan-end-unprotected",
        severity: Severity::Error,
        title: "Objects are not protected when the window closes",
        explanation: "From then on no new recovery point can be made of them until somebody notices. Repair the causes that \
                      still stand, then let a check run to its end within the window.",
        is_unknown: false,
    },
    Kind {
        id: "plan-exposure",
        severity: Severity::Error,
        title: "An object is without protection for longer than the goal allows",
        explanation: "The goal's `max_exposure` is the longest time in which no recovery point can be made of one object.",
        is_unknown: false,
    },
    Kind {
        id: "plan-hits-all",
        severity: Severity::Warning,
        title: "One step makes all protected objects bad at once",
        explanation: "If anything goes wrong behind this step, nothing is protected. Where it cannot be split, accept it in \
                      the plan with a reason.",
        is_unknown: false,
    },
    Kind {
        id: "plan-job-fails",
        severity: Severity::Note,
        title: "A job that begins by itself fails because its object is not protected then",
        explanation: "It is a part of what the time without protection costs, and the reason why people are called at night: \
                      tell those who watch the jobs.",
        is_unknown: false,
    },
    Kind {
        id: "plan-new-finding",
        severity: Severity::Warning,
        title: "A rule is violated at the end that was not at the start",
        explanation: "All rules are judged on the facts as the plan leaves them. How bad this is, the rule says.",
        is_unknown: false,
    },
    Kind {
        id: "plan-no-op",
        severity: Severity::Note,
        title: "A step that is done already",
        explanation: "The facts are as the step would make them, so nothing happens. Often a slip in its arguments, or the plan \
                      was carried out already.",
        is_unknown: false,
    },
    Kind {
        id: "plan-no-undo",
        severity: Severity::Note,
        title: "A step that cannot be taken back",
        explanation: "Its action declares no `undo`: behind it there is only the way forward.",
        is_unknown: false,
    },
    Kind {
        id: "plan-precondition",
        severity: Severity::Error,
        title: "A step cannot begin as things are then",
        explanation: "What its action requires does not hold at that time. Nothing that it would do is done.",
        is_unknown: false,
    },
    Kind {
        id: "plan-stale",
        severity: Severity::Error,
        title: "The facts are too old when the window opens",
        explanation: "Between collecting facts and the first step other people go on working. Collect them again shortly \
                      before, and check the plan with them.",
        is_unknown: true,
    },
    Kind {
        id: "plan-step-never",
        severity: Severity::Error,
        title: "A step never begins",
        explanation: "What it waits for does not come.",
        is_unknown: false,
    },
    Kind {
        id: "plan-touched-twice",
        severity: Severity::Warning,
        title: "An object is broken early and then broken again by a step that it could have waited for",
        explanation: "One check at the end serves all changes, so what is done to an object before a step that breaks it anyway \
                      only makes it unprotected for longer.",
        is_unknown: false,
    },
    Kind {
        id: "plan-unknown",
        severity: Severity::Error,
        title: "Facts are missing on which the plan hangs",
        explanation: "A missing fact is never read as safe. Collect it, or state it in a fact file.",
        is_unknown: true,
    },
    Kind {
        id: "plan-window",
        severity: Severity::Error,
        title: "A step does not end within the window",
        explanation: "Counted with the longest duration that the action names. A shorter one is only safe where it was \
                      measured: state it as `estimate`, or in `calibration`.",
        is_unknown: false,
    },
];

/// The kind of that name.
#[must_use]
pub fn kind(id: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.id == id)
}

/// Ids of the hazards that a step can accept: nobody takes responsibility for what nobody knows, or for what
/// is wrong with taking it.
#[must_use]
pub fn acceptable() -> Vec<&'static str> {
    let known = KINDS.iter().filter(|kind| !kind.is_unknown && !kind.id.starts_with(OF_ACCEPTING));
    known.map(|kind| kind.id).collect()
}

/// Begin of the ids of hazards about accepting others.
const OF_ACCEPTING: &str = "plan-accept-";

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
    // What could only be a warning hides nothing from a gate that lets warnings through.
    let matters = |severity| severity == Severity::Error || threshold.reached(severity);
    let is_unknown = open().any(|hazard| hazard.kind.is_unknown && matters(hazard.severity));
    gate::decide(known.map(|hazard| hazard.severity), is_unknown, threshold)
}

/// The repairs that the rules ask for before protected objects can be checked. Looking for what is wrong is
/// none where there is something to do.
pub(in crate::plan) fn needed_for<'e>(
    set: &RuleSet,
    evaluation: &'e Evaluation,
    keys: &BTreeSet<&str>,
) -> Vec<&'e RepairStep> {
    let kind = evaluation.protected_kind.as_deref();
    let helps = |step: &&RepairStep| {
        step.helps.iter().any(|one| Some(&*one.kind) == kind && keys.contains(&*one.key))
    };
    let is_fix = |step: &&RepairStep| step.step.role != Role::Check && !step.step.after_check;
    let is_manual = |step: &&RepairStep| {
        let mut actions = set.actions.iter();
        let action = actions.find(|action| action.id == step.step.action);
        action.is_some_and(|action| action.course.manual.is_some())
    };
    let all: Vec<&RepairStep> = evaluation.repair.iter().filter(is_fix).filter(helps).collect();
    let done: Vec<&RepairStep> = all.iter().copied().filter(|step| !is_manual(step)).collect();
    if done.is_empty() { all } else { done }
}
