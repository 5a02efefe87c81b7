//! What else a report says of a plan: stop points, blast radius, what the verdict rests on.

mod shape;

use crate::gate::Verdict;
use crate::plan::hazard::Hazard;
use crate::plan::insight::{By, Fix, Group, Rings, Stop, What};
use crate::plan::trace::Trace;
use crate::plan::world::Phase;
use crate::report::plan::build::Input;

pub use shape::{
    BasisX, BlastX, CollectedX, FixX, GapX, GroupX, HarmX, KnockOnX, MostX, NamedX, OutlookX,
    RingsX, SeenX, SharedX, StopX, SuffersX, TakesX, UndoX,
};

impl Input<'_> {
    fn keys(self, objects: &[crate::facts::value::ObjectId]) -> Vec<String> {
        objects.iter().map(|object| self.key(*object)).collect()
    }

    fn named(self, object: crate::facts::value::ObjectId) -> NamedX {
        let kind = self.judged.worst.facts.kind_of(object);
        let kind = kind.map(|kind| kind.name.to_string()).unwrap_or_default();
        NamedX { kind, key: self.key(object) }
    }

    pub(super) fn stop(self, stop: &Stop) -> StopX {
        let window = &self.plan.window;
        let (all_good, by, blocked, missing) = match &stop.by {
            By::At(time) => ("at", Some(*time), Vec::new(), None),
            By::Never(objects) => ("never", None, self.keys(objects), None),
            By::Unknown(missing) => ("unknown", None, Vec::new(), Some(missing.clone())),
        };
        let fix = |fix: &Fix| FixX {
            action: fix.action.clone(),
            at: fix.at.clone(),
            step: fix.step.and_then(|step| self.id(step)),
            unsure: fix.unsure.clone(),
        };
        StopX {
            at: self.clock.date_time(stop.at),
            at_seconds: stop.at,
            running: stop.running.iter().filter_map(|step| self.id(*step)).collect(),
            bad: self.keys(&stop.bad),
            checks: self.keys(&stop.checks),
            fixes: stop.fixes.iter().map(fix).collect(),
            all_good,
            by: by.map(|time| self.clock.date_time(time)),
            by_seconds: by,
            is_in_time: by.is_some_and(|time| time <= window.checks_until.max(window.end)),
            blocked,
            missing,
        }
    }

    pub(super) fn rings(self, rings: &Rings) -> RingsX {
        let shared = rings
            .shared
            .iter()
            .map(|one| SharedX { key: self.key(one.object), through: self.named(one.through) });
        let harms = rings.harms.iter().map(|harm| HarmX {
            key: self.key(harm.object),
            from: harm.from,
            seconds: harm.seconds,
        });
        let suffers = rings.suffers.iter().filter_map(|one| {
            let how = match one.what {
                What::BrokenOff => "broken_off",
                What::Refused => "refused",
            };
            Some(SuffersX { step: self.id(one.step)?, how })
        });
        RingsX {
            direct: rings.direct.iter().map(|object| self.named(*object)).collect(),
            shared: shared.collect(),
            knock_on: KnockOnX { objects: harms.collect(), steps: suffers.collect() },
            exposure_seconds: rings.exposure,
        }
    }

    pub(super) fn blast(self) -> BlastX {
        let blast = &self.insight.blast;
        let most = blast.most.and_then(|step| {
            let exposure_seconds = self.insight.rings.get(step)?.exposure;
            Some(MostX { step: self.id(step)?, exposure_seconds })
        });
        let group = |group: &Group| GroupX {
            from: self.clock.date_time(group.from),
            to: self.clock.date_time(group.to),
            from_seconds: group.from,
            to_seconds: group.to,
            objects: self.keys(&group.objects),
        };
        BlastX {
            objects: self.keys(&blast.objects),
            object_hours: hours(self.judged.worst.exposure()),
            weighted_object_hours: hours(self.judged.worst.weighted_exposure()),
            most,
            largest: blast.largest.as_ref().map(group),
        }
    }

    pub(super) fn basis(self) -> BasisX {
        let basis = &self.insight.basis;
        let is_too_old = |age: i64| self.max_age.is_some_and(|limit| age > limit);
        let files = basis.files.iter().filter_map(|file| {
            Some(SeenX {
                name: self.sources.get(file.file)?.name().to_owned(),
                observed_at: file.observed_at.clone(),
                age_seconds: file.age,
                is_too_old: is_too_old(file.age),
            })
        });
        let collections = basis.collections.iter().map(|one| CollectedX {
            name: one.name.clone(),
            count: one.count,
            collected_at: one.collected_at.clone(),
            age_seconds: one.age,
            is_too_old: is_too_old(one.age),
            is_complete: one.is_complete,
        });
        let gap = |(step, missing): &(usize, String)| {
            Some(GapX { step: self.id(*step)?, missing: missing.clone() })
        };
        BasisX {
            max_age_seconds: self.max_age,
            files: files.collect(),
            collections: collections.collect(),
            unknown: basis.unknown.iter().filter_map(gap).collect(),
            chance: basis.chance.iter().filter_map(|step| self.id(*step)).collect(),
            durations: self.durations(),
            assumed: basis.assumed.clone(),
            collect: basis.collect.iter().cloned().collect(),
        }
    }

    fn durations(self) -> Vec<TakesX> {
        let takes = |trace: &Trace, step: usize| {
            // One that is broken off was to take longer.
            let step = trace.steps.get(step)?;
            step.takes.or(Some(step.end? - step.start?))
        };
        let steps = self.plan.written().iter().zip(&self.judged.worst.steps).enumerate();
        steps
            .filter(|(_, (_, trace))| !trace.because.is_empty())
            .filter_map(|(position, (step, trace))| {
                let worst_seconds = takes(&self.judged.worst, position)?;
                Some(TakesX {
                    step: step.id.to_string(),
                    expected_seconds: takes(&self.judged.expected, position)
                        .unwrap_or(worst_seconds),
                    worst_seconds,
                    is_stated: step.estimate.is_some(),
                    because: trace.because.clone(),
                })
            })
            .collect()
    }

    pub(super) fn outlook(self, trace: &Trace, hazards: &[Hazard], verdict: Verdict) -> OutlookX {
        let ends = trace.ends();
        let count = |phase| ends.get(&phase).copied().unwrap_or(0);
        let open = hazards.iter().filter(|hazard| hazard.accepted.is_none());
        OutlookX {
            verdict: verdict.name(),
            errors: open.filter(|one| one.severity == crate::finding::Severity::Error).count(),
            bad: count(Phase::Bad) + count(Phase::Busy) + count(Phase::Stopped),
            unknown: count(Phase::Unknown),
            exposure_seconds: trace.exposure(),
            end: self.clock.date_time(trace.end),
            end_seconds: trace.end,
        }
    }
}

/// Hours with two digits behind the point.
fn hours(seconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let hours = seconds as f64 / 3_600.0;
    (hours * 100.0).round() / 100.0
}
