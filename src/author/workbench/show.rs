//! From what came of an expression to what is shown of it.

use crate::author::workbench::{Checked, Ground, Seen, SeenValue, Trial};
use crate::diagnostic::Place;
use crate::eval;
use crate::expr::eval::Unknown;
use crate::expr::functions::say_size;
use crate::expr::tree::{Expr, ExprKind, ListMethod};
use crate::facts::model::{Field, Model, Type};
use crate::facts::time::{Instant, say_duration};
use crate::facts::value::{Absence, Fact, ObjectId, Reach, Value};
use crate::report::eval::{MissingX, ObjectX, SeenX, Shown, Tried1};
use crate::report::explain::{PlaceX, SubjectX};
use crate::source::Sources;

/// Turns values into what is shown of them.
#[derive(Clone, Copy, Debug)]
pub struct Shower<'a> {
    /// What expressions are tried on.
    pub ground: Ground<'a>,
    /// The files that places point into.
    pub sources: &'a Sources,
}

impl Shower<'_> {
    /// What came of an expression, with at most `limit` facts.
    #[must_use]
    pub fn trial(
        &self,
        checked: &Checked,
        trial: &Trial,
        limit: usize,
        each: Option<SubjectX>,
    ) -> Tried1 {
        let expr = &checked.expr;
        let has_facts = self.ground.has_facts;
        let (status, value, missing) = match &trial.value {
            Ok(value) => ("known", Some(self.whole(value, expr)), Vec::new()),
            Err(unknown) if !has_facts && is_gap(unknown) => ("checked", None, Vec::new()),
            Err(unknown) => ("undecided", None, self.missing(unknown)),
        };
        let all = if has_facts { trial.seen.as_slice() } else { &[] };
        let evidence: Vec<SeenX> = all.iter().take(limit).map(|seen| self.seen(seen)).collect();
        let evidence_left_out = all.len() - evidence.len();
        Tried1 { each, status, value, missing, evidence, evidence_left_out }
    }

    /// What is not known, and why.
    #[must_use]
    pub fn missing(&self, unknown: &Unknown) -> Vec<MissingX> {
        let missing = eval::missing(unknown).into_iter();
        let made = missing.map(|one| MissingX {
            fact: one.fact,
            why: one.why,
            gap: one.gap,
            place: self.place(one.place),
        });
        made.collect()
    }

    /// A fact that was read.
    #[must_use]
    pub fn seen(&self, seen: &Seen) -> SeenX {
        let value = match &seen.value {
            SeenValue::One(value) => self.outcome(value, &seen.ty, seen.unit.as_deref()),
            SeenValue::Collection(count, complete) => Shown::Collection(*count, *complete),
        };
        SeenX { fact: seen.path.clone(), value, place: self.place(seen.place) }
    }

    /// A value, or why there is none.
    #[must_use]
    pub fn outcome(&self, value: &Result<Value, Unknown>, ty: &Type, unit: Option<&str>) -> Shown {
        match value {
            Ok(value) => self.value(value, ty, unit),
            Err(unknown) => {
                let missing = eval::missing(unknown);
                Shown::NotKnown(missing.first().map(|one| one.why.clone()).unwrap_or_default())
            }
        }
    }

    fn place(&self, place: Option<Place>) -> Option<PlaceX> {
        let location = self.sources.location(place?);
        Some(PlaceX { file: location.file, line: location.line, column: location.column })
    }

    /// A value that is shown by itself: an object with its facts.
    fn whole(&self, value: &Value, expr: &Expr) -> Shown {
        let unit = unit(expr, self.ground.model);
        match (self.value(value, &expr.ty, unit.as_deref()), value) {
            (Shown::Object(object), Value::Object(id)) => {
                Shown::Object(Box::new(ObjectX { facts: self.facts(*id), ..*object }))
            }
            (other, _) => other,
        }
    }

    fn value(&self, value: &Value, ty: &Type, unit: Option<&str>) -> Shown {
        match value {
            Value::Null => Shown::Null,
            Value::Bool(value) => Shown::Bool(*value),
            Value::Int(value) => Shown::Int(*value, unit.and_then(|unit| in_words(*value, unit))),
            Value::Float(value) => Shown::Float(*value),
            Value::Time(time) => Shown::Time(time.to_string(), distance(time, self.ground.now)),
            Value::Object(id) => Shown::Object(Box::new(self.object(*id))),
            Value::Record(facts) => {
                let fields = match ty.required() {
                    Type::Record(record) => record.fields.as_slice(),
                    _ => &[],
                };
                let named = fields.iter().zip(facts.iter());
                let shown =
                    named.map(|(field, fact)| (field.name.to_string(), self.fact(fact, field)));
                Shown::Record(shown.collect())
            }
            Value::List(list) => {
                let item = match ty.required() {
                    Type::List(item) => (**item).clone(),
                    _ => Type::Null,
                };
                let field = Field::plain("".into(), item, String::new());
                let members = list.items.iter().map(|fact| self.fact(fact, &field)).collect();
                let said = self.ground.model.say(&field.ty);
                Shown::List(said, members, !matches!(list.reach, Reach::Open(_)))
            }
            Value::Text(_) | Value::Name(_) | Value::Path(_) | Value::Version(_) => {
                Shown::Text(value.to_string())
            }
        }
    }

    fn fact(&self, fact: &Fact, field: &Field) -> Shown {
        match fact {
            Fact::Known { value, .. } => self.value(value, &field.ty, field.unit.as_deref()),
            Fact::Absent(Absence::Dangling(key)) => {
                Shown::NotKnown(format!("`{key}` is not in the facts"))
            }
            Fact::Absent(_) => Shown::NotKnown("not collected".to_owned()),
        }
    }

    fn object(&self, id: ObjectId) -> ObjectX {
        let facts = self.ground.facts;
        let kind = facts.kind_of(id);
        let key = facts.key(id).to_string();
        let collection = kind.map(|kind| kind.collection.to_string()).unwrap_or_default();
        ObjectX {
            kind: kind.map(|kind| kind.name.to_string()).unwrap_or_default(),
            path: format!("{collection}[{key}]"),
            key,
            place: self.place(facts.object(id).map(|object| object.place)),
            facts: Vec::new(),
        }
    }

    /// The facts of an object that are known.
    fn facts(&self, id: ObjectId) -> Vec<(String, Shown)> {
        let facts = self.ground.facts;
        let (Some(object), Some(kind)) = (facts.object(id), facts.kind_of(id)) else {
            return Vec::new();
        };
        let pairs = kind.record.fields.iter().zip(&object.facts);
        let known = pairs.filter(|(_, fact)| matches!(fact, Fact::Known { .. }));
        known.map(|(field, fact)| (field.name.to_string(), self.fact(fact, field))).collect()
    }
}

