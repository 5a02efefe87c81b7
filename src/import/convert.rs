//! Properties to facts: one function for each way in which a property says something.
//!
//! Nothing is guessed. Text that Windows writes in the server's language is never taken apart.

use serde_json::Value as Json;

use super::clixml::{Kept, Kind, Node, Value, date_time, wmi_date};

/// How a property becomes a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Convert {
    /// A name, as it is.
    Name,
    /// Any text, as it is.
    Text,
    /// A whole number from 0 to 20.
    Small,
    /// A truth that is only believed when it is true.
    OnlyTrue,
    /// An instant: a date of WMI, or one with an offset.
    Instant,
    /// Dotted numbers.
    Version,
    /// The version that Exchange shows: `Version 8.1 (Build 240.6)` or its parts.
    ShownVersion,
    /// The product that such a version belongs to.
    Product,
    /// Licensed edition.
    Edition,
    /// Installed roles.
    Roles,
    /// Name of an object of the directory, given as such or as its canonical name.
    Site,
    /// Availability group; no value says that the server stands alone.
    Group,
    /// Version of a file, of the whole object.
    FileVersion,
    /// The folder above `bin\ExSetup.exe`.
    InstallPath,
    /// A hotfix's id, one of a list.
    Hotfix,
    /// Names of servers.
    Servers,
    /// State of a service.
    ServiceState,
    /// Processor architecture that Windows runs on.
    SystemType,
    /// Whether a server is the identity of a cluster, by membership.
    Member,
    /// Whether a server is the identity of a cluster, by its kind of storage.
    ClusteredStorage,
}

/// What a property says.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// This.
    Fact(Json),
    /// Nothing.
    Absent,
    /// Something that the facts have no word for.
    Foreign,
}

impl From<Option<String>> for Answer {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Foreign, |text| Self::Fact(Json::from(text)))
    }
}

impl Convert {
    /// What `node` says.
    pub(super) fn apply<'t>(self, kept: &Kept<'t>, node: &Node<'t>) -> Answer {
        let plain = kept.plain(node);
        if matches!(plain, Value::Nil) {
            return if self == Self::Group { Answer::Fact(Json::Null) } else { Answer::Absent };
        }
        if matches!(plain, Value::Unread | Value::Ref(_)) {
            return Answer::Absent;
        }
        match self {
            Self::Small => small(plain),
            Self::OnlyTrue => only_true(plain),
            Self::Member => member(kept, node),
            Self::FileVersion => file_version(kept, node).into(),
            Self::ShownVersion => shown_version(kept, node).map(|parts| dotted(&parts)).into(),
            Self::Product => match shown_version(kept, node).map(|parts| product(&parts)) {
                Some(Some(product)) => Answer::Fact(Json::from(product)),
                _ => Answer::Absent,
            },
            Self::Site | Self::Group => directory_name(self, kept, node).into(),
            Self::Servers => servers(kept, node),
            _ => match kept.text(node) {
                Some("") => Answer::Absent,
                Some(text) => self.text(text),
                None => Answer::Foreign,
            },
        }
    }

    fn text(self, text: &str) -> Answer {
        match self {
            Self::Text => Answer::Fact(Json::from(text)),
            Self::Instant => wmi_date(text)
                .or_else(|| date_time(text))
                .map_or(Answer::Absent, |at| Answer::Fact(Json::from(at))),
            Self::Version => version(text).into(),
            Self::Edition => word(EDITIONS, text).into(),
            Self::ServiceState => word(STATES, &text.replace(' ', "")).into(),
            Self::SystemType => word(SYSTEM_TYPES, text).into(),
            Self::ClusteredStorage => {
                Answer::Fact(Json::from(matches!(text, "NonShared" | "Shared")))
            }
            Self::Roles => roles(text),
            Self::InstallPath => install_path(text).into(),
            Self::Hotfix => hotfix(text),
            _ => Some(text.to_owned()).filter(|text| is_name(text)).into(),
        }
    }
}

