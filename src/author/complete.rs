//! What can be written at a place of an expression, and what a word of it means.
//!
//! Works on expressions that are not finished (`db.`, `databases.filter(|d| d.`, `x.state == "`): types
//! are inferred as far as they can be, and nothing is complained of. Used by the prompt of `eval` and by
//! editors. All positions count characters of the text.

mod infer;
mod offer;
mod scan;

use std::ops::Range;
use std::sync::Arc;

use crate::author::complete::offer::Completer;
use crate::author::complete::scan::{Scan, TokenKind, is_word};
use crate::expr::check::{Scope, World};
use crate::expr::functions;
use crate::expr::template::closing;
use crate::expr::tree::ListMethod;
use crate::facts::model::Type;

/// What an expression can name.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The names bound where it stands.
    pub scope: &'a Scope,
    /// The model, the pack's functions and the tables.
    pub world: World<'a>,
    /// Tags that `any_violated` can ask for.
    pub tags: &'a [Arc<str>],
    /// The type that the whole expression must have, where that is known.
    pub expected: Option<&'a Type>,
}

/// What a candidate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateKind {
    /// A bound name.
    Variable,
    /// The list of all objects of a kind.
    Collection,
    /// A record that stands once in the facts, or a reference table.
    Record,
    /// A field of an object or record.
    Field,
    /// A method of a list.
    Method,
    /// A function of ours.
    Function,
    /// A function of the pack.
    PackFunction,
    /// A value that an enumeration can have.
    Member,
    /// A word of the language.
    Keyword,
    /// A tag of rules.
    Tag,
}

/// Something that can be written at the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub label: String,
    /// What it is.
    pub kind: CandidateKind,
    /// Its type or signature.
    pub detail: String,
    /// What it means.
    pub help: String,
    /// For a field: the kind or record that has it. For a collection: its kind.
    pub of: Option<Arc<str>>,
    /// What to write, up to where typing goes on.
    pub insert: String,
    /// What then closes it: `)`, or nothing.
    pub closing: &'static str,
    /// The characters that it takes the place of.
    pub replace: Range<usize>,
}

/// The function whose brackets the cursor stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// As in the manual.
    pub label: String,
    /// Its parameters, each a part of the label.
    pub params: Vec<String>,
    /// Which of them is being written; none if there is no such parameter.
    pub active: Option<usize>,
    /// What the manual says.
    pub help: String,
}

/// What can be written at the cursor; what begins with the word before it stands first.
#[must_use]
pub fn complete(text: &str, cursor: usize, context: &Context<'_>) -> Vec<Candidate> {
    let chars: Vec<char> = text.chars().collect();
    let cursor = cursor.min(chars.len());
    let scan = Scan::new(&chars, cursor);
    let completer = Completer { scan: &scan, chars: &chars, context, cursor };
    let (all, typed) = completer.candidates();
    let typed = typed.to_lowercase();
    let plain = |candidate: &Candidate| candidate.label.trim_start_matches('"').to_lowercase();
    let (first, rest): (Vec<Candidate>, Vec<Candidate>) =
        all.into_iter().partition(|candidate| plain(candidate).starts_with(&typed));
    let inside = rest.into_iter().filter(|candidate| plain(candidate).contains(&typed));
    first.into_iter().chain(inside).collect()
}

/// As [`complete`], in a text with `${expression}` in it; nothing outside of them.
#[must_use]
pub fn complete_template(text: &str, cursor: usize, context: &Context<'_>) -> Vec<Candidate> {
    let Some((start, inner)) = hole(text, cursor) else { return Vec::new() };
    let found = complete(&inner, cursor - start, context);
    found.into_iter().map(|candidate| shifted(candidate, start)).collect()
}

/// What the word at the cursor means.
#[must_use]
pub fn look_up(text: &str, cursor: usize, context: &Context<'_>) -> Option<Candidate> {
    let chars: Vec<char> = text.chars().collect();
    let cursor = cursor.min(chars.len());
    let ends = chars.iter().skip(cursor).take_while(|c| is_word(**c)).count();
    let end = cursor + ends;
    let scan = Scan::new(&chars, end);
    let completer = Completer { scan: &scan, chars: &chars, context, cursor: end };
    let last = scan.tokens.last()?;
    // A member of an enumeration can have signs in it: its word ends at the quotation mark.
    if last.kind == TokenKind::OpenText {
        let end = completer.text_end();
        let word = scan_text(&chars, last.at.start + 1..end);
        let (all, _) = completer.candidates();
        return all.into_iter().find(|candidate| candidate.label == word);
    }
    if last.kind != TokenKind::Name {
        return None;
    }
    let word = scan.say(last);
    if let Some(found) = completer.closure_parameter(&word, last.at.clone()) {
        return Some(found);
    }
    let (all, _) = completer.candidates();
    all.into_iter().find(|candidate| candidate.label == word)
}

/// As [`look_up`], in a text with `${expression}` in it.
#[must_use]
pub fn look_up_template(text: &str, cursor: usize, context: &Context<'_>) -> Option<Candidate> {
    let (start, inner) = hole(text, cursor)?;
    look_up(&inner, cursor - start, context).map(|candidate| shifted(candidate, start))
}

