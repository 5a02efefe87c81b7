//! Imports of exports, from the command line down.

#![expect(clippy::unwrap_used, reason = "a failing test may panic")]
#![expect(
    clippy::disallowed_methods,
    reason = "tests read fixtures and write into temporary folders"
)]
#![expect(clippy::print_stdout, reason = "a test says what it skipped and what it saw")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use dpmguard::cli::{self, Streams};
use dpmguard::import::{Import, Options, clixml};
use dpmguard::source::Sources;
use dpmguard::{load, source};
use serde_json::{Value as Json, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import")
}

/// Exit code, standard output, standard error.
fn run(args: &[&str], input: &[u8]) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut input = input;
    let mut streams = Streams {
        input: &mut input,
        out: &mut out,
        err: &mut err,
        colour_out: false,
        colour_err: false,
        is_watched: false,
        is_interactive: false,
    };
    let args = ["dpmguard"].iter().chain(args).map(OsString::from);
    let code = cli::run(args, &mut streams);
    (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

fn import(args: &[&str], input: &[u8]) -> (u8, String, String) {
    run(&[&["facts", "import", "clixml"], args].concat(), input)
}

fn read_back(text: &str) -> Json {
    let mut sources = Sources::default();
    let file = sources.add("out", text.as_bytes()).unwrap();
    let root = source::read(&sources, file).unwrap();
    assert_eq!(load::schema("facts-v1").unwrap().check(&root), []);
    root.to_json()
}

/// The exports of the fixtures that are well.
const WELL: [&str; 6] = [
    "exchange-servers.xml",
    "mailbox-servers.xml",
    "operating-system.xml",
    "hotfixes.xml",
    "bare-values.xml",
    "empty.xml",
];

fn well() -> Vec<String> {
    WELL.iter().map(|name| fixtures().join(name).to_string_lossy().into_owned()).collect()
}

fn expected() -> Json {
    let collected = json!({ "by": "Export-Clixml" });
    json!({
        "schema": "dpmguard.facts/v1",
        "observed_at": "2023-03-05T12:00:00+01:00",
        "collected": { "exchange_servers": collected, "clusters": collected },
        "exchange_servers": [
            {
                "name": "EX01",
                "fqdn": "ex01.contoso.com",
                "product": "exchange_2016",
                "display_version": "15.1.2507.6",
                "edition": "enterprise",
                "roles": ["mailbox"],
                "os": { "name": "Microsoft Windows Server 2016 Standard", "version": "10.0.14393", "service_pack": 0 },
                "hotfixes": ["KB4486129", "KB5022511"],
                "cluster": null,
                "site": "Köln",
                "last_boot_at": "2023-03-01T06:30:00+01:00",
            },
            {
                "name": "EX02",
                "fqdn": "ex02.contoso.com",
                "product": "exchange_2019",
                "display_version": "15.2.1118.7",
                "edition": "evaluation",
                "roles": ["mailbox"],
                "cluster": "DAG1",
                "site": "Bonn",
            },
        ],
        "clusters": [{ "name": "DAG1", "topology": "dag" }],
    })
}

#[test]
fn exports_become_a_fact_file_in_either_format() {
    let files = well();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (code, out, err) = import(&files, b"");
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with("# Made by dpmguard "), "{out}");
    assert_eq!(read_back(&out).to_string(), expected().to_string());
    for line in [
        "exchange-servers.xml: 2 of 2 objects imported\n",
        "hotfixes.xml: 2 of 2 objects imported\n",
        "bare-values.xml: 0 of 3 objects imported; no mapping for `bare text`, `bare value`, `null`\n",
        "empty.xml: 0 of 0 objects imported; the export is empty\n",
        "facts from 4 of 6 files\n",
    ] {
        assert!(err.contains(line), "{line}: {err}");
    }
    let (code, out, _) = import(&[files, vec!["--format", "json"]].concat(), b"");
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<Json>(&out).unwrap(), expected());
}

#[test]
fn folders_standard_input_and_an_output_file() {
    let folder = tempfile::tempdir().unwrap();
    for file in well() {
        fs::copy(&file, folder.path().join(Path::new(&file).file_name().unwrap())).unwrap();
    }
    fs::write(folder.path().join("notes.txt"), "not asked for").unwrap();
    let target = folder.path().join("facts.yaml");
    let (folder, out) = (folder.path().to_string_lossy(), target.to_string_lossy());
    let exsetup = fs::read(fixtures().join("exsetup.xml")).unwrap();
    let (code, printed, err) = import(&[&folder, "-", "--server", "ex01", "--out", &out], &exsetup);
    assert_eq!((code, &*printed), (0, ""), "{err}");
    assert!(
        err.contains("<stdin>: 1 of 1 object imported; taken as from `ex01`, as `--server` says"),
        "{err}"
    );
    let server = read_back(&fs::read_to_string(&target).unwrap())["exchange_servers"][0].clone();
    assert_eq!(
        (&server["version"], &server["install_path"]),
        (&json!("15.1.2507.21"), &json!(r"D:\Exchange"))
    );
    let mut sources = Sources::default();
    let packs = load::packs(true, &[], &mut sources).unwrap();
    let loaded = load::facts(&[target], &mut std::io::empty(), &mut sources, &packs).unwrap();
    assert_eq!(loaded.warnings, []);
}

