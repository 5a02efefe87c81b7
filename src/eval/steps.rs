//! The steps that a finding asks for, and those that must wait for it.

use std::sync::Arc;

use crate::eval::judge::{Judge, facts_of};
use crate::eval::subject;
use crate::expr::eval::{Env, Outcome, Unknown};
use crate::expr::tree::Expr;
use crate::facts::value::{Absence, Fact, List, ObjectId, Value, fold};
use crate::finding::{Argument, Step, Takes, Withheld};
use crate::rule::action::{Action, Duration};
use crate::rule::clause::params_value;
use crate::rule::{Command, StepText};

impl<'a> Judge<'a, '_> {
    pub(super) fn steps(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        for step in &self.rule.remediation {
            let Some((slot, list)) = &step.each else {
                steps.extend(self.step(step));
                continue;
            };
            self.env.new_clause();
            let members = match self.env.eval(list) {
                Ok(Value::List(members)) => members,
                // Nobody can say at which objects: the step is shown once, with what it hangs on.
                Ok(_) => List::complete([]),
                Err(unknown) => {
                    self.env.bind(*slot, Err(unknown));
                    steps.extend(self.step(step));
                    continue;
                }
            };
            for (position, fact) in members.items.iter().enumerate() {
                if let Fact::Known { value, .. } = fact {
                    self.env.bind_member(*slot, Ok(value.clone()), list, position);
                    steps.extend(self.step(step));
                }
            }
        }
        steps
    }

    fn step(&mut self, step: &'a StepText) -> Option<Step> {
        let action = self.set.actions.get(step.action)?;
        self.env.new_clause();
        let when = step.when.as_ref().map_or(Ok(true), |when| self.env.condition(when));
        let unless = step.unless.as_ref().map_or(Ok(false), |unless| self.env.condition(unless));
        let unsure = match (when, unless) {
            (Ok(false), _) | (_, Ok(true)) => return None,
            (Ok(true), Ok(false)) => None,
            (Err(unknown), _) | (_, Err(unknown)) => Some(facts_of(&unknown)),
        };
        let args: Vec<Outcome> = step.with.iter().map(|value| self.env.eval(value)).collect();
        let own_text = step.text.as_ref().map(|text| text.say(self.env));
        let own_commands = step.commands.as_ref().map(|commands| said(commands, self.env));
        let mut env = self.env_of(action, &args)?;
        let text = own_text.unwrap_or_else(|| action.text.say(&mut env));
        let commands = own_commands.unwrap_or_else(|| said(&action.commands, &mut env));
        let takes = action.duration.as_ref().map(|duration| takes(duration, &mut env));
        Some(Step {
            action: action.id.clone(),
            role: action.role,
            after_check: action.after_check,
            at: args.get(action.at).and_then(object).map(|id| subject(self.view, id)),
            name: self.name(action, &args),
            with: self.with(action, &args),
            text,
            unsure,
            commands,
            takes,
        })
    }

    /// What an action's own expressions are evaluated in.
    fn env_of(&self, action: &'a Action, args: &[Outcome]) -> Option<Env<'a>> {
        let scripts = &self.set.packs.get(action.pack)?.scripts;
        let mut env = Env::new(self.view, scripts, self.ledger, action.slots);
        env.bind(0, Ok(params_value(&action.params)));
        for (arg, value) in action.args.iter().zip(args) {
            env.bind(arg.slot, value.clone());
        }
        for (slot, expr) in &action.lets {
            env.new_clause();
            env.bind_later(*slot, expr);
        }
        env.new_clause();
        Some(env)
    }

    /// The arguments as a plan file has them.
    fn with(&self, action: &Action, args: &[Outcome]) -> Vec<(Arc<str>, Argument)> {
        let said = |value: &Outcome| match value {
            Ok(Value::Object(id)) => Argument::Object(subject(self.view, *id)),
            Ok(value) => Argument::Value(written(value)),
            Err(unknown) => Argument::Unknown(facts_of(unknown)),
        };
        action.args.iter().zip(args).map(|(arg, value)| (arg.name.clone(), said(value))).collect()
    }

    /// Action and arguments in one text, by which equal steps are found.
    fn name(&self, action: &Action, args: &[Outcome]) -> String {
        let said = args.iter().map(|value| match value {
            Ok(value) => fold(&self.view.facts.say(value)),
            // Two steps at places that nobody knows are two.
            Err(_) => format!("? {} {}", self.rule.id, fold(&self.subject().key)),
        });
        let said: Vec<String> = said.collect();
        format!("{} {}", action.id, said.join("\n"))
    }

    pub(super) fn withholds(&mut self) -> Vec<Withheld> {
        let mut all = Vec::new();
        for withheld in &self.rule.withholds {
            self.env.new_clause();
            let holds = withheld.when.as_ref().map_or(Ok(true), |when| self.env.condition(when));
            // Where nobody can say, waiting is the safe side.
            let unsure = match holds {
                Ok(true) => String::new(),
                Ok(false) => continue,
                Err(unknown) => {
                    format!(" (whether it must depends on: {})", facts_of(&unknown))
                }
            };
            let at = self.env.eval(&withheld.at);
            let (Some(action), Some(id)) = (self.set.actions.get(withheld.action), object(&at))
            else {
                continue;
            };
            let because = format!("{}{unsure}", withheld.because.say(self.env));
            let at = subject(self.view, id);
            all.push(Withheld { action: action.id.clone(), at, because });
        }
        all
    }
}

