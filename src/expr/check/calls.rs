//! Methods of lists, host functions and the pack's own functions.

use std::ops::Range;
use std::sync::Arc;

use crate::expr::check::scope::{Problem, Signature};
use crate::expr::check::types::ordered;
use crate::expr::check::{Checker, Sight};
use crate::expr::functions::{self, FUNCTIONS, Function, Takes};
use crate::expr::syntax::{Node, Syntax};
use crate::expr::tree::{Closure, Expr, ExprKind, ListMethod, ListMethod as M};
use crate::facts::model::Type;

impl<'a> Checker<'a, '_> {
    pub(super) fn method(
        &mut self,
        base: &Syntax,
        name: &Arc<str>,
        args: &[Syntax],
        at: &Range<usize>,
    ) -> Option<Expr> {
        let checked = self.expr(base)?;
        self.scope.see(at, || Sight::Method { of: checked.ty.clone(), name: name.clone() });
        match &checked.ty {
            Type::List(_) if &**name == "contains" && args.len() == 1 => {
                let member = args.first()?;
                self.membership(member, base, at)
            }
            Type::List(item) => {
                let item = (**item).clone();
                self.list_method(checked, &item, name, args, at)
            }
            Type::Object(_) | Type::Record(_) if &**name == "get" => self.get(base, args, at),
            _ => {
                let known = functions::named(name).next().is_some()
                    || self.world.scripts.iter().any(|script| script.name == *name);
                if !known {
                    let message = format!("{} has no method `{name}`", self.article(&checked.ty));
                    let names = function_names(self.world.scripts).chain(["get"]);
                    let problem =
                        Problem::new("unknown-function", at, message).suggest(name, names);
                    return self.fail(problem);
                }
                let rest = self.all(args)?;
                let all = std::iter::once(checked).chain(rest).collect();
                self.function(name, all, at)
            }
        }
    }

    pub(super) fn list_method(
        &mut self,
        list: Expr,
        item: &Type,
        name: &str,
        args: &[Syntax],
        at: &Range<usize>,
    ) -> Option<Expr> {
        let Some(method) = ListMethod::named(name) else {
            let names = ListMethod::TABLE.iter().map(|(_, name, _)| *name).chain(["contains"]);
            let problem =
                Problem::new("unknown-function", at, format!("a list has no method `{name}`"));
            let problem = match name {
                "some" => problem.help("did you mean `any`?"),
                "len" => problem.help("did you mean `count`?"),
                _ => problem.suggest(name, names),
            };
            return self.fail(problem);
        };
        let closure = match (method, args) {
            (M::IsEmpty | M::KnownOnly | M::Count | M::Sum | M::Min | M::Max, []) => None,
            (M::IsEmpty | M::KnownOnly, _) => {
                return self.fail(Problem::new(
                    "wrong-arguments",
                    at,
                    format!("`{name}` takes nothing in its brackets"),
                ));
            }
            (_, [closure]) => Some(self.closure(closure, item)?),
            _ => {
                let problem =
                    Problem::new("wrong-arguments", at, format!("`{name}` needs a closure"));
                return self.fail(problem.help(format!("write `.{name}(|x| ...)`")));
            }
        };
        let given = closure.as_ref().map_or(item, |closure| &closure.body.ty).clone();
        let refuse = |this: &mut Self, what: &str| {
            let place = closure.as_ref().map_or(at, |closure| &closure.body.at).clone();
            let message = format!("`{name}` needs {what}, this is {}", this.article(&given));
            this.fail(Problem::new("wrong-type", &place, message))
        };
        let ty = match method {
            M::Any | M::All | M::Find | M::Filter | M::Count if closure.is_some() => {
                if given != Type::Bool {
                    return refuse(self, "a condition");
                }
                match method {
                    M::Any | M::All => Type::Bool,
                    M::Find => item.clone().optional(),
                    M::Filter => list.ty.clone(),
                    _ => Type::Int,
                }
            }
            M::Count => Type::Int,
            M::IsEmpty => Type::Bool,
            M::KnownOnly => list.ty.clone(),
            M::Map => Type::List(Arc::new(given.clone())),
            M::Sum if matches!(given, Type::Int | Type::Float) => given.clone(),
            M::Sum => return refuse(self, "numbers"),
            _ if !ordered(&given, &given) => {
                return refuse(self, "numbers, versions or times that are not null");
            }
            M::MinBy | M::MaxBy => item.clone().optional(),
            _ => given.clone().optional(),
        };
        let kind = ExprKind::ListMethod { method, list: Box::new(list), closure };
        Some(Expr { kind, ty, at: at.clone() })
    }

    pub(super) fn closure(&mut self, syntax: &Syntax, item: &Type) -> Option<Closure> {
        let Node::Closure(params, body) = &syntax.node else {
            let problem = Problem::new("wrong-arguments", &syntax.at, "a closure is needed here");
            return self.fail(problem.help("write `|x| ...`"));
        };
        let [param] = params.as_slice() else {
            return self.fail(Problem::new(
                "wrong-arguments",
                &syntax.at,
                "the closure takes one name: `|x| ...`",
            ));
        };
        if let Some(what) = self.taken(param) {
            let message = format!("`{param}` {what}; choose another name");
            return self.fail(Problem::new("name-bound-twice", &syntax.at, message));
        }
        self.scope.see(&syntax.at, || Sight::Bound { name: param.clone(), ty: Some(item.clone()) });
        let mark = self.scope.mark();
        let slot = self.scope.bind(param, item.clone());
        let body = self.expr(body);
        self.scope.rewind(mark);
        Some(Closure { name: param.clone(), slot, body: Box::new(body?) })
    }

    /// What a name means already, where it means something.
    fn taken(&self, name: &str) -> Option<&'static str> {
        if self.scope.find(name).is_some() {
            return Some("is bound already");
        }
        let means = name == "now"
            || self.world.model.kind_in(name).is_some()
            || self.world.model.singles().iter().any(|field| &*field.name == name)
            || self.world.tables.iter().any(|table| &*table.name == name);
        means.then_some("means something already")
    }

    pub(super) fn get(
        &mut self,
        base: &Syntax,
        args: &[Syntax],
        at: &Range<usize>,
    ) -> Option<Expr> {
        let [name, default] = args else {
            let problem =
                Problem::new("wrong-arguments", at, "`get` takes a field's name and a default");
            return self.fail(problem.help("write `x.get(\"field\", default)`"));
        };
        let Node::Text(field) = &name.node else {
            let problem = Problem::new(
                "wrong-arguments",
                &name.at,
                "the field's name must stand here as text",
            );
            return self.fail(problem);
        };
        let node = Node::Field(Box::new(base.clone()), field.clone());
        let value = self.expr(&Syntax { node, at: name.at.clone() });
        let default = self.expr(default);
        let (value, default) = (value?, default?);
        let default = self.fit(default, &value.ty.clone())?;
        let ty = value.ty.clone();
        Some(Expr { kind: ExprKind::Get(Box::new(value), Box::new(default)), ty, at: at.clone() })
    }

    pub(super) fn call(
        &mut self,
        name: &Arc<str>,
        args: &[Syntax],
        at: &Range<usize>,
    ) -> Option<Expr> {
        self.scope.see(at, || Sight::Function { name: name.clone() });
        match (&**name, args) {
            ("known", [value]) => {
                let value = self.expr(value)?;
                Some(Expr {
                    kind: ExprKind::Known(Box::new(value)),
                    ty: Type::Bool,
                    at: at.clone(),
                })
            }
            ("any_violated", [tag, object]) => {
                let tag_at = &tag.at;
                let Node::Text(tag) = &tag.node else {
                    let message = "the tag must stand here as text";
                    return self.fail(Problem::new("wrong-arguments", &tag.at, message));
                };
                self.scope.see(tag_at, || Sight::Tag { name: tag.clone() });
                let object = self.expr(object)?;
                if !matches!(object.ty, Type::Object(_)) {
                    let message =
                        format!("an object is needed here, this is {}", self.article(&object.ty));
                    return self.fail(Problem::new("wrong-type", &object.at, message));
                }
                let kind = ExprKind::AnyViolated(tag.clone(), Box::new(object));
                Some(Expr { kind, ty: Type::Bool, at: at.clone() })
            }
            ("known" | "any_violated", _) => {
                let usage =
                    if &**name == "known" { "known(x)" } else { "any_violated(\"tag\", object)" };
                self.fail(Problem::new("wrong-arguments", at, format!("write `{usage}`")))
            }
            _ => {
                let args = self.all(args)?;
                self.function(name, args, at)
            }
        }
    }

    pub(super) fn function(
        &mut self,
        name: &Arc<str>,
        args: Vec<Expr>,
        at: &Range<usize>,
    ) -> Option<Expr> {
        if let Some(script) = self.world.scripts.iter().find(|script| script.name == *name) {
            return self.script(script, args, at);
        }
        let all: Vec<&'static Function> = functions::named(name).collect();
        let Some(function) = all.iter().find(|function| function.params.len() == args.len()) else {
            let problem = if let Some(function) = all.first() {
                Problem::new("wrong-arguments", at, format!("`{name}` takes other arguments"))
                    .help(format!("write {}", function.signature()))
            } else {
                let names = function_names(self.world.scripts).chain(["known", "any_violated"]);
                let problem =
                    Problem::new("unknown-function", at, format!("there is no function `{name}`"));
                let methods = ListMethod::named(name)
                    .map(|_| format!("`{name}` is a method of lists: `list.{name}(|x| ...)`"));
                match methods {
                    Some(help) => problem.help(help),
                    None => problem.suggest(name, names),
                }
            };
            return self.fail(problem);
        };
        let mut fitting = Vec::new();
        for (arg, (param, takes)) in args.into_iter().zip(function.params) {
            fitting.push(self.argument(arg, param, *takes, function)?);
        }
        let ty = function.returns.clone();
        Some(Expr { kind: ExprKind::Host(function, fitting), ty, at: at.clone() })
    }

    pub(super) fn argument(
        &mut self,
        arg: Expr,
        param: &str,
        takes: Takes,
        function: &Function,
    ) -> Option<Expr> {
        let arg = match takes {
            Takes::Path => self.read_as(arg, &Type::Path)?,
            Takes::Version => self.read_as(arg, &Type::Version)?,
            Takes::Time => self.read_as(arg, &Type::Time)?,
            _ => arg,
        };
        let text = |ty: &Type| {
            matches!(ty, Type::Text | Type::Name | Type::Path | Type::Version | Type::Enum(_))
        };
        let fits = |ty: &Type| match takes {
            Takes::Int => *ty == Type::Int,
            Takes::Number => matches!(ty, Type::Int | Type::Float),
            Takes::Text => text(ty),
            Takes::Path => *ty == Type::Path,
            Takes::Version => *ty == Type::Version,
            Takes::Time => *ty == Type::Time,
            Takes::Pairs => match ty {
                Type::List(inner) => match &**inner {
                    Type::List(inner) => text(inner) || **inner == Type::Null,
                    inner => *inner == Type::Null,
                },
                _ => false,
            },
        };
        if fits(&arg.ty) {
            return Some(arg);
        }
        if matches!(arg.ty, Type::Optional(_)) && fits(arg.ty.required()) {
            return self.may_be_null(&arg);
        }
        let message =
            format!("`{param}` must be {}, this is {}", takes.say_one(), self.article(&arg.ty));
        self.fail(Problem::new("wrong-type", &arg.at, message).help(function.signature()))
    }

    pub(super) fn script(
        &mut self,
        script: &'a Signature,
        args: Vec<Expr>,
        at: &Range<usize>,
    ) -> Option<Expr> {
        if script.params.len() != args.len() {
            let names: Vec<&str> = script.params.iter().map(|(name, _)| &**name).collect();
            let message = format!("`{}` takes {}", script.name, names.join(", "));
            return self.fail(Problem::new("wrong-arguments", at, message));
        }
        let fitting: Vec<Option<Expr>> = args
            .into_iter()
            .zip(&script.params)
            .map(|(arg, (_, wanted))| self.fit(arg, wanted))
            .collect();
        let args: Option<Vec<Expr>> = fitting.into_iter().collect();
        let kind = ExprKind::Script(script.name.clone(), args?);
        Some(Expr { kind, ty: script.returns.clone(), at: at.clone() })
    }
}

fn function_names(scripts: &[Signature]) -> impl Iterator<Item = &str> {
    FUNCTIONS.iter().map(|function| function.name).chain(scripts.iter().map(|script| &*script.name))
}
