//! What becomes of a rule while it is judged, as the observer is told it.

use std::cell::{Ref, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::eval::Observer;
use crate::expr::eval::{Outcome as Value3, Read, Watch};
use crate::expr::tree::Expr;
use crate::facts::store::Facts;
use crate::facts::value::{ObjectId, Value, fold};
use crate::finding::Verdict;
use crate::rule::{Binding, Otherwise, Rule};

/// Most expressions kept of one clause; what was evaluated beyond them is left out of the trace.
const MAX_NODES: usize = 100_000;
/// Most candidates of one step that are kept with the reason why they did not fit.
const MAX_REJECTED: usize = 50;

/// An expression that was evaluated, with those below it.
#[derive(Clone, Debug)]
pub struct Trace<'r> {
    /// The expression.
    pub expr: &'r Expr,
    /// What it gave.
    pub value: Value3,
    /// The fact that it read.
    pub fact: Option<Read>,
    /// What was evaluated for it, in order.
    pub below: Vec<Trace<'r>>,
    /// Whether some of that was left out.
    pub is_cut: bool,
}

/// A clause of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The list or object that a step of `select` takes from.
    List(usize),
    /// The `where` of a step.
    Filter(usize),
    /// A `let`.
    Let(usize),
    /// A `require`.
    Require(usize),
    /// The condition.
    Violated,
}

/// Where judging ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Undecided in a step of `select`.
    Select(usize),
    /// At the `if_none` of a step.
    IfNone(usize),
    /// At the `else` of a `require`.
    Else(usize),
    /// A `require` was undecided.
    Require(usize),
    /// At the condition.
    Violated,
}

/// A candidate of a step.
#[derive(Clone, Debug)]
pub struct Candidate<'r> {
    /// The object, or why it is not known.
    pub value: Value3,
    /// What `where` gave for it.
    pub filter: Option<Trace<'r>>,
}

/// A step of `select` with all its candidates.
#[derive(Clone, Debug)]
pub struct Step<'r> {
    /// Where the candidates come from.
    pub list: Trace<'r>,
    /// How many there were.
    pub candidates: usize,
    /// How many fitted; none if judging ended before that was known.
    pub fitting: Option<usize>,
    /// Those for which `where` was false.
    pub rejected: Vec<Candidate<'r>>,
    /// The last one that fitted.
    fits: Option<Candidate<'r>>,
}

/// A step and the candidate that was bound.
#[derive(Clone, Debug)]
pub struct Level<'r> {
    step: Rc<RefCell<Step<'r>>>,
    /// The candidate; none if judging ended before one was bound.
    pub candidate: Option<Candidate<'r>>,
}

impl<'r> Level<'r> {
    /// The step, as it was when all candidates had been looked at.
    pub fn step(&self) -> Ref<'_, Step<'r>> {
        self.step.borrow()
    }
}

/// How one verdict came about.
#[derive(Clone, Debug)]
pub struct Judged<'r> {
    /// Its number in the order of judging, from 0.
    pub number: usize,
    /// The verdict.
    pub verdict: Verdict,
    /// Where judging ended.
    pub stop: Stop,
    /// The objects bound, each with its kind, folded: the same in a later run.
    pub signature: Vec<String>,
    /// The steps of `select`, as far as judging came.
    pub levels: Vec<Level<'r>>,
    /// The values of `let`.
    pub lets: Vec<Trace<'r>>,
    /// The values of `require`, up to the one that ended it.
    pub requires: Vec<Trace<'r>>,
    /// The condition.
    pub violated: Option<Trace<'r>>,
}

/// Objects for which the rule gave no verdict, since a step of `select` did not take them.
#[derive(Clone, Debug)]
pub struct Fallen<'r> {
    /// The steps up to the one that had no fitting candidate.
    pub levels: Vec<Level<'r>>,
}

