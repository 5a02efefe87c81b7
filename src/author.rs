//! Tools for the authors of rules.

pub mod case;
pub mod causes;
pub mod complete;
pub mod patch;
