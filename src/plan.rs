//! Change plans: what they do to the facts, step by step, before anybody does it.
//!
//! `file` reads a plan and puts the objects of the facts into it, `automatic` adds the jobs that nobody
//! writes, `world` makes what an action says to a copy of the facts, `simulate` lets time pass, `trace` is
//! what came of it, `hazard` is what is wrong with that, `insight` what else can be said of it, `remedy` the
//! plan that repairs what is wrong, `repair` the least harmful way to carry one out, `solver` the least harmful order and times
//! for numbers. Nothing here knows what is protected, or from what: that is the pack's.

pub mod automatic;
pub mod file;
pub mod hazard;
pub mod insight;
pub mod remedy;
pub mod repair;
pub mod replay;
pub mod simulate;
pub mod solver;
pub mod time;
pub mod trace;
pub mod world;

use std::sync::Arc;

use crate::diagnostic::Place;
use crate::facts::value::Value;
use crate::source::Node;

/// A plan with the objects of the facts in it. Times are seconds since its window opens.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name, such as the number of the change.
    pub id: String,
    /// What it is for.
    pub title: String,
    /// When it may be carried out.
    pub window: Window,
    /// Seconds that facts may be old when the window opens, where the plan says so.
    pub max_age: Option<i64>,
    /// How many steps people can take at one time.
    pub operators: usize,
    /// Checks that run side by side, by the key of the object that owns the slots, folded.
    pub slots: Vec<(String, usize)>,
    /// Whether each step waits for the one before; else only `after` binds.
    pub is_ordered: bool,
    /// The steps, in the order of the file; behind them the jobs that begin by themselves.
    pub steps: Vec<Step>,
    /// Jobs that begin by themselves, nobody knows when.
    pub unscheduled: Vec<Unscheduled>,
    /// What must be so at the end.
    pub goal: Goal,
    /// What a repair of it may do.
    pub repair: repair::Options,
    /// Where it is named.
    pub place: Place,
}

impl Plan {
    /// Steps and nothing else, in a window that opens at an instant and does not outlast them.
    #[must_use]
    pub fn bare(steps: Vec<Step>, start: i64, place: Place) -> Self {
        let (zone, blackouts) = ("UTC".to_owned(), Vec::new());
        Self {
            id: String::new(),
            title: String::new(),
            window: Window { start, end: 0, checks_until: 0, zone, blackouts, place },
            max_age: None,
            operators: 1,
            slots: Vec::new(),
            is_ordered: true,
            steps,
            unscheduled: Vec::new(),
            goal: Goal::default(),
            repair: repair::Options::default(),
            place,
        }
    }

    /// The steps that somebody wrote.
    #[must_use]
    pub fn written(&self) -> &[Step] {
        let count = self.steps.iter().take_while(|step| step.automatic.is_none()).count();
        self.steps.get(..count).unwrap_or_default()
    }
}

/// When a plan may be carried out.
#[derive(Clone, Debug)]
pub struct Window {
    /// The instant at which it opens, in seconds since 1970.
    pub start: i64,
    /// Seconds from there to its end.
    pub end: i64,
    /// Seconds until which checks may go on running.
    pub checks_until: i64,
    /// The time zone that times are shown in.
    pub zone: String,
    /// Times in which nothing may happen.
    pub blackouts: Vec<Blackout>,
    /// Where it is said.
    pub place: Place,
}

/// A time in which some objects must be left alone.
#[derive(Clone, Debug)]
pub struct Blackout {
    /// Its begin.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// Keys of the objects, folded; all, if there is none.
    pub applies_to: Vec<String>,
    /// Why.
    pub why: String,
    /// Where it is said.
    pub place: Place,
}

/// A step of a plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its name in the plan.
    pub id: Arc<str>,
    /// Position of its action in the rule set.
    pub action: usize,
    /// The action's arguments, in its order; an object that an earlier step makes is a name as yet.
    pub args: Vec<Value>,
    /// How long it takes, where the plan says so: expected and at worst.
    pub estimate: Option<(i64, i64)>,
    /// Positions of the steps that must have ended before.
    pub after: Vec<usize>,
    /// Seconds before which it does not begin.
    pub not_before: Option<i64>,
    /// Seconds that it lets go by after the steps that it waits for.
    pub delay: i64,
    /// Steps with one number can begin together.
    pub group: Option<usize>,
    /// Hazards of this step that somebody takes responsibility for.
    pub accept: Vec<Accept>,
    /// Of a job that nobody wrote: which of its action's ways to begin by itself it is.
    pub automatic: Option<usize>,
    /// Of a step that `for_each` made: what it would be if it were written out.
    pub filled: Option<Arc<Node>>,
    /// Where it stands.
    pub place: Place,
}

impl Step {
    /// A step that nobody wrote and that waits for nothing.
    #[must_use]
    pub fn new(id: Arc<str>, action: usize, args: Vec<Value>) -> Self {
        Self {
            id,
            action,
            args,
            estimate: None,
            after: Vec::new(),
            not_before: None,
            delay: 0,
            group: None,
            accept: Vec::new(),
            automatic: None,
            filled: None,
            place: Place::NOWHERE,
        }
    }
}

/// A job that begins by itself, nobody knows when.
#[derive(Clone, Debug)]
pub struct Unscheduled {
    /// What it is called.
    pub title: String,
    /// Key of its object.
    pub key: String,
    /// The facts that would tell.
    pub missing: String,
}

/// A hazard that somebody takes responsibility for.
#[derive(Clone, Debug)]
pub struct Accept {
    /// Which.
    pub hazard: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// Seconds since 1970 after which it counts no more.
    pub until: i64,
    /// Where it stands.
    pub place: Place,
}

/// What must be so when the window closes.
#[derive(Clone, Debug, Default)]
pub struct Goal {
    /// Keys of the protected objects that must be good at the end, folded; none: as `is_all` says.
    pub end_good: Option<Vec<String>>,
    /// Whether all must be; else those that were good before or that a step touches.
    pub is_all: bool,
    /// Those that need not be, with the reason.
    pub except: Vec<(String, String)>,
    /// The longest that one may be without protection, in seconds.
    pub max_exposure: Option<i64>,
}
