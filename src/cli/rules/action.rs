//! `dpmguard rules actions ID`: what an action is, what it needs and what it does to the facts.

use std::io::{self, Write};

use super::{label, paragraph, show_params, show_references, words};
use crate::author::docs::text::filled;
use crate::facts::model::Model;
use crate::report::diagnostic::clean;
use crate::rule::Command;
use crate::rule::action::Action;
use crate::source::Node;

/// An expression that is longer is not shown within a line: the page of the action has it.
const SHORT: usize = 60;

pub(super) fn show(action: &Action, model: &Model, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}\n  {}\n\n  role       {}\n", action.id, action.title, action.role.name())?;
    for text in filled(&action.words) {
        paragraph(out, &words::readable(&text))?;
    }
    for Command { product, written, .. } in &action.commands {
        writeln!(out, "  {product}:\n    {}", clean(&words::readable(written)))?;
    }
    writeln!(out, "\nParameters, given under `with` by a step of a plan or by a rule")?;
    for (position, arg) in action.args.iter().enumerate() {
        let at = if position == action.at { ", where it is done" } else { "" };
        writeln!(out, "  {}: {}{at}", arg.name, model.say(&arg.ty))?;
        let help = action.root.get("params").and_then(|params| params.get(&arg.name)?.get("help"));
        if let Some(help) = help.and_then(Node::as_str) {
            paragraph(out, &format!("  {help}"))?;
        }
    }
    show_params("Settings", &action.params, out)?;
    course(&action.root, out)?;
    show_references(&action.references, out)
}

/// What a planner has to know: conditions, changes, time, locks, and the way back.
fn course(root: &Node, out: &mut dyn Write) -> io::Result<()> {
    let conditions = items(root, "requires").iter().filter_map(|one| one.get("else")?.as_str());
    let conditions: Vec<String> = conditions.map(words::readable).collect();
    list("A plan refuses the step where it finds", &conditions, out)?;
    let effects: Vec<String> = items(root, "effects").iter().map(effect).collect();
    list("What it does to the facts", &effects, out)?;
    if let Some(manual) = root.get("manual").and_then(Node::as_str) {
        writeln!(out, "\nWhy nothing that facts show is changed by it")?;
        paragraph(out, manual)?;
    }
    let automatic = items(root, "automatic").iter().filter_map(|one| one.get("title")?.as_str());
    let automatic: Vec<String> = automatic.map(str::to_owned).collect();
    list("It also happens by itself", &automatic, out)?;
    if let Some(duration) = root.get("duration") {
        writeln!(out, "\nHow long it takes, in seconds, where the step gives no `estimate`")?;
        for key in ["best", "expected", "worst"] {
            if let Some(value) = duration.get(key) {
                label(out, key, &written(value))?;
            }
        }
        if let Some(because) = duration.get("because").and_then(Node::as_str) {
            label(out, "because", &words::readable(because))?;
        }
    }
    writeln!(out, "\nBeside other steps")?;
    let names = |key: &str| items(root, key).iter().map(written).collect::<Vec<_>>().join(", ");
    for (key, said) in [("locks", "locks"), ("uses", "waits for the locks of")] {
        let names = names(key);
        if !names.is_empty() {
            paragraph(out, &format!("{said} {names}"))?;
        }
    }
    let is_check = root.get("role").and_then(Node::as_str) == Some("check");
    let lane = root.get("lane").and_then(Node::as_str);
    let needs = lane.map_or(!is_check, |lane| lane == "operator");
    paragraph(
        out,
        if needs { "takes an operator all the time" } else { "runs by itself once begun" },
    )?;
    for (key, title) in [("done_when", "done already where"), ("undo", "taken back by")] {
        if let Some(node) = root.get(key) {
            let said = node.get("action").unwrap_or(node);
            paragraph(out, &format!("{title} {}", written(said)))?;
        }
    }
    Ok(())
}

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).and_then(Node::as_list).unwrap_or_default()
}

/// A title and below it the lines, if there are any.
fn list(title: &str, lines: &[String], out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    lines.iter().try_for_each(|line| paragraph(out, &format!("- {line}")))
}

/// An expression as it is written, on one line.
fn written(node: &Node) -> String {
    let text = node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A change of facts in words.
fn effect(node: &Node) -> String {
    let text = |key: &str| node.get(key).map(written);
    let short = |key: &str| text(key).filter(|text| text.len() <= SHORT);
    let mut said = String::new();
    for (key, verb) in [
        ("set", " is set"),
        ("forget", " is no longer known"),
        ("fill", " is made anew"),
        ("append", " gets one more"),
        ("remove", " is gone"),
    ] {
        if let Some(fact) = text(key) {
            said = format!("{fact}{verb}");
        }
    }
    if let Some(kind) = text("add") {
        said = format!("there is a new {}", kind.replace('_', " "));
    }
    if let Some(to) = short("to") {
        said = format!("{said} to {}", if to == "()" { "null" } else { &to });
    }
    if let Some(each) = text("each") {
        let of = short("in").map(|of| format!(" of {of}")).unwrap_or_default();
        said = format!("{said}, for each {each}{of}");
    }
    if node.get("when").is_some() {
        let when =
            short("when").map_or("under a condition".to_owned(), |when| format!("where {when}"));
        said = format!("{said}, {when}");
    }
    let is_first = node.get("at").and_then(Node::as_str) == Some("start");
    let perhaps =
        if node.get("how").and_then(Node::as_str) == Some("may") { ", perhaps" } else { "" };
    format!("{}{perhaps}: {said}", if is_first { "at the begin" } else { "at the end" })
}
