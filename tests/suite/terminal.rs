//! What a person at a terminal meets: progress on standard error, colours.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::root;

/// Runs the program in a pseudo-terminal that `script` (util-linux) makes, and gives its code and what it
/// showed; none where there is no `script`.
fn at_a_terminal(args: &str) -> Option<(i32, String)> {
    let program = env!("CARGO_BIN_EXE_dpmguard");
    let mut child = Command::new("script")
        .args(["-qec", &format!("'{program}' {args}"), "/dev/null"])
        .current_dir(root())
        .env("TERM", "xterm")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    // What does not end would stop all tests: it is ended, and found wanting.
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > Duration::from_mins(4) {
            child.kill().unwrap();
            panic!("`dpmguard {args}` does not end at a terminal");
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let ran = child.wait_with_output().unwrap();
    let shown = String::from_utf8_lossy(&ran.stdout).into_owned();
    Some((ran.status.code()?, shown))
}

#[test]
fn long_work_tells_how_far_it_is_and_ends() {
    let pack = "examples/tape-libraries/pack";
    for (args, noun) in [("test", "cases"), ("test --mutate", "rules mutated")] {
        let Some((code, shown)) = at_a_terminal(&format!("{args} {pack}")) else {
            println!("skipped: `script` is not there");
            return;
        };
        assert_eq!(code, 0, "{shown}");
        assert!(shown.contains(&format!(" {noun}")) && shown.contains('\r'), "{shown:?}");
        assert!(shown.contains("\x1b[") && shown.contains("PASSED"), "{shown:?}");
    }
}
