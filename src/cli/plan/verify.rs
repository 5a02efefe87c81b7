//! `dpmguard plan verify`: does the verdict of an older report hold on newer facts?

use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::check::load_packs;
use crate::cli::plan::prepare::{Prepared, WithArgs, prepare_as};
use crate::cli::{CliError, Streams, parse_output, write_outputs};
use crate::diagnostic::Diagnostic;
use crate::finding::Severity;
use crate::gate::Threshold;
use crate::load;
use crate::plan::insight::{Moved, moved};
use crate::report::plan as report;
use crate::report::plan::{Compared, Old, Verified};
use crate::source::{Node, Sources};

/// Arguments of `plan verify`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dpmguard plan check change.yaml --facts facts/ -o json=report.json\n  \
    dpmguard plan verify report.json --facts new-facts/\n  \
    dpmguard plan verify report.json --facts new-facts/ --plan elsewhere/change.yaml\n\n\
    The plan is simulated anew, with the threshold and the age of facts of the report unless you say otherwise. Where \
    the fact files of the report are still there, each fact that moved is named. A report with a threshold that lets \
    errors pass is taken only with `--fail-on`: whoever can write the report must not be able to lower the bar.\n\n\
    Exit codes: 0 the plan passed and passes; 1 it fails, or the verdict is another one; 2 an input is wrong, or the \
    plan is not the one of the report; 3 nobody can say."
)]
pub(super) struct Args {
    /// A report that `plan check` wrote as JSON
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    #[command(flatten)]
    with: WithArgs,
    /// The plan file [default: the one that the report names, also looked for beside the report]
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Format of the answer on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write the answer to a file as well; can be repeated
    #[arg(short = 'o', value_name = "FORMAT=FILE", value_parser = parse_output::<Format>)]
    outputs: Vec<(Format, PathBuf)>,
}

/// A format of the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema plan-verify-v1`
    Json,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let root = load::plan_report(&args.report, streams.input, &mut sources);
    let root = root.map_err(|found| CliError::Input(found, sources.clone()))?;
    let old = Old::read(&root).map_err(|problem| CliError::one(problem, &sources))?;
    let file = args.plan.clone().unwrap_or_else(|| beside(&args.report, &old.file));
    is_strict(&old, args, &root).map_err(|problem| CliError::one(problem, &sources))?;
    has_digest(&old, &file, &sources)?;
    let prepared = prepare_as(&file, &args.with, (Some(&old.fail_on), old.max_age), streams);
    let prepared = prepared.map_err(|error| match (error, &args.plan) {
        (CliError::Input(found, sources), None) => {
            let help = "another place of the plan can be given with `--plan`";
            let name = file.display().to_string();
            let missing =
                |one: &Diagnostic| one.code == "cannot-read" && one.message.contains(&name);
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
    let verified = Verified::new(&old, &report, compared);
    write_outputs(&args.outputs, args.format, streams, &prepared.sources, &|format, _, out| {
        match format {
            Format::Human => verified.write_human(out),
            Format::Json => verified.write_json(out),
        }
    })?;
    Ok(verified.exit_code())
}

/// A file that a report names: seen from where we are, or else from where the report is.
fn beside(report: &Path, name: &str) -> PathBuf {
    let named = PathBuf::from(name);
    if load::read_file(&named).is_ok() {
        return named;
    }
    let folder = report.parent().unwrap_or(Path::new(""));
    let last = named.file_name().map(PathBuf::from);
    let candidates = [Some(folder.join(&named)), last.map(|last| folder.join(last))];
    let found = candidates.into_iter().flatten().find(|file| load::read_file(file).is_ok());
    found.unwrap_or(named)
}

/// A report is a file that anybody may have changed: it can raise the bar, never lower it.
fn is_strict(old: &Old, args: &Args, root: &Node) -> Result<(), Diagnostic> {
    let lets_errors_pass =
        Threshold::named(&old.fail_on).is_none_or(|threshold| !threshold.reached(Severity::Error));
    if args.with.fail_on.is_some() || !lets_errors_pass {
        return Ok(());
    }
    let place = root.pointer("/fail_on").map_or(root.place, |node| node.place);
    let message = format!("this report lets errors pass: its threshold is `{}`", old.fail_on);
    Err(Diagnostic::error("report-threshold", message).at(place).help(
        "say with `--fail-on` which threshold is meant: `--fail-on error` is that of `plan check`",
    ))
}

/// Whether a file is the plan that the report is about. It is looked at before it is read as a plan: a report can
/// name any file, and what stands in one that is no plan is nobody's business.
fn has_digest(old: &Old, file: &Path, sources: &Sources) -> Result<(), CliError> {
    let name = file.display().to_string();
    // That it is not there is told where it is read.
    let Ok(bytes) = load::read_file(file) else { return Ok(()) };
    let mut alone = Sources::default();
    let source = alone.add(&*name, &bytes).ok().and_then(|file| alone.get(file));
    if source.is_some_and(|source| source.digest() == old.plan) {
        return Ok(());
    }
    Err(CliError::one(changed(&name), sources))
}

fn changed(name: &str) -> Diagnostic {
    let message =
        format!("`{name}` is not the plan that the report is about, or was changed since");
    Diagnostic::error("plan-changed", message)
        .help("a report says nothing of another plan: check it with `dpmguard plan check`")
}

/// Whether the plan that was read is still the one that the report is about.
fn is_same_plan(old: &Old, prepared: &Prepared) -> Result<(), CliError> {
    let source = prepared.sources.get(prepared.plan.place.file);
    if source.is_some_and(|source| source.digest() == old.plan) {
        return Ok(());
    }
    let name = source.map_or("", |source| source.name());
    Err(CliError::one(changed(name), &prepared.sources))
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
    let paths: Vec<PathBuf> =
        old.facts.iter().map(|(name, _)| beside(&args.report, name)).collect();
    let is_there = |path: &PathBuf| load::read_file(path).is_ok();
    if paths.is_empty() || !paths.iter().all(is_there) {
        return Ok(None);
    }
    let Ok(loaded) = load::facts(&paths, &mut io::empty(), &mut sources, &packs) else {
        return Ok(None);
    };
    let is_as_it_was = |(_, digest): &(String, String)| {
        sources.iter().any(|(_, source)| {
            paths.iter().any(|path| Path::new(source.name()) == path) && source.digest() == digest
        })
    };
    if !old.facts.iter().all(is_as_it_was) {
        return Ok(None);
    }
    let new = load::facts(&args.with.facts, &mut io::empty(), &mut sources, &packs)
        .map_err(|found| CliError::Input(found, sources.clone()))?;
    Ok(Some(moved(&loaded.facts, &new.facts)))
}
