//! Plans changed in their own text: what stays is kept to the byte, and what is read back is what was asked for.

mod generated;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dpmguard::facts::store::Facts;
use dpmguard::facts::time::Instant;
use dpmguard::load::{self, Packs};
use dpmguard::plan::Plan;
use dpmguard::plan::file::{self, Context};
use dpmguard::plan::hazard::KINDS;
use dpmguard::plan::repair::edit::{EditError, Entry, Timing, rewrite};
use dpmguard::report::diff::unified;
use dpmguard::rule::pack::RuleSet;
use dpmguard::source::{Node, Sources};
use serde_json::json;

use crate::support::{root, said};

/// What plans are read with.
struct Desk {
    sources: Sources,
    rules: Arc<RuleSet>,
    facts: Arc<Facts>,
    now: Instant,
}

/// A plan with its text.
struct Written {
    text: String,
    root: Node,
    plan: Plan,
}

/// Rules, and what they were read from.
struct Shelf {
    sources: Sources,
    packs: Packs,
    rules: Arc<RuleSet>,
}

impl Shelf {
    fn new(is_shipped: bool, packs: &[PathBuf]) -> Self {
        let mut sources = Sources::default();
        let packs = load::packs(is_shipped, packs, &mut sources).unwrap();
        let rules = packs.rules(&[], &sources);
        let rules = rules.unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
        Self { sources, packs, rules: Arc::new(rules) }
    }

    fn desk(&self, facts: PathBuf) -> Desk {
        let mut sources = self.sources.clone();
        let read = load::facts(&[facts], &mut &b""[..], &mut sources, &self.packs);
        let read = read.unwrap_or_else(|found| panic!("{}", said(&found, &sources)));
        let now = Instant::parse("2008-11-15T18:12:00Z").unwrap();
        Desk { sources, rules: self.rules.clone(), facts: read.facts, now }
    }
}

impl Desk {
    /// The small pack of `tests/plans`.
    fn small() -> Self {
        let folder = root().join("tests/plans");
        Shelf::new(false, &[folder.join("pack")]).desk(folder.join("facts.yaml"))
    }

    fn read(&self, text: &str) -> Result<Written, String> {
        let mut sources = self.sources.clone();
        let root = load::plan(Path::new("-"), &mut text.as_bytes(), &mut sources);
        let root = root.map_err(|found| said(&found, &sources))?;
        let Self { rules, facts, now, .. } = self;
        let hazards: Vec<&str> = KINDS.iter().map(|kind| kind.id).collect();
        let context = Context { sources: &sources, rules, facts, now, hazards: &hazards };
        let read = file::read(&root, context).map_err(|found| said(&found, &sources));
        let (plan, _) = read?;
        let file = sources.iter().last().unwrap().1;
        Ok(Written { text: file.text().to_owned(), root, plan })
    }

    fn good(&self, text: &str) -> Written {
        self.read(text).unwrap_or_else(|found| panic!("{found}\n{text}"))
    }
}

impl Written {
    fn rewrite(&self, entries: &[Entry]) -> Result<String, EditError> {
        rewrite(&self.text, &self.root, &self.plan, entries)
    }

    fn ids(&self) -> Vec<&str> {
        self.plan.written().iter().map(|step| &*step.id).collect()
    }

    /// Entries in short: `a` is kept, `a<b,c@23:00` waits for others and for a time, `+n` is new.
    fn entries(&self, short: &str) -> Vec<Entry> {
        let entry = |word: &str| {
            let (word, at) =
                word.split_once('@').map_or((word, None), |(word, at)| (word, Some(at)));
            let (id, after) =
                word.split_once('<').map_or((word, None), |(id, after)| (id, Some(after)));
            let names = after.unwrap_or_default().split(',').filter(|name| !name.is_empty());
            let not_before = at.filter(|at| !at.is_empty());
            let timing = Timing {
                after: names.map(str::to_owned).collect(),
                not_before: not_before.map(|at| format!("2008-11-15T{at}[Europe/Berlin]")),
            };
            if let Some(id) = id.strip_prefix('+') {
                return Entry::New {
                    id: id.to_owned(),
                    action: "check-source".to_owned(),
                    with: vec![("source".to_owned(), json!("DPM01/EX01/SG1"))],
                    timing,
                    note: Some(format!("new: {id}")),
                };
            }
            let step = self.ids().iter().position(|known| *known == id);
            let timing = (after.is_some() || at.is_some()).then_some(timing);
            Entry::Kept { step: step.unwrap_or_else(|| panic!("no step {id}")), timing }
        };
        short.split_whitespace().map(entry).collect()
    }
}

