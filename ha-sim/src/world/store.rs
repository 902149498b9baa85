//! The shared store: configuration, records, and the command queue.

use std::{collections::BTreeMap, sync::Arc};

use ha_core::{
    config::{
        DatacenterConfig, Digest, GroupsConfig, NodesConfig, RequestedState, Resource, ResourcesConfig, RulesConfig,
        fence::FenceConfig,
    },
    host::Guests,
    id::{NodeName, ServiceId},
    status::{LrmStatus, ManagerStatus},
};

use super::World;

/// What a node that is cut off still sees: the shared store as it was when that happened.
#[derive(Debug, Clone)]
pub struct Replica {
    /// The store.
    pub store: Store,
    /// Where each guest was configured.
    pub guests: Arc<Guests>,
}

impl Replica {
    /// A replica of the present.
    #[must_use]
    pub fn of(world: &World) -> Self {
        Self { store: world.store.clone(), guests: world.guest_nodes() }
    }
}

/// What all nodes share.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// The services that are managed.
    pub resources: Arc<ResourcesConfig>,
    /// The groups.
    pub groups: Arc<GroupsConfig>,
    /// What is said of nodes.
    pub nodes: Arc<NodesConfig>,
    /// The rules.
    pub rules: Arc<RulesConfig>,
    /// Settings of the whole cluster.
    pub datacenter: Arc<DatacenterConfig>,
    /// The fence devices, if any are configured.
    pub fence: Option<Arc<FenceConfig>>,
    /// The record of the master.
    pub manager_status: Option<Arc<ManagerStatus>>,
    /// The record of each LRM.
    pub lrm_status: BTreeMap<NodeName, Arc<LrmStatus>>,
    /// Records that nobody can read, as if somebody had written into them, each with the reason. `None` stands for the manager status.
    pub broken_records: BTreeMap<Option<NodeName>, String>,
    /// The lines that wait for the master.
    pub commands: Vec<String>,
    edits: u64,
}

impl Store {
    /// Counts the edits of the resources: they are the same as long as this has not changed.
    #[must_use]
    pub fn edits(&self) -> u64 {
        self.edits
    }

    /// Changes the resources, as an edit of the file would.
    pub fn edit_resources(&mut self, edit: impl FnOnce(&mut ResourcesConfig)) {
        self.edits = self.edits.wrapping_add(1);
        let resources = Arc::make_mut(&mut self.resources);
        edit(resources);
        resources.digest = Digest::of(&self.edits.to_le_bytes());
    }

    /// Changes the state that is requested of a service.
    pub fn set_requested_state(&mut self, sid: &ServiceId, state: RequestedState) {
        self.edit_resources(|resources| {
            if let Some(resource) = resources.resources.get_mut(sid) {
                resource.state = Some(state);
            }
        });
    }

    /// Adds a service, or replaces it.
    pub fn put_resource(&mut self, resource: Resource) {
        self.edit_resources(|resources| {
            resources.resources.insert(resource.sid.clone(), resource);
        });
    }

    /// Removes a service.
    pub fn remove_resource(&mut self, sid: &ServiceId) {
        self.edit_resources(|resources| {
            resources.resources.shift_remove(sid);
        });
    }
}
