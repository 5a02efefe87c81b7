//! How a list of steps is laid out: which lines, or which part of a line, belong to each item.

use std::ops::Range;

use super::EditError;
use super::text::{
    column, is_blank, is_comment, is_silent, line_end, line_start, line_stop, part, trimmed,
};
use crate::source::{Entry, Node};

/// How the items are set apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// By dashes.
    Block,
    /// By commas, each item on lines of its own.
    Rows,
    /// By commas.
    Inline,
}

/// An item and what belongs to it.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    /// What stands before it and is not its own: blank lines and comments, or a comma.
    pub(super) before: Range<usize>,
    /// The comment lines directly above it.
    pub(super) lead: Range<usize>,
    /// Its lines; of an item in a line, itself.
    pub(super) body: Range<usize>,
    /// Where it begins, with its dash.
    pub(super) head: usize,
    /// The comma behind it.
    pub(super) comma: Option<usize>,
}

/// A list in a text.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) shape: Shape,
    /// From behind the line of the key, or behind the bracket, to the end of the last item.
    pub(super) region: Range<usize>,
    pub(super) chunks: Vec<Chunk>,
    /// Where the last item ends and the bracket closes, of a list in a line.
    pub(super) rest: Range<usize>,
    /// Characters before the items.
    pub(super) column: usize,
}

impl Layout {
    /// The layout of the list that a key has; it is not empty.
    pub(super) fn of(text: &str, entry: &Entry) -> Result<Self, EditError> {
        let list = &entry.node;
        let nodes = list.as_list().unwrap_or_default();
        let start = list.place.start as usize;
        if part(text, start..text.len()).starts_with('[') {
            return rows(text, list, nodes).map_or_else(|| inline(text, list, nodes), Ok);
        }
        let region = line_end(text, entry.key_place.end as usize);
        let heads = nodes.iter().map(|node| dash(text, node)).collect::<Option<Vec<_>>>();
        let chunks = heads.and_then(|heads| chunks(text, nodes, &heads, region));
        let why = "its items do not begin with a dash on lines of their own";
        let chunks = chunks.ok_or(EditError::Layout { place: list.place, why })?;
        Ok(Self::new(Shape::Block, text, region, chunks))
    }

    fn new(shape: Shape, text: &str, start: usize, chunks: Vec<Chunk>) -> Self {
        let end = chunks.last().map_or(start, |chunk| chunk.body.end);
        let column = chunks.first().map_or(0, |chunk| column(text, chunk.head));
        Self { shape, region: start..end, chunks, rest: end..end, column }
    }
}

/// The dash of an item; none in brackets.
pub(super) fn dash(text: &str, node: &Node) -> Option<usize> {
    let start = node.place.start as usize;
    let mut line = line_start(text, start);
    let mut before = part(text, line..start);
    // A dash with nothing behind it, and the item below.
    while is_blank(before) || is_comment(before) {
        let end = line.checked_sub(1)?;
        line = line_start(text, end);
        before = part(text, line..end);
    }
    let rest = before.trim_start().strip_prefix('-')?;
    let is_dash = rest.is_empty() || rest.starts_with(char::is_whitespace);
    (is_dash && is_silent(rest)).then(|| line + before.len() - before.trim_start().len())
}

/// The lines of each item; none if an item shares a line with something else.
fn chunks(text: &str, nodes: &[Node], heads: &[usize], start: usize) -> Option<Vec<Chunk>> {
    let mut chunks = Vec::with_capacity(nodes.len());
    let mut at = start;
    for (node, head) in nodes.iter().zip(heads) {
        let first = line_start(text, *head);
        if first < at || !is_blank(part(text, first..*head)) {
            return None;
        }
        let place = node.place.start as usize..node.place.end as usize;
        let mut end = line_end(text, trimmed(text, place).end);
        // A comment that stands deeper than the item goes on about it.
        let indent = column(text, *head);
        while end < text.len() {
            let line = part(text, end..line_end(text, end));
            let depth = line.chars().take_while(|c| *c == ' ' || *c == '\t').count();
            if !is_comment(line) || depth <= indent {
                break;
            }
            end += line.len();
        }
        let mut lead = first;
        while lead > at {
            let above = line_start(text, lead - 1);
            if !is_comment(part(text, above..lead)) {
                break;
            }
            lead = above;
        }
        if !is_silent(part(text, at..lead)) {
            return None;
        }
        chunks.push(Chunk {
            before: at..lead,
            lead: lead..first,
            body: first..end,
            head: *head,
            comma: None,
        });
        at = end;
    }
    Some(chunks)
}

/// A list in brackets with each item, and the closing bracket, on lines of its own.
fn rows(text: &str, list: &Node, nodes: &[Node]) -> Option<Layout> {
    let open = list.place.start as usize;
    let close = (list.place.end as usize).checked_sub(1)?;
    let start = line_end(text, open);
    if !is_silent(part(text, open + 1..line_stop(text, open))) || start > close {
        return None;
    }
    let heads: Vec<usize> = nodes.iter().map(|node| node.place.start as usize).collect();
    let mut chunks = chunks(text, nodes, &heads, start)?;
    for (position, (chunk, node)) in chunks.iter_mut().zip(nodes).enumerate() {
        let end = node.place.end as usize;
        let line = part(text, end..line_stop(text, end));
        let blanks = line.len() - line.trim_start().len();
        chunk.comma = line.trim_start().starts_with(',').then_some(end + blanks);
        let rest = line.trim_start().trim_start_matches(',');
        if !is_silent(rest) || (chunk.comma.is_none() && position + 1 < nodes.len()) {
            return None;
        }
    }
    let layout = Layout::new(Shape::Rows, text, start, chunks);
    is_silent(part(text, layout.region.end..close)).then_some(layout)
}

/// A list in brackets of any other kind.
fn inline(text: &str, list: &Node, nodes: &[Node]) -> Result<Layout, EditError> {
    let mut at = list.place.start as usize + 1;
    let close = (list.place.end as usize).saturating_sub(1);
    let mut chunks = Vec::with_capacity(nodes.len());
    for node in nodes {
        let body = node.place.start as usize..node.place.end as usize;
        let lead = body.start..body.start;
        chunks.push(Chunk {
            before: at..lead.start,
            lead,
            head: body.start,
            comma: None,
            body: body.clone(),
        });
        at = body.end;
    }
    let rest = at..close;
    let between = chunks.iter().map(|chunk| &chunk.before).chain([&rest]);
    if between.map(|range| part(text, range.clone())).any(|between| between.contains('#')) {
        let why = "there are comments between items that do not stand on lines of their own";
        return Err(EditError::Layout { place: list.place, why });
    }
    let mut layout = Layout::new(Shape::Inline, text, list.place.start as usize + 1, chunks);
    (layout.region.end, layout.rest) = (close, rest);
    Ok(layout)
}
