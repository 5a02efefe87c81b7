//! What stands in the ticket, and in which order.

use std::fmt::Write as _;

use crate::facts::time::say_duration;
use crate::plan::time::Clock;
use crate::report::markup::{code, plain};
use crate::report::plan::markdown::Section;
use crate::report::plan::words;
use crate::report::plan::{HazardX, ObjectX, PlanReport, StepX};

pub(super) fn sections(report: &PlanReport, clock: &Clock) -> Vec<Section> {
    let page = Page { report, clock };
    let mut sections = vec![page.verdict()];
    let all = [
        page.hazards(),
        page.impact(),
        page.steps(),
        page.back_out(),
        page.blast(),
        page.assumptions(),
        page.evidence(),
    ];
    sections.extend(all.into_iter().filter(|section| !section.lines.is_empty()));
    sections
}

struct Page<'a> {
    report: &'a PlanReport,
    clock: &'a Clock,
}

/// Who does a step.
fn by(step: &StepX) -> String {
    match words::who(step).as_str() {
        "operator" => "by an operator".to_owned(),
        "-" => "by itself".to_owned(),
        owner => format!("on {owner}"),
    }
}

/// A row of a table.
fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// The head of a table.
fn head(names: &[&str]) -> String {
    format!("| {} |\n|{}\n", names.join(" | "), "---|".repeat(names.len()))
}

