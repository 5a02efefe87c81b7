//! One rule file: from a tree that its schema allows to a checked rule.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check::{self, Scope, Sight};
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{KindId, Type};
use crate::facts::time::parse_duration;
use crate::finding::{Outcome, Severity};
use crate::rule::clause::{Context, Looked, Reader, references, text, texts, transpose};
use crate::rule::{
    Binding, Consequence, FindingText, Otherwise, Rule, StepText, Stops, WithheldText,
};
use crate::source::{Entry, Node};

/// What a pack says that its rules may name.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Keys allowed under `metadata`, with their titles.
    pub metadata: Vec<(String, String)>,
    /// Ids and titles of the causes.
    pub causes: Vec<(String, String)>,
}

/// Reads a rule; `stem` is the file's name without its ending.
///
/// # Errors
///
/// Everything that is wrong with the file.
pub fn read(
    root: &Node,
    stem: &str,
    vocabulary: &Vocabulary,
    context: Context<'_>,
) -> Result<Rule, Vec<Diagnostic>> {
    match read_all(root, stem, vocabulary, context) {
        (Some(rule), problems) if problems.is_empty() => Ok(rule),
        (_, problems) => Err(problems),
    }
}

/// As [`read`], and the rule although something is wrong with it, as long as all its expressions check.
#[must_use]
pub fn read_all(
    root: &Node,
    stem: &str,
    vocabulary: &Vocabulary,
    context: Context<'_>,
) -> (Option<Rule>, Vec<Diagnostic>) {
    let mut reader = Reader::new(context);
    let rule = reader.rule(root, stem, vocabulary);
    (rule, reader.problems)
}

/// Reads a rule for what its expressions look up; whatever is wrong with it, the rest is looked at.
#[must_use]
pub fn watch(
    root: &Node,
    stem: &str,
    vocabulary: &Vocabulary,
    context: Context<'_>,
    wanted: Option<Place>,
) -> (Looked, Vec<Diagnostic>) {
    let mut reader = Reader::watched(context, wanted);
    reader.rule(root, stem, vocabulary);
    (reader.looked.unwrap_or_default(), reader.problems)
}

