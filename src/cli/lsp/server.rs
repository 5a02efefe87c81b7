//! The phases of a conversation, notifications, and which request is for whom.

mod requests;

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use gen_lsp_types as lsp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::cli::lsp::convert::{Encoding, path_of};
use crate::cli::lsp::framing;
use crate::cli::lsp::workspace::{OpenDocument, Workspace};

/// Codes of JSON-RPC and of the protocol.
mod code {
    pub(super) const PARSE_ERROR: i32 = -32700;
    pub(super) const INVALID_REQUEST: i32 = -32600;
    pub(super) const METHOD_NOT_FOUND: i32 = -32601;
    pub(super) const INVALID_PARAMS: i32 = -32602;
    pub(super) const INTERNAL_ERROR: i32 = -32603;
    pub(super) const NOT_INITIALIZED: i32 = -32002;
    pub(super) const REQUEST_FAILED: i32 = -32803;
}

/// An answer that is none.
struct Failure {
    code: i32,
    message: String,
}

impl Failure {
    fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

type Answer = Result<Json, Failure>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nobody has said hello.
    New,
    Running,
    /// The editor said that it will say goodbye.
    ShutDown,
}

/// What the editor can do, and wants.
#[derive(Clone, Copy, Debug)]
struct Editor {
    encoding: Encoding,
    /// Whether it knows snippets.
    snippets: bool,
    /// Whether it wants keys and values that the schemas permit.
    schemas: bool,
    /// Whether it tells of files that change on disk if it is asked to.
    watches: bool,
}

/// The server's side of a conversation.
pub(super) struct Server<'a> {
    out: &'a mut dyn Write,
    workspace: Workspace,
    phase: Phase,
    editor: Editor,
    /// Whether something changed since problems were told.
    is_stale: bool,
}

