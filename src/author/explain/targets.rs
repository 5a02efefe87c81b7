//! Which changes are worth trying: facts that a verdict read, with values that could matter.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::author::explain::counter::{About, Search};
use crate::author::explain::record::{Judged, Keep, Level, Trace};
use crate::author::explain::tries::{Target, Try, json, moved, number, numbers, words};
use crate::author::explain::{Heard, Subject, listen, walk};
use crate::diagnostic::Place;
use crate::expr::eval::Read;
use crate::expr::syntax::Operator;
use crate::expr::tree::ExprKind;
use crate::facts::model::{Field, Origin, Type};
use crate::facts::value::{Absence, Fact, ObjectId, Value};
use crate::finding::Outcome;
use crate::report::explain::Change;
use crate::source::Node;

/// Most values of other objects that are tried for a fact, and most members of a list.
const MOST: usize = 12;
/// Most rules whose own facts are looked into where a rule asks for their outcomes.
const MAX_ASKED: usize = 4;

/// What a value was read from.
#[derive(Clone, PartialEq, Eq)]
enum Source {
    Fact(String),
    Param(String),
}

/// The facts of the documents by path, and the values that fields of one name have.
struct Index<'a> {
    by_path: BTreeMap<String, Vec<(usize, &'a Node)>>,
    by_pattern: BTreeMap<String, Vec<&'a Node>>,
}

/// `databases[].copies[].status`.
fn pattern(path: &str) -> String {
    let mut text = String::new();
    let mut is_inside = false;
    for c in path.chars() {
        match c {
            '[' => is_inside = true,
            ']' => {
                is_inside = false;
                text.push_str("[]");
            }
            c if !is_inside => text.push(c),
            _ => {}
        }
    }
    text
}

struct Finder<'a> {
    search: Search<'a>,
    index: Index<'a>,
    /// The values of `let` of the verdict being looked through.
    lets: Vec<Trace<'a>>,
    rule: &'a crate::rule::Rule,
    /// Whether its parameters may be changed: those of the rule that is explained.
    is_own: bool,
    facts: Vec<Source>,
    objects: Vec<String>,
    collections: BTreeSet<String>,
    tries: Vec<Try>,
    seen: BTreeSet<String>,
}

/// The changes to be tried, in the order in which they are.
pub(super) fn targets<'a>(search: Search<'a>, heard: &Heard<'a>, about: About<'_, 'a>) -> Vec<Try> {
    let mut index = Index { by_path: BTreeMap::new(), by_pattern: BTreeMap::new() };
    walk(search.documents, search.subject.model, &mut |position, path, node| {
        index.by_pattern.entry(pattern(&path)).or_default().push(node);
        index.by_path.entry(path).or_default().push((position, node));
    });
    let mut found = Finder {
        search,
        index,
        lets: Vec::new(),
        rule: search.subject.rule,
        is_own: true,
        facts: Vec::new(),
        objects: Vec::new(),
        collections: BTreeSet::new(),
        tries: Vec::new(),
        seen: BTreeSet::new(),
    };
    match about {
        About::Verdict(one) => found.judged(one, heard),
        About::LeftOut(_) => {
            for fallen in &heard.fallen {
                found.levels(&fallen.levels, heard);
            }
        }
    }
    found.own_values();
    found.removals(about);
    let mut tries = found.tries;
    tries.sort_by_key(|one| one.rank);
    tries
}

impl<'a> Finder<'a> {
    fn judged(&mut self, one: &Judged<'a>, heard: &Heard<'_>) {
        self.lets.clone_from(&one.lets);
        // What decided comes first.
        let clauses = one.violated.iter().chain(one.requires.iter().rev()).chain(&one.lets);
        for trace in clauses {
            self.trace(trace, heard, 0);
        }
        self.levels(&one.levels, heard);
    }

