//! From a problem to an answer: bounds, first orders, branch and bound, local search.

use std::cmp::Ordering;

use super::aim::{Aim, Level};
use super::bound::{Certificate, Whole};
use super::ends::{Ends, ends};
use super::local::{self, Timed};
use super::problem::{Fault, Problem};
use super::relax::{self, Core};
use super::run::Facts;
use super::search::Search;
use super::value::{Schedule, Value};
use super::{construct, count};

/// Above this many tasks and objects no walk comes to an end.
const MANY: usize = 60;

/// How much work an answer may cost, and when exposures are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// Work: an order of the local search costs as much as the problem has tasks and objects, a node of the
    /// walk an eighth of it. Never seconds, so that an answer is the same everywhere.
    pub budget: u64,
    /// Exposures are alike up to the least one and as many hundredths of it.
    pub percent: i64,
    /// Exposures are alike up to the least one and as many weighted seconds.
    pub seconds: i64,
    /// The levels behind the violations, each once; an earlier one decides. Where the end comes before the
    /// exposure, or the user's order before the number of checks although it has checks, the best that is
    /// found is never proven: the best times of an order are not found then, nor checks of no use.
    pub objective: [Level; 5],
}

impl Default for Effort {
    fn default() -> Self {
        Self { budget: 2_000_000, percent: 0, seconds: 0, objective: Aim::default().objective }
    }
}

impl Effort {
    /// How much may be added to a least exposure that counts as alike.
    #[must_use]
    pub fn slack(&self, least: i64) -> i64 {
        (least / 100 * self.percent + least % 100 * self.percent / 100).max(self.seconds)
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The best schedule that was found, with what it is worth.
    pub best: Option<(Value, Schedule)>,
    /// What no schedule can be better than.
    pub bound: Bound,
    /// How sure that is.
    pub status: Status,
    /// Exposures up to this count as alike; zero without a tolerance.
    pub enough: i64,
    /// How many levels of the value, from the first, are proven to be the least.
    pub proven: usize,
}

/// The bound of a whole problem.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// On each level, what no schedule is below.
    pub value: Value,
    /// What the exposure adds up to.
    pub exposure: Certificate,
    /// What the earliest ends add up to.
    pub ends: Ends,
}

/// How sure an answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// What it is worth meets the bound from violations to checks.
    ProvenByBound,
    /// All orders were looked at, or left because a bound says that they are no better.
    ProvenBySearch {
        /// So many nodes.
        nodes: u64,
    },
    /// Better ones may be there.
    BestFound {
        /// Weighted seconds of exposure above the bound.
        gap: i64,
    },
    /// No schedule keeps all conditions.
    InfeasibleProven {
        /// What contradicts.
        core: Core,
    },
    /// None was found, and none is excluded.
    NotFound,
}

/// How finely the objects are divided into those before and behind what is shared.
const PARTS: usize = 12;

/// All levels.
const ALL: usize = 6;

/// The best schedule of a problem that the effort allows to find.
///
/// # Errors
/// If the problem contradicts its own description.
pub fn solve(problem: &Problem, effort: &Effort) -> Result<Answer, Fault> {
    problem.validate()?;
    let facts = Facts::new(problem);
    let mut solver = Solver {
        problem,
        facts: &facts,
        effort,
        best: None,
        order: None,
        enough: 0,
        least: Least::Unknown,
    };
    if let Some(limit) = relax::excess(problem, &facts) {
        return Ok(solver.infeasible(relax::Proof::Bound(limit)));
    }
    solver.construct();
    solver.improve(solver.little());
    let mut walked = solver.walk(effort.budget / 2);
    if let (Some(_), None) = (&walked, &solver.best) {
        let nodes = walked.map_or(0, |walked| walked.nodes);
        return Ok(solver.infeasible(relax::Proof::Search(nodes)));
    }
    if walked.is_none() {
        // What no walk was begun for is left to the local search.
        solver.improve(if solver.is_large() { effort.budget } else { effort.budget / 2 });
    }
    let least = solver.best.as_ref().map_or(0, |(value, _)| value.exposure);
    // What is alike up to a tolerance is so up from the least there is, not from the least that was found.
    solver.least = match &walked {
        _ if solver.meets(solver.harm()) => Least::ByBound,
        Some(walked) => Least::BySearch(walked.nodes),
        None => Least::Unknown,
    };
    let slack = effort.slack(least);
    if slack > 0 {
        // The least exposure is known, as well as it can be; now the rest of the value decides.
        solver.enough = least + slack;
        solver.construct();
        solver.improve(solver.little());
        let again = solver.walk(effort.budget / 2);
        walked = walked.zip(again).map(|(_, again)| again);
        if walked.is_none() {
            solver.improve(effort.budget / 4);
        }
    }
    Ok(solver.answer(walked))
}

/// How it is known that no schedule has less exposure than the best one without a tolerance.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Least {
    Unknown,
    ByBound,
    /// After so many nodes.
    BySearch(u64),
}

/// A walk that came to its end.
struct Walked {
    nodes: u64,
    levels: usize,
}

struct Solver<'a> {
    problem: &'a Problem,
    facts: &'a Facts,
    effort: &'a Effort,
    best: Option<(Value, Schedule)>,
    order: Option<Timed>,
    enough: i64,
    least: Least,
}

