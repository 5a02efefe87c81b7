//! An explanation for a person at a terminal.

use std::io;

use anstyle::{AnsiColor, Style};

use crate::report::diagnostic::clean;
use crate::report::explain::{
    Candidates, Change, Clause, Counterfactuals, Decision, Explanation, FactX, FindingX, LeftOut,
    MissingX, PlaceX, TraceX, ValueX, VerdictX,
};
use crate::report::human::{Page, plural};

/// Most candidates shown that did not fit.
const MOST: usize = 5;
/// Most comparisons shown that have the same text.
const ALIKE: usize = 3;
/// Columns before what is said of a clause.
const INDENT: usize = 15;

/// Writes an explanation.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(explanation: &Explanation, colour: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(colour);
    if explanation.now.is_none() {
        rule(explanation, &mut page);
    } else if explanation.explained.is_empty() && explanation.left_out.is_none() {
        table(explanation, &mut page);
    }
    for (number, verdict) in explanation.explained.iter().enumerate() {
        if number > 0 {
            page.line("");
        }
        show(verdict, explanation, &mut page);
    }
    if let Some(left_out) = &explanation.left_out {
        fell(left_out, &mut page);
    }
    out.write_all(page.text.as_bytes())
}

fn bold(page: &Page, text: &str) -> String {
    page.paint(&clean(text), Style::new().bold())
}

fn title(text: &str, page: &mut Page) {
    let text = bold(page, text);
    page.line("");
    page.line(&text);
}

fn place(place: &PlaceX, indent: usize, page: &mut Page) {
    let text = clean(&format!("{}:{}:{}", place.file, place.line, place.column));
    let text = page.paint(&text, Style::new().dimmed());
    page.line(&format!("{}{text}", " ".repeat(indent)));
}

/// The rule alone, in words.
fn rule(explanation: &Explanation, page: &mut Page) {
    let rule = &explanation.rule;
    let id = bold(page, &rule.id);
    page.line(&id);
    page.paragraph("  ", 2, &format!("{} ({}, {}).", rule.title, rule.severity, rule.certainty));
    place(&rule.place, 2, page);
    title("Clause by clause", page);
    for words in &explanation.words {
        labelled(&words.clause, &words.says, page);
        place(&words.place, INDENT, page);
    }
    if explanation.reads.is_empty() {
        return;
    }
    title("Facts that it reads", page);
    for field in &explanation.reads {
        let source = field.source.as_ref().map(|source| format!(" (from {source})"));
        let line = format!("{}: {}{}", field.field, field.description, source.unwrap_or_default());
        page.paragraph("  ", 4, &line);
    }
}

/// All verdicts, a line each.
fn table(explanation: &Explanation, page: &mut Page) {
    let id = bold(page, &explanation.rule.id);
    page.line(&format!("{id}  {}", clean(&explanation.rule.title)));
    page.line("");
    let rows = &explanation.verdicts;
    let key = |key: &str| if key.is_empty() { "(not collected)".to_owned() } else { clean(key) };
    let width = rows.iter().map(|row| key(&row.subject.key).chars().count()).max().unwrap_or(0);
    let digits = rows.len().to_string().len();
    for row in rows {
        let outcome = format!("{:<14}", row.outcome.replace('_', " "));
        let outcome = page.paint(&outcome, style(row.outcome));
        let line = format!(
            "{:>digits$}  {outcome}  {:<width$}  {}",
            row.number,
            key(&row.subject.key),
            row.decided_by
        );
        page.line(&line);
    }
    page.line("");
    let id = &explanation.rule.id;
    page.paragraph(
        "",
        0,
        &format!(
            "One of them in full: `dpmguard explain {id} SUBJECT --facts ...`, or `--nth NUMBER`."
        ),
    );
}

fn style(outcome: &str) -> Style {
    let colour = match outcome {
        "violated" | "false" => AnsiColor::Red,
        "satisfied" | "true" => AnsiColor::Green,
        "undecided" => AnsiColor::Yellow,
        _ => AnsiColor::Cyan,
    };
    Style::new().fg_color(Some(colour.into()))
}

