//! The report on a plan as one page: no script, nothing loaded, to be read, mailed and printed.

mod tables;

use std::fmt::Write as _;
use std::io;

use crate::facts::time::say_duration;
use crate::plan::time::Clock;
use crate::report::markup::html;
use crate::report::plan::timeline;
use crate::report::plan::words::{self, plural};
use crate::report::plan::{HazardX, PlanReport, PlanX};

/// The look of the page, for light and dark and for paper.
const STYLE: &str = include_str!("html/page.css");

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(report: &PlanReport, clock: &Clock, out: &mut dyn io::Write) -> io::Result<()> {
    let page = Page { report, clock };
    let sections: Vec<(&str, &str, String)> = [
        ("timeline", "Timeline", page.timeline()),
        ("wrong", "What is wrong", page.hazards()),
        ("objects", "Objects", page.objects()),
        ("steps", "Steps", page.steps()),
        ("stops", "Where it can stop", page.stops()),
        ("blast", "Blast radius", page.blast()),
        ("basis", "What this rests on", page.basis()),
        ("evidence", "Evidence", page.evidence()),
    ]
    .into_iter()
    .filter(|(.., body)| !body.is_empty())
    .collect();
    let mut text = page.head();
    text.push_str(&contents(&sections));
    text.push_str(&page.foot());
    out.write_all(text.as_bytes())
}

/// Sections, each with its id, title and body, behind a list of them.
pub(super) fn contents(sections: &[(&str, &str, String)]) -> String {
    let mut text = String::from("<nav aria-label=\"Contents\">\n<ul>\n");
    for (id, title, _) in sections {
        let _ = writeln!(text, "<li><a href=\"#{id}\">{title}</a></li>");
    }
    text.push_str("</ul>\n</nav>\n<main>\n");
    for (id, title, body) in sections {
        let _ = writeln!(
            text,
            "<section aria-labelledby=\"{id}\">\n<h2 id=\"{id}\">{title}</h2>\n{body}</section>"
        );
    }
    text.push_str("</main>\n");
    text
}

/// A page up to its header, whose first line is open: title, verdict and its class, name and title of the plan, and how it
/// ends.
pub(super) fn top(verdict: &str, class: &str, plan: &PlanX, ends: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n\
         <title>{verdict} {id}</title>\n<style>\n{STYLE}{drawing}</style>\n</head>\n<body>\n<header>\n\
         <p class=\"verdict {class}\">{verdict}</p>\n<h1>{named}: {title}</h1>\n<p class=\"lead\">{ends}</p>\n",
        id = html(&plan.id),
        drawing = timeline::style(),
        named = name(&plan.id),
        title = name(&plan.title),
        ends = html(ends),
    )
}

/// Text from outside, which can neither become markup nor turn what stands around it.
pub(super) fn name(text: &str) -> String {
    format!("<bdi>{}</bdi>", html(text))
}

/// Names with commas.
fn names<'n>(list: impl IntoIterator<Item = &'n String>) -> String {
    let all: Vec<String> = list.into_iter().map(|one| name(one)).collect();
    all.join(", ")
}

struct Page<'a> {
    report: &'a PlanReport,
    clock: &'a Clock,
}

impl Page<'_> {
    fn time(&self, seconds: Option<i64>) -> String {
        seconds.map_or_else(|| "-".to_owned(), |seconds| self.clock.show_day(seconds))
    }

    fn head(&self) -> String {
        let report = self.report;
        let verdict = words::verdict(report.verdict);
        let ends = words::ends(report, self.clock);
        let mut text = top(verdict, report.verdict, &report.plan, &ends);
        let _ = writeln!(
            text,
            "<p>{}. {} without protection, all together; at most {} at one time.</p>\n\
             <p class=\"soft\">Window: {}. {}.</p>",
            words::counts(report),
            say_duration(report.totals.exposure_seconds),
            report.totals.most_at_once,
            html(&words::window(report, self.clock)),
            plural(report.steps.len(), "step"),
        );
        if let Some(said) = words::disagreement(report) {
            let _ = writeln!(text, "<p>That is counted with the longest durations; {said}.</p>");
        }
        text.push_str("</header>\n");
        text
    }

    fn hazards(&self) -> String {
        let hazards = &self.report.hazards;
        if hazards.is_empty() {
            return "<p>Nothing.</p>\n".to_owned();
        }
        words::by_weight(self.report).map(hazard).collect()
    }

    fn timeline(&self) -> String {
        let drawing = timeline::inline_svg(self.report, self.clock);
        format!(
            "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Timeline\">\n{drawing}</div>\n\
             <figcaption class=\"soft\">Times are those of {} ({}). A check that does not come to its end has a !. All that is drawn \
             stands in the tables below, too.</figcaption>\n</figure>\n",
            html(&self.report.plan.zone),
            self.clock.offset(0)
        )
    }

    fn foot(&self) -> String {
        let tool = &self.report.tool;
        format!(
            "<footer>\n<p>Written by {} {} at {}. Nothing has been carried out.</p>\n</footer>\n</body>\n</html>\n",
            tool.name,
            tool.version,
            html(&self.clock.local(&self.report.inputs.now))
        )
    }
}

fn hazard(hazard: &HazardX) -> String {
    let step = hazard.step.as_ref().map(|step| format!("of step {}, ", name(step)));
    let mut text = format!(
        "<article class=\"hazard {class}\">\n<h3><span class=\"level\">{}</span> {}</h3>\n\
         <p><code>{}</code> {}at {}:{}</p>\n",
        words::level(hazard),
        name(&hazard.message),
        hazard.id,
        step.unwrap_or_default(),
        name(&hazard.place.file),
        hazard.place.line,
        class = if hazard.no_verdict { "unknown" } else { hazard.severity },
    );
    if let Some(all) = words::unnamed(hazard) {
        let _ = writeln!(text, "<p>{}</p>", name(&all));
    }
    if !hazard.chain.is_empty() {
        text.push_str("<p>How it comes about:</p>\n<ol>\n");
        for link in &hazard.chain {
            let _ = writeln!(text, "<li>{}</li>", name(link));
        }
        text.push_str("</ol>\n");
    }
    if hazard.certainty == "may" && hazard.id != "plan-depends-on-chance" {
        text.push_str("<p>It depends on something that may happen, and counts as happening.</p>\n");
    }
    if !hazard.help.is_empty() {
        text.push_str("<p>What helps:</p>\n<ul>\n");
        for help in &hazard.help {
            let _ = writeln!(text, "<li>{}</li>", name(help));
        }
        text.push_str("</ul>\n");
    }
    if let Some(accepted) = &hazard.accepted {
        let _ = writeln!(text, "<p><strong>Accepted:</strong> {}</p>", name(accepted));
    }
    text.push_str("</article>\n");
    text
}
