//! What is to be ordered and timed: whole seconds from the opening of the window, and numbers for names.
//!
//! Times are half-open: what ends at an instant is over when something else begins at it. An object is good
//! or bad. A task that breaks it makes it bad when it begins; only a check makes it good again, when it ends.
//! A check brings nothing if a task that breaks the object runs when it begins or begins while it runs, or if
//! a cause stands that a fix has yet to mend.

use std::fmt;

/// Tasks to be carried out, the objects that they break, and what both have at their disposal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// Tasks that people can carry out side by side.
    pub operators: usize,
    /// Checks that run side by side, for each owner of slots.
    pub owners: Vec<usize>,
    /// What can become bad.
    pub objects: Vec<Object>,
    /// What is to be carried out, each once.
    pub tasks: Vec<Task>,
    /// Checks in the user's own order. A schedule need not keep them; doing so is what distance counts.
    pub checks: Vec<Written>,
    /// When all tasks have to be over.
    pub window: i64,
    /// When all checks have to be over.
    pub checks_until: i64,
    /// Until when the time counts for what is bad at the end; at least the two above.
    pub horizon: i64,
    /// Times in which an object is not bad and yet as good as that.
    pub stops: Vec<Stop>,
}

/// A time in which an object counts as bad although it needs no check for it: no new backup of it can be
/// made. Nothing can be spoilt or mended by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stop {
    /// Which object.
    pub object: usize,
    /// The task with whose begin it begins; none: it lasts since the opening of the window.
    pub from: Option<usize>,
    /// The task with whose end it ends. It begins when the other one is over, unless it is that.
    pub to: usize,
}

/// What can become bad.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// Who has the slots for its check.
    pub owner: usize,
    /// Seconds that a check takes; at least one.
    pub check: i64,
    /// How much a second counts in which it is bad.
    pub weight: i64,
    /// Whether it is bad when the window opens.
    pub starts_bad: bool,
    /// Whether a schedule that leaves it bad is none.
    pub must_end_good: bool,
    /// The longest that it may be bad or stopped in all, up to the horizon.
    pub most: Option<i64>,
    /// What its check uses: no task that locks it may run at that time.
    pub uses: Vec<usize>,
    /// Times in which its check does not run, not even in part.
    pub closed: Vec<(i64, i64)>,
}

/// What is to be carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Seconds that it takes; at least one.
    pub takes: i64,
    /// Whether it takes one of the operators.
    pub needs_operator: bool,
    /// Objects that it makes bad when it begins. None of their checks can begin until it is over.
    pub breaks: Vec<usize>,
    /// Objects whose check is of use only when this fix is over.
    pub frees: Vec<usize>,
    /// The tasks whose damage this fix mends; it begins when they are over. Before the first of them begins,
    /// a check needs no fix: without this, nothing could be closed before a shared step. None: the damage
    /// stands from the opening of the window.
    pub mends: Vec<usize>,
    /// Whether it begins when one of what it mends is over and none of that runs, instead of when all are
    /// over. None of it begins while the fix runs, and what begins behind it does no damage any more.
    pub mends_any: bool,
    /// Tasks that must be over when it begins.
    pub after: Vec<usize>,
    /// Objects that must be good when it begins, and that no other task breaks at that instant. That a task comes after the check of what another one broke
    /// is this, together with `after` that one.
    pub needs_good: Vec<usize>,
    /// Before this it does not begin.
    pub not_before: i64,
    /// When it has to be over, if that is earlier than the end of the window.
    pub until: Option<i64>,
    /// Times in which it does not run, not even in part.
    pub closed: Vec<(i64, i64)>,
    /// Resources that nothing else locks or uses while it runs.
    pub locks: Vec<usize>,
    /// Resources that nothing locks while it runs.
    pub uses: Vec<usize>,
    /// Its position in the user's order, among tasks and checks; none if it is inserted.
    pub place: Option<usize>,
    /// Whether it stays where it is among all that are kept: they run one after another, by their places.
    pub is_kept: bool,
}

/// A check in the user's order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Of which object.
    pub object: usize,
    /// Its position among tasks and checks.
    pub place: usize,
}

