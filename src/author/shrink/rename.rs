//! Other names for servers, databases and folders, the same wherever they stand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::author::new::facts::property;
use crate::author::shrink::{Aim, Judge};
use crate::facts::model::{Kind, KindId, Model, Origin, Record, Type};
use crate::facts::value::fold;
use crate::source::{Node, Value};

/// New names by folded old ones.
#[derive(Clone, Debug, Default)]
struct Names {
    /// Whole words, in any text.
    words: BTreeMap<String, String>,
    /// Parts of paths.
    parts: BTreeMap<String, String>,
}

/// The document with other names, and the subject's key in it.
///
/// Each name is tried by itself and kept where the rule would then say something else: the name of a
/// product that it asks for, say. Drives, endings of files and what is equal stay as they are.
#[must_use]
pub fn rename(judge: &Judge<'_>, document: &Node, aim: &Aim, subject: &str) -> (Node, String) {
    let mut names = Names::default();
    let used = texts(document).into_iter().map(fold).collect::<BTreeSet<String>>();
    let mut attempt = |change: &dyn Fn(&mut Names)| {
        let mut tried = names.clone();
        change(&mut tried);
        let renamed = tried.apply(document);
        if judge.is_alike(&renamed, &tried.text(subject), aim) {
            names = tried;
        }
    };
    for (old, new) in keys(judge.model, judge.schema.json(), document, &used) {
        attempt(&|names| {
            names.words.insert(old.clone(), new.clone());
        });
    }
    for (number, domain) in domains(document).into_iter().enumerate() {
        let new =
            if number == 0 { "example.com".to_owned() } else { format!("d{number}.example.com") };
        attempt(&|names| {
            names.words.insert(domain.clone(), new.clone());
        });
    }
    for (number, (part, is_file)) in path_parts(document).into_iter().enumerate() {
        let word = if is_file { "file" } else { "folder" };
        attempt(&|names| {
            if !names.words.contains_key(&part) {
                names.parts.insert(part.clone(), format!("{word}{}", number + 1));
            }
        });
    }
    (names.apply(document), names.text(subject))
}

impl Judge<'_> {
    /// Whether the rule says of the renamed subject what it says of the subject, names aside.
    fn is_alike(&self, document: &Node, subject: &str, aim: &Aim) -> bool {
        let subject = fold(subject);
        let verdicts = self.verdicts(document).unwrap_or_default();
        let is_same = verdicts.iter().any(|one| {
            let evidence = one.finding.as_ref().map(|finding| finding.evidence.len());
            fold(&one.subject.key) == subject
                && one.outcome == aim.said.outcome
                && one.missing.len() == aim.said.missing.len()
                && evidence == aim.said.finding.as_ref().map(|(_, _, evidence)| evidence.len())
        });
        let is_whole = aim.may_miss || verdicts.iter().all(|one| !one.subject.key.is_empty());
        is_same && is_whole && self.schema.check(document).is_empty()
    }
}

/// Names of objects that others refer to, folded, each with a new one.
fn keys(
    model: &Model,
    schema: &Json,
    document: &Node,
    used: &BTreeSet<String>,
) -> Vec<(String, String)> {
    let referred = referred(model);
    // Name, and the kind and field that say what a new one looks like.
    let mut found: Vec<(&str, &Kind, &Arc<str>)> = Vec::new();
    for kind in model.kinds() {
        for object in document.get(&kind.collection).and_then(Node::as_list).unwrap_or_default() {
            let own = kind.key.iter().filter_map(|(position, _)| kind.record.fields.get(*position));
            for field in own.filter(|_| referred.contains(&kind.id)) {
                let is_name = matches!(field.ty.required(), Type::Name | Type::Text)
                    && matches!(field.origin, Origin::Read);
                if let Some(name) =
                    object.get(&field.name).and_then(Node::as_str).filter(|_| is_name)
                {
                    found.push((name, kind, &field.name));
                }
            }
            references(model, &kind.record, object, &mut found);
        }
    }
    let mut names: Vec<(String, String)> = Vec::new();
    let mut taken: BTreeSet<String> = used.clone();
    for (name, kind, field) in found {
        let old = fold(name);
        if names.iter().all(|(known, _)| *known != old) {
            names.push((old, fresh(&stem(schema, kind, field), &mut taken)));
        }
    }
    names
}

