//! What a rule reads where: its expressions, the names in them, the facts behind these.

use std::collections::{BTreeSet, HashMap};

use crate::expr::template::Template;
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{Model, Type};
use crate::rule::{Binding, Command, Rule};

/// Where an expression of a rule stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// A clause of the given step of `select`.
    Select(usize),
    /// A `let`, by position.
    Let(usize),
    /// A `require`.
    Require,
    /// What `if_none` and `else` say.
    Because,
    /// The condition.
    Violated,
    /// The message.
    Message,
    /// The evidence.
    Evidence,
    /// The fingerprint.
    Fingerprint,
    /// What else is harmed.
    Affects,
    /// What follows, and what to do.
    Follows,
}

/// All expressions of a rule.
pub(super) fn exprs(rule: &Rule) -> Vec<(Part, &Expr)> {
    let mut all = Vec::new();
    for (step, binding) in rule.select.iter().enumerate() {
        let (list, filter, otherwise) = match binding {
            Binding::Each { list, filter, .. } => (list, filter, None),
            Binding::One { from, filter, if_none, .. } => (from, filter, Some(if_none)),
        };
        all.extend([list].into_iter().chain(filter).map(|expr| (Part::Select(step), expr)));
        let because = otherwise.into_iter().flat_map(|otherwise| otherwise.because.exprs());
        all.extend(because.map(|expr| (Part::Because, expr)));
    }
    all.extend(rule.lets.iter().enumerate().map(|(at, (_, expr))| (Part::Let(at), expr)));
    for (that, otherwise) in &rule.require {
        all.push((Part::Require, that));
        all.extend(otherwise.because.exprs().map(|expr| (Part::Because, expr)));
    }
    all.push((Part::Violated, &rule.violated));
    let finding = &rule.finding;
    all.extend(finding.message.exprs().map(|expr| (Part::Message, expr)));
    all.extend(finding.evidence.iter().map(|(_, expr)| (Part::Evidence, expr)));
    all.extend(finding.fingerprint.iter().map(|expr| (Part::Fingerprint, expr)));
    all.extend(finding.affects.iter().map(|expr| (Part::Affects, expr)));
    all.extend(follows(rule).into_iter().map(|expr| (Part::Follows, expr)));
    all
}

/// The expressions in consequences, steps and what is withheld.
fn follows(rule: &Rule) -> Vec<&Expr> {
    let mut all = Vec::new();
    for one in &rule.consequence {
        all.extend(one.each.iter().map(|(_, list)| list));
        all.extend([&one.set, &one.to]);
    }
    for step in &rule.remediation {
        all.extend(step.each.iter().map(|(_, list)| list));
        all.extend(step.text.iter().flat_map(Template::exprs));
        all.extend(&step.with);
        all.extend(step.when.iter().chain(&step.unless));
        for Command { when, run, .. } in step.commands.iter().flatten() {
            all.extend(when);
            all.extend(run.exprs());
        }
    }
    for one in &rule.withholds {
        all.push(&one.at);
        all.extend(&one.when);
        all.extend(one.because.exprs());
    }
    all
}

/// Slots of the names in an expression.
pub(super) fn names(expr: &Expr, found: &mut BTreeSet<usize>) {
    if let ExprKind::Variable(slot) = &expr.kind {
        found.insert(*slot);
    }
    expr.each_child(&mut |child| names(child, found));
}

/// For each bound name those that it was made from, itself included.
pub(super) fn roots(rule: &Rule) -> HashMap<usize, BTreeSet<usize>> {
    let mut all: HashMap<usize, BTreeSet<usize>> = HashMap::new();
    let mut add = |slot: usize, exprs: &[&Expr]| {
        let mut direct = BTreeSet::new();
        for expr in exprs {
            names(expr, &mut direct);
        }
        let behind: BTreeSet<usize> = direct
            .iter()
            .flat_map(|name| all.get(name).cloned().unwrap_or_else(|| [*name].into()))
            .chain([slot])
            .collect();
        all.insert(slot, behind);
    };
    for binding in &rule.select {
        match binding {
            Binding::Each { slot, list: from, filter }
            | Binding::One { slot, from, filter, .. } => {
                let exprs: Vec<&Expr> = [from].into_iter().chain(filter).collect();
                add(*slot, &exprs);
            }
        }
    }
    for (slot, expr) in &rule.lets {
        add(*slot, &[expr]);
    }
    all
}

/// Facts by kind or record, and field.
pub(super) type Facts = BTreeSet<(String, String)>;

/// The facts that an expression reads, through the names it uses.
pub(super) fn facts(expr: &Expr, rule: &Rule, model: &Model, found: &mut Facts) {
    match &expr.kind {
        ExprKind::Field { base, positions, name } => {
            for (kind, _) in positions {
                let of = match (kind.and_then(|kind| model.kind(kind)), base.ty.required()) {
                    (Some(kind), _) => kind.name.to_string(),
                    // What a parameter says is no fact.
                    (None, Type::Record(record)) if &*record.name != "params" => {
                        record.name.to_string()
                    }
                    _ => continue,
                };
                found.insert((of, name.to_string()));
            }
        }
        ExprKind::Key(base) => {
            if let Type::Object(kinds) = base.ty.required() {
                let kinds = kinds.iter().filter_map(|kind| model.kind(*kind));
                found.extend(kinds.map(|kind| (kind.name.to_string(), "key".to_owned())));
            }
        }
        ExprKind::Single(position) => {
            let field = model.singles().get(*position);
            found.extend(field.map(|field| ("facts".to_owned(), field.name.to_string())));
        }
        ExprKind::Variable(slot) => {
            if let Some((_, value)) = rule.lets.iter().find(|(known, _)| known == slot) {
                facts(value, rule, model, found);
            }
        }
        _ => {}
    }
    expr.each_child(&mut |child| facts(child, rule, model, found));
}

