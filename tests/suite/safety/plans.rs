//! The safety property of plans: a fact that is taken away makes no plan better.
//!
//! Every field, object and collection of the facts of every example of a change is taken away in turn. A
//! plan that did not pass must not pass, an object that did not end well must not end well for certain, and a
//! step with an error must not be without one, unless an object is taken from a collection declared complete.
//! Where nobody can say, nothing is well: a hazard of that kind stands for any other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dpmguard::facts::time::Instant;
use dpmguard::finding::Severity;
use dpmguard::gate::Threshold;
use dpmguard::load;
use dpmguard::plan::file;
use dpmguard::plan::hazard::{self, Given, Hazard, Judged};
use dpmguard::plan::time::Clock;
use dpmguard::plan::world::Phase;
use dpmguard::source::Node;

use super::{assert_none, describe, opened, positions, run_all, step, without};
use crate::support::{Bench, files, root};

/// How a plan was judged.
struct Judgement {
    code: u8,
    ends: BTreeMap<String, Phase>,
    /// Objects that end well, and nothing that is not known could tell otherwise.
    well: BTreeSet<String>,
    /// Steps with an error, or of which something is not known, with the objects that it is about.
    wrong: BTreeMap<String, BTreeSet<String>>,
    /// All these objects.
    blamed: BTreeSet<String>,
}

struct Trial<'a> {
    bench: &'a Bench,
    name: String,
    plan: Node,
    document: Node,
    now: Instant,
}

impl Trial<'_> {
    /// None where the plan cannot be read with these facts: then there is no verdict.
    fn judge(&self, document: &Node) -> Option<Judgement> {
        let facts = self.bench.facts(std::slice::from_ref(document)).ok()?;
        let known = hazard::KINDS.iter().filter(|kind| !kind.is_unknown);
        let ids: Vec<&str> = known.map(|kind| kind.id).collect();
        let context = file::Context {
            sources: &self.bench.sources,
            rules: &self.bench.rules,
            facts: &facts,
            now: &self.now,
            hazards: &ids,
        };
        let (plan, _) = file::read(&self.plan, context).ok()?;
        let clock = Clock::new(&plan.window.zone, plan.window.start);
        let set = &self.bench.rules;
        let given = Given { set, facts: &facts, plan: &plan, clock: &clock, max_age: plan.max_age };
        let judged: Judged = hazard::find(given);
        let code = judged.verdict(Threshold::From(Severity::Error)).exit_code();
        let ends = judged.worst.objects.iter().map(|one| (one.key.to_string(), one.ends()));
        let is_wrong = |one: &&Hazard| one.severity == Severity::Error || one.kind.is_unknown;
        let mut wrong: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut blamed = BTreeSet::new();
        for hazard in judged.hazards.iter().filter(is_wrong) {
            blamed.extend(hazard.objects.iter().cloned());
            let step = hazard.step.and_then(|step| plan.steps.get(step));
            if let Some(step) = step {
                let objects = wrong.entry(step.id.to_string()).or_default();
                objects.extend(hazard.objects.iter().cloned());
            }
        }
        let ends: BTreeMap<String, Phase> = ends.collect();
        let is_doubted = |key: &String| {
            let mut unknown = judged.hazards.iter().filter(|one| one.kind.is_unknown);
            unknown.any(|one| one.objects.contains(key))
        };
        let well = ends.iter().filter(|(key, phase)| **phase == Phase::Good && !is_doubted(key));
        let well = well.map(|(key, _)| key.clone()).collect();
        Some(Judgement { code, ends, well, wrong, blamed })
    }

    fn compare(&self, before: &Judgement, after: &Judgement, taken: &str) -> Vec<String> {
        let mut found = Vec::new();
        if before.code != 0 && after.code == 0 {
            found.push(format!("{}: without {taken} the plan passes", self.name));
        }
        for key in before.ends.keys().filter(|key| !before.well.contains(*key)) {
            if after.well.contains(key) {
                found.push(format!("{}: without {taken} {key} ends well", self.name));
            }
        }
        for (id, objects) in &before.wrong {
            // Another step may be to blame for the same objects.
            let is_elsewhere = !objects.is_empty() && objects.is_subset(&after.blamed);
            if !after.wrong.contains_key(id) && !is_elsewhere {
                found.push(format!("{}: without {taken} nothing is wrong with {id}", self.name));
            }
        }
        found
    }
}

