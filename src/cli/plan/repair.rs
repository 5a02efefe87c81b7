//! `dpmguard plan repair`: the least harmful way to carry out a plan, as a change of its file.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::check::duration;
use crate::cli::plan::prepare::{Prepared, WithArgs, prepare};
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::load;
use crate::plan::hazard::{self, Given, Judged};
use crate::plan::insight::{self, Insight};
use crate::plan::repair::{self, Kind, Options, Repair, edit};
use crate::plan::replay;
use crate::plan::simulate::Takes;
use crate::plan::time::Clock;
use crate::plan::{Plan, file};
use crate::report::diff::unified;
use crate::report::plan as report;
use crate::source::Sources;

/// Arguments of `plan repair`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard plan repair change.yaml --facts facts/\n  \
    dpmguard plan repair change.yaml --facts facts/ --out repaired.yaml -o html=repair.html\n  \
    dpmguard plan repair change.yaml --facts facts/ --diff | less\n  \
    dpmguard plan repair change.yaml --facts facts/ --keep s4 --allow insert,reorder --in-place\n\n\
    Fixes and checks that the plan lacks are put in, checks of no use are taken out, and the steps come in the order in which \
    protected objects are without protection for the shortest time. The facts end as with the plan as it is written. The \
    repaired plan is simulated, judged and checked a second time before it is shown.\n\n\
    Exit codes: 0 the repaired plan passes, or the plan passes as it is; 1 it is proven that there is none, or the best one \
    fails as well; 2 an input is wrong; 3 none was found, or facts are missing.")]
pub(super) struct Args {
    /// The plan file; `-` is standard input
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    with: WithArgs,
    /// What the repair may do: insert, delete-checks, reorder [default: that of the plan, else all three]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    allow: Option<Vec<Allow>>,
    /// Steps that keep their places among each other; can be repeated
    #[arg(long, value_delimiter = ',', value_name = "STEP")]
    keep: Vec<String>,
    /// What may be added to the time without protection for fewer changes: `5%`, `15m` [default: that of the plan, else 5%]
    #[arg(long, value_name = "SHARE|DURATION", value_parser = tolerance)]
    tolerance: Option<Tolerance>,
    /// Which of several ways to take; where there are not several, they are one
    #[arg(long, value_enum, default_value_t, value_name = "WAY")]
    choose: Way,
    /// Which durations the order is made for; the verdict counts with the longest in any case
    #[arg(long, value_enum, default_value_t, value_name = "WHICH")]
    durations: Durations,
    /// How much work the search may cost: about the steps and objects of all orders that are looked at
    #[arg(long, value_name = "N")]
    budget: Option<u64>,
    /// Write the repaired plan to this file
    #[arg(long, value_name = "FILE", conflicts_with = "in_place")]
    out: Option<PathBuf>,
    /// Write the repaired plan over the plan file
    #[arg(long)]
    in_place: bool,
    /// Show the change of the file instead of the report
    #[arg(long, conflicts_with = "format")]
    diff: bool,
    /// Format of the report on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write a report to a file as well; can be repeated
    #[arg(short = 'o', value_name = "FORMAT=FILE", value_parser = crate::cli::parse_output::<Format>)]
    outputs: Vec<(Format, PathBuf)>,
    /// Cut the Markdown from the bottom to so many characters; the head always stays
    #[arg(long, value_name = "N")]
    max_chars: Option<usize>,
}

/// What a repair may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Allow {
    /// Put fixes and checks in
    Insert,
    /// Take checks out that are of no use
    DeleteChecks,
    /// Put steps into another order
    Reorder,
}

/// Which of several ways to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Way {
    /// Your own order, with what it lacks
    LeastEdits,
    /// Least harm, and of what is nearly as good the nearest to your order
    #[default]
    Recommended,
    /// The least time without protection, whatever has to be moved
    LeastExposure,
}

