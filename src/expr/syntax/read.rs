//! rhai's tree read into ours.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rhai::{ASTNode, Dynamic, Expr, FnPtr, Position, Stmt};

use crate::expr::syntax::{Node, Operator, Syntax, SyntaxError, hint};

/// Turns rhai's line and column into characters of the text.
pub(super) struct Positions {
    pub(super) chars: Vec<char>,
    line_starts: Vec<usize>,
}

impl Positions {
    pub(super) fn new(text: &str) -> Self {
        let chars: Vec<char> = text.chars().collect();
        let breaks = chars.iter().enumerate().filter(|(_, c)| **c == '\n').map(|(i, _)| i + 1);
        let line_starts = std::iter::once(0).chain(breaks).collect();
        Self { chars, line_starts }
    }

    fn offset(&self, position: Position) -> usize {
        let line = position.line().unwrap_or(1).saturating_sub(1);
        let column = position.position().unwrap_or(1).saturating_sub(1);
        let start = self.line_starts.get(line).copied().unwrap_or(0);
        (start + column).min(self.chars.len())
    }

    /// The word, number, text or sign that begins at the position.
    pub(super) fn token(&self, position: Position) -> Range<usize> {
        let start = self.offset(position);
        let rest = self.chars.get(start..).unwrap_or_default();
        let word = |c: &char| c.is_alphanumeric() || *c == '_';
        let length = match rest.first() {
            // A negative literal stands at its sign.
            Some('-') if rest.get(1).is_some_and(char::is_ascii_digit) => {
                1 + rest.iter().skip(1).take_while(|c| word(c) || **c == '.').count()
            }
            Some(c) if word(c) => rest.iter().take_while(|c| word(c) || **c == '.').count(),
            Some(quote @ ('"' | '`')) => {
                rest.iter().skip(1).position(|c| c == quote).map_or(1, |end| end + 2)
            }
            Some(c) if "=!<>&|?".contains(*c) => {
                rest.iter().take_while(|c| "=!<>&|?".contains(**c)).count().min(2)
            }
            Some(_) => 1,
            None => 0,
        };
        let number = rest.first().is_some_and(|c| c.is_ascii_digit() || *c == '-');
        let name_end = rest.iter().take(length).position(|c| *c == '.' && !number);
        start..start + name_end.unwrap_or(length)
    }

    /// What stands before a stretch, and what begins with it.
    pub(super) fn around(&self, at: &Range<usize>) -> (String, String) {
        let (before, rest) = self.chars.split_at(at.start.min(self.chars.len()));
        (before.iter().collect(), rest.iter().collect())
    }

    fn text(&self, at: &Range<usize>) -> String {
        self.chars.get(at.clone()).unwrap_or_default().iter().collect()
    }
}

pub(super) struct Reader<'a> {
    pub(super) positions: &'a Positions,
    /// Parameters and body of each closure, by the name that rhai gave it.
    pub(super) bodies: HashMap<String, (Vec<Arc<str>>, Stmt)>,
}

