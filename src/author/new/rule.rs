//! A rule about one field of a kind, with a case for each outcome.

use serde_json::{Value as Json, json};

use crate::author::new::case::{self, Draft, Expect};
use crate::author::new::facts::{self, OBSERVED, Sketch};
use crate::author::new::{NewFile, modeline, words};
use crate::diagnostic::Diagnostic;
use crate::facts::model::{Field, Kind, Model, Origin, Record, Type};
use crate::finding::Outcome;
use crate::schema::Schema;
use crate::source::scalar_text;

/// What the author says of the rule.
#[derive(Debug)]
pub struct Wish<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its title.
    pub title: Option<&'a str>,
    /// Its severity.
    pub severity: &'a str,
    /// How sure it is.
    pub certainty: &'a str,
    /// Where the schemas lie, seen from the pack's folder.
    pub schemas: Option<&'a str>,
}

/// A field that a rule can ask for, perhaps in a record: `replica.state`.
#[derive(Clone, Debug)]
pub struct Facet {
    path: Vec<String>,
    ty: Type,
    unit: Option<String>,
    description: String,
}

impl Facet {
    /// How it is written behind the object.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.join(".")
    }

    /// Which type makes the easiest rule; what may be null comes behind what may not.
    fn rank(&self) -> (usize, usize, bool) {
        let rank = match self.ty.required() {
            Type::Bool => 0,
            Type::Enum(_) => 1,
            Type::Int | Type::Float => 2,
            Type::Time => 3,
            Type::Version => 4,
            Type::Path => 5,
            _ => 6,
        };
        (self.path.len(), rank, matches!(self.ty, Type::Optional(_)))
    }
}

/// The fields of a kind that a rule can ask for, the one that makes the easiest rule first.
#[must_use]
pub fn facets(kind: &Kind) -> Vec<Facet> {
    let mut all = Vec::new();
    let keys: Vec<usize> = kind.key.iter().map(|(position, _)| *position).collect();
    for (position, field) in kind.record.fields.iter().enumerate() {
        if !keys.contains(&position) {
            collect(field, &[], &mut all);
        }
    }
    all.sort_by_key(Facet::rank);
    all
}

fn collect(field: &Field, above: &[String], all: &mut Vec<Facet>) {
    let path: Vec<String> = above.iter().cloned().chain([field.name.to_string()]).collect();
    match field.ty.required() {
        _ if !matches!(field.origin, Origin::Read) => {}
        Type::Record(record) if path.len() < 3 && !matches!(field.ty, Type::Optional(_)) => {
            let Record { fields, .. } = &**record;
            for field in fields {
                collect(field, &path, all);
            }
        }
        Type::Record(_) | Type::List(_) | Type::Object(_) | Type::Null | Type::Optional(_) => {}
        _ => all.push(Facet {
            path,
            ty: field.ty.clone(),
            unit: field.unit.clone(),
            description: field.description.clone(),
        }),
    }
}

/// The field of that name, among those that a rule can ask for.
///
/// # Errors
///
/// There is none; what was meant, perhaps.
pub fn named(kind: &Kind, name: &str) -> Result<Facet, Diagnostic> {
    let all = facets(kind);
    if let Some(found) = all.iter().find(|facet| facet.name() == name) {
        return Ok(found.clone());
    }
    let names: Vec<String> = all.iter().map(Facet::name).collect();
    let is_other = kind.record.field(name.split('.').next().unwrap_or_default()).is_some();
    let message = if is_other {
        format!("a scaffold cannot ask for `{name}`: it is a key, a reference or a list")
    } else {
        format!("kind `{}` has no field `{name}`", kind.name)
    };
    let problem = Diagnostic::error("unknown-field", message);
    let problem = problem.suggest(name, names.iter().map(String::as_str));
    Err(if names.is_empty() {
        problem
    } else {
        problem.help(format!("fields: {}", names.join(", ")))
    })
}

