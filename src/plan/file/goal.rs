//! What must be so at the end, and what a repair may do.

use crate::diagnostic::Diagnostic;
use crate::facts::value::fold;
use crate::plan::Goal;
use crate::plan::file::step::{Draft, Drafts};
use crate::plan::file::{Reader, list};
use crate::plan::repair::{Options, TOLERANCE};
use crate::plan::solver::aim::Level;
use crate::source::Node;

/// A level of the objective by its name in plans.
fn level(name: &str) -> Option<Level> {
    Some(match name {
        "end_inconsistent" => Level::NotGood,
        "exposure" => Level::Exposure,
        "checks" => Level::Checks,
        "edits" => Level::Distance,
        "end" => Level::End,
        _ => return None,
    })
}

impl Reader<'_> {
    pub(super) fn goal(&mut self, node: &Node) -> Goal {
        let mut goal = Goal::default();
        if let Some(end) = node.get("end_consistent") {
            if let Some(keys) = end.as_list() {
                let keys = keys.iter().filter_map(|key| self.protected(key));
                goal.end_good = Some(keys.collect());
            }
            goal.is_all = end.as_list().is_none();
            let reason = end.get("reason").and_then(Node::as_str).unwrap_or_default();
            for key in list(end, "except") {
                goal.except.extend(self.protected(key).map(|key| (key, reason.to_owned())));
            }
        }
        goal.max_exposure = node.get("max_exposure").and_then(|node| self.duration(node));
        goal
    }

    /// The folded key of a protected object.
    fn protected(&mut self, node: &Node) -> Option<String> {
        let packs = self.context.rules.packs.iter();
        let mut kinds: Vec<_> =
            packs.filter_map(|pack| Some(pack.protection.as_ref()?.kind)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        if kinds.is_empty() {
            return self.any_key(node);
        }
        let id = self.object(&kinds, node.as_str()?, node.place)?;
        Some(fold(&self.context.facts.key(id)))
    }

    /// What a repair may do; the steps that it keeps must be there.
    pub(super) fn repair(&mut self, repair: &Node, drafts: &Drafts) -> Options {
        let mut options = Options::default();
        if let Some(allow) = repair.get("allow").and_then(Node::as_list) {
            let allows = |name: &str| allow.iter().any(|node| node.as_str() == Some(name));
            options.insert = allows("insert");
            options.delete_checks = allows("delete_checks");
            options.reorder = allows("reorder");
        }
        let named = list(repair, "objective").iter().filter_map(Node::as_str);
        let mut levels: Vec<Level> = named.filter_map(level).collect();
        // What nobody names comes behind, in the order that holds where nobody says anything.
        for one in options.objective {
            if !levels.contains(&one) {
                levels.push(one);
            }
        }
        if let Ok(objective) = levels.try_into() {
            options.objective = objective;
        }
        let tolerance = repair.get("tolerance").and_then(|node| node.get("exposure"));
        if let Some(node) = tolerance {
            let text = node.as_str().unwrap_or_default();
            (options.percent, options.seconds) = match text.strip_suffix('%') {
                Some(share) => (share.parse().unwrap_or(TOLERANCE), 0),
                None => (0, self.duration(node).unwrap_or_default()),
            };
        }
        if drafts.is_partial {
            return options;
        }
        let drafts = &drafts.all;
        for node in list(repair, "keep") {
            let name = node.as_str().unwrap_or_default();
            if let Some(position) = drafts.iter().position(|draft| *draft.id == *name) {
                options.keep.insert(position);
            } else {
                let problem = self.unknown_step(name, drafts).at(node.place);
                self.problems.push(problem);
            }
        }
        options
    }

    /// That there is no step of that name, and which may be meant.
    pub(super) fn unknown_step(&mut self, name: &str, drafts: &[Draft]) -> Diagnostic {
        let message = format!("there is no step `{name}` in this plan");
        let problem = Diagnostic::error("unknown-step", message);
        if !self.may_suggest() {
            return problem;
        }
        problem.suggest(name, drafts.iter().map(|draft| &*draft.id))
    }
}
