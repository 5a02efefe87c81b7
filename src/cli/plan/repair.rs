//! `dpmguard plan repair`: the least harmful way to carry out a plan.

use std::path::PathBuf;

use crate::cli::plan::prepare::{WithArgs, prepare};
use crate::cli::{CliError, Streams};
use crate::plan::repair::{self, Options};

/// Arguments of `plan repair`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan file; `-` is standard input
    #[arg(value_name = "PLAN")]
    plan: PathBuf,
    #[command(flatten)]
    with: WithArgs,
    /// x
    #[arg(long)]
    usual: bool,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let prepared = prepare(&args.plan, &args.with, streams)?;
    let options = Options {
        percent: 0,
        takes: if args.usual {
            crate::plan::simulate::Takes::Expected
        } else {
            crate::plan::simulate::Takes::Worst
        },
        ..Options::default()
    };
    let repair = repair::repair(prepared.given(), &prepared.now, &options);
    let clock = &prepared.clock;
    writeln!(streams.out, "status {:?}", repair.status)?;
    writeln!(
        streams.out,
        "left {:?}\nstuck {:?}\nlearned {:?}",
        repair.left, repair.stuck, repair.learned
    )?;
    writeln!(streams.out, "written {:?}", repair.written.value)?;
    for (task, piece) in repair.ground.problem.tasks.iter().zip(&repair.ground.tasks) {
        writeln!(streams.out, "{piece} {task:?}")?;
    }
    for object in &repair.ground.problem.objects {
        writeln!(streams.out, "{object:?}")?;
    }
    if let Some(answer) = &repair.answer {
        writeln!(
            streams.out,
            "answer {:?}\n{:?}\nbound {:?}",
            answer.best.as_ref().map(|one| one.0),
            answer.status,
            answer.bound
        )?;
    }
    for choice in &repair.choices {
        writeln!(
            streams.out,
            "--- {:?} {:?} {:?} {:?}",
            choice.kind, choice.status, choice.tried.value, choice.edits
        )?;
        for (step, trace) in choice.tried.plan.steps.iter().zip(&choice.tried.trace.steps) {
            let show = |time: Option<i64>| time.map(|time| clock.show(time)).unwrap_or_default();
            let action = prepared.set.actions.get(step.action).map(|one| one.id.to_string());
            let after: Vec<String> = step
                .after
                .iter()
                .filter_map(|at| Some(choice.tried.plan.steps.get(*at)?.id.to_string()))
                .collect();
            writeln!(
                streams.out,
                "{} {} {} {} after {:?} not before {:?} {:?}",
                show(trace.start),
                show(trace.end),
                step.id,
                action.unwrap_or_default(),
                after,
                step.not_before,
                trace.status
            )?;
        }
    }
    Ok(0)
}
