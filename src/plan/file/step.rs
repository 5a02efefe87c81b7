//! Steps: their actions, arguments, times and what is accepted of them.

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::facts::merge::read_value;
use crate::facts::model::Type;
use crate::facts::value::Value;
use crate::plan::file::{LONGEST, MAX_STEPS, Reader, list};
use crate::plan::time::Zone;
use crate::plan::{Accept, Step};
use crate::rule::action::{Action, Arg};
use crate::rule::clause::misfits;
use crate::schema::Schema;
use crate::source::{Node, Value as Tree};

/// Longest name of a step, in characters.
const LONGEST_ID: usize = 120;

/// Steps that count as one where each waits for the one before: those of one `parallel`.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// Position of its first step.
    pub(super) first: usize,
    /// Its number; none for a step that stands alone.
    pub(super) group: Option<usize>,
}

/// A step that does not know yet where the steps are that it waits for.
pub(super) struct Draft {
    pub(super) id: Arc<str>,
    pub(super) place: Place,
    pub(super) block: Block,
    /// Names of the steps that it waits for.
    pub(super) after: Vec<(Arc<str>, Place)>,
    /// None if something is wrong with it.
    pub(super) step: Option<Step>,
}

/// The steps so far.
#[derive(Default)]
pub(super) struct Drafts {
    pub(super) all: Vec<Draft>,
    /// Whether names of steps may be missing, because others are wrong.
    pub(super) is_partial: bool,
    is_full: bool,
}

impl Drafts {
    /// Whether there is room for one more.
    pub(super) fn has_room(&mut self, place: Place, problems: &mut Vec<Diagnostic>) -> bool {
        if self.all.len() < MAX_STEPS {
            return true;
        }
        if !self.is_full {
            let message = format!("a plan may have at most {MAX_STEPS} steps");
            let problem = Diagnostic::error("too-many", message).at(place);
            problems.push(problem.label("one too many").help("make several plans of it"));
        }
        (self.is_full, self.is_partial) = (true, true);
        false
    }
}

