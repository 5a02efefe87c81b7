//! The conversation itself: how positions are counted, what is no message, and a session as it was recorded.

use std::fs;

use serde_json::{Value as Json, json};

use super::{Client, RULE, folder, rule_with, text_of, uri};

#[test]
fn positions_are_counted_as_agreed() {
    let general = json!({ "positionEncodings": ["utf-8", "utf-16"] });
    let mut client = Client::with(&json!({ "capabilities": { "general": general } }));
    let text = rule_with("${hours} hours;", "\u{1F600} ${hurs} hours;");
    let found = client.edit(&uri(RULE), &text);
    let line = text.lines().position(|line| line.contains("hurs")).unwrap();
    let column = text.lines().nth(line).unwrap().find("hurs").unwrap();
    assert_eq!(found[0]["range"]["start"], json!({ "line": line, "character": column }));
    let mut client = Client::ready();
    let found = client.edit(&uri(RULE), &text);
    // The face is four bytes and two units of UTF-16.
    assert_eq!(found[0]["range"]["start"], json!({ "line": line, "character": column - 2 }));
}

fn refused(found: Result<Json, Json>) -> i64 {
    found.unwrap_err()["code"].as_i64().unwrap()
}

fn place(uri: &str, line: u64, character: u64) -> Json {
    let position = json!({ "line": line, "character": character });
    json!({ "textDocument": { "uri": uri }, "position": position })
}

#[test]
fn what_is_no_message_is_answered_or_passed_over() {
    let mut client = Client::start();
    assert_eq!(refused(client.ask("textDocument/hover", &json!({}))), -32002);
    client.tell("textDocument/didOpen", &json!({}));
    client.write(b"what is this\r\n\r\nContent-Length: 3\r\n\r\n{x}");
    assert_eq!(client.receive()["error"]["code"], -32700);
    client.write(b"Content-Length: 2\r\n\r\n[]");
    assert_eq!(client.receive()["error"]["code"], -32600);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    client.write(format!("Content-Length: {}\r\n\r\n{deep}", deep.len()).as_bytes());
    assert_eq!(client.receive()["error"]["code"], -32700);
    let odd = json!({ "capabilities": { "general": 7 }, "rootUri": 3, "workspaceFolders": "x" });
    client.ask("initialize", &odd).unwrap();
    assert_eq!(refused(client.ask("initialize", &json!({}))), -32600);
    assert_eq!(refused(client.ask("textDocument/tea", &json!({}))), -32601);
    assert_eq!(refused(client.ask("textDocument/hover", &json!({ "position": "here" }))), -32602);
    assert_eq!(refused(client.ask("textDocument/hover", &Json::Null)), -32602);
    assert_eq!(refused(client.ask("textDocument/hover", &place("file:///no.yaml", 0, 0))), -32602);
    client.tell("textDocument/didChange", &json!({ "textDocument": 1 }));
    client.tell("no/such", &json!([]));
    let untitled = json!({ "uri": "untitled:a", "languageId": "yaml", "version": 1, "text": "a" });
    client.tell("textDocument/didOpen", &json!({ "textDocument": untitled }));
    client.edit(&uri(RULE), &text_of(RULE));
    for (line, character) in [(4_000_000_000, 0), (0, 4_000_000_000), (12, 9_999), (50, 0)] {
        for method in ["hover", "completion", "definition", "signatureHelp"] {
            let method = format!("textDocument/{method}");
            client.ask(&method, &place(&uri(RULE), line, character)).unwrap();
        }
    }
    client.ask("shutdown", &Json::Null).unwrap();
    assert_eq!(refused(client.ask("textDocument/hover", &place(&uri(RULE), 0, 0))), -32600);
    client.tell("exit", &Json::Null);
    assert_eq!(client.child.wait().unwrap().code(), Some(0));
}

#[test]
fn large_deep_and_odd_documents_are_survived() {
    let mut client = Client::ready();
    let nested = format!("schema: dpmguard.rule/v1\na: {}", "[".repeat(20_000));
    let wide = format!("schema: dpmguard.rule/v1\nviolated: {}", "a.b || ".repeat(100_000));
    let texts =
        ["", "\u{feff}a: b", "\0", "\r\n\r", "a:\tb", "- - -\n  :", "&a [*a]", &nested, &wide];
    for text in texts {
        client.edit(&uri(RULE), text);
        for method in ["hover", "completion", "definition", "documentSymbol"] {
            client.ask(&format!("textDocument/{method}"), &place(&uri(RULE), 1, 12)).unwrap();
        }
        let options = json!({ "tabSize": 2, "insertSpaces": true });
        let formatting = json!({ "textDocument": { "uri": uri(RULE) }, "options": options });
        client.ask("textDocument/formatting", &formatting).unwrap();
        let mut rename = place(&uri(RULE), 1, 1);
        rename["newName"] = json!("x");
        assert_eq!(refused(client.ask("textDocument/rename", &rename)), -32803);
    }
    assert_eq!(client.leave(), 0);
}

