//! Rules over facts: every rule, every subject, one of four outcomes.
//!
//! Pure and infallible: what cannot be judged is recorded as undecided, with its reasons, never
//! dropped. The result depends on the facts and the rules only, not on the order of files.

mod judge;
mod repair;
pub mod standing;
mod steps;

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

pub use crate::eval::judge::missing;
use crate::eval::judge::{Depth, RuleResult, judge};
pub use crate::eval::steps::{seconds, takes};
use crate::expr::eval::{Env, NoVerdicts, Outcome as Value3, Unknown, Verdicts, View, Watch};
use crate::facts::model::KindId;
use crate::facts::store::Facts;
use crate::facts::time::{Instant, say_duration};
use crate::facts::value::{Absence, ObjectId, Value, fold};
use crate::finding::{
    Evaluation, JudgedRule, Missing, Outcome, Protected, RepairStep, Subject, Tally, Verdict,
};
use crate::rule::pack::RuleSet;
use crate::rule::{Otherwise, Rule};

/// Who is told how a rule comes to its verdicts: coverage, explanations.
pub trait Observer: Watch {
    /// A rule is judged; what follows is about it, up to the next one.
    fn rule(&self, _: &Rule) {}
    /// A step of `select` binds one of its candidates, before its `where` is asked.
    fn bound(&self, _step: usize, _candidate: &Value3) {}
    /// A step of `select` has looked at its candidates: how many fitted.
    fn selected(&self, _step: usize, _fitting: usize) {}
    /// What a rule says for a case where it goes no further.
    fn otherwise(&self, _: &Otherwise) {}
    /// All names of a rule are bound; `require` and `violated` are asked next.
    fn decides(&self, _: &Env<'_>) {}
    /// A verdict.
    fn verdict(&self, _: &Verdict) {}
}

/// Judges the facts by the rules for which `wanted` holds; facts older than `max_age` seconds, or than
/// a rule allows, count as not known.
///
/// Rules that are not wanted are judged too where a wanted one asks for their outcomes; they are
/// not reported.
#[must_use]
pub fn evaluate(
    facts: &Arc<Facts>,
    set: &RuleSet,
    now: &Instant,
    max_age: Option<i64>,
    wanted: &dyn Fn(&Rule) -> bool,
) -> Evaluation {
    evaluate_observed(facts, set, now, max_age, wanted, None)
}

/// As [`evaluate`], with somebody who is told how the wanted rules come to their verdicts.
#[must_use]
pub fn evaluate_observed(
    facts: &Arc<Facts>,
    set: &RuleSet,
    now: &Instant,
    max_age: Option<i64>,
    wanted: &dyn Fn(&Rule) -> bool,
    observer: Option<&dyn Observer>,
) -> Evaluation {
    let (ledger, mut judged) = judge_all(facts, set, now, max_age, wanted, observer);
    let fresh = ledger.fresh.clone();
    judged.sort_by_key(|(position, _)| *position);
    let mut evaluation = Evaluation::default();
    for (number, (position, verdicts)) in judged.into_iter().enumerate() {
        let Some(rule) = set.rules.get(position) else { continue };
        let mut verdicts: Vec<Verdict> =
            verdicts.into_iter().map(|verdict| Verdict { rule: number, ..verdict }).collect();
        verdicts.sort_by(order);
        // One gap or finding reached on two ways is one; what is good is counted each time.
        verdicts
            .dedup_by(|a, b| a == b && matches!(a.outcome, Outcome::Violated | Outcome::Undecided));
        let mut tally = Tally::default();
        for verdict in &verdicts {
            tally.add(verdict.outcome);
        }
        evaluation.rules.push(judged_rule(rule, tally));
        evaluation.verdicts.extend(verdicts);
    }
    protected(set, &fresh, &mut evaluation);
    evaluation.repair = repair(set, &ledger, &evaluation);
    evaluation
}

/// The order of the verdicts of one rule in an evaluation.
#[must_use]
pub fn order(a: &Verdict, b: &Verdict) -> Ordering {
    sort_key(a).cmp(&sort_key(b))
}

/// Judges the wanted rules and those that they ask.
fn judge_all<'a>(
    facts: &Arc<Facts>,
    set: &'a RuleSet,
    now: &Instant,
    max_age: Option<i64>,
    wanted: &dyn Fn(&Rule) -> bool,
    observer: Option<&dyn Observer>,
) -> (Ledger<'a>, Vec<(usize, Vec<Verdict>)>) {
    let fresh = Arc::new(View::new(facts.clone(), now.clone()));
    let needed = needed(set, wanted);
    let mut ledger = Ledger { set, fresh: fresh.clone(), results: HashMap::new() };
    let mut judged: Vec<(usize, Vec<Verdict>)> = Vec::new();
    for position in &set.order {
        let Some(rule) = set.rules.get(*position).filter(|_| needed.contains(position)) else {
            continue;
        };
        let view = aged(&rule.max_age, max_age, &fresh);
        let observer = observer.filter(|_| wanted(rule));
        let (verdicts, result) = judge(rule, set, &view, &ledger, Depth::Whole, observer);
        ledger.results.insert(*position, result);
        if wanted(rule) {
            judged.push((*position, verdicts));
        }
    }
    (ledger, judged)
}