impl Reader<'_> {
    pub(super) fn steps(&mut self, root: &Node) -> Drafts {
        let mut drafts = Drafts::default();
        let mut groups = 0;
        for node in list(root, "steps") {
            let Some(members) = node.get("parallel").and_then(Node::as_list) else {
                self.item(node, None, &mut drafts);
                continue;
            };
            let block = Block { first: drafts.all.len(), group: Some(groups) };
            groups += 1;
            for member in members {
                self.item(member, Some(block), &mut drafts);
            }
        }
        drafts
    }

    /// A step, or one for each member of a list.
    fn item(&mut self, node: &Node, block: Option<Block>, drafts: &mut Drafts) {
        if node.get("for_each").is_some() {
            self.each(node, block, drafts);
            return;
        }
        for key in ["id", "with", "after"] {
            if let Some(node) = node.get(key) {
                self.nothing_to_fill_in(node);
            }
        }
        self.step(node, block, drafts);
    }

    /// Text that waits for a value would be taken for a name or a path.
    fn nothing_to_fill_in(&mut self, node: &Node) {
        match &node.value {
            Tree::Text(text, _) if text.contains("${") => {
                let message = "`${` stands only in steps with `for_each`";
                let problem = Diagnostic::error("template-outside-for-each", message);
                self.problems.push(problem.at(node.place).help("write the value itself here"));
            }
            Tree::List(nodes) => {
                for node in nodes {
                    self.nothing_to_fill_in(node);
                }
            }
            Tree::Map(entries) => {
                for entry in entries {
                    self.nothing_to_fill_in(&entry.node);
                }
            }
            _ => {}
        }
    }

    /// A step with nothing to fill in.
    pub(super) fn step(&mut self, node: &Node, block: Option<Block>, drafts: &mut Drafts) {
        let Some(id) = node.get("id") else { return };
        if !drafts.has_room(id.place, &mut self.problems) {
            return;
        }
        let text: Arc<str> = id.as_str().unwrap_or_default().into();
        let is_name = !text.is_empty()
            && text.chars().count() <= LONGEST_ID
            && !text.contains(char::is_control);
        if !is_name {
            let message = match &*text {
                "" => "the name of this step is empty".to_owned(),
                _ => format!("`{text}` is too long for the name of a step, or has a line break"),
            };
            self.problems.push(Diagnostic::error("wrong-format", message).at(id.place));
        }
        let block = block.unwrap_or(Block { first: drafts.all.len(), group: None });
        let after = list(node, "after").iter();
        let after = after.filter_map(|node| Some((node.as_str()?.into(), node.place))).collect();
        let step = self.body(node, text.clone(), id.place, block.group);
        if let Some(step) = &step {
            self.make(step);
        }
        drafts.all.push(Draft { id: text, place: id.place, block, after, step });
    }

    fn body(
        &mut self,
        node: &Node,
        id: Arc<str>,
        place: Place,
        group: Option<usize>,
    ) -> Option<Step> {
        let named = node.get("action");
        let action = named.and_then(|named| self.action(named));
        let args = action.and_then(|action| self.arguments(node, named?.place, action));
        let estimate = node.get("estimate").map(|node| self.estimate(node));
        let not_before = node.get("not_before").map(|node| self.not_before(node));
        let mut accept = Vec::new();
        for node in list(node, "accept") {
            accept.push(self.accept(node));
        }
        Some(Step {
            id,
            action: action?,
            args: args?,
            estimate: estimate.map_or(Some(None), |estimate| estimate.map(Some))?,
            after: Vec::new(),
            not_before: not_before.map_or(Some(None), |time| time.map(Some))?,
            delay: 0,
            automatic: None,
            filled: None,
            group,
            accept: accept.into_iter().collect::<Option<_>>()?,
            place,
        })
    }

    fn action(&mut self, node: &Node) -> Option<usize> {
        let id = node.as_str()?;
        let known = &self.context.rules.actions;
        let found = known.iter().position(|action| *action.id == *id);
        if found.is_some() {
            return found;
        }
        let problem = Diagnostic::error("unknown-action", format!("there is no action `{id}`"))
            .at(node.place)
            .suggest_name(id, known.iter().map(|action| &*action.id))
            .help("`dpmguard rules actions` lists them");
        self.fail(problem)
    }

    fn arguments(&mut self, node: &Node, place: Place, position: usize) -> Option<Vec<Value>> {
        let action = self.context.rules.actions.get(position)?;
        let given = node.get("with").and_then(Node::as_map).unwrap_or_default();
        for entry in given {
            if !action.args.iter().any(|arg| arg.name == entry.key) {
                let problem = unknown_argument(action, &entry.key).at(entry.key_place);
                self.problems.push(problem);
            }
        }
        let mut values = Vec::new();
        for (number, arg) in action.args.iter().enumerate() {
            let Some(entry) = given.iter().find(|entry| entry.key == arg.name) else {
                let message = format!("the action `{}` needs `{}`", action.id, arg.name);
                let problem = Diagnostic::error("missing-argument", message).at(place);
                let help = format!("write `with: {{ {}: ... }}`", arg.name);
                values.push(self.fail(problem.help(help)));
                continue;
            };
            values.push(self.argument(action, arg, (position, number), &entry.node));
        }
        values.into_iter().collect()
    }

    fn argument(
        &mut self,
        action: &Action,
        arg: &Arg,
        position: (usize, usize),
        node: &Node,
    ) -> Option<Value> {
        if let Type::Object(kinds) = arg.ty.required() {
            if node.is_null() && matches!(arg.ty, Type::Optional(_)) {
                return Some(Value::Null);
            }
            let Some(key) = node.as_str() else {
                let what = self.context.facts.model().say(arg.ty.required());
                let problem = no_key(&arg.name, &what, node);
                return self.fail(problem);
            };
            return self.object_or_name(kinds, key, node.place);
        }
        let schema = self.schema_of(action, arg, position)?;
        let found = misfits(&schema, node, &arg.name);
        if !found.is_empty() {
            self.problems.extend(found);
            return None;
        }
        match read_value(&arg.ty, node) {
            Ok(value) => Some(value),
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    /// What values of an argument must be like, as its action declares it.
    fn schema_of(
        &mut self,
        action: &Action,
        arg: &Arg,
        position: (usize, usize),
    ) -> Option<Arc<Schema>> {
        if let Some(known) = self.schemas.get(&position) {
            return known.clone();
        }
        let declared = action.root.get("params")?.get(&arg.name)?;
        let schema = match Schema::compile(&declared.to_json().to_string()) {
            Ok(schema) => Some(Arc::new(schema)),
            Err(problem) => self.fail(problem.at(declared.place)),
        };
        self.schemas.insert(position, schema.clone());
        schema
    }

    /// Expected and worst.
    fn estimate(&mut self, node: &Node) -> Option<(i64, i64)> {
        if node.as_str().is_some() {
            let both = self.length(node)?;
            return Some((both, both));
        }
        let (expected, worst) = (node.get("expected")?, node.get("worst")?);
        let (usual, most) = (self.length(expected), self.length(worst));
        let (usual, most) = (usual?, most?);
        if most < usual {
            let message = "the worst duration is shorter than the expected one";
            let problem = Diagnostic::error("out-of-range", message).at(worst.place);
            return self.fail(problem.related(expected.place, "expected"));
        }
        Some((usual, most))
    }

    fn length(&mut self, node: &Node) -> Option<i64> {
        let length = self.duration(node)?;
        if length > LONGEST {
            let message = "a step may take a year at most";
            return self.fail(Diagnostic::error("out-of-range", message).at(node.place));
        }
        Some(length)
    }

    /// Seconds since the window opens.
    fn not_before(&mut self, node: &Node) -> Option<i64> {
        let (time, _) = self.time(node)?;
        // Without a window there is no plan anyway.
        let (start, end) = self.window?;
        if time >= end {
            let message = "the window closes before this step may begin";
            self.problems.push(Diagnostic::warning("outside-window", message).at(node.place));
        }
        Some(time - start)
    }

    fn accept(&mut self, node: &Node) -> Option<Accept> {
        let text = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default().to_owned();
        let hazard = node.get("hazard")?;
        let name = hazard.as_str()?;
        let known = self.context.hazards;
        if !known.contains(&name) {
            let message = format!("there is no hazard `{name}` that a step can accept");
            let problem = Diagnostic::error("unknown-hazard", message).at(hazard.place);
            self.problems.push(problem.suggest_name(name, known.iter().copied()));
        }
        let last = node.get("until")?;
        let zone = self.zone.clone().or_else(|| Zone::named("UTC"))?;
        let Some(until) = zone.end_of_day(&text("until")) else {
            let message = format!("there is no day `{}`", text("until"));
            return self.fail(Diagnostic::error("wrong-format", message).at(last.place));
        };
        let place = hazard.place;
        Some(Accept {
            hazard: name.to_owned(),
            reason: text("reason"),
            by: text("by"),
            until,
            place,
        })
    }
}

/// That something else than an object's key was handed in.
fn no_key(name: &str, what: &str, node: &Node) -> Diagnostic {
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    let found = match node.kind_name() {
        "null" => "null".to_owned(),
        kind => format!("a {kind}"),
    };
    let message = format!("`{name}`: expected the key of {article} {what}, found {found}");
    let problem = Diagnostic::error("wrong-type", message).at(node.place);
    let is_scalar = node.as_float().is_some() || node.as_bool().is_some();
    if is_scalar { problem.help("quote it") } else { problem }
}

/// That an action has no such parameter, and which may be meant.
fn unknown_argument(action: &Action, name: &str) -> Diagnostic {
    let message = format!("the action `{}` has no parameter `{name}`", action.id);
    let problem = Diagnostic::error("unknown-parameter", message);
    if action.params.iter().any(|param| *param.name == *name) {
        return problem.help(format!(
            "it is a setting for all steps: `--param {}.{name}=VALUE`, or in `dpmguard.yaml`",
            action.id
        ));
    }
    let names = || action.args.iter().map(|arg| &*arg.name);
    let all: Vec<&str> = names().collect();
    problem.suggest_name(name, names()).help(format!("its parameters: {}", all.join(", ")))
}
