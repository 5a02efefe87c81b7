//! The timeline for a terminal: a character for a quarter of an hour, or for longer where the line would
//! not hold it.

use std::fmt::Write as _;
use std::io;

use crate::facts::time::say_duration;
use crate::plan::time::Clock;
use crate::report::diagnostic::clean;
use crate::report::plan::look::{Look, legend};
use crate::report::plan::timeline::{Row, View, together};
use crate::report::plan::words;
use crate::report::plan::{ObjectX, PlanReport, StepX};

/// Seconds that a character may stand for.
const UNITS: [i64; 8] = [900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400];

/// Where a check is broken off, and where clocks are changed.
const CUT: char = '!';
const CHANGE: char = '|';

/// Marks of the first steps in the lanes.
const MARKS: &str = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWYZ";

/// Writes the timeline, no wider than `width` columns where names leave room for that.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    report: &PlanReport,
    clock: &Clock,
    width: usize,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let view = View::new(report, clock);
    let labels = view.rows.iter().map(label).chain(["window".to_owned(), "steps".to_owned()]);
    let left = labels.map(|label| label.chars().count()).max().unwrap_or(0);
    let room = i64::try_from(width.saturating_sub(left + 3).max(12)).unwrap_or(i64::MAX);
    let fits = |unit: &i64| (view.to + unit - 1) / unit <= room;
    let unit = UNITS.into_iter().find(fits).unwrap_or_else(|| view.to / room + 1);
    let sheet = Sheet { view: &view, left, unit, room };
    let mut text = format!(
        "{} {}: {}\n\n",
        words::verdict(report.verdict),
        clean(&report.plan.id),
        clean(&words::ends(report, clock))
    );
    text.push_str(&sheet.times());
    sheet.row("window", &sheet.window(), &mut text);
    for (number, lane) in view.lanes.iter().enumerate() {
        sheet.row(if number == 0 { "steps" } else { "" }, &sheet.lane(lane), &mut text);
    }
    for row in &view.rows {
        let cells = match row {
            Row::One(object) => sheet.object(object),
            Row::Many(_, objects) => sheet.group(objects),
        };
        sheet.row(&label(row), &cells, &mut text);
    }
    text.push_str(&sheet.legend());
    out.write_all(text.as_bytes())
}

fn label(row: &Row<'_>) -> String {
    match row {
        Row::One(object) => clean(&object.key),
        Row::Many(group, objects) => format!("{}/: {} more", clean(group), objects.len()),
    }
}

/// The sign of a step in the lanes.
fn mark(position: usize) -> char {
    MARKS.chars().nth(position).unwrap_or('#')
}

struct Sheet<'a> {
    view: &'a View<'a>,
    left: usize,
    unit: i64,
    /// Cells that a line may have.
    room: i64,
}

impl Sheet<'_> {
    fn row(&self, name: &str, cells: &str, text: &mut String) {
        let pad = self.left.saturating_sub(name.chars().count());
        let _ = writeln!(text, "  {name}{} {}", " ".repeat(pad), cells.trim_end());
    }

    /// Begins and ends of the cells.
    fn cells(&self) -> impl Iterator<Item = (i64, i64)> {
        let count = (self.view.to + self.unit - 1) / self.unit;
        let unit = self.unit;
        (0..count).map(move |cell| (cell * unit, (cell + 1) * unit))
    }

    /// A time above every eighth cell, or above fewer where times are long because clocks are changed.
    fn times(&self) -> String {
        let mut line = String::new();
        let longest = self.cells().map(|(from, _)| self.view.clock.show(from).len()).max();
        let every = if longest.unwrap_or(0) < 8 { 8 } else { 16 };
        for (cell, (from, _)) in self.cells().enumerate() {
            let label = self.view.clock.show(from);
            let is_room = i64::try_from(cell + label.len()).is_ok_and(|end| end <= self.room);
            if cell % every == 0 && is_room {
                let pad = cell.saturating_sub(line.chars().count());
                line.push_str(&" ".repeat(pad));
                line.push_str(&label);
            }
        }
        format!("  {} {}\n", " ".repeat(self.left), line.trim_end())
    }

    fn window(&self) -> String {
        let plan = &self.view.report.plan;
        let changes = self.view.clock.changes(self.view.to);
        let cell = |(from, to): (i64, i64)| {
            let is_black = plan.blackouts.iter().any(|one| one.from < to && from < one.to);
            match () {
                () if changes.iter().any(|(at, _)| (from..to).contains(at)) => CHANGE,
                () if is_black => '#',
                () if from < plan.end_seconds => '=',
                () if from < plan.checks_until_seconds => '_',
                () => ' ',
            }
        };
        self.cells().map(cell).collect()
    }

    fn lane(&self, lane: &[&StepX]) -> String {
        let steps = words::in_time(self.view.report);
        let cell = |(from, to): (i64, i64)| {
            let meets = |step: &&&StepX| {
                let start = step.start_seconds.unwrap_or(0);
                let end = step.end_seconds.unwrap_or(start).max(start + 1);
                start < to && from < end
            };
            // Of several in one cell the one is shown that begins in it.
            let begins = |step: &&&StepX| step.start_seconds.is_some_and(|start| start >= from);
            let found = lane.iter().filter(meets).find(begins).or_else(|| lane.iter().find(meets));
            let position = found.and_then(|step| steps.iter().position(|one| one.id == step.id));
            position.map_or(' ', mark)
        };
        self.cells().map(cell).collect()
    }

    fn object(&self, object: &ObjectX) -> String {
        let cuts = self.view.cuts(object);
        let cell = |(from, to): (i64, i64)| {
            let is_cut = cuts.iter().any(|(at, _)| (from..to).contains(at));
            if is_cut { CUT } else { Look::worst(object, from, to).sign() }
        };
        self.cells().map(cell).collect()
    }

    fn group(&self, objects: &[&ObjectX]) -> String {
        let stretches = together(objects);
        let cell = |(from, to): (i64, i64)| {
            let meets = stretches.iter().filter(|(begin, end, _)| *begin < to && from < *end);
            let worst =
                meets.filter_map(|(_, _, counts)| counts.last_key_value()).map(|(look, _)| *look);
            worst.max().unwrap_or(Look::Outside).sign()
        };
        self.cells().map(cell).collect()
    }

    fn legend(&self) -> String {
        let mut text = format!("\n  {}\n", legend(self.view.report));
        let _ = writeln!(
            text,
            "  {CUT}  a check does not come to its end   =  window   _  only checks   #  blackout   {CHANGE}  clocks are changed"
        );
        let _ = writeln!(
            text,
            "  a character is {}, a sign the worst state in it",
            say_duration(self.unit)
        );
        let plan = &self.view.report.plan;
        let _ = writeln!(
            text,
            "  times are those of {} ({})",
            clean(&plan.zone),
            self.view.clock.offset(0)
        );
        for (_, said) in self.view.clock.changes(self.view.to) {
            let _ = writeln!(text, "  {said}");
        }
        if !self.view.report.steps.is_empty() {
            text.push('\n');
        }
        for (position, step) in words::in_time(self.view.report).into_iter().enumerate() {
            let _ = writeln!(text, "  {}  {}", mark(position), clean(&self.view.step(step)));
        }
        text
    }
}
