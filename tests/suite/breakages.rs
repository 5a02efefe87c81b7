//! Slips in rules of the shipped pack, each noticed by the loader, the cases or lint.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use dpmguard::author::{suite, trial};
use dpmguard::load;
use dpmguard::source::{self, Node, Sources};

use crate::support::{root, run};

struct Slip {
    rule: String,
    what: String,
    find: String,
    put: String,
    caught_by: String,
}

fn slips() -> Vec<Slip> {
    let mut sources = Sources::default();
    let text = fs::read(root().join("tests/breakages.yaml")).unwrap();
    let file = sources.add("breakages.yaml", &text).unwrap();
    let root = source::read(&sources, file).unwrap();
    let slip = |node: &Node| {
        let text = |key: &str| node.get(key).and_then(Node::as_str).unwrap().to_owned();
        Slip {
            rule: text("rule"),
            what: text("what"),
            find: text("find"),
            put: text("put"),
            caught_by: text("caught_by"),
        }
    };
    root.as_list().unwrap().iter().map(slip).collect()
}

/// Who notices the slip: a rule that does not load, a case that fails, a problem that lint adds.
fn caught_by(slip: &Slip, suite: &mut suite::Suite) -> String {
    let rule = suite.set.rule(&slip.rule).unwrap().clone();
    let path = root().join(format!("rules/{}.yaml", slip.rule));
    let text = fs::read_to_string(&path).unwrap();
    let found = text.matches(&slip.find).count();
    assert_eq!(found, 1, "{}: `{}` stands {found} times", slip.rule, slip.find);
    let broken = text.replace(&slip.find, &slip.put);
    let file = suite.sources.add(format!("broken/{}.yaml", slip.rule), broken.as_bytes()).unwrap();
    let Ok(tree) = source::read(&suite.sources, file) else { return "load".to_owned() };
    let tree = Arc::new(tree);
    let (model, schema) = (suite.packs.model.clone(), suite.rule_schema.clone());
    let read = |set: &dpmguard::rule::pack::RuleSet, params: &[_]| {
        set.with_rule(&rule, &tree, &suite.sources, &model, &schema, params)
    };
    if read(&suite.set, &[]).is_err() {
        return "load".to_owned();
    }
    let cases = suite.cases.iter().filter(|ready| ready.case.rule == slip.rule);
    for ready in cases {
        let noticed = match read(&ready.set, &ready.case.params) {
            Ok(set) => !trial::judge(suite, ready, &set, None).passes(ready),
            Err(_) => true,
        };
        if noticed {
            return "test".to_owned();
        }
    }
    if lints(&slip.rule, &broken) { "lint".to_owned() } else { "nobody".to_owned() }
}

/// Whether lint has something against the rule that it has not against the rule as it is.
fn lints(rule: &str, broken: &str) -> bool {
    let folder = tempfile::tempdir().unwrap();
    copy(&root().join("rules"), folder.path());
    let pack = folder.path().display().to_string();
    let said = |ran: crate::support::Ran| {
        let lines = ran.out.lines().chain(ran.err.lines());
        lines.filter(|line| line.contains('[')).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let before = said(run(&["lint", &pack]));
    fs::write(folder.path().join(format!("{rule}.yaml")), broken).unwrap();
    let after = said(run(&["lint", &pack]));
    after.difference(&before).next().is_some()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn every_slip_is_noticed() {
    let slips = slips();
    let rules: BTreeSet<&str> = slips.iter().map(|slip| slip.rule.as_str()).collect();
    assert!(slips.len() >= 50 && rules.len() >= 10, "{} slips, {} rules", slips.len(), rules.len());
    let folder = root().join("rules");
    let mut sources = Sources::default();
    let packs = load::packs(true, std::slice::from_ref(&folder), &mut sources).unwrap();
    let set = packs.rules(&[], &sources).unwrap();
    let wanted = |name: &str| rules.iter().any(|rule| name.starts_with(&format!("{rule}/")));
    let mut suite = suite::read(&[folder], packs, set, sources, &wanted).unwrap();
    let mut wrong = Vec::new();
    for slip in &slips {
        let by = caught_by(slip, &mut suite);
        if by != slip.caught_by {
            wrong.push(format!(
                "{}: {}: expected {}, noticed by {by}",
                slip.rule, slip.what, slip.caught_by
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
