//! What an action does to the facts, and when: declared in its file, so that a plan can be judged
//! before anybody moves anything.

use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check;
use crate::expr::template::Template;
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{KindId, Origin, Record, Type};
use crate::rule::automatic::Automatic;
use crate::rule::clause::{Reader, text, transpose};
use crate::source::Node;

/// When an effect happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// When the step begins.
    Start,
    /// While it runs: when it ends, the fact is what it was before, unless somebody else has changed it.
    Meanwhile,
    /// When it ends.
    End,
    /// When it is tried and cannot begin.
    Refused,
}

/// A change of facts.
#[derive(Clone, Debug)]
pub struct Effect {
    /// When it happens.
    pub at: Moment,
    /// Whether it may happen and need not.
    pub may: bool,
    /// Slot and list of the members for each of which it happens, where there are several.
    pub each: Option<(usize, Expr)>,
    /// Only if it is true.
    pub when: Option<Expr>,
    /// What changes.
    pub what: EffectKind,
    /// Where it is declared.
    pub place: Place,
}

/// What changes.
#[derive(Clone, Debug)]
pub enum EffectKind {
    /// A fact gets a value.
    Set {
        /// The fact.
        fact: Expr,
        /// Its new value.
        to: Expr,
    },
    /// A fact is no longer known.
    Forget {
        /// The fact.
        fact: Expr,
    },
    /// A list of records is made anew.
    Fill {
        /// The list.
        fact: Expr,
        /// How many fields its records have.
        width: usize,
        /// Its members.
        members: Vec<Members>,
    },
    /// A record is added to a list of them.
    Append {
        /// The list.
        fact: Expr,
        /// How many fields its records have.
        width: usize,
        /// The record.
        with: Vec<(usize, Expr)>,
    },
    /// There is a new object.
    Add {
        /// Its kind.
        kind: KindId,
        /// Positions and values of its fields.
        with: Vec<(usize, Expr)>,
    },
    /// An object is gone.
    Remove {
        /// Which.
        object: Expr,
    },
}

/// Members of a list that is made anew.
#[derive(Clone, Debug)]
pub struct Members {
    /// Slot and list of the objects for each of which there is one; else there is one.
    pub each: Option<(usize, Expr)>,
    /// Only if it is true.
    pub when: Option<Expr>,
    /// Positions and values of the record's fields.
    pub with: Vec<(usize, Expr)>,
}

/// The action that takes back what another did.
#[derive(Clone, Debug)]
pub struct Undo {
    /// Its id.
    pub action: String,
    /// Its arguments, with the values before the step.
    pub with: Vec<(String, Expr)>,
    /// Where it is named.
    pub place: Place,
}

/// What planning needs to know of an action.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// What must hold when it begins, and what is said where it does not.
    pub requires: Vec<(Expr, Template)>,
    /// Whether it needs an operator all the time.
    pub occupies_operator: bool,
    /// Objects, or lists of them, that nothing else may use while it runs.
    pub locks: Vec<Expr>,
    /// Objects, or lists of them, whose locks it respects.
    pub uses: Vec<Expr>,
    /// Position of the argument whose object it checks.
    pub checks: Option<usize>,
    /// What it does to the facts.
    pub effects: Vec<Effect>,
    /// When it is done already.
    pub done_when: Option<Expr>,
    /// What takes it back.
    pub undo: Option<Undo>,
    /// Why nothing that facts show is changed by it.
    pub manual: Option<String>,
    /// When it happens by itself.
    pub automatic: Vec<Automatic>,
}