/// Names of the enumeration `ServerEditionType`.
const EDITIONS: &[(&str, &str)] = &[
    ("Standard", "standard"),
    ("Enterprise", "enterprise"),
    ("Coexistence", "coexistence"),
    ("StandardEvaluation", "evaluation"),
    ("EnterpriseEvaluation", "evaluation"),
    ("CoexistenceEvaluation", "evaluation"),
];

/// Names of `ServiceControllerStatus`, and states of `Win32_Service` without their space; neither is
/// translated.
const STATES: &[(&str, &str)] = &[
    ("Running", "running"),
    ("Stopped", "stopped"),
    ("Paused", "paused"),
    ("StartPending", "start_pending"),
    ("StopPending", "stop_pending"),
];

/// Values of `Win32_ComputerSystem` `SystemType`. `OSArchitecture` is no source: it is translated, and
/// `64-bit` is more than one architecture.
///
/// # Source
///
/// Microsoft Learn, "`Win32_ComputerSystem` class".
const SYSTEM_TYPES: &[(&str, &str)] =
    &[("x64-based PC", "x64"), ("X86-based PC", "x86"), ("ARM64-based PC", "arm64")];

/// Names of the enumeration `ServerRole`; those without a word are parts of the roles since 2013.
const ROLES: &[(&str, Option<&str>)] = &[
    ("Mailbox", Some("mailbox")),
    ("ClientAccess", Some("client_access")),
    ("HubTransport", Some("hub_transport")),
    ("UnifiedMessaging", Some("unified_messaging")),
    ("Edge", Some("edge_transport")),
    ("Cafe", None),
    ("FrontendTransport", None),
];

fn word(words: &[(&str, &str)], text: &str) -> Option<String> {
    let found = words.iter().find(|(foreign, _)| foreign.eq_ignore_ascii_case(text));
    found.map(|(_, ours)| (*ours).to_owned())
}

fn roles(text: &str) -> Answer {
    // Servers older than 2007 have no roles of this kind.
    if text == "None" {
        return Answer::Absent;
    }
    let mut roles: Vec<&str> = Vec::new();
    for name in text.split(',').map(str::trim) {
        match ROLES.iter().find(|(foreign, _)| *foreign == name) {
            Some((_, role)) => roles.extend(*role),
            None => return Answer::Foreign,
        }
    }
    roles.sort_unstable();
    roles.dedup();
    Answer::Fact(Json::from(roles))
}

/// Not empty, without control characters.
pub(super) fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && !text.contains(char::is_control)
}

fn small(value: &Value<'_>) -> Answer {
    match value {
        Value::Int(number) => match i64::try_from(*number) {
            Ok(number) if (0..=20).contains(&number) => Answer::Fact(Json::from(number)),
            _ => Answer::Foreign,
        },
        _ => Answer::Foreign,
    }
}

/// A script that could not look says false as well.
fn only_true(value: &Value<'_>) -> Answer {
    match value {
        Value::Bool(true) => Answer::Fact(Json::from(true)),
        Value::Bool(false) => Answer::Absent,
        _ => Answer::Foreign,
    }
}

fn member<'t>(kept: &Kept<'t>, node: &Node<'t>) -> Answer {
    let is_member = match (kept.plain(node), kept.text(node)) {
        (Value::Bool(member), _) => *member,
        (_, Some(text)) => text == "Yes",
        _ => return Answer::Foreign,
    };
    Answer::Fact(Json::from(is_member))
}

/// Four numbers as a version without leading zeros.
fn dotted(parts: &[u32]) -> String {
    let parts: Vec<String> = parts.iter().map(u32::to_string).collect();
    parts.join(".")
}

/// Dotted numbers, normalised: file versions are written `15.02.0986.005`.
fn version(text: &str) -> Option<String> {
    let number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u32>().ok().filter(|number| digits && i32::try_from(*number).is_ok())
    };
    let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
    parts.filter(|parts| parts.len() <= 4).map(|parts| dotted(&parts))
}

