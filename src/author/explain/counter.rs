//! What would have to change for another outcome: found by trying changes of single facts.
//!
//! Only what the verdict read is changed (`targets`); each change is made to the fact file, the files are
//! united again and the rule is judged again. What breaks the facts is not shown. Nothing is proven: what
//! was not tried may do it too, and the answer says how much was tried.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::author::explain::record::{Judged, Keep};
use crate::author::explain::targets::targets;
use crate::author::explain::tries::{Target, Try, probes};
use crate::author::explain::{Heard, Run, Subject, listen};
use crate::author::patch::{self, FactPath, Patch};
use crate::diagnostic::FileId;
use crate::eval;
use crate::facts::merge::merge;
use crate::facts::store::Facts;
use crate::facts::value::{ObjectId, fold};
use crate::finding::Outcome;
use crate::report::explain::{Change, Counterfactual, Counterfactuals, SideEffect};
use crate::rule::clause::Override;
use crate::rule::pack::RuleSet;
use crate::schema::Schema;
use crate::source::Node;

/// Most other verdicts that are listed beside a change.
const MAX_EFFECTS: usize = 8;
/// Most changes for which the verdicts of all rules are compared.
const MAX_COMPARED: usize = 60;

/// What a search is made with.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// The rule.
    pub subject: Subject<'a>,
    /// The facts.
    pub run: Run<'a>,
    /// The files that the facts were united from.
    pub documents: &'a [(FileId, Node)],
    /// The schema of fact files.
    pub schema: &'a Schema,
    /// The schema of rules.
    pub rule_schema: &'a Schema,
    /// The parameters that the user set.
    pub overrides: &'a [Override],
    /// The outcome looked for; none for whatever is the opposite.
    pub wanted: Option<Outcome>,
    /// How many changes are shown.
    pub most: usize,
    /// How many changes are tried.
    pub budget: usize,
    /// Whether the verdicts of all rules are compared.
    pub all_rules: bool,
}

/// Of which verdict the outcome is to change.
#[derive(Clone, Copy, Debug)]
pub enum About<'a, 'r> {
    /// One that was given.
    Verdict(&'a Judged<'r>),
    /// The lack of one for an object.
    LeftOut(ObjectId),
}

/// The verdicts of the rule: what was bound and about what, with the outcome.
type Verdicts = Vec<(Vec<String>, String, Outcome)>;

/// The worst outcome by rule and subject.
type Worst = BTreeMap<(String, String), Outcome>;

/// A change that gave another outcome.
struct Hit {
    tries: Vec<usize>,
    outcome: Outcome,
    effects: Vec<SideEffect>,
}

struct Searcher<'a, 'r> {
    search: Search<'r>,
    about: About<'a, 'r>,
    wanted: Vec<Outcome>,
    before: Verdicts,
    tries: Vec<Try>,
    hits: Vec<Hit>,
    tried: usize,
    pairs: usize,
}

/// Looks for the nearest changes; `heard` was listened to with everything kept of what it is about.
#[must_use]
pub fn search<'r>(search: Search<'r>, heard: &Heard<'r>, about: About<'_, 'r>) -> Counterfactuals {
    let wanted = match (search.wanted, about) {
        (Some(outcome), _) => vec![outcome],
        (None, About::LeftOut(_)) => Vec::new(),
        (None, About::Verdict(one)) => opposite(one.verdict.outcome),
    };
    let is_so = matches!((search.wanted, about), (Some(wanted), About::Verdict(one)) if one.verdict.outcome == wanted);
    let tries = if is_so { Vec::new() } else { targets(search, heard, about) };
    let mut searcher = Searcher {
        search,
        about,
        wanted,
        before: verdicts(&heard.judged),
        tries,
        hits: Vec::new(),
        tried: 0,
        pairs: 0,
    };
    searcher.singles();
    if searcher.hits.is_empty() {
        searcher.pairs();
    }
    Counterfactuals { is_so, ..searcher.answer() }
}

/// The outcomes that say the opposite.
fn opposite(outcome: Outcome) -> Vec<Outcome> {
    match outcome {
        Outcome::Violated => vec![Outcome::Satisfied, Outcome::NotApplicable],
        Outcome::Satisfied => vec![Outcome::Violated],
        Outcome::NotApplicable => vec![Outcome::Violated, Outcome::Satisfied],
        Outcome::Undecided => {
            vec![Outcome::Satisfied, Outcome::Violated, Outcome::NotApplicable]
        }
    }
}

fn verdicts(judged: &[Judged<'_>]) -> Verdicts {
    let verdict = |one: &Judged<'_>| {
        (one.signature.clone(), one.verdict.subject.key.to_string(), one.verdict.outcome)
    };
    judged.iter().map(verdict).collect()
}

