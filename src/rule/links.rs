//! What rules say of each other: the names they use, and the order in which they can be judged.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::rule::action::Action;
use crate::rule::clause::Override;
use crate::rule::{Binding, Rule};

/// Rules that are named and do not exist: by `see`, by a parameter of the user.
pub(super) fn unknown_names<'a>(
    looked_at: impl IntoIterator<Item = &'a Rule>,
    rules: &[Arc<Rule>],
    actions: &[Action],
    overrides: &[Override],
    problems: &mut Vec<Diagnostic>,
) {
    let names = || rules.iter().map(|rule| &*rule.id);
    let with_params = || names().chain(actions.iter().map(|action| &*action.id));
    for set in overrides {
        if !with_params().any(|id| id == set.of) {
            let message = format!("there is no rule or action `{}`", set.of);
            let problem = Diagnostic::error("unknown-rule", message).at(set.key_place);
            problems.push(problem.suggest(&set.of, with_params()));
        }
    }
    for rule in looked_at {
        let bindings = rule.select.iter().filter_map(|binding| match binding {
            Binding::One { if_none, .. } => Some(if_none),
            Binding::Each { .. } => None,
        });
        let otherwise = bindings.chain(rule.require.iter().map(|(_, otherwise)| otherwise));
        for (see, place) in otherwise.filter_map(|otherwise| otherwise.see.as_ref()) {
            if !names().any(|id| id == &**see) {
                let problem =
                    Diagnostic::error("unknown-rule", format!("there is no rule `{see}`"));
                problems.push(problem.at(*place).suggest(see, names()));
            }
        }
    }
}

/// Rules in an order in which each stands behind those that it asks about.
pub(super) fn order(
    rules: &[Arc<Rule>],
    places: &[Place],
    problems: &mut Vec<Diagnostic>,
) -> Vec<usize> {
    let mut below: Vec<Vec<usize>> = Vec::with_capacity(rules.len());
    for rule in rules {
        let mut needs = Vec::new();
        for (tag, place) in &rule.asks {
            let carriers = rules.iter().enumerate().filter(|(_, other)| other.tags.contains(tag));
            let before = needs.len();
            needs.extend(carriers.map(|(position, _)| position));
            if needs.len() == before {
                let message = format!("no rule has the tag `{tag}`");
                let tags: Vec<&str> =
                    rules.iter().flat_map(|r| &r.tags).map(|tag| &**tag).collect();
                let problem =
                    Diagnostic::error("unknown-tag", message).at(*place).suggest(tag, tags);
                problems.push(problem);
            }
        }
        below.push(needs);
    }
    let mut order = Vec::with_capacity(rules.len());
    let mut done_with = vec![false; rules.len()];
    loop {
        let ready: Vec<usize> = (0..rules.len())
            .filter(|position| {
                let done = |other: &usize| done_with.get(*other).copied().unwrap_or(false);
                !done(position) && below.get(*position).is_none_or(|needs| needs.iter().all(done))
            })
            .collect();
        if ready.is_empty() {
            break;
        }
        for position in ready {
            order.push(position);
            if let Some(slot) = done_with.get_mut(position) {
                *slot = true;
            }
        }
    }
    if order.len() < rules.len() {
        let stuck = || {
            let all = rules.iter().zip(places).zip(&done_with);
            all.filter(|(_, done_with)| !**done_with).map(|(rule, _)| rule)
        };
        let names: Vec<String> = stuck().map(|(rule, _)| format!("`{}`", rule.id)).collect();
        let message =
            format!("these rules ask for each other's outcomes in a circle: {}", names.join(", "));
        let mut problem = Diagnostic::error("rule-cycle", message);
        problem.place = stuck().next().map(|(_, place)| *place);
        problems.push(problem);
    }
    order
}
