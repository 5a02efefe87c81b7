//! The answer: what is as it was in the older report, and what is not.

use std::collections::BTreeSet;
use std::io;

use serde::Serialize;
use serde_json::Value as Json;

use crate::plan::insight::Moved;
use crate::report::explain::Tool;
use crate::report::plan::verify::{Compared, Known, Old, exit_code};
use crate::report::plan::words;
use crate::report::plan::{FileX, HazardX, PlanReport};

/// Whether the verdict of an older report holds.
#[derive(Debug, Serialize)]
pub struct Verified {
    schema: &'static str,
    tool: Tool,
    plan: PlanName,
    /// Whether the verdict is the same.
    pub(super) holds: bool,
    /// The verdict of the older report.
    pub(super) then: String,
    /// The verdict now.
    pub(super) now: &'static str,
    exit_code: u8,
    /// When the older report was written.
    pub(super) reported_at: String,
    /// The program's version, when that is another one.
    pub(super) version_then: String,
    /// Packs and fact files of both.
    pub(super) files: Vec<FileV>,
    /// Settings of rules and actions that are other ones.
    pub(super) settings: Vec<SettingV>,
    /// `same`, `compared`, or `gone`: whether the facts of the older report were there to compare with.
    pub(super) facts: &'static str,
    /// The facts that are other ones.
    pub(super) moved: Vec<MovedV>,
    /// Hazards that the older report does not have.
    pub(super) appeared: Vec<HazardV>,
    /// Hazards that only the older report has.
    pub(super) went: Vec<HazardV>,
}

/// The plan.
#[derive(Debug, Serialize)]
struct PlanName {
    id: String,
    file: String,
}

/// A pack or a fact file.
#[derive(Debug, Serialize)]
pub(super) struct FileV {
    /// `rules` or `facts`.
    pub(super) kind: &'static str,
    pub(super) name: String,
    /// `same`, `other`, `renamed`, `only_then` or `only_now`.
    pub(super) compared: &'static str,
}

/// A setting; none where it is as the pack has it.
#[derive(Debug, Serialize)]
pub(super) struct SettingV {
    pub(super) name: String,
    pub(super) then: Option<String>,
    pub(super) now: Option<String>,
}

/// A fact that moved.
#[derive(Debug, Serialize)]
pub(super) struct MovedV {
    pub(super) object: String,
    pub(super) field: Option<String>,
    pub(super) from: Option<Json>,
    pub(super) to: Option<Json>,
}

/// A hazard.
#[derive(Debug, Serialize)]
pub(super) struct HazardV {
    pub(super) id: String,
    pub(super) severity: String,
    pub(super) message: String,
    step: Option<String>,
    rule: Option<String>,
    objects: Vec<String>,
    /// As `plan check` tells it.
    #[serde(skip)]
    pub(super) level: String,
}

impl Verified {
    /// Compares a report of now with an older one.
    #[must_use]
    pub fn new(old: &Old, report: &PlanReport, compared: Compared<'_>) -> Self {
        let mut files = files("rules", &old.packs, &report.inputs.packs);
        files.extend(self::files("facts", &old.facts, &report.inputs.facts));
        let appeared = report.hazards.iter();
        let appeared = appeared.filter(|one| !old.hazards.iter().any(|known| known.is(one)));
        let went = old.hazards.iter();
        let went = went.filter(|known| !report.hazards.iter().any(|one| known.is(one)));
        let (facts, moved) = match compared {
            Compared::Same => ("same", [].as_slice()),
            Compared::Moved(moved) => ("compared", moved),
            Compared::Gone => ("gone", [].as_slice()),
        };
        Self {
            schema: "dpmguard.plan-verify/v1",
            tool: Tool { name: report.tool.name, version: report.tool.version },
            plan: PlanName { id: report.plan.id.clone(), file: report.plan.file.clone() },
            holds: old.verdict == report.verdict,
            then: old.verdict.clone(),
            now: report.verdict,
            exit_code: exit_code(old, report),
            reported_at: old.now.clone(),
            version_then: old.version.clone(),
            files,
            settings: settings(old, report),
            facts,
            moved: moved.iter().map(MovedV::new).collect(),
            appeared: appeared.map(HazardV::from).collect(),
            went: went.map(HazardV::from).collect(),
        }
    }

    /// The exit code: 0 where the plan passed and passes, 3 where nobody can say now, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// The program's version now.
    pub(super) fn version(&self) -> &'static str {
        self.tool.version
    }

    /// Name and file of the plan.
    pub(super) fn plan(&self) -> (&str, &str) {
        (&self.plan.id, &self.plan.file)
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        crate::report::json::pretty(self, out)
    }
}

impl MovedV {
    fn new(Moved { object, field, from, to }: &Moved) -> Self {
        let (object, field) = (object.clone(), field.clone());
        Self { object, field, from: from.clone(), to: to.clone() }
    }
}

impl From<&HazardX> for HazardV {
    fn from(hazard: &HazardX) -> Self {
        Self {
            id: hazard.id.to_owned(),
            severity: hazard.severity.to_owned(),
            message: hazard.message.clone(),
            step: hazard.step.clone(),
            rule: hazard.rule.clone(),
            objects: hazard.objects.clone(),
            level: words::level(hazard).to_owned(),
        }
    }
}

impl From<&Known> for HazardV {
    fn from(known: &Known) -> Self {
        Self {
            id: known.id.clone(),
            severity: known.severity.clone(),
            message: known.message.clone(),
            step: known.step.clone(),
            rule: known.rule.clone(),
            objects: known.objects.clone(),
            level: if known.no_verdict { "no verdict".to_owned() } else { known.severity.clone() },
        }
    }
}

fn settings(old: &Old, report: &PlanReport) -> Vec<SettingV> {
    let now = |name: &str| {
        let known = report.inputs.settings.iter().find(|one| one.name == name);
        known.map(|one| one.value.clone())
    };
    let then = |name: &str| {
        let known = old.settings.iter().find(|(known, _)| known == name);
        known.map(|(_, value)| value.clone())
    };
    let mut names: BTreeSet<&str> = old.settings.iter().map(|(name, _)| name.as_str()).collect();
    names.extend(report.inputs.settings.iter().map(|one| one.name.as_str()));
    let settings = names.into_iter().map(|name| SettingV {
        name: name.to_owned(),
        then: then(name),
        now: now(name),
    });
    settings.filter(|one| one.then != one.now).collect()
}

/// Files or packs, by name.
fn files(kind: &'static str, old: &[(String, String)], new: &[FileX]) -> Vec<FileV> {
    let mut names: BTreeSet<&str> = old.iter().map(|(name, _)| name.as_str()).collect();
    names.extend(new.iter().map(|file| file.name.as_str()));
    let compared = |name: &str| {
        let then = old.iter().find(|(known, _)| known == name).map(|(_, digest)| digest.as_str());
        let now = new.iter().find(|file| file.name == name).map(|file| file.digest.as_str());
        let is_elsewhere = |digest: &str| {
            new.iter().any(|file| file.digest == digest)
                && old.iter().any(|(_, known)| known == digest)
        };
        match (then, now) {
            (Some(then), Some(now)) if then == now => "same",
            (Some(_), Some(_)) => "other",
            (Some(digest), None) | (None, Some(digest)) if is_elsewhere(digest) => "renamed",
            (Some(_), None) => "only_then",
            _ => "only_now",
        }
    };
    let file = |name: &str| FileV { kind, name: name.to_owned(), compared: compared(name) };
    names.into_iter().map(file).collect()
}
