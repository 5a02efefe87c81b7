//! Scaffolds of packs, rules and cases, made to fit by judging them before anything is written.

pub mod case;
pub mod facts;
pub mod pack;
pub mod rule;

use std::path::{Path, PathBuf};

use crate::author::suite::{self, Bases, Ready, Suite};
use crate::author::{snapshot, trial};
use crate::diagnostic::Diagnostic;
use crate::load::{self, Open, Packs, cases::CaseFile};
use crate::rule::clause::Override;
use crate::rule::pack::RuleSet;
use crate::source::{self, Sources};

/// A file that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Its path below the pack's folder, with `/`.
    pub below: String,
    /// What it holds.
    pub text: String,
}

/// What scaffolds are tried with: the packs of a run, one of which gets the new files.
#[derive(Debug)]
pub struct Ground<'a> {
    /// The folder that gets the files.
    pub folder: &'a Path,
    /// Whether the shipped rules take part.
    pub shipped: bool,
    /// All folders of packs, that one among them.
    pub folders: &'a [PathBuf],
    /// Parameters that the user set.
    pub params: &'a [Override],
}

/// Why there is no scaffold.
#[derive(Debug)]
pub enum Failed {
    /// What is wrong with the packs, or with the new files in them.
    Input(Vec<Diagnostic>, Sources),
    /// A case of the scaffold has another outcome than it says.
    Misfit(String),
}

/// The packs with the new files in them, and the new cases.
#[derive(Debug)]
pub struct Trial {
    /// The packs, rules and sources.
    pub suite: Suite,
    /// The cases among the new files.
    pub cases: Vec<Ready>,
}

impl Ground<'_> {
    /// The packs with files that are not on disk yet.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn packs(
        &self,
        files: &[NewFile],
        sources: &mut Sources,
    ) -> Result<(Packs, RuleSet), Vec<Diagnostic>> {
        let mut open = Open::default();
        for file in files.iter().filter(|file| !file.below.starts_with('.')) {
            open.texts.insert(self.folder.join(&file.below), file.text.as_str().into());
        }
        let packs = load::packs_open(self.shipped, self.folders, &open, sources)?;
        let set = packs.rules(self.params, sources)?;
        Ok((packs, set))
    }

    /// Reads the packs with the new files, and makes the cases among these ready.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn read(&self, files: &[NewFile]) -> Result<Trial, Failed> {
        let mut sources = Sources::default();
        let mut cases = Vec::new();
        let (packs, set) = match self.prepare(files, &mut sources, &mut cases) {
            Ok(read) => read,
            Err(problems) => return Err(Failed::Input(problems, sources)),
        };
        let rule_schema = match load::schema("rule-v1") {
            Ok(schema) => schema,
            Err(problem) => return Err(Failed::Input(vec![problem], sources)),
        };
        let (broken, unreferenced) = (Vec::new(), Vec::new());
        let suite = Suite {
            sources,
            packs,
            set,
            cases: Vec::new(),
            broken,
            unreferenced,
            left_out: 0,
            rule_schema,
        };
        Ok(Trial { suite, cases })
    }

    fn prepare(
        &self,
        files: &[NewFile],
        sources: &mut Sources,
        cases: &mut Vec<Ready>,
    ) -> Result<(Packs, RuleSet), Vec<Diagnostic>> {
        let (packs, set) = self.packs(files, sources)?;
        let mut bases = Bases::default();
        for file in files.iter().filter(|file| file.below.starts_with("fixtures/")) {
            let path = self.folder.join(&file.below);
            let id = sources.add(load::shown(&path), file.text.as_bytes());
            bases.add(&path, source::read(sources, id.map_err(|problem| vec![problem])?)?);
        }
        for file in files.iter().filter(|file| is_case(file)) {
            let path = self.folder.join(&file.below);
            let id = sources.add(load::shown(&path), file.text.as_bytes());
            let root = source::read(sources, id.map_err(|problem| vec![problem])?);
            let case = CaseFile { path, below: file.below.clone(), root };
            cases.extend(suite::prepare(case, self.folder, &packs, &set, &mut bases, sources)?);
        }
        Ok((packs, set))
    }

    /// The files with a snapshot beside each case.
    ///
    /// # Errors
    ///
    /// What is wrong with them, or a case whose outcome is another than it says.
    pub fn with_snapshots(&self, mut files: Vec<NewFile>) -> Result<Vec<NewFile>, Failed> {
        let Trial { suite, cases } = self.read(&files)?;
        for ready in &cases {
            let trial = trial::judge(&suite, ready, &ready.set, None);
            if let Some(difference) = trial.differences.first() {
                let (expected, actual) = (difference.expected.join(), difference.actual.join());
                return Err(Failed::Misfit(format!(
                    "{}: expected {expected} of `{}`, got {actual}",
                    ready.name, difference.subject
                )));
            }
            let below = files.iter().find(|file| self.folder.join(&file.below) == ready.path);
            let below = below.map(|file| file.below.clone()).unwrap_or_default();
            let below = [below.trim_end_matches(".yaml"), ".snap"].concat();
            files.push(NewFile { below, text: snapshot::file(&trial.text) });
        }
        files.sort_by(|a, b| a.below.cmp(&b.below));
        Ok(files)
    }
}

