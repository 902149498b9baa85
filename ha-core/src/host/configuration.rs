//! What is configured, as the host hands it over.

use alloc::sync::Arc;

use crate::{
    config::{DatacenterConfig, GroupsConfig, OrderedMap, ResourcesConfig, RulesConfig, fence::FenceConfig},
    id::{NodeName, ServiceId},
};

/// All of the configuration that the daemons read. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// The services that are managed.
    pub resources: Arc<ResourcesConfig>,
    /// The groups; empty when there is no groups file.
    pub groups: Arc<GroupsConfig>,
    /// The rules.
    pub rules: Arc<RulesConfig>,
    /// Settings of the whole cluster.
    pub datacenter: Arc<DatacenterConfig>,
    /// The fence devices, if any are configured.
    pub fence: Option<Arc<FenceConfig>>,
    /// Where each guest is configured.
    pub guests: Arc<Guests>,
}

/// A guest as the host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The node on which it is configured.
    pub node: NodeName,
}

/// The guests of the cluster, managed or not, by SID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guests {
    guests: OrderedMap<ServiceId, Guest>,
}

impl Guests {
    /// The node on which a guest is configured, if it exists.
    #[must_use]
    pub fn node_of(&self, sid: &ServiceId) -> Option<&NodeName> {
        self.guests.get(sid).map(|guest| &guest.node)
    }

    /// All guests, in the order in which they were given.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&ServiceId, &Guest)> {
        self.guests.iter()
    }
}

impl FromIterator<(ServiceId, NodeName)> for Guests {
    fn from_iter<I: IntoIterator<Item = (ServiceId, NodeName)>>(guests: I) -> Self {
        Self { guests: guests.into_iter().map(|(sid, node)| (sid, Guest { node })).collect() }
    }
}
