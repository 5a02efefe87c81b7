//! `dpmguard explain`: why a rule said what it said.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::author::explain::counter::{self, About, Search};
use crate::author::explain::record::{Judged, Keep};
use crate::author::explain::{self, Heard, Run, Subject};
use crate::cli::check::{Format, PackArgs, duration, from_the_future, load_packs, now, settings};
use crate::cli::rules::named;
use crate::cli::{CliError, Streams, show};
use crate::diagnostic::Diagnostic;
use crate::facts::value::{ObjectId, fold};
use crate::finding::Outcome;
use crate::load;
use crate::report::explain::{self as shape, Explanation};
use crate::report::human;
use crate::source::Sources;

/// Explain a rule, or why it said what it said
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Without facts: what the rule looks at and says. With facts: what it said of every subject; of \
    one, clause by clause, with the values it saw and where they stand.\n\n\
    Examples:\n  dpmguard explain database-file-moved\n  \
    dpmguard explain database-file-moved --facts facts/\n  \
    dpmguard explain database-file-moved DPM01/EX01/SG1 --facts facts/\n  \
    dpmguard explain database-file-moved DPM01/EX01/SG1 --facts facts/ --trace\n  \
    dpmguard explain database-file-moved DPM01/EX01/SG1 --facts facts/ --nth 1 --not=satisfied\n\n\
    Exit codes: 0 something was explained; 2 an input is wrong; 3 the rule judged nothing."
)]
pub struct Args {
    /// The rule's id
    rule: String,
    /// Key of an object, as reports show it; compared without case
    subject: Option<String>,
    /// Fact files or folders of them; `-` is standard input
    #[arg(long, value_name = "FACTS", num_args = 1..)]
    facts: Vec<PathBuf>,
    /// The rules and their parameters
    #[command(flatten)]
    rules: PackArgs,
    /// Explain only this one of several verdicts, counted from 1
    #[arg(long, value_name = "NUMBER")]
    nth: Option<usize>,
    /// Show everything that was evaluated
    #[arg(long)]
    trace: bool,
    /// Say what would have to change for another outcome (or for this one), found by trying
    #[arg(
        long, value_name = "OUTCOME", num_args = 0..=1, require_equals = true, default_missing_value = "",
        value_parser = wanted_outcome
    )]
    not: Option<String>,
    /// With `--not`: how many changes are shown
    #[arg(long, value_name = "NUMBER", default_value_t = 5)]
    most: usize,
    /// With `--not`: how many changes are tried
    #[arg(long, value_name = "NUMBER", default_value_t = 1_000)]
    budget: usize,
    /// With `--not`: say which verdicts of all rules would change too
    #[arg(long)]
    all_rules: bool,
    /// The instant of the run: RFC 3339, or `observed` for the newest observation in the facts
    #[arg(long, value_name = "TIME", env = "DPMGUARD_NOW")]
    now: Option<String>,
    /// Facts collected longer ago count as not known: `24h`, `90m`, `7d`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_age: Option<i64>,
    /// Format of the explanation
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,
}

