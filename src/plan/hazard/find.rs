//! Hazards found in traces: here those of the steps.

mod blackouts;
mod broken;
mod collect;
mod doubts;
mod ends;
mod jobs;
mod known;
mod likely;
mod objects;
mod open;
pub(in crate::plan::hazard) mod races;
pub(in crate::plan::hazard) mod raised;
mod remedies;
mod risks;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::diagnostic::Place;
use crate::facts::store::Facts;
use crate::facts::value::{ObjectId, Value};
use crate::finding::{Evaluation, Severity};
use crate::plan::hazard::{Course, Hazard, Judged, Link, courses, kind, sort};
use crate::plan::time::Clock;
use crate::plan::trace::{Interval, StepStatus, Trace};
use crate::plan::world::{May, Phase};
use crate::plan::{Accept, Plan, Step, simulate, simulate::Scenario, simulate::Takes};
use crate::rule::pack::RuleSet;

/// What a plan is judged with.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// The rules and actions.
    pub set: &'a RuleSet,
    /// The facts.
    pub facts: &'a Arc<Facts>,
    /// The plan.
    pub plan: &'a Plan,
    /// Shows a second of the plan as a time.
    pub clock: &'a Clock,
    /// Seconds after which facts are too old when the window opens.
    pub max_age: Option<i64>,
}

/// Simulates a plan and says what is wrong with it.
#[must_use]
pub fn find(given: Given<'_>) -> Judged {
    find_telling(given, &|_| {})
}

/// Like [`find`]; it tells how many steps of all simulations have begun, see [`steps_in_all`].
#[must_use]
pub fn find_telling(given: Given<'_>, tell: &(dyn Fn(usize) + Sync)) -> Judged {
    let begun = AtomicUsize::new(0);
    let run = |may, takes| {
        let scenario = Scenario { may, takes };
        let tell = || tell(begun.fetch_add(1, Ordering::Relaxed) + 1);
        simulate::simulate_telling(given.set, given.facts, given.plan, scenario, &tell)
    };
    let (worst, (expected, lucky)) = rayon::join(
        || run(May::Happens, Takes::Worst),
        || {
            let lucky = || has_chance(given).then(|| run(May::DoesNot, Takes::Worst));
            rayon::join(|| run(May::Happens, Takes::Expected), lucky)
        },
    );
    let lucky = lucky.unwrap_or_else(|| worst.clone());
    let now = simulate::instant(given.plan, worst.end.max(given.plan.window.end));
    let judge = |facts| crate::eval::evaluate(facts, given.set, &now, None, &|_| true);
    let before = judge(given.facts);
    let after = judge(&worst.facts);
    let raised = raised::raised(given, &worst, (&before, &after), &now);
    let found = |trace, ends| found(given, trace, ends, &raised);
    let mut hazards = found(&worst, (&before, &after));
    // Which rules are violated at the end does not hang on how long steps take.
    let mut expected_hazards = found(&expected, (&before, &after));
    let mut lucky_hazards = found(&lucky, (&before, &judge(&lucky.facts)));
    mark_chance(&mut hazards, &lucky_hazards, given.plan);
    add_usual(&mut hazards, &expected_hazards);
    let tried = courses::try_out(given, &worst, (&before, &after), &raised);
    for hazard in tried.hazards {
        if !hazard.is_among(&hazards) {
            hazards.push(hazard);
        }
    }
    if tried.orders > 0
        && let Some(kind) = kind("plan-orders-untried")
    {
        let message = format!(
            "{} more orders of the steps that nothing orders were not tried, and may end worse",
            tried.orders
        );
        hazards.push(Hazard::new(kind, None, message, given.plan.place));
    }
    for hazards in [&mut hazards, &mut expected_hazards, &mut lucky_hazards] {
        accept(hazards, given.plan);
        sort(hazards);
    }
    Judged {
        worst,
        expected,
        lucky,
        hazards,
        expected_hazards,
        lucky_hazards,
        after,
        untried: tried.left,
    }
}

/// How many steps can begin in all simulations of a plan.
#[must_use]
pub fn steps_in_all(given: Given<'_>) -> usize {
    given.plan.steps.len() * if has_chance(given) { 3 } else { 2 }
}

