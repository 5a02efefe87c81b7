//! What is known of planned actions, row by row: the shipped actions and rules predict it, and a case shows it.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use crate::support::{action_cases, root, rule_of};

/// What becomes of a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// One is no longer protected.
    Harms,
    /// None is harmed, but no backup of one succeeds meanwhile, and the first that is tried may harm it.
    Stops,
    /// None is harmed; jobs may fail.
    Spares,
    /// The action is refused, and says what goes before it.
    Refuses,
}

use Effect::{Harms, Refuses, Spares, Stops};

/// How sure one may be.
const SURE: &str = "documented";
const LIKELY: &str = "inferred";

/// A planned action, the case that shows it, what becomes of the replica, the numbers that DPM shows, and how
/// sure that is.
type Row = (&'static str, &'static str, Effect, &'static [u32], &'static str);

/// The rows of the table, in its order; an action with two effects has two.
const ROWS: &[Row] = &[
    (
        "move database path, volume protected",
        "move-database-file/to-a-protected-volume",
        Harms,
        &[30135],
        SURE,
    ),
    (
        "move database path, volume not protected",
        "move-database-file/to-an-unprotected-volume",
        Harms,
        &[30228],
        SURE,
    ),
    (
        "move log path, volume not protected",
        "move-log-folder/to-an-unprotected-volume",
        Harms,
        &[30228],
        SURE,
    ),
    (
        "move system path, volume not protected",
        "move-system-folder/to-an-unprotected-volume",
        Harms,
        &[30228],
        SURE,
    ),
    ("move in CCR", "move-database-file/in-a-ccr-cluster", Harms, &[30228], SURE),
    ("move in SCR", "move-database-file/source-of-an-scr-copy", Harms, &[32643], SURE),
    (
        "create database in protected group",
        "create-database/in-a-protected-group",
        Harms,
        &[30137],
        SURE,
    ),
    ("create database in new group", "create-storage-group/with-a-database", Spares, &[3154], SURE),
    ("remove database", "remove-database/of-a-protected-group", Harms, &[30136], SURE),
    ("remove storage group", "remove-storage-group/protected", Harms, &[3155], LIKELY),
    ("dismount database", "dismount-database/before-an-express-full-backup", Stops, &[30167], SURE),
    ("rename database", "rename-database/protected", Refuses, &[30231], SURE),
    ("rename storage group", "rename-storage-group/protected", Refuses, &[30231], SURE),
    ("planned cluster move, SCC", "move-cluster-group/shared-disks", Spares, &[], LIKELY),
    ("planned move, CCR", "move-cluster-group/continuous-replication", Harms, &[30139], LIKELY),
    ("clean reboot", "restart-server/in-good-order", Spares, &[41, 52], SURE),
    (
        "clean reboot that the agent waits for",
        "restart-server/the-agent-waits-for-it",
        Spares,
        &[48],
        SURE,
    ),
    ("patch Exchange", "patch-exchange/eseutil-is-older-now", Stops, &[30217, 30146], SURE),
    ("upgrade Exchange", "upgrade-exchange/eseutil-is-older-now", Stops, &[30217, 30146], SURE),
    ("upgrade DPM", "upgrade-dpm/agents-of-the-old-version", Harms, &[4350, 3121], SURE),
    ("update agents", "update-agent/while-a-job-runs", Harms, &[323], SURE),
    ("install agent", "install-agent/on-a-new-node", Spares, &[294, 48, 30400], SURE),
    ("manual check", "run-consistency-check/of-what-is-well", Spares, &[3104, 97], SURE),
    ("cancel check", "cancel-job/a-check", Harms, &[3106], LIKELY),
    ("cancel first copy", "cancel-job/a-first-copy", Harms, &[3106], LIKELY),
    ("cancel express full", "cancel-job/an-express-full-backup", Spares, &[2024], SURE),
    ("resize protected volume", "resize-volume/protected", Harms, &[30152], SURE),
    (
        "shrink, replace or lose replica volume",
        "take-replica-volume-offline/protected",
        Harms,
        &[3161, 3162],
        SURE,
    ),
    ("enable circular logging", "enable-circular-logging/protected", Spares, &[32641], SURE),
    (
        "another backup product",
        "change-backup-product/that-truncates-logs",
        Spares,
        &[30216, 30112],
        SURE,
    ),
    (
        "add to protection group",
        "add-to-protection-group/a-new-storage-group",
        Spares,
        &[3105, 156],
        SURE,
    ),
    (
        "remove from protection group, retain",
        "remove-from-protection-group/keeping-the-replica",
        Harms,
        &[],
        LIKELY,
    ),
    (
        "remove from protection group, delete",
        "remove-from-protection-group/deleting-the-replica",
        Harms,
        &[94, 101],
        SURE,
    ),
    (
        "change protection group, check announced",
        "confirm-immediate-check/of-a-member",
        Spares,
        &[170],
        SURE,
    ),
    ("restore database through DPM", "restore-database/in-place", Harms, &[59], SURE),
    ("move replica to other disks", "migrate-replica/marked-inconsistent", Harms, &[31223], SURE),
    ("enable indexing, EFS or SIS", "enable-folder-option/indexing", Spares, &[], SURE),
    ("account of DPMRA changed", "change-agent-account/of-the-dpm-server", Spares, &[104], SURE),
];

