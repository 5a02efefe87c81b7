//! What can be said of a simulated plan beyond what is wrong with it.
//!
//! `stop` asks how things are if the plan ends after a step, `blast` whom each step can hurt, `basis` on
//! what the whole rests, `begin` how things are when a step begins, `moved` what a newer observation says.

mod basis;
mod begin;
mod blast;
mod maybe;
mod moved;
mod stop;

use crate::plan::Plan;
use crate::plan::hazard::{Given, Judged};
use crate::plan::simulate;
use crate::plan::world::World;

pub use basis::{Basis, Collected, Seen};
pub(in crate::plan) use begin::make;
pub use begin::{Begin, Condition, Undone, begin};
pub(in crate::plan) use blast::{Behind, reach};
pub use blast::{Blast, Group, Harm, Rings, Shared, Suffers, What};
pub(in crate::plan) use maybe::{kinds_of, may_reach};
pub use moved::{Moved, moved};
pub use stop::{By, Fix, Stop};

/// What can be said of a simulated plan.
#[derive(Clone, Debug)]
pub struct Insight {
    /// For each step how things are if the plan ends after it; none for one that never begins.
    pub stops: Vec<Option<Stop>>,
    /// For each step whom it can hurt.
    pub rings: Vec<Rings>,
    /// For each step what takes it back, where something does.
    pub undone: Vec<Option<Undone>>,
    /// Whom the plan can hurt.
    pub blast: Blast,
    /// On what the verdict rests.
    pub basis: Basis,
}

/// Looks at a plan and its traces.
#[must_use]
pub fn look(given: Given<'_>, judged: &Judged) -> Insight {
    let now = simulate::instant(given.plan, 0);
    let mut world = World::new(given.set, given.facts, &now);
    let rings = blast::rings(given, &world, &judged.worst);
    Insight {
        // What jobs that begin by themselves touch is no doing of the plan.
        blast: blast::blast(given, &judged.worst, written(given.plan, &rings)),
        rings,
        basis: basis::basis(given, &world, judged),
        undone: begin::undone(given, &mut world, &judged.worst),
        stops: stop::stops(given, &mut world, judged),
    }
}

fn written<'r>(plan: &Plan, rings: &'r [Rings]) -> &'r [Rings] {
    rings.get(..plan.written().len()).unwrap_or(rings)
}
