//! What is wrong with one document, where the packs do not say it already.

use std::path::Path;

use crate::author::case;
use crate::author::edit::{Desk, Document, DocumentKind, of_case};
use crate::diagnostic::Diagnostic;
use crate::load;
use crate::rule::clause::Override;
use crate::rule::pack::PackFiles;
use crate::source::{self, Node, Sources};

/// What is wrong with a document; the sources have its places. Rules, actions and tables that stand in a pack
/// are told of with their pack; here their expressions are looked at although the rest is not right.
#[must_use]
pub fn problems(
    desk: &Desk,
    document: &Document<'_>,
    is_in_pack: bool,
) -> (Vec<Diagnostic>, Sources) {
    let mut sources = desk.sources.clone();
    let file = match sources.add(document.path, document.text.as_bytes()) {
        Ok(file) => file,
        Err(problem) => return (vec![problem], sources),
    };
    if matches!(document.kind, DocumentKind::Other | DocumentKind::Script) {
        return (Vec::new(), sources);
    }
    let root = match source::read(&sources, file) {
        Ok(root) => root,
        Err(found) if is_in_pack => {
            // They are told of with the pack; what can be read of the rest is not.
            drop(found);
            return (Vec::new(), sources);
        }
        Err(found) => return (found, sources),
    };
    let mut found = match document.kind {
        DocumentKind::Facts => desk.packs.check_facts(file, &root),
        _ if is_in_pack => Vec::new(),
        kind => schema(kind, &root),
    };
    match document.kind {
        DocumentKind::Rule | DocumentKind::Action => {
            found.extend(desk.watch(document, &root, &sources, None).1);
        }
        DocumentKind::Case if found.is_empty() => {
            found.extend(of_case(desk, document, &root, &mut sources));
        }
        DocumentKind::Config if found.is_empty() => found.extend(of_config(desk, document, &root)),
        _ => {}
    }
    (found, sources)
}

fn schema(kind: DocumentKind, root: &Node) -> Vec<Diagnostic> {
    match kind.schema().map(load::schema) {
        Some(Ok(schema)) => schema.check(root),
        Some(Err(problem)) => vec![problem],
        None => Vec::new(),
    }
}

/// A case: what its schema cannot say, and whether its rules and their parameters exist.
fn of_case(
    desk: &Desk,
    document: &Document<'_>,
    root: &Node,
    sources: &mut Sources,
) -> Vec<Diagnostic> {
    let case = match case::read(root, document.folder()) {
        Ok(case) => case,
        Err(found) => return found,
    };
    let place =
        root.get("rule").or_else(|| root.get("title")).map_or(root.place, |node| node.place);
    for id in case.rules() {
        let mut names = desk.packs.files().iter().flat_map(PackFiles::rules);
        if !names.any(|(stem, _)| stem == id) {
            let message = format!("there is no rule `{id}` that the case could be about");
            let problem = Diagnostic::error("unknown-rule", message).at(place);
            let problem = problem.suggest(id, desk.set.rules.iter().map(|rule| &*rule.id));
            return vec![
                problem.help("a case is about the rule that its folder is named after, or `rule`"),
            ];
        }
    }
    let found = unknown_params(desk, &case.params);
    if !found.is_empty() {
        return found;
    }
    of_case::problems(desk, document, root, &case, sources)
}

/// A configuration: whether the rules and parameters that it names exist.
fn of_config(desk: &Desk, document: &Document<'_>, root: &Node) -> Vec<Diagnostic> {
    let folder = Path::new(document.path).parent().unwrap_or(Path::new(""));
    let mut found = load::missing_folders(root, folder);
    if !found.is_empty() {
        // What is named beside may be in there.
        return found;
    }
    for key in ["only", "skip"] {
        for node in root.get(key).and_then(Node::as_list).unwrap_or_default() {
            let Some(word) = node.as_str() else { continue };
            let rules = &desk.set.rules;
            let is_known = match word.strip_prefix("tag:") {
                Some(tag) => rules.iter().any(|rule| rule.tags.iter().any(|known| **known == *tag)),
                None => desk.set.rule(word).is_some(),
            };
            if !is_known && desk.problems.is_empty() {
                let message = format!("there is no rule or tag `{word}`");
                let problem = Diagnostic::error("unknown-rule", message).at(node.place);
                found.push(problem.suggest(word, rules.iter().map(|rule| &*rule.id)));
            }
        }
    }
    let mut params = Vec::new();
    for rule in root.get("params").and_then(Node::as_map).unwrap_or_default() {
        for param in rule.node.as_map().unwrap_or_default() {
            let (of, name) = (rule.key.to_string(), param.key.to_string());
            let (key_place, value) = (param.key_place, param.node.clone());
            params.push(Override { of, param: name, key_place, value });
        }
    }
    found.extend(unknown_params(desk, &params));
    found
}

fn unknown_params(desk: &Desk, params: &[Override]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for set in params {
        let rule = desk.set.rule(&set.of).map(|rule| &*rule.params);
        let action = desk.set.actions.iter().find(|action| *action.id == *set.of);
        let Some(known) = rule.or(action.map(|action| &*action.params)) else { continue };
        if !known.iter().any(|param| *param.name == *set.param) {
            let message = format!("`{}` has no parameter `{}`", set.of, set.param);
            let problem = Diagnostic::error("unknown-parameter", message).at(set.key_place);
            found.push(problem.suggest(&set.param, known.iter().map(|param| &*param.name)));
        }
    }
    found
}
