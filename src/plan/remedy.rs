//! From findings to a plan: the steps that they ask for, causes first, one check for all of them.
//!
//! What a step needs and does is tried out on a copy of the facts, so that each comes where it can begin.
//! The plan is simulated then: what it breaks gets a check, what it brings to light gets its own steps, and
//! what it does not clear is told. Nothing here knows what is protected, or from what.

mod order;
mod text;
mod wish;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::diagnostic::{FileId, Place};
use crate::eval;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{ObjectId, fold};
use crate::finding::{Evaluation, Finding, Outcome, Severity, Step, Subject, Verdict};
use crate::plan::simulate::{self, Scenario, Takes};
use crate::plan::trace::Trace;
use crate::plan::world::{May, Phase};
use crate::plan::{self, Goal, Plan, Window, automatic};
use crate::rule::Rule;
use crate::rule::pack::RuleSet;

use order::Ordered;
use wish::{Since, Wishes};

pub use text::write;

/// Most rounds in which steps are added for what the plan itself brings about.
const MAX_ROUNDS: usize = 6;

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
    let mut wishes = Wishes::new(given);
    wishes.take(evaluation, Since::Asked, &|verdict, _| (given.wanted)(evaluation, verdict));
    if wishes.findings.is_empty() {
        return None;
    }
    let before: BTreeSet<&str> =
        findings(evaluation).map(|(_, finding)| finding.fingerprint.as_str()).collect();
    let mut made = attempt(given, &wishes);
    for _ in 1..MAX_ROUNDS {
        let fates = fates(&wishes.findings, evaluation, &made.end);
        let open: BTreeSet<&str> = wishes
            .findings
            .iter()
            .zip(&fates)
            .filter(|(_, fate)| **fate != Fate::Cleared)
            .map(|(finding, _)| finding.fingerprint.as_str())
            .collect();
        let open: BTreeSet<String> = open.into_iter().map(str::to_owned).collect();
        let is_next = |_: &Verdict, finding: &Finding| {
            open.contains(&finding.fingerprint) || !before.contains(finding.fingerprint.as_str())
        };
        let has_more = wishes.take(&made.end, Since::Later, &is_next);
        let has_checks = check_what_breaks(given, &mut wishes, &made);
        // What stands in the way of a repair is repaired, too, whether or not anybody asked for that.
        let is_obstacle =
            |_: &Verdict, finding: &Finding| made.ordered.obstacles.contains(&finding.fingerprint);
        let has_obstacles = wishes.take(evaluation, Since::Needed, &is_obstacle);
        if !has_more && !has_checks && !has_obstacles {
            break;
        }
        made = attempt(given, &wishes);
    }
    Some(finish(wishes, made, evaluation))
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
    let ordered = order::order(given, &wishes.all);
    let mut plan = plan_of(given, wishes, &ordered);
    let run = |plan: &Plan| {
        let scenario = Scenario { may: May::Happens, takes: Takes::Worst };
        simulate::simulate(given.set, given.facts, plan, scenario)
    };
    let mut trace = run(&plan);
    if given.end.is_none() {
        // One after the other they take longer than side by side.
        let end = full_hour(given.start, trace.end.max(1));
        if end < plan.window.end {
            (plan.window.end, plan.window.checks_until) = (end, end);
            automatic::add(&mut plan, given.set, given.facts, given.now);
            trace = run(&plan);
        }
    }
    let until = simulate::instant(&plan, trace.end.max(plan.window.end));
    let end = eval::evaluate(&trace.facts, given.set, &until, None, &|_: &Rule| true);
    Attempt { plan, ordered, trace, end }
}

/// Seconds from `start` to the first full hour that is no earlier than `time` seconds after it.
fn full_hour(start: i64, time: i64) -> i64 {
    let end = start.saturating_add(time);
    let over = end.rem_euclid(HOUR);
    time.saturating_add(if over == 0 { 0 } else { HOUR - over })
}