/// Loads, judges, explains.
///
/// # Errors
///
/// Wrong inputs, an unknown rule or subject, or output that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let config = settings(&args.rules, &mut sources)?;
    let packs = load_packs(&args.rules, &config, &mut sources)?;
    let set = packs.rules(&config.params, &sources);
    let loaded = match args.facts.as_slice() {
        [] => Ok(None),
        paths => load::facts(paths, streams.input, &mut sources, &packs).map(Some),
    };
    let (set, loaded) = match (set, loaded) {
        (Ok(set), Ok(loaded)) => (set, loaded),
        (set, loaded) => {
            let found = set.err().into_iter().chain(loaded.err()).flatten().collect();
            return Err(CliError::Input(found, sources));
        }
    };
    let rule = named(&set.rules, |rule| &*rule.id, &args.rule, "rule", "list", &sources)?;
    let subject = Subject { sources: &sources, set: &set, rule, model: &packs.model };
    let mut explanation = explain::of_rule(subject);
    let Some(loaded) = loaded else {
        needs_facts(args).map_err(|problem| CliError::one(problem, &sources))?;
        return write(args, &explanation, streams).map(|()| 0);
    };
    let now = now(args.now.as_deref(), &loaded.facts)
        .map_err(|problem| CliError::one(problem, &sources))?;
    let mut warnings = loaded.warnings.clone();
    warnings.extend(from_the_future(&loaded.facts, &now, &sources));
    show(&warnings, &sources, streams);
    let paths = explain::paths(&loaded.documents, &packs.model);
    let run = Run { facts: &loaded.facts, now: &now, max_age: args.max_age, paths: &paths };
    let heard = explain::listen(subject, run, Keep::Nothing);
    explanation.now = Some(now.to_string());
    explanation.verdicts = explain::table(&heard.judged);
    let wanted =
        wanted(args, subject, run, &heard).map_err(|problem| CliError::one(problem, &sources))?;
    let schemas = load::schema("rule-v1").map_err(|problem| CliError::one(problem, &sources))?;
    let search = Search {
        subject,
        run,
        documents: &loaded.documents,
        schema: packs.facts_schema(),
        rule_schema: &schemas,
        overrides: &config.params,
        wanted: args.not.as_deref().and_then(Outcome::named),
        most: args.most,
        budget: args.budget,
        all_rules: args.all_rules,
    };
    answer(args, search, &wanted, &mut explanation)
        .map_err(|problem| CliError::one(problem, &sources))?;
    write(args, &explanation, streams)?;
    let is_something = !heard.judged.is_empty() || explanation.left_out.is_some();
    Ok(if is_something { 0 } else { 3 })
}

fn needs_facts(args: &Args) -> Result<(), Diagnostic> {
    let option = match args {
        Args { subject: Some(_), .. } => "a subject",
        Args { nth: Some(_), .. } => "`--nth`",
        Args { trace: true, .. } => "`--trace`",
        Args { not: Some(_), .. } => "`--not`",
        _ => return Ok(()),
    };
    let message = format!("{option} can be explained on facts only");
    Err(Diagnostic::error("wrong-option", message).help("give them with `--facts FILE...`"))
}

/// What is to be explained.
enum Wanted {
    /// The table of all.
    Table,
    /// Verdicts about an object, or the lack of any.
    Object(ObjectId),
    /// A verdict about what was not collected, in the order of judging.
    Number(usize),
}

fn wanted(
    args: &Args,
    subject: Subject<'_>,
    run: Run<'_>,
    heard: &Heard<'_>,
) -> Result<Wanted, Diagnostic> {
    let object = |one: &Judged<'_>| {
        let kind = run.facts.model().kind_named(&one.verdict.subject.kind)?;
        run.facts.find(kind.id, &fold(&one.verdict.subject.key))
    };
    let Some(key) = &args.subject else {
        let nth = match args.nth {
            Some(nth) => nth,
            None if args.not.is_some() && heard.judged.len() != 1 => {
                let message = "`--not` needs a subject: say whose outcome is to change";
                return Err(Diagnostic::error("wrong-option", message)
                    .help("name one, or a verdict of the table with `--nth`"));
            }
            None if args.not.is_some() => 1,
            None => return Ok(Wanted::Table),
        };
        let position = nth.checked_sub(1);
        let one = position.and_then(|position| heard.judged.get(position));
        let one = one.ok_or_else(|| no_such(nth, heard.judged.len()))?;
        return Ok(Wanted::Number(one.number));
    };
    let wanted = fold(key.trim_end_matches(['\\', '/']));
    let is_it =
        |one: &&Judged<'_>| fold(one.verdict.subject.key.trim_end_matches(['\\', '/'])) == wanted;
    if let Some(id) = heard.judged.iter().find(is_it).and_then(object) {
        return Ok(Wanted::Object(id));
    }
    let kinds = explain::kinds(subject);
    let others =
        subject.model.kinds().iter().map(|kind| kind.id).filter(|kind| !kinds.contains(kind));
    let found = kinds.iter().copied().chain(others).find_map(|kind| run.facts.find(kind, &wanted));
    found.map(Wanted::Object).ok_or_else(|| {
        let keys = explain::known_keys(subject, run, &heard.judged);
        let message = format!("there is no object `{key}` in the facts");
        let problem = Diagnostic::error("unknown-subject", message)
            .suggest(key, keys.iter().map(String::as_str));
        // What was judged is nearer than what only could have been.
        let judged = heard.judged.iter().map(|one| &*one.verdict.subject.key);
        let judged: BTreeSet<&str> = judged.filter(|key| fold(key).contains(&wanted)).collect();
        let others = keys.iter().map(String::as_str).filter(|key| fold(key).contains(&wanted));
        let others: Vec<&str> = others.filter(|_| judged.is_empty()).collect();
        let near = || judged.iter().copied().chain(others.iter().copied()).take(5);
        let problem = match near().count() {
            0 => problem,
            _ if !problem.help.is_empty() => problem,
            _ => {
                let near: Vec<String> = near().map(|known| format!("`{known}`")).collect();
                problem.help(format!("did you mean {}?", near.join(" or ")))
            }
        };
        problem.help("`dpmguard explain RULE --facts ...` lists what the rule judged")
    })
}

