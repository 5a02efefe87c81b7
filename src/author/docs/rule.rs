//! The page of a rule.

use crate::author::docs::text::{
    Block, Content, Inline, Line, Page, code, code_block, heading, joined, link, link_into, list,
    message, paragraph, prose, quotation, text, ticked,
};
use crate::author::docs::{Docs, arguments, commands, kind_link, outcome_word, plain, references};
use crate::author::docs::{functions, index};
use crate::facts::time::say_duration;
use crate::rule::pack::RuleSet;
use crate::rule::{Binding, Otherwise, Rule, Stops};
use crate::source::Node;

impl Docs<'_> {
    /// The page of a rule; what it reads stands at `position`.
    pub(super) fn rule(&self, rule: &Rule, position: usize) -> Content {
        let mut blocks = vec![self.head(rule)];
        blocks.extend(prose(&rule.explanation));
        self.conditions(rule, &mut blocks);
        self.outcomes(rule, &mut blocks);
        finding(rule, &mut blocks);
        consequence(rule, &mut blocks);
        stops(rule, &mut blocks);
        self.remediation(rule, &mut blocks);
        self.withholds(rule, &mut blocks);
        if !rule.params.is_empty() {
            blocks.push(heading("Parameters"));
            blocks.extend(self.params(&rule.params, &rule.root));
        }
        self.reads(rule, position, &mut blocks);
        self.metadata(rule, &mut blocks);
        blocks.push(heading("Sources"));
        blocks.push(references(&rule.references));
        self.case_list(rule, &mut blocks);
        try_it(rule, self.set, &mut blocks);
        Content {
            page: Page::Rule(rule.id.clone()),
            title: vec![text(&rule.title)],
            blocks,
            section: None,
        }
    }

    fn head(&self, rule: &Rule) -> Block {
        let certainty = match &*rule.certainty {
            "documented" => ": a document says it",
            "inferred" => ": it follows from what documents say",
            _ => ": nobody has shown it",
        };
        let mut lines = vec![
            vec![text("Rule: "), code(&rule.id)],
            vec![text("Severity: "), Inline::Word(rule.severity.name())],
            vec![text("Certainty: "), Inline::Strong(plain(&rule.certainty)), text(certainty)],
        ];
        if let Some((id, title)) = &rule.cause {
            let cause = link_into(Page::Index, index::cause_anchor(id), vec![text(title)]);
            lines.push(vec![text("Cause: "), cause]);
        }
        if !rule.tags.is_empty() {
            let tags = rule
                .tags
                .iter()
                .map(|tag| vec![link_into(Page::Index, index::tag_anchor(tag), vec![code(tag)])]);
            lines.push([vec![text("Tags: ")], joined(tags, ", ")].concat());
        }
        if let Some(pack) = self.set.packs.get(rule.pack) {
            lines.push(vec![text("Pack: "), text(&pack.name)]);
        }
        lines.push(vec![text("File: "), code(&self.file(rule.root.place))]);
        list(lines)
    }

    /// The clauses, in the order in which they are asked.
    fn conditions(&self, rule: &Rule, blocks: &mut Vec<Block>) {
        blocks.push(heading("What it looks at"));
        let nodes = |key: &str| rule.root.get(key).and_then(Node::as_list).unwrap_or_default();
        for (binding, node) in rule.select.iter().zip(nodes("select")) {
            self.binding(binding, node, blocks);
        }
        let lets: Vec<_> = nodes("let").iter().filter_map(|node| node.as_map()?.first()).collect();
        for entry in lets {
            blocks.push(paragraph(vec![text("Let "), code(&entry.key), text(" be")]));
            blocks.push(self.code(&entry.node));
        }
        for (number, ((_, otherwise), node)) in
            rule.require.iter().zip(nodes("require")).enumerate()
        {
            let begin = if number == 0 { "It must hold that" } else { "It must also hold that" };
            blocks.push(paragraph(vec![text(begin)]));
            blocks.extend(node.get("that").map(|node| self.code(node)));
            blocks.push(paragraph(vec![
                text("Otherwise the verdict is "),
                outcome_word(otherwise.outcome),
                text("."),
            ]));
        }
        blocks.push(paragraph(vec![
            text("The rule is "),
            Inline::Word("violated"),
            text(" if this is true, and "),
            Inline::Word("satisfied"),
            text(" if it is false"),
        ]));
        blocks.extend(rule.root.get("violated").map(|node| self.code(node)));
    }

    fn binding(&self, binding: &Binding, node: &Node, blocks: &mut Vec<Block>) {
        let name = |key: &str| node.get(key).and_then(Node::as_str).map(code);
        let filter = node.get("where");
        let such = if filter.is_some() { " such that" } else { "" };
        match binding {
            Binding::Each { .. } => {
                let mut said = vec![text("For each ")];
                said.extend(name("each"));
                let kind = node.get("of").and_then(Node::as_str);
                if let Some(kind) = kind.and_then(|kind| self.model.kind_named(kind)) {
                    said.extend([text(" of the kind "), kind_link(kind), text(such)]);
                    blocks.push(paragraph(said));
                } else {
                    said.push(text(" in"));
                    blocks.push(paragraph(said));
                    blocks.extend(node.get("in").map(|node| self.code(node)));
                    if filter.is_some() {
                        blocks.push(paragraph(vec![text("such that")]));
                    }
                }
                blocks.extend(filter.map(|node| self.code(node)));
            }
            Binding::One { if_none, .. } => {
                let mut said = vec![text("The one ")];
                said.extend(name("one"));
                said.push(text(" from"));
                blocks.push(paragraph(said));
                blocks.extend(node.get("from").map(|node| self.code(node)));
                if let Some(filter) = filter {
                    blocks.push(paragraph(vec![text("such that")]));
                    blocks.push(self.code(filter));
                }
                blocks.push(paragraph(vec![
                    text("If there is none, the verdict is "),
                    outcome_word(if_none.outcome),
                    text("."),
                ]));
            }
        }
    }

    /// What comes out for what reason, where the rule says it before its own question is asked.
    fn outcomes(&self, rule: &Rule, blocks: &mut Vec<Block>) {
        let from_select = rule.select.iter().filter_map(|binding| match binding {
            Binding::One { if_none, .. } => Some(if_none),
            Binding::Each { .. } => None,
        });
        let all = from_select.chain(rule.require.iter().map(|(_, otherwise)| otherwise));
        // A reason cannot be read back from what was checked: it is taken from the file.
        let nodes = |key: &str| rule.root.get(key).and_then(Node::as_list).unwrap_or_default();
        let said = nodes("select").iter().filter_map(|node| node.get("if_none"));
        let said = said.chain(nodes("require").iter().filter_map(|node| node.get("else")));
        let rows: Vec<Vec<Line>> =
            all.zip(said).map(|(otherwise, node)| self.outcome(otherwise, node)).collect();
        blocks.push(heading("When it does not come to that"));
        if !rows.is_empty() {
            let has_see = rows.iter().any(|row| row.get(2).is_some_and(|see| !see.is_empty()));
            let mut head = vec!["Verdict", "Because", "See"];
            head.truncate(if has_see { 3 } else { 2 });
            let rows = rows.into_iter().map(|row| row.into_iter().take(head.len()).collect());
            let rows = rows.collect();
            blocks.push(Block::Table("Other outcomes".to_owned(), head, rows));
        }
        blocks.push(paragraph(vec![
            text("The verdict is "),
            Inline::Word("undecided"),
            text(" where a fact is not known on which it hangs; the report names that fact."),
        ]));
    }

    fn outcome(&self, otherwise: &Otherwise, node: &Node) -> Vec<Line> {
        let because = node.get("because").and_then(Node::as_str).unwrap_or_default();
        let see = otherwise.see.as_ref().map(|(id, _)| self.rule_link(id));
        vec![vec![outcome_word(otherwise.outcome)], message(because), see.into_iter().collect()]
    }

    fn remediation(&self, rule: &Rule, blocks: &mut Vec<Block>) {
        blocks.push(heading("What to do"));
        let nodes = rule.root.get("remediation").and_then(Node::as_list).unwrap_or_default();
        if let Some(manual) = &rule.manual {
            blocks.push(paragraph(vec![text("No plan can show that the finding goes away:")]));
            blocks.extend(quotation(manual));
        }
        if nodes.is_empty() {
            blocks.push(paragraph(vec![text("The rule names no step.")]));
            return;
        }
        let steps = rule.remediation.iter().zip(nodes).map(|(step, node)| {
            let mut line = Line::new();
            if let Some(action) = self.set.actions.get(step.action) {
                line.push(link(Page::Action(action.id.clone()), vec![text(&action.title)]));
            }
            let with = node.get("with").and_then(Node::as_map).unwrap_or_default();
            let with = with.iter().map(|entry| (entry.key.clone(), as_written(&entry.node)));
            let with = arguments(with);
            if !with.is_empty() {
                line.push(text(", with "));
                line.extend(with);
            }
            if let (Some(each), Some(all)) = (node.get("each"), node.get("in")) {
                line.extend([text(", for each "), written(each), text(" in "), written(all)]);
            }
            let mut blocks = vec![Block::Paragraph(line)];
            for (key, said) in [("when", "only if"), ("unless", "unless")] {
                if let Some(condition) = node.get(key) {
                    blocks.push(paragraph(vec![text(said)]));
                    blocks.push(self.code(condition));
                }
            }
            if let Some(words) = node.get("do").and_then(Node::as_str) {
                blocks.extend(quotation(words));
            }
            if let Some(own) = &step.commands {
                blocks.push(commands(self, own, node.get("commands")));
            }
            blocks
        });
        blocks.push(Block::List(true, steps.collect()));
    }

    fn withholds(&self, rule: &Rule, blocks: &mut Vec<Block>) {
        let nodes = rule.root.get("withholds").and_then(Node::as_list).unwrap_or_default();
        if nodes.is_empty() {
            return;
        }
        blocks.push(heading("What must wait meanwhile"));
        let items = rule.withholds.iter().zip(nodes).map(|(withheld, node)| {
            let mut line = Line::new();
            if let Some(action) = self.set.actions.get(withheld.action) {
                line.push(link(Page::Action(action.id.clone()), vec![text(&action.title)]));
            }
            line.push(text(" at "));
            line.extend(node.get("at").map(written));
            let mut blocks = vec![Block::Paragraph(line)];
            if let Some(because) = node.get("because").and_then(Node::as_str) {
                blocks.extend(quotation(because));
            }
            if let Some(when) = node.get("when") {
                blocks.push(paragraph(vec![text("while")]));
                blocks.push(self.code(when));
            }
            blocks
        });
        blocks.push(Block::List(false, items.collect()));
    }

    /// The facts it reads, and how old they may be.
    fn reads(&self, rule: &Rule, position: usize, blocks: &mut Vec<Block>) {
        let Some(needs) = self.needs.get(position) else { return };
        blocks.push(heading("Facts it needs"));
        blocks.push(paragraph(vec![text("The verdict can hang on:")]));
        blocks.push(list(self.facts(needs, |using| using.decides, true)));
        let told = self.facts(needs, |using| !using.decides, false);
        if !told.is_empty() {
            blocks.push(paragraph(vec![text("Only what is said and done rests on:")]));
            blocks.push(list(told));
        }
        let mut lines: Vec<Line> = Vec::new();
        if !needs.tables.is_empty() {
            let tables = joined(needs.tables.iter().map(|id| vec![code(id)]), ", ");
            lines.push([vec![text("It looks into the tables ")], tables].concat());
        }
        if !needs.functions.is_empty() {
            let named = |name| vec![functions::script_link(self, rule.pack, name)];
            let named = joined(needs.functions.iter().map(named), ", ");
            lines.push([vec![text("It calls the pack's functions ")], named].concat());
        }
        if !needs.opaque.is_empty() {
            let named = joined(needs.opaque.iter().map(|name| vec![code(name)]), ", ");
            let line = vec![text("What these read of the objects they are given is not listed: ")];
            lines.push([line, named].concat());
        }
        let mut tags: Vec<&str> = rule.asks.iter().map(|(tag, _)| &**tag).collect();
        tags.sort_unstable();
        tags.dedup();
        for tag in tags {
            let link = link_into(Page::Index, index::tag_anchor(tag), vec![code(tag)]);
            lines.push(vec![text("It asks for the verdicts of the rules with the tag "), link]);
        }
        for (kind, seconds) in &rule.max_age {
            if let Some(kind) = self.model.kind(*kind) {
                let age = text(&format!(" may be at most {} old", say_duration(*seconds)));
                lines.push(vec![text("Facts of the kind "), kind_link(kind), age]);
            }
        }
        if !lines.is_empty() {
            blocks.push(paragraph(vec![text("Besides:")]));
            blocks.push(list(lines));
        }
    }

    /// Values of the pack's own keys, with their meanings where a table has them.
    fn metadata(&self, rule: &Rule, blocks: &mut Vec<Block>) {
        for (key, title, values) in &rule.metadata {
            blocks.push(Block::Heading(2, None, vec![text(title)]));
            let lines = values.iter().map(|value| {
                let mut line = vec![code(value)];
                if let Some(meaning) = self.meaning(rule, key, value) {
                    line.push(text(": "));
                    line.extend(ticked(&meaning));
                }
                line
            });
            blocks.push(list(lines.collect()));
        }
    }

    /// What the table that the pack names for a key says of a code: its longest text.
    fn meaning(&self, rule: &Rule, key: &str, value: &str) -> Option<String> {
        let table = self.set.packs.get(rule.pack)?.table_of(key)?;
        let table = self.set.tables.iter().find(|known| known.id == table)?;
        let cell = |cells: &[Option<String>], column: usize| cells.get(column).cloned().flatten();
        let codes = table.codes?;
        let row =
            table.rows.iter().find(|row| cell(&row.cells, codes).as_deref() == Some(value))?;
        // The column that says it is the first one in which people's words stand.
        let said = (0..table.columns.len()).filter(|column| *column != codes);
        let mut said = said.filter_map(|column| cell(&row.cells, column));
        said.find(|text| text.contains(' '))
    }

    fn case_list(&self, rule: &Rule, blocks: &mut Vec<Block>) {
        let cases = self.cases.iter().filter(|case| case.rule == *rule.id);
        let rows: Vec<Vec<Line>> = cases
            .map(|case| {
                let expected = case.expect.iter().map(|outcome| vec![outcome_word(*outcome)]);
                vec![ticked(&case.title), joined(expected, ", ")]
            })
            .collect();
        if !rows.is_empty() {
            blocks.push(heading("Cases"));
            let head = vec!["Case", "Expected"];
            blocks.push(Block::Table("Cases of the rule".to_owned(), head, rows));
        }
    }
}

