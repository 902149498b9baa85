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

    /// All nodes that a node reaches, itself included.
    fn reached<'a>(&'a self, node: &'a NodeName) -> impl Iterator<Item = &'a NodeName> {
        let is_up = self.nodes.get(node).is_some_and(Node::is_up);
        let reached = self.nodes.iter().filter(move |(other, hardware)| {
            is_up
                && hardware.is_up()
                && (self.partitions.is_empty() || *other == node || self.is_connected(node, other))
        });
        reached.map(|(name, _)| name)
    }

    fn is_connected(&self, one: &NodeName, other: &NodeName) -> bool {
        self.partitions.is_empty() || self.partitions.iter().any(|group| group.contains(one) && group.contains(other))
    }

    /// Whether a node is in the quorate partition: it is a member, and reaches more than half of all members, itself included.
    #[must_use]
    pub fn is_online(&self, node: &NodeName) -> bool {
        self.is_majority(node, self.reached(node))
    }

    /// Whether these are more than half of the members. Who is no member has no majority.
    fn is_majority<'a>(&self, node: &NodeName, nodes: impl Iterator<Item = &'a NodeName>) -> bool {
        let is_member = |node: &NodeName| self.nodes.get(node).is_some_and(|node| !node.expelled);
        let members = self.nodes.values().filter(|node| !node.expelled).count();
        is_member(node) && nodes.filter(|node| is_member(node)).count().saturating_mul(2) > members
    }

    /// Whether the membership on a node counts another one as online.
    #[must_use]
    pub fn hears(&self, node: &NodeName, other: &NodeName) -> bool {
        self.reaches(node, other) && !self.nodes.get(node).is_some_and(|node| node.unheard.contains(other))
    }

    /// Whether a node hears more than half of all nodes, itself included.
    #[must_use]
    pub fn hears_majority(&self, node: &NodeName) -> bool {
        let Some(hardware) = self.nodes.get(node) else { return false };
        self.is_majority(node, self.reached(node).filter(|other| !hardware.unheard.contains(*other)))
    }

    /// Whether some partition is quorate.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        self.nodes.keys().any(|node| self.is_online(node))
    }

    /// Keeps for each node that fell out of the quorate partition what it saw of the store last, and brings those that
    /// came back up to date. To be called after every change of the network, where nodes have replicas of the store.
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
