//! The safety property of effects: of what an action breaks nothing is well only because a fact is missing.
//!
//! Every case about an action is simulated as it stands, and again without each fact whose name stands in the
//! action. A cause or finding that came with the steps must come again, or somebody is told: a step says what
//! would have to be known of it or is refused, or a rule cannot be decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use dpmguard::author::case::Case;
use dpmguard::eval::evaluate;
use dpmguard::facts::store::Facts;
use dpmguard::facts::time::Instant;
use dpmguard::finding::{Outcome, Verdict};
use dpmguard::plan::file;
use dpmguard::plan::simulate::{Scenario, Takes, simulate};
use dpmguard::plan::trace::{StepStatus, Trace};
use dpmguard::plan::world::May;
use dpmguard::rule::Rule;
use dpmguard::source::Node;

use super::{Position, Seen, assert_none, describe, positions, run_all, step, without};
use crate::support::{Bench, action_cases, root, rule_of};

struct Trial<'a> {
    bench: &'a Bench,
    name: String,
    case: &'a Case,
    document: &'a Node,
    before: After,
    taken: Vec<Position>,
}

/// What came of the steps.
struct After {
    /// Whether somebody is told that nobody can say.
    is_told: bool,
    /// Rules with the protected objects that a cause is about, or may be about.
    causes: BTreeSet<(String, String)>,
    /// Rules that could be about any object.
    anywhere: BTreeSet<String>,
    /// Protected objects of which some rule cannot say whether a cause stands.
    doubted: BTreeSet<String>,
    /// Rules with what they find now, or cannot decide.
    findings: BTreeSet<(String, String)>,
    /// Rules with all that they were asked about.
    asked: BTreeSet<(String, String)>,
}

fn simulated(bench: &Bench, case: &Case, document: &Node) -> Option<(Arc<Facts>, Trace)> {
    let (facts, set) = (bench.facts(std::slice::from_ref(document)).ok()?, &bench.rules);
    let (sources, now) = (&bench.sources, &case.now);
    let context = file::Context { sources, rules: set, facts: &facts, now, hazards: &[] };
    let plan = file::steps(&case.act.as_ref()?.steps, context).ok()?;
    let scenario = Scenario { may: May::Happens, takes: Takes::Worst };
    let trace = simulate(set, &facts, &plan, scenario);
    Some((facts, trace))
}

/// What rules say of facts: with `is_open` what nobody can decide as well as what is violated; and all that they
/// were asked about.
fn findings(
    bench: &Bench,
    facts: &Arc<Facts>,
    now: &Instant,
    wanted: &dyn Fn(&Rule) -> bool,
    is_open: bool,
) -> [BTreeSet<(String, String)>; 2] {
    let judged = evaluate(facts, &bench.rules, now, None, wanted);
    let name = |one: &Verdict| (judged.rules[one.rule].id.to_string(), one.subject.key.to_string());
    let is_bad = |one: &&Verdict| {
        one.outcome == Outcome::Violated || is_open && one.outcome == Outcome::Undecided
    };
    let bad = judged.verdicts.iter().filter(is_bad).map(name).collect();
    [bad, judged.verdicts.iter().map(name).collect()]
}

/// When the steps of a case are over.
fn end(case: &Case, trace: &Trace) -> Instant {
    Instant::from_seconds(case.now.seconds() + trace.end).unwrap()
}

impl After {
    /// What came with the steps of a case that wants no fact.
    fn plain(bench: &Bench, case: &Case, document: &Node) -> Option<Self> {
        let (facts, trace) = simulated(bench, case, document)?;
        let now = end(case, &trace);
        let [known, _] = findings(bench, &facts, &now, &|_| true, false);
        let [mut all, asked] = findings(bench, &trace.facts, &now, &|_| true, false);
        all.retain(|one| !known.contains(one));
        Some(Self::of(bench, &trace, [all, asked], false))
    }

