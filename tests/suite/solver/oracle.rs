//! The least value of a problem, by trying out everything: unit time, one state after the other.
//!
//! It knows what a problem says and nothing of how to order or time anything: at each tick any tasks and any
//! checks may begin, also needless ones and those in vain. For each state at a tick it keeps all costs of which
//! none is as good as another on each level; what comes later depends on the state alone.

use std::collections::HashMap;

use dpmguard::plan::solver::aim::Aim;
use dpmguard::plan::solver::problem::Problem;
use dpmguard::plan::solver::value::Value;

const WAITING: u8 = 255;
const GOOD: u8 = 0;
const BAD: u8 = 1;

/// A tick's state: what is left of each task; each object good, bad or in a check (ticks left, in vain or
/// not); for how long each object may still be exposed; the user's places in the order of their begins, if
/// anybody asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    left: [u8; 6],
    phase: [u8; 4],
    spare: [u8; 4],
    order: [u8; 10],
}

/// Exposure, checks, end.
type Cost = [i64; 3];

/// The least value; none if nothing fits.
pub(crate) fn least(problem: &Problem) -> Option<Value> {
    least_for(problem, Aim::default())
}

/// The least value, where other levels decide first.
pub(crate) fn least_for(problem: &Problem, aim: Aim) -> Option<Value> {
    let oracle = Oracle { problem };
    let mut start =
        State { left: [0; 6], phase: [GOOD; 4], spare: [WAITING; 4], order: [WAITING; 10] };
    for (spare, object) in start.spare.iter_mut().zip(&problem.objects) {
        *spare = object.most.map_or(WAITING, |most| u8::try_from(most).unwrap());
    }
    start.left[..problem.tasks.len()].fill(WAITING);
    for (phase, object) in start.phase.iter_mut().zip(&problem.objects) {
        *phase = if object.starts_bad { BAD } else { GOOD };
    }
    let mut layer = HashMap::from([(start, vec![[0; 3]])]);
    let last = problem.window.max(problem.checks_until);
    for now in 0..last {
        let mut next: HashMap<State, Vec<Cost>> = HashMap::new();
        let states: Vec<(State, Vec<Cost>)> = layer.into_iter().collect();
        for (state, costs) in states {
            for cost in costs {
                oracle.tick(now, &state, cost, &mut |state, cost| {
                    let known = next.entry(state).or_default();
                    if !known.iter().any(|known| is_as_good(known, &cost)) {
                        known.retain(|known| !is_as_good(&cost, known));
                        known.push(cost);
                    }
                });
            }
        }
        layer = next;
    }
    let all = layer.iter().flat_map(|(state, costs)| costs.iter().map(move |cost| (state, *cost)));
    let values = all.filter_map(|(state, cost)| oracle.finish(last, state, cost));
    values.min_by(|one, other| one.compare(other, aim))
}

fn is_as_good(one: &Cost, other: &Cost) -> bool {
    one.iter().zip(other).all(|(one, other)| one <= other)
}

struct Oracle<'a> {
    problem: &'a Problem,
}

fn checking(ticks: u8, in_vain: bool) -> u8 {
    2 + 2 * ticks + u8::from(in_vain)
}

fn places(order: &[u8]) -> Vec<u8> {
    order.iter().copied().filter(|place| *place != WAITING).collect()
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap()
}

fn small(place: usize) -> u8 {
    u8::try_from(place).unwrap()
}

/// Whether the tick from now on is closed.
fn is_closed(times: &[(i64, i64)], now: i64) -> bool {
    times.iter().any(|(from, to)| (*from..*to).contains(&now))
}

fn runs(left: u8) -> bool {
    left != WAITING && left != 0
}

