//! The report for a person at a terminal: verdict first, then what is wrong and what to do.
//!
//! Fits 80 columns where words can be broken; colour only says again what a word says.

pub mod eval;
pub mod explain;
mod repair;
mod undecided;

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use anstyle::{AnsiColor, Style};

use crate::facts::time::say_duration;
use crate::finding::{Evaluation, Finding, JudgedRule, Outcome, Severity, Subject, Verdict};
use crate::gate;
use crate::report::Run;
use crate::report::diagnostic::clean;

/// Columns of the report.
const WIDTH: usize = 80;

/// Most missing facts shown of one verdict, and most objects that a finding harms.
const MOST: usize = 6;

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(run: &Run<'_>, colour: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page::new(colour);
    head(run, &mut page);
    findings(run, &mut page);
    repair::repair(run, &mut page);
    undecided::undecided(run, &mut page);
    foot(run, &mut page);
    out.write_all(page.text.as_bytes())
}

/// Text being laid out.
struct Page {
    colour: bool,
    text: String,
}

impl Page {
    fn new(colour: bool) -> Self {
        Self { colour, text: String::new() }
    }

    fn paint(&self, text: &str, style: Style) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// A paragraph behind `first`, its further lines below its own first word.
    fn paragraph(&mut self, first: &str, indent: usize, text: &str) {
        let indent = " ".repeat(indent);
        let options = textwrap::Options::new(WIDTH)
            .initial_indent(first)
            .subsequent_indent(&indent)
            .break_words(false)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        for line in text.lines() {
            for wrapped in textwrap::wrap(&clean(line), &options) {
                self.line(&wrapped);
            }
        }
    }
}