impl<'a> Server<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            workspace: Workspace::default(),
            phase: Phase::New,
            editor: Editor {
                encoding: Encoding::default(),
                snippets: false,
                schemas: true,
                watches: false,
            },
            is_stale: false,
        }
    }

    /// As the protocol has it: whoever leaves without a word leaves an error.
    pub(super) fn exit_code(&self) -> u8 {
        u8::from(self.phase != Phase::ShutDown)
    }

    /// Handles one message; a break is the end.
    pub(super) fn handle(&mut self, content: &[u8]) -> io::Result<Option<ControlFlow<()>>> {
        let message: Json = match serde_json::from_slice(content) {
            Ok(message) => message,
            Err(error) => {
                let failure = Failure::new(code::PARSE_ERROR, format!("this is not JSON: {error}"));
                self.answer(&Json::Null, Err(failure))?;
                return Ok(None);
            }
        };
        let id = message.get("id").cloned();
        let params = message.get("params").cloned().unwrap_or(Json::Null);
        match (message.get("method").and_then(Json::as_str), id) {
            (Some("exit"), None) => return Ok(Some(ControlFlow::Break(()))),
            (Some(method), None) => self.notified(method, params)?,
            (Some(method), Some(id)) => {
                // An editor without its server is worse off than one without this answer.
                let answer = catch_unwind(AssertUnwindSafe(|| self.asked(method, params)));
                let answer = answer.unwrap_or_else(|_| {
                    Err(Failure::new(code::INTERNAL_ERROR, format!("`{method}` failed")))
                });
                self.answer(&id, answer)?;
            }
            // An answer to what we asked.
            (None, Some(_))
                if message.get("result").is_some() || message.get("error").is_some() => {}
            (None, id) => {
                let failure = Failure::new(code::INVALID_REQUEST, "this is no request");
                self.answer(&id.unwrap_or(Json::Null), Err(failure))?;
            }
        }
        Ok(None)
    }

    pub(super) fn refuse_large(&mut self, bytes: u64) -> io::Result<()> {
        let message = format!("a message of {bytes} bytes is too large");
        self.answer(&Json::Null, Err(Failure::new(code::INVALID_REQUEST, message)))
    }

    fn answer(&mut self, id: &Json, answer: Answer) -> io::Result<()> {
        let message = match answer {
            Ok(result) => json!({ "jsonrpc": "2.0", "id": id, "result": result }),
            Err(Failure { code, message }) => {
                json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
            }
        };
        framing::write(self.out, &message.to_string())
    }

    fn notify(&mut self, method: &str, params: &impl Serialize) -> io::Result<()> {
        let message = json!({ "jsonrpc": "2.0", "method": method, "params": params });
        framing::write(self.out, &message.to_string())
    }

    /// Tells the editor what is wrong, if anything changed.
    pub(super) fn tell_problems(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_stale) || self.phase != Phase::Running {
            return Ok(());
        }
        let (workspace, encoding) = (&mut self.workspace, self.editor.encoding);
        let found = catch_unwind(AssertUnwindSafe(|| workspace.problems(encoding)));
        for of_file in found.unwrap_or_default() {
            self.notify("textDocument/publishDiagnostics", &of_file)?;
        }
        Ok(())
    }

    fn notified(&mut self, method: &str, params: Json) -> io::Result<()> {
        if self.phase != Phase::Running {
            return Ok(());
        }
        match method {
            "initialized" if self.editor.watches => self.ask_to_watch()?,
            "textDocument/didOpen" => {
                if let Ok(lsp::DidOpenTextDocumentParams { text_document: opened }) = read(params) {
                    self.workspace.forget();
                    self.opened(opened.uri, opened.version, opened.text.into());
                }
            }
            "textDocument/didChange" => {
                if let Ok(params) = read(params) {
                    self.changed(params);
                }
            }
            "textDocument/didClose" => {
                let closed: Result<lsp::DidCloseTextDocumentParams, _> = read(params);
                if let Some(path) =
                    closed.ok().and_then(|closed| path_of(&closed.text_document.uri.0))
                {
                    self.workspace.close(&path);
                    self.is_stale = true;
                }
            }
            "textDocument/didSave"
            | "workspace/didChangeWatchedFiles"
            | "workspace/didChangeConfiguration" => {
                self.workspace.forget();
                self.is_stale = true;
            }
            "workspace/didChangeWorkspaceFolders" => {
                let folders = |at: &str| folders(params.pointer(at));
                let removed = folders("/event/removed");
                self.workspace.folders.retain(|folder| !removed.contains(folder));
                self.workspace.folders.extend(folders("/event/added"));
                self.workspace.forget();
                self.is_stale = true;
            }
            _ => {}
        }
        Ok(())
    }

    fn opened(&mut self, uri: lsp::Uri, version: i32, text: std::sync::Arc<str>) {
        if let Some(path) = path_of(&uri.0) {
            self.workspace.open(path, OpenDocument { uri, version, text });
            self.is_stale = true;
        }
    }

    fn changed(&mut self, params: lsp::DidChangeTextDocumentParams) {
        let uri = params.text_document.text_document_identifier.uri;
        let Some(open) = path_of(&uri.0).and_then(|path| self.workspace.get(&path)) else { return };
        let mut text = open.text.to_string();
        for change in params.content_changes {
            match change {
                lsp::TextDocumentContentChangeEvent::TextDocumentContentChangePartial(part) => {
                    let start = self.editor.encoding.offset(&text, part.range.start);
                    let end = self.editor.encoding.offset(&text, part.range.end).max(start);
                    text.replace_range(start..end, &part.text);
                }
                lsp::TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(
                    whole,
                ) => {
                    text = whole.text;
                }
            }
        }
        self.opened(uri, params.text_document.version, text.into());
    }

    /// Asks the editor to tell when files change that it does not have open.
    fn ask_to_watch(&mut self) -> io::Result<()> {
        let watchers = json!([{ "globPattern": "**/*.{yaml,yml,rhai}" }]);
        let message = json!({
            "jsonrpc": "2.0", "id": "watch", "method": "client/registerCapability",
            "params": { "registrations": [{
                "id": "watch", "method": "workspace/didChangeWatchedFiles",
                "registerOptions": { "watchers": watchers }
            }] }
        });
        framing::write(self.out, &message.to_string())
    }

    fn asked(&mut self, method: &str, params: Json) -> Answer {
        match (self.phase, method) {
            (Phase::New, "initialize") => self.initialize(&params),
            (Phase::New, _) => {
                Err(Failure::new(code::NOT_INITIALIZED, "nobody has said `initialize`"))
            }
            (_, "initialize") => Err(Failure::new(code::INVALID_REQUEST, "this was said before")),
            (Phase::ShutDown, _) => {
                Err(Failure::new(code::INVALID_REQUEST, "nothing is answered after `shutdown`"))
            }
            (Phase::Running, "shutdown") => {
                self.phase = Phase::ShutDown;
                Ok(Json::Null)
            }
            (Phase::Running, "textDocument/completion") => self.completion(&read(params)?),
            (Phase::Running, "textDocument/hover") => self.hover(&read(params)?),
            (Phase::Running, "textDocument/signatureHelp") => self.signature(&read(params)?),
            (Phase::Running, "textDocument/definition") => self.definition(&read(params)?),
            (Phase::Running, "textDocument/prepareRename") => self.prepare_rename(&read(params)?),
            (Phase::Running, "textDocument/rename") => self.rename(&read(params)?),
            (Phase::Running, "textDocument/formatting") => self.formatting(&read(params)?),
            (Phase::Running, "textDocument/documentSymbol") => self.symbols(&read(params)?),
            _ => Err(Failure::new(code::METHOD_NOT_FOUND, format!("`{method}` is not known"))),
        }
    }

    /// What the editor can do is looked at word by word: none is turned away for a capability that is not needed.
    fn initialize(&mut self, params: &Json) -> Answer {
        let can = |at: &str| params.pointer(&format!("/capabilities/{at}"));
        let is_true = |at: &str| can(at).and_then(Json::as_bool) == Some(true);
        let encodings = can("general/positionEncodings").and_then(Json::as_array);
        if encodings.is_some_and(|all| all.iter().any(|one| one.as_str() == Some("utf-8"))) {
            self.editor.encoding = Encoding::Utf8;
        }
        self.editor.snippets = is_true("textDocument/completion/completionItem/snippetSupport");
        self.editor.watches = is_true("workspace/didChangeWatchedFiles/dynamicRegistration");
        let wanted = params.pointer("/initializationOptions/schemas").and_then(Json::as_bool);
        self.editor.schemas = wanted != Some(false);
        self.workspace.folders = folders(params.get("workspaceFolders"));
        if self.workspace.folders.is_empty() {
            let root = params.get("rootUri").and_then(Json::as_str).and_then(path_of);
            self.workspace.folders.extend(root);
        }
        self.phase = Phase::Running;
        let encoding = match self.editor.encoding {
            Encoding::Utf8 => lsp::PositionEncodingKind::UTF8,
            Encoding::Utf16 => lsp::PositionEncodingKind::UTF16,
        };
        let triggers = [".", "\"", "{", " "].map(str::to_owned).to_vec();
        let capabilities = lsp::ServerCapabilities {
            position_encoding: Some(encoding),
            text_document_sync: Some(
                lsp::TextDocumentSyncOptions {
                    open_close: Some(true),
                    change: Some(lsp::TextDocumentSyncKind::Full),
                    save: Some(true.into()),
                    ..lsp::TextDocumentSyncOptions::default()
                }
                .into(),
            ),
            completion_provider: Some(lsp::CompletionOptions {
                trigger_characters: Some(triggers),
                ..lsp::CompletionOptions::default()
            }),
            hover_provider: Some(true.into()),
            signature_help_provider: Some(lsp::SignatureHelpOptions {
                trigger_characters: Some(["(", ","].map(str::to_owned).to_vec()),
                ..lsp::SignatureHelpOptions::default()
            }),
            definition_provider: Some(true.into()),
            rename_provider: Some(
                lsp::RenameOptions {
                    prepare_provider: Some(true),
                    ..lsp::RenameOptions::default()
                }
                .into(),
            ),
            document_formatting_provider: Some(true.into()),
            document_symbol_provider: Some(true.into()),
            workspace: Some(lsp::WorkspaceOptions {
                workspace_folders: Some(lsp::WorkspaceFoldersServerCapabilities {
                    supported: Some(true),
                    change_notifications: Some(true.into()),
                }),
                ..lsp::WorkspaceOptions::default()
            }),
            ..lsp::ServerCapabilities::default()
        };
        to_json(&lsp::InitializeResult {
            capabilities,
            server_info: Some(lsp::ServerInfo {
                name: "dpmguard".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        })
    }
}

fn read<T: DeserializeOwned>(params: Json) -> Result<T, Failure> {
    serde_json::from_value(params)
        .map_err(|error| Failure::new(code::INVALID_PARAMS, format!("wrong parameters: {error}")))
}

fn to_json(value: &impl Serialize) -> Answer {
    serde_json::to_value(value)
        .map_err(|error| Failure::new(code::INTERNAL_ERROR, error.to_string()))
}

fn folders(list: Option<&Json>) -> Vec<PathBuf> {
    let all = list.and_then(Json::as_array).into_iter().flatten();
    all.filter_map(|folder| path_of(folder.get("uri")?.as_str()?)).collect()
}
