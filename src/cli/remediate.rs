//! `dpmguard remediate`: from findings to a change plan that repairs them.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::check::{PackArgs, duration, load_packs, now, settings};
use crate::cli::{CliError, Streams, show};
use crate::diagnostic::{Diagnostic, Place};
use crate::eval;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::finding::{Evaluation, Outcome, Severity, Verdict};
use crate::gate::{self, Threshold};
use crate::load;
use crate::plan::hazard::{self, Given, Judged};
use crate::plan::remedy::{self, Aside, Fate, Known, Remedy, Why};
use crate::plan::time::{self, Clock, Zone};
use crate::plan::{Plan, file};
use crate::rule::pack::RuleSet;
use crate::source::{Node, Sources};

use std::sync::Arc;

/// Most reasons that are told of one finding.
const MOST_REASONS: usize = 3;

/// Make a change plan that repairs what the rules find
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard remediate --facts facts/ --out repair.yaml\n  \
    dpmguard remediate --facts facts/ --start '2009-09-19T22:00[Europe/Berlin]' --window 8h\n  \
    dpmguard remediate --facts facts/ --only log-folder-moved,tag:eseutil\n\n\
    The plan has causes first and one check for all changes of an object. What a person has to do or to choose stands in \
    comments at its head. The plan is simulated before it is written, and standard error says what `dpmguard plan check` \
    will say of it.\n\n\
    Exit codes: 0 the plan passes and clears every finding, or there is none; 1 the plan fails, or leaves a finding; \
    2 an input is wrong; 3 facts are missing.")]
pub struct Args {
    /// Fact files or folders of them; `-` is standard input
    #[arg(long, required = true, num_args = 1.., value_name = "FACTS")]
    facts: Vec<PathBuf>,
    #[command(flatten)]
    rules: PackArgs,
    /// Repair only these, and what makes their checks vain: the id of a rule, `tag:<tag>`, or a finding's fingerprint; can be repeated
    #[arg(long, value_name = "RULE", value_delimiter = ',')]
    only: Vec<String>,
    /// The instant of the run: RFC 3339, or `observed` for the newest observation in the facts
    #[arg(long, value_name = "TIME", env = "DPMGUARD_NOW")]
    now: Option<String>,
    /// When the plan begins: `2009-09-19T22:00[Europe/Berlin]` [default: the instant of the run, in UTC]
    #[arg(long, value_name = "TIME")]
    start: Option<String>,
    /// When its window closes, written like `--start` [default: when all is done, at a full hour]
    #[arg(long, value_name = "TIME", conflicts_with = "window")]
    end: Option<String>,
    /// How long its window is: `8h`, `90m`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    window: Option<i64>,
    /// Write the plan to this file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Judges, plans, simulates, writes.
///
/// # Errors
///
/// Wrong inputs, or output that cannot be written.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let mut sources = Sources::default();
    let config = settings(&args.rules, &mut sources)?;
    let packs = load_packs(&args.rules, &config, &mut sources)?;
    let set = packs.rules(&config.params, &sources);
    let loaded = load::facts(&args.facts, streams.input, &mut sources, &packs);
    let (set, loaded) = match (set, loaded) {
        (Ok(set), Ok(loaded)) => (set, loaded),
        (set, loaded) => {
            let found = set.err().into_iter().chain(loaded.err()).flatten().collect();
            return Err(CliError::Input(found, sources));
        }
    };
    let facts = &loaded.facts;
    let one = |problem| CliError::one(problem, &sources);
    let now = now(args.now.as_deref(), facts).map_err(one)?;
    let times = times(args, &now).map_err(|found| CliError::Input(found, sources.clone()))?;
    let evaluation = eval::evaluate(facts, &set, &now, None, &|_| true);
    let only = only(&args.only, &set, &evaluation)
        .map_err(|found| CliError::Input(found, sources.clone()))?;
    show(&loaded.warnings, &sources, streams);
    let given = remedy::Given {
        set: &set,
        facts,
        now: &now,
        start: times.start,
        end: times.end,
        zone: &times.zone,
        wanted: &only,
    };
    let open = undecided(&evaluation, &only);
    let Some(remedy) = remedy::remedy(given, &evaluation) else {
        return Ok(nothing(&evaluation, open, facts.files().len(), streams)?);
    };
    let clock = Clock::new(&times.zone, times.start);
    let text = remedy::write(&remedy, &clock);
    let judged = judge(args, &text, &set, facts, &now, &sources)?;
    match &args.out {
        Some(path) => {
            load::write_files(&[(path, text.as_bytes())], &sources)
                .map_err(|problem| CliError::one(problem, &sources))?;
        }
        None => write_out(&text, streams)?,
    }
    Ok(say(&remedy, &judged, open, streams)?)
}