/// Which durations the order is made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Durations {
    /// The longest
    #[default]
    Longest,
    /// The usual ones
    Usual,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema plan-repair-v1`
    Json,
    /// Markdown for the ticket of the change
    Markdown,
    /// A page that needs nothing else, with both timelines
    Html,
    /// The repaired plan
    Yaml,
}

/// A share in hundredths, or seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tolerance {
    Percent(i64),
    Seconds(i64),
}

fn tolerance(text: &str) -> Result<Tolerance, String> {
    match text.strip_suffix('%') {
        Some(share) => match share.trim().parse() {
            Ok(percent @ 0..=1_000) => Ok(Tolerance::Percent(percent)),
            _ => Err("write a share of 0% to 1000%, or a duration such as `15m`".to_owned()),
        },
        None => duration(text).map(Tolerance::Seconds),
    }
}

/// The repaired plan, read from its text and judged like any other.
struct Again {
    sources: Sources,
    text: String,
    diff: String,
    plan: Plan,
    clock: Clock,
    judged: Judged,
    insight: Insight,
    warnings: Vec<Diagnostic>,
}

impl Again {
    /// What its report is made of.
    fn input<'a>(&'a self, prepared: &'a Prepared) -> report::Input<'a> {
        report::Input {
            sources: &self.sources,
            plan: &self.plan,
            judged: &self.judged,
            insight: &self.insight,
            clock: &self.clock,
            warnings: &self.warnings,
            ..prepared.input()
        }
    }

    /// What the naive checker has against it.
    fn disagreements(&self, prepared: &Prepared) -> Vec<String> {
        match serde_json::to_value(report::build(self.input(prepared))) {
            Ok(told) => {
                let after = self.judged.worst.facts.to_json();
                replay::disagreements(&told, &prepared.facts.to_json(), &after)
            }
            Err(problem) => vec![problem.to_string()],
        }
    }
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    if args.in_place && args.plan == Path::new("-") {
        let problem =
            Diagnostic::error("not-a-file", "`--in-place` needs a file, not standard input");
        return Err(CliError::one(problem, &Sources::default()));
    }
    let prepared = prepare(&args.plan, &args.with, streams)?;
    let options = options(args, &prepared)?;
    let found = repair::repair(prepared.given(), &prepared.now, &options);
    let again = again(args, &prepared, &found)?;
    let disagreements =
        again.as_ref().map_or_else(Vec::new, |again| again.disagreements(&prepared));
    let repaired = again.as_ref().map(|again| report::Repaired {
        input: again.input(&prepared),
        text: &again.text,
        diff: &again.diff,
    });
    let told = report::build_repair(report::RepairInput {
        written: prepared.input(),
        repair: &found,
        repaired: repaired.as_ref(),
        disagreements: &disagreements,
    });
    let written = report::build(prepared.input());
    let clock = &prepared.clock;
    if args.diff {
        let diff = again.as_ref().map_or("", |again| again.diff.as_str());
        streams.out.write_all(diff.as_bytes())?;
    } else {
        let sources = &prepared.sources;
        crate::cli::write_outputs(
            &args.outputs,
            args.format,
            streams,
            sources,
            &|format, colour, out| match format {
                Format::Human => report::write_repair_human(&told, clock, colour, out),
                Format::Json => told.write_json(out),
                Format::Markdown => {
                    report::write_repair_markdown(&told, clock, args.max_chars, out)
                }
                Format::Html => report::write_repair_html(&told, &written, clock, out),
                Format::Yaml => {
                    let text = again.as_ref().map_or("", |again| again.text.as_str());
                    out.write_all(text.as_bytes())
                }
            },
        )?;
    }
    write_plan(args, &prepared, again.as_ref(), streams)?;
    Ok(told.exit_code)
}

fn options(args: &Args, prepared: &Prepared) -> Result<Options, CliError> {
    let mut options = prepared.plan.repair.clone();
    if let Some(allow) = &args.allow {
        options.insert = allow.contains(&Allow::Insert);
        options.delete_checks = allow.contains(&Allow::DeleteChecks);
        options.reorder = allow.contains(&Allow::Reorder);
    }
    let steps = prepared.plan.written();
    for name in &args.keep {
        let Some(position) = steps.iter().position(|step| *step.id == **name) else {
            let message = format!("`--keep`: there is no step `{name}` in this plan");
            let problem = Diagnostic::error("unknown-step", message)
                .suggest(name, steps.iter().map(|step| &*step.id));
            return Err(CliError::one(problem, &prepared.sources));
        };
        options.keep.insert(position);
    }
    match args.tolerance {
        Some(Tolerance::Percent(percent)) => (options.percent, options.seconds) = (percent, 0),
        Some(Tolerance::Seconds(seconds)) => (options.percent, options.seconds) = (0, seconds),
        None => {}
    }
    if let Some(budget) = args.budget {
        options.budget = budget;
    }
    options.choose = match args.choose {
        Way::LeastEdits => Kind::LeastEdits,
        Way::Recommended => Kind::Recommended,
        Way::LeastExposure => Kind::LeastExposure,
    };
    options.takes = match args.durations {
        Durations::Longest => Takes::Worst,
        Durations::Usual => Takes::Expected,
    };
    Ok(options)
}

/// The first choice, written into the user's text and read again; none where nothing is to be changed.
fn again(args: &Args, prepared: &Prepared, found: &Repair) -> Result<Option<Again>, CliError> {
    let choice = match (&found.status, found.choices.first()) {
        (repair::Status::Unchanged, _) | (_, None) => return Ok(None),
        (_, Some(choice)) => choice,
    };
    let given = prepared.given();
    let entries = repair::entries(given, &found.pieces, choice);
    let name = load::shown(&args.plan);
    let Some(source) = prepared.sources.get(prepared.plan.place.file) else { return Ok(None) };
    let old = source.text();
    let text = edit::rewrite(old, &prepared.root, &prepared.plan, &entries).map_err(|why| {
        let message = format!("the repaired plan cannot be written: {why}");
        CliError::one(Diagnostic::error("not-written", message), &prepared.sources)
    })?;
    let diff = unified(&name, old, &text);
    let mut sources = prepared.sources.clone();
    let target = args.out.as_deref().unwrap_or(&args.plan);
    let (plan, warnings) = read(prepared, target, &text, &mut sources)?;
    let clock = Clock::new(&plan.window.zone, plan.window.start);
    let given = Given { plan: &plan, clock: &clock, ..given };
    let judged = hazard::find(given);
    let insight = insight::look(given, &judged);
    Ok(Some(Again { sources, text, diff, plan, clock, judged, insight, warnings }))
}

fn read(
    prepared: &Prepared,
    name: &Path,
    text: &str,
    sources: &mut Sources,
) -> Result<(Plan, Vec<Diagnostic>), CliError> {
    let root = load::plan_text(&load::shown(name), text, sources)
        .map_err(|found| CliError::Input(found, sources.clone()))?;
    let known = hazard::acceptable();
    let context = file::Context {
        sources,
        rules: &prepared.set,
        facts: &prepared.facts,
        now: &prepared.now,
        hazards: &known,
    };
    file::read(&root, context).map_err(|found| CliError::Input(found, sources.clone()))
}

fn write_plan(
    args: &Args,
    prepared: &Prepared,
    again: Option<&Again>,
    streams: &mut Streams<'_>,
) -> Result<(), CliError> {
    let target = match (&args.out, args.in_place) {
        (Some(out), _) => out.as_path(),
        (None, true) => args.plan.as_path(),
        (None, false) => return Ok(()),
    };
    let Some(again) = again else {
        writeln!(streams.err, "nothing is written: there is no repaired plan")?;
        return Ok(());
    };
    // The plan file was read in this run, and may be written all the same.
    let none = Sources::default();
    let read = if args.in_place { &none } else { &prepared.sources };
    load::write_files(&[(target, again.text.as_bytes())], read)
        .map_err(|problem| CliError::one(problem, &prepared.sources))?;
    writeln!(streams.err, "wrote {}", load::shown(target))?;
    Ok(())
}
