//! One rule on all its subjects.

mod finding;

use std::collections::HashSet;
use std::sync::Arc;

use crate::eval::{Ledger, Observer, subject};
use crate::expr::eval::{Env, Reason, Unknown, View, Watch};
use crate::expr::tree::Expr;
use crate::facts::change::Change;
use crate::facts::value::{Absence, Fact, List, ObjectId, Reach, Value};
use crate::finding::{Finding, Missing, Outcome, Subject, Verdict};
use crate::rule::clause::params_value;
use crate::rule::pack::RuleSet;
use crate::rule::{Binding, Otherwise, Rule};

/// What other rules may ask of a rule that was judged.
#[derive(Debug, Default)]
pub(super) struct RuleResult {
    pub(super) violated: HashSet<ObjectId>,
    pub(super) undecided: HashSet<ObjectId>,
    /// Undecided in a way that could concern any object.
    pub(super) undecided_anywhere: bool,
    /// What each finding does to the facts, where that was asked for.
    pub(super) standing: Vec<Standing>,
}

/// A finding, and what it does to the facts.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its fingerprint.
    pub fingerprint: String,
    /// What it is about.
    pub subject: Subject,
    /// What is wrong.
    pub message: String,
    /// What becomes of the facts.
    pub changes: Vec<Change>,
    /// What becomes of them once a job has been tried that it stops.
    pub later: Vec<Change>,
    /// What it changes, and the protected objects of which it stops checks.
    pub objects: Vec<ObjectId>,
    /// The protected objects of which it perhaps stops jobs.
    pub likely: Vec<ObjectId>,
}

/// How much is judged, and how much of it is put into words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// All subjects, as a report shows them.
    Whole,
    /// All subjects, for a simulation.
    Brief,
    /// What follows from one member of the first list, for a simulation.
    Member(ObjectId),
}

/// Most combinations of objects that one rule may look at.
const MAX_BINDINGS: usize = 1_000_000;

/// One rule being judged.
pub(super) struct Judge<'a, 'e> {
    pub(super) rule: &'a Rule,
    pub(super) set: &'a RuleSet,
    pub(super) ledger: &'a Ledger<'a>,
    pub(super) env: &'e mut Env<'a>,
    pub(super) view: &'a Arc<View>,
    verdicts: Vec<Verdict>,
    result: RuleResult,
    /// How many combinations of objects were looked at.
    bindings: usize,
    /// Objects bound so far, innermost last.
    bound: Vec<(usize, Option<ObjectId>)>,
    depth: Depth,
    observer: Option<&'a dyn Observer>,
}

pub(super) fn judge<'a>(
    rule: &'a Rule,
    set: &'a RuleSet,
    view: &'a Arc<View>,
    ledger: &'a Ledger<'a>,
    depth: Depth,
    observer: Option<&'a dyn Observer>,
) -> (Vec<Verdict>, RuleResult) {
    let Some(pack) = set.packs.get(rule.pack) else { return Default::default() };
    let watch = observer.map(|observer| observer as &dyn Watch);
    let mut env = Env::new(view, &pack.scripts, ledger, rule.slots).watched(watch);
    if let Some(observer) = observer {
        observer.rule(rule);
    }
    env.bind(0, Ok(params_value(&rule.params)));
    let mut judge = Judge {
        rule,
        set,
        ledger,
        env: &mut env,
        view,
        verdicts: Vec::new(),
        result: RuleResult::default(),
        bindings: 0,
        bound: Vec::new(),
        depth,
        observer,
    };
    judge.select(0);
    (judge.verdicts, judge.result)
}

