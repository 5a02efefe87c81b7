//! What happened, one thing after the other, with the facts that it changed.

use std::collections::BTreeSet;

use crate::facts::change::Before;
use crate::facts::model::Origin;
use crate::facts::value::Fact;
use crate::plan::simulate::ledger::Ledger;
use crate::plan::trace::{Event, FactChange, Happening};
use crate::plan::world::World;

impl Ledger {
    pub(super) fn happen(&mut self, time: i64, step: Option<usize>, what: Happening) {
        self.events.push(Event { time, step, what, changes: Vec::new() });
    }

    /// Facts were changed: each of them once, from what was before the first change to what is now.
    pub(in crate::plan::simulate) fn changes(
        &mut self,
        world: &World<'_>,
        time: i64,
        step: Option<usize>,
        what: Happening,
        before: Vec<Before>,
    ) {
        let added: BTreeSet<_> = before
            .iter()
            .filter_map(|one| match one {
                Before::Added(object) => Some(*object),
                _ => None,
            })
            .collect();
        let mut seen = BTreeSet::new();
        let mut changes = Vec::new();
        for one in before {
            match one {
                Before::Field(object, field, from) => {
                    // The facts of a new object are told with it.
                    if added.contains(&object) || !seen.insert((object, field)) {
                        continue;
                    }
                    changes.extend(changed(world, object, field, from));
                }
                Before::Added(object) if world.facts.holds(object) => {
                    changes.push(FactChange::Added(object, world.facts.object_to_json(object)));
                }
                Before::Removed(object) if !added.contains(&object) => {
                    changes.push(FactChange::Removed(object, world.facts.object_to_json(object)));
                }
                Before::Added(_) | Before::Removed(_) => {}
            }
        }
        // Whoever takes an object away has changed its facts before.
        changes.sort_by_key(|change| matches!(change, FactChange::Removed(..)));
        if !changes.is_empty() {
            self.events.push(Event { time, step, what, changes });
        }
    }
}

/// A field that is different now, if fact files hold it.
fn changed(
    world: &World<'_>,
    object: crate::facts::value::ObjectId,
    field: usize,
    from: Fact,
) -> Option<FactChange> {
    let known = world.facts.kind_of(object)?.record.fields.get(field)?;
    let is_read = matches!(known.origin, Origin::Read | Origin::Reference { .. });
    let to = world.facts.fact(object, field)?.clone();
    is_read.then_some(FactChange::Field(object, field, from, to))
}
