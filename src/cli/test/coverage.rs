//! `dpmguard test --coverage`.

use crate::author;
use crate::author::suite::Suite;
use crate::cli::CliError;
use crate::cli::test::{Args, has_case, tested};
use crate::diagnostic::Diagnostic;
use crate::report::coverage::{Coverage, Least};
use crate::rule::Rule;

/// What the cases reach of the tested rules; of the rules that the filtered cases are about, if some are.
pub(super) fn run(args: &Args, suite: &Suite) -> Result<Coverage, CliError> {
    let tested = tested(args, suite);
    let wanted = |rule: &Rule| {
        tested.iter().any(|known| known.id == rule.id)
            && (args.filter.is_empty() || has_case(suite, &rule.id))
    };
    let mut coverage = author::coverage::measure(suite, &wanted);
    for id in &args.annotate {
        let names = || coverage.rules.iter().map(|rule| rule.id.as_str());
        if !names().any(|known| known == id) {
            let message = format!("no tested rule is named `{id}`");
            let problem = Diagnostic::error("unknown-rule", message).suggest(id, names());
            return Err(CliError::one(problem, &suite.sources));
        }
    }
    coverage.is_brief = !args.coverage && !args.annotate.is_empty();
    coverage.annotate.clone_from(&args.annotate);
    coverage.least = Least {
        percent: args.coverage_min,
        percent_of_each: args.coverage_min_each,
        outcomes: args.outcomes_min,
    };
    Ok(coverage)
}
