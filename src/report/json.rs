//! The report as JSON, two spaces deep; the home of `serde_json` for writing.

use std::io;

use crate::report::Run;
use crate::report::v1::Report;

/// Writes the report.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(run: &Run<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Report::new(run)).map_err(io::Error::from)?;
    out.write_all(b"\n")
}
