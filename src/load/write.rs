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
        let target = target_of(path);
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

/// The file that a path leads to, whether it is there or not.
fn target_of(path: &Path) -> PathBuf {
    if let Ok(target) = fs::canonicalize(path) {
        return target;
    }
    let folder = path
        .parent()
        .map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    match (folder.and_then(|folder| fs::canonicalize(folder).ok()), path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_path_buf(),
    }
}

/// Writes new files, most of them below `folder`, and the folders they lie in, all or none; none replaces
/// what is there. A folder that is not there yet appears with all its files in it, or not at all, even if
/// the program is ended on the way.
///
/// # Errors
///
/// Files that exist already, or why one cannot be written. What was made until then is taken away.
pub fn create_below(folder: &Path, files: &[(PathBuf, Vec<u8>)]) -> Result<(), Vec<Diagnostic>> {
    none_exists(files)?;
    if fs::symlink_metadata(folder).is_ok() {
        return create_files(files);
    }
    let mut made = Vec::new();
    create_folder(folder, &mut made).map_err(|error| vec![cannot(folder, &error)])?;
    let written = fill(folder, files);
    if written.is_err() {
        for folder in made.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
    written
}

/// Makes a folder with its files beside the place where it belongs, and moves it there.
fn fill(folder: &Path, files: &[(PathBuf, Vec<u8>)]) -> Result<(), Vec<Diagnostic>> {
    let cannot = |error: io::Error| vec![cannot(folder, &error)];
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
    let beside =
        tempfile::Builder::new().prefix(".dpmguard-").tempdir_in(parent.unwrap_or(Path::new(".")));
    let beside = beside.map_err(cannot)?;
    // The temporary folder itself is for its owner only; one in it is like any other.
    let whole = beside.path().join("whole");
    let (mut inside, mut others) = (Vec::new(), Vec::new());
    for (path, bytes) in files {
        match path.strip_prefix(folder) {
            Ok(below) => inside.push((whole.join(below), bytes.clone())),
            Err(_) => others.push((path.clone(), bytes.clone())),
        }
    }
    create_files(&inside)?;
    fs::rename(&whole, folder).map_err(cannot)?;
    create_files(&others).inspect_err(|_| {
        let _ = fs::remove_dir_all(folder);
    })
}

fn create_files(files: &[(PathBuf, Vec<u8>)]) -> Result<(), Vec<Diagnostic>> {
    let (mut folders, mut made) = (Vec::new(), Vec::new());
    let written = files.iter().try_for_each(|(path, bytes)| {
        let mut create = || {
            create_folder(path, &mut folders)?;
            let file = prepare(path, bytes)?;
            file.persist_noclobber(path).map_err(|error| error.error)?;
            made.push(path.clone());
            Ok(())
        };
        create().map_err(|error: io::Error| vec![cannot(path, &error)])
    });
    if written.is_err() {
        for path in &made {
            let _ = fs::remove_file(path);
        }
        for folder in folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
    written
}

/// Says which of the files exist already.
///
/// # Errors
///
/// One for each that does.
pub fn none_exists(files: &[(PathBuf, Vec<u8>)]) -> Result<(), Vec<Diagnostic>> {
    let there = files.iter().filter(|(path, _)| fs::symlink_metadata(path).is_ok());
    let problems: Vec<Diagnostic> = there
        .map(|(path, _)| {
            let message = format!("`{}` exists already; nothing was written", shown(path));
            Diagnostic::error("file-exists", message).help("choose another name, or remove it")
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Makes the folders that a file needs; those that were not there are added to `made`, outermost first.
fn create_folder(path: &Path, made: &mut Vec<PathBuf>) -> io::Result<()> {
    let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) else {
        return Ok(());
    };
    let missing = parent.ancestors().take_while(|folder| {
        !folder.as_os_str().is_empty() && fs::symlink_metadata(folder).is_err()
    });
    let mut missing: Vec<PathBuf> = missing.map(Path::to_path_buf).collect();
    missing.reverse();
    for folder in missing {
        fs::create_dir(&folder)?;
        made.push(folder);
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
