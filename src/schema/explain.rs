//! Violations in our words.

use std::collections::HashMap;
use std::fmt::Display;

use jsonschema::error::{TypeKind, ValidationError, ValidationErrorKind as Kind};
use jsonschema::{JsonType, JsonTypeSet};
use serde_json::Value as Json;

use super::format;
use super::lookup::{self, Finder, Found};
use crate::diagnostic::{Diagnostic, nearest};
use crate::source::{Node, Style, Value};

/// Most members or keys listed in a line of help.
const MAX_LISTED: usize = 12;

/// The diagnostics of all `errors`.
pub(super) fn all<'i>(
    schema: &Json,
    root: &Node,
    errors: impl Iterator<Item = ValidationError<'i>>,
) -> Vec<Diagnostic> {
    let kind = schema.pointer("/properties/schema/const").and_then(Json::as_str);
    let is_facts = kind == Some("dpmguard.facts/v1");
    let finder = Finder::new(root);
    let mut explainer = Explainer { schema, finder, is_facts, found: Vec::new() };
    for error in errors {
        explainer.error(&error);
    }
    explainer.found
}

struct Explainer<'a> {
    schema: &'a Json,
    finder: Finder<'a>,
    /// Whether what is not known may be left out: so it is with facts, which somebody collected.
    is_facts: bool,
    found: Vec<Diagnostic>,
}

/// What a violation is about.
struct Subject<'a> {
    found: Found<'a>,
    /// The path in backticks, or words for the whole document.
    name: String,
    /// ` in ...`, empty for the whole document.
    within: String,
    /// What the schema says of the field.
    description: Option<String>,
    /// Whether it stands in a document of facts.
    is_fact: bool,
}

impl Subject<'_> {
    /// A diagnostic at the value.
    fn value(&self, code: &'static str, what: &str) -> Diagnostic {
        let place = match &self.found.node.value {
            Value::Map(_) | Value::List(_) if code != "wrong-type" => self.found.head(),
            _ => self.found.node.place,
        };
        Diagnostic::error(code, format!("{}: {what}", self.name)).at(place)
    }

    fn describe(&self, diagnostic: Diagnostic) -> Diagnostic {
        match &self.description {
            Some(text) => diagnostic.help(text.clone()),
            None => diagnostic,
        }
    }
}

