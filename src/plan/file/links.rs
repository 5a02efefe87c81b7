//! What steps say of each other: names are given once, and no step waits for itself.

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::plan::Step;
use crate::plan::file::Reader;
use crate::plan::file::step::{Draft, Drafts};

impl Reader<'_> {
    /// The steps, with the positions of those that they wait for.
    pub(super) fn link(&mut self, drafts: Drafts, is_ordered: bool) -> Option<Vec<Step>> {
        let Drafts { all, mut is_partial, .. } = drafts;
        let mut positions: HashMap<Arc<str>, usize> = HashMap::new();
        for (position, draft) in all.iter().enumerate() {
            if let Some(first) = positions.get(&draft.id).and_then(|first| all.get(*first)) {
                self.problems.push(given_twice(draft, first));
                is_partial = true;
                continue;
            }
            positions.insert(draft.id.clone(), position);
        }
        let mut after: Vec<Vec<usize>> = Vec::with_capacity(all.len());
        for draft in &all {
            let mut found = Vec::new();
            for (name, place) in &draft.after {
                let Some(position) = positions.get(name).copied() else {
                    if !is_partial {
                        let problem = self.unknown_step(name, &all).at(*place);
                        self.problems.push(problem);
                    }
                    continue;
                };
                let other = all.get(position).map_or(0, |other| other.block.first);
                if is_ordered && other > draft.block.first {
                    let message =
                        format!("`{}` waits for `{name}`, which comes behind it", draft.id);
                    let problem = Diagnostic::error("step-cycle", message).at(*place).help(
                        "with `order: as_written` each step waits for the one before: \
                        change the order, or write `order: partial`",
                    );
                    self.problems.push(problem);
                    continue;
                }
                found.push(position);
            }
            found.sort_unstable();
            found.dedup();
            after.push(found);
        }
        if let Some(cycle) = cycle(&after) {
            self.problems.extend(waits_for_itself(&cycle, &all));
            return None;
        }
        let linked = all.into_iter().zip(after);
        linked.map(|(draft, after)| Some(Step { after, ..draft.step? })).collect()
    }
}

fn given_twice(draft: &Draft, first: &Draft) -> Diagnostic {
    let message = format!("two steps are named `{}`", draft.id);
    let problem = Diagnostic::error("duplicate-step", message).at(draft.place);
    if draft.place == first.place {
        return problem.help("put `${...}` into the `id`, so that each step has its own");
    }
    problem.related(first.place, "first here")
}

/// Steps each of which waits for the next, and the last for the first; none if there are none such.
fn cycle(after: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut waiting: Vec<usize> = after.iter().map(Vec::len).collect();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); after.len()];
    for (step, before) in after.iter().enumerate() {
        for position in before {
            if let Some(list) = followers.get_mut(*position) {
                list.push(step);
            }
        }
    }
    let is_free = |(step, count): (usize, &usize)| (*count == 0).then_some(step);
    let mut free: Vec<usize> = waiting.iter().enumerate().filter_map(is_free).collect();
    while let Some(step) = free.pop() {
        for follower in followers.get(step).into_iter().flatten() {
            if let Some(count) = waiting.get_mut(*follower) {
                *count -= 1;
                if *count == 0 {
                    free.push(*follower);
                }
            }
        }
    }
    // Whoever still waits, waits for one who still waits: this leads into a circle.
    let mut step = waiting.iter().position(|count| *count > 0)?;
    let mut path: Vec<usize> = Vec::new();
    let mut at: HashMap<usize, usize> = HashMap::new();
    loop {
        if let Some(start) = at.insert(step, path.len()) {
            return Some(path.split_off(start));
        }
        path.push(step);
        let stuck = |before: &&usize| waiting.get(**before).is_some_and(|count| *count > 0);
        step = *after.get(step)?.iter().find(stuck)?;
    }
}

fn waits_for_itself(cycle: &[usize], all: &[Draft]) -> Option<Diagnostic> {
    let drafts: Vec<&Draft> = cycle.iter().filter_map(|position| all.get(*position)).collect();
    let (first, rest) = drafts.split_first()?;
    let mut way: Vec<String> = rest.iter().take(5).map(|draft| format!("`{}`", draft.id)).collect();
    if rest.len() > 5 {
        way.push(format!("{} more", rest.len() - 5));
    }
    way.push(if rest.is_empty() { "itself".to_owned() } else { format!("`{}`", first.id) });
    let message = format!("`{}` waits for {}", first.id, way.join(", which waits for "));
    let place = first.after.first().map_or(first.place, |(_, place)| *place);
    Some(Diagnostic::error("step-cycle", message).at(place))
}
