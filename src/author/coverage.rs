//! How much of the rules their cases reach: which way each condition, exit and selection went.
//!
//! A case may set parameters, and then has rules of its own: points are known by their position in the
//! rule, which is the same in each reading of it.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use crate::author::clauses::{Clause, Exit, Role, clauses, exits};
use crate::author::suite::{Ready, Suite};
use crate::diagnostic::Place;
use crate::eval::{Observer, evaluate_observed};
use crate::expr::eval::{Outcome as Value3, Watch};
use crate::expr::tree::{Expr, ExprKind, ListMethod};
use crate::facts::model::Type;
use crate::facts::value::Value;
use crate::finding::{Outcome, Verdict};
use crate::report::coverage::{Coverage, Point, RuleCoverage, State, What};
use crate::rule::{Binding, Otherwise, Rule};
use crate::source::{Node, Sources};

/// How often a point went each way: true, false, undecided; known, undecided; none, one, several,
/// undecided; taken.
type Times = [u64; 4];

/// What was seen of a rule.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    cases: usize,
    outcomes: BTreeMap<Outcome, u64>,
    points: Vec<Times>,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        for (outcome, times) in &other.outcomes {
            *self.outcomes.entry(*outcome).or_default() += times;
        }
        self.points.resize(self.points.len().max(other.points.len()), Times::default());
        for (known, more) in self.points.iter_mut().zip(&other.points) {
            for (known, more) in known.iter_mut().zip(more) {
                *known += more;
            }
        }
    }
}

/// A point of a rule as it is read.
struct Raw<'r> {
    /// What it belongs to, as a path.
    path: String,
    /// Its text in the file.
    node: &'r Node,
    sort: Sort<'r>,
}

enum Sort<'r> {
    /// With the clause that it is a part of.
    Condition(Clause<'r>, Found<'r>),
    Value(&'r Expr),
    Candidates {
        step: usize,
        binding: &'r Binding,
        is_given: bool,
    },
    Exit(&'r Otherwise),
}

/// The points of a rule, in an order that depends on its text only.
fn points<'r>(rule: &'r Rule, exits: &[Exit<'r>]) -> Vec<Raw<'r>> {
    let mut all = Vec::new();
    let nodes = rule.root.get("select").and_then(Node::as_list).unwrap_or_default();
    for (step, (binding, node)) in rule.select.iter().zip(nodes).enumerate() {
        let found = ["of", "in", "from"].iter().find_map(|key| Some((key, node.get(key)?)));
        if let Some((key, node)) = found {
            let sort = Sort::Candidates { step, binding, is_given: *key == "of" };
            all.push(Raw { path: format!("select[{step}].{key}"), node, sort });
        }
    }
    for clause in clauses(rule) {
        let mut conditions = Vec::new();
        let is_value = clause.role == Role::Let && clause.expr.ty != Type::Bool;
        if is_value {
            let (path, node) = (clause.path.clone(), clause.node);
            all.push(Raw { path, node, sort: Sort::Value(clause.expr) });
        }
        parts(clause.expr, clause.role != Role::Candidates && !is_value, &mut conditions);
        for one in conditions {
            let (path, node) = (clause.path.clone(), clause.node);
            all.push(Raw { path, node, sort: Sort::Condition(clause.clone(), one) });
        }
    }
    for exit in exits {
        let (path, node) = (exit.path.clone(), exit.node);
        all.push(Raw { path, node, sort: Sort::Exit(exit.otherwise) });
    }
    all
}

/// A condition in an expression.
#[derive(Clone, Copy)]
struct Found<'r> {
    expr: &'r Expr,
    /// Whether it stands where an `if` never comes to.
    is_dead: bool,
}

/// The conditions in an expression. `is_asked` says that the expression stands where something depends
/// on its being true; a comparison is a condition wherever it stands.
fn parts<'e>(expr: &'e Expr, is_asked: bool, found: &mut Vec<Found<'e>>) {
    let is_condition = is_asked
        || matches!(
            expr.kind,
            ExprKind::And(_)
                | ExprKind::Or(_)
                | ExprKind::Not(_)
                | ExprKind::Compare(..)
                | ExprKind::In(..)
                | ExprKind::IsNull { .. }
                | ExprKind::Known(_)
                | ExprKind::AnyViolated(..)
        );
    if is_condition {
        found.push(Found { expr, is_dead: false });
    }
    below(expr, is_asked, found);
}

