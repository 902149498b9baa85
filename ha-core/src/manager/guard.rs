//! Which nodes may run services without a watchdog.
//!
//! The lock of a node proves that the node is down only if its LRM held it, with an open watchdog, while services ran
//! there. Where an LRM lets go of both with services running (on a restart, or while HA is disarmed), or does not have
//! them yet when a running service comes (live, by being added to what is managed, or from `error`), anybody can take the
//! lock while the services run on. Such a node is *unguarded* until its LRM was seen with its lock again, and is not fenced by its
//! lock meanwhile: if it can't be reached, its services wait for it, for another boot of its machine, for a person, or for a fence
//! device.

use alloc::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use super::{RoundHost, RoundInput, fencing::Proof, round::Round};
use crate::{
    event::Event,
    host::EventSink,
    id::{NodeName, ServiceId},
    status::{LrmMode, LrmState, LrmStatus, ManagerStatus, ServiceEntry, ServiceState, Timestamp},
};

/// What this master knows of the records of LRMs beyond their present content.
#[derive(Debug, Clone, Default)]
pub(super) struct GuardHistory {
    /// The time of a record of each node that says nothing of the present: it may be older than what matters.
    stale: BTreeMap<NodeName, Option<Timestamp>>,
    /// The time of a node's record when something came there that runs: it may run in another boot than the one which that record
    /// names. A new master counts the record that it finds of an unguarded node as such a one.
    arrivals: BTreeMap<NodeName, Option<Timestamp>>,
    /// Unguarded nodes that were reported.
    reported: BTreeSet<NodeName>,
}

impl GuardHistory {
    /// Looks at the records that a round has read: nodes whose LRM holds its lock again are guarded.
    pub(super) fn update(&mut self, status: &mut ManagerStatus, input: &RoundInput) {
        for (node, record) in &input.lrms {
            let Entry::Vacant(first) = self.stale.entry(node.clone()) else { continue };
            first.insert(record.timestamp);
            // A master before this one may have seen something come there after that record.
            if status.unguarded.contains(node) {
                self.arrivals.insert(node.clone(), record.timestamp);
            }
        }
        let mut unguarded = core::mem::take(&mut status.unguarded);
        // Whatever its LRM says now: the node may be reset before a service that is on its way there runs.
        unguarded.retain(|node| !self.is_guarded(node, input) || expects_running_service(status, node));
        status.unguarded = unguarded;
        self.reported.retain(|node| status.unguarded.contains(node));
    }

    /// Whether the node's LRM has its lock and watchdog, by a record that it wrote lately.
    fn is_guarded(&self, node: &NodeName, input: &RoundInput) -> bool {
        let Some(record) = input.lrms.get(node) else { return false };
        holds_lock(record) && self.stale.get(node) != Some(&record.timestamp)
    }

    /// What the record of a node says now is not to be counted on.
    pub(super) fn distrust(&mut self, node: &NodeName, input: &RoundInput) {
        self.stale.insert(node.clone(), input.lrms.get(node).and_then(|record| record.timestamp));
    }

    /// Notes a node as unguarded.
    pub(super) fn mark(&mut self, node: &NodeName, status: &mut ManagerStatus, input: &RoundInput) {
        self.distrust(node, input);
        status.unguarded.insert(node.clone());
    }

    /// Notes a node as unguarded to which something comes, or has come, that runs.
    pub(super) fn mark_arrival(&mut self, node: &NodeName, status: &mut ManagerStatus, input: &RoundInput) {
        self.mark(node, status, input);
        self.arrivals.insert(node.clone(), input.lrms.get(node).and_then(|record| record.timestamp));
    }

    /// Whether a record of a node is from before something came there that runs. The node may have been reset between the two,
    /// unseen: another boot than that of the record does not prove that it is gone.
    pub(super) fn is_before_arrival(&self, node: &NodeName, record: &LrmStatus) -> bool {
        self.arrivals.get(node) == Some(&record.timestamp)
    }

    /// Notes a node as unguarded unless its LRM is known to have its lock.
    pub(super) fn mark_unless_guarded(&mut self, node: &NodeName, status: &mut ManagerStatus, input: &RoundInput) {
        if !self.is_guarded(node, input) {
            self.mark(node, status, input);
        }
    }

