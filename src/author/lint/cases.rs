//! What the cases show of rules, and what they do not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::author::clauses::{Role, clauses};
use crate::author::coverage;
use crate::author::lint::Linter;
use crate::author::lint::names::id_place;
use crate::author::lint::reads::{Facts, facts};
use crate::author::suite::{Ready, Suite};
use crate::eval::evaluate;
use crate::facts::model::Type;
use crate::finding::Outcome;
use crate::report::coverage::{RuleCoverage, What};
use crate::rule::{Binding, Rule};

/// A finding: case, key of the subject, fingerprint, message.
type Finding = (String, String, String, String);

impl Linter<'_> {
    pub(super) fn cases(&mut self, suite: &Suite, rules: &[Arc<Rule>]) {
        let looked_at = |rule: &Rule| rules.iter().any(|known| known.id == rule.id);
        let coverage = coverage::measure(suite, &looked_at);
        for covered in &coverage.rules {
            if let Some(rule) = rules.iter().find(|rule| *rule.id == *covered.id) {
                self.missing_cases(rule, covered);
                self.always_true(rule, covered);
            }
        }
        for ready in &suite.cases {
            let is_open =
                ready.case.title.split(|c: char| !c.is_alphanumeric()).any(|word| word == "TODO");
            let rule = rules.iter().find(|rule| *rule.id == *ready.case.rule);
            if let Some(rule) = rule.filter(|_| is_open) {
                let message = "`title` is still to be written".to_owned();
                self.add(rule, "left-to-do", ready.case.title_place, message);
            }
        }
        let pairs = self.alike(rules);
        let findings = findings(suite, &pairs);
        for rule in rules {
            self.fingerprints(rule, findings.get(&*rule.id).map_or(&[], Vec::as_slice));
        }
        for (first, second) in &pairs {
            self.overlap(first, second, &findings);
        }
    }

    fn missing_cases(&mut self, rule: &Arc<Rule>, covered: &RuleCoverage) {
        let missed: Vec<String> = covered
            .outcomes
            .iter()
            .filter(|state| state.is_missed())
            .map(|state| format!("`{}`", state.name))
            .collect();
        if !missed.is_empty() {
            let message = format!("in no case the rule is {}", missed.join(", or "));
            self.push(rule, "missing-case", id_place(rule), message, |one| {
                one.help(format!("cases stand in `cases/{}/` of the pack", rule.id))
            });
        }
    }

    fn always_true(&mut self, rule: &Arc<Rule>, covered: &RuleCoverage) {
        for clause in clauses(rule) {
            if !matches!(clause.role, Role::Filter | Role::Require) {
                continue;
            }
            // The whole of a clause is its first condition.
            let mut points = covered.points.iter().filter(|point| point.clause == clause.path);
            let Some(whole) = points.find(|point| point.what == What::Condition) else { continue };
            let times = |name: &str| {
                whole.states.iter().find(|state| state.name == name).map_or(0, |state| state.times)
            };
            if times("true") > 0 && times("false") == 0 {
                let message = format!("`{}` is true in every case", clause.path);
                self.add(rule, "always-true", clause.node.place, message);
            }
        }
    }

    fn fingerprints(&mut self, rule: &Arc<Rule>, findings: &[Finding]) {
        let mut seen: BTreeMap<(&str, &str, &str), &str> = BTreeMap::new();
        for (case, subject, fingerprint, message) in findings {
            let other = seen.insert((case, subject, fingerprint), message);
            if other.is_some_and(|other| other != message) {
                let node = rule.root.get("finding").and_then(|finding| finding.get("fingerprint"));
                let place = node.map_or(id_place(rule), |node| node.place);
                let said = "two findings that say different things have one fingerprint";
                self.push(rule, "fingerprint-not-unique", place, said.to_owned(), |one| {
                    one.help(format!("see `{subject}` in the case `{case}`"))
                });
                return;
            }
        }
    }

    /// Pairs of rules, the first of them among `rules`, with subjects of one kind and the same evidence.
    fn alike(&self, rules: &[Arc<Rule>]) -> Vec<(Arc<Rule>, Arc<Rule>)> {
        let mut groups: BTreeMap<(String, Facts), Vec<&Arc<Rule>>> = BTreeMap::new();
        for rule in rules {
            let mut shown = Facts::new();
            for (_, expr) in &rule.finding.evidence {
                facts(expr, rule, self.model, &mut shown);
            }
            groups.entry((self.subject_kind(rule), shown)).or_default().push(rule);
        }
        let mut pairs = Vec::new();
        for group in groups.values() {
            for (position, first) in group.iter().enumerate() {
                let later = group.iter().skip(position + 1);
                pairs.extend(later.map(|second| ((*first).clone(), (*second).clone())));
            }
        }
        pairs
    }

    fn subject_kind(&self, rule: &Rule) -> String {
        let binding = rule.select.iter().find(|binding| {
            let (Binding::Each { slot, .. } | Binding::One { slot, .. }) = binding;
            *slot == rule.finding.subject
        });
        let ty = match binding {
            Some(Binding::Each { list, .. }) => &list.ty,
            Some(Binding::One { from, .. }) => &from.ty,
            None => return String::new(),
        };
        match ty.required() {
            Type::List(item) => self.model.say(item.required()),
            other => self.model.say(other),
        }
    }

    fn overlap(
        &mut self,
        first: &Arc<Rule>,
        second: &Arc<Rule>,
        findings: &BTreeMap<String, Vec<Finding>>,
    ) {
        let of = |rule: &Rule| -> BTreeSet<(&str, &str)> {
            let all = findings.get(&*rule.id).into_iter().flatten();
            all.map(|(case, subject, ..)| (case.as_str(), subject.as_str())).collect()
        };
        let (mine, theirs) = (of(first), of(second));
        if !mine.is_empty() && mine == theirs {
            let message = format!(
                "`{}` and `{}` are violated by the same objects in all of their cases",
                first.id, second.id
            );
            let there = id_place(second);
            self.push(first, "rules-overlap", id_place(first), message, |one| {
                one.related(there, "the other rule")
            });
        }
    }
}

/// The findings of rules in their own cases, and in those of the rule that each is paired with.
fn findings(suite: &Suite, pairs: &[(Arc<Rule>, Arc<Rule>)]) -> BTreeMap<String, Vec<Finding>> {
    let judge = |ready: &Ready| {
        let own = ready.case.rule.as_str();
        let partners: Vec<&str> = pairs
            .iter()
            .filter_map(|(a, b)| match own {
                id if id == &*a.id => Some(&*b.id),
                id if id == &*b.id => Some(&*a.id),
                _ => None,
            })
            .collect();
        let wanted = |rule: &Rule| *rule.id == *own || partners.contains(&&*rule.id);
        let evaluation = evaluate(&ready.facts, &ready.set, &ready.case.now, None, &wanted);
        let violated = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Violated);
        let found = violated.filter_map(|verdict| {
            let (rule, finding) = (evaluation.rule(verdict)?, verdict.finding.as_ref()?);
            let subject = verdict.subject.key.to_string();
            let (name, print) = (ready.name.clone(), finding.fingerprint.clone());
            Some((rule.id.to_string(), (name, subject, print, finding.message.clone())))
        });
        found.collect::<Vec<_>>()
    };
    let mut all: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    let judged: Vec<Vec<(String, Finding)>> = suite.cases.par_iter().map(judge).collect();
    for (rule, finding) in judged.into_iter().flatten() {
        all.entry(rule).or_default().push(finding);
    }
    all
}
