//! `dpmguard check`: facts judged by rules.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::{CliError, Streams, show};
use crate::diagnostic::Diagnostic;
use crate::eval;
use crate::facts::store::Facts;
use crate::facts::time::{Instant, parse_duration, say_duration};
use crate::finding::Evaluation;
use crate::gate::{self, Answer, Threshold};
use crate::load::{self, Config, Packs};
use crate::report::{FactsFile, PackInfo, Run, Settings, human, json};
use crate::rule::Rule;
use crate::rule::pack::RuleSet;
use crate::source::Sources;

/// Judge facts by rules
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dpmguard check facts/\n  dpmguard check exchange.yaml dpm.yaml --fail-on error\n  \
    collect | dpmguard check - --format json\n  dpmguard check facts/ -o json=report.json\n  \
    dpmguard check facts/ --rules my-rules --only tag:path-change\n  \
    dpmguard check facts/ --param low-space-on-protected-volume.min_free_percent=15\n\n\
    Exit codes: 0 passed; 1 a finding at or over the threshold; 2 an input is wrong; 3 no verdict."
)]
pub struct Args {
    /// Fact files or folders of them; `-` is standard input
    #[arg(required = true, value_name = "FACTS")]
    pub facts: Vec<PathBuf>,
    /// The rules and their parameters
    #[command(flatten)]
    pub rules: PackArgs,
    /// Judge only these rules: an id, or `tag:<tag>`; can be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Do not judge these rules: an id, or `tag:<tag>`; can be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// From which severity on a finding fails the run [default: warning]
    #[arg(long, value_name = "SEVERITY", value_parser = ["note", "warning", "error", "never"])]
    pub fail_on: Option<String>,
    /// The instant of the run: RFC 3339, or `observed` for the newest observation in the facts
    #[arg(long, value_name = "TIME", env = "DPMGUARD_NOW")]
    pub now: Option<String>,
    /// Facts collected longer ago count as not known: `24h`, `90m`, `7d`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_age: Option<i64>,
    /// Format of the report on standard output
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Write a report to a file as well; can be repeated
    #[arg(short = 'o', value_name = "FORMAT=FILE", value_parser = super::parse_output::<Format>)]
    pub outputs: Vec<(Format, PathBuf)>,
    /// Exit with 0 even if the gate failed or gave no verdict (not if an input is wrong)
    #[arg(long)]
    pub exit_zero: bool,
}

/// Which packs, with which parameters.
#[derive(Debug, Default, clap::Args)]
pub struct PackArgs {
    /// Add the rules in a folder; one with the id of a shipped rule replaces it
    #[arg(long, value_name = "DIR")]
    pub rules: Vec<PathBuf>,
    /// Leave the shipped rules out
    #[arg(long)]
    pub no_shipped_rules: bool,
    /// Set a parameter of a rule, or a setting of an action; can be repeated
    #[arg(long, value_name = "RULE.PARAM=VALUE")]
    pub param: Vec<String>,
    /// Read settings from this file [default: dpmguard.yaml, if there is one]
    #[arg(long, value_name = "FILE", env = "DPMGUARD_CONFIG")]
    pub config: Option<OsString>,
}

/// A format of the report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person at a terminal
    #[default]
    Human,
    /// Stable JSON, see `dpmguard schema report-v1` (of `explain`: `explain-v1`)
    Json,
}

pub(super) fn duration(text: &str) -> Result<i64, String> {
    parse_duration(text).ok_or_else(|| "write it like 24h, 90m, 7d or PT24H".to_owned())
}

