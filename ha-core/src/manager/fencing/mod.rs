//! Fencing: making sure that a failed node is down before anything of it starts elsewhere.
//!
//! That a node must be fenced is an *incident*, with an id of its own, from when it is decided until one of these:
//!
//! * its lock was taken, or a device has turned it off, as the configuration asks for: it is *fenced*;
//! * it is known to have been down since the incident began, since its LRM reports from another boot of the same machine or a
//!   person has confirmed it, and its lock was taken: then it is fenced too. What ran before is gone, and what its LRM may have
//!   started after it was booted again, before it knew of the incident, was guarded by that lock;
//! * it is back: its LRM reports again, and holds nothing. Its services stay with it. Nothing of them starts elsewhere, so
//!   this needs no proof.
//!
//! What proves that a node is down says nothing of what it does when it is up again. It starts nothing because it is *recorded*
//! as to be fenced. So a proof counts only for an incident that is recorded, be it by the round in which it begins: if that
//! round's status can't be written, what it proved is taken back.

mod devices;

pub(super) use devices::FenceHistory;

use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};

use super::{
    RoundHost,
    round::{Brings, Round},
};
use crate::{
    config::datacenter::FencingMode,
    event::Event,
    host::{self, HostOperation, Lock, LockAnswer},
    id::NodeName,
    status::{FenceIncident, LrmState, LrmStatus, NodeState, ServiceEntry, ServiceState},
};

