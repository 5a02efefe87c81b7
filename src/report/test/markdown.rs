//! The report on cases as a page.

use std::fmt::Write as _;
use std::io;

use crate::report::coverage::{Coverage, Share};
use crate::report::markup::{code, plain};
use crate::report::mutation::{MutatedRule, MutationReport};
use crate::report::test::TestReport;

pub(super) fn write(report: &TestReport, out: &mut dyn io::Write) -> io::Result<()> {
    let title = match (&report.mutation, &report.coverage) {
        (Some(_), Some(_)) => "Cases, coverage and mutants",
        (Some(_), None) => "Cases and mutants",
        (None, Some(_)) => "Cases and coverage",
        (None, None) => "Cases",
    };
    let mut text = format!("# {title}\n\n");
    let bad: Vec<_> = report.cases.iter().filter(|case| !case.status.is_good()).collect();
    let _ = writeln!(
        text,
        "{} of {}: {} pass, {} do not.",
        plural(report.cases.len(), "case"),
        report.judged(),
        report.cases.len() - bad.len(),
        bad.len()
    );
    for case in bad {
        let _ = writeln!(text, "\n- `{}`: {}", code(&case.name), plain(&case.title));
    }
    if let Some(coverage) = &report.coverage {
        reached(coverage, &mut text);
    }
    if let Some(mutation) = &report.mutation {
        mutants(mutation, &mut text);
    }
    out.write_all(text.as_bytes())
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// How much of each rule its cases reach, and what they miss.
fn reached(coverage: &Coverage, text: &mut String) {
    let share = |share: Share| format!("{} of {}", share.reached, share.total);
    text.push_str("\n| Rule | Cases | Outcomes | Points | Missed |\n|---|---|---|---|---|\n");
    for rule in &coverage.rules {
        let missed: Vec<String> = rule
            .points
            .iter()
            .flat_map(|point| {
                let missed = point.states.iter().filter(|state| state.is_missed());
                missed.map(|state| format!("`{}` {}", code(&point.clause), state.name))
            })
            .collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            code(&rule.id),
            rule.cases,
            share(rule.outcome_share()),
            share(rule.share()),
            missed.join(", ")
        );
    }
}

fn score(killed: usize, survived: usize) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a share is shown")]
    match killed + survived {
        0 => "-".to_owned(),
        all => format!("{:.1} %", killed as f64 * 100.0 / all as f64),
    }
}

fn mutants(mutation: &MutationReport, text: &mut String) {
    let MutationReport { killed, survived, accepted, equivalent, refused, .. } = mutation;
    let _ = writeln!(
        text,
        "\nA mutant is a rule with one slip made on purpose. {killed} mutants made a case fail, {survived} did not: \
         a score of {}. Besides them {accepted} are accepted with a reason, {equivalent} are the same rule by proof, \
         and {refused} are refused by the checker, which is not counted as a success of the cases.",
        score(*killed, *survived)
    );
    text.push_str(
        "\n| Rule | Cases | Killed | Survived | Accepted | Equivalent | Refused | Score |\n",
    );
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for rule in &mutation.rules {
        let count = |fate: &str| rule.alive.iter().filter(|alive| alive.fate == fate).count();
        let survived = count("survived");
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {survived} | {} | {} | {} | {} |",
            code(&rule.rule),
            rule.cases,
            rule.killed,
            count("accepted"),
            count("equivalent"),
            rule.refused,
            score(rule.killed, survived)
        );
    }
    let alive: Vec<&MutatedRule> =
        mutation.rules.iter().filter(|rule| !rule.alive.is_empty()).collect();
    if alive.is_empty() {
        return;
    }
    text.push_str("\n## Mutants that no case notices\n");
    for rule in alive {
        let _ = writeln!(text, "\n### {}\n", code(&rule.rule));
        for alive in &rule.alive {
            let why = match alive.fate {
                "survived" => format!("a case is missing: {}", alive.why),
                fate => format!("{fate}: {}", alive.why),
            };
            let _ = writeln!(
                text,
                "- `{}` ({}): `{}` becomes `{}`; {}",
                code(&alive.mutant),
                plain(&alive.place),
                code(&alive.before),
                code(&alive.after),
                plain(&why)
            );
        }
    }
}
