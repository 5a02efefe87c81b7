//! `dpmguard new case`: a case of the smallest facts, or cut out of real ones.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value as Json;

use crate::author::new::case::{self as draft, Draft, Expect};
use crate::author::new::facts::{OBSERVED, Sketch};
use crate::author::shrink::{self, Aim, Judge};
use crate::author::{new, trial};
use crate::cli::new::{Found, Place, failed, next, one_line, wrong};
use crate::cli::{CliError, Progress, Streams};
use crate::diagnostic::{Diagnostic, FileId};
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::facts::value::fold;
use crate::finding::{Outcome, Verdict};
use crate::load;
use crate::rule::Rule;
use crate::rule::pack::RuleSet;
use crate::source::{self, Node, Sources, Value};

/// Make a case: of the smallest facts, or cut out of real ones
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dpmguard new case database-file-moved two-servers --pack my-rules\n  \
    dpmguard new case --from-facts facts/ --rule database-file-moved --subject DPM01/EX01/SG1\n  \
    dpmguard new case --from-facts facts/ --rule database-file-moved \\\n      \
    --subject DPM01/EX01/SG1 --anonymise moved\n\n\
    With --from-facts the case holds the smallest part of the facts on which the rule still says the same of the \
    subject: nothing in it can be taken away. The instant of the run is the newest observation, unless --now says another."
)]
pub(super) struct Args {
    /// The rule that the case is about, and the case's name; with --rule, the name only
    #[arg(value_names = ["RULE", "NAME"], num_args = 0..=2)]
    names: Vec<String>,
    /// Cut the facts out of these files or folders
    #[arg(long, value_name = "FACTS", num_args = 1.., requires_all = ["rule", "subject"])]
    from_facts: Vec<PathBuf>,
    /// The rule that the case is about
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Key of the object whose verdict the case is to keep
    #[arg(long, value_name = "KEY", requires = "from_facts")]
    subject: Option<String>,
    /// Which verdict, where the subject has several [default: the violated one]
    #[arg(long, requires = "from_facts", value_parser = ["violated", "satisfied", "not_applicable", "undecided"])]
    outcome: Option<String>,
    /// Give servers, databases and folders other names, the same everywhere
    #[arg(long, requires = "from_facts")]
    anonymise: bool,
    /// What the case shows
    #[arg(long)]
    title: Option<String>,
    /// The instant of the run: RFC 3339 [default: the newest observation]
    #[arg(long, value_name = "TIME", requires = "from_facts")]
    now: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let (id, name) = match (&args.rule, args.names.as_slice()) {
        (Some(id), [name]) | (None, [id, name]) => (id, Some(name)),
        (Some(id), []) | (None, [id]) => (id, None),
        (None, _) => {
            let message = "which rule is the case about?";
            let help = "write `dpmguard new case <rule>`, or give `--rule`";
            return Err(wrong(Diagnostic::error("wrong-option", message).help(help)));
        }
        (Some(_), _) => {
            let message = "with `--rule` there is one name, that of the case";
            return Err(wrong(Diagnostic::error("wrong-option", message)));
        }
    };
    if let Some(name) = name {
        new::kebab("the name of a case", name).map_err(wrong)?;
        if name == "mutants" {
            let message = "a case cannot be named `mutants`: `mutants.yaml` lists the mutants that are accepted";
            return Err(wrong(
                Diagnostic::error("wrong-name", message).help("choose another name"),
            ));
        }
    }
    let found = Found::new(&args.place)?;
    let set = found.packs.rules(&found.config.params, &found.sources);
    let set = set.map_err(|problems| CliError::Input(problems, found.sources.clone()))?;
    let Some(rule) = set.rule(id).cloned() else {
        let problem = Diagnostic::error("unknown-rule", format!("there is no rule `{id}`"));
        return Err(wrong(problem.suggest(id, set.rules.iter().map(|rule| &*rule.id))));
    };
    let name = name.map(String::as_str);
    if args.from_facts.is_empty() {
        empty(args, &rule, name, &found, streams)
    } else {
        cut(args, &rule, name, &found, &set, streams)
    }
}

