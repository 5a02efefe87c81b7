//! What came of a case about an action, for its snapshot.

use serde_json::{Map, Value as Json, json};

use crate::author::act::{Act, about, findings, state, word};
use crate::facts::value::ObjectId;
use crate::finding::{Evaluation, Finding, Verdict};
use crate::plan::Step;
use crate::plan::trace::{StepStatus, StepTrace};
use crate::plan::world::Phase;

/// Makes the text of a snapshot.
pub(super) struct Told<'a> {
    act: &'a Act<'a>,
}

impl<'a> Told<'a> {
    pub(super) fn new(act: &'a Act<'a>) -> Self {
        Self { act }
    }

    pub(super) fn json(&self) -> Json {
        let act = self.act;
        let list = |of: &Evaluation, all: Vec<(&Verdict, &Finding)>, is_opened: bool| -> Json {
            let mut said = Vec::new();
            for (verdict, finding) in all {
                let how = is_opened.then(|| self.how(finding));
                said.push(told(of, verdict, finding, how));
            }
            said.into()
        };
        let undecided: Vec<Json> =
            act.undecided().into_iter().map(|one| self.undecided(one)).collect();
        let mut all = Map::new();
        all.insert("steps".to_owned(), self.steps());
        all.insert("objects".to_owned(), self.objects());
        all.insert("opened".to_owned(), list(&act.after, act.opened(), true));
        if let Some(during) = &act.during {
            all.insert("meanwhile".to_owned(), list(during, act.meanwhile(), false));
        }
        all.insert("closed".to_owned(), list(&act.before, act.closed(), false));
        all.insert("undecided".to_owned(), undecided.into());
        all.insert("facts".to_owned(), self.facts());
        Json::Object(all)
    }

    /// Whether a finding comes in any case, or only if what may happen does.
    fn how(&self, finding: &Finding) -> &'static str {
        let comes_anyway = self.act.lucky.as_ref().is_none_or(|lucky| {
            findings(lucky).any(|(_, other)| other.fingerprint == finding.fingerprint)
        });
        if comes_anyway { "will" } else { "may" }
    }

    fn rules(&self, causes: &[usize]) -> Vec<String> {
        let rules = causes.iter().filter_map(|number| {
            let cause = self.act.trace.causes.get(*number)?;
            Some(self.act.set.rules.get(cause.rule)?.id.to_string())
        });
        let mut rules: Vec<String> = rules.collect();
        rules.sort();
        rules.dedup();
        rules
    }

    fn steps(&self) -> Json {
        let act = self.act;
        let all = act.plan.steps.iter().zip(&act.trace.steps).zip(&act.usual.steps);
        all.map(|((step, trace), usual)| self.step(step, trace, usual)).collect()
    }

    fn step(&self, step: &Step, trace: &StepTrace, usual: &StepTrace) -> Json {
        let seconds = |trace: &StepTrace| trace.start.zip(trace.end).map(|(from, to)| to - from);
        let mut said = Map::new();
        let mut say = |key: &str, value: Json| said.insert(key.to_owned(), value);
        say("step", json!(&*step.id));
        let action = self.act.set.actions.get(step.action);
        if let Some(action) = action.filter(|action| action.id != step.id) {
            say("action", json!(&*action.id));
        }
        say("status", json!(word(&trace.status)));
        match &trace.status {
            StepStatus::Refused(reasons) => _ = say("reasons", json!(reasons)),
            StepStatus::Done => {
                let (expected, worst) = (seconds(usual), seconds(trace));
                say("seconds", json!({ "expected": expected, "worst": worst }));
                say("because", json!(trace.because));
            }
            StepStatus::Nothing | StepStatus::Never => {}
        }
        if trace.is_needless {
            say("is_needless", json!(true));
        }
        if !trace.vain.is_empty() {
            say("vain_while", json!(self.rules(&trace.vain)));
        }
        if !trace.unknown.is_empty() {
            say("unknown", json!(trace.unknown));
        }
        Json::Object(said)
    }

    /// The protected objects whose state is another one.
    fn objects(&self) -> Json {
        let mut all = Map::new();
        let blocked = self.act.trace.steps.last().map(|step| step.after.as_slice());
        for (key, (id, before, after)) in self.act.objects() {
            if before == after {
                continue;
            }
            let mut said = Map::new();
            said.insert("before".to_owned(), json!(state(before)));
            said.insert("after".to_owned(), json!(state(after)));
            let found = blocked.unwrap_or_default().iter().find(|(object, _, _)| *object == id);
            // What only stops backups needs no check.
            if let Some((_, _, is_blocked)) = found.filter(|_| after != Phase::Stopped) {
                said.insert("check_alone_helps".to_owned(), json!(!is_blocked));
            }
            all.insert(key, Json::Object(said));
        }
        Json::Object(all)
    }

    fn undecided(&self, verdict: &Verdict) -> Json {
        let (rule, subject) = about(&self.act.after, verdict);
        let missing: Vec<&str> = verdict.missing.iter().map(|one| one.fact.as_str()).collect();
        let mut said = Map::new();
        said.insert("rule".to_owned(), json!(rule));
        said.insert("subject".to_owned(), json!(subject));
        if let Some(because) = &verdict.because {
            said.insert("because".to_owned(), json!(because));
        }
        said.insert("missing".to_owned(), json!(missing));
        Json::Object(said)
    }

    /// The facts that are other than before, by path: before and after.
    fn facts(&self) -> Json {
        let (before, after) = (self.act.facts, &self.act.trace.facts);
        let mut all = Map::new();
        for kind in before.model().kinds() {
            let mut ids: Vec<ObjectId> = before.ids(kind.id).chain(after.ids(kind.id)).collect();
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                let was = before.holds(id).then(|| before.object_to_json(id));
                let is = after.holds(id).then(|| after.object_to_json(id));
                let key = if is.is_some() { after.key(id) } else { before.key(id) };
                let path = format!("{}[{key}]", kind.collection);
                changed(&path, was.as_ref(), is.as_ref(), &mut all);
            }
        }
        Json::Object(all)
    }
}

/// A finding with what its rule says of it; `how` only where that is asked.
fn told(of: &Evaluation, verdict: &Verdict, finding: &Finding, how: Option<&str>) -> Json {
    let (id, subject) = about(of, verdict);
    let mut said = Map::new();
    let mut say = |key: &str, value: Json| said.insert(key.to_owned(), value);
    say("rule", json!(id));
    say("subject", json!(subject));
    if let Some(rule) = of.rule(verdict) {
        say("severity", json!(rule.severity.name()));
        say("certainty", json!(rule.certainty));
        for (key, _, values) in &rule.metadata {
            say(key, json!(values));
        }
    }
    if let Some(how) = how {
        say("how", json!(how));
    }
    say("message", json!(finding.message));
    Json::Object(said)
}

/// What differs, as deep down as the two are alike in shape.
fn changed(path: &str, was: Option<&Json>, is: Option<&Json>, all: &mut Map<String, Json>) {
    if was == is {
        return;
    }
    if let (Some(Json::Object(was)), Some(Json::Object(is))) = (was, is) {
        let keys: std::collections::BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        for key in keys {
            changed(&format!("{path}.{key}"), was.get(key), is.get(key), all);
        }
        return;
    }
    let mut said = Map::new();
    for (word, json) in [("before", was), ("after", is)] {
        if let Some(json) = json {
            said.insert(word.to_owned(), json.clone());
        }
    }
    all.insert(path.to_owned(), Json::Object(said));
}
