//! Arguments, streams and exit codes; the home of `clap`.
//!
//! Each command is load, decide, write: the decisions are the library's.

pub mod check;
pub mod eval;
pub mod explain;
pub mod explain_code;
pub mod facts;
pub mod lint;
pub mod lsp;
pub mod new;
mod packs;
pub mod plan;
mod progress;
pub mod remediate;
pub mod rules;
pub mod test;

use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

use crate::diagnostic::{Diagnostic, Level};
use crate::load;
use crate::report::diagnostic;
use crate::source::Sources;

use progress::Progress;

/// Says which change makes a replica inconsistent, and what to do about it.
#[derive(Debug, Parser)]
#[command(name = "dpmguard", version, about, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 passed; 1 the gate failed; 2 the call or an input is wrong; \
    3 no verdict (nothing was judged, or facts are missing where a finding hangs on them).\n\n\
    Examples:\n  dpmguard check facts/                       judge an estate\n  \
    dpmguard check exchange.yaml dpm.yaml --fail-on error\n  \
    dpmguard rules show database-file-moved     what a rule says, and why\n  \
    dpmguard explain database-file-moved --facts facts/   why it said that\n  \
    dpmguard explain-code 0x80004002            what an error code means\n  \
    dpmguard new pack my-rules                  rules of your own, to start from\n  \
    dpmguard test my-rules                      judge the cases of a pack\n  \
    dpmguard lint my-rules                      look for what is doubtful about rules\n  \
    dpmguard facts import clixml *.xml --out exchange.yaml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    color: Colour,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Judge facts by rules
    Check(check::Args),
    /// List and explain rules
    Rules(rules::Args),
    /// Judge the cases of packs, and measure how much of the rules they reach
    Test(test::Args),
    Explain(explain::Args),
    /// Look for what is doubtful about rules
    Lint(lint::Args),
    New(new::Args),
    Eval(eval::Args),
    ExplainCode(explain_code::Args),
    /// Import facts from what other tools export
    Facts(facts::Args),
    Lsp(lsp::Args),
    Plan(plan::Args),
    Remediate(remediate::Args),
    /// Print a JSON Schema of ours
    #[command(after_help = "Examples:\n  dpmguard schema rule-v1 > rule-v1.schema.json\n  \
        dpmguard schema facts-v1 --rules my-rules    with the kinds that a pack adds\n  \
        dpmguard schema          list the names\n  \
        dpmguard schema --all my-rules/.schemas    write all of them into a folder")]
    Schema {
        /// Its name; without one, the names are listed
        name: Option<String>,
        /// Write all of them into this folder, in place of older ones
        #[arg(long, value_name = "DIR", conflicts_with = "name")]
        all: Option<PathBuf>,
        /// In `facts-v1`: what the packs in these folders add to it, too; can be repeated
        #[arg(long, value_name = "DIR")]
        rules: Vec<PathBuf>,
    },
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  dpmguard completions bash > /etc/bash_completion.d/dpmguard"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff)
    #[command(after_help = "Example:\n  dpmguard man > dpmguard.1 && man ./dpmguard.1")]
    Man,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// On a terminal, unless `NO_COLOR` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Where a command reads and writes.
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of one stream")]
pub struct Streams<'a> {
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// Whether standard output takes colours.
    pub colour_out: bool,
    /// Whether standard error takes colours.
    pub colour_err: bool,
    /// Whether somebody watches standard error: long work says how far it is.
    pub is_watched: bool,
    /// Whether somebody sits at standard input and output: a prompt can be shown.
    pub is_interactive: bool,
}

impl std::fmt::Debug for Streams<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// Why a command gave no verdict.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Inputs are wrong; all problems, with the files they point into.
    #[error("an input is wrong")]
    Input(Vec<Diagnostic>, Sources),
    /// Output could not be written.
    #[error("cannot write")]
    Output(#[from] io::Error),
}

impl CliError {
    fn one(problem: Diagnostic, sources: &Sources) -> Self {
        Self::Input(vec![problem], sources.clone())
    }
}

/// Exit code of a call or an input that is wrong.
const WRONG: u8 = 2;

