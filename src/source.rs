//! Text and positions: YAML and JSON read into a tree in which every value knows its place.
//!
//! Knows nothing of facts or rules. Bytes are handed in by `load`.

mod compact;
mod encoding;
mod scalar;
mod write;
mod yaml;

use std::ops::Range;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, FileId, Location, Place};
use crate::digest;

pub use compact::{flow as flow_text, scalar_text, to_compact_yaml};
pub use write::to_yaml;
pub use yaml::read;

/// One loaded file: its name, decoded text and digest.
#[derive(Debug)]
pub struct Source {
    name: String,
    text: String,
    digest: String,
    line_starts: Vec<u32>,
}

/// All files of a run; places point into it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<Arc<Source>>,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Its text in the file.
    ///
    /// # Shape
    ///
    /// With the quotes; a block scalar without its header; an empty value has the place of its
    /// key or dash, so that there is something to underline.
    pub place: Place,
}

/// What a YAML or JSON document can hold.
#[derive(Clone, Debug)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number with a fraction or exponent.
    Float(f64),
    /// Text, with the style it was written in.
    Text(Arc<str>, Style),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order of the file; keys are unique.
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_place: Place,
    /// The value.
    pub node: Node,
}

/// How a text was written; needed to find a character of it in the file again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In single quotes.
    Single,
    /// In double quotes.
    Double,
    /// A literal block (`|`).
    Literal,
    /// A folded block (`>`).
    Folded,
}

impl Source {
    /// Name as it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The decoded text, without byte order mark.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// SHA-256 of the bytes as they were handed in, in hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Index of the line that holds byte `offset`, from 0.
    fn line_of(&self, offset: u32) -> usize {
        self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1)
    }

    /// Bytes of line `index` (from 0) without its line break; empty past the end.
    pub(crate) fn line(&self, index: usize) -> Range<usize> {
        let length = self.text.len();
        let start = self.line_starts.get(index).map_or(length, |start| *start as usize);
        let end = self.line_starts.get(index + 1).map_or(length, |end| *end as usize);
        let line = self.text.get(start..end).unwrap_or_default();
        start..start + line.trim_end_matches('\n').trim_end_matches('\r').len()
    }
}

impl Sources {
    /// Decodes `bytes` and keeps the text under `name`.
    ///
    /// # Shape
    ///
    /// UTF-8 with or without byte order mark; UTF-16 with one, or without one where the first two
    /// bytes tell (YAML 1.2.2, section 5.2). The name is shown as given.
    ///
    /// # Errors
    ///
    /// `invalid-encoding`, `nul-character`, `file-too-large`. But for the last, the file is kept
    /// all the same (damaged bytes as U+FFFD), so that the diagnostic has a place.
    pub fn add(&mut self, name: impl Into<String>, bytes: &[u8]) -> Result<FileId, Diagnostic> {
        let name = name.into();
        if bytes.len() > encoding::LIMIT {
            return Err(encoding::too_large(&name, bytes.len()));
        }
        let file = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let decoded = encoding::decode(bytes);
        let line_starts = line_starts(&decoded.text);
        let digest = digest::sha256(bytes);
        self.files.push(Arc::new(Source { name, text: decoded.text, digest, line_starts }));
        match decoded.problem {
            None => Ok(file),
            Some(problem) => Err(problem.into_diagnostic(file)),
        }
    }

    /// The file of that id.
    #[must_use]
    pub fn get(&self, file: FileId) -> Option<&Source> {
        self.files.get(file.0 as usize).map(AsRef::as_ref)
    }

