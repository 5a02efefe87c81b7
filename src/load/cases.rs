//! The cases of a pack: files below `cases/`, and cases that stand beside rules.

use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::diagnostic::{Diagnostic, FileId};
use crate::load::read::{Walker, read_regular};
use crate::load::{read_file, shown};
use crate::source::{self, Node, Sources};

/// What a pack's folder has for testing its rules.
#[derive(Debug, Default)]
pub struct CaseFiles {
    /// Cases, by path.
    pub cases: Vec<CaseFile>,
    /// Snapshot files below `cases/` and beside cases, by path.
    pub snapshots: Vec<PathBuf>,
}

/// A case file, read but not checked.
#[derive(Debug)]
pub struct CaseFile {
    /// Its path.
    pub path: PathBuf,
    /// Its path below the pack's folder, with `/`.
    pub below: String,
    /// Its tree, or what is wrong with it.
    pub root: Result<Node, Vec<Diagnostic>>,
}

/// Finds and reads the cases in a pack's folder.
///
/// # Shape
///
/// Every YAML file below `cases/` is a case (or says that it is another document of ours); elsewhere
/// those that begin as one.
///
/// # Errors
///
/// Folders and files that cannot be looked at.
pub fn cases(folder: &Path, sources: &mut Sources) -> Result<CaseFiles, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut paths = Vec::new();
    Walker::new(&["yaml", "yml", "json", "snap"]).walk(folder, &mut paths, &mut problems);
    problems.extend(folders_for_lists(folder));
    let mut files = CaseFiles::default();
    for path in paths {
        if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("snap")) {
            if is_snapshot(&path, folder) {
                files.snapshots.push(path);
            }
            continue;
        }
        let below = shown(path.strip_prefix(folder).unwrap_or(&path));
        let bytes = match read_file(&path) {
            Ok(bytes) => bytes,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let is_yaml = !below.to_lowercase().ends_with(".json");
        let is_listed = below.starts_with("cases/") && is_yaml;
        if !is_listed && !is_case(&bytes) {
            continue;
        }
        let root = match sources.add(shown(&path), &bytes) {
            Ok(file) => source::read(sources, file),
            Err(problem) => Err(vec![problem]),
        };
        files.cases.push(CaseFile { path, below, root });
    }
    if problems.is_empty() { Ok(files) } else { Err(problems) }
}

/// Folders where the list of a rule's accepted mutants stands: the list would be missed without a word.
fn folders_for_lists(folder: &Path) -> Vec<Diagnostic> {
    let rules = fs::read_dir(folder.join("cases")).into_iter().flatten().flatten();
    let lists = rules.map(|rule| rule.path().join("mutants.yaml")).filter(|list| list.is_dir());
    let say = |list: PathBuf| {
        let message = format!("cannot read `{}`: it is a folder", shown(&list));
        Diagnostic::error("cannot-read", message)
    };
    lists.map(say).collect()
}

/// Whether a document says that it is a case, in whatever encoding; of one that cannot be read the word
/// is enough.
fn is_case(bytes: &[u8]) -> bool {
    let mut sources = Sources::default();
    let Ok(file) = sources.add("document", bytes) else {
        return bytes.windows(CASE.len()).any(|window| window == CASE.as_bytes());
    };
    match source::read(&sources, file) {
        Ok(root) => root.get("schema").and_then(Node::as_str) == Some(CASE),
        Err(_) => sources.get(file).is_some_and(|source| source.text().contains(CASE)),
    }
}

const CASE: &str = "dpmguard.case/v1";

/// Whether a file is a snapshot of this pack: written by the runner, and really in the folder. Whatever else
/// ends in `.snap` is somebody else's.
fn is_snapshot(path: &Path, folder: &Path) -> bool {
    let is_inside = match (fs::canonicalize(path), fs::canonicalize(folder)) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    };
    let is_file = fs::symlink_metadata(path).is_ok_and(|known| known.is_file());
    is_inside
        && is_file
        && read_file(path).is_ok_and(|bytes| {
            let head =
                String::from_utf8_lossy(bytes.get(..200.min(bytes.len())).unwrap_or_default());
            head.lines().any(|line| line.trim() == "source: dpmguard test")
        })
}

/// Whether a path is a link: what it leads to may lie anywhere.
#[must_use]
pub fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|known| known.is_symlink())
}

/// A path without links, or as it is where it cannot be followed.
#[must_use]
pub fn whole(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| plain(path))
}

/// Paths of the files below a pack's `fixtures`, from the pack's folder.
#[must_use]
pub fn fixtures(folder: &Path) -> Vec<String> {
    let mut paths = Vec::new();
    let mut walker = Walker::new(&["yaml", "yml", "json"]);
    walker.walk(&folder.join("fixtures"), &mut paths, &mut Vec::new());
    paths.iter().map(|path| shown(path.strip_prefix(folder).unwrap_or(path))).collect()
}

/// Reads one file into a tree.
///
/// # Errors
///
/// Why it cannot be read, or what is wrong with it.
pub fn tree(path: &Path, sources: &mut Sources) -> Result<(FileId, Node), Vec<Diagnostic>> {
    let bytes = read_regular(path).map_err(|problem| vec![problem])?;
    let file = sources.add(shown(path), &bytes).map_err(|problem| vec![problem])?;
    Ok((file, source::read(sources, file)?))
}

/// The text of a file that may not be there.
///
/// # Errors
///
/// Why it cannot be read, other than that it is not there, or that it is no UTF-8.
pub fn optional_text(path: &Path) -> Result<Option<String>, Diagnostic> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read_file(path)?;
    String::from_utf8(bytes).map(Some).map_err(|_| {
        Diagnostic::error("invalid-encoding", format!("`{}` is no UTF-8 text", shown(path)))
    })
}

/// A path without `.` and `..`, as far as they can be resolved without looking at the disk.
#[must_use]
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// Takes files away.
///
/// # Errors
///
/// The first that cannot be taken away.
pub fn remove(paths: &[PathBuf]) -> Result<(), Diagnostic> {
    for path in paths {
        fs::remove_file(path).map_err(|error| {
            let message = format!("cannot remove `{}`: {error}", shown(path));
            Diagnostic::error("cannot-write", message)
        })?;
    }
    Ok(())
}

/// What tells whether something below folders has changed: names, sizes and times of their files.
#[must_use]
pub fn state(folders: &[PathBuf]) -> Vec<(PathBuf, u64, Option<std::time::SystemTime>)> {
    let mut files = Vec::new();
    for folder in folders {
        let mut paths = Vec::new();
        let mut walker = Walker::new(&["yaml", "yml", "json", "rhai", "snap"]);
        walker.walk(folder, &mut paths, &mut Vec::new());
        for path in paths {
            if let Ok(known) = fs::metadata(&path) {
                files.push((path, known.len(), known.modified().ok()));
            }
        }
    }
    files
}

/// Waits until something below the folders is another than in `before`.
pub fn wait_for_change(
    folders: &[PathBuf],
    before: &[(PathBuf, u64, Option<std::time::SystemTime>)],
) {
    while state(folders) == before {
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
}