    fn levels(&mut self, levels: &[Level<'_>], heard: &Heard<'_>) {
        for level in levels.iter().rev() {
            if let Some(filter) = level.candidate.as_ref().and_then(|bound| bound.filter.as_ref()) {
                self.trace(filter, heard, 0);
            }
            let step = level.step();
            for one in step.rejected.iter().take(MOST) {
                if let (Some(filter), true) = (&one.filter, level.candidate.is_none()) {
                    self.trace(filter, heard, 0);
                }
            }
            self.trace(&step.list, heard, 0);
        }
    }

    fn trace(&mut self, trace: &Trace<'_>, heard: &Heard<'_>, depth: usize) {
        if let Some(read) = &trace.fact {
            self.read(trace, read);
        }
        if let Err(unknown) = &trace.value {
            for reason in &unknown.reasons {
                if let Absence::Open(name) = &reason.why
                    && self.search.subject.model.kind_in(name).is_some()
                {
                    self.collections.insert(name.to_string());
                }
            }
        }
        match (&trace.expr.kind, trace.below.as_slice()) {
            (ExprKind::Compare(operator, ..), [a, b]) => {
                self.compared(*operator, a, b);
                self.compared(*operator, b, a);
                self.shifted(a, b);
            }
            (ExprKind::In(..), [member, list]) => self.membership(member, list),
            (ExprKind::Host(..) | ExprKind::Script(..), args) if args.len() > 1 => {
                for (position, a) in args.iter().enumerate() {
                    for b in args.iter().enumerate().filter(|(other, _)| *other != position) {
                        self.compared(Operator::Equal, a, b.1);
                    }
                }
            }
            (ExprKind::AnyViolated(tag, _), [object]) if depth == 0 || self.is_own => {
                if let Ok(Value::Object(id)) = object.value {
                    self.asked(tag, id, trace, heard);
                }
            }
            _ => {}
        }
        for part in &trace.below {
            self.trace(part, heard, depth + 1);
        }
    }

    /// Notes the fact that was read, or what a derived one follows from.
    fn read(&mut self, trace: &Trace<'_>, read: &Read) {
        if let Some(source) = self.source(trace) {
            self.note(source);
        }
        let Some((id, position)) = read.field else { return };
        let (facts, model) = (self.search.run.facts, self.search.subject.model);
        self.object(id);
        let Some(kind) = model.kind(id.kind) else { return };
        let path = |field: usize| {
            let field = kind.record.fields.get(field)?;
            Some(format!("{}[{}].{}", kind.collection, facts.key(id), field.name))
        };
        match kind.record.fields.get(position).map(|field| &field.origin) {
            Some(Origin::Within { path: of, .. }) => {
                if let Some(path) = path(*of) {
                    self.note(Source::Fact(path));
                }
            }
            Some(Origin::Inverse { kind: from, field }) => {
                let Ok(Value::List(list)) = &trace.value else { return };
                let name = model.kind(*from).and_then(|from| from.record.fields.get(*field));
                for fact in list.items.iter().take(MOST) {
                    if let (Fact::Known { value: Value::Object(id), .. }, Some(name)) = (fact, name)
                    {
                        self.object(*id);
                        let path = format!("{}.{}", self.path_of(*id), name.name);
                        self.note(Source::Fact(path));
                    }
                }
            }
            _ => {}
        }
    }

    fn path_of(&self, id: ObjectId) -> String {
        let facts = self.search.run.facts;
        let collection = facts.kind_of(id).map(|kind| kind.collection.clone()).unwrap_or_default();
        format!("{collection}[{}]", facts.key(id))
    }

    fn object(&mut self, id: ObjectId) {
        let path = self.path_of(id);
        if !self.objects.contains(&path) {
            self.objects.push(path);
        }
    }

    fn note(&mut self, source: Source) {
        if !self.facts.contains(&source) {
            self.facts.push(source);
        }
    }

    /// The fact or parameter that a value is, by whatever names.
    fn source(&self, trace: &Trace<'_>) -> Option<Source> {
        match &trace.expr.kind {
            ExprKind::Field { base, name, .. } if matches!(base.kind, ExprKind::Variable(0)) => {
                self.is_own.then(|| Source::Param(name.to_string()))
            }
            ExprKind::Field { .. } | ExprKind::Single(_) => {
                let read = trace.fact.as_ref()?;
                let path = read.place.and_then(|place| self.search.run.paths.get(&place));
                path.or(read.path.as_ref()).cloned().map(Source::Fact)
            }
            ExprKind::Variable(slot) => {
                let position = self.rule.lets.iter().position(|(known, _)| known == slot)?;
                self.source(self.lets.get(position)?)
            }
            ExprKind::Get(..) | ExprKind::Coalesce(..) => self.source(trace.below.first()?),
            _ => None,
        }
    }

    /// Tries for what `a` was read from the value that it was compared with, and values beside it.
    fn compared(&mut self, operator: Operator, a: &Trace<'_>, b: &Trace<'_>) {
        let (Some(source), Ok(value)) = (self.source(a), &b.value) else { return };
        let Some(plain) = json(value) else { return };
        self.value(&source, &plain);
        if !matches!(operator, Operator::Equal | Operator::NotEqual) {
            for by in [-1, 1] {
                if let Some(beside) = moved(value, by) {
                    self.value(&source, &beside);
                }
            }
        }
    }

    /// Tries for numbers under both sides what makes the sides equal, and just unequal.
    fn shifted(&mut self, a: &Trace<'_>, b: &Trace<'_>) {
        let (Some(left), Some(right)) = (number(&a.value), number(&b.value)) else { return };
        let by = left.saturating_sub(right);
        for side in [a, b] {
            let mut parts = Vec::new();
            self.numbers(side, &mut parts, 0);
            for (source, value) in parts {
                for step in [by, by.saturating_neg()] {
                    for beside in [-1, 0, 1] {
                        if let Some(json) = moved(&value, step.saturating_add(beside)) {
                            self.value(&source, &json);
                        }
                    }
                }
            }
        }
    }

    /// The numbers and instants that a value was worked out from.
    fn numbers(&self, trace: &Trace<'_>, found: &mut Vec<(Source, Value)>, depth: usize) {
        if depth > MOST || found.len() > MOST {
            return;
        }
        if let (Some(source), Ok(value)) = (self.source(trace), &trace.value) {
            if number(&trace.value).is_some() {
                found.push((source, value.clone()));
            }
            return;
        }
        if let ExprKind::Variable(slot) = &trace.expr.kind {
            let position = self.rule.lets.iter().position(|(known, _)| known == slot);
            if let Some(value) = position.and_then(|position| self.lets.get(position)) {
                self.numbers(value, found, depth + 1);
            }
        }
        for part in &trace.below {
            self.numbers(part, found, depth + 1);
        }
    }

    /// Tries to put a member into a list or to take it out, and to make it one of the list's members.
    fn membership(&mut self, member: &Trace<'_>, list: &Trace<'_>) {
        let Ok(Value::List(known)) = &list.value else { return };
        let known: Vec<Json> = known
            .items
            .iter()
            .filter_map(|fact| match fact {
                Fact::Known { value, .. } => json(value),
                Fact::Absent(_) => None,
            })
            .collect();
        if let Some(source) = self.source(member) {
            for value in known.iter().take(MOST) {
                self.value(&source, value);
            }
        }
        if let (Some(source), Ok(value)) = (self.source(list), &member.value)
            && let Some(value) = json(value)
        {
            let is_it = |other: &Json| words(other).to_lowercase() == words(&value).to_lowercase();
            let without: Vec<Json> = known.iter().filter(|other| !is_it(other)).cloned().collect();
            let changed = if without.len() < known.len() {
                without
            } else {
                known.into_iter().chain([value.clone()]).collect()
            };
            self.value(&source, &Json::from(changed));
        }
    }

    /// Looks into the rules that an `any_violated` goes by.
    fn asked(&mut self, tag: &str, id: ObjectId, trace: &Trace<'_>, heard: &Heard<'_>) {
        let wanted = match trace.value {
            Ok(Value::Bool(true)) => Outcome::Violated,
            Err(_) => Outcome::Undecided,
            _ => return,
        };
        let Search { subject, run, .. } = self.search;
        let key = run.facts.key(id);
        let mut rules: Vec<String> = Vec::new();
        for verdict in heard.evaluation.verdicts.iter().filter(|one| one.outcome == wanted) {
            let Some(rule) = heard.evaluation.rule(verdict) else { continue };
            let concerns = verdict.subject.key == key
                || verdict.finding.iter().flat_map(|one| &one.affects).any(|one| one.key == key);
            let is_asked = rule.tags.iter().any(|known| known == tag);
            if concerns && is_asked && !rules.contains(&rule.id.to_string()) {
                rules.push(rule.id.to_string());
            }
        }
        for rule in rules.iter().take(MAX_ASKED).filter_map(|rule| subject.set.rule(rule)) {
            let other = listen(Subject { rule, ..subject }, run, Keep::Object(id));
            let lets = std::mem::take(&mut self.lets);
            let own = (
                std::mem::replace(&mut self.rule, rule),
                std::mem::replace(&mut self.is_own, false),
            );
            for one in other.judged.iter().filter(|one| one.verdict.outcome == wanted) {
                self.judged(one, &other);
            }
            (self.rule, self.is_own) = own;
            self.lets = lets;
        }
    }

    /// For each fact that was read: the other values that its type allows, and those that the same field has
    /// elsewhere.
    fn own_values(&mut self) {
        for source in self.facts.clone() {
            let ty = match &source {
                Source::Fact(path) => match self.field(path) {
                    Some(field) => field.ty.clone(),
                    None => continue,
                },
                Source::Param(name) => match self.param(name) {
                    Some(param) => param.ty.clone(),
                    None => continue,
                },
            };
            match ty.required() {
                Type::Bool => {
                    self.value(&source, &Json::from(true));
                    self.value(&source, &Json::from(false));
                }
                Type::Enum(members) => {
                    for member in members.iter() {
                        self.value(&source, &Json::from(&**member));
                    }
                }
                _ => {}
            }
            if let Source::Fact(path) = &source {
                let nodes = self.index.by_pattern.get(&pattern(path));
                let mut others: Vec<Json> = Vec::new();
                for node in nodes.into_iter().flatten() {
                    let other = node.to_json();
                    // What holds records is changed within.
                    let is_plain = match &other {
                        Json::Array(items) => !items.iter().any(Json::is_object),
                        other => !other.is_object(),
                    };
                    if is_plain && !others.contains(&other) && others.len() < MOST {
                        others.push(other);
                    }
                }
                for other in others {
                    self.value(&source, &other);
                }
            }
            if matches!(ty, Type::Optional(_)) {
                self.value(&source, &Json::Null);
            }
        }
    }

    fn removals(&mut self, about: About<'_, '_>) {
        let subject = match about {
            About::Verdict(one) => {
                let model = self.search.subject.model;
                let kind = model.kind_named(&one.verdict.subject.kind);
                kind.map(|kind| format!("{}[{}]", kind.collection, one.verdict.subject.key))
            }
            About::LeftOut(id) => Some(self.path_of(id)),
        };
        for path in std::mem::take(&mut self.objects) {
            if Some(&path) != subject.as_ref() {
                self.removal(&path);
            }
        }
        for source in self.facts.clone() {
            // The member of a list that the fact belongs to.
            if let Source::Fact(path) = source
                && let Some((member, _)) =
                    path.rsplit_once("].").filter(|(head, _)| head.contains(']'))
            {
                self.removal(&format!("{member}]"));
            }
        }
        for name in std::mem::take(&mut self.collections) {
            let change = self.change("complete", &name, None, None);
            let place = self.search.subject.rule.root.place;
            let target = Target::Complete(name);
            self.tries.push(Try {
                target,
                to: None,
                change,
                rank: 2,
                numbers: None,
                is_time: false,
                place,
            });
        }
    }

    fn removal(&mut self, path: &str) {
        let Some(known) = self.index.by_path.get(path) else { return };
        let Some((_, node)) = known.first() else { return };
        let (place, files) = (node.place, known.iter().map(|(position, _)| *position).collect());
        if !self.seen.insert(format!("remove {path}")) {
            return;
        }
        let change = self.change("remove", path, Some("there".to_owned()), Some(place));
        let target = Target::Object { path: path.to_owned(), files };
        self.tries.push(Try {
            target,
            to: None,
            change,
            rank: 4,
            numbers: None,
            is_time: false,
            place,
        });
    }

    fn change(
        &self,
        kind: &'static str,
        path: &str,
        from: Option<String>,
        place: Option<Place>,
    ) -> Change {
        let place = place.map(|place| self.search.subject.place_of(place));
        Change { kind, path: path.to_owned(), from, to: None, json: None, place, or: Vec::new() }
    }

    /// Plans to try a value.
    fn value(&mut self, source: &Source, to: &Json) {
        match source {
            Source::Fact(path) => self.fact(path, to),
            Source::Param(name) => self.parameter(name, to),
        }
    }

    fn fact(&mut self, path: &str, to: &Json) {
        let Some(field) = self.field(path) else { return };
        let (is_reference, is_time) =
            (matches!(field.origin, Origin::Reference { .. }), *field.ty.required() == Type::Time);
        let known = self.index.by_path.get(path);
        let now = known.and_then(|known| known.first()).map(|(_, node)| (*node).clone());
        // A fact that is missing goes into the first file that has its object.
        let holders = if let Some(known) = known {
            known.clone()
        } else {
            let object = path.rsplit_once('.').map_or("", |(object, _)| object);
            let found = self.index.by_path.get(object);
            found.into_iter().flatten().take(1).copied().collect()
        };
        let Some(place) =
            now.as_ref().or(holders.first().map(|(_, node)| *node)).map(|node| node.place)
        else {
            return;
        };
        let from = now.as_ref().map(Node::to_json);
        if from.as_ref() == Some(to) || !self.seen.insert(format!("{path} {to}")) {
            return;
        }
        let mut change = self.change("set", path, from.as_ref().map(words), Some(place));
        change.to = Some(words(to));
        change.json = Some(to.clone());
        let rank = u8::from(to.is_null() || to.is_array() || is_reference);
        let numbers = numbers(from.as_ref(), to, is_time);
        let files = holders.iter().map(|(position, _)| *position).collect();
        let target = Target::Fact { path: path.to_owned(), files };
        let to = Some(Node::from_json(to, place));
        self.tries.push(Try { target, to, change, rank, numbers, is_time, place });
    }

    fn param(&self, name: &str) -> Option<&'a crate::rule::Param> {
        self.search.subject.rule.params.iter().find(|param| &*param.name == name)
    }

