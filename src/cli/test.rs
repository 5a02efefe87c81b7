//! `dpmguard test`: the cases of packs.

mod coverage;
mod mutate;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;

use crate::author::suite::{self, Suite};
use crate::author::{snapshot, trial};
use crate::cli::check::{PackArgs, settings};
use crate::cli::{CliError, Progress, Streams, packs};
use crate::diagnostic::Diagnostic;
use crate::load::{self, cases};
use crate::report::test::{self, Status, TestReport};
use crate::rule::Rule;
use crate::source::Sources;

/// Judge the cases of packs
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dpmguard test my-rules                     judge all cases\n  \
    dpmguard test my-rules --filter moved      only those with `moved` in their name\n  \
    dpmguard test my-rules --accept            take new snapshots; read them\n  \
    dpmguard test my-rules --review            see each difference, and decide\n  \
    dpmguard test my-rules --watch             again after every change\n  \
    dpmguard test my-rules -o junit=cases.xml  for a build server\n  \
    dpmguard test my-rules --mutate            would the cases notice a slip in a rule?\n  \
    dpmguard test my-rules --coverage          what of the rules no case reaches\n  \
    dpmguard test my-rules --annotate my-rule  the same in the margin of the rule's file\n  \
    dpmguard test my-rules --coverage-min 90   exit with 1 if less is reached\n\n\
    Coverage counts the ways in which each condition, and each part of one, can go: it was true, it was \
    false. Whether it was undecided is shown too, and does not count: that depends on the facts that can \
    be missing. Of `select` it counts that none, one and several candidates fitted, of `else` and `if_none` \
    that they were taken, of other values of `let` that they were known.\n\n\
    Exit codes: 0 all cases pass; 1 one fails, or too little is reached; 2 a case or another input is wrong; 3 no case was found."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Args {
    /// Folders of packs [default: the packs of dpmguard.yaml, else this folder or its `rules`]
    #[arg(value_name = "PACK")]
    pub packs: Vec<PathBuf>,
    /// Further rules and their parameters
    #[command(flatten)]
    pub rules: PackArgs,
    /// Judge only cases with this in their name (`rule/case`); can be repeated
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,
    /// Write the snapshots of cases whose outcomes are as expected
    #[arg(long, conflicts_with = "review")]
    pub accept: bool,
    /// Show each difference from a snapshot, and ask whether to take it
    #[arg(long)]
    pub review: bool,
    /// Judge again after every change of a file, until interrupted
    #[arg(long, conflicts_with_all = ["review", "outputs"])]
    pub watch: bool,
    /// Make small slips in the rules on purpose, and see whether the cases notice
    #[arg(long)]
    pub mutate: bool,
    /// With --mutate: exit with 1 below this score
    #[arg(long, value_name = "PERCENT", requires = "mutate", value_parser = percent)]
    pub mutate_min: Option<f64>,
    /// What to do about snapshots that belong to no case
    #[arg(long, value_enum, default_value_t, value_name = "WHAT")]
    pub unreferenced: Unreferenced,
    /// Tell which outcomes and which parts of conditions the cases reach
    #[arg(long)]
    pub coverage: bool,
    /// List this rule's file with marks: which way each condition went; can be repeated
    #[arg(long, value_name = "RULE")]
    pub annotate: Vec<String>,
    /// Exit with 1 if the cases reach less of all rules together, in per cent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub coverage_min: Option<u8>,
    /// Exit with 1 if the cases reach less of one rule, in per cent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub coverage_min_each: Option<u8>,
    /// Exit with 1 if a rule has fewer outcomes in its cases, of those that it can have
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u8).range(0..=4))]
    pub outcomes_min: Option<u8>,
    /// List the cases that pass, too
    #[arg(long, short)]
    pub verbose: bool,
    /// Format of the report on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Write a report to a file as well; can be repeated
    #[arg(short = 'o', value_name = "FORMAT=FILE", value_parser = super::parse_output::<Format>)]
    pub outputs: Vec<(Format, PathBuf)>,
}

