//! `dpmguard eval`: an expression tried on facts.

mod offer;
mod prompt;
mod terminal;

use std::io::Read;
use std::path::PathBuf;

use clap::ValueEnum;

use crate::author::workbench::{BindProblem, Bound, NameProblem, Shower, Workbench};
use crate::cli::check::{PackArgs, duration, from_the_future, load_packs, now, settings};
use crate::cli::{CliError, Streams, show};
use crate::diagnostic::{Diagnostic, Place};
use crate::expr::check::Problem;
use crate::facts::value::{ObjectId, fold};
use crate::finding::Subject;
use crate::load;
use crate::report::eval::{InRule, Tried, Tried1};
use crate::report::explain::{SubjectX, Tool};
use crate::report::{eval, human};
use crate::rule::Rule;
use crate::rule::clause::unknown_kind;
use crate::source::Sources;

/// Try an expression on facts
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without an expression a prompt is shown; if standard input is not a terminal, \
    expressions are read from it line by line.\n\n\
    Examples:\n  dpmguard eval 'databases.filter(|d| !(d.mounted ?? true)).map(|d| d.key)' --facts facts/\n  \
    dpmguard eval 'db.edb_path' --facts facts/ --bind 'db=databases.find(|d| d.name == \"DB1\")'\n  \
    dpmguard eval 'known_file' --facts facts/ --in database-file-moved --subject DPM01/EX01/SG1\n  \
    dpmguard eval 'database.mounted' --facts facts/ --each database\n  \
    dpmguard eval --facts facts/                  a prompt: `:help` says what it knows\n\n\
    Exit codes: 0 the value is known; 1 it is false (with --exit-code); 2 the expression or an input \
    is wrong; 3 undecided."
)]
pub struct Args {
    /// The expression; `-` reads it from standard input
    #[arg(value_name = "EXPR", allow_negative_numbers = true)]
    pub expression: Option<String>,
    /// A fact file or a folder of them; can be repeated; without, expressions are only checked
    #[arg(long, value_name = "FACTS")]
    pub facts: Vec<PathBuf>,
    /// Bind a name first; can be repeated, and later ones can use earlier ones
    #[arg(long, value_name = "NAME=EXPR")]
    pub bind: Vec<String>,
    /// Use the names of a rule: its parameters, and what `select` and `let` bind
    #[arg(long = "in", value_name = "RULE")]
    pub rule: Option<String>,
    /// The subject for which the rule's names are bound: the object's key
    #[arg(long, value_name = "KEY", requires = "rule")]
    pub subject: Option<String>,
    /// Which binding of several, from 1
    #[arg(long, value_name = "N", requires = "rule", value_parser = clap::value_parser!(u32).range(1..))]
    pub nth: Option<u32>,
    /// Evaluate for each object of a kind, bound to the kind's name
    #[arg(long, value_name = "KIND", requires = "expression")]
    pub each: Option<String>,
    /// The instant of the run: RFC 3339, or `observed` for the newest observation in the facts
    #[arg(long, value_name = "TIME", env = "DPMGUARD_NOW")]
    pub now: Option<String>,
    /// Facts collected longer ago count as not known: `24h`, `90m`, `7d`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_age: Option<i64>,
    /// Most facts and members of a list that are shown; 0 for all [default: 20, with JSON all]
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Exit with 1 if the value is false
    #[arg(long)]
    pub exit_code: bool,
    /// Format of what is printed
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT", requires = "expression")]
    pub format: Format,
    /// Do not keep the lines of the prompt in a file
    #[arg(long)]
    pub no_history: bool,
    /// The rules and their parameters
    #[command(flatten)]
    pub rules: PackArgs,
}

/// A format of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema eval-v1`
    Json,
}

/// Longest expression that is read from standard input, in bytes; far above what can be checked.
const MAX_TYPED: u64 = 1 << 20;