    fn report(&mut self, node: &NodeName, sink: &mut (impl EventSink + ?Sized)) {
        if self.reported.insert(node.clone()) {
            sink.event(Event::NodeNotFenced { node: node.clone() });
        }
    }
}

/// Whether a service is on its way to a node that runs there when it comes.
fn expects_running_service(status: &ManagerStatus, node: &NodeName) -> bool {
    let comes = |entry: &ServiceEntry| matches!(&entry.state, ServiceState::Migrate { target } if target == node);
    status.services.iter().any(|(_, entry)| comes(entry))
}

/// Whether the LRM of a node had its lock and watchdog when it wrote this record, and does not let go of them with
/// something that runs.
fn holds_lock(record: &LrmStatus) -> bool {
    let lets_go = matches!(record.mode, LrmMode::Disarm | LrmMode::Restart);
    let holds_lock = match record.state {
        LrmState::Active => true,
        // It lets go as soon as it has nothing to look after, and says no other thing then.
        LrmState::Maintenance | LrmState::WaitForAgentLock | LrmState::LostAgentLock => false,
    };
    holds_lock && !lets_go
}

impl<H: RoundHost + ?Sized> Round<'_, H> {
    /// A running service is about to come to a node, or has come.
    ///
    /// Whatever the record of its LRM says: one that has no services may let go of its lock right now, and a node that was reset
    /// and is back before anybody missed it has left a record in which it has its lock.
    pub(super) fn expect_running_service(&mut self, node: &NodeName) {
        self.guards.mark_arrival(node, self.status, self.input);
    }

    /// A service that may run is looked after again.
    pub(super) fn expect_guard(&mut self, node: &NodeName) {
        self.guards.mark_unless_guarded(node, self.status, self.input);
    }

    /// A service that may run is looked after again, by an LRM that may have let go since it wrote the record that this round has read.
    pub(super) fn expect_new_guard(&mut self, node: &NodeName) {
        self.guards.mark(node, self.status, self.input);
    }

    /// A service that may run though its state says otherwise is looked after again.
    pub(super) fn expect_guard_where_it_may_run(&mut self, service: usize) {
        let Some((sid, entry)) = self.entry(service) else { return };
        if self.status.may_run.contains(sid) {
            let node = entry.node.clone();
            self.expect_guard(&node);
        }
    }

    /// All services are looked after again.
    pub(super) fn expect_guards(&mut self) {
        let nodes: alloc::vec::Vec<NodeName> = self.status.nodes.keys().cloned().collect();
        for node in &nodes {
            self.guards.mark(node, self.status, self.input);
        }
    }

    /// Whether taking the lock of a node that is gone would prove nothing.
    pub(super) fn cannot_be_fenced(&mut self, node: &NodeName) -> bool {
        let unguarded = self.status.unguarded.contains(node);
        if unguarded {
            self.guards.report(node, self.host);
        }
        unguarded
    }

    /// The node was down at some time since it was last seen.
    ///
    /// It may be up again, and a service that was on its way there may have come since: that one does not wait for fencing.
    pub(super) fn note_fenced(&mut self, node: &NodeName, proof: Proof) {
        let may_run = |entry: &ServiceEntry| {
            entry.state != ServiceState::Fence && (entry.node == *node || entry.state.target() == Some(node))
        };
        if expects_running_service(self.status, node) {
            self.status.unguarded.insert(node.clone());
        } else if !self.status.services.iter().any(|(_, entry)| may_run(entry)) {
            self.status.unguarded.remove(node);
        }
        self.note_nothing_runs(node, proof);
        self.guards.distrust(node, self.input);
    }

    /// What may have run there does not any more, if that is proven: because its power was off, or by a lock that the LRM had
    /// to the end. With a service that may run an LRM writes another record before it lets go.
    fn note_nothing_runs(&mut self, node: &NodeName, proof: Proof) {
        let record = self.input.lrms.get(node);
        if proof == Proof::Power || record.is_some_and(|record| holds_lock(record)) {
            let services = &self.status.services;
            let is_there = |sid: &ServiceId| services.get(sid).is_some_and(|entry| entry.node == *node);
            self.status.may_run.retain(|sid| !is_there(sid));
        }
    }
}
