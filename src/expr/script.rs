//! Functions that a pack writes in rhai, run in the sandboxed interpreter.
//!
//! Their values are ours behind rhai's `Dynamic`: a name compares without case there too, and touching
//! a fact that is not known ends the call as unknown, with the fact's path. The same interpreter is
//! the reference that the property test holds the typed tree against.

use std::sync::{Arc, LazyLock};

use rhai::packages::{
    ArithmeticPackage, BasicArrayPackage, BasicFnPackage, BasicIteratorPackage, BasicMathPackage,
    BasicStringPackage, LogicPackage, MoreStringPackage, Package,
};
use rhai::{
    AST, Array, CallFnOptions, Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString,
    NativeCallContext, Position, Scope,
};

use crate::expr::check::Signature;
use crate::expr::eval::{self, Outcome, Unknown, View};
use crate::expr::functions::FUNCTIONS;
use crate::expr::syntax::{Operator, raw_engine};
use crate::facts::model::{Model, Record, Type};
use crate::facts::path::WindowsPath;
use crate::facts::time::Instant;
use crate::facts::value::{Absence, Fact, List, ObjectId, Reach, Value};
use crate::facts::version::Version;

/// Most operations of one call.
const MAX_OPERATIONS: u64 = 1_000_000;

/// What is wrong with a script, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptProblem {
    /// Kind of problem, kebab-case.
    pub code: &'static str,
    /// One line.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What to do.
    pub help: Option<String>,
}

/// The functions of a pack.
#[derive(Debug)]
pub struct Scripts {
    engine: Engine,
    ast: AST,
    signatures: Vec<Signature>,
}

impl Default for Scripts {
    fn default() -> Self {
        Self { engine: engine(false), ast: AST::empty(), signatures: Vec::new() }
    }
}

