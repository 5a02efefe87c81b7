//! XML events to elements; the home of `quick_xml`.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use quick_xml::Error;
use quick_xml::events::attributes::Attributes;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::problem::{MAX_DEPTH, malformed, not_clixml, shorten, too_deep, truncated};
use super::text::unescape;
use crate::diagnostic::{Diagnostic, FileId, Place};

/// The namespace of the format.
const NAMESPACE: &str = "http://schemas.microsoft.com/powershell/2004/04";

/// Walks through the elements of a file.
pub(super) struct Scanner<'t> {
    xml: quick_xml::Reader<&'t [u8]>,
    text: &'t str,
    file: FileId,
    /// Bytes of the event read last.
    last: Range<u64>,
}

/// An element whose end is awaited.
pub(super) struct Tag<'t> {
    pub(super) name: &'t str,
    pub(super) place: Place,
    pub(super) member: Option<Cow<'t, str>>,
    pub(super) id: Option<Cow<'t, str>>,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(file: FileId, text: &'t str) -> Self {
        let mut xml = quick_xml::Reader::from_str(text);
        xml.config_mut().expand_empty_elements = true;
        Self { xml, text, file, last: 0..0 }
    }

    /// The next event that matters; blank text, comments and declarations do not.
    pub(super) fn event(&mut self) -> Result<Event<'t>, Diagnostic> {
        loop {
            let start = self.xml.buffer_position();
            let event = self.xml.read_event();
            self.last = start..self.xml.buffer_position();
            match event {
                Ok(Event::Comment(_) | Event::PI(_) | Event::Decl(_)) => {}
                Ok(Event::DocType(_)) => {
                    let message = "the file has a document type definition, which is never read";
                    let problem = Diagnostic::error("dtd-refused", message).at(self.here());
                    return Err(problem.help("PowerShell writes none: export the file again"));
                }
                Ok(event) => return Ok(event),
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    /// Place of the event read last.
    pub(super) fn here(&self) -> Place {
        self.place(self.last.start, self.last.end)
    }

    pub(super) fn place(&self, start: u64, end: u64) -> Place {
        let clip = |at: u64| u32::try_from(at).unwrap_or(u32::MAX);
        Place { file: self.file, start: clip(start), end: clip(end.max(start)) }
    }

    /// From the start of `tag` to the end of what was read last.
    pub(super) fn whole(&self, tag: &Tag<'t>) -> Place {
        Place { end: u32::try_from(self.last.end).unwrap_or(u32::MAX), ..tag.place }
    }

    fn broken(&self, error: &Error) -> Diagnostic {
        let at = self.xml.error_position();
        let place = self.place(at, at.saturating_add(1));
        match error {
            // All of these say that the text ends before what they name does.
            Error::Syntax(_) => {
                let message = "the file is cut off in the middle of a tag";
                truncated(message.to_owned()).at(place)
            }
            other => malformed(format!("the file is no well-formed XML: {other}")).at(place),
        }
    }

    fn cut_off(&self, open: &Tag<'t>) -> Diagnostic {
        let end = self.text.len() as u64;
        let message = format!("the file is cut off: `{}` is never closed", open.name);
        let problem = truncated(message).at(self.place(end, end)).label("the file ends here");
        problem.related(open.place, format!("`{}` begins here", open.name))
    }

    /// The element `Objs` that all else is in.
    pub(super) fn root(&mut self) -> Result<(), Diagnostic> {
        loop {
            let event = match self.event() {
                Ok(event) => event,
                Err(problem) if problem.code == "dtd-refused" => return Err(problem),
                Err(problem) => {
                    return Err(not_clixml("it is no XML").at(problem.place.unwrap_or(self.here())));
                }
            };
            match event {
                Event::Text(text) if text.trim().is_empty() => {}
                Event::Start(start) => {
                    let tag = self.tag(&start)?;
                    if tag.name != "Objs" {
                        let why =
                            format!("its first element is `{}`, not `Objs`", shorten(tag.name));
                        return Err(not_clixml(&why).at(tag.place));
                    }
                    return Ok(());
                }
                Event::Eof if self.text.trim().is_empty() => {
                    return Err(not_clixml("it is empty").at(self.place(0, 0)));
                }
                _ => return Err(not_clixml("it is no XML").at(self.here())),
            }
        }
    }

    /// Nothing may follow the root.
    pub(super) fn tail(&mut self) -> Result<(), Diagnostic> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if text.trim().is_empty() => {}
                _ => {
                    let message = "something follows the end of `Objs`";
                    return Err(malformed(message.to_owned()).at(self.here()));
                }
            }
        }
    }

    /// What a start tag says.
    fn tag(&self, start: &BytesStart<'t>) -> Result<Tag<'t>, Diagnostic> {
        let place = self.here();
        let (name, attributes) = self.inner(start);
        let mut tag = Tag { name, place, member: None, id: None };
        for attribute in Attributes::new(attributes, 0).with_checks(false) {
            let wrong = |error: &dyn Display| {
                malformed(format!("an attribute cannot be read: {error}")).at(place)
            };
            let attribute = attribute.map_err(|error| wrong(&error))?;
            let value = || {
                let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0);
                value.map_err(|error| wrong(&error))
            };
            match attribute.key.as_ref() {
                "N" => tag.member = Some(unescape(value()?)),
                "RefId" => tag.id = Some(value()?),
                "xmlns" if name == "Objs" && value()? != NAMESPACE => {
                    return Err(not_clixml("its `Objs` is in another namespace").at(place));
                }
                _ => {}
            }
        }
        Ok(tag)
    }

    /// Name and attributes of a start tag, borrowed from the file and not from the event.
    fn inner(&self, start: &BytesStart<'t>) -> (&'t str, &'t str) {
        let text = self.text;
        let from = usize::try_from(self.last.start).unwrap_or(usize::MAX).saturating_add(1);
        let middle = from.saturating_add(start.name().as_ref().len());
        let to = middle.saturating_add(start.attributes_raw().len());
        (text.get(from..middle).unwrap_or_default(), text.get(middle..to).unwrap_or_default())
    }

    /// The next element within `open`; none at its end.
    pub(super) fn child(&mut self, open: &Tag<'t>) -> Result<Option<Tag<'t>>, Diagnostic> {
        loop {
            match self.event()? {
                Event::Start(start) => return self.tag(&start).map(Some),
                Event::End(_) => return Ok(None),
                Event::Eof => return Err(self.cut_off(open)),
                Event::Text(text) if text.trim().is_empty() => {}
                _ => {
                    let message =
                        format!("there is text in `{}`, which only holds elements", open.name);
                    return Err(malformed(message).at(self.here()));
                }
            }
        }
    }

    /// The text of an element without children.
    pub(super) fn content(&mut self, open: &Tag<'t>) -> Result<Cow<'t, str>, Diagnostic> {
        let mut all = Cow::Borrowed("");
        let mut add = |piece: Cow<'t, str>| {
            if all.is_empty() { all = piece } else { all.to_mut().push_str(&piece) }
        };
        loop {
            match self.event()? {
                Event::Text(text) => add(text.xml10_content()),
                Event::CData(text) => add(text.xml10_content()),
                Event::GeneralRef(name) => {
                    let resolved = resolve(&name).ok_or_else(|| {
                        let message = format!("there is no entity `&{};`", shorten(&name));
                        malformed(message).at(self.here())
                    })?;
                    add(Cow::Owned(resolved.into()));
                }
                Event::End(_) => return Ok(all),
                Event::Eof => return Err(self.cut_off(open)),
                _ => {
                    let message =
                        format!("there is an element in `{}`, which only holds text", open.name);
                    return Err(malformed(message).at(self.here()));
                }
            }
        }
    }

    /// Reads past an element, whatever it holds.
    pub(super) fn skip(&mut self, open: &Tag<'t>) -> Result<(), Diagnostic> {
        let mut depth = 0;
        loop {
            match self.event()? {
                Event::Start(_) => depth += 1,
                Event::End(_) if depth == 0 => return Ok(()),
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(self.cut_off(open)),
                _ => {}
            }
            if depth > MAX_DEPTH {
                return Err(too_deep().at(self.here()));
            }
        }
    }
}

/// The character that a reference stands for; only the five entities that XML itself has are known.
fn resolve(name: &BytesRef<'_>) -> Option<char> {
    match &**name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => name.resolve_char_ref().ok().flatten(),
    }
}
