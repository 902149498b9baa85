//! Who sees whom, and what those who see too few still know.

use ha_core::id::NodeName;

use super::{Node, Replica, World};

impl World {
    /// Whether two nodes reach each other.
    #[must_use]
    pub fn reaches(&self, one: &NodeName, other: &NodeName) -> bool {
        let is_up = |node| self.nodes.get(node).is_some_and(Node::is_up);
        is_up(one) && is_up(other) && (one == other || self.is_connected(one, other))
    }

    fn is_connected(&self, one: &NodeName, other: &NodeName) -> bool {
        self.physics.store_is_enough
            || self.partitions.is_empty()
            || self.partitions.iter().any(|group| group.contains(one) && group.contains(other))
    }

    /// Whether a node is in the quorate partition: it is a member, and reaches more than half of all members, itself included, unless the
    /// store is enough.
    #[must_use]
    pub fn is_online(&self, node: &NodeName) -> bool {
        self.nodes.get(node).is_some_and(|hardware| self.is_in_majority(node, hardware, |_| true))
    }

    /// Whether a node is a member and, counting only those that count for it, reaches more than half of the members. Every call of every
    /// daemon asks this, so no node is looked up by its name.
    fn is_in_majority(&self, node: &NodeName, own: &Node, counts: impl Fn(&NodeName) -> bool) -> bool {
        if own.expelled || !own.is_up() {
            return false;
        }
        if self.physics.store_is_enough {
            return true;
        }
        let (mut members, mut reached) = (0_usize, 0_usize);
        for (other, hardware) in self.nodes.iter().filter(|(_, hardware)| !hardware.expelled) {
            members = members.saturating_add(1);
            if hardware.is_up()
                && (self.partitions.is_empty() || other == node || self.is_connected(node, other))
                && counts(other)
            {
                reached = reached.saturating_add(1);
            }
        }
        reached.saturating_mul(2) > members
    }

    /// Whether the membership on a node counts another one as online.
    #[must_use]
    pub fn hears(&self, node: &NodeName, other: &NodeName) -> bool {
        self.reaches(node, other) && !self.nodes.get(node).is_some_and(|node| node.unheard.contains(other))
    }

    /// Whether a node hears more than half of all nodes, itself included.
    #[must_use]
    pub fn hears_majority(&self, node: &NodeName) -> bool {
        let hears = |hardware: &Node| self.is_in_majority(node, hardware, |other| !hardware.unheard.contains(other));
        self.nodes.get(node).is_some_and(hears)
    }

    /// Whether some partition is quorate.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        self.nodes.keys().any(|node| self.is_online(node))
    }

    /// Keeps for each node that fell out of the quorate partition what it last saw of the store, and brings those that came back up to
    /// date. Call it after every change of the network, where nodes have replicas of the store.
    pub fn update_replicas(&mut self) {
        let nodes: Vec<(NodeName, bool)> = self.nodes.keys().map(|node| (node.clone(), self.is_online(node))).collect();
        for (name, online) in nodes {
            let Some(node) = self.nodes.get(&name) else { continue };
            let wants_one = !online || node.reads_stale;
            if node.replica.is_some() == wants_one {
                continue;
            }
            let replica = wants_one.then(|| Box::new(Replica::of(self)));
            if let Some(node) = self.nodes.get_mut(&name) {
                node.replica = replica;
            }
        }
    }
}
