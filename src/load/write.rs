//! Files written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::diagnostic::Diagnostic;
use crate::load::shown;
use crate::source::Sources;

/// Writes files, each whole or not at all; none replaces the old one before all are prepared.
///
/// What is no regular file (a device, a pipe) is written into, never replaced; of a link the file that
/// it leads to is written.
///
/// # Errors
///
/// A file that was read in the same run or is named twice, or why one cannot be written.
pub fn write_files(files: &[(&Path, &[u8])], sources: &Sources) -> Result<(), Diagnostic> {
    let inputs: Vec<PathBuf> =
        sources.iter().filter_map(|(_, source)| fs::canonicalize(source.name()).ok()).collect();
    let mut targets: Vec<PathBuf> = Vec::new();
    for (path, _) in files {
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
        let wrong = if inputs.contains(&target) && is_regular(&target) {
            Some("it is read in this run")
        } else if targets.contains(&target) && is_replaced(&target) {
            Some("it is named twice")
        } else {
            None
        };
        if let Some(why) = wrong {
            let message = format!("`{}` is not written: {why}", shown(path));
            return Err(Diagnostic::error("wrong-option", message).help("choose another file"));
        }
        targets.push(target);
    }
    let mut prepared = Vec::new();
    for ((path, bytes), target) in files.iter().zip(&targets) {
        if is_replaced(target) {
            let file = prepare(target, bytes).map_err(|error| cannot(path, &error))?;
            prepared.push((*path, file, target));
        }
    }
    for ((path, bytes), target) in files.iter().zip(&targets) {
        if !is_replaced(target) {
            into_device(target, bytes).map_err(|error| cannot(path, &error))?;
        }
    }
    for (path, file, target) in prepared {
        file.persist(target).map_err(|error| cannot(path, &error.error))?;
    }
    Ok(())
}

fn is_regular(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|known| known.is_file())
}

/// Whether the file is made anew: it is a regular one, or not there yet.
fn is_replaced(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |known| known.is_file() || known.is_dir())
}

fn prepare(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut file = NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    set_mode(path, file.as_file())?;
    Ok(file)
}

fn into_device(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(path)?.write_all(bytes)
}

fn cannot(path: &Path, error: &io::Error) -> Diagnostic {
    let why = match error.kind() {
        io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory | io::ErrorKind::AlreadyExists => "it is a folder".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::error("cannot-write", format!("cannot write `{}`: {why}", shown(path)))
}

/// A temporary file is for its owner only; a report is for whoever could read it before.
#[cfg(unix)]
fn set_mode(path: &Path, file: &fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).map_or(0o644, |known| known.permissions().mode());
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: &fs::File) -> io::Result<()> {
    Ok(())
}
