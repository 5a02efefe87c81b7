//! From findings to a plan: the steps that they ask for, causes first, one check for all of them.
//!
//! What a step needs and does is tried out on a copy of the facts, so that each comes where it can begin.
//! The plan is simulated then: what it breaks gets a check, what it brings to light gets its own steps, and
//! what it does not clear is told. Nothing here knows what is protected, or from what.

mod blocks;
mod need;
mod order;
mod outcome;
mod spare;
mod text;
mod wish;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::eval;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::finding::{Evaluation, Finding, Severity, Step, Subject, Verdict};
use crate::plan::simulate::{self, Scenario, Takes};
use crate::plan::trace::Trace;
use crate::plan::world::May;
use crate::plan::{self, Goal, Plan, Window, automatic};
use crate::rule::Rule;
use crate::rule::pack::RuleSet;

use order::Ordered;
use outcome::{Outcomes, fates, findings};
use wish::{Since, Wishes};

pub use text::write;

/// Most rounds in which steps are added for what the plan itself brings about.
const MAX_ROUNDS: usize = 6;

/// Most times that a plan is made anew without steps that it can do without.
const MAX_SPARED: usize = 3;

/// A full hour: windows end at one.
const HOUR: i64 = 3_600;

/// What a remedy is made for.
#[derive(Clone, Copy)]
pub struct Given<'a> {
    /// The rules and actions.
    pub set: &'a RuleSet,
    /// The facts.
    pub facts: &'a Arc<Facts>,
    /// The instant at which they are judged.
    pub now: &'a Instant,
    /// When the plan begins, in seconds since 1970.
    pub start: i64,
    /// When its window closes; none: as soon as all of it is done.
    pub end: Option<i64>,
    /// The time zone that it is written in.
    pub zone: &'a str,
    /// Which of the findings are to be repaired.
    pub wanted: &'a dyn Fn(&Evaluation, &Verdict) -> bool,
}

/// A plan that repairs findings, and what it leaves.
#[derive(Debug)]
pub struct Remedy {
    /// The plan.
    pub plan: Plan,
    /// The steps as their findings asked for them, in the order of the plan.
    pub steps: Vec<Planned>,
    /// Steps that are not in the plan.
    pub asides: Vec<Aside>,
    /// The findings; those that only the plan brings about stand last.
    pub findings: Vec<Known>,
    /// What came of simulating the plan, with the longest durations and all that may happen.
    pub trace: Trace,
}

/// A step of the plan.
#[derive(Clone, Debug)]
pub struct Planned {
    /// As a finding asks for it.
    pub step: Step,
    /// Positions of the findings that it is for; none for the check of what the plan itself breaks.
    pub purposes: Vec<usize>,
}

/// A step that is not in the plan.
#[derive(Clone, Debug)]
pub struct Aside {
    /// The step.
    pub step: Step,
    /// Positions of the findings that ask for it.
    pub purposes: Vec<usize>,
    /// Why it is not in the plan.
    pub why: Why,
}

/// Why a step is not in the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Only a person can say what has to be done: the reason.
    ByHand(String),
    /// Facts are missing that decide on it: which.
    Unknown(String),
    /// It cannot begin: the conditions that do not hold.
    Refused(Vec<String>),
    /// It is a check that would be wasted: the rules whose findings still stand.
    Wasted(Vec<Arc<str>>),
    /// The plan is full.
    TooMany,
}

/// A finding, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Known {
    /// Id of its rule.
    pub rule: Arc<str>,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What is wrong.
    pub message: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Why nothing that is modelled can clear it, where the rule says so.
    pub manual: Option<String>,
    /// Whether it stood before the plan.
    pub is_old: bool,
    /// Whether nobody asked for its repair, but another one is vain without.
    pub is_needed: bool,
    /// What becomes of it.
    pub fate: Fate,
}

impl Known {
    /// Whether its repair is what the plan was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.is_old && !self.is_needed
    }
}

