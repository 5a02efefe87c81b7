//! The text of a part of an expression.
//!
//! A node knows the token that names it; the text that belongs to it reaches from its first token to its
//! last, with the brackets that are opened on the way.

use std::ops::Range;

use crate::expr::tree::Expr;

/// Characters of `text` that make up `expr`, which was checked from it.
#[must_use]
pub fn whole(expr: &Expr, text: &str) -> Range<usize> {
    let chars: Vec<char> = text.chars().collect();
    let mut range = expr.at.clone();
    reach(expr, &mut range);
    let mut start = range.start.min(chars.len());
    let mut end = range.end.clamp(start, chars.len());
    (start, end) = with_null(&chars, start, end);
    // A call without arguments ends behind its name.
    if chars.get(end) == Some(&'(') {
        end += 1;
    }
    while let Some(open) = unclosed(chars.get(start..end).unwrap_or_default()) {
        let rest = chars.get(end..).unwrap_or_default();
        let Some(offset) = rest.iter().position(|c| *c == open) else { break };
        end += offset + 1;
    }
    start..end
}

/// With the `()` that is compared with: the tree does not hold it.
fn with_null(chars: &[char], start: usize, end: usize) -> (usize, usize) {
    let said = |range: Range<usize>| -> String { chars.get(range).into_iter().flatten().collect() };
    let is_operator = |text: &str| ["==", "!="].contains(&text);
    let mut reached = (start, end);
    if is_operator(&said(start..(start + 2).min(chars.len()))) {
        let before = said(0..start);
        if let Some(left) = before.trim_end().strip_suffix("()") {
            reached.0 = left.chars().count();
        }
    }
    if is_operator(&said(end.saturating_sub(2)..end)) {
        let behind = said(end..chars.len());
        let blanks = behind.chars().take_while(|c| c.is_whitespace()).count();
        if behind.trim_start().starts_with("()") {
            reached.1 = end + blanks + 2;
        }
    }
    reached
}

/// The text itself.
#[must_use]
pub fn text_of(expr: &Expr, text: &str) -> String {
    let range = whole(expr, text);
    text.chars().skip(range.start).take(range.len()).collect()
}

fn reach(expr: &Expr, range: &mut Range<usize>) {
    range.start = range.start.min(expr.at.start);
    range.end = range.end.max(expr.at.end);
    expr.each_child(&mut |child| reach(child, range));
}

/// The bracket that would close the innermost one still open; brackets in text do not count.
fn unclosed(chars: &[char]) -> Option<char> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    for c in chars {
        if escaped {
            escaped = false;
            continue;
        }
        match (quote, c) {
            (Some(_), '\\') => escaped = true,
            (Some(known), c) if known == *c => quote = None,
            (None, '"' | '`') => quote = Some(*c),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, '{') => open.push('}'),
            (None, ')' | ']' | '}') => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::text_of;
    use crate::expr::check::{Scope, World, check};
    use crate::expr::tree::ExprKind;
    use crate::facts::model::{Model, Type};

    #[test]
    fn each_side_of_a_condition_has_its_text() {
        let model = Model::default();
        let world = World { model: &model, scripts: &[], tables: &[] };
        let mut scope = Scope::default();
        scope.bind("list", Type::List(std::sync::Arc::new(Type::Int)));
        let text = "(list.is_empty()) || !(list.any(|x| x in [1, (2)])) || \"a)\".contains(\")\")";
        let expr = check(text, &mut scope, world).unwrap();
        let ExprKind::Or(parts) = &expr.kind else { panic!("{expr:?}") };
        let said: Vec<String> = parts.iter().map(|part| text_of(part, text)).collect();
        let expected =
            ["list.is_empty()", "!(list.any(|x| x in [1, (2)]))", "\"a)\".contains(\")\")"];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_comparison_with_null_has_both_sides() {
        let model = Model::default();
        let world = World { model: &model, scripts: &[], tables: &[] };
        let mut scope = Scope::default();
        scope.bind("a", Type::Int.optional());
        let text = "a == () || () != a || (a != ()) || a  ==  ()";
        let expr = check(text, &mut scope, world).unwrap();
        let ExprKind::Or(parts) = &expr.kind else { panic!("{expr:?}") };
        let said: Vec<String> = parts.iter().map(|part| text_of(part, text)).collect();
        assert_eq!(said, ["a == ()", "() != a", "a != ()", "a  ==  ()"]);
        assert_eq!(text_of(&expr, text), text);
    }
}
