//! The pieces of a new list put together, with the blank lines, comments and commas between them.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::EditError;
use super::list::{Chunk, Layout, Shape};
use super::pick::{Item, Piece, Slot, What, anchor};
use super::text::{column, is_silent, line_stop, part, shifted, trimmed};
use super::unit::Unit;
use super::write::Style;
use crate::source::Entry;

/// What a new list is made of.
pub(super) struct Join<'a> {
    pub(super) text: &'a str,
    pub(super) style: Style,
    pub(super) items: &'a [Item<'a>],
    pub(super) pieces: &'a [Piece<'a>],
}

/// What stands before an item that is not its own.
struct Between {
    slot: Slot,
    text: String,
    has_comment: bool,
}

impl Between {
    fn of(slot: Slot, text: String) -> Self {
        let has_comment = text.contains('#');
        Self { slot, text, has_comment }
    }

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
        let overlap = EditError::Layout { place: entry.node.place, why: "two changes overlap" };
        let blocks = self.blocks()?;
        let mut units = Vec::with_capacity(pieces.len());
        for (position, piece) in pieces.iter().enumerate() {
            units.push(self.unit(position, piece, list, &blocks).ok_or(overlap.clone())?);
        }
        let mut between = self.between(list, &blocks);
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

    /// The lists of the blocks that are taken apart, by position.
    fn blocks(&self) -> Result<BTreeMap<usize, Layout>, EditError> {
        let mut blocks = BTreeMap::new();
        for slot in self.pieces.iter().filter(|piece| piece.is_apart).filter_map(|piece| piece.slot)
        {
            let entry = self.items.get(slot.0).and_then(|item| item.node.entry("parallel"));
            if let (Some(entry), false) = (entry, blocks.contains_key(&slot.0)) {
                blocks.insert(slot.0, Layout::of(self.text, entry)?);
            }
        }
        Ok(blocks)
    }

    /// What stands before each item of the list, and before those of blocks that are taken apart.
    fn between(&self, list: &Layout, blocks: &BTreeMap<usize, Layout>) -> Vec<Between> {
        let text = |chunk: &Chunk| part(self.text, chunk.before.clone());
        let mut all = Vec::new();
        for (top, chunk) in list.chunks.iter().enumerate() {
            all.push(Between::of((top, 0), text(chunk).to_owned()));
        }
        for (top, block) in blocks.iter().filter(|(_, block)| block.shape != Shape::Inline) {
            for (member, chunk) in block.chunks.iter().enumerate().skip(1) {
                let text = shifted(text(chunk), block.column, list.column);
                all.push(Between::of((*top, member), text));
            }
        }
        all
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
            out.extend([&unit.lead, &unit.body, &*unit.rest_with(with_comma)]);
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
