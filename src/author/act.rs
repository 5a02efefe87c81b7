//! Cases about actions: the steps are simulated on the facts, and all rules are judged before and after.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::author::act::told::Told;
use crate::author::case::{After, Expect, Expected};
use crate::author::patch::{FactPath, Part};
use crate::author::suite::Ready;
use crate::eval::evaluate;
use crate::facts::model::Field;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{ObjectId, fold};
use crate::finding::{Evaluation, Finding, Outcome, Verdict};
use crate::plan::simulate::{Scenario, Takes, simulate};
use crate::plan::trace::{StepStatus, Trace};
use crate::plan::world::{self, May, Phase, World};
use crate::plan::{Plan, Step};
use crate::report::test::Miss;
use crate::rule::pack::RuleSet;

/// What came of a case about an action.
#[derive(Debug)]
pub struct Acted {
    /// What is other than expected.
    pub misses: Vec<Miss>,
    /// What a snapshot of it holds.
    pub text: String,
}

/// The steps of a case carried out on a copy of its facts.
#[derive(Debug)]
struct Act<'a> {
    set: &'a RuleSet,
    plan: &'a Plan,
    /// With the longest durations, and with all that may happen.
    trace: Trace,
    /// With the usual durations.
    usual: Trace,
    /// Without what may happen; none if nothing may.
    lucky: Option<Evaluation>,
    before: Evaluation,
    after: Evaluation,
    /// While the only step runs; none for several, or if it does not run.
    during: Option<Evaluation>,
    facts: &'a Arc<Facts>,
    /// When the steps are over.
    now: Instant,
}

/// Carries out the steps of a case; none for one that is about a rule.
#[must_use]
pub fn run(ready: &Ready) -> Option<Acted> {
    let plan = ready.plan.as_ref()?;
    let Expect::After(expect) = &ready.case.expect else { return None };
    let (set, facts) = (&ready.set, &ready.facts);
    let happens = |may, takes| simulate(set, facts, plan, Scenario { may, takes });
    let trace = happens(May::Happens, Takes::Worst);
    let end = ready.case.now.seconds().saturating_add(trace.end);
    let now = Instant::from_seconds(end).unwrap_or_else(|| ready.case.now.clone());
    // What changes with the time alone is no matter of the steps.
    let judge = |facts: &Arc<Facts>| evaluate(facts, set, &now, None, &|_| true);
    let lucky = may_happen(set, plan).then(|| judge(&happens(May::DoesNot, Takes::Worst).facts));
    let during = during(ready, plan, &trace).map(|facts| judge(&facts));
    let act = Act {
        set,
        plan,
        during,
        usual: happens(May::Happens, Takes::Expected),
        lucky,
        before: judge(facts),
        after: judge(&trace.facts),
        trace,
        facts,
        now,
    };
    let text = format!("{:#}", Told::new(&act).json());
    Some(Acted { misses: act.misses(expect), text })
}

/// The facts while the only step runs: what its beginning makes of them.
fn during(ready: &Ready, plan: &Plan, trace: &Trace) -> Option<Arc<Facts>> {
    let ([step], [course]) = (plan.steps.as_slice(), trace.steps.as_slice()) else { return None };
    if course.status != StepStatus::Done {
        return None;
    }
    let action = ready.set.actions.get(step.action)?;
    let act = world::Act { action, args: &step.args };
    let mut world = World::new(&ready.set, &ready.facts, &ready.case.now);
    world.apply(act, true, May::Happens);
    if let Some(object) = act.checked() {
        world.set_phase(object, Phase::Busy);
    }
    Some(world.facts)
}

/// Whether anything of the steps may or may not happen.
fn may_happen(set: &RuleSet, plan: &Plan) -> bool {
    let actions = plan.steps.iter().filter_map(|step| set.actions.get(step.action));
    actions.flat_map(|action| &action.course.effects).any(|effect| effect.may)
}

/// The word of a status in cases and snapshots.
fn word(status: &StepStatus) -> &'static str {
    match status {
        StepStatus::Done => "done",
        StepStatus::Nothing => "nothing_to_do",
        StepStatus::Refused(_) => "refused",
        StepStatus::Never => "never",
    }
}

/// The word of a state in cases and snapshots.
fn state(phase: Phase) -> &'static str {
    match phase {
        Phase::Good => "good",
        Phase::Bad => "bad",
        Phase::Busy => "busy",
        Phase::Stopped => "stopped",
        Phase::Unknown => "unknown",
        Phase::Outside => "outside",
    }
}