/// Names in references: the objects that they lead to may have gone.
fn references<'n>(
    model: &'n Model,
    record: &'n Record,
    node: &'n Node,
    found: &mut Vec<(&'n str, &'n Kind, &'n Arc<str>)>,
) {
    for field in &record.fields {
        let Some(value) = node.get(&field.name) else { continue };
        let values = value.as_list().unwrap_or(std::slice::from_ref(value));
        let ty = match field.ty.required() {
            Type::List(item) => item.required(),
            other => other,
        };
        match ty {
            Type::Object(kinds) => {
                let kind = kinds.first().and_then(|id| model.kind(*id));
                let last = kind.and_then(|kind| {
                    let (position, _) = kind.key.last()?;
                    Some((kind, &kind.record.fields.get(*position)?.name))
                });
                let names =
                    values.iter().filter_map(Node::as_str).filter(|name| !name.contains('/'));
                found.extend(
                    last.into_iter().flat_map(|(kind, field)| {
                        names.clone().map(move |name| (name, kind, field))
                    }),
                );
            }
            Type::Record(record) => {
                for value in values {
                    references(model, record, value, found);
                }
            }
            _ => {}
        }
    }
}

/// Kinds that some reference leads to.
fn referred(model: &Model) -> BTreeSet<KindId> {
    let fields = model.kinds().iter().flat_map(|kind| &kind.record.fields);
    let references = fields.filter(|field| matches!(field.origin, Origin::Reference { .. }));
    let kinds = references.filter_map(|field| match field.ty.required() {
        Type::Object(kinds) => Some(kinds.to_vec()),
        Type::List(item) => match &**item {
            Type::Object(kinds) => Some(kinds.to_vec()),
            _ => None,
        },
        _ => None,
    });
    kinds.flatten().collect()
}

/// What new names begin with: as the example of the schema does.
fn stem(schema: &Json, kind: &Kind, field: &Arc<str>) -> String {
    let property = property(schema, kind, &[field.to_string()]);
    let example = property.and_then(|property| property.get("examples")?.get(0)?.as_str());
    let example = example.map_or_else(|| kind.name.to_uppercase().replace('_', "-"), str::to_owned);
    example.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned()
}

/// The stem with the first number that makes a new name.
fn fresh(stem: &str, taken: &mut BTreeSet<String>) -> String {
    let name = (1..).map(|number: usize| format!("{stem}{number:02}"));
    let name = name.take(100_000).find(|name| !taken.contains(&fold(name)));
    let name = name.unwrap_or_else(|| stem.to_owned());
    taken.insert(fold(&name));
    name
}

/// What stands behind the first dot of names of computers.
fn domains(document: &Node) -> BTreeSet<String> {
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let domain = |text: &str| {
        let (_, domain) = text.split_once('.')?;
        let has_letters = domain.rsplit('.').next()?.chars().all(char::is_alphabetic);
        let is_domain = has_letters && domain.contains('.') && text.split('.').all(is_label);
        is_domain.then(|| fold(domain))
    };
    texts(document).into_iter().filter_map(domain).collect()
}

/// Parts of paths without drive and ending, folded, each with whether it is a file's.
fn path_parts(document: &Node) -> Vec<(String, bool)> {
    let mut found: Vec<(String, bool)> = Vec::new();
    for text in texts(document).into_iter().filter(|text| is_path(text)) {
        for part in text.split('\\').filter(|part| !part.is_empty() && !part.ends_with(':')) {
            let (stem, ending) = split(part);
            let stem = fold(stem);
            if !["?", "."].contains(&&*stem) && found.iter().all(|(known, _)| *known != stem) {
                found.push((stem, !ending.is_empty()));
            }
        }
    }
    found
}

fn is_path(text: &str) -> bool {
    text.starts_with("\\\\") || text.get(1..3) == Some(":\\")
}

