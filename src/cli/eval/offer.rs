//! What the prompt offers while a line is being typed.

use crate::author::complete;
use crate::cli::eval::prompt::{COMMANDS, Prompt};
use crate::expr::functions::FUNCTIONS;
use crate::expr::tree::ListMethod;
use crate::report::diagnostic::clean;

impl Prompt<'_> {
    /// What can stand at byte `position`: where it begins, and what is shown and written.
    pub(super) fn complete(&self, line: &str, position: usize) -> (usize, Vec<(String, String)>) {
        let typed = line.get(..position).unwrap_or(line);
        let Some(command) = typed.trim_start().strip_prefix(':') else {
            return self.complete_expression(line, 0, position);
        };
        let begin = typed.len() - command.len();
        let Some((word, rest)) = command.split_once(char::is_whitespace) else {
            let words = COMMANDS.iter().filter(|(word, ..)| word.starts_with(command));
            let words = words.filter(|(word, ..)| *word != "q");
            return (begin, words.map(|(word, ..)| pair(word)).collect());
        };
        let start = position - rest.trim_start().len();
        let rest = rest.trim_start();
        let ground = self.desk.bench.ground();
        let fitting = |names: Vec<String>| {
            let names = names.into_iter().filter(|name| name.starts_with(rest));
            names.map(|name| pair(&name)).collect::<Vec<_>>()
        };
        match word {
            "type" => self.complete_expression(line, start, position),
            "let" => match typed.find('=') {
                Some(equal) => self.complete_expression(line, equal + 1, position),
                None => (position, Vec::new()),
            },
            "fields" => {
                let kinds = ground.model.kinds().iter().map(|kind| kind.name.to_string());
                (start, fitting(kinds.collect()))
            }
            "functions" => {
                let methods = ListMethod::TABLE.iter().map(|(_, name, _)| (*name).to_owned());
                let mut names: Vec<String> =
                    FUNCTIONS.iter().map(|function| function.name.to_owned()).collect();
                names.extend(self.desk.bench.functions().iter().map(|one| one.name.to_string()));
                names.extend(methods);
                names.sort_unstable();
                names.dedup();
                (start, fitting(names))
            }
            "rule" => self.complete_rule(rest, start, position),
            _ => (position, Vec::new()),
        }
    }

    fn complete_rule(
        &self,
        rest: &str,
        start: usize,
        position: usize,
    ) -> (usize, Vec<(String, String)>) {
        let ground = self.desk.bench.ground();
        let rules = &ground.set.rules;
        let Some((id, key)) = rest.split_once(char::is_whitespace) else {
            let ids = rules.iter().filter(|rule| rule.id.starts_with(rest));
            return (start, ids.map(|rule| pair(&rule.id)).collect());
        };
        let key = key.trim_start();
        let begin = position - key.len();
        let Some(rule) = ground.set.rule(id) else { return (position, Vec::new()) };
        let (all, _) = self.desk.bench.bindings(rule);
        let keys = all.iter().map(|bound| &*bound.subject.key);
        let mut keys: Vec<&str> =
            keys.filter(|known| known.to_lowercase().starts_with(&key.to_lowercase())).collect();
        keys.dedup();
        (begin, keys.into_iter().map(pair).collect())
    }

    /// The expression begins at byte `start` of the line.
    fn complete_expression(
        &self,
        line: &str,
        start: usize,
        position: usize,
    ) -> (usize, Vec<(String, String)>) {
        let text = line.get(start..).unwrap_or_default();
        let before = line.get(start..position).unwrap_or_default();
        let cursor = before.chars().count();
        let found = complete::complete(text, cursor, &self.desk.bench.context());
        let Some(first) = found.first() else { return (position, Vec::new()) };
        let bytes: usize = text.chars().take(first.replace.start).map(char::len_utf8).sum();
        let typed = text.get(bytes..before.len()).unwrap_or_default().to_lowercase();
        let is_begun = |label: &str| label.to_lowercase().starts_with(&typed);
        // The editor writes what all candidates begin with: those that only contain the word would
        // leave nothing to write.
        let any = found.iter().any(|candidate| is_begun(&candidate.label));
        let found = found.into_iter().filter(|candidate| !any || is_begun(&candidate.label));
        let pairs = found.map(|candidate| (clean(&candidate.label), candidate.insert));
        (start + bytes, pairs.collect())
    }

    /// What is said behind the cursor: the signature of the function being written.
    pub(super) fn hint(&self, line: &str, position: usize) -> Option<String> {
        if position < line.len() || line.trim_start().starts_with(':') {
            return None;
        }
        let cursor = line.chars().count();
        let signature = complete::signature(line, cursor, &self.desk.bench.context())?;
        Some(format!("   {}", clean(&signature.label)))
    }
}

fn pair(word: &str) -> (String, String) {
    (clean(word), word.to_owned())
}
