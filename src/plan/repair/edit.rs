//! A changed plan as a change of the file that somebody wrote: what stays in it is kept to the byte.
//!
//! `list` finds the lines of each item, `pick` says which of them the new plan has, `keys` changes what a
//! step waits for within its own text, `write` writes steps that are not there, `unit` makes the text of
//! each, `join` puts them together. Nobody has to trust them: the new text is read again, and compared with what it should say.

mod join;
mod keys;
mod list;
mod pick;
mod text;
mod unit;
mod write;

use serde_json::Value as Json;

use crate::diagnostic::Place;
use crate::plan::Plan;
use crate::source::{self, Node, Sources};
use join::Join;
use list::Layout;
use pick::Item;
use text::{line_break, part};
use write::Style;

/// A step of the new plan.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A step of the file.
    Kept {
        /// Its position in [`Plan::written`].
        step: usize,
        /// What it waits for now; none if that is as it was.
        timing: Option<Timing>,
    },
    /// A step that is not in the file.
    New {
        /// Its name.
        id: String,
        /// The id of its action.
        action: String,
        /// Its arguments.
        with: Vec<(String, Json)>,
        /// What it waits for.
        timing: Timing,
        /// A comment above it, where the file can have one.
        note: Option<String>,
    },
}

/// What a step waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Names of the steps that must have ended before; none: the key is taken out.
    pub after: Vec<String>,
    /// The time before which it does not begin, as a plan has it; none: the key is taken out.
    pub not_before: Option<String>,
}

/// Why a plan cannot be written into its file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// The tree has no steps, or others than the plan.
    #[error("the plan was not read from this text")]
    Foreign,
    /// The plan has no step at this position that could be written.
    #[error("the plan has no step {0}")]
    Unknown(usize),
    /// The step at this position is asked for twice.
    #[error("step {0} is named twice")]
    Twice(usize),
    /// The list of steps is set in a way that cannot be kept.
    #[error("the list of steps cannot be changed: {why}")]
    Layout {
        /// The list.
        place: Place,
        /// What about it.
        why: &'static str,
    },
    /// The text that was made does not say what it should.
    #[error("the steps cannot be changed in place: what came of it is another plan")]
    Differs,
}

/// The text of a plan with these steps in this order; steps of the file that are not among them are
/// taken out.
///
/// # Shape
///
/// `root` and `plan` were read from `text`, the decoded text of the file. A step moves with the comment
/// lines directly above it. The item of a `for_each` or `parallel` stays as it is while all its steps
/// come next to each other, in its order and with their own waits; else they are written one by one, and
/// a comment says what they were part of. JSON stays JSON, without comments.
///
/// # Errors
///
/// [`EditError`]; there is never a text that reads as another plan than the one that was asked for.
pub fn rewrite(
    text: &str,
    root: &Node,
    plan: &Plan,
    entries: &[Entry],
) -> Result<String, EditError> {
    let entry = root.entry("steps").ok_or(EditError::Foreign)?;
    let nodes = entry.node.as_list().ok_or(EditError::Foreign)?;
    let items = Item::all(nodes, plan.written()).ok_or(EditError::Foreign)?;
    let pieces = pick::pieces(&items, plan, entries)?;
    let style = Style::of(text, line_break(text), nodes);
    let join = Join { text, style, items: &items, pieces: &pieces };
    let (new, steps) = if nodes.is_empty() {
        let is_block = !part(text, root.place.start as usize..text.len()).starts_with('{');
        join.fresh(entry, is_block)
    } else {
        join.list(entry, &Layout::of(text, entry)?)?
    };
    let mut wanted = root.to_json();
    if let Some(value) = wanted.get_mut("steps") {
        *value = Json::Array(steps);
    }
    if reads_as(&new, &wanted, style) { Ok(new) } else { Err(EditError::Differs) }
}

fn reads_as(text: &str, wanted: &Json, style: Style) -> bool {
    let mut sources = Sources::default();
    let Ok(file) = sources.add("plan", text.as_bytes()) else { return false };
    let is_kind = style.json.is_none() || serde_json::from_str::<Json>(text).is_ok();
    is_kind && source::read(&sources, file).is_ok_and(|node| node.to_json() == *wanted)
}