impl Scripts {
    /// The declared functions.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds the functions of one file.
    ///
    /// # Errors
    ///
    /// All problems of the file; then nothing of it is added.
    pub fn add(&mut self, text: &str, model: &Model) -> Result<(), Vec<ScriptProblem>> {
        let ast = self.engine.compile(text).map_err(|error| {
            vec![problem("script-syntax", &error.err_type().to_string(), error.position())]
        })?;
        let mut problems = Vec::new();
        if let Some(first) = ast.statements().first() {
            let message = "only functions can stand in a script file";
            problems.push(problem("script-syntax", message, first.position()));
        }
        let mut signatures = Vec::new();
        for function in ast.iter_functions() {
            let (line, _) = place_of(text, function.name);
            let comments: Vec<&str> = function.comments.iter().flat_map(|c| c.lines()).collect();
            match signature(function.name, &function.params, &comments, model) {
                Ok(signature)
                    if self.signatures.iter().any(|known| known.name == signature.name) =>
                {
                    let message = format!("the function `{}` is declared twice", signature.name);
                    problems.push(ScriptProblem {
                        code: "name-bound-twice",
                        message,
                        line,
                        column: 1,
                        help: None,
                    });
                }
                Ok(signature) => signatures.push(signature),
                Err(mut problem) => {
                    problem.line = line;
                    problems.push(problem);
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        self.signatures.extend(signatures);
        self.ast = self.ast.merge(&ast);
        Ok(())
    }

    /// The calls of functions that nobody declared, once all files of the pack were added.
    #[must_use]
    pub fn unknown_calls(&self, text: &str) -> Vec<ScriptProblem> {
        let Ok(ast) = self.engine.compile(text) else { return Vec::new() };
        let known: Vec<String> = self
            .engine
            .gen_fn_signatures(true)
            .iter()
            .filter_map(|signature| signature.split('(').next())
            .map(|name| name.trim().to_owned())
            .chain(self.signatures.iter().map(|signature| signature.name.to_string()))
            .collect();
        let mut problems = Vec::new();
        ast.walk(&mut |path| {
            let call = match path.last() {
                Some(rhai::ASTNode::Expr(
                    rhai::Expr::FnCall(call, position) | rhai::Expr::MethodCall(call, position),
                )) => Some((call, *position)),
                Some(rhai::ASTNode::Stmt(rhai::Stmt::FnCall(call, position))) => {
                    Some((call, *position))
                }
                _ => None,
            };
            if let Some((call, position)) = call
                && call.op_token.is_none()
                && call.name != "curry"
                && !known.iter().any(|name| *name == call.name)
            {
                let message = format!("there is no function `{}`", call.name);
                let mut found = problem("unknown-function", &message, position);
                let near = crate::diagnostic::nearest(&call.name, known.iter().map(String::as_str));
                found.help = near.map(|near| format!("did you mean `{near}`?"));
                problems.push(found);
            }
            true
        });
        problems
    }

    /// Calls a function with known values.
    ///
    /// # Errors
    ///
    /// A fact that it touched and that is not known; a failure inside; a value of another type than declared.
    pub fn call(&self, name: &str, args: &[Value], view: &Arc<View>) -> Outcome {
        let Some(signature) = self.signatures.iter().find(|known| &*known.name == name) else {
            return Err(failed(name, "is not declared"));
        };
        let mut dynamic = Vec::with_capacity(args.len());
        for (arg, (_, ty)) in args.iter().zip(&signature.params) {
            dynamic.push(to_dynamic(arg, ty, view)?);
        }
        let options = CallFnOptions::new().eval_ast(false);
        let mut scope = Scope::new();
        let result: Result<Dynamic, _> =
            self.engine.call_fn_with_options(options, &mut scope, &self.ast, name, dynamic);
        match result {
            Ok(value) => from_dynamic(&value, &signature.returns).ok_or_else(|| {
                failed(
                    name,
                    &format!(
                        "gave a value of the type {}, not the declared one",
                        value.type_name()
                    ),
                )
            }),
            Err(error) => Err(unknown(name, *error)),
        }
    }
}

/// Evaluates an expression in the interpreter: the reference for the typed tree.
///
/// # Errors
///
/// A fact that is not known, or what rhai says.
pub fn interpret(
    text: &str,
    names: &[(&str, Value, Type)],
    wanted: &Type,
    view: &Arc<View>,
) -> Outcome {
    static REFERENCE: LazyLock<Engine> = LazyLock::new(|| engine(true));
    let mut scope = Scope::new();
    for (name, value, ty) in names {
        scope.push_dynamic(*name, to_dynamic(value, ty, view)?);
    }
    scope.push_dynamic("now", Dynamic::from(view.now.clone()));
    for kind in view.facts.model().kinds() {
        if let Fact::Known { value, .. } = view.facts.all(kind.id) {
            let ty = Type::List(Arc::new(Type::Object(Arc::new([kind.id]))));
            if let Ok(list) = to_dynamic(&value, &ty, view) {
                scope.push_dynamic(kind.collection.to_string(), list);
            }
        }
    }
    match REFERENCE.eval_expression_with_scope::<Dynamic>(&mut scope, text) {
        Ok(value) => from_dynamic(&value, wanted).ok_or_else(|| {
            failed("expression", &format!("gave a value of the type {}", value.type_name()))
        }),
        Err(error) => Err(unknown("expression", *error)),
    }
}

fn problem(code: &'static str, message: &str, position: Position) -> ScriptProblem {
    ScriptProblem {
        code,
        message: message.to_owned(),
        line: position.line().unwrap_or(1),
        column: position.position().unwrap_or(1),
        help: None,
    }
}

fn place_of(text: &str, function: &str) -> (usize, usize) {
    let wanted = format!("fn {function}");
    let found = text.lines().position(|line| line.trim_start().starts_with(&wanted));
    (found.map_or(1, |line| line + 1), 1)
}

fn failed(name: &str, message: &str) -> Unknown {
    let message: Arc<str> = format!("{name}: {message}").into();
    Unknown::new(message.clone(), Absence::Failed(message), None)
}

/// Reads `/// fn name(a: text, b: list<event>) -> bool` among a function's doc comments.
fn signature(
    name: &str,
    params: &[&str],
    comments: &[&str],
    model: &Model,
) -> Result<Signature, ScriptProblem> {
    let mut help = Vec::new();
    let mut declared = None;
    for comment in comments {
        let line = comment.trim_start_matches('/').trim();
        match line.strip_prefix("fn ") {
            Some(rest) => declared = Some(rest.to_owned()),
            None => help.push(line),
        }
    }
    let example = format!(
        "above it, write `/// fn {name}({}) -> bool`",
        params.join(": text, ") + if params.is_empty() { "" } else { ": text" }
    );
    let wrong = |message: String| ScriptProblem {
        code: "script-signature",
        message,
        line: 1,
        column: 1,
        help: Some(example.clone()),
    };
    let Some(declared) = declared else {
        return Err(wrong(format!("the function `{name}` does not say its types")));
    };
    let parse = || -> Option<(String, Params, Type)> {
        let (head, returns) = declared.rsplit_once("->")?;
        let (declared_name, inside) = head.trim().strip_suffix(')')?.split_once('(')?;
        let mut types = Vec::new();
        for part in inside.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (param, ty) = part.split_once(':')?;
            types.push((param.trim().into(), type_named(ty.trim(), model)?));
        }
        Some((declared_name.trim().to_owned(), types, type_named(returns.trim(), model)?))
    };
    let Some((declared_name, types, returns)) = parse() else {
        let message = format!("the types of `{name}` cannot be read: `fn {declared}`");
        return Err(wrong(message));
    };
    let names: Vec<&str> = types.iter().map(|(name, _)| &**name).collect();
    if declared_name != name || names != params {
        return Err(wrong(format!(
            "the declared names are not those of `{name}({})`",
            params.join(", ")
        )));
    }
    Ok(Signature { name: name.into(), params: types, returns, help: help.join(" ") })
}

fn type_named(text: &str, model: &Model) -> Option<Type> {
    if let Some(inner) = text.strip_suffix('?') {
        return Some(type_named(inner, model)?.optional());
    }
    if let Some(inner) = text.strip_prefix("list<").and_then(|rest| rest.strip_suffix('>')) {
        return Some(Type::List(Arc::new(type_named(inner, model)?)));
    }
    Some(match text {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "float" => Type::Float,
        "text" => Type::Text,
        "name" => Type::Name,
        "path" => Type::Path,
        "version" => Type::Version,
        "time" => Type::Time,
        kind => Type::Object(Arc::new([model.kind_named(kind)?.id])),
    })
}

/// A name inside the interpreter.
#[derive(Clone, Debug)]
struct Name(Arc<str>);

/// An object inside the interpreter.
#[derive(Clone, Debug)]
struct Handle {
    view: Arc<View>,
    id: ObjectId,
}

/// A nested record inside the interpreter.
#[derive(Clone, Debug)]
struct Part {
    view: Arc<View>,
    record: Arc<Record>,
    facts: Arc<[Fact]>,
}

/// An unknown fact on its way out through rhai's errors.
#[derive(Clone, Debug)]
struct Missing(Unknown);

/// Names and types of parameters.
type Params = Vec<(Arc<str>, Type)>;

type Fallible<T> = Result<T, Box<EvalAltResult>>;

#[expect(clippy::unnecessary_box_returns, reason = "rhai hands its errors round in boxes")]
fn missing(unknown: Unknown) -> Box<EvalAltResult> {
    Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(Missing(unknown)), Position::NONE))
}