fn numbers<'t>(kept: &Kept<'t>, node: &Node<'t>, names: [&str; 4]) -> Option<[u32; 4]> {
    let object = kept.object(node)?;
    let mut parts = [0; 4];
    for (part, name) in parts.iter_mut().zip(names) {
        let Value::Int(number) = kept.plain(object.member(name)?) else { return None };
        *part = u32::try_from(*number).ok().filter(|number| i32::try_from(*number).is_ok())?;
    }
    Some(parts)
}

/// The numbers of a file's version; its text is free, and often has more than numbers.
fn file_version<'t>(kept: &Kept<'t>, node: &Node<'t>) -> Option<String> {
    let names = ["FileMajorPart", "FileMinorPart", "FileBuildPart", "FilePrivatePart"];
    if let Some(parts) = numbers(kept, node, names) {
        return Some(dotted(&parts));
    }
    let object = kept.object(node)?;
    let texts = ["FileVersionRaw", "FileVersion"];
    texts.iter().find_map(|name| version(kept.text(object.member(name)?)?))
}

/// The version that Exchange shows, from its parts, else from the fixed form of its text, which a
/// remote session gives: `Version 6.5 (Build 7638.2: Service Pack 2)`.
fn shown_version<'t>(kept: &Kept<'t>, node: &Node<'t>) -> Option<[u32; 4]> {
    if let Some(parts) = numbers(kept, node, ["Major", "Minor", "Build", "Revision"]) {
        return Some(parts);
    }
    let text = kept.text(node)?.strip_prefix("Version ")?.strip_suffix(')')?;
    let (shown, build) = text.split_once(" (Build ")?;
    let build = build.split_once(": ").map_or(build, |(build, _)| build);
    let (major, minor) = shown.split_once('.')?;
    let (build, revision) = build.split_once('.')?;
    let mut parts = [0; 4];
    for (part, text) in parts.iter_mut().zip([major, minor, build, revision]) {
        *part = version(text)?.parse().ok()?;
    }
    Some(parts)
}

/// First build of the Subscription Edition, and newest of 2019: they share 15.2.
///
/// # Source
///
/// Microsoft Learn, "Exchange Server build numbers and release dates": SE RTM 15.2.2562.17, 2019 CU15
/// 15.2.1748.10.
const SE_FROM: u32 = 2562;
const E2019_TO: u32 = 1748;

fn product(parts: &[u32; 4]) -> Option<&'static str> {
    let [major, minor, build, _] = *parts;
    Some(match (major, minor) {
        (6, 5) => "exchange_2003",
        (8, _) => "exchange_2007",
        (14, _) => "exchange_2010",
        (15, 0) => "exchange_2013",
        (15, 1) => "exchange_2016",
        (15, 2) if build <= E2019_TO => "exchange_2019",
        (15, 2) if build >= SE_FROM => "exchange_se",
        _ => return None,
    })
}

/// `Berlin` of the object itself, or of `contoso.com/Configuration/Sites/Berlin`.
fn directory_name<'t>(how: Convert, kept: &Kept<'t>, node: &Node<'t>) -> Option<String> {
    let object = kept.object(node);
    let named = object.and_then(|object| object.member("Name")).and_then(|name| kept.text(name));
    let name = named.map(str::to_owned).or_else(|| {
        let text = kept.text(node)?;
        let name = match how {
            Convert::Site => text.split_once("/Configuration/Sites/")?.1,
            _ => text,
        };
        // A canonical name escapes the characters that it is made of.
        (!name.contains(['/', '\\'])).then(|| name.to_owned())
    });
    name.filter(|name| is_name(name))
}

