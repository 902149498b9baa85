//! Where the services of each group are that must be together, counted by node.

use alloc::vec::Vec;

use super::occupancy::Occupancy;

/// Numbers of services by node, for the few nodes that have any; sorted by node.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeCounts {
    counts: Vec<(u32, u32)>,
}

impl NodeCounts {
    /// One more on a node.
    pub(crate) fn add(&mut self, node: u32) {
        match self.counts.binary_search_by_key(&node, |(node, _)| *node) {
            Ok(at) => {
                if let Some((_, count)) = self.counts.get_mut(at) {
                    *count = count.saturating_add(1);
                }
            }
            Err(at) => self.counts.insert(at, (node, 1)),
        }
    }

    /// One less on a node.
    pub(crate) fn remove(&mut self, node: u32) {
        let Ok(at) = self.counts.binary_search_by_key(&node, |(node, _)| *node) else { return };
        match self.counts.get_mut(at) {
            Some((_, count)) if *count > 1 => *count = count.saturating_sub(1),
            Some(_) | None => {
                self.counts.remove(at);
            }
        }
    }

    /// How many are on a node.
    pub(crate) fn of(&self, node: u32) -> u32 {
        let at = self.counts.binary_search_by_key(&node, |(node, _)| *node).ok();
        at.and_then(|at| self.counts.get(at)).map_or(0, |(_, count)| *count)
    }

    /// The nodes that have any, with their numbers, by node.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.counts.iter().copied()
    }

    /// Becomes a copy of `other` without allocating again.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.counts.clone_from(&other.counts);
    }

    pub(crate) fn clear(&mut self) {
        self.counts.clear();
    }
}

/// The services of one group, by the nodes where they are or are going.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupCounts {
    /// All that use a node.
    pub(crate) all: NodeCounts,
    /// Those of them that placement can't move now: on their way, in error, to be stopped, …
    pub(crate) held: NodeCounts,
    /// All by each node that they use; a service that is moving uses two.
    pub(crate) used: NodeCounts,
    /// The services that must be apart from the group, by each node that they use.
    pub(crate) apart: NodeCounts,
}

impl GroupCounts {
    /// A service of the group uses other nodes than before.
    pub(crate) fn replace(&mut self, old: Occupancy, new: Occupancy) {
        self.change(old, NodeCounts::remove);
        self.change(new, NodeCounts::add);
    }

    /// A service that must be apart from the group uses other nodes than before.
    pub(crate) fn replace_apart(&mut self, old: Occupancy, new: Occupancy) {
        old.used().for_each(|node| self.apart.remove(node));
        new.used().for_each(|node| self.apart.add(node));
    }

    fn change(&mut self, occupancy: Occupancy, change: fn(&mut NodeCounts, u32)) {
        occupancy.used().for_each(|node| change(&mut self.used, node));
        let Some(node) = occupancy.destination() else { return };
        change(&mut self.all, node);
        if !occupancy.movable {
            change(&mut self.held, node);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_and_taken_back_is_gone() {
        let mut counts = NodeCounts::default();
        for node in [5, 2, 5, 9] {
            counts.add(node);
        }
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(2, 1), (5, 2), (9, 1)]);
        for node in [2, 5, 7] {
            counts.remove(node);
        }
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(5, 1), (9, 1)]);
    }
}
