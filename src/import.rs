//! Foreign formats to facts: the only place below `rules/` and `schemas/` that knows Exchange's words.
//!
//! Touches no file: bytes come from `load`. What an export does not say stays absent, and nothing is
//! ever declared complete: an export of one server is not the estate.

mod clixml;
mod convert;
mod exchange;
mod unite;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, FileId};
use crate::facts::time::Instant;
use crate::source::Sources;
use clixml::{Kept, Node, Value};
use exchange::Report;

/// How the exports are made, and what is done with them then: for the command's help.
pub const CLIXML_EXAMPLES: &str = "On the Exchange server, in the Exchange Management Shell:\n  \
        Get-ExchangeServer | Export-Clixml servers.xml\n  \
        Get-MailboxServer | Export-Clixml mailbox-servers.xml\n  \
        Get-WmiObject Win32_OperatingSystem | Export-Clixml os.xml\n  \
        Get-WmiObject Win32_ComputerSystem | Export-Clixml computer.xml\n  \
        Get-WmiObject Win32_QuickFixEngineering | Export-Clixml hotfixes.xml\n  \
        Get-WmiObject Win32_Service | Export-Clixml services.xml\n  \
        Get-Command exsetup | ForEach-Object { $_.FileVersionInfo } | Export-Clixml exsetup.xml\n\n\
        Then here:\n  \
        dpmguard facts import clixml exports/ --out exchange.yaml\n  \
        dpmguard facts import clixml exsetup.xml os.xml --server EX01\n  \
        dpmguard facts import clixml servers.xml --observed-at 2009-05-04T18:00:00Z | dpmguard check - dpm.yaml";

/// Facts made of exports.
#[derive(Debug)]
pub struct Import {
    /// The document, `schema: dpmguard.facts/v1`.
    ///
    /// # Shape
    ///
    /// Keys in the order of the schema, collections by key.
    pub document: Json,
    /// What was made of each file, in the order in which they were given.
    pub files: Vec<FileSummary>,
    /// What is odd about the files.
    pub warnings: Vec<Diagnostic>,
}

/// What was made of a file.
#[derive(Debug, PartialEq, Eq)]
pub struct FileSummary {
    /// Name of the file.
    pub name: String,
    /// Values at its top level, items of lists included.
    pub objects: usize,
    /// How many of them became facts.
    pub mapped: usize,
    /// What became of the others, and what was taken for granted.
    pub note: Option<String>,
}

/// What the exports do not say themselves.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The Exchange server that objects without a server's name are from.
    pub server: Option<String>,
    /// When the estate was observed, RFC 3339.
    pub observed_at: Option<String>,
}

/// What was read of a file.
struct Read {
    file: FileId,
    objects: usize,
    /// Types without a mapping, and how many objects of each.
    foreign: BTreeMap<String, usize>,
    reports: Vec<Report>,
}

/// Makes facts of files that `Export-Clixml` wrote.
///
/// # Shape
///
/// Exports of one server unite into one object. Objects that do not say their server are of
/// `options.server`, else of the only server that is named at all; a summary says so.
///
/// # Errors
///
/// All files' problems; contradictions, with both places; nothing to import at all; no time of
/// observation.
pub fn clixml(
    sources: &Sources,
    files: &[FileId],
    options: &Options,
) -> Result<Import, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    check(options, &mut problems);
    let mut reads = Vec::new();
    for file in files {
        match read(sources, *file, &mut warnings) {
            Ok(read) => reads.push(read),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let united = unite::unite(&reads, options)?;
    let files: Vec<FileSummary> = reads
        .iter()
        .zip(&united.files)
        .map(|(read, placed)| FileSummary {
            name: sources.get(read.file).map_or("?", |source| source.name()).to_owned(),
            objects: read.objects,
            mapped: placed.mapped,
            note: note(read, placed),
        })
        .collect();
    if files.iter().all(|file| file.mapped == 0) {
        return Err(vec![nothing(&files)]);
    }
    let document = united.document(options).map_err(|problem| vec![problem])?;
    Ok(Import { document, files, warnings })
}

fn check(options: &Options, problems: &mut Vec<Diagnostic>) {
    if let Some(server) = options.server.as_deref().filter(|server| convert::host(server).is_none())
    {
        let message = format!("`--server {server}` is not the name of a server");
        problems.push(Diagnostic::error("wrong-option", message));
    }
    if let Some(at) = options.observed_at.as_deref().filter(|at| Instant::parse(at).is_none()) {
        let message = format!("`--observed-at {at}` is not a time with an offset");
        let problem = Diagnostic::error("wrong-option", message);
        problems
            .push(problem.help("write it like 2021-09-29T18:00:00Z or 2021-09-29T11:00:00-07:00"));
    }
}

/// Most values of a file that are complained of.
const MAX_ODD: usize = 20;

fn read(
    sources: &Sources,
    file: FileId,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Read, Diagnostic> {
    let text = sources.get(file).map_or("", |source| source.text());
    let mut read = Read { file, objects: 0, foreign: BTreeMap::new(), reports: Vec::new() };
    let mut odd = Vec::new();
    let found = clixml::read(file, text, &mut |kept, node| read.take(kept, node, &mut odd))?;
    let more = odd.len().saturating_sub(MAX_ODD);
    odd.truncate(MAX_ODD);
    if more > 0
        && let Some(last) = odd.pop()
    {
        odd.push(last.help(format!("{more} more like these in this file")));
    }
    warnings.extend(found);
    warnings.extend(odd);
    Ok(read)
}

impl Read {
    /// Takes what a value says; a list stands for its items (`Export-Clixml -InputObject $all`).
    fn take<'t>(&mut self, kept: &Kept<'t>, node: &Node<'t>, odd: &mut Vec<Diagnostic>) {
        if let Some(report) = exchange::map(kept, node, odd) {
            self.objects += 1;
            self.reports.push(report);
            return;
        }
        // A reference to a list is not followed: it may lead back to where it stands.
        if let Value::Object(object) = &node.value
            && let Some(items) = object.items.as_deref().filter(|items| !items.is_empty())
        {
            for item in items {
                self.take(kept, item, odd);
            }
            return;
        }
        self.objects += 1;
        *self.foreign.entry(exchange::describe(kept, node)).or_default() += 1;
    }
}

/// Most types that a summary names.
const NAMED_TYPES: usize = 3;

/// What a summary says besides the numbers.
fn note(read: &Read, placed: &unite::Placed) -> Option<String> {
    let mut parts = Vec::new();
    if read.objects == 0 {
        parts.push("the export is empty".to_owned());
    }
    let named = read.foreign.iter().take(NAMED_TYPES);
    let mut left: Vec<String> = named
        .map(|(name, count)| match count {
            1 => format!("`{name}`"),
            _ => format!("{count} of `{name}`"),
        })
        .collect();
    let more = read.foreign.len().saturating_sub(NAMED_TYPES);
    if more > 0 {
        left.push(format!("{more} more types"));
    }
    if !left.is_empty() {
        parts.push(format!("no mapping for {}", left.join(", ")));
    }
    parts.extend(placed.notes.iter().cloned());
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn nothing(files: &[FileSummary]) -> Diagnostic {
    let problem = Diagnostic::error("nothing-imported", "no fact was found in the exports");
    files.iter().fold(problem, |problem, file| {
        problem.help(format!(
            "`{}`: {}",
            file.name,
            file.note.as_deref().unwrap_or("nothing in it")
        ))
    })
}

#[cfg(test)]
mod tests;