/// Loads, judges, writes.
///
/// # Errors
///
/// [`CliError`] when there is no verdict because an input is wrong, or the report cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let input =
        |problems: Vec<Diagnostic>, sources: &Sources| CliError::Input(problems, sources.clone());
    let config = settings(&args.rules, &mut sources)?;
    let packs = load_packs(&args.rules, &config, &mut sources)?;
    // Both are read before either is complained of: all problems show at once.
    let rules = packs.rules(&config.params, &sources);
    let loaded = load::facts(&args.facts, streams.input, &mut sources, &packs);
    let (rules, loaded) = match (rules, loaded) {
        (Ok(rules), Ok(loaded)) => (rules, loaded),
        (rules, loaded) => {
            let found = rules.err().into_iter().chain(loaded.err()).flatten().collect();
            return Err(input(found, &sources));
        }
    };
    let now = now(args.now.as_deref(), &loaded.facts)
        .map_err(|problem| CliError::one(problem, &sources))?;
    let chosen = chosen(args, &config, &rules);
    let selection = selection(&chosen, &rules).map_err(|found| input(found, &sources))?;
    let evaluation = eval::evaluate(&loaded.facts, &rules, &now, args.max_age, &selection);
    let threshold = args.fail_on.as_ref().or(config.fail_on.as_ref());
    let threshold = threshold.and_then(|name| Threshold::named(name));
    let threshold = threshold.unwrap_or(Threshold::From(crate::finding::Severity::Warning));
    let answer = gate::answer(&evaluation, threshold, loaded.facts.files().len());
    let mut warnings = loaded.warnings;
    warnings.extend(from_the_future(&loaded.facts, &now, &sources));
    show(&warnings, &sources, streams);
    write(
        args,
        streams,
        &sources,
        &Judged {
            evaluation: &evaluation,
            answer: &answer,
            now: &now,
            facts: &loaded.facts,
            warnings: &warnings,
            rules: &rules,
            settings: &chosen,
        },
    )?;
    Ok(if args.exit_zero { 0 } else { answer.verdict.exit_code() })
}

/// Reads the configuration and the command line's parameters; the latter win.
///
/// # Errors
///
/// What is wrong with them.
pub fn settings(args: &PackArgs, sources: &mut Sources) -> Result<Config, CliError> {
    let mut problems = Vec::new();
    let config = load::config(
        args.config.as_deref().filter(|path| !path.is_empty()).map(Path::new),
        sources,
    );
    let mut config = config.map_err(|found| CliError::Input(found, sources.clone()))?;
    for text in &args.param {
        match load::param(text, sources) {
            Ok(param) => config.params.push(param),
            Err(found) => problems.extend(found),
        }
    }
    if problems.is_empty() { Ok(config) } else { Err(CliError::Input(problems, sources.clone())) }
}

/// Reads the packs that options and configuration ask for.
///
/// # Errors
///
/// A broken program; what is wrong with the packs is told when their rules are asked for.
pub fn load_packs(
    args: &PackArgs,
    config: &Config,
    sources: &mut Sources,
) -> Result<Packs, CliError> {
    let shipped = !args.no_shipped_rules && config.shipped_rules.unwrap_or(true);
    let folders: Vec<PathBuf> = config.rules.iter().chain(&args.rules).cloned().collect();
    load::packs(shipped, &folders, sources).map_err(|found| CliError::Input(found, sources.clone()))
}

/// Reads the packs that options and configuration ask for, and their rules.
///
/// # Errors
///
/// The problems of all files of all packs.
pub fn load_rules(args: &PackArgs, sources: &mut Sources) -> Result<(Packs, RuleSet), CliError> {
    let config = settings(args, sources)?;
    let packs = load_packs(args, &config, sources)?;
    let set = packs.rules(&config.params, sources);
    let set = set.map_err(|found| CliError::Input(found, sources.clone()))?;
    Ok((packs, set))
}

pub(super) fn now(option: Option<&str>, facts: &Facts) -> Result<Instant, Diagnostic> {
    match option.filter(|text| !text.is_empty()) {
        None => load::clock().ok_or_else(|| {
            Diagnostic::error("no-clock", "the system's clock cannot be read")
                .help("give the time with `--now`")
        }),
        Some("observed") => {
            let newest = facts.files().iter().map(|file| &file.observed_at);
            newest.max_by_key(|at| at.seconds()).cloned().ok_or_else(|| {
                Diagnostic::error("no-facts", "`--now observed` needs at least one fact file")
            })
        }
        Some(text) => Instant::parse(text).ok_or_else(|| {
            Diagnostic::error(
                "wrong-option",
                format!("`--now {text}` is not a time with an offset"),
            )
            .help("write it like 2009-05-04T18:00:00Z, or `observed`")
        }),
    }
}

