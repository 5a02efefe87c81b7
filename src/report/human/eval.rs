//! What came of an expression, for a person: the value first, then its type and what it rests on.

use std::io;

use anstyle::{AnsiColor, Style};

use crate::report::diagnostic::clean;
use crate::report::eval::{MissingX, ObjectX, SeenX, Shown, Tried, Tried1};
use crate::report::explain::PlaceX;
use crate::report::human::{Page, plural};

/// Most members of a list or record inside another value.
const MAX_INSIDE: usize = 8;

/// Writes what came of an expression.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(tried: &Tried, limit: usize, colour: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page { colour, text: String::new() };
    match tried.results.as_slice() {
        [only] if only.each.is_none() => {
            page.result(only, limit);
            page.line("");
            page.row("type", &tried.ty);
            page.scope(tried);
            page.missing(&only.missing, limit);
            page.evidence(only);
            if only.status == "checked" {
                page.row("facts", "none were given, so it was checked and not evaluated");
            }
        }
        several => {
            let width = several
                .iter()
                .filter_map(|one| one.each.as_ref())
                .map(|named| clean(&named.key).chars().count());
            let width = width.max().unwrap_or(0).min(40);
            for one in several {
                page.each(one, width);
            }
            if several.is_empty() {
                page.line("no object of the kind: checked, not evaluated");
            }
            page.line("");
            page.row("type", &tried.ty);
            page.scope(tried);
        }
    }
    out.write_all(page.text.as_bytes())
}

/// A value and nothing else: what the prompt answers.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_value(
    result: &Tried1,
    ty: &str,
    limit: usize,
    colour: bool,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let mut page = Page { colour, text: String::new() };
    if result.status == "checked" {
        let dim = page.dim("(no facts to evaluate it on)");
        page.line(&format!(": {}  {dim}", clean(ty)));
    } else {
        page.result(result, limit);
        page.missing(&result.missing, limit);
        let ty = page.dim(&format!(": {}", clean(ty)));
        page.line(&ty);
    }
    out.write_all(page.text.as_bytes())
}

/// What a value rests on.
///
/// # Errors
///
/// Only those of `out`.
pub fn write_evidence(result: &Tried1, colour: bool, out: &mut dyn io::Write) -> io::Result<()> {
    let mut page = Page { colour, text: String::new() };
    page.missing(&result.missing, usize::MAX);
    page.evidence(result);
    if result.missing.is_empty() && result.evidence.is_empty() {
        page.line("it read no facts");
    }
    out.write_all(page.text.as_bytes())
}

impl Page {
    fn dim(&self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }

    /// A word in front, its text behind; further lines below the text.
    fn row(&mut self, word: &str, text: &str) {
        self.paragraph(&format!("{word:<7}"), 7, text);
    }

    fn result(&mut self, result: &Tried1, limit: usize) {
        match &result.value {
            Some(value) => self.value(value, limit),
            None if result.status == "checked" => {
                let text = self.dim("checked");
                self.line(&text);
            }
            None => {
                let style = Style::new().bold().fg_color(Some(AnsiColor::Yellow.into()));
                let text = self.paint("not known", style);
                self.line(&text);
            }
        }
    }

    fn scope(&mut self, tried: &Tried) {
        let Some(rule) = &tried.rule else { return };
        let subject = match &rule.subject {
            Some(subject) => format!("{} for {}", rule.id, subject.key),
            None => rule.id.clone(),
        };
        let which = match rule.of {
            0 => " (its names stand for nothing here)".to_owned(),
            1 => String::new(),
            of => format!(" (binding {} of {of}; `--subject` and `--nth` choose)", rule.binding),
        };
        self.row("in", &format!("{subject}{which}"));
    }

    fn value(&mut self, value: &Shown, limit: usize) {
        match value {
            Shown::Object(object) => self.object(object),
            Shown::Record(fields) => {
                for (name, value) in fields {
                    self.line(&format!("{}: {}", clean(name), inline(value)));
                }
                if fields.is_empty() {
                    self.line("{ }");
                }
            }
            Shown::List(item, members, complete) => self.list(item, members, *complete, limit),
            Shown::Int(..) | Shown::Time(..) => {
                let (value, note) = noted(value);
                let note = note.map(|note| self.dim(&format!("  ({note})"))).unwrap_or_default();
                self.line(&format!("{value}{note}"));
            }
            other => self.line(&inline(other)),
        }
    }

    fn object(&mut self, object: &ObjectX) {
        let key = self.paint(&clean(&object.key), Style::new().bold());
        self.line(&format!("{} {key}", clean(&object.kind)));
        let place = object.place.as_ref().map(said).unwrap_or_default();
        let place = self.dim(&place);
        self.line(&format!("  {}  {place}", clean(&object.path)));
        for (name, value) in &object.facts {
            self.line(&format!("  {}: {}", clean(name), inline(value)));
        }
    }

