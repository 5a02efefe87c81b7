//! The report on a repair for a person: what comes out, the steps with what is new in them, what is proven, what else there is.

use std::fmt::Write as _;
use std::io;

use anstyle::AnsiColor;

use crate::facts::time::say_duration;
use crate::plan::time::Clock;
use crate::report::diagnostic::clean;
use crate::report::plan::PlanReport;
use crate::report::plan::human::paint;
use crate::report::plan::repair::build::{edits_said, fails};
use crate::report::plan::repair::{CertificateX, RepairReport, RepairedX, RowX};
use crate::report::plan::words::{self, plural};

/// Most lines of one list.
const MOST: usize = 12;

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &RepairReport,
    clock: &Clock,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let page = Page { report, clock, colour };
    let mut text = page.head();
    if let Some(repaired) = &report.repaired {
        text.push_str(&page.steps(repaired));
        text.push_str(&page.objects(repaired));
        text.push_str(&page.hazards(&repaired.report));
    }
    text.push_str(&page.core());
    text.push_str(&page.rest());
    text.push_str(&page.proof());
    out.write_all(text.as_bytes())
}

struct Page<'a> {
    report: &'a RepairReport,
    clock: &'a Clock,
    colour: bool,
}

/// What stands at the head, and whether that is good.
pub(super) fn title(report: &RepairReport) -> (&'static str, bool) {
    match (report.status, &report.repaired) {
        ("unchanged", _) => ("UNCHANGED", report.exit_code == 0),
        ("infeasible_proven", _) => ("NO PLAN", false),
        ("not_found", _) => ("NOT FOUND", false),
        (_, Some(repaired)) if repaired.worth.verdict == "passed" => ("REPAIRED", true),
        _ => ("BETTER, AND STILL NOT RIGHT", false),
    }
}

/// How the repair ends, in numbers.
pub(super) fn ends(report: &RepairReport, clock: &Clock) -> String {
    let protects = &report.plan.protects;
    let Some(repaired) = &report.repaired else {
        return match report.status {
            "unchanged" => format!(
                "the plan is right as it is written: {} without protection, and {}",
                say_duration(report.written.exposure_seconds),
                match report.proof.kind {
                    Some(_) => "no order does less harm",
                    None => "no order was found that does less harm",
                }
            ),
            "infeasible_proven" => "no order of these steps keeps all conditions".to_owned(),
            _ => "no order was found that keeps all conditions, and none is excluded".to_owned(),
        };
    };
    let worth = &repaired.worth;
    let all = worth.good + worth.bad;
    let mut text = format!(
        "{} of {all} {protects} protected at {}",
        worth.good,
        clock.show_day(worth.end_seconds)
    );
    let limit = report.plan.checks_until_seconds;
    if worth.end_seconds <= limit {
        let _ =
            write!(text, " ({} before the window closes)", say_duration(limit - worth.end_seconds));
    }
    let was = &report.written;
    let open = if was.bad > 0 { " and open" } else { "" };
    let _ = write!(
        text,
        " | {} without protection (was {}{open}) | {}",
        say_duration(worth.exposure_seconds),
        say_duration(was.exposure_seconds),
        plural(worth.checks, "check")
    );
    text
}

/// How sure that is.
pub(super) fn proven(report: &RepairReport) -> String {
    let proof = &report.proof;
    let durations = match report.durations {
        "usual" => "for the usual durations",
        _ => "for the longest durations",
    };
    let tolerance = match (proof.tolerance_percent, proof.tolerance_seconds) {
        (0, 0) => String::new(),
        (percent, 0) => format!(" within {percent} %"),
        (0, seconds) => format!(" within {}", say_duration(seconds)),
        (percent, seconds) => format!(" within {percent} % or {}", say_duration(seconds)),
    };
    match (proof.kind, proof.nodes, proof.gap_seconds) {
        (Some("bound"), ..) => format!(
            "the least time without protection{tolerance}, {durations}: proven by a sum, see below"
        ),
        (Some(_), Some(nodes), _) => format!(
            "the least time without protection{tolerance}, {durations}: proven by search ({nodes} nodes)"
        ),
        (.., Some(0)) => format!("no order does less harm{tolerance}, {durations}"),
        (.., Some(gap)) => {
            let least = proof.exposure.total_seconds.max(1);
            let share = gap.saturating_mul(100) / least;
            format!(
                "the best that was found, {durations}; no order is below the sum below, which is {} less ({share} % of it)",
                say_duration(gap)
            )
        }
        _ => String::new(),
    }
}