    fn parameter(&mut self, name: &str, to: &Json) {
        let Some(param) = self.param(name) else { return };
        let from: Option<Json> = serde_json::from_str(&param.written).ok();
        let path = format!("{}.{name}", self.search.subject.rule.id);
        if from.as_ref() == Some(to) || !self.seen.insert(format!("{path} {to}")) {
            return;
        }
        let place = self.search.subject.rule.root.place;
        let is_time = *param.ty.required() == Type::Time;
        let mut change = self.change("parameter", &path, from.as_ref().map(words), None);
        change.to = Some(words(to));
        change.json = Some(to.clone());
        let numbers = numbers(from.as_ref(), to, is_time);
        let to = Some(Node::from_json(to, place));
        let target = Target::Param(name.to_owned());
        self.tries.push(Try { target, to, change, rank: 3, numbers, is_time, place });
    }

    /// The field at the end of a path; none for keys, whose change makes another object.
    fn field(&self, path: &str) -> Option<&'a Field> {
        let model = self.search.subject.model;
        let (head, rest) = if let Some((collection, rest)) = path.split_once('[') {
            let kind = model.kind_in(collection)?;
            let (_, rest) = rest.split_once("].")?;
            let (position, field) = kind.record.field(rest.split(['.', '[']).next()?)?;
            if kind.key.iter().any(|(key, _)| *key == position) {
                return None;
            }
            (field, rest)
        } else {
            let name = path.split('.').next()?;
            (model.singles().iter().find(|field| &*field.name == name)?, path)
        };
        if !matches!(head.origin, Origin::Read | Origin::Reference { .. }) {
            return None;
        }
        rest.split('.').skip(1).try_fold(head, |field, name| {
            let record = match field.ty.required() {
                Type::Record(record) => record,
                Type::List(item) => match item.required() {
                    Type::Record(record) => record,
                    _ => return None,
                },
                _ => return None,
            };
            record.field(name.split('[').next()?).map(|(_, field)| field)
        })
    }
}
