//! Fencing: making sure that a failed node is down before anything of it starts elsewhere.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use super::{
    RoundHost,
    round::{Brings, Round},
};
use crate::{
    config::datacenter::FencingMode,
    event::Event,
    host::{self, FenceProgress, HostOperation, Lock, LockAnswer},
    id::NodeName,
    status::{NodeState, ServiceState},
};

/// How far fence devices have come with each node that is being fenced.
#[derive(Debug, Clone, Default)]
pub(super) struct FenceHistory {
    devices: BTreeMap<NodeName, DeviceHistory>,
    /// Nodes whose devices were asked in this round already.
    asked: BTreeSet<NodeName>,
}

#[derive(Debug, Clone, Copy, Default)]
struct DeviceHistory {
    /// The device that is tried, counted from 0.
    attempt: u32,
    outcome: DeviceOutcome,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum DeviceOutcome {
    #[default]
    Pending,
    Succeeded,
    Exhausted,
}

impl FenceHistory {
    /// A new round begins: devices are asked once in it. What is known of nodes that are not to be fenced any more is
    /// dropped.
    pub(super) fn begin_round(&mut self, still_fenced: impl Fn(&NodeName) -> bool) {
        self.asked.clear();
        self.devices.retain(|node, _| still_fenced(node));
    }
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Handles every node that is to be fenced. Says whether one was.
    pub(super) fn fence_nodes(&mut self) -> bool {
        let mut fenced_any = false;
        let with_services: BTreeSet<NodeName> = self
            .status
            .services
            .iter()
            .filter(|(_, entry)| entry.state == ServiceState::Fence)
            .map(|(_, entry)| entry.node.clone())
            .collect();
        for node in &with_services {
            if self.status.node_state(node) != NodeState::Fence {
                self.set_node_state(node, NodeState::Fence);
                self.host.event(Event::NotifyFenceStarted { node: node.clone() });
            }
            fenced_any |= self.fence(node);
        }
        let in_fence = self.status.nodes.iter().filter(|(_, state)| **state == NodeState::Fence);
        let without_services: Vec<NodeName> =
            in_fence.map(|(node, _)| node).filter(|node| !with_services.contains(*node)).cloned().collect();
        for node in &without_services {
            self.host.event(Event::FenceWithoutServices { node: node.clone() });
            fenced_any |= self.fence(node);
        }
        fenced_any
    }

    /// Tries to make sure that a node is down, and if it is, lets its services be recovered.
    fn fence(&mut self, node: &NodeName) -> bool {
        if !self.is_known_down(node) {
            return false;
        }
        self.note_fenced(node);
        self.host.event(Event::FenceAcknowledged { node: node.clone() });
        self.set_node_state(node, NodeState::Unknown);
        self.host.event(Event::NotifyFenceSucceeded { node: node.clone() });
        for service in 0..self.status.services.len() {
            let waits = |entry: &crate::status::ServiceEntry| entry.state == ServiceState::Fence && entry.node == *node;
            if self.entry(service).is_some_and(|(_, entry)| waits(entry)) {
                self.change(service, ServiceState::Recovery, Brings::Nothing);
            }
        }
        true
    }

    /// Whether the node is down, by what the configuration counts as proof.
    fn is_known_down(&mut self, node: &NodeName) -> bool {
        match self.configuration.datacenter.fencing {
            FencingMode::Watchdog => self.take_agent_lock(node),
            FencingMode::Hardware => self.device_succeeded(node),
            FencingMode::Both => self.device_succeeded(node) && self.take_agent_lock(node),
        }
    }

    /// Takes the agent lock of a node. It is kept until it expires: a node that comes back must wait for it.
    fn take_agent_lock(&mut self, node: &NodeName) -> bool {
        // Locks belong to nodes: this node's own LRM has its lock, so getting that would prove nothing.
        if node == self.own_node {
            return false;
        }
        let lock = Lock::Agent(node.clone());
        let answer = self.host.take(&lock);
        match host::answer(self.host, HostOperation::TakeLock, answer) {
            Some(LockAnswer::Acquired) => {
                self.host.event(Event::LockAcquired { lock });
                true
            }
            Some(LockAnswer::Renewed) => true,
            Some(LockAnswer::Refused) | None => false,
        }
    }

    /// Whether a fence device has turned the node off. Devices are tried one after another.
    fn device_succeeded(&mut self, node: &NodeName) -> bool {
        let history = self.fencing.devices.get(node).copied().unwrap_or_default();
        match history.outcome {
            DeviceOutcome::Succeeded => true,
            DeviceOutcome::Exhausted => false,
            DeviceOutcome::Pending if !self.fencing.asked.insert(node.clone()) => false,
            DeviceOutcome::Pending => {
                let history = self.try_devices(node, history.attempt);
                self.fencing.devices.insert(node.clone(), history);
                history.outcome == DeviceOutcome::Succeeded
            }
        }
    }

    /// Asks the devices from `attempt` on until one does not fail at once.
    fn try_devices(&mut self, node: &NodeName, first: u32) -> DeviceHistory {
        for attempt in first..=u32::MAX {
            let fence = self.configuration.fence.as_ref();
            let commands = fence.map(|fence| fence.commands(node, attempt as usize)).unwrap_or_default();
            if commands.is_empty() {
                self.host.event(Event::FenceDevicesExhausted { node: node.clone() });
                return DeviceHistory { attempt, outcome: DeviceOutcome::Exhausted };
            }
            let progress = self.host.run(node, attempt, &commands);
            match host::answer(self.host, HostOperation::RunFenceDevice, progress) {
                Some(FenceProgress::Running) => return DeviceHistory { attempt, outcome: DeviceOutcome::Pending },
                Some(FenceProgress::Succeeded) => {
                    self.host.event(Event::FenceDeviceSucceeded { node: node.clone(), attempt });
                    return DeviceHistory { attempt, outcome: DeviceOutcome::Succeeded };
                }
                Some(FenceProgress::Failed) | None => {
                    self.host.event(Event::FenceDeviceFailed { node: node.clone(), attempt });
                }
            }
        }
        DeviceHistory { attempt: u32::MAX, outcome: DeviceOutcome::Exhausted }
    }
}
