//! Values to YAML as a person would write it: short objects on one line.

use serde_json::Value as Json;

use super::write::{is_same, to_yaml};

/// Longest line that an object or list is put on.
const WIDTH: usize = 118;

/// YAML text of a mapping, which [`super::read`] reads back to the same value: a list of objects has
/// one on a line where it fits.
#[must_use]
pub fn to_compact_yaml(value: &Json) -> String {
    let mut text = String::new();
    match value {
        Json::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                entry(key, value, 0, "", &mut text);
            }
        }
        other => text = flow(other) + "\n",
    }
    if is_same(&text, value) { text } else { to_yaml(value) }
}

/// `key: value`, at that depth, behind `lead`.
fn entry(key: &str, value: &Json, depth: usize, lead: &str, text: &mut String) {
    let head = format!("{}{lead}{}:", "  ".repeat(depth), scalar_text(key));
    let line = format!("{head} {}", flow(value));
    let inner = depth + usize::from(!lead.is_empty());
    match value {
        Json::Object(entries) if !entries.is_empty() && line.chars().count() > WIDTH => {
            text.push_str(&[&head, "\n"].concat());
            for (key, value) in entries {
                entry(key, value, inner + 1, "", text);
            }
        }
        Json::Array(items) if has_objects(items) || line.chars().count() > WIDTH => {
            text.push_str(&[&head, "\n"].concat());
            for one in items {
                item(one, inner + 1, text);
            }
        }
        _ => text.push_str(&(line + "\n")),
    }
}

fn has_objects(items: &[Json]) -> bool {
    items.iter().any(|item| matches!(item, Json::Object(_)))
}

fn item(value: &Json, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let line = format!("{indent}- {}", flow(value));
    match value {
        Json::Object(entries) if !entries.is_empty() && line.chars().count() > WIDTH => {
            for (position, (key, value)) in entries.iter().enumerate() {
                let (depth, lead) = if position == 0 { (depth, "- ") } else { (depth + 1, "") };
                entry(key, value, depth, lead, text);
            }
        }
        _ => text.push_str(&(line + "\n")),
    }
}

/// A value on one line.
#[must_use]
pub fn flow(value: &Json) -> String {
    match value {
        Json::String(text) => scalar_text(text),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(entries) if entries.is_empty() => "{}".to_owned(),
        Json::Object(entries) => {
            let entries: Vec<String> = entries
                .iter()
                .map(|(key, value)| format!("{}: {}", scalar_text(key), flow(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

/// A text on one line: without quotes where every reader takes it for a text.
#[must_use]
pub fn scalar_text(text: &str) -> String {
    const WORDS: [&str; 11] =
        ["null", "true", "false", "y", "n", "yes", "no", "on", "off", "nan", "inf"];
    let is_word = WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-./() ".contains(c))
        && !text.ends_with(' ');
    if is_plain && !is_word {
        text.to_owned()
    } else if text.chars().any(char::is_control) {
        Json::from(text).to_string()
    } else if text.contains(['\\', '"']) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        format!("\"{text}\"")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{is_same, to_compact_yaml};

    #[test]
    fn objects_stand_on_a_line_where_they_fit() {
        let long = "x".repeat(60);
        let value = json!({
            "schema": "dpmguard.facts/v1", "at": "2009-05-04T18:00:00Z", "complete": "all", "none": [],
            "short": [{ "name": "EX01", "path": "F:\\SG1", "is": null, "no": "no" }],
            "long": [{ "a": long, "b": [long, long], "c": { "d": long, "e": [{ "f": long, "g": long }] } }, []],
            "names": ["a", "b"], "record": { "x": 1.5, "y": [] },
        });
        let text = to_compact_yaml(&value);
        assert!(is_same(&text, &value), "{text}");
        assert!(
            text.contains("\n  - { name: EX01, path: 'F:\\SG1', is: null, \"no\": \"no\" }\n"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.chars().count() <= 130), "{text}");
    }

    #[test]
    fn whatever_is_written_is_read_back() {
        let words = [
            "", " ", "yes", "a ", "a: b", "a #b", "- a", "it's", "\"", "\\", "a\nb", "\u{85}",
            "\u{feff}", "é", "1e3", "0x1", "~", "=", "<<", "a'\"\\",
        ];
        for word in words {
            for value in
                [json!(word), json!([word, [word]]), json!({ "k": word, word: [{ word: word }] })]
            {
                let text = to_compact_yaml(&value);
                assert!(is_same(&text, &value), "{word:?}: {text}");
            }
        }
    }
}
