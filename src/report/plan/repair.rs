//! The report on the repair of a plan: the frozen shape of `schemas/plan-repair-v1.schema.json`.

mod build;
mod changes;
mod html;
mod human;
mod markdown;
mod proof;

use std::io;

use serde::Serialize;

use crate::plan::repair::Repair;
use crate::report::explain::Tool;
use crate::report::plan::{Input, PlanReport, PlanX};

pub use build::build;
pub use html::write as write_repair_html;
pub use human::write as write_repair_human;
pub use markdown::write as write_repair_markdown;

/// What a report on a repair is made of.
#[derive(Clone, Copy, Debug)]
pub struct RepairInput<'a> {
    /// The plan as it is written.
    pub written: Input<'a>,
    /// What was found.
    pub repair: &'a Repair,
    /// The first choice, read from its text and judged again.
    pub repaired: Option<&'a Repaired<'a>>,
    /// What the naive checker has against it.
    pub disagreements: &'a [String],
}

/// A choice as a plan of its own.
#[derive(Clone, Copy, Debug)]
pub struct Repaired<'a> {
    /// What its report is made of.
    pub input: Input<'a>,
    /// Its text.
    pub text: &'a str,
    /// How that differs from the user's.
    pub diff: &'a str,
}

/// The report on a repair.
#[derive(Debug, Serialize)]
pub struct RepairReport {
    /// The kind of this document.
    pub schema: &'static str,
    /// What wrote it.
    pub tool: Tool,
    /// The plan as it is written.
    pub plan: PlanX,
    /// `unchanged`, `optimal`, `best_found`, `infeasible_proven` or `not_found`.
    pub status: &'static str,
    /// The exit code that belongs to it.
    pub exit_code: u8,
    /// Which durations the repair is made for: `longest` or `usual`.
    pub durations: &'static str,
    /// How sure it is.
    pub proof: ProofX,
    /// What the plan is worth as it is written.
    pub written: WorthX,
    /// What the repaired plan is worth; none if there is none.
    pub repaired: Option<RepairedX>,
    /// Other ways to carry it out.
    pub alternatives: Vec<AlternativeX>,
    /// What would help.
    pub sensitivity: Vec<WhatIfX>,
    /// Why there is no plan; none if there is one, or nobody knows.
    pub core: Option<CoreX>,
    /// Why no plan was found, where that is not proven.
    pub why_not: Option<String>,
    /// What rules ask for and nobody could put in.
    pub not_inserted: Vec<NotInsertedX>,
    /// What rules advise, and without which the plan ends as well.
    pub advised: Vec<String>,
    /// The user's steps that cannot begin in any order that was tried.
    pub stuck: Vec<StuckX>,
    /// What a second checker, which knows nothing of the simulation, has against the repaired plan.
    pub disagreements: Vec<String>,
}

/// How sure a repair is.
#[derive(Debug, Default, Serialize)]
pub struct ProofX {
    /// `bound`, `search` or none.
    pub kind: Option<&'static str>,
    /// Of a search: how many orders in the making were looked at.
    pub nodes: Option<u64>,
    /// Weighted seconds between what was found and what no order is below, where that is open.
    pub gap_seconds: Option<i64>,
    /// What no order is below, as a sum.
    pub exposure: CertificateX,
    /// When all is over at the earliest, as a sum.
    pub end: CertificateX,
    /// What holds in every order, in words: what the numbers rest on.
    pub conditions: Vec<String>,
    /// Whether objects count differently in the sums; else each counts once.
    pub is_weighted: bool,
    /// Exposures up to so many hundredths above the least count as alike.
    pub tolerance_percent: i64,
    /// Exposures up to so many seconds above the least count as alike.
    pub tolerance_seconds: i64,
}

/// A sum that anyone can add up.
#[derive(Debug, Default, Serialize)]
pub struct CertificateX {
    /// How it is found.
    pub rule: String,
    /// What it adds up.
    pub summands: Vec<SummandX>,
    /// The sum, in seconds; of an exposure weighted.
    pub total_seconds: i64,
}

/// A part of a sum.
#[derive(Debug, Serialize)]
pub struct SummandX {
    /// What it stands for.
    pub said: String,
    /// Seconds.
    pub seconds: i64,
}