/// Runs the tool with the process's arguments and streams; the answer is the exit code.
pub fn main() -> u8 {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let plain = no_color || dumb;
    let mut streams = Streams {
        input: &mut io::stdin().lock(),
        out: &mut io::BufWriter::new(io::stdout().lock()),
        // Not locked: progress is told by other threads.
        err: &mut io::stderr(),
        colour_out: io::stdout().is_terminal() && !plain,
        colour_err: io::stderr().is_terminal() && !plain,
        is_watched: io::stderr().is_terminal() && !dumb,
        is_interactive: io::stdin().is_terminal() && io::stdout().is_terminal() && !dumb,
    };
    run(std::env::args_os(), &mut streams)
}

/// Runs the tool; the answer is the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>, streams: &mut Streams<'_>) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, streams),
    };
    match cli.color {
        Colour::Auto => {}
        Colour::Always => (streams.colour_out, streams.colour_err) = (true, true),
        Colour::Never => (streams.colour_out, streams.colour_err) = (false, false),
    }
    let result = dispatch(&cli.command, streams).and_then(|code| match streams.out.flush() {
        // Whoever read us has seen enough; the answer stays what it is.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(code),
    });
    match result {
        Ok(code) => code,
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => 0,
        Err(CliError::Output(error)) => {
            let _ = writeln!(streams.err, "error: cannot write the output: {error}");
            WRONG
        }
        Err(CliError::Input(problems, sources)) => {
            show(&problems, &sources, streams);
            WRONG
        }
    }
}

fn dispatch(command: &Command, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    match command {
        Command::Check(args) => check::run(args, streams),
        Command::Rules(args) => rules::run(args, streams),
        Command::Test(args) => test::run(args, streams),
        Command::Explain(args) => explain::run(args, streams),
        Command::Lint(args) => lint::run(args, streams),
        Command::New(args) => new::run(args, streams),
        Command::Eval(args) => eval::run(args, streams),
        Command::ExplainCode(args) => explain_code::run(args, streams),
        Command::Facts(args) => facts::run(args, streams),
        Command::Schema { all: Some(folder), rules, .. } => all_schemas(folder, rules, streams),
        Command::Schema { name, rules, .. } => schema(name.as_deref(), rules, streams),
        Command::Lsp(args) => lsp::run(args, streams),
        Command::Plan(args) => plan::run(args, streams),
        Command::Remediate(args) => remediate::run(args, streams),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), "dpmguard", &mut script);
            streams.out.write_all(&script)?;
            Ok(0)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page)?;
            streams.out.write_all(&page)?;
            Ok(0)
        }
    }
}

fn usage(error: &clap::Error, streams: &mut Streams<'_>) -> u8 {
    let text = error.render();
    let (out, colour): (&mut dyn Write, bool) = if error.use_stderr() {
        (streams.err, streams.colour_err)
    } else {
        (streams.out, streams.colour_out)
    };
    let text = if colour { text.ansi().to_string() } else { text.to_string() };
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
    if error.use_stderr() { WRONG } else { 0 }
}

fn schema(
    name: Option<&str>,
    rules: &[PathBuf],
    streams: &mut Streams<'_>,
) -> Result<u8, CliError> {
    let Some(name) = name else {
        if !rules.is_empty() {
            let problem = Diagnostic::error("wrong-option", "`--rules` goes with a schema's name");
            let problem = problem.help("`dpmguard schema facts-v1 --rules my-rules`");
            return Err(CliError::one(problem, &Sources::default()));
        }
        for (name, _) in load::SCHEMAS {
            writeln!(streams.out, "{name}")?;
        }
        return Ok(0);
    };
    if !rules.is_empty() {
        streams.out.write_all(facts_schema(name, rules)?.as_bytes())?;
        return Ok(0);
    }
    if let Some((_, text)) = load::SCHEMAS.iter().find(|(known, _)| *known == name) {
        streams.out.write_all(text.as_bytes())?;
        Ok(0)
    } else {
        let message = format!("there is no schema `{name}`");
        let problem = Diagnostic::error("unknown-schema", message)
            .suggest(name, load::SCHEMAS.iter().map(|(name, _)| *name))
            .help("`dpmguard schema` lists the names");
        Err(CliError::one(problem, &Sources::default()))
    }
}