fn show(verdict: &VerdictX, explanation: &Explanation, page: &mut Page) {
    page.paragraph("", 0, &verdict.sentence);
    let all = explanation.verdicts.len();
    let same = verdict.same_as.map(|number| {
        format!("; the same as verdict {number}, reached another way (a report has it once)")
    });
    let line =
        format!("Verdict {} of {all} of this rule{}.", verdict.number, same.unwrap_or_default());
    page.paragraph("", 0, &line);
    title("How it came about", page);
    clauses(&verdict.clauses, page);
    if let Some(see) = &verdict.see {
        page.line("");
        page.paragraph("", 0, &format!("This case is judged by the rule {see}."));
    }
    if let Some(found) = &verdict.finding {
        finding(found, page);
    }
    if !verdict.missing.is_empty() {
        missing(&verdict.missing, page);
    }
    if let Some(found) = &verdict.counterfactuals {
        counterfactuals(found, page);
    }
}

fn fell(left_out: &LeftOut, page: &mut Page) {
    page.paragraph("", 0, &left_out.sentence);
    if let Some(at) = &left_out.place {
        place(at, 0, page);
    }
    if !left_out.clauses.is_empty() {
        title("How far it came", page);
        clauses(&left_out.clauses, page);
    }
    if let Some(found) = &left_out.counterfactuals {
        counterfactuals(found, page);
    }
}

fn clauses(all: &[Clause], page: &mut Page) {
    for clause in all {
        show_clause(clause, page);
    }
}

fn show_clause(clause: &Clause, page: &mut Page) {
    let label = match clause.kind {
        "where" => "  where".to_owned(),
        _ => clause.name.clone(),
    };
    let mark = match (clause.reached, clause.result) {
        (false, _) => "not reached",
        (true, Some(result)) => result,
        (true, None) => "",
    };
    labelled(&label, &clause.text, page);
    let at = clean(&format!("{}:{}:{}", clause.place.file, clause.place.line, clause.place.column));
    let at = page.paint(&at, Style::new().dimmed());
    let mark = match (mark, clause.reached) {
        ("", _) => String::new(),
        (mark, false) => format!("{}  ", page.paint(mark, Style::new().dimmed())),
        (mark, true) => format!("{}  ", page.paint(mark, style(mark))),
    };
    page.line(&format!("{}{mark}{at}", " ".repeat(INDENT)));
    if let Some(chosen) = &clause.candidates {
        candidates(chosen, page);
    }
    if let Some(found) = clause.value.as_ref().filter(|_| clause.reached) {
        match clause.kind {
            "let" => value(found, false, INDENT, page),
            _ => bound(found, page),
        }
    }
    decisions(&clause.decided_by, &clause.text, page);
    if let Some(taken) = &clause.otherwise {
        let see = taken.see.as_ref().map(|see| format!(" (see {see})")).unwrap_or_default();
        let because = taken.because.as_deref().unwrap_or_default();
        let outcome = taken.outcome.replace('_', " ");
        let line = format!("{}: {outcome}. {because}{see}", taken.clause);
        page.paragraph(&" ".repeat(INDENT), INDENT + 2, &line);
    }
    if let Some(whole) = &clause.trace {
        trace(whole, INDENT, page);
    }
}

/// A text beside its label, or below it where the label is long.
fn labelled(label: &str, text: &str, page: &mut Page) {
    let first = format!("  {label:<12} ");
    if first.chars().count() > INDENT {
        page.line(first.trim_end());
        page.paragraph(&" ".repeat(INDENT), INDENT, text);
    } else {
        page.paragraph(&first, INDENT, text);
    }
}

fn candidates(chosen: &Candidates, page: &mut Page) {
    let fitting = match chosen.fitting {
        Some(count) => format!(", {count} fitted"),
        None => String::new(),
    };
    let line = format!("{}{fitting}", plural(chosen.count, "candidate"));
    page.paragraph(&" ".repeat(INDENT), INDENT, &line);
    for one in chosen.rejected.iter().take(MOST) {
        let why: Vec<String> = one.decided_by.iter().map(in_short).collect();
        page.paragraph(
            &" ".repeat(INDENT),
            INDENT + 4,
            &format!("not {}: {}", one.value, why.join(", ")),
        );
    }
    let more = chosen.rejected.len().saturating_sub(MOST);
    if more > 0 {
        page.paragraph(
            &" ".repeat(INDENT),
            INDENT,
            &format!("and {more} more (all are in the JSON)"),
        );
    }
}

