//! Which level of a value decides first.

use std::cmp::Ordering;

use super::problem::Problem;
use super::value::Value;

/// A level of a value, behind the violations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Weight of what ends bad.
    NotGood,
    /// Weighted seconds in which objects are bad.
    Exposure,
    /// Checks.
    Checks,
    /// What is changed in the user's order.
    Distance,
    /// When all is over.
    End,
}

/// What decides first, and which exposures are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aim {
    /// The levels behind the violations, each once; an earlier one decides.
    pub objective: [Level; 5],
    /// Exposures up to this are alike.
    pub enough: i64,
}

impl Default for Aim {
    fn default() -> Self {
        let objective =
            [Level::NotGood, Level::Exposure, Level::Checks, Level::Distance, Level::End];
        Self { objective, enough: 0 }
    }
}

impl From<i64> for Aim {
    fn from(enough: i64) -> Self {
        Self { enough, ..Self::default() }
    }
}

impl Aim {
    /// How many levels come before one, the violations among them; all if it is not there.
    #[must_use]
    pub fn before(&self, level: Level) -> usize {
        let place = self.objective.iter().position(|other| *other == level);
        1 + place.unwrap_or(self.objective.len())
    }

    /// Whether the walk through all orders finds the best. The best times of an order are those of the least
    /// exposure, and only then of the least end; and a check that is of no use is worth something only if
    /// it leaves the user's order as it is.
    #[must_use]
    pub fn is_walked(&self, problem: &Problem) -> bool {
        self.before(Level::Exposure) < self.before(Level::End)
            && (problem.checks.is_empty()
                || self.before(Level::Checks) < self.before(Level::Distance))
    }
}

impl Value {
    /// The order with a tolerance: exposures up to `enough` are alike.
    ///
    /// `enough` is one number for a whole run, made from the least exposure that is known; were it made
    /// from each pair, a chain of small losses would add up and "better" would run in circles. What is alike
    /// on every level is told apart by the exposure itself.
    #[must_use]
    pub fn compare(&self, other: &Self, aim: impl Into<Aim>) -> Ordering {
        let aim = aim.into();
        let exposures = self.exposure.cmp(&other.exposure);
        self.levels(&aim).cmp(&other.levels(&aim)).then(exposures)
    }

    /// The violations, and the levels in the order in which they decide.
    #[must_use]
    pub fn levels(&self, aim: &Aim) -> [i64; 6] {
        let [one, two, three, four, five] = aim.objective.map(|level| match level {
            Level::NotGood => self.not_good,
            Level::Exposure => self.exposure.max(aim.enough),
            Level::Checks => self.checks,
            Level::Distance => self.distance,
            Level::End => self.end,
        });
        [self.violations, one, two, three, four, five]
    }
}
