//! How objects end: well by their state alone, thanks to a job, with nobody asking, or for as long as nobody
//! knows; and what a reader is told to do about it.

use std::fs;

use crate::plan::check;
use crate::support::root;

/// A night on the estate of examples/move-database: its facts with some text changed, and a plan of these
/// steps and this end.
fn night(changes: &[(&str, &str)], until: &str, steps: &str, options: &[&str]) -> (u8, String) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let mut facts = fs::read_to_string(root().join("examples/move-database/facts.yaml")).unwrap();
    for (from, to) in changes {
        assert!(facts.contains(from), "{from}");
        facts = facts.replacen(from, to, 1);
    }
    fs::write(at("facts.yaml"), facts).unwrap();
    let plan = format!(
        "schema: dpmguard.plan/v1\nid: X\ntitle: A night\nwindow:\n  \
         start: \"2009-03-07T22:00[Europe/Berlin]\"\n  end: \"{until}[Europe/Berlin]\"\n{steps}"
    );
    fs::write(at("plan.yaml"), plan).unwrap();
    let ran = check(&at("plan.yaml"), options);
    (ran.code, format!("{}{}", ran.out, ran.err))
}

const MOVED: (&str, &str) = (r"edb_path: 'F:\SG1\DB1.edb'", r"edb_path: 'M:\SG1\DB1.edb'");
const LOGS: &str =
    "  - { id: l, action: move-log-folder, with: { object: EX01/SG2, to: 'F:\\SG2' } }\n";
const CHECK_2: &str =
    "  - { id: c, action: run-consistency-check, with: { source: DPM01/EX01/SG2 } }\n";
const CHECK_1: &str =
    "  - { id: d, action: run-consistency-check, with: { source: DPM01/EX01/SG1 } }\n";
const GROUP: &str =
    "  - { id: g, action: modify-protection-group, with: { group: DPM01/PG-Exchange } }\n";

