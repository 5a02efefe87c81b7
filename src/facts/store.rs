//! The facts of one run, by object and field.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::diagnostic::{FileId, Place};
use crate::facts::model::{Field, Kind, KindId, Model, Origin};
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, List, ObjectId, Reach, Value};

/// One observation of an estate: objects of the model's kinds, united from all fact files.
#[derive(Clone, Debug)]
pub struct Facts {
    pub(in crate::facts) model: Arc<Model>,
    /// Shared between copies until one of them is changed.
    pub(in crate::facts) tables: Vec<Arc<Table>>,
    pub(in crate::facts) singles: Vec<Fact>,
    /// For each kind the list of all its objects: expressions ask for it again and again.
    pub(in crate::facts) lists: Vec<Fact>,
    pub(in crate::facts) files: Vec<Observation>,
}

/// All objects of one kind, sorted by key; those that were added later behind them.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(in crate::facts) objects: Vec<Object>,
    /// Rows of objects that were taken away: their numbers are not given again.
    pub(in crate::facts) gone: BTreeSet<u32>,
    pub(in crate::facts) index: HashMap<String, u32>,
    pub(in crate::facts) present: bool,
    pub(in crate::facts) complete: bool,
    pub(in crate::facts) collected: Option<Instant>,
}

/// An object of the facts.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its key as it was written, parts joined by `/`.
    pub key: Arc<str>,
    /// Where it was read first.
    pub place: Place,
    /// One fact a field, in the order of the model.
    pub facts: Vec<Fact>,
}

/// What one fact file says of itself.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The file.
    pub file: FileId,
    /// When its facts were observed.
    pub observed_at: Instant,
}

impl Table {
    /// How many objects there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.objects.len() - self.gone.len()
    }

    /// The objects, sorted by key.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.rows().map(|(_, object)| object)
    }

    /// The objects with their rows, those that are gone left out.
    pub(in crate::facts) fn rows(&self) -> impl Iterator<Item = (u32, &Object)> {
        (0..).zip(&self.objects).filter(|(row, _)| !self.gone.contains(row))
    }

    /// Whether every file that adds to the collection declares it complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.present && self.complete
    }

    /// When the oldest part of it was collected.
    #[must_use]
    pub fn collected(&self) -> Option<&Instant> {
        self.collected.as_ref()
    }
}

impl Facts {
    /// The model that the facts follow.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The fact files, in the order of their names.
    #[must_use]
    pub fn files(&self) -> &[Observation] {
        &self.files
    }

    /// The objects of a kind.
    #[must_use]
    pub fn table(&self, kind: KindId) -> Option<&Table> {
        self.tables.get(usize::from(kind.0)).map(AsRef::as_ref)
    }

    /// Ids of all objects of a kind, by key; those that were added later at the end.
    pub fn ids(&self, kind: KindId) -> impl Iterator<Item = ObjectId> {
        let rows = self.table(kind).into_iter().flat_map(Table::rows);
        rows.map(move |(row, _)| ObjectId { kind, row })
    }

    /// An object.
    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<&Object> {
        self.table(id.kind)?.objects.get(usize::try_from(id.row).ok()?)
    }

    /// Whether the object is there, and has not been taken away.
    #[must_use]
    pub fn holds(&self, id: ObjectId) -> bool {
        self.object(id).is_some()
            && self.table(id.kind).is_some_and(|table| !table.gone.contains(&id.row))
    }

    /// The kind of an object.
    #[must_use]
    pub fn kind_of(&self, id: ObjectId) -> Option<&Kind> {
        self.model.kind(id.kind)
    }

    /// The key of an object.
    #[must_use]
    pub fn key(&self, id: ObjectId) -> Arc<str> {
        self.object(id).map(|object| object.key.clone()).unwrap_or_default()
    }

    /// A fact of an object.
    #[must_use]
    pub fn fact(&self, id: ObjectId, field: usize) -> Option<&Fact> {
        self.object(id)?.facts.get(field)
    }

    /// The object of that kind with that key, compared without case.
    #[must_use]
    pub fn find(&self, kind: KindId, folded_key: &str) -> Option<ObjectId> {
        let index = &self.table(kind)?.index;
        // A folder is the same with and without its last backslash, and a key is shown with it.
        let row = index.get(folded_key).or_else(|| index.get(folded_key.trim_end_matches('\\')));
        let row = *row?;
        Some(ObjectId { kind, row })
    }

