//! The best times for a fixed order.
//!
//! The time in which something is bad is the end of a check less the begin of a task, so beginning everything
//! early is wrong, and so is beginning tasks late and checks early: a late begin can let another check come
//! first at no cost. With the order fixed, all conditions say that one line begins some time after another,
//! and the weighted sum of ends less begins is least where the dual, a flow from the begins to the ends along
//! the longest waits, is greatest. The flow is found way by way, from times that keep all conditions to such
//! that leave nothing unused where it flows: those are the best, and whole numbers because the waits are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::run::{Episode, Run};
use super::{at, put};

/// The begin of each line such that the weighted time in which objects are bad is least and, among such
/// times, the end of the last line. None if an object is bad for too long at once, whatever the times; how
/// long it is so in all is not looked at.
#[must_use]
pub fn best(run: &Run, weights: &[i64], horizon: i64) -> Option<Vec<i64>> {
    let mut net = Net::new(run, weights, horizon);
    if net.is_limited {
        net.settle()?;
    }
    net.saturate()?;
    let opening = at(&net.times, net.origin);
    let starts = net.times.iter().take(run.lines().len());
    Some(starts.map(|start| start - opening).collect())
}

struct Arc {
    from: usize,
    to: usize,
    gap: i64,
    flow: i64,
}

/// Lines, the opening of the window (`origin`) and the end of the last line; arcs say what begins how long
/// after what.
struct Net {
    arcs: Vec<Arc>,
    /// Arcs that touch each node.
    touch: Vec<Vec<usize>>,
    /// What each node has still to take in; negative: to give away.
    need: Vec<i64>,
    /// Times that keep all conditions, and that leave none unused on an arc that flows.
    times: Vec<i64>,
    origin: usize,
    /// Whether something must not begin too long before something else is over.
    is_limited: bool,
}

impl Net {
    fn new(run: &Run, weights: &[i64], horizon: i64) -> Self {
        let lines = run.lines().len();
        let (origin, end) = (lines, lines + 1);
        // The earliest times keep all conditions.
        let mut times = run.early();
        times.push(0);
        times.push(run.lines().iter().map(|line| line.early + line.takes).max().unwrap_or(0));
        let mut net = Self {
            arcs: Vec::new(),
            touch: vec![Vec::new(); lines + 2],
            need: vec![0; lines + 2],
            times,
            origin,
            is_limited: false,
        };
        for (index, line) in run.lines().iter().enumerate() {
            net.arc(origin, index, line.release);
            net.arc(index, origin, -line.late);
            net.arc(index, end, line.takes);
            for (other, gap) in run.waits(index) {
                net.arc(*other, index, *gap);
            }
        }
        // One second of exposure outweighs any end.
        let scale = horizon.saturating_add(1);
        net.charge(end, 1);
        let open: Vec<_> = run.open().collect();
        let plain = |episode: &&Episode| !run.is_stopped(episode.object);
        for episode in run.ended().iter().chain(&open).filter(plain) {
            let weight = at(weights, episode.object).saturating_mul(scale);
            if let Some(from) = episode.from {
                net.charge(from, -weight);
            }
            if let Some(to) = episode.to {
                net.charge(to, weight);
            }
            let takes = |line: usize| run.lines().get(line).map_or(0, |line| line.takes);
            let end = episode.to.map(|to| (to, takes(to)));
            net.limit(run.most(episode.object), episode.from, end, horizon);
        }
        for (object, weight) in weights.iter().enumerate() {
            if !run.is_stopped(object) {
                continue;
            }
            for span in run.spans(object) {
                let weight = weight.saturating_mul(scale);
                if let Some(from) = span.from {
                    net.charge(from, -weight);
                }
                let last = (!span.is_open).then(|| net.last(run, &span.ends));
                if let Some(last) = last {
                    net.charge(last, weight);
                }
                net.limit(run.most(object), span.from, last.map(|last| (last, 0)), horizon);
            }
        }
        net
    }

    /// Lets what begins not lie longer before its end, or the horizon, than it may.
    fn limit(
        &mut self,
        most: Option<i64>,
        from: Option<usize>,
        end: Option<(usize, i64)>,
        horizon: i64,
    ) {
        let Some(most) = most else { return };
        self.is_limited = true;
        let from = from.unwrap_or(self.origin);
        match end {
            Some((last, takes)) => self.arc(last, from, takes - most),
            None => self.arc(self.origin, from, horizon - most),
        }
    }