/// What was broken before the plan is told even where the state does not show it yet; a check that cures it
/// is not needless.
#[test]
fn what_only_its_state_calls_protected_is_told() {
    let until = "2009-03-08T04:00";
    let steps = format!("steps:\n{LOGS}{CHECK_2}");
    let (code, said) = night(&[MOVED], until, &steps, &[]);
    assert_eq!(code, 0, "{said}");
    for wanted in [
        "PASS  X  2 of 2 data sources protected at 04:00, 1 of them by state alone",
        "warning[plan-cause-stands]: DPM01/EX01/SG1 counts as protected by state alone: \
         database-file-moved still stands",
        "help: repair the causes: modify-protection-group at DPM01/PG-Exchange",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    let all = format!("{steps}goal: {{ end_consistent: all }}\n");
    let (code, said) = night(&[MOVED], until, &all, &[]);
    assert!(code == 1 && said.contains("error[plan-cause-stands]"), "{said}");
    let except = "{ except: [DPM01/EX01/SG1], reason: its own change is tomorrow }";
    let excepted = format!("{steps}goal: {{ end_consistent: {except} }}\n");
    let (code, said) = night(&[MOVED], until, &excepted, &[]);
    assert!(code == 0 && !said.contains("plan-cause-stands"), "{said}");
    let mended =
        format!("steps:\n{GROUP}{LOGS}{CHECK_1}{CHECK_2}goal: {{ end_consistent: all }}\n");
    let (code, said) = night(&[MOVED], until, &mended, &[]);
    assert_eq!(code, 0, "{said}");
    assert!(!said.contains("plan-cause-stands") && !said.contains("needless"), "{said}");
}

/// No recovery point is made of what a cause stands for; a job that fails anyway is told, too.
#[test]
fn no_backup_succeeds_while_a_cause_stands() {
    let point =
        "steps:\n  - { id: p, action: create-recovery-point, with: { source: DPM01/EX01/SG1 } }\n";
    let (code, said) = night(&[MOVED], "2009-03-08T21:00", point, &[]);
    assert_eq!(code, 1, "{said}");
    for wanted in [
        "p (create-recovery-point) cannot begin at 22:00: database-file-moved stands for DPM01/EX01/SG1",
        "note[plan-job-fails]: there is no express full backup of DPM01/EX01/SG1 at 20:00, as before the plan",
        "20:00  express full backup  runs  DPM01/EX01/SG2",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
}

/// A plan that leans on the daily check says so; a list of goals hides nothing.
#[test]
fn what_a_job_cures_and_what_a_list_leaves_out_is_told() {
    let steps = format!("steps:\n{LOGS}");
    let (code, said) = night(&[], "2009-03-08T06:00", &steps, &[]);
    assert_eq!(code, 0, "{said}");
    let wanted =
        "note[plan-cured-by-job]: only the daily consistency check cures DPM01/EX01/SG2 at 03:48";
    assert!(said.contains(wanted), "{said}");
    let listed = format!("{steps}goal: {{ end_consistent: [DPM01/EX01/SG1] }}\n");
    let (code, said) = night(&[], "2009-03-08T01:00", &listed, &[]);
    assert_eq!(code, 0, "{said}");
    let wanted =
        "warning[plan-goal-leaves-out]: DPM01/EX01/SG2 is not protected at the end because of l";
    assert!(said.contains(wanted), "{said}");
    let (code, said) = night(&[], "2009-03-08T01:00", &listed, &["--fail-on", "warning"]);
    assert_eq!(code, 1, "{said}");
}

/// A rule under which checks fail is no cause, and wastes a check all the same; where nobody can decide it,
/// nobody can say how the check ends.
#[test]
fn what_stops_checks_wastes_them() {
    let steps = format!("steps:\n{LOGS}{CHECK_2}");
    let until = "2009-03-08T01:00";
    for (changed, rule, said_of) in [
        (("indexing: false", "indexing: true"), "database-folder-unsuitable", "DPM01/EX01/SG1"),
        (
            ("foreign_listening_ports: []", "foreign_listening_ports: [5718]"),
            "agent-ports-taken",
            "DPM01/EX01/SG2",
        ),
    ] {
        let check = if said_of.ends_with('1') { CHECK_1 } else { CHECK_2 };
        let steps = format!("steps:\n{LOGS}{check}");
        let (code, said) = night(&[changed], until, &steps, &[]);
        assert_eq!(code, 1, "{said}");
        let wanted = format!("cannot succeed: {rule} still stands");
        assert!(said.contains("error[plan-check-wasted]") && said.contains(&wanted), "{said}");
    }
    let gone = ("    foreign_listening_ports: []\n", "");
    let (code, said) = night(&[gone], until, &steps, &[]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("TO COLLECT  agents[DPM01/EX01]: foreign_listening_ports"), "{said}");
}

/// What is only inferred to let jobs fail fails no plan, but is told at the first step that it meets; not where
/// the plan clears it before.
#[test]
fn what_would_probably_stop_jobs_is_told() {
    let stopped = ("services: { msdpm: running", "services: { msdpm: stopped");
    let until = "2009-03-08T01:00";
    let start = "  - { id: s, action: start-service, with: { server: DPM01, service: MSDPM } }\n";
    let wanted = "warning[plan-check-in-doubt]: c (run-consistency-check) would probably fail: dpm-service-stopped";
    for (steps, is_told) in [
        (format!("steps:\n{LOGS}{CHECK_2}"), true),
        (format!("steps:\n{LOGS}{start}{CHECK_2}"), false),
        (format!("steps:\n{LOGS}{CHECK_2}{start}"), true),
    ] {
        let (code, said) = night(&[stopped], until, &steps, &[]);
        assert_eq!((code, said.contains(wanted)), (0, is_told), "{said}");
    }
    let (_, said) = night(&[stopped], until, &format!("steps:\n{LOGS}{CHECK_2}"), &[]);
    assert!(said.contains("help: clear it before: start-service at DPM01"), "{said}");
}

/// The longest durations in the order of the file are not the worst of all courses: of two steps that nothing
/// orders the other one may come first, and a quick step may meet a slow check.
#[test]
fn other_courses_of_events_are_tried() {
    let until = "2009-03-08T01:00";
    let free = format!("order: partial\nsteps:\n{LOGS}{CHECK_2}");
    let (code, said) = night(&[], until, &free, &[]);
    assert_eq!(code, 1, "{said}");
    for wanted in [
        "2 of 2 data sources protected at 01:00; FAIL because of plan-end-unprotected at l",
        "note: if c comes before l",
        "warning[plan-race]",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    // So it is where one only looks at what the other changes.
    let moved = "  - { id: m, action: move-database-file, with: { database: EX01/SG1/DB1, to: 'M:\\SG1\\DB1.edb' } }\n";
    let waits = CHECK_1.replace("} }", "}, after: [m, g] }");
    for order in [
        format!("order: partial\nsteps:\n{moved}{GROUP}{waits}"),
        format!(
            "steps:\n  - parallel:\n  {}  {}{waits}",
            moved.replace("  - ", "    - "),
            GROUP.replace("  - ", "    - ")
        ),
    ] {
        let (code, said) = night(&[], "2009-03-08T04:00", &order, &[]);
        assert!(code == 1 && said.contains("note: if g comes before m"), "{said}");
        assert!(said.contains("; it fails only if steps come in another order"), "{said}");
    }
    let (code, said) =
        night(&[], "2009-03-08T04:00", &format!("steps:\n{moved}{GROUP}{waits}"), &[]);
    assert_eq!(code, 0, "{said}");
    let look = "  - { id: w, action: look-into, with: { object: EX01 }, \
        estimate: { expected: 1h, worst: 2h } }\n";
    let restart = "  - { id: r, action: restart-server, with: { server: DPM01 }";
    let mixed = format!("steps:\n{LOGS}{CHECK_2}{look}{restart} }}\n");
    let (code, said) = night(&[], until, &mixed, &[]);
    assert_eq!(code, 1, "{said}");
    let wanted = "note: if what comes before r is quick and c is not";
    assert!(said.contains(wanted), "{said}");
    let waits = format!("steps:\n{LOGS}{CHECK_2}{look}{restart}, after: [c] }}\n");
    let (code, said) = night(&[], until, &waits, &[]);
    assert!(code == 0 && !said.contains("if what comes"), "{said}");
}

/// Steps that have nothing to do with each other compete for people: any of them can come between what breaks
/// an object and what cures it.
#[test]
fn what_competes_for_people_may_come_in_between() {
    let until = "2009-03-08T05:00";
    let moved = "  - { id: m, action: move-database-file, with: { database: EX01/SG1/DB1, to: 'M:\\SG1\\DB1.edb' }, estimate: 10m }\n";
    let group = GROUP.replace("} }", "}, after: [m] }");
    let check = CHECK_1.replace("} }", "}, after: [g] }");
    let look = |id: &str, after: &str| {
        format!(
            "  - {{ id: {id}, action: look-into, with: {{ object: EX01 }}, estimate: 1h{after} }}\n"
        )
    };
    let (first, last) = (look("w", ""), look("w", ", after: [d]"));
    let goal = "goal: { max_exposure: 3h }\n";
    let in_order = "note: in this order, in which DPM01/EX01/SG1 is without protection for longest: m, w, g, d";
    for (steps, wanted) in [
        (format!("{first}{moved}{group}{check}"), Some(in_order)),
        (format!("{moved}{first}{group}{check}"), Some("error[plan-exposure]")),
        (format!("{moved}{group}{check}{last}"), None),
    ] {
        let plan = format!("order: partial\nsteps:\n{steps}{goal}");
        let (code, said) = night(&[], until, &plan, &[]);
        assert_eq!(code, u8::from(wanted.is_some()), "{said}");
        assert!(said.contains(wanted.unwrap_or("PASS")), "{said}");
        assert!(!said.contains("plan-orders-untried"), "{said}");
    }
    // What is not tried is no secret.
    let many: String =
        (0..30).map(|number| GROUP.replace("id: g", &format!("id: g{number}"))).collect();
    let plan = format!("order: partial\nsteps:\n{many}{moved}{group}{check}");
    let (_, said) = night(&[], "2009-03-09T05:00", &plan, &[]);
    assert!(said.contains("warning[plan-orders-untried]"), "{said}");
}

/// Who restarts a server does not leave alone what lies on it.
#[test]
fn a_blackout_holds_for_what_an_object_lies_on() {
    let window = "2009-03-08T04:00[Europe/Berlin]\"\n  blackouts:\n    - { from: \
        \"2009-03-07T22:00[Europe/Berlin]\", to: \"2009-03-08T01:00[Europe/Berlin]\", \
        applies_to: [EX01/SG1/DB1], why: \"another backup";
    let night = |steps: &str| {
        let plan = format!(" }}\nsteps:\n{steps}");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("plan.yaml");
        let facts = fs::read_to_string(root().join("examples/move-database/facts.yaml")).unwrap();
        fs::write(folder.path().join("facts.yaml"), facts).unwrap();
        let head = "schema: dpmguard.plan/v1\nid: X\ntitle: A night\nwindow:\n  start: \
            \"2009-03-07T22:00[Europe/Berlin]\"\n  end: \"";
        fs::write(&file, format!("{head}{window}\"{plan}")).unwrap();
        check(&file.display().to_string(), &[]).out
    };
    let restart = "  - { id: r, action: restart-server, with: { server: EX01 } }\n";
    assert!(night(restart).contains("error[plan-blackout]: r (restart-server)"));
    assert!(!night(LOGS).contains("plan-blackout"));
}

/// What does not help is not told: a check of what is let go on purpose. What helps is the same in the hazard and in
/// the table of stops.
#[test]
fn help_is_what_helps() {
    let steps = "steps:\n  - { id: r, action: remove-database, with: { database: EX01/SG1/DB1 } }\n  \
        - { id: s, action: remove-storage-group, with: { storage_group: EX01/SG1 } }\n  - { id: d, action: dismount-database, with: { database: EX01/SG2/DB1 } }\n";
    let (code, said) = night(&[], "2009-03-08T02:00", steps, &[]);
    assert_eq!(code, 1, "{said}");
    assert!(!said.contains("run-consistency-check"), "{said}");
    for wanted in [
        "where DPM01/EX01/SG1 is to go for good, stop-protection at DPM01/EX01/SG1 ends what is left of its protection: \
         leave it out under `goal.end_consistent.except`",
        "clear what stops the backups of DPM01/EX01/SG2: mount-database at EX01/SG2/DB1",
        "1 of 2 unprotected; never all protected, and no rule names a repair",
        "2 of 2 unprotected; never all protected without mount-database at EX01/SG2/DB1",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
}

/// Whether something lies on what must be left alone is not read as no where nobody has collected it.
#[test]
fn a_blackout_of_what_nobody_knows_is_no_leave() {
    let dark = "  blackouts: [{ from: \"2009-03-07T22:00[Europe/Berlin]\", to: \"2009-03-08T01:00[Europe/Berlin]\", \
        applies_to: ['EX01/F:\\'], why: tapes }]\nsteps:\n  - { id: d, action: dismount-database, with: { database: EX01/SG1/DB1 } }\n  \
        - { id: m, action: mount-database, with: { database: EX01/SG1/DB1 } }\n";
    let (code, said) = night(&[], "2009-03-08T02:00", dark, &[]);
    assert!(code == 1 && said.contains("error[plan-blackout]: d (dismount-database)"), "{said}");
    // What is read through a program lies on it.
    let agent = dark.replace("'EX01/F:\\'", "DPM01/EX01");
    let (code, told) = night(&[], "2009-03-08T02:00", &agent, &[]);
    assert!(code == 1 && told.contains("error[plan-blackout]: d (dismount-database)"), "{told}");
    let gone = ("    edb_path: 'F:\\SG1\\DB1.edb'\n", "");
    let (code, said) = night(&[gone], "2009-03-08T02:00", dark, &[]);
    assert_eq!(code, 3, "{said}");
    assert!(said.contains("whether it leaves EX01/F:\\ alone is not known"), "{said}");
    assert!(said.contains("collect `databases[EX01/SG1/DB1].edb_path`"), "{said}");
}

/// What stands from before a plan and gets worse while nothing is backed up is told at the step.
#[test]
fn a_log_volume_that_is_nearly_full_is_told() {
    let steps = format!("steps:\n{LOGS}{CHECK_2}");
    let (code, said) = night(
        &[("free_bytes: 60000000000", "free_bytes: 2000000000")],
        "2009-03-08T01:00",
        &steps,
        &[],
    );
    assert_eq!(code, 0, "{said}");
    assert!(
        said.contains("warning[plan-risk-stands]: DPM01/EX01/SG2 is without protection"),
        "{said}"
    );
    let (_, said) = night(&[], "2009-03-08T01:00", &steps, &[]);
    assert!(!said.contains("plan-risk-stands"), "{said}");
}

/// That nobody can say whether a cause stands is not read as that none does, whoever asks.
#[test]
fn what_may_be_protected_by_state_alone_is_no_verdict() {
    let gone = ("    edb_path: 'F:\\SG1\\DB1.edb'\n", "");
    let steps = format!("steps:\n{LOGS}{CHECK_2}");
    let (until, all) = ("2009-03-08T01:00", format!("{steps}goal: {{ end_consistent: all }}\n"));
    let (code, said) = night(&[gone], until, &all, &[]);
    assert_eq!(code, 3, "{said}");
    let wanted = "whether DPM01/EX01/SG1 counts as protected by state alone depends on";
    assert!(said.contains(wanted), "{said}");
    let (code, said) = night(&[gone], until, &steps, &["--fail-on", "warning"]);
    assert!(code == 3 && said.contains(wanted), "{said}");
    let (code, said) = night(&[gone], until, &steps, &[]);
    assert_eq!(code, 0, "{said}");
    // Nor that nobody can say how much room there is for logs, where warnings count.
    let room = ("    free_bytes: 60000000000\n", "");
    let (code, said) = night(&[room], until, &steps, &["--fail-on", "warning"]);
    assert_eq!(code, 3, "{said}");
    assert!(
        said.contains("from l (move-log-folder) on nobody can say what log-volume-headroom"),
        "{said}"
    );
}

/// An object that is taken away is not protected, and nobody takes responsibility for a step that does not take place.
#[test]
fn what_is_gone_or_not_done_is_not_fine() {
    let step = "steps:\n  - { id: s, action: mount-database, with: { database: EX01/SG1/DB1 }, accept: [{ \
        hazard: plan-precondition, reason: nobody looked, by: change board, until: 2009-04-01 }] }\n";
    let (code, said) = night(&[], "2009-03-08T01:00", step, &[]);
    assert!(
        code == 2 && said.contains("no hazard `plan-precondition` that a step can accept"),
        "{said}"
    );
    let delete = "steps:\n  - { id: s, action: remove-from-protection-group, with: { source: DPM01/EX01/SG1, retain: false } }\n";
    let (code, said) = night(&[], "2009-03-08T01:00", delete, &[]);
    assert!(code == 1 && said.contains("error[plan-end-unprotected]: DPM01/EX01/SG1"), "{said}");
}

/// A step that is about an object touches it: an object that was bad before has to be good behind it.
#[test]
fn what_a_step_is_about_has_to_be_good_behind_it() {
    let bad = ("state: consistent", "state: inconsistent");
    let point =
        "steps:\n  - { id: g, action: modify-disk-allocation, with: { source: DPM01/EX01/SG1 } }\n";
    let (code, said) = night(&[bad], "2009-03-08T01:00", point, &[]);
    assert!(code == 1 && said.contains("error[plan-end-unprotected]: DPM01/EX01/SG1"), "{said}");
    let (code, said) = night(&[bad], "2009-03-08T01:00", "steps: []\n", &[]);
    assert_eq!(code, 0, "{said}");
}

/// A check before a step that breaks its object again is for nothing: that is said, not that the step should wait.
#[test]
fn a_check_before_what_breaks_its_object_is_left_out() {
    let again = "  - { id: again, action: move-database-file, with: { database: EX01/SG2/DB1, to: 'F:\\SG2\\N.edb' } }\n";
    let last = CHECK_2.replace("id: c,", "id: e,");
    let steps = format!("steps:\n{LOGS}{CHECK_2}{again}");
    let (_, said) = night(&[], "2009-03-08T04:00", &format!("{steps}{last}"), &[]);
    assert!(said.contains("help: leave c out: e checks DPM01/EX01/SG2 behind again"), "{said}");
    assert!(said.contains("  c      54 min, at worst 1 h 48 min  "), "{said}");
    let (_, said) = night(&[], "2009-03-08T04:00", &steps, &[]);
    let help = "help: again breaks DPM01/EX01/SG2 anyway: put c behind again";
    assert!(said.contains(help) && !said.contains("let again wait"), "{said}");
    let waits = again.replace("} }", "}, after: [c] }");
    let twice = format!("steps:\n{LOGS}{CHECK_2}{waits}{last}goal: {{ max_exposure: 10m }}\n");
    let (_, said) = night(&[], "2009-03-08T04:00", &twice, &[]);
    for wanted in [
        "note[plan-touched-twice]: DPM01/EX01/SG2 is broken by l (move-log-folder), checked, and broken again",
        "help: leave c out, and let again follow l: e checks DPM01/EX01/SG2 behind both",
        "help: c (run-consistency-check) takes 1 h 48 min of it",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
}

/// Times are half open: what ends in the second in which the window closes has ended, checks and people alike,
/// and what begins `at the latest` is in time.
#[test]
fn what_ends_when_the_window_closes_has_ended() {
    let from = |time: &str| {
        let with = "action: move-log-folder, with: { object: EX01/SG2, to: 'F:\\SG2' }";
        let not_before = format!("not_before: \"2009-03-07T{time}[Europe/Berlin]\"");
        format!("steps:\n  - {{ id: l, {not_before}, {with}, estimate: 10m }}\n{CHECK_2}")
    };
    let (code, said) = night(&[], "2009-03-08T00:00", &from("22:00"), &[]);
    assert!(code == 0 && said.contains("  l     22:00   22:02  "), "{said}");
    let (code, said) = night(&[], "2009-03-08T00:00", &from("22:02"), &[]);
    assert_eq!(code, 0, "{said}");
    for wanted in [
        "PASS  X  2 of 2 data sources protected at 00:00 | 1 h 58 min without protection",
        " c     22:12-00:00  DPM01     run-consistency-check DPM01/EX01/SG2  ~>.",
        "  DPM01/EX01/SG2  22:02-00:00  1 h 58 min  l\n",
        "  l     22:02   22:02  ",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    let (code, said) = night(&[], "2009-03-08T00:00", &from("22:03"), &[]);
    assert!(code == 1 && said.contains("ends at 00:01, the window at 00:00"), "{said}");
}
