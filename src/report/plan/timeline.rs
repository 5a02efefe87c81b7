//! The timeline of a plan: the window and the steps above, the protected objects below.
//!
//! `svg` draws it, `text` sets it with one character for a stretch of time; both show what this module
//! lays out.

mod svg;
mod text;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plan::time::Clock;
use crate::report::plan::look::Look;
use crate::report::plan::words;
use crate::report::plan::{IntervalX, ObjectX, PlanReport, StepX};

pub use svg::write as write_svg;
pub(super) use svg::{inline as inline_svg, pair as pair_of_svgs, style};
pub use text::write as write_text;

/// Most objects with a row of their own; the others share rows.
const MOST_ROWS: usize = 40;

/// What a timeline shows.
struct View<'a> {
    report: &'a PlanReport,
    clock: &'a Clock,
    /// Seconds at which it ends.
    to: i64,
    /// Steps that do not overlap, in rows.
    lanes: Vec<Vec<&'a StepX>>,
    /// The objects, the worst first.
    rows: Vec<Row<'a>>,
}

/// A row of the lower part.
enum Row<'a> {
    /// An object.
    One(&'a ObjectX),
    /// Objects with the same begin of their keys.
    Many(String, Vec<&'a ObjectX>),
}

impl<'a> View<'a> {
    fn new(report: &'a PlanReport, clock: &'a Clock) -> Self {
        let to = words::end(report).max(1);
        let mut objects: Vec<&ObjectX> =
            report.objects.iter().filter(|one| !one.intervals.is_empty()).collect();
        objects.sort_by_key(|one| std::cmp::Reverse(one.exposure_seconds));
        Self { report, clock, to, lanes: lanes(&report.steps), rows: rows(objects) }
    }

    /// A stretch of time in words.
    fn span(&self, from: i64, to: i64) -> String {
        words::span(from, to, self.clock)
    }

    /// A state of an object in words.
    fn interval(&self, object: &ObjectX, interval: &IntervalX) -> String {
        let mut text = format!(
            "{}: {}, {}",
            object.key,
            Look::of(interval).words(),
            self.span(interval.from, interval.to)
        );
        if !interval.caused_by.is_empty() {
            let _ = write!(text, "; because of {}", interval.caused_by.join(", "));
        }
        text
    }

    /// A step in words.
    fn step(&self, step: &StepX) -> String {
        words::told(step, self.report, self.clock)
    }

    /// The checks of an object that do not come to their end: when, and what is said of them.
    fn cuts(&self, object: &ObjectX) -> Vec<(i64, String)> {
        let until = self.report.plan.checks_until_seconds;
        let checks = words::checks_of(self.report, object).filter(|step| step.status == "done");
        let cut = checks.filter_map(|step| {
            let end = step.end_seconds?;
            (step.is_broken_off || end > until)
                .then(|| (if end > until { until - 1 } else { end }, self.step(step)))
        });
        cut.collect()
    }
}

/// Steps in as few rows as they need; checks that run to their end are seen at their objects.
fn lanes(steps: &[StepX]) -> Vec<Vec<&StepX>> {
    let mut all: Vec<(i64, &StepX)> = steps
        .iter()
        .filter(|step| step.needs.checks.is_none() || step.status != "done" || step.is_broken_off)
        .filter_map(|step| Some((step.start_seconds?, step)))
        .collect();
    all.sort_by_key(|(start, _)| *start);
    let mut lanes: Vec<(i64, Vec<&StepX>)> = Vec::new();
    for (start, step) in all {
        // What takes no time needs room for its mark.
        let end = step.end_seconds.unwrap_or(start).max(start + 1);
        match lanes.iter_mut().find(|(free, _)| *free <= start) {
            Some((free, lane)) => {
                *free = end;
                lane.push(step);
            }
            None => lanes.push((end, vec![step])),
        }
    }
    lanes.into_iter().map(|(_, lane)| lane).collect()
}

/// A row each for the worst objects, and rows for the others by the begin of their keys.
fn rows(objects: Vec<&ObjectX>) -> Vec<Row<'_>> {
    let most = if objects.len() > MOST_ROWS { MOST_ROWS } else { objects.len() };
    let mut groups: BTreeMap<&str, Vec<&ObjectX>> = BTreeMap::new();
    for object in objects.iter().skip(most) {
        let group = object.key.rsplit_once('/').map_or("", |(group, _)| group);
        groups.entry(group).or_default().push(object);
    }
    let mut rows: Vec<Row<'_>> = objects.into_iter().take(most).map(Row::One).collect();
    rows.extend(groups.into_iter().map(|(group, objects)| Row::Many(group.to_owned(), objects)));
    rows
}

/// How many objects look how, between one change and the next: begin, end, counts.
fn together(objects: &[&ObjectX]) -> Vec<(i64, i64, BTreeMap<Look, usize>)> {
    let mut times: Vec<i64> = objects
        .iter()
        .flat_map(|object| &object.intervals)
        .flat_map(|one| [one.from, one.to])
        .collect();
    times.sort_unstable();
    times.dedup();
    let mut stretches = Vec::new();
    for (from, to) in times.iter().copied().zip(times.iter().copied().skip(1)) {
        let mut counts = BTreeMap::new();
        for object in objects {
            let at = object.intervals.iter().find(|one| one.from <= from && one.to > from);
            if let Some(interval) = at {
                *counts.entry(Look::of(interval)).or_insert(0) += 1;
            }
        }
        stretches.push((from, to, counts));
    }
    stretches
}
