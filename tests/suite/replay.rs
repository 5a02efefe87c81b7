//! The naive checker: it agrees with the simulator on thousands of generated plans, and can disagree.
//!
//! `DPMGUARD_PLAN_CASES` sets how many plans are tried (`scripts/nightly`: thousands).

mod estate;
mod mutants;
mod plans;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use dpmguard::eval::evaluate;
use dpmguard::facts::merge::merge;
use dpmguard::facts::store::Facts;
use dpmguard::facts::time::Instant;
use dpmguard::finding::{Outcome, Severity};
use dpmguard::gate::Threshold;
use dpmguard::load;
use dpmguard::plan::hazard::{self, Given, Judged};
use dpmguard::plan::time::Clock;
use dpmguard::plan::{file, insight, replay};
use dpmguard::report::plan as report;
use dpmguard::rule::Rule;
use dpmguard::rule::pack::RuleSet;
use dpmguard::source::{self, Node, Sources};
use serde_json::{Value as Json, json};

use crate::support::{Bench, root, said};
use plans::PlanDraw;

/// A plan that was judged, and all that went into it.
struct Told {
    facts: Arc<Facts>,
    judged: Judged,
    report: Json,
    plan: String,
    start: i64,
}

impl Told {
    fn replay(&self, report: &Json) -> Vec<String> {
        let (before, after) = (self.facts.to_json(), self.judged.worst.facts.to_json());
        replay::disagreements(report, &before, &after)
    }
}

struct Stage {
    bench: Bench,
    template: Json,
}

impl Stage {
    fn new() -> Self {
        let mut bench = Bench::new();
        let template = bench.read(&root().join("examples/change/facts.yaml")).to_json();
        Self { bench, template }
    }

    fn set(&self) -> &RuleSet {
        &self.bench.rules
    }

    fn facts(&self, document: &Json, sources: &mut Sources) -> Arc<Facts> {
        let node = read(document, "facts.json", sources);
        let found = load::schema("facts-v1").unwrap().check(&node);
        assert!(found.is_empty(), "{}", said(&found, sources));
        let merged = merge(&self.bench.model, &[(node.place.file, node)]);
        Arc::new(merged.unwrap_or_else(|found| panic!("{}", said(&found, sources))).0)
    }

    fn tell(&self, draw: &PlanDraw) -> Told {
        let mut sources = Sources::default();
        let facts = self.facts(&estate::document(&self.template, &draw.estate), &mut sources);
        let plan = plans::document(draw, &facts, &self.set().actions);
        self.judge(facts, &plan, sources)
    }

    /// A plan with something of everything: work beside checks, a slot to wait for, a blackout.
    fn night(&self) -> Told {
        let move_log = |group: &str| {
            json!({
                "id": format!("move-{group}"), "action": "move-log-folder", "estimate": "20m",
                "with": { "object": format!("EX01/{group}"), "to": format!("K:\\{group}") },
            })
        };
        let check = |group: &str| {
            json!({
                "id": format!("check-{group}"), "action": "run-consistency-check", "estimate": "40m",
                "with": { "source": format!("DPM01/EX01/{group}") }, "after": [format!("move-{group}")],
            })
        };
        let plan = json!({
            "schema": "dpmguard.plan/v1", "id": "CHG2", "title": "A night",
            "window": {
                "start": "2008-11-15T22:00[Europe/Berlin]", "end": "2008-11-16T00:00[Europe/Berlin]",
                "blackouts": [{
                    "from": "2008-11-15T22:30[Europe/Berlin]", "to": "2008-11-15T22:35[Europe/Berlin]",
                    "applies_to": ["EX01/SG2"], "why": "another backup",
                }],
            },
            "resources": { "operators": 1, "parallel_checks": { "DPM01": 1 } },
            "steps": [
                move_log("SG1"),
                check("SG1"),
                move_log("SG2"),
                check("SG2"),
                { "parallel": [
                    { "id": "again", "action": "move-log-folder", "with": { "object": "EX01/SG1", "to": "K:\\SG1" } },
                    { "id": "look-1", "action": "look-into", "with": { "object": "EX01" }, "estimate": "10m" },
                    { "id": "look-2", "action": "look-into", "with": { "object": "EX01" }, "estimate": "10m" },
                ] },
                { "id": "nowhere", "action": "move-log-folder", "with": { "object": "EX01/SG3", "to": "Q:\\SG3" } },
                { "id": "late", "action": "look-into", "with": { "object": "EX01" }, "estimate": "3h" },
            ],
        });
        let mut sources = Sources::default();
        let facts = self.facts(&self.template, &mut sources);
        self.judge(facts, &plan, sources)
    }