/// A case of the smallest part of real facts on which the rule says the same.
fn cut(
    args: &Args,
    rule: &Arc<Rule>,
    name: Option<&str>,
    found: &Found,
    set: &RuleSet,
    streams: &mut Streams<'_>,
) -> Result<u8, CliError> {
    let packs = &found.packs;
    let mut sources = found.sources.clone();
    let loaded = load::facts(&args.from_facts, streams.input, &mut sources, packs)
        .map_err(|problems| CliError::Input(problems, sources.clone()))?;
    let now = instant(args.now.as_deref(), &loaded.facts)?;
    let judge =
        Judge { model: &packs.model, schema: packs.facts_schema(), set, rule: &rule.id, now: &now };
    let verdicts = judge.judge(&loaded.facts);
    let verdict = chosen(args, rule, &verdicts)?;
    let aim = Aim::new(verdict, &verdicts);
    let mut files = Vec::new();
    for seen in loaded.facts.files() {
        let root = source::read(&sources, seen.file);
        files.push(root.map_err(|problems| CliError::Input(problems, sources.clone()))?);
    }
    let whole = shrink::unite(&packs.model, &files, &loaded.facts);
    let Some(whole) = whole.filter(|whole| judge.holds(whole, &aim)) else {
        let message = "these files cannot be one document on which the rule says the same";
        let help = "perhaps a collection is declared complete in one of them, and not in another";
        return Err(wrong(Diagnostic::error("misfit", message).help(help)));
    };
    let all = shrink::count(&whole);
    let progress = Progress::new(streams.is_watched, all, "facts taken away");
    let small = judge.shrink(&whole, &aim, &|gone| progress.tell(gone));
    progress.end();
    let mut subject = verdict.subject.key.to_string();
    let mut comments = vec![format!("Cut out of {}.", files_of(&small, &sources).join(", "))];
    let small = if args.anonymise {
        // The names of the files tell of the place too.
        comments = vec!["Cut out of real facts, with other names.".to_owned()];
        let (renamed, key) = shrink::rename(&judge, &small, &aim, &subject);
        subject = key;
        renamed
    } else {
        small
    };
    let outcome = verdict.outcome;
    let title = match (&args.title, outcome) {
        (Some(title), _) => one_line(title)?.to_owned(),
        (None, Outcome::Violated) => rule.title.clone(),
        (None, _) => format!("{}: {}", rule.title, outcome.name().replace('_', " ")),
    };
    let facts = small.to_json();
    let said = judge.verdicts(&small).unwrap_or_default();
    let outcomes = said.iter().map(|verdict| (verdict.subject.key.to_string(), verdict.outcome));
    let now = now.to_string();
    let default = free_name(found, &rule.id, &format!("{subject}-{}", outcome.name()));
    let case = Draft {
        rule: &rule.id,
        name: name.unwrap_or(&default),
        title: &title,
        comments,
        facts: &facts,
        now: &now,
        params: params(rule, found),
        expect: Expect::of(outcomes).unwrap_or(Expect::Each(Vec::new())),
    };
    let schemas = found.schemas()?;
    let case_file = draft::file(&case, schemas.as_deref());
    let files = found.ground().with_snapshots(vec![case_file]).map_err(failed)?;
    writeln!(streams.out, "kept {} of {all} facts", shrink::count(&small))?;
    found.write(files, args.place.dry_run, streams)?;
    done(args, found, &rule.id, case.name, streams)
}

/// The instant of the run.
fn instant(option: Option<&str>, facts: &Facts) -> Result<Instant, CliError> {
    if let Some(text) = option.filter(|text| *text != "observed") {
        return Instant::parse(text).ok_or_else(|| {
            let message = format!("`--now {text}` is not a time with an offset");
            let help = "write it like 2009-05-04T18:00:00Z, or `observed`";
            wrong(Diagnostic::error("wrong-option", message).help(help))
        });
    }
    let newest = facts.files().iter().map(|file| &file.observed_at).max_by_key(|at| at.seconds());
    newest.cloned().ok_or_else(|| wrong(Diagnostic::error("no-facts", "there is no fact file")))
}

/// The verdict that the case is to keep.
fn chosen<'v>(args: &Args, rule: &Rule, verdicts: &'v [Verdict]) -> Result<&'v Verdict, CliError> {
    let subject = args.subject.as_deref().unwrap_or_default();
    let of_it: Vec<&Verdict> =
        verdicts.iter().filter(|one| fold(&one.subject.key) == fold(subject)).collect();
    if of_it.is_empty() {
        let message = format!("`{}` says nothing of `{subject}`", rule.id);
        let problem = Diagnostic::error("unknown-subject", message);
        let keys: BTreeSet<&str> = verdicts.iter().map(|one| &*one.subject.key).collect();
        let listed: Vec<&str> =
            keys.iter().copied().filter(|key| !key.is_empty()).take(8).collect();
        let problem = problem.suggest(subject, keys.iter().copied());
        let help = if listed.is_empty() {
            "it judged nothing in these facts".to_owned()
        } else {
            format!("it judged {}{}", listed.join(", "), if keys.len() > 8 { ", ..." } else { "" })
        };
        return Err(wrong(problem.help(help)));
    }
    let outcomes: BTreeSet<&str> = of_it.iter().map(|one| one.outcome.name()).collect();
    let said = outcomes.iter().copied().collect::<Vec<_>>().join(" and ");
    let wanted = match &args.outcome {
        Some(name) => of_it.into_iter().find(|one| one.outcome.name() == name),
        // A finding is what people make a case of.
        None if outcomes.contains("violated") => {
            of_it.into_iter().find(|one| one.outcome == Outcome::Violated)
        }
        None if outcomes.len() > 1 => {
            let message = format!("`{}` is {said} for `{subject}`", rule.id);
            let help = "say which with `--outcome`";
            return Err(wrong(Diagnostic::error("wrong-option", message).help(help)));
        }
        None => of_it.into_iter().next(),
    };
    wanted.ok_or_else(|| {
        let message = format!("`{}` is {said} for `{subject}`", rule.id);
        wrong(Diagnostic::error("wrong-option", message).help("take another `--outcome`"))
    })
}

