//! Values to YAML text; the home of `serde_yaml`.

use serde_json::Value as Json;

use super::{Sources, read};

/// YAML text of a value, which [`read`] reads back to the same value.
///
/// # Shape
///
/// Readable block style, with quotes around what YAML 1.1 and 1.2 read differently; where that cannot
/// be had, the whole is written in JSON, which is YAML too.
#[must_use]
pub fn to_yaml(value: &Json) -> String {
    let block = serde_yaml::to_string(value).ok().map(|text| quote_words(&text));
    block.filter(|text| is_same(text, value)).unwrap_or_else(|| format!("{value:#}\n"))
}

/// Words that are truths for YAML 1.1 and texts for 1.2.
const TRUTHS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];

/// Puts quotes around plain values that are no texts for YAML 1.1: truths, dates, times.
fn quote_words(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for line in text.lines() {
        let start = line.rfind([' ']).map_or(0, |space| space + 1);
        let (head, tail) = line.split_at_checked(start).unwrap_or((line, ""));
        let is_value = head.ends_with(": ") || head.ends_with("- ");
        let is_time = tail.starts_with(|c: char| c.is_ascii_digit())
            && tail.contains([':', '-', '_'])
            && tail.chars().all(|c| c.is_ascii_digit() || "TtZz:.+-_".contains(c));
        let is_truth = TRUTHS.iter().any(|truth| truth.eq_ignore_ascii_case(tail));
        if is_value && (is_time || is_truth) {
            quoted.extend([head, "'", tail, "'\n"]);
        } else {
            quoted.extend([line, "\n"]);
        }
    }
    quoted
}

pub(super) fn is_same(text: &str, value: &Json) -> bool {
    let mut sources = Sources::default();
    let file = sources.add("written.yaml", text.as_bytes());
    file.is_ok_and(|file| read(&sources, file).is_ok_and(|node| node.to_json() == *value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_same, to_yaml};

    #[test]
    fn texts_that_look_like_something_else_stay_texts() {
        let words = [
            "",
            " ",
            "yes",
            "No",
            "on",
            "off",
            "y",
            "null",
            "~",
            "true",
            "15.2",
            "8.1",
            "1e3",
            "0x1F",
            "017",
            "1_000",
            "12:30:45",
            "2009-05-04",
            "2009-05-04T18:00:00Z",
            "2021-09-29T11:59:07-07:00",
            "=",
            "<<",
            "- a",
            "a: b",
            "a #b",
            "#a",
            "@a",
            "`a`",
            "%a",
            "!a",
            "&a",
            "*a",
            "[a",
            "{a",
            "'",
            "\"",
            "|",
            ">",
            "a\nb",
            "a\n",
            "\ta",
            "a\u{85}b",
            "\u{7}",
            "\u{feff}",
            "Käse® aus Köln",
            "D:\\",
            ".inf",
            "-",
        ];
        for word in words {
            for value in [json!(word), json!([word]), json!({ "key": word, word: 1 })] {
                let text = to_yaml(&value);
                assert!(is_same(&text, &value), "{word:?}: {text}");
            }
        }
    }

    #[test]
    fn plain_documents_are_in_block_style() {
        let value = json!({ "name": "EX01", "version": "15.2", "at": "2021-09-29T11:59:07-07:00", "site": "NO" });
        let text = to_yaml(&value);
        assert_eq!(
            text,
            "name: EX01\nversion: '15.2'\nat: '2021-09-29T11:59:07-07:00'\nsite: 'NO'\n"
        );
        assert!(is_same(&text, &value));
    }
}
