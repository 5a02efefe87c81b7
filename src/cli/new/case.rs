//! `dpmguard new case`: a case of the smallest facts, or cut out of real ones.

use std::path::PathBuf;
use std::sync::Arc;

use crate::author::new::case::{self as draft, Draft, Expect};
use crate::author::new::facts::{OBSERVED, Sketch};
use crate::author::{new, trial};
use crate::cli::new::{Found, Place, failed, next, one_line, wrong};
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::finding::Outcome;
use crate::load;
use crate::rule::Rule;
use crate::rule::pack::RuleSet;
use crate::source::Node;

/// Make a case: of the smallest facts, or cut out of real ones
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  dpmguard new case database-file-moved two-servers --pack my-rules\n  \
    dpmguard new case --from-facts facts/ --rule database-file-moved --subject DPM01/EX01/SG1\n  \
    dpmguard new case --from-facts facts/ --rule database-file-moved --subject DPM01/EX01/SG1 --anonymise moved\n\n\
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
    /// Which verdict, where the subject has several
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
    }
    let found = Found::new(&args.place)?;
    let set = found.packs.rules(&found.config.params, &found.sources);
    let set = set.map_err(|problems| CliError::Input(problems, found.sources.clone()))?;
    let Some(rule) = set.rule(id).cloned() else {
        let problem = Diagnostic::error("unknown-rule", format!("there is no rule `{id}`"));
        return Err(wrong(problem.suggest(id, set.rules.iter().map(|rule| &*rule.id))));
    };
    let _: &RuleSet = &set;
    empty(args, &rule, name.map(String::as_str), &found, streams)
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
