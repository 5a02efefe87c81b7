//! Snapshots beside cases, in the file format of insta.

/// The text of a snapshot file: a head that `cargo insta` understands, and the content.
#[must_use]
pub fn file(content: &str) -> String {
    format!("---\nsource: dpmguard test\n---\n{}\n", content.trim_end())
}

/// The content of a snapshot file.
#[must_use]
pub fn content(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let rest = text.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    rest.map_or(text.as_str(), |(_, content)| content).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{content, file};

    #[test]
    fn what_is_written_is_read_back() {
        let text = "{\n  \"a\": 1\n}";
        assert_eq!(content(&file(text)), text);
        assert_eq!(content("---\r\nsource: x\r\nexpression: y\r\n---\r\na\r\n"), "a");
        assert_eq!(content("no head"), "no head");
    }
}