/// Whether a step does something that may happen and need not.
fn has_chance(given: Given<'_>) -> bool {
    let may = |step: &Step| {
        let action = given.set.actions.get(step.action);
        action.is_some_and(|action| action.course.effects.iter().any(|effect| effect.may))
    };
    given.plan.steps.iter().any(may)
}

/// What is wrong in a trace, with what the rules say before and after it.
pub(in crate::plan::hazard) fn found(
    given: Given<'_>,
    trace: &Trace,
    ends: (&Evaluation, &Evaluation),
    raised: &raised::Raised,
) -> Vec<Hazard> {
    let mut finder = Finder { given, trace, after: ends.1, hazards: Vec::new() };
    finder.steps();
    finder.objects();
    finder.ends();
    finder.jobs();
    finder.races();
    finder.unknown();
    finder.unscheduled();
    finder.doubts(ends.0);
    finder.open(ends.0);
    finder.likely(ends.0);
    finder.risks(ends.0);
    finder.findings(ends.0, raised);
    for hazard in &mut finder.hazards {
        hazard.message = given.clock.local(&hazard.message);
        for link in &mut hazard.chain {
            link.said = given.clock.local(&link.said);
        }
    }
    finder.hazards
}

/// What does not come true without chance is marked so.
fn mark_chance(hazards: &mut Vec<Hazard>, without: &[Hazard], plan: &Plan) {
    let mut depends = 0;
    for hazard in hazards.iter_mut() {
        if !hazard.is_among(without) {
            hazard.may = true;
            depends += usize::from(hazard.severity == Severity::Error);
        }
    }
    if depends > 0
        && let Some(kind) = kind("plan-depends-on-chance")
    {
        let come = if depends == 1 { "1 error comes" } else { &format!("{depends} errors come") };
        let message =
            format!("{come} from what may happen and need not; it is counted as happening");
        hazards.push(Hazard { may: true, ..Hazard::new(kind, None, message, plan.place) });
    }
}

/// What fails the plan with the usual durations only: a step that ends early can break off a check that a
/// slower one leaves alone. The longest durations are not the worst of all courses then.
fn add_usual(hazards: &mut Vec<Hazard>, expected: &[Hazard]) {
    for one in expected.iter().filter(|one| one.severity == Severity::Error) {
        if !one.is_among(hazards) {
            let mut one = Hazard { only: Some(Course::Usual), ..one.clone() };
            let said =
                "with the usual durations only; with the longest it does not happen".to_owned();
            one.chain.insert(0, Link { said, step: None });
            hazards.push(one);
        }
    }
}

/// Hazards that the plan takes responsibility for; and what of that is over, or for nothing.
fn accept(hazards: &mut Vec<Hazard>, plan: &Plan) {
    let is_over = |accept: &Accept| accept.until < plan.window.start;
    for hazard in hazards.iter_mut() {
        // Nobody can take responsibility for what nobody knows.
        let step = hazard.step.filter(|_| !hazard.kind.is_unknown);
        let Some(step) = step.and_then(|step| plan.steps.get(step)) else { continue };
        let mut all = step.accept.iter();
        let found = all.find(|accept| accept.hazard == hazard.kind.id && !is_over(accept));
        hazard.accepted = found.map(|accept| format!("{} ({})", accept.reason, accept.by));
    }
    let mut about = Vec::new();
    for (position, step) in plan.steps.iter().enumerate() {
        for accept in &step.accept {
            let is_used = hazards
                .iter()
                .any(|hazard| hazard.step == Some(position) && hazard.kind.id == accept.hazard);
            let (id, message) = match (is_used, is_over(accept)) {
                (true, false) => continue,
                (true, true) => (
                    "plan-accept-expired",
                    format!("that {} accepts {} has run out", step.id, accept.hazard),
                ),
                (false, _) => (
                    "plan-accept-unused",
                    format!("{} accepts {}, which it does not have", step.id, accept.hazard),
                ),
            };
            let Some(kind) = kind(id) else { continue };
            about.push(Hazard::new(kind, Some(position), message, accept.place));
        }
    }
    hazards.extend(about);
}

