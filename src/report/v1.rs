//! The frozen shape of the JSON report, `schemas/report-v1.schema.json`.
//!
//! Made of its own types, never of internal ones: a change of those cannot change the report by
//! accident. A field may be added here, none may go or change its meaning under this name.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::diagnostic::Place;
use crate::finding::{
    Evaluation, Evidence, Finding, JudgedRule, Missing, Outcome, RepairStep, Severity, Step,
    Subject, Takes, Tally, Verdict, Withheld,
};
use crate::report::{Run, Settings, diagnostic};
use crate::source::Sources;

/// The report.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: &'static str,
    tool: ToolV1,
    now: String,
    verdict: VerdictV1,
    facts: Vec<FactsV1>,
    packs: Vec<PackV1>,
    settings: SettingsV1,
    summary: SummaryV1,
    rules: Vec<RuleV1>,
    findings: Vec<FindingV1>,
    undecided: Vec<UndecidedV1>,
    repair: Vec<RepairV1>,
    protected: Vec<ProtectedV1>,
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ToolV1 {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct VerdictV1 {
    outcome: &'static str,
    exit_code: u8,
    fail_on: &'static str,
    reason: String,
}

#[derive(Debug, Serialize)]
struct FactsV1 {
    file: String,
    sha256: String,
    observed_at: String,
}

#[derive(Debug, Serialize)]
struct PackV1 {
    name: String,
    version: String,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct SettingsV1 {
    config: Option<String>,
    max_age: Option<String>,
    only: Vec<String>,
    skip: Vec<String>,
    params: Vec<ParamV1>,
}

#[derive(Debug, Serialize)]
struct ParamV1 {
    rule: String,
    param: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct SummaryV1 {
    rules: usize,
    rules_bound_to_nothing: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    outcomes: OutcomesV1,
}

#[derive(Debug, Serialize)]
struct OutcomesV1 {
    violated: usize,
    undecided: usize,
    satisfied: usize,
    not_applicable: usize,
}

#[derive(Debug, Serialize)]
struct RuleV1 {
    id: String,
    title: String,
    severity: &'static str,
    certainty: String,
    tags: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<CauseV1>,
    explanation: String,
    metadata: BTreeMap<String, Vec<String>>,
    references: Vec<ReferenceV1>,
    outcomes: OutcomesV1,
}

#[derive(Debug, Serialize)]
struct CauseV1 {
    id: String,
    title: String,
}

#[derive(Debug, Serialize)]
struct ReferenceV1 {
    title: String,
    says: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retrieved: Option<String>,
}

#[derive(Debug, Serialize)]
struct SubjectV1 {
    kind: String,
    key: String,
}

#[derive(Debug, Serialize)]
struct FindingV1 {
    rule: String,
    severity: &'static str,
    subject: SubjectV1,
    message: String,
    evidence: Vec<EvidenceV1>,
    affects: Vec<SubjectV1>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    consequence: Vec<ConsequenceV1>,
    steps: Vec<StepV1>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    withholds: Vec<WithheldV1>,
    fingerprint: String,
}

#[derive(Debug, Serialize)]
struct ConsequenceV1 {
    fact: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct WithheldV1 {
    action: String,
    at: SubjectV1,
    because: String,
}

#[derive(Debug, Serialize)]
struct EvidenceV1 {
    fact: String,
    value: Option<String>,
    #[serde(flatten)]
    location: LocationV1,
}

/// Where something stands; all null where it was derived.
#[derive(Debug, Serialize)]
struct LocationV1 {
    file: Option<String>,
    line: Option<u32>,
    column: Option<u32>,
}

#[derive(Debug, Serialize)]
struct StepV1 {
    action: String,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsure: Option<String>,
    commands: Vec<CommandV1>,
}

/// A step of the repair of the whole estate; numbers count from 1.
#[derive(Debug, Serialize)]
struct RepairV1 {
    number: usize,
    #[serde(flatten)]
    step: StepV1,
    role: &'static str,
    at: Option<SubjectV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    takes: Option<TakesV1>,
    #[serde(skip_serializing_if = "Option::is_none")]
    takes_unknown: Option<String>,
    rules: Vec<String>,
    helps: Vec<SubjectV1>,
    after: Vec<usize>,
    withheld: Vec<String>,
    undecided_rules: Vec<String>,
}

#[derive(Debug, Serialize)]
struct TakesV1 {
    best_seconds: i64,
    expected_seconds: i64,
    worst_seconds: i64,
    because: String,
}

#[derive(Debug, Serialize)]
struct CommandV1 {
    #[serde(rename = "for")]
    product: String,
    run: String,
}

#[derive(Debug, Serialize)]
struct UndecidedV1 {
    rule: String,
    severity: &'static str,
    subject: SubjectV1,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    see: Option<String>,
    missing: Vec<MissingV1>,
}

#[derive(Debug, Serialize)]
struct MissingV1 {
    fact: String,
    gap: &'static str,
    why: String,
    #[serde(flatten)]
    location: LocationV1,
}

#[derive(Debug, Serialize)]
struct ProtectedV1 {
    kind: String,
    key: String,
    state: Option<String>,
}

impl Report {
    /// The report of a run.
    #[must_use]
    pub fn new(run: &Run<'_>) -> Self {
        let evaluation = run.evaluation;
        let sources = run.sources;
        let violated = |severity: Severity| {
            let hit = |verdict: &&Verdict| {
                verdict.outcome == Outcome::Violated && evaluation.severity(verdict) == severity
            };
            evaluation.verdicts.iter().filter(hit).count()
        };
        let rule_of = |verdict: &Verdict| {
            evaluation.rule(verdict).map(|rule| rule.id.to_string()).unwrap_or_default()
        };
        let mut findings: Vec<(Severity, FindingV1)> = Vec::new();
        let mut undecided = Vec::new();
        for verdict in &evaluation.verdicts {
            let severity = evaluation.severity(verdict);
            if let Some(finding) = &verdict.finding {
                findings.push((
                    severity,
                    finding_v1(rule_of(verdict), severity, &verdict.subject, finding, sources),
                ));
            } else if verdict.outcome == Outcome::Undecided {
                undecided.push(undecided_v1(rule_of(verdict), severity, verdict, sources));
            }
        }
        findings.sort_by(|a, b| {
            let key = |found: &(Severity, FindingV1)| {
                (std::cmp::Reverse(found.0), found.1.rule.clone(), found.1.subject.key.clone())
            };
            key(a).cmp(&key(b))
        });
        Self {
            schema: "dpmguard.report/v1",
            tool: ToolV1 { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            now: run.now.to_owned(),
            verdict: VerdictV1 {
                outcome: run.answer.verdict.name(),
                exit_code: run.answer.verdict.exit_code(),
                fail_on: run.answer.threshold.name(),
                reason: run.answer.reason.clone(),
            },
            facts: run
                .facts
                .iter()
                .map(|file| FactsV1 {
                    file: file.file.clone(),
                    sha256: file.sha256.clone(),
                    observed_at: file.observed_at.clone(),
                })
                .collect(),
            packs: run
                .packs
                .iter()
                .map(|pack| PackV1 {
                    name: pack.name.clone(),
                    version: pack.version.clone(),
                    sha256: pack.sha256.clone(),
                })
                .collect(),
            settings: settings_v1(run.settings),
            summary: SummaryV1 {
                rules: evaluation.rules.len(),
                rules_bound_to_nothing: evaluation
                    .rules
                    .iter()
                    .filter(|rule| rule.tally.total() == 0)
                    .count(),
                errors: violated(Severity::Error),
                warnings: violated(Severity::Warning),
                notes: violated(Severity::Note),
                outcomes: outcomes(&evaluation.tally()),
            },
            rules: evaluation.rules.iter().map(rule_v1).collect(),
            findings: findings.into_iter().map(|(_, finding)| finding).collect(),
            undecided,
            repair: repair_v1(evaluation),
            protected: evaluation
                .protected
                .iter()
                .map(|object| ProtectedV1 {
                    kind: object.subject.kind.to_string(),
                    key: object.subject.key.to_string(),
                    state: object.state.clone(),
                })
                .collect(),
            warnings: run
                .warnings
                .iter()
                .map(|warning| diagnostic::plain(warning, sources))
                .collect(),
        }
    }
}

fn settings_v1(settings: &Settings) -> SettingsV1 {
    let Settings { config, max_age, only, skip, params } = settings;
    let param = |(rule, param, value): &(String, String, String)| ParamV1 {
        rule: rule.clone(),
        param: param.clone(),
        value: value.clone(),
    };
    SettingsV1 {
        config: config.clone(),
        max_age: max_age.clone(),
        only: only.clone(),
        skip: skip.clone(),
        params: params.iter().map(param).collect(),
    }
}

fn outcomes(tally: &Tally) -> OutcomesV1 {
    // No `..`: a new outcome must be placed here.
    let Tally { violated, undecided, satisfied, not_applicable } = *tally;
    OutcomesV1 { violated, undecided, satisfied, not_applicable }
}

fn subject_v1(subject: &Subject) -> SubjectV1 {
    SubjectV1 { kind: subject.kind.to_string(), key: subject.key.to_string() }
}

fn location(place: Option<Place>, sources: &Sources) -> LocationV1 {
    match place.map(|place| sources.location(place)) {
        Some(at) => {
            LocationV1 { file: Some(at.file), line: Some(at.line), column: Some(at.column) }
        }
        None => LocationV1 { file: None, line: None, column: None },
    }
}

fn rule_v1(rule: &JudgedRule) -> RuleV1 {
    let JudgedRule {
        id,
        title,
        severity,
        certainty,
        explanation,
        tags,
        cause,
        metadata,
        references,
        tally,
    } = rule;
    let cause = cause.as_ref().map(|(id, title)| CauseV1 { id: id.clone(), title: title.clone() });
    RuleV1 {
        id: id.to_string(),
        title: title.clone(),
        severity: severity.name(),
        certainty: certainty.clone(),
        tags: tags.clone(),
        cause,
        explanation: explanation.clone(),
        metadata: metadata.iter().map(|(key, _, values)| (key.clone(), values.clone())).collect(),
        references: references
            .iter()
            .map(|reference| ReferenceV1 {
                title: reference.title.clone(),
                says: reference.says.clone(),
                url: reference.url.clone(),
                retrieved: reference.retrieved.clone(),
            })
            .collect(),
        outcomes: outcomes(tally),
    }
}

fn finding_v1(
    rule: String,
    severity: Severity,
    subject: &Subject,
    finding: &Finding,
    sources: &Sources,
) -> FindingV1 {
    let Finding { message, evidence, affects, consequence, steps, withholds, fingerprint } =
        finding;
    let becomes = |(fact, value): &(String, String)| ConsequenceV1 {
        fact: fact.clone(),
        value: value.clone(),
    };
    FindingV1 {
        rule,
        severity: severity.name(),
        subject: subject_v1(subject),
        message: message.clone(),
        evidence: evidence.iter().map(|evidence| evidence_v1(evidence, sources)).collect(),
        affects: affects.iter().map(subject_v1).collect(),
        consequence: consequence.iter().map(becomes).collect(),
        steps: steps.iter().map(step_v1).collect(),
        withholds: withholds.iter().map(withheld_v1).collect(),
        fingerprint: fingerprint.clone(),
    }
}

fn evidence_v1(evidence: &Evidence, sources: &Sources) -> EvidenceV1 {
    let Evidence { fact, value, place } = evidence;
    EvidenceV1 { fact: fact.clone(), value: value.clone(), location: location(*place, sources) }
}

fn withheld_v1(withheld: &Withheld) -> WithheldV1 {
    let Withheld { action, at, because } = withheld;
    WithheldV1 { action: action.to_string(), at: subject_v1(at), because: because.clone() }
}

fn repair_v1(evaluation: &Evaluation) -> Vec<RepairV1> {
    let one = |(position, known): (usize, &RepairStep)| {
        let RepairStep { step, verdicts: _, helps, after, withheld, undecided } = known;
        let rules = evaluation.rules_of(known);
        RepairV1 {
            number: position + 1,
            step: step_v1(step),
            role: step.role.name(),
            at: step.at.as_ref().map(subject_v1),
            takes: step.takes.as_ref().and_then(|takes| takes.as_ref().ok()).map(takes_v1),
            takes_unknown: step.takes.as_ref().and_then(|takes| takes.as_ref().err()).cloned(),
            rules: rules.iter().map(|rule| rule.id.to_string()).collect(),
            helps: helps.iter().map(subject_v1).collect(),
            after: after.iter().map(|position| position + 1).collect(),
            withheld: withheld.clone(),
            undecided_rules: undecided.iter().map(ToString::to_string).collect(),
        }
    };
    evaluation.repair.iter().enumerate().map(one).collect()
}

fn takes_v1(takes: &Takes) -> TakesV1 {
    let Takes { best, expected, worst, because } = takes;
    TakesV1 {
        best_seconds: *best,
        expected_seconds: *expected,
        worst_seconds: *worst,
        because: because.clone(),
    }
}

fn step_v1(step: &Step) -> StepV1 {
    // Place, role and duration are told of the steps of the whole repair only, arguments in plan files.
    let Step {
        action,
        text,
        unsure,
        commands,
        role: _,
        after_check: _,
        at: _,
        name: _,
        takes: _,
        with: _,
    } = step;
    let command = |(product, run): &(String, String)| CommandV1 {
        product: product.clone(),
        run: run.clone(),
    };
    StepV1 {
        action: action.to_string(),
        text: text.clone(),
        unsure: unsure.clone(),
        commands: commands.iter().map(command).collect(),
    }
}

fn undecided_v1(
    rule: String,
    severity: Severity,
    verdict: &Verdict,
    sources: &Sources,
) -> UndecidedV1 {
    UndecidedV1 {
        rule,
        severity: severity.name(),
        subject: subject_v1(&verdict.subject),
        because: verdict.because.clone(),
        see: verdict.see.as_ref().map(ToString::to_string),
        missing: verdict.missing.iter().map(|missing| missing_v1(missing, sources)).collect(),
    }
}

fn missing_v1(missing: &Missing, sources: &Sources) -> MissingV1 {
    let Missing { fact, why, gap, place, .. } = missing;
    MissingV1 { fact: fact.clone(), gap, why: why.clone(), location: location(*place, sources) }
}
