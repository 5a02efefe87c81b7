//! The answer for a person at a terminal.

use std::fmt::Write as _;
use std::io;

use serde_json::Value as Json;

use crate::report::diagnostic::clean;
use crate::report::plan::verify::Verified;
use crate::report::plan::verify::compare::{HazardV, MovedV};
use crate::report::plan::words::{self, plural};

impl Verified {
    /// Writes it for a person.
    ///
    /// # Errors
    ///
    /// Only those of `out`.
    pub fn write_human(&self, out: &mut dyn io::Write) -> io::Result<()> {
        let (id, file) = self.plan();
        let (then, now) = (words::verdict(&self.then), words::verdict(self.now));
        let head = if self.holds { "HOLDS" } else { "NO LONGER HOLDS" };
        let mut text = format!("{head}  {}: {then} then, {now} now\n", clean(id));
        if !self.holds && self.now == "passed" {
            text.push_str("      the plan passes with the newer facts: write a new report with `dpmguard plan check`\n");
        }
        let _ = writeln!(text, "      the report was judged as of {}", clean(&self.reported_at));
        let _ = writeln!(text, "\nGiven with\n  plan   {}: the same", clean(file));
        self.inputs(&mut text);
        self.facts(&mut text);
        hazards("Hazards that appeared", &self.appeared, &mut text);
        hazards("Hazards that went", &self.went, &mut text);
        out.write_all(text.as_bytes())
    }

    /// What the two verdicts were given with.
    fn inputs(&self, text: &mut String) {
        let (then, now) = (self.version_then.as_str(), self.version());
        if then == now {
            let _ = writeln!(text, "  tool   {now}: the same");
        } else {
            let _ = writeln!(text, "  tool   {} then, {now} now", clean(then));
        }
        for setting in &self.settings {
            let value =
                |value: &Option<String>| clean(value.as_deref().unwrap_or("as the pack has it"));
            let (name, then, now) =
                (clean(&setting.name), value(&setting.then), value(&setting.now));
            let _ = writeln!(text, "  param  {name}: {then} then, {now} now");
        }
        for file in &self.files {
            let said = match file.compared {
                "same" => "the same",
                "other" => "another one",
                "renamed" => "the same under another name",
                "only_then" => "only then",
                _ => "only now",
            };
            let _ = writeln!(text, "  {}  {}: {said}", file.kind, clean(&file.name));
        }
    }

    fn facts(&self, text: &mut String) {
        match self.facts {
            "same" => return,
            "gone" => text.push_str(
                "\nWhich facts moved cannot be told: the files of the report are not there any more\n",
            ),
            _ if self.moved.is_empty() => text.push_str("\nNo fact moved\n"),
            _ => _ = writeln!(text, "\n{} moved", plural(self.moved.len(), "fact")),
        }
        for moved in &self.moved {
            let _ = writeln!(text, "  {}", clean(&said(moved)));
        }
    }
}

fn said(MovedV { object, field, from, to }: &MovedV) -> String {
    let value = |value: &Option<Json>| match value {
        Some(Json::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => "not known".to_owned(),
    };
    match (field, from, to) {
        (None, None, Some(Json::Object(_))) => format!("{object} is new"),
        (None, Some(Json::Object(_)), None) => format!("{object} is gone"),
        _ => {
            let field = field.as_ref().map(|field| format!(" {field}")).unwrap_or_default();
            format!("{object}{field}: {} -> {}", value(from), value(to))
        }
    }
}

fn hazards(head: &str, hazards: &[HazardV], text: &mut String) {
    if !hazards.is_empty() {
        let _ = writeln!(text, "\n{head}");
    }
    for one in hazards {
        let (level, id) = (clean(&one.level), clean(&one.id));
        let _ = writeln!(text, "  {level}[{id}]: {}", clean(&one.message));
    }
}
