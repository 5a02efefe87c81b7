//! One rule file: from a tree that its schema allows to a checked rule.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check::{self, Problem, Scope, World};
use crate::expr::template::Template;
use crate::expr::tree::Expr;
use crate::facts::merge::read_value;
use crate::facts::model::{Field, Model, Origin, Record, Type, compile_type};
use crate::facts::time::parse_duration;
use crate::facts::value::Value;
use crate::finding::{Outcome, Reference, Severity};
use crate::rule::{Binding, Consequence, FindingText, Otherwise, Param, Rule, StepText};
use crate::schema::Schema;
use crate::source::{Node, Sources};

/// What a rule file is read with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// All files.
    pub sources: &'a Sources,
    /// What expressions can name.
    pub world: World<'a>,
    /// Position of the rule's pack.
    pub pack: usize,
    /// Keys that its pack allows under `metadata`, with their titles.
    pub metadata: &'a [(String, String)],
    /// Values that the user set.
    pub overrides: &'a [Override],
}

/// A parameter's value set by the user.
#[derive(Clone, Debug)]
pub struct Override {
    /// Id of the rule.
    pub rule: String,
    /// Name of the parameter.
    pub param: String,
    /// The value, with its place in the file or on the command line.
    pub value: Node,
}

/// Reads a rule; `stem` is the file's name without its ending.
///
/// # Errors
///
/// Everything that is wrong with the file.
pub fn read(root: &Node, stem: &str, context: Context<'_>) -> Result<Rule, Vec<Diagnostic>> {
    let mut reader =
        Reader { context, scope: Scope::default(), problems: Vec::new(), asks: Vec::new() };
    let rule = reader.rule(root, stem);
    match rule {
        Some(rule) if reader.problems.is_empty() => Ok(rule),
        _ => Err(reader.problems),
    }
}

struct Reader<'a> {
    context: Context<'a>,
    scope: Scope,
    problems: Vec<Diagnostic>,
    asks: Vec<(Arc<str>, Place)>,
}

