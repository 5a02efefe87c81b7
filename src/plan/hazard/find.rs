//! Hazards found in traces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::facts::store::Facts;
use crate::facts::value::{ObjectId, fold};
use crate::finding::{Evaluation, Finding, Outcome, Severity, Verdict};
use crate::plan::hazard::{Hazard, Judged, kind};
use crate::plan::time::Clock;
use crate::plan::trace::{Interval, ObjectTrace, StepStatus, Trace};
use crate::plan::world::{May, Phase};
use crate::plan::{Plan, simulate, simulate::Course, simulate::Takes};
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
    let run =
        |may, takes| simulate::simulate(given.set, given.facts, given.plan, Course { may, takes });
    let worst = run(May::Happens, Takes::Worst);
    let expected = run(May::Happens, Takes::Expected);
    let lucky = run(May::DoesNot, Takes::Worst);
    let mut finder = Finder { given, trace: &worst, hazards: Vec::new() };
    finder.steps();
    finder.objects();
    finder.unknown();
    finder.findings();
    let mut hazards = finder.hazards;
    let mut other = Finder { given, trace: &lucky, hazards: Vec::new() };
    other.steps();
    other.objects();
    mark_chance(&mut hazards, &other.hazards, given.plan);
    accept(&mut hazards, given.plan);
    hazards.sort_by_key(|hazard| {
        (std::cmp::Reverse(hazard.severity), hazard.step, hazard.kind.id, hazard.objects.clone())
    });
    Judged { worst, expected, lucky, hazards }
}

/// What does not come true without chance is marked so.
fn mark_chance(hazards: &mut Vec<Hazard>, without: &[Hazard], plan: &Plan) {
    let mut depends = 0;
    for hazard in hazards.iter_mut() {
        let stays = without.iter().any(|other| {
            other.kind.id == hazard.kind.id
                && other.step == hazard.step
                && hazard.objects.iter().all(|key| other.objects.contains(key))
        });
        let is_judged_there =
            !matches!(hazard.kind.id, "plan-unknown" | "plan-stale" | "plan-new-finding");
        if !stays && is_judged_there {
            hazard.may = true;
            depends += usize::from(hazard.severity == Severity::Error);
        }
    }
    if depends > 0
        && let Some(kind) = kind("plan-depends-on-chance")
    {
        let message = format!(
            "{depends} of the errors come from what may happen and need not; it is counted as happening"
        );
        hazards.push(Hazard {
            kind,
            severity: kind.severity,
            message,
            step: None,
            objects: Vec::new(),
            place: plan.place,
            chain: Vec::new(),
            help: Vec::new(),
            rule: None,
            may: true,
            accepted: None,
        });
    }
}

/// Hazards that the plan takes responsibility for.
fn accept(hazards: &mut [Hazard], plan: &Plan) {
    for hazard in hazards {
        let Some(step) = hazard.step.and_then(|step| plan.steps.get(step)) else { continue };
        let found = step
            .accept
            .iter()
            .find(|accept| accept.hazard == hazard.kind.id && accept.until >= plan.window.start);
        hazard.accepted = found.map(|accept| format!("{} ({})", accept.reason, accept.by));
    }
}

struct Finder<'a> {
    given: Given<'a>,
    trace: &'a Trace,
    hazards: Vec<Hazard>,
}