    /// A record that stands once in the facts.
    #[must_use]
    pub fn single(&self, position: usize) -> Option<&Fact> {
        self.singles.get(position)
    }

    /// The list of all objects of a kind; absent if the collection is.
    #[must_use]
    pub fn all(&self, kind: KindId) -> Fact {
        let list = self.lists.get(usize::from(kind.0));
        list.cloned().unwrap_or(Fact::Absent(Absence::NotCollected))
    }

    pub(in crate::facts) fn list(&self, kind: &Kind) -> Fact {
        let name = kind.collection.clone();
        match self.table(kind.id) {
            Some(table) if table.present => {
                let items = self.ids(kind.id).map(|id| Fact::from(Value::Object(id))).collect();
                let reach = if table.complete { Reach::Complete } else { Reach::Open(name) };
                Value::List(List { items, reach }).into()
            }
            _ => Fact::Absent(Absence::NoCollection(name)),
        }
    }

    /// A value as in a message; objects by their keys, lists by their members.
    #[must_use]
    pub fn say(&self, value: &Value) -> String {
        match value {
            Value::Object(id) => self.key(*id).to_string(),
            Value::List(list) if list.items.is_empty() => "none".to_owned(),
            Value::List(list) => {
                let said: Vec<String> = list.items.iter().map(|fact| self.say_fact(fact)).collect();
                said.join(", ")
            }
            other => other.to_string(),
        }
    }

    fn say_fact(&self, fact: &Fact) -> String {
        match fact {
            Fact::Known { value, .. } => self.say(value),
            Fact::Absent(Absence::Dangling(key)) => key.to_string(),
            Fact::Absent(_) => "(not known)".to_owned(),
        }
    }

    /// Fills what follows from the facts read: back references, containing roots, lists of all.
    pub(in crate::facts) fn derive(&mut self) {
        let model = self.model.clone();
        self.lists = model.kinds().iter().map(|kind| self.list(kind)).collect();
        for kind in model.kinds() {
            for (position, field) in kind.record.fields.iter().enumerate() {
                let Some(column) = self.column(kind, field) else { continue };
                let Some(table) = self.tables.get_mut(usize::from(kind.id.0)) else { continue };
                for (object, fact) in Arc::make_mut(table).objects.iter_mut().zip(column) {
                    if let Some(slot) = object.facts.get_mut(position) {
                        *slot = fact;
                    }
                }
            }
        }
    }

    /// A field that follows from others, of every object of the kind; none for one that was read.
    pub(in crate::facts) fn column(&self, kind: &Kind, field: &Field) -> Option<Vec<Fact>> {
        match &field.origin {
            Origin::Inverse { kind: from, field } => Some(self.inverse(kind.id, *from, *field)),
            Origin::Within { path, scope, matching } => {
                Some(self.within(kind.id, *path, scope, *matching, &field.ty))
            }
            Origin::Read | Origin::Reference { .. } => None,
        }
    }

    /// For each object of `kind`: the objects of `from` whose `field` refers to it.
    fn inverse(&self, kind: KindId, from: KindId, field: usize) -> Vec<Fact> {
        let count = self.table(kind).map_or(0, |table| table.objects.len());
        let name = self.model.kind(from).map(|k| k.collection.clone()).unwrap_or_default();
        let Some(table) = self.table(from).filter(|table| table.present) else {
            return vec![Fact::Absent(Absence::NoCollection(name)); count];
        };
        let mut members: Vec<Vec<Fact>> = vec![Vec::new(); count];
        let known = self.model.kind(from).and_then(|kind| kind.record.fields.get(field));
        let (field_name, may_leave) =
            known.map_or(("", false), |field| (&*field.name, field.may_leave));
        // The first reference that could mean any of the objects here, for all that is known.
        let mut culprit: Option<Arc<str>> = None;
        let mut refer = |fact: &Fact, id: ObjectId| match fact {
            Fact::Known { value: Value::Object(target), .. } if target.kind == kind => {
                if let Some(list) =
                    usize::try_from(target.row).ok().and_then(|r| members.get_mut(r))
                {
                    list.push(Value::Object(id).into());
                }
            }
            // A key that is in no collection may be a slip for one that is, unless objects that the
            // model does not hold are to be expected there.
            Fact::Absent(Absence::Dangling(_)) if may_leave => {}
            Fact::Absent(_) if culprit.is_none() => {
                culprit = Some(format!("{name}[{}].{field_name}", self.key(id)).into());
            }
            Fact::Known { .. } | Fact::Absent(_) => {}
        };
        for (row, object) in table.rows() {
            let id = ObjectId { kind: from, row };
            match object.facts.get(field) {
                Some(Fact::Known { value: Value::List(list), .. }) => {
                    list.items.iter().for_each(|item| refer(item, id));
                }
                Some(fact) => refer(fact, id),
                None => {}
            }
        }
        let reach = match culprit {
            _ if !table.complete => Reach::Open(name),
            Some(culprit) => Reach::Open(culprit),
            None => Reach::Complete,
        };
        let list =
            |items: Vec<Fact>| Value::List(List { items: items.into(), reach: reach.clone() });
        members.into_iter().map(|items| list(items).into()).collect()
    }

