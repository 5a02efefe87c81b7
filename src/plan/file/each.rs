//! `for_each`: one step for each member of a list.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::eval::missing;
use crate::expr::check::{self, Scope, World};
use crate::expr::eval::{Env, NoVerdicts, Outcome, Unknown, View};
use crate::expr::script::Scripts;
use crate::expr::template::{self, Piece, Template};
use crate::expr::tree::Expr;
use crate::facts::model::Type;
use crate::facts::store::Facts;
use crate::facts::value::{Absence, Fact, List, Reach, Value};
use crate::plan::file::Reader;
use crate::plan::file::step::{Block, Drafts};
use crate::rule::clause::{cannot_bind, placed, source_of};
use crate::source::{Entry, Node, Style, Value as Tree};

/// Most problems after which no more steps are made of a list: the rest will be like them.
const ENOUGH: usize = 200;

/// The texts of a step, by place.
type Templates = BTreeMap<Place, Template>;

/// A `for_each` whose expressions are right.
struct Each {
    list: Expr,
    slot: usize,
    slots: usize,
    templates: Templates,
}

impl<'a> Reader<'a> {
    /// A step for each member; where the list is not known, a plan cannot be made.
    pub(super) fn each(&mut self, node: &Node, block: Option<Block>, drafts: &mut Drafts) {
        let Some(each) = self.check_each(node) else {
            drafts.is_partial = true;
            return;
        };
        let view = Arc::new(View::new(self.context.facts.clone(), self.context.now.clone()));
        let without = Scripts::default();
        let scripts = self.scripts().unwrap_or(&without);
        let mut env = Env::new(&view, scripts, &NoVerdicts, each.slots);
        let place = node.get("in").map_or(node.place, |node| node.place);
        let Some(list) = self.members(&each.list, place, &mut env) else {
            drafts.is_partial = true;
            return;
        };
        if list.items.is_empty() {
            let message = "this list is empty, so there is no step";
            self.problems.push(Diagnostic::warning("nothing-to-do", message).at(place));
        }
        for (position, fact) in list.items.iter().enumerate() {
            let value = match fact {
                Fact::Known { value, .. } => value.clone(),
                Fact::Absent(_) if list.reach == Reach::KnownOnly => continue,
                Fact::Absent(why) => {
                    let what = format!("member {} of the list", position + 1);
                    self.not_known(&Unknown::new(what, why.clone(), None), place);
                    continue;
                }
            };
            if self.problems.len() > ENOUGH || !drafts.has_room(place, &mut self.problems) {
                drafts.is_partial = true;
                return;
            }
            env.bind_member(each.slot, Ok(value), &each.list, position);
            match self.filled(node, &each.templates, &mut env) {
                Some(node) => {
                    self.step(&node, block, drafts);
                    if let Some(step) = drafts.all.last_mut().and_then(|draft| draft.step.as_mut())
                    {
                        step.filled = Some(Arc::new(node));
                    }
                }
                None => drafts.is_partial = true,
            }
        }
    }

    /// The functions of the last pack that has some, as everywhere outside packs.
    fn scripts(&self) -> Option<&'a Scripts> {
        let rules = self.context.rules;
        let mut all = rules.packs.iter().rev().map(|pack| &pack.scripts);
        all.find(|scripts| !scripts.signatures().is_empty())
    }

    fn check_each(&mut self, node: &Node) -> Option<Each> {
        let (name, source) = (node.get("for_each")?, node.get("in")?);
        let tables = self.tables.clone();
        let model = self.context.facts.model();
        let scripts = self.scripts().map(Scripts::signatures).unwrap_or_default();
        let world = World { model, scripts, tables: &tables };
        let before = self.problems.len();
        let mut scope = Scope::default();
        let list = match check::check(&source_of(source), &mut scope, world) {
            Ok(list) => Some(list),
            Err(found) => {
                self.problems.extend(placed(self.context.sources, source, found));
                None
            }
        };
        let item = list.as_ref().and_then(|list| match &list.ty {
            Type::List(item) => Some((**item).clone()),
            other => {
                let message = format!("a list is needed here, this is {}", model.say(other));
                self.fail(Diagnostic::error("wrong-type", message).at(source.place))
            }
        });
        let text = name.as_str()?;
        let taken = cannot_bind(text, name.place, &scope, world);
        if !taken.is_empty() {
            // What is called by another name then would be complained of everywhere.
            self.problems.extend(taken);
            return None;
        }
        let slot = match item {
            Some(item) => scope.bind(text, item),
            None => scope.bind_broken(text),
        };
        let mut templates = Templates::new();
        for key in ["id", "with", "after"] {
            if let Some(node) = node.get(key) {
                self.templates(node, &mut scope, world, &mut templates);
            }
        }
        if self.problems.len() > before {
            return None;
        }
        Some(Each { list: list?, slot, slots: scope.slots, templates })
    }

    fn templates(
        &mut self,
        node: &Node,
        scope: &mut Scope,
        world: World<'_>,
        templates: &mut Templates,
    ) {
        match &node.value {
            Tree::Text(text, _) if text.contains("${") => {
                match Template::check(text, scope, world) {
                    Ok(template) => drop(templates.insert(node.place, template)),
                    Err(found) => {
                        self.problems.extend(placed(self.context.sources, node, found));
                    }
                }
            }
            Tree::List(nodes) => {
                for node in nodes {
                    self.templates(node, scope, world, templates);
                }
            }
            Tree::Map(entries) => {
                for entry in entries {
                    self.templates(&entry.node, scope, world, templates);
                }
            }
            _ => {}
        }
    }

    /// The members, if it is known that these are all.
    fn members<'e>(&mut self, list: &'e Expr, place: Place, env: &mut Env<'e>) -> Option<List> {
        let unknown = match env.eval(list) {
            Ok(Value::List(list)) => match &list.reach {
                Reach::Open(name) => Unknown::new(name.clone(), Absence::Open(name.clone()), None),
                Reach::Complete | Reach::KnownOnly => return Some(list),
            },
            Ok(_) => return None,
            Err(unknown) => unknown,
        };
        let problem = said("unknown-list", "it is not known what is in this list", &unknown);
        let is_open = |why: &Absence| matches!(why, Absence::Open(_));
        let help = if unknown.reasons.iter().any(|reason| is_open(&reason.why)) {
            "a plan must know its objects: declare the collection `complete` in its fact file, \
            or go through `list.known_only()`"
        } else {
            "a plan must know its objects: collect these facts, or write the steps one by one"
        };
        let problem = problem.help(help);
        self.fail(problem.at(place))
    }

    /// The step for the member that is bound now.
    fn filled<'e>(
        &mut self,
        node: &Node,
        templates: &'e Templates,
        env: &mut Env<'e>,
    ) -> Option<Node> {
        let mut entries = Vec::new();
        let mut is_whole = true;
        for entry in node.as_map()? {
            let filled = match &*entry.key {
                "id" | "after" => fill(&entry.node, templates, env, true),
                "with" => fill(&entry.node, templates, env, false),
                _ => Ok(entry.node.clone()),
            };
            match filled {
                Ok(node) => entries.push(Entry { node, ..entry.clone() }),
                Err((place, unknown)) => {
                    self.not_known(&unknown, place);
                    is_whole = false;
                }
            }
        }
        is_whole.then_some(Node { value: Tree::Map(entries), place: node.place })
    }

    fn not_known(&mut self, unknown: &Unknown, place: Place) {
        let problem = said("unknown-value", "this is not known", unknown).at(place);
        self.problems.push(problem.help("collect it, or write the value into the plan"));
    }
}