fn below<'e>(expr: &'e Expr, is_asked: bool, found: &mut Vec<Found<'e>>) {
    match &expr.kind {
        ExprKind::And(all) | ExprKind::Or(all) => {
            for part in all {
                parts(part, true, found);
            }
        }
        // What is denied is true when the whole is false: the same point.
        ExprKind::Not(inner) => below(inner, true, found),
        ExprKind::If(condition, yes, no) => {
            parts(condition, true, found);
            for (branch, way) in [(yes, true), (no, false)] {
                let before = found.len();
                parts(branch, is_asked, found);
                if constant(condition) == Some(!way) {
                    found.iter_mut().skip(before).for_each(|one| one.is_dead = true);
                }
            }
        }
        ExprKind::ListMethod { method, list, closure } => {
            parts(list, false, found);
            if let Some(closure) = closure {
                let asks = matches!(
                    method,
                    ListMethod::Any
                        | ListMethod::All
                        | ListMethod::Count
                        | ListMethod::Find
                        | ListMethod::Filter
                );
                parts(&closure.body, asks, found);
            }
        }
        _ => expr.each_child(&mut |child| parts(child, false, found)),
    }
}

/// The truth value of a condition that depends on nothing.
fn constant(expr: &Expr) -> Option<bool> {
    match &expr.kind {
        ExprKind::Constant(Value::Bool(value)) => Some(*value),
        ExprKind::Not(inner) => constant(inner).map(|value| !value),
        ExprKind::And(all) if all.iter().any(|part| constant(part) == Some(false)) => Some(false),
        ExprKind::Or(all) if all.iter().any(|part| constant(part) == Some(true)) => Some(true),
        ExprKind::And(all) | ExprKind::Or(all) => {
            let is_and = matches!(expr.kind, ExprKind::And(_));
            all.iter().all(|part| constant(part).is_some()).then_some(is_and)
        }
        _ => None,
    }
}

/// Watches the rules of one case.
struct Recorder<'r> {
    /// By address: what is read of the value, position of the rule and of the point.
    exprs: HashMap<*const Expr, (Reads, Spot)>,
    exits: HashMap<*const Otherwise, Spot>,
    /// By rule and step of `select`: position of the point.
    steps: HashMap<Spot, usize>,
    ids: HashMap<&'r str, usize>,
    state: RefCell<Recorded>,
}

/// Position of a rule, and of a point or step in it.
type Spot = (usize, usize);

/// What of a value says which way a point went.
#[derive(Clone, Copy)]
enum Reads {
    /// Whether it is true.
    Truth,
    /// Whether it is known.
    Presence,
    /// Whether it is not: what it holds is told otherwise.
    Absence,
}

#[derive(Default)]
struct Recorded {
    rule: usize,
    seen: Vec<Seen>,
}

