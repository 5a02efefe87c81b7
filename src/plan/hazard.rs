//! What is wrong with a plan, read off its traces.

mod find;

use crate::diagnostic::Place;
use crate::finding::Severity;
use crate::gate::{self, Threshold, Verdict};
use crate::plan::trace::Trace;

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
    pub chain: Vec<String>,
    /// What helps.
    pub help: Vec<String>,
    /// The rule behind it.
    pub rule: Option<String>,
    /// Whether it depends on something that may happen and need not.
    pub may: bool,
    /// Who takes responsibility for it, and why.
    pub accepted: Option<String>,
}

/// All kinds of hazard, by id.
pub const KINDS: &[Kind] = &[
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
}

impl Judged {
    /// The gate's answer.
    #[must_use]
    pub fn verdict(&self, threshold: Threshold) -> Verdict {
        let open = || self.hazards.iter().filter(|hazard| hazard.accepted.is_none());
        let known = open().filter(|hazard| !hazard.kind.is_unknown);
        let is_unknown = open().any(|hazard| hazard.kind.is_unknown);
        gate::decide(known.map(|hazard| hazard.severity), is_unknown, threshold)
    }
}
