//! The reference of a pack: a page for each rule, action and kind of object, made from what the tool
//! itself reads, so that it cannot say anything else.
//!
//! `text` is what pages are made of, `rule`, `action`, `functions`, `model` and `index` make them, and
//! `markdown` and `html` write them.

mod action;
mod functions;
pub mod html;
mod index;
pub mod markdown;
mod model;
mod rule;
pub mod text;

use std::sync::Arc;

use crate::author::docs::text::{
    Block, Content, Inline, Line, Page, code, code_block, joined, link, link_into, text, ticked,
};
use crate::author::needs::{Needs, Of, Use, Walker};
use crate::diagnostic::Place;
use crate::facts::model::{Kind, Model, Type};
use crate::finding::{Outcome, Reference};
use crate::rule::pack::RuleSet;
use crate::rule::{Command, Param, Rule};
use crate::source::{Node, Sources, Style, Value};

/// A case of a rule, as far as a page shows it.
#[derive(Clone, Debug)]
pub struct CaseLine {
    /// The rule.
    pub rule: String,
    /// What the case shows.
    pub title: String,
    /// Its expected outcomes, each once.
    pub expect: Vec<Outcome>,
}

impl CaseLine {
    /// Reads the case in `root`; `folder` is the name of the folder it lies in, which is its rule unless it
    /// names another. None for what is no case.
    #[must_use]
    pub fn read(root: &Node, folder: &str) -> Option<Self> {
        // Other documents may lie among the cases.
        root.get("schema")?.as_str().filter(|kind| *kind == "dpmguard.case/v1")?;
        let title = root.get("title")?.as_str()?.to_owned();
        let rule = root.get("rule").and_then(Node::as_str).unwrap_or(folder).to_owned();
        let expect = root.get("expect")?;
        let mut all = Vec::new();
        for item in expect.as_list().unwrap_or(std::slice::from_ref(expect)) {
            // What it expects of other rules stands on no page of this one.
            let is_other = item.get("rule").and_then(Node::as_str).is_some_and(|of| of != rule);
            let name = item.as_str().or_else(|| item.get("outcome")?.as_str());
            if let Some(outcome) = name.and_then(Outcome::named).filter(|_| !is_other)
                && !all.contains(&outcome)
            {
                all.push(outcome);
            }
        }
        all.sort();
        Some(Self { rule, title, expect: all })
    }
}

/// What the pages are made from.
#[derive(Debug)]
pub struct Docs<'a> {
    set: &'a RuleSet,
    model: &'a Model,
    sources: &'a Sources,
    cases: &'a [CaseLine],
    /// Folders of packs as files are named below them, and what is shown in their place.
    folders: &'a [(String, String)],
    walker: Walker<'a>,
    /// What each rule reads, in the order of the rules.
    needs: Vec<Needs>,
}

impl<'a> Docs<'a> {
    /// The pages are about these rules; files below one of `folders` are named by the text beside it.
    #[must_use]
    pub fn new(
        set: &'a RuleSet,
        model: &'a Model,
        sources: &'a Sources,
        cases: &'a [CaseLine],
        folders: &'a [(String, String)],
    ) -> Self {
        let walker = Walker::new(model, set);
        let needs = set.rules.iter().map(|rule| walker.rule(rule)).collect();
        Self { set, model, sources, cases, folders, walker, needs }
    }

    /// All pages: the index, rules, actions, functions and the fact model.
    #[must_use]
    pub fn pages(&self) -> Vec<Content> {
        let mut pages = vec![self.index()];
        for (title, rules) in self.by_cause() {
            for position in rules {
                let rule = self.set.rules.get(position);
                let section = Some(title.clone());
                pages.extend(rule.map(|rule| Content { section, ..self.rule(rule, position) }));
            }
        }
        pages.push(self.actions());
        pages.extend(self.set.actions.iter().map(|action| self.action(action)));
        pages.push(self.functions());
        pages.push(self.model_page());
        pages.extend(self.model.kinds().iter().map(|kind| self.kind(kind)));
        pages
    }

