//! How often the solver proves its answer, and how far from the bound it stays where it does not.
//!
//! `cargo bench --bench solver` prints a table. With `-- --write` it also puts all of it but the seconds into
//! `benches/solver.txt`; with `-- --check` it compares all of it but the seconds with that file. Problems have
//! fixed seeds and work is counted, so the file only changes with the solver. Further numbers after `--` name
//! rows: with some, only these are solved.

#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock, and reads and writes its own file"
)]

#[path = "solver/instances.rs"]
mod instances;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant as Stopwatch;

use dpmguard::plan::solver::{Effort, solve};
use instances::{HEAD, Row, SETUPS, problems};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/solver.txt");
    let asks_for = |what: &str| std::env::args().any(|arg| arg == what);
    let rows: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let mut out = std::io::stdout();
    writeln!(out, "{HEAD}  slowest ms")?;
    let mut file = format!("{HEAD}\n");
    for (index, setup) in SETUPS.iter().enumerate() {
        if !rows.is_empty() && !rows.contains(&index) {
            continue;
        }
        let (mut row, mut slowest) = (Row::default(), 0.0_f64);
        for problem in problems(setup) {
            let watch = Stopwatch::now();
            let answer = solve(&problem, &Effort::default())?;
            slowest = slowest.max(watch.elapsed().as_secs_f64() * 1_000.0);
            if asks_for("--each") {
                let found = answer.best.as_ref().map_or(0, |(value, _)| value.exposure);
                let bound = &answer.bound.exposure;
                writeln!(out, "{found:>10} {:>10} {:?}", bound.total, bound.rule)?;
            }
            row.add(&answer);
        }
        let line = row.line(setup);
        writeln!(out, "{line}  {slowest:>10.0}")?;
        file.push_str(&line);
        file.push('\n');
    }
    if asks_for("--write") {
        std::fs::write(&path, &file)?;
    }
    if asks_for("--check") {
        let written = std::fs::read_to_string(&path)?;
        let mut is_same = rows.is_empty() && written.lines().count() == file.lines().count();
        for (now, before) in file.lines().zip(written.lines()) {
            if now != before {
                is_same = false;
                writeln!(out, "was {before}\nnow {now}")?;
            }
        }
        return Ok(if is_same { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    Ok(ExitCode::SUCCESS)
}
