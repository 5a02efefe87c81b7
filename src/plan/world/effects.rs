//! What an effect of an action changes, worked out on the facts as they are.

use std::sync::Arc;

use crate::expr::eval::{Env, Outcome, Reads, Unknown};
use crate::expr::tree::Expr;
use crate::facts::change::{Before, Change, Refusal};
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, List, Reach, Value};
use crate::plan::world::{Act, May, Outcomes, Passing, env_of, said, view_of};
use crate::rule::effect::{Effect, EffectKind, Members, Moment};
use crate::rule::pack::RuleSet;

/// Makes the effects of an action that belong to a moment of it.
pub(super) fn made(
    (set, reads): (&RuleSet, Option<&Arc<Reads>>),
    facts: &mut Arc<Facts>,
    now: &Instant,
    act: Act<'_>,
    (at, may): (Moment, May),
) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let effects = act.action.course.effects.iter();
    // What is so only meanwhile begins with the step.
    let is_then = |effect: &Effect| {
        effect.at == at || (effect.at == Moment::Meanwhile && at == Moment::Start)
    };
    let wanted = |effect: &&Effect| is_then(effect) && (!effect.may || may == May::Happens);
    for effect in effects.filter(wanted) {
        let view = view_of(facts, now, reads);
        let (changes, unknown) = changes(effect, &mut env_of(set, act, &view));
        drop(view);
        let made = Arc::make_mut(facts).change(changes);
        if effect.at == Moment::Meanwhile {
            outcomes.passing.extend(made.before.iter().filter_map(|was| passing(facts, was)));
        }
        outcomes.touched.extend(made.touched);
        outcomes.before.extend(made.before);
        outcomes.missing.extend(made.refused.into_iter().map(refusal));
        outcomes.missing.extend(unknown.iter().map(said));
    }
    outcomes
}

/// A fact that is to be taken back, with what it is now.
fn passing(facts: &Facts, was: &Before) -> Option<Passing> {
    let Before::Field(object, field, was) = was else { return None };
    let now = facts.fact(*object, *field)?.clone();
    Some(Passing { object: *object, field: *field, was: was.clone(), now })
}

impl Passing {
    /// What takes it back; nothing where somebody else has changed it.
    pub(super) fn back(self, facts: &Facts) -> Option<Change> {
        let Self { object, field, was, now } = self;
        let is_same = match (facts.fact(object, field)?, &now) {
            (Fact::Known { value, .. }, Fact::Known { value: set, .. }) => value.same(set),
            (Fact::Absent(_), Fact::Absent(_)) => true,
            _ => false,
        };
        is_same.then_some(Change::Set { object, path: vec![field], to: was, creates: false })
    }
}

fn refusal(refusal: Refusal) -> String {
    match refusal {
        Refusal::NoKey => "the key of the new object".to_owned(),
        Refusal::Exists(key) => format!("whether `{key}`, which is there, is the same"),
        Refusal::NoRecord => "the record that the fact is in".to_owned(),
    }
}

/// What an effect changes, and why some of it is not known. What is not known of one member is no reason to
/// leave another one as it is.
fn changes<'e>(effect: &'e Effect, env: &mut Env<'e>) -> (Vec<Change>, Vec<Unknown>) {
    let (mut all, mut unknown) = (Vec::new(), Vec::new());
    let whole = each(effect.each.as_ref(), env, |env| {
        let holds = effect.when.as_ref().map_or(Ok(true), |when| env.condition(when));
        let change = match holds {
            Ok(true) => one(&effect.what, effect.place, env),
            Ok(false) => return Ok(()),
            Err(why) => Err(why),
        };
        match (change, &effect.what) {
            (Ok(change), EffectKind::Append { .. }) => append(&mut all, change),
            (Ok(change), _) => all.push(change),
            (Err(why), _) => unknown.push(why),
        }
        Ok(())
    });
    unknown.extend(whole.err());
    (all, unknown)
}

