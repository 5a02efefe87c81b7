//! The facts that a rule or an action reads, found in its checked expressions.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::expr::template::Template;
use crate::expr::tree::{Expr, ExprKind};
use crate::facts::model::{Field, KindId, Model, Origin, Type};
use crate::rule::action::Action;
use crate::rule::pack::RuleSet;
use crate::rule::{Binding, Command, Rule};

/// What fields belong to: a kind, or a record that stands once in the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// A kind of object.
    Kind(KindId),
    /// The record at that position of the model's single ones.
    Single(usize),
}

/// How a fact is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// Whether the verdict can hang on it; otherwise only what is said and done.
    pub decides: bool,
    /// Whether the author asks first if it is known.
    pub asked: bool,
    /// Whether it follows from other facts, which are listed too.
    pub derived: bool,
}

/// The facts of one kind that are read.
#[derive(Clone, Debug, Default)]
pub struct KindNeeds {
    /// Whether the list of all objects is looked at, so that it matters whether it is complete.
    pub whole: bool,
    /// Fields by name; one of a nested record as `record.field`.
    pub fields: BTreeMap<String, Use>,
}

/// What a rule or an action reads.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Facts, in the model's order.
    pub facts: BTreeMap<Of, KindNeeds>,
    /// Ids of the tables that are looked into.
    pub tables: Vec<String>,
    /// Names of the pack's functions that are called.
    pub functions: Vec<Arc<str>>,
    /// Those of them that are handed whole objects: what they read of these is not seen here.
    pub opaque: Vec<Arc<str>>,
}

/// Where records stand in the model, by their names. Several may share one: an expression can give either.
type Records = HashMap<Arc<str>, Vec<(Of, String)>>;

/// What the checker's trees are walked with.
#[derive(Debug)]
pub struct Walker<'a> {
    model: &'a Model,
    set: &'a RuleSet,
    records: Records,
}

impl<'a> Walker<'a> {
    /// Looks where the records of the model stand.
    #[must_use]
    pub fn new(model: &'a Model, set: &'a RuleSet) -> Self {
        let mut records = Records::new();
        for kind in model.kinds() {
            below(&kind.record.fields, Of::Kind(kind.id), "", &mut records);
        }
        for (position, field) in model.singles().iter().enumerate() {
            note(&field.ty, Of::Single(position), "", &mut records);
        }
        Self { model, set, records }
    }

    /// What a rule reads.
    #[must_use]
    pub fn rule(&self, rule: &Rule) -> Needs {
        let mut walk = Walk::new(self, &rule.lets);
        for binding in &rule.select {
            match binding {
                Binding::Each { list, filter, .. } => walk.decides(list, filter.as_ref()),
                Binding::One { from, filter, .. } => walk.decides(from, filter.as_ref()),
            }
        }
        for (that, _) in &rule.require {
            walk.decides(that, None);
        }
        walk.decides(&rule.violated, None);
        for expr in told(rule) {
            walk.expr(expr, Use::default());
        }
        walk.done()
    }

    /// What an action reads.
    #[must_use]
    pub fn action(&self, action: &Action) -> Needs {
        let mut walk = Walk::new(self, &action.lets);
        let duration = action.duration.iter().flat_map(|duration| {
            let because = duration.because.exprs();
            [&duration.best, &duration.expected, &duration.worst].into_iter().chain(because)
        });
        let all = action.text.exprs().chain(commands(&action.commands)).chain(duration);
        for expr in all {
            walk.expr(expr, Use::default());
        }
        walk.done()
    }
}

/// The expressions of a rule that decide nothing: what is said and done.
fn told(rule: &Rule) -> Vec<&Expr> {
    let mut all: Vec<&Expr> = Vec::new();
    for binding in &rule.select {
        if let Binding::One { if_none, .. } = binding {
            all.extend(if_none.because.exprs());
        }
    }
    for (_, otherwise) in &rule.require {
        all.extend(otherwise.because.exprs());
    }
    let finding = &rule.finding;
    all.extend(finding.message.exprs());
    all.extend(finding.evidence.iter().map(|(_, expr)| expr));
    all.extend(finding.fingerprint.iter().chain(&finding.affects));
    for change in &rule.consequence {
        all.extend(change.each.iter().map(|(_, list)| list));
        all.extend([&change.to]);
    }
    for step in &rule.remediation {
        all.extend(step.each.iter().map(|(_, list)| list));
        all.extend(step.text.iter().flat_map(Template::exprs));
        all.extend(step.with.iter().chain(&step.when).chain(&step.unless));
        all.extend(commands(step.commands.as_deref().unwrap_or_default()));
    }
    for withheld in &rule.withholds {
        all.extend(std::iter::once(&withheld.at).chain(&withheld.when));
        all.extend(withheld.because.exprs());
    }
    all
}

