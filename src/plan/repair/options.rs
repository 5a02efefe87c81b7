//! What a repair may do, and what counts.

use std::collections::BTreeSet;

use crate::plan::repair::choice::Kind;
use crate::plan::simulate::Takes;
use crate::plan::solver::Effort;
use crate::plan::solver::aim::Level;

/// What a repair may do, and what counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whether fixes and checks may be put in.
    pub insert: bool,
    /// Whether checks of no use may be taken out.
    pub delete_checks: bool,
    /// Whether steps may change places.
    pub reorder: bool,
    /// Steps that keep their places among each other, by position.
    pub keep: BTreeSet<usize>,
    /// Exposures are alike up to the least one and as many hundredths of it.
    pub percent: i64,
    /// Exposures are alike up to the least one and as many weighted seconds.
    pub seconds: i64,
    /// What counts, the most important first.
    pub objective: [Level; 5],
    /// Which durations it is made for; what it is judged with is another matter.
    pub takes: Takes,
    /// Which of several ways is the one to take, where there is such a one.
    pub choose: Kind,
    /// How much work an answer may cost, see [`crate::plan::solver::Effort`].
    pub budget: u64,
}

/// Hundredths of the exposure that do not count where nobody says anything: forty steps are not moved for a minute.
pub const TOLERANCE: i64 = 5;

impl Default for Options {
    fn default() -> Self {
        Self {
            insert: true,
            delete_checks: true,
            reorder: true,
            keep: BTreeSet::new(),
            percent: TOLERANCE,
            seconds: 0,
            objective: Effort::default().objective,
            takes: Takes::Worst,
            choose: Kind::Recommended,
            budget: Effort::default().budget,
        }
    }
}

impl Options {
    /// Whether a step keeps its place among the others that do.
    #[must_use]
    pub fn keeps(&self, position: usize) -> bool {
        !self.reorder || self.keep.contains(&position)
    }

    /// What the solver is given to find the best order.
    #[must_use]
    pub(super) fn effort(&self) -> Effort {
        Effort {
            budget: self.budget,
            percent: self.percent,
            seconds: self.seconds,
            objective: self.objective,
        }
    }
}
