//! How protected objects look at a time: with the same signs and words in tables, timelines and drawings.

use crate::report::plan::{IntervalX, ObjectX, PlanReport};

/// How a stretch of time looks, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Look {
    Outside,
    Good,
    Busy,
    Unknown,
    Stopped,
    Bad,
    Blocked,
}

/// All looks, for a legend.
const LOOKS: [Look; 7] =
    [Look::Good, Look::Bad, Look::Blocked, Look::Busy, Look::Stopped, Look::Unknown, Look::Outside];

impl Look {
    pub(super) fn of(interval: &IntervalX) -> Self {
        Self::named(interval.phase, interval.is_blocked)
    }

    pub(super) fn named(phase: &str, is_blocked: bool) -> Self {
        match phase {
            "good" => Self::Good,
            "busy" => Self::Busy,
            "stopped" => Self::Stopped,
            "unknown" => Self::Unknown,
            "bad" if is_blocked => Self::Blocked,
            "bad" => Self::Bad,
            _ => Self::Outside,
        }
    }

    /// The worst look of an object from one second up to another, which is not among them.
    pub(super) fn worst(object: &ObjectX, from: i64, to: i64) -> Self {
        let meets = object.intervals.iter().filter(|one| one.from < to && from < one.to);
        meets.map(Self::of).max().unwrap_or(Self::Outside)
    }

    /// The look of an object when a step has ended at a second and left it neither bad nor unknown: good, or
    /// not counted yet or any more.
    pub(super) fn at_rest(object: &ObjectX, second: i64) -> Self {
        let before = object.intervals.iter().rev().filter(|one| one.from <= second);
        let mut at_rest = before.map(Self::of).filter(|look| *look <= Self::Good);
        at_rest.next().unwrap_or(Self::Outside)
    }

    /// As a class of the drawing.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Outside => "outside",
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Unknown => "unknown",
            Self::Stopped => "stopped",
            Self::Bad => "bad",
            Self::Blocked => "blocked",
        }
    }

    pub(super) fn sign(self) -> char {
        match self {
            Self::Outside => '-',
            Self::Good => '.',
            Self::Busy => '~',
            Self::Unknown => '?',
            Self::Stopped => '#',
            Self::Bad => 'x',
            Self::Blocked => 'X',
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Outside => "not counted",
            Self::Good => "protected",
            Self::Busy => "check running",
            Self::Unknown => "nobody can say",
            Self::Stopped => "no backup succeeds",
            Self::Bad => "not protected, a check cures it",
            Self::Blocked => "not protected, a check alone does not help",
        }
    }
}

/// The looks of a legend: the rare ones are told only where they occur.
pub(super) fn looks(report: &PlanReport) -> impl Iterator<Item = Look> {
    let all = report.objects.iter().flat_map(|object| &object.intervals);
    let seen: Vec<Look> = all.map(Look::of).collect();
    let is_rare = |look: &Look| matches!(look, Look::Outside | Look::Stopped);
    LOOKS.into_iter().filter(move |look| !is_rare(look) || seen.contains(look))
}

/// The signs with their words, on one line.
pub(super) fn legend(report: &PlanReport) -> String {
    let looks = looks(report).map(|look| format!("{}  {}", look.sign(), look.words()));
    looks.collect::<Vec<_>>().join("   ")
}
