//! What the objects of several exports say, united into one document.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use super::convert::host;
use super::exchange::{About, CLUSTERED, Found, OBSERVED, Report};
use super::{Options, Read};
use crate::diagnostic::{Diagnostic, Place};
use crate::facts::time::Instant;
use crate::facts::value::fold;

/// Facts of a server in the order of the schema.
const ORDER: &[&str] = &[
    "fqdn",
    "product",
    "version",
    "display_version",
    "edition",
    "roles",
    "install_path",
    "os.name",
    "os.version",
    "os.service_pack",
    "os.arch",
    "hotfixes",
    "services.msexchangeis",
    "services.msexchangerepl",
    "services.vss",
    "cluster",
    "site",
    "reboot_pending",
    "last_boot_at",
];

/// Facts of a clustered mailbox server in the order of the schema.
const CLUSTERED_ORDER: &[&str] = &["fqdn", "nodes"];

/// Lists of which each export may show a part.
const UNITED: &[&str] = &["hotfixes", "nodes"];

/// Texts of which case is no part.
const CASELESS: &[&str] = &["fqdn", "site", "cluster", "install_path"];

/// All that the exports say.
#[derive(Debug, Default)]
pub(super) struct United {
    /// By folded name.
    servers: BTreeMap<String, Draft>,
    /// Folded names that are the identity of a cluster.
    clustered: BTreeSet<String>,
    /// When objects were read, as they say themselves.
    stamps: Vec<Instant>,
    /// What became of each file.
    pub(super) files: Vec<Placed>,
    problems: Vec<Diagnostic>,
}

/// What became of a file.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// Objects that became facts.
    pub(super) mapped: usize,
    /// What was taken for granted, and what was left out.
    pub(super) notes: BTreeSet<String>,
}

/// Most notes of a file; more would hide the first.
const MAX_NOTES: usize = 5;

impl Placed {
    fn note(&mut self, note: impl Into<String>) {
        if self.notes.len() < MAX_NOTES {
            self.notes.insert(note.into());
        }
    }
}

/// A server while it is being put together.
#[derive(Debug, Default)]
struct Draft {
    name: String,
    /// Whether the name is the one that Exchange gives it.
    is_official: bool,
    facts: BTreeMap<&'static str, (Json, Place)>,
}

/// Who the servers are.
struct Names {
    /// Folded names of those known to have Exchange.
    exchange: BTreeSet<String>,
    clustered: BTreeSet<String>,
    /// Who objects without a name are from, and why.
    silent: Option<(String, String)>,
}

/// Unites what was read.
///
/// # Errors
///
/// Contradictions.
pub(super) fn unite(reads: &[Read], options: &Options) -> Result<United, Vec<Diagnostic>> {
    let names = Names::new(reads, options);
    let mut united = United { clustered: names.clustered.clone(), ..United::default() };
    for read in reads {
        let mut placed = Placed::default();
        for report in &read.reports {
            if let Some(name) = names.place(report, &mut placed) {
                united.add(&name, report, &mut placed);
            }
        }
        united.files.push(placed);
    }
    if united.problems.is_empty() { Ok(united) } else { Err(united.problems) }
}

impl Names {
    fn new(reads: &[Read], options: &Options) -> Self {
        let reports = || reads.iter().flat_map(|read| &read.reports);
        let (mut exchange, mut clustered, mut all) =
            (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        for report in reports() {
            let Some(name) = &report.server else { continue };
            all.entry(fold(name)).or_insert(name);
            if report.about == About::Exchange {
                exchange.insert(fold(name));
            }
            for found in &report.found {
                if found.fact == CLUSTERED && found.value == Json::Bool(true) {
                    clustered.insert(fold(name));
                }
                if found.fact == "nodes" {
                    let nodes = found.value.as_array().into_iter().flatten();
                    exchange.extend(nodes.filter_map(Json::as_str).map(fold));
                }
            }
        }
        let given = options.server.as_deref().and_then(host);
        exchange.extend(given.map(fold));
        let only = all.values().next().filter(|_| all.len() == 1);
        let silent = match (given, only) {
            (Some(name), _) => {
                Some((name.to_owned(), format!("taken as from `{name}`, as `--server` says")))
            }
            (None, Some(name)) => Some((
                (*name).clone(),
                format!("taken as from `{name}`, the only server in these files"),
            )),
            (None, None) => None,
        };
        Self { exchange, clustered, silent }
    }

    /// The server that a report is about, if it is certain and has Exchange.
    fn place(&self, report: &Report, placed: &mut Placed) -> Option<String> {
        let name = match (&report.server, &self.silent) {
            (Some(name), _) => name.clone(),
            (None, Some((name, why))) if report.about == About::Windows => {
                placed.note(why);
                name.clone()
            }
            _ => {
                let note = "left out what does not say its server: name it with `--server`";
                placed.note(note);
                return None;
            }
        };
        if !self.exchange.contains(&fold(&name)) {
            placed.note(format!(
                "left out `{name}`: nothing says that it has Exchange (import its `Get-ExchangeServer` \
                 too, or give `--server {name}`)"
            ));
            return None;
        }
        Some(name)
    }
}

impl United {
    fn add(&mut self, name: &str, report: &Report, placed: &mut Placed) {
        let is_clustered = self.clustered.contains(&fold(name));
        if report.about == About::Windows && (report.found.is_empty() || is_clustered) {
            placed.note("left out what says nothing certain");
            return;
        }
        placed.mapped += 1;
        let draft = self.servers.entry(fold(name)).or_default();
        draft.call(name, report.about == About::Exchange);
        for found in &report.found {
            match found.fact {
                CLUSTERED => {}
                OBSERVED => self.stamps.extend(found.value.as_str().and_then(Instant::parse)),
                fact if is_clustered && !CLUSTERED_ORDER.contains(&fact) => {}
                _ => self.problems.extend(draft.take(found)),
            }
        }
    }

