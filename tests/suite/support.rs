//! What the tests share: fact documents, packs and the tool run in memory.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dpmguard::author::case::{self, Case};
use dpmguard::author::patch;
use dpmguard::cli::{self, Streams};
use dpmguard::diagnostic::Diagnostic;
use dpmguard::facts::merge::merge;
use dpmguard::facts::model::Model;
use dpmguard::facts::store::Facts;
use dpmguard::load;
use dpmguard::report::diagnostic;
use dpmguard::rule::pack::RuleSet;
use dpmguard::source::{self, Node, Sources};

/// The folder of the project.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Files with that ending below a folder, by name.
pub(crate) fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|known| known == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What a run of the tool gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the tool in memory, without colours, with `input` on standard input.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut streams = Streams {
        input: &mut &*input,
        out: &mut out,
        err: &mut err,
        colour_out: false,
        colour_err: false,
        is_watched: false,
        is_interactive: false,
    };
    let args = std::iter::once("dpmguard").chain(args.iter().copied()).map(OsString::from);
    let code = cli::run(args, &mut streams);
    Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

/// Runs the tool in memory.
pub(crate) fn run(args: &[&str]) -> Ran {
    run_with(args, b"")
}

/// Sources, model and the shipped rules.
pub(crate) struct Bench {
    pub(crate) sources: Sources,
    pub(crate) model: Arc<Model>,
    pub(crate) rules: RuleSet,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let mut sources = Sources::default();
        let packs = load::packs(true, &[], &mut sources).unwrap();
        let rules = packs.rules(&[], &sources);
        let rules = rules.unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
        Self { sources, model: packs.model, rules }
    }

    pub(crate) fn read(&mut self, path: &Path) -> Node {
        let bytes = fs::read(path).unwrap();
        let whole = fs::canonicalize(path).unwrap();
        let name =
            whole.strip_prefix(root()).unwrap_or(&whole).to_string_lossy().replace('\\', "/");
        let file = self.sources.add(name, &bytes).unwrap();
        source::read(&self.sources, file)
            .unwrap_or_else(|found| panic!("{}", said(&found, &self.sources)))
    }

    /// A case, and the fact document that it describes.
    pub(crate) fn case(&mut self, path: &Path) -> (Case, Node) {
        let node = self.read(path);
        let found = load::schema("case-v1").unwrap().check(&node);
        assert!(found.is_empty(), "{}", said(&found, &self.sources));
        let rule = rule_of(path);
        let case = case::read(&node, &rule)
            .unwrap_or_else(|found| panic!("{}", said(&found, &self.sources)));
        let mut document = match (&case.base, &case.facts) {
            (Some((base, _)), _) => self.read(&path.parent().unwrap().join(base)),
            (None, Some(facts)) => facts.clone(),
            (None, None) => unreachable!("the reader asks for one of them"),
        };
        for patch in &case.patches {
            patch::apply(&mut document, patch, &self.model)
                .unwrap_or_else(|problem| panic!("{}", said(&[problem], &self.sources)));
        }
        (case, document)
    }

    /// The facts of documents, or why they are none.
    pub(crate) fn facts(&self, documents: &[Node]) -> Result<Arc<Facts>, Vec<Diagnostic>> {
        let schema = load::schema("facts-v1").unwrap();
        let found: Vec<Diagnostic> =
            documents.iter().flat_map(|document| schema.check(document)).collect();
        if !found.is_empty() {
            return Err(found);
        }
        let files: Vec<_> = documents.iter().map(|node| (node.place.file, node.clone())).collect();
        merge(&self.model, &files).map(|(facts, _)| Arc::new(facts))
    }
}

/// The rule that a case is about: the name of its folder.
pub(crate) fn rule_of(path: &Path) -> String {
    path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned()
}

/// All cases of the shipped pack that are about rules.
pub(crate) fn cases() -> Vec<PathBuf> {
    all_cases().into_iter().filter(|path| !is_about_action(path)).collect()
}

/// All cases of the shipped pack that are about actions.
pub(crate) fn action_cases() -> Vec<PathBuf> {
    all_cases().into_iter().filter(|path| is_about_action(path)).collect()
}

fn all_cases() -> Vec<PathBuf> {
    // Beside the cases stand lists of accepted mutants.
    let all = files(&root().join("rules/cases"), "yaml").into_iter();
    all.filter(|path| path.file_name().is_none_or(|name| name != "mutants.yaml")).collect()
}

fn is_about_action(path: &Path) -> bool {
    root().join("rules/actions").join(rule_of(path)).with_extension("yaml").exists()
}

/// Diagnostics as a person would read them.
pub(crate) fn said(problems: &[Diagnostic], sources: &Sources) -> String {
    diagnostic::render(problems, sources, false)
}

/// A snapshot beside the file it belongs to, named after it.
pub(crate) fn snapshot_beside(path: &Path, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(path.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.remove_snapshot_suffix();
    settings.set_omit_expression(true);
    settings.remove_input_file();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The results of a SARIF document, which must be as SARIF 2.1.0 asks for, as far as we write it.
pub(crate) fn sarif_results<'d>(
    document: &'d serde_json::Value,
    print: &str,
) -> &'d Vec<serde_json::Value> {
    assert_eq!(document["version"], "2.1.0");
    assert!(document["$schema"].as_str().unwrap().contains("sarif-schema-2.1.0"));
    let run = &document["runs"][0];
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    for rule in rules {
        for key in ["shortDescription", "fullDescription", "help"] {
            assert!(!rule[key]["text"].as_str().unwrap().is_empty(), "{rule}");
        }
        let level = rule["defaultConfiguration"]["level"].as_str().unwrap();
        assert!(["none", "note", "warning", "error"].contains(&level));
    }
    let mut prints = std::collections::BTreeSet::new();
    let results = run["results"].as_array().unwrap();
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
        // What cannot be decided has not failed, and has no level.
        let is_open = result.get("kind").is_some_and(|kind| kind == "open");
        let levels = if is_open { &["none"][..] } else { &["note", "warning", "error"] };
        assert!(levels.contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        assert!(prints.insert(result["partialFingerprints"][print].as_str().unwrap()));
        for location in result["locations"].as_array().unwrap() {
            sarif_place(&location["physicalLocation"]);
        }
    }
    results
}

/// A place in a SARIF document, which must be one.
pub(crate) fn sarif_place(place: &serde_json::Value) {
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    assert!(!uri.contains([' ', '\\']), "{uri}");
    let number = |key: &str| place["region"][key].as_u64().unwrap();
    let from = (number("startLine"), number("startColumn"));
    assert!(from.0 >= 1 && from.1 >= 1);
    assert!(from <= (number("endLine"), number("endColumn")));
}

/// Numbers that look random and are the same in each run (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % limit as u64).unwrap()
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}
