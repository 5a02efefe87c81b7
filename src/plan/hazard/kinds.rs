//! The kinds of hazard, as they are listed, explained and reported.

use crate::finding::Severity;
use crate::plan::hazard::Kind;

/// All kinds of hazard, by id.
pub const KINDS: &[Kind] = &[
    Kind {
        id: "plan-accept-expired",
        found: "The step has the hazard, and the day of `until` is over before the window opens.",
        severity: Severity::Warning,
        title: "Somebody took responsibility for a hazard, but no longer does when the window opens",
        explanation: "The hazard counts again. Ask whoever answers for it, and write a later `until`, or mend the plan.",
        is_unknown: false,
    },
    Kind {
        id: "plan-accept-unused",
        found: "`accept` names a hazard that the simulation does not find at that step.",
        severity: Severity::Note,
        title: "A hazard is accepted that the step does not have",
        explanation: "Left standing, it would silently cover what a later edit of the plan brings in. Take it out of `accept`.",
        is_unknown: false,
    },
    Kind {
        id: "plan-blackout",
        found: "The step overlaps the blackout, and names an object of its list, locks it, or makes it bad; without a list every step counts.",
        severity: Severity::Error,
        title: "A step runs in a time in which its objects must be left alone",
        explanation: "The plan itself names the time under `blackouts`. Move the step, or the blackout.",
        is_unknown: false,
    },
    Kind {
        id: "plan-cause-stands",
        found: "At the end the object is good, and a finding of a cause rule that was there before the plan still stands for it; objects of `goal.end_consistent` only.",
        severity: Severity::Warning,
        title: "An object counts as protected although a cause stands",
        explanation: "The facts call it consistent because no backup has run into the cause yet: the next one fails, or finds it \
                      broken. The plan does not change that, for better or worse, so it is a warning; an error where the goal says \
                      `end_consistent: all`, or names the object. Repair the cause and check, or leave the object out with a reason.",
        is_unknown: false,
    },
    Kind {
        id: "plan-check-in-doubt",
        found: "While the check or backup begins, a rule with `stops` whose certainty is not `documented` is violated for its object.",
        severity: Severity::Warning,
        title: "Something that stands would probably let a check or backup fail",
        explanation: "No source says that it does fail, so the plan is simulated as if it succeeds. Clear the finding before, or be \
                      ready to see the job fail.",
        is_unknown: false,
    },
    Kind {
        id: "plan-check-interrupted",
        found: "While the check runs, another step takes a lock that the check needs, or makes its object bad again.",
        severity: Severity::Warning,
        title: "A check is broken off or made worthless while it runs",
        explanation: "A step that takes a server away, or changes what the check looks at, makes the check vain: it has to \
                      run again from the start. Let the step wait for the check (`after`), or check later.",
        is_unknown: false,
    },
    Kind {
        id: "plan-check-needless",
        found: "The object is good when the check begins, and no cause stands that the check would cure.",
        severity: Severity::Warning,
        title: "A check of an object that is well",
        explanation: "While a check runs no recovery point can be made, so checking what is well only costs protection.",
        is_unknown: false,
    },
    Kind {
        id: "plan-check-wasted",
        found: "The check is tried out when it would begin: a cause rule would still be violated for its object afterwards.",
        severity: Severity::Error,
        title: "A check while a cause is not repaired",
        explanation: "A check cures only what is over. While a cause stands it fails, or finds the object broken again: repair \
                      the cause first. Such a check is shown as refused at once.",
        is_unknown: false,
    },
    Kind {
        id: "plan-collides",
        found: "A job of the schedule begins in the window, and a step holds a lock that it needs, checks its object, or breaks it off. Only where the job would do something without that step: a backup of what is well, a check of what a check helps.",
        severity: Severity::Warning,
        title: "A step is in the way of a job that begins by itself",
        explanation: "The schedule does not wait for the plan: a job that finds its object locked, or in a check, fails or is \
                      broken off. Move the step, or let the check end before the time of the job.",
        is_unknown: false,
    },
    Kind {
        id: "plan-cured-by-job",
        found: "A step makes the object bad, and the check after which it is good is one that begins by itself.",
        severity: Severity::Note,
        title: "An object is protected at the end only because of a job that begins by itself",
        explanation: "Nobody watches that job as he watches a step, and it comes when its schedule says. A warning where the plan has a \
                      check of its own that does not cure the object: then it was hardly meant so.",
        is_unknown: false,
    },
    Kind {
        id: "plan-depends-on-chance",
        found: "The plan is simulated a second time without the effects that may happen; an error is missing then.",
        severity: Severity::Note,
        title: "The verdict depends on something that may happen",
        explanation: "What may happen counts as happening. If it does not, the plan ends better than this report says.",
        is_unknown: false,
    },
    Kind {
        id: "plan-end-unprotected",
        found: "At the end of the window, or when checks have to end, the object is bad or a check still runs; objects of `goal.end_consistent` only; if the plan says nothing there, none that was bad before and that no step touches. An object that the goal names may not be gone either.",
        severity: Severity::Error,
        title: "Objects are not protected when the window closes",
        explanation: "From then on no new recovery point can be made of them until somebody notices, or a check that begins by \
                      itself cures them, which it cannot while a cause stands. Repair the causes that still stand, then let a check run to its end within the window.",
        is_unknown: false,
    },
    Kind {
        id: "plan-exposure",
        found: "The times in which the object is bad or checked are added up; where only those of which nobody can say make it too long, it is plan-unknown.",
        severity: Severity::Error,
        title: "An object is without protection for longer than the goal allows",
        explanation: "The goal's `max_exposure` is the longest time in which no recovery point can be made of one object.",
        is_unknown: false,
    },
    Kind {
        id: "plan-goal-leaves-out",
        found: "`goal.end_consistent` is a list, and an object that it does not name is bad at the end because of a step.",
        severity: Severity::Warning,
        title: "A step leaves an object unprotected, and the goal does not ask for it",
        explanation: "A list hides what it forgets. `except` says the same with a reason that somebody can answer for.",
        is_unknown: false,
    },
    Kind {
        id: "plan-hits-all",
        found: "Causes that appear with the step make every protected object bad.",
        severity: Severity::Warning,
        title: "One step makes all protected objects bad at once",
        explanation: "If anything goes wrong behind this step, nothing is protected. Where it cannot be split, accept it in \
                      the plan with a reason.",
        is_unknown: false,
    },
    Kind {
        id: "plan-job-fails",
        found: "A job of the schedule begins in the window and is refused, and its object is bad through a step; or it would be refused without the plan, too.",
        severity: Severity::Note,
        title: "A job that begins by itself fails because its object is not protected then",
        explanation: "It is a part of what the time without protection costs, and the reason why people are called at night: \
                      tell those who watch the jobs.",
        is_unknown: false,
    },
    Kind {
        id: "plan-new-finding",
        found: "The rules are judged on the facts before and after. Findings of cause rules, and those on objects that end unprotected, are told elsewhere. What no step brings up, but time or a job or check that shows what was so before, is a note.",
        severity: Severity::Warning,
        title: "A rule is violated at the end that was not at the start",
        explanation: "All rules are judged on the facts as the plan leaves them; it stands at the step behind which the rule is \
                      violated for the first time. How bad this is, the rule says.",
        is_unknown: false,
    },
    Kind {
        id: "plan-no-op",
        found: "The action's `done_when` is true when the step begins.",
        severity: Severity::Note,
        title: "A step that is done already",
        explanation: "The facts are as the step would make them, so nothing happens. Often a slip in its arguments, or the plan \
                      was carried out already.",
        is_unknown: false,
    },
    Kind {
        id: "plan-no-undo",
        found: "The action is a change (`role: change`) with effects and without `undo`.",
        severity: Severity::Note,
        title: "A step that cannot be taken back",
        explanation: "Its action declares no `undo`: behind it there is only the way forward.",
        is_unknown: false,
    },
    Kind {
        id: "plan-orders-untried",
        found: "Steps may come in more orders than are simulated. Those are left out that are the least likely to end worse: where \
                the objects are without protection for the shortest time, and the pairs of steps that have least to do with each other.",
        severity: Severity::Warning,
        title: "Nothing orders the steps, and not all their orders were tried",
        explanation: "The verdict holds for the orders that were simulated. Say the order that is meant: `after` between the steps \
                      for which it matters, or leave out `order: partial`; or divide the plan.",
        is_unknown: false,
    },
    Kind {
        id: "plan-precondition",
        found: "A condition under the action's `requires` is false when the step begins.",
        severity: Severity::Error,
        title: "A step cannot begin as things are then",
        explanation: "What its action requires does not hold at that time. Nothing that it would do is done.",
        is_unknown: false,
    },
    Kind {
        id: "plan-race",
        found: "Neither waits for the other, and one checks an object that the other makes bad, or both set one fact to different values; what is counted up or down does not matter.",
        severity: Severity::Warning,
        title: "Nothing says which of two steps comes first, and it makes a difference",
        explanation: "Steps of one `parallel`, and steps of a plan with `order: partial`, are shown in the order of the file; \
                      on the night somebody may take the other one first. Where one checks what the other breaks, or both set one \
                      fact to different values, the outcome is another then.",
        is_unknown: false,
    },
    Kind {
        id: "plan-risk-stands",
        found: "A finding of a rule with the tag `before-change` was there before the plan, and it is about an object that a step leaves without protection, or about what that lies on.",
        severity: Severity::Warning,
        title: "Something that stands makes it worse to be without protection",
        explanation: "Logs are not truncated while no backup succeeds: a volume that is nearly full may not last until the check has ended, and a \
                      copy that has too little room may not take it. Repair that before the change.",
        is_unknown: false,
    },
    Kind {
        id: "plan-stale",
        found: "A fact file was observed, or a collection in it collected, longer before the opening of the window than `facts.max_age` or `--max-age` allows.",
        severity: Severity::Error,
        title: "The facts are too old when the window opens",
        explanation: "Between collecting facts and the first step other people go on working. Collect them again shortly \
                      before, and check the plan with them.",
        is_unknown: true,
    },
    Kind {
        id: "plan-step-never",
        found: "The simulation ends and the step has not begun.",
        severity: Severity::Error,
        title: "A step never begins",
        explanation: "What it waits for does not come.",
        is_unknown: false,
    },
    Kind {
        id: "plan-touched-twice",
        found: "An object becomes bad through one step, stays so, and becomes bad through a later step that hits several objects.",
        severity: Severity::Warning,
        title: "An object is broken early and then broken again by a step that it could have waited for",
        explanation: "One check at the end serves all changes, so what is done to an object before a step that breaks it anyway \
                      only makes it unprotected for longer.",
        is_unknown: false,
    },
    Kind {
        id: "plan-unknown",
        found: "A condition, a duration, an effect or a cause rule cannot be evaluated for want of a fact.",
        severity: Severity::Error,
        title: "Facts are missing on which the plan hangs",
        explanation: "A missing fact is never read as safe. Collect it, or state it in a fact file.",
        is_unknown: true,
    },
    Kind {
        id: "plan-window",
        found: "The step's end, counted with the longest durations, lies behind the window; for a check, behind `checks_until`.",
        severity: Severity::Error,
        title: "A step does not end within the window",
        explanation: "Counted with the longest duration that the action names. A shorter one is only safe where it was \
                      measured: state it as `estimate`, or in `calibration`.",
        is_unknown: false,
    },
    Kind {
        id: "plan-window-past",
        found: "The window opened before the newest of the fact files was observed, or it is over at the instant of the run (`--now`).",
        severity: Severity::Warning,
        title: "The window is past",
        explanation: "A plan for last year is judged as one for tomorrow is, on facts that may show already what it was to \
                      change. Most often the date is wrong. An old plan can be gone through once more with the facts from \
                      before it and their time as `--now`. An error where the window is over, a warning where the facts were \
                      observed while it is open.",
        is_unknown: false,
    },
];
