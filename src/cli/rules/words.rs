//! Texts with `${...}` in them, for a reader who has no facts to fill them with.

use crate::expr::template::{Piece, pieces};

/// Words that begin a part of an expression and name nothing.
const KEYWORDS: [&str; 8] = ["if", "else", "in", "let", "true", "false", "params", "return"];

/// A text in which `${database.server.name}` is `<server of database>`.
pub(super) fn readable(text: &str) -> String {
    let said = pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => text,
        Piece::Value(expression) => format!("<{}>", placeholder(&expression)),
    });
    said.collect()
}

/// What an expression is about: the first object or value that it names.
fn placeholder(expression: &str) -> String {
    let mut rest = expression;
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '"') {
        let from = rest.get(at..).unwrap_or_default();
        if let Some(quoted) = from.strip_prefix('"') {
            rest = quoted.split_once('"').map_or("", |(_, behind)| behind);
            continue;
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (path, behind) = from.split_at(end);
        rest = behind;
        let mut names: Vec<&str> = path.split('.').filter(|name| !name.is_empty()).collect();
        if behind.starts_with('(') {
            names.pop();
        }
        if names.len() > 1 && matches!(names.last(), Some(&"name" | &"key")) {
            names.pop();
        }
        match names.split_first() {
            Some((first, _)) if KEYWORDS.contains(first) => {}
            // A parameter keeps its name, by which the list below knows it.
            Some((first, [])) => return (*first).to_owned(),
            Some((first, fields)) => {
                let fields: Vec<String> =
                    fields.iter().rev().map(|field| field.replace('_', " ")).collect();
                return format!("{} of {first}", fields.join(" of "));
            }
            None => {}
        }
    }
    expression.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn what_will_be_filled_in_is_named() {
        for (text, said) in [
            ("Move ${database.name} to ${to}.", "Move <database> to <to>."),
            (
                "'${database.server.name}' at ${database.edb_path}",
                "'<server of database>' at <edb path of database>",
            ),
            ("${if group != () { group.name } else { \"\" }}", "<group>"),
            (
                "${size(target.free_bytes)} of ${server.disks.map(|d| d.name)}",
                "<free bytes of target> of <disks of server>",
            ),
            ("$_ and ${1 + 2}", "$_ and <1 + 2>"),
        ] {
            assert_eq!(readable(text), said);
        }
    }
}
