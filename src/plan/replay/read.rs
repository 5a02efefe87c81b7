//! The report as an outsider reads it: only what is checked.

use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

#[derive(Debug, Deserialize)]
pub(super) struct Report {
    pub(super) plan: Plan,
    pub(super) verdict: String,
    pub(super) exit_code: u8,
    pub(super) fail_on: String,
    pub(super) totals: Totals,
    pub(super) hazards: Vec<Hazard>,
    /// The steps, and behind them the jobs that begin by themselves.
    pub(super) steps: Vec<Step>,
    pub(super) jobs: Vec<Step>,
    /// How many steps somebody wrote.
    #[serde(skip)]
    pub(super) written: usize,
    pub(super) objects: Vec<Object>,
    pub(super) causes: Vec<Cause>,
    pub(super) protection: Option<Protection>,
    pub(super) resources: Resources,
    pub(super) events: Vec<Event>,
}

impl Report {
    pub(super) fn read(json: &Json) -> Result<Self, serde_json::Error> {
        let mut report: Self = serde_json::from_value(json.clone())?;
        report.written = report.steps.len();
        report.steps.append(&mut report.jobs);
        Ok(report)
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Plan {
    pub(super) start_unix: i64,
    pub(super) end_seconds: i64,
    pub(super) checks_until_seconds: i64,
    pub(super) order: String,
    pub(super) blackouts: Vec<Blackout>,
    pub(super) max_exposure_seconds: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Blackout {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) applies_to: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Totals {
    pub(super) objects: usize,
    pub(super) good: usize,
    pub(super) bad: usize,
    pub(super) unknown: usize,
    pub(super) exposure_seconds: i64,
    pub(super) checks: usize,
    pub(super) end_seconds: i64,
    pub(super) most_at_once: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Hazard {
    pub(super) id: String,
    pub(super) severity: String,
    pub(super) step: Option<String>,
    pub(super) objects: Vec<String>,
    pub(super) accepted: Option<String>,
    #[serde(default)]
    pub(super) usual_only: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) reasons: Vec<String>,
    pub(super) start_seconds: Option<i64>,
    pub(super) end_seconds: Option<i64>,
    pub(super) takes_seconds: Option<i64>,
    pub(super) opened: Vec<usize>,
    pub(super) closed: Vec<usize>,
    pub(super) harmed: Vec<String>,
    pub(super) after: Vec<After>,
    pub(super) needs: Needs,
}

#[derive(Debug, Deserialize)]
pub(super) struct After {
    pub(super) key: String,
    pub(super) phase: Phase,
}

#[derive(Debug, Deserialize)]
pub(super) struct Needs {
    pub(super) operator: bool,
    pub(super) locks: Vec<String>,
    pub(super) uses: Vec<String>,
    pub(super) checks: Option<Check>,
    pub(super) names: Vec<String>,
    pub(super) waits_for: Vec<String>,
    pub(super) not_before: Option<i64>,
    pub(super) group: Option<usize>,
    #[serde(default)]
    pub(super) since: i64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Check {
    pub(super) object: String,
    pub(super) owner: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) key: String,
    pub(super) intervals: Vec<Interval>,
    pub(super) exposure_seconds: i64,
    pub(super) oldest_point_seconds: Option<i64>,
    pub(super) ends: Phase,
}

#[derive(Debug, Deserialize)]
pub(super) struct Interval {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) phase: Phase,
    pub(super) open: Vec<usize>,
    pub(super) is_blocked: bool,
    pub(super) caused_by: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cause {
    pub(super) objects: Vec<String>,
    pub(super) is_obstacle: bool,
    pub(super) stops_backups: bool,
    pub(super) opened_by: Option<String>,
    pub(super) opened_at: i64,
    pub(super) closed_by: Option<String>,
    pub(super) closed_at: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Protection {
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) newest_point: Option<String>,
    pub(super) good: Vec<String>,
    pub(super) bad: Vec<String>,
    pub(super) busy: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resources {
    pub(super) operators: usize,
    pub(super) slots: Vec<Slots>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Slots {
    pub(super) owner: Option<String>,
    pub(super) capacity: usize,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) time: i64,
    pub(super) step: Option<String>,
    pub(super) kind: Kind,
    pub(super) causes: Vec<usize>,
    pub(super) changes: Vec<Change>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Begin,
    End,
    NothingToDo,
    Refused,
    BrokenOff,
    Effect,
    Phase,
    Consequence,
    Opened,
    Closed,
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    pub(super) object: String,
    pub(super) field: Option<String>,
    #[serde(default, deserialize_with = "told")]
    pub(super) from: Option<Json>,
    #[serde(default, deserialize_with = "told")]
    pub(super) to: Option<Json>,
}

/// A null that is there is known; only what is left out is not.
fn told<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    Good,
    Bad,
    Busy,
    Stopped,
    Unknown,
    Outside,
}

impl Phase {
    /// Whether no recovery point can be made in it, for all that is known.
    pub(super) fn is_exposed(self) -> bool {
        matches!(self, Self::Bad | Self::Busy | Self::Stopped | Self::Unknown)
    }
}
