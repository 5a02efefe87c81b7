//! `dpmguard facts`: facts from what other tools export.

use std::io::Write;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::Value as Json;

use crate::cli::{CliError, Streams, show};
use crate::diagnostic::Diagnostic;
use crate::import::{self, FileSummary, Import, Options};
use crate::load;
use crate::report::diagnostic::clean;
use crate::source::{self, Sources};

/// Import facts from what other tools export
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a fact file of exports
    Import {
        /// The format of the exports
        #[command(subcommand)]
        format: Foreign,
    },
}

#[derive(Debug, Subcommand)]
enum Foreign {
    /// Files that PowerShell's `Export-Clixml` wrote
    #[command(after_help = import::CLIXML_EXAMPLES)]
    Clixml(ClixmlArgs),
}

/// Which exports, and what they do not say.
#[derive(Debug, clap::Args)]
struct ClixmlArgs {
    /// Exports, or folders of them (`*.xml`, `*.clixml`); `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The Exchange server that objects without a server's name are from
    #[arg(long, value_name = "NAME")]
    server: Option<String>,
    /// Write to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format of the facts
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// When the exports were made, RFC 3339 [default: the server's clock in `Win32_OperatingSystem`]
    #[arg(long, value_name = "TIME")]
    observed_at: Option<String>,
}

/// A format of fact files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// YAML
    #[default]
    Yaml,
    /// JSON
    Json,
}

/// Imports.
///
/// # Errors
///
/// What is wrong with the files; then nothing is written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let Command::Import { format: Foreign::Clixml(args) } = &args.command;
    clixml(args, streams)
}

fn clixml(args: &ClixmlArgs, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let files = load::exports(&args.files, &["xml", "clixml"], streams.input, &mut sources);
    let files = files.map_err(|found| CliError::Input(found, sources.clone()))?;
    let options = Options { server: args.server.clone(), observed_at: args.observed_at.clone() };
    let import = import::clixml(&sources, &files, &options);
    let Import { document, files, warnings } =
        import.map_err(|found| CliError::Input(found, sources.clone()))?;
    let text = written(&document, args.format);
    verify(&text)?;
    match &args.out {
        Some(path) => {
            load::write_files(&[(path, text.as_bytes())], &sources)
                .map_err(|problem| CliError::one(problem, &sources))?;
        }
        None => streams.out.write_all(text.as_bytes())?,
    }
    show(&warnings, &sources, streams);
    // The facts are written; that nobody reads what is said of them changes nothing.
    let _ = summarize(&files, streams.err);
    Ok(0)
}

fn written(document: &Json, format: Format) -> String {
    match format {
        Format::Json => format!("{document:#}\n"),
        Format::Yaml => {
            let version = env!("CARGO_PKG_VERSION");
            let text = source::to_yaml(document);
            format!("# Made by dpmguard {version} from files of Export-Clixml.\n{text}")
        }
    }
}

/// What is written must be a fact file, or a mapping of ours is wrong.
fn verify(text: &str) -> Result<(), CliError> {
    let mut sources = Sources::default();
    let found =
        sources.add("facts made by the import", text.as_bytes()).map_err(|problem| vec![problem]);
    let found = found.and_then(|file| source::read(&sources, file));
    let found = found.and_then(|root| {
        let schema = load::schema("facts-v1").map_err(|problem| vec![problem])?;
        let found = schema.check(&root);
        if found.is_empty() { Ok(()) } else { Err(found) }
    });
    found.map_err(|mut found| {
        let message = "the import made something that is no fact file; nothing is written";
        let problem = Diagnostic::error("internal-error", message);
        found.insert(
            0,
            problem.help("this is a fault of dpmguard: please report it with the export"),
        );
        CliError::Input(found, sources)
    })
}

/// A line for each file, and one for all.
fn summarize(files: &[FileSummary], err: &mut dyn Write) -> std::io::Result<()> {
    for file in files {
        let noun = if file.objects == 1 { "object" } else { "objects" };
        let note = file.note.as_deref().map(|note| format!("; {note}")).unwrap_or_default();
        let name = clean(&file.name);
        writeln!(err, "{name}: {} of {} {noun} imported{note}", file.mapped, file.objects)?;
    }
    let used = files.iter().filter(|file| file.mapped > 0).count();
    let noun = if files.len() == 1 { "file" } else { "files" };
    writeln!(err, "\nfacts from {used} of {} {noun}", files.len())
}
