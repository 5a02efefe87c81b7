//! The report on a change plan: the frozen shape of `schemas/plan-report-v1.schema.json`.
//!
//! `human` lays the same out for a person.

mod build;
mod course;
mod explain;
mod html;
mod human;
mod insight;
mod jobs;
mod junit;
mod look;
mod markdown;
mod repair;
mod sarif;
mod timeline;
mod verify;
mod words;

use std::io;

use serde::Serialize;

use crate::report::explain::{PlaceX, Tool};

pub use build::{Input, build};
pub use course::{BlackoutX, ChangeX, CheckX, EventX, ProtectionX, ResourcesX, SlotsX, StepNeedsX};
pub use explain::{write_object, write_object_json, write_step, write_step_json};
pub use html::write as write_html;
pub use human::write as write_human;
pub use insight::{
    BasisX, BlastX, CollectedX, FixX, GapX, GroupX, HarmX, KnockOnX, MostX, NamedX, OutlookX,
    RingsX, SeenX, SharedX, StopX, SuffersX, TakesX, UndoX,
};
pub use junit::write as write_junit;
pub use markdown::write as write_markdown;
pub use repair::{
    AlternativeX, CertificateX, CoreX, EditX, NotInsertedX, ProofX, RepairInput, RepairReport,
    Repaired, RepairedX, RowX, StuckX, SufferX, SummandX, WhatIfX, WorthX, build as build_repair,
    write_repair_html, write_repair_human, write_repair_markdown,
};
pub use sarif::write as write_sarif;
pub use timeline::{write_svg, write_text as write_timeline};
pub use verify::{Compared, Old, Verified};

/// The report on a plan.
#[derive(Debug, Serialize)]
pub struct PlanReport {
    /// The kind of this document.
    pub schema: &'static str,
    /// What wrote it.
    pub tool: Tool,
    /// The plan.
    pub plan: PlanX,
    /// What it was judged with.
    pub inputs: InputsX,
    /// `passed`, `failed` or `no_verdict`.
    pub verdict: &'static str,
    /// The exit code that belongs to it.
    pub exit_code: u8,
    /// From which severity on a hazard fails the plan.
    pub fail_on: &'static str,
    /// The whole in numbers.
    pub totals: TotalsX,
    /// How it would end with the usual durations.
    pub expected: OutlookX,
    /// How it would end if nothing happened that need not.
    pub without_chance: OutlookX,
    /// Whom the plan can hurt.
    pub blast: BlastX,
    /// On what the verdict rests.
    pub basis: BasisX,
    /// What is odd about the plan file and the facts, a line each.
    pub warnings: Vec<String>,
    /// What is wrong, the worst first.
    pub hazards: Vec<HazardX>,
    /// The steps, in the order of the plan.
    pub steps: Vec<StepX>,
    /// Jobs that begin by themselves and have something to do, in the order in which they begin.
    pub jobs: Vec<StepX>,
    /// The protected objects, by key.
    pub objects: Vec<ObjectX>,
    /// The causes that stood at some time; steps and intervals name them by their position.
    pub causes: Vec<CauseX>,
    /// What being protected means; none where no pack says it.
    pub protection: Option<ProtectionX>,
    /// What there is of people and of slots for checks.
    pub resources: ResourcesX,
    /// All that happened, in order.
    pub events: Vec<EventX>,
}

/// The plan.
#[derive(Debug, Serialize)]
pub struct PlanX {
    /// Its name.
    pub id: String,
    /// What it is for.
    pub title: String,
    /// Its file.
    pub file: String,
    /// When its window opens.
    pub start: String,
    /// When it closes.
    pub end: String,
    /// Seconds from there to here.
    pub end_seconds: i64,
    /// Until when checks may run.
    pub checks_until: String,
    /// The zone of its times.
    pub zone: String,
    /// The kind of the protected objects, in the plural.
    pub protects: String,
    /// When its window opens, in seconds since 1970.
    pub start_unix: i64,
    /// Seconds from there until which checks may run.
    pub checks_until_seconds: i64,
    /// `as_written` or `partial`.
    pub order: &'static str,
    /// Times in which something must be left alone.
    pub blackouts: Vec<BlackoutX>,
    /// The longest that one object may be without protection, in seconds.
    pub max_exposure_seconds: Option<i64>,
}

