//! The property test of expressions: the typed tree against rhai's interpreter.
//!
//! Random well-typed expressions over random facts. Claimed and checked:
//! 1. On facts of which none is absent, tree and interpreter give the same value wherever the
//!    interpreter gives one (it stops at an error that Kleene's logic can do without).
//! 2. Taking facts away never changes a value into another one: it stays, or becomes unknown.
//! 3. The order of the operands of `&&` and `||` changes nothing, with facts absent too.
//!
//! 4. An expression printed from its tree reads as the same tree.
//!
//! `DPMGUARD_EXPRESSION_CASES` sets how many cases are tried (`scripts/nightly`: a million).

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use dpmguard::expr::check::{Scope, World, check};
use dpmguard::expr::eval::{Env, NoVerdicts, Outcome, View};
use dpmguard::expr::print::Printer;
use dpmguard::expr::script::{Scripts, interpret};
use dpmguard::expr::tree::Expr;
use dpmguard::facts::merge::merge;
use dpmguard::facts::model::{Model, Type};
use dpmguard::facts::store::Facts;
use dpmguard::facts::time::Instant;
use dpmguard::facts::value::Value;
use dpmguard::source::{self, Sources};

const MODEL: &str = include_str!("../expressions/model.json");

/// A small generator of its own, so that a case is known by its seed on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// What an expression gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    Float,
    Text,
    Name,
    Path,
    Version,
    Time,
    Thing,
}

/// An expression that can be printed with its `&&` and `||` turned round.
enum Tree {
    Text(String),
    /// Operands that may change places.
    Free(&'static str, Vec<Tree>),
    /// Parts in this order.
    Fixed(Vec<Tree>),
}

impl Tree {
    fn print(&self, turned: bool, out: &mut String) {
        match self {
            Self::Text(text) => out.push_str(text),
            Self::Fixed(parts) => parts.iter().for_each(|part| part.print(turned, out)),
            Self::Free(operator, parts) => {
                let mut order: Vec<&Tree> = parts.iter().collect();
                if turned {
                    order.reverse();
                }
                out.push('(');
                for (position, part) in order.into_iter().enumerate() {
                    if position > 0 {
                        let _ = write!(out, " {operator} ");
                    }
                    part.print(turned, out);
                }
                out.push(')');
            }
        }
    }

    fn text(&self, turned: bool) -> String {
        let mut out = String::new();
        self.print(turned, &mut out);
        out
    }
}

fn fixed(parts: Vec<Tree>) -> Tree {
    Tree::Fixed(parts)
}

fn text(text: impl Into<String>) -> Tree {
    Tree::Text(text.into())
}

/// Writes expressions.
///
/// rhai locks a variable that a closure captures while a chain hangs on it, so a closure never names
/// the root of the chain it stands in: `x0`, `x1`, ... are one object under as many names.
struct Author<'d> {
    dice: &'d mut Dice,
    /// Closure parameters that can be named here, with the kind of object.
    bound: Vec<(String, Bound)>,
    depth: usize,
    uses: BTreeMap<&'static str, usize>,
    deepest: usize,
    budget: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bound {
    Thing,
    Part,
}

impl Author<'_> {
    fn count(&mut self, what: &'static str) {
        *self.uses.entry(what).or_default() += 1;
    }

    fn expr(&mut self, kind: Kind, level: usize) -> Tree {
        self.deepest = self.deepest.max(level);
        self.budget = self.budget.saturating_sub(1);
        let leaf = level >= 7 || self.budget == 0 || (level > 0 && self.dice.chance(22));
        match kind {
            Kind::Bool if leaf => self.leaf_bool(),
            Kind::Bool => self.bool(level + 1),
            Kind::Int if leaf => self.leaf(Kind::Int, &["0", "1", "2", "3", "7", "-4", "100"]),
            Kind::Int => self.int(level + 1),
            Kind::Float if leaf => self.leaf(Kind::Float, &["0.0", "0.5", "1.5", "-2.25", "3.0"]),
            Kind::Float => self.float(level + 1),
            Kind::Text if leaf => {
                self.leaf(Kind::Text, &["\"\"", "\"a\"", "\"Ab\"", "\"red\"", "\"0x80004002\""])
            }
            Kind::Text => self.text_value(level + 1),
            Kind::Thing => text(self.thing()),
            other => self.field(other),
        }
    }