    /// Makes times later until they keep all conditions; none if no times do.
    fn settle(&mut self) -> Option<()> {
        let opening = at(&self.times, self.origin);
        for _ in 0..=self.times.len() {
            let mut is_kept = true;
            for arc in &self.arcs {
                let least = at(&self.times, arc.from) + arc.gap;
                if at(&self.times, arc.to) < least {
                    put(&mut self.times, arc.to, least);
                    is_kept = false;
                }
            }
            if at(&self.times, self.origin) > opening {
                return None;
            }
            if is_kept {
                return Some(());
            }
        }
        None
    }

    /// A node no earlier than the ends of some lines.
    fn last(&mut self, run: &Run, ends: &[usize]) -> usize {
        let node = self.times.len();
        let takes = |line: usize| run.lines().get(line).map_or(0, |line| line.takes);
        let over = ends.iter().map(|line| at(&self.times, *line) + takes(*line)).max();
        self.times.push(over.unwrap_or(0));
        self.need.push(0);
        self.touch.push(Vec::new());
        for line in ends {
            self.arc(*line, node, takes(*line));
        }
        node
    }

    fn arc(&mut self, from: usize, to: usize, gap: i64) {
        let index = self.arcs.len();
        self.arcs.push(Arc { from, to, gap, flow: 0 });
        for node in [from, to] {
            if let Some(touch) = self.touch.get_mut(node) {
                touch.push(index);
            }
        }
    }

    fn charge(&mut self, node: usize, cost: i64) {
        for (node, cost) in [(node, cost), (self.origin, -cost)] {
            if let Some(need) = self.need.get_mut(node) {
                *need += cost;
            }
        }
    }

    /// Sends what there is to give to where it is needed, each time along a way that leaves the least time
    /// unused, and changes the times so that it leaves none. None if nothing can be sent, which the arcs
    /// from and to the opening exclude.
    fn saturate(&mut self) -> Option<()> {
        while let Some(from) = self.need.iter().position(|need| *need < 0) {
            let (to, unused, ways) = self.search(from)?;
            let most = at(&unused, to);
            for (time, unused) in self.times.iter_mut().zip(&unused) {
                *time -= most.min(*unused);
            }
            let mut amount = at(&self.need, to).min(-at(&self.need, from));
            let mut way = Vec::new();
            let mut node = to;
            while node != from {
                let index = at(&ways, node)?;
                let arc = self.arcs.get(index)?;
                let is_forward = arc.to == node;
                if !is_forward {
                    amount = amount.min(arc.flow);
                }
                way.push((index, is_forward));
                node = if is_forward { arc.from } else { arc.to };
            }
            for (index, is_forward) in way {
                let arc = self.arcs.get_mut(index)?;
                arc.flow += if is_forward { amount } else { -amount };
            }
            for (node, change) in [(from, amount), (to, -amount)] {
                if let Some(need) = self.need.get_mut(node) {
                    *need += change;
                }
            }
        }
        Some(())
    }

    /// The nearest node in need: over arcs, and back over what flows; what is counted is the time that an
    /// arc leaves unused. With it, how far it is to each node, and the last arc of each way.
    fn search(&self, from: usize) -> Option<(usize, Vec<i64>, Vec<Option<usize>>)> {
        let mut unused = vec![i64::MAX; self.touch.len()];
        let mut ways = vec![None; self.touch.len()];
        let mut queue = BinaryHeap::from([Reverse((0, from))]);
        put(&mut unused, from, 0);
        while let Some(Reverse((length, node))) = queue.pop() {
            if length > at(&unused, node) {
                continue;
            }
            if at(&self.need, node) > 0 {
                return Some((node, unused, ways));
            }
            for index in self.touch.get(node).into_iter().flatten() {
                let Some(arc) = self.arcs.get(*index) else { continue };
                let slack = at(&self.times, arc.to) - at(&self.times, arc.from) - arc.gap;
                let (to, slack) = match (arc.from == node, arc.flow > 0) {
                    (true, _) => (arc.to, slack),
                    (false, true) => (arc.from, -slack),
                    (false, false) => continue,
                };
                if length + slack < at(&unused, to) {
                    put(&mut unused, to, length + slack);
                    put(&mut ways, to, Some(*index));
                    queue.push(Reverse((length + slack, to)));
                }
            }
        }
        None
    }
}
