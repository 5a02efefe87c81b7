//! What could not be judged: by the fact that would tell, so that one line can be one thing to collect.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;

use crate::finding::{Evaluation, Missing, Outcome, Severity, Verdict};
use crate::report::Run;
use crate::report::human::{Page, first_of, plural, severity_style};

pub(super) fn undecided(run: &Run<'_>, page: &mut Page) {
    let evaluation = run.evaluation;
    let open =
        || evaluation.verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Undecided);
    if open().next().is_none() {
        return;
    }
    page.line("");
    let title = page.paint("Undecided", Style::new().bold());
    page.line(&format!("{title}  facts are missing, so nobody can say; to collect:"));
    let mut said: Vec<&Verdict> = open().filter(|verdict| verdict.missing.is_empty()).collect();
    said.sort_by_key(|verdict| Reverse(evaluation.severity(verdict)));
    for verdict in said {
        reason(verdict, evaluation, page);
    }
    let mut gaps: BTreeMap<(String, &str), Gap<'_>> = BTreeMap::new();
    for (position, verdict) in open().enumerate() {
        let Some(rule) = evaluation.rule(verdict) else { continue };
        // What hangs on another rule needs nothing of its own.
        for missing in verdict.missing.iter().filter(|missing| missing.gap != "undecided-rule") {
            let (fact, object) = fact_and_object(missing);
            let gap = gaps.entry((fact, missing.gap)).or_insert_with(|| Gap::new(missing));
            gap.rules.insert((Reverse(rule.severity), &rule.id));
            gap.objects.extend(object);
            gap.reasons.insert(&missing.why);
            gap.verdicts.insert(position);
        }
    }
    let mut sorted: Vec<((String, &str), Gap<'_>)> = gaps.into_iter().collect();
    sorted.sort_by_key(|(name, gap)| (Reverse(gap.worst()), name.clone()));
    // Facts that the same verdicts wait for stand together.
    let mut shown: BTreeSet<&BTreeSet<usize>> = BTreeSet::new();
    for (_, gap) in &sorted {
        if shown.insert(&gap.verdicts) {
            gap.head(page);
            for ((fact, _), other) in sorted.iter().filter(|(_, o)| o.verdicts == gap.verdicts) {
                other.show(fact, page);
            }
        }
    }
    let waiting = open()
        .filter(|verdict| verdict.missing.iter().any(|missing| missing.gap == "undecided-rule"));
    let waiting: BTreeSet<&str> =
        waiting.filter_map(|verdict| evaluation.rule(verdict)).map(|rule| &*rule.id).collect();
    if !waiting.is_empty() {
        let rules: Vec<&str> = waiting.into_iter().collect();
        page.paragraph("  ", 4, &format!("decided once the others are: {}", rules.join(", ")));
    }
}

/// A verdict that says itself why it is open.
fn reason(verdict: &Verdict, evaluation: &Evaluation, page: &mut Page) {
    let Some(rule) = evaluation.rule(verdict) else { return };
    let severity = page.paint(rule.severity.name(), severity_style(rule.severity));
    page.line(&format!("  {severity}  {}: {}", rule.id, verdict.subject.key));
    if let Some(because) = &verdict.because {
        page.paragraph("    ", 4, because);
    }
}

/// A fact that is missing of one or more objects.
struct Gap<'a> {
    kind: &'a str,
    /// The whole path of the first of them.
    first: &'a str,
    rules: BTreeSet<(Reverse<Severity>, &'a str)>,
    objects: BTreeSet<&'a str>,
    reasons: BTreeSet<&'a str>,
    verdicts: BTreeSet<usize>,
}

impl<'a> Gap<'a> {
    fn new(missing: &'a Missing) -> Self {
        Self {
            kind: missing.gap,
            first: &missing.fact,
            rules: BTreeSet::new(),
            objects: BTreeSet::new(),
            reasons: BTreeSet::new(),
            verdicts: BTreeSet::new(),
        }
    }

    fn worst(&self) -> Option<Severity> {
        self.rules.first().map(|(Reverse(severity), _)| *severity)
    }

    fn head(&self, page: &mut Page) {
        let worst = self.worst().unwrap_or(Severity::Note);
        let severity = page.paint(worst.name(), severity_style(worst));
        let rules: Vec<&str> = self.rules.iter().map(|(_, id)| *id).collect();
        let verdicts = plural(self.verdicts.len(), "verdict");
        page.paragraph(
            &format!("  {severity}  "),
            4,
            &format!("{} ({verdicts})", rules.join(", ")),
        );
    }

    fn show(&self, fact: &str, page: &mut Page) {
        let first = self.reasons.first().copied().unwrap_or_default();
        let others = match self.reasons.len() {
            0 | 1 => String::new(),
            count => format!("; and {} more like it", count - 1),
        };
        let is_one = self.objects.len() == 1;
        let fact = if is_one { self.first } else { fact };
        let text = match self.kind {
            "failed" => format!("failed: {first}{others}"),
            _ => format!("{fact}: {first}{others}"),
        };
        page.paragraph("    ", 4, &text);
        if !self.objects.is_empty() && !is_one {
            let objects: Vec<&str> = self.objects.iter().copied().collect();
            page.paragraph("    of ", 7, &first_of(&objects));
        }
    }
}

/// `volumes[EX01/L:\\].resized_at` is `volumes[].resized_at` of `EX01/L:\\`.
fn fact_and_object(missing: &Missing) -> (String, Option<&str>) {
    let fact = &missing.fact;
    if missing.gap == "failed" {
        return (missing.why.clone(), None);
    }
    match (fact.find('['), fact.rfind("].").or_else(|| fact.ends_with(']').then(|| fact.len() - 1)))
    {
        (Some(open), Some(close)) if open < close => {
            let (before, object, after) =
                (fact.get(..open), fact.get(open + 1..close), fact.get(close..));
            let name = [before.unwrap_or_default(), "[", after.unwrap_or_default()].concat();
            (name, object.filter(|object| !object.is_empty()))
        }
        _ => (fact.clone(), None),
    }
}