impl Page<'_> {
    fn paint(&self, text: &str, colour: AnsiColor) -> String {
        paint(text, self.colour, colour)
    }

    fn head(&self) -> String {
        let report = self.report;
        let (word, is_good) = title(report);
        let colour = if is_good { AnsiColor::Green } else { AnsiColor::Red };
        let mut text = format!(
            "{}  {}  {}\n",
            self.paint(word, colour),
            clean(&report.plan.id),
            clean(&ends(report, self.clock))
        );
        let sure = proven(report);
        if !sure.is_empty() && report.status != "unchanged" {
            let _ = writeln!(text, "      {sure}");
        }
        if let Some(repaired) = &report.repaired {
            let _ = writeln!(text, "      {}", edited(repaired));
            if let Some(said) = with_the_longest(report, self.clock) {
                let _ = writeln!(text, "      {}", clean(&said));
            }
        }
        if let Some(why) = &report.why_not {
            let _ = writeln!(text, "      {}", clean(why));
        }
        for wrong in &report.disagreements {
            let _ = writeln!(text, "      a second checker disagrees: {}", clean(wrong));
        }
        text
    }

    /// The steps by their begin.
    fn steps(&self, repaired: &RepairedX) -> String {
        let mut rows = Vec::new();
        for row in &repaired.steps {
            let cells = vec![
                clean(&when(row, self.clock)),
                clean(&row.step),
                clean(&row.action),
                clean(&row.said),
            ];
            rows.push((sign(row.op), cells));
        }
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|(_, row)| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..3).map(width).collect();
        let mut text = String::from("\n");
        for (mark, row) in &rows {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                format!("{cell:<width$}", width = widths.get(column).copied().unwrap_or(0))
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            let line = format!("{mark} {}", line.trim_end());
            let line = match *mark {
                "+" => self.paint(&line, AnsiColor::Green),
                "~" => self.paint(&line, AnsiColor::Yellow),
                _ => line,
            };
            let _ = writeln!(text, "{line}");
        }
        for edit in repaired.edits.iter().filter(|edit| edit.op == "delete") {
            let line = format!("- {}  {}  taken out: {}", edit.step, edit.action, edit.said);
            let _ = writeln!(text, "{}", self.paint(&clean(&line), AnsiColor::Red));
        }
        text.push_str("  + put in   ~ moved   - taken out\n");
        text
    }

    fn objects(&self, repaired: &RepairedX) -> String {
        let exposed = &repaired.objects;
        if exposed.is_empty() {
            return String::new();
        }
        let shown = exposed.iter().take(MOST);
        let width = shown.clone().map(|one| clean(&one.object).chars().count()).max().unwrap_or(0);
        let mut text = String::from("\nWithout protection\n");
        for object in shown {
            let spans = object
                .spans
                .iter()
                .map(|(from, to)| format!("{}-{}", self.clock.show(*from), self.clock.show(*to)));
            let age = object
                .oldest_point_seconds
                .map(|age| format!("; newest recovery point then {} old", say_duration(age)));
            let because = match object.caused_by.as_slice() {
                [] => "as before the plan".to_owned(),
                steps => steps.join(", "),
            };
            let _ = writeln!(
                text,
                "  {:<width$}  {}  {}  {}{}{}",
                clean(&object.object),
                spans.collect::<Vec<_>>().join(", "),
                say_duration(object.exposure_seconds),
                clean(&because),
                age.unwrap_or_default(),
                if object.ends_good { "" } else { "; NOT protected at the end" }
            );
        }
        if exposed.len() > MOST {
            let _ = writeln!(text, "  and {} more", exposed.len() - MOST);
        }
        text
    }

    /// What is still wrong with the repaired plan.
    fn hazards(&self, report: &PlanReport) -> String {
        let open: Vec<_> = words::by_weight(report)
            .filter(|one| one.accepted.is_none() && one.severity != "note")
            .collect();
        if open.is_empty() {
            return String::new();
        }
        let longest =
            if self.report.durations == "usual" { ", with the longest durations" } else { "" };
        let mut text = if fails(report) > 0 {
            format!("\nStill wrong with it{longest}\n")
        } else {
            format!("\nWarnings of `plan check` that stay{longest}\n")
        };
        for hazard in open.iter().take(MOST) {
            let _ = writeln!(
                text,
                "  {}[{}]: {}",
                words::level(hazard),
                hazard.id,
                clean(&hazard.message)
            );
            for help in &hazard.help {
                let _ = writeln!(text, "    help: {}", clean(help));
            }
        }
        if open.len() > MOST {
            let _ = writeln!(text, "  and {} more", open.len() - MOST);
        }
        text
    }

    fn core(&self) -> String {
        let Some(core) = &self.report.core else { return String::new() };
        let mut text = String::from("\nWhy there is none\n");
        for (number, reason) in core.reasons.iter().enumerate() {
            let _ = writeln!(text, "  {}  {}", number + 1, clean(reason));
        }
        let of = if core.is_minimal {
            "These conditions contradict each other, and no fewer of them do"
        } else {
            "These conditions contradict each other; perhaps fewer of them do"
        };
        let _ = writeln!(text, "{of}");
        for member in &core.members {
            let _ = writeln!(text, "  - {}", clean(member));
        }
        if !core.relaxations.is_empty() {
            text.push_str("Any one of these lets a plan exist\n");
            for relaxation in &core.relaxations {
                let _ = writeln!(text, "  - {}", clean(relaxation));
            }
        }
        text
    }

    /// Other ways, what would help, what nobody could do.
    fn rest(&self) -> String {
        let report = self.report;
        let mut text = String::new();
        if !report.alternatives.is_empty() {
            text.push_str("\nOther ways\n");
            for other in &report.alternatives {
                let _ = writeln!(text, "  - {}", clean(&other.said));
            }
        }
        if !report.sensitivity.is_empty() {
            text.push_str("\nWhat would help\n");
            for one in &report.sensitivity {
                let _ = writeln!(
                    text,
                    "  - {}: {} without protection{}, done at {}{}",
                    clean(&one.said),
                    say_duration(one.exposure_seconds),
                    weighted(report),
                    self.clock.show_day(one.end_seconds),
                    if one.is_proven { "" } else { ", or less" }
                );
            }
        }
        if !report.not_inserted.is_empty() {
            text.push_str("\nWhat the rules ask for and nobody could put in\n");
            for one in report.not_inserted.iter().take(MOST) {
                let _ = writeln!(
                    text,
                    "  - for {}: {} Not put in: {}",
                    clean(&one.objects.join(", ")),
                    clean(&one.said),
                    clean(&one.why)
                );
            }
        }
        if !report.advised.is_empty() {
            text.push_str("\nThe rules advise, too, and the plan ends as well without\n");
            for one in report.advised.iter().take(MOST) {
                let _ = writeln!(text, "  - {}", clean(one));
            }
        }
        for one in &report.stuck {
            let _ = writeln!(
                text,
                "\n{} cannot begin in any order that was tried: {}",
                clean(&one.step),
                clean(&one.reasons.join(" "))
            );
        }
        text
    }

    fn proof(&self) -> String {
        let proof = &self.report.proof;
        let mut text = String::new();
        if self.report.status == "infeasible_proven" || proof.exposure.summands.is_empty() {
            return text;
        }
        let weighted =
            if proof.is_weighted { ", in which objects count by their weights" } else { "" };
        let _ = writeln!(text, "\nNo order is below this sum{weighted}");
        text.push_str(&sum(&proof.exposure));
        if !proof.conditions.is_empty() {
            text.push_str("\nWhat all orders have in common\n");
            for condition in proof.conditions.iter().take(MOST) {
                let _ = writeln!(text, "  - {}", clean(condition));
            }
            if proof.conditions.len() > MOST {
                let _ = writeln!(text, "  and {} more", proof.conditions.len() - MOST);
            }
        }
        text
    }
}

