//! The pieces of a new list put together, with the blank lines, comments and commas between them.

use serde_json::{Map, Value as Json};

use super::EditError;
use super::keys::retimed;
use super::list::{Chunk, Layout, Shape};
use super::pick::{Item, Piece, Slot, What, anchor};
use super::text::{applied, column, is_silent, line_stop, part, shifted, shifted_behind, trimmed};
use super::write::Style;
use crate::source::{Entry, Node};

/// Most characters of an expression that a comment repeats.
const LONGEST: usize = 100;

/// What a new list is made of.
pub(super) struct Join<'a> {
    pub(super) text: &'a str,
    pub(super) style: Style,
    pub(super) items: &'a [Item<'a>],
    pub(super) pieces: &'a [Piece<'a>],
}

/// The text of a piece.
#[derive(Default)]
struct Unit {
    /// Comment lines above it.
    lead: String,
    /// The item, up to where a comma would stand.
    body: String,
    /// The rest of its lines.
    rest: String,
    /// The comma in the rest.
    comma: Option<usize>,
    /// What it says.
    says: Json,
}

impl Unit {
    fn of(piece: &Piece<'_>) -> Self {
        let says = match &piece.what {
            What::Item(item, None) => item.node.to_json(),
            What::Item(item, Some(timing)) => {
                let mut says = item.node.to_json();
                if let Some(step) = says.as_object_mut() {
                    timing.put(step);
                }
                says
            }
            What::Written(_, step) | What::New(step, _) => Json::Object(step.clone()),
        };
        Self { says, ..Self::default() }
    }

    /// Its lines, with a comma or without.
    fn lines(&self, with_comma: bool) -> String {
        let Self { lead, body, rest, comma, .. } = self;
        match comma {
            Some(at) if !with_comma => {
                let (before, behind) = rest.split_at_checked(*at).unwrap_or((rest, ""));
                [lead, body, before, behind.strip_prefix(',').unwrap_or(behind)].concat()
            }
            None if with_comma => [lead, body, ",", rest].concat(),
            _ => [&**lead, body, rest].concat(),
        }
    }
}

/// What stands before an item that is not its own.
struct Between {
    slot: Slot,
    text: String,
    has_comment: bool,
}

impl Between {
    fn lines(&self) -> usize {
        self.text.matches('\n').count()
    }
}

