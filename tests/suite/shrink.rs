//! Cases cut out of real facts: the rule says the same of them, and nothing more can be taken away.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use dpmguard::author::shrink::{self, Aim, Judge};
use dpmguard::facts::store::Facts;
use dpmguard::facts::time::Instant;
use dpmguard::load::{self, Packs};
use dpmguard::rule::pack::RuleSet;
use dpmguard::source::{self, Node, Sources};

use crate::support::{files, root, run};

struct Estate {
    packs: Packs,
    set: RuleSet,
    facts: Arc<Facts>,
    now: Instant,
    whole: Node,
}

impl Estate {
    fn new(name: &str) -> Self {
        let mut sources = Sources::default();
        let packs = load::packs(true, &[], &mut sources).unwrap();
        let set = packs.rules(&[], &sources).unwrap();
        let folder = root().join("examples").join(name);
        let facts = load::facts(&[folder], &mut &b""[..], &mut sources, &packs).unwrap().facts;
        let files: Vec<Node> =
            facts.files().iter().map(|seen| source::read(&sources, seen.file).unwrap()).collect();
        let newest = facts.files().iter().max_by_key(|seen| seen.observed_at.seconds()).unwrap();
        let now = newest.observed_at.clone();
        let whole = shrink::unite(&packs.model, &files, &facts).unwrap();
        Self { packs, set, facts, now, whole }
    }

    fn judge<'a>(&'a self, rule: &'a str) -> Judge<'a> {
        let (model, schema) = (&self.packs.model, self.packs.facts_schema());
        Judge { model, schema, set: &self.set, rule, now: &self.now }
    }
}

/// The files as one document say what they say as several, whatever rule is asked.
#[test]
fn united_files_say_the_same() {
    for name in ["contoso", "fabrikam"] {
        let estate = Estate::new(name);
        for rule in &estate.set.rules {
            let judge = estate.judge(&rule.id);
            let apart = judge.judge(&estate.facts);
            let together = judge.verdicts(&estate.whole).unwrap();
            let said = |verdicts: &[dpmguard::finding::Verdict]| -> Vec<String> {
                let one = verdicts.iter().map(|one| {
                    let finding = one.finding.as_ref().map(|finding| &finding.fingerprint);
                    format!("{} {:?} {finding:?} {:?}", one.subject.key, one.outcome, one.because)
                });
                one.collect()
            };
            assert_eq!(said(&apart), said(&together), "{name}: {}", rule.id);
        }
    }
}

/// Each outcome, over several rules: what is cut out says the same, is minimal, and is its own cut.
#[test]
fn what_is_cut_out_is_minimal() {
    for (name, rules) in [
        ("contoso", &["database-file-moved", "volume-resized", "daily-check-disabled"][..]),
        ("fabrikam", &["dag-copy-unhealthy", "exchange-newer-than-eseutil"]),
    ] {
        let estate = Estate::new(name);
        let mut outcomes = 0;
        for rule in rules {
            let judge = estate.judge(rule);
            let verdicts = judge.judge(&estate.facts);
            let mut seen = Vec::new();
            for verdict in &verdicts {
                if seen.contains(&verdict.outcome) || verdict.subject.key.is_empty() {
                    continue;
                }
                seen.push(verdict.outcome);
                let what = format!("{rule} {} {}", verdict.subject.key, verdict.outcome.name());
                let aim = Aim::new(verdict, &verdicts);
                assert!(judge.holds(&estate.whole, &aim), "{what}");
                let small = judge.shrink(&estate.whole, &aim, &|_| {});
                assert!(judge.holds(&small, &aim), "{what}");
                assert_eq!(judge.removable(&small, &aim), None, "{what}: {:#}", small.to_json());
                assert!(shrink::count(&small) < 90, "{what}: {:#}", small.to_json());
                let again = judge.shrink(&small, &aim, &|_| {});
                assert_eq!(again.to_json(), small.to_json(), "{what}");
                outcomes += 1;
            }
        }
        assert!(outcomes >= rules.len(), "{name}: {outcomes}");
    }
}

fn new_pack() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine").display().to_string();
    assert_eq!(run(&["new", "pack", &path]).code, 0);
    (folder, path)
}

