//! A verdict in the order in which it came about.

use crate::author::explain::blame::{Blame, is_literal, result};
use crate::author::explain::record::{Judged, Level, Stop, Trace, bound_name};
use crate::author::explain::{Run, Subject, select_name, subject_of, written};
use crate::facts::model::Type;
use crate::facts::value::{Absence, Value};
use crate::finding::{Evaluation, Finding, Missing, Outcome};
use crate::report::explain::{
    Candidates, ChangeOf, Clause, FactX, FindingX, MissingX, OtherwiseX, Rejected, TraceX, ValueX,
    VerdictX,
};
use crate::rule::{Binding, Otherwise};
use crate::source::Node;

/// Longest clause that stands whole in a sentence, in characters.
const SHORT: usize = 100;

/// Tells how verdicts came about.
pub(super) struct Teller<'a> {
    pub(super) subject: Subject<'a>,
    pub(super) run: Run<'a>,
    evaluation: &'a Evaluation,
    trace: bool,
}

impl<'a> Teller<'a> {
    pub(super) fn new(
        subject: Subject<'a>,
        run: Run<'a>,
        evaluation: &'a Evaluation,
        trace: bool,
    ) -> Self {
        Self { subject, run, evaluation, trace }
    }

    pub(super) fn verdict(&self, one: &Judged<'_>, number: usize) -> VerdictX {
        let verdict = &one.verdict;
        let clauses = self.clauses(one);
        VerdictX {
            number,
            subject: subject_of(verdict),
            outcome: verdict.outcome.name(),
            sentence: self.sentence(one, &clauses),
            same_as: None,
            clauses,
            because: verdict.because.clone(),
            see: verdict.see.as_ref().map(ToString::to_string),
            finding: verdict.finding.as_ref().map(|finding| self.finding(finding)),
            missing: verdict.missing.iter().map(|missing| self.missing(missing)).collect(),
            counterfactuals: None,
        }
    }

