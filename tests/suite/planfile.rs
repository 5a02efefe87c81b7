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
use dpmguard::plan::hazard::KINDS;
use dpmguard::plan::time::Clock;
use dpmguard::rule::pack::RuleSet;
use dpmguard::source::{self, Node, Sources};

use crate::support::{root, run, said};

/// A plan with warnings, or what is wrong with it.
type Read = Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>>;

/// The facts and the pack of `tests/plans`.
struct Estate {
    sources: Sources,
    rules: RuleSet,
    facts: Arc<Facts>,
    now: Instant,
}

impl Estate {
    fn new(facts: &str) -> Self {
        Self::read_from(&[folder().join("pack")], &[PathBuf::from("-")], facts)
    }

    fn read_from(packs: &[PathBuf], paths: &[PathBuf], facts: &str) -> Self {
        let mut sources = Sources::default();
        let packs = load::packs(false, packs, &mut sources).unwrap();
        let rules = packs.rules(&[], &sources);
        let rules = rules.unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
        let read = load::facts(paths, &mut facts.as_bytes(), &mut sources, &packs);
        let read = read.unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
        let now = Instant::parse("2008-11-15T18:12:00Z").unwrap();
        Self { sources, rules, facts: read.facts, now }
    }

    fn read(&self, text: &str) -> (Read, Sources) {
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
        let hazards: Vec<&str> = KINDS.iter().map(|kind| kind.id).collect();
        file::read(root, Context { sources, rules, facts, now, hazards: &hazards })
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
    for step in plan.written() {
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
    assert_eq!((plan.written().len(), plan.operators, plan.is_ordered), (0, 1, true));
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

#[test]
fn the_night_in_which_clocks_are_set_back() {
    let night = SMALL
        .replace("2008-11-15T22:00", "2009-10-24T22:00")
        .replace("2008-11-16T04:30", "2009-10-25T06:00");
    let plan = estate().good(&night);
    assert_eq!(plan.window.end, 9 * 3_600);
    let twice = |prefer: &str| {
        let blackouts = "blackouts: [{ from: \"2009-10-25T02:30[Europe/Berlin]\", \
             to: \"2009-10-25T03:00[UTC]\", why: x }]";
        let night = night.replace(" }\nsteps", &format!(", {prefer}{blackouts} }}\nsteps"));
        estate().read(&night).0
    };
    let refused = twice("").unwrap_err();
    assert_eq!((refused.len(), refused[0].code), (1, "time-comes-twice"));
    let from = |prefer: &str| twice(prefer).unwrap().0.window.blackouts[0].from;
    assert_eq!(from("prefer: earlier, "), 4 * 3_600 + 1_800);
    assert_eq!(from("prefer: later, "), 5 * 3_600 + 1_800);
}

fn steps(steps: &str) -> String {
    SMALL.replace("steps: []", &format!("steps:\n{steps}"))
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.written().iter().map(|step| &*step.id).collect()
}

#[test]
fn what_is_filled_in_keeps_its_type() {
    let estate = estate();
    let plan = estate.good(&steps(
        r#"  - for_each: e
    in: exchange_servers.filter(|e| e.name == "EX01")
    id: '${e.name}${1 + 1}'
    action: patch-server
    with:
      server: '${e}'
      version: '${e.version}'
      reboots: '${1 + 1}'
      is_planned: '${e.name == "EX01"}'
      share: '${3 / 2.0}'
      mode: '${if true { "fast" } else { "careful" }}'
      parts: '${[e.name, e.key]}'
      cluster: '${e.cluster}'
"#,
    ));
    let said: Vec<String> =
        plan.steps[0].args.iter().map(|value| estate.facts.say(value)).collect();
    assert_eq!(ids(&plan), ["EX012"]);
    assert_eq!(said, ["EX01", "8.1.240.6", "2", "true", "1.5", "fast", "EX01, EX01", "null"]);
    // Text stays text: a name that looks like a number is still a name.
    let plan = estate.good(&steps(
        "  - { for_each: i, in: '[1, 2]', id: '${i}', action: move-logs, \
         with: { group: EX01/SG1, to: 'L:\\${i}' }, after: [] }\n",
    ));
    assert_eq!(ids(&plan), ["1", "2"]);
}

#[test]
fn a_list_that_may_be_longer_can_be_asked_for_all_the_same() {
    let each = steps(
        "  - { for_each: d, in: databases, id: 'm-${d.name}', action: move-logs, \
         with: { group: EX01/SG1, to: 'L:\\${d.name}' } }\n",
    );
    let estate = estate();
    let refused = estate.read(&each).0.unwrap_err();
    assert_eq!((refused.len(), refused[0].code), (1, "unknown-list"));
    let known = each.replace("in: databases", "in: databases.known_only()");
    assert_eq!(ids(&estate.good(&known)), ["m-DB1"]);
}

#[test]
fn only_after_binds_in_a_partial_order() {
    let step = |id: &str, after: &str| {
        format!(
            "  - {{ id: {id}, action: check-source, with: {{ source: DPM01/EX01/SG1 }}, after: [{after}] }}\n"
        )
    };
    let text = steps(&[step("a", "b, c"), step("b", "c"), step("c", "")].concat());
    let estate = estate();
    assert_eq!(estate.read(&text).0.unwrap_err().len(), 3, "as written");
    let partial = text.replace("steps:", "order: partial\nsteps:");
    let plan = estate.good(&partial);
    assert_eq!(plan.steps[0].after, [1, 2]);
    let circle = partial.replace("after: []", "after: [a]");
    let refused = estate.read(&circle).0.unwrap_err();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].message, "`a` waits for `b`, which waits for `c`, which waits for `a`");
}

#[test]
fn a_plan_has_an_end() {
    let estate = estate();
    let many = |count: usize| {
        let mut text = steps("");
        for number in 0..count {
            writeln!(
                text,
                "  - {{ id: s{number}, action: check-source, with: {{ source: DPM01/EX01/SG1 }} }}"
            )
            .unwrap();
        }
        text
    };
    assert_eq!(estate.good(&many(file::MAX_STEPS)).written().len(), file::MAX_STEPS);
    let refused = estate.read(&many(file::MAX_STEPS + 5)).0.unwrap_err();
    assert_eq!((refused.len(), refused[0].code), (1, "too-many"));
    // With something wrong in every step it is refused as well, and does not take minutes.
    let wrong = many(file::MAX_STEPS).replace("DPM01/EX01/SG1 }", "DPM01/EX01/SG9 }, after: [x]");
    assert!(estate.read(&wrong).0.is_err());
    // Nobody reads on after some hundred.
    let list: Vec<String> = (0..900).map(|number| number.to_string()).collect();
    let each = steps(&format!(
        "  - {{ for_each: i, in: '[{}]', id: 'a${{i}}', action: check-source, with: {{ source: 'x${{i}}' }} }}\n",
        list.join(", ")
    ));
    let refused = estate.read(&each).0.unwrap_err();
    assert!((100..300).contains(&refused.len()), "{}", refused[0].message);
}

#[test]
fn files_that_are_no_plans_are_refused() {
    let mut sources = Sources::default();
    let mut read = |path: &str, text: &str| {
        load::plan(Path::new(path), &mut text.as_bytes(), &mut sources).unwrap_err()[0].code
    };
    assert_eq!(read("no/such/plan.yaml", ""), "cannot-read");
    assert_eq!(read("-", "- 1\n"), "wrong-type");
    assert_eq!(read("-", "schema: 1\n"), "missing-key");
    assert_eq!(read("-", "{}"), "not-a-plan");
    assert_eq!(read("-", "a: [\n"), "yaml-syntax");
}

/// A generator of numbers that is the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// Whatever is done to a plan's text: there is a plan or there is an error, and no panic.
#[test]
fn rubbish_is_refused() {
    let estate = estate();
    let whole = text("whole.yaml");
    let words: Vec<&str> = whole.split_inclusive([' ', '\n', ',']).collect();
    let odd = [
        "null",
        "[]",
        "{}",
        "-1",
        "9999999999999",
        "''",
        "\"\\u0000\"",
        "${",
        "${g}",
        "}",
        "\n",
        "ä",
        "x: y",
        "\"9999-12-31T23:59[Pacific/Auckland]\"",
        "\"0000-01-01T00:00[UTC]\"",
        "999999999w",
        "9999-12-31",
        "g",
        "now",
        "known(g)",
        "[1, 2].map(|x| x)",
        "all",
        "true",
    ];
    let mut dice = Dice(5);
    let (mut plans, mut refused) = (0, 0);
    for _ in 0..3_000 {
        let mut mutant = words.clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(mutant.len());
            match dice.below(4) {
                0 => drop(mutant.remove(at)),
                1 => mutant[at] = odd[dice.below(odd.len())],
                2 => {
                    let other = dice.below(mutant.len());
                    mutant.swap(at, other);
                }
                _ => mutant.insert(at, words[dice.below(words.len())]),
            }
        }
        let text = mutant.concat();
        match estate.read(&text).0 {
            Ok(_) => plans += 1,
            Err(found) => {
                assert!(found.iter().any(Diagnostic::is_error), "{text}");
                refused += 1;
            }
        }
    }
    assert!(plans > 100 && refused > 1_000, "{plans} plans, {refused} refused");
}