impl<'a> Judge<'a, '_> {
    fn select(&mut self, step: usize) {
        match self.rule.select.get(step) {
            None => self.decide(),
            Some(Binding::Each { slot, list, filter }) => {
                self.each(step, *slot, list, filter.as_ref());
            }
            Some(Binding::One { slot, from, filter, if_none }) => {
                self.one(step, *slot, from, filter.as_ref(), if_none);
            }
        }
    }

    fn each(&mut self, step: usize, slot: usize, list: &'a Expr, filter: Option<&'a Expr>) {
        self.env.new_clause();
        let members = match self.depth {
            // Whoever names a member has looked into the list.
            Depth::Member(member) if step == 0 => List::complete([Value::Object(member)]),
            _ => match self.env.eval(list) {
                Ok(Value::List(members)) => members,
                Ok(_) => List::complete([]),
                Err(unknown) => return self.undecided(&unknown),
            },
        };
        let mut fitting = 0;
        for (position, fact) in members.items.iter().enumerate() {
            self.bindings += 1;
            if self.bindings == MAX_BINDINGS {
                let message: Arc<str> = format!(
                    "the rule looked at {MAX_BINDINGS} combinations of objects and was stopped"
                )
                .into();
                self.result.undecided_anywhere = true;
                self.undecided(&Unknown::new(message.clone(), Absence::Failed(message), None));
            }
            if self.bindings >= MAX_BINDINGS {
                return;
            }
            self.bind(slot, list, position, fact);
            self.tell_bound(step, slot);
            self.env.new_clause();
            // Of an object that is not in the facts nothing can be said, not even that a rule does not
            // concern it.
            let fits = match (self.env.slot(slot), filter) {
                (Err(unknown), _) => Err(unknown),
                (Ok(_), Some(filter)) => self.env.condition(filter),
                (Ok(_), None) => Ok(true),
            };
            match fits {
                Ok(true) => {
                    fitting += 1;
                    self.select(step + 1);
                }
                Ok(false) => {}
                Err(unknown) => self.undecided(&unknown),
            }
            self.bound.pop();
        }
        if let Some(observer) = self.observer {
            observer.selected(step, fitting);
        }
        if let Reach::Open(name) = &members.reach {
            let unknown = Unknown::new(name.clone(), Absence::Open(name.clone()), None);
            self.undecided_list(&unknown, list);
        }
    }

    fn bind(&mut self, slot: usize, list: &'a Expr, position: usize, fact: &Fact) {
        let (value, object) = match fact {
            Fact::Known { value, .. } => {
                let object = if let Value::Object(id) = value { Some(*id) } else { None };
                (Ok(value.clone()), object)
            }
            Fact::Absent(why) => {
                let list = self.env.describe(list).unwrap_or_else(|| "the list".to_owned());
                let what = format!("{list}[{position}]");
                (Err(Unknown::new(what, why.clone(), None)), None)
            }
        };
        self.env.bind_member(slot, value, list, position);
        self.bound.push((slot, object));
    }

    fn tell_bound(&self, step: usize, slot: usize) {
        if let Some(observer) = self.observer {
            observer.bound(step, &self.env.slot(slot));
        }
    }

    fn one(
        &mut self,
        step: usize,
        slot: usize,
        from: &'a Expr,
        filter: Option<&'a Expr>,
        if_none: &'a Otherwise,
    ) {
        self.env.new_clause();
        let members = match self.env.eval(from) {
            Ok(Value::List(members)) => members,
            Ok(Value::Null) => List::complete([]),
            Ok(value) => List::complete([value]),
            Err(unknown) => return self.undecided(&unknown),
        };
        let mut found: Vec<(usize, &Fact)> = Vec::new();
        let mut gap: Option<Unknown> = None;
        for (position, fact) in members.items.iter().enumerate() {
            self.bind(slot, from, position, fact);
            self.tell_bound(step, slot);
            self.env.new_clause();
            let fits = match (filter, self.env.slot(slot)) {
                (Some(filter), _) => self.env.condition(filter),
                (None, Ok(_)) => Ok(true),
                (None, Err(unknown)) => Err(unknown),
            };
            self.bound.pop();
            match fits {
                Ok(true) => found.push((position, fact)),
                Err(unknown) if members.reach != Reach::KnownOnly => {
                    gap = Some(match gap {
                        Some(known) => known.and(unknown),
                        None => unknown,
                    });
                }
                Ok(false) | Err(_) => {}
            }
        }
        if let Reach::Open(name) = &members.reach {
            let open = Unknown::new(name.clone(), Absence::Open(name.clone()), None);
            gap = Some(match gap {
                Some(known) => known.and(open),
                None => open,
            });
        }
        if let Some(observer) = self.observer {
            observer.selected(step, found.len());
        }
        match (gap, found.as_slice()) {
            (Some(unknown), _) => self.undecided(&unknown),
            (None, []) => {
                // The last candidate that did not fit must not stand in for the one that is not there.
                let what = self.env.describe(from).unwrap_or_else(|| "the list".to_owned());
                self.env.bind(slot, Err(Unknown::new(what, Absence::NotCollected, None)));
                self.otherwise(if_none);
            }
            (None, [(position, fact)]) => {
                self.bind(slot, from, *position, fact);
                self.select(step + 1);
                self.bound.pop();
            }
            (None, several) => {
                let what = self.env.describe(from).unwrap_or_else(|| "the list".to_owned());
                let message: Arc<str> =
                    format!("{} objects where the rule expects one", several.len()).into();
                self.undecided(&Unknown::new(what, Absence::Failed(message), None));
            }
        }
    }

    fn decide(&mut self) {
        for (slot, expr) in &self.rule.lets {
            self.env.new_clause();
            // Who looks on wants to see all of them.
            match self.observer {
                Some(_) => self.env.bind_let(*slot, expr),
                None => self.env.bind_later(*slot, expr),
            }
        }
        if let Some(observer) = self.observer {
            observer.decides(self.env);
        }
        for (that, otherwise) in &self.rule.require {
            self.env.new_clause();
            match self.env.condition(that) {
                Ok(true) => {}
                Ok(false) => return self.otherwise(otherwise),
                Err(unknown) => return self.undecided(&unknown),
            }
        }
        self.env.new_clause();
        match self.env.condition(&self.rule.violated) {
            Ok(true) => {
                let message = self.env.unwatched(|env| self.rule.finding.message.say(env));
                self.violated(message);
            }
            Ok(false) => self.verdict(Outcome::Satisfied, None, None, Vec::new(), None),
            Err(unknown) => self.undecided(&unknown),
        }
    }

    fn otherwise(&mut self, otherwise: &'a Otherwise) {
        if let Some(observer) = self.observer {
            observer.otherwise(otherwise);
        }
        let because = self.env.unwatched(|env| otherwise.because.say(env));
        let see = otherwise.see.as_ref().map(|(see, _)| see.clone());
        match otherwise.outcome {
            Outcome::Violated => self.violated(because),
            Outcome::Undecided => {
                self.note_undecided();
                self.verdict(Outcome::Undecided, Some(because), see, Vec::new(), None);
            }
            outcome => {
                self.verdict(outcome, Some(because), see, Vec::new(), None);
            }
        }
    }

    fn verdict(
        &mut self,
        outcome: Outcome,
        because: Option<String>,
        see: Option<Arc<str>>,
        missing: Vec<Missing>,
        finding: Option<Finding>,
    ) {
        let subject = self.subject();
        let verdict = Verdict { rule: 0, subject, outcome, because, see, missing, finding };
        if let Some(observer) = self.observer {
            observer.verdict(&verdict);
        }
        self.verdicts.push(verdict);
    }

    /// The rule's subject if it is bound, else the object bound last.
    fn subject_id(&self) -> Option<ObjectId> {
        self.proper_subject().or_else(|| self.bound.iter().rev().find_map(|(_, object)| *object))
    }

    fn proper_subject(&self) -> Option<ObjectId> {
        let slot = self.rule.finding.subject;
        self.bound.iter().find(|(bound, _)| *bound == slot).and_then(|(_, object)| *object)
    }

    pub(super) fn subject(&self) -> Subject {
        match self.subject_id() {
            Some(id) => subject(self.view, id),
            None => Subject { kind: self.first_kind(), key: "".into() },
        }
    }

    /// The kind that the rule starts from, for verdicts about objects that were not collected.
    fn first_kind(&self) -> Arc<str> {
        let list = match self.rule.select.first() {
            Some(Binding::Each { list, .. }) => list,
            Some(Binding::One { from, .. }) => from,
            None => return "".into(),
        };
        self.view.facts.model().say(&list.ty).trim_start_matches("list of ").into()
    }

    fn undecided(&mut self, unknown: &Unknown) {
        self.note_undecided();
        let missing = missing(unknown);
        self.verdict(Outcome::Undecided, None, None, missing, None);
    }

    /// Undecided because members of a list may not have been collected.
    fn undecided_list(&mut self, unknown: &Unknown, list: &'a Expr) {
        let mut missing = missing(unknown);
        if let Some(what) = self.env.describe(list) {
            for missing in missing.iter_mut().filter(|missing| missing.gap == "open-collection") {
                missing.fact.clone_from(&what);
            }
        }
        // More members could be more subjects, of which nothing is known.
        match self.proper_subject() {
            Some(_) => self.note_undecided(),
            None => self.result.undecided_anywhere = true,
        }
        self.verdict(Outcome::Undecided, None, None, missing, None);
    }

    /// Remembers for other rules whom an undecided verdict concerns.
    fn note_undecided(&mut self) {
        let Some(id) = self.proper_subject() else {
            self.result.undecided_anywhere = true;
            return;
        };
        self.result.undecided.insert(id);
        if let Some(affects) = &self.rule.finding.affects {
            match self.env.eval(affects) {
                Ok(Value::List(list)) if !is_open(&list) => {
                    for fact in list.items.iter() {
                        match fact {
                            Fact::Known { value: Value::Object(id), .. } => {
                                self.result.undecided.insert(*id);
                            }
                            Fact::Known { .. } => {}
                            Fact::Absent(_) => self.result.undecided_anywhere = true,
                        }
                    }
                }
                _ => self.result.undecided_anywhere = true,
            }
        }
    }
}