impl Join<'_> {
    /// The text with items in a list that has none, and what they say.
    pub(super) fn fresh(&self, entry: &Entry, is_block: bool) -> (String, Vec<Json>) {
        let text = self.text;
        let list = entry.node.place.start as usize..entry.node.place.end as usize;
        let steps: Vec<Json> = self.pieces.iter().map(|piece| Unit::of(piece).says).collect();
        if steps.is_empty() {
            return (text.to_owned(), steps);
        }
        let is_block = is_block && is_silent(part(text, list.end..line_stop(text, list.end)));
        let key = column(text, entry.key_place.start as usize);
        let column = if is_block { key + 2 } else { 0 };
        let shape = if is_block { Shape::Block } else { Shape::Inline };
        let layout = Layout { shape, region: list.clone(), chunks: Vec::new(), rest: 0..0, column };
        let mut lines = String::new();
        for piece in self.pieces {
            if let (What::New(step, note), true) = (&piece.what, is_block) {
                lines.push_str(self.style.line_break);
                lines.push_str(&self.style.comment(note.unwrap_or_default(), column));
                lines.push_str(&self.style.step(&Json::Object(step.clone()), &layout, None));
            }
        }
        let new = if is_block {
            let head = trimmed(text, 0..list.start).end;
            let stop = line_stop(text, list.end);
            [part(text, 0..head), part(text, list.end..stop), &lines, part(text, stop..text.len())]
                .concat()
        } else {
            let steps: Vec<String> = steps.iter().map(|step| self.style.value(step)).collect();
            let steps = steps.join(self.style.comma());
            [part(text, 0..list.start), "[", &steps, "]", part(text, list.end..text.len())].concat()
        };
        (new, steps)
    }

    /// The text with the pieces for the items of the list, and what they say.
    pub(super) fn list(
        &self,
        entry: &Entry,
        list: &Layout,
    ) -> Result<(String, Vec<Json>), EditError> {
        let Self { text, style, pieces, .. } = *self;
        let foreign = EditError::Layout { place: entry.node.place, why: "two changes overlap" };
        let mut units = Vec::with_capacity(pieces.len());
        let mut between = self.between(list);
        for (position, piece) in pieces.iter().enumerate() {
            let unit = self.unit(position, piece, list, &mut between)?;
            units.push(unit.ok_or(foreign.clone())?);
        }
        between.sort_by_key(|between| between.slot);
        let region = &list.region;
        let new = match list.shape {
            Shape::Inline => self.inline(&units, list),
            Shape::Block | Shape::Rows => self.lines(&units, &between, list),
        };
        let mut head = part(text, 0..region.start).to_owned();
        if units.is_empty() && list.shape == Shape::Block {
            let key = entry.key_place.end as usize;
            let colon = part(text, key..region.start).find(':').map_or(key, |at| key + at + 1);
            head.insert_str(colon.min(head.len()), " []");
        }
        let mut new = [&head, &*new, part(text, region.end..text.len())].concat();
        if region.end == text.len() && !text.ends_with('\n') {
            new.truncate(new.strip_suffix(style.line_break).map_or(new.len(), str::len));
        }
        Ok((new, units.into_iter().map(|unit| unit.says).collect()))
    }

    /// What stands before each item of the list.
    fn between(&self, list: &Layout) -> Vec<Between> {
        let chunks = list.chunks.iter().enumerate();
        let between = chunks.map(|(top, chunk)| self.one_between((top, 0), chunk));
        between.collect()
    }

    fn one_between(&self, slot: Slot, chunk: &Chunk) -> Between {
        let text = part(self.text, chunk.before.clone()).to_owned();
        let has_comment = text.contains('#');
        Between { slot, text, has_comment }
    }

    fn unit(
        &self,
        position: usize,
        piece: &Piece<'_>,
        list: &Layout,
        between: &mut Vec<Between>,
    ) -> Result<Option<Unit>, EditError> {
        let mut unit = Unit::of(piece);
        let top = piece.slot.and_then(|slot| Some((slot, self.items.get(slot.0)?)));
        let chunk = piece.slot.and_then(|slot| list.chunks.get(slot.0));
        if piece.is_apart
            && let Some((slot, item)) = top
        {
            let of_item =
                |other: &Piece<'_>| other.is_apart && other.slot.is_some_and(|at| at.0 == slot.0);
            let before = self.pieces.get(..position).unwrap_or_default();
            if !before.iter().any(of_item) {
                unit.lead.extend(chunk.map(|chunk| part(self.text, chunk.lead.clone())));
            }
            if !before.last().is_some_and(of_item) {
                unit.lead.push_str(&self.style.comment(&origin(item), list.column));
            }
        }
        match &piece.what {
            What::New(step, note) => {
                unit.lead.push_str(&self.style.comment(note.unwrap_or_default(), list.column));
                self.write(&mut unit, step, list, self.neighbour(position));
            }
            What::Written(item, step) => self.write(&mut unit, step, list, Some(item.node)),
            What::Item(item, timing) => {
                let edits = timing.map(|timing| retimed(self.text, item.node, timing, self.style));
                let edits = edits.unwrap_or_default();
                let inner = top
                    .filter(|_| piece.is_apart)
                    .and_then(|(slot, top)| Some((slot, top.node.entry("parallel")?)));
                let Some((slot, entry)) = inner else {
                    let done = chunk
                        .and_then(|chunk| self.keep(&mut unit, item, (list, list, chunk), &edits));
                    return Ok(done.map(|()| unit));
                };
                let inner = Layout::of(self.text, entry)?;
                let Some(chunk) = inner.chunks.get(slot.1) else { return Ok(None) };
                if slot.1 > 0 && !between.iter().any(|known| known.slot == slot) {
                    let mut one = self.one_between(slot, chunk);
                    if inner.shape == Shape::Inline {
                        one.text.clear();
                    }
                    one.text = shifted(&one.text, inner.column, list.column);
                    between.push(one);
                }
                let done = self.keep(&mut unit, item, (list, &inner, chunk), &edits);
                return Ok(done.map(|()| unit));
            }
        }
        Ok(Some(unit))
    }

    /// The text of an item, moved to the column of the list if it stood in another one.
    fn keep(
        &self,
        unit: &mut Unit,
        item: &Item<'_>,
        (list, from, chunk): (&Layout, &Layout, &Chunk),
        edits: &[super::text::Edit],
    ) -> Option<()> {
        let text = self.text;
        let (start, end) = (item.node.place.start as usize, item.node.place.end as usize);
        let lead = part(text, chunk.lead.clone());
        let (indent, old) = (" ".repeat(list.column), column(text, start));
        let is_same = std::ptr::eq(list, from);
        if list.shape == Shape::Inline {
            unit.body = applied(text, start..end, edits)?;
            return Some(());
        }
        unit.lead.push_str(&shifted(
            lead,
            from.column,
            if is_same { from.column } else { list.column },
        ));
        match (list.shape, from.shape) {
            (Shape::Block, Shape::Block) => {
                let body = ended(applied(text, chunk.body.clone(), edits)?, self.style);
                unit.body = if is_same { body } else { shifted(&body, from.column, list.column) };
            }
            (_, Shape::Rows) if is_same => {
                unit.body = applied(text, chunk.body.start..end, edits)?;
                self.rest(unit, chunk, end);
            }
            (shape, from) => {
                let dash = if shape == Shape::Block { "- " } else { "" };
                let body = applied(text, start..end, edits)?;
                let body = shifted_behind(&body, old, list.column + dash.len());
                unit.body = format!("{indent}{dash}{body}");
                match from {
                    Shape::Rows => self.rest(unit, chunk, end),
                    _ => self.style.line_break.clone_into(&mut unit.rest),
                }
                if shape == Shape::Block {
                    unit.body = unit.lines_of_body();
                    (unit.rest, unit.comma) = (String::new(), None);
                }
            }
        }
        Some(())
    }

    /// What stands behind an item in its lines.
    fn rest(&self, unit: &mut Unit, chunk: &Chunk, end: usize) {
        unit.rest = ended(part(self.text, end..chunk.body.end).to_owned(), self.style);
        unit.comma = chunk.comma.map(|comma| comma - end);
    }

    fn write(&self, unit: &mut Unit, step: &Map<String, Json>, list: &Layout, like: Option<&Node>) {
        let like = like.map(|node| (self.text, node));
        unit.body = self.style.step(&Json::Object(step.clone()), list, like);
        if list.shape != Shape::Inline {
            self.style.line_break.clone_into(&mut unit.rest);
        }
    }

    /// The next item that the file has, above or below.
    fn neighbour(&self, position: usize) -> Option<&Node> {
        let (above, below) = self.pieces.split_at_checked(position)?;
        let found = above.iter().rev().chain(below).find_map(|piece| match &piece.what {
            What::Item(item, _) | What::Written(item, _) => Some(item.node),
            What::New(..) => None,
        });
        found.or_else(|| self.items.first().map(|item| item.node))
    }

    fn lines(&self, units: &[Unit], between: &[Between], list: &Layout) -> String {
        let usual = self.style.line_break.repeat(usual(between));
        let mut out = between.first().map(|head| head.text.clone()).unwrap_or_default();
        if list.chunks.is_empty() {
            out.clear();
        }
        let comments: Vec<(usize, &Between)> = between
            .iter()
            .skip(1)
            .filter(|between| between.has_comment)
            .map(|between| (anchor(self.pieces, between.slot), between))
            .collect();
        let has_last_comma = list.chunks.last().is_some_and(|chunk| chunk.comma.is_some());
        for (position, unit) in units.iter().enumerate() {
            let mut own = comments.iter().filter(|(at, _)| *at == position).peekable();
            if own.peek().is_some() {
                let text: String = own.map(|(_, between)| &*between.text).collect();
                out.push_str(if position == 0 {
                    text.trim_start_matches(['\r', '\n'])
                } else {
                    &text
                });
            } else if position > 0 {
                out.push_str(self.gap(position, between).unwrap_or(&usual));
            }
            let is_last = position + 1 == units.len();
            let with_comma = list.shape == Shape::Rows && (!is_last || has_last_comma);
            out.push_str(&unit.lines(with_comma));
        }
        let left: String = comments
            .iter()
            .filter(|(at, _)| *at == units.len())
            .map(|(_, between)| &*between.text)
            .collect();
        if !left.is_empty() {
            out.push_str(left.trim_end());
            out.push_str(self.style.line_break);
        }
        out
    }

    /// The blank lines before a piece, if the file says how many.
    fn gap<'b>(&self, position: usize, between: &'b [Between]) -> Option<&'b str> {
        let slot = self.pieces.get(position)?.slot?;
        let before = self.pieces.get(position.checked_sub(1)?)?.slot;
        let first = between.first()?.slot;
        let (from, to) = match before {
            // What stood between them may have set them apart, too.
            Some(before) if before < slot => (before, slot),
            Some(before) if before == slot => return None,
            _ if slot == first => return None,
            _ => {
                let own = between.iter().find(|between| between.slot == slot);
                return own.filter(|own| !own.has_comment).map(|own| &*own.text);
            }
        };
        let is_passed = |slot: Slot| from < slot && slot <= to && (slot.1 == 0 || from.0 == to.0);
        let passed = between.iter().filter(|one| is_passed(one.slot) && !one.has_comment);
        passed.max_by_key(|one| one.lines()).map(|one| &*one.text)
    }

    fn inline(&self, units: &[Unit], list: &Layout) -> String {
        let (text, chunks) = (self.text, &list.chunks);
        let before = |at: usize| chunks.get(at).map(|chunk| part(text, chunk.before.clone()));
        if units.is_empty() {
            return String::new();
        }
        let usual = before(1).unwrap_or_else(|| self.style.comma());
        let mut out = before(0).unwrap_or_default().to_owned();
        for (position, unit) in units.iter().enumerate() {
            if position > 0 {
                let slot = self.pieces.get(position).and_then(|piece| piece.slot);
                let own = slot.filter(|(top, member)| *top > 0 && *member == 0);
                out.push_str(own.and_then(|(top, _)| before(top)).unwrap_or(usual));
            }
            out.push_str(&unit.body);
        }
        out.push_str(part(text, list.rest.clone()));
        out
    }
}