    /// Causes that have rules, with their positions; last those that belong to none.
    fn by_cause(&self) -> Vec<(String, Vec<usize>)> {
        let mut all: Vec<(Option<&str>, String)> = Vec::new();
        for cause in self.set.packs.iter().flat_map(|pack| &pack.causes) {
            if !all.iter().any(|(id, _)| *id == Some(&*cause.id)) {
                all.push((Some(&*cause.id), cause.title.clone()));
            }
        }
        let has_causes = !all.is_empty();
        all.push((None, if has_causes { "Other rules" } else { "Rules" }.to_owned()));
        let rules_of = |cause: Option<&str>| -> Vec<usize> {
            let rules = self.set.rules.iter().enumerate();
            let of = |rule: &Rule| rule.cause.as_ref().map(|(id, _)| id.as_str()) == cause;
            rules.filter(|(_, rule)| of(rule)).map(|(position, _)| position).collect()
        };
        let all = all.into_iter().map(|(id, title)| (title, rules_of(id)));
        all.filter(|(_, rules)| !rules.is_empty()).collect()
    }

    /// File and line of a place.
    fn place(&self, place: Place) -> String {
        format!("{}:{}", self.file(place), self.sources.location(place).line)
    }

    /// File of a place, without the way to the pack's folder: that differs between machines.
    fn file(&self, place: Place) -> String {
        let location = self.sources.location(place);
        let found = self.folders.iter().find_map(|(folder, shown)| {
            let below = location.file.strip_prefix(folder.as_str())?.strip_prefix('/')?;
            Some(if shown.is_empty() { below.to_owned() } else { format!("{shown}/{below}") })
        });
        found.unwrap_or(location.file)
    }

    /// An expression as it is written: a block keeps its lines.
    fn code(&self, node: &Node) -> Block {
        let written = match &node.value {
            Value::Text(_, Style::Literal | Style::Folded) => self.block(node),
            Value::Text(text, _) => Some(text.to_string()),
            _ => Some(node.to_json().to_string()),
        };
        let written = written.or_else(|| node.as_str().map(str::to_owned)).unwrap_or_default();
        code_block("rhai", &written, Some(self.place(node.place)))
    }

    /// The lines of a block scalar without their common indentation.
    fn block(&self, node: &Node) -> Option<String> {
        let source = self.sources.get(node.place.file)?.text();
        let start = usize::try_from(node.place.start).ok()?;
        let end = usize::try_from(node.place.end).ok()?;
        // The place may begin behind the first line's indentation.
        let line_start = source.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let is_indent = source.get(line_start..start)?.trim().is_empty();
        let lines: Vec<&str> = source
            .get(if is_indent { line_start } else { start }..end)?
            .trim_end()
            .lines()
            .collect();
        let indent_of = |line: &&&str| line.len() - line.trim_start_matches(' ').len();
        let full = lines.iter().filter(|line| !line.trim().is_empty());
        let indent = full.clone().map(|line| indent_of(&line)).min()?;
        let cut = lines.iter().map(|line| line.get(indent..).unwrap_or_default());
        Some(cut.collect::<Vec<_>>().join("\n"))
    }

    /// A link to a rule, if there is one of that id.
    fn rule_link(&self, id: &str) -> Inline {
        match self.set.rule(id) {
            Some(rule) => link(Page::Rule(rule.id.clone()), vec![code(id)]),
            None => code(id),
        }
    }

    /// Links to rules.
    fn rule_links(&self, positions: &[usize]) -> Line {
        let rules = positions.iter().filter_map(|position| self.set.rules.get(*position));
        joined(rules.map(|rule| vec![self.rule_link(&rule.id)]), ", ")
    }

    /// A type in words, kinds as links.
    fn type_line(&self, ty: &Type) -> Line {
        match ty {
            Type::Object(kinds) => {
                let kinds = kinds.iter().filter_map(|id| self.model.kind(*id));
                joined(kinds.map(|kind| vec![kind_link(kind)]), " or ")
            }
            Type::List(item) => [vec![text("list of ")], self.type_line(item)].concat(),
            Type::Optional(inner) => [self.type_line(inner), vec![text(" or null")]].concat(),
            Type::Record(_) => vec![text("record")],
            other => ticked(&self.model.say(other)),
        }
    }

    /// A table of parameters, and how they are set.
    fn params(&self, params: &[Param], root: &Node) -> Vec<Block> {
        let declared = |name: &str| root.get("params").and_then(|params| params.get(name));
        let rows = params.iter().map(|param| {
            let default = declared(&param.name).and_then(|node| node.get("default"));
            let default = default.map_or(param.written.clone(), |node| node.to_json().to_string());
            let mut value = vec![code(&default)];
            if param.is_set {
                value.extend([text(", set here to "), code(&param.written)]);
            }
            let help = ticked(&param.help.trim().replace('\n', " "));
            vec![vec![code(&param.name)], self.type_line(&param.ty), value, help]
        });
        let head = vec!["Name", "Type", "Default", "What it means"];
        vec![Block::Table("Parameters".to_owned(), head, rows.collect())]
    }