    /// The facts document.
    ///
    /// # Errors
    ///
    /// If nothing says when the estate was observed.
    pub(super) fn document(&self, options: &Options) -> Result<Json, Diagnostic> {
        let newest = self.stamps.iter().max_by_key(|stamp| stamp.seconds());
        let given = options.observed_at.as_deref().and_then(Instant::parse);
        let observed = given.as_ref().or(newest).ok_or_else(no_time)?;
        let older = |stamp: &&Instant| stamp.seconds() < observed.seconds();
        let oldest = self.stamps.iter().min_by_key(|stamp| stamp.seconds()).filter(older);
        let (mut servers, mut clustered, mut groups) = (Vec::new(), Vec::new(), BTreeMap::new());
        for (key, draft) in &self.servers {
            if self.clustered.contains(key) {
                clustered.push(draft.document(CLUSTERED_ORDER));
                continue;
            }
            if let Some(group) = draft.facts.get("cluster").and_then(|(group, _)| group.as_str()) {
                groups
                    .entry(fold(group))
                    .or_insert_with(|| json!({ "name": group, "topology": "dag" }));
            }
            servers.push(draft.document(ORDER));
        }
        let groups: Vec<Json> = groups.into_values().collect();
        let collections = [
            ("exchange_servers", servers),
            ("clusters", groups),
            ("clustered_mailbox_servers", clustered),
        ];
        let mut collected = Map::new();
        let mut filled = Map::new();
        for (name, objects) in collections {
            if objects.is_empty() {
                continue;
            }
            let at = oldest.map(|at| ("at".to_owned(), Json::from(&**at.text())));
            let by = ("by".to_owned(), Json::from("Export-Clixml"));
            collected.insert(name.to_owned(), at.into_iter().chain([by]).collect());
            filled.insert(name.to_owned(), Json::from(objects));
        }
        let mut document = Map::new();
        document.insert("schema".to_owned(), Json::from("dpmguard.facts/v1"));
        document.insert("observed_at".to_owned(), Json::from(&**observed.text()));
        document.insert("collected".to_owned(), Json::from(collected));
        document.extend(filled);
        Ok(Json::from(document))
    }
}

fn no_time() -> Diagnostic {
    Diagnostic::error("observed-at-missing", "nothing in the exports says when they were made")
        .help("give the time with `--observed-at`, for instance 2021-09-29T18:00:00Z")
        .help("or import the server's `Win32_OperatingSystem` too: it has the server's clock")
}

impl Draft {
    /// Exchange's spelling of a name is better than another's; of two alike the first in order.
    fn call(&mut self, name: &str, is_official: bool) {
        let better = self.name.is_empty()
            || (is_official && !self.is_official)
            || (is_official == self.is_official && *name < *self.name);
        if better {
            name.clone_into(&mut self.name);
            self.is_official = is_official;
        }
    }

    /// Takes a fact; the answer is what contradicts it.
    fn take(&mut self, found: &Found) -> Option<Diagnostic> {
        let Some((known, place)) = self.facts.get_mut(found.fact) else {
            self.facts.insert(found.fact, (found.value.clone(), found.place));
            return None;
        };
        if UNITED.contains(&found.fact) {
            *known = both(known, &found.value);
            return None;
        }
        if same(found.fact, known, &found.value) {
            // Whatever the order of the files, the same spelling stays.
            if found.value.as_str() < known.as_str() {
                (*known, *place) = (found.value.clone(), found.place);
            }
            return None;
        }
        let message = format!(
            "`{}` of `{}` has two values: `{}` and `{}`",
            found.fact,
            self.name,
            shown(known),
            shown(&found.value)
        );
        let problem = Diagnostic::error("conflicting-facts", message).at(found.place).label("here");
        Some(problem.related(*place, "and here").help("leave the older of the exports out"))
    }

    fn document(&self, order: &[&str]) -> Json {
        let mut object = Map::new();
        object.insert("name".to_owned(), Json::from(&*self.name));
        for path in order {
            let Some((value, _)) = self.facts.get(path) else { continue };
            match path.split_once('.') {
                None => {
                    object.insert((*path).to_owned(), value.clone());
                }
                Some((record, field)) => {
                    let record = object.entry(record).or_insert_with(|| Json::from(Map::new()));
                    if let Some(record) = record.as_object_mut() {
                        record.insert(field.to_owned(), value.clone());
                    }
                }
            }
        }
        Json::from(object)
    }
}

/// The members of two lists, each once and in order; case does not count.
fn both(a: &Json, b: &Json) -> Json {
    let mut members = BTreeMap::new();
    for text in [a, b].into_iter().filter_map(Json::as_array).flatten().filter_map(Json::as_str) {
        let known = members.entry(fold(text)).or_insert(text);
        *known = text.min(*known);
    }
    members.into_values().collect()
}

fn same(fact: &str, a: &Json, b: &Json) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) if CASELESS.contains(&fact) => fold(a) == fold(b),
        (Some(a), Some(b)) if fact == "last_boot_at" => {
            match (Instant::parse(a), Instant::parse(b)) {
                (Some(a), Some(b)) => a == b,
                _ => false,
            }
        }
        _ => a == b,
    }
}

fn shown(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
