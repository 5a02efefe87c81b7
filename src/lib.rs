//! Policy as code for replica protection: facts, rules, verdicts.
pub mod diagnostic;
pub mod digest;
pub mod eval;
pub mod expr;
pub mod facts;
pub mod finding;
pub mod report;
pub mod rule;
pub mod schema;
pub mod source;
