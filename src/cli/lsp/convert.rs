//! Between our offsets, paths and words and those of the protocol.

use std::fmt::Write as _;
use std::ops::Range as Bytes;
use std::path::{Path, PathBuf};

use gen_lsp_types as lsp;

use crate::author::complete::Signature;
use crate::author::edit::{Edit, Item, ItemKind, Symbol, SymbolKind};
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::load::shown;
use crate::source::Sources;

/// How characters of a line are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As UTF-16 does it: what every editor understands.
    #[default]
    Utf16,
    /// Bytes.
    Utf8,
}

impl Encoding {
    /// The offset of a position; one past the end of a line or text stands for that end.
    pub(super) fn offset(self, text: &str, position: lsp::Position) -> usize {
        let mut start = 0;
        for _ in 0..position.line {
            match text.get(start..).and_then(|rest| rest.find('\n')) {
                Some(at) => start += at + 1,
                None => return text.len(),
            }
        }
        let line = text.get(start..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let mut left = position.character as usize;
        for (at, c) in line.char_indices() {
            if left == 0 {
                return start + at;
            }
            left = left.saturating_sub(self.width(c));
        }
        start + line.len()
    }

    fn width(self, c: char) -> usize {
        match self {
            Self::Utf16 => c.len_utf16(),
            Self::Utf8 => c.len_utf8(),
        }
    }

    /// The position of an offset.
    fn position(self, text: &str, offset: usize) -> lsp::Position {
        let before =
            text.get(..text.floor_char_boundary(offset.min(text.len()))).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(start..).unwrap_or_default().chars().map(|c| self.width(c)).sum();
        lsp::Position { line: count(line), character: count(column) }
    }

    pub(super) fn range(self, text: &str, bytes: &Bytes<usize>) -> lsp::Range {
        lsp::Range { start: self.position(text, bytes.start), end: self.position(text, bytes.end) }
    }

    pub(super) fn edit(self, text: &str, edit: &Edit) -> lsp::TextEdit {
        lsp::TextEdit { range: self.range(text, &edit.range), new_text: edit.text.clone() }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The path of a `file:` address; none for another.
pub(super) fn path_of(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    // What stands before the path is a host; none but this one has files.
    let path = rest.get(rest.find('/')?..)?;
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.bytes();
    while let Some(byte) = left.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        let (high, low) = (digit(left.next())?, digit(left.next())?);
        bytes.push(u8::try_from(high * 16 + low).ok()?);
    }
    let path = String::from_utf8(bytes).ok()?;
    let is_drive = path.get(2..3) == Some(":");
    Some(PathBuf::from(path.strip_prefix('/').filter(|_| is_drive).unwrap_or(&path)))
}

/// The `file:` address of a path.
pub(super) fn uri_of(path: &Path) -> String {
    let path = shown(path);
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "file:///" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            for digit in [byte >> 4, byte & 15] {
                uri.extend(char::from_digit(u32::from(digit), 16).map(|c| c.to_ascii_uppercase()));
            }
        }
    }
    uri
}

/// Where a place is, for an editor; none if it is in no file of the user's.
pub(super) fn location(
    sources: &Sources,
    place: Place,
    encoding: Encoding,
) -> Option<lsp::Location> {
    let source = sources.get(place.file)?;
    let path = Path::new(source.name());
    if !path.is_absolute() {
        return None;
    }
    let bytes = place.start as usize..place.end as usize;
    let range = encoding.range(source.text(), &bytes);
    Some(lsp::Location { uri: uri_of(path).into(), range })
}

/// A diagnostic with all that it says: an editor has no lines of help.
pub(super) fn diagnostic(
    problem: &Diagnostic,
    sources: &Sources,
    encoding: Encoding,
) -> Option<(PathBuf, lsp::Diagnostic)> {
    let place = problem.place?;
    let at = location(sources, place, encoding)?;
    // Writing to a string cannot fail.
    let mut message = problem.message.clone();
    if let Some(label) = &problem.label {
        let _ = write!(message, " ({label})");
    }
    let mut related = Vec::new();
    for (place, label) in &problem.related {
        match location(sources, *place, encoding) {
            Some(location) => {
                related
                    .push(lsp::DiagnosticRelatedInformation { location, message: label.clone() });
            }
            None => {
                let _ = write!(message, "\n{label}: {}", sources.location(*place));
            }
        }
    }
    for help in &problem.help {
        let _ = write!(message, "\nhelp: {help}");
    }
    let severity = match problem.level {
        Level::Error => lsp::DiagnosticSeverity::Error,
        Level::Warning => lsp::DiagnosticSeverity::Warning,
        Level::Note => lsp::DiagnosticSeverity::Information,
    };
    let path = PathBuf::from(sources.get(place.file)?.name());
    let told = lsp::Diagnostic {
        range: at.range,
        severity: Some(severity),
        code: Some(problem.code.to_owned().into()),
        code_description: None,
        source: Some("dpmguard".to_owned()),
        message: message.into(),
        tags: None,
        related_information: (!related.is_empty()).then_some(related),
        data: None,
    };
    Some((path, told))
}