    fn list(&mut self, item: &str, members: &[Shown], complete: bool, limit: usize) {
        let open = if complete { "" } else { "; there may be more than were collected" };
        let noun = if item.is_empty() || item.contains(' ') { "member" } else { item };
        if members.is_empty() {
            return self.line(&format!("[]  (no {noun}{open})"));
        }
        self.line(&format!("{}{open}", plural(members.len(), noun)));
        for member in members.iter().take(limit) {
            let place = match member {
                Shown::Object(object) => object.place.as_ref().map(said),
                _ => None,
            };
            let place = place.map(|place| self.dim(&format!("  {place}"))).unwrap_or_default();
            self.line(&format!("  {}{place}", inline(member)));
        }
        if members.len() > limit {
            let more = members.len() - limit;
            self.line(&format!("  and {more} more (`--limit 0` shows all)"));
        }
    }

    fn each(&mut self, one: &Tried1, width: usize) {
        let key = one.each.as_ref().map(|named| clean(&named.key)).unwrap_or_default();
        let value = match (&one.value, one.missing.as_slice()) {
            (Some(value), _) => inline(value),
            (None, [first, rest @ ..]) => {
                let more = if rest.is_empty() {
                    String::new()
                } else {
                    format!(", and {} more", rest.len())
                };
                format!("not known ({}: {}{more})", clean(&first.fact), clean(&first.why))
            }
            (None, []) => "not known".to_owned(),
        };
        self.line(&format!("{key:<width$}  {value}"));
    }

    fn missing(&mut self, missing: &[MissingX], limit: usize) {
        for (number, one) in missing.iter().take(limit).enumerate() {
            let word = if number == 0 { "why" } else { "" };
            let place = one.place.as_ref().map(said).unwrap_or_default();
            let place = if place.is_empty() { place } else { format!(" ({place})") };
            let text = if one.gap == "failed" {
                one.why.clone()
            } else {
                format!("{}: {}{place}", one.fact, one.why)
            };
            self.row(word, &text);
        }
        if missing.len() > limit {
            self.row("", &format!("and {} more", missing.len() - limit));
        }
    }

    fn evidence(&mut self, result: &Tried1) {
        for (number, seen) in result.evidence.iter().enumerate() {
            let word = if number == 0 { "facts" } else { "" };
            let place = seen.place.as_ref().map(|place| self.dim(&format!("  {}", said(place))));
            self.line(&format!("{word:<7}{}{}", fact(seen), place.unwrap_or_default()));
        }
        if result.evidence_left_out > 0 {
            let count = result.evidence_left_out;
            self.line(&format!("{:<7}and {count} more (`--limit 0` shows all)", ""));
        }
    }
}

fn fact(seen: &SeenX) -> String {
    let path = clean(&seen.fact);
    match &seen.value {
        Shown::Collection(..) => format!("{path}: {}", inline(&seen.value)),
        value => format!("{path} = {}", inline(value)),
    }
}

fn said(place: &PlaceX) -> String {
    clean(&format!("{}:{}:{}", place.file, place.line, place.column))
}

/// A value without its note, and the note.
fn noted(value: &Shown) -> (String, Option<String>) {
    match value {
        Shown::Int(value, note) => (value.to_string(), note.clone()),
        Shown::Time(text, note) => (clean(text), Some(note.clone())),
        other => (inline(other), None),
    }
}

/// A value on one line.
#[must_use]
pub fn inline(value: &Shown) -> String {
    match value {
        Shown::Null => "()".to_owned(),
        Shown::Bool(value) => value.to_string(),
        Shown::Int(..) | Shown::Time(..) => {
            let (value, note) = noted(value);
            note.map_or(value.clone(), |note| format!("{value} ({note})"))
        }
        Shown::Float(value) => format!("{value:?}"),
        Shown::Text(text) => quoted(text),
        Shown::Object(object) => clean(&object.key),
        Shown::Record(fields) => {
            let parts =
                fields.iter().map(|(name, value)| format!("{}: {}", clean(name), inline(value)));
            format!("{{ {} }}", some(parts, fields.len()))
        }
        Shown::List(_, members, complete) => {
            let open = if *complete { "" } else { ", perhaps more" };
            format!("[{}{open}]", some(members.iter().map(inline), members.len()))
        }
        Shown::Collection(count, complete) => {
            let open = if *complete { "these are all" } else { "there may be more" };
            format!("{}, {open}", plural(*count, "object"))
        }
        Shown::NotKnown(why) => format!("not known ({})", clean(why)),
    }
}

/// The first few parts.
fn some(parts: impl Iterator<Item = String>, count: usize) -> String {
    let mut shown: Vec<String> = parts.take(MAX_INSIDE).collect();
    if count > MAX_INSIDE {
        shown.push(format!("and {} more", count - MAX_INSIDE));
    }
    shown.join(", ")
}

/// Text as it is, in quotes only where its ends would not be seen.
fn quoted(text: &str) -> String {
    let plain = clean(text);
    if text.is_empty() || text != text.trim() { format!("\"{plain}\"") } else { plain }
}