    fn judge(&self, facts: Arc<Facts>, plan: &Json, mut sources: Sources) -> Told {
        let root = read(plan, "plan.json", &mut sources);
        let found = load::schema("plan-v1").unwrap().check(&root);
        assert!(found.is_empty(), "{}\n{plan:#}", said(&found, &sources));
        let now = Instant::parse("2008-11-15T20:40:00Z").unwrap();
        let context = file::Context {
            sources: &sources,
            rules: self.set(),
            facts: &facts,
            now: &now,
            hazards: &[],
        };
        let (read, warnings) = file::read(&root, context)
            .unwrap_or_else(|found| panic!("{}\n{plan:#}", said(&found, &sources)));
        let clock = Clock::new(&read.window.zone, read.window.start);
        let given =
            Given { set: self.set(), facts: &facts, plan: &read, clock: &clock, max_age: None };
        let judged = hazard::find(given);
        let insight = insight::look(given, &judged);
        let report = report::build(report::Input {
            sources: &sources,
            set: self.set(),
            facts: &facts,
            plan: &read,
            judged: &judged,
            clock: &clock,
            threshold: Threshold::From(Severity::Error),
            now: &now,
            insight: &insight,
            max_age: None,
            warnings: &warnings,
        });
        let report = serde_json::to_value(&report).unwrap();
        Told { facts, judged, report, plan: format!("{plan:#}"), start: read.window.start }
    }
}

fn read(document: &Json, name: &str, sources: &mut Sources) -> Node {
    let file = sources.add(name, document.to_string().as_bytes()).unwrap();
    source::read(sources, file).unwrap_or_else(|found| panic!("{}", said(&found, sources)))
}

