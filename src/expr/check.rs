//! The type checker: from rhai's syntax to a typed tree.
//!
//! Every name, field, function and enumeration member is looked up in the model here, so that a
//! misspelt one never reaches a verdict. What may be null must be guarded before it is used.

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::nearest;
use crate::expr::functions::{self, FUNCTIONS, Function, Takes};
use crate::expr::syntax::{self, Node, Operator, Syntax};
use crate::expr::tree::{Closure, Expr, ExprKind, ListMethod, ListMethod as M};
use crate::facts::model::{KindId, Model, Type};
use crate::facts::path::WindowsPath;
use crate::facts::time::Instant;
use crate::facts::value::Value;

/// What is wrong with an expression, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Kind of problem, kebab-case.
    pub code: &'static str,
    /// One line.
    pub message: String,
    /// Characters of the expression's text.
    pub at: Range<usize>,
    /// What to do.
    pub help: Vec<String>,
}

impl Problem {
    fn new(code: &'static str, at: &Range<usize>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), at: at.clone(), help: Vec::new() }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    fn suggest<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, candidates) {
            Some(best) => {
                let help = format!("did you mean `{best}`?");
                self.help(help)
            }
            None => self,
        }
    }
}

/// The declared signature of a pack's own function.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Its name.
    pub name: Arc<str>,
    /// Names and types of its parameters.
    pub params: Vec<(Arc<str>, Type)>,
    /// The type of its value.
    pub returns: Type,
    /// What the manual says.
    pub help: String,
}

/// What every expression of a pack can name.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// The fact model.
    pub model: &'a Model,
    /// The pack's own functions.
    pub scripts: &'a [Signature],
}

/// The names bound so far, each in its slot.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    names: Vec<(Arc<str>, Type, usize)>,
    /// Names whose values did not check: what uses them is not complained of again.
    broken: Vec<Arc<str>>,
    /// Whether a guard did not check: what it would have excluded is not complained of.
    is_unguarded: bool,
    /// Paths (`source.protection_group`) known not to be null here.
    not_null: Vec<String>,
    /// How many slots are needed, closures included. No slot is used twice: the path of a fact is found
    /// by evaluating again what stands before it, and must not disturb a name bound since.
    pub slots: usize,
}

impl Scope {
    /// Binds a name; the answer is its slot.
    pub fn bind(&mut self, name: &str, ty: Type) -> usize {
        let slot = self.slots;
        self.names.push((name.into(), ty, slot));
        self.slots += 1;
        slot
    }

    /// Binds a name whose value did not check.
    pub fn bind_broken(&mut self, name: &str) -> usize {
        self.broken.push(name.into());
        self.bind(name, Type::Null)
    }

    /// Whether a name's value did not check.
    #[must_use]
    pub fn is_broken(&self, name: &str) -> bool {
        self.broken.iter().any(|broken| &**broken == name)
    }

    /// Slot and type of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &Type)> {
        let found = self.names.iter().find(|(known, ..)| &**known == name)?;
        Some((found.2, &found.1))
    }

    /// All bound names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, ..)| &**name)
    }

    /// Remembers what a condition says that is true from here on.
    pub fn assume(&mut self, condition: &Condition) {
        self.not_null.extend(condition.not_null.iter().cloned());
    }

    /// Remembers that a guard did not check.
    pub fn assume_broken(&mut self) {
        self.is_unguarded = true;
    }

    /// Forgets the names bound last, down to `count`.
    pub fn truncate(&mut self, count: usize) {
        self.names.truncate(count);
    }

    /// How many names are bound.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether no name is bound.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// A checked condition and what it says about null where it is true.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The condition.
    pub expr: Expr,
    not_null: Vec<String>,
}

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

