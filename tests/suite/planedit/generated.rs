//! Any order, any omission, any insertion: read back it is what was asked for.

use std::collections::BTreeSet;

use dpmguard::plan::Step;
use dpmguard::plan::repair::edit::{Entry, Timing};
use dpmguard::plan::time::Clock;
use serde_json::Value as Json;

use super::{Desk, Written, shipped};
use crate::support::Dice;

/// How many changes of each text are tried; `DPMGUARD_EDIT_CASES` names another number.
fn cases() -> u64 {
    std::env::var("DPMGUARD_EDIT_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(6)
}

/// What a step of the new plan must be.
#[derive(Debug, PartialEq)]
struct Wanted {
    id: String,
    action: usize,
    args: String,
    estimate: Option<(i64, i64)>,
    after: BTreeSet<String>,
    not_before: Option<i64>,
    accepts: usize,
}

impl Wanted {
    fn of(step: &Step, ids: &[&str]) -> Self {
        Self {
            id: step.id.to_string(),
            action: step.action,
            args: format!("{:?}", step.args),
            estimate: step.estimate,
            after: step.after.iter().map(|at| ids[*at].to_owned()).collect(),
            not_before: step.not_before,
            accepts: step.accept.len(),
        }
    }
}

/// Entries, and what they come to.
fn draw(old: &Written, dice: &mut Dice) -> (Vec<Entry>, Vec<Wanted>) {
    let steps = old.plan.written();
    let ids = old.ids();
    let mut order: Vec<usize> = (0..steps.len()).collect();
    match dice.below(3) {
        0 => (1..order.len()).rev().for_each(|at| order.swap(at, dice.below(at + 1))),
        1 if !order.is_empty() => {
            let step = order.remove(dice.below(order.len()));
            order.insert(dice.below(order.len() + 1), step);
        }
        _ => {}
    }
    if dice.chance(50) {
        order.retain(|_| !dice.chance(20));
    }
    let clock = Clock::new(&old.plan.window.zone, old.plan.window.start);
    let (mut entries, mut wanted) = (Vec::new(), Vec::<Wanted>::new());
    for (number, step) in order.iter().enumerate() {
        while dice.chance(15) {
            let like = dice.below(steps.len());
            let id = format!("new-{}", wanted.len());
            let timing = timing(&wanted, &clock, dice);
            let mut is = Wanted {
                id: id.clone(),
                estimate: None,
                accepts: 0,
                ..Wanted::of(&steps[like], &ids)
            };
            timing.1.put(&mut is);
            let note = dice.chance(50).then(|| format!("note {number}"));
            let with = with(old, like);
            let action = written(old, like)["action"].as_str().unwrap().to_owned();
            entries.push(Entry::New { id, action, with, timing: timing.0, note });
            wanted.push(is);
        }
        let mut is = Wanted::of(&steps[*step], &ids);
        let before: BTreeSet<&str> = wanted.iter().map(|wanted| &*wanted.id).collect();
        let is_right = is.after.iter().all(|name| before.contains(&**name));
        let timing = (!is_right || dice.chance(20)).then(|| timing(&wanted, &clock, dice));
        if let Some((_, put)) = &timing {
            put.put(&mut is);
        }
        entries.push(Entry::Kept { step: *step, timing: timing.map(|timing| timing.0) });
        wanted.push(is);
    }
    (entries, wanted)
}

/// What a [`Timing`] makes of a step.
struct Put(BTreeSet<String>, Option<i64>);

impl Put {
    fn put(&self, wanted: &mut Wanted) {
        (wanted.after, wanted.not_before) = (self.0.clone(), self.1);
    }
}

fn timing(before: &[Wanted], clock: &Clock, dice: &mut Dice) -> (Timing, Put) {
    let mut after = BTreeSet::new();
    while !before.is_empty() && dice.chance(40) {
        after.insert(before[dice.below(before.len())].id.clone());
    }
    let seconds = dice.chance(30).then(|| 300 * i64::try_from(dice.below(12)).unwrap());
    let not_before = seconds.map(|seconds| clock.written(seconds));
    (Timing { after: after.iter().cloned().collect(), not_before }, Put(after, seconds))
}

/// A step as it would be written out.
fn written(old: &Written, step: usize) -> Json {
    let step = &old.plan.written()[step];
    if let Some(node) = &step.filled {
        return node.to_json();
    }
    let items = old.root.get("steps").unwrap().to_json();
    let items = items.as_array().unwrap().iter().flat_map(|item| match item.get("parallel") {
        Some(members) => members.as_array().unwrap().clone(),
        None => vec![item.clone()],
    });
    items.into_iter().find(|item| item["id"] == *step.id).unwrap()
}

fn with(old: &Written, step: usize) -> Vec<(String, Json)> {
    let with = written(old, step).get("with").cloned().unwrap_or_default();
    with.as_object().cloned().unwrap_or_default().into_iter().collect()
}

/// The same plan in other shapes.
fn shapes(desk: &Desk, text: &str) -> Vec<String> {
    let json = desk.good(text).root.to_json();
    let mut number = 0;
    let commented = text.lines().map(|line| {
        let is_item = line.starts_with("  - {") && !line.ends_with(',');
        number += usize::from(is_item);
        match (is_item, number % 3) {
            (false, _) => format!("{line}\n"),
            (true, 0) => format!("\n  # About {number}.\n{line}\n"),
            (true, 1) => format!("{line} # {number}\n"),
            _ => format!("\n  # Section {number}.\n\n  # At {number}:\n{line}   # ä\n"),
        }
    });
    let commented: String = commented.collect();
    vec![
        text.replace('\n', "\r\n"),
        text.trim_end().to_owned(),
        commented,
        dpmguard::source::to_yaml(&json),
        dpmguard::source::to_compact_yaml(&json),
        serde_json::to_string_pretty(&json).unwrap(),
        json.to_string(),
        text.to_owned(),
    ]
}

/// The lines of steps that have nothing of their own changed, in a list with dashes.
fn untouched(old: &Written, entries: &[Entry]) -> Vec<String> {
    let steps = old.plan.written();
    let mut lines = Vec::new();
    for item in old.root.get("steps").unwrap().as_list().unwrap() {
        let (start, end) = (item.place.start as usize, item.place.end as usize);
        let is_same = entries.iter().any(|entry| match entry {
            Entry::Kept { step, timing: None } => {
                let place = steps[*step].place;
                item.get("parallel").is_none()
                    && item.get("for_each").is_none()
                    && item.place.start <= place.start
                    && place.end <= item.place.end
            }
            _ => false,
        });
        if !is_same {
            continue;
        }
        let first = old.text[..start].rfind('\n').map_or(0, |at| at + 1);
        if old.text[first..start].trim() != "-" {
            lines.push(old.text[start..end].to_owned());
            continue;
        }
        let above = old.text[..first].lines().next_back().unwrap_or_default();
        let from =
            if above.trim_start().starts_with('#') { first - above.len() - 1 } else { first };
        let end = start + old.text[start..end].trim_end().len();
        let stop = old.text[end..].find(['\r', '\n']).map_or(old.text.len(), |at| end + at);
        lines.push(old.text[from.min(first)..stop].trim_start_matches(['\r', '\n']).to_owned());
    }
    lines
}

fn check(desk: &Desk, old: &Written, seed: u64) {
    let (entries, wanted) = draw(old, &mut Dice(seed));
    let new =
        old.rewrite(&entries).unwrap_or_else(|why| panic!("{why}\n{entries:?}\n{}", old.text));
    let said = || format!("{seed}: {entries:#?}\n--- old\n{}\n--- new\n{new}", old.text);
    let read = desk.read(&new).unwrap_or_else(|found| panic!("{found}\n{}", said()));
    let ids = read.ids();
    let is: Vec<Wanted> = read.plan.written().iter().map(|step| Wanted::of(step, &ids)).collect();
    assert_eq!(is, wanted, "{}", said());
    for lines in untouched(old, &entries) {
        assert!(new.contains(&lines), "{lines:?}\n{}", said());
    }
    assert_eq!(new.contains("\r\n"), old.text.contains("\r\n") && !new.is_empty(), "{}", said());
    assert!(
        !new.contains('\r') || new.matches('\r').count() == new.matches('\n').count(),
        "{}",
        said()
    );
    assert_eq!(new.ends_with('\n'), old.text.ends_with('\n'), "{}", said());
    let again = read.rewrite(&whole(&read)).unwrap();
    assert_eq!(again, new, "{}", said());
}

fn whole(plan: &Written) -> Vec<Entry> {
    (0..plan.ids().len()).map(|step| Entry::Kept { step, timing: None }).collect()
}

#[test]
fn any_change_of_a_shipped_plan_is_read_back_and_leaves_the_rest_alone() {
    let mut tried = 0;
    for (desk, texts) in shipped() {
        for text in texts {
            for (shape, text) in shapes(&desk, &text).into_iter().enumerate() {
                let old = desk.good(&text);
                assert_eq!(old.rewrite(&whole(&old)).unwrap(), old.text);
                for case in 0..cases() {
                    check(&desk, &old, case * 1_000 + shape as u64);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 900);
}
