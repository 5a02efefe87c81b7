//! Fact files united into one observation.
//!
//! Each file was checked against the facts schema before, so shapes are as the model says; what is
//! found here needs more than one value to see: the same object twice, the same fact with two
//! values, references that lead nowhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, FileId, Place};
use crate::facts::model::{Field, Kind, KindId, Model, Origin, Record, Type};
use crate::facts::path::WindowsPath;
use crate::facts::store::{Facts, Object, Observation, Table};
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, List, Reach, Value, fold};
use crate::facts::version::Version;
use crate::source::{Node, Value as Tree};

/// Unites fact files.
///
/// The files' order decides only which of two equal places is shown; hand them in by name.
/// The second part of the answer are warnings.
///
/// # Errors
///
/// All contradictions: duplicate keys in one file, two values for one fact, malformed values.
pub fn merge(
    model: &Arc<Model>,
    files: &[(FileId, Node)],
) -> Result<(Facts, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut merger = Merger::new(model);
    for (file, root) in files {
        merger.file(*file, root);
    }
    let Merger { drafts, singles, observations, mut problems, .. } = merger;
    let mut facts = Facts {
        model: model.clone(),
        tables: drafts.into_iter().map(|draft| Arc::new(draft.finish())).collect(),
        singles,
        lists: Vec::new(),
        files: observations,
    };
    problems.extend(resolve(&mut facts));
    if problems.iter().any(Diagnostic::is_error) {
        return Err(problems);
    }
    facts.derive();
    Ok((facts, problems))
}

/// Reads a value that stands outside the facts (a rule's parameter).
///
/// # Errors
///
/// What in it is not of the type.
pub fn read_value(ty: &Type, node: &Node) -> Result<Value, Vec<Diagnostic>> {
    let model = Model::default();
    let mut merger = Merger::new(&model);
    match merger.scalar(ty, node) {
        Some(value) if merger.problems.is_empty() => Ok(value),
        _ => Err(merger.problems),
    }
}

/// The objects of one kind while files are being united.
#[derive(Default)]
struct Draft {
    /// By folded key.
    objects: BTreeMap<String, Object>,
    present: bool,
    /// Whether some file left it open.
    open: bool,
    collected: Option<Instant>,
}

impl Draft {
    fn finish(self) -> Table {
        let index = self.objects.keys().cloned().zip(0..).collect();
        Table {
            objects: self.objects.into_values().collect(),
            gone: BTreeSet::new(),
            index,
            present: self.present,
            complete: !self.open,
            collected: self.collected,
        }
    }
}

struct Merger<'a> {
    model: &'a Model,
    drafts: Vec<Draft>,
    singles: Vec<Fact>,
    observations: Vec<Observation>,
    problems: Vec<Diagnostic>,
    /// Name of the collection that the lists being read are open for; none if it is complete.
    open: Option<Arc<str>>,
}

impl<'a> Merger<'a> {
    fn new(model: &'a Model) -> Self {
        Self {
            model,
            drafts: model.kinds().iter().map(|_| Draft::default()).collect(),
            singles: vec![Fact::Absent(Absence::NotCollected); model.singles().len()],
            observations: Vec::new(),
            problems: Vec::new(),
            open: None,
        }
    }

    fn file(&mut self, file: FileId, root: &Node) {
        let Some(observed) = self.observed_at(root) else { return };
        let complete = Completeness::read(root, &mut self.problems);
        for kind in self.model.kinds() {
            let Some(entry) = root.entry(&kind.collection) else { continue };
            let open = (!complete.holds(&kind.collection)).then(|| kind.collection.clone());
            let at = self.collected_at(root, &kind.collection).unwrap_or_else(|| observed.clone());
            if let Some(draft) = self.drafts.get_mut(usize::from(kind.id.0)) {
                draft.present = true;
                draft.open |= open.is_some();
                let older = |known: &Instant| known.seconds() <= at.seconds();
                if !draft.collected.as_ref().is_some_and(older) {
                    draft.collected = Some(at);
                }
            }
            self.open = open;
            self.collection(kind, &entry.node);
        }
        for (position, field) in self.model.singles().iter().enumerate() {
            let Some(entry) = root.entry(&field.name) else { continue };
            self.open = None;
            let fact = self.fact(&field.ty, &entry.node);
            let Some(slot) = self.singles.get_mut(position) else { continue };
            let known = std::mem::replace(slot, Fact::Absent(Absence::NotCollected));
            let united = unite(known, fact, &field.name, &field.ty, &mut self.problems);
            if let Some(slot) = self.singles.get_mut(position) {
                *slot = united;
            }
        }
        self.observations.push(Observation { file, observed_at: observed });
    }

