//! What steps occupy: as the facts say when they begin, not as they said before the plan.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::expr::eval::{ReadSet, Unknown};
use crate::expr::tree::Expr;
use crate::facts::change::Cell;
use crate::facts::model::{KindId, Type};
use crate::facts::value::{Absence, Fact, List, ObjectId, Reach, Value, fold};
use crate::plan::trace::Needs;
use crate::plan::world::{Act, World, bound, said};
use crate::plan::{Plan, Step};
use crate::rule::effect::Course;

/// Whose needs hang on which facts.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Steps by the facts that their needs were read from; more may stand here than still do.
    readers: HashMap<Cell, BTreeSet<usize>>,
    /// Steps whose needs may be others now, and the second since when.
    stale: BTreeMap<usize, i64>,
    /// Steps that name an object which is not there yet.
    early: BTreeSet<usize>,
    /// How many steps may lock an object of a kind.
    lockers: HashMap<KindId, usize>,
}

impl Watch {
    /// What every step of a plan occupies as things are before it.
    pub(super) fn all(world: &mut World<'_>, plan: &Plan) -> (Self, Vec<Needs>) {
        let mut watch = Self::default();
        for step in &plan.steps {
            let Some(action) = world.set.actions.get(step.action) else { continue };
            for kind in locked_kinds(&action.course) {
                *watch.lockers.entry(kind).or_default() += 1;
            }
        }
        let steps = plan.steps.iter().enumerate();
        let needs = steps.map(|(position, step)| watch.read(world, position, step)).collect();
        (watch, needs)
    }

    /// Facts are others since this second.
    pub(super) fn touched(&mut self, touched: &BTreeSet<Cell>, time: i64) {
        let mut stale = BTreeSet::new();
        for cell in touched {
            stale.extend(self.readers.remove(cell).unwrap_or_default());
            if matches!(cell, Cell::All(_)) {
                stale.extend(&self.early);
            }
        }
        self.stale.extend(stale.into_iter().map(|position| (position, time)));
    }

    /// What a step occupies now, if that may be something else than before.
    pub(super) fn renewed(
        &mut self,
        world: &mut World<'_>,
        plan: &Plan,
        position: usize,
        known: &Needs,
    ) -> Option<Needs> {
        let since = self.stale.remove(&position)?;
        let step = plan.steps.get(position)?;
        let is_gone =
            |value: &Value| matches!(value, Value::Object(object) if !world.facts.holds(*object));
        if step.args.iter().any(is_gone) {
            // It will be refused, and what is not there tells nothing.
            return None;
        }
        let needs = Needs { since: known.since, ..self.read(world, position, step) };
        (needs != *known).then_some(Needs { since, ..needs })
    }

    fn read(&mut self, world: &mut World<'_>, position: usize, step: &Step) -> Needs {
        world.watch();
        let (needs, unknown) = needs(world, step);
        let ReadSet { cells, .. } = world.take_reads();
        for cell in cells {
            self.readers.entry(cell).or_default().insert(position);
        }
        if needs.is_early {
            self.early.insert(position);
        } else {
            self.early.remove(&position);
        }
        // What nobody else locks need not be known.
        let own = world.set.actions.get(step.action).map(|action| locked_kinds(&action.course));
        let own = own.unwrap_or_default();
        let is_locked = |kind: &KindId| {
            let others = self.lockers.get(kind).copied().unwrap_or_default();
            others > usize::from(own.contains(kind))
        };
        let unknown =
            unknown.into_iter().filter(|one| one.is_lock || one.kinds.iter().any(is_locked));
        let missing = unknown.map(|one| one.what).collect();
        Needs { missing, ..needs }
    }
}

/// Objects of which nobody knows which they are.
struct Open {
    is_lock: bool,
    kinds: Vec<KindId>,
    what: String,
}

/// The kinds of objects that an expression names.
fn kinds(expr: &Expr) -> Vec<KindId> {
    let ty = match expr.ty.required() {
        Type::List(item) => item.required(),
        ty => ty,
    };
    match ty {
        Type::Object(kinds) => kinds.to_vec(),
        _ => Vec::new(),
    }
}

fn locked_kinds(course: &Course) -> BTreeSet<KindId> {
    course.locks.iter().flat_map(kinds).collect()
}

fn needs(world: &World<'_>, step: &Step) -> (Needs, Vec<Open>) {
    let Some(action) = world.set.actions.get(step.action) else {
        return (Needs::default(), Vec::new());
    };
    let course = &action.course;
    let is_operators = course.occupies_operator;
    let Ok(args) = bound(&world.facts, action, &step.args) else {
        return (Needs { is_operators, is_early: true, ..Needs::default() }, Vec::new());
    };
    let act = Act { action, args: &args };
    let mut open = Vec::new();
    let locks = objects(world, act, &course.locks, true, &mut open);
    let uses = objects(world, act, &course.uses, false, &mut open);
    let check = act.checked().map(|object| (object, owner(world, object)));
    (Needs { is_operators, locks, uses, check, ..Needs::default() }, open)
}

/// The objects that expressions name, each one or a list, and what would have to be known of them.
fn objects(
    world: &World<'_>,
    act: Act<'_>,
    list: &[Expr],
    is_lock: bool,
    open: &mut Vec<Open>,
) -> Vec<ObjectId> {
    let mut objects = Vec::new();
    for expr in list {
        let mut missing = |unknown: &Unknown| {
            open.push(Open { is_lock, kinds: kinds(expr), what: said(unknown) });
        };
        match world.value(act, expr) {
            Ok(Value::Object(object)) => objects.push(object),
            Ok(Value::List(List { items, reach })) => {
                for item in &*items {
                    match item {
                        Fact::Known { value: Value::Object(object), .. } => objects.push(*object),
                        Fact::Known { .. } => {}
                        Fact::Absent(why) => {
                            missing(&Unknown::new("a member", why.clone(), None));
                        }
                    }
                }
                if let Reach::Open(name) = reach {
                    let why = Absence::Open(name.clone());
                    missing(&Unknown::new(name, why, None));
                }
            }
            Ok(_) => {}
            Err(unknown) => missing(&unknown),
        }
    }
    let mut seen = BTreeSet::new();
    objects.retain(|object| seen.insert(*object));
    objects
}

/// The object that has the slots for the checks of another.
pub(in crate::plan) fn owner(world: &World<'_>, object: ObjectId) -> Option<ObjectId> {
    match world.on(object, world.protection()?.checks.owner.as_ref()?) {
        Ok(Value::Object(owner)) => Some(owner),
        _ => None,
    }
}

/// How many checks can run side by side: as the plan says, as the facts say, as the pack assumes.
pub(in crate::plan) fn capacity(
    world: &World<'_>,
    plan: &Plan,
    object: ObjectId,
    owner: Option<ObjectId>,
) -> usize {
    if let Some(owner) = owner {
        let key = fold(&world.facts.key(owner));
        if let Some((_, slots)) = plan.slots.iter().find(|(known, _)| *known == key) {
            return *slots;
        }
    }
    let Some(protection) = world.protection() else { return 1 };
    match protection.checks.slots.as_ref().map(|slots| world.on(object, slots)) {
        Some(Ok(Value::Int(slots))) => usize::try_from(slots).unwrap_or(1).max(1),
        _ => protection.checks.default_slots,
    }
}
