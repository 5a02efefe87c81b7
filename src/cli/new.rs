//! `dpmguard new`: packs, rules and cases to start from.

mod case;

use std::path::{Path, PathBuf};

use crate::author::new::{self, Failed, Ground, NewFile, pack, rule};
use crate::cli::check::{PackArgs, settings};
use crate::cli::packs::with;
use crate::cli::{CliError, Streams};
use crate::diagnostic::Diagnostic;
use crate::load::{self, Config, Open, Packs, cases};
use crate::source::{Sources, to_compact_yaml};

/// Make a pack, a rule or a case to start from
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  dpmguard new pack my-rules\n  \
    dpmguard new rule short-retention --kind protection_group --field retention_days\n  \
    dpmguard new case short-retention nothing-collected\n  \
    dpmguard new case --from-facts facts/ --rule database-file-moved --subject DPM01/EX01/SG1\n\n\
    What is made passes `dpmguard test` at once. Nothing that exists is overwritten.")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Make a pack: a folder of rules, with an example that has its cases and their snapshots
    #[command(
        after_help = "Examples:\n  dpmguard new pack my-rules\n  dpmguard new pack my-rules --title 'Rules of our house' --no-example\n\n\
        `.schemas/` in the pack lets an editor check the files: no address on the web answers for the schemas. A dpmguard.yaml \
        that names the pack is made in the current folder if there is none and the pack lies below it."
    )]
    Pack(PackCommand),
    /// Make a rule with a case for each outcome, and their snapshots
    #[command(
        after_help = "Examples:\n  dpmguard new rule short-retention --kind protection_group --field retention_days\n  \
        dpmguard new rule full-volume --kind volume --pack my-rules --severity warning --certainty inferred\n\n\
        The rule asks for one field of the kind; where it says TODO, it is yours to write."
    )]
    Rule(RuleCommand),
    /// Make a case: of the smallest facts, or cut out of real ones
    Case(Box<case::Args>),
}

