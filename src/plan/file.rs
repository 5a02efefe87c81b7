//! Plan files: from a YAML tree to a [`Plan`] with the objects of the facts in it.
//!
//! The tree was checked against the schema of plans before (`load::plan`); what is found here needs to know
//! the rules, the facts, or more than one key: names that mean nothing, arguments of a wrong type, times that
//! do not fit together. Whatever is wrong with one part, the others are looked at too.

mod each;
mod goal;
mod links;
mod object;
mod step;

use std::collections::HashMap;
use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check::Constant;
use crate::facts::store::Facts;
use crate::facts::time::{Instant, parse_duration};
use crate::facts::value::fold;
use crate::plan::automatic;
use crate::plan::time::{self, Prefer, Zone};
use crate::plan::{Blackout, Plan, Window};
use crate::rule::pack::RuleSet;
use crate::schema::Schema;
use crate::source::{Node, Sources};

/// Most steps that a plan may have.
pub const MAX_STEPS: usize = 5_000;

/// Longest window, and longest step, in seconds.
const LONGEST: i64 = 366 * 86_400;

/// What a plan is read with.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// All files.
    pub sources: &'a Sources,
    /// The rules, for the actions of their packs.
    pub rules: &'a RuleSet,
    /// The facts, for the objects that steps name.
    pub facts: &'a Arc<Facts>,
    /// The instant of the run, for expressions.
    pub now: &'a Instant,
    /// Ids of the hazards that somebody can take responsibility for.
    pub hazards: &'a [&'a str],
}

/// Reads a plan; with it come warnings.
///
/// # Errors
///
/// Everything that is wrong with it, in the order of the file.
pub fn read(root: &Node, context: Context<'_>) -> Result<(Plan, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut reader = Reader::new(context);
    let plan = reader.plan(root);
    let mut problems = reader.problems;
    problems.sort_by(|a, b| (a.place, a.code, &a.message).cmp(&(b.place, b.code, &b.message)));
    problems.dedup();
    match plan {
        Some(plan) if !problems.iter().any(Diagnostic::is_error) => Ok((plan, problems)),
        _ if problems.iter().any(Diagnostic::is_error) => Err(problems),
        // Only a tree that the schema refuses comes here.
        _ => Err(vec![Diagnostic::error("not-a-plan", "this is not a plan").at(root.place)]),
    }
}

/// Steps without the rest of a plan: each waits for the one before, and the window opens at the instant of
/// the run and is as long as they need.
///
/// # Errors
///
/// Everything that is wrong with them, in the order of the file.
pub fn steps(root: &Node, context: Context<'_>) -> Result<Plan, Vec<Diagnostic>> {
    let mut reader = Reader::new(context);
    let start = context.now.seconds();
    reader.window = Some((start, start.saturating_add(LONGEST)));
    let drafts = reader.steps(root);
    let steps = reader.link(drafts, true);
    let mut problems = reader.problems;
    problems.sort_by(|a, b| (a.place, a.code, &a.message).cmp(&(b.place, b.code, &b.message)));
    problems.dedup();
    match steps {
        Some(steps) if !problems.iter().any(Diagnostic::is_error) => {
            Ok(Plan::bare(steps, start, root.place))
        }
        _ => Err(problems),
    }
}

/// A plan being read.
struct Reader<'a> {
    context: Context<'a>,
    /// What expressions can name beside facts.
    tables: Arc<[Constant]>,
    problems: Vec<Diagnostic>,
    prefer: Option<Prefer>,
    /// When the window opens and closes, once that is read.
    window: Option<(i64, i64)>,
    zone: Option<Zone>,
    /// The schemas of arguments, by action and argument.
    schemas: HashMap<(usize, usize), Option<Arc<Schema>>>,
    /// The facts with the objects that the steps read so far make.
    later: Arc<Facts>,
    /// How often a name was looked for in vain.
    misses: usize,
    /// Whether it was said that the zone's name is none of a place.
    is_zone_told: bool,
}