fn cut(pack: &str, options: &[&str]) -> crate::support::Ran {
    let facts = root().join("examples/contoso").display().to_string();
    let args = ["new", "case", "--pack", pack, "--from-facts", &facts];
    run(&[&args[..], options].concat())
}

#[test]
fn a_case_from_real_facts_passes_at_once_and_is_always_the_same() {
    let (_folder, pack) = new_pack();
    let what =
        ["--rule", "database-file-moved", "--subject", "dpm01/ex01/sg1", "--outcome", "violated"];
    for name in ["first", "second"] {
        let ran = cut(&pack, &[&what[..], &[name]].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.starts_with("kept "), "{}", ran.out);
    }
    let read = |name: &str| {
        fs::read_to_string(format!("{pack}/cases/database-file-moved/{name}")).unwrap()
    };
    assert_eq!(read("first.yaml"), read("second.yaml"));
    assert!(read("first.yaml").contains("exchange.yaml"), "{}", read("first.yaml"));
    // The report is that of the whole estate.
    assert!(
        read("first.snap").contains("DB2 is at G:\\\\SG1\\\\DB2.edb"),
        "{}",
        read("first.snap")
    );
    let ran = run(&["test", &pack]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn an_anonymous_case_has_other_names_and_the_same_outcome() {
    let (_folder, pack) = new_pack();
    let ran = cut(
        &pack,
        &[
            "--rule",
            "database-file-moved",
            "--subject",
            "DPM01/EX01/SG1",
            "--outcome",
            "violated",
            "--anonymise",
            "--param",
            "database-file-moved.x=1",
        ],
    );
    // A parameter that does not exist is told of first.
    assert_eq!(ran.code, 2, "{}", ran.out);
    let ran = cut(
        &pack,
        &[
            "--rule",
            "database-file-moved",
            "--subject",
            "DPM01/EX01/SG1",
            "--outcome",
            "violated",
            "--anonymise",
        ],
    );
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let case = files(Path::new(&pack), "yaml")
        .into_iter()
        .find(|path| path.parent().unwrap().ends_with("database-file-moved"))
        .unwrap();
    let text = fs::read_to_string(&case).unwrap();
    let facts = text.split("\nfacts:\n").nth(1).unwrap();
    for name in ["EX01", "DPM01", "SG1", "DB2", "contoso"] {
        assert!(!facts.contains(name), "{name} in\n{text}");
    }
    assert!(facts.contains("outcome: violated"), "{text}");
    // The letters of the drives stay.
    assert!(facts.contains("G:\\"), "{text}");
    let ran = run(&["test", &pack]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn what_cannot_be_cut_out_is_refused() {
    let (_folder, pack) = new_pack();
    let before = files(Path::new(&pack), "yaml");
    for (options, says) in [
        (&["--rule", "database-file-moved", "--subject", "DPM01/EX01/SG11"][..], "did you mean"),
        (
            &["--rule", "database-file-movd", "--subject", "x"],
            "did you mean `database-file-moved`?",
        ),
        (&["--rule", "database-file-moved"], "--subject"),
        (&["--subject", "x"], "--rule"),
        (
            &[
                "--rule",
                "database-file-moved",
                "--subject",
                "DPM01/EX01/SG1",
                "--outcome",
                "undecided",
            ],
            "take another `--outcome`",
        ),
        (
            &["--rule", "database-file-moved", "--subject", "DPM01/EX01/SG1", "--now", "today"],
            "is not a time",
        ),
        (&["/nowhere.yaml", "--rule", "database-file-moved", "--subject", "x"], "/nowhere.yaml"),
    ] {
        let ran = cut(&pack, options);
        assert_eq!(ran.code, 2, "{options:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{options:?}: {}", ran.err);
    }
    assert_eq!(files(Path::new(&pack), "yaml"), before);
}

/// Of several verdicts about one object people mean the finding.
#[test]
fn a_finding_is_taken_where_an_object_has_several_verdicts() {
    let (_folder, pack) = new_pack();
    let ran = cut(&pack, &["--rule", "database-file-moved", "--subject", "DPM01/EX01/SG1"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let made = files(Path::new(&pack), "yaml");
    let case = made.iter().map(|path| std::fs::read_to_string(path).unwrap());
    assert!(case.into_iter().any(|text| text.contains("outcome: violated")), "{made:?}");
}
