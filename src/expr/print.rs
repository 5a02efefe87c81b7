//! Typed trees as text again.
//!
//! What is printed can be read again and gives the same tree: brackets stand where the tree needs
//! them, not where the author put them.

use std::fmt::Write;
use std::sync::Arc;

use crate::expr::check::Constant;
use crate::expr::syntax::Operator;
use crate::expr::tree::{Closure, Expr, ExprKind, ListMethod};
use crate::facts::model::Model;
use crate::facts::value::Value;

/// What trees are printed with: they know names by number only.
#[derive(Clone, Copy, Debug)]
pub struct Printer<'a> {
    /// The bound names with their slots.
    pub names: &'a [(Arc<str>, usize)],
    /// The fact model.
    pub model: &'a Model,
    /// The reference tables.
    pub tables: &'a [&'a Constant],
}

/// How strongly the parts of an expression hold together; the weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Bond {
    Loose,
    Or,
    And,
    Equality,
    In,
    Order,
    Coalesce,
    Sum,
    Product,
    Sign,
    Chain,
    Whole,
}

impl Bond {
    fn next(self) -> Self {
        match self {
            Self::Loose => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Equality,
            Self::Equality => Self::In,
            Self::In => Self::Order,
            Self::Order => Self::Coalesce,
            Self::Coalesce => Self::Sum,
            Self::Sum => Self::Product,
            Self::Product => Self::Sign,
            Self::Sign => Self::Chain,
            Self::Chain | Self::Whole => Self::Whole,
        }
    }
}

fn bond_of(operator: Operator) -> Bond {
    match operator {
        Operator::Equal | Operator::NotEqual => Bond::Equality,
        Operator::Less | Operator::LessEqual | Operator::Greater | Operator::GreaterEqual => {
            Bond::Order
        }
        Operator::Add | Operator::Subtract => Bond::Sum,
        Operator::Multiply | Operator::Divide | Operator::Remainder => Bond::Product,
    }
}

impl Printer<'_> {
    /// The text of an expression.
    #[must_use]
    pub fn print(&self, expr: &Expr) -> String {
        let mut page = Page { printer: *self, closures: Vec::new(), text: String::new() };
        page.expr(expr, Bond::Loose);
        page.text
    }
}

struct Page<'a> {
    printer: Printer<'a>,
    /// Names bound by the closures around.
    closures: Vec<(Arc<str>, usize)>,
    text: String,
}