fn unknown(name: &str, error: EvalAltResult) -> Unknown {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => unknown(name, *inner),
        EvalAltResult::ErrorRuntime(value, position) => match value.clone().try_cast::<Missing>() {
            Some(Missing(unknown)) => unknown,
            None => failed(name, &EvalAltResult::ErrorRuntime(value, position).to_string()),
        },
        other => failed(name, &other.to_string()),
    }
}

fn to_dynamic(value: &Value, ty: &Type, view: &Arc<View>) -> Outcome<Dynamic> {
    Ok(match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => ImmutableString::from(&**text).into(),
        Value::Name(text) => Dynamic::from(Name(text.clone())),
        Value::Path(path) => Dynamic::from(path.clone()),
        Value::Version(version) => Dynamic::from(version.clone()),
        Value::Time(time) => Dynamic::from(time.clone()),
        Value::Object(id) => Dynamic::from(Handle { view: view.clone(), id: *id }),
        Value::Record(facts) => match ty.required() {
            Type::Record(record) => Dynamic::from(Part {
                view: view.clone(),
                record: record.clone(),
                facts: facts.clone(),
            }),
            _ => return Err(failed("value", "is not a record")),
        },
        Value::List(list) => {
            if let Reach::Open(name) = &list.reach {
                return Err(Unknown::new(name.clone(), Absence::Open(name.clone()), None));
            }
            let item = match ty.required() {
                Type::List(item) => (**item).clone(),
                _ => Type::Null,
            };
            let mut items = Array::new();
            for fact in list.items.iter() {
                match fact {
                    Fact::Known { value, .. } => items.push(to_dynamic(value, &item, view)?),
                    Fact::Absent(_) if list.reach == Reach::KnownOnly => {}
                    Fact::Absent(why) => {
                        return Err(Unknown::new("a member of a list", why.clone(), None));
                    }
                }
            }
            items.into()
        }
    })
}

