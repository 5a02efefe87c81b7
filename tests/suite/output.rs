//! Reports: one evaluation with everything in it, each format a snapshot; JSON follows its schema;
//! nothing depends on the order of files.

use std::fs;
use std::path::{Path, PathBuf};

use dpmguard::load;
use dpmguard::source::{self, Sources};

use crate::support::{files, root, run, said, snapshot_beside};

fn example(name: &str) -> String {
    // As a user at the root of the project would write it.
    format!("examples/{name}")
}

fn in_root() {
    std::env::set_current_dir(root()).unwrap();
}

/// What changes from version to version, and nothing else.
fn steady(report: &str) -> String {
    report
        .replace(&format!("dpmguard {}", env!("CARGO_PKG_VERSION")), "dpmguard @@VERSION@@")
        .replace(
            &format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION")),
            "\"version\": \"@@VERSION@@\"",
        )
}

/// Digests of the pack change with every rule; those of the facts stay.
fn without_pack(report: &str) -> String {
    report.lines().filter(|line| !line.starts_with("pack ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_human_report_of_the_estate() {
    in_root();
    let ran = run(&["check", &example("contoso"), "--now", "observed"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert_eq!(ran.err, "");
    // Only what must be copied whole may be wider than the page: commands.
    let json = run(&["check", &example("contoso"), "--now", "observed", "--format", "json"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let steps = json["findings"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["steps"].as_array().unwrap());
    let commands: Vec<&str> = steps
        .flat_map(|step| step["commands"].as_array().unwrap())
        .map(|command| command["run"].as_str().unwrap())
        .collect();
    for line in ran.out.lines().filter(|line| line.chars().count() > 80) {
        assert!(commands.contains(&line.trim()), "wider than 80 columns: {line}");
    }
    snapshot_beside(&root().join("tests/output/contoso-human"), &without_pack(&steady(&ran.out)));
}

#[test]
fn the_human_report_in_colour_says_the_same() {
    in_root();
    let plain = run(&["check", &example("contoso"), "--now", "observed"]);
    let coloured = run(&["check", &example("contoso"), "--now", "observed", "--color", "always"]);
    assert!(coloured.out.contains("\u{1b}["));
    assert!(!plain.out.contains('\u{1b}'));
    let stripped = anstream::adapter::strip_str(&coloured.out).to_string();
    assert_eq!(stripped, plain.out);
}

#[test]
fn the_json_report_follows_its_schema() {
    in_root();
    let schema = load::schema("report-v1").unwrap();
    for name in ["contoso", "fabrikam", "healthy"] {
        let ran = run(&["check", &example(name), "--now", "observed", "--format", "json"]);
        let mut sources = Sources::default();
        let file = sources.add("report.json", ran.out.as_bytes()).unwrap();
        let root = source::read(&sources, file).unwrap();
        let found = schema.check(&root);
        assert!(found.is_empty(), "{name}: {}", said(&found, &sources));
        let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(json["verdict"]["exit_code"], ran.code);
    }
}

#[test]
fn the_json_report_of_the_estate() {
    in_root();
    let ran = run(&["check", &example("contoso"), "--now", "observed", "--format", "json"]);
    let mut json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    for pack in json["packs"].as_array_mut().unwrap() {
        pack["sha256"] = "@@DIGEST@@".into();
    }
    // The texts of rules are in their files; they would churn this snapshot without saying more.
    for rule in json["rules"].as_array_mut().unwrap() {
        rule["explanation"] = "@@TEXT@@".into();
        rule["references"] = serde_json::json!([]);
    }
    let text = serde_json::to_string_pretty(&json).unwrap();
    snapshot_beside(&root().join("tests/output/contoso-json"), &steady(&text));
}

/// A report is the same whatever the order of arguments, and on every run.
#[test]
fn the_order_of_files_changes_nothing() {
    in_root();
    let parts = ["dpm01", "dpm02", "exchange", "servers"]
        .map(|name| format!("examples/contoso/{name}.yaml"));
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let turned: Vec<&str> = parts.iter().rev().copied().collect();
    for format in ["human", "json"] {
        let report = |files: &[&str]| {
            let mut args = vec!["check"];
            args.extend(files);
            args.extend(["--now", "observed", "--format", format]);
            run(&args).out
        };
        let one = report(&parts);
        assert_eq!(one, report(&turned));
        assert_eq!(one, report(&parts));
        assert_eq!(one, report(&["examples/contoso"]));
        assert_eq!(one, report(&["examples/contoso", parts[1], "examples/contoso"]));
    }
}

/// Objects, fields and rules may stand in any order in their files.
#[test]
fn the_order_inside_files_changes_no_verdict() {
    in_root();
    let folder = tempfile::tempdir().unwrap();
    for path in files(&root().join("examples/contoso"), "yaml") {
        let mut sources = Sources::default();
        let file = sources.add("x", &fs::read(&path).unwrap()).unwrap();
        let mut json = source::read(&sources, file).unwrap().to_json();
        for list in
            json.as_object_mut().unwrap().values_mut().filter_map(|value| value.as_array_mut())
        {
            list.reverse();
        }
        let reversed: Vec<(String, serde_json::Value)> = json
            .as_object()
            .unwrap()
            .iter()
            .rev()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let object: serde_json::Map<String, serde_json::Value> = reversed.into_iter().collect();
        let name = path.file_name().unwrap().to_string_lossy().replace("yaml", "json");
        fs::write(folder.path().join(name), serde_json::to_string(&object).unwrap()).unwrap();
    }
    let verdicts = |facts: &str| {
        let ran = run(&["check", facts, "--now", "observed", "--format", "json"]);
        let json: serde_json::Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        let strip = |list: &serde_json::Value| -> Vec<String> {
            list.as_array()
                .unwrap()
                .iter()
                .map(|one| {
                    format!(
                        "{} {} {} {}",
                        one["rule"], one["subject"], one["message"], one["fingerprint"]
                    )
                })
                .collect()
        };
        (ran.code, strip(&json["findings"]), strip(&json["undecided"]), json["summary"].clone())
    };
    assert_eq!(verdicts("examples/contoso"), verdicts(&folder.path().display().to_string()));
}

#[test]
fn reports_are_written_beside_the_one_on_standard_output() {
    in_root();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (json, human) = (file("a.json"), file("b.txt"));
    let ran = run(&[
        "check",
        "examples/contoso",
        "--now",
        "observed",
        "-o",
        &format!("json={json}"),
        "-o",
        &format!("human={human}"),
    ]);
    assert_eq!(ran.code, 1);
    assert_eq!(fs::read_to_string(human).unwrap(), ran.out);
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(json).unwrap()).unwrap();
    assert_eq!(json["verdict"]["outcome"], "failed");
    // Written whole or not at all, and nothing else is left behind.
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    let nowhere = folder.path().join("missing/a.json").display().to_string();
    let ran = run(&["check", "examples/contoso", "-o", &format!("json={nowhere}")]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("cannot write"), "{}", ran.err);
}

/// Evidence shows the value and where it stands: line and column are those of the file.
#[test]
fn evidence_points_at_its_value() {
    in_root();
    let ran = run(&["check", "examples/contoso", "--now", "observed", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let mut checked = 0;
    for finding in json["findings"].as_array().unwrap() {
        for evidence in finding["evidence"].as_array().unwrap() {
            let (Some(file), Some(line), Some(column)) =
                (evidence["file"].as_str(), evidence["line"].as_u64(), evidence["column"].as_u64())
            else {
                continue;
            };
            let text = fs::read_to_string(PathBuf::from(file)).unwrap();
            let line = text.lines().nth(usize::try_from(line).unwrap() - 1).unwrap();
            let rest: String = line.chars().skip(usize::try_from(column).unwrap() - 1).collect();
            let value = evidence["value"].as_str().unwrap();
            let rest = rest.trim_start_matches(['\'', '"', '[']);
            let first = value.split(", ").next().unwrap();
            assert!(rest.starts_with(first), "{file}: `{rest}` does not show `{value}`");
            checked += 1;
        }
    }
    assert!(checked > 10, "only {checked} places were looked at");
}

#[test]
fn schemas_are_published_as_they_are() {
    for (name, text) in load::SCHEMAS {
        assert_eq!(run(&["schema", name]).out, text);
        let path = root().join(format!("schemas/{name}.schema.json"));
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "{}", path.display());
        assert!(load::schema(name).is_ok());
    }
    assert!(Path::new(&root()).join("schemas").read_dir().unwrap().count() == load::SCHEMAS.len());
}
