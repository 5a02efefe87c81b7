//! The `dpmguard` program; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dpmguard::cli::main())
}
