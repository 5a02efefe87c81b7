//! What the report concludes: totals, hazards, the verdict.

use std::collections::BTreeSet;

use crate::plan::replay::Replay;
use crate::plan::replay::film::key_in;
use crate::plan::replay::read::{Hazard, Kind, Phase, Step};
use crate::plan::replay::steps::Life;

impl Replay<'_> {
    pub(super) fn totals(&mut self) {
        let (report, film) = (self.report, self.film);
        let seconds = self.seconds();
        let horizon = self.horizon();
        let closing = self.closing();
        let phases = |second: i64| {
            let objects = report.objects.iter();
            let seen = objects.map(move |one| film.during(&one.key, second));
            seen.map(|shot| shot.map_or(Phase::Outside, |shot| shot.phase)).collect::<Vec<_>>()
        };
        let (mut exposure, mut most) = (0, 0);
        for (position, second) in seconds.iter().enumerate() {
            let next = seconds.get(position + 1).copied().unwrap_or(horizon);
            let exposed = phases(*second).into_iter().filter(|phase| phase.is_exposed()).count();
            most = most.max(exposed);
            exposure += (next - second) * i64::try_from(exposed).unwrap_or(i64::MAX);
        }
        let objects = report.objects.iter();
        let last: Vec<Phase> = objects.map(|one| film.after_event(&one.key, closing)).collect();
        let count = |wanted: &[Phase]| last.iter().filter(|phase| wanted.contains(phase)).count();
        let lives = self.lives();
        let written = lives.iter().filter(|(position, _)| **position < report.written);
        let runs = written.map(|(_, life)| life).filter(|life| life.ran());
        let ended = runs.map(|life| life.to).max().unwrap_or(0);
        let good = |(position, life): (&usize, &Life)| {
            let step = report.steps.get(*position)?;
            let kind = &report.protection.as_ref()?.kind;
            let key = key_in(kind, &step.needs.checks.as_ref()?.object)?;
            let is_good = life.kind == Kind::End && film.state_after(key, life.over) == Phase::Good;
            is_good.then_some(())
        };
        let checks = lives.iter().filter_map(good).count();
        let totals = &report.totals;
        let counted = [
            ("objects", totals.objects, last.len() - count(&[Phase::Outside])),
            ("good", totals.good, count(&[Phase::Good])),
            ("bad", totals.bad, count(&[Phase::Bad, Phase::Busy, Phase::Stopped])),
            ("unknown", totals.unknown, count(&[Phase::Unknown])),
            ("checks", totals.checks, checks),
            ("most_at_once", totals.most_at_once, most),
        ];
        for (name, told, counted) in counted {
            self.expect(told == counted, || format!("totals: {name} is {told}, counted {counted}"));
        }
        for (name, told, counted) in [
            ("exposure_seconds", totals.exposure_seconds, exposure),
            ("end_seconds", totals.end_seconds, ended),
        ] {
            self.expect(told == counted, || format!("totals: {name} is {told}, counted {counted}"));
        }
    }

    pub(super) fn hazards(&mut self) {
        let report = self.report;
        let lives = self.lives();
        for (position, step) in report.steps.iter().take(report.written).enumerate() {
            let life = lives.get(&position).filter(|life| life.ran());
            let limit = match &step.needs.checks {
                Some(_) => self.horizon(),
                None => report.plan.end_seconds,
            };
            let is_late = life.is_some_and(|life| life.to > limit);
            let is_dark = |sure| life.is_some_and(|life| self.is_dark(step, *life, sure));
            let (is_dark, may_be_dark) = (is_dark(true), is_dark(false));
            let is_broken = life.is_some_and(|life| life.kind == Kind::BrokenOff);
            let is_refused = step.status == "refused";
            self.hazard("plan-window", &step.id, is_late);
            let is_told = self.has("plan-blackout", &step.id);
            self.expect(!is_dark || is_told, || {
                format!("plan-blackout is not told of {}, and it is so", step.id)
            });
            self.expect(may_be_dark || !is_told, || {
                format!("plan-blackout is told of {}, and it is not so", step.id)
            });
            self.hazard("plan-no-op", &step.id, step.status == "nothing_to_do");
            self.hazard("plan-step-never", &step.id, step.status == "never");
            self.hazard("plan-precondition", &step.id, is_refused && !step.reasons.is_empty());
            let is_wasted = is_refused && step.reasons.is_empty();
            self.expect(!is_wasted || self.has("plan-check-wasted", &step.id), || {
                format!("{} is refused, and plan-check-wasted is not told", step.id)
            });
            self.expect(!is_broken || self.has("plan-check-interrupted", &step.id), || {
                format!("{} is broken off, and plan-check-interrupted is not told", step.id)
            });
        }
        self.of_objects();
        self.verdict();
    }

    fn has(&self, id: &str, step: &str) -> bool {
        let is_it = |one: &Hazard| one.id == id && one.step.as_deref() == Some(step);
        // Of the course with the usual durations there are no events to follow.
        self.report.hazards.iter().any(|one| is_it(one) && !one.usual_only)
    }

    fn hazard(&mut self, id: &str, step: &str, is_so: bool) {
        let is_told = self.has(id, step);
        self.expect(is_told == is_so, || {
            let (not, is) = if is_so { ("not ", "is") } else { ("", "is not") };
            format!("{id} is {not}told of {step}, and it {is} so")
        });
    }

    /// Whether a step runs while something that it names or breaks must be left alone; unless that has to
    /// be sure, anything: what lies on what is in no report.
    fn is_dark(&self, step: &Step, life: Life, sure: bool) -> bool {
        // A name is the kind and the key; kinds have no spaces.
        let named = step.needs.names.iter().filter_map(|name| name.split_once(' '));
        let named = named.map(|(_, key)| key);
        let touched: BTreeSet<String> =
            named.chain(step.harmed.iter().map(|key| &**key)).map(str::to_lowercase).collect();
        self.report.plan.blackouts.iter().any(|blackout| {
            let concerns = !sure
                || blackout.applies_to.is_empty()
                || blackout.applies_to.iter().any(|key| touched.contains(key));
            // What takes no time still happens in its second.
            let last = life.to.max(life.from + 1);
            concerns && life.from < blackout.to && blackout.from < last
        })
    }

    fn of_objects(&mut self) {
        let report = self.report;
        for object in &report.objects {
            let told = |id: &str| {
                let mut hazards =
                    report.hazards.iter().filter(|one| one.id == id && !one.usual_only);
                hazards.any(|one| one.objects.contains(&object.key))
            };
            let limit = report.plan.max_exposure_seconds;
            // A name is the kind and the key; kinds have no spaces.
            let names = |step: &Step| {
                let mut names = step.needs.names.iter().filter_map(|name| name.split_once(' '));
                names.any(|(kind, key)| {
                    let protected = report.protection.as_ref().map(|known| known.kind.as_str());
                    Some(kind) == protected && *key == *object.key
                })
            };
            let mut began = report
                .steps
                .iter()
                .take(report.written)
                .filter(|step| !matches!(&*step.status, "refused" | "nothing_to_do" | "never"));
            let is_named = began.any(names);
            let good = object.intervals.iter().position(|one| one.phase == Phase::Good);
            let behind = object.intervals.iter().skip(good.unwrap_or(object.intervals.len()));
            let is_touched = is_named
                || behind.clone().any(|one| one.phase.is_exposed())
                || object.intervals.iter().any(|one| !one.caused_by.is_empty());
            // Of what nobody knows nothing is said for certain.
            let open = object.intervals.iter().filter(|one| one.phase == Phase::Unknown);
            let known = object.exposure_seconds - open.map(|one| one.to - one.from).sum::<i64>();
            let is_long = limit.is_some_and(|limit| is_touched && known > limit);
            self.expect(told("plan-exposure") == is_long, || {
                format!("{}: plan-exposure is told: {}", object.key, !is_long)
            });
            let is_open =
                matches!(object.ends, Phase::Bad | Phase::Busy | Phase::Stopped | Phase::Outside);
            self.expect(is_open || !told("plan-end-unprotected"), || {
                format!(
                    "{} ends {:?}, and plan-end-unprotected is told of it",
                    object.key, object.ends
                )
            });
        }
    }

    /// Nothing that fails the plan stands in a report that passes it.
    fn verdict(&mut self) {
        let report = self.report;
        let rank = |severity: &str| match severity {
            "note" => 1,
            "warning" => 2,
            "error" => 3,
            _ => 4,
        };
        let open = report.hazards.iter().filter(|hazard| hazard.accepted.is_none());
        let fails = open.clone().any(|hazard| rank(&hazard.severity) >= rank(&report.fail_on));
        self.expect(report.verdict != "passed" || !fails, || {
            "it passes with a hazard that fails it".to_owned()
        });
        self.expect(report.verdict != "failed" || fails, || "it fails without a hazard".to_owned());
        let code = match &*report.verdict {
            "passed" => 0,
            "failed" => 1,
            _ => 3,
        };
        self.expect(report.exit_code == code, || {
            format!("{} with exit code {}", report.verdict, report.exit_code)
        });
    }
}