impl<'a> Reader<'a> {
    fn new(context: Context<'a>) -> Self {
        let tables = context.rules.tables.iter().map(|table| table.constant.clone()).collect();
        Self {
            context,
            tables,
            problems: Vec::new(),
            prefer: None,
            window: None,
            zone: None,
            schemas: HashMap::new(),
            later: context.facts.clone(),
            misses: 0,
            is_zone_told: false,
        }
    }

    fn plan(&mut self, root: &Node) -> Option<Plan> {
        let window = root.get("window").and_then(|node| self.window(node));
        let resources = root.get("resources");
        let operators = resources.and_then(|node| node.get("operators")).and_then(Node::as_int);
        let slots = resources.map(|node| self.slots(node)).unwrap_or_default();
        let max_age = root.get("facts").and_then(|node| node.get("max_age"));
        let max_age = max_age.and_then(|node| self.duration(node));
        let is_ordered = root.get("order").and_then(Node::as_str) != Some("partial");
        let drafts = self.steps(root);
        let repair = root.get("repair").map(|repair| self.repair(repair, &drafts));
        let steps = self.link(drafts, is_ordered);
        let goal = root.get("goal").map(|node| self.goal(node)).unwrap_or_default();
        let id = root.get("id")?;
        let mut plan = Plan {
            id: id.as_str()?.to_owned(),
            title: root.get("title").and_then(Node::as_str).unwrap_or_default().to_owned(),
            window: window?,
            max_age,
            operators: operators.and_then(|count| usize::try_from(count).ok()).unwrap_or(1),
            slots,
            is_ordered,
            steps: steps?,
            unscheduled: Vec::new(),
            goal,
            repair: repair.unwrap_or_default(),
            place: id.place,
        };
        let Context { rules, facts, now, .. } = self.context;
        if !automatic::add(&mut plan, rules, facts, now) {
            let message =
                format!("more than {} jobs begin by themselves in this time", automatic::MAX_JOBS);
            let problem = Diagnostic::error("too-many", message).at(plan.window.place);
            self.problems.push(problem.help("make the window shorter"));
        }
        Some(plan)
    }

    fn fail<T>(&mut self, problem: Diagnostic) -> Option<T> {
        self.problems.push(problem);
        None
    }

    /// Seconds since 1970, and the zone.
    fn time(&mut self, node: &Node) -> Option<(i64, Zone)> {
        let (time, zone) = match time::read(node, self.prefer) {
            Ok(read) => read,
            Err(problem) => return self.fail(problem),
        };
        // Once is enough: it is the same zone in every time.
        if !self.is_zone_told
            && let Some(problem) = time::nameless(node, time, &zone)
        {
            self.is_zone_told = true;
            self.problems.push(problem);
        }
        Some((time, zone))
    }

    fn duration(&mut self, node: &Node) -> Option<i64> {
        let text = node.as_str().unwrap_or_default();
        let read = parse_duration(text);
        if read.is_none() {
            let message = format!("`{text}` is not a duration");
            let problem = Diagnostic::error("wrong-format", message).at(node.place);
            self.problems.push(problem.help("write it like `90m`, `1h30m`, `2d` or `PT1H30M`"));
        }
        read
    }

    fn window(&mut self, node: &Node) -> Option<Window> {
        self.prefer = node.get("prefer").and_then(Node::as_str).and_then(Prefer::named);
        let (from, to) = (node.get("start")?, node.get("end")?);
        let (start, end) = (self.time(from), self.time(to));
        let checks = node.get("checks_until").filter(|node| !node.is_null());
        let checks = checks.map(|node| (node.place, self.time(node)));
        let blackouts: Vec<Option<Blackout>> =
            list(node, "blackouts").iter().map(|node| self.blackout(node)).collect();
        let ((start, zone), (end, _)) = (start?, end?);
        self.zone = Some(zone.clone());
        if end <= start {
            let message = "the window ends before it begins";
            let problem = Diagnostic::error("window-ends-first", message).at(to.place);
            return self.fail(problem.related(from.place, "it begins here"));
        }
        if end - start > LONGEST {
            let problem = Diagnostic::error("window-too-long", "the window is longer than a year");
            return self.fail(problem.at(to.place).related(from.place, "it begins here"));
        }
        self.window = Some((start, end));
        let checks_until = match checks {
            None => end,
            Some((place, until)) => self.checks_until(until?.0, place, to)?,
        };
        Some(Window {
            start,
            end: end - start,
            checks_until: checks_until - start,
            zone: zone.name().to_owned(),
            blackouts: self.in_window(blackouts)?,
            place: node.entry("start")?.node.place,
        })
    }