fn from_dynamic(value: &Dynamic, ty: &Type) -> Option<Value> {
    let any = any_value(value)?;
    let fits = match (ty.required(), &any) {
        (_, Value::Null) => matches!(ty, Type::Optional(_) | Type::Null),
        (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Float, Value::Float(_))
        | (Type::Text, Value::Text(_))
        | (Type::Name, Value::Name(_))
        | (Type::Path, Value::Path(_))
        | (Type::Version, Value::Version(_))
        | (Type::Time, Value::Time(_))
        | (Type::Record(_), Value::Record(_)) => true,
        (Type::Name, Value::Text(text)) => return Some(Value::Name(text.clone())),
        (Type::Enum(members), Value::Text(text)) => members.contains(text),
        (Type::Object(kinds), Value::Object(id)) => kinds.contains(&id.kind),
        (Type::List(item), Value::List(_)) => {
            let array = value.read_lock::<Array>()?;
            let values: Option<Vec<Value>> = array.iter().map(|v| from_dynamic(v, item)).collect();
            return Some(Value::List(List::complete(values?)));
        }
        _ => false,
    };
    fits.then_some(any)
}

fn any_value(value: &Dynamic) -> Option<Value> {
    let value = value.flatten_clone();
    if value.is_unit() {
        return Some(Value::Null);
    }
    if let Ok(found) = value.as_bool() {
        return Some(Value::Bool(found));
    }
    if let Ok(found) = value.as_int() {
        return Some(Value::Int(found));
    }
    if let Ok(found) = value.as_float() {
        return Some(Value::Float(found));
    }
    if let Ok(found) = value.as_immutable_string_ref() {
        return Some(Value::Text(found.as_str().into()));
    }
    if let Some(Name(found)) = value.clone().try_cast::<Name>() {
        return Some(Value::Name(found));
    }
    if let Some(found) = value.clone().try_cast::<WindowsPath>() {
        return Some(Value::Path(found));
    }
    if let Some(found) = value.clone().try_cast::<Version>() {
        return Some(Value::Version(found));
    }
    if let Some(found) = value.clone().try_cast::<Instant>() {
        return Some(Value::Time(found));
    }
    if let Some(found) = value.clone().try_cast::<Handle>() {
        return Some(Value::Object(found.id));
    }
    if let Some(found) = value.clone().try_cast::<Part>() {
        return Some(Value::Record(found.facts));
    }
    let array = value.read_lock::<Array>()?;
    let values: Option<Vec<Value>> = array.iter().map(any_value).collect();
    Some(Value::List(List::complete(values?)))
}

