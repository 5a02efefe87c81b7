//! The parts of a rule: one for each member of its first list.

use std::sync::Arc;

use crate::eval::judge::RuleResult;
use crate::expr::eval::{Env, NoVerdicts, View};
use crate::facts::change::Change;
use crate::facts::model::KindId;
use crate::facts::value::{Fact, List, ObjectId, Reach, Value};
use crate::rule::clause::params_value;
use crate::rule::pack::RuleSet;
use crate::rule::{Binding, Rule};

/// The members of a rule's first list, and whether there may be more.
pub(super) fn members(rule: &Rule, set: &RuleSet, view: &Arc<View>) -> (Vec<ObjectId>, bool) {
    let Some(pack) = set.packs.get(rule.pack) else { return (Vec::new(), true) };
    let Some(Binding::Each { list, .. }) = rule.select.first() else {
        // It has no list: all of it is one part, under a name that means nothing.
        return (vec![ObjectId { kind: KindId(0), row: 0 }], false);
    };
    let mut env = Env::new(view, &pack.scripts, &NoVerdicts, rule.slots);
    env.bind(0, Ok(params_value(&rule.params)));
    let Ok(Value::List(List { items, reach })) = env.eval(list) else { return (Vec::new(), true) };
    let object = |fact: &Fact| match fact {
        Fact::Known { value: Value::Object(id), .. } => Some(*id),
        _ => None,
    };
    let known: Vec<ObjectId> = items.iter().filter_map(object).collect();
    let is_open = matches!(reach, Reach::Open(_)) || known.len() < items.len();
    (known, is_open)
}

/// Whether nothing follows from the one that does not follow from the other, causes and all.
pub(super) fn is_like(a: &RuleResult, b: &RuleResult) -> bool {
    !differs(a, b)
        && a.standing.len() == b.standing.len()
        && a.standing.iter().zip(&b.standing).all(|(a, b)| {
            a.fingerprint == b.fingerprint
                && a.message == b.message
                && a.objects == b.objects
                && a.changes.iter().map(Change::target).eq(b.changes.iter().map(Change::target))
        })
}

/// The results of all parts of a rule.
pub(super) fn together<'p>(
    parts: impl Iterator<Item = &'p RuleResult>,
    is_open: bool,
) -> RuleResult {
    let mut all = RuleResult { undecided_anywhere: is_open, ..RuleResult::default() };
    for part in parts {
        all.violated.extend(&part.violated);
        all.undecided.extend(&part.undecided);
        all.undecided_anywhere |= part.undecided_anywhere;
        all.standing.extend(part.standing.iter().cloned());
    }
    all
}

/// Whether another rule that asks this one could see a difference.
pub(super) fn differs(a: &RuleResult, b: &RuleResult) -> bool {
    a.violated != b.violated
        || a.undecided != b.undecided
        || a.undecided_anywhere != b.undecided_anywhere
}
