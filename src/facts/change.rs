//! Changes of facts: what a planned step does to them, on a copy.
//!
//! A copy shares the tables of the original until one of them is changed. What follows from other
//! facts (back references, the volume that a path lies on) is derived again after each change, and
//! the answer says which facts are different now.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::Place;
use crate::facts::merge::key;
use crate::facts::model::{Field, KindId, Origin, Type};
use crate::facts::store::{Facts, Object};
use crate::facts::value::{Absence, Fact, ObjectId, Reach, Value};

/// A change of one fact, or of which objects there are.
#[derive(Clone, Debug)]
pub enum Change {
    /// A field gets a value, or is no longer known.
    Set {
        /// The object.
        object: ObjectId,
        /// Positions: the field of the object, then those of the records in it.
        path: Vec<usize>,
        /// What it is then.
        to: Fact,
        /// Whether a record on the way that is not there is made, with nothing else known in it.
        creates: bool,
    },
    /// There is a new object.
    Add {
        /// Its kind.
        kind: KindId,
        /// One fact a field; those that follow from others are filled in.
        facts: Vec<Fact>,
        /// Where it is said.
        place: Place,
    },
    /// An object is gone.
    Remove {
        /// Which.
        object: ObjectId,
    },
}

impl Change {
    /// The object that it is about, and where in it; none for a new one.
    #[must_use]
    pub fn target(&self) -> Option<(ObjectId, &[usize])> {
        match self {
            Self::Set { object, path, .. } => Some((*object, path)),
            Self::Remove { object } => Some((*object, &[])),
            Self::Add { .. } => None,
        }
    }
}

/// A fact that can be different after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cell {
    /// A field of an object.
    Field(ObjectId, usize),
    /// Which objects of a kind there are.
    All(KindId),
}

/// What came of changes.
#[derive(Debug, Default)]
pub struct Changed {
    /// All facts that differ, sorted, with those that follow from others.
    pub touched: BTreeSet<Cell>,
    /// Why some of the changes were not made.
    pub refused: Vec<Refusal>,
    /// What was before, in the order of the changes; what follows from other facts is left out.
    pub before: Vec<Before>,
}

/// How it was before a change.
#[derive(Clone, Debug)]
pub enum Before {
    /// A field of an object was another fact.
    Field(ObjectId, usize, Fact),
    /// The object was not there.
    Added(ObjectId),
    /// The object was there, as it still stands in its table.
    Removed(ObjectId),
}

/// Why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A part of the new object's key is not known.
    NoKey,
    /// There is such an object.
    Exists(Arc<str>),
    /// The field is in a record that is not known.
    NoRecord,
}

impl Facts {
    /// Makes changes one after the other; one that cannot be made keeps no other from being made.
    pub fn change(&mut self, changes: impl IntoIterator<Item = Change>) -> Changed {
        let mut all = Changed::default();
        for change in changes {
            if let Err(refusal) = self.make(change, &mut all) {
                all.refused.push(refusal);
            }
        }
        self.derive_again(&mut all.touched);
        all
    }

    /// The same, with all that follows from other facts derived from the ground up.
    #[must_use]
    pub fn derived_anew(&self) -> Self {
        let mut facts = self.clone();
        facts.derive();
        facts
    }

    fn make(&mut self, change: Change, all: &mut Changed) -> Result<(), Refusal> {
        match change {
            Change::Set { object, path, to, creates } => {
                let Some((first, rest)) = path.split_first() else { return Ok(()) };
                // Nothing is done to what is gone.
                if !self.holds(object) {
                    return Ok(());
                }
                let Some(known) = self.fact(object, *first) else { return Ok(()) };
                let kind = self.kind_of(object);
                let field = kind.and_then(|kind| kind.record.fields.get(*first));
                let ty = field.filter(|_| creates).map(|field| &field.ty);
                let next = within(known, rest, to, ty)?;
                if !same(known, &next) {
                    all.before.push(Before::Field(object, *first, known.clone()));
                    self.put(object, *first, next);
                    all.touched.insert(Cell::Field(object, *first));
                }
                Ok(())
            }
            Change::Add { kind, facts, place } => self.add(kind, facts, place, all),
            Change::Remove { object } => {
                self.remove(object, all);
                Ok(())
            }
        }
    }