/// What a plan was judged with.
#[derive(Debug, Serialize)]
pub struct InputsX {
    /// SHA-256 of the plan file.
    pub plan: String,
    /// The fact files with their digests.
    pub facts: Vec<FileX>,
    /// The packs with their digests.
    pub packs: Vec<FileX>,
    /// Settings of rules and actions that are not those of the packs.
    pub settings: Vec<SettingX>,
    /// The instant of the run.
    pub now: String,
    /// Seconds from the oldest observation to the opening of the window; none without facts.
    pub facts_age_seconds: Option<i64>,
}

/// A file or pack.
#[derive(Debug, Serialize)]
pub struct FileX {
    /// Its name.
    pub name: String,
    /// SHA-256.
    pub digest: String,
}

/// A setting of a rule or an action.
#[derive(Debug, Serialize)]
pub struct SettingX {
    /// The rule or action and the setting, with a dot between.
    pub name: String,
    /// Its value, as JSON.
    pub value: String,
}

/// The whole in numbers.
#[derive(Debug, Serialize)]
pub struct TotalsX {
    /// How many objects are protected.
    pub objects: usize,
    /// How many of them are good when the window closes.
    pub good: usize,
    /// How many are not.
    pub bad: usize,
    /// Of how many nobody can say.
    pub unknown: usize,
    /// Seconds without protection, all objects together.
    pub exposure_seconds: i64,
    /// The same with the usual durations.
    pub expected_exposure_seconds: i64,
    /// How many checks succeed.
    pub checks: usize,
    /// When the last step ends.
    pub end: String,
    /// Seconds from the opening of the window to there.
    pub end_seconds: i64,
    /// Most objects that are without protection at one time.
    pub most_at_once: usize,
}

/// Something wrong.
#[derive(Debug, Serialize)]
pub struct HazardX {
    /// What kind.
    pub id: &'static str,
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// Whether it means that nobody can say, so that it leaves the plan without a verdict.
    pub no_verdict: bool,
    /// What is wrong.
    pub message: String,
    /// The step.
    pub step: Option<String>,
    /// Keys of the objects that it is about.
    pub objects: Vec<String>,
    /// Where in the plan.
    pub place: PlaceX,
    /// How it came about.
    pub chain: Vec<String>,
    /// What helps.
    pub help: Vec<String>,
    /// The rule behind it.
    pub rule: Option<String>,
    /// `will`, or `may` where it depends on something that may happen.
    pub certainty: &'static str,
    /// Who takes responsibility, and why.
    pub accepted: Option<String>,
    /// Whether it comes true in another course of events only, and not with the longest durations.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub usual_only: bool,
    /// Which course that is: `usual_durations`, `other_order` or `mixed_durations`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub course: Option<&'static str>,
}

