//! Nodes that came back lately, for services that go back to those of higher priority only after a delay.

use alloc::{collections::BTreeMap, vec::Vec};

use super::{Placement, node_set::NodeSet, rules::NodeClasses};
use crate::{id::NodeName, status::NodeReturn};

/// Which services go back only after a delay, and how long nodes have been well.
#[derive(Debug, Clone, Default)]
pub(super) struct Returns {
    /// The delay of each service, in seconds: the longest of all that must be together. Empty if no service has one, or if no node came
    /// back lately.
    delays: Vec<Option<u32>>,
    nodes: BTreeMap<usize, NodeReturn>,
}

/// The nodes that a service may have as long as it waits to go back to others.
#[derive(Debug)]
pub(super) struct Meanwhile {
    pub(super) classes: NodeClasses,
    /// Those that it waits for, with the seconds that are left.
    pub(super) waits_for: Vec<(usize, u32)>,
}

impl Placement {
    /// Takes note of nodes that came back lately, and of the services that go back to them only after a delay, in seconds.
    pub(crate) fn note_returns(
        &mut self,
        nodes: &BTreeMap<NodeName, NodeReturn>,
        delay: impl Fn(usize) -> Option<u32>,
    ) {
        let nodes: BTreeMap<usize, NodeReturn> =
            nodes.iter().filter_map(|(node, back)| Some((self.position(node)?, back.clone()))).collect();
        if nodes.is_empty() {
            return;
        }
        // All that must be together go back together.
        let own: Vec<Option<u32>> = (0..self.occupancies.len()).map(delay).collect();
        let of = |service: usize| own.get(service).copied().flatten();
        let delays = (0..own.len()).map(|service| self.together_with(service).filter_map(of).chain(of(service)).max());
        self.returns = Returns { delays: delays.collect(), nodes };
    }

    /// What a service that is to stay where it may is given instead of what its rule prefers, as long as a node of higher priority has not
    /// been well for long enough.
    ///
    /// That is about going back alone: a service that must leave its node waits for nothing. Nor does it wait for nodes that `draw` it.
    pub(super) fn meanwhile(
        &self,
        service: usize,
        separate: &NodeSet,
        draws: impl Fn(usize) -> bool,
    ) -> Option<Meanwhile> {
        let delay = self.returns.delays.get(service).copied().flatten()?;
        let classes = self.classes(service);
        let present = self.place_of(service).filter(|node| {
            classes.allowed.contains(*node) && !classes.preferred.contains(*node) && !separate.contains(*node)
        })?;
        let rule = self.rules.compiled().node_affinities().get(self.rules.node_affinity(service)?)?;
        let priority = |node: usize| self.node(node).and_then(|node| rule.priority(node));
        let is_back = |node: usize| priority(node) > priority(present);
        let left = |(node, back): (&usize, &NodeReturn)| Some((*node, back.left(delay)?));
        let waits_for: Vec<(usize, u32)> =
            self.returns.nodes.iter().filter_map(left).filter(|(node, _)| is_back(*node) && !draws(*node)).collect();
        if waits_for.is_empty() {
            return None;
        }
        let is_free = |node: usize| waits_for.iter().all(|(other, _)| *other != node);
        let classes = NodeClasses::of_rule_where(rule, &self.online, is_free);
        Some(Meanwhile { classes, waits_for })
    }
}
