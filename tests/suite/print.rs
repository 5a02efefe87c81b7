//! Expressions printed from their trees: every one of the shipped rules reads as the same tree.

use std::sync::Arc;

use dpmguard::expr::check::Constant;
use dpmguard::expr::print::Printer;
use dpmguard::expr::tree::Expr;
use dpmguard::load;
use dpmguard::rule::{Binding, Rule};
use dpmguard::source::{Node, Style, Value};

use crate::expressions::without_places;
use crate::support::{Bench, said};

/// The clauses of a rule, each with its place in the file.
fn clauses(rule: &Rule) -> Vec<(String, &Expr)> {
    let mut all = Vec::new();
    for (number, binding) in rule.select.iter().enumerate() {
        let (list, filter) = match binding {
            Binding::Each { list, filter, .. } => (list, filter),
            Binding::One { from, filter, .. } => (from, filter),
        };
        for key in ["in", "from"] {
            all.push((format!("/select/{number}/{key}"), list));
        }
        all.extend(filter.iter().map(|filter| (format!("/select/{number}/where"), filter)));
    }
    for (number, (slot, value)) in rule.lets.iter().enumerate() {
        let name = rule.name_of(*slot).unwrap();
        all.push((format!("/let/{number}/{name}"), value));
    }
    for (number, (that, _)) in rule.require.iter().enumerate() {
        all.push((format!("/require/{number}/that"), that));
    }
    all.push(("/violated".to_owned(), &rule.violated));
    all
}

fn set(node: &mut Node, pointer: &str, text: &str) -> bool {
    let mut node = node;
    for step in pointer.split('/').skip(1) {
        let next = match &mut node.value {
            Value::List(items) => items.get_mut(step.parse::<usize>().unwrap()),
            Value::Map(entries) => {
                entries.iter_mut().find(|entry| *entry.key == *step).map(|entry| &mut entry.node)
            }
            _ => None,
        };
        match next {
            Some(next) => node = next,
            None => return false,
        }
    }
    node.value = Value::Text(text.into(), Style::Double);
    true
}

#[test]
fn the_clauses_of_the_shipped_rules_read_as_they_are_printed() {
    let bench = Bench::new();
    let schema = load::schema("rule-v1").unwrap();
    let tables: Vec<&Constant> = bench.rules.tables.iter().map(|table| &table.constant).collect();
    let mut count = 0;
    for rule in &bench.rules.rules {
        let printer = Printer { names: &rule.names, model: &bench.model, tables: &tables };
        let mut root = (*rule.root).clone();
        for (pointer, expr) in clauses(rule) {
            count += usize::from(set(&mut root, &pointer, &printer.print(expr)));
        }
        let set = bench
            .rules
            .with_rule(rule, &Arc::new(root), &bench.sources, &bench.model, &schema, &[])
            .unwrap_or_else(|found| panic!("{}: {}", rule.id, said(&found, &bench.sources)));
        let again = set.rule(&rule.id).unwrap();
        for ((pointer, a), (_, b)) in clauses(rule).into_iter().zip(clauses(again)) {
            assert_eq!(without_places(a), without_places(b), "{} {pointer}", rule.id);
        }
    }
    assert!(count > 500, "only {count} clauses were printed");
}