/// The sandbox: no modules, clock, files or printing; limits on everything.
///
/// `reference` leaves rhai's own operators in place for values that it knows; scripts get ours for all,
/// so that values of different types do not compare there either.
fn engine(reference: bool) -> Engine {
    let mut engine = raw_engine();
    for module in [
        ArithmeticPackage::new().as_shared_module(),
        LogicPackage::new().as_shared_module(),
        BasicMathPackage::new().as_shared_module(),
        BasicStringPackage::new().as_shared_module(),
        MoreStringPackage::new().as_shared_module(),
        BasicArrayPackage::new().as_shared_module(),
        BasicIteratorPackage::new().as_shared_module(),
        BasicFnPackage::new().as_shared_module(),
    ] {
        engine.register_global_module(module);
    }
    engine.set_strict_variables(true);
    engine.set_max_operations(MAX_OPERATIONS);
    engine.set_max_call_levels(8);
    engine.set_max_array_size(100_000);
    engine.set_max_map_size(1_000);
    engine.set_max_variables(200);
    engine.set_fast_operators(reference);
    register_types(&mut engine);
    register_operators(&mut engine);
    register_functions(&mut engine);
    register_lists(&mut engine);
    engine
}

fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<Name>("name");
    engine.register_type_with_name::<WindowsPath>("path");
    engine.register_type_with_name::<Version>("version");
    engine.register_type_with_name::<Instant>("time");
    engine.register_type_with_name::<Handle>("object");
    engine.register_type_with_name::<Part>("record");
    engine.register_indexer_get(
        |handle: &mut Handle, field: ImmutableString| -> Fallible<Dynamic> {
            if field == "key" {
                return Ok(Dynamic::from(Name(handle.view.facts.key(handle.id))));
            }
            let kind = handle.view.facts.kind_of(handle.id);
            let Some((position, known)) = kind.and_then(|kind| kind.record.field(&field)) else {
                return Err(missing(failed(
                    "script",
                    &format!("an object has no field `{field}`"),
                )));
            };
            let (value, _) = handle.view.fact(handle.id, position).map_err(missing)?;
            to_dynamic(&value, &known.ty, &handle.view).map_err(missing)
        },
    );
    engine.register_indexer_get(|part: &mut Part, field: ImmutableString| -> Fallible<Dynamic> {
        let Some((position, known)) = part.record.field(&field) else {
            let message = format!("`{}` has no field `{field}`", part.record.name);
            return Err(missing(failed("script", &message)));
        };
        match part.facts.get(position) {
            Some(Fact::Known { value, .. }) => {
                to_dynamic(value, &known.ty, &part.view).map_err(missing)
            }
            Some(Fact::Absent(why)) => {
                let what = format!("{}.{field}", part.record.name);
                Err(missing(Unknown::new(what, why.clone(), None)))
            }
            None => Err(missing(failed("script", "a record is shorter than its type"))),
        }
    });
}

fn register_operators(engine: &mut Engine) {
    for operator in [
        Operator::Equal,
        Operator::NotEqual,
        Operator::Less,
        Operator::LessEqual,
        Operator::Greater,
        Operator::GreaterEqual,
    ] {
        engine.register_fn(operator.sign(), move |a: Dynamic, b: Dynamic| -> Fallible<bool> {
            compared(operator, &a, &b)
        });
    }
    for operator in [Operator::Add, Operator::Subtract] {
        engine.register_fn(operator.sign(), move |a: Instant, b: i64| -> Fallible<Instant> {
            match eval::arithmetic(operator, Value::Time(a), Value::Int(b)) {
                Ok(Value::Time(time)) => Ok(time),
                Ok(_) => Err(missing(failed("time", "is of another type"))),
                Err(unknown) => Err(missing(unknown)),
            }
        });
    }
    engine.register_fn("-", |a: Instant, b: Instant| a.seconds() - b.seconds());
    engine.register_fn("+", |a: Name, b: Name| format!("{}{}", a.0, b.0));
    engine.register_fn("+", |a: Name, b: ImmutableString| format!("{}{b}", a.0));
    engine.register_fn("+", |a: ImmutableString, b: Name| format!("{a}{}", b.0));
}

