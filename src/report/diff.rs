//! How two texts differ, line by line; the home of `similar`.

use similar::{ChangeTag, TextDiff};

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// `-` for what was, `+` for what is, a blank for both, `@` for a gap.
    pub sign: char,
    /// The line.
    pub text: String,
}

/// How two texts differ, with a few lines around each change.
#[must_use]
pub fn diff(old: &str, new: &str) -> Vec<Line> {
    if old.lines().count() + new.lines().count() > MOST_LINES {
        return coarse(old, new);
    }
    let mut lines = Vec::new();
    let diff = TextDiff::from_lines(old, new);
    for (number, group) in diff.grouped_ops(3).iter().enumerate() {
        if number > 0 {
            lines.push(Line { sign: '@', text: "...".to_owned() });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push(Line { sign, text: change.value().trim_end_matches('\n').to_owned() });
        }
    }
    lines
}

/// How two texts differ, as `patch` reads it; nothing if they do not.
#[must_use]
pub fn unified(name: &str, old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().header(name, name).to_string()
}

/// Most lines of both texts of which the least difference is looked for: the work grows with their product.
const MOST_LINES: usize = 20_000;

/// Most lines shown of each side of a coarse difference.
const MOST_SHOWN: usize = 200;

/// What stands between the lines that both texts begin and end with.
fn coarse(old: &str, new: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let most = old.len().min(new.len()) - head;
    let tail =
        old.iter().rev().zip(new.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let mut lines = Vec::new();
    for (sign, text) in [('-', &old), ('+', &new)] {
        let middle = text.get(head..text.len() - tail).unwrap_or_default();
        let shown = middle.iter().take(MOST_SHOWN);
        lines.extend(shown.map(|line| Line { sign, text: (*line).to_owned() }));
        if middle.len() > MOST_SHOWN {
            let more = middle.len() - MOST_SHOWN;
            lines.push(Line { sign: '@', text: format!("... {more} more lines of this side") });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::diff;

    #[test]
    fn a_difference_shows_what_changed_and_little_else() {
        let old: Vec<String> = (0..20).map(|number| number.to_string()).collect();
        let mut new = old.clone();
        new[10] = "ten".to_owned();
        let lines = diff(&old.join("\n"), &new.join("\n"));
        let said: Vec<String> =
            lines.iter().map(|line| format!("{}{}", line.sign, line.text)).collect();
        assert_eq!(said.join("\n"), " 7\n 8\n 9\n-10\n+ten\n 11\n 12\n 13");
        assert_eq!(diff("a", "a"), []);
    }
}