impl Searcher<'_, '_> {
    fn singles(&mut self) {
        let mut position = 0;
        while position < self.tries.len() && self.tried < self.search.budget {
            self.single(position);
            position += 1;
        }
        self.thresholds();
    }

    /// Tries one change; whether it gives an outcome that is wanted.
    fn single(&mut self, position: usize) -> bool {
        self.tried += 1;
        self.attempt(vec![position])
    }

    /// For numbers and instants the nearest value that does it; where none was met, wide steps first.
    fn thresholds(&mut self) {
        let mut seen = BTreeSet::new();
        let numbers: Vec<Try> = self
            .tries
            .iter()
            .filter(|one| one.number().is_some() && seen.insert(one.change.path.clone()))
            .cloned()
            .collect();
        for first in numbers {
            if let Some(position) = self.nearest_hit(&first.change.path) {
                self.nearer(position);
                continue;
            }
            for probe in probes(&first) {
                if self.tried >= self.search.budget {
                    return;
                }
                self.tries.push(probe);
                let position = self.tries.len() - 1;
                if self.single(position) {
                    self.nearer(position);
                    break;
                }
            }
        }
    }

    /// Of the numbers of a fact that gave another outcome the one nearest to the present one.
    fn nearest_hit(&self, path: &str) -> Option<usize> {
        let tries = self.hits.iter().filter_map(|hit| hit.tries.first());
        let known = tries.filter_map(|position| Some((*position, self.tries.get(*position)?)));
        let own = known.filter(|(_, one)| one.change.path == path && one.number().is_some());
        own.min_by_key(|(_, one)| one.distance()).map(|(position, _)| position)
    }

    /// Halves the way between the present value and one that gives another outcome.
    fn nearer(&mut self, position: usize) {
        let Some(found) = self.tries.get(position).cloned() else { return };
        let Some((mut here, mut there)) = found.number() else { return };
        for _ in 0..64 {
            let Some(way) = there.checked_sub(here).filter(|way| way.abs() > 1) else { return };
            let middle = here + way / 2;
            if self.tried >= self.search.budget {
                return;
            }
            let Some(one) = found.with(middle) else { return };
            self.tries.push(one);
            if self.single(self.tries.len() - 1) {
                there = middle;
            } else {
                here = middle;
            }
        }
    }

    /// Pairs of changes, those first that stand first on their own.
    fn pairs(&mut self) {
        let count = self.tries.len();
        for sum in 1..count.saturating_mul(2) {
            for first in sum.saturating_sub(count - 1)..=(sum - 1) / 2 {
                let second = sum - first;
                if second >= count || first == second {
                    continue;
                }
                if self.tried + self.pairs >= self.search.budget {
                    return;
                }
                let same = match (self.tries.get(first), self.tries.get(second)) {
                    (Some(a), Some(b)) => a.change.path == b.change.path,
                    _ => true,
                };
                if !same {
                    self.pairs += 1;
                    self.attempt(vec![first, second]);
                }
            }
            if self.hits.len() >= self.search.most {
                return;
            }
        }
    }

    fn attempt(&mut self, tries: Vec<usize>) -> bool {
        let Some(changed) = self.changed(&tries) else { return false };
        let after = self.judge(&changed);
        let Some(outcome) = self.outcome(&after) else { return false };
        let is_wanted = match self.about {
            About::Verdict(one) => outcome != one.verdict.outcome,
            About::LeftOut(_) => true,
        };
        if !is_wanted || !(self.wanted.is_empty() || self.wanted.contains(&outcome)) {
            return false;
        }
        // The schema is asked last: most changes do nothing.
        if !changed.files.iter().all(|position| {
            let document = changed.documents.get(*position);
            document.is_some_and(|(_, root)| self.search.schema.check(root).is_empty())
        }) {
            return false;
        }
        let effects = self.effects(&after);
        self.hits.push(Hit { tries, outcome, effects });
        true
    }

    /// The facts and rules after changes; none if they cannot be made, or break something.
    fn changed(&self, tries: &[usize]) -> Option<Changed> {
        let mut documents = self.search.documents.to_vec();
        let mut overrides: Vec<Override> = Vec::new();
        let mut files = BTreeSet::new();
        for one in tries.iter().filter_map(|position| self.tries.get(*position)) {
            match &one.target {
                Target::Param(name) => {
                    let value = one.to.clone()?;
                    overrides.push(Override {
                        of: self.search.subject.rule.id.to_string(),
                        param: name.clone(),
                        key_place: value.place,
                        value,
                    });
                }
                target => {
                    let made = made(&mut documents, target, one.to.as_ref(), &self.search)?;
                    files.extend(made);
                }
            }
        }
        let model = self.search.run.facts.model();
        let facts = if files.is_empty() {
            self.search.run.facts.clone()
        } else {
            Arc::new(merge(model, &documents).ok()?.0)
        };
        let set = if overrides.is_empty() {
            self.search.subject.set.clone()
        } else {
            let Search { subject, rule_schema, .. } = self.search;
            let all: Vec<Override> =
                self.search.overrides.iter().cloned().chain(overrides).collect();
            let root = &subject.rule.root;
            subject
                .set
                .with_rule(subject.rule, root, subject.sources, model, rule_schema, &all)
                .ok()?
        };
        Some(Changed { documents, files, facts, set })
    }