/// Make a pack: a folder of rules
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
struct PackCommand {
    /// Its folder, which is made
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Its name [default: the folder's]
    #[arg(long)]
    name: Option<String>,
    /// What it is for
    #[arg(long)]
    title: Option<String>,
    /// Make no example rule
    #[arg(long)]
    no_example: bool,
    /// Put no schemas for editors beside it
    #[arg(long)]
    no_schemas: bool,
    /// Make no dpmguard.yaml
    #[arg(long)]
    no_config: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// Make a rule with its cases
#[derive(Debug, clap::Args)]
struct RuleCommand {
    /// Its id, in kebab-case; permanent, so choose it well
    id: String,
    /// The kind of object that it judges
    #[arg(long)]
    kind: Option<String>,
    /// The field of it that the rule asks for, `name` or `record.name` [default: a simple one]
    #[arg(long)]
    field: Option<String>,
    /// What is wrong when it is violated, in a sentence without a period
    #[arg(long)]
    title: Option<String>,
    /// How bad that is [default: warning, or what the certainty allows]
    #[arg(long, value_parser = ["note", "warning", "error"])]
    severity: Option<String>,
    /// How sure it is
    #[arg(long, value_parser = ["documented", "inferred", "guess"], default_value = "inferred")]
    certainty: String,
    #[command(flatten)]
    place: Place,
}

/// Which pack gets the files, and with which others it is read.
#[derive(Debug, clap::Args)]
struct Place {
    /// The pack that gets it [default: the one in dpmguard.yaml, else this folder or its `rules`]
    #[arg(long, value_name = "DIR")]
    pack: Option<PathBuf>,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    packs: PackArgs,
}

/// Makes what was asked for.
///
/// # Errors
///
/// Names that cannot be, files that exist, broken packs.
pub fn run(args: &Args, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    match &args.command {
        Command::Pack(args) => new_pack(args, streams),
        Command::Rule(args) => new_rule(args, streams),
        Command::Case(args) => case::run(args, streams),
    }
}

fn wrong(problem: Diagnostic) -> CliError {
    CliError::one(problem, &Sources::default())
}

fn failed(failed: Failed) -> CliError {
    match failed {
        Failed::Input(problems, sources) => CliError::Input(problems, sources),
        Failed::Misfit(said) => {
            let message = format!("what was made does not fit: {said}");
            wrong(Diagnostic::error("misfit", message))
        }
    }
}

fn new_pack(args: &PackCommand, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    let folder = cases::plain(&args.folder);
    let shown = load::shown(&folder);
    let own_name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = match (&args.name, own_name) {
        (Some(name), _) => name.clone(),
        (None, Some(name)) => name,
        (None, None) => {
            let message = format!("`{shown}` does not name the folder of a pack");
            return Err(wrong(Diagnostic::error("wrong-name", message).help("give its `--name`")));
        }
    };
    new::kebab("the name of a pack", &name).map_err(wrong)?;
    if folder.join("pack.yaml").exists() {
        let message = format!("`{shown}` is a pack already");
        let help =
            format!("`dpmguard new rule my-rule --kind ... --pack {shown}` adds a rule to it");
        return Err(wrong(Diagnostic::error("file-exists", message).help(help)));
    }
    let title = args.title.clone().unwrap_or_else(|| new::words(&name));
    let wish = pack::Wish {
        name: &name,
        title: one_line(&title)?,
        folder: &shown,
        schemas: (!args.no_schemas).then_some(".schemas"),
        example: !args.no_example,
    };
    let files = pack::files(&wish);
    let ground = Ground {
        folder: &folder,
        shipped: true,
        folders: std::slice::from_ref(&folder),
        params: &[],
    };
    let mut files =
        if args.no_example { files } else { ground.with_snapshots(files).map_err(failed)? };
    if !args.no_schemas {
        files.extend(load::SCHEMAS.iter().map(|(name, text)| NewFile {
            below: format!(".schemas/{name}.schema.json"),
            text: (*text).to_owned(),
        }));
    }
    let mut all: Vec<(PathBuf, String)> =
        files.into_iter().map(|file| (folder.join(&file.below), file.text)).collect();
    let config = Path::new("dpmguard.yaml");
    let is_below = folder.is_relative() && !folder.starts_with("..");
    let is_listed = !args.no_config && is_below && !config.exists();
    if is_listed {
        let rules = serde_json::json!({ "schema": "dpmguard.config/v1", "rules": [shown] });
        let schemas = if args.no_schemas { None } else { Some(format!("{shown}/.schemas")) };
        let head = new::modeline(schemas.as_deref(), "", "config-v1");
        all.push((config.to_path_buf(), head + &to_compact_yaml(&rules)));
    }
    write(&folder, all, args.dry_run, streams)?;
    let option = if is_listed { String::new() } else { format!(" --pack {shown}") };
    let test = if is_listed { String::new() } else { format!(" {shown}") };
    let mut steps = vec![
        (format!("dpmguard test{test}"), "judges its cases"),
        (format!("dpmguard new rule my-rule --kind protection_group{option}"), "adds a rule"),
    ];
    if args.no_example {
        steps.remove(0);
    } else {
        steps.push((format!("dpmguard check FACTS --rules {shown}"), "judges facts with it"));
    }
    if !is_listed && !args.no_config && is_below {
        steps.push((
            format!("add `{shown}` to `rules` in dpmguard.yaml"),
            "every command then reads it",
        ));
    }
    next(&steps, args.dry_run, streams)
}

/// A text for one line of YAML.
fn one_line(text: &str) -> Result<&str, CliError> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        let message = "a title is one line of text";
        return Err(wrong(Diagnostic::error("wrong-option", message)));
    }
    Ok(text)
}