impl<'a> Checker<'a, '_> {
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
        .help("guard it: `x != () && ...`, a `require` before, or `x ?? default`");
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
        Some(Expr { kind: ExprKind::List(parts), ty: Type::List(Arc::new(ty)), at: at.clone() })
    }

    fn variable(&mut self, name: &Arc<str>, syntax: &Syntax) -> Option<Expr> {
        let made = |kind, ty| Some(Expr { kind, ty, at: syntax.at.clone() });
        if self.scope.broken.contains(name) {
            return None;
        }
        if let Some((slot, ty)) = self.scope.find(name) {
            let ty = self.known_type(syntax, ty);
            return made(ExprKind::Variable(slot), ty);
        }
        if &**name == "now" {
            return made(ExprKind::Now, Type::Time);
        }
        let model = self.world.model;
        if let Some(kind) = model.kind_in(name) {
            return made(ExprKind::All(kind.id), list_of(kind.id));
        }
        if let Some(position) = model.singles().iter().position(|field| field.name == *name) {
            let ty = model.singles().get(position).map_or(Type::Null, |field| field.ty.clone());
            return made(ExprKind::Single(position), ty);
        }
        let problem =
            Problem::new("unknown-name", &syntax.at, format!("nothing is named `{name}` here"));
        let names: Vec<&str> = self.scope.names().chain(self.globals()).collect();
        let problem = problem.suggest(name, names.iter().copied());
        let problem = match model.kind_named(name) {
            Some(kind) => problem.help(format!("the list of all is `{}`", kind.collection)),
            None if problem.help.is_empty() => problem
                .help(format!("bound here: {}", self.scope.names().collect::<Vec<_>>().join(", "))),
            None => problem,
        };
        self.fail(problem)
    }

    fn globals(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let model = self.world.model;
        let kinds = model.kinds().iter().map(|kind| &*kind.collection);
        std::iter::once("now").chain(kinds).chain(model.singles().iter().map(|field| &*field.name))
    }

    /// The type, without null where a guard has excluded it.
    fn known_type(&self, syntax: &Syntax, ty: &Type) -> Type {
        match ty {
            Type::Optional(inner) => match path(syntax) {
                Some(path) if self.scope.not_null.contains(&path) => (**inner).clone(),
                _ => ty.clone(),
            },
            _ => ty.clone(),
        }
    }

    fn field(&mut self, base: &Syntax, name: &Arc<str>, syntax: &Syntax) -> Option<Expr> {
        let base = self.expr(base)?;
        let at = &syntax.at;
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

    fn object_field(
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

    fn index(&mut self, list: &Syntax, index: &Syntax, at: &Range<usize>) -> Option<Expr> {
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

    fn negate(&mut self, inner: &Syntax, at: &Range<usize>) -> Option<Expr> {
        let inner = self.expr(inner)?;
        if !matches!(inner.ty, Type::Int | Type::Float) {
            let message = format!("`-` needs a number, this is {}", self.article(&inner.ty));
            return self.fail(Problem::new("wrong-type", &inner.at, message));
        }
        let ty = inner.ty.clone();
        Some(Expr { kind: ExprKind::Negate(Box::new(inner)), ty, at: at.clone() })
    }

    fn binary(
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
    fn declared(&mut self, syntax: &Syntax) -> Option<Expr> {
        let Some(path) = path(syntax) else { return self.expr(syntax) };
        let known = self.scope.not_null.clone();
        self.scope.not_null.retain(|guarded| *guarded != path);
        let expr = self.expr(syntax);
        self.scope.not_null = known;
        expr
    }

    fn null_test(
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

    fn comparison(
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
    fn alike(&mut self, left: Expr, right: Expr) -> Option<(Expr, Expr)> {
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

    /// Reads a text literal as a value of `ty`; anything else stays what it is.
    fn read_as(&mut self, expr: Expr, ty: &Type) -> Option<Expr> {
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

    fn arithmetic(
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

    fn membership(&mut self, member: &Syntax, list: &Syntax, at: &Range<usize>) -> Option<Expr> {
        let (member, list) = (self.expr(member), self.expr(list));
        let (mut member, mut list) = (member?, list?);
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

    fn method(
        &mut self,
        base: &Syntax,
        name: &Arc<str>,
        args: &[Syntax],
        at: &Range<usize>,
    ) -> Option<Expr> {
        let checked = self.expr(base)?;
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

    fn list_method(
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

    fn closure(&mut self, syntax: &Syntax, item: &Type) -> Option<Closure> {
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
        if self.scope.find(param).is_some() {
            let message = format!("`{param}` is bound already; choose another name");
            return self.fail(Problem::new("name-bound-twice", &syntax.at, message));
        }
        let count = self.scope.len();
        let slot = self.scope.bind(param, item.clone());
        let body = self.expr(body);
        self.scope.truncate(count);
        Some(Closure { slot, body: Box::new(body?) })
    }

    fn get(&mut self, base: &Syntax, args: &[Syntax], at: &Range<usize>) -> Option<Expr> {
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

    fn call(&mut self, name: &Arc<str>, args: &[Syntax], at: &Range<usize>) -> Option<Expr> {
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
                let Node::Text(tag) = &tag.node else {
                    let message = "the tag must stand here as text";
                    return self.fail(Problem::new("wrong-arguments", &tag.at, message));
                };
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

    fn function(&mut self, name: &Arc<str>, args: Vec<Expr>, at: &Range<usize>) -> Option<Expr> {
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

    fn argument(
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

    fn script(
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

/// Lists the names that exist, unless one was near or there are too many to read.
fn with_names(problem: Problem, names: &[&str]) -> Problem {
    if problem.help.is_empty() && names.len() <= 40 {
        let help = format!("its fields: {}", names.join(", "));
        return problem.help(help);
    }
    problem
}

fn list_of(kind: KindId) -> Type {
    Type::List(Arc::new(Type::Object(Arc::new([kind]))))
}

/// The type that holds both; none if there is none.
#[must_use]
pub fn unify(a: &Type, b: &Type) -> Option<Type> {
    match (a, b) {
        (a, b) if a == b => Some(a.clone()),
        (Type::Null, other) | (other, Type::Null) => match other {
            // The empty list's member type is null: it takes the other's place.
            Type::List(_) | Type::Optional(_) => Some(other.clone()),
            _ => Some(other.clone().optional()),
        },
        (Type::Optional(a), b) | (b, Type::Optional(a)) => Some(unify(a, b.required())?.optional()),
        (Type::Text | Type::Enum(_), Type::Text | Type::Enum(_)) => Some(Type::Text),
        (Type::Object(a), Type::Object(b)) => {
            let mut kinds: Vec<KindId> = a.iter().chain(b.iter()).copied().collect();
            kinds.sort_unstable();
            kinds.dedup();
            Some(Type::Object(kinds.into()))
        }
        (Type::List(a), Type::List(b)) => {
            let item = match (&**a, &**b) {
                (Type::Null, other) | (other, Type::Null) => other.clone(),
                (a, b) => unify(a, b)?,
            };
            Some(Type::List(Arc::new(item)))
        }
        _ => None,
    }
}

/// Whether a value of type `a` can stand where `wanted` is needed.
#[must_use]
pub fn fits(a: &Type, wanted: &Type) -> bool {
    match (a, wanted) {
        (a, b) if a == b => true,
        (Type::Null, Type::Optional(_)) | (Type::Enum(_), Type::Text) => true,
        (Type::Optional(a), Type::Optional(b)) => fits(a, b),
        (a, Type::Optional(b)) => fits(a, b),
        (Type::Enum(a), Type::Enum(b)) => a.iter().all(|member| b.contains(member)),
        (Type::Object(a), Type::Object(b)) => a.iter().all(|kind| b.contains(kind)),
        (Type::List(a), Type::List(b)) => **a == Type::Null || fits(a, b),
        _ => false,
    }
}

fn equal(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Bool, Type::Bool)
        | (Type::Int | Type::Float, Type::Int | Type::Float)
        | (Type::Text, Type::Text | Type::Enum(_) | Type::Name)
        | (Type::Enum(_) | Type::Name, Type::Text)
        | (Type::Name, Type::Name)
        | (Type::Path, Type::Path)
        | (Type::Version, Type::Version)
        | (Type::Time, Type::Time) => true,
        (Type::Enum(a), Type::Enum(b)) => a.iter().any(|member| b.contains(member)),
        (Type::Object(a), Type::Object(b)) => a.iter().any(|kind| b.contains(kind)),
        _ => false,
    }
}

fn ordered(a: &Type, b: &Type) -> bool {
    matches!(
        (a, b),
        (Type::Int | Type::Float, Type::Int | Type::Float)
            | (Type::Version, Type::Version)
            | (Type::Time, Type::Time)
    )
}
