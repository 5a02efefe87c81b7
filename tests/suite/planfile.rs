//! Plan files: what they become, and what is said of those that are wrong.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dpmguard::diagnostic::Diagnostic;
use dpmguard::facts::store::Facts;
use dpmguard::facts::time::Instant;
use dpmguard::load;
use dpmguard::plan::Plan;
use dpmguard::plan::file::{self, Context};
use dpmguard::plan::time::Clock;
use dpmguard::rule::pack::RuleSet;
use dpmguard::source::{self, Node, Sources};

use crate::support::{root, said};

const HAZARDS: &[&str] = &["plan-all-replicas", "plan-window"];

/// The facts and the pack of `tests/plans`.
struct Estate {
    sources: Sources,
    rules: RuleSet,
    facts: Arc<Facts>,
    now: Instant,
}

impl Estate {
    fn new(facts: &str) -> Self {
        let mut sources = Sources::default();
        let packs = load::packs(false, &[folder().join("pack")], &mut sources).unwrap();
        let rules = packs.rules(&[], &sources);
        let rules = rules.unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
        let read = load::facts(&[PathBuf::from("-")], &mut facts.as_bytes(), &mut sources, &packs);
        let read = read.unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
        let now = Instant::parse("2008-11-15T18:12:00Z").unwrap();
        Self { sources, rules, facts: read.facts, now }
    }

    fn read(&self, text: &str) -> (Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>>, Sources) {
        let mut sources = self.sources.clone();
        let root = load::plan(Path::new("-"), &mut text.as_bytes(), &mut sources);
        let read = root.and_then(|root| self.plan(&root, &sources));
        (read, sources)
    }

    fn plan(
        &self,
        root: &Node,
        sources: &Sources,
    ) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
        let Self { rules, facts, now, .. } = self;
        file::read(root, Context { sources, rules, facts, now, hazards: HAZARDS })
    }

    /// The plan in a text that has nothing wrong with it.
    fn good(&self, text: &str) -> Plan {
        match self.read(text) {
            (Ok((plan, warnings)), sources) => {
                assert!(warnings.is_empty(), "{}", said(&warnings, &sources));
                plan
            }
            (Err(found), sources) => panic!("{}", said(&found, &sources)),
        }
    }

    /// What is said of a text.
    fn said(&self, text: &str) -> String {
        let (read, sources) = self.read(text);
        match read {
            Ok((_, warnings)) if warnings.is_empty() => "nothing\n".to_owned(),
            Ok((_, warnings)) => said(&warnings, &sources),
            Err(found) => {
                assert!(found.iter().any(Diagnostic::is_error), "{}", said(&found, &sources));
                said(&found, &sources)
            }
        }
    }
}

fn folder() -> PathBuf {
    root().join("tests/plans")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn estate() -> Estate {
    Estate::new(&text("facts.yaml"))
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(folder());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// A plan in words.
fn shown(plan: &Plan, estate: &Estate) -> String {
    let mut out = String::new();
    let clock = Clock::new(&plan.window.zone, plan.window.start);
    let window = &plan.window;
    writeln!(out, "{}: {}", plan.id, plan.title).unwrap();
    writeln!(
        out,
        "{} {} to {}, checks until {}",
        window.zone,
        clock.date_time(0),
        clock.show_day(window.end),
        clock.show_day(window.checks_until)
    )
    .unwrap();
    for blackout in &window.blackouts {
        let (from, to) = (clock.show(blackout.from), clock.show(blackout.to));
        writeln!(out, "blackout {from}-{to} {:?} {}", blackout.applies_to, blackout.why).unwrap();
    }
    writeln!(
        out,
        "{:?} {} {:?} ordered: {}",
        plan.max_age, plan.operators, plan.slots, plan.is_ordered
    )
    .unwrap();
    for step in &plan.steps {
        let action = &estate.rules.actions[step.action];
        let args: Vec<String> = action
            .args
            .iter()
            .zip(&step.args)
            .map(|(arg, value)| format!("{}={}", arg.name, estate.facts.say(value)))
            .collect();
        let after: Vec<&str> = step.after.iter().map(|other| &*plan.steps[*other].id).collect();
        writeln!(
            out,
            "{} {} [{}] {:?} after {after:?} not before {:?} group {:?}",
            step.id,
            action.id,
            args.join(", "),
            step.estimate,
            step.not_before.map(|time| clock.show(time)),
            step.group
        )
        .unwrap();
        for accept in &step.accept {
            let until = clock.date_time(accept.until - window.start);
            writeln!(
                out,
                "  accepts {} by {} until {until}: {}",
                accept.hazard, accept.by, accept.reason
            )
            .unwrap();
        }
    }
    writeln!(out, "{:?}", plan.goal).unwrap();
    out
}

#[test]
fn a_whole_plan() {
    let estate = estate();
    snapshot("whole", &shown(&estate.good(&text("whole.yaml")), &estate));
}

const SMALL: &str = r#"schema: dpmguard.plan/v1
id: P1
title: Small
window: { start: "2008-11-15T22:00[Europe/Berlin]", end: "2008-11-16T04:30[Europe/Berlin]" }
steps: []
"#;

#[test]
fn a_plan_without_steps_is_one() {
    let plan = estate().good(SMALL);
    assert_eq!((plan.steps.len(), plan.operators, plan.is_ordered), (0, 1, true));
    assert_eq!((plan.window.end, plan.window.checks_until), (23_400, 23_400));
    assert!(plan.goal.end_good.is_none() && plan.goal.except.is_empty());
}

/// Each slip in `tests/plans/slips.yaml`, put into the whole plan: what is said of it.
#[test]
fn every_slip_is_told() {
    let estate = estate();
    let whole = text("whole.yaml");
    let mut sources = Sources::default();
    let file = sources.add("slips.yaml", text("slips.yaml").as_bytes()).unwrap();
    let slips =
        source::read(&sources, file).unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
    let mut out = String::new();
    for slip in slips.as_list().unwrap() {
        let part = |key: &str| slip.get(key).and_then(Node::as_str).unwrap();
        let (find, put) = (part("find"), part("put"));
        assert_eq!(whole.matches(find).count(), 1, "`{find}` stands not once in the plan");
        let told = estate.said(&whole.replace(find, put));
        assert_ne!(told, "nothing\n", "{}", part("what"));
        writeln!(out, "## {}\n\n{told}", part("what")).unwrap();
    }
    snapshot("slips", &out);
}