    fn observed_at(&mut self, root: &Node) -> Option<Instant> {
        let node = root.get("observed_at")?;
        match self.scalar(&Type::Time, node) {
            Some(Value::Time(time)) => Some(time),
            _ => None,
        }
    }

    fn collected_at(&mut self, root: &Node, collection: &str) -> Option<Instant> {
        let node = root.get("collected")?.get(collection)?.get("at")?;
        match self.scalar(&Type::Time, node) {
            Some(Value::Time(time)) => Some(time),
            _ => None,
        }
    }

    fn collection(&mut self, kind: &Kind, list: &Node) {
        let mut seen: HashMap<String, Place> = HashMap::new();
        for node in list.as_list().unwrap_or_default() {
            let facts = self.facts(&kind.record, node);
            let Some((folded, shown)) = key(kind, &facts) else { continue };
            let place = first_place(node);
            if let Some(first) = seen.insert(folded.clone(), place) {
                let message = format!("{} `{shown}` stands twice in this file", kind.name);
                self.problems.push(
                    Diagnostic::error("duplicate-key", message)
                        .at(place)
                        .related(first, "first here")
                        .help("give each object once, with all its facts"),
                );
                continue;
            }
            self.add(kind, folded, Object { key: shown, place, facts });
        }
    }

    fn add(&mut self, kind: &Kind, folded: String, new: Object) {
        let Some(draft) = self.drafts.get_mut(usize::from(kind.id.0)) else { return };
        let Some(known) = draft.objects.get_mut(&folded) else {
            draft.objects.insert(folded, new);
            return;
        };
        let facts = std::mem::take(&mut known.facts);
        let fields = kind.record.fields.iter();
        known.facts = fields
            .zip(facts.into_iter().zip(new.facts))
            .map(|(field, (old, new))| {
                let what = format!("{}[{}].{}", kind.collection, known.key, field.name);
                unite(old, new, &what, &field.ty, &mut self.problems)
            })
            .collect();
    }

    /// One fact a field; derived fields are filled later.
    fn facts(&mut self, record: &Record, node: &Node) -> Vec<Fact> {
        let read = |field: &Field| match node.entry(&field.name) {
            Some(entry) => self.fact(&field.ty, &entry.node),
            None => Fact::Absent(Absence::NotCollected),
        };
        record.fields.iter().map(read).collect()
    }

    fn fact(&mut self, ty: &Type, node: &Node) -> Fact {
        match self.scalar(ty, node) {
            Some(value) => Fact::Known { value, place: Some(first_line(node)) },
            None => Fact::Absent(Absence::NotCollected),
        }
    }

    fn scalar(&mut self, ty: &Type, node: &Node) -> Option<Value> {
        let value = match (ty.required(), &node.value) {
            (_, Tree::Null) => Some(Value::Null),
            (Type::Bool, Tree::Bool(value)) => Some(Value::Bool(*value)),
            (Type::Int, Tree::Int(value)) => Some(Value::Int(*value)),
            #[expect(clippy::cast_precision_loss, reason = "a fraction was asked for")]
            (Type::Float, Tree::Int(value)) => Some(Value::Float(*value as f64)),
            (Type::Float, Tree::Float(value)) => Some(Value::Float(*value)),
            // 3.0 is an integer to JSON Schema.
            #[expect(clippy::cast_possible_truncation, reason = "the schema took it for whole")]
            (Type::Int, Tree::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => {
                Some(Value::Int(*value as i64))
            }
            (Type::Text | Type::Enum(_), Tree::Text(text, _)) => Some(Value::Text(text.clone())),
            (Type::Name | Type::Object(_), Tree::Text(text, _)) => Some(Value::Name(text.clone())),
            (Type::Path, Tree::Text(text, _)) => Some(Value::Path(WindowsPath::new(text))),
            (Type::Version, Tree::Text(text, _)) => Version::parse(text).map(Value::Version),
            (Type::Time, Tree::Text(text, _)) => Instant::parse(text).map(Value::Time),
            (Type::Record(record), Tree::Map(_)) => {
                Some(Value::Record(self.facts(record, node).into()))
            }
            (Type::List(item), Tree::List(nodes)) => {
                let items = nodes.iter().map(|node| self.fact(item, node)).collect();
                let reach = self.open.clone().map_or(Reach::Complete, Reach::Open);
                Some(Value::List(List { items, reach }))
            }
            _ => None,
        };
        if value.is_none() {
            let message = format!("this is not of the type {ty:?}");
            let (code, message) = match ty.required() {
                Type::Time => ("wrong-format", "this is not a time with an offset".to_owned()),
                Type::Version => ("wrong-format", "this is not a version number".to_owned()),
                _ => ("wrong-type", message),
            };
            self.problems.push(Diagnostic::error(code, message).at(node.place));
        }
        value
    }
}

/// Which collections a file holds completely.
enum Completeness {
    All,
    Listed(Vec<Arc<str>>),
}

impl Completeness {
    fn read(root: &Node, problems: &mut Vec<Diagnostic>) -> Self {
        let Some(node) = root.get("complete") else { return Self::Listed(Vec::new()) };
        let Some(list) = node.as_list() else { return Self::All };
        let mut names = Vec::new();
        for item in list {
            let Some(name) = item.as_str() else { continue };
            if root.get(name).is_none() {
                let message =
                    format!("`{name}` is declared complete, but this file has no `{name}`");
                problems.push(
                    Diagnostic::error("complete-without-collection", message).at(item.place).help(
                        format!("write `{name}: []` if there is none, or take it off the list"),
                    ),
                );
            }
            names.push(name.into());
        }
        Self::Listed(names)
    }

