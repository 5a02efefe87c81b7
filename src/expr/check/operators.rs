//! Comparisons, arithmetic and membership.

use std::ops::Range;

use crate::expr::check::scope::Problem;
use crate::expr::check::types::{equal, ordered};
use crate::expr::check::{Checker, Sight, path};
use crate::expr::functions;
use crate::expr::syntax::hint::is_unit;
use crate::expr::syntax::{Node, Operator, Syntax};
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::Type;
use crate::facts::path::WindowsPath;
use crate::facts::time::Instant;
use crate::facts::value::Value;

/// What to write instead of a text that is a size.
const SIZES: &str = "sizes are plain bytes: compare `gb(x)` with a number, or write the bytes out";

/// Whether an expression is a text like `10 GB`.
fn is_size(expr: &Expr) -> bool {
    let Some(text) = expr.constant_text() else { return false };
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    unit.len() < text.len() && is_unit(unit)
}

impl Checker<'_, '_> {
    pub(super) fn negate(&mut self, inner: &Syntax, at: &Range<usize>) -> Option<Expr> {
        let inner = self.expr(inner)?;
        if !matches!(inner.ty, Type::Int | Type::Float) {
            let message = format!("`-` needs a number, this is {}", self.article(&inner.ty));
            return self.fail(Problem::new("wrong-type", &inner.at, message));
        }
        let ty = inner.ty.clone();
        Some(Expr { kind: ExprKind::Negate(Box::new(inner)), ty, at: at.clone() })
    }

    pub(super) fn binary(
        &mut self,
        operator: Operator,
        left: &Syntax,
        right: &Syntax,
        at: &Range<usize>,
    ) -> Option<Expr> {
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        let null = |side: &Syntax| matches!(side.node, Node::Null);
        if equality && (null(left) || null(right)) {
            let (left, right) = (self.declared(left), self.declared(right));
            return self.null_test(operator, left?, right?, at);
        }
        let (left, right) = (self.expr(left), self.expr(right));
        let (left, right) = (left?, right?);
        if equality && (left.ty == Type::Null || right.ty == Type::Null) {
            return self.null_test(operator, left, right, at);
        }
        self.see_member(&left, &right.ty);
        self.see_member(&right, &left.ty);
        for side in [&left, &right] {
            if matches!(side.ty, Type::Optional(_) | Type::Null) {
                return self.may_be_null(side);
            }
        }
        match operator {
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => self.arithmetic(operator, left, right, at),
            _ => self.comparison(operator, left, right, at),
        }
    }

    /// As `expr`, but without what guards say of the path itself: to ask twice is no slip.
    pub(super) fn declared(&mut self, syntax: &Syntax) -> Option<Expr> {
        let Some(path) = path(syntax) else { return self.expr(syntax) };
        let known = self.scope.not_null.clone();
        self.scope.not_null.retain(|guarded| *guarded != path);
        let expr = self.expr(syntax);
        self.scope.not_null = known;
        expr
    }

    pub(super) fn null_test(
        &mut self,
        operator: Operator,
        left: Expr,
        right: Expr,
        at: &Range<usize>,
    ) -> Option<Expr> {
        let value = if left.ty == Type::Null { right } else { left };
        if !matches!(value.ty, Type::Optional(_)) {
            let problem = Problem::new("never-null", &value.at, "this can never be null")
                .help("to ask whether a fact was collected, write `known(x)`");
            return self.fail(problem);
        }
        let negated = operator == Operator::NotEqual;
        let kind = ExprKind::IsNull { value: Box::new(value), negated };
        Some(Expr { kind, ty: Type::Bool, at: at.clone() })
    }

    pub(super) fn comparison(
        &mut self,
        operator: Operator,
        left: Expr,
        right: Expr,
        at: &Range<usize>,
    ) -> Option<Expr> {
        let (left, right) = self.alike(left, right)?;
        let equality = matches!(operator, Operator::Equal | Operator::NotEqual);
        let fits = if equality { equal(&left.ty, &right.ty) } else { ordered(&left.ty, &right.ty) };
        if !fits {
            let message = format!(
                "`{}` cannot compare {} with {}",
                operator.sign(),
                self.article(&left.ty),
                self.article(&right.ty)
            );
            let problem = Problem::new("wrong-type", at, message);
            let texts = |ty: &Type| matches!(ty, Type::Text | Type::Name | Type::Enum(_));
            let problem = match (&left.ty, &right.ty) {
                (a, b) if texts(a) && texts(b) => {
                    problem.help("texts have no order here: \"10\" would stand before \"9\"")
                }
                (Type::Int | Type::Float, _) if is_size(&right) => problem.help(SIZES),
                (_, Type::Int | Type::Float) if is_size(&left) => problem.help(SIZES),
                (Type::Path | Type::Version | Type::Time, b) if texts(b) => {
                    problem.help("only text that stands in the rule itself is read as such a value")
                }
                (Type::Object(_), Type::Name | Type::Text)
                | (Type::Name | Type::Text, Type::Object(_)) => {
                    problem.help("an object's key is `x.key`, its name `x.name`")
                }
                _ => problem,
            };
            return self.fail(problem);
        }
        let kind = ExprKind::Compare(operator, Box::new(left), Box::new(right));
        Some(Expr { kind, ty: Type::Bool, at: at.clone() })
    }

