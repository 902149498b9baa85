//! What refutes an instance without any search: items that are apart and have too few nodes, and more than fits.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use super::instance::{Instance, UNBOUNDED};
use crate::placement::NodeSet;

/// Whether each of these sets can give a node of its own: Hall's condition, by augmenting paths.
pub(super) fn have_a_node_each(sets: &[&NodeSet], nodes: usize) -> bool {
    let mut matching = Matching { owner_of: vec![None; nodes], node_of: vec![None; sets.len()] };
    (0..sets.len()).all(|set| matching.augment(sets, set))
}

struct Matching {
    owner_of: Vec<Option<usize>>,
    node_of: Vec<Option<usize>>,
}

impl Matching {
    /// Gives a node to one more set, others of which take other nodes for it.
    fn augment(&mut self, sets: &[&NodeSet], start: usize) -> bool {
        let mut reached_by = vec![None; self.owner_of.len()];
        let mut waiting = vec![start];
        while let Some(set) = waiting.pop() {
            for node in sets.get(set).into_iter().flat_map(|set| set.iter()) {
                let Some(reached) = reached_by.get_mut(node).filter(|by| by.is_none()) else { continue };
                *reached = Some(set);
                match self.owner_of.get(node).copied().flatten() {
                    Some(owner) => waiting.push(owner),
                    None => {
                        self.pass_on(&reached_by, node);
                        return true;
                    }
                }
            }
        }
        false
    }

    /// Gives a free node to the set that reached it, that one's node to the set that reached that, and so on.
    fn pass_on(&mut self, reached_by: &[Option<usize>], free: usize) {
        let mut node = Some(free);
        while let Some(now) = node {
            let Some(set) = reached_by.get(now).copied().flatten() else { return };
            if let Some(owner) = self.owner_of.get_mut(now) {
                *owner = Some(set);
            }
            node = self.node_of.get_mut(set).and_then(|of| of.replace(now));
        }
    }
}

/// Whether the sizes alone show that the items do not fit: by their number, or if each could even be split over its nodes.
pub(super) fn are_too_large(instance: &Instance, resource: usize) -> bool {
    let room = |amounts: &[u64]| amounts.get(resource).copied().unwrap_or(UNBOUNDED);
    let rooms: Vec<u64> = instance.room.iter().map(|amounts| room(amounts)).collect();
    if rooms.iter().all(|room| *room == UNBOUNDED) {
        return false;
    }
    are_too_many(instance, resource, &rooms) || !could_be_split(instance, resource, &rooms)
}

/// Whether there are more items of some size, or larger, than the nodes have room for.
fn are_too_many(instance: &Instance, resource: usize, rooms: &[u64]) -> bool {
    let mut sizes: Vec<u64> = (0..instance.items.len()).map(|item| instance.size(item, resource)).collect();
    sizes.retain(|size| *size > 0);
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    let mut last = None;
    for (place, size) in sizes.iter().enumerate().rev() {
        // Of equal ones the last tells how many there are.
        if last == Some(*size) {
            continue;
        }
        last = Some(*size);
        let fit = rooms.iter().map(|room| room.checked_div(*size).unwrap_or_default()).fold(0, u64::saturating_add);
        if u64::try_from(place).unwrap_or(u64::MAX) >= fit {
            return true;
        }
    }
    false
}

/// Whether all would fit if items could be split over the nodes that are open to them: a flow from sets of nodes to nodes.
fn could_be_split(instance: &Instance, resource: usize, rooms: &[u64]) -> bool {
    let mut demand: BTreeMap<&NodeSet, u128> = BTreeMap::new();
    for (number, item) in instance.items.iter().enumerate() {
        let sum = demand.entry(&item.open).or_default();
        *sum = sum.saturating_add(u128::from(instance.size(number, resource)));
    }
    let left = rooms.iter().map(|room| if *room == UNBOUNDED { u128::MAX } else { u128::from(*room) });
    let groups: Vec<(&NodeSet, u128)> = demand.into_iter().collect();
    let mut flow = Flow { left: left.collect(), sent: vec![vec![0; rooms.len()]; groups.len()], groups: &groups };
    groups.iter().enumerate().all(|(group, (_, demand))| flow.send(group, *demand))
}

/// A group on a way, with the node that it sends more to and the one that it sends less to.
type Detour = (usize, usize, Option<usize>);

struct Flow<'a> {
    groups: &'a [(&'a NodeSet, u128)],
    left: Vec<u128>,
    sent: Vec<Vec<u128>>,
}

