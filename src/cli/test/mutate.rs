//! `dpmguard test --mutate`.

use std::sync::Arc;

use crate::author::mutate::{self, Fate, Mutant, Mutated, Mutation};
use crate::author::suite::Suite;
use crate::cli::test::{Args, folders, tested};
use crate::cli::{CliError, Progress, Streams};
use crate::report::mutation::{Alive, MutatedRule, MutationReport};
use crate::report::test::{Status, TestReport};
use crate::rule::Rule;
use crate::source::Sources;

/// Makes and judges the mutants of the tested rules that have cases, all of which pass.
pub(super) fn run(
    args: &Args,
    suite: &mut Suite,
    report: &TestReport,
    streams: &Streams<'_>,
) -> Result<MutationReport, CliError> {
    let folders = folders(args)?;
    let accepted = mutate::read_accepted(&folders, &suite.set, &mut suite.sources)
        .map_err(|found| CliError::Input(found, suite.sources.clone()))?;
    let is_sound = |rule: &Rule| {
        let mut cases = report.cases.iter().filter(|case| *case.rule == *rule.id).peekable();
        cases.peek().is_some() && cases.all(|case| case.status == Status::Passed)
    };
    let rules: Vec<Arc<Rule>> =
        tested(args, suite).into_iter().filter(|rule| is_sound(rule)).collect();
    let progress = Progress::new(streams.is_watched, rules.len(), "rules mutated");
    let mutation = mutate::mutate(suite, &rules, &accepted, &|done| progress.tell(done));
    progress.end();
    if !mutation.problems.is_empty() {
        return Err(CliError::Input(mutation.problems, suite.sources.clone()));
    }
    Ok(shown(&mutation, &suite.sources))
}

fn shown(mutation: &Mutation, sources: &Sources) -> MutationReport {
    MutationReport {
        score: mutation.score(),
        killed: mutation.count(|fate| matches!(fate, Fate::Killed(_))),
        survived: mutation.count(|fate| *fate == Fate::Survived),
        accepted: mutation.count(|fate| matches!(fate, Fate::Accepted(_))),
        equivalent: mutation.count(|fate| matches!(fate, Fate::Equivalent(_))),
        refused: mutation.count(|fate| *fate == Fate::Refused),
        rules: mutation.rules.iter().map(|rule| shown_rule(rule, sources)).collect(),
    }
}

fn shown_rule(mutated: &Mutated, sources: &Sources) -> MutatedRule {
    let count =
        |is: &dyn Fn(&Fate) -> bool| mutated.mutants.iter().filter(|(_, fate)| is(fate)).count();
    let alive = |(mutant, fate): &(Mutant, Fate)| {
        let (fate, why) = match fate {
            Fate::Survived => ("survived", mutant.wanted.clone()),
            Fate::Accepted(reason) => ("accepted", reason.clone()),
            Fate::Equivalent(why) => ("equivalent", why.clone()),
            Fate::Killed(_) | Fate::Refused => return None,
        };
        Some(Alive {
            mutant: mutant.id.clone(),
            fate,
            place: sources.location(mutant.place).to_string(),
            before: mutant.before.clone(),
            after: mutant.after.clone(),
            why,
        })
    };
    MutatedRule {
        rule: mutated.rule.to_string(),
        cases: mutated.cases,
        killed: count(&|fate| matches!(fate, Fate::Killed(_))),
        refused: count(&|fate| *fate == Fate::Refused),
        alive: mutated.mutants.iter().filter_map(alive).collect(),
    }
}