    /// Writes a fact, into a table of its own.
    fn put(&mut self, object: ObjectId, field: usize, fact: Fact) {
        let table = self.tables.get_mut(usize::from(object.kind.0));
        let row = usize::try_from(object.row).ok();
        let object =
            table.zip(row).and_then(|(table, row)| Arc::make_mut(table).objects.get_mut(row));
        if let Some(slot) = object.and_then(|object| object.facts.get_mut(field)) {
            *slot = fact;
        }
    }

    fn add(
        &mut self,
        kind: KindId,
        facts: Vec<Fact>,
        place: Place,
        all: &mut Changed,
    ) -> Result<(), Refusal> {
        let model = self.model.clone();
        let known = model.kind(kind).ok_or(Refusal::NoKey)?;
        let named: Vec<Fact> = facts.iter().map(|fact| self.named(fact)).collect();
        let (folded, shown) = key(known, &named).ok_or(Refusal::NoKey)?;
        let table = self.tables.get_mut(usize::from(kind.0)).ok_or(Refusal::NoKey)?;
        let table = Arc::make_mut(table);
        let row = u32::try_from(table.objects.len()).map_err(|_| Refusal::NoKey)?;
        if table.index.contains_key(&folded) {
            return Err(Refusal::Exists(shown));
        }
        table.index.insert(folded, row);
        table.present = true;
        table.objects.push(Object { key: shown, place, facts });
        all.touched.insert(Cell::All(kind));
        let id = ObjectId { kind, row };
        all.before.push(Before::Added(id));
        all.touched.extend((0..known.record.fields.len()).map(|field| Cell::Field(id, field)));
        Ok(())
    }

    /// A reference as text, as it stands in a key: without the parts that its scope brings.
    fn named(&self, fact: &Fact) -> Fact {
        match fact {
            Fact::Known { value: Value::Object(id), place } => {
                let key = self.key(*id);
                let last = self.own_name(*id).unwrap_or(key);
                Fact::Known { value: Value::Name(last), place: *place }
            }
            other => other.clone(),
        }
    }

    /// The last part of an object's key: what a reference to it says.
    fn own_name(&self, id: ObjectId) -> Option<Arc<str>> {
        let (field, _) = *self.kind_of(id)?.key.last()?;
        match self.fact(id, field)? {
            Fact::Known { value, .. } => Some(self.say(value).into()),
            Fact::Absent(_) => None,
        }
    }

    fn remove(&mut self, object: ObjectId, all: &mut Changed) {
        let shown = self.key(object);
        let Some(table) = self.tables.get_mut(usize::from(object.kind.0)) else { return };
        let table = Arc::make_mut(table);
        if !table.gone.insert(object.row) {
            return;
        }
        table.index.retain(|_, row| *row != object.row);
        all.touched.insert(Cell::All(object.kind));
        all.before.push(Before::Removed(object));
        // Who refers to it refers to nothing now.
        let model = self.model.clone();
        for kind in model.kinds() {
            let refers =
                |field: &Field| matches!(field.origin, Origin::Read | Origin::Reference { .. });
            let fields: Vec<usize> =
                (0..).zip(&kind.record.fields).filter(|(_, f)| refers(f)).map(|(p, _)| p).collect();
            let ids: Vec<ObjectId> = self.ids(kind.id).collect();
            for id in ids {
                for field in &fields {
                    let Some(fact) = self.fact(id, *field) else { continue };
                    if let Some(next) = without(fact, object, &shown) {
                        all.before.push(Before::Field(id, *field, fact.clone()));
                        self.put(id, *field, next);
                        all.touched.insert(Cell::Field(id, *field));
                    }
                }
            }
        }
    }

