//! `dpmguard rules docs`: the reference of the rules, as Markdown or as one HTML page.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::author::docs::{CaseLine, Docs, html, markdown};
use crate::cli::check::{PackArgs, load_rules, settings};
use crate::cli::{CliError, Streams};
use crate::load::{self, Changes, Pages};
use crate::report::diagnostic::clean;
use crate::rule::pack::RuleSet;
use crate::source::Sources;

/// Write the reference: a page for each rule, action and kind of object
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Pages are written only where they differ. A page that was generated and is no longer wanted is \
    removed; what was not generated is never touched. The cases in the folders given with --rules stand on the \
    pages of their rules.\n\n\
    Examples:\n  dpmguard rules docs --out reference\n  \
    dpmguard rules docs --rules my-rules --no-shipped-rules --out my-rules/docs\n  \
    dpmguard rules docs --format html --out reference.html\n  \
    dpmguard rules docs --out reference --check\n\n\
    Exit codes: 0 done, or up to date; 1 `--check` found pages that are not; 2 an input is wrong."
)]
pub(super) struct Args {
    /// The folder; with `--format html` the file, if the name ends with .html
    #[arg(long, value_name = "PATH")]
    out: PathBuf,
    /// What to write
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
    /// Write nothing; name the pages that are not up to date, and exit with 1 if there are any
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    rules: PackArgs,
}

/// A format of the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A folder of Markdown files
    #[default]
    Markdown,
    /// One HTML file that needs nothing else
    Html,
}

/// Makes the pages and writes or compares them.
///
/// # Errors
///
/// Broken rules or cases, a file in the way, or one that cannot be written.
pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let (packs, set) = load_rules(&args.rules, &mut sources)?;
    let config = settings(&args.rules, &mut Sources::default())?;
    let given = if args.rules.rules.is_empty() { &config.rules } else { &args.rules.rules };
    let mut cases = Vec::new();
    for folder in given {
        cases.extend(case_lines(folder, &mut sources)?);
    }
    let folders: Vec<(String, String)> = given.iter().map(|folder| named(folder)).collect();
    let pages = Docs::new(&set, &packs.model, &sources, &cases, &folders).pages();
    let (folder, files, mark, swept): (PathBuf, Vec<(String, String)>, &str, &[&str]) =
        match args.format {
            Format::Markdown => {
                let file = |page| (markdown::path(page), markdown::write);
                let files = pages.iter().map(|page| {
                    let (path, write) = file(&page.page);
                    (path, write(page))
                });
                (args.out.clone(), files.collect(), markdown::MARK, &markdown::FOLDERS)
            }
            Format::Html => {
                let (folder, name) = html_file(&args.out);
                let text = html::write(&title(&set), &pages);
                (folder, vec![(name, text)], html::MARK, &[])
            }
        };
    let pages = Pages { folder: &folder, files: &files, mark, swept };
    let changes = load::update(pages, args.check, &sources)
        .map_err(|problem| CliError::one(problem, &sources))?;
    say(&changes, args.check, streams.out)?;
    Ok(u8::from(args.check && !changes.is_none()))
}

/// The cases in a pack's folder; one that cannot be read is told.
fn case_lines(folder: &Path, sources: &mut Sources) -> Result<Vec<CaseLine>, CliError> {
    let found = load::cases::cases(folder, sources);
    let files = found.map_err(|found| CliError::Input(found, sources.clone()))?.cases;
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        let parent = file.path.parent().and_then(Path::file_name).unwrap_or_default();
        match file.root {
            Ok(root) => lines.extend(CaseLine::read(&root, &parent.to_string_lossy())),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(CliError::Input(problems, sources.clone())) }
}

/// Folder and name of the HTML file: a name with the ending of one is it, another the folder.
fn html_file(out: &Path) -> (PathBuf, String) {
    let ending = out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    let is_file = ending.is_some_and(|ending| ["html", "htm"].contains(&&*ending));
    match out.file_name().filter(|_| is_file) {
        Some(name) => {
            let folder = out.parent().unwrap_or(Path::new("")).to_path_buf();
            (folder, name.to_string_lossy().into_owned())
        }
        None => (out.to_path_buf(), "index.html".to_owned()),
    }
}

/// A folder of rules as files are named below it, and by its last name alone.
fn named(folder: &Path) -> (String, String) {
    let shown = load::shown(folder);
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    (shown.trim_end_matches('/').to_owned(), name.unwrap_or_default())
}

fn title(set: &RuleSet) -> String {
    let with_rules = set
        .packs
        .iter()
        .enumerate()
        .filter(|(position, _)| set.rules.iter().any(|rule| rule.pack == *position));
    let names: Vec<&str> = with_rules.map(|(_, pack)| pack.name.as_str()).collect();
    let names = if names.is_empty() { "no rules".to_owned() } else { names.join(", ") };
    clean(&format!("Rules of {names}"))
}

fn say(changes: &Changes, is_check: bool, out: &mut dyn Write) -> std::io::Result<()> {
    let words =
        if is_check { ["missing", "stale", "left over"] } else { ["new", "changed", "removed"] };
    for (word, files) in words.iter().zip([&changes.added, &changes.changed, &changes.removed]) {
        for file in files {
            writeln!(out, "{word:<9}  {}", clean(file))?;
        }
    }
    let counts = [changes.added.len(), changes.changed.len(), changes.removed.len()];
    let counts: Vec<String> =
        words.iter().zip(counts).map(|(word, count)| format!("{count} {word}")).collect();
    let rest = if is_check { "up to date" } else { "unchanged" };
    writeln!(out, "{}, {} {rest}", counts.join(", "), changes.unchanged)
}
