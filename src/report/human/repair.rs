//! What to do about all findings, in order.

use anstyle::Style;

use crate::facts::time::say_duration;
use crate::finding::{Evaluation, RepairStep, Severity, Subject, Takes};
use crate::report::Run;
use crate::report::diagnostic::clean;
use crate::report::human::{Page, object, plural, severity_style, state, steps};

/// What to do about all findings, each step once, below the object at which it is done.
pub(super) fn repair(run: &Run<'_>, page: &mut Page) {
    let evaluation = run.evaluation;
    if evaluation.repair.is_empty() {
        return;
    }
    page.line("");
    let title = page.paint("What to do", Style::new().bold());
    page.line(&format!("{title}  in this order; a check before its causes are repaired is wasted"));
    let mut place: Option<&Option<Subject>> = None;
    for (position, known) in evaluation.repair.iter().enumerate() {
        if place != Some(&known.step.at) {
            place = Some(&known.step.at);
            page.line("");
            match &known.step.at {
                Some(at) => object(at, &state(evaluation, at), page),
                None => page.line("(where, is not known)"),
            }
        }
        show_step(position + 1, known, evaluation, page);
    }
}

fn show_step(number: usize, known: &RepairStep, evaluation: &Evaluation, page: &mut Page) {
    let step = &known.step;
    let first = format!("{number:>3}. ");
    let indent = first.chars().count();
    let blank = " ".repeat(indent);
    for (line, text) in step.text.lines().enumerate() {
        page.paragraph(if line == 0 { &first } else { &blank }, indent, text);
    }
    for reason in &known.withheld {
        let not_now = page.paint("not now", severity_style(Severity::Warning));
        page.paragraph(&format!("{blank}{not_now}  "), indent + 9, reason);
    }
    if let Some(facts) = &step.unsure {
        page.paragraph(
            &blank,
            indent,
            &format!("(whether it is needed depends on what is not known: {facts})"),
        );
    }
    if !known.after.is_empty() {
        let after: Vec<usize> = known.after.iter().map(|position| position + 1).collect();
        page.paragraph(&format!("{blank}after  "), indent + 7, &steps(&after));
    }
    match &step.takes {
        Some(Ok(takes)) => {
            page.paragraph(&format!("{blank}takes  "), indent + 7, &say_takes(takes));
        }
        Some(Err(facts)) => {
            let text = format!("how long is not known; it depends on: {facts}");
            page.paragraph(&format!("{blank}takes  "), indent + 7, &text);
        }
        None => {}
    }
    if !known.undecided.is_empty() {
        let text = format!(
            "{} that would spoil it {} undecided for lack of facts (see below)",
            plural(known.undecided.len(), "cause"),
            if known.undecided.len() == 1 { "is" } else { "are" }
        );
        page.paragraph(&format!("{blank}open   "), indent + 7, &text);
    }
    let rules = evaluation.rules_of(known);
    let worst = rules.iter().map(|rule| rule.severity).max().unwrap_or(Severity::Note);
    let rules: Vec<&str> = rules.iter().map(|rule| &*rule.id).collect();
    let word = page.paint(worst.name(), severity_style(worst));
    page.paragraph(&format!("{blank}for    {word}  "), indent + 7, &rules.join(", "));
    for (product, line) in &step.commands {
        page.paragraph(&blank, indent, &format!("{product}:"));
        // A command must be copied whole: it is not wrapped.
        for line in line.lines() {
            page.line(&format!("{blank}  {}", clean(line)));
        }
    }
}

fn say_takes(takes: &Takes) -> String {
    let Takes { best, expected, worst, because } = takes;
    let (best, expected, worst) =
        (say_duration(*best), say_duration(*expected), say_duration(*worst));
    if best == worst {
        format!("about {expected}: {because}")
    } else {
        format!("about {expected} ({best} to {worst}): {because}")
    }
}