    /// A name for an object, never one that is locked here.
    fn thing(&mut self) -> String {
        let things: Vec<String> = self
            .bound
            .iter()
            .filter(|(_, bound)| *bound == Bound::Thing)
            .map(|(name, _)| name.clone())
            .collect();
        if !things.is_empty() && self.dice.chance(60) {
            let number = self.dice.below(things.len());
            return things[number].clone();
        }
        format!("x{}", self.depth)
    }

    fn part(&mut self) -> Option<String> {
        let parts: Vec<String> = self
            .bound
            .iter()
            .filter(|(_, bound)| *bound == Bound::Part)
            .map(|(name, _)| name.clone())
            .collect();
        if parts.is_empty() { None } else { Some(parts[self.dice.below(parts.len())].clone()) }
    }

    fn field(&mut self, kind: Kind) -> Tree {
        self.count("field");
        if let Some(part) = self.part()
            && self.dice.chance(40)
        {
            match kind {
                Kind::Int => return text(format!("{part}.weight")),
                Kind::Text => return text(format!("{part}.colour")),
                _ => {}
            }
        }
        let thing = self.thing();
        let thing = match self.dice.below(8) {
            0 => format!("{thing}.friend"),
            _ => thing,
        };
        let field = match kind {
            Kind::Bool => "flag",
            Kind::Int => self.dice.pick(&["count", "box.size", "(limit)"]),
            Kind::Float => "ratio",
            Kind::Text => self.dice.pick(&["label", "state", "box.colour"]),
            Kind::Name => self.dice.pick(&["title", "name", "key"]),
            Kind::Path => "home",
            Kind::Version => "build",
            Kind::Time => "seen",
            Kind::Thing => "friend",
        };
        match field {
            // As an enumeration it would compare with its own members only.
            "state" => text(format!("({thing}.state + \"\")")),
            "(limit)" => text(format!("({thing}.limit ?? {})", self.dice.below(5))),
            field => text(format!("{thing}.{field}")),
        }
    }

    fn leaf(&mut self, kind: Kind, literals: &[&str]) -> Tree {
        if self.dice.chance(60) {
            return self.field(kind);
        }
        text(self.dice.pick(literals))
    }

    fn leaf_bool(&mut self) -> Tree {
        match self.dice.below(4) {
            0 => text(self.dice.pick(&["true", "false"])),
            1 => text(format!("({}.limit != ())", self.thing())),
            _ => self.field(Kind::Bool),
        }
    }

    fn bool(&mut self, level: usize) -> Tree {
        match self.dice.below(11) {
            0 | 1 => self.junction("&&", level),
            2 | 3 => self.junction("||", level),
            4 => {
                self.count("!");
                fixed(vec![text("!("), self.expr(Kind::Bool, level), text(")")])
            }
            5 => self.comparison(level),
            6 => self.quantifier(level),
            7 => self.membership(level),
            8 => self.call(level),
            9 => {
                self.count("guard");
                let thing = self.thing();
                // Nothing that asks for null again: the checker refuses a needless `??`.
                let number = text(
                    self.dice.pick(&["0", "3", "5"]).to_owned() + &format!(" + {thing}.count"),
                );
                let (start, joint) = match self.dice.below(2) {
                    0 => (format!("({thing}.limit != () && {thing}.limit > "), ")"),
                    _ => (format!("({thing}.limit == () || {thing}.limit <= "), ")"),
                };
                fixed(vec![text(start), number, text(joint)])
            }
            _ => self.choice(Kind::Bool, level),
        }
    }

    fn junction(&mut self, operator: &'static str, level: usize) -> Tree {
        self.count(operator);
        let parts = 2 + self.dice.below(2);
        Tree::Free(operator, (0..parts).map(|_| self.expr(Kind::Bool, level)).collect())
    }

