//! The timeline drawn: rectangles and text, no script, nothing loaded.

use std::fmt::Write as _;
use std::io;

use crate::plan::time::Clock;
use crate::report::diagnostic::clean;
use crate::report::markup::xml;
use crate::report::plan::look::{Look, looks};
use crate::report::plan::timeline::{Row, View, together};
use crate::report::plan::words;
use crate::report::plan::{ObjectX, PlanReport, StepX};

/// Columns of the drawing: where names end, and where time does.
const LEFT: i64 = 230;
const RIGHT: i64 = 980;
const WIDTH: i64 = 1_000;

/// Rows of the drawing.
const ROW: i64 = 26;
const BAR: i64 = 18;
const TOP: i64 = 44;

/// Most letters of a name.
const LETTERS: usize = 34;

/// Colours, for light and dark and for paper.
const STYLE: &str = include_str!("timeline.css");

/// Writes the timeline as a file of its own.
///
/// # Errors
///
/// Only those of `out`.
pub fn write(report: &PlanReport, clock: &Clock, out: &mut dyn io::Write) -> io::Result<()> {
    let drawing = draw(report, clock, Page::Alone, 0);
    out.write_all(format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{drawing}").as_bytes())
}

/// The timeline as part of a page, which has the style.
pub(in crate::report::plan) fn inline(report: &PlanReport, clock: &Clock) -> String {
    draw(report, clock, Page::First, 0)
}

/// Two timelines for one page, over the same time.
pub(in crate::report::plan) fn pair(
    first: &PlanReport,
    second: &PlanReport,
    clock: &Clock,
) -> [String; 2] {
    let to = words::end(first).max(words::end(second));
    [draw(first, clock, Page::First, to), draw(second, clock, Page::Further, to)]
}

/// The style of the drawing, for a page that holds it.
pub(in crate::report::plan) fn style() -> &'static str {
    STYLE
}

/// Where a drawing stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    /// In a file of its own.
    Alone,
    /// As the first one of a page.
    First,
    /// Behind another one, whose patterns it uses.
    Further,
}

/// The drawing, up to a second at least.
fn draw(report: &PlanReport, clock: &Clock, page: Page, to: i64) -> String {
    let mut view = View::new(report, clock);
    view.to = view.to.max(to);
    let mut drawing = Drawing { view: &view, text: String::new(), y: TOP };
    drawing.window();
    for (number, lane) in view.lanes.iter().enumerate() {
        drawing.lane(number, lane);
    }
    drawing.y += ROW / 2;
    for row in &view.rows {
        match row {
            Row::One(object) => drawing.object(object),
            Row::Many(group, objects) => drawing.group(group, objects),
        }
    }
    let bottom = drawing.y;
    let over = drawing.over(bottom);
    let (legend, height) = legend(report, bottom + 12);
    let style = match page {
        Page::Alone => format!("<style>\n{STYLE}</style>\n"),
        Page::First | Page::Further => String::new(),
    };
    let (pattern, id) = match page {
        Page::Further => ("", "timeline-title-2"),
        Page::Alone | Page::First => (PATTERN, "timeline-title"),
    };
    let title = format!(
        "{} {}: {}",
        words::verdict(report.verdict),
        report.plan.id,
        words::ends(report, clock)
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"timeline\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"{id}\">\n<title id=\"{id}\">{}</title>\n{style}{pattern}\
         <rect class=\"ground\" x=\"0\" y=\"0\" width=\"{WIDTH}\" height=\"{height}\"/>\n{}{}{over}{legend}</svg>\n",
        xml(&clean(&title)),
        drawing.axis(bottom),
        drawing.text,
    )
}

/// What makes a blocked stretch, and one of which no backup succeeds, other than a bad one without colours.
const PATTERN: &str = "<defs>\n<pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" \
     patternTransform=\"rotate(45)\"><rect class=\"bad\" width=\"7\" height=\"7\"/>\
     <rect class=\"stripe\" width=\"3\" height=\"7\"/></pattern>\n\
     <pattern id=\"dots\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\"><rect class=\"ease\" width=\"6\" height=\"6\"/>\
     <circle class=\"stripe\" cx=\"3\" cy=\"3\" r=\"1.4\"/></pattern>\n\
     <pattern id=\"shade\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" \
     patternTransform=\"rotate(-45)\"><rect class=\"shade\" width=\"2\" height=\"6\"/></pattern>\n</defs>\n";

