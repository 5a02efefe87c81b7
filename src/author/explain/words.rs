//! What a rule looks at and says, without any facts.

use crate::author::explain::record::{bound_name, parts};
use crate::author::explain::{Subject, select_name, written};
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::Type;
use crate::report::explain::{Field, Words};
use crate::rule::Binding;
use crate::source::Node;

/// The clauses in words, in the order of judging.
#[must_use]
pub fn words(subject: Subject<'_>) -> Vec<Words> {
    let rule = subject.rule;
    let mut all = Vec::new();
    let mut add = |clause: String, says: String, node: &Node| {
        all.push(Words { clause, says, place: subject.place(node) });
    };
    for (step, binding) in rule.select.iter().enumerate() {
        let Some(node) = subject.select(step) else { continue };
        add(select_name(step), select(subject, step, binding, node), node);
    }
    for (number, (slot, _)) in rule.lets.iter().enumerate() {
        let Some(node) = subject.lets(number) else { continue };
        let name = rule.name_of(*slot).map_or("?", |name| name);
        add(format!("let {name}"), format!("`{name}` stands for `{}`.", written(node)), node);
    }
    for number in 0..rule.require.len() {
        let Some(node) = subject.require(number) else { continue };
        let Some(that) = node.get("that") else { continue };
        let says = format!("It must be that `{}`; {}", written(that), otherwise(node.get("else")));
        add(format!("require {}", number + 1), says, that);
    }
    if let Some(node) = rule.root.get("violated") {
        add("violated".to_owned(), format!("Violated if `{}`.", written(node)), node);
    }
    all
}

fn select(subject: Subject<'_>, step: usize, binding: &Binding, node: &Node) -> String {
    let name = bound_name(subject.rule, step);
    let filter = node.get("where").map(written);
    match binding {
        Binding::Each { list, .. } => {
            let which = match (node.get("of"), node.get("in")) {
                (Some(kind), _) => format!("every {}", written(kind).replace('_', " ")),
                (None, Some(list)) => format!("every member of `{}`", written(list)),
                (None, None) => format!("every member of `{}`", subject.print(list)),
            };
            let filter = filter.map(|text| format!(", but only those for which `{text}`"));
            format!("Takes {which} in turn, as `{name}`{}.", filter.unwrap_or_default())
        }
        Binding::One { from, .. } => {
            let from = node.get("from").map_or_else(|| subject.print(from), written);
            let filter = filter.map(|text| format!(", the one for which `{text}`"));
            let no_one =
                otherwise(node.get("if_none")).replacen("otherwise", "if there is none,", 1);
            format!(
                "Takes one object from `{from}`, as `{name}`{}; {no_one}",
                filter.unwrap_or_default()
            )
        }
    }
}

/// `otherwise not applicable: ...`.
fn otherwise(node: Option<&Node>) -> String {
    let text = |key: &str| node.and_then(|node| node.get(key)).map(written);
    let outcome = text("outcome").unwrap_or_default().replace('_', " ");
    let because = text("because").unwrap_or_default();
    let end = if because.ends_with('.') { "" } else { "." };
    let see = text("see").map(|see| format!(" See {see}.")).unwrap_or_default();
    format!("otherwise {outcome}: {because}{end}{see}")
}

/// The fields that the conditions read, in the order in which they stand there.
#[must_use]
pub fn reads(subject: Subject<'_>) -> Vec<Field> {
    let mut all = Vec::new();
    for (_, expr) in parts(subject.rule) {
        fields(subject, expr, &mut all);
    }
    all
}

fn fields(subject: Subject<'_>, expr: &Expr, all: &mut Vec<Field>) {
    expr.each_child(&mut |child| fields(subject, child, all));
    let ExprKind::Field { base, positions, name } = &expr.kind else { return };
    let mut add = |of: &str, field: &crate::facts::model::Field| {
        let field = Field {
            field: format!("{of}.{}", field.name),
            description: field.description.clone(),
            source: field.source.clone(),
        };
        if !all.contains(&field) {
            all.push(field);
        }
    };
    for (kind, position) in positions {
        match (kind, base.ty.required()) {
            (Some(kind), _) => {
                let Some(kind) = subject.model.kind(*kind) else { continue };
                if let Some(field) = kind.record.fields.get(*position) {
                    add(&kind.name, field);
                }
            }
            // The parameters are a record too.
            (None, Type::Record(record)) if !matches!(base.kind, ExprKind::Variable(0)) => {
                if let Some((_, field)) = record.field(name) {
                    add(&record.name, field);
                }
            }
            _ => {}
        }
    }
}