fn write_out(text: &str, streams: &mut Streams<'_>) -> Result<(), CliError> {
    match streams.out.write_all(text.as_bytes()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// When the plan is to be carried out, in seconds since 1970.
struct Times {
    start: i64,
    end: Option<i64>,
    zone: String,
}

fn times(args: &Args, now: &Instant) -> Result<Times, Vec<Diagnostic>> {
    let start = args.start.as_deref().map(|text| instant("start", text)).transpose();
    let end = args.end.as_deref().map(|text| instant("end", text)).transpose();
    let (start, end) = match (start, end) {
        (Ok(start), Ok(end)) => (start, end),
        (start, end) => return Err(start.err().into_iter().chain(end.err()).collect()),
    };
    let (begins, zone) = match start {
        Some((start, zone)) => (start, zone.name().to_owned()),
        None => (now.seconds(), "UTC".to_owned()),
    };
    let length = args.window.map(|window| begins.saturating_add(window));
    let end = end.map(|(end, _)| end).or(length);
    if end.is_some_and(|end| end <= begins) {
        let problem = Diagnostic::error("window-ends-first", "the window ends before it begins");
        return Err(vec![problem]);
    }
    Ok(Times { start: begins, end, zone })
}

/// A time as plan files have it.
fn instant(option: &str, text: &str) -> Result<(i64, Zone), Diagnostic> {
    let node = Node::from_json(&text.into(), Place::NOWHERE);
    time::read(&node, None).map_err(|problem| Diagnostic {
        place: None,
        message: format!("`--{option}`: {}", problem.message),
        ..problem
    })
}

/// Which findings are to be repaired.
fn only<'a>(
    names: &'a [String],
    set: &RuleSet,
    evaluation: &Evaluation,
) -> Result<impl Fn(&Evaluation, &Verdict) -> bool + use<'a>, Vec<Diagnostic>> {
    let prints: Vec<&str> = evaluation
        .verdicts
        .iter()
        .filter_map(|verdict| Some(verdict.finding.as_ref()?.fingerprint.as_str()))
        .collect();
    let mut problems = Vec::new();
    for name in names {
        let is_known = match name.strip_prefix("tag:") {
            Some(tag) => set.rules.iter().any(|rule| rule.tags.iter().any(|known| **known == *tag)),
            None => set.rule(name).is_some() || prints.contains(&name.as_str()),
        };
        if !is_known {
            let message = format!("there is no rule and no finding `{name}`");
            let ids = set.rules.iter().map(|rule| &*rule.id);
            let problem = Diagnostic::error("unknown-rule", message).suggest(name, ids);
            problems
                .push(problem.help("a finding is named by its fingerprint, as `check` shows it"));
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(move |evaluation: &Evaluation, verdict: &Verdict| {
        let Some(rule) = evaluation.rule(verdict) else { return false };
        let print = verdict.finding.as_ref().map(|finding| finding.fingerprint.as_str());
        let is_named = |name: &String| match name.strip_prefix("tag:") {
            Some(tag) => rule.tags.iter().any(|known| known == tag),
            None => *rule.id == **name || print == Some(name.as_str()),
        };
        names.is_empty() || names.iter().any(is_named)
    })
}

/// How many possible findings nobody can decide.
fn undecided(evaluation: &Evaluation, only: &dyn Fn(&Evaluation, &Verdict) -> bool) -> usize {
    let open = evaluation.verdicts.iter().filter(|one| one.outcome == Outcome::Undecided);
    let counts = |verdict: &&Verdict| evaluation.severity(verdict) >= Severity::Warning;
    open.filter(counts).filter(|verdict| only(evaluation, verdict)).count()
}

/// There is nothing to repair, as far as anybody knows.
fn nothing(
    evaluation: &Evaluation,
    open: usize,
    files: usize,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let tally = evaluation.tally();
    if files == 0 || tally.violated + tally.satisfied == 0 {
        writeln!(streams.err, "no plan: nothing could be judged")?;
        return Ok(gate::Verdict::NoVerdict.exit_code());
    }
    if open > 0 {
        let what = count_of(open, "possible finding");
        writeln!(
            streams.err,
            "no plan: nothing is to be repaired, but facts are missing for {what}"
        )?;
        return Ok(gate::Verdict::NoVerdict.exit_code());
    }
    writeln!(streams.err, "no plan: nothing is to be repaired")?;
    Ok(0)
}

/// What `plan check` says of the text.
fn judge(
    args: &Args,
    text: &str,
    set: &RuleSet,
    facts: &Arc<Facts>,
    now: &Instant,
    sources: &Sources,
) -> Result<(Plan, Judged), CliError> {
    // The file of that name, if there is one, was not read.
    let sources = &mut sources.clone();
    let name = args.out.as_deref().unwrap_or(Path::new("(the plan)"));
    let root = load::plan_text(&load::shown(name), text, sources);
    let root = root.map_err(|found| CliError::Input(found, sources.clone()))?;
    let known = hazard::KINDS.iter().filter(|kind| !kind.is_unknown);
    let ids: Vec<&str> = known.map(|kind| kind.id).collect();
    let context = file::Context { sources, rules: set, facts, now, hazards: &ids };
    let (plan, _) =
        file::read(&root, context).map_err(|found| CliError::Input(found, sources.clone()))?;
    let clock = Clock::new(&plan.window.zone, plan.window.start);
    let judged =
        hazard::find(Given { set, facts, plan: &plan, clock: &clock, max_age: plan.max_age });
    Ok((plan, judged))
}

fn count_of(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Says what is repaired that nobody asked for, and what is not cleared, and why.
fn say_findings(remedy: &Remedy, err: &mut dyn io::Write) -> io::Result<()> {
    for (position, finding) in remedy.findings.iter().enumerate().filter(|(_, one)| one.is_old) {
        let Known { rule, severity, subject, .. } = finding;
        if finding.is_needed {
            writeln!(
                err,
                "  repaired, too, because a check would be wasted otherwise: {rule} ({severity}), {}",
                subject.key
            )?;
        }
        let what = match finding.fate {
            Fate::Cleared => continue,
            Fate::Stays => "not cleared",
            Fate::Unknown => "perhaps cleared",
        };
        writeln!(err, "  {what}: {rule} ({severity}), {}", subject.key)?;
        if let Some(reason) = &finding.manual {
            writeln!(err, "    {reason}")?;
        }
        let of = |aside: &&Aside| aside.purposes.contains(&position);
        for aside in remedy.asides.iter().filter(of).take(MOST_REASONS) {
            writeln!(err, "    not in the plan: {}: {}", aside.step.action, aside.why.said())?;
        }
    }
    Ok(())
}

/// The findings that the plan leaves: old ones, and those that only it brings about.
fn left(stay: usize, raised: usize) -> String {
    let mut said = String::new();
    if stay > 0 {
        let _ = write!(said, ", {stay} NOT cleared");
    }
    if raised > 0 {
        let (come, are) = if raised == 1 { ("comes", "is") } else { ("come", "are") };
        let _ = write!(said, "; {raised} more {come} up on the way and {are} NOT cleared");
    }
    said
}

/// Says what the plan is worth; the answer is the exit code.
fn say(
    remedy: &Remedy,
    (plan, judged): &(Plan, Judged),
    open: usize,
    streams: &mut Streams<'_>,
) -> io::Result<u8> {
    let verdict = judged.verdict(Threshold::From(Severity::Error));
    let count = |fate: Fate| {
        remedy.findings.iter().filter(|one| one.is_asked() && one.fate == fate).count()
    };
    let all = remedy.findings.iter().filter(|finding| finding.is_asked()).count();
    let raised = remedy.findings.iter().filter(|one| !one.is_old && one.fate == Fate::Stays);
    let raised = raised.count();
    let (stay, unknown) = (count(Fate::Stays), count(Fate::Unknown));
    let steps = plan.written().len();
    let err = &mut *streams.err;
    writeln!(
        err,
        "{steps} step{}, {} of {all} finding{} cleared{}; `plan check`: {}",
        if steps == 1 { "" } else { "s" },
        count(Fate::Cleared),
        if all == 1 { "" } else { "s" },
        left(stay, raised),
        match verdict {
            gate::Verdict::Passed => "PASS",
            gate::Verdict::Failed => "FAIL",
            gate::Verdict::NoVerdict => "NO VERDICT",
        }
    )?;
    for hazard in judged.hazards.iter().filter(|hazard| hazard.severity == Severity::Error).take(10)
    {
        writeln!(err, "  {}: {}", hazard.kind.id, hazard.message)?;
    }
    say_findings(remedy, err)?;
    let hangs = remedy.asides.iter().filter(|aside| matches!(aside.why, Why::Unknown(_))).count();
    if hangs + open > 0 {
        let what = [(hangs, "step"), (open, "possible finding")];
        let what = what.into_iter().filter(|(number, _)| *number > 0);
        let what: Vec<String> = what.map(|(number, noun)| count_of(number, noun)).collect();
        let verb = if hangs + open == 1 { "hangs" } else { "hang" };
        writeln!(err, "  facts are missing: {} {verb} on them", what.join(" and "))?;
    }
    Ok(match () {
        () if verdict == gate::Verdict::Failed || stay > 0 => 1,
        () if verdict == gate::Verdict::NoVerdict || unknown + hangs + open > 0 => 3,
        () => 0,
    })
}