impl Page<'_> {
    fn time(&self, seconds: Option<i64>) -> String {
        seconds.map_or_else(|| "-".to_owned(), |seconds| self.clock.show_day(seconds))
    }

    fn verdict(&self) -> Section {
        let report = self.report;
        let mut text = format!(
            "# {} {}: {}\n\n",
            words::verdict(report.verdict),
            plain(&report.plan.id),
            plain(&words::ends(report, self.clock))
        );
        let _ = writeln!(
            text,
            "{}. Window {}. {}; {} without protection, all together.",
            plain(&report.plan.title),
            plain(&words::window(report, self.clock)),
            words::counts(report),
            say_duration(report.totals.exposure_seconds)
        );
        if let Some(said) = words::disagreement(report) {
            let _ = writeln!(text, "\nThat is counted with the longest durations; {said}.");
        }
        Section { title: "", head: text, lines: Vec::new() }
    }

    fn hazards(&self) -> Section {
        let line = |hazard: &HazardX| {
            let step = hazard.step.as_ref().map(|step| format!(" at `{}`", code(step)));
            let may = if hazard.certainty == "may" && hazard.id != "plan-depends-on-chance" {
                " (may happen, counted as happening)"
            } else {
                ""
            };
            let mut text = format!(
                "- **{}** `{}`{}: {}{may}",
                words::level(hazard),
                hazard.id,
                step.unwrap_or_default(),
                plain(&hazard.message)
            );
            if let Some(all) = words::unnamed(hazard) {
                let _ = write!(text, "; {}", plain(&all));
            }
            for (number, help) in hazard.help.iter().enumerate() {
                let before = match number {
                    0 if text.ends_with('.') => " **Do:** ",
                    0 => ". **Do:** ",
                    _ => "; ",
                };
                let _ = write!(text, "{before}{}", plain(help));
            }
            if let Some(accepted) = &hazard.accepted {
                let _ = write!(text, " *Accepted: {}*", plain(accepted));
            }
            text
        };
        Section {
            title: "What is wrong",
            head: String::new(),
            lines: words::by_weight(self.report).map(line).collect(),
        }
    }

    fn impact(&self) -> Section {
        let line = |object: &ObjectX| {
            let spans: Vec<String> = words::episodes(object)
                .map(|(from, to)| {
                    format!("{} to {}", self.clock.show_day(from), self.clock.show_day(to))
                })
                .collect();
            let oldest =
                object.oldest_point_seconds.map(|age| format!("{} old", say_duration(age)));
            row(&[
                plain(&object.key),
                spans.join(", "),
                say_duration(object.exposure_seconds),
                oldest.unwrap_or_else(|| "not known".to_owned()),
                match object.ends {
                    "good" => "protected",
                    "unknown" => "**nobody can say**",
                    "outside" => "not counted",
                    _ => "**not protected**",
                }
                .to_owned(),
            ])
        };
        let hit = self.report.objects.iter().filter(|object| object.exposure_seconds > 0);
        Section {
            title: "Impact",
            head: head(&["Object", "Unprotected", "For", "Newest recovery point at worst", "Ends"]),
            lines: hit.map(line).collect(),
        }
    }

    fn steps(&self) -> Section {
        let line = |step: &StepX| {
            let with: Vec<String> =
                step.with.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            let state = match words::outcome(step, self.report, self.clock) {
                said if said.is_empty() => said,
                said if step.status == "nothing_to_do" => format!("{said}; "),
                said => format!("**{}**; ", plain(&said)),
            };
            let bad = step.after.len();
            let after = match bad {
                0 => "all are protected".to_owned(),
                bad => format!("{bad} of {} unprotected", self.report.totals.objects),
            };
            let abort = match step.latest_start_seconds {
                Some(latest) => format!("not begun by {}", self.clock.show_day(latest)),
                None => "-".to_owned(),
            };
            row(&[
                plain(&step.id),
                words::when(step, self.clock),
                format!(
                    "{} `{}`, {}",
                    plain(&step.action),
                    code(&with.join(", ")),
                    plain(&by(step))
                ),
                plain(&words::waits_for(step, self.clock)),
                format!("{state}{after}"),
                abort,
            ])
        };
        Section {
            title: "Steps",
            head: head(&["Step", "Time", "Action", "Begins", "Expected afterwards", "Abort if"]),
            lines: words::in_time(self.report).into_iter().map(line).collect(),
        }
    }

    fn back_out(&self) -> Section {
        let line = |step: &StepX| {
            let undo = match &step.undo {
                Some(undo) => format!("`{}`", code(&words::undo(undo))),
                None if step.can_be_undone => "-".to_owned(),
                None => "**cannot be taken back**".to_owned(),
            };
            row(&[
                plain(&step.id),
                self.time(step.latest_start_seconds),
                undo,
                plain(&words::stop(step, self.report.totals.objects, self.clock)),
            ])
        };
        Section {
            title: "Back-out",
            head: head(&[
                "Step",
                "Begin at the latest",
                "Taken back by",
                "If the plan ends behind it",
            ]),
            lines: words::in_time(self.report).into_iter().map(line).collect(),
        }
    }

    fn blast(&self) -> Section {
        let mut lines = vec![format!("{}.", plain(&words::blast(self.report))), String::new()];
        lines.push("| Step | Direct | Shared | Knock-on |\n|---|---|---|---|".to_owned());
        for step in words::in_time(self.report) {
            let [direct, shared, knock_on] = words::rings(&step.blast);
            let list = |members: &[String]| match members {
                [] => "-".to_owned(),
                all => plain(&all.join(", ")),
            };
            lines.push(row(&[plain(&step.id), list(&direct), list(&shared), list(&knock_on)]));
        }
        if self.report.steps.is_empty() {
            lines.clear();
        }
        Section { title: "Blast radius", head: String::new(), lines }
    }

    fn assumptions(&self) -> Section {
        let basis = &self.report.basis;
        let mut lines: Vec<String> =
            words::ages(basis).into_iter().map(|said| format!("- {}", plain(&said))).collect();
        for warning in &self.report.warnings {
            lines.push(format!("- **Odd**: {}", plain(warning)));
        }
        for gap in &basis.unknown {
            lines.push(format!(
                "- **Not known** for {}: {}",
                plain(&gap.step),
                plain(&gap.missing)
            ));
        }
        for said in words::to_collect(basis) {
            lines.push(format!("- **To collect**: `{}`", code(&said)));
        }
        if !basis.chance.is_empty() {
            lines.push(format!(
                "- What {} may do counts as done; without it: {}",
                plain(&basis.chance.join(", ")),
                plain(&words::outlook(&self.report.without_chance, self.report))
            ));
        }
        for takes in &basis.durations {
            lines.push(format!(
                "- {} takes {}: {}",
                plain(&takes.step),
                words::takes(takes),
                plain(&takes.because)
            ));
        }
        lines.extend(basis.assumed.iter().map(|said| format!("- {}", plain(said))));
        lines.push("- Before the first step, with facts collected anew:".to_owned());
        lines.push("  `dpmguard plan verify report.json --facts NEW`".to_owned());
        Section { title: "Assumptions and preflight check", head: String::new(), lines }
    }

    fn evidence(&self) -> Section {
        let inputs = &self.report.inputs;
        let mut lines = Vec::new();
        let mut add = |what: &str, name: &str, said: &str| {
            lines.push(row(&[what.to_owned(), plain(name), format!("`{}`", code(said))]));
        };
        add("Plan", &self.report.plan.file, &inputs.plan);
        for file in &inputs.facts {
            add("Facts", &file.name, &file.digest);
        }
        for pack in &inputs.packs {
            add("Rules", &pack.name, &pack.digest);
        }
        add("Tool", self.report.tool.name, self.report.tool.version);
        add("Checked at", "", &self.clock.local(&inputs.now));
        add("Counts for", "the window that opens at", &self.clock.local(&self.report.plan.start));
        Section { title: "Evidence", head: head(&["What", "Name", "Digest or value"]), lines }
    }
}
