//! Windows paths, compared as Windows does: without case, whatever their prefix and slashes.

use std::fmt;
use std::sync::Arc;

/// A Windows path.
///
/// # Shape
///
/// Compared by its parts, folded: `\\?\D:\Data\`, `d:/data` and `D:\Data\.` are one path. Short (8.3)
/// names and links are not resolved; nothing in the text tells what they stand for.
#[derive(Clone, Debug)]
pub struct WindowsPath {
    text: Arc<str>,
    parts: Arc<[String]>,
}

impl WindowsPath {
    /// Takes any text; what is a path was checked against the schema.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let plain = text.replace('/', "\\");
        let plain = strip_prefix_fold(&plain, r"\\?\UNC\")
            .map(|rest| format!(r"\\{rest}"))
            .or_else(|| strip_prefix_fold(&plain, r"\\?\").map(str::to_owned))
            .or_else(|| strip_prefix_fold(&plain, r"\\.\").map(str::to_owned))
            .unwrap_or(plain);
        let (root, rest) = match plain.strip_prefix(r"\\") {
            Some(rest) => (Some(r"\\".to_owned()), rest.to_owned()),
            None => (None, plain),
        };
        let mut parts: Vec<String> = root.into_iter().collect();
        let floor = parts.len() + 1;
        for part in rest.split('\\') {
            match part {
                ".." if parts.len() > floor => drop(parts.pop()),
                "" | "." | ".." => {}
                _ => parts.push(part.to_lowercase()),
            }
        }
        Self { text: text.into(), parts: parts.into() }
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Whether it is `folder` or lies below it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        !folder.parts.is_empty() && self.parts.starts_with(&folder.parts)
    }

    /// The path as it is compared: folded, without prefix and last backslash.
    #[must_use]
    pub fn folded(&self) -> String {
        self.parts.join("\\")
    }

    /// Number of parts; the longer of two prefixes of a path is the nearer one.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.parts.len()
    }

    /// The path below `from` put below `to`, or itself where it does not lie below `from`.
    #[must_use]
    pub fn rebased(&self, from: &Self, to: &Self) -> Self {
        match self.parts.strip_prefix(&*from.parts) {
            Some(rest) if !from.parts.is_empty() => {
                let parts = to.parts.iter().chain(rest).cloned().collect();
                Self { text: self.text.clone(), parts }
            }
            _ => self.clone(),
        }
    }
}

fn strip_prefix_fold<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..).unwrap_or_default())
}

impl PartialEq for WindowsPath {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for WindowsPath {}

impl fmt::Display for WindowsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::WindowsPath;

    fn path(text: &str) -> WindowsPath {
        WindowsPath::new(text)
    }

    #[test]
    fn spelling_does_not_matter() {
        for other in [
            r"d:\data\db1.EDB",
            "D:/Data/DB1.edb",
            r"\\?\D:\Data\DB1.edb",
            r"D:\Data\.\x\..\DB1.edb",
        ] {
            assert_eq!(path(r"D:\Data\DB1.edb"), path(other), "{other}");
        }
        assert_eq!(path(r"\\srv\share\a"), path(r"\\?\UNC\SRV\share\a\"));
    }

    #[test]
    fn other_places_are_other_paths() {
        for other in
            [r"E:\Data\DB1.edb", r"D:\Data\DB1.edb2", r"D:\Data2\DB1.edb", r"\\D\Data\DB1.edb"]
        {
            assert_ne!(path(r"D:\Data\DB1.edb"), path(other), "{other}");
        }
    }

    #[test]
    fn a_mount_point_is_a_whole_prefix() {
        assert!(path(r"C:\Mnt\DB1\x.edb").is_within(&path(r"c:\mnt\db1\")));
        assert!(!path(r"C:\Mnt\DB10\x.edb").is_within(&path(r"C:\Mnt\DB1")));
        assert!(path(r"C:\x").is_within(&path("C:")));
        assert!(!path(r"C:\x").is_within(&path("")));
        assert_eq!(path(r"C:\..\..\x"), path(r"C:\x"));
    }

    #[test]
    fn two_roots_of_one_volume() {
        let moved = path(r"C:\Mnt\DB1\x.edb").rebased(&path(r"C:\Mnt\DB1"), &path(r"M:\"));
        assert_eq!(moved, path(r"M:\x.edb"));
    }
}
