//! Whether a check would help: it is tried out and taken back, and the answer is kept for as long as nothing
//! changes that it hangs on.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::facts::change::Cell;
use crate::facts::value::{ObjectId, Value};
use crate::plan::simulate::{Simulation, check_of};
use crate::plan::world::{Act, Phase};

/// Answers that still hold.
#[derive(Debug, Default)]
pub(super) struct Trials {
    known: HashMap<ObjectId, Answer>,
    /// Whose answers hang on a fact; more may stand here than still do.
    readers: HashMap<Cell, Vec<ObjectId>>,
}

#[derive(Debug)]
struct Answer {
    /// The causes that stood then. What the trial left alone stands as long as they do, and what only time
    /// changes shows in them.
    open: Vec<usize>,
    is_blocked: bool,
}

impl Trials {
    /// Answers that hang on one of these facts hold no more; those of these objects.
    pub(super) fn forget(&mut self, touched: &BTreeSet<Cell>) -> BTreeSet<ObjectId> {
        let mut gone = BTreeSet::new();
        if self.known.is_empty() {
            return gone;
        }
        for object in touched.iter().filter_map(|cell| self.readers.remove(cell)).flatten() {
            if self.known.remove(&object).is_some() {
                gone.insert(object);
            }
        }
        gone
    }

    /// No answer holds any more.
    pub(super) fn forget_all(&mut self) {
        self.known.clear();
        self.readers.clear();
    }

    fn keep(&mut self, object: ObjectId, answer: Answer, reads: BTreeSet<Cell>) {
        for cell in reads {
            self.readers.entry(cell).or_default().push(object);
        }
        self.known.insert(object, answer);
    }
}

impl Simulation<'_> {
    /// The causes that would still stand after a check, and what that hangs on.
    pub(super) fn vain(&mut self, act: Act<'_>, object: ObjectId) -> (Vec<usize>, BTreeSet<Cell>) {
        if self.ledger.open(object).is_empty() {
            return (Vec::new(), BTreeSet::new());
        }
        let facts = self.world.facts.clone();
        self.world.watch();
        let mut touched = self.world.apply(act, false, self.scenario.may).touched;
        touched.extend(self.world.set_phase(object, Phase::Good));
        let effects = self.world.take_reads();
        self.world.causes.try_out(&self.world.facts, &self.world.now, &touched);
        let vain = self.ledger.known_for(&self.world, object);
        let mut reads = self.world.causes.take_back();
        reads.extend(effects.cells);
        self.world.facts = facts;
        self.world.take_before();
        (vain, reads)
    }

    /// Of the objects that changed and are bad: whether a check alone would not help.
    pub(super) fn blocked(&mut self) -> BTreeMap<ObjectId, bool> {
        let Some(action) = check_of(self.world.set) else { return BTreeMap::new() };
        let mut blocked = BTreeMap::new();
        for object in self.ledger.changed() {
            if self.world.phase(object) != Phase::Bad {
                continue;
            }
            let open = self.ledger.open(object);
            if let Some(known) = self.trials.known.get(&object).filter(|known| known.open == open) {
                blocked.insert(object, known.is_blocked);
                continue;
            }
            let args = [Value::Object(object)];
            let act = Act { action, args: &args };
            self.world.watch();
            let requires = action.course.requires.iter();
            let is_refused = requires
                .map(|(that, _)| self.world.condition(act, that))
                .any(|that| that == Ok(false));
            let mut reads: BTreeSet<Cell> = self.world.take_reads().cells.into_iter().collect();
            let mut is_blocked = is_refused;
            if !is_refused {
                let (vain, more) = self.vain(act, object);
                is_blocked = !vain.is_empty();
                reads.extend(more);
            }
            self.trials.keep(object, Answer { open, is_blocked }, reads);
            blocked.insert(object, is_blocked);
        }
        blocked
    }
}
