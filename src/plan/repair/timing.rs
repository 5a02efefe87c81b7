//! The best times for a fixed order.
//!
//! The time in which something is bad is the end of a check less the begin of a task, so beginning everything
//! early is wrong, and so is beginning tasks late and checks early: a late begin can let another check come
//! first at no cost. With the order fixed, all conditions say that one line begins some time after another,
//! and the weighted sum of ends less begins is least where the dual, a flow from the begins to the ends along
//! the longest waits, is greatest. The flow is found path by path; its lengths are the times, whole numbers
//! because the waits are.

use std::collections::VecDeque;

use super::run::Run;
use super::{at, count, put};

/// No way there.
const NEVER: i64 = i64::MIN / 4;

/// The begin of each line such that the weighted time in which objects are bad is least and, among such
/// times, the end of the last line. None if the lines do not fit into their times.
#[must_use]
pub fn best(run: &Run, weights: &[i64], horizon: i64) -> Option<Vec<i64>> {
    let mut net = Net::new(run, weights, horizon);
    net.saturate()?;
    let times = net.longest(net.origin)?;
    let starts: Vec<i64> = times.into_iter().take(run.lines().len()).collect();
    starts.iter().all(|start| *start >= 0).then_some(starts)
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
    origin: usize,
}

impl Net {
    fn new(run: &Run, weights: &[i64], horizon: i64) -> Self {
        let lines = run.lines().len();
        let (origin, end) = (lines, lines + 1);
        let mut net = Self {
            arcs: Vec::new(),
            touch: vec![Vec::new(); lines + 2],
            need: vec![0; lines + 2],
            origin,
        };
        for (index, line) in run.lines().iter().enumerate() {
            net.arc(origin, index, run.release(index));
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
        for episode in run.ended().iter().chain(&open) {
            let weight = at(weights, episode.object).saturating_mul(scale);
            if let Some(from) = episode.from {
                net.charge(from, -weight);
            }
            if let Some(to) = episode.to {
                net.charge(to, weight);
            }
        }
        net
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

    /// Sends what there is to give to where it is needed, each time along a longest way. None if some way
    /// is longer than any: then no times fit.
    fn saturate(&mut self) -> Option<()> {
        while let Some(from) = self.need.iter().position(|need| *need < 0) {
            let (lengths, ways) = self.search(from)?;
            let needy = self.need.iter().enumerate().filter(|(_, need)| **need > 0);
            let reached = needy.filter(|(node, _)| at(&lengths, *node) > NEVER);
            let to = reached.max_by_key(|(node, _)| (at(&lengths, *node), *node))?.0;
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

    fn longest(&self, from: usize) -> Option<Vec<i64>> {
        Some(self.search(from)?.0)
    }

    /// The longest ways from a node, over arcs and back over what flows, with the last arc of each.
    fn search(&self, from: usize) -> Option<(Vec<i64>, Vec<Option<usize>>)> {
        let nodes = self.touch.len();
        let mut lengths = vec![NEVER; nodes];
        let mut ways = vec![None; nodes];
        let mut visits = vec![0_i64; nodes];
        let mut waiting = vec![false; nodes];
        let mut queue = VecDeque::from([from]);
        put(&mut lengths, from, 0);
        while let Some(node) = queue.pop_front() {
            put(&mut waiting, node, false);
            let length = at(&lengths, node);
            for index in self.touch.get(node).into_iter().flatten() {
                let Some(arc) = self.arcs.get(*index) else { continue };
                let (to, gap) = match (arc.from == node, arc.flow > 0) {
                    (true, _) => (arc.to, arc.gap),
                    (false, true) => (arc.from, -arc.gap),
                    (false, false) => continue,
                };
                if length + gap <= at(&lengths, to) {
                    continue;
                }
                put(&mut lengths, to, length + gap);
                put(&mut ways, to, Some(*index));
                if !at(&waiting, to) {
                    put(&mut waiting, to, true);
                    let visit = at(&visits, to) + 1;
                    put(&mut visits, to, visit);
                    if visit > count(nodes) {
                        return None;
                    }
                    queue.push_back(to);
                }
            }
        }
        Some((lengths, ways))
    }
}
