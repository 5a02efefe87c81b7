//! What being protected means in a pack's domain.

use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::expr::check::{self, Scope, World};
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{KindId, Model, Type};
use crate::rule::action::Action;
use crate::rule::effect::EffectKind;
use crate::rule::pack::kind;
use crate::source::{Node, Sources};

/// What being protected means in the pack's domain.
#[derive(Clone, Debug)]
pub struct Protection {
    /// The kind of object that is protected.
    pub kind: KindId,
    /// Its state, with the object in slot 0.
    pub state: Expr,
    /// States in which it is protected.
    pub good: Vec<String>,
    /// States in which it is not.
    pub bad: Vec<String>,
    /// States that end by themselves.
    pub busy: Vec<String>,
    /// Kinds of the places where repairs are done, in the order in which they are.
    pub repair_order: Vec<KindId>,
    /// When its newest recovery point was made, with the object in slot 0.
    pub newest_point: Option<Expr>,
    /// How many checks run side by side.
    pub checks: Checks,
    /// How much its time without protection counts.
    pub weights: Option<Weights>,
}

/// How much time without protection counts, by what its owner says of an object.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The tier, 1 the most important, with the object in slot 0.
    pub tier: Expr,
    /// The weight of each tier, the first first; the last one is that of an object of which nobody says it.
    pub by: Vec<i64>,
}

impl Protection {
    /// Whether an action makes a recovery point: it sets the fact that tells of the newest one.
    #[must_use]
    pub fn makes_point(&self, action: &Action) -> bool {
        let Some(ExprKind::Field { positions: newest, .. }) =
            self.newest_point.as_ref().map(|path| &path.kind)
        else {
            return false;
        };
        action.course.effects.iter().any(|effect| match &effect.what {
            EffectKind::Set { fact, .. } => {
                matches!(&fact.kind, ExprKind::Field { positions, .. } if positions == newest)
            }
            _ => false,
        })
    }
}

impl Weights {
    /// The weight of a tier, or where it is not known.
    #[must_use]
    pub fn of(&self, tier: Option<i64>) -> i64 {
        let known =
            tier.and_then(|tier| usize::try_from(tier).ok()).and_then(|tier| tier.checked_sub(1));
        let weight = known.and_then(|place| self.by.get(place)).or(self.by.last());
        weight.copied().unwrap_or(1)
    }
}

/// How many checks run side by side.
#[derive(Clone, Debug)]
pub struct Checks {
    /// The object that has the slots, with the protected one in slot 0.
    pub owner: Option<Expr>,
    /// How many there are.
    pub slots: Option<Expr>,
    /// How many, where that is not known.
    pub default_slots: usize,
}

/// Reads the block `protection` of a pack.
pub(super) fn protection(
    sources: &Sources,
    model: &Model,
    node: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Option<Protection> {
    let kind_of = kind(model, node.get("kind")?, problems)?;
    let order = node.get("repair_order").and_then(Node::as_list).unwrap_or_default();
    let repair_order = order.iter().filter_map(|name| kind(model, name, problems)).collect();
    let mut path = |node: &Node| path_of(sources, model, kind_of, node, problems);
    let state = path(node.get("state")?)?;
    let newest_point = node.get("newest_recovery_point").and_then(&mut path);
    let weights = node.get("weights");
    let tier = weights.and_then(|weights| weights.get("tier")).and_then(&mut path);
    let by = weights.and_then(|weights| weights.get("by")).and_then(Node::as_list);
    let by = by.unwrap_or_default().iter().filter_map(Node::as_int).collect();
    let weights = tier.map(|tier| Weights { tier, by });
    let checks = node.get("checks");
    let owner = checks.and_then(|checks| checks.get("owner")).and_then(&mut path);
    let slots = checks.and_then(|checks| checks.get("slots")).and_then(&mut path);
    let default_slots = checks.and_then(|checks| checks.get("default_slots"));
    let default_slots = default_slots.and_then(Node::as_int).and_then(|n| usize::try_from(n).ok());
    let mut states = |key: &str| {
        let list = node.get(key).and_then(Node::as_list).unwrap_or_default();
        list.iter()
            .filter_map(|item| {
                let name = item.as_str()?;
                if let Type::Enum(members) = state.ty.required()
                    && !members.iter().any(|member| &**member == name)
                {
                    let message = format!("`{name}` is not one of the values it can have");
                    let problem = Diagnostic::error("not-a-member", message).at(item.place);
                    problems.push(problem.suggest(name, members.iter().map(|member| &**member)));
                }
                Some(name.to_owned())
            })
            .collect::<Vec<String>>()
    };
    let (good, bad, busy) = (states("good"), states("bad"), states("busy"));
    let checks = Checks { owner, slots, default_slots: default_slots.unwrap_or(1) };
    Some(Protection {
        kind: kind_of,
        state,
        good,
        bad,
        busy,
        repair_order,
        newest_point,
        checks,
        weights,
    })
}

/// A path of fields, with dots, on an object of a kind.
fn path_of(
    sources: &Sources,
    model: &Model,
    kind: KindId,
    node: &Node,
    problems: &mut Vec<Diagnostic>,
) -> Option<Expr> {
    let mut scope = Scope::default();
    scope.bind("object", Type::Object(Arc::new([kind])));
    // The path is an expression on the object; 7 characters stand before it.
    let text = format!("object.{}", node.as_str()?);
    match check::check(&text, &mut scope, World { model, scripts: &[], tables: &[] }) {
        Ok(path) => Some(path),
        Err(found) => {
            for problem in found {
                let at = problem.at.start.saturating_sub(7)..problem.at.end.saturating_sub(7);
                let mut diagnostic =
                    Diagnostic::error(problem.code, problem.message).at(sources.inside(node, at));
                diagnostic.help = problem.help;
                problems.push(diagnostic);
            }
            None
        }
    }
}