/// What is not known, in a diagnostic.
fn said(code: &'static str, what: &str, unknown: &Unknown) -> Diagnostic {
    let gaps = missing(unknown);
    let why: Vec<String> =
        gaps.iter().take(3).map(|gap| format!("`{}`: {}", gap.fact, gap.why)).collect();
    let more = if gaps.len() > 3 { format!("; {} more", gaps.len() - 3) } else { String::new() };
    let message = format!("{what}: {}{more}", why.join("; "));
    let mut problem = Diagnostic::error(code, message);
    for place in gaps.iter().take(3).filter_map(|gap| gap.place) {
        problem = problem.related(place, "of this");
    }
    problem
}

/// A value with its texts filled in; names stay texts, other values keep their type.
fn fill<'e>(
    node: &Node,
    templates: &'e Templates,
    env: &mut Env<'e>,
    is_name: bool,
) -> Result<Node, (Place, Unknown)> {
    let mut inner = |node: &Node| fill(node, templates, env, is_name);
    let value = match &node.value {
        Tree::List(nodes) => Tree::List(nodes.iter().map(inner).collect::<Result<_, _>>()?),
        Tree::Map(entries) => {
            let entries = entries
                .iter()
                .map(|entry| Ok(Entry { node: inner(&entry.node)?, ..entry.clone() }));
            Tree::Map(entries.collect::<Result<_, _>>()?)
        }
        Tree::Text(text, style) => match templates.get(&node.place) {
            Some(template) => {
                env.new_clause();
                let only = template.exprs().next().filter(|_| !is_name && is_one_value(text));
                let filled = match only {
                    Some(expr) => {
                        env.eval(expr).and_then(|value| tree(&value, &env.view().facts, node))
                    }
                    None => template.fill(env).map(|text| Tree::Text(text.into(), *style)),
                };
                filled.map_err(|unknown| (node.place, unknown))?
            }
            None => node.value.clone(),
        },
        other => other.clone(),
    };
    Ok(Node { value, place: node.place })
}

/// Whether a text is `${...}` and nothing else.
fn is_one_value(text: &str) -> bool {
    matches!(template::pieces(text).as_slice(), [Piece::Value(_)])
}

/// A value as a plan would write it.
fn tree(value: &Value, facts: &Facts, node: &Node) -> Outcome<Tree> {
    Ok(match value {
        Value::Null => Tree::Null,
        Value::Bool(value) => Tree::Bool(*value),
        Value::Int(value) => Tree::Int(*value),
        Value::Float(value) => Tree::Float(*value),
        Value::List(list) => {
            let member = |fact: &Fact| match fact {
                Fact::Known { value, .. } => {
                    Ok(Node { value: tree(value, facts, node)?, place: node.place })
                }
                Fact::Absent(why) => Err(Unknown::new("a member", why.clone(), None)),
            };
            Tree::List(list.items.iter().map(member).collect::<Outcome<_>>()?)
        }
        other => Tree::Text(facts.say(other).into(), Style::Double),
    })
}