impl Flow<'_> {
    /// Sends all of a group to nodes; what others sent there goes elsewhere for it if it can.
    fn send(&mut self, group: usize, demand: u128) -> bool {
        let mut rest = demand;
        while rest > 0 {
            let Some((path, end)) = self.path(group) else { return false };
            let held = path.iter().filter_map(|(group, _, back)| self.sent_to(*group, (*back)?));
            let left = self.left.get(end).copied().unwrap_or_default();
            let amount = held.fold(left.min(rest), u128::min);
            if amount == 0 {
                return false;
            }
            for (group, to, back) in path {
                self.change(group, to, |sent| sent.saturating_add(amount));
                if let Some(back) = back {
                    self.change(group, back, |sent| sent.saturating_sub(amount));
                }
            }
            if let Some(left) = self.left.get_mut(end).filter(|left| **left != u128::MAX) {
                *left = left.saturating_sub(amount);
            }
            rest = rest.saturating_sub(amount);
        }
        true
    }

    /// A shortest way to a node with room, and that node.
    fn path(&self, start: usize) -> Option<(Vec<Detour>, usize)> {
        let mut reached_by: Vec<Option<usize>> = vec![None; self.left.len()];
        let mut came_by: Vec<Option<usize>> = vec![None; self.groups.len()];
        let mut waiting = vec![start];
        let mut next = 0_usize;
        while let Some(&group) = waiting.get(next) {
            next = next.saturating_add(1);
            for node in self.groups.get(group).into_iter().flat_map(|(nodes, _)| nodes.iter()) {
                let Some(reached) = reached_by.get_mut(node).filter(|by| by.is_none()) else { continue };
                *reached = Some(group);
                if self.left.get(node).is_some_and(|left| *left > 0) {
                    return Some((way_back(&reached_by, &came_by, node), node));
                }
                for (other, came) in came_by.iter_mut().enumerate() {
                    let is_new = other != start && came.is_none();
                    if is_new && self.sent_to(other, node).is_some_and(|sent| sent > 0) {
                        *came = Some(node);
                        waiting.push(other);
                    }
                }
            }
        }
        None
    }

    fn sent_to(&self, group: usize, node: usize) -> Option<u128> {
        self.sent.get(group)?.get(node).copied()
    }

    fn change(&mut self, group: usize, node: usize, change: impl Fn(u128) -> u128) {
        if let Some(sent) = self.sent.get_mut(group).and_then(|sent| sent.get_mut(node)) {
            *sent = change(*sent);
        }
    }
}

fn way_back(reached_by: &[Option<usize>], came_by: &[Option<usize>], end: usize) -> Vec<Detour> {
    let mut path = Vec::new();
    let mut node = Some(end);
    while let Some(now) = node {
        let Some(group) = reached_by.get(now).copied().flatten() else { break };
        node = came_by.get(group).copied().flatten();
        path.push((group, now, node));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::{super::instance::Item, *};

    fn set(nodes: &[usize]) -> NodeSet {
        let mut set = NodeSet::empty(8);
        nodes.iter().for_each(|node| set.insert(*node));
        set
    }

    /// Items with their nodes and memory.
    fn instance(rooms: &[u64], items: &[(&[usize], u64)]) -> Instance {
        let item = |(open, size): &(&[usize], u64)| Item { open: set(open), sizes: [*size, 0], home: None };
        let room = rooms.iter().map(|room| [*room, UNBOUNDED]).collect();
        Instance { room, items: items.iter().map(item).collect(), ..Instance::default() }
    }

    #[test]
    fn sets_that_have_too_few_nodes_between_them_are_found() {
        let each = |sets: &[&[usize]]| {
            let sets: Vec<NodeSet> = sets.iter().map(|nodes| set(nodes)).collect();
            have_a_node_each(&sets.iter().collect::<Vec<_>>(), 8)
        };
        assert!(each(&[&[0, 1], &[0], &[1, 2]]), "the first gives way twice");
        assert!(!each(&[&[0, 1], &[5, 6, 7], &[0, 1], &[0, 1]]));
        assert!(each(&[]));
        assert!(!each(&[&[]]));
    }

    #[test]
    fn what_would_not_fit_even_if_it_were_split_is_found() {
        assert!(!are_too_large(&instance(&[10, 10], &[(&[0, 1], 6), (&[0, 1], 4), (&[1], 10)]), 0));
        assert!(are_too_large(&instance(&[10, 10], &[(&[0, 1], 6), (&[0, 1], 5), (&[1], 10)]), 0), "by the sum");
        assert!(are_too_large(&instance(&[10, 10, 90], &[(&[0], 4), (&[1], 6), (&[0, 1], 11)]), 0), "by two nodes");
        assert!(!are_too_large(&instance(&[10, UNBOUNDED], &[(&[0], 4), (&[0, 1], 8), (&[1], 99)]), 0));
    }

    #[test]
    fn what_would_fit_only_if_it_were_split_is_found_by_its_number() {
        let three = |size| instance(&[10, 10], &[(&[0, 1], size), (&[0, 1], size), (&[0, 1], size)]);
        assert!(are_too_large(&three(6), 0));
        assert!(!are_too_large(&three(5), 0));
    }
}
