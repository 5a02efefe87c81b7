//! `dpmguard explain`: the same outcomes as `check`, in words, with every value at its place.

use std::collections::BTreeMap;
use std::fs;

use dpmguard::load;
use dpmguard::source::{self, Sources};
use serde_json::Value as Json;

use crate::support::{Bench, root, run, said, snapshot_beside};

fn in_root() {
    std::env::set_current_dir(root()).unwrap();
}

/// Explains on an example estate.
fn explain(estate: &str, args: &[&str]) -> crate::support::Ran {
    in_root();
    let facts = format!("examples/{estate}");
    let mut all = vec!["explain"];
    all.extend(args);
    all.extend(["--facts", &facts, "--now", "observed"]);
    run(&all)
}

fn json(estate: &str, args: &[&str]) -> Json {
    let ran = explain(estate, &[args, &["--format", "json"]].concat());
    assert_eq!(ran.code, 0, "{args:?}: {}", ran.err);
    conforms(&ran.out);
    serde_json::from_str(&ran.out).unwrap()
}

fn conforms(text: &str) {
    let mut sources = Sources::default();
    let file = sources.add("explanation.json", text.as_bytes()).unwrap();
    let root = source::read(&sources, file).unwrap();
    let found = load::schema("explain-v1").unwrap().check(&root);
    assert!(found.is_empty(), "{}", said(&found, &sources));
}

fn snapshot(name: &str, text: &str) {
    snapshot_beside(&root().join("tests/explain").join(name), text);
}

