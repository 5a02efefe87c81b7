//! Types of expressions that need not be right: nothing is demanded, what cannot be told is none.

use std::sync::Arc;

use crate::expr::check::{Scope, World};
use crate::expr::functions;
use crate::expr::syntax::{self, Node, Operator, Syntax};
use crate::expr::tree::ListMethod;
use crate::facts::model::{Field, KindId, Type};

/// The type of a finished expression; guards against null need not stand.
pub(super) fn type_of(text: &str, scope: &Scope, world: World<'_>) -> Option<Type> {
    let syntax = syntax::parse(text).ok()?;
    Infer { scope: scope.clone(), world }.expr(&syntax)
}

/// A field that follows a dot, and the name of what has it.
pub(super) fn fields(ty: &Type, world: World<'_>) -> Vec<(Arc<str>, Field)> {
    match ty.required() {
        Type::Record(record) => {
            record.fields.iter().map(|field| (record.name.clone(), field.clone())).collect()
        }
        Type::Object(kinds) => {
            let all: Vec<_> = kinds.iter().filter_map(|id| world.model.kind(*id)).collect();
            let Some((first, rest)) = all.split_first() else { return Vec::new() };
            let shared =
                first.record.fields.iter().filter(|field| {
                    rest.iter().all(|kind| kind.record.field(&field.name).is_some())
                });
            shared.map(|field| (first.name.clone(), field.clone())).collect()
        }
        _ => Vec::new(),
    }
}

/// The type of the list of all objects of a kind.
pub(super) fn list_of(kind: KindId) -> Type {
    Type::List(Arc::new(Type::Object(Arc::new([kind]))))
}

struct Infer<'a> {
    scope: Scope,
    world: World<'a>,
}

impl Infer<'_> {
    fn expr(&mut self, syntax: &Syntax) -> Option<Type> {
        Some(match &syntax.node {
            Node::Null => Type::Null,
            Node::Bool(_) | Node::Not(_) | Node::And(_) | Node::Or(_) | Node::In(..) => Type::Bool,
            Node::Int(_) => Type::Int,
            Node::Float(_) => Type::Float,
            Node::Text(_) | Node::Template(_) => Type::Text,
            Node::List(parts) => {
                let item = parts.iter().find_map(|part| self.expr(part)).unwrap_or(Type::Null);
                Type::List(Arc::new(item))
            }
            Node::Variable(name) => self.variable(name)?,
            Node::Field(base, name) => {
                let base = self.expr(base)?;
                self.field(&base, name)?
            }
            Node::Index(list, _) => item(&self.expr(list)?)?,
            Node::Method(base, name, args) => self.method(base, name, args)?,
            Node::Call(name, _) => self.called(name)?,
            Node::Negate(inner) => self.expr(inner)?,
            Node::Binary(operator, left, right) => self.binary(*operator, left, right)?,
            Node::Coalesce(left, right) => match self.expr(left) {
                Some(ty) => ty.required().clone(),
                None => self.expr(right)?,
            },
            Node::If(_, yes, no) => self.expr(yes).or_else(|| self.expr(no))?,
            Node::Closure(..) => return None,
        })
    }

    fn variable(&self, name: &str) -> Option<Type> {
        if let Some((_, ty)) = self.scope.find(name) {
            return Some(ty.clone());
        }
        if name == "now" {
            return Some(Type::Time);
        }
        let model = self.world.model;
        if let Some(kind) = model.kind_in(name) {
            return Some(list_of(kind.id));
        }
        let single = model.singles().iter().find(|field| &*field.name == name);
        let table = || self.world.tables.iter().find(|table| &*table.name == name);
        single.map(|field| field.ty.clone()).or_else(|| Some(table()?.ty.clone()))
    }

    fn field(&self, base: &Type, name: &str) -> Option<Type> {
        if name == "key" && matches!(base.required(), Type::Object(_)) {
            return Some(Type::Name);
        }
        let found = fields(base, self.world).into_iter().find(|(_, field)| &*field.name == name)?;
        Some(found.1.ty)
    }

    fn method(&mut self, base: &Syntax, name: &str, args: &[Syntax]) -> Option<Type> {
        let list = self.expr(base)?;
        let Type::List(member) = list.required() else {
            let field = match args {
                [Syntax { node: Node::Text(field), .. }, _] if name == "get" => Some(field),
                _ => None,
            };
            return match field {
                Some(field) => self.field(&list, field),
                None => self.called(name),
            };
        };
        if name == "contains" {
            return Some(Type::Bool);
        }
        let member = (**member).clone();
        let given = args.first().and_then(|closure| self.closure(closure, &member));
        Some(match ListMethod::named(name)? {
            ListMethod::Any | ListMethod::All | ListMethod::IsEmpty => Type::Bool,
            ListMethod::Count => Type::Int,
            ListMethod::Sum => given.unwrap_or(member),
            ListMethod::Min | ListMethod::Max => given.unwrap_or(member).optional(),
            ListMethod::MinBy | ListMethod::MaxBy | ListMethod::Find => member.optional(),
            ListMethod::Filter | ListMethod::KnownOnly => list.required().clone(),
            ListMethod::Map => Type::List(Arc::new(given?)),
        })
    }

    fn closure(&mut self, syntax: &Syntax, member: &Type) -> Option<Type> {
        let Node::Closure(params, body) = &syntax.node else { return None };
        let mark = self.scope.mark();
        self.scope.bind(params.first()?, member.clone());
        let ty = self.expr(body);
        self.scope.rewind(mark);
        ty
    }

    fn called(&self, name: &str) -> Option<Type> {
        if matches!(name, "known" | "any_violated") {
            return Some(Type::Bool);
        }
        let script = self.world.scripts.iter().find(|script| &*script.name == name);
        match script {
            Some(script) => Some(script.returns.clone()),
            None => functions::named(name).next().map(|function| function.returns.clone()),
        }
    }

    fn binary(&mut self, operator: Operator, left: &Syntax, right: &Syntax) -> Option<Type> {
        use Operator as O;
        if !matches!(operator, O::Add | O::Subtract | O::Multiply | O::Divide | O::Remainder) {
            return Some(Type::Bool);
        }
        let (left, right) = (self.expr(left)?, self.expr(right)?);
        Some(match (left.required(), right.required()) {
            (Type::Time, Type::Time) | (Type::Int, Type::Int) => Type::Int,
            (Type::Time, _) => Type::Time,
            (Type::Int | Type::Float, _) => Type::Float,
            _ => Type::Text,
        })
    }
}

/// The type of a list's members.
pub(super) fn item(list: &Type) -> Option<Type> {
    match list.required() {
        Type::List(item) => Some((**item).clone()),
        _ => None,
    }
}
