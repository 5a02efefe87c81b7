//! Steps that change facts on which a cause hangs that nobody can decide: it may come up or not.

use std::collections::{BTreeMap, BTreeSet};

use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{KindId, Model, Origin};
use crate::facts::store::Facts;
use crate::facts::value::{Fact, ObjectId, Value};
use crate::finding::{Evaluation, Outcome};
use crate::plan::hazard::find::{Finder, known::undecided};
use crate::plan::insight::{Behind, kinds_of};
use crate::plan::trace::FactChange;
use crate::rule::{Binding, Rule};

/// The fields that a rule looks at.
#[derive(Default)]
pub(super) struct Looks {
    fields: BTreeSet<(KindId, usize)>,
    /// Kinds of the objects that functions are handed: what they look at is not seen here.
    kinds: BTreeSet<KindId>,
    /// Kinds of which all objects are looked through.
    all: BTreeSet<KindId>,
}

impl Finder<'_> {
    pub(super) fn doubts(&mut self, before: &Evaluation) {
        let objects: Vec<ObjectId> = self.trace.objects.iter().map(|one| one.object).collect();
        let behind = Behind::new(&self.trace.facts, &objects);
        let mut doubts: BTreeMap<usize, (BTreeSet<usize>, BTreeSet<ObjectId>)> = BTreeMap::new();
        for doubt in &self.trace.doubts {
            let Some(rule) = self.given.set.rules.get(doubt.rule) else { continue };
            let looks = looks(rule, self.given.facts.model());
            for event in &self.trace.events {
                let Some(step) = event.step.filter(|step| *step < self.written()) else { continue };
                for change in &event.changes {
                    let Some(object) = looks.meets(change) else { continue };
                    let here = self.concerned(&looks, &behind, change, object);
                    let concerns = |other: &ObjectId| {
                        *other == object || here.iter().any(|one| behind.is_behind(*one, *other))
                    };
                    if doubt.anywhere || doubt.objects.iter().any(concerns) {
                        let known = doubts.entry(step).or_default();
                        known.0.insert(doubt.rule);
                        known.1.extend(here);
                    }
                }
            }
        }
        for (step, (rules, objects)) in doubts {
            let ids: Vec<String> = rules
                .iter()
                .filter_map(|rule| self.given.set.rules.get(*rule))
                .map(|rule| rule.id.to_string())
                .collect();
            let message = format!(
                "what {} does to the facts matters to {}",
                self.named(step),
                undecided(&ids)
            );
            let mut keys: Vec<String> = objects.iter().map(|object| self.key(*object)).collect();
            keys.sort();
            let known = missing(before, &ids);
            let missing = if known.is_empty() { missing(self.after, &ids) } else { known };
            let wanted = self.wanted(missing);
            if let Some(hazard) = self.add("plan-unknown", Some(step), message) {
                hazard.objects = keys;
                hazard.ask(wanted);
            }
        }
    }
}

impl Finder<'_> {
    /// The protected objects that a rule looks at over an object that changes.
    fn concerned(
        &self,
        looks: &Looks,
        behind: &Behind<'_>,
        change: &FactChange,
        object: ObjectId,
    ) -> BTreeSet<ObjectId> {
        // What is gone is in the facts of before only.
        let facts = match change {
            FactChange::Removed(..) => self.given.facts,
            _ => &self.trace.facts,
        };
        let protected = self.given.set.protection().map(|(protection, _)| protection.kind);
        let narrow = protected.filter(|kind| looks.comes_from(object.kind, *kind, facts.model()));
        let named = narrow.map(|kind| named(facts, object, kind)).unwrap_or_default();
        if named.is_empty() { behind.protected(object) } else { named }
    }
}

/// The objects of a kind that an object's own facts name.
fn named(facts: &Facts, object: ObjectId, kind: KindId) -> BTreeSet<ObjectId> {
    let fields = facts.kind_of(object).map_or(0, |kind| kind.record.fields.len());
    let values = (0..fields).filter_map(|field| match facts.fact(object, field) {
        Some(Fact::Known { value: Value::Object(other), .. }) => Some(*other),
        _ => None,
    });
    values.filter(|other| other.kind == kind && *other != object).collect()
}