/// Exit code of a value that is false, where it was asked for.
const FALSE: u8 = 1;
/// Exit code of a value that is not known.
const UNDECIDED: u8 = 3;

impl Args {
    fn limit(&self) -> usize {
        match (self.limit, self.format) {
            (Some(0), _) | (None, Format::Json) => usize::MAX,
            (Some(limit), _) => limit,
            (None, Format::Human) => 20,
        }
    }
}

/// Loads, evaluates, writes.
///
/// # Errors
///
/// A wrong expression or input, or output that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let reads_facts = args.facts.iter().any(|path| path.as_os_str() == "-");
    if reads_facts && args.expression.as_deref().is_none_or(|text| text == "-") {
        let message = "standard input cannot hold both the facts and the expression";
        let problem = Diagnostic::error("wrong-option", message);
        return Err(CliError::one(problem.help("write the expression behind `eval`"), &sources));
    }
    let config = settings(&args.rules, &mut sources)?;
    let packs = load_packs(&args.rules, &config, &mut sources)?;
    let rules = packs.rules(&config.params, &sources);
    let loaded = load::facts(&args.facts, streams.input, &mut sources, &packs);
    let (set, loaded) = match (rules, loaded) {
        (Ok(set), Ok(loaded)) => (set, loaded),
        (rules, loaded) => {
            let found = rules.err().into_iter().chain(loaded.err()).flatten().collect();
            return Err(CliError::Input(found, sources));
        }
    };
    let now = now(args.now.as_deref(), &loaded.facts)
        .map_err(|problem| CliError::one(problem, &sources))?;
    let mut warnings = loaded.warnings;
    warnings.extend(from_the_future(&loaded.facts, &now, &sources));
    show(&warnings, &sources, streams);
    let ground = crate::author::workbench::Ground {
        model: &packs.model,
        set: &set,
        facts: &loaded.facts,
        has_facts: !args.facts.is_empty(),
        now: &now,
        max_age: args.max_age,
    };
    let mut desk = Desk { bench: Workbench::new(ground), sources, place: None };
    if let Some(id) = &args.rule {
        desk.enter(id, args.subject.as_deref(), args.nth)?;
    }
    for text in &args.bind {
        desk.bind(text)?;
    }
    match args.expression.as_deref() {
        None => prompt::run(args, desk, streams),
        Some("-") => {
            let text = typed(streams.input).map_err(|problem| desk.error(problem))?;
            one(args, desk, text.trim_end(), streams)
        }
        Some(text) => one(args, desk, text, streams),
    }
}

/// The expression on standard input.
fn typed(input: &mut dyn Read) -> Result<String, Diagnostic> {
    let mut bytes = Vec::new();
    let read = input.take(MAX_TYPED).read_to_end(&mut bytes);
    read.map_err(|error| {
        Diagnostic::error("cannot-read", format!("cannot read standard input: {error}"))
    })?;
    String::from_utf8(bytes)
        .map_err(|_| Diagnostic::error("invalid-encoding", "standard input is not UTF-8"))
}

/// A workbench, with the texts that its expressions stand in.
struct Desk<'a> {
    bench: Workbench<'a>,
    sources: Sources,
    /// The rule whose scope was entered, for the report.
    place: Option<InRule>,
}

