//! The program: arguments, exit codes, streams.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{root, run, run_with};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dpmguard"));
    command.current_dir(root());
    for name in ["NO_COLOR", "DPMGUARD_NOW", "DPMGUARD_CONFIG"] {
        command.env_remove(name);
    }
    command
}

/// The first of the README's two commands, with the program itself.
#[test]
fn the_main_job_on_the_shipped_example() {
    let output =
        program().args(["check", "examples/contoso", "--now", "observed"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("FAILED"), "{text}");
    assert!(!text.contains('\u{1b}'), "a pipe gets no colours");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_healthy_estate_passes() {
    let output =
        program().args(["check", "examples/healthy", "--now", "observed"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("0 errors, 0 warnings, 0 notes; 0 undecided"), "{text}");
}

/// A run that checked nothing must not be green.
#[test]
fn nothing_judged_is_no_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().display().to_string();
    let ran = run(&["check", &empty]);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.starts_with("NO VERDICT"), "{}", ran.out);
    assert!(ran.out.contains("nothing"), "{}", ran.out);
    // Facts that no rule binds to.
    let facts = "schema: dpmguard.facts/v1\nobserved_at: 2009-01-01T00:00:00Z\ncomplete: all\n";
    let mut all = String::from(facts);
    for collection in collections() {
        all.push_str(&collection);
        all.push_str(": []\n");
    }
    let ran = run_with(&["check", "-", "--now", "observed"], all.as_bytes());
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("found no object"), "{}", ran.out);
    assert!(ran.out.contains("bound to 0 subjects"), "{}", ran.out);
}

fn collections() -> Vec<String> {
    let schema: serde_json::Value = serde_json::from_str(
        dpmguard::load::SCHEMAS.iter().find(|(name, _)| *name == "facts-v1").unwrap().1,
    )
    .unwrap();
    let properties = schema["properties"].as_object().unwrap();
    properties
        .iter()
        .filter(|(_, value)| value["type"] == "array")
        .map(|(key, _)| key.clone())
        .collect()
}

/// The exit code hangs on the threshold, never on the format.
#[test]
fn no_format_changes_the_exit_code() {
    for (facts, threshold, code) in [
        ("examples/contoso", "warning", 1),
        ("examples/contoso", "error", 1),
        ("examples/contoso", "never", 0),
        ("examples/healthy", "note", 0),
    ] {
        let facts = root().join(facts).display().to_string();
        for format in ["human", "json"] {
            let ran = run(&[
                "check",
                &facts,
                "--now",
                "observed",
                "--fail-on",
                threshold,
                "--format",
                format,
            ]);
            assert_eq!(ran.code, code, "{facts} {threshold} {format}");
        }
    }
    let facts = root().join("examples/contoso").display().to_string();
    assert_eq!(run(&["check", &facts, "--exit-zero"]).code, 0);
    assert_eq!(run(&["check", "missing.yaml", "--exit-zero"]).code, 2);
}