    fn comparison(&mut self, level: usize) -> Tree {
        let (kind, ordered, literals): (Kind, bool, &[&str]) = match self.dice.below(9) {
            0 | 1 => (Kind::Int, true, &[]),
            2 => (Kind::Float, true, &[]),
            3 => (Kind::Text, false, &["\"red\"", "\"green\""]),
            4 => (Kind::Name, false, &["\"ALPHA\"", "\"beta\""]),
            5 => (Kind::Path, false, &["\"d:/data/A.edb\"", "\"C:\\\\x\""]),
            6 => (Kind::Version, true, &["\"8.1\"", "\"10.0.1\""]),
            7 => (Kind::Time, true, &["\"2009-05-04T18:00:00Z\""]),
            _ => (Kind::Thing, false, &[]),
        };
        let operators: &[&str] =
            if ordered { &["==", "!=", "<", "<=", ">", ">="] } else { &["==", "!="] };
        let operator = self.dice.pick(operators);
        self.count("comparison");
        let left = self.expr(kind, level);
        let right = if literals.is_empty() || self.dice.chance(60) {
            self.expr(kind, level)
        } else {
            text(self.dice.pick(literals))
        };
        fixed(vec![text("("), left, text(format!(" {operator} ")), right, text(")")])
    }

    /// A list, the kind of its members, and the root of its chain.
    fn list(&mut self) -> (String, Bound, String) {
        match self.dice.below(4) {
            0 if !self.bound.iter().any(|(name, _)| name == "things") && self.depth == 0 => {
                ("things".to_owned(), Bound::Thing, "things".to_owned())
            }
            1 => {
                let root = self.thing();
                (format!("{root}.parts"), Bound::Part, root)
            }
            _ => {
                let root = self.thing();
                (format!("{root}.friends_of"), Bound::Thing, root)
            }
        }
    }

    /// `list.method(|v| body)`.
    fn with_closure(&mut self, method: &str, body: Kind, level: usize) -> Tree {
        let (list, bound, root) = self.list();
        let locked = self.bound.iter().position(|(name, _)| *name == root);
        let hidden = locked.map(|position| self.bound.remove(position));
        let name = format!("v{}", self.depth);
        self.bound.push((name.clone(), bound));
        self.depth += 1;
        let body = self.expr(body, level);
        self.depth -= 1;
        self.bound.retain(|(known, _)| *known != name);
        self.bound.extend(hidden);
        fixed(vec![text(format!("{list}.{method}(|{name}| ")), body, text(")")])
    }

    fn quantifier(&mut self, level: usize) -> Tree {
        if self.depth > 2 {
            return self.leaf_bool();
        }
        self.count("closure");
        let method = self.dice.pick(&["any", "all"]);
        self.with_closure(method, Kind::Bool, level)
    }

    fn membership(&mut self, level: usize) -> Tree {
        self.count("in");
        match self.dice.below(3) {
            0 => text(format!("({}.state in [\"red\", \"green\"])", self.thing())),
            1 => {
                let member = self.expr(Kind::Text, level);
                let thing = self.thing();
                fixed(vec![text("(("), member, text(format!(") in {thing}.tags)"))])
            }
            _ => {
                let member = self.expr(Kind::Int, level);
                fixed(vec![text("(("), member, text(") in [1, 2, 3])")])
            }
        }
    }

    fn call(&mut self, level: usize) -> Tree {
        self.count("function");
        match self.dice.below(4) {
            0 => {
                let (a, b) = (self.expr(Kind::Text, level), self.expr(Kind::Text, level));
                let name = self.dice.pick(&["contains", "starts_with", "ends_with", "same_name"]);
                fixed(vec![text(format!("{name}(")), a, text(", "), b, text(")")])
            }
            1 => {
                let (a, b) = (self.field(Kind::Path), self.field(Kind::Path));
                let name = self.dice.pick(&["is_within", "same_path"]);
                fixed(vec![text(format!("{name}(")), a, text(", "), b, text(")")])
            }
            2 => {
                let (a, b) = (self.field(Kind::Version), self.field(Kind::Version));
                fixed(vec![text("(version_compare("), a, text(", "), b, text(") > 0)")])
            }
            _ => {
                let (a, b) = (self.field(Kind::Time), self.field(Kind::Time));
                fixed(vec![text("(("), a, text(" - "), b, text(") > hours(2))")])
            }
        }
    }

