//! Mending a rule file: what is not used is taken out, and every other line stays as it is.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::diagnostic::Place;
use crate::source::{self, Node, Sources};

/// How a rule can be mended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fix {
    /// The `let` at this position goes.
    Let(usize),
    /// The parameter of that name goes.
    Param(String),
}

impl Fix {
    /// What it does, in words.
    #[must_use]
    pub fn say(&self, root: &Node) -> String {
        match self {
            Self::Let(position) => {
                let item = list(root).get(*position);
                let entry = item.and_then(Node::as_map).and_then(<[_]>::first);
                format!("removed `{}` from `let`", entry.map_or("?", |entry| &*entry.key))
            }
            Self::Param(name) => format!("removed `{name}` from `params`"),
        }
    }
}

/// The text of a rule file without what the fixes take out; none where that cannot be done by taking out
/// whole lines. What is left is read again: it is the same document, but for what was to go.
#[must_use]
pub fn mend(root: &Node, text: &str, fixes: &BTreeSet<Fix>) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    let (mut lets, mut params) = (0, 0);
    for fix in fixes {
        let (key, start) = match fix {
            Fix::Let(position) => {
                lets += 1;
                let item = list(root).get(*position)?;
                (item.as_map()?.first()?.key_place, "- ")
            }
            Fix::Param(name) => {
                params += 1;
                (root.get("params")?.entry(name)?.key_place, name.as_str())
            }
        };
        gone.extend(extent(&lines, key, start)?);
    }
    // A list of which nothing is left goes with its key.
    for (key, count, whole) in [
        ("let", lets, list(root).len()),
        ("params", params, root.get("params").and_then(Node::as_map).map_or(0, <[_]>::len)),
    ] {
        if count > 0 && count == whole {
            gone.insert(line_of(&lines, root.entry(key)?.key_place)?);
        }
    }
    let kept = lines.iter().enumerate().filter(|(number, _)| !gone.contains(number));
    let mended: String = kept.map(|(_, line)| *line).collect();
    (tree(&mended)? == without(root, fixes)).then_some(mended)
}

/// The text without what can be taken out of it, and the fixes that did so; none where there are none.
#[must_use]
pub fn mend_most(
    root: &Node,
    text: &str,
    fixes: &BTreeSet<Fix>,
) -> Option<(String, BTreeSet<Fix>)> {
    if let Some(mended) = mend(root, text, fixes) {
        return Some((mended, fixes.clone()));
    }
    let mut best = None;
    let mut done = BTreeSet::new();
    for fix in fixes {
        let mut more = done.clone();
        more.insert(fix.clone());
        if let Some(mended) = mend(root, text, &more) {
            best = Some(mended);
            done = more;
        }
    }
    best.map(|mended| (mended, done))
}

fn list(root: &Node) -> &[Node] {
    root.get("let").and_then(Node::as_list).unwrap_or_default()
}

fn tree(text: &str) -> Option<Json> {
    let mut sources = Sources::default();
    let file = sources.add("mended", text.as_bytes()).ok()?;
    Some(source::read(&sources, file).ok()?.to_json())
}

/// The document as it should be afterwards.
fn without(root: &Node, fixes: &BTreeSet<Fix>) -> Json {
    let mut document = root.to_json();
    // From behind, so that positions stay what they are.
    for fix in fixes.iter().rev() {
        match fix {
            Fix::Let(position) => {
                if let Some(list) = document.get_mut("let").and_then(Json::as_array_mut)
                    && *position < list.len()
                {
                    list.remove(*position);
                }
            }
            Fix::Param(name) => {
                if let Some(map) = document.get_mut("params").and_then(Json::as_object_mut) {
                    map.remove(name);
                }
            }
        }
    }
    for key in ["let", "params"] {
        let is_empty = match document.get(key) {
            Some(Json::Array(list)) => list.is_empty(),
            Some(Json::Object(map)) => map.is_empty(),
            _ => false,
        };
        if is_empty && let Some(map) = document.as_object_mut() {
            map.remove(key);
        }
    }
    document
}

fn line_of(lines: &[&str], place: Place) -> Option<usize> {
    let mut end = 0;
    lines.iter().position(|line| {
        end += line.len();
        place.start as usize >= end - line.len() && (place.start as usize) < end
    })
}

