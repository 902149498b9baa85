//! What placement looks at, at one moment of a scenario: to explain decisions.

use std::sync::Arc;

use ha_core::{
    host::{Configuration, HostFigures, UnmanagedGuest},
    id::{NodeName, ServiceId},
    placement::{BalanceHold, Preference},
    plan::Situation,
    status::{ManagerStatus, ServiceState},
    time::Instant,
};

use crate::world::World;

/// All that placement looks at, at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The moment.
    pub at: Instant,
    /// The record of the master; an empty one if there is none yet.
    pub status: Arc<ManagerStatus>,
    /// What is configured.
    pub configuration: Configuration,
    /// All nodes.
    pub members: Vec<NodeName>,
    /// The figures of nodes and services.
    pub usage: HostFigures,
    /// Guests, managed or not.
    pub unmanaged: Vec<UnmanagedGuest>,
    /// For how long the imbalance of the nodes has been too high, by the master.
    pub balance_hold: BalanceHold,
}

impl Snapshot {
    /// Of a world as it is.
    #[must_use]
    pub fn of(world: &World, balance_hold: BalanceHold) -> Self {
        let store = &world.store;
        Self {
            at: world.time,
            status: store.manager_status.clone().unwrap_or_default(),
            configuration: Configuration {
                resources: store.resources.clone(),
                groups: store.groups.clone(),
                nodes: store.nodes.clone(),
                rules: store.rules.clone(),
                datacenter: store.datacenter.clone(),
                fence: store.fence.clone(),
                guests: world.guest_nodes(),
            },
            members: world.nodes.keys().cloned().collect(),
            usage: world.usage(),
            unmanaged: world.unmanaged_services(),
            balance_hold,
        }
    }

    /// The same, to ask placement.
    #[must_use]
    pub fn situation(&self) -> Situation<'_> {
        Situation {
            usage: Some(&self.usage),
            unmanaged: &self.unmanaged,
            ..Situation::new(&self.status, &self.configuration, &self.members)
        }
    }

    /// What the manager would ask for a service: whether it may stay if it is started, else the best node.
    #[must_use]
    pub fn usual_preference(&self, sid: &ServiceId) -> Preference {
        match self.status.services.get(sid).map(|entry| &entry.state) {
            Some(ServiceState::Started { .. }) => Preference::None,
            _ => Preference::BestScore,
        }
    }
}
