//! A remedy as a plan file, with comments that say what each step is for and what the plan leaves.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::finding::{Argument, Step};
use crate::plan::remedy::{Aside, Fate, Known, Planned, Remedy, Why};
use crate::plan::time::Clock;
use crate::source::{flow_text, scalar_text};

/// Longest line of a comment.
const WIDTH: usize = 110;

/// What stands before a step.
const STEP: &str = "  ";

/// Most objects that are named behind a rule.
const MOST: usize = 6;

/// The text of a plan file that `plan::file` reads back to the remedy's plan.
#[must_use]
pub fn write(remedy: &Remedy, clock: &Clock) -> String {
    let mut text = String::new();
    head(remedy, &mut text);
    let plan = &remedy.plan;
    let window = &plan.window;
    text.push_str("schema: dpmguard.plan/v1\n");
    line(&mut text, &format!("id: {}", scalar_text(&format!("{}-{}", plan.id, clock.date(0)))));
    line(&mut text, &format!("title: {}", scalar_text(&plan.title)));
    text.push_str("window:\n");
    line(&mut text, &format!("  start: \"{}\"", clock.written(0)));
    line(&mut text, &format!("  end: \"{}\"", clock.written(window.end)));
    if plan.goal.is_all && plan.goal.except.is_empty() {
        text.push_str("goal:\n  end_consistent: all\n");
    }
    if let Some((_, reason)) = plan.goal.except.first() {
        let keys: Vec<String> = plan.goal.except.iter().map(|(key, _)| scalar_text(key)).collect();
        text.push_str("goal:\n  end_consistent:\n");
        line(&mut text, &format!("    except: [{}]", keys.join(", ")));
        line(&mut text, &format!("    reason: {}", scalar_text(reason)));
    }
    if remedy.steps.is_empty() {
        text.push_str("steps: []\n");
        return text;
    }
    text.push_str("steps:\n");
    for (number, planned) in remedy.steps.iter().enumerate() {
        step(remedy, number, planned, &mut text);
    }
    text
}

fn line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

fn head(remedy: &Remedy, text: &mut String) {
    let old = remedy.findings.iter().filter(|finding| finding.is_asked()).count();
    let opening = format!(
        "Made by `dpmguard remediate` for {}. A proposal: read it before anybody follows it, and let `dpmguard plan \
         check` judge it again when it was changed.",
        count(old, "finding")
    );
    comment(text, "", &opening);
    let needed: Vec<&Known> = remedy.findings.iter().filter(|one| one.is_needed).collect();
    if !needed.is_empty() {
        text.push_str("#\n");
        comment(text, "", "Repaired beside them, because a check would be wasted otherwise:");
        for finding in needed {
            left(finding, text);
        }
    }
    let titles = [
        "To be done by hand, before the steps; that it is done is taken for granted:",
        "Left out, because facts are missing that decide on it:",
        "Left out, because it cannot be done as things are then:",
    ];
    for (number, title) in titles.into_iter().enumerate() {
        let asides: Vec<&Aside> =
            remedy.asides.iter().filter(|one| group(&one.why) == number).collect();
        if asides.is_empty() {
            continue;
        }
        text.push_str("#\n");
        comment(text, "", title);
        for one in asides {
            aside(remedy, one, text);
        }
    }
    let groups = [
        (Fate::Stays, "Findings that are NOT cleared by this plan:"),
        (Fate::Unknown, "Findings of which nobody can say whether this plan clears them:"),
    ];
    for (fate, title) in groups {
        let of = |one: &&Known| one.fate == fate;
        let findings: Vec<&Known> = remedy.findings.iter().filter(of).collect();
        if findings.is_empty() {
            continue;
        }
        text.push_str("#\n");
        comment(text, "", title);
        for finding in findings {
            left(finding, text);
        }
    }
    text.push('\n');
}

/// Under which title a step is listed.
fn group(why: &Why) -> usize {
    match why {
        Why::ByHand(_) => 0,
        Why::Unknown(_) => 1,
        Why::Refused(_) | Why::Wasted(_) | Why::TooMany => 2,
    }
}

fn left(finding: &Known, text: &mut String) {
    let Known { rule, severity, subject, message, is_old, .. } = finding;
    let since = if *is_old { "" } else { ", which comes up on the way" };
    let said = format!("{rule} ({severity}{since}), {}: {}", subject.key, one_line(message));
    item(text, &said);
    if let Some(reason) = &finding.manual {
        comment(text, "    ", &one_line(reason));
    }
}