/// A value as fact files and plans have it; what they cannot have becomes its text.
fn written(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        other => other.to_string().into(),
    }
}

fn object(value: &Outcome) -> Option<ObjectId> {
    match value {
        Ok(Value::Object(id)) => Some(*id),
        _ => None,
    }
}

fn said<'a>(commands: &'a [Command], env: &mut Env<'a>) -> Vec<(String, String)> {
    let mut lines = Vec::new();
    for Command { product, when, run, .. } in commands {
        let applies = when.as_ref().map_or(Ok(true), |when| env.condition(when));
        let product = match applies {
            Ok(true) => product.clone(),
            Ok(false) => continue,
            // The wrong command can do harm: it says on what it hangs.
            Err(unknown) => {
                format!("{product}; whether it fits depends on {}", facts_of(&unknown))
            }
        };
        // A command line with a hole in it would be worse than none.
        if let Ok(line) = run.fill(env) {
            lines.push((product, line));
        }
    }
    lines
}

/// How long it takes, or the facts that would tell.
///
/// # Errors
///
/// The facts that would tell.
pub fn takes<'a>(duration: &'a Duration, env: &mut Env<'a>) -> Result<Takes, String> {
    let Duration { best, expected, worst, because } = duration;
    let because = because.fill(env).map_err(|unknown| facts_of(&unknown))?;
    let mut number = |expr| seconds(expr, env).map_err(|unknown| facts_of(&unknown));
    let mut times = [number(best)?, number(expected)?, number(worst)?];
    // Settings of the user may turn them round.
    times.sort_unstable();
    let [best, expected, worst] = times;
    Ok(Takes { best, expected, worst, because })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "the range is checked before, and a century is a small number"
)]
/// A number of seconds, whole ones.
///
/// # Errors
///
/// Why it is not known, or that it is less than none or more than a hundred years.
pub fn seconds<'a>(expr: &'a Expr, env: &mut Env<'a>) -> Outcome<i64> {
    match env.eval(expr)? {
        Value::Int(seconds) if (0..=CENTURY).contains(&seconds) => Ok(seconds),
        Value::Float(seconds) if (0.0..=CENTURY as f64).contains(&seconds) => {
            Ok(seconds.round() as i64)
        }
        other => {
            let message: Arc<str> = format!("{other} seconds, which cannot be").into();
            Err(Unknown::new(message.clone(), Absence::Failed(message), None))
        }
    }
}

/// Seconds in a hundred years: longer than anything here.
const CENTURY: i64 = 3_155_760_000;
