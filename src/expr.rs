//! Expressions: the wall around rhai.
//!
//! rhai parses (`syntax`); our checker infers types from the model and lowers to a typed tree
//! (`check`, `tree`), which is evaluated straight over the fact store with three-valued logic
//! (`eval`). Functions that a pack writes in rhai run in the sandboxed interpreter (`script`). Nothing
//! outside this module names a type of rhai.

pub mod check;
pub mod eval;
pub mod functions;
pub mod print;
pub mod script;
pub mod span;
pub mod syntax;
pub mod template;
pub mod tree;