    fn choice(&mut self, kind: Kind, level: usize) -> Tree {
        self.count("if");
        let (test, yes, no) =
            (self.expr(Kind::Bool, level), self.expr(kind, level), self.expr(kind, level));
        fixed(vec![text("(if "), test, text(" { "), yes, text(" } else { "), no, text(" })")])
    }

    fn arithmetic(&mut self, kind: Kind, level: usize) -> Tree {
        self.count("arithmetic");
        if self.dice.chance(25) {
            // Never by something that can be 0.0: rhai's infinity is our failure.
            let (operator, by) = match kind {
                Kind::Int => (self.dice.pick(&["/", "%"]), self.dice.pick(&["3", "7", "-2", "0"])),
                _ => (self.dice.pick(&["/", "%"]), self.dice.pick(&["4.0", "0.5", "-3.0"])),
            };
            return fixed(vec![
                text("("),
                self.expr(kind, level),
                text(format!(" {operator} {by})")),
            ]);
        }
        let operator = self.dice.pick(&["+", "-", "*"]);
        let (a, b) = (self.expr(kind, level), self.expr(kind, level));
        fixed(vec![text("("), a, text(format!(" {operator} ")), b, text(")")])
    }

    fn int(&mut self, level: usize) -> Tree {
        match self.dice.below(7) {
            0 | 1 => self.arithmetic(Kind::Int, level),
            2 if self.depth < 3 => {
                self.count("closure");
                let method = self.dice.pick(&["count", "sum", "min", "max"]);
                match method {
                    "count" => self.with_closure("count", Kind::Bool, level),
                    "sum" => self.with_closure("sum", Kind::Int, level),
                    method => fixed(vec![
                        text("("),
                        self.with_closure(method, Kind::Int, level),
                        text(" ?? 0)"),
                    ]),
                }
            }
            3 => {
                self.count("function");
                let inner = self.expr(Kind::Text, level);
                fixed(vec![text("len("), inner, text(")")])
            }
            4 => {
                self.count("aggregate");
                text(format!("{}.tags.count()", self.thing()))
            }
            5 => {
                self.count("-");
                fixed(vec![text("(-"), self.field(Kind::Int), text(")")])
            }
            _ => self.choice(Kind::Int, level),
        }
    }

    fn float(&mut self, level: usize) -> Tree {
        match self.dice.below(4) {
            0 | 1 => self.arithmetic(Kind::Float, level),
            2 => {
                self.count("function");
                let (a, b) = (self.expr(Kind::Float, level), self.expr(Kind::Int, level));
                fixed(vec![text("percent("), a, text(", "), b, text(")")])
            }
            _ => {
                self.count("mixed");
                let (a, b) = (self.expr(Kind::Int, level), self.expr(Kind::Float, level));
                fixed(vec![text("("), a, text(" * "), b, text(")")])
            }
        }
    }

    fn text_value(&mut self, level: usize) -> Tree {
        match self.dice.below(4) {
            0 => {
                self.count("arithmetic");
                let (a, b) = (self.expr(Kind::Text, level), self.expr(Kind::Text, level));
                fixed(vec![text("("), a, text(" + "), b, text(")")])
            }
            1 => {
                self.count("function");
                let inner = self.expr(Kind::Text, level);
                fixed(vec![text("lower("), inner, text(")")])
            }
            2 => {
                self.count("function");
                let inner = self.expr(Kind::Int, level);
                fixed(vec![text("hex("), inner, text(")")])
            }
            _ => self.field(Kind::Text),
        }
    }
}