/// Whether a value is not known because facts are missing, and nothing failed.
fn is_gap(unknown: &Unknown) -> bool {
    !unknown.reasons.iter().any(crate::expr::eval::Reason::is_failure)
}

/// The unit of the number that an expression gives, where the schema says it.
pub(super) fn unit(expr: &Expr, model: &Model) -> Option<String> {
    match &expr.kind {
        ExprKind::Field { base, positions, .. } => {
            let (kind, position) = positions.first()?;
            let field = match (kind, base.ty.required()) {
                (Some(kind), _) => model.kind(*kind)?.record.fields.get(*position)?,
                (None, Type::Record(record)) => record.fields.get(*position)?,
                _ => return None,
            };
            field.unit.clone()
        }
        ExprKind::ListMethod {
            method: ListMethod::Sum | ListMethod::Min | ListMethod::Max,
            closure: Some(closure),
            ..
        } => unit(&closure.body, model),
        ExprKind::Coalesce(value, _) | ExprKind::Get(value, _) | ExprKind::Index(value, _) => {
            unit(value, model)
        }
        _ => None,
    }
}

/// A number in a larger unit.
fn in_words(value: i64, unit: &str) -> Option<String> {
    let duration = |factor: i64| {
        let seconds = value.checked_mul(factor)?;
        (seconds.abs() >= 60 * factor).then(|| say_duration(seconds))
    };
    match unit {
        "bytes" => (value.abs() >= 1_000).then(|| say_size(value)),
        "seconds" => duration(1),
        "minutes" => duration(60),
        other => Some(other.replace('_', " ")),
    }
}

/// How long before or after `now` an instant is.
fn distance(time: &Instant, now: &Instant) -> String {
    let seconds = now.seconds().saturating_sub(time.seconds());
    match seconds {
        0 => "now".to_owned(),
        1.. => format!("{} before now", say_duration(seconds)),
        _ => format!("{} after now", say_duration(seconds.saturating_neg())),
    }
}
