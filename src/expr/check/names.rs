//! Names, fields and members.

use std::ops::Range;
use std::sync::Arc;

use crate::expr::check::scope::Problem;
use crate::expr::check::types::{list_of, unify};
use crate::expr::check::{Checker, Sight, path};
use crate::expr::syntax::Syntax;
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{KindId, Type};

impl<'a> Checker<'a, '_> {
    pub(super) fn variable(&mut self, name: &Arc<str>, syntax: &Syntax) -> Option<Expr> {
        let made = |kind, ty| Some(Expr { kind, ty, at: syntax.at.clone() });
        if self.scope.broken.contains(name) {
            self.scope.see(&syntax.at, || Sight::Name { name: name.clone(), ty: None });
            return None;
        }
        if let Some((slot, ty)) = self.scope.find(name) {
            let ty = self.known_type(syntax, ty);
            let sight = || Sight::Name { name: name.clone(), ty: Some(ty.clone()) };
            self.scope.see(&syntax.at, sight);
            return made(ExprKind::Variable(slot), ty);
        }
        if let Some((kind, ty)) = self.global(name) {
            let sight = || Sight::Global { name: name.clone(), ty: ty.clone() };
            self.scope.see(&syntax.at, sight);
            return made(kind, ty);
        }
        let model = self.world.model;
        let problem =
            Problem::new("unknown-name", &syntax.at, format!("nothing is named `{name}` here"));
        let owners = self.owners(name);
        // The name of a kind is more likely meant for its list.
        if !owners.is_empty() && model.kind_named(name).is_none() {
            let says =
                |owner: &String| format!("`{owner}` has a field `{name}`: write `{owner}.{name}`");
            return self
                .fail(owners.iter().fold(problem, |problem, owner| problem.help(says(owner))));
        }
        let names: Vec<&str> = self.scope.names().chain(self.globals()).collect();
        let problem = problem.suggest(name, names.iter().copied());
        let problem = match model.kind_named(name) {
            Some(kind) => problem.help(format!("the list of all is `{}`", kind.collection)),
            None if problem.help.is_empty() && self.scope.names().next().is_some() => problem
                .help(format!("bound here: {}", self.scope.names().collect::<Vec<_>>().join(", "))),
            None => problem,
        };
        self.fail(problem)
    }

    /// The bound names whose objects or records have a field of that name.
    fn owners(&self, field: &str) -> Vec<String> {
        let has = |ty: &Type| match ty.required() {
            Type::Object(kinds) => kinds.iter().all(|id| {
                self.world.model.kind(*id).is_some_and(|kind| kind.record.field(field).is_some())
            }),
            Type::Record(record) => record.field(field).is_some(),
            _ => false,
        };
        let names =
            self.scope.names().filter(|name| self.scope.find(name).is_some_and(|(_, ty)| has(ty)));
        names.map(str::to_owned).collect()
    }

    /// What every expression knows under that name.
    fn global(&self, name: &Arc<str>) -> Option<(ExprKind, Type)> {
        if &**name == "now" {
            return Some((ExprKind::Now, Type::Time));
        }
        let model = self.world.model;
        if let Some(kind) = model.kind_in(name) {
            return Some((ExprKind::All(kind.id), list_of(kind.id)));
        }
        if let Some(position) = model.singles().iter().position(|field| field.name == *name) {
            let ty = model.singles().get(position).map_or(Type::Null, |field| field.ty.clone());
            return Some((ExprKind::Single(position), ty));
        }
        let table = self.world.tables.iter().find(|table| table.name == *name)?;
        Some((ExprKind::Constant(table.value.clone()), table.ty.clone()))
    }

    pub(super) fn globals(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let model = self.world.model;
        let kinds = model.kinds().iter().map(|kind| &*kind.collection);
        let singles = model.singles().iter().map(|field| &*field.name);
        let tables = self.world.tables.iter().map(|table| &*table.name);
        std::iter::once("now").chain(kinds).chain(singles).chain(tables)
    }

    /// The type, without null where a guard has excluded it.
    pub(super) fn known_type(&self, syntax: &Syntax, ty: &Type) -> Type {
        match ty {
            Type::Optional(inner) => match path(syntax) {
                Some(path) if self.scope.not_null.contains(&path) => (**inner).clone(),
                _ => ty.clone(),
            },
            _ => ty.clone(),
        }
    }

    pub(super) fn field(
        &mut self,
        base: &Syntax,
        name: &Arc<str>,
        syntax: &Syntax,
    ) -> Option<Expr> {
        let base = self.expr(base)?;
        let at = &syntax.at;
        self.scope.see(at, || Sight::Field { of: base.ty.clone(), name: name.clone() });
        match base.ty.clone() {
            Type::Object(kinds) => self.object_field(base, &kinds, name, syntax),
            Type::Record(record) => {
                if let Some((position, field)) = record.field(name) {
                    let ty = self.known_type(syntax, &field.ty);
                    let positions = vec![(None, position)];
                    let base = Box::new(base);
                    let kind = ExprKind::Field { base, positions, name: name.clone() };
                    Some(Expr { kind, ty, at: at.clone() })
                } else {
                    let message = format!("`{}` has no field `{name}`", record.name);
                    let names: Vec<&str> = record.names().collect();
                    let problem = Problem::new("unknown-field", at, message);
                    self.fail(with_names(problem.suggest(name, names.iter().copied()), &names))
                }
            }
            Type::Optional(_) => self.may_be_null(&base),
            Type::List(_) => {
                let help =
                    format!("ask its members: `.any(|x| x.{name} ...)`, `.map(|x| x.{name})`");
                let message =
                    format!("this is {}, and a list has no fields", self.article(&base.ty));
                self.fail(Problem::new("unknown-field", at, message).help(help))
            }
            other => {
                let message = format!("{} has no fields", self.article(&other));
                self.fail(Problem::new("unknown-field", at, message))
            }
        }
    }

    pub(super) fn object_field(
        &mut self,
        base: Expr,
        kinds: &[KindId],
        name: &Arc<str>,
        syntax: &Syntax,
    ) -> Option<Expr> {
        let at = &syntax.at;
        if &**name == "key" {
            return Some(Expr {
                kind: ExprKind::Key(Box::new(base)),
                ty: Type::Name,
                at: at.clone(),
            });
        }
        let mut positions = Vec::new();
        let mut ty: Option<Type> = None;
        for id in kinds {
            let Some(kind) = self.world.model.kind(*id) else { continue };
            let Some((position, field)) = kind.record.field(name) else {
                let message = match kinds.len() {
                    1 => format!("`{}` has no field `{name}`", kind.name),
                    _ => format!(
                        "this may be {}, and `{}` has no field `{name}`",
                        self.article(&base.ty),
                        kind.name
                    ),
                };
                let names: Vec<&str> = kind.record.names().collect();
                let problem = Problem::new("unknown-field", at, message);
                let problem = problem.suggest(name, names.iter().copied());
                return self.fail(with_names(problem, &names));
            };
            positions.push((Some(*id), position));
            let united = match &ty {
                None => Some(field.ty.clone()),
                Some(known) => unify(known, &field.ty),
            };
            ty = if let Some(united) = united {
                Some(united)
            } else {
                let message = format!("`{name}` has different types in {}", self.say(&base.ty));
                return self.fail(Problem::new("wrong-type", at, message));
            };
        }
        let ty = self.known_type(syntax, &ty?);
        let kind = ExprKind::Field { base: Box::new(base), positions, name: name.clone() };
        Some(Expr { kind, ty, at: at.clone() })
    }

    pub(super) fn index(
        &mut self,
        list: &Syntax,
        index: &Syntax,
        at: &Range<usize>,
    ) -> Option<Expr> {
        let (list, index) = (self.expr(list), self.expr(index));
        let (list, index) = (list?, index?);
        let Type::List(item) = list.ty.clone() else {
            let message = format!("{} has no members to count", self.article(&list.ty));
            return self.fail(Problem::new("wrong-type", &list.at, message));
        };
        let index = self.fit(index, &Type::Int)?;
        let kind = ExprKind::Index(Box::new(list), Box::new(index));
        Some(Expr { kind, ty: (*item).clone(), at: at.clone() })
    }
}

/// Lists the names that exist, unless one was near or there are too many to read.
fn with_names(problem: Problem, names: &[&str]) -> Problem {
    if problem.help.is_empty() && names.len() <= 40 {
        let help = format!("its fields: {}", names.join(", "));
        return problem.help(help);
    }
    problem
}