    /// All files in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &Source)> {
        (0u32..).map(FileId).zip(self.files.iter().map(AsRef::as_ref))
    }

    /// Where `place` begins, as a person reads it.
    #[must_use]
    pub fn location(&self, place: Place) -> Location {
        let Some(source) = self.get(place.file) else {
            return Location { file: "?".to_owned(), line: 1, column: 1 };
        };
        let index = source.line_of(place.start);
        let start = source.line(index).start;
        let end = source.text.floor_char_boundary(place.start as usize);
        let column = source.text.get(start..end).map_or(0, |before| before.chars().count());
        Location { file: source.name.clone(), line: count(index + 1), column: count(column + 1) }
    }

    /// The place of characters `chars` of a text's value.
    ///
    /// # Shape
    ///
    /// `chars` counts characters of the decoded text, half-open; an empty range gives an empty
    /// place before its character, and what lies past the end gives the end. The place is the whole
    /// node's where the node is no text or where the way back to the file cannot be proven.
    #[must_use]
    pub fn inside(&self, node: &Node, chars: Range<usize>) -> Place {
        let Value::Text(value, style) = &node.value else { return node.place };
        self.get(node.place.file)
            .and_then(|source| scalar::decode(&source.text, node.place, *style, value))
            .and_then(|pieces| scalar::range(&pieces, chars))
            .map_or(node.place, |(start, end)| Place { start, end, ..node.place })
    }
}

/// Where each line begins; a line ends at a line feed.
fn line_starts(text: &str) -> Vec<u32> {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    std::iter::once(0).chain(breaks.map(|(at, _)| count(at + 1))).collect()
}

/// A count or offset within a file; files are too small for it to saturate.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Node {
    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            Value::Int(value) => Some(value),
            _ => None,
        }
    }

    /// The number, whole or not.
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        match self.value {
            Value::Float(value) => Some(value),
            #[expect(clippy::cast_precision_loss, reason = "who asks for a float gets the nearest")]
            Value::Int(value) => Some(value as f64),
            _ => None,
        }
    }

    /// The members, if it is a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// The entries, if it is a mapping.
    #[must_use]
    pub fn as_map(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }

    /// Whether it is `null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The value under `key`, if it is a mapping that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// The entry of `key`, if it is a mapping that has it.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.as_map()?.iter().find(|entry| &*entry.key == key)
    }

    /// The value at a JSON pointer (RFC 6901); the empty pointer is the node itself.
    #[must_use]
    pub fn pointer(&self, pointer: &str) -> Option<&Node> {
        tokens(pointer)?.iter().try_fold(self, |node, token| match &node.value {
            Value::List(nodes) => nodes.get(list_index(token)?),
            _ => node.get(token),
        })
    }

    /// The value without its places.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match &self.value {
            Value::Null => Json::Null,
            Value::Bool(value) => Json::Bool(*value),
            Value::Int(value) => Json::from(*value),
            Value::Float(value) => Json::from(*value),
            Value::Text(text, _) => Json::from(&**text),
            Value::List(nodes) => nodes.iter().map(Self::to_json).collect(),
            Value::Map(entries) => {
                let pairs =
                    entries.iter().map(|entry| (entry.key.to_string(), entry.node.to_json()));
                Json::Object(pairs.collect())
            }
        }
    }

    /// A value that stands in no file: all of it is said to stand at `place`.
    #[must_use]
    pub fn from_json(json: &serde_json::Value, place: Place) -> Self {
        use serde_json::Value as Json;
        let value = match json {
            Json::Null => Value::Null,
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Value::Int(whole),
                None => Value::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::Text(text.as_str().into(), Style::Double),
            Json::Array(items) => {
                Value::List(items.iter().map(|item| Self::from_json(item, place)).collect())
            }
            Json::Object(entries) => {
                let entry = |(key, value): (&String, &Json)| Entry {
                    key: key.as_str().into(),
                    key_place: place,
                    node: Self::from_json(value, place),
                };
                Value::Map(entries.iter().map(entry).collect())
            }
        };
        Self { value, place }
    }

    /// What kind of value it is, in the words of messages and without an article.
    #[must_use]
    pub fn kind_name(&self) -> &'static str {
        match self.value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) => "whole number",
            Value::Float(_) => "number",
            Value::Text(..) => "text",
            Value::List(_) => "list",
            Value::Map(_) => "mapping",
        }
    }
}

/// The steps of a JSON pointer, unescaped; none if it does not begin with `/`.
pub(crate) fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let steps = pointer.strip_prefix('/')?.split('/');
    Some(steps.map(|step| step.replace("~1", "/").replace("~0", "~")).collect())
}

/// A list index as RFC 6901 writes it: digits without leading zero.
pub(crate) fn list_index(token: &str) -> Option<usize> {
    let plain = token == "0" || !token.starts_with(['0', '+']);
    plain.then(|| token.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