/// What shows that a node is down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Its lock, under which it was guarded by its watchdog.
    Lock,
    /// More than its lock: a device, another boot, or a person.
    Power,
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// Takes back that nodes were fenced in incidents that nobody else ever knew of: they may be up again, and have started by
    /// the older record what still waits here to be recovered. What was recovered already has its guest elsewhere, so
    /// that they don't start it.
    pub(super) fn doubt_unrecorded(&mut self) {
        for node in self.fencing.take_doubtful() {
            let waits = |entry: &ServiceEntry| entry.state == ServiceState::Recovery && entry.node == node;
            if self.change_all(waits, &ServiceState::Fence) {
                self.set_node_state(&node, NodeState::Fence);
            }
        }
    }

    /// Handles every node that must be fenced. Says whether an incident ended.
    pub(super) fn fence_nodes(&mut self) -> bool {
        let mut ended_any = false;
        let with_services: BTreeSet<NodeName> = self
            .status
            .services
            .iter()
            .filter(|(_, entry)| matches!(entry.state, ServiceState::Fence))
            .map(|(_, entry)| entry.node.clone())
            .collect();
        for node in &with_services {
            if node == self.own_node {
                // It runs, or nobody would ask.
                ended_any |= self.take_back(node);
                continue;
            }
            if self.status.node_state(node) != NodeState::Fence {
                self.set_node_state(node, NodeState::Fence);
                self.host.event(Event::NotifyFenceStarted { node: node.clone() });
            }
            ended_any |= self.fence(node);
        }
        let in_fence = self.status.nodes.iter().filter(|(_, state)| **state == NodeState::Fence);
        let without_services: Vec<NodeName> =
            in_fence.map(|(node, _)| node).filter(|node| !with_services.contains(*node)).cloned().collect();
        for node in &without_services {
            self.host.event(Event::FenceWithoutServices { node: node.clone() });
            ended_any |= self.fence(node);
        }
        ended_any
    }

    /// Tries to end the incident of a node. Says whether it is over.
    fn fence(&mut self, node: &NodeName) -> bool {
        let incident = self.incident(node);
        let record = self.fresh_record(node, &incident);
        let was_down = incident.was_down || self.note_if_rebooted(node, &incident, record.as_deref());
        if !was_down && self.is_back(node, &incident, record.as_deref()) {
            return self.take_back(node);
        }
        if !self.fencing.can_be_proven(&incident.id) {
            return false;
        }
        match self.proof(node, &incident, was_down) {
            Some(proof) => {
                self.fencing.note_fenced(node, &incident.id);
                self.end_fenced(node, proof);
                true
            }
            None => false,
        }
    }

    /// The incident of a node that must be fenced. It begins here.
    pub(super) fn incident(&mut self, node: &NodeName) -> FenceIncident {
        if let Some(incident) = self.status.fencing.get(node) {
            return incident.clone();
        }
        let record = self.input.lrms.get(node).filter(|record| !self.guards.is_before_arrival(node, record));
        let writer = record.and_then(|record| record.writer.clone());
        let incident = FenceIncident::new(self.new_uid(), writer);
        self.status.fencing.insert(node.clone(), incident.clone());
        incident
    }

    /// The record of a node that is a member of the cluster at this moment, if its LRM has written it since this master knows
    /// of the incident.
    fn fresh_record(&mut self, node: &NodeName, incident: &FenceIncident) -> Option<Arc<LrmStatus>> {
        let record = self.input.lrms.get(node)?;
        let has_written = self.fencing.has_written(node, &incident.id, record.timestamp);
        let is_member = self.input.members.get(node) == Some(&true);
        (has_written && is_member).then(|| record.clone())
    }

    /// Takes note if the LRM reports from another boot of the machine than when the incident began. Says whether it does.
    fn note_if_rebooted(&mut self, node: &NodeName, incident: &FenceIncident, record: Option<&LrmStatus>) -> bool {
        let writers = (record.and_then(|record| record.writer.as_ref()), &incident.writer);
        let (Some(now), Some(before)) = writers else { return false };
        let rebooted = now.is_another_boot_of(before);
        if rebooted {
            self.host.event(Event::FencedNodeRebooted { node: node.clone() });
            self.note_was_down(node);
        }
        rebooted
    }

    /// What ran on the node when its incident began is gone.
    pub(super) fn note_was_down(&mut self, node: &NodeName) {
        if let Some(incident) = self.status.fencing.get_mut(node) {
            incident.was_down = true;
        }
    }

    /// Whether the node works again, and may keep its services: its LRM holds nothing, and does not let itself be reset.
    ///
    /// Where its lock alone is the proof that it is waited for, a node that is back waits for that too.
    fn is_back(&self, node: &NodeName, incident: &FenceIncident, record: Option<&LrmStatus>) -> bool {
        let lock_decides =
            self.configuration.datacenter.fencing == FencingMode::Watchdog && !self.status.unguarded.contains(node);
        let Some(record) = record else { return false };
        let is_another = match (&record.writer, &incident.writer) {
            (Some(writer), Some(before)) => !writer.is_same(before),
            (Some(_) | None, None) | (None, Some(_)) => false,
        };
        !lock_decides && !is_another && record.state == LrmState::WaitForAgentLock
    }

    /// A node that was to be fenced is back: its services stay with it. They may run there, and its LRM has yet to take its lock.
    fn take_back(&mut self, node: &NodeName) -> bool {
        self.host.event(Event::FencedNodeReturned { node: node.clone() });
        if self.status.node_state(node) == NodeState::Fence {
            self.set_node_state(node, NodeState::Unknown);
        }
        self.status.fencing.remove(node);
        self.change_fenced(node, &ServiceState::Freeze);
        self.guards.mark(node, self.status, self.input);
        true
    }

    /// The node is down: its services can be recovered.
    fn end_fenced(&mut self, node: &NodeName, proof: Proof) {
        self.note_fenced(node, proof);
        self.host.event(Event::FenceAcknowledged { node: node.clone() });
        self.set_node_state(node, NodeState::Unknown);
        self.host.event(Event::NotifyFenceSucceeded { node: node.clone() });
        self.status.fencing.remove(node);
        self.count_fencing(node);
        self.change_fenced(node, &ServiceState::Recovery);
    }

    /// Brings all services of a node that wait for its fencing into another state.
    fn change_fenced(&mut self, node: &NodeName, to: &ServiceState) {
        self.change_all(|entry| entry.state == ServiceState::Fence && entry.node == *node, to);
    }

    /// Brings all services of which this holds into another state. Says whether there were any.
    fn change_all(&mut self, holds: impl Fn(&ServiceEntry) -> bool, to: &ServiceState) -> bool {
        let mut changed = false;
        for service in 0..self.status.services.len() {
            if self.entry(service).is_some_and(|(_, entry)| holds(entry)) {
                self.change(service, to.clone(), Brings::Nothing);
                changed = true;
            }
        }
        changed
    }

    /// What proves that the node is down, by what the configuration asks for, if anything does.
    fn proof(&mut self, node: &NodeName, incident: &FenceIncident, was_down: bool) -> Option<Proof> {
        // Locks belong to nodes: this node's own LRM has its lock, so getting that would prove nothing.
        if node == self.own_node {
            return None;
        }
        if was_down {
            return self.take_agent_lock(node).then_some(Proof::Power);
        }
        match self.configuration.datacenter.fencing {
            FencingMode::Watchdog if self.cannot_be_fenced(node) => None,
            FencingMode::Watchdog => self.take_agent_lock(node).then_some(Proof::Lock),
            FencingMode::Hardware => self.device_succeeded(node, &incident.id).then_some(Proof::Power),
            FencingMode::Both => {
                (self.device_succeeded(node, &incident.id) && self.take_agent_lock(node)).then_some(Proof::Power)
            }
        }
    }

    /// Takes the agent lock of a node. It is kept until it expires: a node that comes back must wait for it.
    fn take_agent_lock(&mut self, node: &NodeName) -> bool {
        let lock = Lock::Agent(node.clone());
        let answer = self.host.take(&lock);
        match host::answer(self.host, HostOperation::TakeLock, answer) {
            Some(LockAnswer::Acquired) => {
                self.host.event(Event::LockAcquired { lock });
                true
            }
            Some(LockAnswer::Renewed | LockAnswer::Held) => true,
            Some(LockAnswer::Refused) | None => false,
        }
    }
}
