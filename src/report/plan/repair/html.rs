//! The report on a repair as one page: what is changed, both timelines over the same time, and what stands behind it.

use std::fmt::Write as _;
use std::io;

use crate::facts::time::say_duration;
use crate::plan::time::Clock;
use crate::report::markup::html;
use crate::report::plan::PlanReport;
use crate::report::plan::html::{contents, name, top};
use crate::report::plan::repair::human::{
    edited, ends, proven, sign, title, weighted, when, with_the_longest,
};
use crate::report::plan::repair::{CertificateX, RepairReport, RepairedX};
use crate::report::plan::timeline;

/// Writes the report; `written` is that of the plan as it is.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &RepairReport,
    written: &PlanReport,
    clock: &Clock,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let page = Page { report, written, clock };
    let sections: Vec<(&str, &str, String)> = [
        ("timeline", "Before and after", page.timelines()),
        ("steps", "The plan", page.steps()),
        ("core", "Why there is no plan", page.core()),
        ("others", "Other ways", page.others()),
        ("left", "What nobody could put in", page.left()),
        ("proof", "What is proven", page.proof()),
        ("diff", "The change of the file", page.diff()),
    ]
    .into_iter()
    .filter(|(.., body)| !body.is_empty())
    .collect();
    let mut text = page.head();
    text.push_str(&contents(&sections));
    let tool = &report.tool;
    let _ = write!(
        text,
        "<footer>\n<p>Written by {} {}. Nothing has been carried out.</p>\n</footer>\n</body>\n</html>\n",
        tool.name, tool.version
    );
    out.write_all(text.as_bytes())
}

struct Page<'a> {
    report: &'a RepairReport,
    written: &'a PlanReport,
    clock: &'a Clock,
}

