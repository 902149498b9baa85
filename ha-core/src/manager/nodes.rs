//! What the master knows of the nodes beyond their recorded states: when it last saw them.

use alloc::collections::BTreeMap;
use core::time::Duration;

use crate::{
    event::Event,
    host::EventSink,
    id::NodeName,
    status::{LrmMode, ManagerStatus, NodeState},
    time::Instant,
};

/// When each node was last seen online by this master.
#[derive(Debug, Clone, Default)]
pub(crate) struct NodeHistory {
    last_seen: BTreeMap<NodeName, Instant>,
}

impl NodeHistory {
    /// How long ago a node was last seen. One that was never seen counts as seen when this is first asked, so that a
    /// new master waits the full delay.
    pub(crate) fn unseen_for(&mut self, node: &NodeName, now: Instant) -> Duration {
        match self.last_seen.get(node) {
            Some(seen) => now.since(*seen),
            None => {
                self.last_seen.insert(node.clone(), now);
                Duration::ZERO
            }
        }
    }

    /// Brings the node states up to date with the membership and the modes of the LRMs.
    pub(crate) fn update(
        &mut self,
        status: &mut ManagerStatus,
        members: &BTreeMap<NodeName, bool>,
        mode: impl Fn(&NodeName) -> LrmMode,
        now: Instant,
        forget_after: Duration,
        sink: &mut (impl EventSink + ?Sized),
    ) {
        for (node, _) in members.iter().filter(|(_, online)| **online) {
            self.last_seen.insert(node.clone(), now);
            let new = match (status.node_state(node), mode(node)) {
                (NodeState::Online | NodeState::Maintenance, LrmMode::Maintenance) => NodeState::Maintenance,
                (
                    NodeState::Online | NodeState::Maintenance,
                    LrmMode::Active | LrmMode::Restart | LrmMode::Shutdown | LrmMode::Disarm | LrmMode::Unknown,
                )
                | (NodeState::Unknown | NodeState::Gone, _) => NodeState::Online,
                (NodeState::Fence, _) => NodeState::Fence,
            };
            set_node_state(status, node, new, sink);
        }
        let offline: alloc::vec::Vec<NodeName> =
            status.nodes.keys().filter(|node| members.get(*node) != Some(&true)).cloned().collect();
        for node in &offline {
            let new = match status.node_state(node) {
                NodeState::Online => NodeState::Unknown,
                NodeState::Maintenance if mode(node) != LrmMode::Maintenance => NodeState::Unknown,
                NodeState::Unknown if !members.contains_key(node) => NodeState::Gone,
                NodeState::Gone if self.unseen_for(node, now) > forget_after => {
                    self.forget(status, node, sink);
                    continue;
                }
                same @ (NodeState::Maintenance | NodeState::Unknown | NodeState::Gone | NodeState::Fence) => same,
            };
            set_node_state(status, node, new, sink);
        }
    }

    fn forget(&mut self, status: &mut ManagerStatus, node: &NodeName, sink: &mut (impl EventSink + ?Sized)) {
        status.nodes.remove(node);
        self.last_seen.remove(node);
        sink.event(Event::NodeForgotten { node: node.clone() });
    }
}

/// Changes the recorded state of a node, with an event if it is another one.
pub(crate) fn set_node_state(
    status: &mut ManagerStatus,
    node: &NodeName,
    to: NodeState,
    sink: &mut (impl EventSink + ?Sized),
) {
    let from = status.node_state(node);
    if from != to || !status.nodes.contains_key(node) {
        status.nodes.insert(node.clone(), to);
    }
    if from != to {
        sink.event(Event::NodeState { node: node.clone(), from, to });
    }
}