/// The facts that are missing for rules.
pub(super) fn missing(evaluation: &Evaluation, ids: &[String]) -> Vec<String> {
    let mut all = BTreeSet::new();
    for verdict in evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Undecided) {
        if evaluation.rule(verdict).is_some_and(|rule| ids.iter().any(|id| **id == *rule.id)) {
            all.extend(verdict.missing.iter().map(|missing| missing.wanted().to_owned()));
        }
    }
    all.into_iter().collect()
}

pub(super) fn looks(rule: &Rule, model: &Model) -> Looks {
    let mut looks = Looks::default();
    for binding in &rule.select {
        let (list, filter) = match binding {
            Binding::Each { list, filter, .. } => (list, filter),
            Binding::One { from, filter, .. } => (from, filter),
        };
        looks.add(list, model);
        if let Some(filter) = filter {
            looks.add(filter, model);
        }
    }
    let lets = rule.lets.iter().map(|(_, expr)| expr);
    let require = rule.require.iter().map(|(expr, _)| expr);
    for expr in lets.chain(require).chain([&rule.violated]) {
        looks.add(expr, model);
    }
    looks
}

impl Looks {
    fn add(&mut self, expr: &Expr, model: &Model) {
        match &expr.kind {
            ExprKind::Field { positions, .. } => {
                for (kind, position) in positions {
                    if let Some(kind) = kind {
                        self.field(*kind, *position, model);
                    }
                }
            }
            ExprKind::All(kind) => _ = self.all.insert(*kind),
            ExprKind::Script(_, args) => {
                self.kinds.extend(args.iter().flat_map(|arg| kinds_of(&arg.ty)));
            }
            _ => {}
        }
        expr.each_child(&mut |child| self.add(child, model));
    }

    /// A field, and those that it follows from.
    fn field(&mut self, kind: KindId, position: usize, model: &Model) {
        if !self.fields.insert((kind, position)) {
            return;
        }
        let field = model.kind(kind).and_then(|kind| kind.record.fields.get(position));
        match field.map(|field| &field.origin) {
            Some(Origin::Inverse { kind, field }) => self.field(*kind, *field, model),
            Some(Origin::Within { path, .. }) => self.field(kind, *path, model),
            Some(Origin::Read | Origin::Reference { .. }) | None => {}
        }
    }

    /// Whether objects of a kind are come by only from a protected object that they name, such as its jobs:
    /// then those of another protected object do not matter.
    fn comes_from(&self, kind: KindId, protected: KindId, model: &Model) -> bool {
        if self.kinds.contains(&kind) || self.all.contains(&kind) {
            return false;
        }
        let fields = model.kind(kind).map(|kind| kind.record.fields.as_slice()).unwrap_or_default();
        let looked = fields.iter().enumerate().filter(|(field, known)| {
            matches!(known.origin, Origin::Reference { .. })
                && self.fields.contains(&(kind, *field))
        });
        let mut targets = looked.map(|(_, field)| kinds_of(&field.ty)).peekable();
        targets.peek().is_some() && targets.all(|kinds| kinds == [protected])
    }

    /// The object of a change that it looks at.
    pub(super) fn meets(&self, change: &FactChange) -> Option<ObjectId> {
        match change {
            FactChange::Field(object, field, ..) => {
                let is_met = self.kinds.contains(&object.kind)
                    || self.fields.contains(&(object.kind, *field));
                is_met.then_some(*object)
            }
            FactChange::Added(object, _) | FactChange::Removed(object, _) => {
                let is_of = |(kind, _): &(KindId, usize)| *kind == object.kind;
                (self.kinds.contains(&object.kind) || self.fields.iter().any(is_of))
                    .then_some(*object)
            }
        }
    }
}