struct Drawing<'a> {
    view: &'a View<'a>,
    text: String,
    /// Top of the next row.
    y: i64,
}

impl Drawing<'_> {
    /// The column of a second.
    fn x(&self, time: i64) -> i64 {
        LEFT + time.clamp(0, self.view.to) * (RIGHT - LEFT) / self.view.to
    }

    /// A rectangle with what it says when pointed at, and a word in it where there is room.
    fn bar(&mut self, class: &str, from: i64, to: i64, title: &str, word: &str) {
        let (left, right) = (self.x(from), self.x(to));
        let width = (right - left).max(3);
        let _ = writeln!(
            self.text,
            "<rect class=\"{class}\" x=\"{left}\" y=\"{}\" width=\"{width}\" height=\"{BAR}\"><title>{}</title></rect>",
            self.y,
            xml(&clean(title))
        );
        let letters = i64::try_from(word.chars().count()).unwrap_or(i64::MAX);
        if !word.is_empty() && letters.saturating_mul(7) + 4 <= width {
            let (x, y) = (left + width / 2, self.y + 13);
            let word = xml(word);
            let _ =
                writeln!(self.text, "<text class=\"on-{class}\" x=\"{x}\" y=\"{y}\">{word}</text>");
        }
    }

    /// The name of a row.
    fn name(&mut self, name: &str) {
        let name = clean(name);
        let y = self.y + 13;
        let x = LEFT - 10;
        let title = if name.chars().count() > LETTERS {
            format!("<title>{}</title>", xml(&name))
        } else {
            String::new()
        };
        let name = xml(&shortened(&name));
        let _ =
            writeln!(self.text, "<text class=\"name\" x=\"{x}\" y=\"{y}\">{name}{title}</text>");
    }

    fn window(&mut self) {
        let plan = &self.view.report.plan;
        self.name("window");
        let title = format!("window: {}", self.view.span(0, plan.end_seconds));
        self.bar("window", 0, plan.end_seconds, &title, "");
        if plan.checks_until_seconds > plan.end_seconds {
            let (from, to) = (plan.end_seconds, plan.checks_until_seconds);
            let title = format!("checks may run on: {}", self.view.span(from, to));
            self.bar("late", from, to, &title, "");
        }
        self.y += ROW;
    }

    fn lane(&mut self, number: usize, lane: &[&StepX]) {
        self.name(if number == 0 { "steps" } else { "" });
        for step in lane {
            let start = step.start_seconds.unwrap_or(0);
            let is_whole = step.status == "done" && !step.is_broken_off;
            let class = if is_whole { "step" } else { "refused" };
            let title = self.view.step(step);
            self.bar(class, start, step.end_seconds.unwrap_or(start), &title, &clean(&step.id));
        }
        self.y += ROW;
    }

    fn object(&mut self, object: &ObjectX) {
        self.name(&object.key);
        for interval in object.intervals.iter().filter(|one| one.to > one.from) {
            let look = Look::of(interval);
            let title = self.view.interval(object, interval);
            let word = if look == Look::Unknown { "?" } else { "" };
            self.bar(look.class(), interval.from, interval.to, &title, word);
        }
        for (at, said) in self.view.cuts(object) {
            self.cut(at, &said);
        }
        self.y += ROW;
    }

    /// The mark of a check that something broke off.
    fn cut(&mut self, at: i64, said: &str) {
        // The bar where the window closes would cover it.
        let (x, bar) = (self.x(at), self.x(self.view.report.plan.end_seconds));
        let x = if (x - bar).abs() < 8 { bar - 8 } else { x };
        let y = self.y + 14;
        let said = xml(&clean(said));
        let _ = writeln!(
            self.text,
            "<text class=\"cut\" x=\"{x}\" y=\"{y}\"><title>{said}</title>!</text>"
        );
    }

    fn group(&mut self, group: &str, objects: &[&ObjectX]) {
        self.name(&format!("{group}/: {} more", objects.len()));
        for (from, to, counts) in together(objects) {
            let Some((look, _)) = counts.last_key_value() else { continue };
            let said: Vec<String> =
                counts.iter().map(|(look, count)| format!("{count} {}", look.words())).collect();
            let title = format!("{group}/: {}, {}", said.join("; "), self.view.span(from, to));
            let bad: usize =
                counts.iter().filter(|(look, _)| **look > Look::Good).map(|(_, n)| n).sum();
            let word = if bad > 0 { bad.to_string() } else { String::new() };
            self.bar(look.class(), from, to, &title, &word);
        }
        self.y += ROW;
    }

    /// Times along the top, with a line down each.
    fn axis(&self, bottom: i64) -> String {
        let mut text = String::new();
        let mut offset = self.view.clock.offset(0);
        for (time, label) in ticks(self.view) {
            let x = self.x(time);
            let here = self.view.clock.offset(time);
            if here != offset {
                let y = TOP - 27;
                let _ = writeln!(text, "<text class=\"time\" x=\"{x}\" y=\"{y}\">{here}</text>");
                offset = here;
            }
            let _ = writeln!(
                text,
                "<line class=\"tick\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{bottom}\"/>\n<text class=\"time\" x=\"{x}\" \
                 y=\"{}\">{label}</text>",
                TOP - 8,
                TOP - 14
            );
        }
        text
    }

    /// What lies over the rows: times to be left alone, and the end of the window.
    fn over(&self, bottom: i64) -> String {
        let mut text = String::new();
        let plan = &self.view.report.plan;
        let height = bottom - TOP + 8;
        for blackout in &plan.blackouts {
            let (left, right) = (self.x(blackout.from), self.x(blackout.to));
            let title = format!("blackout: {}", self.view.span(blackout.from, blackout.to));
            let _ = writeln!(
                text,
                "<rect class=\"blackout\" x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{height}\"><title>{}</title></rect>",
                TOP - 8,
                (right - left).max(2),
                xml(&clean(&title))
            );
        }
        for (at, said) in self.view.clock.changes(self.view.to) {
            let x = self.x(at);
            let _ = writeln!(
                text,
                "<line class=\"change\" x1=\"{x}\" x2=\"{x}\" y1=\"{}\" y2=\"{bottom}\"><title>{said}</title></line>",
                TOP - 8
            );
        }
        let x = self.x(plan.end_seconds);
        let title = format!("the window closes at {}", self.view.clock.show_day(plan.end_seconds));
        let _ = writeln!(
            text,
            "<rect class=\"end\" x=\"{}\" y=\"{}\" width=\"3\" height=\"{height}\"><title>{title}</title></rect>",
            x - 1,
            TOP - 8
        );
        text
    }
}

