//! Objects of the facts, by the keys that a plan names.

use std::borrow::Cow;

use crate::diagnostic::{Diagnostic, Place, nearest};
use crate::facts::model::KindId;
use crate::facts::store::{Object, Table};
use crate::facts::value::{ObjectId, Value, fold};
use crate::plan::Step;
use crate::plan::file::Reader;
use crate::plan::world::{Act, May, bound, carry_out};
use crate::rule::effect::{Effect, EffectKind};

/// How many names get a suggestion: to look through all for a near one costs.
const MAX_SUGGESTIONS: usize = 100;

impl Reader<'_> {
    /// The object of one of these kinds with that key.
    pub(super) fn object(
        &mut self,
        kinds: &[KindId],
        text: &str,
        place: Place,
    ) -> Option<ObjectId> {
        let facts = self.context.facts;
        let exact = fold(text);
        let find = |key: &str| kinds.iter().find_map(|kind| facts.find(*kind, key));
        // A path that ends a key counts without its last backslash.
        let found = find(&exact).or_else(|| find(exact.trim_end_matches(['\\', '/'])));
        if found.is_some() {
            return found;
        }
        let problem = self.unknown_object(kinds, text).at(place);
        self.fail(problem)
    }

    /// An argument: the object with that key, or its name where an earlier step makes it.
    pub(super) fn object_or_name(
        &mut self,
        kinds: &[KindId],
        text: &str,
        place: Place,
    ) -> Option<Value> {
        let exact = fold(text);
        let made = || kinds.iter().find_map(|kind| self.later.find(*kind, &exact));
        let is_there = kinds.iter().any(|kind| self.context.facts.find(*kind, &exact).is_some());
        if !is_there && let Some(made) = made() {
            return Some(Value::Name(self.later.key(made)));
        }
        self.object(kinds, text, place).map(Value::Object)
    }

    /// Carries a step out on a copy of the facts if it makes objects: the steps behind it can name them.
    pub(super) fn make(&mut self, step: &Step) {
        let Some(action) = self.context.rules.actions.get(step.action) else { return };
        let makes = |effect: &Effect| matches!(effect.what, EffectKind::Add { .. });
        if !action.course.effects.iter().any(makes) {
            return;
        }
        let Ok(args) = bound(&self.later, action, &step.args).map(Cow::into_owned) else { return };
        let act = Act { action, args: &args };
        for at_start in [true, false] {
            let (rules, now) = (self.context.rules, self.context.now);
            let _ = carry_out(rules, &mut self.later, now, act, (at_start, May::Happens));
        }
    }

    /// Whether one more name that means nothing is compared with all that do.
    pub(super) fn may_suggest(&mut self) -> bool {
        self.misses += 1;
        self.misses <= MAX_SUGGESTIONS
    }

    fn unknown_object(&mut self, kinds: &[KindId], text: &str) -> Diagnostic {
        let facts = self.later.clone();
        let model = facts.model();
        let known = || kinds.iter().filter_map(|kind| model.kind(*kind));
        let names: Vec<&str> = known().map(|kind| &*kind.name).collect();
        let what = if names.len() > 4 { "object".to_owned() } else { names.join(" or ") };
        let tables = || kinds.iter().filter_map(|kind| facts.table(*kind));
        if tables().all(|table| table.count() == 0) && names.len() <= 4 {
            let collections: Vec<String> =
                known().map(|kind| format!("`{}`", kind.collection)).collect();
            let message = format!(
                "there is no {what} `{text}`: the facts have no {}",
                collections.join(" or ")
            );
            return Diagnostic::error("unknown-object", message)
                .help("hand in a fact file that has it");
        }
        let message = format!("there is no {what} `{text}` in the facts");
        let problem = Diagnostic::error("unknown-object", message);
        if !self.may_suggest() {
            return problem;
        }
        let keys = || tables().flat_map(Table::objects);
        match ending(keys(), text).or_else(|| nearest(text, keys().map(|object| &*object.key))) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        }
    }
}

/// The only key that has `text` for its last parts: the server before them is forgotten easily.
fn ending<'o>(objects: impl Iterator<Item = &'o Object>, text: &str) -> Option<&'o str> {
    let end = format!("/{}", fold(text));
    let mut fitting = objects.map(|object| &*object.key).filter(|key| fold(key).ends_with(&end));
    fitting.next().filter(|_| fitting.next().is_none())
}