/// Values of different types do not compare: a typing slip must not read as "different".
fn compared(operator: Operator, a: &Dynamic, b: &Dynamic) -> Fallible<bool> {
    let mismatch = || {
        let message = format!(
            "`{}` cannot compare {} with {}",
            operator.sign(),
            a.type_name(),
            b.type_name()
        );
        missing(failed("script", &message))
    };
    let (Some(left), Some(right)) = (any_value(a), any_value(b)) else { return Err(mismatch()) };
    if let (Value::Null, other) | (other, Value::Null) = (&left, &right) {
        return match operator {
            Operator::Equal => Ok(matches!(other, Value::Null)),
            Operator::NotEqual => Ok(!matches!(other, Value::Null)),
            _ => Err(mismatch()),
        };
    }
    let read = |text: &Value, like: &Value| match (text, like) {
        (Value::Text(text), Value::Path(_)) => Some(Value::Path(WindowsPath::new(text))),
        (Value::Text(text), Value::Version(_)) => Version::parse(text).map(Value::Version),
        (Value::Text(text), Value::Time(_)) => Instant::parse(text).map(Value::Time),
        (other, _) => Some(other.clone()),
    };
    match (read(&left, &right), read(&right, &left)) {
        (Some(left), Some(right)) => eval::compare(operator, &left, &right).ok_or_else(mismatch),
        _ => Err(mismatch()),
    }
}

fn register_functions(engine: &mut Engine) {
    for function in FUNCTIONS {
        let call = move |args: &[Dynamic]| -> Fallible<Dynamic> {
            let mut values = Vec::with_capacity(args.len());
            for (arg, (_, takes)) in args.iter().zip(function.params) {
                let value = any_value(arg).ok_or_else(|| {
                    missing(failed(function.name, "was called with a value it does not take"))
                })?;
                values.push(match (takes, value) {
                    (crate::expr::functions::Takes::Path, Value::Text(text)) => {
                        Value::Path(WindowsPath::new(&text))
                    }
                    (crate::expr::functions::Takes::Version, Value::Text(text)) => {
                        Version::parse(&text).map_or(Value::Text(text), Value::Version)
                    }
                    (_, value) => value,
                });
            }
            let result = function
                .call(&values)
                .map_err(|message| missing(failed(function.name, &message)))?;
            plain(&result).ok_or_else(|| missing(failed(function.name, "gave no plain value")))
        };
        match function.params.len() {
            1 => engine.register_fn(function.name, move |a: Dynamic| call(&[a])),
            2 => engine.register_fn(function.name, move |a: Dynamic, b: Dynamic| call(&[a, b])),
            _ => engine.register_fn(function.name, move |a: Dynamic, b: Dynamic, c: Dynamic| {
                call(&[a, b, c])
            }),
        };
    }
}

/// What host functions give needs no view to be shown to rhai.
fn plain(value: &Value) -> Option<Dynamic> {
    Some(match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(value) => (*value).into(),
        Value::Int(value) => (*value).into(),
        Value::Float(value) => (*value).into(),
        Value::Text(text) => ImmutableString::from(&**text).into(),
        _ => return None,
    })
}