    /// A text literal beside a value of another type is read as that type.
    pub(super) fn alike(&mut self, left: Expr, right: Expr) -> Option<(Expr, Expr)> {
        if left.constant_text().is_some() && right.constant_text().is_none() {
            let ty = right.ty.clone();
            return Some((self.read_as(left, &ty)?, right));
        }
        if right.constant_text().is_some() && left.constant_text().is_none() {
            let ty = left.ty.clone();
            return Some((left, self.read_as(right, &ty)?));
        }
        Some((left, right))
    }

    /// Tells of a text literal where one of several texts is needed.
    fn see_member(&mut self, expr: &Expr, ty: &Type) {
        if let (Some(text), Type::Enum(members)) = (expr.constant_text(), ty.required()) {
            let sight = || Sight::Member { members: members.clone(), text: text.clone() };
            self.scope.see(&expr.at, sight);
        }
    }

    /// Reads a text literal as a value of `ty`; anything else stays what it is.
    pub(super) fn read_as(&mut self, expr: Expr, ty: &Type) -> Option<Expr> {
        self.see_member(&expr, ty);
        let Some(text) = expr.constant_text().cloned() else { return Some(expr) };
        let malformed =
            |what: &str| Problem::new("wrong-format", &expr.at, format!("`{text}` is not {what}"));
        let value = match ty.required() {
            Type::Name => Value::Name(text.clone()),
            Type::Path => Value::Path(WindowsPath::new(&text)),
            Type::Version => match functions::version(&text) {
                Some(version) => version,
                None => return self.fail(malformed("a version number")),
            },
            Type::Time => match Instant::parse(&text) {
                Some(time) => Value::Time(time),
                None => return self.fail(malformed("a time with an offset")),
            },
            Type::Enum(members) if !members.contains(&text) => {
                let message = format!("`{text}` is not one of the values it can have");
                let names: Vec<&str> = members.iter().map(|member| &**member).collect();
                let problem = Problem::new("not-a-member", &expr.at, message);
                let problem = problem.suggest(&text, names.iter().copied());
                return self.fail(problem.help(format!("it can be {}", names.join(", "))));
            }
            Type::Enum(_) => return Some(Expr { ty: ty.required().clone(), ..expr }),
            _ => return Some(expr),
        };
        Some(Expr { kind: ExprKind::Constant(value), ty: ty.required().clone(), at: expr.at })
    }

    pub(super) fn arithmetic(
        &mut self,
        operator: Operator,
        left: Expr,
        right: Expr,
        at: &Range<usize>,
    ) -> Option<Expr> {
        let number = |ty: &Type| matches!(ty, Type::Int | Type::Float);
        let text = |ty: &Type| matches!(ty, Type::Text | Type::Name | Type::Enum(_));
        let ty = match (&left.ty, operator, &right.ty) {
            (Type::Int, _, Type::Int) => Type::Int,
            (a, _, b) if number(a) && number(b) => Type::Float,
            (Type::Time, Operator::Subtract, Type::Time) => Type::Int,
            (Type::Time, Operator::Add | Operator::Subtract, Type::Int) => Type::Time,
            (a, Operator::Add, b) if text(a) && text(b) => Type::Text,
            (a, _, b) => {
                let (a, b) = (self.article(a), self.article(b));
                let message = format!("`{}` does not work with {a} and {b}", operator.sign());
                let problem = Problem::new("wrong-type", at, message);
                let problem = match operator {
                    Operator::Add => {
                        problem.help("to put values into text, write `text ${value}` in back-ticks")
                    }
                    _ => problem,
                };
                return self.fail(problem);
            }
        };
        let kind = ExprKind::Arithmetic(operator, Box::new(left), Box::new(right));
        Some(Expr { kind, ty, at: at.clone() })
    }

    pub(super) fn membership(
        &mut self,
        member: &Syntax,
        list: &Syntax,
        at: &Range<usize>,
    ) -> Option<Expr> {
        let (member, list) = (self.expr(member), self.expr(list));
        let (mut member, mut list) = (member?, list?);
        if let ExprKind::List(parts) = &list.kind {
            for part in parts {
                self.see_member(part, &member.ty);
            }
        }
        if matches!(member.ty, Type::Optional(_) | Type::Null) {
            return self.may_be_null(&member);
        }
        let Type::List(item) = list.ty.clone() else {
            let message = format!("`in` needs a list, this is {}", self.article(&list.ty));
            let problem = Problem::new("wrong-type", &list.at, message);
            return self.fail(problem.help("for a part of a text, write `text.contains(part)`"));
        };
        if let ExprKind::List(parts) = list.kind {
            let ty = member.ty.clone();
            let read: Vec<Option<Expr>> =
                parts.into_iter().map(|part| self.read_as(part, &ty)).collect();
            list.kind = ExprKind::List(read.into_iter().collect::<Option<Vec<_>>>()?);
            if let ExprKind::List(parts) = &list.kind
                && let Some(misfit) = parts.iter().find(|part| !equal(&member.ty, &part.ty))
            {
                let (a, b) = (self.article(&member.ty), self.article(&misfit.ty));
                let message = format!("`in` cannot compare {a} with {b}");
                return self.fail(Problem::new("wrong-type", &misfit.at, message));
            }
        } else {
            member = self.read_as(member, &item)?;
            if !equal(&member.ty, &item) {
                let (a, b) = (self.article(&member.ty), self.article(&item));
                return self.fail(Problem::new(
                    "wrong-type",
                    at,
                    format!("`in` cannot compare {a} with {b}"),
                ));
            }
        }
        let kind = ExprKind::In(Box::new(member), Box::new(list));
        Some(Expr { kind, ty: Type::Bool, at: at.clone() })
    }
}