fn findings(evaluation: &Evaluation) -> impl Iterator<Item = (&Verdict, &Finding)> {
    let violated = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Violated);
    violated.filter_map(|verdict| Some((verdict, verdict.finding.as_ref()?)))
}

fn fingerprints(evaluation: &Evaluation) -> BTreeSet<&str> {
    findings(evaluation).map(|(_, finding)| finding.fingerprint.as_str()).collect()
}

/// Rule and subject of a verdict, to be compared.
fn about(evaluation: &Evaluation, verdict: &Verdict) -> (String, String) {
    let rule = evaluation.rule(verdict).map(|rule| rule.id.to_string()).unwrap_or_default();
    (rule, verdict.subject.key.to_string())
}

impl Act<'_> {
    /// What is violated and was not before.
    fn opened(&self) -> Vec<(&Verdict, &Finding)> {
        let known = fingerprints(&self.before);
        findings(&self.after).filter(|(_, one)| !known.contains(one.fingerprint.as_str())).collect()
    }

    /// What was violated and is no more.
    fn closed(&self) -> Vec<(&Verdict, &Finding)> {
        let left = fingerprints(&self.after);
        findings(&self.before).filter(|(_, one)| !left.contains(one.fingerprint.as_str())).collect()
    }

    /// What is violated only while the step runs.
    fn meanwhile(&self) -> Vec<(&Verdict, &Finding)> {
        let Some(during) = &self.during else { return Vec::new() };
        let all = |of: &Evaluation| -> BTreeSet<_> {
            findings(of).map(|(verdict, _)| about(of, verdict)).collect()
        };
        let (before, after) = (all(&self.before), all(&self.after));
        let is_told = |one: &(String, String)| before.contains(one) || after.contains(one);
        findings(during).filter(|(verdict, _)| !is_told(&about(during, verdict))).collect()
    }

    /// What is undecided and was not before.
    fn undecided(&self) -> Vec<&Verdict> {
        let open = |evaluation: &Evaluation, verdict: &&Verdict| {
            (verdict.outcome == Outcome::Undecided).then(|| about(evaluation, verdict))
        };
        let known: BTreeSet<_> =
            self.before.verdicts.iter().filter_map(|one| open(&self.before, &one)).collect();
        let is_new =
            |one: &&Verdict| open(&self.after, one).is_some_and(|about| !known.contains(&about));
        self.after.verdicts.iter().filter(is_new).collect()
    }

    /// The protected objects with their states before and after, by key.
    fn objects(&self) -> BTreeMap<String, (ObjectId, Phase, Phase)> {
        let Some((protection, _)) = self.set.protection() else { return BTreeMap::new() };
        let ids: BTreeSet<ObjectId> =
            self.facts.ids(protection.kind).chain(self.trace.facts.ids(protection.kind)).collect();
        let one = |id: ObjectId| {
            let before = world::phase(self.set, self.facts, &self.now, id);
            let mut after = world::phase(self.set, &self.trace.facts, &self.now, id);
            if after == Phase::Good && self.is_stopped(id) {
                after = Phase::Stopped;
            }
            (self.trace.facts.key(id).to_string(), (id, before, after))
        };
        ids.into_iter().map(one).collect()
    }

    /// Whether something that came with the steps stops the backups of an object.
    fn is_stopped(&self, object: ObjectId) -> bool {
        self.trace.causes.iter().any(|cause| {
            let rule = self.set.rules.get(cause.rule);
            cause.opened_by.is_some()
                && cause.closed_at.is_none()
                && cause.objects.contains(&object)
                && rule.is_some_and(|rule| rule.stops_backups())
        })
    }

    fn misses(&self, expect: &After) -> Vec<Miss> {
        let mut misses = self.steps(expect);
        misses.extend(self.states(expect));
        let opened = self.opened();
        let opened = opened.iter().map(|(verdict, _)| about(&self.after, verdict));
        compare("violated", &expect.violated, &opened.collect(), &mut misses);
        let closed = self.closed();
        let closed = closed.iter().map(|(verdict, _)| about(&self.before, verdict));
        compare("cleared", &expect.cleared, &closed.collect(), &mut misses);
        if self.during.is_none() {
            compare("violated meanwhile", &expect.meanwhile, &BTreeSet::new(), &mut misses);
        }
        if let Some(during) = &self.during {
            let meanwhile = self.meanwhile();
            let meanwhile = meanwhile.iter().map(|(verdict, _)| about(during, verdict));
            compare("violated meanwhile", &expect.meanwhile, &meanwhile.collect(), &mut misses);
        }
        let undecided = self.undecided();
        let undecided = undecided.iter().map(|verdict| about(&self.after, verdict));
        compare("undecided", &expect.undecided, &undecided.collect(), &mut misses);
        misses.extend(expect.facts.iter().filter_map(|(path, wanted)| self.fact(path, wanted)));
        misses
    }

    fn steps(&self, expect: &After) -> Vec<Miss> {
        let mut misses = Vec::new();
        let is_meant = |step: &Step, name: &Option<String>| {
            name.as_ref().is_none_or(|name| **name == *step.id)
        };
        for (step, trace) in self.plan.steps.iter().zip(&self.trace.steps) {
            let came = word(&trace.status);
            let wanted = expect.status.iter().find(|(name, _, _)| is_meant(step, name));
            let wanted = wanted.map(|(_, wanted, _)| wanted.as_str());
            if wanted != Some(came) {
                misses.push(Miss {
                    what: format!("step `{}`", step.id),
                    expected: wanted.unwrap_or("nothing said of it").to_owned(),
                    actual: match &trace.status {
                        StepStatus::Refused(reasons) if !reasons.is_empty() => {
                            format!("{came}: {}", reasons.join(" "))
                        }
                        _ => came.to_owned(),
                    },
                });
            }
        }
        misses
    }

    fn states(&self, expect: &After) -> Vec<Miss> {
        let mut misses = Vec::new();
        let objects = self.objects();
        for (key, wanted, _) in &expect.objects {
            if !objects.keys().any(|known| fold(known) == fold(key)) {
                misses.push(Miss {
                    what: key.clone(),
                    expected: wanted.clone(),
                    actual: "there is no such protected object".to_owned(),
                });
            }
        }
        for (key, (_, before, after)) in objects {
            let wanted = expect.objects.iter().find(|(known, _, _)| fold(known) == fold(&key));
            let wanted = wanted.map(|(_, state, _)| state.as_str());
            if wanted.unwrap_or(state(before)) != state(after) {
                let expected = match wanted {
                    Some(wanted) => wanted.to_owned(),
                    None => format!("{}, as before", state(before)),
                };
                misses.push(Miss { what: key, expected, actual: state(after).to_owned() });
            }
        }
        misses
    }

    fn fact(&self, path: &FactPath, wanted: &Json) -> Option<Miss> {
        let actual = look_up(&self.trace.facts, path);
        (actual.as_ref() != Some(wanted)).then(|| Miss {
            what: path.to_string(),
            expected: wanted.to_string(),
            actual: actual.map_or_else(|| "not known".to_owned(), |json| json.to_string()),
        })
    }
}

