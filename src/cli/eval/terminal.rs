//! The prompt at a terminal; the home of `rustyline`.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

use anstyle::Style;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hint, Hinter};
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::author::complete::is_finished;
use crate::cli::eval::prompt::{After, Prompt, not_text};
use crate::cli::{CliError, Streams};
use crate::load::history;
use crate::report::diagnostic;
use crate::source::Sources;

/// Where the lines of earlier prompts are kept.
fn history_file() -> Option<PathBuf> {
    let variable =
        |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // Relative paths are to be ignored, says the XDG base directory specification.
    let state = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else {
        variable("XDG_STATE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| variable("HOME").map(|home| home.join(".local/state")))
    };
    Some(state?.join("dpmguard").join("eval-history"))
}

/// Reads lines from the terminal and answers them until it is left.
pub(super) fn run(
    prompt: Prompt<'_>,
    keeps_history: bool,
    streams: &mut Streams<'_>,
) -> Result<u8, CliError> {
    let prompt = Rc::new(RefCell::new(prompt));
    let file = history_file().filter(|_| keeps_history);
    let mut editor = editor(&prompt, streams.colour_out).map_err(failed)?;
    for line in file.as_deref().map(history::read).unwrap_or_default() {
        editor.add_history_entry(line).map_err(failed)?;
    }
    let mut typed: Vec<String> = Vec::new();
    writeln!(streams.out, "`:help` says what can be written here; Ctrl-D leaves.")?;
    loop {
        streams.out.flush()?;
        let line = match editor.readline("> ") {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                writeln!(streams.err, "{}", diagnostic::plain(&not_text(), &Sources::default()))?;
                continue;
            }
            Err(error) => return Err(failed(error)),
        };
        if !line.trim().is_empty() {
            editor.add_history_entry(line.as_str()).map_err(failed)?;
            typed.push(line.clone());
        }
        let Streams { out, err, colour_out, colour_err, .. } = streams;
        let answer = prompt.borrow_mut().line(&line, (*out, *colour_out), (*err, *colour_err))?;
        if answer == After::Quit {
            break;
        }
    }
    // That the history cannot be kept is no reason to call the answers wrong.
    if let Some(problem) = file.and_then(|file| history::add(&file, &typed).err()) {
        let line = diagnostic::plain(&problem, &Sources::default());
        let _ = writeln!(streams.err, "{line}");
    }
    Ok(0)
}

fn failed(error: ReadlineError) -> CliError {
    CliError::Output(match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    })
}

type Line<'a, 'p> = Editor<Desk<'a, 'p>, DefaultHistory>;

fn editor<'a, 'p>(
    prompt: &'a Rc<RefCell<Prompt<'p>>>,
    colour: bool,
) -> rustyline::Result<Line<'a, 'p>> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(history::MAX_LINES)?
        .history_ignore_dups(true)?
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Desk { prompt, colour }));
    Ok(editor)
}

/// What the editor asks while a line is being typed.
struct Desk<'a, 'p> {
    prompt: &'a Rc<RefCell<Prompt<'p>>>,
    colour: bool,
}

impl Helper for Desk<'_, '_> {}

impl Completer for Desk<'_, '_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, found) = self.prompt.borrow().complete(line, position);
        let pairs = found.into_iter().map(|(display, replacement)| Pair { display, replacement });
        Ok((start, pairs.collect()))
    }
}

/// A hint that cannot be taken over into the line.
struct Said(String);

impl Hint for Said {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Desk<'_, '_> {
    type Hint = Said;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<Said> {
        self.prompt.borrow().hint(line, position).map(Said)
    }
}

impl Highlighter for Desk<'_, '_> {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if !self.colour {
            return Cow::Borrowed(hint);
        }
        let style = Style::new().dimmed();
        Cow::Owned(format!("{style}{hint}{style:#}"))
    }
}

impl Validator for Desk<'_, '_> {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let line = context.input();
        // An empty line ends what will not be finished.
        let is_whole = is_finished(line) || line.ends_with('\n');
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}
