//! Methods of lists over members that may not all be known.

use std::cmp::Ordering;

use crate::expr::eval::values::{arithmetic, misfit, order};
use crate::expr::eval::view::Gaps;
use crate::expr::eval::{Env, Outcome, Unknown};
use crate::expr::syntax::Operator;
use crate::expr::tree::{Closure, Expr, ListMethod};
use crate::facts::value::{Fact, List, Reach, Value};

/// A list being walked through.
struct Walk<'a> {
    members: List,
    list: &'a Expr,
    closure: Option<&'a Closure>,
}

impl List {
    /// The members that are there, as if there were no others: what is made of them stays open itself.
    fn closed(&self) -> Self {
        let reach = match &self.reach {
            Reach::Open(_) => Reach::Complete,
            other => other.clone(),
        };
        Self { items: self.items.clone(), reach }
    }
}

impl<'a> Env<'a> {
    pub(super) fn list_method(
        &mut self,
        method: ListMethod,
        list: &'a Expr,
        closure: Option<&'a Closure>,
    ) -> Outcome {
        let Value::List(members) = self.eval(list)? else { return Err(misfit("this method")) };
        self.charge(members.items.len())?;
        let walk = Walk { members, list, closure };
        match method {
            ListMethod::Any => self.quantify(&walk, true),
            ListMethod::All => self.quantify(&walk, false),
            ListMethod::Count => {
                let kept =
                    if closure.is_some() { self.kept(&walk)?.len() } else { Self::counted(&walk)? };
                Ok(Value::Int(i64::try_from(kept).unwrap_or(i64::MAX)))
            }
            ListMethod::IsEmpty => match walk.members.items.len() {
                0 => {
                    let mut gaps = Gaps::default();
                    gaps.close(&walk.members.reach);
                    gaps.or(Value::Bool(true))
                }
                _ => Ok(Value::Bool(false)),
            },
            ListMethod::Sum => self.sum(&walk),
            ListMethod::Min => {
                Ok(self.extreme(&walk, Ordering::Less)?.map_or(Value::Null, |(_, value)| value))
            }
            ListMethod::Max => {
                Ok(self.extreme(&walk, Ordering::Greater)?.map_or(Value::Null, |(_, value)| value))
            }
            ListMethod::MinBy => {
                Ok(self.extreme(&walk, Ordering::Less)?.map_or(Value::Null, |(member, _)| member))
            }
            ListMethod::MaxBy => Ok(self
                .extreme(&walk, Ordering::Greater)?
                .map_or(Value::Null, |(member, _)| member)),
            ListMethod::Find => self.find(&walk),
            ListMethod::Filter => {
                let reach = walk.members.reach.clone();
                let items = self.kept(&Walk { members: walk.members.closed(), ..walk })?;
                let items = items.into_iter().map(Fact::from).collect();
                Ok(Value::List(List { items, reach }))
            }
            ListMethod::Map => {
                let reach = walk.members.reach.clone();
                let pairs = self.each(&Walk { members: walk.members.closed(), ..walk })?;
                let items = pairs.into_iter().map(|(_, value)| Fact::from(value)).collect();
                Ok(Value::List(List { items, reach }))
            }
            ListMethod::KnownOnly => {
                Ok(Value::List(List { reach: Reach::KnownOnly, ..walk.members }))
            }
        }
    }

    /// What the closure gives for one member, and the member.
    fn apply(&mut self, walk: &Walk<'a>, position: usize, fact: &Fact) -> (Outcome, Outcome) {
        let member = match fact {
            Fact::Known { value, .. } => Ok(value.clone()),
            Fact::Absent(why) => {
                let list = self.describe(walk.list).unwrap_or_else(|| "the list".to_owned());
                let what = format!("{list}[{position}]");
                Err(Unknown::new(what, why.clone(), None))
            }
        };
        match walk.closure {
            Some(closure) => {
                self.bind_member(closure.slot, member.clone(), walk.list, position);
                (self.eval(&closure.body), member)
            }
            None => (member.clone(), member),
        }
    }

    fn quantify(&mut self, walk: &Walk<'a>, decides: bool) -> Outcome {
        let mut gaps = Gaps::of(&walk.members.reach);
        for (position, fact) in walk.members.items.iter().enumerate() {
            match self.apply(walk, position, fact).0 {
                Ok(Value::Bool(value)) if value == decides => return Ok(Value::Bool(decides)),
                Ok(_) => {}
                Err(unknown) => gaps.add(unknown),
            }
        }
        gaps.close(&walk.members.reach);
        gaps.or(Value::Bool(!decides))
    }

    /// Each known member with what the closure gives for it.
    fn each(&mut self, walk: &Walk<'a>) -> Outcome<Vec<(Value, Value)>> {
        let mut gaps = Gaps::of(&walk.members.reach);
        let mut pairs = Vec::with_capacity(walk.members.items.len());
        for (position, fact) in walk.members.items.iter().enumerate() {
            match self.apply(walk, position, fact) {
                (Ok(value), Ok(member)) => pairs.push((member, value)),
                // Decided without looking at the member, which is not known: it still stands there.
                (Ok(_), Err(unknown)) | (Err(unknown), _) => gaps.add(unknown),
            }
        }
        gaps.close(&walk.members.reach);
        gaps.or(pairs)
    }

    fn kept(&mut self, walk: &Walk<'a>) -> Outcome<Vec<Value>> {
        let pairs = self.each(walk)?;
        let kept = pairs.into_iter().filter(|(_, value)| matches!(value, Value::Bool(true)));
        Ok(kept.map(|(member, _)| member).collect())
    }

    fn counted(walk: &Walk<'a>) -> Outcome<usize> {
        let mut gaps = Gaps::default();
        gaps.close(&walk.members.reach);
        gaps.or(walk.members.items.len())
    }

    fn find(&mut self, walk: &Walk<'a>) -> Outcome {
        let mut kept = self.kept(walk)?;
        match kept.len() {
            0 => Ok(Value::Null),
            1 => Ok(kept.pop().unwrap_or(Value::Null)),
            count => {
                Err(Unknown::failed(format!("`find` met {count} members where one was expected")))
            }
        }
    }

    fn sum(&mut self, walk: &Walk<'a>) -> Outcome {
        let mut total: Option<Value> = None;
        for (_, value) in self.each(walk)? {
            total = Some(match total {
                None => value,
                Some(total) => arithmetic(Operator::Add, total, value)?,
            });
        }
        Ok(total.unwrap_or(Value::Int(0)))
    }

    fn extreme(&mut self, walk: &Walk<'a>, wanted: Ordering) -> Outcome<Option<(Value, Value)>> {
        let mut best: Option<(Value, Value)> = None;
        for (member, value) in self.each(walk)? {
            let better = match &best {
                None => true,
                Some((_, known)) => order(&value, known) == Some(wanted),
            };
            if better {
                best = Some((member, value));
            }
        }
        Ok(best)
    }
}
