//! The steps against the protected objects, for a person.

use std::fmt::Write as _;

use crate::facts::time::say_duration;
use crate::report::diagnostic::clean;
use crate::report::plan::human::Page;
use crate::report::plan::look::{Look, legend};
use crate::report::plan::words::{self, plural};
use crate::report::plan::{CauseX, ObjectX, StepX};

/// Most objects that have a column of their own.
const MOST_COLUMNS: usize = 6;

/// A cell with its lines.
type Cell = Vec<String>;

impl Page<'_> {
    /// The steps against the objects, in the order in which the steps begin.
    pub(super) fn table(&self) -> String {
        let shown: Vec<&ObjectX> = self.columns();
        let mut head: Vec<Cell> =
            ["step", "time", "who", "action"].map(|title| vec![title.to_owned()]).into();
        head.extend(shown.iter().map(|object| vec![clean(&object.key)]));
        let mut rows = vec![head];
        for step in words::in_time(self.report) {
            let mut action = vec![clean(&words::action(step))];
            let outcome = words::outcome(step, self.report, self.clock);
            // What cannot begin says so in the column of what it checks.
            let is_told = step.status == "refused"
                && shown.iter().any(|object| self.is_its_check(step, object));
            if !outcome.is_empty() && !is_told {
                action.push(format!("  {}", clean(&outcome)));
            }
            let mut row =
                vec![vec![clean(&step.id)], vec![self.time(step)], vec![words::who(step)], action];
            row.extend(shown.iter().map(|object| self.cell(step, object)));
            rows.push(row);
        }
        let none = || vec![String::new()];
        let end = self.report.plan.checks_until_seconds;
        let mut last = vec![vec!["end".to_owned()], vec![self.clock.show(end)], none(), none()];
        last.extend(shown.iter().map(|object| {
            let state = object.intervals.last().map_or(Look::Outside, Look::of).sign();
            match object.exposure_seconds {
                0 => vec![state.to_string()],
                seconds => vec![format!("{state} {}", say_duration(seconds))],
            }
        }));
        rows.push(last);
        let mut text = String::from("\n");
        text.push_str(&table(&rows, " "));
        let _ = writeln!(text, " {}", legend(self.report));
        text.push_str(
            " a sign is the worst state while the step runs; the one behind > is the state when it has ended, if another\n",
        );
        let left = self.report.objects.len() - shown.len();
        if left > 0 {
            let _ = writeln!(
                text,
                " {} without a column: {} below or {}",
                plural(left, "object"),
                if left == 1 { "it is listed" } else { "all are listed" },
                if left == 1 { "stays as it is" } else { "stay as they are" }
            );
        }
        text
    }

    /// The objects to which something happens; where they are too many, those that the plan touches, and the
    /// worst first.
    fn columns(&self) -> Vec<&ObjectX> {
        let mut touched: Vec<&ObjectX> = self
            .report
            .objects
            .iter()
            .filter(|one| one.intervals.len() > 1 || !matches!(one.ends, "good" | "outside"))
            .collect();
        if touched.len() > MOST_COLUMNS {
            let of_plan = words::touched(self.report);
            touched.sort_by_key(|one| {
                let is_of_plan = of_plan.contains(one.key.as_str());
                (!is_of_plan, std::cmp::Reverse(one.exposure_seconds))
            });
            touched.truncate(MOST_COLUMNS);
        }
        touched
    }

    fn time(&self, step: &StepX) -> String {
        match (step.start_seconds, step.end_seconds) {
            (Some(start), Some(end)) if end > start => {
                format!("{}-{}", self.clock.show(start), self.clock.show(end))
            }
            (Some(start), _) => self.clock.show(start),
            _ => "never".to_owned(),
        }
    }

    /// How an object looks while a step runs and when it has ended, and what the step does to it: each
    /// cause that makes it bad on a line of its own.
    fn cell(&self, step: &StepX, object: &ObjectX) -> Cell {
        let Some((while_it_runs, then)) = self.looks(step, object) else {
            return vec![String::new()];
        };
        let mut state = while_it_runs.sign().to_string();
        if then != while_it_runs {
            state.extend(['>', then.sign()]);
        }
        let opened = step.opened.iter().filter_map(|number| self.report.causes.get(*number));
        let causes: Vec<&CauseX> =
            opened.filter(|cause| cause.objects.contains(&object.key)).collect();
        // What only stops jobs while the step itself runs is no news beside what stays.
        let passes = |cause: &CauseX| cause.is_obstacle && cause.closed_by == cause.opened_by;
        let stays = causes.iter().any(|cause| !passes(cause));
        let told = causes.into_iter().filter(|cause| !stays || !passes(cause));
        let mut said: Vec<String> = told.map(|cause| cause.rule.clone()).collect();
        said.dedup();
        if self.is_its_check(step, object) && step.status == "refused" {
            said.insert(0, "refused".to_owned());
        } else if self.is_its_check(step, object) && step.is_broken_off {
            said.insert(0, "broken off".to_owned());
        }
        let mut lines = said.iter();
        let mut cell =
            vec![lines.next().map_or_else(|| state.clone(), |one| format!("{state} {one}"))];
        let indent = " ".repeat(state.chars().count() + 1);
        cell.extend(lines.map(|one| format!("{indent}{one}")));
        cell
    }

    /// The worst look of an object while a step runs, and its look when it has ended.
    fn looks(&self, step: &StepX, object: &ObjectX) -> Option<(Look, Look)> {
        let (start, end) = (step.start_seconds?, step.end_seconds?);
        let horizon = self.report.plan.checks_until_seconds;
        let then = match step.after.iter().find(|one| one.key == object.key) {
            // What is behind the last second that counts is not told of objects.
            _ if end > horizon => object.intervals.last().map_or(Look::Outside, Look::of),
            Some(one) => Look::named(one.phase, one.is_blocked),
            None => Look::at_rest(object, end),
        };
        let while_it_runs = if end > start { Look::worst(object, start, end) } else { then };
        Some((while_it_runs, then))
    }

    fn is_its_check(&self, step: &StepX, object: &ObjectX) -> bool {
        words::checks_of(self.report, object).any(|check| check.id == step.id)
    }
}

/// Columns as wide as their widest cell, rows as high as their highest.
fn table(rows: &[Vec<Cell>], indent: &str) -> String {
    let mut lines: Vec<Vec<String>> = Vec::new();
    for row in rows {
        let height = row.iter().map(Vec::len).max().unwrap_or(0);
        for line in 0..height {
            lines
                .push(row.iter().map(|cell| cell.get(line).cloned().unwrap_or_default()).collect());
        }
    }
    super::table(&lines, indent)
}
