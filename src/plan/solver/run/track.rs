//! Orders that are run one after the other.

use super::{Facts, Item, Run, Undo};
use crate::plan::solver::problem::Problem;

/// Runs orders one after the other as far as they go: what an order does not allow as yet comes later; whatever
/// fits nowhere stays out. What two orders begin with alike is run once.
pub struct Track<'a> {
    /// The last order.
    pub run: Run<'a>,
    undos: Vec<Undo>,
    /// Lines put in so far.
    pub work: u64,
}

impl<'a> Track<'a> {
    /// No order as yet.
    #[must_use]
    pub fn new(problem: &'a Problem, facts: &'a Facts) -> Self {
        Self { run: Run::new(problem, facts, false), undos: Vec::new(), work: 0 }
    }

    /// Runs an order.
    pub fn follow(&mut self, order: &[Item]) {
        let lines = self.run.lines.iter();
        let same = lines.zip(order).take_while(|(line, item)| line.item == **item).count();
        while self.run.lines.len() > same {
            let Some(undo) = self.undos.pop() else { break };
            self.run.pop(undo);
        }
        // What is not allowed as yet waits; whenever something was put in, it is asked for again.
        let mut waiting: Vec<Item> = Vec::new();
        for item in order.iter().skip(same) {
            if !self.run.allows(*item) {
                waiting.push(*item);
                continue;
            }
            self.put(*item);
            while let Some(place) = waiting.iter().position(|item| self.run.allows(*item)) {
                let item = waiting.remove(place);
                self.put(item);
            }
        }
    }

    /// Puts something next, if it fits.
    pub fn put(&mut self, item: Item) {
        self.work += 1;
        if let Some(machine) = self.run.first_free(item) {
            self.undos.extend(self.run.push(item, machine));
        }
    }
}

/// Runs an order as far as it goes.
#[must_use]
pub fn run<'a>(problem: &'a Problem, facts: &'a Facts, order: &[Item]) -> Run<'a> {
    let mut track = Track::new(problem, facts);
    track.follow(order);
    track.run
}
