//! Places in input files, and what is wrong there.
//!
//! A diagnostic is a problem of an *input* (a rule file, a fact file, an argument), never of the
//! world: that is a finding. This module knows no file system and prints nothing;
//! `report::diagnostic` draws it.

use std::fmt;

/// Which of the loaded files; an index into [`Sources`](crate::source::Sources).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub(crate) u32);

/// A stretch of a file's text.
///
/// # Shape
///
/// Bytes of the decoded text (UTF-8, without byte order mark), half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Place {
    /// Of what stands in no file.
    pub(crate) const NOWHERE: Self = Self { file: FileId(u32::MAX), start: 0, end: 0 };
}

/// A place as a person reads it.
///
/// # Shape
///
/// Line and column count from 1; the column counts characters, not bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Name of the file as it was given, with `/` between folders.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Worth a look; the run goes on.
    Warning,
    /// The input is not used; no verdict.
    Error,
}

/// A problem of an input, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Error or warning.
    pub level: Level,
    /// Stable kebab-case name of the kind of problem.
    pub code: &'static str,
    /// One line, lower case, no period, user input in backticks.
    pub message: String,
    /// Where; none for problems without a text (a file that cannot be opened, an option).
    pub place: Option<Place>,
    /// A few words under the marker.
    pub label: Option<String>,
    /// Other places that matter, each with a few words.
    pub related: Vec<(Place, String)>,
    /// How it came about, a line each.
    pub notes: Vec<String>,
    /// What to do, a line each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            level: Level::Error,
            code,
            message: message.into(),
            place: None,
            label: None,
            related: Vec::new(),
            notes: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning without a place yet.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(code, message) }
    }

    /// Puts it at `place`.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// Says a few words under the marker.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Points at another place that matters.
    #[must_use]
    pub fn related(mut self, place: Place, label: impl Into<String>) -> Self {
        self.related.push((place, label.into()));
        self
    }

    /// Says how it came about.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds `did you mean` if one of `candidates` is near `word`.
    #[must_use]
    pub fn suggest<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        match nearest(word, candidates) {
            Some(best) => {
                let help = format!("did you mean `{best}`?");
                self.help(help)
            }
            None => self,
        }
    }

    /// As [`Diagnostic::suggest`], for names of several words: one that has most of the words is meant, too.
    #[must_use]
    pub fn suggest_name<'a>(
        self,
        word: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let all: Vec<&str> = candidates.into_iter().collect();
        match nearest(word, all.iter().copied()).or_else(|| alike(word, &all)) {
            Some(best) => {
                let help = format!("did you mean `{best}`?");
                self.help(help)
            }
            None => self,
        }
    }

    /// Whether it forbids a verdict.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

/// The candidate most like `word`, if any is like it at all.
///
/// Case and `-`/`_` do not count. A third of the letters may differ (at least one, with transpositions);
/// of equally near ones the first in alphabetical order wins, so that the answer is stable.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(word);
    let limit = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// The name that has more of a name's words than every other one, and at least half of them.
fn alike<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let words = |text: &str| -> Vec<String> {
        let lower = text.to_lowercase();
        let parts = lower.split(|c: char| !c.is_alphanumeric());
        parts.filter(|part| !part.is_empty()).map(stem).collect()
    };
    let wanted = words(name);
    let mut best: Vec<(usize, &'a str)> = Vec::new();
    for candidate in candidates {
        let known = words(candidate);
        let shared = wanted.iter().filter(|word| known.contains(word)).count();
        match best.first().map_or(0, |(most, _)| *most).cmp(&shared) {
            std::cmp::Ordering::Less => best = vec![(shared, candidate)],
            std::cmp::Ordering::Equal if shared > 0 => best.push((shared, candidate)),
            _ => {}
        }
    }
    match best.as_slice() {
        [(shared, only)] if shared * 2 >= wanted.len() => Some(only),
        _ => None,
    }
}

/// A word without the ending of its plural, or of what is being done.
fn stem(word: &str) -> String {
    let short = word.strip_suffix("ing").or_else(|| word.strip_suffix('s')).unwrap_or(word);
    if short.chars().count() < 3 { word.to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{alike, nearest};

    #[test]
    fn names_with_the_same_words_are_alike() {
        let names = ["move-log-folder", "move-database-file", "move-cluster-group", "wait"];
        assert_eq!(alike("move-logs", &names), Some("move-log-folder"));
        assert_eq!(alike("database-move", &names), Some("move-database-file"));
        assert_eq!(alike("moving", &names), None, "three have it");
        assert_eq!(alike("check-all-groups-now", &names), None, "one word of four");
        assert_eq!(alike("", &names), None);
    }

    #[test]
    fn nearest_finds_slips_and_nothing_else() {
        let words = ["inconsistent", "consistent", "verifying"];
        assert_eq!(nearest("inconsistant", words), Some("inconsistent"));
        assert_eq!(nearest("Verifying", words), Some("verifying"));
        assert_eq!(nearest("missing", words), None);
        assert_eq!(nearest("edb-path", ["edb_path"]), Some("edb_path"));
    }
}