fn is_open(list: &List) -> bool {
    matches!(list.reach, Reach::Open(_))
}

/// The facts that would tell.
pub(super) fn facts_of(unknown: &Unknown) -> String {
    let facts: Vec<String> = missing(unknown).into_iter().map(|missing| missing.fact).collect();
    facts.join(", ")
}

/// What is not known, in words.
#[must_use]
pub fn missing(unknown: &Unknown) -> Vec<Missing> {
    let mut missing: Vec<Missing> = unknown.reasons.iter().map(say).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// A reason in words.
fn say(reason: &Reason) -> Missing {
    let (gap, why) = match &reason.why {
        Absence::NotCollected => ("not-collected", "not collected".to_owned()),
        Absence::Dangling(key) => {
            ("dangling-reference", format!("refers to `{key}`, which is not in the facts"))
        }
        Absence::NoCollection(name) => ("no-collection", format!("no `{name}` were collected")),
        Absence::Open(path) if path.contains('[') => {
            ("not-collected", "not known, and it could belong to what is asked for".to_owned())
        }
        Absence::Open(name) => (
            "open-collection",
            format!(
                "there may be more `{name}` than were collected (no file declares them complete)"
            ),
        ),
        Absence::Stale(why) => ("stale", why.to_string()),
        Absence::Failed(why) => ("failed", why.to_string()),
        Absence::Undecided(rule) => ("undecided-rule", format!("the rule `{rule}` is undecided")),
    };
    let instead = match &reason.why {
        Absence::NoCollection(name) => Some(name.to_string()),
        Absence::Open(name) if !name.contains('[') => Some(format!("all {name}")),
        Absence::Dangling(key) => Some(key.to_string()),
        _ => None,
    };
    Missing { fact: reason.what.to_string(), why, gap, place: reason.place, instead }
}
