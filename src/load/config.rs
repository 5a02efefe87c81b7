//! Settings of a project, and those of the command line that have the same form.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::load::read::{read_file, shown, unreadable};
use crate::load::schema;
use crate::rule::clause::Override;
use crate::source::{self, Node, Sources};

/// Settings of a project, from `dpmguard.yaml`.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Name of the file; none if there is none.
    pub file: Option<String>,
    /// Folders of rules, made relative to where the tool runs.
    pub rules: Vec<PathBuf>,
    /// Whether the shipped pack takes part.
    pub shipped_rules: Option<bool>,
    /// Name of the threshold.
    pub fail_on: Option<String>,
    /// Rules to judge.
    pub only: Vec<String>,
    /// Rules not to judge.
    pub skip: Vec<String>,
    /// Values of parameters.
    pub params: Vec<Override>,
}

/// Reads a configuration; without a path `dpmguard.yaml` of the current folder, if there is one.
///
/// # Errors
///
/// The problems of the file.
pub fn config(path: Option<&Path>, sources: &mut Sources) -> Result<Config, Vec<Diagnostic>> {
    let default = Path::new("dpmguard.yaml");
    let path = match path {
        Some(path) => path,
        None if fs::symlink_metadata(default).is_ok() => default,
        None => return Ok(Config::default()),
    };
    let bytes = read_file(path).map_err(|problem| vec![problem])?;
    let file = sources.add(shown(path), &bytes).map_err(|problem| vec![problem])?;
    let root = source::read(sources, file)?;
    let found = schema("config-v1").map_err(|problem| vec![problem])?.check(&root);
    if !found.is_empty() {
        return Err(found);
    }
    let texts = |key: &str| -> Vec<String> {
        let items = root.get(key).and_then(Node::as_list).unwrap_or_default();
        items.iter().filter_map(Node::as_str).map(str::to_owned).collect()
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let missing = missing_folders(&root, folder);
    if !missing.is_empty() {
        return Err(missing);
    }
    let mut params = Vec::new();
    for rule in root.get("params").and_then(Node::as_map).unwrap_or_default() {
        for param in rule.node.as_map().unwrap_or_default() {
            params.push(Override {
                of: rule.key.to_string(),
                param: param.key.to_string(),
                key_place: param.key_place,
                value: param.node.clone(),
            });
        }
    }
    Ok(Config {
        file: Some(shown(path)),
        rules: texts("rules").into_iter().map(|rules| folder.join(rules)).collect(),
        shipped_rules: root.get("shipped_rules").and_then(Node::as_bool),
        fail_on: root.get("fail_on").and_then(Node::as_str).map(str::to_owned),
        only: texts("only"),
        skip: texts("skip"),
        params,
    })
}

/// The folders of rules that a configuration in `folder` names and that do not exist.
#[must_use]
pub fn missing_folders(root: &Node, folder: &Path) -> Vec<Diagnostic> {
    let named = root.get("rules").and_then(Node::as_list).unwrap_or_default();
    let missing = named.iter().filter_map(|node| {
        let path = folder.join(node.as_str()?);
        let error = fs::metadata(&path).err()?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let around = path
            .parent()
            .map(|around| if around.as_os_str().is_empty() { Path::new(".") } else { around });
        let beside = around.and_then(|around| fs::read_dir(around).ok()).into_iter().flatten();
        let beside = beside.flatten().filter(|entry| entry.path().is_dir());
        let beside: Vec<String> =
            beside.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        let problem = unreadable(&path, &error).at(node.place);
        Some(problem.suggest(&name.unwrap_or_default(), beside.iter().map(String::as_str)))
    });
    missing.collect()
}

/// Reads `rule.param=value` from the command line.
///
/// # Errors
///
/// A text of another shape, or a value that is no YAML.
pub fn param(text: &str, sources: &mut Sources) -> Result<Override, Vec<Diagnostic>> {
    let shape = || {
        let message = format!("`--param {text}` is not of the form `rule.param=value`");
        vec![Diagnostic::error("wrong-option", message)]
    };
    let (name, value) = text.split_once('=').ok_or_else(shape)?;
    let (rule, param) = name.split_once('.').ok_or_else(shape)?;
    let file = sources
        .add(format!("--param {name}"), value.as_bytes())
        .map_err(|problem| vec![problem])?;
    let value = source::read(sources, file)?;
    let (of, param) = (rule.trim().to_owned(), param.trim().to_owned());
    Ok(Override { of, param, key_place: value.place, value })
}