    fn holds(&self, collection: &str) -> bool {
        match self {
            Self::All => true,
            Self::Listed(names) => names.iter().any(|name| &**name == collection),
        }
    }
}

/// The object's first entry, so that a marker does not cover fifty lines.
fn first_place(node: &Node) -> Place {
    node.as_map().and_then(<[_]>::first).map_or(node.place, |entry| Place {
        start: entry.key_place.start,
        end: entry.node.place.end,
        ..entry.key_place
    })
}

/// The place that a fact read from this node remembers.
#[must_use]
pub fn first_line(node: &Node) -> Place {
    match &node.value {
        Tree::Map(_) => first_place(node),
        _ => node.place,
    }
}

/// Folded and shown key of an object; none if a needed part was malformed (already reported).
pub(in crate::facts) fn key(kind: &Kind, facts: &[Fact]) -> Option<(String, Arc<str>)> {
    let (mut folded, mut shown) = (Vec::new(), Vec::new());
    for (field, optional) in &kind.key {
        match facts.get(*field) {
            Some(Fact::Known { value: Value::Null, .. } | Fact::Absent(_)) if *optional => {}
            Some(Fact::Known { value, .. }) => {
                shown.push(value.to_string());
                folded.push(key_part(value));
            }
            _ => return None,
        }
    }
    Some((folded.join("/"), shown.join("/").into()))
}

fn key_part(value: &Value) -> String {
    let text = fold(&value.to_string());
    match value {
        Value::Path(path) => path.folded(),
        _ => text,
    }
}

/// Absent gives way to anything; two known values must be the same.
fn unite(old: Fact, new: Fact, what: &str, ty: &Type, problems: &mut Vec<Diagnostic>) -> Fact {
    let (old_value, old_place, new_value, new_place) = match (old, new) {
        (Fact::Absent(_), other) | (other, Fact::Absent(_)) => return other,
        (Fact::Known { value: a, place: p }, Fact::Known { value: b, place: q }) => (a, p, b, q),
    };
    if let (Type::Record(record), Value::Record(a), Value::Record(b)) =
        (ty.required(), &old_value, &new_value)
    {
        let united: Vec<Fact> = record
            .fields
            .iter()
            .zip(a.iter().zip(b.iter()))
            .map(|(field, (a, b))| {
                let what = format!("{what}.{}", field.name);
                unite(a.clone(), b.clone(), &what, &field.ty, problems)
            })
            .collect();
        return Fact::Known { value: Value::Record(united.into()), place: old_place };
    }
    if old_value.same(&new_value) {
        return Fact::Known { value: complete_one(old_value, &new_value), place: old_place };
    }
    let message = format!("`{what}` has two values: `{old_value}` and `{new_value}`");
    let mut problem = Diagnostic::error("conflicting-facts", message)
        .label("here")
        .help("correct one of the files, or leave the wrong one out");
    problem.place = new_place;
    if let Some(place) = old_place {
        problem = problem.related(place, "and here");
    }
    problems.push(problem);
    Fact::Known { value: old_value, place: old_place }
}

/// Of two equal lists the one that is declared complete.
fn complete_one(old: Value, new: &Value) -> Value {
    match (&old, new) {
        (Value::List(a), Value::List(b))
            if a.reach != Reach::Complete && b.reach == Reach::Complete =>
        {
            new.clone()
        }
        _ => old,
    }
}

/// Turns the texts of references into objects; the answer are warnings about those that lead nowhere.
fn resolve(facts: &mut Facts) -> Vec<Diagnostic> {
    let model = facts.model.clone();
    let mut warnings = Vec::new();
    let lookups = std::cell::Cell::new(0);
    let mut tables: Vec<Vec<Vec<Fact>>> = Vec::new();
    for kind in model.kinds() {
        let objects = facts.table(kind.id).map(|t| t.objects.as_slice()).unwrap_or_default();
        let mut rows = Vec::with_capacity(objects.len());
        for object in objects {
            let mut resolver =
                Resolver { facts, kind, object, warnings: &mut warnings, lookups: &lookups };
            rows.push(resolver.facts(&kind.record, &object.facts));
        }
        tables.push(rows);
    }
    for (table, rows) in facts.tables.iter_mut().zip(tables) {
        for (object, row) in Arc::make_mut(table).objects.iter_mut().zip(rows) {
            object.facts = row;
        }
    }
    warnings
}

struct Resolver<'a> {
    facts: &'a Facts,
    kind: &'a Kind,
    object: &'a Object,
    warnings: &'a mut Vec<Diagnostic>,
    /// How often a near key was looked for.
    lookups: &'a std::cell::Cell<usize>,
}