/// A part of a path, and its ending with the dot.
fn split(part: &str) -> (&str, &str) {
    let at = part.rfind('.').filter(|at| *at > 0 && part.len() - at <= 5);
    at.and_then(|at| part.split_at_checked(at)).unwrap_or((part, ""))
}

impl Names {
    fn apply(&self, document: &Node) -> Node {
        let Value::Map(entries) = &document.value else { return document.clone() };
        let mut entries = entries.clone();
        for entry in &mut entries {
            if !["schema", "observed_at", "complete", "collected"].contains(&&*entry.key) {
                self.walk(&mut entry.node);
            }
        }
        Node { value: Value::Map(entries), place: document.place }
    }

    fn walk(&self, node: &mut Node) {
        match &mut node.value {
            Value::Text(text, _) => *text = self.text(text).into(),
            Value::List(items) => items.iter_mut().for_each(|item| self.walk(item)),
            Value::Map(entries) => entries.iter_mut().for_each(|entry| self.walk(&mut entry.node)),
            _ => {}
        }
    }

    fn text(&self, text: &str) -> String {
        if !is_path(text) {
            return self.words(text);
        }
        let parts = text.split('\\').map(|part| {
            let (stem, ending) = split(part);
            let stem = self.parts.get(&fold(stem)).cloned().unwrap_or_else(|| self.words(stem));
            stem + ending
        });
        parts.collect::<Vec<_>>().join("\\")
    }

    /// Old names that stand as whole words, the longest first.
    fn words(&self, text: &str) -> String {
        let is_inner =
            |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '-');
        let mut new = String::with_capacity(text.len());
        let (mut rest, mut before) = (text, None);
        while let Some(first) = rest.chars().next() {
            let fits = |old: &&String| {
                let end = rest.char_indices().map(|(at, c)| at + c.len_utf8());
                end.into_iter().find(|end| rest.get(..*end).is_some_and(|head| fold(head) == **old))
            };
            let found = self.words.keys().filter_map(|old| Some((fits(&old)?, old)));
            let found = found.filter(|(end, _)| {
                !is_inner(before)
                    && !is_inner(rest.get(*end..).and_then(|rest| rest.chars().next()))
            });
            let (end, with) = match found.max() {
                Some((end, old)) => (end, self.words.get(old).cloned().unwrap_or_default()),
                None => (first.len_utf8(), first.to_string()),
            };
            new.push_str(&with);
            before = rest.get(..end).and_then(|head| head.chars().next_back());
            rest = rest.get(end..).unwrap_or_default();
        }
        new
    }
}

/// All texts of the objects.
fn texts(document: &Node) -> Vec<&str> {
    fn walk<'n>(node: &'n Node, found: &mut Vec<&'n str>) {
        match &node.value {
            Value::Text(text, _) => found.push(text),
            Value::List(items) => items.iter().for_each(|item| walk(item, found)),
            Value::Map(entries) => entries.iter().for_each(|entry| walk(&entry.node, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    walk(document, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn names_are_replaced_as_whole_words() {
        let pairs = [
            ("ex01", "S1"),
            ("sg1", "G1"),
            ("first big group", "G2"),
            ("contoso.com", "example.com"),
        ];
        let words = pairs.map(|(old, new)| (old.to_owned(), new.to_owned()));
        let parts = [("mail data".to_owned(), "folder1".to_owned())];
        let names = Names { words: words.into(), parts: parts.into() };
        for (old, new) in [
            ("EX01", "S1"),
            ("EX011", "EX011"),
            ("my-ex01", "my-ex01"),
            ("ex01.Contoso.com", "S1.example.com"),
            ("B01/EX01/First Big Group", "B01/S1/G2"),
            ("D:\\Mail Data\\SG1\\SG1.edb", "D:\\folder1\\G1\\G1.edb"),
            ("\\\\EX01\\mail data\\", "\\\\S1\\folder1\\"),
            ("", ""),
        ] {
            assert_eq!(names.text(old), new);
        }
    }
}
