//! The pages of the fact model.

use std::collections::BTreeMap;

use crate::author::docs::text::{
    Block, Content, Inline, Line, Page, code, heading, joined, link, link_into, list, paragraph,
    text, ticked,
};
use crate::author::docs::{Docs, anchor_part, kind_link};
use crate::author::needs::Of;
use crate::facts::model::{Field, Kind, Origin, Record, Type};
use crate::rule::Binding;

/// Where a field stands on its kind's page.
pub(super) fn field_anchor(kind: &str, path: &str) -> String {
    format!("kind-{kind}-{}", anchor_part(&path.replace('.', "-")))
}

/// Where a record that stands once is described.
pub(super) fn record_anchor(name: &str) -> String {
    format!("record-{}", anchor_part(name))
}

impl Docs<'_> {
    /// The list of kinds, and the records that stand once in the facts.
    pub(super) fn model_page(&self) -> Content {
        let mut blocks = vec![paragraph(vec![text(
            "What facts can say: the kinds of object with their fields. A field that is left out was not \
             collected and is not known; null was collected and has no value.",
        )])];
        let rows = self.model.kinds().iter().map(|kind| {
            let description = ticked(&kind.description);
            vec![vec![kind_link(kind)], vec![code(&kind.collection)], key(kind), description]
        });
        let head = vec!["Kind", "Collection", "Key", "What it is"];
        blocks.push(Block::Table("Kinds of object".to_owned(), head, rows.collect()));
        for (position, single) in self.model.singles().iter().enumerate() {
            let anchor = record_anchor(&single.name);
            blocks.push(Block::Heading(2, Some(anchor), vec![code(&single.name)]));
            if !single.description.is_empty() {
                blocks.push(paragraph(ticked(&single.description)));
            }
            blocks.push(paragraph(vec![text("A record that stands once in the facts.")]));
            if let Type::Record(record) = single.ty.required() {
                let mut rows = Vec::new();
                self.fields(&record.fields, "", None, &mut rows);
                blocks.push(fields_table("Fields", rows));
            }
            self.readers(Of::Single(position), 3, &mut blocks);
        }
        Content { page: Page::Model, title: vec![text("Facts")], blocks, section: None }
    }

    /// The page of a kind.
    pub(super) fn kind(&self, kind: &Kind) -> Content {
        let mut blocks = Vec::new();
        if !kind.description.is_empty() {
            blocks.push(paragraph(ticked(&kind.description)));
        }
        blocks.push(list(vec![
            vec![text("Kind: "), code(&kind.name)],
            vec![text("Collection: "), code(&kind.collection)],
            [vec![text("Key: ")], key(kind)].concat(),
        ]));
        blocks.push(heading("Fields"));
        let mut rows = Vec::new();
        self.fields(&kind.record.fields, "", Some(&kind.name), &mut rows);
        blocks.push(fields_table("Fields", rows));
        self.derived(kind, &mut blocks);
        self.judging(kind, &mut blocks);
        self.readers(Of::Kind(kind.id), 2, &mut blocks);
        let title = if kind.title.is_empty() { &*kind.name } else { &kind.title };
        Content {
            page: Page::Kind(kind.name.clone()),
            title: vec![text(title)],
            blocks,
            section: None,
        }
    }

    /// A row for each field that is read from the facts; records are followed.
    fn fields(&self, fields: &[Field], path: &str, kind: Option<&str>, rows: &mut Vec<Vec<Line>>) {
        for field in fields {
            if is_derived(field) {
                continue;
            }
            let name = if path.is_empty() {
                field.name.to_string()
            } else {
                format!("{path}.{}", field.name)
            };
            let mut ty = self.type_line(&field.ty);
            if let Some(unit) = &field.unit {
                ty.extend([text(", in "), text(&unit.replace('_', " "))]);
            }
            let mut said = ticked(&field.description);
            if let Origin::Reference { scope } = &field.origin
                && !scope.is_empty()
            {
                let scope = joined(scope.iter().map(|name| vec![code(name)]), ", ");
                said.push(text(" Looked for within "));
                said.extend(scope);
                said.push(text("."));
            }
            if field.may_leave {
                said.push(text(" May name something that the facts have no object for."));
            }
            let source = field.source.as_deref().unwrap_or_default();
            rows.push(vec![vec![named(kind, &name)], ty, said, vec![text(source)]]);
            if let Some(record) = record_in(&field.ty) {
                self.fields(&record.fields, &name, kind, rows);
            }
        }
    }

    /// Fields that follow from other facts.
    fn derived(&self, kind: &Kind, blocks: &mut Vec<Block>) {
        let rows = kind.record.fields.iter().filter(|field| is_derived(field)).map(|field| {
            let name = named(Some(&kind.name), &field.name);
            vec![vec![name], self.type_line(&field.ty), self.follows(kind, field)]
        });
        let rows: Vec<Vec<Line>> = rows.collect();
        if !rows.is_empty() {
            blocks.push(heading("Follows from other facts"));
            blocks.push(paragraph(vec![text(
                "Expressions can use these; they do not stand in fact files.",
            )]));
            let head = vec!["Field", "Type", "What it is"];
            blocks.push(Block::Table("Fields that follow from others".to_owned(), head, rows));
        }
    }

    fn follows(&self, kind: &Kind, field: &Field) -> Line {
        match &field.origin {
            Origin::Inverse { kind: other, field } => {
                let Some(other) = self.model.kind(*other) else { return Line::new() };
                let name = other.record.fields.get(*field).map_or("", |field| &field.name);
                let anchor = field_anchor(&other.name, name);
                let link = link_into(Page::Kind(other.name.clone()), anchor, vec![code(name)]);
                vec![text("Every "), kind_link(other), text(" whose "), link, text(" is this one.")]
            }
            Origin::Within { path, matching, .. } => {
                let here = kind.record.fields.get(*path).map_or("", |field| &field.name);
                let Type::Object(others) = field.ty.required() else { return Line::new() };
                let other = others.first().and_then(|id| self.model.kind(*id));
                let Some(other) = other else { return Line::new() };
                let there = other.record.fields.get(*matching).map_or("", |field| &field.name);
                vec![
                    text("The "),
                    kind_link(other),
                    text(" on which "),
                    code(here),
                    text(" lies: the one with the longest "),
                    code(there),
                    text(" that it begins with."),
                ]
            }
            _ => ticked(&field.description),
        }
    }

    /// Rules whose first object is of the kind, and actions done at it.
    fn judging(&self, kind: &Kind, blocks: &mut Vec<Block>) {
        let name = vec![kind.id];
        let is_it =
            |ty: &Type| matches!(ty.required(), Type::Object(kinds) if kinds.contains(&kind.id));
        let rules = self.set.rules.iter().enumerate().filter(|(_, rule)| {
            rule.select.iter().any(|binding| {
                let (slot, list) = match binding {
                    Binding::Each { slot, list, .. } => (*slot, list),
                    Binding::One { slot, from, .. } => (*slot, from),
                };
                let item = match &list.ty {
                    Type::List(item) => item,
                    other => other,
                };
                slot == rule.finding.subject
                    && matches!(item.required(), Type::Object(kinds) if **kinds == *name)
            })
        });
        let rules: Vec<usize> = rules.map(|(position, _)| position).collect();
        if !rules.is_empty() {
            blocks.push(heading("Rules about it"));
            blocks.push(paragraph(self.rule_links(&rules)));
        }
        let at = self
            .set
            .actions
            .iter()
            .filter(|action| action.args.get(action.at).is_some_and(|arg| is_it(&arg.ty)));
        let links =
            at.map(|action| vec![link(Page::Action(action.id.clone()), vec![text(&action.title)])]);
        let links = joined(links, "; ");
        if !links.is_empty() {
            blocks.push(heading("Actions at it"));
            blocks.push(paragraph(links));
        }
    }

    /// Which rules read which field: they are undecided where it was not collected.
    fn readers(&self, of: Of, level: u8, blocks: &mut Vec<Block>) {
        let mut by_field: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (position, needs) in self.needs.iter().enumerate() {
            for (name, using) in needs.facts.get(&of).into_iter().flat_map(|needs| &needs.fields) {
                if using.decides {
                    by_field.entry(name).or_default().push(position);
                }
            }
        }
        if by_field.is_empty() {
            return;
        }
        blocks.push(Block::Heading(level, None, vec![text("Which rules read it")]));
        blocks.push(paragraph(vec![text(
            "The verdicts of these rules can hang on the field; without it they may be undecided.",
        )]));
        let rows = by_field
            .into_iter()
            .map(|(name, rules)| vec![vec![code(name)], self.rule_links(&rules)]);
        let head = vec!["Field", "Rules"];
        blocks.push(Block::Table("Rules by field".to_owned(), head, rows.collect()));
    }
}

fn fields_table(title: &str, rows: Vec<Vec<Line>>) -> Block {
    let head = vec!["Field", "Type", "What it is", "Where it comes from"];
    Block::Table(title.to_owned(), head, rows)
}

fn is_derived(field: &Field) -> bool {
    matches!(field.origin, Origin::Inverse { .. } | Origin::Within { .. })
}

/// The record that a value or the members of a list are.
fn record_in(ty: &Type) -> Option<&Record> {
    match ty {
        Type::Record(record) => Some(record),
        Type::List(inner) | Type::Optional(inner) => record_in(inner),
        _ => None,
    }
}

fn key(kind: &Kind) -> Line {
    let parts = kind.key.iter().filter_map(|(field, is_optional)| {
        let name = &kind.record.fields.get(*field)?.name;
        let mut part = vec![code(name)];
        if *is_optional {
            part.push(text(" (may be left out)"));
        }
        Some(part)
    });
    joined(parts, " / ")
}

/// A field's name, which links can lead to.
fn named(kind: Option<&str>, path: &str) -> Inline {
    match kind {
        Some(kind) => Inline::Anchor(field_anchor(kind, path), path.to_owned()),
        None => code(path),
    }
}
