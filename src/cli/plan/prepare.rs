//! What all commands about a plan begin with: its inputs are read, and it is simulated.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::check::{PackArgs, duration, load_packs, now, settings};
use crate::cli::{CliError, Progress, Streams, show};
use crate::diagnostic::Diagnostic;
use crate::facts::store::Facts;
use crate::facts::time::Instant;
use crate::finding::Severity;
use crate::gate::Threshold;
use crate::load;
use crate::plan::hazard::{self, Given, Judged};
use crate::plan::insight::{self, Insight};
use crate::plan::{Plan, file, time::Clock};
use crate::report::plan as report;
use crate::rule::pack::RuleSet;
use crate::source::{Node, Sources};

/// The facts and rules that a plan is judged with.
#[derive(Debug, clap::Args)]
pub(super) struct WithArgs {
    /// Fact files or folders of them
    #[arg(long, required = true, num_args = 1.., value_name = "FACTS")]
    pub(super) facts: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) rules: PackArgs,
    /// From which severity on a hazard fails the plan [default: that of dpmguard.yaml, else error]
    #[arg(long, value_name = "SEVERITY", value_parser = ["note", "warning", "error", "never"])]
    pub(super) fail_on: Option<String>,
    /// The instant of the run: RFC 3339, or `observed` for the newest observation in the facts
    #[arg(long, value_name = "TIME", env = "DPMGUARD_NOW")]
    pub(super) now: Option<String>,
    /// Facts may be this old when the window opens: `4h`, `90m`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) max_age: Option<i64>,
}

/// From how many steps on it takes long enough for somebody to wonder.
const WORTH_TELLING: usize = 500;

/// A plan that has been simulated, with all that it was simulated with.
pub(super) struct Prepared {
    pub(super) sources: Sources,
    pub(super) set: RuleSet,
    pub(super) facts: Arc<Facts>,
    pub(super) plan: Plan,
    /// The tree that it was read from.
    pub(super) root: Node,
    pub(super) clock: Clock,
    pub(super) judged: Judged,
    pub(super) insight: Insight,
    pub(super) max_age: Option<i64>,
    pub(super) threshold: Threshold,
    pub(super) now: Instant,
    /// What is odd about the inputs.
    pub(super) warnings: Vec<Diagnostic>,
}

impl Prepared {
    pub(super) fn given(&self) -> Given<'_> {
        Given {
            set: &self.set,
            facts: &self.facts,
            plan: &self.plan,
            clock: &self.clock,
            max_age: self.max_age,
        }
    }

    pub(super) fn input(&self) -> report::Input<'_> {
        report::Input {
            sources: &self.sources,
            set: &self.set,
            facts: &self.facts,
            plan: &self.plan,
            judged: &self.judged,
            insight: &self.insight,
            max_age: self.max_age,
            clock: &self.clock,
            threshold: self.threshold,
            now: &self.now,
            warnings: &self.warnings,
        }
    }
}

/// Reads a plan and what it is judged with, and simulates it.
///
/// # Errors
///
/// All that is wrong with the inputs.
pub(super) fn prepare(
    plan: &Path,
    with: &WithArgs,
    streams: &mut Streams<'_>,
) -> Result<Prepared, CliError> {
    prepare_as(plan, with, (None, None), streams)
}

/// As [`prepare`], with another threshold and age of facts where the options say nothing; of that age and
/// the plan's the smaller one counts.
///
/// # Errors
///
/// All that is wrong with the inputs.
pub(super) fn prepare_as(
    plan: &Path,
    with: &WithArgs,
    (fail_on, max_age): (Option<&str>, Option<i64>),
    streams: &mut Streams<'_>,
) -> Result<Prepared, CliError> {
    let mut sources = Sources::default();
    let config = settings(&with.rules, &mut sources)?;
    let packs = load_packs(&with.rules, &config, &mut sources)?;
    let set = packs.rules(&config.params, &sources);
    let mut nothing = io::empty();
    let loaded = load::facts(&with.facts, &mut nothing, &mut sources, &packs);
    let root = load::plan(plan, streams.input, &mut sources);
    let (set, loaded, root) = match (set, loaded, root) {
        (Ok(set), Ok(loaded), Ok(root)) => (set, loaded, root),
        (set, loaded, root) => {
            let found = set.err().into_iter().chain(loaded.err()).chain(root.err());
            return Err(CliError::Input(found.flatten().collect(), sources));
        }
    };
    let now = now(with.now.as_deref(), &loaded.facts)
        .map_err(|problem| CliError::one(problem, &sources))?;
    let ids = hazard::acceptable();
    let context = file::Context {
        sources: &sources,
        rules: &set,
        facts: &loaded.facts,
        now: &now,
        hazards: &ids,
    };
    let (plan, of_plan) =
        file::read(&root, context).map_err(|found| CliError::Input(found, sources.clone()))?;
    let mut warnings = loaded.warnings;
    warnings.extend(of_plan);
    show(&warnings, &sources, streams);
    let clock = Clock::new(&plan.window.zone, plan.window.start);
    let max_age = with.max_age.or(max_age.into_iter().chain(plan.max_age).min());
    let facts = loaded.facts;
    let given = Given { set: &set, facts: &facts, plan: &plan, clock: &clock, max_age };
    let total = hazard::steps_in_all(given);
    let progress = Progress::new(streams.is_watched && total > WORTH_TELLING, total, "steps");
    let mut judged = hazard::find_telling(given, &|begun| progress.tell(begun));
    progress.end();
    judged.tell_past(given, now.seconds());
    let insight = insight::look(given, &judged);
    let threshold = with.fail_on.as_deref().or(fail_on).or(config.fail_on.as_deref());
    let threshold = threshold.and_then(Threshold::named);
    let threshold = threshold.unwrap_or(Threshold::From(Severity::Error));
    Ok(Prepared {
        sources,
        set,
        facts,
        plan,
        root,
        clock,
        judged,
        insight,
        max_age,
        threshold,
        now,
        warnings,
    })
}
