//! What a task or a check waits for, among all that stands before it.

use super::{Item, Run};
use crate::plan::solver::at;

impl Run<'_> {
    pub(super) fn wait_for(&mut self, line: Option<usize>) {
        if let Some((line, about)) = line.and_then(|line| Some((line, self.lines.get(line)?))) {
            self.waits.push((line, about.takes));
        }
    }

    pub(super) fn task_waits(&mut self, index: usize) {
        let (facts, problem) = (self.facts, self.problem);
        let Some(task) = problem.tasks.get(index) else { return };
        let lists = [&facts.before, &facts.excluded];
        for other in lists.iter().filter_map(|list| list.get(index)).flatten() {
            self.wait_for(self.line_of(*other));
        }
        for object in task.breaks.iter().chain(&task.needs_good) {
            self.wait_for(self.states.get(*object).and_then(|state| state.check));
        }
        // A check that has begun is not in vain for what another task opens later, so long as that begins later.
        // What is mended already is not opened again.
        for (fix, object) in facts.opens.get(index).into_iter().flatten() {
            if self.line_of(*fix).is_some() {
                continue;
            }
            if let Some(check) = self.states.get(*object).and_then(|state| state.check) {
                self.waits.push((check, 1));
            }
        }
        // Nor does a task make bad what another one, before it, has to find good.
        for object in task.breaks.iter().filter(|object| at(&facts.looked_at, **object)) {
            for (line, about) in self.lines.iter().enumerate() {
                if let Item::Task(other) = about.item
                    && problem
                        .tasks
                        .get(other)
                        .is_some_and(|other| other.needs_good.contains(object))
                {
                    self.waits.push((line, 1));
                }
            }
        }
        if !at(&facts.shuts, index) {
            return;
        }
        for (line, about) in self.lines.iter().enumerate() {
            if let Item::Check(object) = about.item
                && facts.shut.get(object).is_some_and(|shut| shut.contains(&index))
            {
                self.waits.push((line, about.takes));
            }
        }
    }

    pub(super) fn check_waits(&mut self, object: usize) {
        let facts = self.facts;
        let lists = [&facts.breakers, &facts.fixes, &facts.shut];
        for task in lists.iter().filter_map(|list| list.get(object)).flatten() {
            self.wait_for(self.line_of(*task));
        }
        self.wait_for(self.states.get(object).and_then(|state| state.check));
    }
}