impl Resolver<'_> {
    fn facts(&mut self, record: &Record, facts: &[Fact]) -> Vec<Fact> {
        let fields = record.fields.iter().zip(facts);
        fields.map(|(field, fact)| self.fact(record, facts, field, &field.ty, fact)).collect()
    }

    fn fact(
        &mut self,
        record: &Record,
        row: &[Fact],
        field: &Field,
        ty: &Type,
        fact: &Fact,
    ) -> Fact {
        let Fact::Known { value, place } = fact else { return fact.clone() };
        let value = match (ty.required(), value) {
            (Type::Object(kinds), Value::Name(text)) => {
                return self.reference(record, row, field, kinds, text, *place);
            }
            (Type::Record(inner), Value::Record(facts)) => {
                Value::Record(self.facts(inner, facts).into())
            }
            (Type::List(item), Value::List(list)) => {
                let items = list.items.iter();
                let items = items.map(|fact| self.fact(record, row, field, item, fact)).collect();
                Value::List(List { items, reach: list.reach.clone() })
            }
            (_, other) => other.clone(),
        };
        Fact::Known { value, place: *place }
    }

    fn reference(
        &mut self,
        record: &Record,
        row: &[Fact],
        field: &Field,
        kinds: &[KindId],
        text: &Arc<str>,
        place: Option<Place>,
    ) -> Fact {
        let Origin::Reference { scope } = &field.origin else {
            return Fact::Absent(Absence::NotCollected);
        };
        let mut parts = Vec::new();
        for name in scope {
            // The scope of a nested record's reference may be a field of the object around it.
            let here = record.field(name).and_then(|(position, _)| row.get(position));
            let around = self.kind.record.field(name);
            let around = around.and_then(|(position, _)| self.object.facts.get(position));
            match here.or(around) {
                Some(Fact::Known { value: Value::Null, .. }) => {}
                Some(Fact::Known { value, .. }) => parts.push(value.to_string()),
                _ => return Fact::Absent(Absence::NotCollected),
            }
        }
        parts.push(text.to_string());
        let shown = parts.join("/");
        // A path that ends a key counts without its last backslash; a name that ends with one keeps it.
        let exact = fold(&shown);
        let find = |key: &str| kinds.iter().find_map(|kind| self.facts.find(*kind, key));
        let target = find(&exact).or_else(|| find(exact.trim_end_matches(['\\', '/'])));
        if let Some(id) = target {
            return Fact::Known { value: Value::Object(id), place };
        }
        self.dangling(field, kinds, &shown, place);
        Fact::Absent(Absence::Dangling(shown.into()))
    }

    /// Warns where the object should be: its collection is there, and it is not in it.
    fn dangling(&mut self, field: &Field, kinds: &[KindId], shown: &str, place: Option<Place>) {
        let tables =
            || kinds.iter().filter_map(|kind| self.facts.table(*kind)).filter(|t| t.present);
        // Looking through all keys for a near one costs: after a hundred nobody reads on.
        self.lookups.set(self.lookups.get() + 1);
        let near = match self.lookups.get() {
            0..=100 => crate::diagnostic::nearest(
                shown,
                tables().flat_map(|t| &t.objects).map(|o| &*o.key),
            ),
            _ => None,
        };
        if tables().next().is_none() || (field.may_leave && near.is_none()) {
            return;
        }
        let model = &self.facts.model;
        let names: Vec<&str> =
            kinds.iter().filter_map(|kind| model.kind(*kind)).map(|kind| &*kind.name).collect();
        let message = format!(
            "`{}` of {} `{}` refers to {} `{shown}`, which is not in the facts",
            field.name,
            self.kind.name,
            self.object.key,
            names.join(" or ")
        );
        let mut warning = Diagnostic::warning("dangling-reference", message)
            .help("what depends on it stays undecided");
        if let Some(near) = near {
            warning.help.insert(0, format!("did you mean `{near}`?"));
        }
        warning.place = place;
        self.warnings.push(warning);
    }
}
