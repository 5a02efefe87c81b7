//! What objects that are bad at one time wait for together.

use super::{Part, Rest, Summand};
use crate::plan::solver::at;
use crate::plan::solver::crowd::{Member, crowd};
use crate::plan::solver::queue::queue;

impl Rest<'_> {
    /// What a group waits for from one instant on: for slots, or for the operator too if that is more.
    /// `sides` is 2 if own tasks can run before the instant, and none if the operator does not matter. The
    /// tasks in `counted` count elsewhere.
    pub(in crate::plan::solver) fn queues(
        &self,
        group: &[usize],
        sides: Option<usize>,
        counted: &[usize],
        summands: &mut Vec<Summand>,
    ) {
        let first = summands.len();
        for (owner, slots) in self.problem.owners.iter().enumerate() {
            let members = group
                .iter()
                .filter_map(|object| Some((at(self.weights, *object), self.object(*object)?)));
            let waiting = members.filter(|(_, object)| object.owner == owner);
            let checks: Vec<(i64, i64)> =
                waiting.map(|(weight, object)| (weight, object.check)).collect();
            if !checks.is_empty() {
                summands.push(Summand { part: Part::Queue(owner), amount: queue(checks, *slots) });
            }
        }
        let slots: i64 =
            summands.get(first..).unwrap_or_default().iter().map(|part| part.amount).sum();
        let Some(sides) = sides.filter(|_| self.problem.operators == 1) else { return };
        let crowd = self.crowd(group, sides, counted);
        if crowd.iter().map(|part| part.amount).sum::<i64>() > slots {
            summands.truncate(first);
            summands.extend(crowd);
        }
    }

    /// The waits of a group for one operator and for the slots of one owner. Each weighs as much as the lightest; what it
    /// weighs more is waited at least for its own tasks and its check.
    fn crowd(&self, group: &[usize], sides: usize, counted: &[usize]) -> Vec<Summand> {
        let mut own = vec![0; self.problem.objects.len()];
        for (_, task) in self.tasks().filter(|(index, _)| !counted.contains(index)) {
            let mut broken = task.breaks.iter().filter(|object| group.contains(object));
            if let (true, true, Some(only), None) =
                (task.needs_operator, task.frees.is_empty(), broken.next(), broken.next())
                && let Some(own) = own.get_mut(*only)
            {
                *own += task.takes;
            }
        }
        let members: Vec<(usize, Member)> = group
            .iter()
            .filter_map(|object| {
                let check = self.object(*object)?.check;
                Some((*object, Member { own: at(&own, *object), check }))
            })
            .collect();
        let least = group.iter().map(|object| at(self.weights, *object)).min().unwrap_or(0);
        let mut owners: Vec<usize> = group
            .iter()
            .filter_map(|object| self.object(*object))
            .map(|object| object.owner)
            .collect();
        owners.sort_unstable();
        owners.dedup();
        let [owner] = owners.as_slice() else { return Vec::new() };
        let slots = at(&self.problem.owners, *owner);
        let alike: Vec<Member> = members.iter().map(|(_, member)| *member).collect();
        let waits = crowd(&alike, slots, sides, self.is_whole);
        let mut summands = vec![
            Summand { part: Part::Queue(*owner), amount: least * waits.queue },
            Summand { part: Part::Lane, amount: least * waits.lane },
        ];
        summands.extend(members.iter().map(|(object, member)| {
            let more = at(self.weights, *object) - least;
            Summand { part: Part::Object(*object), amount: more * (member.own + member.check) }
        }));
        summands.retain(|summand| summand.amount != 0);
        summands
    }
}