/// What becomes of a finding by the end of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It does not stand any more.
    Cleared,
    /// Nobody can say.
    Unknown,
    /// It stands as before.
    Stays,
}

impl std::fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Given").field("start", &self.start).finish_non_exhaustive()
    }
}

/// Makes a plan of the findings of an evaluation of the same facts; none, if none of them is wanted.
#[must_use]
pub fn remedy(given: Given<'_>, evaluation: &Evaluation) -> Option<Remedy> {
    let mut dropped = BTreeSet::new();
    let (mut wishes, mut made) = settle(given, evaluation, &dropped)?;
    made = blocks::reordered(given, &wishes, &made).unwrap_or(made);
    for _ in 0..MAX_SPARED {
        let spared = spare::spared(given, &wishes, &made);
        if spared.is_empty() {
            break;
        }
        dropped.extend(spared);
        let (fewer, without) = settle(given, evaluation, &dropped)?;
        let without = blocks::reordered(given, &fewer, &without).unwrap_or(without);
        if !Outcomes::of(&without).is_as_good_as(&Outcomes::of(&made)) {
            break;
        }
        (wishes, made) = (fewer, without);
    }
    made = blocks::sooner(given, &wishes, made);
    Some(finish(wishes, made, evaluation))
}

/// Collects steps until the plan needs no more of them; some are not wanted, by name.
fn settle<'a>(
    given: Given<'a>,
    evaluation: &Evaluation,
    dropped: &BTreeSet<String>,
) -> Option<(Wishes<'a>, Attempt)> {
    let mut wishes = Wishes::new(given, dropped.clone());
    wishes.take(evaluation, Since::Asked, &|verdict, _| (given.wanted)(evaluation, verdict));
    if wishes.findings.is_empty() {
        return None;
    }
    let before: BTreeSet<&str> =
        findings(evaluation).map(|(_, finding)| finding.fingerprint.as_str()).collect();
    let mut made = attempt(given, &wishes);
    for _ in 1..MAX_ROUNDS {
        let fates = fates(&wishes.findings, evaluation, &made.end);
        let open: BTreeSet<String> = wishes
            .findings
            .iter()
            .zip(&fates)
            .filter(|(_, fate)| **fate != Fate::Cleared)
            .map(|(finding, _)| finding.fingerprint.clone())
            .collect();
        let is_next = |_: &Verdict, finding: &Finding| {
            open.contains(&finding.fingerprint) || !before.contains(finding.fingerprint.as_str())
        };
        let has_more = wishes.take(&made.end, Since::Later, &is_next);
        let has_checks = need::check_what_breaks(given, &mut wishes, &made);
        // What stands in the way of a repair is repaired, too, whether or not anybody asked for that.
        let mut obstacles = made.ordered.obstacles.clone();
        obstacles.extend(need::in_the_way(given, evaluation, &wishes, &made));
        let is_obstacle = |_: &Verdict, finding: &Finding| obstacles.contains(&finding.fingerprint);
        let has_obstacles = wishes.take(evaluation, Since::Needed, &is_obstacle);
        if !has_more && !has_checks && !has_obstacles {
            break;
        }
        made = attempt(given, &wishes);
    }
    Some((wishes, made))
}

/// A plan tried out.
struct Attempt {
    plan: Plan,
    ordered: Ordered,
    trace: Trace,
    /// The facts at the end, judged.
    end: Evaluation,
}

fn attempt(given: Given<'_>, wishes: &Wishes<'_>) -> Attempt {
    carry_out(given, wishes, order::order(given, &wishes.all))
}

