//! What is offered at a place, by what stands before it.

use std::ops::Range;
use std::sync::Arc;

use crate::author::complete::scan::{Scan, TokenKind, is_word};
use crate::author::complete::{Candidate, CandidateKind, Context, described, infer, takes_closure};
use crate::expr::check::Scope;
use crate::expr::functions::{self, FUNCTIONS};
use crate::expr::tree::ListMethod;
use crate::facts::model::{Field, Type};

pub(super) struct Completer<'a> {
    pub(super) scan: &'a Scan<'a>,
    pub(super) chars: &'a [char],
    pub(super) context: &'a Context<'a>,
    pub(super) cursor: usize,
}

impl Completer<'_> {
    /// All that fits the place, and the part of a word that stands before the cursor.
    pub(super) fn candidates(&self) -> (Vec<Candidate>, String) {
        let scan = self.scan;
        let count = scan.tokens.len();
        let last = scan.tokens.last().filter(|token| token.at.end == self.cursor);
        match last.map(|token| token.kind) {
            Some(TokenKind::OpenText) => return self.in_text(count - 1),
            Some(TokenKind::Blind | TokenKind::Number | TokenKind::Text) => {
                return Default::default();
            }
            _ => {}
        }
        let (start, typed, end) = match last.filter(|token| token.kind == TokenKind::Name) {
            Some(name) => (name.at.start, scan.say(name), count - 1),
            None => (self.cursor, String::new(), count),
        };
        let rest = self.chars.iter().skip(self.cursor).take_while(|c| is_word(**c)).count();
        let replace = start..self.cursor + rest;
        let before = end.checked_sub(1);
        let found = match scan.kind(before) {
            Some(TokenKind::Dot) => self.after_dot(end - 1, &replace),
            // The name of a closure's parameter is the author's to choose.
            Some(TokenKind::Bar) if self.is_first_bar(end - 1) => Vec::new(),
            Some(TokenKind::Name) if !scan.is_keyword(before) => self.after_operand(&replace),
            Some(TokenKind::Text | TokenKind::Number | TokenKind::Close(')' | ']')) => {
                self.after_operand(&replace)
            }
            _ => self.operand(end, &replace),
        };
        (found, typed)
    }

    fn is_first_bar(&self, bar: usize) -> bool {
        let before = self.scan.kind(bar.checked_sub(1));
        matches!(before, Some(TokenKind::Open('(') | TokenKind::Comma))
    }

    /// The names bound at word `end`: those of the scope, and the parameters of open closures.
    fn scope(&self, end: usize) -> (Scope, Vec<String>) {
        let mut scope = self.context.scope.clone();
        let mut inner = Vec::new();
        for bracket in self.scan.open_brackets(end) {
            let named = bracket + 2;
            let is_closure = self.scan.kind(Some(bracket + 1)) == Some(TokenKind::Bar)
                && self.scan.kind(Some(named)) == Some(TokenKind::Name)
                && named + 1 < end;
            let name = self.scan.get(Some(named)).filter(|_| is_closure);
            if let Some(name) = name.map(|name| self.scan.say(name))
                && let Some(member) = self.member_type(bracket, &scope)
            {
                scope.bind(&name, member);
                inner.push(name);
            }
        }
        (scope, inner)
    }

    /// The type of what a closure's parameter stands for; `bracket` opens the closure's brackets.
    fn member_type(&self, bracket: usize, scope: &Scope) -> Option<Type> {
        let dot = bracket.checked_sub(2)?;
        if self.scan.kind(Some(dot)) != Some(TokenKind::Dot) {
            return None;
        }
        let list = self.scan.operand(dot)?;
        infer::item(&infer::type_of(&list, scope, self.context.world)?)
    }

    /// The type of the operand that ends before word `end`.
    pub(super) fn type_before(&self, end: usize) -> Option<Type> {
        let (scope, _) = self.scope(end);
        infer::type_of(&self.scan.operand(end)?, &scope, self.context.world)
    }

    /// The parameter of a closure where it is named.
    pub(super) fn closure_parameter(&self, word: &str, at: Range<usize>) -> Option<Candidate> {
        let end = self.scan.tokens.len();
        let bar = end.checked_sub(2)?;
        if self.scan.kind(Some(bar)) != Some(TokenKind::Bar) || !self.is_first_bar(bar) {
            return None;
        }
        let bracket = bar.checked_sub(1)?;
        let (scope, _) = self.scope(bracket);
        let ty = self.member_type(bracket, &scope)?;
        Some(self.variable(word, &ty, &at))
    }

    fn made(
        &self,
        label: &str,
        kind: CandidateKind,
        ty: &Type,
        help: &str,
        replace: &Range<usize>,
    ) -> Candidate {
        Candidate {
            label: label.to_owned(),
            kind,
            detail: self.context.world.model.say(ty),
            help: help.to_owned(),
            of: None,
            insert: label.to_owned(),
            closing: "",
            replace: replace.clone(),
        }
    }

    fn variable(&self, name: &str, ty: &Type, replace: &Range<usize>) -> Candidate {
        let help = match ty.required() {
            Type::Object(kinds) => kinds.first().and_then(|id| self.context.world.model.kind(*id)),
            _ => None,
        };
        let help = help.map_or("", |kind| &kind.description);
        self.made(name, CandidateKind::Variable, ty, help, replace)
    }

    /// What can stand where a value is wanted.
    fn operand(&self, end: usize, replace: &Range<usize>) -> Vec<Candidate> {
        let mut found = self.quoted_members(end, replace);
        let world = self.context.world;
        let model = world.model;
        let (scope, inner) = self.scope(end);
        let outer: Vec<&str> = self.context.scope.names().collect();
        for name in inner.iter().rev().map(String::as_str).chain(outer) {
            if let Some((_, ty)) = scope.find(name) {
                found.push(self.variable(name, ty, replace));
            }
        }
        for kind in model.kinds() {
            let list = infer::list_of(kind.id);
            let help = &kind.description;
            let made = self.made(&kind.collection, CandidateKind::Collection, &list, help, replace);
            found.push(Candidate { of: Some(kind.name.clone()), ..made });
        }
        for single in model.singles() {
            let help = &single.description;
            found.push(self.made(&single.name, CandidateKind::Record, &single.ty, help, replace));
        }
        for table in world.tables {
            let help = "A reference table of the pack.";
            found.push(self.made(&table.name, CandidateKind::Record, &table.ty, help, replace));
        }
        let now = "The instant of the run.";
        found.push(self.made("now", CandidateKind::Keyword, &Type::Time, now, replace));
        found.extend(self.functions(None, replace));
        for (word, help) in
            [("true", "Yes."), ("false", "No."), ("if", "`if condition { value } else { other }`")]
        {
            found.push(self.made(word, CandidateKind::Keyword, &Type::Bool, help, replace));
        }
        found
    }

    /// Functions: all, or those that can be a method of a value of that type.
    fn functions(&self, receiver: Option<&Type>, replace: &Range<usize>) -> Vec<Candidate> {
        let mut names: Vec<&str> = Vec::new();
        for function in FUNCTIONS {
            let first = function.params.first().map(|(_, takes)| *takes);
            let fits = receiver.is_none_or(|ty| takes(first, ty));
            if fits && !names.contains(&function.name) {
                names.push(function.name);
            }
        }
        let scripts = self.context.world.scripts.iter().filter(|script| {
            let first = script.params.first().map(|(_, ty)| ty.required());
            receiver.is_none_or(|ty| first.is_some_and(|first| meets(ty, first)))
        });
        let own = scripts.map(|script| &*script.name);
        let all = names.into_iter().map(|name| (name, CandidateKind::Function));
        let all = all.chain(own.map(|name| (name, CandidateKind::PackFunction)));
        let special: &[&str] = if receiver.is_none() { &["known", "any_violated"] } else { &[] };
        let all = all.chain(special.iter().map(|name| (*name, CandidateKind::Function)));
        all.filter_map(|(name, kind)| {
            let (detail, _, help) = described(name, 0, self.context)?;
            Some(self.call(name, kind, detail, &help, replace))
        })
        .collect()
    }

    fn call(
        &self,
        name: &str,
        kind: CandidateKind,
        detail: String,
        help: &str,
        replace: &Range<usize>,
    ) -> Candidate {
        let is_called = self.chars.get(replace.end) == Some(&'(');
        let made = self.made(name, kind, &Type::Null, help, replace);
        if is_called {
            return Candidate { detail, ..made };
        }
        Candidate { detail, insert: format!("{name}("), closing: ")", ..made }
    }

    /// After a finished operand only an operator can follow; the one that is a word is `in`.
    fn after_operand(&self, replace: &Range<usize>) -> Vec<Candidate> {
        let help = "`member in list`";
        vec![self.made("in", CandidateKind::Keyword, &Type::Bool, help, replace)]
    }

    fn after_dot(&self, dot: usize, replace: &Range<usize>) -> Vec<Candidate> {
        let Some(ty) = self.type_before(dot) else { return Vec::new() };
        let mut found: Vec<Candidate> = infer::fields(&ty, self.context.world)
            .iter()
            .map(|(of, field)| self.field(of, field, replace))
            .collect();
        match ty.required() {
            Type::Object(_) => {
                let help = "The key: what tells the object from others of its kind.";
                found.push(self.made("key", CandidateKind::Field, &Type::Name, help, replace));
                found.push(self.get(replace));
            }
            Type::Record(_) => found.push(self.get(replace)),
            Type::List(item) => {
                found.extend(self.list_methods(item, dot, replace));
                return found;
            }
            _ => {}
        }
        found.extend(self.functions(Some(ty.required()), replace));
        found
    }

    fn field(&self, of: &Arc<str>, field: &Field, replace: &Range<usize>) -> Candidate {
        let unit = field.unit.as_ref().map(|unit| format!(" ({unit})")).unwrap_or_default();
        let made =
            self.made(&field.name, CandidateKind::Field, &field.ty, &field.description, replace);
        let detail = format!("{}{unit}", made.detail);
        Candidate { detail, of: Some(of.clone()), ..made }
    }

    fn get(&self, replace: &Range<usize>) -> Candidate {
        let help = "The field, or the second value if it was not collected.";
        let detail = "get(\"field\", default)".to_owned();
        self.call("get", CandidateKind::Method, detail, help, replace)
    }

    fn list_methods(&self, item: &Type, dot: usize, replace: &Range<usize>) -> Vec<Candidate> {
        let (scope, _) = self.scope(dot);
        let param = self.parameter_name(item, &scope);
        let methods = ListMethod::TABLE.iter().map(|(method, name, help)| {
            let with = takes_closure(*method);
            let detail = if with { format!("{name}(|x| ...)") } else { format!("{name}()") };
            let made = self.call(name, CandidateKind::Method, detail, help, replace);
            match (made.closing.is_empty(), with) {
                (true, _) => made,
                // Without a closure it counts all; that is the usual call.
                (false, true) if *method == ListMethod::Count => made,
                (false, true) => Candidate { insert: format!("{name}(|{param}| "), ..made },
                (false, false) => Candidate { insert: format!("{name}()"), closing: "", ..made },
            }
        });
        let contains = "Whether a value is a member; the same as `value in list`.";
        let detail = "contains(value)".to_owned();
        let contains = self.call("contains", CandidateKind::Method, detail, contains, replace);
        methods.chain([contains]).collect()
    }

    /// A name for a closure's parameter that is not taken: the kind's first letter, if it can be.
    fn parameter_name(&self, item: &Type, scope: &Scope) -> String {
        let said = self.context.world.model.say(item.required());
        let said = said.trim_start_matches("record `").to_owned();
        let first = said.chars().next().filter(char::is_ascii_lowercase).unwrap_or('x');
        let is_free = |name: &str| scope.find(name).is_none();
        let letters = std::iter::once(first).chain('p'..='z').map(String::from);
        letters.into_iter().find(|name| is_free(name)).unwrap_or_else(|| "member".to_owned())
    }

    /// The type that a value at word `end` is compared with, or must have.
    fn wanted(&self, end: usize) -> Option<Type> {
        let scan = self.scan;
        let Some(before) = end.checked_sub(1) else { return self.context.expected.cloned() };
        if ["==", "!=", "??"].iter().any(|sign| scan.is(Some(before), sign)) {
            return self.type_before(before);
        }
        let bracket = *scan.open_brackets(end).last()?;
        let first_or_next = before == bracket || scan.kind(Some(before)) == Some(TokenKind::Comma);
        let word = bracket.checked_sub(1)?;
        match scan.kind(Some(bracket))? {
            TokenKind::Open('[') if first_or_next && scan.is(Some(word), "in") => {
                self.type_before(word)
            }
            TokenKind::Open('(') if before == bracket && scan.is(Some(word), "contains") => {
                let dot = word.checked_sub(1)?;
                infer::item(&self.type_before(dot)?)
            }
            _ => None,
        }
    }

    /// The values that fit, in quotes.
    fn quoted_members(&self, end: usize, replace: &Range<usize>) -> Vec<Candidate> {
        let Some(wanted) = self.wanted(end) else { return Vec::new() };
        let mut found = Vec::new();
        if let Type::Enum(members) = wanted.required() {
            for member in members.iter() {
                let quoted = format!("\"{member}\"");
                found.push(self.made(&quoted, CandidateKind::Member, &Type::Text, "", replace));
            }
        }
        if matches!(wanted, Type::Optional(_)) {
            let help = "Null: collected, and there is none.";
            found.push(self.made("()", CandidateKind::Keyword, &Type::Null, help, replace));
        }
        found
    }

    /// Where a text that the cursor stands in ends, or the cursor if it has no end.
    pub(super) fn text_end(&self) -> usize {
        let rest = self.chars.iter().skip(self.cursor);
        let line: Vec<char> = rest.copied().take_while(|c| *c != '\n').collect();
        let length = line.iter().position(|c| *c == '"');
        let is_simple = |length: &usize| {
            line.iter().take(*length).all(|c| is_word(*c) || matches!(c, '-' | '.'))
        };
        self.cursor + length.filter(is_simple).unwrap_or(0)
    }

    /// Inside a text in double quotes that begins at word `position`.
    fn in_text(&self, position: usize) -> (Vec<Candidate>, String) {
        let scan = self.scan;
        let start = scan.get(Some(position)).map_or(self.cursor, |token| token.at.start + 1);
        let typed = scan.text_at(&(start..self.cursor));
        let replace = start..self.text_end();
        let made =
            |label: &str, kind, help: &str| self.made(label, kind, &Type::Text, help, &replace);
        if let Some(Type::Enum(members)) = self.wanted(position).as_ref().map(Type::required) {
            let all = members.iter().map(|member| made(member, CandidateKind::Member, ""));
            return (all.collect(), typed);
        }
        let open = position.checked_sub(1);
        let word = position.checked_sub(2);
        if scan.kind(open) == Some(TokenKind::Open('(')) {
            if scan.is(word, "any_violated") {
                let help = "A tag of rules.";
                let tags = self.context.tags.iter();
                return (tags.map(|tag| made(tag, CandidateKind::Tag, help)).collect(), typed);
            }
            if let Some(dot) = position.checked_sub(3).filter(|_| scan.is(word, "get")) {
                let ty = self.type_before(dot).unwrap_or(Type::Null);
                let fields = infer::fields(&ty, self.context.world);
                let fields = fields.iter().map(|(of, field)| self.field(of, field, &replace));
                return (fields.collect(), typed);
            }
        }
        (Vec::new(), typed)
    }
}

/// Whether a value of type `ty` can be handed to a pack's function that takes `wanted`.
fn meets(ty: &Type, wanted: &Type) -> bool {
    match (ty, wanted) {
        (Type::Object(a), Type::Object(b)) => a.iter().all(|kind| b.contains(kind)),
        (Type::Enum(_), Type::Text) | (Type::Int, Type::Float) => true,
        (a, b) => a == b,
    }
}

/// Whether a function whose first parameter takes that can be a method of such a value.
fn takes(first: Option<functions::Takes>, ty: &Type) -> bool {
    use functions::Takes;
    match first {
        Some(Takes::Int) => *ty == Type::Int,
        Some(Takes::Number) => matches!(ty, Type::Int | Type::Float),
        Some(Takes::Text) => {
            matches!(ty, Type::Text | Type::Name | Type::Path | Type::Version | Type::Enum(_))
        }
        Some(Takes::Path) => *ty == Type::Path,
        Some(Takes::Version) => *ty == Type::Version,
        Some(Takes::Time) => *ty == Type::Time,
        Some(Takes::Pairs) | None => false,
    }
}
