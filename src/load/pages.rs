//! A folder of generated pages.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::load::read::unreadable;
use crate::load::{cases, read_file, shown, write_files};
use crate::source::Sources;

/// What became of generated files, or would become of them.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// Files that were not there.
    pub added: Vec<String>,
    /// Files that had another text.
    pub changed: Vec<String>,
    /// Generated files that are no longer wanted.
    pub removed: Vec<String>,
    /// How many files were as they should be.
    pub unchanged: usize,
}

impl Changes {
    /// Whether everything was as it should be.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// Generated files: where they belong, and by what they are known.
#[derive(Clone, Copy, Debug)]
pub struct Pages<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// Paths below it, with `/`, and texts.
    pub files: &'a [(String, String)],
    /// What stands in the first lines of each generated file.
    pub mark: &'a str,
    /// Folders below it in which generated files that are no longer wanted are looked for.
    pub swept: &'a [&'a str],
}

/// Compares generated files with those that are there; unless `check`, writes those that differ and
/// removes those that are generated and no longer wanted. What is not generated is never touched.
///
/// # Errors
///
/// A file in the way that is not generated, or why a file cannot be read, written or removed.
pub fn update(pages: Pages<'_>, check: bool, sources: &Sources) -> Result<Changes, Diagnostic> {
    let mut changes = Changes::default();
    let mut wanted: Vec<(PathBuf, &[u8])> = Vec::new();
    for (name, text) in pages.files {
        let path = pages.folder.join(name);
        if fs::symlink_metadata(&path).is_err() {
            changes.added.push(shown(&path));
        } else {
            let there = read_file(&path)?;
            if there == text.as_bytes() {
                changes.unchanged += 1;
                continue;
            }
            if !there.is_empty() && !is_generated(&there, pages.mark) {
                return Err(in_the_way(&path));
            }
            changes.changed.push(shown(&path));
        }
        wanted.push((path, text.as_bytes()));
    }
    let left_over = left_over(pages)?;
    changes.removed = left_over.iter().map(|path| shown(path)).collect();
    if check {
        return Ok(changes);
    }
    for (path, _) in &wanted {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| {
                let message = format!("cannot make the folder `{}`: {error}", shown(folder));
                Diagnostic::error("cannot-write", message)
            })?;
        }
    }
    let files: Vec<(&Path, &[u8])> =
        wanted.iter().map(|(path, text)| (path.as_path(), *text)).collect();
    write_files(&files, sources)?;
    cases::remove(&left_over)?;
    Ok(changes)
}

fn in_the_way(path: &Path) -> Diagnostic {
    let message = format!("`{}` is there and was not generated", shown(path));
    Diagnostic::error("not-generated", message)
        .help("choose another place with `--out`, or move the file away")
}

/// The mark is the first line, or the second.
fn is_generated(bytes: &[u8], mark: &str) -> bool {
    let text = String::from_utf8_lossy(bytes.get(..1024).unwrap_or(bytes)).into_owned();
    text.trim_start_matches('\u{FEFF}').lines().take(2).any(|line| line.trim_end() == mark)
}

/// Generated files that are not among those wanted; a link is none.
fn left_over(pages: Pages<'_>) -> Result<Vec<PathBuf>, Diagnostic> {
    let mut found = Vec::new();
    for below in pages.swept {
        let folder = pages.folder.join(below);
        if !folder.is_dir() {
            continue;
        }
        let entries = fs::read_dir(&folder).map_err(|error| unreadable(&folder, &error))?;
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&folder, &error))?.path();
            let is_wanted = pages.files.iter().any(|(name, _)| pages.folder.join(name) == path);
            let is_page = path.extension().is_some_and(|ending| ending == "md");
            let is_file = fs::symlink_metadata(&path).is_ok_and(|known| known.is_file());
            if !is_wanted && is_page && is_file && is_generated(&read_file(&path)?, pages.mark) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
