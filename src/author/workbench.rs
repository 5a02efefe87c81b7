//! An expression tried on facts: its type, its value, and the facts that it read.
//!
//! A [`Workbench`] holds the names that expressions can use: those that somebody bound, and those of a
//! rule whose scope was entered. Nothing here reads or writes; `cli::eval` does.

mod record;
mod show;

use std::sync::Arc;

use crate::author::complete::Context;
use crate::author::workbench::record::Bindings;
use crate::eval;
use crate::expr::check::{self, Constant, Problem, Scope, Signature, World};
use crate::expr::eval::{Env, NoVerdicts, Outcome, Unknown, Verdicts, View, Watch};
use crate::expr::print::Printer;
use crate::expr::script::Scripts;
use crate::expr::syntax;
use crate::expr::tree::Expr;
use crate::facts::model::{Model, Type};
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::{Absence, ObjectId, Value};
use crate::finding::{Subject, Verdict};
use crate::rule::pack::RuleSet;
use crate::rule::{Rule, clause};
use crate::source::Node;

pub use record::{Recorder, Seen, SeenValue, Step};
pub use show::Shower;

/// What expressions are tried on.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// The fact model.
    pub model: &'a Model,
    /// The rules.
    pub set: &'a RuleSet,
    /// The facts.
    pub facts: &'a Arc<Facts>,
    /// Whether there are any: without, expressions are checked, and evaluated where they need none.
    pub has_facts: bool,
    /// The instant of the run.
    pub now: &'a Instant,
    /// Seconds after which facts count as not known.
    pub max_age: Option<i64>,
}

/// What a name stands for.
#[derive(Clone, Debug)]
enum Origin {
    /// A value that was given.
    Value(Outcome),
    /// An expression; evaluated anew each time, so that paths of facts lead through it.
    Expr(Arc<Expr>),
}

/// How a rule has bound all its names once.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The object that its verdict is about.
    pub subject: Subject,
    /// The values, by slot.
    values: Vec<(usize, Outcome)>,
}

/// A checked expression.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The tree.
    pub expr: Arc<Expr>,
    /// How many names it needs.
    slots: usize,
}

/// What came of an expression.
#[derive(Debug)]
pub struct Trial {
    /// The value, or why it is not known.
    pub value: Outcome,
    /// The facts that were read, each once, in order.
    pub seen: Vec<Seen>,
    /// What each part of the expression was.
    pub steps: Vec<Step>,
}

/// Names, and the facts as they are seen.
#[derive(Debug)]
pub struct Workbench<'a> {
    ground: Ground<'a>,
    tables: Vec<Constant>,
    tags: Vec<Arc<str>>,
    scope: Scope,
    origins: Vec<(usize, Origin)>,
    /// Names that may be bound again.
    own: Vec<String>,
    rule: Option<Arc<Rule>>,
    pack: usize,
    view: Arc<View>,
}

impl<'a> Workbench<'a> {
    /// Without names, with the functions of the last pack that has some.
    #[must_use]
    pub fn new(ground: Ground<'a>) -> Self {
        let tables = ground.set.tables.iter().map(|table| table.constant.clone()).collect();
        let mut tags: Vec<Arc<str>> =
            ground.set.rules.iter().flat_map(|rule| rule.tags.iter().cloned()).collect();
        tags.sort_unstable();
        tags.dedup();
        let has_functions = |position: &usize| {
            ground
                .set
                .packs
                .get(*position)
                .is_some_and(|pack| !pack.scripts.signatures().is_empty())
        };
        let pack = (0..ground.set.packs.len()).rev().find(has_functions).unwrap_or(0);
        let view = eval::view(None, ground.facts, ground.now, ground.max_age);
        let (scope, origins, own) = (Scope::default(), Vec::new(), Vec::new());
        Self { ground, tables, tags, scope, origins, own, rule: None, pack, view }
    }

