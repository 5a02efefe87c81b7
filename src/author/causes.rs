//! The page of causes: what can go wrong, which rules look for it, and what none can see.

use std::fmt::Write;

use crate::finding::Reference;
use crate::rule::Rule;
use crate::rule::pack::{Cause, RuleSet};

/// The causes of all packs as a Markdown page.
#[must_use]
pub fn page(set: &RuleSet) -> String {
    let mut text = String::from(
        "# Causes\n\nWhat can go wrong, which rules look for it, and what no rule can see. \
         Made from the pack with\n`dpmguard rules causes`; change the rules, not this page.\n",
    );
    let causes: Vec<&Cause> = set.packs.iter().flat_map(|pack| &pack.causes).collect();
    for cause in &causes {
        let all = || set.rules.iter().map(AsRef::as_ref);
        let is_its = |rule: &&Rule| rule.cause.as_ref().is_some_and(|(id, _)| *id == cause.id);
        section(&cause.title, &all().filter(is_its).collect::<Vec<_>>(), set, &mut text);
        for (number, known) in cause.unobservable.iter().enumerate() {
            if number == 0 {
                text.push_str("\nNo rule looks at:\n\n");
            }
            // Writing to a string cannot fail, here and below.
            let _ =
                writeln!(text, "- {} *Not judged:* {} ({})", known.says, known.why, known.source);
        }
    }
    let rest = set.rules.iter().map(AsRef::as_ref).filter(|rule: &&Rule| rule.cause.is_none());
    let rest: Vec<&Rule> = rest.collect();
    if !rest.is_empty() {
        section("Other rules", &rest, set, &mut text);
    }
    text
}

fn section(title: &str, rules: &[&Rule], set: &RuleSet, text: &mut String) {
    let _ = write!(text, "\n## {title}\n");
    if rules.is_empty() {
        return;
    }
    text.push_str("\n| Rule | Looks for | Severity | Certainty | Ids | What to do | Sources |\n");
    text.push_str("|---|---|---|---|---|---|---|\n");
    for rule in rules {
        let ids: Vec<&str> =
            rule.metadata.iter().flat_map(|(_, _, values)| values).map(String::as_str).collect();
        let sources: Vec<String> = rule.references.iter().map(link).collect();
        let cells = [
            format!("`{}`", rule.id),
            rule.title.clone(),
            rule.severity.name().to_owned(),
            rule.certainty.clone(),
            ids.join(", "),
            steps(rule, set).join("; "),
            sources.join("; "),
        ];
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
}

/// Titles of the actions that the rule asks for, each once, in its order.
#[must_use]
pub fn steps(rule: &Rule, set: &RuleSet) -> Vec<String> {
    let mut titles: Vec<String> = Vec::new();
    for action in rule.remediation.iter().filter_map(|step| set.actions.get(step.action)) {
        if !titles.contains(&action.title) {
            titles.push(action.title.clone());
        }
    }
    titles
}

fn link(reference: &Reference) -> String {
    match &reference.url {
        Some(url) => format!("[{}]({url})", reference.title),
        None => reference.title.clone(),
    }
}