fn new_rule(args: &RuleCommand, streams: &mut Streams<'_>) -> Result<u8, CliError> {
    new::kebab("the id of a rule", &args.id).map_err(wrong)?;
    if args.id == "pack" {
        let message = "a rule cannot be named `pack`: `pack.yaml` says what the pack is";
        return Err(wrong(Diagnostic::error("wrong-name", message).help("choose another id")));
    }
    let severity = severity(args)?;
    let found = Found::new(&args.place)?;
    // A file of another kind in its place would be complained of as if it were the rule.
    let file = found.folder.join(format!("{}.yaml", args.id));
    load::none_exists(&[(file, Vec::new())])
        .map_err(|problems| CliError::Input(problems, Sources::default()))?;
    let (packs, sources) = (&found.packs, &found.sources);
    if packs.has(&args.id) {
        let message = format!("there is a rule, action or table `{}` already", args.id);
        let help = "a rule of the same id would stand in its place; choose another";
        return Err(CliError::one(Diagnostic::error("duplicate-id", message).help(help), sources));
    }
    let model = &packs.model;
    let names = || model.kinds().iter().map(|kind| &*kind.name);
    let kinds = || format!("kinds: {}", names().collect::<Vec<_>>().join(", "));
    let Some(name) = &args.kind else {
        let message = "what does the rule judge? `--kind` is missing";
        return Err(wrong(Diagnostic::error("wrong-option", message).help(kinds())));
    };
    let Some(kind) = model.kind_named(name) else {
        let problem = Diagnostic::error("unknown-kind", format!("there is no kind `{name}`"));
        return Err(wrong(problem.suggest(name, names()).help(kinds())));
    };
    let title = args.title.as_deref().map(one_line).transpose()?;
    let schemas = found.schemas()?;
    let wish = rule::Wish {
        id: &args.id,
        title,
        severity: &severity,
        certainty: &args.certainty,
        schemas: schemas.as_deref(),
    };
    // A field for which no case can be made to fit makes room for the next; the key is always there.
    let facets: Vec<Option<rule::Facet>> = match &args.field {
        Some(name) => vec![Some(rule::named(kind, name).map_err(wrong)?)],
        None => rule::facets(kind).into_iter().map(Some).chain([None]).collect(),
    };
    let ground = found.ground();
    let mut last = None;
    for facet in &facets {
        let files = rule::scaffold(&wish, kind, facet.as_ref(), model, packs.facts_schema());
        let Some(files) = files.map_err(wrong)? else { continue };
        match ground.with_snapshots(files) {
            Ok(files) => {
                found.write(files, args.place.dry_run, streams)?;
                let id = &args.id;
                let test = found.option();
                let path = load::shown(&found.folder.join(format!("{id}.yaml")));
                return next(
                    &[
                        (format!("edit {path}"), "the condition, and what says TODO"),
                        (format!("dpmguard test{test} --filter {id}/"), "judges its cases"),
                        (
                            format!("dpmguard rules show {id}{}", found.rules_option()),
                            "shows it as others read it",
                        ),
                    ],
                    args.place.dry_run,
                    streams,
                );
            }
            Err(Failed::Misfit(said)) => last = Some(said),
            Err(other) => return Err(failed(other)),
        }
    }
    let message = last.unwrap_or_else(|| {
        "no two values of it could be made up that the schema of the facts allows".to_owned()
    });
    Err(wrong(Diagnostic::error("misfit", message).help("choose another `--field`")))
}

/// The severity that was asked for, or the highest up to a warning that the certainty allows.
fn severity(args: &RuleCommand) -> Result<String, CliError> {
    let most = match args.certainty.as_str() {
        "documented" => "error",
        "inferred" => "warning",
        _ => "note",
    };
    let Some(severity) = &args.severity else {
        return Ok(if most == "note" { "note" } else { "warning" }.to_owned());
    };
    let rank = |name: &str| ["note", "warning", "error"].iter().position(|known| *known == name);
    if rank(severity) > rank(most) {
        let certainty = &args.certainty;
        let message =
            format!("a rule that is `{certainty}` may be a `{most}` at most, not `{severity}`");
        let help = "say `--certainty documented` if a document says so";
        return Err(wrong(Diagnostic::error("wrong-option", message).help(help)));
    }
    Ok(severity.clone())
}

/// The pack that gets files, and the packs of the run.
struct Found {
    folder: PathBuf,
    folders: Vec<PathBuf>,
    config: Config,
    shipped: bool,
    /// Whether commands find the pack without being told.
    needs_no_name: bool,
    packs: Packs,
    sources: Sources,
}