#[expect(clippy::too_many_lines, reason = "a table: one registration a method")]
fn register_lists(engine: &mut Engine) {
    type Context<'a> = NativeCallContext<'a>;
    fn holds(context: &Context<'_>, closure: &FnPtr, member: &Dynamic) -> Fallible<bool> {
        closure.call_within_context(context, (member.clone(),))
    }
    fn given(
        context: &Context<'_>,
        list: Array,
        closure: &FnPtr,
    ) -> Fallible<Vec<(Dynamic, Dynamic)>> {
        list.into_iter()
            .map(|member| {
                let value: Dynamic = closure.call_within_context(context, (member.clone(),))?;
                Ok((member, value))
            })
            .collect()
    }
    fn kept(context: &Context<'_>, list: Array, closure: &FnPtr) -> Fallible<Array> {
        let mut result = Array::new();
        for member in list {
            if holds(context, closure, &member)? {
                result.push(member);
            }
        }
        Ok(result)
    }
    fn best(
        pairs: Vec<(Dynamic, Dynamic)>,
        operator: Operator,
    ) -> Fallible<Option<(Dynamic, Dynamic)>> {
        let mut best: Option<(Dynamic, Dynamic)> = None;
        for (member, value) in pairs {
            let better = match &best {
                None => true,
                Some((_, known)) => compared(operator, &value, known)?,
            };
            if better {
                best = Some((member, value));
            }
        }
        Ok(best)
    }
    fn sum(values: Vec<Dynamic>) -> Fallible<Dynamic> {
        let mut total: Option<Value> = None;
        for value in values {
            let value = any_value(&value).ok_or_else(|| missing(failed("sum", "met no number")))?;
            total = Some(match total {
                None => value,
                Some(total) => eval::arithmetic(Operator::Add, total, value).map_err(missing)?,
            });
        }
        let total = total.unwrap_or(Value::Int(0));
        plain(&total).ok_or_else(|| missing(failed("sum", "met no number")))
    }
    engine.register_fn("any", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<bool> {
        for member in &list {
            if holds(&c, &f, member)? {
                return Ok(true);
            }
        }
        Ok(false)
    });
    engine.register_fn("all", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<bool> {
        for member in &list {
            if !holds(&c, &f, member)? {
                return Ok(false);
            }
        }
        Ok(true)
    });
    engine.register_fn("count", |list: Array| i64::try_from(list.len()).unwrap_or(i64::MAX));
    engine.register_fn("count", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<i64> {
        Ok(i64::try_from(kept(&c, list, &f)?.len()).unwrap_or(i64::MAX))
    });
    engine.register_fn("is_empty", |list: Array| list.is_empty());
    engine.register_fn("known_only", |list: Array| list);
    engine.register_fn("sum", |list: Array| sum(list));
    engine.register_fn("sum", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Dynamic> {
        sum(given(&c, list, &f)?.into_iter().map(|(_, value)| value).collect())
    });
    engine.register_fn("filter", |c: Context<'_>, list: Array, f: FnPtr| kept(&c, list, &f));
    engine.register_fn("map", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Array> {
        Ok(given(&c, list, &f)?.into_iter().map(|(_, value)| value).collect())
    });
    engine.register_fn("find", |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Dynamic> {
        let mut kept = kept(&c, list, &f)?;
        match kept.len() {
            0 | 1 => Ok(kept.pop().unwrap_or(Dynamic::UNIT)),
            _ => Err(missing(failed("find", "met several members where one was expected"))),
        }
    });
    for (plain_name, by_name, operator) in
        [("min", "min_by", Operator::Less), ("max", "max_by", Operator::Greater)]
    {
        engine.register_fn(plain_name, move |list: Array| -> Fallible<Dynamic> {
            let pairs = list.into_iter().map(|member| (member.clone(), member)).collect();
            Ok(best(pairs, operator)?.map_or(Dynamic::UNIT, |(_, value)| value))
        });
        engine.register_fn(
            plain_name,
            move |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Dynamic> {
                Ok(best(given(&c, list, &f)?, operator)?.map_or(Dynamic::UNIT, |(_, value)| value))
            },
        );
        engine.register_fn(
            by_name,
            move |c: Context<'_>, list: Array, f: FnPtr| -> Fallible<Dynamic> {
                Ok(best(given(&c, list, &f)?, operator)?
                    .map_or(Dynamic::UNIT, |(member, _)| member))
            },
        );
    }
    engine.register_fn("contains", |list: Array, member: Dynamic| -> Fallible<bool> {
        for item in &list {
            if compared(Operator::Equal, &member, item)? {
                return Ok(true);
            }
        }
        Ok(false)
    });
}