#[test]
fn a_rule_alone_is_explained_in_words() {
    in_root();
    let ran = run(&["explain", "group-locked-by-initial-copy"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    snapshot("rule", &ran.out);
    let ran = run(&["explain", "group-locked-by-initial-copy", "--format", "json"]);
    conforms(&ran.out);
}

#[test]
fn a_table_of_all_subjects() {
    let ran = explain("contoso", &["database-file-moved"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    snapshot("table", &ran.out);
}

#[test]
fn a_violated_verdict_clause_by_clause() {
    let ran = explain("contoso", &["database-file-moved", "dpm01/ex01/sg1", "--nth", "1"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    snapshot("violated", &ran.out);
    for line in ran.out.lines() {
        assert!(line.chars().count() <= 80 || !line.contains(' '), "wider than the page: {line}");
    }
}

#[test]
fn a_verdict_that_another_rule_takes_over() {
    let ran = explain("contoso", &["database-file-moved", "DPM01/EX02/SG1", "--nth", "4"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    snapshot("not-applicable", &ran.out);
}

#[test]
fn an_undecided_verdict_says_who_could_collect_what_is_missing() {
    let args = ["unexpected-reboot", "DPM01/EX02/SG3"];
    let ran = explain("contoso", &args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    snapshot("undecided", &ran.out);
    let said = json("contoso", &args);
    let missing = said["explained"][0]["missing"].as_array().unwrap();
    assert!(missing.iter().any(|one| one["source"].is_string()), "{missing:#?}");
}

#[test]
fn everything_that_was_evaluated() {
    let args = ["database-file-moved", "DPM01/EX01/SG1", "--nth", "1", "--trace"];
    let ran = explain("contoso", &args);
    let traced: Vec<&str> = ran.out.lines().filter(|line| line.contains("| ")).collect();
    snapshot("trace", &traced.join("\n"));
    json("contoso", &args);
}

#[test]
fn an_object_that_the_rule_left_out() {
    let ran = explain("contoso", &["log-folder-moved", "EX01/SG1/DB2"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    snapshot("another-kind", &ran.out);
    let said = json("contoso", &["log-folder-moved", "cms2/sg2"]);
    let sentence = said["left_out"]["sentence"].as_str().unwrap();
    assert!(sentence.ends_with("Did you mean `DPM02/CMS2/SG2`?"), "{sentence}");
}

/// Objects for which a `where` is false get no verdict; the values say why.
#[test]
fn why_a_where_left_an_object_out() {
    in_root();
    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string("docs/example/facts.yaml").unwrap();
    let rule = fs::read_to_string("docs/example/rules/resized-volume-not-checked.yaml").unwrap();
    let rule = rule.replacen(
        "of: data_source\n",
        "of: data_source\n    where: source.size_bytes > 90000000000\n",
        1,
    );
    fs::write(folder.path().join("facts.yaml"), text).unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    for (name, text) in [
        ("pack.yaml", fs::read_to_string("docs/example/rules/pack.yaml").unwrap()),
        ("resized-volume-not-checked.yaml", rule),
    ] {
        fs::write(folder.path().join("rules").join(name), text).unwrap();
    }
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (facts, rules) = (at("facts.yaml"), at("rules"));
    let args = [
        "explain",
        "resized-volume-not-checked",
        "DPM01/EX01/SG1",
        "--rules",
        &rules,
        "--no-shipped-rules",
        "--facts",
        &facts,
        "--now",
        "observed",
    ];
    let ran = run(&args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let text = ran.out.replace(&folder.path().display().to_string(), "@@FOLDER@@");
    snapshot("left-out", &text);
    // What would make the rule judge it: the threshold itself.
    let ran = run(&[&args[..], &["--not"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("size_bytes: 80000000000 -> 90000000001"), "{}", ran.out);
}

#[test]
fn wrong_calls_are_told_with_what_was_meant() {
    let wrong = |args: &[&str], wanted: &str| {
        let ran = explain("contoso", args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(wanted), "{args:?}: {}", ran.err);
    };
    wrong(&["database-file-movd"], "did you mean `database-file-moved`?");
    wrong(&["database-file-moved", "DPM01/EX01/SG9"], "did you mean `DPM01/EX01/SG1`?");
    wrong(&["database-file-moved", "CMS2/SG"], "did you mean `DPM02/CMS2/SG1` or");
    wrong(&["database-file-moved", "DPM01/EX01/SG1", "--nth", "4"], "their number is 3");
    wrong(&["database-file-moved", "--nth", "0"], "their number is 26");
    in_root();
    let ran = run(&["explain", "database-file-moved", "DPM01/EX01/SG1"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--facts"), "{}", ran.err);
    // A rule that judged nothing is nothing to explain.
    assert_eq!(explain("contoso", &["database-not-protected"]).code, 3);
}

#[test]
fn colours_say_nothing_more() {
    let args = ["database-file-moved", "DPM01/EX01/SG1"];
    let plain = explain("contoso", &args);
    let coloured = explain("contoso", &[&args[..], &["--color", "always"]].concat());
    assert!(coloured.out.contains("\u{1b}["));
    assert_eq!(anstream::adapter::strip_str(&coloured.out).to_string(), plain.out);
}

/// For every verdict of every rule on both estates the explanation gives the outcome of `check`, and every
/// place that it names shows the value that it says.
#[test]
fn every_verdict_is_explained_with_the_outcome_of_check() {
    use dpmguard::author::explain::record::Keep;
    use dpmguard::author::explain::{self, Run, Subject};
    use dpmguard::facts::time::Instant;
    in_root();
    let mut explained = 0;
    for (estate, now) in [("contoso", "2009-09-14T18:00:00Z"), ("fabrikam", "2020-03-10T06:00:00Z")]
    {
        let mut bench = Bench::new();
        let files = crate::support::files(&root().join("examples").join(estate), "yaml");
        let documents: Vec<_> = files.iter().map(|file| bench.read(file)).collect();
        let facts = bench
            .facts(&documents)
            .unwrap_or_else(|found| panic!("{}", said(&found, &bench.sources)));
        let now = Instant::parse(now).unwrap();
        let documents: Vec<_> = documents.into_iter().map(|node| (node.place.file, node)).collect();
        let paths = explain::paths(&documents, &bench.model);
        let run = Run { facts: &facts, now: &now, max_age: None, paths: &paths };
        for rule in &bench.rules.rules {
            let evaluation = dpmguard::eval::evaluate(&facts, &bench.rules, &now, None, &|one| {
                one.id == rule.id
            });
            let mut wanted: BTreeMap<String, usize> = BTreeMap::new();
            for verdict in &evaluation.verdicts {
                *wanted
                    .entry(format!("{} {}", verdict.subject.key, verdict.outcome.name()))
                    .or_default() += 1;
            }
            let subject =
                Subject { sources: &bench.sources, set: &bench.rules, rule, model: &bench.model };
            let heard = explain::listen(subject, run, Keep::All);
            let mut given: BTreeMap<String, usize> = BTreeMap::new();
            for position in 0..heard.judged.len() {
                let told = explain::verdict(subject, run, &heard, position, true).unwrap();
                if told.same_as.is_none() {
                    *given.entry(format!("{} {}", told.subject.key, told.outcome)).or_default() +=
                        1;
                }
                let deciding = told.clauses.iter().rfind(|clause| clause.reached);
                assert!(
                    deciding.is_some() && told.sentence.ends_with(['.', '!', '?', ')']),
                    "{}: {}",
                    rule.id,
                    told.sentence
                );
                explained += 1;
            }
            assert_eq!(given, wanted, "{} on {estate}", rule.id);
        }
    }
    assert!(explained > 500, "only {explained} verdicts");
}

#[test]
fn what_would_have_to_change() {
    let ran = explain("contoso", &["database-file-moved", "DPM01/EX01/SG1", "--nth", "1", "--not"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let shown = ran.out.split_once("What would change it").unwrap().1;
    snapshot("not", shown);
    // The other way round, to an outcome named, and with what it does to other rules.
    let ran = explain(
        "contoso",
        &[
            "database-file-moved",
            "DPM01/EX01/SG2",
            "--nth",
            "1",
            "--not=violated",
            "--most",
            "2",
            "--all-rules",
        ],
    );
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    snapshot("not-violated", ran.out.split_once("What would change it").unwrap().1);
    let ran = explain("contoso", &["database-file-moved", "--not"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`--not` needs a subject"), "{}", ran.err);
}

#[test]
fn an_undecided_verdict_is_told_what_would_decide_it() {
    let ran = explain("contoso", &["unexpected-reboot", "DPM01/EX02/SG3", "--not"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    snapshot("not-undecided", ran.out.split_once("What would change it").unwrap().1);
}

/// Where nothing is found, the answer says how much was tried, and does not say that nothing is to be found.
#[test]
fn a_search_that_finds_nothing_says_what_it_tried() {
    let args = [
        "database-file-moved",
        "DPM01/EX01/SG1",
        "--nth",
        "1",
        "--not=undecided",
        "--budget",
        "40",
    ];
    let said = json("contoso", &args);
    let found = &said["explained"][0]["counterfactuals"];
    assert_eq!(found["wanted"], serde_json::json!(["undecided"]));
    let tried = found["tried"].as_u64().unwrap() + found["pairs_tried"].as_u64().unwrap();
    assert!(tried <= 40 && tried > 10, "{tried}");
    if found["found"] == 0 {
        let text = explain("contoso", &args).out;
        assert!(text.contains("None of") && text.contains("a larger change may"), "{text}");
    }
}

/// The documents of an estate, with changes made by the test's own hands.
fn changed(estate: &str, changes: &Json, folder: &std::path::Path) -> Vec<String> {
    use dpmguard::author::patch::{self, FactPath, Patch};
    let bench = Bench::new();
    let mut params = Vec::new();
    let mut sources = Sources::default();
    for path in crate::support::files(&root().join("examples").join(estate), "yaml") {
        let file = sources.add(path.display().to_string(), &fs::read(&path).unwrap()).unwrap();
        let mut document = source::read(&sources, file).unwrap();
        for change in changes.as_array().unwrap() {
            let name = change["path"].as_str().unwrap();
            let place = document.place;
            match change["kind"].as_str().unwrap() {
                "parameter" => params.push(format!("{name}={}", change["json"])),
                "complete" if document.get(name).is_some() => {
                    patch::complete(&mut document, name).unwrap();
                }
                "complete" => {}
                kind => {
                    let path = FactPath::parse(name, place).unwrap();
                    let made = match kind {
                        "remove" => Patch::Remove { path },
                        _ => {
                            Patch::Set { path, to: source::Node::from_json(&change["json"], place) }
                        }
                    };
                    // It leads somewhere in the files that hold it, and nowhere in the others.
                    let _ = patch::apply(&mut document, &made, &bench.model);
                }
            }
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        fs::write(folder.join(format!("{name}.json")), document.to_json().to_string()).unwrap();
    }
    params.sort();
    params.dedup();
    params
}

/// Each change that is shown, made to the fact files, gives the outcome that was said.
#[test]
fn changes_that_are_shown_do_what_is_said() {
    let mut tried = 0;
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (rule, subject) in [
        ("database-file-moved", "DPM01/EX01/SG1"),
        ("low-space-on-protected-volume", "EX01/F:"),
        ("unexpected-reboot", "DPM01/EX02/SG3"),
        ("inconsistent-without-cause", "DPM02/CMS2/SG2"),
        ("daily-check-disabled", "DPM01/PG-Mail"),
        ("vss-writer-failed", "NODE2"),
        ("clock-skew", "NODE4"),
    ] {
        let args = [rule, subject, "--nth", "1", "--not", "--budget", "150", "--most", "4"];
        let said = json("contoso", &args);
        let Some(one) = said["explained"].get(0) else { panic!("{rule} {subject}: nothing") };
        let bound = &said["verdicts"]
            [usize::try_from(one["number"].as_u64().unwrap()).unwrap() - 1]["bound"];
        for found in one["counterfactuals"]["nearest"].as_array().unwrap() {
            let folder = tempfile::tempdir().unwrap();
            let params = changed("contoso", &found["changes"], folder.path());
            let folder = folder.path().display().to_string();
            let mut args =
                vec!["explain", rule, "--facts", &folder, "--now", said["now"].as_str().unwrap()];
            for param in &params {
                args.extend(["--param", param]);
            }
            args.extend(["--format", "json"]);
            let ran = run(&args);
            assert!(ran.code == 0, "{rule} {found:#}\n{}", ran.err);
            let then: Json = serde_json::from_str(&ran.out).unwrap();
            let rows = then["verdicts"].as_array().unwrap();
            let is_alike = |row: &&Json| {
                let pairs = row["bound"].as_array().unwrap().iter().zip(bound.as_array().unwrap());
                pairs.clone().count() > 0 && pairs.clone().all(|(a, b)| a == b)
            };
            let outcomes: Vec<&str> =
                rows.iter().filter(is_alike).map(|row| row["outcome"].as_str().unwrap()).collect();
            assert!(
                outcomes.contains(&found["outcome"].as_str().unwrap()),
                "{rule} {found:#}\n{outcomes:?}"
            );
            tried += 1;
            for change in found["changes"].as_array().unwrap() {
                *kinds.entry(change["kind"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
    }
    assert!(tried >= 12 && kinds.len() > 1, "{tried} {kinds:?}");
}
