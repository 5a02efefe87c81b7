//! `dpmguard plan timeline`: what happens when, for a terminal or as a drawing.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::plan::prepare::{WithArgs, prepare};
use crate::cli::{CliError, Streams};
use crate::load;
use crate::report::plan as report;

/// Arguments of `plan timeline`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard plan timeline change.yaml --facts facts/\n  \
    dpmguard plan timeline change.yaml --facts facts/ --width 120\n  \
    dpmguard plan timeline change.yaml --facts facts/ --format svg --out change.svg\n\n\
    Exit codes are those of `plan check`: 0 the plan passes; 1 it must not be carried out so; 2 an input is wrong; \
    3 nobody can say.")]
pub(super) struct Args {
    /// The plan file; `-` is standard input
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    with: WithArgs,
    /// Text for a terminal, or SVG
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Columns of the text; a character stands for a quarter of an hour, or for longer if that is too wide
    #[arg(long, value_name = "COLUMNS", default_value_t = 100)]
    width: usize,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// How it is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One character for a stretch of time
    #[default]
    Text,
    /// A drawing that needs nothing else
    Svg,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let prepared = prepare(&args.plan, &args.with, streams)?;
    let report = report::build(prepared.input());
    let mut drawn = Vec::new();
    match args.format {
        Format::Text => report::write_timeline(&report, &prepared.clock, args.width, &mut drawn)?,
        Format::Svg => report::write_svg(&report, &prepared.clock, &mut drawn)?,
    }
    match &args.out {
        Some(file) => load::write_files(&[(file.as_path(), drawn.as_slice())], &prepared.sources)
            .map_err(|problem| CliError::one(problem, &prepared.sources))?,
        None => streams.out.write_all(&drawn)?,
    }
    Ok(report.exit_code)
}