impl Found {
    fn new(place: &Place) -> Result<Self, CliError> {
        let mut sources = Sources::default();
        let config = settings(&place.packs, &mut sources)?;
        let is_pack = |folder: &PathBuf| {
            ["pack.yaml", "pack.yml"].iter().any(|name| folder.join(name).is_file())
        };
        let needs_no_name = place.pack.is_none();
        let folder = match (&place.pack, config.rules.as_slice()) {
            (Some(folder), _) => cases::plain(folder),
            (None, [one]) => one.clone(),
            (None, []) => {
                let here = [".", "rules"].map(PathBuf::from).into_iter().find(is_pack);
                here.ok_or_else(|| {
                    let message =
                        "there is no pack here: no `pack.yaml` in this folder or in `rules`";
                    let help =
                        "make one with `dpmguard new pack my-rules`, or name one with `--pack`";
                    wrong(Diagnostic::error("no-pack", message).help(help))
                })?
            }
            (None, several) => {
                let names: Vec<String> = several.iter().map(|folder| load::shown(folder)).collect();
                let message = format!("which pack gets it? there are {}", names.join(", "));
                return Err(wrong(
                    Diagnostic::error("no-pack", message).help("name one with `--pack`"),
                ));
            }
        };
        if !folder.is_dir() {
            let message = format!("there is no pack `{}`", load::shown(&folder));
            let help = format!("make it with `dpmguard new pack {}`", load::shown(&folder));
            return Err(wrong(Diagnostic::error("no-pack", message).help(help)));
        }
        let folders = with(&config, &place.packs, std::slice::from_ref(&folder));
        let shipped = !place.packs.no_shipped_rules && config.shipped_rules.unwrap_or(true);
        let packs = load::packs_open(shipped, &folders, &Open::default(), &mut sources);
        let packs = packs.map_err(|found| CliError::Input(found, sources.clone()))?;
        Ok(Self { folder, folders, config, shipped, needs_no_name, packs, sources })
    }

    fn ground(&self) -> Ground<'_> {
        Ground {
            folder: &self.folder,
            shipped: self.shipped,
            folders: &self.folders,
            params: &self.config.params,
        }
    }

    fn schemas(&self) -> Result<Option<String>, CliError> {
        let text = cases::optional_text(&self.folder.join("pack.yaml")).map_err(wrong)?;
        Ok(text.as_deref().and_then(new::schemas_of).map(str::to_owned))
    }

    /// How a command is told of the pack, where it must be.
    fn option(&self) -> String {
        if self.needs_no_name { String::new() } else { format!(" {}", load::shown(&self.folder)) }
    }

    fn rules_option(&self) -> String {
        let is_listed =
            self.config.rules.iter().any(|one| cases::plain(one) == cases::plain(&self.folder));
        if is_listed { String::new() } else { format!(" --rules {}", load::shown(&self.folder)) }
    }

    fn write(
        &self,
        files: Vec<NewFile>,
        dry_run: bool,
        streams: &mut Streams<'_>,
    ) -> Result<(), CliError> {
        let files = files.into_iter().map(|file| (self.folder.join(&file.below), file.text));
        write(&self.folder, files.collect(), dry_run, streams)
    }
}

/// Writes new files of a pack, all or none, and says which; or prints them.
fn write(
    folder: &Path,
    files: Vec<(PathBuf, String)>,
    dry_run: bool,
    streams: &mut Streams<'_>,
) -> Result<(), CliError> {
    if dry_run {
        for (path, text) in &files {
            writeln!(streams.out, "would write {}", load::shown(path))?;
            // The schemas are the program's own, and long.
            if path.extension().is_none_or(|ending| ending != "json") {
                for line in text.lines() {
                    writeln!(streams.out, "  {}", crate::report::diagnostic::clean(line))?;
                }
            }
        }
        let bytes: Vec<(PathBuf, Vec<u8>)> =
            files.into_iter().map(|(path, _)| (path, Vec::new())).collect();
        return load::none_exists(&bytes)
            .map_err(|found| CliError::Input(found, Sources::default()));
    }
    let files: Vec<(PathBuf, Vec<u8>)> =
        files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    load::create_below(folder, &files)
        .map_err(|found| CliError::Input(found, Sources::default()))?;
    let mut schemas = 0;
    for (path, _) in &files {
        if path.extension().is_some_and(|ending| ending == "json") {
            schemas += 1;
        } else {
            writeln!(streams.out, "wrote {}", load::shown(path))?;
        }
    }
    if let Some((path, _)) =
        files.iter().find(|(path, _)| path.extension().is_some_and(|e| e == "json"))
    {
        let folder = path.parent().map(load::shown).unwrap_or_default();
        writeln!(streams.out, "wrote {folder}/ ({schemas} schemas, for editors)")?;
    }
    Ok(())
}

/// Says what to do next.
fn next(
    steps: &[(String, &str)],
    dry_run: bool,
    streams: &mut Streams<'_>,
) -> Result<u8, CliError> {
    if dry_run {
        return Ok(0);
    }
    writeln!(streams.out, "\nNext:")?;
    let width = steps.iter().map(|(step, _)| step.chars().count()).max().unwrap_or(0);
    for (step, what) in steps {
        writeln!(streams.out, "  {step:<width$}  {what}")?;
    }
    Ok(0)
}
