//! `dpmguard explain-code`: what a number means that another program shows.

use std::io::Write;

use crate::cli::check::{PackArgs, load_rules};
use crate::cli::rules::{label, write_clean};
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::rule::Rule;
use crate::rule::pack::RuleSet;
use crate::rule::table::{Row, Table};
use crate::source::Sources;

/// Say what an error code means
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Looks into the tables of the packs. 0xFFFFFDF0 and -528 are the same code.\n\n\
    Examples:\n  dpmguard explain-code 30135\n  dpmguard explain-code 0x80004002 -528"
)]
pub struct Args {
    /// Codes: decimal, negative or hexadecimal with 0x
    #[arg(required = true, allow_negative_numbers = true, value_name = "CODE")]
    codes: Vec<String>,
    #[command(flatten)]
    rules: PackArgs,
}

/// Looks the codes up and shows what is known of them.
///
/// # Errors
///
/// A code that no table knows, broken packs, or output that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let (_, set) = load_rules(&args.rules, &mut sources)?;
    let mut problems = Vec::new();
    let mut all: Vec<(&Table, &Row)> = Vec::new();
    for code in &args.codes {
        let found = look_up(code, &set);
        if found.is_empty() {
            problems.push(unknown(code, &set));
        }
        for (table, row) in found {
            if !all.iter().any(|(_, known)| std::ptr::eq(*known, row)) {
                all.push((table, row));
            }
        }
    }
    let mut text = Vec::new();
    for (number, (table, row)) in all.into_iter().enumerate() {
        if number > 0 {
            writeln!(text)?;
        }
        show(table, row, &set, &mut text)?;
    }
    write_clean(&text, streams.out)?;
    if problems.is_empty() { Ok(0) } else { Err(CliError::Input(problems, sources)) }
}

fn look_up<'a>(code: &str, set: &'a RuleSet) -> Vec<(&'a Table, &'a Row)> {
    let mut found = Vec::new();
    for table in &*set.tables {
        let Some(column) = table.codes else { continue };
        let fits = |row: &&Row| {
            let cell = row.cells.get(column).and_then(Option::as_ref);
            cell.is_some_and(|cell| is_same(cell, code))
        };
        found.extend(table.rows.iter().filter(fits).map(|row| (table, row)));
    }
    found
}

/// Whether two ways of writing mean one code; as numbers of 32 bits, where both are such.
fn is_same(a: &str, b: &str) -> bool {
    match (bits(a), bits(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.trim().eq_ignore_ascii_case(b.trim()),
    }
}

fn bits(code: &str) -> Option<u32> {
    let code = code.trim();
    if let Some(digits) = code.strip_prefix("0x").or_else(|| code.strip_prefix("0X")) {
        return u32::from_str_radix(digits, 16).ok();
    }
    let number: i64 = code.parse().ok()?;
    u32::try_from(number).ok().or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
}

fn unknown(code: &str, set: &RuleSet) -> Diagnostic {
    let tables = set.tables.iter().filter(|table| table.codes.is_some());
    let tables: Vec<&str> = tables.map(|table| table.id.as_str()).collect();
    let problem = Diagnostic::error("unknown-code", format!("no table knows the code `{code}`"));
    // 0x8007xxxx wraps an error of Windows.
    let problem = match bits(code) {
        Some(bits) if bits >> 16 == 0x8007 => problem.help(format!(
            "it carries the Windows error {}: on Windows, `net helpmsg {}` says what that is",
            bits & 0xFFFF,
            bits & 0xFFFF
        )),
        _ => problem,
    };
    problem.help(format!("looked into: {}", tables.join(", ")))
}

fn show(table: &Table, row: &Row, set: &RuleSet, out: &mut dyn Write) -> std::io::Result<()> {
    let code = table.codes.and_then(|column| row.cells.get(column)?.as_deref()).unwrap_or_default();
    writeln!(out, "{code}  {}", table.title)?;
    for (position, (name, cell)) in table.columns.iter().zip(&row.cells).enumerate() {
        if let Some(cell) = cell.as_ref().filter(|_| Some(position) != table.codes) {
            label(out, name, cell)?;
        }
    }
    label(out, "certainty", &row.certainty)?;
    label(out, "source", &row.source.title)?;
    if let Some(url) = &row.source.url {
        writeln!(out, "                 {url}")?;
    }
    // Numbers of another table may be the same by chance.
    let is_of = |rule: &Rule, key: &str| {
        let pack = set.packs.get(rule.pack);
        pack.is_some_and(|pack| pack.table_of(key) == Some(table.id.as_str()))
    };
    let rules = set.rules.iter().filter(|rule| {
        rule.metadata.iter().any(|(key, _, values)| {
            is_of(rule, key) && values.iter().any(|value| is_same(value, code))
        })
    });
    let rules: Vec<&str> = rules.map(|rule| &*rule.id).collect();
    if !rules.is_empty() {
        label(out, "rules", &rules.join(", "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_same;

    #[test]
    fn one_code_can_be_written_in_several_ways() {
        for (a, b) in [
            ("-528", "0xFFFFFDF0"),
            ("0x80004002", "-2147467262"),
            ("0x80004002", "2147500034"),
            ("30135", " 30135 "),
            ("E_FAIL", "e_fail"),
        ] {
            assert!(is_same(a, b), "{a} {b}");
        }
        for (a, b) in [("528", "-528"), ("0x1FFFFFFFF", "-1"), ("30135", "30136"), ("", "0")] {
            assert!(!is_same(a, b), "{a} {b}");
        }
    }
}
