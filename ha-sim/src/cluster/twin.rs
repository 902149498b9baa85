//! Another machine that has the name of a node: a clone, or a backup that was restored while the original lives.
//!
//! It behaves as a node daemon of this repository does. As long as the node is heard from, the twin does nothing. When nothing was heard
//! for a lock lifetime, the twin takes the node's lock as anybody would and runs what is recorded as started on the node, and the node
//! itself does nothing under its name any more. Where silence proves nothing, because the node is recorded as unguarded or because only
//! devices turn it off, which are not connected with the twin, the twin goes on doing nothing.

use std::collections::BTreeSet;

use ha_core::{
    config::datacenter::FencingMode,
    event::{Event, NodeRecord},
    host::{Lock, LockAnswer},
    id::{NodeName, ServiceId},
    status::ServiceState,
    time::Instant,
};

use super::{ActionError, Cluster};
use crate::world::{DaemonKind, Source, What};

/// A twin that has power.
#[derive(Debug, Clone)]
pub(super) struct Twin {
    /// Where its guests run, by a name that no node has.
    place: NodeName,
    /// When the node was last heard from.
    heard: Instant,
    /// Tells its turns from those of an earlier twin.
    number: u64,
}

impl Cluster {
    /// Another machine of a node's name gets power.
    ///
    /// # Errors
    ///
    /// If there is no such node, or it has a twin already.
    pub fn twin_appears(&mut self, node: &NodeName) -> Result<(), ActionError> {
        self.hardware(node)?;
        if self.twins.contains_key(node) {
            return Err(ActionError::HasTwin(node.clone()));
        }
        self.twins_seen = self.twins_seen.wrapping_add(1);
        let (number, heard) = (self.twins_seen, self.world.time);
        let place = NodeName::new(format!("{node}-twin{number}"))?;
        self.twins.insert(node.clone(), Twin { place, heard, number });
        self.next_twin_turn(node.clone(), number);
        Ok(())
    }

    /// The other machine of a node's name loses its power, and the node may work under its name again: a person has decided.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn twin_goes(&mut self, node: &NodeName) -> Result<(), ActionError> {
        let twin = self.twins.remove(node).ok_or_else(|| ActionError::NoTwin(node.clone()))?;
        self.world.cut_power(&twin.place);
        self.world.taken_over.remove(node);
        Ok(self.settle()?)
    }

    /// Lets the name of a node count for the node itself, as hosts that know no writers do.
    pub fn let_names_count(&mut self) {
        self.world.physics.names_count = true;
    }

    /// Where the guests of a node's twin run, if it has one.
    #[must_use]
    pub fn twin_place(&self, node: &NodeName) -> Option<&NodeName> {
        Some(&self.twins.get(node)?.place)
    }

    fn next_twin_turn(&mut self, node: NodeName, number: u64) {
        let at = self.world.time.after(self.timings.waiting_loop());
        self.do_at(at, move |cluster| cluster.twin_turn(node, number));
    }

    fn twin_turn(&mut self, node: NodeName, number: u64) {
        let time = self.world.time;
        let is_heard = self.world.is_online(&node) && !self.world.taken_over.contains_key(&node);
        let Some(twin) = self.twins.get_mut(&node).filter(|twin| twin.number == number) else { return };
        if is_heard {
            twin.heard = time;
        }
        let place = twin.place.clone();
        let is_silent = time.since(twin.heard) > self.world.physics.lock_lifetime;
        // Once it has the name, it goes on under it.
        let proves_nothing = self.is_unguarded(&node) || self.world.store.datacenter.fencing == FencingMode::Hardware;
        let may_run_on = proves_nothing && !self.world.taken_over.contains_key(&node);
        let is_admitted = (is_silent && !may_run_on) || self.world.physics.names_count;
        // The store is where most of the nodes are, and the twin reaches it.
        let reaches_store = self.world.nodes.keys().any(|other| *other != node && self.world.is_online(other));
        let lock = Lock::Agent(node.clone());
        let holds = is_admitted
            && reaches_store
            && match self.world.take_lock_as_twin(&lock, &node, time) {
                LockAnswer::Acquired | LockAnswer::Renewed | LockAnswer::Held => true,
                LockAnswer::Refused => false,
            };
        if is_admitted && self.world.taken_over.insert(node.clone(), place.clone()).is_none() {
            let seen =
                Event::TwinSeen { node: node.clone(), record: NodeRecord::SignOfLife, writer: place.to_string() };
            self.world.note(time, Source::Daemon(node.clone(), DaemonKind::Lrm), What::Core(seen));
        }
        let wanted = if holds { self.started_on(&node) } else { BTreeSet::new() };
        let running = self.world.running().get(&place).cloned().unwrap_or_default();
        for sid in running.union(&wanted) {
            self.world.set_running(sid, &place, wanted.contains(sid));
        }
        self.next_twin_turn(node, number);
    }

    fn is_unguarded(&self, node: &NodeName) -> bool {
        self.world.store.manager_status.as_ref().is_some_and(|status| status.unguarded.contains(node))
    }

    /// What the LRM of a node must run.
    fn started_on(&self, node: &NodeName) -> BTreeSet<ServiceId> {
        let Some(status) = &self.world.store.manager_status else { return BTreeSet::new() };
        if status.disarm.is_some() {
            return BTreeSet::new();
        }
        let started = status
            .services
            .iter()
            .filter(|(_, entry)| entry.node == *node && matches!(entry.state, ServiceState::Started { .. }));
        started.map(|(sid, _)| sid.clone()).collect()
    }
}
