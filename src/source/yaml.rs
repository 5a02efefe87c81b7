//! YAML and JSON to a tree; the home of `granit_parser`.
//!
//! Strict on purpose: what two readers of YAML understand differently is an error here, and there are
//! no anchors, so that no document is larger in memory than it looks.

mod slips;
mod words;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span};

use super::scalar::{self, Plain};
use super::{Entry, Node, Sources, Style, Value, count, encoding};
use crate::diagnostic::{Diagnostic, FileId, Place};

/// Deepest nesting; no document of ours comes near.
const MAX_DEPTH: usize = 100;
/// Most values of a document.
const MAX_VALUES: usize = 20_000_000;
/// Most problems reported of a document; a flood helps nobody.
const MAX_PROBLEMS: usize = 1_000;
/// Characters in which the `:` of a key must follow, as YAML 1.2.2 section 7.4.2 has it. More would
/// make the parser hold the events of a whole minified document.
const KEY_LENGTH: usize = 1_024;
/// The same for JSON that has longer keys, in bytes.
const MAX_KEY_LENGTH: usize = 1 << 20;
/// From this many keys on, duplicates are looked for by hash.
const HASH_FROM: usize = 8;
/// Most different keys kept to share their text.
const SHARED_KEYS: usize = 4_096;

/// Reads a file that holds exactly one YAML 1.2 or JSON document.
///
/// # Errors
///
/// All that is wrong with it, in the order of the file; what follows a syntax error is not read.
pub fn read(sources: &Sources, file: FileId) -> Result<Node, Vec<Diagnostic>> {
    let text = sources.get(file).map_or("", |source| source.text());
    let masked = encoding::mask(text);
    let mut reader = Reader::new(file, text, &masked);
    let mut outcome = reader.run(KEY_LENGTH);
    if outcome.is_err() {
        let length = longest_key(&masked);
        if (KEY_LENGTH..MAX_KEY_LENGTH).contains(&length) {
            reader = Reader::new(file, text, &masked);
            outcome = reader.run(length + 8);
        }
    }
    if let Err(error) = outcome {
        let problem = reader.syntax(&error);
        reader.problem(problem);
    }
    reader.finish()
}

/// Bytes of the longest key of a JSON text, from its quote to its colon.
fn longest_key(text: &str) -> usize {
    if !text.trim_start().starts_with(['{', '[']) {
        return 0;
    }
    let (mut longest, mut open, mut string, mut escaped) = (0, None, 0..0, false);
    for (at, byte) in text.bytes().enumerate() {
        match (open, byte) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(start), b'"') => (open, string) = (None, start..at),
            (None, b'"') => open = Some(at),
            (None, b':') => longest = longest.max(at - string.start),
            // Only white space may stand between a key and its colon.
            (None, b' ' | b'\t' | b'\r' | b'\n') | (Some(_), _) => {}
            (None, _) => string = at..at,
        }
    }
    longest
}

/// A collection that is being read.
enum Frame {
    List { start: usize, nodes: Vec<Node> },
    Map { start: usize, entries: Vec<Entry>, key: Key, index: HashMap<Arc<str>, Place> },
}

/// What a mapping waits for.
enum Key {
    /// A key.
    Wanted,
    /// The value of this key.
    Ready(Arc<str>, Place),
    /// A value to throw away: its key is wrong, and that has been said.
    Spoiled(Place),
}

/// Builds the tree from the parser's events.
struct Reader<'a> {
    file: FileId,
    text: &'a str,
    masked: &'a str,
    frames: Vec<Frame>,
    root: Option<Node>,
    problems: Vec<Diagnostic>,
    values: usize,
    documents: usize,
    keys: HashSet<Arc<str>>,
}

impl<'a> Reader<'a> {
    fn new(file: FileId, text: &'a str, masked: &'a str) -> Self {
        Self {
            file,
            text,
            masked,
            frames: Vec::new(),
            root: None,
            problems: Vec::new(),
            values: 0,
            documents: 0,
            keys: HashSet::new(),
        }
    }

