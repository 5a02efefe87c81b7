//! `dpmguard facts`: facts from what other tools export.

use std::path::PathBuf;

use crate::cli::{CliError, Streams};

/// Import facts from what other tools export
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Not there yet
    pub files: Vec<PathBuf>,
}

/// Imports.
///
/// # Errors
///
/// None yet.
pub fn run(_: &Args, _: &mut Streams<'_>) -> Result<u8, CliError> {
    Ok(2)
}