impl<'a> Explainer<'a> {
    fn subject(&mut self, error: &ValidationError<'_>) -> Subject<'a> {
        let pointer = error.instance_path().as_str();
        let path = self.finder.path(pointer);
        let (name, within) = if path.is_empty() {
            ("the document".to_owned(), String::new())
        } else {
            (format!("`{path}`"), format!(" in `{path}`"))
        };
        let chain = lookup::chain(self.schema, error.evaluation_path().as_str());
        let description = chain.iter().find_map(|schema| lookup::description(self.schema, schema));
        let is_fact = self.is_facts;
        Subject { found: self.finder.find(pointer), name, within, description, is_fact }
    }

    fn error(&mut self, error: &ValidationError<'_>) {
        match error.kind() {
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.branches(error, context);
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => self.unknown_keys(error, unexpected),
            Kind::Required { property } => {
                self.missing_key(error, property.as_str().unwrap_or_default());
            }
            Kind::PropertyNames { error: inner } => self.bad_key(error, inner),
            _ => {
                let subject = self.subject(error);
                let diagnostic = value_problem(&subject, error);
                self.found.push(diagnostic);
            }
        }
    }

    fn unknown_keys(&mut self, error: &ValidationError<'_>, unexpected: &[String]) {
        let subject = self.subject(error);
        let path = error.evaluation_path().as_str();
        let schema = lookup::chain(self.schema, path).last().copied().unwrap_or(self.schema);
        let allowed: Vec<&str> =
            lookup::properties(self.schema, schema).into_iter().map(|(key, _)| key).collect();
        let node = subject.found.node;
        let free: Vec<&str> =
            allowed.iter().copied().filter(|key| self.finder.entry(node, key).is_none()).collect();
        for key in unexpected {
            // A known key whose value is wrong counts as not evaluated; the value has been told.
            if allowed.contains(&key.as_str()) {
                continue;
            }
            let place = self.finder.entry(node, key).map_or(node.place, |entry| entry.key_place);
            let message = format!("unknown key `{key}`{}", subject.within);
            let diagnostic = Diagnostic::error("unknown-key", message).at(place);
            // A key that is there already may be meant all the same: a case changes a fact of its base.
            let meant = nearest(key, free.iter().copied())
                .or_else(|| nearest(key, allowed.iter().copied()));
            let diagnostic = match meant {
                Some(meant) => diagnostic.help(format!("did you mean `{meant}`?")),
                None => list(diagnostic, "keys", &free),
            };
            self.found.push(diagnostic);
        }
    }

    fn missing_key(&mut self, error: &ValidationError<'_>, key: &str) {
        let subject = self.subject(error);
        let chain = lookup::chain(self.schema, error.evaluation_path().as_str());
        let description = chain
            .iter()
            .rev()
            .flat_map(|schema| lookup::properties(self.schema, schema))
            .find(|(name, _)| *name == key)
            .and_then(|(_, schema)| lookup::description(self.schema, schema));
        let message = format!("missing key `{key}`{}", subject.within);
        let diagnostic = Diagnostic::error("missing-key", message).at(subject.found.head());
        self.found.push(match description {
            Some(text) => diagnostic.help(format!("`{key}`: {text}")),
            None => diagnostic,
        });
    }

    /// A key that breaks the rules for keys.
    fn bad_key(&mut self, error: &ValidationError<'_>, inner: &ValidationError<'_>) {
        let around = self.subject(error);
        let key = inner.instance().as_str().unwrap_or_default();
        let entry = self.finder.entry(around.found.node, key);
        let place = entry.map_or(around.found.node.place, |entry| entry.key_place);
        let node = Node { value: Value::Text(key.into(), Style::Plain), place };
        let found = Found { node: &node, entry: None };
        let name = format!("the key `{key}`{}", around.within);
        let Subject { within, is_fact, .. } = around;
        let subject = Subject { found, name, within, description: None, is_fact };
        self.found.push(value_problem(&subject, inner));
    }

    /// Of several forms the value may have, the one it was meant to have.
    fn branches(&mut self, error: &ValidationError<'_>, context: &[Vec<ValidationError<'static>>]) {
        let here = error.instance_path().as_str();
        let fitting: Vec<&Vec<ValidationError<'static>>> =
            context.iter().filter(|branch| !branch.iter().any(|e| wrong_kind(e, here))).collect();
        if fitting.is_empty() {
            let mut types = JsonTypeSet::empty();
            context.iter().flatten().for_each(|e| expected_types(e, here, &mut types));
            let subject = self.subject(error);
            self.found.push(wrong_type(&subject, types));
            return;
        }
        if let Some(keys) = alternatives(&fitting, here, required_key).filter(|keys| keys.len() > 1)
        {
            let subject = self.subject(error);
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let message = format!("missing key{}: {}", subject.within, listed(&keys, " or "));
            self.found.push(Diagnostic::error("missing-key", message).at(subject.found.head()));
            return;
        }
        if let Some(members) = alternatives(&fitting, here, allowed_values) {
            let subject = self.subject(error);
            self.found.push(not_one_of(&subject, &members.concat()));
            return;
        }
        let best =
            fitting.into_iter().min_by_key(|branch| (other_kind(branch, here), branch.len()));
        for inner in best.into_iter().flatten() {
            self.error(inner);
        }
    }
}

