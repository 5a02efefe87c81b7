//! Jobs that begin by themselves while a plan is carried out.

use std::fs;

use dpmguard::plan::time::Zone;
use serde_json::Value;

use crate::support::{Ran, root, run};

/// The example's plan with other steps, checked on its facts with some text replaced.
fn ran(steps: &str, swaps: &[(&str, &str)], options: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str| fs::read_to_string(root().join("examples/change").join(name)).unwrap();
    let plan = read("plan.yaml");
    let (head, _) = plan.split_once("steps:\n").unwrap();
    let mut facts = read("facts.yaml");
    for (from, to) in swaps {
        assert!(facts.contains(from), "{from}");
        facts = facts.replace(from, to);
    }
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("plan.yaml"), format!("{head}steps:\n{steps}")).unwrap();
    fs::write(path("facts.yaml"), facts).unwrap();
    let (plan, facts) = (path("plan.yaml"), path("facts.yaml"));
    let mut args = vec!["plan", "check", &plan, "--facts", &facts, "--now", "observed"];
    args.extend(options);
    run(&args)
}

fn judged(steps: &str, swaps: &[(&str, &str)]) -> Value {
    let ran = ran(steps, swaps, &["--format", "json"]);
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err))
}

fn messages<'r>(report: &'r Value, id: &str) -> Vec<&'r str> {
    let hazards = report["hazards"].as_array().unwrap().iter();
    hazards.filter(|one| one["id"] == id).map(|one| one["message"].as_str().unwrap()).collect()
}

fn job<'r>(report: &'r Value, id: &str) -> &'r Value {
    let mut jobs = report["jobs"].as_array().unwrap().iter();
    jobs.find(|job| job["id"] == id).unwrap_or_else(|| panic!("no {id} in {report:#}"))
}

/// Logs to another protected volume: a check alone cures it.
const MOVE: &str = r"  - { id: move, action: move-log-folder, with: { object: EX01/SG2, to: 'L:\SG2-new' }, estimate: 10m }
";

#[test]
fn the_daily_check_cures_what_the_plan_leaves() {
    let report = judged(MOVE, &[]);
    assert_eq!(report["verdict"], "passed", "{report:#}");
    let check = job(&report, "daily-check DPM01/EX01/SG2 2008-11-16 02:00");
    assert_eq!((&check["status"], &check["start_seconds"]), (&"done".into(), &14_400.into()));
    // From 22:00 until the check has ended that takes twice its 36 minutes at worst.
    assert_eq!(report["objects"][1]["exposure_seconds"], 14_400 + 72 * 60);
    // Nothing is said of checks that find their object well.
    assert_eq!(report["jobs"].as_array().unwrap().len(), 1);
    let off = judged(MOVE, &[("{ enabled: true, start", "{ enabled: false, start")]);
    assert_eq!(messages(&off, "plan-end-unprotected").len(), 1);
    let other_day = judged(MOVE, &[("max_hours: 4, days: [monday, ", "max_hours: 4, days: [")]);
    assert_eq!(other_day["verdict"], "passed", "the 16th of November 2008 is a Sunday");
    let days =
        "max_hours: 4, days: [monday, tuesday, wednesday, thursday, friday, saturday, sunday]";
    let other_day = judged(MOVE, &[(days, "max_hours: 4, days: [saturday]")]);
    assert_eq!(other_day["verdict"], "failed");
}

/// How the replica of SG1 begins in the facts, and how it could.
const SG1: &str = "replica: { state: consistent, last_consistency_check_at: \"2008-11-10T04:00:00Z\", since: \"2008-11-10T04:00:00Z\", allocated_bytes: 306";

