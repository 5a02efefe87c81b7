//! What is answered to the requests about documents.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types as lsp;
use serde_json::{Value as Json, json};

use crate::author::edit::{self, Edit};
use crate::cli::lsp::convert::{self, path_of};
use crate::cli::lsp::server::{Answer, Failure, Server, code, to_json};

impl Server<'_> {
    /// Path and text of an open document.
    fn document(&self, uri: &lsp::Uri) -> Result<(PathBuf, Arc<str>), Failure> {
        let open = path_of(&uri.0).and_then(|path| {
            let text = self.workspace.get(&path)?.text.clone();
            Some((path, text))
        });
        open.ok_or_else(|| Failure::new(code::INVALID_PARAMS, format!("`{}` is not open", uri.0)))
    }

    /// Path and text of an open document, and an offset in it.
    fn position(
        &self,
        at: &lsp::TextDocumentPositionParams,
    ) -> Result<(PathBuf, Arc<str>, usize), Failure> {
        let (path, text) = self.document(&at.text_document.uri)?;
        let offset = self.editor.encoding.offset(&text, at.position);
        Ok((path, text, offset))
    }

    pub(super) fn completion(&mut self, params: &lsp::CompletionParams) -> Answer {
        let (path, text, offset) = self.position(&params.text_document_position_params)?;
        let schemas = self.editor.schemas;
        let found = self
            .workspace
            .with(&path, |desk, document| edit::complete(desk, document, offset, schemas));
        let found = found.unwrap_or_default();
        let item = |item| convert::item(item, &text, self.editor.encoding, self.editor.snippets);
        let items: Vec<lsp::CompletionItem> = found.iter().map(item).collect();
        to_json(&items)
    }

    pub(super) fn hover(&mut self, params: &lsp::HoverParams) -> Answer {
        let (path, text, offset) = self.position(&params.text_document_position_params)?;
        let found =
            self.workspace.with(&path, |desk, document| edit::hover(desk, document, offset));
        let Some((said, range)) = found.flatten() else { return Ok(Json::Null) };
        to_json(&lsp::Hover {
            contents: convert::markdown(said).into(),
            range: Some(self.editor.encoding.range(&text, &range)),
        })
    }

    pub(super) fn signature(&mut self, params: &lsp::SignatureHelpParams) -> Answer {
        let (path, _, offset) = self.position(&params.text_document_position_params)?;
        let found =
            self.workspace.with(&path, |desk, document| edit::signature(desk, document, offset));
        match found.flatten() {
            Some(found) => to_json(&convert::signature(found)),
            None => Ok(Json::Null),
        }
    }

    pub(super) fn definition(&mut self, params: &lsp::DefinitionParams) -> Answer {
        let (path, own, offset) = self.position(&params.text_document_position_params)?;
        let found = self.workspace.with(&path, |desk, document| {
            let (name, range) = edit::definition(desk, document, offset)?;
            if name == document.path {
                return Some((name, own.to_string(), range));
            }
            let source = desk.sources.iter().find(|(_, source)| source.name() == name)?.1;
            Some((name, source.text().to_owned(), range))
        });
        let Some((name, text, range)) = found.flatten() else { return Ok(Json::Null) };
        let target = Path::new(&name);
        if !target.is_absolute() {
            // It is part of the program.
            return Ok(Json::Null);
        }
        let uri = match self.workspace.get(target) {
            Some(open) => open.uri.clone(),
            None => convert::uri_of(target).into(),
        };
        to_json(&lsp::Location { uri, range: self.editor.encoding.range(&text, &range) })
    }

    pub(super) fn prepare_rename(&mut self, params: &lsp::PrepareRenameParams) -> Answer {
        let (path, text, offset) = self.position(&params.text_document_position_params)?;
        let found = self
            .workspace
            .with(&path, |desk, document| edit::prepare_rename(desk, document, offset))
            .ok_or_else(no_packs)?;
        let (range, name) = found.map_err(refused)?;
        Ok(json!({ "range": self.editor.encoding.range(&text, &range), "placeholder": name }))
    }

    pub(super) fn rename(&mut self, params: &lsp::RenameParams) -> Answer {
        let at = &params.text_document_position_params;
        let (path, text, offset) = self.position(at)?;
        let found = self
            .workspace
            .with(&path, |desk, document| edit::rename(desk, document, offset, &params.new_name))
            .ok_or_else(no_packs)?;
        let edits = self.edits(&text, &found.map_err(refused)?);
        let changes = HashMap::from([(at.text_document.uri.clone(), edits)]);
        to_json(&lsp::WorkspaceEdit { changes: Some(changes), ..lsp::WorkspaceEdit::default() })
    }

    pub(super) fn formatting(&mut self, params: &lsp::DocumentFormattingParams) -> Answer {
        let (path, text) = self.document(&params.text_document.uri)?;
        let found = self.workspace.with(&path, |_, document| edit::format(document));
        to_json(&self.edits(&text, &found.unwrap_or_default()))
    }

    fn edits(&self, text: &str, edits: &[Edit]) -> Vec<lsp::TextEdit> {
        edits.iter().map(|edit| self.editor.encoding.edit(text, edit)).collect()
    }

    pub(super) fn symbols(&mut self, params: &lsp::DocumentSymbolParams) -> Answer {
        let (path, text) = self.document(&params.text_document.uri)?;
        let found = self.workspace.with(&path, edit::symbols).unwrap_or_default();
        let symbol = |symbol| convert::symbol(symbol, &text, self.editor.encoding);
        let symbols: Vec<lsp::DocumentSymbol> = found.iter().map(symbol).collect();
        to_json(&symbols)
    }
}

fn no_packs() -> Failure {
    Failure::new(code::INTERNAL_ERROR, "the packs cannot be read")
}

fn refused(refusal: edit::Refusal) -> Failure {
    Failure::new(code::REQUEST_FAILED, refusal.0)
}