    fn of(
        bench: &Bench,
        trace: &Trace,
        [findings, asked]: [BTreeSet<(String, String)>; 2],
        is_open: bool,
    ) -> Self {
        let is_told = trace.steps.iter().any(|step| {
            let is_left = matches!(step.status, StepStatus::Refused(_) | StepStatus::Never);
            is_left || !step.unknown.is_empty() || !step.undecided.is_empty()
        });
        let id = |rule: usize| bench.rules.rules.get(rule).unwrap().id.to_string();
        let key = |object| trace.facts.key(object).to_string();
        let mut causes = BTreeSet::new();
        for cause in trace.causes.iter().filter(|one| is_open || one.opened_by.is_some()) {
            let objects = cause.objects.iter().chain(&cause.likely);
            causes.extend(objects.map(|object| (id(cause.rule), key(*object))));
        }
        let doubted = trace.doubts.iter().flat_map(|one| &one.objects);
        let doubted = doubted.map(|object| key(*object)).collect();
        let anywhere = trace.doubts.iter().filter(|one| is_open && one.anywhere);
        let anywhere = anywhere.map(|one| id(one.rule)).collect();
        Self { is_told, causes, anywhere, doubted, findings, asked }
    }
}

impl Trial<'_> {
    /// What is well without a fact that was not well with it.
    fn compare(&self, at: &[usize]) -> Option<Vec<String>> {
        let mut document = self.document.clone();
        without(&mut document, at);
        let (_, trace) = simulated(self.bench, self.case, &document)?;
        let now = end(self.case, &trace);
        let rules: BTreeSet<&str> = self.before.findings.iter().map(|(rule, _)| &**rule).collect();
        let wanted = |rule: &Rule| rules.contains(&*rule.id);
        let found = findings(self.bench, &trace.facts, &now, &wanted, true);
        let after = After::of(self.bench, &trace, found, true);
        if after.is_told {
            return Some(Vec::new());
        }
        let taken = describe(self.document, at);
        let is_doubted =
            |about: &str| after.doubted.contains(about) && !self.before.doubted.contains(about);
        let sources: BTreeSet<&str> = trace.objects.iter().map(|one| &*one.key).collect();
        let causes = self.before.causes.difference(&after.causes);
        let causes = causes
            .filter(|(rule, about)| sources.contains(&**about) && !after.anywhere.contains(rule));
        let gone = self.before.findings.difference(&after.findings);
        let gone = gone.filter(|one| after.asked.contains(*one));
        let gone = causes.chain(gone).filter(|(_, about)| !is_doubted(about));
        let say = |(rule, about): &(String, String)| {
            format!("{}: without {taken} nothing is said of {rule} of {about}", self.name)
        };
        Some(gone.map(say).collect())
    }
}

#[test]
fn a_fact_taken_from_an_action_hides_nothing_that_it_breaks() {
    let mut bench = Bench::new();
    let read: Vec<_> = action_cases().into_iter().map(|path| (bench.case(&path), path)).collect();
    let mut trials = Vec::new();
    let (step, mut count) = (step(40), 0);
    for ((case, document), path) in &read {
        let Some(before) = After::plain(&bench, case, document) else { continue };
        if before.is_told || before.causes.is_empty() && before.findings.is_empty() {
            continue;
        }
        let seen = Seen::by(&["actions/", &rule_of(path)].concat(), &bench);
        let is_complete = document.get("complete").is_some();
        let mut found = Vec::new();
        positions(document, &|name| seen.sees(name), &mut Vec::new(), &mut found);
        found.retain(|(_, is_member)| !(*is_member && is_complete));
        let mut taken = Vec::new();
        for (at, _) in found {
            count += 1;
            if count % step == 0 {
                taken.push(at);
            }
        }
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        trials.push(Trial { bench: &bench, name, case, document, before, taken });
    }
    let (judged, wrong) = run_all(&trials, |trial, wrong| {
        let found = trial.taken.iter().filter_map(|at| trial.compare(at));
        found.map(|found| wrong.extend(found)).count()
    });
    println!("{judged} removals judged in {} cases", trials.len());
    assert!(judged > 300, "only {judged} removals were judged");
    assert_none(&wrong);
}
