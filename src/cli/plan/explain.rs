//! `dpmguard plan explain`: one step of a plan, or one object, with all that is known of it.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::plan::prepare::{WithArgs, prepare};
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::facts::value::fold;
use crate::plan::insight;
use crate::report::plan as report;

/// Arguments of `plan explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard plan explain change.yaml s4 --facts facts/\n  \
    dpmguard plan explain change.yaml DPM01/EX01/SG1 --facts facts/\n  \
    dpmguard plan explain change.yaml s4 --facts facts/ --format json\n\n\
    Exit codes: 0 it is explained; 2 an input is wrong, or the plan has no such step or object.")]
pub(super) struct Args {
    /// The plan file; `-` is standard input
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    /// Id of a step, or key of a protected object
    #[arg(value_name = "STEP|OBJECT")]
    name: String,
    #[command(flatten)]
    with: WithArgs,
    /// Format of the explanation
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// A format of the explanation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema plan-explain-v1`
    Json,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let prepared = prepare(&args.plan, &args.with, streams)?;
    let report = report::build(prepared.input());
    let clock = &prepared.clock;
    if let Some(position) = report.steps.iter().position(|step| step.id == args.name)
        && let Some(step) = report.steps.get(position)
    {
        let begin = insight::begin(prepared.given(), &prepared.judged.worst, position);
        match args.format {
            Format::Human => {
                report::write_step(&report, step, begin.as_ref(), clock, streams.out)?;
            }
            Format::Json => {
                report::write_step_json(&report, step, begin.as_ref(), clock, streams.out)?;
            }
        }
        return Ok(0);
    }
    let wanted = fold(&args.name);
    if let Some(object) = report.objects.iter().find(|object| fold(&object.key) == wanted) {
        match args.format {
            Format::Human => report::write_object(&report, object, clock, streams.out)?,
            Format::Json => report::write_object_json(&report, object, clock, streams.out)?,
        }
        return Ok(0);
    }
    let names = report.steps.iter().map(|step| step.id.as_str());
    let names = names.chain(report.objects.iter().map(|object| object.key.as_str()));
    let message = format!("there is no step and no protected object `{}`", args.name);
    let problem = Diagnostic::error("unknown-name", message)
        .suggest(&args.name, names)
        .help("steps have their ids, objects their keys: `dpmguard plan check` lists both");
    Err(CliError::one(problem, &prepared.sources))
}