impl Finder<'_> {
    fn add(&mut self, id: &str, step: Option<usize>, message: String) -> Option<&mut Hazard> {
        let kind = kind(id)?;
        let place = self.place(step);
        self.hazards.push(Hazard {
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
        });
        self.hazards.last_mut()
    }

    fn place(&self, step: Option<usize>) -> Place {
        let step = step.and_then(|step| self.given.plan.steps.get(step));
        step.map_or(self.given.plan.place, |step| step.place)
    }

    fn id(&self, step: usize) -> String {
        self.given.plan.steps.get(step).map(|step| step.id.to_string()).unwrap_or_default()
    }

    /// `s4 (upgrade-dpm)`.
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

    /// Causes in words, each rule once.
    fn causes(&self, numbers: &[usize]) -> String {
        let ids: BTreeSet<String> = numbers.iter().map(|number| self.rule_id(*number)).collect();
        ids.into_iter().collect::<Vec<_>>().join(", ")
    }

    fn steps(&mut self) {
        let all =
            self.trace.objects.iter().filter(|one| one.intervals.iter().any(is_counted)).count();
        for (position, step) in self.trace.steps.iter().enumerate() {
            self.began(position);
            if step.is_needless && step.vain.is_empty() {
                let message = format!("{} checks what is well", self.named(position));
                self.add("plan-check-needless", Some(position), message);
            }
            if !step.vain.is_empty() {
                let at = step.start.map(|start| self.time(start)).unwrap_or_default();
                let message = format!(
                    "{} at {at} cannot succeed: {} still stands",
                    self.named(position),
                    self.causes(&step.vain)
                );
                let chain = self.opened(&step.vain);
                if let Some(hazard) = self.add("plan-check-wasted", Some(position), message) {
                    hazard.chain = chain;
                }
            }
            if let Some(by) = step.broken_by {
                let message =
                    format!("{} is made worthless by {}", self.named(position), self.named(by));
                self.add("plan-check-interrupted", Some(position), message);
            }
            if step.harmed.len() == all && all > 1 {
                let message =
                    format!("{} makes all {all} of them bad at once", self.named(position));
                let objects: Vec<String> = step.harmed.iter().map(|id| self.key(*id)).collect();
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
                    let (end, limit) = (step.end.unwrap_or_default(), self.time(limit));
                    let message =
                        format!("{name} ends at {}, the window at {limit}", self.time(end));
                    self.add("plan-window", Some(position), message);
                }
                let changes_facts = !action.course.effects.is_empty();
                if changes_facts && !is_check && action.course.undo.is_none() {
                    self.add(
                        "plan-no-undo",
                        Some(position),
                        format!("{name} cannot be taken back"),
                    );
                }
                self.blackouts(position);
            }
            StepStatus::Nothing => {
                self.add("plan-no-op", Some(position), format!("{name} is done already"));
            }
            StepStatus::Refused(reasons) if !reasons.is_empty() => {
                let at = step.start.map(|start| self.time(start)).unwrap_or_default();
                let message = format!("{name} cannot begin at {at}: {}", reasons.join("; "));
                self.add("plan-precondition", Some(position), message);
            }
            StepStatus::Refused(_) => {}
            StepStatus::Never => {
                self.add("plan-step-never", Some(position), format!("{name} never begins"));
            }
        }
    }

    fn blackouts(&mut self, position: usize) {
        let Some(step) = self.trace.steps.get(position) else { return };
        let (Some(start), Some(end)) = (step.start, step.end) else { return };
        let Some(planned) = self.given.plan.steps.get(position) else { return };
        let names: Vec<String> = planned
            .args
            .iter()
            .filter_map(|value| match value {
                crate::facts::value::Value::Object(id) => Some(fold(&self.trace.facts.key(*id))),
                _ => None,
            })
            .collect();
        let harmed: Vec<String> = step.harmed.iter().map(|id| fold(&self.key(*id))).collect();
        for blackout in &self.given.plan.window.blackouts {
            let meets = start < blackout.to && blackout.from < end.max(start + 1);
            let concerns = blackout.applies_to.is_empty()
                || blackout
                    .applies_to
                    .iter()
                    .any(|key| names.contains(key) || harmed.contains(key));
            if meets && concerns {
                let message = format!(
                    "{} runs from {} to {}, within a blackout ({})",
                    self.named(position),
                    self.time(start),
                    self.time(end),
                    blackout.why
                );
                self.add("plan-blackout", Some(position), message);
            }
        }
    }

    /// The steps that opened causes, in words.
    fn opened(&self, numbers: &[usize]) -> Vec<String> {
        let mut chain = Vec::new();
        for number in numbers {
            let Some(cause) = self.trace.causes.get(*number) else { continue };
            let since = match cause.opened_by {
                Some(step) => format!("{} at {}", self.named(step), self.time(cause.opened_at)),
                None => "before the plan".to_owned(),
            };
            let link = format!("{since} -> {}: {}", self.rule_id(*number), cause.message);
            if !chain.contains(&link) {
                chain.push(link);
            }
        }
        chain
    }

    fn objects(&mut self) {
        let mut ends: BTreeMap<Option<usize>, Vec<&ObjectTrace>> = BTreeMap::new();
        for object in &self.trace.objects {
            self.exposure(object);
            let Some(last) = object.intervals.last() else { continue };
            let is_open = matches!(last.phase, Phase::Bad | Phase::Busy);
            if is_open && self.is_wanted(object) {
                ends.entry(self.culprit(last)).or_default().push(object);
            }
        }
        for (step, objects) in ends {
            self.end_unprotected(step, &objects);
        }
        self.touched_twice();
    }

    /// Whether an object must be good at the end: one that was bad before and that no step touches need not.
    fn is_wanted(&self, object: &ObjectTrace) -> bool {
        let goal = &self.given.plan.goal;
        let key = fold(&object.key);
        if goal.except.iter().any(|(known, _)| *known == key) {
            return false;
        }
        if let Some(wanted) = &goal.end_good {
            return wanted.contains(&key);
        }
        let first = object.intervals.first();
        let was_good = first
            .is_some_and(|first| first.phase == Phase::Good && first.to > first.from)
            || object.intervals.iter().any(|one| one.phase == Phase::Good);
        let is_touched = object.intervals.iter().any(|one| !one.caused_by.is_empty());
        was_good || is_touched
    }

    /// The step that is to blame for a state: the last one that opened a cause that stands, else the last
    /// that did harm.
    fn culprit(&self, interval: &Interval) -> Option<usize> {
        let open =
            interval.open.iter().filter_map(|number| self.trace.causes.get(*number)?.opened_by);
        open.max().or_else(|| interval.caused_by.iter().copied().max())
    }

    fn end_unprotected(&mut self, step: Option<usize>, objects: &[&ObjectTrace]) {
        let mut keys: Vec<String> = objects.iter().map(|object| object.key.to_string()).collect();
        keys.sort();
        let end = self.time(self.given.plan.window.end.max(self.given.plan.window.checks_until));
        let verb = if keys.len() == 1 { "is" } else { "are" };
        let message =
            format!("{} {verb} not protected when the window closes at {end}", listed(&keys));
        let open: BTreeSet<usize> = objects
            .iter()
            .filter_map(|object| object.intervals.last())
            .flat_map(|last| last.open.iter().copied())
            .collect();
        let open: Vec<usize> = open.into_iter().collect();
        let chain = self.opened(&open);
        let help = self.remedies(&open);
        if let Some(hazard) = self.add("plan-end-unprotected", step, message) {
            hazard.objects = keys;
            hazard.chain = chain;
            hazard.help = help;
        }
    }

    /// The actions that repair causes, then the check.
    fn remedies(&self, causes: &[usize]) -> Vec<String> {
        let (mut fixes, mut checks) = (BTreeSet::new(), BTreeSet::new());
        for number in causes {
            let rule =
                self.trace.causes.get(*number).and_then(|one| self.given.set.rules.get(one.rule));
            for step in rule.iter().flat_map(|rule| &rule.remediation) {
                let Some(action) = self.given.set.actions.get(step.action) else { continue };
                if action.course.checks.is_some() {
                    checks.insert(action.id.to_string());
                } else if action.course.manual.is_none() && !action.after_check {
                    fixes.insert(action.id.to_string());
                }
            }
        }
        let mut help = Vec::new();
        if !fixes.is_empty() {
            let fixes: Vec<String> = fixes.into_iter().collect();
            help.push(format!(
                "repair the causes first: {}; a check alone does not help",
                fixes.join(", ")
            ));
        }
        if !checks.is_empty() {
            let checks: Vec<String> = checks.into_iter().collect();
            help.push(format!("then {} for each of them", checks.join(", ")));
        }
        help
    }

    fn exposure(&mut self, object: &ObjectTrace) {
        let Some(limit) = self.given.plan.goal.max_exposure else { return };
        if object.exposure <= limit {
            return;
        }
        let said = crate::facts::time::say_duration;
        let message = format!(
            "{} is without protection for {}, at most {} are allowed",
            object.key,
            said(object.exposure),
            said(limit)
        );
        let last =
            object.intervals.iter().rev().find(|one| is_counted(one) && one.phase != Phase::Good);
        let step = last.and_then(|last| self.culprit(last));
        let key = object.key.to_string();
        if let Some(hazard) = self.add("plan-exposure", step, message) {
            hazard.objects = vec![key];
        }
    }

    /// Objects that a step breaks although a later, shared one breaks them anyway.
    fn touched_twice(&mut self) {
        let shared: Vec<usize> = (0..self.trace.steps.len())
            .filter(|step| self.trace.steps.get(*step).is_some_and(|step| step.harmed.len() > 1))
            .collect();
        for step in shared {
            let Some(trace) = self.trace.steps.get(step) else { continue };
            let Some(start) = trace.start else { continue };
            for object in &trace.harmed {
                let Some(object) = self.trace.objects.iter().find(|one| one.object == *object)
                else {
                    continue;
                };
                let Some(since) = episode(object, start) else { continue };
                let early: Vec<usize> = (0..self.trace.steps.len())
                    .filter(|other| {
                        *other != step && self.harms_between(*other, object.object, since, start)
                    })
                    .collect();
                if since >= start || early.is_empty() {
                    continue;
                }
                let names: Vec<String> = early.iter().map(|other| self.id(*other)).collect();
                let message = format!(
                    "{} is broken by {} before {} breaks it anyway: {} without protection that could be avoided",
                    object.key,
                    names.join(", "),
                    self.named(step),
                    crate::facts::time::say_duration(start - since)
                );
                let key = object.key.to_string();
                let first = early.first().copied();
                if let Some(hazard) = self.add("plan-touched-twice", first, message) {
                    hazard.objects = vec![key];
                }
            }
        }
    }

    fn harms_between(&self, step: usize, object: ObjectId, from: i64, to: i64) -> bool {
        let Some(step) = self.trace.steps.get(step) else { return false };
        step.harmed.contains(&object)
            && step.start.is_some_and(|start| start < to)
            && step.end.is_some_and(|end| end >= from)
    }

    fn unknown(&mut self) {
        for (position, step) in self.trace.steps.iter().enumerate() {
            let name = self.named(position);
            let missing: BTreeSet<&String> =
                step.unknown.iter().chain(step.blind.iter().map(|blind| &blind.missing)).collect();
            for missing in missing {
                let message = format!("what {name} needs or does depends on: {missing}");
                self.add("plan-unknown", Some(position), message);
            }
            if !step.undecided.is_empty() {
                let ids: Vec<String> = step
                    .undecided
                    .iter()
                    .filter_map(|rule| self.given.set.rules.get(*rule))
                    .map(|rule| rule.id.to_string())
                    .collect();
                let message = format!(
                    "whether {name} succeeds depends on rules that cannot be decided: {}",
                    ids.join(", ")
                );
                self.add("plan-unknown", Some(position), message);
            }
        }
        let window = &self.given.plan.window;
        for file in self.given.facts.files() {
            let age = window.start - file.observed_at.seconds();
            if let Some(limit) = self.given.max_age.filter(|limit| age > *limit) {
                let said = crate::facts::time::say_duration;
                let message = format!(
                    "the facts will be {} old when the window opens, at most {} are allowed",
                    said(age),
                    said(limit)
                );
                self.add("plan-stale", None, message);
            }
        }
    }

    /// Findings at the end that were not there at the start.
    fn findings(&mut self) {
        let (set, plan) = (self.given.set, self.given.plan);
        let end = self.trace.end.max(plan.window.end);
        let now = simulate::instant(plan, end);
        let wanted = |_: &crate::rule::Rule| true;
        let before = crate::eval::evaluate(self.given.facts, set, &now, None, &wanted);
        let after = crate::eval::evaluate(&self.trace.facts, set, &now, None, &wanted);
        let known: BTreeSet<&str> =
            findings(&before).map(|(_, one)| one.fingerprint.as_str()).collect();
        let new: Vec<(&Verdict, &Finding)> =
            findings(&after).filter(|(_, one)| !known.contains(one.fingerprint.as_str())).collect();
        for (verdict, finding) in new {
            let Some(rule) = after.rule(verdict) else { continue };
            // Causes are told by what they do to the objects.
            let is_cause = set.rule(&rule.id).is_some_and(|rule| !rule.consequence.is_empty());
            // That an object is not protected at the end is told, too.
            let is_told = self.trace.objects.iter().any(|object| {
                object.key == verdict.subject.key
                    && !matches!(object.ends(), Phase::Good | Phase::Outside)
            });
            if is_cause || is_told {
                continue;
            }
            let message = format!("{}: {}", rule.id, finding.message);
            let (severity, id) = (rule.severity, rule.id.to_string());
            let key = verdict.subject.key.to_string();
            if let Some(hazard) = self.add("plan-new-finding", None, message) {
                hazard.severity = severity;
                hazard.rule = Some(id);
                hazard.objects = vec![key];
            }
        }
    }
}

fn findings(evaluation: &Evaluation) -> impl Iterator<Item = (&Verdict, &Finding)> {
    let violated = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Violated);
    violated.filter_map(|verdict| Some((verdict, verdict.finding.as_ref()?)))
}

/// Whether an interval is about something that is protected at all.
fn is_counted(interval: &Interval) -> bool {
    interval.phase != Phase::Outside
}

/// When the time without protection began that an object is in at a second.
fn episode(object: &ObjectTrace, time: i64) -> Option<i64> {
    let mut since = None;
    for interval in object.intervals.iter().take_while(|interval| interval.from <= time) {
        let is_exposed = matches!(interval.phase, Phase::Bad | Phase::Busy | Phase::Unknown);
        since = match (is_exposed, since) {
            (true, None) => Some(interval.from),
            (true, known) => known,
            (false, _) => None,
        };
    }
    since
}

/// At most five names.
fn listed(keys: &[String]) -> String {
    match keys {
        [] => String::new(),
        [one] => one.clone(),
        many if many.len() <= 5 => many.join(", "),
        many => {
            format!("{} and {} more", many.get(..4).unwrap_or_default().join(", "), many.len() - 4)
        }
    }
}