    fn run(&mut self, key_length: usize) -> Result<(), ScanError> {
        let options = granit_parser::options! {
            emit_comments: false,
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
            simple_key_max_lookahead: key_length,
        };
        for item in Parser::new_from_str_with_options(self.masked, options) {
            let (event, span) = item?;
            if self.event(event, &span).is_break() {
                break;
            }
            if self.problems.len() >= MAX_PROBLEMS {
                let message = format!("reading stopped after {MAX_PROBLEMS} errors");
                let place = self.at(span.byte_range().unwrap_or_default());
                self.problem(Diagnostic::error("too-many-errors", message).at(place));
                break;
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Node, Vec<Diagnostic>> {
        match self.root {
            Some(root) if self.problems.is_empty() => Ok(root),
            _ => {
                if self.problems.is_empty() {
                    let empty = Diagnostic::error("empty-document", "the file holds no document")
                        .at(Place { file: self.file, start: 0, end: 0 });
                    self.problems.push(empty);
                }
                self.problems.sort_by_key(|problem| problem.place);
                Err(self.problems)
            }
        }
    }

    fn problem(&mut self, problem: Diagnostic) {
        self.problems.push(problem);
    }

    fn at(&self, range: Range<usize>) -> Place {
        Place { file: self.file, start: count(range.start), end: count(range.end.max(range.start)) }
    }

    /// The bytes of `span`, at least one character if the file has one there.
    fn visible(&self, span: &Span) -> Place {
        let range = span.byte_range().unwrap_or_default();
        let next = self.text.get(range.start..).and_then(|rest| rest.chars().next());
        let least =
            range.start + next.filter(|c| !matches!(c, '\r' | '\n')).map_or(0, char::len_utf8);
        self.at(range.start..range.end.max(least))
    }

    fn event(&mut self, event: Event<'_>, span: &Span) -> ControlFlow<()> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let problem =
                        Diagnostic::error("several-documents", "a second document begins")
                            .at(self.visible(span))
                            .help("put it into a file of its own");
                    self.problem(problem);
                    return ControlFlow::Break(());
                }
            }
            Event::Scalar(text, style, _, tag) => {
                self.count(span)?;
                let tagged = self.refuse_tag(tag.is_some(), span);
                self.scalar(&text, style, tagged, span);
            }
            Event::SequenceStart(_, _, tag) => {
                self.open(tag.is_some(), span)?;
                let start = span.byte_range().unwrap_or_default().start;
                self.frames.push(Frame::List { start, nodes: Vec::new() });
            }
            Event::MappingStart(_, _, tag) => {
                self.open(tag.is_some(), span)?;
                let start = span.byte_range().unwrap_or_default().start;
                let (entries, index) = (Vec::new(), HashMap::new());
                self.frames.push(Frame::Map { start, entries, key: Key::Wanted, index });
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span),
            Event::Anchor(_, name) => {
                let problem = Diagnostic::error("yaml-alias", format!("anchor `&{name}`"))
                    .at(self.visible(span))
                    .help(
                        "anchors and aliases are not read: write the value out where it is needed",
                    );
                self.problem(problem);
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.count(span)?;
                let place = self.visible(span);
                let name = span.slice(self.text).unwrap_or("*");
                let problem =
                    Diagnostic::error("yaml-alias", format!("alias `{name}`")).at(place).help(
                        "anchors and aliases are not read: write the value out where it is needed",
                    );
                self.problem(problem);
                self.attach(Node { value: Value::Null, place }, true);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn count(&mut self, span: &Span) -> ControlFlow<()> {
        self.values += 1;
        if self.values <= MAX_VALUES {
            return ControlFlow::Continue(());
        }
        let message = format!("more than {MAX_VALUES} values");
        let problem = Diagnostic::error("too-many-values", message)
            .at(self.visible(span))
            .help("split the file");
        self.problem(problem);
        ControlFlow::Break(())
    }

    fn open(&mut self, tagged: bool, span: &Span) -> ControlFlow<()> {
        self.count(span)?;
        self.refuse_tag(tagged, span);
        if self.frames.len() < MAX_DEPTH {
            return ControlFlow::Continue(());
        }
        let problem = words::too_deep().at(self.visible(span));
        self.problem(problem);
        ControlFlow::Break(())
    }

    fn refuse_tag(&mut self, tagged: bool, span: &Span) -> bool {
        if tagged {
            let tag = span.tag_span().unwrap_or(*span);
            let name = tag.slice(self.text).unwrap_or("!");
            // `!known(x)` without quotes is the likeliest way to get here.
            let help = if name.starts_with("!!") {
                "tags are not read: quotes make a text, their absence a number or `true`"
            } else {
                "quote a text that begins with `!`"
            };
            let problem = Diagnostic::error("yaml-tag", format!("tag `{name}`"))
                .at(self.visible(&tag))
                .help(help);
            self.problem(problem);
        }
        tagged
    }

    fn close(&mut self, span: &Span) {
        let range = span.byte_range().unwrap_or_default();
        // The end of a block collection is where the next thing begins; its own end is its last member's.
        let end = |start: usize, last: Option<&Place>| {
            let inner = last.map_or(start, |place| place.end as usize);
            if range.is_empty() { inner.max(start) } else { range.end }
        };
        let node = match self.frames.pop() {
            Some(Frame::List { start, nodes }) => {
                let place = self.at(start..end(start, nodes.last().map(|node| &node.place)));
                Node { value: Value::List(nodes), place }
            }
            Some(Frame::Map { start, entries, .. }) => {
                let last = entries.last().map(|entry| entry.node.place.max(entry.key_place));
                let place = self.at(start..end(start, last.as_ref()));
                Node { value: Value::Map(entries), place }
            }
            None => return,
        };
        self.attach(node, false);
    }

    /// Puts a finished value where it belongs; `known_bad` ones have been reported.
    fn attach(&mut self, node: Node, known_bad: bool) {
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return;
        };
        match frame {
            Frame::List { nodes, .. } => nodes.push(node),
            Frame::Map { entries, key, .. } => match std::mem::replace(key, Key::Wanted) {
                Key::Ready(key, key_place) => entries.push(Entry { key, key_place, node }),
                Key::Spoiled(_) => {}
                Key::Wanted => {
                    *key = Key::Spoiled(node.place);
                    if !known_bad {
                        let what = node.kind_name();
                        self.problem(words::key_not_text(what).at(node.place));
                    }
                }
            },
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tagged: bool, span: &Span) {
        let style = match style {
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
            ScalarStyle::Plain => Style::Plain,
        };
        let range = span.byte_range().unwrap_or_default();
        let empty = range.is_empty() && style == Style::Plain;
        let place = self.scalar_place(range, style);
        let text = self.unmask(text, style, place);
        if let Some(Frame::Map { key: Key::Wanted, .. }) = self.frames.last() {
            self.key(&text, style, if empty { None } else { Some(place) }, tagged, place);
        } else if empty && self.frames.is_empty() {
            // `---` and nothing: no document.
        } else {
            let value = if empty { Value::Null } else { self.value(&text, style, tagged, place) };
            self.attach(Node { value, place }, false);
        }
    }

    /// The place of a scalar; an empty one borrows something visible.
    fn scalar_place(&self, range: Range<usize>, style: Style) -> Place {
        let before = self.text.get(..range.start).unwrap_or_default();
        if !range.is_empty() {
            return self.at(range);
        }
        if matches!(style, Style::Literal | Style::Folded) {
            // Empty lines only: the header, which is the last thing above.
            let sign = if style == Style::Literal { '|' } else { '>' };
            let start = before.trim_end().rfind(sign).unwrap_or(range.start);
            return self.at(start..(start + 1).min(self.text.len()));
        }
        match self.frames.last() {
            Some(Frame::Map { key: Key::Ready(_, place) | Key::Spoiled(place), .. }) => *place,
            Some(Frame::List { .. }) if before.ends_with('-') => {
                self.at(range.start - 1..range.start)
            }
            _ => self.at(range),
        }
    }

    /// The value with the characters that the parser was not shown.
    fn unmask<'t>(&mut self, text: &'t str, style: Style, place: Place) -> Cow<'t, str> {
        let range = place.start as usize..place.end as usize;
        let slice = self.text.get(range.clone()).unwrap_or_default();
        if Some(slice) == self.masked.get(range) {
            return Cow::Borrowed(text);
        }
        let quoted = matches!(style, Style::Single | Style::Double)
            && scalar::decode(self.masked, place, style, text).is_some();
        if let Some(value) = quoted.then(|| scalar::quoted(self.text, place, style)).flatten() {
            return Cow::Owned(value);
        }
        let found = slice.char_indices().find(|(_, character)| encoding::is_masked(*character));
        let (at, character) = found.unwrap_or((0, '?'));
        let start = place.start as usize + at;
        let problem = words::unexpected(character).at(self.at(start..start + character.len_utf8()));
        self.problem(problem);
        Cow::Borrowed(text)
    }

    /// A scalar that is a key; `shown` is none if it is empty.
    fn key(&mut self, text: &str, style: Style, shown: Option<Place>, tagged: bool, place: Place) {
        let problem = match (style, shown) {
            (Style::Plain, None) => Some(words::key_not_text("null").at(place)),
            (Style::Plain, Some(_)) if text == "<<" => Some(
                Diagnostic::error("yaml-merge-key", "merge key `<<`")
                    .at(place)
                    .help("merge keys are not read: write the keys out"),
            ),
            (Style::Plain, Some(_)) if !tagged => {
                words::plain_key_problem(text).map(|found| found.at(place))
            }
            _ => None,
        };
        let spoiled = problem.is_some();
        self.problems.extend(problem);
        let text = self.share(text);
        let Some(Frame::Map { entries, key, index, .. }) = self.frames.last_mut() else { return };
        if spoiled {
            *key = Key::Spoiled(place);
            return;
        }
        match first_place(entries, index, &text) {
            None => *key = Key::Ready(text, place),
            Some(first) => {
                *key = Key::Spoiled(place);
                let problem =
                    Diagnostic::error("duplicate-key", format!("key `{text}` a second time"))
                        .at(place)
                        .related(first, "the first one");
                self.problem(problem);
            }
        }
    }

    /// The same text for the same key, as far as that saves memory.
    fn share(&mut self, key: &str) -> Arc<str> {
        if let Some(shared) = self.keys.get(key) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = Arc::from(key);
        if self.keys.len() < SHARED_KEYS {
            self.keys.insert(Arc::clone(&shared));
        }
        shared
    }

    /// The key that a value belongs to, alone or in a list.
    fn of_key(&self) -> Option<&str> {
        self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Map { key: Key::Ready(key, _), .. } => Some(&**key),
            _ => None,
        })
    }

    fn value(&mut self, text: &str, style: Style, tagged: bool, place: Place) -> Value {
        if style == Style::Plain {
            match scalar::resolve(text) {
                Plain::Value(value) => return value,
                Plain::OutOfRange => {
                    let problem = words::out_of_range(text).at(place);
                    self.problem(problem);
                }
                Plain::Ambiguous(ambiguity) if !tagged => {
                    let problem = words::ambiguous(text, ambiguity, self.of_key()).at(place);
                    self.problem(problem);
                }
                Plain::Text | Plain::Ambiguous(_) => {}
            }
        }
        Value::Text(Arc::from(text), style)
    }

    fn syntax(&self, error: &ScanError) -> Diagnostic {
        let at = error.marker().byte_offset().unwrap_or(0).min(self.text.len());
        let character = self.text.get(at..).and_then(|rest| rest.chars().next());
        let width = character.filter(|c| !matches!(c, '\r' | '\n')).map_or(0, char::len_utf8);
        let place = self.at(at..at + width);
        let escape = || scalar::bad_escape(self.text, at).map(|(start, end)| self.at(start..end));
        if let Some(slip) = slips::find(self.text, at, error.kind()) {
            return words::syntax(slip.message).at(self.at(slip.at)).help(slip.help);
        }
        match error.kind() {
            ErrorKind::RecursionLimitExceeded => words::too_deep().at(place),
            ErrorKind::UnexpectedCharacter { .. } => words::unexpected(character.unwrap_or('?')).at(place),
            ErrorKind::UnknownQuotedScalarEscape
            | ErrorKind::InvalidQuotedScalarHexEscape
            | ErrorKind::InvalidUnicodeEscape => {
                words::syntax("no such escape in double quotes").at(escape().unwrap_or(place)).help(
                    "a backslash in double quotes begins an escape: write it twice, or use single quotes",
                )
            }
            ErrorKind::InvalidLowSurrogateHexEscape
            | ErrorKind::InvalidLowSurrogate
            | ErrorKind::MissingLowSurrogate
            | ErrorKind::UnpairedLowSurrogate => {
                words::syntax("half a surrogate pair").at(escape().unwrap_or(place))
            }
            kind => words::explain(kind).at(place),
        }
    }
}

/// Where a mapping has `key` already. Small ones are searched, large ones indexed.
fn first_place(
    entries: &[Entry],
    index: &mut HashMap<Arc<str>, Place>,
    key: &Arc<str>,
) -> Option<Place> {
    if entries.len() < HASH_FROM {
        return entries.iter().find(|entry| entry.key == *key).map(|entry| entry.key_place);
    }
    // What has come since the last look; usually one entry, at first all.
    for entry in entries.iter().skip(index.len()) {
        index.insert(Arc::clone(&entry.key), entry.key_place);
    }
    index.get(key).copied()
}
