//! One step of a plan, or one object, with all that is known of it, for a person.

mod json;

use std::fmt::Write as _;
use std::io;

use crate::facts::time::say_duration;
use crate::plan::insight::{Begin, Condition};
use crate::plan::time::Clock;
use crate::report::diagnostic::clean;
use crate::report::plan::words::{self, plural};
use crate::report::plan::{CauseX, ChangeX, HazardX, IntervalX, ObjectX, PlanReport, StepX};

pub use json::{write_object as write_object_json, write_step as write_step_json};

/// Units that do not begin a line.
const UNITS: [&str; 4] = ["s", "min", "h", "d"];

/// Columns of a line.
const WIDTH: usize = 110;

/// Writes all that is known of a step.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_step(
    report: &PlanReport,
    step: &StepX,
    begin: Option<&Begin>,
    clock: &Clock,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page { report, clock, text: String::new() };
    page.step(step);
    if let Some(begin) = begin {
        page.begin(begin);
    }
    page.changes(step);
    page.causes("Opens", &step.opened);
    page.causes("Closes", &step.closed);
    let hazards = report.hazards.iter().filter(|one| one.step.as_ref() == Some(&step.id));
    page.hazards(hazards.collect());
    page.rings(step);
    page.head("If the plan ends behind it");
    page.line(&words::stop(step, report.totals.objects, clock));
    out.write_all(page.text.as_bytes())
}

/// Writes all that is known of a protected object.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_object(
    report: &PlanReport,
    object: &ObjectX,
    clock: &Clock,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page { report, clock, text: String::new() };
    page.object(object);
    for interval in object.intervals.iter().filter(|one| one.to > one.from) {
        page.interval(interval);
    }
    page.checks_of(object);
    page.touched(object);
    page.hazards(about(report, object));
    out.write_all(page.text.as_bytes())
}

/// The hazards of an object: those that name it, and what rules find at the end behind steps that reach it.
fn about<'r>(report: &'r PlanReport, object: &ObjectX) -> Vec<&'r HazardX> {
    let is_near = |hazard: &HazardX| {
        hazard.rule.is_some()
            && reaching(report, object).any(|step| hazard.step.as_ref() == Some(&step.id))
    };
    let all = report.hazards.iter();
    all.filter(|one| one.objects.contains(&object.key) || is_near(one)).collect()
}

/// The steps in whose rings an object is.
fn reaching<'r>(report: &'r PlanReport, object: &ObjectX) -> impl Iterator<Item = &'r StepX> {
    let is_in = move |step: &&StepX| {
        let rings = &step.blast;
        rings.shared.iter().any(|one| one.key == object.key)
            || rings.knock_on.objects.iter().any(|one| one.key == object.key)
    };
    words::in_time(report).into_iter().filter(is_in)
}

/// The facts that a step changes: when, what, and the rules because of which that is.
fn changes_of<'r>(
    report: &'r PlanReport,
    step: &StepX,
) -> impl Iterator<Item = (i64, &'r ChangeX, Vec<&'r str>)> {
    let events = report.events.iter().filter(|event| event.step.as_ref() == Some(&step.id));
    events.flat_map(move |event| {
        let causes = event.causes.iter().filter(|_| event.kind == "consequence");
        let causes = causes.filter_map(|one| report.causes.get(*one));
        let rules: Vec<&str> = causes.map(|cause| cause.rule.as_str()).collect();
        event.changes.iter().map(move |change| (event.time, change, rules.clone()))
    })
}

struct Page<'a> {
    report: &'a PlanReport,
    clock: &'a Clock,
    text: String,
}

