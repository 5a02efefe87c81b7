//! What a third party needs to replay a plan: resources, needs and events.
//!
//! Objects are named by kind and key with a space between, so that one name is one object.

use serde::Serialize;
use serde_json::Value as Json;

use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::Type;
use crate::facts::value::{Fact, ObjectId, Value};
use crate::plan::Plan;
use crate::plan::hazard::Hazard;
use crate::plan::trace::{Event, FactChange, Happening, StepTrace};
use crate::report::plan::build::Input;

/// What being protected means.
#[derive(Debug, Serialize)]
pub struct ProtectionX {
    /// The kind of object that is protected.
    pub kind: String,
    /// The field that tells its state; a dot leads into a record.
    pub state: String,
    /// The field that tells when its newest recovery point was made.
    pub newest_point: Option<String>,
    /// States in which it is protected.
    pub good: Vec<String>,
    /// States in which it is not.
    pub bad: Vec<String>,
    /// States that end by themselves.
    pub busy: Vec<String>,
}

/// What there is of people and of slots for checks.
#[derive(Debug, Serialize)]
pub struct ResourcesX {
    /// Steps that people can take at one time.
    pub operators: usize,
    /// Slots for checks.
    pub slots: Vec<SlotsX>,
}

/// Slots for checks.
#[derive(Debug, Serialize)]
pub struct SlotsX {
    /// Kind and key of the object that has them; none for checks that belong to no object.
    pub owner: Option<String>,
    /// Checks that run side by side.
    pub capacity: usize,
}

/// A time in which something must be left alone.
#[derive(Debug, Serialize)]
pub struct BlackoutX {
    /// Its begin, in seconds from the opening of the window.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// Keys of the objects, folded; none: all.
    pub applies_to: Vec<String>,
}

/// What a step occupies, and what it waits for. Objects are named by kind and key.
#[derive(Debug, Serialize)]
pub struct StepNeedsX {
    /// Whether it takes an operator.
    pub operator: bool,
    /// Objects that nobody else may use while it runs.
    pub locks: Vec<String>,
    /// Objects whose locks it respects.
    pub uses: Vec<String>,
    /// What it checks.
    pub checks: Option<CheckX>,
    /// Objects among its arguments.
    pub names: Vec<String>,
    /// Steps that must be over before it begins.
    pub waits_for: Vec<String>,
    /// Seconds before which it does not begin.
    pub not_before: Option<i64>,
    /// Steps with one number can begin together.
    pub group: Option<usize>,
    /// The second since when it occupies these objects, where it would have occupied others before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
}

/// What a check checks.
#[derive(Debug, Serialize)]
pub struct CheckX {
    /// Kind and key of the object.
    pub object: String,
    /// Kind and key of the object that has the slots.
    pub owner: Option<String>,
}

/// Something that happened.
#[derive(Debug, Serialize)]
pub struct EventX {
    /// When, in seconds from the opening of the window.
    pub time: i64,
    /// The step behind it; none where something happens by itself.
    pub step: Option<String>,
    /// `begin`, `end`, `nothing_to_do`, `refused`, `broken_off`: of a step; `effect`, `phase`,
    /// `consequence`: facts change; `opened`, `closed`: of causes.
    pub kind: &'static str,
    /// The causes that it is about, by position.
    pub causes: Vec<usize>,
    /// The facts that changed.
    pub changes: Vec<ChangeX>,
}

/// A fact that changed.
#[derive(Debug, Serialize)]
pub struct ChangeX {
    /// Kind and key of the object.
    pub object: String,
    /// The field, a dot leads into a record; none where the object appears or is gone.
    pub field: Option<String>,
    /// What was before; left out if that was not known, or not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Json>,
    /// What is now; left out if that is not known, or not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Json>,
}

