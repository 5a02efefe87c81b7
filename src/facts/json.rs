//! Facts as plain JSON: what fact files hold, by object.
//!
//! What is not known is left out, what has no value is null, a reference is the key of the object that it
//! names. What follows from other facts stands in no fact file, and not here.

use serde_json::{Map, Value as Json};

use crate::facts::model::{Origin, Type};
use crate::facts::store::Facts;
use crate::facts::value::{Absence, Fact, ObjectId, Value};

impl Facts {
    /// The kind and the key of an object, with a space between: `disk SRV1/D`.
    #[must_use]
    pub fn name(&self, id: ObjectId) -> String {
        let kind = self.kind_of(id).map(|kind| kind.name.clone()).unwrap_or_default();
        format!("{kind} {}", self.key(id))
    }

    /// All objects by their names, each with its facts by their fields.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Json> {
        let kinds = self.model().kinds().iter();
        let ids = kinds.flat_map(|kind| self.ids(kind.id));
        ids.map(|id| (self.name(id), self.object_to_json(id))).collect()
    }

    /// The facts of an object, also of one that is gone.
    #[must_use]
    pub fn object_to_json(&self, id: ObjectId) -> Json {
        let mut map = Map::new();
        let fields = self.kind_of(id).map(|kind| kind.record.fields.as_slice());
        for (position, field) in fields.unwrap_or_default().iter().enumerate() {
            let is_read = matches!(field.origin, Origin::Read | Origin::Reference { .. });
            let fact = self.fact(id, position).filter(|_| is_read);
            if let Some(json) = fact.and_then(|fact| self.fact_to_json(fact, &field.ty)) {
                map.insert(field.name.to_string(), json);
            }
        }
        Json::Object(map)
    }

    /// A fact; none if it is not known.
    #[must_use]
    pub fn fact_to_json(&self, fact: &Fact, ty: &Type) -> Option<Json> {
        match fact {
            Fact::Known { value, .. } => Some(self.value_to_json(value, ty)),
            // The file names an object, even if that was not collected or is gone.
            Fact::Absent(Absence::Dangling(key)) => Some(Json::from(&**key)),
            Fact::Absent(_) => None,
        }
    }

    fn value_to_json(&self, value: &Value, ty: &Type) -> Json {
        match (value, ty.required()) {
            (Value::Null, _) => Json::Null,
            (Value::Bool(value), _) => Json::from(*value),
            (Value::Int(value), _) => Json::from(*value),
            (Value::Float(value), _) => Json::from(*value),
            (Value::Record(facts), Type::Record(record)) => {
                let fields = record.fields.iter().zip(facts.iter());
                let known = fields.filter_map(|(field, fact)| {
                    Some((field.name.to_string(), self.fact_to_json(fact, &field.ty)?))
                });
                Json::Object(known.collect())
            }
            (Value::List(list), Type::List(ty)) => {
                let items = list.items.iter();
                // A member that is not known still has its place.
                items.map(|fact| self.fact_to_json(fact, ty).unwrap_or(Json::Null)).collect()
            }
            (other, _) => Json::from(self.say(other)),
        }
    }
}