/// The outcomes of the rules for which `wanted` holds, for expressions that stand in no rule.
#[must_use]
pub fn ledger<'a>(
    facts: &Arc<Facts>,
    set: &'a RuleSet,
    now: &Instant,
    max_age: Option<i64>,
    wanted: &dyn Fn(&Rule) -> bool,
) -> Ledger<'a> {
    judge_all(facts, set, now, max_age, wanted, None).0
}

/// The facts as a rule sees them, without what is too old; without a rule, as any expression does.
#[must_use]
pub fn view(
    rule: Option<&Rule>,
    facts: &Arc<Facts>,
    now: &Instant,
    max_age: Option<i64>,
) -> Arc<View> {
    let fresh = Arc::new(View::new(facts.clone(), now.clone()));
    aged(rule.map(|rule| &*rule.max_age).unwrap_or_default(), max_age, &fresh)
}

fn sort_key(verdict: &Verdict) -> (&Subject, Outcome, Option<&str>, Option<&str>, &[Missing]) {
    let finding = verdict.finding.as_ref();
    (
        &verdict.subject,
        verdict.outcome,
        finding.map(|finding| &*finding.message),
        verdict.because.as_deref(),
        &verdict.missing,
    )
}

/// The wanted rules and those whose outcomes they ask for.
fn needed(set: &RuleSet, wanted: &dyn Fn(&Rule) -> bool) -> BTreeSet<usize> {
    let mut needed = BTreeSet::new();
    // Behind each rule stand those that ask for it: backwards, every asker comes first.
    for position in set.order.iter().rev() {
        let Some(rule) = set.rules.get(*position) else { continue };
        let asked = needed.iter().filter_map(|asker: &usize| set.rules.get(*asker));
        let is_asked = asked.flat_map(|asker| &asker.asks).any(|(tag, _)| rule.tags.contains(tag));
        if wanted(rule) || is_asked {
            needed.insert(*position);
        }
    }
    needed
}

/// The facts without what is too old: for some kinds as `ages` says, for all as `max_age` does.
fn aged(ages: &[(KindId, i64)], max_age: Option<i64>, fresh: &Arc<View>) -> Arc<View> {
    if ages.is_empty() && max_age.is_none() {
        return fresh.clone();
    }
    let kinds = fresh.facts.model().kinds();
    let mut stale: Vec<Option<Arc<str>>> = vec![None; kinds.len()];
    for kind in kinds.iter().map(|kind| kind.id) {
        let own = ages.iter().filter(|(known, _)| *known == kind).map(|(_, most)| *most);
        let Some(most) = own.chain(max_age).min() else { continue };
        let collected = fresh.facts.table(kind).and_then(|table| table.collected());
        let Some(collected) = collected else { continue };
        let age = fresh.now.seconds().saturating_sub(collected.seconds());
        if age > most
            && let Some(slot) = stale.get_mut(usize::from(kind.0))
        {
            let text = format!(
                "collected at {collected}, {} ago; at most {} is allowed",
                say_duration(age),
                say_duration(most)
            );
            *slot = Some(text.into());
        }
    }
    Arc::new(View { stale, ..View::new(fresh.facts.clone(), fresh.now.clone()) })
}

