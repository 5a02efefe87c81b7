//! `dpmguard new`: what it makes passes `dpmguard test` at once, and nothing is overwritten.

use std::fs;
use std::path::Path;

use dpmguard::author::new::{Ground, NewFile, rule};
use dpmguard::load;
use dpmguard::source::Sources;

use crate::support::{Ran, files, run};

/// Kinds of another product: a key that is a number, one made of a reference, one with nothing else.
const TAPES: &str = r##"schema: dpmguard.model/v1
title: Tape libraries
properties:
  tape_libraries: { type: array, items: { $ref: "#/$defs/tape_library" }, title: Tape libraries, description: Robots. }
  tape_drives: { type: array, items: { $ref: "#/$defs/tape_drive" }, title: Tape drives, description: Drives. }
  slots: { type: array, items: { $ref: "#/$defs/slot" }, title: Slots, description: Slots. }
  media: { type: array, items: { $ref: "#/$defs/medium" }, title: Media, description: Tapes. }
$defs:
  tape_library:
    x-kind: tape_library
    x-key: [name]
    title: Tape library
    description: A robot.
    type: object
    additionalProperties: false
    required: [name, owner]
    properties:
      name: { type: string, format: name, description: Its name. }
      owner: { type: string, description: Whose it is. }
      cleaned_at: { type: [string, "null"], format: date-time, description: When it was cleaned. }
  tape_drive:
    x-kind: tape_drive
    x-key: [library, number]
    title: Tape drive
    description: A drive.
    type: object
    additionalProperties: false
    required: [library, number]
    properties:
      library: { type: string, format: name, x-ref: tape_library, x-inverse: drives, description: Its library. }
      number: { type: integer, minimum: 100, examples: [100], description: Its number. }
      firmware: { type: string, format: version, description: Its firmware. }
      hours: { type: integer, minimum: 3, maximum: 12, x-unit: hours, description: Hours of use. }
  slot:
    x-kind: slot
    x-key: [library, position]
    title: Slot
    description: A slot.
    type: object
    additionalProperties: false
    required: [library, position]
    properties:
      library: { type: string, format: name, x-ref: tape_library, x-inverse: slots, description: Its library. }
      position: { type: integer, description: Where. }
  medium:
    x-kind: medium
    x-key: [label]
    title: Medium
    description: A tape.
    type: object
    additionalProperties: false
    required: [label]
    properties:
      label: { type: string, format: name, description: Its label. }
      media: { type: string, enum: [lto], description: Only one is allowed. }
"##;

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A pack in a folder of its own.
fn pack(options: &[&str]) -> (tempfile::TempDir, String, Ran) {
    let folder = tempfile::tempdir().unwrap();
    let path = shown(&folder.path().join("my-rules"));
    let ran = run(&[&["new", "pack", &path][..], options].concat());
    (folder, path, ran)
}