fn commands(commands: &[Command]) -> impl Iterator<Item = &Expr> {
    commands.iter().flat_map(|command| command.when.iter().chain(command.run.exprs()))
}

fn below(fields: &[Field], of: Of, path: &str, records: &mut Records) {
    for field in fields {
        note(&field.ty, of, &joined(path, &field.name), records);
    }
}

fn note(ty: &Type, of: Of, path: &str, records: &mut Records) {
    match ty {
        Type::Record(record) => {
            records.entry(record.name.clone()).or_default().push((of, path.to_owned()));
            below(&record.fields, of, path, records);
        }
        Type::List(inner) | Type::Optional(inner) => note(inner, of, path, records),
        _ => {}
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// One rule or action being walked.
struct Walk<'w> {
    walker: &'w Walker<'w>,
    lets: &'w [(usize, Expr)],
    /// Slots of `let` that were walked, and whether as something that decides.
    seen: Vec<(usize, bool)>,
    /// Fields of nested records: the record's name, the field's, and how it is used.
    inside: Vec<(Arc<str>, Arc<str>, Use)>,
    needs: Needs,
}

impl<'w> Walk<'w> {
    fn new(walker: &'w Walker<'w>, lets: &'w [(usize, Expr)]) -> Self {
        Self { walker, lets, seen: Vec::new(), inside: Vec::new(), needs: Needs::default() }
    }

    fn decides(&mut self, expr: &'w Expr, filter: Option<&'w Expr>) {
        let using = Use { decides: true, ..Use::default() };
        self.expr(expr, using);
        if let Some(filter) = filter {
            self.expr(filter, using);
        }
    }

    /// What `expr` reads; `using.asked` goes for the field that it names, not for what is below.
    fn expr(&mut self, expr: &'w Expr, using: Use) {
        let plain = Use { asked: false, ..using };
        match &expr.kind {
            ExprKind::Variable(slot) => self.variable(*slot, plain),
            ExprKind::All(kind) => self.of(Of::Kind(*kind)).whole = true,
            ExprKind::Single(position) => drop(self.of(Of::Single(*position))),
            ExprKind::Constant(_) => self.table(&expr.ty),
            ExprKind::Field { base, positions, name } => {
                for (kind, position) in positions {
                    match kind {
                        Some(kind) => self.field(*kind, *position, using),
                        None => self.in_record(&base.ty, name, using),
                    }
                }
            }
            ExprKind::Script(name, args) => {
                push(&mut self.needs.functions, name);
                if args.iter().any(|arg| holds_object(&arg.ty)) {
                    push(&mut self.needs.opaque, name);
                }
            }
            _ => {}
        }
        match &expr.kind {
            ExprKind::Known(asked) => self.expr(asked, Use { asked: true, ..using }),
            ExprKind::Get(asked, default) => {
                self.expr(asked, Use { asked: true, ..using });
                self.expr(default, plain);
            }
            _ => expr.each_child(&mut |child| self.expr(child, plain)),
        }
    }

    /// A name bound by `let` stands for its value.
    fn variable(&mut self, slot: usize, using: Use) {
        let Some((_, value)) = self.lets.iter().find(|(known, _)| *known == slot) else { return };
        if self.seen.contains(&(slot, true)) || self.seen.contains(&(slot, using.decides)) {
            return;
        }
        self.seen.push((slot, using.decides));
        self.expr(value, using);
    }

    fn of(&mut self, of: Of) -> &mut KindNeeds {
        self.needs.facts.entry(of).or_default()
    }

    fn add(&mut self, of: Of, path: String, using: Use) {
        let known = self.of(of).fields.entry(path).or_default();
        known.decides |= using.decides;
        known.asked |= using.asked;
        known.derived |= using.derived;
    }

    /// A field of a kind, and where it follows from others these too.
    fn field(&mut self, kind: KindId, position: usize, using: Use) {
        let model = self.walker.model;
        let Some(record) = model.kind(kind).map(|kind| &kind.record) else { return };
        let Some(field) = record.fields.get(position) else { return };
        let derived = matches!(field.origin, Origin::Inverse { .. } | Origin::Within { .. });
        self.add(Of::Kind(kind), field.name.to_string(), Use { derived, ..using });
        let plain = Use { asked: false, ..using };
        match &field.origin {
            Origin::Read => {}
            Origin::Reference { scope } => {
                for name in scope {
                    if record.field(name).is_some() {
                        self.add(Of::Kind(kind), name.to_string(), plain);
                    }
                }
            }
            Origin::Inverse { kind: other, field } => {
                self.of(Of::Kind(*other)).whole = true;
                self.field(*other, *field, plain);
            }
            Origin::Within { path, scope, matching } => {
                self.field(kind, *path, plain);
                let Type::Object(others) = field.ty.required() else { return };
                for other in others.iter() {
                    self.of(Of::Kind(*other)).whole = true;
                    self.field(*other, *matching, plain);
                    for (here, there) in scope {
                        self.field(kind, *here, plain);
                        self.field(*other, *there, plain);
                    }
                }
            }
        }
    }

    fn in_record(&mut self, base: &Type, name: &Arc<str>, using: Use) {
        if let Type::Record(record) = base.required() {
            self.inside.push((record.name.clone(), name.clone(), using));
        }
    }

    /// Finds the records that fields were read in: those of that name that were read themselves.
    /// Parameters and the rows of tables are records of no facts.
    fn place_inside(&mut self) {
        let inside = std::mem::take(&mut self.inside);
        let walker = self.walker;
        loop {
            let before = self.count();
            for (record, name, using) in &inside {
                for (of, path) in walker.records.get(record).into_iter().flatten() {
                    let Some(known) = self.needs.facts.get(of) else { continue };
                    let record = known.fields.get(path).map(|record| record.decides);
                    // A record that stands once is no field, and is there if anything of it is read.
                    if let Some(decides) = record.or(path.is_empty().then_some(true)) {
                        let decides = using.decides && decides;
                        self.add(*of, joined(path, name), Use { decides, ..*using });
                    }
                }
            }
            // A record may lie in a record.
            if self.count() == before {
                break;
            }
        }
    }

    /// How many fields are read, those that decide counted twice.
    fn count(&self) -> usize {
        let all = self.needs.facts.values().flat_map(|facts| facts.fields.values());
        all.map(|using| 1 + usize::from(using.decides)).sum()
    }

    fn table(&mut self, ty: &Type) {
        let Type::List(item) = ty else { return };
        let Type::Record(record) = &**item else { return };
        let mut tables = self.walker.set.tables.iter();
        if let Some(table) = tables.find(|table| table.constant.name == record.name)
            && !self.needs.tables.contains(&table.id)
        {
            self.needs.tables.push(table.id.clone());
        }
    }

    /// A record is not listed beside its fields, unless it decides and none of them does.
    fn done(mut self) -> Needs {
        self.place_inside();
        for needs in self.needs.facts.values_mut() {
            let all: Vec<(String, bool)> =
                needs.fields.iter().map(|(name, using)| (name.clone(), using.decides)).collect();
            needs.fields.retain(|name, using| {
                let inside = format!("{name}.");
                let mut below = all.iter().filter(|(other, _)| other.starts_with(&inside));
                !below.any(|(_, decides)| *decides || !using.decides)
            });
        }
        self.needs
    }
}

fn push(list: &mut Vec<Arc<str>>, name: &Arc<str>) {
    if !list.contains(name) {
        list.push(name.clone());
    }
}

fn holds_object(ty: &Type) -> bool {
    match ty {
        Type::Object(_) => true,
        Type::List(inner) | Type::Optional(inner) => holds_object(inner),
        _ => false,
    }
}
