//! `dpmguard rules`: what the rules are and what they say.

use std::io::Write;

use crate::cli::check::{PackArgs, load_rules, settings};
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::load;
use crate::report::diagnostic::clean;
use crate::rule::Rule;
use crate::rule::pack::RuleSet;
use crate::source::Sources;

/// List and explain rules
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the rules: severity, certainty, id and title
    #[command(
        after_help = "Examples:\n  dpmguard rules list\n  dpmguard rules list --rules my-rules"
    )]
    List {
        #[command(flatten)]
        rules: PackArgs,
    },
    /// Show a rule: what it says, its parameters, its sources
    #[command(after_help = "Example:\n  dpmguard rules show database-file-moved")]
    Show {
        /// The rule's id
        id: String,
        #[command(flatten)]
        rules: PackArgs,
    },
}

/// Loads the rules and shows what was asked for.
///
/// # Errors
///
/// Broken rules, an unknown id, or output that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let (Command::List { rules } | Command::Show { rules, .. }) = &args.command;
    let mut sources = Sources::default();
    let config = settings(rules, &mut sources)?;
    let model =
        load::model(&mut sources).map_err(|found| CliError::Input(found, sources.clone()))?;
    let set = load_rules(rules, &config, &mut sources, &model)
        .map_err(|found| CliError::Input(found, sources.clone()))?;
    match &args.command {
        Command::List { .. } => list(&set, streams)?,
        Command::Show { id, .. } => {
            if let Some(rule) = set.rules.iter().find(|rule| *rule.id == **id) {
                show(rule, &set, streams)?;
            } else {
                let names = set.rules.iter().map(|rule| &*rule.id);
                let problem = Diagnostic::error("unknown-rule", format!("there is no rule `{id}`"));
                let problem = problem.suggest(id, names).help("`dpmguard rules list` lists them");
                return Err(CliError::one(problem, &sources));
            }
        }
    }
    Ok(0)
}

fn list(set: &RuleSet, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let width = set.rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in &set.rules {
        writeln!(
            streams.out,
            "{:<7}  {:<10}  {:<width$}  {}",
            rule.severity,
            rule.certainty,
            rule.id,
            clean(&rule.title)
        )?;
    }
    Ok(())
}

fn show(rule: &Rule, set: &RuleSet, streams: &mut Streams<'_>) -> std::io::Result<()> {
    let out = &mut *streams.out;
    writeln!(out, "{}\n  {}\n", rule.id, rule.title)?;
    let pack = set.packs.get(rule.pack).map_or("", |pack| &pack.name);
    writeln!(
        out,
        "  severity   {}\n  certainty  {}\n  pack       {pack}",
        rule.severity, rule.certainty
    )?;
    if !rule.tags.is_empty() {
        writeln!(out, "  tags       {}", rule.tags.join(", "))?;
    }
    for (_, title, values) in &rule.metadata {
        writeln!(out, "  {title}  {}", values.join(", "))?;
    }
    writeln!(out)?;
    for (number, text) in filled(&rule.explanation).iter().enumerate() {
        if number > 0 && !text.starts_with("- ") {
            writeln!(out)?;
        }
        paragraph(out, text)?;
    }
    if !rule.params.is_empty() {
        writeln!(out, "\nParameters")?;
        for param in &rule.params {
            let set = if param.is_set { " (set by you)" } else { "" };
            writeln!(out, "  {} = {}{set}", param.name, param.written)?;
            paragraph(out, &format!("  {}", param.help))?;
        }
    }
    writeln!(out, "\nSources")?;
    for reference in &rule.references {
        let read =
            reference.retrieved.as_ref().map(|date| format!(", read {date}")).unwrap_or_default();
        paragraph(out, &format!("{}{read}: {}", reference.title, reference.says))?;
        if let Some(url) = &reference.url {
            writeln!(out, "  {url}")?;
        }
    }
    Ok(())
}

/// Paragraphs with their lines joined: up to an empty line, or to a line that begins a list item.
fn filled(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            is_open = false;
        } else if let Some(last) =
            paragraphs.last_mut().filter(|_| is_open && !line.starts_with("- "))
        {
            last.push(' ');
            last.push_str(line);
        } else {
            paragraphs.push(line.to_owned());
            is_open = true;
        }
    }
    paragraphs
}

fn paragraph(out: &mut dyn Write, text: &str) -> std::io::Result<()> {
    let indent = format!("  {}", " ".repeat(text.len() - text.trim_start().len()));
    let options = textwrap::Options::new(80).initial_indent(&indent).subsequent_indent(&indent);
    for line in text.trim().lines() {
        for wrapped in textwrap::wrap(&clean(line), &options) {
            writeln!(out, "{wrapped}")?;
        }
    }
    Ok(())
}