/// Of which verdicts everything is kept; of the others only what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Of none.
    Nothing,
    /// Of those for which this object was bound.
    Object(ObjectId),
    /// Of this one, in the order of judging.
    Number(usize),
    /// Of all.
    All,
}

/// Listens to the judging of one rule.
pub struct Recorder<'r> {
    rule: &'r Rule,
    facts: &'r Facts,
    keep: Keep,
    parts: HashMap<usize, Part>,
    exprs: HashMap<usize, &'r Expr>,
    state: RefCell<State<'r>>,
}

#[derive(Default)]
struct State<'r> {
    /// Whether the rule being judged is the one listened to.
    is_ours: bool,
    depth: usize,
    /// The clause being evaluated.
    part: Option<Part>,
    nodes: usize,
    stack: Vec<Trace<'r>>,
    levels: Vec<Level<'r>>,
    lets: Vec<Trace<'r>>,
    requires: Vec<Trace<'r>>,
    violated: Option<Trace<'r>>,
    taken: Option<Stop>,
    judged: Vec<Judged<'r>>,
    fallen: Vec<Fallen<'r>>,
}

fn address<T>(of: &T) -> usize {
    std::ptr::from_ref(of).addr()
}

/// The clauses of a rule with their expressions, in the order of judging.
#[must_use]
pub fn parts(rule: &Rule) -> Vec<(Part, &Expr)> {
    let mut all = Vec::new();
    for (number, binding) in rule.select.iter().enumerate() {
        let (Binding::Each { list, filter, .. } | Binding::One { from: list, filter, .. }) =
            binding;
        all.push((Part::List(number), list));
        all.extend(filter.iter().map(|filter| (Part::Filter(number), filter)));
    }
    all.extend(rule.lets.iter().enumerate().map(|(number, (_, value))| (Part::Let(number), value)));
    let requires = rule.require.iter().enumerate();
    all.extend(requires.map(|(number, (that, _))| (Part::Require(number), that)));
    all.push((Part::Violated, &rule.violated));
    all
}

impl<'r> Recorder<'r> {
    /// For one rule.
    #[must_use]
    pub fn new(rule: &'r Rule, facts: &'r Facts, keep: Keep) -> Self {
        let parts = parts(rule);
        let mut exprs = HashMap::new();
        for (_, expr) in &parts {
            note(expr, &mut exprs);
        }
        let parts = parts.into_iter().map(|(part, expr)| (address(expr), part)).collect();
        Self { rule, facts, keep, parts, exprs, state: RefCell::default() }
    }

    /// What was told.
    #[must_use]
    pub fn finish(self) -> (Vec<Judged<'r>>, Vec<Fallen<'r>>) {
        let state = self.state.into_inner();
        (state.judged, state.fallen)
    }

    fn finished(&self, part: Part, trace: Trace<'r>, state: &mut State<'r>) {
        match part {
            Part::List(step) => {
                state.levels.truncate(step);
                state.forget_clauses();
                let (candidates, fitting, rejected, fits) = (0, None, Vec::new(), None);
                let step = Step { list: trace, candidates, fitting, rejected, fits };
                let step = Rc::new(RefCell::new(step));
                state.levels.push(Level { step, candidate: None });
            }
            Part::Filter(step) => self.filtered(step, trace, state),
            Part::Let(_) => state.lets.push(trace),
            Part::Require(_) => state.requires.push(trace),
            Part::Violated => state.violated = Some(trace),
        }
    }

    fn filtered(&self, step: usize, trace: Trace<'r>, state: &mut State<'r>) {
        let answer = match &trace.value {
            Ok(Value::Bool(answer)) => Some(*answer),
            _ => None,
        };
        let Some(level) = state.levels.get_mut(step) else { return };
        let Some(candidate) = &mut level.candidate else { return };
        candidate.filter = Some(trace);
        let candidate = candidate.clone();
        let mut known = level.step.borrow_mut();
        match answer {
            Some(true) => known.fits = Some(candidate),
            Some(false) => {
                if self.keep != Keep::Nothing && known.rejected.len() < MAX_REJECTED {
                    known.rejected.push(candidate);
                }
                drop(known);
                self.fell(state);
            }
            None => {}
        }
    }