fn judged_rule(rule: &Rule, tally: Tally) -> JudgedRule {
    JudgedRule {
        id: rule.id.clone(),
        title: rule.title.clone(),
        severity: rule.severity,
        certainty: rule.certainty.clone(),
        explanation: rule.explanation.clone(),
        tags: rule.tags.iter().map(ToString::to_string).collect(),
        cause: rule.cause.clone(),
        metadata: rule.metadata.clone(),
        references: rule.references.clone(),
        tally,
    }
}

/// What to do about all findings, in order.
fn repair(set: &RuleSet, ledger: &Ledger<'_>, evaluation: &Evaluation) -> Vec<RepairStep> {
    let protection = set.protection();
    let model = ledger.fresh.facts.model();
    let order = protection.map(|(protection, _)| &protection.repair_order).into_iter().flatten();
    let order: Vec<Arc<str>> =
        order.filter_map(|kind| model.kind(*kind)).map(|kind| kind.name.clone()).collect();
    let undecided = |object: &Subject| {
        let kind = model.kind_named(&object.kind);
        let id = kind.and_then(|kind| ledger.fresh.facts.find(kind.id, &fold(&object.key)));
        id.map(|id| ledger.undecided_causes(id)).unwrap_or_default()
    };
    repair::repair(evaluation, &order, &undecided)
}

fn protected(set: &RuleSet, view: &Arc<View>, evaluation: &mut Evaluation) {
    let Some((protection, pack)) = set.protection() else { return };
    evaluation.protected_kind =
        view.facts.model().kind(protection.kind).map(|kind| kind.name.clone());
    for id in view.facts.ids(protection.kind) {
        let mut env = Env::new(view, &pack.scripts, &NoVerdicts, 1);
        env.bind(0, Ok(Value::Object(id)));
        let state = env.eval(&protection.state).ok().map(|value| view.facts.say(&value));
        evaluation.protected.push(Protected { subject: subject(view, id), state });
    }
}

fn subject(view: &View, id: ObjectId) -> Subject {
    let kind = view.facts.kind_of(id).map(|kind| kind.name.clone()).unwrap_or_default();
    Subject { kind, key: view.facts.key(id) }
}

/// The results so far.
#[derive(Debug)]
pub struct Ledger<'a> {
    set: &'a RuleSet,
    fresh: Arc<View>,
    results: HashMap<usize, RuleResult>,
}

impl Ledger<'_> {
    /// The rules that would be a cause if they were violated for the object, and may be.
    fn undecided_causes(&self, object: ObjectId) -> Vec<Arc<str>> {
        let mut found = Vec::new();
        for (position, rule) in self.set.rules.iter().enumerate() {
            let Some(result) = self.results.get(&position) else { continue };
            let is_open = result.undecided_anywhere || result.undecided.contains(&object);
            if is_open && rule.tags.iter().any(|tag| &**tag == "cause") {
                found.push(rule.id.clone());
            }
        }
        found
    }
}

impl Verdicts for Ledger<'_> {
    fn any_violated(&self, tag: &str, object: ObjectId) -> Value3<bool> {
        let mut unknown: Option<Unknown> = None;
        for (position, rule) in self.set.rules.iter().enumerate() {
            if !rule.tags.iter().any(|known| &**known == tag) {
                continue;
            }
            let Some(result) = self.results.get(&position) else { continue };
            if result.violated.contains(&object) {
                return Ok(true);
            }
            if result.undecided_anywhere || result.undecided.contains(&object) {
                let place = self.fresh.facts.object(object).map(|object| object.place);
                let reason =
                    Unknown::new(rule.id.clone(), Absence::Undecided(rule.id.clone()), place);
                unknown = Some(match unknown {
                    Some(known) => known.and(reason),
                    None => reason,
                });
            }
        }
        unknown.map_or(Ok(false), Err)
    }
}
