//! What a violated rule says: message, evidence, consequence and who is affected.

use std::collections::HashSet;

use crate::digest::sha256;
use crate::eval::judge::{Depth, Judge, Standing, is_open};
use crate::eval::subject;
use crate::facts::change::Change;
use crate::facts::value::{Fact, ObjectId, Value, fold};
use crate::finding::{Evidence, Finding, Outcome, Subject};
use crate::rule::Consequence;

impl<'a> Judge<'a, '_> {
    pub(super) fn violated(&mut self, message: String) {
        let affects = self.affects();
        if let Some(id) = self.proper_subject() {
            self.result.violated.insert(id);
        }
        self.result.violated.extend(affects.iter().copied());
        if self.depth != Depth::Whole {
            let (fingerprint, subject) = (self.fingerprint(), self.subject());
            let changes = self.changes();
            let harms = self.harms(&changes, &affects);
            let (objects, likely) =
                if self.rule.stops_perhaps() { (Vec::new(), harms) } else { (harms, Vec::new()) };
            let (changes, later) = if self.rule.stops.is_some() {
                (Vec::new(), changes)
            } else {
                (changes, Vec::new())
            };
            let standing =
                Standing { fingerprint, subject, message, changes, later, objects, likely };
            self.result.standing.push(standing);
            return;
        }
        let mut seen = HashSet::new();
        let affects = affects.into_iter().filter(|id| seen.insert(*id));
        let mut affects: Vec<Subject> = affects.map(|id| subject(self.view, id)).collect();
        affects.sort();
        let finding = Finding {
            message,
            evidence: self.evidence(),
            affects,
            consequence: self.consequence(),
            steps: self.steps(),
            withholds: self.withholds(),
            fingerprint: self.fingerprint(),
        };
        self.verdict(Outcome::Violated, None, None, Vec::new(), Some(finding));
    }

    /// What the rule changes, and the protected objects of which it stops checks.
    fn harms(&self, changes: &[Change], affects: &[ObjectId]) -> Vec<ObjectId> {
        let targets = changes.iter().filter_map(Change::target);
        let mut objects: Vec<ObjectId> = targets.map(|(object, _)| object).collect();
        if self.rule.stops.is_some()
            && let Some((protection, _)) = self.set.protection()
        {
            let all = self.proper_subject().into_iter().chain(affects.iter().copied());
            objects.extend(all.filter(|object| object.kind == protection.kind));
        }
        objects.sort_unstable();
        objects.dedup();
        objects
    }

    fn affects(&mut self) -> Vec<ObjectId> {
        self.env.new_clause();
        let list = self.rule.finding.affects.as_ref().map(|affects| self.env.eval(affects));
        match list {
            Some(Ok(Value::List(list))) => {
                if is_open(&list) {
                    self.result.undecided_anywhere = true;
                }
                let objects = list.items.iter().filter_map(|fact| match fact {
                    Fact::Known { value: Value::Object(id), .. } => Some(*id),
                    _ => None,
                });
                objects.collect()
            }
            Some(_) => {
                self.result.undecided_anywhere = true;
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn evidence(&mut self) -> Vec<Evidence> {
        let mut all = Vec::new();
        for (text, expr) in &self.rule.finding.evidence {
            self.env.new_clause();
            let (value, place) = match self.env.place(expr) {
                Ok((value, place)) => (Some(self.view.facts.say(&value)), place),
                Err(_) => (None, None),
            };
            // A computed value has no path of its own: it is shown as the rule writes it.
            let fact = self.env.describe(expr).unwrap_or_else(|| text.clone());
            all.push(Evidence { fact, value, place });
        }
        all
    }

    /// What becomes of the facts: each with its new value, as text.
    fn consequence(&mut self) -> Vec<(String, String)> {
        let mut all = self.each_consequence(Self::set);
        all.sort();
        all.dedup();
        all
    }

    /// What becomes of the facts.
    fn changes(&mut self) -> Vec<Change> {
        self.each_consequence(|judge, consequence| {
            judge.env.new_clause();
            let (object, path) = judge.env.target(&consequence.set).ok()?;
            let to = match judge.env.eval(&consequence.to) {
                Ok(value) => value.into(),
                Err(unknown) => unknown.into_fact(),
            };
            // A state that is not known is not made known by what would spoil it.
            Some(Change::Set { object, path, to, creates: false })
        })
    }

    fn each_consequence<T>(
        &mut self,
        make: impl Fn(&mut Self, &'a Consequence) -> Option<T>,
    ) -> Vec<T> {
        let mut all = Vec::new();
        for consequence in &self.rule.consequence {
            let Some((slot, list)) = &consequence.each else {
                all.extend(make(self, consequence));
                continue;
            };
            self.env.new_clause();
            if let Ok(Value::List(members)) = self.env.eval(list) {
                for (position, fact) in members.items.iter().enumerate() {
                    if let Fact::Known { value, .. } = fact {
                        self.env.bind_member(*slot, Ok(value.clone()), list, position);
                        all.extend(make(self, consequence));
                    }
                }
            }
        }
        all
    }

    fn set(&mut self, consequence: &'a Consequence) -> Option<(String, String)> {
        self.env.new_clause();
        let fact = self.env.describe(&consequence.set)?;
        let value = match self.env.eval(&consequence.to) {
            Ok(value) => self.view.facts.say(&value),
            Err(_) => "(not known)".to_owned(),
        };
        Some((fact, value))
    }

    fn fingerprint(&mut self) -> String {
        let subject = self.subject();
        let mut text = format!("{}\n{}\n{}", self.rule.id, subject.kind, fold(&subject.key));
        for expr in &self.rule.finding.fingerprint {
            self.env.new_clause();
            let value = match self.env.eval(expr) {
                Ok(value) => fold(&self.view.facts.say(&value)),
                Err(_) => "?".to_owned(),
            };
            text.push('\n');
            text.push_str(&value);
        }
        sha256(text.as_bytes()).chars().take(16).collect()
    }
}