/// Steps of which nothing says which comes first, those first of which it is certain that they decide about one thing.
pub(in crate::plan::hazard) fn race_pairs(given: Given<'_>, trace: &Trace) -> Vec<(usize, usize)> {
    let after = Evaluation::default();
    let finder = Finder { given, trace, after: &after, hazards: Vec::new() };
    let mut pairs: Vec<(usize, usize)> = finder.race_pairs().into_keys().collect();
    let near = finder.near_pairs().into_iter();
    let near: Vec<(usize, usize)> =
        near.filter(|pair| pairs.binary_search(pair).is_err()).collect();
    pairs.extend(near);
    pairs
}

/// The blackouts that hold for a step of a simulated plan, whenever it runs.
pub(in crate::plan) fn blackouts_of(
    given: Given<'_>,
    trace: &Trace,
    position: usize,
) -> Vec<(i64, i64)> {
    let after = Evaluation::default();
    let finder = Finder { given, trace, after: &after, hazards: Vec::new() };
    finder.blackouts_of(position)
}

struct Finder<'a> {
    given: Given<'a>,
    trace: &'a Trace,
    after: &'a Evaluation,
    hazards: Vec<Hazard>,
}

impl Finder<'_> {
    fn add(&mut self, id: &str, step: Option<usize>, message: String) -> Option<&mut Hazard> {
        let kind = kind(id)?;
        let place = self.place(step);
        self.hazards.push(Hazard::new(kind, step, message, place));
        self.hazards.last_mut()
    }

    fn place(&self, step: Option<usize>) -> Place {
        let step = step.and_then(|step| self.given.plan.steps.get(step));
        let step = step.filter(|step| step.automatic.is_none());
        step.map_or(self.given.plan.place, |step| step.place)
    }

    /// How many steps somebody wrote; behind them are jobs that begin by themselves.
    fn written(&self) -> usize {
        self.given.plan.written().len()
    }

    fn id(&self, step: usize) -> String {
        self.given.plan.steps.get(step).map(|step| step.id.to_string()).unwrap_or_default()
    }

    /// `s4 (move-files)`.
    fn named(&self, step: usize) -> String {
        let action = self
            .given
            .plan
            .steps
            .get(step)
            .and_then(|step| self.given.set.actions.get(step.action));
        match action {
            Some(action) => format!("{} ({})", self.id(step), action.id),
            None => self.id(step),
        }
    }

    fn time(&self, time: i64) -> String {
        self.given.clock.show(time)
    }

    fn key(&self, object: ObjectId) -> String {
        self.trace.facts.key(object).to_string()
    }

    fn rule_id(&self, cause: usize) -> String {
        let rule =
            self.trace.causes.get(cause).and_then(|cause| self.given.set.rules.get(cause.rule));
        rule.map(|rule| rule.id.to_string()).unwrap_or_default()
    }

    /// Causes in words, each rule once: that they still stand.
    fn standing(&self, numbers: &[usize]) -> String {
        let ids: BTreeSet<String> = numbers.iter().map(|number| self.rule_id(*number)).collect();
        let stand = if ids.len() == 1 { "stands" } else { "stand" };
        format!("{} still {stand}", ids.into_iter().collect::<Vec<_>>().join(", "))
    }

    /// What is protected, in the plural.
    fn protected(&self) -> String {
        let kind = self.given.set.protection().map(|(known, _)| known.kind);
        let kind = kind.and_then(|kind| self.given.facts.model().kind(kind));
        kind.map_or_else(|| "objects".to_owned(), |kind| kind.collection.replace('_', " "))
    }

    fn steps(&mut self) {
        let all =
            self.trace.objects.iter().filter(|one| one.intervals.iter().any(is_counted)).count();
        for (position, step) in self.trace.steps.iter().enumerate().take(self.written()) {
            self.began(position);
            if step.is_needless && step.vain.is_empty() {
                let message = format!("{} checks what is well", self.named(position));
                self.add("plan-check-needless", Some(position), message);
            }
            if !step.vain.is_empty() {
                let at = step.start.map(|start| self.time(start)).unwrap_or_default();
                let message = format!(
                    "{} at {at} cannot succeed: {}",
                    self.named(position),
                    self.standing(&step.vain)
                );
                let chain = self.opened(&step.vain);
                if let Some(hazard) = self.add("plan-check-wasted", Some(position), message) {
                    hazard.chain = chain;
                }
            }
            self.interrupted(position);
            if step.harmed.len() == all && all > 1 {
                let all = if all == 2 { "both".to_owned() } else { format!("all {all}") };
                let message = format!(
                    "{} makes {all} {} bad at once",
                    self.named(position),
                    self.protected()
                );
                let mut objects: Vec<String> = step.harmed.iter().map(|id| self.key(*id)).collect();
                objects.sort();
                if let Some(hazard) = self.add("plan-hits-all", Some(position), message) {
                    hazard.objects = objects;
                }
            }
        }
    }

    /// Whether and when a step took place.
    fn began(&mut self, position: usize) {
        let Some(step) = self.trace.steps.get(position) else { return };
        let name = self.named(position);
        match &step.status {
            StepStatus::Done => {
                let planned = self.given.plan.steps.get(position);
                let action = planned.and_then(|step| self.given.set.actions.get(step.action));
                let Some(action) = action else { return };
                let window = &self.given.plan.window;
                let is_check = action.course.checks.is_some();
                let limit = if is_check { window.checks_until.max(window.end) } else { window.end };
                if step.end.is_some_and(|end| end > limit) {
                    let end = step.end.unwrap_or_default();
                    let (ends, late) = (self.time(end), end - limit);
                    let limit = self.time(limit);
                    let message = if ends == limit {
                        format!("{name} ends at {ends}, {late} s behind the window")
                    } else {
                        format!("{name} ends at {ends}, the window at {limit}")
                    };
                    let help = "let checks run on behind the window: `window.checks_until`";
                    if let Some(hazard) = self.add("plan-window", Some(position), message)
                        && is_check
                    {
                        hazard.help.push(help.to_owned());
                    }
                }
                if !action.can_be_undone() {
                    self.add(
                        "plan-no-undo",
                        Some(position),
                        format!("{name} cannot be taken back"),
                    );
                }
                self.blackouts(position);
            }
            StepStatus::Nothing => {
                let message = match self.done_by(position) {
                    Some(job) => format!("{name} has nothing left to do: the {job} has done it"),
                    None => format!("{name} is done already"),
                };
                self.add("plan-no-op", Some(position), message);
            }
            StepStatus::Refused(reasons) if !reasons.is_empty() => {
                let at = step.start.map(|start| self.time(start)).unwrap_or_default();
                let message = format!("{name} cannot begin at {at}: {}", reasons.join(" "));
                let check = self.check_in_the_way(position).map(|check| self.id(check));
                if let Some(hazard) = self.add("plan-precondition", Some(position), message)
                    && let Some(check) = check
                {
                    hazard.help.push(format!("let it wait for the check: `after: [{check}]`"));
                }
            }
            StepStatus::Refused(_) => {}
            StepStatus::Never => {
                self.add("plan-step-never", Some(position), format!("{name} never begins"));
            }
        }
    }

    /// The check of the plan that runs, or has still to come, when a step about its object is refused.
    fn check_in_the_way(&self, position: usize) -> Option<usize> {
        let start = self.trace.steps.get(position)?.start?;
        let args = &self.given.plan.steps.get(position)?.args;
        let steps = self.trace.steps.iter().enumerate().take(self.written());
        let mut checks = steps.filter(|(other, step)| {
            let is_its = step.needs.check.is_some_and(|(object, _)| {
                args.iter().any(|arg| matches!(arg, Value::Object(about) if *about == object))
            });
            *other != position && is_its && step.end.is_some_and(|end| end > start)
        });
        checks.next().map(|(check, _)| check)
    }

    /// The steps that opened causes, in words.
    fn opened(&self, numbers: &[usize]) -> Vec<Link> {
        let mut chain = Vec::new();
        for number in numbers {
            let Some(cause) = self.trace.causes.get(*number) else { continue };
            let since = match cause.opened_by {
                Some(step) => format!("{} at {}", self.named(step), self.time(cause.opened_at)),
                None => "before the plan".to_owned(),
            };
            let said = format!("{since} -> {}: {}", self.rule_id(*number), cause.message);
            let link = Link { said, step: cause.opened_by };
            if !chain.contains(&link) {
                chain.push(link);
            }
        }
        chain
    }
}

/// Whether an interval is about something that is protected at all.
fn is_counted(interval: &Interval) -> bool {
    interval.phase != Phase::Outside
}
