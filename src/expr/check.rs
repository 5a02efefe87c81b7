//! The type checker: from rhai's syntax to a typed tree.
//!
//! Every name, field, function and enumeration member is looked up in the model here, so that a
//! misspelt one never reaches a verdict. What may be null must be guarded before it is used.

mod calls;
mod names;
mod operators;
mod scope;
mod sight;
mod types;

use crate::expr::check::types::{fits, unify};
use crate::expr::syntax::{self, Node, Operator, Syntax};
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::Type;
use crate::facts::value::Value;
pub use scope::{Condition, Constant, Mark, Problem, Scope, Signature, World};
pub use sight::{Seen, Sight};

use std::ops::Range;
use std::sync::Arc;

/// Checks an expression of any type.
///
/// # Errors
///
/// All problems found; a syntax error stops at the first.
pub fn check(text: &str, scope: &mut Scope, world: World<'_>) -> Result<Expr, Vec<Problem>> {
    let syntax = parse(text)?;
    let mut checker = Checker { world, scope, problems: Vec::new() };
    let expr = checker.expr(&syntax);
    match expr {
        Some(expr) if checker.problems.is_empty() => Ok(expr),
        _ => Err(checker.problems),
    }
}

/// Checks a condition.
///
/// # Errors
///
/// As [`check`], and an expression that is not true or false.
pub fn condition(
    text: &str,
    scope: &mut Scope,
    world: World<'_>,
) -> Result<Condition, Vec<Problem>> {
    let syntax = parse(text)?;
    let mut checker = Checker { world, scope, problems: Vec::new() };
    let expr = checker.bool(&syntax);
    match expr {
        Some(expr) if checker.problems.is_empty() => {
            Ok(Condition { expr, not_null: narrowed(&syntax, true) })
        }
        _ => Err(checker.problems),
    }
}

/// Checks an expression that must be of a type; text literals are read as that type.
///
/// # Errors
///
/// As [`check`], and a value of another type.
pub fn typed(
    text: &str,
    wanted: &Type,
    scope: &mut Scope,
    world: World<'_>,
) -> Result<Expr, Vec<Problem>> {
    let syntax = parse(text)?;
    let mut checker = Checker { world, scope, problems: Vec::new() };
    let expr = checker.expr(&syntax).and_then(|expr| checker.fit(expr, wanted));
    match expr {
        Some(expr) if checker.problems.is_empty() => Ok(expr),
        _ => Err(checker.problems),
    }
}

fn parse(text: &str) -> Result<Syntax, Vec<Problem>> {
    syntax::parse(text).map_err(|error| {
        let mut problem = Problem::new("expression-syntax", &error.at, error.message);
        problem.help.extend(error.help.map(str::to_owned));
        vec![problem]
    })
}

/// Paths that are not null where the condition is `truth`.
fn narrowed(syntax: &Syntax, truth: bool) -> Vec<String> {
    match &syntax.node {
        Node::Binary(operator, left, right) => {
            let says = match operator {
                Operator::NotEqual => truth,
                Operator::Equal => !truth,
                _ => false,
            };
            let side = match (&left.node, &right.node) {
                (Node::Null, _) => right,
                (_, Node::Null) => left,
                _ => return Vec::new(),
            };
            path(side).filter(|_| says).into_iter().collect()
        }
        Node::And(parts) if truth => parts.iter().flat_map(|part| narrowed(part, true)).collect(),
        Node::Or(parts) if !truth => parts.iter().flat_map(|part| narrowed(part, false)).collect(),
        Node::Not(inner) => narrowed(inner, !truth),
        _ => Vec::new(),
    }
}

/// `a.b.c` as text; none for anything that is not a name with fields.
fn path(syntax: &Syntax) -> Option<String> {
    match &syntax.node {
        Node::Variable(name) => Some(name.to_string()),
        Node::Field(base, name) => Some(format!("{}.{name}", path(base)?)),
        _ => None,
    }
}

struct Checker<'a, 's> {
    world: World<'a>,
    scope: &'s mut Scope,
    problems: Vec<Problem>,
}

