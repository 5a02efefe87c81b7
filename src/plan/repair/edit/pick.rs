//! Which piece of the file each step of the new plan comes from.

use std::ops::Range;

use serde_json::{Map, Value as Json};

use super::{EditError, Entry, Timing};
use crate::plan::{Plan, Step};
use crate::source::Node;

/// An item of the list with the steps that it became.
#[derive(Debug)]
pub(super) struct Item<'a> {
    pub(super) node: &'a Node,
    /// Positions in the plan.
    pub(super) steps: Range<usize>,
    /// Of a `parallel`: its items.
    pub(super) members: Vec<Item<'a>>,
}

/// Where an item stands: its position in the list, and in its `parallel`.
pub(super) type Slot = (usize, usize);

/// What a piece of the new list is.
#[derive(Debug)]
pub(super) enum What<'a> {
    /// An item as it is, or with other waits.
    Item(&'a Item<'a>, Option<&'a Timing>),
    /// A step of a `for_each`, written out, perhaps with other waits.
    Written(&'a Item<'a>, &'a Node, Option<&'a Timing>),
    /// A step that was not there.
    New(Map<String, Json>, Option<&'a str>),
}

/// A piece of the new list.
#[derive(Debug)]
pub(super) struct Piece<'a> {
    /// Where it stood; none of a new one.
    pub(super) slot: Option<Slot>,
    /// Whether it was part of an item that is taken apart.
    pub(super) is_apart: bool,
    pub(super) what: What<'a>,
}

impl<'a> Item<'a> {
    /// The items of a list, with the steps of the plan; none if it is not the plan's list.
    pub(super) fn all(nodes: &'a [Node], steps: &[Step]) -> Option<Vec<Self>> {
        let mut at = 0;
        let items = Self::some(nodes, steps, &mut at);
        (at == steps.len()).then_some(items)
    }

    fn some(nodes: &'a [Node], steps: &[Step], at: &mut usize) -> Vec<Self> {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            let start = *at;
            let members = node.get("parallel").and_then(Node::as_list).unwrap_or_default();
            let members = Self::some(members, steps, at);
            let is_in = |step: &Step| {
                let (inner, outer) = (step.place, node.place);
                inner.file == outer.file && outer.start <= inner.start && inner.end <= outer.end
            };
            while steps.get(*at).is_some_and(is_in) {
                *at += 1;
            }
            items.push(Self { node, steps: start..*at, members });
        }
        items
    }

    pub(super) fn is_each(&self) -> bool {
        self.node.get("for_each").is_some()
    }

    /// Whether the next entries are its steps, and nothing is different about them.
    fn is_whole(&self, entries: &[Entry], plan: &Plan) -> bool {
        let entries = entries.get(..self.steps.len()).unwrap_or_default();
        let is_next = |(entry, position): (&Entry, usize)| match entry {
            Entry::Kept { step, timing } => {
                let timing = timing.as_ref();
                *step == position
                    && timing.is_none_or(|timing| {
                        self.written(position, plan).is_some_and(|node| timing.is_of(node))
                    })
            }
            Entry::New { .. } => false,
        };
        entries.len() == self.steps.len() && entries.iter().zip(self.steps.clone()).all(is_next)
    }

    /// What a step of it looks like, written out.
    fn written<'p>(&self, position: usize, plan: &'p Plan) -> Option<&'p Node>
    where
        'a: 'p,
    {
        let filled = plan.written().get(position).and_then(|step| step.filled.as_deref());
        if filled.is_some() || self.members.is_empty() {
            return filled.or((!self.is_each()).then_some(self.node));
        }
        let member = self.members.iter().find(|member| member.steps.contains(&position));
        member.and_then(|member| member.written(position, plan))
    }
}

