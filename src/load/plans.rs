//! Plan files.

use std::io::Read;
use std::path::Path;

use crate::diagnostic::{Diagnostic, FileId};
use crate::load::facts::add;
use crate::load::schema;
use crate::source::{self, Node, Sources};

const PLAN: &str = "dpmguard.plan/v1";

/// Reads a plan file and checks it against its schema; `-` is standard input.
///
/// # Errors
///
/// Why it cannot be read, or all that its schema has against it.
pub fn plan(
    path: &Path,
    stdin: &mut dyn Read,
    sources: &mut Sources,
) -> Result<Node, Vec<Diagnostic>> {
    let file = add(path, stdin, sources).map_err(|problem| vec![problem])?;
    checked(file, sources)
}

/// As [`plan`], of a text that stands in no file yet.
///
/// # Errors
///
/// As [`plan`].
pub fn plan_text(name: &str, text: &str, sources: &mut Sources) -> Result<Node, Vec<Diagnostic>> {
    let file = sources.add(name, text.as_bytes()).map_err(|problem| vec![problem])?;
    checked(file, sources)
}

fn checked(file: FileId, sources: &Sources) -> Result<Node, Vec<Diagnostic>> {
    let root = source::read(sources, file)
        .map_err(|found| found.into_iter().map(in_full).collect::<Vec<_>>())?;
    if root.as_map().is_some() {
        is_plan(&root).map_err(|problem| vec![problem])?;
    }
    let found = schema("plan-v1").map_err(|problem| vec![problem])?.check(&root);
    if found.is_empty() { Ok(root) } else { Err(found) }
}

/// A clock time is not only quoted: in a plan it has a day and a zone.
fn in_full(mut problem: Diagnostic) -> Diagnostic {
    if problem.code == "ambiguous-scalar" && problem.message.contains("base 60") {
        let help = "write a time of a plan in full and in quotes, with day and zone: \
            `\"2008-11-15T22:00[Europe/Berlin]\"`";
        problem.help = vec![help.to_owned()];
    }
    problem
}

/// Another document would be complained of key by key.
fn is_plan(root: &Node) -> Result<(), Diagnostic> {
    let first = root.as_map().and_then(<[_]>::first).map_or(root.place, |entry| entry.key_place);
    let Some(said) = root.get("schema") else {
        let problem = Diagnostic::error("not-a-plan", "this file does not say what it is");
        return Err(problem.at(first).help(format!("a plan begins with `schema: {PLAN}`")));
    };
    // A name that is no text the schema has the words for.
    let Some(other) = said.as_str().filter(|said| *said != PLAN) else { return Ok(()) };
    let message = format!("this is not a plan: it says `schema: {other}`");
    Err(Diagnostic::error("not-a-plan", message).at(said.place).suggest(other, [PLAN]))
}

const REPORT: &str = "dpmguard.plan-report/v1";

/// Reads a report on a plan, written as JSON; `-` is standard input.
///
/// # Errors
///
/// Why it cannot be read, or that it is no such report.
pub fn plan_report(
    path: &Path,
    stdin: &mut dyn Read,
    sources: &mut Sources,
) -> Result<Node, Vec<Diagnostic>> {
    let file = add(path, stdin, sources).map_err(|problem| vec![problem])?;
    let root = source::read(sources, file)?;
    let said = root.get("schema");
    if said.and_then(Node::as_str) == Some(REPORT) {
        // What was changed by hand is no report of ours.
        let known = schema("plan-report-v1").map_err(|problem| vec![problem])?;
        let found = known.check(&root);
        return if found.is_empty() { Ok(root) } else { Err(found) };
    }
    let message = match said.and_then(Node::as_str) {
        Some(other) => format!("this is no report on a plan: it says `schema: {other}`"),
        None => "this is no report on a plan: it does not say what it is".to_owned(),
    };
    let place = said.map_or(root.place, |said| said.place);
    let problem = Diagnostic::error("not-a-plan-report", message).at(place);
    Err(vec![problem.help("`dpmguard plan check PLAN --facts FACTS -o json=FILE` writes one")])
}
