//! The wall around `jsonschema`: documents are checked, and each violation gets our words and its
//! place in the file.
//!
//! Knows no particular schema. JSON Schema 2020-12, nothing is fetched.

mod explain;
mod format;
mod lookup;

use jsonschema::{PatternOptions, ValidationOptions, Validator};
use serde_json::Value as Json;

use crate::diagnostic::Diagnostic;
use crate::source::Node;

pub(crate) use format::is_clock_time;

/// Most violations told of one document.
const MAX_DIAGNOSTICS: usize = 1_000;

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    json: Json,
    validator: Validator,
}

impl Schema {
    /// Compiles the JSON text of a schema.
    ///
    /// # Shape
    ///
    /// Formats are checked; to those of the standard come `name`, `windows-path`, `version`,
    /// `duration-text`, `zoned-time` and `clock-time`. Patterns are of the linear kind: no look-around, no
    /// back references.
    ///
    /// # Errors
    ///
    /// `invalid-schema` for what is no JSON, no schema, or names an unknown format or document.
    pub fn compile(text: &str) -> Result<Self, Diagnostic> {
        let json: Json = serde_json::from_str(text).map_err(|error| {
            Diagnostic::error("invalid-schema", format!("the schema is not JSON: {error}"))
        })?;
        Self::build(json, None)
    }

    /// Compiles a schema that was read from a file.
    ///
    /// # Errors
    ///
    /// As [`Schema::compile`], with the place of what is wrong.
    pub fn of(root: &Node) -> Result<Self, Diagnostic> {
        Self::build(root.to_json(), Some(root))
    }

    fn build(json: Json, root: Option<&Node>) -> Result<Self, Diagnostic> {
        let validator = options().build(&json).map_err(|error| {
            let path = error.instance_path().as_str();
            let at = if path.is_empty() { String::new() } else { format!(" at `{path}`") };
            let place = root.map(|root| root.pointer(path).unwrap_or(root).place);
            let message = format!("not a valid schema{at}: {error}");
            Diagnostic { place, ..Diagnostic::error("invalid-schema", message) }
        })?;
        Ok(Self { json, validator })
    }

    /// The schema itself.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// Checks a document.
    ///
    /// # Shape
    ///
    /// The violations in the order of the file, each once; after a thousand, one more says how many
    /// are left out.
    #[must_use]
    pub fn check(&self, root: &Node) -> Vec<Diagnostic> {
        let instance = root.to_json();
        if self.validator.is_valid(&instance) {
            return Vec::new();
        }
        let mut found = explain::all(&self.json, root, self.validator.iter_errors(&instance));
        found.sort_by(|a, b| (a.place, a.code, &a.message).cmp(&(b.place, b.code, &b.message)));
        found.dedup();
        let more = found.len().saturating_sub(MAX_DIAGNOSTICS);
        if more > 0 {
            let next = found.get(MAX_DIAGNOSTICS).and_then(|next| next.place);
            found.truncate(MAX_DIAGNOSTICS);
            let message = format!("{more} more violations of the schema from here on");
            found.push(Diagnostic { place: next, ..Diagnostic::error("too-many-errors", message) });
        }
        found
    }
}

fn options() -> ValidationOptions<'static> {
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .offline()
        .with_pattern_options(PatternOptions::regex())
        .with_format("name", format::is_name)
        .with_format("windows-path", format::is_windows_path)
        .with_format("version", format::is_version)
        .with_format("duration-text", format::is_duration)
        .with_format("zoned-time", format::is_zoned_time)
        .with_format("clock-time", format::is_clock_time)
}

#[cfg(test)]
mod tests;
