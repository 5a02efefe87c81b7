//! Tools for the authors of rules.

pub mod act;
pub mod case;
pub mod causes;
pub mod clauses;
pub mod complete;
pub mod coverage;
pub mod docs;
pub mod edit;
pub mod explain;
pub mod lint;
pub mod mutate;
pub mod needs;
pub mod new;
pub mod patch;
pub mod shrink;
pub mod snapshot;
pub mod suite;
pub mod trial;
pub mod workbench;