    /// Remembers that the objects bound now go no further.
    fn fell(&self, state: &mut State<'r>) {
        let Keep::Object(wanted) = self.keep else { return };
        if state.levels.iter().any(|level| level.binds(wanted)) {
            state.fallen.push(Fallen { levels: state.levels.clone() });
        }
    }

    fn keeps(&self, state: &State<'r>, verdict: &Verdict) -> bool {
        match self.keep {
            Keep::Nothing => false,
            Keep::All => true,
            Keep::Number(number) => state.judged.len() == number,
            Keep::Object(id) => {
                let kind = self.facts.kind_of(id).map(|kind| &kind.name);
                let is_subject = Some(&verdict.subject.kind) == kind
                    && verdict.subject.key == self.facts.key(id);
                is_subject || state.levels.iter().any(|level| level.binds(id))
            }
        }
    }

    fn signature(&self, levels: &[Level<'r>]) -> Vec<String> {
        let say = |level: &Level<'r>| match level.candidate.as_ref().map(|bound| &bound.value) {
            Some(Ok(Value::Object(id))) => {
                let kind = self.facts.kind_of(*id).map_or("", |kind| &kind.name);
                format!("{kind} {}", fold(&self.facts.key(*id)))
            }
            Some(Ok(value)) => fold(&format!("{value:?}")),
            Some(Err(_)) | None => String::new(),
        };
        levels.iter().map(say).collect()
    }
}

fn note<'r>(expr: &'r Expr, exprs: &mut HashMap<usize, &'r Expr>) {
    exprs.insert(address(expr), expr);
    expr.each_child(&mut |child| note(child, exprs));
}

impl Level<'_> {
    fn binds(&self, wanted: ObjectId) -> bool {
        let bound = self.candidate.as_ref().map(|candidate| &candidate.value);
        matches!(bound, Some(Ok(Value::Object(id))) if *id == wanted)
    }
}

impl State<'_> {
    fn forget_clauses(&mut self) {
        self.lets.clear();
        self.requires.clear();
        self.violated = None;
    }

    fn stop(&self) -> Stop {
        match (self.taken, &self.violated) {
            (Some(stop), _) => stop,
            (None, Some(_)) => Stop::Violated,
            (None, None) => match self.requires.len() {
                0 => Stop::Select(self.levels.len().saturating_sub(1)),
                count => Stop::Require(count - 1),
            },
        }
    }
}

impl Watch for Recorder<'_> {
    fn enter(&self, expr: &Expr) {
        let mut state = self.state.borrow_mut();
        if !state.is_ours {
            return;
        }
        state.depth += 1;
        if state.depth == 1 {
            state.part = self.parts.get(&address(expr)).copied();
            state.nodes = 0;
        }
        if state.part.is_none() || (self.keep == Keep::Nothing && state.depth > 1) {
            return;
        }
        if let Some(expr) = self.exprs.get(&address(expr)) {
            let value = Ok(Value::Null);
            let (fact, below, is_cut) = (None, Vec::new(), false);
            state.stack.push(Trace { expr, value, fact, below, is_cut });
        }
    }

    fn value(&self, expr: &Expr, value: &Value3) {
        let mut state = self.state.borrow_mut();
        if !state.is_ours {
            return;
        }
        let is_whole = state.depth == 1;
        state.depth -= 1;
        if !state.stack.last().is_some_and(|open| std::ptr::eq(open.expr, expr)) {
            return;
        }
        let Some(mut trace) = state.stack.pop() else { return };
        trace.value.clone_from(value);
        if is_whole {
            if let Some(part) = state.part.take() {
                self.finished(part, trace, &mut state);
            }
            return;
        }
        state.nodes += 1;
        let is_full = state.nodes > MAX_NODES;
        if let Some(above) = state.stack.last_mut() {
            if is_full {
                above.is_cut = true;
            } else {
                above.below.push(trace);
            }
        }
    }

    fn wants_facts(&self) -> bool {
        let state = self.state.borrow();
        self.keep != Keep::Nothing && state.is_ours && state.part.is_some()
    }

    fn fact(&self, expr: &Expr, read: Read) {
        let mut state = self.state.borrow_mut();
        if let Some(open) = state.stack.last_mut().filter(|open| std::ptr::eq(open.expr, expr)) {
            open.fact = Some(read);
        }
    }
}