/// What is asked of a field, and a value for either answer.
struct Question {
    /// Parameter: name, schema, default and help.
    param: Option<(&'static str, String, Json, String)>,
    violated: String,
    good: Json,
    bad: Json,
}

/// The files of a rule that asks for `facet`, or for the key where the kind has no field to ask for.
/// None if no two values of the field could be made up.
///
/// # Errors
///
/// An object of the kind that cannot be made up.
pub fn scaffold(
    wish: &Wish<'_>,
    kind: &Kind,
    facet: Option<&Facet>,
    model: &Model,
    schema: &Schema,
) -> Result<Option<Vec<NewFile>>, Diagnostic> {
    let json = schema.json();
    let mut sketch = Sketch::new(model, json);
    let key = sketch.add(kind)?;
    let document = sketch.document();
    let name = variable(kind, model);
    let question = match facet {
        Some(facet) => {
            let allowed = |value: &Json| {
                let document = with_value(&document, kind, facet, Some(value));
                facts::tree(&document).is_some_and(|tree| schema.check(&tree).is_empty())
            };
            let property = facts::property(json, kind, &facet.path);
            let values = property.map(|property| facts::candidates(json, property, &facet.ty));
            let values: Vec<Json> = values.into_iter().flatten().filter(allowed).collect();
            let bound = |key| {
                let value = property.and_then(|property| property.get(key))?;
                Some(format!("\n    {key}: {value}"))
            };
            let bounds: String = ["minimum", "maximum"].into_iter().filter_map(bound).collect();
            question(facet, &name, &values, &bounds)
        }
        None => Some(by_key(&name, &key)),
    };
    let Some(question) = question else { return Ok(None) };
    let text = rule(wish, kind, facet, &name, &question);
    let mut files = vec![NewFile { below: format!("{}.yaml", wish.id), text }];
    files.extend(cases(wish, kind, facet, &document, &key, &question));
    Ok(Some(files))
}

/// A name for the object that is no name already.
fn variable(kind: &Kind, model: &Model) -> String {
    let is_taken = |name: &&str| {
        ["params", "now"].contains(name)
            || model.kinds().iter().any(|kind| &*kind.collection == *name)
            || model.singles().iter().any(|single| &*single.name == *name)
    };
    let names = [&*kind.name, "item", "object", "one", "it"];
    names.into_iter().find(|name| !is_taken(name)).unwrap_or("x").to_owned()
}

/// `bounds` are those of the field, for a limit to it.
fn question(facet: &Facet, name: &str, values: &[Json], bounds: &str) -> Option<Question> {
    let what = format!("{name}.{}", facet.name());
    let (first, second) = (values.first()?.clone(), values.get(1)?.clone());
    let expected = |schema: &str, help: &str| {
        Some(("expected", schema.to_owned(), first.clone(), help.to_owned()))
    };
    let unequal = |param, violated| {
        Some(Question { param, violated, good: first.clone(), bad: second.clone() })
    };
    match facet.ty.required() {
        Type::Bool => Some(Question {
            param: None,
            violated: format!("!{what}"),
            good: json!(true),
            bad: json!(false),
        }),
        Type::Enum(_) => unequal(None, format!("{what} != {first}")),
        Type::Int | Type::Float => {
            // The first, the schema's example perhaps, is a likely limit; the next number is over it.
            let over = |limit: &Json| {
                let next = json!(limit.as_i64()? + 1);
                values.iter().find(|value| **value == next).cloned()
            };
            let (limit, bad) = values.iter().find_map(|limit| Some((limit, over(limit)?)))?;
            let schema = if facet.ty.required() == &Type::Int { "integer" } else { "number" };
            let unit =
                facet.unit.as_deref().map_or_else(String::new, |unit| format!(", in {unit}"));
            let help = format!("The most that is all right{unit}.");
            Some(Question {
                param: Some(("most", format!("type: {schema}{bounds}"), limit.clone(), help)),
                violated: format!("{what} > params.most"),
                good: limit.clone(),
                bad,
            })
        }
        Type::Time => {
            let help = "How many days ago it may be.".to_owned();
            Some(Question {
                param: Some((
                    "max_days",
                    "type: integer\n    minimum: 0".to_owned(),
                    json!(30),
                    help,
                )),
                violated: format!("now - {what} > days(params.max_days)"),
                good: json!("2025-12-16T12:00:00Z"),
                bad: json!("2025-12-16T11:59:59Z"),
            })
        }
        Type::Version => {
            let param =
                expected("type: string\n    format: version", "The version that it should be.");
            unequal(param, format!("{what} != params.expected"))
        }
        Type::Path => {
            let param = expected("type: string\n    format: windows-path", "Where it should be.");
            unequal(param, format!("{what} != params.expected"))
        }
        _ => {
            let param = expected("type: string", "What it should be.");
            unequal(param, format!("{what} != params.expected"))
        }
    }
}

/// For a kind without a field to ask for.
fn by_key(name: &str, key: &str) -> Question {
    let help = "The key that is expected.".to_owned();
    Question {
        param: Some(("expected", "type: string".to_owned(), json!(key), help)),
        violated: format!("{name}.key != params.expected"),
        good: json!(key),
        bad: json!("another"),
    }
}

fn rule(
    wish: &Wish<'_>,
    kind: &Kind,
    facet: Option<&Facet>,
    name: &str,
    question: &Question,
) -> String {
    let Wish { id, title, severity, certainty, schemas } = wish;
    let title = title.map_or_else(|| words(id), str::to_owned);
    let what = facet.map_or_else(|| "key".to_owned(), Facet::name);
    let mut text = modeline(*schemas, "", "rule-v1");
    let mut add = |line: &str| {
        text.push_str(line);
        text.push('\n');
    };
    add("schema: dpmguard.rule/v1");
    add(&format!("id: {}", scalar_text(id)));
    add(&format!("title: {}", scalar_text(&title)));
    let severity = format!("severity: {severity}");
    add(&format!("{severity:<24}# note | warning | error"));
    let certainty = format!("certainty: {certainty}");
    add(&format!(
        "{certainty:<24}# documented | inferred (a warning at most) | guess (a note at most)"
    ));
    add("explanation: |\n  TODO: tell an administrator why this happens, and what it costs.");
    add("params:\n  except:\n    type: array\n    items: { type: string }\n    default: []");
    add(&format!(
        "    help: Keys of the {} for which we accept it.",
        kind.collection.replace('_', " ")
    ));
    if let Some((param, schema, default, help)) = &question.param {
        let default = match default {
            Json::String(text) => scalar_text(text),
            other => other.to_string(),
        };
        add(&format!(
            "  {param}:\n    {schema}\n    default: {default}\n    help: {}",
            scalar_text(help)
        ));
    }
    add(&format!("select:\n  - each: {name}\n    of: {}", kind.name));
    add(&format!("require:\n  - that: '!({name}.key in params.except)'\n    else:"));
    add(&format!("      outcome: not_applicable\n      because: We accept it for ${{{name}}}."));
    if facet.is_some_and(|facet| matches!(facet.ty, Type::Optional(_))) {
        add(&format!("  - that: {name}.{what} != ()\n    else:"));
        add(&format!("      outcome: not_applicable\n      because: ${{{name}}} has no {what}."));
    }
    if let Some(facet) = facet.filter(|facet| !facet.description.is_empty()) {
        let plain: String =
            facet.description.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        add(&format!("# {what}: {plain}"));
    }
    add("# TODO: the condition under which something is wrong; this one is a guess.");
    add(&format!("violated: {}", quoted(&question.violated)));
    add(&format!("finding:\n  subject: {name}\n  message: >-"));
    add(&format!(
        "    ${{{name}}}: {what} is ${{{name}.{what}}}. TODO: say what is wrong with that, and what to do."
    ));
    add(&format!("  evidence:\n    - {name}.{what}"));
    add("  fingerprint: []  # a subject can have the problem only once");
    add("references:\n  - title: \"TODO: the document that says so, or your own decision\"");
    add("    says: \"TODO: what it says, in your own words\"");
    text
}

/// An expression as a YAML value.
fn quoted(expression: &str) -> String {
    if expression.starts_with('!') {
        format!("'{}'", expression.replace('\'', "''"))
    } else {
        expression.to_owned()
    }
}

fn cases(
    wish: &Wish<'_>,
    kind: &Kind,
    facet: Option<&Facet>,
    document: &Json,
    key: &str,
    question: &Question,
) -> Vec<NewFile> {
    let what = facet.map_or_else(|| "key".to_owned(), Facet::name);
    let facts = |value: Option<&Json>| match facet {
        Some(facet) => with_value(document, kind, facet, value),
        // That nothing was collected is all that can be unknown of a key.
        None if value.is_none() => {
            json!({ "schema": "dpmguard.facts/v1", "observed_at": OBSERVED })
        }
        None => document.clone(),
    };
    let expected = |value: &Json| match facet {
        Some(_) => Vec::new(),
        None => vec![("expected".to_owned(), value.clone())],
    };
    let (good, bad) = (&question.good, &question.bad);
    let mut all = vec![
        (
            "violated",
            format!("{what} is {}", say(bad)),
            facts(Some(bad)),
            expected(bad),
            Outcome::Violated,
        ),
        (
            "satisfied",
            format!("{what} is {}", say(good)),
            facts(Some(good)),
            Vec::new(),
            Outcome::Satisfied,
        ),
        (
            "undecided",
            format!("Nobody collected {what}"),
            facts(None),
            Vec::new(),
            Outcome::Undecided,
        ),
        (
            "not-applicable",
            format!("We accept it for {key}"),
            facts(Some(bad)),
            vec![("except".to_owned(), json!([key]))],
            Outcome::NotApplicable,
        ),
    ];
    if facet.is_some_and(|facet| matches!(facet.ty, Type::Optional(_))) {
        let title = format!("There is no {what}");
        all.push(("no-value", title, facts(Some(&Json::Null)), Vec::new(), Outcome::NotApplicable));
    }
    let file = |(name, title, facts, params, outcome): (
        &str,
        String,
        Json,
        Vec<(String, Json)>,
        Outcome,
    )| {
        let draft = Draft {
            rule: wish.id,
            name,
            title: &title,
            comments: Vec::new(),
            facts: &facts,
            now: OBSERVED,
            params,
            expect: Expect::All(outcome),
        };
        case::file(&draft, wish.schemas)
    };
    all.into_iter().map(file).collect()
}

fn say(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The document with a value for the field of the kind's object; without one, with all above it.
fn with_value(document: &Json, kind: &Kind, facet: &Facet, value: Option<&Json>) -> Json {
    let mut document = document.clone();
    let object = document.get_mut(&*kind.collection).and_then(|objects| objects.get_mut(0));
    let (Some(mut at), Some((last, above))) = (object, facet.path.split_last()) else {
        return document;
    };
    for name in above {
        let Some(map) = at.as_object_mut() else { return document };
        at = map.entry(name.clone()).or_insert_with(|| json!({}));
    }
    if let (Some(value), Some(map)) = (value, at.as_object_mut()) {
        map.insert(last.clone(), value.clone());
    }
    document
}