impl Page<'_> {
    fn head(&mut self, title: &str) {
        let _ = writeln!(self.text, "\n{title}");
    }

    /// A paragraph, indented.
    fn line(&mut self, text: &str) {
        self.paragraph("  ", text);
    }

    fn paragraph(&mut self, indent: &str, text: &str) {
        let mut line = indent.to_owned();
        let mut is_empty = true;
        let text = clean(&self.clock.local(text));
        let mut words = text.split_whitespace().peekable();
        while let Some(word) = words.next() {
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            let unit = words.peek().filter(|unit| is_number && UNITS.contains(unit));
            // A number stays with its unit.
            let together = word.chars().count() + unit.map_or(0, |unit| unit.len() + 1);
            let longer = line.chars().count() + 1 + together;
            if !is_empty && longer > WIDTH {
                let _ = writeln!(self.text, "{line}");
                line = format!("{}  ", " ".repeat(indent.chars().count()));
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
            }
            line.push_str(word);
            is_empty = false;
        }
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn span(&self, from: i64, to: i64) -> String {
        let (begin, end) = (self.clock.show_day(from), self.clock.show_day(to));
        format!("{begin} to {end}")
    }

    fn step(&mut self, step: &StepX) {
        let status = match words::outcome(step, self.report, self.clock) {
            said if said.is_empty() => "done".to_owned(),
            said if step.status == "nothing_to_do" => format!("{said}, so nothing happens"),
            said => clean(&said),
        };
        let _ = writeln!(self.text, "{}  {}  {status}", clean(&step.id), clean(&step.action));
        for (name, value) in &step.with {
            self.line(&format!("{name}: {value}"));
        }
        self.head("When");
        let when = match (step.start_seconds, step.end_seconds) {
            (Some(from), Some(to)) => self.span(from, to),
            _ => "never".to_owned(),
        };
        let latest = step.latest_start_seconds.map_or_else(
            || "it does not end well in time, however early it begins".to_owned(),
            |latest| format!("begin at the latest {}", self.clock.show_day(latest)),
        );
        self.line(&format!("{when}, {}; {latest}", words::waits_for(step, self.clock)));
        let takes = self.report.basis.durations.iter().find(|takes| takes.step == step.id);
        if let Some(takes) = takes {
            self.line(&format!("takes {}: {}", words::takes(takes), takes.because));
        }
        let undo = match &step.undo {
            Some(undo) => format!("taken back by {}", words::undo(undo)),
            None if step.can_be_undone => return,
            None => "cannot be taken back: there is only the way forward".to_owned(),
        };
        self.line(&undo);
    }

    fn begin(&mut self, begin: &Begin) {
        self.head("What to do");
        self.line(&begin.does);
        for (product, command) in &begin.commands {
            self.line(&format!("{product}:"));
            let _ = writeln!(self.text, "    {}", clean(command));
        }
        if !begin.conditions.is_empty() {
            self.head("What must hold when it begins");
        }
        for Condition { that, holds, otherwise } in &begin.conditions {
            let said = match holds {
                Ok(true) => "holds      ".to_owned(),
                Ok(false) => "DOES NOT   ".to_owned(),
                Err(_) => "NOT KNOWN  ".to_owned(),
            };
            self.paragraph(&format!("  {said}"), that);
            match holds {
                Ok(true) => {}
                Ok(false) => self.paragraph("             ", otherwise),
                Err(missing) => self.paragraph("             it depends on ", missing),
            }
        }
        if !begin.values.is_empty() {
            self.head("With");
        }
        for (name, value) in &begin.values {
            self.paragraph(&format!("  {name} = "), value);
        }
    }

    fn changes(&mut self, step: &StepX) {
        for (number, (time, change, rules)) in changes_of(self.report, step).enumerate() {
            if number == 0 {
                self.head("What it changes");
            }
            let time = self.clock.show_day(time);
            let why = match rules.as_slice() {
                [] => String::new(),
                rules => format!(" (because of {})", rules.join(", ")),
            };
            self.paragraph(&format!("  {time}  "), &format!("{}{why}", changed(change)));
        }
    }

    fn causes(&mut self, title: &str, numbers: &[usize]) {
        let causes: Vec<&CauseX> =
            numbers.iter().filter_map(|number| self.report.causes.get(*number)).collect();
        if !causes.is_empty() {
            self.head(title);
        }
        for cause in causes {
            self.line(&format!("{}: {}{}", cause.rule, cause.message, fate(cause)));
        }
    }

    fn hazards(&mut self, hazards: Vec<&HazardX>) {
        if !hazards.is_empty() {
            self.head("Hazards");
        }
        for hazard in hazards {
            self.line(&format!("{}[{}]: {}", words::level(hazard), hazard.id, hazard.message));
            for help in &hazard.help {
                self.paragraph("    ", help);
            }
            if let Some(accepted) = &hazard.accepted {
                self.paragraph("    accepted: ", accepted);
            }
        }
    }

    fn rings(&mut self, step: &StepX) {
        self.head("Whom it can hurt");
        for (what, members) in
            ["direct", "shared", "knock-on"].into_iter().zip(words::rings(&step.blast))
        {
            if !members.is_empty() {
                self.paragraph(&format!("  {what:<9} "), &members.join(", "));
            }
        }
    }

    fn object(&mut self, object: &ObjectX) {
        let ends = match object.ends {
            "good" => "ends protected",
            "unknown" => "ends as nobody can say",
            "outside" => "is not counted",
            _ => "ends NOT protected",
        };
        let _ = writeln!(self.text, "{}  {ends}", clean(&object.key));
        if object.exposure_seconds == 0 {
            let is_outside = |one: &&IntervalX| one.phase == "outside" && one.to > one.from;
            self.line(match object.intervals.iter().find(is_outside) {
                None => "protected all the time",
                Some(_) => "never without protection while it is counted",
            });
            return;
        }
        let oldest = object
            .oldest_point_seconds
            .map(|age| format!("; newest recovery point at worst {} old", say_duration(age)));
        self.line(&format!(
            "{} without protection{}",
            say_duration(object.exposure_seconds),
            oldest.unwrap_or_default()
        ));
    }

    fn interval(&mut self, interval: &IntervalX) {
        let state = match interval.phase {
            "good" => "protected",
            "busy" => "a check runs",
            "stopped" => "good by its state, but no backup succeeds",
            "unknown" => "nobody can say",
            "outside" => "not counted",
            _ if interval.is_blocked => "not protected, and a check alone does not help",
            _ => "not protected; a check cures it",
        };
        let because = match interval.caused_by.as_slice() {
            [] => String::new(),
            steps => format!("; because of {}", steps.join(", ")),
        };
        let span = self.span(interval.from, interval.to);
        self.head(&span);
        self.line(&format!("{state}{because}"));
        for number in &interval.open {
            let Some(cause) = self.report.causes.get(*number) else { continue };
            let since = match &cause.opened_by {
                Some(step) => format!("since {step}"),
                None => "since before the plan".to_owned(),
            };
            let said = format!("{}, {since}: {}{}", cause.rule, cause.message, fate(cause));
            self.paragraph("    ", &said);
        }
    }

    /// The checks of an object, with those that do not come to their end.
    fn checks_of(&mut self, object: &ObjectX) {
        for (number, step) in words::checks_of(self.report, object).enumerate() {
            if number == 0 {
                self.head("Its checks");
            }
            self.line(&words::told(step, self.report, self.clock));
        }
    }

    /// The steps in whose rings an object is.
    fn touched(&mut self, object: &ObjectX) {
        let steps: Vec<String> = reaching(self.report, object)
            .map(|step| format!("{} ({})", step.id, step.action))
            .collect();
        if !steps.is_empty() {
            self.head("Steps that can hurt it");
            self.line(&format!("{}: {}", plural(steps.len(), "step"), steps.join(", ")));
        }
    }
}

/// What becomes of a cause.
fn fate(cause: &CauseX) -> String {
    match &cause.closed_by {
        Some(step) => format!(" (gone with {step})"),
        None => " (it stands at the end)".to_owned(),
    }
}

fn changed(change: &ChangeX) -> String {
    let value = |value: &Option<serde_json::Value>| match value {
        Some(serde_json::Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "not known".to_owned(),
    };
    match &change.field {
        Some(field) => {
            format!("{} {field}: {} -> {}", change.object, value(&change.from), value(&change.to))
        }
        None if change.to.is_some() => format!("{} appears", change.object),
        None => format!("{} is gone", change.object),
    }
}