impl<'r> Recorder<'r> {
    fn new(rules: &[&'r Rule]) -> Self {
        let mut all = Self {
            exprs: HashMap::new(),
            exits: HashMap::new(),
            steps: HashMap::new(),
            ids: HashMap::new(),
            state: RefCell::default(),
        };
        let mut seen = Vec::new();
        for (number, rule) in rules.iter().enumerate() {
            all.ids.insert(&*rule.id, number);
            let points = points(rule, &exits(rule));
            for (position, raw) in points.iter().enumerate() {
                all.listen(&raw.sort, (number, position));
            }
            seen.push(Seen { cases: 1, points: vec![[0; 4]; points.len()], ..Seen::default() });
        }
        all.state.borrow_mut().seen = seen;
        all
    }

    fn listen(&mut self, sort: &Sort<'r>, here: Spot) {
        let (reads, expr) = match sort {
            Sort::Condition(_, one) => (Reads::Truth, one.expr),
            Sort::Value(expr) => (Reads::Presence, *expr),
            Sort::Candidates { step, binding, .. } => {
                self.steps.insert((here.0, *step), here.1);
                let (Binding::Each { list, .. } | Binding::One { from: list, .. }) = binding;
                (Reads::Absence, list)
            }
            Sort::Exit(otherwise) => {
                self.exits.insert(std::ptr::from_ref(*otherwise), here);
                return;
            }
        };
        self.exprs.insert(std::ptr::from_ref(expr), (reads, here));
    }

    fn count(&self, (rule, point): Spot, way: usize) {
        let mut state = self.state.borrow_mut();
        let seen = state.seen.get_mut(rule).and_then(|seen| seen.points.get_mut(point));
        if let Some(times) = seen.and_then(|times| times.get_mut(way)) {
            *times += 1;
        }
    }
}

impl Watch for Recorder<'_> {
    fn value(&self, expr: &Expr, value: &Value3) {
        let Some((reads, here)) = self.exprs.get(&std::ptr::from_ref(expr)) else { return };
        let way = match (reads, value) {
            (Reads::Truth, Ok(Value::Bool(true))) | (Reads::Presence, Ok(_)) => 0,
            (Reads::Truth, Ok(_)) | (Reads::Presence, Err(_)) => 1,
            (Reads::Truth, Err(_)) => 2,
            (Reads::Absence, Err(_)) => 3,
            (Reads::Absence, Ok(_)) => return,
        };
        self.count(*here, way);
    }
}

impl Observer for Recorder<'_> {
    fn rule(&self, rule: &Rule) {
        // A rule that nobody listens to is none of ours.
        self.state.borrow_mut().rule = self.ids.get(&*rule.id).copied().unwrap_or(usize::MAX);
    }

    fn selected(&self, step: usize, fitting: usize) {
        let rule = self.state.borrow().rule;
        if let Some(point) = self.steps.get(&(rule, step)) {
            self.count((rule, *point), fitting.min(2));
        }
    }

    fn otherwise(&self, otherwise: &Otherwise) {
        if let Some(here) = self.exits.get(&std::ptr::from_ref(otherwise)) {
            self.count(*here, 0);
        }
    }

    fn verdict(&self, verdict: &Verdict) {
        let mut state = self.state.borrow_mut();
        let rule = state.rule;
        if let Some(seen) = state.seen.get_mut(rule) {
            *seen.outcomes.entry(verdict.outcome).or_default() += 1;
        }
    }
}

/// What the case reaches of the rules it is about, by id.
fn watch(ready: &Ready) -> BTreeMap<String, Seen> {
    let ids = ready.case.rules();
    let rules: Vec<&Rule> =
        ids.iter().filter_map(|id| ready.set.rule(id)).map(AsRef::as_ref).collect();
    let recorder = Recorder::new(&rules);
    let wanted = |rule: &Rule| ids.contains(&&*rule.id);
    let now = &ready.case.now;
    let _ = evaluate_observed(&ready.facts, &ready.set, now, None, &wanted, Some(&recorder));
    let seen = recorder.state.into_inner().seen;
    rules.iter().map(|rule| rule.id.to_string()).zip(seen).collect()
}

/// What all cases reach of the rules for which `wanted` holds.
#[must_use]
pub fn measure(suite: &Suite, wanted: &dyn Fn(&Rule) -> bool) -> Coverage {
    let all: Vec<BTreeMap<String, Seen>> = suite.cases.par_iter().map(watch).collect();
    let mut seen: BTreeMap<String, Seen> = BTreeMap::new();
    for (id, one) in all.into_iter().flatten() {
        seen.entry(id).or_default().add(&one);
    }
    let rules = suite.set.rules.iter().filter(|rule| wanted(rule));
    let rules = rules.map(|rule| {
        let seen = seen.remove(&*rule.id).unwrap_or_default();
        rule_coverage(rule, &seen, &suite.sources)
    });
    Coverage { rules: rules.collect(), ..Coverage::default() }
}

fn rule_coverage(rule: &Rule, seen: &Seen, sources: &Sources) -> RuleCoverage {
    let exits = exits(rule);
    let times = |position: usize| seen.points.get(position).copied().unwrap_or_default();
    let points = points(rule, &exits).into_iter().enumerate();
    let points = points.map(|(position, raw)| point(&raw, times(position), sources));
    let mut points: Vec<Point> = points.collect();
    points.sort_by_key(|point| (point.line, point.column));
    let source = sources.get(rule.root.place.file);
    RuleCoverage {
        id: rule.id.to_string(),
        file: source.map(|source| source.name().to_owned()).unwrap_or_default(),
        lines: source.map_or("", |source| source.text()).lines().map(str::to_owned).collect(),
        cases: seen.cases,
        outcomes: outcomes(rule, &exits, seen),
        points,
    }
}

