//! One test binary, so that the large dependencies link once.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod architecture;
mod cases;
mod cli;
mod diagnostics;
mod examples;
mod expressions;
mod output;
mod promises;
mod safety;
mod support;
