//! The prompt: one line in, one answer out. Knows no terminal; `terminal` does.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};

use crate::author::complete::{self, CandidateKind};
use crate::author::workbench::{Checked, Shower, Trial};
use crate::cli::eval::{Args, Desk, code_of, terminal};
use crate::cli::rules::{label, write_clean};
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::expr::functions::FUNCTIONS;
use crate::expr::tree::ListMethod;
use crate::report::diagnostic::render;
use crate::report::human;
use crate::rule::clause::unknown_kind;
use crate::source::{Source, Sources};

/// What the prompt knows beside expressions: word, what follows it, help.
pub(super) const COMMANDS: [(&str, &str, &str); 13] = [
    ("help", "", "this list"),
    ("type", "EXPR", "the type of an expression, without evaluating it"),
    ("let", "NAME = EXPR", "bind a name; it can be bound again"),
    ("names", "", "the names bound now, with their types"),
    ("kinds", "", "the kinds of object and their collections"),
    ("fields", "KIND", "the fields of a kind"),
    ("functions", "[NAME]", "the functions, or what one does"),
    ("facts", "", "the facts that are loaded"),
    ("rule", "ID [SUBJECT]", "use the names of a rule, bound for a subject"),
    ("why", "", "the facts that the last value rests on"),
    ("trace", "", "every part of the last expression, with its value"),
    ("quit", "", "leave; so does Ctrl-D"),
    ("q", "", "the same"),
];

/// What becomes of the prompt after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It goes on; the exit code that the line deserves.
    Go(u8),
    /// It is left.
    Quit,
}

/// The state between lines.
pub(super) struct Prompt<'a> {
    pub(super) desk: Desk<'a>,
    limit: usize,
    exit_code: bool,
    last: Option<(Checked, Trial)>,
}

/// Answers lines until there are no more; the exit code is the worst that a line deserves.
pub(super) fn run(args: &Args, desk: Desk<'_>, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut prompt = Prompt { desk, limit: args.limit(), exit_code: args.exit_code, last: None };
    if streams.is_interactive {
        return terminal::run(prompt, !args.no_history, streams);
    }
    let mut worst = 0;
    let mut open = String::new();
    let Streams { input, out, err, colour_out, colour_err, .. } = streams;
    let mut input = BufReader::new(input);
    loop {
        let mut bytes = Vec::new();
        let is_end = input.read_until(b'\n', &mut bytes)? == 0;
        if let Ok(line) = std::str::from_utf8(&bytes) {
            open.push_str(line);
        } else {
            // What was begun before it would have a hole.
            open.clear();
            err.write_all(render(&[not_text()], &Sources::default(), *colour_err).as_bytes())?;
            worst = worse(worst, 2);
        }
        if !is_end && !complete::is_finished(&open) && open.len() < (1 << 20) {
            continue;
        }
        let line = std::mem::take(&mut open);
        match prompt.line(&line, (*out, *colour_out), (*err, *colour_err))? {
            After::Quit => return Ok(worst),
            After::Go(code) => worst = worse(worst, code),
        }
        out.flush()?;
        if is_end {
            return Ok(worst);
        }
    }
}

/// That a line is left out.
pub(super) fn not_text() -> Diagnostic {
    Diagnostic::error("invalid-encoding", "this line is not UTF-8; it was left out")
}

/// A wrong expression is worse than an undecided one, and that worse than a false one.
fn worse(a: u8, b: u8) -> u8 {
    let rank = |code: u8| [0, 1, 3, 2].iter().position(|known| *known == code);
    if rank(b) > rank(a) { b } else { a }
}

/// A stream, and whether it takes colours.
type Sink<'a> = (&'a mut dyn Write, bool);

