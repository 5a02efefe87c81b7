//! `dpmguard rules docs`: what it writes, leaves alone and finds stale, and that no pack can write
//! anything but text into it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use tempfile::TempDir;

use crate::support::{files, root, run, snapshot_beside};

/// Ours is made with the cases that lie beside the rules.
#[test]
fn our_reference_is_up_to_date() {
    let (rules, out) = (path(&root().join("rules")), path(&root().join("docs/rules")));
    let mut args = vec!["rules", "docs", "--rules", &rules, "--out", &out];
    if std::env::var_os("DPMGUARD_UPDATE").is_none() {
        args.push("--check");
    }
    let ran = run(&args);
    assert_eq!(
        ran.code, 0,
        "docs/rules is stale: run `cargo run -- rules docs --rules rules --out docs/rules`\n{}{}",
        ran.out, ran.err
    );
}

fn path(path: &Path) -> String {
    path.display().to_string()
}

/// A folder with a pack of these files, beside which the reference is written.
fn pack(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join("pack").join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    folder
}

fn docs(folder: &TempDir, more: &[&str]) -> crate::support::Ran {
    let (rules, out) = (path(&folder.path().join("pack")), path(&folder.path().join("out")));
    let args = ["rules", "docs", "--no-shipped-rules", "--rules", &rules, "--out", &out];
    run(&[&args, more].concat())
}