fn point(raw: &Raw<'_>, times: Times, sources: &Sources) -> Point {
    let plain = |node: &Node| node.as_str().unwrap_or_default().to_owned();
    let (what, text, place) = match &raw.sort {
        Sort::Condition(clause, Found { expr, .. }) => {
            let is_whole = std::ptr::eq(*expr, clause.expr);
            let place = if is_whole { clause.node.place } else { clause.place_of(expr, sources) };
            let text = if is_whole { clause.text() } else { clause.text_of(expr) };
            (What::Condition, text, place)
        }
        Sort::Value(_) => (What::Value, plain(raw.node), raw.node.place),
        Sort::Candidates { .. } => (What::Candidates, plain(raw.node), raw.node.place),
        Sort::Exit(_) => {
            let because = raw.node.get("because").map(plain).unwrap_or_default();
            (What::Exit, because, raw.node.place)
        }
    };
    let from = sources.location(place);
    let to = sources.location(Place { start: place.end.max(place.start), ..place });
    Point {
        clause: raw.path.clone(),
        what,
        text: text.trim_end().to_owned(),
        line: from.line,
        column: from.column,
        end_line: to.line,
        end_column: to.column,
        states: states(raw, times),
    }
}

fn states(raw: &Raw<'_>, times: Times) -> Vec<State> {
    let [first, second, third, fourth] = times;
    let state = |name, times, counts| State { name, times, counts, impossible: None };
    match &raw.sort {
        Sort::Condition(_, Found { expr, is_dead }) => {
            let mut both = [state("true", first, true), state("false", second, true)];
            for (one, way) in both.iter_mut().zip([true, false]) {
                one.impossible = match constant(expr) {
                    _ if *is_dead => Some("the `if` never comes to it".to_owned()),
                    Some(value) if value != way => Some(format!("it is always {value}")),
                    _ => None,
                };
            }
            let [yes, no] = both;
            vec![yes, no, state("undecided", third, false)]
        }
        Sort::Value(_) => vec![state("known", first, true), state("undecided", second, false)],
        Sort::Candidates { binding, is_given, .. } => {
            let (is_one, list) = match binding {
                Binding::Each { list, .. } => (false, list),
                Binding::One { from, .. } => (true, from),
            };
            // Several where one is expected is an error, which a case need not make.
            let mut several = state("several", third, !is_one);
            if !matches!(list.ty.required(), Type::List(_)) {
                several.impossible = Some("it is no list".to_owned());
            }
            // Facts without any object of a kind say nothing of the rule.
            let (none, one) = (state("none", first, !is_given), state("one", second, true));
            vec![none, one, several, state("undecided", fourth, false)]
        }
        Sort::Exit(_) => vec![state("taken", first, true)],
    }
}

/// The outcomes, with those that nothing in the rule leads to.
fn outcomes(rule: &Rule, exits: &[Exit<'_>], seen: &Seen) -> Vec<State> {
    let fixed = constant(&rule.violated);
    let all = [Outcome::Violated, Outcome::Satisfied, Outcome::Undecided, Outcome::NotApplicable];
    let one = |outcome: Outcome| {
        let is_said = exits.iter().any(|exit| exit.otherwise.outcome == outcome);
        let impossible = match outcome {
            _ if is_said => None,
            Outcome::NotApplicable => Some("nothing in the rule says so".to_owned()),
            Outcome::Violated if fixed == Some(false) => {
                Some("`violated` is never true".to_owned())
            }
            Outcome::Satisfied if fixed == Some(true) => {
                Some("`violated` is always true".to_owned())
            }
            _ => None,
        };
        let times = seen.outcomes.get(&outcome).copied().unwrap_or(0);
        State { name: outcome.name(), times, counts: true, impossible }
    };
    all.map(one).into()
}
