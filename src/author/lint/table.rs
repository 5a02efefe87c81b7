//! The checks: what each is called, how bad what it finds is, and why it is looked for.

use crate::finding::Severity;
use crate::report::lint::{Check, LooksAt};

/// The check of that name.
#[must_use]
pub fn named(id: &str) -> Option<&'static Check> {
    CHECKS.iter().find(|check| check.id == id)
}

const fn check(
    id: &'static str,
    severity: Severity,
    title: &'static str,
    explanation: &'static str,
) -> Check {
    Check { id, severity, title, explanation, looks_at: LooksAt::Rule, is_fixable: false }
}

const fn by_cases(check: Check) -> Check {
    Check { looks_at: LooksAt::Cases, ..check }
}

const fn fixable(check: Check) -> Check {
    Check { is_fixable: true, ..check }
}

/// All checks, by name.
pub static CHECKS: &[Check] = &[
    by_cases(check(
        "always-true",
        Severity::Note,
        "A guard is true in every case",
        "A `where` or `require` that no case makes false could be left out, and all cases would still \
         pass: nothing shows that it does what it is there for. Add a case that it turns away.",
    )),
    check(
        "always-violated",
        Severity::Error,
        "The rule is violated by every object that it looks at",
        "No guard turns anything away, and `violated` cannot be false. Such a rule says nothing about \
         the facts. Look for a condition that covers all values.",
    ),
    check(
        "check-before-fix",
        Severity::Warning,
        "A step checks before a later one repairs",
        "Steps are taken in the order in which they stand. A check that runs before the cause is gone \
         is wasted, and may take hours. Move the steps of role `fix` and `change` before it. Actions that \
         say `after_check` belong behind the check.",
    ),
    check(
        "comment-cuts-text",
        Severity::Warning,
        "A text ends at ` #`",
        "In text without quotes YAML takes everything from a blank and `#` on for a comment. The \
         message or expression ends there, without a word. Quote the text, or put two blanks before \
         what is meant as a comment.",
    ),
    check(
        "consequence-without-check",
        Severity::Warning,
        "What becomes inconsistent is not checked again",
        "The rule says that it spoils the protected state of an object, and no step of its remediation \
         is a check. Once the cause is gone the object stays as it is until one has run.",
    ),
    check(
        "dead-part",
        Severity::Warning,
        "A part of a condition can never be true",
        "One side of an `||` contradicts itself, or what the clauses before it have established. \
         Either the part is a leftover, or one of the two says something that was not meant.",
    ),
    check(
        "documented-without-url",
        Severity::Note,
        "A documented claim names no document that can be opened",
        "`certainty: documented` lets a rule stop a change. Whoever is stopped wants to read the source: \
         give one of the references a `url`.",
    ),
    check(
        "evidence-beside-the-point",
        Severity::Warning,
        "The evidence shows nothing that the condition reads",
        "Evidence is what a verdict rests on. None of the facts that the rule's clauses read is among \
         it, so that a reader cannot see why the rule is violated.",
    ),
    by_cases(check(
        "fingerprint-not-unique",
        Severity::Warning,
        "Two findings of one subject have the same fingerprint",
        "A waiver or a baseline holds a finding by its fingerprint. In a case two different findings of \
         one subject share one: to accept the first is to accept the second unseen. Name under \
         `fingerprint` what tells them apart.",
    )),
    check(
        "id-not-stem",
        Severity::Error,
        "The id is not the name of the file",
        "Rules are found by their file's name. One of the two is a slip.",
    ),
    check(
        "left-to-do",
        Severity::Note,
        "A text says that it is still to be written",
        "`dpmguard new rule` writes `TODO` where only the author knows what to say. Whoever reads the report, \
         or looks for the source of the claim, should not find it there.",
    ),
    check(
        "load",
        Severity::Error,
        "A file of the pack cannot be read",
        "The loader refuses it. Other files are looked at all the same; a rule in this one is not.",
    ),
    check(
        "lone-tag",
        Severity::Note,
        "A tag that no other rule has is spelled almost like one that others have",
        "Tags pick rules (`--only tag:...`), and `any_violated` asks for them. A tag with a slip in it \
         picks nothing.",
    ),
    check(
        "max-age-unread",
        Severity::Warning,
        "A limit of age is for facts that the rule never reads",
        "`max_age` makes old facts of a kind count as not known. The rule reads no fact of that kind, so \
         that the limit does nothing; perhaps another kind was meant.",
    ),
    check(
        "message-names-stranger",
        Severity::Note,
        "The message names an object that the finding is not about",
        "It is neither the subject, nor among the evidence, nor what the condition reads. The reader is \
         sent to the wrong place.",
    ),
    check(
        "message-without-subject",
        Severity::Warning,
        "The message does not name the subject",
        "A report lists many findings of a rule. A message that says neither which object is meant, nor \
         one that leads to it, fits all of them.",
    ),
    by_cases(check(
        "missing-case",
        Severity::Warning,
        "An outcome that the rule can have comes about in no case",
        "Of each rule it should be shown when it is violated, when it is satisfied, when it does not \
         apply and what makes it undecided. `dpmguard test --coverage` shows what else no case reaches.",
    )),
    check(
        "missing-dollar",
        Severity::Warning,
        "A name in braces without `$`",
        "`{server.name}` is printed as it stands; `${server.name}` prints the value.",
    ),
    check(
        "never-violated",
        Severity::Error,
        "The rule can never be violated",
        "Its clauses contradict each other: no facts make all of them true. Found by reasoning about \
         enumerations, null, numbers and comparisons; the clauses that suffice for the contradiction are \
         shown.",
    ),
    check(
        "params-without-bounds",
        Severity::Note,
        "A threshold can be set to any number",
        "A number that facts are compared with has neither `minimum` nor `maximum`. A slip in a \
         configuration (minutes for hours, a sign) then switches the rule off without a word.",
    ),
    check(
        "redundant-clause",
        Severity::Warning,
        "A guard cannot be false",
        "Whenever this `where` or `require` is asked, the clauses before it have made sure of it. Its \
         `else` is never said. Either it is a leftover, or one of the clauses says something that was \
         not meant.",
    ),
    check(
        "reference-without-date",
        Severity::Note,
        "A page on the net has no date",
        "Pages change. `retrieved` says when the page said what the reference says.",
    ),
    Check {
        looks_at: LooksAt::Rules,
        ..check(
            "rules-overlap",
            Severity::Warning,
            "Two rules say the same",
            "Both have subjects of one kind and show the same facts, and in all cases of both they are \
             violated by the same objects. One of them is too many, or neither has a case that shows the \
             difference.",
        )
    },
    check(
        "same-sides",
        Severity::Error,
        "Both sides of a comparison are the same",
        "A value is equal to itself, whatever it is; one of the sides was meant to be another. The same \
         goes for a part that stands twice in one `&&` or `||`.",
    ),
    check(
        "severity-over-certainty",
        Severity::Error,
        "The rule is more severe than its certainty allows",
        "What is inferred is a warning at most, a guess a note: no change is stopped by something that \
         nobody documented.",
    ),
    check(
        "suspicious-unit",
        Severity::Warning,
        "A number has another unit than what it is compared with",
        "The fact model gives numbers their units. Bytes are compared with seconds, a percentage with a \
         number beyond 100 or below 1, bytes with a few thousand, or seconds with millions. `gb()`, \
         `hours()`, `days()` and `minutes()` say what is meant.",
    ),
    check(
        "unread-select",
        Severity::Note,
        "A bound object is never looked at",
        "`each` gives every member a verdict, `one` asks that there is one; the rule then says nothing of \
         it. To ask for existence, write a `require`.",
    ),
    check(
        "unused-allowance",
        Severity::Warning,
        "An exception that is not needed",
        "`lint: { allow: ... }` names a check that finds nothing here, or that does not exist.",
    ),
    fixable(check(
        "unused-let",
        Severity::Warning,
        "A value is named and never used",
        "It is a leftover, or another name stands where this one was meant.",
    )),
    fixable(check(
        "unused-param",
        Severity::Warning,
        "A parameter changes nothing",
        "Users can set it, and nothing in the rule reads it.",
    )),
];

#[cfg(test)]
mod tests {
    use super::CHECKS;

    #[test]
    fn checks_are_sorted_and_speak_in_sentences() {
        for pair in CHECKS.windows(2) {
            assert!(pair[0].id < pair[1].id, "{}", pair[1].id);
        }
        for check in CHECKS {
            assert!(check.explanation.ends_with('.'), "{}", check.id);
            assert!(!check.title.ends_with('.'), "{}", check.id);
        }
    }
}
