//! The least harmful order and times for a change: whole numbers, no facts, no rules, no simulation.
//!
//! `problem` is what is asked, `value` what an answer is worth and `aim` what counts first; `solve` answers.
//! It takes first orders (`construct`), makes times of them (`run`, and `timing` for the best ones), compares
//! them with what no schedule can be better than (`bound`, `ends`), and if that leaves something open looks at
//! all orders (`search`) or, where they are too many, at some (`local`). `relax` says why nothing fits and what
//! would help.

pub mod aim;
mod alike;
pub mod bound;
pub mod construct;
mod crowd;
pub mod ends;
pub mod local;
mod mended;
pub mod problem;
mod queue;
pub mod relax;
pub mod run;
pub mod search;
pub mod solve;
pub mod timing;
pub mod value;

pub use bound::Certificate;
pub use problem::Problem;
pub use solve::{Answer, Effort, Status, solve};
pub use value::{Schedule, Value};

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