/// A fact document: every field there, or some of them left out.
fn document(dice: &mut Dice, things: usize, absent: usize) -> String {
    let mut yaml = String::from("schema: test\nobserved_at: 2009-05-04T20:00:00Z\n");
    if absent == 0 || dice.chance(50) {
        yaml.push_str("complete: all\n");
    }
    yaml.push_str("things:\n");
    for number in 0..things {
        let name = ["alpha", "Beta", "gamma", "delta"][number];
        let _ = writeln!(yaml, "  - name: {name}");
        let mut field = |dice: &mut Dice, key: &str, value: String| {
            if !dice.chance(absent) {
                let _ = writeln!(yaml, "    {key}: {value}");
            }
        };
        let friend = ["alpha", "BETA", "gamma", "delta"][dice.below(things)];
        let flag = dice.pick(&["true", "false"]).to_owned();
        field(dice, "flag", flag);
        let count = dice.below(12).to_string();
        field(dice, "count", count);
        let limit = dice.pick(&["null", "0", "3", "9"]).to_owned();
        field(dice, "limit", limit);
        let ratio = dice.pick(&["0.5", "0.30000000000000004", "0.3", "2.0", "-1.25"]).to_owned();
        field(dice, "ratio", ratio);
        let label = dice.pick(&["\"\"", "a", "Ab", "red", "code 0x80004002"]).to_owned();
        field(dice, "label", label);
        let state = dice.pick(&["red", "green", "blue"]).to_owned();
        field(dice, "state", state);
        let title = dice.pick(&["Alpha", "ALPHA", "beta"]).to_owned();
        field(dice, "title", title);
        let home = dice.pick(&["D:\\Data\\a.edb", "d:/data/A.EDB", "C:\\x", "D:\\Data"]).to_owned();
        field(dice, "home", home);
        let build = dice.pick(&["\"8.1.240.6\"", "\"8.10\"", "\"8.1\"", "\"10.0.1.0\""]).to_owned();
        field(dice, "build", build);
        let seen = dice
            .pick(&["2009-05-04T18:00:00Z", "2009-05-04T20:00:00+02:00", "2009-05-05T06:30:00Z"])
            .to_owned();
        field(dice, "seen", seen);
        field(dice, "friend", friend.to_owned());
        let tags = dice.pick(&["[]", "[a]", "[a, red, Ab]"]).to_owned();
        field(dice, "tags", tags);
        let size = dice.below(9);
        let boxed = if dice.chance(absent) {
            "{ colour: red }".to_owned()
        } else {
            format!("{{ size: {size}, colour: green }}")
        };
        field(dice, "box", boxed);
        let parts = match dice.below(3) {
            0 => "[]".to_owned(),
            1 => format!("[{{ weight: {size}, colour: a }}]"),
            _ if dice.chance(absent) => "[{ weight: 2 }, { colour: red }]".to_owned(),
            _ => format!("[{{ weight: 2, colour: red }}, {{ weight: {size}, colour: Ab }}]"),
        };
        field(dice, "parts", parts);
    }
    yaml
}

struct World2 {
    model: Arc<Model>,
    sources: Sources,
    scripts: Scripts,
}

impl World2 {
    fn view(&self, yaml: &str) -> Arc<View> {
        let mut sources = self.sources.clone();
        let file = sources.add("facts.yaml", yaml.as_bytes()).unwrap();
        let root = source::read(&sources, file).unwrap_or_else(|found| panic!("{found:?}\n{yaml}"));
        let (facts, _) =
            merge(&self.model, &[(file, root)]).unwrap_or_else(|found| panic!("{found:?}\n{yaml}"));
        let now = Instant::parse("2009-05-04T21:00:00Z").unwrap();
        Arc::new(View::new(Arc::new(facts), now))
    }

    fn first(facts: &Facts) -> Value {
        let kind = facts.model().kind_named("thing").unwrap().id;
        Value::Object(facts.ids(kind).next().unwrap())
    }

    /// A checked expression, and how many names it needs.
    fn checked(&self, text: &str) -> (Expr, usize) {
        let thing = Type::Object(Arc::new([self.model.kind_named("thing").unwrap().id]));
        let mut scope = Scope::default();
        for name in NAMES {
            scope.bind(name, thing.clone());
        }
        let world = World { model: &self.model, scripts: &[], tables: &[] };
        let expr =
            check(text, &mut scope, world).unwrap_or_else(|found| panic!("{text}\n{found:#?}"));
        (expr, scope.slots)
    }

