//! Generated plans: any action of the pack, on any objects, in any order.

use dpmguard::facts::model::Type;
use dpmguard::facts::store::Facts;
use dpmguard::rule::action::Action;
use serde_json::{Value as Json, json};

use super::estate::{EstateDraw, FLAWS};
use crate::support::Dice;

/// What a plan is made of; what it means depends on the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlanDraw {
    pub(super) estate: EstateDraw,
    operators: u8,
    slots: Option<u8>,
    is_partial: bool,
    hours: u8,
    checks_until: Option<u8>,
    max_exposure: Option<u8>,
    blackouts: Vec<(u8, u8, Option<u8>)>,
    pub(super) steps: Vec<StepDraw>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StepDraw {
    /// The first ones are often wanted.
    action: usize,
    args: Vec<u8>,
    estimate: Option<(u8, u8)>,
    after: Option<u8>,
    not_before: Option<u8>,
    /// Whether it may begin together with the one before.
    is_parallel: bool,
}

/// A plan of its own for each number, the same on every machine.
pub(super) fn plan(number: u64) -> PlanDraw {
    let mut dice = Dice(number);
    let flaws = if dice.chance(60) { 0 } else { dice.below(3) };
    let flaws = (0..flaws).map(|_| (dice.small(FLAWS), dice.small(6))).collect();
    let groups = (0..=dice.below(6)).map(|_| dice.small(12)).collect();
    let estate = EstateDraw { servers: dice.below(3) + 1, groups, slots: dice.small(3) + 1, flaws };
    let blackouts = if dice.chance(75) { 0 } else { dice.below(2) + 1 };
    let blackouts = (0..blackouts).map(|_| {
        let (from, length) = (dice.small(40), dice.small(12) + 1);
        (from, length, dice.sometimes(255))
    });
    let blackouts = blackouts.collect();
    PlanDraw {
        estate,
        blackouts,
        operators: dice.small(2) + 1,
        slots: dice.sometimes(3).map(|slots| slots + 1),
        is_partial: dice.chance(25),
        hours: dice.small(11) + 1,
        checks_until: dice.sometimes(6),
        max_exposure: dice.sometimes(8),
        steps: (0..dice.below(14)).map(|_| dice.step()).collect(),
    }
}

/// Plans that are a little simpler.
pub(super) fn simpler(draw: &PlanDraw) -> Vec<PlanDraw> {
    let mut all = Vec::new();
    let mut with = |change: &dyn Fn(&mut PlanDraw)| {
        let mut copy = draw.clone();
        change(&mut copy);
        if copy != *draw {
            all.push(copy);
        }
    };
    for size in [8, 4, 2, 1] {
        for at in (0..draw.steps.len()).step_by(size) {
            let end = (at + size).min(draw.steps.len());
            with(&|one| drop(one.steps.drain(at..end)));
        }
    }
    for at in 0..draw.estate.flaws.len() {
        with(&|one| _ = one.estate.flaws.remove(at));
    }
    for at in 1..draw.estate.groups.len() {
        with(&|one| _ = one.estate.groups.remove(at));
    }
    with(&|one| one.blackouts.clear());
    with(&|one| one.estate.servers = 1);
    with(&|one| (one.is_partial, one.operators, one.slots) = (false, 1, None));
    with(&|one| (one.checks_until, one.max_exposure, one.hours) = (None, None, 11));
    for at in 0..draw.steps.len() {
        with(&|one| one.steps[at].is_parallel = false);
        with(&|one| one.steps[at].after = None);
        with(&|one| one.steps[at].not_before = None);
        with(&|one| one.steps[at].estimate = None);
        with(&|one| one.steps[at].estimate = Some((10, 0)));
        for arg in 0..draw.steps[at].args.len() {
            with(&|one| one.steps[at].args[arg] = 0);
        }
    }
    all
}

impl Dice {
    fn small(&mut self, limit: u8) -> u8 {
        u8::try_from(self.below(usize::from(limit))).unwrap()
    }

    fn sometimes(&mut self, limit: u8) -> Option<u8> {
        self.chance(25).then(|| self.small(limit))
    }

    fn step(&mut self) -> StepDraw {
        let action = match self.below(13) {
            0..4 => 0,
            4..10 => self.below(OFTEN.len()),
            _ => OFTEN.len() + self.below(200),
        };
        StepDraw {
            action,
            args: (0..5).map(|_| self.small(255)).collect(),
            estimate: self.chance(50).then(|| (self.small(60), self.small(60))),
            after: self.sometimes(255),
            not_before: self.sometimes(40),
            is_parallel: self.chance(20),
        }
    }
}

/// The actions that changes are made of.
const OFTEN: &[&str] = &[
    "run-consistency-check",
    "move-log-folder",
    "move-database-file",
    "move-system-folder",
    "upgrade-dpm",
    "update-agent",
    "register-dll",
    "restart-server",
    "wait",
    "create-database",
    "modify-protection-group",
    "patch-exchange",
    "create-recovery-point",
];

fn clock(minutes: i64) -> String {
    let minutes = minutes + 22 * 60;
    let day = 15 + minutes / (24 * 60);
    format!("2008-11-{day}T{:02}:{:02}[Europe/Berlin]", minutes / 60 % 24, minutes % 60)
}