/// Whether a part of an expression fulfils it.
pub(super) fn has(expr: &Expr, wanted: &dyn Fn(&Expr) -> bool) -> bool {
    let mut found = wanted(expr);
    expr.each_child(&mut |child| found = found || has(child, wanted));
    found
}

/// An expression in a form in which two that mean the same are mostly the same, names of `let` replaced
/// by what they stand for.
pub(super) fn key(expr: &Expr, rule: &Rule) -> String {
    write(expr, rule, &mut Vec::new())
}

fn write(expr: &Expr, rule: &Rule, inner: &mut Vec<usize>) -> String {
    let word = match &expr.kind {
        ExprKind::Variable(slot) => {
            // The name of a closure counts by how deep it stands: another name is no difference.
            if let Some(depth) = inner.iter().rposition(|known| known == slot) {
                return format!("#{depth}");
            }
            let value = rule.lets.iter().find(|(known, _)| known == slot);
            return match value {
                Some((_, value)) => write(value, rule, inner),
                None => format!("${slot}"),
            };
        }
        ExprKind::Constant(value) => return format!("{value:?}"),
        ExprKind::Field { base, name, .. } => {
            return format!("{}.{name}", write(base, rule, inner));
        }
        ExprKind::ListMethod { method, list, closure } => {
            let list = write(list, rule, inner);
            let body = closure.as_ref().map(|closure| {
                inner.push(closure.slot);
                let body = write(&closure.body, rule, inner);
                inner.pop();
                body
            });
            return format!("{list}.{method:?}({})", body.unwrap_or_default());
        }
        ExprKind::Now => "now".to_owned(),
        ExprKind::All(kind) => format!("all {}", kind.0),
        ExprKind::Single(position) => format!("single {position}"),
        ExprKind::Key(_) => "key".to_owned(),
        ExprKind::Not(_) => "!".to_owned(),
        ExprKind::Negate(_) => "-".to_owned(),
        ExprKind::And(_) => "&&".to_owned(),
        ExprKind::Or(_) => "||".to_owned(),
        ExprKind::Compare(operator, ..) | ExprKind::Arithmetic(operator, ..) => {
            operator.sign().to_owned()
        }
        ExprKind::IsNull { negated, .. } => format!("null {negated}"),
        ExprKind::Coalesce(..) => "??".to_owned(),
        ExprKind::If(..) => "if".to_owned(),
        ExprKind::List(_) => "list".to_owned(),
        ExprKind::In(..) => "in".to_owned(),
        ExprKind::Template(_) => "text".to_owned(),
        ExprKind::Index(..) => "index".to_owned(),
        ExprKind::Host(function, _) => function.name.to_owned(),
        ExprKind::Script(name, _) => name.to_string(),
        ExprKind::Known(_) => "known".to_owned(),
        ExprKind::Get(..) => "get".to_owned(),
        ExprKind::AnyViolated(tag, _) => format!("any {tag}"),
    };
    let mut parts = Vec::new();
    expr.each_child(&mut |child| parts.push(write(child, rule, inner)));
    format!("{word}({})", parts.join(", "))
}

/// The value of an expression that depends on nothing: a number with its function, for instance.
pub(super) fn constant(expr: &Expr, rule: &Rule) -> Option<crate::facts::value::Value> {
    use crate::facts::value::Value;
    match &expr.kind {
        ExprKind::Constant(value) => Some(value.clone()),
        ExprKind::Variable(slot) => {
            let (_, value) = rule.lets.iter().find(|(known, _)| known == slot)?;
            constant(value, rule)
        }
        ExprKind::Negate(inner) => match constant(inner, rule)? {
            Value::Int(number) => number.checked_neg().map(Value::Int),
            Value::Float(number) => Some(Value::Float(-number)),
            _ => None,
        },
        ExprKind::Host(function, args) => {
            let args: Option<Vec<Value>> = args.iter().map(|arg| constant(arg, rule)).collect();
            function.call(&args?).ok()
        }
        ExprKind::Arithmetic(operator, a, b) => {
            let (a, b) = (number(&constant(a, rule)?)?, number(&constant(b, rule)?)?);
            let value = match operator.sign() {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" if b != 0.0 => a / b,
                _ => return None,
            };
            Some(Value::Float(value))
        }
        _ => None,
    }
}

/// A number as one with a fraction: near enough to reason about thresholds.
#[expect(clippy::cast_precision_loss, reason = "thresholds are far below 2^53")]
pub(super) fn number(value: &crate::facts::value::Value) -> Option<f64> {
    use crate::facts::value::Value;
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    }
}
