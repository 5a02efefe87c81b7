//! Orders to begin with: each is what somebody would try first.

use super::problem::Problem;
use super::run::{Facts, Item};
use super::{at, mended};

/// The orders of a problem that are worth timing before any search; `parts` says how finely.
#[must_use]
pub fn orders(problem: &Problem, facts: &Facts, parts: usize) -> Vec<Vec<Item>> {
    let sizes = Sizes::new(problem, facts);
    // Johnson's rule: what is quickly prepared and long checked comes first, the other way round last.
    let johnson = |object: usize| {
        let (own, check) = (sizes.own(object), sizes.check(object));
        if own < check { (0, own) } else { (1, -check) }
    };
    let mut orders = vec![kept(problem, facts, true), kept(problem, facts, false)];
    let lists = [
        sizes.sorted(problem, &|object| (sizes.check(object), sizes.own(object))),
        sizes.sorted(problem, &johnson),
        sizes.sorted(problem, &|object| (sizes.own(object), sizes.check(object))),
        sizes.sorted(problem, &|object| (sizes.own(object) + sizes.check(object), 0)),
    ];
    let [by_check, by_johnson, _, by_both] = &lists;
    let all = problem.objects.len();
    // Serial blocks; what is shared first; what is shared last; some before it.
    let mut counts: Vec<usize> = [1, 2].into_iter().filter(|count| *count < all).collect();
    counts.extend((0..=parts).map(|part| part * all / parts.max(1)));
    counts.sort_unstable();
    counts.dedup();
    for list in &lists {
        orders.push(batches(problem, facts, list));
        for before in &counts {
            let (early, late) = list.split_at((*before).min(all));
            orders.push(around(problem, facts, early, late, false));
            orders.push(around(problem, facts, early, late, true));
        }
    }
    for before in &counts {
        // What costs least is closed before what is shared, the longest check first, and made bad again.
        let (early, _) = by_both.split_at((*before).min(all));
        let early = sizes.longest_first(early);
        for list in [by_check, by_johnson] {
            orders.push(twice(problem, facts, &early, list));
            let late: Vec<usize> =
                list.iter().copied().filter(|object| !early.contains(object)).collect();
            orders.push(around(problem, facts, &early, &late, true));
        }
    }
    orders.extend(mended::orders(problem));
    let is_early = |item: &Item| match item {
        Item::Task(task) => problem.tasks.get(*task).is_some_and(|task| !task.any_of().is_empty()),
        Item::Check(_) => false,
    };
    let early: Vec<Vec<Item>> = orders.iter().map(|order| with_first(order, is_early)).collect();
    orders.extend(early);
    orders.sort();
    orders.dedup();
    orders
}

/// How long own tasks and checks of objects take.
struct Sizes {
    own: Vec<i64>,
    check: Vec<i64>,
}

impl Sizes {
    fn new(problem: &Problem, facts: &Facts) -> Self {
        let own = |breakers: &Vec<usize>| -> i64 {
            let own = breakers.iter().filter_map(|task| problem.tasks.get(*task));
            own.filter(|task| task.breaks.len() == 1).map(|task| task.takes).sum()
        };
        Self {
            own: facts.breakers.iter().map(own).collect(),
            check: problem.objects.iter().map(|object| object.check).collect(),
        }
    }

    fn own(&self, object: usize) -> i64 {
        at(&self.own, object)
    }

    fn check(&self, object: usize) -> i64 {
        at(&self.check, object)
    }

    fn sorted(&self, problem: &Problem, key: &dyn Fn(usize) -> (i64, i64)) -> Vec<usize> {
        let mut list: Vec<usize> = (0..self.check.len()).collect();
        // What is bad already waits for all that comes before it.
        let starts_good =
            |object: usize| !problem.objects.get(object).is_some_and(|about| about.starts_bad);
        list.sort_by_key(|object| (starts_good(*object), key(*object), *object));
        list
    }

    fn longest_first(&self, objects: &[usize]) -> Vec<usize> {
        let mut list = objects.to_vec();
        list.sort_by_key(|object| (-self.check(*object), *object));
        list
    }
}

/// The order with some entries first; they come as soon as what they wait for is there.
fn with_first(order: &[Item], is_early: impl Fn(&Item) -> bool) -> Vec<Item> {
    let (mut first, rest): (Vec<Item>, Vec<Item>) = order.iter().copied().partition(is_early);
    first.extend(rest);
    first
}

/// Builds an order; what a task waits for comes before it.
struct Draft<'a> {
    problem: &'a Problem,
    facts: &'a Facts,
    order: Vec<Item>,
    done: Vec<bool>,
}

impl<'a> Draft<'a> {
    fn new(problem: &'a Problem, facts: &'a Facts) -> Self {
        Self { problem, facts, order: Vec::new(), done: vec![false; problem.tasks.len()] }
    }

    fn task(&mut self, task: usize) {
        if at(&self.done, task) {
            return;
        }
        super::put(&mut self.done, task, true);
        for other in self.facts.before.get(task).into_iter().flatten() {
            self.task(*other);
        }
        for object in self.problem.tasks.get(task).map_or(&[][..], |task| &task.needs_good) {
            self.check(*object);
        }
        self.order.push(Item::Task(task));
    }