/// The plan as somebody would write it; each step with its number in the draw.
pub(super) fn document(draw: &PlanDraw, facts: &Facts, actions: &[Action]) -> Json {
    let end = i64::from(draw.hours) * 60;
    let mut window = json!({ "start": clock(0), "end": clock(end) });
    if let Some(hours) = draw.checks_until {
        window["checks_until"] = json!(clock(end + i64::from(hours) * 60));
    }
    let all: Vec<String> = facts
        .model()
        .kinds()
        .iter()
        .flat_map(|kind| facts.ids(kind.id))
        .map(|id| facts.key(id).to_string())
        .collect();
    let blackouts: Vec<Json> = draw.blackouts.iter().map(|(from, length, object)| {
        let from = i64::from(*from) * 15;
        let mut one = json!({ "from": clock(from), "to": clock(from + i64::from(*length) * 10), "why": "another backup" });
        if let Some(object) = object {
            one["applies_to"] = json!([all[usize::from(*object) % all.len()]]);
        }
        one
    }).collect();
    window["blackouts"] = json!(blackouts);
    let mut resources = json!({ "operators": draw.operators });
    if let Some(slots) = draw.slots {
        resources["parallel_checks"] = json!({ "DPM01": slots });
    }
    let mut steps: Vec<Json> = Vec::new();
    for (number, step) in draw.steps.iter().enumerate() {
        let Some(written) = written(number, step, facts, actions) else { continue };
        match steps.last_mut() {
            Some(last) if step.is_parallel && !draw.is_partial => {
                if last.get("parallel").is_none() {
                    *last = json!({ "parallel": [last.clone()] });
                }
                // What begins together does not wait for its neighbours.
                last["parallel"].as_array_mut().unwrap().push(written);
            }
            _ => steps.push(written),
        }
    }
    link(&mut steps, draw);
    let mut goal = json!({});
    if let Some(hours) = draw.max_exposure {
        goal["max_exposure"] = json!(format!("{hours}h"));
    }
    json!({
        "schema": "dpmguard.plan/v1", "id": "CHG1", "title": "A generated change",
        "window": window, "resources": resources,
        "order": if draw.is_partial { "partial" } else { "as_written" },
        "steps": steps, "goal": goal,
    })
}

/// Lets some steps wait for one that stands before them.
fn link(steps: &mut [Json], draw: &PlanDraw) {
    let mut before: Vec<String> = Vec::new();
    for step in steps {
        let alone = step.get("parallel").is_none();
        let members: Vec<&mut Json> = if alone {
            vec![step]
        } else {
            step["parallel"].as_array_mut().unwrap().iter_mut().collect()
        };
        let mut here = Vec::new();
        for member in members {
            let id = member["id"].as_str().unwrap().to_owned();
            let number: usize = id[1..].parse().unwrap();
            if let Some(which) = draw.steps[number].after
                && !before.is_empty()
            {
                member["after"] = json!([before[usize::from(which) % before.len()]]);
            }
            here.push(id);
        }
        before.extend(here);
    }
}

fn written(number: usize, step: &StepDraw, facts: &Facts, actions: &[Action]) -> Option<Json> {
    let action = match OFTEN.get(step.action) {
        Some(id) => actions.iter().find(|action| *action.id == **id)?,
        None => &actions[step.action % actions.len()],
    };
    let mut with = json!({});
    for (position, arg) in action.args.iter().enumerate() {
        let draw = usize::from(step.args[position % step.args.len()]);
        with[&*arg.name] = argument(&arg.name, &arg.ty, draw, facts)?;
    }
    let mut written = json!({ "id": format!("s{number}"), "action": &*action.id, "with": with });
    if let Some((expected, more)) = step.estimate {
        written["estimate"] = json!({ "expected": format!("{expected}m"), "worst": format!("{}m", u16::from(expected) + u16::from(more)) });
    }
    if let Some(quarters) = step.not_before {
        written["not_before"] = json!(clock(i64::from(quarters) * 15));
    }
    Some(written)
}

/// A value of that type; none if the estate has no such object.
fn argument(name: &str, ty: &Type, draw: usize, facts: &Facts) -> Option<Json> {
    const PATHS: &[&str] = &[
        "K:\\A",
        "L:\\SG1",
        "M:\\B\\DB1.edb",
        "N:\\C",
        "Q:\\D",
        "F:\\SG2\\DB1.edb",
        "L:\\E",
        "K:\\SG2",
    ];
    const VERSIONS: &[&str] = &["2.0.8793.0", "3.0.7696.0", "8.2.176.2", "2.0.5820.0"];
    Some(match ty.required() {
        Type::Object(kinds) => {
            let ids: Vec<_> = kinds.iter().flat_map(|kind| facts.ids(*kind)).collect();
            if ids.is_empty() {
                return matches!(ty, Type::Optional(_)).then_some(Json::Null);
            }
            json!(*facts.key(ids[draw % ids.len()]))
        }
        Type::Path => json!(PATHS[draw % PATHS.len()]),
        Type::Version => json!(VERSIONS[draw % VERSIONS.len()]),
        Type::Enum(members) => json!(*members[draw % members.len()]),
        Type::Bool => json!(draw.is_multiple_of(2)),
        Type::Int => json!(draw % 20 + 1),
        Type::Float => json!(1.5),
        Type::Time => json!("2008-11-15T23:30:00Z"),
        Type::Name | Type::Text => {
            json!(["DB2", "DB3", "SG9", "msexchangeis", "KB940349"][draw % 5])
        }
        other => panic!("{name}: {other:?}"),
    })
}
