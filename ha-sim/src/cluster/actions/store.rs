//! Network and store, and what they say of nodes.

use std::{collections::BTreeSet, sync::Arc};

use ha_core::{
    id::{NodeName, ServiceId},
    status::ManagerStatus,
};

use super::ActionError;
use crate::{
    cluster::Cluster,
    world::{DaemonKind, DeviceBehaviour},
};

impl Cluster {
    /// Connects a node to the network, or cuts it off.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_network(&mut self, node: &NodeName, connected: bool) -> Result<(), ActionError> {
        self.hardware(node)?.network = connected;
        self.world.update_replicas();
        Ok(())
    }

    /// Parts the network: only nodes within one group see one another. A node in no group sees nobody else.
    pub fn partition(&mut self, groups: Vec<BTreeSet<NodeName>>) {
        self.world.partitions = groups;
        self.world.update_replicas();
    }

    /// Ends what [`partition`](Self::partition) did.
    pub fn heal(&mut self) {
        self.partition(Vec::new());
    }

    /// Says whether shared records can be read and written on a node.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_store_works(&mut self, node: &NodeName, works: bool) -> Result<(), ActionError> {
        self.hardware(node)?.store_fails = !works;
        Ok(())
    }

    /// Says whether a node reads what all share as it was when this was said, though it writes as ever: a cache that hangs. It lasts
    /// until the opposite is said, or the node loses its power.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_reads_stale(&mut self, node: &NodeName, stale: bool) -> Result<(), ActionError> {
        self.hardware(node)?.reads_stale = stale;
        self.world.update_replicas();
        Ok(())
    }

    /// Says whether the shared store has room left. Without it nothing is written, but locks are renewed: they have their room.
    ///
    /// Once there is room again, what was decided meanwhile is recorded: even that a node must be fenced that is back by now.
    pub fn set_store_full(&mut self, full: bool) {
        let was_full = std::mem::replace(&mut self.world.store_full, full);
        if was_full
            && !full
            && let Some(invariants) = &mut self.invariants
        {
            invariants.excuse_aftermath(self.world.time);
        }
    }

    /// Says whether the shared store is mounted on a node. Without it the node reads, writes and locks nothing, and nobody hears from it.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_mounted(&mut self, node: &NodeName, mounted: bool) -> Result<(), ActionError> {
        self.hardware(node)?.unmounted = !mounted;
        self.world.update_replicas();
        Ok(())
    }

    /// The entry of a service in the manager status is damaged, so that nobody understands it, while no CRM runs: all that run are
    /// killed.
    ///
    /// # Errors
    ///
    /// If the service has no entry, or nothing can be written.
    pub fn damage_entry(&mut self, sid: &ServiceId) -> Result<(), ActionError> {
        self.check_writable()?;
        let no_entry = || ActionError::NoEntry(sid.clone());
        let status = self.world.store.manager_status.as_ref().ok_or_else(no_entry)?;
        let mut json: serde_json::Value = serde_json::from_str(&status.to_json()).map_err(|_| no_entry())?;
        let entries = json.get_mut("service_status").and_then(|entries| entries.as_object_mut());
        let entry = entries.and_then(|entries| entries.get_mut(sid.as_str())).and_then(|entry| entry.as_object_mut());
        entry.ok_or_else(no_entry)?.insert("node".to_owned(), serde_json::Value::Null);
        let damaged = ManagerStatus::from_json(&json.to_string()).map_err(|_| no_entry())?;
        self.replace_manager_status(damaged);
        Ok(())
    }

    /// A person removes the entries that nobody understands, while no CRM runs: all that run are killed. Nothing is done where there are
    /// none.
    ///
    /// # Errors
    ///
    /// If nothing can be written.
    pub fn repair_status(&mut self) -> Result<(), ActionError> {
        self.check_writable()?;
        let status = self.world.store.manager_status.clone().filter(|status| !status.not_understood.is_empty());
        if let Some(mut status) = status {
            let status = Arc::make_mut(&mut status);
            status.not_understood.clear();
            self.replace_manager_status(std::mem::take(status));
        }
        Ok(())
    }

    fn replace_manager_status(&mut self, status: ManagerStatus) {
        let nodes: Vec<NodeName> = self.world.nodes.keys().cloned().collect();
        for node in &nodes {
            // Those that do not run know nothing of the status.
            let _did_not_run = self.kill_daemon(node, DaemonKind::Crm);
        }
        // One that had its watchdog open is reset for it.
        if let Some(invariants) = &mut self.invariants {
            invariants.excuse_aftermath(self.world.time);
        }
        self.world.store.manager_status = Some(Arc::new(status));
    }

    /// Says whether a node can bring its view of the cluster up to date.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_view_works(&mut self, node: &NodeName, works: bool) -> Result<(), ActionError> {
        self.hardware(node)?.refresh_fails = !works;
        Ok(())
    }

    /// Says whether the locks answer to a node.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_locks_work(&mut self, node: &NodeName, work: bool) -> Result<(), ActionError> {
        self.hardware(node)?.locks_fail = !work;
        Ok(())
    }

    /// Appends a line to the command queue.
    ///
    /// # Errors
    ///
    /// If no node has quorum.
    pub fn queue_command(&mut self, line: impl Into<String>) -> Result<(), ActionError> {
        self.check_writable()?;
        self.world.store.commands.push(line.into());
        Ok(())
    }

    pub(in crate::cluster) fn check_writable(&self) -> Result<(), ActionError> {
        if self.world.store_full {
            return Err(ActionError::StoreFull);
        }
        if self.world.is_quorate() { Ok(()) } else { Err(ActionError::NoQuorum) }
    }

    /// Says how a fence device behaves, or a part of one (`name:number`).
    pub fn set_device(&mut self, name: impl Into<String>, behaviour: DeviceBehaviour) {
        self.world.devices.insert(name.into(), behaviour);
    }

    /// Changes the size of a node.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_node_size(&mut self, node: &NodeName, cores: f64, memory: u64) -> Result<(), ActionError> {
        let hardware = self.hardware(node)?;
        (hardware.max_cpu, hardware.max_memory) = (Some(cores), Some(memory));
        Ok(())
    }

    /// Changes the version of a node's software.
    ///
    /// # Errors
    ///
    /// If there is no such node.
    pub fn set_version(&mut self, node: &NodeName, version: impl Into<String>) -> Result<(), ActionError> {
        self.hardware(node)?.version = version.into();
        Ok(())
    }
}