#[test]
fn rules_can_be_picked_by_id_and_tag() {
    let facts = root().join("examples/contoso").display().to_string();
    let rules = |args: &[&str]| -> Vec<String> {
        let mut all = vec!["check", &facts, "--format", "json", "--now", "observed"];
        all.extend(args);
        let ran = run(&all);
        let json: serde_json::Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        json["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(rules(&["--only", "database-file-moved"]), ["database-file-moved"]);
    assert!(!rules(&["--skip", "database-file-moved"]).contains(&"database-file-moved".to_owned()));
    assert!(rules(&["--only", "tag:cause"]).len() > 2);
    // A rule that asks for others gives the same verdict when it stands alone.
    let alone =
        run(&["check", &facts, "--only", "inconsistent-without-cause", "--now", "observed"]);
    assert_eq!(alone.code, 1, "{}", alone.out);
    for slip in ["database-file-mvoed", "tag:casue"] {
        let ran = run(&["check", &facts, "--skip", slip]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains("did you mean"), "{}", ran.err);
    }
}

#[test]
fn parameters_are_set_on_the_command_line_and_in_the_configuration() {
    let facts = root().join("examples/healthy").display().to_string();
    let rule = "low-space-on-protected-volume";
    let shown = run(&["rules", "show", rule]).out;
    let name = shown.lines().skip_while(|line| *line != "Parameters").nth(1).unwrap();
    let name = name.trim().split(' ').next().unwrap();
    let option = format!("{rule}.{name}=99");
    let ran = run(&["rules", "show", rule, "--param", &option]);
    assert!(ran.out.contains(&format!("{name} = 99 (set by you)")), "{}", ran.out);
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("dpmguard.yaml");
    fs::write(
        &config,
        format!("schema: dpmguard.config/v1\nparams:\n  {rule}: {{ {name}: 99 }}\n"),
    )
    .unwrap();
    let config = config.display().to_string();
    let ran = run(&["rules", "show", rule, "--config", &config]);
    assert!(ran.out.contains(&format!("{name} = 99 (set by you)")), "{}", ran.out);
    // The command line wins over the file.
    let ran =
        run(&["rules", "show", rule, "--config", &config, "--param", &format!("{rule}.{name}=98")]);
    assert!(ran.out.contains(&format!("{name} = 98 (set by you)")), "{}", ran.out);
    for (slip, says) in [
        (format!("{rule}.{name}=many"), "wrong-type"),
        (format!("{rule}.{name}x=9"), "unknown-parameter"),
        (format!("{rule}x.{name}=9"), "unknown-rule"),
        (format!("{rule}={name}"), "wrong-option"),
        (format!("{rule}.{name}=[1"), "yaml-syntax"),
    ] {
        let ran = run(&["check", &facts, "--param", &slip]);
        assert_eq!(ran.code, 2, "{slip}: {}", ran.out);
        assert!(ran.err.contains(says), "{slip}: {}", ran.err);
    }
}

/// A clock one can set, and no other source of time.
#[test]
fn now_is_an_input() {
    let facts = root().join("examples/healthy").display().to_string();
    let ran = run(&["check", &facts, "--now", "2009-10-01T00:00:00Z", "--format", "json"]);
    assert!(ran.out.contains("\"now\": \"2009-10-01T00:00:00Z\""), "{}", ran.out);
    let ran = run(&["check", &facts, "--now", "yesterday"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`--now yesterday`"), "{}", ran.err);
}

#[test]
fn wrong_calls_exit_with_2_and_say_why() {
    for (args, says) in [
        (vec!["check"], "<FACTS>"),
        (vec!["chekc", "x"], "check"),
        (vec!["check", "x", "--fail-on", "eror"], "error"),
        (vec!["check", "x", "--format", "jsn"], "json"),
        (vec!["check", "x", "-o", "json"], "FORMAT=FILE"),
        (vec!["check", "missing.yaml"], "does not exist"),
        (vec!["check", "examples/contoso/dpm1.yaml"], "did you mean `dpm01.yaml`"),
        (vec!["rules", "show", "database-file-mved"], "did you mean `database-file-moved`"),
        (vec!["schema", "fact-v1"], "did you mean `facts-v1`"),
    ] {
        let output = program().args(&args).output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {err}");
        assert!(output.stdout.is_empty(), "{args:?}");
        assert!(err.contains(says), "{args:?}: {err}");
    }
}

#[test]
fn help_has_examples_and_exit_codes() {
    for args in [vec!["--help"], vec!["check", "--help"], vec!["rules", "show", "--help"]] {
        let ran = run(&args);
        assert_eq!(ran.code, 0);
        assert!(ran.out.contains("Example"), "{}", ran.out);
    }
    assert!(run(&["check", "--help"]).out.contains("3 no verdict"));
    assert!(run(&["man"]).out.contains(".TH dpmguard"));
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(run(&["completions", shell]).out.contains("dpmguard"), "{shell}");
    }
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let mut child = program()
        .args(["check", "examples/contoso", "--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn facts_come_from_standard_input_too() {
    let facts = fs::read(root().join("examples/healthy/facts.yaml")).unwrap();
    let mut child = program()
        .args(["check", "-", "--now", "observed"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(&facts).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("facts <stdin>"));
}

/// All errors of all files are shown at once, and nothing is judged.
#[test]
fn problems_of_rules_and_facts_show_together() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    let good = fs::read_to_string(root().join("tests/diagnostics/base-rule.yaml")).unwrap();
    for name in ["one", "two"] {
        let text = good.replace("base-rule", name).replace("db.edb_path", "db.edb_paht");
        fs::write(rules.join(format!("{name}.yaml")), text).unwrap();
    }
    let facts = folder.path().join("facts.yaml");
    fs::write(
        &facts,
        "schema: dpmguard.facts/v1\nobserved_at: 2009-01-01T00:00:00Z\ndatabses: []\n",
    )
    .unwrap();
    let ran =
        run(&["check", &facts.display().to_string(), "--rules", &rules.display().to_string()]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for part in ["one.yaml:", "two.yaml:", "facts.yaml:3:1", "3 errors; no verdict"] {
        assert!(ran.err.contains(part), "{part}: {}", ran.err);
    }
}

/// The report says what was left out and what was changed: a verdict is worth no more than that.
#[test]
fn the_report_says_what_the_user_set() {
    let facts = root().join("examples/healthy").display().to_string();
    let skip = [
        "check",
        &facts,
        "--now",
        "observed",
        "--skip",
        "tag:eseutil",
        "--param",
        "low-space-on-protected-volume.min_free_gb=1",
    ];
    let ran = run(&skip);
    assert!(ran.out.contains("skipped tag:eseutil\n"), "{}", ran.out);
    assert!(
        ran.out.contains("parameter low-space-on-protected-volume.min_free_gb = 1\n"),
        "{}",
        ran.out
    );
    let mut args = skip.to_vec();
    args.extend(["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&run(&args).out).unwrap();
    assert_eq!(json["settings"]["skip"][0], "tag:eseutil");
    assert_eq!(json["settings"]["params"][0]["param"], "min_free_gb");
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("c.yaml");
    fs::write(&config, "schema: dpmguard.config/v1\nskip: [\"tag:eseutil\"]\n").unwrap();
    let config = config.display().to_string();
    let ran = run(&["check", &facts, "--now", "observed", "--config", &config]);
    assert!(
        ran.out.contains("skipped tag:eseutil\n") && ran.out.contains("configuration "),
        "{}",
        ran.out
    );
}

/// A collector that died long ago does not keep a pipeline green.
#[test]
fn old_facts_can_be_refused() {
    let facts = root().join("examples/healthy").display().to_string();
    let ran = run(&["check", &facts, "--now", "2009-05-06T00:00:00Z", "--max-age", "24h"]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    assert!(ran.out.contains("facts older than 1 d count as not known"), "{}", ran.out);
    assert!(ran.out.contains("collected at"), "{}", ran.out);
    assert_eq!(
        run(&["check", &facts, "--now", "2009-05-05T12:00:00Z", "--max-age", "24h"]).code,
        0
    );
    assert_eq!(run(&["check", &facts, "--max-age", "soon"]).code, 2);
}

#[test]
fn codes_are_explained_in_every_spelling() {
    let ran = run(&["explain-code", "30135", "0x80004002", "-528"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    for part in ["30135  DPM error ids", "database-file-moved", "E_NOINTERFACE", "JET_errMissing"] {
        assert!(ran.out.contains(part), "{part}: {}", ran.out);
    }
    let signed = run(&["explain-code", "-2147467262"]).out;
    assert_eq!(signed, run(&["explain-code", "0x80004002"]).out);
    let ran = run(&["explain-code", "30135", "424242"]);
    // What is known is told all the same.
    assert_eq!(ran.code, 2);
    assert!(ran.out.starts_with("30135  "), "{}", ran.out);
    assert!(ran.err.contains("no table knows the code `424242`"), "{}", ran.err);
    assert!(run(&["explain-code", "0x80070999"]).err.contains("Windows error 2457"));
}

#[test]
fn actions_and_tables_can_be_looked_at() {
    let list = run(&["rules", "actions"]).out;
    assert!(list.contains("check   run-consistency-check"), "{list}");
    let one = run(&["rules", "actions", "run-consistency-check"]).out;
    for part in ["source: data_source, where it is done", "rate_gb_per_hour = 45", "Sources"] {
        assert!(one.contains(part), "{part}: {one}");
    }
    let ran = run(&["rules", "actions", "run-consistancy-check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `run-consistency-check`"), "{}", ran.err);
    assert!(run(&["rules", "tables"]).out.contains("dpm-errors"));
    assert!(run(&["rules", "tables", "required-hotfixes"]).out.contains("KB940349"));
    assert!(run(&["rules", "tables", "dpm-eror"]).err.contains("did you mean `dpm-errors`"));
}

/// A setting of an action is set like a parameter of a rule, and the report says so.
#[test]
fn actions_have_settings() {
    let facts = root().join("docs/example/facts.yaml").display().to_string();
    let rules = root().join("docs/example/rules").display().to_string();
    let report = |param: &str| {
        let all = ["check", &facts, "--rules", &rules, "--no-shipped-rules", "--now", "observed"];
        run(&[&all[..], &["--format", "json", "--param", param]].concat())
    };
    let ran = report("run-consistency-check.rate_gb_per_hour=80");
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(json["repair"][0]["takes"]["expected_seconds"], 3600, "{}", json["repair"]);
    assert_eq!(json["settings"]["params"][0]["rule"], "run-consistency-check");
    let ran = report("run-consistency-check.rate_gb_per_hou=80");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `rate_gb_per_hour`"), "{}", ran.err);
    assert_eq!(report("run-consistency-check.rate_gb_per_hour=0").code, 2);
}