impl Page<'_> {
    fn head(&self) -> String {
        let report = self.report;
        let (word, is_good) = title(report);
        let class = if is_good { "passed" } else { "failed" };
        let mut text = top(word, class, &report.plan, &ends(report, self.clock));
        let sure = proven(report);
        if !sure.is_empty() && report.status != "unchanged" {
            let _ = writeln!(text, "<p>{}.</p>", html(&sure));
        }
        if let Some(repaired) = &report.repaired {
            let _ = writeln!(text, "<p>Changes: {}.</p>", html(&edited(repaired)));
        }
        if let Some(said) = with_the_longest(report, self.clock) {
            let _ = writeln!(text, "<p>{}.</p>", html(&said));
        }
        if let Some(why) = &report.why_not {
            let _ = writeln!(text, "<p>{}</p>", html(why));
        }
        for wrong in &report.disagreements {
            let _ =
                writeln!(text, "<p class=\"bad\">A second checker disagrees: {}</p>", html(wrong));
        }
        text.push_str("</header>\n");
        text
    }

    fn timelines(&self) -> String {
        let figure = |drawing: &str, said: &str| {
            format!(
                "<figure>\n<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{said}\">\n{drawing}</div>\n\
                 <figcaption class=\"soft\">{said}</figcaption>\n</figure>\n"
            )
        };
        match &self.report.repaired {
            Some(repaired) => {
                let [before, after] =
                    timeline::pair_of_svgs(self.written, &repaired.report, self.clock);
                figure(&before, "As it is written") + &figure(&after, "Repaired")
            }
            None => figure(&timeline::inline_svg(self.written, self.clock), "As it is written"),
        }
    }

    fn steps(&self) -> String {
        let Some(repaired) = &self.report.repaired else { return String::new() };
        let mut text = String::from(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Steps\">\n<table>\n<thead><tr><th></th>\
             <th>Time</th><th>Step</th><th>What</th><th>Why</th></tr></thead>\n<tbody>\n",
        );
        for row in &repaired.steps {
            let _ = writeln!(
                text,
                "<tr><td>{}</td><td class=\"time\">{}</td><td>{}</td><td>{}</td><td class=\"wide\">{}</td></tr>",
                sign(row.op),
                html(&when(row, self.clock)),
                name(&row.step),
                name(&row.action),
                html(&row.said)
            );
        }
        text.push_str(&deleted(repaired));
        text.push_str("</tbody>\n</table>\n</div>\n<p class=\"soft\">+ put in, ~ moved or with other waits, - taken out</p>\n");
        text
    }

    fn core(&self) -> String {
        let Some(core) = &self.report.core else { return String::new() };
        let mut text = String::from("<ol>\n");
        for reason in &core.reasons {
            let _ = writeln!(text, "<li>{}</li>", html(reason));
        }
        text.push_str("</ol>\n<p>These conditions contradict each other:</p>\n");
        text.push_str(&list(&core.members));
        if !core.relaxations.is_empty() {
            text.push_str("<p>Any one of these lets a plan exist:</p>\n");
            text.push_str(&list(&core.relaxations));
        }
        text
    }

    fn others(&self) -> String {
        let report = self.report;
        let mut all: Vec<String> = report.alternatives.iter().map(|one| one.said.clone()).collect();
        all.extend(report.sensitivity.iter().map(|one| {
            format!(
                "with {}: {} without protection{}, done at {}{}",
                one.said,
                say_duration(one.exposure_seconds),
                weighted(report),
                self.clock.show_day(one.end_seconds),
                if one.is_proven { "" } else { ", or less" }
            )
        }));
        if all.is_empty() { String::new() } else { list(&all) }
    }

    fn left(&self) -> String {
        let all: Vec<String> = self
            .report
            .not_inserted
            .iter()
            .map(|one| {
                format!("for {}: {} Not put in: {}", one.objects.join(", "), one.said, one.why)
            })
            .collect();
        if all.is_empty() { String::new() } else { list(&all) }
    }

    fn proof(&self) -> String {
        let proof = &self.report.proof;
        if proof.exposure.summands.is_empty() || self.report.core.is_some() {
            return String::new();
        }
        let mut text = String::from(
            "<p>No order is below this sum. Where objects have weights, they count by them.</p>\n",
        );
        text.push_str(&sum(&proof.exposure));
        text.push_str("<p>What all orders have in common:</p>\n");
        text.push_str(&list(&proof.conditions));
        text
    }

    fn diff(&self) -> String {
        let diff = self.report.repaired.as_ref().map_or("", |repaired| repaired.diff.as_str());
        if diff.is_empty() {
            return String::new();
        }
        let lines: Vec<String> = diff.lines().map(html).collect();
        format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Difference\">\n<pre>{}</pre>\n</div>\n",
            lines.join("\n")
        )
    }
}

fn deleted(repaired: &RepairedX) -> String {
    let mut text = String::new();
    for edit in repaired.edits.iter().filter(|edit| edit.op == "delete") {
        let _ = writeln!(
            text,
            "<tr><td>-</td><td></td><td>{}</td><td>{}</td><td class=\"wide\">taken out: {}</td></tr>",
            name(&edit.step),
            name(&edit.action),
            html(&edit.said)
        );
    }
    text
}

fn list(all: &[String]) -> String {
    let items: Vec<String> = all.iter().map(|one| format!("<li>{}</li>\n", html(one))).collect();
    format!("<ul>\n{}</ul>\n", items.concat())
}

fn sum(sum: &CertificateX) -> String {
    let mut text = format!("<p>{}.</p>\n<table>\n<tbody>\n", html(&sum.rule));
    for summand in &sum.summands {
        let _ = writeln!(
            text,
            "<tr><td class=\"time\">{}</td><td>{}</td></tr>",
            say_duration(summand.seconds),
            html(&summand.said)
        );
    }
    let _ = write!(
        text,
        "<tr><th>{}</th><th>in all</th></tr>\n</tbody>\n</table>\n",
        say_duration(sum.total_seconds)
    );
    text
}
