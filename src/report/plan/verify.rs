//! Whether the verdict of an older report on a plan still holds: the report read back, and the answer.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io;

use crate::diagnostic::Diagnostic;
use crate::plan::insight::Moved;
use crate::report::diagnostic::clean;
use crate::report::plan::words::{self, plural};
use crate::report::plan::{FileX, HazardX, PlanReport};
use crate::source::Node;

/// What an older report says.
#[derive(Debug)]
pub struct Old {
    /// The plan file that it is about.
    pub file: String,
    /// The digest of that file.
    pub plan: String,
    /// The fact files: names and digests.
    pub facts: Vec<(String, String)>,
    /// Its threshold.
    pub fail_on: String,
    /// How old facts could be.
    pub max_age: Option<i64>,
    packs: Vec<(String, String)>,
    settings: Vec<(String, String)>,
    version: String,
    verdict: String,
    now: String,
    hazards: Vec<Known>,
}

/// A hazard of the older report.
#[derive(Debug)]
struct Known {
    id: String,
    severity: String,
    message: String,
    step: Option<String>,
    rule: Option<String>,
    objects: Vec<String>,
}

/// What is known of the facts that moved.
#[derive(Clone, Copy, Debug)]
pub enum Compared<'a> {
    /// All fact files have the digests of the older report.
    Same,
    /// The older files are there, and this is what is other now.
    Moved(&'a [Moved]),
    /// The older files are not there any more.
    Gone,
}

impl Old {
    /// Reads a report.
    ///
    /// # Errors
    ///
    /// The first thing that a report on a plan has and this does not.
    pub fn read(root: &Node) -> Result<Self, Diagnostic> {
        let at = |pointer: &str| {
            root.pointer(pointer).ok_or_else(|| {
                let message = format!("this report lacks `{}`", pointer.trim_start_matches('/'));
                Diagnostic::error("not-a-plan-report", message).at(root.place)
            })
        };
        let text = |pointer: &str| {
            at(pointer)?.as_str().map(str::to_owned).ok_or_else(|| {
                let message = format!("`{}` is no text", pointer.trim_start_matches('/'));
                Diagnostic::error("not-a-plan-report", message).at(root.place)
            })
        };
        let list = |pointer: &str| Ok::<_, Diagnostic>(at(pointer)?.as_list().unwrap_or_default());
        let files = |pointer: &str| {
            let files =
                list(pointer)?.iter().map(|file| (said(file, "name"), said(file, "digest")));
            Ok::<Vec<(String, String)>, Diagnostic>(files.collect())
        };
        // Reports had none before there were settings in them.
        let settings = root.pointer("/inputs/settings").and_then(Node::as_list).unwrap_or_default();
        let max_age = root.pointer("/basis/max_age_seconds").and_then(Node::as_int);
        Ok(Self {
            file: text("/plan/file")?,
            plan: text("/inputs/plan")?,
            facts: files("/inputs/facts")?,
            fail_on: text("/fail_on")?,
            max_age,
            packs: files("/inputs/packs")?,
            settings: settings.iter().map(|one| (said(one, "name"), said(one, "value"))).collect(),
            version: text("/tool/version")?,
            verdict: text("/verdict")?,
            now: text("/inputs/now")?,
            hazards: list("/hazards")?.iter().map(known).collect(),
        })
    }
}

fn said(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned()
}

fn known(node: &Node) -> Known {
    let maybe = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    let objects = node.get("objects").and_then(Node::as_list).unwrap_or_default();
    Known {
        id: said(node, "id"),
        severity: said(node, "severity"),
        message: said(node, "message"),
        step: maybe("step"),
        rule: maybe("rule"),
        objects: objects.iter().filter_map(Node::as_str).map(str::to_owned).collect(),
    }
}

impl Known {
    fn is(&self, hazard: &HazardX) -> bool {
        self.id == hazard.id
            && self.step == hazard.step
            && self.rule == hazard.rule
            && self.objects == hazard.objects
    }
}

/// The exit code: 0 where the plan passed and passes, 3 where nobody can say now, else 1.
#[must_use]
pub fn exit_code(old: &Old, report: &PlanReport) -> u8 {
    match (old.verdict.as_str(), report.verdict) {
        (_, "no_verdict") => 3,
        ("passed", "passed") => 0,
        _ => 1,
    }
}