impl Desk<'_> {
    fn error(&self, problem: Diagnostic) -> CliError {
        CliError::one(problem, &self.sources)
    }

    /// Problems of a text that is none of the files, drawn in it.
    fn problems(&mut self, name: &str, text: &str, problems: Vec<Problem>) -> CliError {
        let file = match self.sources.add(name, text.as_bytes()) {
            Ok(file) => file,
            Err(problem) => return self.error(problem),
        };
        let byte = |position: usize| {
            let bytes = text.chars().take(position).map(char::len_utf8).sum::<usize>();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let drawn = problems.into_iter().map(|problem| {
            let place = Place { file, start: byte(problem.at.start), end: byte(problem.at.end) };
            let mut drawn = Diagnostic::error(problem.code, problem.message).at(place);
            drawn.help = problem.help;
            drawn
        });
        let drawn = drawn.collect();
        CliError::Input(drawn, self.sources.clone())
    }

    /// Binds `name=expression`.
    fn bind(&mut self, text: &str) -> Result<String, CliError> {
        let Some((name, expression)) = text.split_once('=').filter(|(_, e)| !e.starts_with('='))
        else {
            let message = format!("`{text}` is not of the form `name=expression`");
            return Err(self.error(Diagnostic::error("wrong-option", message)));
        };
        let (name, expression) = (name.trim(), expression.trim());
        match self.bench.bind(name, expression) {
            Ok(ty) => Ok(format!("{name}: {}", self.bench.ground().model.say(&ty))),
            Err(BindProblem::Name(problem)) => Err(self.error(cannot_name(name, problem))),
            Err(BindProblem::Expression(found)) => {
                Err(self.problems(&format!("{name} ="), expression, found))
            }
        }
    }

    /// Enters the scope of a rule.
    fn enter(&mut self, id: &str, subject: Option<&str>, nth: Option<u32>) -> Result<(), CliError> {
        let ground = self.bench.ground();
        let Some(rule) = ground.set.rule(id).cloned() else {
            let problem = Diagnostic::error("unknown-rule", format!("there is no rule `{id}`"))
                .suggest(id, ground.set.rules.iter().map(|rule| &*rule.id))
                .help("`dpmguard rules list` lists them");
            return Err(self.error(problem));
        };
        if !ground.has_facts {
            self.bench.enter(&rule, None);
            self.place = Some(InRule { id: id.to_owned(), subject: None, binding: 0, of: 0 });
            return Ok(());
        }
        let (all, verdicts) = self.bench.bindings(&rule);
        let is_wanted = |of: &Subject| subject.is_none_or(|key| fold(&of.key) == fold(key));
        let fitting: Vec<&Bound> = all.iter().filter(|bound| is_wanted(&bound.subject)).collect();
        let position = nth.map_or(0, |nth| nth as usize - 1);
        let Some(bound) = fitting.get(position) else {
            let judged = verdicts.iter().find(|verdict| is_wanted(&verdict.subject));
            let because = judged.filter(|_| fitting.is_empty()).map(|verdict| {
                let because = verdict.because.as_ref().map(|because| format!(": {because}"));
                format!("{}{}", verdict.outcome.name(), because.unwrap_or_default())
            });
            let keys = all.iter().map(|bound| &*bound.subject.key);
            return Err(self.error(not_bound(&rule, subject, fitting.len(), because, keys)));
        };
        let named =
            SubjectX { kind: bound.subject.kind.to_string(), key: bound.subject.key.to_string() };
        self.place = Some(InRule {
            id: id.to_owned(),
            subject: Some(named),
            binding: position + 1,
            of: fitting.len(),
        });
        self.bench.enter(&rule, Some(bound));
        Ok(())
    }

    /// Checks and evaluates.
    fn try_one(&mut self, text: &str, limit: usize) -> Result<(Tried1, String), CliError> {
        let checked =
            self.bench.check(text).map_err(|found| self.problems("expression", text, found))?;
        let trial = self.bench.evaluate(&checked);
        let ground = self.bench.ground();
        let shower = Shower { ground, sources: &self.sources };
        Ok((shower.trial(&checked, &trial, limit, None), ground.model.say(&checked.expr.ty)))
    }

    /// Checks once and evaluates for each object of a kind.
    fn try_each(
        &mut self,
        kind: &str,
        text: &str,
        limit: usize,
    ) -> Result<(Vec<Tried1>, String), CliError> {
        let ground = self.bench.ground();
        let Some(kind) = ground.model.kind_named(kind) else {
            return Err(self.error(unknown_kind(ground.model, kind)));
        };
        let bind = |desk: &mut Self, row| {
            let id = ObjectId { kind: kind.id, row };
            let bound = desk.bench.bind_object(&kind.name, id);
            bound.map_err(|problem| desk.error(cannot_name(&kind.name, problem)))
        };
        bind(self, 0)?;
        let checked =
            self.bench.check(text).map_err(|found| self.problems("expression", text, found))?;
        let mut results = Vec::new();
        for id in ground.facts.ids(kind.id) {
            bind(self, id.row)?;
            let trial = self.bench.evaluate(&checked);
            let each =
                SubjectX { kind: kind.name.to_string(), key: ground.facts.key(id).to_string() };
            let shower = Shower { ground, sources: &self.sources };
            results.push(shower.trial(&checked, &trial, limit, Some(each)));
        }
        let ty = ground.model.say(&checked.expr.ty);
        Ok((results, ty))
    }
}