/// A problem that contradicts its own description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A task takes no time, or begins before the window opens.
    Task(usize),
    /// A check takes no time, or a weight is negative.
    Object(usize),
    /// A number that names a task, an object or an owner names none; the text says in which list.
    Unknown(&'static str, usize),
    /// Tasks wait for one another in a circle; this is one of them.
    Circle(usize),
    /// The horizon lies before the end of the window or of the checks.
    Horizon,
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task(task) => write!(out, "task {task} takes no time or begins too early"),
            Self::Object(object) => {
                write!(out, "object {object} has no check or a negative weight")
            }
            Self::Unknown(list, number) => {
                write!(out, "`{list}` names {number}, which is not there")
            }
            Self::Circle(task) => write!(out, "task {task} waits for itself"),
            Self::Horizon => write!(out, "the horizon lies before the end of the window"),
        }
    }
}

impl std::error::Error for Fault {}

impl Task {
    /// The tasks of which one has to be over when this fix begins; none if it waits for all that it mends.
    #[must_use]
    pub fn any_of(&self) -> &[usize] {
        if self.mends_any && self.mends.len() > 1 { &self.mends } else { &[] }
    }
}

impl Problem {
    /// Whether all numbers name something and times are as they are described.
    ///
    /// # Errors
    /// The first fault that is found.
    pub fn validate(&self) -> Result<(), Fault> {
        let known = |list: &'static str, numbers: &[usize], count: usize| {
            let wrong = numbers.iter().find(|number| **number >= count);
            wrong.map_or(Ok(()), |number| Err(Fault::Unknown(list, *number)))
        };
        if self.horizon < self.window.max(self.checks_until) {
            return Err(Fault::Horizon);
        }
        for (index, object) in self.objects.iter().enumerate() {
            known("owner", &[object.owner], self.owners.len())?;
            if object.check < 1 || object.weight < 0 {
                return Err(Fault::Object(index));
            }
        }
        for (index, task) in self.tasks.iter().enumerate() {
            if task.takes < 1 || task.not_before < 0 {
                return Err(Fault::Task(index));
            }
            known("breaks", &task.breaks, self.objects.len())?;
            known("frees", &task.frees, self.objects.len())?;
            known("needs_good", &task.needs_good, self.objects.len())?;
            known("mends", &task.mends, self.tasks.len())?;
            known("after", &task.after, self.tasks.len())?;
        }
        for check in &self.checks {
            known("checks", &[check.object], self.objects.len())?;
        }
        for stop in &self.stops {
            known("stops", &[stop.object], self.objects.len())?;
            known("stops", &[stop.to], self.tasks.len())?;
            known("stops", stop.from.as_slice(), self.tasks.len())?;
        }
        self.circle().map_or(Ok(()), |task| Err(Fault::Circle(task)))
    }

    /// When a task has to be over.
    #[must_use]
    pub fn limit(&self, task: &Task) -> i64 {
        task.until.map_or(self.window, |until| until.min(self.window))
    }

    /// The tasks that must be over when a task begins: `after`, what it mends if that is all of it, what
    /// began a stop that it ends, and what is kept before it.
    #[must_use]
    pub fn before(&self, index: usize) -> Vec<usize> {
        let Some(task) = self.tasks.get(index) else { return Vec::new() };
        let mut before = task.after.clone();
        if task.any_of().is_empty() {
            before.extend(&task.mends);
        }
        let ended = self.stops.iter().filter(|stop| stop.to == index && stop.from != Some(index));
        before.extend(ended.filter_map(|stop| stop.from));
        if let (true, Some(place)) = (task.is_kept, task.place) {
            let kept = self.tasks.iter().enumerate();
            before.extend(kept.filter_map(|(other, kept)| {
                (kept.is_kept && kept.place.is_some_and(|there| there < place)).then_some(other)
            }));
        }
        before.sort_unstable();
        before.dedup();
        before
    }

    fn circle(&self) -> Option<usize> {
        let mut left: Vec<(usize, Vec<usize>)> =
            (0..self.tasks.len()).map(|task| (task, self.before(task))).collect();
        loop {
            let stuck: Vec<usize> = left.iter().map(|(task, _)| *task).collect();
            let count = left.len();
            left.retain(|(task, before)| {
                let any = self.tasks.get(*task).map_or(&[][..], Task::any_of);
                before.iter().any(|task| stuck.contains(task))
                    || (!any.is_empty() && any.iter().all(|task| stuck.contains(task)))
            });
            if left.len() == count {
                return left.first().map(|(task, _)| *task);
            }
        }
    }
}