fn plan_of(given: Given<'_>, wishes: &Wishes<'_>, ordered: &Ordered) -> Plan {
    let nowhere = Place { file: FileId(u32::MAX), start: 0, end: 0 };
    let steps = ordered.placed.iter().enumerate().filter_map(|(number, placed)| {
        let wish = wishes.all.get(placed.wish)?;
        Some(plan::Step {
            id: format!("s{}", number + 1).into(),
            action: wish.action,
            args: wish.args.clone(),
            estimate: None,
            after: placed.after.clone(),
            not_before: None,
            delay: 0,
            group: None,
            accept: Vec::new(),
            automatic: None,
            place: nowhere,
        })
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
            place: nowhere,
        },
        max_age: None,
        operators: 1,
        slots: Vec::new(),
        is_ordered: true,
        steps: steps.collect(),
        unscheduled: Vec::new(),
        goal: Goal::default(),
        place: nowhere,
    };
    automatic::add(&mut plan, given.set, given.facts, given.now);
    plan
}

/// Asks for checks of what the plan leaves bad and a check would cure; whether there was any that is new.
fn check_what_breaks(given: Given<'_>, wishes: &mut Wishes<'_>, made: &Attempt) -> bool {
    let repaired = made.trace.causes.iter().filter(|cause| cause.closed_by.is_some());
    let repaired: BTreeSet<ObjectId> =
        repaired.flat_map(|cause| cause.objects.iter().copied()).collect();
    let mut has_more = false;
    for object in &made.trace.objects {
        let Some(last) = object.intervals.last() else { continue };
        let is_curable = last.phase == Phase::Bad && !last.is_blocked && last.open.is_empty();
        // What was bad before and is not touched is none of the plan's business.
        let is_ours = object.intervals.iter().any(|one| !one.phase.is_exposed())
            || repaired.contains(&object.object);
        if !is_curable || !is_ours || !given.facts.holds(object.object) {
            continue;
        }
        let placed = last.caused_by.iter().filter_map(|step| made.ordered.placed.get(*step));
        let causes: Vec<usize> = placed.map(|placed| placed.wish).collect();
        has_more |= wishes.check(object.object, &causes);
    }
    has_more
}

/// What becomes of findings, by what the rules say of the facts at the end.
fn fates(known: &[Known], before: &Evaluation, after: &Evaluation) -> Vec<Fate> {
    let standing: BTreeSet<&str> =
        findings(after).map(|(_, finding)| finding.fingerprint.as_str()).collect();
    let (before, after) = (undecided(before), undecided(after));
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

/// How often each rule is undecided for each object.
fn undecided(evaluation: &Evaluation) -> HashMap<(String, Subject), usize> {
    let mut all = HashMap::new();
    let open = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Undecided);
    for verdict in open {
        let rule = evaluation.rule(verdict).map(|rule| rule.id.to_string()).unwrap_or_default();
        *all.entry((rule, verdict.subject.clone())).or_insert(0) += 1;
    }
    all
}

fn findings(evaluation: &Evaluation) -> impl Iterator<Item = (&Verdict, &Finding)> {
    evaluation.verdicts.iter().filter_map(|verdict| Some((verdict, verdict.finding.as_ref()?)))
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
    plan.goal.except = left_out(&findings, before, &trace);
    Remedy { plan, steps, asides, findings, trace }
}

/// Protected objects that are bad before the plan, are so after it, and were not asked about.
fn left_out(known: &[Known], before: &Evaluation, trace: &Trace) -> Vec<(String, String)> {
    let asked: BTreeSet<&str> = known.iter().map(|one| one.fingerprint.as_str()).collect();
    let others = findings(before).filter(|(_, one)| !asked.contains(one.fingerprint.as_str()));
    let others: BTreeSet<String> = others
        .flat_map(|(verdict, finding)| std::iter::once(&verdict.subject).chain(&finding.affects))
        .filter(|subject| Some(&subject.kind) == before.protected_kind.as_ref())
        .map(|subject| fold(&subject.key))
        .collect();
    let is_bad_all_along = |object: &&plan::trace::ObjectTrace| {
        object.intervals.iter().all(|one| one.phase.is_exposed()) && object.ends().is_exposed()
    };
    // Good by its state alone: a finding stands that a backup would run into.
    let is_by_state = |object: &&plan::trace::ObjectTrace| {
        let last = object.intervals.last();
        last.is_some_and(|last| last.phase == Phase::Good && !last.open.is_empty())
    };
    let is_left =
        |object: &&plan::trace::ObjectTrace| is_bad_all_along(object) || is_by_state(object);
    let keys = trace.objects.iter().filter(is_left).map(|object| &*object.key);
    let keys = keys.filter(|key| others.contains(&fold(key)));
    let reason = "bad before, for reasons that this plan is not about";
    keys.map(|key| (key.to_owned(), reason.to_owned())).collect()
}