impl Prompt<'_> {
    /// Answers a line.
    ///
    /// # Errors
    ///
    /// Only those of the streams.
    pub(super) fn line(
        &mut self,
        line: &str,
        out: Sink<'_>,
        (err, colour): Sink<'_>,
    ) -> Result<After, CliError> {
        let text = line.trim();
        if text.is_empty() || text.starts_with("//") {
            return Ok(After::Go(0));
        }
        let answer = match text.strip_prefix(':') {
            None if matches!(text, "exit" | "quit" | "q") => Ok(After::Quit),
            Some(command) => self.command(command, out),
            None => self.expression(text, out).map(After::Go),
        };
        match answer {
            Err(CliError::Input(problems, sources)) => {
                err.write_all(render(&problems, &sources, colour).as_bytes())?;
                Ok(After::Go(2))
            }
            other => other,
        }
    }

    fn expression(&mut self, text: &str, (out, colour): Sink<'_>) -> Result<u8, CliError> {
        let desk = &mut self.desk;
        let checked =
            desk.bench.check(text).map_err(|found| desk.problems("expression", text, found))?;
        let trial = desk.bench.evaluate(&checked);
        let ground = desk.bench.ground();
        let shower = Shower { ground, sources: &desk.sources };
        let result = shower.trial(&checked, &trial, 0, None);
        let ty = ground.model.say(&checked.expr.ty);
        human::eval::write_value(&result, &ty, self.limit, colour, out)?;
        self.last = Some((checked, trial));
        Ok(code_of(&[result], self.exit_code))
    }

    fn command(&mut self, command: &str, (out, colour): Sink<'_>) -> Result<After, CliError> {
        let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        let mut text = String::new();
        match word {
            "q" | "quit" | "exit" => return Ok(After::Quit),
            "help" => help(&mut text),
            "type" => text = self.type_of(rest)?,
            "let" => text = self.desk.bind(rest)?,
            "names" => text = self.names(),
            "kinds" => text = self.kinds(),
            "fields" => return self.fields(rest, out),
            "functions" => return self.functions(rest, out),
            "facts" => text = self.facts(),
            "rule" => text = self.rule(rest)?,
            "why" => {
                let (checked, trial) = self.last()?;
                let ground = self.desk.bench.ground();
                let shower = Shower { ground, sources: &self.desk.sources };
                let result = shower.trial(checked, trial, self.limit, None);
                human::eval::write_evidence(&result, colour, out)?;
                return Ok(After::Go(0));
            }
            "trace" => text = self.trace()?,
            other => {
                let message = format!("there is no command `:{other}`");
                let problem = Diagnostic::error("unknown-command", message)
                    .suggest(other, COMMANDS.iter().map(|(word, ..)| *word))
                    .help("`:help` lists them");
                return Err(self.desk.error(problem));
            }
        }
        write_clean(text.as_bytes(), out)?;
        Ok(After::Go(0))
    }

    fn last(&self) -> Result<&(Checked, Trial), CliError> {
        self.last.as_ref().ok_or_else(|| {
            let problem = Diagnostic::error("no-expression", "no expression was evaluated yet");
            self.desk.error(problem)
        })
    }

    fn type_of(&mut self, text: &str) -> Result<String, CliError> {
        let desk = &mut self.desk;
        let checked =
            desk.bench.check(text).map_err(|found| desk.problems("expression", text, found))?;
        Ok(desk.bench.ground().model.say(&checked.expr.ty))
    }

    fn names(&self) -> String {
        let model = self.desk.bench.ground().model;
        let names = self.desk.bench.names();
        let lines: Vec<String> =
            names.map(|(name, ty)| format!("{name}: {}", model.say(ty))).collect();
        if lines.is_empty() {
            "no name is bound; `:let` binds one".to_owned()
        } else {
            lines.join("\n")
        }
    }

    fn kinds(&self) -> String {
        let ground = self.desk.bench.ground();
        let kinds = ground.model.kinds();
        let width = kinds.iter().map(|kind| kind.collection.len()).max().unwrap_or(0);
        let mut text = String::new();
        for kind in kinds {
            let count = ground.facts.ids(kind.id).count();
            // Writing to a string cannot fail, here and below.
            let _ = writeln!(text, "{:<width$}  {count:>6}  {}", kind.collection, kind.name);
        }
        for single in ground.model.singles() {
            let _ = writeln!(text, "{:<width$}          stands once", single.name);
        }
        text
    }

    fn fields(&mut self, name: &str, out: &mut dyn Write) -> Result<After, CliError> {
        let model = self.desk.bench.ground().model;
        let found = model.kind_named(name).or_else(|| model.kind_in(name));
        let Some(kind) = found else {
            return Err(self.desk.error(unknown_kind(model, name)));
        };
        let mut text = Vec::new();
        writeln!(text, "{}: {}", kind.name, kind.description)?;
        for field in &kind.record.fields {
            let unit = field.unit.as_ref().map(|unit| format!(" ({unit})")).unwrap_or_default();
            let ty = model.say(&field.ty);
            label(&mut text, &field.name, &format!("{ty}{unit}. {}", field.description))?;
        }
        write_clean(&text, out)?;
        Ok(After::Go(0))
    }

    fn functions(&mut self, name: &str, out: &mut dyn Write) -> Result<After, CliError> {
        let context = self.desk.bench.context();
        let all = complete::complete("", 0, &context);
        let functions = all.into_iter().filter(|candidate| {
            matches!(candidate.kind, CandidateKind::Function | CandidateKind::PackFunction)
        });
        let mut entries: Vec<(String, String, String)> =
            functions.map(|known| (known.label, known.detail, known.help)).collect();
        // Of functions that share a name only one is a candidate.
        for function in FUNCTIONS {
            let signature = function.signature();
            if !entries.iter().any(|(_, detail, _)| *detail == signature) {
                entries.push((function.name.to_owned(), signature, function.help.to_owned()));
            }
        }
        for (_, method, help) in ListMethod::TABLE {
            entries.push((method.to_owned(), format!("list.{method}"), help.to_owned()));
        }
        entries.sort();
        let fitting: Vec<_> =
            entries.iter().filter(|(known, ..)| name.is_empty() || known == name).collect();
        if fitting.is_empty() {
            let message = format!("there is no function `{name}`");
            let problem = Diagnostic::error("unknown-function", message)
                .suggest(name, entries.iter().map(|(known, ..)| known.as_str()));
            return Err(self.desk.error(problem));
        }
        let mut text = Vec::new();
        for (_, signature, help) in fitting {
            writeln!(text, "{signature}")?;
            if !name.is_empty() {
                writeln!(text, "  {help}")?;
            }
        }
        write_clean(&text, out)?;
        Ok(After::Go(0))
    }

    fn facts(&self) -> String {
        let ground = self.desk.bench.ground();
        if !ground.has_facts {
            return "none: expressions are checked; `--facts` loads some".to_owned();
        }
        let mut text = String::new();
        for file in ground.facts.files() {
            let name = self.desk.sources.get(file.file).map(Source::name);
            let _ = writeln!(text, "{}  observed {}", name.unwrap_or_default(), file.observed_at);
        }
        let _ = writeln!(text, "now is {}", ground.now);
        for kind in ground.model.kinds() {
            let Some(table) = ground.facts.table(kind.id) else { continue };
            if table.is_complete() || table.count() > 0 {
                let open = if table.is_complete() { "all there are" } else { "there may be more" };
                let count = table.count();
                let _ = writeln!(text, "  {:<28}  {count:>6}  {open}", kind.collection);
            }
        }
        text
    }

    fn rule(&mut self, rest: &str) -> Result<String, CliError> {
        let (id, subject) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let subject = Some(subject.trim()).filter(|subject| !subject.is_empty());
        if id.is_empty() {
            return Ok(match self.desk.bench.rule() {
                Some(rule) => rule.id.to_string(),
                None => "no rule was entered; write `:rule ID [SUBJECT]`".to_owned(),
            });
        }
        self.desk.enter(id, subject, None)?;
        self.last = None;
        let place = self.desk.place.as_ref();
        let of = place.and_then(|place| Some((place.subject.as_ref()?, place.of)));
        let line = match of {
            Some((subject, 1)) => format!("bound for {}", subject.key),
            Some((subject, of)) => format!("bound for {}, the first of {of} bindings", subject.key),
            None => "no facts: its names have types and no values".to_owned(),
        };
        Ok(format!("{line}\n{}", self.names()))
    }

    fn trace(&self) -> Result<String, CliError> {
        let (_, trial) = self.last()?;
        let shower = Shower { ground: self.desk.bench.ground(), sources: &self.desk.sources };
        let mut text = String::new();
        for step in &trial.steps {
            let values: Vec<String> = step
                .values
                .iter()
                .map(|value| shower.outcome(value, &step.ty, step.unit.as_deref()))
                .map(|shown| cut(&human::eval::inline(&shown), 60))
                .collect();
            let more = match step.count.saturating_sub(step.values.len()) {
                0 => String::new(),
                more => format!("; and {more} more times"),
            };
            let said = if step.count == 0 { "not evaluated".to_owned() } else { values.join("; ") };
            let indent = "  ".repeat(step.depth.min(20));
            let _ = writeln!(text, "{indent}{} = {said}{more}", cut(&step.text, 70));
        }
        Ok(text)
    }
}

fn help(text: &mut String) {
    text.push_str("an expression: its value and type\n");
    for (word, rest, says) in COMMANDS.iter().filter(|(word, ..)| *word != "q") {
        let _ = writeln!(text, ":{:<20}  {says}", format!("{word} {rest}"));
    }
    text.push_str(
        "Tab completes. An open bracket goes on in the next line; an empty line ends it.\n",
    );
}

/// A text on one line, not longer than that.
fn cut(text: &str, most: usize) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    line.chars().take(most.saturating_sub(3)).collect::<String>() + "..."
}
