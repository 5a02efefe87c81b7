//! The figures in `benches/solver.txt` are those of this solver.

use dpmguard::plan::solver::{Effort, solve};

#[path = "../../../benches/solver/instances.rs"]
mod instances;

use instances::{HEAD, Row, SETUPS, problems};

/// Rows that take no time; `cargo bench --bench solver -- --check` compares all of them.
fn is_quick(setup: &instances::Setup) -> bool {
    matches!((setup.groups, setup.shared, setup.slots), (3, 0, 1) | (3, 1, 2))
}

#[test]
fn the_written_figures_are_those_of_this_solver() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/solver.txt");
    let written = std::fs::read_to_string(path).unwrap();
    let mut lines = written.lines();
    assert_eq!(lines.next(), Some(HEAD));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), SETUPS.len());
    for (setup, line) in SETUPS.iter().zip(lines).filter(|(setup, _)| is_quick(setup)) {
        let mut row = Row::default();
        for problem in problems(setup) {
            row.add(&solve(&problem, &Effort::default()).unwrap());
        }
        assert_eq!(row.line(setup), line, "`cargo bench --bench solver -- --write` renews it");
    }
}