    /// Facts by kind.
    fn facts(&self, needs: &Needs, fits: impl Fn(Use) -> bool, with_lists: bool) -> Vec<Line> {
        let mut lines = Vec::new();
        for (of, needs) in &needs.facts {
            let fields: Vec<Line> = needs
                .fields
                .iter()
                .filter(|(_, using)| fits(**using))
                .map(|(name, using)| {
                    let mut said = vec![self.field_link(*of, name)];
                    if using.asked {
                        said.push(text(" (if known)"));
                    }
                    said
                })
                .collect();
            let is_listed = with_lists && needs.whole;
            if fields.is_empty() && !is_listed {
                continue;
            }
            let mut said = self.of_line(*of);
            if is_listed {
                said.push(text(" (the list of all)"));
            }
            if !fields.is_empty() {
                said.push(text(": "));
                said.extend(joined(fields, ", "));
            }
            lines.push(said);
        }
        lines
    }

    fn of_line(&self, of: Of) -> Line {
        match of {
            Of::Kind(id) => self.model.kind(id).map(kind_link).into_iter().collect(),
            Of::Single(position) => {
                let field = self.model.singles().get(position);
                let record = |name: &Arc<str>| {
                    link_into(Page::Model, model::record_anchor(name), vec![code(name)])
                };
                field.map(|field| record(&field.name)).into_iter().collect()
            }
        }
    }

    fn field_link(&self, of: Of, path: &str) -> Inline {
        match of {
            Of::Kind(id) => match self.model.kind(id) {
                Some(kind) => link_into(
                    Page::Kind(kind.name.clone()),
                    model::field_anchor(&kind.name, path),
                    vec![code(path)],
                ),
                None => code(path),
            },
            Of::Single(_) => code(path),
        }
    }
}

/// Sources of a claim.
fn references(references: &[Reference]) -> Block {
    let lines = references.iter().map(|reference| {
        let url = reference.url.as_deref().unwrap_or_default();
        let mut line = vec![text::link_out(url, &reference.title)];
        if let Some(date) = &reference.retrieved {
            line.push(text(&format!(" (read {date})")));
        }
        if !reference.says.is_empty() {
            line.push(text(": "));
            line.extend(ticked(reference.says.trim()));
        }
        line
    });
    text::list(lines.collect())
}

/// Command lines, each with what it is for.
fn commands(docs: &Docs<'_>, commands: &[Command], root: Option<&Node>) -> Block {
    let nodes = root.and_then(Node::as_list).unwrap_or_default();
    let items = commands.iter().enumerate().map(|(number, command)| {
        let mut blocks = vec![Block::Paragraph(vec![Inline::Strong(plain(&command.product))])];
        blocks.push(code_block("text", command.written.trim(), None));
        if let Some(when) = nodes.get(number).and_then(|node| node.get("when")) {
            blocks.push(Block::Paragraph(vec![text("where")]));
            blocks.push(docs.code(when));
        }
        blocks
    });
    Block::List(false, items.collect())
}

/// Text of a pack without what must not reach a page.
fn plain(written: &str) -> String {
    crate::report::diagnostic::clean(written)
}

/// A name as it can stand in an anchor: names of nested records may hold anything.
fn anchor_part(name: &str) -> String {
    name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

/// `a`, `b` and so on behind the names of arguments.
fn arguments(names: impl Iterator<Item = (Arc<str>, String)>) -> Line {
    joined(names.map(|(name, value)| vec![code(&name), text(" = "), code(&value)]), ", ")
}

/// An outcome as it is said.
fn outcome_word(outcome: Outcome) -> Inline {
    Inline::Word(match outcome {
        Outcome::Violated => "violated",
        Outcome::Satisfied => "satisfied",
        Outcome::NotApplicable => "not applicable",
        Outcome::Undecided => "undecided",
    })
}

/// A kind's title as a link to its page.
fn kind_link(kind: &Kind) -> Inline {
    link(Page::Kind(kind.name.clone()), vec![code(&kind.name)])
}
