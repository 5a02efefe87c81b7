//! How far long work is, on standard error where somebody watches it.

use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A line that counts.
#[derive(Debug)]
pub(crate) struct Progress {
    is_shown: bool,
    total: usize,
    noun: &'static str,
    /// Hundredths shown last.
    shown: AtomicUsize,
}

impl Progress {
    /// For that many things.
    #[must_use]
    pub(crate) fn new(is_shown: bool, total: usize, noun: &'static str) -> Self {
        Self { is_shown, total, noun, shown: AtomicUsize::new(usize::MAX) }
    }

    /// Says how many are done; can be called from several threads.
    pub(crate) fn tell(&self, done: usize) {
        if !self.is_shown || self.total == 0 {
            return;
        }
        let share = done * 100 / self.total;
        if self.shown.swap(share, Ordering::Relaxed) != share {
            // Nobody needs to hear of a terminal that went away.
            let _ = write!(io::stderr(), "\r{done} of {} {}", self.total, self.noun);
        }
    }

    /// Takes the line away.
    pub(crate) fn end(&self) {
        if self.is_shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