impl Reader<'_> {
    pub(super) fn course(&mut self, root: &Node, args: &[&str]) -> Option<Course> {
        let mut requires = Vec::new();
        for node in list(root, "requires") {
            let that = node.get("that").and_then(|node| self.guard(node));
            let otherwise = node.get("else").and_then(|node| self.template(node));
            // What must hold when it begins holds for its effects.
            requires.push(that.zip(otherwise));
        }
        let locks: Vec<Option<Expr>> =
            list(root, "locks").iter().map(|node| self.objects(node)).collect();
        let uses: Vec<Option<Expr>> =
            list(root, "uses").iter().map(|node| self.objects(node)).collect();
        let mut effects = Vec::new();
        for node in list(root, "effects") {
            let mark = self.scope.mark();
            effects.push(self.effect(node));
            self.scope.rewind(mark);
        }
        let done_when = root.get("done_when").map(|node| self.condition(node));
        let undo = root.get("undo").map(|node| self.undo(node));
        let checks = root.get("checks").map(|node| self.checks(node, args));
        let is_check = text(root, "role") == "check";
        let lane = root.get("lane").and_then(Node::as_str);
        let automatic = self.automatics(root);
        let manual = root.get("manual").and_then(Node::as_str).map(str::to_owned);
        Some(Course {
            requires: requires.into_iter().collect::<Option<_>>()?,
            occupies_operator: lane.map_or(!is_check, |lane| lane == "operator"),
            locks: locks.into_iter().collect::<Option<_>>()?,
            uses: uses.into_iter().collect::<Option<_>>()?,
            checks: transpose(checks)?,
            effects: effects.into_iter().collect::<Option<_>>()?,
            done_when: transpose(done_when)?,
            undo: transpose(undo)?,
            manual,
            automatic: automatic?,
        })
    }

    fn checks(&mut self, node: &Node, args: &[&str]) -> Option<usize> {
        let found = args.iter().position(|name| Some(*name) == node.as_str());
        if found.is_none() {
            let message = "`checks` must name a parameter";
            let problem = Diagnostic::error("unknown-name", message).at(node.place);
            let wanted = node.as_str().unwrap_or_default();
            self.problems.push(problem.suggest(wanted, args.iter().copied()));
        }
        found
    }

    fn undo(&mut self, node: &Node) -> Option<Undo> {
        let mut with = Vec::new();
        for entry in node.get("with").and_then(Node::as_map).unwrap_or_default() {
            with.push(self.expr(&entry.node).map(|expr| (entry.key.to_string(), expr)));
        }
        let place = node.get("action")?.place;
        Some(Undo {
            action: text(node, "action"),
            with: with.into_iter().collect::<Option<_>>()?,
            place,
        })
    }

    /// An expression that names an object, or null.
    fn object(&mut self, node: &Node) -> Option<Expr> {
        let expr = self.expr(node)?;
        match expr.ty.required() {
            Type::Object(_) => Some(expr),
            other => {
                let message =
                    format!("an object is needed here, this is {}", self.model().say(other));
                self.problems.push(Diagnostic::error("wrong-type", message).at(node.place));
                None
            }
        }
    }

    /// An expression that names an object, null, or a list of objects.
    fn objects(&mut self, node: &Node) -> Option<Expr> {
        let expr = self.expr(node)?;
        let is_object = |ty: &Type| matches!(ty.required(), Type::Object(_));
        match expr.ty.required() {
            ty if is_object(ty) => Some(expr),
            Type::List(item) if is_object(item) => Some(expr),
            other => {
                let said = self.model().say(other);
                let message =
                    format!("an object or a list of objects is needed here, this is {said}");
                self.problems.push(Diagnostic::error("wrong-type", message).at(node.place));
                None
            }
        }
    }

    fn effect(&mut self, node: &Node) -> Option<Effect> {
        let each = self.members(node)?;
        let when = node.get("when").map(|node| self.guard(node));
        let what = self.effect_kind(node);
        let at = node.get("at").filter(|at| at.as_str() == Some("meanwhile"));
        if let Some(at) = at
            && node.get("set").is_none()
            && node.get("fill").is_none()
        {
            let message = "only `set` and `fill` can be taken back at the end of a step";
            self.problems.push(Diagnostic::error("not-meanwhile", message).at(at.place));
        }
        Some(Effect {
            at: match node.get("at").and_then(Node::as_str) {
                Some("start") => Moment::Start,
                Some("meanwhile") => Moment::Meanwhile,
                Some("refused") => Moment::Refused,
                _ => Moment::End,
            },
            may: node.get("how").and_then(Node::as_str) == Some("may"),
            each,
            when: transpose(when)?,
            what: what?,
            place: node.place,
        })
    }

    fn effect_kind(&mut self, node: &Node) -> Option<EffectKind> {
        if let Some(target) = node.get("set") {
            let fact = self.made(target)?;
            let to = self.value_for(node.get("to")?, &fact.ty.clone())?;
            return Some(EffectKind::Set { fact, to });
        }
        if let Some(target) = node.get("forget") {
            return Some(EffectKind::Forget { fact: self.fact(target)? });
        }
        if let Some(target) = node.get("fill") {
            let fact = self.fact(target)?;
            let record = self.record_of(&fact, target)?;
            let mut members = Vec::new();
            for member in list(node, "members") {
                let mark = self.scope.mark();
                members.push(self.members_of(member, &record));
                self.scope.rewind(mark);
            }
            let members = members.into_iter().collect::<Option<_>>()?;
            return Some(EffectKind::Fill { fact, width: record.fields.len(), members });
        }
        if let Some(target) = node.get("append") {
            let fact = self.fact(target)?;
            let record = self.record_of(&fact, target)?;
            let with = self.fields(node.get("with")?, &record)?;
            return Some(EffectKind::Append { fact, width: record.fields.len(), with });
        }
        if let Some(kind) = node.get("add") {
            let kind = self.kind(kind.as_str()?, kind.place)?;
            let record = self.model().kind(kind)?.record.clone();
            let with = self.fields(node.get("with")?, &record)?;
            self.key_is_given(kind, &with, node);
            return Some(EffectKind::Add { kind, with });
        }
        let object = self.object(node.get("remove")?)?;
        Some(EffectKind::Remove { object })
    }

    fn members_of(&mut self, node: &Node, record: &Record) -> Option<Members> {
        let each = self.members(node)?;
        let when = node.get("when").map(|node| self.guard(node));
        let with = self.fields(node.get("with")?, record);
        Some(Members { each, when: transpose(when)?, with: with? })
    }

    /// As [`Self::fact`], in records that need not be there: the effect makes them.
    fn made(&mut self, node: &Node) -> Option<Expr> {
        let (mark, world) = (self.scope.mark(), self.context.world);
        let text = Self::source_of(node);
        for (dot, _) in text.match_indices('.') {
            let Some(before) = text.get(..dot) else { continue };
            let is_record = check::check(before, &mut self.scope.clone(), world).is_ok_and(
                |known| matches!(&known.ty, Type::Optional(inner) if matches!(**inner, Type::Record(_))),
            );
            let there = format!("{before} != ()");
            if is_record && let Ok(there) = check::condition(&there, &mut self.scope.clone(), world)
            {
                self.scope.assume(&there);
            }
        }
        let fact = self.fact(node);
        self.scope.rewind(mark);
        fact
    }

    /// A field of an object, or of a record in one, that stands in fact files.
    fn fact(&mut self, node: &Node) -> Option<Expr> {
        let expr = self.expr(node)?;
        let Some(derived) = self.is_derived(&expr) else {
            let message = "only a fact can change: `object.field`";
            self.problems.push(Diagnostic::error("wrong-type", message).at(node.place));
            return None;
        };
        if let Some(list) = in_list(&expr) {
            let message = format!("`{}` is in a record of a list", Self::source_of(node));
            let place = self.context.sources.inside(node, list.at.clone());
            let problem = Diagnostic::error("record-of-a-list", message).at(place);
            let help = "one record of a list cannot be changed alone: make the list anew with \
                `fill`, one member for each of it, or `set` all of it";
            self.problems.push(problem.help(help));
            return None;
        }
        if derived {
            let message = format!("`{}` follows from other facts", Self::source_of(node));
            let problem = Diagnostic::error("derived-fact", message).at(node.place);
            self.problems.push(problem.help("change the facts that it follows from"));
            return None;
        }
        Some(expr)
    }

    /// Whether a field follows from others; none for what is no field.
    fn is_derived(&self, expr: &Expr) -> Option<bool> {
        let ExprKind::Field { positions, .. } = &expr.kind else { return None };
        let derived = positions.iter().any(|(kind, position)| {
            let kind = kind.and_then(|kind| self.model().kind(kind));
            kind.and_then(|kind| kind.record.fields.get(*position)).is_some_and(|field| {
                matches!(field.origin, Origin::Inverse { .. } | Origin::Within { .. })
            })
        });
        Some(derived)
    }

    fn record_of(&mut self, fact: &Expr, node: &Node) -> Option<Record> {
        if let Type::List(item) = fact.ty.required()
            && let Type::Record(record) = item.required()
        {
            return Some((**record).clone());
        }
        let said = self.model().say(&fact.ty);
        let message = format!("a list of records is needed here, this is {said}");
        let problem = Diagnostic::error("wrong-type", message).at(node.place);
        self.problems.push(problem.help("other lists are changed with `set`"));
        None
    }

    /// Values for fields, by their names.
    fn fields(&mut self, node: &Node, record: &Record) -> Option<Vec<(usize, Expr)>> {
        let mut all = Vec::new();
        for entry in node.as_map().unwrap_or_default() {
            let Some((position, field)) = record.field(&entry.key) else {
                let message = format!("`{}` has no field `{}`", record.name, entry.key);
                let problem = Diagnostic::error("unknown-field", message).at(entry.key_place);
                self.problems.push(problem.suggest(&entry.key, record.names()));
                all.push(None);
                continue;
            };
            let value = self.value_for(&entry.node, &field.ty);
            all.push(value.map(|value| (position, value)));
        }
        all.into_iter().collect()
    }

    fn value_for(&mut self, node: &Node, ty: &Type) -> Option<Expr> {
        let source = Self::source_of(node);
        let result = check::typed(&source, ty, &mut self.scope, self.context.world);
        self.checked(node, result).map(|expr| self.noted(node, expr))
    }

    fn key_is_given(&mut self, kind: KindId, with: &[(usize, Expr)], node: &Node) {
        let Some(kind) = self.model().kind(kind) else { return };
        let missing: Vec<&str> = kind
            .key
            .iter()
            .filter(|(field, is_optional)| {
                !is_optional && !with.iter().any(|(given, _)| given == field)
            })
            .filter_map(|(field, _)| kind.record.fields.get(*field))
            .map(|field| &*field.name)
            .collect();
        if !missing.is_empty() {
            let message = format!("a new {} needs its key: {}", kind.name, missing.join(", "));
            let place = node.get("add").map_or(node.place, |node| node.place);
            self.problems.push(Diagnostic::error("missing-key", message).at(place));
        }
    }
}

/// What a record is taken out of, if it stands neither in an object nor in a record of one.
fn in_list(fact: &Expr) -> Option<&Expr> {
    let ExprKind::Field { base, positions, .. } = &fact.kind else { return Some(fact) };
    if positions.iter().all(|(kind, _)| kind.is_none()) { in_list(base) } else { None }
}

fn list<'n>(root: &'n Node, key: &str) -> &'n [Node] {
    root.get(key).and_then(Node::as_list).unwrap_or_default()
}