#[test]
fn a_check_ends_that_runs_already_and_one_that_takes_too_long_does_not() {
    // Its worst is twice the 6,480 seconds of the last one; whoever waits for it has nothing left to do.
    let wait = "  - { id: wait, action: wait-for-check, with: { source: DPM01/EX01/SG1 } }\n";
    let running = SG1.replace("consistent,", "verifying,");
    let report = judged(wait, &[(SG1, &running)]);
    assert_eq!(report["verdict"], "passed", "{report:#}");
    assert_eq!(report["objects"][0]["exposure_seconds"], 2 * 6_480);
    assert_eq!(report["steps"][0]["start_seconds"], 2 * 6_480);
    let told = "wait (wait-for-check) has nothing left to do: the check that was running already has done it";
    assert_eq!(messages(&report, "plan-no-op"), [told]);
    // An hour is not enough for 72 minutes.
    let report = judged(MOVE, &[("max_hours: 4", "max_hours: 1")]);
    assert_eq!(report["verdict"], "failed");
    let check = job(&report, "daily-check DPM01/EX01/SG2 2008-11-16 02:00");
    assert_eq!((&check["is_broken_off"], &check["end_seconds"]), (&true.into(), &18_000.into()));
    let told = "the daily consistency check of DPM01/EX01/SG2 at 02:00 is broken off: it takes longer than it may";
    assert_eq!(messages(&report, "plan-job-fails"), [told]);
    // Nobody knows whether it is: then nobody can say.
    assert_eq!(ran(MOVE, &[(" max_hours: 4,", "")], &[]).code, 3);
}

#[test]
fn what_becomes_inconsistent_is_checked_where_dpm_does_so_by_itself() {
    let on = [
        ("auto_consistency_check: false", "auto_consistency_check: true"),
        ("version: \"2.0.5820.0\"", "version: \"3.0.7696.0\""),
    ];
    let check = "  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 }, after: [move] }\n";
    let report = judged(&format!("{MOVE}{check}"), &on);
    // It begins when the move is over, and the check that is in the plan has nothing left to do.
    let found = job(&report, "check-when-inconsistent DPM01/EX01/SG2 1");
    assert_eq!((&found["start_seconds"], &found["status"]), (&600.into(), &"done".into()));
    assert_eq!(report["steps"][1]["status"], "nothing_to_do");
    assert_eq!(report["objects"][1]["exposure_seconds"], 600 + 72 * 60);
    assert_eq!(report["jobs"].as_array().unwrap().len(), 1, "{:#}", report["jobs"]);
}

#[test]
fn what_nobody_knows_of_the_end_is_to_be_collected() {
    let other =
        "  - { id: other, action: enlarge-shadow-storage, with: { volume: 'EX01/F:\\' } }\n";
    let unknown = SG1.replace(" state: consistent,", "");
    let ran = ran(other, &[(SG1, &unknown)], &[]);
    assert_eq!(ran.code, 3, "{}", ran.out);
    let told = "collect `data_sources[DPM01/EX01/SG1].replica.state`";
    assert!(ran.out.contains(told), "{}", ran.out);
}

#[test]
fn a_schedule_goes_by_the_clock_of_its_server() {
    let report = judged(MOVE, &[("utc_offset_minutes: 60", "utc_offset_minutes: 120")]);
    job(&report, "daily-check DPM01/EX01/SG2 2008-11-16 01:00");
    // Nobody knows its clock, so nobody knows when that is.
    let report = judged(MOVE, &[("    utc_offset_minutes: 60\n", "")]);
    assert_ne!(report["verdict"], "passed", "{report:#}");
    let told = messages(&report, "plan-unknown");
    assert!(told.iter().any(|one| one.contains("utc_offset_minutes")), "{told:?}");
}

