//! Mutation: small slips made in a rule on purpose, to see whether its cases notice.
//!
//! A mutant is the rule's own tree with one thing changed, read again by the same reader. What the
//! checker refuses could never be loaded; what behaves the same by proof is equivalent; of the rest each
//! should make a case fail.

mod accepted;
mod equivalent;
mod lexer;
mod make;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::author::suite::{Ready, Suite};
use crate::author::trial;
use crate::diagnostic::{Diagnostic, Place};
use crate::rule::Rule;
use crate::source::Node;

pub use accepted::{Accepted, read as read_accepted};

/// A slip made on purpose.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// Its name within the rule, the same in every run: `require[0].that/swap-and`.
    pub id: String,
    /// Where the change is.
    pub place: Place,
    /// What stood there, as far as it differs.
    pub before: String,
    /// What stands there now.
    pub after: String,
    /// What a case would need that notices it.
    pub wanted: String,
    /// The changed rule.
    root: Arc<Node>,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// A case failed; its name.
    Killed(String),
    /// No case failed.
    Survived,
    /// No case failed, and the pack says why that is right.
    Accepted(String),
    /// It is the same rule; why.
    Equivalent(String),
    /// The checker does not load it.
    Refused,
}

/// The mutants of a rule and what became of them.
#[derive(Clone, Debug)]
pub struct Mutated {
    /// The rule.
    pub rule: Arc<str>,
    /// How many cases are about it.
    pub cases: usize,
    /// The mutants, in the order of the rule file.
    pub mutants: Vec<(Mutant, Fate)>,
}

/// What became of all mutants.
#[derive(Clone, Debug, Default)]
pub struct Mutation {
    /// Rule by rule.
    pub rules: Vec<Mutated>,
    /// What is wrong with lists of accepted mutants: names that no mutant has, mutants that die.
    pub problems: Vec<Diagnostic>,
}

impl Mutation {
    /// How many mutants have a fate.
    pub fn count(&self, is: impl Fn(&Fate) -> bool) -> usize {
        let all = self.rules.iter().flat_map(|rule| &rule.mutants);
        all.filter(|(_, fate)| is(fate)).count()
    }

    /// Hundredths of the mutants that should die which do; none if there is none.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        let killed = self.count(|fate| matches!(fate, Fate::Killed(_)));
        let all = killed + self.count(|fate| matches!(fate, Fate::Survived));
        #[expect(clippy::cast_precision_loss, reason = "a share is shown")]
        (all > 0).then(|| killed as f64 * 100.0 / all as f64)
    }
}

/// Makes and judges the mutants of rules; `done` is told how many rules are.
#[must_use]
pub fn mutate(
    suite: &Suite,
    rules: &[Arc<Rule>],
    accepted: &[Accepted],
    done: &(dyn Fn(usize) + Sync),
) -> Mutation {
    let count = AtomicUsize::new(0);
    let judged: Vec<(Mutated, Vec<Diagnostic>)> = rules
        .par_iter()
        .map(|rule| {
            let judged = of_rule(suite, rule, accepted);
            done(count.fetch_add(1, Ordering::Relaxed) + 1);
            judged
        })
        .collect();
    let mut mutation = Mutation::default();
    for (mutated, problems) in judged {
        mutation.rules.push(mutated);
        mutation.problems.extend(problems);
    }
    mutation
}

fn of_rule(suite: &Suite, rule: &Rule, accepted: &[Accepted]) -> (Mutated, Vec<Diagnostic>) {
    let cases: Vec<&Ready> =
        suite.cases.iter().filter(|ready| ready.case.rules().contains(&&*rule.id)).collect();
    let mutants = make::mutants(rule, &suite.sources);
    let mut mutants: Vec<(Mutant, Fate)> =
        mutants.into_par_iter().map(|mutant| judge(suite, rule, &cases, mutant)).collect();
    let mut problems = Vec::new();
    for one in accepted.iter().filter(|one| *one.rule == *rule.id) {
        let found = mutants.iter_mut().find(|(mutant, _)| mutant.id == one.mutant);
        let wrong = match found {
            None => Some("there is no such mutant"),
            Some((mutant, _)) if mutant.change() != one.change => {
                Some("the mutant of that name makes another change")
            }
            Some((_, fate @ Fate::Survived)) => {
                *fate = Fate::Accepted(one.reason.clone());
                None
            }
            Some((_, Fate::Killed(_))) => Some("a case kills this mutant"),
            Some(_) => Some("this mutant needs no excuse"),
        };
        if let Some(why) = wrong {
            let message =
                format!("`{}` of `{}` is accepted for nothing: {why}", one.mutant, one.rule);
            let names = mutants.iter().map(|(mutant, _)| mutant.id.as_str());
            let problem = Diagnostic::error("stale-mutant", message).at(one.place);
            problems.push(problem.suggest(&one.mutant, names));
        }
    }
    (Mutated { rule: rule.id.clone(), cases: cases.len(), mutants }, problems)
}

fn judge(suite: &Suite, rule: &Rule, cases: &[&Ready], mutant: Mutant) -> (Mutant, Fate) {
    let read = |ready: Option<&Ready>| {
        let (set, params) = match ready {
            Some(ready) => (&ready.set, ready.case.params.as_slice()),
            None => (&suite.set, [].as_slice()),
        };
        let (sources, model) = (&suite.sources, &suite.packs.model);
        set.with_rule(rule, &mutant.root, sources, model, &suite.rule_schema, params)
    };
    let Ok(plain) = read(None) else { return (mutant, Fate::Refused) };
    if let Some(changed) = plain.rule(&rule.id)
        && let Some(why) = equivalent::proof(rule, changed)
    {
        return (mutant, Fate::Equivalent(why));
    }
    for ready in cases {
        let own;
        let set = if ready.case.params.is_empty() {
            &plain
        } else {
            match read(Some(ready)) {
                Ok(set) => {
                    own = set;
                    &own
                }
                // The case cannot be judged any more, so it fails.
                Err(_) => return (mutant, Fate::Killed(ready.name.clone())),
            }
        };
        if !trial::judge(suite, ready, set, None).passes(ready) {
            return (mutant, Fate::Killed(ready.name.clone()));
        }
    }
    (mutant, Fate::Survived)
}

impl Mutant {
    /// The change in one line.
    #[must_use]
    pub fn change(&self) -> String {
        format!("{} -> {}", self.before, self.after)
    }
}
