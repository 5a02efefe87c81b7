//! Reports with a lie in them: the checker must find each.

use serde_json::{Value as Json, json};

use super::Told;

/// A way to lie; the answer is the reports with that lie in them, none where it does not fit.
pub(super) type Lie = (&'static str, fn(&Told) -> Vec<Json>);

/// All of them.
pub(super) const LIES: &[Lie] = &[
    ("an event is left out", |told| {
        each(told, "events", |_, events, at| {
            events.remove(at);
            true
        })
    }),
    ("an event comes later", |told| {
        each(told, "events", |_, events, at| add(&mut events[at]["time"], 1))
    }),
    ("a fact changes to something else", |told| {
        each(told, "events", |_, events, at| {
            let changed = events[at]["changes"].get_mut(0);
            changed.map(|one| one["to"] = json!("something else")).is_some()
        })
    }),
    ("a fact was something else", |told| {
        each(told, "events", |_, events, at| {
            let changed = events[at]["changes"].get_mut(0);
            changed.map(|one| one["from"] = json!("something else")).is_some()
        })
    }),
    ("begin and end of a state are exchanged", |told| {
        intervals(told, |one, _| {
            (one["from"], one["to"]) = (one["to"].clone(), one["from"].clone());
            true
        })
    }),
    ("a state is closed, not half-open", |told| intervals(told, |one, _| add(&mut one["to"], 1))),
    ("a state begins later", |told| intervals(told, |one, _| add(&mut one["from"], 1))),
    ("a state is better", |told| intervals(told, |one, _| turn(&mut one["phase"], "good"))),
    ("a state is worse", |told| intervals(told, |one, _| turn(&mut one["phase"], "bad"))),
    ("a cause is not told in a state", |told| {
        intervals(told, |one, _| one["open"].as_array_mut().unwrap().pop().is_some())
    }),
    ("a state comes from a step that begins later", |told| {
        intervals(told, |one, (step, begins)| {
            one["caused_by"] = json!([step]);
            one["to"].as_i64().unwrap() <= begins
        })
    }),
    ("a state is left out", |told| {
        each(told, "objects", |_, objects, at| {
            objects[at]["intervals"].as_array_mut().unwrap().pop().is_some()
        })
    }),
    ("an object is left out", |told| {
        each(told, "objects", |_, objects, at| {
            objects.remove(at);
            true
        })
    }),
    ("the exposure is one second more", |told| {
        each(told, "objects", |_, objects, at| add(&mut objects[at]["exposure_seconds"], 1))
    }),
    ("the exposure is one second less", |told| {
        each(told, "objects", |_, objects, at| add(&mut objects[at]["exposure_seconds"], -1))
    }),
    ("a recovery point is one second older", |told| {
        each(told, "objects", |_, objects, at| add(&mut objects[at]["oldest_point_seconds"], 1))
    }),
    ("an object ends otherwise", |told| {
        each(told, "objects", |_, objects, at| {
            let other = if objects[at]["ends"] == "good" { "bad" } else { "good" };
            turn(&mut objects[at]["ends"], other)
        })
    }),
    ("a cause appears later", |told| {
        each(told, "causes", |_, causes, at| add(&mut causes[at]["opened_at"], 1))
    }),
    ("a cause is gone later", |told| {
        each(told, "causes", |_, causes, at| add(&mut causes[at]["closed_at"], 1))
    }),
    ("a cause concerns nothing", |told| {
        each(told, "causes", |report, causes, at| {
            // What is gone in the second in which it appears, or comes too late, is in no state.
            let horizon = &report["plan"]["checks_until_seconds"];
            let is_seen = causes[at]["opened_at"] != causes[at]["closed_at"]
                && causes[at]["opened_at"].as_i64() < horizon.as_i64();
            let objects = causes[at]["objects"].as_array_mut().unwrap();
            !std::mem::take(objects).is_empty() && is_seen
        })
    }),
    ("a cause comes from nowhere", |told| {
        each(told, "causes", |_, causes, at| !causes[at]["opened_by"].take().is_null())
    }),
    ("a step begins later", |told| steps(told, |step| add(&mut step["start_seconds"], 1))),
    ("a step ends earlier", |told| steps(told, |step| add(&mut step["end_seconds"], -1))),
    ("a step takes longer", |told| {
        steps(told, |step| {
            // How long a check would have taken that was broken off, nobody sees.
            let [from, to] = ["start_seconds", "end_seconds"].map(|key| step[key].as_i64());
            let lasts = from.zip(to).map(|(from, to)| to - from);
            lasts == step["takes_seconds"].as_i64() && add(&mut step["takes_seconds"], 1)
        })
    }),
    ("a step is refused", |told| steps(told, |step| turn(&mut step["status"], "refused"))),
    ("a step is done", |told| steps(told, |step| turn(&mut step["status"], "done"))),
    ("a step never begins", |told| steps(told, |step| turn(&mut step["status"], "never"))),
    ("a step should have begun later", |told| {
        steps(told, |step| {
            let begins = step["start_seconds"].as_i64();
            step["needs"]["not_before"] = json!(begins.unwrap_or(0) + 1);
            begins.is_some()
        })
    }),
    ("a step waits for itself", |told| {
        steps(told, |step| {
            step["needs"]["waits_for"] = json!([step["id"]]);
            step["start_seconds"].is_i64()
        })
    }),
    ("a step leaves everything good", |told| {
        steps(told, |step| {
            !step["after"].as_array().unwrap().is_empty()
                && turn(&mut step["after"], Json::Array(Vec::new()))
        })
    }),
    ("a step opens nothing", |told| {
        steps(told, |step| {
            !step["opened"].as_array().unwrap().is_empty()
                && turn(&mut step["opened"], Json::Array(Vec::new()))
        })
    }),
    ("there are no operators", |told| {
        whole(told, |report| {
            let works = |step: &Json| {
                step["needs"]["operator"] == true && step["start_seconds"] != step["end_seconds"]
            };
            let works = report["steps"].as_array().unwrap().iter().any(works);
            report["resources"]["operators"] = json!(0);
            works
        })
    }),
    ("there are no slots", |told| {
        whole(told, |report| {
            let checks = |step: &Json| {
                step["needs"]["checks"].is_object() && step["start_seconds"] != step["end_seconds"]
            };
            let checks = report["steps"].as_array().unwrap().iter().any(checks);
            for slots in report["resources"]["slots"].as_array_mut().unwrap() {
                slots["capacity"] = json!(0);
            }
            checks
        })
    }),
    ("two steps lock one object at a time", overlapping_locks),
    ("a cause stands on when a check ends well", unclosed_cause),
    ("totals: objects", |told| total(told, "objects")),
    ("totals: good", |told| total(told, "good")),
    ("totals: bad", |told| total(told, "bad")),
    ("totals: unknown", |told| total(told, "unknown")),
    ("totals: exposure", |told| total(told, "exposure_seconds")),
    ("totals: checks", |told| total(told, "checks")),
    ("totals: end", |told| total(told, "end_seconds")),
    ("totals: most at once", |told| total(told, "most_at_once")),
    ("a hazard is left out", |told| {
        each(told, "hazards", |report, hazards, at| {
            let gone = hazards.remove(at);
            is_counted_again(report, &gone, hazards)
        })
    }),
    ("a hazard is told of another step", |told| {
        each(told, "hazards", |report, hazards, at| {
            let known = hazards.remove(at);
            let mut steps = report["steps"].as_array().unwrap().iter().map(|step| &step["id"]);
            let other = steps.rfind(|id| **id != known["step"]);
            let fits = is_counted_again(report, &known, hazards);
            hazards.push(known);
            fits && other
                .is_some_and(|id| turn(&mut hazards.last_mut().unwrap()["step"], id.clone()))
        })
    }),
    ("it passes", |told| {
        whole(told, |report| {
            report["verdict"] == "failed" && turn(&mut report["verdict"], "passed")
        })
    }),
    ("it fails", |told| {
        whole(told, |report| {
            report["verdict"] == "passed" && turn(&mut report["verdict"], "failed")
        })
    }),
    ("another exit code", |told| {
        whole(told, |report| {
            report["exit_code"] = json!((report["exit_code"].as_u64().unwrap() + 1) % 3);
            true
        })
    }),
    ("the window is longer", |told| {
        whole(told, |report| {
            add(&mut report["plan"]["end_seconds"], 100_000)
                && !report["objects"].as_array().unwrap().is_empty()
        })
    }),
];

/// Whether the checker finds a hazard by itself, and no other says the same of the step.
fn is_counted_again(report: &Json, hazard: &Json, others: &[Json]) -> bool {
    const SEEN: &[&str] =
        &["plan-window", "plan-blackout", "plan-no-op", "plan-step-never", "plan-precondition"];
    let is_same = |other: &Json| other["id"] == hazard["id"] && other["step"] == hazard["step"];
    // Of the course with the usual durations there are no events in the report.
    hazard["usual_only"] != true
        && (hazard["id"] != "plan-blackout" || is_named_dark(report, &hazard["step"]))
        && SEEN.contains(&hazard["id"].as_str().unwrap())
        && !others.iter().any(is_same)
}

/// Whether a blackout names what a step names or breaks; what lies on what is in no report.
fn is_named_dark(report: &Json, step: &Json) -> bool {
    let steps = report["steps"].as_array().unwrap();
    let step = steps.iter().find(|one| one["id"] == *step).unwrap();
    let texts = |value: &Json| -> Vec<String> {
        let all = value.as_array().unwrap().iter();
        all.map(|text| text.as_str().unwrap().to_lowercase()).collect()
    };
    let mut touched = texts(&step["harmed"]);
    let names = texts(&step["needs"]["names"]).into_iter();
    touched.extend(names.filter_map(|name| Some(name.split_once(' ')?.1.to_owned())));
    report["plan"]["blackouts"].as_array().unwrap().iter().any(|blackout| {
        let on = texts(&blackout["applies_to"]);
        let (from, to) = (blackout["from"].as_i64().unwrap(), blackout["to"].as_i64().unwrap());
        let meets = step["start_seconds"].as_i64().is_some_and(|start| {
            let end = step["end_seconds"].as_i64().unwrap();
            start < to && from < end.max(start + 1)
        });
        meets && (on.is_empty() || on.iter().any(|key| touched.contains(key)))
    })
}

fn add(value: &mut Json, more: i64) -> bool {
    let Some(known) = value.as_i64() else { return false };
    *value = json!(known + more);
    true
}

fn turn(value: &mut Json, to: impl Into<Json>) -> bool {
    let to = to.into();
    let is_new = *value != to;
    *value = to;
    is_new
}

fn whole(told: &Told, lie: fn(&mut Json) -> bool) -> Vec<Json> {
    let mut report = told.report.clone();
    if lie(&mut report) { vec![report] } else { Vec::new() }
}

fn total(told: &Told, name: &str) -> Vec<Json> {
    let mut report = told.report.clone();
    add(&mut report["totals"][name], 1);
    vec![report]
}

/// A lie about each member of a list.
fn each(told: &Told, list: &str, lie: fn(&Json, &mut Vec<Json>, usize) -> bool) -> Vec<Json> {
    let path = format!("/{list}");
    let count = told.report.pointer(&path).unwrap().as_array().unwrap().len();
    let mut all = Vec::new();
    for at in 0..count {
        let mut report = told.report.clone();
        let Json::Array(members) = report.pointer_mut(&path).unwrap() else { unreachable!() };
        if lie(&told.report, members, at) {
            all.push(report);
        }
    }
    all
}

fn steps(told: &Told, lie: fn(&mut Json) -> bool) -> Vec<Json> {
    let count = told.report["steps"].as_array().unwrap().len();
    let reports = (0..count).map(|at| {
        let mut report = told.report.clone();
        lie(&mut report["steps"][at]).then_some(report)
    });
    reports.flatten().collect()
}

/// A lie about each interval, which may name the step that begins last.
fn intervals(told: &Told, lie: fn(&mut Json, (&str, i64)) -> bool) -> Vec<Json> {
    let steps = told.report["steps"].as_array().unwrap().iter();
    let begun =
        steps.filter_map(|step| Some((step["start_seconds"].as_i64()?, step["id"].as_str()?)));
    let (begins, last) = begun.max().unwrap_or((-1, ""));
    let mut all = Vec::new();
    for (object, known) in told.report["objects"].as_array().unwrap().iter().enumerate() {
        for at in 0..known["intervals"].as_array().unwrap().len() {
            let mut report = told.report.clone();
            if lie(&mut report["objects"][object]["intervals"][at], (last, begins)) {
                all.push(report);
            }
        }
    }
    all
}

/// A step locks what a check uses that runs at the same time.
fn overlapping_locks(told: &Told) -> Vec<Json> {
    let steps = told.report["steps"].as_array().unwrap();
    let ran: Vec<(usize, i64, i64)> = steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step["status"] == "done")
        .map(|(at, step)| {
            (at, step["start_seconds"].as_i64().unwrap(), step["end_seconds"].as_i64().unwrap())
        })
        .collect();
    let mut all = Vec::new();
    for (one, from, to) in &ran {
        for (other, begin, end) in &ran {
            let used = &steps[*other]["needs"]["uses"][0];
            if one != other && from.max(begin) < to.min(end) && used.is_string() {
                let mut report = told.report.clone();
                report["steps"][*one]["needs"]["locks"].as_array_mut().unwrap().push(used.clone());
                all.push(report);
            }
        }
    }
    all
}

