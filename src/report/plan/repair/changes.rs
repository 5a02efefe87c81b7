//! What a repair changes in a plan, step by step, and why.

use std::collections::BTreeSet;

use crate::facts::value::ObjectId;
use crate::plan::repair::{Choice, Entry};
use crate::plan::trace::StepTrace;
use crate::report::plan::repair::EditX;
use crate::report::plan::repair::proof::Names;
use crate::report::plan::words::plural;

/// What was changed, in the order of the new plan; what was taken out stands last.
pub(super) fn edits(names: Names<'_>, choice: &Choice) -> Vec<EditX> {
    let pieces = &names.repair.pieces;
    let trace = &choice.tried.trace;
    let mut all = Vec::new();
    for (position, entry) in choice.tried.draft.entries.iter().enumerate() {
        let piece = entry.piece;
        let step = trace.steps.get(position);
        let edit =
            |op, said| EditX { op, step: names.piece(piece), action: names.done(piece), said };
        match pieces.written(piece) {
            None => all.push(edit("insert", names.why_inserted(choice, piece, step))),
            Some(place) if choice.edits.moved.contains(&place) => {
                all.push(edit("move", names.why_moved(choice, position)));
            }
            Some(place) => {
                let before = names.input.plan.written().get(place);
                if before.is_some_and(|before| !entry.waits_like(before)) {
                    all.push(edit("wait", names.waits(entry, place)));
                }
            }
        }
    }
    for place in &choice.edits.deleted {
        let step = names.repair.written.trace.steps.get(*place);
        all.push(EditX {
            op: "delete",
            step: names.piece(*place),
            action: names.done(*place),
            said: match step {
                Some(step) if !step.vain.is_empty() => {
                    "a cause stands then, so it is wasted".to_owned()
                }
                Some(step) if step.is_needless => "it checks what is well".to_owned(),
                _ => "it is of no use in this order".to_owned(),
            },
        });
    }
    all
}

impl Names<'_> {
    fn why_inserted(&self, choice: &Choice, piece: usize, step: Option<&StepTrace>) -> String {
        let trace = &choice.tried.trace;
        let Some(step) = step else { return String::new() };
        if let Some((object, _)) = step.needs.check {
            let because = trace.objects.iter().find(|one| one.object == object).and_then(|one| {
                let mut before = one.intervals.iter().filter(|at| Some(at.from) < step.start);
                let last = before.rfind(|at| at.phase.is_exposed())?;
                let by = last.caused_by.iter().filter_map(|at| choice.tried.plan.steps.get(*at));
                let by: Vec<String> = by.map(|step| step.id.to_string()).collect();
                (!by.is_empty()).then(|| by.join(", "))
            });
            let key = self.key(object);
            return match because {
                Some(by) => format!("checks {key}, which {by} made bad"),
                None => format!("checks {key}, which is bad before the plan"),
            };
        }
        let mut rules: Vec<String> = Vec::new();
        let mut objects: BTreeSet<ObjectId> = BTreeSet::new();
        for cause in step.closed.iter().filter_map(|number| trace.causes.get(*number)) {
            if let Some(rule) = self.input.set.rules.get(cause.rule) {
                let id = rule.id.to_string();
                if !rules.contains(&id) {
                    rules.push(id);
                }
            }
            objects.extend(&cause.objects);
        }
        if rules.is_empty() {
            return self.needed_for(piece);
        }
        format!("clears {} ({})", rules.join(", "), plural(objects.len(), "object"))
    }

    /// The objects whose checks are wasted without a fix.
    fn needed_for(&self, piece: usize) -> String {
        let task = self.repair.ground.tasks.iter().position(|known| *known == piece);
        let task = task.and_then(|task| self.repair.ground.problem.tasks.get(task));
        match task.map(|task| task.frees.as_slice()) {
            Some(frees) if !frees.is_empty() => {
                format!("without it checks are wasted: {}", self.objects(frees))
            }
            _ => "without it another fix cannot begin, or a check is wasted".to_owned(),
        }
    }

    /// What a moved step has before it now that it had not, or the other way round.
    fn why_moved(&self, choice: &Choice, position: usize) -> String {
        let pieces = &self.repair.pieces;
        let entries = &choice.tried.draft.entries;
        let Some(place) = entries.get(position).and_then(|entry| pieces.written(entry.piece))
        else {
            return String::new();
        };
        let earlier = entries.iter().take(position);
        let now: Vec<usize> = earlier.filter_map(|entry| pieces.written(entry.piece)).collect();
        let overtaken = now.iter().filter(|other| **other > place).count();
        let left = (0..place).filter(|other| !now.contains(other)).count();
        match (overtaken, left) {
            (0, _) => format!("before {} that stood before it", plural(left, "step")),
            (_, 0) => format!("behind {} that stood behind it", plural(overtaken, "step")),
            _ => format!(
                "before {} that stood before it, behind {} that stood behind it",
                plural(left, "step"),
                plural(overtaken, "step")
            ),
        }
    }

    /// What a step waits for now, and what no longer.
    fn waits(&self, entry: &Entry, place: usize) -> String {
        let mut parts = Vec::new();
        let named = |pieces: &[usize]| {
            let names: Vec<String> = pieces.iter().map(|piece| self.piece(*piece)).collect();
            names.join(", ")
        };
        let before = self.input.plan.written().get(place);
        let was = before.map(|step| step.after.as_slice()).unwrap_or_default();
        let gone: Vec<usize> =
            was.iter().copied().filter(|piece| !entry.after.contains(piece)).collect();
        let new: Vec<usize> =
            entry.after.iter().copied().filter(|piece| !was.contains(piece)).collect();
        if !gone.is_empty() {
            parts.push(format!("no longer waits for {}", named(&gone)));
        }
        if !new.is_empty() {
            parts.push(format!("waits for {}", named(&new)));
        }
        let was = before.and_then(|step| step.not_before);
        if entry.not_before != was
            && let Some(time) = entry.not_before
        {
            parts.push(format!("not before {}", self.input.clock.show(time)));
        }
        parts.join(", ")
    }
}