/// Simulates steps in an order.
fn carry_out(given: Given<'_>, wishes: &Wishes<'_>, ordered: Ordered) -> Attempt {
    let mut plan = plan_of(given, wishes, &ordered);
    let run = |plan: &Plan| {
        let scenario = Scenario { may: May::Happens, takes: Takes::Worst };
        simulate::simulate(given.set, given.facts, plan, scenario)
    };
    let mut trace = run(&plan);
    if given.end.is_none() {
        // One after the other they take longer than side by side. At an earlier end no job may begin any more that
        // has taken work off the plan: then it is too early.
        for may_shrink in [true, false] {
            let end = full_hour(given.start, over(&plan, &trace).max(1));
            if end > plan.window.end || (may_shrink && end < plan.window.end) {
                (plan.window.end, plan.window.checks_until) = (end, end);
                automatic::add(&mut plan, given.set, given.facts, given.now);
                trace = run(&plan);
            }
        }
    }
    let until = simulate::instant(&plan, trace.end.max(plan.window.end));
    let end = eval::evaluate(&trace.facts, given.set, &until, None, &|_: &Rule| true);
    Attempt { plan, ordered, trace, end }
}

/// When all steps are over, and all checks that ran before the first of them.
fn over(plan: &Plan, trace: &Trace) -> i64 {
    let jobs = trace.steps.iter().skip(plan.written().len());
    let runs = jobs.filter(|job| job.needs.check.is_some() && job.start == Some(0));
    let ends = runs.filter_map(|job| job.start?.checked_add(job.takes?));
    ends.fold(trace.end, i64::max)
}

/// Seconds from `start` to the first full hour that is no earlier than `time` seconds after it.
fn full_hour(start: i64, time: i64) -> i64 {
    let end = start.saturating_add(time);
    let over = end.rem_euclid(HOUR);
    time.saturating_add(if over == 0 { 0 } else { HOUR - over })
}

fn plan_of(given: Given<'_>, wishes: &Wishes<'_>, ordered: &Ordered) -> Plan {
    let steps = ordered.placed.iter().enumerate().filter_map(|(number, placed)| {
        let wish = wishes.all.get(placed.wish)?;
        let id = format!("s{}", number + 1).into();
        let step = plan::Step::new(id, wish.action, wish.args.clone());
        Some(plan::Step { after: placed.after.clone(), ..step })
    });
    let count = wishes.findings.iter().filter(|finding| finding.is_asked()).count();
    let end = match given.end {
        Some(end) => end.saturating_sub(given.start),
        None => full_hour(given.start, ordered.lasts.max(1)),
    };
    let mut plan = Plan {
        id: "remediation".to_owned(),
        title: if count == 1 {
            "Repair of 1 finding".to_owned()
        } else {
            format!("Repair of {count} findings")
        },
        window: Window {
            start: given.start,
            end,
            checks_until: end,
            zone: given.zone.to_owned(),
            blackouts: Vec::new(),
            place: Place::NOWHERE,
        },
        max_age: None,
        operators: 1,
        slots: Vec::new(),
        is_ordered: true,
        steps: steps.collect(),
        unscheduled: Vec::new(),
        goal: Goal::default(),
        repair: plan::repair::Options::default(),
        place: Place::NOWHERE,
    };
    automatic::add(&mut plan, given.set, given.facts, given.now);
    plan
}

fn finish(wishes: Wishes<'_>, made: Attempt, before: &Evaluation) -> Remedy {
    let Attempt { mut plan, ordered, trace, end } = made;
    let fates = fates(&wishes.findings, before, &end);
    let Wishes { all, mut asides, mut findings, .. } = wishes;
    for (finding, fate) in findings.iter_mut().zip(fates) {
        finding.fate = fate;
    }
    let planned =
        |wish: &wish::Wish| Planned { step: wish.step.clone(), purposes: wish.purposes.clone() };
    let steps = ordered.placed.iter().filter_map(|placed| all.get(placed.wish).map(planned));
    let steps = steps.collect();
    for (position, why) in ordered.left {
        if let Some(wish) = all.get(position) {
            asides.push(Aside { step: wish.step.clone(), purposes: wish.purposes.clone(), why });
        }
    }
    outcome::set_goal(&mut plan, &findings, before, &trace);
    Remedy { plan, steps, asides, findings, trace }
}
