//! What the cases show of rules, and what they do not.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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

/// Rules with subjects of one kind and the same evidence.
type Group = Vec<Arc<Rule>>;

/// What a case shows of the rules of a group.
#[derive(Default)]
struct Shown {
    /// The group, and of each of its rules which subjects it finds something about: equal numbers for equal
    /// sets, none for the empty one. The sets themselves would be as many as rules times cases.
    alike: Option<(usize, Vec<usize>)>,
    /// Rules with two findings that have one fingerprint and different messages, and the subject.
    clashes: Vec<(Arc<str>, String)>,
}

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
        let groups = self.alike(rules);
        let shown = shown(suite, &groups);
        let mut clashing: HashMap<&str, (&str, &str)> = HashMap::new();
        for (ready, shown) in suite.cases.iter().zip(&shown) {
            for (rule, subject) in &shown.clashes {
                clashing.entry(rule).or_insert((subject, &ready.name));
            }
        }
        for rule in rules {
            if let Some((subject, case)) = clashing.get(&*rule.id) {
                self.fingerprint(rule, subject, case);
            }
        }
        for (position, group) in groups.iter().enumerate() {
            self.overlap(group, position, &shown);
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

    fn fingerprint(&mut self, rule: &Arc<Rule>, subject: &str, case: &str) {
        let node = rule.root.get("finding").and_then(|finding| finding.get("fingerprint"));
        let place = node.map_or(id_place(rule), |node| node.place);
        let said = "two findings that say different things have one fingerprint";
        self.push(rule, "fingerprint-not-unique", place, said.to_owned(), |one| {
            one.help(format!("see `{subject}` in the case `{case}`"))
        });
    }

    fn alike(&self, rules: &[Arc<Rule>]) -> Vec<Group> {
        let mut groups: BTreeMap<(String, Facts), Group> = BTreeMap::new();
        for rule in rules {
            let mut shown = Facts::new();
            for (_, expr) in &rule.finding.evidence {
                facts(expr, rule, self.model, &mut shown);
            }
            groups.entry((self.subject_kind(rule), shown)).or_default().push(rule.clone());
        }
        groups.into_values().collect()
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

    /// Rules that every case shows alike are told once, with the first of them.
    fn overlap(&mut self, group: &Group, position: usize, shown: &[Shown]) {
        let mut of_rule: Vec<Vec<usize>> = vec![Vec::new(); group.len()];
        for shown in shown {
            let Some((_, numbers)) = shown.alike.as_ref().filter(|(of, _)| *of == position) else {
                continue;
            };
            for (all, number) in of_rule.iter_mut().zip(numbers) {
                all.push(*number);
            }
        }
        let mut firsts: HashMap<&[usize], &Arc<Rule>> = HashMap::new();
        for (rule, numbers) in group.iter().zip(&of_rule) {
            if numbers.iter().all(|number| *number == 0) {
                continue;
            }
            let first = *firsts.entry(numbers).or_insert(rule);
            if Arc::ptr_eq(first, rule) {
                continue;
            }
            let message = format!(
                "`{}` and `{}` are violated by the same objects in all of their cases",
                first.id, rule.id
            );
            let there = id_place(rule);
            self.push(first, "rules-overlap", id_place(first), message, |one| {
                one.related(there, "the other rule")
            });
        }
    }
}

/// What every case of the suite shows of its rule, and of the others in the group of that rule.
fn shown(suite: &Suite, groups: &[Group]) -> Vec<Shown> {
    let mut group_of: HashMap<&str, usize> = HashMap::new();
    for (position, group) in groups.iter().enumerate() {
        group_of.extend(group.iter().map(|rule| (&*rule.id, position)));
    }
    let judge = |ready: &Ready| {
        let Some(position) = group_of.get(ready.case.rule.as_str()) else {
            return Shown::default();
        };
        let wanted = |rule: &Rule| group_of.get(&*rule.id) == Some(position);
        let evaluation = evaluate(&ready.facts, &ready.set, &ready.case.now, None, &wanted);
        let mut subjects: HashMap<&str, BTreeSet<String>> = HashMap::new();
        let mut messages: BTreeMap<(&str, String, &str), &str> = BTreeMap::new();
        let mut clashes = Vec::new();
        for verdict in evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Violated) {
            let (Some(rule), Some(finding)) = (evaluation.rule(verdict), &verdict.finding) else {
                continue;
            };
            let subject = verdict.subject.key.to_string();
            subjects.entry(&rule.id).or_default().insert(subject.clone());
            let key = (&*rule.id, subject.clone(), finding.fingerprint.as_str());
            let other = messages.insert(key, &finding.message);
            if other.is_some_and(|other| other != finding.message) {
                clashes.push((Arc::from(&*rule.id), subject));
            }
        }
        let mut sets: HashMap<&BTreeSet<String>, usize> = HashMap::new();
        let group = groups.get(*position).map(Vec::as_slice).unwrap_or_default();
        let numbers = group.iter().map(|rule| {
            let next = sets.len() + 1;
            subjects.get(&*rule.id).map_or(0, |set| *sets.entry(set).or_insert(next))
        });
        Shown { alike: Some((*position, numbers.collect())), clashes }
    };
    suite.cases.par_iter().map(judge).collect()
}
