//! What is configured, as the host hands it over.

use alloc::{sync::Arc, vec::Vec};

use super::UnmanagedGuest;
use crate::{
    config::{
        ConfigFiles, DatacenterConfig, Digest, GroupsConfig, NodesConfig, OrderedMap, RequestedState, ResourcesConfig,
        RulesConfig, fence::FenceConfig,
    },
    id::{NodeName, ServiceId},
    rules::RuleSet,
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
    /// What is said of nodes; empty when there is no such file.
    pub nodes: Arc<NodesConfig>,
    /// The fence devices, if any are configured.
    pub fence: Option<Arc<FenceConfig>>,
    /// Where each guest is configured.
    pub guests: Arc<Guests>,
}

impl Configuration {
    /// The files that edits look at together, to be edited: see [`Editor`](crate::config::Editor).
    ///
    /// ```
    /// use ha_core::{config::Editor, host::Configuration, id::ServiceTypes};
    ///
    /// let types = ServiceTypes::default();
    /// let mut configuration = Configuration::default();
    /// let mut files = configuration.files();
    /// Editor::new(&types, &[]).add_resource(&mut files, "vm:100", &[])?;
    /// configuration.take_files(files);
    /// assert_eq!(configuration.resources.write(), b"vm: 100\n\n");
    /// # Ok::<(), ha_core::config::EditError>(())
    /// ```
    #[must_use]
    pub fn files(&self) -> ConfigFiles {
        ConfigFiles {
            resources: (*self.resources).clone(),
            groups: (*self.groups).clone(),
            rules: (*self.rules).clone(),
            nodes: (*self.nodes).clone(),
        }
    }

    /// Takes files over that were edited. Each that changed gets the digest that it will have when it is written; those that did not
    /// stay the very same.
    pub fn take_files(&mut self, edited: ConfigFiles) {
        let ConfigFiles { mut resources, mut groups, mut rules, mut nodes } = edited;
        if resources != *self.resources {
            resources.digest = Digest::of(&resources.write());
            self.resources = Arc::new(resources);
        }
        if groups != *self.groups {
            groups.digest = Digest::of(&groups.write());
            self.groups = Arc::new(groups);
        }
        if rules != *self.rules {
            rules.digest = Digest::of(&rules.write());
            self.rules = Arc::new(rules);
        }
        if nodes != *self.nodes {
            nodes.digest = Digest::of(&nodes.write());
            self.nodes = Arc::new(nodes);
        }
    }

    /// The rules, with those that groups stand for, in the failure domains of the nodes.
    #[must_use]
    pub fn rule_set(&self) -> RuleSet {
        RuleSet::with_groups(&self.rules, &self.groups, &self.resources).in_domains(&self.nodes)
    }

    /// What will be managed, each as if it ran: the answer to [`Statistics::unmanaged_services`] of a host that can't tell whether what
    /// is added runs already. On each node only that node itself could tell, and it may be cut off.
    ///
    /// All other guests are left out. As far as anybody knows they use no node, and a guess must not place what is managed.
    ///
    /// [`Statistics::unmanaged_services`]: super::Statistics::unmanaged_services
    #[must_use]
    pub fn all_that_may_run(&self) -> Vec<UnmanagedGuest> {
        let resources = self.resources.resources.iter();
        let managed = resources.filter(|(_, resource)| resource.state() != RequestedState::Ignored);
        let may_run = managed.filter_map(|(sid, _)| {
            let node = self.guests.node_of(sid)?.clone();
            Some(UnmanagedGuest { sid: sid.clone(), node, running: true })
        });
        may_run.collect()
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::ServiceTypes;

    #[test]
    fn what_is_to_be_managed_may_run_and_all_else_uses_no_node() {
        let guests = ["vm:100", "vm:101", "vm:102"].map(|sid| (sid.parse().unwrap(), NodeName::new("node1").unwrap()));
        let resources = b"vm: 100\n\nvm: 101\n\tstate ignored\n\nvm: 103\n";
        let configuration = Configuration {
            resources: Arc::new(ResourcesConfig::read(resources, &ServiceTypes::default()).config),
            guests: Arc::new(guests.into_iter().collect()),
            ..Configuration::default()
        };
        let listed = configuration.all_that_may_run();
        let listed: Vec<(&str, bool)> = listed.iter().map(|guest| (guest.sid.as_str(), guest.running)).collect();
        assert_eq!(listed, [("vm:100", true)]);
    }
}