/// The parameters that the user set and that the verdict may rest on.
fn params(rule: &Rule, found: &Found) -> Vec<(String, Json)> {
    let mut params: Vec<(String, Json)> = Vec::new();
    for one in &found.config.params {
        let name = if *one.of == *rule.id {
            one.param.clone()
        } else {
            format!("{}.{}", one.of, one.param)
        };
        if *one.of == *rule.id || !rule.asks.is_empty() {
            // The last one wins, as on the command line.
            params.retain(|(known, _)| *known != name);
            params.push((name, one.value.to_json()));
        }
    }
    params
}

/// Names of the files that facts of a document were read from.
fn files_of(document: &Node, sources: &Sources) -> Vec<String> {
    fn walk(node: &Node, files: &mut BTreeSet<FileId>) {
        match &node.value {
            Value::Map(entries) => entries.iter().for_each(|entry| walk(&entry.node, files)),
            Value::List(items) => items.iter().for_each(|item| walk(item, files)),
            _ => {
                files.insert(node.place.file);
            }
        }
    }
    let mut files = BTreeSet::new();
    for entry in document.as_map().unwrap_or_default() {
        if !["schema", "observed_at", "complete", "collected"].contains(&&*entry.key) {
            walk(&entry.node, &mut files);
        }
    }
    files.iter().filter_map(|file| Some(sources.get(*file)?.name().to_owned())).collect()
}

/// A case of the smallest facts that have an object of each kind that the rule goes through.
fn empty(
    args: &Args,
    rule: &Arc<Rule>,
    name: Option<&str>,
    found: &Found,
    streams: &mut Streams<'_>,
) -> Result<u8, CliError> {
    let model = &found.packs.model;
    let mut sketch = Sketch::new(model, found.packs.facts_schema().json());
    let select = rule.root.get("select").and_then(Node::as_list).unwrap_or_default();
    for name in select.iter().filter_map(|step| step.get("of")?.as_str()) {
        if let Some(kind) = model.kind_named(name) {
            sketch.add(kind).map_err(wrong)?;
        }
    }
    let facts = sketch.document();
    let title = match &args.title {
        Some(title) => one_line(title)?,
        None => "TODO: what this case shows",
    };
    let mut case = Draft {
        rule: &rule.id,
        name: name.unwrap_or("new"),
        title,
        comments: Vec::new(),
        facts: &facts,
        now: OBSERVED,
        params: Vec::new(),
        expect: Expect::All(Outcome::Undecided),
    };
    let ground = found.ground();
    let schemas = found.schemas()?;
    let tried = ground.read(&[draft::file(&case, schemas.as_deref())]).map_err(failed)?;
    let verdicts = tried
        .cases
        .first()
        .map(|ready| trial::judge(&tried.suite, ready, &ready.set, None).evaluation.verdicts);
    let verdicts = verdicts.unwrap_or_default();
    let outcomes =
        verdicts.iter().map(|verdict| (verdict.subject.key.to_string(), verdict.outcome));
    case.expect = Expect::of(outcomes).unwrap_or(Expect::Each(Vec::new()));
    let default = free_name(found, &rule.id, verdicts.first().map_or("new", |v| v.outcome.name()));
    case.name = name.unwrap_or(&default);
    let files =
        ground.with_snapshots(vec![draft::file(&case, schemas.as_deref())]).map_err(failed)?;
    found.write(files, args.place.dry_run, streams)?;
    done(args, found, &rule.id, case.name, streams)
}

/// A name for a case that no file has.
fn free_name(found: &Found, rule: &str, wish: &str) -> String {
    let wish = new::slug(wish);
    let is_free = |name: &String| {
        let path = found.folder.join(format!("cases/{rule}/{name}.yaml"));
        !path.exists() && !path.with_extension("snap").exists()
    };
    let numbered = (2..10_000).map(|number| format!("{wish}-{number}"));
    std::iter::once(wish.clone()).chain(numbered).find(is_free).unwrap_or(wish)
}

fn done(
    args: &Args,
    found: &Found,
    rule: &str,
    name: &str,
    streams: &mut Streams<'_>,
) -> Result<u8, CliError> {
    let path = load::shown(&found.folder.join(format!("cases/{rule}/{name}.yaml")));
    let test = format!("dpmguard test{} --filter {rule}/{name}", found.option());
    let steps = [
        (format!("edit {path}"), "the facts, and what must come out"),
        (test.clone(), "judges it"),
        (format!("{test} --accept"), "takes the report as it now is; read it"),
    ];
    next(&steps, args.place.dry_run, streams)
}
