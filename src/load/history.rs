//! The lines that were typed at a prompt, kept in a file.

use std::fs;
use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::load::read::unreadable;
use crate::load::{read_file, write_files};
use crate::source::Sources;

/// Most lines that are kept.
pub const MAX_LINES: usize = 1_000;

/// The lines of a history, oldest first; none where there is no such file.
///
/// What is no text is passed over: a damaged history must not keep a prompt from opening.
#[must_use]
pub fn read(path: &Path) -> Vec<String> {
    let bytes = read_file(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.lines().filter(|line| !line.is_empty()).map(unescaped).collect()
}

/// Adds lines to a history; its folder is made where it is not there.
///
/// # Errors
///
/// Why it cannot be written.
pub fn add(path: &Path, lines: &[String]) -> Result<(), Diagnostic> {
    if lines.is_empty() {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| unreadable(folder, &error))?;
    }
    // Another prompt may have written meanwhile.
    let mut all = read(path);
    all.extend_from_slice(lines);
    let rest = all.len().saturating_sub(MAX_LINES);
    let text: String = all.iter().skip(rest).map(|line| escaped(line) + "\n").collect();
    write_files(&[(path, text.as_bytes())], &Sources::default())
}

/// A line of several lines as one.
fn escaped(line: &str) -> String {
    line.replace('\\', "\\\\").replace('\n', "\\n")
}

fn unescaped(line: &str) -> String {
    let mut text = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{add, escaped, read, unescaped};

    #[test]
    fn lines_of_several_lines_come_back() {
        for line in ["a", "a\nb", r"F:\new", "\\\n\\", r"\"] {
            assert_eq!(unescaped(&escaped(line)), line);
        }
    }

    #[test]
    fn a_history_grows_to_its_limit_and_no_further() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/dpmguard/history");
        assert!(read(&path).is_empty());
        add(&path, &["first".to_owned(), "a\nb".to_owned()]).unwrap();
        assert_eq!(read(&path), ["first", "a\nb"]);
        let many: Vec<String> = (0..1_500).map(|number| number.to_string()).collect();
        add(&path, &many).unwrap();
        let kept = read(&path);
        assert_eq!((kept.len(), &*kept[0], &*kept[999]), (1_000, "500", "1499"));
    }
}