/// `source.kind in [...] is false (source.kind = x)`.
fn in_short(one: &Decision) -> String {
    let values = one.operands.iter().filter(|operand| !operand.is_literal);
    let values =
        values.map(|operand| format!("{} = {}", operand.text, shown(operand.value.as_ref())));
    let values: Vec<String> =
        values.filter(|value| !value.starts_with(&format!("{} =", one.text))).collect();
    let values =
        if values.is_empty() { String::new() } else { format!(" ({})", values.join(", ")) };
    format!("{} is {}{values}", one.text, one.result)
}

fn shown(value: Option<&String>) -> &str {
    value.map_or("not known", String::as_str)
}

/// What decided; of many members of a list the first ones.
fn decisions(all: &[Decision], whole: &str, page: &mut Page) {
    let mut rest = all;
    while let Some(first) = rest.first() {
        let alike =
            rest.iter().take_while(|one| one.text == first.text && one.result == first.result);
        let (group, behind) = rest.split_at(alike.count().max(1).min(rest.len()));
        for one in group.iter().take(ALIKE) {
            decision(one, whole, INDENT, page);
        }
        let more = group.len().saturating_sub(ALIKE);
        if more > 0 {
            page.line(&format!("{}  and {more} more like it", " ".repeat(INDENT)));
        }
        rest = behind;
    }
}

fn decision(one: &Decision, whole: &str, indent: usize, page: &mut Page) {
    // What is the clause itself was printed just before.
    let mut indent = indent;
    if one.text != whole {
        let line = format!("{} is {}", one.text, one.result);
        page.paragraph(&" ".repeat(indent), indent + 2, &line);
        indent += 2;
    }
    for operand in one.operands.iter().filter(|operand| !operand.is_literal) {
        value(operand, operand.text != one.text || one.operands.len() > 1, indent, page);
    }
    if !one.rules.is_empty() {
        let line = format!(
            "{}: {}",
            if one.result == "true" { "violated" } else { "undecided" },
            one.rules.join(", ")
        );
        page.paragraph(&" ".repeat(indent), indent + 2, &line);
    }
}

fn value(found: &ValueX, is_named: bool, indent: usize, page: &mut Page) {
    let said = shown(found.value.as_ref());
    let line = if is_named && found.text.chars().count() <= 60 {
        format!("{} = {said}", found.text)
    } else {
        format!("= {said}")
    };
    page.paragraph(&" ".repeat(indent), indent + 2, &line);
    let is_whole =
        matches!(found.facts.as_slice(), [one] if one.value == found.value || one.value.is_none());
    for fact in &found.facts {
        show_fact(fact, !is_whole, indent + 2, page);
    }
}

/// What a step took, and where that stands.
fn bound(found: &ValueX, page: &mut Page) {
    let line = format!("{} = {}", found.text, shown(found.value.as_ref()));
    page.paragraph(&" ".repeat(INDENT), INDENT + 2, &line);
    for at in found.facts.iter().filter_map(|fact| fact.place.as_ref()) {
        place(at, INDENT + 2, page);
    }
}

fn show_fact(fact: &FactX, with_value: bool, indent: usize, page: &mut Page) {
    let value = if with_value && fact.value.is_some() {
        format!(" = {}", shown(fact.value.as_ref()))
    } else {
        String::new()
    };
    page.paragraph(&" ".repeat(indent), indent + 2, &format!("{}{value}", fact.fact));
    if let Some(at) = &fact.place {
        place(at, indent, page);
    }
}

fn trace(one: &TraceX, indent: usize, page: &mut Page) {
    let fact = one.fact.as_ref().map(|fact| format!("  [{fact}]")).unwrap_or_default();
    let at = one.place.as_ref().map(|at| format!("  {}:{}:{}", at.file, at.line, at.column));
    let value = shown(one.value.as_ref());
    // A line is a line here, whatever its width: the tree is read by its indents.
    let line = clean(&format!("{} = {value}{fact}", one.text));
    let at = page.paint(&clean(&at.unwrap_or_default()), Style::new().dimmed());
    page.line(&format!("{}| {line}{at}", " ".repeat(indent)));
    for below in &one.below {
        trace(below, indent + 2, page);
    }
    if one.is_cut {
        page.line(&format!("{}| ... and more, left out", " ".repeat(indent + 2)));
    }
}