impl Reader<'_> {
    /// rhai keeps closures beside the expression, in the order in which `walk` visits their bodies.
    pub(super) fn collect_bodies(&mut self, ast: &rhai::AST) -> Result<(), SyntaxError> {
        let functions: Vec<(String, Vec<Arc<str>>)> = ast
            .iter_functions()
            .map(|f| (f.name.to_owned(), f.params.iter().map(|p| Arc::from(*p)).collect()))
            .collect();
        let mut tops: Vec<Stmt> = Vec::new();
        let mut strange = false;
        ast.walk(&mut |path| {
            match path {
                [ASTNode::Stmt(statement)] => tops.push((*statement).clone()),
                [_] => strange = true,
                _ => {}
            }
            true
        });
        let bodies = tops.split_off(ast.statements().len().min(tops.len()));
        if strange || bodies.len() != functions.len() {
            return Err(self.refuse(
                Position::NONE,
                "a closure here holds something other than one expression",
                Some("write `|x| expression`"),
            ));
        }
        for ((name, params), body) in functions.into_iter().zip(bodies) {
            self.bodies.insert(name, (params, body));
        }
        Ok(())
    }

    pub(super) fn refuse(
        &self,
        position: Position,
        message: &str,
        help: Option<&'static str>,
    ) -> SyntaxError {
        SyntaxError { message: message.to_owned(), at: self.positions.token(position), help }
    }

    fn made(&self, node: Node, position: Position) -> Syntax {
        Syntax { node, at: self.positions.token(position) }
    }

    fn all(&self, exprs: &[Expr]) -> Result<Vec<Syntax>, SyntaxError> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn boxed(&self, expr: &Expr) -> Result<Box<Syntax>, SyntaxError> {
        self.expr(expr).map(Box::new)
    }

    pub(super) fn expr(&self, expr: &Expr) -> Result<Syntax, SyntaxError> {
        let (node, position) = match expr {
            Expr::Unit(position) => (Node::Null, *position),
            Expr::BoolConstant(value, position) => (Node::Bool(*value), *position),
            Expr::IntegerConstant(value, position) => (Node::Int(*value), *position),
            Expr::FloatConstant(value, position) => (self.float(**value, *position)?, *position),
            Expr::StringConstant(text, position) => (Node::Text(text.as_str().into()), *position),
            Expr::InterpolatedString(parts, position) => {
                (Node::Template(self.all(parts)?), *position)
            }
            Expr::Array(items, position) => (Node::List(self.all(items)?), *position),
            Expr::Variable(name, _, position) => {
                (Node::Variable(name.1.as_str().into()), *position)
            }
            Expr::DynamicConstant(value, position) => return self.constant(value, *position),
            Expr::FnCall(call, position) => return self.call(call, *position),
            Expr::And(parts, position) => (Node::And(self.all(parts)?), *position),
            Expr::Or(parts, position) => (Node::Or(self.all(parts)?), *position),
            Expr::Coalesce(parts, position) => return self.coalesce(parts, *position),
            Expr::Stmt(block) => return self.block(block),
            Expr::Dot(..) | Expr::Index(..) => return self.chain(expr, None),
            Expr::CharConstant(_, position) => {
                let help = Some("text stands in double quotes");
                return Err(self.refuse(*position, "a single character in single quotes", help));
            }
            Expr::Map(_, position) => {
                return Err(self.refuse(
                    *position,
                    "maps cannot be used here",
                    Some(hint::NOTHING),
                ));
            }
            other => {
                return Err(self.refuse(other.position(), "this cannot be used here", None));
            }
        };
        Ok(self.made(node, position))
    }

    /// A whole number too large for 64 bits reaches us as a float: refused, not rounded.
    fn float(&self, value: f64, position: Position) -> Result<Node, SyntaxError> {
        let written = self.positions.text(&self.positions.token(position));
        let fraction = written.contains(['.', 'e', 'E']);
        if fraction && value.is_finite() {
            return Ok(Node::Float(value));
        }
        Err(self.refuse(
            position,
            "this number is too large",
            Some("the largest is 9223372036854775807"),
        ))
    }

    fn constant(&self, value: &Dynamic, position: Position) -> Result<Syntax, SyntaxError> {
        match value.clone().try_cast::<FnPtr>() {
            Some(pointer) => self.closure(pointer.fn_name(), 0, position),
            None => Err(self.refuse(position, "this constant cannot be used here", None)),
        }
    }

    fn closure(
        &self,
        name: &str,
        captured: usize,
        position: Position,
    ) -> Result<Syntax, SyntaxError> {
        let Some((params, body)) = self.bodies.get(name) else {
            return Err(self.refuse(position, "this function cannot be used here", None));
        };
        let body = self.statement(body)?;
        let params = params.iter().skip(captured).cloned().collect();
        Ok(self.made(Node::Closure(params, Box::new(body)), position))
    }

    /// What a block stands for: the value of an `if`, or a closure that captures names (which rhai
    /// writes as `Share(names); curry(closure, names)`).
    fn block(&self, block: &rhai::StmtBlock) -> Result<Syntax, SyntaxError> {
        match block.statements() {
            [statement] => self.statement(statement),
            [Stmt::Share(names), Stmt::Expr(curry)] => match &**curry {
                Expr::FnCall(call, position) => match call.args.first() {
                    Some(Expr::DynamicConstant(value, _)) => {
                        match value.clone().try_cast::<FnPtr>() {
                            Some(pointer) => {
                                self.closure(pointer.fn_name(), names.len(), *position)
                            }
                            None => Err(self.refuse(*position, "this cannot be used here", None)),
                        }
                    }
                    _ => Err(self.refuse(*position, "this cannot be used here", None)),
                },
                other => Err(self.refuse(other.position(), "this cannot be used here", None)),
            },
            [] => Err(self.refuse(block.position(), "an empty block has no value", None)),
            _ => Err(self.refuse(block.position(), "a block must hold one expression", None)),
        }
    }

    pub(super) fn statement(&self, statement: &Stmt) -> Result<Syntax, SyntaxError> {
        match statement {
            Stmt::Expr(expr) => self.expr(expr),
            Stmt::FnCall(call, position) => self.call(call, *position),
            Stmt::Block(block) => self.block(block),
            Stmt::If(parts, position) => {
                if parts.branch.statements().is_empty() {
                    let help = Some("write `if a { b } else { c }`");
                    return Err(self.refuse(*position, "`if` without `else` has no value", help));
                }
                let condition = self.boxed(&parts.expr)?;
                let yes = Box::new(self.block(&parts.body)?);
                let no = Box::new(self.block(&parts.branch)?);
                Ok(self.made(Node::If(condition, yes, no), *position))
            }
            Stmt::Switch(_, position) => {
                let help = Some("write `if a { b } else { c }`");
                Err(self.refuse(*position, "`switch` cannot be used here", help))
            }
            Stmt::Assignment(..) => {
                let at = self.positions.token(statement.position());
                let help = "to compare, write `==`";
                let message = "`=` sets a value, and nothing can be set here".to_owned();
                Err(SyntaxError { message, at, help: Some(help) })
            }
            other => {
                let message = "only an expression can stand here";
                Err(self.refuse(other.position(), message, Some(hint::NOTHING)))
            }
        }
    }

    fn coalesce(&self, parts: &[Expr], position: Position) -> Result<Syntax, SyntaxError> {
        let mut parts = parts.iter();
        let Some(first) = parts.next() else {
            return Err(self.refuse(position, "`??` needs two sides", None));
        };
        let mut left = self.expr(first)?;
        for right in parts {
            let node = Node::Coalesce(Box::new(left), self.boxed(right)?);
            left = self.made(node, position);
        }
        Ok(left)
    }

    pub(super) fn call(
        &self,
        call: &rhai::FnCallExpr,
        position: Position,
    ) -> Result<Syntax, SyntaxError> {
        let name = call.name.as_str();
        let operator = call.op_token.is_some() || name == "contains";
        let node = match (name, call.args.as_slice()) {
            ("!", [value]) if operator => Node::Not(self.boxed(value)?),
            ("-", [value]) if operator => Node::Negate(self.boxed(value)?),
            ("+", [value]) if operator => return self.expr(value),
            // `a in b` is `contains(b, a)`: the text tells them apart.
            ("contains", [list, member]) if self.is_in(position) => {
                Node::In(self.boxed(member)?, self.boxed(list)?)
            }
            (sign, [left, right]) if call.op_token.is_some() => {
                if let Some(operator) = Operator::parse(sign) {
                    Node::Binary(operator, self.boxed(left)?, self.boxed(right)?)
                } else {
                    let message = format!("the operator `{sign}` cannot be used here");
                    return Err(self.refuse(position, &message, Some(hint::of_operator(sign))));
                }
            }
            (name, args) => Node::Call(name.into(), self.all(args)?),
        };
        Ok(self.made(node, position))
    }

    fn is_in(&self, position: Position) -> bool {
        let at = self.positions.token(position);
        let word = self.positions.text(&at);
        word == "in" || word.starts_with('!')
    }

    /// `a.b[c].d()`: rhai nests these to the right, we to the left.
    fn chain(&self, expr: &Expr, base: Option<(Syntax, Link)>) -> Result<Syntax, SyntaxError> {
        let (pair, flags, position, link) = match expr {
            Expr::Dot(pair, flags, position) => (pair, flags, position, Link::Dot),
            Expr::Index(pair, flags, position) => (pair, flags, position, Link::Index),
            other => return self.expr(other),
        };
        if flags.contains(rhai::ASTFlags::NEGATED) {
            let help = Some("write `a != () && a.b`, or `a ?? default`");
            return Err(self.refuse(*position, "`?.` cannot be used here", help));
        }
        let left = match base {
            Some((base, before)) => self.link(base, &pair.lhs, before)?,
            None => self.expr(&pair.lhs)?,
        };
        match &pair.rhs {
            rest @ (Expr::Dot(..) | Expr::Index(..)) if !flags.contains(rhai::ASTFlags::BREAK) => {
                self.chain(rest, Some((left, link)))
            }
            last => self.link(left, last, link),
        }
    }

    fn link(&self, base: Syntax, step: &Expr, link: Link) -> Result<Syntax, SyntaxError> {
        let base = Box::new(base);
        match (link, step) {
            (Link::Index, index) => {
                let node = Node::Index(base, self.boxed(index)?);
                Ok(self.made(node, index.position()))
            }
            (Link::Dot, Expr::Property(property, position)) => {
                Ok(self.made(Node::Field(base, property.2.as_str().into()), *position))
            }
            (Link::Dot, Expr::MethodCall(call, position)) => {
                let args = self.all(&call.args)?;
                Ok(self.made(Node::Method(base, call.name.as_str().into(), args), *position))
            }
            (Link::Dot, other) => {
                Err(self.refuse(other.position(), "a field or a method must stand here", None))
            }
        }
    }
}

/// How a step hangs on what stands before it.
#[derive(Clone, Copy)]
enum Link {
    Dot,
    Index,
}
