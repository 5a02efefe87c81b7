//! What is written: one module a format.

pub mod diagnostic;
