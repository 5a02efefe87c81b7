//! What is doubtful about rules that load: `dpmguard lint`.
//!
//! Each check has its place in `table`; a module below holds those that look at the same things. A rule, or
//! the `pack.yaml` of its pack, can allow what a check finds, with a reason; what is allowed in vain is
//! found too.

mod cases;
pub mod fix;
mod form;
mod logic;
mod names;
mod reads;
pub mod table;
mod truth;
mod units;

use std::sync::Arc;

use crate::author::suite::Suite;
use crate::diagnostic::{Diagnostic, Level, Place};
use crate::facts::model::Model;
use crate::finding::Severity;
use crate::report::lint::{Check, LooksAt, Problem};
use crate::rule::Rule;
use crate::rule::pack::RuleSet;
use crate::source::{Node, Sources};

use fix::Fix;

/// What a check found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The check.
    pub check: &'static Check,
    /// The rule, where it is about one.
    pub rule: Option<Arc<Rule>>,
    /// What is wrong, and where.
    pub diagnostic: Diagnostic,
    /// How it can be mended.
    pub fix: Option<Fix>,
    /// Why it is allowed.
    pub allowed: Option<String>,
}

impl Found {
    /// As it is reported.
    #[must_use]
    pub fn problem(&self) -> Problem {
        Problem {
            check: self.check.id,
            severity: self.check.severity,
            rule: self.rule.as_ref().map(|rule| rule.id.to_string()),
            diagnostic: self.diagnostic.clone(),
            is_fixable: self.fix.is_some(),
            allowed: self.allowed.clone(),
        }
    }
}

/// What the checks look at.
pub(in crate::author) struct Linter<'a> {
    sources: &'a Sources,
    set: &'a RuleSet,
    model: &'a Model,
    wanted: &'a dyn Fn(&Check) -> bool,
    found: Vec<Found>,
}

impl Linter<'_> {
    /// Remembers what a check found in a rule, unless nobody asked for the check.
    fn add(&mut self, rule: &Arc<Rule>, check: &str, place: Place, message: impl Into<String>) {
        self.push(rule, check, place, message.into(), |one| one);
    }

    /// The same, with more to say about it.
    fn push(
        &mut self,
        rule: &Arc<Rule>,
        check: &str,
        place: Place,
        message: String,
        more: impl FnOnce(Diagnostic) -> Diagnostic,
    ) {
        let Some(check) = table::named(check).filter(|check| (self.wanted)(check)) else { return };
        let diagnostic = more(diagnostic(check, message).at(place));
        let rule = Some(rule.clone());
        self.found.push(Found { check, rule, diagnostic, fix: None, allowed: None });
    }

    /// Says how the problem found last can be mended.
    fn with_fix(&mut self, check: &str, fix: Fix) {
        if let Some(last) = self.found.last_mut().filter(|last| last.check.id == check) {
            last.fix = Some(fix);
        }
    }
}

fn diagnostic(check: &Check, message: String) -> Diagnostic {
    let level = match check.severity {
        Severity::Note => Level::Note,
        Severity::Warning => Level::Warning,
        Severity::Error => Level::Error,
    };
    Diagnostic { level, ..Diagnostic::error(check.id, message) }
}

/// Looks at `rules` of the suite with the checks that are wanted; `loading` is what the loader has against
/// files of the packs.
#[must_use]
pub fn lint(
    suite: &Suite,
    rules: &[Arc<Rule>],
    loading: &[Diagnostic],
    wanted: &dyn Fn(&Check) -> bool,
) -> Vec<Found> {
    let model = &suite.packs.model;
    let (sources, set) = (&suite.sources, &suite.set);
    let mut linter = Linter { sources, set, model, wanted, found: Vec::new() };
    for problem in loading {
        linter.found.extend(from_loader(problem, rules, wanted));
    }
    for rule in rules {
        linter.names(rule);
        linter.form(rule);
        linter.truth(rule);
        linter.units(rule);
    }
    linter.tags(rules);
    if table::CHECKS.iter().any(|check| check.looks_at != LooksAt::Rule && wanted(check)) {
        linter.cases(suite, rules);
    }
    let mut found = linter.found;
    allow(&mut found, suite, rules, wanted);
    let place = |one: &Found| {
        one.diagnostic.place.map(|place| {
            let name = sources.get(place.file).map_or("", |source| source.name());
            (name.to_owned(), place.start)
        })
    };
    found.sort_by_cached_key(|one| (place(one), one.check.id, one.diagnostic.message.clone()));
    found
}