/// Tries generated plans, on all cores; the first that fails is made as simple as it can be.
fn try_plans(stage: &Stage, count: u64, test: impl Fn(&Told) -> Result<(), String> + Sync) {
    let next = AtomicU64::new(0);
    let failed = Mutex::new(BTreeMap::new());
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    if let Err(reason) = test(&stage.tell(&plans::plan(number))) {
                        failed.lock().unwrap().insert(number, reason);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("{count} plans, {} failed", failed.len());
    for (number, reason) in failed.iter().take(20) {
        println!("plan {number}: {reason}");
    }
    if let Some(number) = failed.keys().next() {
        let (draw, reason) = simplest(&plans::plan(*number), |draw| test(&stage.tell(draw)).err());
        panic!("plan {number}: {reason}\n{:?}\n{}", draw.estate, stage.tell(&draw).plan);
    }
}

/// How many simpler plans are tried where one fails.
const TRIES: u32 = 300;

/// The simplest plan that still fails, and how.
fn simplest(draw: &PlanDraw, fails: impl Fn(&PlanDraw) -> Option<String>) -> (PlanDraw, String) {
    let (mut draw, mut reason) = (draw.clone(), fails(draw).unwrap());
    // Each try costs as much as a plan does.
    let mut tries = 0..TRIES;
    while let Some(found) = plans::simpler(&draw)
        .into_iter()
        .take_while(|_| tries.next().is_some())
        .find_map(|one| fails(&one).map(|reason| (one, reason)))
    {
        (draw, reason) = found;
    }
    (draw, reason)
}

/// `DPMGUARD_PLAN=22 cargo test --test suite -- one_plan --nocapture` shows a plan and its report.
#[test]
fn one_plan_and_its_report() {
    let number = std::env::var("DPMGUARD_PLAN").map_or(0, |number| number.parse().unwrap());
    let told = Stage::new().tell(&plans::plan(number));
    println!("{:?}\n{}", plans::plan(number).estate, told.plan);
    let events = told.report["events"].as_array().unwrap();
    for (at, event) in (1..).zip(events) {
        println!("{at} {event}");
    }
    let steps = told.report["steps"].as_array().unwrap();
    for part in steps.iter().chain([&told.report["causes"], &told.report["objects"]]) {
        println!("{part}");
    }
    assert_eq!(told.replay(&told.report), Vec::<String>::new(), "plan {number}");
}

/// How many plans are tried.
fn cases(some: u64) -> u64 {
    let asked = std::env::var("DPMGUARD_PLAN_CASES").ok();
    asked.map_or(some, |number| number.parse().unwrap())
}

#[test]
fn the_naive_checker_confirms_generated_plans() {
    let stage = Stage::new();
    try_plans(&stage, cases(500), |told| {
        let wrong = told.replay(&told.report);
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    });
}

/// Nothing is shown by a checker that agrees with everything.
#[test]
fn the_naive_checker_finds_every_lie() {
    let stage = Stage::new();
    let mut told: Vec<Told> =
        (0..cases(12).min(60)).map(|number| stage.tell(&plans::plan(number))).collect();
    told.push(stage.night());
    let mut missed = Vec::new();
    for (name, lie) in mutants::LIES {
        let mut count = 0;
        for one in &told {
            let (before, after) = (one.facts.to_json(), one.judged.worst.facts.to_json());
            for report in lie(one) {
                count += 1;
                if replay::disagreements(&report, &before, &after).is_empty() {
                    missed.push(format!("{name}: {}", difference(&one.report, &report)));
                }
            }
        }
        println!("{count} times: {name}");
        assert!(count > 0, "{name}: never");
    }
    assert!(
        missed.is_empty(),
        "{} missed\n{}",
        missed.len(),
        missed[..missed.len().min(5)].join("\n")
    );
}

/// The lines of a report that differ.
fn difference(truth: &Json, lie: &Json) -> String {
    let lines =
        |report: &Json| format!("{report:#}").lines().map(str::to_owned).collect::<Vec<_>>();
    let (truth, lie) = (lines(truth), lines(lie));
    let only = |one: &[String], other: &[String]| {
        let other: BTreeSet<&String> = other.iter().collect();
        one.iter().filter(|line| !other.contains(line)).take(8).cloned().collect::<Vec<_>>()
    };
    format!("was {:?}, is {:?}", only(&truth, &lie), only(&lie, &truth))
}

#[test]
fn slots_and_people_that_stand_idle_are_a_lie() {
    let told = Stage::new().night();
    for (path, capacity) in [("/resources/slots/0/capacity", 2), ("/resources/operators", 2)] {
        let mut report = told.report.clone();
        *report.pointer_mut(path).unwrap() = capacity.into();
        let wrong = told.replay(&report);
        assert!(wrong.iter().any(|one| one.contains("could begin")), "{path}: {wrong:?}");
    }
}

#[test]
fn facts_at_the_end_that_nobody_changed_are_a_lie() {
    let told = Stage::new().night();
    let before = told.facts.to_json();
    let after = told.judged.worst.facts.to_json();
    for name in after.keys() {
        let mut without = after.clone();
        without.remove(name);
        assert!(!replay::disagreements(&told.report, &before, &without).is_empty(), "{name}");
        let mut other = after.clone();
        other[name]["name"] = "another".into();
        assert!(!replay::disagreements(&told.report, &before, &other).is_empty(), "{name}");
    }
    assert!(!replay::disagreements(&Json::Null, &before, &after).is_empty());
}

/// Causes are kept up to date in the small; judged anew on the facts at the end they are the same.
#[test]
fn the_causes_at_the_end_are_those_of_an_evaluation_from_scratch() {
    let stage = Stage::new();
    let standing = AtomicU64::new(0);
    try_plans(&stage, cases(200), |told| {
        let last = told.judged.worst.events.last().map_or(0, |event| event.time);
        let now = Instant::from_seconds(told.start + last).unwrap();
        let is_cause = |rule: &Rule| rule.is_watched();
        let evaluation = evaluate(&told.judged.worst.facts, stage.set(), &now, None, &is_cause);
        let violated = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Violated);
        let mut anew: Vec<String> = violated
            .map(|one| {
                format!(
                    "{} of {} {}",
                    evaluation.rules[one.rule].id, one.subject.kind, one.subject.key
                )
            })
            .collect();
        let causes = told.judged.worst.causes.iter().filter(|cause| cause.closed_at.is_none());
        let mut kept: Vec<String> = causes
            .map(|one| {
                format!(
                    "{} of {} {}",
                    stage.set().rules[one.rule].id,
                    one.subject.kind,
                    one.subject.key
                )
            })
            .collect();
        anew.sort();
        kept.sort();
        standing.fetch_add(u64::try_from(kept.len()).unwrap(), Ordering::Relaxed);
        if anew == kept { Ok(()) } else { Err(format!("kept {kept:#?}\nanew {anew:#?}")) }
    });
    let standing = standing.into_inner();
    assert!(standing > 10, "only {standing} causes stood at the end");
}