/// What to do about snapshots that belong to no case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Unreferenced {
    /// Say so
    #[default]
    Warn,
    /// Say so, and exit with 1
    Reject,
    /// Remove them
    Delete,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema test-v1`
    Json,
    /// `JUnit` XML, for build servers
    Junit,
    /// Test Anything Protocol
    Tap,
    /// A page
    Markdown,
    /// Coverage alone as JSON, see `dpmguard schema coverage-v1`
    CoverageJson,
    /// Coverage alone as LCOV, for editors and build servers
    Lcov,
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim_end_matches('%').trim().parse().map_err(|_| "not a number")?;
    if (0.0..=100.0).contains(&number) {
        Ok(number)
    } else {
        Err("a share is between 0 and 100".to_owned())
    }
}

impl Args {
    fn format(&self, format: Format) -> test::Format {
        match format {
            Format::Human => test::Format::Human { all: self.verbose },
            Format::Json => test::Format::Json,
            Format::Junit => test::Format::Junit,
            Format::Tap => test::Format::Tap,
            Format::Markdown => test::Format::Markdown,
            Format::CoverageJson => test::Format::CoverageJson,
            Format::Lcov => test::Format::Lcov,
        }
    }

    /// Whether something was asked for that coverage is needed for.
    fn measures(&self) -> bool {
        let formats = self.outputs.iter().map(|(format, _)| *format).chain([self.format]);
        self.coverage
            || !self.annotate.is_empty()
            || self.coverage_min.is_some()
            || self.coverage_min_each.is_some()
            || self.outcomes_min.is_some()
            || formats.into_iter().any(|one| matches!(one, Format::CoverageJson | Format::Lcov))
    }
}

/// Judges the cases and writes what came of them.
///
/// # Errors
///
/// Broken packs, or a report that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    if !args.watch {
        return once(args, streams);
    }
    loop {
        let folders = folders(args)?;
        let before = cases::state(&folders);
        match once(args, streams) {
            // A rule with a slip in it is why somebody watches.
            Err(CliError::Input(problems, sources)) => super::show(&problems, &sources, streams),
            other => {
                other?;
            }
        }
        streams.out.flush()?;
        writeln!(streams.err, "\nwaiting for a change; Ctrl-C ends")?;
        cases::wait_for_change(&folders, &before);
    }
}

fn once(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut suite = read(args)?;
    let progress = Progress::new(streams.is_watched, suite.cases.len(), "cases");
    // While a case cannot be read nobody knows which snapshots are somebody's.
    let removes = args.unreferenced == Unreferenced::Delete
        && args.filter.is_empty()
        && suite.broken.is_empty();
    let mut report = TestReport {
        cases: trial::judge_all(&suite, &|done| progress.tell(done)),
        left_out: suite.left_out,
        unreferenced: suite.unreferenced.iter().map(|path| load::shown(path)).collect(),
        is_removed: removes,
        without_cases: without_cases(args, &suite),
        mutation: None,
        coverage: args.measures().then(|| coverage::run(args, &suite)).transpose()?,
    };
    progress.end();
    if removes {
        cases::remove(&suite.unreferenced).map_err(|one| CliError::one(one, &suite.sources))?;
    }
    if args.accept {
        accept(&suite, &mut report, |_| true)?;
    }
    if args.review {
        review(&suite, &mut report, streams)?;
    }
    let mut weak = false;
    if args.mutate {
        let mutation = mutate::run(args, &mut suite, &report, streams)?;
        weak = args.mutate_min.is_some_and(|most| mutation.score.is_some_and(|score| score < most));
        report.mutation = Some(mutation);
    }
    no_snapshot_is_an_output(args, &suite)?;
    super::write_outputs(
        &args.outputs,
        args.format,
        streams,
        &suite.sources,
        &|format, colour, out| test::write(&report, args.format(format), colour, out),
    )?;
    let stale = args.unreferenced == Unreferenced::Reject && !suite.unreferenced.is_empty();
    Ok(match report.exit_code() {
        0 if stale || weak => 1,
        code => code,
    })
}

/// A report must not take the place of a snapshot.
fn no_snapshot_is_an_output(args: &Args, suite: &Suite) -> Result<(), CliError> {
    let snapshots: Vec<PathBuf> =
        suite.cases.iter().map(|ready| cases::whole(&ready.snapshot_path())).collect();
    for (_, path) in &args.outputs {
        if snapshots.contains(&cases::whole(path)) {
            let message =
                format!("`{}` is not written: it is a case's snapshot", load::shown(path));
            let problem = Diagnostic::error("wrong-option", message).help("choose another file");
            return Err(CliError::one(problem, &suite.sources));
        }
    }
    Ok(())
}

/// The folders to test.
fn folders(args: &Args) -> Result<Vec<PathBuf>, CliError> {
    packs::folders(&args.packs, &args.rules, "test")
}

/// Reads the packs and their cases.
pub(super) fn read(args: &Args) -> Result<Suite, CliError> {
    let folders = folders(args)?;
    let mut sources = Sources::default();
    let config = settings(&args.rules, &mut sources)?;
    if let Some(param) = args.rules.param.first() {
        let message =
            format!("`--param {param}` has no place here: a case states its own parameters");
        let problem = Diagnostic::error("wrong-option", message);
        let help = "write them under `params` in the case";
        return Err(CliError::one(problem.help(help), &sources));
    }
    let all = packs::with(&config, &args.rules, &folders);
    let shipped = !args.rules.no_shipped_rules && config.shipped_rules.unwrap_or(true);
    let read = load::packs(shipped, &all, &mut sources)
        .map_err(|found| CliError::Input(found, sources.clone()))?;
    // What a site sets is no matter of the rules' cases.
    let set = read.rules(&[], &sources);
    let set = set.map_err(|found| CliError::Input(found, sources.clone()))?;
    let wanted = |name: &str| {
        args.filter.is_empty() || args.filter.iter().any(|part| name.contains(part.as_str()))
    };
    suite::read(&folders, read, set, sources, &wanted)
        .map_err(|(found, sources)| CliError::Input(found, sources))
}

/// Rules of the tested folders that no case is about.
fn without_cases(args: &Args, suite: &Suite) -> Vec<String> {
    if !args.filter.is_empty() {
        return Vec::new();
    }
    let rules = tested(args, suite).into_iter().filter(|rule| !has_case(suite, &rule.id));
    rules.map(|rule| rule.id.to_string()).collect()
}

fn has_case(suite: &Suite, id: &str) -> bool {
    suite.cases.iter().any(|ready| ready.case.rules().contains(&id))
}

/// The rules of the tested folders.
fn tested(args: &Args, suite: &Suite) -> Vec<Arc<Rule>> {
    let Ok(folders) = folders(args) else { return Vec::new() };
    packs::rules_in(&folders, &suite.set, &suite.sources)
}

/// Writes the snapshots of cases that need one and whose outcomes are as expected.
fn accept(
    suite: &Suite,
    report: &mut TestReport,
    mut wanted: impl FnMut(&test::TestCase) -> bool,
) -> Result<(), CliError> {
    let mut files: Vec<(PathBuf, String)> = Vec::new();
    for case in &mut report.cases {
        if !matches!(case.status, Status::New | Status::Changed) || !wanted(case) {
            continue;
        }
        if let Some(ready) = suite.cases.iter().find(|ready| ready.shown == case.file) {
            if cases::is_link(&ready.snapshot_path()) {
                let path = load::shown(&ready.snapshot_path());
                let message =
                    format!("`{path}` is not written: it is a link, and may lead anywhere");
                let problem = Diagnostic::error("cannot-write", message);
                let problem = problem.help("put the file itself there, or remove the link");
                return Err(CliError::one(problem, &suite.sources));
            }
            files.push((ready.snapshot_path(), snapshot::file(&case.text)));
            case.status = Status::Accepted;
        }
    }
    let written: Vec<(&Path, &[u8])> =
        files.iter().map(|(path, text)| (path.as_path(), text.as_bytes())).collect();
    load::write_files(&written, &suite.sources).map_err(|one| CliError::one(one, &suite.sources))
}

/// Asks for each case whose report differs whether that is right.
fn review(
    suite: &Suite,
    report: &mut TestReport,
    streams: &mut Streams<'_>,
) -> Result<(), CliError> {
    let total = report
        .cases
        .iter()
        .filter(|case| matches!(case.status, Status::New | Status::Changed))
        .count();
    let mut taken: Vec<String> = Vec::new();
    let mut number = 0;
    for case in &report.cases {
        if !matches!(case.status, Status::New | Status::Changed) {
            continue;
        }
        number += 1;
        let shown = match case.status {
            Status::New => {
                let lines = crate::report::diff::diff("", &case.text);
                let head = test::show_case(case, streams.colour_out);
                format!("{head}{}", test::show_lines(&lines, streams.colour_out))
            }
            _ => test::show_case(case, streams.colour_out),
        };
        writeln!(streams.out, "\n[{number} of {total}] {}", shown.trim_start())?;
        match ask(streams)? {
            Answer::Take => taken.push(case.file.clone()),
            Answer::Leave => {}
            Answer::Stop => break,
        }
    }
    accept(suite, report, |case| taken.contains(&case.file))
}

enum Answer {
    Take,
    Leave,
    Stop,
}

fn ask(streams: &mut Streams<'_>) -> io::Result<Answer> {
    loop {
        write!(streams.out, "take this snapshot? [a]ccept, [s]kip, [q]uit: ")?;
        streams.out.flush()?;
        let Some(line) = line(streams.input)? else { return Ok(Answer::Stop) };
        match line.trim().to_lowercase().as_str() {
            "a" | "accept" | "y" | "yes" => return Ok(Answer::Take),
            "s" | "skip" | "n" | "no" => return Ok(Answer::Leave),
            "q" | "quit" => return Ok(Answer::Stop),
            _ => writeln!(
                streams.out,
                "a (or y) writes it, s (or n) leaves it as it is, q leaves this and all others"
            )?,
        }
    }
}

/// A line of input, without waiting for more than its end.
fn line(input: &mut dyn Read) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while bytes.len() < 10_000 {
        if input.read(&mut byte)? == 0 {
            break;
        }
        let [read] = byte;
        if read == b'\n' {
            return Ok(Some(String::from_utf8_lossy(&bytes).into_owned()));
        }
        bytes.push(read);
    }
    Ok((!bytes.is_empty()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}