#[test]
fn whoever_leaves_without_a_word_leaves_an_error() {
    let mut client = Client::ready();
    client.tell("exit", &Json::Null);
    assert_eq!(client.child.wait().unwrap().code(), Some(1));
    let mut client = Client::ready();
    client.input.take();
    assert_eq!(client.child.wait().unwrap().code(), Some(1));
}

#[test]
fn every_place_of_a_rule_can_be_asked_about() {
    let mut client = Client::ready();
    let text = text_of(RULE);
    client.edit(&uri(RULE), &text);
    for (line, written) in text.lines().enumerate().step_by(3) {
        for character in (0..=written.len()).step_by(7) {
            let (line, character) = (line.try_into().unwrap(), character.try_into().unwrap());
            for method in ["completion", "hover", "definition", "signatureHelp"] {
                let method = format!("textDocument/{method}");
                client.ask(&method, &place(&uri(RULE), line, character)).unwrap();
            }
        }
    }
    assert_eq!(client.leave(), 0);
}

/// What an editor said and what it was answered, in the order of the wire; `DPMGUARD_UPDATE=1` writes the answers
/// anew.
#[test]
fn the_recorded_session_goes_as_it_did() {
    let path = folder().join("session.json");
    let whole = uri("");
    let whole = whole.trim_end_matches('/');
    let kept = fs::read_to_string(&path).unwrap();
    let recorded: Vec<Json> = serde_json::from_str(&kept.replace("{folder}", whole)).unwrap();
    let mut client = Client::start();
    let mut heard = Vec::new();
    for message in recorded.iter().filter_map(|entry| entry.get("editor")) {
        client.send(message);
        heard.push(json!({ "editor": message }));
        let method = message["method"].as_str().unwrap();
        // Problems are told after each change; only one file has any.
        let is_change = ["textDocument/didOpen", "textDocument/didChange"].contains(&method);
        if message.get("id").is_some() || is_change {
            heard.push(json!({ "server": client.receive() }));
        }
    }
    assert_eq!(client.child.wait().unwrap().code(), Some(0));
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let text = serde_json::to_string_pretty(&heard).unwrap() + "\n";
    let text = text.replace(whole, "{folder}").replace(&version, "\"version\": \"{version}\"");
    if std::env::var_os("DPMGUARD_UPDATE").is_some() {
        fs::write(&path, &text).unwrap();
        return;
    }
    assert!(
        kept == text,
        "tests/lsp/session.json is not what is answered now; DPMGUARD_UPDATE=1 writes it"
    );
}

const TWIN: &str = "schema: dpmguard.rule/v1
id: twin
title: T
severity: warning
certainty: documented
explanation: x
select:
  - { each: x, of: database }
violated: x.name == \"a\"
finding: { subject: x, message: \"${x.key}\", evidence: [x.key], fingerprint: [x] }
references: [{ title: t, says: s }]
";

/// A rule whose twin lies on disk below its folder, outside of every pack.
fn twins() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("old")).unwrap();
    fs::write(folder.path().join("old/twin.yaml"), TWIN).unwrap();
    let path = folder.path().join("twin.yaml").to_string_lossy().replace('\\', "/");
    let uri = format!("file://{}{path}", if path.starts_with('/') { "" } else { "/" });
    (folder, uri)
}

fn has_twin(found: &[Json]) -> bool {
    found.iter().any(|told| told["code"] == "duplicate-file")
}

/// Outside of the workspace a file's folder may be the whole disk.
#[test]
fn a_folder_of_nobody_is_not_gone_through() {
    let (_folder, uri) = twins();
    let mut client = Client::ready();
    assert!(!has_twin(&client.edit(&uri, TWIN)));
    assert!(!has_twin(&client.edit(&uri, &format!("{TWIN}\n"))));
    assert_eq!(client.leave(), 0);
}

/// A folder of the workspace is gone through when files are opened or saved, not for every letter.
#[test]
fn a_folder_is_looked_at_again_when_files_are_saved() {
    let (folder, uri) = twins();
    let whole = uri.trim_end_matches("/twin.yaml");
    let mut client = Client::with(
        &json!({ "capabilities": {}, "workspaceFolders": [{ "uri": whole, "name": "x" }] }),
    );
    assert!(has_twin(&client.edit(&uri, TWIN)));
    fs::remove_file(folder.path().join("old/twin.yaml")).unwrap();
    assert!(has_twin(&client.edit(&uri, &format!("{TWIN}\n"))));
    client.tell("textDocument/didSave", &json!({ "textDocument": { "uri": uri } }));
    assert!(!has_twin(&client.edit(&uri, TWIN)));
    assert_eq!(client.leave(), 0);
}
