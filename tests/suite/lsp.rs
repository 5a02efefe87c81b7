//! `dpmguard lsp`, spoken with over the pipes of a real process, as an editor does it.

mod answers;
mod wire;

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::support::root;

/// Where the cursor is in a text.
const CURSOR: char = '‸';
/// The longest that is waited for an answer; a busy machine takes its time.
const PATIENCE: Duration = Duration::from_mins(4);

/// An editor, reduced to the wire.
struct Client {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Json>,
    /// Notifications that came while something else was waited for.
    kept: VecDeque<Json>,
    next_id: i32,
    version: i32,
}

impl Client {
    /// A server that nobody has said hello to.
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_dpmguard"))
            .arg("lsp")
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = child.stdout.take().unwrap();
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read_message(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Self { child, input, messages, kept: VecDeque::new(), next_id: 0, version: 0 }
    }

    /// A server that is ready for the pack of the fixtures.
    fn ready() -> Self {
        Self::with(&json!({ "capabilities": {} }))
    }

    fn with(params: &Json) -> Self {
        let mut client = Self::start();
        client.ask("initialize", params).unwrap();
        client.tell("initialized", &json!({}));
        client
    }

    fn write(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn send(&mut self, message: &Json) {
        let text = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    fn receive(&mut self) -> Json {
        self.messages.recv_timeout(PATIENCE).unwrap()
    }

    fn tell(&mut self, method: &str, params: &Json) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The answer to a request: a result, or an error.
    fn ask(&mut self, method: &str, params: &Json) -> Result<Json, Json> {
        self.next_id += 1;
        let id = self.next_id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.receive();
            if message["id"] == id && message.get("method").is_none() {
                return match message.get("error") {
                    Some(error) => Err(error.clone()),
                    None => Ok(message["result"].clone()),
                };
            }
            self.kept.push_back(message);
        }
    }

    /// The problems of a file that are told next.
    fn problems(&mut self, uri: &str) -> Vec<Json> {
        loop {
            let message = self.kept.pop_front().unwrap_or_else(|| self.receive());
            if message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
            {
                return message["params"]["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    /// Opens a text, or gives it another.
    fn edit(&mut self, uri: &str, text: &str) -> Vec<Json> {
        self.kept.clear();
        self.version += 1;
        let version = self.version;
        if version == 1 {
            let document =
                json!({ "uri": uri, "languageId": "yaml", "version": version, "text": text });
            self.tell("textDocument/didOpen", &json!({ "textDocument": document }));
        } else {
            let document = json!({ "uri": uri, "version": version });
            let changes = json!([{ "text": text }]);
            let params = json!({ "textDocument": document, "contentChanges": changes });
            self.tell("textDocument/didChange", &params);
        }
        self.problems(uri)
    }

    /// Says goodbye; the answer is the exit code.
    fn leave(mut self) -> i32 {
        self.ask("shutdown", &Json::Null).unwrap();
        self.tell("exit", &Json::Null);
        self.child.wait().unwrap().code().unwrap()
    }
}

fn read_message(output: &mut impl BufRead) -> Option<Json> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut content = vec![0; length];
    output.read_exact(&mut content).ok()?;
    Some(serde_json::from_slice(&content).unwrap())
}

fn folder() -> PathBuf {
    root().join("tests/lsp")
}

fn uri(path: &str) -> String {
    let path = folder().join(path).to_string_lossy().replace('\\', "/");
    format!("file://{}{path}", if path.starts_with('/') { "" } else { "/" })
}

fn text_of(path: &str) -> String {
    fs::read_to_string(folder().join(path)).unwrap()
}

const RULE: &str = "tapes/drive-not-cleaned.yaml";

/// The text without its cursor, and where that was, in UTF-16.
fn at_cursor(marked: &str) -> (String, Json) {
    let offset = marked.find(CURSOR).unwrap();
    let before = &marked[..offset];
    let line = before.matches('\n').count();
    let column = before.rsplit('\n').next().unwrap().encode_utf16().count();
    (marked.replace(CURSOR, ""), json!({ "line": line, "character": column }))
}

/// The rule of the fixtures with one stretch replaced.
fn rule_with(old: &str, new: &str) -> String {
    let text = text_of(RULE);
    assert!(text.contains(old), "{old}");
    text.replacen(old, new, 1)
}

/// An editor with the rule open and the cursor in it, asking things.
struct Session {
    client: Client,
    uri: String,
}

impl Session {
    fn new() -> Self {
        Self { client: Client::ready(), uri: uri(RULE) }
    }

    fn at(&mut self, method: &str, marked: &str, more: &Json) -> Result<Json, Json> {
        let (text, position) = at_cursor(marked);
        self.client.edit(&self.uri, &text);
        let mut params = json!({ "textDocument": { "uri": self.uri }, "position": position });
        for (key, value) in more.as_object().unwrap() {
            params[key] = value.clone();
        }
        self.client.ask(method, &params)
    }

    fn completion(&mut self, marked: &str) -> Vec<Json> {
        let found = self.at("textDocument/completion", marked, &json!({})).unwrap();
        found.as_array().unwrap().clone()
    }

    fn labels(&mut self, marked: &str) -> Vec<String> {
        let found = self.completion(marked);
        found.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    fn hover(&mut self, marked: &str) -> String {
        let found = self.at("textDocument/hover", marked, &json!({})).unwrap();
        found["contents"]["value"].as_str().unwrap_or("nothing").to_owned()
    }

    /// File, line from 1, and the text there.
    fn definition(&mut self, marked: &str) -> String {
        let found = self.at("textDocument/definition", marked, &json!({})).unwrap();
        let Some(target) = found["uri"].as_str() else { return "nothing".to_owned() };
        let path = target.strip_prefix(&uri("")).unwrap();
        let text = if path == RULE { at_cursor(marked).0 } else { text_of(path) };
        let (start, end) = (&found["range"]["start"], &found["range"]["end"]);
        let number = |value: &Json| usize::try_from(value.as_u64().unwrap()).unwrap();
        let line = number(&start["line"]);
        let there = text.lines().nth(line).unwrap();
        let word = &there[number(&start["character"])..number(&end["character"])];
        format!("{path}:{} {word}", line + 1)
    }
}

#[test]
fn problems_are_told_as_one_types() {
    let mut client = Client::ready();
    let uri = uri(RULE);
    assert_eq!(client.edit(&uri, &text_of(RULE)), Vec::<Json>::new());
    for (old, new, code, message, at) in [
        (
            "drive.state != \"broken\"",
            "drive.stat != \"broken\"",
            "unknown-field",
            "`tape_drive` has no field `stat`\nhelp: did you mean `state`?",
            "stat",
        ),
        ("severity: warning", "severity: bad", "not-allowed", "", "bad"),
        ("id: drive-not-cleaned", "id: [", "yaml-syntax", "", ""),
        ("action: clean-drive", "action: clean-drve", "unknown-action", "", "clean-drve"),
        ("see: drive-broken", "see: drive-brokn", "unknown-rule", "", "drive-brokn"),
        ("cause: worn-drive", "cause: worn", "unknown-cause", "", "worn"),
        ("${hours} hours;", "${hurs} hours;", "unknown-name", "", "hurs"),
    ] {
        let text = rule_with(old, new);
        let found = client.edit(&uri, &text);
        let told = found.first().unwrap_or_else(|| panic!("nothing is told of {new}"));
        if code != "not-allowed" {
            assert_eq!(told["code"], code, "{told}");
        }
        assert_eq!(told["source"], "dpmguard");
        assert_eq!(told["severity"], 1);
        if !message.is_empty() {
            assert_eq!(told["message"], message);
        }
        if !at.is_empty() {
            let (start, end) = (&told["range"]["start"], &told["range"]["end"]);
            let number = |value: &Json| usize::try_from(value.as_u64().unwrap()).unwrap();
            let line = text.lines().nth(number(&start["line"])).unwrap();
            assert_eq!(&line[number(&start["character"])..number(&end["character"])], at, "{told}");
        }
    }
    // What the schema says does not hide what the checker says.
    let text = rule_with("severity: warning", "severity: bad")
        .replace("drive.state != ", "drive.stat != ");
    let codes: Vec<Json> =
        client.edit(&uri, &text).iter().map(|told| told["code"].clone()).collect();
    assert!(codes.contains(&json!("unknown-field")) && codes.len() == 2, "{codes:?}");
    assert_eq!(client.edit(&uri, &text_of(RULE)), Vec::<Json>::new());
    assert_eq!(client.leave(), 0);
}

#[test]
fn open_texts_count_in_place_of_files() {
    let mut client = Client::ready();
    let (action, rule) = (uri("tapes/actions/clean-drive.yaml"), uri(RULE));
    let renamed = text_of("tapes/actions/clean-drive.yaml").replace("times", "often");
    assert_eq!(client.edit(&action, &renamed), Vec::<Json>::new());
    // The rule is not open, and is told of all the same; `kept` has it, or it comes.
    let found = client.problems(&rule);
    let codes: Vec<&Json> = found.iter().map(|told| &told["code"]).collect();
    assert_eq!(codes, ["missing-argument", "unknown-parameter"]);
    client.tell("textDocument/didClose", &json!({ "textDocument": { "uri": action } }));
    assert_eq!(client.problems(&rule), Vec::<Json>::new());
    assert_eq!(client.leave(), 0);
}

#[test]
fn every_kind_of_document_is_looked_at() {
    for (path, old, new, code) in [
        ("tapes/tables/tape-codes.yaml", "source: manual", "source: manul", "unknown-source"),
        ("tapes/pack.yaml", "version: 0.1.0", "versoin: 0.1.0", "unknown-key"),
        ("tapes/model.yaml", "x-key: [name]", "x-key: [nam]", "schema-not-understood"),
        ("tapes/lib/tapes.rhai", "hours > limit", "hours >", "script-syntax"),
        (
            "tapes/cases/drive-not-cleaned/violated.yaml",
            "{ limit_hours",
            "{ limit",
            "unknown-parameter",
        ),
        ("tapes/cases/drive-not-cleaned/violated.yaml", "facts:", "fact:", "unknown-key"),
        (
            "tapes/cases/drive-not-cleaned/violated.yaml",
            "expect: violated",
            "expect: [{ subject: D2, outcome: violated }]",
            "unknown-subject",
        ),
        (
            "tapes/cases/drive-not-cleaned/violated.yaml",
            "expect: violated",
            "patch: [{ set: \"tape_drives[D2].state\", to: ready }]\nexpect: violated",
            "unknown-fact",
        ),
        ("dpmguard.yaml", "shipped_rules: false", "skip: [no-such-rule]", "unknown-rule"),
        ("dpmguard.yaml", "rules: [tapes]", "rules: [tpes]", "cannot-read"),
    ] {
        let mut client = Client::ready();
        let text = text_of(path);
        assert!(text.contains(old), "{path}");
        let found = client.edit(&uri(path), &text);
        assert_eq!(found, Vec::<Json>::new(), "{path}");
        let found = client.edit(&uri(path), &text.replacen(old, new, 1));
        let codes: Vec<&Json> = found.iter().map(|told| &told["code"]).collect();
        assert!(codes.contains(&&json!(code)), "{path}: {found:?}");
        assert_eq!(client.leave(), 0);
    }
}

#[test]
fn a_case_completes_outcomes_subjects_and_fixtures() {
    let example = root().join("examples/tape-libraries/pack");
    let case = "cases/tape-drive-needs-cleaning/h0le.yaml";
    let uri = format!("file://{}/{case}", example.to_string_lossy().replace('\\', "/"));
    let head = "schema: dpmguard.case/v1\ntitle: t\nnow: 2009-09-14T18:00:00Z\n";
    let base = "base: ../../fixtures/estate.yaml\n";
    for (text, wanted, unwanted) in [
        (format!("{head}{base}expect: ‸\n"), "undecided", "DPM01/LIB1/Drive 1"),
        (format!("{head}{base}expect: vio‸\n"), "violated", "DPM01/LIB1/Drive 1"),
        (
            format!("{head}{base}expect:\n  - subject: DPM01/‸\n    outcome: violated\n"),
            "DPM01/LIB1/Drive 1",
            "DPM01/LIB1",
        ),
        (format!("{head}base: ‸\nexpect: violated\n"), "../../fixtures/estate.yaml", "violated"),
    ] {
        let mut session = Session { client: Client::ready(), uri: uri.clone() };
        let labels = session.labels(&text);
        assert!(labels.iter().any(|label| label == wanted), "{text}: {labels:?}");
        assert!(labels.iter().all(|label| label != unwanted), "{text}: {labels:?}");
    }
}

#[test]
fn facts_and_foreign_files() {
    let mut client = Client::ready();
    let facts = "schema: dpmguard.facts/v1\nobserved_at: \"2026-11-29T00:00:00Z\"\ntape_drives:\n  - { name: D1, state: worn }\n";
    let found = client.edit(&uri("facts.yaml"), facts);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0]["message"].as_str().unwrap().contains("`worn`"), "{found:?}");
    let mut client = Client::ready();
    assert_eq!(client.edit(&uri("compose.yaml"), "services: [\n"), Vec::<Json>::new());
}