    /// For each object of `kind`: the object of the field's kind whose root contains its path.
    fn within(
        &self,
        kind: KindId,
        path: usize,
        scope: &[(usize, usize)],
        matching: usize,
        ty: &crate::facts::model::Type,
    ) -> Vec<Fact> {
        let crate::facts::model::Type::Object(targets) = ty.required() else { return Vec::new() };
        let Some(target) = targets.first().copied() else { return Vec::new() };
        let name = self.model.kind(target).map(|k| k.collection.clone()).unwrap_or_default();
        let objects = self.table(kind).map(|table| table.objects.as_slice()).unwrap_or_default();
        let Some(roots) = self.table(target).filter(|table| table.present) else {
            return vec![Fact::Absent(Absence::NoCollection(name)); objects.len()];
        };
        // Another root, not collected, could lie nearer: only all roots tell which one it is.
        let mut closed = roots.complete;
        let mut by_scope: HashMap<Vec<ScopeKey>, Vec<(ObjectId, &Fact)>> = HashMap::new();
        for (row, root) in roots.rows() {
            let id = ObjectId { kind: target, row };
            let fields: Option<Vec<ScopeKey>> =
                scope.iter().map(|(_, there)| scope_key(root.facts.get(*there)?)).collect();
            match (fields, root.facts.get(matching)) {
                (Some(fields), Some(fact @ Fact::Known { .. })) => {
                    by_scope.entry(fields).or_default().push((id, fact));
                }
                _ => closed = false,
            }
        }
        let find = |object: &Object| -> Fact {
            let place = match object.facts.get(path) {
                Some(Fact::Known { value: Value::Path(place), .. }) => place,
                Some(Fact::Known { .. }) => return Value::Null.into(),
                Some(Fact::Absent(reason)) => return Fact::Absent(reason.clone()),
                None => return Fact::Absent(Absence::NotCollected),
            };
            let fields: Option<Vec<ScopeKey>> =
                scope.iter().map(|(here, _)| scope_key(object.facts.get(*here)?)).collect();
            let Some(fields) = fields else { return Fact::Absent(Absence::NotCollected) };
            if !closed {
                return Fact::Absent(Absence::Open(name.clone()));
            }
            let candidates = by_scope.get(&fields).map(Vec::as_slice).unwrap_or_default();
            // Nothing stands under a key that is in no collection: that key may be a slip.
            if candidates.is_empty()
                && let Some(ScopeKey::Text(text)) =
                    fields.iter().find(|key| matches!(key, ScopeKey::Text(_)))
            {
                return Fact::Absent(Absence::Dangling(text.as_str().into()));
            }
            let nearest = candidates
                .iter()
                .filter_map(|(id, fact)| match fact {
                    Fact::Known { value: Value::Path(root), .. } if place.is_within(root) => {
                        Some((root.depth(), *id))
                    }
                    _ => None,
                })
                .max_by_key(|(depth, id)| (*depth, std::cmp::Reverse(*id)));
            nearest.map_or(Value::Null, |(_, id)| Value::Object(id)).into()
        };
        objects.iter().map(find).collect()
    }
}

/// What a path and its root must share: the object they belong to, or the key that names it.
#[derive(PartialEq, Eq, Hash)]
enum ScopeKey {
    Object(ObjectId),
    Text(String),
}

fn scope_key(fact: &Fact) -> Option<ScopeKey> {
    match fact {
        Fact::Known { value: Value::Object(id), .. } => Some(ScopeKey::Object(*id)),
        Fact::Known { value: Value::Name(text) | Value::Text(text), .. }
        | Fact::Absent(Absence::Dangling(text)) => {
            Some(ScopeKey::Text(crate::facts::value::fold(text)))
        }
        _ => None,
    }
}