/// Writes the answer.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(
    old: &Old,
    report: &PlanReport,
    compared: Compared<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let (then, now) = (words::verdict(&old.verdict), words::verdict(report.verdict));
    let head = if then == now { "HOLDS" } else { "NO LONGER HOLDS" };
    let mut text = format!("{head}  {}: {then} then, {now} now\n", clean(&report.plan.id));
    if head == "NO LONGER HOLDS" && now == "PASS" {
        text.push_str("      the plan passes with the newer facts: write a new report with `dpmguard plan check`\n");
    }
    let _ = writeln!(text, "      the report was written at {}", clean(&old.now));
    inputs(old, report, &mut text);
    facts(compared, &mut text);
    let appeared: Vec<&HazardX> = report
        .hazards
        .iter()
        .filter(|one| !old.hazards.iter().any(|known| known.is(one)))
        .collect();
    let gone: Vec<&Known> = old
        .hazards
        .iter()
        .filter(|known| !report.hazards.iter().any(|one| known.is(one)))
        .collect();
    if !appeared.is_empty() {
        text.push_str("\nHazards that appeared\n");
    }
    for one in appeared {
        let _ = writeln!(text, "  {}[{}]: {}", one.severity, one.id, clean(&one.message));
    }
    if !gone.is_empty() {
        text.push_str("\nHazards that went\n");
    }
    for one in gone {
        let (severity, id) = (clean(&one.severity), clean(&one.id));
        let _ = writeln!(text, "  {severity}[{id}]: {}", clean(&one.message));
    }
    out.write_all(text.as_bytes())
}

/// What the two verdicts were given with.
fn inputs(old: &Old, report: &PlanReport, text: &mut String) {
    text.push_str("\nGiven with\n");
    let _ = writeln!(text, "  plan   {}: the same", clean(&report.plan.file));
    let then = old.version.as_str();
    let now = report.tool.version;
    if then == now {
        let _ = writeln!(text, "  tool   {now}: the same");
    } else {
        let _ = writeln!(text, "  tool   {} then, {now} now", clean(then));
    }
    settings(old, report, text);
    files("rules", &old.packs, &report.inputs.packs, text);
    files("facts", &old.facts, &report.inputs.facts, text);
}

/// Settings of rules and actions that are other ones.
fn settings(old: &Old, report: &PlanReport, text: &mut String) {
    let now = |name: &str| {
        report.inputs.settings.iter().find(|one| one.name == name).map(|one| one.value.as_str())
    };
    let then = |name: &str| {
        old.settings.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    let mut names: BTreeSet<&str> = old.settings.iter().map(|(name, _)| name.as_str()).collect();
    names.extend(report.inputs.settings.iter().map(|one| one.name.as_str()));
    for name in names.into_iter().filter(|name| then(name) != now(name)) {
        let value = |value: Option<&str>| clean(value.unwrap_or("as the pack has it"));
        let _ = writeln!(
            text,
            "  param  {}: {} then, {} now",
            clean(name),
            value(then(name)),
            value(now(name))
        );
    }
}

/// Files or packs, by name.
fn files(what: &str, old: &[(String, String)], new: &[FileX], text: &mut String) {
    let mut names: BTreeSet<&str> = old.iter().map(|(name, _)| name.as_str()).collect();
    names.extend(new.iter().map(|file| file.name.as_str()));
    for name in names {
        let then = old.iter().find(|(known, _)| known == name).map(|(_, digest)| digest.as_str());
        let now = new.iter().find(|file| file.name == name).map(|file| file.digest.as_str());
        let elsewhere = |digest: Option<&str>| {
            new.iter().any(|file| Some(file.digest.as_str()) == digest)
                && old.iter().any(|(_, known)| Some(known.as_str()) == digest)
        };
        let said = match (then, now) {
            (Some(then), Some(now)) if then == now => "the same",
            (Some(_), Some(_)) => "another one",
            (Some(digest), None) | (None, Some(digest)) if elsewhere(Some(digest)) => {
                "the same under another name"
            }
            (Some(_), None) => "only then",
            _ => "only now",
        };
        let _ = writeln!(text, "  {what}  {}: {said}", clean(name));
    }
}

fn facts(compared: Compared<'_>, text: &mut String) {
    let moved = match compared {
        Compared::Same => return,
        Compared::Gone => {
            text.push_str(
                "\nWhich facts moved cannot be told: the files of the report are not there any more\n",
            );
            return;
        }
        Compared::Moved([]) => {
            text.push_str("\nNo fact moved\n");
            return;
        }
        Compared::Moved(moved) => moved,
    };
    let _ = writeln!(text, "\n{} moved", plural(moved.len(), "fact"));
    let value = |value: &Option<serde_json::Value>| match value {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "not known".to_owned(),
    };
    for Moved { object, field, from, to } in moved {
        let said = match (field, from, to) {
            (None, None, Some(serde_json::Value::Object(_))) => format!("{object} is new"),
            (None, Some(serde_json::Value::Object(_)), None) => format!("{object} is gone"),
            _ => {
                let field = field.as_ref().map(|field| format!(" {field}")).unwrap_or_default();
                format!("{object}{field}: {} -> {}", value(from), value(to))
            }
        };
        let _ = writeln!(text, "  {}", clean(&said));
    }
}