#[test]
fn a_wrong_file_is_shown_at_its_place_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("facts.yaml");
    let out = target.to_string_lossy();
    let plain = fixtures().join("plain.xml");
    let (code, printed, err) = import(&[&plain.to_string_lossy(), "--out", &out], b"");
    assert_eq!((code, &*printed), (2, ""));
    assert!(err.contains("error[not-clixml]") && err.contains("plain.xml:2:1"), "{err}");
    let cut = fs::read(fixtures().join("hotfixes.xml")).unwrap();
    let (code, _, err) = import(&["-", "--out", &out], cut.get(..900).unwrap());
    assert_eq!(code, 2);
    assert!(err.contains("error[truncated-file]"), "{err}");
    let (code, _, err) = import(&["no-such.xml", "--out", &out], b"");
    assert_eq!(code, 2);
    assert!(err.contains("error[cannot-read]"), "{err}");
    let server = fixtures().join("exchange-servers.xml");
    let (code, _, err) = import(&[&server.to_string_lossy(), "--out", &out], b"");
    assert_eq!(code, 2);
    assert!(err.contains("error[observed-at-missing]") && err.contains("--observed-at"), "{err}");
    assert!(!target.exists());
}

#[test]
fn encodings_and_line_ends_change_nothing() {
    let text = fs::read_to_string(fixtures().join("exchange-servers.xml")).unwrap();
    let crlf = text.replace('\n', "\r\n");
    let utf16 = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        std::iter::once(0xFEFF).chain(crlf.encode_utf16()).flat_map(unit).collect()
    };
    let with_mark = [b"\xEF\xBB\xBF", crlf.as_bytes()].concat();
    let at = ["-", "--observed-at", "2023-03-05T11:00:00Z"];
    let (_, plain, _) = import(&at, text.as_bytes());
    assert!(plain.contains("Köln"));
    for bytes in
        [crlf.clone().into_bytes(), with_mark, utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)]
    {
        let (code, out, err) = import(&at, &bytes);
        assert_eq!((code, &out), (0, &plain), "{err}");
    }
}

/// A small generator of numbers, the same on every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }
}

/// Pieces that mean something to a reader.
const PIECES: [&str; 16] = [
    "<",
    ">",
    "&",
    "\"",
    "/",
    "_x",
    "_xD83D_",
    "]]>",
    "<![CDATA[",
    "<!--",
    "<Obj RefId=\"0\">",
    "</Obj>",
    "<Ref RefId=\"1\" />",
    "<Nil />",
    "<TNRef RefId=\"9\" />",
    "\0",
];

fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(bytes.len());
        match random.below(20) {
            0 => bytes.insert(at, u8::try_from(random.below(256)).unwrap()),
            1 => bytes.truncate(at),
            2 => {
                let end = (at + random.below(40)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                let end = (at + random.below(200)).min(bytes.len());
                let part: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
                let to = random.below(bytes.len());
                bytes.splice(to..to, part);
            }
            4..=15 => {
                if let Some(byte) = bytes.get_mut(at).filter(|byte| byte.is_ascii_alphanumeric()) {
                    *byte = b"0192aZRefxN".get(random.below(11)).copied().unwrap_or(b'0');
                }
            }
            _ => {
                let piece = PIECES.get(random.below(PIECES.len())).copied().unwrap_or_default();
                bytes.splice(at..at, piece.bytes());
            }
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    let mut names: Vec<PathBuf> =
        fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    for name in names {
        seeds.push(fs::read(name).unwrap());
    }
    let mut random = Random(0x5EED_1234_ABCD_0001);
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    let options =
        Options { observed_at: Some("2023-03-05T12:00:00Z".to_owned()), ..Options::default() };
    for round in 0..5_000 {
        let mut bytes = seeds.get(round % seeds.len()).cloned().unwrap_or_default();
        mutate(&mut bytes, &mut random);
        let mut sources = Sources::default();
        let outcome = match sources.add("mutated.xml", &bytes) {
            Err(_) => "undecodable",
            Ok(file) => match clixml(&sources, &[file], &options) {
                Ok(Import { document, warnings, .. }) => {
                    // Whatever it is, it is a fact file.
                    read_back(&document.to_string());
                    read_back(&source::to_yaml(&document));
                    for place in warnings.iter().filter_map(|warning| warning.place) {
                        assert_ne!(sources.location(place).file, "?");
                    }
                    "imported"
                }
                Err(problems) => problems.first().map_or("?", |problem| problem.code),
            },
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    println!("{outcomes:?}");
    assert!(outcomes.get("imported").copied().unwrap_or_default() > 200, "{outcomes:?}");
}

/// Exports of real servers, which are not ours to copy.
fn real() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/real/clixml");
    if !folder.is_dir() {
        println!("skipped: there is no {}", folder.display());
        return None;
    }
    Some(folder)
}

fn real_import(files: &[&str]) -> Import {
    let folder = real().unwrap();
    let mut sources = Sources::default();
    let ids: Vec<_> = files
        .iter()
        .map(|name| sources.add(*name, &fs::read(folder.join(name)).unwrap()).unwrap())
        .collect();
    clixml(&sources, &ids, &Options::default()).unwrap()
}

/// What a person reads in the files.
#[test]
fn real_exports_say_what_a_reader_finds_in_them() {
    let Some(folder) = real() else { return };
    let (code, out, err) = import(&[&folder.to_string_lossy()], b"");
    assert_eq!(code, 0, "{err}");
    let expected = json!({
        "schema": "dpmguard.facts/v1",
        "observed_at": "2021-09-29T12:21:36-07:00",
        "collected": { "exchange_servers": { "by": "Export-Clixml" } },
        "exchange_servers": [{
            "name": "SOLO-E19A",
            "fqdn": "Solo-E19A.Solo.com",
            "product": "exchange_2019",
            "version": "15.2.986.5",
            "display_version": "15.2.986.5",
            "edition": "evaluation",
            "roles": ["mailbox"],
            "install_path": r"C:\Program Files\Microsoft\Exchange Server\V15",
            "os": {
                "name": "Microsoft Windows Server 2019 Datacenter",
                "version": "10.0.17763",
                "service_pack": 0,
                "arch": "x64",
            },
            "hotfixes": ["KB4464455", "KB4486153"],
            "cluster": null,
            "site": "Default-First-Site-Name",
            "reboot_pending": true,
            "last_boot_at": "2021-09-29T11:59:07-07:00",
        }],
    });
    assert_eq!(read_back(&out), expected);
    assert!(err.contains("facts from 7 of 26 files"), "{err}");
    // One file was edited by hand, and shows it; nothing else is odd.
    assert_eq!(err.matches("warning[").count(), 1, "{err}");
    assert!(err.contains("warning[duplicate-ref-id]"), "{err}");
}

#[test]
fn real_exports_are_counted_as_they_are() {
    if real().is_none() {
        return;
    }
    let files = [
        ("E19-Win32_OperatingSystem.xml", 1, 1),
        ("E19-GetExchangeServer.xml", 1, 1),
        ("E19-GetHotFix.xml", 2, 2),
        ("E19-GetVisualCRedistributableInstalledVersion.xml", 6, 0),
        ("E19-TestServiceHealth.xml", 3, 0),
        ("E19-Win32_PageFileSystemManaged.xml", 0, 0),
        ("E19-RemoteRegistryValueProductName.xml", 1, 0),
        ("utf16-ExchangeBuildNumbers.xml", 180, 0),
        ("utf16-GetChildItemFailed.xml", 1, 0),
        ("E19-cycle-GetDotNetDllFileVersions.xml", 1, 0),
    ];
    let import = real_import(&files.map(|(name, ..)| name));
    for ((name, objects, mapped), summary) in files.iter().zip(&import.files) {
        assert_eq!((&*summary.name, summary.objects, summary.mapped), (*name, *objects, *mapped));
    }
}

/// Each file alone, cut anywhere: a diagnostic, never a panic.
#[test]
fn real_exports_cut_short_are_refused() {
    let Some(folder) = real() else { return };
    let mut random = Random(0x5EED_0000_0000_0007);
    for entry in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        for _ in 0..5 {
            // An element is closed in the last line.
            let end = random.below(bytes.len().saturating_sub(30));
            let mut sources = Sources::default();
            let Ok(file) = sources.add("cut.xml", bytes.get(..end).unwrap()) else { continue };
            let options = Options {
                observed_at: Some("2021-09-29T12:00:00Z".to_owned()),
                ..Options::default()
            };
            let problems = clixml(&sources, &[file], &options).unwrap_err();
            let code = problems.first().map(|problem| problem.code);
            assert!(
                matches!(code, Some("truncated-file" | "not-clixml" | "malformed-xml")),
                "{end} of {}: {problems:?}",
                bytes.len()
            );
        }
    }
}
