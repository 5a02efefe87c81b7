//! How long a simulated step takes, and how that grows with storage groups and with steps.
//!
//! `cargo bench --bench plan` prints a table. Beside each plan the rules are judged once on the same facts
//! from the ground up: the ratio says how many such judgements a whole plan costs.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and makes its own files"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch};

use dpmguard::facts::store::Facts;
use dpmguard::facts::time::Instant;
use dpmguard::load;
use dpmguard::plan::hazard::KINDS;
use dpmguard::plan::simulate::{self, Scenario, Takes};
use dpmguard::plan::world::May;
use dpmguard::plan::{self, Plan};
use dpmguard::rule::pack::RuleSet;
use dpmguard::source::Sources;
use serde_json::Value;

type Answer<T> = Result<T, Box<dyn Error>>;

/// Groups and steps.
const SIZES: &[(usize, usize)] = &[(10, 500), (50, 500), (200, 500), (200, 50), (200, 5_000)];

/// Each is measured this often; the median counts.
const RUNS: usize = 3;

fn main() -> Answer<()> {
    let mut out = std::io::stdout();
    writeln!(out, "groups  steps  events  simulate ms  us a step  judge once ms  ratio")?;
    for (groups, steps) in SIZES {
        let folder = tempfile::tempdir()?;
        let case = Case::new(folder.path(), *groups, *steps)?;
        let scenario = Scenario { may: May::Happens, takes: Takes::Worst };
        let (trace, simulated) =
            median(|| simulate::simulate(&case.set, &case.facts, &case.plan, scenario));
        let (_, judged) =
            median(|| dpmguard::eval::evaluate(&case.facts, &case.set, &case.now, None, &|_| true));
        let steps = u32::try_from(*steps)?;
        writeln!(
            out,
            "{groups:>6}  {steps:>5}  {:>6}  {:>11.1}  {:>9.0}  {:>13.1}  {:>5.1}",
            trace.events.len(),
            millis(simulated),
            millis(simulated / steps) * 1_000.0,
            millis(judged),
            simulated.as_secs_f64() / judged.as_secs_f64(),
        )?;
    }
    Ok(())
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn median<T>(mut work: impl FnMut() -> T) -> (T, Duration) {
    let mut times = Vec::new();
    let mut last = work();
    for _ in 0..RUNS {
        let watch = Stopwatch::now();
        last = work();
        times.push(watch.elapsed());
    }
    times.sort_unstable();
    (last, times.get(RUNS / 2).copied().unwrap_or_default())
}

struct Case {
    set: RuleSet,
    facts: Arc<Facts>,
    plan: Plan,
    now: Instant,
}

impl Case {
    fn new(folder: &Path, groups: usize, steps: usize) -> Answer<Self> {
        let paths = [folder.join("facts.json"), folder.join("plan.yaml")];
        let [facts, plan] = &paths;
        fs::write(facts, estate(groups)?)?;
        fs::write(plan, change(groups, steps)?)?;
        let told = |problems: Vec<dpmguard::diagnostic::Diagnostic>| format!("{problems:?}");
        let mut sources = Sources::default();
        let packs = load::packs(true, &[], &mut sources).map_err(told)?;
        let set = packs.rules(&[], &sources).map_err(told)?;
        let files: Vec<PathBuf> = vec![facts.clone()];
        let loaded = load::facts(&files, &mut std::io::empty(), &mut sources, &packs);
        let facts = loaded.map_err(told)?.facts;
        let now = Instant::parse("2008-11-15T20:30:00Z").ok_or("no instant")?;
        let root = load::plan(plan, &mut std::io::empty(), &mut sources).map_err(told)?;
        let hazards: Vec<&str> = KINDS.iter().map(|kind| kind.id).collect();
        let context = plan::file::Context {
            sources: &sources,
            rules: &set,
            facts: &facts,
            now: &now,
            hazards: &hazards,
        };
        let (plan, _) = plan::file::read(&root, context).map_err(told)?;
        Ok(Self { set, facts, plan, now })
    }
}

/// The estate of the worked example with this many storage groups, all like its first.
fn estate(groups: usize) -> Answer<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/change/facts.yaml");
    let mut facts: Value = serde_yaml::from_str(&fs::read_to_string(path)?)?;
    for collection in ["storage_groups", "databases", "data_sources"] {
        let list = facts.get_mut(collection).and_then(Value::as_array_mut).ok_or(collection)?;
        let first = list.first().ok_or(collection)?.to_string();
        *list = (1..=groups)
            .map(|number| serde_json::from_str(&first.replace("SG1", &format!("SG{number}"))))
            .collect::<Result<_, _>>()?;
    }
    // Room for everything that moves.
    for volume in facts.get_mut("volumes").and_then(Value::as_array_mut).ok_or("volumes")? {
        for size in ["size_bytes", "free_bytes"] {
            if let Some(size) = volume.get_mut(size) {
                *size = Value::from(900_000_000_000_000_i64);
            }
        }
    }
    Ok(facts.to_string())
}

/// Logs move to and fro, group by group, each move with its check.
fn change(groups: usize, steps: usize) -> Answer<String> {
    let mut text = String::from(
        "schema: dpmguard.plan/v1\nid: bench\ntitle: Logs to and fro\nfacts: { max_age: 400d }\nwindow:\n  \
         start: \"2008-11-15T22:00[Europe/Berlin]\"\n  end: \"2008-11-16T08:00[Europe/Berlin]\"\n\
         resources: { operators: 1, parallel_checks: { DPM01: 6 } }\nsteps:\n",
    );
    for step in 0..steps {
        let (pair, group) = (step / 2, step / 2 % groups + 1);
        if step.is_multiple_of(2) {
            let drive = if (pair / groups).is_multiple_of(2) { 'K' } else { 'L' };
            writeln!(
                text,
                "  - {{ id: m{step}, action: move-log-folder, with: {{ object: EX01/SG{group}, to: '{drive}:\\SG{group}' }}, estimate: 1m }}"
            )?;
        } else {
            writeln!(
                text,
                "  - {{ id: c{step}, action: run-consistency-check, with: {{ source: DPM01/EX01/SG{group} }}, estimate: 5m }}"
            )?;
        }
    }
    Ok(text)
}
