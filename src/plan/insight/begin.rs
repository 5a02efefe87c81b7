//! How things are when a step begins: what its action asks for, and what it says then.

use std::sync::Arc;

use crate::expr::tree::Expr;
use crate::facts::change::Change;
use crate::facts::model::Origin;
use crate::facts::store::Facts;
use crate::facts::value::Value;
use crate::plan::hazard::Given;
use crate::plan::simulate;
use crate::plan::trace::{FactChange, Happening, Trace};
use crate::plan::world::{Act, World, said};
use crate::source::Node;

/// A step when it begins.
#[derive(Clone, Debug, Default)]
pub struct Begin {
    /// What to do, in words.
    pub does: String,
    /// Command lines, each with the product and version that it is for.
    pub commands: Vec<(String, String)>,
    /// What must hold.
    pub conditions: Vec<Condition>,
    /// Names that the action gives to values, with the values.
    pub values: Vec<(String, String)>,
}

/// What must hold when a step begins.
#[derive(Clone, Debug)]
pub struct Condition {
    /// As it is written.
    pub that: String,
    /// Whether it holds, or what would have to be known.
    pub holds: Result<bool, String>,
    /// What is said where it does not.
    pub otherwise: String,
}

/// How things are when a step begins, by what happened before; none if it never begins.
#[must_use]
pub fn begin(given: Given<'_>, trace: &Trace, step: usize) -> Option<Begin> {
    let planned = given.plan.steps.get(step)?;
    let action = given.set.actions.get(planned.action)?;
    let start = trace.steps.get(step)?.start?;
    let now = simulate::instant(given.plan, start);
    let mut world = World::new(given.set, &facts_before(given, trace, step), &now);
    world.now = now;
    let act = Act { action, args: &planned.args };
    let list = |key: &str| action.root.get(key).and_then(Node::as_list).unwrap_or_default();
    let conditions = action.course.requires.iter().zip(list("requires"));
    let conditions = conditions.map(|((that, otherwise), written)| Condition {
        that: written.get("that").map(text_of).unwrap_or_default(),
        holds: world.condition(act, that).map_err(|unknown| said(&unknown)),
        otherwise: world.say(act, otherwise),
    });
    let names = list("let").iter().filter_map(|entry| entry.as_map()?.first());
    let values = action.lets.iter().zip(names).map(|((_, expr), name)| {
        let value = match world.value(act, expr) {
            Ok(Value::Null) => "nothing".to_owned(),
            Ok(value) => world.facts.say(&value),
            Err(unknown) => format!("not known: {}", said(&unknown)),
        };
        (name.key.to_string(), value)
    });
    let holds = |when: &Option<Expr>| {
        when.as_ref().is_none_or(|when| world.condition(act, when) == Ok(true))
    };
    let commands = action.commands.iter().filter(|command| holds(&command.when));
    let commands = commands.map(|command| (command.product.clone(), world.say(act, &command.run)));
    Some(Begin {
        does: world.say(act, &action.text),
        commands: commands.collect(),
        conditions: conditions.collect(),
        values: values.collect(),
    })
}

fn text_of(node: &Node) -> String {
    match node.as_str() {
        Some(text) => text.split_whitespace().collect::<Vec<_>>().join(" "),
        None => node.as_bool().map(|value| value.to_string()).unwrap_or_default(),
    }
}

/// What takes a step back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// The action.
    pub action: String,
    /// Its arguments: names, and values as they were before the step.
    pub with: Vec<(String, String)>,
}

/// For each step that takes place what takes it back, where something does.
pub(super) fn undone(
    given: Given<'_>,
    world: &mut World<'_>,
    trace: &Trace,
) -> Vec<Option<Undone>> {
    let mut undone = vec![None; given.plan.steps.len()];
    let mut facts = given.facts.clone();
    for event in &trace.events {
        if event.what == Happening::Begin
            && let Some(step) = event.step
            && let Some(slot) = undone.get_mut(step)
        {
            world.facts = facts.clone();
            world.now = simulate::instant(given.plan, event.time);
            *slot = undo(given, world, step);
        }
        for change in &event.changes {
            make(&mut facts, trace, change);
        }
    }
    world.facts = given.facts.clone();
    world.now = simulate::instant(given.plan, 0);
    undone
}

fn undo(given: Given<'_>, world: &World<'_>, step: usize) -> Option<Undone> {
    let planned = given.plan.steps.get(step)?;
    let action = given.set.actions.get(planned.action)?;
    let undo = action.course.undo.as_ref()?;
    let act = Act { action, args: &planned.args };
    let with = undo.with.iter().map(|(name, expr)| {
        let value = match world.value(act, expr) {
            Ok(value) => world.facts.say(&value),
            Err(unknown) => format!("(not known: {})", said(&unknown)),
        };
        (name.clone(), value)
    });
    Some(Undone { action: undo.action.clone(), with: with.collect() })
}

/// The facts with all that happened before a step began.
fn facts_before(given: Given<'_>, trace: &Trace, step: usize) -> Arc<Facts> {
    let mut facts = given.facts.clone();
    let begins = |what: &Happening| {
        matches!(what, Happening::Begin | Happening::Nothing | Happening::Refused)
    };
    let before =
        trace.events.iter().take_while(|event| event.step != Some(step) || !begins(&event.what));
    for change in before.flat_map(|event| &event.changes) {
        make(&mut facts, trace, change);
    }
    facts
}

/// Makes a change of a trace anew.
pub(in crate::plan) fn make(facts: &mut Arc<Facts>, trace: &Trace, change: &FactChange) {
    let change = match change {
        FactChange::Field(object, field, _, to) => {
            let kind = facts.kind_of(*object);
            let origin = kind.and_then(|kind| kind.record.fields.get(*field));
            // What follows from other facts is derived again.
            if !origin.is_some_and(|field| {
                matches!(field.origin, Origin::Read | Origin::Reference { .. })
            }) {
                return;
            }
            let (object, path, to) = (*object, vec![*field], to.clone());
            Change::Set { object, path, to, creates: true }
        }
        FactChange::Added(object, _) => {
            // As it is at the end; what changed meanwhile is changed again.
            let Some(known) = trace.facts.object(*object) else { return };
            Change::Add { kind: object.kind, facts: known.facts.clone(), place: known.place }
        }
        FactChange::Removed(object, _) => Change::Remove { object: *object },
    };
    Arc::make_mut(facts).change(vec![change]);
}
