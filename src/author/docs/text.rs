//! What pages are made of, before it is Markdown or HTML.
//!
//! Text of packs gets in through the functions of this module only: they take control characters and
//! marks of direction out of it, and the writers escape whatever is left.

use std::sync::Arc;

use crate::expr::template::{Piece, pieces};
use crate::report::diagnostic::clean;

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// The rules by cause and by tag.
    Index,
    /// The actions.
    Actions,
    /// Functions and methods.
    Functions,
    /// The kinds of object.
    Model,
    /// A rule.
    Rule(Arc<str>),
    /// An action.
    Action(Arc<str>),
    /// A kind of object.
    Kind(Arc<str>),
}

impl Page {
    /// Its name among all anchors of one document.
    #[must_use]
    pub fn anchor(&self) -> String {
        match self {
            Self::Index => "index".to_owned(),
            Self::Actions => "actions".to_owned(),
            Self::Functions => "functions".to_owned(),
            Self::Model => "model".to_owned(),
            Self::Rule(id) => format!("rule-{id}"),
            Self::Action(id) => format!("action-{id}"),
            Self::Kind(name) => format!("kind-{name}"),
        }
    }
}

/// Where a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// To a page, or to an anchor in it.
    Page(Page, Option<String>),
    /// Out of the documentation; only to `http` and `https`.
    Url(String),
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    /// Plain text.
    Text(String),
    /// Code.
    Code(String),
    /// Important text.
    Strong(String),
    /// A severity or an outcome, which may be coloured.
    Word(&'static str),
    /// Code with an anchor that leads to it.
    Anchor(String, String),
    /// A link.
    Link(Target, Vec<Inline>),
}

/// Parts of a line.
pub type Line = Vec<Inline>;

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading below the page's own, from 2, with the anchor that leads to it.
    Heading(u8, Option<String>, Line),
    /// A paragraph.
    Paragraph(Line),
    /// What the tool says, quoted.
    Quote(Line),
    /// A list; true for a numbered one.
    List(bool, Vec<Vec<Block>>),
    /// A table: what it is, its head and its rows.
    Table(String, Vec<&'static str>, Vec<Vec<Line>>),
    /// Code: its language, its lines, and where it stands.
    Code(&'static str, String, Option<String>),
}

/// A page with what is on it.
#[derive(Clone, Debug)]
pub struct Content {
    /// Which page.
    pub page: Page,
    /// Its title.
    pub title: Line,
    /// What it shows, without its title.
    pub blocks: Vec<Block>,
    /// The section of the contents that it is listed in.
    pub section: Option<String>,
}

/// Text of ours or of a pack.
#[must_use]
pub fn text(text: &str) -> Inline {
    Inline::Text(clean(text))
}

/// Code of ours or of a pack.
#[must_use]
pub fn code(code: &str) -> Inline {
    Inline::Code(clean(code.trim()))
}

/// A block of code, its lines kept.
#[must_use]
pub fn code_block(language: &'static str, code: &str, place: Option<String>) -> Block {
    let lines: Vec<String> =
        code.trim_end().lines().map(|line| clean(line).trim_end().to_owned()).collect();
    Block::Code(language, lines.join("\n"), place.map(|place| clean(&place)))
}

/// A link to a page.
#[must_use]
pub fn link(page: Page, said: Line) -> Inline {
    Inline::Link(Target::Page(page, None), said)
}

/// A link to an anchor in a page.
#[must_use]
pub fn link_into(page: Page, anchor: String, said: Line) -> Inline {
    Inline::Link(Target::Page(page, Some(anchor)), said)
}

/// A link out of the documentation; text alone where the address is none of the web.
#[must_use]
pub fn link_out(url: &str, said: &str) -> Inline {
    let is_web = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    let is_plain = url.chars().all(|c| !c.is_whitespace() && !c.is_control());
    if is_web && is_plain && clean(url) == url {
        Inline::Link(Target::Url(url.to_owned()), vec![text(said)])
    } else {
        text(said)
    }
}

/// Text in which back-ticks mark code.
#[must_use]
pub fn ticked(written: &str) -> Line {
    let parts: Vec<&str> = written.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![text(written)];
    }
    let parts = parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty());
    parts.map(|(number, part)| if number % 2 == 0 { text(part) } else { code(part) }).collect()
}

/// A message, its placeholders as code.
#[must_use]
pub fn message(written: &str) -> Line {
    let pieces = pieces(written.trim());
    let parts = pieces.iter().map(|piece| match piece {
        Piece::Text(plain) => text(plain),
        Piece::Value(expression) => code(expression),
    });
    parts.collect()
}

/// A message as a quotation; what is long in it stands below, under a number.
#[must_use]
pub fn quotation(written: &str) -> Vec<Block> {
    let mut line = Line::new();
    let mut long = Vec::new();
    for piece in pieces(written.trim()) {
        match piece {
            Piece::Text(plain) => line.push(text(&plain)),
            Piece::Value(value) if value.chars().count() <= 60 && !value.contains('{') => {
                line.push(code(&value));
            }
            Piece::Value(value) => {
                long.push(value);
                line.push(text(&format!(" ({})", long.len())));
            }
        }
    }
    let mut blocks = vec![Block::Quote(line)];
    for (number, value) in long.iter().enumerate() {
        blocks.push(paragraph(vec![text(&format!("({}) stands for", number + 1))]));
        blocks.push(code_block("rhai", value.trim(), None));
    }
    blocks
}

/// The paragraphs and lists of a longer text: an empty line parts paragraphs, `- ` begins an item.
#[must_use]
pub fn prose(written: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for paragraph in filled(written) {
        match paragraph.strip_prefix("- ") {
            None => blocks.push(Block::Paragraph(ticked(&paragraph))),
            Some(item) => {
                let item = vec![Block::Paragraph(ticked(item))];
                match blocks.last_mut() {
                    Some(Block::List(_, items)) => items.push(item),
                    _ => blocks.push(Block::List(false, vec![item])),
                }
            }
        }
    }
    blocks
}

/// Paragraphs with their lines joined: up to an empty line, or to a line that begins a list item.
#[must_use]
pub fn filled(text: &str) -> Vec<String> {
    let mut paragraphs: Vec<String> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            is_open = false;
        } else if let Some(last) =
            paragraphs.last_mut().filter(|_| is_open && !line.starts_with("- "))
        {
            last.push(' ');
            last.push_str(line);
        } else {
            paragraphs.push(line.to_owned());
            is_open = true;
        }
    }
    paragraphs
}

/// Lines one behind the other, with `between` between them.
#[must_use]
pub fn joined(lines: impl IntoIterator<Item = Line>, between: &str) -> Line {
    let mut all = Line::new();
    for line in lines {
        if !all.is_empty() {
            all.push(text(between));
        }
        all.extend(line);
    }
    all
}

/// A paragraph.
#[must_use]
pub fn paragraph(line: Line) -> Block {
    Block::Paragraph(line)
}

/// A heading of the second level without an anchor.
#[must_use]
pub fn heading(title: &str) -> Block {
    Block::Heading(2, None, vec![text(title)])
}

/// A list of one line each.
#[must_use]
pub fn list(lines: Vec<Line>) -> Block {
    Block::List(false, lines.into_iter().map(|line| vec![Block::Paragraph(line)]).collect())
}