fn passes(pack: &str) -> String {
    let ran = run(&["test", pack, "--unreferenced", "reject"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    ran.out
}

#[test]
fn a_new_pack_passes_at_once_and_is_not_made_twice() {
    let (folder, path, ran) = pack(&["--title", "Rules: of \"our\" house"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(passes(&path).contains("5 cases of 1 rule"));
    let shown = run(&["rules", "show", "example-short-retention", "--rules", &path]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    // An editor finds the schemas: each file's first line leads to one that is there.
    let mut led = 0;
    for file in files(Path::new(&path), "yaml") {
        let text = fs::read_to_string(&file).unwrap();
        let schema = text.lines().next().unwrap().split("$schema=").nth(1).unwrap().to_owned();
        assert!(file.parent().unwrap().join(&schema).is_file(), "{}: {schema}", file.display());
        led += 1;
    }
    assert_eq!(led, 9);
    let schema = format!("{path}/.schemas/rule-v1.schema.json");
    fs::write(&schema, "{}").unwrap();
    assert_eq!(run(&["schema", "--all", &format!("{path}/.schemas")]).code, 0);
    assert_eq!(fs::read_to_string(&schema).unwrap(), run(&["schema", "rule-v1"]).out);
    // A folder that does not lie below the current one gets no dpmguard.yaml beside it.
    assert!(!folder.path().join("dpmguard.yaml").exists());
    let before = files(folder.path(), "yaml");
    let again = run(&["new", "pack", &path]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is a pack already"), "{}", again.err);
    assert_eq!(files(folder.path(), "yaml"), before);
}

#[test]
fn a_pack_without_an_example_takes_rules() {
    let (_folder, path, ran) = pack(&["--no-example", "--no-schemas", "--name", "house"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(fs::read_to_string(format!("{path}/pack.yaml")).unwrap().contains("name: house\n"));
    let ran = run(&["new", "rule", "mine", "--kind", "database", "--pack", &path]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(passes(&path).contains("4 cases of 1 rule"));
    // Where the pack names no schemas, its new files name none.
    assert!(fs::read_to_string(format!("{path}/mine.yaml")).unwrap().starts_with("schema: "));
}

#[test]
fn a_rule_of_every_kind_passes_at_once() {
    let (_folder, path, _) = pack(&["--no-example"]);
    fs::write(format!("{path}/tapes.yaml"), TAPES).unwrap();
    // The schemas for editors can know the pack's own kinds.
    let folder = format!("{path}/.schemas");
    assert_eq!(run(&["schema", "--all", &folder, "--rules", &path]).code, 0);
    let schema = fs::read_to_string(format!("{folder}/facts-v1.schema.json")).unwrap();
    assert_eq!(schema, run(&["schema", "facts-v1", "--rules", &path]).out);
    assert!(schema.contains("tape_libraries"));
    assert_eq!(run(&["schema", "--rules", &path]).code, 2);
    let mut sources = Sources::default();
    let packs = load::packs(true, &[path.clone().into()], &mut sources).unwrap();
    let kinds: Vec<String> = packs.model.kinds().iter().map(|kind| kind.name.to_string()).collect();
    assert_eq!(kinds.len(), 21);
    for kind in &kinds {
        let id = format!("of-{}", kind.replace('_', "-"));
        let ran = run(&["new", "rule", &id, "--kind", kind, "--pack", &path, "--no-shipped-rules"]);
        assert_eq!(ran.code, 0, "{kind}: {}{}", ran.out, ran.err);
    }
    assert!(passes(&path).contains("21 rules"));
    // Nothing is doubtful about them but what is left to the author.
    let ran = run(&["lint", &path, "--no-shipped-rules"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    let ran = run(&["lint", &path, "--no-shipped-rules", "--no-cases", "--only", "left-to-do"]);
    assert_eq!(ran.out.matches("note[left-to-do]").count(), 4 * 21, "{}{}", ran.out, ran.err);
    let drive = fs::read_to_string(format!("{path}/of-tape-drive.yaml")).unwrap();
    assert!(drive.contains("violated: tape_drive.hours > params.most"), "{drive}");
    // Nothing but a key, and a field of one value only: the key is what can be asked for.
    for kind in ["slot", "medium"] {
        let rule = fs::read_to_string(format!("{path}/of-{kind}.yaml")).unwrap();
        assert!(rule.contains(".key != params.expected"), "{rule}");
    }
}

/// Each field by itself, all in one pack: what is asked of it fits its type and the schema's limits.
#[test]
fn a_rule_about_every_field_passes_at_once() {
    let (_folder, path, _) = pack(&["--no-example"]);
    let folders = [path.clone().into()];
    let mut sources = Sources::default();
    let packs = load::packs(false, &folders, &mut sources).unwrap();
    let (mut all, mut fields): (Vec<NewFile>, usize) = (Vec::new(), 0);
    for kind in packs.model.kinds() {
        for facet in rule::facets(kind) {
            let id = format!("{}-{}", kind.name, facet.name()).replace(['_', '.'], "-");
            let wish = rule::Wish {
                id: &id,
                title: None,
                severity: "note",
                certainty: "guess",
                schemas: None,
            };
            let made =
                rule::scaffold(&wish, kind, Some(&facet), &packs.model, packs.facts_schema())
                    .unwrap();
            let made = made.unwrap_or_else(|| panic!("{id}: no two values"));
            // What may be null has a case for that.
            assert!([5, 6].contains(&made.len()), "{id}");
            all.extend(made);
            fields += 1;
        }
    }
    assert!(fields > 150, "{fields}");
    let ground =
        Ground { folder: Path::new(&path), shipped: false, folders: &folders, params: &[] };
    let done = ground.with_snapshots(all).unwrap();
    assert!(done.len() > fields * 9, "{} files", done.len());
}

#[test]
fn what_cannot_be_a_rule_is_refused_with_what_would_be() {
    let (_folder, path, _) = pack(&[]);
    let before = files(Path::new(&path), "yaml").len();
    for (args, says) in [
        (&["My Rule", "--kind", "database"][..], "for instance `my-rule`"),
        (&["../a", "--kind", "database"], "`../a` cannot be the id of a rule"),
        (&["a"], "kinds: dpm_server, protection_group,"),
        (&["a", "--kind", "databse"], "did you mean `database`?"),
        (
            &["a", "--kind", "database", "--field", "mount_at_statup"],
            "did you mean `mount_at_startup`?",
        ),
        (&["a", "--kind", "database", "--field", "copies"], "it is a key, a reference or a list"),
        (
            &["database-file-moved", "--kind", "database"],
            "there is a rule, action or table `database-file-moved` already",
        ),
        (&["mount-database", "--kind", "database"], "already"),
        (&["example-short-retention", "--kind", "database"], "already"),
        (&["a", "--kind", "database", "--severity", "error"], "may be a `warning` at most"),
        (&["a", "--kind", "database", "--certainty", "sure"], "possible values"),
        (&["a", "--kind", "database", "--title", "a\nb"], "one line"),
    ] {
        let ran = run(&[&["new", "rule", "--pack", &path][..], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
    assert_eq!(files(Path::new(&path), "yaml").len(), before);
    let nowhere = run(&["new", "rule", "a", "--kind", "database", "--pack", "/nowhere/at-all"]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.err.contains("dpmguard new pack /nowhere/at-all"), "{}", nowhere.err);
}

#[test]
fn nothing_is_written_where_one_file_exists_or_on_a_dry_run() {
    let (_folder, path, _) = pack(&["--no-example"]);
    let args = ["new", "rule", "mine", "--kind", "volume", "--pack", &path];
    let dry = run(&[&args[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, 0, "{}", dry.err);
    assert!(dry.out.contains("mine.yaml\n  # yaml-language-server"), "{}", dry.out);
    assert!(!Path::new(&path).join("mine.yaml").exists());
    fs::create_dir_all(format!("{path}/cases/mine")).unwrap();
    fs::write(format!("{path}/cases/mine/violated.snap"), "mine").unwrap();
    for args in [&args[..], &[&args[..], &["--dry-run"]].concat()] {
        let ran = run(args);
        assert_eq!(ran.code, 2, "{}", ran.out);
        assert!(ran.err.contains("cases/mine/violated.snap` exists already"), "{}", ran.err);
    }
    // All or none: where a folder cannot be made, what was written before goes again.
    fs::write(format!("{path}/actions"), "no folder").unwrap();
    let made = [
        (Path::new(&path).join("first.yaml"), b"1".to_vec()),
        (Path::new(&path).join("new/second.yaml"), b"2".to_vec()),
        (Path::new(&path).join("actions/third.yaml"), b"3".to_vec()),
    ];
    let problems = load::create_below(Path::new(&path), &made).unwrap_err();
    assert!(problems[0].message.contains("actions/third.yaml"), "{problems:?}");
    assert!(!Path::new(&path).join("new").exists());
    assert_eq!(files(Path::new(&path), "yaml").len(), 1);
    assert_eq!(fs::read_to_string(format!("{path}/cases/mine/violated.snap")).unwrap(), "mine");
}

#[test]
fn a_new_case_says_what_the_rule_now_says() {
    let (_folder, path, _) = pack(&[]);
    for (args, name, expect) in [
        (&["example-short-retention"][..], "undecided", "outcome: undecided"),
        (&["example-short-retention"], "undecided-2", "outcome: undecided"),
        (
            &["example-short-retention", "mine", "--title", "What it is"],
            "mine",
            "title: What it is",
        ),
        (&["--rule", "database-file-moved", "not-known"], "not-known", "SG1, outcome: undecided"),
    ] {
        let ran = run(&[&["new", "case", "--pack", &path][..], args].concat());
        assert_eq!(ran.code, 0, "{args:?}: {}{}", ran.out, ran.err);
        let file = files(Path::new(&path), "yaml")
            .into_iter()
            .find(|file| file.file_stem().is_some_and(|stem| stem == name));
        let text = fs::read_to_string(file.unwrap()).unwrap();
        assert!(text.contains(expect), "{text}");
    }
    passes(&path);
    for (args, says) in [
        (&["nothing"][..], "there is no rule `nothing`"),
        (&[], "which rule is the case about?"),
        (&["example-short-retention", "My case"], "for instance `my-case`"),
        (&["example-short-retention", "mine"], "exists already"),
        (&["--rule", "example-short-retention", "a", "b"], "there is one name"),
    ] {
        let ran = run(&[&["new", "case", "--pack", &path][..], args].concat());
        assert_eq!(ran.code, 2, "{args:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}

/// A pack with a slip in it is told of, and gets no file.
#[test]
fn a_broken_pack_gets_no_rule() {
    let (_folder, path, _) = pack(&[]);
    let rule = format!("{path}/example-short-retention.yaml");
    let text = fs::read_to_string(&rule).unwrap();
    fs::write(
        &rule,
        text.replace("violated: group.retention_days", "violated: group.retention_dys"),
    )
    .unwrap();
    let ran = run(&["new", "rule", "mine", "--kind", "volume", "--pack", &path]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean `retention_days`?"), "{}", ran.err);
    assert!(!Path::new(&path).join("mine.yaml").exists());
}
