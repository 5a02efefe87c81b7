//! `dpmguard plan`: change plans, before anybody carries them out.

mod explain;
mod hazards;
mod prepare;
mod repair;
mod timeline;
mod verify;

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::plan::prepare::{Prepared, WithArgs, prepare};
use crate::cli::{CliError, Streams};
use crate::report::plan as report;

/// Judge change plans before anybody carries them out
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard plan check change.yaml --facts facts/\n  \
    dpmguard plan check change.yaml --facts facts/ -o html=report.html -o json=report.json\n  \
    dpmguard plan timeline change.yaml --facts facts/\n  \
    dpmguard plan explain change.yaml s4 --facts facts/\n  \
    dpmguard plan verify report.json --facts new-facts/\n  dpmguard plan hazards plan-check-wasted")]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    command: PlanCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PlanCommand {
    /// Simulate a plan step by step, and say what is wrong with it
    Check(CheckArgs),
    /// Find the least harmful way to carry a plan out, with what it lacks
    Repair(repair::Args),
    /// Tell all that is known of one step, or of one object
    Explain(explain::Args),
    /// Show what happens when, as text or as a drawing
    Timeline(timeline::Args),
    /// Say whether the verdict of an older report holds on newer facts
    Verify(verify::Args),
    /// List the kinds of hazard, or explain one
    #[command(
        after_help = "Examples:\n  dpmguard plan hazards\n  dpmguard plan hazards plan-check-wasted"
    )]
    Hazards {
        /// Its id
        id: Option<String>,
    },
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard plan check change.yaml --facts facts/\n  \
    dpmguard plan check change.yaml --facts facts/ -o html=report.html -o json=report.json\n  \
    dpmguard plan check change.yaml --facts facts/ --format markdown --max-chars 8000\n  \
    dpmguard plan check - --facts facts/ --format json\n\n\
    Each step changes a copy of the facts as its action declares; the rules judge it after every step. Durations are \
    the longest ones that the actions name, and what may happen happens.\n\n\
    Exit codes: 0 the plan passes; 1 it must not be carried out so; 2 an input is wrong; 3 nobody can say.")]
struct CheckArgs {
    /// The plan file; `-` is standard input
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    with: WithArgs,
    /// Format of the report on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write a report to a file as well; can be repeated
    #[arg(short = 'o', value_name = "FORMAT=FILE", value_parser = super::parse_output::<Format>)]
    outputs: Vec<(Format, PathBuf)>,
    /// Cut the Markdown from the bottom to so many characters; the verdict always stays
    #[arg(long, value_name = "N")]
    max_chars: Option<usize>,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema plan-report-v1`
    Json,
    /// SARIF 2.1.0, each hazard at its place in the plan
    Sarif,
    /// `JUnit` XML, a case for each protected object and each step
    Junit,
    /// Markdown for the ticket of the change
    Markdown,
    /// A page that needs nothing else, with the timeline
    Html,
}

/// Reads, simulates, reports.
///
/// # Errors
///
/// Wrong inputs, or output that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    match &args.command {
        PlanCommand::Check(args) => check(args, streams),
        PlanCommand::Repair(args) => repair::run(args, streams),
        PlanCommand::Explain(args) => explain::run(args, streams),
        PlanCommand::Timeline(args) => timeline::run(args, streams),
        PlanCommand::Verify(args) => verify::run(args, streams),
        PlanCommand::Hazards { id } => hazards::run(id.as_deref(), streams),
    }
}

fn check(args: &CheckArgs, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let prepared = prepare(&args.plan, &args.with, streams)?;
    let Prepared { sources, judged, clock, .. } = &prepared;
    let report = report::build(prepared.input());
    super::write_outputs(&args.outputs, args.format, streams, sources, &|format, colour, out| {
        match format {
            Format::Human => report::write_human(&report, judged, sources, clock, colour, out),
            Format::Json => report.write_json(out),
            Format::Sarif => report::write_sarif(&report, prepared.input(), out),
            Format::Junit => report::write_junit(&report, clock, out),
            Format::Markdown => report::write_markdown(&report, clock, args.max_chars, out),
            Format::Html => report::write_html(&report, clock, out),
        }
    })?;
    Ok(report.exit_code)
}
