//! What an editor has open, and the folders of packs as they were looked at before.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::load::read::{Walker, read_file};

/// What is open in an editor, or not written yet.
#[derive(Clone, Debug, Default)]
pub struct Open {
    /// Texts that count in place of the files on disk, by path.
    pub texts: BTreeMap<PathBuf, Arc<str>>,
    /// Whether only files that say they are a document of ours count: for a folder that is no pack.
    pub ours_only: bool,
    /// Folders as they were looked at before; others are looked at when they are asked for.
    pub known: BTreeMap<PathBuf, Arc<Folder>>,
}

/// A file's bytes, or why there are none.
pub(super) type Bytes = Result<Vec<u8>, Diagnostic>;

/// The files of a pack's folder as they once were on disk.
#[derive(Debug, Default)]
pub struct Folder {
    pub(super) files: Vec<(PathBuf, Bytes)>,
    pub(super) problems: Vec<Diagnostic>,
}

/// Most files and folders that are looked at below a folder for an editor: the folder may be a whole disk.
const MOST_SEEN: usize = 20_000;

impl Folder {
    /// Looks at what is below a folder, for an editor: no further than a pack would ever go.
    #[must_use]
    pub fn look(folder: &Path, ours_only: bool) -> Self {
        let mut found = Self::default();
        let mut paths = Vec::new();
        let mut walker = Walker { left: MOST_SEEN, ..Walker::new(&PACK_FILES) };
        walker.walk(folder, &mut paths, &mut found.problems);
        for path in paths.into_iter().filter(|path| is_of_pack(folder, path)) {
            let bytes = read_file(&path);
            // The others would only take room.
            if !ours_only || is_script(&path) || bytes.as_ref().is_ok_and(|bytes| is_ours(bytes)) {
                found.files.push((path, bytes));
            }
        }
        found
    }
}

/// How names of a pack's files end.
pub(super) const PACK_FILES: [&str; 3] = ["yaml", "yml", "rhai"];

pub(super) fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "rhai")
}

/// Whether a file below a pack's folder is no case and no facts of one.
pub(super) fn is_of_pack(folder: &Path, path: &Path) -> bool {
    let below = path.strip_prefix(folder).unwrap_or(path);
    !below.starts_with("cases") && !below.starts_with("fixtures")
}

impl Open {
    pub(super) fn below(&self, folder: &Path, endings: &[&str]) -> impl Iterator<Item = &PathBuf> {
        self.texts.keys().filter(move |path| {
            let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_lowercase);
            path.starts_with(folder)
                && ending.is_some_and(|ending| endings.contains(&ending.as_str()))
        })
    }

    pub(super) fn text(&self, path: &Path) -> Option<Bytes> {
        self.texts.get(path).map(|text| Ok(text.as_bytes().to_vec()))
    }
}

/// Whether a file says in one of its lines that it is a document of ours.
pub(super) fn is_ours(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.lines().any(|line| line.starts_with("schema: dpmguard."))
}

/// The nearest folder around `file` that has one of these files in it, on disk or open.
#[must_use]
pub fn nearest(file: &Path, names: &[&str], open: &Open) -> Option<PathBuf> {
    let has = |folder: &&Path| {
        let mut paths = names.iter().map(|name| folder.join(name));
        paths.any(|path| open.texts.contains_key(&path) || path.is_file())
    };
    file.ancestors().skip(1).find(has).map(Path::to_path_buf)
}