/// Checks of the loader that have a name of their own here; the rule is looked at all the same.
const TOLD_BY_LOADER: [&str; 2] = ["id-not-stem", "severity-over-certainty"];

/// Whether the loader's problem leaves the file unread.
#[must_use]
pub fn is_unreadable(problem: &Diagnostic) -> bool {
    !TOLD_BY_LOADER.contains(&problem.code)
}

fn from_loader(
    problem: &Diagnostic,
    rules: &[Arc<Rule>],
    wanted: &dyn Fn(&Check) -> bool,
) -> Option<Found> {
    let id = if is_unreadable(problem) { "load" } else { problem.code };
    // What cannot be read is told whatever was asked for: nothing else was looked at there.
    let check = table::named(id).filter(|check| check.id == "load" || wanted(check))?;
    let file = problem.place.map(|place| place.file);
    let rule = rules.iter().find(|rule| Some(rule.root.place.file) == file).cloned();
    Some(Found { check, rule, diagnostic: problem.clone(), fix: None, allowed: None })
}

/// An exception that a rule or pack makes.
struct Allowance {
    check: String,
    reason: String,
    place: Place,
    /// The rule that makes it; none for a pack.
    rule: Option<Arc<Rule>>,
    /// Position of the pack.
    pack: usize,
    is_used: bool,
}

fn allow(
    found: &mut Vec<Found>,
    suite: &Suite,
    rules: &[Arc<Rule>],
    wanted: &dyn Fn(&Check) -> bool,
) {
    let mut allowances = allowances(suite, rules);
    for one in found.iter_mut() {
        let Some(rule) = &one.rule else { continue };
        let fits = |known: &&mut Allowance| {
            known.check == one.check.id
                && known.pack == rule.pack
                && known.rule.as_ref().is_none_or(|of| of.id == rule.id)
        };
        // The rule's own exception comes first: that of the pack may then be needed by no other.
        if let Some(known) = allowances.iter_mut().find(fits) {
            known.is_used = true;
            one.allowed = Some(known.reason.clone());
        }
    }
    let Some(unused) = table::named("unused-allowance").filter(|check| wanted(check)) else {
        return;
    };
    for known in allowances.iter().filter(|known| !known.is_used) {
        let check = table::named(&known.check);
        let message = match check {
            // Whether it is needed is not known where nobody looked.
            Some(check) if !wanted(check) => continue,
            Some(_) => format!("`{}` finds nothing here that would need an exception", known.check),
            None => format!("there is no check `{}`", known.check),
        };
        let mut diagnostic = diagnostic(unused, message).at(known.place);
        if check.is_none() {
            let names = table::CHECKS.iter().map(|check| check.id);
            diagnostic = diagnostic.suggest(&known.check, names);
        }
        let rule = known.rule.clone();
        found.push(Found { check: unused, rule, diagnostic, fix: None, allowed: None });
    }
}

/// The exceptions of the rules, then those of their packs.
fn allowances(suite: &Suite, rules: &[Arc<Rule>]) -> Vec<Allowance> {
    let mut all = Vec::new();
    let mut add = |root: &Node, rule: Option<&Arc<Rule>>, pack: usize| {
        let list = root.get("lint").and_then(|lint| lint.get("allow")).and_then(Node::as_list);
        for node in list.unwrap_or_default() {
            let text = |key: &str| node.get(key).and_then(Node::as_str).unwrap_or_default();
            all.push(Allowance {
                check: text("check").to_owned(),
                reason: text("reason").trim().to_owned(),
                place: node.get("check").map_or(node.place, |check| check.place),
                rule: rule.cloned(),
                pack,
                is_used: false,
            });
        }
    };
    for rule in rules {
        add(&rule.root, Some(rule), rule.pack);
    }
    for (position, pack) in suite.set.packs.iter().enumerate() {
        if let Some(root) = pack.root.as_ref().filter(|_| rules.iter().any(|r| r.pack == position))
        {
            add(root, None, position);
        }
    }
    all
}
