//! The text of each piece of a new list, at the column that it comes to.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use super::join::Join;
use super::keys::edits;
use super::list::{Chunk, Layout, Shape};
use super::pick::{Item, Piece, What};
use super::text::{Edit, applied, column, least, part, shifted, shifted_behind};
use super::write::Style;
use crate::source::Node;

/// Most characters of an expression that a comment repeats.
const LONGEST: usize = 100;

/// The text of a piece.
#[derive(Default)]
pub(super) struct Unit {
    /// Comment lines above it.
    pub(super) lead: String,
    /// The item, up to where a comma would stand.
    pub(super) body: String,
    /// The rest of its lines.
    rest: String,
    /// The comma in the rest.
    comma: Option<usize>,
    /// What it says.
    pub(super) says: Json,
}

impl Unit {
    pub(super) fn of(piece: &Piece<'_>) -> Self {
        let (mut says, timing) = match &piece.what {
            What::Item(item, timing) => (item.node.to_json(), *timing),
            What::Written(_, says, timing) => (says.to_json(), *timing),
            What::New(step, _) => (Json::Object(step.clone()), None),
        };
        if let (What::Written(..), Some(step)) = (&piece.what, says.as_object_mut()) {
            step.retain(|key, _| !matches!(&**key, "for_each" | "in"));
        }
        if let (Some(timing), Some(step)) = (timing, says.as_object_mut()) {
            timing.put(step);
        }
        Self { says, ..Self::default() }
    }

    /// The rest of its lines, with a comma or without.
    pub(super) fn rest_with(&self, comma: bool) -> String {
        match self.comma {
            Some(at) if !comma => {
                let (before, behind) = self.rest.split_at_checked(at).unwrap_or((&self.rest, ""));
                [before, behind.strip_prefix(',').unwrap_or(behind)].concat()
            }
            None if comma => format!(",{}", self.rest),
            _ => self.rest.clone(),
        }
    }
}

impl Join<'_> {
    /// The text of a piece; none if its changes do not fit together.
    pub(super) fn unit(
        &self,
        position: usize,
        piece: &Piece<'_>,
        list: &Layout,
        blocks: &BTreeMap<usize, Layout>,
    ) -> Option<Unit> {
        let mut unit = Unit::of(piece);
        let (item, says, timing) = match &piece.what {
            What::New(step, note) => {
                unit.lead = self.style.comment(note.unwrap_or_default(), list.column);
                self.write(&mut unit, step, list, self.neighbour(position));
                return Some(unit);
            }
            What::Item(item, timing) => (item, item.node, *timing),
            What::Written(item, says, timing) => (item, *says, *timing),
        };
        let slot = piece.slot?;
        let from = blocks.get(&slot.0).filter(|_| piece.is_apart).unwrap_or(list);
        let chunk = from.chunks.get(if piece.is_apart && blocks.contains_key(&slot.0) {
            slot.1
        } else {
            slot.0
        })?;
        if list.shape != Shape::Inline {
            unit.lead = self.lead(position, piece, list, (from, chunk))?;
        }
        let is_whole = matches!(piece.what, What::Item(_, None));
        let edits = if is_whole {
            Some(Vec::new())
        } else {
            edits(self.text, item.node, says, timing, self.style)
        };
        if let Some(edits) = edits {
            self.keep(&mut unit, item, (list, from, chunk), &edits)?;
        } else {
            let step = unit.says.as_object().cloned()?;
            self.write(&mut unit, &step, list, Some(item.node));
        }
        Some(unit)
    }

    /// The comments above a piece: those that it has, and what it was part of.
    fn lead(
        &self,
        position: usize,
        piece: &Piece<'_>,
        list: &Layout,
        (from, chunk): (&Layout, &Chunk),
    ) -> Option<String> {
        let own = part(self.text, chunk.lead.clone());
        if !piece.is_apart {
            return Some(own.to_owned());
        }
        let slot = piece.slot?;
        let item = self.items.get(slot.0)?;
        let earlier = self.pieces.get(..position)?;
        let is_of =
            |other: &Piece<'_>| other.is_apart && other.slot.is_some_and(|at| at.0 == slot.0);
        let is_same = |other: &Piece<'_>| other.is_apart && other.slot == Some(slot);
        let said = |item: &Item<'_>| self.style.comment(&origin(item), list.column);
        let mut lead = String::new();
        let is_block = !std::ptr::eq(list, from);
        if is_block && !earlier.iter().any(is_of) {
            let block = list.chunks.get(slot.0)?;
            lead.push_str(part(self.text, block.lead.clone()));
            lead.push_str(&self.head(item, from, list));
        }
        if is_block && !earlier.last().is_some_and(is_of) {
            lead.push_str(&said(item));
        }
        if !earlier.iter().any(is_same) {
            lead.push_str(&shifted(own, from.column, list.column));
        }
        if let (What::Written(item, ..), false) = (&piece.what, earlier.last().is_some_and(is_same))
        {
            lead.push_str(&said(item));
        }
        Some(lead)
    }

    /// The comments between the key of a block and its first item.
    fn head(&self, item: &Item<'_>, block: &Layout, list: &Layout) -> String {
        let Some(entry) = item.node.entry("parallel") else { return String::new() };
        let end = block.chunks.first().map_or(0, |chunk| chunk.before.end);
        let lines = part(self.text, entry.key_place.end as usize..end).lines();
        let said = lines.filter_map(|line| Some(line.split_once('#')?.1));
        said.map(|line| self.style.comment(line, list.column)).collect()
    }

    /// The text of an item, moved to the column of the list if it stood in another one.
    fn keep(
        &self,
        unit: &mut Unit,
        item: &Item<'_>,
        (list, from, chunk): (&Layout, &Layout, &Chunk),
        edits: &[Edit],
    ) -> Option<()> {
        let text = self.text;
        let (start, end) = (item.node.place.start as usize, item.node.place.end as usize);
        let is_same = std::ptr::eq(list, from);
        if list.shape == Shape::Inline {
            unit.body = applied(text, start..end, edits)?;
            return Some(());
        }
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
                let new = list.column + dash.len();
                let body = match from {
                    // Its further lines stand anywhere.
                    Shape::Inline => shifted_behind(&body, least(&body), new + 2),
                    _ => shifted_behind(&body, column(text, start), new),
                };
                unit.body = format!("{}{dash}{body}", " ".repeat(list.column));
                match from {
                    Shape::Rows => self.rest(unit, chunk, end),
                    _ => self.style.line_break.clone_into(&mut unit.rest),
                }
                if shape == Shape::Block {
                    unit.rest = unit.rest_with(false);
                    unit.comma = None;
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
            What::Item(item, _) | What::Written(item, ..) => Some(item.node),
            What::New(..) => None,
        });
        found.or_else(|| self.items.first().map(|item| item.node))
    }
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
