//! The fact model and the facts: one observation of an estate.
//!
//! The model is compiled from the facts schema and its annotations, so this module knows kinds,
//! fields and references, and no word of any domain. It reads trees, not files, and knows no clock.

pub mod change;
pub mod json;
pub mod merge;
pub mod model;
pub mod path;
pub mod store;
pub mod time;
pub mod value;
pub mod version;