/// The lines of an entry that begins one: those indented deeper than it, without comments at the end.
fn extent(lines: &[&str], key: Place, start: &str) -> Option<Vec<usize>> {
    let first = line_of(lines, key)?;
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let head = lines.get(first)?;
    if !head.trim_start().starts_with(start) {
        return None;
    }
    let deep = indent(head);
    // A comment above or behind it is about it: only its author knows whether that goes, too.
    let above = first.checked_sub(1).and_then(|above| lines.get(above));
    if above.is_some_and(|line| line.trim_start().starts_with('#')) {
        return None;
    }
    let mut last = first;
    for (number, line) in lines.iter().enumerate().skip(first + 1) {
        let words = line.trim();
        if !words.is_empty() && indent(line) <= deep {
            break;
        }
        if !words.is_empty() && !words.starts_with('#') {
            last = number;
        }
    }
    let behind = lines.get(last + 1).filter(|line| indent(line) > deep);
    if behind.is_some_and(|line| line.trim_start().starts_with('#')) {
        return None;
    }
    let inside = lines.get(first..=last)?;
    if inside.iter().any(|line| line.trim_start().starts_with('#') || line.contains(" #")) {
        return None;
    }
    Some((first..=last).collect())
}

/// The fixes of a rule's problems that are not allowed.
#[must_use]
pub fn of_rule(found: &[super::Found], rule: &Arc<crate::rule::Rule>) -> BTreeSet<Fix> {
    let own = found.iter().filter(|one| {
        one.allowed.is_none() && one.rule.as_ref().is_some_and(|known| known.id == rule.id)
    });
    own.filter_map(|one| one.fix.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Fix, mend, mend_most};
    use crate::source::{self, Sources};

    fn mended(text: &str, fixes: &[Fix]) -> Option<String> {
        let mut sources = Sources::default();
        let file = sources.add("rule.yaml", text.as_bytes()).unwrap();
        let root = source::read(&sources, file).unwrap();
        mend(&root, text, &fixes.iter().cloned().collect())
    }

    const TEXT: &str = "id: a\nparams:\n  # of b\n  b:\n    type: integer\n    default: 1\n\n  c: { type: integer, default: 2 }\n\
                        let:\n  # first\n  - one: 1  # odd\n  - two: >-\n      2\n      + 2\n\n  # third\n  - three: 3\nlast: 1\n";

    #[test]
    fn lines_that_are_not_touched_stay() {
        assert_eq!(
            mended(TEXT, &[Fix::Let(1), Fix::Param("c".to_owned())]).unwrap(),
            "id: a\nparams:\n  # of b\n  b:\n    type: integer\n    default: 1\n\n\
             let:\n  # first\n  - one: 1  # odd\n\n  # third\n  - three: 3\nlast: 1\n"
        );
    }

    #[test]
    fn what_a_comment_is_about_is_left_to_its_author() {
        for fix in [Fix::Let(0), Fix::Let(2), Fix::Param("b".to_owned())] {
            assert_eq!(mended(TEXT, &[fix]), None);
        }
        // The others are mended all the same.
        let fixes = [Fix::Let(0), Fix::Let(1), Fix::Param("b".to_owned())];
        let mut sources = Sources::default();
        let file = sources.add("rule.yaml", TEXT.as_bytes()).unwrap();
        let root = source::read(&sources, file).unwrap();
        let (_, done) = mend_most(&root, TEXT, &fixes.into()).unwrap();
        assert_eq!(done, [Fix::Let(1)].into());
    }

    #[test]
    fn a_list_of_which_nothing_is_left_goes_too() {
        let text = "id: a\nlet:\n  - one: 1\n  - two: >-\n      2\n\nlast: 1\n";
        let fixes = [Fix::Let(0), Fix::Let(1)];
        assert_eq!(mended(text, &fixes).unwrap(), "id: a\n\nlast: 1\n");
    }

    #[test]
    fn what_shares_its_line_is_left_alone() {
        assert_eq!(mended("id: a\nlet: [{ a: 1 }, { b: 2 }]\n", &[Fix::Let(0)]), None);
        assert_eq!(mended("id: a\nparams: { b: { type: x } }\n", &[Fix::Param("b".into())]), None);
    }

    #[test]
    fn windows_line_ends_stay() {
        let text = "id: a\r\nlet:\r\n  - one: 1\r\n  - two: 2\r\n";
        assert_eq!(mended(text, &[Fix::Let(0)]).unwrap(), "id: a\r\nlet:\r\n  - two: 2\r\n");
    }
}