    fn judge(&self, changed: &Changed) -> Verdicts {
        let Some(rule) = changed.set.rule(&self.search.subject.rule.id) else {
            return Vec::new();
        };
        let subject = Subject { set: &changed.set, rule, ..self.search.subject };
        let run = Run { facts: &changed.facts, ..self.search.run };
        verdicts(&listen(subject, run, Keep::Nothing).judged)
    }

    /// The outcome of the verdict in question.
    fn outcome(&self, after: &Verdicts) -> Option<Outcome> {
        match self.about {
            About::Verdict(one) => {
                let key = fold(&one.verdict.subject.key);
                let exact =
                    after.iter().find(|known| known.0 == one.signature && fold(&known.1) == key);
                let near = || {
                    let mut all = after.iter().filter(|known| is_alike(&known.0, &one.signature));
                    let first = all.next();
                    first.filter(|_| all.next().is_none())
                };
                exact.or_else(near).map(|known| known.2)
            }
            About::LeftOut(id) => {
                let facts = self.search.run.facts;
                let kind = facts.kind_of(id).map_or("", |kind| &kind.name);
                let (key, kind) = (fold(&facts.key(id)), kind.to_owned());
                let name = format!("{kind} {key}");
                let found = after.iter().find(|known| known.0.contains(&name));
                found.map(|known| known.2)
            }
        }
    }

    /// Other verdicts of the rule that are not what they were.
    fn effects(&self, after: &Verdicts) -> Vec<SideEffect> {
        let own = match self.about {
            About::Verdict(one) => one.signature.as_slice(),
            About::LeftOut(_) => &[],
        };
        let rule = self.search.subject.rule.id.to_string();
        let table = |verdicts: &Verdicts| {
            let rows = verdicts.iter().filter(|known| !is_alike(&known.0, own) || own.is_empty());
            rows.map(|(bound, key, outcome)| ((bound.clone(), key.clone()), *outcome))
                .collect::<BTreeMap<_, _>>()
        };
        let mut effects: Vec<SideEffect> = differences(&table(&self.before), &table(after))
            .into_iter()
            .map(|((_, subject), from, to)| SideEffect { rule: rule.clone(), subject, from, to })
            .collect();
        effects.sort();
        effects.dedup();
        effects
    }

    /// Verdicts of all rules that are not what they were.
    fn all_effects(&self, tries: &[usize], before: &Worst) -> Vec<SideEffect> {
        let Some(changed) = self.changed(tries) else { return Vec::new() };
        let own = match self.about {
            About::Verdict(one) => one.verdict.subject.key.to_string(),
            About::LeftOut(id) => self.search.run.facts.key(id).to_string(),
        };
        let rule = &self.search.subject.rule.id;
        differences(before, &self.worst(&changed.facts, &changed.set))
            .into_iter()
            .filter(|((of, subject), ..)| **of != **rule || *subject != own)
            .map(|((rule, subject), from, to)| SideEffect { rule, subject, from, to })
            .collect()
    }

    /// The verdicts of all rules: of several about a subject the worst.
    fn worst(&self, facts: &Arc<Facts>, set: &RuleSet) -> Worst {
        let run = self.search.run;
        let evaluation = eval::evaluate(facts, set, run.now, run.max_age, &|_| true);
        let mut rows = Worst::new();
        for verdict in &evaluation.verdicts {
            let rule = evaluation.rule(verdict).map(|rule| rule.id.to_string());
            let key = (rule.unwrap_or_default(), verdict.subject.key.to_string());
            let worst = rows.entry(key).or_insert(verdict.outcome);
            *worst = (*worst).min(verdict.outcome);
        }
        rows
    }

    fn answer(mut self) -> Counterfactuals {
        let mut hits = std::mem::take(&mut self.hits);
        if self.search.all_rules {
            let before = self.worst(self.search.run.facts, self.search.subject.set);
            for hit in hits.iter_mut().take(MAX_COMPARED) {
                hit.effects = self.all_effects(&hit.tries, &before);
            }
        }
        let rank = |hit: &Hit| {
            let tries = hit.tries.iter().filter_map(|position| self.tries.get(*position));
            let kind = tries.clone().map(|one| one.rank).max();
            let distance: u64 =
                tries.map(Try::distance).fold(0, |sum: u64, one| sum.saturating_add(one));
            let outcome = self.wanted.iter().position(|known| *known == hit.outcome);
            (kind, outcome, hit.effects.len(), hit.tries.first().copied(), distance)
        };
        hits.sort_by_key(rank);
        let nearest = self.united(&hits);
        Counterfactuals {
            wanted: self.wanted.iter().map(|one| one.name()).collect(),
            is_so: false,
            tried: self.tried,
            pairs_tried: self.pairs,
            is_cut: self.tried + self.pairs >= self.search.budget,
            found: nearest.len(),
            nearest: nearest.into_iter().take(self.search.most).collect(),
        }
    }