fn no_such(nth: usize, count: usize) -> Diagnostic {
    let message = format!("`--nth {nth}`: there is no such verdict; their number is {count}");
    Diagnostic::error("wrong-option", message)
}

/// An outcome by its name, or nothing for any other than the present one.
fn wanted_outcome(text: &str) -> Result<String, String> {
    let names = ["violated", "satisfied", "not_applicable", "undecided"];
    if text.is_empty() || names.contains(&text) {
        return Ok(text.to_owned());
    }
    let near = crate::diagnostic::nearest(text, names);
    let meant = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Err(format!("{meant}the outcomes are {}", names.join(", ")))
}

/// Fills in what was asked about.
fn answer<'a>(
    args: &Args,
    search: Search<'a>,
    wanted: &Wanted,
    explanation: &mut Explanation,
) -> Result<(), Diagnostic> {
    let Search { subject, run, .. } = search;
    let look = |heard: &Heard<'a>, about: About<'_, 'a>| {
        args.not.is_some().then(|| counter::search(search, heard, about))
    };
    let keep = match wanted {
        Wanted::Table => return Ok(()),
        Wanted::Object(id) => Keep::Object(*id),
        Wanted::Number(number) => Keep::Number(*number),
    };
    let heard = explain::listen(subject, run, keep);
    let is_kept =
        |(position, one): (usize, &Judged<'_>)| (!one.levels.is_empty()).then_some(position);
    let mut positions: Vec<usize> = heard.judged.iter().enumerate().filter_map(is_kept).collect();
    match (wanted, args.nth) {
        (Wanted::Object(id), _) if positions.is_empty() => {
            let mut said = explain::left_out(subject, run, &heard, *id, args.trace);
            said.counterfactuals = look(&heard, About::LeftOut(*id));
            explanation.left_out = Some(said);
        }
        (Wanted::Object(_), Some(nth)) => {
            let chosen = nth.checked_sub(1).and_then(|index| positions.get(index)).copied();
            positions = vec![chosen.ok_or_else(|| no_such(nth, positions.len()))?];
        }
        _ => {}
    }
    for position in positions {
        let said = explain::verdict(subject, run, &heard, position, args.trace);
        if let (Some(mut said), Some(one)) = (said, heard.judged.get(position)) {
            said.counterfactuals = look(&heard, About::Verdict(one));
            explanation.explained.push(said);
        }
    }
    Ok(())
}

fn write(
    args: &Args,
    explanation: &Explanation,
    streams: &mut Streams<'_>,
) -> Result<(), CliError> {
    match args.format {
        Format::Human => human::explain::write(explanation, streams.colour_out, streams.out)?,
        Format::Json => shape::write(explanation, streams.out)?,
    }
    Ok(())
}
