//! SARIF 2.1.0, the Static Analysis Results Interchange Format (OASIS, 2020), of what is doubtful about
//! rules; the parts that other reports share.
//!
//! Written by hand: the part that is needed is small, and a library would have to be tamed to leave out
//! what is not known.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io;

use serde_json::{Value as Json, json};

use crate::digest::sha256;
use crate::report::lint::{Check, LintReport, PlaceV1, Problem};
use crate::source::Sources;

/// Where the schema of the format is published.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Writes the problems as one run. What is allowed is in it too, as suppressed in the source.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(report: &LintReport, sources: &Sources, out: &mut dyn io::Write) -> io::Result<()> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let results: Vec<Json> = report
        .problems
        .iter()
        .map(|problem| result(problem, report.checks, sources, &mut seen))
        .collect();
    let rules: Vec<Json> = report.checks.iter().map(rule).collect();
    crate::report::json::pretty(
        &document(&rules, &results, !report.is_unread, report.exit_code()),
        out,
    )
}

/// The document of one run.
pub(in crate::report) fn document(
    rules: &[Json],
    results: &[Json],
    is_whole: bool,
    exit_code: u8,
) -> Json {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{ "executionSuccessful": is_whole, "exitCode": exit_code }],
            "results": results,
        }],
    })
}

fn rule(check: &Check) -> Json {
    json!({
        "id": check.id,
        "shortDescription": { "text": format!("{}.", check.title) },
        "fullDescription": { "text": check.explanation },
        "help": {
            "text": format!("{}\n\ndpmguard lint --explain {}", check.explanation, check.id),
            "markdown": format!("{}\n\n`dpmguard lint --explain {}`", check.explanation, check.id),
        },
        "defaultConfiguration": { "level": check.severity.name() },
    })
}

fn result(
    problem: &Problem,
    checks: &[Check],
    sources: &Sources,
    seen: &mut HashMap<String, usize>,
) -> Json {
    let diagnostic = &problem.diagnostic;
    let mut text = match diagnostic.code {
        code if code == problem.check => diagnostic.message.clone(),
        code => format!("{} ({code})", diagnostic.message),
    };
    for help in &diagnostic.help {
        text.push('\n');
        text.push_str(help);
    }
    let mut result = json!({
        "ruleId": problem.check,
        "level": problem.severity.name(),
        "message": { "text": text },
        "partialFingerprints": { "dpmguardProblem/v1": fingerprint(problem, sources, seen) },
    });
    let Some(map) = result.as_object_mut() else { return result };
    if let Some(index) = checks.iter().position(|check| check.id == problem.check) {
        map.insert("ruleIndex".to_owned(), json!(index));
    }
    // A problem without a place (a folder that is not there) has no location.
    let places: Vec<Json> = diagnostic
        .place
        .iter()
        .map(|place| json!({ "physicalLocation": location(&PlaceV1::new(*place, sources)) }))
        .collect();
    map.insert("locations".to_owned(), Json::Array(places));
    let related: Vec<Json> = diagnostic
        .related
        .iter()
        .enumerate()
        .map(|(number, (place, said))| {
            json!({
                "id": number,
                "message": { "text": said },
                "physicalLocation": location(&PlaceV1::new(*place, sources)),
            })
        })
        .collect();
    if !related.is_empty() {
        map.insert("relatedLocations".to_owned(), Json::Array(related));
    }
    if let Some(reason) = &problem.allowed {
        let why = json!([{ "kind": "inSource", "status": "accepted", "justification": reason }]);
        map.insert("suppressions".to_owned(), why);
    }
    result
}

/// A stretch of a file.
pub(in crate::report) fn location(place: &PlaceV1) -> Json {
    json!({
        "artifactLocation": { "uri": uri(&place.file) },
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    })
}

/// The name of a file as a reference: relative, with `/`, or with `file:` where it begins at a root.
fn uri(file: &str) -> String {
    let mut said = String::new();
    for byte in file.trim_start_matches("./").bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                said.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ = write!(said, "%{byte:02X}");
            }
        }
    }
    let has_drive = file.as_bytes().get(1) == Some(&b':') && file.as_bytes().get(2) == Some(&b'/');
    match (file.starts_with('/'), has_drive) {
        (true, _) => format!("file://{said}"),
        // The colon behind a drive stays.
        (_, true) => format!("file:///{}", said.replacen("%3A", ":", 1)),
        _ => said,
    }
}

/// The same problem has the same fingerprint wherever its lines move to.
fn fingerprint(problem: &Problem, sources: &Sources, seen: &mut HashMap<String, usize>) -> String {
    let place = problem.diagnostic.place;
    let source = place.and_then(|place| sources.get(place.file));
    let marked = place.and_then(|place| {
        source?.text().get(place.start as usize..place.end as usize).map(str::trim)
    });
    let about = match &problem.rule {
        Some(rule) => rule.as_str(),
        None => source.map_or("", |source| source.name()),
    };
    let message = &problem.diagnostic.message;
    let text = format!("{}\n{about}\n{message}\n{}", problem.check, marked.unwrap_or_default());
    numbered(text, seen)
}

/// A short digest of a text, with how often it was there before.
pub(in crate::report) fn numbered(text: String, seen: &mut HashMap<String, usize>) -> String {
    let hash: String = sha256(text.as_bytes()).chars().take(16).collect();
    let count = seen.entry(text).or_default();
    *count += 1;
    format!("{hash}:{count}")
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn names_of_files_become_references() {
        assert_eq!(uri("rules/a b#c.yaml"), "rules/a%20b%23c.yaml");
        assert_eq!(uri("./rules/é.yaml"), "rules/%C3%A9.yaml");
        assert_eq!(uri("/home/x/a.yaml"), "file:///home/x/a.yaml");
        assert_eq!(uri("C:/x/a.yaml"), "file:///C:/x/a.yaml");
        assert_eq!(uri("../a.yaml"), "../a.yaml");
    }
}
