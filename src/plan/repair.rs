//! The least harmful order and times for a change: whole numbers, no facts, no rules, no simulation.
//!
//! `problem` is what is asked, `value` what an answer is worth, `run` makes times from an order, `timing` the
//! best times for it.

pub mod problem;
pub mod run;
pub mod timing;
pub mod value;

/// An entry of a list, or nothing's worth where there is none.
fn at<T: Copy + Default>(list: &[T], index: usize) -> T {
    list.get(index).copied().unwrap_or_default()
}

/// Replaces an entry that is there.
fn put<T>(list: &mut [T], index: usize, entry: T) {
    if let Some(place) = list.get_mut(index) {
        *place = entry;
    }
}

/// A length as a number that can be reckoned with.
fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
