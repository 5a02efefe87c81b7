//! `docs/writing-rules.md`, followed to the letter: in an empty folder with the shipped example in it each
//! file is written as the page shows it, each command run, and its output compared with the page.
//!
//! Blocks of the page: `console` (commands behind `$ `, then what they print; a line `...` stands for any
//! lines; `exit=1` behind the word is the exit code), `yaml file=PATH` (a file to write), `yaml
//! part-of=PATH` (its top-level parts take the place of those in the file). `sh` is not run.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{files, root};

struct Block {
    line: usize,
    head: String,
    text: String,
}

impl Block {
    fn option(&self, name: &str) -> Option<&str> {
        self.head.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
    }
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(head)) => {
                open = Some(Block { line: number + 1, head: head.to_owned(), text: String::new() });
            }
            (Some(_), Some("")) => blocks.extend(open.take()),
            (Some(block), _) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block has no end");
    blocks
}

/// A command line in words, as a shell would take it.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match (quote, c) {
            (None, ' ') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == c => quote = None,
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Runs a command of the page: what it prints, and its exit code.
fn obey(line: &str, folder: &Path) -> (String, i32) {
    let words = words(line);
    match words[0].as_str() {
        "cat" => (fs::read_to_string(folder.join(&words[1])).unwrap(), 0),
        "dpmguard" => {
            let ran = Command::new(env!("CARGO_BIN_EXE_dpmguard"))
                .args(&words[1..])
                .current_dir(folder)
                .env_remove("DPMGUARD_NOW")
                .env_remove("DPMGUARD_CONFIG")
                .output()
                .unwrap();
            let text = [ran.stdout, ran.stderr].concat();
            (String::from_utf8(text).unwrap(), ran.status.code().unwrap())
        }
        other => panic!("the page runs `{other}`"),
    }
}

/// Whether the lines are those shown, in which `...` stands for any.
fn fits(shown: &[&str], lines: &[&str]) -> bool {
    match shown.split_first() {
        None => lines.is_empty(),
        Some((&"...", rest)) => (0..=lines.len()).any(|skip| fits(rest, &lines[skip..])),
        Some((first, rest)) => {
            lines.first().is_some_and(|line| line.trim_end() == first.trim_end())
                && fits(rest, &lines[1..])
        }
    }
}

/// The file with the top-level parts of `text` in place of its own of these names.
fn with_parts(file: &str, text: &str) -> String {
    let parts = |text: &str| {
        let mut parts: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            let is_head = line.starts_with(|c: char| c.is_ascii_alphabetic());
            if is_head || parts.is_empty() {
                let name = line.split(':').next().unwrap_or_default().to_owned();
                parts.push((name, String::new()));
            }
            if let Some((_, text)) = parts.last_mut() {
                text.extend([line, "\n"]);
            }
        }
        parts
    };
    let mut all = parts(file);
    for (name, new) in parts(text) {
        let old = all.iter_mut().find(|(known, _)| *known == name);
        old.unwrap_or_else(|| panic!("there is no `{name}` in the file")).1 = new;
    }
    all.into_iter().map(|(_, text)| text).collect()
}

#[test]
fn the_tutorial_works_to_the_letter() {
    let page = fs::read_to_string(root().join("docs/writing-rules.md")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let example = here.join("examples/contoso");
    fs::create_dir_all(&example).unwrap();
    for file in files(&root().join("examples/contoso"), "yaml") {
        fs::copy(&file, example.join(file.file_name().unwrap())).unwrap();
    }
    let mut commands = 0;
    for block in blocks(&page) {
        let at = format!("docs/writing-rules.md:{}", block.line);
        match block.head.split(' ').next().unwrap() {
            "console" => commands += run_block(&block, here, &at),
            "yaml" => {
                if let Some(path) = block.option("file") {
                    let path = here.join(path);
                    assert!(path.parent().unwrap().is_dir(), "{at}");
                    fs::write(path, &block.text).unwrap();
                } else if let Some(path) = block.option("part-of") {
                    let old = fs::read_to_string(here.join(path)).unwrap();
                    fs::write(here.join(path), with_parts(&old, &block.text)).unwrap();
                }
            }
            // Installing is not for a test.
            "sh" => assert_eq!(block.text, "cargo install --path .\n", "{at}"),
            other => panic!("{at}: a block of `{other}`"),
        }
    }
    assert!(commands > 10, "{commands}");
}

fn run_block(block: &Block, here: &Path, at: &str) -> usize {
    let text = block.text.replace("\\\n", "");
    let mut commands: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command, Vec::new())),
            (None, Some((_, shown))) => shown.push(line),
            (None, None) => panic!("{at}: output without a command"),
        }
    }
    let last = commands.len();
    for (number, (command, shown)) in commands.iter().enumerate() {
        let (said, code) = obey(command, here);
        let wanted = if number + 1 == last { block.option("exit") } else { None };
        assert_eq!(code.to_string(), wanted.unwrap_or("0"), "{at}: {command}\n{said}");
        let lines: Vec<&str> = said.lines().collect();
        // A command shown without output is one whose output does not matter there.
        assert!(shown.is_empty() || fits(shown, &lines), "{at}: {command}\n{said}");
    }
    commands.len()
}
