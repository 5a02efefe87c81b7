//! rhai's syntax tree, reduced to the expressions that rules may use.
//!
//! The only place that knows rhai's tree. Statements, assignments, loops, `switch` and everything
//! that could call a function by a computed name are refused here.

pub(in crate::expr) mod hint;
mod read;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

use rhai::{Engine, OptimizationLevel, Position, Stmt};

use crate::expr::syntax::read::{Positions, Reader};

/// Longest expression, in characters: far above any that a person writes or reads.
pub const MAX_CHARS: usize = 10_000;

/// Words that would let an expression reach outside the sandbox or escape the checker.
pub const FORBIDDEN: [&str; 12] = [
    "eval",
    "Fn",
    "call",
    "curry",
    "is_def_fn",
    "is_def_var",
    "print",
    "debug",
    "type_of",
    "sleep",
    // What is not known must not be caught and read as an answer.
    "try",
    "catch",
];

/// A piece of an expression and where it stands in the text.
#[derive(Clone, Debug)]
pub struct Syntax {
    /// What it is.
    pub node: Node,
    /// Characters of the expression's text that name it (an operator, a field, a literal).
    pub at: Range<usize>,
}

/// What an expression is made of.
#[derive(Clone, Debug)]
pub enum Node {
    /// `()`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text in double quotes or back-ticks.
    Text(Arc<str>),
    /// Back-ticks with `${...}`.
    Template(Vec<Syntax>),
    /// `[a, b]`.
    List(Vec<Syntax>),
    /// A name.
    Variable(Arc<str>),
    /// `base.name`.
    Field(Box<Syntax>, Arc<str>),
    /// `base[index]`.
    Index(Box<Syntax>, Box<Syntax>),
    /// `base.name(args)`.
    Method(Box<Syntax>, Arc<str>, Vec<Syntax>),
    /// `name(args)`.
    Call(Arc<str>, Vec<Syntax>),
    /// `!a`.
    Not(Box<Syntax>),
    /// `-a`.
    Negate(Box<Syntax>),
    /// `a op b`.
    Binary(Operator, Box<Syntax>, Box<Syntax>),
    /// `member in list`.
    In(Box<Syntax>, Box<Syntax>),
    /// `a && b && ...`.
    And(Vec<Syntax>),
    /// `a || b || ...`.
    Or(Vec<Syntax>),
    /// `a ?? b`.
    Coalesce(Box<Syntax>, Box<Syntax>),
    /// `if a { b } else { c }`.
    If(Box<Syntax>, Box<Syntax>, Box<Syntax>),
    /// `|x| body`.
    Closure(Vec<Arc<str>>, Box<Syntax>),
}

/// A comparison or a step of arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterEqual,
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl Operator {
    /// As it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessEqual => "<=",
            Self::Greater => ">",
            Self::GreaterEqual => ">=",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }

    fn parse(sign: &str) -> Option<Self> {
        const ALL: [Operator; 11] = [
            Operator::Equal,
            Operator::NotEqual,
            Operator::Less,
            Operator::LessEqual,
            Operator::Greater,
            Operator::GreaterEqual,
            Operator::Add,
            Operator::Subtract,
            Operator::Multiply,
            Operator::Divide,
            Operator::Remainder,
        ];
        ALL.into_iter().find(|operator| operator.sign() == sign)
    }
}

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    /// One line, as in a diagnostic.
    pub message: String,
    /// Characters of the text.
    pub at: Range<usize>,
    /// What to write instead, where that is known.
    pub help: Option<&'static str>,
}

/// A raw engine: no packages, hence no function to call, and the limits of every use of rhai here.
#[must_use]
pub(in crate::expr) fn raw_engine() -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_expr_depths(64, 32);
    engine.set_max_string_size(64 * 1024);
    for word in FORBIDDEN {
        engine.disable_symbol(word);
    }
    engine
}

static PARSER: LazyLock<Engine> = LazyLock::new(raw_engine);

/// Parses one expression.
///
/// # Errors
///
/// What rhai refuses, and what rules may not use.
pub fn parse(text: &str) -> Result<Syntax, SyntaxError> {
    let positions = Positions::new(text);
    if positions.chars.len() > MAX_CHARS {
        let message = format!("an expression of more than {MAX_CHARS} characters");
        return Err(SyntaxError { message, at: 0..1, help: None });
    }
    let ast = PARSER.compile_expression(text).map_err(|error| {
        let at = positions.token(error.position());
        let (message, help) = say(&error.err_type().to_string());
        let (before, rest) = positions.around(&at);
        let help = help.or_else(|| hint::of(&before, &rest));
        SyntaxError { message, at, help }
    })?;
    let mut reader = Reader { positions: &positions, bodies: HashMap::new() };
    reader.collect_bodies(&ast)?;
    match ast.statements() {
        [Stmt::Expr(expr)] => reader.expr(expr),
        [Stmt::FnCall(call, position)] => reader.call(call, *position),
        [other] => reader.statement(other),
        _ => Err(reader.refuse(Position::NONE, "this is not one expression", None)),
    }
}

/// Whether a word can be bound: rhai reserves some that no expression could name.
#[must_use]
pub fn is_name(word: &str) -> bool {
    matches!(parse(word), Ok(Syntax { node: Node::Variable(_), .. }))
}

/// rhai's words for a syntax error, in ours.
fn say(rhai: &str) -> (String, Option<&'static str>) {
    let plain = rhai.trim_end_matches('.');
    let (message, help) = match plain {
        "Script is incomplete" => ("the expression ends too early".to_owned(), None),
        "Unexpected '='" => (
            "`=` sets a value, and nothing can be set here".to_owned(),
            Some("to compare, write `==`"),
        ),
        "Unexpected 'let'" | "Unexpected 'const'" => (
            "a name cannot be bound inside an expression".to_owned(),
            Some("bind it in the rule's `let:` list"),
        ),
        _ if plain.starts_with("Invalid character") => (
            "text in single quotes".to_owned(),
            Some("inside an expression text stands in double quotes: `\"text\"`"),
        ),
        _ => {
            let mut chars = plain.chars();
            let first = chars.next().map(|c| c.to_lowercase().to_string()).unwrap_or_default();
            (format!("{first}{}", chars.as_str().replace('\'', "`")), None)
        }
    };
    (message, help)
}
