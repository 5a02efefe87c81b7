//! Steps that change facts on which a cause hangs that nobody can decide: it may come up or not.

use std::collections::{BTreeMap, BTreeSet};

use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{KindId, Model, Origin, Type};
use crate::facts::value::ObjectId;
use crate::finding::{Evaluation, Outcome};
use crate::plan::hazard::find::{Finder, known::undecided, objects::listed};
use crate::plan::insight::Behind;
use crate::plan::trace::FactChange;
use crate::rule::{Binding, Rule};

/// Most facts that are named as missing.
const MOST_NAMES: usize = 5;

/// The fields that a rule looks at.
#[derive(Default)]
struct Looks {
    fields: BTreeSet<(KindId, usize)>,
    /// Kinds of the objects that functions are handed: what they look at is not seen here.
    kinds: BTreeSet<KindId>,
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
                    let here = behind.protected(object);
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
            let missing = missing(before, &ids);
            if let Some(hazard) = self.add("plan-unknown", Some(step), message) {
                hazard.objects = keys;
                if !missing.is_empty() {
                    hazard.help.push(format!("collect {}", listed(&missing)));
                }
            }
        }
    }
}

/// The facts that are missing for rules.
fn missing(evaluation: &Evaluation, ids: &[String]) -> Vec<String> {
    let mut all = BTreeSet::new();
    for verdict in evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Undecided) {
        if evaluation.rule(verdict).is_some_and(|rule| ids.iter().any(|id| **id == *rule.id)) {
            all.extend(verdict.missing.iter().map(|missing| format!("`{}`", missing.fact)));
        }
    }
    all.into_iter().take(MOST_NAMES).collect()
}

fn looks(rule: &Rule, model: &Model) -> Looks {
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

    /// The object of a change that it looks at.
    fn meets(&self, change: &FactChange) -> Option<ObjectId> {
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

fn kinds_of(ty: &Type) -> Vec<KindId> {
    match ty.required() {
        Type::Object(kinds) => kinds.to_vec(),
        Type::List(item) => kinds_of(item),
        _ => Vec::new(),
    }
}