/// What was not checked against the schema does no harm either.
#[test]
fn trees_that_no_schema_has_seen_are_refused() {
    let estate = estate();
    let whole = text("whole.yaml");
    let lines: Vec<&str> = whole.lines().collect();
    for skipped in 0..lines.len() {
        for with in ["", "steps: 1", "window: []", "goal: x", "repair: { keep: 1 }"] {
            let mut mutant = lines.clone();
            mutant[skipped] = with;
            let mut sources = estate.sources.clone();
            let file = sources.add("x", mutant.join("\n").as_bytes()).unwrap();
            if let Ok(root) = source::read(&sources, file) {
                let read = estate.plan(&root, &sources);
                assert!(
                    read.is_ok() || read.is_err_and(|found| found.iter().any(Diagnostic::is_error))
                );
            }
        }
    }
}

/// The plan on the page about plans is one, and the page tells of every key.
#[test]
fn the_page_about_plans_is_right() {
    let page = fs::read_to_string(root().join("docs/plans.md")).unwrap();
    let plan = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
    // What the page shows can be run as it stands there, and comes out as the page says.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plan.yaml").display().to_string();
    fs::write(&path, plan).unwrap();
    let facts = root().join("examples/contoso").display().to_string();
    let command = ["plan", "check", &path, "--facts", &facts, "--now", "observed"];
    assert!(page.contains("dpmguard plan check plan.yaml --facts examples/contoso --now observed"));
    let ran = run(&command);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(
        ran.out.contains("Accepted in the plan\n  plan-job-fails  because of logs-SG3"),
        "{}",
        ran.out
    );
    for word in ["plan-stale", "plan-accept-unused", "no verdict["] {
        assert!(!ran.out.contains(word), "{}", ran.out);
    }
    let schema = load::schema("plan-v1").unwrap();
    let mut open = vec![schema.json()];
    while let Some(node) = open.pop() {
        for (word, inner) in node.as_object().into_iter().flatten() {
            if word == "properties" {
                for key in inner.as_object().unwrap().keys() {
                    let told = page.contains(&format!("`{key}`"))
                        || page.contains(&format!(".{key}`"))
                        || page.contains(&format!("`{key}."));
                    assert!(
                        told || page.contains(&format!("{key}: ")),
                        "docs/plans.md says nothing of `{key}`"
                    );
                }
            }
            open.push(inner);
        }
        open.extend(node.as_array().into_iter().flatten());
    }
}