/// Numbers that no finding shows, with the reason.
const NOT_SHOWN: &[(&str, u32, &str)] = &[
    (
        "restart-server/in-good-order",
        41,
        "jobs fail only while the server is down, and what they say goes with that",
    ),
    (
        "restart-server/in-good-order",
        52,
        "jobs fail only while the server is down, and what they say goes with that",
    ),
    (
        "install-agent/on-a-new-node",
        30400,
        "it is about the change journal, which matters to files only",
    ),
    (
        "cancel-job/an-express-full-backup",
        2024,
        "an event of Exchange; a rule says the same of the VSS writer",
    ),
    (
        "take-replica-volume-offline/protected",
        3162,
        "it says that a replica is made anew, which is the way out",
    ),
];

/// Numbers whose rule is more careful than the table: it concludes the cause from what it finds afterwards.
const MORE_CAREFUL: &[(&str, u32)] =
    &[("upgrade-dpm/agents-of-the-old-version", 4350), ("update-agent/while-a-job-runs", 323)];

fn snapshot(case: &str) -> Value {
    let path = root().join("rules/cases").join(case).with_extension("snap");
    let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{case} has no snapshot"));
    serde_json::from_str(text.splitn(3, "---\n").nth(2).unwrap()).unwrap()
}

fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

/// How sure the rules are that show a number.
fn certainties(told: &Value, number: u32) -> BTreeSet<String> {
    let number = number.to_string();
    let all = ["opened", "meanwhile", "closed"].into_iter().flat_map(|key| list(told, key));
    let shows = |finding: &&Value| list(finding, "dpm_errors").iter().any(|one| *one == *number);
    all.filter(shows).map(|one| one["certainty"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_row_of_the_table_is_predicted_by_a_case() {
    let mut wrong = Vec::new();
    for (planned, case, effect, numbers, certainty) in ROWS {
        let told = snapshot(case);
        let wanted = if *effect == Refuses { "refused" } else { "done" };
        if !list(&told, "steps").iter().all(|step| step["status"] == wanted) {
            wrong.push(format!("{planned}: {case}: not every step is {wanted}"));
        }
        let objects = told["objects"].as_object().unwrap();
        let becomes = |state: &str| objects.values().any(|object| object["after"] == state);
        let shown = match () {
            () if becomes("bad") => Harms,
            () if becomes("stopped") => Stops,
            () => Spares,
        };
        if *effect != Refuses && shown != *effect {
            wrong.push(format!("{planned}: {case}: {effect:?} is not what becomes of {objects:?}"));
        }
        for number in *numbers {
            if *effect == Refuses {
                let reasons = told["steps"][0]["reasons"].to_string();
                if !reasons.contains(&format!("DPM {number}")) {
                    wrong.push(format!("{planned}: {case}: {number} is not told: {reasons}"));
                }
                continue;
            }
            let shown = certainties(&told, *number);
            let is_excused = NOT_SHOWN.iter().any(|(of, which, _)| of == case && which == number);
            let is_careful = MORE_CAREFUL.contains(&(*case, *number));
            let wanted = if is_careful { LIKELY } else { certainty };
            if shown.contains(wanted) == is_excused {
                wrong.push(format!("{planned}: {case}: {number} is shown as {shown:?}"));
            }
            if is_careful && shown.contains(*certainty) {
                wrong.push(format!("{planned}: {case}: {number} needs no excuse"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A slip in the lists of excuses would excuse nothing.
#[test]
fn every_excuse_is_about_a_row() {
    let all = NOT_SHOWN.iter().map(|(case, number, _)| (case, number));
    for (case, number) in all.chain(MORE_CAREFUL.iter().map(|(case, number)| (case, number))) {
        let is_known = ROWS.iter().any(|row| row.1 == *case && row.3.contains(number));
        assert!(is_known, "{case}: {number}");
    }
}

/// Every action is carried out in a case; where it has conditions one of them does not hold in another, and
/// where it says when it is done already, another one finds it so.
#[test]
fn every_action_has_its_cases() {
    let mut missing = Vec::new();
    let bench = crate::support::Bench::new();
    let mut seen: BTreeSet<(String, String)> = BTreeSet::new();
    for path in action_cases() {
        let action = rule_of(&path);
        let told = snapshot(&format!("{action}/{}", path.file_stem().unwrap().to_string_lossy()));
        for step in list(&told, "steps") {
            let of = step["action"].as_str().unwrap_or(step["step"].as_str().unwrap());
            seen.insert((of.to_owned(), step["status"].as_str().unwrap().to_owned()));
        }
    }
    for action in bench.rules.actions.iter() {
        let course = &action.course;
        for (status, is_possible) in [
            ("done", true),
            ("refused", !course.requires.is_empty()),
            ("nothing_to_do", course.done_when.is_some()),
        ] {
            if is_possible && !seen.contains(&(action.id.to_string(), status.to_owned())) {
                missing.push(format!("{}: {status}", action.id));
            }
        }
    }
    assert!(missing.is_empty(), "no case: {}", missing.join(", "));
}

/// The databases of a data source must be mounted, and whether they are is not in the facts: no step that asks
/// for it goes its way as if they were.
#[test]
fn no_condition_holds_by_a_fact_that_is_not_collected() {
    let folder = crate::plan::with_steps(
        "
  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 }, estimate: 36m }
  - { id: point, action: create-recovery-point, with: { source: DPM01/EX01/SG2 }, after: [check], estimate: 9m }
",
    );
    let plan = folder.path().join("plan.yaml").display().to_string();
    let facts = fs::read_to_string(root().join(crate::plan::FACTS)).unwrap();
    let (before, database) = facts.split_once("    storage_group: SG2\n    name: DB1\n").unwrap();
    let taken = database.replacen("    mounted: true\n", "", 1);
    let beside = folder.path().join("facts.yaml");
    for (database, code) in [(database, 0), (taken.as_str(), 3)] {
        let text = format!("{before}    storage_group: SG2\n    name: DB1\n{database}");
        fs::write(&beside, text).unwrap();
        let report = crate::plan::json(&plan);
        assert_eq!(report["exit_code"], code, "{:#}", report["hazards"]);
        for step in ["check", "point"] {
            let depends = |one: &&Value| {
                let said = one["message"].as_str().unwrap();
                one["step"] == step
                    && said.contains("needs or does depends on: databases[EX01/SG2/DB1].mounted")
            };
            let is_told = list(&report, "hazards").iter().any(|one| depends(&one));
            assert_eq!(is_told, code == 3, "{step}: {:#}", report["hazards"]);
        }
    }
}

/// The page about rules shows an action, and what one says of the facts: both load, and what they say is told.
#[test]
fn the_actions_that_the_documentation_shows_load() {
    let page = fs::read_to_string(root().join("docs/rules.md")).unwrap();
    let (_, section) = page.split_once("\n## Actions\n").unwrap();
    let samples: Vec<&str> = section.split("```yaml\n").skip(1).take(2).collect();
    let samples: Vec<&str> = samples.iter().map(|one| one.split("```").next().unwrap()).collect();
    let pack = tempfile::tempdir().unwrap();
    let head = "schema: dpmguard.action/v1\nid: move-it\ntitle: Move it\nrole: change\nat: database\n\
                params:\n  database: { ref: database }\n  to: { type: string, format: windows-path }\n\
                do: Move it.\n";
    fs::write(pack.path().join("mount-database.yaml"), samples[0]).unwrap();
    fs::write(pack.path().join("move-it.yaml"), format!("{head}{}", samples[1])).unwrap();
    let pack = pack.path().display().to_string();
    let ran = crate::support::run(&["rules", "actions", "move-it", "--rules", &pack]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for said in [
        "- <database> is dismounted.",
        "- at the begin: database.mounted is set to false",
        "locks database",
        "waits for the locks of database.server",
        "taken back by move-database-file",
    ] {
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
}
