//! Where balancing may move services.

use crate::placement::{Placement, groups::NodeCounts, node_set::NodeSet};

/// The nodes that a bundle may go to, with room to find them.
#[derive(Default)]
pub(super) struct Targets {
    nodes: NodeSet,
    separate: NodeSet,
    crowds: NodeCounts,
}

impl Targets {
    /// Where the services that this one leads may go to from a node.
    pub(super) fn find(&mut self, placement: &Placement, leader: usize, source: usize) -> &NodeSet {
        let Self { nodes, separate, crowds } = self;
        placement.find_separate(leader, separate, &mut ());
        let meanwhile = placement.meanwhile(leader, separate, |_| false);
        let classes = meanwhile.as_ref().map(|meanwhile| &meanwhile.classes);
        nodes.copy_from(&classes.unwrap_or_else(|| placement.classes(leader)).preferred);
        nodes.subtract(separate);
        placement.held().for_each(|node| nodes.remove(node));
        placement.find_crowds(leader, crowds, &mut ());
        crowds.iter().for_each(|(node, _)| nodes.remove(node as usize));
        nodes.remove(source);
        nodes
    }
}
