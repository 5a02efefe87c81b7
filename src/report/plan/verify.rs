//! Whether the verdict of an older report on a plan still holds: the report read back, and the answer.

mod compare;
mod human;
mod sound;

use crate::diagnostic::Diagnostic;
use crate::plan::insight::Moved;
use crate::report::plan::{HazardX, PlanReport};
use crate::source::Node;

pub use compare::Verified;

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
    no_verdict: bool,
    is_accepted: bool,
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
    /// The first thing that a report on a plan has and this does not, or that contradicts another.
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
        let old = Self {
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
        };
        sound::check(root, &old)?;
        Ok(old)
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
        no_verdict: node.get("no_verdict").and_then(Node::as_bool).unwrap_or(false),
        is_accepted: maybe("accepted").is_some(),
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
fn exit_code(old: &Old, report: &PlanReport) -> u8 {
    match (old.verdict.as_str(), report.verdict) {
        (_, "no_verdict") => 3,
        ("passed", "passed") => 0,
        _ => 1,
    }
}
