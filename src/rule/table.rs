//! Reference tables: rows of a pack's own knowledge, each with its source.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::expr::check::Constant;
use crate::facts::merge::read_value;
use crate::facts::model::{Field, Model, Record, Type, compile_type};
use crate::facts::value::{List, Value, fold};
use crate::finding::Reference;
use crate::rule::clause::{id_not_stem, misfits, reference, text};
use crate::schema::Schema;
use crate::source::Node;

/// A checked table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its id: the file's stem.
    pub id: String,
    /// What its rows are.
    pub title: String,
    /// Position of the column that holds a code people look up, if there is one.
    pub codes: Option<usize>,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
    /// The rows as expressions see them.
    pub constant: Constant,
}

/// A row of a table.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its cells as text, one a column; none where the column allows it.
    pub cells: Vec<Option<String>>,
    /// `documented`, `inferred` or `guess`.
    pub certainty: String,
    /// Where it comes from.
    pub source: Reference,
}

/// Reads a table; `stem` is the file's name without its ending.
///
/// # Errors
///
/// Everything that is wrong with the file.
pub fn read(root: &Node, stem: &str, model: &Model) -> Result<Table, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let id = text(root, "id");
    problems.extend(id_not_stem(root, &id, stem));
    let name: Arc<str> = id.replace('-', "_").into();
    let is_taken = model.kind_in(&name).is_some()
        || model.kind_named(&name).is_some()
        || model.singles().iter().any(|field| field.name == name)
        || ["now", "params"].contains(&&*name)
        || !crate::expr::syntax::is_name(&name);
    if is_taken {
        let message = format!("`{name}` means something already; choose another name");
        let place = root.get("id").map_or(root.place, |node| node.place);
        problems.push(Diagnostic::error("name-bound-twice", message).at(place));
    }
    let columns = columns(root, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let codes = root.get("codes").and_then(|name| position(name, &columns, &mut problems));
    let key = key(root, &columns, &mut problems);
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for node in root.get("rows").and_then(Node::as_list).unwrap_or_default() {
        if let Some((row, value)) = row(node, root, &columns, &mut problems) {
            rows.push(row);
            values.push(value);
        }
    }
    if problems.is_empty() {
        once(root, &key, &rows, &mut problems);
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let said = columns.iter().map(|column| column.field.name.to_string()).collect();
    let fields = columns.into_iter().map(|column| column.field).collect();
    let record = Type::Record(Arc::new(Record::new(&name, fields)));
    let constant = Constant {
        name,
        ty: Type::List(Arc::new(record)),
        value: Value::List(List::complete(values)),
    };
    Ok(Table { id, title: text(root, "title"), codes, columns: said, rows, constant })
}

struct Column {
    field: Field,
    schema: Schema,
    is_optional: bool,
}

fn columns(root: &Node, problems: &mut Vec<Diagnostic>) -> Vec<Column> {
    let mut columns = Vec::new();
    for entry in root.get("columns").and_then(Node::as_map).unwrap_or_default() {
        let is_optional = entry.node.get("optional").and_then(Node::as_bool) == Some(true);
        match (compile_type(&entry.node), Schema::of(&entry.node)) {
            (Ok(ty), Ok(schema)) => {
                let ty = if is_optional { ty.optional() } else { ty };
                let field = Field::plain(entry.key.clone(), ty, text(&entry.node, "help"));
                columns.push(Column { field, schema, is_optional });
            }
            (ty, schema) => {
                problems.extend(ty.err().into_iter().flatten());
                problems.extend(schema.err());
            }
        }
    }
    columns
}

fn row(
    node: &Node,
    root: &Node,
    columns: &[Column],
    problems: &mut Vec<Diagnostic>,
) -> Option<(Row, Value)> {
    let before = problems.len();
    for entry in node.as_map().unwrap_or_default() {
        let names = || columns.iter().map(|column| &*column.field.name);
        let is_own = ["certainty", "source"].contains(&&*entry.key);
        if !is_own && !names().any(|name| *name == *entry.key) {
            let message = format!("the table has no column `{}`", entry.key);
            let problem = Diagnostic::error("unknown-key", message).at(entry.key_place);
            problems.push(problem.suggest(&entry.key, names()));
        }
    }
    let mut cells = Vec::new();
    let mut values = Vec::new();
    for column in columns {
        let name = &column.field.name;
        let Some(cell) = node.get(name) else {
            if !column.is_optional {
                let message = format!("this row has no `{name}`");
                problems.push(Diagnostic::error("missing-key", message).at(node.place));
            }
            cells.push(None);
            values.push(Value::Null.into());
            continue;
        };
        let found = misfits(&column.schema, cell, name);
        if !found.is_empty() {
            problems.extend(found);
            continue;
        }
        match read_value(column.field.ty.required(), cell) {
            Ok(value) => {
                let said = cell.as_str().map_or_else(|| cell.to_json().to_string(), str::to_owned);
                cells.push(Some(said));
                values.push(value.into());
            }
            Err(found) => problems.extend(found),
        }
    }
    let source = source(node, root, problems);
    if problems.len() > before {
        return None;
    }
    let certainty = text(node, "certainty");
    Some((Row { cells, certainty, source: source? }, Value::Record(values.into())))
}

fn source(node: &Node, root: &Node, problems: &mut Vec<Diagnostic>) -> Option<Reference> {
    let key = node.get("source")?;
    let known = root.get("sources").and_then(Node::as_map).unwrap_or_default();
    let found = known.iter().find(|entry| Some(&*entry.key) == key.as_str());
    if found.is_none() {
        let id = key.as_str().unwrap_or_default();
        let problem = Diagnostic::error("unknown-source", format!("there is no source `{id}`"));
        let names = known.iter().map(|entry| &*entry.key);
        problems.push(problem.at(key.place).suggest(id, names));
    }
    found.map(|entry| reference(&entry.node))
}

/// Positions of the columns that tell rows apart.
fn key(root: &Node, columns: &[Column], problems: &mut Vec<Diagnostic>) -> Vec<usize> {
    let Some(named) = root.get("key").and_then(Node::as_list) else { return vec![0] };
    named.iter().filter_map(|name| position(name, columns, problems)).collect()
}

fn position(name: &Node, columns: &[Column], problems: &mut Vec<Diagnostic>) -> Option<usize> {
    let text = name.as_str()?;
    let found = columns.iter().position(|column| *column.field.name == *text);
    if found.is_none() {
        let problem = Diagnostic::error("unknown-name", format!("there is no column `{text}`"));
        let names = columns.iter().map(|column| &*column.field.name);
        problems.push(problem.at(name.place).suggest(text, names));
    }
    found
}

/// No two rows with one key.
fn once(root: &Node, key: &[usize], rows: &[Row], problems: &mut Vec<Diagnostic>) {
    let nodes = root.get("rows").and_then(Node::as_list).unwrap_or_default();
    let mut seen = std::collections::HashSet::new();
    for (row, node) in rows.iter().zip(nodes) {
        let cells = key.iter().map(|column| row.cells.get(*column).and_then(Option::as_deref));
        let cells: Vec<String> = cells.map(|cell| fold(cell.unwrap_or_default())).collect();
        if !seen.insert(cells.join("\n")) {
            let message = "two rows have this key".to_owned();
            problems.push(Diagnostic::error("duplicate-row", message).at(node.place));
        }
    }
}