    /// Fills again what follows from what was touched; what is different then is touched, too.
    fn derive_again(&mut self, touched: &mut BTreeSet<Cell>) {
        let model = self.model.clone();
        let mut fields: BTreeSet<(KindId, usize)> = BTreeSet::new();
        let mut kinds: BTreeSet<KindId> = BTreeSet::new();
        for cell in touched.iter() {
            match cell {
                Cell::Field(id, field) => _ = fields.insert((id.kind, *field)),
                Cell::All(kind) => _ = kinds.insert(*kind),
            }
        }
        for kind in &kinds {
            let Some(kind) = model.kind(*kind) else { continue };
            let list = self.list(kind);
            if let Some(slot) = self.lists.get_mut(usize::from(kind.id.0)) {
                *slot = list;
            }
        }
        for kind in model.kinds() {
            for (position, field) in kind.record.fields.iter().enumerate() {
                let depends = match &field.origin {
                    Origin::Inverse { kind: from, field } => {
                        kinds.contains(from)
                            || kinds.contains(&kind.id)
                            || fields.contains(&(*from, *field))
                    }
                    Origin::Within { path, scope, matching } => {
                        let target = target_of(field);
                        kinds.contains(&kind.id)
                            || target.is_some_and(|target| kinds.contains(&target))
                            || fields.contains(&(kind.id, *path))
                            || target.is_some_and(|target| fields.contains(&(target, *matching)))
                            || scope.iter().any(|(here, there)| {
                                fields.contains(&(kind.id, *here))
                                    || target
                                        .is_some_and(|target| fields.contains(&(target, *there)))
                            })
                    }
                    Origin::Read | Origin::Reference { .. } => false,
                };
                if !depends {
                    continue;
                }
                let Some(column) = self.column(kind, field) else { continue };
                for (row, fact) in (0u32..).zip(column) {
                    let id = ObjectId { kind: kind.id, row };
                    let is_new = self.fact(id, position).is_some_and(|known| !same(known, &fact));
                    if is_new {
                        self.put(id, position, fact);
                        touched.insert(Cell::Field(id, position));
                    }
                }
            }
        }
    }
}

fn target_of(field: &Field) -> Option<KindId> {
    match field.ty.required() {
        Type::Object(kinds) => kinds.first().copied(),
        _ => None,
    }
}

/// A fact with another one at a place inside it; with its type, records on the way are made.
fn within(fact: &Fact, path: &[usize], to: Fact, ty: Option<&Type>) -> Result<Fact, Refusal> {
    let Some((first, rest)) = path.split_first() else { return Ok(to) };
    let record = match ty.map(Type::required) {
        Some(Type::Record(record)) => Some(record),
        _ => None,
    };
    let (mut fields, place) = match (fact, record) {
        (Fact::Known { value: Value::Record(fields), place }, _) => (fields.to_vec(), *place),
        (Fact::Known { value: Value::Null, .. } | Fact::Absent(_), Some(record)) => {
            (vec![Fact::Absent(Absence::NotCollected); record.fields.len()], None)
        }
        _ => return Err(Refusal::NoRecord),
    };
    let slot = fields.get_mut(*first).ok_or(Refusal::NoRecord)?;
    let inner = record.and_then(|record| record.fields.get(*first)).map(|field| &field.ty);
    *slot = within(slot, rest, to, inner)?;
    Ok(Fact::Known { value: Value::Record(fields.into()), place })
}

/// A fact with the object taken out of it; none if it is not in there.
fn without(fact: &Fact, object: ObjectId, shown: &Arc<str>) -> Option<Fact> {
    let Fact::Known { value, place } = fact else { return None };
    let parts = |facts: &[Fact]| -> Option<Vec<Fact>> {
        let next: Vec<Option<Fact>> =
            facts.iter().map(|fact| without(fact, object, shown)).collect();
        next.iter().any(Option::is_some).then(|| {
            facts.iter().zip(next).map(|(old, new)| new.unwrap_or_else(|| old.clone())).collect()
        })
    };
    match value {
        Value::Object(id) if *id == object => Some(Fact::Absent(Absence::Dangling(shown.clone()))),
        Value::Record(fields) => {
            let value = Value::Record(parts(fields)?.into());
            Some(Fact::Known { value, place: *place })
        }
        Value::List(list) => {
            let items = parts(&list.items)?.into();
            let list = crate::facts::value::List { items, reach: list.reach.clone() };
            Some(Fact::Known { value: Value::List(list), place: *place })
        }
        _ => None,
    }
}

/// Whether two facts say the same, lists with what they leave open.
fn same(a: &Fact, b: &Fact) -> bool {
    match (a, b) {
        (Fact::Absent(a), Fact::Absent(b)) => a == b,
        (Fact::Known { value: a, .. }, Fact::Known { value: b, .. }) => {
            a.same(b) && reaches(a) == reaches(b)
        }
        _ => false,
    }
}

fn reaches(value: &Value) -> Option<&Reach> {
    match value {
        Value::List(list) => Some(&list.reach),
        _ => None,
    }
}
