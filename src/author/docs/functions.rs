//! The page of functions: the tool's own, the methods of lists, and those of the packs.

use std::sync::Arc;

use crate::author::docs::text::{
    Block, Content, Inline, Line, Page, code, heading, link_into, paragraph, text, ticked,
};
use crate::author::docs::{Docs, anchor_part};
use crate::expr::check::Signature;
use crate::expr::functions::{FUNCTIONS, Function};
use crate::expr::tree::ListMethod;

/// What is part of the language and neither function nor method.
const SPECIAL: [(&str, &str); 5] = [
    ("known(fact)", "Whether a fact is known; true for null too."),
    ("object.get(\"field\", other)", "A field, or the other value if it was not collected."),
    (
        "any_violated(\"tag\", object)",
        "Whether a rule with that tag is violated with the object as its subject or among what it harms.",
    ),
    ("now", "The instant of the run."),
    ("params", "The parameters of the rule, the settings of the action."),
];

/// A link to a function of a pack.
pub(super) fn script_link(docs: &Docs<'_>, pack: usize, name: &Arc<str>) -> Inline {
    let said = vec![code(name)];
    match docs.set.packs.get(pack) {
        Some(_) => link_into(Page::Functions, anchor(pack, name), said),
        None => code(name),
    }
}

/// Names of functions are checked by the parser; packs are told apart by their positions.
fn anchor(pack: usize, name: &str) -> String {
    format!("function-{}-{}", pack + 1, anchor_part(name))
}

impl Docs<'_> {
    /// The page of functions.
    pub(super) fn functions(&self) -> Content {
        let mut blocks = vec![paragraph(vec![text(
            "What expressions in rules and actions can call. A parameter of the type text takes names, paths, \
             versions and permitted values too.",
        )])];
        self.of_packs(&mut blocks);
        blocks.push(heading("Functions"));
        blocks.push(paragraph(ticked(
            "Each can be written as a method too: `len(text)` is `text.len()`.",
        )));
        let rows = FUNCTIONS.iter().map(host).collect();
        blocks.push(Block::Table(
            "Functions".to_owned(),
            vec!["Function", "Gives", "What it does"],
            rows,
        ));
        blocks.push(heading("Methods of lists"));
        let methods = ListMethod::TABLE.iter().map(|(_, name, help)| (*name, *help));
        let contains = ("contains", "Whether a value is a member; the same as `value in list`.");
        let rows =
            methods.chain([contains]).map(|(name, help)| vec![vec![code(name)], ticked(help)]);
        let head = vec!["Method", "What it gives"];
        blocks.push(Block::Table("Methods of lists".to_owned(), head, rows.collect()));
        blocks.push(heading("Parts of the language"));
        let rows = SPECIAL.iter().map(|(name, help)| vec![vec![code(name)], ticked(help)]);
        let head = vec!["Expression", "What it is"];
        blocks.push(Block::Table("Parts of the language".to_owned(), head, rows.collect()));
        Content { page: Page::Functions, title: vec![text("Functions")], blocks, section: None }
    }

    fn of_packs(&self, blocks: &mut Vec<Block>) {
        for (position, pack) in self.set.packs.iter().enumerate() {
            let signatures = pack.scripts.signatures();
            if signatures.is_empty() {
                continue;
            }
            let title = vec![text("Functions of the pack "), text(&pack.name)];
            blocks.push(Block::Heading(2, None, title));
            let mut signatures: Vec<&Signature> = signatures.iter().collect();
            signatures.sort_by(|a, b| a.name.cmp(&b.name));
            for signature in signatures {
                let anchor = anchor(position, &signature.name);
                blocks.push(Block::Heading(3, Some(anchor), vec![code(&signature.name)]));
                blocks.push(paragraph(self.declaration(signature)));
                if !signature.help.is_empty() {
                    blocks.push(paragraph(ticked(&signature.help)));
                }
                let used = self.calling(position, &signature.name);
                if !used.is_empty() {
                    let line = [vec![text("Called by ")], self.rule_links(&used)].concat();
                    blocks.push(paragraph(line));
                }
            }
        }
    }

    fn declaration(&self, signature: &Signature) -> Line {
        let mut line = vec![code(&signature.name), text("(")];
        for (number, (name, ty)) in signature.params.iter().enumerate() {
            if number > 0 {
                line.push(text(", "));
            }
            line.extend([code(name), text(": ")]);
            line.extend(self.type_line(ty));
        }
        line.push(text(") gives "));
        line.extend(self.type_line(&signature.returns));
        line
    }

    /// Positions of the rules of a pack that call a function of it.
    fn calling(&self, pack: usize, name: &Arc<str>) -> Vec<usize> {
        let rules = self.set.rules.iter().zip(&self.needs).enumerate();
        let calls =
            rules.filter(|(_, (rule, needs))| rule.pack == pack && needs.functions.contains(name));
        calls.map(|(position, _)| position).collect()
    }
}

fn host(function: &Function) -> Vec<Line> {
    let signature = function.signature();
    let (call, gives) = signature.rsplit_once(" -> ").unwrap_or((&signature, ""));
    vec![vec![code(call)], ticked(gives), ticked(function.help)]
}
