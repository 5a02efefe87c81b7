//! Times in which no backup of an object can be made: while it is bad, and while it is stopped.
//!
//! Such times overlap, and a second counts once. How long they last together is not a sum of ends less
//! begins: it depends on whether one begins before another one is over. An order tells this of most pairs.
//! Of the others it is told when the later begin is put into it (`apart`): then it waits for the end. If it
//! does not, the time between them counts as well; that is too much only where another order is as good.

use super::{Item, Run};
use crate::plan::solver::at;

/// Times that overlap or are taken for such, from the first begin to the last end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The line with whose begin it begins; none: the opening of the window.
    pub from: Option<usize>,
    /// The lines of which the last to be over ends it.
    pub ends: Vec<usize>,
    /// Whether something of it has no end as yet.
    pub is_open: bool,
}

impl Run<'_> {
    /// Whether an object is ever stopped; if not, its spans are its episodes.
    #[must_use]
    pub fn is_stopped(&self, object: usize) -> bool {
        self.facts.stops.get(object).is_some_and(|stops| !stops.is_empty())
    }

    /// The longest that an object may be bad or stopped.
    #[must_use]
    pub fn most(&self, object: usize) -> Option<i64> {
        self.problem.objects.get(object).and_then(|object| object.most)
    }

    /// The spans of an object.
    #[must_use]
    pub fn spans(&self, object: usize) -> Vec<Span> {
        let mut spans = Vec::new();
        let mut is_bad = self.problem.objects.get(object).is_some_and(|about| about.starts_bad);
        let stops = || self.facts.stops.get(object).into_iter().flatten();
        let mut open = usize::from(is_bad) + stops().filter(|stop| stop.from.is_none()).count();
        let mut span = (open > 0).then(Span::default);
        for (line, about) in self.lines.iter().enumerate() {
            let (begins, ends) = match about.item {
                Item::Check(other) => (0, usize::from(other == object)),
                Item::Task(task) => {
                    let spoils = !is_bad && self.breaks(task, object);
                    is_bad |= spoils;
                    let begins = stops().filter(|stop| stop.from == Some(task)).count();
                    let ends = stops().filter(|stop| stop.to == task).count();
                    (begins + usize::from(spoils), ends)
                }
            };
            if begins > 0 && open == 0 && self.apart.contains(&(line, object)) {
                spans.extend(span.take());
            }
            if begins + ends > 0 {
                let span = span.get_or_insert(Span { from: Some(line), ..Span::default() });
                if ends > 0 {
                    span.ends.push(line);
                }
                is_bad &= about.item != Item::Check(object);
                open = (open + begins).saturating_sub(ends);
                span.is_open = open > 0;
            }
        }
        if let Some(span) = &mut span {
            span.is_open = open > 0;
        }
        spans.extend(span);
        spans
    }

    fn breaks(&self, task: usize, object: usize) -> bool {
        self.facts.breakers.get(object).is_some_and(|breakers| breakers.contains(&task))
    }

    /// The objects whose last span is over before a task opens another one, and those of which this cannot
    /// be told.
    #[must_use]
    pub fn apart(&self, item: Item) -> (Vec<usize>, Vec<usize>) {
        let (mut apart, mut unsure) = (Vec::new(), Vec::new());
        let Item::Task(task) = item else { return (apart, unsure) };
        for (object, stops) in self.facts.stops.iter().enumerate() {
            let begins = !stops.is_empty()
                && (stops.iter().any(|stop| stop.from == Some(task))
                    || (self.breaks(task, object) && !self.is_bad(object)));
            if !begins {
                continue;
            }
            let spans = self.spans(object);
            let Some(span) = spans.last().filter(|span| !span.is_open) else { continue };
            let is_over = |line: &usize| self.is_over(*line, task, object);
            if span.ends.iter().all(is_over) { apart.push(object) } else { unsure.push(object) }
        }
        (apart, unsure)
    }

    /// Whether a line is over when a task begins, whatever the times.
    fn is_over(&self, line: usize, task: usize, object: usize) -> bool {
        let needs_operator =
            |task: usize| self.problem.tasks.get(task).is_some_and(|task| task.needs_operator);
        match self.lines.get(line).map(|line| line.item) {
            Some(Item::Task(other)) => {
                self.facts.before.get(task).is_some_and(|before| before.contains(&other))
                    || (self.problem.operators == 1
                        && needs_operator(task)
                        && needs_operator(other))
            }
            Some(Item::Check(_)) => self.breaks(task, object),
            None => false,
        }
    }

    /// Lets what is put next wait for the ends of the last spans of some objects.
    pub(super) fn wait_apart(&mut self, objects: &[usize]) {
        for object in objects {
            let spans = self.spans(*object);
            for line in spans.last().map_or(&[][..], |span| &span.ends) {
                self.wait_for(Some(*line));
            }
        }
    }

    /// The times of all stops of an object, with these begins of lines; of what is not there, none.
    #[must_use]
    pub fn stopped(&self, object: usize, starts: &[i64]) -> Vec<(i64, i64)> {
        let stops = self.facts.stops.get(object).into_iter().flatten();
        let times = stops.filter_map(|stop| {
            let from = match stop.from {
                Some(task) => at(starts, self.line_of(task)?),
                None => 0,
            };
            let to = self.line_of(stop.to)?;
            Some((from, at(starts, to) + self.lines.get(to)?.takes))
        });
        times.collect()
    }
}