/// `D:\Exchange` of `D:\Exchange\bin\ExSetup.exe`.
fn install_path(text: &str) -> Option<String> {
    let folder = crop(text, r"\exsetup.exe").and_then(|folder| crop(folder, r"\bin"))?;
    let mut chars = folder.chars();
    let drive = chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':');
    let plain = !chars.as_str().contains(|c: char| c.is_control() || "<>\"|?*:".contains(c));
    (drive && chars.as_str().starts_with('\\') && plain).then(|| folder.to_owned())
}

fn crop<'a>(text: &'a str, end: &str) -> Option<&'a str> {
    let (rest, tail) = text.split_at_checked(text.len().checked_sub(end.len())?)?;
    tail.eq_ignore_ascii_case(end).then_some(rest)
}

/// Server 2003 lists files of hotfixes too, as `File 1`.
fn hotfix(text: &str) -> Answer {
    let number = text.strip_prefix("KB").or_else(|| text.strip_prefix('Q'));
    match number {
        Some(number) if number.starts_with(|c: char| c.is_ascii_digit()) && is_name(text) => {
            Answer::Fact(Json::from(vec![text]))
        }
        _ => Answer::Absent,
    }
}

fn servers<'t>(kept: &Kept<'t>, node: &Node<'t>) -> Answer {
    let Some(items) = kept.object(node).and_then(|object| object.items.as_deref()) else {
        return Answer::Foreign;
    };
    let names: Option<Vec<&str>> = items.iter().map(|item| server_name(kept, item)).collect();
    names.map_or(Answer::Foreign, |mut names| {
        names.sort_unstable();
        Answer::Fact(Json::from(names))
    })
}

/// The host part of a server's name; none for "here" and for addresses.
pub(super) fn server_name<'a, 't>(kept: &'a Kept<'t>, node: &'a Node<'t>) -> Option<&'a str> {
    if let Value::Text(kind, _) = kept.plain(node)
        && *kind != Kind::Text
    {
        return None;
    }
    host(kept.text(node)?)
}

/// `EX01` of `EX01.contoso.com`.
pub(super) fn host(name: &str) -> Option<&str> {
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    let host = name.split('.').next().map(str::trim)?;
    let here = host.is_empty() || host.eq_ignore_ascii_case("localhost");
    (!is_address && !here && is_name(host)).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::{host, install_path, product, version};

    #[test]
    fn versions_lose_leading_zeros_and_nothing_else() {
        assert_eq!(version("15.02.0986.005").as_deref(), Some("15.2.986.5"));
        assert_eq!(version("8.1").as_deref(), Some("8.1"));
        for text in [
            "",
            "8.",
            "8.1.2.3.4",
            "6.1.7601.17514 (win7sp1_rtm.101119-1850)",
            "+8.1",
            "4294967295",
        ] {
            assert_eq!(version(text), None, "{text}");
        }
    }

    #[test]
    fn products_that_share_a_number_are_told_apart_by_build() {
        assert_eq!(product(&[8, 1, 240, 6]), Some("exchange_2007"));
        assert_eq!(product(&[15, 2, 986, 5]), Some("exchange_2019"));
        assert_eq!(product(&[15, 2, 2562, 17]), Some("exchange_se"));
        assert_eq!(product(&[15, 2, 2000, 0]), None);
        assert_eq!(product(&[6, 0, 4417, 0]), None);
    }

    #[test]
    fn names_that_say_nothing_are_no_names() {
        assert_eq!(host("ex01.contoso.com"), Some("ex01"));
        for name in [".", "", "localhost", "10.0.0.5", "::1", " .x"] {
            assert_eq!(host(name), None, "{name}");
        }
    }

    #[test]
    fn the_folder_above_bin_is_where_exchange_is() {
        assert_eq!(install_path(r"D:\Exchange\bin\exsetup.exe").as_deref(), Some(r"D:\Exchange"));
        for path in
            [r"D:\Exchange\ExSetup.exe", r"bin\ExSetup.exe", r"\\ex01\d$\Exchange\bin\ExSetup.exe"]
        {
            assert_eq!(install_path(path), None, "{path}");
        }
    }
}