fn try_it(rule: &Rule, set: &RuleSet, blocks: &mut Vec<Block>) {
    blocks.push(heading("Try it"));
    // A pack behind the first is one that somebody names.
    let own = set.packs.get(rule.pack).filter(|_| rule.pack > 0);
    let own = own.map(|pack| format!(" --rules {}", pack.name)).unwrap_or_default();
    let mut lines = vec![
        format!("dpmguard check facts/{own} --only {}", rule.id),
        format!("dpmguard explain {} --facts facts/{own}", rule.id),
    ];
    if let Some(param) = rule.params.first() {
        lines
            .push(format!("dpmguard check facts/{own} --param '{}.{}=VALUE'", rule.id, param.name));
    }
    blocks.push(code_block("sh", &lines.join("\n"), None));
}

fn as_written(node: &Node) -> String {
    node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned)
}

/// An expression within a line.
fn written(node: &Node) -> Inline {
    code(&as_written(node))
}

fn finding(rule: &Rule, blocks: &mut Vec<Block>) {
    let Some(node) = rule.root.get("finding") else { return };
    let said = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default();
    blocks.push(heading("What it says"));
    blocks.extend(quotation(said("message")));
    let mut lines = vec![vec![text("About: "), code(said("subject"))]];
    let listed = |key: &str| {
        let nodes = node.get(key).and_then(Node::as_list).unwrap_or_default();
        joined(nodes.iter().map(|node| vec![written(node)]), ", ")
    };
    if let Some(affects) = node.get("affects") {
        lines.push(vec![text("Also harmed: "), written(affects)]);
    }
    lines.push([vec![text("Evidence: ")], listed("evidence")].concat());
    let fingerprint = listed("fingerprint");
    lines.push(if fingerprint.is_empty() {
        vec![text("One finding for each subject")]
    } else {
        [vec![text("Findings of one subject differ in: ")], fingerprint].concat()
    });
    blocks.push(list(lines));
}

