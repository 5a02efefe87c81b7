//! The packs that a command for authors works on.

use std::path::PathBuf;
use std::sync::Arc;

use crate::cli::CliError;
use crate::cli::check::{PackArgs, settings};
use crate::diagnostic::Diagnostic;
use crate::load::{self, Config, cases};
use crate::rule::Rule;
use crate::rule::pack::RuleSet;
use crate::source::Sources;

/// The folders that were named, else those of the configuration, else this one or its `rules`.
pub(super) fn folders(
    named: &[PathBuf],
    args: &PackArgs,
    command: &str,
) -> Result<Vec<PathBuf>, CliError> {
    if !named.is_empty() {
        // A folder named twice is tested once.
        let mut folders: Vec<PathBuf> = Vec::new();
        for folder in named {
            if !folders.iter().any(|known| cases::whole(known) == cases::whole(folder)) {
                folders.push(folder.clone());
            }
        }
        return Ok(folders);
    }
    let mut sources = Sources::default();
    let config = settings(args, &mut sources)?;
    if !config.rules.is_empty() {
        return Ok(config.rules);
    }
    let here = [".", "rules"].map(PathBuf::from);
    let found = here
        .into_iter()
        .find(|folder| ["pack.yaml", "pack.yml"].iter().any(|name| folder.join(name).is_file()));
    found.map(|folder| vec![folder]).ok_or_else(|| {
        let message = "there is no pack here: no `pack.yaml` in this folder or in `rules`";
        let help = format!("name the pack's folder: `dpmguard {command} my-rules`");
        CliError::one(Diagnostic::error("no-pack", message).help(help), &sources)
    })
}

/// The folders together with the other packs of this run, each once.
pub(super) fn with(config: &Config, args: &PackArgs, folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = Vec::new();
    for folder in config.rules.iter().chain(&args.rules).chain(folders) {
        let is_same = |known: &PathBuf| cases::whole(known) == cases::whole(folder);
        if !all.iter().any(is_same) {
            all.push(folder.clone());
        }
    }
    all
}

/// The rules of the folders.
pub(super) fn rules_in(folders: &[PathBuf], set: &RuleSet, sources: &Sources) -> Vec<Arc<Rule>> {
    let is_in = |rule: &&Arc<Rule>| {
        let name = sources.get(rule.root.place.file).map_or("", |source| source.name());
        folders.iter().any(|folder| is_below(name, folder))
    };
    set.rules.iter().filter(is_in).cloned().collect()
}

/// Whether a file of that name is in the folder.
pub(super) fn is_below(name: &str, folder: &std::path::Path) -> bool {
    name.starts_with(&format!("{}/", load::shown(folder).trim_end_matches('/')))
}