/// What the user set: an option on the command line stands in place of the file's list.
fn chosen(args: &Args, config: &Config, set: &RuleSet) -> Settings {
    let pick = |option: &[String], file: &[String]| {
        if option.is_empty() { file.to_vec() } else { option.to_vec() }
    };
    let mut params = Vec::new();
    let of_rules = set.rules.iter().map(|rule| (&rule.id, &rule.params));
    let of_actions = set.actions.iter().map(|action| (&action.id, &action.params));
    for (id, all) in of_rules.chain(of_actions) {
        for param in all.iter().filter(|param| param.is_set) {
            params.push((id.to_string(), param.name.to_string(), param.written.clone()));
        }
    }
    Settings {
        config: config.file.clone(),
        max_age: args.max_age.map(say_duration),
        only: pick(&args.only, &config.only),
        skip: pick(&args.skip, &config.skip),
        params,
    }
}

/// Facts that were observed after the instant of the run: a wrong clock, or a wrong `--now`.
pub(super) fn from_the_future(facts: &Facts, now: &Instant, sources: &Sources) -> Vec<Diagnostic> {
    let late = facts.files().iter().filter(|file| file.observed_at.seconds() > now.seconds());
    late.filter_map(|file| {
        let name = sources.get(file.file)?.name();
        let message =
            format!("`{name}` was observed at {}, after this run's {now}", file.observed_at);
        let help = "is a clock wrong, or `--now`? no fact is too old for a rule in such a run";
        Some(Diagnostic::warning("facts-from-the-future", message).help(help))
    })
    .collect()
}

/// Whether a rule is selected.
///
/// # Errors
///
/// Names of rules or tags that do not exist: a slip there would switch the gate off.
fn selection(
    chosen: &Settings,
    set: &RuleSet,
) -> Result<impl Fn(&Rule) -> bool + use<>, Vec<Diagnostic>> {
    let Settings { only, skip, .. } = chosen.clone();
    let mut problems = Vec::new();
    for name in only.iter().chain(&skip) {
        if !set.rules.iter().any(|rule| names(rule, name)) {
            let (what, plain, known): (&str, &str, Vec<&str>) = match name.strip_prefix("tag:") {
                Some(tag) => {
                    ("tag", tag, set.rules.iter().flat_map(|r| &r.tags).map(|t| &**t).collect())
                }
                None => ("rule", name, set.rules.iter().map(|rule| &*rule.id).collect()),
            };
            let problem =
                Diagnostic::error("unknown-rule", format!("there is no {what} `{plain}`"));
            problems.push(problem.suggest(plain, known));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(move |rule: &Rule| {
        let listed = |list: &[String]| list.iter().any(|name| names(rule, name));
        (only.is_empty() || listed(&only)) && !listed(&skip)
    })
}

fn names(rule: &Rule, name: &str) -> bool {
    match name.strip_prefix("tag:") {
        Some(tag) => rule.tags.iter().any(|known| &**known == tag),
        None => &*rule.id == name,
    }
}

/// What was judged, by what.
struct Judged<'a> {
    evaluation: &'a Evaluation,
    answer: &'a Answer,
    now: &'a Instant,
    facts: &'a Facts,
    warnings: &'a [Diagnostic],
    rules: &'a RuleSet,
    settings: &'a Settings,
}

fn write(
    args: &Args,
    streams: &mut Streams<'_>,
    sources: &Sources,
    judged: &Judged<'_>,
) -> Result<(), CliError> {
    let facts: Vec<FactsFile> = judged
        .facts
        .files()
        .iter()
        .filter_map(|seen| {
            let source = sources.get(seen.file)?;
            Some(FactsFile {
                file: source.name().to_owned(),
                sha256: source.digest().to_owned(),
                observed_at: seen.observed_at.to_string(),
                age_seconds: judged.now.seconds().saturating_sub(seen.observed_at.seconds()),
            })
        })
        .collect();
    let info = |pack: &crate::rule::pack::Pack| PackInfo {
        name: pack.name.clone(),
        version: pack.version.clone(),
        sha256: pack.digest.clone(),
    };
    let packs: Vec<PackInfo> = judged.rules.packs.iter().map(info).collect();
    let now = judged.now.to_string();
    let run = Run {
        sources,
        evaluation: judged.evaluation,
        answer: judged.answer,
        now: &now,
        settings: judged.settings,
        facts: &facts,
        packs: &packs,
        warnings: judged.warnings,
    };
    super::write_outputs(&args.outputs, args.format, streams, sources, &|format, colour, out| {
        write_as(format, &run, colour, out)
    })
}

fn write_as(
    format: Format,
    run: &Run<'_>,
    colour: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    match format {
        Format::Human => human::write(run, colour, out),
        Format::Json => json::write(run, out),
    }
}
