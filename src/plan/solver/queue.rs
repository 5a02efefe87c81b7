//! The least weighted sum of completion times on slots that run side by side.

use super::count;

/// A lower bound on the sum of weight times end over checks that wait for some slots from one instant on.
/// It is exact where all weigh the same: shortest first.
///
/// Else it is the greater of two: shortest first with the least weight, to which each adds what it weighs
/// more, times its own length; and the bound of Eastman, Even and Isaacs, which makes one fast slot of all.
#[must_use]
pub(super) fn queue(mut checks: Vec<(i64, i64)>, slots: usize) -> i64 {
    let slots = count(slots.max(1));
    checks.sort_unstable_by_key(|(weight, takes)| (*takes, *weight));
    let least = checks.iter().map(|(weight, _)| *weight).min().unwrap_or(0);
    let work: i64 = checks.iter().map(|(weight, takes)| weight * takes).sum();
    let alike = least * shortest_first(&checks, slots)
        + checks.iter().map(|(weight, takes)| (weight - least) * takes).sum::<i64>();
    checks.sort_by(|one, other| (one.1 * other.0).cmp(&(other.1 * one.0)));
    let mut now = 0;
    let mut single = 0;
    for (weight, takes) in &checks {
        now += takes;
        single += weight * now;
    }
    let fast = (2 * single + (slots - 1) * work + 2 * slots - 1) / (2 * slots);
    alike.max(fast)
}

/// The sum of the ends of checks, sorted by length, on equal slots.
pub(super) fn shortest_first(checks: &[(i64, i64)], slots: i64) -> i64 {
    // The last `slots` checks are each the last on their slot; those before them are waited for once more.
    let mut sum = 0;
    for (index, (_, takes)) in checks.iter().rev().enumerate() {
        sum += takes * (count(index) / slots + 1);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::queue;

    #[test]
    fn equal_weights_are_exact_and_others_below_every_order() {
        assert_eq!(queue(vec![(1, 36), (1, 108), (1, 180)], 1), 36 + 144 + 324);
        assert_eq!(queue(vec![(1, 36), (1, 108), (1, 180)], 2), 36 + 108 + 216);
        assert_eq!(queue(vec![(3, 10), (1, 2)], 1), 2 + 3 * 12);
        assert_eq!(queue(Vec::new(), 2), 0);
        // Two slots: 2 and 3 at once, then 4 behind 2.
        assert!(queue(vec![(2, 2), (1, 3), (1, 4)], 2) <= 2 * 2 + 3 + 6);
    }
}