    /// What is wrong with the expression printed from its tree: it must read as the same tree.
    fn misprint(&self, text: &str) -> Option<String> {
        let (expr, _) = self.checked(text);
        let names: Vec<(Arc<str>, usize)> =
            NAMES.iter().map(|name| Arc::from(*name)).zip(0..).collect();
        let printed = Printer { names: &names, model: &self.model, tables: &[] }.print(&expr);
        let (again, _) = self.checked(&printed);
        let is_same = without_places(&again) == without_places(&expr);
        (!is_same).then(|| format!("{text}\n  was printed as {printed}"))
    }

    fn tree(&self, text: &str, view: &Arc<View>) -> (Outcome, Type) {
        let (expr, slots) = self.checked(text);
        let mut env = Env::new(view, &self.scripts, &NoVerdicts, slots);
        for slot in 0..NAMES.len() {
            env.bind(slot, Ok(Self::first(&view.facts)));
        }
        (env.eval(&expr), expr.ty.clone())
    }

    fn reference(&self, text: &str, ty: &Type, view: &Arc<View>) -> Outcome {
        let thing = Type::Object(Arc::new([self.model.kind_named("thing").unwrap().id]));
        let names: Vec<(&str, Value, Type)> =
            NAMES.iter().map(|name| (*name, Self::first(&view.facts), thing.clone())).collect();
        interpret(text, &names, ty, view)
    }
}

/// A tree as text, without the places where its parts were written and what has no order.
pub(crate) fn without_places(expr: &Expr) -> String {
    let text = format!("{expr:?}");
    let mut parts = text.split(", at: ");
    let first = parts.next().unwrap_or_default().to_owned();
    let text = parts.fold(first, |text, part| {
        text + part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
    });
    let mut parts = text.split(", index: {");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('}').unwrap_or_default().1)
}

const NAMES: [&str; 4] = ["x0", "x1", "x2", "x3"];

#[derive(Default)]
struct Distribution {
    cases: usize,
    agreed: usize,
    interpreter_failed: usize,
    both_failed: usize,
    printed: usize,
    with_absent: usize,
    decided_with_absent: usize,
    depth: BTreeMap<usize, usize>,
    uses: BTreeMap<&'static str, usize>,
    kinds: BTreeMap<&'static str, usize>,
    wrong: Vec<String>,
}

