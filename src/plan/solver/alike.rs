//! Objects that are alike in everything but their number.

use super::aim::{Aim, Level};
use super::problem::{Problem, Task};

/// For each object, those of lower number that are like it.
fn twins(problem: &Problem) -> Vec<Vec<usize>> {
    let objects = 0..problem.objects.len();
    let looks: Vec<Option<Look>> =
        objects.clone().map(|object| Look::of(problem, object)).collect();
    let same = |one: usize, other: usize| {
        let look = |object: usize| looks.get(object).and_then(Option::as_ref);
        look(one).is_some_and(|look_one| look(other) == Some(look_one))
    };
    objects.map(|object| (0..object).filter(|lower| same(*lower, object)).collect()).collect()
}

/// Whether swapping the names of objects that are alike could change the distance.
fn are_told_apart(problem: &Problem, twins: &[Vec<usize>]) -> bool {
    let among = |object: usize| {
        twins
            .iter()
            .enumerate()
            .any(|(index, lower)| !lower.is_empty() && (index == object || lower.contains(&object)))
    };
    let tasks = problem.tasks.iter().any(|task| {
        task.place.is_some() && matches!(task.breaks.as_slice(), [only] if among(*only))
    });
    tasks || problem.checks.iter().any(|check| among(check.object))
}

/// Below this many tasks and objects, a walk can do without telling objects apart by their numbers only.
const FEW: usize = 12;

/// The objects that a walk takes in the order of their numbers, and whether that leaves the distance open.
#[must_use]
pub(super) fn order(problem: &Problem, aim: Aim) -> (Vec<Vec<usize>>, bool) {
    let twins = twins(problem);
    let is_open = are_told_apart(problem, &twins);
    let is_few = problem.tasks.len() + problem.objects.len() <= FEW;
    // Nothing but the distance, and what is decided behind it, can be left open.
    let harm = aim.before(Level::Exposure).max(aim.before(Level::Checks));
    if is_open && (is_few || aim.before(Level::Distance) < harm) {
        return (vec![Vec::new(); problem.objects.len()], false);
    }
    (twins, is_open)
}

/// What an object looks like without its number: itself, its own tasks, and the tasks that it shares.
#[derive(PartialEq)]
struct Look {
    object: super::problem::Object,
    own: Vec<Task>,
    shared: Vec<usize>,
    fixes: Vec<usize>,
}

impl Look {
    /// None if its own tasks are tied to others, so that it cannot be swapped.
    fn of(problem: &Problem, object: usize) -> Option<Self> {
        let tasks = || problem.tasks.iter().enumerate();
        let is_own = |task: &Task| task.breaks == [object];
        let own: Vec<usize> =
            tasks().filter(|(_, task)| is_own(task)).map(|(index, _)| index).collect();
        let is_tied = tasks().any(|(index, task)| {
            let named = task.after.iter().chain(&task.mends).any(|other| own.contains(other));
            (named && !own.contains(&index)) || task.needs_good.contains(&object)
        });
        let is_stopped = problem.stops.iter().any(|stop| {
            let ends = stop.from.iter().chain([&stop.to]);
            stop.object == object || ends.into_iter().any(|task| own.contains(task))
        });
        if is_tied || is_stopped {
            return None;
        }
        let mut looks = Vec::new();
        for index in &own {
            let mut look = problem.tasks.get(*index)?.clone();
            if look.is_kept {
                return None;
            }
            (look.breaks, look.place) = (Vec::new(), None);
            for other in &mut look.after {
                // Own tasks by their position among the own ones, others by their number behind all those.
                let position = own.iter().position(|own| own == other);
                *other = position.unwrap_or(problem.tasks.len() + *other);
            }
            looks.push(look);
        }
        let which = |of: &dyn Fn(&Task) -> bool| {
            tasks().filter(|(_, task)| of(task)).map(|(index, _)| index).collect()
        };
        Some(Self {
            object: problem.objects.get(object)?.clone(),
            own: looks,
            shared: which(&|task| task.breaks.len() != 1 && task.breaks.contains(&object)),
            fixes: which(&|task| task.frees.contains(&object)),
        })
    }
}