fn written(folder: &TempDir, name: &str) -> String {
    let file = folder.path().join("out").join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// A rule of that id and title.
fn rule(id: &str, title: &str) -> String {
    let title = serde_json::to_string(title).unwrap();
    format!(
        "schema: dpmguard.rule/v1\nid: {id}\ntitle: {title}\nseverity: note\ncertainty: guess\n\
         explanation: {title}\nselect:\n  - {{ each: db, of: database }}\nviolated: 'db.mounted ?? false'\n\
         finding: {{ subject: db, message: {title}, evidence: [db.mounted], fingerprint: [] }}\n\
         references:\n  - {{ title: {title}, says: {title}, url: {title} }}\n"
    )
}

const MODEL: &str = r##"schema: dpmguard.model/v1
title: Tape libraries
properties:
  tape_libraries:
    type: array
    items: { $ref: "#/$defs/tape_library" }
$defs:
  tape_library:
    x-kind: tape_library
    x-key: [server, name]
    title: Tape library
    description: A library of tapes.
    type: object
    required: [server, name]
    additionalProperties: false
    properties:
      server: { type: string, format: name, x-ref: exchange_server, x-inverse: tape_libraries, description: Where it is. }
      name: { type: string, format: name, description: Its name. }
      free_bytes: { type: integer, x-unit: bytes, x-source: mtx status, description: What is free. }
      drives: { type: array, description: Drives., items: { type: object, properties: { '"><b>': { type: string, description: Odd. }, state: { type: string, enum: [idle, busy] } } } }
"##;

const TAPE_RULE: &str = r"schema: dpmguard.rule/v1
id: tape-library-full
title: A tape library is full
severity: warning
certainty: inferred
tags: [tape]
explanation: |
  There is no room.

  - one
  - two
params:
  least: { type: integer, default: 5, help: Bytes. }
max_age: { tape_library: 24h }
select:
  - each: library
    of: tape_library
    where: any_idle(library)
  - one: server
    from: exchange_servers.filter(|s| s == library.server)
    if_none: { outcome: undecided, because: '${library.name} has no server', see: tape-server }
let:
  - busy: library.drives.any(|d| d.state == 'busy')
  - unused: library.server.version
require:
  - that: known(library.free_bytes)
    else: { outcome: not_applicable, because: nothing is known of it }
violated: >-
  library.free_bytes < params.least
  && !busy
finding: { subject: library, message: '${library.name} has ${library.free_bytes}', evidence: [library.free_bytes, unused], fingerprint: [] }
consequence:
  - { set: library.free_bytes, to: '0' }
remediation:
  - { action: empty-tapes, with: { library: library }, unless: busy }
withholds:
  - { action: empty-tapes, at: library, when: busy, because: A drive is busy. }
references:
  - { title: A book, says: It is so., url: 'https://example.org/a_(b)' }
";

const ACTION: &str = r"schema: dpmguard.action/v1
id: empty-tapes
title: Empty the tapes
role: fix
at: library
params:
  library: { ref: tape_library }
do: Take the tapes out of ${library.name}.
duration: { best: '1.0', expected: '2.0', worst: '3.0', because: it is quick }
";

const SCRIPT: &str = "/// Whether a drive is idle: `d | e`.\n/// fn any_idle(library: tape_library) -> bool\n\
     fn any_idle(library) { true }\n";

const CASE: &str = "schema: dpmguard.case/v1\ntitle: Nothing is free\nfacts: {}\nnow: \"2009-05-04T18:00:00Z\"\n\
     expect:\n  - { subject: A/B, outcome: violated }\n  - { subject: A/C, outcome: satisfied }\n";

fn tapes() -> TempDir {
    let rule_text = TAPE_RULE.replace("'busy'", "\"busy\"");
    let tape_server = rule("tape-server", "Tape servers");
    pack(&[
        ("model.yaml", MODEL),
        ("tape-library-full.yaml", &rule_text),
        ("tape-server.yaml", &tape_server),
        ("actions/empty-tapes.yaml", ACTION),
        ("lib/tapes.rhai", SCRIPT),
        ("cases/tape-library-full/nothing-free.yaml", CASE),
    ])
}

#[test]
fn a_pack_outside_with_kinds_of_its_own_is_described() {
    let folder = tapes();
    let ran = docs(&folder, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    for (name, page) in [
        ("rule", "tape-library-full.md"),
        ("kind", "model/tape_library.md"),
        ("action", "actions/empty-tapes.md"),
        ("index", "index.md"),
    ] {
        snapshot_beside(&root().join("tests/reference").join(name), &written(&folder, page));
    }
    // The way to the pack's folder is another on every machine.
    for file in files(&folder.path().join("out"), "md") {
        let page = fs::read_to_string(&file).unwrap();
        assert!(!page.contains(&path(folder.path())), "{}", file.display());
    }
}

#[test]
fn a_rule_shows_the_facts_that_it_needs() {
    let folder = tapes();
    let rules = path(&folder.path().join("pack"));
    let shown = run(&["rules", "show", "tape-library-full", "--rules", &rules]).out;
    let needs = shown.split("\nFacts it needs\n").nth(1).unwrap().split("\n\n").next().unwrap();
    insta::assert_snapshot!(needs, @r"
      exchange_server (the list of all)
      tape_library (the list of all): drives.state, free_bytes (if known), server
      tape_library: at most 1 d old
    ");
}

#[test]
fn only_what_differs_is_written() {
    let folder = tapes();
    let out = folder.path().join("out");
    let checked = docs(&folder, &["--check"]);
    assert_eq!(checked.code, 1);
    assert!(!out.exists(), "a check writes nothing");
    assert!(checked.out.contains("out/tape-library-full.md"), "{}", checked.out);
    assert_eq!(docs(&folder, &[]).code, 0);
    let again = docs(&folder, &[]);
    assert!(again.out.starts_with("0 new, 0 changed, 0 removed, "), "{}", again.out);
    assert_eq!(docs(&folder, &["--check"]).code, 0);

    // A rule goes, and one page was changed by hand; pages of somebody else stay.
    fs::write(out.join("mine.md"), "# Mine\n").unwrap();
    fs::write(out.join("actions/mine.md"), "<!-- Mine -->\n").unwrap();
    let changed = written(&folder, "tape-server.md") + "by hand\n";
    fs::write(out.join("tape-server.md"), changed).unwrap();
    fs::write(folder.path().join("pack/other.yaml"), rule("other", "Other")).unwrap();
    docs(&folder, &[]);
    fs::remove_file(folder.path().join("pack/other.yaml")).unwrap();
    let checked = docs(&folder, &["--check"]);
    assert_eq!(checked.code, 1);
    let lines: Vec<&str> = checked.out.lines().filter(|line| line.contains("other.md")).collect();
    assert!(lines.iter().all(|line| line.starts_with("left over")) && lines.len() == 1);
    let ran = docs(&folder, &[]);
    assert!(ran.out.contains("removed") && !out.join("other.md").exists(), "{}", ran.out);
    assert!(out.join("mine.md").exists() && out.join("actions/mine.md").exists());
    assert!(!written(&folder, "tape-server.md").contains("by hand"));
    assert_eq!(docs(&folder, &["--check"]).code, 0);
}

#[test]
fn a_file_that_was_not_generated_is_never_replaced() {
    let folder = tapes();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    fs::write(out.join("functions.md"), "# My functions\n").unwrap();
    let ran = docs(&folder, &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("error[not-generated]"), "{}", ran.err);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1, "nothing else is written");
    assert_eq!(written(&folder, "functions.md"), "# My functions\n");
    let html = folder.path().join("mine.html");
    fs::write(&html, "<p>mine").unwrap();
    let rules = path(&folder.path().join("pack"));
    let html = path(&html);
    let ran = run(&["rules", "docs", "--rules", &rules, "--format", "html", "--out", &html]);
    assert_eq!(ran.code, 2, "{}", ran.out);
}

#[test]
fn a_broken_pack_or_case_writes_nothing() {
    for (name, text) in
        [("a.yaml", "id: [".to_owned()), ("cases/tape-server/bad.yaml", "title: [".to_owned())]
    {
        let folder = tapes();
        fs::create_dir_all(folder.path().join("pack/cases/tape-server")).unwrap();
        fs::write(folder.path().join("pack").join(name), text).unwrap();
        let ran = docs(&folder, &[]);
        assert_eq!(ran.code, 2, "{name}: {}", ran.out);
        assert!(!folder.path().join("out").exists());
    }
}

#[test]
fn a_pack_without_rules_has_a_reference() {
    let folder = pack(&[("model.yaml", MODEL), ("empty-tapes.yaml", ACTION)]);
    let ran = docs(&folder, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(written(&folder, "index.md").contains("There are no rules."));
    assert!(written(&folder, "actions/empty-tapes.md").contains("# Empty the tapes"));
    assert_eq!(docs(&folder, &["--format", "html"]).code, 0);
}

/// Texts that try to be more than text.
const HOSTILE: &[&str] = &[
    "</title></code></p><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt; &amp; &#60;",
    "[click](javascript:alert(1)) ![x](http://evil/x.png)",
    "javascript:alert(1)",
    "| a | b |",
    "`code` ``` ` ",
    "# heading",
    "1. item",
    "- item",
    "> quote",
    "<!-- comment",
    "*a* __b__ ~~c~~ $d$",
    "\\",
    "${",
    "a](b",
    "<a id=\"rule-x\">",
    "\" onmouseover=\"alert(1)",
    "https://example.org/\" onclick=\"x",
    "https://example.org/a) [b](c",
    "---",
    "===",
    "    code",
    "\u{202e}gnp.exe\u{202c}",
    "\u{1b}[31mred\u{7}",
    "a\nb\n\n# c",
    "&copy;",
    "::before",
    "a<b>c",
    "<https://evil.example>",
];

fn hostile() -> TempDir {
    let mut files = Vec::new();
    for (number, text) in HOSTILE.iter().enumerate() {
        // A placeholder must close; the escapes of JSON are those of YAML.
        let id = format!("h{number}");
        let mut body = rule(&id, text);
        if text.contains("${") {
            let whole = serde_json::to_string(text).unwrap();
            body = body.replace(&format!("message: {whole}"), "message: a");
        }
        files.push((format!("{id}.yaml"), body));
    }
    for id in ["index", "functions", "con", "com1", "model", "actions", "x-1"] {
        files.push((format!("{id}.yaml"), rule(id, "Odd id")));
    }
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    pack(&files)
}

/// An independent reader of Markdown finds the text as it was, and no HTML that is not ours.
#[test]
fn no_pack_gets_more_than_text_into_markdown() {
    let folder = hostile();
    let ran = docs(&folder, &[]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    for (number, text) in HOSTILE.iter().enumerate() {
        let page = written(&folder, &format!("h{number}.md"));
        assert!(!page.contains(['\u{202e}', '\u{1b}', '\u{7}']), "{page}");
        let mut headings = 0;
        let mut title = String::new();
        let mut in_title = false;
        for event in Parser::new_ext(&page, Options::ENABLE_TABLES) {
            match event {
                Event::Html(html) | Event::InlineHtml(html) => assert!(
                    html.starts_with("<!-- ") && html.contains("-->")
                        || html.starts_with("<a id=\"") && !html.contains("rule-x")
                        || &*html == "</a>",
                    "{html} in\n{page}"
                ),
                Event::Start(Tag::Link { dest_url, .. }) => assert!(
                    dest_url.ends_with(".md")
                        || dest_url.contains(".md#")
                        || dest_url.starts_with("https://example.org/"),
                    "{dest_url} in\n{page}"
                ),
                Event::Start(Tag::Image { .. }) => panic!("an image in\n{page}"),
                Event::Start(Tag::Heading { level, .. }) => {
                    headings += 1;
                    in_title = level as usize == 1;
                }
                Event::End(TagEnd::Heading(_)) => in_title = false,
                Event::Text(part) | Event::Code(part) if in_title => title.push_str(&part),
                _ => {}
            }
        }
        assert_eq!(headings, 8, "headings in\n{page}");
        if !text.contains(|c: char| c.is_control() || c == '\u{202e}') {
            assert_eq!(title, text.trim(), "{page}");
        }
    }
    // No rule takes the place of a page of ours, and no file has a name that Windows keeps.
    assert!(written(&folder, "index.md").contains("# Rules"));
    assert!(written(&folder, "functions.md").contains("# Functions"));
    assert!(written(&folder, "index-_.md").contains("# Odd id"));
    assert!(!folder.path().join("out/con.md").exists());
}

/// Tags of a page of HTML, each with its attributes, and the text between them.
fn tags(html: &str) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or_else(|| panic!("an open tag: {part}"));
        all.push((tag, text));
    }
    all
}

fn html(folder: &TempDir, args: &[&str]) -> String {
    let out = path(&folder.path().join("all.html"));
    let ran = run(&[&["rules", "docs", "--format", "html", "--out", &out], args].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    fs::read_to_string(out).unwrap()
}

#[test]
fn no_pack_gets_more_than_text_into_html() {
    let folder = hostile();
    let rules = path(&folder.path().join("pack"));
    let page = html(&folder, &["--no-shipped-rules", "--rules", &rules]);
    let (head, body) = page.split_once("<body>").unwrap();
    assert_eq!(page.matches("<script").count(), 1);
    assert!(head.contains("default-src 'none'"));
    let body = body.split_once("<script>").unwrap().0;
    assert!(!body.contains(['\u{202e}', '\u{1b}', '\u{7}']));
    let ours = [
        "a",
        "article",
        "blockquote",
        "code",
        "details",
        "div",
        "figcaption",
        "figure",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "header",
        "input",
        "label",
        "li",
        "main",
        "nav",
        "ol",
        "output",
        "p",
        "pre",
        "section",
        "small",
        "strong",
        "summary",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
        "wbr",
    ];
    for (tag, _) in tags(body) {
        let name = tag.trim_start_matches('/').split([' ', '\n']).next().unwrap();
        assert!(ours.contains(&name), "<{tag}>");
        assert!(!tag.contains(" on") && !tag.contains("javascript:"), "<{tag}>");
    }
    for text in HOSTILE.iter().filter(|text| text.starts_with("<img")) {
        assert!(!body.contains(text) && body.contains("&lt;img src=x"), "{text}");
    }
}

/// The page asks for nothing, and every link in it leads somewhere.
#[test]
fn the_html_page_stands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let rules = path(&root().join("rules"));
    let page = html(&folder, &["--rules", &rules]);
    for word in [" src=", "<link", "@import", "url(", "<iframe", "<object"] {
        assert!(!page.split("<body>").next().unwrap().contains(word), "{word}");
    }
    let mut ids = BTreeSet::new();
    let mut links = BTreeSet::new();
    let body = page.split("<body>").nth(1).unwrap().split("<script>").next().unwrap();
    for (tag, _) in tags(body) {
        let attribute = |name: &str| {
            Some(tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?.to_owned())
        };
        if let Some(id) = attribute("id") {
            assert!(ids.insert(id.clone()), "the id {id} stands twice");
        }
        if let Some(link) = attribute("href") {
            assert!(link.starts_with('#') || link.starts_with("http"), "{link}");
            links.extend(link.strip_prefix('#').map(str::to_owned));
        }
        assert!(attribute("src").is_none() && attribute("style").is_none(), "<{tag}>");
    }
    let dead: Vec<&String> = links.difference(&ids).collect();
    assert!(dead.is_empty(), "{dead:?}");
    assert!(ids.contains("rule-database-file-moved") && ids.contains("kind-volume-mount"));
    // Headings go down by one level at a time.
    let mut last = 0;
    for (tag, _) in tags(body) {
        if let Some(level) =
            tag.strip_prefix('h').and_then(|rest| rest.chars().next()?.to_digit(10))
        {
            assert!(level <= last + 1, "<{tag}> behind a heading of level {last}");
            last = level;
        }
    }
}

/// Links of the Markdown pages lead to files that are there, and to anchors that are in them.
#[test]
fn links_of_our_reference_lead_somewhere() {
    let folder = root().join("docs/rules");
    let mut anchors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let pages: Vec<_> = files(&folder, "md");
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        let ids = text.split("<a id=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
        anchors.insert(path(page), ids.map(str::to_owned).collect());
    }
    let mut checked = 0;
    for page in &pages {
        let text = fs::read_to_string(page).unwrap();
        for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
            let Event::Start(Tag::Link { dest_url, .. }) = event else { continue };
            if dest_url.starts_with("http") {
                continue;
            }
            let (file, anchor) = dest_url.split_once('#').unwrap_or((&dest_url, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file).canonicalize().unwrap(),
            };
            let known = &anchors[&path(&target)];
            assert!(anchor.is_empty() || known.contains(anchor), "{}: {dest_url}", page.display());
            checked += 1;
        }
    }
    assert!(checked > 1000, "only {checked} links were found");
}
