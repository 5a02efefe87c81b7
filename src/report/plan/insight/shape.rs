//! The frozen shapes of what else is said of a plan.

use serde::Serialize;

/// How things are if the plan ends after a step.
#[derive(Debug, Serialize)]
pub struct StopX {
    /// When the step has ended, and what runs beside it; checks aside.
    pub at: String,
    /// The same in seconds from the opening of the window.
    pub at_seconds: i64,
    /// Steps that run beside it and are let end.
    pub running: Vec<String>,
    /// Protected objects that are not good then and have to be.
    pub bad: Vec<String>,
    /// Those that need a check which does not run yet.
    pub checks: Vec<String>,
    /// What has to be repaired before.
    pub fixes: Vec<FixX>,
    /// `at` a time, `never` while a cause stands, or `unknown`.
    pub all_good: &'static str,
    /// When all are good again, if the checks begin at once.
    pub by: Option<String>,
    /// The same in seconds from the opening of the window.
    pub by_seconds: Option<i64>,
    /// Whether that is before checks have to end.
    pub is_in_time: bool,
    /// Those at which a cause stands.
    pub blocked: Vec<String>,
    /// What would have to be known.
    pub missing: Option<String>,
}

/// Something that has to be repaired.
#[derive(Debug, Serialize)]
pub struct FixX {
    /// The action.
    pub action: String,
    /// Key of the object at which it is done.
    pub at: Option<String>,
    /// The step of the plan that would do it.
    pub step: Option<String>,
    /// What would have to be known to say whether it is needed.
    pub unsure: Option<String>,
}

/// What takes a step back.
#[derive(Debug, Serialize)]
pub struct UndoX {
    /// The action.
    pub action: String,
    /// Its arguments: names and values as text, as they were before the step.
    pub with: Vec<(String, String)>,
}

/// Whom a step can hurt.
#[derive(Debug, Serialize)]
pub struct RingsX {
    /// The objects that it names.
    pub direct: Vec<NamedX>,
    /// Protected objects behind what it names or locks.
    pub shared: Vec<SharedX>,
    /// What follows for others.
    pub knock_on: KnockOnX,
    /// Seconds without protection of which it is one of the causes, all objects together.
    pub exposure_seconds: i64,
}

/// An object of the facts.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct NamedX {
    /// Its kind.
    pub kind: String,
    /// Its key.
    pub key: String,
}

/// A protected object behind another.
#[derive(Debug, Serialize)]
pub struct SharedX {
    /// Its key.
    pub key: String,
    /// The object that the step names or locks.
    pub through: NamedX,
}

/// What follows for others.
#[derive(Debug, Serialize)]
pub struct KnockOnX {
    /// Protected objects that are without protection because of it, too.
    pub objects: Vec<HarmX>,
    /// Steps that fail because of it.
    pub steps: Vec<SuffersX>,
}

/// A protected object without protection.
#[derive(Debug, Serialize)]
pub struct HarmX {
    /// Its key.
    pub key: String,
    /// When that began, in seconds from the opening of the window.
    pub from: i64,
    /// For how many seconds the step is one of the causes.
    pub seconds: i64,
}

/// A step that fails because of another.
#[derive(Debug, Serialize)]
pub struct SuffersX {
    /// Which.
    pub step: String,
    /// `broken_off` or `refused`.
    pub how: &'static str,
}

/// Whom the plan can hurt.
#[derive(Debug, Serialize)]
pub struct BlastX {
    /// The protected objects in any ring of any step, by key.
    pub objects: Vec<String>,
    /// Hours without protection, all objects together.
    pub object_hours: f64,
    /// The same, each object's hours as often as it weighs.
    pub weighted_object_hours: f64,
    /// The step with most of them.
    pub most: Option<MostX>,
    /// The largest group of objects that are without protection at one moment.
    pub largest: Option<GroupX>,
}

/// The step that contributes most.
#[derive(Debug, Serialize)]
pub struct MostX {
    /// Which.
    pub step: String,
    /// Seconds without protection of which it is one of the causes, all objects together.
    pub exposure_seconds: i64,
}

/// Objects that are without protection at the same time.
#[derive(Debug, Serialize)]
pub struct GroupX {
    /// When the last of them joins.
    pub from: String,
    /// When the first of them leaves.
    pub to: String,
    /// Seconds from the opening of the window to the one.
    pub from_seconds: i64,
    /// And to the other.
    pub to_seconds: i64,
    /// The objects, by key.
    pub objects: Vec<String>,
}

/// On what the verdict rests.
#[derive(Debug, Serialize)]
pub struct BasisX {
    /// How old facts may be when the window opens; none if nobody said.
    pub max_age_seconds: Option<i64>,
    /// The fact files.
    pub files: Vec<SeenX>,
    /// The collections in them.
    pub collections: Vec<CollectedX>,
    /// What is not known.
    pub unknown: Vec<GapX>,
    /// Steps that may do something which they need not; it is counted as done.
    pub chance: Vec<String>,
    /// How long steps take, and why.
    pub durations: Vec<TakesX>,
    /// What else is taken for granted where nobody says it.
    pub assumed: Vec<String>,
    /// All that fact files have to hold for somebody to say what nobody can.
    pub collect: Vec<String>,
}

/// A fact file.
#[derive(Debug, Serialize)]
pub struct SeenX {
    /// Its name.
    pub name: String,
    /// When it was observed.
    pub observed_at: String,
    /// Seconds from there to the opening of the window.
    pub age_seconds: i64,
    /// Whether that is more than allowed.
    pub is_too_old: bool,
}

/// A collection of the facts.
#[derive(Debug, Serialize)]
pub struct CollectedX {
    /// Its name.
    pub name: String,
    /// How many objects it has.
    pub count: usize,
    /// When the oldest part of it was collected.
    pub collected_at: String,
    /// Seconds from there to the opening of the window.
    pub age_seconds: i64,
    /// Whether that is more than allowed.
    pub is_too_old: bool,
    /// Whether there are no other objects than these.
    pub is_complete: bool,
}

/// Something that is not known.
#[derive(Debug, Serialize)]
pub struct GapX {
    /// The step that hangs on it.
    pub step: String,
    /// What is missing.
    pub missing: String,
}

/// How long a step takes.
#[derive(Debug, Serialize)]
pub struct TakesX {
    /// Which.
    pub step: String,
    /// Seconds as a rule.
    pub expected_seconds: i64,
    /// Seconds at worst.
    pub worst_seconds: i64,
    /// Whether the plan says so.
    pub is_stated: bool,
    /// What it rests on.
    pub because: String,
}

/// How the plan would end under other assumptions.
#[derive(Debug, Serialize)]
pub struct OutlookX {
    /// `passed`, `failed` or `no_verdict`.
    pub verdict: &'static str,
    /// How many errors are left.
    pub errors: usize,
    /// How many objects are not good when the window closes.
    pub bad: usize,
    /// Of how many nobody can say.
    pub unknown: usize,
    /// Seconds without protection, all objects together.
    pub exposure_seconds: i64,
    /// When the last step ends.
    pub end: String,
    /// Seconds from the opening of the window to there.
    pub end_seconds: i64,
}
