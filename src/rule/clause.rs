//! What rules and actions have in common: parameters, expressions, messages, commands, references.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check::{self, Problem, Scope, Sight, World};
use crate::expr::template::Template;
use crate::expr::tree::Expr;
use crate::facts::merge::read_value;
use crate::facts::model::{Field, KindId, Model, Record, Type, compile_type};
use crate::facts::value::Value;
use crate::finding::Reference;
use crate::rule::action::Action;
use crate::rule::{Command, Param};
use crate::schema::Schema;
use crate::source::{Entry, Node, Sources};

/// What a rule or action file is read with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// All files.
    pub sources: &'a Sources,
    /// What expressions can name.
    pub world: World<'a>,
    /// The actions that a step can name, by id.
    pub actions: &'a [Action],
    /// Names of tables and actions that are there but wrong: what uses them is not complained of.
    pub broken: &'a [Arc<str>],
    /// Position of the file's pack.
    pub pack: usize,
    /// Values that the user set.
    pub overrides: &'a [Override],
}

/// A parameter's value set by the user.
#[derive(Clone, Debug)]
pub struct Override {
    /// Id of the rule or action.
    pub of: String,
    /// Name of the parameter.
    pub param: String,
    /// Where the parameter is named.
    pub key_place: Place,
    /// The value, with its place in the file or on the command line.
    pub value: Node,
}

/// What an expression of a file looked up, or a clause bound, in the order in which the file is read.
#[derive(Clone, Debug)]
pub struct Met {
    /// Where it is named.
    pub place: Place,
    /// What it is.
    pub sight: Sight,
}

/// What is remembered of a file that is read for an editor.
#[derive(Debug, Default)]
pub struct Looked {
    /// What was looked up and bound.
    pub met: Vec<Met>,
    /// The names that the expression or message at the wanted place can use.
    pub scope: Option<Scope>,
    /// The place whose scope is wanted.
    pub(super) wanted: Option<Place>,
}

