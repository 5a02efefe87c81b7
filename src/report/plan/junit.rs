//! The report on a plan as `JUnit` XML: a case for each protected object and for each step, so that a build
//! server shows what failed.

use std::fmt::Write as _;
use std::io;

use crate::facts::time::say_duration;
use crate::finding::Severity;
use crate::gate::Threshold;
use crate::plan::time::Clock;
use crate::report::diagnostic::clean;
use crate::report::markup::xml;
use crate::report::plan::words;
use crate::report::plan::{HazardX, ObjectX, PlanReport, StepX};

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(report: &PlanReport, clock: &Clock, out: &mut dyn io::Write) -> io::Result<()> {
    let page = Page {
        report,
        clock,
        threshold: Threshold::named(report.fail_on).unwrap_or(Threshold::From(Severity::Error)),
    };
    let suites = [
        ("objects", page.objects()),
        ("steps", words::in_time(report).into_iter().map(|step| page.step(step)).collect()),
        ("plan", vec![page.whole()]),
    ];
    let all = || suites.iter().flat_map(|(_, cases)| cases);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{}\" {}>\n",
        xml(&clean(&report.plan.id)),
        counts(all())
    );
    for (name, cases) in &suites {
        let _ = writeln!(text, "  <testsuite name=\"{name}\" {}>", counts(cases.iter()));
        for case in cases {
            page.case(name, case, &mut text);
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    out.write_all(text.as_bytes())
}

/// What came of a case.
enum Came {
    Passed,
    /// It fails the plan: in a few words, and at length.
    Failed(String, String),
    /// Nobody can say.
    Unknown(String, String),
    /// It is not well, and does not fail the plan.
    Skipped(String),
}

struct Case {
    name: String,
    line: Option<u32>,
    came: Came,
}

/// How many cases came out how.
fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.came {
            Came::Passed => {}
            Came::Failed(..) => failures += 1,
            Came::Unknown(..) => errors += 1,
            Came::Skipped(_) => skipped += 1,
        }
    }
    format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
}

/// Whether a hazard belongs to the objects that it names, not to a step.
fn is_of_objects(hazard: &HazardX) -> bool {
    matches!(hazard.id, "plan-end-unprotected" | "plan-exposure") && !hazard.objects.is_empty()
}

struct Page<'a> {
    report: &'a PlanReport,
    clock: &'a Clock,
    threshold: Threshold,
}

