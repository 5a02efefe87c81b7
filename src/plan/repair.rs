//! The least harmful way to carry out a plan: what it lacks is put in, and its steps are put into another order.
//!
//! A plan is taken apart into pieces (`pieces`), and carried out one after the other, without checks, to see which fixes
//! it lacks (`complete`) and which piece breaks what and is mended by what (`ground`). That is a problem of whole numbers,
//! which `solver` answers; its answer becomes a plan again (`arrange`) and is simulated with all that the rules know
//! (`worth`). What comes out differently than the numbers said is learned (`learn`), and the question put again. `edit`
//! writes the result into the user's own text.

mod arrange;
mod choice;
mod complete;
pub mod edit;
mod ground;
mod help;
mod learn;
mod options;
mod pieces;
mod same;
mod search;
mod text;
mod worth;

pub use choice::{Choice, Edits, Kind, OwnOrder, Status};
pub use complete::Left;
pub use ground::Ground;
pub use help::{Change, WhatIf};
pub use options::{Options, TOLERANCE};
pub use pieces::{Draft, Entry, Origin, Piece, Pieces};
pub use search::{Repair, repair};
pub use text::entries;
pub use worth::Tried;