#[test]
fn who_is_in_the_way_of_a_backup_is_told() {
    let late = [("express_full_times: [\"20:00\"]", "express_full_times: [\"22:30\"]")];
    let check =
        "  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 } }\n";
    let report = judged(&format!("{MOVE}{check}"), &late);
    // It would fail without the check, too.
    assert!(messages(&report, "plan-collides").is_empty(), "{report:#}");
    let told = "because of move (move-log-folder) there is no express full backup of DPM01/EX01/SG2 at 22:30";
    assert!(messages(&report, "plan-job-fails").contains(&told), "{report:#}");
    // Those that nothing is in the way of make a recovery point.
    let backup = job(&report, "express-full DPM01/EX01/SG1 2008-11-15 22:30");
    assert_eq!(backup["status"], "done");
    let lock = "  - { id: restart, action: restart-server, with: { server: EX01 }, not_before: \"2008-11-15T22:32[Europe/Berlin]\" }\n";
    let report = judged(lock, &late);
    let told = messages(&report, "plan-collides");
    assert_eq!(told.len(), 1, "{report:#}");
    assert!(told[0].starts_with("restart (restart-server) is in the way of the express full backup of DPM01/EX01/SG1 at 22:30"));
    let backup = job(&report, "express-full DPM01/EX01/SG1 2008-11-15 22:30");
    assert_eq!((&backup["is_broken_off"], &backup["end_seconds"]), (&true.into(), &1_920.into()));
    // What is broken off has made no recovery point.
    assert_eq!(backup["status"], "done");
    let points = report["events"].as_array().unwrap().iter();
    let points = points.filter(|event| event.to_string().contains("newest_recovery_point"));
    assert_eq!(points.count(), 0);
}

#[test]
fn backups_that_fail_meanwhile_are_told_with_the_step_to_blame() {
    let late = [("express_full_times: [\"20:00\"]", "express_full_times: [\"23:00\", \"01:00\"]")];
    let report = judged(MOVE, &late);
    let told = "because of move (move-log-folder) there is no express full backup of \
        DPM01/EX01/SG2 at 23:00, DPM01/EX01/SG2 at 01:00";
    assert_eq!(messages(&report, "plan-job-fails"), [told]);
    // The newest recovery point of what is well gets younger: this one is never without.
    assert_eq!(report["objects"][0]["oldest_point_seconds"], Value::Null);
    // From 20:00 until the check of 02:00 has ended.
    assert_eq!(report["objects"][1]["oldest_point_seconds"], 6 * 3_600 + 72 * 60);
}

#[test]
fn a_schedule_that_nobody_knows_is_no_schedule() {
    let without = [("    express_full_times: [\"20:00\"]\n", "")];
    let report = judged(MOVE, &without);
    let told = "whether the express full backup of DPM01/EX01/SG1, DPM01/EX01/SG2, DPM01/EX01/SG3 falls \
        into the time of the plan depends on: ";
    let messages = messages(&report, "plan-unknown");
    assert_eq!(messages.len(), 1, "{report:#}");
    assert!(messages[0].starts_with(told), "{}", messages[0]);
    assert_eq!(report["exit_code"], 3, "it could be in the way of the check");
    let report = judged("  []\n", &without);
    assert_eq!(report["exit_code"], 0, "nothing of the plan is in its way");
    let wrong = [
        ("express_full_times: [\"20:00\"]", "express_full_times: [\"25:61\"]"),
        ("start: \"02:00\", max_hours: 4", "start: noon, max_hours: 1e9"),
    ];
    let ran = ran(MOVE, &wrong, &[]);
    assert_eq!(ran.code, 2);
    for told in [
        "express_full_times[0]`: `25:61` is not a time of day",
        "daily_consistency_check.start`: `noon` is not a time of day",
        "write it like `\"20:00\"`: from 00:00 to 23:59",
        "daily_consistency_check.max_hours`: `1000000000.0` is more than 24",
    ] {
        assert!(ran.err.contains(told), "{}", ran.err);
    }
}

#[test]
fn an_action_that_cannot_begin_by_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    fs::create_dir_all(rules.join("actions")).unwrap();
    let pack = "schema: dpmguard.pack/v1\nname: own\ntitle: Own\nversion: 0.1.0\n";
    fs::write(rules.join("pack.yaml"), pack).unwrap();
    let action = r#"schema: dpmguard.action/v1
id: own-job
title: A job
role: fix
at: server
params: { server: { ref: exchange_server }, other: { ref: dpm_server } }
do: Do it.
effects: [{ at: meanwhile, forget: server.last_boot_at }]
automatic:
  - { id: one, title: one, times: '["02:00"]', because: we say so here }
  - { id: two, title: two, follows: move-cluster-groop, after: 30m, because: we say so here }
  - { id: three, title: three, times: '[2]', because: we say so here }
  - { id: four, title: four, follows: wait, after: soon, because: we say so here }
  - { id: one, title: five, times: '["25:99", "8:30"]', days: '["someday", "Mon"]', utc_offset_minutes: 99999, because: we say so here }