impl Reader<'_> {
    fn rule(&mut self, root: &Node, stem: &str) -> Option<Rule> {
        let id = text(root, "id");
        self.check_id(root, &id, stem);
        let severity = self.severity(root);
        let params = self.params(root, &id);
        let max_age = self.max_age(root);
        let select = self.select(root);
        let lets = self.lets(root);
        let require = self.require(root);
        let violated = root.get("violated").and_then(|node| self.condition(node));
        let finding = root.get("finding").and_then(|node| self.finding(node));
        let consequence = self.consequences(root);
        let remediation = self.remediation(root);
        let metadata = self.metadata(root);
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
            pack: self.context.pack,
            params: params?,
            max_age,
            select: select?,
            lets: lets?,
            require: require?,
            violated: violated?,
            finding: finding?,
            consequence,
            remediation: remediation?,
            metadata,
            references: references(root),
            asks: std::mem::take(&mut self.asks),
            slots: self.scope.slots,
        })
    }

    fn check_id(&mut self, root: &Node, id: &str, stem: &str) {
        if id != stem {
            let message = format!("the rule's id `{id}` is not the name of its file, `{stem}`");
            let place = root.get("id").map_or(root.place, |node| node.place);
            let help = format!("name the file `{id}.yaml`, or write `id: {stem}`");
            self.problems.push(Diagnostic::error("id-not-stem", message).at(place).help(help));
        }
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

    fn problem_at(&mut self, node: &Node, problems: Vec<Problem>) {
        // Nobody reads on after a hundred.
        for problem in problems.into_iter().take(100) {
            let place = self.context.sources.inside(node, problem.at);
            let mut diagnostic = Diagnostic::error(problem.code, problem.message).at(place);
            diagnostic.help = problem.help;
            self.problems.push(diagnostic);
        }
    }

    fn params(&mut self, root: &Node, id: &str) -> Option<Vec<Param>> {
        let overrides = self.context.overrides.iter().filter(|set| set.rule == id);
        let entries = root.get("params").and_then(Node::as_map).unwrap_or_default();
        for set in overrides.clone() {
            if !entries.iter().any(|entry| *entry.key == *set.param) {
                let message = format!("the rule `{id}` has no parameter `{}`", set.param);
                let names = entries.iter().map(|entry| &*entry.key);
                let problem = Diagnostic::error("unknown-parameter", message).at(set.value.place);
                self.problems.push(problem.suggest(&set.param, names));
            }
        }
        let mut params = Vec::new();
        for entry in entries {
            let set = overrides.clone().rfind(|set| *set.param == *entry.key);
            params.push(self.param(&entry.key, &entry.node, set.map(|set| &set.value)));
        }
        let Some(params) = params.into_iter().collect::<Option<Vec<Param>>>() else {
            self.scope.bind_broken("params");
            return None;
        };
        let field = |param: &Param| Field {
            name: param.name.clone(),
            ty: param.ty.clone(),
            description: param.help.clone(),
            unit: None,
            source: None,
            may_leave: false,
            origin: Origin::Read,
        };
        let record = Record::new("params", params.iter().map(field).collect());
        self.scope.bind("params", Type::Record(Arc::new(record)));
        Some(params)
    }

    fn param(&mut self, name: &Arc<str>, node: &Node, set: Option<&Node>) -> Option<Param> {
        let ty = match compile_type(node) {
            Ok(ty) => ty,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        let written = set.or_else(|| node.get("default"))?;
        let schema = match Schema::compile(&node.to_json().to_string()) {
            Ok(schema) => schema,
            Err(problem) => {
                self.problems.push(problem.at(node.place));
                return None;
            }
        };
        let before = self.problems.len();
        for value in node.get("default").into_iter().chain(set) {
            for mut problem in schema.check(value) {
                problem.message = problem.message.replacen("the document", &format!("`{name}`"), 1);
                self.problems.push(problem);
            }
        }
        if self.problems.len() > before {
            return None;
        }
        match read_value(&ty, written) {
            Ok(value) => Some(Param {
                name: name.clone(),
                ty,
                help: text(node, "help"),
                value,
                written: written.to_json().to_string(),
                is_set: set.is_some(),
            }),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    fn max_age(&mut self, root: &Node) -> Vec<(crate::facts::model::KindId, i64)> {
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

    fn model(&self) -> &Model {
        self.context.world.model
    }

    fn kind(&mut self, name: &str, place: Place) -> Option<crate::facts::model::KindId> {
        if let Some(kind) = self.model().kind_named(name) {
            return Some(kind.id);
        }
        let message = format!("there is no kind of object named `{name}`");
        let names: Vec<String> =
            self.model().kinds().iter().map(|kind| kind.name.to_string()).collect();
        let mut problem = Diagnostic::error("unknown-kind", message).at(place);
        problem = match self.model().kind_in(name) {
            Some(kind) => {
                problem.help(format!("the kind of the objects in `{name}` is `{}`", kind.name))
            }
            None => problem.suggest(name, names.iter().map(String::as_str)),
        };
        self.problems.push(problem);
        None
    }

    /// Text of an expression: a plain number or `true` is one too.
    fn source_of(node: &Node) -> String {
        node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned)
    }

    fn checked<T>(&mut self, node: &Node, result: Result<T, Vec<Problem>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(problems) => {
                self.problem_at(node, problems);
                None
            }
        }
    }

    /// Remembers the tags that an expression asks for.
    fn noted(&mut self, node: &Node, expr: Expr) -> Expr {
        let mut tags = Vec::new();
        expr.tags(&mut tags);
        for (tag, at) in tags {
            self.asks.push((tag, self.context.sources.inside(node, at)));
        }
        expr
    }

    fn expr(&mut self, node: &Node) -> Option<Expr> {
        let result = check::check(&Self::source_of(node), &mut self.scope, self.context.world);
        self.checked(node, result).map(|expr| self.noted(node, expr))
    }

    fn condition(&mut self, node: &Node) -> Option<Expr> {
        let result = check::condition(&Self::source_of(node), &mut self.scope, self.context.world);
        self.checked(node, result).map(|condition| self.noted(node, condition.expr))
    }

    /// A condition that holds for all that follows.
    fn guard(&mut self, node: &Node) -> Option<Expr> {
        let result = check::condition(&Self::source_of(node), &mut self.scope, self.context.world);
        let Some(condition) = self.checked(node, result) else {
            self.scope.assume_broken();
            return None;
        };
        self.scope.assume(&condition);
        Some(self.noted(node, condition.expr))
    }

    fn template(&mut self, node: &Node) -> Option<Template> {
        let result = Template::check(node.as_str()?, &mut self.scope, self.context.world);
        self.checked(node, result)
    }

    /// Binds a name, unless it is taken; without a type its value did not check.
    fn bind(&mut self, name: &str, place: Place, ty: Option<Type>) -> usize {
        let model = self.model();
        let taken = name == "now"
            || self.scope.find(name).is_some()
            || model.kind_in(name).is_some()
            || model.singles().iter().any(|field| &*field.name == name);
        if taken {
            let message = format!("`{name}` means something already; choose another name");
            self.problems.push(Diagnostic::error("name-bound-twice", message).at(place));
        }
        if !crate::expr::syntax::is_name(name) {
            let message = format!("`{name}` is a reserved word; choose another name");
            self.problems.push(Diagnostic::error("reserved-word", message).at(place));
        }
        match ty {
            Some(ty) => self.scope.bind(name, ty),
            None => self.scope.bind_broken(name),
        }
    }

    fn select(&mut self, root: &Node) -> Option<Vec<Binding>> {
        let nodes = root.get("select")?.as_list()?;
        let bindings: Vec<Option<Binding>> = nodes.iter().map(|node| self.binding(node)).collect();
        bindings.into_iter().collect()
    }

    fn binding(&mut self, node: &Node) -> Option<Binding> {
        let name = node.get("one").or_else(|| node.get("each"))?;
        let before = self.scope.len();
        let binding = match node.get("one") {
            Some(_) => self.one(node, name),
            None => self.each(node, name),
        };
        if binding.is_none() && self.scope.len() == before {
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

    fn lets(&mut self, root: &Node) -> Option<Vec<(usize, Expr)>> {
        let mut lets = Vec::new();
        for node in root.get("let").and_then(Node::as_list).unwrap_or_default() {
            let entry = node.as_map()?.first()?;
            let expr = self.expr(&entry.node);
            let ty = expr.as_ref().map(|expr| expr.ty.clone());
            let slot = self.bind(&entry.key, entry.key_place, ty);
            lets.push(expr.map(|expr| (slot, expr)));
        }
        lets.into_iter().collect()
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

    fn object_list(&mut self, node: &Node) -> Option<Expr> {
        let expr = self.expr(node)?;
        match &expr.ty {
            Type::List(item) if matches!(**item, Type::Object(_) | Type::Null) => Some(expr),
            other => {
                let message = format!(
                    "a list of objects is needed here, this is {}",
                    self.model().say(other)
                );
                self.problems.push(Diagnostic::error("wrong-type", message).at(node.place));
                None
            }
        }
    }

    fn consequences(&mut self, root: &Node) -> Vec<Consequence> {
        let mut all = Vec::new();
        for node in root.get("consequence").and_then(Node::as_list).unwrap_or_default() {
            let bound = self.scope.len();
            all.extend(self.consequence(node));
            self.scope.truncate(bound);
        }
        all
    }

    fn consequence(&mut self, node: &Node) -> Option<Consequence> {
        let each = match (node.get("each"), node.get("in")) {
            (Some(name), Some(list)) => {
                let list = self.object_list(list)?;
                let Type::List(item) = list.ty.clone() else { return None };
                Some((self.bind(name.as_str()?, name.place, Some((*item).clone())), list))
            }
            _ => None,
        };
        let target = node.get("set")?;
        let set = self.expr(target)?;
        if !matches!(set.kind, crate::expr::tree::ExprKind::Field { .. }) {
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
        let nodes = root.get("remediation").and_then(Node::as_list).unwrap_or_default();
        let steps: Vec<Option<StepText>> = nodes.iter().map(|node| self.step(node)).collect();
        steps.into_iter().collect()
    }

    fn step(&mut self, node: &Node) -> Option<StepText> {
        let text_of_step = node.get("do").and_then(|node| self.template(node));
        let with = node.get("with").and_then(Node::as_map).unwrap_or_default();
        let with: Vec<Option<(Arc<str>, Expr)>> = with
            .iter()
            .map(|entry| self.expr(&entry.node).map(|expr| (entry.key.clone(), expr)))
            .collect();
        let when = node.get("when").map(|node| self.condition(node));
        let unless = node.get("unless").map(|node| self.condition(node));
        let commands = node.get("commands").and_then(Node::as_list).unwrap_or_default();
        let commands: Vec<Option<(String, Option<Expr>, Template)>> =
            commands.iter().map(|node| self.command(node)).collect();
        Some(StepText {
            action: text(node, "action").into(),
            text: text_of_step?,
            with: with.into_iter().collect::<Option<_>>()?,
            when: transpose(when)?,
            unless: transpose(unless)?,
            commands: commands.into_iter().collect::<Option<_>>()?,
        })
    }

    fn command(&mut self, node: &Node) -> Option<(String, Option<Expr>, Template)> {
        let when = node.get("when").map(|node| self.condition(node));
        let run = node.get("run").and_then(|node| self.template(node));
        Some((text(node, "for"), transpose(when)?, run?))
    }

    fn metadata(&mut self, root: &Node) -> Vec<(String, String, Vec<String>)> {
        let mut all = Vec::new();
        for entry in root.get("metadata").and_then(Node::as_map).unwrap_or_default() {
            let known = self.context.metadata.iter().find(|(key, _)| **key == *entry.key);
            let Some((key, title)) = known else {
                let message = format!("the pack does not declare `{}` under `metadata`", entry.key);
                let names = self.context.metadata.iter().map(|(key, _)| key.as_str());
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

/// `None` inside is a problem already reported; no node at all is none.
#[expect(clippy::option_option, reason = "the two nones mean different things")]
fn transpose<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(inner) => inner.map(Some),
    }
}

fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned()
}

fn texts(node: Option<&Node>) -> Vec<&str> {
    let items = node.and_then(Node::as_list).unwrap_or_default();
    items.iter().filter_map(Node::as_str).collect()
}

fn references(root: &Node) -> Vec<Reference> {
    let nodes = root.get("references").and_then(Node::as_list).unwrap_or_default();
    let optional = |node: &Node, key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    nodes
        .iter()
        .map(|node| Reference {
            title: text(node, "title"),
            says: text(node, "says"),
            url: optional(node, "url"),
            retrieved: optional(node, "retrieved"),
        })
        .collect()
}

/// The value of slot 0: the parameters as a record.
#[must_use]
pub fn params_value(params: &[Param]) -> Value {
    Value::Record(params.iter().map(|param| param.value.clone().into()).collect())
}
