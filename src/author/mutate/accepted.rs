//! Mutants that a pack accepts, each with its reason: `cases/<rule>/mutants.yaml`.

use std::path::PathBuf;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::load;
use crate::rule::pack::RuleSet;
use crate::source::{Node, Sources};

/// A mutant that no case kills, and why that is right.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The rule.
    pub rule: Arc<str>,
    /// The mutant's id.
    pub mutant: String,
    /// The change that it makes, as the report says it.
    pub change: String,
    /// Why no case can tell it from the rule.
    pub reason: String,
    /// Where that is written.
    pub place: Place,
}

/// Reads the lists of accepted mutants in the folders of packs.
///
/// # Errors
///
/// What is wrong with them, and rules that do not exist.
pub fn read(
    folders: &[PathBuf],
    set: &RuleSet,
    sources: &mut Sources,
) -> Result<Vec<Accepted>, Vec<Diagnostic>> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    let schema = load::schema("mutants-v1").map_err(|problem| vec![problem])?;
    for folder in folders {
        for file in load::cases::cases(folder, sources)?.cases {
            // Files that cannot be read are told of where the cases are.
            let Ok(root) = file.root else { continue };
            if root.get("schema").and_then(Node::as_str) != Some("dpmguard.mutants/v1") {
                continue;
            }
            let found = schema.check(&root);
            if !found.is_empty() {
                problems.extend(found);
                continue;
            }
            let text = |node: &Node, key: &str| {
                node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned()
            };
            let rule: Arc<str> = text(&root, "rule").into();
            if set.rule(&rule).is_none() {
                let place = root.get("rule").map_or(root.place, |node| node.place);
                let problem =
                    Diagnostic::error("unknown-rule", format!("there is no rule `{rule}`"));
                let names = set.rules.iter().map(|known| &*known.id);
                problems.push(problem.at(place).suggest(&rule, names));
            }
            for node in root.get("accept").and_then(Node::as_list).unwrap_or_default() {
                all.push(Accepted {
                    rule: rule.clone(),
                    mutant: text(node, "mutant"),
                    change: text(node, "change"),
                    reason: text(node, "reason"),
                    place: node.place,
                });
            }
        }
    }
    if problems.is_empty() { Ok(all) } else { Err(problems) }
}