fn severity_style(severity: Severity) -> Style {
    let colour = match severity {
        Severity::Error => AnsiColor::Red,
        Severity::Warning => AnsiColor::Yellow,
        Severity::Note => AnsiColor::Cyan,
    };
    Style::new().bold().fg_color(Some(colour.into()))
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn head(run: &Run<'_>, page: &mut Page) {
    let evaluation = run.evaluation;
    let (word, colour) = match run.answer.verdict {
        gate::Verdict::Passed => ("PASSED", AnsiColor::Green),
        gate::Verdict::Failed => ("FAILED", AnsiColor::Red),
        gate::Verdict::NoVerdict => ("NO VERDICT", AnsiColor::Yellow),
    };
    let count = |severity: Severity| {
        let hit = |verdict: &&Verdict| {
            verdict.outcome == Outcome::Violated && evaluation.severity(verdict) == severity
        };
        evaluation.verdicts.iter().filter(hit).count()
    };
    let counts = [Severity::Error, Severity::Warning, Severity::Note]
        .map(|severity| plural(count(severity), severity.name()))
        .join(", ");
    let word = page.paint(word, Style::new().bold().fg_color(Some(colour.into())));
    page.line(&format!("{word}  {}", run.answer.reason));
    page.line(&format!("{counts}; {} undecided", evaluation.tally().undecided));
    for file in run.facts.iter().filter(|file| file.age_seconds > 86_400) {
        let age = say_duration(file.age_seconds);
        page.paragraph("", 2, &format!("{}: observed {age} before this run", file.file));
    }
}

/// Findings by the object they are about, the protected kind first, the worst first.
fn findings(run: &Run<'_>, page: &mut Page) {
    let evaluation = run.evaluation;
    // For each verdict the numbers of the steps that it asks for.
    let mut asked: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (position, known) in evaluation.repair.iter().enumerate() {
        for verdict in &known.verdicts {
            asked.entry(*verdict).or_default().push(position + 1);
        }
    }
    let mut groups: BTreeMap<&Subject, Vec<Found<'_>>> = BTreeMap::new();
    for (position, verdict) in evaluation.verdicts.iter().enumerate() {
        if let Some(finding) = &verdict.finding {
            let steps = asked.remove(&position).unwrap_or_default();
            groups.entry(&verdict.subject).or_default().push(Found { verdict, finding, steps });
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    for (_, found) in &mut groups {
        found.sort_by_key(|found| std::cmp::Reverse(evaluation.severity(found.verdict)));
    }
    groups.sort_by_key(|(subject, found)| {
        let worst = found.iter().map(|found| evaluation.severity(found.verdict)).max();
        (
            std::cmp::Reverse(worst),
            Some(&subject.kind) != evaluation.protected_kind.as_ref(),
            *subject,
        )
    });
    for (subject, found) in groups {
        page.line("");
        object(subject, &state(evaluation, subject), page);
        let own: BTreeSet<usize> = found.iter().flat_map(|found| &found.steps).copied().collect();
        let is_several = found.len() > 1;
        for found in found {
            if let Some(rule) = evaluation.rule(found.verdict) {
                show(run, rule, &found, page);
            }
        }
        let list = own_list(evaluation, subject);
        if !list.is_empty() && (is_several || own.len() < list.len()) {
            let order = if list.len() > 1 { ", in this order" } else { "" };
            page.paragraph("  repair  ", 10, &format!("{}{order}", steps(&list)));
        }
    }
}

/// The numbers of the steps that a protected object needs, whoever asks for them.
fn own_list(evaluation: &Evaluation, subject: &Subject) -> Vec<usize> {
    let helps = evaluation.repair.iter().map(|known| known.helps.contains(subject));
    helps.enumerate().filter(|(_, helps)| *helps).map(|(position, _)| position + 1).collect()
}

/// `step 3`, or `steps 1 and 3`.
fn steps(numbers_of: &[usize]) -> String {
    let word = if numbers_of.len() == 1 { "step" } else { "steps" };
    format!("{word} {}", numbers(numbers_of))
}

/// A finding with its verdict and the numbers of its steps.
struct Found<'a> {
    verdict: &'a Verdict,
    finding: &'a Finding,
    steps: Vec<usize>,
}

fn object(subject: &Subject, state: &str, page: &mut Page) {
    let name = page.paint(&clean(&subject.key), Style::new().bold());
    page.line(&format!("{name}  {}{state}", subject.kind.replace('_', " ")));
}

fn state(evaluation: &Evaluation, subject: &Subject) -> String {
    let object = evaluation.protected.iter().find(|object| object.subject == *subject);
    match object {
        None => String::new(),
        Some(object) => match &object.state {
            Some(state) => format!(", {}", state.replace('_', " ")),
            None => ", state not known".to_owned(),
        },
    }
}

fn show(run: &Run<'_>, rule: &JudgedRule, found: &Found<'_>, page: &mut Page) {
    let finding = found.finding;
    let severity = page.paint(rule.severity.name(), severity_style(rule.severity));
    page.line(&format!("  {severity}  {}", rule.id));
    page.paragraph("    ", 4, &finding.message);
    for evidence in &finding.evidence {
        let value = evidence.value.as_deref().unwrap_or("not known");
        page.paragraph("    why  ", 9, &format!("{} = {value}", evidence.fact));
        if let Some(place) = evidence.place {
            let at = clean(&run.sources.location(place).to_string());
            let at = page.paint(&at, Style::new().dimmed());
            page.line(&format!("         {at}"));
        }
    }
    affects(finding, page);
    for (_, title, values) in &rule.metadata {
        page.paragraph("    ", 9, &format!("{title} {}", values.join(", ")));
    }
    if !found.steps.is_empty() {
        page.paragraph("    do   ", 9, &format!("{} below", steps(&found.steps)));
    }
}

/// `1, 2 and 5`.
fn numbers(steps: &[usize]) -> String {
    let said: Vec<String> = steps.iter().map(ToString::to_string).collect();
    match said.split_last() {
        Some((end, [])) => end.clone(),
        Some((end, others)) => format!("{} and {end}", others.join(", ")),
        None => String::new(),
    }
}

fn affects(finding: &Finding, page: &mut Page) {
    if finding.affects.is_empty() {
        return;
    }
    let keys: Vec<&str> = finding.affects.iter().map(|subject| &*subject.key).collect();
    page.paragraph("    harms  ", 11, &first_of(&keys));
}

/// The first of many names, and how many more there are.
fn first_of(names: &[&str]) -> String {
    let shown = names.get(..MOST).unwrap_or(names).join(", ");
    match names.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more (all are in the JSON report)"),
    }
}

fn foot(run: &Run<'_>, page: &mut Page) {
    let tally = run.evaluation.tally();
    page.line("");
    page.paragraph(
        "",
        2,
        &format!(
            "{} judged {}: {} violated, {} undecided, {} satisfied, {} not applicable",
            plural(run.evaluation.rules.len(), "rule"),
            plural(tally.total(), "time"),
            tally.violated,
            tally.undecided,
            tally.satisfied,
            tally.not_applicable
        ),
    );
    let idle: Vec<&str> = run
        .evaluation
        .rules
        .iter()
        .filter(|rule| rule.tally.total() == 0)
        .map(|rule| &*rule.id)
        .collect();
    if !idle.is_empty() {
        page.paragraph("", 2, &format!("bound to 0 subjects: {}", first_of(&idle)));
    }
    for file in run.facts {
        page.paragraph(
            "",
            2,
            &format!(
                "facts {} ({}, observed {})",
                file.file,
                short(&file.sha256),
                file.observed_at
            ),
        );
    }
    let settings = run.settings;
    if let Some(config) = &settings.config {
        page.paragraph("", 2, &format!("configuration {config}"));
    }
    if let Some(age) = &settings.max_age {
        page.paragraph("", 2, &format!("facts older than {age} count as not known"));
    }
    if !settings.only.is_empty() {
        page.paragraph("", 2, &format!("only {}", settings.only.join(", ")));
    }
    if !settings.skip.is_empty() {
        page.paragraph("", 2, &format!("skipped {}", settings.skip.join(", ")));
    }
    for (rule, param, value) in &settings.params {
        page.paragraph("", 2, &format!("parameter {rule}.{param} = {value}"));
    }
    for pack in run.packs {
        page.paragraph(
            "",
            2,
            &format!("pack {} {} ({})", pack.name, pack.version, short(&pack.sha256)),
        );
    }
    page.paragraph(
        "",
        2,
        &format!(
            "dpmguard {}, now {}, fail on {}",
            env!("CARGO_PKG_VERSION"),
            run.now,
            run.answer.threshold.name()
        ),
    );
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