/// What several members append to one list comes one after the other: each was put behind the list as it
/// was before all of them.
fn append(all: &mut Vec<Change>, change: Change) {
    if let Change::Set { object, path, to: Fact::Known { value: Value::List(list), .. }, .. } =
        &change
        && let Some(last) = list.items.last()
    {
        for earlier in all.iter_mut() {
            if let Change::Set { object: other, path: same, to, .. } = earlier
                && (object, path) == (&*other, &*same)
                && let Fact::Known { value: Value::List(known), .. } = to
            {
                known.items = known.items.iter().cloned().chain([last.clone()]).collect();
                return;
            }
        }
    }
    all.push(change);
}

/// For each member of a list, or once.
fn each<'e>(
    members: Option<&'e (usize, Expr)>,
    env: &mut Env<'e>,
    mut work: impl FnMut(&mut Env<'e>) -> Outcome<()>,
) -> Outcome<()> {
    let Some((slot, list)) = members else {
        env.new_clause();
        return work(env);
    };
    env.new_clause();
    let Value::List(members) = env.eval(list)? else { return Ok(()) };
    for (position, fact) in members.items.iter().enumerate() {
        if let Fact::Known { value, .. } = fact {
            env.bind_member(*slot, Ok(value.clone()), list, position);
            env.new_clause();
            work(env)?;
        }
    }
    if let Reach::Open(name) = &members.reach {
        return Err(Unknown::new(name.clone(), Absence::Open(name.clone()), None));
    }
    Ok(())
}

fn one<'e>(
    what: &'e EffectKind,
    place: crate::diagnostic::Place,
    env: &mut Env<'e>,
) -> Outcome<Change> {
    Ok(match what {
        EffectKind::Set { fact, to } => {
            let (object, path) = env.target(fact)?;
            Change::Set { object, path, to: valued(to, env), creates: true }
        }
        EffectKind::Forget { fact } => {
            let (object, path) = env.target(fact)?;
            let to = Fact::Absent(Absence::NotCollected);
            Change::Set { object, path, to, creates: false }
        }
        EffectKind::Fill { fact, width, members } => {
            let (object, path) = env.target(fact)?;
            let to = Fact::from(Value::List(filled(members, *width, env)?));
            Change::Set { object, path, to, creates: true }
        }
        EffectKind::Append { fact, width, with } => {
            let (object, path) = env.target(fact)?;
            let Value::List(list) = env.eval(fact)? else {
                return Err(Unknown::new("the list", Absence::NotCollected, None));
            };
            let one = Fact::from(Value::Record(record(with, *width, env).into()));
            let items = list.items.iter().cloned().chain([one]).collect();
            let to = Value::List(List { items, reach: list.reach }).into();
            Change::Set { object, path, to, creates: true }
        }
        EffectKind::Add { kind, with } => {
            let width =
                env.view().facts.model().kind(*kind).map_or(0, |kind| kind.record.fields.len());
            Change::Add { kind: *kind, facts: record(with, width, env), place }
        }
        EffectKind::Remove { object } => match env.eval(object)? {
            Value::Object(object) => Change::Remove { object },
            _ => return Err(Unknown::new("the object", Absence::NotCollected, None)),
        },
    })
}

fn filled<'e>(members: &'e [Members], width: usize, env: &mut Env<'e>) -> Outcome<List> {
    let mut items: Vec<Fact> = Vec::new();
    for member in members {
        each(member.each.as_ref(), env, |env| {
            let holds = member.when.as_ref().map_or(Ok(true), |when| env.condition(when))?;
            if holds {
                items.push(Value::Record(record(&member.with, width, env).into()).into());
            }
            Ok(())
        })?;
    }
    Ok(List { items: items.into(), reach: Reach::Complete })
}

/// One fact a field; those that nothing is said of are not known.
fn record<'e>(fields: &'e [(usize, Expr)], width: usize, env: &mut Env<'e>) -> Vec<Fact> {
    let mut facts = vec![Fact::Absent(Absence::NotCollected); width];
    for (position, value) in fields {
        let value = valued(value, env);
        if let Some(slot) = facts.get_mut(*position) {
            *slot = value;
        }
    }
    facts
}

fn valued<'e>(expr: &'e Expr, env: &mut Env<'e>) -> Fact {
    match env.eval(expr) {
        Ok(value) => value.into(),
        Err(unknown) => unknown.into_fact(),
    }
}