fn trials<'a>(bench: &'a Bench, read: &[(String, Node, Node)]) -> Vec<Trial<'a>> {
    let mut trials = Vec::new();
    for (name, plan, document) in read {
        let facts = bench.facts(std::slice::from_ref(document)).unwrap();
        let now = facts.files()[0].observed_at.clone();
        for (variant, document) in [("", document.clone()), (" (open)", opened(document))] {
            let (name, plan, now) = (format!("{name}{variant}"), plan.clone(), now.clone());
            trials.push(Trial { bench, name, plan, document, now });
        }
    }
    trials
}

/// The plans of the examples with their facts; those for the repairer, which are many, if everything is taken away.
fn read(bench: &mut Bench) -> Vec<(String, Node, Node)> {
    let plans = files(&root().join("examples"), "yaml").into_iter();
    let each = std::env::var_os("DPMGUARD_EACH").is_some();
    let is_plan = |path: &Path| {
        let is_repaired = path.components().any(|part| part.as_os_str() == "repair");
        path.file_name().unwrap().to_string_lossy().starts_with("plan") && (each || !is_repaired)
    };
    let mut all = Vec::new();
    for path in plans.filter(|path| is_plan(path)) {
        let facts = path.parent().unwrap().join("facts.yaml");
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        all.push((name, bench.read(&path), bench.read(&facts)));
    }
    all
}

#[test]
fn a_fact_taken_from_a_plan_is_never_read_as_safe() {
    let mut bench = Bench::new();
    let read = read(&mut bench);
    let schema = load::schema("plan-v1").unwrap();
    assert!(read.len() > 3 && read.iter().all(|(_, plan, _)| schema.check(plan).is_empty()));
    let trials = trials(&bench, &read);
    let step = step(29);
    let mut work = Vec::new();
    for (number, trial) in trials.iter().enumerate() {
        let is_complete = trial.document.get("complete").is_some();
        let mut found = Vec::new();
        positions(&trial.document, &|_| true, &mut Vec::new(), &mut found);
        found.retain(|(_, is_member)| !(*is_member && is_complete));
        let before = trial.judge(&trial.document);
        println!(
            "{}: {} places, exit code {:?}",
            trial.name,
            found.len(),
            before.as_ref().map(|one| one.code)
        );
        let Some(before) = before else {
            // A step for each member of a list that may be longer cannot be read.
            let steps = trial.plan.get("steps").and_then(Node::as_list).unwrap();
            assert!(
                trial.name.ends_with("(open)")
                    && steps.iter().any(|step| step.get("for_each").is_some()),
                "{} cannot be judged",
                trial.name
            );
            continue;
        };
        let before = std::sync::Arc::new(before);
        let chosen = found.into_iter().skip(number % step).step_by(step);
        work.extend(chosen.map(|(at, _)| (trial, before.clone(), at)));
    }
    let (judged, wrong) = run_all(&work, |(trial, before, at), wrong| {
        let mut document = trial.document.clone();
        without(&mut document, at);
        let Some(after) = trial.judge(&document) else { return 0 };
        wrong.extend(trial.compare(before, &after, &describe(&trial.document, at)));
        1
    });
    println!("{judged} removals judged in {} estates with plans", trials.len());
    assert!(judged > 300, "only {judged} removals were judged");
    assert_none(&wrong);
}

/// What a step breaks is not well at the end only because nobody knows how it was before.
#[test]
fn an_object_whose_state_is_not_known_is_not_well_when_a_step_has_broken_it() {
    let mut bench = Bench::new();
    let read = read(&mut bench);
    let trials = trials(&bench, &read);
    let trial = trials.iter().find(|one| one.name == "examples/move-logs/plan.yaml").unwrap();
    let mut found = Vec::new();
    positions(&trial.document, &|_| true, &mut Vec::new(), &mut found);
    let mut document = trial.document.clone();
    let wanted = ".data_sources[2].replica";
    let (at, _) = found.iter().find(|(at, _)| describe(&document, at) == wanted).unwrap();
    without(&mut document, at);
    let judgement = trial.judge(&document).unwrap();
    assert_eq!(judgement.ends.values().filter(|phase| **phase == Phase::Unknown).count(), 1);
    assert!(judgement.wrong["logs-3"].contains("DPM01/EX01/SG3"));
}