fn finding(found: &FindingX, page: &mut Page) {
    title("What it says", page);
    page.paragraph("  ", 2, &found.message);
    for fact in &found.evidence {
        page.paragraph("  why  ", 7, &format!("{} = {}", fact.fact, shown(fact.value.as_ref())));
        if let Some(at) = &fact.place {
            place(at, 7, page);
        }
    }
    for change in &found.consequence {
        page.paragraph("  then ", 7, &format!("{} becomes {}", change.fact, change.to));
    }
    for step in &found.steps {
        page.paragraph("  do   ", 7, step);
    }
}

fn missing(all: &[MissingX], page: &mut Page) {
    title("What is missing", page);
    for one in all {
        page.paragraph("  ", 4, &format!("{}: {}", one.fact, one.why));
        if let Some(source) = &one.source {
            page.paragraph("    collect from ", INDENT + 2, source);
        }
        if let Some(at) = &one.place {
            place(at, 4, page);
        }
    }
}

fn counterfactuals(found: &Counterfactuals, page: &mut Page) {
    title("What would change it", page);
    let wanted: Vec<String> = found.wanted.iter().map(|one| one.replace('_', " ")).collect();
    let wanted = if wanted.is_empty() { "a verdict".to_owned() } else { wanted.join(" or ") };
    if found.is_so {
        let line = format!("It is {wanted} now; `--not` alone looks for what would change that.");
        return page.paragraph("", 0, &line);
    }
    for one in &found.nearest {
        for (number, change) in one.changes.iter().enumerate() {
            let first = if number == 0 { "  - " } else { "    and " };
            page.paragraph(first, 6, &changed(change));
            if let Some(at) = &change.place {
                place(at, 6, page);
            }
        }
        let outcome = one.outcome.replace('_', " ");
        page.line(&format!("      -> {}", page.paint(&outcome, style(one.outcome))));
        for effect in &one.side_effects {
            let said = |outcome: Option<&str>| {
                outcome.map_or("no verdict".to_owned(), |outcome| outcome.replace('_', " "))
            };
            let line = format!(
                "also: {} for {}, {} -> {}",
                effect.rule,
                effect.subject,
                said(effect.from),
                said(effect.to)
            );
            page.paragraph("         ", 11, &line);
        }
        if one.more_side_effects > 0 {
            page.line(&format!("         and {}", plural(one.more_side_effects, "more verdict")));
        }
    }
    let more = found.found.saturating_sub(found.nearest.len());
    if more > 0 {
        page.paragraph("  ", 2, &format!("{} not shown (`--most`).", plural(more, "more change")));
    }
    page.paragraph("", 0, &searched(found, &wanted));
}

/// What was tried, and what that means.
fn searched(found: &Counterfactuals, wanted: &str) -> String {
    let tried = plural(found.tried, "single-fact change");
    let pairs = if found.pairs_tried > 0 {
        format!(" and {}", plural(found.pairs_tried, "pair"))
    } else {
        String::new()
    };
    let cut = if found.is_cut { " The budget ended the search (`--budget`)." } else { "" };
    if found.found == 0 {
        format!("None of {tried}{pairs} gives {wanted}; a larger change may.{cut}")
    } else {
        format!("Found by trying {tried}{pairs} for {wanted}; a larger change may do it too.{cut}")
    }
}

fn changed(change: &Change) -> String {
    let from = change.from.as_deref().unwrap_or("(not collected)");
    let path = &change.path;
    match change.kind {
        "remove" => format!("{path} is not there"),
        "complete" => format!("`{path}` is declared complete"),
        "parameter" => {
            let (to, others) = (shown(change.to.as_ref()), others(&change.or));
            format!("the parameter {path}: {from} -> {to}{others}")
        }
        _ => format!("{path}: {from} -> {}{}", shown(change.to.as_ref()), others(&change.or)),
    }
}

/// ` (or a, or b)`.
fn others(values: &[String]) -> String {
    if values.is_empty() { String::new() } else { format!(" (or {})", values.join(", or ")) }
}