impl Page<'_> {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Prints an expression where only what holds together at least as `least` does can stand bare.
    fn expr(&mut self, expr: &Expr, least: Bond) {
        let bond = bond(expr);
        if bond < least {
            self.put("(");
            self.bare(expr);
            self.put(")");
        } else {
            self.bare(expr);
        }
    }

    fn bare(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Constant(value) => self.constant(value),
            ExprKind::Now => self.put("now"),
            ExprKind::Variable(slot) => self.name(*slot),
            ExprKind::All(kind) => {
                let kind = self.printer.model.kind(*kind);
                self.put(kind.map_or("?", |kind| &kind.collection));
            }
            ExprKind::Single(position) => {
                let field = self.printer.model.singles().get(*position);
                self.put(field.map_or("?", |field| &field.name));
            }
            ExprKind::Field { base, name, .. } => {
                self.expr(base, Bond::Chain);
                self.put(".");
                self.put(name);
            }
            ExprKind::Key(base) => {
                self.expr(base, Bond::Chain);
                self.put(".key");
            }
            ExprKind::Not(inner) => {
                self.put("!");
                self.expr(inner, Bond::Sign);
            }
            ExprKind::Negate(inner) => {
                self.put("-");
                self.expr(inner, Bond::Chain);
            }
            ExprKind::And(parts) => self.chain(parts, " && ", Bond::And),
            ExprKind::Or(parts) => self.chain(parts, " || ", Bond::Or),
            ExprKind::Compare(operator, a, b) => {
                let bond = bond_of(*operator).next();
                self.pair(a, bond, operator.sign(), b);
            }
            ExprKind::Arithmetic(operator, a, b) => {
                self.pair(a, bond_of(*operator), operator.sign(), b);
            }
            ExprKind::Coalesce(a, b) => self.pair(a, Bond::Coalesce, "??", b),
            ExprKind::In(a, b) => self.pair(a, Bond::Order, "in", b),
            ExprKind::IsNull { value, negated } => {
                self.expr(value, Bond::In);
                self.put(if *negated { " != ()" } else { " == ()" });
            }
            ExprKind::If(condition, yes, no) => {
                self.put("if ");
                self.expr(condition, Bond::Or);
                self.put(" { ");
                self.expr(yes, Bond::Loose);
                self.put(" } else { ");
                self.expr(no, Bond::Loose);
                self.put(" }");
            }
            ExprKind::List(parts) => {
                self.put("[");
                self.commas(parts);
                self.put("]");
            }
            ExprKind::Template(parts) => self.template(parts),
            ExprKind::Index(list, index) => {
                self.expr(list, Bond::Chain);
                self.put("[");
                self.expr(index, Bond::Loose);
                self.put("]");
            }
            ExprKind::ListMethod { method, list, closure } => {
                self.method(*method, list, closure.as_ref());
            }
            ExprKind::Host(function, args) => self.call(function.name, args),
            ExprKind::Script(name, args) => self.call(name, args),
            ExprKind::Known(value) => self.call("known", std::slice::from_ref(value)),
            ExprKind::Get(value, default) => self.get(value, default),
            ExprKind::AnyViolated(tag, object) => {
                self.put("any_violated(");
                self.quoted(tag);
                self.put(", ");
                self.expr(object, Bond::Loose);
                self.put(")");
            }
        }
    }

    fn name(&mut self, slot: usize) {
        let known = self.closures.iter().rev().chain(self.printer.names);
        let found = known.into_iter().find(|(_, known)| *known == slot);
        let name = found.map_or_else(|| Arc::from("?"), |(name, _)| name.clone());
        self.put(&name);
    }

    fn pair(&mut self, a: &Expr, bond: Bond, sign: &str, b: &Expr) {
        self.expr(a, bond);
        // Writing to a string cannot fail, here and below.
        let _ = write!(self.text, " {sign} ");
        self.expr(b, bond.next());
    }

    fn chain(&mut self, parts: &[Expr], joint: &str, bond: Bond) {
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                self.put(joint);
            }
            self.expr(part, bond.next());
        }
    }

    fn commas(&mut self, parts: &[Expr]) {
        for (position, part) in parts.iter().enumerate() {
            if position > 0 {
                self.put(", ");
            }
            self.expr(part, Bond::Loose);
        }
    }

    fn call<E: std::borrow::Borrow<Expr>>(&mut self, name: &str, args: &[E]) {
        self.put(name);
        self.put("(");
        for (position, arg) in args.iter().enumerate() {
            if position > 0 {
                self.put(", ");
            }
            self.expr(arg.borrow(), Bond::Loose);
        }
        self.put(")");
    }

    fn method(&mut self, method: ListMethod, list: &Expr, closure: Option<&Closure>) {
        self.expr(list, Bond::Chain);
        self.put(".");
        self.put(method.name());
        self.put("(");
        if let Some(closure) = closure {
            self.put("|");
            self.put(&closure.name);
            self.put("| ");
            self.closures.push((closure.name.clone(), closure.slot));
            self.expr(&closure.body, Bond::Loose);
            self.closures.pop();
        }
        self.put(")");
    }

    fn get(&mut self, value: &Expr, default: &Expr) {
        let (base, name) = match &value.kind {
            ExprKind::Field { base, name, .. } => (&**base, &**name),
            ExprKind::Key(base) => (&**base, "key"),
            _ => (value, "?"),
        };
        self.expr(base, Bond::Chain);
        self.put(".get(");
        self.quoted(name);
        self.put(", ");
        self.expr(default, Bond::Loose);
        self.put(")");
    }

    fn constant(&mut self, value: &Value) {
        match value {
            Value::Null => self.put("()"),
            Value::Float(number) => {
                // With a fraction or an exponent, so that it is not read as a whole number.
                let _ = write!(self.text, "{number:?}");
            }
            Value::Text(text) | Value::Name(text) => self.quoted(text),
            Value::Path(path) => self.quoted(path.text()),
            Value::Version(version) => self.quoted(version.text()),
            Value::Time(time) => self.quoted(time.text()),
            Value::List(list) => {
                let tables = self.printer.tables;
                let table = tables.iter().find(|table| match &table.value {
                    Value::List(rows) => Arc::ptr_eq(&rows.items, &list.items),
                    _ => false,
                });
                self.put(table.map_or("?", |table| &table.name));
            }
            other => {
                let _ = write!(self.text, "{other}");
            }
        }
    }

    fn quoted(&mut self, text: &str) {
        self.put("\"");
        for c in text.chars() {
            match c {
                '"' => self.put("\\\""),
                '\\' => self.put("\\\\"),
                '\n' => self.put("\\n"),
                '\r' => self.put("\\r"),
                '\t' => self.put("\\t"),
                c if c.is_control() => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(c));
                }
                c => self.text.push(c),
            }
        }
        self.put("\"");
    }

    /// Text with values in it. Between back-ticks nothing can be escaped: what would end the text there, or
    /// begin a value, is put in as a value itself.
    fn template(&mut self, parts: &[Expr]) {
        self.put("`");
        for (position, part) in parts.iter().enumerate() {
            match part.constant_text() {
                Some(text) if is_plain(text, position == 0) => self.put(text),
                Some(text) => {
                    self.put("${");
                    self.quoted(text);
                    self.put("}");
                }
                None => {
                    self.put("${");
                    self.expr(part, Bond::Loose);
                    self.put("}");
                }
            }
        }
        self.put("`");
    }
}

/// Whether a text means itself between back-ticks; a first line break there is dropped.
fn is_plain(text: &str, is_first: bool) -> bool {
    let is_dropped = is_first && text.starts_with(['\n', '\r']);
    !text.is_empty() && !text.contains(['`', '$']) && !is_dropped
}

fn bond(expr: &Expr) -> Bond {
    match &expr.kind {
        ExprKind::If(..) => Bond::Loose,
        ExprKind::Or(_) => Bond::Or,
        ExprKind::And(_) => Bond::And,
        ExprKind::Compare(operator, ..) | ExprKind::Arithmetic(operator, ..) => bond_of(*operator),
        ExprKind::IsNull { .. } => Bond::Equality,
        ExprKind::In(..) => Bond::In,
        ExprKind::Coalesce(..) => Bond::Coalesce,
        ExprKind::Not(_) | ExprKind::Negate(_) => Bond::Sign,
        ExprKind::Constant(Value::Int(number)) if *number < 0 => Bond::Sign,
        ExprKind::Constant(Value::Float(number)) if number.is_sign_negative() => Bond::Sign,
        ExprKind::Field { .. }
        | ExprKind::Key(_)
        | ExprKind::Index(..)
        | ExprKind::ListMethod { .. }
        | ExprKind::Get(..) => Bond::Chain,
        _ => Bond::Whole,
    }
}
