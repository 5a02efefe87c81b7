//! Whether what a report says fits together: one that was changed by hand, or cut, is not to be built on.

use crate::diagnostic::{Diagnostic, Place};
use crate::finding::Severity;
use crate::gate::{Threshold, Verdict};
use crate::plan::hazard::kind;
use crate::report::plan::verify::Old;
use crate::source::Node;

/// Finds the first contradiction.
///
/// # Errors
///
/// That contradiction.
pub(super) fn check(root: &Node, old: &Old) -> Result<(), Diagnostic> {
    let place = |pointer: &str| root.pointer(pointer).map_or(root.place, |node| node.place);
    let all = [Verdict::Passed, Verdict::Failed, Verdict::NoVerdict];
    let Some(verdict) = all.into_iter().find(|one| one.name() == old.verdict) else {
        return Ok(());
    };
    let code = root.pointer("/exit_code").and_then(Node::as_int);
    if let Some(code) = code.filter(|code| *code != i64::from(verdict.exit_code())) {
        let message = format!(
            "`exit_code: {code}` contradicts `verdict: {}`, whose exit code is {}",
            old.verdict,
            verdict.exit_code()
        );
        return Err(contradicts(message, place("/exit_code")));
    }
    hazards(old, verdict).map_err(|message| contradicts(message, place("/verdict")))?;
    totals(root)
}

/// Whether the verdict follows from the hazards.
fn hazards(old: &Old, verdict: Verdict) -> Result<(), String> {
    let Some(threshold) = Threshold::named(&old.fail_on) else { return Ok(()) };
    let open = || old.hazards.iter().filter(|one| !one.is_accepted);
    // What means that nobody can say fails no plan.
    let mut failing = open().filter(|one| {
        let severity = Severity::named(&one.severity);
        severity.is_some_and(|severity| threshold.reached(severity))
            && !kind(&one.id).is_some_and(|kind| kind.is_unknown)
    });
    let said = format!("`verdict: {}`", old.verdict);
    match (verdict, failing.next(), open().find(|one| one.no_verdict)) {
        (Verdict::Passed | Verdict::NoVerdict, Some(one), _) => Err(format!(
            "{said} contradicts the hazard {} ({}), which nobody accepts",
            one.id, one.severity
        )),
        (Verdict::Passed, None, Some(one)) => {
            Err(format!("{said} contradicts the hazard {}, which leaves no verdict", one.id))
        }
        (Verdict::Failed, None, _) => {
            Err(format!("{said} contradicts the hazards, of which none reaches `{}`", old.fail_on))
        }
        (Verdict::NoVerdict, None, None) => {
            Err(format!("{said} contradicts the hazards, none of which leaves it open"))
        }
        _ => Ok(()),
    }
}

/// Whether the protected objects are as many as it says.
fn totals(root: &Node) -> Result<(), Diagnostic> {
    let Some(objects) = root.pointer("/objects").and_then(Node::as_list) else { return Ok(()) };
    let ends = |wanted: &[&str]| {
        let is_so = |one: &&Node| {
            one.get("ends").and_then(Node::as_str).is_some_and(|end| wanted.contains(&end))
        };
        i64::try_from(objects.iter().filter(is_so).count()).unwrap_or(i64::MAX)
    };
    let counted = [
        ("good", ends(&["good"])),
        ("bad", ends(&["bad", "busy", "stopped"])),
        ("unknown", ends(&["unknown"])),
    ];
    for (name, count) in counted {
        let Some(node) = root.pointer(&format!("/totals/{name}")) else { continue };
        if let Some(said) = node.as_int().filter(|said| *said != count) {
            let message =
                format!("`totals.{name}: {said}` contradicts `objects`, of which {count} end so");
            return Err(contradicts(message, node.place));
        }
    }
    Ok(())
}

fn contradicts(message: String, place: Place) -> Diagnostic {
    Diagnostic::error("report-contradicts-itself", message)
        .at(place)
        .help("was it changed by hand? `dpmguard plan check PLAN --facts FACTS -o json=FILE` writes a new one")
}