    /// One for each fact and outcome: of numbers the nearest, of other values the first, with the others
    /// that do it too.
    fn united(&self, hits: &[Hit]) -> Vec<Counterfactual> {
        let mut all: Vec<Counterfactual> = Vec::new();
        let mut distances: Vec<u64> = Vec::new();
        for hit in hits {
            let tries = || hit.tries.iter().filter_map(|position| self.tries.get(*position));
            let changes: Vec<Change> = tries().map(|one| one.change.clone()).collect();
            let distance = tries().map(Try::distance).max().unwrap_or(0);
            let known = all.iter_mut().zip(&mut distances).find(|(known, _)| {
                known.outcome == hit.outcome.name()
                    && known.changes.len() == changes.len()
                    && known
                        .changes
                        .iter()
                        .zip(&changes)
                        .all(|(a, b)| a.path == b.path && a.kind == b.kind)
            });
            let is_number = tries().all(|one| one.number().is_some());
            match known {
                Some((known, nearest)) if is_number => {
                    if distance < *nearest {
                        *nearest = distance;
                        *known = counterfactual(changes, hit);
                    }
                }
                Some((known, _)) => {
                    for (known, new) in known.changes.iter_mut().zip(changes) {
                        let is_new = new.to != known.to
                            && !known.or.iter().any(|or| Some(or) == new.to.as_ref());
                        if is_new && known.or.len() < 5 {
                            known.or.extend(new.to);
                        }
                    }
                }
                None => {
                    all.push(counterfactual(changes, hit));
                    distances.push(distance);
                }
            }
        }
        all
    }
}

fn counterfactual(changes: Vec<Change>, hit: &Hit) -> Counterfactual {
    Counterfactual {
        changes,
        outcome: hit.outcome.name(),
        side_effects: hit.effects.iter().take(MAX_EFFECTS).cloned().collect(),
        more_side_effects: hit.effects.len().saturating_sub(MAX_EFFECTS),
    }
}

/// The facts and rules after a change.
struct Changed {
    documents: Vec<(FileId, Node)>,
    /// Positions of the documents that changed.
    files: BTreeSet<usize>,
    facts: Arc<Facts>,
    set: RuleSet,
}

/// Makes a change in every document that holds the fact; the answer are their positions.
fn made(
    documents: &mut [(FileId, Node)],
    target: &Target,
    to: Option<&Node>,
    search: &Search<'_>,
) -> Option<Vec<usize>> {
    let model = search.run.facts.model();
    let mut changed = Vec::new();
    match target {
        Target::Fact { path, files } | Target::Object { path, files } => {
            for position in files {
                let (_, root) = documents.get_mut(*position)?;
                let path = FactPath::parse(path, root.place).ok()?;
                let change = match to {
                    Some(to) => Patch::Set { path, to: to.clone() },
                    None => Patch::Remove { path },
                };
                patch::apply(root, &change, model).ok()?;
                changed.push(*position);
            }
        }
        Target::Complete(name) => {
            for (position, (_, root)) in documents.iter_mut().enumerate() {
                if root.get(name).is_some() {
                    patch::complete(root, name)?;
                    changed.push(position);
                }
            }
        }
        Target::Param(_) => {}
    }
    (!changed.is_empty()).then_some(changed)
}

/// Whether two verdicts are about the same objects, as far as both got.
fn is_alike(a: &[String], b: &[String]) -> bool {
    let mut pairs = a.iter().zip(b);
    let is_bound = a.first().is_some_and(|first| !first.is_empty());
    is_bound && pairs.all(|(a, b)| a.is_empty() || b.is_empty() || a == b)
}

/// Keys whose outcome differs, with both.
fn differences<K: Ord + Clone>(
    before: &BTreeMap<K, Outcome>,
    after: &BTreeMap<K, Outcome>,
) -> Vec<(K, Option<&'static str>, Option<&'static str>)> {
    let keys: BTreeSet<&K> = before.keys().chain(after.keys()).collect();
    let row = |key: &K| {
        let (from, to) = (before.get(key), after.get(key));
        let name = |outcome: Option<&Outcome>| outcome.map(|outcome| outcome.name());
        (from != to).then(|| (key.clone(), name(from), name(to)))
    };
    keys.into_iter().filter_map(row).collect()
}
