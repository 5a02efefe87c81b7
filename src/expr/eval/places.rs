//! Which fact an expression names: read, changed, or told by its path.

use crate::diagnostic::Place;
use crate::expr::eval::values::misfit;
use crate::expr::eval::{Env, Outcome, Read, Unknown};
use crate::expr::tree::{Expr, ExprKind, ListMethod};
use crate::facts::value::{Absence, Fact, ObjectId, Value};

impl<'a> Env<'a> {
    /// The fact that a path names; who watches is told which that is.
    pub(super) fn read(&mut self, expr: &'a Expr) -> Outcome {
        let read = self.place(expr);
        if let Some(watch) = self.watch.filter(|watch| watch.wants_facts()) {
            // Being watched must not make a rule run into its limits.
            let steps = self.steps;
            let field = self.unwatched(|env| env.field_of(expr));
            let path = self.describe(expr);
            self.steps = steps;
            let place = read.as_ref().ok().and_then(|(_, place)| *place);
            watch.fact(expr, Read { field, path, place });
        }
        Ok(read?.0)
    }

    /// The object that a field is read of, and its position there.
    pub(super) fn field_of(&mut self, expr: &'a Expr) -> Option<(ObjectId, usize)> {
        let ExprKind::Field { base, positions, .. } = &expr.kind else { return None };
        let Ok(Value::Object(id)) = self.eval(base) else { return None };
        let found = positions.iter().find(|(kind, _)| *kind == Some(id.kind));
        found.map(|(_, position)| (id, *position))
    }

    /// The fact that a path names, and where it was read.
    ///
    /// # Errors
    ///
    /// Why it is not known.
    pub fn place(&mut self, expr: &'a Expr) -> Outcome<(Value, Option<Place>)> {
        match &expr.kind {
            ExprKind::Single(position) => {
                let model = self.view.facts.model();
                let name =
                    model.singles().get(*position).map(|f| f.name.clone()).unwrap_or_default();
                match self.view.facts.single(*position) {
                    Some(Fact::Known { value, place }) => Ok((value.clone(), *place)),
                    Some(Fact::Absent(why)) => Err(Unknown::new(name, why.clone(), None)),
                    None => Err(Unknown::new(name, Absence::NotCollected, None)),
                }
            }
            ExprKind::Field { base, positions, name } => match self.eval(base)? {
                Value::Object(id) => {
                    let position = positions.iter().find(|(kind, _)| *kind == Some(id.kind));
                    match position {
                        Some((_, position)) => self.view.fact(id, *position),
                        None => Err(misfit(name)),
                    }
                }
                Value::Record(facts) => {
                    let fact = positions.first().and_then(|(_, position)| facts.get(*position));
                    match fact {
                        Some(Fact::Known { value, place }) => Ok((value.clone(), *place)),
                        other => {
                            let why = match other {
                                Some(Fact::Absent(why)) => why.clone(),
                                _ => Absence::NotCollected,
                            };
                            let place = self.unwatched(|env| env.place(base));
                            let place = place.ok().and_then(|(_, place)| place);
                            let what = self.describe(expr).unwrap_or_else(|| name.to_string());
                            Err(Unknown::new(what, why, place))
                        }
                    }
                }
                _ => Err(misfit(name)),
            },
            _ => {
                let value = self.eval(expr)?;
                let place = match &value {
                    Value::Object(id) => self.view.facts.object(*id).map(|object| object.place),
                    _ => None,
                };
                Ok((value, place))
            }
        }
    }

    /// The object and the positions that a fact is at: of its field, then of those in records.
    ///
    /// # Errors
    ///
    /// Why it is not known which object it is.
    pub fn target(&mut self, expr: &'a Expr) -> Outcome<(ObjectId, Vec<usize>)> {
        let ExprKind::Field { base, positions, name } = &expr.kind else {
            return Err(Unknown::failed("only a fact can change"));
        };
        // A record that is not known has no place either, but its object has.
        if positions.iter().all(|(kind, _)| kind.is_none()) {
            let (object, mut path) = self.target(base)?;
            path.extend(positions.first().map(|(_, position)| *position));
            return Ok((object, path));
        }
        match self.eval(base)? {
            Value::Object(id) => {
                let found = positions.iter().find(|(kind, _)| *kind == Some(id.kind));
                let (_, position) = found.ok_or_else(|| misfit(name))?;
                Ok((id, vec![*position]))
            }
            _ => Err(misfit(name)),
        }
    }

    /// The path of a fact as reasons and evidence name it; none for a computed value.
    ///
    /// Evaluates nothing but what stands before the last dot: a path is wanted where the whole failed.
    pub fn describe(&mut self, expr: &'a Expr) -> Option<String> {
        self.unwatched(|env| env.path(expr))
    }

    pub(super) fn path(&mut self, expr: &'a Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Field { base, name, .. } => match self.eval(base) {
                Ok(Value::Object(id)) => Some(format!("{}.{name}", self.view.path(id))),
                _ => Some(format!("{}.{name}", self.path(base)?)),
            },
            ExprKind::Variable(slot) => {
                self.settle(*slot);
                let slot = self.slots.get(*slot)?;
                if let Ok(Value::Object(id)) = slot.value {
                    return Some(self.view.path(id));
                }
                match slot.from? {
                    (list, Some(position)) => Some(format!("{}[{position}]", self.path(list)?)),
                    (value, None) => self.path(value),
                }
            }
            ExprKind::All(kind) => {
                self.view.facts.model().kind(*kind).map(|kind| kind.collection.to_string())
            }
            ExprKind::Single(position) => {
                let fields = self.view.facts.model().singles();
                fields.get(*position).map(|field| field.name.to_string())
            }
            ExprKind::Index(list, _) => Some(format!("{}[]", self.path(list)?)),
            ExprKind::ListMethod { method, list, .. } => match method {
                ListMethod::Find | ListMethod::MinBy | ListMethod::MaxBy => {
                    Some(format!("{}[]", self.path(list)?))
                }
                ListMethod::Filter | ListMethod::KnownOnly => self.path(list),
                _ => None,
            },
            ExprKind::Coalesce(left, _) => self.path(left),
            ExprKind::If(condition, yes, no) => match self.condition(condition) {
                Ok(true) => self.path(yes),
                Ok(false) => self.path(no),
                Err(_) => None,
            },
            _ => None,
        }
    }
}