impl Oracle<'_> {
    fn tick(&self, now: i64, state: &State, cost: Cost, found: &mut impl FnMut(State, Cost)) {
        let waiting: Vec<usize> = (0..self.problem.tasks.len())
            .filter(|task| self.may_begin(now, state, *task))
            .collect();
        for set in 0..1_usize << waiting.len() {
            let begun: Vec<usize> = waiting
                .iter()
                .enumerate()
                .filter(|(bit, _)| set >> bit & 1 == 1)
                .map(|(_, task)| *task)
                .collect();
            let mut then = *state;
            for task in &begun {
                let about = &self.problem.tasks[*task];
                then.left[*task] = u8::try_from(about.takes).unwrap();
                for object in &about.breaks {
                    then.phase[*object] = match then.phase[*object] {
                        GOOD | BAD => BAD,
                        phase => phase | 1,
                    };
                }
            }
            let spoilt = begun.iter().any(|task| {
                self.problem.tasks[*task].needs_good.iter().any(|object| {
                    begun.iter().any(|other| {
                        other != task && self.problem.tasks[*other].breaks.contains(object)
                    })
                })
            });
            if !spoilt && self.tasks_fit(now, &then) {
                self.begin_checks(now, &then, &begun, cost, found);
            }
        }
    }

    fn begin_checks(
        &self,
        now: i64,
        state: &State,
        begun: &[usize],
        cost: Cost,
        found: &mut impl FnMut(State, Cost),
    ) {
        let idle: Vec<usize> = (0..self.problem.objects.len())
            .filter(|object| {
                state.phase[*object] < 2
                    && now + self.problem.objects[*object].check <= self.problem.checks_until
            })
            .collect();
        for set in 0..1_usize << idle.len() {
            let checks: Vec<usize> = idle
                .iter()
                .enumerate()
                .filter(|(bit, _)| set >> bit & 1 == 1)
                .map(|(_, object)| *object)
                .collect();
            let mut then = *state;
            for object in &checks {
                let ticks = u8::try_from(self.problem.objects[*object].check).unwrap();
                then.phase[*object] = checking(ticks, self.is_vain(state, *object));
            }
            if !self.checks_fit(now, &then) {
                continue;
            }
            let mut cost = cost;
            cost[1] += number(checks.len());
            self.note(&mut then, begun, &checks);
            if self.pass(now, &mut then, &mut cost) {
                found(then, cost);
            }
        }
    }

    /// One tick goes by; false if an object is exposed for too long.
    fn pass(&self, now: i64, state: &mut State, cost: &mut Cost) -> bool {
        for (index, object) in self.problem.objects.iter().enumerate() {
            let is_stopped = self.problem.stops.iter().any(|stop| {
                let has_begun = stop.from.is_none_or(|task| state.left[task] != WAITING);
                stop.object == index && has_begun && state.left[stop.to] != 0
            });
            if is_stopped || state.phase[index] != GOOD {
                cost[0] += object.weight;
                match state.spare[index] {
                    0 => return false,
                    WAITING => {}
                    spare => state.spare[index] = spare - 1,
                }
            }
        }
        for phase in &mut state.phase {
            if *phase >= 2 {
                *phase -= 2;
                if *phase < 4 {
                    *phase = if *phase & 1 == 1 { BAD } else { GOOD };
                    cost[2] = now + 1;
                }
            }
        }
        for left in &mut state.left {
            if runs(*left) {
                *left -= 1;
                if *left == 0 {
                    cost[2] = now + 1;
                }
            }
        }
        true
    }

    fn may_begin(&self, now: i64, state: &State, task: usize) -> bool {
        let about = &self.problem.tasks[task];
        let over = |other: &usize| state.left[*other] == 0;
        let kept = self.problem.tasks.iter().enumerate().filter(|(_, other)| {
            about.is_kept && other.is_kept && other.place.is_some() && other.place < about.place
        });
        state.left[task] == WAITING
            && now >= about.not_before
            && now + about.takes <= self.problem.window
            && about.until.is_none_or(|until| now + about.takes <= until)
            && about.after.iter().all(over)
            && (about.mends.iter().all(over) || (about.mends_any && about.mends.iter().any(over)))
            && self
                .problem
                .stops
                .iter()
                .filter(|stop| stop.to == task && stop.from != Some(task))
                .all(|stop| stop.from.as_ref().is_none_or(over))
            && kept.map(|(other, _)| other).all(|other| over(&other))
            && about.needs_good.iter().all(|object| state.phase[*object] == GOOD)
    }

    fn tasks_fit(&self, now: i64, state: &State) -> bool {
        let running: Vec<_> = self
            .problem
            .tasks
            .iter()
            .zip(&state.left)
            .filter(|(_, left)| runs(**left))
            .map(|(task, _)| task)
            .collect();
        let busy = running.iter().filter(|task| task.needs_operator).count();
        let clash = running.iter().enumerate().any(|(index, task)| {
            running.iter().enumerate().any(|(other, about)| {
                other != index
                    && task
                        .locks
                        .iter()
                        .any(|lock| about.locks.contains(lock) || about.uses.contains(lock))
            })
        });
        let mending = self.problem.tasks.iter().zip(&state.left).any(|(fix, left)| {
            fix.mends_any && runs(*left) && fix.mends.iter().any(|cause| runs(state.left[*cause]))
        });
        let shut = running.iter().any(|task| is_closed(&task.closed, now));
        busy <= self.problem.operators && !clash && !mending && !shut
    }

    fn checks_fit(&self, now: i64, state: &State) -> bool {
        let mut taken = vec![0; self.problem.owners.len()];
        for (phase, object) in state.phase.iter().zip(&self.problem.objects) {
            if *phase < 2 {
                continue;
            }
            taken[object.owner] += 1;
            let locked = self.problem.tasks.iter().zip(&state.left).any(|(task, left)| {
                runs(*left) && task.locks.iter().any(|lock| object.uses.contains(lock))
            });
            if locked || is_closed(&object.closed, now) {
                return false;
            }
        }
        taken.iter().zip(&self.problem.owners).all(|(taken, slots)| taken <= slots)
    }

    fn is_vain(&self, state: &State, object: usize) -> bool {
        self.problem.tasks.iter().zip(&state.left).any(|(task, left)| {
            let breaks = task.breaks.contains(&object) && runs(*left);
            let stands = task.mends.is_empty()
                || task.mends.iter().any(|cause| state.left[*cause] != WAITING);
            breaks || (task.frees.contains(&object) && *left != 0 && stands)
        })
    }

    /// The places of what begins now come last, in the user's order; of several checks the last one counts.
    fn note(&self, state: &mut State, begun: &[usize], checks: &[usize]) {
        let mut now: Vec<u8> =
            begun.iter().filter_map(|task| self.problem.tasks[*task].place).map(small).collect();
        let mut order = places(&state.order);
        for check in &self.problem.checks {
            if checks.contains(&check.object) {
                order.retain(|place| *place != small(check.place));
                now.push(small(check.place));
            }
        }
        now.sort_unstable();
        order.extend(now);
        state.order = [WAITING; 10];
        state.order[..order.len()].copy_from_slice(&order);
    }

    fn finish(&self, last: i64, state: &State, cost: Cost) -> Option<Value> {
        if state.left.iter().any(|left| *left != 0) {
            return None;
        }
        let mut value =
            Value { exposure: cost[0], checks: cost[1], end: cost[2], ..Value::default() };
        let objects = state.phase.iter().zip(state.spare).zip(&self.problem.objects);
        for ((phase, spare), object) in objects {
            if *phase != GOOD {
                let is_too_long =
                    spare != WAITING && i64::from(spare) < self.problem.horizon - last;
                if object.must_end_good || is_too_long {
                    return None;
                }
                value.not_good += object.weight;
                value.exposure += object.weight * (self.problem.horizon - last);
            }
        }
        // Each object has one written check at most, so that all checks but one are inserted.
        let order = places(&state.order);
        let tasks = |placed: bool| {
            number(self.problem.tasks.iter().filter(|task| task.place.is_some() == placed).count())
        };
        let kept = number(order.len()) - tasks(true);
        let written = number(self.problem.checks.len());
        value.distance = tasks(false) + (cost[1] - kept) + (written - kept) + moved(&order);
        Some(value)
    }
}

/// All but the longest increasing subsequence, by looking at every subset.
fn moved(order: &[u8]) -> i64 {
    let sets = 0..1_usize << order.len();
    let increasing = sets.filter(|set| {
        let chosen: Vec<u8> = order
            .iter()
            .enumerate()
            .filter(|(bit, _)| set >> bit & 1 == 1)
            .map(|(_, place)| *place)
            .collect();
        chosen.is_sorted()
    });
    number(order.len()) - i64::from(increasing.map(usize::count_ones).max().unwrap_or(0))
}
