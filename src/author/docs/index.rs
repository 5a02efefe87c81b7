//! The index: rules by cause and by tag.

use std::collections::BTreeMap;

use crate::author::docs::text::{
    Block, Content, Inline, Line, Page, code, heading, joined, link, list, paragraph, text,
};
use crate::author::docs::{Docs, anchor_part};
use crate::finding::Severity;

/// Where the rules of a cause are listed.
pub(super) fn cause_anchor(id: &str) -> String {
    format!("cause-{}", anchor_part(id))
}

/// Where the rules with a tag are listed.
pub(super) fn tag_anchor(tag: &str) -> String {
    format!("tag-{}", anchor_part(tag))
}

impl Docs<'_> {
    /// The index.
    pub(super) fn index(&self) -> Content {
        let mut blocks = vec![paragraph(self.summary())];
        blocks.push(paragraph(vec![
            text("See also the "),
            link(Page::Actions, vec![text("actions")]),
            text(" that rules name as steps of a repair, the "),
            link(Page::Functions, vec![text("functions")]),
            text(" that their expressions call, and the "),
            link(Page::Model, vec![text("facts")]),
            text(" that they read."),
        ]));
        blocks.push(list(self.packs()));
        if self.set.rules.is_empty() {
            blocks.push(paragraph(vec![text("There are no rules.")]));
        }
        for (title, rules) in self.by_cause() {
            let first = rules.first().and_then(|position| self.set.rules.get(*position));
            let anchor = first.and_then(|rule| rule.cause.as_ref()).map(|(id, _)| cause_anchor(id));
            blocks.push(Block::Heading(2, anchor, vec![text(&title)]));
            let rows = rules.iter().filter_map(|position| self.row(*position));
            let head = vec!["Rule", "Id", "Severity", "Certainty"];
            blocks.push(Block::Table(title, head, rows.collect()));
        }
        self.by_tag(&mut blocks);
        Content { page: Page::Index, title: vec![text("Rules")], blocks, section: None }
    }

    fn summary(&self) -> Line {
        let count =
            |severity| self.set.rules.iter().filter(|rule| rule.severity == severity).count();
        let severities = [Severity::Error, Severity::Warning, Severity::Note];
        let counts = severities.map(|severity| {
            vec![
                text(&format!("{} of the severity ", count(severity))),
                Inline::Word(severity.name()),
            ]
        });
        let all = self.set.rules.len();
        let mut line = vec![text(&format!("{all} rule{}: ", if all == 1 { "" } else { "s" }))];
        line.extend(joined(counts, ", "));
        line.push(text("."));
        line
    }

    fn packs(&self) -> Vec<Line> {
        let used = |position: usize| {
            let rules = self.set.rules.iter().any(|rule| rule.pack == position);
            rules || self.set.actions.iter().any(|action| action.pack == position)
        };
        let packs = self.set.packs.iter().enumerate().filter(|(position, _)| used(*position));
        let lines = packs.map(|(_, pack)| {
            let mut line = vec![text("Pack "), Inline::Strong(super::plain(&pack.name))];
            line.push(text(&format!(", version {}", pack.version)));
            if !pack.title.is_empty() {
                line.extend([text(": "), text(&pack.title)]);
            }
            line
        });
        lines.collect()
    }

    fn row(&self, position: usize) -> Option<Vec<Line>> {
        let rule = self.set.rules.get(position)?;
        Some(vec![
            vec![link(Page::Rule(rule.id.clone()), vec![text(&rule.title)])],
            vec![code(&rule.id)],
            vec![Inline::Word(rule.severity.name())],
            vec![text(&rule.certainty)],
        ])
    }

    fn by_tag(&self, blocks: &mut Vec<Block>) {
        let mut tags: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, rule) in self.set.rules.iter().enumerate() {
            for tag in &rule.tags {
                tags.entry(tag).or_default().push(position);
            }
        }
        if tags.is_empty() {
            return;
        }
        blocks.push(heading("By tag"));
        blocks.push(paragraph(vec![
            text("Rules can be chosen by tag: "),
            code("--only tag:<tag>"),
            text(". A rule with a consequence for the facts has the tag "),
            code("cause"),
            text(" by itself."),
        ]));
        for (tag, rules) in tags {
            blocks.push(Block::Heading(3, Some(tag_anchor(tag)), vec![code(tag)]));
            blocks.push(paragraph(self.rule_links(&rules)));
        }
    }
}
