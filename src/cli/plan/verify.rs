//! `dpmguard plan verify`: does the verdict of an older report hold on newer facts?

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::check::load_packs;
use crate::cli::plan::prepare::{Prepared, WithArgs, prepare_as};
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::load;
use crate::plan::insight::{Moved, moved};
use crate::report::plan as report;
use crate::report::plan::{Compared, Old};
use crate::source::Sources;

/// Arguments of `plan verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dpmguard plan check change.yaml --facts facts/ -o json=report.json\n  \
    dpmguard plan verify report.json --facts new-facts/\n  \
    dpmguard plan verify report.json --facts new-facts/ --plan elsewhere/change.yaml\n\n\
    The plan is simulated anew, with the threshold and the age of facts of the report unless you say otherwise. Where \
    the fact files of the report are still there, each fact that moved is named.\n\n\
    Exit codes: 0 the plan passed and passes; 1 it fails, or the verdict is another one; 2 an input is wrong, or the \
    plan is not the one of the report; 3 nobody can say."
)]
pub(super) struct Args {
    /// A report that `plan check` wrote as JSON
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    #[command(flatten)]
    with: WithArgs,
    /// The plan file [default: the one that the report names]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let root = load::plan_report(&args.report, streams.input, &mut sources);
    let root = root.map_err(|found| CliError::Input(found, sources.clone()))?;
    let old = Old::read(&root).map_err(|problem| CliError::one(problem, &sources))?;
    let file = args.plan.clone().unwrap_or_else(|| PathBuf::from(&old.file));
    let prepared = prepare_as(&file, &args.with, (&old.fail_on, old.max_age), streams);
    let prepared = prepared.map_err(|error| match (error, &args.plan) {
        (CliError::Input(found, sources), None) => {
            let help = "another place of the plan can be given with `--plan`";
            let missing = |one: &Diagnostic| one.code == "cannot-read";
            let found = found.into_iter();
            let found = found.map(|one| if missing(&one) { one.help(help) } else { one });
            CliError::Input(found.collect(), sources)
        }
        (error, _) => error,
    })?;
    is_same_plan(&old, &prepared)?;
    let report = report::build(prepared.input());
    let before = old_facts(&old, args, &report)?;
    let compared = match &before {
        _ if is_same(&old, &report) => Compared::Same,
        Some(moved) => Compared::Moved(moved),
        None => Compared::Gone,
    };
    report::write_verified(&old, &report, compared, streams.out)?;
    Ok(report::verified_exit_code(&old, &report))
}

/// Whether the plan is the one that the report is about.
fn is_same_plan(old: &Old, prepared: &Prepared) -> Result<(), CliError> {
    let source = prepared.sources.get(prepared.plan.place.file);
    if source.is_some_and(|source| source.digest() == old.plan) {
        return Ok(());
    }
    let name = source.map_or("", |source| source.name());
    let message =
        format!("`{name}` is not the plan that the report is about, or was changed since");
    let problem = Diagnostic::error("plan-changed", message)
        .help("a report says nothing of another plan: check it with `dpmguard plan check`");
    Err(CliError::one(problem, &prepared.sources))
}

/// Whether all fact files are the same, whatever their names.
fn is_same(old: &Old, report: &report::PlanReport) -> bool {
    let mut then: Vec<&str> = old.facts.iter().map(|(_, digest)| digest.as_str()).collect();
    let mut now: Vec<&str> = report.inputs.facts.iter().map(|file| file.digest.as_str()).collect();
    then.sort_unstable();
    now.sort_unstable();
    then == now
}

/// The facts that moved, if the files of the report are still there as they were.
fn old_facts(
    old: &Old,
    args: &Args,
    report: &report::PlanReport,
) -> Result<Option<Vec<Moved>>, CliError> {
    if is_same(old, report) {
        return Ok(None);
    }
    let mut sources = Sources::default();
    let config = crate::cli::check::settings(&args.with.rules, &mut sources)?;
    let packs = load_packs(&args.with.rules, &config, &mut sources)?;
    let paths: Vec<PathBuf> = old.facts.iter().map(|(name, _)| PathBuf::from(name)).collect();
    let is_there = |path: &PathBuf| load::read_file(path).is_ok();
    if paths.is_empty() || !paths.iter().all(is_there) {
        return Ok(None);
    }
    let Ok(loaded) = load::facts(&paths, &mut io::empty(), &mut sources, &packs) else {
        return Ok(None);
    };
    let is_as_it_was = |(name, digest): &(String, String)| {
        sources.iter().any(|(_, source)| {
            Path::new(source.name()) == Path::new(name) && source.digest() == digest
        })
    };
    if !old.facts.iter().all(is_as_it_was) {
        return Ok(None);
    }
    let new = load::facts(&args.with.facts, &mut io::empty(), &mut sources, &packs)
        .map_err(|found| CliError::Input(found, sources.clone()))?;
    Ok(Some(moved(&loaded.facts, &new.facts)))
}