"#;
    fs::write(rules.join("actions/own-job.yaml"), action).unwrap();
    let rules = rules.display().to_string();
    let lint = || run(&["rules", "list", "--rules", "dpm-exchange", "--rules", &rules]).err;
    let err = lint();
    for told in [
        "a list of texts is needed here",
        "only `set` and `fill` can be taken back at the end of a step",
        "`soon` is not a duration",
        "`25:99` is not a time of day",
        "did you mean `08:30`?",
        "`someday` is not a day of the week",
        "did you mean `monday`?",
        "99999 minutes are more than a clock can differ from UTC: at most 840, 14 hours",
        "own-job.yaml:14:38",
    ] {
        assert!(err.contains(told), "{told}\n{err}");
    }
    let action = action.replace("at: meanwhile, ", "");
    let (action, _) = action.split_once("  - { id: three").unwrap();
    let again =
        "  - { id: daily-check, title: six, times: '[\"02:00\"]', because: we say so here }\n";
    let action = format!("{action}{again}");
    fs::write(folder.path().join("rules/actions/own-job.yaml"), action).unwrap();
    let err = lint();
    let told = [
        "must have one parameter, the protected object",
        "did you mean `move-cluster-group`?",
        "two jobs that begin by themselves are named `daily-check`",
    ];
    for told in told {
        assert!(err.contains(told), "{err}");
    }
}

/// 02:30 on the 29th of March 2009 is skipped in Berlin, and comes twice on the 25th of October.
#[test]
fn times_of_day_where_clocks_are_changed() {
    let zone = Zone::named("Europe/Berlin").unwrap();
    let daily = |times: &[&str], days: Option<&[&str]>, from: i64, to: i64| {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let days = days.map(texts);
        zone.daily(&texts(times), days.as_deref(), from, to).unwrap()
    };
    // 2009-03-28T00:00+01:00 and three days on.
    let from = 1_238_194_800;
    let found = daily(&["02:30"], None, from, from + 3 * 86_400);
    assert_eq!(found, [from + 9_000, from + 86_400 + 9_000, from + 2 * 86_400 + 5_400]);
    // 2009-10-24T00:00+02:00.
    let from = 1_256_335_200;
    let found = daily(&["02:30"], None, from, from + 2 * 86_400);
    assert_eq!(found, [from + 9_000, from + 86_400 + 9_000]);
    // A stretch has its begin and not its end.
    assert_eq!(daily(&["00:00"], None, from, from + 86_400), [from]);
    assert_eq!(daily(&["23:00", "01:00"], Some(&["sunday"]), from, from + 2 * 86_400).len(), 1);
    assert!(daily(&[], None, from, from + 86_400).is_empty());
    assert_eq!(zone.daily(&["25:00".to_owned()], None, from, from + 1), Err("25:00".to_owned()));
}

#[test]
fn what_takes_away_what_a_check_reads_breaks_it_off() {
    let check = "  - { id: move, action: move-log-folder, with: { object: EX01/SG2, to: 'L:\\SG2-new' }, estimate: 10m }\n  \
        - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 } }\n";
    let daily = [("{ enabled: true, start", "{ enabled: false, start")];
    for (step, breaks) in [
        ("migrate-replica, with: { source: DPM01/EX01/SG2 }", true),
        ("migrate-replica, with: { source: DPM01/EX01/SG3 }", false),
        ("dismount-database, with: { database: EX01/SG2/DB1 }", true),
        ("restart-service, with: { server: DPM01, service: MSDPM }", true),
        (r"recreate-journal, with: { volume: 'EX01/L:\' }", true),
        (r"repair-volume, with: { volume: 'EX01/L:\' }", true),
    ] {
        let steps = format!("{check}  - {{ id: other, action: {step}, estimate: 10m }}\n");
        let report = judged(&steps, &daily);
        let expected = if breaks { Value::from("other") } else { Value::Null };
        assert_eq!(report["steps"][1]["broken_off_by"], expected, "{step}: {report:#}");
        assert!(!breaks || report["verdict"] == "failed", "{step}: {report:#}");
    }
    // Who sees that alerts have gone is in nobody's way.
    let steps = format!(
        "{check}  - {{ id: alerts, action: resolve-alerts, with: {{ object: DPM01/EX01/SG2 }} }}\n"
    );
    assert_eq!(judged(&steps, &daily)["steps"][1]["broken_off_by"], Value::Null);
}