/// A plan of these steps.
fn plan_of(steps: &str) -> String {
    format!(
        "# A plan.\nschema: dpmguard.plan/v1\nid: CHG1\ntitle: Käse\nwindow:\n  \
        start: \"2008-11-15T22:00[Europe/Berlin]\"\n  end: \"2008-11-16T04:30[Europe/Berlin]\"\n\
        {steps}# The end.\ngoal: {{ end_consistent: all }}\n"
    )
}

/// A change of a list of steps, as a difference.
fn changed(steps: &str, short: &str) -> String {
    let desk = Desk::small();
    let old = desk.good(&plan_of(steps));
    let identity: Vec<Entry> =
        (0..old.ids().len()).map(|step| Entry::Kept { step, timing: None }).collect();
    assert_eq!(old.rewrite(&identity).unwrap(), old.text);
    let entries = old.entries(short);
    let new = old.rewrite(&entries).unwrap();
    desk.good(&new.replace("window:", "order: partial\nwindow:"));
    unified("plan.yaml", &old.text, &new)
}

fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("tests/plans/edited"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

const FLOW: &str = r"steps:
  # All of it.

  # About a.
  - { id: a, action: move-logs, with: { group: EX01/SG1, to: 'L:\SG1' }, estimate: 10m } # the first
  - { id: b, action: check-source, with: { source: DPM01/EX01/SG1 }, after: [a] }

  # About c, in two
  # lines.
  - { id: c, action: move-logs, with: { group: EX01/First Storage Group, to: 'L:\SG2' },
      after: [a], not_before: '2008-11-15T23:00[Europe/Berlin]' }   # c
  - { id: d, action: check-source, with: { source: DPM01/EX01/First Storage Group } }
";

const BLOCK: &str = r#"steps:
- id: a
  action: move-logs
  with:
    group: EX01/SG1
    to: |-
      L:\SG1
  # goes on about a

- id: b # b
  action: check-source
  after:   # why
    - a
  with: { source: DPM01/EX01/SG1 }
  accept:
    - { hazard: plan-hits-all, reason: It must be., by: j.doe, until: 2008-12-01 }

-
  # About the first key.
  not_before: "2008-11-15T23:00[Europe/Berlin]"
  id: c
  action: check-source
  with: { source: DPM01/EX01/First Storage Group } # tail

# Not about any step.

"#;

const EACH: &str = r#"steps:
  - { id: a, action: check-source, with: { source: DPM01/EX01/SG1 } }
  # For all groups.
  - for_each: g
    in: storage_groups.filter(|g| g.server.name == "EX01")
    id: move-${g.name}
    action: move-logs
    with: { group: '${g.key}', to: 'M:\${g.name}' }
    estimate: { expected: 30m, worst: 1h }
    after: [a]
  - { id: z, action: check-source, with: { source: DPM01/EX01/SG1 } }
"#;

const PARALLEL: &str = r"steps:
  - { id: a, action: move-logs, with: { group: EX01/SG1, to: 'L:\SG1' } }
  # Both at once.
  - parallel:
      # About c1.
      - { id: c1, action: check-source, with: { source: DPM01/EX01/SG1 } } # one

      - id: c2
        action: check-source
        with:
          source: DPM01/EX01/First Storage Group
  - { id: z, action: move-logs, with: { group: EX01/SG1, to: 'L:\SG1' } }
";

/// What is rare: a `for_each` in braces and in a block, one of nothing, lists in brackets within, odd keys.
const RARE: &str = r#"steps:
    - { for_each: g, in: 'storage_groups.filter(|g| g.server.name == "EX01")', id: '${g.name}-a', # all
        action: move-logs, with: { group: '${g.key}', to: 'M:\${g.name}' }, after: [] }   # of EX01

    # --- two ---

    # Together.
    - parallel: [ { id: p1, action: check-source, with: { source: DPM01/EX01/SG1 } }, { id: p2,
        action: check-source, with: { source: DPM01/EX01/SG1 }, after: [ p1 ] } ]
    - for_each: nothing
      in: storage_groups.filter(|g| g.server.name == "EX09")
      id: none-${nothing.name}
      action: move-logs
      with: { group: '${nothing.key}', to: 'M:\' }
    # Also together.
    - parallel: # these

        # The members:

        # Each.
        - for_each: g
          in: |
            storage_groups.filter(|g|
              g.server.name == "EX01")
          id: ${g.name}-b
          after:
          - ${g.name}-a
          action: move-logs
          with:
            group: >-
              ${g.key}
            to: 'M:\${g.name}'
        # q	with a tab
        - after: [p1, p2]
          not_before: 2008-11-15T23:00[Europe/Berlin]
          id: q
          action: check-source   # what
          with: { source: DPM01/EX01/SG1 } # ü
"#;

const ROWS: &str = r"steps: [ # in brackets
  # About a.
  { id: a, action: move-logs, with: { group: EX01/SG1, to: 'L:\SG1' } }, # a

  { id: b, action: check-source, with: { source: DPM01/EX01/SG1 }, after: [a] },
  { id: c, action: check-source, with: { source: DPM01/EX01/First Storage Group } } # c
]
";

const INLINE: &str = r"steps: [{ id: a, action: check-source, with: { source: DPM01/EX01/SG1 } },
        { id: b, action: check-source, with: { source: DPM01/EX01/SG1 }, after: [a] }, { id: c, action: check-source, with: { source: DPM01/EX01/SG1 } }]
