//! `dpmguard rules`: what the rules are and what they say.

mod action;
mod docs;
mod words;

use std::io::Write;

use crate::author::causes;
use crate::author::docs::text::filled;
use crate::author::needs::{Needs, Of, Walker};
use crate::cli::check::{PackArgs, load_rules};
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::facts::model::Model;
use crate::facts::time::say_duration;
use crate::finding::Reference;
use crate::report::diagnostic::clean;
use crate::rule::pack::RuleSet;
use crate::rule::table::Table;
use crate::rule::{Param, Rule};
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
    /// List the actions that steps of a repair can name, or show one
    #[command(
        after_help = "Examples:\n  dpmguard rules actions\n  dpmguard rules actions run-consistency-check"
    )]
    Actions {
        /// The action's id; without one, all are listed
        id: Option<String>,
        #[command(flatten)]
        rules: PackArgs,
    },
    /// List the reference tables, or print the rows of one
    #[command(
        after_help = "Examples:\n  dpmguard rules tables\n  dpmguard rules tables dpm-errors"
    )]
    Tables {
        /// The table's id; without one, all are listed
        id: Option<String>,
        #[command(flatten)]
        rules: PackArgs,
    },
    /// Print the page of causes (Markdown): which rules look for what, and what none can see
    #[command(after_help = "Example:\n  dpmguard rules causes > causes.md")]
    Causes {
        #[command(flatten)]
        rules: PackArgs,
    },
    Docs(docs::Args),
}

/// Loads the rules and shows what was asked for.
///
/// # Errors
///
/// Broken rules, an unknown id, or output that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let rules = match &args.command {
        Command::Docs(args) => return docs::run(args, streams),
        Command::List { rules }
        | Command::Show { rules, .. }
        | Command::Actions { rules, .. }
        | Command::Tables { rules, .. }
        | Command::Causes { rules } => rules,
    };
    let mut sources = Sources::default();
    let (packs, set) = load_rules(rules, &mut sources)?;
    let mut text = Vec::new();
    match &args.command {
        Command::List { .. } => list(&set, &mut text)?,
        Command::Show { id, .. } => {
            let rule = named(&set.rules, |rule| &*rule.id, id, "rule", "list", &sources)?;
            show(rule, &set, &packs.model, &mut text)?;
        }
        Command::Actions { id: Some(id), .. } => {
            let action =
                named(&set.actions, |action| &*action.id, id, "action", "actions", &sources)?;
            action::show(action, &packs.model, &mut text)?;
        }
        Command::Actions { id: None, .. } => {
            let width = set.actions.iter().map(|action| action.id.len()).max().unwrap_or(0);
            for action in &*set.actions {
                let id = &action.id;
                writeln!(text, "{:<6}  {id:<width$}  {}", action.role.name(), action.title)?;
            }
        }
        Command::Tables { id: Some(id), .. } => {
            let table =
                named(&set.tables, |table| table.id.as_str(), id, "table", "tables", &sources)?;
            show_table(table, &mut text)?;
        }
        Command::Tables { id: None, .. } => {
            let width = set.tables.iter().map(|table| table.id.len()).max().unwrap_or(0);
            for Table { id, title, rows, .. } in &*set.tables {
                writeln!(text, "{id:<width$}  {title} (rows: {})", rows.len())?;
            }
        }
        Command::Docs(_) => {}
        Command::Causes { .. } => text.write_all(causes::page(&set).as_bytes())?,
    }
    write_clean(&text, streams.out)?;
    Ok(0)
}

/// Writes text in which packs may have put control characters: none reaches a terminal.
pub(super) fn write_clean(text: &[u8], out: &mut dyn Write) -> std::io::Result<()> {
    for line in String::from_utf8_lossy(text).lines() {
        writeln!(out, "{}", clean(line))?;
    }
    Ok(())
}

/// The one with that id.
pub(super) fn named<'a, T>(
    all: &'a [T],
    id_of: impl Fn(&T) -> &str,
    id: &str,
    what: &str,
    command: &str,
    sources: &Sources,
) -> Result<&'a T, CliError> {
    let unknown = match what {
        "action" => "unknown-action",
        "table" => "unknown-table",
        _ => "unknown-rule",
    };
    all.iter().find(|one| id_of(one) == id).ok_or_else(|| {
        let problem = Diagnostic::error(unknown, format!("there is no {what} `{id}`"))
            .suggest(id, all.iter().map(&id_of))
            .help(format!("`dpmguard rules {command}` lists them"));
        CliError::one(problem, sources)
    })
}

