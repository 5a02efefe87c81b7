//! What stands where in our documents.

use crate::author::edit::DocumentKind;

/// What a value or a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// An expression.
    Expression,
    /// Text with `${expression}` in it.
    Message,
    /// Name of a kind of object.
    Kind,
    /// Id of an action.
    Action,
    /// Id of a rule.
    Rule,
    /// Id of a rule or a `tag:`.
    RuleOrTag,
    /// Id of a cause.
    Cause,
    /// A tag.
    Tag,
    /// A bound object.
    Subject,
    /// An argument of the action beside.
    Argument,
    /// A key of the metadata.
    Metadata,
    /// A parameter of the document itself, or what is bound in it: a name that is declared here.
    Declared,
    /// A column of the table.
    Column,
    /// A source of the table.
    Source,
    /// Id of a table.
    Table,
    /// A field of the protected kind.
    StateField,
    /// A value of that field.
    State,
    /// Id of a rule or action that has parameters.
    Configured,
    /// A parameter of the rule or action above.
    Setting,
    /// A parameter of the action that is its place.
    Place,
    /// A path to a fact.
    Fact,
    /// Key of an object of the case's facts.
    Key,
    /// A fact file that a case starts from.
    Base,
    /// A type of the overlay.
    Definition,
    /// Anything else: the schema knows.
    Plain,
}

/// What the value at a path is.
pub(super) fn value(kind: DocumentKind, path: &[&str]) -> Slot {
    match kind {
        DocumentKind::Rule => in_rule(path),
        DocumentKind::Action => in_action(path),
        DocumentKind::Table => match path {
            ["codes"] | ["key", "*"] => Slot::Column,
            ["rows", "*", "source"] => Slot::Source,
            _ => Slot::Plain,
        },
        DocumentKind::Pack => match path {
            ["protection", "kind"] | ["protection", "repair_order", "*"] => Slot::Kind,
            ["protection", "state"] => Slot::StateField,
            ["protection", "good" | "bad" | "busy", "*"] => Slot::State,
            ["metadata", _, "table"] => Slot::Table,
            _ => Slot::Plain,
        },
        DocumentKind::Config => match path {
            ["only" | "skip", "*"] => Slot::RuleOrTag,
            _ => Slot::Plain,
        },
        DocumentKind::Case => match path {
            ["patch", "*", "set" | "remove" | "add"] => Slot::Fact,
            ["rule"] | ["expect", "*", "rule"] => Slot::Rule,
            ["action"] | ["plan", "*", "action"] => Slot::Action,
            ["expect", "*", "subject"] => Slot::Key,
            ["base"] => Slot::Base,
            _ => Slot::Plain,
        },
        DocumentKind::Model => match path {
            [.., "x-ref"] | [.., "x-ref", "*"] | [.., "x-within", "kind"] => Slot::Kind,
            [.., "$ref"] => Slot::Definition,
            _ => Slot::Plain,
        },
        DocumentKind::Mutants => match path {
            [.., "rule"] => Slot::Rule,
            _ => Slot::Plain,
        },
        // Facts are not at hand, so what a plan says of objects is not offered.
        DocumentKind::Plan => match path {
            ["steps", .., "action"] => Slot::Action,
            _ => Slot::Plain,
        },
        DocumentKind::Facts | DocumentKind::Script | DocumentKind::Other => Slot::Plain,
    }
}

/// What the key at the end of a path is.
pub(super) fn key(kind: DocumentKind, path: &[&str]) -> Slot {
    match (kind, path) {
        (DocumentKind::Rule, ["max_age", _]) => Slot::Kind,
        (DocumentKind::Rule, ["metadata", _]) => Slot::Metadata,
        (DocumentKind::Rule, ["remediation", "*", "with", _])
        | (DocumentKind::Plan, ["steps", .., "with", _])
        | (DocumentKind::Case, ["with", _] | ["plan", "*", "with", _]) => Slot::Argument,
        (DocumentKind::Rule | DocumentKind::Action, ["params", _] | ["let", "*", _])
        | (DocumentKind::Table, ["columns" | "sources", _]) => Slot::Declared,
        (DocumentKind::Table, ["rows", "*", _]) => Slot::Column,
        (DocumentKind::Config, ["params", _]) => Slot::Configured,
        (DocumentKind::Config, ["params", _, _]) | (DocumentKind::Case, ["params", _]) => {
            Slot::Setting
        }
        _ => Slot::Plain,
    }
}

fn in_rule(path: &[&str]) -> Slot {
    match path {
        ["violated"]
        | ["select", "*", "in" | "from" | "where"]
        | ["let", "*", _]
        | ["require", "*", "that"]
        | ["finding", "evidence" | "fingerprint", "*"]
        | ["finding", "affects"]
        | ["consequence", "*", "in" | "set" | "to"]
        | ["remediation", "*", "in" | "when" | "unless"]
        | ["remediation", "*", "with", _]
        | ["remediation", "*", "commands", "*", "when"]
        | ["withholds", "*", "at" | "when"] => Slot::Expression,
        ["select", "*", "if_none", "because"]
        | ["require", "*", "else", "because"]
        | ["finding", "message"]
        | ["remediation", "*", "do"]
        | ["remediation", "*", "commands", "*", "run"]
        | ["withholds", "*", "because"] => Slot::Message,
        ["select", "*", "of"] => Slot::Kind,
        ["select", "*", "each" | "one"] | ["remediation" | "consequence", "*", "each"] => {
            Slot::Declared
        }
        ["select", "*", "if_none", "see"] | ["require", "*", "else", "see"] => Slot::Rule,
        ["remediation" | "withholds", "*", "action"] => Slot::Action,
        ["finding", "subject"] => Slot::Subject,
        ["cause"] => Slot::Cause,
        ["tags", "*"] => Slot::Tag,
        _ => Slot::Plain,
    }
}

fn in_action(path: &[&str]) -> Slot {
    match path {
        ["let", "*", _]
        | ["commands", "*", "when"]
        | ["duration", "best" | "expected" | "worst"] => Slot::Expression,
        ["do"] | ["commands", "*", "run"] | ["duration", "because"] => Slot::Message,
        ["params", _, "ref"] | ["params", _, "ref", "*"] => Slot::Kind,
        ["at"] => Slot::Place,
        _ => Slot::Plain,
    }
}