/// Round times, at most a dozen, and how they are written.
fn ticks(view: &View<'_>) -> Vec<(i64, String)> {
    let most = 12;
    let steps = [900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];
    let fits = |step: &i64| view.to / step <= most;
    let step = steps.into_iter().find(fits).unwrap_or(86_400 * (view.to / (86_400 * most) + 1));
    // Where the clocks are changed meanwhile the times are as they are, if no longer round.
    let clock = view.clock.show(0);
    let part = |from: usize, to: usize| clock.get(from..to).and_then(|two| two.parse::<i64>().ok());
    let since_midnight = part(0, 2).unwrap_or(0) * 3_600 + part(3, 5).unwrap_or(0) * 60;
    let first = (step - since_midnight % step) % step;
    let mut ticks = Vec::new();
    let mut time = first;
    while time <= view.to {
        let label = if step < 86_400 { view.clock.show(time) } else { view.clock.date(time) };
        // Where it is another one, the offset stands above the time.
        let label = if step < 86_400 { label.chars().take(5).collect() } else { label };
        ticks.push((time, label));
        time += step;
    }
    ticks
}

/// What the looks mean.
/// The legend, and the top of what comes below it.
fn legend(report: &PlanReport, top: i64) -> (String, i64) {
    let mut text = String::new();
    let (mut x, mut y) = (12, top);
    for look in looks(report) {
        let class = look.class();
        let words = look.words();
        let letters = i64::try_from(words.len()).unwrap_or(0);
        if x + 24 + letters * 6 > RIGHT {
            (x, y) = (12, y + ROW);
        }
        let _ = writeln!(
            text,
            "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"18\" height=\"14\"/>\n<text class=\"legend\" x=\"{}\" \
             y=\"{}\">{words}</text>",
            x + 24,
            y + 11
        );
        x += 24 + letters * 6 + 24;
    }
    (text, y + ROW)
}

/// A name that fits, cut in its middle.
fn shortened(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= LETTERS {
        return name.to_owned();
    }
    let half = LETTERS / 2;
    let head: String = letters.iter().take(half).collect();
    let tail: String = letters.iter().skip(letters.len() - half + 1).collect();
    format!("{head}\u{2026}{tail}")
}