fn list(set: &RuleSet, out: &mut dyn Write) -> std::io::Result<()> {
    let width = set.rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    for rule in &set.rules {
        writeln!(
            out,
            "{:<7}  {:<10}  {:<width$}  {}",
            rule.severity,
            rule.certainty,
            rule.id,
            clean(&rule.title)
        )?;
    }
    Ok(())
}

fn show(rule: &Rule, set: &RuleSet, model: &Model, out: &mut dyn Write) -> std::io::Result<()> {
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
    if let Some((_, title)) = &rule.cause {
        writeln!(out, "  cause      {title}")?;
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
    show_params("Parameters", &rule.params, out)?;
    show_needs(&Walker::new(model, set).rule(rule), rule, model, out)?;
    let steps = causes::steps(rule, set);
    if !steps.is_empty() {
        writeln!(out, "\nWhat to do, where it applies")?;
        for (number, step) in steps.iter().enumerate() {
            paragraph(out, &format!("{}. {step}", number + 1))?;
        }
    }
    if let Some(manual) = &rule.manual {
        writeln!(out, "\nWhy no plan can show that it helps")?;
        paragraph(out, manual)?;
    }
    let withheld = rule.withholds.iter().filter_map(|withheld| set.actions.get(withheld.action));
    let withheld: Vec<&str> = withheld.map(|action| action.title.as_str()).collect();
    if !withheld.is_empty() {
        writeln!(out, "\nWhat must wait meanwhile")?;
        paragraph(out, &withheld.join("; "))?;
    }
    show_references(&rule.references, out)
}

/// The facts that the verdict can hang on, and how old they may be.
fn show_needs(
    needs: &Needs,
    rule: &Rule,
    model: &Model,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(out, "\nFacts it needs")?;
    for (of, facts) in &needs.facts {
        let name = match of {
            Of::Kind(kind) => model.kind(*kind).map(|kind| &*kind.name),
            Of::Single(position) => model.singles().get(*position).map(|field| &*field.name),
        };
        let fields = facts.fields.iter().filter(|(_, using)| using.decides);
        let fields: Vec<String> = fields
            .map(|(field, using)| {
                format!("{field}{}", if using.asked { " (if known)" } else { "" })
            })
            .collect();
        if facts.whole || !fields.is_empty() {
            let list = if facts.whole { " (the list of all)" } else { "" };
            let colon = if fields.is_empty() { "" } else { ": " };
            let name = name.unwrap_or_default();
            paragraph(out, &format!("{name}{list}{colon}{}", fields.join(", ")))?;
        }
    }
    for (kind, seconds) in &rule.max_age {
        let name = model.kind(*kind).map_or("", |kind| &kind.name);
        paragraph(out, &format!("{name}: at most {} old", say_duration(*seconds)))?;
    }
    Ok(())
}

fn show_params(title: &str, params: &[Param], out: &mut dyn Write) -> std::io::Result<()> {
    if params.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for param in params {
        let set = if param.is_set { " (set by you)" } else { "" };
        writeln!(out, "  {} = {}{set}", param.name, param.written)?;
        paragraph(out, &format!("  {}", param.help))?;
    }
    Ok(())
}

fn show_references(references: &[Reference], out: &mut dyn Write) -> std::io::Result<()> {
    if references.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nSources")?;
    for reference in references {
        let read =
            reference.retrieved.as_ref().map(|date| format!(", read {date}")).unwrap_or_default();
        paragraph(out, &format!("{}{read}: {}", reference.title, reference.says))?;
        if let Some(url) = &reference.url {
            writeln!(out, "  {url}")?;
        }
    }
    Ok(())
}

fn show_table(table: &Table, out: &mut dyn Write) -> std::io::Result<()> {
    for (number, row) in table.rows.iter().enumerate() {
        if number > 0 {
            writeln!(out)?;
        }
        for (name, cell) in table.columns.iter().zip(&row.cells) {
            if let Some(cell) = cell {
                label(out, name, cell)?;
            }
        }
        label(out, "certainty", &row.certainty)?;
        label(out, "source", &row.source.title)?;
    }
    Ok(())
}

/// A name and behind it a text, its lines below each other.
pub(super) fn label(out: &mut dyn Write, name: &str, text: &str) -> std::io::Result<()> {
    let first = format!("  {:<13}  ", name.replace('_', " "));
    let next = " ".repeat(first.len());
    let options = textwrap::Options::new(80).initial_indent(&first).subsequent_indent(&next);
    for line in textwrap::wrap(&clean(text), &options) {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
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
