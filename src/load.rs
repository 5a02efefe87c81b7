//! Files, standard input and the shipped pack: the only module that touches the file system.

pub mod cases;
mod config;
mod facts;
pub mod history;
mod open;
mod packs;
mod pages;
mod plans;
mod read;
mod write;

pub use config::{Config, config, missing_folders, param};
pub use facts::{Loaded, exports, facts};
pub use open::{Folder, Open, nearest};
pub use packs::{Packs, packs, packs_open};
pub use pages::{Changes, Pages, update};
pub use plans::{plan, plan_report, plan_text};
pub use read::{read_file, shown};
pub use write::{create_below, none_exists, write_files};

use std::sync::{Arc, LazyLock};

use crate::diagnostic::Diagnostic;
pub use crate::rule::pack::Assembled;
use crate::rule::pack::Schemas;
use crate::schema::Schema;

/// The published schemas, by name.
pub static SCHEMAS: [(&str, &str); 20] = [
    ("action-v1", include_str!("../schemas/action-v1.schema.json")),
    ("case-v1", include_str!("../schemas/case-v1.schema.json")),
    ("config-v1", include_str!("../schemas/config-v1.schema.json")),
    ("coverage-v1", include_str!("../schemas/coverage-v1.schema.json")),
    ("eval-v1", include_str!("../schemas/eval-v1.schema.json")),
    ("explain-v1", include_str!("../schemas/explain-v1.schema.json")),
    ("facts-v1", include_str!("../schemas/facts-v1.schema.json")),
    ("lint-v1", include_str!("../schemas/lint-v1.schema.json")),
    ("model-v1", include_str!("../schemas/model-v1.schema.json")),
    ("mutants-v1", include_str!("../schemas/mutants-v1.schema.json")),
    ("pack-v1", include_str!("../schemas/pack-v1.schema.json")),
    ("plan-explain-v1", include_str!("../schemas/plan-explain-v1.schema.json")),
    ("plan-repair-v1", include_str!("../schemas/plan-repair-v1.schema.json")),
    ("plan-report-v1", include_str!("../schemas/plan-report-v1.schema.json")),
    ("plan-v1", include_str!("../schemas/plan-v1.schema.json")),
    ("plan-verify-v1", include_str!("../schemas/plan-verify-v1.schema.json")),
    ("report-v1", include_str!("../schemas/report-v1.schema.json")),
    ("rule-v1", include_str!("../schemas/rule-v1.schema.json")),
    ("table-v1", include_str!("../schemas/table-v1.schema.json")),
    ("test-v1", include_str!("../schemas/test-v1.schema.json")),
];

/// A schema of ours, compiled.
///
/// # Errors
///
/// If the shipped schema is broken, which a test excludes.
pub fn schema(name: &str) -> Result<Arc<Schema>, Diagnostic> {
    static COMPILED: LazyLock<Vec<(&str, LazySchema)>> = LazyLock::new(|| {
        SCHEMAS
            .iter()
            .map(|(name, text)| (*name, LazySchema { text, cell: std::sync::OnceLock::new() }))
            .collect()
    });
    let found = COMPILED.iter().find(|(known, _)| *known == name);
    match found {
        Some((_, lazy)) => {
            lazy.cell.get_or_init(|| Schema::compile(lazy.text).map(Arc::new)).clone()
        }
        None => Err(Diagnostic::error("unknown-schema", format!("there is no schema `{name}`"))
            .suggest(name, SCHEMAS.iter().map(|(name, _)| *name))),
    }
}

/// The schemas of pack files.
///
/// # Errors
///
/// If a shipped schema is broken, which a test excludes.
pub fn schemas() -> Result<Schemas, Diagnostic> {
    Ok(Schemas {
        pack: schema("pack-v1")?,
        rule: schema("rule-v1")?,
        action: schema("action-v1")?,
        table: schema("table-v1")?,
    })
}

/// Compiled when it is first asked for: not every run needs all of them.
struct LazySchema {
    text: &'static str,
    cell: std::sync::OnceLock<Result<Arc<Schema>, Diagnostic>>,
}

/// The instant at which the tool runs; read once, handed down, printed in the report.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one door to the clock")]
pub fn clock() -> Option<crate::facts::time::Instant> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?;
    crate::facts::time::Instant::from_seconds(i64::try_from(since.as_secs()).ok()?)
}
