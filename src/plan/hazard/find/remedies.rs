//! What helps objects that are not protected at the end.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::facts::value::Value;
use crate::finding::{Argument, Step};
use crate::plan::hazard::find::Finder;
use crate::plan::hazard::find::objects::listed;
use crate::plan::hazard::{Fixes, Help};
use crate::plan::trace::{Interval, ObjectTrace, StepStatus};
use crate::plan::world::Phase;
use crate::plan::{automatic, simulate};

/// Objects that end badly, by what helps them.
#[derive(Default)]
struct Sorted<'o> {
    /// The repairs, with those that they help.
    fixes: Vec<String>,
    fixed: Vec<&'o ObjectTrace>,
    /// Of which a check cannot begin, and no rule asks for anything.
    left: Vec<&'o ObjectTrace>,
    /// By the repair that ends their protection.
    ended: BTreeMap<String, Vec<&'o ObjectTrace>>,
    /// By the repair that only takes back a step.
    back: BTreeMap<(String, usize), Vec<&'o ObjectTrace>>,
}

impl Finder<'_> {
    /// The repairs of objects that a check alone does not help, the check of those that it does, and the end
    /// of a check that runs: a second one beside it fails.
    pub(super) fn remedies(&self, objects: &[&ObjectTrace]) -> Vec<String> {
        let ends = |wanted: &dyn Fn(&Interval) -> bool| -> Vec<&ObjectTrace> {
            let is_so = |one: &&ObjectTrace| one.intervals.last().is_some_and(wanted);
            objects.iter().copied().filter(is_so).collect()
        };
        let busy = ends(&|last| last.phase == Phase::Busy);
        let blocked = ends(&|last| last.phase != Phase::Busy && last.is_blocked);
        let stopped = ends(&|last| last.phase == Phase::Stopped);
        let curable =
            ends(&|last| !matches!(last.phase, Phase::Busy | Phase::Stopped) && !last.is_blocked);
        let mut help = Vec::new();
        if !busy.is_empty() {
            help.push(format!(
                "let the check end that runs on {}: a second one beside it fails",
                named(&busy)
            ));
        }
        let stopped = self.sorted(&stopped);
        if !stopped.fixes.is_empty() {
            let fixes = stopped.fixes.join(", ");
            help.push(format!(
                "clear what stops the backups of {}: {fixes}",
                named(&stopped.fixed)
            ));
        }
        let blocked = self.sorted(&blocked);
        if !blocked.fixes.is_empty() {
            let whom = if blocked.fixed.len() == objects.len() {
                String::new()
            } else {
                format!(" {}", named(&blocked.fixed))
            };
            help.push(format!(
                "repair the causes first: {}; a check alone does not help{whom}",
                blocked.fixes.join(", ")
            ));
        }
        help.extend(self.too_early(&blocked.fixes, &blocked.fixed));
        let mut others: Vec<&ObjectTrace> = blocked.fixed.iter().chain(&curable).copied().collect();
        others.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(check) = simulate::check_of(self.given.set).filter(|_| !others.is_empty()) {
            let whom = match others.as_slice() {
                [one] => one.key.to_string(),
                all if all.len() == objects.len() => "each of them".to_owned(),
                all => named(all),
            };
            let then = if blocked.fixes.is_empty() { "" } else { "then " };
            help.push(format!("{then}{} for {whom}", check.id));
        }
        help.extend(curable.into_iter().filter_map(|object| self.cured_by_itself(object)));
        help.extend([stopped, blocked].iter().flat_map(|sorted| self.let_go(sorted)));
        help
    }

    fn sorted<'o>(&self, objects: &[&'o ObjectTrace]) -> Sorted<'o> {
        let mut sorted = Sorted::default();
        if objects.is_empty() {
            return sorted;
        }
        let all = Fixes::new(self.given, self.trace, self.after);
        for object in objects.iter().copied() {
            let open = object.intervals.last().map(|last| last.open.as_slice()).unwrap_or_default();
            match all.help(object, open) {
                Help::Repair => sorted.fixed.push(object),
                Help::Except => sorted.left.push(object),
                Help::Ends(fix) => sorted.ended.entry(said(fix)).or_default().push(object),
                Help::TakesBack(fix, step) => {
                    sorted.back.entry((said(fix), step)).or_default().push(object);
                }
            }
        }
        sorted.fixes = Self::fixes_of(&all, &sorted.fixed);
        sorted
    }

    /// What to do with objects that no repair makes well: the goal leaves them out.
    fn let_go(&self, sorted: &Sorted<'_>) -> Vec<String> {
        let except = "out under `goal.end_consistent.except`, with a reason";
        let them = |objects: &[&ObjectTrace]| if objects.len() == 1 { "it" } else { "them" };
        let is = |objects: &[&ObjectTrace]| if objects.len() == 1 { "is" } else { "are" };
        let mut help = Vec::new();
        for ((fix, step), objects) in &sorted.back {
            let id = self.id(*step);
            help.push(format!(
                "do without {id}, which {fix} would only take back; or, where it is meant, end the protection of {} \
                 and leave {} {except}",
                named(objects),
                them(objects)
            ));
        }
        for (fix, objects) in &sorted.ended {
            let (keys, them) = (named(objects), them(objects));
            help.push(format!(
                "where {keys} {} to go for good, {fix} ends what is left of {} protection: leave {them} {except}",
                is(objects),
                if objects.len() == 1 { "its" } else { "their" }
            ));
        }
        if !sorted.left.is_empty() {
            let (keys, them) = (named(&sorted.left), them(&sorted.left));
            help.push(format!(
                "where {keys} {} to stay so, leave {them} {except}",
                is(&sorted.left)
            ));
        }
        help
    }

    /// A step of the plan that is such a repair, and comes before what has to be repaired.
    fn too_early(&self, fixes: &[String], objects: &[&ObjectTrace]) -> Option<String> {
        let last = objects.iter().filter_map(|object| object.intervals.last());
        let culprit = last.filter_map(|last| self.culprit(last)).max()?;
        let begins = self.trace.steps.get(culprit)?.start;
        let steps = self.given.plan.written().iter().zip(&self.trace.steps).enumerate();
        let mut early = steps.filter(|(position, (step, trace))| {
            let action = self.given.set.actions.get(step.action);
            let is_fix = action.is_some_and(|action| {
                step.args.iter().any(|arg| match arg {
                    Value::Object(at) => {
                        fixes.contains(&format!("{} at {}", action.id, self.key(*at)))
                    }
                    _ => false,
                })
            });
            let is_done = trace.status == StepStatus::Done;
            is_fix && is_done && *position != culprit && trace.start <= begins
        });
        let (step, _) = early.next()?;
        Some(format!(
            "{} comes too early for that: put it behind {}",
            self.id(step),
            self.id(culprit)
        ))
    }

    /// What the rules ask for because of the causes that stand at the end; where a check could not even begin, because
    /// of all that is wrong.
    pub(super) fn fixes(&self, objects: &[&ObjectTrace]) -> Vec<String> {
        Self::fixes_of(&Fixes::new(self.given, self.trace, self.after), objects)
    }

    fn fixes_of(all: &Fixes<'_>, objects: &[&ObjectTrace]) -> Vec<String> {
        let last = objects.iter().filter_map(|object| object.intervals.last());
        let open: Vec<usize> = last.flat_map(|last| last.open.iter().copied()).collect();
        let mut fixes: Vec<String> = Vec::new();
        for step in all.of(objects, &open) {
            let said = said(step);
            if !fixes.contains(&said) {
                fixes.push(said);
            }
        }
        fixes
    }

    /// The check within a day that begins by itself.
    fn cured_by_itself(&self, object: &ObjectTrace) -> Option<String> {
        let plan = self.given.plan;
        let end = plan.window.end.max(plan.window.checks_until);
        let mut later = plan.clone();
        (later.window.end, later.window.checks_until) = (end + DAY, end + DAY);
        let now = simulate::instant(plan, end);
        automatic::add(&mut later, self.given.set, &self.trace.facts, &now);
        let job = later.steps.iter().skip(later.written().len()).find(|job| {
            let action = self.given.set.actions.get(job.action);
            let is_about =
                matches!(job.args.as_slice(), [Value::Object(one)] if *one == object.object);
            is_about
                && action.is_some_and(|action| action.course.checks.is_some())
                && job.not_before.is_some_and(|time| time >= end)
        })?;
        let action = self.given.set.actions.get(job.action)?;
        let title = &action.course.automatic.get(job.automatic?)?.title;
        let clock = self.given.clock;
        let at = format!("{} {}", clock.date(job.not_before?), self.time(job.not_before?));
        Some(format!(
            "if nobody does, the {title} of {} begins at {at}, behind the plan",
            object.key
        ))
    }
}

/// A repair: its action, where it is done, and with what texts.
pub(super) fn said(step: &Step) -> String {
    let mut said = match &step.at {
        Some(at) if !at.key.is_empty() => format!("{} at {}", step.action, at.key),
        _ => step.action.to_string(),
    };
    // What service, which file: without it nobody can write the step.
    for (name, value) in &step.with {
        if let Argument::Value(Json::String(value)) = value {
            let _ = write!(said, " ({name}: {value})");
        }
    }
    said
}

/// Seconds of a day.
const DAY: i64 = 86_400;

fn named(objects: &[&ObjectTrace]) -> String {
    let keys: Vec<String> = objects.iter().map(|object| object.key.to_string()).collect();
    listed(&keys)
}