/// Whether the value at `here` has not even the type that this branch wants.
fn wrong_kind(error: &ValidationError<'_>, here: &str) -> bool {
    error.instance_path().as_str() == here
        && match error.kind() {
            Kind::Type { .. } => true,
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                context.iter().all(|branch| branch.iter().any(|e| wrong_kind(e, here)))
            }
            _ => false,
        }
}

fn expected_types(error: &ValidationError<'_>, here: &str, types: &mut JsonTypeSet) {
    if error.instance_path().as_str() != here {
        return;
    }
    match error.kind() {
        Kind::Type { kind } => {
            for one in &type_set(kind) {
                *types = types.insert(one);
            }
        }
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().flatten().for_each(|e| expected_types(e, here, types));
        }
        _ => {}
    }
}

/// Whether a branch is meant for another kind of value: a key of it has to have another value.
fn other_kind(branch: &[ValidationError<'_>], here: &str) -> bool {
    branch.iter().any(|error| {
        let below = error.instance_path().as_str().strip_prefix(here);
        matches!(error.kind(), Kind::Constant { .. } | Kind::Enum { .. })
            && below.is_some_and(|below| below.matches('/').count() == 1)
    })
}

/// What each branch gives by its only error, if each has but that.
fn alternatives<T>(
    branches: &[&Vec<ValidationError<'static>>],
    here: &str,
    part: impl Fn(&ValidationError<'_>) -> Option<T>,
) -> Option<Vec<T>> {
    let only = |branch: &&Vec<ValidationError<'static>>| match branch.as_slice() {
        [error] if error.instance_path().as_str() == here => part(error),
        _ => None,
    };
    branches.iter().map(only).collect()
}

fn required_key(error: &ValidationError<'_>) -> Option<String> {
    match error.kind() {
        Kind::Required { property } => property.as_str().map(str::to_owned),
        _ => None,
    }
}

fn allowed_values(error: &ValidationError<'_>) -> Option<Vec<Json>> {
    match error.kind() {
        Kind::Constant { expected_value } => Some(vec![Json::clone(expected_value)]),
        Kind::Enum { options } => options.as_array().cloned(),
        _ => None,
    }
}

/// A violation by the value itself.
fn value_problem(subject: &Subject<'_>, error: &ValidationError<'_>) -> Diagnostic {
    let value = shown(subject.found.node);
    let number = |what: &str, limit: &dyn Display| {
        subject.value("out-of-range", &format!("{value} is {what} {limit}"))
    };
    let few = |limit: u64, of: &str| {
        subject.value("too-few", &format!("at least {} needed", many(limit, of)))
    };
    let lots = |limit: u64, of: &str| {
        subject.value("too-many", &format!("at most {} allowed", many(limit, of)))
    };
    let diagnostic = match error.kind() {
        Kind::Type { kind } => return wrong_type(subject, type_set(kind)),
        Kind::Enum { .. } | Kind::Constant { .. } => {
            return not_one_of(subject, &allowed_values(error).unwrap_or_default());
        }
        Kind::Format { format } => {
            let (what, like) = format::describe(format);
            let problem = subject.value("wrong-format", &format!("{value} is not {what}"));
            if let Some(like) = like { problem.help(like) } else { problem }
        }
        Kind::Minimum { limit } => number("less than", limit),
        Kind::Maximum { limit } => number("more than", limit),
        Kind::ExclusiveMinimum { limit } => number("not more than", limit),
        Kind::ExclusiveMaximum { limit } => number("not less than", limit),
        Kind::MultipleOf { multiple_of } => number("not a multiple of", multiple_of),
        Kind::MinLength { limit: 1 } => subject.value("too-few", "may not be empty"),
        Kind::MinLength { limit } => few(*limit, "character"),
        Kind::MaxLength { limit } => lots(*limit, "character"),
        Kind::MinItems { limit } => few(*limit, "item"),
        Kind::MinProperties { limit } => few(*limit, "key"),
        Kind::MaxProperties { limit } => lots(*limit, "key"),
        Kind::Contains => subject.value("too-few", "no item is of the kind that is needed"),
        Kind::MaxItems { limit } => {
            let problem = lots(*limit, "item");
            first_extra(subject, usize::try_from(*limit).unwrap_or(usize::MAX), problem)
        }
        Kind::AdditionalItems { limit } => {
            let most = u64::try_from(*limit).unwrap_or(u64::MAX);
            first_extra(subject, *limit, lots(most, "item"))
        }
        Kind::UniqueItems => not_unique(subject),
        Kind::Pattern { pattern } => {
            subject.value("pattern", &format!("{value} does not match `{pattern}`"))
        }
        Kind::FalseSchema => forbidden(subject),
        Kind::Not { .. } => subject.value("schema-violation", "not allowed like this"),
        Kind::OneOfMultipleValid { .. } => {
            subject.value("schema-violation", "fits more than one of the forms it may have")
        }
        _ => subject.value("schema-violation", &error.masked_with(value.clone()).to_string()),
    };
    subject.describe(diagnostic)
}

fn many(count: u64, of: &str) -> String {
    if count == 1 { format!("1 {of}") } else { format!("{count} {of}s") }
}

fn first_extra(subject: &Subject<'_>, limit: usize, problem: Diagnostic) -> Diagnostic {
    match subject.found.node.as_list().and_then(|nodes| nodes.get(limit)) {
        Some(extra) => problem.at(Found { node: extra, entry: None }.head()).label("one too many"),
        None => problem,
    }
}

fn not_unique(subject: &Subject<'_>) -> Diagnostic {
    let problem = subject.value("not-unique", "an item is given twice");
    let mut seen = HashMap::new();
    for node in subject.found.node.as_list().unwrap_or_default() {
        let place = Found { node, entry: None }.head();
        if let Some(first) = seen.insert(canonical(node), place) {
            return problem.at(place).related(first, "the first one");
        }
    }
    problem
}

/// The same text for equal values, whatever the order of their keys.
fn canonical(node: &Node) -> String {
    match &node.value {
        Value::List(nodes) => {
            let inner: Vec<String> = nodes.iter().map(canonical).collect();
            format!("[{}]", inner.join(","))
        }
        Value::Map(entries) => {
            let entry = |entry: &crate::source::Entry| {
                format!("{:?}:{}", entry.key, canonical(&entry.node))
            };
            let mut inner: Vec<String> = entries.iter().map(entry).collect();
            inner.sort();
            format!("{{{}}}", inner.join(","))
        }
        // 1 and 1.0 are equal to JSON Schema.
        Value::Float(value) if value.fract() == 0.0 => format!("{value:.0}"),
        _ => node.to_json().to_string(),
    }
}

fn forbidden(subject: &Subject<'_>) -> Diagnostic {
    let message = format!("{} is not allowed here", subject.name);
    Diagnostic::error("unknown-key", message).at(subject.found.head())
}

fn null(subject: &Subject<'_>) -> Diagnostic {
    let node = subject.found.node;
    let Some(entry) = subject.found.entry else {
        let message = format!("{} may not be null", subject.name);
        return Diagnostic::error("wrong-type", message).at(node.place);
    };
    // An empty value has no place of its own, and borrows that of the key.
    let is_empty = entry.key_place == node.place && !subject.is_fact;
    let what = if is_empty { "has no value" } else { "may not be null" };
    let problem = Diagnostic::error("wrong-type", format!("{} {what}", subject.name));
    problem.at(node.place).help(if subject.is_fact {
        "leave the key out if the value was not collected"
    } else {
        "write one, or leave the key out if it is not required"
    })
}

fn wrong_type(subject: &Subject<'_>, types: JsonTypeSet) -> Diagnostic {
    let node = subject.found.node;
    if node.is_null() {
        return subject.describe(null(subject));
    }
    let mut names: Vec<&str> = types.iter().map(type_name).collect();
    // Null is the exception, so it comes last.
    names.sort_by_key(|name| *name == "null");
    let expected = names.join(" or ");
    let what = format!("expected {expected}, found {}", with_article(node.kind_name()));
    let problem = subject.value("wrong-type", &what).label(format!("expected {expected}"));
    let problem = match &node.value {
        Value::Int(_) | Value::Float(_) | Value::Bool(_) if types.contains(JsonType::String) => {
            problem.help("quote it")
        }
        Value::Text(text, Style::Single | Style::Double) if means(text, types) => {
            problem.help("take the quotes away")
        }
        _ => problem,
    };
    subject.describe(problem)
}

/// Whether `text` without quotes would be of one of `types`.
fn means(text: &str, types: JsonTypeSet) -> bool {
    let number = types.contains(JsonType::Integer) || types.contains(JsonType::Number);
    (number && text.parse::<f64>().is_ok_and(f64::is_finite))
        || (types.contains(JsonType::Boolean) && matches!(text, "true" | "false"))
}

fn not_one_of(subject: &Subject<'_>, members: &[Json]) -> Diagnostic {
    let node = subject.found.node;
    if node.is_null() {
        return subject.describe(null(subject));
    }
    let value = shown(node);
    let names: Vec<String> = members.iter().map(word).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let problem = match names.as_slice() {
        [only] => {
            let what = format!("expected `{only}`, found {value}");
            return subject
                .describe(subject.value("not-one-of", &what).suggest_member(node, &names));
        }
        _ => subject.value("not-one-of", &format!("{value} is not one of the values it may have")),
    };
    let problem = problem.suggest_member(node, &names);
    let problem = if names.len() <= MAX_LISTED { list(problem, "values", &names) } else { problem };
    subject.describe(problem)
}

trait SuggestMember {
    fn suggest_member(self, node: &Node, members: &[&str]) -> Self;
}

impl SuggestMember for Diagnostic {
    fn suggest_member(self, node: &Node, members: &[&str]) -> Self {
        match node.as_str() {
            Some(text) => self.suggest(text, members.iter().copied()),
            None => self,
        }
    }
}

/// Adds a line that lists what is allowed.
fn list(diagnostic: Diagnostic, what: &str, names: &[&str]) -> Diagnostic {
    if names.is_empty() {
        return diagnostic;
    }
    let shown: Vec<&str> = names.iter().copied().take(MAX_LISTED).collect();
    let more = names.len() - shown.len();
    let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
    diagnostic.help(format!("allowed {what}: {}{tail}", listed(&shown, ", ")))
}

fn listed(names: &[&str], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}

/// A member of an enumeration as one would write it.
fn word(member: &Json) -> String {
    member.as_str().map_or_else(|| member.to_string(), str::to_owned)
}

/// A value for a message: short, in backticks; of a collection only the kind.
fn shown(node: &Node) -> String {
    let text = match &node.value {
        Value::Text(text, _) if text.is_empty() => return "empty text".to_owned(),
        Value::Text(text, _) => text.to_string(),
        Value::List(_) | Value::Map(_) => return with_article(node.kind_name()),
        _ => node.to_json().to_string(),
    };
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}...`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}

fn with_article(kind: &str) -> String {
    match kind {
        "null" | "text" => kind.to_owned(),
        _ => format!("a {kind}"),
    }
}

fn type_set(kind: &TypeKind) -> JsonTypeSet {
    match kind {
        TypeKind::Single(one) => JsonTypeSet::empty().insert(*one),
        TypeKind::Multiple(several) => *several,
    }
}

fn type_name(one: JsonType) -> &'static str {
    match one {
        JsonType::Null => "null",
        JsonType::Boolean => "true or false",
        JsonType::Integer => "a whole number",
        JsonType::Number => "a number",
        JsonType::String => "text",
        JsonType::Array => "a list",
        JsonType::Object => "a mapping",
    }
}
