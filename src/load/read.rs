//! Bytes of files and of standard input, and what is in folders.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;

/// Largest file that is read, in bytes.
pub(super) const MAX_BYTES: u64 = 1 << 30;

/// Goes through folders; each is visited once, whatever links lead to it.
pub(super) struct Walker<'a> {
    pub(super) endings: &'a [&'a str],
    pub(super) visited: HashSet<PathBuf>,
    /// How many more files and folders are looked at.
    pub(super) left: usize,
}

impl<'a> Walker<'a> {
    pub(super) fn new(endings: &'a [&'a str]) -> Self {
        Self { endings, visited: HashSet::new(), left: usize::MAX }
    }

    /// Adds the files with one of the endings below `folder`; hidden ones are left out.
    ///
    /// What cannot be looked at is a problem: facts or rules may be in there.
    pub(super) fn walk(
        &mut self,
        folder: &Path,
        files: &mut Vec<PathBuf>,
        problems: &mut Vec<Diagnostic>,
    ) {
        match fs::canonicalize(folder) {
            Ok(whole) => {
                if !self.visited.insert(whole) {
                    return;
                }
            }
            Err(error) => return problems.push(unreadable(folder, &error)),
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return problems.push(unreadable(folder, &error)),
        };
        let mut found: Vec<PathBuf> = Vec::new();
        for entry in entries {
            let Some(left) = self.left.checked_sub(1) else { break };
            self.left = left;
            match entry {
                Ok(entry) => found.push(entry.path()),
                Err(error) => problems.push(unreadable(folder, &error)),
            }
        }
        found.sort();
        for path in found {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            if name.is_none_or(|name| name.starts_with('.')) {
                continue;
            }
            let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
            let fits = ending.is_some_and(|ending| self.endings.contains(&ending.as_str()));
            match fs::metadata(&path) {
                Ok(known) if known.is_dir() => self.walk(&path, files, problems),
                Ok(known) if fits && known.is_file() => files.push(path),
                Ok(_) if fits => {
                    let message = format!("cannot read `{}`: it is no regular file", shown(&path));
                    problems.push(Diagnostic::error("cannot-read", message));
                }
                Ok(_) => {}
                Err(error) => problems.push(unreadable(&path, &error)),
            }
        }
    }
}

/// A path as it is shown: with `/`.
#[must_use]
pub fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::NotADirectory => "it is not a folder".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::error("cannot-read", format!("cannot read `{}`: {why}", shown(path)))
}

/// Reads a file's bytes.
///
/// # Errors
///
/// Why it cannot be read.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    let too_large = || {
        let message = format!("`{}` is larger than {} bytes", shown(path), MAX_BYTES);
        Diagnostic::error("file-too-large", message)
    };
    let file = fs::File::open(path).map_err(|error| {
        let problem = unreadable(path, &error);
        let parent = path
            .parent()
            .map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent });
        let siblings: Vec<String> = parent
            .filter(|_| error.kind() == io::ErrorKind::NotFound)
            .and_then(|parent| fs::read_dir(parent).ok())
            .map(|entries| {
                entries
                    .flatten()
                    .map(|entry| entry.file_name().to_string_lossy().into_owned())
                    .collect()
            })
            .unwrap_or_default();
        let name =
            path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        problem.suggest(&name, siblings.iter().map(String::as_str))
    })?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > MAX_BYTES { Err(too_large()) } else { Ok(bytes) }
}

/// Reads the bytes of a file that another file names: a device has no end, and a pipe may have no beginning.
pub(super) fn read_regular(path: &Path) -> Result<Vec<u8>, Diagnostic> {
    if fs::metadata(path).is_ok_and(|known| !known.is_file() && !known.is_dir()) {
        let message = format!("cannot read `{}`: it is no regular file", shown(path));
        return Err(Diagnostic::error("cannot-read", message));
    }
    read_file(path)
}

pub(super) fn read_stdin(stdin: &mut dyn Read) -> Result<Vec<u8>, Diagnostic> {
    let mut bytes = Vec::new();
    let result = stdin.take(MAX_BYTES + 1).read_to_end(&mut bytes);
    match result {
        Ok(_) if bytes.len() as u64 > MAX_BYTES => Err(Diagnostic::error(
            "file-too-large",
            format!("standard input is larger than {MAX_BYTES} bytes"),
        )),
        Ok(_) => Ok(bytes),
        Err(error) => {
            Err(Diagnostic::error("cannot-read", format!("cannot read standard input: {error}")))
        }
    }
}
