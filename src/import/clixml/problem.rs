//! What can be wrong with a file of the format.

use crate::diagnostic::{Diagnostic, Place};

/// Deepest nesting of objects. `Export-Clixml` goes two deep unless told otherwise.
pub(super) const MAX_DEPTH: usize = 100;

/// A name as messages show it: whoever wrote it may have written a novel.
pub(super) fn shorten(name: &str) -> String {
    let mut short: String = name.chars().filter(|c| !c.is_control()).take(60).collect();
    if short.len() < name.len() {
        short.push_str("...");
    }
    short
}

pub(super) fn duplicate(id: &str, place: Place, known: Place) -> Diagnostic {
    let message = format!("`RefId` `{}` stands twice; the last one counts", shorten(id));
    let problem = Diagnostic::warning("duplicate-ref-id", message).at(place);
    problem.related(known, "and here").help("PowerShell never writes this: was the file edited?")
}

pub(super) fn truncated(message: String) -> Diagnostic {
    Diagnostic::error("truncated-file", message).help("export or copy the file again")
}

pub(super) fn malformed(message: String) -> Diagnostic {
    Diagnostic::error("malformed-xml", message)
}

pub(super) fn not_clixml(why: &str) -> Diagnostic {
    Diagnostic::error("not-clixml", format!("this is not a file that `Export-Clixml` wrote: {why}"))
        .help("write it with `... | Export-Clixml FILE`")
}

pub(super) fn too_deep() -> Diagnostic {
    Diagnostic::error("too-deep", format!("objects are nested more than {MAX_DEPTH} deep"))
        .help("export with a smaller `-Depth`")
}
