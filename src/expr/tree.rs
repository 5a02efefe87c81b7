//! The typed tree that a checked expression is lowered to.
//!
//! Names are resolved: variables to slots, fields to positions, functions to entries of a table. A
//! tree is made by `check` only, so `eval` may rely on its types.

use std::ops::Range;
use std::sync::Arc;

use crate::expr::functions::Function;
use crate::expr::syntax::Operator;
use crate::facts::model::{KindId, Type};
use crate::facts::value::Value;

/// A checked expression.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it does.
    pub kind: ExprKind,
    /// The type of its value.
    pub ty: Type,
    /// Characters of the source text that name it.
    pub at: Range<usize>,
}

/// What a node of the tree does.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A value known when the pack was loaded.
    Constant(Value),
    /// The instant of the run.
    Now,
    /// A bound name.
    Variable(usize),
    /// The list of all objects of a kind.
    All(KindId),
    /// A record that stands once in the facts.
    Single(usize),
    /// A field of an object or record.
    Field {
        /// The object or record.
        base: Box<Expr>,
        /// For each kind that the base can have (none: a record) the position of the field.
        positions: Vec<(Option<KindId>, usize)>,
        /// Its name.
        name: Arc<str>,
    },
    /// The key of an object.
    Key(Box<Expr>),
    /// `!a`.
    Not(Box<Expr>),
    /// `-a`.
    Negate(Box<Expr>),
    /// All of them.
    And(Vec<Expr>),
    /// One of them.
    Or(Vec<Expr>),
    /// A comparison of two values that are not null.
    Compare(Operator, Box<Expr>, Box<Expr>),
    /// `a == ()`, or `a != ()` if `negated`.
    IsNull {
        /// The value.
        value: Box<Expr>,
        /// Whether it must not be null.
        negated: bool,
    },
    /// A step of arithmetic, or text put together.
    Arithmetic(Operator, Box<Expr>, Box<Expr>),
    /// `a ?? b`.
    Coalesce(Box<Expr>, Box<Expr>),
    /// `if a { b } else { c }`.
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `member in list`.
    In(Box<Expr>, Box<Expr>),
    /// Texts and values put together.
    Template(Vec<Expr>),
    /// `list[index]`.
    Index(Box<Expr>, Box<Expr>),
    /// A method of a list.
    ListMethod {
        /// Which.
        method: ListMethod,
        /// The list.
        list: Box<Expr>,
        /// What it does with each member.
        closure: Option<Closure>,
    },
    /// A host function.
    Host(&'static Function, Vec<Expr>),
    /// A function of the pack.
    Script(Arc<str>, Vec<Expr>),
    /// `known(a)`.
    Known(Box<Expr>),
    /// `base.get("field", default)`.
    Get(Box<Expr>, Box<Expr>),
    /// `any_violated("tag", object)`.
    AnyViolated(Arc<str>, Box<Expr>),
}

/// `|x| body`.
#[derive(Clone, Debug)]
pub struct Closure {
    /// Name of its parameter.
    pub name: Arc<str>,
    /// Slot of its parameter.
    pub slot: usize,
    /// Its value.
    pub body: Box<Expr>,
}

/// What can be asked of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListMethod {
    /// Whether one member fulfils it.
    Any,
    /// Whether all members fulfil it.
    All,
    /// How many members there are, or fulfil it.
    Count,
    /// The sum of what the closure gives.
    Sum,
    /// The least of what the closure gives; null for an empty list.
    Min,
    /// The greatest of what the closure gives; null for an empty list.
    Max,
    /// The member for which the closure gives the least; null for an empty list.
    MinBy,
    /// The member for which the closure gives the greatest; null for an empty list.
    MaxBy,
    /// The one member that fulfils it; null if none does.
    Find,
    /// The members that fulfil it.
    Filter,
    /// What the closure gives for each member.
    Map,
    /// Whether there is no member.
    IsEmpty,
    /// The list without what is not known of it.
    KnownOnly,
}

