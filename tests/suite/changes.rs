//! Facts that change, and causes that are kept up to date: the short way says what the long way says.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use dpmguard::eval::standing::Causes;
use dpmguard::facts::change::{Cell, Change, Refusal};
use dpmguard::facts::model::{Origin, Type};
use dpmguard::facts::store::Facts;
use dpmguard::facts::value::{Absence, Fact, ObjectId, Value};
use dpmguard::load;
use dpmguard::rule::pack::RuleSet;
use dpmguard::source::Sources;

use crate::support::root;

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % most.max(1)
    }
}

fn estate(name: &str) -> (RuleSet, Arc<Facts>) {
    let mut sources = Sources::default();
    let packs = load::packs(true, &[], &mut sources).unwrap();
    let set = packs.rules(&[], &sources).unwrap();
    let paths: Vec<PathBuf> = vec![root().join("examples").join(name)];
    let loaded = load::facts(&paths, &mut std::io::empty(), &mut sources, &packs);
    (set, loaded.unwrap_or_else(|found| panic!("{found:?}")).facts)
}

/// Everything that can be asked of facts, as text.
fn told(facts: &Facts) -> Vec<String> {
    let mut all = Vec::new();
    for kind in facts.model().kinds() {
        all.push(format!("{} {:?}", kind.name, facts.all(kind.id)));
        for id in facts.ids(kind.id) {
            for (position, field) in kind.record.fields.iter().enumerate() {
                let fact = facts.fact(id, position);
                all.push(format!("{}[{}].{}: {fact:?}", kind.name, facts.key(id), field.name));
            }
        }
    }
    all
}

/// A change somewhere: a fact taken from another object of the kind, a fact taken away, an object taken away.
fn any_change(facts: &Facts, dice: &mut Dice) -> Option<Change> {
    let kinds: Vec<_> =
        facts.model().kinds().iter().filter(|kind| facts.ids(kind.id).next().is_some()).collect();
    let kind = kinds[dice.below(kinds.len())];
    let ids: Vec<ObjectId> = facts.ids(kind.id).collect();
    let object = ids[dice.below(ids.len())];
    if dice.below(20) == 0 {
        return Some(Change::Remove { object });
    }
    let is_key = |position: &usize| kind.key.iter().any(|(key, _)| key == position);
    let read: Vec<usize> = (0..kind.record.fields.len())
        .filter(|position| {
            let origin = &kind.record.fields[*position].origin;
            !is_key(position) && matches!(origin, Origin::Read | Origin::Reference { .. })
        })
        .collect();
    if read.is_empty() {
        return None;
    }
    let field = read[dice.below(read.len())];
    let to = match dice.below(4) {
        0 => Fact::Absent(Absence::NotCollected),
        _ => facts.fact(ids[dice.below(ids.len())], field)?.clone(),
    };
    Some(Change::Set { object, path: vec![field], to, creates: false })
}

fn standing(causes: &Causes<'_>, facts: &Facts) -> Vec<String> {
    let mut all: Vec<String> =
        causes.standing().map(|cause| format!("{} {:?}", cause.rule, cause.standing)).collect();
    for kind in facts.model().kinds() {
        for id in facts.ids(kind.id) {
            all.push(format!("{id:?} {:?}", causes.undecided(id)));
        }
    }
    all
}

#[test]
fn what_follows_from_facts_follows_after_every_change() {
    let mut changed = 0;
    for (name, seed) in [("contoso", 1), ("fabrikam", 2), ("healthy", 3)] {
        let (_, facts) = estate(name);
        let mut dice = Dice(seed);
        for _ in 0..40 {
            let mut copy = (*facts).clone();
            for _ in 0..8 {
                let Some(change) = any_change(&copy, &mut dice) else { continue };
                let before = told(&copy);
                let touched = copy.change([change.clone()]).touched;
                let after = told(&copy);
                assert_eq!(after, told(&copy.derived_anew()), "{name}: {change:?}");
                // Without a touched fact nothing is different; positions differ where objects are gone.
                if touched.is_empty() {
                    assert_eq!(before, after, "{name}: {change:?}");
                }
                changed += usize::from(before != after);
            }
        }
        assert_eq!(told(&facts), told(&estate(name).1), "the original is as it was");
    }
    assert!(changed > 300, "only {changed} changes changed something");
}

#[test]
fn causes_kept_up_to_date_are_those_judged_anew() {
    let mut different = 0;
    for (name, seed) in [("contoso", 11), ("fabrikam", 12), ("healthy", 13)] {
        let (set, facts) = estate(name);
        let now = facts.files()[0].observed_at.clone();
        let mut dice = Dice(seed);
        for _ in 0..16 {
            let mut copy = facts.clone();
            let mut causes = Causes::new(&set, &copy, &now);
            for _ in 0..10 {
                let Some(change) = any_change(&copy, &mut dice) else { continue };
                let before = standing(&causes, &copy);
                let touched = Arc::make_mut(&mut copy).change([change.clone()]).touched;
                let known: BTreeSet<String> =
                    causes.standing().map(|cause| cause.standing.fingerprint.clone()).collect();
                let delta = causes.update(&copy, &now, &touched);
                let anew = Causes::new(&set, &copy, &now);
                assert_eq!(standing(&causes, &copy), standing(&anew, &copy), "{name}: {change:?}");
                let appeared: BTreeSet<String> =
                    delta.appeared.iter().map(|one| one.standing.fingerprint.clone()).collect();
                assert!(appeared.is_disjoint(&known) && delta.vanished.is_subset(&known));
                different += usize::from(before != standing(&causes, &copy));
            }
        }
    }
    assert!(different > 20, "only {different} changes made a difference");
}

/// A change that cannot be made must not hide what the others have changed.
#[test]
fn a_refused_change_keeps_no_other_from_being_made_and_told() {
    let (_, facts) = estate("contoso");
    let kind = facts.model().kind_named("data_source").unwrap().clone();
    let (replica, field) = kind.record.field("replica").unwrap();
    let Type::Record(record) = field.ty.required() else { panic!("{:?}", field.ty) };
    let (state, _) = record.field("state").unwrap();
    let ids: Vec<ObjectId> = facts.ids(kind.id).collect();
    let mut copy = (*facts).clone();
    let gone = Fact::Absent(Absence::NotCollected);
    copy.change([Change::Set { object: ids[0], path: vec![replica], to: gone, creates: false }]);
    let bad = || Value::Text("missing".into()).into();
    let set =
        |object| Change::Set { object, path: vec![replica, state], to: bad(), creates: false };
    let changed = copy.change([set(ids[1]), set(ids[0]), set(ids[2])]);
    assert_eq!(changed.refused, [Refusal::NoRecord]);
    let wanted = [Cell::Field(ids[1], replica), Cell::Field(ids[2], replica)];
    assert_eq!(changed.touched, wanted.into());
    // What is so already is not touched.
    assert!(copy.change([set(ids[1])]).touched.is_empty());
    // Where the record is made, nothing else is known in it.
    let path = vec![replica, state];
    let made = copy.change([Change::Set { object: ids[0], path, to: bad(), creates: true }]);
    assert_eq!((made.refused, made.touched), (vec![], [Cell::Field(ids[0], replica)].into()));
    let Some(Fact::Known { value: Value::Record(fields), .. }) = copy.fact(ids[0], replica) else {
        panic!("no record");
    };
    let known = fields.iter().filter(|fact| matches!(fact, Fact::Known { .. })).count();
    assert_eq!((known, fields.len()), (1, record.fields.len()));
}
