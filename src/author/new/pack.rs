//! A pack with an example in it.

use crate::author::new::{NewFile, modeline};
use crate::source::scalar_text;

/// What the author says of the pack.
#[derive(Debug)]
pub struct Wish<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Its folder, as it is written on a command line.
    pub folder: &'a str,
    /// Where the schemas lie, seen from the pack's folder.
    pub schemas: Option<&'a str>,
    /// Whether it has an example.
    pub example: bool,
}

/// Path, the schema that it follows, and text.
type Template = (&'static str, Option<&'static str>, &'static str);

const PACK: [Template; 2] = [
    ("pack.yaml", Some("pack-v1"), include_str!("../../../templates/pack/pack.yaml")),
    ("README.md", None, include_str!("../../../templates/pack/README.md")),
];

macro_rules! example {
    ($path:literal, $schema:literal) => {
        ($path, Some($schema), include_str!(concat!("../../../templates/pack/", $path)))
    };
}

const EXAMPLE: [Template; 8] = [
    example!("example-short-retention.yaml", "rule-v1"),
    example!("actions/lengthen-retention.yaml", "action-v1"),
    example!("fixtures/estate.yaml", "facts-v1"),
    example!("cases/example-short-retention/accepted.yaml", "case-v1"),
    example!("cases/example-short-retention/exactly-as-long.yaml", "case-v1"),
    example!("cases/example-short-retention/long-enough.yaml", "case-v1"),
    example!("cases/example-short-retention/not-collected.yaml", "case-v1"),
    example!("cases/example-short-retention/too-short.yaml", "case-v1"),
];

/// The files of a pack, without the snapshots of its cases.
#[must_use]
pub fn files(wish: &Wish<'_>) -> Vec<NewFile> {
    let example = if wish.example { &EXAMPLE[..] } else { &[] };
    let fill = |(below, schema, text): &Template| {
        let head = schema.map(|schema| modeline(wish.schemas, below, schema)).unwrap_or_default();
        // A text stands in YAML here, and in Markdown there.
        let written = |text: &str| {
            if schema.is_some() { scalar_text(text) } else { text.to_owned() }
        };
        let text = text
            .replace("{{name}}", &written(wish.name))
            .replace("{{dir}}", wish.folder)
            .replace("{{title}}", &written(wish.title));
        NewFile { below: (*below).to_owned(), text: head + &text }
    };
    PACK.iter().chain(example).map(fill).collect()
}
