//! Which nodes fail together.

use alloc::collections::{BTreeMap, BTreeSet};

use crate::{
    config::NodesConfig,
    id::{FailureDomain, NodeName},
};

/// The failure domains that nodes are said to be in. All that ask look here, so that they agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FailureDomains {
    of_node: BTreeMap<NodeName, FailureDomain>,
}

/// What fails together. A node of which nothing is said is by itself, whatever domains are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Domain<'a> {
    /// All nodes that are said to be in it.
    Named(&'a FailureDomain),
    /// One node.
    Node(&'a NodeName),
}

impl FailureDomains {
    pub(super) fn of_config(config: &NodesConfig) -> Self {
        let labels = config.nodes.iter();
        let of_node = labels.filter_map(|(node, labels)| Some((node.clone(), labels.failure_domain.clone()?)));
        Self { of_node: of_node.collect() }
    }

    /// What a node fails together with.
    pub(crate) fn of<'a>(&'a self, node: &'a NodeName) -> Domain<'a> {
        self.of_node.get(node).map_or(Domain::Node(node), Domain::Named)
    }

    /// How many domains these nodes are in.
    pub(super) fn count<'a>(&'a self, nodes: impl Iterator<Item = &'a NodeName>) -> usize {
        nodes.map(|node| self.of(node)).collect::<BTreeSet<_>>().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_without_a_label_is_by_itself_whatever_others_are_called() {
        let config =
            NodesConfig::read(b"node: n1\n\tfailure-domain n3\n\nnode: n2\n\tfailure-domain n3\n\nnode: n4\n").config;
        let domains = FailureDomains::of_config(&config);
        let nodes = ["n1", "n2", "n3", "n4"].map(|node| NodeName::new(node).unwrap());
        assert_eq!(domains.of(&nodes[0]), domains.of(&nodes[1]));
        assert_ne!(domains.of(&nodes[0]), domains.of(&nodes[2]));
        assert_eq!(domains.count(nodes.iter()), 3);
    }
}