impl Solver<'_> {
    fn aim(&self) -> Aim {
        Aim { objective: self.effort.objective, enough: self.enough }
    }

    /// The levels from the violations to the last of what ends bad, exposure and checks.
    fn harm(&self) -> usize {
        let levels = [Level::NotGood, Level::Exposure, Level::Checks];
        1 + levels.map(|level| self.aim().before(level)).into_iter().max().unwrap_or(ALL)
    }

    fn size(&self) -> u64 {
        u64::try_from(self.problem.tasks.len() + self.problem.objects.len())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    fn is_large(&self) -> bool {
        self.problem.tasks.len() + self.problem.objects.len() > MANY
    }

    /// So much local search before a walk: the better what is known, the more a walk can leave out, but a
    /// small problem is walked through in no time.
    fn little(&self) -> u64 {
        (self.effort.budget / 10).min(self.size().pow(2).saturating_mul(20))
    }

    fn construct(&mut self) {
        let orders = construct::orders(self.problem, self.facts, PARTS);
        let mut timed: Vec<Timed> =
            orders.iter().map(|order| local::rate(self.problem, self.facts, order)).collect();
        timed.sort_by(|one, other| one.value.compare(&other.value, self.aim()));
        for timed in timed.iter().take(3) {
            self.offer(timed);
        }
        self.order = timed.into_iter().next();
    }

    fn offer(&mut self, timed: &Timed) {
        let Some(found) = local::finish(self.problem, self.facts, &timed.order, self.aim()) else {
            return;
        };
        let is_better =
            |(best, _): &(Value, Schedule)| found.0.compare(best, self.aim()) == Ordering::Less;
        if self.best.as_ref().is_none_or(is_better) {
            self.best = Some(found);
        }
    }

    fn improve(&mut self, work: u64) {
        let Some(order) = self.order.take() else { return };
        if self.meets(ALL) {
            return;
        }
        let order = local::improve(self.problem, self.facts, order, self.aim(), work);
        self.offer(&order);
        self.order = Some(order);
    }

    /// Walks through the orders; none if the work was too much.
    fn walk(&mut self, work: u64) -> Option<Walked> {
        if self.meets(ALL) {
            return Some(Walked { nodes: 0, levels: ALL });
        }
        if self.is_large() {
            return None;
        }
        let mut search = Search::new(self.problem, self.facts, self.best.take(), self.aim());
        let is_whole = search.walk(work / (self.size() / 8 + 1));
        self.best = search.best;
        // With a tolerance the times of an order are not the earliest that it allows.
        let levels = match (search.leaves_distance, self.enough > 0) {
            (true, _) => self.aim().before(Level::Distance),
            (false, true) => self.aim().before(Level::End),
            (false, false) => ALL,
        };
        is_whole.then_some(Walked { nodes: search.nodes, levels })
    }

    fn bound(&self) -> Bound {
        bound(
            self.problem,
            self.facts,
            self.best.as_ref().is_some_and(|(best, _)| best.not_good == 0)
                && self.aim().before(Level::NotGood) == 1,
        )
    }

    /// Whether the best schedule meets the bound on the first levels.
    fn meets(&self, levels: usize) -> bool {
        let Some((best, _)) = &self.best else { return false };
        let bound = self.bound().value;
        let pairs = best.levels(&self.aim()).into_iter().zip(bound.levels(&self.aim()));
        pairs.take(levels).all(|(best, bound)| best <= bound)
    }

    fn answer(self, walked: Option<Walked>) -> Answer {
        let bound = self.bound();
        let is_walked = self.aim().is_walked(self.problem);
        let by_bound = self.meets(self.harm());
        let (status, proven) = match (&self.best, walked) {
            (None, _) => (Status::NotFound, 0),
            (Some((best, _)), _) if self.least == Least::Unknown || !is_walked => {
                (Status::BestFound { gap: best.exposure - bound.value.exposure }, 0)
            }
            (Some(_), walked) if by_bound => {
                let levels = walked.map_or(self.harm(), |walked| walked.levels);
                match self.least {
                    Least::BySearch(nodes) => (Status::ProvenBySearch { nodes }, levels),
                    _ => (Status::ProvenByBound, levels),
                }
            }
            (Some(_), Some(walked)) => {
                (Status::ProvenBySearch { nodes: walked.nodes }, walked.levels)
            }
            (Some((best, _)), None) => {
                (Status::BestFound { gap: best.exposure - bound.value.exposure }, 0)
            }
        };
        Answer { best: self.best, bound, status, enough: self.enough, proven }
    }

    fn infeasible(self, proof: relax::Proof) -> Answer {
        let core = relax::core(self.problem, proof, self.effort.budget / 2);
        Answer {
            best: None,
            bound: self.bound(),
            status: Status::InfeasibleProven { core },
            enough: 0,
            proven: 0,
        }
    }
}

/// The bound of a whole problem; with `all_good` only for schedules that leave nothing bad.
#[must_use]
pub fn bound(problem: &Problem, facts: &Facts, all_good: bool) -> Bound {
    let whole = Whole::new(problem, all_good);
    let rest = whole.rest(problem, facts);
    let exposure = rest.exposure();
    let ends = ends(&rest, 0);
    let inserted = problem.tasks.iter().filter(|task| task.place.is_none()).count();
    let unwritten = (0..problem.objects.len()).filter(|object| {
        rest.needs_check(*object) && !problem.checks.iter().any(|check| check.object == *object)
    });
    let value = Value {
        violations: 0,
        not_good: 0,
        exposure: exposure.total,
        checks: rest.checks(),
        distance: count(inserted + unwritten.count()),
        end: ends.tasks.total.max(ends.checks.total),
    };
    Bound { value, exposure, ends }
}
