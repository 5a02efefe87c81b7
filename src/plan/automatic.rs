//! Jobs that begin by themselves while a plan is carried out: the steps that nobody wrote.

use std::sync::Arc;

use crate::expr::eval::{Outcome, Unknown};
use crate::facts::model::Type;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, List, ObjectId, Reach, Value};
use crate::plan::time::{Clock, Zone};
use crate::plan::world::{Act, said, value_of};
use crate::plan::{Plan, Step, Unscheduled};
use crate::rule::action::Action;
use crate::rule::automatic::{Automatic, Begins, Daily, FARTHEST};
use crate::rule::pack::RuleSet;

/// Most jobs that are looked at: a plan of a year would have too many of them.
pub const MAX_JOBS: usize = 20_000;

/// How often in a plan a job begins because its object became bad.
const MAX_TRIES: usize = 3;

/// What jobs are found with.
struct Finder<'a> {
    set: &'a RuleSet,
    facts: &'a Arc<Facts>,
    now: &'a Instant,
    clock: Clock,
    jobs: Vec<(i64, Step)>,
    unscheduled: Vec<Unscheduled>,
    is_full: bool,
}

/// Adds the jobs that fall into the time of a plan, for those that were in it before; the answer is whether all of them have been added.
pub(in crate::plan) fn add(
    plan: &mut Plan,
    set: &RuleSet,
    facts: &Arc<Facts>,
    now: &Instant,
) -> bool {
    plan.steps.truncate(plan.written().len());
    plan.unscheduled.clear();
    let Some((protection, _)) = set.protection() else { return true };
    if plan.steps.is_empty() {
        return true;
    }
    let clock = Clock::new(&plan.window.zone, plan.window.start);
    let mut finder = Finder {
        set,
        facts,
        now,
        clock,
        jobs: Vec::new(),
        unscheduled: Vec::new(),
        is_full: false,
    };
    let is_about = |ty: &Type| matches!(ty.required(), Type::Object(kinds) if kinds.contains(&protection.kind));
    for (position, action) in set.actions.iter().enumerate() {
        // Whatever else it needs, nobody says when it happens by itself.
        let [arg] = action.args.as_slice() else { continue };
        if !is_about(&arg.ty) {
            continue;
        }
        for (number, automatic) in action.course.automatic.iter().enumerate() {
            let which = (position, number);
            for object in facts.ids(protection.kind) {
                finder.of_object(plan, action, automatic, which, object);
            }
        }
    }
    let is_whole = !finder.is_full;
    // What runs already is there before anything begins.
    let runs = |step: &Step| matches!(begins(set, step), Some(Begins::Running));
    finder.jobs.sort_by(|(a, one), (b, other)| {
        (a, !runs(one), &one.id).cmp(&(b, !runs(other), &other.id))
    });
    plan.steps.extend(finder.jobs.into_iter().map(|(_, step)| step));
    plan.unscheduled = finder.unscheduled;
    is_whole
}

/// How a job begins by itself; none for a step that somebody wrote.
pub(in crate::plan) fn begins<'a>(set: &'a RuleSet, step: &Step) -> Option<&'a Begins> {
    let action = set.actions.get(step.action)?;
    Some(&action.course.automatic.get(step.automatic?)?.begins)
}

/// When a job begins.
#[derive(Clone, Copy)]
enum Start {
    /// At this second.
    At(i64),
    /// A while after a step has ended.
    After {
        /// Position of the step.
        step: usize,
        /// Seconds.
        delay: i64,
    },
    /// Before the plan.
    Before,
    /// A while after its object became bad.
    Broken {
        /// Whether that is the first time, 1, or a later one.
        time: usize,
        /// Seconds.
        delay: i64,
    },
}

