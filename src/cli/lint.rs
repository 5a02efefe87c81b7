//! `dpmguard lint`: what is doubtful about rules.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::author::lint::fix::{self, Fix};
use crate::author::lint::table::{self, CHECKS};
use crate::author::lint::{self, Found};
use crate::author::suite::{self, Suite};
use crate::cli::check::{PackArgs, settings};
use crate::cli::{CliError, Streams, packs};
use crate::diagnostic::Diagnostic;
use crate::finding::Severity;
use crate::gate::Threshold;
use crate::load;
use crate::report::diff::diff;
use crate::report::lint::{self as report, Check, LintReport, LooksAt, Mended};
use crate::rule::pack::RuleSet;
use crate::source::{Node, Sources};

/// Look for what is doubtful about rules
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dpmguard lint my-rules                       what is doubtful, with its place\n  \
    dpmguard lint my-rules --fail-on note        let nothing pass\n  \
    dpmguard lint my-rules --only unused-let     one check\n  \
    dpmguard lint my-rules --fix --dry-run       what could be mended, and how\n  \
    dpmguard lint my-rules -o sarif=lint.sarif   for code scanning\n  \
    dpmguard lint --list                         the checks\n  \
    dpmguard lint --explain never-violated       why a check looks for something\n\n\
    A rule, or the pack.yaml of its pack, can allow what a check finds:\n  \
    lint: { allow: [{ check: always-true, reason: why that is right here }] }\n\n\
    Exit codes: 0 nothing at or over the threshold; 1 something is; 2 a file cannot be read; 3 no rule was found."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub struct Args {
    /// Folders of packs [default: the packs of dpmguard.yaml, else this folder or its `rules`]
    #[arg(value_name = "PACK")]
    pub packs: Vec<PathBuf>,
    /// Further rules and their parameters
    #[command(flatten)]
    pub rules: PackArgs,
    /// Run only these checks
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these checks out
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Leave out the checks that judge cases
    #[arg(long)]
    pub no_cases: bool,
    /// From which severity on a problem fails the run
    #[arg(long, value_name = "SEVERITY", value_parser = ["note", "warning", "error", "never"], default_value = "warning")]
    pub fail_on: String,
    /// Mend what can be mended safely; comments and other lines stay
    #[arg(long)]
    pub fix: bool,
    /// With --fix: show what would be done, and write nothing
    #[arg(long, requires = "fix")]
    pub dry_run: bool,
    /// List the checks
    #[arg(long)]
    pub list: bool,
    /// Say what a check looks for, and why
    #[arg(long, value_name = "CHECK")]
    pub explain: Option<String>,
    /// List what is allowed, too
    #[arg(long, short)]
    pub verbose: bool,
    /// Format of the report on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Write a report to a file as well; can be repeated
    #[arg(short = 'o', value_name = "FORMAT=FILE", value_parser = super::parse_output::<Format>)]
    pub outputs: Vec<(Format, PathBuf)>,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema lint-v1`
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
}

impl Args {
    fn wants(&self, check: &Check) -> bool {
        let named = |list: &[String]| list.iter().any(|id| id == check.id);
        (self.only.is_empty() || named(&self.only))
            && !named(&self.skip)
            && !(self.no_cases && check.looks_at != LooksAt::Rule)
    }
}

/// Packs that were read, as far as they can be.
struct Read {
    suite: Suite,
    loading: Vec<Diagnostic>,
}

/// Looks at the rules and writes what is doubtful about them.
///
/// # Errors
///
/// Checks that do not exist, folders that are not there, or a report that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    if args.list {
        streams.out.write_all(report::list(CHECKS).as_bytes())?;
        return Ok(0);
    }
    if let Some(id) = &args.explain {
        streams.out.write_all(report::explain(known(id)?).as_bytes())?;
        return Ok(0);
    }
    for id in args.only.iter().chain(&args.skip) {
        known(id)?;
    }
    let mut read = read(args)?;
    let mut found = look(args, &read)?;
    let mut mended = Vec::new();
    if args.fix {
        let plans = plans(args, &read, &found)?;
        if !args.dry_run && !plans.is_empty() {
            let before = read;
            read = write_plans(args, &before, &plans)?;
            found = look(args, &read)?;
        }
        mended = plans.into_iter().map(|plan| plan.mended).collect();
    }
    let report = LintReport {
        checks: CHECKS,
        problems: found.iter().map(Found::problem).collect(),
        rules: rules(args, &read)?.len(),
        cases: read.suite.cases.len(),
        broken_cases: read.suite.broken.len(),
        mended,
        is_dry: args.dry_run,
        threshold: Threshold::named(&args.fail_on).unwrap_or(Threshold::From(Severity::Warning)),
        is_unread: read.loading.iter().any(lint::is_unreadable),
    };
    let sources = &read.suite.sources;
    super::write_outputs(&args.outputs, args.format, streams, sources, &|format, colour, out| {
        let format = match format {
            Format::Human => report::Format::Human { all: args.verbose },
            Format::Json => report::Format::Json,
            Format::Sarif => report::Format::Sarif,
        };
        report::write(&report, sources, format, colour, out)
    })?;
    Ok(report.exit_code())
}

fn known(id: &str) -> Result<&'static Check, CliError> {
    table::named(id).ok_or_else(|| {
        let problem = Diagnostic::error("unknown-check", format!("there is no check `{id}`"))
            .suggest(id, CHECKS.iter().map(|check| check.id))
            .help("`dpmguard lint --list` lists them");
        CliError::one(problem, &Sources::default())
    })
}

fn read(args: &Args) -> Result<Read, CliError> {
    let folders = packs::folders(&args.packs, &args.rules, "lint")?;
    let mut sources = Sources::default();
    let config = settings(&args.rules, &mut sources)?;
    let all = packs::with(&config, &args.rules, &folders);
    let shipped = !args.rules.no_shipped_rules && config.shipped_rules.unwrap_or(true);
    let packs = load::packs(shipped, &all, &mut sources)
        .map_err(|found| CliError::Input(found, sources.clone()))?;
    // What a site sets is no matter of the rules.
    let (set, mut loading) = packs.rules_and_problems(&[], &sources);
    let Some(set) = set else { return Err(CliError::Input(loading, sources)) };
    let judges = CHECKS.iter().any(|check| check.looks_at != LooksAt::Rule && args.wants(check));
    let suite = suite::read(&folders, packs, set, sources, &|_| judges)
        .map_err(|(found, sources)| CliError::Input(found, sources))?;
    if !args.no_cases {
        // A case that cannot be read is a file that cannot be read.
        loading.extend(suite.broken.iter().flat_map(|broken| broken.problems.clone()));
    }
    Ok(Read { suite, loading })
}

fn rules(args: &Args, read: &Read) -> Result<Vec<std::sync::Arc<crate::rule::Rule>>, CliError> {
    let folders = packs::folders(&args.packs, &args.rules, "lint")?;
    Ok(packs::rules_in(&folders, &read.suite.set, &read.suite.sources))
}

fn look(args: &Args, read: &Read) -> Result<Vec<Found>, CliError> {
    let rules = rules(args, read)?;
    Ok(lint::lint(&read.suite, &rules, &read.loading, &|check| args.wants(check)))
}

/// A file to be mended.
struct Plan {
    path: PathBuf,
    old: Vec<u8>,
    new: Vec<u8>,
    mended: Mended,
}

fn plans(args: &Args, read: &Read, found: &[Found]) -> Result<Vec<Plan>, CliError> {
    let sources = &read.suite.sources;
    let mut plans = Vec::new();
    for rule in rules(args, read)? {
        let fixes: BTreeSet<Fix> = fix::of_rule(found, &rule);
        let Some(source) = sources.get(rule.root.place.file).filter(|_| !fixes.is_empty()) else {
            continue;
        };
        let Some((new, fixes)) = fix::mend_most(&rule.root, source.text(), &fixes) else {
            continue;
        };
        let path = PathBuf::from(source.name());
        let old = load::read_file(&path).map_err(|one| CliError::one(one, sources))?;
        // A file in another encoding, or changed since it was read, is left alone.
        let mark: &[u8] = b"\xEF\xBB\xBF";
        let head = if old.starts_with(mark) { mark } else { b"" };
        if old.strip_prefix(head) != Some(source.text().as_bytes()) {
            continue;
        }
        let mended = Mended {
            file: source.name().to_owned(),
            done: fixes.iter().map(|fix| fix.say(&rule.root)).collect(),
            lines: diff(source.text(), &new),
        };
        plans.push(Plan { path, old, new: [head, new.as_bytes()].concat(), mended });
    }
    Ok(plans)
}

/// Writes the mended files and reads all again. What cannot be read any more, or judged, is put back.
fn write_plans(args: &Args, before: &Read, plans: &[Plan]) -> Result<Read, CliError> {
    let write = |files: &[(&Path, &[u8])]| {
        // They were read in this run, and are to be replaced all the same.
        let none = Sources::default();
        load::write_files(files, &none).map_err(|one| CliError::one(one, &none))
    };
    let new: Vec<(&Path, &[u8])> =
        plans.iter().map(|plan| (plan.path.as_path(), plan.new.as_slice())).collect();
    write(&new)?;
    let after = read(args);
    let is_whole = after.as_ref().is_ok_and(|after| {
        after.loading.len() <= before.loading.len()
            && after.suite.broken.len() <= before.suite.broken.len()
            && same_verdicts(&before.suite.set, &after.suite.set)
    });
    if is_whole {
        return after;
    }
    let old: Vec<(&Path, &[u8])> =
        plans.iter().map(|plan| (plan.path.as_path(), plan.old.as_slice())).collect();
    write(&old)?;
    let message = "the mended pack cannot be read or judged as before; all files are as they were";
    let files: Vec<String> = plans.iter().map(|plan| plan.mended.file.clone()).collect();
    let problem = Diagnostic::error("fix-failed", message)
        .help(format!("mend by hand: {}", files.join(", ")))
        .help("a case or a configuration may set a parameter that nothing reads");
    Err(CliError::one(problem, &before.suite.sources))
}

/// Whether each rule asks the same as before.
fn same_verdicts(before: &RuleSet, after: &RuleSet) -> bool {
    before.rules.len() == after.rules.len()
        && before.rules.iter().zip(&after.rules).all(|(a, b)| {
            let part = |rule: &crate::rule::Rule, key: &str| rule.root.get(key).map(Node::to_json);
            let keys = ["select", "require", "violated", "finding", "consequence", "remediation"];
            a.id == b.id && keys.iter().all(|key| part(a, key) == part(b, key))
        })
}