/// A cause that is gone when a check ends well is said to stand on, everywhere.
fn unclosed_cause(told: &Told) -> Vec<Json> {
    let mut all = Vec::new();
    for (number, cause) in told.report["causes"].as_array().unwrap().iter().enumerate() {
        let Some(closed) = cause["closed_at"].as_i64() else { continue };
        // A cause that something else than a check ends is of no matter to checks.
        let objects = told.report["objects"].as_array().unwrap();
        let ends_well = |key: &Json| {
            objects.iter().any(|object| object["key"] == *key && object["ends"] == "good")
        };
        let mut steps = told.report["steps"].as_array().unwrap().iter();
        let check = steps.find(|step| step["id"] == cause["closed_by"]);
        let checked = check.and_then(|step| step["needs"]["checks"]["object"].as_str());
        let key = checked.and_then(|name| name.split_once(' ')).map(|(_, key)| json!(key));
        let keys = cause["objects"].as_array().unwrap();
        if !key.is_some_and(|key| keys.contains(&key) && ends_well(&key)) {
            continue;
        }
        let mut report = told.report.clone();
        report["causes"][number]["closed_at"] = Json::Null;
        report["causes"][number]["closed_by"] = Json::Null;
        report["events"]
            .as_array_mut()
            .unwrap()
            .retain(|event| event["kind"] != "closed" || event["causes"] != json!([number]));
        for step in report["steps"].as_array_mut().unwrap() {
            step["closed"].as_array_mut().unwrap().retain(|one| *one != json!(number));
        }
        for object in report["objects"].as_array_mut().unwrap() {
            if !cause["objects"].as_array().unwrap().contains(&object["key"]) {
                continue;
            }
            for interval in object["intervals"].as_array_mut().unwrap() {
                if interval["from"].as_i64().unwrap() < closed {
                    continue;
                }
                let open = interval["open"].as_array_mut().unwrap();
                open.push(json!(number));
                open.sort_by_key(Json::as_u64);
            }
        }
        all.push(report);
    }
    all
}
