//! The gate: a threshold and its answer.
//!
//! The one place that decides whether a run passed; every command and every format asks it.

use crate::finding::{Evaluation, Outcome, Severity};

/// From which severity on a finding fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// Findings of this severity or a higher one fail the run.
    From(Severity),
    /// No finding fails the run.
    Never,
}

impl Threshold {
    /// As it is written in options and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::From(severity) => severity.name(),
            Self::Never => "never",
        }
    }

    /// The threshold of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "never" => Some(Self::Never),
            other => Severity::named(other).map(Self::From),
        }
    }

    /// Whether something of that severity fails the run.
    #[must_use]
    pub fn reached(self, severity: Severity) -> bool {
        match self {
            Self::From(threshold) => severity >= threshold,
            Self::Never => false,
        }
    }
}

/// Whether a run passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing at or over the threshold.
    Passed,
    /// A finding at or over the threshold.
    Failed,
    /// Nothing was judged, or facts are missing where a finding at or over the threshold hangs on them.
    NoVerdict,
}

impl Verdict {
    /// As it is written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NoVerdict => "no_verdict",
        }
    }

    /// The process's exit code; 2 is for broken inputs, which get no verdict at all.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Passed => 0,
            Self::Failed => 1,
            Self::NoVerdict => 3,
        }
    }
}

/// The verdict on severities of what was found, and on whether something could not be judged.
#[must_use]
pub fn decide(
    mut found: impl Iterator<Item = Severity>,
    is_unknown: bool,
    threshold: Threshold,
) -> Verdict {
    if found.any(|severity| threshold.reached(severity)) {
        Verdict::Failed
    } else if is_unknown {
        Verdict::NoVerdict
    } else {
        Verdict::Passed
    }
}

/// The gate's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether the run passed.
    pub verdict: Verdict,
    /// The threshold.
    pub threshold: Threshold,
    /// Why, in one sentence.
    pub reason: String,
}

/// Answers for an evaluation of that many fact files.
#[must_use]
pub fn answer(evaluation: &Evaluation, threshold: Threshold, files: usize) -> Answer {
    let count = |outcome: Outcome| {
        let reached = |verdict: &&crate::finding::Verdict| {
            verdict.outcome == outcome && threshold.reached(evaluation.severity(verdict))
        };
        evaluation.verdicts.iter().filter(reached).count()
    };
    let tally = evaluation.tally();
    let (failing, open) = (count(Outcome::Violated), count(Outcome::Undecided));
    let over = |noun: &str, count: usize| {
        format!(
            "{count} {noun}{} at or over `{}`",
            if count == 1 { "" } else { "s" },
            threshold.name()
        )
    };
    let (verdict, reason) = if failing > 0 {
        (Verdict::Failed, over("finding", failing))
    } else if files == 0 {
        (Verdict::NoVerdict, "no fact file was found, so nothing was judged".to_owned())
    } else if evaluation.rules.is_empty() {
        (Verdict::NoVerdict, "no rule was selected, so nothing was judged".to_owned())
    } else if tally.total() == 0 {
        let reason = "nothing was judged: the rules found no object in the facts";
        (Verdict::NoVerdict, reason.to_owned())
    } else if tally.violated + tally.satisfied == 0 {
        let reason = match tally.undecided {
            0 => "nothing was judged: no rule applies to any object in the facts",
            _ => "nothing could be decided: facts are missing everywhere",
        };
        (Verdict::NoVerdict, reason.to_owned())
    } else if open > 0 {
        let reason = format!("facts are missing for {}", over("possible finding", open));
        (Verdict::NoVerdict, reason)
    } else {
        let reason = match threshold {
            Threshold::Never => "no finding fails a run with the threshold `never`".to_owned(),
            Threshold::From(severity) => {
                format!("nothing at or over `{severity}`, and nothing left open there")
            }
        };
        (Verdict::Passed, reason)
    };
    Answer { verdict, threshold, reason }
}

#[cfg(test)]
mod tests {
    use super::{Threshold, Verdict, answer};
    use crate::finding::{Evaluation, JudgedRule, Outcome, Severity, Subject, Tally};

    fn evaluation(verdicts: &[(Severity, Outcome)]) -> Evaluation {
        let mut evaluation = Evaluation::default();
        for (number, (severity, outcome)) in verdicts.iter().enumerate() {
            evaluation.rules.push(JudgedRule {
                id: format!("rule-{number}").into(),
                title: String::new(),
                severity: *severity,
                certainty: "documented".to_owned(),
                explanation: String::new(),
                tags: Vec::new(),
                cause: None,
                metadata: Vec::new(),
                references: Vec::new(),
                tally: Tally::default(),
            });
            evaluation.verdicts.push(crate::finding::Verdict {
                rule: number,
                subject: Subject { kind: "thing".into(), key: "a".into() },
                outcome: *outcome,
                because: None,
                see: None,
                missing: Vec::new(),
                finding: None,
            });
        }
        evaluation
    }

    fn code(verdicts: &[(Severity, Outcome)], threshold: &str) -> u8 {
        let threshold = Threshold::named(threshold).unwrap();
        answer(&evaluation(verdicts), threshold, 1).verdict.exit_code()
    }

    use Outcome::{NotApplicable, Satisfied, Undecided, Violated};
    use Severity::{Error, Note, Warning};

    #[test]
    fn the_worst_at_or_over_the_threshold_decides() {
        assert_eq!(code(&[(Error, Violated), (Error, Undecided)], "error"), 1);
        assert_eq!(code(&[(Warning, Violated), (Error, Satisfied)], "error"), 0);
        assert_eq!(code(&[(Warning, Violated), (Error, Satisfied)], "warning"), 1);
        assert_eq!(code(&[(Error, Satisfied), (Error, Undecided)], "error"), 3);
        assert_eq!(code(&[(Error, Satisfied), (Note, Undecided)], "warning"), 0);
        assert_eq!(code(&[(Error, Violated)], "never"), 0);
    }

    /// A run that checked nothing must not be green.
    #[test]
    fn a_run_that_judged_nothing_has_no_verdict() {
        assert_eq!(code(&[], "note"), 3);
        assert_eq!(code(&[(Error, NotApplicable)], "error"), 3);
        assert_eq!(code(&[(Error, Undecided)], "never"), 3);
        let mut bound_to_nothing = evaluation(&[(Error, Satisfied)]);
        bound_to_nothing.verdicts.clear();
        let no_file = super::answer(&evaluation(&[(Error, Satisfied)]), Threshold::Never, 0);
        assert_eq!(no_file.verdict, Verdict::NoVerdict);
        let answer = answer(&bound_to_nothing, Threshold::From(Severity::Error), 1);
        assert_eq!(answer.verdict, Verdict::NoVerdict);
        assert!(answer.reason.contains("found no object"));
    }
}