impl Finder<'_> {
    /// The jobs of one sort on one object.
    fn of_object(
        &mut self,
        plan: &Plan,
        action: &Action,
        automatic: &Automatic,
        which: (usize, usize),
        object: ObjectId,
    ) {
        let args = [Value::Object(object)];
        match self.starts(plan, Act { action, args: &args }, automatic) {
            Ok(starts) => {
                for start in starts {
                    self.job(automatic, which, object, start);
                }
            }
            Err(unknown) => {
                let (title, key) = (automatic.title.clone(), self.facts.key(object).to_string());
                self.unscheduled.push(Unscheduled { title, key, missing: said(&unknown) });
            }
        }
    }

    /// When a job begins by itself.
    fn starts(&self, plan: &Plan, act: Act<'_>, automatic: &Automatic) -> Outcome<Vec<Start>> {
        let is_it = || match &automatic.of {
            Some(of) => Ok(matches!(self.value(act, of)?, Value::Bool(true))),
            None => Ok(true),
        };
        match &automatic.begins {
            Begins::Daily(daily) if is_it()? => self.daily(plan, act, daily),
            Begins::After { action, delay, .. } => {
                let is_followed = |step: &Step| {
                    self.set.actions.get(step.action).is_some_and(|one| *one.id == **action)
                };
                let followed = (0..).zip(&plan.steps).filter(|(_, step)| is_followed(step));
                let starts: Vec<Start> =
                    followed.map(|(step, _)| Start::After { step, delay: *delay }).collect();
                // Where nothing is followed it does not matter what nobody knows.
                Ok(if starts.is_empty() || is_it()? { starts } else { Vec::new() })
            }
            Begins::Running if is_it()? => Ok(vec![Start::Before]),
            Begins::Broken { delay } if is_it()? => {
                let tries = plan.written().len().min(MAX_TRIES);
                Ok((1..=tries).map(|time| Start::Broken { time, delay: *delay }).collect())
            }
            Begins::Daily(_) | Begins::Running | Begins::Broken { .. } => Ok(Vec::new()),
        }
    }

    fn daily(&self, plan: &Plan, act: Act<'_>, daily: &Daily) -> Outcome<Vec<Start>> {
        let times = texts(&self.value(act, &daily.times)?)?;
        let days = match &daily.days {
            Some(days) => Some(texts(&self.value(act, days)?)?),
            None => None,
        };
        if times.is_empty() {
            return Ok(Vec::new());
        }
        // A clock of which nobody knows how it goes makes the time one that nobody knows.
        let offset = daily.offset.as_ref().map(|offset| self.value(act, offset)).transpose()?;
        let zone = match offset {
            Some(Value::Int(minutes)) if !(-FARTHEST..=FARTHEST).contains(&minutes) => {
                let what = format!("an offset from UTC, not {minutes} minutes");
                return Err(Unknown::new(what, Absence::NotCollected, None));
            }
            Some(Value::Int(minutes)) => self.zone(plan, minutes),
            _ => Zone::named(&plan.window.zone),
        };
        let from = plan.window.start;
        let to = from + plan.window.end.max(plan.window.checks_until);
        let found = zone.unwrap_or_default().daily(&times, days.as_deref(), from, to);
        let found = found.map_err(|text| {
            let what = format!("a time of day, not `{text}`");
            Unknown::new(what, Absence::NotCollected, None)
        });
        Ok(found?.into_iter().map(|time| Start::At(time - from)).collect())
    }

    /// The zone of a clock that was so many minutes ahead when it was looked at: that of the plan, if its clocks
    /// were so then, for they are changed on the same day; else one whose clocks are never changed.
    fn zone(&self, plan: &Plan, minutes: i64) -> Option<Zone> {
        let seen = self.facts.files().iter().map(|file| file.observed_at.seconds()).max();
        let of_plan = Zone::named(&plan.window.zone);
        let is_same = |zone: &Zone| seen.is_some_and(|seen| zone.is_ahead(minutes, seen));
        of_plan.filter(is_same).or_else(|| Zone::fixed(minutes))
    }

    fn value(&self, act: Act<'_>, expr: &crate::expr::tree::Expr) -> Outcome {
        value_of(self.set, self.facts, self.now, act, expr)
    }

    fn job(
        &mut self,
        automatic: &Automatic,
        (action, number): (usize, usize),
        object: ObjectId,
        start: Start,
    ) {
        if self.jobs.len() >= MAX_JOBS {
            self.is_full = true;
            return;
        }
        let key = self.facts.key(object);
        let (time, after, delay, when) = match start {
            Start::At(time) => {
                let when = format!("{} {}", self.clock.date(time), self.clock.show(time));
                (Some(time), Vec::new(), 0, when)
            }
            Start::After { step, delay } => {
                (None, vec![step], delay, format!("after step {}", step + 1))
            }
            Start::Before => (Some(0), Vec::new(), 0, "before the plan".to_owned()),
            Start::Broken { time, delay } => (None, Vec::new(), delay, time.to_string()),
        };
        let id = format!("{} {key} {when}", automatic.id).into();
        let step = Step {
            not_before: time,
            after,
            delay,
            automatic: Some(number),
            place: automatic.place,
            ..Step::new(id, action, vec![Value::Object(object)])
        };
        self.jobs.push((time.unwrap_or_default(), step));
    }
}

/// The texts of a list that is known.
fn texts(value: &Value) -> Outcome<Vec<String>> {
    let Value::List(List { items, reach }) = value else { return Ok(Vec::new()) };
    if let Reach::Open(name) = reach {
        return Err(Unknown::new(name.clone(), Absence::Open(name.clone()), None));
    }
    let text = |fact: &Fact| match fact {
        Fact::Known { value: Value::Text(text) | Value::Name(text), .. } => Ok(text.to_string()),
        Fact::Known { .. } => Ok(String::new()),
        Fact::Absent(why) => Err(Unknown::new("a member", why.clone(), None)),
    };
    items.iter().map(text).collect()
}