impl Observer for Recorder<'_> {
    fn rule(&self, rule: &Rule) {
        self.state.borrow_mut().is_ours = std::ptr::eq(rule, self.rule);
    }

    fn bound(&self, step: usize, value: &Value3) {
        let mut state = self.state.borrow_mut();
        if !state.is_ours {
            return;
        }
        state.levels.truncate(step + 1);
        state.forget_clauses();
        let is_filtered = match self.rule.select.get(step) {
            Some(Binding::Each { filter, .. } | Binding::One { filter, .. }) => filter.is_some(),
            None => false,
        };
        let Some(level) = state.levels.get_mut(step) else { return };
        let candidate = Candidate { value: value.clone(), filter: None };
        let mut known = level.step.borrow_mut();
        known.candidates += 1;
        if !is_filtered && value.is_ok() {
            known.fits = Some(candidate.clone());
        }
        drop(known);
        level.candidate = Some(candidate);
    }

    fn selected(&self, step: usize, fitting: usize) {
        let mut state = self.state.borrow_mut();
        if !state.is_ours {
            return;
        }
        state.levels.truncate(step + 1);
        state.forget_clauses();
        let is_one = matches!(self.rule.select.get(step), Some(Binding::One { .. }));
        let Some(level) = state.levels.get_mut(step) else { return };
        let mut known = level.step.borrow_mut();
        known.fitting = Some(fitting);
        let candidate = known.fits.clone().filter(|_| is_one && fitting == 1);
        drop(known);
        level.candidate = candidate;
        if !is_one && fitting == 0 {
            self.fell(&mut state);
        }
    }

    fn otherwise(&self, otherwise: &Otherwise) {
        let mut state = self.state.borrow_mut();
        if !state.is_ours {
            return;
        }
        let is_none = |binding: &Binding| match binding {
            Binding::One { if_none, .. } => std::ptr::eq(if_none, otherwise),
            Binding::Each { .. } => false,
        };
        let step = self.rule.select.iter().position(is_none).map(Stop::IfNone);
        let require =
            self.rule.require.iter().position(|(_, known)| std::ptr::eq(known, otherwise));
        state.taken = step.or(require.map(Stop::Else));
    }

    fn verdict(&self, verdict: &Verdict) {
        let mut state = self.state.borrow_mut();
        if !state.is_ours {
            return;
        }
        let is_kept = self.keeps(&state, verdict);
        let judged = Judged {
            number: state.judged.len(),
            verdict: verdict.clone(),
            stop: state.stop(),
            signature: self.signature(&state.levels),
            levels: if is_kept { state.levels.clone() } else { Vec::new() },
            lets: if is_kept { state.lets.clone() } else { Vec::new() },
            requires: if is_kept { state.requires.clone() } else { Vec::new() },
            violated: state.violated.clone().filter(|_| is_kept),
        };
        state.taken = None;
        state.forget_clauses();
        state.judged.push(judged);
    }
}

/// The name that a step binds.
#[must_use]
pub fn bound_name(rule: &Rule, step: usize) -> Arc<str> {
    let slot = match rule.select.get(step) {
        Some(Binding::Each { slot, .. } | Binding::One { slot, .. }) => *slot,
        None => return "".into(),
    };
    rule.name_of(slot).cloned().unwrap_or_default()
}