/// Findings that were expected and did not come, and the other way round.
fn compare(
    word: &str,
    expected: &[Expected],
    actual: &BTreeSet<(String, String)>,
    misses: &mut Vec<Miss>,
) {
    let folded = |(rule, subject): &(String, String)| (rule.clone(), fold(subject));
    let came: BTreeSet<_> = actual.iter().map(folded).collect();
    let wanted: BTreeSet<_> =
        expected.iter().map(|one| (one.rule.clone(), fold(&one.subject))).collect();
    let what = |rule: &str, subject: &str| format!("`{rule}` of {subject}");
    for one in expected.iter().filter(|one| !came.contains(&(one.rule.clone(), fold(&one.subject))))
    {
        let actual = format!("not {word}");
        misses.push(Miss {
            what: what(&one.rule, &one.subject),
            expected: word.to_owned(),
            actual,
        });
    }
    for (rule, subject) in actual.iter().filter(|one| !wanted.contains(&folded(one))) {
        let expected = "nothing said of it".to_owned();
        misses.push(Miss { what: what(rule, subject), expected, actual: word.to_owned() });
    }
}

/// A fact as JSON; none if it is not known, or if the path leads nowhere.
fn look_up(facts: &Facts, path: &FactPath) -> Option<Json> {
    let mut parts = path.parts().map(|(part, _)| part);
    let (Part::Field(collection), Part::Member(key)) = (parts.next()?, parts.next()?) else {
        return None;
    };
    let kind = facts.model().kinds().iter().find(|kind| *kind.collection == *collection)?;
    let id = facts.find(kind.id, &fold(key)).filter(|id| facts.holds(*id))?;
    let Part::Field(name) = parts.next()? else { return None };
    let position = kind.record.fields.iter().position(|field| *field.name == *name)?;
    let field: &Field = kind.record.fields.get(position)?;
    let mut json = facts.fact_to_json(facts.fact(id, position)?, &field.ty)?;
    for part in parts {
        json = match part {
            Part::Field(name) => json.get(name)?.clone(),
            Part::Member(number) => json.get(number.parse::<usize>().ok()?)?.clone(),
        };
    }
    Some(json)
}