impl Reader<'_> {
    fn rule(&mut self, root: &Node, stem: &str, vocabulary: &Vocabulary) -> Option<Rule> {
        let id = text(root, "id");
        self.check_id(root, &id, stem);
        let severity = self.severity(root);
        let params: Vec<&Entry> =
            root.get("params").and_then(Node::as_map).unwrap_or_default().iter().collect();
        let params = self.params(&params, &id);
        let max_age = self.max_age(root);
        let select = self.select(root);
        let lets = self.lets(root);
        let names = self.scope.bound().map(|(name, slot)| (name.clone(), slot)).collect();
        let scope = self.scope.clone();
        let require = self.require(root);
        let violated = root.get("violated").and_then(|node| self.condition(node));
        let finding = root.get("finding").and_then(|node| self.finding(node));
        let consequence = self.consequences(root);
        let stops = root.get("stops").and_then(Node::as_str).map(|stops| match stops {
            "checks" => Stops::Checks,
            _ => Stops::Jobs,
        });
        let remediation = self.remediation(root);
        let withholds = self.withholds(root);
        let metadata = self.metadata(root, &vocabulary.metadata);
        let cause = self.cause(root, &vocabulary.causes);
        let mut tags: Vec<Arc<str>> = texts(root.get("tags")).into_iter().map(Arc::from).collect();
        if !consequence.is_empty() {
            tags.push("cause".into());
        }
        tags.sort_unstable();
        tags.dedup();
        self.asks.sort_unstable();
        self.asks.dedup_by(|a, b| a.0 == b.0);
        Some(Rule {
            id: id.into(),
            title: text(root, "title"),
            severity: severity?,
            certainty: text(root, "certainty"),
            explanation: text(root, "explanation").trim().to_owned(),
            tags,
            cause,
            pack: self.context.pack,
            params: params?,
            max_age,
            select: select?,
            lets: lets?,
            require: require?,
            violated: violated?,
            finding: finding?,
            consequence,
            stops,
            remediation: remediation?,
            manual: root.get("manual").and_then(Node::as_str).map(|text| text.trim().to_owned()),
            withholds: withholds?,
            metadata,
            references: references(root),
            asks: std::mem::take(&mut self.asks),
            slots: self.scope.slots,
            names,
            scope,
            root: Arc::new(root.clone()),
        })
    }

    /// A claim that is not documented may not stop a change by itself.
    fn severity(&mut self, root: &Node) -> Option<Severity> {
        let severity = Severity::named(root.get("severity")?.as_str()?)?;
        let most = match root.get("certainty")?.as_str()? {
            "documented" => Severity::Error,
            "inferred" => Severity::Warning,
            _ => Severity::Note,
        };
        if severity > most {
            let certainty = text(root, "certainty");
            let message = format!(
                "a rule of the certainty `{certainty}` is `{most}` at most, not `{severity}`"
            );
            let place = root.get("severity")?.place;
            self.problems.push(Diagnostic::error("severity-over-certainty", message).at(place));
        }
        Some(severity)
    }

    fn max_age(&mut self, root: &Node) -> Vec<(KindId, i64)> {
        let mut ages = Vec::new();
        for entry in root.get("max_age").and_then(Node::as_map).unwrap_or_default() {
            let kind = self.kind(&entry.key, entry.key_place);
            let seconds = entry.node.as_str().and_then(parse_duration);
            if let (Some(kind), Some(seconds)) = (kind, seconds) {
                ages.push((kind, seconds));
            }
        }
        ages
    }

    fn select(&mut self, root: &Node) -> Option<Vec<Binding>> {
        let nodes = root.get("select")?.as_list()?;
        let bindings: Vec<Option<Binding>> = nodes.iter().map(|node| self.binding(node)).collect();
        bindings.into_iter().collect()
    }

    fn binding(&mut self, node: &Node) -> Option<Binding> {
        let name = node.get("one").or_else(|| node.get("each"))?;
        let before = self.scope.mark();
        let binding = match node.get("one") {
            Some(_) => self.one(node, name),
            None => self.each(node, name),
        };
        if binding.is_none() && self.scope.mark() == before {
            self.bind(name.as_str()?, name.place, None);
        }
        binding
    }

    fn each(&mut self, node: &Node, name: &Node) -> Option<Binding> {
        let list = match (node.get("of"), node.get("in")) {
            (Some(kind), None) => {
                let id = self.kind(kind.as_str()?, kind.place)?;
                let collection = self.model().kind(id)?.collection.to_string();
                self.checked(
                    kind,
                    check::check(&collection, &mut Scope::default(), self.context.world),
                )?
            }
            (None, Some(list)) => self.expr(list)?,
            _ => {
                let message = "`each` needs either `of: <kind>` or `in: <list>`";
                self.problems.push(Diagnostic::error("wrong-binding", message).at(name.place));
                return None;
            }
        };
        if let Some(extra) = ["from", "if_none"].iter().find_map(|key| node.entry(key)) {
            let message = format!("`{}` goes with `one`, not with `each`", extra.key);
            self.problems.push(Diagnostic::error("wrong-binding", message).at(extra.key_place));
        }
        let Type::List(item) = list.ty.clone() else {
            let place = node.get("in").map_or(name.place, |list| list.place);
            let message = format!("`each` needs a list, this is {}", self.model().say(&list.ty));
            self.problems.push(Diagnostic::error("wrong-type", message).at(place));
            return None;
        };
        let slot = self.bind(name.as_str()?, name.place, Some((*item).clone()));
        let filter = node.get("where").map(|filter| self.guard(filter));
        Some(Binding::Each { slot, list, filter: transpose(filter)? })
    }

    fn one(&mut self, node: &Node, name: &Node) -> Option<Binding> {
        if let Some(extra) = ["of", "in", "each"].iter().find_map(|key| node.entry(key)) {
            let message = format!("`{}` goes with `each`, not with `one`", extra.key);
            self.problems.push(Diagnostic::error("wrong-binding", message).at(extra.key_place));
        }
        // What is said if there is none cannot name what was not found.
        let if_none = node.get("if_none").and_then(|none| self.otherwise(none));
        let from = self.expr(node.get("from")?)?;
        let ty = match from.ty.clone() {
            Type::List(item) => item.required().clone(),
            other @ (Type::Optional(_) | Type::Object(_)) => other.required().clone(),
            other => {
                let message = format!(
                    "`one` needs a list or an object, this is {}",
                    self.model().say(&other)
                );
                self.problems
                    .push(Diagnostic::error("wrong-type", message).at(node.get("from")?.place));
                return None;
            }
        };
        let slot = self.bind(name.as_str()?, name.place, Some(ty));
        let filter = node.get("where").map(|filter| self.guard(filter));
        Some(Binding::One { slot, from, filter: transpose(filter)?, if_none: if_none? })
    }

    fn otherwise(&mut self, node: &Node) -> Option<Otherwise> {
        Some(Otherwise {
            outcome: Outcome::named(node.get("outcome")?.as_str()?)?,
            because: self.template(node.get("because")?)?,
            see: node.get("see").and_then(|see| Some((see.as_str()?.into(), see.place))),
        })
    }

    fn require(&mut self, root: &Node) -> Option<Vec<(Expr, Otherwise)>> {
        let mut all = Vec::new();
        for node in root.get("require").and_then(Node::as_list).unwrap_or_default() {
            // The `else` speaks where the guard does not hold: checked before the guard is assumed.
            let otherwise = node.get("else").and_then(|node| self.otherwise(node));
            let that = node.get("that").and_then(|node| self.guard(node));
            all.push(that.zip(otherwise));
        }
        all.into_iter().collect()
    }

    fn finding(&mut self, node: &Node) -> Option<FindingText> {
        let subject = node.get("subject")?;
        if let Some(name) = subject.as_str() {
            let ty = self.scope.find(name).map(|(_, ty)| ty.clone());
            self.meet(subject.place, || Sight::Name { name: name.into(), ty });
        }
        let slot = match self.scope.find(subject.as_str()?) {
            Some((slot, Type::Object(_))) => Some(slot),
            Some(_) if self.scope.is_broken(subject.as_str()?) => None,
            Some((_, other)) => {
                let message =
                    format!("the subject must be an object, this is {}", self.model().say(other));
                self.problems.push(Diagnostic::error("wrong-type", message).at(subject.place));
                None
            }
            None => {
                let name = subject.as_str()?;
                let message = format!("nothing is named `{name}` here");
                let names: Vec<&str> = self.scope.names().collect();
                let problem = Diagnostic::error("unknown-name", message).at(subject.place);
                self.problems.push(problem.suggest(name, names.iter().copied()));
                None
            }
        };
        let message = node.get("message").and_then(|node| self.template(node));
        let listed = |key: &str| node.get(key).and_then(Node::as_list).unwrap_or_default();
        let evidence: Vec<Option<(String, Expr)>> = listed("evidence")
            .iter()
            .map(|node| self.expr(node).map(|expr| (Self::source_of(node), expr)))
            .collect();
        let fingerprint: Vec<Option<Expr>> =
            listed("fingerprint").iter().map(|node| self.expr(node)).collect();
        let affects = node.get("affects").map(|node| self.object_list(node));
        Some(FindingText {
            subject: slot?,
            message: message?,
            evidence: evidence.into_iter().collect::<Option<_>>()?,
            fingerprint: fingerprint.into_iter().collect::<Option<_>>()?,
            affects: transpose(affects)?,
        })
    }

    fn consequences(&mut self, root: &Node) -> Vec<Consequence> {
        let mut all = Vec::new();
        for node in root.get("consequence").and_then(Node::as_list).unwrap_or_default() {
            let mark = self.scope.mark();
            all.extend(self.consequence(node));
            self.scope.rewind(mark);
        }
        all
    }

    fn consequence(&mut self, node: &Node) -> Option<Consequence> {
        let each = self.members(node)?;
        let target = node.get("set")?;
        let set = self.expr(target)?;
        if !matches!(set.kind, ExprKind::Field { .. }) {
            let message = "only a fact can be set: `object.field`";
            self.problems.push(Diagnostic::error("wrong-type", message).at(target.place));
            return None;
        }
        let value = node.get("to")?;
        let text = Self::source_of(value);
        let result = check::typed(&text, &set.ty, &mut self.scope, self.context.world);
        let to = self.checked(value, result)?;
        Some(Consequence { each, set, to })
    }

    fn remediation(&mut self, root: &Node) -> Option<Vec<StepText>> {
        let mut steps = Vec::new();
        for node in root.get("remediation").and_then(Node::as_list).unwrap_or_default() {
            let mark = self.scope.mark();
            steps.push(self.step(node));
            self.scope.rewind(mark);
        }
        steps.into_iter().collect()
    }

    fn step(&mut self, node: &Node) -> Option<StepText> {
        let action = self.action(node.get("action")?);
        let each = self.members(node);
        let unless = node.get("unless").map(|node| self.condition(node));
        // What `when` establishes holds for all that the step says.
        let when = node.get("when").map(|node| self.guard(node));
        let said = node.get("do").map(|node| self.template(node));
        let with = action.and_then(|action| self.arguments(node, action));
        let commands = node.get("commands").map(|node| self.commands(node));
        Some(StepText {
            action: action?,
            each: each?,
            text: transpose(said)?,
            with: with?,
            when: transpose(when)?,
            unless: transpose(unless)?,
            commands: transpose(commands)?,
        })
    }

    /// The values handed to an action, in its order.
    fn arguments(&mut self, node: &Node, action: usize) -> Option<Vec<Expr>> {
        let action = self.context.actions.get(action)?;
        let given = node.get("with").and_then(Node::as_map).unwrap_or_default();
        for entry in given {
            if !action.args.iter().any(|arg| arg.name == entry.key) {
                let message =
                    format!("the action `{}` has no parameter `{}`", action.id, entry.key);
                let names = action.args.iter().map(|arg| &*arg.name);
                let problem = Diagnostic::error("unknown-parameter", message).at(entry.key_place);
                self.problems.push(problem.suggest(&entry.key, names));
            }
        }
        let mut values = Vec::new();
        for arg in &action.args {
            let Some(entry) = given.iter().find(|entry| entry.key == arg.name) else {
                let message = format!("the action `{}` needs `{}`", action.id, arg.name);
                let problem = Diagnostic::error("missing-argument", message).at(node.place);
                self.problems.push(problem.help(format!("write `with: {{ {}: ... }}`", arg.name)));
                continue;
            };
            let source = Self::source_of(&entry.node);
            let result = check::typed(&source, &arg.ty, &mut self.scope, self.context.world);
            let value = self.checked(&entry.node, result);
            values.push(value.map(|value| self.noted(&entry.node, value)));
        }
        values.into_iter().collect()
    }

    fn withholds(&mut self, root: &Node) -> Option<Vec<WithheldText>> {
        let mut all = Vec::new();
        for node in root.get("withholds").and_then(Node::as_list).unwrap_or_default() {
            let mark = self.scope.mark();
            all.push(self.withheld(node));
            self.scope.rewind(mark);
        }
        all.into_iter().collect()
    }

    fn withheld(&mut self, node: &Node) -> Option<WithheldText> {
        let action = self.action(node.get("action")?);
        let when = node.get("when").map(|node| self.guard(node));
        let at = node.get("at")?;
        let wanted = action.and_then(|action| {
            let action = self.context.actions.get(action)?;
            Some(action.args.get(action.at)?.ty.clone())
        })?;
        let source = Self::source_of(at);
        let result = check::typed(&source, &wanted, &mut self.scope, self.context.world);
        let place = self.checked(at, result);
        let because = node.get("because").and_then(|node| self.template(node));
        Some(WithheldText {
            action: action?,
            at: place?,
            when: transpose(when)?,
            because: because?,
        })
    }

    fn cause(&mut self, root: &Node, known: &[(String, String)]) -> Option<(String, String)> {
        let node = root.get("cause")?;
        let id = node.as_str()?;
        let found = known.iter().find(|(known, _)| known == id);
        if found.is_none() {
            let message = format!("the pack does not name a cause `{id}`");
            let names = known.iter().map(|(known, _)| known.as_str());
            let problem = Diagnostic::error("unknown-cause", message).at(node.place);
            self.problems
                .push(problem.suggest(id, names).help("name it in `pack.yaml`, under `causes`"));
        }
        found.cloned()
    }

    fn metadata(
        &mut self,
        root: &Node,
        known: &[(String, String)],
    ) -> Vec<(String, String, Vec<String>)> {
        let mut all = Vec::new();
        for entry in root.get("metadata").and_then(Node::as_map).unwrap_or_default() {
            let found = known.iter().find(|(key, _)| **key == *entry.key);
            let Some((key, title)) = found else {
                let message = format!("the pack does not declare `{}` under `metadata`", entry.key);
                let names = known.iter().map(|(key, _)| key.as_str());
                let problem = Diagnostic::error("unknown-key", message).at(entry.key_place);
                self.problems
                    .push(problem.suggest(&entry.key, names).help("declare it in `pack.yaml`"));
                continue;
            };
            let items = entry.node.as_list().unwrap_or(std::slice::from_ref(&entry.node));
            let values = items.iter().map(Self::source_of).collect();
            all.push((key.clone(), title.clone(), values));
        }
        all
    }
}
