//! Functions that a pack writes in rhai, run in the sandboxed interpreter.
//!
//! Their values are ours behind rhai's `Dynamic`: a name compares without case there too, and touching
//! a fact that is not known ends the call as unknown, with the fact's path. The same interpreter is
//! the reference that the property test holds the typed tree against.

mod sandbox;
mod values;

use std::sync::{Arc, LazyLock};

use rhai::{AST, CallFnOptions, Dynamic, Engine, Position, Scope};

use crate::expr::check::Signature;
use crate::expr::eval::{Outcome, Unknown, View};
use crate::expr::functions;
use crate::expr::script::sandbox::engine;
use crate::expr::script::values::{from_dynamic, say_type, to_dynamic, unknown};
use crate::expr::tree::ListMethod;
use crate::facts::model::{Model, Type};
use crate::facts::value::{Absence, Fact, Value};

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
        // rhai keeps closures as functions beside the declared ones.
        for function in ast.iter_functions().filter(|function| !function.name.starts_with("anon$"))
        {
            let (line, _) = place_of(text, function.name);
            let comments: Vec<&str> = function.comments.iter().flat_map(|c| c.lines()).collect();
            match signature(function.name, &function.params, &comments, model) {
                Ok(signature) if is_ours(&signature.name) => {
                    let message = format!("`{}` is a function of dpmguard already", signature.name);
                    let help = Some("choose another name".to_owned());
                    problems.push(ScriptProblem {
                        code: "name-bound-twice",
                        message,
                        line,
                        column: 1,
                        help,
                    });
                }
                Ok(signature)
                    if self
                        .signatures
                        .iter()
                        .chain(&signatures)
                        .any(|known: &Signature| known.name == signature.name) =>
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
                    &format!("gave {}, which is not of the declared type", say_type(&value)),
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
        Ok(value) => from_dynamic(&value, wanted)
            .ok_or_else(|| failed("expression", &format!("gave {}", say_type(&value)))),
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

/// Whether a name means something in every expression; a pack must not give it another meaning.
fn is_ours(name: &str) -> bool {
    functions::named(name).next().is_some()
        || ListMethod::named(name).is_some()
        || ["known", "any_violated", "get", "contains"].contains(&name)
}

/// Names and types of parameters.
type Params = Vec<(Arc<str>, Type)>;

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
    let parsed = if declared.len() > 1_000 { None } else { parse() };
    let Some((declared_name, types, returns)) = parsed else {
        let declared: String = declared.chars().take(80).collect();
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