impl ListMethod {
    /// All, with name and what the manual says.
    pub const TABLE: [(Self, &'static str, &'static str); 13] = [
        (
            Self::Any,
            "any",
            "Whether the closure is true for one member: `list.any(|x| x.mounted)`.",
        ),
        (Self::All, "all", "Whether the closure is true for every member; true for an empty list."),
        (Self::Count, "count", "How many members there are, or how many the closure is true for."),
        (
            Self::Sum,
            "sum",
            "The sum of the numbers that the closure gives: `list.sum(|x| x.size_bytes)`.",
        ),
        (Self::Min, "min", "The least value that the closure gives; null for an empty list."),
        (Self::Max, "max", "The greatest value that the closure gives; null for an empty list."),
        (
            Self::MinBy,
            "min_by",
            "The member for which the closure gives the least; of equal ones the first; null for an empty list.",
        ),
        (
            Self::MaxBy,
            "max_by",
            "The member for which the closure gives the greatest; of equal ones the first; null for an empty list.",
        ),
        (
            Self::Find,
            "find",
            "The member that the closure is true for; null if there is none, an error if there are several.",
        ),
        (Self::Filter, "filter", "The members that the closure is true for."),
        (Self::Map, "map", "What the closure gives for each member."),
        (Self::IsEmpty, "is_empty", "Whether the list has no member."),
        (
            Self::KnownOnly,
            "known_only",
            "The list as far as it is known: no more members are expected, and a member for which a closure cannot be decided is passed over. Use it only where missing facts may be ignored.",
        ),
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::TABLE.iter().find(|(known, ..)| *known == self).map_or("?", |(_, name, _)| name)
    }

    /// The method of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::TABLE.iter().find(|(_, known, _)| *known == name).map(|(method, ..)| *method)
    }
}

impl Expr {
    /// The constant text it is, if it is one.
    #[must_use]
    pub fn constant_text(&self) -> Option<&Arc<str>> {
        match &self.kind {
            ExprKind::Constant(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Every tag that it asks other rules' outcomes for, and where.
    pub fn tags(&self, found: &mut Vec<(Arc<str>, Range<usize>)>) {
        if let ExprKind::AnyViolated(tag, _) = &self.kind {
            found.push((tag.clone(), self.at.clone()));
        }
        self.each_child(&mut |child| child.tags(found));
    }

    /// The names that closures in it bind, with their slots.
    pub fn closures(&self, found: &mut Vec<(Arc<str>, usize)>) {
        if let ExprKind::ListMethod { closure: Some(closure), .. } = &self.kind {
            found.push((closure.name.clone(), closure.slot));
        }
        self.each_child(&mut |child| child.closures(found));
    }

    /// Visits the expressions directly below.
    pub fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match &self.kind {
            ExprKind::Constant(_)
            | ExprKind::Now
            | ExprKind::Variable(_)
            | ExprKind::All(_)
            | ExprKind::Single(_) => {}
            ExprKind::Field { base: one, .. }
            | ExprKind::Key(one)
            | ExprKind::Not(one)
            | ExprKind::Negate(one)
            | ExprKind::IsNull { value: one, .. }
            | ExprKind::Known(one)
            | ExprKind::AnyViolated(_, one) => visit(one),
            ExprKind::Compare(_, a, b)
            | ExprKind::Arithmetic(_, a, b)
            | ExprKind::Coalesce(a, b)
            | ExprKind::In(a, b)
            | ExprKind::Index(a, b)
            | ExprKind::Get(a, b) => {
                visit(a);
                visit(b);
            }
            ExprKind::If(a, b, c) => {
                visit(a);
                visit(b);
                visit(c);
            }
            ExprKind::And(all)
            | ExprKind::Or(all)
            | ExprKind::List(all)
            | ExprKind::Template(all)
            | ExprKind::Host(_, all)
            | ExprKind::Script(_, all) => all.iter().for_each(visit),
            ExprKind::ListMethod { list, closure, .. } => {
                visit(list);
                if let Some(closure) = closure {
                    visit(&closure.body);
                }
            }
        }
    }
}