/// A sum, line by line.
fn sum(sum: &CertificateX) -> String {
    let mut text = format!("  {}\n", clean(&sum.rule));
    for summand in sum.summands.iter().take(MOST) {
        let _ = writeln!(text, "  {:>14}  {}", say_duration(summand.seconds), clean(&summand.said));
    }
    let rest: i64 = sum.summands.iter().skip(MOST).map(|one| one.seconds).sum();
    if sum.summands.len() > MOST {
        let count = sum.summands.len() - MOST;
        let _ = writeln!(text, "  {:>14}  {count} more", say_duration(rest));
    }
    let _ = writeln!(text, "  {:>14}  in all", say_duration(sum.total_seconds));
    text
}

/// What `plan check` says of a plan that was made for the usual durations.
pub(super) fn with_the_longest(report: &RepairReport, clock: &Clock) -> Option<String> {
    let repaired = report.repaired.as_ref().filter(|_| report.durations == "usual")?;
    let totals = &repaired.report.totals;
    Some(format!(
        "with the longest durations, with which `plan check` counts: {}, done at {}, {} without protection",
        words::verdict(repaired.worth.verdict),
        clock.show_day(totals.end_seconds),
        say_duration(totals.exposure_seconds)
    ))
}

/// Whether objects count differently.
pub(super) fn weighted(report: &RepairReport) -> &'static str {
    if report.proof.is_weighted { " (weighted)" } else { "" }
}

/// How many edits of each sort.
pub(super) fn edited(repaired: &RepairedX) -> String {
    let count = |op: &str| repaired.edits.iter().filter(|edit| edit.op == op).count();
    let waits = match count("wait") {
        0 => String::new(),
        some => format!(", {some} with other waits"),
    };
    let steps = repaired.report.steps.len();
    format!(
        "{} of {}{waits}",
        edits_said(count("insert"), count("delete"), count("move")),
        plural(steps, "step")
    )
}

/// When a step begins and ends.
pub(super) fn when(row: &RowX, clock: &Clock) -> String {
    match (row.start_seconds, row.end_seconds) {
        (Some(from), Some(to)) if to > from => format!("{}-{}", clock.show(from), clock.show(to)),
        (Some(from), _) => clock.show(from),
        _ => "never".to_owned(),
    }
}

/// The sign of a change.
pub(super) fn sign(op: Option<&str>) -> &'static str {
    match op {
        Some("insert") => "+",
        Some("move" | "wait") => "~",
        _ => " ",
    }
}
