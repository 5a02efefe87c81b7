//! Names in cases that mean nothing: a slip there must not look like a rule that says nothing.

use std::collections::HashSet;

use crate::author::case::{Acting, Case, Expect};
use crate::author::patch::{FactPath, Part};
use crate::diagnostic::{Diagnostic, Place};
use crate::facts::model::{Model, Type};
use crate::facts::store::{Facts, Table};
use crate::facts::value::fold;
use crate::plan::Plan;
use crate::rule::pack::RuleSet;
use crate::source::Node;

/// Rules that the case names and that do not exist.
pub(super) fn unknown_rules(
    case: &Case,
    root: &Node,
    by_folder: &str,
    set: &RuleSet,
) -> Vec<Diagnostic> {
    let names = || set.rules.iter().map(|rule| &*rule.id);
    let mut problems = Vec::new();
    let mut complain = |id: &str, place: Place| {
        if set.rule(id).is_none() {
            let problem = Diagnostic::error("unknown-rule", format!("there is no rule `{id}`"));
            problems.push(problem.at(place).suggest(id, names()));
        }
    };
    if let Some(act) = &case.act {
        return unknown_in(act, &case.expect, root, set);
    }
    match root.get("rule") {
        Some(node) => complain(&case.rule, node.place),
        None if by_folder.is_empty() => {
            let message = "this case does not say which rule it is about";
            let help = "write `rule: <id>`, or put it into `cases/<id>/`";
            return vec![Diagnostic::error("wrong-case", message).at(root.place).help(help)];
        }
        None => {
            let place = root.as_map().and_then(<[_]>::first).map_or(root.place, |e| e.key_place);
            complain(by_folder, place);
            if let Some(problem) = problems.first_mut() {
                problem.help.push("the folder of a case names its rule".to_owned());
            }
            return problems;
        }
    }
    if let Expect::Exactly(list) = &case.expect {
        for expected in list.iter().filter(|expected| expected.rule != case.rule) {
            complain(&expected.rule, expected.place);
        }
    }
    problems
}

/// The action that a case is about, and rules that it expects something of.
fn unknown_in(act: &Acting, expect: &Expect, root: &Node, set: &RuleSet) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let actions = || set.actions.iter().map(|action| &*action.id);
    if !actions().any(|id| id == act.action) {
        let first = root.as_map().and_then(<[_]>::first).map_or(root.place, |e| e.key_place);
        let message = format!("there is no action `{}`", act.action);
        let problem = Diagnostic::error("unknown-action", message).at(act.place.unwrap_or(first));
        let mut problem = problem.suggest(&act.action, actions());
        if act.place.is_none() {
            problem.help.push("the folder of a case names its action".to_owned());
        }
        problems.push(problem);
    }
    let Expect::After(after) = expect else { return problems };
    let expected = [&after.violated, &after.meanwhile, &after.cleared, &after.undecided];
    for expected in expected.into_iter().flatten() {
        if set.rule(&expected.rule).is_none() {
            let message = format!("there is no rule `{}`", expected.rule);
            let problem = Diagnostic::error("unknown-rule", message).at(expected.place);
            problems.push(problem.suggest(&expected.rule, set.rules.iter().map(|rule| &*rule.id)));
        }
    }
    problems
}

/// Steps that are not in the plan, and paths of facts that the model does not have.
pub(super) fn unknown_after(case: &Case, plan: Option<&Plan>, model: &Model) -> Vec<Diagnostic> {
    let (Expect::After(after), Some(plan)) = (&case.expect, plan) else { return Vec::new() };
    let mut problems = Vec::new();
    let steps = || plan.steps.iter().map(|step| &*step.id);
    for (name, _, place) in &after.status {
        if let Some(name) = name.as_ref().filter(|name| !steps().any(|id| id == **name)) {
            let problem = Diagnostic::error("unknown-step", format!("there is no step `{name}`"));
            problems.push(problem.at(*place).suggest(name, steps()));
        }
    }
    for (path, _) in &after.facts {
        problems.extend(unknown_fact(path, model));
    }
    problems
}

/// `collection[key].field`, and fields of records in it.
fn unknown_fact(path: &FactPath, model: &Model) -> Option<Diagnostic> {
    let mut parts = path.parts();
    let (first, place) = parts.next()?;
    let Part::Field(collection) = first else { return None };
    let Some(kind) = model.kinds().iter().find(|kind| *kind.collection == *collection) else {
        let message = format!("there is no collection `{collection}`");
        let problem = Diagnostic::error("unknown-field", message).at(place);
        let names = model.kinds().iter().map(|kind| &*kind.collection);
        return Some(problem.suggest(collection, names));
    };
    let (Some((Part::Member(_), _)), Some((Part::Field(_), _))) =
        (parts.next(), path.parts().nth(2))
    else {
        let message = format!("`{path}` is not the path of a fact");
        let help = "write it like `databases[EX01/SG1/DB1].edb_path`";
        return Some(Diagnostic::error("wrong-path", message).at(place).help(help));
    };
    let mut fields = kind.record.fields.as_slice();
    for (part, place) in parts {
        let Part::Field(name) = part else { continue };
        let Some(field) = fields.iter().find(|field| *field.name == *name) else {
            let message = format!("there is no field `{name}`");
            let problem = Diagnostic::error("unknown-field", message).at(place);
            return Some(problem.suggest(name, fields.iter().map(|field| &*field.name)));
        };
        let inner = match field.ty.required() {
            Type::List(inner) => inner.required(),
            other => other,
        };
        fields = match inner {
            Type::Record(record) => record.fields.as_slice(),
            _ => &[],
        };
    }
    None
}

/// Subjects that are expected and are no objects of the facts: a slip there must not look like a
/// rule that says nothing.
pub(super) fn unknown_subjects(case: &Case, facts: &Facts) -> Vec<Diagnostic> {
    let Expect::Exactly(list) = &case.expect else { return Vec::new() };
    let tables = facts.model().kinds().iter().filter_map(|kind| facts.table(kind.id));
    let keys: Vec<&str> = tables.flat_map(Table::objects).map(|object| &*object.key).collect();
    let known: HashSet<String> = keys.iter().map(|key| fold(key)).collect();
    let mut problems = Vec::new();
    for expected in list.iter().filter(|expected| !expected.subject.is_empty()) {
        if !known.contains(&fold(&expected.subject)) {
            let message = format!("no object of the facts has the key `{}`", expected.subject);
            let problem = Diagnostic::error("unknown-subject", message).at(expected.place);
            let end = format!("/{}", fold(&expected.subject));
            let full: Vec<&str> =
                keys.iter().copied().filter(|key| fold(key).ends_with(&end)).take(3).collect();
            problems.push(match full.as_slice() {
                [] => problem.suggest(&expected.subject, keys.iter().copied()),
                full => problem.help(format!("did you mean `{}`?", full.join("`, `"))),
            });
        }
    }
    problems
}