/// What a plan is worth.
#[derive(Debug, Serialize)]
pub struct WorthX {
    /// `passed`, `failed` or `no_verdict`: what `plan check` says, with the longest durations.
    pub verdict: &'static str,
    /// Protected objects that are good at the end.
    pub good: usize,
    /// Protected objects that are not.
    pub bad: usize,
    /// Seconds without protection, all together.
    pub exposure_seconds: i64,
    /// The same, each object's as often as it weighs.
    pub weighted_exposure_seconds: i64,
    /// Checks.
    pub checks: usize,
    /// Seconds from the opening of the window until the last step is over and what ends good is so.
    pub end_seconds: i64,
}

/// The repaired plan.
#[derive(Debug, Serialize)]
pub struct RepairedX {
    /// What it is worth.
    #[serde(flatten)]
    pub worth: WorthX,
    /// The steps by their begin.
    pub steps: Vec<RowX>,
    /// The objects that are without protection at some time, the longest first.
    pub objects: Vec<SufferX>,
    /// What was changed.
    pub edits: Vec<EditX>,
    /// Its file.
    pub text: String,
    /// How that differs from the user's.
    pub diff: String,
    /// Its own report.
    pub report: PlanReport,
}

/// An object without protection, with the durations that the repair is made for.
#[derive(Debug, Serialize)]
pub struct SufferX {
    /// Its key.
    pub object: String,
    /// Times without protection: begin and end.
    pub spans: Vec<(i64, i64)>,
    /// Seconds of them.
    pub exposure_seconds: i64,
    /// Names of the steps that they come from.
    pub caused_by: Vec<String>,
    /// Age of the newest recovery point at its worst, in seconds; none if it is not known.
    pub oldest_point_seconds: Option<i64>,
    /// Whether it is protected at the end.
    pub ends_good: bool,
}

/// A step of the repaired plan, with the durations that the repair is made for.
#[derive(Debug, Serialize)]
pub struct RowX {
    /// Its name.
    pub step: String,
    /// What is done, and at what.
    pub action: String,
    /// When it begins; none if it never does.
    pub start_seconds: Option<i64>,
    /// When it has ended.
    pub end_seconds: Option<i64>,
    /// `insert`, `move`, `wait`, or none where nothing was changed.
    pub op: Option<&'static str>,
    /// What is to be said of it.
    pub said: String,
}

/// A change of the plan.
#[derive(Debug, Serialize)]
pub struct EditX {
    /// `insert`, `delete`, `move` or `wait`.
    pub op: &'static str,
    /// Name of the step.
    pub step: String,
    /// What is done in it.
    pub action: String,
    /// Why, in words.
    pub said: String,
}

/// Another way to carry a plan out.
#[derive(Debug, Serialize)]
pub struct AlternativeX {
    /// `least_edits` or `least_exposure`.
    pub kind: &'static str,
    /// How sure it is, see `status` above.
    pub status: &'static str,
    /// Steps inserted.
    pub inserted: usize,
    /// Steps deleted.
    pub deleted: usize,
    /// Steps moved.
    pub moved: usize,
    /// Seconds without protection, all together; none if it does not fit.
    pub exposure_seconds: Option<i64>,
    /// When the last step is over, in seconds.
    pub end_seconds: Option<i64>,
    /// Its steps in their order.
    pub steps: Vec<String>,
    /// In words.
    pub said: String,
}

/// What would help.
#[derive(Debug, Serialize)]
pub struct WhatIfX {
    /// `window`, `slots` or `waits`.
    pub change: &'static str,
    /// What would be otherwise, in words.
    pub said: String,
    /// Weighted seconds without protection then, of the objects that the repair is about.
    pub exposure_seconds: i64,
    /// When all is over then, in seconds.
    pub end_seconds: i64,
    /// Whether no plan does less harm then.
    pub is_proven: bool,
}

/// Why there is no plan.
#[derive(Debug, Serialize)]
pub struct CoreX {
    /// The reasoning, a sentence each.
    pub reasons: Vec<String>,
    /// The conditions that contradict each other.
    pub members: Vec<String>,
    /// Whether none of them can be left out.
    pub is_minimal: bool,
    /// What would each help, alone.
    pub relaxations: Vec<String>,
}

/// What rules ask for and nobody could put in.
#[derive(Debug, Serialize)]
pub struct NotInsertedX {
    /// What is to be done.
    pub said: String,
    /// Why it was not put in.
    pub why: String,
    /// The objects that need it.
    pub objects: Vec<String>,
}

/// A step that cannot begin.
#[derive(Debug, Serialize)]
pub struct StuckX {
    /// Its name.
    pub step: String,
    /// Why it cannot, a sentence each.
    pub reasons: Vec<String>,
}

impl RepairReport {
    /// Writes it as JSON.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, self)?;
        writeln!(out)
    }
}
