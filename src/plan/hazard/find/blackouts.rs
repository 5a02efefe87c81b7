//! Steps while something must be left alone.

use std::collections::BTreeSet;

use crate::facts::model::KindId;
use crate::facts::store::Facts;
use crate::facts::value::{Fact, ObjectId, Value, fold};
use crate::plan::Blackout;
use crate::plan::hazard::find::Finder;
use crate::plan::insight::{Behind, may_reach, reach};
use crate::plan::world::bound;

impl Finder<'_> {
    /// A step meets a blackout if it is about the object, harms it, locks or uses it, or is about something
    /// that lies on it: a database on its volume, a check on the server that runs it.
    pub(super) fn blackouts(&mut self, position: usize) {
        let Some(step) = self.trace.steps.get(position) else { return };
        let (Some(start), Some(end)) = (step.start, step.end) else { return };
        let meets = |from: i64, to: i64| start < to && from < end.max(start + 1);
        let blackouts = self.given.plan.window.blackouts.iter();
        let blackouts: Vec<_> = blackouts.filter(|one| meets(one.from, one.to)).collect();
        if blackouts.is_empty() {
            return;
        }
        let meant = self.meant(position);
        let taken = self.taken(position);
        for blackout in blackouts {
            if !self.is_left_alone(blackout, &meant, &taken) {
                let mut keys = blackout.applies_to.iter();
                if let Some((key, missing)) =
                    keys.find_map(|key| Some((key, self.may_lie_on(key, &taken)?)))
                {
                    self.blackout_unknown(position, key, missing);
                }
                continue;
            }
            let message = format!(
                "{} runs from {} to {}, within a blackout ({})",
                self.named(position),
                self.time(start),
                self.time(end),
                blackout.why
            );
            let until = self.time(blackout.to);
            let help = format!("let it begin at the end of the blackout, {until}: `not_before`");
            if let Some(hazard) = self.add("plan-blackout", Some(position), message) {
                hazard.help.push(help);
            }
        }
    }

    /// The blackouts that hold for a step, whenever it runs.
    pub(in crate::plan::hazard) fn blackouts_of(&self, position: usize) -> Vec<(i64, i64)> {
        let (meant, taken) = (self.meant(position), self.taken(position));
        let all = self.given.plan.window.blackouts.iter();
        let of_it = all.filter(|blackout| self.is_left_alone(blackout, &meant, &taken));
        of_it.map(|blackout| (blackout.from, blackout.to)).collect()
    }

    /// Whether a blackout is about what a step is about, or takes.
    fn is_left_alone(
        &self,
        blackout: &Blackout,
        meant: &BTreeSet<String>,
        taken: &BTreeSet<ObjectId>,
    ) -> bool {
        let mut keys = blackout.applies_to.iter();
        blackout.applies_to.is_empty()
            || keys.any(|key| meant.contains(key) || self.lies_on(key, taken))
    }

    /// What a step is done to, or takes for itself.
    fn taken(&self, position: usize) -> BTreeSet<ObjectId> {
        let trace = self.trace.steps.get(position);
        let mut taken: BTreeSet<ObjectId> =
            trace.into_iter().flat_map(|step| step.needs.locks.iter().copied()).collect();
        let args = self.given.plan.steps.get(position).into_iter().flat_map(|step| &step.args);
        taken.extend(args.filter_map(|arg| match arg {
            Value::Object(object) => Some(*object),
            _ => None,
        }));
        taken
    }

    /// The objects of that key.
    fn keyed(&self, key: &str) -> BTreeSet<ObjectId> {
        let facts = self.given.facts;
        facts.model().kinds().iter().filter_map(|kind| facts.find(kind.id, key)).collect()
    }

    /// Whether something of that key lies on one of these objects: who restarts its server does not leave it alone.
    fn lies_on(&self, key: &str, taken: &BTreeSet<ObjectId>) -> bool {
        let facts = self.given.facts;
        let named = self.keyed(key);
        if named.is_empty() {
            return false;
        }
        if !reach(facts, &named).is_disjoint(taken) {
            return true;
        }
        // What a group or a server has in it is left alone with it.
        let objects: Vec<ObjectId> = self.trace.objects.iter().map(|one| one.object).collect();
        let held: Vec<ObjectId> =
            objects.into_iter().filter(|object| facts.holds(*object)).collect();
        let on = |object: ObjectId| reach(facts, &BTreeSet::from([object]));
        let is_on = |object: &ObjectId| {
            let on = on(*object);
            !on.is_disjoint(&named) && !on.is_disjoint(taken)
        };
        if held.iter().any(is_on) {
            return true;
        }
        let through = held.iter().filter(|object| stands_behind(facts, &on(**object), &named));
        let through: BTreeSet<ObjectId> = through.copied().collect();
        if through.is_empty() {
            return false;
        }
        let behind = Behind::new(facts, &held);
        taken.iter().any(|one| !behind.protected(*one).is_disjoint(&through))
    }

    /// What is missing to say whether one of these objects lies on something of that key, or it on one of them.
    fn may_lie_on(&self, key: &str, taken: &BTreeSet<ObjectId>) -> Option<String> {
        let facts = self.given.facts;
        let named = self.keyed(key);
        let kinds = |objects: &BTreeSet<ObjectId>| -> BTreeSet<KindId> {
            objects.iter().map(|object| object.kind).collect()
        };
        let (of_named, of_taken) = (kinds(&named), kinds(taken));
        may_reach(facts, taken, &of_named).or_else(|| may_reach(facts, &named, &of_taken)).or_else(
            || {
                let mut objects = self.trace.objects.iter().map(|one| one.object);
                objects.find_map(|object| {
                    let one = BTreeSet::from([object]);
                    let on = facts.holds(object).then(|| reach(facts, &one))?;
                    let wanted = match (on.is_disjoint(&named), on.is_disjoint(taken)) {
                        (true, false) => &of_named,
                        (false, true) => &of_taken,
                        _ => return None,
                    };
                    may_reach(facts, &one, wanted)
                })
            },
        )
    }

    fn blackout_unknown(&mut self, position: usize, key: &str, missing: String) {
        let shown = self.keyed(key).first().map(|object| self.given.facts.key(*object));
        let key = shown.as_deref().unwrap_or(key);
        let message = format!(
            "{} runs within a blackout, and whether it leaves {key} alone is not known",
            self.named(position)
        );
        let wanted = self.wanted([missing]);
        if let Some(hazard) = self.add("plan-unknown", Some(position), message) {
            hazard.ask(wanted);
        }
    }

    /// Folded keys of all that a step is about, before the plan and behind it.
    fn meant(&self, position: usize) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        let (Some(step), Some(planned)) =
            (self.trace.steps.get(position), self.given.plan.steps.get(position))
        else {
            return keys;
        };
        let mut objects: BTreeSet<_> = step.harmed.iter().copied().collect();
        objects.extend(step.needs.locks.iter().chain(&step.needs.uses));
        let action = self.given.set.actions.get(planned.action);
        let args = action.and_then(|action| bound(&self.trace.facts, action, &planned.args).ok());
        for value in args.iter().flat_map(|args| args.iter()) {
            if let Value::Object(id) = value {
                objects.insert(*id);
            }
        }
        for value in &planned.args {
            if let Value::Name(name) = value {
                keys.insert(fold(name));
            }
        }
        for facts in [self.given.facts, &self.trace.facts] {
            let reached = reach(facts, &objects).into_iter().filter(|id| facts.holds(*id));
            keys.extend(reached.map(|id| fold(&facts.key(id))));
        }
        keys
    }
}

/// Whether what something lies on is all that one of these objects stands between: what one server reads from another is
/// read through the program that the one has on the other.
fn stands_behind(facts: &Facts, on: &BTreeSet<ObjectId>, named: &BTreeSet<ObjectId>) -> bool {
    named.iter().any(|one| {
        let fields = facts.kind_of(*one).map(|kind| kind.key.as_slice()).unwrap_or_default();
        let parts = fields.iter().filter_map(|(field, _)| match facts.fact(*one, *field) {
            Some(Fact::Known { value: Value::Object(part), .. }) => Some(*part),
            _ => None,
        });
        let parts: Vec<ObjectId> = parts.collect();
        parts.len() > 1 && parts.iter().all(|part| on.contains(part))
    })
}
