//! One test binary, so that the large dependencies link once.
#![expect(clippy::unwrap_used, reason = "a failing test may panic")]

mod architecture;
mod cases;
mod diagnostics;
mod expressions;
mod safety;
mod support;
