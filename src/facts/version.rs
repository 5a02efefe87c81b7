//! Version numbers of one to four parts, as Windows files carry them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A dotted version; missing parts count as 0, so that `8.1` equals `8.1.0.0`.
///
/// # Shape
///
/// One to four parts, each below 2^31 (a file version's part is 16 bits wide, a build number may be larger).
#[derive(Clone, Debug)]
pub struct Version {
    parts: [u32; 4],
    text: Arc<str>,
}

impl Version {
    /// Reads `8.1.240.6`; none if `text` is not of that shape.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = [0; 4];
        for (count, part) in text.split('.').enumerate() {
            let slot = parts.get_mut(count)?;
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            *slot = part.parse().ok().filter(|number| digits && *number <= 0x7fff_ffff)?;
        }
        Some(Self { parts, text: text.into() })
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts.cmp(&other.parts)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn numbers_are_compared_as_numbers() {
        assert!(version("8.1.240.6") < version("8.1.1000.0"));
        assert_eq!(version("8.1"), version("08.01.0.0"));
        assert!(version("15") > version("14.3.123.4"));
    }

    #[test]
    fn other_text_is_refused() {
        for text in ["", "8.", ".8", "8.1.2.3.4", "8.x", "-1", "+1", "4294967295", "8,1"] {
            assert!(Version::parse(text).is_none(), "{text}");
        }
    }
}
