//! How much of the rules their cases reach: for people, as JSON and LCOV, and as a listing of a rule file.

mod human;
mod listing;
mod machine;

use serde::Serialize;

pub use human::text as show;
pub use listing::listing;
pub use machine::{json, lcov};

/// How much of the rules their cases reach.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    /// The rules, by id.
    pub rules: Vec<RuleCoverage>,
    /// What must be reached at least.
    pub least: Least,
    /// Whether only the listings are shown to a person.
    pub is_brief: bool,
    /// The rule files to list, by id.
    pub annotate: Vec<String>,
}

/// What must be reached at least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Least {
    /// Of all points of all rules, in per cent.
    pub percent: Option<u8>,
    /// Of the points of each rule, in per cent.
    pub percent_of_each: Option<u8>,
    /// Of the outcomes of each rule; of a rule that can have fewer, all.
    pub outcomes: Option<u8>,
}

/// How much of a rule its cases reach.
#[derive(Clone, Debug)]
pub struct RuleCoverage {
    /// Its id.
    pub id: String,
    /// Its file, as it is called.
    pub file: String,
    /// The lines of the file.
    pub lines: Vec<String>,
    /// How many cases were judged by it.
    pub cases: usize,
    /// The four outcomes, with how many verdicts had each.
    pub outcomes: Vec<State>,
    /// The points of its clauses, in the order of the file.
    pub points: Vec<Point>,
}

/// Something in a clause that can go one way or the other.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// Where the clause stands in the rule: `require[0].that`.
    pub clause: String,
    /// What it is.
    pub what: What,
    /// Its text.
    pub text: String,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// Line in which it ends.
    pub end_line: u32,
    /// Column behind its end.
    pub end_column: u32,
    /// The ways it can go.
    pub states: Vec<State>,
}

/// What a point is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A condition, or a part of one: true, false.
    Condition,
    /// A value with a name: known.
    Value,
    /// The candidates of a step of `select`: none, one, several fitted.
    Candidates,
    /// An `if_none` or `else`: taken.
    Exit,
}

/// A way that a point can go.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    /// Its name: `true`.
    pub name: &'static str,
    /// How many times it went this way.
    pub times: u64,
    /// Whether cases should reach it, or it is told for information.
    pub counts: bool,
    /// Why nothing can reach it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impossible: Option<String>,
}

impl State {
    /// Whether it should be reached and is not.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.times == 0 && self.is_wanted()
    }

    /// Whether it should be reached. What was reached is possible, whatever is said of it.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.counts && (self.impossible.is_none() || self.times > 0)
    }
}

/// How many are reached, of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// How many are reached.
    pub reached: usize,
    /// How many there are.
    pub total: usize,
}

impl Share {
    /// Of these.
    pub fn of<'a>(states: impl IntoIterator<Item = &'a State>) -> Self {
        let mut share = Self::default();
        for state in states.into_iter().filter(|state| state.is_wanted()) {
            share.total += 1;
            share.reached += usize::from(state.times > 0);
        }
        share
    }

    /// In per cent, rounded down: 100 is all.
    #[must_use]
    pub fn percent(self) -> usize {
        (self.reached * 100).checked_div(self.total).unwrap_or(100)
    }
}

impl RuleCoverage {
    /// The outcomes that are reached.
    #[must_use]
    pub fn outcome_share(&self) -> Share {
        Share::of(&self.outcomes)
    }

    /// The points that are reached.
    #[must_use]
    pub fn share(&self) -> Share {
        Share::of(self.points.iter().flat_map(|point| &point.states))
    }
}

impl Coverage {
    /// The points of all rules that are reached.
    #[must_use]
    pub fn share(&self) -> Share {
        Share::of(self.rules.iter().flat_map(|rule| &rule.points).flat_map(|point| &point.states))
    }

    /// The outcomes of all rules that are reached.
    #[must_use]
    pub fn outcome_share(&self) -> Share {
        Share::of(self.rules.iter().flat_map(|rule| &rule.outcomes))
    }

    /// What is below what was asked for, a line each.
    #[must_use]
    pub fn shortfalls(&self) -> Vec<String> {
        let mut found = Vec::new();
        let Least { percent, percent_of_each, outcomes } = self.least;
        let share = self.share();
        if let Some(least) = percent.filter(|least| share.percent() < usize::from(*least)) {
            let (is, Share { reached, total }) = (share.percent(), share);
            found.push(format!(
                "{is} % of all points are reached ({reached} of {total}); {least} % are asked for"
            ));
        }
        for rule in &self.rules {
            let (is, id) = (rule.share().percent(), &rule.id);
            if let Some(least) = percent_of_each.filter(|least| is < usize::from(*least)) {
                found.push(format!(
                    "{id}: {is} % of its points are reached; {least} % are asked for"
                ));
            }
            let Share { reached, total } = rule.outcome_share();
            let asked = outcomes.map(|least| usize::from(least).min(total));
            if let Some(least) = asked.filter(|least| reached < *least) {
                let missed: Vec<&str> = rule
                    .outcomes
                    .iter()
                    .filter(|one| one.is_missed())
                    .map(|one| one.name)
                    .collect();
                let missed = missed.join(", ");
                found.push(format!("{id}: {reached} of its outcomes are reached, {least} are asked for; never {missed}"));
            }
        }
        found
    }
}