impl Page<'_> {
    fn case(&self, suite: &str, case: &Case, text: &mut String) {
        let line = case.line.map(|line| format!(" line=\"{line}\"")).unwrap_or_default();
        let _ = write!(
            text,
            "    <testcase name=\"{}\" classname=\"{}.{suite}\" file=\"{}\"{line}",
            xml(&clean(&case.name)),
            xml(&clean(&self.report.plan.id)),
            xml(&self.report.plan.file),
        );
        let (element, message, body) = match &case.came {
            Came::Passed => {
                text.push_str("/>\n");
                return;
            }
            Came::Skipped(why) => {
                let why = xml(&clean(why));
                let _ = writeln!(text, ">\n      <skipped message=\"{why}\"/>\n    </testcase>");
                return;
            }
            Came::Failed(message, body) => ("failure", message, body),
            Came::Unknown(message, body) => ("error", message, body),
        };
        let _ = writeln!(
            text,
            ">\n      <{element} message=\"{}\">{}</{element}>\n    </testcase>",
            xml(&clean(message)),
            xml(body)
        );
    }

    /// What hazards make of a case.
    fn came(&self, hazards: &[&HazardX]) -> Option<Came> {
        let open = || hazards.iter().copied().filter(|one| one.accepted.is_none());
        let is_unknown = |one: &HazardX| one.no_verdict;
        let fails = |one: &HazardX| {
            let severity = Severity::named(one.severity);
            !is_unknown(one) && severity.is_some_and(|severity| self.threshold.reached(severity))
        };
        if let Some(first) = open().find(|one| fails(one)) {
            return Some(Came::Failed(
                first.message.clone(),
                body(open().filter(|one| fails(one))),
            ));
        }
        if let Some(first) = open().find(|one| is_unknown(one)) {
            let unknown = open().filter(|one| is_unknown(one));
            return Some(Came::Unknown(first.message.clone(), body(unknown)));
        }
        None
    }

    fn objects(&self) -> Vec<Case> {
        let objects = self.report.objects.iter().filter(|object| object.ends != "outside");
        objects.map(|object| self.object(object)).collect()
    }

    fn object(&self, object: &ObjectX) -> Case {
        let about: Vec<&HazardX> = self
            .report
            .hazards
            .iter()
            .filter(|one| is_of_objects(one) && one.objects.contains(&object.key))
            .collect();
        let nobody_knows = "nobody can say whether it is protected at the end";
        let failed = self.came(&about).map(|came| match came {
            // What fails the plan is told, and not as if the end were known.
            Came::Failed(why, body) if object.ends == "unknown" => {
                Came::Unknown(format!("{nobody_knows}; {why}"), body)
            }
            Came::Failed(..) if object.ends != "good" => Came::Failed(
                format!(
                    "not protected at the end; {} without protection",
                    say_duration(object.exposure_seconds)
                ),
                self.story(object, &about),
            ),
            other => other,
        });
        let came = failed.unwrap_or_else(|| {
            let accepted = about.iter().find_map(|one| one.accepted.clone());
            match (accepted, object.ends) {
                (Some(reason), _) => Came::Skipped(format!("accepted: {reason}")),
                (None, "good") => Came::Passed,
                (None, "unknown") => {
                    let missing = nobody_knows.to_owned();
                    if self.report.exit_code == 3 {
                        Came::Unknown(missing.clone(), missing)
                    } else {
                        Came::Skipped(missing)
                    }
                }
                (None, _) => Came::Skipped(format!(
                    "not protected at the end, and the plan passes all the same; {} without protection",
                    say_duration(object.exposure_seconds)
                )),
            }
        });
        Case { name: format!("{} ends protected", object.key), line: None, came }
    }

    /// What stands at an object at the end, and what helps.
    fn story(&self, object: &ObjectX, hazards: &[&HazardX]) -> String {
        let mut lines: Vec<String> = Vec::new();
        let last = object.intervals.last();
        for number in last.into_iter().flat_map(|last| &last.open) {
            let Some(cause) = self.report.causes.get(*number) else { continue };
            let since = cause.opened_by.as_deref().unwrap_or("before the plan");
            lines.push(format!("{since} -> {}: {}", cause.rule, clean(&cause.message)));
        }
        lines.extend(hazards.iter().flat_map(|hazard| &hazard.help).map(|help| clean(help)));
        lines.join("\n")
    }

    fn step(&self, step: &StepX) -> Case {
        let about: Vec<&HazardX> = self
            .report
            .hazards
            .iter()
            .filter(|one| one.step.as_ref() == Some(&step.id) && !is_of_objects(one))
            .collect();
        let came = self.came(&about).unwrap_or_else(|| {
            let outcome = words::outcome(step, self.report, self.clock);
            match (step.status, about.iter().find_map(|one| one.accepted.clone())) {
                _ if outcome.is_empty() => Came::Passed,
                ("nothing_to_do", _) | (_, None) => Came::Skipped(outcome),
                (_, Some(reason)) => Came::Skipped(format!("accepted: {reason}")),
            }
        });
        let name = format!("{} {}", step.id, step.action);
        Case { name, line: Some(step.place.line), came }
    }

    /// Whether nobody can say how the objects of a hazard end.
    fn ends_unknown(&self, hazard: &HazardX) -> bool {
        let mut objects = self.report.objects.iter();
        hazard.objects.iter().all(|key| {
            objects.by_ref().any(|object| object.key == *key && object.ends == "unknown")
        })
    }

    /// What belongs to no step and no object; and what fails the plan at objects of which nobody can say how
    /// they end.
    fn whole(&self) -> Case {
        let about: Vec<&HazardX> = self
            .report
            .hazards
            .iter()
            .filter(|one| {
                let is_its = !is_of_objects(one) || self.ends_unknown(one);
                is_its && (one.step.is_none() || is_of_objects(one))
            })
            .collect();
        let came = self.came(&about).unwrap_or(Came::Passed);
        Case { name: "the plan as a whole".to_owned(), line: None, came }
    }
}

fn body<'h>(hazards: impl Iterator<Item = &'h HazardX>) -> String {
    let mut text = String::new();
    for hazard in hazards {
        let level = words::level(hazard);
        let _ = writeln!(text, "{level}[{}]: {}", hazard.id, clean(&hazard.message));
        for line in hazard.chain.iter().chain(&hazard.help) {
            let _ = writeln!(text, "  {}", clean(line));
        }
    }
    text.trim_end().to_owned()
}