    fn checks_until(&mut self, until: i64, place: Place, end: &Node) -> Option<i64> {
        let (start, closes) = self.window?;
        let (code, message) = match until {
            _ if until < closes => {
                ("window-ends-first", "checks may run until the window closes in any case")
            }
            _ if until - start > LONGEST => {
                ("window-too-long", "this is more than a year after the window opens")
            }
            _ => return Some(until),
        };
        self.fail(Diagnostic::error(code, message).at(place).related(end.place, "it closes here"))
    }

    /// A blackout, with instants for times.
    fn blackout(&mut self, node: &Node) -> Option<Blackout> {
        let (begin, finish) = (node.get("from")?, node.get("to")?);
        let (from, to) = (self.time(begin), self.time(finish));
        let mut applies_to = Vec::new();
        for node in list(node, "applies_to") {
            applies_to.push(self.any_key(node));
        }
        let ((from, _), (to, _)) = (from?, to?);
        if to <= from {
            let message = "the blackout ends before it begins";
            let problem = Diagnostic::error("window-ends-first", message).at(finish.place);
            return self.fail(problem.related(begin.place, "it begins here"));
        }
        let why = node.get("why").and_then(Node::as_str).unwrap_or_default().to_owned();
        let applies_to = applies_to.into_iter().collect::<Option<_>>()?;
        Some(Blackout { from, to, applies_to, why, place: begin.place })
    }

    /// The blackouts with seconds of the window for times.
    fn in_window(&mut self, blackouts: Vec<Option<Blackout>>) -> Option<Vec<Blackout>> {
        let (start, end) = self.window?;
        let mut all = Vec::new();
        for mut blackout in blackouts.into_iter().collect::<Option<Vec<_>>>()? {
            if blackout.to <= start || blackout.from >= end {
                let message = "this blackout is outside the window";
                let problem = Diagnostic::warning("outside-window", message).at(blackout.place);
                self.problems.push(problem.help("it changes nothing: is the date right?"));
            }
            blackout.from -= start;
            blackout.to -= start;
            all.push(blackout);
        }
        Some(all)
    }

    fn slots(&mut self, node: &Node) -> Vec<(String, usize)> {
        let mut slots: Vec<(String, usize)> = Vec::new();
        let entries = node.get("parallel_checks").and_then(Node::as_map).unwrap_or_default();
        for entry in entries {
            let Some(key) = self.any_object(&entry.key, entry.key_place) else { continue };
            let count = entry.node.as_int().and_then(|count| usize::try_from(count).ok());
            if slots.iter().any(|(known, _)| *known == key) {
                let message = format!("`{}` stands here twice", entry.key);
                let problem = Diagnostic::error("duplicate-key", message).at(entry.key_place);
                self.problems.push(problem.help("keys are compared without case"));
            }
            slots.push((key, count.unwrap_or(1)));
        }
        slots
    }

    /// The folded key of an object of whatever kind that a text names.
    fn any_key(&mut self, node: &Node) -> Option<String> {
        self.any_object(node.as_str()?, node.place)
    }

    fn any_object(&mut self, text: &str, place: Place) -> Option<String> {
        let model = self.context.facts.model().clone();
        let kinds: Vec<_> = model.kinds().iter().map(|kind| kind.id).collect();
        let id = self.object(&kinds, text, place)?;
        Some(fold(&self.context.facts.key(id)))
    }
}

fn list<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).and_then(Node::as_list).unwrap_or_default()
}