fn aside(remedy: &Remedy, aside: &Aside, text: &mut String) {
    let Aside { step, purposes, why } = aside;
    item(text, &format!("{}: {}", title(step), one_line(&step.text)));
    comment(text, "    ", &format!("for {}", said(remedy, purposes)));
    comment(text, "    ", &one_line(&why.said()));
}

impl Why {
    /// The reason in words.
    #[must_use]
    pub fn said(&self) -> String {
        match self {
            Self::ByHand(reason) => reason.clone(),
            Self::Unknown(facts) => format!("it hangs on: {facts}"),
            Self::Refused(reasons) => reasons.join(" "),
            Self::Wasted(rules) => {
                format!("a check would be wasted: not repaired is {}", rules.join(", "))
            }
            Self::TooMany => "the plan has as many steps as a plan may have".to_owned(),
        }
    }
}

/// Action and place.
fn title(step: &Step) -> String {
    match &step.at {
        Some(at) => format!("{} {}", step.action, at.key),
        None => step.action.to_string(),
    }
}

fn step(remedy: &Remedy, number: usize, planned: &Planned, text: &mut String) {
    let purpose = if planned.purposes.is_empty() {
        "for what this plan itself makes bad".to_owned()
    } else {
        said(remedy, &planned.purposes)
    };
    comment(text, STEP, &purpose);
    line(text, &format!("  - id: s{}", number + 1));
    line(text, &format!("    action: {}", planned.step.action));
    line(text, &format!("    with: {}", flow_text(&with(&planned.step))));
    let after = remedy.plan.steps.get(number).map(|step| step.after.as_slice()).unwrap_or_default();
    if !after.is_empty() {
        let ids: Vec<String> = after.iter().map(|position| format!("s{}", position + 1)).collect();
        line(text, &format!("    after: [{}]", ids.join(", ")));
    }
}

/// The arguments by name.
fn with(step: &Step) -> Json {
    let value = |argument: &Argument| match argument {
        Argument::Object(subject) => Json::from(&*subject.key),
        Argument::Value(value) => value.clone(),
        // Such a step is not in the plan.
        Argument::Unknown(_) => Json::Null,
    };
    let pairs = step.with.iter().map(|(name, argument)| (name.to_string(), value(argument)));
    Json::Object(pairs.collect::<Map<_, _>>())
}

/// Findings in few words: each rule once, with its objects.
fn said(remedy: &Remedy, purposes: &[usize]) -> String {
    let mut by_rule: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for finding in purposes.iter().filter_map(|position| remedy.findings.get(*position)) {
        let objects = by_rule.entry(&finding.rule).or_default();
        if !objects.contains(&&*finding.subject.key) {
            objects.push(&finding.subject.key);
        }
    }
    let rules = by_rule.into_iter().map(|(rule, objects)| {
        let shown = objects.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
        match objects.len().saturating_sub(MOST) {
            0 => format!("{rule} ({shown})"),
            more => format!("{rule} ({shown} and {more} more)"),
        }
    });
    rules.collect::<Vec<_>>().join("; ")
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Text without line breaks: what stands behind one would be no comment any more.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A comment that begins an item of a list.
fn item(text: &mut String, said: &str) {
    wrapped(text, ["#   - ", "#     "], said);
}

/// A comment of as many lines as it needs, in the steps or at the head.
fn comment(text: &mut String, indent: &str, said: &str) {
    let before = if indent == STEP { format!("{STEP}# ") } else { format!("# {indent}") };
    wrapped(text, [&before, &before], said);
}

/// A text in lines, behind one text in the first and another in those that follow.
fn wrapped(text: &mut String, [first, next]: [&str; 2], said: &str) {
    let mut before = first;
    let mut current = String::new();
    for word in said.split(' ') {
        let length = before.len() + current.chars().count() + 1 + word.chars().count();
        if length > WIDTH && !current.is_empty() {
            line(text, &format!("{before}{current}"));
            current.clear();
            before = next;
        }
        if !current.is_empty() {
            current.push(' ');
        }
        current.push_str(word);
    }
    line(text, &format!("{before}{current}"));
}