/// Writes all schemas into a folder that exists.
fn all_schemas(
    folder: &Path,
    rules: &[PathBuf],
    streams: &mut Streams<'_>,
) -> Result<u8, CliError> {
    let facts = if rules.is_empty() { None } else { Some(facts_schema("facts-v1", rules)?) };
    let text = |name: &str, text: &'static str| match &facts {
        Some(facts) if name == "facts-v1" => facts.clone().into_bytes(),
        _ => text.as_bytes().to_vec(),
    };
    let files: Vec<(PathBuf, Vec<u8>)> = load::SCHEMAS
        .iter()
        .map(|(name, known)| (folder.join(format!("{name}.schema.json")), text(name, known)))
        .collect();
    let files: Vec<(&Path, &[u8])> =
        files.iter().map(|(path, bytes)| (path.as_path(), bytes.as_slice())).collect();
    let sources = Sources::default();
    load::write_files(&files, &sources).map_err(|problem| CliError::one(problem, &sources))?;
    writeln!(streams.out, "wrote {} schemas into {}", files.len(), load::shown(folder))?;
    Ok(0)
}

/// The schema of fact files with what packs add to it.
fn facts_schema(name: &str, rules: &[PathBuf]) -> Result<String, CliError> {
    let mut sources = Sources::default();
    if name != "facts-v1" {
        let message = format!("packs add nothing to the schema `{name}`");
        let problem = Diagnostic::error("wrong-option", message);
        return Err(CliError::one(problem.help("`--rules` goes with `facts-v1`"), &sources));
    }
    let text = load::packs(true, rules, &mut sources).and_then(|packs| packs.facts_schema_text());
    text.map_err(|found| CliError::Input(found, sources))
}

/// Draws diagnostics on standard error, with a line that counts them.
///
/// That nobody reads standard error is no reason to give another answer.
fn show(problems: &[Diagnostic], sources: &Sources, streams: &mut Streams<'_>) {
    if problems.is_empty() {
        return;
    }
    let count = |level: Level| problems.iter().filter(|problem| problem.level == level).count();
    let said =
        |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let line = match (count(Level::Error), count(Level::Warning)) {
        (0, warnings) => format!("{}\n", said(warnings, "warning")),
        (errors, 0) => format!("{}; no verdict", said(errors, "error")),
        (errors, warnings) => {
            format!("{}, {}; no verdict", said(errors, "error"), said(warnings, "warning"))
        }
    };
    let text = diagnostic::render(problems, sources, streams.colour_err);
    let _ = writeln!(streams.err, "{text}\n{line}");
}

/// `FORMAT=FILE`.
fn parse_output<F: ValueEnum>(text: &str) -> Result<(F, PathBuf), String> {
    let (format, file) =
        text.split_once('=').ok_or("write FORMAT=FILE, for instance json=report.json")?;
    if file.is_empty() {
        return Err("the file's name is missing".to_owned());
    }
    if file == "-" {
        return Err("for standard output, use --format".to_owned());
    }
    Ok((F::from_str(format, true)?, PathBuf::from(file)))
}

/// Writes a report to the files that were asked for, all or none, and then to standard output.
fn write_outputs<F: Copy>(
    outputs: &[(F, PathBuf)],
    format: F,
    streams: &mut Streams<'_>,
    sources: &Sources,
    write: &dyn Fn(F, bool, &mut dyn Write) -> io::Result<()>,
) -> Result<(), CliError> {
    let mut written: Vec<(&Path, Vec<u8>)> = Vec::new();
    for (format, file) in outputs {
        let mut bytes = Vec::new();
        write(*format, false, &mut bytes)?;
        written.push((file, bytes));
    }
    let files: Vec<(&Path, &[u8])> =
        written.iter().map(|(file, bytes)| (*file, bytes.as_slice())).collect();
    load::write_files(&files, sources).map_err(|problem| CliError::one(problem, sources))?;
    match write(format, streams.colour_out, streams.out) {
        // Whoever read the report has seen enough; the gate's answer stays what it is.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