/// A step.
#[derive(Debug, Serialize)]
pub struct StepX {
    /// Its name.
    pub id: String,
    /// Its action.
    pub action: String,
    /// Of a job that begins by itself: what it is called.
    pub automatic: Option<String>,
    /// Its arguments: names and values as text.
    pub with: Vec<(String, String)>,
    /// Key of the object at which it is done.
    pub at: Option<String>,
    /// Where it stands.
    pub place: PlaceX,
    /// When it begins, counted with the longest durations.
    pub start: Option<String>,
    /// When it ends so.
    pub end: Option<String>,
    /// Seconds from the opening of the window to its begin.
    pub start_seconds: Option<i64>,
    /// Seconds to its end.
    pub end_seconds: Option<i64>,
    /// When it ends with the usual durations.
    pub expected_end: Option<String>,
    /// `done`, `nothing_to_do`, `refused` or `never`.
    pub status: &'static str,
    /// Whether another step broke it off, or made it worthless while it ran.
    pub is_broken_off: bool,
    /// The step or job that did so.
    pub broken_off_by: Option<String>,
    /// Why it could not begin.
    pub reasons: Vec<String>,
    /// Causes that appear with it.
    pub opened: Vec<usize>,
    /// Causes that are gone with it.
    pub closed: Vec<usize>,
    /// Keys of the protected objects that it makes bad.
    pub harmed: Vec<String>,
    /// What its duration rests on.
    pub because: String,
    /// The protected objects that are not good when it has ended: how things are if the plan stops here.
    pub after: Vec<AfterX>,
    /// What it occupies, and what it waits for.
    pub needs: StepNeedsX,
    /// Seconds that it takes with the longest duration; none if it never was to begin.
    pub takes_seconds: Option<i64>,
    /// Steps that must have ended before, by the order of the plan, too.
    pub begins_after: Vec<String>,
    /// Whether it can be taken back.
    pub can_be_undone: bool,
    /// What takes it back.
    pub undo: Option<UndoX>,
    /// Latest begin of it and of everything behind it with which the plan still ends in time; none where it
    /// does not end in time anyway.
    pub latest_start: Option<String>,
    /// Seconds from the opening of the window to there.
    pub latest_start_seconds: Option<i64>,
    /// How things are if the plan ends after it; none if it never begins.
    pub stop: Option<StopX>,
    /// Whom it can hurt.
    pub blast: RingsX,
}

/// A protected object that is not good when a step has ended.
#[derive(Debug, Serialize)]
pub struct AfterX {
    /// Its key.
    pub key: String,
    /// The state: `bad`, `busy` or `unknown`.
    pub phase: &'static str,
    /// Whether a check alone would not help.
    pub is_blocked: bool,
}

/// A protected object over time.
#[derive(Debug, Serialize)]
pub struct ObjectX {
    /// Its key.
    pub key: String,
    /// Its states.
    pub intervals: Vec<IntervalX>,
    /// Seconds without protection.
    pub exposure_seconds: i64,
    /// Age of the newest recovery point at its worst.
    pub oldest_point_seconds: Option<i64>,
    /// How much its time without protection counts.
    pub weight: i64,
    /// Its state at the end: `good`, `bad`, `busy`, `unknown` or `outside`.
    pub ends: &'static str,
}

/// A state of an object.
#[derive(Debug, Serialize)]
pub struct IntervalX {
    /// Its begin, in seconds from the opening of the window.
    pub from: i64,
    /// Its end.
    pub to: i64,
    /// The state.
    pub phase: &'static str,
    /// Causes that stand.
    pub open: Vec<usize>,
    /// Whether a check alone would not help: a cause stands, or the check could not begin.
    pub is_blocked: bool,
    /// The steps that it comes from.
    pub caused_by: Vec<String>,
}

/// A cause.
#[derive(Debug, Serialize)]
pub struct CauseX {
    /// The rule.
    pub rule: String,
    /// Key of what it is about.
    pub subject: String,
    /// What is wrong.
    pub message: String,
    /// The step at which it appeared; none if it stood before.
    pub opened_by: Option<String>,
    /// The step at which it was gone; none if it stands at the end.
    pub closed_by: Option<String>,
    /// Keys of the protected objects that it makes bad, or of which it stops checks.
    pub objects: Vec<String>,
    /// Whether it makes nothing bad, and only keeps checks from succeeding.
    pub is_obstacle: bool,
    /// Whether no backup succeeds while it stands.
    pub stops_backups: bool,
    /// When it appeared, in seconds from the opening of the window.
    pub opened_at: i64,
    /// When it was gone.
    pub closed_at: Option<i64>,
}

impl PlanReport {
    /// Writes it as JSON.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        crate::report::json::pretty(self, out)
    }
}
