//! Actions that happen by themselves: when, and to which objects.

mod constants;

use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check;
use crate::expr::tree::Expr;
use crate::facts::model::{KindId, Type};
use crate::facts::time::parse_duration;
use crate::rule::action::Action;
use crate::rule::clause::{Reader, text, transpose};
use crate::source::Node;

pub use constants::FARTHEST;

/// Longest time between a step and a job that follows it, in seconds: no window is longer.
const LONGEST: i64 = 366 * 86_400;

/// When an action happens by itself; what its expressions name is the action's.
#[derive(Clone, Debug)]
pub struct Automatic {
    /// Its name.
    pub id: String,
    /// Where it is named.
    pub named: Place,
    /// What it is called in reports.
    pub title: String,
    /// Only to these objects.
    pub of: Option<Expr>,
    /// Only if it is true when the time has come.
    pub when: Option<Expr>,
    /// When it begins.
    pub begins: Begins,
    /// Seconds after which it is broken off.
    pub at_most: Option<Expr>,
    /// Where it is declared.
    pub place: Place,
}

/// When an action begins by itself.
#[derive(Clone, Debug)]
pub enum Begins {
    /// At times of day.
    Daily(Box<Daily>),
    /// A while after a step with an action has ended.
    After {
        /// The id of the action.
        action: String,
        /// Seconds.
        delay: i64,
        /// Where the action is named.
        place: Place,
    },
    /// Before the plan: it runs when that begins.
    Running,
    /// When its object becomes bad, as soon as nothing is in its way.
    Broken {
        /// Seconds.
        delay: i64,
    },
}

/// Times of day.
#[derive(Clone, Debug)]
pub struct Daily {
    /// Texts such as `20:00`.
    pub times: Expr,
    /// English names of days of the week, in small letters; every day without it.
    pub days: Option<Expr>,
    /// Minutes that the clock is ahead of UTC by which the times go.
    pub offset: Option<Expr>,
}

/// Actions that cannot begin by themselves, and ways to begin after an action that is not there.
pub(super) fn misfits(actions: &[Action], protected: Option<KindId>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let mut names: Vec<(&str, Place)> = Vec::new();
    let is_it = |ty: &Type| matches!(ty.required(), Type::Object(kinds) if protected.is_some_and(|kind| kinds.contains(&kind)));
    for action in actions {
        let fits = matches!(action.args.as_slice(), [arg] if is_it(&arg.ty));
        for automatic in &action.course.automatic {
            match names.iter().find(|(name, _)| *name == automatic.id) {
                Some((name, first)) => {
                    let message = format!("two jobs that begin by themselves are named `{name}`");
                    let problem = Diagnostic::error("duplicate-id", message).at(automatic.named);
                    problems.push(problem.related(*first, "the first one"));
                }
                None => names.push((&automatic.id, automatic.named)),
            }
            if !fits {
                let message = "what begins by itself must have one parameter, the protected object";
                problems.push(Diagnostic::error("not-automatic", message).at(automatic.place));
            }
            if let Begins::After { action: followed, place, .. } = &automatic.begins
                && !actions.iter().any(|other| *other.id == **followed)
            {
                let message = format!("there is no action `{followed}`");
                let problem = Diagnostic::error("unknown-action", message).at(*place);
                problems
                    .push(problem.suggest_name(followed, actions.iter().map(|other| &*other.id)));
            }
        }
    }
    problems
}

impl Reader<'_> {
    pub(super) fn automatics(&mut self, root: &Node) -> Option<Vec<Automatic>> {
        let mut all = Vec::new();
        for node in root.get("automatic").and_then(Node::as_list).unwrap_or_default() {
            let mark = self.scope.mark();
            all.push(self.automatic(node));
            self.scope.rewind(mark);
        }
        all.into_iter().collect()
    }

    fn automatic(&mut self, node: &Node) -> Option<Automatic> {
        let of = node.get("of").map(|node| self.guard(node));
        let begins = if let Some(times) = node.get("times") {
            self.daily(node, times)
        } else if node.get("runs_already").is_some() {
            Some(Begins::Running)
        } else if node.get("becomes").is_some() {
            let delay = node.get("after").map(|after| self.delay(after));
            transpose(delay).map(|delay| Begins::Broken { delay: delay.unwrap_or(0) })
        } else {
            self.after(node)
        };
        let when = node.get("when").map(|node| self.condition(node));
        let at_most = node.get("at_most").map(|node| {
            let source = Self::source_of(node);
            let result = check::typed(&source, &Type::Float, &mut self.scope, self.context.world);
            self.checked(node, result)
        });
        Some(Automatic {
            id: text(node, "id"),
            named: node.get("id").map_or(node.place, |id| id.place),
            title: text(node, "title"),
            of: transpose(of)?,
            when: transpose(when)?,
            begins: begins?,
            at_most: transpose(at_most)?,
            place: node.place,
        })
    }

    fn daily(&mut self, node: &Node, times: &Node) -> Option<Begins> {
        let read = self.texts_of(times);
        if let Some(read) = &read {
            self.times_are_times(read, times);
        }
        let times = read;
        let days = node.get("days").map(|node| {
            let days = self.texts_of(node)?;
            self.days_are_days(&days, node);
            Some(days)
        });
        let offset = node.get("utc_offset_minutes").map(|node| {
            let source = Self::source_of(node);
            let result = check::typed(&source, &Type::Int, &mut self.scope, self.context.world);
            let offset = self.checked(node, result)?;
            self.offset_is_on_earth(&offset, node);
            Some(offset)
        });
        let daily = Daily { times: times?, days: transpose(days)?, offset: transpose(offset)? };
        Some(Begins::Daily(Box::new(daily)))
    }

    fn after(&mut self, node: &Node) -> Option<Begins> {
        let delay = self.delay(node.get("after")?)?;
        let place = node.get("follows")?.place;
        Some(Begins::After { action: text(node, "follows"), delay, place })
    }

    /// Seconds.
    fn delay(&mut self, after: &Node) -> Option<i64> {
        let text = after.as_str().unwrap_or_default();
        let Some(delay) = parse_duration(text) else {
            let message = format!("`{text}` is not a duration");
            let problem = Diagnostic::error("wrong-format", message).at(after.place);
            self.problems.push(problem.help("write it like `30m` or `1h30m`"));
            return None;
        };
        if delay > LONGEST {
            let message = "a job follows a step within a year";
            self.problems.push(Diagnostic::error("out-of-range", message).at(after.place));
        }
        Some(delay)
    }

    /// A list of texts.
    fn texts_of(&mut self, node: &Node) -> Option<Expr> {
        let expr = self.expr(node)?;
        let is_text = |ty: &Type| matches!(ty.required(), Type::Text | Type::Name | Type::Enum(_));
        if let Type::List(item) = &expr.ty
            && is_text(item)
        {
            return Some(expr);
        }
        let said = self.model().say(&expr.ty);
        let message = format!("a list of texts is needed here, this is {said}");
        self.problems.push(Diagnostic::error("wrong-type", message).at(node.place));
        None
    }
}
