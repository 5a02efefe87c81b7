//! What the reports on plans say to a reader at night: times, past windows, checks that are broken off, and
//! what nobody can say.

use std::fs;

use serde_json::Value;

use crate::plan::{PLAN, check, fits};
use crate::support::{root, run, sarif_results};

fn example(name: &str) -> String {
    fs::read_to_string(root().join("examples").join(name)).unwrap()
}

/// A night in which clocks are put forward, facts that are too old, and a check that is broken off.
#[test]
fn every_format_says_it_in_the_night_of_the_clocks() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let text = example("move-logs/plan.yaml").replace("2009-03-21T22:00", "2009-03-28T22:00");
    fs::write(at("plan.yaml"), text.replace("2009-03-22T02:00", "2009-03-29T05:00")).unwrap();
    fs::write(at("facts.yaml"), example("move-logs/facts.yaml")).unwrap();
    let formats = ["sarif", "junit", "markdown", "html"];
    let outputs = formats.map(|format| format!("{format}={}", at(format)));
    let options: Vec<&str> = outputs.iter().flat_map(|output| ["-o", output]).collect();
    let ran = check(&at("plan.yaml"), &options);
    assert_eq!(ran.code, 3, "{}{}", ran.out, ran.err);
    let clocks = "the clocks are put forward from 02:00+01:00 to 03:00+02:00";
    for said in [
        "protected at 05:00+02:00; NO VERDICT because of plan-stale | ",
        "\nno verdict[plan-stale]: the facts will be 7 d 1 h old",
        "      0 errors, 1 without a verdict, 2 warnings, 1 note;",
        &format!("2009-03-29 05:00+02:00, Europe/Berlin (+01:00); {clocks}\n"),
        "22:10        DPM01     run-consistency-check DPM01/EX01/SG1  x broken off ",
        "  broken off by system-1\n",
        " ~>. ",
        "DPM01/EX01/SG1  22:00-04:12+02:00  5 h 12 min",
    ] {
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
    let file = |format: &str| fs::read_to_string(at(format)).unwrap();
    let document: Value = serde_json::from_str(&file("sarif")).unwrap();
    let results = sarif_results(&document, "dpmguardHazard/v1");
    let stale = results.iter().find(|one| one["ruleId"] == "plan-stale").unwrap();
    assert_eq!((&stale["kind"], &stale["level"]), (&"open".into(), &"none".into()));
    assert!(stale["message"]["text"].as_str().unwrap().starts_with("no verdict: the facts"));
    for (format, said) in [
        ("junit", "no verdict[plan-stale]: the facts"),
        ("junit", "<skipped message=\"broken off by system-1\"/>"),
        ("markdown", "- **no verdict** `plan-stale`: the facts"),
        ("markdown", "**broken off by system-1**"),
        ("markdown", clocks),
        ("html", "<article class=\"hazard unknown\">\n<h3><span class=\"level\">no verdict</span>"),
        ("html", "<text class=\"cut\""),
        ("html", "<line class=\"change\""),
    ] {
        assert!(file(format).contains(said), "{format}: {said}\n{}", file(format));
        assert!(!file(format).contains("error[plan-stale]"), "{format}");
    }
    let facts = at("facts.yaml");
    let args = ["plan", "timeline", &at("plan.yaml"), "--facts", &facts, "--now", "observed"];
    let ran = run(&args);
    for said in [
        "22:00           03:00+02:00\n",
        "================|=======\n",
        " !xxxxxxxxxxxxxxx~",
        clocks,
    ] {
        assert!(ran.out.contains(said), "{said}\n{}", ran.out);
    }
}

#[test]
fn a_window_that_is_past_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml").display().to_string();
    fs::write(&plan, example("change/plan.yaml").replace("2008-11", "2007-11")).unwrap();
    let facts = root().join("examples/change/facts.yaml").display().to_string();
    let shipped = root().join(PLAN).display().to_string();
    for (plan, now, said) in [
        (
            &plan,
            "observed",
            "the window opened at 2007-11-15 22:00, 365 d 23 h before the facts were observed",
        ),
        (
            &shipped,
            "2008-11-18T04:30:00Z",
            "the window closed at 2008-11-16 04:30+01:00, 2 d 1 h before this check",
        ),
    ] {
        let ran = run(&["plan", "check", plan, "--facts", &facts, "--now", now]);
        assert!(ran.out.contains(&format!("error[plan-window-past]: {said}\n")), "{}", ran.out);
    }
    // Facts from within the window: a part of the plan may be done.
    let late =
        fs::read_to_string(&shipped).unwrap().replace("2008-11-15T22:00", "2008-11-15T20:00");
    fs::write(&plan, late).unwrap();
    let ran = run(&["plan", "check", &plan, "--facts", &facts, "--now", "observed"]);
    assert!(ran.out.contains("warning[plan-window-past]: the window opened"), "{}", ran.out);
}

/// The findings that are no causes, too, at the step that raises them.
#[test]
fn a_step_and_an_object_are_explained_to_programs() {
    let facts = root().join("examples/change/facts.yaml").display().to_string();
    let plan = root().join(PLAN).display().to_string();
    let explain = |name: &str| {
        let with = ["--facts", &facts, "--now", "observed", "--format", "json"];
        let ran = run(&[&["plan", "explain", &plan, name][..], &with].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        fits("plan-explain-v1", &ran.out);
        serde_json::from_str::<Value>(&ran.out).unwrap()
    };
    let rules = |about: &Value| {
        let hazards = about["hazards"].as_array().unwrap().iter();
        let rules: Vec<String> =
            hazards.filter_map(|one| Some(one["rule"].as_str()?.to_owned())).collect();
        rules
    };
    let (step, object) = (explain("s4"), explain("dpm01/ex01/sg3"));
    for about in [&step["step"], &object["object"]] {
        assert_eq!(rules(about), ["dpm-reboot-pending"], "{about:#}");
    }
    assert_eq!((&step["object"], &object["step"]), (&Value::Null, &Value::Null));
    let checks: Vec<&Value> = object["object"]["checks"].as_array().unwrap().iter().collect();
    assert_eq!((checks.len(), &checks[0]["outcome"]), (1, &"cannot begin".into()), "{checks:?}");
    assert_eq!(step["step"]["conditions"][0]["holds"], true);
    assert_eq!(step["step"]["opens"][2]["rule"], "vss-proxy-unregistered");
    assert_eq!(object["object"]["states"][0]["phase"], "good");
    assert_eq!(object["object"]["exposure_seconds"], 330 * 60);
}