    /// What expressions are tried on.
    #[must_use]
    pub fn ground(&self) -> Ground<'a> {
        self.ground
    }

    /// The rule whose scope was entered.
    #[must_use]
    pub fn rule(&self) -> Option<&Arc<Rule>> {
        self.rule.as_ref()
    }

    /// The names bound now, with their types.
    pub fn names(&self) -> impl Iterator<Item = (&str, &Type)> {
        let scope = &self.scope;
        scope.names().filter_map(|name| Some((name, scope.find(name)?.1)))
    }

    /// What an expression can name: for completion.
    #[must_use]
    pub fn context(&self) -> Context<'_> {
        Context { scope: &self.scope, world: self.world(), tags: &self.tags, expected: None }
    }

    /// The functions of the pack.
    #[must_use]
    pub fn functions(&self) -> &'a [Signature] {
        let pack = self.ground.set.packs.get(self.pack);
        pack.map(|pack| pack.scripts.signatures()).unwrap_or_default()
    }

    fn world(&self) -> World<'_> {
        World { model: self.ground.model, scripts: self.functions(), tables: &self.tables }
    }

    /// Checks an expression.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn check(&self, text: &str) -> Result<Checked, Vec<Problem>> {
        let mut scope = self.scope.clone();
        let expr = check::check(text, &mut scope, self.world())?;
        Ok(Checked { expr: Arc::new(expr), slots: scope.slots })
    }

    /// Evaluates a checked expression, with all names bound.
    #[must_use]
    pub fn evaluate(&self, checked: &Checked) -> Trial {
        let recorder = Recorder::new(self.ground.facts);
        let mut values = self.values(&[&checked.expr], checked.slots, Some(&recorder));
        let value = values.pop().unwrap_or_else(|| Err(unbound("the expression")));
        let mut names: Vec<(Arc<str>, usize)> =
            self.scope.bound().map(|(name, slot)| (name.clone(), slot)).collect();
        checked.expr.closures(&mut names);
        let tables: Vec<&Constant> = self.tables.iter().collect();
        let printer = Printer { names: &names, model: self.ground.model, tables: &tables };
        let steps = recorder.steps(&checked.expr, &printer);
        Trial { value, seen: recorder.seen(), steps }
    }

    /// The values of expressions, with all names bound.
    fn values(&self, exprs: &[&Expr], slots: usize, watch: Option<&Recorder<'_>>) -> Vec<Outcome> {
        let mut asked = Vec::new();
        for expr in exprs {
            expr.tags(&mut asked);
        }
        for (_, origin) in &self.origins {
            if let Origin::Expr(expr) = origin {
                expr.tags(&mut asked);
            }
        }
        let wanted = |rule: &Rule| asked.iter().any(|(tag, _)| rule.tags.contains(tag));
        let Ground { set, facts, now, max_age, .. } = self.ground;
        let ledger = (!asked.is_empty()).then(|| eval::ledger(facts, set, now, max_age, &wanted));
        let verdicts: &dyn Verdicts = match &ledger {
            Some(ledger) => ledger,
            None => &NoVerdicts,
        };
        let none = Scripts::default();
        let scripts = set.packs.get(self.pack).map_or(&none, |pack| &pack.scripts);
        let watch = watch.map(|recorder| recorder as &dyn Watch);
        let mut env = Env::new(&self.view, scripts, verdicts, slots).watched(watch);
        env.unwatched(|env| {
            for (slot, origin) in &self.origins {
                env.new_clause();
                match origin {
                    Origin::Value(value) => env.bind(*slot, value.clone()),
                    Origin::Expr(expr) => env.bind_let(*slot, expr),
                }
            }
        });
        let each = exprs.iter().map(|expr| {
            env.new_clause();
            env.eval(expr)
        });
        each.collect()
    }

    /// Binds a name to the value of an expression; the answer is its type.
    ///
    /// A value that is known and not null needs no guard from here on.
    ///
    /// # Errors
    ///
    /// What is wrong with the expression, or with the name (then nothing else is said).
    pub fn bind(&mut self, name: &str, text: &str) -> Result<Type, BindProblem> {
        self.free(name).map_err(BindProblem::Name)?;
        let checked = self.check(text).map_err(BindProblem::Expression)?;
        let value = self.values(&[&checked.expr], checked.slots, None).pop();
        let ty = match (&value, &checked.expr.ty) {
            (Some(Ok(value)), Type::Optional(inner)) if !matches!(value, Value::Null) => {
                (**inner).clone()
            }
            (_, ty) => ty.clone(),
        };
        self.forget(name);
        // The slots of its closures are taken as well: they are used again whenever it is evaluated.
        self.scope.slots = checked.slots;
        let slot = self.scope.bind(name, ty.clone());
        self.origins.push((slot, Origin::Expr(checked.expr)));
        self.own.push(name.to_owned());
        Ok(ty)
    }

    /// Binds a name to an object; a name that is bound to one of that kind keeps its slot.
    ///
    /// # Errors
    ///
    /// As [`Workbench::bind`].
    pub fn bind_object(&mut self, name: &str, object: ObjectId) -> Result<(), NameProblem> {
        self.free(name)?;
        let value = Origin::Value(Ok(Value::Object(object)));
        let ty = Type::Object(Arc::new([object.kind]));
        // What was checked with the name stays right: the next object takes the slot of the last one.
        if let Some((slot, _)) = self.scope.find(name).filter(|(_, known)| **known == ty)
            && let Some(known) = self.origins.iter_mut().find(|(known, _)| *known == slot)
        {
            known.1 = value;
            return Ok(());
        }
        self.forget(name);
        let slot = self.scope.bind(name, ty);
        self.origins.push((slot, value));
        self.own.push(name.to_owned());
        Ok(())
    }

    fn forget(&mut self, name: &str) {
        self.scope.unbind(name);
        self.own.retain(|own| own != name);
    }

    /// Whether a name can be bound: it means nothing yet, or was bound by hand.
    fn free(&self, name: &str) -> Result<(), NameProblem> {
        let world = self.world();
        let is_taken = name == "now"
            || world.model.kind_in(name).is_some()
            || world.model.singles().iter().any(|field| &*field.name == name)
            || world.tables.iter().any(|table| &*table.name == name)
            || (self.scope.find(name).is_some() && !self.own.iter().any(|own| own == name));
        match (is_taken, syntax::is_name(name)) {
            (true, _) => Err(NameProblem::Taken),
            (_, false) => Err(NameProblem::Reserved),
            _ => Ok(()),
        }
    }

    /// How a rule binds its names on the facts, and its verdicts.
    #[must_use]
    pub fn bindings(&self, rule: &Rule) -> (Vec<Bound>, Vec<Verdict>) {
        let Ground { set, facts, now, max_age, .. } = self.ground;
        let found = Bindings::new(rule, facts);
        let wanted = |other: &Rule| other.id == rule.id;
        let evaluation = eval::evaluate_observed(facts, set, now, max_age, &wanted, Some(&found));
        (found.bound(), evaluation.verdicts)
    }

    /// Enters the scope of a rule: its parameters, the names of `select` and `let`, and what its
    /// requirements say, as far as they hold. Other names are forgotten.
    pub fn enter(&mut self, rule: &Arc<Rule>, bound: Option<&Bound>) {
        let Ground { facts, now, max_age, .. } = self.ground;
        self.scope = rule.scope.clone();
        self.view = eval::view(Some(rule), facts, now, max_age);
        self.pack = rule.pack;
        self.own.clear();
        self.rule = Some(rule.clone());
        self.origins.clear();
        for (name, slot) in &rule.names {
            let value = bound.and_then(|bound| {
                bound.values.iter().find(|(known, _)| known == slot).map(|(_, value)| value.clone())
            });
            let origin = match rule.lets.iter().find(|(known, _)| known == slot) {
                Some((_, expr)) if bound.is_some() => Origin::Expr(Arc::new(expr.clone())),
                _ if *slot == 0 => Origin::Value(Ok(clause::params_value(&rule.params))),
                _ => Origin::Value(value.unwrap_or_else(|| Err(unbound(name)))),
            };
            self.origins.push((*slot, origin));
        }
        self.assume(rule);
    }

    /// Takes for granted what the rule requires, up to the first requirement that does not hold here.
    fn assume(&mut self, rule: &Rule) {
        let texts = rule.root.get("require").and_then(Node::as_list).unwrap_or_default();
        for ((that, _), node) in rule.require.iter().zip(texts) {
            let holds = self.values(&[that], rule.slots, None).pop();
            let text = node.get("that").map(clause::source_of).unwrap_or_default();
            let mut scope = self.scope.clone();
            match (holds, check::condition(&text, &mut scope, self.world())) {
                (Some(Ok(Value::Bool(true))), Ok(condition)) => self.scope.assume(&condition),
                _ => return,
            }
        }
    }
}

/// Why a name cannot be bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameProblem {
    /// It means something already.
    Taken,
    /// It is a word of the language, or no name at all.
    Reserved,
}

/// Why nothing was bound.
#[derive(Clone, Debug)]
pub enum BindProblem {
    /// The name.
    Name(NameProblem),
    /// The expression.
    Expression(Vec<Problem>),
}

/// A name that stands for nothing, for want of facts.
fn unbound(name: &str) -> Unknown {
    Unknown::new(name, Absence::NotCollected, None)
}
