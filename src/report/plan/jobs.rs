//! The jobs that begin by themselves, for a person.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::plan::time::Clock;
use crate::report::diagnostic::clean;
use crate::report::plan::{PlanReport, StepX};

/// What the jobs come to; those of one time, one name and one outcome together.
pub(super) fn text(report: &PlanReport, clock: &Clock) -> String {
    let mut all: BTreeMap<(i64, &str, String), Vec<String>> = BTreeMap::new();
    for job in &report.jobs {
        let (Some(start), Some(title)) = (job.start_seconds, &job.automatic) else { continue };
        let object = job.with.first().map(|(_, value)| clean(value)).unwrap_or_default();
        all.entry((start, title, outcome(job))).or_default().push(object);
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

fn outcome(job: &StepX) -> String {
    match (job.status, &job.broken_off_by) {
        ("done", None) => "runs".to_owned(),
        ("done", Some(by)) => format!("is broken off by {}", clean(by)),
        _ => "fails".to_owned(),
    }
}