/// The pieces of the new list, in its order.
pub(super) fn pieces<'a>(
    items: &'a [Item<'a>],
    plan: &'a Plan,
    entries: &'a [Entry],
) -> Result<Vec<Piece<'a>>, EditError> {
    let mut pieces = Vec::new();
    let mut is_used = vec![false; plan.written().len()];
    let mut rest = entries;
    while let Some((entry, behind)) = rest.split_first() {
        let (step, timing) = match entry {
            Entry::Kept { step, timing } => (*step, timing.as_ref()),
            Entry::New { id, action, with, timing, note } => {
                let what = What::New(new(id, action, with, timing), note.as_deref());
                pieces.push(Piece { slot: None, is_apart: false, what });
                rest = behind;
                continue;
            }
        };
        let top = items.partition_point(|item| item.steps.end <= step);
        let item = items.get(top).ok_or(EditError::Unknown(step))?;
        let mut piece = |slot, is_apart, what, steps: Range<usize>| {
            for used in is_used.get_mut(steps).unwrap_or_default() {
                if std::mem::replace(used, true) {
                    return Err(EditError::Twice(step));
                }
            }
            pieces.push(Piece { slot: Some(slot), is_apart, what });
            Ok(())
        };
        let mut count = 1;
        if item.is_whole(rest, plan) {
            count = item.steps.len();
            piece((top, 0), false, What::Item(item, None), item.steps.clone())?;
        } else {
            let member = item.members.partition_point(|member| member.steps.end <= step);
            let is_apart = !item.members.is_empty();
            let (leaf, slot) = match item.members.get(member) {
                Some(member_item) => (member_item, (top, member)),
                None => (item, (top, 0)),
            };
            if leaf.is_each() && !leaf.is_whole(rest, plan) {
                let steps = plan.written();
                let filled = steps.get(step).and_then(|step| step.filled.as_deref());
                let filled = filled.ok_or(EditError::Unknown(step))?;
                let what = What::Written(leaf, filled, timing);
                piece(slot, true, what, step..step + 1)?;
            } else {
                let each = leaf.is_each();
                count = leaf.steps.len();
                let timing = timing.filter(|timing| !each && !timing.is_of(leaf.node));
                piece(slot, is_apart, What::Item(leaf, timing), leaf.steps.clone())?;
            }
        }
        rest = rest.get(count..).unwrap_or_default();
    }
    without_steps(items, &mut pieces);
    Ok(pieces)
}

/// The piece before which something is put that stood at a slot and is not moved itself.
pub(super) fn anchor(pieces: &[Piece<'_>], slot: Slot) -> usize {
    let behind = pieces.iter().enumerate().filter(|(_, piece)| piece.slot >= Some(slot));
    behind.min_by_key(|(at, piece)| (piece.slot, *at)).map_or(pieces.len(), |(at, _)| at)
}

/// Items that are no step, as their list is empty, stay where they are.
fn without_steps<'a>(items: &'a [Item<'a>], pieces: &mut Vec<Piece<'a>>) {
    for (top, item) in items.iter().enumerate() {
        let is_apart = pieces
            .iter()
            .any(|piece| piece.is_apart && piece.slot.is_some_and(|slot| slot.0 == top));
        let members: &[Item<'_>] =
            if is_apart { &item.members } else { std::slice::from_ref(item) };
        for (position, member) in members.iter().enumerate() {
            if member.steps.is_empty() {
                let slot = (top, position);
                let what = What::Item(member, None);
                pieces.insert(anchor(pieces, slot), Piece { slot: Some(slot), is_apart, what });
            }
        }
    }
}

fn new(id: &str, action: &str, with: &[(String, Json)], timing: &Timing) -> Map<String, Json> {
    let mut step = Map::new();
    step.insert("id".to_owned(), Json::from(id));
    step.insert("action".to_owned(), Json::from(action));
    if !with.is_empty() {
        step.insert("with".to_owned(), Json::Object(with.iter().cloned().collect()));
    }
    timing.put(&mut step);
    step
}