    fn blame<'t>(&'t self, lets: &'t [Trace<'t>]) -> Blame<'t, 't> {
        let (subject, evaluation) = (self.subject, self.evaluation);
        Blame { subject, facts: self.run.facts, evaluation, paths: self.run.paths, lets }
    }

    fn clauses(&self, one: &Judged<'_>) -> Vec<Clause> {
        let rule = self.subject.rule;
        let mut all = Vec::new();
        for step in 0..rule.select.len() {
            all.extend(self.step(step, one.levels.get(step), Some(one)));
        }
        let is_let_reached = !one.requires.is_empty() || one.violated.is_some();
        for (number, (slot, _)) in rule.lets.iter().enumerate() {
            let Some(node) = self.subject.lets(number) else { continue };
            let name = rule.name_of(*slot).map_or("?", |name| name);
            let mut clause = self.blank("let", format!("let {name}"), node);
            let trace = one.lets.get(number).filter(|_| is_let_reached || !one.lets.is_empty());
            if let Some(trace) = trace {
                clause.reached = true;
                let blame = self.blame(&one.lets);
                let mut value = blame.value(trace);
                if trace.expr.ty == Type::Bool {
                    // What decided says more than all that was read.
                    value.facts.clear();
                    clause.decided_by = blame.decisions(trace);
                }
                clause.value = Some(value);
                clause.trace = self.whole(trace);
            }
            all.push(clause);
        }
        for (number, (_, otherwise)) in rule.require.iter().enumerate() {
            let Some(node) = self.subject.require(number).and_then(|node| node.get("that")) else {
                continue;
            };
            let name = format!("require {}", number + 1);
            let mut clause = self.condition("require", name, node, one.requires.get(number), one);
            if one.stop == Stop::Else(number) {
                clause.otherwise = Some(taken("else", otherwise, one));
            }
            all.push(clause);
        }
        if let Some(node) = rule.root.get("violated") {
            let name = "violated".to_owned();
            all.push(self.condition("violated", name, node, one.violated.as_ref(), one));
        }
        all
    }

    /// A step of `select` and its `where`.
    pub(super) fn step(
        &self,
        step: usize,
        level: Option<&Level<'_>>,
        one: Option<&Judged<'_>>,
    ) -> Vec<Clause> {
        let Some(node) = self.subject.select(step) else { return Vec::new() };
        let name = bound_name(self.subject.rule, step);
        let (kind, source, otherwise) = match self.subject.rule.select.get(step) {
            Some(Binding::One { if_none, .. }) => ("one", node.get("from"), Some(if_none)),
            _ => ("each", node.get("of").or_else(|| node.get("in")), None),
        };
        let Some(source) = source else { return Vec::new() };
        let mut clause = self.blank(kind, select_name(step), source);
        clause.text = match (kind, node.get("of")) {
            ("one", _) => format!("one {name} from {}", written(source)),
            (_, Some(of)) => format!("each {name} of {}", written(of)),
            _ => format!("each {name} in {}", written(source)),
        };
        let filter = node.get("where");
        let mut all = Vec::new();
        let Some(level) = level else {
            all.push(clause);
            all.extend(filter.map(|node| self.where_of(step, node)));
            return all;
        };
        let known = level.step();
        clause.reached = true;
        clause.candidates = Some(Candidates {
            count: known.candidates,
            fitting: known.fitting,
            rejected: known.rejected.iter().map(|one| self.rejected(one)).collect(),
        });
        clause.value = level.candidate.as_ref().map(|bound| self.bound(&name, &bound.value));
        if known.list.value.is_err() {
            clause.result = Some("undecided");
        }
        clause.trace = self.whole(&known.list);
        if let (Some(one), Some(otherwise)) = (one, otherwise)
            && one.stop == Stop::IfNone(step)
        {
            clause.otherwise = Some(taken("if_none", otherwise, one));
        }
        all.push(clause);
        if let Some(node) = filter {
            let asked = level.candidate.as_ref().and_then(|bound| bound.filter.as_ref());
            let mut clause = self.where_of(step, node);
            if let Some(asked) = asked {
                clause.reached = true;
                clause.result = Some(result(asked));
                clause.decided_by = self.blame(&[]).decisions(asked);
                clause.trace = self.whole(asked);
            }
            all.push(clause);
        }
        all
    }

    fn where_of(&self, step: usize, node: &Node) -> Clause {
        self.blank("where", format!("where of {}", select_name(step)), node)
    }

    fn rejected(&self, one: &crate::author::explain::record::Candidate<'_>) -> Rejected {
        let value = match &one.value {
            Ok(value) => self.run.facts.say(value),
            Err(_) => "(not known)".to_owned(),
        };
        let decided_by = one.filter.iter().flat_map(|trace| self.blame(&[]).decisions(trace));
        Rejected { value, decided_by: decided_by.collect() }
    }

    fn bound(&self, name: &str, value: &crate::expr::eval::Outcome) -> ValueX {
        let mut facts = Vec::new();
        if let Ok(Value::Object(id)) = value
            && let (Some(object), Some(kind)) =
                (self.run.facts.object(*id), self.run.facts.kind_of(*id))
        {
            let place = Some(self.subject.place_of(object.place));
            let fact = format!("{}[{}]", kind.collection, object.key);
            facts.push(FactX { fact, value: None, place });
        }
        let value = match value {
            Ok(value) => Some(self.run.facts.say(value)),
            Err(unknown) => unknown.reasons.iter().find_map(|reason| match &reason.why {
                Absence::Dangling(key) => Some(format!("{key} (not in the facts)")),
                _ => None,
            }),
        };
        ValueX { text: name.to_owned(), value, is_literal: false, facts }
    }

    fn blank(&self, kind: &'static str, name: String, node: &Node) -> Clause {
        Clause {
            kind,
            name,
            text: written(node),
            place: self.subject.place(node),
            reached: false,
            result: None,
            value: None,
            candidates: None,
            decided_by: Vec::new(),
            otherwise: None,
            trace: None,
        }
    }

    fn condition(
        &self,
        kind: &'static str,
        name: String,
        node: &Node,
        trace: Option<&Trace<'_>>,
        one: &Judged<'_>,
    ) -> Clause {
        let mut clause = self.blank(kind, name, node);
        if let Some(trace) = trace {
            clause.reached = true;
            clause.result = Some(result(trace));
            clause.decided_by = self.blame(&one.lets).decisions(trace);
            clause.trace = self.whole(trace);
        }
        clause
    }

    fn whole(&self, trace: &Trace<'_>) -> Option<TraceX> {
        self.trace.then(|| self.traced(trace))
    }

    fn traced(&self, trace: &Trace<'_>) -> TraceX {
        let blame = self.blame(&[]);
        let fact = blame.fact(trace);
        // What stands in the rule needs no line of its own.
        let below = trace.below.iter().filter(|part| !is_literal(part));
        TraceX {
            text: self.subject.print(trace.expr),
            value: blame.said(trace),
            place: fact.as_ref().and_then(|fact| fact.place.clone()),
            fact: fact.map(|fact| fact.fact),
            below: below.map(|part| self.traced(part)).collect(),
            is_cut: trace.is_cut,
        }
    }

    fn finding(&self, finding: &Finding) -> FindingX {
        let evidence = finding.evidence.iter().map(|one| FactX {
            fact: one.fact.clone(),
            value: one.value.clone(),
            place: one.place.map(|place| self.subject.place_of(place)),
        });
        let consequence = finding.consequence.iter();
        let consequence =
            consequence.map(|(fact, to)| ChangeOf { fact: fact.clone(), to: to.clone() });
        FindingX {
            message: finding.message.clone(),
            evidence: evidence.collect(),
            consequence: consequence.collect(),
            steps: finding.steps.iter().map(|step| step.text.clone()).collect(),
            fingerprint: finding.fingerprint.clone(),
        }
    }

    fn missing(&self, missing: &Missing) -> MissingX {
        MissingX {
            fact: missing.fact.clone(),
            why: missing.why.clone(),
            gap: missing.gap,
            place: missing.place.map(|place| self.subject.place_of(place)),
            source: self.source(&missing.fact),
        }
    }

    /// Where a collector gets the fact at a path.
    fn source(&self, path: &str) -> Option<String> {
        let collection = path.split(['[', '.']).next()?;
        let field = path.rsplit(']').next()?.trim_start_matches('.');
        let kind = self.subject.model.kind_in(collection)?;
        let mut record = &kind.record;
        let mut source = None;
        for name in field.split('.') {
            let (_, known) = record.field(name.split('[').next()?)?;
            source = known.source.clone().or(source);
            record = match known.ty.required() {
                Type::Record(inner) => inner,
                _ => break,
            };
        }
        source
    }

    /// All in one sentence.
    fn sentence(&self, one: &Judged<'_>, clauses: &[Clause]) -> String {
        let verdict = &one.verdict;
        let outcome = verdict.outcome.name().replace('_', " ");
        let key = match &*verdict.subject.key {
            "" => format!("objects of the kind {} that were not collected", verdict.subject.kind),
            key => key.to_owned(),
        };
        let start = format!("{} is {outcome} for {key}, because", self.subject.rule.id);
        let because = verdict.because.as_deref().unwrap_or_default();
        match one.stop {
            _ if verdict.outcome == Outcome::Undecided && verdict.because.is_none() => {
                let facts: Vec<String> = verdict
                    .missing
                    .iter()
                    .take(3)
                    .map(|missing| match missing.gap {
                        "failed" => missing.why.clone(),
                        _ => format!("{} is not known ({})", missing.fact, missing.why),
                    })
                    .collect();
                let more = verdict.missing.len().saturating_sub(3);
                let more = if more > 0 {
                    format!(" and {more} more facts are missing")
                } else {
                    String::new()
                };
                format!("{start} {}{more}.", facts.join(", and "))
            }
            Stop::IfNone(step) => {
                let name = bound_name(self.subject.rule, step);
                let because = end(because);
                format!("{start} there is no `{name}`: {because}")
            }
            Stop::Else(_) => {
                let said = decisive(clauses, "require");
                let because = match &verdict.finding {
                    Some(finding) => end(&finding.message),
                    None => end(because),
                };
                format!("{start} {said}: {because}")
            }
            _ => format!("{start} {}.", decisive(clauses, "violated")),
        }
    }
}

/// The `else` or `if_none` that was taken.
fn taken(clause: &'static str, otherwise: &Otherwise, one: &Judged<'_>) -> OtherwiseX {
    let said = one.verdict.finding.as_ref().map(|finding| finding.message.clone());
    OtherwiseX {
        clause,
        outcome: otherwise.outcome.name(),
        because: one.verdict.because.clone().or(said),
        see: otherwise.see.as_ref().map(|(see, _)| see.to_string()),
    }
}

fn end(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// The last clause of a kind that was asked, or the comparisons that decided it, where it is long.
fn decisive(clauses: &[Clause], kind: &str) -> String {
    let Some(clause) = clauses.iter().rev().find(|one| one.kind == kind && one.reached) else {
        return "of its clauses".to_owned();
    };
    let result = clause.result.unwrap_or("undecided");
    if clause.text.chars().count() <= SHORT || clause.decided_by.is_empty() {
        return format!("`{}` is {result}", clause.text);
    }
    let said: Vec<String> = clause
        .decided_by
        .iter()
        .take(3)
        .map(|one| format!("`{}` is {}", one.text, one.result))
        .collect();
    said.join(", and ")
}