#[test]
fn a_database_that_is_dismounted_over_its_backup_costs_the_replica() {
    let steps = r#"  - { id: away, action: dismount-database, with: { database: EX01/SG2/DB1 } }
  - { id: back, action: mount-database, with: { database: EX01/SG2/DB1 }, not_before: "2008-11-15T23:30[Europe/Berlin]" }
"#;
    let daily = ("{ enabled: true, start", "{ enabled: false, start");
    let at = |times: &'static str| [daily, ("express_full_times: [\"20:00\"]", times)];
    let report = judged(steps, &at("express_full_times: [\"23:00\"]"));
    assert_eq!(report["verdict"], "failed", "{report:#}");
    // No backup succeeds from 22:00 on, and from 23:00 to the end of the window the replica is inconsistent.
    let sg2 = &report["objects"][1];
    assert_eq!((&sg2["ends"], &sg2["exposure_seconds"]), (&"bad".into(), &23_400.into()));
    assert_eq!(sg2["intervals"][0]["phase"], "stopped");
    let report = judged(steps, &at("express_full_times: [\"23:45\"]"));
    assert_eq!(report["verdict"], "passed", "{report:#}");
}

#[test]
fn a_replica_that_is_missing_is_not_checked() {
    let away = "  - { id: away, action: take-replica-volume-offline, with: { source: DPM01/EX01/SG2 }, estimate: 10m }\n";
    let check =
        "  - { id: check, action: run-consistency-check, with: { source: DPM01/EX01/SG2 } }\n";
    let back = "  - { id: back, action: bring-replica-volume-online, with: { source: DPM01/EX01/SG2 }, estimate: 10m }\n";
    let report = judged(&format!("{away}{check}"), &[]);
    assert_eq!(report["verdict"], "failed", "{report:#}");
    assert_eq!(messages(&report, "plan-precondition").len(), 1);
    let report = judged(&format!("{away}{back}{check}"), &[]);
    assert_eq!(report["verdict"], "passed", "{report:#}");
}

#[test]
fn after_a_move_the_new_node_is_the_one_that_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let facts = root().join("examples/move-ccr/facts.yaml").display().to_string();
    for (node, breaks) in [("NODE1", false), ("NODE2", true)] {
        let plan = folder.path().join(format!("{node}.yaml")).display().to_string();
        let text = format!(
            r#"schema: dpmguard.plan/v1
id: CHG1
title: The agent of a node is updated while checks run
window: {{ start: "2009-07-18T22:00[Europe/Berlin]", end: "2009-07-19T01:30[Europe/Berlin]" }}
steps:
  - {{ id: away, action: move-cluster-group, with: {{ clustered_mailbox_server: CMS1, to: NODE2 }}, estimate: 10m }}
  - {{ id: check, action: run-consistency-check, with: {{ source: DPM01/CMS1/SG1 }} }}
  - {{ id: update, action: update-agent, with: {{ agent: DPM01/{node} }}, estimate: 10m }}
"#
        );
        fs::write(&plan, text).unwrap();
        let ran = run(&[
            "plan", "check", &plan, "--facts", &facts, "--now", "observed", "--format", "json",
        ]);
        let report: Value =
            serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        let expected = if breaks { Value::from("update") } else { Value::Null };
        assert_eq!(report["steps"][1]["broken_off_by"], expected, "{report:#}");
        let uses = report["steps"][1]["needs"]["uses"].to_string();
        assert!(uses.contains("exchange_server NODE2") && !uses.contains("NODE1"), "{uses}");
    }
}
