//! Actions: what a step of a repair does, said once for all rules.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check;
use crate::expr::template::Template;
use crate::expr::tree::Expr;
use crate::facts::model::{Type, compile_type};
use crate::finding::{Reference, Role};
use crate::rule::clause::{Context, Looked, Reader, references, text, transpose};
use crate::rule::effect::Course;
use crate::rule::{Command, Param};
use crate::source::{Entry, Node};

/// A checked action.
#[derive(Clone, Debug)]
pub struct Action {
    /// Its permanent name.
    pub id: Arc<str>,
    /// What it does, in a few words.
    pub title: String,
    /// Whether it repairs or checks.
    pub role: Role,
    /// Whether it succeeds only after the check.
    pub after_check: bool,
    /// Position of its pack.
    pub pack: usize,
    /// What it is done with: names, slots and types.
    pub args: Vec<Arg>,
    /// Position of the argument that says where it is done.
    pub at: usize,
    /// Its settings with the values of this run.
    pub params: Vec<Param>,
    /// Slots of the names bound by `let`, with their values.
    pub lets: Vec<(usize, Expr)>,
    /// What to do.
    pub text: Template,
    /// The same as it is written in the file.
    pub words: String,
    /// Command lines.
    pub commands: Vec<Command>,
    /// How long it takes.
    pub duration: Option<Duration>,
    /// What it needs and does to the facts.
    pub course: Course,
    /// Its sources.
    pub references: Vec<Reference>,
    /// How many names it binds; slot 0 holds the settings.
    pub slots: usize,
    /// The file that it was read from.
    pub root: Arc<Node>,
}

impl Action {
    /// Whether there is a way back from it. Nobody wants to go back behind a repair, or a look.
    #[must_use]
    pub fn can_be_undone(&self) -> bool {
        let course = &self.course;
        self.role != Role::Change || course.undo.is_some() || course.effects.is_empty()
    }
}

/// An argument of an action.
#[derive(Clone, Debug)]
pub struct Arg {
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub ty: Type,
    /// Its slot.
    pub slot: usize,
}

/// How long an action takes, in seconds.
#[derive(Clone, Debug)]
pub struct Duration {
    /// At best.
    pub best: Expr,
    /// As a rule.
    pub expected: Expr,
    /// At worst.
    pub worst: Expr,
    /// What these rest on.
    pub because: Template,
}

/// Reads an action; `stem` is the file's name without its ending.
///
/// # Errors
///
/// Everything that is wrong with the file.
pub fn read(root: &Node, stem: &str, context: Context<'_>) -> Result<Action, Vec<Diagnostic>> {
    let mut reader = Reader::new(context);
    match reader.read_action(root, stem) {
        Some(action) if reader.problems.is_empty() => Ok(action),
        _ => Err(reader.problems),
    }
}

/// Reads an action for what its expressions look up; whatever is wrong with it, the rest is looked at.
#[must_use]
pub fn watch(
    root: &Node,
    stem: &str,
    context: Context<'_>,
    wanted: Option<Place>,
) -> (Looked, Vec<Diagnostic>) {
    let mut reader = Reader::watched(context, wanted);
    reader.read_action(root, stem);
    (reader.looked.unwrap_or_default(), reader.problems)
}

impl Reader<'_> {
    fn read_action(&mut self, root: &Node, stem: &str) -> Option<Action> {
        let id = text(root, "id");
        self.check_id(root, &id, stem);
        let entries = root.get("params").and_then(Node::as_map).unwrap_or_default();
        let (settings, args): (Vec<&Entry>, Vec<&Entry>) =
            entries.iter().partition(|entry| entry.node.get("default").is_some());
        let params = self.params(&settings, &id);
        let args: Vec<Option<Arg>> = args.into_iter().map(|entry| self.arg(entry)).collect();
        let at = self.place(root, entries);
        let lets = self.lets(root);
        let said = root.get("do").and_then(|node| self.template(node));
        let commands = root.get("commands").map(|node| self.commands(node));
        let duration = root.get("duration").map(|node| self.duration(node));
        let names: Vec<&str> = entries
            .iter()
            .filter(|entry| entry.node.get("default").is_none())
            .map(|entry| &*entry.key)
            .collect();
        let course = self.course(root, &names);
        if let Some((tag, place)) = self.asks.first() {
            let message = format!("an action cannot ask for the outcomes of rules (`{tag}`)");
            self.problems.push(Diagnostic::error("unknown-tag", message).at(*place));
        }
        Some(Action {
            id: id.into(),
            title: text(root, "title"),
            role: Role::named(root.get("role")?.as_str()?)?,
            after_check: root.get("after_check").and_then(Node::as_bool) == Some(true),
            pack: self.context.pack,
            args: args.into_iter().collect::<Option<_>>()?,
            at: at?,
            params: params?,
            lets: lets?,
            text: said?,
            words: text(root, "do"),
            commands: transpose(commands)?.unwrap_or_default(),
            duration: transpose(duration)?,
            course: course?,
            references: references(root),
            slots: self.scope.slots,
            root: Arc::new(root.clone()),
        })
    }

    fn arg(&mut self, entry: &Entry) -> Option<Arg> {
        let ty = self.arg_type(&entry.node);
        let slot = self.bind(&entry.key, entry.key_place, ty.clone());
        Some(Arg { name: entry.key.clone(), ty: ty?, slot })
    }

    fn arg_type(&mut self, node: &Node) -> Option<Type> {
        let Some(kinds) = node.get("ref") else {
            return match compile_type(node) {
                Ok(ty) => Some(ty),
                Err(problems) => {
                    self.problems.extend(problems);
                    None
                }
            };
        };
        let listed = kinds.as_list().unwrap_or(std::slice::from_ref(kinds));
        let kinds: Vec<_> =
            listed.iter().map(|kind| self.kind(kind.as_str()?, kind.place)).collect();
        let mut kinds = kinds.into_iter().collect::<Option<Vec<_>>>()?;
        kinds.sort_unstable();
        kinds.dedup();
        let ty = Type::Object(kinds.into());
        let is_nullable = node.get("nullable").and_then(Node::as_bool) == Some(true);
        Some(if is_nullable { ty.optional() } else { ty })
    }

    /// Position of the argument that is named as the place.
    fn place(&mut self, root: &Node, entries: &[Entry]) -> Option<usize> {
        let node = root.get("at")?;
        let mut args = entries.iter().filter(|entry| entry.node.get("default").is_none());
        let found = args.position(|entry| Some(&*entry.key) == node.as_str());
        let is_object = found.is_some()
            && entries
                .iter()
                .any(|entry| Some(&*entry.key) == node.as_str() && entry.node.get("ref").is_some());
        if !is_object {
            let message = "`at` must name a parameter that is a `ref`";
            self.problems.push(Diagnostic::error("unknown-name", message).at(node.place));
            return None;
        }
        found
    }

    fn duration(&mut self, node: &Node) -> Option<Duration> {
        let best = self.number(node.get("best")?);
        let expected = self.number(node.get("expected")?);
        let worst = self.number(node.get("worst")?);
        let because = self.template(node.get("because")?);
        Some(Duration { best: best?, expected: expected?, worst: worst?, because: because? })
    }

    fn number(&mut self, node: &Node) -> Option<Expr> {
        let text = Self::source_of(node);
        let result = check::typed(&text, &Type::Float, &mut self.scope, self.context.world);
        self.checked(node, result)
    }
}
