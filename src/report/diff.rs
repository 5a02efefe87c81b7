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