/// The function whose brackets the cursor stands in.
#[must_use]
pub fn signature(text: &str, cursor: usize, context: &Context<'_>) -> Option<Signature> {
    let chars: Vec<char> = text.chars().collect();
    let scan = Scan::new(&chars, cursor.min(chars.len()));
    let open = scan.open_brackets(scan.tokens.len());
    let (bracket, name) = open.iter().rev().find_map(|bracket| {
        let name = bracket.checked_sub(1)?;
        let is_call = scan.kind(Some(*bracket)) == Some(TokenKind::Open('('))
            && scan.kind(Some(name)) == Some(TokenKind::Name)
            && !scan.is_keyword(Some(name));
        is_call.then_some((*bracket, name))
    })?;
    let word = scan.say(scan.get(Some(name))?);
    let dot = name.checked_sub(1).filter(|dot| scan.kind(Some(*dot)) == Some(TokenKind::Dot));
    let inside = bracket + 1..scan.tokens.len();
    let commas = inside.filter(|position| {
        scan.kind(Some(*position)) == Some(TokenKind::Comma)
            && scan.open_brackets(*position).last() == Some(&bracket)
    });
    let given = commas.count();
    if let Some(dot) = dot {
        let completer = Completer { scan: &scan, chars: &chars, context, cursor: 0 };
        let receiver = completer.type_before(dot);
        if receiver.as_ref().is_some_and(|ty| matches!(ty.required(), Type::List(_))) {
            let (method, _, help) =
                ListMethod::TABLE.iter().find(|(_, known, _)| *known == word)?;
            let param = if takes_closure(*method) { "|x| ..." } else { "" };
            let params: Vec<String> =
                Some(param.to_owned()).filter(|param| !param.is_empty()).into_iter().collect();
            let active = (given < params.len()).then_some(given);
            return Some(Signature {
                label: format!("list.{word}({param})"),
                params,
                active,
                help: (*help).to_owned(),
            });
        }
    }
    let given = given + usize::from(dot.is_some());
    let (label, params, help) = described(&word, given, context)?;
    let active = (given < params.len()).then_some(given);
    Some(Signature { label, params, active, help })
}

/// Whether no bracket and no text is open at the end: else the expression goes on in the next line.
#[must_use]
pub fn is_finished(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    let scan = Scan::new(&chars, chars.len());
    let is_open_text = scan.tokens.last().is_some_and(|token| {
        token.kind == TokenKind::Blind && chars.get(token.at.start) == Some(&'`')
    });
    !is_open_text && scan.open_brackets(scan.tokens.len()).is_empty()
}

/// The type of a finished expression, as far as it can be told; guards against null need not stand.
#[must_use]
pub fn type_of(text: &str, context: &Context<'_>) -> Option<Type> {
    infer::type_of(text, context.scope, context.world)
}

/// Signature, parameters and help of a function that takes more than `given` arguments, if one does.
fn described(
    name: &str,
    given: usize,
    context: &Context<'_>,
) -> Option<(String, Vec<String>, String)> {
    if let Some((_, params, says, help)) = SPECIAL.iter().find(|(known, ..)| *known == name) {
        let params = params.iter().map(|param| (*param).to_owned()).collect();
        return Some(((*says).to_owned(), params, (*help).to_owned()));
    }
    let model = context.world.model;
    if let Some(script) = context.world.scripts.iter().find(|script| &*script.name == name) {
        let param = |(name, ty): &(Arc<str>, Type)| format!("{name}: {}", model.say(ty));
        let params: Vec<String> = script.params.iter().map(param).collect();
        let returns = model.say(&script.returns);
        let label = format!("{name}({}) -> {returns}", params.join(", "));
        return Some((label, params, script.help.clone()));
    }
    let all: Vec<_> = functions::named(name).collect();
    let function = all.iter().find(|function| function.params.len() > given).or(all.first())?;
    let param = |(name, takes): &(&str, functions::Takes)| format!("{name}: {}", takes.say());
    let params = function.params.iter().map(param).collect();
    Some((function.signature(), params, function.help.to_owned()))
}

/// What the checker reads itself: name, parameters, signature, help.
const SPECIAL: [(&str, &[&str], &str, &str); 2] = [
    (
        "known",
        &["value"],
        "known(value) -> true or false",
        "Whether a fact is known; true for null and for an open list.",
    ),
    (
        "any_violated",
        &["tag", "object"],
        "any_violated(tag, object) -> true or false",
        "Whether a rule with that tag is violated for the object.",
    ),
];

/// The `${...}` of a text that the cursor stands in: where it begins, and what is in it.
fn hole(text: &str, cursor: usize) -> Option<(usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let mut position = 0;
    while position < cursor {
        if chars.get(position) == Some(&'$') && chars.get(position + 1) == Some(&'{') {
            let start = position + 2;
            let end = closing(&chars, start).unwrap_or(chars.len());
            if start <= cursor && cursor <= end {
                return Some((start, scan_text(&chars, start..end)));
            }
            position = end;
        }
        position += 1;
    }
    None
}

fn shifted(candidate: Candidate, by: usize) -> Candidate {
    let Range { start, end } = candidate.replace;
    Candidate { replace: start + by..end + by, ..candidate }
}

fn scan_text(chars: &[char], at: Range<usize>) -> String {
    chars.get(at).unwrap_or_default().iter().collect()
}

fn takes_closure(method: ListMethod) -> bool {
    !matches!(method, ListMethod::IsEmpty | ListMethod::KnownOnly)
}