/// A file being read: the names bound so far, and what is wrong with it.
pub(super) struct Reader<'a> {
    pub(super) context: Context<'a>,
    pub(super) scope: Scope,
    pub(super) problems: Vec<Diagnostic>,
    /// Tags of the rules whose outcomes are asked for, and where.
    pub(super) asks: Vec<(Arc<str>, Place)>,
    /// What was looked up and bound, where somebody asked to be told.
    pub(super) looked: Option<Looked>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(context: Context<'a>) -> Self {
        let scope = Scope::with_broken(context.broken);
        Self { context, scope, problems: Vec::new(), asks: Vec::new(), looked: None }
    }

    /// One that remembers what it meets, and the scope at a place.
    pub(super) fn watched(context: Context<'a>, wanted: Option<Place>) -> Self {
        let looked = Looked { wanted, ..Looked::default() };
        let mut reader = Self { looked: Some(looked), ..Self::new(context) };
        reader.scope.watch();
        reader
    }

    pub(super) fn meet(&mut self, place: Place, sight: impl FnOnce() -> Sight) {
        if let Some(looked) = &mut self.looked {
            looked.met.push(Met { place, sight: sight() });
        }
    }

    pub(super) fn check_id(&mut self, root: &Node, id: &str, stem: &str) {
        self.problems.extend(id_not_stem(root, id, stem));
    }

    pub(super) fn problem_at(&mut self, node: &Node, problems: Vec<Problem>) {
        self.problems.extend(placed(self.context.sources, node, problems));
    }

    /// Parameters with the values of this run, bound as the record `params`.
    pub(super) fn params(&mut self, entries: &[&Entry], id: &str) -> Option<Vec<Param>> {
        let overrides = self.context.overrides.iter().filter(|set| set.of == id);
        for set in overrides.clone() {
            if !entries.iter().any(|entry| *entry.key == *set.param) {
                let message = format!("`{id}` has no parameter `{}`", set.param);
                let names = || entries.iter().map(|entry| &*entry.key);
                let problem = Diagnostic::error("unknown-parameter", message).at(set.key_place);
                let problem = problem.suggest(&set.param, names());
                let all: Vec<&str> = names().collect();
                let all = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
                self.problems.push(problem.help(format!("its parameters: {all}")));
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
        let field =
            |param: &Param| Field::plain(param.name.clone(), param.ty.clone(), param.help.clone());
        let record = Record::new("params", params.iter().map(field).collect());
        self.scope.bind("params", Type::Record(Arc::new(record)));
        Some(params)
    }

    pub(super) fn param(
        &mut self,
        name: &Arc<str>,
        node: &Node,
        set: Option<&Node>,
    ) -> Option<Param> {
        let ty = match compile_type(node) {
            Ok(ty) => ty,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        let written = set.or_else(|| node.get("default"))?;
        let schema = match Schema::of(node) {
            Ok(schema) => schema,
            Err(problem) => {
                self.problems.push(problem);
                return None;
            }
        };
        let before = self.problems.len();
        for value in node.get("default").into_iter().chain(set) {
            self.problems.extend(misfits(&schema, value, name));
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

    pub(super) fn model(&self) -> &Model {
        self.context.world.model
    }

    pub(super) fn kind(&mut self, name: &str, place: Place) -> Option<KindId> {
        match kind_named(self.model(), name, place) {
            Ok(kind) => Some(kind),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    pub(super) fn source_of(node: &Node) -> String {
        source_of(node)
    }

    pub(super) fn checked<T>(&mut self, node: &Node, result: Result<T, Vec<Problem>>) -> Option<T> {
        for seen in self.scope.take_seen() {
            let place = self.context.sources.inside(node, seen.at);
            self.meet(place, || seen.sight);
        }
        if let Some(looked) = &mut self.looked
            && looked.wanted == Some(node.place)
        {
            looked.scope = Some(self.scope.clone());
        }
        match result {
            Ok(value) => Some(value),
            Err(problems) => {
                self.problem_at(node, problems);
                None
            }
        }
    }

    /// Remembers the tags that an expression asks for.
    pub(super) fn noted(&mut self, node: &Node, expr: Expr) -> Expr {
        let mut tags = Vec::new();
        expr.tags(&mut tags);
        for (tag, at) in tags {
            self.asks.push((tag, self.context.sources.inside(node, at)));
        }
        expr
    }

    pub(super) fn expr(&mut self, node: &Node) -> Option<Expr> {
        let result = check::check(&Self::source_of(node), &mut self.scope, self.context.world);
        self.checked(node, result).map(|expr| self.noted(node, expr))
    }

    pub(super) fn condition(&mut self, node: &Node) -> Option<Expr> {
        let result = check::condition(&Self::source_of(node), &mut self.scope, self.context.world);
        self.checked(node, result).map(|condition| self.noted(node, condition.expr))
    }

    /// A condition that holds for all that follows.
    pub(super) fn guard(&mut self, node: &Node) -> Option<Expr> {
        let result = check::condition(&Self::source_of(node), &mut self.scope, self.context.world);
        let Some(condition) = self.checked(node, result) else {
            self.scope.assume_broken();
            return None;
        };
        self.scope.assume(&condition);
        Some(self.noted(node, condition.expr))
    }

    pub(super) fn template(&mut self, node: &Node) -> Option<Template> {
        let result = Template::check(node.as_str()?, &mut self.scope, self.context.world);
        self.checked(node, result)
    }

    /// Binds a name, unless it is taken; without a type its value did not check.
    pub(super) fn bind(&mut self, name: &str, place: Place, ty: Option<Type>) -> usize {
        self.problems.extend(cannot_bind(name, place, &self.scope, self.context.world));
        self.meet(place, || Sight::Bound { name: name.into(), ty: ty.clone() });
        match ty {
            Some(ty) => self.scope.bind(name, ty),
            None => self.scope.bind_broken(name),
        }
    }

    pub(super) fn lets(&mut self, root: &Node) -> Option<Vec<(usize, Expr)>> {
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

    pub(super) fn object_list(&mut self, node: &Node) -> Option<Expr> {
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

    pub(super) fn commands(&mut self, node: &Node) -> Option<Vec<Command>> {
        let read: Vec<Option<Command>> =
            node.as_list().unwrap_or_default().iter().map(|node| self.command(node)).collect();
        read.into_iter().collect()
    }

    fn command(&mut self, node: &Node) -> Option<Command> {
        let mark = self.scope.mark();
        let when = node.get("when").map(|node| self.guard(node));
        let run = node.get("run").and_then(|node| self.template(node));
        self.scope.rewind(mark);
        Some(Command {
            product: text(node, "for"),
            when: transpose(when)?,
            run: run?,
            written: text(node, "run"),
        })
    }

    /// A name for each member of a list, where the node says `each` and `in`.
    #[expect(
        clippy::option_option,
        reason = "without `each` there is none; a broken one is another"
    )]
    pub(super) fn members(&mut self, node: &Node) -> Option<Option<(usize, Expr)>> {
        let (Some(name), Some(list)) = (node.get("each"), node.get("in")) else {
            return Some(None);
        };
        let Some(list) = self.object_list(list) else {
            self.bind(name.as_str()?, name.place, None);
            return None;
        };
        let Type::List(item) = list.ty.clone() else { return None };
        Some(Some((self.bind(name.as_str()?, name.place, Some((*item).clone())), list)))
    }

    /// The action of that id.
    pub(super) fn action(&mut self, node: &Node) -> Option<usize> {
        let id = node.as_str()?;
        let known = self.context.actions;
        let found = known.iter().position(|action| *action.id == *id);
        if found.is_none() && !self.context.broken.iter().any(|broken| **broken == *id) {
            let problem = Diagnostic::error("unknown-action", format!("there is no action `{id}`"));
            let problem =
                problem.at(node.place).suggest_name(id, known.iter().map(|action| &*action.id));
            self.problems.push(problem);
        }
        found
    }
}

/// Text of an expression: a plain number or `true` is one too.
#[must_use]
pub fn source_of(node: &Node) -> String {
    node.as_str().map_or_else(|| node.to_json().to_string(), str::to_owned)
}

/// What is wrong with an expression or message, at its places in the file.
pub fn placed(
    sources: &Sources,
    node: &Node,
    problems: Vec<Problem>,
) -> impl Iterator<Item = Diagnostic> {
    let at_place = |problem: Problem| {
        let place = sources.inside(node, problem.at);
        let mut diagnostic = Diagnostic::error(problem.code, problem.message).at(place);
        diagnostic.help = problem.help;
        diagnostic
    };
    // Nobody reads on after a hundred.
    problems.into_iter().take(100).map(at_place)
}

/// Why a name cannot be bound: it means something already, or is none.
#[must_use]
pub fn cannot_bind(name: &str, place: Place, scope: &Scope, world: World<'_>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let taken = name == "now"
        || scope.find(name).is_some()
        || world.model.kind_in(name).is_some()
        || world.model.singles().iter().any(|field| &*field.name == name)
        || world.tables.iter().any(|table| &*table.name == name);
    if taken {
        let message = format!("`{name}` means something already; choose another name");
        problems.push(Diagnostic::error("name-bound-twice", message).at(place));
    }
    if !crate::expr::syntax::is_name(name) {
        let message = format!("`{name}` is a reserved word; choose another name");
        problems.push(Diagnostic::error("reserved-word", message).at(place));
    }
    problems
}

/// What is wrong with an id that is not the name of its file.
pub(super) fn id_not_stem(root: &Node, id: &str, stem: &str) -> Option<Diagnostic> {
    let message = format!("the id `{id}` is not the name of its file, `{stem}`");
    let place = root.get("id").map_or(root.place, |node| node.place);
    let help = format!("name the file `{id}.yaml`, or write `id: {stem}`");
    (id != stem).then(|| Diagnostic::error("id-not-stem", message).at(place).help(help))
}

/// The kind of that name, or what is wrong with the name.
pub(super) fn kind_named(model: &Model, name: &str, place: Place) -> Result<KindId, Diagnostic> {
    if let Some(kind) = model.kind_named(name) {
        return Ok(kind.id);
    }
    Err(unknown_kind(model, name).at(place))
}

/// That there is no kind of that name, and what may be meant.
#[must_use]
pub fn unknown_kind(model: &Model, name: &str) -> Diagnostic {
    let message = format!("there is no kind of object named `{name}`");
    let problem = Diagnostic::error("unknown-kind", message);
    match model.kind_in(name) {
        Some(kind) => {
            problem.help(format!("the kind of the objects in `{name}` is `{}`", kind.name))
        }
        None => problem.suggest(name, model.kinds().iter().map(|kind| &*kind.name)),
    }
}

/// What a schema has against the value of that name.
#[must_use]
pub fn misfits(schema: &Schema, value: &Node, name: &str) -> Vec<Diagnostic> {
    let named = |mut problem: Diagnostic| {
        problem.message = problem.message.replacen("the document", &format!("`{name}`"), 1);
        if let Some(member) = problem.message.strip_prefix("`[") {
            problem.message = format!("`{name}[{member}");
        }
        problem
    };
    schema.check(value).into_iter().map(named).collect()
}

/// `None` inside is a problem already reported; no node at all is none.
#[expect(clippy::option_option, reason = "the two nones mean different things")]
pub(super) fn transpose<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(inner) => inner.map(Some),
    }
}

pub(super) fn text(node: &Node, key: &str) -> String {
    node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned()
}

pub(super) fn texts(node: Option<&Node>) -> Vec<&str> {
    let items = node.and_then(Node::as_list).unwrap_or_default();
    items.iter().filter_map(Node::as_str).collect()
}

pub(super) fn references(root: &Node) -> Vec<Reference> {
    let nodes = root.get("references").and_then(Node::as_list).unwrap_or_default();
    nodes.iter().map(reference).collect()
}

pub(super) fn reference(node: &Node) -> Reference {
    let optional = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    Reference {
        title: text(node, "title"),
        says: text(node, "says"),
        url: optional("url"),
        retrieved: optional("retrieved"),
    }
}

/// The value of slot 0: the parameters as a record.
#[must_use]
pub fn params_value(params: &[Param]) -> Value {
    Value::Record(params.iter().map(|param| param.value.clone().into()).collect())
}