fn stops(rule: &Rule, blocks: &mut Vec<Block>) {
    let Some(stops) = rule.stops else { return };
    let said = match stops {
        _ if rule.stops_perhaps() => {
            "While it is violated, expect that consistency checks of what it affects fail. Plans warn of them."
        }
        Stops::Jobs => {
            "While it is violated, no backup and no consistency check of what it affects succeeds."
        }
        Stops::Checks => {
            "While it is violated, no consistency check of what it affects succeeds; backups go on."
        }
    };
    blocks.push(heading("What fails meanwhile"));
    blocks.push(paragraph(vec![text(said)]));
}

fn consequence(rule: &Rule, blocks: &mut Vec<Block>) {
    let nodes = rule.root.get("consequence").and_then(Node::as_list).unwrap_or_default();
    if nodes.is_empty() {
        return;
    }
    blocks.push(heading("What becomes of the facts"));
    let lines = nodes.iter().map(|node| {
        let part = |key: &str| node.get(key).map(written);
        let mut line: Line = part("set").into_iter().collect();
        line.push(text(" becomes "));
        line.extend(part("to"));
        if let (Some(each), Some(all)) = (part("each"), part("in")) {
            line.extend([text(", for each "), each, text(" in "), all]);
        }
        line
    });
    blocks.push(list(lines.collect()));
}
