//! Stop points, blast radius, and what the verdict rests on, for a person.

use std::fmt::Write as _;

use crate::report::diagnostic::clean;
use crate::report::plan::human::{Page, table};
use crate::report::plan::words;
use crate::report::plan::{StepX, TakesX};

/// Columns of a line.
const WIDTH: usize = 110;

impl Page<'_> {
    /// What the plan may cost if it ends early, and how late each step may begin.
    pub(super) fn stops(&self) -> String {
        let steps = words::in_time(self.report);
        if steps.is_empty() {
            return String::new();
        }
        let mut rows: Vec<Vec<String>> = vec![
            ["step", "begins", "at the latest", "if the plan ends behind it"]
                .map(String::from)
                .into(),
        ];
        for step in &steps {
            let time = |seconds: Option<i64>| {
                seconds.map_or_else(|| "-".to_owned(), |seconds| self.clock.show_day(seconds))
            };
            let mark = if step.can_be_undone { "" } else { " *" };
            rows.push(vec![
                format!("{}{mark}", clean(&step.id)),
                time(step.start_seconds),
                time(step.latest_start_seconds),
                clean(&words::stop(step, self.report.totals.objects, self.clock)),
            ]);
        }
        let mut text = String::from("\nWhere it can stop\n");
        text.push_str(&table(&rows, "  "));
        if steps.iter().any(|step| step.latest_start_seconds.is_none()) {
            text.push_str("  -  it does not end well in time, however early it begins\n");
        }
        if steps.iter().any(|step| !step.can_be_undone) {
            text.push_str("  *  cannot be taken back: there is only the way forward\n");
        }
        text
    }

    /// Every object that the plan can hurt.
    pub(super) fn blast(&self) -> String {
        let report = self.report;
        if report.steps.is_empty() {
            return String::new();
        }
        let mut text = format!("\nBlast radius\n  {}\n", clean(&words::blast(report)));
        if let Some(largest) = &report.blast.largest {
            let head = format!(
                "  at most {} at one time, {} to {}: ",
                largest.objects.len(),
                self.clock.show_day(largest.from_seconds),
                self.clock.show_day(largest.to_seconds)
            );
            text.push_str(&wrapped(&head, 4, &largest.objects));
        }
        let width = report.steps.iter().map(|step| clean(&step.id).chars().count()).max();
        for step in words::in_time(report) {
            text.push_str(&rings(step, width.unwrap_or(0)));
        }
        text
    }

    /// On what all that rests.
    pub(super) fn basis(&self) -> String {
        let basis = &self.report.basis;
        let mut text = String::from("\nRests on\n");
        for said in words::ages(basis) {
            let _ = writeln!(text, "  {}", clean(&said));
        }
        let said =
            |missing: &str| -> Vec<String> { missing.split(", ").map(str::to_owned).collect() };
        let mut gaps: Vec<(&str, Vec<String>)> = Vec::new();
        for gap in &basis.unknown {
            match gaps.last_mut().filter(|(step, _)| *step == gap.step) {
                Some((_, all)) => all.extend(said(&gap.missing)),
                None => gaps.push((&gap.step, said(&gap.missing))),
            }
        }
        for (step, all) in gaps {
            text.push_str(&wrapped(&format!("  NOT KNOWN for {}: ", clean(step)), 4, &all));
        }
        for said in words::to_collect(basis) {
            let _ = writeln!(text, "  TO COLLECT  {}", clean(&said));
        }
        if !basis.chance.is_empty() {
            let head = "  chance, counted as happening: ";
            text.push_str(&wrapped(head, 4, &basis.chance));
            let outlook = words::outlook(&self.report.without_chance, self.report);
            let _ = writeln!(text, "    without it: {}", clean(&outlook));
        }
        text.push_str(&self.durations());
        text
    }

    fn durations(&self) -> String {
        let basis = &self.report.basis;
        if basis.durations.is_empty() && basis.assumed.is_empty() {
            return String::new();
        }
        let rows: Vec<Vec<String>> = basis.durations.iter().map(duration).collect();
        let mut text = String::from("\nAssumes\n");
        text.push_str(&table(&rows, "  "));
        for said in &basis.assumed {
            let _ = writeln!(text, "  {}", clean(said));
        }
        text
    }
}

fn duration(takes: &TakesX) -> Vec<String> {
    vec![clean(&takes.step), words::takes(takes), clean(&takes.because)]
}

fn rings(step: &StepX, width: usize) -> String {
    let mut text = String::new();
    let mut name = clean(&step.id);
    for (what, members) in
        ["direct", "shared", "knock-on"].into_iter().zip(words::rings(&step.blast))
    {
        if members.is_empty() {
            continue;
        }
        let pad = width.saturating_sub(name.chars().count());
        let head = format!("  {name}{}  {what:<9} ", " ".repeat(pad));
        text.push_str(&wrapped(&head, width + 14, &members));
        name = String::new();
    }
    text
}

/// A list with commas, behind `head` and on as many lines as it needs.
pub(super) fn wrapped(head: &str, indent: usize, members: &[String]) -> String {
    let mut text = String::new();
    let mut line = head.to_owned();
    let mut is_first = true;
    for (position, member) in members.iter().enumerate() {
        let comma = if position + 1 == members.len() { "" } else { "," };
        let word = format!("{}{comma}", clean(member));
        let space = usize::from(!is_first);
        if !is_first && line.chars().count() + space + word.chars().count() > WIDTH {
            let _ = writeln!(text, "{}", line.trim_end());
            line = " ".repeat(indent);
            is_first = true;
        }
        if !is_first {
            line.push(' ');
        }
        line.push_str(&word);
        is_first = false;
    }
    let _ = writeln!(text, "{}", line.trim_end());
    text
}