    /// The fixes that a check needs, and the check.
    fn check(&mut self, object: usize) {
        for fix in self.facts.fixes.get(object).into_iter().flatten() {
            let mends = self.problem.tasks.get(*fix).map_or(&[][..], |fix| &fix.mends);
            if mends.is_empty() || mends.iter().any(|cause| at(&self.done, *cause)) {
                self.task(*fix);
            }
        }
        self.order.push(Item::Check(object));
    }

    /// The tasks that break this object alone.
    fn own(&mut self, object: usize) {
        for task in self.facts.breakers.get(object).into_iter().flatten() {
            if self.problem.tasks.get(*task).is_some_and(|about| about.breaks.len() == 1) {
                self.task(*task);
            }
        }
    }

    fn shared(&mut self) {
        for (index, task) in self.problem.tasks.iter().enumerate() {
            if task.breaks.len() > 1 {
                self.task(index);
            }
        }
        for (index, task) in self.problem.tasks.iter().enumerate() {
            if !task.frees.is_empty() && task.mends.iter().all(|cause| at(&self.done, *cause)) {
                self.task(index);
            }
        }
    }

    fn rest(mut self) -> Vec<Item> {
        for task in 0..self.problem.tasks.len() {
            self.task(task);
        }
        self.order
    }
}

/// The user's order, with what is inserted where it can be; checks as soon as nothing more breaks their
/// object, or all at the end.
fn kept(problem: &Problem, facts: &Facts, at_once: bool) -> Vec<Item> {
    let mut draft = Draft::new(problem, facts);
    let mut tasks: Vec<usize> = (0..problem.tasks.len()).collect();
    tasks.sort_by_key(|task| {
        // A fix comes behind what it mends.
        let about = problem.tasks.get(*task);
        let place = |task: usize| problem.tasks.get(task).and_then(|task| task.place);
        let own = about.and_then(|about| about.place).map(|place| (place, 0));
        let behind =
            about.and_then(|about| about.mends.iter().filter_map(|cause| place(*cause)).max());
        (own.or(behind.map(|place| (place, 1))).unwrap_or((0, 0)), *task)
    });
    let mut left: Vec<usize> = (0..problem.objects.len()).collect();
    left.sort_by_key(|object| {
        (problem.objects.get(*object).map_or(0, |object| object.check), *object)
    });
    for task in tasks {
        draft.task(task);
        let is_over = |draft: &Draft, object: usize| {
            let lists = [&facts.breakers, &facts.fixes];
            let mut tasks = lists.iter().filter_map(|list| list.get(object)).flatten();
            tasks.all(|task| at(&draft.done, *task))
        };
        if at_once {
            let ready: Vec<usize> =
                left.iter().copied().filter(|object| is_over(&draft, *object)).collect();
            left.retain(|object| !ready.contains(object));
            for object in ready {
                draft.check(object);
            }
        }
    }
    for object in left {
        draft.check(object);
    }
    draft.rest()
}

/// Some objects' own tasks and checks before what is shared, the others' tasks behind it; all checks behind it
/// in the order of a list.
fn twice(problem: &Problem, facts: &Facts, early: &[usize], list: &[usize]) -> Vec<Item> {
    let mut draft = Draft::new(problem, facts);
    for object in early {
        draft.own(*object);
        draft.check(*object);
    }
    draft.shared();
    for object in list {
        draft.own(*object);
        draft.check(*object);
    }
    draft.rest()
}

/// Some objects' own tasks before what is shared, the others' behind it; each object's check behind its own
/// tasks or, of those before, behind what is shared.
fn around(
    problem: &Problem,
    facts: &Facts,
    early: &[usize],
    late: &[usize],
    early_checks: bool,
) -> Vec<Item> {
    let mut draft = Draft::new(problem, facts);
    for object in early {
        draft.own(*object);
        if early_checks {
            draft.check(*object);
        }
    }
    draft.shared();
    for object in early {
        draft.check(*object);
    }
    for object in late {
        draft.own(*object);
        draft.check(*object);
    }
    draft.rest()
}

/// One shared task after the other, each with all objects that it breaks and no earlier one did.
fn batches(problem: &Problem, facts: &Facts, list: &[usize]) -> Vec<Item> {
    let mut draft = Draft::new(problem, facts);
    let mut seen = vec![false; problem.objects.len()];
    for (index, task) in problem.tasks.iter().enumerate().filter(|(_, task)| task.breaks.len() > 1)
    {
        draft.task(index);
        for object in list.iter().copied().filter(|object| task.breaks.contains(object)) {
            if !at(&seen, object) {
                super::put(&mut seen, object, true);
                draft.own(object);
                draft.check(object);
            }
        }
    }
    for object in list.iter().copied().filter(|object| !at(&seen, *object)) {
        draft.own(object);
        draft.check(object);
    }
    draft.rest()
}
