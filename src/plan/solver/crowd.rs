//! What objects that are bad at one time wait for: one operator, and slots that run side by side.
//!
//! All of a crowd are bad at one instant. After it, an object is good again once its own tasks and its check
//! are over. Its own tasks can run before the instant too (if that is not the opening of the window), but then
//! it is bad from there on; or in a time of their own that another check ends. Say `n` objects, of which the
//! first `k` to be good again, at the best, are those with the shortest checks, on all slots from the instant
//! on. The `n - k` others wait for the operator: the last of those that have own tasks after the instant can
//! be taken for them, since none of them is good again before its own tasks and its check are over.
//!
//! So an own task counts as often as there are objects that wait for it: after the instant, the last one's
//! once, the second last one's twice, at most `n - k` times; before it, the first one's once, the second one's
//! twice. In a time of its own it counts once, and there is one check more. The least is where the longest
//! own tasks count least often. Each `k` is a bound; the greatest is kept.

use super::count;
use super::queue::shortest_first;

/// An object that waits.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Member {
    /// The time that its own tasks take.
    pub own: i64,
    /// The time that its check takes.
    pub check: i64,
}

/// The least sum of waits of a crowd: of checks for slots, and of what operators do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waits {
    /// Of checks: those that are first, shortest first, and the length of the others.
    pub queue: i64,
    /// Of own tasks, each times the number of objects that wait for it, and checks more.
    pub lane: i64,
}

impl Waits {
    fn total(self) -> i64 {
        self.queue + self.lane
    }
}

/// The greatest bound for a crowd, if all weigh the same; `sides` is 2 if own tasks can run before the
/// instant. Only some splits are tried unless the answer is to be thorough.
#[must_use]
pub(super) fn crowd(members: &[Member], slots: usize, sides: usize, thorough: bool) -> Waits {
    let mut checks: Vec<i64> = members.iter().map(|member| member.check).collect();
    checks.sort_unstable();
    let mut members = members.to_vec();
    members.sort_unstable_by_key(|member| (-member.own, member.check));
    let all = members.len();
    let splits = if thorough { 24 } else { 4 };
    let mut firsts: Vec<usize> = (0..splits).map(|split| split * all / splits).collect();
    firsts.extend(all.checked_sub(1));
    firsts.dedup();
    let slots = count(slots.max(1));
    let bounds = firsts.into_iter().filter(|first| *first < all).map(|first| {
        let (short, _) = checks.split_at(first);
        let (others, _) = checks.split_at(all - first);
        let short: Vec<(i64, i64)> = short.iter().map(|check| (1, *check)).collect();
        let queue = shortest_first(&short, slots) + others.iter().sum::<i64>();
        Waits { queue, lane: lane(&members, all - first, sides) }
    });
    bounds.max_by_key(|waits| waits.total()).unwrap_or_default()
}

/// The least that own tasks cost, longest first: each object waits with the others, or has a check more.
fn lane(members: &[Member], most: usize, sides: usize) -> i64 {
    // The least so far, for each number of those that wait with the others.
    let mut least = vec![0];
    for member in members {
        let mut next = vec![i64::MAX; least.len() + 1];
        for (place, sum) in least.iter().enumerate() {
            let often = count((place / sides + 1).min(most));
            let ways =
                [(place, sum + member.own + member.check), (place + 1, sum + often * member.own)];
            for (place, sum) in ways {
                if let Some(known) = next.get_mut(place) {
                    *known = sum.min(*known);
                }
            }
        }
        least = next;
    }
    least.into_iter().min().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Member, Waits, crowd};

    #[test]
    fn own_tasks_count_for_all_that_wait() {
        let members = [10, 20].map(|own| Member { own, check: 100 });
        // The longer one last, behind the shorter one: 10 + 30; with two slots both checks follow at once.
        assert_eq!(crowd(&members, 2, 1, true), Waits { queue: 200, lane: 40 });
        // One before the instant, one behind it.
        assert_eq!(crowd(&members, 2, 2, true), Waits { queue: 200, lane: 30 });
        // Short checks are better made twice than waited for.
        let members = [10, 20].map(|own| Member { own, check: 1 });
        assert_eq!(crowd(&members, 2, 1, true).lane, 10 + 20 + 1);
        assert_eq!(crowd(&[], 2, 1, true), Waits::default());
    }
}