impl Unit {
    /// The item with what stands behind it, but for the comma.
    fn lines_of_body(&self) -> String {
        let lead = String::new();
        let says = Json::Null;
        Self { lead, body: self.body.clone(), rest: self.rest.clone(), comma: self.comma, says }
            .lines(false)
    }
}

/// How many blank lines stand between items as a rule.
fn usual(between: &[Between]) -> usize {
    let gaps: Vec<usize> = between
        .iter()
        .skip(1)
        .filter(|between| between.slot.1 == 0 && !between.has_comment)
        .map(Between::lines)
        .collect();
    let often = |lines: &usize| gaps.iter().filter(|other| *other == lines).count();
    gaps.iter().copied().max_by_key(|lines| (often(lines), usize::MAX - lines)).unwrap_or_default()
}

/// Lines that end with a line break.
fn ended(mut lines: String, style: Style) -> String {
    if !lines.ends_with('\n') {
        lines.push_str(style.line_break);
    }
    lines
}

/// What the steps of an item were part of.
fn origin(item: &Item<'_>) -> String {
    let text = |key: &str| item.node.get(key).and_then(Node::as_str).unwrap_or_default();
    if !item.is_each() {
        return "was in a `parallel` block".to_owned();
    }
    let list = text("in").split_whitespace().collect::<Vec<_>>().join(" ");
    let more = if list.chars().count() > LONGEST { "..." } else { "" };
    let list: String = list.chars().take(LONGEST).collect();
    format!("was `for_each: {}` in {list}{more}", text("for_each"))
}
