//! The tables of the page.

use std::fmt::Write as _;

use crate::facts::time::say_duration;
use crate::report::markup::html;
use crate::report::plan::html::{Page, name, names};
use crate::report::plan::words;
use crate::report::plan::{ObjectX, StepX};

/// A cell: its class and what is in it, markup already.
struct Cell(&'static str, String);

/// A table with a title; the first cell of each row is its head.
fn table(caption: &str, heads: &[&str], rows: Vec<Vec<Cell>>) -> String {
    let mut text = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{caption}\">\n<table>\n\
         <caption>{caption}</caption>\n<thead>\n<tr>"
    );
    for head in heads {
        let _ = write!(text, "<th scope=\"col\">{head}</th>");
    }
    text.push_str("</tr>\n</thead>\n<tbody>\n");
    for row in rows {
        text.push_str("<tr>");
        for (column, Cell(class, body)) in row.into_iter().enumerate() {
            let class =
                if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
            let _ = if column == 0 {
                write!(text, "<th scope=\"row\"{class}>{body}</th>")
            } else {
                write!(text, "<td{class}>{body}</td>")
            };
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table>\n</div>\n");
    text
}

/// A list in a cell, or a dash.
fn list(members: &[String]) -> String {
    if members.is_empty() { "-".to_owned() } else { names(members) }
}

impl Page<'_> {
    pub(super) fn objects(&self) -> String {
        let row = |object: &ObjectX| {
            let spans: Vec<String> = words::episodes(object)
                .map(|(from, to)| {
                    format!("{} to {}", self.clock.show_day(from), self.clock.show_day(to))
                })
                .collect();
            let ends = match object.ends {
                "good" => Cell("", "protected".to_owned()),
                "unknown" => Cell("bad", "nobody can say".to_owned()),
                "outside" => Cell("", "not counted".to_owned()),
                _ => Cell("bad", "not protected".to_owned()),
            };
            let dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
            let hit = object.exposure_seconds > 0;
            let oldest = object.oldest_point_seconds.filter(|_| hit);
            vec![
                Cell("wide", name(&object.key)),
                Cell("time", dash(spans.join("<br/>"))),
                Cell(
                    "time",
                    if hit { say_duration(object.exposure_seconds) } else { "-".to_owned() },
                ),
                Cell("", dash(names(&words::because_of(object)))),
                Cell(
                    "time",
                    oldest
                        .map_or_else(|| "-".to_owned(), |age| format!("{} old", say_duration(age))),
                ),
                ends,
            ]
        };
        if self.report.objects.is_empty() {
            return String::new();
        }
        table(
            "Protected objects",
            &[
                "Object",
                "Unprotected",
                "For",
                "Because of",
                "Newest recovery point at worst",
                "Ends",
            ],
            self.report.objects.iter().map(row).collect(),
        )
    }

    pub(super) fn steps(&self) -> String {
        let row = |step: &StepX| {
            let with: Vec<String> = step
                .with
                .iter()
                .map(|(key, value)| format!("{}: {}", html(key), name(value)))
                .collect();
            let status = match words::outcome(step, self.report, self.clock) {
                said if said.is_empty() => Cell("", "done".to_owned()),
                said if step.status == "nothing_to_do" => Cell("", said),
                said => Cell("bad", name(&said)),
            };
            vec![
                Cell("", name(&step.id)),
                Cell("time", words::when(step, self.clock)),
                Cell(
                    "wide",
                    format!("<code>{}</code><br/>{}", html(&step.action), with.join("<br/>")),
                ),
                Cell("", name(&words::who(step))),
                Cell("", html(&words::waits_for(step, self.clock))),
                status,
                Cell("", format!("{} of {}", step.after.len(), self.report.totals.objects)),
            ]
        };
        if self.report.steps.is_empty() {
            return String::new();
        }
        table(
            "Steps, counted with the longest durations",
            &["Step", "Time", "Action", "Who", "Begins", "Comes out", "Unprotected then"],
            words::in_time(self.report).into_iter().map(row).collect(),
        )
    }

    pub(super) fn stops(&self) -> String {
        let row = |step: &StepX| {
            let undo = match &step.undo {
                Some(undo) => Cell("wide", format!("<code>{}</code>", html(&words::undo(undo)))),
                None if step.can_be_undone => Cell("", "-".to_owned()),
                None => Cell("bad", "cannot be taken back".to_owned()),
            };
            let said = words::stop(step, self.report.totals.objects, self.clock);
            vec![
                Cell("", name(&step.id)),
                Cell("time", self.time(step.start_seconds)),
                Cell("time", self.time(step.latest_start_seconds)),
                undo,
                Cell("wide", html(&said)),
            ]
        };
        if self.report.steps.is_empty() {
            return String::new();
        }
        table(
            "What the plan leaves if it ends behind a step",
            &["Step", "Begins", "At the latest", "Taken back by", "If the plan ends behind it"],
            words::in_time(self.report).into_iter().map(row).collect(),
        )
    }

    pub(super) fn blast(&self) -> String {
        if self.report.steps.is_empty() {
            return String::new();
        }
        let mut text = format!("<p>{}.</p>\n", html(&words::blast(self.report)));
        if let Some(largest) = &self.report.blast.largest {
            let _ = writeln!(
                text,
                "<p>Largest group without protection at one moment: {} from {} to {}: {}.</p>",
                largest.objects.len(),
                self.clock.show_day(largest.from_seconds),
                self.clock.show_day(largest.to_seconds),
                names(&largest.objects)
            );
        }
        let row = |step: &StepX| {
            let [direct, shared, knock_on] = words::rings(&step.blast);
            vec![
                Cell("", name(&step.id)),
                Cell("wide", list(&direct)),
                Cell("wide", list(&shared)),
                Cell("wide", list(&knock_on)),
            ]
        };
        text.push_str(&table(
            "Objects that each step can hurt",
            &["Step", "Direct", "Shared", "Knock-on"],
            words::in_time(self.report).into_iter().map(row).collect(),
        ));
        text
    }

    pub(super) fn basis(&self) -> String {
        let basis = &self.report.basis;
        let mut text = String::from("<ul>\n");
        for said in words::ages(basis) {
            let _ = writeln!(text, "<li>{}</li>", name(&said));
        }
        for warning in &self.report.warnings {
            let _ = writeln!(text, "<li><strong>Odd</strong>: {}</li>", name(warning));
        }
        for gap in &basis.unknown {
            let (step, missing) = (name(&gap.step), name(&gap.missing));
            let _ = writeln!(text, "<li><strong>Not known</strong> for {step}: {missing}</li>");
        }
        for said in words::to_collect(basis) {
            let _ = writeln!(text, "<li><strong>To collect</strong>: {}</li>", name(&said));
        }
        if !basis.chance.is_empty() {
            let _ = writeln!(
                text,
                "<li>What {} may do counts as done; without it: {}</li>",
                names(&basis.chance),
                html(&words::outlook(&self.report.without_chance, self.report))
            );
        }
        for said in &basis.assumed {
            let _ = writeln!(text, "<li>Taken for granted: {}</li>", name(said));
        }
        text.push_str("</ul>\n");
        let rows = basis.durations.iter().map(|takes| {
            vec![
                Cell("", name(&takes.step)),
                Cell("time", say_duration(takes.expected_seconds)),
                Cell("time", say_duration(takes.worst_seconds)),
                Cell("wide", name(&takes.because)),
            ]
        });
        let rows: Vec<Vec<Cell>> = rows.collect();
        if !rows.is_empty() {
            let heads = ["Step", "As a rule", "At worst", "Because"];
            text.push_str(&table("How long steps take", &heads, rows));
        }
        text
    }

    pub(super) fn evidence(&self) -> String {
        let inputs = &self.report.inputs;
        let mut rows = Vec::new();
        let mut add = |what: &str, which: &str, value: &str| {
            rows.push(vec![
                Cell("", what.to_owned()),
                Cell("wide", name(which)),
                Cell("wide", format!("<code>{}</code>", html(value))),
            ]);
        };
        add("Plan", &self.report.plan.file, &inputs.plan);
        for file in &inputs.facts {
            add("Facts", &file.name, &file.digest);
        }
        for pack in &inputs.packs {
            add("Rules", &pack.name, &pack.digest);
        }
        table("What was judged, by its SHA-256", &["What", "Name", "Digest"], rows)
    }
}