";

#[test]
fn steps_in_braces_move_with_their_comments() {
    let shapes = [
        ("flow-moved", "c b a d"),
        ("flow-deleted", "b< c<b"),
        ("flow-timed", "a<@22:30 b< c<b d<a,c@23:30"),
        ("flow-inserted", "+n a b +m<b@22:10 c< d +o"),
        ("flow-emptied", ""),
    ];
    for (name, short) in shapes {
        snapshot(name, &changed(FLOW, short));
    }
}

#[test]
fn steps_in_blocks_move_with_their_lines() {
    let shapes = [
        ("block-moved", "b< c a"),
        ("block-timed", "a@22:30 b<c c<a"),
        ("block-inserted", "a +n<a b c +m"),
        ("block-untimed", "c<b@ b<"),
    ];
    for (name, short) in shapes {
        snapshot(name, &changed(BLOCK, short));
    }
}

#[test]
fn steps_of_for_each_are_written_out_where_they_part() {
    let group = "move-First Storage Group";
    let desk = Desk::small();
    let old = desk.good(&plan_of(EACH));
    assert_eq!(old.ids(), ["a", group, "move-SG1", "z"]);
    let kept = |step| Entry::Kept { step, timing: None };
    for (name, entries) in [
        ("each-moved", vec![kept(1), kept(2), kept(0)]),
        ("each-parted", vec![kept(2), kept(0), kept(1)]),
        ("each-cut", vec![kept(0), kept(2), kept(3)]),
    ] {
        let new = old.rewrite(&entries).unwrap();
        desk.good(&new.replace("window:", "order: partial\nwindow:"));
        snapshot(name, &unified("plan.yaml", &old.text, &new));
    }
    let timing = Some(Timing { after: Vec::new(), not_before: None });
    let entries = [kept(0), Entry::Kept { step: 1, timing }, kept(2), kept(3)];
    snapshot("each-timed", &unified("plan.yaml", &old.text, &old.rewrite(&entries).unwrap()));
}

#[test]
fn a_parallel_block_is_taken_apart_where_its_steps_part() {
    let shapes = [
        ("parallel-moved", "c1 c2 a z"),
        ("parallel-parted", "a c2 z c1"),
        ("parallel-cut", "a c2 z"),
        ("parallel-timed", "a c1<a c2 +n z"),
    ];
    for (name, short) in shapes {
        snapshot(name, &changed(PARALLEL, short));
    }
}

#[test]
fn lists_in_brackets_stay_in_brackets() {
    let shapes = [
        ("rows", ROWS, "c a +n b<c"),
        ("rows-cut", ROWS, "a b"),
        ("inline", INLINE, "c +n b<c a@23:00"),
    ];
    for (name, steps, short) in shapes {
        snapshot(name, &changed(steps, short));
    }
}

#[test]
fn what_is_rare_is_kept_as_well() {
    let desk = Desk::small();
    let old = desk.good(&plan_of(RARE));
    let group = "First Storage Group";
    let ids = [&*format!("{group}-a"), "SG1-a", "p1", "p2", &format!("{group}-b"), "SG1-b", "q"];
    assert_eq!(old.ids(), ids);
    let kept = |step| Entry::Kept { step, timing: None };
    let timed = |step, after: &[&str]| {
        let after = after.iter().map(|name| (*name).to_owned()).collect();
        Entry::Kept { step, timing: Some(Timing { after, not_before: None }) }
    };
    for (name, entries) in [
        ("rare-blocks", vec![kept(4), kept(5), kept(6), kept(2), kept(3), kept(0), kept(1)]),
        ("rare-members", vec![kept(1), kept(3), kept(6), kept(0), kept(2), kept(4), kept(5)]),
        (
            "rare-timed",
            vec![timed(1, &["p2"]), timed(3, &[]), timed(6, &["p2"]), timed(5, &["q", "p2"])],
        ),
    ] {
        let new = old.rewrite(&entries).unwrap();
        let wanted: Vec<&str> = entries
            .iter()
            .map(|entry| match entry {
                Entry::Kept { step, .. } => ids[*step],
                Entry::New { .. } => "",
            })
            .collect();
        if name != "rare-timed" {
            assert_eq!(desk.good(&new.replace("window:", "order: partial\nwindow:")).ids(), wanted);
        }
        snapshot(name, &unified("plan.yaml", &old.text, &new));
    }
}

