//! `dpmguard plan`: change plans, before anybody carries them out.

use std::io;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::check::{PackArgs, duration, load_packs, now, settings};
use crate::cli::{CliError, Streams, show};
use crate::finding::Severity;
use crate::gate::Threshold;
use crate::load;
use crate::plan::hazard::{self, Given};
use crate::plan::{file, time::Clock};
use crate::report::plan::{self as report, PlanReport};
use crate::source::Sources;

/// Judge change plans before anybody carries them out
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard plan check change.yaml --facts facts/\n  \
    dpmguard plan check change.yaml --facts facts/ -o json=report.json\n  dpmguard plan hazards plan-check-wasted")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    command: PlanCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PlanCommand {
    /// Simulate a plan step by step, and say what is wrong with it
    Check(CheckArgs),
    /// List the kinds of hazard, or explain one
    Hazards {
        /// Its id
        id: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard plan check change.yaml --facts facts/\n  \
    dpmguard plan check - --facts facts/ --format json\n\n\
    Each step changes a copy of the facts as its action declares; the rules judge it after every step. Durations are \
    the longest ones that the actions name, and what may happen happens.\n\n\
    Exit codes: 0 the plan passes; 1 it must not be carried out so; 2 an input is wrong; 3 nobody can say.")]
struct CheckArgs {
    /// The plan file; `-` is standard input
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Fact files or folders of them
    #[arg(long, required = true, num_args = 1.., value_name = "FACTS")]
    facts: Vec<PathBuf>,
    #[command(flatten)]
    rules: PackArgs,
    /// From which severity on a hazard fails the plan
    #[arg(long, value_name = "SEVERITY", value_parser = ["note", "warning", "error", "never"], default_value = "error")]
    fail_on: String,
    /// The instant of the run: RFC 3339, or `observed` for the newest observation in the facts
    #[arg(long, value_name = "TIME", env = "DPMGUARD_NOW")]
    now: Option<String>,
    /// Facts may be this old when the window opens: `4h`, `90m`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age: Option<i64>,
    /// Format of the report on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write a report to a file as well; can be repeated
    #[arg(short = 'o', value_name = "FORMAT=FILE", value_parser = super::parse_output::<Format>)]
    outputs: Vec<(Format, PathBuf)>,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema plan-report-v1`
    Json,
}

/// Reads, simulates, reports.
///
/// # Errors
///
/// Wrong inputs, or output that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    match &args.command {
        PlanCommand::Check(args) => check(args, streams),
        PlanCommand::Hazards { id } => hazards(id.as_deref(), streams),
    }
}

fn check(args: &CheckArgs, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let config = settings(&args.rules, &mut sources)?;
    let packs = load_packs(&args.rules, &config, &mut sources)?;
    let set = packs.rules(&config.params, &sources);
    let mut nothing = io::empty();
    let loaded = load::facts(&args.facts, &mut nothing, &mut sources, &packs);
    let root = load::plan(&args.plan, streams.input, &mut sources);
    let (set, loaded, root) = match (set, loaded, root) {
        (Ok(set), Ok(loaded), Ok(root)) => (set, loaded, root),
        (set, loaded, root) => {
            let found = set.err().into_iter().chain(loaded.err()).chain(root.err());
            return Err(CliError::Input(found.flatten().collect(), sources));
        }
    };
    let now = now(args.now.as_deref(), &loaded.facts)
        .map_err(|problem| CliError::one(problem, &sources))?;
    let known = hazard::KINDS.iter().filter(|kind| !kind.is_unknown);
    let ids: Vec<&str> = known.map(|kind| kind.id).collect();
    let context = file::Context {
        sources: &sources,
        rules: &set,
        facts: &loaded.facts,
        now: &now,
        hazards: &ids,
    };
    let (plan, warnings) =
        file::read(&root, context).map_err(|found| CliError::Input(found, sources.clone()))?;
    show(&loaded.warnings, &sources, streams);
    show(&warnings, &sources, streams);
    let clock = Clock::new(&plan.window.zone, plan.window.start);
    let judged = hazard::find(Given {
        set: &set,
        facts: &loaded.facts,
        plan: &plan,
        clock: &clock,
        max_age: args.max_age.or(plan.max_age),
    });
    let threshold = Threshold::named(&args.fail_on).unwrap_or(Threshold::From(Severity::Error));
    let report: PlanReport = report::build(report::Input {
        sources: &sources,
        set: &set,
        facts: &loaded.facts,
        plan: &plan,
        judged: &judged,
        clock: &clock,
        threshold,
        now: &now,
    });
    super::write_outputs(&args.outputs, args.format, streams, &sources, &|format, colour, out| {
        match format {
            Format::Human => report::write_human(&report, &judged, &sources, &clock, colour, out),
            Format::Json => report.write_json(out),
        }
    })?;
    Ok(report.exit_code)
}

fn hazards(id: Option<&str>, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let Some(id) = id else {
        for kind in hazard::KINDS {
            writeln!(streams.out, "{:<24}  {:<8}  {}", kind.id, kind.severity, kind.title)?;
        }
        return Ok(0);
    };
    let Some(kind) = hazard::kind(id) else {
        let problem = crate::diagnostic::Diagnostic::error(
            "unknown-hazard",
            format!("there is no hazard `{id}`"),
        );
        let problem = problem.suggest(id, hazard::KINDS.iter().map(|kind| kind.id));
        return Err(CliError::one(problem, &Sources::default()));
    };
    writeln!(
        streams.out,
        "{}  {}\n{}\n\n{}",
        kind.id, kind.severity, kind.title, kind.explanation
    )?;
    Ok(0)
}
