//! The pages of actions.

use crate::author::docs::text::{
    Block, Content, Inline, Line, Page, code, heading, link, list, paragraph, quotation, text,
};
use crate::author::docs::{Docs, commands, references};
use crate::finding::Role;
use crate::rule::action::Action;
use crate::source::Node;

impl Docs<'_> {
    /// The list of actions.
    pub(super) fn actions(&self) -> Content {
        let mut blocks = vec![paragraph(vec![text(
            "What a step of a repair does, said once for all rules. A rule names an action and says with \
             what it is done.",
        )])];
        for role in [Role::Fix, Role::Check, Role::Change] {
            let actions = self.set.actions.iter().filter(|action| action.role == role);
            let rows: Vec<Vec<Line>> = actions
                .map(|action| {
                    let said = vec![text(&action.title)];
                    let asked = self.asking(action).len();
                    vec![
                        vec![link(Page::Action(action.id.clone()), said)],
                        vec![code(&action.id)],
                        self.at(action),
                        vec![text(&asked.to_string())],
                    ]
                })
                .collect();
            if !rows.is_empty() {
                blocks.push(heading(match role {
                    Role::Fix => "Repairs",
                    Role::Check => "Checks",
                    Role::Change => "Changes",
                }));
                let head = vec!["Action", "Id", "Done at", "Rules"];
                blocks.push(Block::Table("Actions".to_owned(), head, rows));
            }
        }
        if self.set.actions.is_empty() {
            blocks.push(paragraph(vec![text("There are none.")]));
        }
        Content { page: Page::Actions, title: vec![text("Actions")], blocks, section: None }
    }

    /// The page of an action.
    pub(super) fn action(&self, action: &Action) -> Content {
        let mut blocks = vec![self.action_head(action)];
        blocks.extend(quotation(&action.words));
        if !action.commands.is_empty() {
            blocks.push(heading("Commands"));
            blocks.push(commands(self, &action.commands, action.root.get("commands")));
        }
        blocks.push(heading("Done with"));
        blocks.push(paragraph(vec![text("A rule hands these in under "), code("with"), text(".")]));
        let rows = action.args.iter().enumerate().map(|(position, arg)| {
            let place = if position == action.at { "where it is done" } else { "" };
            vec![vec![code(&arg.name)], self.type_line(&arg.ty), vec![text(place)]]
        });
        let head = vec!["Name", "Type", "Remark"];
        blocks.push(Block::Table("Arguments".to_owned(), head, rows.collect()));
        if !action.params.is_empty() {
            blocks.push(heading("Settings"));
            blocks.extend(self.params(&action.params, &action.root));
        }
        self.duration(action, &mut blocks);
        let facts = self.facts(&self.walker.action(action), |_| true, false);
        if !facts.is_empty() {
            blocks.push(heading("Facts it reads"));
            blocks.push(list(facts));
        }
        self.used_by(action, &mut blocks);
        if !action.references.is_empty() {
            blocks.push(heading("Sources"));
            blocks.push(references(&action.references));
        }
        Content {
            page: Page::Action(action.id.clone()),
            title: vec![text(&action.title)],
            blocks,
            section: None,
        }
    }

    fn action_head(&self, action: &Action) -> Block {
        let role = match action.role {
            Role::Fix => "repairs a cause",
            Role::Check => "finds out whether all is well again; comes behind all repairs",
            Role::Change => "a change that somebody decides on",
        };
        let mut lines = vec![
            vec![text("Action: "), code(&action.id)],
            vec![
                text("Role: "),
                Inline::Strong(action.role.name().to_owned()),
                text(": "),
                text(role),
            ],
            [vec![text("Done at: ")], self.at(action)].concat(),
        ];
        if action.after_check {
            lines.push(vec![text("Succeeds only behind the check")]);
        }
        if let Some(pack) = self.set.packs.get(action.pack) {
            lines.push(vec![text("Pack: "), text(&pack.name)]);
        }
        lines.push(vec![text("File: "), code(&self.file(action.root.place))]);
        list(lines)
    }

    fn at(&self, action: &Action) -> Line {
        action.args.get(action.at).map(|arg| self.type_line(&arg.ty)).unwrap_or_default()
    }

    fn duration(&self, action: &Action, blocks: &mut Vec<Block>) {
        let Some(node) = action.root.get("duration") else { return };
        blocks.push(heading("How long it takes"));
        blocks.push(paragraph(vec![text("In seconds:")]));
        let items = ["best", "expected", "worst"]
            .into_iter()
            .filter_map(|key| Some(vec![paragraph(vec![text(key)]), self.code(node.get(key)?)]));
        blocks.push(Block::List(false, items.collect()));
        let lets = action.root.get("let").and_then(Node::as_list).unwrap_or_default();
        let lets: Vec<_> = lets.iter().filter_map(|node| node.as_map()?.first()).collect();
        if !lets.is_empty() {
            blocks.push(paragraph(vec![text("where")]));
            let items = lets.iter().map(|entry| {
                vec![paragraph(vec![code(&entry.key), text(" is")]), self.code(&entry.node)]
            });
            blocks.push(Block::List(false, items.collect()));
        }
        if let Some(because) = node.get("because").and_then(Node::as_str) {
            blocks.push(paragraph(vec![text("The report says on what that rests:")]));
            blocks.extend(quotation(because));
        }
    }

    /// Positions of the rules that ask for it.
    fn asking(&self, action: &Action) -> Vec<usize> {
        let is_it = |position: usize| {
            self.set.actions.get(position).is_some_and(|known| known.id == action.id)
        };
        let rules = self.set.rules.iter().enumerate();
        let asks = rules.filter(|(_, rule)| rule.remediation.iter().any(|step| is_it(step.action)));
        asks.map(|(position, _)| position).collect()
    }

    fn used_by(&self, action: &Action, blocks: &mut Vec<Block>) {
        let is_it = |position: usize| {
            self.set.actions.get(position).is_some_and(|known| known.id == action.id)
        };
        let rules = self.set.rules.iter().enumerate();
        let withholding: Vec<usize> = rules
            .filter(|(_, rule)| rule.withholds.iter().any(|withheld| is_it(withheld.action)))
            .map(|(position, _)| position)
            .collect();
        for (title, rules) in [
            ("Rules that ask for it", self.asking(action)),
            ("Rules that make it wait", withholding),
        ] {
            if !rules.is_empty() {
                blocks.push(heading(title));
                let lines = rules.iter().filter_map(|position| {
                    let rule = self.set.rules.get(*position)?;
                    Some(vec![self.rule_link(&rule.id), text(": "), text(&rule.title)])
                });
                blocks.push(list(lines.collect()));
            }
        }
    }
}