impl Checker<'_, '_> {
    fn say(&self, ty: &Type) -> String {
        self.world.model.say(ty)
    }

    fn fail<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }

    fn all(&mut self, parts: &[Syntax]) -> Option<Vec<Expr>> {
        // Not `collect` on an iterator of options: every part is checked, so that all problems show.
        let checked: Vec<Option<Expr>> = parts.iter().map(|part| self.expr(part)).collect();
        checked.into_iter().collect()
    }

    fn expr(&mut self, syntax: &Syntax) -> Option<Expr> {
        let at = &syntax.at;
        let made = |kind, ty| Some(Expr { kind, ty, at: at.clone() });
        let constant = |value, ty| made(ExprKind::Constant(value), ty);
        match &syntax.node {
            Node::Null => constant(Value::Null, Type::Null),
            Node::Bool(value) => constant(Value::Bool(*value), Type::Bool),
            Node::Int(value) => constant(Value::Int(*value), Type::Int),
            Node::Float(value) => constant(Value::Float(*value), Type::Float),
            Node::Text(text) => constant(Value::Text(text.clone()), Type::Text),
            Node::Template(parts) => {
                let parts = self.all(parts)?;
                made(ExprKind::Template(parts), Type::Text)
            }
            Node::List(parts) => self.list(parts, at),
            Node::Variable(name) => self.variable(name, syntax),
            Node::Field(base, name) => self.field(base, name, syntax),
            Node::Index(list, index) => self.index(list, index, at),
            Node::Method(base, name, args) => self.method(base, name, args, at),
            Node::Call(name, args) => self.call(name, args, at),
            Node::Not(inner) => {
                let inner = self.bool(inner)?;
                made(ExprKind::Not(Box::new(inner)), Type::Bool)
            }
            Node::Negate(inner) => self.negate(inner, at),
            Node::Binary(operator, left, right) => self.binary(*operator, left, right, at),
            Node::In(member, list) => self.membership(member, list, at),
            Node::And(parts) => {
                let parts = self.conditions(parts, true)?;
                made(ExprKind::And(parts), Type::Bool)
            }
            Node::Or(parts) => {
                let parts = self.conditions(parts, false)?;
                made(ExprKind::Or(parts), Type::Bool)
            }
            Node::Coalesce(left, right) => self.coalesce(left, right, at),
            Node::If(condition, yes, no) => self.choice(condition, yes, no, at),
            Node::Closure(..) => self.fail(Problem::new(
                "wrong-type",
                at,
                "a closure can stand only in the brackets of a list's method",
            )),
        }
    }

    fn bool(&mut self, syntax: &Syntax) -> Option<Expr> {
        let expr = self.expr(syntax)?;
        match expr.ty {
            Type::Bool => Some(expr),
            Type::Optional(ref inner) if **inner == Type::Bool => self.may_be_null(&expr),
            ref other => {
                let message =
                    format!("a condition must be true or false, this is {}", self.article(other));
                self.fail(Problem::new("wrong-type", &expr.at, message))
            }
        }
    }

    /// Each part may rely on the ones before it having been true (`&&`) or false (`||`).
    fn conditions(&mut self, parts: &[Syntax], truth: bool) -> Option<Vec<Expr>> {
        let before = self.scope.not_null.len();
        let mut checked = Vec::new();
        for part in parts {
            checked.push(self.bool(part));
            self.scope.not_null.extend(narrowed(part, truth));
        }
        self.scope.not_null.truncate(before);
        checked.into_iter().collect()
    }

    fn article(&self, ty: &Type) -> String {
        match ty {
            Type::Null => "null".to_owned(),
            Type::Bool => "true or false".to_owned(),
            Type::Text => "text".to_owned(),
            Type::Enum(_) => self.say(ty),
            _ => {
                let said = self.say(ty);
                let vowel = said.starts_with(['a', 'e', 'i', 'o', 'u']);
                format!("{} {said}", if vowel { "an" } else { "a" })
            }
        }
    }

    fn may_be_null<T>(&mut self, expr: &Expr) -> Option<T> {
        if self.scope.is_unguarded {
            return None;
        }
        let problem = Problem::new(
            "may-be-null",
            &expr.at,
            "this may be null (collected, but there is none)",
        )
        .help("guard it: `x != () && ...`, a `require` before, `if x != () { x.a } else { b }`, or `x ?? default` for `x` itself");
        self.fail(problem)
    }

    fn list(&mut self, parts: &[Syntax], at: &Range<usize>) -> Option<Expr> {
        let parts = self.all(parts)?;
        // The empty list's members are null; `unify` lets any other list take its place.
        let mut ty = parts.first().map_or(Type::Null, |part| part.ty.clone());
        for part in &parts {
            let Some(both) = unify(&ty, &part.ty) else {
                let (a, b) = (self.article(&ty), self.article(&part.ty));
                let message = format!("the members of a list must be alike: {a} and {b}");
                return self.fail(Problem::new("wrong-type", &part.at, message));
            };
            ty = both;
        }
        if types::depth(&ty) >= 3 {
            return self.fail(Problem::new("wrong-type", at, "lists are nested too deeply"));
        }
        Some(Expr { kind: ExprKind::List(parts), ty: Type::List(Arc::new(ty)), at: at.clone() })
    }

    fn coalesce(&mut self, left: &Syntax, right: &Syntax, at: &Range<usize>) -> Option<Expr> {
        let (left, right) = (self.declared(left), self.expr(right));
        let (left, right) = (left?, right?);
        let Type::Optional(inner) = left.ty.clone() else {
            let problem = Problem::new(
                "never-null",
                &left.at,
                "this can never be null, so `??` does nothing",
            )
            .help("for a fact that was not collected, write `x.get(\"field\", default)`");
            return self.fail(problem);
        };
        let right = self.read_as(right, &inner)?;
        let Some(ty) = unify(&inner, &right.ty) else {
            let (a, b) = (self.article(&inner), self.article(&right.ty));
            return self.fail(Problem::new(
                "wrong-type",
                &right.at,
                format!("the default must be {a}, this is {b}"),
            ));
        };
        let kind = ExprKind::Coalesce(Box::new(left), Box::new(right));
        Some(Expr { kind, ty, at: at.clone() })
    }

    fn choice(
        &mut self,
        test: &Syntax,
        yes: &Syntax,
        no: &Syntax,
        at: &Range<usize>,
    ) -> Option<Expr> {
        let condition = self.bool(test);
        let before = self.scope.not_null.len();
        self.scope.not_null.extend(narrowed(test, true));
        let yes = self.expr(yes);
        self.scope.not_null.truncate(before);
        self.scope.not_null.extend(narrowed(test, false));
        let no = self.expr(no);
        self.scope.not_null.truncate(before);
        let (condition, yes, no) = (condition?, yes?, no?);
        let (yes, no) = self.alike(yes, no)?;
        let Some(ty) = unify(&yes.ty, &no.ty) else {
            let (a, b) = (self.article(&yes.ty), self.article(&no.ty));
            let message = format!("both branches must be alike: {a} and {b}");
            return self.fail(Problem::new("wrong-type", at, message));
        };
        let kind = ExprKind::If(Box::new(condition), Box::new(yes), Box::new(no));
        Some(Expr { kind, ty, at: at.clone() })
    }

    /// The expression as a value of `wanted`.
    fn fit(&mut self, expr: Expr, wanted: &Type) -> Option<Expr> {
        let expr = self.read_as(expr, wanted)?;
        if fits(&expr.ty, wanted) {
            return Some(expr);
        }
        if matches!(expr.ty, Type::Optional(_)) && fits(expr.ty.required(), wanted) {
            return self.may_be_null(&expr);
        }
        let message =
            format!("{} is needed here, this is {}", self.article(wanted), self.article(&expr.ty));
        self.fail(Problem::new("wrong-type", &expr.at, message))
    }
}
