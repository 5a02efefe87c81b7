//! The hazards of a plan as SARIF 2.1.0, each at its place in the plan file.

use std::collections::HashMap;
use std::io;

use serde_json::{Value as Json, json};

use crate::diagnostic::Place;
use crate::plan::hazard::{Hazard, KINDS, Kind};
use crate::report::lint::PlaceV1;
use crate::report::plan::{Input, PlanReport};
use crate::report::sarif::{document, location, numbered};

/// Writes the hazards as one run. Those that the plan accepts are in it too, as suppressed in the source.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(report: &PlanReport, input: Input<'_>, out: &mut dyn io::Write) -> io::Result<()> {
    let mut seen = HashMap::new();
    let hazards = input.judged.hazards.iter();
    let results: Vec<Json> = hazards.map(|hazard| result(hazard, input, &mut seen)).collect();
    let rules: Vec<Json> = KINDS.iter().map(rule).collect();
    // Without a verdict the run has not done what it was for.
    let is_whole = report.exit_code != 3;
    crate::report::json::pretty(&document(&rules, &results, is_whole, report.exit_code), out)
}

fn rule(kind: &Kind) -> Json {
    json!({
        "id": kind.id,
        "shortDescription": { "text": format!("{}.", kind.title) },
        "fullDescription": { "text": kind.explanation },
        "help": {
            "text": format!("{}\n\ndpmguard plan hazards {}", kind.explanation, kind.id),
            "markdown": format!("{}\n\n`dpmguard plan hazards {}`", kind.explanation, kind.id),
        },
        "defaultConfiguration": { "level": if kind.is_unknown { "none" } else { kind.severity.name() } },
    })
}

fn result(hazard: &Hazard, input: Input<'_>, seen: &mut HashMap<String, usize>) -> Json {
    let is_open = hazard.kind.leaves_open(hazard.severity, input.threshold);
    let mut text =
        if is_open { format!("no verdict: {}", hazard.message) } else { hazard.message.clone() };
    for help in &hazard.help {
        text.push('\n');
        text.push_str(help);
    }
    let step = hazard.step.and_then(|step| input.plan.steps.get(step));
    let about = format!(
        "{}\n{}\n{}\n{}",
        hazard.kind.id,
        step.map_or("", |step| &step.id),
        hazard.rule.as_deref().unwrap_or_default(),
        hazard.objects.join("\n")
    );
    let mut result = json!({
        "ruleId": hazard.kind.id,
        // What cannot be decided has not failed.
        "kind": if is_open { "open" } else { "fail" },
        "level": if is_open { "none" } else { hazard.severity.name() },
        "message": { "text": text },
        "locations": [{ "physicalLocation": physical(hazard.place, input) }],
        "partialFingerprints": { "dpmguardHazard/v1": numbered(about, seen) },
        "properties": {
            "certainty": if hazard.may { "may" } else { "will" },
            "step": step.map(|step| step.id.to_string()),
            "objects": hazard.objects,
        },
    });
    let Some(map) = result.as_object_mut() else { return result };
    if let Some(index) = KINDS.iter().position(|kind| kind.id == hazard.kind.id) {
        map.insert("ruleIndex".to_owned(), json!(index));
    }
    if !hazard.chain.is_empty() {
        map.insert("codeFlows".to_owned(), json!([flow(hazard, input)]));
    }
    if let Some(reason) = &hazard.accepted {
        let why = json!([{ "kind": "inSource", "status": "accepted", "justification": reason }]);
        map.insert("suppressions".to_owned(), why);
    }
    result
}

/// The chain of events, each at the step where it happens, and the hazard at its end.
fn flow(hazard: &Hazard, input: Input<'_>) -> Json {
    let place = |step: Option<usize>| {
        let step = step.and_then(|step| input.plan.steps.get(step));
        step.map_or(input.plan.place, |step| step.place)
    };
    let links = hazard.chain.iter().map(|link| (place(link.step), link.said.as_str()));
    let all = links.chain([(hazard.place, hazard.message.as_str())]);
    let locations: Vec<Json> = all
        .map(|(place, said)| {
            json!({ "location": {
                "physicalLocation": physical(place, input),
                "message": { "text": said },
            } })
        })
        .collect();
    json!({ "threadFlows": [{ "locations": locations }] })
}

fn physical(place: Place, input: Input<'_>) -> Json {
    location(&PlaceV1::new(place, input.sources))
}
