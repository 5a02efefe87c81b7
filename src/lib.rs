//! Policy as code for replica protection: facts, rules, verdicts.
//!
//! Modules stand in floors, each importing only lower ones (`tests/suite/architecture.rs`). Data runs
//! one way: bytes -> [`source`] -> [`facts`] and [`rule`] -> [`eval`] -> [`gate`] -> [`report`]. The
//! domain is data: `schemas/` and `rules/`.

pub mod author;
pub mod cli;
pub mod diagnostic;
pub mod digest;
pub mod eval;
pub mod expr;
pub mod facts;
pub mod finding;
pub mod gate;
pub mod import;
pub mod load;
pub mod plan;
pub mod report;
pub mod rule;
pub mod schema;
pub mod source;
