//! Sums, conditions and contradictions in words: what stands behind a status.

use std::collections::BTreeSet;

use crate::facts::time::say_duration;
use crate::facts::value::ObjectId;
use crate::plan::repair::Repair;
use crate::plan::solver::bound::{Part, Rule, Summand};
use crate::plan::solver::relax::{Condition, Core, Proof, Relaxation};
use crate::plan::solver::run::Item;
use crate::plan::solver::{Certificate, Problem};
use crate::report::plan::repair::{CertificateX, CoreX, SummandX};
use crate::report::plan::{Input, words::plural};

/// Most names in one sentence.
const MOST: usize = 4;

/// Names of the numbers of a problem.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) input: Input<'a>,
    pub(super) repair: &'a Repair,
}

impl Names<'_> {
    fn problem(&self) -> &Problem {
        &self.repair.ground.problem
    }

    pub(super) fn piece(&self, piece: usize) -> String {
        self.repair.pieces.step(piece).map(|step| step.id.to_string()).unwrap_or_default()
    }

    pub(super) fn task(&self, task: usize) -> String {
        self.repair.ground.tasks.get(task).map(|piece| self.piece(*piece)).unwrap_or_default()
    }

    /// A task with what it does.
    fn task_long(&self, task: usize) -> String {
        let piece = self.repair.ground.tasks.get(task).copied();
        let action = piece.and_then(|piece| self.repair.pieces.action(self.input.set, piece));
        match action {
            Some(action) => format!("{} ({})", self.task(task), action.id),
            None => self.task(task),
        }
    }

    pub(super) fn object(&self, object: usize) -> String {
        self.repair.ground.objects.get(object).map(|id| self.key(*id)).unwrap_or_default()
    }

    pub(super) fn key(&self, object: ObjectId) -> String {
        self.input.facts.key(object).to_string()
    }

    pub(super) fn owner(&self, owner: usize) -> String {
        let known = self.repair.ground.owners.get(owner).copied().flatten();
        known.map_or_else(|| "the one who checks".to_owned(), |owner| self.key(owner))
    }

    pub(super) fn objects(&self, list: &[usize]) -> String {
        let all = self.repair.ground.objects.len();
        if list.len() == all && all > 1 {
            return format!("all {all}");
        }
        let names = list.iter().take(MOST).map(|object| self.object(*object));
        let names = names.collect::<Vec<_>>().join(", ");
        match list.len().saturating_sub(MOST) {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }

    fn tasks(&self, list: &[usize]) -> String {
        let names = list.iter().take(MOST).map(|task| self.task(*task));
        let names = names.collect::<Vec<_>>().join(", ");
        match list.len().saturating_sub(MOST) {
            0 => names,
            more => format!("{names} and {more} more"),
        }
    }

    pub(super) fn certificate(&self, sum: &Certificate) -> CertificateX {
        CertificateX {
            rule: self.rule(sum.rule),
            summands: sum.summands.iter().map(|one| self.summand(one)).collect(),
            total_seconds: sum.total,
        }
    }

    fn rule(&self, rule: Rule) -> String {
        match rule {
            Rule::Alone => {
                "each object is without protection while its own steps run, and for a check"
                    .to_owned()
            }
            Rule::Shared(task) => format!(
                "all that {} breaks waits for it, for what mends its damage, and for its turn to be checked",
                self.task_long(task)
            ),
            Rule::AtStart => {
                "what is bad from the start waits for its fixes and for its turn to be checked"
                    .to_owned()
            }
            Rule::Mended(fix) => format!(
                "all that is broken by what {} mends waits for the steps that come behind it, for that fix, and for its \
                 turn to be checked",
                self.task_long(fix)
            ),
            Rule::FirstMended(task) => format!(
                "whichever of the steps that one fix mends comes first, {} costs least as that: what it breaks waits for \
                 it, for the fix, and for its turn to be checked",
                self.task_long(task)
            ),
            Rule::LastShared(task) => format!(
                "whichever shared step comes last, {} costs least as that: what it breaks waits for it and for its turn, and \
                 was without protection while the other shared steps ran",
                self.task_long(task)
            ),
            Rule::Pair { first, last, gap } => format!(
                "whichever shared step comes last, {} costs least as that, {gap} s behind the begin of {}: with less between \
                 them, more objects wait for their turn together; with more, what both break waits longer",
                self.task_long(last),
                self.task_long(first)
            ),
        }
    }

    fn summand(&self, summand: &Summand) -> SummandX {
        let problem = self.problem();
        let said = match summand.part {
            Part::Object(object) => {
                format!("{}: its own steps and a check", self.object(object))
            }
            Part::Lead(task) => {
                format!("{} and what mends its damage", self.task_long(task))
            }
            Part::Tail(task) => {
                format!(
                    "{}, for each object that is broken by it or before it",
                    self.task_long(task)
                )
            }
            Part::Mending(fix) => {
                format!(
                    "{} and other fixes of the same damage, for each object",
                    self.task_long(fix)
                )
            }
            Part::Fixes => "fixes of what is bad from the start".to_owned(),
            Part::Other(task) => {
                format!("{}, for each object that both break", self.task_long(task))
            }
            Part::Queue(owner) => {
                let slots = problem.owners.get(owner).copied().unwrap_or(1);
                format!(
                    "checks on the {} of {}, the shortest first",
                    plural(slots, "slot"),
                    self.owner(owner)
                )
            }
            Part::Lane => {
                "own steps of what is bad at one time, each as often as objects wait for it"
                    .to_owned()
            }
            Part::Gap(task) => format!(
                "from the begin of {} to that of the last shared step, for each object that is bad then, less those that \
                 only the last one breaks",
                self.task_long(task)
            ),
            Part::Between => "checks between the two shared steps".to_owned(),
            Part::Begin(task) => format!("{} begins no earlier", self.task_long(task)),
            Part::Now => "what has gone by".to_owned(),
            Part::Work => "all steps that need an operator".to_owned(),
            Part::Check(object) => format!("a check of {}", self.object(object)),
            Part::Before(object) => {
                format!("{}: its own steps, before its check", self.object(object))
            }
            Part::Closed(object) => {
                format!("{}: the blackout in which it is not checked", self.object(object))
            }
        };
        SummandX { said, seconds: summand.amount }
    }

    /// What the numbers rest on: who breaks what, what mends it, what comes before what.
    pub(super) fn conditions(&self) -> Vec<String> {
        let problem = self.problem();
        let mut said = Vec::new();
        for (task, about) in problem.tasks.iter().enumerate() {
            if about.breaks.len() > 1 {
                said.push(format!(
                    "{} makes {} bad",
                    self.task_long(task),
                    self.objects(&about.breaks)
                ));
            }
            if !about.frees.is_empty() {
                let whose = match about.mends.as_slice() {
                    [] => "what stands from the start".to_owned(),
                    _ if !about.any_of().is_empty() => {
                        format!("the damage of the first of {}", self.tasks(&about.mends))
                    }
                    mends => format!("the damage of {}", self.tasks(mends)),
                };
                said.push(format!(
                    "no check of {} succeeds before {} has mended {whose}",
                    self.objects(&about.frees),
                    self.task_long(task)
                ));
            }
            let after: Vec<usize> =
                about.after.iter().copied().filter(|task| !about.mends.contains(task)).collect();
            if !after.is_empty() {
                said.push(format!("{} comes after {}", self.task(task), self.tasks(&after)));
            }
            if !about.needs_good.is_empty() {
                said.push(format!(
                    "{} waits until {} is good again, as the plan says",
                    self.task(task),
                    self.objects(&about.needs_good)
                ));
            }
        }
        let stops: BTreeSet<(Option<usize>, usize)> =
            problem.stops.iter().map(|stop| (stop.from, stop.to)).collect();
        for (from, to) in stops {
            let of = problem.stops.iter().filter(|stop| (stop.from, stop.to) == (from, to));
            let objects: Vec<usize> = of.map(|stop| stop.object).collect();
            let since = from.map_or("the start".to_owned(), |task| self.task_long(task));
            said.push(format!(
                "no backup of {} succeeds from {since} until {} is over",
                self.objects(&objects),
                self.task_long(to)
            ));
        }
        let checks = problem.objects.iter().enumerate();
        let checks: Vec<String> = checks
            .take(MOST * 2)
            .map(|(object, about)| format!("{} {}", self.object(object), say_duration(about.check)))
            .collect();
        if !checks.is_empty() {
            let more = problem.objects.len().saturating_sub(MOST * 2);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            said.push(format!("a check takes: {}{more}", checks.join(", ")));
        }
        for (owner, slots) in problem.owners.iter().enumerate() {
            said.push(format!("{} runs {} at a time", self.owner(owner), plural(*slots, "check")));
        }
        said
    }

    /// Why there is no plan.
    pub(super) fn core(&self, core: &Core) -> CoreX {
        let clock = self.input.clock;
        let problem = self.problem();
        let mut reasons = Vec::new();
        match &core.proof {
            Proof::Bound(excess) => {
                for summand in &excess.earliest.summands {
                    let summand = self.summand(summand);
                    reasons.push(format!("{}: {}", summand.said, say_duration(summand.seconds)));
                }
                reasons.push(format!(
                    "so the last one is over at {} at the earliest, and must be at {}",
                    clock.show_day(excess.earliest.total),
                    clock.show_day(excess.limit)
                ));
            }
            Proof::Search(nodes) => reasons.push(format!(
                "all orders were looked at, in {nodes} steps, and none keeps all conditions"
            )),
        }
        let condition = |condition: &Condition| match condition {
            Condition::Window => format!(
                "steps are over by {}, checks by {}",
                clock.show_day(problem.window),
                clock.show_day(problem.checks_until)
            ),
            Condition::Slots(owner) => {
                let slots = problem.owners.get(*owner).copied().unwrap_or(1);
                format!("{} runs {} at a time", self.owner(*owner), plural(slots, "check"))
            }
            Condition::EndGood(object) => {
                format!("{} is protected at the end", self.object(*object))
            }
            Condition::Most(object) => {
                let most = problem.objects.get(*object).and_then(|about| about.most);
                format!(
                    "{} is without protection for {} at most",
                    self.object(*object),
                    say_duration(most.unwrap_or_default())
                )
            }
            Condition::Task(task) => format!("{} is carried out", self.task_long(*task)),
            Condition::Closed(item) => format!("the blackout of {} is kept", self.item(*item)),
            Condition::Until(task) => format!("{} is over in time", self.task_long(*task)),
        };
        CoreX {
            reasons,
            members: core.members.iter().map(condition).collect(),
            is_minimal: core.is_minimal,
            relaxations: core.relaxations.iter().map(|one| self.relaxation(one)).collect(),
        }
    }

    fn item(&self, item: Item) -> String {
        match item {
            Item::Task(task) => self.task_long(task),
            Item::Check(object) => format!("the check of {}", self.object(object)),
        }
    }

    /// What would help, and how much of it.
    pub(super) fn relaxation(&self, relaxation: &Relaxation) -> String {
        let clock = self.input.clock;
        let problem = self.problem();
        match relaxation {
            Relaxation::Window { later, is_least } => format!(
                "{}window and checks until {} ({} more)",
                if *is_least { "" } else { "at most: " },
                clock.show_day(problem.checks_until.saturating_add(*later)),
                say_duration(*later)
            ),
            Relaxation::Slots { owner, slots, is_least } => format!(
                "{}{} at a time on {}",
                if *is_least { "" } else { "at most: " },
                plural(*slots, "check"),
                self.owner(*owner)
            ),
            Relaxation::EndGood(object) => {
                format!("{} need not be protected at the end", self.object(*object))
            }
            Relaxation::Most { object, most, is_least } => format!(
                "{}{} may be without protection for {}",
                if *is_least { "" } else { "at most: " },
                self.object(*object),
                say_duration(*most)
            ),
            Relaxation::Task(task) => {
                format!("{} in another window", self.task_long(*task))
            }
            Relaxation::Closed(item) => format!("{} within its blackout", self.item(*item)),
            Relaxation::Until(task) => {
                format!("{} until the end of the window", self.task_long(*task))
            }
        }
    }
}