/// Why a rule does not bind its names.
fn not_bound<'a>(
    rule: &Rule,
    subject: Option<&str>,
    fitting: usize,
    because: Option<String>,
    keys: impl Iterator<Item = &'a str>,
) -> Diagnostic {
    let id = &rule.id;
    let message = match (subject, fitting) {
        (Some(key), 0) => format!("`{id}` binds its names for no subject `{key}`"),
        (None, 0) => format!("`{id}` binds its names for no subject in these facts"),
        (_, count) => format!("`{id}` binds its names in {count} ways only"),
    };
    let problem = Diagnostic::error("unknown-subject", message);
    let problem = match because {
        Some(because) => problem.help(format!("its verdict there is {because}")),
        None => problem,
    };
    let mut all: Vec<&str> = keys.collect();
    all.dedup();
    let problem = match subject {
        Some(key) => problem.suggest(key, all.iter().copied()),
        None => problem,
    };
    if !problem.help.is_empty() || all.is_empty() {
        return problem;
    }
    let more = if all.len() > 10 { ", ..." } else { "" };
    all.truncate(10);
    problem.help(format!("its subjects: {}{more}", all.join(", ")))
}

fn cannot_name(name: &str, problem: NameProblem) -> Diagnostic {
    match problem {
        NameProblem::Taken => {
            let message = format!("`{name}` means something already; choose another name");
            Diagnostic::error("name-bound-twice", message)
        }
        NameProblem::Reserved => {
            let message = format!("`{name}` cannot be a name; choose another one");
            Diagnostic::error("reserved-word", message)
                .help("a name is made of letters, digits and `_`, and is no word of the language")
        }
    }
}

/// The exit code of results: what is not known comes before what is false.
fn code_of(results: &[Tried1], asks: bool) -> u8 {
    let is = |status: &str| results.iter().any(|one| one.status == status);
    let is_false = results.iter().any(|one| matches!(one.value, Some(eval::Shown::Bool(false))));
    match (is("undecided"), asks && is_false) {
        (true, _) => UNDECIDED,
        (_, true) => FALSE,
        _ => 0,
    }
}

fn one(
    args: &Args,
    mut desk: Desk<'_>,
    text: &str,
    streams: &mut Streams<'_>,
) -> Result<u8, CliError> {
    let limit = args.limit();
    let (results, ty) = if let Some(kind) = &args.each {
        desk.try_each(kind, text, limit)?
    } else {
        let (result, ty) = desk.try_one(text, limit)?;
        (vec![result], ty)
    };
    let code = code_of(&results, args.exit_code);
    let tried = Tried {
        schema: "dpmguard.eval/v1",
        tool: Tool::default(),
        now: desk.bench.ground().now.to_string(),
        expression: text.to_owned(),
        ty,
        rule: desk.place,
        results,
    };
    match args.format {
        Format::Json => eval::write(&tried, streams.out)?,
        Format::Human => human::eval::write(&tried, limit, streams.colour_out, streams.out)?,
    }
    Ok(code)
}