/// Names as a list in words; nothing where there are none.
trait Joined {
    fn join(&self) -> String;
}

impl Joined for Vec<&'static str> {
    fn join(&self) -> String {
        if self.is_empty() { "nothing".to_owned() } else { <[_]>::join(self, " and ") }
    }
}

fn is_case(file: &NewFile) -> bool {
    let ending = Path::new(&file.below).extension();
    file.below.starts_with("cases/") && ending.is_some_and(|ending| ending == "yaml")
}

/// The line that lets an editor check a file: the schemas lie at `schemas`, seen from the pack's folder.
#[must_use]
pub fn modeline(schemas: Option<&str>, below: &str, schema: &str) -> String {
    let Some(schemas) = schemas else { return String::new() };
    let up = if schemas.contains("://") { String::new() } else { "../".repeat(depth(below)) };
    format!("# yaml-language-server: $schema={up}{schemas}/{schema}.schema.json\n")
}

fn depth(below: &str) -> usize {
    below.matches('/').count()
}

/// Where the schemas lie, seen from the pack's folder: as its `pack.yaml` says it to editors.
#[must_use]
pub fn schemas_of(pack: &str) -> Option<&str> {
    let line =
        pack.lines().find_map(|line| line.strip_prefix("# yaml-language-server: $schema="))?;
    let (folder, _) = line.trim().rsplit_once('/')?;
    Some(folder)
}

/// Checks a name in kebab-case: an id of a rule, the name of a pack or case.
///
/// # Errors
///
/// What is wrong with it, and a name that would do.
pub fn kebab(what: &str, name: &str) -> Result<(), Diagnostic> {
    let is_part = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    let starts = name.starts_with(|c: char| c.is_ascii_lowercase());
    if starts && name.len() <= 80 && name.split('-').all(is_part) {
        return Ok(());
    }
    let message = format!("`{name}` cannot be {what}");
    let help = "write it in small letters and digits with `-` between the words, at most 80";
    let problem = Diagnostic::error("wrong-name", message).help(help);
    let better = slug(name);
    Err(if better.is_empty() { problem } else { problem.help(format!("for instance `{better}`")) })
}

/// A text as a name in kebab-case; empty if nothing of it can be in one.
#[must_use]
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let start = slug.find(|c: char| c.is_ascii_lowercase());
    let slug = start.and_then(|start| slug.get(start..)).unwrap_or_default();
    let end = slug.len().min(80);
    slug.get(..end).unwrap_or_default().trim_end_matches('-').to_owned()
}

/// A name as the beginning of a sentence: `my-rule` is `My rule`.
#[must_use]
pub fn words(name: &str) -> String {
    let text = name.replace(['-', '_'], " ");
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::{kebab, modeline, schemas_of, slug, words};

    #[test]
    fn names_are_kebab_case() {
        for good in ["a", "my-rule", "rule-2", "x1-2"] {
            assert!(kebab("an id", good).is_ok(), "{good}");
        }
        let long = "a".repeat(81);
        for bad in
            ["", "-a", "a-", "a--b", "My-rule", "my_rule", "2-rules", "ä", "a b", "../a", &long]
        {
            assert!(kebab("an id", bad).is_err(), "{bad}");
        }
        let said = kebab("an id", "My Rule!").unwrap_err();
        assert_eq!(said.help[1], "for instance `my-rule`");
    }

    #[test]
    fn slugs_are_names() {
        for (text, name) in
            [("DPM01/EX01/SG1", "dpm01-ex01-sg1"), ("2 Fast!", "fast"), ("…", ""), ("a--", "a")]
        {
            assert_eq!(slug(text), name);
        }
        assert!(kebab("an id", &slug(&"x-".repeat(90))).is_ok());
        assert_eq!(words("my-rule"), "My rule");
    }

    #[test]
    fn the_line_for_editors_leads_to_the_schemas() {
        let of = |schemas, below| modeline(Some(schemas), below, "case-v1");
        assert_eq!(
            of(".schemas", "cases/a/b.yaml"),
            "# yaml-language-server: $schema=../../.schemas/case-v1.schema.json\n"
        );
        assert!(
            of("https://example.org/s", "cases/a/b.yaml")
                .contains("=https://example.org/s/case-v1")
        );
        assert_eq!(modeline(None, "a.yaml", "rule-v1"), "");
        let pack = "# yaml-language-server: $schema=../schemas/pack-v1.schema.json\nschema: x\n";
        assert_eq!(schemas_of(pack), Some("../schemas"));
        assert_eq!(schemas_of("name: x\n"), None);
    }
}