impl Distribution {
    fn add(&mut self, other: Self) {
        self.cases += other.cases;
        self.agreed += other.agreed;
        self.interpreter_failed += other.interpreter_failed;
        self.both_failed += other.both_failed;
        self.printed += other.printed;
        self.with_absent += other.with_absent;
        self.decided_with_absent += other.decided_with_absent;
        for (key, count) in other.depth {
            *self.depth.entry(key).or_default() += count;
        }
        for (key, count) in other.uses {
            *self.uses.entry(key).or_default() += count;
        }
        for (key, count) in other.kinds {
            *self.kinds.entry(key).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }

    fn print(&self) {
        println!("{} expressions", self.cases);
        println!("  on present facts: {} agree, {} failed in both", self.agreed, self.both_failed);
        println!(
            "  {} where only the interpreter stopped at an error (no claim)",
            self.interpreter_failed
        );
        println!(
            "  {} judged with absent facts, {} of them decided all the same",
            self.with_absent, self.decided_with_absent
        );
        println!("  {} printed and read again", self.printed);
        println!("  types {:?}", self.kinds);
        println!("  depth {:?}", self.depth);
        println!("  operators {:?}", self.uses);
    }
}

fn one(world: &World2, seed: u64, found: &mut Distribution) {
    let mut dice = Dice(seed);
    let (kind, name) = [
        (Kind::Bool, "bool"),
        (Kind::Bool, "bool"),
        (Kind::Bool, "bool"),
        (Kind::Int, "int"),
        (Kind::Float, "float"),
        (Kind::Text, "text"),
    ][dice.below(6)];
    let mut author = Author {
        dice: &mut dice,
        bound: Vec::new(),
        depth: 0,
        uses: BTreeMap::new(),
        deepest: 0,
        budget: 40,
    };
    let tree = author.expr(kind, 0);
    *found.depth.entry(author.deepest).or_default() += 1;
    for (what, count) in author.uses {
        *found.uses.entry(what).or_default() += count;
    }
    *found.kinds.entry(name).or_default() += 1;
    found.cases += 1;
    let (text, turned) = (tree.text(false), tree.text(true));
    let things = 1 + dice.below(3);
    let facts_seed = dice.next();
    let full = world.view(&document(&mut Dice(facts_seed), things, 0));
    if seed.is_multiple_of(5) {
        found.printed += 1;
        found.wrong.extend(world.misprint(&text).map(|what| format!("seed {seed}: {what}")));
    }
    let (value, ty) = world.tree(&text, &full);
    let reference = world.reference(&text, &ty, &full);
    match (&value, &reference) {
        (Ok(a), Ok(b)) if a.same(b) => found.agreed += 1,
        (Err(_), Err(_)) => found.both_failed += 1,
        (Ok(_), Err(_)) => found.interpreter_failed += 1,
        (a, b) => {
            found.wrong.push(format!("seed {seed}: {text}\n  tree {a:?}\n  interpreter {b:?}"));
        }
    }
    // The same facts with some left out: a subset of the full ones, taken away field by field.
    let mut root = document(&mut Dice(facts_seed), things, 0);
    let share = 10 + dice.below(40);
    let lines: Vec<&str> = root.lines().collect();
    let kept: Vec<&str> = lines
        .iter()
        .copied()
        .filter(|line| {
            !(line.starts_with("    ") || line.starts_with("complete")) || !dice.chance(share)
        })
        .collect();
    let some_absent = kept.len() < lines.len();
    root = kept.join("\n");
    let partial = world.view(&root);
    let (less, _) = world.tree(&text, &partial);
    if some_absent {
        found.with_absent += 1;
        found.decided_with_absent += usize::from(less.is_ok());
    }
    if let (Ok(less), Ok(value)) = (&less, &value)
        && !less.same(value)
    {
        found.wrong.push(format!(
            "seed {seed}: absent facts changed {value:?} to {less:?}\n  {text}\n{root}"
        ));
    }
    for view in [&full, &partial] {
        let (a, b) = (world.tree(&text, view).0, world.tree(&turned, view).0);
        let same = match (&a, &b) {
            (Ok(a), Ok(b)) => a.same(b),
            (Err(_), Err(_)) => true,
            _ => false,
        };
        if !same {
            found.wrong.push(format!(
                "seed {seed}: the order of operands matters\n  {text}\n  {turned}\n  {a:?}\n  {b:?}"
            ));
        }
    }
}

#[test]
fn tree_and_interpreter_agree_and_order_never_matters() {
    let cases: u64 = std::env::var("DPMGUARD_EXPRESSION_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    let first: u64 = std::env::var("DPMGUARD_EXPRESSION_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let mut sources = Sources::default();
    let file = sources.add("model.json", MODEL.as_bytes()).unwrap();
    let root = source::read(&sources, file).unwrap();
    let model = Arc::new(Model::compile(&root).unwrap());
    let world = World2 { model, sources, scripts: Scripts::default() };
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get() as u64);
    let mut found = Distribution::default();
    std::thread::scope(|scope| {
        let world = &world;
        let work = move |thread: u64| {
            let mut found = Distribution::default();
            let mut seed = first + thread;
            while seed < first + cases {
                one(world, seed, &mut found);
                seed += threads;
            }
            found
        };
        let handles: Vec<_> =
            (0..threads).map(|thread| scope.spawn(move || work(thread))).collect();
        for handle in handles {
            found.add(handle.join().unwrap());
        }
    });
    found.print();
    assert!(
        found.wrong.is_empty(),
        "{} differences\n{}",
        found.wrong.len(),
        found.wrong[..found.wrong.len().min(10)].join("\n\n")
    );
    assert_eq!(found.cases as u64, cases);
    assert!(found.agreed * 10 > found.cases * 7, "too few expressions have a value");
}
