//! The jobs that begin by themselves, for a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plan::time::Clock;
use crate::report::diagnostic::clean;
use crate::report::plan::words;
use crate::report::plan::{PlanReport, StepX};

/// What the jobs come to; those of one time, one name and one outcome together.
pub(super) fn text(report: &PlanReport, clock: &Clock) -> String {
    let mut all: BTreeMap<(i64, &str, String), Vec<String>> = BTreeMap::new();
    for job in &report.jobs {
        let (Some(start), Some(title)) = (job.start_seconds, &job.automatic) else { continue };
        let object = job.with.first().map(|(_, value)| clean(value)).unwrap_or_default();
        all.entry((start, title, outcome(job, report, clock))).or_default().push(object);
    }
    let mut text = String::new();
    for ((start, title, outcome), objects) in all {
        let head = if text.is_empty() { "\nJobs that begin by themselves\n" } else { "" };
        let shown = objects.join(", ");
        let at = clock.show_day(start);
        let _ = writeln!(text, "{head}  {at}  {}  {outcome}  {shown}", clean(title));
    }
    text
}

fn outcome(job: &StepX, report: &PlanReport, clock: &Clock) -> String {
    match (job.status, words::outcome(job, report, clock)) {
        ("done", said) if said.is_empty() => "runs".to_owned(),
        ("done", said) => clean(&said),
        _ => "fails".to_owned(),
    }
}