#[test]
fn a_list_that_is_empty_is_filled() {
    snapshot("empty", &changed("steps: [ ] # none as yet\n", "+n +m<n"));
    snapshot(
        "emptied",
        &changed(
            "steps: # some\n- { id: a, action: check-source, with: { source: DPM01/EX01/SG1 } }\n",
            "",
        ),
    );
}

#[test]
fn json_stays_json() {
    let steps = plan_of(&FLOW.replace("# c", ""));
    let desk = Desk::small();
    let json = desk.good(&steps).root.to_json();
    let texts = [
        ("json-wide", serde_json::to_string_pretty(&json).unwrap() + "\n"),
        ("json-tight", json.to_string()),
    ];
    for (name, text) in texts {
        let old = desk.good(&text);
        let new = old.rewrite(&old.entries("d +n<d@22:30 a@23:00 c<")).unwrap();
        serde_json::from_str::<serde_json::Value>(&new).unwrap();
        snapshot(name, &unified("plan.json", &old.text, &new));
    }
}

#[test]
fn line_breaks_stay_as_they_are() {
    let desk = Desk::small();
    for steps in [FLOW, BLOCK, PARALLEL, EACH, ROWS, RARE] {
        for end in ["", "\n"] {
            let text =
                plan_of("").replace("goal: { end_consistent: all }\n", "") + steps.trim_end() + end;
            let old = desk.good(&text);
            let crlf = desk.good(&text.replace('\n', "\r\n"));
            let mut entries: Vec<Entry> = (0..old.ids().len())
                .rev()
                .map(|step| Entry::Kept { step, timing: Some(Timing::default()) })
                .collect();
            entries.insert(1, old.entries("+n@23:00").remove(0));
            let new = old.rewrite(&entries).unwrap();
            assert_eq!(crlf.rewrite(&entries).unwrap(), new.replace('\n', "\r\n"));
            assert_eq!(new.ends_with('\n'), end == "\n", "{new}");
            desk.good(&new);
        }
    }
}

#[test]
fn what_cannot_be_done_is_said() {
    let desk = Desk::small();
    let old = desk.good(&plan_of(FLOW));
    let kept = |step| Entry::Kept { step, timing: None };
    assert_eq!(old.rewrite(&[kept(4)]), Err(EditError::Unknown(4)));
    assert_eq!(old.rewrite(&[kept(1), kept(0), kept(1)]), Err(EditError::Twice(1)));
    let other = desk.good(&plan_of(BLOCK));
    let entries = [kept(0)];
    assert_eq!(rewrite(&old.text, &old.root, &other.plan, &entries), Err(EditError::Foreign));
    let commented = INLINE.replacen(" {", " # c\n {", 2);
    let commented = desk.good(&plan_of(&commented));
    let refused = commented.rewrite(&[kept(1), kept(0)]).unwrap_err();
    insta::assert_snapshot!(refused, @"the list of steps cannot be changed: there are comments between items that do not stand on lines of their own");
    // A text that is not the plan's comes to light when the result is read.
    let other = old.text.replace("Käse", "Käsi");
    assert_eq!(rewrite(&other, &old.root, &old.plan, &[kept(1)]), Err(EditError::Differs));
}

/// The plans that are shipped, with the facts that they are about.
fn shipped() -> Vec<(Desk, Vec<String>)> {
    let shelf = Shelf::new(true, &[]);
    let mut all = Vec::new();
    let mut folders: Vec<PathBuf> =
        fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    for folder in folders {
        let names = ["plan.yaml", "plan-fixed.yaml"].map(|name| folder.join(name));
        let texts: Vec<String> =
            names.iter().filter_map(|path| fs::read_to_string(path).ok()).collect();
        if !texts.is_empty() {
            all.push((shelf.desk(folder.join("facts.yaml")), texts));
        }
    }
    let page = fs::read_to_string(root().join("docs/plans.md")).unwrap();
    let whole = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap().to_owned();
    all.push((shelf.desk(root().join("examples/contoso")), vec![whole]));
    let small = [FLOW, BLOCK, EACH, PARALLEL, ROWS, INLINE, RARE].map(plan_of);
    all.push((Desk::small(), small.to_vec()));
    all
}