impl Input<'_> {
    pub(super) fn protection(self) -> Option<ProtectionX> {
        let (known, _) = self.set.protection()?;
        let kind = self.facts.model().kind(known.kind)?;
        Some(ProtectionX {
            kind: kind.name.to_string(),
            state: path(&known.state),
            newest_point: known.newest_point.as_ref().map(path),
            good: known.good.clone(),
            bad: known.bad.clone(),
            busy: known.busy.clone(),
        })
    }

    /// Why a hazard is accepted, who does so, and until when.
    pub(super) fn accepted(self, hazard: &Hazard) -> Option<String> {
        let said = hazard.accepted.as_ref()?;
        let window = self.plan.window.start;
        let step = hazard.step.and_then(|step| self.plan.steps.get(step));
        let mut all = step.into_iter().flat_map(|step| &step.accept);
        let accept = all.find(|one| one.hazard == hazard.kind.id && one.until >= window);
        Some(accept.map_or_else(
            || said.clone(),
            |accept| {
                // `until` is over with its day.
                let until = self.clock.date(accept.until - 1 - window);
                format!("{} ({}, until {until})", accept.reason, accept.by)
            },
        ))
    }

    pub(super) fn resources(self) -> ResourcesX {
        let slots = self.judged.worst.slots.iter();
        let slots = slots.map(|(owner, capacity)| SlotsX {
            owner: owner.map(|owner| self.name(owner)),
            capacity: *capacity,
        });
        ResourcesX { operators: self.plan.operators, slots: slots.collect() }
    }

    pub(super) fn needs(self, position: usize, trace: &StepTrace) -> StepNeedsX {
        let step = self.plan.steps.get(position);
        let args = step.map(|step| step.args.as_slice()).unwrap_or_default();
        let names = args.iter().filter_map(|value| match value {
            Value::Object(object) => Some(self.name(*object)),
            _ => None,
        });
        let all = |objects: &[ObjectId]| objects.iter().map(|one| self.name(*one)).collect();
        let waits_for = step.map(|step| step.after.as_slice()).unwrap_or_default();
        let waits_for = waits_for.iter().filter_map(|other| self.id(*other));
        StepNeedsX {
            operator: trace.needs.is_operators,
            locks: all(&trace.needs.locks),
            uses: all(&trace.needs.uses),
            checks: trace.needs.check.map(|(object, owner)| CheckX {
                object: self.name(object),
                owner: owner.map(|owner| self.name(owner)),
            }),
            names: names.collect(),
            waits_for: waits_for.collect(),
            not_before: step.and_then(|step| step.not_before),
            group: step.and_then(|step| step.group),
            since: Some(trace.needs.since).filter(|since| *since > 0),
        }
    }

    /// Something that happened; none if fact files would not show it.
    pub(super) fn event(self, event: &Event) -> Option<EventX> {
        let (kind, causes) = match &event.what {
            Happening::Begin => ("begin", Vec::new()),
            Happening::End => ("end", Vec::new()),
            Happening::Nothing => ("nothing_to_do", Vec::new()),
            Happening::Refused => ("refused", Vec::new()),
            Happening::BrokenOff => ("broken_off", Vec::new()),
            Happening::Effect => ("effect", Vec::new()),
            Happening::Phase => ("phase", Vec::new()),
            Happening::Consequence(causes) => ("consequence", causes.clone()),
            Happening::Opened(cause) => ("opened", vec![*cause]),
            Happening::Closed(cause) => ("closed", vec![*cause]),
        };
        let mut changes = Vec::new();
        for change in &event.changes {
            self.change(change, &mut changes);
        }
        if changes.is_empty() && !event.changes.is_empty() {
            return None;
        }
        let step = event.step.and_then(|step| self.id(step));
        Some(EventX { time: event.time, step, kind, causes, changes })
    }

    fn change(self, change: &FactChange, changes: &mut Vec<ChangeX>) {
        let facts = &self.judged.worst.facts;
        match change {
            FactChange::Field(object, field, from, to) => {
                let kind = facts.kind_of(*object);
                let field = kind.and_then(|kind| kind.record.fields.get(*field));
                let Some(field) = field else { return };
                let mut differing = Vec::new();
                self.differing(&field.name, &field.ty, (from, to), &mut differing);
                let object = self.name(*object);
                changes.extend(differing.into_iter().map(|(field, from, to)| ChangeX {
                    object: object.clone(),
                    field: Some(field),
                    from,
                    to,
                }));
            }
            FactChange::Added(object, facts) => changes.push(ChangeX {
                object: self.name(*object),
                field: None,
                from: None,
                to: Some(facts.clone()),
            }),
            FactChange::Removed(object, facts) => changes.push(ChangeX {
                object: self.name(*object),
                field: None,
                from: Some(facts.clone()),
                to: None,
            }),
        }
    }

    /// The fields in a record that differ; anything else as a whole.
    fn differing(
        self,
        field: &str,
        ty: &Type,
        (from, to): (&Fact, &Fact),
        all: &mut Vec<(String, Option<Json>, Option<Json>)>,
    ) {
        let records = match (from, to) {
            (Fact::Known { value: from, .. }, Fact::Known { value: to, .. }) => (from, to),
            _ => (&Value::Null, &Value::Null),
        };
        if let (Value::Record(from), Value::Record(to)) = records
            && let Type::Record(record) = ty.required()
        {
            for ((inner, from), to) in record.fields.iter().zip(from.iter()).zip(to.iter()) {
                self.differing(&format!("{field}.{}", inner.name), &inner.ty, (from, to), all);
            }
            return;
        }
        let facts = &self.judged.worst.facts;
        let (from, to) = (facts.fact_to_json(from, ty), facts.fact_to_json(to, ty));
        if from != to {
            all.push((field.to_owned(), from, to));
        }
    }

    pub(super) fn name(self, object: ObjectId) -> String {
        self.judged.worst.facts.name(object)
    }
}

pub(super) fn blackouts(plan: &Plan) -> Vec<BlackoutX> {
    let all = plan.window.blackouts.iter();
    let told =
        all.map(|one| BlackoutX { from: one.from, to: one.to, applies_to: one.applies_to.clone() });
    told.collect()
}

/// A path of fields, with dots.
fn path(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Field { base, name, .. } => match path(base) {
            empty if empty.is_empty() => name.to_string(),
            before => format!("{before}.{name}"),
        },
        _ => String::new(),
    }
}
