//! One test binary, so that the large dependencies link once.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a failing test may panic; tests read files and say what they tried"
)]

mod architecture;
mod breakages;
mod cases;
mod changes;
mod cli;
mod complete;
mod coverage;
mod diagnostics;
mod docs;
mod eval;
mod examples;
mod explain;
mod expressions;
mod facts;
mod functions;
mod hostile;
mod jobs;
mod lint;
mod lsp;
mod needs;
mod new;
mod output;
mod overlays;
mod plan;
mod planedit;
mod planends;
mod planfile;
mod planpages;
mod planrepair;
mod planreport;
mod planwords;
mod predict;
mod print;
mod promises;
mod real;
mod reference;
mod remedy;
mod repair;
mod replay;
mod safety;
mod schemas;
mod scopes;
mod shrink;
mod slips;
mod solver;
mod support;
mod terminal;
mod testing;
mod tutorial;