/// What an editor inserts.
pub(super) fn item(
    item: &Item,
    text: &str,
    encoding: Encoding,
    snippets: bool,
) -> lsp::CompletionItem {
    let kind = match item.kind {
        ItemKind::Field => lsp::CompletionItemKind::Field,
        ItemKind::Variable => lsp::CompletionItemKind::Variable,
        ItemKind::Collection => lsp::CompletionItemKind::Module,
        ItemKind::Function => lsp::CompletionItemKind::Function,
        ItemKind::Method => lsp::CompletionItemKind::Method,
        ItemKind::Member => lsp::CompletionItemKind::EnumMember,
        ItemKind::Kind => lsp::CompletionItemKind::Class,
        ItemKind::Reference => lsp::CompletionItemKind::Reference,
        ItemKind::Key => lsp::CompletionItemKind::Property,
        ItemKind::Keyword => lsp::CompletionItemKind::Keyword,
    };
    let snippet = item.snippet.as_ref().filter(|_| snippets);
    let range = encoding.range(text, &item.replaces);
    let new_text = snippet.unwrap_or(&item.insert).clone();
    let some = |text: &String| (!text.is_empty()).then(|| text.clone());
    lsp::CompletionItem {
        label: item.label.clone(),
        kind: Some(kind),
        detail: some(&item.detail),
        documentation: some(&item.help).map(|help| markdown(help).into()),
        sort_text: Some(format!("{}{}", item.rank, item.label)),
        insert_text_format: snippet.map(|_| lsp::InsertTextFormat::Snippet),
        text_edit: Some(lsp::TextEdit { range, new_text }.into()),
        ..lsp::CompletionItem::default()
    }
}

/// A function with its parameters, the one being written marked.
pub(super) fn signature(signature: Signature) -> lsp::SignatureHelp {
    let parameter =
        |label: String| lsp::ParameterInformation { label: label.into(), documentation: None };
    let active = signature.active.map(|active| count(active).into());
    lsp::SignatureHelp {
        signatures: vec![lsp::SignatureInformation {
            label: signature.label,
            documentation: Some(markdown(signature.help).into()),
            parameters: Some(signature.params.into_iter().map(parameter).collect()),
            active_parameter: None,
        }],
        active_signature: Some(0),
        active_parameter: active,
    }
}

pub(super) fn markdown(value: String) -> lsp::MarkupContent {
    lsp::MarkupContent { kind: lsp::MarkupKind::Markdown, value }
}

/// A part of the outline.
#[expect(deprecated, reason = "the protocol's type has an old field, which has to be given")]
pub(super) fn symbol(symbol: &Symbol, text: &str, encoding: Encoding) -> lsp::DocumentSymbol {
    let kind = match symbol.kind {
        SymbolKind::Key => lsp::SymbolKind::Key,
        SymbolKind::Variable => lsp::SymbolKind::Variable,
        SymbolKind::Condition => lsp::SymbolKind::Boolean,
        SymbolKind::Step => lsp::SymbolKind::Event,
        SymbolKind::Item => lsp::SymbolKind::Object,
        SymbolKind::Function => lsp::SymbolKind::Function,
    };
    let children = symbol.children.iter().map(|child| self::symbol(child, text, encoding));
    let children: Vec<lsp::DocumentSymbol> = children.collect();
    lsp::DocumentSymbol {
        name: symbol.name.clone(),
        detail: (!symbol.detail.is_empty()).then(|| symbol.detail.clone()),
        kind,
        tags: None,
        deprecated: None,
        range: encoding.range(text, &symbol.range),
        selection_range: encoding.range(text, &symbol.selection),
        children: (!children.is_empty()).then_some(children),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use gen_lsp_types::Position;

    use super::{Encoding, path_of, uri_of};

    #[test]
    fn positions_count_as_agreed_and_end_at_the_end() {
        let text = "a\u{1F600}b\r\nc\u{e9}";
        let at = |line, character| Position { line, character };
        for (position, utf16, utf8) in [
            (at(0, 0), 0, 0),
            (at(0, 3), 5, 5),
            (at(0, 99), 6, 6),
            (at(1, 1), 9, 9),
            (at(1, 2), 11, 11),
            (at(7, 0), 11, 11),
        ] {
            assert_eq!(Encoding::Utf16.offset(text, position), utf16, "{position:?}");
            if position.character != 3 {
                assert_eq!(Encoding::Utf8.offset(text, position), utf8, "{position:?}");
            }
        }
        for offset in [0, 1, 5, 6, 8, 9, 11] {
            for encoding in [Encoding::Utf16, Encoding::Utf8] {
                let position = encoding.position(text, offset);
                assert_eq!(encoding.offset(text, position), offset, "{encoding:?} {position:?}");
            }
        }
    }

    #[test]
    fn paths_and_addresses_go_both_ways() {
        for path in ["/home/a b/r\u{fc}le.yaml", "/x/%41.yaml"] {
            assert_eq!(path_of(&uri_of(Path::new(path))).as_deref(), Some(Path::new(path)));
        }
        assert_eq!(path_of("file:///c%3A/x.yaml").as_deref(), Some(Path::new("c:/x.yaml")));
        assert_eq!(path_of("untitled:Untitled-1"), None);
        assert_eq!(path_of("file:///a%zz"), None);
    }
}
